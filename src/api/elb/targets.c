/* SPDX-License-Identifier: Apache-2.0
 * Targets and their health. Source: API Reference of Elastic Load Balancing. */
#include "api/elb/internal.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/target.h"
#include "store/target_group.h"

/* ---- parameters ---- */

enum { TARGETS_A_CALL_MAX = 100 };

struct target_arg {
	struct str id, zone;
	int64_t port; /* 0: the group's */
};
struct target_args {
	struct target_arg *at;
	size_t count;
};
static const struct param target_params[] = {
	PARAM(struct target_arg, "Id", id, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "Instance id, or address of a network interface in the VPC."),
	PARAM(struct target_arg, "Port", port, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the target; absent: the target group's. Only application load balancers allow "
		     "another port."),
	NOT_BUILT("AvailabilityZone|QuicServerId"),
};
static const struct params target_table = PARAMS(struct target_arg, target_params);

struct change_args {
	struct targets_wish wish;
	struct str arn;
	struct target_args targets;
};
static const struct param change_params[] = {
	ELB_ARN(struct change_args, "TargetGroupArn", arn, .doc = "ARN of the target group."),
	PARAM_LIST(struct change_args, "Targets.member", targets, target_table, .flags = REQUIRED,
		   .max = TARGETS_A_CALL_MAX, .doc = "Targets."),
};

/* An instance or an address; of another text neither is set, which the engine refuses in a group of either type. */
static struct balancing_target read_target(const struct target_arg *arg, const struct target_group *group)
{
	bool is_by_ip = group->target_type == TARGET_GROUP_TARGET_TYPE_IP;
	struct balancing_target target = {.number = arg->port, .text = arg->id, .field = STR("Targets")};
	struct ip ip;
	if (!is_by_ip && str_starts_with(arg->id, STR("i-")) &&
	    result_is_ok(id_parse_ec2(arg->id, KIND_INSTANCE, &target.instance)))
		target.instance.field = target.field;
	else
		target.instance = (struct ref){0};
	if (is_by_ip && result_is_ok(ip_parse(arg->id, &ip)) && ip.family == (group->is_ipv6 ? IP_V6 : IP_V4))
		target.ip = ip;
	return target;
}

static RESULT prepare_targets(struct elb_call *e, struct change_args *a)
{
	TRY(elb_find(e, KIND_TARGET_GROUP, a->arn, "TargetGroupArn", &a->wish.target_group));
	const struct target_group *group = target_group_find(elb_tables(e), a->wish.target_group.prefix);
	struct balancing_target *at = arena_new_array(e->c->arena, struct balancing_target, a->targets.count);
	if (!at || !group)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->targets.count; k++) {
		bool is_http = group->protocol == TARGET_GROUP_PROTOCOL_HTTP ||
			       group->protocol == TARGET_GROUP_PROTOCOL_HTTPS;
		if (a->targets.at[k].port && a->targets.at[k].port != group->port && !is_http)
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Targets"),
					      "A target's port must be the target group's in this region");
		at[k] = read_target(&a->targets.at[k], group);
	}
	a->wish.targets = (struct balancing_targets){at, a->targets.count};
	return OK;
}

static RESULT prepare_change(struct elb_call *e, void *args)
{
	return prepare_targets(e, args);
}

/* ---- DescribeTargetHealth ---- */

struct health_args {
	struct change_args targets; /* none: all */
	struct strs include;
};
static const struct param health_params[] = {
	ELB_ARN(struct health_args, "TargetGroupArn", targets.arn, .doc = "ARN of the target group."),
	PARAM_LIST(struct health_args, "Targets.member", targets.targets, target_table,
		   .max = TARGETS_A_CALL_MAX, .doc = "Targets to show."),
	PARAM(struct health_args, "Include.member", include, .words = "AnomalyDetection|All",
	      .doc = "Ignored: anomalies are not detected."),
};

static RESULT prepare_health(struct elb_call *e, void *args)
{
	return prepare_targets(e, &((struct health_args *) args)->targets);
}

static const char *const states[] = {
	[TARGET_INITIAL] = "initial", [TARGET_HEALTHY] = "healthy",   [TARGET_UNHEALTHY] = "unhealthy",
	[TARGET_UNUSED] = "unused",   [TARGET_DRAINING] = "draining", [TARGET_UNAVAILABLE] = "unavailable",
};

/* target NULL: it is not registered. */
static void write_health(struct elb_call *e, struct xml *x, const struct target_group *group, struct str id,
			 int64_t port, const struct target *target)
{
	struct target_condition c = engine_get_target_condition(elb_tables(e), group, target);
	xml_open(x, "member");
	xml_open(x, "Target");
	xml_text(x, "Id", id);
	xml_int(x, "Port", port);
	xml_close(x, "Target");
	if (group->protocol != TARGET_GROUP_PROTOCOL_UDP)
		xml_int(x, "HealthCheckPort", group->check_port ? group->check_port : port);
	xml_open(x, "TargetHealth");
	xml_z(x, "State", states[c.state]);
	if (c.reason) {
		xml_z(x, "Reason", c.reason);
		if (c.has_code)
			xml_text(x, "Description",
				 str_print(e->c->arena, "%s[%lld]", c.description, (long long) target->code));
		else
			xml_z(x, "Description", c.description);
	}
	xml_close(x, "TargetHealth");
	xml_close(x, "member");
}

static struct str id_of(struct elb_call *e, const struct target *target)
{
	char text[IP_TEXT_SIZE];
	return uuid_is_none(target->instance)
		       ? str_copy(e->c->arena, str_from(ip_write(target->private_ip, text)))
		       : id_to_ec2(e->c->arena, KIND_INSTANCE, target->instance);
}

static const struct target *find_target(struct elb_call *e, uuid group, const struct target_arg *arg)
{
	const struct tables *t = elb_tables(e);
	const struct target *target = target_first_by_target_group(t, group);
	while (target &&
	       !(str_equal(id_of(e, target), arg->id) && (!arg->port || arg->port == target->number)))
		target = target_next_by_target_group(t, target);
	return target;
}

static RESULT answer_health(struct elb_call *e, const void *args, struct xml *x)
{
	const struct health_args *a = args;
	const struct row *row = NULL;
	const struct tables *t = elb_tables(e);
	TRY(engine_find_own(e->c, t, KIND_TARGET_GROUP, &a->targets.wish.target_group, &row));
	const struct target_group *group = target_group_of(row);
	xml_open(x, "TargetHealthDescriptions");
	for (size_t k = 0; k < a->targets.targets.count; k++) {
		const struct target_arg *arg = &a->targets.targets.at[k];
		const struct target *target = find_target(e, row->id, arg);
		int64_t port = target ? target->number : arg->port ? arg->port : group->port;
		write_health(e, x, group, arg->id, port, target);
	}
	const struct target *target =
		a->targets.targets.count ? NULL : target_first_by_target_group(t, row->id);
	for (; target; target = target_next_by_target_group(t, target))
		if (!target->drains_until_us || clock_now_us() < target->drains_until_us)
			write_health(e, x, group, id_of(e, target), target->number, target);
	xml_close(x, "TargetHealthDescriptions");
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("RegisterTargets"), .flags = API_WRITES,
	 .args = PARAMS(struct change_args, change_params), .prepare = prepare_change,
	 .operation = engine_register_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Registers targets in a target group."},
	{ELB_ACTION("DeregisterTargets"), .flags = API_WRITES,
	 .args = PARAMS(struct change_args, change_params), .prepare = prepare_change,
	 .operation = engine_deregister_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deregisters targets from a target group."},
	{ELB_ACTION("DescribeTargetHealth"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct health_args, health_params), .prepare = prepare_health,
	 .answer = answer_health, .doc = "Lists the health of targets."},
};
const struct api_actions elb_target_actions = API_ACTIONS(actions);
