/* SPDX-License-Identifier: Apache-2.0
 * Listeners, and the rows that follow those of network load balancers. Called by: api/elb. */
#include <inttypes.h>

#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/balancing/load_balancer_internal.h"
#include "engine/limits.h"
#include "engine/network/port/port.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

/* ---- rows that follow ---- */

static uuid zone_of(const struct tables *t, uuid subnet)
{
	const struct subnet *row = subnet_find(t, subnet);
	return row ? row->zone : UUID_NONE;
}

/* A subnet without a zone is in all zones. */
static bool is_served(const struct tables *t, const struct elastic_load_balancer *balancer,
		      const struct port *front, const struct target *target)
{
	const struct port *port = port_find(t, target->port);
	if (target->drains_until_us || !port)
		return false;
	uuid here = zone_of(t, front->subnet),
	     there = zone_of(t, engine_get_subnet_of_ip(t, port, target->private_ip));
	return balancer->crosses_zones || uuid_is_none(here) || uuid_is_none(there) ||
	       uuid_equal(here, there);
}

static RESULT drop_members(struct op *op, const struct elastic_load_balancer *balancer,
			   const struct port *front, const struct load_balancer *row, uuid group,
			   bool *has_changed)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(op->head,
											   row->row.id),
					  *next = NULL;
	for (; m; m = next) {
		next = load_balancer_member_next_by_load_balancer(op->head, m);
		const struct target *target =
			target_find_by_target_group(op->head, group, m->private_ip, row->private_port);
		if (target && uuid_equal(target->port, m->port) &&
		    is_served(op->head, balancer, front, target))
			continue;
		TRY(load_balancer_member_forget(op, m->row.id));
		*has_changed = true;
	}
	return OK;
}

static RESULT settle_members(struct op *op, const struct elastic_load_balancer *balancer,
			     const struct port *front, const struct load_balancer *row, uuid group,
			     bool *has_changed)
{
	TRY(drop_members(op, balancer, front, row, group, has_changed));
	const struct target *target = target_first_by_target_group(op->head, group);
	for (; target; target = target_next_by_target_group(op->head, target)) {
		struct load_balancer_member made = {
			.row = {.id = engine_new_id(op, KIND_LOAD_BALANCER_MEMBER), .gen = 1},
			.account = row->account,
			.load_balancer = row->row.id,
			.port = target->port,
			.private_ip = target->private_ip};
		if (!is_served(op->head, balancer, front, target) ||
		    load_balancer_member_find_by_load_balancer(op->head, row->row.id, target->private_ip))
			continue;
		TRY(load_balancer_member_put(op, &made));
		*has_changed = true;
	}
	return OK;
}

static const struct load_balancer *find_row(const struct tables *t, uuid listener, uuid front,
					    enum load_balancer_protocol protocol)
{
	const struct load_balancer *row = load_balancer_first_by_listener(t, listener);
	while (row && !(uuid_equal(row->front, front) && row->protocol == protocol))
		row = load_balancer_next_by_listener(t, row);
	return row;
}

/* A listener of TCP_UDP has two rows at each front: OVN's load balancers are of one protocol. */
static bool has_protocol(const struct listener *l, enum load_balancer_protocol protocol)
{
	return l->protocol == LISTENER_PROTOCOL_TCP_UDP ||
	       (l->protocol == LISTENER_PROTOCOL_UDP) == (protocol == LOAD_BALANCER_PROTOCOL_UDP);
}

/* The row of one front and protocol. A change of its members counts as a change of the row. */
static RESULT settle_front(struct op *op, const struct listener *listener,
			   const struct elastic_load_balancer *balancer, uuid front,
			   enum load_balancer_protocol protocol)
{
	const struct target_group *group = target_group_find(op->head, listener->target_group);
	const struct port *port = port_find(op->head, front);
	const struct load_balancer *present = find_row(op->head, listener->row.id, front, protocol);
	bool has_changed = !present;
	if (!group || !port)
		return OK;
	struct load_balancer next =
		present ? *present
			: (struct load_balancer){.row.id = engine_new_id(op, KIND_LOAD_BALANCER),
						 .account = listener->account,
						 .front = front,
						 .protocol = protocol,
						 .listener = listener->row.id};
	next.name = balancer->name;
	next.router = balancer->router;
	next.public_port = listener->port;
	next.private_port = group->port;
	next.algorithm =
		group->is_sticky ? LOAD_BALANCER_ALGORITHM_SOURCE : LOAD_BALANCER_ALGORITHM_ROUNDROBIN;
	next.is_unasked = protocol == LOAD_BALANCER_PROTOCOL_UDP;
	next.ask_interval = group->interval_s;
	next.ask_timeout = group->timeout_s;
	next.ask_failures = group->unhealthy_threshold;
	next.ask_successes = group->healthy_threshold;
	if (present)
		has_changed = next.public_port != present->public_port ||
			      next.private_port != present->private_port ||
			      next.algorithm != present->algorithm ||
			      next.is_unasked != present->is_unasked ||
			      next.ask_interval != present->ask_interval ||
			      next.ask_timeout != present->ask_timeout ||
			      next.ask_failures != present->ask_failures ||
			      next.ask_successes != present->ask_successes;
	else
		TRY(load_balancer_put(op, &next)); /* before its members, which refer to it */
	uuid target_group = group->row.id;
	TRY(settle_members(op, balancer, port, &next, target_group, &has_changed));
	next.row.gen++;
	return has_changed ? load_balancer_put(op, &next) : OK;
}

/* Ends rows of fronts that the balancer no longer has, and of protocols that the listener no longer has. */
static RESULT drop_rows(struct op *op, const struct listener *listener, const struct uuids *fronts)
{
	const struct load_balancer *row = load_balancer_first_by_listener(op->head, listener->row.id),
				   *next = NULL;
	for (; row; row = next) {
		next = load_balancer_next_by_listener(op->head, row);
		if (!uuids_have(fronts, row->front) || !has_protocol(listener, row->protocol))
			TRY(load_balancer_end(op, row));
	}
	return OK;
}

/* Chooses what serves the listener of a network load balancer: OVN by rows, or a proxy without rows. */
static RESULT settle_network(struct op *op, uuid id)
{
	const struct listener *listener = listener_find(op->head, id);
	const struct elastic_load_balancer *balancer =
		elastic_load_balancer_find(op->head, listener->elastic_load_balancer);
	bool is_proxied = engine_get_proxy(op->head, balancer->row.id) != NULL;
	if (listener->is_proxied != is_proxied) {
		struct listener next = *listener;
		next.is_proxied = is_proxied;
		TRY(listener_put(op, &next));
		listener = listener_find(op->head, id);
	}
	TRY(drop_rows(op, listener, is_proxied ? &(const struct uuids){0} : &balancer->fronts));
	if (is_proxied)
		return proxy_touch(op, balancer->row.id);
	for (size_t k = 0; k < balancer->fronts.count; k++)
		for (int p = LOAD_BALANCER_PROTOCOL_TCP; p <= LOAD_BALANCER_PROTOCOL_UDP; p++)
			if (has_protocol(listener, (enum load_balancer_protocol) p))
				TRY(settle_front(op, listener, balancer, balancer->fronts.at[k],
						 (enum load_balancer_protocol) p));
	return OK;
}

RESULT listener_settle(struct op *op, uuid id)
{
	const struct listener *listener = listener_find(op->head, id);
	const struct elastic_load_balancer *balancer =
		listener ? elastic_load_balancer_find(op->head, listener->elastic_load_balancer) : NULL;
	if (!balancer)
		return OK;
	if (balancer_is_proxied(balancer))
		return proxy_touch(op, balancer->row.id);
	TRY(proxy_settle(op, balancer->row.id));
	return settle_network(op, id);
}

RESULT listener_settle_group(struct op *op, uuid group)
{
	const struct listener *l = listener_first_by_target_group(op->head, group);
	for (; l; l = listener_next_by_target_group(op->head, l))
		TRY(listener_settle(op, l->row.id));
	return proxy_touch(op, engine_get_balancer_of_group(op->head, group));
}

RESULT listener_settle_balancer(struct op *op, uuid balancer)
{
	const struct listener *l = listener_first_by_elastic_load_balancer(op->head, balancer);
	for (; l; l = listener_next_by_elastic_load_balancer(op->head, l))
		TRY(listener_settle(op, l->row.id));
	return proxy_touch(op, balancer);
}

RESULT listener_end(struct op *op, const struct listener *listener)
{
	uuid id = listener->row.id;
	TRY(proxy_touch(op, listener->elastic_load_balancer));
	TRY(drop_rows(op, listener, &(const struct uuids){0}));
	TRY(engine_log_event(op, KIND_LISTENER, &listener->row, "deleted", "Listener of port %" PRId64 ".",
			     listener->port));
	struct listener *ended = arena_new_object(op->ctx->arena, struct listener);
	if (!ended)
		return ctx_no_memory(op->ctx);
	*ended = *listener;
	TRY(listener_forget(op, id));
	TRY(proxy_settle(op, ended->elastic_load_balancer));
	return octavia_forget_certificates(op, &ended->certificates, &(const struct uuids){0});
}

/* ---- operations ---- */

static RESULT check_port(struct op *op, uuid balancer, uuid but, int64_t port)
{
	const struct listener *other = listener_find_by_elastic_load_balancer(op->head, balancer, port);
	if (!other || uuid_equal(other->row.id, but))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER, STR("Port"),
			   "A listener already exists on this port for this load balancer.");
}

static const char *const protocol_words[] = {
	[LISTENER_PROTOCOL_TCP] = "TCP",   [LISTENER_PROTOCOL_UDP] = "UDP",
	[LISTENER_PROTOCOL_HTTP] = "HTTP", [LISTENER_PROTOCOL_HTTPS] = "HTTPS",
	[LISTENER_PROTOCOL_SSL] = "TLS",   [LISTENER_PROTOCOL_TCP_UDP] = "TCP_UDP"};

/* Protocol of listeners that may forward to the target group, apart from HTTP's two. */
static enum listener_protocol protocol_of_group(const struct target_group *group)
{
	static const enum listener_protocol protocols[] = {
		[TARGET_GROUP_PROTOCOL_TCP] = LISTENER_PROTOCOL_TCP,
		[TARGET_GROUP_PROTOCOL_UDP] = LISTENER_PROTOCOL_UDP,
		[TARGET_GROUP_PROTOCOL_HTTP] = LISTENER_PROTOCOL_HTTP,
		[TARGET_GROUP_PROTOCOL_HTTPS] = LISTENER_PROTOCOL_HTTPS,
		[TARGET_GROUP_PROTOCOL_TCP_UDP] = LISTENER_PROTOCOL_TCP_UDP,
		[TARGET_GROUP_PROTOCOL_TLS] = LISTENER_PROTOCOL_SSL,
	};
	return protocols[group->protocol];
}

/* A target group belongs to one load balancer at most, as in ELBv2. */
static RESULT check_group(struct op *op, const struct elastic_load_balancer *balancer,
			  const struct target_group *group, enum listener_protocol protocol)
{
	uuid user = engine_get_balancer_of_group(op->head, group->row.id);
	bool is_plain = protocol == LISTENER_PROTOCOL_SSL && group->protocol == TARGET_GROUP_PROTOCOL_TCP;
	if (protocol_of_group(group) != protocol && !is_plain)
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_LISTENER, STR("Protocol"),
			"Listener protocol '%s' and target group protocol '%s' are not compatible.",
			protocol_words[protocol], protocol_words[protocol_of_group(group)]);
	if (!uuid_equal(group->router, balancer->router))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_TARGET_GROUP, STR("DefaultActions"),
				   "The target group and the load balancer are in different VPCs.");
	if (!uuid_is_none(user) && !uuid_equal(user, balancer->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_LISTENER, STR("DefaultActions"),
				   "The target group '%" STR_FMT
				   "' cannot be associated with more than one load balancer.",
				   STR_ARG(group->name));
	return target_group_check_family(op, balancer, group);
}

static enum listener_protocol to_protocol(enum balancing_protocol protocol)
{
	static const enum listener_protocol protocols[] = {
		[BALANCING_TCP] = LISTENER_PROTOCOL_TCP,   [BALANCING_UDP] = LISTENER_PROTOCOL_UDP,
		[BALANCING_HTTP] = LISTENER_PROTOCOL_HTTP, [BALANCING_HTTPS] = LISTENER_PROTOCOL_HTTPS,
		[BALANCING_SSL] = LISTENER_PROTOCOL_SSL,   [BALANCING_TCP_UDP] = LISTENER_PROTOCOL_TCP_UDP,
		[BALANCING_TLS] = LISTENER_PROTOCOL_SSL};
	return protocols[protocol];
}

static RESULT check_protocol(struct op *op, const struct elastic_load_balancer *balancer,
			     enum listener_protocol protocol)
{
	bool is_http = protocol == LISTENER_PROTOCOL_HTTP || protocol == LISTENER_PROTOCOL_HTTPS;
	bool is_application = balancer->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
	if (is_http == is_application)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_LISTENER, STR("Protocol"),
			   is_application ? "Listener protocol '%s' must be one of 'HTTP, HTTPS'"
					  : "Listener protocol '%s' must be one of 'UDP, TCP, TLS, TCP_UDP'",
			   protocol_words[protocol]);
}

/* ---- certificates ---- */

RESULT listener_find_certificates(struct op *op, const struct refs *refs, const struct uuids *kept,
				  struct uuids *ret_ids)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, kept->count + refs->count + 1);
	size_t count = kept->count, default_count = kept->count ? 1 : 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		at[k] = kept->at[k];
	for (size_t k = 0; k < refs->count; k++) {
		const struct row *row = NULL;
		TRY(engine_find_own(op->ctx, op->head, KIND_SERVER_CERTIFICATE, &refs->at[k], &row));
		/* as in ELBv2 the default certificate may be among the others, too */
		if (!uuids_have(&(const struct uuids){at + default_count, count - default_count}, row->id))
			at[count++] = row->id;
	}
	*ret_ids = (struct uuids){at, count};
	if (count <= LISTENER_CERTIFICATES_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_SERVER_CERTIFICATE, STR("Certificates"),
			   "A listener has up to %d certificates besides its default one.",
			   LISTENER_CERTIFICATES_MAX - 1);
}

static bool is_secure(const struct listener *l)
{
	return l->protocol == LISTENER_PROTOCOL_HTTPS || l->protocol == LISTENER_PROTOCOL_SSL;
}

/* The certificates and the policy of an HTTPS or TLS listener; another one has none. */
static RESULT set_tls(struct op *op, const struct refs *certificates, struct str policy,
		      struct listener *listener)
{
	if (!is_secure(listener)) {
		listener->certificates = (struct uuids){0};
		listener->tls_policy = STR_NONE;
		return !certificates->count && !policy.n
			       ? OK
			       : ENGINE_FAIL(op, ERR_INVALID, KIND_LISTENER, STR("Certificates"),
					     "Certificates and security policies are an HTTPS or a TLS "
					     "listener's");
	}
	if (policy.n)
		listener->tls_policy = policy;
	if (certificates->count)
		TRY(listener_find_certificates(op, certificates, &(const struct uuids){0},
					       &listener->certificates));
	if (listener->certificates.count)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SERVER_CERTIFICATE, STR("Certificates"),
			   "A certificate must be specified for %s listeners",
			   protocol_words[listener->protocol]);
}

/* Only a network load balancer's TLS listener chooses the protocol inside TLS for its clients. */
static RESULT set_alpn(struct op *op, struct str alpn, struct listener *listener)
{
	bool has_alpn = listener->protocol == LISTENER_PROTOCOL_SSL;
	listener->alpn = has_alpn ? alpn : STR_NONE;
	return has_alpn || !alpn.n ? OK
				   : ENGINE_FAIL(op, ERR_INVALID, KIND_LISTENER, STR("AlpnPolicy"),
						 "ALPN policies are a TLS listener's");
}

const struct listener *engine_find_listener_of_certificate(const struct tables *t, uuid account,
							   uuid certificate)
{
	const struct listener *l = listener_first_by_account(t, account);
	while (l && !uuids_have(&l->certificates, certificate))
		l = listener_next_by_account(t, l);
	return l;
}

RESULT engine_settle_certificate(struct op *op, uuid account, uuid certificate)
{
	const struct listener *l = listener_first_by_account(op->head, account);
	for (; l; l = listener_next_by_account(op->head, l))
		if (uuids_have(&l->certificates, certificate))
			TRY(listener_settle(op, l->row.id));
	return OK;
}

/* ---- operations ---- */

/* Sets where the listener leads: a network load balancer's row names the group, an application load balancer's has a
 * default rule, which is written once the listener is. */
static RESULT choose_group(struct op *op, const struct elastic_load_balancer *balancer,
			   const struct rule_action *action, struct listener *listener)
{
	const struct target_group *group = NULL;
	if (balancer->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION)
		return OK;
	if (action->type != RULE_FORWARD)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_ELASTIC_LOAD_BALANCER, STR("DefaultActions"),
				   "The action type '%s' is not valid with network load balancer",
				   action->type == RULE_REDIRECT ? "redirect" : "fixed-response");
	if (action->group_count != 1 || action->sticky_s)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_LISTENER, STR("DefaultActions"),
				   "A listener of a network load balancer forwards to one target group in "
				   "this region");
	TRY(engine_find_own_target_group(op->ctx, op->head, &action->groups[0].group, &group));
	listener->target_group = group->row.id;
	listener->action_order = action->order;
	return OK;
}

static RESULT check_listener(struct op *op, const struct elastic_load_balancer *balancer,
			     const struct listener *listener)
{
	const struct target_group *group = target_group_find(op->head, listener->target_group);
	TRY(check_protocol(op, balancer, listener->protocol));
	TRY(check_port(op, balancer->row.id, listener->row.id, listener->port));
	return group ? check_group(op, balancer, group, listener->protocol) : OK;
}

/* A proxy, which serves all listeners of its load balancer, has no UDP. */
RESULT listener_check_proxied(struct op *op, uuid balancer)
{
	const struct listener *udp = NULL;
	for (const struct listener *l = listener_first_by_elastic_load_balancer(op->head, balancer); l;
	     l = listener_next_by_elastic_load_balancer(op->head, l))
		if (l->protocol == LISTENER_PROTOCOL_UDP || l->protocol == LISTENER_PROTOCOL_TCP_UDP)
			udp = l;
	if (!udp || !engine_get_proxy(op->head, balancer))
		return OK;
	return ENGINE_FAIL(
		op, ERR_UNSUPPORTED, KIND_LISTENER, STR("Protocol"),
		"A network load balancer that is dualstack, or has security groups, TLS, proxy protocol, or "
		"health checks by HTTP or at another port than the traffic port, has no %s listeners in this "
		"region",
		protocol_words[udp->protocol]);
}

RESULT engine_create_listener(struct op *op, struct listener_wish *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "listener.create", &balancer));
	struct listener made = {.row = {.id = engine_new_id(op, KIND_LISTENER), .gen = 1},
				.account = balancer->account,
				.elastic_load_balancer = balancer->row.id,
				.protocol = to_protocol(wish->protocol),
				.port = wish->port};
	TRY(choose_group(op, balancer, &wish->action, &made));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(check_listener(op, balancer, &made));
	TRY(set_tls(op, &wish->certificates, wish->tls_policy, &made));
	TRY(set_alpn(op, wish->alpn, &made));
	TRY(limit_check(op, LIMIT_LISTENERS, balancer->row.id, 1, STR_NONE));
	TRY(listener_put(op, &made));
	if (balancer->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION)
		TRY(listener_rule_put_default(op, &made, &wish->action));
	wish->listener = made.row.id;
	TRY(listener_settle(op, made.row.id));
	TRY(listener_check_proxied(op, made.elastic_load_balancer));
	return engine_log_event(op, KIND_LISTENER, &made.row, "created", "Listener of port %" PRId64 ".",
				made.port);
}

RESULT engine_change_listener(struct op *op, struct listener_change *wish)
{
	const struct listener *present = NULL;
	TRY(engine_permit_listener(op, &wish->listener, "listener.update", &present));
	const struct elastic_load_balancer *balancer =
		elastic_load_balancer_find(op->head, present->elastic_load_balancer);
	struct listener next = *present;
	if (wish->sets_action)
		TRY(choose_group(op, balancer, &wish->action, &next));
	next.port = wish->port ? wish->port : present->port;
	next.protocol = wish->sets_protocol ? to_protocol(wish->protocol) : present->protocol;
	TRY(check_listener(op, balancer, &next));
	if (is_secure(&next) && !is_secure(present) && !wish->certificates.count)
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_ELASTIC_LOAD_BALANCER, STR("Certificates"),
			"You must provide a list containing exactly one certificate if the listener "
			"protocol is %s.",
			protocol_words[next.protocol]);
	TRY(set_tls(op, &wish->certificates, wish->tls_policy, &next));
	TRY(set_alpn(op, wish->sets_alpn ? wish->alpn : is_secure(&next) ? next.alpn : STR_NONE, &next));
	next.row.gen++;
	TRY(listener_put(op, &next));
	if (wish->sets_action && balancer->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION)
		TRY(listener_rule_put_default(op, &next, &wish->action));
	TRY(listener_settle(op, next.row.id));
	TRY(listener_check_proxied(op, next.elastic_load_balancer));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "Listener of port %" PRId64 ".",
				next.port);
}

RESULT engine_delete_listener(struct op *op, struct listener_target *wish)
{
	const struct listener *listener = NULL;
	TRY(engine_permit_listener(op, &wish->listener, "listener.delete", &listener));
	return listener_end(op, listener);
}

/* ---- certificates and attributes of a listener ---- */

static RESULT put_certificates(struct op *op, const struct listener *present, const struct uuids *ids)
{
	struct listener next = *present;
	next.certificates = *ids;
	next.row.gen++;
	TRY(listener_put(op, &next));
	TRY(listener_settle(op, next.row.id));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "%zu certificates.", ids->count);
}

static RESULT find_tls(struct op *op, const struct ref *ref, const char *permission,
		       const struct listener **ret_listener)
{
	TRY(engine_permit_listener(op, ref, permission, ret_listener));
	if (is_secure(*ret_listener))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_LISTENER, ref->field,
			   "Certificates can only be changed on listeners of protocol HTTPS or TLS");
}

RESULT engine_add_listener_certificates(struct op *op, struct listener_certificates *wish)
{
	const struct listener *listener = NULL;
	struct uuids ids = {0};
	TRY(find_tls(op, &wish->listener, "listener.add_certificates", &listener));
	TRY(listener_find_certificates(op, &wish->certificates, &listener->certificates, &ids));
	return put_certificates(op, listener, &ids);
}

RESULT engine_remove_listener_certificates(struct op *op, struct listener_certificates *wish)
{
	const struct listener *listener = NULL;
	struct uuids gone = {0};
	TRY(find_tls(op, &wish->listener, "listener.remove_certificates", &listener));
	TRY(listener_find_certificates(op, &wish->certificates, &(const struct uuids){0}, &gone));
	uuid *at = arena_new_array(op->ctx->arena, uuid, listener->certificates.count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	const struct uuids all = listener->certificates;
	const struct uuids others = {all.at + 1, all.count ? all.count - 1 : 0};
	for (size_t k = 0; k < all.count; k++)
		if (k == 0 || !uuids_have(&gone, all.at[k]))
			at[count++] = all.at[k];
	if (all.count && uuids_have(&gone, all.at[0]) && !uuids_have(&others, all.at[0]))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SERVER_CERTIFICATE, STR("Certificates"),
				   "The default certificate of a listener cannot be removed");
	return put_certificates(op, listener, &(const struct uuids){at, count});
}

RESULT engine_set_listener_attributes(struct op *op, struct listener_attributes *wish)
{
	const struct listener *present = NULL;
	TRY(engine_permit_listener(op, &wish->listener, "listener.set_attributes", &present));
	struct listener next = *present;
	next.attributes = wish->attributes;
	next.row.gen++;
	TRY(listener_put(op, &next));
	TRY(listener_settle(op, next.row.id));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "Attributes.");
}
