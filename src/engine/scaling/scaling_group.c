/* SPDX-License-Identifier: Apache-2.0
 * Scaling groups: creation, settings, deletion, suspended processes, target groups and tags. Called by:
 * api/autoscaling. */
#include "store/scaling_group.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/alarm/alarm.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/launch/launch_internal.h"
#include "engine/limits.h"
#include "engine/people/asker.h"
#include "engine/scaling/scaling_internal.h"
#include "engine/tag.h"
#include "engine/tag_internal.h"
#include "model/session.h"
#include "store/launch_configuration.h"
#include "store/launch_template.h"
#include "store/subnet.h"
#include "store/target_group.h"
#include "store/zone.h"

/* ---- look-ups ---- */

struct scaling_source engine_get_scaling_source(const struct scaling_group *group)
{
	return (struct scaling_source){.launch_configuration = group->launch_configuration,
				       .template = group->template,
				       .version = group->template_version,
				       .overrides = group->overrides,
				       .subnets = group->subnets,
				       .zones = group->zones,
				       .placement_group = group->placement_group,
				       .is_mixed = group->is_mixed};
}

size_t engine_count_scaling_places(const struct scaling_source *source)
{
	return source->subnets.count ? source->subnets.count : source->zones.count;
}

size_t engine_count_scaling_overrides(const struct scaling_source *source)
{
	size_t count = source->overrides.count / OVERRIDE_TEXTS;
	return count ? count : 1;
}

RESULT scaling_find(struct op *op, const struct ref *ref, const char *permission,
		    const struct scaling_group **ret_group)
{
	TRY(engine_permit_scaling_group(op, ref, permission, ret_group));
	if (!(*ret_group)->is_deleting)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_GROUP, ref->field,
			   "AutoScalingGroup %" STR_FMT " is pending delete, and can't be updated.",
			   STR_ARG((*ret_group)->name));
}

RESULT scaling_as_system(struct op *op, op_run run, void *arg)
{
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	op->ctx->who = NULL;
	op->ctx->guard = NULL;
	struct result result = run(op, arg);
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}

/* ---- settings ---- */

static RESULT check_sizes(struct op *op, const struct scaling_group *next)
{
	if (next->min_size > next->max_size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("MaxSize"),
				   "Max bound, %" PRId64
				   ", must be greater than or equal to min bound, %" PRId64,
				   next->max_size, next->min_size);
	if (next->desired < next->min_size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("DesiredCapacity"),
				   "Desired capacity:%" PRId64
				   " must be between the specified min size:%" PRId64
				   " and max size:%" PRId64,
				   next->desired, next->min_size, next->max_size);
	if (next->desired > next->max_size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("DesiredCapacity"),
				   "Desired capacity:%" PRId64
				   " must be between the specified min size:%" PRId64
				   " and max size:%" PRId64,
				   next->desired, next->min_size, next->max_size);
	return OK;
}

/* A group outlives the temporary credentials that made it, as in EC2; the policies of their session limit its launches. */
static RESULT note_asker(struct op *op, struct scaling_group *next)
{
	ASKER_NOTE(op, next);
	next->made_until_us = 0;
	return OK;
}

static RESULT apply_source(struct op *op, const struct scaling_settings *s, struct scaling_group *next)
{
	const struct launch_configuration *configuration = NULL;
	const struct launch_template *template = NULL;
	if (ref_is_given(&s->launch_configuration))
		TRY(engine_find_own_launch_configuration(op->ctx, op->head, &s->launch_configuration,
							 &configuration));
	if (ref_is_given(&s->template))
		TRY(engine_find_own_launch_template(op->ctx, op->head, &s->template, &template));
	next->launch_configuration = configuration ? configuration->row.id : UUID_NONE;
	next->template = template ? template->row.id : UUID_NONE;
	next->template_version = s->version;
	next->is_mixed = s->is_mixed;
	next->by_price = s->by_price;
	next->overrides = s->overrides;
	next->spot_strategy = s->spot_strategy;
	next->on_demand_base = s->on_demand_base;
	next->on_demand_percent = s->on_demand_percent;
	return OK;
}

static RESULT add_zone(struct op *op, uuid zone, struct scaling_group *next)
{
	if (uuids_have(&next->zones, zone))
		return OK;
	uuid *at = arena_new_array(op->ctx->arena, uuid, next->zones.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < next->zones.count; k++)
		at[k] = next->zones.at[k];
	at[next->zones.count] = zone;
	next->zones = (struct uuids){at, next->zones.count + 1};
	return OK;
}

/* Subnets must be in the named zones, if both are given. */
static RESULT apply_places(struct op *op, const struct scaling_settings *s, struct scaling_group *next)
{
	uuid *subnets = arena_new_array(op->ctx->arena, uuid, s->subnets.count + 1);
	struct scaling_group named = {0};
	if (!subnets)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < s->zones.count; k++) {
		const struct zone *zone = NULL;
		TRY(engine_find_own_zone(op->ctx, op->head, &s->zones.at[k], &zone));
		TRY(add_zone(op, zone->row.id, &named));
	}
	next->zones = s->subnets.count ? (struct uuids){0} : named.zones;
	for (size_t k = 0; k < s->subnets.count; k++) {
		const struct subnet *subnet = NULL;
		TRY(engine_find_own_subnet(op->ctx, op->head, &s->subnets.at[k], &subnet));
		subnets[k] = subnet->row.id;
		if (named.zones.count && !uuids_have(&named.zones, subnet->zone))
			return ENGINE_FAIL(
				op, ERR_INVALID, KIND_SUBNET, s->subnets.at[k].field,
				"The availability zones of the specified subnets and the AutoScaling "
				"group do not match");
		TRY(add_zone(op, subnet->zone, next));
	}
	next->subnets = (struct uuids){subnets, s->subnets.count};
	return OK;
}

static void apply_number(struct scaling_number number, int64_t *value)
{
	if (number.is_given)
		*value = number.value;
}

static RESULT apply_settings(struct op *op, const struct scaling_settings *s, struct scaling_group *next)
{
	if (s->has_source)
		TRY(apply_source(op, s, next));
	if (s->has_places)
		TRY(apply_places(op, s, next));
	if (s->has_source || s->has_places)
		TRY(note_asker(op, next));
	apply_number(s->min, &next->min_size);
	apply_number(s->max, &next->max_size);
	apply_number(s->grace_s, &next->grace_s);
	apply_number(s->cooldown_s, &next->cooldown_s);
	if (s->warmup_s.is_given) {
		next->has_warmup = s->warmup_s.value >= 0;
		next->warmup_s = next->has_warmup ? s->warmup_s.value : 0;
	}
	choice_apply(s->checks_balancers, &next->checks_balancers);
	choice_apply(s->protects_new, &next->protects_new);
	if (s->has_policies)
		next->termination_policies = s->policies;
	if (s->has_placement)
		next->placement_group = s->placement_group;
	if (s->has_context)
		next->context = s->context;
	return OK;
}

/* Tries each override in the first place, and the first override in each place. */
static RESULT try_launches(struct op *op, const struct scaling_settings *s, const struct scaling_group *next)
{
	const struct scaling_source source = engine_get_scaling_source(next);
	size_t places = engine_count_scaling_places(&source);
	for (size_t k = 0; k < s->launch_count; k++) {
		struct instance_launch launch = s->launches[k].launch;
		if (k >= places && k % places)
			continue;
		launch.scaling_group = next->name;
		TRY(launch_on_trial(op, &launch, s->guard));
	}
	return OK;
}

RESULT scaling_choose_source(struct op *op, const struct scaling_settings *s, struct scaling_group *next)
{
	TRY(apply_settings(op, s, next));
	return try_launches(op, s, next);
}

/* ---- create, change ---- */

RESULT scaling_set_desired(struct op *op, struct scaling_group *next, int64_t desired, struct str why)
{
	if (desired != next->desired)
		next->reason = scaling_say_at(
			op, "%" STR_FMT " changing the desired capacity from %" PRId64 " to %" PRId64 ".",
			STR_ARG(why), next->desired, desired);
	next->desired = desired;
	next->tries = next->again_us = 0;
	return OK;
}

RESULT scaling_end_pause(struct op *op, uuid group)
{
	struct scaling_group next = *scaling_group_find(op->head, group);
	if (!next.again_us)
		return OK;
	next.tries = next.again_us = 0;
	return scaling_group_put(op, &next);
}

/* Target groups must be the caller's, and are named once. */
static RESULT add_targets(struct op *op, struct refs refs, struct uuids *targets)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, targets->count + refs.count + 1);
	size_t count = targets->count;
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		at[k] = targets->at[k];
	for (size_t k = 0; k < refs.count; k++) {
		const struct target_group *group = NULL;
		TRY(engine_find_own_target_group(op->ctx, op->head, &refs.at[k], &group));
		if (!uuids_have(&(struct uuids){at, count}, group->row.id))
			at[count++] = group->row.id;
	}
	if (count > SCALING_TARGET_GROUPS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_TARGET_GROUP, STR("TargetGroupARNs"),
				   "An Auto Scaling group has up to %d target groups.",
				   SCALING_TARGET_GROUPS_MAX);
	*targets = (struct uuids){at, count};
	return OK;
}

RESULT engine_create_scaling_group(struct op *op, struct scaling_group_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct scaling_group made = {.row = {.id = engine_new_id(op, KIND_SCALING_GROUP), .gen = 1},
				     .account = account,
				     .name = wish->name,
				     .mode = wish->mode,
				     .on_demand_percent = 100,
				     .grace_s = SCALING_GRACE_DEFAULT_S,
				     .cooldown_s = SCALING_COOLDOWN_DEFAULT_S,
				     .propagated = wish->propagated};
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "scaling_group.create", KIND_SCALING_GROUP, &made.row));
	if (scaling_group_find_by_account(op->head, account, wish->name))
		return ENGINE_FAIL(
			op, ERR_EXISTS, KIND_SCALING_GROUP, STR("AutoScalingGroupName"),
			"AutoScalingGroup by this name already exists - A group with the name %" STR_FMT
			" already exists",
			STR_ARG(wish->name));
	TRY(limit_check(op, LIMIT_SCALING_GROUPS, account, 1, STR_NONE));
	if (wish->configuration) {
		TRY(engine_create_launch_configuration(op, wish->configuration));
		wish->settings.launch_configuration = engine_ref_to(
			op, KIND_LAUNCH_CONFIGURATION, wish->configuration->configuration, STR("InstanceId"));
	}
	TRY(apply_settings(op, &wish->settings, &made));
	TRY(add_targets(op, wish->target_groups, &made.target_groups));
	TRY(try_launches(op, &wish->settings, &made));
	TRY(scaling_set_desired(
		op, &made, wish->settings.desired.is_given ? wish->settings.desired.value : made.min_size,
		STR("a user request created an AutoScalingGroup")));
	TRY(check_sizes(op, &made));
	TRY(scaling_group_put(op, &made));
	for (size_t k = 0; k < wish->hooks.count; k++)
		TRY(scaling_put_hook(op, made.row.id, &wish->hooks.at[k]));
	wish->group = made.row.id;
	return engine_log_event(op, KIND_SCALING_GROUP, &made.row, "created",
				"Auto Scaling group %" STR_FMT ".", STR_ARG(made.name));
}

RESULT engine_update_scaling_group(struct op *op, struct scaling_group_change *wish)
{
	const struct scaling_group *group = NULL;
	const struct scaling_settings *s = &wish->settings;
	TRY(scaling_find(op, &wish->group, "scaling_group.update", &group));
	const struct scaling_refresh *refresh = engine_find_scaling_refresh(op->head, group->row.id);
	if (group->mode != SCALING_GROUP_MODE_GROUP && !wish->by_set && (s->has_source || s->has_places))
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_SCALING_GROUP, wish->group.field,
				   "%" STR_FMT
				   " is a virtual machine scale set: its model says what it launches, "
				   "and where.",
				   STR_ARG(group->name));
	if (s->has_source && refresh && refresh->has_source)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SCALING_GROUP, STR("LaunchTemplate"),
				   "An active instance refresh with a desired configuration exists. All "
				   "configuration options derived from the desired configuration are not "
				   "available for update while the instance refresh is active.");
	struct scaling_group next = *group;
	TRY(scaling_choose_source(op, s, &next));
	TRY(scaling_check_pool(op, &next));
	/* without a desired capacity the present one moves into the new sizes */
	int64_t desired = s->desired.is_given            ? s->desired.value
			  : next.desired < next.min_size ? next.min_size
			  : next.desired > next.max_size ? next.max_size
							 : next.desired;
	struct str why = str_print(op->ctx->arena,
				   "a user request update of AutoScalingGroup constraints to min: %" PRId64
				   ", max: %" PRId64 ", desired: %" PRId64,
				   next.min_size, next.max_size, desired);
	TRY(scaling_set_desired(op, &next, desired, why));
	TRY(check_sizes(op, &next));
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "changed",
				"Auto Scaling group %" STR_FMT ".", STR_ARG(next.name));
}

RESULT engine_set_scaling_desired(struct op *op, struct scaling_desired *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_group.set_desired", &group));
	struct scaling_group next = *group;
	if (wish->desired < next.min_size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("DesiredCapacity"),
				   "New SetDesiredCapacity value %" PRId64 " is below min value %" PRId64
				   " for the AutoScalingGroup.",
				   wish->desired, next.min_size);
	if (wish->desired > next.max_size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, STR("DesiredCapacity"),
				   "New SetDesiredCapacity value %" PRId64 " is above max value %" PRId64
				   " for the AutoScalingGroup.",
				   wish->desired, next.max_size);
	if (wish->honours_cooldown && op->now_us < next.cooldown_until_us)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SCALING_GROUP, wish->group.field,
				   "The Auto Scaling group %" STR_FMT " is in a cooldown period.",
				   STR_ARG(next.name));
	TRY(scaling_set_desired(op, &next, wish->desired,
				STR("a user request explicitly set group desired capacity")));
	if (wish->desired != group->desired)
		next.cooldown_until_us = op->now_us + next.cooldown_s * SECOND;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "desired", "%" PRId64 ".", next.desired);
}

/* ---- deletion ---- */

static bool has_activity(const struct tables *t, uuid group)
{
	const struct scaling_activity *a = scaling_activity_first_by_scaling_group(t, group);
	while (a && a->ended_us)
		a = scaling_activity_next_by_scaling_group(t, a);
	return a != NULL;
}

RESULT scaling_forget_group(struct op *op, uuid id)
{
	uuid configuration = scaling_group_find(op->head, id)->launch_configuration;
	TRY(scaling_group_forget(op, id));
	return scaling_drop_model(op, configuration);
}

/* The reconciler terminates the instances of a group that is deleted with them. */
RESULT engine_delete_scaling_group(struct op *op, struct scaling_group_target *wish)
{
	const struct scaling_group *group = NULL;
	TRY(engine_permit_scaling_group(op, &wish->group, "scaling_group.delete", &group));
	bool has_members = scaling_member_first_by_scaling_group(op->head, group->row.id);
	if (group->is_deleting)
		return OK;
	if (has_members && !wish->is_forced)
		return ENGINE_FAIL(
			op, ERR_IN_USE, KIND_SCALING_GROUP, wish->group.field,
			"You cannot delete an AutoScalingGroup while there are instances or pending "
			"Spot instance request(s) still in the group.");
	if (!wish->is_forced && has_activity(op->head, group->row.id))
		return ENGINE_FAIL(
			op, ERR_CONFLICT, KIND_SCALING_GROUP, wish->group.field,
			"You cannot delete an AutoScalingGroup while there are scaling activities in "
			"progress for that group.");
	TRY(engine_log_event(op, KIND_SCALING_GROUP, &group->row, "deleted",
			     "Auto Scaling group %" STR_FMT ".", STR_ARG(group->name)));
	if (!has_members)
		return scaling_forget_group(op, group->row.id);
	uuid id = group->row.id;
	TRY(scaling_drop_refresh(op, id));
	struct scaling_group next = *scaling_group_find(op->head, id);
	next.is_deleting = true;
	next.desired = next.min_size = 0;
	next.row.gen++;
	return scaling_group_put(op, &next);
}

/* ---- suspended processes ---- */

static const char *const processes[] = {
	"Launch",      "Terminate",       "AddToLoadBalancer", "AlarmNotification", "AZRebalance",
	"HealthCheck", "InstanceRefresh", "ReplaceUnhealthy",  "ScheduledActions"};
enum { PROCESSES = sizeof processes / sizeof processes[0] };

bool scaling_has_word(const struct strs *list, const char *word)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_is(list->at[k], word))
			return true;
	return false;
}

bool engine_is_scaling_suspended(const struct scaling_group *group, const char *process)
{
	for (size_t k = 0; k + 1 < group->suspended.count; k += 2)
		if (str_is(group->suspended.at[k], process))
			return true;
	return false;
}

static RESULT set_suspended(struct op *op, const struct scaling_processes *wish, const char *permission,
			    bool is_suspended)
{
	const struct scaling_group *group = NULL;
	char time[CLOCK_TEXT_SIZE];
	TRY(scaling_find(op, &wish->group, permission, &group));
	struct scaling_group next = *group;
	struct str *texts = arena_new_array(op->ctx->arena, struct str, 2 * (size_t) PROCESSES);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(op->ctx);
	struct str reason =
		str_print(op->ctx->arena, "User suspended at %s", clock_write_s(op->now_us, time));
	for (size_t k = 0; k < PROCESSES; k++) {
		bool was = engine_is_scaling_suspended(group, processes[k]);
		bool is_named = !wish->processes.count || scaling_has_word(&wish->processes, processes[k]);
		if (is_named ? !is_suspended : !was)
			continue;
		struct str kept = reason;
		for (size_t n = 0; n + 1 < group->suspended.count; n += 2)
			if (str_is(group->suspended.at[n], processes[k]))
				kept = group->suspended.at[n + 1];
		texts[count++] = str_from(processes[k]);
		texts[count++] = kept;
	}
	next.suspended = (struct strs){texts, count};
	if (!is_suspended)
		next.tries = next.again_us = next.pool_tries = next.pool_again_us = 0;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_sentence(op, KIND_SCALING_GROUP, &next.row, is_suspended ? "suspended" : "resumed",
				   "");
}

RESULT engine_suspend_scaling(struct op *op, struct scaling_processes *wish)
{
	return set_suspended(op, wish, "scaling_group.suspend", true);
}

RESULT engine_resume_scaling(struct op *op, struct scaling_processes *wish)
{
	return set_suspended(op, wish, "scaling_group.resume", false);
}

/* ---- target groups ---- */

static RESULT register_members(struct op *op, uuid group_id, uuid target_group, bool is_registered)
{
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(op->head, group_id); m;
	     m = scaling_member_next_by_scaling_group(op->head, m))
		if (m->stage == SCALING_MEMBER_STAGE_IN_SERVICE)
			TRY(scaling_member_register_in(op, scaling_group_find(op->head, group_id),
						       target_group, m->instance, is_registered));
	return OK;
}

RESULT engine_attach_scaling_targets(struct op *op, struct scaling_target_groups *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, wish->permission, &group));
	struct scaling_group next = *group;
	size_t before = next.target_groups.count;
	TRY(add_targets(op, wish->target_groups, &next.target_groups));
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	for (size_t k = before; k < next.target_groups.count; k++)
		TRY(register_members(op, next.row.id, next.target_groups.at[k], true));
	return OK;
}

RESULT engine_detach_scaling_targets(struct op *op, struct scaling_target_groups *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, wish->permission, &group));
	struct scaling_group next = *group;
	struct uuids named = {0};
	TRY(add_targets(op, wish->target_groups, &named));
	uuid *at = arena_new_array(op->ctx->arena, uuid, next.target_groups.count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < named.count; k++)
		if (!uuids_have(&next.target_groups, named.at[k]))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_TARGET_GROUP, STR("TargetGroupARNs"),
					   "Trying to remove Target Groups that are not part of the group: "
					   "[%" STR_FMT "]",
					   STR_ARG(wish->target_groups.at[0].text));
	for (size_t k = 0; k < next.target_groups.count; k++)
		if (!uuids_have(&named, next.target_groups.at[k]))
			at[count++] = next.target_groups.at[k];
	next.target_groups = (struct uuids){at, count};
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	for (size_t k = 0; k < named.count; k++)
		TRY(register_members(op, next.row.id, named.at[k], false));
	return OK;
}

/* ---- tags ---- */

/* Adds a key to the propagated ones, or takes it out. */
static RESULT set_propagated(struct op *op, uuid group, struct str key, bool propagates)
{
	struct scaling_group next = *scaling_group_find(op->head, group);
	struct str *texts = arena_new_array(op->ctx->arena, struct str, next.propagated.count + 1);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < next.propagated.count; k++)
		if (!str_equal(next.propagated.at[k], key))
			texts[count++] = next.propagated.at[k];
	if (propagates)
		texts[count++] = key;
	next.propagated = (struct strs){texts, count};
	return scaling_group_put(op, &next);
}

RESULT engine_tag_scaling(struct op *op, struct scaling_tags *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct scaling_tag *tag = &wish->at[k];
		const struct scaling_group *group = NULL;
		struct entity_tags one = {.entity = tag->group, .tags = {&tag->tag, 1}};
		TRY(engine_tag_entity(op, &one));
		TRY(engine_find_own_scaling_group(op->ctx, op->head, &tag->group, &group));
		TRY(set_propagated(op, group->row.id, tag->tag.key, tag->propagates));
	}
	return OK;
}

RESULT engine_untag_scaling(struct op *op, struct scaling_tags *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct scaling_tag *tag = &wish->at[k];
		const struct scaling_group *group = NULL;
		TRY(engine_find_own_scaling_group(op->ctx, op->head, &tag->group, &group));
		const struct tag *present = tags_find(group->tags, tag->tag.key);
		bool is_other = present && tag->with_value && !str_equal(present->value, tag->tag.value);
		struct entity_tags one = {.entity = tag->group, .keys = {&tag->tag.key, is_other ? 0 : 1}};
		TRY(engine_untag_entity(op, &one));
		if (!is_other)
			TRY(set_propagated(op, group->row.id, tag->tag.key, false));
	}
	return OK;
}
