/* SPDX-License-Identifier: Apache-2.0
 * Lifecycle hooks. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"

#define LAUNCHING "autoscaling:EC2_INSTANCE_LAUNCHING"
#define TERMINATING "autoscaling:EC2_INSTANCE_TERMINATING"

enum {
	TIMEOUT_MIN_S = 30,
	TIMEOUT_MAX_S = 7200,
	METADATA_MAX = 1023,
	HOLD_MAX_S = 172800,
	HOLD_TIMEOUTS = 100
};

struct put_args {
	struct scaling_hook_wish wish;
	struct str group, transition, result;
};
static const struct param put_params[] = {
	AUTOSCALING_GROUP(struct put_args, group),
	AUTOSCALING_NAME(struct put_args, "LifecycleHookName", wish.name, .flags = REQUIRED,
			 .doc = "Name of the lifecycle hook."),
	PARAM(struct put_args, "LifecycleTransition", transition, .words = LAUNCHING "|" TERMINATING,
	      .doc = "Transition at which instances wait; required for a new hook."),
	PARAM(struct put_args, "HeartbeatTimeout", wish.timeout_s.value, .min = TIMEOUT_MIN_S,
	      .max = TIMEOUT_MAX_S, .given = offsetof(struct put_args, wish.timeout_s.is_given) + 1,
	      .doc = "Heartbeat timeout in seconds; absent: 3600."),
	PARAM(struct put_args, "DefaultResult", result, .words = "CONTINUE|ABANDON",
	      .doc = "Result after the timeout; absent: ABANDON."),
	PARAM(struct put_args, "NotificationMetadata", wish.metadata, .min = 1, .max = METADATA_MAX,
	      .given = offsetof(struct put_args, wish.has_metadata) + 1, .doc = "Text shown with the hook."),
	AUTOSCALING_TARGET(struct put_args, wish),
};

static RESULT prepare_put(struct autoscaling_call *e, void *args)
{
	struct put_args *a = args;
	a->wish.has_transition = a->transition.n > 0;
	a->wish.is_terminating = str_is(a->transition, TERMINATING);
	if (a->result.n)
		a->wish.abandons = str_is(a->result, "ABANDON") ? CHOICE_YES : CHOICE_NO;
	TRY(autoscaling_check_name(e, a->wish.name, "LifecycleHookName"));
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

struct act_args {
	struct scaling_hook_target wish;
	struct str group, result;
};
#define HOOK                                                                                                 \
	AUTOSCALING_GROUP(struct act_args, group),                                                           \
		AUTOSCALING_NAME(struct act_args, "LifecycleHookName", wish.name, .flags = REQUIRED,         \
				 .doc = "Name of the lifecycle hook.")
#define WAITING                                                                                              \
	PARAM(struct act_args, "InstanceId", wish.instance, .kind = KIND_INSTANCE,                           \
	      .doc = "Instance that waits."),                                                                \
		PARAM(struct act_args, "LifecycleActionToken", wish.token, .min = 36, .max = 36,             \
		      .doc = "Token of the lifecycle action, instead of the instance.")
static const struct param delete_params[] = {HOOK};
static const struct param record_params[] = {HOOK, WAITING};
static const struct param complete_params[] = {
	HOOK, WAITING,
	PARAM(struct act_args, "LifecycleActionResult", result, .flags = REQUIRED,
	      .words = "CONTINUE|ABANDON",
	      .doc = "Result. ABANDON terminates an instance that is being launched.")};

static RESULT prepare_delete(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

static RESULT prepare_act(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	if (ref_is_given(&a->wish.instance) == (a->wish.token.n > 0))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("LifecycleActionToken"),
				      "Either InstanceId or LifecycleActionToken must be specified.");
	a->wish.abandons = str_is(a->result, "ABANDON");
	return prepare_delete(e, args);
}

/* ---- list ---- */

struct list_args {
	struct str group;
	struct strs names;
};
static const struct param list_params[] = {
	AUTOSCALING_GROUP(struct list_args, group),
	PARAM(struct list_args, "LifecycleHookNames.member", names, .min = 1, .max = SCALING_NAME_MAX,
	      .doc = "Lifecycle hooks by name."),
};

static void write_hook(struct xml *x, const struct scaling_group *group, const struct scaling_hook *h)
{
	int64_t most_s = HOLD_TIMEOUTS * h->timeout_s;
	xml_open(x, "member");
	xml_text(x, "LifecycleHookName", h->name);
	xml_text(x, "AutoScalingGroupName", group->name);
	xml_z(x, "LifecycleTransition",
	      h->transition == SCALING_HOOK_TRANSITION_TERMINATING ? TERMINATING : LAUNCHING);
	xml_text_opt(x, "NotificationTargetARN", h->target);
	xml_text_opt(x, "RoleARN", h->role);
	xml_text_opt(x, "NotificationMetadata", h->metadata);
	xml_int(x, "HeartbeatTimeout", h->timeout_s);
	xml_int(x, "GlobalTimeout", most_s < HOLD_MAX_S ? most_s : HOLD_MAX_S);
	xml_z(x, "DefaultResult", h->abandons ? "ABANDON" : "CONTINUE");
	xml_close(x, "member");
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_group *group = NULL;
	TRY(autoscaling_find_group_row(e, a->group, &group));
	xml_open(x, "LifecycleHooks");
	for (const struct scaling_hook *h = scaling_hook_first_by_scaling_group(t, group->row.id); h;
	     h = scaling_hook_next_by_scaling_group(t, h))
		if (request_asks_for(a->names, h->name))
			write_hook(x, group, h);
	xml_close(x, "LifecycleHooks");
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("PutLifecycleHook"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, put_params), .prepare = prepare_put,
	 .operation = engine_put_scaling_hook_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates or changes a lifecycle hook."},
	{AUTOSCALING_ACTION("DeleteLifecycleHook"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_scaling_hook_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a lifecycle hook. Instances that wait for it continue."},
	{AUTOSCALING_ACTION("CompleteLifecycleAction"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, complete_params), .prepare = prepare_act,
	 .operation = engine_complete_scaling_hook_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Completes a lifecycle action: the instance continues."},
	{AUTOSCALING_ACTION("RecordLifecycleActionHeartbeat"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, record_params), .prepare = prepare_act,
	 .operation = engine_record_scaling_heartbeat_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Restarts the heartbeat timeout of a lifecycle action."},
	{AUTOSCALING_ACTION("DescribeLifecycleHooks"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the lifecycle hooks of a group."},
};
const struct api_actions autoscaling_hook_actions = API_ACTIONS(actions);
