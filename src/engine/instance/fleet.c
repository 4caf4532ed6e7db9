/* SPDX-License-Identifier: Apache-2.0
 * Fleets: several launches in one change, each of which can be undone by itself. Called by:
 * api/ec2/compute/fleets.c. */
#include "engine/instance/fleet.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "store/fleet.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/zone.h"

/* ---- order of overrides ---- */

struct choice_of {
	struct fleet_override *override;
	const struct instance_type *type; /* NULL: unknown type */
	size_t at;
};

static int compare_int(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_priorities(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	int order = compare_int(x->override->priority, y->override->priority);
	return order ? order : compare_int((int64_t) x->at, (int64_t) y->at);
}

/* Types have no prices, so the smaller type counts as the cheaper one. */
static int compare_sizes(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	int order = compare_int(!x->type, !y->type);
	if (!order && x->type && y->type)
		order = compare_int(x->type->vcpus, y->type->vcpus);
	if (!order && x->type && y->type)
		order = compare_int(x->type->memory, y->type->memory);
	return order ? order : compare_int((int64_t) x->at, (int64_t) y->at);
}

static RESULT order_overrides(struct op *op, const struct fleet_wish *wish, struct choice_of **ret_order)
{
	struct choice_of *order = arena_new_array(op->ctx->arena, struct choice_of, wish->count + 1);
	if (!order)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->count; k++) {
		struct fleet_override *o = &wish->overrides[k];
		order[k] =
			(struct choice_of){o, instance_type_find_by_name(op->head, o->launch.type.text), k};
	}
	qsort(order, wish->count, sizeof *order, wish->is_prioritized ? compare_priorities : compare_sizes);
	*ret_order = order;
	return OK;
}

/* ---- launching ---- */

struct launching {
	struct op *op;
	struct fleet_wish *wish;
	uuid fleet;
	int64_t left;                 /* in thousandths */
	const struct instance *first; /* first instance launched; NULL: none yet */
};

/* True if the failure concerns one override only. Others end the call. */
static bool is_its_own(enum err err)
{
	return engine_is_refusal(err) && err != ERR_DENIED;
}

static void tell(const struct launching *l, struct fleet_override *o, struct result result)
{
	l->wish->tell(l->wish->arg, result, &o->code, &o->message);
	ctx_clear_problem(l->op->ctx);
}

/* Applies single_type and single_zone relative to the first launched instance. False: the type differs. */
static bool suits_first(const struct launching *l, const struct choice_of *choice)
{
	struct instance_launch *launch = &choice->override->launch;
	if (!l->first)
		return true;
	if (l->wish->single_type && (!choice->type || !uuid_equal(choice->type->row.id, l->first->type)))
		return false;
	const struct zone *zone = zone_find(l->op->head, l->first->zone);
	if (l->wish->single_zone && zone)
		launch->zone =
			(struct ref){.kind = KIND_ZONE, .text = zone->name, .field = launch->zone.field};
	return true;
}

static RESULT launch_some(struct launching *l, const struct choice_of *choice)
{
	struct fleet_override *o = choice->override;
	struct op_place place = op_place_now(l->op);
	o->is_tried = true;
	if (o->code.n)
		return OK;
	int64_t wanted = (l->left + o->capacity - 1) / o->capacity;
	o->launch.fleet = l->fleet;
	o->launch.fleet_override = (int64_t) choice->at;
	o->launch.min_count = 1;
	o->launch.max_count = wanted < INSTANCE_LAUNCH_MAX ? wanted : INSTANCE_LAUNCH_MAX;
	struct result result = engine_create_instances(l->op, &o->launch);
	if (!result_is_ok(result) && !is_its_own(result.code))
		return result;
	if (!result_is_ok(result)) {
		op_go_back(l->op, place);
		o->launch.made = (struct uuids){0};
		tell(l, o, result);
		return OK;
	}
	int64_t count = (int64_t) o->launch.made.count;
	l->left -= count * o->capacity;
	if (!l->first && count)
		l->first = instance_find(l->op->head, o->launch.made.at[0]);
	if (count < wanted)
		tell(l, o,
		     ctx_fail_kind(l->op->ctx, ERR_CAPACITY, KIND_INSTANCE,
				   "There is room for %" PRId64 " of %" PRId64 " instances.", count, wanted));
	return OK;
}

/* Undoes all launches, because they do not reach min_target. */
static void take_back(struct launching *l, struct op_place place)
{
	op_go_back(l->op, place);
	for (size_t k = 0; k < l->wish->count; k++) {
		struct fleet_override *o = &l->wish->overrides[k];
		if (o->launch.made.count)
			tell(l, o,
			     ctx_fail_kind(l->op->ctx, ERR_CAPACITY, KIND_FLEET,
					   "The minimum target capacity cannot be reached."));
		o->launch.made = (struct uuids){0};
	}
	l->left = l->wish->target;
}

static RESULT launch_all(struct launching *l)
{
	struct choice_of *order = NULL;
	struct op_place place = op_place_now(l->op);
	TRY(order_overrides(l->op, l->wish, &order));
	for (size_t k = 0; k < l->wish->count && l->left > 0; k++)
		if (suits_first(l, &order[k]))
			TRY(launch_some(l, &order[k]));
	if (l->wish->target - l->left < l->wish->min_target)
		take_back(l, place);
	return OK;
}

/* ---- creation ---- */

static RESULT write_failures(struct op *op, const struct fleet_wish *wish, struct fleet *fleet)
{
	struct str *texts = arena_new_array(op->ctx->arena, struct str, 3 * wish->count + 1);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->count; k++) {
		const struct fleet_override *o = &wish->overrides[k];
		if (!o->is_tried || !o->code.n)
			continue;
		texts[count++] = str_print(op->ctx->arena, "%zu", k);
		texts[count++] = o->code;
		texts[count++] = str_cut(o->message, 200);
	}
	fleet->failures = (struct strs){texts, count};
	return OK;
}

static RESULT create_fleet(struct op *op, struct fleet_wish *wish, uuid account)
{
	struct fleet fleet = {.row.gen = 1,
			      .account = account,
			      .target = wish->target,
			      .min_target = wish->min_target,
			      .is_prioritized = wish->is_prioritized,
			      .single_type = wish->single_type,
			      .single_zone = wish->single_zone,
			      .configs = wish->configs,
			      .client_token = wish->client_token};
	struct launching l = {.op = op, .wish = wish, .left = wish->target};
	TRY(tag_normalize(op, wish->tags, &fleet.tags));
	TRY(limit_check(op, LIMIT_FLEETS, account, 1, STR_NONE));
	l.fleet = fleet.row.id = engine_new_id(op, KIND_FLEET);
	TRY(engine_permit_new(op, "fleet.create", KIND_FLEET, &fleet.row));
	TRY(launch_all(&l));
	fleet.fulfilled = wish->target - l.left;
	TRY(write_failures(op, wish, &fleet));
	TRY(fleet_put(op, &fleet));
	wish->fleet = fleet.row.id;
	TRY(client_token_write(op, account, wish->client_token, wish->digest, wish->fleet));
	return engine_log_event(op, KIND_FLEET, &fleet.row, "created",
				"Fleet: %" PRId64 " of %" PRId64 " units.", fleet.fulfilled / FLEET_UNIT,
				fleet.target / FLEET_UNIT);
}

RESULT engine_create_fleet(struct op *op, struct fleet_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(client_token_find_made(op, account->row.id, wish->client_token, wish->digest, KIND_FLEET,
				   &wish->fleet));
	return uuid_is_none(wish->fleet) ? create_fleet(op, wish, account->row.id) : OK;
}

/* ---- deletion ---- */

static RESULT list_instances(struct op *op, uuid fleet, struct refs *ret_refs)
{
	VEC(struct ref) refs = {0};
	for (const struct instance *i = instance_first_by_fleet(op->head, fleet); i;
	     i = instance_next_by_fleet(op->head, i)) {
		struct ref ref = {.kind = KIND_INSTANCE,
				  .prefix = i->row.id,
				  .bits = 128,
				  .text = engine_write_id(op, KIND_INSTANCE, i->row.id),
				  .field = STR("FleetId")};
		if (row_is_live(&i->row) && !VEC_PUSH(op->ctx->arena, &refs, ref))
			return ctx_no_memory(op->ctx);
	}
	*ret_refs = (struct refs){refs.at, refs.count};
	return OK;
}

static RESULT delete_one(struct op *op, const struct fleets_target *wish, const struct fleet_change *change)
{
	const struct fleet *fleet = NULL;
	struct instances_wish terminate = {0};
	TRY(engine_find_own_fleet(op->ctx, op->head, &change->fleet, &fleet));
	TRY(engine_permit(op, "fleet.delete", KIND_FLEET, &fleet->row));
	if (wish->keeps_instances)
		return ENGINE_FAIL(op, ERR_STATE, KIND_FLEET, change->fleet.field,
				   "The instances of an instant fleet are terminated with it.");
	TRY(list_instances(op, fleet->row.id, &terminate.instances));
	if (terminate.instances.count)
		TRY(engine_terminate_instances(op, &terminate));
	TRY(engine_log_event(op, KIND_FLEET, &fleet->row, "deleted", "Fleet, with %zu instances.",
			     terminate.instances.count));
	return tombstone_leave(op, KIND_FLEET, &fleet->row, FLEET_INDEX_ACCOUNT);
}

RESULT engine_delete_fleets(struct op *op, struct fleets_target *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		struct fleet_change *change = &wish->changes[k];
		struct op_place place = op_place_now(op);
		if (change->err)
			continue; /* the face has refused it already */
		struct result result = delete_one(op, wish, change);
		if (!result_is_ok(result) && !is_its_own(result.code))
			return result;
		change->err = result.code;
		change->message = op->ctx->problem.message;
		if (!result_is_ok(result))
			op_go_back(op, place);
		ctx_clear_problem(op->ctx);
	}
	return OK;
}

/* ---- forgetting ---- */

bool engine_is_fleet_over(const struct tables *t, const struct fleet *fleet, int64_t now_us)
{
	int64_t since_us = row_is_live(&fleet->row) ? fleet->row.created_us : fleet->row.deleted_us;
	return now_us >= since_us + ENDED_LISTED_US && !instance_first_by_fleet(t, fleet->row.id);
}

RESULT engine_forget_fleet(struct op *op, struct fleet_report *report)
{
	const struct fleet *fleet = fleet_find(op->head, report->fleet);
	if (!fleet)
		return OK;
	if (!engine_is_fleet_over(op->head, fleet, op->now_us))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_FLEET, "It is still to be told of.");
	return fleet_forget(op, report->fleet);
}
