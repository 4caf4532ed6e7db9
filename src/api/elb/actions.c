/* SPDX-License-Identifier: Apache-2.0
 * Actions of listeners and rules: forward, redirect and fixed-response. Source: API Reference of Elastic Load Balancing,
 * Action. */
#include "api/elb/actions.h"

#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/rule_target_group.h"
#include "store/target_group.h"

enum { WEIGHT_MAX = 999, STICKY_MAX_S = 604800, WEIGHT_DEFAULT = 1 };

/* ---- parameters ---- */

static const struct param group_params[] = {
	PARAM(struct action_group, "TargetGroupArn", arn, .flags = REQUIRED, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "ARN of the target group."),
	PARAM(struct action_group, "Weight", weight, .given = offsetof(struct action_group, has_weight) + 1,
	      .max = WEIGHT_MAX, .doc = "Relative share of the requests."),
};
static const struct params group_table = PARAMS(struct action_group, group_params);

#define MEMBER(name, member, ...) PARAM(struct action_arg, name, member, .min = 1, __VA_ARGS__)
static const struct param action_params[] = {
	PARAM(struct action_arg, "Type", type, .flags = REQUIRED,
	      .words =
		      "forward|authenticate-oidc|authenticate-cognito|redirect|fixed-response|jwt-validation",
	      .doc = "Type: `forward`; for application load balancers also `redirect` or `fixed-response`."),
	MEMBER("TargetGroupArn", arn, .max = ELB_ARN_MAX, .doc = "ARN of the target group to forward to."),
	MEMBER("Order", order, .max = 50000, .doc = "Stored and shown; there is one action."),
	PARAM_LIST(struct action_arg, "ForwardConfig.TargetGroups.member", groups, group_table,
		   .max = RULE_GROUPS_MAX, .doc = "Target groups with weights."),
	PARAM(struct action_arg, "ForwardConfig.TargetGroupStickinessConfig.Enabled", is_sticky,
	      .doc = "Whether a client stays with a target group."),
	MEMBER("ForwardConfig.TargetGroupStickinessConfig.DurationSeconds", sticky_s, .max = STICKY_MAX_S,
	       .doc = "Seconds for which a client stays with a target group."),
	PARAM(struct action_arg, "RedirectConfig.Protocol", protocol, .words = "HTTP|HTTPS|#{protocol}",
	      .doc = "Protocol of the target of a redirect."),
	MEMBER("RedirectConfig.Port", port, .max = 7,
	       .doc = "Port of the target of a redirect, or `#{port}`."),
	MEMBER("RedirectConfig.Host", host, .max = 128,
	       .doc = "Host of the target of a redirect; may contain `#{host}`."),
	MEMBER("RedirectConfig.Path", path, .max = 128,
	       .doc = "Path of the target of a redirect; may contain `#{path}` and others."),
	PARAM(struct action_arg, "RedirectConfig.Query", query, .flags = MAY_BE_EMPTY,
	      .given = offsetof(struct action_arg, has_query) + 1, .max = 128,
	      .doc = "Query of the target of a redirect; may contain `#{query}` and others."),
	PARAM(struct action_arg, "RedirectConfig.StatusCode", redirect_status, .words = "HTTP_301|HTTP_302",
	      .doc = "Status of a redirect."),
	MEMBER("FixedResponseConfig.StatusCode", status, .max = 3,
	       .doc = "Status of the fixed response: 2XX, 4XX or 5XX."),
	MEMBER("FixedResponseConfig.ContentType", content_type, .max = 32,
	       .doc = "Media type of the body: `text/plain`, `text/css`, `text/html`, "
		      "`application/javascript` "
		      "or `application/json`."),
	MEMBER("FixedResponseConfig.MessageBody", body, .max = 1024, .doc = "Body of the fixed response."),
	NOT_BUILT("AuthenticateOidcConfig|AuthenticateCognitoConfig|JwtValidationConfig"),
};
const struct params elb_action_params = PARAMS(struct action_arg, action_params);

/* ---- from parameters to a wish ---- */

static RESULT fail(struct elb_call *e, enum err code, const char *field, const char *why)
{
	return ctx_fail_field(e->c, code, str_from(field), "%s", why);
}

bool elb_is_printable(struct str text, bool has_spaces)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] < (has_spaces ? ' ' : '!') || text.p[k] > '~')
			return false;
	return true;
}

static RESULT add_group(struct elb_call *e, struct str arn, int64_t weight, const char *field,
			struct rule_action *action)
{
	struct rule_group *g = &action->groups[action->group_count];
	TRY(elb_find(e, KIND_TARGET_GROUP, arn, field, &g->group));
	for (size_t k = 0; k < action->group_count; k++)
		if (uuid_equal(action->groups[k].group.prefix, g->group.prefix))
			return fail(e, ERR_INVALID, field, "A target group can only be there once");
	g->weight = weight;
	action->group_count++;
	return OK;
}

static RESULT read_forward(struct elb_call *e, const struct action_arg *a, const char *field,
			   struct rule_action *action)
{
	action->type = RULE_FORWARD;
	if (!a->groups.count && !a->arn.n)
		return fail(e, ERR_INVALID, field, "A target group ARN must be specified");
	if (a->arn.n && (a->groups.count > 1 || (a->groups.count && !str_equal(a->arn, a->groups.at[0].arn))))
		return fail(
			e, ERR_INVALID, field,
			"You cannot specify both a target group ARN and a different forward configuration");
	if (!a->groups.count)
		TRY(add_group(e, a->arn, WEIGHT_DEFAULT, field, action));
	for (size_t k = 0; k < a->groups.count; k++) {
		const struct action_group *g = &a->groups.at[k];
		TRY(add_group(e, g->arn, g->has_weight ? g->weight : WEIGHT_DEFAULT, field, action));
	}
	if (a->is_sticky == CHOICE_YES && !a->sticky_s)
		return fail(e, ERR_INVALID, field,
			    "A duration must be specified if target group stickiness is enabled");
	action->sticky_s = a->is_sticky == CHOICE_YES ? a->sticky_s : 0;
	return OK;
}

static struct str or_standard(struct str text, struct str standard)
{
	return text.n ? text : standard;
}

static bool is_port(struct str text)
{
	int64_t port = 0;
	return str_is(text, "#{port}") ||
	       (text.p[0] >= '1' && text.p[0] <= '9' && result_is_ok(str_parse_int(text, &port)) &&
		port <= ELB_PORT_MAX); /* "+80" would be in the URL */
}

static RESULT read_redirect(struct elb_call *e, const struct action_arg *a, const char *field,
			    struct rule_action *action)
{
	*action = (struct rule_action){.type = RULE_REDIRECT,
				       .status = str_is(a->redirect_status, "HTTP_302") ? 302 : 301,
				       .protocol = or_standard(a->protocol, STR("#{protocol}")),
				       .host = or_standard(a->host, STR("#{host}")),
				       .port = or_standard(a->port, STR("#{port}")),
				       .path = or_standard(a->path, STR("/#{path}")),
				       .query = a->has_query ? a->query : STR("#{query}")};
	if (!a->redirect_status.n)
		return fail(e, ERR_MISSING, field, "A redirect action must have a status code");
	if (!is_port(action->port))
		return fail(e, ERR_INVALID, field,
			    "The redirect port must be between '1' and '65535', or #{port}");
	if (action->path.p[0] != '/')
		return fail(e, ERR_INVALID, field, "The redirect path must begin with '/'");
	if (!elb_is_printable(action->host, false) || !elb_is_printable(action->path, false) ||
	    !elb_is_printable(action->query, false))
		return fail(e, ERR_INVALID, field,
			    "The redirect configuration has characters that are not valid");
	if (str_is(action->protocol, "#{protocol}") && str_is(action->host, "#{host}") &&
	    str_is(action->port, "#{port}") && str_is(action->path, "/#{path}"))
		return fail(e, ERR_COMBINATION, field,
			    "The redirect configuration is not valid because it creates a loop");
	return OK;
}

static bool is_content_type(struct str type)
{
	static const char *const types[] = {"text/html", "application/json", "application/javascript",
					    "text/css", "text/plain"};
	size_t k = 0;
	while (k < sizeof types / sizeof *types && !str_is(type, types[k]))
		k++;
	return k < sizeof types / sizeof *types;
}

static RESULT read_response(struct elb_call *e, const struct action_arg *a, const char *field,
			    struct rule_action *action)
{
	*action = (struct rule_action){.type = RULE_FIXED_RESPONSE,
				       .content_type = or_standard(a->content_type, STR("text/plain")),
				       .body = a->body};
	if (!is_content_type(action->content_type))
		return fail(e, ERR_COMBINATION, "Actions", /* the error's row has this name for both lists */
			    "The ContentType must be one of:'text/html', 'application/json', "
			    "'application/javascript', 'text/css', 'text/plain'");
	bool is_status = a->status.n == 3 && result_is_ok(str_parse_int(a->status, &action->status)) &&
			 action->status >= 200 && action->status <= 599 && action->status / 100 != 3;
	return is_status ? OK
			 : fail(e, a->status.n ? ERR_INVALID : ERR_MISSING, field,
				"A fixed response must have a status code of the form 2XX, 4XX or 5XX");
}

static bool has_forward(const struct action_arg *a)
{
	return a->arn.n || a->groups.count || a->is_sticky || a->sticky_s;
}

static bool has_redirect(const struct action_arg *a)
{
	return a->protocol.n || a->port.n || a->host.n || a->path.n || a->has_query || a->redirect_status.n;
}

static bool has_response(const struct action_arg *a)
{
	return a->status.n || a->content_type.n || a->body.n;
}

/* Settings of another type of action would have no effect. */
static RESULT check_belongs(struct elb_call *e, const struct action_arg *a, const char *field)
{
	if ((!has_forward(a) || str_is(a->type, "forward")) &&
	    (!has_redirect(a) || str_is(a->type, "redirect")) &&
	    (!has_response(a) || str_is(a->type, "fixed-response")))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "An action of type '%" STR_FMT "' has a configuration of another type",
			      STR_ARG(a->type));
}

static RESULT read_type(struct elb_call *e, const struct action_arg *a, const char *field,
			struct rule_action *ret_action)
{
	if (str_is(a->type, "forward"))
		return read_forward(e, a, field, ret_action);
	if (str_is(a->type, "redirect"))
		return read_redirect(e, a, field, ret_action);
	if (str_is(a->type, "fixed-response"))
		return read_response(e, a, field, ret_action);
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
			      "Actions of type '%" STR_FMT "' are not supported in this region",
			      STR_ARG(a->type));
}

RESULT elb_read_action(struct elb_call *e, const struct action_args *actions, const char *field,
		       struct rule_action *ret_action)
{
	if (actions->count != 1)
		return fail(e, ERR_INVALID, field,
			    "There must be exactly one forward, redirect or "
			    "fixed-response action");
	*ret_action = (struct rule_action){0};
	TRY(check_belongs(e, actions->at, field));
	TRY(read_type(e, actions->at, field, ret_action));
	ret_action->order = actions->at->order;
	return OK;
}

/* ---- what is shown ---- */

static void write_groups(struct elb_call *e, struct xml *x, uuid rule, int64_t sticky_s)
{
	const struct rule_target_group *g = rule_target_group_first_by_listener_rule(elb_tables(e), rule);
	const struct rule_target_group *next =
		g ? rule_target_group_next_by_listener_rule(elb_tables(e), g) : NULL;
	if (g && !next)
		xml_text(x, "TargetGroupArn", elb_arn_of(e, KIND_TARGET_GROUP, g->target_group));
	xml_open(x, "ForwardConfig");
	xml_open(x, "TargetGroups");
	for (; g; g = rule_target_group_next_by_listener_rule(elb_tables(e), g)) {
		xml_open(x, "member");
		xml_text(x, "TargetGroupArn", elb_arn_of(e, KIND_TARGET_GROUP, g->target_group));
		xml_int(x, "Weight", g->weight);
		xml_close(x, "member");
	}
	xml_close(x, "TargetGroups");
	xml_open(x, "TargetGroupStickinessConfig");
	xml_bool(x, "Enabled", sticky_s > 0);
	if (sticky_s)
		xml_int(x, "DurationSeconds", sticky_s);
	xml_close(x, "TargetGroupStickinessConfig");
	xml_close(x, "ForwardConfig");
}

static void write_redirect(struct xml *x, const struct listener_rule *r)
{
	xml_open(x, "RedirectConfig");
	xml_text(x, "Protocol", r->protocol);
	xml_text(x, "Port", r->port);
	xml_text(x, "Host", r->host);
	xml_text(x, "Path", r->path);
	xml_text(x, "Query", r->query);
	xml_z(x, "StatusCode", r->status == 302 ? "HTTP_302" : "HTTP_301");
	xml_close(x, "RedirectConfig");
}

static void write_response(struct xml *x, const struct listener_rule *r)
{
	xml_open(x, "FixedResponseConfig");
	if (r->body.n)
		xml_text(x, "MessageBody", r->body);
	xml_int(x, "StatusCode", r->status);
	xml_text(x, "ContentType", r->content_type);
	xml_close(x, "FixedResponseConfig");
}

void elb_write_rule_action(struct elb_call *e, struct xml *x, const char *list, const struct listener_rule *r)
{
	static const char *const types[] = {[LISTENER_RULE_ACTION_FORWARD] = "forward",
					    [LISTENER_RULE_ACTION_REDIRECT] = "redirect",
					    [LISTENER_RULE_ACTION_FIXED_RESPONSE] = "fixed-response"};
	xml_open(x, list);
	xml_open(x, "member");
	xml_z(x, "Type", types[r->action]);
	if (r->action_order) /* AWS shows none if none was given: Ansible compares */
		xml_int(x, "Order", r->action_order);
	if (r->action == LISTENER_RULE_ACTION_FORWARD)
		write_groups(e, x, r->row.id, r->sticky_s);
	else if (r->action == LISTENER_RULE_ACTION_REDIRECT)
		write_redirect(x, r);
	else
		write_response(x, r);
	xml_close(x, "member");
	xml_close(x, list);
}
