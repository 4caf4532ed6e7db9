/* SPDX-License-Identifier: Apache-2.0
 * Target groups and their targets. Called by: api/elb. */
#include "store/target_group.h"
#include "engine/acting.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/limits.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/tag_internal.h"
#include "model/router.h"
#include "model/state.h"
#include "store/instance.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/proxy.h"
#include "store/target.h"

/* ---- target groups ---- */

static RESULT check_times(struct op *op, const struct target_group *group)
{
	bool is_network = group->protocol != TARGET_GROUP_PROTOCOL_HTTP &&
			  group->protocol != TARGET_GROUP_PROTOCOL_HTTPS;
	if (group->timeout_s < group->interval_s || (is_network && group->timeout_s == group->interval_s))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_TARGET_GROUP, STR("HealthCheckTimeoutSeconds"),
			   "Health check timeout '%lld' must be smaller than%s the interval '%lld'",
			   (long long) group->timeout_s, is_network ? " or equal to" : "",
			   (long long) group->interval_s);
}

static bool is_same(const struct target_group *a, const struct target_group *b)
{
	return uuid_equal(a->router, b->router) && a->protocol == b->protocol && a->port == b->port &&
	       a->target_type == b->target_type && a->is_ipv6 == b->is_ipv6 &&
	       a->interval_s == b->interval_s && a->timeout_s == b->timeout_s &&
	       a->healthy_threshold == b->healthy_threshold &&
	       a->unhealthy_threshold == b->unhealthy_threshold;
}

enum { DELAY_DEFAULT_S = 300, STICKY_DEFAULT_S = 86400 };

static enum target_group_protocol to_protocol(enum balancing_protocol protocol)
{
	static const enum target_group_protocol protocols[] = {
		[BALANCING_TCP] = TARGET_GROUP_PROTOCOL_TCP,
		[BALANCING_UDP] = TARGET_GROUP_PROTOCOL_UDP,
		[BALANCING_HTTP] = TARGET_GROUP_PROTOCOL_HTTP,
		[BALANCING_HTTPS] = TARGET_GROUP_PROTOCOL_HTTPS,
		[BALANCING_TCP_UDP] = TARGET_GROUP_PROTOCOL_TCP_UDP,
		[BALANCING_TLS] = TARGET_GROUP_PROTOCOL_TLS};
	return protocols[protocol];
}

static enum target_group_check_protocol to_check(enum balancing_protocol protocol)
{
	return protocol == BALANCING_HTTPS  ? TARGET_GROUP_CHECK_PROTOCOL_HTTPS
	       : protocol == BALANCING_SSL  ? TARGET_GROUP_CHECK_PROTOCOL_SSL
	       : protocol == BALANCING_HTTP ? TARGET_GROUP_CHECK_PROTOCOL_HTTP
					    : TARGET_GROUP_CHECK_PROTOCOL_TCP;
}

RESULT engine_create_target_group(struct op *op, struct target_group_wish *wish)
{
	uuid account = UUID_NONE;
	const struct router *router = NULL;
	TRY(engine_find_acting_id(op, &account));
	struct target_group made = {.row = {.id = engine_new_id(op, KIND_TARGET_GROUP), .gen = 1},
				    .account = account,
				    .name = wish->name,
				    .protocol = to_protocol(wish->protocol),
				    .port = wish->port,
				    .target_type = wish->is_by_ip ? TARGET_GROUP_TARGET_TYPE_IP
								  : TARGET_GROUP_TARGET_TYPE_INSTANCE,
				    .is_ipv6 = wish->is_ipv6,
				    .interval_s = wish->interval_s,
				    .timeout_s = wish->timeout_s,
				    .healthy_threshold = wish->healthy_threshold,
				    .unhealthy_threshold = wish->unhealthy_threshold,
				    .check_protocol = to_check(wish->check_protocol),
				    .check_port = wish->check_port,
				    .check_path = wish->check_path,
				    .matcher = wish->matcher,
				    .sticky_s = STICKY_DEFAULT_S,
				    .delay_s = DELAY_DEFAULT_S};
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "target_group.create", KIND_TARGET_GROUP, &made.row));
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	made.router = router->row.id;
	TRY(check_times(op, &made));
	const struct target_group *present = target_group_find_by_account(op->head, account, wish->name);
	if (present && !is_same(present, &made))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_TARGET_GROUP, STR("Name"),
				   "A target group with the same name '%" STR_FMT
				   "' exists, but with different settings",
				   STR_ARG(wish->name));
	if (present) {
		TRY(engine_check_found(op->ctx, op->head, KIND_TARGET_GROUP, &present->row));
		wish->target_group = present->row.id;
		return OK;
	}
	TRY(limit_check(op, LIMIT_TARGET_GROUPS, account, 1, STR_NONE));
	TRY(target_group_put(op, &made));
	wish->target_group = made.row.id;
	return engine_log_event(op, KIND_TARGET_GROUP, &made.row, "created", "Target group %" STR_FMT ".",
				STR_ARG(made.name));
}

/* Unverified: AWS documents the rule, but no sentence for it. */
RESULT target_group_check_family(struct op *op, const struct elastic_load_balancer *balancer,
				 const struct target_group *group)
{
	if (!group->is_ipv6 || balancer->is_dualstack)
		return OK;
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_TARGET_GROUP, STR_NONE,
			   "The target group '%" STR_FMT
			   "' of IP address type 'ipv6' requires a load balancer of IP address type "
			   "'dualstack'",
			   STR_ARG(group->name));
}

RESULT target_group_check_families(struct op *op, const struct elastic_load_balancer *balancer)
{
	const struct target_group *group = target_group_first_by_router(op->head, balancer->router);
	for (; group; group = target_group_next_by_router(op->head, group))
		if (group->is_ipv6 &&
		    uuid_equal(engine_get_balancer_of_group(op->head, group->row.id), balancer->row.id))
			TRY(target_group_check_family(op, balancer, group));
	return OK;
}

static void apply_attributes(const struct target_group_change *wish, struct target_group *next)
{
	if (wish->sets_delay)
		next->delay_s = wish->delay_s;
	if (wish->sets_slow_start)
		next->slow_start_s = wish->slow_start_s;
	if (wish->sets_algorithm)
		next->algorithm = (enum target_group_algorithm) wish->algorithm;
	if (wish->sticky_s)
		next->sticky_s = wish->sticky_s;
	if (wish->sets_cookie_kind)
		next->persistence = wish->is_by_app_cookie ? TARGET_GROUP_PERSISTENCE_APP_COOKIE
							   : TARGET_GROUP_PERSISTENCE_NONE;
	if (wish->cookie.n)
		next->cookie = wish->cookie;
	choice_apply(wish->is_sticky, &next->is_sticky);
	choice_apply(wish->sends_proxy_v2, &next->sends_proxy_v2);
}

/* Checks by connections have no path and no statuses; checks that become requests get the standard ones. */
static void apply_checks(const struct target_group_change *wish, struct target_group *next)
{
	if (wish->sets_check_protocol)
		next->check_protocol = to_check(wish->check_protocol);
	if (wish->sets_check_port)
		next->check_port = wish->check_port;
	if (wish->check_path.n)
		next->check_path = wish->check_path;
	if (wish->matcher.n)
		next->matcher = wish->matcher;
	if (!wish->sets_check_protocol)
		return;
	if (next->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_TCP)
		next->check_path = next->matcher = STR_NONE;
	else if (!next->matcher.n)
		next->matcher = STR("200-399");
	if (next->matcher.n && !next->check_path.n)
		next->check_path = STR("/");
}

/* Unverified: AWS documents no sentence for this. */
static RESULT check_cookie(struct op *op, const struct target_group *group)
{
	if (!group->is_sticky || group->persistence != TARGET_GROUP_PERSISTENCE_APP_COOKIE || group->cookie.n)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_TARGET_GROUP, STR("Attributes"),
			   "Stickiness type 'app_cookie' requires 'stickiness.app_cookie.cookie_name'");
}

static RESULT change(struct op *op, const struct target_group_change *wish, const char *permission)
{
	const struct target_group *present = NULL;
	TRY(engine_permit_target_group(op, &wish->target_group, permission, &present));
	struct target_group next = *present;
	next.interval_s = wish->interval_s ? wish->interval_s : present->interval_s;
	next.timeout_s = wish->timeout_s ? wish->timeout_s : present->timeout_s;
	next.healthy_threshold =
		wish->healthy_threshold ? wish->healthy_threshold : present->healthy_threshold;
	next.unhealthy_threshold =
		wish->unhealthy_threshold ? wish->unhealthy_threshold : present->unhealthy_threshold;
	apply_attributes(wish, &next);
	apply_checks(wish, &next);
	next.row.gen++;
	TRY(check_times(op, &next));
	TRY(check_cookie(op, &next));
	TRY(target_group_put(op, &next));
	TRY(listener_settle_group(op, next.row.id));
	TRY(listener_check_proxied(op, engine_get_balancer_of_group(op->head, next.row.id)));
	return engine_log_event(op, KIND_TARGET_GROUP, &next.row, "changed", "Target group %" STR_FMT ".",
				STR_ARG(next.name));
}

RESULT engine_change_target_group(struct op *op, struct target_group_change *wish)
{
	return change(op, wish, "target_group.update");
}

RESULT engine_set_target_group(struct op *op, struct target_group_change *wish)
{
	return change(op, wish, "target_group.set_attributes");
}

RESULT engine_delete_target_group(struct op *op, struct target_group_target *wish)
{
	const struct target_group *group = NULL;
	TRY(engine_permit_target_group(op, &wish->target_group, "target_group.delete", &group));
	uuid id = group->row.id;
	if (!uuid_is_none(engine_get_balancer_of_group(op->head, id)) && !wish->is_forced)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_TARGET_GROUP, wish->target_group.field,
				   "Target group '%" STR_FMT "' is currently in use by a listener or a rule",
				   STR_ARG(wish->target_group.text));
	for (const struct listener *l = listener_first_by_target_group(op->head, id); l;
	     l = listener_first_by_target_group(op->head, id))
		TRY(listener_end(op, l));
	TRY(listener_settle_group(op, id));
	TRY(engine_log_event(op, KIND_TARGET_GROUP, &group->row, "deleted", "Target group %" STR_FMT ".",
			     STR_ARG(group->name)));
	return target_group_forget(op, id);
}

/* ---- targets ---- */

#define FAIL_TARGET(op, target, ...) ENGINE_FAIL(op, ERR_INVALID, KIND_TARGET, (target)->field, __VA_ARGS__)

static RESULT fail_elsewhere(struct op *op, const struct balancing_target *target, uuid router)
{
	return FAIL_TARGET(op, target,
			   "The following targets are not in the target group VPC '%" STR_FMT "': '%" STR_FMT
			   "'",
			   STR_ARG(engine_write_id(op, KIND_ROUTER, router)), STR_ARG(target->text));
}

/* The primary interface of an instance that is not ending. */
static RESULT find_instance_port(struct op *op, const struct target_group *group,
				 const struct balancing_target *target, const struct port **ret_port)
{
	const struct instance *instance = NULL;
	struct result found = engine_find_own_instance(op->ctx, op->head, &target->instance, &instance);
	if (found.code == ERR_NOT_FOUND) {
		ctx_clear_problem(op->ctx);
		return FAIL_TARGET(op, target, "The following targets do not exist: '%" STR_FMT "'",
				   STR_ARG(target->text));
	}
	TRY(found);
	*ret_port = row_is_live(&instance->row) ? port_first_of_instance(op->head, instance->row.id) : NULL;
	bool may_be_off = !uuid_is_none(group->elastic_load_balancer); /* as in Classic Load Balancers */
	if (!*ret_port || (instance->wanted_power != INSTANCE_WANTED_POWER_ON && !may_be_off))
		return FAIL_TARGET(
			op, target,
			"The following targets are not in a running state and cannot be registered: "
			"'%" STR_FMT "'",
			STR_ARG(target->text));
	return OK;
}

static const struct port *find_ip_port(const struct tables *t, uuid account, uuid router, struct ip ip)
{
	const struct port *port = port_first_by_router(t, router);
	while (port &&
	       !(row_is_live(&port->row) && uuid_equal(port->account, account) && port_has_ip(t, port, ip)))
		port = port_next_by_router(t, port);
	return port;
}

static RESULT find_target(struct op *op, const struct target_group *group,
			  const struct balancing_target *wish, const struct port **ret_port,
			  struct ip *ret_ip)
{
	bool is_by_ip = group->target_type == TARGET_GROUP_TARGET_TYPE_IP;
	if (is_by_ip == ref_is_given(&wish->instance) || (is_by_ip && ip_is_none(wish->ip)))
		return FAIL_TARGET(op, wish,
				   !is_by_ip ? "Instance ID '%" STR_FMT "' is not valid"
				   : group->is_ipv6
					   ? "The IP address '%" STR_FMT "' is not a valid IPv6 address"
					   : "The IP address '%" STR_FMT "' is not a valid IPv4 address",
				   STR_ARG(wish->text));
	if (is_by_ip)
		*ret_port = find_ip_port(op->head, group->account, group->router, wish->ip);
	else
		TRY(find_instance_port(op, group, wish, ret_port));
	if (!*ret_port)
		return FAIL_TARGET(op, wish,
				   "The IP address '%" STR_FMT "' is not a network interface's in the VPC",
				   STR_ARG(wish->text));
	*ret_ip =
		is_by_ip ? wish->ip : engine_get_port_ip(op->head, *ret_port, group->is_ipv6 ? IP_V6 : IP_V4);
	if (ip_is_none(*ret_ip) && group->is_ipv6)
		return FAIL_TARGET(op, wish,
				   "The following targets do not have an IPv6 address: '%" STR_FMT "'",
				   STR_ARG(wish->text));
	if (ip_is_none(*ret_ip) ||
	    !uuid_equal(engine_get_router_of_ip(op->head, *ret_port, *ret_ip), group->router))
		return fail_elsewhere(op, wish, group->router);
	return OK;
}

RESULT target_add(struct op *op, const struct target_group *group, const struct balancing_target *wish,
		  const char *permission)
{
	const struct port *port = NULL;
	struct ip ip;
	TRY(find_target(op, group, wish, &port, &ip));
	TRY(port_permit_end(op, permission, port->row.id));
	int64_t number = wish->number ? wish->number : group->port;
	const struct target *present = target_find_by_target_group(op->head, group->row.id, ip, number);
	struct target next = present ? *present
				     : (struct target){.row.id = engine_new_id(op, KIND_TARGET),
						       .account = group->account,
						       .target_group = group->row.id,
						       .port = port->row.id,
						       .private_ip = ip,
						       .number = number};
	if (present && !present->drains_until_us)
		return OK;
	if (!present)
		TRY(limit_check(op, LIMIT_TARGETS, group->row.id, 1, STR_NONE));
	next.instance = ref_is_given(&wish->instance) ? port->instance : UUID_NONE;
	next.drains_until_us = 0;
	next.health = TARGET_HEALTH_INITIAL;
	next.reason = TARGET_REASON_NONE;
	next.row.gen++;
	return target_put(op, &next);
}

RESULT engine_register_targets(struct op *op, struct targets_wish *wish)
{
	const struct target_group *group = NULL;
	TRY(engine_permit_target_group(op, &wish->target_group, "target_group.register", &group));
	for (size_t k = 0; k < wish->targets.count; k++)
		TRY(target_add(op, group, &wish->targets.at[k], "target_group.register"));
	TRY(listener_settle_group(op, group->row.id));
	return engine_log_event(op, KIND_TARGET_GROUP, &group->row, "targets registered", "%zu named.",
				wish->targets.count);
}

/* With a port the target of that port, otherwise every one of that id (of the rows after `last`). */
static const struct target *find_registered(const struct tables *t, uuid group, const struct target *last,
					    const struct balancing_target *wish)
{
	const struct target *target =
		last ? target_next_by_target_group(t, last) : target_first_by_target_group(t, group);
	bool is_by_ip = !ref_is_given(&wish->instance);
	for (; target; target = target_next_by_target_group(t, target)) {
		bool is_it = is_by_ip ? ip_equal(target->private_ip, wish->ip)
				      : id_has_prefix(target->instance, wish->instance.prefix,
						      wish->instance.bits);
		if (is_it && (!wish->number || wish->number == target->number))
			return target;
	}
	return NULL;
}

/* A target without a listener, or without a delay, is forgotten at once. Its established connections last in any
 * case: OVN only stops to choose it for new ones. */
static RESULT remove_target(struct op *op, const struct target_group *group, const struct target *target,
			    const char *permission)
{
	TRY(port_permit_end(op, permission, target->port));
	if (!group->delay_s || uuid_is_none(engine_get_balancer_of_group(op->head, group->row.id)))
		return target_forget(op, target->row.id);
	struct target next = *target;
	next.drains_until_us = op->now_us + group->delay_s * SECOND;
	next.row.gen++;
	return target_put(op, &next);
}

RESULT target_remove_all(struct op *op, const struct target_group *group, const struct balancing_target *wish,
			 const char *permission)
{
	const struct target *target = find_registered(op->head, group->row.id, NULL, wish), *next = NULL;
	for (; target; target = next) {
		next = find_registered(op->head, group->row.id, target, wish);
		if (!target->drains_until_us)
			TRY(remove_target(op, group, target, permission));
	}
	return OK;
}

RESULT engine_deregister_targets(struct op *op, struct targets_wish *wish)
{
	const struct target_group *group = NULL;
	TRY(engine_permit_target_group(op, &wish->target_group, "target_group.deregister", &group));
	for (size_t k = 0; k < wish->targets.count; k++)
		TRY(target_remove_all(op, group, &wish->targets.at[k], "target_group.deregister"));
	TRY(listener_settle_group(op, group->row.id));
	return engine_log_event(op, KIND_TARGET_GROUP, &group->row, "targets deregistered", "%zu named.",
				wish->targets.count);
}

/* ---- following ports ---- */

/* The members of rows of load_balancer follow by load_balancer_leave_ip() and load_balancer_move_ip(). */
RESULT target_leave_ip(struct op *op, uuid port, struct ip private_ip)
{
	const struct target *target = target_first_by_port(op->head, port), *next = NULL;
	for (; target; target = next) {
		next = target_next_by_port(op->head, target);
		if (!ip_is_none(private_ip) && !ip_equal(target->private_ip, private_ip))
			continue;
		TRY(proxy_touch(op, engine_get_balancer_of_group(op->head, target->target_group)));
		TRY(target_forget(op, target->row.id));
	}
	return OK;
}

RESULT target_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip)
{
	const struct target *target = target_first_by_port(op->head, from), *next = NULL;
	for (; target; target = next) {
		next = target_next_by_port(op->head, target);
		struct target moved = *target;
		moved.port = to;
		moved.row.gen++;
		if (ip_equal(target->private_ip, private_ip))
			TRY(target_put(op, &moved));
	}
	return OK;
}

/* ---- health ---- */

/* True if an address of a balancer leads to the target: with zones that are not crossed, none need do so. */
static bool is_member(const struct tables *t, const struct target *target)
{
	if (engine_get_proxy(t, engine_get_balancer_of_group(t, target->target_group)))
		return true;
	const struct load_balancer_member *m = load_balancer_member_first_by_port(t, target->port);
	for (; m; m = load_balancer_member_next_by_port(t, m)) {
		const struct load_balancer *b = load_balancer_find(t, m->load_balancer);
		const struct listener *l = b ? listener_find(t, b->listener) : NULL;
		if (l && ip_equal(m->private_ip, target->private_ip) &&
		    uuid_equal(l->target_group, target->target_group))
			return true;
	}
	return false;
}

static bool is_on(const struct tables *t, const struct target *target)
{
	const struct port *port = port_find(t, target->port);
	const struct instance *instance = port ? instance_find(t, port->instance) : NULL;
	return instance && instance->seen_power == INSTANCE_SEEN_POWER_ON;
}

static struct target_condition checked_condition(const struct target *target)
{
	static const struct target_condition faults[] = {
		[TARGET_REASON_NONE] = {TARGET_UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed",
					false},
		[TARGET_REASON_MISMATCH] = {TARGET_UNHEALTHY, "Target.ResponseCodeMismatch",
					    "Health checks failed with these codes: ", true},
		[TARGET_REASON_TIMEOUT] = {TARGET_UNHEALTHY, "Target.Timeout", "Request timed out", false},
		[TARGET_REASON_FAILED] = {TARGET_UNHEALTHY, "Target.FailedHealthChecks",
					  "Health checks failed", false},
	};
	if (target->health == TARGET_HEALTH_HEALTHY)
		return (struct target_condition){.state = TARGET_HEALTHY};
	if (target->health == TARGET_HEALTH_UNHEALTHY)
		return faults[target->reason];
	return (struct target_condition){TARGET_INITIAL, "Elb.InitialHealthChecking",
					 "Initial health checks in progress", false};
}

#define UNUSED(reason, description)                                                                          \
	(struct target_condition)                                                                            \
	{                                                                                                    \
		TARGET_UNUSED, reason, description, false                                                    \
	}

struct target_condition engine_get_target_condition(const struct tables *t, const struct target_group *group,
						    const struct target *target)
{
	if (!target || (target->drains_until_us && clock_now_us() >= target->drains_until_us))
		return UNUSED("Target.NotRegistered", "Target is not registered to the target group");
	if (target->drains_until_us)
		return (struct target_condition){TARGET_DRAINING, "Target.DeregistrationInProgress",
						 "Target deregistration is in progress", false};
	if (uuid_is_none(engine_get_balancer_of_group(t, group->row.id)))
		return UNUSED("Target.NotInUse",
			      "Target group is not configured to receive traffic from the load "
			      "balancer");
	if (!is_member(t, target))
		return UNUSED("Target.NotInUse",
			      "Target is in an Availability Zone that is not enabled for the "
			      "load balancer");
	if (!is_on(t, target))
		return UNUSED("Target.InvalidState", "Target is in the stopped state");
	if (group->protocol == TARGET_GROUP_PROTOCOL_UDP)
		return (struct target_condition){TARGET_UNAVAILABLE, "Target.HealthCheckDisabled",
						 "Health checks are not enabled for this target", false};
	return checked_condition(target);
}

bool engine_is_checked_group(const struct tables *t, const struct target_group *group)
{
	bool is_tcp = group->protocol == TARGET_GROUP_PROTOCOL_TCP ||
		      group->protocol == TARGET_GROUP_PROTOCOL_TCP_UDP;
	return is_tcp && uuid_is_none(group->elastic_load_balancer) &&
	       !engine_get_proxy(t, engine_get_balancer_of_group(t, group->row.id)) &&
	       listener_first_by_target_group(t, group->row.id) &&
	       target_first_by_target_group(t, group->row.id);
}

RESULT engine_see_targets(struct op *op, struct target_probes *report)
{
	for (size_t k = 0; k < report->count; k++) {
		const struct target *target = target_find(op->head, report->at[k].target);
		struct target next;
		if (!target)
			continue;
		next = *target;
		next.health = report->at[k].is_healthy ? TARGET_HEALTH_HEALTHY : TARGET_HEALTH_UNHEALTHY;
		next.reason = (enum target_reason) report->at[k].fault;
		next.code = report->at[k].code;
		if (next.health != target->health || next.reason != target->reason ||
		    next.code != target->code)
			TRY(target_put(op, &next));
	}
	return OK;
}

RESULT engine_end_target(struct op *op, struct target_end *report)
{
	const struct target *target = target_find(op->head, report->target);
	bool is_over = target && target->drains_until_us && op->now_us >= target->drains_until_us;
	return is_over ? target_forget(op, target->row.id) : OK;
}
