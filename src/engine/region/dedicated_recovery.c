/* SPDX-License-Identifier: Apache-2.0
 * Recovery of dedicated hosts: another machine of the zone is allocated with the same settings, under an id
 * of its own, and the instances that can leave the old machine move there. Source: EC2's user guide, "How
 * Amazon EC2 Dedicated Host recovery works". Called by: engine/instance/placement/instance_evacuate.c. */
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/dedicated_host_internal.h"
#include "store/dedicated_host.h"
#include "store/host.h"
#include "store/instance_type.h"

/* True if everything on the old machine fits on this one, too. */
static bool has_room_for_all(const struct host *host, const struct host *old)
{
	const struct host_usage *use = host_usage(old);
	const struct placement_need need = {.vcpus = use->vcpus, .memory = use->memory};
	return placement_check_room(host, &need) == PLACEMENT_FITS;
}

static const struct host *choose(const struct tables *t, const struct dedicated_host *dedicated,
				 const struct instance *instance)
{
	const struct instance_type *type = instance_type_find(t, instance->type);
	const struct host *old = host_find(t, dedicated->host), *some = NULL;
	struct placement_need need;
	instance_get_need(t, instance, &need);
	for (const struct host *h = host_first_by_zone(t, dedicated->zone); h && old;
	     h = host_next_by_zone(t, h)) {
		if (!dedicated_host_is_free(t, h, dedicated->account, type) ||
		    placement_check_host(h, &need) != PLACEMENT_FITS || !placement_sees_pools(t, &need, h))
			continue;
		if (has_room_for_all(h, old))
			return h;
		some = some ? some : h;
	}
	return some;
}

RESULT dedicated_host_replace(struct op *op, const struct dedicated_host *dedicated,
			      const struct instance *instance)
{
	const struct dedicated_host *has = dedicated_host_find(op->head, dedicated->replacement);
	bool wants_one = dedicated->recovers && !(has && row_is_live(&has->row));
	const struct host *host = wants_one ? choose(op->head, dedicated, instance) : NULL;
	if (!host)
		return OK;
	struct dedicated_host made = *dedicated, next = *dedicated;
	made.row = (struct row){.id = engine_new_id(op, KIND_DEDICATED_HOST), .gen = 1};
	made.host = host->row.id;
	made.client_token = STR_NONE;
	TRY(dedicated_host_put(op, &made));
	next.has_failed = true;
	next.replacement = made.row.id;
	next.row.gen++;
	TRY(dedicated_host_put(op, &next));
	TRY(engine_log_event(op, KIND_DEDICATED_HOST, &made.row, "allocated",
			     "Host %" STR_FMT ", in place of %" STR_FMT ", whose machine failed.",
			     STR_ARG(host->name),
			     STR_ARG(engine_write_id(op, KIND_DEDICATED_HOST, next.row.id))));
	return engine_log_event(op, KIND_DEDICATED_HOST, &next.row, "failed",
				"Its machine is off. %" STR_FMT " takes its place.",
				STR_ARG(engine_write_id(op, KIND_DEDICATED_HOST, made.row.id)));
}

RESULT dedicated_host_fail(struct op *op, uuid host)
{
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, host);
	if (!dedicated)
		return OK;
	struct dedicated_host next = *dedicated;
	next.has_failed = true;
	TRY(dedicated_host_put(op, &next));
	return dedicated_host_leave(op, host);
}

RESULT dedicated_host_leave(struct op *op, uuid host)
{
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, host);
	const struct host *machine = host_find(op->head, host);
	if (!dedicated || !machine || !dedicated->has_failed || host_usage(machine)->instances > 0)
		return OK;
	TRY(engine_log_event(op, KIND_DEDICATED_HOST, &dedicated->row, "released",
			     "Nothing is on it any more, and its machine failed."));
	return dedicated_host_end(op, dedicated);
}
