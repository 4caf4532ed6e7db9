/* SPDX-License-Identifier: Apache-2.0
 * CreateAutoScalingGroup, UpdateAutoScalingGroup and DeleteAutoScalingGroup. Source: Amazon EC2 Auto Scaling API
 * Reference. */
#include "api/autoscaling/internal.h"
#include "api/autoscaling/source.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/zone.h"

enum { DAY_S = 86400 };
#define ROLE_PATH "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"

/* ---- parameters ---- */

struct common_args {
	struct source_args source;
	struct str health, role, vpc_zones;
	struct strs zones;
	struct scaling_settings s;
	struct str form; /* data of the launch configuration that is made with the group */
	int64_t min, max, desired, grace_s, cooldown_s, warmup_s;
};
#define NUMBER(T, m, name, number, low, high, ...)                                                           \
	PARAM(T, name, m.number, .min = (low), .max = (high), .given = offsetof(T, m.s.number.is_given) + 1, \
	      __VA_ARGS__)
#define COMMON(T, m, sizes)                                                                                  \
	AUTOSCALING_NAME(T, "LaunchConfigurationName", m.source.configuration,                               \
			 .doc = "Launch configuration, instead of a launch template."),                      \
		AUTOSCALING_SOURCE(T, m.source, ""),                                                         \
		NUMBER(T, m, "MinSize", min, 0, SCALING_SIZE_MAX, .flags = (sizes),                          \
		       .doc = "Minimum of the desired capacity."),                                           \
		NUMBER(T, m, "MaxSize", max, 0, SCALING_SIZE_MAX, .flags = (sizes),                          \
		       .doc = "Maximum of the desired capacity."),                                           \
		NUMBER(T, m, "DesiredCapacity", desired, 0, SCALING_SIZE_MAX,                                \
		       .doc = "Desired capacity in units; absent in a new group: MinSize."),                 \
		NUMBER(T, m, "DefaultCooldown", cooldown_s, 0, DAY_S,                                        \
		       .doc = "Cooldown in seconds between two activities of simple scaling; absent: 300."), \
		NUMBER(T, m, "HealthCheckGracePeriod", grace_s, 0, DAY_S,                                    \
		       .doc = "Seconds after a launch during which the health of the instance is ignored."), \
		NUMBER(T, m, "DefaultInstanceWarmup", warmup_s, -1, 3600,                                    \
		       .doc = "Seconds during which a new instance prevents step policies from scaling "     \
			      "in."),                                                                        \
		PARAM(T, "AvailabilityZones.member", m.zones, .min = 1, .max = 255,                          \
		      .doc = "Availability Zones; instances are launched into their default subnets."),      \
		PARAM(T, "VPCZoneIdentifier", m.vpc_zones, .max = 2047,                                      \
		      .doc = "Subnets by id, comma separated."),                                             \
		PARAM(T, "HealthCheckType", m.health, .words = "EC2|ELB",                                    \
		      .doc = "ELB: the health checks of target groups also count."),                         \
		PARAM(T, "PlacementGroup", m.s.placement_group, .max = 255,                                  \
		      .given = offsetof(T, m.s.has_placement) + 1, .doc = "Placement group by name."),       \
		PARAM(T, "TerminationPolicies.member", m.s.policies,                                         \
		      .words = "Default|OldestInstance|NewestInstance|OldestLaunchConfiguration|"            \
			       "OldestLaunchTemplate|ClosestToNextInstanceHour",                             \
		      .doc = "Termination policies: which instance is terminated first."),                   \
		PARAM(T, "NewInstancesProtectedFromScaleIn", m.s.protects_new,                               \
		      .doc = "Whether new instances are protected from scale-in."),                          \
		PARAM(T, "ServiceLinkedRoleARN", m.role, .min = 1, .max = AUTOSCALING_ARN_MAX,               \
		      .doc = "Service-linked role; only AWSServiceRoleForAutoScaling."),                     \
		PARAM(T, "Context", m.s.context, .max = 64, .given = offsetof(T, m.s.has_context) + 1,       \
		      .doc = "Stored and shown; has no effect."),                                            \
		NOT_BUILT("CapacityRebalance", .only = "false"),                                             \
		NOT_BUILT("MaxInstanceLifetime", .only = "0"),                                               \
		NOT_BUILT("DesiredCapacityType", .only = "units"),                                           \
		NOT_BUILT(                                                                                   \
			"AvailabilityZoneIds|AvailabilityZoneDistribution|AvailabilityZoneImpairmentPolicy|" \
			"SkipZonalShiftValidation|CapacityReservationSpecification|"                         \
			"InstanceMaintenancePolicy|InstanceLifecyclePolicy|DeletionProtection")

/* ---- where ---- */

static RESULT take_subnets(struct autoscaling_call *e, struct str list, struct refs *ret_subnets)
{
	VEC(struct ref) refs = {0};
	struct str rest = list, piece;
	while (str_split_next(&rest, ',', &piece)) {
		struct ref ref;
		struct str id = str_trim(piece);
		if (!result_is_ok(id_parse_ec2(id, KIND_SUBNET, &ref))) {
			ctx_clear_problem(e->c);
			return ctx_fail_field(e->c, ERR_INVALID, STR("VPCZoneIdentifier"),
					      "The subnet ID '%" STR_FMT "' does not exist", STR_ARG(id));
		}
		ref.field = STR("VPCZoneIdentifier");
		if (refs.count == SCALING_PLACES_MAX)
			return ctx_fail_field(e->c, ERR_INVALID, ref.field,
					      "VPCZoneIdentifier has up to %d subnets.", SCALING_PLACES_MAX);
		if (!VEC_PUSH(e->c->arena, &refs, ref))
			return ctx_no_memory(e->c);
	}
	*ret_subnets = (struct refs){refs.at, refs.count};
	return OK;
}

static RESULT take_zones(struct autoscaling_call *e, struct strs names, struct refs *ret_zones)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, names.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (names.count > SCALING_PLACES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("AvailabilityZones"),
				      "AvailabilityZones has up to %d zones.", SCALING_PLACES_MAX);
	for (size_t k = 0; k < names.count; k++) {
		at[k] = (struct ref){
			.kind = KIND_ZONE, .text = names.at[k], .field = STR("AvailabilityZones")};
		if (!zone_find_by_name(autoscaling_tables(e), names.at[k]))
			return ctx_fail_field(e->c, ERR_INVALID, at[k].field,
					      "Invalid availability zones: [%" STR_FMT "]",
					      STR_ARG(names.at[k]));
	}
	*ret_zones = (struct refs){at, names.count};
	return OK;
}

/* Zones alone do not replace the subnets of a group that has some. */
static RESULT take_places(struct autoscaling_call *e, const struct common_args *a,
			  const struct scaling_group *present, struct scaling_settings *s)
{
	s->has_places = a->zones.count || a->vpc_zones.n;
	TRY(take_zones(e, a->zones, &s->zones));
	TRY(take_subnets(e, a->vpc_zones, &s->subnets));
	if (!present && !s->has_places)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("VPCZoneIdentifier"),
				      "At least one Availability Zone or VPC Subnet is required.");
	if (!present || !s->has_places || s->subnets.count || !present->subnets.count)
		return OK;
	struct ref *at = arena_new_array(e->c->arena, struct ref, present->subnets.count);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < present->subnets.count; k++) {
		at[k] = ref_by_id(KIND_SUBNET, present->subnets.at[k]);
		at[k].field = STR("AvailabilityZones");
	}
	s->subnets = (struct refs){at, present->subnets.count};
	return OK;
}

/* ---- settings ---- */

static RESULT check_role(struct autoscaling_call *e, struct str role)
{
	struct str own = str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":" ROLE_PATH,
				   STR_ARG(e->c->who->account_number));
	if (!role.n || str_equal(role, own))
		return OK;
	return autoscaling_refuse(e, "ServiceLinkedRoleARN",
				  "only the role AWSServiceRoleForAutoScaling of the account is supported");
}

static RESULT take_settings(struct autoscaling_call *e, struct common_args *a,
			    const struct scaling_group *present)
{
	struct scaling_settings *s = &a->s;
	s->min.value = a->min;
	s->max.value = a->max;
	s->desired.value = a->desired;
	s->grace_s.value = a->grace_s;
	s->cooldown_s.value = a->cooldown_s;
	s->warmup_s.value = a->warmup_s;
	s->has_policies = s->policies.count > 0;
	if (a->health.n)
		s->checks_balancers = str_is(a->health, "ELB") ? CHOICE_YES : CHOICE_NO;
	TRY(check_role(e, a->role));
	TRY(autoscaling_take_source(e, &a->source, !present && !a->form.n, s));
	if (a->form.n && s->has_source)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("InstanceId"), AUTOSCALING_SOURCES);
	s->has_source = s->has_source || a->form.n;
	TRY(take_places(e, a, present, s));
	return autoscaling_read_launches(e, present, a->form, s);
}

/* ---- create ---- */

struct traffic_args {
	struct str arn, type;
};
static const struct param traffic_rows[] = {
	PARAM(struct traffic_args, "Identifier", arn, .flags = REQUIRED, .min = 1, .max = AUTOSCALING_ARN_MAX,
	      .doc = "ARN of a target group."),
	PARAM(struct traffic_args, "Type", type, .words = "elbv2",
	      .doc = "Type of the traffic source; only elbv2."),
};
static const struct params traffic_table = PARAMS(struct traffic_args, traffic_rows);

struct hook_args {
	struct scaling_hook_wish wish;
	struct str transition, result;
};
static const struct param hook_rows[] = {
	AUTOSCALING_NAME(struct hook_args, "LifecycleHookName", wish.name, .flags = REQUIRED,
			 .doc = "Name of the lifecycle hook."),
	PARAM(struct hook_args, "LifecycleTransition", transition, .flags = REQUIRED,
	      .words = "autoscaling:EC2_INSTANCE_LAUNCHING|autoscaling:EC2_INSTANCE_TERMINATING",
	      .doc = "Transition at which instances wait."),
	PARAM(struct hook_args, "HeartbeatTimeout", wish.timeout_s.value, .min = 30, .max = 7200,
	      .given = offsetof(struct hook_args, wish.timeout_s.is_given) + 1,
	      .doc = "Heartbeat timeout in seconds; absent: 3600."),
	PARAM(struct hook_args, "DefaultResult", result, .words = "CONTINUE|ABANDON", .absent = "ABANDON",
	      .doc = "Result after the timeout."),
	PARAM(struct hook_args, "NotificationMetadata", wish.metadata, .min = 1, .max = 1023,
	      .given = offsetof(struct hook_args, wish.has_metadata) + 1, .doc = "Text shown with the hook."),
	AUTOSCALING_TARGET(struct hook_args, wish),
};
static const struct params hook_table = PARAMS(struct hook_args, hook_rows);

struct create_args {
	struct scaling_group_wish wish;
	struct common_args common;
	struct launch_configuration_wish configuration;
	struct str instance;
	struct strs target_arns, balancers;
	struct {
		struct traffic_args *at;
		size_t count;
	} traffic;
	struct {
		struct hook_args *at;
		size_t count;
	} hooks;
	struct autoscaling_tags tags;
};
static const struct param create_params[] = {
	AUTOSCALING_GROUP(struct create_args, wish.name),
	COMMON(struct create_args, common, REQUIRED),
	PARAM(struct create_args, "TargetGroupARNs.member", target_arns, .min = 1, .max = AUTOSCALING_ARN_MAX,
	      .doc = "Target groups in which the instances are registered."),
	PARAM_LIST(struct create_args, "TrafficSources.member", traffic, traffic_table,
		   .max = SCALING_TARGET_GROUPS_MAX,
		   .doc = "Target groups in which the instances are registered, by their newer name."),
	PARAM_LIST(struct create_args, "LifecycleHookSpecificationList.member", hooks, hook_table, .max = 50,
		   .doc = "Lifecycle hooks."),
	PARAM_LIST(struct create_args, "Tags.member", tags, autoscaling_tag_params,
		   .max = AUTOSCALING_TAGS_MAX, .doc = "Tags of the group."),
	PARAM(struct create_args, "LoadBalancerNames.member", balancers, .min = 1, .max = 255,
	      .doc = "Classic Load Balancers that the instances are registered with."),
	PARAM(struct create_args, "InstanceId", instance, .min = 1, .max = 255,
	      .doc = "An instance: a launch configuration with the group's name takes after it, without its "
		     "disks."),
};

static RESULT take_tags(struct autoscaling_call *e, struct create_args *a)
{
	struct tag *tags = arena_new_array(e->c->arena, struct tag, a->tags.count + 1);
	struct str *keys = arena_new_array(e->c->arena, struct str, a->tags.count + 1);
	size_t count = 0;
	if (!tags || !keys)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->tags.count; k++) {
		const struct autoscaling_tag *tag = &a->tags.at[k];
		if (tag->resource.n && !str_equal(tag->resource, a->wish.name))
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("Tags"),
				"Tags of a new group must have its name as ResourceId, not '%" STR_FMT "'.",
				STR_ARG(tag->resource));
		tags[k] = (struct tag){tag->key, tag->value};
		if (tag->propagates == CHOICE_YES)
			keys[count++] = tag->key;
	}
	a->wish.tags = (struct tags){tags, a->tags.count};
	a->wish.propagated = (struct strs){keys, count};
	return OK;
}

static RESULT take_hooks(struct autoscaling_call *e, struct create_args *a)
{
	struct scaling_hook_wish *at =
		arena_new_array(e->c->arena, struct scaling_hook_wish, a->hooks.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->hooks.count; k++) {
		const struct hook_args *h = &a->hooks.at[k];
		at[k] = h->wish;
		at[k].has_transition = true;
		at[k].is_terminating = str_is(h->transition, "autoscaling:EC2_INSTANCE_TERMINATING");
		at[k].abandons = str_is(h->result, "ABANDON") ? CHOICE_YES : CHOICE_NO;
	}
	a->wish.hooks = (struct scaling_hooks){at, a->hooks.count};
	return OK;
}

/* The target groups of Classic Load Balancers follow those that the call names. */
static RESULT add_balancers(struct autoscaling_call *e, struct create_args *a)
{
	struct refs more = {0}, *all = &a->wish.target_groups;
	TRY(autoscaling_find_balancers(e, a->balancers, "LoadBalancerNames", &more));
	struct ref *at = arena_new_array(e->c->arena, struct ref, all->count + more.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < all->count; k++)
		at[k] = all->at[k];
	for (size_t k = 0; k < more.count; k++)
		at[all->count + k] = more.at[k];
	*all = (struct refs){at, all->count + more.count};
	return OK;
}

/* The launch configuration that takes after an instance has the group's name, as in EC2 Auto Scaling. */
static RESULT take_instance(struct autoscaling_call *e, struct create_args *a)
{
	const struct pair name = {STR("LaunchConfigurationName"), a->wish.name};
	struct pairs pairs = {0};
	if (!a->instance.n)
		return OK;
	TRY(autoscaling_read_instance(e, a->instance, &(const struct pairs){&name, 1}, &pairs));
	a->configuration.name = a->wish.name;
	TRY(autoscaling_make_configuration(e, &pairs, &a->configuration));
	a->common.form = a->configuration.data;
	a->wish.configuration = &a->configuration;
	return OK;
}

static RESULT prepare_create(struct autoscaling_call *e, void *args)
{
	struct create_args *a = args;
	struct str *arns =
		arena_new_array(e->c->arena, struct str, a->target_arns.count + a->traffic.count + 1);
	if (!arns)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->target_arns.count; k++)
		arns[k] = a->target_arns.at[k];
	for (size_t k = 0; k < a->traffic.count; k++)
		arns[a->target_arns.count + k] = a->traffic.at[k].arn;
	TRY(autoscaling_check_name(e, a->wish.name, "AutoScalingGroupName"));
	TRY(take_tags(e, a));
	TRY(take_hooks(e, a));
	TRY(autoscaling_find_targets(e, (struct strs){arns, a->target_arns.count + a->traffic.count},
				     "TargetGroupARNs", &a->wish.target_groups));
	TRY(add_balancers(e, a));
	TRY(take_instance(e, a));
	TRY(take_settings(e, &a->common, NULL));
	a->wish.settings = a->common.s;
	return OK;
}

/* ---- update ---- */

struct update_args {
	struct scaling_group_change wish;
	struct common_args common;
	struct str name;
};
static const struct param update_params[] = {
	AUTOSCALING_GROUP(struct update_args, name),
	COMMON(struct update_args, common, 0),
};

static RESULT prepare_update(struct autoscaling_call *e, void *args)
{
	struct update_args *a = args;
	TRY(autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group));
	TRY(take_settings(e, &a->common, scaling_group_find(autoscaling_tables(e), a->wish.group.prefix)));
	a->wish.settings = a->common.s;
	return OK;
}

/* ---- delete ---- */

struct delete_args {
	struct scaling_group_target wish;
	struct str name;
};
static const struct param delete_params[] = {
	AUTOSCALING_GROUP(struct delete_args, name),
	PARAM(struct delete_args, "ForceDelete", wish.is_forced,
	      .doc = "Deletes the group together with its instances."),
};

static RESULT prepare_delete(struct autoscaling_call *e, void *args)
{
	struct delete_args *a = args;
	return autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group);
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("CreateAutoScalingGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_scaling_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates an Auto Scaling group, which launches its instances."},
	{AUTOSCALING_ACTION("UpdateAutoScalingGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct update_args, update_params), .prepare = prepare_update,
	 .operation = engine_update_scaling_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes an Auto Scaling group."},
	{AUTOSCALING_ACTION("DeleteAutoScalingGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_scaling_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes an Auto Scaling group, on request with its instances."},
};
const struct api_actions autoscaling_group_actions = API_ACTIONS(actions);
