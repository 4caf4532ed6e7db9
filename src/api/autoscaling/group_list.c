/* SPDX-License-Identifier: Apache-2.0
 * DescribeAutoScalingGroups. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/launch_configuration.h"
#include "store/launch_template.h"
#include "store/zone.h"

/* ---- filters ---- */

struct filter_args {
	struct str name;
	struct strs values;
};
static const struct param filter_rows[] = {
	PARAM(struct filter_args, "Name", name, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Name of the filter: tag-key, tag-value, or tag: followed by a key."),
	PARAM(struct filter_args, "Values.member", values, .max = 255,
	      .doc = "Values, one of which must match."),
};
static const struct params filter_table = PARAMS(struct filter_args, filter_rows);

struct list_args {
	struct strs names;
	struct {
		const struct filter_args *at;
		size_t count;
	} filters;
	struct query_pages pages;
	enum choice instances;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "AutoScalingGroupNames.member", names, .min = 1, .max = SCALING_NAME_MAX,
	      .doc = "Groups by name. Unknown names are ignored."),
	PARAM_LIST(struct list_args, "Filters.member", filters, filter_table, .max = 20,
		   .doc = "Filters by tags."),
	PARAM(struct list_args, "IncludeInstances", instances, .doc = "false: omits the instances."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

static RESULT prepare_list(struct autoscaling_call *e, void *args)
{
	const struct list_args *a = args;
	for (size_t k = 0; k < a->filters.count; k++) {
		struct str name = a->filters.at[k].name;
		if (!str_is(name, "tag-key") && !str_is(name, "tag-value") &&
		    !str_starts_with(name, STR("tag:")))
			return ctx_fail_field(e->c, ERR_INVALID, STR("Filters"),
					      "Filter type %" STR_FMT
					      " is not correct. Allowed Filter types are: "
					      "[tag-key, tag-value, tag:<key>]",
					      STR_ARG(name));
	}
	return OK;
}

static bool has(const struct strs *list, struct str text)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_equal(list->at[k], text))
			return true;
	return false;
}

static bool fits(const struct filter_args *f, const struct tags *tags)
{
	for (size_t k = 0; k < tags->count; k++) {
		const struct tag *tag = &tags->at[k];
		bool is_named = str_starts_with(f->name, STR("tag:")) &&
				str_equal(str_slice(f->name, 4, f->name.n), tag->key);
		if ((str_is(f->name, "tag-key") && has(&f->values, tag->key)) ||
		    ((str_is(f->name, "tag-value") || is_named) && has(&f->values, tag->value)))
			return true;
	}
	return false;
}

static bool matches(const struct list_args *a, const struct scaling_group *g)
{
	if (a->names.count && !has(&a->names, g->name))
		return false;
	for (size_t k = 0; k < a->filters.count; k++)
		if (!fits(&a->filters.at[k], &g->tags))
			return false;
	return true;
}

/* ---- what a group launches ---- */

static void write_template(struct autoscaling_call *e, struct xml *x, const char *name, uuid id,
			   struct str version)
{
	const struct launch_template *t = launch_template_find(autoscaling_tables(e), id);
	xml_open(x, name);
	xml_text(x, "LaunchTemplateId", id_to_ec2(e->c->arena, KIND_LAUNCH_TEMPLATE, id));
	if (t)
		xml_text(x, "LaunchTemplateName", t->name);
	xml_text_opt(x, "Version", version); /* AWS shows none if the request named none */
	xml_close(x, name);
}

static void write_overrides(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g)
{
	xml_open(x, "Overrides");
	for (size_t k = 0; k + OVERRIDE_TEXTS <= g->overrides.count; k += OVERRIDE_TEXTS) {
		const struct str *o = &g->overrides.at[k];
		struct ref ref;
		xml_open(x, "member");
		xml_text_opt(x, "InstanceType", o[OVERRIDE_TYPE]);
		xml_text_opt(x, "WeightedCapacity", o[OVERRIDE_WEIGHT]);
		if (result_is_ok(id_parse_ec2(o[OVERRIDE_TEMPLATE], KIND_LAUNCH_TEMPLATE, &ref))) {
			const struct row *row = tables_find_prefix(
				autoscaling_tables(e), KIND_LAUNCH_TEMPLATE, ref.prefix, ref.bits);
			if (row)
				write_template(e, x, "LaunchTemplateSpecification", row->id,
					       o[OVERRIDE_VERSION]);
		}
		xml_close(x, "member");
	}
	xml_close(x, "Overrides");
}

static void write_mixed(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g)
{
	xml_open(x, "MixedInstancesPolicy");
	xml_open(x, "LaunchTemplate");
	write_template(e, x, "LaunchTemplateSpecification", g->template, g->template_version);
	write_overrides(e, x, g);
	xml_close(x, "LaunchTemplate");
	xml_open(x, "InstancesDistribution");
	xml_z(x, "OnDemandAllocationStrategy", g->by_price ? "lowest-price" : "prioritized");
	xml_int(x, "OnDemandBaseCapacity", g->on_demand_base);
	xml_int(x, "OnDemandPercentageAboveBaseCapacity", g->on_demand_percent);
	xml_text(x, "SpotAllocationStrategy", g->spot_strategy);
	xml_int(x, "SpotInstancePools", 2);
	xml_close(x, "InstancesDistribution");
	xml_close(x, "MixedInstancesPolicy");
}

void autoscaling_write_source(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g)
{
	const struct launch_configuration *c =
		launch_configuration_find(autoscaling_tables(e), g->launch_configuration);
	if (c)
		xml_text(x, "LaunchConfigurationName", c->name);
	else if (g->is_mixed)
		write_mixed(e, x, g);
	else if (!uuid_is_none(g->template)) /* none: a group of CloudStack's AutoScale */
		write_template(e, x, "LaunchTemplate", g->template, g->template_version);
}

/* ---- a group ---- */

static void write_places(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g)
{
	struct str subnets = STR("");
	xml_open(x, "AvailabilityZones");
	for (size_t k = 0; k < g->zones.count; k++) {
		const struct zone *zone = zone_find(autoscaling_tables(e), g->zones.at[k]);
		if (zone)
			xml_text(x, "member", zone->name);
	}
	xml_close(x, "AvailabilityZones");
	for (size_t k = 0; k < g->subnets.count; k++)
		subnets = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(subnets), k ? "," : "",
				    STR_ARG(id_to_ec2(e->c->arena, KIND_SUBNET, g->subnets.at[k])));
	xml_text(x, "VPCZoneIdentifier", subnets);
}

static void write_balancers(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g)
{
	xml_open(x, "LoadBalancerNames");
	for (size_t k = 0; k < g->target_groups.count; k++)
		if (autoscaling_balancer_name(e, g->target_groups.at[k]).n)
			xml_text(x, "member", autoscaling_balancer_name(e, g->target_groups.at[k]));
	xml_close(x, "LoadBalancerNames");
}

static void write_targets(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g)
{
	xml_open(x, "TargetGroupARNs");
	for (size_t k = 0; k < g->target_groups.count; k++)
		if (autoscaling_target_arn(e, g->target_groups.at[k]).n)
			xml_text(x, "member", autoscaling_target_arn(e, g->target_groups.at[k]));
	xml_close(x, "TargetGroupARNs");
	xml_open(x, "TrafficSources");
	for (size_t k = 0; k < g->target_groups.count; k++) {
		struct str arn = autoscaling_target_arn(e, g->target_groups.at[k]);
		struct str name = autoscaling_balancer_name(e, g->target_groups.at[k]);
		if (!arn.n && !name.n)
			continue;
		xml_open(x, "member");
		xml_text(x, "Identifier", arn.n ? arn : name);
		xml_z(x, "Type", arn.n ? "elbv2" : "elb");
		xml_close(x, "member");
	}
	xml_close(x, "TrafficSources");
}

static void write_suspended(struct xml *x, const struct scaling_group *g)
{
	xml_open(x, "SuspendedProcesses");
	for (size_t k = 0; k + 1 < g->suspended.count; k += 2) {
		xml_open(x, "member");
		xml_text(x, "ProcessName", g->suspended.at[k]);
		xml_text(x, "SuspensionReason", g->suspended.at[k + 1]);
		xml_close(x, "member");
	}
	xml_close(x, "SuspendedProcesses");
}

static void write_metrics(struct xml *x, const struct scaling_group *g)
{
	xml_open(x, "EnabledMetrics");
	for (size_t k = 0; k < g->collected.count; k++) {
		xml_open(x, "member");
		xml_text(x, "Metric", g->collected.at[k]);
		xml_z(x, "Granularity", "1Minute");
		xml_close(x, "member");
	}
	xml_close(x, "EnabledMetrics");
}

static void write_members(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g,
			  bool shows)
{
	const struct tables *t = autoscaling_tables(e);
	xml_open(x, "Instances");
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, g->row.id); m && shows;
	     m = scaling_member_next_by_scaling_group(t, m))
		if (m->pool != SCALING_MEMBER_POOL_WARM)
			autoscaling_write_member(e, x, m, false);
	xml_close(x, "Instances");
}

static void write_policies(struct xml *x, const struct scaling_group *g)
{
	static const struct str standard = {"Default", 7};
	static const struct strs only = {&standard, 1};
	autoscaling_write_texts(x, "TerminationPolicies",
				g->termination_policies.count ? &g->termination_policies : &only);
}

static void write_group(struct autoscaling_call *e, struct xml *x, const struct scaling_group *g, bool shows)
{
	xml_open(x, "member");
	xml_text(x, "AutoScalingGroupName", g->name);
	xml_text(x, "AutoScalingGroupARN", autoscaling_arn(e, KIND_SCALING_GROUP, &g->row));
	autoscaling_write_source(e, x, g);
	xml_int(x, "MinSize", g->min_size);
	xml_int(x, "MaxSize", g->max_size);
	xml_int(x, "DesiredCapacity", g->desired);
	xml_int(x, "DefaultCooldown", g->cooldown_s);
	write_places(e, x, g);
	write_balancers(e, x, g);
	write_targets(e, x, g);
	xml_z(x, "HealthCheckType", g->checks_balancers ? "ELB" : "EC2");
	xml_int(x, "HealthCheckGracePeriod", g->grace_s);
	write_members(e, x, g, shows);
	autoscaling_write_pool(x, g);
	if (g->has_pool)
		xml_int(x, "WarmPoolSize", engine_count_scaling_pool(autoscaling_tables(e), g->row.id));
	xml_time_ms(x, "CreatedTime", g->row.created_us);
	write_suspended(x, g);
	xml_text_opt(x, "PlacementGroup", g->placement_group);
	write_metrics(x, g);
	if (g->is_deleting)
		xml_z(x, "Status", "Delete in progress");
	autoscaling_write_tags(x, g);
	write_policies(x, g);
	xml_bool(x, "NewInstancesProtectedFromScaleIn", g->protects_new);
	xml_text(x, "ServiceLinkedRoleARN",
		 str_print(e->c->arena,
			   "arn:aws:iam::%" STR_FMT ":role/aws-service-role/autoscaling.amazonaws.com/"
			   "AWSServiceRoleForAutoScaling",
			   STR_ARG(e->c->who->account_number)));
	xml_bool(x, "CapacityRebalance", false);
	xml_text_opt(x, "Context", g->context);
	if (g->has_warmup)
		xml_int(x, "DefaultInstanceWarmup", g->warmup_s);
	xml_close(x, "member");
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	xml_open(x, "AutoScalingGroups");
	for (const struct scaling_group *g = scaling_group_first_by_account(t, e->c->who->account);
	     g && !page.is_cut; g = scaling_group_next_by_account(t, g)) {
		if (!matches(a, g) || !query_page_takes(&page, g->name))
			continue;
		TRY(engine_check_found(e->c, t, KIND_SCALING_GROUP, &g->row));
		write_group(e, x, g, a->instances != CHOICE_NO);
	}
	xml_close(x, "AutoScalingGroups");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("DescribeAutoScalingGroups"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists the account's Auto Scaling groups with their instances."},
};
const struct api_actions autoscaling_list_actions = API_ACTIONS(actions);
