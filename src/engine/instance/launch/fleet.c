/* SPDX-License-Identifier: Apache-2.0
 * Fleets: several launches in one change, each of which can be undone by itself. Called by:
 * api/ec2/compute/fleets.c. Turns of the fleets that are launched later: fleet_follow.c. */
#include "engine/instance/launch/fleet_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/launch_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/asker.h"
#include "engine/tag_internal.h"
#include "model/id.h"
#include "model/spot_fleet_id.h"
#include "store/fleet.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/zone.h"

/* ---- order of overrides ---- */

struct choice_of {
	struct fleet_override *override;
	const struct instance_type *type; /* NULL: unknown type */
	size_t at;
	int64_t units; /* that the fleet has of it, in thousandths */
	int64_t room; /* instances that fit; at most what is missing, unless the strategy is capacity alone */
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

/* The override of which the fleet has the fewest units comes first. */
static int compare_units(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	int order = compare_int(x->units, y->units);
	return order ? order : compare_int((int64_t) x->at, (int64_t) y->at);
}

/* The override with the most room comes first. */
static int compare_room(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	int order = compare_int(y->room, x->room);
	return order ? order : compare_int((int64_t) x->at, (int64_t) y->at);
}

static int compare_room_and_priorities(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	int order = compare_int(y->room, x->room);
	return order ? order : compare_priorities(a, b);
}

static int compare_room_and_sizes(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	int order = compare_int(y->room, x->room);
	return order ? order : compare_sizes(a, b);
}

static int (*find_order(const struct fleet_launching *l))(const void *a, const void *b)
{
	static int (*const spot_orders[])(const void *a, const void *b) = {
		[FLEET_SPOT_STRATEGY_LOWEST_PRICE] = compare_sizes,
		[FLEET_SPOT_STRATEGY_DIVERSIFIED] = compare_units,
		[FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED] = compare_room,
		[FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED_PRIORITIZED] = compare_room_and_priorities,
		[FLEET_SPOT_STRATEGY_PRICE_CAPACITY_OPTIMIZED] = compare_room_and_sizes,
	};
	return l->is_spot ? spot_orders[l->strategy] : l->is_prioritized ? compare_priorities : compare_sizes;
}

/* Priorities and prices decide among overrides that each have room for all that is missing. */
static void count_room(const struct fleet_launching *l, struct choice_of *order)
{
	for (size_t k = 0; k < l->count; k++) {
		int64_t room = fleet_count_room(l->op->head, order[k].override);
		int64_t needed = (l->left + order[k].override->capacity - 1) / order[k].override->capacity;
		bool is_enough = l->strategy != FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED && room > needed;
		order[k].room = is_enough ? needed : room;
	}
}

static bool is_of(const struct fleet_launching *l, const struct instance *i)
{
	return row_is_live(&i->row) && !uuid_is_none(i->spot_request) == l->is_spot;
}

static void count_units(const struct fleet_launching *l, struct choice_of *order)
{
	for (const struct instance *i = instance_first_by_fleet(l->op->head, l->fleet); i;
	     i = instance_next_by_fleet(l->op->head, i))
		if (is_of(l, i) && i->fleet_override >= 0 && (size_t) i->fleet_override < l->count)
			order[i->fleet_override].units += i->fleet_units;
}

/* Orders the overrides as the allocation strategy says. The client's order decides between equal ones (`at`), because qsort()
 * is not stable and a repeated request has to launch the same. */
static RESULT order_overrides(const struct fleet_launching *l, struct choice_of **ret_order)
{
	struct choice_of *order = arena_new_array(l->op->ctx->arena, struct choice_of, l->count + 1);
	if (!order)
		return ctx_no_memory(l->op->ctx);
	for (size_t k = 0; k < l->count; k++) {
		struct fleet_override *o = &l->overrides[k];
		order[k] = (struct choice_of){
			.override = o,
			.type = instance_type_find_by_name(l->op->head, o->launch.type.text),
			.at = k};
	}
	if (l->is_spot && l->strategy == FLEET_SPOT_STRATEGY_DIVERSIFIED)
		count_units(l, order);
	if (l->is_spot && l->strategy >= FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED)
		count_room(l, order);
	qsort(order, l->count, sizeof *order, find_order(l));
	*ret_order = order;
	return OK;
}

/* ---- history ---- */

static struct str name_zone(const struct tables *t, uuid id)
{
	const struct zone *zone = zone_find(t, id);
	return zone ? zone->name : STR("");
}

/* The history names an override as EC2 does: type, image, platform, zone. */
static RESULT log_override(const struct fleet_launching *l, const struct fleet_override *o, const char *what,
			   const struct instance *first, struct str words)
{
	const struct fleet *fleet = fleet_find(l->op->head, l->fleet);
	struct str zone = first ? name_zone(l->op->head, first->zone) : o->launch.zone.text;
	if (!l->logs || !fleet)
		return OK;
	return engine_log_event(l->op, KIND_FLEET, &fleet->row, what,
				"%" STR_FMT ", %" STR_FMT ", Linux/UNIX%s%" STR_FMT "%s%" STR_FMT,
				STR_ARG(o->launch.type.text), STR_ARG(o->launch.image.text),
				zone.n ? ", " : "", STR_ARG(zone), words.n ? ", " : "", STR_ARG(words));
}

/* The line's first word is the instance's id, which the face shows by itself. */
static RESULT log_instance(struct op *op, const struct fleet *fleet, const struct instance *i,
			   const char *what)
{
	const struct instance_type *type = instance_type_find(op->head, i->type);
	struct str image = uuid_is_none(i->image) ? STR("") : engine_write_id(op, KIND_IMAGE, i->image);
	return engine_log_event(op, KIND_FLEET, &fleet->row, what,
				"%" STR_FMT " {\"instanceType\":\"%" STR_FMT "\",\"image\":\"%" STR_FMT
				"\",\"productDescription\":\"%s\",\"availabilityZone\":\"%" STR_FMT "\"}",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, i->row.id)),
				STR_ARG(type ? type->name : STR("")), STR_ARG(image),
				i->platform == INSTANCE_PLATFORM_WINDOWS ? "Windows" : "Linux/UNIX",
				STR_ARG(name_zone(op->head, i->zone)));
}

RESULT fleet_note_end(struct op *op, const struct instance *instance)
{
	const struct fleet *fleet =
		uuid_is_none(instance->fleet) ? NULL : fleet_find(op->head, instance->fleet);
	return fleet && fleet->type != FLEET_TYPE_INSTANT ? log_instance(op, fleet, instance, "terminated")
							  : OK;
}

static RESULT log_launch(const struct fleet_launching *l, const struct fleet_override *o)
{
	const struct fleet *fleet = fleet_find(l->op->head, l->fleet);
	const struct uuids *made = &o->launch.made;
	if (!l->logs || !fleet || !made->count)
		return OK;
	TRY(log_override(l, o, "progress", instance_find(l->op->head, made->at[0]), STR_NONE));
	for (size_t k = 0; k < made->count; k++)
		TRY(log_instance(l->op, fleet, instance_find(l->op->head, made->at[k]), "launched"));
	return OK;
}

/* ---- launching ---- */

static RESULT tell(const struct fleet_launching *l, struct fleet_override *o, struct result result)
{
	bool is_spot_quota = l->is_spot && result.code == ERR_QUOTA;
	o->err = result.code;
	o->message = l->op->ctx->problem.message;
	if (l->tell)
		l->tell(l->arg, result, &o->code, &o->message);
	ctx_clear_problem(l->op->ctx);
	return log_override(
		l, o, is_spot_quota ? "spotInstanceCountLimitExceeded" : "launchSpecTemporarilyBlacklisted",
		NULL, o->message);
}

/* Applies single_type and single_zone relative to the first launched instance. False: the type differs. */
static bool suits_first(const struct fleet_launching *l, const struct choice_of *choice)
{
	struct instance_launch *launch = &choice->override->launch;
	if (!l->first)
		return true;
	if (l->single_type && (!choice->type || !uuid_equal(choice->type->row.id, l->first->type)))
		return false;
	const struct zone *zone = zone_find(l->op->head, l->first->zone);
	if (l->single_zone && zone)
		launch->zone =
			(struct ref){.kind = KIND_ZONE, .text = zone->name, .field = launch->zone.field};
	return true;
}

static struct spot_wish spot_terms(const struct instance_launch *launch, bool is_spot)
{
	return (struct spot_wish){.is_spot = is_spot,
				  .from_launch = is_spot,
				  .max_price = launch->spot.max_price,
				  .tags = launch->spot.tags};
}

/* Launches instances of one override for so many thousandths. */
static RESULT launch_some(struct fleet_launching *l, const struct choice_of *choice, int64_t units)
{
	struct fleet_override *o = choice->override;
	struct op_place place = op_place_now(l->op);
	o->is_tried = true;
	if (o->err)
		return OK;
	if (o->code.n) { /* the face could not read it */
		o->err = ERR_INVALID;
		return log_override(l, o, "launchSpecTemporarilyBlacklisted", NULL, o->message);
	}
	int64_t wanted = (units + o->capacity - 1) / o->capacity;
	o->launch.fleet = l->fleet;
	o->launch.fleet_override = (int64_t) choice->at;
	o->launch.fleet_units = o->capacity;
	o->launch.spot = spot_terms(&o->launch, l->is_spot);
	o->launch.min_count = 1;
	o->launch.max_count = wanted < INSTANCE_LAUNCH_MAX ? wanted : INSTANCE_LAUNCH_MAX;
	struct result result = engine_create_instances(l->op, &o->launch);
	if (!result_is_ok(result) && !fleet_is_of_override(result.code))
		return result;
	if (!result_is_ok(result)) {
		op_go_back(l->op, place);
		o->launch.made = (struct uuids){0};
		return tell(l, o, result);
	}
	int64_t count = (int64_t) o->launch.made.count;
	l->left -= count * o->capacity;
	if (!l->first && count)
		l->first = instance_find(l->op->head, o->launch.made.at[0]);
	TRY(log_launch(l, o));
	if (count < wanted && count < o->launch.max_count)
		TRY(tell(l, o,
			 ctx_fail_kind(l->op->ctx, ERR_CAPACITY, KIND_INSTANCE,
				       "There is room for %" PRId64 " of %" PRId64 " instances.", count,
				       wanted)));
	return OK;
}

/* Gives each override an equal share of what is missing; what some cannot launch goes to the others. */
static RESULT launch_spread(struct fleet_launching *l, const struct choice_of *order)
{
	int64_t before = 0;
	do {
		size_t usable = 0;
		before = l->left;
		for (size_t k = 0; k < l->count; k++)
			usable += !order[k].override->err && !order[k].override->code.n;
		for (size_t k = 0; k < l->count && l->left > 0; k++) {
			struct fleet_override *o = order[k].override;
			bool is_usable = !o->err && !o->code.n;
			int64_t share = usable ? (l->left + (int64_t) usable - 1) / (int64_t) usable : 0;
			TRY(launch_some(l, &order[k], share));
			usable -= is_usable && usable > 0;
		}
	} while (l->left > 0 && l->left < before);
	return OK;
}

RESULT fleet_launch(struct fleet_launching *l)
{
	struct choice_of *order = NULL;
	TRY(order_overrides(l, &order));
	if (l->is_spot && l->strategy == FLEET_SPOT_STRATEGY_DIVERSIFIED)
		return launch_spread(l, order);
	for (size_t k = 0; k < l->count && l->left > 0; k++)
		if (suits_first(l, &order[k]))
			TRY(launch_some(l, &order[k], l->left));
	return OK;
}

/* Undoes all launches, because they do not reach min_target. */
static RESULT take_back(struct fleet_launching *l, struct op_place place, int64_t target)
{
	op_go_back(l->op, place);
	for (size_t k = 0; k < l->count; k++) {
		struct fleet_override *o = &l->overrides[k];
		if (o->launch.made.count)
			TRY(tell(l, o,
				 ctx_fail_kind(l->op->ctx, ERR_CAPACITY, KIND_FLEET,
					       "The minimum target capacity cannot be reached.")));
		o->launch.made = (struct uuids){0};
	}
	l->left = target;
	return OK;
}

/* ---- creation ---- */

/* Bytes that each message may have: all overrides may fail for both kinds of capacity, and the row holds 64 KiB of
 * numbers, codes and messages. */
enum { FAILURE_BYTES = 65536, FAILURE_CODE_BYTES = 64, MESSAGE_BYTES_MAX = 200 };

static size_t message_bytes(size_t overrides)
{
	size_t share = FAILURE_BYTES / (2 * overrides + 1) - FAILURE_CODE_BYTES;
	return share < MESSAGE_BYTES_MAX ? share : MESSAGE_BYTES_MAX;
}
_Static_assert(FAILURE_BYTES / (2 * FLEET_OVERRIDES_MAX + 1) > FAILURE_CODE_BYTES,
	       "each failure has a message");

/* Failures of an instant fleet, behind those that the row has. */
static RESULT write_failures(struct op *op, const struct fleet_launching *l, struct fleet *fleet)
{
	size_t count = fleet->failures.count;
	struct str *texts = arena_new_array(op->ctx->arena, struct str, count + 3 * l->count + 1);
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		texts[k] = fleet->failures.at[k];
	for (size_t k = 0; k < l->count; k++) {
		const struct fleet_override *o = &l->overrides[k];
		if (!o->is_tried || !o->code.n)
			continue;
		texts[count++] = str_print(op->ctx->arena, l->is_spot ? "%zu spot" : "%zu", k);
		texts[count++] = o->code;
		texts[count++] = str_cut(o->message, message_bytes(l->count));
	}
	fleet->failures = (struct strs){texts, count};
	return OK;
}

/* Overrides as the face has read them, to be launched a second time. */
static struct fleet_override *copy_overrides(struct op *op, const struct fleet_wish *wish)
{
	struct fleet_override *copy = arena_new_array(op->ctx->arena, struct fleet_override, wish->count + 1);
	for (size_t k = 0; copy && k < wish->count; k++)
		copy[k] = wish->overrides[k];
	return copy;
}

/* On-demand instances come first: they may take the room of spot ones back, and not the other way round. */
static RESULT launch_instant(struct op *op, struct fleet_wish *wish, struct fleet *fleet)
{
	struct op_place place = op_place_now(op);
	int64_t target = wish->target - wish->spot_target;
	struct fleet_launching l = {.op = op,
				    .fleet = fleet->row.id,
				    .overrides = wish->overrides,
				    .count = wish->count,
				    .is_prioritized = wish->is_prioritized,
				    .single_type = wish->single_type,
				    .single_zone = wish->single_zone,
				    .tell = wish->tell,
				    .arg = wish->arg,
				    .left = target};
	struct fleet_launching spot = {.op = op,
				       .fleet = fleet->row.id,
				       .overrides = copy_overrides(op, wish),
				       .count = wish->count,
				       .is_spot = true,
				       .strategy = wish->spot_strategy,
				       .tell = wish->tell,
				       .arg = wish->arg,
				       .left = wish->spot_target};
	if (!spot.overrides)
		return ctx_no_memory(op->ctx);
	TRY(fleet_launch(&l));
	if (target - l.left < wish->min_target)
		TRY(take_back(&l, place, target));
	TRY(fleet_launch(&spot));
	fleet->fulfilled = target - l.left + wish->spot_target - spot.left;
	fleet->fulfilled_spot = wish->spot_target - spot.left;
	TRY(write_failures(op, &l, fleet));
	return write_failures(op, &spot, fleet);
}

static RESULT try_launch(struct op *op, const struct fleet_wish *wish, size_t number, bool is_spot)
{
	struct instance_launch launch = wish->overrides[number].launch;
	launch.fleet = wish->fleet;
	launch.spot = spot_terms(&launch, is_spot);
	return launch_on_trial(op, &launch, wish->guard);
}

static RESULT try_launches(struct op *op, const struct fleet_wish *wish)
{
	bool changes = wish->type == FLEET_TYPE_MAINTAIN; /* it may get the other share later */
	for (size_t k = 0; k < wish->count; k++) {
		if (changes || wish->target > wish->spot_target)
			TRY(try_launch(op, wish, k, false));
		if (changes || wish->spot_target > 0)
			TRY(try_launch(op, wish, k, true));
	}
	return OK;
}

static RESULT create_fleet(struct op *op, struct fleet_wish *wish, uuid account)
{
	bool is_instant = wish->type == FLEET_TYPE_INSTANT;
	struct fleet fleet = {.row.gen = 1,
			      .account = account,
			      .type = wish->type,
			      .target = wish->target,
			      .min_target = wish->min_target,
			      .spot_target = wish->spot_target,
			      .spot_default = wish->spot_default,
			      .spot_strategy = wish->spot_strategy,
			      .is_prioritized = wish->is_prioritized,
			      .single_type = wish->single_type,
			      .single_zone = wish->single_zone,
			      .keeps_excess = wish->keeps_excess,
			      .ends_instances = wish->ends_instances,
			      .valid_from_us = wish->valid_from_us,
			      .valid_until_us = wish->valid_until_us,
			      .stage = is_instant ? FLEET_STAGE_ACTIVE : FLEET_STAGE_SUBMITTED,
			      .configs = wish->configs,
			      .client_token = wish->client_token};
	ASKER_NOTE(op, &fleet);
	TRY(tag_normalize(op, wish->tags, &fleet.tags));
	TRY(limit_check(op, LIMIT_FLEETS, account, 1, STR_NONE));
	fleet.row.id = engine_new_id(op, KIND_FLEET);
	if (wish->is_spot_fleet)
		fleet.row.id = id_of_spot_fleet(fleet.row.id);
	wish->fleet = fleet.row.id;
	TRY(engine_permit_new(op, engine_get_fleet_permission(fleet.row.id), KIND_FLEET, &fleet.row));
	TRY(is_instant ? launch_instant(op, wish, &fleet) : try_launches(op, wish));
	TRY(fleet_put(op, &fleet));
	TRY(client_token_write(op, account, wish->client_token, wish->digest, wish->fleet));
	if (!is_instant)
		return engine_log_sentence(op, KIND_FLEET, &fleet.row, "submitted", "");
	return engine_log_event(op, KIND_FLEET, &fleet.row, "created",
				"Fleet: %" PRId64 " of %" PRId64 " units.", fleet.fulfilled / FLEET_UNIT,
				fleet.target / FLEET_UNIT);
}

const char *engine_get_fleet_permission(uuid fleet)
{
	return id_is_spot_fleet(fleet) ? "spot_fleet.create" : "fleet.create";
}

/* A fleet of the other dialect is not found. */
static RESULT check_dialect(struct op *op, const struct ref *ref, const struct row *row, bool is_spot_fleet)
{
	return id_is_spot_fleet(row->id) == is_spot_fleet ? OK
							  : engine_fail_not_found(op->ctx, KIND_FLEET, ref);
}

RESULT engine_create_fleet(struct op *op, struct fleet_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_FLEET, &wish->fleet));
	return uuid_is_none(wish->fleet) ? create_fleet(op, wish, account) : OK;
}

/* ---- change ---- */

int64_t engine_split_fleet_target(const struct fleet_split *split)
{
	int64_t on_demand = split->on_demand < split->target ? split->on_demand : split->target;
	int64_t rest = split->target - on_demand;
	int64_t spot = split->spot < rest ? split->spot : rest;
	return split->spot_default ? rest : spot;
}

static void set_target(struct fleet *next, const struct fleet_update *wish)
{
	bool is_kept = wish->on_demand < 0 && wish->spot < 0;
	int64_t target = wish->target < 0 ? next->target : wish->target;
	struct fleet_split split = {.target = target,
				    .on_demand = wish->on_demand > 0 ? wish->on_demand : 0,
				    .spot = wish->spot > 0 ? wish->spot : 0,
				    .spot_default = next->spot_default};
	if (is_kept && next->spot_default)
		split.on_demand = next->target - next->spot_target;
	else if (is_kept)
		split.spot = next->spot_target;
	next->spot_target = engine_split_fleet_target(&split);
	next->target = target;
}

RESULT engine_update_fleet(struct op *op, struct fleet_update *wish)
{
	const struct fleet *fleet = NULL;
	TRY(engine_permit_fleet(op, &wish->fleet, wish->is_spot_fleet ? "spot_fleet.update" : "fleet.update",
				&fleet));
	TRY(check_dialect(op, &wish->fleet, &fleet->row, wish->is_spot_fleet));
	if (fleet->type != FLEET_TYPE_MAINTAIN)
		return ENGINE_FAIL(op, ERR_STATE, KIND_FLEET, wish->fleet.field,
				   "A fleet of type %s cannot be modified. Only fleets of type maintain can.",
				   fleet_type_words[fleet->type]);
	if (fleet->stage == FLEET_STAGE_MODIFYING)
		return ENGINE_FAIL(op, ERR_STATE, KIND_FLEET, wish->fleet.field,
				   "The fleet is being modified already.");
	struct fleet next = *fleet;
	bool is_active = fleet->stage == FLEET_STAGE_ACTIVE;
	choice_apply(wish->keeps_excess, &next.keeps_excess);
	choice_apply(wish->spot_default, &next.spot_default);
	if (wish->has_target)
		set_target(&next, wish);
	if (is_active)
		next.stage = FLEET_STAGE_MODIFYING;
	next.tries = next.again_us = 0;
	next.row.gen++;
	TRY(fleet_put(op, &next));
	TRY(engine_log_sentence(op, KIND_FLEET, &next.row, "modify_in_progress", ""));
	return is_active ? OK : engine_log_sentence(op, KIND_FLEET, &next.row, "modify_succeeded", "");
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

RESULT fleet_end(struct op *op, const struct fleet *fleet, bool keeps_instances)
{
	struct fleet next = *fleet;
	next.keeps_instances = keeps_instances;
	next.row.gen++;
	TRY(fleet_put(op, &next));
	if (fleet->type == FLEET_TYPE_INSTANT)
		TRY(engine_log_event(op, KIND_FLEET, &next.row, "deleted", "Fleet, with its instances."));
	else
		TRY(engine_log_sentence(op, KIND_FLEET, &next.row,
					keeps_instances ? "deleted_running" : "deleted_terminating", ""));
	return tombstone_leave(op, KIND_FLEET, &fleet_find(op->head, next.row.id)->row, FLEET_INDEX_ACCOUNT);
}

/* The instances of a fleet that was deleted without them are terminated by another deletion. */
static RESULT end_kept_instances(struct op *op, const struct fleet *fleet, struct fleet_change *change)
{
	struct instances_wish terminate = {0};
	struct fleet next = *fleet;
	change->was_running = true;
	next.keeps_instances = false;
	next.row.gen++;
	TRY(list_instances(op, fleet->row.id, &terminate.instances));
	TRY(fleet_put(op, &next));
	return engine_terminate_instances(op, &terminate);
}

static RESULT delete_one(struct op *op, const struct fleets_target *wish, struct fleet_change *change)
{
	const struct fleet *fleet = NULL;
	const struct row *row = NULL;
	struct instances_wish terminate = {0};
	TRY(engine_find_listed(op->ctx, op->head, KIND_FLEET, &change->fleet, &row));
	TRY(check_dialect(op, &change->fleet, row, wish->is_spot_fleet));
	bool is_running = !wish->keeps_instances && !row_is_live(row) && fleet_of(row)->keeps_instances &&
			  engine_has_fleet_living(op->head, fleet_of(row));
	if (!is_running)
		TRY(engine_find_own_fleet(op->ctx, op->head, &change->fleet, &fleet));
	TRY(engine_permit(op, wish->is_spot_fleet ? "spot_fleet.delete" : "fleet.delete", KIND_FLEET, row));
	if (is_running)
		return end_kept_instances(op, fleet_of(row), change);
	change->before = fleet->stage;
	if (wish->keeps_instances && fleet->type == FLEET_TYPE_INSTANT)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_FLEET, change->fleet.field,
				   "NoTerminateInstances option is not supported for instant fleet");
	if (!wish->keeps_instances)
		TRY(list_instances(op, fleet->row.id, &terminate.instances));
	TRY(fleet_end(op, fleet, wish->keeps_instances));
	return terminate.instances.count ? engine_terminate_instances(op, &terminate) : OK;
}

/* The fleet of a change if it is instant. */
static bool is_instant(struct op *op, const struct fleet_change *change)
{
	const struct fleet *fleet = NULL;
	bool is_found = !change->err &&
			result_is_ok(engine_find_own_fleet(op->ctx, op->head, &change->fleet, &fleet));
	ctx_clear_problem(op->ctx);
	return is_found && fleet->type == FLEET_TYPE_INSTANT;
}

/* Refuses all instant fleets if there are too many. */
static RESULT check_count(struct op *op, struct fleets_target *wish)
{
	bool *is_one = arena_new_array(op->ctx->arena, bool, wish->count + 1);
	size_t count = 0;
	if (!is_one)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->count && wish->count > FLEET_DELETIONS_MAX; k++)
		count += is_one[k] = is_instant(op, &wish->changes[k]);
	for (size_t k = 0; k < wish->count && count > FLEET_DELETIONS_MAX; k++) {
		if (!is_one[k])
			continue;
		wish->changes[k].err = ERR_TOO_LARGE;
		wish->changes[k].message =
			STR("Can't delete more than 25 instant fleets in a single request.");
	}
	return OK;
}

RESULT engine_delete_fleets(struct op *op, struct fleets_target *wish)
{
	TRY(check_count(op, wish));
	for (size_t k = 0; k < wish->count; k++) {
		struct fleet_change *change = &wish->changes[k];
		struct op_place place = op_place_now(op);
		if (change->err)
			continue; /* the face has refused it already */
		struct result result = delete_one(op, wish, change);
		if (!result_is_ok(result) && !fleet_is_of_override(result.code))
			return result;
		change->err = result.code;
		change->message = op->ctx->problem.message;
		if (!result_is_ok(result))
			op_go_back(op, place);
		ctx_clear_problem(op->ctx);
	}
	return OK;
}
