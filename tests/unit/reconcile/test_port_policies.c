/* SPDX-License-Identifier: Apache-2.0
 * Port policies follow the objects that they refer to: "VirtualNetwork" in a rule means the blocks of the
 * interface's network. */
#include "../cloud/applied.h"
#include "../cloud/cloud.h"

#include "engine/network/guest_network.h"
#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/network/subnet.h"
#include "engine/virtual/port_policy.h"

enum { SEEDS = 8 };

static uuid add_subnet(struct cloud *c, uuid network, const char *block)
{
	struct network_subnet_wish wish = {.network = cloud_ref(c, KIND_NETWORK, network)};
	assert_true(result_is_ok(cidr_parse(str_from(block), &wish.block)));
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	cloud_settle(c);
	return wish.subnet;
}

static void drop_subnet(struct cloud *c, uuid subnet)
{
	struct subnet_target wish = {.subnet = cloud_ref(c, KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &wish);
	cloud_settle(c);
}

/* The network's last configuration of the policy; empty if none. */
static struct str told_of(struct cloud *c, uuid policy)
{
	char id[UUID_TEXT_SIZE];
	struct str told = applied_read(c->arena), line;
	struct str head = str_print(c->arena, "policy %s ", uuid_write(policy, id));
	while (str_split_next(&told, '\n', &line))
		if (str_starts_with(line, head))
			return line;
	return STR_NONE;
}

/* A new subnet changes the policy's rules even in a network without a router. */
static void subnet_beside_without_router(struct cloud *c)
{
	struct network_wish network = {.name = STR("net")};
	struct port_policy_wish policy = {.name = STR("policy")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	cloud_ok(c, &c->alice, engine_create_port_policy, &policy);
	uuid first = add_subnet(c, network.network, "10.7.0.0/24");
	struct network_port_wish port = {.network = cloud_ref(c, KIND_NETWORK, network.network)};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	struct port_guard_wish guard = {.port = cloud_ref(c, KIND_PORT, port.port),
					.policy = cloud_ref(c, KIND_PORT_POLICY, policy.policy)};
	cloud_ok(c, &c->alice, engine_guard_port, &guard);
	cloud_settle(c);
	struct str alone = told_of(c, policy.policy);
	uuid second = add_subnet(c, network.network, "10.9.0.0/24");
	struct str both = told_of(c, policy.policy);
	assert_true(alone.n > 0 && both.n > alone.n);
	drop_subnet(c, second);
	assert_true(str_equal(told_of(c, policy.policy), alone));
	struct port_target gone = {.port = cloud_ref(c, KIND_PORT, port.port)};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	drop_subnet(c, first);
	struct network_target network_gone = {.network = cloud_ref(c, KIND_NETWORK, network.network)};
	cloud_ok(c, &c->alice, engine_delete_network, &network_gone);
}
TEST_STORY(subnet_beside_without_router, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_subnet_beside_without_router)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
