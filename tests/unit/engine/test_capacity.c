/* SPDX-License-Identifier: Apache-2.0
 * Region capacity: the figures, how exhaustion is reported, and what recovers by itself when capacity is
 * added. */
#include "cloud.h"
#include "engine/capacity.h"
#include "engine/condition.h"
#include "engine/limits.h"
#include "engine/network/network.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/subnet_pool.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/instance.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/router.h"

/* The cloud's link has eight addresses, of which its two accounts' default VPCs have one each; and it hands out ten. */
enum { LINK = 8, AT_FIRST = 2, PUBLIC = 10 };

static struct capacity_use read_outside(struct cloud *c, enum capacity capacity)
{
	struct capacity_use use;
	const struct external_network *n = external_network_find(cloud_tables(c), c->external_network);
	engine_read_capacity(cloud_tables(c), capacity, &n->row, &use);
	return use;
}

static void check_use(struct cloud *c, enum capacity capacity, int64_t used, int64_t all)
{
	struct capacity_use use = read_outside(c, capacity);
	assert_int_equal(use.used, used);
	assert_int_equal(use.all, all);
	assert_int_equal(engine_is_running_out(&use), all > 0 && used * 10 >= all * 9);
}

static const struct condition *nowhere(struct cloud *c, uuid gateway)
{
	return condition_find_by_subject(cloud_tables(c), gateway, STR(GATEWAY_NO_WAY_OUT));
}

/* ---- the link ---- */

struct vpc {
	struct ref router, gateway;
	uuid gateway_id;
};

static struct vpc make_vpc(struct cloud *c)
{
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	struct gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	return (struct vpc){ref_to(c, KIND_ROUTER, router.router), ref_to(c, KIND_GATEWAY, gateway.gateway),
			    gateway.gateway};
}

static struct vpc fill_link(struct cloud *c)
{
	struct vpc vpc = {0};
	for (int n = AT_FIRST; n < LINK; n++) {
		check_use(c, CAPACITY_GATEWAY_ADDRESSES, n, LINK);
		vpc = make_vpc(c);
		struct gateway_attachment attach = {vpc.gateway, vpc.router};
		cloud_ok(c, &c->alice, engine_attach_gateway, &attach);
	}
	check_use(c, CAPACITY_GATEWAY_ADDRESSES, LINK, LINK);
	return vpc;
}

/* Refused without a trace; an address that was given back is there for the next one. */
static void check_link(void **state)
{
	struct cloud *c = *state;
	struct vpc last = fill_link(c), more = make_vpc(c);
	struct gateway_attachment attach = {more.gateway, more.router};
	cloud_fails(c, &c->alice, engine_attach_gateway, &attach, ERR_CAPACITY, KIND_GATEWAY);
	struct router_gateway_wish set = {.router = more.router,
					  .external_network =
						  ref_to(c, KIND_EXTERNAL_NETWORK, c->external_network)};
	cloud_fails(c, &c->alice, engine_set_router_gateway, &set, ERR_CAPACITY, KIND_GATEWAY);
	struct gateway_attachment detach = {last.gateway, last.router};
	cloud_ok(c, &c->alice, engine_detach_gateway, &detach);
	check_use(c, CAPACITY_GATEWAY_ADDRESSES, LINK - 1, LINK);
	cloud_ok(c, &c->alice, engine_attach_gateway, &attach);
	assert_null(nowhere(c, more.gateway_id));
}

/* Each is a port of one switch, of which there are no more than so many. */
static void check_link_ports(void **state)
{
	struct cloud *c = *state;
	struct limit_wish limit = {.name = STR("gateways_of_link"), .most = STR("3")};
	cloud_ok(c, &c->operator, engine_set_limit, &limit);
	check_use(c, CAPACITY_GATEWAY_ADDRESSES, AT_FIRST, 3);
	struct vpc first = make_vpc(c), second = make_vpc(c);
	struct gateway_attachment attach = {first.gateway, first.router};
	cloud_ok(c, &c->alice, engine_attach_gateway, &attach);
	attach = (struct gateway_attachment){second.gateway, second.router};
	cloud_fails(c, &c->alice, engine_attach_gateway, &attach, ERR_CAPACITY, KIND_GATEWAY);
	limit.most = STR("-1");
	cloud_ok(c, &c->operator, engine_set_limit, &limit);
	check_use(c, CAPACITY_GATEWAY_ADDRESSES, 3, LINK);
	cloud_ok(c, &c->alice, engine_attach_gateway, &attach);
}

/* An account whose default VPC is made while the link is full, and an instance that wants a public address. */
struct late {
	struct identity who;
	uuid router, gateway;
};

static struct late make_late(struct cloud *c, const char *name)
{
	struct account_wish wish = {.name = str_from(name), .with_default_router = true};
	cloud_ok(c, &c->operator, engine_create_account, &wish);
	struct late late = {c->alice, wish.router, UUID_NONE};
	late.who.account = wish.account;
	late.who.user = wish.user;
	late.gateway = gateway_first_by_router(cloud_tables(c), wish.router)->row.id;
	return late;
}

static bool leads_out(struct cloud *c, const struct late *late)
{
	return !uuid_is_none(gateway_find(cloud_tables(c), late->gateway)->external_network);
}

static void check_default_vpc(void **state)
{
	struct cloud *c = *state;
	struct vpc last = fill_link(c);
	struct late dora = make_late(c, "dora"), emil = make_late(c, "emil");
	assert_false(leads_out(c, &dora));
	assert_true(str_starts_with(nowhere(c, dora.gateway)->message, STR("The link")));
	/* A launch that wants a public address says why it cannot have one; without, it is launched. */
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_fails(c, &dora.who, engine_create_instances, &launch, ERR_CAPACITY, KIND_ADDRESS);
	assert_true(str_contains(c->c.problem.message, STR("leads nowhere")));
	const struct launch_port inside = {.public_ip = CHOICE_NO};
	launch.ports = &inside;
	launch.port_count = 1;
	cloud_ok(c, &dora.who, engine_create_instances, &launch);
	/* An elastic address and a NAT gateway of this VPC fail likewise. */
	struct address_wish address = {0};
	cloud_ok(c, &dora.who, engine_allocate_address, &address);
	struct address_association associate = {.address = ref_to(c, KIND_ADDRESS, address.address),
						.instance = ref_to(c, KIND_INSTANCE, launch.made.at[0])};
	cloud_fails(c, &dora.who, engine_associate_address, &associate, ERR_STATE, KIND_GATEWAY);
	assert_true(str_contains(c->c.problem.message, STR("leads nowhere")));
	uuid subnet = instance_find(cloud_tables(c), launch.made.at[0])->subnet;
	struct nat_gateway_wish nat = {.subnet = ref_to(c, KIND_SUBNET, subnet),
				       .address = ref_to(c, KIND_ADDRESS, address.address)};
	cloud_ok(c, &dora.who, engine_create_nat_gateway, &nat);
	const struct nat_gateway *failed = nat_gateway_find(cloud_tables(c), nat.nat_gateway);
	assert_true(str_is(failed->failure_code, "Gateway.NotAttached") &&
		    str_contains(failed->failure_text, STR("leads nowhere")));

	/* An address that one VPC returns is given to one of the waiting VPCs; the others get theirs when the
	 * operator adds addresses. */
	struct gateway_attachment detach = {last.gateway, last.router};
	cloud_ok(c, &c->alice, engine_detach_gateway, &detach);
	assert_int_equal(leads_out(c, &dora) + leads_out(c, &emil), 1);
	check_use(c, CAPACITY_GATEWAY_ADDRESSES, LINK, LINK);
	struct gateway_range_wish range = {.external_network = ref_named(KIND_EXTERNAL_NETWORK, "internet"),
					   .first = ip_of("198.51.100.1"),
					   .last = ip_of("198.51.100.10")};
	cloud_fails(c, &c->operator, engine_set_gateway_range, &range, ERR_CONFLICT, KIND_ADDRESS_RANGE);
	range.last = ip_of("198.51.100.8");
	cloud_fails(c, &c->operator, engine_set_gateway_range, &range, ERR_CONFLICT, KIND_EXTERNAL_NETWORK);
	range.last = ip_of("198.51.100.9");
	cloud_fails(c, &c->alice, engine_set_gateway_range, &range, ERR_DENIED, KIND_EXTERNAL_NETWORK);
	cloud_ok(c, &c->operator, engine_set_gateway_range, &range);
	assert_true(leads_out(c, &dora) && leads_out(c, &emil));
	assert_null(nowhere(c, dora.gateway));
	assert_null(nowhere(c, emil.gateway));
	check_use(c, CAPACITY_GATEWAY_ADDRESSES, LINK + 1, LINK + 1);
	cloud_ok(c, &dora.who, engine_associate_address, &associate);
}

/* In a region that has no outside yet instances are launched without public addresses, and get them later. */
static void check_no_outside(void **state)
{
	static struct cloud bare;
	struct cloud *c = *state;
	struct external_network_wish network = {.name = STR("internet"),
						.physical_network = STR("physnet1"),
						.next_hop = ip_of("203.0.113.1"),
						.infra_first = ip_of("203.0.113.2"),
						.infra_last = ip_of("203.0.113.9"),
						.first = ip_of("203.0.113.10"),
						.last = ip_of("203.0.113.10")};
	(void) c;
	cloud_make_inside(&bare);
	c = &bare;
	uuid gateway = gateway_first_by_router(cloud_tables(c), c->alice_router)->row.id;
	assert_true(str_contains(nowhere(c, gateway)->message, STR("no outside network")));
	uuid first = cloud_launch_one(c), second = cloud_launch_one(c);
	assert_true(!cloud_address(c, first) && !cloud_address(c, second));
	cloud_ok(c, &c->operator, engine_add_external_network, &network);
	assert_null(nowhere(c, gateway));
	/* There is one address, for one of them. */
	assert_int_equal(!!cloud_address(c, first) + !!cloud_address(c, second), 1);
	cloud_done(c);
}

/* ---- public addresses ---- */

static void take_public(struct cloud *c, int count)
{
	for (int n = 0; n < count; n++) {
		struct address_wish wish = {0};
		cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	}
}

static void check_public(void **state)
{
	struct cloud *c = *state;
	check_use(c, CAPACITY_PUBLIC_ADDRESSES, 0, PUBLIC);
	take_public(c, PUBLIC - 3);
	/* A launch creates as many instances as there are addresses, if that is at least its minimum. */
	struct instance_launch launch = cloud_launch(c, 5);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_ADDRESS);
	launch.min_count = 1;
	launch.max_count = 5;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_int_equal(launch.made.count, 3);
	check_use(c, CAPACITY_PUBLIC_ADDRESSES, PUBLIC, PUBLIC);
	launch.max_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_ADDRESS);
	const struct launch_port inside = {.public_ip = CHOICE_NO};
	launch.ports = &inside;
	launch.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct address_wish more = {0};
	cloud_fails(c, &c->alice, engine_allocate_address, &more, ERR_CAPACITY, KIND_ADDRESS);
	more.external_network = ref_to(c, KIND_EXTERNAL_NETWORK, c->external_network);
	cloud_fails(c, &c->alice, engine_allocate_address, &more, ERR_CAPACITY, KIND_ADDRESS);
	struct vpc vpc = make_vpc(c);
	struct router_gateway_wish set = {.router = vpc.router, .external_network = more.external_network};
	cloud_fails(c, &c->alice, engine_set_router_gateway, &set, ERR_CAPACITY, KIND_GATEWAY);

	struct address_range_wish range = {.external_network = more.external_network,
					   .first = ip_of("198.51.100.30"),
					   .last = ip_of("198.51.100.30")};
	cloud_ok(c, &c->operator, engine_add_address_range, &range);
	check_use(c, CAPACITY_PUBLIC_ADDRESSES, PUBLIC, PUBLIC + 1);
	cloud_ok(c, &c->alice, engine_allocate_address, &more);
}

/* ---- IPv6 ---- */

static void set_pool(struct cloud *c, const char *block)
{
	struct external_ipv6_wish wish = {.external_network =
						  ref_to(c, KIND_EXTERNAL_NETWORK, c->external_network),
					  .pool = cidr_of(block)};
	cloud_ok(c, &c->operator, engine_set_external_ipv6, &wish);
}

static uuid make_region_pool(struct cloud *c, const char *prefix)
{
	struct cidr block = cidr_of(prefix);
	struct subnet_pool_wish wish = {.account = ref_to(c, KIND_ACCOUNT, c->alice.account),
					.name = STR("six"),
					.prefixes = {&block, 1},
					.default_bits = 64,
					.is_default = true,
					.is_shared = true};
	cloud_ok(c, &c->operator, engine_create_subnet_pool, &wish);
	return wish.pool;
}

static void check_ipv6(void **state)
{
	struct cloud *c = *state;
	check_use(c, CAPACITY_IPV6_BLOCKS, 0, 0);
	set_pool(c, "2001:db8:1::/55");
	check_use(c, CAPACITY_IPV6_BLOCKS, 0, 2);
	struct router_wish router = {.block = cidr_of("10.0.0.0/16"), .ipv6.is_wanted = true};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	cloud_ok(c, &c->alice, engine_create_router, &router);
	check_use(c, CAPACITY_IPV6_BLOCKS, 2, 2);
	cloud_fails(c, &c->alice, engine_create_router, &router, ERR_CAPACITY, KIND_ADDRESS);
	set_pool(c, "2001:db8:2::/55");
	check_use(c, CAPACITY_IPV6_BLOCKS, 0, 2);
	/* A subnet out of the region's pool takes a part of a block. */
	uuid pool = make_region_pool(c, "2001:db8:2::/56");
	struct network_wish network = {.name = STR("six")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = ref_to(c, KIND_NETWORK, network.network),
					     .pool = ref_to(c, KIND_SUBNET_POOL, pool),
					     .is_ipv6 = true};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	check_use(c, CAPACITY_IPV6_BLOCKS, 1, 2);
	subnet.block = (struct cidr){0};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	check_use(c, CAPACITY_IPV6_BLOCKS, 1, 2);
	set_pool(c, "2001:db8:1::/55");
	check_use(c, CAPACITY_IPV6_BLOCKS, 2, 2);
}

/* ---- of OVN ---- */

/* The fullest is found, however few are looked at each time. */
static void check_sweep(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c);
	cloud_launch_one(c);
	uuid fullest = port_first_by_instance(cloud_tables(c), instance)->network;
	for (size_t most = 1; most < 100; most += 9) {
		struct capacity_sweep sweep = {0};
		int steps = 0;
		while (!engine_sweep_capacity(cloud_tables(c), CAPACITY_NETWORK_PORTS, most, &sweep))
			assert_true(++steps < 100);
		const struct capacity_use *use = engine_get_fullest(&sweep);
		assert_true(uuid_equal(use->of, fullest));
		assert_int_equal(use->used,
				 engine_count_limited(cloud_tables(c), LIMIT_NETWORK_PORTS, fullest));
		assert_int_equal(use->all, NETWORK_PORTS_MAX);
	}
	struct capacity_sweep sweep = {0};
	assert_true(engine_sweep_capacity(cloud_tables(c), CAPACITY_NETWORK_KEYS, 1, &sweep));
	size_t routers = tables_count(cloud_tables(c), KIND_ROUTER),
	       networks = tables_count(cloud_tables(c), KIND_NETWORK);
	assert_int_equal(engine_get_fullest(&sweep)->used, 2 * routers + networks + 1);
}

/* A VPC takes two keys, and says so as its own limit. */
static void check_keys(void **state)
{
	struct cloud *c = *state;
	int64_t used = engine_count_limited(cloud_tables(c), LIMIT_NETWORK_KEYS, UUID_NONE);
	struct limit_wish limit = {.name = STR("network_keys"),
				   .most = str_print(c->arena, "%lld", (long long) used + 1)};
	cloud_ok(c, &c->operator, engine_set_limit, &limit);
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_fails(c, &c->alice, engine_create_router, &router, ERR_QUOTA, KIND_ROUTER);
	struct network_wish network = {.name = STR("last")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	cloud_fails(c, &c->alice, engine_create_network, &network, ERR_QUOTA, KIND_NETWORK);
}

/* A MAC is drawn for each port: a launch needs one, and leaves no trace without. */
static void check_macs(void **state)
{
	struct cloud *c = *state;
	struct limit_wish limit = {
		.name = STR("macs"),
		.most = str_print(c->arena, "%zu", tables_count(cloud_tables(c), KIND_PORT) + 1)};
	cloud_ok(c, &c->operator, engine_set_limit, &limit);
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_PORT);
	limit.most = STR_NONE;
	cloud_ok(c, &c->operator, engine_set_limit, &limit);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
}

static void check_words(void **state)
{
	struct cloud *c = *state;
	const struct capacity_use use = {9, 10, UUID_NONE}, few = {8, 10, UUID_NONE},
				  none = {0, 0, UUID_NONE}, vast = {0, INT64_C(1) << 40, UUID_NONE};
	assert_true(engine_is_running_out(&use) && !engine_is_running_out(&few) &&
		    !engine_is_running_out(&none) && !engine_is_running_out(&vast));
	assert_true(str_is(engine_write_capacity(c->arena, CAPACITY_PUBLIC_ADDRESSES, &use),
			   "9 of 10 public addresses in use (90 %)"));
	for (enum capacity k = 0; k < CAPACITY_COUNT; k++)
		assert_true(engine_capacities[k].name && engine_capacities[k].words &&
			    engine_capacities[k].advice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_link, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_link_ports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_default_vpc, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_no_outside, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_public, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ipv6, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_sweep, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_keys, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_macs, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_words, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
