/* SPDX-License-Identifier: Apache-2.0
 * Target groups in which a group registers its instances, which are its traffic sources, too. Source: Amazon EC2 Auto
 * Scaling API Reference. */
#include "api/autoscaling/internal.h"
#include "engine/balancing/balancing.h"
#include "engine/resolve.h"
#include "store/target.h"
#include "store/target_group.h"

struct targets_args {
	struct scaling_target_groups wish;
	struct str name;
	struct strs arns;
};
static const struct param targets_params[] = {
	AUTOSCALING_GROUP(struct targets_args, name),
	PARAM(struct targets_args, "TargetGroupARNs.member", arns, .flags = REQUIRED, .min = 1,
	      .max = AUTOSCALING_ARN_MAX, .doc = "Target groups by ARN."),
};

static RESULT prepare(struct autoscaling_call *e, struct targets_args *a, const char *permission)
{
	a->wish.permission = permission;
	TRY(autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group));
	return autoscaling_find_targets(e, a->arns, "TargetGroupARNs", &a->wish.target_groups);
}

static RESULT prepare_attach(struct autoscaling_call *e, void *args)
{
	return prepare(e, args, "scaling_group.attach_target_groups");
}

static RESULT prepare_detach(struct autoscaling_call *e, void *args)
{
	return prepare(e, args, "scaling_group.detach_target_groups");
}

/* ---- Classic Load Balancers ---- */

static const struct param balancers_params[] = {
	AUTOSCALING_GROUP(struct targets_args, name),
	PARAM(struct targets_args, "LoadBalancerNames.member", arns, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Classic Load Balancers by name."),
};

static RESULT prepare_balancers(struct autoscaling_call *e, struct targets_args *a, const char *permission)
{
	a->wish.permission = permission;
	TRY(autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group));
	return autoscaling_find_balancers(e, a->arns, "LoadBalancerNames", &a->wish.target_groups);
}

static RESULT prepare_attach_balancers(struct autoscaling_call *e, void *args)
{
	return prepare_balancers(e, args, "scaling_group.attach_balancers");
}

static RESULT prepare_detach_balancers(struct autoscaling_call *e, void *args)
{
	return prepare_balancers(e, args, "scaling_group.detach_balancers");
}

/* ---- traffic sources ---- */

struct source_args {
	struct str arn, type;
};
static const struct param source_rows[] = {
	PARAM(struct source_args, "Identifier", arn, .flags = REQUIRED, .min = 1, .max = AUTOSCALING_ARN_MAX,
	      .doc = "ARN of a target group."),
	PARAM(struct source_args, "Type", type, .words = "elbv2",
	      .doc = "Type of the traffic source; only elbv2."),
};
static const struct params source_table = PARAMS(struct source_args, source_rows);

struct traffic_args {
	struct targets_args targets;
	struct {
		const struct source_args *at;
		size_t count;
	} sources;
};
static const struct param traffic_params[] = {
	AUTOSCALING_GROUP(struct traffic_args, targets.name),
	PARAM_LIST(struct traffic_args, "TrafficSources.member", sources, source_table, .flags = REQUIRED,
		   .max = 10, .doc = "Target groups by ARN."),
	NOT_BUILT("SkipZonalShiftValidation", .only = "false"),
};

static RESULT prepare_traffic(struct autoscaling_call *e, struct traffic_args *a, const char *permission)
{
	struct str *arns = arena_new_array(e->c->arena, struct str, a->sources.count + 1);
	if (!arns)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->sources.count; k++)
		arns[k] = a->sources.at[k].arn;
	a->targets.arns = (struct strs){arns, a->sources.count};
	return prepare(e, &a->targets, permission);
}

static RESULT prepare_attach_traffic(struct autoscaling_call *e, void *args)
{
	return prepare_traffic(e, args, "scaling_group.attach_traffic");
}

static RESULT prepare_detach_traffic(struct autoscaling_call *e, void *args)
{
	return prepare_traffic(e, args, "scaling_group.detach_traffic");
}

/* ---- lists ---- */

struct list_args {
	struct str name, type;
	struct query_pages pages;
};
static const struct param list_params[] = {
	AUTOSCALING_GROUP(struct list_args, name),
	AUTOSCALING_PAGES(struct list_args, pages),
};
static const struct param list_traffic_params[] = {
	AUTOSCALING_GROUP(struct list_args, name),
	PARAM(struct list_args, "TrafficSourceType", type, .words = "elb|elbv2|vpc-lattice",
	      .doc = "Type of the traffic sources."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

enum listed { LISTED_TARGET_GROUPS, LISTED_BALANCERS, LISTED_TRAFFIC };

/* "InService" once an instance of the group is healthy there; else all are registered, which is "Added". */
static const char *state_of(struct autoscaling_call *e, uuid target_group)
{
	const struct tables *t = autoscaling_tables(e);
	const struct target_group *g = target_group_find(t, target_group);
	const struct target *target = g ? target_first_by_target_group(t, g->row.id) : NULL;
	while (target && engine_get_target_condition(t, g, target).state != TARGET_HEALTHY)
		target = target_next_by_target_group(t, target);
	return target ? "InService" : "Added";
}

static void write_source(struct xml *x, enum listed listed, struct str identifier, const char *type,
			 const char *state)
{
	static const char *const names[] = {[LISTED_TARGET_GROUPS] = "LoadBalancerTargetGroupARN",
					    [LISTED_BALANCERS] = "LoadBalancerName",
					    [LISTED_TRAFFIC] = "Identifier"};
	xml_open(x, "member");
	xml_text(x, names[listed], identifier);
	if (listed == LISTED_TRAFFIC) {
		xml_text(x, "TrafficSource", identifier);
		xml_z(x, "Type", type);
	}
	xml_z(x, "State", state);
	xml_close(x, "member");
}

static RESULT write_list(struct autoscaling_call *e, const struct list_args *a, struct xml *x,
			 const char *list, enum listed listed)
{
	const struct scaling_group *group = NULL;
	struct query_page page;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	TRY(autoscaling_find_group_row(e, a->name, &group));
	xml_open(x, list);
	for (size_t k = 0; k < group->target_groups.count; k++) {
		struct str arn = autoscaling_target_arn(e, group->target_groups.at[k]);
		struct str name = autoscaling_balancer_name(e, group->target_groups.at[k]);
		struct str key = str_print(e->c->arena, "%04zu", k);
		const char *type = arn.n ? "elbv2" : "elb";
		bool shows = listed == LISTED_TRAFFIC
				     ? (arn.n || name.n) && (!a->type.n || str_is(a->type, type))
			     : listed == LISTED_BALANCERS ? name.n > 0
							  : arn.n > 0;
		if (!shows || !query_page_takes(&page, key))
			continue;
		write_source(x, listed, arn.n ? arn : name, type, state_of(e, group->target_groups.at[k]));
	}
	xml_close(x, list);
	autoscaling_close_page(e, x, &page);
	return OK;
}

static RESULT answer_targets(struct autoscaling_call *e, const void *args, struct xml *x)
{
	return write_list(e, args, x, "LoadBalancerTargetGroups", LISTED_TARGET_GROUPS);
}

static RESULT answer_traffic(struct autoscaling_call *e, const void *args, struct xml *x)
{
	return write_list(e, args, x, "TrafficSources", LISTED_TRAFFIC);
}

static RESULT answer_balancers(struct autoscaling_call *e, const void *args, struct xml *x)
{
	return write_list(e, args, x, "LoadBalancers", LISTED_BALANCERS);
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("AttachLoadBalancers"), .flags = API_WRITES,
	 .args = PARAMS(struct targets_args, balancers_params), .prepare = prepare_attach_balancers,
	 .operation = engine_attach_scaling_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Registers a group's instances with Classic Load Balancers."},
	{AUTOSCALING_ACTION("DetachLoadBalancers"), .flags = API_WRITES,
	 .args = PARAMS(struct targets_args, balancers_params), .prepare = prepare_detach_balancers,
	 .operation = engine_detach_scaling_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes a group's instances from Classic Load Balancers."},
	{AUTOSCALING_ACTION("DescribeLoadBalancers"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct list_args, list_params), .answer = answer_balancers,
	 .doc = "Lists the Classic Load Balancers of a group."},
	{AUTOSCALING_ACTION("AttachLoadBalancerTargetGroups"), .flags = API_WRITES,
	 .args = PARAMS(struct targets_args, targets_params), .prepare = prepare_attach,
	 .operation = engine_attach_scaling_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Registers a group's instances in target groups."},
	{AUTOSCALING_ACTION("DetachLoadBalancerTargetGroups"), .flags = API_WRITES,
	 .args = PARAMS(struct targets_args, targets_params), .prepare = prepare_detach,
	 .operation = engine_detach_scaling_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes a group's instances from target groups."},
	{AUTOSCALING_ACTION("AttachTrafficSources"), .flags = API_WRITES,
	 .args = PARAMS(struct traffic_args, traffic_params), .prepare = prepare_attach_traffic,
	 .operation = engine_attach_scaling_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Registers a group's instances in target groups, by the newer name of the action."},
	{AUTOSCALING_ACTION("DetachTrafficSources"), .flags = API_WRITES,
	 .args = PARAMS(struct traffic_args, traffic_params), .prepare = prepare_detach_traffic,
	 .operation = engine_detach_scaling_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes a group's instances from target groups, by the newer name of the action."},
	{AUTOSCALING_ACTION("DescribeLoadBalancerTargetGroups"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct list_args, list_params), .answer = answer_targets,
	 .doc = "Lists the target groups of a group."},
	{AUTOSCALING_ACTION("DescribeTrafficSources"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct list_args, list_traffic_params), .answer = answer_traffic,
	 .doc = "Lists the target groups of a group, by the newer name of the action."},
};
const struct api_actions autoscaling_target_actions = API_ACTIONS(actions);
