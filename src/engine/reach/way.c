/* SPDX-License-Identifier: Apache-2.0
 * The path of a packet: from an interface within its subnet or to a router, through routes, NAT gateways, peerings
 * and transit gateways, until it reaches an interface or leaves the region. A route without a target is a black hole
 * (drivers/ovn/nb_router.c); a peering reaches only a router's own subnets (nb_peering.c). */
#include "engine/network/ipv6.h"
#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/route_table.h"
#include "engine/reach/reach_internal.h"
#include "engine/transit/transit.h"
#include "store/peering.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"
#include "store/transit_attachment.h"

/* ---- arrival in a subnet ---- */

static const struct port *find_port_in(const struct reach_walk *w, const struct router *router,
				       const struct subnet *subnet, struct ip ip)
{
	const struct port *p = port_find_by_subnet(w->t, subnet->row.id, ip);
	const struct secondary_ip *s = p ? NULL : secondary_ip_find_by_subnet(w->t, subnet->row.id, ip);
	p = s ? port_find(w->t, s->port) : p;
	if (!p && router)
		p = engine_find_port_by_ip(w->t, router->row.id, ip);
	return p && row_is_live(&p->row) ? p : NULL;
}

/* Forwards replies to connections that a NAT gateway opened. */
static enum reach_end undo_nat(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
			       const struct port *port)
{
	struct reach_change *change = reach_find_change(w);
	struct reach_step step = {.stage = REACH_NAT, .kind = KIND_NAT_GATEWAY, .row = port->nat_gateway};
	if (!w->p.is_reply || !change || change->kind != REACH_HIDDEN_BY_NAT ||
	    !ip_equal(change->after, w->p.to))
		return reach_stop(
			w, step,
			reach_print(w, "NAT gateway %" STR_FMT " lets nothing in but answers.%" STR_FMT,
				    reach_name(w, KIND_NAT_GATEWAY, port->nat_gateway), STR_NONE),
			NULL);
	w->p.to = change->before;
	w->change_count--;
	reach_say(w, step, "NAT gateway %" STR_FMT " passes the answer on to %" STR_FMT ".",
		  STR_ARG(reach_name(w, KIND_NAT_GATEWAY, port->nat_gateway)), STR_ARG(reach_write_to(w)));
	return reach_go(
		w, (struct reach_spot){router, subnet, engine_get_subnet_route_table(w->t, router, subnet)});
}

static enum reach_end meet_router(struct reach_walk *w, const struct subnet *subnet)
{
	struct reach_step step = {.stage = REACH_LINK, .kind = KIND_SUBNET, .row = subnet->row.id};
	if (!reach_is_icmp(&w->p))
		return reach_stop(w, step, "The address is a router's, which takes no connections.", NULL);
	reach_say(w, step, "The address is a router's, which answers pings by itself.");
	return REACH_END_PLATFORM;
}

static enum reach_end meet(struct reach_walk *w, const struct router *router, const struct subnet *subnet)
{
	const struct port *port = find_port_in(w, router, subnet, w->p.to);
	if ((port && !uuid_is_none(port->interface_of)) || ip_equal(subnet->gateway_ip, w->p.to))
		return meet_router(w, subnet);
	if (!port)
		return reach_stop(
			w,
			(struct reach_step){.stage = REACH_LINK, .kind = KIND_SUBNET, .row = subnet->row.id},
			reach_print(w, "No interface in subnet %" STR_FMT " has the address %" STR_FMT ".",
				    reach_name(w, KIND_SUBNET, subnet->row.id), reach_write_to(w)),
			NULL);
	if (!uuid_is_none(port->nat_gateway))
		return undo_nat(w, router, subnet, port);
	w->hit = port;
	w->hit_subnet = subnet;
	w->by = router;
	return REACH_END_PORT;
}

static enum reach_end deliver(struct reach_walk *w, const struct router *router, const struct subnet *subnet)
{
	reach_say(w, (struct reach_step){.stage = REACH_ROUTE, .kind = KIND_SUBNET, .row = subnet->row.id},
		  "Router %" STR_FMT " is in subnet %" STR_FMT " itself.",
		  STR_ARG(reach_name(w, KIND_ROUTER, router->row.id)),
		  STR_ARG(reach_name(w, KIND_SUBNET, subnet->row.id)));
	if (!reach_pass_acl(w, router, subnet, false))
		return REACH_END_STOPPED;
	return meet(w, router, subnet);
}

/* ---- routes ---- */

static struct reach_step step_of_route(const struct route *r)
{
	return (struct reach_step){.stage = REACH_ROUTE,
				   .kind = KIND_ROUTE,
				   .row = r->row.id,
				   .part_of = KIND_ROUTE_TABLE,
				   .whole = r->table};
}

static void tell_route(struct reach_walk *w, const struct route *r, const char *by, struct str name)
{
	reach_say(w, step_of_route(r),
		  "The route to %" STR_FMT " of table %" STR_FMT " leads to %s %" STR_FMT ".",
		  STR_ARG(cidr_to_str(w->c->arena, r->destination)),
		  STR_ARG(reach_name(w, KIND_ROUTE_TABLE, r->table)), by, STR_ARG(name));
}

static enum reach_end by_peering(struct reach_walk *w, const struct router *router, const struct route *r,
				 const struct peering *p)
{
	bool is_peer = uuid_equal(p->peer_router, router->row.id);
	const struct router *other = router_find(w->t, is_peer ? p->router : p->peer_router);
	struct str name = reach_name(w, KIND_PEERING, p->row.id);
	tell_route(w, r, "peering", name);
	struct reach_step step = {.stage = REACH_PEERING, .kind = KIND_PEERING, .row = p->row.id};
	bool is_up = p->is_accepted && p->ended_us == 0 && row_is_live(&p->row);
	if (!is_up || !other)
		return reach_stop(
			w, step,
			reach_print(w, "Peering %" STR_FMT " is not active.%" STR_FMT, name, STR_NONE),
			p->ended_us || !row_is_live(&p->row) ? "Ask for a new one, and lead the route by it."
							     : "The other side has to accept it.");
	reach_say(w, step, "Peering %" STR_FMT " leads to VPC %" STR_FMT ".", STR_ARG(name),
		  STR_ARG(reach_name(w, KIND_ROUTER, other->row.id)));
	return reach_go(w, (struct reach_spot){other, NULL, UUID_NONE});
}

/* From the gateway: by the table that the attachment of the packet's VPC is associated with. */
static enum reach_end cross_transit(struct reach_walk *w, const struct transit_attachment *in)
{
	struct transit_ways ways = {0};
	struct str name = reach_name(w, KIND_TRANSIT_GATEWAY, in->gateway);
	struct reach_step step = {.stage = REACH_TRANSIT, .kind = KIND_TRANSIT_ATTACHMENT, .row = in->row.id};
	if (uuid_is_none(in->table))
		return reach_stop(
			w, step,
			reach_print(w,
				    "Attachment %" STR_FMT
				    " is associated with no route table of the transit gateway.%" STR_FMT,
				    reach_name(w, KIND_TRANSIT_ATTACHMENT, in->row.id), STR_NONE),
			"Associate it with one.");
	if (!engine_list_transit_ways(w->c->arena, w->t, in->table, &ways)) {
		w->has_failed = true;
		return REACH_END_STOPPED;
	}
	step = (struct reach_step){
		.stage = REACH_TRANSIT, .kind = KIND_TRANSIT_ROUTE_TABLE, .row = in->table};
	struct str table = reach_name(w, KIND_TRANSIT_ROUTE_TABLE, in->table);
	const struct transit_way *way = engine_find_transit_way(&ways, w->p.to);
	if (!way)
		return reach_stop(w, step,
				  reach_print(w, "No route of %" STR_FMT " leads to %" STR_FMT ".", table,
					      reach_write_to(w)),
				  "Add a route for it, or let its VPC's attachment propagate to the table.");
	const struct router *next = way->attachment ? router_find(w->t, way->attachment->router) : NULL;
	if (!next || (w->p.to.family == IP_V6 && !way->attachment->ipv6_support))
		return reach_stop(
			w, step,
			reach_print(w, "The route to %" STR_FMT " of table %" STR_FMT " is a black hole.",
				    cidr_to_str(w->c->arena, way->to), table),
			"Lead the route to something that is there.");
	reach_say(w, step, "Transit gateway %" STR_FMT " leads on to VPC %" STR_FMT ".", STR_ARG(name),
		  STR_ARG(reach_name(w, KIND_ROUTER, next->row.id)));
	return reach_go(w, (struct reach_spot){next, NULL, UUID_NONE});
}

static enum reach_end by_transit(struct reach_walk *w, const struct router *router, const struct route *r)
{
	struct str name = reach_name(w, KIND_TRANSIT_GATEWAY, r->transit_gateway);
	const struct transit_attachment *in =
		engine_find_transit_attachment_of(w->t, router->row.id, r->transit_gateway);
	tell_route(w, r, "transit gateway", name);
	if (in && (w->p.to.family == IP_V4 || in->ipv6_support))
		return cross_transit(w, in);
	return reach_stop(w,
			  (struct reach_step){.stage = REACH_TRANSIT,
					      .kind = KIND_TRANSIT_GATEWAY,
					      .row = r->transit_gateway},
			  reach_print(w, "VPC %" STR_FMT " is not attached to %" STR_FMT " for this family.",
				      reach_name(w, KIND_ROUTER, router->row.id), name),
			  "Attach it.");
}

static enum reach_end by_nat(struct reach_walk *w, const struct router *router, const struct route *r,
			     const struct port *port, const struct subnet *subnet)
{
	struct reach_step step = {.stage = REACH_NAT, .kind = KIND_NAT_GATEWAY, .row = r->nat_gateway};
	tell_route(w, r, "NAT gateway", reach_name(w, KIND_NAT_GATEWAY, r->nat_gateway));
	if (!reach_pass_acl(w, router, subnet, false))
		return REACH_END_STOPPED;
	if (w->p.is_reply)
		return reach_stop(w, step,
				  "The answer leaves by a NAT gateway, by which the packet did not come.",
				  NULL);
	struct reach_change change = {
		.kind = REACH_HIDDEN_BY_NAT, .router = router, .before = w->p.from, .after = port->ip};
	if (!reach_add_change(w, change))
		return reach_stop(w, step, "It is translated too often.", NULL);
	w->p.from = port->ip;
	reach_say(w, step, "NAT gateway %" STR_FMT " sends it on from its own address %" STR_FMT ".",
		  STR_ARG(reach_name(w, KIND_NAT_GATEWAY, r->nat_gateway)),
		  STR_ARG(reach_write_ip(w, port->ip)));
	return reach_go(
		w, (struct reach_spot){router, subnet, engine_get_subnet_route_table(w->t, router, subnet)});
}

/* The route leads to a guest, which may forward the packet. */
static enum reach_end by_port(struct reach_walk *w, const struct router *router, const struct route *r,
			      const struct port *port, const struct subnet *subnet)
{
	struct str name = reach_name(w, KIND_PORT, port->row.id);
	struct reach_step step = {.stage = REACH_GUEST, .kind = KIND_PORT, .row = port->row.id};
	tell_route(w, r, "interface", name);
	if (!reach_pass_acl(w, router, subnet, false))
		return REACH_END_STOPPED;
	if (port->source_dest_check && !port->is_open)
		return reach_stop(w, step,
				  reach_print(w,
					      "Interface %" STR_FMT
					      " takes only what is for its own addresses: its "
					      "source/destination check is on.%" STR_FMT,
					      name, STR_NONE),
				  "Turn its source/destination check off.");
	const struct port *kept = w->hit;
	w->hit = port;
	w->hit_subnet = subnet;
	w->by = router;
	bool enters = w->p.is_reply || reach_enter_port(w);
	w->hit = kept;
	if (!enters)
		return REACH_END_STOPPED;
	step.verdict = REACH_UNKNOWN;
	reach_say(w, step, "What the machine behind interface %" STR_FMT " passes on, it decides itself.",
		  STR_ARG(name));
	return REACH_END_GUEST;
}

static enum reach_end stop_in_hole(struct reach_walk *w, const struct route *r)
{
	return reach_stop(w, step_of_route(r),
			  reach_print(w,
				      "The route to %" STR_FMT " of table %" STR_FMT
				      " leads nowhere: it is a black hole.",
				      cidr_to_str(w->c->arena, r->destination),
				      reach_name(w, KIND_ROUTE_TABLE, r->table)),
			  "Lead the route to something that is there.");
}

static enum reach_end follow_out(struct reach_walk *w, const struct router *router, const struct route *r)
{
	bool by_gateway = !uuid_is_none(r->gateway);
	tell_route(w, r, by_gateway ? "internet gateway" : "egress-only gateway",
		   by_gateway ? reach_name(w, KIND_GATEWAY, r->gateway)
			      : reach_name(w, KIND_EGRESS_GATEWAY, r->egress_gateway));
	return reach_leave_router(w, router, r);
}

/* The route's target is within the router's subnets: an interface, or a next hop's address. */
static enum reach_end follow_in(struct reach_walk *w, const struct router *router, const struct route *r)
{
	const struct port *port = engine_find_hop_port(w->t, r);
	bool is_own = port && row_is_live(&port->row) && uuid_equal(port->router, router->row.id);
	struct ip hop = r->next_hop; /* none in a route to a port */
	if (is_own)
		hop = engine_get_port_ip(w->t, port, (enum ip_family) w->p.to.family);
	const struct subnet *subnet = ip_is_none(hop) ? NULL : reach_find_subnet_of(w, router, hop);
	if (!subnet)
		return stop_in_hole(w, r);
	if (!port)
		port = find_port_in(w, router, subnet, hop);
	if (!port)
		return reach_stop(w, step_of_route(r),
				  reach_print(w,
					      "The route leads to %" STR_FMT
					      ", which nobody in subnet %" STR_FMT " has.",
					      reach_write_ip(w, hop),
					      reach_name(w, KIND_SUBNET, subnet->row.id)),
				  "Lead the route to something that is there.");
	return uuid_is_none(r->nat_gateway) ? by_port(w, router, r, port, subnet)
					    : by_nat(w, router, r, port, subnet);
}

static enum reach_end follow(struct reach_walk *w, const struct router *router, const struct route *r)
{
	const struct peering *peering = uuid_is_none(r->peering) ? NULL : peering_find(w->t, r->peering);
	if (reach_leads_out(w, router, r))
		return follow_out(w, router, r);
	if (!uuid_is_none(r->transit_gateway))
		return by_transit(w, router, r);
	return peering ? by_peering(w, router, r, peering) : follow_in(w, router, r);
}

static enum reach_end meet_platform(struct reach_walk *w)
{
	reach_say(w, (struct reach_step){.stage = REACH_PLATFORM},
		  "The address is the platform's: metadata and names are answered there.");
	return REACH_END_PLATFORM;
}

enum reach_end reach_go(struct reach_walk *w, struct reach_spot spot)
{
	struct reach_step step = {.stage = REACH_ROUTE, .kind = KIND_ROUTER, .row = spot.router->row.id};
	if (w->hops++ == REACH_HOPS_MAX)
		return reach_stop(w, step, "It goes round in a circle.", "Look through the routes.");
	if (spot.router->is_down || !row_is_live(&spot.router->row))
		return reach_stop(w, step, "The router is down.", "Bring it up.");
	if (spot.in && !reach_pass_acl(w, spot.router, spot.in, true))
		return REACH_END_STOPPED;
	if (reach_is_platform(w->p.to))
		return meet_platform(w);
	struct reach_way way = reach_look_up(w, spot.router, spot.table, w->p.to);
	const struct vpn_way *vpn = reach_find_vpn_way(w, spot.table, &way, w->p.to);
	if (vpn)
		return reach_go_by_vpn(w, spot.table, vpn);
	if (way.subnet)
		return deliver(w, spot.router, way.subnet);
	if (way.route)
		return follow(w, spot.router, way.route);
	if (!uuid_is_none(spot.table))
		step = (struct reach_step){.stage = REACH_ROUTE, .kind = KIND_ROUTE_TABLE, .row = spot.table};
	return reach_stop(w, step,
			  reach_print(w, "No route of %" STR_FMT " leads to %" STR_FMT ".",
				      reach_name(w, step.kind, step.row), reach_write_to(w)),
			  uuid_is_none(spot.table) ? NULL : "Add a route for it.");
}

/* ---- from an interface ---- */

/* The next hop that DHCP gives the guest: the gateway, or another hop for some blocks. */
static struct ip find_hop(const struct subnet *s, struct ip to)
{
	struct ip hop = s->gateway_ip;
	int bits = -1;
	for (size_t k = 0; k < s->host_route_blocks.count && k < s->host_route_hops.count; k++) {
		struct cidr block = cidr_canonical(s->host_route_blocks.at[k]);
		if (cidr_contains(block, to) && block.bits > bits) {
			hop = s->host_route_hops.at[k];
			bits = block.bits;
		}
	}
	return hop;
}

/* The router with that address. For IPv6 it announces itself. */
static const struct router *find_router_at(const struct reach_walk *w, const struct subnet *s, struct ip hop,
					   bool *ret_is_own)
{
	const struct port *p = port_find_by_subnet(w->t, s->row.id, hop);
	*ret_is_own = ip_equal(hop, s->gateway_ip) && !uuid_is_none(s->router);
	if (*ret_is_own)
		return router_find(w->t, s->router);
	return p && !uuid_is_none(p->interface_of) ? router_find(w->t, p->interface_of) : NULL;
}

struct first_hop {
	const struct subnet *subnet;
	const struct router *router; /* NULL: no router, or none that leads out */
	bool is_own, is_near;
};

static struct first_hop find_first_hop(const struct reach_walk *w, const struct port *port)
{
	struct first_hop hop = {.subnet = subnet_find(w->t, engine_get_subnet_of_ip(w->t, port, w->p.from))};
	if (!hop.subnet)
		return hop;
	hop.is_near = cidr_contains(hop.subnet->block, w->p.to);
	hop.router = find_router_at(w, hop.subnet, find_hop(hop.subnet, w->p.to), &hop.is_own);
	return hop;
}

static enum reach_end stop_at_home(struct reach_walk *w, const struct port *port, const struct subnet *subnet)
{
	struct reach_step step = {.stage = REACH_ROUTE,
				  .kind = subnet ? KIND_SUBNET : KIND_PORT,
				  .row = subnet ? subnet->row.id : port->row.id};
	return reach_stop(
		w, step,
		reach_print(w, "The machine at %" STR_FMT " is told of no router that leads to %" STR_FMT ".",
			    reach_write_ip(w, w->p.from), reach_write_to(w)),
		"Give its subnet a router, and itself an interface there that leads out.");
}

static enum reach_end send_within(struct reach_walk *w, const struct port *port, const struct subnet *subnet)
{
	if (!w->p.is_reply && !reach_leave_network(w, port, subnet, NULL))
		return REACH_END_STOPPED;
	reach_say(w, (struct reach_step){.stage = REACH_LINK, .kind = KIND_SUBNET, .row = subnet->row.id},
		  "It stays within subnet %" STR_FMT ": neither a route nor a network ACL is asked.",
		  STR_ARG(reach_name(w, KIND_SUBNET, subnet->row.id)));
	return meet(w, NULL, subnet);
}

static uuid table_of(const struct reach_walk *w, const struct first_hop *hop)
{
	return hop->is_own ? engine_get_subnet_route_table(w->t, hop->router, hop->subnet)
			   : hop->router->main_route_table;
}

/* Metadata is on the link of a network whose guests have no router. */
static bool is_answered_on_link(const struct reach_walk *w, const struct subnet *subnet)
{
	static const struct ip metadata = {{169, 254, 169, 254}, IP_V4};
	return ip_equal(w->p.to, metadata) && uuid_is_none(subnet->router) &&
	       engine_serves_metadata_in(w->t, subnet->network);
}

static enum reach_end send_to_router(struct reach_walk *w, const struct port *port,
				     const struct first_hop *hop)
{
	bool is_told =
		w->p.to.family == IP_V6 || reach_is_platform(w->p.to) || !engine_leads_nowhere(w->t, port);
	if (is_answered_on_link(w, hop->subnet))
		return meet_platform(w);
	if (!hop->router || !is_told)
		return stop_at_home(w, port, hop->subnet);
	if (!w->p.is_reply && !reach_leave_network(w, port, hop->subnet, hop->is_own ? hop->router : NULL))
		return REACH_END_STOPPED;
	return reach_go(w, (struct reach_spot){hop->router, hop->subnet, table_of(w, hop)});
}

enum reach_end reach_send(struct reach_walk *w, const struct port *port)
{
	struct first_hop hop = find_first_hop(w, port);
	bool stops = false;
	if (!hop.subnet)
		return stop_at_home(w, port, NULL);
	bool is_balanced = !w->p.is_reply && hop.router && reach_balance(w, hop.router, &stops);
	if (stops)
		return REACH_END_STOPPED;
	return hop.is_near && !is_balanced ? send_within(w, port, hop.subnet) : send_to_router(w, port, &hop);
}

bool reach_leads_privately(struct reach_walk *w, const struct port *from, struct ip to)
{
	struct ip kept_from = w->p.from, kept_to = w->p.to;
	w->p.from = engine_get_port_ip(w->t, from, (enum ip_family) to.family);
	w->p.to = to;
	struct first_hop hop = find_first_hop(w, from);
	w->p.from = kept_from;
	w->p.to = kept_to;
	if (!hop.subnet || !hop.router)
		return false;
	struct reach_way way = reach_look_up(w, hop.router, table_of(w, &hop), to);
	return way.subnet || reach_find_vpn_way(w, table_of(w, &hop), &way, to) ||
	       (way.route && uuid_is_none(way.route->gateway) && uuid_is_none(way.route->nat_gateway));
}
