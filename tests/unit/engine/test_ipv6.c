/* SPDX-License-Identifier: Apache-2.0
 * IPv6 subnets: modes, ports' addresses, the region's pools, and reachability from outside. */
#include "cloud.h"
#include "model/secondary_ip.h"
#include "store/network.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/subnet_pool.h"

#include "engine/network/filter/network_acl.h"
#include "engine/network/ipv6.h"
#include "engine/network/network.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router_block.h"
#include "engine/network/routing/router_interface.h"
#include "engine/network/subnet_pool.h"
#include "engine/tombstone.h"

#define RA(mode) SUBNET_IPV6_RA_MODE_##mode
#define ADDRESS(mode) SUBNET_IPV6_ADDRESS_MODE_##mode

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static struct ref make_network(struct cloud *c)
{
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	return ref_of(KIND_NETWORK, network.network);
}

static uuid add_subnet(struct cloud *c, struct ref network, const char *block, enum subnet_ipv6_ra_mode mode)
{
	struct network_subnet_wish wish = {.network = network,
					   .block = cidr_of(block),
					   .ipv6_ra_mode = mode,
					   .ipv6_address_mode = (enum subnet_ipv6_address_mode) mode};
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	return wish.subnet;
}

static const struct port *add_port(struct cloud *c, struct ref network)
{
	struct network_port_wish wish = {.network = network, .mac = {{2, 0, 0, 0, 0, 7}}};
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	return port_find(cloud_tables(c), wish.port);
}

static struct ip ipv6_of(struct cloud *c, const struct port *port)
{
	return engine_get_port_ip(cloud_tables(c), port, IP_V6);
}

static bool is_ip(struct ip ip, const char *text)
{
	return ip_equal(ip, ip_of(text));
}

static void check_modes(void **state)
{
	struct cloud *c = *state;
	static const struct {
		const char *block;
		enum subnet_ipv6_ra_mode ra;
		enum subnet_ipv6_address_mode address;
		bool no_dhcp;
		enum err err;
	} rows[] = {
		{"fd00:1::/64", RA(NONE), ADDRESS(NONE), false, ERR_NONE},
		{"fd00:2::/64", RA(SLAAC), ADDRESS(SLAAC), false, ERR_NONE},
		{"fd00:3::/64", RA(NONE), ADDRESS(SLAAC), false, ERR_NONE},
		{"fd00:4::/64", RA(DHCPV6_STATELESS), ADDRESS(NONE), false, ERR_NONE},
		{"fd00:5::/96", RA(DHCPV6_STATEFUL), ADDRESS(DHCPV6_STATEFUL), false, ERR_NONE},
		{"fd00:6::/64", RA(NONE), ADDRESS(NONE), true, ERR_NONE},
		{"fd00:7::/64", RA(SLAAC), ADDRESS(DHCPV6_STATELESS), false, ERR_CONFLICT},
		{"fd00:7::/64", RA(SLAAC), ADDRESS(NONE), true, ERR_CONFLICT},
		{"10.7.0.0/24", RA(SLAAC), ADDRESS(SLAAC), false, ERR_CONFLICT},
		{"fd00:7::/80", RA(SLAAC), ADDRESS(SLAAC), false, ERR_RANGE},
		{"fd00:7::/80", RA(NONE), ADDRESS(DHCPV6_STATELESS), false, ERR_RANGE},
		{"fd00:7::/31", RA(NONE), ADDRESS(NONE), false, ERR_RANGE},
		{"fd00:7::/127", RA(NONE), ADDRESS(NONE), false, ERR_RANGE},
		{"fe80::/64", RA(NONE), ADDRESS(NONE), false, ERR_RANGE},
		{"ff02::/64", RA(NONE), ADDRESS(NONE), false, ERR_RANGE},
		{"fd00:1::/80", RA(NONE), ADDRESS(NONE), false, ERR_CONFLICT}, /* overlaps the first */
	};
	struct ref network = make_network(c);
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct network_subnet_wish wish = {.network = network,
						   .block = cidr_of(rows[k].block),
						   .ipv6_ra_mode = rows[k].ra,
						   .ipv6_address_mode = rows[k].address,
						   .no_dhcp = rows[k].no_dhcp};
		struct result made = cloud_run(c, &c->alice, engine_add_subnet_run, &wish);
		cloud_expect(c, made, rows[k].err, rows[k].err ? KIND_SUBNET : KIND_NONE);
	}
}

static void check_plain_subnet(void **state)
{
	struct cloud *c = *state;
	struct ref network = make_network(c);
	uuid id = add_subnet(c, network, "fd00:1::/64", RA(DHCPV6_STATEFUL));
	const struct subnet *subnet = subnet_find(cloud_tables(c), id);
	assert_true(is_ip(subnet->gateway_ip, "fd00:1::1"));
	assert_int_equal(subnet->pools.count, 2);
	assert_true(is_ip(subnet->pools.at[0], "fd00:1::2"));
	assert_true(is_ip(subnet->pools.at[1], "fd00:1::ffff:ffff:ffff:ffff"));
	assert_true(engine_count_free_addresses(subnet) > GIB);
	struct subnet_settings off = {.subnet = ref_of(KIND_SUBNET, id), .no_dhcp = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_update_subnet, &off, ERR_CONFLICT, KIND_SUBNET);
	struct ip v4 = ip_of("10.0.0.1"), v6 = ip_of("fd00:1::53");
	struct ips servers = {&v4, 1};
	struct subnet_settings told = {.subnet = ref_of(KIND_SUBNET, id), .dns_servers = &servers};
	cloud_fails(c, &c->alice, engine_update_subnet, &told, ERR_RANGE, KIND_SUBNET);
	servers.at = &v6;
	cloud_ok(c, &c->alice, engine_update_subnet, &told);
	struct network_subnet_wish mixed = {
		.network = network, .block = cidr_of("10.0.0.0/24"), .dns_servers = servers};
	cloud_fails(c, &c->alice, engine_add_subnet, &mixed, ERR_RANGE, KIND_SUBNET);
}

/* An IPv4 address first, one of IPv6 that is given out, and that which follows from the MAC. */
static void check_port(void **state)
{
	struct cloud *c = *state;
	struct ref network = make_network(c);
	uuid slaac = add_subnet(c, network, "fd00:2::/64", RA(SLAAC));
	uuid given = add_subnet(c, network, "fd00:1::/64", RA(DHCPV6_STATEFUL));
	uuid v4 = add_subnet(c, network, "10.7.0.0/24", RA(NONE));
	const struct port *port = add_port(c, network);
	assert_true(uuid_equal(port->subnet, v4) && port->ip.family == IP_V4);
	size_t count = 0;
	for (const struct secondary_ip *s = engine_first_secondary_ip(cloud_tables(c), port->row.id); s;
	     s = engine_next_secondary_ip(cloud_tables(c), s), count++) {
		assert_true(uuid_equal(s->subnet, slaac) || uuid_equal(s->subnet, given));
		if (uuid_equal(s->subnet, slaac))
			assert_true(is_ip(s->ip, "fd00:2::ff:fe00:7"));
	}
	assert_int_equal(count, 2);
	struct port_fixed_wish fixed[] = {{.ip = ip_of("fd00:2::9")}, {.ip = ip_of("10.7.0.9")}};
	struct network_port_wish other = {.network = network, .fixed = {true, fixed, 1, STR("fixed_ips")}};
	cloud_fails(c, &c->alice, engine_add_port, &other, ERR_INVALID, KIND_SECONDARY_IP);
	fixed[0].ip = ip_of("fd00:1::9");
	other.fixed.count = 2;
	cloud_ok(c, &c->alice, engine_add_port, &other);
	port = port_find(cloud_tables(c), other.port);
	assert_true(is_ip(port->ip, "10.7.0.9"));
	struct network_port_wish none = {.network = network, .fixed = {.is_given = true}};
	cloud_ok(c, &c->alice, engine_add_port, &none);
	assert_true(ip_is_none(port_find(cloud_tables(c), none.port)->ip));
	struct port_settings change = {.port = ref_of(KIND_PORT, other.port),
				       .fixed = {true, fixed + 1, 1, STR("fixed_ips")}};
	cloud_ok(c, &c->alice, engine_update_port, &change);
	port = port_find(cloud_tables(c), other.port);
	assert_true(is_ip(port->ip, "10.7.0.9") && cidr_contains(cidr_of("fd00:2::/64"), ipv6_of(c, port)));
}

/* With the subnet the addresses come and go, and not otherwise; also a port's first one, and its only one. */
static void check_coming_and_going(void **state)
{
	struct cloud *c = *state;
	struct ref network = make_network(c);
	add_subnet(c, network, "10.7.0.0/24", RA(NONE));
	const struct port *port = add_port(c, network);
	uuid id = port->row.id;
	uint64_t gen = port->row.gen;
	uuid slaac = add_subnet(c, network, "fd00:2::/64", RA(SLAAC));
	port = port_find(cloud_tables(c), id);
	assert_true(is_ip(ipv6_of(c, port), "fd00:2::ff:fe00:7") && port->row.gen > gen);
	struct ip made = ipv6_of(c, port);
	struct port_unassignment taken = {.port = ref_of(KIND_PORT, id), .ips = {&made, 1}, .is_ipv6 = true};
	cloud_fails(c, &c->alice, engine_unassign_ips, &taken, ERR_PROTECTED, KIND_SECONDARY_IP);
	struct subnet_target gone = {.subnet = ref_of(KIND_SUBNET, slaac)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &gone);
	assert_true(ip_is_none(ipv6_of(c, port_find(cloud_tables(c), id))));
}

static void check_first_goes(void **state)
{
	struct cloud *c = *state;
	struct ref network = make_network(c);
	struct subnet_target gone = {
		.subnet = ref_of(KIND_SUBNET, add_subnet(c, network, "fd00:3::/64", RA(SLAAC)))};
	struct network_port_wish wish = {.network = network};
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	const struct port *port = port_find(cloud_tables(c), wish.port);
	assert_int_equal(port->ip.family, IP_V6);
	uint64_t gen = port->row.gen;
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct address_association stands = {.address = ref_of(KIND_ADDRESS, address.address),
					     .port = ref_of(KIND_PORT, wish.port)};
	struct result made = cloud_run(c, &c->alice, engine_associate_address_run, &stands);
	assert_true(made.code == ERR_STATE || made.code == ERR_INVALID);
	uuid given = add_subnet(c, network, "fd00:4::/64", RA(DHCPV6_STATEFUL));
	struct port_fixed_wish fixed[] = {{.ip = port->ip}, {.ip = ip_of("fd00:4::9")}};
	struct port_settings more = {.port = ref_of(KIND_PORT, wish.port),
				     .fixed = {true, fixed, 2, STR("fixed_ips")}};
	cloud_ok(c, &c->alice, engine_update_port, &more);
	struct network_port_wish lone = {.network = network};
	cloud_ok(c, &c->alice, engine_add_port, &lone);
	struct port_settings less = {
		.port = ref_of(KIND_PORT, lone.port),
		.fixed = {true, &(struct port_fixed_wish){.subnet = gone.subnet}, 1, STR("fixed_ips")}};
	cloud_ok(c, &c->alice, engine_update_port, &less);
	cloud_ok(c, &c->alice, engine_delete_subnet, &gone);
	port = port_find(cloud_tables(c), wish.port);
	assert_true(is_ip(port->ip, "fd00:4::9") && uuid_equal(port->subnet, given) && port->row.gen > gen);
	assert_null(engine_first_secondary_ip(cloud_tables(c), wish.port));
	port = port_find(cloud_tables(c), lone.port);
	assert_true(row_is_live(&port->row) && ip_is_none(port->ip) && uuid_is_none(port->subnet));
}

static void set_outside(struct cloud *c, const char *block)
{
	struct external_ipv6_wish pool = {.external_network =
						  ref_to(c, KIND_EXTERNAL_NETWORK, c->external_network),
					  .pool = cidr_of(block),
					  .next_hop = ip_of("fe80::1")};
	cloud_ok(c, &c->operator, engine_set_external_ipv6, &pool);
}

static struct ref make_pool(struct cloud *c, const struct identity *who, const char *block, bool is_shared)
{
	const struct cidr prefix = cidr_of(block);
	struct subnet_pool_wish wish = {.account = ref_of(KIND_ACCOUNT, c->alice.account),
					.name = STR("six"),
					.prefixes = {&prefix, 1},
					.is_shared = is_shared};
	cloud_ok(c, who, engine_create_subnet_pool, &wish);
	assert_int_equal(subnet_pool_find(cloud_tables(c), wish.pool)->default_bits, 64);
	return ref_of(KIND_SUBNET_POOL, wish.pool);
}

static uuid take(struct cloud *c, struct ref pool, const char *block)
{
	struct network_subnet_wish wish = {.network = make_network(c), .pool = pool, .is_ipv6 = true};
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	assert_true(cidr_equal(wish.block, cidr_of(block)));
	return wish.subnet;
}

/* Blocks from the region's pool and blocks of routers do not overlap. */
static void check_regions_pool(void **state)
{
	struct cloud *c = *state;
	set_outside(c, "2001:db8:0:fe00::/55");
	struct ref shared = make_pool(c, &c->operator, "2001:db8:0:fe00::/55", true);
	take(c, shared, "2001:db8:0:fe00::/64");
	struct router_wish wish = {.block = cidr_of("10.77.0.0/16"), .ipv6.is_wanted = true};
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	const struct router *router = router_find(cloud_tables(c), wish.router);
	assert_true(cidr_equal(router->ipv6_blocks.at[0], cidr_of("2001:db8:0:ff00::/56")));
	take(c, shared, "2001:db8:0:fe01::/64");
	struct network_subnet_wish chosen = {.network = make_network(c),
					     .pool = shared,
					     .block = cidr_of("2001:db8:0:ff01::/64"),
					     .is_ipv6 = true};
	cloud_fails(c, &c->alice, engine_add_subnet, &chosen, ERR_CAPACITY, KIND_SUBNET_POOL);
	struct ref own = make_pool(c, &c->alice, "2001:db8:0:ff00::/56", false);
	take(c, own, "2001:db8:0:ff00::/64");
	struct network_subnet_wish other = {.network = chosen.network, .pool = own};
	cloud_fails(c, &c->alice, engine_add_subnet, &other, ERR_INVALID, KIND_SUBNET_POOL);
	struct network_subnet_wish of_default = {
		.network = chosen.network, .wants_default_pool = true, .is_ipv6 = true};
	cloud_fails(c, &c->alice, engine_add_subnet, &of_default, ERR_INVALID, KIND_SUBNET_POOL);
}

/* An IPv6 block's owner does not depend on the allocation pools in a subnet's row. */
static void check_cut_from_router(void **state)
{
	struct cloud *c = *state;
	struct cidr outside = cidr_of("2001:db8:0:fe00::/56"), block = cidr_of("2001:db8:0:fe00::/64");
	set_outside(c, "2001:db8:0:fe00::/56");
	uuid own = take(c, make_pool(c, &c->alice, "2001:db8:0:fe00::/56", false), "2001:db8:0:fe00::/64");
	struct ips pools = {0};
	struct subnet_settings settings = {.subnet = ref_of(KIND_SUBNET, own), .pools = &pools};
	cloud_ok(c, &c->alice, engine_update_subnet, &settings);
	struct router_wish router = {.block = cidr_of("10.77.0.0/16"), .ipv6.is_wanted = true};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct ref vpc = ref_of(KIND_ROUTER, router.router);
	struct subnet_wish four = {.router = vpc, .block = cidr_of("10.77.1.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &four);
	struct ipv6_subnet_wish six = {.subnet = ref_of(KIND_SUBNET, four.subnet), .block = block};
	cloud_ok(c, &c->alice, engine_add_ipv6_subnet, &six);
	struct ip ends[] = {ip_of("2001:db8:0:fe00::10"), ip_of("2001:db8:0:fe00::20")};
	pools = (struct ips){ends, 2};
	settings.subnet = ref_of(KIND_SUBNET, six.ipv6_subnet);
	cloud_ok(c, &c->alice, engine_update_subnet, &settings);
	struct ipv6_subnet_target away = {.association = settings.subnet};
	cloud_ok(c, &c->alice, engine_remove_ipv6_subnet, &away);
	const struct router *row = router_find(cloud_tables(c), router.router);
	struct router_block_target no_block = {
		.association = ref_of(KIND_ROUTER, engine_get_ipv6_association(row, outside))};
	cloud_ok(c, &c->alice, engine_remove_router_block, &no_block);
	struct router_wish next = {.block = cidr_of("10.78.0.0/16"), .ipv6.is_wanted = true};
	cloud_fails(c, &c->alice, engine_create_router, &next, ERR_CAPACITY, KIND_ADDRESS);
	struct tombstone forget = {KIND_SUBNET, six.ipv6_subnet};
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	cloud_ok(c, &c->alice, engine_create_router, &next);
}

/* A block that is requested explicitly can be allocated once, is shown with its pool, and is released with
 * its association. */
static void check_named_block(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	set_outside(c, "2001:db8:0:fe00::/55");
	uuid pool = c->external_network;
	struct cidr block = cidr_of("2001:db8:0:ff00::/56");
	struct ipv6_block_wish named = {
		.is_wanted = true, .pool = ref_of(KIND_EXTERNAL_NETWORK, pool), .block = block};
	struct router_wish one = {.block = cidr_of("10.77.0.0/16"), .ipv6 = named};
	cloud_ok(c, &c->alice, engine_create_router, &one);
	struct router_wish two = {.block = cidr_of("10.78.0.0/16"), .ipv6 = named};
	cloud_fails(c, &c->bob, engine_create_router, &two, ERR_CONFLICT, KIND_EXTERNAL_NETWORK);
	two.ipv6.block = cidr_of("2001:db8:0:fd00::/56");
	cloud_fails(c, &c->bob, engine_create_router, &two, ERR_RANGE, KIND_EXTERNAL_NETWORK);
	two.ipv6.block = cidr_of("2001:db8:0:fe00::/55");
	cloud_fails(c, &c->bob, engine_create_router, &two, ERR_RANGE, KIND_EXTERNAL_NETWORK);
	struct router_block_wish unnamed = {.router = ref_of(KIND_ROUTER, one.router),
					    .ipv6.is_wanted = true};
	cloud_ok(c, &c->alice, engine_add_router_block, &unnamed);
	const struct router *router = router_find(t, one.router);
	assert_int_equal(router->ipv6_blocks.count, 2);
	assert_true(uuid_equal(engine_get_ipv6_pool(t, router, block), pool));
	assert_true(uuid_is_none(engine_get_ipv6_pool(t, router, router->ipv6_blocks.at[1])));
	struct router_block_target away = {
		.association = ref_of(KIND_ROUTER, engine_get_ipv6_association(router, block))};
	cloud_ok(c, &c->alice, engine_remove_router_block, &away);
	assert_true(uuid_equal(away.pool, pool));
	router = router_find(t, one.router);
	assert_int_equal(router->ipv6_blocks.count, 1);
	assert_int_equal(router->ipv6_pool_blocks.count, 0);
	two.ipv6.block = block;
	cloud_ok(c, &c->bob, engine_create_router, &two);
}

/* An IPv6 subnet uses the ACL and route table of the IPv4 subnet on the same network, and those default to
 * the router's. */
static void check_ruling(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	set_outside(c, "2001:db8:0:fe00::/56");
	struct router_wish wish = {.block = cidr_of("10.77.0.0/16"), .ipv6.is_wanted = true};
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	struct ref vpc = ref_of(KIND_ROUTER, wish.router);
	struct subnet_wish four = {.router = vpc,
				   .block = cidr_of("10.77.1.0/24"),
				   .ipv6_block = cidr_of("2001:db8:0:fe00::/64")};
	cloud_ok(c, &c->alice, engine_create_subnet, &four);
	const struct router *router = router_find(t, wish.router);
	const struct subnet *six = engine_find_ipv6_subnet(t, subnet_find(t, four.subnet));
	assert_true(uuid_equal(engine_get_subnet_acl(t, router, six), router->default_acl));
	assert_true(uuid_equal(engine_get_subnet_route_table(t, router, six), router->main_route_table));
	struct network_acl_wish acl = {.router = vpc};
	cloud_ok(c, &c->alice, engine_create_network_acl, &acl);
	struct network_acl_association guard = {
		.association = ref_of(KIND_SUBNET, subnet_find(t, four.subnet)->acl_association),
		.acl = ref_of(KIND_NETWORK_ACL, acl.acl)};
	cloud_ok(c, &c->alice, engine_replace_network_acl_association, &guard);
	struct route_table_wish table = {.router = vpc};
	cloud_ok(c, &c->alice, engine_create_route_table, &table);
	struct route_table_association by = {.route_table = ref_of(KIND_ROUTE_TABLE, table.route_table),
					     .subnet = ref_of(KIND_SUBNET, four.subnet)};
	cloud_ok(c, &c->alice, engine_associate_route_table, &by);
	const struct subnet *both[] = {subnet_find(t, four.subnet), subnet_find(t, six->row.id)};
	for (size_t k = 0; k < 2; k++) {
		assert_true(uuid_equal(engine_get_subnet_acl(t, router, both[k]), acl.acl));
		assert_true(uuid_equal(engine_get_subnet_route_table(t, router, both[k]), table.route_table));
	}
}

/* ---- without IPv4 ---- */

/* A router with an IPv6 block, as a reference. */
static struct ref make_dual_router(struct cloud *c)
{
	struct router_wish wish = {.block = cidr_of("10.77.0.0/16"), .ipv6.is_wanted = true};
	set_outside(c, "2001:db8:0:fe00::/56");
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	return ref_of(KIND_ROUTER, wish.router);
}

static uuid make_native(struct cloud *c, struct ref vpc, const char *block)
{
	struct subnet_wish wish = {
		.router = vpc, .block = cidr_of(block), .ipv6_field = STR("Ipv6CidrBlock")};
	cloud_ok(c, &c->alice, engine_create_subnet, &wish);
	return wish.subnet;
}

static void check_native_block(void **state)
{
	struct cloud *c = *state;
	static const struct {
		const char *block;
		enum err err;
	} rows[] = {
		{"2001:db8:0:fe00::/63", ERR_RANGE},    {"2001:db8:0:fe00::/65", ERR_RANGE},
		{"2001:db8:0:ff00::/64", ERR_RANGE},    {"2001:db8:0:fe00::1/64", ERR_RANGE},
		{"2001:db8:0:fe01::/64", ERR_CONFLICT},
	};
	struct ref vpc = make_dual_router(c);
	make_native(c, vpc, "2001:db8:0:fe01::/64");
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct subnet_wish wish = {.router = vpc, .block = cidr_of(rows[k].block)};
		cloud_fails(c, &c->alice, engine_create_subnet, &wish, rows[k].err, KIND_SUBNET);
	}
	struct subnet_wish none = {.router = ref_of(KIND_ROUTER, c->alice_router),
				   .block = cidr_of("2001:db8:0:fe02::/64")};
	cloud_fails(c, &c->alice, engine_create_subnet, &none, ERR_RANGE, KIND_SUBNET);
}

/* An IPv6-only subnet has its own block, has no IPv4 settings, and its network is deleted with it. */
static void check_native(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct ref vpc = make_dual_router(c);
	struct ref native = ref_of(KIND_SUBNET, make_native(c, vpc, "2001:db8:0:fe01::/64"));
	const struct subnet *subnet = subnet_find(t, native.prefix);
	const struct router *router = router_find(t, vpc.prefix);
	uuid network = subnet->network;
	assert_true(engine_is_ipv6_alone(t, subnet) && engine_is_outer_subnet(t, subnet));
	assert_true(uuid_equal(subnet->acl, router->default_acl) && !uuid_is_none(subnet->acl_association));
	assert_int_equal(subnet->ipv6_address_mode, SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL);
	struct ipv6_subnet_target apart = {.association = native};
	cloud_fails(c, &c->alice, engine_remove_ipv6_subnet, &apart, ERR_PROTECTED, KIND_SUBNET);
	struct subnet_settings settings = {.subnet = native, .public_on_launch = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_update_subnet, &settings, ERR_INVALID, KIND_SUBNET);
	settings = (struct subnet_settings){.subnet = native, .ipv6_on_create = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_subnet, &settings, ERR_INVALID, KIND_SUBNET);
	settings.ipv6_on_create = CHOICE_YES;
	cloud_ok(c, &c->alice, engine_update_subnet, &settings);
	struct nat_gateway_wish nat = {.subnet = native};
	cloud_fails(c, &c->alice, engine_create_nat_gateway, &nat, ERR_INVALID, KIND_SUBNET);
	struct subnet_target target = {.subnet = native};
	cloud_ok(c, &c->alice, engine_delete_subnet, &target);
	assert_false(row_is_live(&network_find(t, network)->row));
}

/* An interface has IPv6 addresses alone, and keeps its first. */
static void check_native_port(void **state)
{
	struct cloud *c = *state;
	struct ref vpc = make_dual_router(c);
	struct ref native = ref_of(KIND_SUBNET, make_native(c, vpc, "2001:db8:0:fe01::/64"));
	struct ip named = ip_of("2001:db8:0:fe01::77");
	struct port_wish wish = {.subnet = native, .ips.ipv6s = {&named, 1}};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	const struct port *port = port_find(cloud_tables(c), wish.port);
	assert_true(ip_equal(port->ip, named));
	assert_null(engine_first_secondary_ip(cloud_tables(c), wish.port));
	struct port_wish four = {.subnet = native, .ips.primary = ip_of("10.77.0.9")};
	cloud_fails(c, &c->alice, engine_create_port, &four, ERR_RANGE, KIND_PORT);
	struct port_wish more = {.subnet = native, .ips.more = 1};
	cloud_fails(c, &c->alice, engine_create_port, &more, ERR_INVALID, KIND_SUBNET);
	struct port_wish many = {.subnet = native, .ips.ipv6_more = PORT_IPS_MAX + 1};
	cloud_fails(c, &c->alice, engine_create_port, &many, ERR_QUOTA, KIND_SECONDARY_IP);
	struct port_assignment one = {.port = ref_of(KIND_PORT, wish.port), .more = 1};
	cloud_fails(c, &c->alice, engine_assign_ips, &one, ERR_INVALID, KIND_SUBNET);
	one.is_ipv6 = true;
	cloud_ok(c, &c->alice, engine_assign_ips, &one);
	struct port_unassignment away = {.port = one.port, .ips = {&named, 1}, .is_ipv6 = true};
	cloud_fails(c, &c->alice, engine_unassign_ips, &away, ERR_INVALID, KIND_PORT);
	away.ips = one.made;
	cloud_ok(c, &c->alice, engine_unassign_ips, &away);
}

/* Guests without IPv4 cannot reach the metadata service, and therefore get a config drive. */
static void check_native_launch(void **state)
{
	struct cloud *c = *state;
	struct ref vpc = make_dual_router(c);
	struct subnet_wish dual = {
		.router = vpc, .block = cidr_of("10.77.1.0/24"), .zone = ref_named(KIND_ZONE, "xy-west-2a")};
	cloud_ok(c, &c->alice, engine_create_subnet, &dual);
	struct subnet_wish six = {.router = vpc, .block = cidr_of("2001:db8:0:fe01::/64"), .zone = dual.zone};
	cloud_ok(c, &c->alice, engine_create_subnet, &six);
	struct launch_port ports[] = {{.subnet = ref_of(KIND_SUBNET, six.subnet), .public_ip = CHOICE_YES},
				      {.subnet = ref_of(KIND_SUBNET, dual.subnet), .device_index = 1}};
	struct instance_launch wish = cloud_launch(c, 1);
	wish.ports = ports;
	wish.port_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_SUBNET);
	ports[0].public_ip = CHOICE_DEFAULT;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_true(cloud_instance(c, wish.made.at[0])->config_drive);
	assert_int_equal(cloud_port(c, wish.made.at[0])->ip.family, IP_V6);
	wish = cloud_launch(c, 1);
	wish.ports = ports;
	wish.port_count = 2;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_false(cloud_instance(c, wish.made.at[0])->config_drive);
}

static bool has_default_route(struct cloud *c, uuid router)
{
	const struct router *row = router_find(cloud_tables(c), router);
	return route_find_by_table(cloud_tables(c), row->main_route_table, cidr_of("::/0"));
}

static void put_on_router(struct cloud *c, uuid router, uuid subnet)
{
	struct router_interface_wish wish = {.router = ref_of(KIND_ROUTER, router),
					     .subnet = ref_of(KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_add_router_interface, &wish);
}

static void take_off_router(struct cloud *c, uuid router, uuid subnet)
{
	struct router_interface_wish wish = {.router = ref_of(KIND_ROUTER, router),
					     .subnet = ref_of(KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_remove_router_interface, &wish);
}

/* A network ACL of its own it has where no subnet of IPv4 beside it has one. */
static void check_own_list(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_wish wish = {.name = STR("r"), .has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	struct ref network = make_network(c);
	uuid six = add_subnet(c, network, "fd00:1::/64", RA(DHCPV6_STATEFUL)),
	     four = add_subnet(c, network, "10.7.0.0/24", RA(NONE));
	put_on_router(c, wish.router, six);
	uuid acl = router_find(t, wish.router)->default_acl;
	uuid association = subnet_find(t, six)->acl_association;
	assert_true(uuid_equal(subnet_find(t, six)->acl, acl) && !uuid_is_none(association));
	put_on_router(c, wish.router, four);
	assert_true(uuid_is_none(subnet_find(t, six)->acl));
	assert_true(uuid_is_none(subnet_find(t, six)->acl_association));
	assert_true(uuid_equal(subnet_find(t, four)->acl, acl));
	take_off_router(c, wish.router, four);
	assert_true(uuid_equal(subnet_find(t, six)->acl, acl));
	assert_false(uuid_equal(subnet_find(t, six)->acl_association, association));
	take_off_router(c, wish.router, six);
	assert_true(uuid_is_none(subnet_find(t, six)->acl));
}

/* A subnet is an outer one if its block is from the external network's pool, by a pool of the region, and it is
 * on a router. The router has a default route while it has a gateway and the external network has a pool. */
static void check_outside(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = {.name = STR("r"), .has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct router_gateway_wish gateway = {.router = ref_of(KIND_ROUTER, router.router),
					      .external_network =
						      ref_of(KIND_EXTERNAL_NETWORK, c->external_network)};
	cloud_ok(c, &c->alice, engine_set_router_gateway, &gateway);
	assert_false(has_default_route(c, router.router));
	set_outside(c, "2001:db8:0:fe00::/55");
	assert_true(has_default_route(c, router.router));
	struct ref shared = make_pool(c, &c->operator, "2001:db8:0:fe00::/56", true);
	struct ref own = make_pool(c, &c->alice, "2001:db8:0:ff00::/56", false);
	uuid outer = take(c, shared, "2001:db8:0:fe00::/64"), inner = take(c, own, "2001:db8:0:ff00::/64");
	assert_false(engine_is_outer_subnet(cloud_tables(c), subnet_find(cloud_tables(c), outer)));
	put_on_router(c, router.router, outer);
	put_on_router(c, router.router, inner);
	assert_true(engine_is_outer_subnet(cloud_tables(c), subnet_find(cloud_tables(c), outer)));
	assert_false(engine_is_outer_subnet(cloud_tables(c), subnet_find(cloud_tables(c), inner)));
	gateway.external_network = (struct ref){0};
	cloud_ok(c, &c->alice, engine_set_router_gateway, &gateway);
	assert_false(has_default_route(c, router.router));
}

/* A server on a network has one of each family, also where only IPv6 is there; by a subnet as that says. */
static void check_launch(void **state)
{
	struct cloud *c = *state;
	struct ref network = make_network(c);
	add_subnet(c, network, "fd00:2::/64", RA(SLAAC));
	struct launch_port port = {.network = network, .field = STR("networks")};
	struct instance_launch wish = cloud_launch(c, 1);
	wish.ports = &port;
	wish.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct port *made = cloud_port(c, wish.made.at[0]);
	assert_int_equal(made->ip.family, IP_V6);
	add_subnet(c, network, "fd00:1::/64", RA(DHCPV6_STATEFUL));
	add_subnet(c, network, "10.7.0.0/24", RA(NONE));
	wish = cloud_launch(c, 1);
	wish.ports = &port;
	wish.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	made = cloud_port(c, wish.made.at[0]);
	assert_int_equal(made->ip.family, IP_V4);
	size_t count = 0;
	for (const struct secondary_ip *s = engine_first_secondary_ip(cloud_tables(c), made->row.id); s;
	     s = engine_next_secondary_ip(cloud_tables(c), s))
		count++;
	assert_int_equal(count, 2);
	port.ips.primary = ip_of("fd00:1::77");
	wish = cloud_launch(c, 1);
	wish.ports = &port;
	wish.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_true(is_ip(cloud_port(c, wish.made.at[0])->ip, "fd00:1::77"));
	port.ips.primary = ip_of("fd00:9::77");
	wish = cloud_launch(c, 1);
	wish.ports = &port;
	wish.port_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_RANGE, KIND_PORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_modes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_plain_subnet, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_port, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_coming_and_going, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_first_goes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_cut_from_router, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_named_block, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ruling, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_regions_pool, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_outside, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_launch, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_native_block, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_native, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_native_port, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_native_launch, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_own_list, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
