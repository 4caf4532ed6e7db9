/* SPDX-License-Identifier: Apache-2.0
 * A load balancer's private frontend is a subnet's address that no instance has: the router balances its
 * traffic. */
#include "../cloud/cloud.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/virtual_network.h"

enum { SEEDS = 8 };

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr = {0};
	assert_true(result_is_ok(cidr_parse(str_from(text), &cidr)));
	return cidr;
}

static uuid make_subnet(struct cloud *c)
{
	struct cidr block = cidr_of("10.33.0.0/16");
	struct virtual_network_wish network = {.name = STR("v"), .blocks = {&block, 1}};
	cloud_ok(c, &c->alice, engine_put_virtual_network, &network);
	struct virtual_subnet_wish subnet = {.router = cloud_ref(c, KIND_ROUTER, network.made),
					     .name = STR("a"),
					     .block = cidr_of("10.33.1.0/24")};
	cloud_ok(c, &c->alice, engine_put_virtual_subnet, &subnet);
	return subnet.made;
}

/* A private frontend's port has no host to wait for, and is deleted like any port. */
static void private_front(struct cloud *c)
{
	struct balancer_front front = {.name = STR("in"),
				       .subnet = cloud_ref(c, KIND_SUBNET, make_subnet(c)),
				       .ip = cidr_of("10.33.1.9/32").base};
	const struct str pool = STR("p");
	struct balancer_set_wish wish = {
		.name = STR("set"), .fronts = &front, .front_count = 1, .pools = {&pool, 1}};
	cloud_ok(c, &c->alice, engine_put_balancer_set, &wish);
	cloud_settle(c);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		const struct port *port = engine_find_front(view.tables, wish.made, STR("in"));
		assert_non_null(port);
		assert_int_equal(port->seen_gen, (int64_t) port->row.gen);
	}
	struct balancer_set_target gone = {cloud_ref(c, KIND_BALANCER_SET, wish.made)};
	cloud_ok(c, &c->alice, engine_delete_balancer_set, &gone);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_PORT), 0);
}
TEST_STORY(private_front, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_private_front)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
