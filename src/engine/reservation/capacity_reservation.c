/* SPDX-License-Identifier: Apache-2.0
 * Capacity reservations: creation, changes, cancellation, and the choice of a unit for an instance. Called by:
 * api/ec2/compute/capacity_reservations.c and launches (launch_placement.c). Units that come back: capacity_follow.c. */
#include "engine/acting.h"
#include "engine/reservation/capacity_preference.h"
#include "engine/reservation/capacity_reservation_internal.h"

#include <inttypes.h>

#include "engine/client_token_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/quota_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/tag_internal.h"
#include "model/zone.h"
#include "store/capacity_reservation.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"

/* ---- matching ---- */

/* A type of the same name that was made anew may have another size. */
static bool is_of_kind(const struct capacity_reservation *r, const struct capacity_match *m)
{
	return m->type && str_equal(r->type, m->type->name) && r->vcpus == m->type->vcpus &&
	       r->memory == m->type->memory && uuid_equal(r->zone, m->zone) &&
	       (int) r->platform == (int) m->platform;
}

static bool has_ended(const struct capacity_reservation *r, int64_t now_us)
{
	return !row_is_live(&r->row) || (r->end_us && now_us >= r->end_us);
}

static bool matches(const struct capacity_reservation *r, const struct capacity_match *m)
{
	if (!row_is_live(&r->row) || !uuid_equal(r->account, m->account) || !is_of_kind(r, m))
		return false;
	return uuid_is_none(m->target) ? !r->is_targeted : uuid_equal(m->target, r->row.id);
}

bool capacity_is_required(const struct capacity_match *m)
{
	return !uuid_is_none(m->target) ||
	       m->preference == INSTANCE_CAPACITY_PREFERENCE_CAPACITY_RESERVATIONS_ONLY;
}

static const struct capacity_reservation *next_match(const struct tables *t, const struct capacity_match *m,
						     const struct capacity_reservation *after)
{
	bool uses_any = m->preference != INSTANCE_CAPACITY_PREFERENCE_NONE &&
			tables_count(t, KIND_CAPACITY_RESERVATION) > 0;
	const struct capacity_reservation *r = !uses_any ? NULL
					       : after   ? capacity_reservation_next_by_account(t, after)
						       : capacity_reservation_first_by_account(t, m->account);
	while (r && !(matches(r, m) && r->hosts.count > 0))
		r = capacity_reservation_next_by_account(t, r);
	return r;
}

int64_t capacity_count_free(const struct tables *t, const struct capacity_match *m)
{
	int64_t count = 0;
	for (const struct capacity_reservation *r = next_match(t, m, NULL); r; r = next_match(t, m, r))
		count += (int64_t) r->hosts.count;
	return count;
}

uuid capacity_find_free(const struct tables *t, const struct capacity_match *m)
{
	const struct capacity_reservation *r = next_match(t, m, NULL);
	return r ? r->row.id : UUID_NONE;
}

/* NULL: the reservation has no free unit on a host that suits. */
static const struct host *find_host(const struct tables *t, const struct capacity_reservation *r,
				    const struct placement *p)
{
	struct placement_need need = p->need;
	need.freed_vcpus = r->vcpus;
	need.freed_memory = r->memory;
	for (size_t k = 0; k < r->hosts.count; k++) {
		const struct host *host = host_find(t, r->hosts.at[k]);
		bool is_known = k > 0 && uuid_equal(r->hosts.at[k], r->hosts.at[k - 1]);
		if (host && !is_known && placement_check(p, &need, host) == PLACEMENT_FITS)
			return host;
	}
	return NULL;
}

struct capacity_unit capacity_find_unit(const struct tables *t, const struct capacity_match *m,
					const struct placement *p)
{
	for (const struct capacity_reservation *r = next_match(t, m, NULL); r; r = next_match(t, m, r)) {
		const struct host *host = find_host(t, r, p);
		if (host)
			return (struct capacity_unit){r->row.id, host};
	}
	return (struct capacity_unit){0};
}

RESULT capacity_fail(struct op *op)
{
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_CAPACITY_RESERVATION,
			     "The requested reservation does not have sufficient compatible and available "
			     "capacity for this request.");
}

/* ---- units ---- */

/* Index of the unit to take. */
static size_t choose_unit(const struct tables *t, const struct capacity_reservation *r, uuid host)
{
	size_t idle = 0;
	const struct placement_need nothing = {0};
	for (size_t k = 0; k < r->hosts.count; k++) {
		const struct host *each = host_find(t, r->hosts.at[k]);
		if (uuid_equal(r->hosts.at[k], host))
			return k;
		if (!each || placement_check_host(each, &nothing) != PLACEMENT_FITS)
			idle = k;
	}
	return idle;
}

RESULT capacity_take(struct op *op, uuid reservation, uuid host)
{
	const struct capacity_reservation *r = capacity_reservation_find(op->head, reservation);
	if (!r || !r->hosts.count)
		return FAIL(INTERNAL);
	struct capacity_reservation next = *r;
	uuid *hosts = arena_new_array(op->ctx->arena, uuid, r->hosts.count);
	size_t taken = choose_unit(op->head, r, host);
	if (!hosts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0, n = 0; k < r->hosts.count; k++)
		if (k != taken)
			hosts[n++] = r->hosts.at[k];
	next.hosts = (struct uuids){hosts, r->hosts.count - 1};
	return capacity_reservation_put(op, &next);
}

int64_t engine_count_capacity_used(const struct tables *t, uuid reservation)
{
	int64_t count = 0;
	for (const struct instance *i = instance_first_by_capacity_reservation(t, reservation); i;
	     i = instance_next_by_capacity_reservation(t, i))
		count += model_derive_instance_state(i) != INSTANCE_TERMINATED;
	return count;
}

/* ---- instances that are there ---- */

static struct capacity_match match_of(const struct tables *t, const struct instance *i)
{
	return (struct capacity_match){.account = i->account,
				       .zone = i->zone,
				       .type = instance_type_find(t, i->type),
				       .platform = i->platform,
				       .preference = i->capacity_preference,
				       .target = i->capacity_target};
}

/* Spot instances, and those that choose their hosts by a tenancy, use no reservation. */
static bool may_use(const struct instance *i)
{
	return row_is_live(&i->row) && uuid_is_none(i->capacity_reservation) &&
	       uuid_is_none(i->spot_request) && i->tenancy == INSTANCE_TENANCY_DEFAULT;
}

RESULT capacity_enter(struct op *op, struct instance *next)
{
	const struct capacity_match m = match_of(op->head, next);
	if (!may_use(next) || uuid_is_none(next->host)) /* without a host it has no room to give */
		return OK;
	uuid reservation = capacity_find_free(op->head, &m);
	if (uuid_is_none(reservation))
		return capacity_is_required(&m) ? capacity_fail(op) : OK;
	next->capacity_reservation = reservation;
	return capacity_take(op, reservation, next->host);
}

/* Makes matching instances of the account use the reservation, up to its count. *ret_count: how many. */
static RESULT enter_running(struct op *op, const struct capacity_reservation *r, int64_t most,
			    int64_t *ret_count)
{
	VEC(uuid) ids = {0};
	*ret_count = 0;
	for (const struct instance *i = instance_first_by_account(op->head, r->account);
	     i && !r->is_targeted && (int64_t) ids.count < most; i = instance_next_by_account(op->head, i)) {
		const struct capacity_match m = match_of(op->head, i);
		if (may_use(i) && !uuid_is_none(i->host) && i->wanted_power == INSTANCE_WANTED_POWER_ON &&
		    i->capacity_preference != INSTANCE_CAPACITY_PREFERENCE_NONE && matches(r, &m) &&
		    !VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
	}
	for (size_t k = 0; k < ids.count; k++) {
		struct instance next = *instance_find(op->head, ids.at[k]);
		next.capacity_reservation = r->row.id;
		TRY(instance_put(op, &next));
	}
	*ret_count = (int64_t) ids.count;
	return OK;
}

/* ---- creation ---- */

static RESULT check_count(struct op *op, int64_t count)
{
	if (count >= 1 && count <= CAPACITY_UNITS_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_CAPACITY_RESERVATION, STR("InstanceCount"),
			   "InstanceCount is between 1 and %d.", CAPACITY_UNITS_MAX);
}

static RESULT check_end(struct op *op, int64_t end_us)
{
	if (!end_us || end_us > op->now_us)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_CAPACITY_RESERVATION, STR("EndDate"),
			   "The end date of a capacity reservation is in the future.");
}

/* Units count like instances, as in EC2: an instance that takes one needs nothing more. */
static RESULT check_quotas(struct op *op, const struct capacity_reservation *r, int64_t more)
{
	if (more <= 0)
		return OK;
	TRY(quota_check(op, r->account, QUOTA_INSTANCES, more));
	TRY(quota_check(op, r->account, QUOTA_VCPUS, more * r->vcpus));
	return quota_check(op, r->account, QUOTA_MEMORY, more * r->memory);
}

/* Fills the reservation: with running instances, then with room. */
static RESULT fill(struct op *op, uuid id)
{
	const struct capacity_reservation *r = capacity_reservation_find(op->head, id);
	int64_t entered = 0, missing = 0;
	int64_t has = (int64_t) r->hosts.count + engine_count_capacity_used(op->head, id);
	TRY(enter_running(op, r, r->count - has, &entered));
	TRY(check_quotas(op, r, r->count - has - entered));
	TRY(capacity_place(op, id, &missing));
	if (missing == 0)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_INSTANCE,
			     "There is no room in the zone for %" PRId64 " of %" PRId64
			     " instances of type %" STR_FMT ".",
			     missing, r->count, STR_ARG(r->type));
}

static RESULT create(struct op *op, struct capacity_wish *wish, uuid account)
{
	const struct zone *zone = NULL;
	const struct instance_type *type = NULL;
	TRY(check_count(op, wish->count));
	TRY(check_end(op, wish->end_us));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(instance_find_offered_type(op, &wish->type, &type));
	TRY(offered_check_zone(op, KIND_INSTANCE_TYPE, type->name, &type->zones, zone->row.id,
			       wish->type.field));
	struct capacity_reservation r = {.row.gen = 1,
					 .account = account,
					 .type = type->name,
					 .platform = wish->platform,
					 .zone = zone->row.id,
					 .count = wish->count,
					 .is_targeted = wish->is_targeted,
					 .ebs_optimized = wish->ebs_optimized,
					 .ephemeral_storage = wish->ephemeral_storage,
					 .end_us = wish->end_us,
					 .vcpus = type->vcpus,
					 .memory = type->memory,
					 .client_token = wish->client_token};
	TRY(tag_normalize(op, wish->tags, &r.tags));
	TRY(engine_permit_new(op, "capacity_reservation.create", KIND_CAPACITY_RESERVATION, &r.row));
	TRY(limit_check(op, LIMIT_CAPACITY_RESERVATIONS, account, 1, STR_NONE));
	r.row.id = wish->made = engine_new_id(op, KIND_CAPACITY_RESERVATION);
	TRY(capacity_reservation_put(op, &r));
	TRY(fill(op, wish->made));
	TRY(client_token_write(op, account, wish->client_token, wish->digest, wish->made));
	return engine_log_event(op, KIND_CAPACITY_RESERVATION, &r.row, "created",
				"Room for %" PRId64 " instances of type %" STR_FMT ".", r.count,
				STR_ARG(r.type));
}

RESULT engine_create_capacity_reservation(struct op *op, struct capacity_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_CAPACITY_RESERVATION,
				   &wish->made));
	return uuid_is_none(wish->made) ? create(op, wish, account) : OK;
}

/* ---- changes ---- */

/* Gives up free units beyond the count, the last placed first. */
static RESULT shrink(struct op *op, struct capacity_reservation *next, const struct ref *ref)
{
	int64_t used = engine_count_capacity_used(op->head, next->row.id);
	if (used > next->count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_CAPACITY_RESERVATION, STR("InstanceCount"),
				   "The capacity reservation '%" STR_FMT "' is used by %" PRId64
				   " instances: it cannot have fewer units.",
				   STR_ARG(ref->text), used);
	if (used + (int64_t) next->hosts.count > next->count)
		next->hosts.count = (size_t) (next->count - used);
	return OK;
}

RESULT engine_update_capacity_reservation(struct op *op, struct capacity_settings *wish)
{
	const struct capacity_reservation *r = NULL;
	TRY(engine_permit_capacity_reservation(op, &wish->reservation, "capacity_reservation.update", &r));
	struct capacity_reservation next = *r;
	if (wish->count)
		TRY(check_count(op, wish->count));
	if (wish->set_end)
		TRY(check_end(op, wish->end_us));
	next.count = wish->count ? wish->count : r->count;
	next.end_us = wish->set_end ? wish->end_us : r->end_us;
	choice_apply(wish->is_targeted, &next.is_targeted);
	TRY(shrink(op, &next, &wish->reservation));
	if (row_equal(&model_kinds[KIND_CAPACITY_RESERVATION], &r->row, &next.row))
		return OK;
	bool grows = next.count > r->count;
	next.row.gen++;
	TRY(capacity_reservation_put(op, &next));
	if (grows)
		TRY(fill(op, next.row.id));
	return engine_log_event(op, KIND_CAPACITY_RESERVATION, &next.row, "changed",
				"Room for %" PRId64 " instances.", next.count);
}

RESULT engine_cancel_capacity_reservation(struct op *op, struct capacity_target *wish)
{
	const struct capacity_reservation *r = NULL;
	TRY(engine_permit_capacity_reservation(op, &wish->reservation, "capacity_reservation.cancel", &r));
	return capacity_end(op, r, false);
}

/* ---- what an instance prefers ---- */

/* As in EC2, a named reservation has to suit the instance only when the instance starts. */
static RESULT resolve_target(struct op *op, const struct capacity_preferring *wish, struct instance *next)
{
	const struct capacity_reservation *r = NULL;
	next->capacity_preference = wish->preference;
	next->capacity_target = UUID_NONE;
	if (!ref_is_given(&wish->target))
		return OK;
	TRY(engine_permit_capacity_reservation(op, &wish->target, "instance.set_capacity", &r));
	next->capacity_target = r->row.id;
	return OK;
}

static bool still_uses(const struct tables *t, const struct instance *next)
{
	const struct capacity_reservation *r =
		uuid_is_none(next->capacity_reservation)
			? NULL
			: capacity_reservation_find(t, next->capacity_reservation);
	const struct capacity_match m = match_of(t, next);
	return r && next->capacity_preference != INSTANCE_CAPACITY_PREFERENCE_NONE && matches(r, &m);
}

RESULT engine_set_capacity_preference(struct op *op, struct capacity_preferring *wish)
{
	const struct instance *i = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.set_capacity", &i));
	TRY(instance_check_changeable(op, i, wish->instance.field));
	if (model_derive_instance_state(i) != INSTANCE_STOPPED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' is not in the 'stopped' state.",
				   STR_ARG(wish->instance.text));
	struct instance next = *i;
	TRY(resolve_target(op, wish, &next));
	if (!still_uses(op->head, &next))
		next.capacity_reservation = UUID_NONE;
	const struct capacity_match m = match_of(op->head, &next);
	if (!uuid_is_none(next.host) && !uuid_is_none(capacity_find_free(op->head, &m)))
		TRY(capacity_enter(op, &next));
	if (row_equal(&model_kinds[KIND_INSTANCE], &i->row, &next.row))
		return OK;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "changed",
				"Which capacity reservations it uses was changed.");
}

/* ---- turns ---- */

enum capacity_turn engine_find_capacity_turn(const struct tables *t, const struct capacity_reservation *r,
					     int64_t now_us, int64_t *ret_due_us)
{
	const struct placement_need nothing = {0};
	*ret_due_us = INT64_MAX;
	if (!row_is_live(&r->row))
		return CAPACITY_WAIT;
	if (has_ended(r, now_us))
		return CAPACITY_EXPIRE;
	*ret_due_us = r->end_us ? r->end_us : INT64_MAX;
	if ((int64_t) r->hosts.count + engine_count_capacity_used(t, r->row.id) < r->count)
		return CAPACITY_PLACE;
	for (size_t k = 0; k < r->hosts.count; k++) {
		const struct host *host = host_find(t, r->hosts.at[k]);
		if (!host || placement_check_host(host, &nothing) != PLACEMENT_FITS)
			return CAPACITY_PLACE;
	}
	return CAPACITY_WAIT;
}
