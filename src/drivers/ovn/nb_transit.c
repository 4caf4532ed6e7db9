/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways: a router for each gateway, linked with the router of each attached VPC like two peers
 * (nb_peering.c). The gateway's port of a link has the associated route table, so OVN looks up what arrives from
 * that VPC in that table alone; without an association the table has no routes. Traffic that arrives at the VPC's
 * end has no table, and reaches the VPC's own subnets only. The addresses of links come from a range that neither
 * VPCs nor peerings use, as /32; other pairs of routers may reuse them. */
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/mac.h"
#include "model/route.h"
#include "model/transit_attachment.h"
#include "model/transit_gateway.h"

#define LINKS_BASE                                                                                           \
	(UINT32_C(169) << 24 | UINT32_C(254) << 16 | UINT32_C(224) << 8) /* 169.254.224.0/20: 4,096 links */

/* The gateway's or the VPC's end of a link. */
struct end {
	char name[NB_NAME_SIZE];
	struct ip ip;
	struct mac mac;
	const char *role;
};

static struct end end_of(const struct transit_attachment *a, bool is_gateways)
{
	struct end end = {.ip = ip_from_v4(LINKS_BASE + 2 * (uint32_t) a->link + is_gateways),
			  .mac = model_make_mac(a->row.id, is_gateways ? "gateway-mac" : "vpc-mac"),
			  .role = is_gateways ? "gateway-lrp" : "vpc-lrp"};
	nb_write_name(is_gateways ? "tg-" : "tv-", a->row.id, end.name);
	return end;
}

/* Adds the end's router port; route_table NULL: none. */
static void plan_end(struct wish *w, const struct transit_attachment *a, bool is_gateways,
		     const char *route_table)
{
	struct end own = end_of(a, is_gateways), other = end_of(a, !is_gateways);
	char ip[IP_TEXT_SIZE], network[IP_TEXT_SIZE + 4], mac[MAC_TEXT_SIZE];
	json_t *options = route_table ? json_pack("{s:s}", "route_table", route_table) : json_object();
	snprintf(network, sizeof network, "%s/32", ip_write(own.ip, ip));
	struct wish_row *row = wish_add_row(w, "Logical_Router_Port", uuid_v5(a->row.id, str_from(own.role)),
					    json_pack("{s:s,s:s,s:{s:b},s:s,s:o}", "name", own.name, "mac",
						      mac_write(own.mac, mac), "networks", network, 1, "peer",
						      other.name, "options", options));
	wish_add_edge(w, row, "Logical_Router", "ports", w->scope);
}

/* Next hop and port from one end of the link to the other. */
static void write_hop(const struct transit_attachment *a, bool from_gateway, enum ip_family family,
		      char next_hop[static IP_TEXT_SIZE], char port[static NB_NAME_SIZE])
{
	struct end other = end_of(a, !from_gateway);
	ip_write(family == IP_V6 ? nb_make_link_local(other.mac) : other.ip, next_hop);
	memcpy(port, end_of(a, from_gateway).name, NB_NAME_SIZE);
}

/* ---- at the VPC's router ---- */

void nb_plan_attachment(struct wish *w, const struct transit_attachment *a)
{
	plan_end(w, a, false, NULL);
}

bool nb_write_transit_hop(const struct network_router *wish, const struct route *route,
			  char next_hop[static IP_TEXT_SIZE], char port[static NB_NAME_SIZE])
{
	enum ip_family family = (enum ip_family) route->destination.base.family;
	for (size_t k = 0; k < wish->attachment_count && !uuid_is_none(route->transit_gateway); k++) {
		const struct transit_attachment *a = wish->attachments[k];
		if (!uuid_equal(a->gateway, route->transit_gateway) || (family == IP_V6 && !a->ipv6_support))
			continue;
		write_hop(a, false, family, next_hop, port);
		return true;
	}
	return false;
}

/* ---- at the gateway ---- */

static void plan_route(struct wish *w, const struct network_transit_route *r)
{
	enum ip_family family = (enum ip_family) r->to.base.family;
	char prefix[CIDR_TEXT_SIZE], next_hop[IP_TEXT_SIZE] = "discard", port[NB_NAME_SIZE] = "";
	char table[NB_NAME_SIZE];
	cidr_write(r->to, prefix);
	if (r->attachment && (family == IP_V4 || r->attachment->ipv6_support))
		write_hop(r->attachment, true, family, next_hop, port);
	struct wish_row *row = wish_add_row(
		w, "Logical_Router_Static_Route", uuid_v5(r->table, str_print(w->arena, "way:%s", prefix)),
		json_pack("{s:s,s:s,s:s,s:s?}", "route_table", nb_write_hex("rt_", r->table, table),
			  "ip_prefix", prefix, "nexthop", next_hop, "output_port", *port ? port : NULL));
	wish_add_edge(w, row, "Logical_Router", "static_routes", w->scope);
}

void nb_plan_transit(struct wish *w, const struct network_transit *wish)
{
	char name[UUID_TEXT_SIZE], table[NB_NAME_SIZE];
	wish_add_row(w, "Logical_Router", w->scope,
		     json_pack("{s:s,s:b}", "name", uuid_write(w->scope, name), "enabled", 1));
	for (size_t k = 0; k < wish->attachment_count; k++) {
		const struct transit_attachment *a = wish->attachments[k];
		plan_end(w, a, true,
			 nb_write_hex("rt_", uuid_is_none(a->table) ? a->row.id : a->table, table));
	}
	for (size_t k = 0; k < wish->route_count; k++)
		plan_route(w, &wish->routes[k]);
}
