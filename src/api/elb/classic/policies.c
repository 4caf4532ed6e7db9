/* SPDX-License-Identifier: Apache-2.0
 * Policies of Classic Load Balancers: sticky sessions, the PROXY protocol, and security policies by their names. */
#include "api/elb/classic/internal.h"
#include "engine/resolve.h"
#include "model/tls_policy.h"
#include "store/elastic_load_balancer.h"

/* ---- what is shown ---- */

static void write_cookies(struct xml *x, const struct elastic_load_balancer *b, const char *list,
			  enum classic_policy_type type)
{
	struct classic_policy p;
	xml_open(x, list);
	for (size_t k = 0; engine_get_classic_policy(b, k, &p); k++) {
		if (p.type != type)
			continue;
		xml_open(x, "member");
		xml_text(x, "PolicyName", p.name);
		if (p.value.n)
			xml_text(x, classic_types[type].attribute, p.value);
		xml_close(x, "member");
	}
	xml_close(x, list);
}

static void write_backends(struct xml *x, const struct elastic_load_balancer *b)
{
	xml_open(x, "BackendServerDescriptions");
	for (size_t k = 0; k < b->backend_policies.count; k++) {
		struct str rest = b->backend_policies.at[k], word = STR_NONE;
		(void) str_split_next(&rest, ' ', &word);
		xml_open(x, "member");
		xml_text(x, "InstancePort", word);
		xml_open(x, "PolicyNames");
		while (str_split_next(&rest, ' ', &word))
			xml_text(x, "member", word);
		xml_close(x, "PolicyNames");
		xml_close(x, "member");
	}
	xml_close(x, "BackendServerDescriptions");
}

void classic_write_policies(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	struct classic_policy p;
	(void) e;
	xml_open(x, "Policies");
	write_cookies(x, b, "AppCookieStickinessPolicies", CLASSIC_APP_COOKIE);
	write_cookies(x, b, "LBCookieStickinessPolicies", CLASSIC_LB_COOKIE);
	xml_open(x, "OtherPolicies");
	for (size_t k = 0; engine_get_classic_policy(b, k, &p); k++)
		if (p.type != CLASSIC_APP_COOKIE && p.type != CLASSIC_LB_COOKIE)
			xml_text(x, "member", p.name);
	xml_close(x, "OtherPolicies");
	xml_close(x, "Policies");
	write_backends(x, b);
}

static void write_policy(struct xml *x, const struct classic_policy *p)
{
	xml_open(x, "member");
	xml_text(x, "PolicyName", p->name);
	xml_z(x, "PolicyTypeName", classic_types[p->type].word);
	xml_open(x, "PolicyAttributeDescriptions");
	if (p->value.n) {
		xml_open(x, "member");
		xml_z(x, "AttributeName", classic_types[p->type].attribute);
		xml_text(x, "AttributeValue", p->value);
		xml_close(x, "member");
	}
	xml_close(x, "PolicyAttributeDescriptions");
	xml_close(x, "member");
}

/* ---- creation ---- */

struct attribute_arg {
	struct str name, value;
};
struct attribute_args {
	struct attribute_arg *at;
	size_t count;
};
static const struct param attribute_params[] = {
	PARAM(struct attribute_arg, "AttributeName", name, .flags = REQUIRED, .min = 1, .max = 256,
	      .doc = "CookieName, CookieExpirationPeriod, ProxyProtocol or Reference-Security-Policy."),
	PARAM(struct attribute_arg, "AttributeValue", value, .flags = REQUIRED | MAY_BE_EMPTY, .max = 1024,
	      .doc = "Value of the attribute."),
};
static const struct params attribute_table = PARAMS(struct attribute_arg, attribute_params);

struct create_args {
	struct classic_policy_wish wish;
	struct str name, type, cookie;
	int64_t period;
	struct attribute_args attributes;
};
#define POLICY_NAME(T, member)                                                                               \
	PARAM(T, "PolicyName", member, .flags = REQUIRED, .min = 1, .max = 100,                              \
	      .doc = "Name; unique in the load balancer. Letters, digits and hyphens.")
static const struct param create_params[] = {
	CLASSIC_NAME(struct create_args, name),
	POLICY_NAME(struct create_args, wish.policy.name),
	PARAM(struct create_args, "PolicyTypeName", type, .flags = REQUIRED, .min = 1, .max = 100,
	      .doc = "Policy type, from DescribeLoadBalancerPolicyTypes."),
	PARAM_LIST(struct create_args, "PolicyAttributes.member", attributes, attribute_table, .max = 100,
		   .doc = "Attribute that the policy type requires."),
};
static const struct param app_params[] = {
	CLASSIC_NAME(struct create_args, name),
	POLICY_NAME(struct create_args, wish.policy.name),
	PARAM(struct create_args, "CookieName", cookie, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Name of the application's cookie."),
};
enum { PERIOD_MAX_S = 604800 };
static const struct param lb_params[] = {
	CLASSIC_NAME(struct create_args, name),
	POLICY_NAME(struct create_args, wish.policy.name),
	PARAM(struct create_args, "CookieExpirationPeriod", period, .min = 1, .max = PERIOD_MAX_S,
	      .doc = "Lifetime of the cookie in seconds; absent: until the browser closes."),
};

static RESULT check_name(struct elb_call *e, struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-')
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("PolicyName"),
				"Policy names must only contain alphanumeric characters or dashes");
	return OK;
}

/* A token of HTTP: it becomes a word of the proxy's configuration. */
static RESULT check_cookie(struct elb_call *e, struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-' && name.p[k] != '_' &&
		    name.p[k] != '.')
			return ctx_fail_field(
				e->c, ERR_UNSUPPORTED, STR("CookieName"),
				"Names of cookies can only contain letters, digits, '-', '_' and "
				"'.' in this region");
	return OK;
}

static RESULT prepare_app(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	a->wish.permission = "elastic_load_balancer.create_app_cookie";
	a->wish.policy.type = CLASSIC_APP_COOKIE;
	a->wish.policy.value = a->cookie;
	TRY(check_name(e, a->wish.policy.name));
	TRY(check_cookie(e, a->cookie));
	return classic_find(e, a->name, &a->wish.balancer);
}

static RESULT prepare_lb(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	a->wish.permission = "elastic_load_balancer.create_lb_cookie";
	a->wish.policy.type = CLASSIC_LB_COOKIE;
	if (a->period)
		a->wish.policy.value = str_print(e->c->arena, "%lld", (long long) a->period);
	TRY(check_name(e, a->wish.policy.name));
	return classic_find(e, a->name, &a->wish.balancer);
}

/* Types that AWS has, and this region does not. */
static bool is_unbuilt(struct str type)
{
	return str_is(type, "PublicKeyPolicyType") || str_is(type, "BackendServerAuthenticationPolicyType");
}

static RESULT read_type(struct elb_call *e, struct str word, enum classic_policy_type *ret_type)
{
	for (size_t k = 0; k < CLASSIC_POLICY_TYPES; k++)
		if (str_is(word, classic_types[k].word)) {
			*ret_type = (enum classic_policy_type) k;
			return OK;
		}
	if (is_unbuilt(word))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("PolicyTypeName"),
				      "Policies of type %" STR_FMT " are not supported in this region",
				      STR_ARG(word));
	e->error = &classic_no_type;
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("PolicyTypeName"),
			      "There is no policy type with name '%" STR_FMT "'", STR_ARG(word));
}

static RESULT check_value(struct elb_call *e, const struct classic_policy *p)
{
	int64_t period = 0;
	bool is_period =
		result_is_ok(str_parse_int(p->value, &period)) && period >= 1 && period <= PERIOD_MAX_S;
	if (p->type == CLASSIC_LB_COOKIE && (!p->value.n || is_period))
		return OK;
	if (p->type == CLASSIC_PROXY_PROTOCOL && (str_is(p->value, "true") || str_is(p->value, "false")))
		return OK;
	if (p->type == CLASSIC_APP_COOKIE && p->value.n)
		return check_cookie(e, p->value);
	if (p->type == CLASSIC_SSL && tls_policy_find(p->value))
		return OK;
	return ctx_fail_field(
		e->c, p->type == CLASSIC_SSL ? ERR_UNSUPPORTED : ERR_INVALID, STR("PolicyAttributes"),
		p->type == CLASSIC_SSL ? "A policy of type %s needs %s with one of the names that "
					 "DescribeLoadBalancerPolicies lists: '%" STR_FMT
					 "' is not supported in this region"
				       : "A policy of type %s needs another value of %s than '%" STR_FMT "'",
		classic_types[p->type].word, classic_types[p->type].attribute, STR_ARG(p->value));
}

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	struct classic_policy *p = &a->wish.policy;
	a->wish.permission = "elastic_load_balancer.create_policy";
	TRY(classic_find(e, a->name, &a->wish.balancer));
	TRY(check_name(e, p->name));
	TRY(read_type(e, a->type, &p->type));
	for (size_t k = 0; k < a->attributes.count; k++) {
		if (k || !str_is(a->attributes.at[k].name, classic_types[p->type].attribute))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("PolicyAttributes"),
					      "A policy of type %s has the attribute %s alone in this region",
					      classic_types[p->type].word, classic_types[p->type].attribute);
		p->value = a->attributes.at[k].value;
	}
	return check_value(e, p);
}

/* ---- deletion, and policies that are enabled ---- */

struct delete_args {
	struct classic_policy_target wish;
	struct str name;
};
static const struct param delete_params[] = {CLASSIC_NAME(struct delete_args, name),
					     POLICY_NAME(struct delete_args, wish.name)};

static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	return classic_find(e, a->name, &a->wish.balancer);
}

struct enable_args {
	struct classic_enabled wish;
	struct str name, none;
};
#define POLICY_NAMES                                                                                         \
	PARAM(struct enable_args, "PolicyNames.member", wish.names, .min = 1, .max = 100,                    \
	      .doc = "Policies to enable; none: disables all."),                                             \
		PARAM(struct enable_args, "PolicyNames", none, .words = "",                                  \
		      .doc = "Empty list, which disables all policies.")
static const struct param listener_params[] = {
	CLASSIC_NAME(struct enable_args, name),
	PARAM(struct enable_args, "LoadBalancerPort", wish.port, .flags = REQUIRED, .min = 1,
	      .max = ELB_PORT_MAX, .doc = "Port of a listener."),
	POLICY_NAMES,
};
static const struct param backend_params[] = {
	CLASSIC_NAME(struct enable_args, name),
	PARAM(struct enable_args, "InstancePort", wish.port, .flags = REQUIRED, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the instances that a listener forwards to."),
	POLICY_NAMES,
};

static RESULT prepare_enable(struct elb_call *e, void *args)
{
	struct enable_args *a = args;
	if (a->wish.names.count > CLASSIC_LISTENER_POLICIES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("PolicyNames"),
				      "Up to %d policies can be enabled", CLASSIC_LISTENER_POLICIES_MAX);
	return classic_find(e, a->name, &a->wish.balancer);
}

/* ---- lists ---- */

struct list_args {
	struct str name;
	struct strs names;
	struct ref balancer;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "LoadBalancerName", name, .min = 1, .max = 255,
	      .doc = "Load balancer; absent: the region's security policies."),
	PARAM(struct list_args, "PolicyNames.member", names, .min = 1, .max = 100,
	      .doc = "Policies by name."),
};

static struct classic_policy sample(size_t k)
{
	return (struct classic_policy){str_from(tls_policies[k].name), CLASSIC_SSL,
				       str_from(tls_policies[k].name)};
}

static bool is_sample(struct str name)
{
	return tls_policy_find(name);
}

/* Every policy that the call names must exist. */
static RESULT prepare_list(struct elb_call *e, void *args)
{
	struct list_args *a = args;
	struct classic_policy p;
	if (a->name.n)
		TRY(classic_find(e, a->name, &a->balancer));
	const struct elastic_load_balancer *b = a->name.n ? classic_row(e, &a->balancer) : NULL;
	for (size_t k = 0; k < a->names.count; k++)
		if (b ? !engine_find_classic_policy(b, a->names.at[k], &p) : !is_sample(a->names.at[k])) {
			e->error = &classic_no_policy;
			return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("PolicyNames"),
					      "There is no policy with name '%" STR_FMT "'",
					      STR_ARG(a->names.at[k]));
		}
	return OK;
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct row *row = NULL;
	struct classic_policy p;
	if (a->name.n)
		TRY(engine_find_own(e->c, elb_tables(e), KIND_ELASTIC_LOAD_BALANCER, &a->balancer, &row));
	xml_open(x, "PolicyDescriptions");
	for (size_t k = 0; row && engine_get_classic_policy(elastic_load_balancer_of(row), k, &p); k++)
		if (request_asks_for(a->names, p.name))
			write_policy(x, &p);
	for (size_t k = 0; !row && k < tls_policy_count; k++) {
		p = sample(k);
		if (request_asks_for(a->names, p.name))
			write_policy(x, &p);
	}
	xml_close(x, "PolicyDescriptions");
	return OK;
}

struct types_args {
	struct strs names;
};
static const struct param types_params[] = {
	PARAM(struct types_args, "PolicyTypeNames.member", names, .min = 1, .max = 100,
	      .doc = "Types by name."),
};

static RESULT prepare_types(struct elb_call *e, void *args)
{
	const struct types_args *a = args;
	enum classic_policy_type type;
	for (size_t k = 0; k < a->names.count; k++)
		if (!is_unbuilt(a->names.at[k]))
			TRY(read_type(e, a->names.at[k], &type));
	return OK;
}

static RESULT answer_types(struct elb_call *e, const void *args, struct xml *x)
{
	static const struct {
		const char *doc, *attribute_type, *cardinality;
	} shown[CLASSIC_POLICY_TYPES] = {
		[CLASSIC_APP_COOKIE] = {"Sticky sessions by a cookie of the application.", "String", "ONE"},
		[CLASSIC_LB_COOKIE] = {"Sticky sessions by a cookie of the load balancer.", "Long",
				       "ZERO_OR_ONE"},
		[CLASSIC_PROXY_PROTOCOL] = {"Instances get the client's address by the PROXY protocol.",
					    "Boolean", "ONE"},
		[CLASSIC_SSL] = {"Protocols and ciphers of a listener of HTTPS or SSL.", "String", "ONE"},
	};
	(void) e;
	xml_open(x, "PolicyTypeDescriptions");
	for (size_t k = 0; k < CLASSIC_POLICY_TYPES; k++) {
		if (!request_asks_for(((const struct types_args *) args)->names,
				      str_from(classic_types[k].word)))
			continue;
		xml_open(x, "member");
		xml_z(x, "PolicyTypeName", classic_types[k].word);
		xml_z(x, "Description", shown[k].doc);
		xml_open(x, "PolicyAttributeTypeDescriptions");
		xml_open(x, "member");
		xml_z(x, "AttributeName", classic_types[k].attribute);
		xml_z(x, "AttributeType", shown[k].attribute_type);
		xml_z(x, "Cardinality", shown[k].cardinality);
		xml_close(x, "member");
		xml_close(x, "PolicyAttributeTypeDescriptions");
		xml_close(x, "member");
	}
	xml_close(x, "PolicyTypeDescriptions");
	return OK;
}

#define CREATION(word, params_of, prepare_of, words)                                                         \
	{                                                                                                    \
		ELB_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct create_args, params_of),        \
				  .prepare = prepare_of, .operation = engine_create_classic_policy_run,      \
				  .returns = API_RETURNS_NOTHING_STORED, .doc = words                        \
	}
static const struct elb_action actions[] = {
	CREATION("CreateAppCookieStickinessPolicy", app_params, prepare_app,
		 "Creates a stickiness policy that follows a cookie of the application."),
	CREATION("CreateLBCookieStickinessPolicy", lb_params, prepare_lb,
		 "Creates a stickiness policy with a cookie of the load balancer."),
	CREATION("CreateLoadBalancerPolicy", create_params, prepare_create, "Creates a policy of any type."),
	{ELB_ACTION("DeleteLoadBalancerPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_classic_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a policy."},
	{ELB_ACTION("SetLoadBalancerPoliciesOfListener"), .flags = API_WRITES,
	 .args = PARAMS(struct enable_args, listener_params), .prepare = prepare_enable,
	 .operation = engine_set_classic_listener_policies_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Replaces the policies of a listener."},
	{ELB_ACTION("SetLoadBalancerPoliciesForBackendServer"), .flags = API_WRITES,
	 .args = PARAMS(struct enable_args, backend_params), .prepare = prepare_enable,
	 .operation = engine_set_classic_backend_policies_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Replaces the policies of an instance port."},
	{ELB_ACTION("DescribeLoadBalancerPolicies"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "Lists the policies of a load balancer."},
	{ELB_ACTION("DescribeLoadBalancerPolicyTypes"), .args = PARAMS(struct types_args, types_params),
	 .prepare = prepare_types, .answer = answer_types, .doc = "Lists the policy types."},
};
const struct api_actions classic_policy_actions = API_ACTIONS(actions);
