/* SPDX-License-Identifier: Apache-2.0
 * Explains the state of a row: since when, which condition or other row blocks the next step, and what to
 * do.
 */
#include "api/core/explain.h"

#include "base/clock.h"
#include "engine/capacity.h"
#include "engine/network/routing/gateway.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/nat_gateway.h"
#include "model/snapshot.h"
#include "model/states.h"
#include "model/volume.h"
#include "reconcile/reconcile.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/gateway.h"
#include "store/host.h"
#include "store/port.h"

enum { WORDS_SHOWN = 1000 };

/* ---- names ---- */

struct str explain_name_row(struct arena *a, const struct tables *t, enum kind kind, uuid id)
{
	const struct kind_info *info = &model_kinds[kind];
	if (*info->ec2_prefix)
		return id_to_ec2(a, kind, id);
	const struct row *row = tables_find(t, kind, id);
	for (unsigned k = 0; row && k < info->field_count; k++)
		if (strcmp(info->fields[k].name, "name") == 0)
			return row_field_to_text(a, &info->fields[k], row);
	return uuid_to_str(a, id);
}

/* Copies the start of text with line breaks and tabs as spaces: messages of libvirt may have several
 * lines. */
static struct str one_line(const struct explanation *e, struct str text)
{
	struct str cut = str_copy(e->arena, str_slice(text, 0, WORDS_SHOWN));
	char *at = (char *) cut.p;
	for (size_t k = 0; at && k < cut.n; k++)
		if (at[k] == '\n' || at[k] == '\r' || at[k] == '\t')
			at[k] = ' ';
	return cut;
}

struct str explain_time(const struct explanation *e, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	return str_copy(e->arena, str_from(clock_write_s(time_us, text)));
}

/* ---- its state ---- */

const char *explain_state(const struct explanation *e)
{
	const struct kind_info *info = &model_kinds[e->kind];
	if (model_tells_state(e->kind))
		return info->states[model_derive_state(e->kind, e->row)].name;
	if (!row_is_live(e->row))
		return "deleting";
	if (e->kind == KIND_IMAGE)
		return info->states[engine_derive_image_state(e->t, image_of(e->row))].name;
	if (e->kind == KIND_HOST)
		return host_seen_state_words[host_of(e->row)->seen_state];
	return "present";
}

static int64_t later(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* Time of the last change of state; 0: the row does not say. A guest that went off although wanted on
 * (host maintenance, host reboot, crash) keeps the time of its last start. Such an instance is pending
 * since stopped_us, and the row does not record when it ran again. */
static int64_t instance_since_us(const struct instance *i)
{
	switch (model_derive_instance_state(i)) {
	case INSTANCE_STOPPING:
	case INSTANCE_SUSPENDING:
		return i->off_since_us;
	case INSTANCE_STOPPED:
	case INSTANCE_SUSPENDED:
	case INSTANCE_TERMINATED:
		return i->stopped_us;
	case INSTANCE_PENDING:
		return later(i->launched_us, i->stopped_us);
	case INSTANCE_RUNNING:
		return i->stopped_us > i->launched_us ? 0 : i->launched_us;
	case INSTANCE_DESTROYED:
		return i->destroyed_us;
	case INSTANCE_SHUTTING_DOWN:
		return i->row.deleted_us;
	case INSTANCE_RESCUED:
	case INSTANCE_SHELVED:
	case INSTANCE_SHELVED_OFFLOADED:
	case INSTANCE_PAUSED:
	case INSTANCE_ERROR:
	case INSTANCE_STATE_COUNT:
		break;
	}
	return 0;
}

/* Time of the last change of state; 0: the row does not say. */
int64_t explain_since_us(const struct explanation *e)
{
	const struct row *row = e->row;
	if (e->kind == KIND_INSTANCE)
		return instance_since_us(instance_of(row));
	if (!row_is_live(row))
		return row->deleted_us;
	if (e->kind == KIND_HOST)
		return host_of(row)->seen_since_us;
	if (e->kind == KIND_VOLUME && model_derive_volume_state(volume_of(row)) == VOLUME_IN_USE)
		return volume_of(row)->attached_us;
	if (e->kind == KIND_PORT && model_derive_port_state(port_of(row)) == PORT_IN_USE)
		return port_of(row)->attached_us;
	bool is_as_made = row->updated_us == row->created_us || !model_kinds[e->kind].states;
	return is_as_made ? row->created_us : 0;
}

/* ---- what is in its way ---- */

static const struct condition *first_condition(const struct tables *t, uuid subject)
{
	const struct condition *c = condition_first_by_subject(t, subject);
	while (c && !row_is_live(&c->row))
		c = condition_next_by_subject(t, c);
	return c;
}

static void wait_for(struct explanation *e, enum kind kind, const struct row *row, const char *because)
{
	e->waits_for_kind = kind;
	e->waits_for = row;
	e->obstacle = first_condition(e->t, row->id);
	e->because = str_from(because);
}

static const char *why_not_ready(const struct volume *v, const struct instance *i)
{
	if (!v->is_shared && !uuid_is_none(v->seen_instance) && !uuid_equal(v->seen_instance, i->row.id))
		return "another instance has it still.";
	if (v->seen_size == 0)
		return "its disk is not made yet.";
	if (v->is_shared && !v->is_raw)
		return "its disk gets the form in which several instances can have it.";
	if (!uuid_equal(v->seen_host, i->host))
		return "its disk is not on the instance's host yet.";
	return "its disk has not its size yet.";
}

/* Finds the volume that an instance waits for. An instance has no condition while its volumes are being
 * made. */
static void find_awaited_volume(struct explanation *e)
{
	const struct instance *i = e->kind == KIND_INSTANCE ? instance_of(e->row) : NULL;
	const struct volume *v = i ? reconciler_find_awaited_volume(e->t, i) : NULL;
	if (v)
		wait_for(e, KIND_VOLUME, &v->row, why_not_ready(v, i));
}

/* Finds the host that is down. The host has the condition, not the rows on it. */
static void find_absent_host(struct explanation *e)
{
	uuid id = UUID_NONE;
	if (e->kind == KIND_INSTANCE)
		id = instance_of(e->row)->host;
	else if (e->kind == KIND_VOLUME)
		id = volume_of(e->row)->host;
	else if (e->kind == KIND_SNAPSHOT)
		id = snapshot_of(e->row)->host;
	const struct host *host = uuid_is_none(id) ? NULL : host_find(e->t, id);
	if (host && host->seen_state == HOST_SEEN_STATE_DOWN)
		wait_for(e, KIND_HOST, &host->row, "it does not answer.");
}

static const struct port *first_port(const struct tables *t, uuid instance)
{
	const struct port *p = port_first_by_instance(t, instance);
	while (p && !(row_is_live(&p->row) && p->device_index == 0))
		p = port_next_by_instance(t, p);
	return p;
}

/* Finds the internet gateway that has no external network. A port that waits for a public address has no
 * condition; the gateway has. */
static void find_gateway_nowhere(struct explanation *e)
{
	const struct port *p = e->kind == KIND_PORT       ? port_of(e->row)
			       : e->kind == KIND_INSTANCE ? first_port(e->t, e->row->id)
							  : NULL;
	if (!p || !p->wants_public_ip || uuid_is_none(p->router) || address_first_by_port(e->t, p->row.id))
		return;
	const struct gateway *gateway = gateway_first_by_router(e->t, p->router);
	if (gateway && condition_find_by_subject(e->t, gateway->row.id, STR(GATEWAY_NO_WAY_OUT)))
		wait_for(e, KIND_GATEWAY, &gateway->row, "");
}

static void find_failure(struct explanation *e)
{
	const struct nat_gateway *nat = e->kind == KIND_NAT_GATEWAY ? nat_gateway_of(e->row) : NULL;
	if (!nat || !nat->failure_code.n)
		return;
	e->because = str_print(e->arena, "%" STR_FMT ": %" STR_FMT, STR_ARG(nat->failure_code),
			       STR_ARG(nat->failure_text));
	e->what_to_do = "Delete it, and make another one once that is put right.";
}

/* Lists the row's capacities that are nearly exhausted. */
static void find_running_out(struct explanation *e)
{
	struct arena *a = e->arena;
	for (enum capacity c = 0; c < CAPACITY_COUNT; c++) {
		struct capacity_use use;
		if (engine_capacities[c].of != e->kind || !row_is_live(e->row))
			continue;
		engine_read_capacity(e->t, c, e->row, &use);
		if (!engine_is_running_out(&use))
			continue;
		struct str words = engine_write_capacity(a, c, &use);
		e->because = e->because.n ? str_print(a, "%" STR_FMT "; %" STR_FMT, STR_ARG(e->because),
						      STR_ARG(words))
					  : words;
		if (!e->what_to_do)
			e->what_to_do = engine_capacities[c].advice;
	}
}

static void find_obstacle(struct explanation *e)
{
	for (const struct condition *c = condition_first_by_subject(e->t, e->row->id); c;
	     c = condition_next_by_subject(e->t, c)) {
		if (!row_is_live(&c->row))
			continue;
		if (e->obstacle)
			e->further++;
		else
			e->obstacle = c;
	}
	if (!e->obstacle)
		find_awaited_volume(e);
	if (!e->obstacle && !e->waits_for)
		find_absent_host(e);
	if (!e->obstacle && !e->waits_for)
		find_gateway_nowhere(e);
	if (!e->obstacle && !e->waits_for)
		find_failure(e);
	if (!e->obstacle && !e->waits_for)
		find_running_out(e);
}

bool explain_is_obstructed(const struct explanation *e)
{
	return e->obstacle || e->waits_for || e->because.n;
}

struct str explain_obstacle(const struct explanation *e)
{
	struct arena *a = e->arena;
	struct str words = e->because, of = STR_NONE;
	if (e->obstacle)
		words = str_print(a, "%" STR_FMT " since %" STR_FMT ": %" STR_FMT, STR_ARG(e->obstacle->name),
				  STR_ARG(explain_time(e, e->obstacle->row.created_us)),
				  STR_ARG(one_line(e, e->obstacle->message)));
	if (e->waits_for)
		of = str_print(a, "Its %s %" STR_FMT ": ", model_kinds[e->waits_for_kind].name,
			       STR_ARG(explain_name_row(a, e->t, e->waits_for_kind, e->waits_for->id)));
	return str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(of), STR_ARG(words));
}

/* ---- what happens next, and what to do ---- */

static struct str next_words(const struct explanation *e, enum kind kind, uuid id)
{
	struct arena *a = e->arena;
	struct reconcile_next next = {0};
	reconciler_read_next(e->reconciler, kind, id, &next);
	if (!next.has_steps)
		return STR("Never: nothing of it exists on a host or in the network, or it is part of "
			   "another resource.");
	if (next.is_now)
		return next.failures ? str_print(a, "Now, after %u failures.", next.failures) : STR("Now.");
	if (next.due_us)
		return str_print(a, next.failures ? "%" STR_FMT ", after %u failures." : "%" STR_FMT ".",
				 STR_ARG(explain_time(e, next.due_us)), next.failures);
	if (next.failures)
		return STR("When its host answers.");
	return str_print(a, "At its next change; at the latest %" STR_FMT ", by the periodic check.",
			 STR_ARG(explain_time(e, next.look_us)));
}

struct str explain_next_try(const struct explanation *e)
{
	if (!e->waits_for)
		return next_words(e, e->kind, e->row->id);
	return str_print(e->arena, "After its %s, which is looked at: %" STR_FMT,
			 model_kinds[e->waits_for_kind].name,
			 STR_ARG(next_words(e, e->waits_for_kind, e->waits_for->id)));
}

struct str explain_advice(const struct explanation *e)
{
	if (e->obstacle && e->obstacle->advice.n)
		return one_line(e, e->obstacle->advice);
	if (e->obstacle || e->waits_for)
		return STR("Wait: it goes on by itself.");
	return e->what_to_do ? str_from(e->what_to_do) : STR_NONE;
}

void explain_begin(struct explanation *e)
{
	find_obstacle(e);
}
