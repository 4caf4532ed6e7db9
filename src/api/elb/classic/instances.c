/* SPDX-License-Identifier: Apache-2.0
 * Instances of Classic Load Balancers, and their health. */
#include "api/elb/classic/internal.h"
#include "base/clock.h"
#include "engine/network/port/port.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/elastic_load_balancer.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

enum { INSTANCES_A_CALL_MAX = 1000 };

/* ---- what is shown ---- */

static bool is_registered(const struct target *target)
{
	return !target->drains_until_us || clock_now_us() < target->drains_until_us;
}

void classic_write_instances(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	const struct tables *t = elb_tables(e);
	const struct target_group *group = engine_get_classic_group(t, b->row.id);
	const struct target *target = group ? target_first_by_target_group(t, group->row.id) : NULL;
	xml_open(x, "Instances");
	for (; target; target = target_next_by_target_group(t, target)) {
		if (target->drains_until_us)
			continue;
		xml_open(x, "member");
		xml_text(x, "InstanceId", id_to_ec2(e->c->arena, KIND_INSTANCE, target->instance));
		xml_close(x, "member");
	}
	xml_close(x, "Instances");
}

void classic_write_check(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	static const char *const words[] = {[TARGET_GROUP_CHECK_PROTOCOL_TCP] = "TCP",
					    [TARGET_GROUP_CHECK_PROTOCOL_HTTP] = "HTTP",
					    [TARGET_GROUP_CHECK_PROTOCOL_HTTPS] = "HTTPS",
					    [TARGET_GROUP_CHECK_PROTOCOL_SSL] = "SSL"};
	const struct target_group *g = engine_get_classic_group(elb_tables(e), b->row.id);
	if (!g)
		return;
	xml_open(x, "HealthCheck");
	xml_text(x, "Target",
		 str_print(e->c->arena, "%s:%lld%" STR_FMT, words[g->check_protocol],
			   (long long) g->check_port, STR_ARG(g->check_path)));
	xml_int(x, "Interval", g->interval_s);
	xml_int(x, "Timeout", g->timeout_s);
	xml_int(x, "UnhealthyThreshold", g->unhealthy_threshold);
	xml_int(x, "HealthyThreshold", g->healthy_threshold);
	xml_close(x, "HealthCheck");
}

/* ---- registration ---- */

struct instance_arg {
	struct str id;
};
struct instance_args {
	struct instance_arg *at;
	size_t count;
};
static const struct param instance_params[] = {
	PARAM(struct instance_arg, "InstanceId", id, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "An instance."),
};
static const struct params instance_table = PARAMS(struct instance_arg, instance_params);

struct change_args {
	struct classic_instances wish;
	struct str name;
	struct instance_args instances;
};
static const struct param change_params[] = {
	CLASSIC_NAME(struct change_args, name),
	PARAM_LIST(struct change_args, "Instances.member", instances, instance_table, .flags = REQUIRED,
		   .max = INSTANCES_A_CALL_MAX, .doc = "Instances in the load balancer's VPC."),
};

static RESULT read_instance(struct elb_call *e, struct str id, struct ref *ret_instance)
{
	if (str_starts_with(id, STR("i-")) && result_is_ok(id_parse_ec2(id, KIND_INSTANCE, ret_instance))) {
		ret_instance->field = STR("Instances");
		return OK;
	}
	ctx_clear_problem(e->c);
	return ctx_fail_kind(e->c, ERR_INVALID, KIND_TARGET, "Could not find EC2 instance %" STR_FMT ".",
			     STR_ARG(id));
}

static RESULT prepare_change(struct elb_call *e, void *args)
{
	struct change_args *a = args;
	struct balancing_target *at =
		arena_new_array(e->c->arena, struct balancing_target, a->instances.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	TRY(classic_find(e, a->name, &a->wish.balancer));
	for (size_t k = 0; k < a->instances.count; k++) {
		at[k] = (struct balancing_target){.text = a->instances.at[k].id, .field = STR("Instances")};
		TRY(read_instance(e, a->instances.at[k].id, &at[k].instance));
	}
	a->wish.targets = (struct balancing_targets){at, a->instances.count};
	return OK;
}

/* The instances that are registered after the change. */
static RESULT show_instances(struct elb_call *e, const void *args, struct xml *x)
{
	const struct elastic_load_balancer *b =
		classic_row(e, &((const struct change_args *) args)->wish.balancer);
	if (b)
		classic_write_instances(e, x, b);
	return OK;
}

/* ---- health ---- */

struct health_args {
	struct str name;
	struct instance_args instances;
	struct ref balancer;
};
static const struct param health_params[] = {
	CLASSIC_NAME(struct health_args, name),
	PARAM_LIST(struct health_args, "Instances.member", instances, instance_table,
		   .max = INSTANCES_A_CALL_MAX, .doc = "Instances to show."),
};

struct shown_health {
	const char *state, *reason, *description;
};
#define OUT(reason, description) ((struct shown_health){"OutOfService", reason, description})

/* True if the load balancer has an interface in the instance's zone, or leads to instances of all zones. */
static bool is_in_zone(const struct tables *t, const struct elastic_load_balancer *b,
		       const struct target *target)
{
	const struct port *port = port_find(t, target->port);
	const struct subnet *there = port ? subnet_find(t, port->subnet) : NULL;
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct port *front = port_find(t, b->fronts.at[k]);
		const struct subnet *here = front ? subnet_find(t, front->subnet) : NULL;
		if (!there || !here || uuid_is_none(there->zone) || uuid_is_none(here->zone) ||
		    uuid_equal(there->zone, here->zone))
			return true;
	}
	return b->crosses_zones;
}

static struct shown_health health_of(const struct tables *t, const struct elastic_load_balancer *b,
				     const struct target_group *group, const struct target *target)
{
	struct target_condition c = engine_get_target_condition(t, group, target);
	if (c.state == TARGET_DRAINING)
		return (struct shown_health){"InService", "N/A",
					     "Instance deregistration currently in progress."};
	if (c.state == TARGET_UNUSED)
		return OUT("Instance",
			   target && is_registered(target)
				   ? "Instance is in stopped state."
				   : "Instance is not currently registered with the LoadBalancer.");
	if (!is_in_zone(t, b, target))
		return OUT("ELB", "Instance is in the EC2 Availability Zone for which LoadBalancer is not "
				  "configured to route traffic to.");
	if (c.state == TARGET_HEALTHY)
		return (struct shown_health){"InService", "N/A", "N/A"};
	if (c.state == TARGET_INITIAL)
		return OUT("ELB", "Instance registration is still in progress.");
	return OUT("Instance", "Instance has failed at least the UnhealthyThreshold number of health checks "
			       "consecutively.");
}

static void write_health(struct xml *x, struct str id, struct shown_health health)
{
	xml_open(x, "member");
	xml_text(x, "InstanceId", id);
	xml_z(x, "State", health.state);
	xml_z(x, "ReasonCode", health.reason);
	xml_z(x, "Description", health.description);
	xml_close(x, "member");
}

static RESULT prepare_health(struct elb_call *e, void *args)
{
	struct health_args *a = args;
	return classic_find(e, a->name, &a->balancer);
}

static const struct target *find_target(const struct tables *t, uuid group, uuid instance)
{
	const struct target *target = target_first_by_target_group(t, group);
	while (target && !uuid_equal(target->instance, instance))
		target = target_next_by_target_group(t, target);
	return target;
}

static RESULT answer_health(struct elb_call *e, const void *args, struct xml *x)
{
	const struct health_args *a = args;
	const struct tables *t = elb_tables(e);
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, t, KIND_ELASTIC_LOAD_BALANCER, &a->balancer, &row));
	const struct elastic_load_balancer *b = elastic_load_balancer_of(row);
	const struct target_group *group = engine_get_classic_group(t, b->row.id);
	xml_open(x, "InstanceStates");
	for (size_t k = 0; k < a->instances.count; k++) {
		struct ref ref;
		const struct instance *instance = NULL;
		TRY(read_instance(e, a->instances.at[k].id, &ref));
		TRY(engine_find_own_instance(e->c, t, &ref, &instance));
		write_health(x, a->instances.at[k].id,
			     health_of(t, b, group, find_target(t, group->row.id, instance->row.id)));
	}
	const struct target *target =
		a->instances.count ? NULL : target_first_by_target_group(t, group->row.id);
	for (; target; target = target_next_by_target_group(t, target))
		if (is_registered(target))
			write_health(x, id_to_ec2(e->c->arena, KIND_INSTANCE, target->instance),
				     health_of(t, b, group, target));
	xml_close(x, "InstanceStates");
	return OK;
}

/* ---- health checks ---- */

struct check_args {
	struct classic_check wish;
	struct str name, target;
};
#define CHECK(name, member, least, most, words)                                                              \
	PARAM(struct check_args, "HealthCheck." name, wish.member, .flags = REQUIRED, .min = (least),        \
	      .max = (most), .doc = words)
static const struct param check_params[] = {
	CLASSIC_NAME(struct check_args, name),
	PARAM(struct check_args, "HealthCheck.Target", target, .flags = REQUIRED, .min = 1, .max = 1024,
	      .doc = "Target of the health check: `TCP:PORT`, `SSL:PORT`, `HTTP:PORT/PATH` or "
		     "`HTTPS:PORT/PATH`."),
	CHECK("Interval", interval_s, 5, 300, "Interval of health checks in seconds."),
	CHECK("Timeout", timeout_s, 2, 60, "Timeout of a health check in seconds."),
	CHECK("UnhealthyThreshold", unhealthy_threshold, 2, 10,
	      "Number of failures that make an instance unhealthy."),
	CHECK("HealthyThreshold", healthy_threshold, 2, 10,
	      "Number of successes that make an instance healthy."),
};

static RESULT fail_check(struct elb_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("HealthCheck.Target"), "%s", why);
}

static RESULT prepare_check(struct elb_call *e, void *args)
{
	struct check_args *a = args;
	struct str rest = a->target, protocol = STR_NONE;
	TRY(classic_find(e, a->name, &a->wish.balancer));
	if (!str_split_next(&rest, ':', &protocol) || protocol.n == a->target.n)
		return fail_check(e, "HealthCheck HTTP Target must specify a port followed by a path that "
				     "begins with a slash. e.g. HTTP:80/ping/this/path");
	TRY(classic_read_protocol(e, protocol, "HealthCheck.Target", &a->wish.protocol));
	size_t slash = str_find_char(rest, '/', 0);
	if (!result_is_ok(str_parse_int(str_slice(rest, 0, slash), &a->wish.port)) || a->wish.port < 1 ||
	    a->wish.port > ELB_PORT_MAX)
		return fail_check(e, "HealthCheck Target must have a port from 1 to 65535");
	a->wish.path = str_slice(rest, slash, rest.n);
	bool is_http = a->wish.protocol == BALANCING_HTTP || a->wish.protocol == BALANCING_HTTPS;
	if (is_http != (a->wish.path.n > 0))
		return fail_check(e,
				  is_http ? "HealthCheck HTTP Target must specify a port followed by a path "
					    "that begins with a slash. e.g. HTTP:80/ping/this/path"
					  : "HealthCheck Target of TCP and SSL has no path");
	for (size_t k = 0; k < a->wish.path.n; k++)
		if (a->wish.path.p[k] <= ' ' || a->wish.path.p[k] > '~')
			return fail_check(e, "HealthCheck Target has characters that are not valid");
	return OK;
}

static RESULT show_check(struct elb_call *e, const void *args, struct xml *x)
{
	const struct elastic_load_balancer *b =
		classic_row(e, &((const struct check_args *) args)->wish.balancer);
	if (b)
		classic_write_check(e, x, b);
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("RegisterInstancesWithLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct change_args, change_params), .prepare = prepare_change,
	 .operation = engine_register_classic_instances_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = show_instances, .doc = "Registers instances with a load balancer."},
	{ELB_ACTION("DeregisterInstancesFromLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct change_args, change_params), .prepare = prepare_change,
	 .operation = engine_deregister_classic_instances_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = show_instances, .doc = "Deregisters instances from a load balancer."},
	{ELB_ACTION("DescribeInstanceHealth"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct health_args, health_params), .prepare = prepare_health,
	 .answer = answer_health, .doc = "Lists the health of instances."},
	{ELB_ACTION("ConfigureHealthCheck"), .flags = API_WRITES,
	 .args = PARAMS(struct check_args, check_params), .prepare = prepare_check,
	 .operation = engine_configure_classic_check_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = show_check, .doc = "Configures the health check of a load balancer."},
};
const struct api_actions classic_instance_actions = API_ACTIONS(actions);
