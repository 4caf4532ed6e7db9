/* SPDX-License-Identifier: Apache-2.0
 * Azure's data of instances. Guests report often and mostly nothing new, so reports without news change no
 * row. */
#include "engine/instance/azure_guest.h"

#include "base/clock.h"
#include "engine/instance/azure_guest_internal.h"
#include "engine/instance/instance_internal.h"
#include "model/image.h"
#include "store/azure_guest.h"
#include "store/instance.h"
#include "store/instance_extension.h"

#define REPORT_LASTS_US (5 * MINUTE) /* interval at which the time of the last report is refreshed */

const struct azure_guest *engine_find_azure_guest(const struct tables *t, uuid instance)
{
	return azure_guest_find_by_instance(t, instance);
}

struct azure_guest azure_guest_begin(const struct op *op, const struct instance *instance)
{
	const struct azure_guest *guest = azure_guest_find_by_instance(op->head, instance->row.id);
	return guest ? *guest
		     : (struct azure_guest){.row.id = engine_new_id(op, KIND_AZURE_GUEST),
					    .row.gen = 1,
					    .account = instance->account,
					    .instance = instance->row.id,
					    .incarnation = 1};
}

bool azure_guest_needs_disc(enum instance_personality personality, const struct image *image,
			    struct str password)
{
	bool is_windows = image && image->platform == IMAGE_PLATFORM_WINDOWS;
	return personality == INSTANCE_PERSONALITY_AZURE && (is_windows || password.n);
}

RESULT azure_guest_leave_instance(struct op *op, uuid instance)
{
	const struct instance_extension *e = instance_extension_first_by_instance(op->head, instance),
					*next = NULL;
	const struct azure_guest *guest = azure_guest_find_by_instance(op->head, instance);
	for (; e; e = next) {
		next = instance_extension_next_by_instance(op->head, e);
		TRY(instance_extension_forget(op, e->row.id));
	}
	return guest ? azure_guest_forget(op, guest->row.id) : OK;
}

/* ---- provisioning data ---- */

static RESULT check_profile(struct op *op, const struct azure_profile_wish *w)
{
	const struct {
		const char *field;
		struct str text;
	} names[] = {{"computerName", w->computer_name},
		     {"adminUsername", w->admin_username},
		     {"timeZone", w->time_zone}};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (names[k].text.n > AZURE_NAME_MAX || !str_is_line(names[k].text))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_AZURE_GUEST, str_from(names[k].field),
					   "The parameter %s is a text of 1 to %d characters.",
					   names[k].field, AZURE_NAME_MAX);
	if (w->keys.count > AZURE_KEYS_MAX || w->key_paths.count != w->keys.count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_AZURE_GUEST, STR("publicKeys"),
				   "There are up to %d public keys, each with a path.", AZURE_KEYS_MAX);
	for (size_t k = 0; k < w->keys.count; k++)
		if (!str_is_line(w->keys.at[k]) || !str_is_line(w->key_paths.at[k]))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_AZURE_GUEST, STR("publicKeys"),
					   "A public key and its path are one line each.");
	if (w->custom_data.n > AZURE_CUSTOM_DATA_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_AZURE_GUEST, STR("customData"),
				   "Custom data has up to %d bytes.", AZURE_CUSTOM_DATA_MAX);
	return OK;
}

RESULT engine_set_azure_profile(struct op *op, struct azure_profile_wish *w)
{
	const struct instance *instance = NULL;
	TRY(check_profile(op, w));
	TRY(engine_permit_instance(op, &w->instance, "instance.update", &instance));
	TRY(instance_check_unlocked(op, instance, w->instance.field));
	struct azure_guest next = azure_guest_begin(op, instance);
	next.computer_name = w->computer_name;
	next.admin_username = w->admin_username;
	next.admin_keys = w->keys;
	next.admin_key_paths = w->key_paths;
	next.allows_password = w->allows_password;
	next.custom_data = w->custom_data;
	next.lacks_agent = w->lacks_agent;
	next.manual_updates = w->manual_updates;
	next.takes_winrm = w->takes_winrm;
	next.time_zone = w->time_zone;
	TRY(azure_guest_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "profile set",
				"What Azure tells its guest.");
}

/* ---- reports ---- */

static RESULT find_reporter(struct op *op, uuid id, const struct instance **ret_instance)
{
	const struct instance *instance = instance_find(op->head, id);
	if (!instance || !row_is_live(&instance->row))
		return engine_fail_gone(op->ctx, KIND_INSTANCE, id);
	*ret_instance = instance;
	return OK;
}

RESULT engine_report_azure_health(struct op *op, struct azure_health_report *w)
{
	const struct instance *instance = NULL;
	TRY(find_reporter(op, w->instance, &instance));
	struct azure_guest next = azure_guest_begin(op, instance);
	struct str text = str_cut(w->text, AZURE_TEXT_MAX);
	if (next.health == w->health && str_equal(next.health_text, text))
		return OK;
	next.health = w->health;
	next.health_text = text;
	next.health_us = op->now_us;
	TRY(azure_guest_put(op, &next));
	const char *word = azure_guest_health_words[w->health];
	return text.n ? engine_log_event(op, KIND_INSTANCE, &instance->row, "guest told its health",
					 "It is %s. %" STR_FMT, word, STR_ARG(str_cut(text, 256)))
		      : engine_log_event(op, KIND_INSTANCE, &instance->row, "guest told its health",
					 "It is %s.", word);
}

static bool is_known_guest(const struct azure_guest *g, const struct azure_status_report *r)
{
	return g && str_equal(g->agent_version, r->agent_version) &&
	       str_equal(g->agent_state, r->agent_state) && str_equal(g->os_name, r->os_name) &&
	       str_equal(g->os_version, r->os_version) && clock_now_us() - g->reported_us < REPORT_LASTS_US;
}

static const struct extension_report *find_report(const struct azure_status_report *w,
						  const struct instance_extension *e)
{
	for (size_t k = 0; k < w->extension_count; k++) {
		struct str rest = w->extensions[k].handler, publisher = e->publisher;
		if (rest.n == publisher.n + 1 + e->type.n && rest.p[publisher.n] == '.' &&
		    str_equal_nocase(str_slice(rest, 0, publisher.n), publisher) &&
		    str_equal_nocase(str_slice(rest, publisher.n + 1, rest.n), e->type))
			return &w->extensions[k];
	}
	return NULL;
}

/* A status belongs to the settings with its sequence number; those of replaced settings are ignored. */
static bool is_of_now(const struct instance_extension *e, const struct extension_report *r)
{
	return r->has_status && r->sequence == e->sequence;
}

static struct instance_extension extension_after(const struct instance_extension *e,
						 const struct extension_report *r)
{
	struct instance_extension next = *e;
	next.handler_version = r->handler_version;
	next.handler_state = r->handler_state;
	next.handler_message = str_cut(r->handler_message, AZURE_TEXT_MAX);
	if (is_of_now(e, r)) {
		next.status = r->status;
		next.code = r->code;
		next.message = str_cut(r->message, EXTENSION_MESSAGE_MAX);
		if (r->status != INSTANCE_EXTENSION_STATUS_TRANSITIONING)
			next.seen_gen = (int64_t) e->row.gen;
	}
	return next;
}

static bool is_known_extension(const struct instance_extension *e, const struct extension_report *r)
{
	if (!r)
		return !e->is_leaving;
	struct instance_extension next = extension_after(e, r);
	return str_equal(next.handler_version, e->handler_version) &&
	       str_equal(next.handler_state, e->handler_state) &&
	       str_equal(next.handler_message, e->handler_message) && next.status == e->status &&
	       next.code == e->code && str_equal(next.message, e->message) && next.seen_gen == e->seen_gen;
}

bool engine_is_azure_status_new(const struct tables *t, const struct azure_status_report *w)
{
	if (!is_known_guest(engine_find_azure_guest(t, w->instance), w))
		return true;
	for (const struct instance_extension *e = engine_first_extension(t, w->instance); e;
	     e = engine_next_extension(t, e))
		if (!is_known_extension(e, find_report(w, e)))
			return true;
	return false;
}

static RESULT note_extension(struct op *op, const struct azure_status_report *w,
			     const struct instance_extension *e)
{
	const struct extension_report *r = find_report(w, e);
	if (is_known_extension(e, r))
		return OK;
	if (!r) /* the extension was being removed, and the agent no longer has it */
		return instance_extension_forget(op, e->row.id);
	struct instance_extension next = extension_after(e, r);
	next.seen_us = op->now_us;
	return instance_extension_put(op, &next);
}

RESULT engine_report_azure_status(struct op *op, struct azure_status_report *w)
{
	const struct instance *instance = NULL;
	TRY(find_reporter(op, w->instance, &instance));
	struct azure_guest next = azure_guest_begin(op, instance);
	next.agent_version = w->agent_version;
	next.agent_state = w->agent_state;
	next.os_name = w->os_name;
	next.os_version = w->os_version;
	next.reported_us = op->now_us;
	TRY(azure_guest_put(op, &next));
	const struct instance_extension *e = engine_first_extension(op->head, w->instance), *after = NULL;
	for (; e; e = after) {
		after = engine_next_extension(op->head, e);
		TRY(note_extension(op, w, e));
	}
	return OK;
}
