/* SPDX-License-Identifier: Apache-2.0
 * Target groups of TCP and UDP. Targets of TCP are checked by connections; those of UDP are not checked. Source: API
 * Reference of Elastic Load Balancing. */
#include "api/elb/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/listener.h"
#include "store/network_load_balancer.h"
#include "store/target_group.h"

#define PROTOCOLS "HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"

/* ---- health checks ---- */

struct check_args {
	struct str protocol, port;
	enum choice is_enabled;
	int64_t interval_s, timeout_s, healthy, unhealthy;
};
#define CHECKS(T, member)                                                                                    \
	PARAM(T, "HealthCheckProtocol", member.protocol, .words = PROTOCOLS, .doc = "Only TCP."),            \
		PARAM(T, "HealthCheckPort", member.port, .min = 1, .max = 16,                                \
		      .doc = "Only `traffic-port`."),                                                        \
		PARAM(T, "HealthCheckEnabled", member.is_enabled, .doc = "True of TCP, false of UDP."),      \
		PARAM(T, "HealthCheckIntervalSeconds", member.interval_s, .min = 5, .max = 300,              \
		      .doc = "Seconds between two checks."),                                                 \
		PARAM(T, "HealthCheckTimeoutSeconds", member.timeout_s, .min = 2, .max = 120,                \
		      .doc = "Seconds until a check has failed."),                                           \
		PARAM(T, "HealthyThresholdCount", member.healthy, .min = 2, .max = 10,                       \
		      .doc = "Successes that make a target healthy."),                                       \
		PARAM(T, "UnhealthyThresholdCount", member.unhealthy, .min = 2, .max = 10,                   \
		      .doc = "Failures that make a target unhealthy."),                                      \
		NOT_BUILT("HealthCheckPath|Matcher")

enum { INTERVAL_DEFAULT = 30, TIMEOUT_DEFAULT = 10, HEALTHY_DEFAULT = 5, UNHEALTHY_DEFAULT = 2 };

static RESULT fail_check(struct elb_call *e, const char *field, const char *why)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field), "%s", why);
}

static RESULT check_checks(struct elb_call *e, const struct check_args *a, bool is_udp)
{
	if (is_udp && (a->protocol.n || a->port.n || a->interval_s || a->timeout_s || a->healthy ||
		       a->unhealthy || a->is_enabled == CHOICE_YES))
		return fail_check(e, "HealthCheckProtocol",
				  "Targets of protocol UDP have no health checks in this region");
	if (a->protocol.n && !str_is(a->protocol, "TCP"))
		return fail_check(
			e, "HealthCheckProtocol",
			"Health checks of another protocol than TCP are not supported in this region");
	if (a->port.n && !str_is(a->port, "traffic-port"))
		return fail_check(
			e, "HealthCheckPort",
			"Health checks of another port than the traffic port are not supported in this "
			"region");
	if (!is_udp && a->is_enabled == CHOICE_NO)
		return ctx_fail_field(e->c, ERR_INVALID, STR("HealthCheckEnabled"),
				      "Health check enabled must be true for target groups with target type "
				      "'instance' or 'ip'");
	return OK;
}

static int64_t or_default(int64_t value, int64_t standard)
{
	return value ? value : standard;
}

/* ---- creation and change ---- */

struct create_args {
	struct target_group_wish wish;
	struct str protocol, type;
	struct check_args check;
};
static const struct param create_params[] = {
	ELB_NAME(struct create_args, wish.name),
	PARAM(struct create_args, "Protocol", protocol, .flags = REQUIRED, .words = PROTOCOLS,
	      .doc = "TCP or UDP."),
	PARAM(struct create_args, "Port", wish.port, .flags = REQUIRED, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the targets."),
	PARAM(struct create_args, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "VPC of the targets."),
	PARAM(struct create_args, "TargetType", type, .words = "instance|ip|lambda|alb", .absent = "instance",
	      .doc = "`instance` or `ip`."),
	CHECKS(struct create_args, check),
	ELB_TAGS(struct create_args, wish.tags),
	NOT_BUILT("IpAddressType", .only = "ipv4"),
	NOT_BUILT("ProtocolVersion|TargetControlPort"),
};

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	bool is_udp = str_is(a->protocol, "UDP");
	if (!is_udp && !str_is(a->protocol, "TCP"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Protocol"),
				      "Target groups of protocol '%" STR_FMT
				      "' are not supported in this region: only TCP and UDP are",
				      STR_ARG(a->protocol));
	if (!str_is(a->type, "instance") && !str_is(a->type, "ip"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("TargetType"),
				      "Targets of type '%" STR_FMT
				      "' are not supported in this region: only 'instance' and 'ip' are",
				      STR_ARG(a->type));
	TRY(elb_check_name(e, a->wish.name, "target group"));
	TRY(elb_check_tags(e, a->wish.tags));
	TRY(check_checks(e, &a->check, is_udp));
	a->wish.protocol = is_udp ? BALANCING_UDP : BALANCING_TCP;
	a->wish.is_by_ip = str_is(a->type, "ip");
	a->wish.interval_s = or_default(a->check.interval_s, INTERVAL_DEFAULT);
	/* a short interval without a timeout of its own gets a shorter one, as in ELBv2 */
	a->wish.timeout_s =
		or_default(a->check.timeout_s,
			   a->wish.interval_s > TIMEOUT_DEFAULT ? TIMEOUT_DEFAULT : a->wish.interval_s - 1);
	a->wish.healthy_threshold = or_default(a->check.healthy, HEALTHY_DEFAULT);
	a->wish.unhealthy_threshold = or_default(a->check.unhealthy, UNHEALTHY_DEFAULT);
	return OK;
}

struct change_args {
	struct target_group_change wish;
	struct str arn;
	struct check_args check;
};
static const struct param change_params[] = {
	ELB_ARN(struct change_args, "TargetGroupArn", arn, .doc = "The target group."),
	CHECKS(struct change_args, check),
};

static RESULT prepare_change(struct elb_call *e, void *args)
{
	struct change_args *a = args;
	TRY(elb_find(e, KIND_TARGET_GROUP, a->arn, "TargetGroupArn", &a->wish.target_group));
	const struct target_group *group = target_group_find(elb_tables(e), a->wish.target_group.prefix);
	TRY(check_checks(e, &a->check, group && group->protocol == TARGET_GROUP_PROTOCOL_UDP));
	a->wish.interval_s = a->check.interval_s;
	a->wish.timeout_s = a->check.timeout_s;
	a->wish.healthy_threshold = a->check.healthy;
	a->wish.unhealthy_threshold = a->check.unhealthy;
	return OK;
}

struct delete_args {
	struct target_group_target wish;
	struct str arn;
};
static const struct param delete_params[] = {
	ELB_ARN(struct delete_args, "TargetGroupArn", arn, .doc = "The target group.")};

static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	return elb_find(e, KIND_TARGET_GROUP, a->arn, "TargetGroupArn", &a->wish.target_group);
}

/* ---- what is shown ---- */

static void write_group(struct elb_call *e, struct xml *x, const struct target_group *g)
{
	bool is_udp = g->protocol == TARGET_GROUP_PROTOCOL_UDP;
	xml_open(x, "member");
	xml_text(x, "TargetGroupArn", elb_arn(e, KIND_TARGET_GROUP, &g->row));
	xml_text(x, "TargetGroupName", g->name);
	xml_z(x, "Protocol", is_udp ? "UDP" : "TCP");
	xml_int(x, "Port", g->port);
	xml_text(x, "VpcId", id_to_ec2(e->c->arena, KIND_ROUTER, g->router));
	xml_z(x, "HealthCheckProtocol", "TCP");
	xml_z(x, "HealthCheckPort", "traffic-port");
	xml_bool(x, "HealthCheckEnabled", !is_udp);
	xml_int(x, "HealthCheckIntervalSeconds", g->interval_s);
	xml_int(x, "HealthCheckTimeoutSeconds", g->timeout_s);
	xml_int(x, "HealthyThresholdCount", g->healthy_threshold);
	xml_int(x, "UnhealthyThresholdCount", g->unhealthy_threshold);
	elb_write_balancers_of(e, x, g->row.id);
	xml_z(x, "TargetType", target_group_target_type_words[g->target_type]);
	xml_z(x, "IpAddressType", "ipv4");
	xml_close(x, "member");
}

static RESULT write_one(struct elb_call *e, struct xml *x, uuid group)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, group, &row));
	xml_open(x, "TargetGroups");
	write_group(e, x, target_group_of(row));
	xml_close(x, "TargetGroups");
	return OK;
}

static RESULT show_new(struct elb_call *e, const void *args, struct xml *x)
{
	return write_one(e, x, ((const struct create_args *) args)->wish.target_group);
}

static RESULT show_changed(struct elb_call *e, const void *args, struct xml *x)
{
	return write_one(e, x, ((const struct change_args *) args)->wish.target_group.prefix);
}

/* ---- DescribeTargetGroups ---- */

struct list_args {
	struct str balancer_arn;
	struct strs arns, names;
	struct query_pages pages;
	struct ref balancer; /* set by prepare */
};
static const struct param list_params[] = {
	PARAM(struct list_args, "LoadBalancerArn", balancer_arn, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Target groups of a load balancer."),
	PARAM(struct list_args, "TargetGroupArns.member", arns, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Target groups by their ARNs, up to 20."),
	PARAM(struct list_args, "Names.member", names, .min = 1, .max = BALANCING_NAME_MAX,
	      .doc = "Target groups by their names."),
	ELB_PAGES(struct list_args, pages),
};

static RESULT prepare_list(struct elb_call *e, void *args)
{
	struct list_args *a = args;
	struct ref ref;
	if (a->arns.count > ELB_LIST_MAX || a->names.count > ELB_LIST_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("TargetGroupArns"),
				      "Up to %d target groups can be described at a time", ELB_LIST_MAX);
	if ((a->arns.count > 0) + (a->names.count > 0) + (a->balancer_arn.n > 0) > 1)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("Names"),
			"Target group names, target group ARNs and a load balancer ARN cannot be "
			"specified at the same time");
	if (a->balancer_arn.n)
		TRY(elb_find(e, KIND_NETWORK_LOAD_BALANCER, a->balancer_arn, "LoadBalancerArn",
			     &a->balancer));
	for (size_t k = 0; k < a->arns.count; k++)
		TRY(elb_find(e, KIND_TARGET_GROUP, a->arns.at[k], "TargetGroupArns", &ref));
	for (size_t k = 0; k < a->names.count; k++) {
		ref = (struct ref){.kind = KIND_TARGET_GROUP, .text = a->names.at[k], .field = STR("Names")};
		if (!target_group_find_by_account(elb_tables(e), e->c->who->account, a->names.at[k]))
			return engine_fail_not_found(e->c, KIND_TARGET_GROUP, &ref);
	}
	return OK;
}

static bool has(const struct strs *list, struct str text)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_equal(list->at[k], text))
			return true;
	return list->count == 0;
}

static bool matches(struct elb_call *e, const struct list_args *a, const struct target_group *g)
{
	const struct listener *l = listener_first_by_target_group(elb_tables(e), g->row.id);
	return has(&a->names, g->name) &&
	       (!a->arns.count || has(&a->arns, elb_arn(e, KIND_TARGET_GROUP, &g->row))) &&
	       (!a->balancer_arn.n || (l && uuid_equal(l->network_load_balancer, a->balancer.prefix)));
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = elb_tables(e);
	const struct row *row = NULL;
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	if (a->balancer_arn.n)
		TRY(engine_find_own(e->c, t, KIND_NETWORK_LOAD_BALANCER, &a->balancer, &row));
	xml_open(x, "TargetGroups");
	for (const struct target_group *g = target_group_first_by_account(t, e->c->who->account);
	     g && !page.is_cut; g = target_group_next_by_account(t, g)) {
		if (!matches(e, a, g) || !query_page_takes(&page, g->name))
			continue;
		TRY(engine_check_found(e->c, t, KIND_TARGET_GROUP, &g->row));
		write_group(e, x, g);
	}
	xml_close(x, "TargetGroups");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateTargetGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_target_group_run, .returns = KIND_TARGET_GROUP, .answer = show_new,
	 .doc = "Creates a target group."},
	{ELB_ACTION("DescribeTargetGroups"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "The account's target groups."},
	{ELB_ACTION("ModifyTargetGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct change_args, change_params), .prepare = prepare_change,
	 .operation = engine_change_target_group_run, .returns = KIND_TARGET_GROUP, .answer = show_changed,
	 .doc = "Changes the health checks of a target group."},
	{ELB_ACTION("DeleteTargetGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_target_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a target group that no listener uses."},
};
const struct api_actions elb_target_group_actions = API_ACTIONS(actions);
