/* SPDX-License-Identifier: Apache-2.0
 * Turns of fleets: launching what is missing, ending what is in excess, and the end of a fleet. Called by:
 * reconcile/launch/fleet.c. */
#include <stdlib.h>

#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/fleet_internal.h"
#include "engine/internal.h"
#include "engine/people/asker.h"
#include "store/fleet.h"
#include "store/instance.h"

/* Seconds between two launches that found no room, doubled by each until the maximum; and behind one that launched, so that
 * machines which end as soon as they run are not replaced without a pause. */
enum { AGAIN_S = 60, AGAIN_MAX_S = 600, PAUSE_S = 10 };
#define SCALED_IN "Server.FleetScaleIn" /* reason codes of ours */
#define EXPIRED "Server.FleetExpired"

/* ---- which turn ---- */

static bool is_spot(const struct instance *i)
{
	return !uuid_is_none(i->spot_request);
}

struct fleet_units engine_count_fleet_units(const struct tables *t, const struct fleet *fleet)
{
	struct fleet_units units = {0};
	if (fleet->type != FLEET_TYPE_MAINTAIN)
		return (struct fleet_units){fleet->fulfilled - fleet->fulfilled_spot, fleet->fulfilled_spot};
	for (const struct instance *i = instance_first_by_fleet(t, fleet->row.id); i;
	     i = instance_next_by_fleet(t, i))
		if (row_is_live(&i->row))
			*(is_spot(i) ? &units.spot : &units.on_demand) += i->fleet_units;
	return units;
}

static struct fleet_units find_missing(const struct tables *t, const struct fleet *fleet)
{
	struct fleet_units units = engine_count_fleet_units(t, fleet);
	return (struct fleet_units){fleet->target - fleet->spot_target - units.on_demand,
				    fleet->spot_target - units.spot};
}

/* The instance that goes next: of the override with the highest number, since overrides are named in their order of
 * preference; of several the youngest. NULL: there is none that leaves the fleet at its target or above it. */
static const struct instance *find_surplus(const struct tables *t, const struct fleet *fleet)
{
	struct fleet_units missing = find_missing(t, fleet);
	const struct instance *found = NULL;
	if (fleet->keeps_excess)
		return NULL;
	for (const struct instance *i = instance_first_by_fleet(t, fleet->row.id); i;
	     i = instance_next_by_fleet(t, i)) {
		int64_t excess = -(is_spot(i) ? missing.spot : missing.on_demand);
		if (!row_is_live(&i->row) || i->protect_terminate || i->protect_stop ||
		    i->fleet_units > excess)
			continue;
		bool is_next = !found || i->fleet_override > found->fleet_override ||
			       (i->fleet_override == found->fleet_override &&
				i->row.created_us > found->row.created_us);
		found = is_next ? i : found;
	}
	return found;
}

bool engine_has_fleet_living(const struct tables *t, const struct fleet *fleet)
{
	for (const struct instance *i = instance_first_by_fleet(t, fleet->row.id); i;
	     i = instance_next_by_fleet(t, i))
		if (model_derive_instance_state(i) != INSTANCE_TERMINATED)
			return true;
	return false;
}

static bool is_over(const struct tables *t, const struct fleet *fleet, int64_t now_us)
{
	bool is_live = row_is_live(&fleet->row);
	int64_t since_us = is_live ? fleet->row.created_us : fleet->row.deleted_us;
	return (!is_live || fleet->type == FLEET_TYPE_INSTANT) && now_us >= since_us + ENDED_LISTED_US &&
	       !instance_first_by_fleet(t, fleet->row.id);
}

static enum fleet_turn turn_of_active(const struct tables *t, const struct fleet *fleet, int64_t now_us,
				      int64_t *ret_due_us)
{
	struct fleet_units missing = find_missing(t, fleet);
	if (fleet->stage == FLEET_STAGE_MODIFYING)
		return find_surplus(t, fleet) ? FLEET_SHRINK : FLEET_SETTLE;
	if (missing.on_demand <= 0 && missing.spot <= 0)
		return FLEET_WAIT;
	if (now_us >= fleet->again_us)
		return FLEET_LAUNCH;
	if (fleet->again_us < *ret_due_us)
		*ret_due_us = fleet->again_us;
	return FLEET_WAIT;
}

enum fleet_turn engine_find_fleet_turn(const struct tables *t, const struct fleet *fleet, int64_t now_us,
				       int64_t *ret_due_us)
{
	*ret_due_us = INT64_MAX;
	if (is_over(t, fleet, now_us))
		return FLEET_FORGET;
	if (fleet->type == FLEET_TYPE_INSTANT)
		return FLEET_WAIT;
	if (!row_is_live(&fleet->row))
		return fleet->stage != FLEET_STAGE_ENDED && !engine_has_fleet_living(t, fleet)
			       ? FLEET_NOTE_END
			       : FLEET_WAIT;
	if (fleet->valid_until_us && now_us >= fleet->valid_until_us)
		return FLEET_EXPIRE;
	if (fleet->valid_until_us)
		*ret_due_us = fleet->valid_until_us;
	if (fleet->stage != FLEET_STAGE_SUBMITTED)
		return turn_of_active(t, fleet, now_us, ret_due_us);
	if (now_us >= fleet->valid_from_us)
		return FLEET_BEGIN;
	*ret_due_us = fleet->valid_from_us;
	return FLEET_WAIT;
}

/* ---- launches ---- */

/* True if an override was refused for another reason than missing room. */
static bool was_refused(const struct fleet_following *wish)
{
	bool is_refused = false;
	for (size_t k = 0; k < wish->count; k++)
		is_refused |= wish->overrides[k].err && wish->overrides[k].err != ERR_CAPACITY;
	return is_refused;
}

/* What a launch came to. */
struct outcome {
	struct fleet_units launched;
	bool has_failed; /* an override was refused for another reason than missing room */
};

static RESULT launch_share(struct op *op, const struct fleet *fleet, const struct fleet_following *wish,
			   bool is_spot, int64_t missing, struct outcome *outcome)
{
	struct fleet_launching l = {.op = op,
				    .fleet = fleet->row.id,
				    .overrides = wish->overrides,
				    .count = wish->count,
				    .is_spot = is_spot,
				    .is_prioritized = !is_spot && fleet->is_prioritized,
				    .strategy = fleet->spot_strategy,
				    .logs = true,
				    .left = missing > 0 ? missing : 0};
	int64_t before = l.left;
	for (size_t k = 0; k < l.count; k++) /* a failure of the other share says nothing about this one */
		wish->overrides[k].err = ERR_NONE;
	TRY(fleet_launch(&l));
	*(is_spot ? &outcome->launched.spot : &outcome->launched.on_demand) = before - l.left;
	outcome->has_failed |= was_refused(wish);
	return OK;
}

struct later_shares {
	const struct fleet *fleet;
	const struct fleet_following *wish;
	struct outcome *outcome;
};

static RESULT launch_shares(struct op *op, void *arg)
{
	const struct later_shares *later = arg;
	const struct fleet_units missing = find_missing(op->head, later->fleet);
	TRY(launch_share(op, later->fleet, later->wish, false, missing.on_demand, later->outcome));
	return launch_share(op, later->fleet, later->wish, true, missing.spot, later->outcome);
}

static RESULT launch_as_asker(struct op *op, const struct fleet *fleet, const struct fleet_following *wish,
			      struct outcome *outcome)
{
	const struct asker asker = ASKER_OF(fleet);
	const struct asker_work work = {wish->guard, "fleet.create", op->now_us};
	struct later_shares later = {fleet, wish, outcome};
	return asker_run(op, &asker, &work, launch_shares, &later);
}

int64_t fleet_next_try(int64_t now_us, int64_t tries)
{
	int64_t wait_s = AGAIN_S;
	for (int64_t n = 1; n < tries && wait_s < AGAIN_MAX_S; n++)
		wait_s *= 2;
	return now_us + (wait_s < AGAIN_MAX_S ? wait_s : AGAIN_MAX_S) * SECOND;
}

/* Notes the launch in the row, and when the next one may follow. */
static RESULT note_launch(struct op *op, uuid id, const struct outcome *outcome)
{
	const struct fleet_units launched = outcome->launched;
	struct fleet next = *fleet_find(op->head, id);
	next.fulfilled += launched.on_demand + launched.spot;
	next.fulfilled_spot += launched.spot;
	struct fleet_units missing = find_missing(op->head, &next);
	bool is_short = missing.on_demand > 0 || missing.spot > 0;
	bool has_launched = launched.on_demand > 0 || launched.spot > 0;
	next.tries = is_short && !has_launched ? next.tries + 1 : 0;
	next.again_us = next.tries ? fleet_next_try(op->now_us, next.tries) : op->now_us + PAUSE_S * SECOND;
	next.has_failed = is_short && outcome->has_failed;
	return fleet_put(op, &next);
}

static RESULT fail(struct op *op, uuid id, const char *what, struct str problem)
{
	const struct fleet *fleet = fleet_find(op->head, id);
	TRY(engine_log_event(op, KIND_FLEET, &fleet->row, what, "%" STR_FMT,
			     STR_ARG(str_cut(problem, 1000))));
	return note_launch(op, id, &(struct outcome){.has_failed = true});
}

static RESULT launch(struct op *op, const struct fleet *fleet, const struct fleet_following *wish)
{
	struct op_place place = op_place_now(op);
	struct outcome outcome = {0};
	uuid id = fleet->row.id;
	if (!wish->has_read)
		return wish->problem.n ? fail(op, id,
					      wish->is_denied ? "iamFleetRoleInvalid"
							      : "spotFleetRequestConfigurationInvalid",
					      wish->problem)
				       : OK;
	struct result result = launch_as_asker(op, fleet, wish, &outcome);
	if (result_is_ok(result))
		return note_launch(op, id, &outcome);
	if (!engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return fail(op, id,
		    result.code == ERR_DENIED ? "iamFleetRoleInvalid"
					      : "spotFleetRequestConfigurationInvalid",
		    problem);
}

/* ---- other turns ---- */

static RESULT enter(struct op *op, const struct fleet *fleet, const char *what)
{
	struct fleet next = *fleet;
	next.stage = FLEET_STAGE_ACTIVE;
	TRY(fleet_put(op, &next));
	return engine_log_sentence(op, KIND_FLEET, &next.row, what, "");
}

/* One instance a turn: a change stays short, and the next turn counts again. */
static RESULT shrink(struct op *op, const struct fleet *fleet)
{
	return instance_write_terminate(op, find_surplus(op->head, fleet), SCALED_IN,
					SCALED_IN ": the fleet's target capacity was decreased");
}

/* Protected instances go on. */
static RESULT end_instances(struct op *op, uuid fleet)
{
	VEC(uuid) ids = {0};
	for (const struct instance *i = instance_first_by_fleet(op->head, fleet); i;
	     i = instance_next_by_fleet(op->head, i))
		if (row_is_live(&i->row) && !i->protect_terminate && !i->protect_stop &&
		    !VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < ids.count; k++)
		TRY(instance_write_terminate(op, instance_find(op->head, ids.at[k]), EXPIRED,
					     EXPIRED ": the fleet request has expired"));
	return OK;
}

static RESULT expire(struct op *op, const struct fleet *fleet)
{
	uuid id = fleet->row.id;
	bool ends_instances = fleet->ends_instances;
	TRY(engine_log_sentence(op, KIND_FLEET, &fleet->row, "expired", ""));
	TRY(fleet_end(op, fleet, !ends_instances));
	return ends_instances ? end_instances(op, id) : OK;
}

static RESULT note_end(struct op *op, const struct fleet *fleet)
{
	struct fleet next = *fleet;
	next.stage = FLEET_STAGE_ENDED;
	TRY(fleet_put(op, &next));
	return engine_log_sentence(op, KIND_FLEET, &next.row, "deleted", "");
}

RESULT engine_follow_fleet(struct op *op, struct fleet_following *wish)
{
	const struct fleet *fleet = fleet_find(op->head, wish->fleet);
	int64_t due_us = 0;
	if (!fleet)
		return OK;
	switch (engine_find_fleet_turn(op->head, fleet, op->now_us, &due_us)) {
	case FLEET_WAIT:
		return OK;
	case FLEET_BEGIN:
		return enter(op, fleet, "active");
	case FLEET_LAUNCH:
		return launch(op, fleet, wish);
	case FLEET_SHRINK:
		return shrink(op, fleet);
	case FLEET_SETTLE:
		return enter(op, fleet, "modify_succeeded");
	case FLEET_EXPIRE:
		return expire(op, fleet);
	case FLEET_NOTE_END:
		return note_end(op, fleet);
	case FLEET_FORGET:
		return fleet_forget(op, wish->fleet);
	}
	return FAIL(INTERNAL);
}
