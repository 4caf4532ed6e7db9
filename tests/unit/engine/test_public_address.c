/* SPDX-License-Identifier: Apache-2.0
 * Public addresses: elastic ones, and those assigned for an instance's runtime. */
#include "cloud.h"
#include "engine/network/routing/gateway.h"
#include "model/instance.h"
#include "model/port.h"
#include "store/account.h"
#include "store/address.h"
#include "store/gateway.h"

static struct address_wish allocate(struct cloud *c, const struct identity *who)
{
	struct address_wish wish = {0};
	cloud_ok(c, who, engine_allocate_address, &wish);
	return wish;
}

static void check_allocate(void **state)
{
	struct cloud *c = *state;
	struct address_wish wish = {.ip = ip_of("198.51.100.15")};
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	assert_true(ip_equal(wish.made_ip, wish.ip));
	assert_int_equal(cloud_usage(c, wish.address, "address:idle"), 1);
	cloud_fails(c, &c->bob, engine_allocate_address, &wish, ERR_EXISTS, KIND_ADDRESS);
	wish.ip = ip_of("198.51.100.5");
	cloud_fails(c, &c->bob, engine_allocate_address, &wish, ERR_RANGE, KIND_ADDRESS);
	wish.external_network = ref_named(KIND_EXTERNAL_NETWORK, "moon");
	cloud_fails(c, &c->bob, engine_allocate_address, &wish, ERR_NOT_FOUND, KIND_EXTERNAL_NETWORK);
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.addresses = 2;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	allocate(c, &c->alice);
	struct address_wish more = {0};
	cloud_fails(c, &c->alice, engine_allocate_address, &more, ERR_QUOTA, KIND_ADDRESS);
	for (int n = 0; n < 8; n++)
		allocate(c, &c->bob);
	cloud_fails(c, &c->bob, engine_allocate_address, &more, ERR_CAPACITY, KIND_ADDRESS);
}

static void check_release(void **state)
{
	struct cloud *c = *state;
	struct address_wish made = allocate(c, &c->alice);
	struct address_target target = {.address = ref_to(c, KIND_ADDRESS, made.address)};
	cloud_fails(c, &c->bob, engine_release_address, &target, ERR_NOT_FOUND, KIND_ADDRESS);
	struct address_report report = {.address = made.address};
	cloud_fails(c, NULL, engine_forget_address, &report, ERR_STATE, KIND_ADDRESS);
	assert_non_null(engine_find_public_ip(cloud_tables(c), made.made_ip));
	cloud_ok(c, &c->alice, engine_release_address, &target);
	assert_null(engine_find_public_ip(cloud_tables(c), made.made_ip));
	assert_int_equal(cloud_usage(c, made.address, "address:idle"), 0);
	assert_int_equal(account_usage(account_find(cloud_tables(c), c->alice.account))->addresses, 0);
	/* Not handed out again before the network is rid of it. */
	struct address_wish again = {.ip = made.made_ip};
	cloud_fails(c, &c->bob, engine_allocate_address, &again, ERR_EXISTS, KIND_ADDRESS);
	cloud_ok(c, NULL, engine_forget_address, &report);
	cloud_ok(c, NULL, engine_forget_address, &report);
	cloud_ok(c, &c->bob, engine_allocate_address, &again);
}

static void check_associate(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid instance = cloud_launch_one(c);
	uuid automatic = cloud_address(c, instance)->row.id;
	assert_false(address_find(t, automatic)->is_elastic);
	struct address_wish made = allocate(c, &c->alice), second = allocate(c, &c->alice);
	struct address_association wish = {.address = ref_to(c, KIND_ADDRESS, made.address),
					   .instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_fails(c, &c->bob, engine_associate_address, &wish, ERR_NOT_FOUND, KIND_ADDRESS);
	cloud_ok(c, &c->alice, engine_associate_address, &wish);
	uuid association = wish.made;
	assert_false(row_is_live(&address_find(t, automatic)->row)); /* the elastic one took its place */
	assert_true(uuid_equal(cloud_address(c, instance)->row.id, made.address));
	assert_true(ip_equal(cloud_address(c, instance)->private_ip, cloud_port(c, instance)->ip));
	cloud_ok(c, &c->alice, engine_associate_address, &wish); /* again: the same */
	assert_true(uuid_equal(wish.made, association));

	/* Another elastic one replaces it, unless that is not allowed. */
	wish.address = ref_to(c, KIND_ADDRESS, second.address);
	wish.allow_reassociation = CHOICE_NO;
	cloud_fails(c, &c->alice, engine_associate_address, &wish, ERR_CONFLICT, KIND_ADDRESS);
	wish.allow_reassociation = CHOICE_DEFAULT;
	cloud_ok(c, &c->alice, engine_associate_address, &wish);
	assert_true(uuid_is_none(address_find(t, made.address)->port));
	/* To another instance, by port and public IP. */
	uuid other = cloud_launch_one(c);
	struct address_association by_port = {
		.address = {.kind = KIND_ADDRESS, .text = ip_to_str(c->arena, second.made_ip)},
		.port = ref_to(c, KIND_PORT, cloud_port(c, other)->row.id),
		.allow_reassociation = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_associate_address, &by_port, ERR_CONFLICT, KIND_ADDRESS);
	by_port.allow_reassociation = CHOICE_YES;
	by_port.private_ip = ip_of("10.9.9.9");
	cloud_fails(c, &c->alice, engine_associate_address, &by_port, ERR_INVALID, KIND_PORT);
	by_port.private_ip = cloud_port(c, other)->ip;
	cloud_ok(c, &c->alice, engine_associate_address, &by_port);
	assert_null(cloud_address(c, instance));
	by_port.instance = ref_to(c, KIND_INSTANCE, other);
	cloud_fails(c, &c->alice, engine_associate_address, &by_port, ERR_COMBINATION, KIND_ADDRESS);

	struct address_target target = {.address = by_port.address};
	cloud_fails(c, &c->alice, engine_release_address, &target, ERR_IN_USE, KIND_ADDRESS);
	/* A disassociation that names an instance fails if the address has moved to another instance
	 * meanwhile. */
	struct address_association moved = {.address = by_port.address,
					    .instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_fails(c, &c->alice, engine_disassociate_address, &moved, ERR_STATE, KIND_NONE);
	struct address_association gone = {.association = ref_association(c, "eipassoc", by_port.made)};
	cloud_fails(c, &c->bob, engine_disassociate_address, &gone, ERR_NOT_FOUND, KIND_NONE);
	cloud_ok(c, &c->alice, engine_disassociate_address, &gone);
	cloud_fails(c, &c->alice, engine_disassociate_address, &gone, ERR_NOT_FOUND, KIND_NONE);
	cloud_ok(c, &c->alice, engine_release_address, &target);
}

static void check_needs_gateway(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct subnet_wish subnet = {.router = ref_to(c, KIND_ROUTER, router.router),
				     .block = cidr_of("10.0.0.0/24"),
				     .public_on_launch = true};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct instance_launch launch = cloud_launch(c, 1);
	const struct launch_port port = {.subnet = ref_to(c, KIND_SUBNET, subnet.subnet)};
	launch.ports = &port;
	launch.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_non_null(cloud_address(c, launch.made.at[0])); /* it has an address without a target */
	struct address_association wish = {.address = ref_to(c, KIND_ADDRESS, allocate(c, &c->alice).address),
					   .instance = ref_to(c, KIND_INSTANCE, launch.made.at[0])};
	cloud_fails(c, &c->alice, engine_associate_address, &wish, ERR_STATE, KIND_GATEWAY);
	/* A gateway attached later uses the external network of the address. */
	struct gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	struct gateway_attachment attachment = {.gateway = ref_to(c, KIND_GATEWAY, gateway.gateway),
						.router = ref_to(c, KIND_ROUTER, router.router)};
	cloud_ok(c, &c->alice, engine_attach_gateway, &attachment);
	assert_true(uuid_equal(gateway_find(cloud_tables(c), gateway.gateway)->external_network,
			       cloud_address(c, launch.made.at[0])->external_network));
	cloud_fails(c, &c->alice, engine_detach_gateway, &attachment, ERR_IN_USE, KIND_ROUTER);
	cloud_ok(c, &c->alice, engine_associate_address, &wish);
}

static void check_with_the_run(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c);
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish wish = {.instances = {&ref, 1}};
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct ip first = cloud_address(c, instance)->ip;
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	assert_non_null(cloud_address(c, instance)); /* while it shuts down */
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF);
	assert_null(cloud_address(c, instance));
	cloud_ok(c, &c->alice, engine_start_instances, &wish);
	assert_non_null(cloud_address(c, instance));
	assert_false(ip_equal(cloud_address(c, instance)->ip, first)); /* its row is not forgotten yet */
	/* Stopped before it ever ran: at once. */
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	assert_null(cloud_address(c, instance));
	cloud_ok(c, &c->alice, engine_start_instances, &wish);

	/* An elastic address stays associated over stop and start, and is freed at the end. */
	struct address_wish elastic = allocate(c, &c->alice);
	struct address_association association = {.address = ref_to(c, KIND_ADDRESS, elastic.address),
						  .instance = ref};
	cloud_ok(c, &c->alice, engine_associate_address, &association);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	cloud_ok(c, &c->alice, engine_stop_instances, &wish);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF);
	assert_true(cloud_address(c, instance)->is_elastic);
	cloud_ok(c, &c->alice, engine_terminate_instances, &wish);
	cloud_fails(c, &c->alice, engine_associate_address, &association, ERR_STATE, KIND_INSTANCE);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
	const struct address *address = address_find(cloud_tables(c), elastic.address);
	assert_true(row_is_live(&address->row) && uuid_is_none(address->port) &&
		    ip_is_none(address->private_ip));
}

static void check_not_wanted(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = cloud_launch(c, 1);
	const struct launch_port port = {.public_ip = CHOICE_NO};
	launch.ports = &port;
	launch.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_null(cloud_address(c, launch.made.at[0]));
	/* More launches than public addresses: as many as there are addresses for, or none at all. */
	launch = cloud_launch(c, 6);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	launch = cloud_launch(c, 6);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_CAPACITY, KIND_ADDRESS);
	launch.min_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_int_equal(launch.made.count, 4);
	assert_int_equal(tables_count(cloud_tables(c), KIND_ADDRESS), 10);
}

static void check_name(void **state)
{
	static const char *const wrong[] = {".",     "example", "mail..example.com", ".example.com",
					    "a.b..", "a b.com", "-a.example.com",    "a-.example.com",
					    "a.b/c"};
	struct cloud *c = *state;
	struct address_wish made = allocate(c, &c->alice);
	struct address_name_wish wish = {.address = ref_to(c, KIND_ADDRESS, made.address)};
	char longest[300];
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		wish.name = str_from(wrong[k]);
		cloud_fails(c, &c->alice, engine_name_address, &wish, ERR_INVALID, KIND_ADDRESS);
	}
	memset(longest, 'a', sizeof longest);
	longest[64] = '.';
	wish.name = (struct str){longest, 70};
	cloud_fails(c, &c->alice, engine_name_address, &wish, ERR_INVALID, KIND_ADDRESS);
	longest[64] = 'a';
	for (size_t k = 1; k < sizeof longest; k += 2)
		longest[k] = '.';
	wish.name = (struct str){longest, 255};
	cloud_fails(c, &c->alice, engine_name_address, &wish, ERR_INVALID, KIND_ADDRESS);
	wish.name = (struct str){longest, 254}; /* 253 and a dot */
	cloud_ok(c, &c->alice, engine_name_address, &wish);
	assert_int_equal(wish.name_before.n, 0);
	uint64_t gen = address_find(cloud_tables(c), made.address)->row.gen;
	wish.name = STR("_mail.Example.com.");
	cloud_fails(c, &c->bob, engine_name_address, &wish, ERR_NOT_FOUND, KIND_ADDRESS);
	cloud_ok(c, &c->alice, engine_name_address, &wish);
	assert_int_equal(wish.name_before.n, 253);
	assert_true(str_is(address_find(cloud_tables(c), made.address)->reverse_name, "_mail.Example.com"));
	wish.name = STR_NONE;
	cloud_ok(c, &c->alice, engine_name_address, &wish);
	assert_true(str_is(wish.name_before, "_mail.Example.com"));
	assert_int_equal(address_find(cloud_tables(c), made.address)->reverse_name.n, 0);
	assert_int_equal(address_find(cloud_tables(c), made.address)->row.gen, gen);
}

static void check_see(void **state)
{
	struct cloud *c = *state;
	struct address_wish made = allocate(c, &c->alice);
	struct address_report report = {.address = made.address, .gen = 1};
	cloud_ok(c, NULL, engine_see_address, &report);
	assert_int_equal(address_find(cloud_tables(c), made.address)->seen_gen, 1);
	report.gen = 0;
	cloud_ok(c, NULL, engine_see_address, &report);
	assert_int_equal(address_find(cloud_tables(c), made.address)->seen_gen, 1);
	report.address = uuid_random();
	cloud_ok(c, NULL, engine_see_address, &report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_allocate, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_release, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_associate, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_needs_gateway, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_with_the_run, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_not_wanted, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_name, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_see, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
