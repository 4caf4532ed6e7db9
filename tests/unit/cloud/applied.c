/* SPDX-License-Identifier: Apache-2.0
 * Record of the network driver's calls (see applied.h). A resource's entry exists from its successful apply
 * until its removal. */
#include "applied.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/vec.h"
#include "model/address.h"
#include "model/external_network.h"
#include "model/firewall_rule.h"
#include "model/gateway.h"
#include "model/load_balancer.h"
#include "model/network.h"
#include "model/port.h"
#include "model/port_forwarding.h"
#include "model/port_policy.h"
#include "model/port_rule.h"
#include "model/route.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/security_group_rule.h"
#include "model/subnet.h"
#include "model/transit_attachment.h"
#include "model/transit_gateway.h"
#include "model/vpn_tunnel.h"

struct vnet {
	struct network_handle inner;
};

struct wish {
	struct wish *next;
	enum network_item_kind kind;
	uuid id;
	struct buf text;
};

static struct wish *wishes; /* in the order of their first apply */

static struct wish **find(enum network_item_kind kind, uuid id)
{
	struct wish **at = &wishes;
	while (*at && !((*at)->kind == kind && uuid_equal((*at)->id, id)))
		at = &(*at)->next;
	return at;
}

static void forget(enum network_item_kind kind, uuid id)
{
	struct wish **at = find(kind, id), *wish = *at;
	if (!wish)
		return;
	*at = wish->next;
	buf_done(&wish->text);
	heap_free(wish);
}

/* Begins the text of a new configuration; NULL: none is recorded. */
static struct buf *begin(enum network_item_kind kind, uuid id)
{
	forget(kind, id);
	struct wish *wish = heap_new(struct wish);
	if (!wish)
		return NULL;
	*wish = (struct wish){.kind = kind, .id = id};
	*find(kind, id) = wish;
	buf_init(&wish->text, 1 << 20);
	return &wish->text;
}

static void add_id(struct buf *b, const char *name, uuid id)
{
	char text[UUID_TEXT_SIZE];
	buf_print(b, " %s %s", name, uuid_write(id, text));
}

static void add_ip(struct buf *b, const char *name, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	buf_print(b, " %s %s", name, ip_write(ip, text));
}

static void add_block(struct buf *b, const char *name, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	buf_print(b, " %s %s", name, cidr_write(block, text));
}

/* ---- texts of wishes ---- */

static void write_firewall(struct buf *b, const struct network_firewall *f)
{
	add_id(b, f->network->egress_open ? "open firewall" : "firewall", f->network->row.id);
	for (size_t k = 0; k < f->opening_count; k++) {
		const struct network_opening *o = &f->openings[k];
		add_block(b, "lets", o->source);
		add_ip(b, "to", o->ip);
		buf_print(b, " %d %d:%d", (int) o->protocol, (int) o->from, (int) o->to);
	}
	for (size_t k = 0; k < f->rule_count; k++) {
		const struct firewall_rule *r = f->rules[k];
		buf_print(b, " outwards %d %d:%d", (int) r->protocol, (int) r->from_port, (int) r->to_port);
		for (size_t n = 0; n < r->sources.count; n++)
			add_block(b, "from", r->sources.at[n]);
		for (size_t n = 0; n < r->destinations.count; n++)
			add_block(b, "to", r->destinations.at[n]);
	}
	for (size_t k = 0; k < f->own_ips.count; k++)
		add_ip(b, "own", f->own_ips.at[k]);
}

static void write_tunnels(struct buf *b, const struct network_router *w)
{
	for (size_t k = 0; k < w->tunnel_count; k++) {
		const struct network_tunnel *n = &w->tunnels[k];
		add_id(b, "tunnel", n->id);
		add_ip(b, "ip", n->tunnel->outside_ip);
		add_block(b, "link", n->link.block);
		add_ip(b, "hop", n->external->next_hop);
		buf_print(b, " on %" STR_FMT, STR_ARG(n->chassis));
	}
	for (size_t k = 0; k < w->vpn_route_count; k++) {
		add_block(b, "vpn route", w->vpn_routes[k].to);
		add_id(b, "in", w->vpn_routes[k].table);
		add_id(b, "by", w->vpn_routes[k].tunnel);
	}
}

static void write_router(struct buf *b, const struct network_router *w)
{
	write_tunnels(b, w);
	if (w->gateway) {
		add_id(b, "gateway", w->gateway->row.id);
		add_ip(b, "ip", w->gateway->ip);
		add_id(b, "by", w->gateway->route_table);
	}
	if (w->external)
		add_id(b, "external", w->external->row.id);
	for (size_t k = 0; k < w->subnet_count; k++) {
		add_id(b, "subnet", w->subnets[k].subnet->row.id);
		add_block(b, "block", w->subnets[k].subnet->block);
		if (w->subnets[k].port)
			add_ip(b, "by", w->subnets[k].port->ip);
		add_id(b, "table", w->subnets[k].route_table);
	}
	for (size_t k = 0; k < w->table_count; k++)
		add_id(b, "table", w->tables[k]);
	for (size_t k = 0; k < w->attachment_count; k++)
		add_id(b, "attachment", w->attachments[k]->row.id);
	for (size_t k = 0; k < w->route_count; k++) {
		const struct network_route *r = &w->routes[k];
		add_block(b, "route", r->route->destination);
		add_id(b, "in", r->route->table);
		add_id(b, "to", r->route->gateway);
		add_ip(b, "over", r->route->next_hop);
		add_id(b, "by", r->route->transit_gateway);
		if (r->port)
			add_ip(b, "port", r->port->ip);
	}
	for (size_t k = 0; k < w->forwarding_count; k++) {
		const struct port_forwarding *f = w->forwardings[k].forwarding;
		add_ip(b, "forwards", w->forwardings[k].public_ip);
		buf_print(b, " %s %d to %d", port_forwarding_protocol_words[f->protocol],
			  (int) f->public_first, (int) f->public_last);
		add_ip(b, "to", f->private_ip);
		buf_print(b, " %d to %d", (int) f->private_first, (int) f->private_last);
	}
	for (size_t k = 0; k < w->balancer_count; k++) {
		add_ip(b, "balances", w->balancers[k].ip);
		buf_print(b, " %d by %d", (int) w->balancers[k].balancer->public_port,
			  (int) w->balancers[k].balancer->algorithm);
		for (size_t n = 0; n < w->balancers[k].member_count; n++) {
			add_ip(b, "to", w->balancers[k].members[n].ip);
			add_ip(b, "asked from", w->balancers[k].members[n].asked_from);
		}
	}
	for (size_t k = 0; k < w->firewall_count; k++)
		write_firewall(b, &w->firewalls[k]);
	add_ip(b, "translated to", w->translated_to);
	if (w->gateway) /* else on no host */
		buf_print(b, ", over %" STR_FMT, STR_ARG(w->gateway_chassis));
}

static void write_transit(struct buf *b, const struct network_transit *w)
{
	for (size_t k = 0; k < w->attachment_count; k++) {
		add_id(b, "attachment", w->attachments[k]->row.id);
		add_id(b, "of", w->attachments[k]->router);
		add_id(b, "table", w->attachments[k]->table);
	}
	for (size_t k = 0; k < w->route_count; k++) {
		add_block(b, "route", w->routes[k].to);
		add_id(b, "in", w->routes[k].table);
		add_id(b, "to", w->routes[k].attachment ? w->routes[k].attachment->row.id : UUID_NONE);
	}
}

static void write_network(struct buf *b, const struct network_segment *w)
{
	for (size_t k = 0; k < w->subnet_count; k++) {
		add_id(b, "subnet", w->subnets[k]->row.id);
		add_ip(b, "gateway", w->subnets[k]->gateway_ip);
	}
	buf_print(b, " mtu %d, %zu resolvers, domain %" STR_FMT, (int) w->network->mtu, w->resolver_count,
		  STR_ARG(w->domain_name));
}

static void write_group(struct buf *b, const struct network_group *w)
{
	for (size_t k = 0; k < w->rule_count; k++) {
		const struct security_group_rule *r = w->rules[k];
		buf_print(b, " rule %d %d %d %d", (int) r->direction, (int) r->protocol, (int) r->from_port,
			  (int) r->to_port);
		add_block(b, "block", r->peer_block);
		add_id(b, "group", r->peer_group);
	}
}

static void write_side(struct buf *b, const char *word, struct port_spans spans)
{
	buf_print(b, " %s", word);
	for (size_t k = 0; k < spans.count; k++)
		buf_print(b, " %u-%u", spans.at[k].first, spans.at[k].last);
}

static void write_policy(struct buf *b, const struct network_policy *w)
{
	static const char *const words[] = {"from", "to", "from-ports", "to-ports"};
	for (size_t k = 0; k < w->place_count; k++) {
		add_id(b, "behind", w->places[k].place);
		for (int egress = 0; egress < 2; egress++)
			for (size_t n = 0; n < w->places[k].counts[egress]; n++) {
				const struct port_rule *r = &w->places[k].rules[egress][n];
				buf_print(b, " rule %d %d %d", egress, r->allows, (int) r->protocol);
				for (int s = 0; s < PORT_SIDES; s++)
					write_side(b, words[s], r->about.sides[s]);
			}
	}
}

/* DHCP options: the port's own, then those of its subnets and VPC. */
static void write_told(struct buf *b, const struct network_port *w)
{
	for (size_t k = 0; k < w->port->dhcp4.count; k++)
		buf_print(b, " option %" STR_FMT "=%" STR_FMT, STR_ARG(w->port->dhcp4.at[k].key),
			  STR_ARG(w->port->dhcp4.at[k].value));
	for (size_t k = 0; w->segment && k < w->segment->subnet_count; k++)
		for (size_t n = 0; n < w->segment->subnets[k]->dns_servers.count; n++)
			add_ip(b, "names by", w->segment->subnets[k]->dns_servers.at[n]);
	if (w->segment)
		buf_print(b, " mtu %d", (int) w->segment->network->mtu);
}

static void write_qos(struct buf *b, const char *direction, const struct network_qos *qos)
{
	if (qos->kbit)
		buf_print(b, "%s at most %d kbit/s", direction, (int) qos->kbit);
	if (qos->burst_kbit)
		buf_print(b, " burst %d kbit", (int) qos->burst_kbit);
	if (qos->marks)
		buf_print(b, " dscp %d", (int) qos->dscp);
}

static void write_port(struct buf *b, const struct network_port *w)
{
	char mac[MAC_TEXT_SIZE];
	add_ip(b, "ip", w->port->ip);
	for (size_t k = 0; k < w->secondaries.count; k++)
		add_ip(b, "and", w->secondaries.at[k]);
	buf_print(b, " mac %s check %d", mac_write(w->port->mac, mac), w->port->source_dest_check);
	add_id(b, "subnet", w->port->subnet);
	for (size_t k = 0; k < w->port->groups.count; k++)
		add_id(b, "group", w->port->groups.at[k]);
	for (size_t k = 0; k < w->policies.count; k++)
		add_id(b, "policy", w->policies.at[k]);
	buf_print(b, "%s", w->is_closed ? " closed" : "");
	write_qos(b, "", &w->egress);
	write_qos(b, " inwards", &w->ingress);
	buf_print(b, " chassis %" STR_FMT " names %d domain %" STR_FMT, STR_ARG(w->chassis), w->has_names,
		  STR_ARG(w->domain_name));
	write_told(b, w);
}

static void write_address(struct buf *b, const struct network_address *w)
{
	add_ip(b, "ip", w->address->ip);
	add_ip(b, "for", w->address->private_ip);
	add_id(b, "port", w->address->port);
	add_id(b, "router", w->router);
}

/* ---- the driver ---- */

/* The simulated network reports time-outs after the effect. */
static bool had_effect(struct result r)
{
	return result_is_ok(r) || r.code == ERR_TIMEOUT;
}

/* No fault of the test's is to hit the record itself. */
#define APPLIED(kind, id, write, outcome)                                                                    \
	do {                                                                                                 \
		struct result applied_ = (outcome);                                                          \
		if (!had_effect(applied_))                                                                   \
			return applied_;                                                                     \
		unsigned faults_ = fault_suspend();                                                          \
		struct buf *text_ = begin(NETWORK_ITEM_##kind, (id));                                        \
		if (text_)                                                                                   \
			write(text_, wish);                                                                  \
		fault_resume(faults_);                                                                       \
		return text_ && result_is_ok(buf_finish(text_)) ? applied_ : ctx_no_memory(c);               \
	} while (0)

#define REMOVE(member, kind)                                                                                 \
	static RESULT applied_##member(struct vnet *n, struct ctx *c, uuid id)                               \
	{                                                                                                    \
		struct result removed = n->inner.driver->member(n->inner.self, c, id);                       \
		if (had_effect(removed))                                                                     \
			forget(NETWORK_ITEM_##kind, id);                                                     \
		return removed;                                                                              \
	}

static RESULT applied_see_chassis(struct vnet *n, struct ctx *c, struct str name, bool asks,
				  struct network_chassis *ret_chassis)
{
	return n->inner.driver->see_chassis(n->inner.self, c, name, asks, ret_chassis);
}

static RESULT applied_see_bridges(struct vnet *n, struct ctx *c, struct str name, struct str *ret_words)
{
	return n->inner.driver->see_bridges(n->inner.self, c, name, ret_words);
}

static RESULT applied_see(struct vnet *n, struct ctx *c, struct network_health *ret_health)
{
	return n->inner.driver->see(n->inner.self, c, ret_health);
}

static RESULT applied_apply_router(struct vnet *n, struct ctx *c, const struct network_router *wish)
{
	APPLIED(ROUTER, wish->router->row.id, write_router,
		n->inner.driver->apply_router(n->inner.self, c, wish));
}

static RESULT applied_apply_transit(struct vnet *n, struct ctx *c, const struct network_transit *wish)
{
	APPLIED(TRANSIT_GATEWAY, wish->gateway->row.id, write_transit,
		n->inner.driver->apply_transit(n->inner.self, c, wish));
}

static RESULT applied_apply_network(struct vnet *n, struct ctx *c, const struct network_segment *wish)
{
	APPLIED(NETWORK, wish->network->row.id, write_network,
		n->inner.driver->apply_network(n->inner.self, c, wish));
}

static RESULT applied_apply_group(struct vnet *n, struct ctx *c, const struct network_group *wish)
{
	APPLIED(GROUP, wish->group->row.id, write_group,
		n->inner.driver->apply_group(n->inner.self, c, wish));
}

static RESULT applied_apply_policy(struct vnet *n, struct ctx *c, const struct network_policy *wish)
{
	APPLIED(POLICY, wish->policy->row.id, write_policy,
		n->inner.driver->apply_policy(n->inner.self, c, wish));
}

static RESULT applied_apply_port(struct vnet *n, struct ctx *c, const struct network_port *wish, bool *ret_up)
{
	APPLIED(PORT, wish->port->row.id, write_port,
		n->inner.driver->apply_port(n->inner.self, c, wish, ret_up));
}

static RESULT applied_apply_address(struct vnet *n, struct ctx *c, const struct network_address *wish)
{
	APPLIED(ADDRESS, wish->address->row.id, write_address,
		n->inner.driver->apply_address(n->inner.self, c, wish));
}

REMOVE(remove_network, NETWORK)
REMOVE(remove_router, ROUTER)
REMOVE(remove_transit, TRANSIT_GATEWAY)
REMOVE(remove_group, GROUP)
REMOVE(remove_policy, POLICY)
REMOVE(remove_port, PORT)
REMOVE(remove_address, ADDRESS)

static RESULT applied_sample_drops(struct vnet *n, struct ctx *c, bool on,
				   struct network_samples *ret_samples)
{
	return n->inner.driver->sample_drops(n->inner.self, c, on, ret_samples);
}

static RESULT applied_see_probes(struct vnet *n, struct ctx *c, struct network_probe *probes, size_t count)
{
	return n->inner.driver->see_probes(n->inner.self, c, probes, count);
}

static RESULT applied_list(struct vnet *n, struct ctx *c, struct network_inventory *ret_inventory)
{
	return n->inner.driver->list(n->inner.self, c, ret_inventory);
}

static void applied_watch(struct vnet *n, void (*changed)(void *arg, uuid port), void *arg)
{
	n->inner.driver->watch(n->inner.self, changed, arg);
}

static void applied_close(struct vnet *n)
{
	n->inner.driver->close(n->inner.self);
	heap_free(n);
}

RESULT applied_open(struct ctx *c, struct network_handle *network)
{
	static const struct network_driver driver = {
		applied_see,           applied_see_chassis,    applied_see_bridges,
		applied_apply_network, applied_remove_network, applied_apply_router,
		applied_remove_router, applied_apply_transit,  applied_remove_transit,
		applied_apply_group,   applied_remove_group,   applied_apply_policy,
		applied_remove_policy, applied_apply_port,     applied_remove_port,
		applied_apply_address, applied_remove_address, applied_see_probes,
		applied_sample_drops,  applied_list,           applied_watch,
		applied_close};
	struct vnet *n = heap_new(struct vnet);
	if (!n)
		return ctx_no_memory(c);
	n->inner = *network;
	*network = (struct network_handle){&driver, n};
	return OK;
}

/* ---- the record ---- */

void applied_reset(void)
{
	while (wishes)
		forget(wishes->kind, wishes->id);
}

static int compare(const void *a, const void *b)
{
	const struct wish *x = *(struct wish *const *) a, *y = *(struct wish *const *) b;
	return x->kind != y->kind ? (int) x->kind - (int) y->kind : uuid_compare(x->id, y->id);
}

struct str applied_read(struct arena *a)
{
	static const char *const kinds[] = {[NETWORK_ITEM_ROUTER] = "router",
					    [NETWORK_ITEM_NETWORK] = "network",
					    [NETWORK_ITEM_PORT] = "port",
					    [NETWORK_ITEM_GROUP] = "group",
					    [NETWORK_ITEM_ADDRESS] = "address",
					    [NETWORK_ITEM_POLICY] = "policy",
					    [NETWORK_ITEM_TRANSIT_GATEWAY] = "transit gateway"};
	VEC(struct wish *) all = {0};
	struct str text = STR("");
	char id[UUID_TEXT_SIZE];
	for (struct wish *w = wishes; w; w = w->next)
		if (!VEC_PUSH(a, &all, w))
			return STR_NONE;
	qsort(all.at, all.count, sizeof *all.at, compare);
	for (size_t k = 0; k < all.count; k++)
		text = str_print(a, "%" STR_FMT "%s %s%" STR_FMT "\n", STR_ARG(text), kinds[all.at[k]->kind],
				 uuid_write(all.at[k]->id, id), STR_ARG(buf_str(&all.at[k]->text)));
	return text;
}
