/* SPDX-License-Identifier: Apache-2.0
 * Gathers the firewalls of a router's networks: where each rule of a public address leads, by static NAT, by forwardings and
 * by load balancers, and what rules say of the way out. */
#include <netinet/in.h>

#include "reconcile/work.h"
#include "store/address.h"
#include "store/firewall_rule.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/network.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/subnet.h"

#define PUSH(s, vec, value)                                                                                  \
	do {                                                                                                 \
		if (!VEC_PUSH((s)->ctx.arena, (vec), (value)))                                               \
			return ctx_no_memory(&(s)->ctx);                                                     \
	} while (0)

enum { PORT_LAST = 65535 };

struct gathered {
	uuid network;
	VEC(struct network_opening) openings;
	VEC(const struct firewall_rule *) rules;
	VEC(struct ip) own_ips;
};

static bool is_in(const struct tables *t, const struct gathered *g, uuid port)
{
	const struct port *row = uuid_is_none(port) ? NULL : port_find(t, port);
	return row && row_is_live(&row->row) && uuid_equal(row->network, g->network);
}

/* From each source of the rule. */
static RESULT open_from_each(struct step *s, struct gathered *g, const struct firewall_rule *rule,
			     struct network_opening opening)
{
	opening.protocol = rule->protocol;
	for (size_t k = 0; k < rule->sources.count; k++) {
		opening.source = rule->sources.at[k];
		PUSH(s, &g->openings, opening);
	}
	return OK;
}

/* All that the rule is about leads to one address. */
static RESULT open_static(struct step *s, const struct tables *t, const struct firewall_rule *rule,
			  const struct address *address, struct gathered *g)
{
	if (!is_in(t, g, address->port))
		return OK;
	const struct port *port = port_find(t, address->port);
	struct network_opening opening = {.ip = ip_is_none(address->private_ip) ? port->ip
										: address->private_ip,
					  .from = rule->from_port,
					  .to = rule->to_port};
	bool is_known = false; /* by another rule of the address */
	for (size_t k = 0; k < g->own_ips.count; k++)
		is_known = is_known || ip_equal(g->own_ips.at[k], address->ip);
	if (!is_known)
		PUSH(s, &g->own_ips, address->ip);
	return open_from_each(s, g, rule, opening);
}

static bool is_of_ports(const struct firewall_rule *rule)
{
	return rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP;
}

/* Ports of the address that the rule is about, too. */
static bool find_common(const struct firewall_rule *rule, int64_t *first, int64_t *last)
{
	int64_t from = rule->from_port < 0 ? 0 : rule->from_port;
	int64_t to = rule->from_port < 0 ? PORT_LAST : rule->to_port;
	*first = from > *first ? from : *first;
	*last = to < *last ? to : *last;
	return *first <= *last;
}

static RESULT open_forwarding(struct step *s, const struct tables *t, const struct firewall_rule *rule,
			      const struct port_forwarding *f, struct gathered *g)
{
	int64_t protocol = f->protocol == PORT_FORWARDING_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	int64_t first = f->public_first, last = f->public_last;
	bool is_one = f->private_first == f->private_last;
	if (rule->protocol != protocol || !find_common(rule, &first, &last) || !is_in(t, g, f->port))
		return OK;
	struct network_opening opening = {
		.ip = f->private_ip,
		.from = is_one ? f->private_first : f->private_first + first - f->public_first,
		.to = is_one ? f->private_first : f->private_first + last - f->public_first};
	return open_from_each(s, g, rule, opening);
}

/* From where both the rule and the load balancer let come. */
static RESULT open_member(struct step *s, const struct firewall_rule *rule, const struct load_balancer *b,
			  struct ip ip, struct gathered *g)
{
	struct network_opening opening = {
		.ip = ip, .protocol = rule->protocol, .from = b->private_port, .to = b->private_port};
	if (!b->sources.count)
		return open_from_each(s, g, rule, opening);
	for (size_t k = 0; k < rule->sources.count; k++)
		for (size_t n = 0; n < b->sources.count; n++) {
			struct cidr one = cidr_canonical(rule->sources.at[k]);
			struct cidr other = cidr_canonical(b->sources.at[n]);
			if (!cidr_overlaps(one, other))
				continue;
			opening.source = one.bits > other.bits ? one : other;
			PUSH(s, &g->openings, opening);
		}
	return OK;
}

static RESULT open_balancer(struct step *s, const struct tables *t, const struct firewall_rule *rule,
			    const struct load_balancer *b, struct gathered *g)
{
	int64_t protocol = b->protocol == LOAD_BALANCER_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	int64_t first = b->public_port, last = b->public_port;
	if (rule->protocol != protocol || !find_common(rule, &first, &last))
		return OK;
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(t, b->row.id);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m))
		if (is_in(t, g, m->port))
			TRY(open_member(s, rule, b, m->private_ip, g));
	return OK;
}

static RESULT gather_inward(struct step *s, const struct tables *t, const struct firewall_rule *rule,
			    struct gathered *g)
{
	const struct address *address = address_find(t, rule->address);
	if (!address || !row_is_live(&address->row))
		return OK;
	TRY(open_static(s, t, rule, address, g));
	if (!is_of_ports(rule))
		return OK; /* forwardings and load balancers lead nothing else on */
	for (const struct port_forwarding *f = port_forwarding_first_by_address(t, rule->address); f;
	     f = port_forwarding_next_by_address(t, f))
		TRY(open_forwarding(s, t, rule, f, g));
	for (const struct load_balancer *b = load_balancer_first_by_address(t, rule->address); b;
	     b = load_balancer_next_by_address(t, b))
		TRY(open_balancer(s, t, rule, b, g));
	return OK;
}

static RESULT gather_one(struct step *s, const struct tables *t, const struct network *network,
			 struct network_firewall *ret_wish)
{
	struct gathered g = {.network = network->row.id};
	for (const struct firewall_rule *rule = firewall_rule_first_by_network(t, network->row.id); rule;
	     rule = firewall_rule_next_by_network(t, rule)) {
		if (rule->direction == FIREWALL_RULE_DIRECTION_INGRESS)
			TRY(gather_inward(s, t, rule, &g));
		else
			PUSH(s, &g.rules, STEP_COPY(s, KIND_FIREWALL_RULE, struct firewall_rule, rule));
	}
	*ret_wish = (struct network_firewall){.network = network,
					      .openings = g.openings.at,
					      .opening_count = g.openings.count,
					      .rules = g.rules.at,
					      .rule_count = g.rules.count,
					      .own_ips = {g.own_ips.at, g.own_ips.count}};
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

/* ---- who looks because of it ---- */

/* Every router that the network is on, if it has a firewall. */
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
