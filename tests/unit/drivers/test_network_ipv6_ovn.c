/* SPDX-License-Identifier: Apache-2.0
 * IPv6 as northbound rows: a router with subnets and an internet gateway, in the miniature database. */
#include "../base/test_base.h"
#include "model/egress_gateway.h"
#include "model/external_network.h"
#include "model/gateway.h"
#include "model/network.h"
#include "model/network_acl.h"
#include "model/network_acl_entry.h"
#include "model/peering.h"
#include "model/port.h"
#include "model/route.h"
#include "model/router.h"
#include "model/subnet.h"

#include <string.h>

#include "drivers/ovn/nb.h"
#include "ovn_model.h"

enum { SUBNETS = 3, ROUTES = 3, MTU = 1442 };

/* Two subnets of the router's block and one of nobody's; the first's table leads out, to an interface and
 * over a peering, the second's nowhere. */
struct lab {
	struct ctx *ctx;
	struct model model;
	struct router router;
	struct cidr block;
	struct gateway gateway;
	struct external_network external;
	struct subnet subnets[SUBNETS];
	struct network_subnet arms[SUBNETS];
	struct network_acl acl;
	struct network_acl_entry entry;
	struct cidr entry_block;
	const struct network_acl_entry *entries[1];
	struct network_guard guard;
	const struct network_guard *guards[1];
	struct route routes[ROUTES];
	struct port middle;
	struct peering peering;
	const struct peering *peerings[1];
	struct network_route ways[ROUTES];
	uuid tables[2];
	struct network_router wish;
};

static void init_rows(struct lab *lab)
{
	lab->block = make_cidr("2001:db8:1::/56");
	lab->router = (struct router){.row.id = make_id("router", 0, 0), .ipv6_blocks = {&lab->block, 1}};
	lab->gateway = (struct gateway){.row.id = make_id("gateway", 0, 0), .ip = make_ip("100.64.0.10")};
	lab->external = (struct external_network){.row.id = make_id("external", 0, 0),
						  .physical_network = STR("physnet1"),
						  .next_hop = make_ip("100.64.0.1"),
						  .ipv6_next_hop = make_ip("fe80::1")};
	lab->acl.row.id = make_id("acl", 0, 0);
	lab->entry_block = make_cidr("0.0.0.0/0");
	lab->entry = (struct network_acl_entry){
		.number = 100, .allows = true, .protocol = -1, .blocks = {&lab->entry_block, 1}};
	lab->entries[0] = &lab->entry;
	lab->guard = (struct network_guard){&lab->acl, lab->entries, 1, true};
	lab->guards[0] = &lab->guard;
	for (size_t k = 0; k < 2; k++)
		lab->tables[k] = make_id("table", k, 0);
	for (size_t k = 0; k < SUBNETS; k++) {
		struct subnet *subnet = &lab->subnets[k];
		*subnet = (struct subnet){.row.id = make_id("subnet", k, 0),
					  .network = make_id("network", 0, 0),
					  .router = lab->router.row.id,
					  .block = make_cidr(k == 2 ? "fd00:1::/64" : "2001:db8:1::/64")};
		subnet->block.base.b[7] = (uint8_t) k;
		subnet->gateway_ip = ip_add(subnet->block.base, 1);
		subnet->ipv6_ra_mode = SUBNET_IPV6_RA_MODE_DHCPV6_STATEFUL;
		subnet->ipv6_address_mode = SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL;
		lab->arms[k] = (struct network_subnet){
			subnet, NULL, lab->tables[k % 2], k == 0 ? &lab->guard : NULL, MTU, {0}, k < 2};
	}
}

static void init_routes(struct lab *lab)
{
	static const char *const destinations[ROUTES] = {"::/0", "2001:db8:2::/48", "2001:db8:3::/56"};
	for (size_t k = 0; k < ROUTES; k++)
		lab->routes[k] = (struct route){.row.id = make_id("route", k, 0),
						.table = lab->tables[0],
						.destination = make_cidr(destinations[k])};
	lab->middle = (struct port){.row.id = make_id("port", 0, 0), .router = lab->router.row.id};
	lab->peering = (struct peering){.row.id = make_id("peering", 0, 0),
					.router = lab->router.row.id,
					.peer_router = make_id("router", 1, 0)};
	lab->peerings[0] = &lab->peering;
	lab->routes[0].gateway = lab->gateway.row.id;
	lab->routes[1].port = lab->middle.row.id;
	lab->routes[2].peering = lab->peering.row.id;
	for (size_t k = 0; k < ROUTES; k++)
		lab->ways[k].route = &lab->routes[k];
	lab->ways[1].port = &lab->middle;
	lab->ways[1].hop = make_ip("2001:db8:1::9");
}

static void apply_router(struct lab *lab)
{
	struct wish wish;
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), lab->router.row.id, NB_ROUTER);
	nb_plan_router(&wish, &lab->wish);
	model_apply(&lab->model, lab->ctx, &wish);
}

static void init_lab(void **state, struct lab *lab)
{
	struct wish wish;
	const struct network network = {.row.id = make_id("network", 0, 0), .mtu = MTU};
	const struct network_segment segment = {.network = &network, .domain_name = STR("ec2.internal")};
	*lab = (struct lab){.ctx = *state};
	init_rows(lab);
	init_routes(lab);
	lab->wish = (struct network_router){.router = &lab->router,
					    .subnets = lab->arms,
					    .subnet_count = SUBNETS,
					    .guards = lab->guards,
					    .guard_count = 1,
					    .tables = lab->tables,
					    .table_count = 2,
					    .routes = lab->ways,
					    .route_count = ROUTES,
					    .peerings = lab->peerings,
					    .peering_count = 1,
					    .gateway = &lab->gateway,
					    .external = &lab->external,
					    .gateway_chassis = STR("hv1")};
	model_init(&lab->model, &nb_schema);
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), network.row.id, NB_NETWORK);
	nb_plan_network(&wish, &segment);
	model_apply(&lab->model, lab->ctx, &wish);
	apply_router(lab);
}

static const json_t *find_row(const struct lab *lab, const char *table, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return json_object_get(json_object_get(lab->model.tables, table), uuid_write(id, text));
}

static const char *find_text(const struct lab *lab, const char *table, uuid id, const char *column)
{
	return json_string_value(json_object_get(find_row(lab, table, id), column));
}

static const char *find_option(const struct lab *lab, const char *table, uuid id, const char *column,
			       const char *key)
{
	return json_string_value(json_object_get(json_object_get(find_row(lab, table, id), column), key));
}

static void apply_network(struct lab *lab)
{
	const struct network network = {.row.id = make_id("network", 0, 0), .mtu = MTU};
	const struct subnet *subnets[] = {&lab->subnets[0], &lab->subnets[1], &lab->subnets[2]};
	const struct network_segment segment = {
		.network = &network, .subnets = subnets, .subnet_count = SUBNETS};
	struct wish wish;
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), network.row.id, NB_NETWORK);
	nb_plan_network(&wish, &segment);
	model_apply(&lab->model, lab->ctx, &wish);
}

/* A subnet's IPv6 modes: the router advertisements and DHCPv6 options that result. */
static void test_modes(void **state)
{
	static struct lab lab;
	static const struct {
		enum subnet_ipv6_ra_mode ra;
		enum subnet_ipv6_address_mode address;
		const char *told; /* NULL: nothing */
		bool has_dhcp;
		const char *is_stateless;
	} rows[] = {
		{SUBNET_IPV6_RA_MODE_NONE, SUBNET_IPV6_ADDRESS_MODE_NONE, NULL, false, NULL},
		{SUBNET_IPV6_RA_MODE_SLAAC, SUBNET_IPV6_ADDRESS_MODE_SLAAC, "slaac", false, NULL},
		{SUBNET_IPV6_RA_MODE_DHCPV6_STATEFUL, SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL,
		 "dhcpv6_stateful", true, NULL},
		{SUBNET_IPV6_RA_MODE_DHCPV6_STATELESS, SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS,
		 "dhcpv6_stateless", true, "true"},
		{SUBNET_IPV6_RA_MODE_SLAAC, SUBNET_IPV6_ADDRESS_MODE_NONE, "slaac", false, NULL},
		{SUBNET_IPV6_RA_MODE_NONE, SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL, NULL, true, NULL},
	};
	struct ip resolver = make_ip("2001:db8::53");
	init_lab(state, &lab);
	uuid arm = uuid_v5(lab.subnets[0].row.id, STR("rp")),
	     dhcp = uuid_v5(lab.subnets[0].row.id, STR("dhcp"));
	lab.subnets[0].dns_servers = (struct ips){&resolver, 1};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		lab.subnets[0].ipv6_ra_mode = rows[k].ra;
		lab.subnets[0].ipv6_address_mode = rows[k].address;
		apply_network(&lab);
		apply_router(&lab);
		const char *told =
			find_option(&lab, "Logical_Router_Port", arm, "ipv6_ra_configs", "address_mode");
		const char *rdnss = find_option(&lab, "Logical_Router_Port", arm, "ipv6_ra_configs", "rdnss");
		assert_int_equal(told != NULL, rows[k].told != NULL);
		if (told)
			assert_string_equal(told, rows[k].told);
		assert_int_equal(rdnss != NULL, told != NULL);
		assert_int_equal(find_row(&lab, "DHCP_Options", dhcp) != NULL, rows[k].has_dhcp);
		const char *stateless =
			find_option(&lab, "DHCP_Options", dhcp, "options", "dhcpv6_stateless");
		assert_int_equal(stateless != NULL, rows[k].is_stateless != NULL);
	}
	model_done(&lab.model);
}

/* The router tells of itself, and a list that lets IPv4 alone pass denies IPv6. */
static void test_arms(void **state)
{
	static struct lab lab;
	init_lab(state, &lab);
	const json_t *arm = find_row(&lab, "Logical_Router_Port", uuid_v5(lab.subnets[0].row.id, STR("rp")));
	assert_non_null(json_object_get(json_object_get(arm, "networks"), "2001:db8:1::1/64"));
	assert_int_equal(json_object_size(json_object_get(arm, "ipv6_ra_configs")), 3);
	assert_non_null(
		strstr(find_text(&lab, "ACL", uuid_v5(lab.acl.row.id, STR("in-rest")), "match"), "&& ip6"));
	model_done(&lab.model);
}

static const char *find_guard(const struct lab *lab)
{
	return find_text(lab, "ACL", uuid_v5(lab->router.row.id, STR("guard-ipv6-in")), "match");
}

/* Only for subnets with a route outside, and only for addresses in the router's own blocks. */
static void test_ways_out(void **state)
{
	static struct lab lab;
	init_lab(state, &lab);
	const char *table = "Logical_Router_Static_Route";
	assert_string_equal(find_text(&lab, table, lab.routes[0].row.id, "nexthop"), "fe80::1");
	assert_string_equal(find_text(&lab, table, lab.routes[1].row.id, "nexthop"), "2001:db8:1::9");
	assert_memory_equal(find_text(&lab, table, lab.routes[2].row.id, "nexthop"), "fe80::", 6);
	assert_non_null(strstr(find_guard(&lab), "{fe80::/10, ff02::/16, 2001:db8:1::/64}"));
	lab.routes[0].destination = make_cidr("0.0.0.0/0"); /* of IPv4 */
	apply_router(&lab);
	assert_string_equal(find_text(&lab, table, lab.routes[0].row.id, "nexthop"), "100.64.0.1");
	assert_non_null(strstr(find_guard(&lab), "{fe80::/10, ff02::/16}"));
	model_done(&lab.model);
}

/* Next hops of equal cost have a row each; an address in no subnet of the router's has none. */
static void test_equal_ways(void **state)
{
	static struct lab lab;
	init_lab(state, &lab);
	struct ip more[] = {make_ip("2001:db8:1::8"), make_ip("2001:db8:66::1")};
	uuid id = lab.routes[1].row.id;
	const char *table = "Logical_Router_Static_Route";
	lab.routes[1].more_hops = (struct ips){more, 2};
	apply_router(&lab);
	assert_string_equal(find_text(&lab, table, id, "nexthop"), "2001:db8:1::9");
	uuid second = uuid_v5(id, STR("2001:db8:1::8"));
	assert_string_equal(find_text(&lab, table, second, "nexthop"), "2001:db8:1::8");
	assert_string_equal(find_text(&lab, table, second, "ip_prefix"),
			    find_text(&lab, table, id, "ip_prefix"));
	assert_null(find_row(&lab, table, uuid_v5(id, STR("2001:db8:66::1"))));
	model_done(&lab.model);
}

static void test_no_way_out(void **state)
{
	static struct lab lab;
	init_lab(state, &lab);
	lab.external.ipv6_next_hop = (struct ip){0};
	lab.ways[1].hop = (struct ip){0};
	apply_router(&lab);
	for (size_t k = 0; k < 2; k++)
		assert_string_equal(
			find_text(&lab, "Logical_Router_Static_Route", lab.routes[k].row.id, "nexthop"),
			"discard");
	assert_non_null(strstr(find_guard(&lab), "{fe80::/10, ff02::/16}"));
	model_done(&lab.model);
}

/* A delegated prefix leads to its port in each table, and in that of what comes from outside; by the port's
 * address, or by that of its link where it has no other. */
static void test_prefixes(void **state)
{
	static struct lab lab;
	static const char table[] = "Logical_Router_Static_Route", block[] = "2001:db8:1:0:7::/80";
	struct network_prefix prefix = {make_cidr(block), &lab.middle, make_ip("2001:db8:1::9"), UUID_NONE};
	uuid ids[3];
	init_lab(state, &lab);
	prefix.subnet = lab.subnets[0].row.id;
	lab.middle.mac = (struct mac){{2, 0, 0, 0, 0, 9}};
	lab.wish.prefixes = &prefix;
	lab.wish.prefix_count = 1;
	apply_router(&lab);
	for (size_t k = 0; k < 3; k++) {
		char name[NB_NAME_SIZE] = "", role[128];
		if (k < 2)
			nb_write_hex("rt_", lab.tables[k], name);
		snprintf(role, sizeof role, "prefix:%s:%s", block, name);
		ids[k] = uuid_v5(lab.router.row.id, str_from(role));
		assert_string_equal(find_text(&lab, table, ids[k], "route_table"), name);
		assert_string_equal(find_text(&lab, table, ids[k], "ip_prefix"), block);
		assert_string_equal(find_text(&lab, table, ids[k], "nexthop"), "2001:db8:1::9");
	}
	prefix.hop = (struct ip){0};
	apply_router(&lab);
	assert_string_equal(find_text(&lab, table, ids[0], "nexthop"), "fe80::ff:fe00:9");
	lab.wish.prefix_count = 0;
	apply_router(&lab);
	for (size_t k = 0; k < 3; k++)
		assert_null(find_row(&lab, table, ids[k]));
	model_done(&lab.model);
}

/* Destinations of narrower routes and of the router itself do not use the egress gateway. */
static void test_egress_only(void **state)
{
	static struct lab lab;
	const struct egress_gateway egress = {.row.id = make_id("egress", 0, 0)};
	char id[UUID_TEXT_SIZE], role[64];
	init_lab(state, &lab);
	lab.routes[0].gateway = UUID_NONE;
	lab.routes[0].egress_gateway = egress.row.id;
	lab.routes[0].destination = make_cidr("2001:db8::/46");
	lab.wish.egress = &egress;
	lab.wish.gateway = NULL;
	apply_router(&lab);
	snprintf(role, sizeof role, "egress:%s", uuid_write(lab.routes[0].row.id, id));
	uuid acl = uuid_v5(lab.subnets[0].row.id, str_from(role));
	const char *match = find_text(&lab, "ACL", acl, "match");
	assert_non_null(strstr(
		match, "ip6.dst == 2001:db8:1::/64 && ip6.src == {2001:db8::/48, 2001:db8:1:100::/56, "));
	assert_null(strstr(match, "2001:db8:1::/56"));
	assert_null(strstr(match, "2001:db8:2:"));
	assert_null(strstr(match, "2001:db8:3::/56"));
	assert_string_equal(find_text(&lab, "Logical_Router_Static_Route", lab.routes[0].row.id, "nexthop"),
			    "fe80::1");
	assert_non_null(strstr(find_guard(&lab), "2001:db8:1::/64"));
	assert_null(
		find_row(&lab, "ACL", uuid_v5(lab.subnets[1].row.id, str_from(role)))); /* another table's */
	lab.wish.egress = NULL;
	apply_router(&lab);
	assert_null(find_row(&lab, "ACL", acl));
	assert_string_equal(find_text(&lab, "Logical_Router_Static_Route", lab.routes[0].row.id, "nexthop"),
			    "discard");
	model_done(&lab.model);
}

static void apply_port(struct lab *lab, struct ips outer_ips)
{
	const struct port port = {.row.id = make_id("port", 1, 0),
				  .network = make_id("network", 0, 0),
				  .router = lab->router.row.id,
				  .ip = make_ip("10.0.0.4"),
				  .is_open = true};
	struct ip ip = make_ip("2001:db8:1::9");
	struct network_port n = {.port = &port, .secondaries = {&ip, 1}, .outer_ips = outer_ips};
	struct wish wish;
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), port.row.id, NB_PORT);
	nb_plan_port(&wish, &n);
	model_apply(&lab->model, lab->ctx, &wish);
}

static void test_a_guests_address(void **state)
{
	static struct lab lab;
	init_lab(state, &lab);
	struct ip ip = make_ip("2001:db8:1::9");
	uuid id = uuid_v5(make_id("port", 1, 0), STR("outer:2001:db8:1::9"));
	apply_port(&lab, (struct ips){&ip, 1});
	assert_string_equal(find_text(&lab, "NAT", id, "external_ip"), "2001:db8:1::9");
	assert_string_equal(find_text(&lab, "NAT", id, "logical_ip"), "2001:db8:1::9");
	assert_non_null(json_object_get(json_object_get(find_row(&lab, "NAT", id), "options"), "stateless"));
	apply_port(&lab, (struct ips){0});
	assert_null(find_row(&lab, "NAT", id));
	model_done(&lab.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_modes),       ctx_test(test_arms),
		ctx_test(test_ways_out),    ctx_test(test_equal_ways),
		ctx_test(test_no_way_out),  ctx_test(test_prefixes),
		ctx_test(test_egress_only), ctx_test(test_a_guests_address),
	};
	return cmocka_run_group_tests_name("network_ipv6_ovn", tests, NULL, NULL);
}
