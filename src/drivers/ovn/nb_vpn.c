/* SPDX-License-Identifier: Apache-2.0
 * Tunnels of VPN connections:
 *
 *   VPC's router -- link -- outer router -- external network
 *                    |
 *          the IKE daemon's namespace
 *
 * The link is a switch with three ports. The outer router is small, is bound to one chassis, and has the tunnel's public address;
 * so a VPC needs no internet gateway for a VPN. A load balancer passes IKE and ESP in UDP on to the namespace: OVN drops what is
 * translated by dnat_and_snat from an address that a port of the router has. What the namespace sends has the public address, too. Guests' packets to the other site leave the
 * VPC's router towards the namespace, which encrypts them and sends them by the outer router.
 *
 * What comes out of a tunnel arrives at the VPC's router by a port without a route table: it reaches the VPC's own subnets only. */
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/external_network.h"
#include "model/mac.h"
#include "model/router.h"
#include "model/vpn_tunnel.h"

static uuid tunnel_id(const struct network_tunnel *n)
{
	return n->id;
}

static uuid link_id(const struct network_tunnel *n)
{
	return uuid_v5(tunnel_id(n), STR("vpn-link"));
}

static uuid outer_id(const struct network_tunnel *n)
{
	return uuid_v5(tunnel_id(n), STR("vpn-outer"));
}

/* A router's port in a switch. */
struct end {
	const char *role, *prefix;
	uuid router, in_switch;
	struct ip ip;
	unsigned bits;
};

static void plan_end(struct wish *w, const struct network_tunnel *n, const struct end *end)
{
	char port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE], prefix[16], ip[IP_TEXT_SIZE],
		network[IP_TEXT_SIZE + 8];
	char mac[MAC_TEXT_SIZE];
	uuid id = tunnel_id(n), part = uuid_v5(id, str_from(end->role));
	nb_write_name(end->prefix, id, port);
	snprintf(prefix, sizeof prefix, "s%s", end->prefix);
	nb_write_name(prefix, id, switch_port);
	snprintf(network, sizeof network, "%s/%u", ip_write(end->ip, ip), end->bits);
	struct wish_row *row = wish_add_row(w, "Logical_Router_Port", part,
					    json_pack("{s:s,s:s,s:{s:b},s:{}}", "name", port, "mac",
						      mac_write(model_make_mac(part, "vpn-mac"), mac),
						      "networks", network, 1, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", end->router);
	row = wish_add_row(w, "Logical_Switch_Port", uuid_v5(part, STR("switch")),
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s,s:s}}", "name", switch_port, "type", "router",
				     "addresses", "router", 1, "options", "router-port", port,
				     "nat-addresses", "router"));
	wish_add_edge(w, row, "Logical_Switch", "ports", end->in_switch);
}

/* Ports 500 and 4500 of UDP. Source: RFC 3947. */
static void plan_ports(struct wish *w, uuid outer, const char *public, const char *leg)
{
	static const int ports[] = {500, 4500};
	uuid id = uuid_v5(outer, STR("ports"));
	char name[UUID_TEXT_SIZE], vip[IP_TEXT_SIZE + 8], target[IP_TEXT_SIZE + 8];
	json_t *vips = json_object();
	for (size_t k = 0; k < sizeof ports / sizeof ports[0]; k++) {
		snprintf(vip, sizeof vip, "%s:%d", public, ports[k]);
		snprintf(target, sizeof target, "%s:%d", leg, ports[k]);
		if (json_object_set_new(vips, vip, json_string(target)) < 0)
			w->failed = true;
	}
	struct wish_row *row =
		wish_add_row(w, "Load_Balancer", id,
			     json_pack("{s:s,s:o,s:s,s:{s:s}}", "name", uuid_write(id, name), "vips", vips,
				       "protocol", "udp", "options", "neighbor_responder", "none"));
	wish_add_edge(w, row, "Logical_Router", "load_balancer", outer);
}

static void plan_outer(struct wish *w, const struct network_tunnel *n)
{
	char name[UUID_TEXT_SIZE], public[IP_TEXT_SIZE], leg[IP_TEXT_SIZE], hop[IP_TEXT_SIZE],
		port[NB_NAME_SIZE];
	uuid outer = outer_id(n);
	struct wish_row *row =
		wish_add_row(w, "Logical_Router", outer,
			     json_pack("{s:s,s:{s:s%}}", "name", uuid_write(outer, name), "options",
				       "chassis", n->chassis.p ? n->chassis.p : "", n->chassis.n));
	row = wish_add_row(w, "NAT", uuid_v5(outer, STR("nat")),
			   json_pack("{s:s,s:s,s:s}", "type", "snat", "external_ip",
				     ip_write(n->tunnel->outside_ip, public), "logical_ip",
				     ip_write(n->link.leg, leg)));
	wish_add_edge(w, row, "Logical_Router", "nat", outer);
	plan_ports(w, outer, public, leg);
	if (ip_is_none(n->external->next_hop))
		return;
	row = wish_add_row(w, "Logical_Router_Static_Route", uuid_v5(outer, STR("out")),
			   json_pack("{s:s,s:s,s:s,s:s}", "route_table", "", "ip_prefix", "0.0.0.0/0",
				     "nexthop", ip_write(n->external->next_hop, hop), "output_port",
				     nb_write_name("vg-", tunnel_id(n), port)));
	wish_add_edge(w, row, "Logical_Router", "static_routes", outer);
}

static void plan_leg(struct wish *w, const struct network_tunnel *n)
{
	char name[UUID_TEXT_SIZE], address[MAC_TEXT_SIZE + IP_TEXT_SIZE + 2], mac[MAC_TEXT_SIZE],
		ip[IP_TEXT_SIZE];
	struct str chassis = n->leg_chassis;
	snprintf(address, sizeof address, "%s %s", mac_write(n->link.mac, mac), ip_write(n->link.leg, ip));
	struct wish_row *row =
		wish_add_row(w, "Logical_Switch_Port", n->link.port,
			     json_pack("{s:s,s:s,s:{s:b},s:{s:s%}}", "name", uuid_write(n->link.port, name),
				       "type", "", "addresses", address, 1, "options", "requested-chassis",
				       chassis.p ? chassis.p : "", chassis.n));
	wish_add_edge(w, row, "Logical_Switch", "ports", link_id(n));
}

/* Rows that tunnels and the router's own uplink share are added once. */
static bool has_external(const struct network_router *wish, size_t before)
{
	uuid id = wish->tunnels[before].external->row.id;
	bool has = nb_has_uplink(wish) && uuid_equal(wish->external->row.id, id);
	for (size_t k = 0; k < before; k++)
		has = has || uuid_equal(wish->tunnels[k].external->row.id, id);
	return has;
}

static void plan_tunnel(struct wish *w, const struct network_router *wish, size_t at)
{
	const struct network_tunnel *n = &wish->tunnels[at];
	char name[UUID_TEXT_SIZE];
	const struct end ends[] = {
		{"vpn-vpc", "vr-", wish->router->row.id, link_id(n), n->link.router, n->link.block.bits},
		{"vpn-inner", "vi-", outer_id(n), link_id(n), n->link.outer, n->link.block.bits},
		{"vpn-public", "vg-", outer_id(n), n->external->row.id, n->tunnel->outside_ip, 32},
	};
	if (!has_external(wish, at))
		nb_plan_external_switch(w, n->external);
	wish_add_row(w, "Logical_Switch", link_id(n),
		     json_pack("{s:s}", "name", uuid_write(link_id(n), name)));
	plan_outer(w, n);
	for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++)
		plan_end(w, n, &ends[k]);
	plan_leg(w, n);
}

static const struct network_tunnel *find_tunnel(const struct network_router *wish, uuid tunnel)
{
	for (size_t k = 0; k < wish->tunnel_count && !uuid_is_none(tunnel); k++)
		if (uuid_equal(tunnel_id(&wish->tunnels[k]), tunnel))
			return &wish->tunnels[k];
	return NULL;
}

static void plan_route(struct wish *w, const struct network_router *wish, const struct network_vpn_route *r)
{
	const struct network_tunnel *n = find_tunnel(wish, r->tunnel);
	char table[NB_NAME_SIZE], prefix[CIDR_TEXT_SIZE], hop[IP_TEXT_SIZE] = "discard", port[NB_NAME_SIZE];
	cidr_write(r->to, prefix);
	if (n) {
		ip_write(n->link.leg, hop);
		nb_write_name("vr-", tunnel_id(n), port);
	}
	struct wish_row *row = wish_add_row(
		w, "Logical_Router_Static_Route", uuid_v5(r->table, str_print(w->arena, "vpn:%s", prefix)),
		json_pack("{s:s,s:s,s:s,s:s?}", "route_table", nb_write_hex("rt_", r->table, table),
			  "ip_prefix", prefix, "nexthop", hop, "output_port", n ? port : NULL));
	wish_add_edge(w, row, "Logical_Router", "static_routes", w->scope);
}

void nb_plan_vpn(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->tunnel_count; k++)
		plan_tunnel(w, wish, k);
	for (size_t k = 0; k < wish->vpn_route_count; k++)
		plan_route(w, wish, &wish->vpn_routes[k]);
}
