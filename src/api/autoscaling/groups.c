/* SPDX-License-Identifier: Apache-2.0
 * CreateAutoScalingGroup, UpdateAutoScalingGroup and DeleteAutoScalingGroup. Source: Amazon EC2 Auto Scaling API
 * Reference. */
#include "api/autoscaling/internal.h"
#include "auth/guard/guard.h"
#include "engine/instance/launch/fleet.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/launch_configuration.h"
#include "store/launch_template.h"
#include "store/subnet.h"
#include "store/zone.h"

enum { LAUNCHES_MAX = 640, DAY_S = 86400, WEIGHT_MAX = 999 };
#define MIXED "MixedInstancesPolicy."
#define DISTRIBUTION MIXED "InstancesDistribution."
#define ROLE_PATH "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"

/* ---- parameters ---- */

struct template_args {
	struct str id, name, version;
};
#define TEMPLATE(T, prefix, member)                                                                          \
	PARAM(T, prefix "LaunchTemplateId", member.id, .min = 1, .max = 255,                                 \
	      .doc = "Launch template by id."),                                                              \
		PARAM(T, prefix "LaunchTemplateName", member.name, .min = 3, .max = 128,                     \
		      .doc = "Launch template by name, instead of its id."),                                 \
		PARAM(T, prefix "Version", member.version, .min = 1, .max = 255,                             \
		      .doc = "Version number, $Latest or $Default; absent: $Default.")

struct override_args {
	struct str type;
	int64_t weight;
	struct template_args template;
};
static const struct param override_rows[] = {
	PARAM(struct override_args, "InstanceType", type, .min = 1, .max = 255,
	      .doc = "Instance type that overrides the launch template's."),
	PARAM(struct override_args, "WeightedCapacity", weight, .min = 1, .max = WEIGHT_MAX,
	      .doc = "Units of capacity that one instance of this override provides; absent: 1."),
	TEMPLATE(struct override_args, "LaunchTemplateSpecification.", template),
	NOT_BUILT("InstanceRequirements|ImageId"),
};
static const struct params override_table = PARAMS(struct override_args, override_rows);

struct source_args {
	struct str configuration;
	struct template_args template, mixed;
	struct {
		const struct override_args *at;
		size_t count;
	} overrides;
	struct str strategy, spot_strategy, vpc_zones;
	int64_t base, percent;
	bool has_base, has_percent;
	struct strs zones;
};
struct common_args {
	struct source_args source;
	struct str health, role;
	struct scaling_settings s;
	int64_t min, max, desired, grace_s, cooldown_s, warmup_s;
};
#define NUMBER(T, m, name, number, low, high, ...)                                                           \
	PARAM(T, name, m.number, .min = (low), .max = (high), .given = offsetof(T, m.s.number.is_given) + 1, \
	      __VA_ARGS__)
#define COMMON(T, m, sizes)                                                                                  \
	AUTOSCALING_NAME(T, "LaunchConfigurationName", m.source.configuration,                               \
			 .doc = "Launch configuration, instead of a launch template."),                      \
		TEMPLATE(T, "LaunchTemplate.", m.source.template),                                           \
		TEMPLATE(T, MIXED "LaunchTemplate.LaunchTemplateSpecification.", m.source.mixed),            \
		PARAM_LIST(T, MIXED "LaunchTemplate.Overrides.member", m.source.overrides, override_table,   \
			   .max = SCALING_OVERRIDES_MAX,                                                     \
			   .doc = "Overrides of the launch template, in order."),                            \
		PARAM(T, DISTRIBUTION "OnDemandAllocationStrategy", m.source.strategy,                       \
		      .words = "prioritized|lowest-price", .absent = "prioritized",                          \
		      .doc = "Order of the overrides. lowest-price: smallest instance type first."),         \
		PARAM(T, DISTRIBUTION "OnDemandBaseCapacity", m.source.base, .min = 0,                       \
		      .max = SCALING_SIZE_MAX, .given = offsetof(T, m.source.has_base) + 1,                  \
		      .doc = "Minimum number of units that are on-demand."),                                 \
		PARAM(T, DISTRIBUTION "OnDemandPercentageAboveBaseCapacity", m.source.percent, .min = 0,     \
		      .max = 100, .given = offsetof(T, m.source.has_percent) + 1,                            \
		      .doc = "Percentage of the remaining units that is on-demand; absent: 100."),           \
		PARAM(T, DISTRIBUTION "SpotAllocationStrategy", m.source.spot_strategy,                      \
		      .words = "lowest-price|capacity-optimized|capacity-optimized-prioritized|"             \
			       "price-capacity-optimized",                                                   \
		      .absent = "lowest-price", .doc = "Only lowest-price: smallest instance type first."),  \
		NOT_BUILT(DISTRIBUTION "SpotInstancePools", .only = "2"),                                    \
		NOT_BUILT(DISTRIBUTION "SpotMaxPrice", .only = ""),                                          \
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
		PARAM(T, "AvailabilityZones.member", m.source.zones, .min = 1, .max = 255,                   \
		      .doc = "Availability Zones; instances are launched into their default subnets."),      \
		PARAM(T, "VPCZoneIdentifier", m.source.vpc_zones, .max = 2047,                               \
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

/* ---- what it launches ---- */

static RESULT refuse(struct autoscaling_call *e, const char *field, const char *words)
{
	return ctx_fail_field(e->c, ERR_COMBINATION, str_from(field), "%s", words);
}

static RESULT name_template(struct autoscaling_call *e, const struct template_args *a, struct ref *ret_ref)
{
	const char *field = a->id.n ? "LaunchTemplateId" : "LaunchTemplateName";
	const struct launch_template *template = NULL;
	if (!a->id.n == !a->name.n)
		return refuse(e, "LaunchTemplate",
			      "Valid requests must contain either launchTemplateId or LaunchTemplateName");
	*ret_ref = (struct ref){.kind = KIND_LAUNCH_TEMPLATE, .text = a->name};
	if (a->id.n && !result_is_ok(id_parse_ec2(a->id, KIND_LAUNCH_TEMPLATE, ret_ref))) {
		ctx_clear_problem(e->c);
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
				      "LaunchTemplateId '%" STR_FMT "' is invalid.", STR_ARG(a->id));
	}
	ret_ref->field = str_from(field);
	return engine_find_own_launch_template(e->c, autoscaling_tables(e), ret_ref, &template);
}

static struct str version_of(const struct template_args *a)
{
	return a->version.n ? a->version : STR("$Default");
}

static RESULT take_overrides(struct autoscaling_call *e, const struct source_args *a,
			     struct scaling_settings *s)
{
	struct str *texts = arena_new_array(e->c->arena, struct str, a->overrides.count * OVERRIDE_TEXTS + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->overrides.count; k++) {
		const struct override_args *o = &a->overrides.at[k];
		struct str *of = &texts[k * OVERRIDE_TEXTS];
		of[OVERRIDE_TYPE] = o->type;
		of[OVERRIDE_WEIGHT] =
			o->weight ? str_print(e->c->arena, "%lld", (long long) o->weight) : STR("");
		of[OVERRIDE_TEMPLATE] = of[OVERRIDE_VERSION] = STR("");
		struct ref ref;
		const struct launch_template *template = NULL;
		if (!o->template.id.n && !o->template.name.n)
			continue;
		TRY(name_template(e, &o->template, &ref));
		TRY(engine_find_own_launch_template(e->c, autoscaling_tables(e), &ref, &template));
		of[OVERRIDE_TEMPLATE] = id_to_ec2(e->c->arena, KIND_LAUNCH_TEMPLATE, template->row.id);
		of[OVERRIDE_VERSION] = version_of(&o->template);
	}
	s->overrides = (struct strs){texts, a->overrides.count * OVERRIDE_TEXTS};
	return OK;
}

static bool names_template(const struct template_args *a)
{
	return a->id.n || a->name.n || a->version.n;
}

static RESULT take_mixed(struct autoscaling_call *e, const struct source_args *a, struct scaling_settings *s)
{
	if (!str_is(a->spot_strategy, "lowest-price"))
		return autoscaling_refuse(e, DISTRIBUTION "SpotAllocationStrategy",
					  "only lowest-price is supported in this region");
	s->is_mixed = true;
	s->by_price = str_is(a->strategy, "lowest-price");
	s->spot_strategy = a->spot_strategy;
	s->on_demand_base = a->base;
	s->on_demand_percent = a->has_percent ? a->percent : 100;
	s->version = version_of(&a->mixed);
	TRY(name_template(e, &a->mixed, &s->template));
	return take_overrides(e, a, s);
}

/* Exactly one of a launch configuration, a launch template and a mixed instances policy. */
static RESULT take_source(struct autoscaling_call *e, const struct source_args *a, bool is_new,
			  struct scaling_settings *s)
{
	bool is_mixed = names_template(&a->mixed) || a->overrides.count;
	int count = (a->configuration.n > 0) + names_template(&a->template) + is_mixed;
	s->on_demand_percent = 100;
	if (count > 1 || (is_new && !count))
		return refuse(e, "LaunchTemplate",
			      "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, "
			      "InstanceId "
			      "or MixedInstancesPolicy parameter.");
	if (!is_mixed && (a->has_base || a->has_percent))
		return refuse(
			e, DISTRIBUTION "OnDemandBaseCapacity",
			"An instances distribution needs a launch template in the MixedInstancesPolicy.");
	if (!count)
		return OK;
	s->has_source = true;
	if (is_mixed)
		return take_mixed(e, a, s);
	if (!a->configuration.n) {
		s->version = version_of(&a->template);
		return name_template(e, &a->template, &s->template);
	}
	const struct launch_configuration *c = launch_configuration_find_by_account(
		autoscaling_tables(e), e->c->who->account, a->configuration);
	s->launch_configuration = (struct ref){.kind = KIND_LAUNCH_CONFIGURATION,
					       .text = a->configuration,
					       .field = STR("LaunchConfigurationName")};
	return c ? OK
		 : ctx_fail_field(e->c, ERR_NOT_FOUND, s->launch_configuration.field,
				  "Launch configuration name not found - Launch configuration %" STR_FMT
				  " not found",
				  STR_ARG(a->configuration));
}

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
static RESULT take_places(struct autoscaling_call *e, const struct source_args *a,
			  const struct scaling_group *present, struct scaling_settings *s)
{
	s->has_places = a->zones.count || a->vpc_zones.n;
	TRY(take_zones(e, a->zones, &s->zones));
	TRY(take_subnets(e, a->vpc_zones, &s->subnets));
	if (!present && !s->has_places)
		return refuse(e, "VPCZoneIdentifier",
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

/* ---- launches on trial ---- */

static RESULT find_places(struct autoscaling_call *e, const struct scaling_settings *s,
			  struct scaling_source *source)
{
	const struct tables *t = autoscaling_tables(e);
	uuid *subnets = arena_new_array(e->c->arena, uuid, s->subnets.count + 1);
	uuid *zones = arena_new_array(e->c->arena, uuid, s->zones.count + 1);
	if (!subnets || !zones)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < s->subnets.count; k++) {
		const struct subnet *subnet = NULL;
		TRY(engine_find_own_subnet(e->c, t, &s->subnets.at[k], &subnet));
		subnets[k] = subnet->row.id;
	}
	for (size_t k = 0; k < s->zones.count; k++)
		zones[k] = zone_find_by_name(t, s->zones.at[k].text)->row.id;
	source->subnets = (struct uuids){subnets, s->subnets.count};
	source->zones = (struct uuids){zones, s->zones.count};
	return OK;
}

static RESULT find_source(struct autoscaling_call *e, const struct scaling_settings *s,
			  struct scaling_source *source)
{
	const struct tables *t = autoscaling_tables(e);
	const struct launch_template *template = NULL;
	const struct launch_configuration *c =
		launch_configuration_find_by_account(t, e->c->who->account, s->launch_configuration.text);
	if (ref_is_given(&s->template))
		TRY(engine_find_own_launch_template(e->c, t, &s->template, &template));
	source->template = template ? template->row.id : UUID_NONE;
	source->launch_configuration = ref_is_given(&s->launch_configuration) && c ? c->row.id : UUID_NONE;
	source->version = s->version;
	source->overrides = s->overrides;
	source->is_mixed = s->is_mixed;
	return OK;
}

/* Reads the launches that the group would make from now on. */
static RESULT read_launches(struct autoscaling_call *e, const struct scaling_group *present,
			    struct scaling_settings *s)
{
	struct scaling_source source = {0};
	struct fleet_override *launches = NULL;
	s->guard = guards_later(e->config->guards);
	if ((!s->has_source && !s->has_places) || !e->config->read_scaling)
		return OK;
	if (present)
		source = engine_get_scaling_source(present);
	if (s->has_source)
		TRY(find_source(e, s, &source));
	if (s->has_places)
		TRY(find_places(e, s, &source));
	if (s->has_placement)
		source.placement_group = s->placement_group;
	if (engine_count_scaling_places(&source) * engine_count_scaling_overrides(&source) > LAUNCHES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("VPCZoneIdentifier"),
				      "Overrides times subnets are %d at most.", LAUNCHES_MAX);
	TRY(e->config->read_scaling(e->c, &e->view, &source, &launches, &s->launch_count));
	s->launches = launches;
	for (size_t k = 0; k < s->launch_count; k++)
		if (launches[k].code.n)
			return ctx_fail_field(e->c, ERR_INVALID, STR("LaunchTemplate"),
					      "You must use a valid fully-formed launch template. %" STR_FMT,
					      STR_ARG(launches[k].message));
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
	TRY(take_source(e, &a->source, !present, s));
	TRY(take_places(e, &a->source, present, s));
	return read_launches(e, present, s);
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
	NOT_BUILT("InstanceId"),
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
