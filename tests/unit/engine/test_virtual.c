/* SPDX-License-Identifier: Apache-2.0
 * Virtual networks with port policies, routing and gateways; route plans, and the states of peerings. */
#include "cloud.h"
#include "denied.h"
#include "store/address.h"
#include "store/balancer_set.h"
#include "store/load_balancer.h"
#include "store/peering_side.h"
#include "store/port.h"
#include "store/port_policy_rule.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/subnet.h"

#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/router.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/peering_side.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/route_plan.h"
#include "engine/virtual/source_nat.h"
#include "engine/virtual/virtual_network.h"
#include "model/port_rule.h"

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static uuid make_network(struct cloud *c, const char *block)
{
	const struct cidr blocks[] = {cidr_of(block)};
	struct virtual_network_wish wish = {.name = STR("net"), .blocks = {blocks, 1}};
	cloud_ok(c, &c->alice, engine_put_virtual_network, &wish);
	return wish.made;
}

static uuid make_subnet(struct cloud *c, uuid router, const char *block)
{
	struct virtual_subnet_wish wish = {
		.router = ref_of(KIND_ROUTER, router), .name = STR("a"), .block = cidr_of(block)};
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &wish);
	return wish.made;
}

static uuid make_port_at(struct cloud *c, uuid subnet, struct ip ip)
{
	struct port_wish wish = {
		.subnet = ref_of(KIND_SUBNET, subnet), .ips = {.primary = ip}, .by_firewall_alone = true};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	return wish.port;
}

static uuid make_port(struct cloud *c, uuid subnet)
{
	return make_port_at(c, subnet, (struct ip){0});
}

static uuid make_policy(struct cloud *c)
{
	struct port_policy_wish wish = {.name = STR("policy")};
	cloud_ok(c, &c->alice, engine_create_port_policy, &wish);
	return wish.policy;
}

/* ---- networks ---- */

static void check_blocks(void **state)
{
	struct cloud *c = *state;
	static const struct {
		const char *block;
		enum err err;
	} bad[] = {{"10.0.0.0/7", ERR_RANGE},
		   {"10.0.0.0/30", ERR_RANGE},
		   {"127.0.0.0/16", ERR_RANGE},
		   {"10.0.0.1/24", ERR_RANGE},
		   {"2001:db8::/56", ERR_RANGE}};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		const struct cidr block = cidr_of(bad[k].block);
		struct virtual_network_wish wish = {.name = STR("net"), .blocks = {&block, 1}};
		cloud_fails(c, &c->alice, engine_put_virtual_network, &wish, bad[k].err, KIND_ROUTER);
	}
	uuid router = make_network(c, "10.128.0.0/9");
	uuid subnet = make_subnet(c, router, "10.128.0.0/29");
	assert_true(uuid_is_none(subnet_find(cloud_tables(c), subnet)->zone)); /* in all of them */
	const struct cidr others[] = {cidr_of("10.10.0.0/16")};
	struct virtual_network_wish change = {.router = ref_of(KIND_ROUTER, router), .blocks = {others, 1}};
	cloud_fails(c, &c->alice, engine_put_virtual_network, &change, ERR_IN_USE, KIND_ROUTER);
	cloud_fails(c, &c->bob, engine_put_virtual_network, &change, ERR_NOT_FOUND, KIND_ROUTER);
	struct virtual_network_target target = {ref_of(KIND_ROUTER, router)};
	uuid port = make_port(c, subnet);
	cloud_fails(c, &c->alice, engine_delete_virtual_network, &target, ERR_IN_USE, KIND_SUBNET);
	struct port_target no_port = {.port = ref_of(KIND_PORT, port)};
	cloud_ok(c, &c->alice, engine_delete_port, &no_port);
	cloud_ok(c, &c->alice, engine_delete_virtual_network, &target);
}

/* ---- policies ---- */

static bool has(struct port_spans spans, uint32_t value)
{
	for (size_t k = 0; k < spans.count; k++)
		if (spans.at[k].first <= value && value <= spans.at[k].last)
			return true;
	return false;
}

/* Whether a TCP connection to an address of the network is denied. */
static bool is_denied(struct cloud *c, uuid policy, uuid router, struct ip from, struct ip to,
		      uint32_t to_port)
{
	struct port_rules rules = {0};
	struct port_cells cells = {0};
	struct ctx reading;
	ctx_init(&reading, c->arena);
	assert_int_equal(
		engine_read_port_rules(&reading, cloud_tables(c), policy, router, false, &rules).code,
		ERR_NONE);
	assert_true(port_find_denied(c->arena, rules.at, rules.count, PORT_TCP, &cells));
	for (size_t k = 0; k < cells.count; k++)
		if (has(cells.at[k].sides[PORT_FROM], ip_to_v4(from)) &&
		    has(cells.at[k].sides[PORT_TO], ip_to_v4(to)) &&
		    has(cells.at[k].sides[PORT_TO_PORTS], to_port))
			return true;
	return false;
}

static void check_rules(void **state)
{
	struct cloud *c = *state;
	uuid policy = make_policy(c);
	const struct str ports[] = {STR("22"), STR("80-90")}, tags[] = {STR("Internet")},
			 wrong[] = {STR("x")};
	struct port_policy_rule_wish rule = {.policy = ref_of(KIND_PORT_POLICY, policy),
					     .name = STR("rule"),
					     .allows = true,
					     .protocol = 6,
					     .priority = 100,
					     .sources = {tags, 1},
					     .destination_ports = {ports, 2}};
	rule.priority = 99;
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &rule, ERR_RANGE, KIND_PORT_POLICY_RULE);
	rule.priority = 4097;
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &rule, ERR_RANGE, KIND_PORT_POLICY_RULE);
	rule.priority = 100;
	rule.destinations = (struct strs){wrong, 1};
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &rule, ERR_INVALID, KIND_PORT_POLICY_RULE);
	rule.destinations = (struct strs){0};
	cloud_fails(c, &c->bob, engine_put_port_policy_rule, &rule, ERR_NOT_FOUND, KIND_PORT_POLICY);
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &rule);
	uuid made = rule.rule;
	rule.rule = UUID_NONE;
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &rule, ERR_EXISTS, KIND_PORT_POLICY_RULE);
	rule.egress = true; /* rules of the other direction may have the same priority */
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &rule);
	uuid router = make_network(c, "10.30.0.0/16");
	struct ip outside = cidr_of("192.0.2.1/32").base, inside = cidr_of("10.30.0.9/32").base,
		  to = cidr_of("10.30.0.4/32").base;
	assert_false(is_denied(c, policy, router, outside, to, 85));
	assert_true(is_denied(c, policy, router, outside, to, 91));
	assert_false(is_denied(c, policy, router, inside, to, 91)); /* within the network all passes */
	struct port_policy_rule_target target = {ref_of(KIND_PORT_POLICY_RULE, made)};
	cloud_ok(c, &c->alice, engine_delete_port_policy_rule, &target);
	assert_true(is_denied(c, policy, router, outside, to, 85));
}

static void check_uses(void **state)
{
	struct cloud *c = *state;
	uuid policy = make_policy(c), router = make_network(c, "10.31.0.0/16");
	uuid port = make_port(c, make_subnet(c, router, "10.31.0.0/24"));
	struct port_set_wish set = {.name = STR("web")};
	cloud_ok(c, &c->alice, engine_create_port_set, &set);
	const struct ref sets[] = {ref_of(KIND_PORT_SET, set.set)};
	struct port_guard_wish guard = {.port = ref_of(KIND_PORT, port),
					.policy = ref_of(KIND_PORT_POLICY, policy),
					.sets = {sets, 1}};
	cloud_ok(c, &c->alice, engine_guard_port, &guard);
	struct port_policy_target target = {ref_of(KIND_PORT_POLICY, policy)};
	struct port_set_target no_set = {ref_of(KIND_PORT_SET, set.set)};
	cloud_fails(c, &c->alice, engine_delete_port_policy, &target, ERR_IN_USE, KIND_PORT_POLICY);
	cloud_fails(c, &c->alice, engine_delete_port_set, &no_set, ERR_IN_USE, KIND_PORT_SET);
	struct port_policy_rule_wish rule = {.policy = guard.policy,
					     .name = STR("by set"),
					     .priority = 200,
					     .protocol = -1,
					     .source_sets = {sets, 1}};
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &rule);
	struct ip own = port_find(cloud_tables(c), port)->ip, to = cidr_of("10.31.1.9/32").base;
	assert_true(is_denied(c, policy, router, own, to, 1)); /* its own address is in the set */
	assert_false(is_denied(c, policy, router, to, own, 1));
	guard.policy = (struct ref){0};
	guard.sets = (struct refs){0};
	cloud_ok(c, &c->alice, engine_guard_port, &guard);
	cloud_fails(c, &c->alice, engine_delete_port_set, &no_set, ERR_IN_USE,
		    KIND_PORT_SET); /* by the rule */
	cloud_ok(c, &c->alice, engine_delete_port_policy, &target);
	assert_null(port_policy_rule_first_by_policy(cloud_tables(c), policy));
	cloud_ok(c, &c->alice, engine_delete_port_set, &no_set);
}

/* ---- routes and peerings ---- */

static const struct route *find_route(struct cloud *c, uuid table, const char *to)
{
	return route_find_by_table(cloud_tables(c), table, cidr_of(to));
}

static void check_plans(void **state)
{
	struct cloud *c = *state;
	uuid router = make_network(c, "10.32.0.0/16"), subnet = make_subnet(c, router, "10.32.0.0/24");
	struct route_plan_wish plan = {.name = STR("plan")};
	cloud_ok(c, &c->alice, engine_create_route_plan, &plan);
	struct route_plan_entry_wish entry = {.plan = ref_of(KIND_ROUTE_PLAN, plan.plan),
					      .name = STR("a"),
					      .destination = cidr_of("192.0.2.0/24"),
					      .hop = ROUTE_PLAN_ENTRY_HOP_APPLIANCE};
	cloud_fails(c, &c->alice, engine_put_route_plan_entry, &entry, ERR_INVALID, KIND_ROUTE_PLAN_ENTRY);
	entry.next_hop = cidr_of("10.32.0.4/32").base;
	cloud_ok(c, &c->alice, engine_put_route_plan_entry, &entry);
	struct virtual_subnet_wish change = {.router = ref_of(KIND_ROUTER, router),
					     .subnet = subnet,
					     .block = cidr_of("10.32.0.0/24"),
					     .plan = entry.plan};
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &change);
	uuid table = subnet_find(cloud_tables(c), subnet)->route_table;
	assert_true(
		uuid_is_none(find_route(c, table, "192.0.2.0/24")->port)); /* the address is not in use yet */
	uuid port = make_port_at(c, subnet, entry.next_hop);
	struct system_routes_wish settle = {router};
	cloud_ok(c, NULL, engine_settle_system_routes, &settle);
	assert_true(uuid_equal(find_route(c, table, "192.0.2.0/24")->port, port));
	struct route_plan_target target = {entry.plan};
	cloud_fails(c, &c->alice, engine_delete_route_plan, &target, ERR_IN_USE, KIND_ROUTE_PLAN);
	change.plan = (struct ref){0};
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &change);
	assert_null(route_table_find(cloud_tables(c), table));
	cloud_ok(c, &c->alice, engine_delete_route_plan, &target);
}

static void check_sides(void **state)
{
	struct cloud *c = *state;
	uuid here = make_network(c, "10.33.0.0/16"), there = make_network(c, "10.34.0.0/16");
	struct peering_side_wish side = {.router = ref_of(KIND_ROUTER, here),
					 .peer_router = ref_of(KIND_ROUTER, there),
					 .name = STR("to")};
	uuid table = router_find(cloud_tables(c), here)->main_route_table;
	cloud_ok(c, &c->alice, engine_put_peering_side, &side);
	assert_null(find_route(c, table, "10.34.0.0/16"));
	struct peering_side_wish back = {
		.router = side.peer_router, .peer_router = side.router, .name = STR("back")};
	cloud_ok(c, &c->alice, engine_put_peering_side, &back);
	assert_non_null(find_route(c, table, "10.34.0.0/16"));
	assert_false(uuid_is_none(peering_side_find(cloud_tables(c), side.made)->peering));
	cloud_fails(c, &c->alice, engine_put_peering_side, &side, ERR_EXISTS, KIND_PEERING_SIDE);
	struct peering_side_target target = {ref_of(KIND_PEERING_SIDE, back.made)};
	cloud_ok(c, &c->alice, engine_delete_peering_side, &target);
	assert_null(find_route(c, table, "10.34.0.0/16"));
	assert_true(peering_side_find(cloud_tables(c), side.made)->was_connected);
	struct virtual_network_target whole = {side.router};
	cloud_ok(c, &c->alice, engine_delete_virtual_network, &whole);
	assert_null(peering_side_find(cloud_tables(c), side.made));
}

/* ---- private frontends ---- */

static void check_private_fronts(void **state)
{
	struct cloud *c = *state;
	uuid network = make_network(c, "10.33.0.0/16");
	struct ref subnet = ref_of(KIND_SUBNET, make_subnet(c, network, "10.33.1.0/24"));
	struct balancer_front front = {.name = STR("in"), .subnet = subnet, .ip = ip_from_v4(0x0a210109)};
	const struct balancer_rule rule = {.name = STR("r"),
					   .front = STR("in"),
					   .protocol = LOAD_BALANCER_PROTOCOL_TCP,
					   .public_port = 80,
					   .private_port = 80,
					   .pool = STR("p"),
					   .ask_interval = 15,
					   .ask_failures = 2};
	const struct str pool = STR("p");
	struct balancer_set_wish wish = {.name = STR("set"),
					 .fronts = &front,
					 .front_count = 1,
					 .rules = &rule,
					 .rule_count = 1,
					 .pools = {&pool, 1}};
	cloud_ok(c, &c->alice, engine_put_balancer_set, &wish);
	const struct port *port = engine_find_front(cloud_tables(c), wish.made, STR("IN"));
	assert_non_null(port);
	assert_true(engine_is_front(cloud_tables(c), port));
	const struct load_balancer *b = load_balancer_first_by_front(cloud_tables(c), port->row.id);
	assert_non_null(b);
	assert_true(uuid_equal(b->router, network));
	assert_int_equal(b->ask_interval, 15);
	uuid balancer = b->row.id, id = port->row.id;
	struct port_target one = {.port = ref_of(KIND_PORT, id)};
	cloud_fails(c, &c->alice, engine_delete_port, &one, ERR_PROTECTED, KIND_PORT);
	/* The same again is the same. */
	wish.set = ref_of(KIND_BALANCER_SET, wish.made);
	cloud_ok(c, &c->alice, engine_put_balancer_set, &wish);
	assert_non_null(load_balancer_find(cloud_tables(c), balancer));
	/* An address in no subnet; nothing changes. */
	front.ip = ip_from_v4(0x0a220109);
	cloud_fails(c, &c->alice, engine_put_balancer_set, &wish, ERR_RANGE, KIND_PORT);
	assert_non_null(load_balancer_find(cloud_tables(c), balancer));
	front.ip = ip_from_v4(0x0a21010a);
	cloud_ok(c, &c->alice, engine_put_balancer_set, &wish);
	assert_null(load_balancer_find(cloud_tables(c), balancer));
	assert_false(row_is_live(&port_find(cloud_tables(c), id)->row));
	struct balancer_set_target set = {wish.set};
	id = engine_find_front(cloud_tables(c), wish.made, STR("in"))->row.id;
	cloud_ok(c, &c->alice, engine_delete_balancer_set, &set);
	assert_null(load_balancer_first_by_front(cloud_tables(c), id));
	assert_false(row_is_live(&port_find(cloud_tables(c), id)->row));
}

/* ---- labels ---- */

static void check_members(void **state)
{
	struct cloud *c = *state;
	uuid port = make_port(c, make_subnet(c, make_network(c, "10.33.0.0/16"), "10.33.1.0/24"));
	const struct str name = STR("p");
	struct balancer_set_wish set = {.name = STR("set"), .pools = {&name, 1}};
	cloud_ok(c, &c->alice, engine_put_balancer_set, &set);
	const struct balanced_pool pool = {ref_of(KIND_BALANCER_SET, set.made), name};
	struct balanced_wish wish = {.port = ref_of(KIND_PORT, port),
				     .private_ip = port_find(cloud_tables(c), port)->ip,
				     .pools = &pool,
				     .pool_count = 1};
	cloud_denies(c, &c->alice, engine_balance_port, &wish, "load_balancer.add", KIND_BALANCER_SET,
		     set.made);
	cloud_ok(c, &c->alice, engine_balance_port, &wish);
	wish.pool_count = 0;
	cloud_denies(c, &c->alice, engine_balance_port, &wish, "load_balancer.remove", KIND_BALANCER_SET,
		     set.made);
	cloud_ok(c, &c->alice, engine_balance_port, &wish);
}

/* ---- parts and wholes ---- */

/* Refuses the id of a part that belongs to another whole than the call names. */
static void check_wholes(void **state)
{
	struct cloud *c = *state;
	struct port_policy_rule_wish rule = {.policy = ref_of(KIND_PORT_POLICY, make_policy(c)),
					     .name = STR("rule"),
					     .priority = 100,
					     .protocol = -1};
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &rule);
	rule.policy = ref_of(KIND_PORT_POLICY, make_policy(c));
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &rule, ERR_NOT_FOUND, KIND_PORT_POLICY_RULE);
	struct route_plan_wish plan = {.name = STR("plan")}, other = {.name = STR("other")};
	cloud_ok(c, &c->alice, engine_create_route_plan, &plan);
	cloud_ok(c, &c->alice, engine_create_route_plan, &other);
	struct route_plan_entry_wish entry = {.plan = ref_of(KIND_ROUTE_PLAN, plan.plan),
					      .name = STR("a"),
					      .destination = cidr_of("192.0.2.0/24"),
					      .hop = ROUTE_PLAN_ENTRY_HOP_INTERNET};
	cloud_ok(c, &c->alice, engine_put_route_plan_entry, &entry);
	entry.plan.prefix = other.plan;
	cloud_fails(c, &c->alice, engine_put_route_plan_entry, &entry, ERR_NOT_FOUND, KIND_ROUTE_PLAN_ENTRY);
	uuid here = make_network(c, "10.33.0.0/16"), there = make_network(c, "10.34.0.0/16"),
	     third = make_network(c, "10.35.0.0/16");
	struct virtual_subnet_wish subnet = {.router = ref_of(KIND_ROUTER, there),
					     .subnet = make_subnet(c, here, "10.33.1.0/24"),
					     .block = cidr_of("10.33.1.0/24")};
	cloud_fails(c, &c->alice, engine_put_virtual_subnet, &subnet, ERR_NOT_FOUND, KIND_SUBNET);
	struct peering_side_wish side = {.router = ref_of(KIND_ROUTER, here),
					 .peer_router = ref_of(KIND_ROUTER, there),
					 .name = STR("to")};
	cloud_ok(c, &c->alice, engine_put_peering_side, &side);
	side.side = side.made;
	side.router.prefix = third;
	cloud_fails(c, &c->alice, engine_put_peering_side, &side, ERR_NOT_FOUND, KIND_PEERING_SIDE);
}

static void check_labels(void **state)
{
	struct cloud *c = *state;
	struct address_wish one = {0}, two = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &one);
	cloud_ok(c, &c->alice, engine_allocate_address, &two);
	struct address_label_wish label = {.address = ref_of(KIND_ADDRESS, one.address),
					   .label = STR("Shop")};
	cloud_ok(c, &c->alice, engine_label_address, &label);
	assert_true(uuid_equal(engine_find_label(cloud_tables(c), STR("shop"))->row.id, one.address));
	label.address.bits = 120; /* as short as a user may write an id */
	cloud_ok(c, &c->alice, engine_label_address, &label);
	label.address = ref_of(KIND_ADDRESS, two.address);
	cloud_fails(c, &c->alice, engine_label_address, &label, ERR_EXISTS, KIND_ADDRESS);
	static const char *const bad[] = {"a", "1ab", "a_b", "ab-", "a.b"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		label.label = str_from(bad[k]);
		cloud_fails(c, &c->alice, engine_label_address, &label, ERR_INVALID, KIND_ADDRESS);
	}
	struct address_target gone = {.address = ref_of(KIND_ADDRESS, one.address)};
	cloud_ok(c, &c->alice, engine_release_address, &gone);
	assert_null(engine_find_label(cloud_tables(c), STR("shop")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_blocks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rules, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_uses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_plans, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_sides, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_private_fronts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_members, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_wholes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_labels, cloud_setup, cloud_teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
