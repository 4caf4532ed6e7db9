/* SPDX-License-Identifier: Apache-2.0
 * A NAT gateway as a small router with one port, in the gateway's subnet: incoming traffic returns to the
 * subnet's router port with the gateway's address as its source, and follows that subnet's routes. So a route
 * selects the gateway, network ACLs see it, and its elastic address is translated like any port's
 * (nb_port.c). The gateway is bound to one chassis; moving it breaks its connections.
 *
 * OVN translates by the row with the longest block that contains the source. Therefore additional addresses
 * get slices of the subnets as separate rows, and the first address the remaining traffic: the router's whole
 * blocks. */
#include <stdio.h>

#include "base/ip.h"
#include "drivers/ovn/nb.h"
#include "model/nat_gateway.h"
#include "model/port.h"
#include "model/router.h"
#include "model/subnet.h"

static void plan_arm(struct wish *w, const struct network_nat *n)
{
	uuid id = n->nat->row.id;
	char port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE], mac[MAC_TEXT_SIZE], ip[IP_TEXT_SIZE];
	char network[IP_TEXT_SIZE + 8];
	nb_write_name("rp-nat-", id, port);
	snprintf(network, sizeof network, "%s/%u", ip_write(n->port->ip, ip), n->subnet->block.bits);
	json_t *networks = json_pack("{s:b}", network, 1);
	for (size_t k = 0; k < n->more.count; k++) {
		snprintf(network, sizeof network, "%s/%u", ip_write(n->more.at[k], ip),
			 n->subnet->block.bits);
		json_object_set_new(networks, network, json_true());
	}
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Port", uuid_v5(id, STR("nat-lrp")),
			     json_pack("{s:s,s:s,s:o,s:{}}", "name", port, "mac",
				       mac_write(n->port->mac, mac), "networks", networks, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", id);
	w->kind = NB_PORT;
	w->id = n->port->row.id;
	row = wish_add_row(w, "Logical_Switch_Port", n->port->row.id,
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name",
				     nb_write_name("sp-nat-", id, switch_port), "type", "router", "addresses",
				     "router", 1, "options", "router-port", port));
	w->kind = NB_ROUTER;
	w->id = w->scope;
	wish_add_edge(w, row, "Logical_Switch", "ports", n->subnet->network);
}

static void plan_way_back(struct wish *w, const struct network_nat *n)
{
	uuid id = n->nat->row.id;
	char port[NB_NAME_SIZE], gateway[IP_TEXT_SIZE];
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Static_Route", uuid_v5(id, STR("nat-route")),
			     json_pack("{s:s,s:s,s:s,s:s}", "route_table", "", "ip_prefix", "0.0.0.0/0",
				       "nexthop", ip_write(n->subnet->gateway_ip, gateway), "output_port",
				       nb_write_name("rp-nat-", id, port)));
	wish_add_edge(w, row, "Logical_Router", "static_routes", id);
}

/* Adds the row that translates a block. */
static void plan_translation(struct wish *w, const struct network_nat *n, struct cidr block, struct ip to)
{
	uuid id = n->nat->row.id;
	char text[CIDR_TEXT_SIZE], ip[IP_TEXT_SIZE];
	cidr_write(cidr_canonical(block), text);
	if (block.base.family != IP_V4)
		return;
	struct wish_row *row = wish_add_row(w, "NAT", uuid_v5(id, str_print(w->arena, "nat:%s", text)),
					    json_pack("{s:s,s:s,s:s}", "type", "snat", "external_ip",
						      ip_write(to, ip), "logical_ip", text));
	wish_add_edge(w, row, "Logical_Router", "nat", id);
}

/* Assigns a slice to an address by rendezvous hashing, independent of other slices. */
static struct ip choose_address(struct arena *a, const struct network_nat *n, struct cidr slice)
{
	struct ip best = n->port->ip;
	char ip[IP_TEXT_SIZE], text[CIDR_TEXT_SIZE];
	uuid best_hash = UUID_NONE;
	cidr_write(slice, text);
	for (size_t k = 0; k <= n->more.count; k++) {
		struct ip one = k < n->more.count ? n->more.at[k] : n->port->ip;
		uuid hash = uuid_v5(UUID_NONE, str_print(a, "%s %s", ip_write(one, ip), text));
		if (uuid_compare(hash, best_hash) > 0) {
			best = one;
			best_hash = hash;
		}
	}
	return best;
}

enum { SLICE_BITS = 4 /* 16 slices of a subnet */ };

/* Adds rows for the slices that do not belong to the first address. */
static void plan_slices(struct wish *w, const struct network_nat *n, struct cidr subnet)
{
	unsigned bits = subnet.bits + SLICE_BITS < 32 ? subnet.bits + SLICE_BITS : 32;
	uint64_t count = subnet.bits < bits ? UINT64_C(1) << (bits - subnet.bits) : 1;
	for (uint64_t k = 0; subnet.base.family == IP_V4 && k < count; k++) {
		struct cidr slice = {ip_add(cidr_canonical(subnet).base, k << (32 - bits)), (uint8_t) bits};
		struct ip to = choose_address(w->arena, n, slice);
		if (!ip_equal(to, n->port->ip))
			plan_translation(w, n, slice, to);
	}
}

void nb_plan_nat(struct wish *w, const struct network_nat *n, const struct network_router *wish)
{
	uuid id = n->nat->row.id;
	char name[UUID_TEXT_SIZE];
	wish_add_row(w, "Logical_Router", id,
		     json_pack("{s:s,s:{s:s%}}", "name", uuid_write(id, name), "options", "chassis",
			       n->chassis.p ? n->chassis.p : "", n->chassis.n));
	plan_arm(w, n);
	plan_way_back(w, n);
	for (size_t k = 0; k < wish->router->blocks.count; k++)
		plan_translation(w, n, wish->router->blocks.at[k], n->port->ip);
	for (size_t k = 0; wish->router->blocks.count == 0 && k < wish->subnet_count; k++)
		plan_translation(w, n, wish->subnets[k].subnet->block, n->port->ip);
	for (size_t k = 0; n->more.count > 0 && k < wish->subnet_count; k++)
		plan_slices(w, n, wish->subnets[k].subnet->block);
}
