/* SPDX-License-Identifier: Apache-2.0
 * A router as northbound rows: the router, a switch with DHCP for each subnet, its route tables,
 * and the DNS row. Route tables have no row of their own: a static route names its table, and a
 * subnet's router port the table that its traffic is looked up in. Nothing is global: connected
 * networks match in every table, all else is written in each one. */
#include <stdio.h>
#include <string.h>

#include "drivers/ovn/nb.h"

enum { LEASE_TIME_S = 3600 };
static const char platform_prefix[] = "168.63.129.16/32"; /* Azure's platform address */

static void plan_router_port(struct wish *w, const struct network_subnet *s, uuid router)
{
	const struct subnet *subnet = s->subnet;
	char port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE], table[NB_NAME_SIZE];
	char ip[IP_TEXT_SIZE], network[CIDR_TEXT_SIZE + 8], mac[MAC_TEXT_SIZE];
	nb_write_name("rp-", subnet->row.id, port);
	nb_write_name("sp-", subnet->row.id, switch_port);
	snprintf(network, sizeof network, "%s/%u", ip_write(subnet->gateway_ip, ip), subnet->block.bits);
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Port", uuid_v5(subnet->row.id, STR("rp")),
			     json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name", port, "mac",
				       mac_write(subnet->gateway_mac, mac), "networks", network, 1, "options",
				       "route_table", nb_write_hex("rt_", s->route_table, table)));
	wish_add_edge(w, row, "Logical_Router", "ports", router);
	row = wish_add_row(w, "Logical_Switch_Port", uuid_v5(subnet->row.id, STR("sp")),
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name", switch_port, "type", "router",
				     "addresses", "router", 1, "options", "router-port", port));
	wish_add_edge(w, row, "Logical_Switch", "ports", subnet->row.id);
}

/* What may stand unescaped inside the quotes of a DHCP option. */
static bool is_domain_name(struct str s)
{
	for (size_t k = 0; k < s.n; k++) {
		char ch = s.p[k];
		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
		      ch == '-' || ch == '.'))
			return false;
	}
	return s.n > 0;
}

/* Ours first: private names are its to answer; the others serve while it is away. */
static struct str write_resolvers(struct wish *w, const struct network_router *wish)
{
	struct str list = STR("169.254.169.253");
	char ip[IP_TEXT_SIZE];
	for (size_t k = 0; k < wish->resolver_count; k++)
		list = str_print(w->arena, "%" STR_FMT ", %s", STR_ARG(list),
				 ip_write(wish->resolvers[k], ip));
	return wish->resolver_count ? str_print(w->arena, "{%" STR_FMT "}", STR_ARG(list)) : list;
}

/* Clients that are given option 121 ignore option 3: the default route stands in both. */
static void plan_dhcp(struct wish *w, const struct network_subnet *s, const struct network_router *wish)
{
	const struct subnet *subnet = s->subnet;
	char gateway[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE], mac[MAC_TEXT_SIZE], routes[256], mtu[16],
		lease[16];
	ip_write(subnet->gateway_ip, gateway);
	snprintf(routes, sizeof routes, "{169.254.169.254/32,%s, 169.254.169.253/32,%s, %s,%s, 0.0.0.0/0,%s}",
		 gateway, gateway, platform_prefix, gateway, gateway);
	struct str resolvers = write_resolvers(w, wish);
	snprintf(mtu, sizeof mtu, "%d", s->mtu);
	snprintf(lease, sizeof lease, "%d", LEASE_TIME_S);
	json_t *options =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "server_id", gateway, "server_mac",
			  mac_write(subnet->gateway_mac, mac), "router", gateway, "lease_time", lease,
			  "dns_server", resolvers.p, "mtu", mtu, "classless_static_route", routes);
	if (is_domain_name(wish->domain_name)) {
		struct str quoted = str_print(w->arena, "\"%" STR_FMT "\"", STR_ARG(wish->domain_name));
		if (json_object_set_new(options, "domain_name", json_stringn(quoted.p, quoted.n)) < 0)
			w->failed = true;
	}
	wish_add_row(w, "DHCP_Options", uuid_v5(subnet->row.id, STR("dhcp")),
		     json_pack("{s:s,s:o}", "cidr", cidr_write(cidr_canonical(subnet->block), block),
			       "options", options));
}

static void plan_subnet(struct wish *w, const struct network_subnet *s, const struct network_router *wish)
{
	char name[UUID_TEXT_SIZE];
	w->kind = NB_SUBNET;
	w->id = s->subnet->row.id;
	wish_add_row(w, "Logical_Switch", s->subnet->row.id,
		     json_pack("{s:s}", "name", uuid_write(s->subnet->row.id, name)));
	plan_router_port(w, s, wish->router->row.id);
	plan_dhcp(w, s, wish);
	w->kind = NB_ROUTER;
	w->id = wish->router->row.id;
}

static void plan_dns(struct wish *w, const struct network_router *wish)
{
	struct wish_row *row = wish_add_row(w, "DNS", nb_dns_id(wish->router->row.id), json_object());
	bool has_names = wish->router->dns_support && wish->router->dns_hostnames;
	for (size_t k = 0; k < wish->subnet_count && has_names; k++)
		wish_add_edge(w, row, "Logical_Switch", "dns_records", wish->subnets[k].subnet->row.id);
}

/* ---- routes ---- */

/* One static route; port empty: found by next hop. */
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

/* A way that leads nowhere is a blackhole: it must not fall back to a wider route. */
static void plan_user_route(struct wish *w, const struct network_route *r, const struct network_router *wish)
{
	const struct route *route = r->route;
	char prefix[CIDR_TEXT_SIZE], next_hop[IP_TEXT_SIZE], port[NB_NAME_SIZE];
	cidr_write(cidr_canonical(route->destination), prefix);
	if (strcmp(prefix, platform_prefix) == 0)
		return; /* two routes of one prefix would share the traffic */
	bool by_gateway = nb_has_uplink(wish) && uuid_equal(route->gateway, wish->gateway->row.id);
	if (by_gateway)
		plan_route(w, route->row.id, route->table, prefix,
			   ip_write(wish->external->next_hop, next_hop),
			   nb_write_name("gw-", wish->router->row.id, port));
	else if (r->port && uuid_equal(r->port->router, wish->router->row.id))
		plan_route(w, route->row.id, route->table, prefix, ip_write(r->port->ip, next_hop),
			   nb_write_name("rp-", r->port->subnet, port));
	else
		plan_route(w, route->row.id, route->table, prefix, "discard", NULL);
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
}

void nb_plan_router(struct wish *w, const struct network_router *wish)
{
	char name[UUID_TEXT_SIZE];
	wish_add_row(w, "Logical_Router", wish->router->row.id,
		     json_pack("{s:s}", "name", uuid_write(wish->router->row.id, name)));
	for (size_t k = 0; k < wish->subnet_count; k++)
		plan_subnet(w, &wish->subnets[k], wish);
	plan_dns(w, wish);
	plan_routes(w, wish);
	nb_plan_metadata(w, wish);
	for (size_t k = 0; k < wish->nat_count; k++)
		nb_plan_nat(w, &wish->nats[k], wish);
	if (nb_has_uplink(wish))
		nb_plan_uplink(w, wish);
}
