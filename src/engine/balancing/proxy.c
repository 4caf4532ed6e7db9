/* SPDX-License-Identifier: Apache-2.0
 * Rows of proxies. A row is created with an application or Classic Load Balancer. A network load balancer has one while it
 * is dualstack, or has security groups, a TLS listener or a target group that OVN cannot serve. Each change of anything that the process depends on increments the row's gen. The row is forgotten after the balancer, once the reconciler has
 * ended the process. */
#include "store/proxy.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/condition_internal.h"
#include "engine/virtual/balancer_set.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/port.h"
#include "store/target_group.h"

const struct proxy *engine_get_proxy(const struct tables *t, uuid balancer)
{
	return uuid_is_none(balancer) ? NULL : proxy_first_by_elastic_load_balancer(t, balancer);
}

bool engine_is_proxied(const struct tables *t, const struct port *port)
{
	uuid id;
	if (!result_is_ok(uuid_parse(port->device_id, &id)))
		return false;
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, id);
	return b && uuids_have(&b->fronts, port->row.id) &&
	       (balancer_is_proxied(b) || engine_get_proxy(t, b->row.id));
}

bool engine_is_router_front(const struct tables *t, const struct port *port)
{
	return engine_is_front(t, port) && !engine_is_proxied(t, port);
}

RESULT proxy_make(struct op *op, const struct elastic_load_balancer *balancer)
{
	struct proxy made = {.row = {.id = engine_new_id(op, KIND_PROXY), .gen = 1},
			     .account = balancer->account,
			     .elastic_load_balancer = balancer->row.id};
	return proxy_put(op, &made);
}

RESULT proxy_touch(struct op *op, uuid balancer)
{
	const struct proxy *present = engine_get_proxy(op->head, balancer);
	if (!present)
		return OK;
	struct proxy next = *present;
	next.row.gen++;
	return proxy_put(op, &next);
}

RESULT proxy_end(struct op *op, uuid balancer)
{
	const struct proxy *present = engine_get_proxy(op->head, balancer);
	if (!present)
		return OK;
	struct proxy next = *present;
	next.elastic_load_balancer = UUID_NONE;
	next.row.gen++;
	TRY(proxy_put(op, &next));
	return proxy_delete(op, next.row.id);
}

/* ---- proxies of network load balancers ---- */

bool engine_needs_proxy(const struct target_group *g)
{
	return g->sends_proxy_v2 || g->protocol == TARGET_GROUP_PROTOCOL_TLS ||
	       g->check_protocol != TARGET_GROUP_CHECK_PROTOCOL_TCP ||
	       (g->check_port && g->check_port != g->port);
}

/* The router, which serves a front otherwise, obeys no security groups. */
static bool has_groups(const struct tables *t, const struct elastic_load_balancer *b)
{
	const struct port *front = b->fronts.count ? port_find(t, b->fronts.at[0]) : NULL;
	return front && front->groups.count > 0;
}

static bool needs_proxy(const struct tables *t, const struct elastic_load_balancer *b)
{
	if (b->is_dualstack || has_groups(t, b))
		return true;
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, b->row.id); l;
	     l = listener_next_by_elastic_load_balancer(t, l)) {
		const struct target_group *g = target_group_find(t, l->target_group);
		if (l->protocol == LISTENER_PROTOCOL_SSL || (g && engine_needs_proxy(g)))
			return true;
	}
	return false;
}

void proxy_turn_front(const struct tables *t, const struct elastic_load_balancer *balancer,
		      struct port *front)
{
	bool is_network = !balancer_is_proxied(balancer);
	front->source_dest_check = !is_network || engine_get_proxy(t, balancer->row.id);
	front->is_open = is_network && front->source_dest_check && !front->groups.count;
}

/* The new gens have the reconciler plug the fronts and their public addresses, or leave both to the router. */
static RESULT turn_fronts(struct op *op, const struct elastic_load_balancer *balancer)
{
	for (size_t k = 0; k < balancer->fronts.count; k++) {
		const struct port *front = port_find(op->head, balancer->fronts.at[k]);
		const struct address *a = address_first_by_port(op->head, balancer->fronts.at[k]);
		if (!front || !row_is_live(&front->row))
			continue;
		struct port next = *front;
		proxy_turn_front(op->head, balancer, &next);
		next.row.gen++;
		TRY(port_put(op, &next));
		if (!a)
			continue;
		struct address turned = *a;
		turned.row.gen++;
		TRY(address_put(op, &turned));
	}
	return OK;
}

RESULT proxy_settle(struct op *op, uuid balancer)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(op->head, balancer);
	if (!b || balancer_is_proxied(b))
		return OK;
	bool needs = needs_proxy(op->head, b);
	if (needs == (engine_get_proxy(op->head, balancer) != NULL))
		return OK;
	const struct elastic_load_balancer copy = *b;
	TRY(needs ? proxy_make(op, &copy) : proxy_end(op, balancer));
	TRY(turn_fronts(op, &copy));
	return listener_settle_balancer(op, balancer);
}

RESULT engine_see_proxy(struct op *op, struct proxy_report *report)
{
	const struct proxy *present = proxy_find(op->head, report->proxy);
	if (!present || !row_is_live(&present->row) || (int64_t) report->gen <= present->seen_gen)
		return OK;
	struct proxy next = *present;
	next.seen_gen = (int64_t) report->gen;
	return proxy_put(op, &next);
}
