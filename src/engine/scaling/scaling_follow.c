/* SPDX-License-Identifier: Apache-2.0
 * Turns of scaling groups: decides and carries out the next step of a group. Called by:
 * reconcile/scaling/scaling_group.c. */
#include <inttypes.h>
#include <stdlib.h>

#include "engine/balancing/balancing.h"
#include "engine/instance/launch/fleet_internal.h"
#include "engine/people/asker.h"
#include "engine/scaling/autoscale_internal.h"
#include "engine/scaling/scale_set.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/launch_configuration.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

/* Launches of one turn: a change stays short, and the next turn counts again. A group that checks target groups looks at
 * their results this often, and a group that launched waits, so that machines which end as soon as they run are not
 * replaced without a pause. */
enum { LAUNCHES_A_TURN = 10, LOOK_S = 10, PAUSE_S = 10 };

/* ---- members ---- */

enum member_act {
	MEMBER_STAY,
	MEMBER_ARRIVE,   /* its instance runs */
	MEMBER_PROCEED,  /* hooks were completed, or their time is over */
	MEMBER_END,      /* its instance is terminated */
	MEMBER_JUDGE,    /* it is unhealthy */
	MEMBER_REPLACE,  /* it was found unhealthy, and is to be terminated */
	MEMBER_REST,     /* its instance stopped in the warm pool */
	MEMBER_DRAIN,    /* its warm pool is being deleted */
	MEMBER_LEAVE,    /* somebody deleted a machine of a scale set: the set gets smaller */
	MEMBER_TERMINATE /* its group is being deleted */
};

static void due_at(int64_t at_us, int64_t *due_us)
{
	if (at_us < *due_us)
		*due_us = at_us;
}

/* True if a target group finds the instance unhealthy. */
static bool is_failed_target(const struct tables *t, const struct scaling_group *group, uuid instance)
{
	for (size_t k = 0; k < group->target_groups.count; k++) {
		const struct target_group *g = target_group_find(t, group->target_groups.at[k]);
		const struct target *target = g ? target_first_by_target_group(t, g->row.id) : NULL;
		while (target && !uuid_equal(target->instance, instance))
			target = target_next_by_target_group(t, target);
		if (target && engine_get_target_condition(t, g, target).state == TARGET_UNHEALTHY)
			return true;
	}
	return false;
}

static enum scaling_member_unhealthy_by judge(const struct tables *t, const struct scaling_group *group,
					      const struct scaling_member *m, enum instance_state state,
					      int64_t now_us, int64_t *due_us)
{
	int64_t grace_us = m->since_us + group->grace_s * SECOND;
	/* An AutoScale group keeps a machine that its user stopped. */
	if (!uuid_is_none(group->profile) && (state == INSTANCE_STOPPING || state == INSTANCE_STOPPED))
		return SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
	if (state != INSTANCE_RUNNING && state != INSTANCE_PENDING)
		return SCALING_MEMBER_UNHEALTHY_BY_EC2;
	if (!group->checks_balancers || !group->target_groups.count)
		return SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
	if (now_us < grace_us) {
		due_at(grace_us, due_us);
		return SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
	}
	due_at(now_us + LOOK_S * SECOND, due_us);
	return is_failed_target(t, group, m->instance) ? SCALING_MEMBER_UNHEALTHY_BY_ELB
						       : SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
}

static enum instance_state state_of(const struct tables *t, const struct scaling_member *m)
{
	const struct instance *i = instance_find(t, m->instance);
	return i ? model_derive_instance_state(i) : INSTANCE_TERMINATED;
}

/* A stopping instance counts as one that runs while EC2 restarts or changes it. */
static bool is_running(enum instance_state state)
{
	return state == INSTANCE_RUNNING;
}

/* A member in service, or on its way there. *ret_by: who finds it unhealthy. */
static enum member_act act_of_lasting(const struct tables *t, const struct scaling_group *group,
				      const struct scaling_member *m, int64_t now_us, int64_t *due_us,
				      enum scaling_member_unhealthy_by *ret_by)
{
	enum instance_state state = state_of(t, m);
	bool is_new = m->stage == SCALING_MEMBER_STAGE_PENDING;
	if (scaling_is_set(group) && !m->is_unhealthy)
		return state == INSTANCE_TERMINATED          ? MEMBER_LEAVE
		       : is_new && state != INSTANCE_PENDING ? MEMBER_ARRIVE
							     : MEMBER_STAY;
	if (m->is_unhealthy)
		return engine_is_scaling_suspended(group, "ReplaceUnhealthy") ||
				       engine_is_scaling_suspended(group, "Terminate")
			       ? MEMBER_STAY
			       : MEMBER_REPLACE;
	*ret_by = engine_is_scaling_suspended(group, "HealthCheck")
			  ? SCALING_MEMBER_UNHEALTHY_BY_NOTHING
			  : judge(t, group, m, state, now_us, due_us);
	if (*ret_by != SCALING_MEMBER_UNHEALTHY_BY_NOTHING)
		return MEMBER_JUDGE;
	return is_new && is_running(state) ? MEMBER_ARRIVE : MEMBER_STAY;
}

/* True if the instance is as its stage in the warm pool wants it. Somebody who starts a stopped instance makes it unhealthy. */
static bool is_fine(enum scaling_member_stage stage, enum instance_state state)
{
	bool is_off = state == INSTANCE_STOPPED || state == INSTANCE_STOPPING;
	bool is_on = state == INSTANCE_RUNNING || state == INSTANCE_PENDING;
	if (stage == SCALING_MEMBER_STAGE_PENDING_PROCEED)
		return is_off || is_on;
	return stage == SCALING_MEMBER_STAGE_WARMED_STOPPED ? is_off : is_on;
}

/* A member of the warm pool that no hook holds. */
static enum member_act act_of_warm(const struct tables *t, const struct scaling_group *group,
				   const struct scaling_member *m, enum scaling_member_unhealthy_by *ret_by)
{
	enum instance_state state = state_of(t, m);
	bool is_new = m->stage == SCALING_MEMBER_STAGE_PENDING;
	bool is_stopping = m->stage == SCALING_MEMBER_STAGE_PENDING_PROCEED;
	if (m->is_unhealthy)
		return engine_is_scaling_suspended(group, "ReplaceUnhealthy") ||
				       engine_is_scaling_suspended(group, "Terminate")
			       ? MEMBER_STAY
			       : MEMBER_REPLACE;
	if (!is_fine(m->stage, state) && !engine_is_scaling_suspended(group, "HealthCheck")) {
		*ret_by = SCALING_MEMBER_UNHEALTHY_BY_EC2;
		return MEMBER_JUDGE;
	}
	if (is_stopping && state == INSTANCE_STOPPED)
		return MEMBER_REST;
	return (is_new || is_stopping) && is_running(state) ? MEMBER_ARRIVE : MEMBER_STAY;
}

static bool is_waiting(const struct scaling_member *m)
{
	return m->stage == SCALING_MEMBER_STAGE_PENDING_WAIT ||
	       m->stage == SCALING_MEMBER_STAGE_TERMINATING_WAIT;
}

static enum member_act act_of(const struct tables *t, const struct scaling_group *group,
			      const struct scaling_member *m, int64_t now_us, int64_t *due_us,
			      enum scaling_member_unhealthy_by *ret_by)
{
	bool ends = m->stage == SCALING_MEMBER_STAGE_TERMINATING ||
		    m->stage == SCALING_MEMBER_STAGE_TERMINATING_PROCEED;
	if (ends)
		return state_of(t, m) == INSTANCE_TERMINATED ? MEMBER_END : MEMBER_STAY;
	if (group->is_deleting)
		return MEMBER_TERMINATE;
	if (scaling_pool_counts(m) && group->pool_is_deleting)
		return MEMBER_DRAIN;
	if (is_waiting(m)) {
		int64_t hooks_us = m->hooks.count && !m->is_abandoned ? scaling_hooks_due(m) : 0;
		if (now_us >= hooks_us)
			return MEMBER_PROCEED;
		due_at(hooks_us, due_us);
		if (m->stage == SCALING_MEMBER_STAGE_TERMINATING_WAIT)
			return MEMBER_STAY;
	}
	if (scaling_is_warm(m))
		return act_of_warm(t, group, m, ret_by);
	if (m->stage == SCALING_MEMBER_STAGE_STANDBY && state_of(t, m) != INSTANCE_TERMINATED)
		return MEMBER_STAY;
	return act_of_lasting(t, group, m, now_us, due_us, ret_by);
}

/* The first member about which something is to be done; NULL: none. */
static const struct scaling_member *find_member(const struct tables *t, const struct scaling_group *group,
						int64_t now_us, int64_t *due_us, enum member_act *ret_act,
						enum scaling_member_unhealthy_by *ret_by)
{
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		*ret_act = act_of(t, group, m, now_us, due_us, ret_by);
		if (*ret_act != MEMBER_STAY)
			return m;
	}
	return NULL;
}

/* ---- which turn ---- */

/* The group has its size: the warm pool follows. */
static enum scaling_turn find_pool_turn(const struct tables *t, const struct scaling_group *group,
					int64_t now_us, int64_t *due_us)
{
	if (!group->has_pool)
		return SCALING_WAIT;
	if (scaling_find_shed(t, group, false) && !engine_is_scaling_suspended(group, "Terminate"))
		return SCALING_SHED;
	if (engine_count_scaling_pool(t, group->row.id) >= engine_want_scaling_pool(group) ||
	    engine_is_scaling_suspended(group, "Launch"))
		return SCALING_WAIT;
	if (now_us >= group->pool_again_us)
		return SCALING_PREPARE;
	due_at(group->pool_again_us, due_us);
	return SCALING_WAIT;
}

/* After a failure, which starting an instance of the pool may be, the group launches another one first. */
static bool may_draw(const struct tables *t, const struct scaling_group *group)
{
	return !group->tries && scaling_find_drawn(t, group);
}

enum scaling_turn engine_find_scaling_turn(const struct tables *t, const struct scaling_group *group,
					   int64_t now_us, int64_t *ret_due_us)
{
	enum member_act act = MEMBER_STAY;
	enum scaling_member_unhealthy_by by = SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
	*ret_due_us = INT64_MAX;
	if (find_member(t, group, now_us, ret_due_us, &act, &by))
		return SCALING_MEMBER;
	if (group->is_deleting)
		return scaling_member_first_by_scaling_group(t, group->row.id) ? SCALING_WAIT
									       : SCALING_FORGET;
	if (scaling_is_pool_over(t, group))
		return SCALING_CLOSE;
	if (scaling_find_shed(t, group, true) && !engine_is_scaling_suspended(group, "Terminate"))
		return SCALING_SHED;
	struct refresh_plan plan;
	scaling_plan_refresh(t, group, now_us, &plan);
	due_at(plan.due_us, ret_due_us);
	if (plan.act != REFRESH_REST)
		return SCALING_REFRESH;
	int64_t missing = group->desired + plan.surge - engine_count_scaling_units(t, group->row.id);
	if (missing < 0 && !engine_is_scaling_suspended(group, "Terminate"))
		return engine_choose_scaling_member(t, group, -missing, now_us) ? SCALING_SHRINK
										: SCALING_WAIT;
	if (missing <= 0)
		return find_pool_turn(t, group, now_us, ret_due_us);
	if (engine_is_scaling_suspended(group, "Launch"))
		return SCALING_WAIT;
	if (may_draw(t, group))
		return SCALING_DRAW;
	if (now_us >= group->again_us)
		return SCALING_LAUNCH;
	due_at(group->again_us, ret_due_us);
	return SCALING_WAIT;
}

/* ---- launches ---- */

struct launching {
	const struct scaling_following *wish;
	uuid group, refresh;
	bool is_warm;   /* into the warm pool */
	int64_t wanted; /* units, with those of a refresh that launches ahead */
	size_t places;
	int64_t launched;
	struct str problem; /* message of the last refusal */
};

/* The group, as it launches while an instance refresh is active. */
static struct scaling_group launching_group(const struct tables *t, uuid group)
{
	struct scaling_group copy = *scaling_group_find(t, group);
	(void) engine_use_scaling_refresh(t, &copy);
	return copy;
}

static int64_t wanted_units(const struct tables *t, const struct scaling_group *group, int64_t now_us)
{
	struct refresh_plan plan;
	scaling_plan_refresh(t, group, now_us, &plan);
	return group->desired + plan.surge;
}

static int64_t present_units(const struct tables *t, const struct launching *l)
{
	return l->is_warm ? engine_count_scaling_pool(t, l->group) : engine_count_scaling_units(t, l->group);
}

/* A launch that may be tried, and how far down it is. */
struct choice_of {
	size_t number;
	int64_t in_zone, in_subnet, room, size;
};

static int compare_choices(const void *a, const void *b)
{
	const struct choice_of *x = a, *y = b;
	if (x->in_zone != y->in_zone)
		return x->in_zone < y->in_zone ? -1 : 1;
	if (x->in_subnet != y->in_subnet)
		return x->in_subnet < y->in_subnet ? -1 : 1;
	if (x->room != y->room)
		return x->room > y->room ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Types have no prices that order them, so the smaller type counts as the cheaper one. */
static int64_t size_of(const struct tables *t, const struct fleet_override *o)
{
	const struct instance_type *type = instance_type_find_by_name(t, o->launch.type.text);
	return type ? type->vcpus * (1 << 20) + type->memory / (1 << 20) : INT64_MAX;
}

static void count_place(const struct tables *t, const struct scaling_group *group, bool is_warm, size_t place,
			struct choice_of *choice)
{
	const struct subnet *subnet = group->subnets.count ? subnet_find(t, group->subnets.at[place]) : NULL;
	uuid zone = group->subnets.count ? (subnet ? subnet->zone : UUID_NONE) : group->zones.at[place];
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		const struct instance *i = instance_find(t, m->instance);
		if (!(is_warm ? scaling_pool_counts(m) : scaling_member_counts(m)) ||
		    !uuid_equal(m->zone, zone))
			continue;
		choice->in_zone++;
		choice->in_subnet += i && subnet && uuid_equal(i->subnet, subnet->row.id);
	}
}

/* Weighs a launch by the allocation strategy. Sizes and the overrides' order decide among launches that each have room for all
 * that is missing, but for capacity-optimized. */
static void weigh(const struct tables *t, const struct scaling_group *group, bool is_spot, int64_t missing,
		  const struct fleet_override *o, struct choice_of *choice)
{
	bool by_room = is_spot && !str_is(group->spot_strategy, "lowest-price");
	bool by_size = is_spot ? str_is(group->spot_strategy, "lowest-price") ||
					 str_is(group->spot_strategy, "price-capacity-optimized")
			       : group->by_price;
	int64_t needed = o->capacity ? (missing + o->capacity - 1) / o->capacity : 1;
	if (group->is_mixed && by_size)
		choice->size = size_of(t, o);
	if (!group->is_mixed || !by_room)
		return;
	choice->room = fleet_count_room(t, o);
	if (!str_is(group->spot_strategy, "capacity-optimized") && choice->room > needed)
		choice->room = needed;
}

/* Orders the launches: the zone with the fewest instances first, then by room, by size or by the overrides' order. */
static RESULT order_launches(struct op *op, const struct launching *l, const struct scaling_group *launching,
			     bool is_spot, struct choice_of **ret_order)
{
	const struct scaling_group *group = scaling_group_find(op->head, l->group);
	struct choice_of *order = arena_new_array(op->ctx->arena, struct choice_of, l->wish->count + 1);
	int64_t missing = l->wanted - present_units(op->head, l);
	if (!order)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < l->wish->count; k++) {
		order[k] = (struct choice_of){.number = k};
		weigh(op->head, launching, is_spot, missing, &l->wish->launches[k], &order[k]);
		count_place(op->head, group, l->is_warm, k % l->places, &order[k]);
	}
	qsort(order, l->wish->count, sizeof *order, compare_choices);
	*ret_order = order;
	return OK;
}

/* True if the next unit is spot capacity: the on-demand share is there already. */
static bool is_spot_next(const struct tables *t, const struct scaling_group *group)
{
	int64_t on_demand = 0;
	int64_t base = group->on_demand_base < group->desired ? group->on_demand_base : group->desired;
	int64_t wanted = base + ((group->desired - base) * group->on_demand_percent + 99) / 100;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group->row.id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		const struct instance *i = instance_find(t, m->instance);
		if (scaling_member_counts(m) && i && uuid_is_none(i->spot_request))
			on_demand += m->units;
	}
	return group->is_mixed && on_demand >= wanted;
}

/* "…increasing the capacity from 1 to 2." after the reason of the change, or the reason of a replacement. */
static struct str say_launch(struct op *op, const struct scaling_group *group, const struct launching *l,
			     int64_t units)
{
	int64_t before = present_units(op->head, l);
	if (l->is_warm)
		return scaling_say_at(op,
				      "an instance was launched into the warm pool, increasing its size from "
				      "%" PRId64 " to %" PRId64 ".",
				      before, before + units);
	const struct scaling_refresh *refresh = engine_find_scaling_refresh(op->head, group->row.id);
	if (!group->reason.n && refresh)
		return scaling_say_at(op, "an instance was launched in response to an instance refresh.");
	if (!group->reason.n)
		return scaling_say_at(
			op, "an instance was started in response to an unhealthy instance needing to be "
			    "replaced.");
	struct str started = scaling_say_at(
		op,
		"an instance was started in response to a difference between desired and actual capacity, "
		"increasing the capacity from %" PRId64 " to %" PRId64 ".",
		before, before + units);
	return str_print(op->ctx->arena, "%" STR_FMT "  %" STR_FMT, STR_ARG(group->reason), STR_ARG(started));
}

static RESULT add_member(struct op *op, const struct launching *l, uuid instance, int64_t units,
			 struct str launch_configuration, int64_t number)
{
	const struct scaling_group *group = scaling_group_find(op->head, l->group);
	const struct instance *i = instance_find(op->head, instance);
	struct scaling_member made = {.row = {.id = engine_new_id(op, KIND_SCALING_MEMBER), .gen = 1},
				      .account = group->account,
				      .scaling_group = l->group,
				      .instance = instance,
				      .zone = i->zone,
				      .units = units,
				      .number = number,
				      .is_protected = group->protects_new && !l->is_warm,
				      .pool = l->is_warm ? SCALING_MEMBER_POOL_WARM
							 : SCALING_MEMBER_POOL_NONE,
				      .refresh = l->refresh,
				      .launch_configuration = launch_configuration,
				      .stage_us = op->now_us};
	const struct activity_wish activity = {
		.group = l->group,
		.instance = i,
		.description = str_print(op->ctx->arena, "Launching a new EC2 instance%s: %" STR_FMT,
					 l->is_warm ? " into warm pool" : "",
					 STR_ARG(engine_write_id(op, KIND_INSTANCE, instance))),
		.cause = say_launch(op, group, l, units)};
	TRY(scaling_begin_activity(op, &activity, &made.activity));
	TRY(autoscale_name_machine(op, group, instance));
	return scaling_member_put(op, &made);
}

/* Launches one instance by the first launch that has room. */
static RESULT launch_one(struct op *op, struct launching *l, bool *ret_launched)
{
	const struct scaling_group group = launching_group(op->head, l->group);
	const struct launch_configuration *configuration =
		launch_configuration_find(op->head, group.launch_configuration);
	bool is_spot = !l->is_warm && is_spot_next(op->head, &group);
	struct choice_of *order = NULL;
	TRY(order_launches(op, l, &group, is_spot, &order));
	*ret_launched = false;
	for (size_t k = 0; k < l->wish->count && !*ret_launched; k++) {
		const struct fleet_override *o = &l->wish->launches[order[k].number];
		struct op_place place = op_place_now(op);
		struct instance_launch launch = o->launch;
		if (o->code.n) {
			l->problem = o->message;
			continue;
		}
		if (l->is_warm && launch.spot.is_spot) {
			l->problem = STR("A warm pool cannot have Spot Instances.");
			continue;
		}
		launch.min_count = launch.max_count = 1;
		launch.scaling_group = group.name;
		if (group.is_mixed)
			launch.spot = (struct spot_wish){
				.is_spot = is_spot, .from_launch = is_spot, .tags = launch.spot.tags};
		int64_t number = 0;
		struct result result = scaling_launch_machine(op, &group, o->set, &launch, &number);
		if (!result_is_ok(result) && !fleet_is_of_override(result.code))
			return result;
		*ret_launched = result_is_ok(result) && launch.made.count;
		if (*ret_launched) {
			l->launched += o->capacity;
			TRY(add_member(op, l, launch.made.at[0], o->capacity,
				       configuration ? configuration->name : STR_NONE, number));
			continue;
		}
		op_go_back(op, place);
		l->problem = op->ctx->problem.message.n ? op->ctx->problem.message : STR("There is no room.");
		ctx_clear_problem(op->ctx);
	}
	return OK;
}

static RESULT launch_some(struct op *op, void *arg)
{
	struct launching *l = arg;
	bool has_launched = true;
	for (int n = 0; n < LAUNCHES_A_TURN && has_launched; n++) {
		if (present_units(op->head, l) >= l->wanted)
			return OK;
		TRY(launch_one(op, l, &has_launched));
	}
	return OK;
}

static RESULT note_failure(struct op *op, const struct launching *l, struct str problem)
{
	uuid id = l->group;
	const struct scaling_group *group = scaling_group_find(op->head, id);
	uuid failed = UUID_NONE;
	const struct activity_wish activity = {
		.group = id,
		.status = SCALING_ACTIVITY_STATUS_FAILED,
		.description = str_print(op->ctx->arena,
					 "Launching a new EC2 instance.  Status Reason: %" STR_FMT
					 " Launching EC2 instance failed.",
					 STR_ARG(str_cut(problem, 400))),
		.message = str_print(op->ctx->arena, "%" STR_FMT " Launching EC2 instance failed.",
				     STR_ARG(str_cut(problem, 900))),
		.cause = say_launch(op, group, l, 1)};
	TRY(scaling_begin_activity(op, &activity, &failed));
	return scaling_notify(op, id, SCALING_EVENT_LAUNCH_ERROR, failed);
}

/* Notes when the next launch may follow. */
static RESULT note_launch(struct op *op, const struct launching *l)
{
	bool is_short = present_units(op->head, l) < l->wanted;
	if (l->problem.n && is_short)
		TRY(note_failure(op, l, l->problem));
	struct scaling_group next = *scaling_group_find(op->head, l->group);
	int64_t *tries = l->is_warm ? &next.pool_tries : &next.tries;
	*tries = l->launched ? 0 : *tries + 1;
	*(l->is_warm ? &next.pool_again_us : &next.again_us) =
		*tries ? fleet_next_try(op->now_us, *tries) : op->now_us + (is_short ? 0 : PAUSE_S * SECOND);
	if (!is_short && !l->is_warm)
		next.reason = STR_NONE;
	return scaling_group_put(op, &next);
}

static RESULT launch(struct op *op, const struct scaling_group *group, const struct scaling_following *wish,
		     bool is_warm)
{
	struct op_place place = op_place_now(op);
	struct scaling_group launching = *group;
	uuid refresh = engine_use_scaling_refresh(op->head, &launching);
	const struct scaling_source source = engine_get_scaling_source(&launching);
	const struct asker asker = ASKER_OF(&launching);
	const struct asker_work work = {wish->guard, "instance.create", op->now_us};
	struct launching l = {.wish = wish,
			      .group = group->row.id,
			      .refresh = refresh,
			      .is_warm = is_warm,
			      .wanted = is_warm ? engine_want_scaling_pool(group)
						: wanted_units(op->head, group, op->now_us),
			      .places = engine_count_scaling_places(&source)};
	if (!wish->has_read && !wish->problem.n)
		return OK;
	/* the source may have changed since it was read */
	if (wish->gen != group->row.gen || !uuid_equal(wish->refresh, refresh) ||
	    (wish->has_read && wish->count != l.places * engine_count_scaling_overrides(&source)))
		return FAIL(AGAIN);
	l.problem = wish->problem;
	struct result result = wish->has_read ? asker_run(op, &asker, &work, launch_some, &l) : OK;
	if (result_is_ok(result))
		return note_launch(op, &l);
	if (!engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	l = (struct launching){.group = l.group,
			       .is_warm = is_warm,
			       .wanted = l.wanted,
			       .problem = op->ctx->problem.message};
	if (!l.problem.n)
		l.problem = STR("The launch was refused.");
	ctx_clear_problem(op->ctx);
	return note_launch(op, &l);
}

/* ---- other turns ---- */

static RESULT shrink(struct op *op, const struct scaling_group *group)
{
	int64_t units = engine_count_scaling_units(op->head, group->row.id);
	int64_t wanted = wanted_units(op->head, group, op->now_us);
	const struct scaling_member *m =
		engine_choose_scaling_member(op->head, group, units - wanted, op->now_us);
	struct str id = engine_write_id(op, KIND_INSTANCE, m->instance);
	struct str taken = scaling_say_at(
		op,
		"an instance was taken out of service in response to a difference between desired and actual "
		"capacity, shrinking the capacity from %" PRId64 " to %" PRId64 ".",
		units, units - m->units);
	struct str chosen =
		scaling_say_at(op, "instance %" STR_FMT " was selected for termination.", STR_ARG(id));
	struct str cause =
		str_print(op->ctx->arena, "%" STR_FMT "%s%" STR_FMT "  %" STR_FMT, STR_ARG(group->reason),
			  group->reason.n ? "  " : "", STR_ARG(taken), STR_ARG(chosen));
	return scaling_takes_back(op->head, group) && m->stage == SCALING_MEMBER_STAGE_IN_SERVICE
		       ? scaling_member_return(op, m, cause)
		       : scaling_member_terminate(op, m, cause, false, NULL);
}

static RESULT judge_member(struct op *op, const struct scaling_member *m, enum scaling_member_unhealthy_by by)
{
	struct scaling_member next = *m;
	next.is_unhealthy = true;
	next.unhealthy_by = by;
	next.row.gen++;
	return scaling_member_put(op, &next);
}

static RESULT replace(struct op *op, const struct scaling_member *m)
{
	static const char *const causes[] = {
		[SCALING_MEMBER_UNHEALTHY_BY_NOTHING] = "a health check.",
		[SCALING_MEMBER_UNHEALTHY_BY_EC2] =
			"an EC2 health check indicating it has been terminated or stopped.",
		[SCALING_MEMBER_UNHEALTHY_BY_ELB] = "an ELB system health check failure.",
		[SCALING_MEMBER_UNHEALTHY_BY_USER] = "a user health-check.",
	};
	struct str cause = scaling_say_at(op, "an instance was taken out of service in response to %s",
					  causes[m->unhealthy_by]);
	return scaling_member_terminate(op, m, cause, false, NULL);
}

/* The capacity follows the machines that are left. */
static RESULT leave(struct op *op, const struct scaling_member *m)
{
	struct scaling_group next = *scaling_group_find(op->head, m->scaling_group);
	int64_t desired = next.desired - m->units;
	next.desired = desired > next.min_size ? desired : next.min_size;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_CANCELLED, NULL));
	return scaling_member_forget(op, m->row.id);
}

static RESULT act(struct op *op, const struct scaling_group *group)
{
	enum member_act what = MEMBER_STAY;
	enum scaling_member_unhealthy_by by = SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
	int64_t due_us = INT64_MAX;
	const struct scaling_member *m = find_member(op->head, group, op->now_us, &due_us, &what, &by);
	switch (what) {
	case MEMBER_STAY:
		return OK;
	case MEMBER_ARRIVE:
		return scaling_member_arrive(op, m);
	case MEMBER_PROCEED:
		return scaling_member_proceed(op, m);
	case MEMBER_JUDGE:
		return judge_member(op, m, by);
	case MEMBER_REPLACE:
		return replace(op, m);
	case MEMBER_REST:
		return scaling_pool_ready(op, m, SCALING_MEMBER_STAGE_WARMED_STOPPED);
	case MEMBER_DRAIN:
		return scaling_member_terminate(op, m,
						scaling_say_at(op, "an instance was taken out of the warm "
								   "pool in response to its deletion."),
						false, NULL);
	case MEMBER_LEAVE:
		return leave(op, m);
	case MEMBER_TERMINATE:
		return scaling_member_terminate(
			op, m,
			scaling_say_at(op, "an instance was taken out of service in response to the "
					   "deletion of its AutoScalingGroup."),
			true, NULL);
	case MEMBER_END:
		TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_SUCCESSFUL, NULL));
		TRY(scaling_notify(op, m->scaling_group, SCALING_EVENT_TERMINATE, m->activity));
		return scaling_member_forget(op, m->row.id);
	}
	return FAIL(INTERNAL);
}

RESULT engine_follow_scaling(struct op *op, struct scaling_following *wish)
{
	const struct scaling_group *group = scaling_group_find(op->head, wish->group);
	int64_t due_us = 0;
	if (!group)
		return OK;
	switch (engine_find_scaling_turn(op->head, group, op->now_us, &due_us)) {
	case SCALING_WAIT:
		return OK;
	case SCALING_LAUNCH:
		return launch(op, group, wish, false);
	case SCALING_PREPARE:
		return launch(op, group, wish, true);
	case SCALING_DRAW:
		return scaling_draw(op, group);
	case SCALING_SHED:
		return scaling_shed(op, group);
	case SCALING_CLOSE:
		return scaling_close_pool(op, group);
	case SCALING_SHRINK:
		return shrink(op, group);
	case SCALING_MEMBER:
		return act(op, group);
	case SCALING_REFRESH:
		return scaling_follow_refresh(op, group);
	case SCALING_FORGET:
		return scaling_forget_group(op, wish->group);
	}
	return FAIL(INTERNAL);
}
