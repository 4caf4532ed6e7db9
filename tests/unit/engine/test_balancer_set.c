/* SPDX-License-Identifier: Apache-2.0
 * Sets of load balancers with a public address: pools and their members, rules that change, and ports that
 * lead to one interface. Private frontends: test_virtual.c. */
#include "cloud.h"

#include "engine/virtual/balancer_set.h"
#include "engine/virtual/virtual_network.h"
#include "store/balancer_pool_member.h"
#include "store/balancer_set.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_forwarding.h"

struct lab {
	struct cloud *c;
	uuid address, set, port;
	struct ip ip;
	struct str pools[2];
	struct balancer_rule rules[2];
	struct balancer_inward inward;
	struct balancer_set_wish wish;
};

static uuid make_port(struct cloud *c, const char *block)
{
	const struct cidr blocks[] = {cidr_of(block)};
	struct virtual_network_wish network = {.name = STR("net"), .blocks = {blocks, 1}};
	cloud_ok(c, &c->alice, engine_put_virtual_network, &network);
	struct virtual_subnet_wish subnet = {.router = ref_by_id(KIND_ROUTER, network.made),
					     .name = STR("a"),
					     .block = {.base = blocks[0].base, .bits = 24}};
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &subnet);
	struct port_wish port = {.subnet = ref_by_id(KIND_SUBNET, subnet.made), .by_firewall_alone = true};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	return port.port;
}

static struct balancer_rule rule_of(const struct lab *l, const char *name, int64_t public_port,
				    const char *pool)
{
	return (struct balancer_rule){.name = str_from(name),
				      .address = ref_by_id(KIND_ADDRESS, l->address),
				      .protocol = LOAD_BALANCER_PROTOCOL_TCP,
				      .public_port = public_port,
				      .private_port = 80,
				      .pool = str_from(pool)};
}

static void put(struct lab *l)
{
	cloud_ok(l->c, &l->c->alice, engine_put_balancer_set, &l->wish);
	l->set = l->wish.made;
	l->wish.set = ref_by_id(KIND_BALANCER_SET, l->set);
}

/* A set with the pools "p" and "q" and a rule for "p"; the interface is in none. */
static void begin(struct lab *l, void **state)
{
	struct address_wish address = {0};
	*l = (struct lab){.c = *state, .pools = {STR("p"), STR("q")}};
	cloud_ok(l->c, &l->c->alice, engine_allocate_address, &address);
	l->address = address.address;
	l->port = make_port(l->c, "10.40.0.0/16");
	l->ip = port_find(cloud_tables(l->c), l->port)->ip;
	l->rules[0] = rule_of(l, "web", 80, "p");
	l->wish = (struct balancer_set_wish){
		.name = STR("set"), .rules = l->rules, .rule_count = 1, .pools = {l->pools, 2}};
	put(l);
}

static struct balanced_wish balance(const struct lab *l, const struct balanced_pool *pools, size_t count)
{
	return (struct balanced_wish){.port = ref_by_id(KIND_PORT, l->port),
				      .private_ip = l->ip,
				      .pools = pools,
				      .pool_count = count};
}

static void join(const struct lab *l, const char *pool)
{
	const struct balanced_pool one = {ref_by_id(KIND_BALANCER_SET, l->set), str_from(pool)};
	struct balanced_wish wish = balance(l, &one, 1);
	cloud_ok(l->c, &l->c->alice, engine_balance_port, &wish);
}

static const struct load_balancer *find(const struct lab *l, const char *name)
{
	const struct tables *t = cloud_tables(l->c);
	const struct load_balancer *b = load_balancer_first_by_set(t, l->set);
	while (b && !str_is(b->name, name))
		b = load_balancer_next_by_set(t, b);
	return b;
}

static bool has_member(const struct lab *l, const char *rule)
{
	const struct load_balancer *b = find(l, rule);
	return b && load_balancer_member_find_by_load_balancer(cloud_tables(l->c), b->row.id, l->ip);
}

/* ---- pools ---- */

static void a_member_of_a_pool_is_one_of_all_rules_of_it(void **state)
{
	struct lab l;
	begin(&l, state);
	join(&l, "p");
	assert_true(has_member(&l, "web"));
	l.rules[1] = rule_of(&l, "more", 81, "p");
	l.wish.rule_count = 2;
	put(&l);
	assert_true(has_member(&l, "web") && has_member(&l, "more")); /* also of one made later */
	join(&l, "q");
	assert_false(has_member(&l, "web") || has_member(&l, "more"));
	assert_true(uuid_is_none(find(&l, "web")->router)); /* free for another network */
	join(&l, "p");
	l.wish.pools.count = 0;
	l.wish.rule_count = 1;
	l.rules[0].pool = STR_NONE;
	put(&l);
	assert_null(balancer_pool_member_first_by_set(cloud_tables(l.c), l.set));
	assert_false(has_member(&l, "web"));
}

static void an_interface_joins_a_pool_once(void **state)
{
	struct lab l;
	begin(&l, state);
	join(&l, "p");
	uuid first = balancer_pool_member_first_by_set(cloud_tables(l.c), l.set)->row.id;
	join(&l, "p");
	const struct balancer_pool_member *m = balancer_pool_member_first_by_set(cloud_tables(l.c), l.set);
	assert_true(uuid_equal(m->row.id, first));
	assert_null(balancer_pool_member_next_by_set(cloud_tables(l.c), m));
	struct port_target gone = {.port = ref_by_id(KIND_PORT, l.port)};
	cloud_ok(l.c, &l.c->alice, engine_delete_port, &gone);
	assert_null(balancer_pool_member_first_by_set(cloud_tables(l.c), l.set));
	assert_false(has_member(&l, "web"));
}

static void members_of_one_rule_are_in_one_network(void **state)
{
	struct lab l, other;
	begin(&l, state);
	join(&l, "p");
	other = l;
	other.port = make_port(l.c, "10.41.0.0/16");
	other.ip = port_find(cloud_tables(l.c), other.port)->ip;
	const struct balanced_pool one = {l.wish.set, STR("p")}, theirs = {l.wish.set, STR("p")};
	struct balanced_wish wish = balance(&other, &one, 1);
	cloud_fails(l.c, &l.c->alice, engine_balance_port, &wish, ERR_STATE, KIND_LOAD_BALANCER);
	wish = balance(&l, &theirs, 1);
	cloud_fails(l.c, &l.c->bob, engine_balance_port, &wish, ERR_NOT_FOUND, KIND_PORT);
}

/* ---- rules ---- */

static void a_rule_that_changes_is_made_again_with_its_members(void **state)
{
	struct lab l;
	begin(&l, state);
	join(&l, "p");
	const struct load_balancer *b = find(&l, "web");
	uuid first = b->row.id;
	uint64_t gen = balancer_set_find(cloud_tables(l.c), l.set)->row.gen;
	put(&l);
	assert_true(uuid_equal(find(&l, "web")->row.id, first)); /* nothing changed */
	assert_int_equal(balancer_set_find(cloud_tables(l.c), l.set)->row.gen, gen);
	l.rules[0].private_port = 8080;
	put(&l);
	b = find(&l, "web");
	assert_false(uuid_equal(b->row.id, first));
	assert_true(b->private_port == 8080 && has_member(&l, "web"));
	assert_true(balancer_set_find(cloud_tables(l.c), l.set)->row.gen > gen);
	l.wish.rule_count = 0;
	put(&l);
	assert_null(find(&l, "web"));
	assert_non_null(balancer_pool_member_first_by_set(cloud_tables(l.c), l.set)); /* the pool stays */
}

static void a_set_has_two_hundred_and_fifty_rules_at_most(void **state)
{
	struct lab l;
	begin(&l, state);
	l.wish.rule_count = BALANCER_RULES_MAX;
	l.wish.inward_count = 1;
	cloud_fails(l.c, &l.c->alice, engine_put_balancer_set, &l.wish, ERR_QUOTA, KIND_BALANCER_SET);
}

/* ---- ports that lead to one interface ---- */

static void lead(struct lab *l)
{
	struct balanced_inward one = {l->wish.set, l->inward};
	struct balanced_wish wish = balance(l, NULL, 0);
	wish.inwards = &one;
	wish.inward_count = 1;
	cloud_ok(l->c, &l->c->alice, engine_balance_port, &wish);
}

static void say_inward(struct lab *l, int64_t public_port)
{
	l->inward = (struct balancer_inward){.name = STR("ssh"),
					     .address = ref_by_id(KIND_ADDRESS, l->address),
					     .protocol = PORT_FORWARDING_PROTOCOL_TCP,
					     .public_port = public_port,
					     .private_port = 22};
	l->wish.inwards = &l->inward;
	l->wish.inward_count = 1;
	put(l);
}

static const struct port_forwarding *find_forwarding(const struct lab *l)
{
	return port_forwarding_first_by_set(cloud_tables(l->c), l->set);
}

static void an_inbound_port_leads_to_the_interface_that_claims_it(void **state)
{
	struct lab l;
	begin(&l, state);
	say_inward(&l, 2222);
	assert_null(find_forwarding(&l)); /* nobody claims it yet */
	lead(&l);
	uuid first = find_forwarding(&l)->row.id;
	assert_int_equal(find_forwarding(&l)->public_first, 2222);
	assert_true(uuid_equal(find_forwarding(&l)->port, l.port));
	lead(&l);
	assert_true(uuid_equal(find_forwarding(&l)->row.id, first));
	say_inward(&l, 2222);
	assert_int_equal(find_forwarding(&l)->row.gen, 1);
	say_inward(&l, 2223); /* changed where it is */
	assert_true(uuid_equal(find_forwarding(&l)->row.id, first));
	assert_int_equal(find_forwarding(&l)->public_last, 2223);
	struct balanced_wish none = balance(&l, NULL, 0);
	cloud_ok(l.c, &l.c->alice, engine_balance_port, &none);
	assert_null(find_forwarding(&l));
}

static void an_inbound_port_that_its_set_drops_leads_nowhere(void **state)
{
	struct lab l;
	begin(&l, state);
	say_inward(&l, 2222);
	lead(&l);
	l.wish.inward_count = 0;
	put(&l);
	assert_null(find_forwarding(&l));
	say_inward(&l, 2222);
	lead(&l);
	join(&l, "p"); /* names no inbound port any more */
	assert_null(find_forwarding(&l));
	lead(&l);
	struct balancer_set_target target = {l.wish.set};
	cloud_ok(l.c, &l.c->alice, engine_delete_balancer_set, &target);
	assert_null(find_forwarding(&l));
	struct address_target address = {.address = ref_by_id(KIND_ADDRESS, l.address)};
	cloud_ok(l.c, &l.c->alice, engine_release_address, &address);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(a_member_of_a_pool_is_one_of_all_rules_of_it),
		in_a_cloud(an_interface_joins_a_pool_once),
		in_a_cloud(members_of_one_rule_are_in_one_network),
		in_a_cloud(a_rule_that_changes_is_made_again_with_its_members),
		in_a_cloud(a_set_has_two_hundred_and_fifty_rules_at_most),
		in_a_cloud(an_inbound_port_leads_to_the_interface_that_claims_it),
		in_a_cloud(an_inbound_port_that_its_set_drops_leads_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
