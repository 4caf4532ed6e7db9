/* SPDX-License-Identifier: Apache-2.0
 * Collects the firewalls of a router's networks: allowed inbound traffic (engine_list_openings()) and egress
 * rules. */
#include "engine/network/filter/firewall.h"
#include "reconcile/work.h"
#include "store/address.h"
#include "store/firewall_rule.h"
#include "store/network.h"
#include "store/port.h"
#include "store/subnet.h"

#define PUSH(s, vec, value)                                                                                  \
	do {                                                                                                 \
		if (!VEC_PUSH((s)->ctx.arena, (vec), (value)))                                               \
			return ctx_no_memory(&(s)->ctx);                                                     \
	} while (0)

static RESULT gather_one(struct step *s, const struct tables *t, const struct network *network,
			 struct network_firewall *ret_wish)
{
	VEC(const struct firewall_rule *) rules = {0};
	struct firewall_openings let_in = {0};
	TRY(engine_list_openings(&s->ctx, t, network->row.id, &let_in));
	struct network_opening *openings =
		arena_new_array(s->ctx.arena, struct network_opening, let_in.count + 1);
	if (!openings)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < let_in.count; k++) {
		const struct firewall_opening *o = &let_in.at[k];
		openings[k] = (struct network_opening){o->source, o->ip, o->protocol, o->from, o->to};
	}
	for (const struct firewall_rule *rule = firewall_rule_first_by_network(t, network->row.id); rule;
	     rule = firewall_rule_next_by_network(t, rule))
		if (rule->direction != FIREWALL_RULE_DIRECTION_INGRESS)
			PUSH(s, &rules, STEP_COPY(s, KIND_FIREWALL_RULE, struct firewall_rule, rule));
	*ret_wish = (struct network_firewall){.network = network,
					      .openings = openings,
					      .opening_count = let_in.count,
					      .rules = rules.at,
					      .rule_count = rules.count,
					      .own_ips = let_in.own_ips};
	return OK;
}

RESULT gather_firewalls(struct step *s, const struct tables *t, struct router_rows *rows)
{
	VEC(struct network_firewall) firewalls = {0};
	for (size_t k = 0; k < rows->segments.count; k++) {
		const struct network *network = rows->segments.at[k].network;
		struct network_firewall wish = {0};
		if (!network->has_firewall)
			continue;
		TRY(gather_one(s, t, network, &wish));
		PUSH(s, &firewalls, wish);
	}
	rows->wish.firewalls = firewalls.at;
	rows->wish.firewall_count = firewalls.count;
	return OK;
}

/* ---- wake-ups ---- */

/* Wakes each router of the network, if the network has a firewall. */
static void wake_routers_of(struct reconciler *r, const struct tables *t, uuid id)
{
	const struct network *network = uuid_is_none(id) ? NULL : network_find(t, id);
	if (!network || !network->has_firewall)
		return;
	for (const struct subnet *n = subnet_first_by_network(t, id); n; n = subnet_next_by_network(t, n))
		wake_network(r, KIND_ROUTER, n->router);
	for (const struct port *p = port_first_by_network(t, id); p; p = port_next_by_network(t, p))
		wake_network(r, KIND_ROUTER, p->interface_of);
}

static void wake_for_forgotten_rule(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_routers_of(r, t, firewall_rule_of(row)->network);
}

static void wake_for_rule(struct reconciler *r, const struct tables *t, const struct row *before,
			  const struct row *after)
{
	if (before)
		wake_for_forgotten_rule(r, t, before);
	wake_for_forgotten_rule(r, t, after);
}

const struct resource reconcile_firewall_rule = {
	.wake_changed = wake_for_rule,
	.wake_forgotten = wake_for_forgotten_rule,
};

void wake_firewalls_of(struct reconciler *r, const struct tables *t, uuid port)
{
	const struct port *row = uuid_is_none(port) ? NULL : port_find(t, port);
	if (row)
		wake_routers_of(r, t, row->network);
}
