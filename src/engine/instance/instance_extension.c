/* SPDX-License-Identifier: Apache-2.0
 * Azure VM extensions: settings and removal. Each change makes a new goal state, which the guest's agent
 * fetches and carries out; azure_guest.c takes the agent's reports. */
#include "engine/instance/azure_guest.h"

#include <inttypes.h>

#include "engine/instance/azure_guest_internal.h"
#include "engine/instance/instance_internal.h"
#include "store/azure_guest.h"
#include "store/instance_extension.h"

static const struct extension_program programs[] = {
	{"Dari", "RunCommand", "1.0.0"},
	{"Dari", "RunCommandLinux", "1.0.0"}, /* the same program, for action run commands */
	/* Managed run commands. The agent runs a handler once a name, so each command gets a handler name of
	 * its own. */
	{"Dari", EXTENSION_OF_COMMANDS, "1.0.0"},
};

static bool is_kept_command(struct str type)
{
	struct str begin = STR(EXTENSION_OF_COMMANDS "_");
	if (type.n <= begin.n || type.n > 64 || !str_equal_nocase(str_slice(type, 0, begin.n), begin))
		return false;
	for (size_t k = begin.n; k < type.n; k++)
		if (!str_is_alphanumeric(type.p[k]))
			return false;
	return true;
}

const struct extension_program *engine_get_program(size_t number)
{
	return number < sizeof programs / sizeof programs[0] ? &programs[number] : NULL;
}

bool engine_is_kept_command(const struct instance_extension *e)
{
	return is_kept_command(e->type);
}

const struct extension_program *engine_find_program(struct str publisher, struct str type)
{
	if (is_kept_command(type))
		type = STR(EXTENSION_OF_COMMANDS);
	for (size_t k = 0; k < sizeof programs / sizeof programs[0]; k++)
		if (str_equal_nocase(str_from(programs[k].publisher), publisher) &&
		    str_equal_nocase(str_from(programs[k].type), type))
			return &programs[k];
	return NULL;
}

const struct instance_extension *engine_first_extension(const struct tables *t, uuid instance)
{
	return instance_extension_first_by_instance(t, instance);
}

const struct instance_extension *engine_next_extension(const struct tables *t,
						       const struct instance_extension *e)
{
	return instance_extension_next_by_instance(t, e);
}

const struct instance_extension *engine_find_extension(const struct tables *t, uuid instance, struct str name)
{
	const struct instance_extension *e = engine_first_extension(t, instance);
	while (e && !str_equal_nocase(e->name, name))
		e = engine_next_extension(t, e);
	return e;
}

bool engine_extension_has_ended(const struct instance_extension *e)
{
	return e->seen_gen >= (int64_t) e->row.gen;
}

/* ---- goal state ---- */

/* The agent fetches everything again when the incarnation number changes. */
static RESULT count_goal(struct op *op, const struct instance *instance, const struct extension_wish *w)
{
	struct azure_guest next = azure_guest_begin(op, instance);
	next.incarnation++;
	if (w && w->protected_settings.n && !next.key.n) {
		next.key = w->key;
		next.certificate = w->certificate;
	}
	return azure_guest_put(op, &next);
}

/* ---- settings ---- */

static RESULT check_text(struct op *op, const char *field, struct str text, size_t most)
{
	return text.n >= 1 && text.n <= most && str_is_line(text)
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_EXTENSION, str_from(field),
				     "The parameter %s is a text of 1 to %zu characters.", field, most);
}

static RESULT check_wish(struct op *op, const struct extension_wish *w)
{
	TRY(check_text(op, "vmExtensionName", w->name, EXTENSION_NAME_MAX));
	TRY(check_text(op, "publisher", w->publisher, 255));
	TRY(check_text(op, "type", w->type, 255));
	TRY(check_text(op, "typeHandlerVersion", w->version, 32));
	if (w->settings.n > EXTENSION_SETTINGS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_EXTENSION, STR("settings"),
				   "The settings of an extension have up to %d bytes.",
				   EXTENSION_SETTINGS_MAX);
	return OK;
}

static RESULT check_instance(struct op *op, const struct instance *instance, const struct ref *ref)
{
	TRY(instance_check_changeable(op, instance, ref->field));
	if (instance->personality != INSTANCE_PERSONALITY_AZURE)
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_INSTANCE, ref->field,
			"The image of the VM is not of the personality azure: no agent in its guest asks "
			"for extensions.");
	if (model_derive_instance_state(instance) != INSTANCE_RUNNING)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
				   "Cannot modify extensions in the VM when the VM is not running.");
	return OK;
}

/* An agent can have one extension a handler. */
static RESULT check_program(struct op *op, const struct instance *instance, const struct extension_wish *w,
			    const struct extension_program **ret_program)
{
	const struct extension_program *program = engine_find_program(w->publisher, w->type);
	if (!program)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION, STR("type"),
				   "The VM extension with publisher '%" STR_FMT "' and type '%" STR_FMT
				   "' could not be found.",
				   STR_ARG(w->publisher), STR_ARG(w->type));
	const struct instance_extension *e = engine_first_extension(op->head, instance->row.id);
	size_t count = 0;
	for (; e; e = engine_next_extension(op->head, e), count++)
		if (!str_equal_nocase(e->name, w->name) && str_equal_nocase(e->type, w->type) &&
		    engine_find_program(e->publisher, e->type) == program)
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_INSTANCE_EXTENSION, STR("vmExtensionName"),
					   "Multiple VMExtensions per handler not supported for OS type "
					   "'Linux'. VMExtension '%" STR_FMT "' with handler '%s.%s' already "
					   "added or specified in input.",
					   STR_ARG(e->name), program->publisher, program->type);
	if (count >= EXTENSIONS_OF_INSTANCE_MAX &&
	    !engine_find_extension(op->head, instance->row.id, w->name))
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_INSTANCE_EXTENSION, STR("vmExtensionName"),
				   "A VM has up to %d extensions.", EXTENSIONS_OF_INSTANCE_MAX);
	*ret_program = program;
	return OK;
}

/* Sealing is randomized, so protected settings cannot be compared: they always count as changed. */
static bool is_same(const struct instance_extension *e, const struct extension_wish *w)
{
	return !w->again && !e->is_leaving && !w->protected_settings.n && !e->protected_settings.n &&
	       str_equal(e->settings, w->settings) && str_equal(e->version, w->version) &&
	       e->auto_upgrade == w->auto_upgrade;
}

static RESULT write_extension(struct op *op, const struct instance *instance,
			      const struct extension_program *program, struct extension_wish *w)
{
	const struct instance_extension *before = engine_find_extension(op->head, instance->row.id, w->name);
	struct instance_extension next =
		before ? *before
		       : (struct instance_extension){.row.id = engine_new_id(op, KIND_INSTANCE_EXTENSION),
						     .row.gen = 1,
						     .account = instance->account,
						     .instance = instance->row.id,
						     .name = w->name,
						     .sequence = -1};
	w->extension = next.row.id;
	w->is_new = !before;
	if (before && is_same(before, w))
		return OK;
	next.publisher = str_from(program->publisher);
	next.type = is_kept_command(w->type) ? w->type : str_from(program->type);
	next.version = w->version;
	next.auto_upgrade = w->auto_upgrade;
	next.settings = w->settings;
	next.protected_settings = w->protected_settings;
	next.is_leaving = false;
	next.sequence++;
	next.status = INSTANCE_EXTENSION_STATUS_NONE;
	next.code = 0;
	next.message = STR_NONE;
	if (before)
		next.row.gen++;
	TRY(instance_extension_put(op, &next));
	TRY(count_goal(op, instance, w));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "extension set",
				"%" STR_FMT ", of %s.%s, for the %" PRId64 ". time.", STR_ARG(next.name),
				program->publisher, program->type, next.sequence + 1);
}

RESULT engine_set_extension(struct op *op, struct extension_wish *w)
{
	const struct instance *instance = NULL;
	const struct extension_program *program = NULL;
	const char *permission = w->permission ? w->permission : "instance_extension.set";
	TRY(check_wish(op, w));
	TRY(engine_permit_instance(op, &w->instance, permission, &instance));
	TRY(check_instance(op, instance, &w->instance));
	TRY(check_program(op, instance, w, &program));
	return write_extension(op, instance, program, w);
}

RESULT engine_delete_extension(struct op *op, struct extension_target *w)
{
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &w->instance, &instance));
	const struct instance_extension *e = engine_find_extension(op->head, instance->row.id, w->name);
	if (!e)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION, STR("vmExtensionName"),
				   "The VM has no extension '%" STR_FMT "'.",
				   STR_ARG(str_slice(w->name, 0, EXTENSION_NAME_MAX)));
	TRY(engine_permit(op, "instance_extension.delete", KIND_INSTANCE, &instance->row));
	TRY(check_instance(op, instance, &w->instance));
	w->extension = e->row.id;
	if (e->is_leaving)
		return OK;
	TRY(engine_log_event(op, KIND_INSTANCE, &instance->row, "extension deleted", "%" STR_FMT ".",
			     STR_ARG(e->name)));
	TRY(count_goal(op, instance, NULL));
	if (!e->handler_state.n)
		return instance_extension_forget(op, e->row.id);
	struct instance_extension next = *e;
	next.is_leaving = true;
	next.row.gen++;
	return instance_extension_put(op, &next);
}
