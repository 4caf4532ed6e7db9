/* SPDX-License-Identifier: Apache-2.0
 * Port policies: limits of their rules, what keeps a policy or a set in use, and which addresses the words of
 * a rule mean behind a router. test_virtual.c has the order of rules. */
#include "cloud.h"

#include <string.h>

#include "engine/tombstone.h"
#include "engine/virtual/peering_side.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/virtual_network.h"
#include "model/port_rule.h"
#include "store/address.h"
#include "store/port.h"
#include "store/port_policy.h"
#include "store/port_policy_rule.h"
#include "store/subnet.h"

static uuid make_network(struct cloud *c, const char *block)
{
	const struct cidr blocks[] = {cidr_of(block)};
	struct virtual_network_wish wish = {.name = STR("net"), .blocks = {blocks, 1}};
	cloud_ok(c, &c->alice, engine_put_virtual_network, &wish);
	return wish.made;
}

static struct virtual_subnet_wish subnet_in(uuid router, const char *block)
{
	return (struct virtual_subnet_wish){
		.router = ref_by_id(KIND_ROUTER, router), .name = STR("a"), .block = cidr_of(block)};
}

static uuid make_port(struct cloud *c, uuid subnet)
{
	struct port_wish wish = {.subnet = ref_by_id(KIND_SUBNET, subnet), .by_firewall_alone = true};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	return wish.port;
}

static struct ref make_policy(struct cloud *c)
{
	struct port_policy_wish wish = {.name = STR("policy")};
	cloud_ok(c, &c->alice, engine_create_port_policy, &wish);
	return ref_by_id(KIND_PORT_POLICY, wish.policy);
}

static struct port_policy_rule_wish rule_in(struct ref policy)
{
	return (struct port_policy_rule_wish){
		.policy = policy, .name = STR("rule"), .priority = 100, .protocol = -1};
}

static bool has(struct port_spans spans, struct ip ip)
{
	uint32_t value = ip_to_v4(ip);
	for (size_t k = 0; k < spans.count; k++)
		if (spans.at[k].first <= value && value <= spans.at[k].last)
			return true;
	return false;
}

/* True if a TCP connection between the addresses is denied in that direction. */
static bool is_denied(struct cloud *c, struct ref policy, uuid router, bool egress, struct ip from,
		      struct ip to)
{
	struct port_rules rules = {0};
	struct port_cells cells = {0};
	struct ctx own;
	ctx_init(&own, c->arena);
	assert_true(result_is_ok(
		engine_read_port_rules(&own, cloud_tables(c), policy.prefix, router, egress, &rules)));
	assert_true(port_find_denied(c->arena, rules.at, rules.count, PORT_TCP, &cells));
	for (size_t k = 0; k < cells.count; k++)
		if (has(cells.at[k].sides[PORT_FROM], from) && has(cells.at[k].sides[PORT_TO], to))
			return true;
	return false;
}

/* ---- limits ---- */

static void expect_refused(struct cloud *c, struct port_policy_rule_wish wish, enum err err,
			   const char *field)
{
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &wish, err, KIND_PORT_POLICY_RULE);
	assert_string_equal(str_to_z(c->arena, c->c.problem.field), field);
}

static void texts_and_lists_of_a_rule_have_limits(void **state)
{
	struct cloud *c = *state;
	static char text[141];
	struct str many[PORT_POLICY_LIST_MAX + 1], ports[PORT_POLICY_LIST_MAX + 1], wrong = STR("90-80");
	struct port_policy_rule_wish fine = rule_in(make_policy(c)), wish = fine;
	memset(text, 'x', sizeof text);
	for (int k = 0; k <= PORT_POLICY_LIST_MAX; k++) {
		many[k] = str_print(c->arena, "10.0.%d.0/24", k);
		ports[k] = str_print(c->arena, "%d", 1000 + k);
	}
	wish.name = STR_NONE;
	expect_refused(c, wish, ERR_INVALID, "name");
	wish.name = (struct str){text, 81};
	expect_refused(c, wish, ERR_INVALID, "name");
	wish.name = STR("a\nb");
	expect_refused(c, wish, ERR_INVALID, "name");
	wish = fine;
	wish.description = (struct str){text, 141};
	expect_refused(c, wish, ERR_INVALID, "properties.description");
	wish.description = STR("bell\a");
	expect_refused(c, wish, ERR_INVALID, "properties.description");
	wish = fine;
	wish.sources = (struct strs){many, PORT_POLICY_LIST_MAX + 1};
	expect_refused(c, wish, ERR_QUOTA, "properties.sourceAddressPrefix");
	wish = fine;
	wish.destination_ports = (struct strs){ports, PORT_POLICY_LIST_MAX + 1};
	expect_refused(c, wish, ERR_QUOTA, "properties.destinationPortRange");
	wish.destination_ports.count = PORT_POLICY_LIST_MAX;
	wish.source_ports = (struct strs){&wrong, 1};
	expect_refused(c, wish, ERR_INVALID, "properties.sourcePortRange");
	wish = fine;
	wish.sources = (struct strs){many, PORT_POLICY_LIST_MAX};
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
}

static void a_rule_that_stays_as_it_is_changes_no_policy(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c);
	struct port_policy_rule_wish wish = rule_in(policy), other = wish;
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
	uint64_t gen = port_policy_find(cloud_tables(c), policy.prefix)->row.gen;
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
	assert_int_equal(port_policy_find(cloud_tables(c), policy.prefix)->row.gen, gen);
	wish.description = STR("changed");
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
	assert_int_equal(port_policy_find(cloud_tables(c), policy.prefix)->row.gen, gen + 1);
	other.priority = 101;
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &other);
	other.priority = 100;
	expect_refused(c, other, ERR_EXISTS, "properties.priority");
}

static void a_rule_names_each_set_once_and_ten_at_most(void **state)
{
	struct cloud *c = *state;
	struct ref sets[12];
	struct port_policy_rule_wish wish = rule_in(make_policy(c));
	for (int k = 0; k < 11; k++) {
		struct port_set_wish set = {.name = str_print(c->arena, "set-%d", k)};
		cloud_ok(c, &c->alice, engine_create_port_set, &set);
		sets[k] = ref_by_id(KIND_PORT_SET, set.set);
	}
	sets[11] = sets[0];
	wish.destination_sets = (struct refs){sets, 11};
	cloud_fails(c, &c->alice, engine_put_port_policy_rule, &wish, ERR_QUOTA, KIND_PORT_SET);
	sets[10] = sets[0];
	wish.destination_sets.count = 12;
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
	assert_int_equal(port_policy_rule_find(cloud_tables(c), wish.rule)->destination_sets.count, 10);
}

/* ---- uses ---- */

static void a_policy_is_in_use_while_a_live_subnet_has_it(void **state)
{
	struct cloud *c = *state;
	struct uuids policies;
	struct ref policy = make_policy(c);
	struct port_policy_target target = {policy};
	struct tombstone forget = {KIND_PORT_POLICY, policy.prefix};
	uuid router = make_network(c, "10.50.0.0/16");
	struct virtual_subnet_wish subnet = subnet_in(router, "10.50.0.0/24");
	subnet.policy = policy;
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &subnet);
	uuid port = make_port(c, subnet.made);
	assert_true(engine_list_policies_of(c->arena, cloud_tables(c), port_find(cloud_tables(c), port),
					    &policies));
	assert_int_equal(policies.count, 1);
	struct port_guard_wish guard = {.port = ref_by_id(KIND_PORT, port), .policy = policy};
	cloud_ok(c, &c->alice, engine_guard_port, &guard);
	assert_true(engine_list_policies_of(c->arena, cloud_tables(c), port_find(cloud_tables(c), port),
					    &policies));
	assert_int_equal(policies.count, 1); /* the same one of both */
	struct port_target gone = {.port = guard.port};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	cloud_fails(c, &c->alice, engine_delete_port_policy, &target, ERR_IN_USE, KIND_PORT_POLICY);
	cloud_fails(c, NULL, engine_forget_deleted, &forget, ERR_STATE, KIND_PORT_POLICY);
	assert_non_null(port_policy_find(cloud_tables(c), policy.prefix));
	struct virtual_network_target whole = {ref_by_id(KIND_ROUTER, router)};
	cloud_ok(c, &c->alice, engine_delete_virtual_network, &whole);
	cloud_ok(c, &c->alice, engine_delete_port_policy, &target);
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	assert_null(port_policy_find(cloud_tables(c), policy.prefix));
}

/* ---- words ---- */

static void a_peers_network_is_within_as_long_as_they_are_connected(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c);
	uuid here = make_network(c, "10.51.0.0/16"), there = make_network(c, "10.52.0.0/16");
	struct ip from = ip_of("10.52.0.9"), to = ip_of("10.51.0.4");
	struct peering_side_wish side = {.router = ref_by_id(KIND_ROUTER, here),
					 .peer_router = ref_by_id(KIND_ROUTER, there),
					 .name = STR("to")};
	struct peering_side_wish back = {
		.router = side.peer_router, .peer_router = side.router, .name = STR("back")};
	cloud_ok(c, &c->alice, engine_put_peering_side, &side);
	assert_true(is_denied(c, policy, here, false, from, to)); /* one side alone connects nothing */
	cloud_ok(c, &c->alice, engine_put_peering_side, &back);
	assert_false(is_denied(c, policy, here, false, from, to));
	struct peering_side_target target = {ref_by_id(KIND_PEERING_SIDE, back.made)};
	cloud_ok(c, &c->alice, engine_delete_peering_side, &target);
	assert_true(is_denied(c, policy, here, false, from, to));
}

static void health_probes_pass_unless_a_rule_denies_them(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c);
	struct str word = STR("AzureLoadBalancer");
	uuid router = make_network(c, "10.53.0.0/16");
	struct virtual_subnet_wish subnet = subnet_in(router, "10.53.1.0/24");
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &subnet);
	struct ip platform = ip_of("168.63.129.16"), own = ip_of("10.53.1.3"), to = ip_of("10.53.1.4");
	assert_false(is_denied(c, policy, router, false, platform, to));
	assert_true(is_denied(c, policy, router, false, ip_of("168.63.129.17"), to));
	struct port_policy_rule_wish wish = rule_in(policy);
	wish.sources = (struct strs){&word, 1};
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
	assert_true(is_denied(c, policy, router, false, platform, to));
	assert_true(is_denied(c, policy, router, false, own, to)); /* the probes of that subnet */
	assert_false(is_denied(c, policy, router, false, ip_of("10.53.1.5"), to));
}

static void the_internet_is_what_is_outside_the_network(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c);
	struct str word = STR("Internet");
	uuid router = make_network(c, "10.54.0.0/16");
	struct ip own = ip_of("10.54.0.4");
	struct port_policy_rule_wish wish = rule_in(policy);
	wish.egress = true;
	wish.destinations = (struct strs){&word, 1};
	assert_false(is_denied(c, policy, router, true, own, ip_of("192.0.2.1")));
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &wish);
	assert_true(is_denied(c, policy, router, true, own, ip_of("192.0.2.1")));
	assert_true(is_denied(c, policy, router, true, own, ip_of("10.55.0.1")));
	assert_false(is_denied(c, policy, router, true, own, ip_of("10.54.7.7")));
	assert_false(is_denied(c, policy, router, false, own, ip_of("10.54.7.7"))); /* the other direction */
}

static void a_guarded_address_closes_its_interface(void **state)
{
	struct cloud *c = *state;
	uuid router = make_network(c, "10.56.0.0/16");
	struct virtual_subnet_wish subnet = subnet_in(router, "10.56.1.0/24");
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &subnet);
	uuid ports[] = {make_port(c, subnet.made), make_port(c, subnet.made)};
	for (size_t k = 0; k < 2; k++) {
		struct address_wish address = {.port = ref_by_id(KIND_PORT, ports[k]), .is_guarded = k == 1};
		const struct tables *t = cloud_tables(c);
		assert_false(engine_is_port_closed(t, port_find(t, ports[k])));
		cloud_ok(c, &c->alice, engine_allocate_address, &address);
		assert_int_equal(engine_is_port_closed(t, port_find(t, ports[k])), k);
	}
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(texts_and_lists_of_a_rule_have_limits),
		in_a_cloud(a_rule_that_stays_as_it_is_changes_no_policy),
		in_a_cloud(a_rule_names_each_set_once_and_ten_at_most),
		in_a_cloud(a_policy_is_in_use_while_a_live_subnet_has_it),
		in_a_cloud(a_peers_network_is_within_as_long_as_they_are_connected),
		in_a_cloud(health_probes_pass_unless_a_rule_denies_them),
		in_a_cloud(the_internet_is_what_is_outside_the_network),
		in_a_cloud(a_guarded_address_closes_its_interface),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
