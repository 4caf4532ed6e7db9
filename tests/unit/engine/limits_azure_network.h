/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: what Azure's users make of the network, and how it goes. */
#pragma once

#define MAKE_NAMED(what, operation, T, out, ...)                                                             \
	static RESULT make_##what(struct cloud *c, int n)                                                    \
	{                                                                                                    \
		struct T wish = {.name = numbered(c, #what, n), __VA_ARGS__};                                \
		MAKE(c, &c->alice, operation, wish, out);                                                    \
	}

MAKE_NAMED(port_policy, engine_create_port_policy, port_policy_wish, policy)
DROP(port_policy, engine_delete_port_policy, port_policy_target, .policy = ref_to(c, KIND_PORT_POLICY, made))
MAKE_NAMED(port_set, engine_create_port_set, port_set_wish, set)
DROP(port_set, engine_delete_port_set, port_set_target, .set = ref_to(c, KIND_PORT_SET, made))
MAKE_NAMED(address_prefix, engine_create_address_prefix, address_prefix_wish, prefix,
	   .bits = ADDRESS_PREFIX_BITS_MAX)
DROP(address_prefix, engine_delete_address_prefix, address_prefix_target,
     .prefix = ref_to(c, KIND_ADDRESS_PREFIX, made))
MAKE_NAMED(source_nat, engine_put_source_nat, source_nat_wish, made)
DROP(source_nat, engine_delete_source_nat, source_nat_target, .source_nat = ref_to(c, KIND_SOURCE_NAT, made))
MAKE_NAMED(route_plan, engine_create_route_plan, route_plan_wish, plan)
DROP(route_plan, engine_delete_route_plan, route_plan_target, .plan = ref_to(c, KIND_ROUTE_PLAN, made))
MAKE_NAMED(balancer_set, engine_put_balancer_set, balancer_set_wish, made)
DROP(balancer_set, engine_delete_balancer_set, balancer_set_target, .set = ref_to(c, KIND_BALANCER_SET, made))

/* ---- parts of these ---- */

static void is_a_port_policy(struct cloud *c)
{
	struct port_policy_wish wish = {.name = STR("with rules")};
	cloud_ok(c, &c->alice, engine_create_port_policy, &wish);
	owner = wish.policy;
}
static RESULT make_policy_rule(struct cloud *c, int n)
{
	static int priority = PORT_POLICY_PRIORITY_MIN;
	struct port_policy_rule_wish wish = {.policy = ref_to(c, KIND_PORT_POLICY, owner),
					     .name = numbered(c, "rule", n),
					     .protocol = -1,
					     .priority = priority++};
	MAKE(c, &c->alice, engine_put_port_policy_rule, wish, rule);
}
DROP(policy_rule, engine_delete_port_policy_rule, port_policy_rule_target,
     .rule = ref_to(c, KIND_PORT_POLICY_RULE, made))

static void is_a_route_plan(struct cloud *c)
{
	struct route_plan_wish wish = {.name = STR("with entries")};
	cloud_ok(c, &c->alice, engine_create_route_plan, &wish);
	owner = wish.plan;
}
static RESULT make_plan_entry(struct cloud *c, int n)
{
	static uint32_t block = 0x0b000000;
	struct route_plan_entry_wish wish = {.plan = ref_to(c, KIND_ROUTE_PLAN, owner),
					     .name = numbered(c, "entry", n),
					     .destination = {ip_from_v4(block += 256), 24},
					     .hop = ROUTE_PLAN_ENTRY_HOP_NONE};
	MAKE(c, &c->alice, engine_put_route_plan_entry, wish, entry);
}
DROP(plan_entry, engine_delete_route_plan_entry, route_plan_entry_target,
     .entry = ref_to(c, KIND_ROUTE_PLAN_ENTRY, made))

/* Each with another virtual network. */
static RESULT make_peering_side(struct cloud *c, int n)
{
	static uint32_t base = 0x0a640000;
	const struct cidr block = {ip_from_v4(base += 256), 24};
	struct virtual_network_wish peer = {.name = numbered(c, "peer", n), .blocks = {&block, 1}};
	cloud_ok(c, &c->alice, engine_put_virtual_network, &peer);
	struct peering_side_wish wish = {.router = ref_to(c, KIND_ROUTER, owner),
					 .peer_router = ref_to(c, KIND_ROUTER, peer.made),
					 .name = numbered(c, "side", n)};
	MAKE(c, &c->alice, engine_put_peering_side, wish, made);
}
DROP(peering_side, engine_delete_peering_side, peering_side_target,
     .side = ref_to(c, KIND_PEERING_SIDE, made))

static void is_a_balancer_set(struct cloud *c)
{
	struct balancer_set_wish wish = {.name = STR("with members")};
	cloud_ok(c, &c->alice, engine_put_balancer_set, &wish);
	owner = wish.made;
}
/* The interface is in one pool more each time. */
static struct balanced_pool pools[8];
static size_t pool_count;
static RESULT make_pool_member(struct cloud *c, int n)
{
	struct port_wish port = {
		.subnet = ref_to(c, KIND_SUBNET,
				 subnet_first_by_router(cloud_tables(c), c->alice_router)->row.id)};
	if (!pool_count)
		cloud_ok(c, &c->alice, engine_create_port, &port);
	helpers[7] = pool_count ? helpers[7] : port.port;
	pools[pool_count] =
		(struct balanced_pool){ref_to(c, KIND_BALANCER_SET, owner), numbered(c, "pool", n)};
	struct balanced_wish wish = {.port = ref_to(c, KIND_PORT, helpers[7]),
				     .private_ip = port_find(cloud_tables(c), helpers[7])->ip,
				     .pools = pools,
				     .pool_count = pool_count + 1};
	struct result result = cloud_run(c, &c->alice, engine_balance_port_run, &wish);
	pool_count += result_is_ok(result);
	return result;
}
static void drop_pool_member(struct cloud *c)
{
	struct balanced_wish wish = {.port = ref_to(c, KIND_PORT, helpers[7]),
				     .private_ip = port_find(cloud_tables(c), helpers[7])->ip,
				     .pools = pools,
				     .pool_count = --pool_count};
	cloud_ok(c, &c->alice, engine_balance_port, &wish);
}
