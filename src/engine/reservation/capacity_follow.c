/* SPDX-License-Identifier: Apache-2.0
 * Finds room for units of capacity reservations: for those that an instance gave back, those on hosts that take no
 * instances any more, and missing ones. Also ends reservations. Called by: engine/meters.c, after each change of an
 * instance, and reconcile/launch/capacity_reservation.c. */
#include <inttypes.h>

#include "engine/internal.h"
#include "engine/reservation/capacity_reservation_internal.h"
#include "engine/tombstone.h"
#include "model/states.h"
#include "store/capacity_reservation.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"

/* ---- placing ---- */

static struct placement_need need_of(const struct tables *t, const struct capacity_reservation *r)
{
	return (struct placement_need){.zone = r->zone,
				       .arch = INSTANCE_TYPE_ARCH_X86_64,
				       .vcpus = r->vcpus,
				       .memory = r->memory,
				       .type = instance_type_find_by_name(t, r->type),
				       .account = r->account};
}

static RESULT put_hosts(struct op *op, const struct capacity_reservation *r, uuid *hosts, size_t count)
{
	struct capacity_reservation next = *r;
	next.hosts = (struct uuids){hosts, count};
	return capacity_reservation_put(op, &next);
}

static RESULT copy_hosts(struct op *op, const struct capacity_reservation *r, uuid **ret_hosts)
{
	*ret_hosts = arena_new_array(op->ctx->arena, uuid, (size_t) CAPACITY_UNITS_MAX + 1);
	if (!*ret_hosts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < r->hosts.count; k++)
		(*ret_hosts)[k] = r->hosts.at[k];
	return OK;
}

/* Each unit is put before the next one is placed, so that placement sees it. */
RESULT capacity_place(struct op *op, uuid reservation, int64_t *ret_missing)
{
	const struct capacity_reservation *r = capacity_reservation_find(op->head, reservation);
	const struct placement_need need = need_of(op->head, r);
	struct placement placement;
	uuid *hosts = NULL;
	size_t count = r->hosts.count;
	int64_t used = engine_count_capacity_used(op->head, reservation);
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	TRY(copy_hosts(op, r, &hosts));
	*ret_missing = r->count - used - (int64_t) count;
	while (*ret_missing > 0) {
		const struct host *host = placement_next(&placement);
		if (!host)
			return OK;
		hosts[count++] = host->row.id;
		TRY(put_hosts(op, capacity_reservation_find(op->head, reservation), hosts, count));
		--*ret_missing;
	}
	return OK;
}

/* ---- units that come back ---- */

static RESULT place_on(struct op *op, const struct capacity_reservation *r, uuid host)
{
	uuid *hosts = NULL;
	TRY(copy_hosts(op, r, &hosts));
	hosts[r->hosts.count] = host;
	return put_hosts(op, r, hosts, r->hosts.count + 1);
}

/* Prefers the host where the instance was: if the instance has ended, its room is free there. */
static RESULT give_back(struct op *op, const struct capacity_reservation *r, uuid from)
{
	const struct placement_need need = need_of(op->head, r);
	const struct host *host = uuid_is_none(from) ? NULL : host_find(op->head, from);
	struct placement placement = {.tables = op->head, .need = need};
	int64_t missing = 0;
	if ((int64_t) r->hosts.count + engine_count_capacity_used(op->head, r->row.id) >= r->count)
		return OK;
	if (host && placement_check(&placement, &need, host) == PLACEMENT_FITS)
		return place_on(op, r, from);
	TRY(capacity_place(op, r->row.id, &missing));
	if (missing == 0)
		return OK;
	return engine_log_event(op, KIND_CAPACITY_RESERVATION, &r->row, "lacks room",
				"An instance has left it, and no host has room for its unit.");
}

static bool holds_unit(const struct instance *i)
{
	return i && !uuid_is_none(i->capacity_reservation) &&
	       model_derive_instance_state(i) != INSTANCE_TERMINATED;
}

RESULT capacity_follow_instance(struct op *op, const struct instance *before, const struct instance *after)
{
	if (!holds_unit(before) ||
	    (holds_unit(after) && uuid_equal(before->capacity_reservation, after->capacity_reservation)))
		return OK;
	const struct capacity_reservation *r =
		capacity_reservation_find(op->head, before->capacity_reservation);
	return r && row_is_live(&r->row) ? give_back(op, r, before->host) : OK;
}

/* ---- units that move ---- */

/* Leaves out the units on the host; none: on hosts that take no instances. */
static size_t keep_units(const struct tables *t, uuid host, uuid *hosts, size_t count)
{
	const struct placement_need nothing = {0};
	size_t kept = 0;
	for (size_t k = 0; k < count; k++) {
		const struct host *each = host_find(t, hosts[k]);
		bool is_good =
			each && (uuid_is_none(host) ? placement_check_host(each, &nothing) == PLACEMENT_FITS
						    : !uuid_equal(hosts[k], host));
		if (is_good)
			hosts[kept++] = hosts[k];
	}
	return kept;
}

/* Appends those of the hosts that take no instances, up to `most`, for units that wait where they were. */
static size_t add_idle(const struct tables *t, const struct uuids *before, int64_t most, uuid *hosts,
		       size_t count)
{
	for (size_t k = 0; k < before->count && most > 0; k++) {
		uuid each = before->at[k];
		if (!host_find(t, each) || keep_units(t, UUID_NONE, &each, 1))
			continue;
		hosts[count++] = each;
		most--;
	}
	return count;
}

/* Finds room for missing units, and for those on hosts that take no instances. A unit that finds none waits where it is,
 * and nothing is written if all do: the step that asks for this runs again after each change. */
static RESULT improve(struct op *op, uuid id)
{
	const struct capacity_reservation *r = capacity_reservation_find(op->head, id);
	struct op_place place = op_place_now(op);
	const struct uuids before = r->hosts;
	uuid *hosts = NULL;
	int64_t missing = 0;
	int64_t lacks = r->count - engine_count_capacity_used(op->head, id);
	TRY(copy_hosts(op, r, &hosts));
	size_t kept = keep_units(op->head, UUID_NONE, hosts, before.count);
	TRY(put_hosts(op, r, hosts, kept));
	TRY(capacity_place(op, id, &missing));
	if (missing == lacks - (int64_t) kept) {
		op_go_back(op, place);
		return OK;
	}
	r = capacity_reservation_find(op->head, id);
	TRY(copy_hosts(op, r, &hosts));
	return put_hosts(op, r, hosts, add_idle(op->head, &before, missing, hosts, r->hosts.count));
}

static RESULT leave(struct op *op, uuid id, uuid host)
{
	const struct capacity_reservation *r = capacity_reservation_find(op->head, id);
	uuid *hosts = NULL;
	int64_t missing = 0;
	TRY(copy_hosts(op, r, &hosts));
	TRY(put_hosts(op, r, hosts, keep_units(op->head, host, hosts, r->hosts.count)));
	return capacity_place(op, id, &missing);
}

RESULT capacity_leave_host(struct op *op, uuid host)
{
	VEC(uuid) ids = {0};
	for (const struct capacity_reservation *r = capacity_reservation_first(op->head); r;
	     r = capacity_reservation_next(op->head, r))
		if (row_is_live(&r->row) && uuids_have(&r->hosts, host) &&
		    !VEC_PUSH(op->ctx->arena, &ids, r->row.id))
			return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < ids.count; k++)
		TRY(leave(op, ids.at[k], host));
	return OK;
}

/* ---- ends ---- */

RESULT capacity_end(struct op *op, const struct capacity_reservation *r, bool has_expired)
{
	struct capacity_reservation next = *r;
	size_t count = 0;
	next.has_expired = has_expired;
	next.hosts = (struct uuids){0};
	for (const struct instance *i = instance_first_by_capacity_reservation(op->head, r->row.id); i;
	     i = instance_next_by_capacity_reservation(op->head, i))
		count++;
	TRY(capacity_reservation_put(op, &next));
	TRY(engine_log_event(op, KIND_CAPACITY_RESERVATION, &next.row, has_expired ? "expired" : "cancelled",
			     "%zu instances go on with room of their own.", count));
	return tombstone_leave(op, KIND_CAPACITY_RESERVATION,
			       &capacity_reservation_find(op->head, next.row.id)->row,
			       CAPACITY_RESERVATION_INDEX_ACCOUNT);
}

RESULT engine_follow_capacity_reservation(struct op *op, struct capacity_following *wish)
{
	const struct capacity_reservation *r = capacity_reservation_find(op->head, wish->reservation);
	int64_t due_us = 0;
	if (!r)
		return OK;
	switch (engine_find_capacity_turn(op->head, r, op->now_us, &due_us)) {
	case CAPACITY_WAIT:
		return OK;
	case CAPACITY_EXPIRE:
		return capacity_end(op, r, true);
	case CAPACITY_PLACE:
		return improve(op, wish->reservation);
	}
	return FAIL(INTERNAL);
}
