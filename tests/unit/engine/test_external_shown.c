/* SPDX-License-Identifier: Apache-2.0
 * External networks shown as networks: creation, their subnets' pools as ranges, and ports and gateways on
 * them. */
#include "cloud.h"
#include "engine/network/address/address_prefix.h"
#include "engine/network/network.h"
#include "model/address.h"
#include "model/subnet.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/address_range.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/network.h"
#include "store/port.h"
#include "store/router.h"

static void see_bridges(struct cloud *c, const char *words)
{
	struct host_report report = {.host = c->hosts[0],
				     .state = HOST_SEEN_STATE_UP,
				     .has_facts = true,
				     .cpus = 8,
				     .memory = 17 * GIB,
				     .disk = 200 * GIB,
				     .virt = HOST_SEEN_VIRT_KVM,
				     .version = STR("9.0"),
				     .boot_id = STR("boot-1"),
				     .physical_networks = str_from(words)};
	cloud_ok(c, NULL, engine_see_host, &report);
}

static struct network_wish wish_of(const char *name, const char *physical)
{
	return (struct network_wish){
		.account = ref_named(KIND_ACCOUNT, "alice"),
		.name = str_from(name),
		.is_external = true,
		.provider = {.type = STR("flat"), .physical_network = str_from(physical)}};
}

static uuid make(struct cloud *c, const char *name)
{
	struct network_wish wish = wish_of(name, "physnet2");
	see_bridges(c, "physnet1 physnet2");
	cloud_ok(c, &c->operator, engine_create_network, &wish);
	return wish.network;
}

static uuid add_subnet(struct cloud *c, uuid network, const char *block, struct ips pools)
{
	struct network_subnet_wish wish = {.network = ref_by_id(KIND_NETWORK, network),
					   .block = cidr_of(block),
					   .is_ipv6 = cidr_of(block).base.family == IP_V6,
					   .no_dhcp = true,
					   .pools = pools};
	cloud_ok(c, &c->operator, engine_add_subnet, &wish);
	return wish.subnet;
}

static uuid add_small(struct cloud *c, uuid network)
{
	struct ip pool[] = {ip_of("203.0.113.10"), ip_of("203.0.113.12")};
	return add_subnet(c, network, "203.0.113.0/24", (struct ips){pool, 2});
}

static const struct external_network *find(const struct cloud *c, uuid id)
{
	return external_network_find(cloud_tables(c), id);
}

static size_t count_ranges(const struct cloud *c, uuid network)
{
	size_t count = 0;
	const struct address_range *r = address_range_first_by_external_network(cloud_tables(c), network);
	for (; r; r = address_range_next_by_external_network(cloud_tables(c), r))
		count++;
	return count;
}

/* ---- made ---- */

static void check_provider(void **state)
{
	struct cloud *c = *state;
	struct network_wish wish = wish_of("ext", "physnet2");
	wish.account = (struct ref){0};
	cloud_fails(c, &c->alice, engine_create_network, &wish, ERR_DENIED, KIND_NETWORK);
	wish.account = ref_named(KIND_ACCOUNT, "alice");
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_INVALID, KIND_NETWORK);
	see_bridges(c, "physnet22 physnet2");
	cloud_ok(c, &c->operator, engine_create_network, &wish);
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_IN_USE, KIND_EXTERNAL_NETWORK);
	wish.provider.type = STR("vlan");
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_INVALID, KIND_NETWORK);
	for (wish.provider.segment = -1; wish.provider.segment <= 4095; wish.provider.segment += 4096)
		cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_INVALID, KIND_NETWORK);
	wish.provider.segment = 4094;
	cloud_ok(c, &c->operator, engine_create_network, &wish);
	assert_int_equal(find(c, wish.network)->vlan, 4094);
	assert_int_equal(network_find(cloud_tables(c), wish.network)->mtu, 1500);
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_IN_USE, KIND_EXTERNAL_NETWORK);
	wish.provider.physical_network = STR_NONE;
	wish.provider.segment = 0;
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_CAPACITY, KIND_EXTERNAL_NETWORK);
	wish.provider.type = STR_NONE;
	wish.is_default = true;
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_EXISTS, KIND_EXTERNAL_NETWORK);
	wish.is_external = wish.is_default = false;
	wish.provider = (struct network_provider){.type = STR("flat"), .physical_network = STR("physnet2")};
	cloud_fails(c, &c->operator, engine_create_network, &wish, ERR_INVALID, KIND_NETWORK);
}

/* The name of an external network is its alone; a network's is not. */
static void check_names(void **state)
{
	struct cloud *c = *state;
	uuid id = make(c, "internet");
	char text[UUID_TEXT_SIZE];
	assert_true(str_is(find(c, id)->name, uuid_write(id, text)));
	struct str name = STR("other");
	struct network_settings settings = {.network = ref_by_id(KIND_NETWORK, id), .name = &name};
	cloud_ok(c, &c->operator, engine_update_network, &settings);
	assert_true(str_is(find(c, id)->name, "other"));
	settings.network = ref_by_id(KIND_NETWORK, c->external_network);
	name = STR("upstream");
	cloud_ok(c, &c->operator, engine_update_network, &settings);
	assert_true(str_is(find(c, c->external_network)->name, "upstream"));
	cloud_fails(c, &c->alice, engine_update_network, &settings, ERR_NOT_FOUND, KIND_NETWORK);
}

static void check_made_external(void **state)
{
	struct cloud *c = *state;
	struct network_wish wish = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &wish);
	uuid subnet = add_small(c, wish.network);
	struct network_settings settings = {.network = ref_by_id(KIND_NETWORK, wish.network),
					    .is_external = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_update_network, &settings, ERR_DENIED, KIND_NETWORK);
	struct network_port_wish port = {.network = settings.network};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	cloud_fails(c, &c->operator, engine_update_network, &settings, ERR_IN_USE, KIND_NETWORK);
	struct port_target gone = {.port = ref_to(c, KIND_PORT, port.port)};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	cloud_ok(c, &c->operator, engine_update_network, &settings);
	assert_int_equal(count_ranges(c, wish.network), 1);
	assert_true(uuid_equal(address_range_first_by_external_network(cloud_tables(c), wish.network)->subnet,
			       subnet));
	settings.is_external = CHOICE_NO;
	cloud_ok(c, &c->operator, engine_update_network, &settings);
	assert_null(find(c, wish.network));
	assert_int_equal(count_ranges(c, wish.network), 0);
}

/* ---- its subnets ---- */

static void check_ranges(void **state)
{
	struct cloud *c = *state;
	uuid network = make(c, "ext");
	uuid id = add_small(c, network);
	assert_true(ip_equal(find(c, network)->next_hop, ip_of("203.0.113.1")));
	struct ip more[] = {ip_of("203.0.113.10"), ip_of("203.0.113.12"), ip_of("203.0.113.20"),
			    ip_of("203.0.113.29")};
	struct ips pools = {more, 4};
	struct ip hop = ip_of("203.0.113.254");
	struct subnet_settings settings = {
		.subnet = ref_to(c, KIND_SUBNET, id), .pools = &pools, .gateway_ip = &hop};
	cloud_ok(c, &c->operator, engine_update_subnet, &settings);
	assert_int_equal(count_ranges(c, network), 2);
	assert_true(ip_equal(find(c, network)->next_hop, hop));
	(void) add_subnet(c, network, "2001:db8:7::/64", (struct ips){0}); /* of IPv6 there are none */
	assert_int_equal(count_ranges(c, network), 2);
	struct address_wish address = {.external_network = ref_by_id(KIND_EXTERNAL_NETWORK, network),
				       .ip = ip_of("203.0.113.25")};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct subnet_target target = {.subnet = settings.subnet};
	cloud_fails(c, &c->operator, engine_delete_subnet, &target, ERR_IN_USE, KIND_SUBNET);
	struct address_target release = {.address = ref_to(c, KIND_ADDRESS, address.address)};
	cloud_ok(c, &c->alice, engine_release_address, &release);
	cloud_ok(c, &c->operator, engine_delete_subnet, &target);
	assert_int_equal(count_ranges(c, network), 0);
	assert_true(ip_is_none(find(c, network)->next_hop));
	cloud_fails(c, &c->alice, engine_allocate_address, &address, ERR_INVALID, KIND_EXTERNAL_NETWORK);
	struct address_range_wish range = {.external_network = address.external_network,
					   .first = ip_of("203.0.113.40"),
					   .last = ip_of("203.0.113.41")};
	cloud_fails(c, &c->operator, engine_add_address_range, &range, ERR_STATE, KIND_EXTERNAL_NETWORK);
}

static void check_deleted(void **state)
{
	struct cloud *c = *state;
	uuid network = make(c, "ext");
	(void) add_small(c, network);
	struct address_wish address = {.external_network = ref_by_id(KIND_EXTERNAL_NETWORK, network)};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct router_gateway_wish gateway = {.router = ref_to(c, KIND_ROUTER, c->bob_router),
					      .external_network = address.external_network};
	cloud_ok(c, &c->bob, engine_set_router_gateway, &gateway);
	struct network_target target = {.network = ref_by_id(KIND_NETWORK, network)};
	cloud_fails(c, &c->operator, engine_delete_network, &target, ERR_IN_USE, KIND_NETWORK);
	gateway.external_network = (struct ref){0};
	cloud_ok(c, &c->bob, engine_set_router_gateway, &gateway);
	cloud_ok(c, &c->operator, engine_delete_network, &target);
	assert_null(find(c, network));
	assert_false(row_is_live(&address_find(cloud_tables(c), address.address)->row));
	assert_int_equal(cloud_usage(c, address.address, "address:idle"), 0);
}

/* ---- addresses in external networks ---- */

static RESULT add_port(struct cloud *c, uuid network, const struct port_fixed_wish *fixed, size_t count,
		       uuid *ret_port)
{
	struct network_port_wish wish = {.network = ref_by_id(KIND_NETWORK, network),
					 .account = ref_named(KIND_ACCOUNT, "alice"),
					 .fixed = {.at = fixed, .count = count, .is_given = count > 0}};
	struct result added = cloud_run(c, &c->operator, engine_add_port_run, &wish);
	*ret_port = wish.port;
	return added;
}

static void check_ports(void **state)
{
	struct cloud *c = *state;
	uuid network = make(c, "ext"), ports[3];
	(void) add_small(c, network);
	const struct port_fixed_wish twelve = {.ip = ip_of("203.0.113.12")};
	cloud_expect(c, add_port(c, network, &twelve, 1, &ports[0]), ERR_NONE, KIND_NONE);
	cloud_expect(c, add_port(c, network, &twelve, 1, &ports[1]), ERR_EXISTS, KIND_PORT);
	struct address_wish address = {.external_network = ref_by_id(KIND_EXTERNAL_NETWORK, network),
				       .ip = twelve.ip};
	cloud_fails(c, &c->alice, engine_allocate_address, &address, ERR_EXISTS, KIND_ADDRESS);
	address.ip = ip_of("203.0.113.11");
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	cloud_expect(c, add_port(c, network, NULL, 0, &ports[1]), ERR_NONE, KIND_NONE);
	assert_true(ip_equal(port_find(cloud_tables(c), ports[1])->ip, ip_of("203.0.113.10")));
	cloud_expect(c, add_port(c, network, NULL, 0, &ports[2]), ERR_CAPACITY, KIND_SUBNET);
	struct port_attaching attach = {.port = ref_to(c, KIND_PORT, ports[1]),
					.instance = ref_to(c, KIND_INSTANCE, cloud_launch_one(c)),
					.device_index = 1};
	cloud_fails(c, &c->alice, engine_attach_port, &attach, ERR_DENIED, KIND_EXTERNAL_NETWORK);
	struct port_target gone = {.port = ref_to(c, KIND_PORT, ports[0])};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	address.ip = twelve.ip; /* nothing in the network had it */
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	/* Nor is an address for routers a port's. */
	const struct port_fixed_wish routers = {.ip = ip_of("198.51.100.5")};
	cloud_expect(c, add_port(c, c->external_network, &routers, 1, &ports[2]), ERR_EXISTS, KIND_ADDRESS);
}

static void check_gateway(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid network = make(c, "ext");
	uuid subnet = add_small(c, network);
	struct router_gateway_wish wish = {.router = ref_to(c, KIND_ROUTER, c->bob_router),
					   .external_network = ref_by_id(KIND_EXTERNAL_NETWORK, network),
					   .subnet = ref_by_id(KIND_SUBNET, subnet),
					   .ip = ip_of("203.0.113.11")};
	cloud_ok(c, &c->bob, engine_set_router_gateway, &wish);
	const struct gateway *gateway = gateway_first_by_router(t, c->bob_router);
	assert_true(ip_equal(gateway->ip, wish.ip)); /* its port's own */
	assert_true(ip_equal(address_find(t, gateway->address)->ip, wish.ip));
	wish.ip = ip_of("203.0.113.12");
	cloud_ok(c, &c->bob, engine_set_router_gateway, &wish);
	gateway = gateway_first_by_router(t, c->bob_router);
	assert_true(ip_equal(gateway->ip, wish.ip));
	wish.ip = (struct ip){0};
	wish.external_network.prefix = c->external_network;
	cloud_fails(c, &c->bob, engine_set_router_gateway, &wish, ERR_NOT_FOUND, KIND_SUBNET);
	wish.subnet = (struct ref){0};
	cloud_ok(c, &c->bob, engine_set_router_gateway, &wish);
	gateway = gateway_first_by_router(t, c->bob_router);
	assert_true(uuid_equal(gateway->external_network, c->external_network));
	assert_null(address_find_by_ip(t, network, ip_of("203.0.113.12")));
}

static void detach_and_attach(struct cloud *c, const struct identity *who, uuid router)
{
	const struct gateway *gateway = gateway_first_by_router(cloud_tables(c), router);
	struct gateway_attachment wish = {.gateway = ref_to(c, KIND_GATEWAY, gateway->row.id),
					  .router = ref_to(c, KIND_ROUTER, router)};
	cloud_ok(c, who, engine_detach_gateway, &wish);
	cloud_ok(c, who, engine_attach_gateway, &wish);
}

/* Without a name nobody gets addresses of it, until it is the default one. */
static void take_all(struct cloud *c)
{
	for (int n = 0; n < 10; n++) {
		struct address_wish any = {0};
		cloud_ok(c, &c->bob, engine_allocate_address, &any);
	}
}

static void make_default(struct cloud *c, uuid network)
{
	struct external_default_wish change = {.external_network =
						       ref_by_id(KIND_EXTERNAL_NETWORK, c->external_network)};
	cloud_ok(c, &c->operator, engine_set_default_external, &change);
	change = (struct external_default_wish){ref_by_id(KIND_EXTERNAL_NETWORK, network), true};
	cloud_ok(c, &c->operator, engine_set_default_external, &change);
}

static void check_by_default(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid network = make(c, "ext");
	(void) add_small(c, network);
	take_all(c);
	struct address_wish none = {0};
	cloud_fails(c, &c->bob, engine_allocate_address, &none, ERR_CAPACITY, KIND_ADDRESS);
	make_default(c, network);
	cloud_fails(c, &c->bob, engine_allocate_address, &none, ERR_CAPACITY,
		    KIND_ADDRESS); /* his gateway leads to the full one */
	detach_and_attach(c, &c->bob, c->bob_router);
	cloud_ok(c, &c->bob, engine_allocate_address, &none);
	assert_true(uuid_equal(address_find(t, none.address)->external_network, network));
}

/* A block that somebody has keeps its network, though no address of it is in use. */
static void check_block_stays(void **state)
{
	struct cloud *c = *state;
	uuid network = make(c, "ext"), subnet = add_small(c, network);
	take_all(c);
	make_default(c, network);
	struct address_prefix_wish block = {.name = STR("block"), .bits = 31};
	cloud_ok(c, &c->alice, engine_create_address_prefix, &block);
	const struct address_prefix *made = address_prefix_find(cloud_tables(c), block.prefix);
	assert_true(uuid_equal(made->external_network, network));
	struct subnet_target target = {.subnet = ref_to(c, KIND_SUBNET, subnet)};
	cloud_fails(c, &c->operator, engine_delete_subnet, &target, ERR_IN_USE, KIND_SUBNET);
	struct network_target whole = {.network = ref_by_id(KIND_NETWORK, network)};
	cloud_fails(c, &c->operator, engine_delete_network, &whole, ERR_IN_USE, KIND_NETWORK);
	struct network_settings settings = {.network = whole.network, .is_external = CHOICE_NO};
	cloud_fails(c, &c->operator, engine_update_network, &settings, ERR_IN_USE, KIND_EXTERNAL_NETWORK);
	struct address_prefix_target gone = {.prefix = ref_to(c, KIND_ADDRESS_PREFIX, block.prefix)};
	cloud_ok(c, &c->alice, engine_delete_address_prefix, &gone);
	cloud_ok(c, &c->operator, engine_delete_network, &whole);
}

/* The region's only one: an internet gateway has a public address there that is its alone. */
static void check_alone(void **state)
{
	static struct cloud made;
	struct cloud *c = &made;
	(void) state;
	cloud_make_inside(c);
	const struct tables *t = cloud_tables(c);
	uuid network = make(c, "ext");
	(void) add_small(c, network);
	assert_true(uuid_is_none(gateway_first_by_router(t, c->alice_router)->external_network));
	struct network_settings settings = {.network = ref_by_id(KIND_NETWORK, network),
					    .is_default = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_update_network, &settings);
	const struct gateway *gateway = gateway_first_by_router(t, c->alice_router);
	assert_true(uuid_equal(gateway->external_network, network));
	assert_true(uuid_is_none(gateway->address)); /* no address for source NAT */
	struct ip ip = gateway->ip;
	assert_true(row_is_live(&address_find_by_ip(t, network, ip)->row));
	detach_and_attach(c, &c->alice, c->alice_router);
	gateway = gateway_first_by_router(t, c->alice_router);
	assert_false(ip_is_none(gateway->ip) || ip_equal(gateway->ip, ip));
	const struct address *former = address_find_by_ip(t, network, ip);
	assert_false(former && row_is_live(&former->row)); /* it may be forgotten by now */
	cloud_done(c);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, cloud_setup, cloud_teardown)
	const struct CMUnitTest tests[] = {
		CASE(check_provider),      CASE(check_names),
		CASE(check_made_external), CASE(check_ranges),
		CASE(check_deleted),       CASE(check_ports),
		CASE(check_gateway),       CASE(check_by_default),
		CASE(check_block_stays),   cmocka_unit_test(check_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
