/* SPDX-License-Identifier: Apache-2.0
 * Secondary private addresses: unique in their subnet together with primary ones, and the objects that refer
 * to them. */
#include "cloud.h"
#include "denied.h"
#include "engine/network/network.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/port.h"
#include "store/subnet.h"

struct scene {
	struct cloud *c;
	struct ref subnet;
	uuid subnet_id, port;
	struct ref port_ref;
};

/* A subnet of eleven addresses, and a port with one of them. */
static struct scene begin(struct cloud *c)
{
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct subnet_wish subnet = {.router = ref_to(c, KIND_ROUTER, router.router),
				     .block = cidr_of("10.0.0.0/28")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct scene s = {
		.c = c, .subnet_id = subnet.subnet, .subnet = ref_to(c, KIND_SUBNET, subnet.subnet)};
	struct port_wish port = {.subnet = s.subnet, .ips.primary = ip_of("10.0.0.4")};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	s.port = port.port;
	s.port_ref = ref_to(c, KIND_PORT, s.port);
	return s;
}

static int64_t free_count(struct scene *s)
{
	return engine_count_free_addresses(subnet_find(cloud_tables(s->c), s->subnet_id));
}

static void see_port(struct scene *s, uuid port)
{
	struct port_report report = {.port = port, .gen = port_find(cloud_tables(s->c), port)->row.gen};
	cloud_ok(s->c, NULL, engine_see_port, &report);
}

static size_t count_ips(struct scene *s, uuid port)
{
	size_t count = 1;
	const struct secondary_ip *i = engine_first_secondary_ip(cloud_tables(s->c), port);
	for (; i; i = engine_next_secondary_ip(cloud_tables(s->c), i))
		count++;
	return count;
}

static void check_assign(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	const struct ip ips[] = {ip_of("10.0.0.5"), ip_of("10.0.0.6")};
	struct port_assignment wish = {.port = s->port_ref, .ips = {ips, 2}, .field = STR("P")};
	cloud_fails(c, &c->bob, engine_assign_ips, &wish, ERR_NOT_FOUND, KIND_PORT);
	cloud_ok(c, &c->alice, engine_assign_ips, &wish);
	assert_int_equal(wish.made.count, 2);
	assert_int_equal(port_find(cloud_tables(c), s->port)->row.gen, 2);
	assert_int_equal(free_count(s), 11 - 3);
	cloud_ok(c, &c->alice, engine_assign_ips, &wish); /* it has them */
	assert_int_equal(count_ips(s, s->port), 3);
	uuid router = port_find(cloud_tables(c), s->port)->router;
	assert_true(uuid_equal(engine_find_port_by_ip(cloud_tables(c), router, ips[1])->row.id, s->port));
	/* Neither primary nor secondary addresses are given twice, asked for or drawn. */
	struct port_wish other = {.subnet = s->subnet, .ips.primary = ips[0]};
	cloud_fails(c, &c->alice, engine_create_port, &other, ERR_EXISTS, KIND_PORT);
	const struct ip primary = ip_of("10.0.0.4"), outside = ip_of("10.0.1.4");
	other.ips = (struct port_ips_wish){.secondaries = {&primary, 1}};
	cloud_fails(c, &c->alice, engine_create_port, &other, ERR_EXISTS, KIND_PORT);
	wish.ips = (struct ips){&outside, 1};
	cloud_fails(c, &c->alice, engine_assign_ips, &wish, ERR_RANGE, KIND_PORT);
	other.ips = (struct port_ips_wish){.more = 7};
	cloud_ok(c, &c->alice, engine_create_port, &other);
	assert_int_equal(count_ips(s, other.port), 8);
	assert_int_equal(free_count(s), 0);
	wish.ips.count = 0;
	wish.more = 1;
	cloud_fails(c, &c->alice, engine_assign_ips, &wish, ERR_CAPACITY, KIND_SUBNET);
}

static void check_unassign(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	struct port_assignment wish = {.port = s->port_ref, .more = 2};
	cloud_ok(c, &c->alice, engine_assign_ips, &wish);
	struct ip first = wish.made.at[0], primary = ip_of("10.0.0.4");
	struct port_unassignment less = {.port = s->port_ref, .ips = {&primary, 1}, .field = STR("P")};
	cloud_fails(c, &c->alice, engine_unassign_ips, &less, ERR_INVALID, KIND_PORT);
	less.ips.at = &first;
	see_port(s, s->port);
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	assert_int_equal(count_ips(s, s->port), 2);
	/* In use until the network is rid of it, which a look from before does not say. */
	struct port_wish other = {.subnet = s->subnet, .ips.primary = first};
	struct port_report old = {.port = s->port, .gen = port_find(cloud_tables(c), s->port)->row.gen - 1};
	cloud_ok(c, NULL, engine_see_port, &old);
	cloud_fails(c, &c->alice, engine_create_port, &other, ERR_EXISTS, KIND_PORT);
	see_port(s, s->port);
	cloud_ok(c, &c->alice, engine_create_port, &other);
	/* With the port all go. */
	struct port_target target = {.port = s->port_ref};
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	assert_int_equal(free_count(s), 11 - 3);
	struct port_report gone = {.port = s->port};
	cloud_ok(c, NULL, engine_forget_port, &gone);
	assert_int_equal(free_count(s), 11 - 1);
}

/* A call that names the MAC and the address of a deleted port gets them before the network has removed that
 * port. A draw avoids the address until then. */
static void check_named_again(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	const struct port *old = port_find(cloud_tables(c), s->port);
	struct port_fixed_wish fixed = {.subnet = s->subnet, .ip = old->ip};
	struct network_port_wish wish = {.network = ref_by_id(KIND_NETWORK, old->network),
					 .mac = old->mac,
					 .fixed = {true, &fixed, 1}};
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_CONFLICT, KIND_PORT);
	struct port_target target = {.port = s->port_ref};
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	struct port_report gone = {.port = s->port};
	cloud_ok(c, NULL, engine_forget_port, &gone);
	assert_int_equal(free_count(s), 11 - 1);
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_CONFLICT, KIND_PORT);
}

/* Addresses of an unassigned prefix are not allocated again until the network has removed it. */
static void check_unassigned_prefix(void **state)
{
	struct cloud *c = *state;
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct subnet_wish subnet = {.router = ref_to(c, KIND_ROUTER, router.router),
				     .block = cidr_of("10.0.0.0/26")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct scene scene = {.c = c, .subnet = ref_to(c, KIND_SUBNET, subnet.subnet)}, *s = &scene;
	struct cidr block = cidr_of("10.0.0.16/28");
	struct port_wish port = {.subnet = s->subnet, .ips.primary = ip_of("10.0.0.4")},
			 other = {.subnet = s->subnet, .ips.primary = ip_of("10.0.0.5")},
			 within = {.subnet = s->subnet, .ips.primary = ip_of("10.0.0.20")};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	cloud_ok(c, &c->alice, engine_create_port, &other);
	struct port_assignment wish = {.port = ref_to(c, KIND_PORT, port.port),
				       .prefixes.named = {&block, 1},
				       .field = STR("P")},
			       theirs = wish;
	theirs.port = ref_to(c, KIND_PORT, other.port);
	cloud_ok(c, &c->alice, engine_assign_ips, &wish);
	cloud_fails(c, &c->alice, engine_create_port, &within, ERR_EXISTS, KIND_PORT);
	struct port_unassignment less = {.port = wish.port, .prefixes = {&block, 1}, .field = STR("P")};
	see_port(s, port.port);
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	cloud_fails(c, &c->alice, engine_create_port, &within, ERR_EXISTS, KIND_PORT);
	cloud_fails(c, &c->alice, engine_assign_ips, &theirs, ERR_EXISTS, KIND_PORT_PREFIX);
	uuid id = port_find(cloud_tables(c), port.port)->router;
	assert_null(engine_find_port_by_ip(cloud_tables(c), id,
					   ip_of("10.0.0.20"))); /* traffic to it has no target */
	/* The 41 others are drawn, and none of the block. */
	struct port_assignment all = {.port = theirs.port, .more = 41};
	cloud_ok(c, &c->alice, engine_assign_ips, &all);
	for (size_t k = 0; k < all.made.count; k++)
		assert_false(cidr_contains(block, all.made.at[k]));
	see_port(s, port.port);
	cloud_ok(c, &c->alice, engine_create_port, &within);
}

static void check_unassign_first(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	struct port_assignment wish = {.port = s->port_ref, .more = 1};
	cloud_ok(c, &c->alice, engine_assign_ips, &wish);
	struct ip ip = ip_of("10.0.0.4"), next = wish.made.at[0];
	struct port_unassignment less = {.port = s->port_ref, .ips = {&ip, 1}, .may_be_first = true};
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	assert_true(ip_equal(port_find(cloud_tables(c), s->port)->ip, next));
	assert_int_equal(count_ips(s, s->port), 1);
	cloud_fails(c, &c->alice, engine_unassign_ips, &less, ERR_INVALID, KIND_PORT);
	less.ips.at = &next;
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	assert_true(ip_is_none(port_find(cloud_tables(c), s->port)->ip));
}

/* From port to port, with the elastic address that stands for it. */
static void check_move(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid one = cloud_port(c, cloud_launch_one(c))->row.id;
	struct port_wish other = {.subnet = ref_to(c, KIND_SUBNET, port_find(t, one)->subnet)};
	cloud_ok(c, &c->alice, engine_create_port, &other);
	struct port_assignment wish = {.port = ref_to(c, KIND_PORT, one), .more = 1};
	cloud_ok(c, &c->alice, engine_assign_ips, &wish);
	struct ip ip = wish.made.at[0];
	struct address_wish elastic = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &elastic);
	struct address_association association = {.address = ref_to(c, KIND_ADDRESS, elastic.address),
						  .port = ref_to(c, KIND_PORT, other.port),
						  .private_ip = ip};
	cloud_fails(c, &c->alice, engine_associate_address, &association, ERR_INVALID, KIND_PORT);
	association.port = ref_to(c, KIND_PORT, one);
	cloud_ok(c, &c->alice, engine_associate_address, &association);
	assert_true(ip_equal(address_find(t, elastic.address)->private_ip, ip));
	/* The auto-assigned one stands for the primary address still. */
	assert_non_null(cloud_address(c, port_find(t, one)->instance));
	struct port_assignment move = {.port = ref_to(c, KIND_PORT, other.port), .ips = {&ip, 1}};
	cloud_fails(c, &c->alice, engine_assign_ips, &move, ERR_INVALID, KIND_PORT);
	move.take = true;
	cloud_denies(c, &c->alice, engine_assign_ips, &move, "port.assign", KIND_PORT, one);
	uint64_t gen = port_find(t, one)->row.gen;
	cloud_ok(c, &c->alice, engine_assign_ips, &move);
	assert_int_equal(port_find(t, one)->row.gen, gen + 1);
	assert_true(uuid_equal(address_find(t, elastic.address)->port, other.port));
	/* Taken away, what stood for it is free. */
	struct port_unassignment less = {.port = ref_to(c, KIND_PORT, other.port), .ips = {&ip, 1}};
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	assert_true(uuid_is_none(address_find(t, elastic.address)->port));
}

/* t3.micro has two addresses each, nothing has more than fifty. */
static void check_limits(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c);
	struct ref subnet = ref_to(c, KIND_SUBNET, cloud_port(c, instance)->subnet);
	struct port_assignment wish = {.port = ref_to(c, KIND_PORT, cloud_port(c, instance)->row.id),
				       .more = 2};
	cloud_fails(c, &c->alice, engine_assign_ips, &wish, ERR_QUOTA, KIND_SECONDARY_IP);
	wish.more = 1;
	cloud_ok(c, &c->alice, engine_assign_ips, &wish);
	cloud_fails(c, &c->alice, engine_assign_ips, &wish, ERR_QUOTA, KIND_SECONDARY_IP);
	struct port_wish many = {.subnet = subnet, .ips.more = 50};
	cloud_fails(c, &c->alice, engine_create_port, &many, ERR_QUOTA, KIND_SECONDARY_IP);
	many.ips.more = 2;
	cloud_ok(c, &c->alice, engine_create_port, &many);
	struct port_attaching attach = {.port = ref_to(c, KIND_PORT, many.port),
					.instance = ref_to(c, KIND_INSTANCE, instance),
					.device_index = 1};
	cloud_fails(c, &c->alice, engine_attach_port, &attach, ERR_QUOTA, KIND_SECONDARY_IP);
	const struct launch_port ports[] = {{.ips.more = 2}};
	struct instance_launch launch = cloud_launch(c, 1);
	launch.ports = ports;
	launch.port_count = 1;
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_QUOTA, KIND_SECONDARY_IP);
}

/* A list may have fifty addresses of each family; the primary one can then still be removed. */
static void check_limits_of_lists(void **state)
{
	struct cloud *c = *state;
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct network_subnet_wish v4 = {.network = ref_by_id(KIND_NETWORK, network.network),
					 .block = cidr_of("10.0.1.0/24")},
				   v6 = {.network = v4.network, .block = cidr_of("2001:db8:1::/64")};
	cloud_ok(c, &c->alice, engine_add_subnet, &v4);
	cloud_ok(c, &c->alice, engine_add_subnet, &v6);
	struct port_fixed_wish fixed[60];
	for (size_t k = 0; k < 60; k++)
		fixed[k] = (struct port_fixed_wish){
			.subnet = ref_by_id(KIND_SUBNET, k < 30 ? v4.subnet : v6.subnet)};
	struct network_port_wish wish = {.network = v4.network, .fixed = {true, fixed, 60}};
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	struct ip first = port_find(cloud_tables(c), wish.port)->ip;
	struct port_unassignment less = {
		.port = ref_by_id(KIND_PORT, wish.port), .ips = {&first, 1}, .may_be_first = true};
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	struct scene s = {.c = c};
	assert_int_equal(count_ips(&s, wish.port), 59);
	for (size_t k = 30; k < 51; k++)
		fixed[k].subnet = fixed[0].subnet;
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_QUOTA, KIND_SECONDARY_IP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_assign, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unassign, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_named_again, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unassigned_prefix, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unassign_first, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_move, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits_of_lists, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
