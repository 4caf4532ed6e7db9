/* SPDX-License-Identifier: Apache-2.0
 * Listeners: TCP and UDP, each of which forwards to one target group. Source: API Reference of Elastic Load
 * Balancing. */
#include "api/elb/internal.h"
#include "engine/resolve.h"
#include "store/listener.h"
#include "store/network_load_balancer.h"
#include "store/target_group.h"

/* ---- parameters ---- */

#define PROTOCOLS "HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"

/* A target group of an action; ForwardConfig says the same for several. */
struct action_group {
	struct str arn;
	int64_t weight;
};
struct action_groups {
	struct action_group *at;
	size_t count;
};
struct listener_action {
	struct str type, arn;
	struct action_groups groups;
	int64_t order;
};
struct listener_actions {
	struct listener_action *at;
	size_t count;
};
static const struct param group_params[] = {
	PARAM(struct action_group, "TargetGroupArn", arn, .flags = REQUIRED, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "The target group."),
	PARAM(struct action_group, "Weight", weight, .max = 999,
	      .doc = "Without effect: there is one group."),
};
static const struct params group_table = PARAMS(struct action_group, group_params);
static const struct param action_params[] = {
	PARAM(struct listener_action, "Type", type, .flags = REQUIRED,
	      .words =
		      "forward|authenticate-oidc|authenticate-cognito|redirect|fixed-response|jwt-validation",
	      .doc = "Only `forward`."),
	PARAM(struct listener_action, "TargetGroupArn", arn, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "The target group."),
	PARAM(struct listener_action, "Order", order, .min = 1, .max = 50000, .doc = "There is one action."),
	PARAM_LIST(struct listener_action, "ForwardConfig.TargetGroups.member", groups, group_table, .max = 5,
		   .doc = "The target group, in another form."),
	NOT_BUILT("ForwardConfig.TargetGroupStickinessConfig.Enabled", .only = "false"),
	NOT_BUILT("ForwardConfig.TargetGroupStickinessConfig.DurationSeconds|AuthenticateOidcConfig|"
		  "AuthenticateCognitoConfig|RedirectConfig|FixedResponseConfig|JwtValidationConfig"),
};
static const struct params action_table = PARAMS(struct listener_action, action_params);

#define ACTIONS(T, ...)                                                                                      \
	PARAM_LIST(T, "DefaultActions.member", actions, action_table, .max = 5,                              \
		   __VA_ARGS__.doc = "Where connections go: one action.")
#define UNBUILT NOT_BUILT("SslPolicy|Certificates.member|AlpnPolicy.member|MutualAuthentication")

struct create_args {
	struct listener_wish wish;
	struct str arn, protocol;
	struct listener_actions actions;
};
static const struct param create_params[] = {
	ELB_ARN(struct create_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	PARAM(struct create_args, "Protocol", protocol, .flags = REQUIRED, .words = PROTOCOLS,
	      .doc = "TCP or UDP."),
	PARAM(struct create_args, "Port", wish.port, .flags = REQUIRED, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the load balancer's addresses."),
	ACTIONS(struct create_args, .flags = REQUIRED, ),
	ELB_TAGS(struct create_args, wish.tags),
	UNBUILT,
};

struct change_args {
	struct listener_change wish;
	struct str arn, protocol;
	struct listener_actions actions;
};
static const struct param change_params[] = {
	ELB_ARN(struct change_args, "ListenerArn", arn, .doc = "The listener."),
	PARAM(struct change_args, "Protocol", protocol, .words = PROTOCOLS, .doc = "TCP or UDP."),
	PARAM(struct change_args, "Port", wish.port, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the load balancer's addresses."),
	ACTIONS(struct change_args),
	UNBUILT,
};

struct delete_args {
	struct listener_target wish;
	struct str arn;
};
static const struct param delete_params[] = {
	ELB_ARN(struct delete_args, "ListenerArn", arn, .doc = "The listener.")};

/* ---- from parameters to wishes ---- */

static RESULT choose_protocol(struct elb_call *e, struct str protocol, enum balancing_protocol *ret_protocol)
{
	*ret_protocol = str_is(protocol, "UDP") ? BALANCING_UDP : BALANCING_TCP;
	if (str_is(protocol, "UDP") || str_is(protocol, "TCP"))
		return OK;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Protocol"),
			      "Listeners of protocol '%" STR_FMT
			      "' are not supported in this region: only TCP and "
			      "UDP are",
			      STR_ARG(protocol));
}

static RESULT choose_group(struct elb_call *e, const struct listener_actions *actions, struct ref *ret_group)
{
	const struct listener_action *a = actions->at;
	if (actions->count != 1)
		return ctx_fail_field(e->c, ERR_INVALID, STR("DefaultActions"),
				      "A listener of a network load balancer has one default action");
	if (!str_is(a->type, "forward"))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("DefaultActions"),
				      "The action type '%" STR_FMT
				      "' is not valid with network load balancer",
				      STR_ARG(a->type));
	if (a->groups.count > 1 || (a->groups.count && a->arn.n && !str_equal(a->arn, a->groups.at[0].arn)))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("DefaultActions"),
				      "A listener forwards to one target group in this region");
	if (!a->groups.count && !a->arn.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("DefaultActions"),
				      "A target group ARN must be specified");
	return elb_find(e, KIND_TARGET_GROUP, a->arn.n ? a->arn : a->groups.at[0].arn, "DefaultActions",
			ret_group);
}

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	TRY(choose_protocol(e, a->protocol, &a->wish.protocol));
	TRY(elb_check_tags(e, a->wish.tags));
	TRY(elb_find(e, KIND_NETWORK_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer));
	return choose_group(e, &a->actions, &a->wish.target_group);
}

static RESULT prepare_change(struct elb_call *e, void *args)
{
	struct change_args *a = args;
	a->wish.sets_protocol = a->protocol.n > 0;
	if (a->wish.sets_protocol)
		TRY(choose_protocol(e, a->protocol, &a->wish.protocol));
	TRY(elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener));
	return a->actions.count ? choose_group(e, &a->actions, &a->wish.target_group) : OK;
}

static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	return elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener);
}

/* ---- what is shown ---- */

static void write_action(struct xml *x, struct str group)
{
	xml_open(x, "DefaultActions");
	xml_open(x, "member");
	xml_z(x, "Type", "forward");
	xml_text(x, "TargetGroupArn", group);
	xml_open(x, "ForwardConfig");
	xml_open(x, "TargetGroups");
	xml_open(x, "member");
	xml_text(x, "TargetGroupArn", group);
	xml_close(x, "member");
	xml_close(x, "TargetGroups");
	xml_close(x, "ForwardConfig");
	xml_close(x, "member");
	xml_close(x, "DefaultActions");
}

static void write_listener(struct elb_call *e, struct xml *x, const struct listener *l)
{
	xml_open(x, "member");
	xml_text(x, "ListenerArn", elb_arn(e, KIND_LISTENER, &l->row));
	xml_text(x, "LoadBalancerArn", elb_arn_of(e, KIND_NETWORK_LOAD_BALANCER, l->network_load_balancer));
	xml_int(x, "Port", l->port);
	xml_z(x, "Protocol", l->protocol == LISTENER_PROTOCOL_UDP ? "UDP" : "TCP");
	write_action(x, elb_arn_of(e, KIND_TARGET_GROUP, l->target_group));
	xml_close(x, "member");
}

static RESULT write_one(struct elb_call *e, struct xml *x, uuid listener)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, listener, &row));
	xml_open(x, "Listeners");
	write_listener(e, x, listener_of(row));
	xml_close(x, "Listeners");
	return OK;
}

static RESULT show_new(struct elb_call *e, const void *args, struct xml *x)
{
	return write_one(e, x, ((const struct create_args *) args)->wish.listener);
}

static RESULT show_changed(struct elb_call *e, const void *args, struct xml *x)
{
	return write_one(e, x, ((const struct change_args *) args)->wish.listener.prefix);
}

void elb_write_balancers_of(struct elb_call *e, struct xml *x, uuid target_group)
{
	const struct listener *l = listener_first_by_target_group(elb_tables(e), target_group);
	xml_open(x, "LoadBalancerArns");
	if (l)
		xml_text(x, "member", elb_arn_of(e, KIND_NETWORK_LOAD_BALANCER, l->network_load_balancer));
	xml_close(x, "LoadBalancerArns");
}

/* ---- DescribeListeners ---- */

struct list_args {
	struct str arn;
	struct strs arns;
	struct query_pages pages;
	struct ref balancer; /* set by prepare */
	struct refs listeners;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "LoadBalancerArn", arn, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "All of a load balancer."),
	PARAM(struct list_args, "ListenerArns.member", arns, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Listeners by their ARNs, up to 20."),
	ELB_PAGES(struct list_args, pages),
};

static RESULT prepare_list(struct elb_call *e, void *args)
{
	struct list_args *a = args;
	if ((a->arn.n > 0) == (a->arns.count > 0) || a->arns.count > ELB_LIST_MAX)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("LoadBalancerArn"),
			"You must specify either listener ARNs, up to %d, or a load balancer ARN",
			ELB_LIST_MAX);
	if (a->arn.n)
		return elb_find(e, KIND_NETWORK_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->balancer);
	struct ref *at = arena_new_array(e->c->arena, struct ref, a->arns.count);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->arns.count; k++)
		TRY(elb_find(e, KIND_LISTENER, a->arns.at[k], "ListenerArns", &at[k]));
	a->listeners = (struct refs){at, a->arns.count};
	return OK;
}

static RESULT list_named(struct elb_call *e, const struct refs *listeners, struct xml *x)
{
	for (size_t k = 0; k < listeners->count; k++) {
		const struct row *row = NULL;
		TRY(engine_find_own(e->c, elb_tables(e), KIND_LISTENER, &listeners->at[k], &row));
		write_listener(e, x, listener_of(row));
	}
	return OK;
}

static RESULT list_all(struct elb_call *e, const struct list_args *a, struct query_page *page, struct xml *x)
{
	const struct tables *t = elb_tables(e);
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, t, KIND_NETWORK_LOAD_BALANCER, &a->balancer, &row));
	for (const struct listener *l = listener_first_by_network_load_balancer(t, row->id);
	     l && !page->is_cut; l = listener_next_by_network_load_balancer(t, l)) {
		if (!query_page_takes(page, str_print(e->c->arena, "%05d", (int) l->port)))
			continue;
		TRY(engine_check_found(e->c, t, KIND_LISTENER, &l->row));
		write_listener(e, x, l);
	}
	return OK;
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	xml_open(x, "Listeners");
	TRY(a->arn.n ? list_all(e, a, &page, x) : list_named(e, &a->listeners, x));
	xml_close(x, "Listeners");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateListener"), .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .prepare = prepare_create, .operation = engine_create_listener_run, .returns = KIND_LISTENER,
	 .answer = show_new, .doc = "Leads a port of a load balancer to a target group."},
	{ELB_ACTION("DescribeListeners"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "Listeners of a load balancer."},
	{ELB_ACTION("ModifyListener"), .flags = API_WRITES, .args = PARAMS(struct change_args, change_params),
	 .prepare = prepare_change, .operation = engine_change_listener_run, .returns = KIND_LISTENER,
	 .answer = show_changed, .doc = "Changes a listener."},
	{ELB_ACTION("DeleteListener"), .flags = API_WRITES, .args = PARAMS(struct delete_args, delete_params),
	 .prepare = prepare_delete, .operation = engine_delete_listener_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a listener."},
};
const struct api_actions elb_listener_actions = API_ACTIONS(actions);
