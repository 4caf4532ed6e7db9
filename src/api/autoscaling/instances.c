/* SPDX-License-Identifier: Apache-2.0
 * Instances of groups: DescribeAutoScalingInstances, termination, attachment, standby, health and protection.
 * Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/launch_template.h"
#include "store/scaling_activity.h"
#include "store/zone.h"

/* ---- shown ---- */

static const char *const stages[] = {
	[SCALING_MEMBER_STAGE_PENDING] = "Pending",
	[SCALING_MEMBER_STAGE_PENDING_WAIT] = "Pending:Wait",
	[SCALING_MEMBER_STAGE_PENDING_PROCEED] = "Pending:Proceed",
	[SCALING_MEMBER_STAGE_IN_SERVICE] = "InService",
	[SCALING_MEMBER_STAGE_TERMINATING] = "Terminating",
	[SCALING_MEMBER_STAGE_TERMINATING_WAIT] = "Terminating:Wait",
	[SCALING_MEMBER_STAGE_TERMINATING_PROCEED] = "Terminating:Proceed",
	[SCALING_MEMBER_STAGE_STANDBY] = "Standby",
	[SCALING_MEMBER_STAGE_WARMED_STOPPED] = "Stopped",
	[SCALING_MEMBER_STAGE_WARMED_RUNNING] = "Running",
};

/* The state, such as "InService" or "Warmed:Stopped". */
static struct str write_stage(struct autoscaling_call *e, const struct scaling_member *m)
{
	const char *pool = m->pool == SCALING_MEMBER_POOL_WARM ? "Warmed:" : "";
	return str_print(e->c->arena, "%s%s", pool, stages[m->stage]);
}

/* The template that the instance was launched by, as its tags say. */
static void write_template(struct autoscaling_call *e, struct xml *x, const struct instance *i)
{
	const struct tag *id = i ? tags_find(i->tags, STR("aws:ec2launchtemplate:id")) : NULL;
	const struct tag *version = i ? tags_find(i->tags, STR("aws:ec2launchtemplate:version")) : NULL;
	struct ref ref;
	if (!id || !version || !result_is_ok(id_parse_ec2(id->value, KIND_LAUNCH_TEMPLATE, &ref))) {
		ctx_clear_problem(e->c);
		return;
	}
	const struct row *row =
		tables_find_prefix(autoscaling_tables(e), KIND_LAUNCH_TEMPLATE, ref.prefix, ref.bits);
	xml_open(x, "LaunchTemplate");
	xml_text(x, "LaunchTemplateId", id->value);
	if (row)
		xml_text(x, "LaunchTemplateName", launch_template_of(row)->name);
	xml_text(x, "Version", version->value);
	xml_close(x, "LaunchTemplate");
}

void autoscaling_write_member(struct autoscaling_call *e, struct xml *x, const struct scaling_member *m,
			      bool has_group)
{
	const struct tables *t = autoscaling_tables(e);
	const struct instance *i = instance_find(t, m->instance);
	const struct instance_type *type = i ? instance_type_find(t, i->type) : NULL;
	const struct zone *zone = zone_find(t, m->zone);
	const struct scaling_group *group = scaling_group_find(t, m->scaling_group);
	xml_open(x, "member");
	xml_text(x, "InstanceId", id_to_ec2(e->c->arena, KIND_INSTANCE, m->instance));
	if (type)
		xml_text(x, "InstanceType", type->name);
	if (has_group && group)
		xml_text(x, "AutoScalingGroupName", group->name);
	if (zone)
		xml_text(x, "AvailabilityZone", zone->name);
	xml_text(x, "LifecycleState", write_stage(e, m));
	xml_z(x, "HealthStatus",
	      has_group ? (m->is_unhealthy ? "UNHEALTHY" : "HEALTHY")
			: (m->is_unhealthy ? "Unhealthy" : "Healthy"));
	if (m->launch_configuration.n)
		xml_text(x, "LaunchConfigurationName", m->launch_configuration);
	else
		write_template(e, x, i);
	xml_bool(x, "ProtectedFromScaleIn", m->is_protected);
	if (m->units != 1)
		xml_int(x, "WeightedCapacity", m->units);
	xml_close(x, "member");
}

/* ---- DescribeAutoScalingInstances ---- */

struct list_args {
	struct refs instances;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "InstanceIds.member", instances, .kind = KIND_INSTANCE, .max = 50,
	      .doc = "Instances by id. Those without a group are ignored."),
	AUTOSCALING_PAGES_TO(struct list_args, pages, 50),
};

static bool is_named(const struct list_args *a, uuid instance)
{
	for (size_t k = 0; k < a->instances.count; k++)
		if (id_has_prefix(instance, a->instances.at[k].prefix, a->instances.at[k].bits))
			return true;
	return a->instances.count == 0;
}

/* Pages are in the order of groups' names, then of members' ids. */
static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	xml_open(x, "AutoScalingInstances");
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account); g;
	     g = scaling_group_next_by_account(t, g))
		for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, g->row.id); m;
		     m = scaling_member_next_by_scaling_group(t, m)) {
			struct str key = str_print(e->c->arena, "%" STR_FMT ":%020lld:%" STR_FMT,
						   STR_ARG(g->name), (long long) m->row.created_us,
						   STR_ARG(uuid_to_str(e->c->arena, m->row.id)));
			if (!is_named(a, m->instance) || !query_page_takes(&page, key))
				continue;
			TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &g->row));
			autoscaling_write_member(e, x, m, true);
		}
	xml_close(x, "AutoScalingInstances");
	autoscaling_close_page(e, x, &page);
	return OK;
}

/* ---- acts ---- */

struct act_args {
	struct scaling_instances wish;
	struct ref instance;
	struct str group;
	enum choice respects_grace;
	struct str health;
};
#define INSTANCES                                                                                            \
	PARAM(struct act_args, "InstanceIds.member", wish.instances, .kind = KIND_INSTANCE,                  \
	      .max = SCALING_INSTANCES_MAX, .flags = REQUIRED, .doc = "Instances of the group.")
#define DECREMENTS                                                                                           \
	PARAM(struct act_args, "ShouldDecrementDesiredCapacity", wish.decrements, .flags = REQUIRED,         \
	      .doc = "true: lowers the desired capacity; false: replacements are launched.")
#define INSTANCE                                                                                             \
	PARAM(struct act_args, "InstanceId", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,             \
	      .doc = "An instance of a group.")
static const struct param terminate_params[] = {INSTANCE, DECREMENTS};
static const struct param attach_params[] = {
	AUTOSCALING_GROUP(struct act_args, group),
	PARAM(struct act_args, "InstanceIds.member", wish.instances, .kind = KIND_INSTANCE,
	      .max = SCALING_INSTANCES_MAX, .flags = REQUIRED, .doc = "Running instances without a group.")};
static const struct param leave_params[] = {AUTOSCALING_GROUP(struct act_args, group), INSTANCES, DECREMENTS};
static const struct param exit_params[] = {AUTOSCALING_GROUP(struct act_args, group), INSTANCES};
static const struct param health_params[] = {
	INSTANCE,
	PARAM(struct act_args, "HealthStatus", health, .flags = REQUIRED, .words = "Healthy|Unhealthy",
	      .doc = "Health of the instance. An unhealthy one is replaced."),
	PARAM(struct act_args, "ShouldRespectGracePeriod", respects_grace,
	      .doc = "false: takes effect within the group's grace period, too."),
};
static const struct param protection_params[] = {
	AUTOSCALING_GROUP(struct act_args, group),
	INSTANCES,
	PARAM(struct act_args, "ProtectedFromScaleIn", wish.is_protected, .flags = REQUIRED,
	      .doc = "Whether scale-in spares the instance."),
};

static RESULT prepare_one(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	struct ref *one = arena_new_object(e->c->arena, struct ref);
	if (!one)
		return ctx_no_memory(e->c);
	*one = a->instance;
	a->wish.instances = (struct refs){one, 1};
	a->wish.is_unhealthy = str_is(a->health, "Unhealthy");
	a->wish.respects_grace = a->respects_grace != CHOICE_NO;
	return OK;
}

static RESULT prepare_several(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	if (a->wish.instances.count > SCALING_INSTANCES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("InstanceIds"),
				      "InstanceIds has up to %d instances.", SCALING_INSTANCES_MAX);
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

static RESULT answer_terminate(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct act_args *a = args;
	const struct scaling_activity *activity =
		scaling_activity_find(autoscaling_tables(e), a->wish.activities.at[0]);
	if (activity)
		autoscaling_write_activity(e, x, "Activity", activity);
	return OK;
}

static RESULT answer_moved(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct act_args *a = args;
	xml_open(x, "Activities");
	for (size_t k = 0; k < a->wish.activities.count; k++) {
		const struct scaling_activity *activity =
			scaling_activity_find(autoscaling_tables(e), a->wish.activities.at[k]);
		if (activity)
			autoscaling_write_activity(e, x, "member", activity);
	}
	xml_close(x, "Activities");
	return OK;
}

#define ACT(word, table, prepares, run, answers, says)                                                       \
	{                                                                                                    \
		AUTOSCALING_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct act_args, table),       \
					  .prepare = (prepares), .operation = (run),                         \
					  .returns = API_RETURNS_NOTHING_STORED, .answer = (answers),        \
					  .doc = (says)                                                      \
	}
static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("DescribeAutoScalingInstances"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the instances of the account's groups."},
	ACT("TerminateInstanceInAutoScalingGroup", terminate_params, prepare_one,
	    engine_terminate_scaling_instance_run, answer_terminate, "Terminates an instance of a group."),
	ACT("AttachInstances", attach_params, prepare_several, engine_attach_scaling_instances_run, NULL,
	    "Adds running instances to a group."),
	ACT("DetachInstances", leave_params, prepare_several, engine_detach_scaling_instances_run,
	    answer_moved, "Detaches instances from a group. They keep running."),
	ACT("EnterStandby", leave_params, prepare_several, engine_enter_scaling_standby_run, answer_moved,
	    "Moves instances of a group into standby."),
	ACT("ExitStandby", exit_params, prepare_several, engine_exit_scaling_standby_run, answer_moved,
	    "Moves instances out of standby."),
	ACT("SetInstanceHealth", health_params, prepare_one, engine_set_scaling_health_run, NULL,
	    "Sets the health of an instance."),
	ACT("SetInstanceProtection", protection_params, prepare_several, engine_set_scaling_protection_run,
	    NULL, "Sets the scale-in protection of instances."),
};
const struct api_actions autoscaling_instance_actions = API_ACTIONS(actions);
