/* SPDX-License-Identifier: Apache-2.0
 * Standalone networks and routers without blocks: subnets, interfaces, gateways, extra routes, ports with
 * arbitrary addresses, groups of the account, and which of these EC2 shows. */
#include "cloud.h"
#include "model/secondary_ip.h"
#include "model/security_group.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/network.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"

#include "engine/network/network.h"
#include "engine/network/routing/router_interface.h"

struct scene {
	struct cloud *c;
	struct ref network, subnet, router;
	uuid network_id, subnet_id, router_id;
};

/* A network with the subnet 10.0.1.0/24, and a router without blocks. */
static struct scene begin(struct cloud *c)
{
	struct network_wish network = {.name = STR("net")};
	struct router_wish router = {.name = STR("r"), .has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct scene s = {c, .network_id = network.network};
	s.network = (struct ref){.kind = KIND_NETWORK, .prefix = network.network, .bits = 128};
	struct network_subnet_wish subnet = {.network = s.network, .block = cidr_of("10.0.1.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	cloud_ok(c, &c->alice, engine_create_router, &router);
	s.subnet_id = subnet.subnet;
	s.router_id = router.router;
	s.subnet = ref_to(c, KIND_SUBNET, subnet.subnet);
	s.router = ref_to(c, KIND_ROUTER, router.router);
	return s;
}

static const struct subnet *find_subnet(const struct scene *s)
{
	return subnet_find(cloud_tables(s->c), s->subnet_id);
}

static uuid add_port(struct scene *s, const char *ip)
{
	struct port_fixed_wish fixed = {.ip = ip_of(ip ? ip : "10.0.1.10")};
	struct network_port_wish port = {
		.network = s->network, .fixed = {.is_given = ip != NULL, .at = &fixed, .count = ip != NULL}};
	cloud_ok(s->c, &s->c->alice, engine_add_port, &port);
	return port.port;
}

static void add_interface(struct scene *s)
{
	struct router_interface_wish wish = {.router = s->router, .subnet = s->subnet};
	cloud_ok(s->c, &s->c->alice, engine_add_router_interface, &wish);
	assert_true(uuid_equal(wish.in_network, s->network_id));
}

static void check_subnets(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct network_subnet_wish wish = {.network = s.network, .block = cidr_of("10.0.1.128/25")};
	cloud_fails(c, &c->alice, engine_add_subnet, &wish, ERR_CONFLICT, KIND_SUBNET);
	wish.block = cidr_of("127.0.0.0/24");
	cloud_fails(c, &c->alice, engine_add_subnet, &wish, ERR_RANGE, KIND_SUBNET);
	wish.block = cidr_of("10.0.2.0/24");
	wish.gateway_ip = ip_of("10.0.3.1");
	cloud_fails(c, &c->alice, engine_add_subnet, &wish, ERR_RANGE, KIND_SUBNET);
	struct ip pool[] = {ip_of("10.0.2.1"), ip_of("10.0.2.9")};
	wish.gateway_ip = (struct ip){0};
	wish.pools = (struct ips){pool, 2};
	cloud_fails(c, &c->alice, engine_add_subnet, &wish, ERR_CONFLICT, KIND_PORT);
	cloud_fails(c, &c->bob, engine_add_subnet, &wish, ERR_NOT_FOUND, KIND_NETWORK);
	pool[0] = ip_of("10.0.2.9");
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	const struct subnet *subnet = subnet_find(cloud_tables(c), wish.subnet);
	assert_int_equal(engine_count_free_addresses(subnet), 1);
	assert_true(ip_equal(subnet->gateway_ip, ip_of("10.0.2.1")));
	assert_int_equal(engine_count_free_addresses(find_subnet(&s)), 253);
	struct network_target target = {.network = s.network};
	uuid port = add_port(&s, "10.0.2.77"); /* chosen outside of the pool */
	cloud_fails(c, &c->alice, engine_delete_network, &target, ERR_IN_USE, KIND_NETWORK);
	struct port_target gone = {.port = ref_to(c, KIND_PORT, port)};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	cloud_ok(c, &c->alice, engine_delete_network, &target);
	assert_false(row_is_live(&find_subnet(&s)->row));
}

/* Ports learn of their router when their subnet does. */
static void check_interfaces(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	uuid port = add_port(&s, "10.0.1.10");
	struct router_interface_wish wish = {.router = s.router, .subnet = s.subnet};
	assert_true(uuid_is_none(port_find(cloud_tables(c), port)->router));
	add_interface(&s);
	assert_true(uuid_equal(port_find(cloud_tables(c), port)->router, s.router_id));
	assert_true(uuid_equal(find_subnet(&s)->router, s.router_id));
	assert_false(uuid_is_none(find_subnet(&s)->acl));
	cloud_fails(c, &c->alice, engine_add_router_interface, &wish, ERR_EXISTS, KIND_ROUTER);
	struct router_wish other = {.has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_router, &other);
	wish.router = ref_to(c, KIND_ROUTER, other.router);
	cloud_fails(c, &c->alice, engine_add_router_interface, &wish, ERR_IN_USE, KIND_PORT);
	cloud_fails(c, &c->alice, engine_remove_router_interface, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	/* a second router by a port of its own: the subnet stays the first one's */
	uuid arm = add_port(&s, "10.0.1.99");
	wish.subnet = (struct ref){0};
	wish.port = ref_to(c, KIND_PORT, arm);
	cloud_ok(c, &c->alice, engine_add_router_interface, &wish);
	assert_true(uuid_equal(find_subnet(&s)->router, s.router_id));
	assert_int_equal(port_find(cloud_tables(c), arm)->groups.count, 0);
	struct port_target target = {.port = wish.port};
	cloud_fails(c, &c->alice, engine_delete_port, &target, ERR_PROTECTED, KIND_PORT);
	struct router_target router = {.router = wish.router, .with_gateway = true};
	cloud_fails(c, &c->alice, engine_delete_router, &router, ERR_IN_USE, KIND_ROUTER);
	cloud_ok(c, &c->alice, engine_remove_router_interface, &wish);
	assert_false(row_is_live(&port_find(cloud_tables(c), arm)->row));
	cloud_ok(c, &c->alice, engine_delete_router, &router);
	/* by the id that the gateway's address is known by */
	wish = (struct router_interface_wish){.router = s.router};
	wish.port = (struct ref){.kind = KIND_PORT,
				 .prefix = engine_get_gateway_port(cloud_tables(c), find_subnet(&s)),
				 .bits = 128};
	struct subnet_target subnet = {.subnet = s.subnet};
	cloud_fails(c, &c->alice, engine_delete_subnet, &subnet, ERR_IN_USE, KIND_SUBNET);
	cloud_ok(c, &c->alice, engine_remove_router_interface, &wish);
	assert_true(uuid_is_none(find_subnet(&s)->router));
	assert_true(uuid_is_none(port_find(cloud_tables(c), port)->router));
}

/* A router forwards between its subnets, so each is on it once, has a gateway address, and shares no address
 * with another, whether it came by itself or by a port. */
static void check_apart(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c), twin = begin(c); /* both have 10.0.1.0/24 */
	struct router_interface_wish wish = {.router = s.router, .subnet = twin.subnet};
	uuid arm = add_port(&s, "10.0.1.99"), second = add_port(&s, "10.0.1.98");
	add_interface(&s);
	cloud_fails(c, &c->alice, engine_add_router_interface, &wish, ERR_CONFLICT, KIND_SUBNET);
	struct network_subnet_wish beside = {.network = s.network, .block = cidr_of("10.0.2.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &beside);
	wish.subnet = ref_to(c, KIND_SUBNET, beside.subnet);
	cloud_ok(c, &c->alice, engine_add_router_interface, &wish);
	wish.port = (struct ref){.kind = KIND_PORT,
				 .prefix = engine_get_gateway_port(cloud_tables(c), find_subnet(&s)),
				 .bits = 128}; /* in the other subnet */
	cloud_fails(c, &c->alice, engine_remove_router_interface, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	wish = (struct router_interface_wish){.router = twin.router, .port = ref_to(c, KIND_PORT, arm)};
	cloud_ok(c, &c->alice, engine_add_router_interface, &wish);
	wish.router = s.router;
	cloud_fails(c, &c->alice, engine_add_router_interface, &wish, ERR_IN_USE, KIND_PORT);
	wish.router = twin.router;
	wish.port = ref_to(c, KIND_PORT, second); /* the subnet is there by the other port */
	cloud_fails(c, &c->alice, engine_add_router_interface, &wish, ERR_EXISTS, KIND_ROUTER);
	wish = (struct router_interface_wish){.router = twin.router, .subnet = twin.subnet};
	cloud_fails(c, &c->alice, engine_add_router_interface, &wish, ERR_CONFLICT, KIND_SUBNET);
	cloud_fails(c, &c->alice, engine_remove_router_interface, &wish, ERR_NOT_FOUND, KIND_ROUTER);

	wish.subnet = s.subnet;
	wish.port = ref_to(c, KIND_PORT, second);
	cloud_fails(c, &c->alice, engine_remove_router_interface, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	wish.port = ref_to(c, KIND_PORT, arm);
	cloud_ok(c, &c->alice, engine_remove_router_interface, &wish);
	wish = (struct router_interface_wish){.router = twin.router, .subnet = twin.subnet};
	cloud_ok(c, &c->alice, engine_add_router_interface, &wish);
}

static void check_gateway(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct tables *t = cloud_tables(c);
	add_interface(&s);
	uuid port = add_port(&s, NULL);
	struct address_wish address = {.port = ref_to(c, KIND_PORT, port)};
	cloud_fails(c, &c->alice, engine_allocate_address, &address, ERR_STATE, KIND_GATEWAY);
	struct router_gateway_wish wish = {.router = s.router};
	const struct external_network *external = external_network_first(t);
	wish.external_network =
		(struct ref){.kind = KIND_EXTERNAL_NETWORK, .prefix = external->row.id, .bits = 128};
	cloud_ok(c, &c->alice, engine_set_router_gateway, &wish);
	const struct gateway *gateway = gateway_first_by_router(t, s.router_id);
	assert_true(gateway && gateway->translates);
	uuid own = gateway->address;
	assert_non_null(address_find(t, own));
	assert_false(address_find(t, own)->is_elastic);
	const struct router *router = router_find(t, s.router_id);
	const struct route *route = route_find_by_table(t, router->main_route_table, cidr_of("0.0.0.0/0"));
	assert_true(route && uuid_equal(route->gateway, gateway->row.id));
	cloud_ok(c, &c->alice, engine_set_router_gateway, &wish); /* again: nothing else */
	assert_true(uuid_equal(gateway_first_by_router(t, s.router_id)->address, own));
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	assert_true(uuid_equal(address_find(t, address.address)->port, port));
	wish.external_network = (struct ref){0};
	cloud_fails(c, &c->alice, engine_set_router_gateway, &wish, ERR_IN_USE, KIND_GATEWAY);
	struct router_interface_wish interface = {.router = s.router, .subnet = s.subnet};
	cloud_fails(c, &c->alice, engine_remove_router_interface, &interface, ERR_IN_USE, KIND_ADDRESS);
	struct address_target release = {.address = ref_to(c, KIND_ADDRESS, address.address),
					 .with_association = true};
	cloud_ok(c, &c->alice, engine_release_address, &release);
	cloud_ok(c, &c->alice, engine_set_router_gateway, &wish);
	assert_null(gateway_first_by_router(t, s.router_id));
	assert_null(
		route_find_by_table(t, router_find(t, s.router_id)->main_route_table, cidr_of("0.0.0.0/0")));
	assert_false(row_is_live(&address_find(t, own)->row));
}

static void check_routes(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct tables *t = cloud_tables(c);
	add_interface(&s);
	struct cidr to[] = {cidr_of("192.0.2.0/24"), cidr_of("198.51.100.0/24")};
	struct ip over[] = {ip_of("10.0.1.9"), ip_of("10.9.1.9")};
	struct extra_routes_wish wish = {.router = s.router, .destinations = {to, 2}, .next_hops = {over, 2}};
	cloud_fails(c, &c->alice, engine_set_extra_routes, &wish, ERR_INVALID, KIND_ROUTE);
	over[1] = ip_of("10.0.1.8");
	cloud_ok(c, &c->alice, engine_set_extra_routes, &wish);
	uuid table = router_find(t, s.router_id)->main_route_table;
	uuid first = route_find_by_table(t, table, to[0])->row.id;
	struct router_interface_wish interface = {.router = s.router, .subnet = s.subnet};
	cloud_fails(c, &c->alice, engine_remove_router_interface, &interface, ERR_IN_USE, KIND_ROUTE);
	wish.destinations.count = wish.next_hops.count = 1;
	cloud_ok(c, &c->alice, engine_set_extra_routes, &wish);
	assert_true(uuid_equal(route_find_by_table(t, table, to[0])->row.id, first));
	assert_null(route_find_by_table(t, table, to[1]));
	/* one more, one less */
	struct extra_routes_wish more = {.router = s.router,
					 .change = EXTRA_ROUTES_ADD,
					 .destinations = {&to[1], 1},
					 .next_hops = {&over[1], 1}};
	cloud_ok(c, &c->alice, engine_set_extra_routes, &more);
	assert_non_null(route_find_by_table(t, table, to[0]));
	assert_non_null(route_find_by_table(t, table, to[1]));
	wish.change = EXTRA_ROUTES_REMOVE;
	cloud_ok(c, &c->alice, engine_set_extra_routes, &wish);
	assert_null(route_find_by_table(t, table, to[0]));
	assert_non_null(route_find_by_table(t, table, to[1]));
}

/* A router with all of it, as one change: all or nothing. */
static void check_whole(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid external = external_network_first(t)->row.id;
	struct str name = STR("other");
	struct router_whole wish = {.create = {.has_no_block = true}, .sets_gateway = true};
	wish.gateway.external_network = (struct ref){.kind = KIND_EXTERNAL_NETWORK, .bits = 128};
	cloud_fails(c, &c->alice, engine_create_whole_router, &wish, ERR_NOT_FOUND, KIND_EXTERNAL_NETWORK);
	wish.gateway.external_network.prefix = external;
	wish.gateway.translates = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_create_whole_router, &wish);
	uuid router = wish.create.router;
	assert_false(gateway_first_by_router(t, router)->translates);
	struct router_whole change = {.settings = {.router = ref_to(c, KIND_ROUTER, router), .name = &name},
				      .sets_gateway = true};
	cloud_fails(c, &c->bob, engine_change_router, &change, ERR_NOT_FOUND, KIND_ROUTER);
	cloud_ok(c, &c->alice, engine_change_router, &change);
	assert_null(gateway_first_by_router(t, router));
	assert_true(str_equal(router_find(t, router)->name, name));
}

static size_t count_ips(const struct tables *t, uuid port)
{
	size_t count = !ip_is_none(port_find(t, port)->ip);
	const struct secondary_ip *i = engine_first_secondary_ip(t, port);
	for (; i; i = engine_next_secondary_ip(t, i))
		count++;
	return count;
}

static void check_ports(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct tables *t = cloud_tables(c);
	struct network_subnet_wish second = {.network = s.network, .block = cidr_of("10.0.2.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &second);
	struct port_fixed_wish fixed[] = {{.ip = ip_of("10.0.1.10")},
					  {.subnet = ref_to(c, KIND_SUBNET, second.subnet)}};
	struct port_pair pair = {.block = cidr_of("10.0.1.200/32")};
	struct network_port_wish port = {.network = s.network,
					 .fixed = {true, fixed, 2, STR("fixed_ips")},
					 .mac = {{2, 1, 2, 3, 4, 5}},
					 .pairs = {&pair, 1}};
	cloud_fails(c, &c->bob, engine_add_port, &port, ERR_NOT_FOUND, KIND_NETWORK);
	cloud_ok(c, &c->alice, engine_add_port, &port);
	assert_int_equal(count_ips(t, port.port), 2);
	assert_true(str_is(port_find(t, port.port)->allowed_pairs.at[0], "02:01:02:03:04:05 10.0.1.200"));
	assert_int_equal(port_find(t, port.port)->groups.count, 1); /* the account's own default group */
	cloud_fails(c, &c->alice, engine_add_port, &port, ERR_CONFLICT, KIND_PORT); /* the MAC */
	port.mac = (struct mac){0};
	cloud_fails(c, &c->alice, engine_add_port, &port, ERR_EXISTS, KIND_PORT); /* the address */
	fixed[0].ip = ip_of("10.7.1.10");
	cloud_fails(c, &c->alice, engine_add_port, &port, ERR_RANGE, KIND_PORT);
	/* the second address becomes the primary one, a new one is added, and the first is removed */
	const struct secondary_ip *other = engine_first_secondary_ip(t, port.port);
	struct port_fixed_wish wanted[] = {{.ip = other->ip}, {.ip = ip_of("10.0.1.11")}};
	struct port_settings change = {.port = ref_to(c, KIND_PORT, port.port),
				       .fixed = {true, wanted, 2, STR("fixed_ips")}};
	cloud_ok(c, &c->alice, engine_update_port, &change);
	assert_true(uuid_equal(port_find(t, port.port)->subnet, second.subnet));
	assert_int_equal(count_ips(t, port.port), 2);
	change = (struct port_settings){.port = change.port, .is_open = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_update_port, &change, ERR_COMBINATION, KIND_PORT); /* its pair */
	struct port_pairs none = {0};
	change.pairs = &none;
	cloud_fails(c, &c->alice, engine_update_port, &change, ERR_IN_USE, KIND_PORT); /* its group */
	change.has_no_groups = true;
	cloud_ok(c, &c->alice, engine_update_port, &change);
	assert_int_equal(port_find(t, port.port)->groups.count, 0);
	/* one without any address */
	struct network_port_wish bare = {
		.network = s.network, .fixed = {.is_given = true}, .is_open = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_add_port, &bare);
	assert_int_equal(count_ips(t, bare.port), 0);
	assert_true(uuid_is_none(port_find(t, bare.port)->subnet));
}

static void check_groups(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct tables *t = cloud_tables(c);
	assert_null(engine_find_default_group(t, c->alice.account));
	struct security_group_wish wish = {.is_alone = true, .name = STR("web")};
	cloud_ok(c, &c->alice, engine_create_security_group, &wish);
	uuid web = wish.group;
	const struct security_group *group = engine_find_default_group(t, c->alice.account);
	assert_non_null(group);
	size_t rules = 0;
	for (const struct security_group_rule *r = security_group_rule_first_by_group(t, group->row.id); r;
	     r = security_group_rule_next_by_group(t, r))
		rules++;
	assert_int_equal(rules, 4);
	cloud_ok(c, &c->alice, engine_create_security_group, &wish); /* names may be given twice */
	struct security_group_target target = {.group = ref_to(c, KIND_SECURITY_GROUP, group->row.id)};
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_PROTECTED, KIND_SECURITY_GROUP);
	/* good in a network and in a VPC alike */
	struct ref ref = ref_to(c, KIND_SECURITY_GROUP, web);
	struct network_port_wish port = {.network = s.network, .groups = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	target.group = ref;
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_IN_USE, KIND_SECURITY_GROUP);
	struct rule_wish rule = {.protocol = 6, .from_port = 22, .to_port = 22, .peer_group = ref};
	struct rules_wish rules_wish = {.group = ref, .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_authorize_rules, &rules_wish);
	cloud_fails(c, &c->alice, engine_authorize_rules, &rules_wish, ERR_EXISTS, KIND_SECURITY_GROUP_RULE);
	rule.is_ipv6 = true;
	cloud_ok(c, &c->alice, engine_authorize_rules, &rules_wish);
	struct ref made = ref_to(c, KIND_SECURITY_GROUP_RULE, rules_wish.made.at[0]);
	struct rules_wish revoke = {.rule_ids = {&made, 1}};
	cloud_ok(c, &c->alice, engine_revoke_rules, &revoke);
	struct ref default_vpc =
		ref_to(c, KIND_SECURITY_GROUP, router_find(t, c->alice_router)->default_group);
	struct network_port_wish wrong = {.network = s.network, .groups = {&default_vpc, 1}};
	cloud_fails(c, &c->alice, engine_add_port, &wrong, ERR_INVALID, KIND_SECURITY_GROUP);
}

/* An administrator makes things for others; what is part of a thing is its owner's. */
static void check_for_another(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct ref bob = ref_to(c, KIND_ACCOUNT, c->bob.account);
	struct identity admin = c->bob;
	admin.rights |= RIGHT(ADMIN);
	struct network_wish network = {.name = STR("given"),
				       .account = ref_to(c, KIND_ACCOUNT, c->alice.account)};
	cloud_fails(c, &c->bob, engine_create_network, &network, ERR_DENIED, KIND_ACCOUNT);
	cloud_ok(c, &admin, engine_create_network, &network);
	assert_true(uuid_equal(network_find(cloud_tables(c), network.network)->account, c->alice.account));
	network.account = bob;
	cloud_ok(c, &c->bob, engine_create_network, &network);
	struct network_port_wish port = {.network = s.network,
					 .account = ref_to(c, KIND_ACCOUNT, c->alice.account)};
	cloud_ok(c, &admin, engine_add_port, &port);
	const struct port *made = port_find(cloud_tables(c), port.port);
	const struct security_group *group = engine_find_default_group(cloud_tables(c), c->alice.account);
	assert_true(uuid_equal(made->account, c->alice.account));
	assert_true(uuids_have(&made->groups, group->row.id));
	struct network_subnet_wish subnet = {
		.network = s.network, .account = bob, .block = cidr_of("10.0.9.0/24")};
	cloud_fails(c, &admin, engine_add_subnet, &subnet, ERR_INVALID, KIND_ACCOUNT);
	struct port_target gone = {.port = ref_to(c, KIND_PORT, port.port)};
	cloud_ok(c, &admin, engine_delete_port, &gone);
	struct security_group_target target = {.group = ref_to(c, KIND_SECURITY_GROUP, group->row.id)};
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_PROTECTED, KIND_SECURITY_GROUP);
	cloud_ok(c, &admin, engine_delete_security_group, &target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_subnets, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_interfaces, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_apart, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_gateway, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_routes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_whole, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_groups, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_for_another, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
