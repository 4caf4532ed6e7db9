/* SPDX-License-Identifier: Apache-2.0
 * Members of scaling groups: their transitions, and the calls that act on instances of a group. Called by:
 * api/autoscaling, scaling_follow.c. */
#include <inttypes.h>

#include "engine/balancing/balancing.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/scaling/autoscale_internal.h"
#include "engine/tag_internal.h"
#include "store/instance.h"
#include "store/target.h"
#include "store/target_group.h"

#define REASON_CODE "Client.UserInitiatedShutdown"
#define REASON_TEXT REASON_CODE ": terminated by Auto Scaling"

/* ---- look-ups ---- */

const struct scaling_member *engine_find_scaling_member(const struct tables *t, uuid instance)
{
	return uuid_is_none(instance) ? NULL : scaling_member_first_by_instance(t, instance);
}

int64_t engine_count_scaling_units(const struct tables *t, uuid group)
{
	int64_t units = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, group); m;
	     m = scaling_member_next_by_scaling_group(t, m))
		units += scaling_member_counts(m) ? m->units : 0;
	return units;
}

static struct str write_instance(struct op *op, uuid instance)
{
	return engine_write_id(op, KIND_INSTANCE, instance);
}

/* ---- target groups ---- */

struct registering {
	struct targets_wish wish;
	bool is_registered;
};

static RESULT run_registering(struct op *op, void *arg)
{
	struct registering *r = arg;
	return r->is_registered ? engine_register_targets(op, &r->wish)
				: engine_deregister_targets(op, &r->wish);
}

RESULT scaling_member_register_in(struct op *op, const struct scaling_group *group, uuid target_group,
				  uuid instance, bool is_registered)
{
	struct op_place place = op_place_now(op);
	struct balancing_target one = {.instance = engine_ref_to(op, KIND_INSTANCE, instance, STR("Targets")),
				       .text = write_instance(op, instance),
				       .field = STR("Targets")};
	struct registering r = {.wish = {.target_group = engine_ref_to(op, KIND_TARGET_GROUP, target_group,
								       STR("TargetGroupARNs")),
					 .targets = {&one, 1}},
				.is_registered = is_registered};
	struct result result = scaling_as_system(op, run_registering, &r);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return engine_log_event(op, KIND_SCALING_GROUP, &group->row, "not registered", "%" STR_FMT,
				STR_ARG(str_cut(problem, 500)));
}

RESULT scaling_member_register(struct op *op, const struct scaling_group *group, uuid instance,
			       bool is_registered)
{
	for (size_t k = 0; k < group->target_groups.count; k++)
		TRY(scaling_member_register_in(op, group, group->target_groups.at[k], instance,
					       is_registered));
	return autoscale_balance(op, group, instance, is_registered);
}

/* ---- transitions ---- */

RESULT scaling_put_stage(struct op *op, struct scaling_member *next, enum scaling_member_stage stage)
{
	next->stage = stage;
	next->stage_us = op->now_us;
	next->row.gen++;
	return scaling_member_put(op, next);
}

static RESULT end_instance(struct op *op, uuid instance)
{
	const struct instance *i = instance_find(op->head, instance);
	return i && row_is_live(&i->row) ? instance_write_terminate(op, i, REASON_CODE, REASON_TEXT) : OK;
}

RESULT scaling_member_terminate(struct op *op, const struct scaling_member *m, struct str cause,
				bool is_at_once, uuid *ret_activity)
{
	const struct scaling_group *group = scaling_group_find(op->head, m->scaling_group);
	struct scaling_member next = *m;
	next.hooks = (struct strs){0};
	if (!is_at_once) {
		TRY(scaling_find_hooks(op, m->scaling_group, true, &next.hooks));
		TRY(autoscale_drain(op, group, &next.hooks));
	}
	bool waits = next.hooks.count > 0;
	TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_CANCELLED, NULL));
	const struct activity_wish wish = {
		.group = m->scaling_group,
		.instance = instance_find(op->head, m->instance),
		.status = waits ? SCALING_ACTIVITY_STATUS_MID_ACTION : SCALING_ACTIVITY_STATUS_IN_PROGRESS,
		.description = str_print(op->ctx->arena, "Terminating EC2 instance: %" STR_FMT,
					 STR_ARG(write_instance(op, m->instance))),
		.cause = cause};
	TRY(scaling_begin_activity(op, &wish, &next.activity));
	if (ret_activity)
		*ret_activity = next.activity;
	TRY(scaling_put_stage(
		op, &next, waits ? SCALING_MEMBER_STAGE_TERMINATING_WAIT : SCALING_MEMBER_STAGE_TERMINATING));
	TRY(scaling_member_register(op, group, next.instance, false));
	return waits ? scaling_notify_hooks(op, &next) : end_instance(op, next.instance);
}

/* Lets the instance go back into the warm pool, where the hooks of a launch may hold it again. */
static RESULT go_back(struct op *op, struct scaling_member *next)
{
	next->hooks = (struct strs){0};
	next->pool = SCALING_MEMBER_POOL_WARM;
	next->since_us = 0;
	next->is_protected = false;
	return scaling_put_stage(op, next, SCALING_MEMBER_STAGE_PENDING);
}

RESULT scaling_member_return(struct op *op, const struct scaling_member *m, struct str cause)
{
	const struct scaling_group *group = scaling_group_find(op->head, m->scaling_group);
	struct scaling_member next = *m;
	TRY(scaling_find_hooks(op, m->scaling_group, true, &next.hooks));
	bool waits = next.hooks.count > 0;
	TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_CANCELLED, NULL));
	const struct activity_wish wish = {
		.group = m->scaling_group,
		.instance = instance_find(op->head, m->instance),
		.status = waits ? SCALING_ACTIVITY_STATUS_MID_ACTION : SCALING_ACTIVITY_STATUS_IN_PROGRESS,
		.description = str_print(op->ctx->arena, "Returning EC2 instance to warm pool: %" STR_FMT,
					 STR_ARG(write_instance(op, m->instance))),
		.cause = cause};
	TRY(scaling_begin_activity(op, &wish, &next.activity));
	next.pool = SCALING_MEMBER_POOL_RETURNING;
	TRY(waits ? scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_TERMINATING_WAIT) : go_back(op, &next));
	TRY(scaling_member_register(op, group, next.instance, false));
	return waits ? scaling_notify_hooks(op, &next) : OK;
}

RESULT scaling_member_arrive(struct op *op, const struct scaling_member *m)
{
	struct scaling_member next = *m;
	if (m->stage == SCALING_MEMBER_STAGE_PENDING)
		TRY(scaling_find_hooks(op, m->scaling_group, false, &next.hooks));
	if (next.hooks.count && m->stage == SCALING_MEMBER_STAGE_PENDING) {
		TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_MID_ACTION, NULL));
		TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_PENDING_WAIT));
		return scaling_notify_hooks(op, &next);
	}
	if (scaling_is_warm(m))
		return scaling_pool_rest(op, m);
	TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_SUCCESSFUL, NULL));
	uuid launched = next.activity;
	next.hooks = (struct strs){0};
	next.activity = UUID_NONE;
	next.since_us = op->now_us;
	TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_IN_SERVICE));
	TRY(scaling_notify(op, next.scaling_group, SCALING_EVENT_LAUNCH, launched));
	return scaling_member_register(op, scaling_group_find(op->head, next.scaling_group), next.instance,
				       true);
}

RESULT scaling_member_proceed(struct op *op, const struct scaling_member *m)
{
	struct scaling_member next = *m;
	TRY(scaling_expire_hooks(op, &next));
	if (next.hooks.count) {
		next.row.gen++;
		return scaling_member_put(op, &next);
	}
	if (m->stage == SCALING_MEMBER_STAGE_TERMINATING_WAIT) {
		const struct scaling_group *group = scaling_group_find(op->head, m->scaling_group);
		bool has_pool = group->has_pool && !group->pool_is_deleting;
		if (m->pool == SCALING_MEMBER_POOL_RETURNING && has_pool)
			return go_back(op, &next);
		TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_IN_PROGRESS, NULL));
		TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_TERMINATING_PROCEED));
		return end_instance(op, next.instance);
	}
	if (!next.is_abandoned) {
		TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_PENDING_PROCEED));
		return scaling_member_arrive(op, scaling_member_find(op->head, next.row.id));
	}
	struct str cause =
		scaling_say_at(op, "an instance was taken out of service because its lifecycle action "
				   "was abandoned.");
	next.row.gen++;
	TRY(scaling_member_put(op, &next));
	return scaling_member_terminate(op, scaling_member_find(op->head, next.row.id), cause, false, NULL);
}

RESULT scaling_leave_instance(struct op *op, uuid instance)
{
	const struct scaling_member *m = engine_find_scaling_member(op->head, instance);
	if (!m)
		return OK;
	TRY(scaling_set_activity(op, m->activity, SCALING_ACTIVITY_STATUS_CANCELLED, NULL));
	return scaling_member_forget(op, m->row.id);
}

/* ---- calls ---- */

static RESULT fail_unknown(struct op *op, const struct ref *ref, const char *words)
{
	return engine_fail_about(
		op->ctx, ref,
		ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_SCALING_MEMBER, words, STR_ARG(ref->text)));
}

/* The instance's member. Instances of other accounts, and those in no group, are unknown alike. */
static RESULT find_member(struct op *op, const struct ref *ref, const struct scaling_member **ret_member)
{
	const struct instance *i = NULL;
	struct result found = engine_find_own_instance(op->ctx, op->head, ref, &i);
	if (found.code != ERR_NOT_FOUND)
		TRY(found);
	ctx_clear_problem(op->ctx);
	*ret_member = i ? engine_find_scaling_member(op->head, i->row.id) : NULL;
	return *ret_member
		       ? OK
		       : fail_unknown(op, ref,
				      "Instance Id not found - No managed instance found for instance ID: "
				      "%" STR_FMT);
}

/* The group of a call: the named one, or that of the first instance. */
static RESULT find_group(struct op *op, const struct scaling_instances *wish, const char *permission,
			 const struct scaling_group **ret_group)
{
	const struct scaling_member *m = NULL;
	if (ref_is_given(&wish->group) || !wish->instances.count)
		return scaling_find(op, &wish->group, permission, ret_group);
	TRY(find_member(op, &wish->instances.at[0], &m));
	struct ref ref = engine_ref_to(op, KIND_SCALING_GROUP, m->scaling_group, wish->instances.at[0].field);
	return scaling_find(op, &ref, permission, ret_group);
}

static RESULT find_member_of(struct op *op, const struct scaling_group *group, const struct ref *ref,
			     const struct scaling_member **ret_member)
{
	TRY(find_member(op, ref, ret_member));
	if (uuid_equal((*ret_member)->scaling_group, group->row.id))
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_NOT_FOUND, KIND_SCALING_MEMBER, ref,
				 "The instance %" STR_FMT " is not part of Auto Scaling group %" STR_FMT ".",
				 STR_ARG(ref->text), STR_ARG(group->name));
}

/* Some calls take no instances of a warm pool, as in EC2. */
static RESULT check_served(struct op *op, const struct scaling_member *m, const struct ref *ref)
{
	if (!scaling_is_warm(m))
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
				 "The instance %" STR_FMT " is in a warm pool.", STR_ARG(ref->text));
}

static RESULT add_activity(struct op *op, struct scaling_instances *wish, uuid activity)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, wish->activities.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->activities.count; k++)
		at[k] = wish->activities.at[k];
	at[wish->activities.count] = activity;
	wish->activities = (struct uuids){at, wish->activities.count + 1};
	return OK;
}

/* Writes the smaller or greater desired capacity, and returns what a cause says of it: ", shrinking the capacity from 2 to
 * 1". Difference 0: the group launches a replacement without a pause. */
static RESULT change_desired(struct op *op, uuid group, int64_t difference, struct str *ret_words)
{
	struct scaling_group next = *scaling_group_find(op->head, group);
	int64_t desired = next.desired + difference;
	*ret_words = STR_NONE;
	if (!difference)
		return scaling_end_pause(op, group);
	if (desired < next.min_size)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SCALING_GROUP, STR("ShouldDecrementDesiredCapacity"),
			"Currently, desiredSize equals minSize (%" PRId64
			"). Terminating instance without replacement will violate group's min size "
			"constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "
			"group's min size.",
			next.min_size);
	if (desired > next.max_size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("InstanceIds"),
				   "Error. AutoScaling group %" STR_FMT " would have %" PRId64
				   " instances, which is more than its max size (%" PRId64 ").",
				   STR_ARG(next.name), desired, next.max_size);
	*ret_words = str_print(op->ctx->arena, ", %s the capacity from %" PRId64 " to %" PRId64,
			       difference < 0 ? "shrinking" : "increasing", next.desired, desired);
	next.desired = desired;
	next.row.gen++;
	return scaling_group_put(op, &next);
}

RESULT engine_terminate_scaling_instance(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_member *m = NULL;
	struct str words;
	uuid activity = UUID_NONE;
	TRY(find_group(op, wish, "scaling_group.terminate_instance", &group));
	TRY(find_member_of(op, group, &wish->instances.at[0], &m));
	bool counts = scaling_member_counts(m);
	TRY(check_served(op, m, &wish->instances.at[0]));
	if (!counts && m->stage != SCALING_MEMBER_STAGE_STANDBY)
		return ENGINE_FAIL_ABOUT(op, ERR_CONFLICT, KIND_SCALING_MEMBER, &wish->instances.at[0],
					 "The instance %" STR_FMT " is being terminated already.",
					 STR_ARG(wish->instances.at[0].text));
	TRY(change_desired(op, group->row.id, wish->decrements ? -m->units : 0, &words));
	struct str cause = scaling_say_at(
		op,
		"instance %" STR_FMT " was taken out of service in response to a user request%" STR_FMT ".",
		STR_ARG(write_instance(op, m->instance)), STR_ARG(words));
	TRY(scaling_member_terminate(op, m, cause, false, &activity));
	return add_activity(op, wish, activity);
}

/* True if a target group of the group is in another VPC than the instance, which could not be registered there. */
static bool is_elsewhere(const struct tables *t, const struct scaling_group *group, const struct instance *i)
{
	for (size_t k = 0; k < group->target_groups.count; k++) {
		const struct target_group *g = target_group_find(t, group->target_groups.at[k]);
		if (g && !uuid_equal(g->router, i->router))
			return true;
	}
	return false;
}

static RESULT attach_one(struct op *op, uuid group_id, const struct ref *ref)
{
	const struct instance *i = NULL;
	struct str words;
	TRY(engine_find_own_instance(op->ctx, op->head, ref, &i));
	uuid instance = i->row.id;
	if (model_derive_instance_state(i) != INSTANCE_RUNNING)
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
					 "Invalid Instance ID(s): [%" STR_FMT
					 "]. The instance is not in a running state.",
					 STR_ARG(ref->text));
	if (engine_find_scaling_member(op->head, instance))
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
					 "Invalid Instance ID(s): [%" STR_FMT
					 "]. The instance is already part of an Auto Scaling group.",
					 STR_ARG(ref->text));
	if (!uuids_have(&scaling_group_find(op->head, group_id)->zones, i->zone))
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
					 "Invalid Instance ID(s): [%" STR_FMT
					 "]. The instance is not in one of the group's Availability Zones.",
					 STR_ARG(ref->text));
	if (is_elsewhere(op->head, scaling_group_find(op->head, group_id), i))
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
					 "Invalid Instance ID(s): [%" STR_FMT
					 "]. The instance is not in the VPC of the group's load balancer.",
					 STR_ARG(ref->text));
	TRY(change_desired(op, group_id, 1, &words));
	const struct scaling_group *group = scaling_group_find(op->head, group_id);
	struct instance next = *i;
	const struct tag tag = {STR(SCALING_TAG), group->name};
	TRY(tag_add_reserved(op, (struct tags){&tag, 1}, &next.tags));
	TRY(instance_put(op, &next));
	const struct scaling_member made = {.row = {.id = engine_new_id(op, KIND_SCALING_MEMBER), .gen = 1},
					    .account = group->account,
					    .scaling_group = group_id,
					    .instance = instance,
					    .zone = next.zone,
					    .units = 1,
					    .is_protected = group->protects_new,
					    .stage = SCALING_MEMBER_STAGE_IN_SERVICE,
					    .since_us = op->now_us,
					    .stage_us = op->now_us};
	TRY(scaling_member_put(op, &made));
	const struct activity_wish activity = {
		.group = group_id,
		.instance = instance_find(op->head, instance),
		.status = SCALING_ACTIVITY_STATUS_SUCCESSFUL,
		.description = str_print(op->ctx->arena, "Attaching an existing EC2 instance: %" STR_FMT,
					 STR_ARG(ref->text)),
		.cause = scaling_say_at(op,
					"an instance was attached in response to a user request%" STR_FMT ".",
					STR_ARG(words))};
	TRY(scaling_begin_activity(op, &activity, NULL));
	return scaling_member_register(op, scaling_group_find(op->head, group_id), instance, true);
}

RESULT engine_attach_scaling_instances(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	TRY(find_group(op, wish, "scaling_group.attach", &group));
	uuid id = group->row.id;
	for (size_t k = 0; k < wish->instances.count; k++)
		TRY(attach_one(op, id, &wish->instances.at[k]));
	return OK;
}

/* Takes the tag of the group from an instance that leaves it. */
static RESULT remove_tag(struct op *op, uuid instance)
{
	const struct instance *i = instance_find(op->head, instance);
	struct tag *tags = i ? arena_new_array(op->ctx->arena, struct tag, i->tags.count + 1) : NULL;
	size_t count = 0;
	if (!i)
		return OK;
	if (!tags)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < i->tags.count; k++)
		if (!str_is(i->tags.at[k].key, SCALING_TAG))
			tags[count++] = i->tags.at[k];
	struct instance next = *i;
	next.tags = (struct tags){tags, count};
	return instance_put(op, &next);
}

/* Instances in service and on standby can be moved, others cannot. */
static RESULT check_stage(struct op *op, const struct scaling_member *m, const struct ref *ref,
			  bool may_stand_by, const char *what)
{
	if (m->stage == SCALING_MEMBER_STAGE_IN_SERVICE ||
	    (may_stand_by && m->stage == SCALING_MEMBER_STAGE_STANDBY))
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
				 "The instance %" STR_FMT " is not in %s.", STR_ARG(ref->text), what);
}

/* Why an instance leaves service, or comes back: an activity that is over at once. */
static RESULT note_move(struct op *op, struct scaling_instances *wish, const struct scaling_member *m,
			const char *description, const char *done, struct str words)
{
	uuid activity = UUID_NONE;
	struct str id = write_instance(op, m->instance);
	const struct activity_wish a = {
		.group = m->scaling_group,
		.instance = instance_find(op->head, m->instance),
		.status = SCALING_ACTIVITY_STATUS_SUCCESSFUL,
		.description = str_print(op->ctx->arena, "%s: %" STR_FMT, description, STR_ARG(id)),
		.cause = scaling_say_at(
			op, "instance %" STR_FMT " was %s in response to a user request%" STR_FMT ".",
			STR_ARG(id), done, STR_ARG(words))};
	TRY(scaling_begin_activity(op, &a, &activity));
	return add_activity(op, wish, activity);
}

static RESULT detach_one(struct op *op, struct scaling_instances *wish, uuid group_id, const struct ref *ref)
{
	const struct scaling_member *m = NULL;
	struct str words;
	TRY(find_member_of(op, scaling_group_find(op->head, group_id), ref, &m));
	TRY(check_stage(op, m, ref, true, "InService or Standby"));
	TRY(change_desired(op, group_id, wish->decrements ? -m->units : 0, &words));
	TRY(note_move(op, wish, m, "Detaching EC2 instance", "detached", words));
	uuid instance = m->instance;
	TRY(scaling_member_forget(op, m->row.id));
	TRY(remove_tag(op, instance));
	return scaling_member_register(op, scaling_group_find(op->head, group_id), instance, false);
}

RESULT engine_detach_scaling_instances(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	TRY(find_group(op, wish, "scaling_group.detach", &group));
	uuid id = group->row.id;
	for (size_t k = 0; k < wish->instances.count; k++)
		TRY(detach_one(op, wish, id, &wish->instances.at[k]));
	return OK;
}

static RESULT stand_by(struct op *op, struct scaling_instances *wish, uuid group_id, const struct ref *ref)
{
	const struct scaling_member *m = NULL;
	struct str words;
	TRY(find_member_of(op, scaling_group_find(op->head, group_id), ref, &m));
	TRY(check_stage(op, m, ref, false, "InService"));
	TRY(change_desired(op, group_id, wish->decrements ? -m->units : 0, &words));
	TRY(note_move(op, wish, m, "Moving EC2 instance to Standby", "moved to standby", words));
	struct scaling_member next = *m;
	TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_STANDBY));
	return scaling_member_register(op, scaling_group_find(op->head, group_id), next.instance, false);
}

RESULT engine_enter_scaling_standby(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	TRY(find_group(op, wish, "scaling_group.enter_standby", &group));
	uuid id = group->row.id;
	for (size_t k = 0; k < wish->instances.count; k++)
		TRY(stand_by(op, wish, id, &wish->instances.at[k]));
	return OK;
}

static RESULT come_back(struct op *op, struct scaling_instances *wish, uuid group_id, const struct ref *ref)
{
	const struct scaling_member *m = NULL;
	struct str words;
	TRY(find_member_of(op, scaling_group_find(op->head, group_id), ref, &m));
	if (m->stage != SCALING_MEMBER_STAGE_STANDBY)
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_SCALING_MEMBER, ref,
					 "The instance %" STR_FMT " is not in Standby.", STR_ARG(ref->text));
	TRY(change_desired(op, group_id, m->units, &words));
	TRY(note_move(op, wish, m, "Moving EC2 instance out of Standby", "moved out of standby", words));
	struct scaling_member next = *m;
	next.since_us = op->now_us;
	TRY(scaling_put_stage(op, &next, SCALING_MEMBER_STAGE_IN_SERVICE));
	return scaling_member_register(op, scaling_group_find(op->head, group_id), next.instance, true);
}

RESULT engine_exit_scaling_standby(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	TRY(find_group(op, wish, "scaling_group.exit_standby", &group));
	uuid id = group->row.id;
	for (size_t k = 0; k < wish->instances.count; k++)
		TRY(come_back(op, wish, id, &wish->instances.at[k]));
	return OK;
}

RESULT engine_set_scaling_health(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_member *m = NULL;
	TRY(find_group(op, wish, "scaling_group.set_health", &group));
	TRY(find_member_of(op, group, &wish->instances.at[0], &m));
	bool is_young = m->stage != SCALING_MEMBER_STAGE_IN_SERVICE ||
			op->now_us < m->since_us + group->grace_s * SECOND;
	if (wish->is_unhealthy == m->is_unhealthy ||
	    (wish->is_unhealthy && wish->respects_grace && group->grace_s && is_young))
		return OK;
	struct scaling_member next = *m;
	next.is_unhealthy = wish->is_unhealthy;
	next.unhealthy_by =
		wish->is_unhealthy ? SCALING_MEMBER_UNHEALTHY_BY_USER : SCALING_MEMBER_UNHEALTHY_BY_NOTHING;
	next.row.gen++;
	TRY(scaling_member_put(op, &next));
	return wish->is_unhealthy ? scaling_end_pause(op, next.scaling_group) : OK;
}

RESULT engine_set_scaling_protection(struct op *op, struct scaling_instances *wish)
{
	const struct scaling_group *group = NULL;
	TRY(find_group(op, wish, "scaling_group.set_protection", &group));
	for (size_t k = 0; k < wish->instances.count; k++) {
		const struct scaling_member *m = NULL;
		TRY(find_member_of(op, group, &wish->instances.at[k], &m));
		TRY(check_served(op, m, &wish->instances.at[k]));
		struct scaling_member next = *m;
		next.is_protected = wish->is_protected;
		next.row.gen++;
		TRY(scaling_member_put(op, &next));
	}
	return OK;
}
