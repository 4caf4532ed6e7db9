/* SPDX-License-Identifier: Apache-2.0
 * A router's connections to the outside: the internet gateway's port on the external switch, with a guard
 * that stops private addresses, and the metadata port.
 *
 * The gateway port has a /32 only: a public range on it would become a connected route in every table. A
 * packet that was not translated still has a private source and is dropped on the external switch, so no list
 * of ports with public addresses is needed there. IPv6 is not translated and passes for subnets whose routes
 * lead out; the port has only its link-local IPv6 address (nb_port.c describes who answers for guests'
 * addresses). */
#include <stdio.h>

#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "model/egress_gateway.h"
#include "model/external_network.h"
#include "model/gateway.h"
#include "model/mac.h"
#include "model/route.h"
#include "model/router.h"
#include "model/subnet.h"

enum { GUARD_PRIORITY = 100, CHASSIS_PRIORITY_BEST = 1000, GUARD_CAP_SIZE = 64 * 1024 };

bool nb_has_uplink(const struct network_router *wish)
{
	bool has_gateway = wish->gateway && !ip_is_none(wish->gateway->ip);
	return (has_gateway || wish->egress) && wish->external && wish->gateway_chassis.n > 0;
}

struct ip nb_find_way_out(const struct network_router *wish, const struct route *route)
{
	bool is_ipv6 = route->destination.base.family == IP_V6;
	bool by_gateway = wish->gateway && uuid_equal(route->gateway, wish->gateway->row.id);
	bool by_egress = is_ipv6 && wish->egress && uuid_equal(route->egress_gateway, wish->egress->row.id);
	if (!nb_has_uplink(wish) || !(by_gateway || by_egress))
		return (struct ip){0};
	return is_ipv6 ? wish->external->ipv6_next_hop : wish->external->next_hop;
}

/* The external network's switch, shared by all routers with a gateway there. */
void nb_plan_external_switch(struct wish *w, const struct external_network *external)
{
	char name[UUID_TEXT_SIZE], port[NB_NAME_SIZE];
	uuid id = external->row.id;
	wish_add_shared_row(w, "Logical_Switch", id, NB_SHARED, id,
			    json_pack("{s:s}", "name", uuid_write(id, name)));
	struct str physical = external->physical_network;
	if (!physical.n)
		return; /* the switch connects routers only */
	json_t *columns = json_pack("{s:s,s:s,s:{s:b},s:{s:s%}}", "name", nb_write_name("ln-", id, port),
				    "type", "localnet", "addresses", "unknown", 1, "options", "network_name",
				    physical.p, physical.n);
	if (external->vlan)
		(void) json_object_set_new(columns, "tag", json_integer(external->vlan));
	struct wish_row *row = wish_add_shared_row(w, "Logical_Switch_Port", uuid_v5(id, STR("localnet")),
						   NB_SHARED, id, columns);
	wish_add_edge(w, row, "Logical_Switch", "ports", id);
}

static void plan_gateway_chassis(struct wish *w, struct str chassis, int priority, uuid port)
{
	struct str role = str_print(w->arena, "chassis:%" STR_FMT, STR_ARG(chassis));
	uuid id = uuid_v5(w->scope, role);
	char name[UUID_TEXT_SIZE];
	struct wish_row *row =
		wish_add_row(w, "Gateway_Chassis", id,
			     json_pack("{s:s,s:s%,s:i}", "name", uuid_write(id, name), "chassis_name",
				       chassis.p, chassis.n, "priority", priority));
	wish_add_edge(w, row, "Logical_Router_Port", "gateway_chassis", port);
}

/* Route table for inbound traffic; without one, packets go straight to their subnet. */
static json_t *make_gateway_options(const struct network_router *wish)
{
	char table[NB_NAME_SIZE];
	if (!wish->gateway || uuid_is_none(wish->gateway->route_table))
		return json_object();
	return json_pack("{s:s}", "route_table", nb_write_hex("rt_", wish->gateway->route_table, table));
}

static void plan_gateway_port(struct wish *w, const struct network_router *wish)
{
	uuid id = wish->router->row.id, port_id = uuid_v5(id, STR("gw-lrp"));
	char port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE], ip[IP_TEXT_SIZE], network[IP_TEXT_SIZE + 4];
	char text[MAC_TEXT_SIZE];
	struct mac mac = model_make_mac(id, MAC_OF_GATEWAY);
	nb_write_name("gw-", id, port);
	if (wish->gateway)
		snprintf(network, sizeof network, "%s/%d", ip_write(wish->gateway->ip, ip),
			 wish->gateway->ip.family == IP_V6 ? 128 : 32);
	else /* a port must have an address: its link-local one */
		snprintf(network, sizeof network, "%s/64", ip_write(nb_make_link_local(mac), ip));
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Port", port_id,
			     json_pack("{s:s,s:s,s:{s:b},s:o}", "name", port, "mac", mac_write(mac, text),
				       "networks", network, 1, "options", make_gateway_options(wish)));
	wish_add_edge(w, row, "Logical_Router", "ports", id);
	row = wish_add_row(w, "Logical_Switch_Port", uuid_v5(id, STR("gw-lsp")),
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s,s:s}}", "name",
				     nb_write_name("sp-gw-", id, switch_port), "type", "router", "addresses",
				     "router", 1, "options", "router-port", port, "nat-addresses", "router"));
	wish_add_edge(w, row, "Logical_Switch", "ports", wish->external->row.id);
	struct str rest = wish->gateway_chassis, chassis;
	for (int k = 0; str_split_next(&rest, ',', &chassis); k++)
		if (str_trim(chassis).n)
			plan_gateway_chassis(w, str_trim(chassis), CHASSIS_PRIORITY_BEST - k, port_id);
}

/* ---- the guard ---- */

static void add_block(struct buf *b, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	if (block.base.family == IP_V4)
		buf_print(b, ", %s", cidr_write(cidr_canonical(block), text));
}

/* The router's blocks and subnets, and link-local addresses: "{169.254.0.0/16, 10.0.0.0/16}". */
static struct str write_private_set(struct wish *w, const struct network_router *wish)
{
	struct buf b;
	buf_init(&b, GUARD_CAP_SIZE);
	buf_print(&b, "{169.254.0.0/16");
	for (size_t k = 0; k < wish->router->blocks.count; k++)
		add_block(&b, wish->router->blocks.at[k]);
	for (size_t k = 0; k < wish->subnet_count; k++) {
		bool inside = false;
		for (size_t j = 0; j < wish->router->blocks.count; j++)
			inside |= cidr_contains_cidr(wish->router->blocks.at[j],
						     wish->subnets[k].subnet->block);
		if (!inside)
			add_block(&b, wish->subnets[k].subnet->block);
	}
	buf_print(&b, "}");
	return wish_take_text(w, &b);
}

/* True if the table of the subnet has a usable route to the gateway. */
static bool leads_out(const struct network_router *wish, const struct network_subnet *arm)
{
	bool leads = false;
	for (size_t k = 0; k < wish->route_count && !leads; k++) {
		const struct route *route = wish->routes[k].route;
		leads = route->destination.base.family == IP_V6 &&
			uuid_equal(route->table, arm->route_table) &&
			!ip_is_none(nb_find_way_out(wish, route));
	}
	return leads;
}

/* Subnets whose routes lead out, and link-local addresses: "{fe80::/10, ff02::/16, 2001:db8:0:1::/64}". */
static struct str write_ipv6_set(struct wish *w, const struct network_router *wish)
{
	struct buf b;
	char text[CIDR_TEXT_SIZE];
	buf_init(&b, GUARD_CAP_SIZE);
	buf_print(&b, "{fe80::/10, ff02::/16");
	for (size_t k = 0; k < wish->subnet_count; k++) {
		struct cidr block = cidr_canonical(wish->subnets[k].subnet->block);
		if (wish->subnets[k].is_outer && leads_out(wish, &wish->subnets[k]))
			buf_print(&b, ", %s", cidr_write(block, text));
	}
	buf_print(&b, "}");
	return wish_take_text(w, &b);
}

struct guard {
	const char *role, *direction, *match, *action;
	struct str set;
	int priority;
};

static void plan_guard(struct wish *w, const struct guard *g, uuid external)
{
	char port[NB_NAME_SIZE];
	struct str match = str_print(w->arena, "%s == \"%s\" && %s%" STR_FMT,
				     str_is(str_from(g->direction), "from-lport") ? "inport" : "outport",
				     nb_write_name("sp-gw-", w->scope, port), g->match, STR_ARG(g->set));
	struct wish_row *row = wish_add_row(w, "ACL", uuid_v5(w->scope, str_from(g->role)),
					    json_pack("{s:i,s:s,s:s%,s:s}", "priority", g->priority,
						      "direction", g->direction, "match",
						      match.p ? match.p : "", match.n, "action", g->action));
	wish_add_edge(w, row, "Logical_Switch", "acls", external);
}

/* IPv6 is not translated, so its guard lists what may pass. */
static void plan_guards(struct wish *w, const struct network_router *wish)
{
	struct str private = write_private_set(w, wish), ipv6 = write_ipv6_set(w, wish);
	const struct guard guards[] = {
		{"guard-out", "from-lport", "ip4.src == ", "drop", private, GUARD_PRIORITY},
		{"guard-in", "to-lport", "ip4.dst == ", "drop", private, GUARD_PRIORITY},
		{"guard-ipv6-out", "from-lport", "ip6.src == ", "allow", ipv6, GUARD_PRIORITY + 1},
		{"guard-ipv6-in", "to-lport", "ip6.dst == ", "allow", ipv6, GUARD_PRIORITY + 1},
		{"guard-ipv6-out-rest", "from-lport", "ip6", "drop", STR_NONE, GUARD_PRIORITY},
		{"guard-ipv6-in-rest", "to-lport", "ip6", "drop", STR_NONE, GUARD_PRIORITY},
	};
	for (size_t k = 0; k < sizeof guards / sizeof guards[0]; k++)
		plan_guard(w, &guards[k], wish->external->row.id);
}

static void plan_block(struct wish *w, struct cidr from, struct ip to)
{
	char block[CIDR_TEXT_SIZE], ip[IP_TEXT_SIZE];
	cidr_write(from, block);
	struct wish_row *row =
		wish_add_row(w, "NAT", uuid_v5(w->scope, str_print(w->arena, "snat:%s", block)),
			     json_pack("{s:s,s:s,s:s}", "type", "snat", "external_ip", ip_write(to, ip),
				       "logical_ip", block));
	wish_add_edge(w, row, "Logical_Router", "nat", w->scope);
}

enum { SLICE_BITS = 4 /* 16 slices of a subnet that has several addresses */ };

static void plan_slices(struct wish *w, struct cidr from, struct ips to)
{
	unsigned bits = from.bits + SLICE_BITS < 32 ? from.bits + SLICE_BITS : 32;
	uint64_t count = from.bits < bits ? UINT64_C(1) << (bits - from.bits) : 1;
	for (uint64_t k = 0; k < count; k++)
		plan_block(w, (struct cidr){ip_add(from.base, k << (32 - bits)), (uint8_t) bits},
			   to.at[k % to.count]);
}

/* Source NAT: subnets use their own addresses, or the gateway's public address; a guest's own public address
 * takes precedence. */
static void plan_translation(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->subnet_count; k++) {
		struct cidr from = cidr_canonical(wish->subnets[k].subnet->block);
		struct ips own = wish->subnets[k].translated_to;
		if (from.base.family != IP_V4)
			continue;
		if (own.count > 1)
			plan_slices(w, from, own);
		else if (own.count == 1)
			plan_block(w, from, own.at[0]);
		else if (!ip_is_none(wish->translated_to))
			plan_block(w, from, wish->translated_to);
	}
}

void nb_plan_uplink(struct wish *w, const struct network_router *wish)
{
	nb_plan_external_switch(w, wish->external);
	plan_gateway_port(w, wish);
	plan_guards(w, wish);
	plan_translation(w, wish);
}

/* ---- metadata ---- */

/* A switch with one port, which is plugged in on this machine only: guests on every chassis reach it through
 * the router, and it sees their real addresses. */
void nb_plan_metadata(struct wish *w, const struct network_router *wish)
{
	uuid id = wish->router->row.id, switch_id = uuid_v5(id, STR("md-switch")),
	     vif = uuid_v5(id, STR("metadata"));
	char name[UUID_TEXT_SIZE], port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE], mac[MAC_TEXT_SIZE];
	char address[128];
	nb_write_name("rp-md-", id, port);
	wish_add_row(w, "Logical_Switch", switch_id, json_pack("{s:s}", "name", uuid_write(switch_id, name)));
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Port", uuid_v5(id, STR("md-lrp")),
			     json_pack("{s:s,s:s,s:{s:b,s:b},s:{}}", "name", port, "mac",
				       mac_write(model_make_mac(id, "md-mac"), mac), "networks",
				       "169.254.169.249/29", 1, "fd00:ec2::249/120", 1, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", id);
	row = wish_add_row(w, "Logical_Switch_Port", uuid_v5(id, STR("md-lsp")),
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name",
				     nb_write_name("sp-md-", id, switch_port), "type", "router", "addresses",
				     "router", 1, "options", "router-port", port));
	wish_add_edge(w, row, "Logical_Switch", "ports", switch_id);
	snprintf(address, sizeof address, "%s 169.254.169.254 169.254.169.253 fd00:ec2::254",
		 mac_write(wish->metadata_mac, mac));
	struct str chassis = wish->metadata_chassis;
	row = wish_add_row(w, "Logical_Switch_Port", vif,
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s%}}", "name", uuid_write(vif, name), "type", "",
				     "addresses", address, 1, "options", "requested-chassis",
				     chassis.p ? chassis.p : "", chassis.n));
	wish_add_edge(w, row, "Logical_Switch", "ports", switch_id);
}
