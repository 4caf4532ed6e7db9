/* SPDX-License-Identifier: Apache-2.0
 * Attributes of load balancers and target groups: all of a network load balancer's, of which some can be changed. Source:
 * API Reference of Elastic Load Balancing, LoadBalancerAttribute and TargetGroupAttribute. */
#include "api/elb/internal.h"
#include "engine/resolve.h"
#include "store/network_load_balancer.h"
#include "store/target_group.h"

enum { ATTRIBUTES_MAX = 20, DELAY_MAX_S = 3600 };

static const struct param attribute_params[] = {
	PARAM(struct elb_attribute, "Key", key, .flags = REQUIRED, .min = 1, .max = 256, .doc = "Attribute."),
	PARAM(struct elb_attribute, "Value", value, .flags = REQUIRED | MAY_BE_EMPTY, .max = 1024,
	      .doc = "Its value."),
};
static const struct params attribute_table = PARAMS(struct elb_attribute, attribute_params);
#define ATTRIBUTES(T)                                                                                        \
	PARAM_LIST(T, "Attributes.member", attributes, attribute_table, .flags = REQUIRED,                   \
		   .max = ATTRIBUTES_MAX, .doc = "Values to set.")

/* An attribute that has one value. */
struct fixed_attribute {
	const char *key, *value;
};
static const struct fixed_attribute balancer_fixed[] = {
	{"access_logs.s3.enabled", "false"},
	{"access_logs.s3.bucket", ""},
	{"access_logs.s3.prefix", ""},
	{"ipv6.deny_all_igw_traffic", "false"},
	{"dns_record.client_routing_policy", "any_availability_zone"},
	{"zonal_shift.config.enabled", "false"},
	{"secondary_ips.auto_assigned.per_subnet", "0"},
};
/* Connections to an unhealthy target last until an end closes them. */
static const struct fixed_attribute group_fixed[] = {
	{"stickiness.enabled", "false"},
	{"stickiness.type", "source_ip"},
	{"proxy_protocol_v2.enabled", "false"},
	{"preserve_client_ip.enabled", "true"},
	{"deregistration_delay.connection_termination.enabled", "false"},
	{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration"},
	{"target_health_state.unhealthy.connection_termination.enabled", "false"},
	{"target_health_state.unhealthy.draining_interval_seconds", "0"},
	{"target_group_health.dns_failover.minimum_healthy_targets.count", "off"},
	{"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"},
	{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"},
	{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"},
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Accepts the value that the attribute has. ERR_UNSUPPORTED: another one; ERR_INVALID: there is no such attribute. */
static RESULT check_fixed(struct elb_call *e, const struct elb_attribute *a,
			  const struct fixed_attribute *fixed, size_t count, const char *what)
{
	for (size_t k = 0; k < count; k++) {
		if (!str_is(a->key, fixed[k].key))
			continue;
		return str_is(a->value, fixed[k].value)
			       ? OK
			       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Attributes"),
						"The %s attribute '%s' can only be '%s' in this region", what,
						fixed[k].key, fixed[k].value);
	}
	return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
			      "%s attribute key '%" STR_FMT "' is not recognized", what, STR_ARG(a->key));
}

static RESULT read_choice(struct elb_call *e, const struct elb_attribute *a, enum choice *ret_choice)
{
	bool is_yes = str_is(a->value, "true");
	if (!is_yes && !str_is(a->value, "false"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Attributes"),
				      "'%" STR_FMT "' must be true or false. Got '%" STR_FMT "'",
				      STR_ARG(a->key), STR_ARG(a->value));
	*ret_choice = is_yes ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static void write_attribute(struct xml *x, const char *key, struct str value)
{
	xml_open(x, "member");
	xml_z(x, "Key", key);
	xml_text(x, "Value", value);
	xml_close(x, "member");
}

static void write_fixed(struct xml *x, const struct fixed_attribute *fixed, size_t count)
{
	for (size_t k = 0; k < count; k++)
		write_attribute(x, fixed[k].key, str_from(fixed[k].value));
}

/* ---- load balancers ---- */

struct balancer_args {
	struct network_load_balancer_change wish;
	struct str arn;
	struct elb_attributes attributes;
};
static const struct param read_balancer_params[] = {
	ELB_ARN(struct balancer_args, "LoadBalancerArn", arn, .doc = "The load balancer.")};
static const struct param set_balancer_params[] = {
	ELB_ARN(struct balancer_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	ATTRIBUTES(struct balancer_args)};

static RESULT prepare_balancer(struct elb_call *e, void *args)
{
	struct balancer_args *a = args;
	TRY(elb_find(e, KIND_NETWORK_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer));
	for (size_t k = 0; k < a->attributes.count; k++) {
		const struct elb_attribute *one = &a->attributes.at[k];
		if (str_is(one->key, "deletion_protection.enabled"))
			TRY(read_choice(e, one, &a->wish.is_protected));
		else if (str_is(one->key, "load_balancing.cross_zone.enabled"))
			TRY(read_choice(e, one, &a->wish.crosses_zones));
		else
			TRY(check_fixed(e, one, balancer_fixed, COUNT(balancer_fixed), "Load balancer"));
	}
	return OK;
}

static void write_balancer(struct xml *x, const struct network_load_balancer *b)
{
	xml_open(x, "Attributes");
	write_attribute(x, "deletion_protection.enabled", b->is_protected ? STR("true") : STR("false"));
	write_attribute(x, "load_balancing.cross_zone.enabled",
			b->crosses_zones ? STR("true") : STR("false"));
	write_fixed(x, balancer_fixed, COUNT(balancer_fixed));
	xml_close(x, "Attributes");
}

static RESULT show_balancer(struct elb_call *e, const void *args, struct xml *x)
{
	const struct balancer_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_NETWORK_LOAD_BALANCER, &a->wish.balancer, &row));
	write_balancer(x, network_load_balancer_of(row));
	return OK;
}

static RESULT show_changed_balancer(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct balancer_args *) args)->wish.balancer.prefix, &row));
	write_balancer(x, network_load_balancer_of(row));
	return OK;
}

/* ---- target groups ---- */

struct group_args {
	struct target_group_change wish;
	struct str arn;
	struct elb_attributes attributes;
};
static const struct param read_group_params[] = {
	ELB_ARN(struct group_args, "TargetGroupArn", arn, .doc = "The target group.")};
static const struct param set_group_params[] = {
	ELB_ARN(struct group_args, "TargetGroupArn", arn, .doc = "The target group."),
	ATTRIBUTES(struct group_args)};

static RESULT read_delay(struct elb_call *e, const struct elb_attribute *a, struct target_group_change *wish)
{
	if (!result_is_ok(str_parse_int(a->value, &wish->delay_s)) || wish->delay_s < 0 ||
	    wish->delay_s > DELAY_MAX_S)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("Attributes"),
			"'deregistration_delay.timeout_seconds' must be between '0' and '%d'. Got '%" STR_FMT
			"'",
			DELAY_MAX_S, STR_ARG(a->value));
	wish->sets_delay = true;
	return OK;
}

static RESULT prepare_group(struct elb_call *e, void *args)
{
	struct group_args *a = args;
	TRY(elb_find(e, KIND_TARGET_GROUP, a->arn, "TargetGroupArn", &a->wish.target_group));
	for (size_t k = 0; k < a->attributes.count; k++) {
		const struct elb_attribute *one = &a->attributes.at[k];
		if (str_is(one->key, "deregistration_delay.timeout_seconds"))
			TRY(read_delay(e, one, &a->wish));
		else
			TRY(check_fixed(e, one, group_fixed, COUNT(group_fixed), "Target group"));
	}
	return OK;
}

static void write_group(struct elb_call *e, struct xml *x, const struct target_group *g)
{
	xml_open(x, "Attributes");
	write_attribute(x, "deregistration_delay.timeout_seconds",
			str_print(e->c->arena, "%lld", (long long) g->delay_s));
	write_fixed(x, group_fixed, COUNT(group_fixed));
	xml_close(x, "Attributes");
}

static RESULT show_group(struct elb_call *e, const void *args, struct xml *x)
{
	const struct group_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_TARGET_GROUP, &a->wish.target_group, &row));
	write_group(e, x, target_group_of(row));
	return OK;
}

static RESULT show_changed_group(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct group_args *) args)->wish.target_group.prefix, &row));
	write_group(e, x, target_group_of(row));
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("DescribeLoadBalancerAttributes"),
	 .args = PARAMS(struct balancer_args, read_balancer_params), .prepare = prepare_balancer,
	 .answer = show_balancer, .doc = "Attributes of a load balancer."},
	{ELB_ACTION("ModifyLoadBalancerAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct balancer_args, set_balancer_params), .prepare = prepare_balancer,
	 .operation = engine_set_network_load_balancer_run, .returns = KIND_NETWORK_LOAD_BALANCER,
	 .answer = show_changed_balancer, .doc = "Sets deletion protection and cross-zone load balancing."},
	{ELB_ACTION("DescribeTargetGroupAttributes"), .args = PARAMS(struct group_args, read_group_params),
	 .prepare = prepare_group, .answer = show_group, .doc = "Attributes of a target group."},
	{ELB_ACTION("ModifyTargetGroupAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct group_args, set_group_params), .prepare = prepare_group,
	 .operation = engine_set_target_group_run, .returns = KIND_TARGET_GROUP, .answer = show_changed_group,
	 .doc = "Sets the deregistration delay."},
};
const struct api_actions elb_attribute_actions = API_ACTIONS(actions);
