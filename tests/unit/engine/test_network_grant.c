/* SPDX-License-Identifier: Apache-2.0
 * Shared networks: access, ownership of the objects in them, and obstacles to ending a grant. */
#include "cloud.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/port.h"
#include "store/security_group.h"

#include "engine/network/guest_network.h"
#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/router_interface.h"

struct scene {
	struct cloud *c;
	struct ref network, subnet;
	uuid network_id;
};

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

/* Alice's network on a router of hers, whose groups are not for others. */
static struct scene begin(struct cloud *c)
{
	struct network_wish network = {.name = STR("net")};
	struct router_wish router = {.name = STR("r"), .has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct scene s = {c, ref_of(KIND_NETWORK, network.network), .network_id = network.network};
	struct network_subnet_wish subnet = {.network = s.network, .block = cidr_of("10.0.1.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	cloud_ok(c, &c->alice, engine_create_router, &router);
	s.subnet = ref_of(KIND_SUBNET, subnet.subnet);
	struct router_interface_wish interface = {.router = ref_of(KIND_ROUTER, router.router),
						  .subnet = s.subnet};
	cloud_ok(c, &c->alice, engine_add_router_interface, &interface);
	return s;
}

static struct ref grant(struct scene *s, const struct identity *who, uuid target)
{
	struct network_grant_wish wish = {.network = s->network};
	if (!uuid_is_none(target))
		wish.target = ref_of(KIND_ACCOUNT, target);
	cloud_ok(s->c, who, engine_grant_network, &wish);
	return ref_of(KIND_NETWORK_GRANT, wish.grant);
}

static uuid add_port(struct scene *s)
{
	struct network_port_wish port = {.network = s->network};
	cloud_ok(s->c, &s->c->bob, engine_add_port, &port);
	return port.port;
}

static void check_use(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct network_port_wish wish = {.network = s.network};
	cloud_fails(c, &c->bob, engine_add_port, &wish, ERR_NOT_FOUND, KIND_NETWORK);
	grant(&s, &c->alice, c->bob.account);
	const struct port *port = port_find(cloud_tables(c), add_port(&s));
	assert_true(uuid_equal(port->account, c->bob.account) && port->groups.count == 1);
	const struct security_group *group = security_group_find(cloud_tables(c), port->groups.at[0]);
	assert_true(uuid_equal(group->account, c->bob.account) && uuid_is_none(group->router));
	const struct row *row = NULL;
	engine_act_by_roles(&c->c, &c->bob);
	assert_int_equal(engine_find_usable(&c->c, cloud_tables(c), KIND_SUBNET, &s.subnet, &row).code,
			 ERR_NONE);
	assert_false(engine_may_see(&c->c, KIND_SUBNET, row));
	struct network_settings change = {.network = s.network, .is_down = CHOICE_YES};
	cloud_fails(c, &c->bob, engine_update_network, &change, ERR_NOT_FOUND, KIND_NETWORK);
	struct network_subnet_wish subnet = {.network = s.network, .block = cidr_of("10.0.2.0/24")};
	cloud_fails(c, &c->bob, engine_add_subnet, &subnet, ERR_NOT_FOUND, KIND_NETWORK);
}

/* An administrator's port for Bob is in Bob's groups, not in the router's nor in others' that are named; a
 * grant is its network's account's, whoever says it. */
static void check_for_another(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct ref bob = ref_of(KIND_ACCOUNT, c->bob.account);
	struct network_grant_wish wish = {.network = s.network, .account = bob, .target = bob};
	cloud_fails(c, &c->operator, engine_grant_network, &wish, ERR_INVALID, KIND_ACCOUNT);
	wish.account = ref_of(KIND_ACCOUNT, c->alice.account);
	cloud_ok(c, &c->operator, engine_grant_network, &wish);
	struct port_fixed_wish fixed = {.ip = ip_of("10.0.1.77")};
	struct network_port_wish port = {.account = bob, .network = s.network, .fixed = {true, &fixed, 1}};
	cloud_fails(c, &c->alice, engine_add_port, &port, ERR_DENIED, KIND_ACCOUNT);
	cloud_fails(c, &c->bob, engine_add_port, &port, ERR_DENIED, KIND_PORT);
	cloud_ok(c, &c->operator, engine_add_port, &port);
	const struct port *made = port_find(cloud_tables(c), port.port);
	const struct security_group *group = security_group_find(cloud_tables(c), made->groups.at[0]);
	assert_true(uuid_equal(made->account, c->bob.account) && made->groups.count == 1);
	assert_true(uuid_equal(group->account, c->bob.account) && uuid_is_none(group->router));
	struct security_group_wish alices = {.is_alone = true, .name = STR("alice's")};
	cloud_ok(c, &c->alice, engine_create_security_group, &alices);
	struct ref ref = ref_of(KIND_SECURITY_GROUP, alices.group);
	struct network_port_wish wrong = {.account = bob, .network = s.network, .groups = {&ref, 1}};
	cloud_fails(c, &c->operator, engine_add_port, &wrong, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	struct port_settings change = {.port = ref_of(KIND_PORT, port.port), .groups = {&ref, 1}};
	cloud_fails(c, &c->operator, engine_update_port, &change, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
}

/* Addresses, MACs and port security: the owner's. */
static void check_choices(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	grant(&s, &c->alice, c->bob.account);
	struct port_fixed_wish fixed = {.ip = ip_of("10.0.1.77")};
	struct network_port_wish at = {.network = s.network, .fixed = {true, &fixed, 1}};
	cloud_fails(c, &c->bob, engine_add_port, &at, ERR_DENIED, KIND_PORT);
	cloud_ok(c, &c->alice, engine_add_port, &at);
	struct network_port_wish open = {.network = s.network, .is_open = CHOICE_YES, .has_no_groups = true};
	cloud_fails(c, &c->bob, engine_add_port, &open, ERR_DENIED, KIND_PORT);
	struct network_port_wish mac = {.network = s.network, .mac = {{2, 0, 0, 0, 0, 1}}};
	cloud_fails(c, &c->bob, engine_add_port, &mac, ERR_DENIED, KIND_PORT);
	struct port_wish named = {.subnet = s.subnet, .ips = {.primary = ip_of("10.0.1.78")}};
	cloud_fails(c, &c->bob, engine_create_port, &named, ERR_DENIED, KIND_PORT);
	struct ref port = ref_of(KIND_PORT, add_port(&s));
	struct port_settings open_later = {.port = port, .is_open = CHOICE_YES, .has_no_groups = true};
	cloud_fails(c, &c->bob, engine_update_port, &open_later, ERR_DENIED, KIND_PORT);
	struct ip ip = ip_of("10.0.1.79");
	struct port_assignment more = {.port = port, .ips = {&ip, 1}};
	cloud_fails(c, &c->bob, engine_assign_ips, &more, ERR_DENIED, KIND_PORT);
	struct port_settings unchecked = {.port = port, .source_dest_check = CHOICE_NO};
	cloud_fails(c, &c->bob, engine_update_port, &unchecked, ERR_DENIED, KIND_PORT);
	cloud_ok(c, &c->operator, engine_update_port, &unchecked);
	unchecked.source_dest_check = CHOICE_YES; /* gives a right up */
	cloud_ok(c, &c->bob, engine_update_port, &unchecked);
}

/* Ports of two accounts in one subnet do not take each other's addresses. */
static void check_others_addresses(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	grant(&s, &c->alice, c->bob.account);
	struct port_assignment bobs = {.port = ref_of(KIND_PORT, add_port(&s)), .more = 1};
	cloud_ok(c, &c->bob, engine_assign_ips, &bobs);
	struct network_port_wish own = {.network = s.network};
	cloud_ok(c, &c->alice, engine_add_port, &own);
	struct port_assignment move = {.port = ref_of(KIND_PORT, own.port), .ips = bobs.made, .take = true};
	cloud_fails(c, &c->alice, engine_assign_ips, &move, ERR_INVALID, KIND_PORT);
	cloud_fails(c, &c->operator, engine_assign_ips, &move, ERR_INVALID, KIND_PORT);
}

static void check_revoke(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct network_grant_target bobs = {grant(&s, &c->alice, c->bob.account)};
	uuid port = add_port(&s);
	cloud_fails(c, &c->bob, engine_revoke_network, &bobs, ERR_NOT_FOUND, KIND_NETWORK_GRANT);
	cloud_fails(c, &c->alice, engine_revoke_network, &bobs, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct network_grant_settings change = {.grant = bobs.grant,
						.target = ref_of(KIND_ACCOUNT, c->alice.account)};
	cloud_fails(c, &c->alice, engine_change_network_grant, &change, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct network_grant_target all = {grant(&s, &c->operator, UUID_NONE)};
	cloud_ok(c, &c->alice, engine_revoke_network, &bobs); /* the other one holds the port */
	cloud_fails(c, &c->operator, engine_revoke_network, &all, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct port_target gone = {.port = ref_of(KIND_PORT, port)};
	cloud_ok(c, &c->bob, engine_delete_port, &gone);
	cloud_fails(c, &c->alice, engine_revoke_network, &all, ERR_DENIED, KIND_NETWORK);
	cloud_ok(c, &c->operator, engine_revoke_network, &all);
	struct network_port_wish wish = {.network = s.network};
	cloud_fails(c, &c->bob, engine_add_port, &wish, ERR_NOT_FOUND, KIND_NETWORK);
}

static void check_shared(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct network_settings share = {.network = s.network, .is_shared = CHOICE_YES},
				unshare = {.network = s.network, .is_shared = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_network, &share, ERR_DENIED, KIND_NETWORK);
	cloud_ok(c, &c->operator, engine_update_network, &share);
	cloud_ok(c, &c->operator, engine_update_network, &share);
	assert_true(engine_is_network_granted(cloud_tables(c), s.network_id, c->bob.account));
	struct network_grant_wish again = {.network = s.network};
	cloud_fails(c, &c->operator, engine_grant_network, &again, ERR_EXISTS, KIND_NETWORK_GRANT);
	cloud_ok(c, &c->operator, engine_update_network, &unshare);
	assert_false(engine_is_network_granted(cloud_tables(c), s.network_id, c->bob.account));
}

/* A shared network of CloudStack's for a domain; one for the default domain with all below is granted to all. */
static void check_domain(void **state)
{
	struct cloud *c = *state;
	struct guest_network_wish wish = {.account = ref_of(KIND_ACCOUNT, c->alice.account),
					  .zone = ref_named(KIND_ZONE, "xy-west-2a"),
					  .name = STR("lan"),
					  .block = cidr_of("10.9.0.0/24"),
					  .guest_type = NETWORK_GUEST_TYPE_SHARED,
					  .domain = ref_of(KIND_DOMAIN, DOMAIN_DEFAULT)};
	cloud_fails(c, &c->alice, engine_create_guest_network, &wish, ERR_DENIED, KIND_NETWORK);
	cloud_ok(c, &c->operator, engine_create_guest_network, &wish);
	struct scene s = {c, ref_of(KIND_NETWORK, wish.network), .network_id = wish.network};
	assert_true(engine_is_network_granted(cloud_tables(c), s.network_id, c->bob.account));
	assert_false(engine_is_network_granted(cloud_tables(c), s.network_id, uuid_random()));
	assert_null(network_grant_find_by_network(cloud_tables(c), s.network_id, false, UUID_NONE));
	struct ref bobs = grant(&s, &c->alice, c->bob.account);
	add_port(&s);
	struct network_grant_target revoked = {bobs};
	cloud_ok(c, &c->alice, engine_revoke_network, &revoked); /* the domain still covers bob */
	wish.with_subdomains = true;
	wish.block = cidr_of("10.8.0.0/24");
	cloud_ok(c, &c->operator, engine_create_guest_network, &wish);
	assert_non_null(network_grant_find_by_network(cloud_tables(c), wish.network, false, UUID_NONE));
}

/* Grants go with the network. */
static void check_delete(void **state)
{
	struct cloud *c = *state;
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct scene s = {c, ref_of(KIND_NETWORK, network.network), .network_id = network.network};
	struct ref bobs = grant(&s, &c->alice, c->bob.account);
	struct network_target target = {s.network};
	cloud_ok(c, &c->alice, engine_delete_network, &target);
	assert_null(network_grant_find(cloud_tables(c), bobs.prefix));
}

static bool may_lead_out(struct cloud *c, const struct identity *who, uuid network)
{
	engine_act_by_roles(&c->c, who);
	return engine_may_use_external(&c->c, cloud_tables(c), network);
}

static struct ref grant_external(struct cloud *c, struct ref network, uuid target)
{
	struct network_grant_wish wish = {.network = network, .is_external = true};
	if (!uuid_is_none(target))
		wish.target = ref_of(KIND_ACCOUNT, target);
	cloud_ok(c, &c->operator, engine_grant_network, &wish);
	return ref_of(KIND_NETWORK_GRANT, wish.grant);
}

/* An administrator's first external grant makes a network external, and its last one internal again. */
static void check_external(void **state)
{
	struct cloud *c = *state;
	struct network_wish made = {.name = STR("out"), .account = ref_of(KIND_ACCOUNT, c->alice.account)};
	cloud_ok(c, &c->operator, engine_create_network, &made);
	struct ref network = ref_of(KIND_NETWORK, made.network);
	struct network_grant_wish own = {
		.network = network, .target = ref_of(KIND_ACCOUNT, c->bob.account), .is_external = true};
	cloud_fails(c, &c->alice, engine_grant_network, &own, ERR_DENIED, KIND_NETWORK);
	uint64_t gen = network_find(cloud_tables(c), made.network)->row.gen;
	struct ref bobs = grant_external(c, network, c->bob.account);
	assert_non_null(external_network_find(cloud_tables(c), made.network));
	assert_true(network_find(cloud_tables(c), made.network)->row.gen > gen);
	assert_true(may_lead_out(c, &c->bob, made.network) && may_lead_out(c, &c->alice, made.network));
	assert_false(may_lead_out(c, &(struct identity){.account = uuid_random()}, made.network));
	assert_false(engine_is_network_granted(cloud_tables(c), made.network, c->bob.account));
	cloud_fails(c, &c->bob, engine_grant_network, &own, ERR_INVALID, KIND_NETWORK);
	struct network_grant_target target = {bobs};
	cloud_ok(c, &c->operator, engine_revoke_network, &target);
	assert_null(external_network_find(cloud_tables(c), made.network));
}

/* The grant to all may go once each account with a router has its own, unless the network is the default one. */
static void check_external_use(void **state)
{
	struct cloud *c = *state;
	struct network_wish made = {
		.name = STR("out"), .account = ref_of(KIND_ACCOUNT, c->alice.account), .is_external = true};
	cloud_ok(c, &c->operator, engine_create_network, &made);
	struct ref network = ref_of(KIND_NETWORK, made.network);
	struct network_subnet_wish subnet = {.network = network, .block = cidr_of("192.0.2.0/24")};
	struct router_wish router = {.name = STR("r"), .has_no_block = true};
	cloud_ok(c, &c->operator, engine_add_subnet, &subnet);
	cloud_ok(c, &c->bob, engine_create_router, &router);
	struct router_gateway_wish gateway = {.router = ref_of(KIND_ROUTER, router.router),
					      .external_network =
						      ref_of(KIND_EXTERNAL_NETWORK, made.network)};
	cloud_ok(c, &c->bob, engine_set_router_gateway, &gateway);
	const struct network_grant *all =
		network_grant_find_by_network(cloud_tables(c), made.network, true, UUID_NONE);
	struct network_grant_target for_all = {ref_of(KIND_NETWORK_GRANT, all->row.id)};
	cloud_fails(c, &c->operator, engine_revoke_network, &for_all, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct network_grant_target bobs = {grant_external(c, network, c->bob.account)};
	cloud_ok(c, &c->operator, engine_revoke_network, &for_all);
	cloud_fails(c, &c->operator, engine_revoke_network, &bobs, ERR_IN_USE, KIND_NETWORK_GRANT);
	assert_true(may_lead_out(c, &c->alice, made.network) && may_lead_out(c, &c->bob, made.network));
	assert_false(may_lead_out(c, &(struct identity){.account = uuid_random()}, made.network));
	all = network_grant_find_by_network(cloud_tables(c), c->external_network, true, UUID_NONE);
	for_all.grant = ref_of(KIND_NETWORK_GRANT, all->row.id);
	cloud_fails(c, &c->operator, engine_revoke_network, &for_all, ERR_IN_USE, KIND_NETWORK_GRANT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_use, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_for_another, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_choices, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_others_addresses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revoke, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_shared, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_domain, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_external, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_external_use, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
