/* SPDX-License-Identifier: Apache-2.0
 * Listeners of Classic Load Balancers. */
#include "api/elb/classic/internal.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"

/* ---- parameters ---- */

#define MEMBER(name, member, ...) PARAM(struct classic_listener_arg, name, member, __VA_ARGS__)
static const struct param listener_params[] = {
	MEMBER("Protocol", protocol, .flags = REQUIRED, .min = 1, .max = 16,
	       .doc = "Protocol: HTTP, HTTPS, TCP or SSL, in upper or lower case."),
	MEMBER("LoadBalancerPort", port, .flags = REQUIRED, .min = 1, .max = ELB_PORT_MAX,
	       .doc = "Port of the load balancer."),
	MEMBER("InstanceProtocol", instance_protocol, .min = 1, .max = 16,
	       .doc = "Protocol to the instances; absent: HTTP for HTTP and HTTPS, otherwise TCP."),
	MEMBER("InstancePort", instance_port, .flags = REQUIRED, .min = 1, .max = ELB_PORT_MAX,
	       .doc = "Port of the instances."),
	MEMBER("SSLCertificateId", certificate, .max = ELB_ARN_MAX,
	       .doc = "ARN of a certificate of IAM or ACM, for HTTPS and SSL."),
};
const struct params classic_listener_params = PARAMS(struct classic_listener_arg, listener_params);

static RESULT read_listener(struct elb_call *e, const struct classic_listener_arg *a,
			    struct classic_listener *l)
{
	TRY(classic_read_protocol(e, a->protocol, "Listeners", &l->protocol));
	l->instance_protocol =
		l->protocol == BALANCING_TCP || l->protocol == BALANCING_SSL ? BALANCING_TCP : BALANCING_HTTP;
	if (a->instance_protocol.n)
		TRY(classic_read_protocol(e, a->instance_protocol, "Listeners", &l->instance_protocol));
	l->port = a->port;
	l->instance_port = a->instance_port;
	return a->certificate.n ? elb_find_certificate(e, a->certificate, &l->certificate) : OK;
}

RESULT classic_read_listeners(struct elb_call *e, const struct classic_listener_args *args,
			      struct classic_listener **ret_listeners)
{
	struct classic_listener *at = arena_new_array(e->c->arena, struct classic_listener, args->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < args->count; k++) {
		TRY(read_listener(e, &args->at[k], &at[k]));
		for (size_t n = 0; n < k; n++)
			if (at[n].port == at[k].port)
				return ctx_fail_field(e->c, ERR_INVALID, STR("Listeners"),
						      "LoadBalancerPort %lld is there twice",
						      (long long) at[k].port);
	}
	*ret_listeners = at;
	return OK;
}

/* ---- what is shown ---- */

static const char *const protocols[] = {[LISTENER_PROTOCOL_TCP] = "TCP",
					[LISTENER_PROTOCOL_UDP] = "UDP",
					[LISTENER_PROTOCOL_HTTP] = "HTTP",
					[LISTENER_PROTOCOL_HTTPS] = "HTTPS",
					[LISTENER_PROTOCOL_SSL] = "SSL"};
static const char *const instance_protocols[] = {[LISTENER_INSTANCE_PROTOCOL_TCP] = "TCP",
						 [LISTENER_INSTANCE_PROTOCOL_HTTP] = "HTTP",
						 [LISTENER_INSTANCE_PROTOCOL_HTTPS] = "HTTPS",
						 [LISTENER_INSTANCE_PROTOCOL_SSL] = "SSL"};

void classic_write_listeners(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	const struct tables *t = elb_tables(e);
	xml_open(x, "ListenerDescriptions");
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, b->row.id); l;
	     l = listener_next_by_elastic_load_balancer(t, l)) {
		xml_open(x, "member");
		xml_open(x, "Listener");
		xml_z(x, "Protocol", protocols[l->protocol]);
		xml_int(x, "LoadBalancerPort", l->port);
		xml_z(x, "InstanceProtocol", instance_protocols[l->instance_protocol]);
		xml_int(x, "InstancePort", l->instance_port);
		if (l->certificates.count)
			xml_text(x, "SSLCertificateId", elb_certificate_arn(e, l->certificates.at[0]));
		xml_close(x, "Listener");
		xml_open(x, "PolicyNames");
		for (size_t k = 0; k < l->policies.count; k++)
			xml_text(x, "member", l->policies.at[k]);
		xml_close(x, "PolicyNames");
		xml_close(x, "member");
	}
	xml_close(x, "ListenerDescriptions");
}

/* ---- actions ---- */

struct create_args {
	struct classic_listeners wish;
	struct str name;
	struct classic_listener_args listeners;
};
static const struct param create_params[] = {
	CLASSIC_NAME(struct create_args, name),
	CLASSIC_LISTENERS(struct create_args, listeners),
};

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	struct classic_listener *at = NULL;
	TRY(classic_find(e, a->name, &a->wish.balancer));
	TRY(classic_read_listeners(e, &a->listeners, &at));
	a->wish.at = at;
	a->wish.count = a->listeners.count;
	return OK;
}

struct delete_args {
	struct classic_ports wish;
	struct str name;
	struct strs ports;
};
static const struct param delete_params[] = {
	CLASSIC_NAME(struct delete_args, name),
	PARAM(struct delete_args, "LoadBalancerPorts.member", ports, .flags = REQUIRED, .min = 1, .max = 5,
	      .doc = "Ports of the load balancer."),
};

static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	int64_t *at = arena_new_array(e->c->arena, int64_t, a->ports.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ports.count; k++)
		if (!result_is_ok(str_parse_int(a->ports.at[k], &at[k])) || at[k] < 1 || at[k] > ELB_PORT_MAX)
			return ctx_fail_field(e->c, ERR_INVALID, STR("LoadBalancerPorts"),
					      "'%" STR_FMT "' is not a port", STR_ARG(a->ports.at[k]));
	a->wish.at = at;
	a->wish.count = a->ports.count;
	return classic_find(e, a->name, &a->wish.balancer);
}

struct certificate_args {
	struct classic_certificate wish;
	struct str name, certificate;
};
static const struct param certificate_params[] = {
	CLASSIC_NAME(struct certificate_args, name),
	PARAM(struct certificate_args, "LoadBalancerPort", wish.port, .flags = REQUIRED, .min = 1,
	      .max = ELB_PORT_MAX, .doc = "Port of an HTTPS or SSL listener."),
	PARAM(struct certificate_args, "SSLCertificateId", certificate, .flags = REQUIRED, .min = 1,
	      .max = ELB_ARN_MAX, .doc = "ARN of a certificate of IAM or ACM."),
};

static RESULT prepare_certificate(struct elb_call *e, void *args)
{
	struct certificate_args *a = args;
	TRY(classic_find(e, a->name, &a->wish.balancer));
	return elb_find_certificate(e, a->certificate, &a->wish.certificate);
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateLoadBalancerListeners"), .flags = API_WRITES,
	 .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_classic_listeners_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates listeners on a load balancer."},
	{ELB_ACTION("DeleteLoadBalancerListeners"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_classic_listeners_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes listeners of a load balancer."},
	{ELB_ACTION("SetLoadBalancerListenerSSLCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct certificate_args, certificate_params), .prepare = prepare_certificate,
	 .operation = engine_set_classic_certificate_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Replaces the certificate of a listener."},
};
const struct api_actions classic_listener_actions = API_ACTIONS(actions);
