/* SPDX-License-Identifier: Apache-2.0
 * A router as northbound rows: the router, its port in each subnet's switch, its route tables, and the DNS
 * row. Route tables have no rows of their own: a static route names its table, and a subnet's router port the
 * table used for its traffic. Connected networks match in every table; every other route is written into each
 * table. */
#include <stdio.h>
#include <string.h>

#include "drivers/ovn/nb.h"
#include "model/peering.h"
#include "model/port.h"
#include "model/route.h"
#include "model/router.h"
#include "model/subnet.h"

static const char platform_prefix[] = "168.63.129.16/32"; /* Azure's platform address */

uuid nb_get_arm_id(const struct network_subnet *s)
{
	return s->port ? s->port->row.id : s->subnet->row.id;
}

/* IPv6 router advertisements: how guests get addresses, and the router as the default route. Resolvers must
 * be IPv6, and OVN announces one. */
static json_t *make_advertisements(struct wish *w, const struct network_subnet *s)
{
	static const char *const modes[] = {[SUBNET_IPV6_RA_MODE_SLAAC] = "slaac",
					    [SUBNET_IPV6_RA_MODE_DHCPV6_STATEFUL] = "dhcpv6_stateful",
					    [SUBNET_IPV6_RA_MODE_DHCPV6_STATELESS] = "dhcpv6_stateless"};
	const struct subnet *subnet = s->subnet;
	char mtu[24], resolver[IP_TEXT_SIZE];
	if (subnet->ipv6_ra_mode == SUBNET_IPV6_RA_MODE_NONE)
		return json_object();
	snprintf(mtu, sizeof mtu, "%d", (int) s->mtu);
	json_t *announced = json_pack("{s:s,s:s,s:s}", "address_mode", modes[subnet->ipv6_ra_mode],
				      "send_periodic", "true", "mtu", mtu);
	if (subnet->dns_servers.count &&
	    json_object_set_new(announced, "rdnss",
				json_string(ip_write(subnet->dns_servers.at[0], resolver))))
		w->failed = true;
	return announced;
}

static void plan_arm(struct wish *w, const struct network_subnet *s, uuid router)
{
	const struct subnet *subnet = s->subnet;
	uuid id = nb_get_arm_id(s);
	char port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE], table[NB_NAME_SIZE];
	char ip[IP_TEXT_SIZE], network[CIDR_TEXT_SIZE + 8], mac[MAC_TEXT_SIZE];
	nb_write_name("rp-", id, port);
	nb_write_name("sp-", id, switch_port);
	snprintf(network, sizeof network, "%s/%u", ip_write(s->port ? s->port->ip : subnet->gateway_ip, ip),
		 subnet->block.bits);
	struct wish_row *row = wish_add_row(
		w, "Logical_Router_Port", uuid_v5(id, STR("rp")),
		json_pack("{s:s,s:s,s:{s:b},s:{s:s},s:o}", "name", port, "mac",
			  mac_write(s->port ? s->port->mac : subnet->gateway_mac, mac), "networks", network,
			  1, "options", "route_table", nb_write_hex("rt_", s->route_table, table),
			  "ipv6_ra_configs", make_advertisements(w, s)));
	wish_add_edge(w, row, "Logical_Router", "ports", router);
	row = wish_add_row(w, "Logical_Switch_Port", uuid_v5(id, STR("sp")),
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name", switch_port, "type", "router",
				     "addresses", "router", 1, "options", "router-port", port));
	wish_add_edge(w, row, "Logical_Switch", "ports", subnet->network);
	nb_join_guard(w, row, s->guard);
}

static void plan_dns(struct wish *w, const struct network_router *wish)
{
	struct wish_row *row = wish_add_row(w, "DNS", nb_dns_id(wish->router->row.id), json_object());
	bool has_names = wish->router->dns_support && wish->router->dns_hostnames;
	for (size_t k = 0; k < wish->subnet_count && has_names; k++) {
		bool again = false; /* the network contains two of its subnets */
		for (size_t j = 0; j < k && !again; j++)
			again = uuid_equal(wish->subnets[j].subnet->network,
					   wish->subnets[k].subnet->network);
		if (again)
			continue;
		wish_add_edge(w, row, "Logical_Switch", "dns_records", wish->subnets[k].subnet->network);
	}
}

/* ---- routes ---- */

/* Adds a static route; port empty: determined by the next hop. */
static void plan_route(struct wish *w, uuid id, uuid table, const char *prefix, const char *next_hop,
		       const char *port)
{
	char name[NB_NAME_SIZE];
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Static_Route", id,
			     json_pack("{s:s,s:s,s:s,s:s?}", "route_table", nb_write_hex("rt_", table, name),
				       "ip_prefix", prefix, "nexthop", next_hop, "output_port", port));
	wish_add_edge(w, row, "Logical_Router", "static_routes", w->scope);
}

/* The router's port whose subnet contains the address, or NULL. */
static const struct network_subnet *find_arm(const struct network_router *wish, struct ip ip)
{
	for (size_t k = 0; k < wish->subnet_count && !ip_is_none(ip); k++)
		if (cidr_contains(wish->subnets[k].subnet->block, ip))
			return &wish->subnets[k];
	return NULL;
}

static const struct peering *find_peering(const struct network_router *wish, uuid peering)
{
	for (size_t k = 0; k < wish->peering_count && !uuid_is_none(peering); k++)
		if (uuid_equal(wish->peerings[k]->row.id, peering))
			return wish->peerings[k];
	return NULL;
}

/* Adds one static route per next hop of equal cost. Returns how many are reachable through the router's
 * subnets. */
static size_t plan_hops(struct wish *w, uuid id, const char *prefix, const struct network_route *r,
			struct ip first, const struct network_router *wish)
{
	const struct ips *more = &r->route->more_hops;
	size_t count = 0;
	for (size_t k = 0; k <= more->count; k++) {
		struct ip hop = k ? more->at[k - 1] : first;
		char text[IP_TEXT_SIZE], port[NB_NAME_SIZE];
		const struct network_subnet *arm = find_arm(wish, hop);
		if (!arm)
			continue;
		ip_write(hop, text);
		plan_route(w, k ? uuid_v5(id, str_from(text)) : id, r->route->table, prefix, text,
			   nb_write_name("rp-", nb_get_arm_id(arm), port));
		count++;
	}
	return count;
}

/* A route without a usable next hop is written as a discard route, so that traffic does not fall back to a
 * wider route. */
static void plan_way(struct wish *w, uuid id, struct cidr to, const struct network_route *r,
		     const struct network_router *wish)
{
	const struct route *route = r->route;
	char prefix[CIDR_TEXT_SIZE], next_hop[IP_TEXT_SIZE], port[NB_NAME_SIZE];
	cidr_write(to, prefix);
	if (strcmp(prefix, platform_prefix) == 0)
		return; /* two routes of the same prefix would share the traffic */
	bool is_others = r->port && !uuid_equal(r->port->router, wish->router->row.id);
	struct ip way_out = nb_find_way_out(wish, route), hop = r->port ? r->hop : route->next_hop;
	const struct peering *peering = find_peering(wish, route->peering);
	if (!ip_is_none(way_out))
		plan_route(w, id, route->table, prefix, ip_write(way_out, next_hop),
			   nb_write_name("gw-", wish->router->row.id, port));
	else if (peering) {
		nb_write_peering_hop(peering, wish->router->row.id, route->destination.base.family, next_hop,
				     port);
		plan_route(w, id, route->table, prefix, next_hop, port);
	} else if (nb_write_transit_hop(wish, route, next_hop, port)) {
		plan_route(w, id, route->table, prefix, next_hop, port);
	} else if (is_others || !plan_hops(w, id, prefix, r, hop, wish))
		plan_route(w, id, route->table, prefix, "discard", NULL);
}

/* Adds a prefix's route to a table, or (table NULL) to the default table, for traffic that arrived from no
 * subnet. */
static void plan_prefix(struct wish *w, const struct network_prefix *p, const uuid *table)
{
	char block[CIDR_TEXT_SIZE], hop[IP_TEXT_SIZE], port[NB_NAME_SIZE], name[NB_NAME_SIZE] = "";
	struct ip ip = ip_is_none(p->hop) ? nb_make_link_local(p->port->mac) : p->hop;
	cidr_write(p->block, block);
	if (table)
		nb_write_hex("rt_", *table, name);
	struct wish_row *row = wish_add_row(
		w, "Logical_Router_Static_Route",
		uuid_v5(w->scope, str_print(w->arena, "prefix:%s:%s", block, name)),
		json_pack("{s:s,s:s,s:s,s:s}", "route_table", name, "ip_prefix", block, "nexthop",
			  ip_write(ip, hop), "output_port", nb_write_name("rp-", p->subnet, port)));
	wish_add_edge(w, row, "Logical_Router", "static_routes", w->scope);
}

static void plan_prefixes(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->prefix_count; k++) {
		plan_prefix(w, &wish->prefixes[k], NULL);
		for (size_t n = 0; n < wish->table_count; n++)
			plan_prefix(w, &wish->prefixes[k], &wish->tables[n]);
	}
}

/* True if the block is within the router's own address blocks. */
static bool is_own(const struct router *router, struct cidr block)
{
	bool is = false;
	for (size_t k = 0; k < router->blocks.count; k++)
		is = is || cidr_contains_cidr(router->blocks.at[k], block);
	for (size_t k = 0; k < router->ipv6_blocks.count; k++)
		is = is || cidr_contains_cidr(router->ipv6_blocks.at[k], block);
	return is;
}

/* True if the table has a route with exactly this destination. */
static bool has_route(const struct network_router *wish, uuid table, struct cidr block)
{
	for (size_t k = 0; k < wish->route_count; k++)
		if (uuid_equal(wish->routes[k].route->table, table) &&
		    cidr_equal(cidr_canonical(wish->routes[k].route->destination), block))
			return true;
	return false;
}

/* A route to one of the router's own subnets, or to a block that contains some: OVN prefers a connected
 * network to a route of the same prefix, so each half of the subnet gets a route. */
static void plan_halves(struct wish *w, const struct network_route *r, const struct network_router *wish)
{
	struct cidr to = cidr_canonical(r->route->destination);
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < wish->subnet_count; k++) {
		struct cidr block = cidr_canonical(wish->subnets[k].subnet->block);
		if (wish->subnets[k].port || !cidr_contains_cidr(to, block) ||
		    (!cidr_equal(to, block) && has_route(wish, r->route->table, block)))
			continue;
		for (int n = 0; n < 2; n++) {
			struct cidr half = nb_get_half(block, n);
			plan_way(w, uuid_v5(r->route->row.id, str_from(cidr_write(half, text))), half, r,
				 wish);
		}
	}
}

static void plan_user_route(struct wish *w, const struct network_route *r, const struct network_router *wish)
{
	struct cidr to = cidr_canonical(r->route->destination);
	plan_way(w, r->route->row.id, to, r, wish);
	if (!uuid_is_none(r->route->port) && is_own(wish->router, to))
		plan_halves(w, r, wish);
}

/* Routes of gateway endpoints. A user's route to exactly that address comes first: of two equal routes OVN would use
 * both. */
static void plan_api_routes(struct wish *w, const struct network_router *wish, const char *port)
{
	const struct cidr to = {wish->api_ip, 32};
	char prefix[CIDR_TEXT_SIZE];
	cidr_write(to, prefix);
	for (size_t k = 0; k < wish->api_table_count; k++)
		if (!has_route(wish, wish->api_tables[k], to))
			plan_route(w, uuid_v5(wish->api_tables[k], STR("api")), wish->api_tables[k], prefix,
				   "169.254.169.254", port);
}

static void plan_routes(struct wish *w, const struct network_router *wish)
{
	char port[NB_NAME_SIZE];
	nb_write_name("rp-md-", wish->router->row.id, port);
	for (size_t k = 0; k < wish->table_count; k++)
		plan_route(w, uuid_v5(wish->tables[k], STR("platform")), wish->tables[k], platform_prefix,
			   "169.254.169.254", port);
	for (size_t k = 0; k < wish->route_count; k++)
		plan_user_route(w, &wish->routes[k], wish);
	plan_api_routes(w, wish, port);
}

void nb_plan_router(struct wish *w, const struct network_router *wish)
{
	char name[UUID_TEXT_SIZE];
	wish_add_row(w, "Logical_Router", wish->router->row.id,
		     json_pack("{s:s,s:b}", "name", uuid_write(wish->router->row.id, name), "enabled",
			       !wish->router->is_down));
	nb_plan_guards(w, wish);
	for (size_t k = 0; k < wish->subnet_count; k++)
		plan_arm(w, &wish->subnets[k], wish->router->row.id);
	plan_dns(w, wish);
	plan_routes(w, wish);
	plan_prefixes(w, wish);
	nb_plan_metadata(w, wish);
	for (size_t k = 0; k < wish->nat_count; k++)
		nb_plan_nat(w, &wish->nats[k], wish);
	for (size_t k = 0; k < wish->entry_count; k++)
		nb_plan_entry(w, &wish->entries[k]);
	for (size_t k = 0; k < wish->exit_count; k++)
		nb_plan_exit(w, &wish->exits[k]);
	for (size_t k = 0; k < wish->peering_count; k++)
		nb_plan_peering(w, wish->peerings[k]);
	for (size_t k = 0; k < wish->attachment_count; k++)
		nb_plan_attachment(w, wish->attachments[k]);
	if (nb_has_uplink(wish))
		nb_plan_uplink(w, wish);
	nb_plan_vpn(w, wish);
	nb_plan_forwardings(w, wish);
	nb_plan_firewalls(w, wish);
	nb_plan_closed(w, wish);
	nb_plan_egress(w, wish);
}
