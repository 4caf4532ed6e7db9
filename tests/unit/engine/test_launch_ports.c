/* SPDX-License-Identifier: Apache-2.0
 * Launches with several ports, new and existing ones. */
#include "cloud.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/zone.h"

#include "engine/network/network.h"

struct scene {
	struct cloud *c;
	uuid subnet;      /* in xy-west-2a */
	uuid other;       /* in xy-west-2b */
	struct port port; /* there, in subnet */
};

static uuid subnet_in(struct cloud *c, const char *zone_name)
{
	const struct tables *t = cloud_tables(c);
	const struct zone *zone = zone_find_by_name(t, str_from(zone_name));
	const struct subnet *subnet = subnet_first_by_router(t, c->alice_router);
	while (!uuid_equal(subnet->zone, zone->row.id))
		subnet = subnet_next_by_router(t, subnet);
	return subnet->row.id;
}

static struct scene begin(struct cloud *c)
{
	struct scene s = {.c = c, .subnet = subnet_in(c, "xy-west-2a"), .other = subnet_in(c, "xy-west-2b")};
	struct port_wish wish = {.subnet = ref_to(c, KIND_SUBNET, s.subnet), .description = STR("there")};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	s.port = *port_find(cloud_tables(c), wish.port);
	return s;
}

static struct launch_port new_one(struct scene *s, int64_t index)
{
	return (struct launch_port){
		.subnet = ref_to(s->c, KIND_SUBNET, s->subnet), .device_index = index, .field = STR("N")};
}

static struct launch_port one_there(struct scene *s, int64_t index)
{
	return (struct launch_port){
		.port = ref_to(s->c, KIND_PORT, s->port.row.id), .device_index = index, .field = STR("N")};
}

static struct instance_launch launch_of(struct scene *s, const struct launch_port *ports, size_t count)
{
	struct instance_launch wish = cloud_launch(s->c, 1);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t3.small"); /* three ports */
	wish.ports = ports;
	wish.port_count = count;
	return wish;
}

/* No network is named: which one it is shows when the instance is made, however many there were before. */
static void check_only_network(void **state)
{
	struct cloud *c = *state;
	struct account_wish account = {.name = STR("carol")};
	cloud_ok(c, &c->operator, engine_create_account, &account);
	struct identity carol = c->alice;
	carol.account = account.account;
	carol.user = account.user;
	carol.account_number = account.number;
	const struct launch_port port = {.field = STR("N")};
	struct instance_launch wish = cloud_launch(c, 1);
	wish.ports = &port;
	wish.port_count = 1;
	wish.any_network = wish.needs_network = true;
	cloud_fails(c, &carol, engine_create_instances, &wish, ERR_INVALID, KIND_NONE);
	assert_true(str_is(c->c.problem.field, "N"));
	wish.needs_network = false;
	cloud_ok(c, &carol, engine_create_instances, &wish);
	assert_null(cloud_port(c, wish.made.at[0]));
	struct network_wish network = {.name = STR("one")};
	cloud_ok(c, &carol, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = ref_to(c, KIND_NETWORK, network.network),
					     .block = cidr_of("10.7.0.0/24")};
	cloud_ok(c, &carol, engine_add_subnet, &subnet);
	cloud_ok(c, &carol, engine_create_instances, &wish);
	assert_true(uuid_equal(cloud_port(c, wish.made.at[0])->subnet, subnet.subnet));
	uuid first = network.network;
	cloud_ok(c, &carol, engine_create_network, &network);
	cloud_fails(c, &carol, engine_create_instances, &wish, ERR_STATE, KIND_NONE);
	assert_true(str_is(c->c.problem.field, "N"));
	struct network_target gone = {.network = ref_to(c, KIND_NETWORK, network.network)};
	cloud_ok(c, &carol, engine_delete_network, &gone);
	cloud_ok(c, &carol, engine_create_instances, &wish);
	assert_true(uuid_equal(subnet_find(cloud_tables(c), cloud_port(c, wish.made.at[0])->subnet)->network,
			       first));
	/* In accounts with default subnets, launches use one of those, even if there are other networks. */
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_true(uuid_equal(cloud_port(c, wish.made.at[0])->router, c->alice_router));
}

/* A network stands for a subnet of it; without ports the zone is one with room. */
static void check_network_and_none(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	const struct subnet *subnet = subnet_find(cloud_tables(c), s->other);
	struct launch_port port = {.network = {.kind = KIND_NETWORK,
					       .prefix = subnet->network,
					       .bits = 128,
					       .text = STR("other"),
					       .field = STR("networks")}};
	struct instance_launch wish = launch_of(s, &port, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_true(uuid_equal(cloud_port(c, wish.made.at[0])->subnet, s->other));
	wish = launch_of(s, &port, 1);
	cloud_fails(c, &c->bob, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_NETWORK);
	wish = launch_of(s, NULL, 0);
	wish.no_ports = true;
	wish.zone = ref_named(KIND_ZONE, "xy-west-2b");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct instance *i = cloud_instance(c, wish.made.at[0]);
	assert_null(cloud_port(c, i->row.id));
	assert_true(uuid_is_none(i->subnet) && uuid_equal(i->zone, subnet->zone));
	wish.zone = (struct ref){0};
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	i = cloud_instance(c, wish.made.at[0]);
	assert_false(uuid_is_none(i->zone) || uuid_is_none(i->host));
}

/* A network without subnets: its ports have no address, and the instance a config drive. */
static void check_no_address(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	struct network_wish network = {.name = STR("flat"), .is_open = true};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct launch_port ports[2] = {
		{.network = ref_to(c, KIND_NETWORK, network.network), .field = STR("networks")},
		{.subnet = ref_to(c, KIND_SUBNET, s->other), .device_index = 1, .field = STR("N")}};
	struct instance_launch wish = launch_of(s, ports, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_MISSING, KIND_NETWORK);
	ports[0].may_lack_ip = true;
	wish = launch_of(s, ports, 1);
	cloud_fails(c, &c->bob, engine_create_instances, &wish, ERR_NOT_FOUND, KIND_NETWORK);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct instance *i = cloud_instance(c, wish.made.at[0]);
	const struct port *port = cloud_port(c, i->row.id);
	assert_true(port->is_open && ip_is_none(port->ip) && uuid_is_none(port->subnet));
	assert_true(uuid_equal(port->network, network.network) && !port->groups.count);
	assert_true(uuid_is_none(i->subnet) && i->config_drive && !uuid_is_none(i->zone));
	wish = launch_of(s, ports, 2);
	wish.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_COMBINATION, KIND_PORT);
	wish.zone = ref_named(KIND_ZONE, "xy-west-2b");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_false(cloud_instance(c, wish.made.at[0])->config_drive);
}

static void check_two(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	struct launch_port ports[] = {one_there(s, 3), new_one(s, 0)}; /* in any order */
	ports[1].description = STR("new");
	struct instance_launch wish = launch_of(s, ports, 2);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid instance = wish.made.at[0];
	const struct port *primary = cloud_port(c, instance),
			  *second = port_find(cloud_tables(c), s->port.row.id);
	assert_true(primary->delete_on_termination && primary->device_index == 0);
	assert_true(str_is(primary->description, "new"));
	assert_true(uuid_equal(second->instance, instance) && second->device_index == 3);
	assert_true(!second->delete_on_termination && second->row.gen == 2);
	assert_true(uuid_equal(second->host, cloud_instance(c, instance)->host));
	assert_null(cloud_address(c, instance)); /* of several ports none gets a public address by itself */
	/* The end: the one goes, the other is free. */
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish end = {.instances = {&ref, 1}};
	uuid first = primary->row.id;
	cloud_ok(c, &c->alice, engine_terminate_instances, &end);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
	assert_false(row_is_live(&port_find(cloud_tables(c), first)->row));
	assert_int_equal(model_derive_port_state(port_find(cloud_tables(c), s->port.row.id)), PORT_AVAILABLE);
}

static void check_primary_there(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	struct launch_port port = one_there(s, 0);
	struct instance_launch wish = launch_of(s, &port, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	const struct instance *instance = cloud_instance(c, wish.made.at[0]);
	assert_true(uuid_equal(instance->subnet, s->subnet));
	assert_true(ip_equal(cloud_port(c, instance->row.id)->ip, s->port.ip));
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_IN_USE, KIND_PORT);
}

static void refuse(struct scene *s, const struct launch_port *ports, size_t count, enum err err,
		   enum kind kind)
{
	struct instance_launch wish = launch_of(s, ports, count);
	cloud_fails(s->c, &s->c->alice, engine_create_instances, &wish, err, kind);
}

static void check_refused(void **state)
{
	struct cloud *c = *state;
	struct scene scene = begin(c), *s = &scene;
	const struct launch_port good[] = {new_one(s, 0), new_one(s, 1), one_there(s, 2), new_one(s, 3)};
	struct launch_port ports[4];
	refuse(s, good, 4, ERR_QUOTA, KIND_PORT);
	refuse(s, good + 1, 2, ERR_INVALID, KIND_PORT); /* none is the primary one */
	memcpy(ports, good, sizeof ports);
	ports[1].device_index = 0;
	refuse(s, ports, 2, ERR_INVALID, KIND_PORT);
	ports[1].device_index = PORT_DEVICE_INDEX_MAX + 1;
	refuse(s, ports, 2, ERR_INVALID, KIND_PORT);
	ports[1] = good[1];
	ports[1].public_ip = CHOICE_NO;
	refuse(s, ports, 2, ERR_COMBINATION, KIND_PORT);
	ports[1] = good[1];
	ports[1].subnet = ref_to(c, KIND_SUBNET, s->other);
	refuse(s, ports, 2, ERR_COMBINATION, KIND_PORT); /* in another zone */
	ports[1] = good[1];
	ports[2].description = STR("x");
	refuse(s, ports, 3, ERR_COMBINATION, KIND_PORT);
	ports[2] = good[2];
	ports[2].delete_on_termination = CHOICE_YES;
	refuse(s, ports, 3, ERR_COMBINATION, KIND_PORT);
	ports[2] = good[2];
	ports[1] = one_there(s, 1);
	struct instance_launch two = launch_of(s, ports, 2);
	two.max_count = 2;
	cloud_fails(c, &c->alice, engine_create_instances, &two, ERR_COMBINATION, KIND_PORT);
	/* The same one twice. */
	refuse(s, ports, 3, ERR_IN_USE, KIND_PORT);
	ports[1].port = ref_to(c, KIND_PORT, uuid_random());
	refuse(s, ports, 2, ERR_NOT_FOUND, KIND_PORT);
	/* A failed launch leaves the port free. */
	assert_int_equal(model_derive_port_state(port_find(cloud_tables(c), s->port.row.id)), PORT_AVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_two, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_no_address, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_only_network, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_network_and_none, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_primary_there, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
