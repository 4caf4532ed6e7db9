/* SPDX-License-Identifier: Apache-2.0
 * Attaching and detaching ports: allowed combinations, and that a detachment ends with the host's report. */
#include "cloud.h"
#include "engine/instance/instance_interface.h"
#include "model/instance.h"
#include "store/address.h"
#include "store/port.h"
#include "store/subnet.h"

struct story {
	struct cloud *c;
	uuid instance, port;
	struct ref instance_ref, port_ref;
};

static uuid find_subnet(struct story *s)
{
	return cloud_port(s->c, s->instance)->subnet;
}

/* An instance that runs with its primary port, and a port beside it. */
static struct story begin(struct cloud *c)
{
	struct story s = {.c = c, .instance = cloud_launch_one(c)};
	s.instance_ref = ref_to(c, KIND_INSTANCE, s.instance);
	struct port_wish wish = {.subnet = ref_to(c, KIND_SUBNET, find_subnet(&s))};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	s.port = wish.port;
	s.port_ref = ref_to(c, KIND_PORT, s.port);
	return s;
}

static const struct port *port_now(struct story *s)
{
	return port_find(cloud_tables(s->c), s->port);
}

static void see(struct story *s, bool with_port)
{
	const uuid plugged[] = {cloud_port(s->c, s->instance)->row.id, s->port};
	struct instance_report report = {.instance = s->instance,
					 .gen = cloud_instance(s->c, s->instance)->row.gen,
					 .reached = true,
					 .power = INSTANCE_SEEN_POWER_ON,
					 .devices_known = true,
					 .ports = {plugged, with_port ? 2 : 1}};
	cloud_ok(s->c, NULL, engine_see_instance, &report);
}

static struct port_attaching attach(struct story *s, int64_t index)
{
	return (struct port_attaching){
		.port = s->port_ref, .instance = s->instance_ref, .device_index = index};
}

#define assert_port(s, state) assert_int_equal(model_derive_port_state(port_now(s)), PORT_##state)

static void check_in_and_out(void **state)
{
	struct cloud *c = *state;
	struct story story = begin(c), *s = &story;
	assert_port(s, AVAILABLE);
	struct port_attaching wish = attach(s, 1);
	cloud_fails(c, &c->bob, engine_attach_port, &wish, ERR_NOT_FOUND, KIND_PORT);
	cloud_ok(c, &c->alice, engine_attach_port, &wish);
	assert_port(s, ATTACHING);
	assert_true(uuid_equal(port_now(s)->attachment, wish.attachment));
	assert_true(uuid_equal(port_now(s)->host, cloud_instance(c, s->instance)->host));
	assert_false(port_now(s)->delete_on_termination);
	struct port_target target = {.port = s->port_ref};
	cloud_fails(c, &c->alice, engine_delete_port, &target, ERR_IN_USE, KIND_PORT);
	see(s, true);
	assert_port(s, IN_USE);

	struct port_detaching leave = {.attachment = ref_association(c, "eni-attach", wish.attachment)};
	cloud_fails(c, &c->bob, engine_detach_port, &leave, ERR_NOT_FOUND, KIND_NONE);
	cloud_ok(c, &c->alice, engine_detach_port, &leave);
	assert_port(s, DETACHING);
	assert_false(uuid_is_none(port_now(s)->host)); /* it is still plugged there */
	uint64_t gen = port_now(s)->row.gen;
	cloud_ok(c, &c->alice, engine_detach_port, &leave); /* detached before */
	assert_int_equal(port_now(s)->row.gen, gen);
	cloud_fails(c, &c->alice, engine_delete_port, &target, ERR_IN_USE, KIND_PORT);
	wish = attach(s, 1);
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_IN_USE, KIND_PORT);
	struct port_wish another = {.subnet = ref_to(c, KIND_SUBNET, find_subnet(s))};
	cloud_ok(c, &c->alice, engine_create_port, &another);
	wish.port = ref_to(c, KIND_PORT, another.port); /* its slot is not free yet */
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_INVALID, KIND_PORT);
	wish.device_index = PORT_DEVICE_INDEX_MAX + 1;
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_INVALID, KIND_PORT);
	see(s, true); /* the guest has not let go yet */
	assert_port(s, DETACHING);
	leave.force = true;
	cloud_ok(c, &c->alice, engine_detach_port, &leave);
	assert_true(uuid_is_none(port_now(s)->host));
	see(s, false);
	assert_port(s, AVAILABLE);
	assert_true(uuid_is_none(port_now(s)->attachment) && port_now(s)->attached_us == 0);
	cloud_fails(c, &c->alice, engine_detach_port, &leave, ERR_NOT_FOUND, KIND_NONE);
	cloud_ok(c, &c->alice, engine_delete_port, &target);
}

/* A port that was never plugged is detached at once. */
static void check_unplugged(void **state)
{
	struct cloud *c = *state;
	struct story story = begin(c), *s = &story;
	struct port_attaching wish = attach(s, 1);
	cloud_ok(c, &c->alice, engine_attach_port, &wish);
	struct port_detaching leave = {.attachment = ref_association(c, "eni-attach", wish.attachment)};
	cloud_ok(c, &c->alice, engine_detach_port, &leave);
	assert_port(s, AVAILABLE);
	see(s, true); /* it had been on its way: the look that follows says so, and it leaves again */
	assert_port(s, DETACHING);
	struct port_target target = {.port = s->port_ref};
	cloud_fails(c, &c->alice, engine_delete_port, &target, ERR_IN_USE, KIND_PORT);
	see(s, false);
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	see(s, true);
	struct port_report report = {.port = s->port, .gen = port_now(s)->row.gen};
	cloud_fails(c, NULL, engine_forget_port, &report, ERR_STATE, KIND_PORT);
	see(s, false);
	cloud_ok(c, NULL, engine_forget_port, &report);
}

static void check_refused(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct story story = begin(c), *s = &story;
	struct port_attaching wish = attach(s, 0);
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_INVALID, KIND_PORT);
	wish = attach(s, 1);
	cloud_ok(c, &c->alice, engine_attach_port, &wish);
	/* t3.micro has two. */
	struct port_wish another = {.subnet = ref_to(c, KIND_SUBNET, find_subnet(s))};
	cloud_ok(c, &c->alice, engine_create_port, &another);
	wish.port = ref_to(c, KIND_PORT, another.port);
	wish.device_index = 2;
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_QUOTA, KIND_PORT);
	/* In another zone. */
	const struct subnet *subnet = subnet_first_by_router(t, c->alice_router);
	while (uuid_equal(subnet->zone, cloud_instance(c, s->instance)->zone))
		subnet = subnet_next_by_router(t, subnet);
	another.subnet = ref_to(c, KIND_SUBNET, subnet->row.id);
	cloud_ok(c, &c->alice, engine_create_port, &another);
	wish.port = ref_to(c, KIND_PORT, another.port);
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_COMBINATION, KIND_PORT);
	/* The primary one stays. */
	struct port_detaching leave = {
		.attachment = ref_association(c, "eni-attach", cloud_port(c, s->instance)->attachment)};
	cloud_fails(c, &c->alice, engine_detach_port, &leave, ERR_PROTECTED, KIND_PORT);
	/* An instance's only port is clear; of two, one has to be named. */
	struct port_settings settings = {.instance = s->instance_ref, .source_dest_check = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_port, &settings, ERR_CONFLICT, KIND_INSTANCE);
	struct instances_wish end = {.instances = {&s->instance_ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_fails(c, &c->alice, engine_update_port, &settings, ERR_STATE, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_attach_port, &wish, ERR_STATE, KIND_INSTANCE);
}

static void check_settings(void **state)
{
	struct cloud *c = *state;
	struct story story = begin(c), *s = &story;
	struct port_settings wish = {.port = s->port_ref,
				     .source_dest_check = CHOICE_NO,
				     .set_description = true,
				     .description = STR("eth1")};
	cloud_ok(c, &c->alice, engine_update_port, &wish);
	assert_true(str_is(port_now(s)->description, "eth1") && !port_now(s)->source_dest_check);
	assert_int_equal(port_now(s)->groups.count, 1);
	wish = (struct port_settings){.port = s->port_ref,
				      .delete_on_termination = CHOICE_YES,
				      .attachment = ref_association(c, "eni-attach", uuid_random())};
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_NOT_FOUND, KIND_NONE);
	struct port_attaching attaching = attach(s, 1);
	cloud_ok(c, &c->alice, engine_attach_port, &attaching);
	wish.attachment = ref_association(c, "eni-attach", attaching.attachment);
	cloud_ok(c, &c->alice, engine_update_port, &wish);
	assert_true(port_now(s)->delete_on_termination);
	assert_true(str_is(port_now(s)->description, "eth1"));
}

/* When the instance ends, one port is deleted with it, and the other is free, with its elastic address. */
static void check_end(void **state)
{
	struct cloud *c = *state;
	struct story story = begin(c), *s = &story;
	uuid primary = cloud_port(c, s->instance)->row.id;
	struct port_attaching wish = attach(s, 1);
	cloud_ok(c, &c->alice, engine_attach_port, &wish);
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct address_association association = {.address = ref_to(c, KIND_ADDRESS, address.address),
						  .port = s->port_ref};
	cloud_ok(c, &c->alice, engine_associate_address, &association);
	see(s, true);
	struct instances_wish end = {.instances = {&s->instance_ref, 1}};
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, s->instance, INSTANCE_SEEN_POWER_ABSENT);
	assert_false(row_is_live(&port_find(cloud_tables(c), primary)->row));
	assert_port(s, AVAILABLE);
	assert_true(uuid_equal(address_find(cloud_tables(c), address.address)->port, s->port));
	/* Into another instance, with its address. */
	uuid other = cloud_launch_one(c);
	wish.instance = ref_to(c, KIND_INSTANCE, other);
	if (uuid_equal(cloud_instance(c, other)->zone,
		       subnet_find(cloud_tables(c), port_now(s)->subnet)->zone))
		cloud_ok(c, &c->alice, engine_attach_port, &wish);
	assert_true(uuid_equal(address_find(cloud_tables(c), address.address)->port, s->port));
}

static void check_token(void **state)
{
	struct cloud *c = *state;
	uuid subnet = cloud_port(c, cloud_launch_one(c))->subnet;
	struct port_wish wish = {
		.subnet = ref_to(c, KIND_SUBNET, subnet), .client_token = STR("once"), .digest = STR("d")};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	uuid first = wish.port;
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	assert_true(uuid_equal(wish.port, first));
	wish.digest = STR("e");
	cloud_fails(c, &c->alice, engine_create_port, &wish, ERR_CONFLICT, KIND_CLIENT_TOKEN);
}

/* Nova's way: made and plugged in one go; a new one goes when it is unplugged, one that was there stays. */
static void check_interfaces(void **state)
{
	struct cloud *c = *state;
	struct story story = begin(c), *s = &story;
	struct interface_wish wish = {.instance = s->instance_ref};
	cloud_fails(c, &c->bob, engine_plug_interface, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_plug_interface, &wish);
	const struct port *port = port_find(cloud_tables(c), wish.plugged);
	assert_true(port->delete_on_termination && port->device_index == 1);
	assert_true(uuid_equal(port->subnet, find_subnet(s)));
	struct interface_target target = {.instance = s->instance_ref, .port = s->port_ref};
	cloud_fails(c, &c->alice, engine_unplug_interface, &target, ERR_NOT_FOUND, KIND_PORT);
	target.port = ref_to(c, KIND_PORT, wish.plugged);
	cloud_ok(c, &c->alice, engine_unplug_interface, &target);
	port = port_find(cloud_tables(c), wish.plugged);
	assert_false(port && row_is_live(&port->row));
	wish = (struct interface_wish){.instance = s->instance_ref, .port = s->port_ref};
	cloud_ok(c, &c->alice, engine_plug_interface, &wish);
	cloud_fails(c, &c->alice, engine_plug_interface, &wish, ERR_IN_USE, KIND_PORT);
	target.port = s->port_ref;
	cloud_ok(c, &c->alice, engine_unplug_interface, &target);
	assert_true(row_is_live(&port_now(s)->row) && uuid_is_none(port_now(s)->instance));
}

static void check_groups_of_all(void **state)
{
	struct cloud *c = *state;
	struct story story = begin(c), *s = &story;
	struct security_group_wish group = {.name = STR("web"), .description = STR("web")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	struct instance_group_change wish = {.instance = s->instance_ref,
					     .group = ref_named(KIND_SECURITY_GROUP, "web")};
	cloud_ok(c, &c->alice, engine_change_instance_groups, &wish);
	cloud_ok(c, &c->alice, engine_change_instance_groups, &wish);
	assert_int_equal(cloud_port(c, s->instance)->groups.count, 2);
	wish.remove = true;
	cloud_ok(c, &c->alice, engine_change_instance_groups, &wish);
	assert_int_equal(cloud_port(c, s->instance)->groups.count, 1);
	cloud_fails(c, &c->alice, engine_change_instance_groups, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	wish.group = ref_named(KIND_SECURITY_GROUP, "none");
	cloud_fails(c, &c->alice, engine_change_instance_groups, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	/* An administrator finds Bob's groups, but not for Alice's ports. */
	struct security_group_wish bobs = {.is_alone = true, .name = STR("bob's")};
	cloud_ok(c, &c->bob, engine_create_security_group, &bobs);
	wish = (struct instance_group_change){.instance = s->instance_ref,
					      .group = ref_to(c, KIND_SECURITY_GROUP, bobs.group)};
	cloud_fails(c, &c->operator, engine_change_instance_groups, &wish, ERR_NOT_FOUND,
		    KIND_SECURITY_GROUP);
	assert_int_equal(cloud_port(c, s->instance)->groups.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_in_and_out, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_unplugged, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_settings, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_token, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_interfaces, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_groups_of_all, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
