/* SPDX-License-Identifier: Apache-2.0
 * Listeners and instances of Classic Load Balancers. */
#include "engine/balancing/classic.h"

#include <inttypes.h>

#include "engine/balancing/balancing_internal.h"
#include "engine/limits.h"
#include "model/tls_policy.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/target_group.h"

const struct target_group *engine_get_classic_group(const struct tables *t, uuid balancer)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, balancer);
	return b && b->type == ELASTIC_LOAD_BALANCER_TYPE_CLASSIC
		       ? target_group_first_by_elastic_load_balancer(t, balancer)
		       : NULL;
}

/* ---- listeners ---- */

static const char *const words[] = {[BALANCING_TCP] = "TCP",
				    [BALANCING_HTTP] = "HTTP",
				    [BALANCING_HTTPS] = "HTTPS",
				    [BALANCING_SSL] = "SSL"};

static bool is_http(enum balancing_protocol protocol)
{
	return protocol == BALANCING_HTTP || protocol == BALANCING_HTTPS;
}

static bool is_secure(enum balancing_protocol protocol)
{
	return protocol == BALANCING_HTTPS || protocol == BALANCING_SSL;
}

static enum listener_protocol to_listener(enum balancing_protocol protocol)
{
	return protocol == BALANCING_HTTP    ? LISTENER_PROTOCOL_HTTP
	       : protocol == BALANCING_HTTPS ? LISTENER_PROTOCOL_HTTPS
	       : protocol == BALANCING_SSL   ? LISTENER_PROTOCOL_SSL
					     : LISTENER_PROTOCOL_TCP;
}

static enum listener_instance_protocol to_instance(enum balancing_protocol protocol)
{
	return protocol == BALANCING_HTTP    ? LISTENER_INSTANCE_PROTOCOL_HTTP
	       : protocol == BALANCING_HTTPS ? LISTENER_INSTANCE_PROTOCOL_HTTPS
	       : protocol == BALANCING_SSL   ? LISTENER_INSTANCE_PROTOCOL_SSL
					     : LISTENER_INSTANCE_PROTOCOL_TCP;
}

static RESULT check_listener(struct op *op, const struct classic_listener *wish)
{
	if (is_http(wish->protocol) != is_http(wish->instance_protocol))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_LISTENER, STR("Listeners"),
				   "Protocol %s and InstanceProtocol %s are of different layers",
				   words[wish->protocol], words[wish->instance_protocol]);
	if (is_secure(wish->protocol) && !ref_is_given(&wish->certificate))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_LISTENER, STR("Listeners"),
				   "Secure Listeners need to specify a SSLCertificateId");
	if (!is_secure(wish->protocol) && ref_is_given(&wish->certificate))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_LISTENER, STR("Listeners"),
				   "A listener of protocol %s has no certificate", words[wish->protocol]);
	return OK;
}

static bool is_same(const struct listener *a, const struct listener *b)
{
	return a->protocol == b->protocol && a->instance_protocol == b->instance_protocol &&
	       a->instance_port == b->instance_port && a->certificates.count == b->certificates.count &&
	       (!a->certificates.count || uuid_equal(a->certificates.at[0], b->certificates.at[0]));
}

static RESULT put_listener(struct op *op, const struct elastic_load_balancer *balancer, uuid group,
			   const struct classic_listener *wish)
{
	struct listener made = {.row = {.id = engine_new_id(op, KIND_LISTENER), .gen = 1},
				.account = balancer->account,
				.elastic_load_balancer = balancer->row.id,
				.protocol = to_listener(wish->protocol),
				.port = wish->port,
				.target_group = group,
				.instance_protocol = to_instance(wish->instance_protocol),
				.instance_port = wish->instance_port};
	const struct listener *present =
		listener_find_by_elastic_load_balancer(op->head, balancer->row.id, wish->port);
	TRY(check_listener(op, wish));
	if (is_secure(wish->protocol)) {
		TRY(listener_find_certificates(op, &(const struct refs){&wish->certificate, 1},
					       &(const struct uuids){0}, &made.certificates));
		made.tls_policy = TLS_POLICY_DEFAULT;
	}
	if (present && is_same(present, &made))
		return OK;
	if (present)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER, STR("Listeners"),
				   "A listener already exists for %" STR_FMT " with LoadBalancerPort %" PRId64
				   ", but with a different InstancePort, Protocol, or SSLCertificateId",
				   STR_ARG(balancer->name), wish->port);
	TRY(limit_check(op, LIMIT_LISTENERS, balancer->row.id, 1, STR_NONE));
	TRY(listener_put(op, &made));
	return engine_log_event(op, KIND_LISTENER, &made.row, "created", "Listener of port %" PRId64 ".",
				made.port);
}

enum {
	CHECK_INTERVAL_S = 30,
	CHECK_TIMEOUT_S = 5,
	CHECK_HEALTHY = 10,
	CHECK_UNHEALTHY = 2,
};

/* The group's name has a character that names of ELBv2's groups cannot have. */
static RESULT make_group(struct op *op, const struct elastic_load_balancer *balancer, int64_t check_port,
			 uuid *ret_group)
{
	struct str hex = str_encode_hex(op->ctx->arena, balancer->row.id.b, 8);
	struct target_group made = {.row = {.id = engine_new_id(op, KIND_TARGET_GROUP), .gen = 1},
				    .account = balancer->account,
				    .name = str_print(op->ctx->arena, "classic/%" STR_FMT, STR_ARG(hex)),
				    .router = balancer->router,
				    .elastic_load_balancer = balancer->row.id,
				    .protocol = TARGET_GROUP_PROTOCOL_TCP,
				    .target_type = TARGET_GROUP_TARGET_TYPE_INSTANCE,
				    .interval_s = CHECK_INTERVAL_S,
				    .timeout_s = CHECK_TIMEOUT_S,
				    .healthy_threshold = CHECK_HEALTHY,
				    .unhealthy_threshold = CHECK_UNHEALTHY,
				    .check_protocol = TARGET_GROUP_CHECK_PROTOCOL_TCP,
				    .check_port = check_port};
	*ret_group = made.row.id;
	return target_group_put(op, &made);
}

/* A new balancer's check is a connection to the first listener's instance port. */
RESULT classic_make(struct op *op, const struct elastic_load_balancer *balancer,
		    const struct classic_listener *listeners, size_t count)
{
	uuid group;
	TRY(make_group(op, balancer, listeners[0].instance_port, &group));
	for (size_t k = 0; k < count; k++)
		TRY(put_listener(op, balancer, group, &listeners[k]));
	return OK;
}

RESULT engine_create_classic_listeners(struct op *op, struct classic_listeners *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.create_listeners",
						&balancer));
	uuid group = engine_get_classic_group(op->head, balancer->row.id)->row.id;
	for (size_t k = 0; k < wish->count; k++)
		TRY(put_listener(op, balancer, group, &wish->at[k]));
	return proxy_touch(op, balancer->row.id);
}

RESULT engine_delete_classic_listeners(struct op *op, struct classic_ports *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.delete_listeners",
						&balancer));
	for (size_t k = 0; k < wish->count; k++) {
		const struct listener *l =
			listener_find_by_elastic_load_balancer(op->head, balancer->row.id, wish->at[k]);
		if (l)
			TRY(listener_end(op, l));
	}
	return OK;
}

RESULT engine_set_classic_certificate(struct op *op, struct classic_certificate *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.set_certificate",
						&balancer));
	const struct listener *present =
		listener_find_by_elastic_load_balancer(op->head, balancer->row.id, wish->port);
	if (!present)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_LISTENER, STR("LoadBalancerPort"),
				   "There is no listener of port %" PRId64, wish->port);
	if (present->protocol != LISTENER_PROTOCOL_HTTPS && present->protocol != LISTENER_PROTOCOL_SSL)
		return ENGINE_FAIL(op, ERR_STATE, KIND_LISTENER, STR("LoadBalancerPort"),
				   "The listener of port %" PRId64 " has no certificate", wish->port);
	struct listener next = *present;
	TRY(listener_find_certificates(op, &(const struct refs){&wish->certificate, 1},
				       &(const struct uuids){0}, &next.certificates));
	next.row.gen++;
	TRY(listener_put(op, &next));
	TRY(proxy_touch(op, balancer->row.id));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "Certificate.");
}

/* ---- instances ---- */

RESULT engine_configure_classic_check(struct op *op, struct classic_check *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	static const enum target_group_check_protocol protocols[] = {
		[BALANCING_TCP] = TARGET_GROUP_CHECK_PROTOCOL_TCP,
		[BALANCING_HTTP] = TARGET_GROUP_CHECK_PROTOCOL_HTTP,
		[BALANCING_HTTPS] = TARGET_GROUP_CHECK_PROTOCOL_HTTPS,
		[BALANCING_SSL] = TARGET_GROUP_CHECK_PROTOCOL_SSL};
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.configure_check",
						&balancer));
	if (wish->timeout_s >= wish->interval_s)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ELASTIC_LOAD_BALANCER, STR("HealthCheck.Timeout"),
				   "HealthCheck timeout must be less than interval");
	struct target_group next = *engine_get_classic_group(op->head, balancer->row.id);
	next.check_protocol = protocols[wish->protocol];
	next.check_port = wish->port;
	next.check_path = wish->path;
	next.matcher = is_http(wish->protocol) ? STR("200") : STR_NONE;
	next.interval_s = wish->interval_s;
	next.timeout_s = wish->timeout_s;
	next.healthy_threshold = wish->healthy_threshold;
	next.unhealthy_threshold = wish->unhealthy_threshold;
	next.row.gen++;
	TRY(target_group_put(op, &next));
	TRY(proxy_touch(op, balancer->row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &balancer->row, "changed", "Health check.");
}

RESULT engine_register_classic_instances(struct op *op, struct classic_instances *wish)
{
	static const char permission[] = "elastic_load_balancer.register";
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, permission, &balancer));
	const struct target_group *group = engine_get_classic_group(op->head, balancer->row.id);
	for (size_t k = 0; k < wish->targets.count; k++)
		TRY(target_add(op, group, &wish->targets.at[k], permission));
	TRY(proxy_touch(op, balancer->row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &balancer->row, "instances registered",
				"%zu named.", wish->targets.count);
}

RESULT engine_deregister_classic_instances(struct op *op, struct classic_instances *wish)
{
	static const char permission[] = "elastic_load_balancer.deregister";
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, permission, &balancer));
	const struct target_group *group = engine_get_classic_group(op->head, balancer->row.id);
	for (size_t k = 0; k < wish->targets.count; k++)
		TRY(target_remove_all(op, group, &wish->targets.at[k], permission));
	TRY(proxy_touch(op, balancer->row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &balancer->row, "instances deregistered",
				"%zu named.", wish->targets.count);
}
