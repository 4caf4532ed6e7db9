/* SPDX-License-Identifier: Apache-2.0
 * Listeners. A listener of a network load balancer forwards to one target group. A listener of an application load
 * balancer has rules; this file handles the default rule. Source: API Reference of Elastic Load Balancing. */
#include "api/elb/actions.h"
#include "engine/resolve.h"
#include "model/tls_policy.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/target_group.h"

/* ---- parameters ---- */

#define PROTOCOLS "HTTP|HTTPS|TCP|TLS|UDP|TCP_UDP|GENEVE|QUIC|TCP_QUIC"

struct certificate_arg {
	struct str arn;
};
struct certificate_args {
	struct certificate_arg *at;
	size_t count;
};
static const struct param certificate_params[] = {
	PARAM(struct certificate_arg, "CertificateArn", arn, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "ARN of a certificate of IAM or ACM."),
	NOT_BUILT("IsDefault"),
};
static const struct params certificate_table = PARAMS(struct certificate_arg, certificate_params);

#define ACTIONS(T, ...)                                                                                      \
	PARAM_LIST(T, "DefaultActions.member", actions, elb_action_params, .max = 5,                         \
		   __VA_ARGS__.doc = "Default action for connections or requests; exactly one.")
#define ALPN_POLICIES "HTTP1Only, HTTP2Only, HTTP2Optional, HTTP2Preferred, None"
#define TLS(T)                                                                                               \
	PARAM_LIST(T, "Certificates.member", certificates, certificate_table, .max = 1,                      \
		   .doc = "The default certificate of an HTTPS or TLS listener."),                           \
		PARAM(T, "SslPolicy", wish.tls_policy, .min = 1, .max = 64,                                  \
		      .doc = "Security policy; DescribeSSLPolicies lists them."),                            \
		PARAM(T, "AlpnPolicy.member", alpn, .min = 1, .max = 32,                                     \
		      .doc = "ALPN policy of a TLS listener, one of " ALPN_POLICIES "."),                    \
		NOT_BUILT("MutualAuthentication")

struct create_args {
	struct listener_wish wish;
	struct str arn, protocol;
	struct action_args actions;
	struct certificate_args certificates;
	struct strs alpn;
};
static const struct param create_params[] = {
	ELB_ARN(struct create_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	PARAM(struct create_args, "Protocol", protocol, .words = PROTOCOLS,
	      .doc = "Protocol: TCP, TLS, UDP or TCP_UDP for a network load balancer, HTTP or HTTPS for an "
		     "application "
		     "load balancer."),
	PARAM(struct create_args, "Port", wish.port, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the load balancer's addresses."),
	ACTIONS(struct create_args, .flags = REQUIRED, ),
	TLS(struct create_args),
	ELB_TAGS(struct create_args, wish.tags),
};

struct change_args {
	struct listener_change wish;
	struct str arn, protocol;
	struct action_args actions;
	struct certificate_args certificates;
	struct strs alpn;
};
static const struct param change_params[] = {
	ELB_ARN(struct change_args, "ListenerArn", arn, .doc = "The listener."),
	PARAM(struct change_args, "Protocol", protocol, .words = PROTOCOLS,
	      .doc = "Protocol: TCP, TLS, UDP or TCP_UDP for a network load balancer, HTTP or HTTPS for an "
		     "application "
		     "load balancer."),
	PARAM(struct change_args, "Port", wish.port, .min = 1, .max = ELB_PORT_MAX,
	      .doc = "Port of the load balancer's addresses."),
	ACTIONS(struct change_args),
	TLS(struct change_args),
};

struct delete_args {
	struct listener_target wish;
	struct str arn;
};
static const struct param delete_params[] = {
	ELB_ARN(struct delete_args, "ListenerArn", arn, .doc = "The listener.")};

/* ---- from parameters to wishes ---- */

/* Protocols that ELBv2 has for the type of load balancer; the engine refuses those that this region lacks. */
static RESULT check_protocol(struct elb_call *e, uuid balancer, struct str protocol)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(elb_tables(e), balancer);
	bool is_application = b && b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
	bool is_http = str_is(protocol, "HTTP") || str_is(protocol, "HTTPS");
	bool is_layer4 = str_is(protocol, "UDP") || str_is(protocol, "TCP") || str_is(protocol, "TLS") ||
			 str_is(protocol, "TCP_UDP");
	if (is_application ? is_http : is_layer4)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("Protocol"),
			      "Listener protocol '%" STR_FMT "' must be one of '%s'", STR_ARG(protocol),
			      is_application ? "HTTP, HTTPS" : "UDP, TCP, TLS, TCP_UDP");
}

static RESULT choose_protocol(struct elb_call *e, struct str protocol, enum balancing_protocol *ret_protocol)
{
	static const char *const words[] = {
		[BALANCING_TCP] = "TCP",     [BALANCING_UDP] = "UDP",         [BALANCING_HTTP] = "HTTP",
		[BALANCING_HTTPS] = "HTTPS", [BALANCING_TCP_UDP] = "TCP_UDP", [BALANCING_TLS] = "TLS"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (words[k] && str_is(protocol, words[k])) {
			*ret_protocol = (enum balancing_protocol) k;
			return OK;
		}
	return ctx_fail_field(
		e->c, ERR_UNSUPPORTED, STR("Protocol"),
		"Listeners of protocol '%" STR_FMT
		"' are not supported in this region: only TCP, TLS, UDP, TCP_UDP, HTTP and HTTPS are",
		STR_ARG(protocol));
}

static RESULT find_certificates(struct elb_call *e, const struct certificate_args *args,
				struct refs *ret_certificates)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, args->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < args->count; k++)
		TRY(elb_find_certificate(e, args->at[k].arn, &at[k]));
	*ret_certificates = (struct refs){at, args->count};
	return OK;
}

/* A list of one policy. "None" is stored as the empty text. Unverified: AWS documents no sentence for an unknown policy. */
static RESULT read_alpn(struct elb_call *e, struct strs names, struct str *ret_alpn)
{
	static const char *const policies[] = {"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred"};
	*ret_alpn = STR_NONE;
	if (names.count == 0 || (names.count == 1 && str_is(names.at[0], "None")))
		return OK;
	for (size_t k = 0; k < sizeof policies / sizeof policies[0] && names.count == 1; k++)
		if (str_is(names.at[0], policies[k])) {
			*ret_alpn = names.at[0];
			return OK;
		}
	return ctx_fail_field(e->c, ERR_INVALID, STR("AlpnPolicy"),
			      "ALPN policy must be one of '" ALPN_POLICIES "'");
}

static bool is_secure(enum balancing_protocol protocol)
{
	return protocol == BALANCING_HTTPS || protocol == BALANCING_TLS;
}

/* A new HTTPS or TLS listener without a policy has the standard one. */
static RESULT check_policy(struct elb_call *e, struct str *policy, bool has_standard)
{
	if (!policy->n && has_standard)
		*policy = TLS_POLICY_DEFAULT;
	if (!policy->n || tls_policy_find(*policy))
		return OK;
	e->error = &elb_no_policy;
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("SslPolicy"),
			      "The specified SSL policy '%" STR_FMT "' does not exist", STR_ARG(*policy));
}

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	if (!a->protocol.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Protocol"),
				      "A listener protocol must be specified");
	if (!a->wish.port)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Port"), "A listener port must be specified");
	TRY(elb_check_tags(e, a->wish.tags));
	TRY(elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer));
	TRY(check_protocol(e, a->wish.balancer.prefix, a->protocol));
	TRY(choose_protocol(e, a->protocol, &a->wish.protocol));
	TRY(check_policy(e, &a->wish.tls_policy, is_secure(a->wish.protocol)));
	TRY(find_certificates(e, &a->certificates, &a->wish.certificates));
	TRY(read_alpn(e, a->alpn, &a->wish.alpn));
	return elb_read_action(e, &a->actions, "DefaultActions", &a->wish.action);
}

static RESULT prepare_change(struct elb_call *e, void *args)
{
	struct change_args *a = args;
	a->wish.sets_protocol = a->protocol.n > 0;
	TRY(elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener));
	const struct listener *l = listener_find(elb_tables(e), a->wish.listener.prefix);
	if (a->wish.sets_protocol) {
		TRY(check_protocol(e, l ? l->elastic_load_balancer : UUID_NONE, a->protocol));
		TRY(choose_protocol(e, a->protocol, &a->wish.protocol));
	}
	bool becomes_secure = is_secure(a->wish.protocol) && l && !l->tls_policy.n;
	TRY(check_policy(e, &a->wish.tls_policy, a->wish.sets_protocol && becomes_secure));
	a->wish.sets_alpn = a->alpn.count > 0;
	TRY(read_alpn(e, a->alpn, &a->wish.alpn));
	TRY(find_certificates(e, &a->certificates, &a->wish.certificates));
	a->wish.sets_action = a->actions.count > 0;
	return a->wish.sets_action ? elb_read_action(e, &a->actions, "DefaultActions", &a->wish.action) : OK;
}

static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	return elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener);
}

/* ---- what is shown ---- */

/* A network load balancer's. */
static void write_forward(struct xml *x, struct str group, int64_t order)
{
	xml_open(x, "DefaultActions");
	xml_open(x, "member");
	xml_z(x, "Type", "forward");
	xml_text(x, "TargetGroupArn", group);
	if (order)
		xml_int(x, "Order", order);
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

static void write_tls(struct elb_call *e, struct xml *x, const struct listener *l)
{
	xml_open(x, "Certificates");
	xml_open(x, "member");
	xml_text(x, "CertificateArn", elb_certificate_arn(e, l->certificates.at[0]));
	xml_close(x, "member");
	xml_close(x, "Certificates");
	xml_text(x, "SslPolicy", l->tls_policy);
	if (!l->alpn.n)
		return;
	xml_open(x, "AlpnPolicy");
	xml_text(x, "member", l->alpn);
	xml_close(x, "AlpnPolicy");
}

static void write_listener(struct elb_call *e, struct xml *x, const struct listener *l)
{
	static const char *const protocols[] = {
		[LISTENER_PROTOCOL_TCP] = "TCP",   [LISTENER_PROTOCOL_UDP] = "UDP",
		[LISTENER_PROTOCOL_HTTP] = "HTTP", [LISTENER_PROTOCOL_HTTPS] = "HTTPS",
		[LISTENER_PROTOCOL_SSL] = "TLS",   [LISTENER_PROTOCOL_TCP_UDP] = "TCP_UDP"};
	const struct listener_rule *rule = engine_get_default_rule(elb_tables(e), l->row.id);
	xml_open(x, "member");
	xml_text(x, "ListenerArn", elb_arn(e, KIND_LISTENER, &l->row));
	xml_text(x, "LoadBalancerArn", elb_arn_of(e, KIND_ELASTIC_LOAD_BALANCER, l->elastic_load_balancer));
	xml_int(x, "Port", l->port);
	xml_z(x, "Protocol", protocols[l->protocol]);
	if (l->certificates.count)
		write_tls(e, x, l);
	if (rule)
		elb_write_rule_action(e, x, "DefaultActions", rule);
	else
		write_forward(x, elb_arn_of(e, KIND_TARGET_GROUP, l->target_group), l->action_order);
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
	uuid balancer = engine_get_balancer_of_group(elb_tables(e), target_group);
	xml_open(x, "LoadBalancerArns");
	if (!uuid_is_none(balancer))
		xml_text(x, "member", elb_arn_of(e, KIND_ELASTIC_LOAD_BALANCER, balancer));
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
	      .doc = "Load balancer whose listeners are listed."),
	PARAM(struct list_args, "ListenerArns.member", arns, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Listeners by their ARNs, up to 20."),
	ELB_PAGES(struct list_args, pages),
};

static RESULT prepare_list(struct elb_call *e, void *args)
{
	struct list_args *a = args;
	if (a->arns.count > ELB_LIST_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ListenerArns"),
				      "You can specify up to %d listener ARNs", ELB_LIST_MAX);
	if ((a->arn.n > 0) == (a->arns.count > 0))
		return ctx_fail_field(e->c, ERR_INVALID, STR("LoadBalancerArn"),
				      "You must specify either listener ARNs or a load balancer ARN");
	if (a->arn.n)
		return elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->balancer);
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
	TRY(engine_find_own(e->c, t, KIND_ELASTIC_LOAD_BALANCER, &a->balancer, &row));
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, row->id);
	     l && !page->is_cut; l = listener_next_by_elastic_load_balancer(t, l)) {
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

/* ---- further certificates ---- */

struct certificates_args {
	struct listener_certificates wish;
	struct str arn;
	struct certificate_args certificates;
	struct query_pages pages;
};
static const struct param change_certificates_params[] = {
	ELB_ARN(struct certificates_args, "ListenerArn", arn, .doc = "The listener."),
	PARAM_LIST(struct certificates_args, "Certificates.member", certificates, certificate_table,
		   .flags = REQUIRED, .max = LISTENER_CERTIFICATES_MAX,
		   .doc = "Additional certificates, chosen by the server name that the client requests."),
};
static const struct param list_certificates_params[] = {
	ELB_ARN(struct certificates_args, "ListenerArn", arn, .doc = "The listener."),
	ELB_PAGES(struct certificates_args, pages),
};

static RESULT prepare_certificates(struct elb_call *e, void *args)
{
	struct certificates_args *a = args;
	TRY(elb_find(e, KIND_LISTENER, a->arn, "ListenerArn", &a->wish.listener));
	return find_certificates(e, &a->certificates, &a->wish.certificates);
}

static void write_certificate(struct xml *x, struct str arn, bool is_default)
{
	xml_open(x, "member");
	xml_text(x, "CertificateArn", arn);
	xml_bool(x, "IsDefault", is_default);
	xml_close(x, "member");
}

static RESULT show_added(struct elb_call *e, const void *args, struct xml *x)
{
	const struct certificates_args *a = args;
	xml_open(x, "Certificates");
	for (size_t k = 0; k < a->certificates.count; k++)
		write_certificate(x, a->certificates.at[k].arn, false);
	xml_close(x, "Certificates");
	(void) e;
	return OK;
}

static RESULT answer_certificates(struct elb_call *e, const void *args, struct xml *x)
{
	const struct certificates_args *a = args;
	const struct row *row = NULL;
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	TRY(engine_find_own(e->c, elb_tables(e), KIND_LISTENER, &a->wish.listener, &row));
	const struct listener *l = listener_of(row);
	xml_open(x, "Certificates");
	for (size_t k = 0; k < l->certificates.count && !page.is_cut; k++)
		if (query_page_takes(&page, str_print(e->c->arena, "%05zu", k)))
			write_certificate(x, elb_certificate_arn(e, l->certificates.at[k]), k == 0);
	xml_close(x, "Certificates");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateListener"), .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .prepare = prepare_create, .operation = engine_create_listener_run, .returns = KIND_LISTENER,
	 .answer = show_new, .doc = "Creates a listener on a load balancer."},
	{ELB_ACTION("DescribeListeners"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "Lists the listeners of a load balancer."},
	{ELB_ACTION("ModifyListener"), .flags = API_WRITES, .args = PARAMS(struct change_args, change_params),
	 .prepare = prepare_change, .operation = engine_change_listener_run, .returns = KIND_LISTENER,
	 .answer = show_changed, .doc = "Changes a listener."},
	{ELB_ACTION("DeleteListener"), .flags = API_WRITES, .args = PARAMS(struct delete_args, delete_params),
	 .prepare = prepare_delete, .operation = engine_delete_listener_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a listener."},
	{ELB_ACTION("AddListenerCertificates"), .flags = API_WRITES,
	 .args = PARAMS(struct certificates_args, change_certificates_params),
	 .prepare = prepare_certificates, .operation = engine_add_listener_certificates_run,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = show_added,
	 .doc = "Adds certificates to an HTTPS listener."},
	{ELB_ACTION("DescribeListenerCertificates"),
	 .args = PARAMS(struct certificates_args, list_certificates_params), .prepare = prepare_certificates,
	 .answer = answer_certificates, .doc = "Lists the certificates of a listener."},
	{ELB_ACTION("RemoveListenerCertificates"), .flags = API_WRITES,
	 .args = PARAMS(struct certificates_args, change_certificates_params),
	 .prepare = prepare_certificates, .operation = engine_remove_listener_certificates_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes certificates from an HTTPS listener."},
};
const struct api_actions elb_listener_actions = API_ACTIONS(actions);
