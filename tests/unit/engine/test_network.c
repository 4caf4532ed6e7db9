/* SPDX-License-Identifier: Apache-2.0
 * Routers, subnets, gateways, route tables and ports. */
#include "cloud.h"
#include "engine/network/external_network.h"
#include "engine/network/filter/network_acl.h"
#include "engine/network/network.h"
#include "engine/network/routing/router_block.h"
#include "engine/tombstone.h"
#include "model/instance.h"
#include "store/account.h"
#include "store/gateway.h"
#include "store/network_acl.h"
#include "store/network_acl_entry.h"
#include "store/port.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/zone.h"

static struct router_wish make_router(struct cloud *c, const char *block)
{
	struct router_wish wish = {.block = cidr_of(block)};
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	return wish;
}

static uuid make_subnet(struct cloud *c, uuid router, const char *block)
{
	struct subnet_wish wish = {.router = ref_to(c, KIND_ROUTER, router), .block = cidr_of(block)};
	cloud_ok(c, &c->alice, engine_create_subnet, &wish);
	return wish.subnet;
}

/* Without a pool a router cannot get an IPv6 block. A /56 pool has one block, which is free again once no
 * subnet uses a part of it. */
static void check_ipv6_blocks(void **state)
{
	struct cloud *c = *state;
	struct router_wish wish = {.block = cidr_of("10.77.0.0/16"), .ipv6.is_wanted = true};
	cloud_fails(c, &c->alice, engine_create_router, &wish, ERR_UNSUPPORTED, KIND_EXTERNAL_NETWORK);
	struct external_ipv6_wish pool = {.external_network =
						  ref_to(c, KIND_EXTERNAL_NETWORK, c->external_network),
					  .pool = cidr_of("2001:db8::/39")};
	cloud_fails(c, &c->operator, engine_set_external_ipv6, &pool, ERR_INVALID, KIND_EXTERNAL_NETWORK);
	pool.pool = cidr_of("fe80::/56");
	cloud_fails(c, &c->operator, engine_set_external_ipv6, &pool, ERR_INVALID, KIND_EXTERNAL_NETWORK);
	pool.pool = cidr_of("2001:db8:0:ff00::/56");
	cloud_ok(c, &c->operator, engine_set_external_ipv6, &pool);
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	struct router_block_wish another = {.router = ref_to(c, KIND_ROUTER, wish.router),
					    .ipv6.is_wanted = true};
	cloud_fails(c, &c->alice, engine_add_router_block, &another, ERR_CAPACITY, KIND_ADDRESS);
	struct router_target gone = {.router = ref_to(c, KIND_ROUTER, wish.router)};
	cloud_ok(c, &c->alice, engine_delete_router, &gone);
	struct router_wish again = {.block = cidr_of("10.77.0.0/16"), .ipv6.is_wanted = true};
	cloud_fails(c, &c->alice, engine_create_router, &again, ERR_CAPACITY, KIND_ADDRESS);
	struct tombstone forget = {KIND_ROUTER, wish.router};
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	cloud_ok(c, &c->alice, engine_create_router, &again);
}

static void check_router_blocks(void **state)
{
	struct cloud *c = *state;
	static const struct {
		const char *block;
		enum err err;
	} rows[] = {
		{"10.0.0.0/16", ERR_NONE},   {"10.0.0.0/28", ERR_NONE},    {"10.0.0.0/15", ERR_RANGE},
		{"10.0.0.0/29", ERR_RANGE},  {"127.0.0.0/16", ERR_RANGE},  {"169.254.0.0/16", ERR_RANGE},
		{"224.0.0.0/16", ERR_RANGE}, {"0.0.0.0/16", ERR_RANGE},    {"fd00::/16", ERR_RANGE},
		{"240.0.0.0/16", ERR_RANGE}, {"203.0.113.0/24", ERR_NONE},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct router_wish wish = {.block = cidr_of(rows[n].block)};
		cloud_expect(c, cloud_run(c, &c->alice, engine_create_router_run, &wish), rows[n].err,
			     KIND_ROUTER);
	}
	struct router_wish wish = {.block = cidr_of("10.1.2.3/16")};
	cloud_ok(c, &c->alice, engine_create_router, &wish);
	const struct router *router = router_find(cloud_tables(c), wish.router);
	assert_true(cidr_equal(router->blocks.at[0], cidr_of("10.1.0.0/16")));
	assert_true(router->dns_support && !router->dns_hostnames && !router->is_default);
	assert_true(uuid_equal(router->main_route_table, wish.route_table) &&
		    uuid_equal(router->default_group, wish.group));
}

static void check_router_settings(void **state)
{
	struct cloud *c = *state;
	struct router_settings wish = {.router = ref_to(c, KIND_ROUTER, c->alice_router),
				       .dns_support = CHOICE_NO};
	cloud_fails(c, &c->bob, engine_update_router, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	cloud_ok(c, &c->alice, engine_update_router, &wish);
	const struct router *router = router_find(cloud_tables(c), c->alice_router);
	assert_true(!router->dns_support && router->dns_hostnames);
	assert_int_equal(router->row.gen, 2);
}

static void check_router_delete(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_wish router = make_router(c, "10.0.0.0/16");
	struct router_target target = {.router = ref_to(c, KIND_ROUTER, router.router)};
	cloud_fails(c, &c->bob, engine_delete_router, &target, ERR_NOT_FOUND, KIND_ROUTER);
	uuid subnet = make_subnet(c, router.router, "10.0.1.0/24");
	cloud_fails(c, &c->alice, engine_delete_router, &target, ERR_IN_USE, KIND_ROUTER);
	struct subnet_target gone = {.subnet = ref_to(c, KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &gone);
	struct security_group_wish group = {.router = target.router, .name = STR("g")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	cloud_fails(c, &c->alice, engine_delete_router, &target, ERR_IN_USE, KIND_ROUTER);
	struct security_group_target no_group = {.group = ref_to(c, KIND_SECURITY_GROUP, group.group)};
	cloud_ok(c, &c->alice, engine_delete_security_group, &no_group);
	struct route_table_wish table = {.router = target.router};
	cloud_ok(c, &c->alice, engine_create_route_table, &table);
	cloud_fails(c, &c->alice, engine_delete_router, &target, ERR_IN_USE, KIND_ROUTER);
	struct route_table_target no_table = {.route_table = ref_to(c, KIND_ROUTE_TABLE, table.route_table)};
	cloud_ok(c, &c->alice, engine_delete_route_table, &no_table);

	uuid acl = router_find(t, router.router)->default_acl;
	assert_true(network_acl_find(t, acl)->is_default);
	assert_non_null(network_acl_entry_find_by_acl(t, acl, false, 100));
	assert_true(uuid_equal(subnet_find(t, subnet)->acl, acl));
	cloud_ok(c, &c->alice, engine_delete_router, &target);
	cloud_fails(c, &c->alice, engine_delete_router, &target, ERR_NOT_FOUND, KIND_ROUTER);
	assert_null(route_table_find(t, router.route_table));
	assert_null(network_acl_find(t, acl));
	assert_null(network_acl_entry_first_by_acl(t, acl));
	assert_false(row_is_live(&security_group_find(t, router.group)->row));
	assert_int_equal(account_usage(account_find(t, c->alice.account))->routers, 1);
	/* The reconciler forgets in its order. */
	struct tombstone forget = {KIND_ROUTER, router.router};
	cloud_fails(c, NULL, engine_forget_deleted, &forget, ERR_IN_USE, KIND_ROUTER);
	struct tombstone forget_subnet = {KIND_SUBNET, subnet};
	cloud_ok(c, NULL, engine_forget_deleted, &forget_subnet);
	cloud_ok(c, NULL, engine_forget_deleted, &forget_subnet);
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	struct tombstone forget_group = {KIND_SECURITY_GROUP, router.group};
	cloud_ok(c, NULL, engine_forget_deleted, &forget_group);
	forget.id = c->alice_router;
	cloud_fails(c, NULL, engine_forget_deleted, &forget, ERR_STATE, KIND_ROUTER);
}

static void check_default_delete(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_target target = {.router = ref_to(c, KIND_ROUTER, c->alice_router)};
	while (subnet_first_by_router(t, c->alice_router)) {
		uuid subnet = subnet_first_by_router(t, c->alice_router)->row.id;
		struct subnet_target gone = {.subnet = ref_to(c, KIND_SUBNET, subnet)};
		struct tombstone forget = {KIND_SUBNET, subnet};
		cloud_ok(c, &c->alice, engine_delete_subnet, &gone);
		cloud_ok(c, NULL, engine_forget_deleted, &forget);
	}
	cloud_fails(c, &c->alice, engine_delete_router, &target, ERR_IN_USE, KIND_ROUTER); /* its gateway */
	uuid gateway = gateway_first_by_router(t, c->alice_router)->row.id;
	struct gateway_attachment attachment = {.gateway = ref_to(c, KIND_GATEWAY, gateway),
						.router = target.router};
	struct gateway_target gateway_target = {.gateway = attachment.gateway};
	cloud_fails(c, &c->alice, engine_delete_gateway, &gateway_target, ERR_IN_USE, KIND_GATEWAY);
	cloud_ok(c, &c->alice, engine_detach_gateway, &attachment);
	cloud_ok(c, &c->alice, engine_delete_gateway, &gateway_target);
	cloud_ok(c, &c->alice, engine_delete_router, &target);
	assert_true(uuid_is_none(account_find(t, c->alice.account)->default_router));
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_MISSING, KIND_ROUTER);
	struct security_group_wish group = {.name = STR("g")};
	cloud_fails(c, &c->alice, engine_create_security_group, &group, ERR_MISSING, KIND_ROUTER);
}

static void check_subnet_blocks(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = make_router(c, "10.0.0.0/16");
	make_subnet(c, router.router, "10.0.1.0/24");
	static const struct {
		const char *block;
		enum err err;
	} rows[] = {
		{"10.0.2.0/24", ERR_NONE},     {"10.0.1.0/24", ERR_CONFLICT}, {"10.0.1.128/25", ERR_CONFLICT},
		{"10.0.0.0/16", ERR_CONFLICT}, {"10.1.0.0/24", ERR_RANGE},    {"10.0.3.0/29", ERR_RANGE},
		{"10.0.0.0/15", ERR_RANGE},    {"10.0.4.5/28", ERR_NONE},     {"10.0.4.0/28", ERR_CONFLICT},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct subnet_wish wish = {.router = ref_to(c, KIND_ROUTER, router.router),
					   .block = cidr_of(rows[n].block)};
		cloud_expect(c, cloud_run(c, &c->alice, engine_create_subnet_run, &wish), rows[n].err,
			     KIND_SUBNET);
	}
	struct subnet_wish wish = {.router = ref_to(c, KIND_ROUTER, router.router),
				   .block = cidr_of("10.0.9.0/24"),
				   .zone = ref_named(KIND_ZONE, "xyw2-az2")};
	cloud_fails(c, &c->bob, engine_create_subnet, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	cloud_ok(c, &c->alice, engine_create_subnet, &wish);
	const struct subnet *subnet = subnet_find(cloud_tables(c), wish.subnet);
	assert_true(str_is(zone_find(cloud_tables(c), subnet->zone)->name, "xy-west-2b"));
	assert_true(!subnet->is_default && !subnet->public_on_launch);
	struct subnet_settings settings = {.subnet = ref_to(c, KIND_SUBNET, wish.subnet),
					   .public_on_launch = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_subnet, &settings);
	assert_true(subnet_find(cloud_tables(c), wish.subnet)->public_on_launch);
	wish.zone = ref_named(KIND_ZONE, "xx");
	cloud_fails(c, &c->alice, engine_create_subnet, &wish, ERR_NOT_FOUND, KIND_ZONE);
}

static void check_subnet_delete(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c);
	uuid subnet = cloud_instance(c, instance)->subnet;
	struct subnet_target target = {.subnet = ref_to(c, KIND_SUBNET, subnet)};
	cloud_fails(c, &c->alice, engine_delete_subnet, &target, ERR_IN_USE, KIND_SUBNET);
	cloud_fails(c, &c->bob, engine_delete_subnet, &target, ERR_NOT_FOUND, KIND_SUBNET);
	struct tombstone forget = {KIND_SUBNET, subnet};
	cloud_fails(c, NULL, engine_forget_deleted, &forget, ERR_STATE, KIND_SUBNET);
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish end = {.instances = {&ref, 1}};
	uuid port = cloud_port(c, instance)->row.id;
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
	cloud_ok(c, &c->alice, engine_delete_subnet, &target);
	cloud_fails(c, NULL, engine_forget_deleted, &forget, ERR_IN_USE, KIND_SUBNET);
	struct port_report gone = {.port = port};
	cloud_ok(c, NULL, engine_forget_port, &gone);
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	assert_null(subnet_find(cloud_tables(c), subnet));
}

static void check_gateways(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = make_router(c, "10.0.0.0/16");
	struct gateway_wish wish = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &wish);
	struct gateway_attachment attachment = {.gateway = ref_to(c, KIND_GATEWAY, wish.gateway),
						.router = ref_to(c, KIND_ROUTER, c->alice_router)};
	cloud_fails(c, &c->alice, engine_attach_gateway, &attachment, ERR_EXISTS, KIND_GATEWAY);
	attachment.router = ref_to(c, KIND_ROUTER, router.router);
	cloud_fails(c, &c->bob, engine_attach_gateway, &attachment, ERR_NOT_FOUND, KIND_GATEWAY);
	cloud_fails(c, &c->alice, engine_detach_gateway, &attachment, ERR_STATE, KIND_GATEWAY);
	cloud_ok(c, &c->alice, engine_attach_gateway, &attachment);
	cloud_fails(c, &c->alice, engine_attach_gateway, &attachment, ERR_CONFLICT, KIND_GATEWAY);
	const struct gateway *gateway = gateway_find(cloud_tables(c), wish.gateway);
	assert_true(!ip_is_none(gateway->ip) && uuid_equal(gateway->router, router.router));
	cloud_ok(c, &c->alice, engine_detach_gateway, &attachment);
	assert_true(ip_is_none(gateway_find(cloud_tables(c), wish.gateway)->ip));
	/* Not while public addresses stand for ports behind it. */
	cloud_launch_one(c);
	attachment.router = ref_to(c, KIND_ROUTER, c->alice_router);
	attachment.gateway =
		ref_to(c, KIND_GATEWAY, gateway_first_by_router(cloud_tables(c), c->alice_router)->row.id);
	cloud_fails(c, &c->alice, engine_detach_gateway, &attachment, ERR_IN_USE, KIND_ROUTER);
}

static void check_route_tables(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_wish router = make_router(c, "10.0.0.0/16");
	uuid subnet = make_subnet(c, router.router, "10.0.1.0/24");
	struct route_table_wish wish = {.router = ref_to(c, KIND_ROUTER, router.router)};
	cloud_ok(c, &c->alice, engine_create_route_table, &wish);
	struct route_table_association a = {.route_table = ref_to(c, KIND_ROUTE_TABLE, wish.route_table),
					    .subnet = ref_to(c, KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_associate_route_table, &a);
	uuid first = a.made;
	cloud_ok(c, &c->alice, engine_associate_route_table, &a);
	assert_true(uuid_equal(a.made, first));
	a.route_table = ref_to(c, KIND_ROUTE_TABLE, router.route_table);
	cloud_fails(c, &c->alice, engine_associate_route_table, &a, ERR_CONFLICT, KIND_SUBNET);
	a.route_table = ref_to(c, KIND_ROUTE_TABLE, router_find(t, c->alice_router)->main_route_table);
	cloud_fails(c, &c->alice, engine_associate_route_table, &a, ERR_INVALID, KIND_ROUTE_TABLE);
	struct route_table_target target = {.route_table = ref_to(c, KIND_ROUTE_TABLE, wish.route_table)};
	cloud_fails(c, &c->alice, engine_delete_route_table, &target, ERR_IN_USE, KIND_ROUTE_TABLE);

	a.association = ref_association(c, "rtbassoc", first);
	cloud_fails(c, &c->bob, engine_disassociate_route_table, &a, ERR_NOT_FOUND, KIND_NONE);
	cloud_ok(c, &c->alice, engine_disassociate_route_table, &a);
	assert_true(uuid_is_none(subnet_find(t, subnet)->route_table));
	cloud_fails(c, &c->alice, engine_disassociate_route_table, &a, ERR_NOT_FOUND, KIND_NONE);

	/* The main association moves to another table. */
	uuid main = route_table_find(t, router.route_table)->main_association;
	a.association = ref_association(c, "rtbassoc", main);
	cloud_fails(c, &c->alice, engine_disassociate_route_table, &a, ERR_INVALID, KIND_ROUTE_TABLE);
	a.route_table = target.route_table;
	cloud_ok(c, &c->alice, engine_replace_route_table, &a);
	assert_true(uuid_equal(router_find(t, router.router)->main_route_table, wish.route_table));
	assert_true(uuid_equal(route_table_find(t, wish.route_table)->main_association, a.made));
	assert_true(uuid_is_none(route_table_find(t, router.route_table)->main_association));
	cloud_fails(c, &c->alice, engine_delete_route_table, &target, ERR_IN_USE, KIND_ROUTE_TABLE);
	target.route_table = ref_to(c, KIND_ROUTE_TABLE, router.route_table);
	cloud_ok(c, &c->alice, engine_delete_route_table, &target);
}

/* The table that a gateway has leads to ports alone, within the router's blocks, until the gateway is
 * detached. */
static void check_gateway_tables(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct ref gateway = ref_to(c, KIND_GATEWAY, gateway_first_by_router(t, c->alice_router)->row.id);
	struct ref port = ref_to(c, KIND_PORT, cloud_port(c, cloud_launch_one(c))->row.id);
	struct route_table_wish made = {.router = ref_to(c, KIND_ROUTER, c->alice_router)};
	cloud_ok(c, &c->alice, engine_create_route_table, &made);
	struct route_table_association a = {.route_table = ref_to(c, KIND_ROUTE_TABLE, made.route_table),
					    .gateway = gateway};
	struct route_wish route = {
		.route_table = a.route_table, .port = port, .destination = cidr_of("192.0.2.0/24")};
	cloud_ok(c, &c->alice, engine_create_route, &route);
	cloud_fails(c, &c->alice, engine_associate_route_table, &a, ERR_INVALID, KIND_ROUTE_TABLE);
	cloud_ok(c, &c->alice, engine_delete_route, &route);
	cloud_ok(c, &c->alice, engine_associate_route_table, &a);
	uuid first = a.made;
	cloud_ok(c, &c->alice, engine_associate_route_table, &a);
	assert_true(uuid_equal(a.made, first));
	cloud_fails(c, &c->alice, engine_create_route, &route, ERR_INVALID, KIND_ROUTE);
	route.destination = cidr_of("172.31.0.0/16"); /* the local route's: replaced alone */
	cloud_fails(c, &c->alice, engine_create_route, &route, ERR_INVALID, KIND_ROUTE);
	cloud_ok(c, &c->alice, engine_replace_route, &route);
	assert_non_null(route_find_by_table(t, made.route_table, route.destination));
	cloud_fails(c, &c->alice, engine_delete_route, &route, ERR_INVALID, KIND_ROUTE);
	route.to_local = true;
	cloud_fails(c, &c->alice, engine_replace_route, &route, ERR_COMBINATION, KIND_ROUTE);
	route.port = (struct ref){0};
	cloud_ok(c, &c->alice, engine_replace_route, &route);
	cloud_ok(c, &c->alice, engine_replace_route, &route);
	assert_null(route_find_by_table(t, made.route_table, route.destination));
	struct route_table_target gone = {.route_table = a.route_table};
	cloud_fails(c, &c->alice, engine_delete_route_table, &gone, ERR_IN_USE, KIND_ROUTE_TABLE);
	a.association = ref_association(c, "rtbassoc", first);
	cloud_fails(c, &c->bob, engine_disassociate_route_table, &a, ERR_NOT_FOUND, KIND_NONE);
	a.route_table = ref_to(c, KIND_ROUTE_TABLE, router_find(t, c->alice_router)->main_route_table);
	cloud_fails(c, &c->alice, engine_replace_route_table, &a, ERR_INVALID, KIND_ROUTE_TABLE);
	cloud_ok(c, &c->alice, engine_disassociate_route_table, &a);
	assert_true(uuid_is_none(gateway_first_by_router(t, c->alice_router)->route_table));
	cloud_ok(c, &c->alice, engine_delete_route_table, &gone);
}

/* The main table may be a gateway's, too: it gets no next hops then. A detached gateway has none. */
static void check_main_table_of_gateway(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_wish router = make_router(c, "10.0.0.0/16");
	make_subnet(c, router.router, "10.0.1.0/24");
	struct gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	struct gateway_attachment attachment = {.gateway = ref_to(c, KIND_GATEWAY, gateway.gateway),
						.router = ref_to(c, KIND_ROUTER, router.router)};
	struct route_table_association a = {.route_table = ref_to(c, KIND_ROUTE_TABLE, router.route_table),
					    .gateway = attachment.gateway};
	cloud_fails(c, &c->alice, engine_associate_route_table, &a, ERR_INVALID, KIND_ROUTE_TABLE);
	cloud_ok(c, &c->alice, engine_attach_gateway, &attachment);
	cloud_ok(c, &c->alice, engine_associate_route_table, &a);
	struct cidr to = cidr_of("192.0.2.0/24");
	struct ip over = ip_of("10.0.1.9");
	struct extra_routes_wish extra = {
		.router = attachment.router, .destinations = {&to, 1}, .next_hops = {&over, 1}};
	cloud_fails(c, &c->alice, engine_set_extra_routes, &extra, ERR_INVALID, KIND_ROUTE);
	cloud_ok(c, &c->alice, engine_detach_gateway, &attachment);
	assert_true(uuid_is_none(gateway_find(t, gateway.gateway)->route_table));
	cloud_ok(c, &c->alice, engine_set_extra_routes, &extra);
	cloud_ok(c, &c->alice, engine_attach_gateway, &attachment);
	cloud_fails(c, &c->alice, engine_associate_route_table, &a, ERR_INVALID, KIND_ROUTE_TABLE);
}

static void check_routes(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid table = router_find(t, c->alice_router)->main_route_table;
	uuid gateway = gateway_first_by_router(t, c->alice_router)->row.id;
	struct route_wish wish = {.route_table = ref_to(c, KIND_ROUTE_TABLE, table),
				  .destination = cidr_of("0.0.0.0/0"),
				  .gateway = ref_to(c, KIND_GATEWAY, gateway)};
	cloud_fails(c, &c->alice, engine_create_route, &wish, ERR_EXISTS, KIND_ROUTE);
	wish.destination = cidr_of("172.31.5.0/24");
	cloud_fails(c, &c->alice, engine_create_route, &wish, ERR_INVALID, KIND_ROUTE);
	wish.destination = cidr_of("192.168.0.0/24");
	cloud_ok(c, &c->alice, engine_create_route, &wish);
	cloud_ok(c, &c->alice, engine_replace_route, &wish);
	cloud_ok(c, &c->alice, engine_delete_route, &wish);
	cloud_fails(c, &c->alice, engine_delete_route, &wish, ERR_NOT_FOUND, KIND_ROUTE);
	cloud_fails(c, &c->alice, engine_replace_route, &wish, ERR_NOT_FOUND, KIND_ROUTE);
	wish.gateway = ref_to(c, KIND_GATEWAY, gateway_first_by_router(t, c->bob_router)->row.id);
	cloud_fails(c, &c->alice, engine_create_route, &wish, ERR_NOT_FOUND, KIND_GATEWAY);
	struct gateway_wish other = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &other);
	wish.gateway = ref_to(c, KIND_GATEWAY, other.gateway);
	cloud_fails(c, &c->alice, engine_create_route, &wish, ERR_INVALID, KIND_ROUTE);
	wish.gateway = (struct ref){0};
	cloud_fails(c, &c->alice, engine_create_route, &wish, ERR_MISSING, KIND_ROUTE);
	uuid instance = cloud_launch_one(c);
	wish.port = ref_to(c, KIND_PORT, cloud_port(c, instance)->row.id);
	cloud_ok(c, &c->alice, engine_create_route, &wish);
}

static void check_ports(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_wish router = make_router(c, "10.0.0.0/16");
	uuid subnet = make_subnet(c, router.router, "10.0.1.0/28"); /* 11 addresses to hand out */
	struct port_wish wish = {.subnet = ref_to(c, KIND_SUBNET, subnet)};
	static const struct {
		const char *ip;
		enum err err;
	} rows[] = {
		{"10.0.1.0", ERR_RANGE}, {"10.0.1.3", ERR_RANGE}, {"10.0.1.15", ERR_RANGE},
		{"10.0.2.5", ERR_RANGE}, {"10.0.1.14", ERR_NONE}, {"10.0.1.14", ERR_EXISTS},
		{"10.0.1.4", ERR_NONE},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		wish.ips.primary = ip_of(rows[n].ip);
		cloud_expect(c, cloud_run(c, &c->alice, engine_create_port_run, &wish), rows[n].err,
			     KIND_PORT);
	}
	wish.ips.primary = (struct ip){0};
	for (int n = 0; n < 9; n++)
		cloud_ok(c, &c->alice, engine_create_port, &wish);
	assert_int_equal(engine_count_free_addresses(subnet_find(t, subnet)), 0);
	uuid last = wish.port;
	cloud_fails(c, &c->alice, engine_create_port, &wish, ERR_CAPACITY, KIND_SUBNET);
	/* A deleted port's address is not drawn before the network is rid of it. A call may name it. */
	const struct port *port = port_find(t, last);
	assert_int_equal(port->mac.b[0], 2);
	assert_true(uuid_equal(port->groups.at[0], router.group));
	struct ip freed = port->ip;
	struct port_target target = {.port = ref_to(c, KIND_PORT, last)};
	struct port_report report = {.port = last, .gen = 1, .up = true};
	cloud_fails(c, NULL, engine_forget_port, &report, ERR_STATE, KIND_PORT);
	cloud_ok(c, NULL, engine_see_port, &report);
	assert_true(port_find(t, last)->seen_up && port_find(t, last)->seen_gen == 1);
	cloud_fails(c, &c->bob, engine_delete_port, &target, ERR_NOT_FOUND, KIND_PORT);
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	cloud_fails(c, &c->alice, engine_create_port, &wish, ERR_CAPACITY, KIND_SUBNET);
	wish.ips.primary = freed;
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	cloud_fails(c, &c->alice, engine_create_port, &wish, ERR_EXISTS, KIND_PORT);
	cloud_ok(c, NULL, engine_forget_port, &report);
	cloud_fails(c, &c->alice, engine_create_port, &wish, ERR_EXISTS, KIND_PORT);
}

static void check_port_groups(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c);
	struct security_group_wish group = {.name = STR("web")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	const struct ref groups[] = {ref_named(KIND_SECURITY_GROUP, "default"),
				     ref_to(c, KIND_SECURITY_GROUP, group.group),
				     ref_named(KIND_SECURITY_GROUP, "web")};
	struct port_settings wish = {.instance = ref_to(c, KIND_INSTANCE, instance),
				     .groups = {groups, 3},
				     .source_dest_check = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_port, &wish);
	const struct port *port = cloud_port(c, instance);
	assert_int_equal(port->groups.count, 2); /* each once */
	assert_false(port->source_dest_check);
	assert_int_equal(port->row.gen, 2);
	struct port_target target = {.port = ref_to(c, KIND_PORT, port->row.id)};
	cloud_fails(c, &c->alice, engine_delete_port, &target, ERR_IN_USE, KIND_PORT);
	const struct ref bobs =
		ref_to(c, KIND_SECURITY_GROUP, router_find(cloud_tables(c), c->bob_router)->default_group);
	wish.groups = (struct refs){&bobs, 1};
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	struct router_wish other = make_router(c, "10.0.0.0/16");
	const struct ref others = ref_to(c, KIND_SECURITY_GROUP, other.group);
	wish.groups = (struct refs){&others, 1};
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_INVALID, KIND_SECURITY_GROUP);
}

/* Ten thousand ports in one subnet; every one gets an address of its own. */
static void check_many_ports(void **state)
{
	struct cloud *c = *state;
	c->skips_dumps = true;
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.ports = -1;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	struct router_wish router = make_router(c, "10.0.0.0/16");
	uuid subnet = make_subnet(c, router.router, "10.0.0.0/18");
	for (int n = 0; n < 10000; n++) {
		struct port_wish wish = {.subnet = ref_to(c, KIND_SUBNET, subnet)};
		cloud_ok(c, &c->alice, engine_create_port, &wish);
	}
	assert_int_equal(engine_count_free_addresses(subnet_find(cloud_tables(c), subnet)),
			 16384 - 5 - 10000);
}

static uuid add_entry(struct cloud *c, uuid acl, bool egress, int64_t number)
{
	struct cidr block = cidr_of("10.0.0.0/8");
	struct network_acl_entry_wish wish = {.acl = ref_to(c, KIND_NETWORK_ACL, acl),
					      .egress = egress,
					      .number = number,
					      .protocol = -1,
					      .blocks = {&block, 1}};
	cloud_ok(c, &c->alice, engine_create_network_acl_entry, &wish);
	return wish.entry;
}

static int64_t number_of(struct cloud *c, uuid entry)
{
	return network_acl_entry_find(cloud_tables(c), entry)->number;
}

/* Both directions are one order: those in the way move up, and no two of a direction meet. */
static void check_acl_order(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = make_router(c, "10.0.0.0/16");
	struct network_acl_wish made = {.router = ref_to(c, KIND_ROUTER, router.router)};
	cloud_ok(c, &c->alice, engine_create_network_acl, &made);
	uuid a = add_entry(c, made.acl, false, 1), b = add_entry(c, made.acl, true, 2),
	     d = add_entry(c, made.acl, false, 3), e = add_entry(c, made.acl, true, 3);
	struct network_acl_entry_move move = {.entry = ref_by_id(KIND_NETWORK_ACL_ENTRY, e)};
	cloud_fails(c, &c->alice, engine_move_network_acl_entry, &move, ERR_COMBINATION,
		    KIND_NETWORK_ACL_ENTRY);
	move.previous = ref_by_id(KIND_NETWORK_ACL_ENTRY, a);
	move.next = ref_by_id(KIND_NETWORK_ACL_ENTRY, b);
	cloud_fails(c, &c->bob, engine_move_network_acl_entry, &move, ERR_NOT_FOUND, KIND_NETWORK_ACL_ENTRY);
	move.digest = STR("0");
	cloud_fails(c, &c->alice, engine_move_network_acl_entry, &move, ERR_STATE, KIND_NETWORK_ACL_ENTRY);
	move.digest = STR_NONE;
	cloud_ok(c, &c->alice, engine_move_network_acl_entry, &move);
	assert_int_equal(number_of(c, e), 2);
	assert_int_equal(number_of(c, b), 3);
	assert_int_equal(number_of(c, d), 4);
	struct network_acl_entry_move last = {.entry = ref_by_id(KIND_NETWORK_ACL_ENTRY, a),
					      .previous = ref_by_id(KIND_NETWORK_ACL_ENTRY, d)};
	cloud_ok(c, &c->alice, engine_move_network_acl_entry, &last);
	assert_int_equal(number_of(c, a), 5);
	struct network_acl_entry_move first = {.entry = ref_by_id(KIND_NETWORK_ACL_ENTRY, d),
					       .next = ref_by_id(KIND_NETWORK_ACL_ENTRY, e)};
	cloud_ok(c, &c->alice, engine_move_network_acl_entry, &first);
	assert_int_equal(number_of(c, d), 1);
	assert_int_equal(number_of(c, e), 2);
}

/* A replaced entry may not have more blocks than the list has room for. */
static void check_acl_room(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = make_router(c, "10.0.0.0/16");
	struct network_acl_wish made = {.router = ref_to(c, KIND_ROUTER, router.router)};
	cloud_ok(c, &c->alice, engine_create_network_acl, &made);
	for (int64_t k = 1; k <= 10; k++)
		add_entry(c, made.acl, false, k);
	struct cidr blocks[11];
	for (size_t k = 0; k < 11; k++)
		blocks[k] = (struct cidr){ip_from_v4(0x0a000000 + (uint32_t) k * 256), 24};
	struct network_acl_entry_wish wish = {.acl = ref_to(c, KIND_NETWORK_ACL, made.acl),
					      .number = 1,
					      .protocol = -1,
					      .blocks = {blocks, 11}};
	cloud_fails(c, &c->alice, engine_replace_network_acl_entry, &wish, ERR_QUOTA, KIND_NETWORK_ACL_ENTRY);
	wish.blocks.count = 10;
	cloud_ok(c, &c->alice, engine_replace_network_acl_entry, &wish);
}

/* Without pools a network's subnet has all addresses, as when it is made; a VPC's keeps its own rule. */
static void check_no_pools(void **state)
{
	struct cloud *c = *state;
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	const struct ip pool[] = {ip_of("10.0.1.10"), ip_of("10.0.1.20")};
	struct network_subnet_wish subnet = {.network = ref_to(c, KIND_NETWORK, network.network),
					     .block = cidr_of("10.0.1.0/24"),
					     .pools = {pool, 2}};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	const struct ips none = {0};
	struct subnet_settings wish = {.subnet = ref_to(c, KIND_SUBNET, subnet.subnet), .pools = &none};
	cloud_ok(c, &c->alice, engine_update_subnet, &wish);
	const struct subnet *row = subnet_find(cloud_tables(c), subnet.subnet);
	assert_int_equal(row->pools.count, 2);
	assert_true(ip_equal(row->pools.at[1], ip_of("10.0.1.254")));
	uuid plain = make_subnet(c, make_router(c, "10.7.0.0/16").router, "10.7.1.0/24");
	wish.subnet = ref_to(c, KIND_SUBNET, plain);
	cloud_ok(c, &c->alice, engine_update_subnet, &wish);
	assert_int_equal(subnet_find(cloud_tables(c), plain)->pools.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_ipv6_blocks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_router_blocks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_router_settings, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_router_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_default_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_subnet_blocks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_subnet_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_acl_order, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_acl_room, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_no_pools, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_gateways, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_route_tables, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_gateway_tables, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_main_table_of_gateway, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_routes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_port_groups, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_many_ports, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
