/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways, the resources that they keep from deletion, and routes to them. */
#include "cloud.h"
#include "model/states.h"
#include "store/account.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

#include "engine/network/routing/nat_gateway.h"

static const struct subnet *default_subnet(struct cloud *c)
{
	return subnet_first_by_router(cloud_tables(c), c->alice_router);
}

static struct nat_gateway_wish wish_in(struct cloud *c, uuid subnet)
{
	return (struct nat_gateway_wish){.subnet = ref_to(c, KIND_SUBNET, subnet)};
}

static struct address_wish allocate(struct cloud *c)
{
	struct address_wish wish = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	return wish;
}

static const struct nat_gateway *make_public(struct cloud *c, struct address_wish *address)
{
	struct nat_gateway_wish wish = wish_in(c, default_subnet(c)->row.id);
	*address = allocate(c);
	wish.address = ref_to(c, KIND_ADDRESS, address->address);
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	return nat_gateway_find(cloud_tables(c), wish.nat_gateway);
}

static enum nat_gateway_state state_of(struct cloud *c, uuid id)
{
	return model_derive_nat_gateway_state(nat_gateway_find(cloud_tables(c), id));
}

static void check_life(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct address_wish address;
	uuid id = make_public(c, &address)->row.id;
	const struct nat_gateway *nat = nat_gateway_find(t, id);
	const struct port *port = port_find(t, nat->port);
	uuid port_id = port->row.id;
	assert_true(uuid_equal(port->nat_gateway, id) && !port->source_dest_check);
	assert_true(ip_equal(port->ip, nat->private_ip) && port->groups.count == 0);
	assert_true(uuid_equal(address_find(t, address.address)->port, port_id));
	assert_true(ip_equal(address_find(t, address.address)->private_ip, port->ip));
	assert_true(ip_equal(nat->public_ip, address.made_ip));
	assert_int_equal(cloud_usage(c, id, "nat-gateway"), 1);
	assert_int_equal(account_usage(account_find(t, c->alice.account))->nat_gateways, 1);

	assert_int_equal(state_of(c, id), NAT_GATEWAY_PENDING);
	struct nat_gateway_report report = {.nat_gateway = id, .gen = 1, .port_gen = 1};
	cloud_ok(c, NULL, engine_see_nat_gateway, &report);
	assert_int_equal(state_of(c, id), NAT_GATEWAY_AVAILABLE);
	assert_true(port_find(t, port_id)->seen_gen == 1 && port_find(t, port_id)->seen_up);
	cloud_fails(c, NULL, engine_end_nat_gateway, &report, ERR_STATE, KIND_NAT_GATEWAY);

	struct nat_gateway_target target = {.nat_gateway = ref_to(c, KIND_NAT_GATEWAY, id)};
	cloud_fails(c, &c->bob, engine_delete_nat_gateway, &target, ERR_NOT_FOUND, KIND_NAT_GATEWAY);
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	assert_int_equal(state_of(c, id), NAT_GATEWAY_DELETING);
	assert_true(row_is_live(&port_find(t, port_id)->row)); /* the network still holds it */
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	report.gen = 2;
	cloud_ok(c, NULL, engine_see_nat_gateway, &report); /* late news */
	assert_int_equal(state_of(c, id), NAT_GATEWAY_DELETING);
	cloud_ok(c, NULL, engine_end_nat_gateway, &report);
	cloud_ok(c, NULL, engine_end_nat_gateway, &report);
	assert_int_equal(state_of(c, id), NAT_GATEWAY_DELETED);
	assert_false(row_is_live(&port_find(t, port_id)->row));
	assert_true(uuid_is_none(address_find(t, address.address)->port));
	assert_int_equal(cloud_usage(c, id, "nat-gateway"), 0);

	cloud_fails(c, NULL, engine_forget_nat_gateway, &report, ERR_STATE, KIND_NAT_GATEWAY);
	clock_set_us(clock_now_us() + NAT_GATEWAY_VISIBLE_US);
	cloud_ok(c, NULL, engine_forget_nat_gateway, &report);
	cloud_ok(c, NULL, engine_forget_nat_gateway, &report);
	assert_null(nat_gateway_find(t, id));
}

/* A NAT gateway's own address and port cannot be used otherwise, and what it depends on cannot be removed. */
static void check_holds(void **state)
{
	struct cloud *c = *state;
	struct address_wish made;
	const struct nat_gateway *nat = make_public(c, &made);
	struct ref address = ref_to(c, KIND_ADDRESS, made.address), port = ref_to(c, KIND_PORT, nat->port);
	struct address_target release = {.address = address};
	cloud_fails(c, &c->alice, engine_release_address, &release, ERR_PROTECTED, KIND_PORT);
	struct address_association move = {.address = address,
					   .instance = ref_to(c, KIND_INSTANCE, cloud_launch_one(c))};
	cloud_fails(c, &c->alice, engine_associate_address, &move, ERR_PROTECTED, KIND_PORT);
	move.instance = (struct ref){0};
	cloud_fails(c, &c->alice, engine_disassociate_address, &move, ERR_PROTECTED, KIND_PORT);
	struct address_association another = {.address = ref_to(c, KIND_ADDRESS, allocate(c).address),
					      .port = port};
	cloud_fails(c, &c->alice, engine_associate_address, &another, ERR_PROTECTED, KIND_PORT);
	struct port_target no_port = {.port = port};
	cloud_fails(c, &c->alice, engine_delete_port, &no_port, ERR_IN_USE, KIND_PORT);
	struct port_settings groups = {.port = port, .source_dest_check = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_update_port, &groups, ERR_PROTECTED, KIND_PORT);
	struct subnet_target subnet = {.subnet = ref_to(c, KIND_SUBNET, nat->subnet)};
	cloud_fails(c, &c->alice, engine_delete_subnet, &subnet, ERR_IN_USE, KIND_SUBNET);
	struct gateway_attachment way_out = {
		.gateway = ref_to(c, KIND_GATEWAY,
				  gateway_first_by_router(cloud_tables(c), nat->router)->row.id),
		.router = ref_to(c, KIND_ROUTER, nat->router)};
	cloud_fails(c, &c->alice, engine_detach_gateway, &way_out, ERR_IN_USE, KIND_ROUTER);
}

static void check_failures(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct subnet_wish subnet = {.router = ref_to(c, KIND_ROUTER, router.router),
				     .block = cidr_of("10.0.0.0/28")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct address_wish address = allocate(c);
	struct nat_gateway_wish wish = wish_in(c, subnet.subnet);
	wish.address = ref_to(c, KIND_ADDRESS, address.address);
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	assert_int_equal(state_of(c, wish.nat_gateway), NAT_GATEWAY_FAILED);
	assert_true(str_is(nat_gateway_find(t, wish.nat_gateway)->failure_code, "Gateway.NotAttached"));
	assert_true(uuid_is_none(address_find(t, address.address)->port));
	assert_null(port_first_by_subnet(t, subnet.subnet));
	assert_int_equal(account_usage(account_find(t, c->alice.account))->nat_gateways, 0);
	/* A failed NAT gateway's row expires by itself; deleting it changes nothing. */
	struct nat_gateway_target target = {.nat_gateway = ref_to(c, KIND_NAT_GATEWAY, wish.nat_gateway)};
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	assert_int_equal(state_of(c, wish.nat_gateway), NAT_GATEWAY_FAILED);

	wish.address = (struct ref){0}; /* a private one needs no way out */
	for (int n = 0; n < 11; n++) {
		cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
		assert_int_equal(state_of(c, wish.nat_gateway), NAT_GATEWAY_PENDING);
	}
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	assert_true(str_is(nat_gateway_find(t, wish.nat_gateway)->failure_code,
			   "InsufficientFreeAddressesInSubnet"));
	wish.ip = ip_of("10.0.0.2");
	cloud_fails(c, &c->alice, engine_create_nat_gateway, &wish, ERR_RANGE, KIND_PORT);

	struct address_wish taken;
	make_public(c, &taken);
	wish = wish_in(c, default_subnet(c)->row.id);
	wish.address = ref_to(c, KIND_ADDRESS, taken.address);
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	assert_true(
		str_is(nat_gateway_find(t, wish.nat_gateway)->failure_code, "Resource.AlreadyAssociated"));
	struct nat_gateway_wish more = wish_in(c, default_subnet(c)->row.id);
	for (int n = 0; n < 8; n++)
		cloud_ok(c, &c->alice, engine_create_nat_gateway, &more);
	cloud_fails(c, &c->alice, engine_create_nat_gateway, &more, ERR_QUOTA, KIND_NAT_GATEWAY);
}

static struct nat_gateway_addresses one_more(struct cloud *c, uuid nat, struct ref *address)
{
	return (struct nat_gateway_addresses){.nat_gateway = ref_to(c, KIND_NAT_GATEWAY, nat),
					      .addresses = {address, 1}};
}

/* Each has a private address of its own, and both are its own as long as it has them. */
static void check_addresses(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct address_wish first, second = allocate(c);
	uuid id = make_public(c, &first)->row.id, port = nat_gateway_find(t, id)->port;
	struct ref address = ref_to(c, KIND_ADDRESS, second.address);
	struct nat_gateway_addresses wish = one_more(c, id, &address);
	cloud_fails(c, &c->bob, engine_add_nat_gateway_addresses, &wish, ERR_NOT_FOUND, KIND_NAT_GATEWAY);
	struct nat_gateway_addresses nothing = {.nat_gateway = wish.nat_gateway};
	cloud_fails(c, &c->alice, engine_add_nat_gateway_addresses, &nothing, ERR_MISSING, KIND_ADDRESS);
	cloud_ok(c, &c->alice, engine_add_nat_gateway_addresses, &wish);
	assert_int_equal(nat_gateway_find(t, id)->row.gen, 2);
	const struct secondary_ip *ip = engine_first_secondary_ip(t, port);
	assert_true(ip_equal(address_find(t, second.address)->private_ip, ip->ip));
	assert_true(uuid_equal(address_find(t, second.address)->port, port));
	cloud_fails(c, &c->alice, engine_add_nat_gateway_addresses, &wish, ERR_CONFLICT, KIND_ADDRESS);
	struct address_target release = {.address = address};
	cloud_fails(c, &c->alice, engine_release_address, &release, ERR_PROTECTED, KIND_PORT);

	uuid kept = address_find(t, first.address)->association,
	     left = address_find(t, second.address)->association;
	struct ref gone = {.prefix = kept, .bits = 128};
	wish.associations = (struct refs){&gone, 1};
	cloud_fails(c, &c->alice, engine_remove_nat_gateway_addresses, &wish, ERR_INVALID, KIND_NAT_GATEWAY);
	gone.prefix = left;
	cloud_ok(c, &c->alice, engine_remove_nat_gateway_addresses, &wish);
	cloud_fails(c, &c->alice, engine_remove_nat_gateway_addresses, &wish, ERR_NOT_FOUND, KIND_NONE);
	assert_true(uuid_is_none(address_find(t, second.address)->port));
	assert_null(engine_first_secondary_ip(t, port));
	assert_non_null(secondary_ip_first_by_port(t, port)); /* until the network has removed it */
	struct nat_gateway_report report = {.nat_gateway = id, .gen = 2, .port_gen = 2};
	cloud_ok(c, NULL, engine_see_nat_gateway, &report);
	assert_non_null(secondary_ip_first_by_port(t, port));
	report = (struct nat_gateway_report){.nat_gateway = id, .gen = 3, .port_gen = 3};
	cloud_ok(c, NULL, engine_see_nat_gateway, &report);
	assert_null(secondary_ip_first_by_port(t, port));
	cloud_ok(c, &c->alice, engine_release_address, &release);
}

/* Made with one; with it, it ends. */
static void check_made_with_more(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct address_wish first = allocate(c), second = allocate(c);
	struct ref more = ref_to(c, KIND_ADDRESS, first.address);
	struct nat_gateway_wish wish = wish_in(c, default_subnet(c)->row.id);
	wish.address = ref_to(c, KIND_ADDRESS, first.address);
	wish.more = (struct refs){&more, 1};
	cloud_fails(c, &c->alice, engine_create_nat_gateway, &wish, ERR_INVALID, KIND_ADDRESS);
	more = ref_to(c, KIND_ADDRESS, second.address);
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	uuid port = nat_gateway_find(t, wish.nat_gateway)->port;
	assert_true(uuid_equal(address_find(t, second.address)->port, port));
	assert_true(ip_equal(address_find(t, second.address)->private_ip,
			     engine_first_secondary_ip(t, port)->ip));
	struct nat_gateway_target target = {.nat_gateway = ref_to(c, KIND_NAT_GATEWAY, wish.nat_gateway)};
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	struct nat_gateway_addresses late = one_more(c, wish.nat_gateway, &more);
	cloud_fails(c, &c->alice, engine_add_nat_gateway_addresses, &late, ERR_NOT_FOUND, KIND_NAT_GATEWAY);
	struct nat_gateway_report report = {.nat_gateway = wish.nat_gateway, .gen = 2};
	cloud_ok(c, NULL, engine_end_nat_gateway, &report);
	assert_true(uuid_is_none(address_find(t, second.address)->port));
	assert_null(engine_first_secondary_ip(t, port));

	struct address_wish taken; /* with one that is in use it has failed, and holds nothing */
	make_public(c, &taken);
	more = ref_to(c, KIND_ADDRESS, taken.address);
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	assert_int_equal(state_of(c, wish.nat_gateway), NAT_GATEWAY_FAILED);
	assert_true(uuid_is_none(address_find(t, first.address)->port));
}

static void check_token(void **state)
{
	struct cloud *c = *state;
	struct nat_gateway_wish wish = wish_in(c, default_subnet(c)->row.id);
	wish.client_token = STR("t");
	wish.digest = STR("d");
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	struct nat_gateway_wish again = wish;
	again.nat_gateway = UUID_NONE;
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &again);
	assert_true(uuid_equal(wish.nat_gateway, again.nat_gateway));
	again.digest = STR("e");
	cloud_fails(c, &c->alice, engine_create_nat_gateway, &again, ERR_CONFLICT, KIND_CLIENT_TOKEN);
}

static void check_routes(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct address_wish address;
	const struct nat_gateway *nat = make_public(c, &address);
	uuid table = router_find(t, c->alice_router)->main_route_table, id = nat->row.id;
	struct route_wish wish = {.route_table = ref_to(c, KIND_ROUTE_TABLE, table),
				  .destination = cidr_of("0.0.0.0/0"),
				  .nat_gateway = ref_to(c, KIND_NAT_GATEWAY, id)};
	cloud_fails(c, &c->alice, engine_create_route, &wish, ERR_EXISTS, KIND_ROUTE);
	cloud_ok(c, &c->alice, engine_replace_route, &wish);
	const struct route *route = route_find_by_table(t, table, wish.destination);
	assert_true(uuid_equal(route->nat_gateway, id) && uuid_is_none(route->gateway));
	struct nat_gateway_target target = {.nat_gateway = wish.nat_gateway};
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	cloud_fails(c, &c->alice, engine_replace_route, &wish, ERR_NOT_FOUND, KIND_NAT_GATEWAY);

	uuid instance = cloud_launch_one(c);
	wish.instance = ref_to(c, KIND_INSTANCE, instance);
	cloud_fails(c, &c->alice, engine_replace_route, &wish, ERR_COMBINATION, KIND_ROUTE);
	wish.nat_gateway = (struct ref){0};
	cloud_ok(c, &c->alice, engine_replace_route, &wish);
	route = route_find_by_table(t, table, wish.destination);
	assert_true(uuid_equal(route->port, cloud_port(c, instance)->row.id));
	assert_true(uuid_is_none(route->nat_gateway));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_life, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_holds, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_failures, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_addresses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_made_with_more, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_token, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_routes, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
