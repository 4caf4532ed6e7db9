/* SPDX-License-Identifier: Apache-2.0
 * Lists what the firewall rules of a network let in: follows each rule of a public address through static
 * NAT, port forwardings and load balancers to the guests. */
#include <netinet/in.h>

#include "base/vec.h"
#include "engine/network/filter/firewall.h"
#include "store/address.h"
#include "store/firewall_rule.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_forwarding.h"

#define PUSH(c, vec, value)                                                                                  \
	do {                                                                                                 \
		if (!VEC_PUSH((c)->arena, (vec), (value)))                                                   \
			return ctx_no_memory(c);                                                             \
	} while (0)

enum { PORT_LAST = 65535 };

struct gathered {
	uuid network;
	VEC(struct firewall_opening) openings;
	VEC(struct ip) own_ips;
};

static bool is_in(const struct tables *t, const struct gathered *g, uuid port)
{
	const struct port *row = uuid_is_none(port) ? NULL : port_find(t, port);
	return row && row_is_live(&row->row) && uuid_equal(row->network, g->network);
}

/* Adds the opening once for each source of the rule. */
static RESULT open_from_each(struct ctx *c, struct gathered *g, const struct firewall_rule *rule,
			     struct firewall_opening opening)
{
	opening.protocol = rule->protocol;
	opening.rule = rule;
	for (size_t k = 0; k < rule->sources.count; k++) {
		opening.source = rule->sources.at[k];
		PUSH(c, &g->openings, opening);
	}
	return OK;
}

/* Static NAT: everything that the rule allows goes to one private address. */
static RESULT open_static(struct ctx *c, const struct tables *t, const struct firewall_rule *rule,
			  const struct address *address, struct gathered *g)
{
	if (!is_in(t, g, address->port))
		return OK;
	const struct port *port = port_find(t, address->port);
	struct firewall_opening opening = {.ip = ip_is_none(address->private_ip) ? port->ip
										 : address->private_ip,
					   .from = rule->from_port,
					   .to = rule->to_port};
	bool is_known = false; /* another rule of the address has added it */
	for (size_t k = 0; k < g->own_ips.count; k++)
		is_known = is_known || ip_equal(g->own_ips.at[k], address->ip);
	if (!is_known)
		PUSH(c, &g->own_ips, address->ip);
	return open_from_each(c, g, rule, opening);
}

static bool is_of_ports(const struct firewall_rule *rule)
{
	return rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP;
}

/* Narrows [first, last] to the ports that the rule allows; false if none is left. */
static bool find_common(const struct firewall_rule *rule, int64_t *first, int64_t *last)
{
	int64_t from = rule->from_port < 0 ? 0 : rule->from_port;
	int64_t to = rule->from_port < 0 ? PORT_LAST : rule->to_port;
	*first = from > *first ? from : *first;
	*last = to < *last ? to : *last;
	return *first <= *last;
}

static RESULT open_forwarding(struct ctx *c, const struct tables *t, const struct firewall_rule *rule,
			      const struct port_forwarding *f, struct gathered *g)
{
	int64_t protocol = f->protocol == PORT_FORWARDING_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	int64_t first = f->public_first, last = f->public_last;
	bool is_one = f->private_first == f->private_last;
	if (rule->protocol != protocol || !find_common(rule, &first, &last) || !is_in(t, g, f->port))
		return OK;
	struct firewall_opening opening = {
		.ip = f->private_ip,
		.from = is_one ? f->private_first : f->private_first + first - f->public_first,
		.to = is_one ? f->private_first : f->private_first + last - f->public_first};
	return open_from_each(c, g, rule, opening);
}

/* Sources are those that both the rule and the load balancer allow: of two overlapping blocks, the
 * smaller. */
static RESULT open_member(struct ctx *c, const struct firewall_rule *rule, const struct load_balancer *b,
			  struct ip ip, struct gathered *g)
{
	struct firewall_opening opening = {
		.ip = ip, .protocol = rule->protocol, .from = b->private_port, .to = b->private_port};
	if (!b->sources.count)
		return open_from_each(c, g, rule, opening);
	for (size_t k = 0; k < rule->sources.count; k++)
		for (size_t n = 0; n < b->sources.count; n++) {
			struct cidr one = cidr_canonical(rule->sources.at[k]);
			struct cidr other = cidr_canonical(b->sources.at[n]);
			if (!cidr_overlaps(one, other))
				continue;
			opening.source = one.bits > other.bits ? one : other;
			PUSH(c, &g->openings, opening);
		}
	return OK;
}

static RESULT open_balancer(struct ctx *c, const struct tables *t, const struct firewall_rule *rule,
			    const struct load_balancer *b, struct gathered *g)
{
	int64_t protocol = b->protocol == LOAD_BALANCER_PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	int64_t first = b->public_port, last = b->public_port;
	if (rule->protocol != protocol || !find_common(rule, &first, &last))
		return OK;
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(t, b->row.id);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m))
		if (is_in(t, g, m->port))
			TRY(open_member(c, rule, b, m->private_ip, g));
	return OK;
}

static RESULT gather_inward(struct ctx *c, const struct tables *t, const struct firewall_rule *rule,
			    struct gathered *g)
{
	const struct address *address = address_find(t, rule->address);
	if (!address || !row_is_live(&address->row))
		return OK;
	TRY(open_static(c, t, rule, address, g));
	if (!is_of_ports(rule))
		return OK; /* forwardings and load balancers pass TCP and UDP only */
	for (const struct port_forwarding *f = port_forwarding_first_by_address(t, rule->address); f;
	     f = port_forwarding_next_by_address(t, f))
		TRY(open_forwarding(c, t, rule, f, g));
	for (const struct load_balancer *b = load_balancer_first_by_address(t, rule->address); b;
	     b = load_balancer_next_by_address(t, b))
		TRY(open_balancer(c, t, rule, b, g));
	return OK;
}

RESULT engine_list_openings(struct ctx *c, const struct tables *t, uuid network,
			    struct firewall_openings *ret_openings)
{
	struct gathered g = {.network = network};
	for (const struct firewall_rule *rule = firewall_rule_first_by_network(t, network); rule;
	     rule = firewall_rule_next_by_network(t, rule))
		if (rule->direction == FIREWALL_RULE_DIRECTION_INGRESS)
			TRY(gather_inward(c, t, rule, &g));
	*ret_openings =
		(struct firewall_openings){g.openings.at, g.openings.count, {g.own_ips.at, g.own_ips.count}};
	return OK;
}
