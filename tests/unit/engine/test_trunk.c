/* SPDX-License-Identifier: Apache-2.0
 * Trunks: which ports may be a parent or a sub-port, their tags, and what becomes of a trunk when its parent goes. */
#include "cloud.h"
#include "store/port.h"
#include "store/trunk.h"

#include "engine/instance/instance.h"
#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/network/port/trunk.h"

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static uuid make_network(struct cloud *c, struct identity *who)
{
	struct network_wish wish = {.name = STR("net")};
	cloud_ok(c, who, engine_create_network, &wish);
	return wish.network;
}

static struct ref make_port(struct cloud *c, struct identity *who, uuid network)
{
	struct network_port_wish wish = {.network = ref_of(KIND_NETWORK, network)};
	cloud_ok(c, who, engine_add_port, &wish);
	return ref_of(KIND_PORT, wish.port);
}

static struct ref make_trunk(struct cloud *c, struct ref port)
{
	struct trunk_wish wish = {.port = port, .name = STR("uplink")};
	cloud_ok(c, &c->alice, engine_create_trunk, &wish);
	return ref_of(KIND_TRUNK, wish.trunk);
}

static const struct port *port_at(struct cloud *c, struct ref port)
{
	return port_find(cloud_tables(c), port.prefix);
}

static void check_subports(void **state)
{
	struct cloud *c = *state;
	uuid network = make_network(c, &c->alice);
	struct ref parent = make_port(c, &c->alice, network), sub = make_port(c, &c->alice, network);
	struct ref other = make_port(c, &c->alice, network);
	struct ref bobs = make_port(c, &c->bob, make_network(c, &c->bob));
	struct ref trunk = make_trunk(c, parent);
	struct trunk_subport one = {sub, 100};
	struct trunk_change change = {.trunk = trunk, .subports = {&one, 1}};
	cloud_fails(c, &c->bob, engine_change_trunk, &change, ERR_NOT_FOUND, KIND_TRUNK);
	uint64_t gen = port_at(c, sub)->row.gen;
	cloud_ok(c, &c->alice, engine_change_trunk, &change);
	assert_true(uuid_equal(port_at(c, sub)->trunk_parent, parent.prefix) &&
		    port_at(c, sub)->vlan_id == 100);
	assert_int_equal(port_at(c, sub)->row.gen, gen + 1); /* the reconciler binds it to the parent */
	assert_ptr_equal(engine_get_carrier(cloud_tables(c), port_at(c, sub)), port_at(c, parent));
	assert_ptr_equal(engine_get_carrier(cloud_tables(c), port_at(c, parent)), port_at(c, parent));
	one.port = other;
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_EXISTS, KIND_TRUNK);
	one.vlan = TRUNK_VLAN_MAX + 1;
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_RANGE, KIND_TRUNK);
	one = (struct trunk_subport){bobs, 5};
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_NOT_FOUND, KIND_PORT);
	cloud_fails(c, &c->operator, engine_change_trunk, &change, ERR_NOT_FOUND, KIND_PORT);
	struct trunk_wish again = {.port = sub};
	cloud_fails(c, &c->alice, engine_create_trunk, &again, ERR_IN_USE, KIND_TRUNK);
	again = (struct trunk_wish){.port = other, .subports = {&(struct trunk_subport){sub, 7}, 1}};
	cloud_fails(c, &c->alice, engine_create_trunk, &again, ERR_IN_USE, KIND_TRUNK);
	assert_null(engine_get_trunk_of(cloud_tables(c), other.prefix)); /* all or nothing */
	struct trunk_settings off = {.trunk = trunk, .is_down = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_trunk, &off);
	one = (struct trunk_subport){.port = sub};
	change.removes = true;
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_STATE, KIND_TRUNK);
	off.is_down = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_trunk, &off);
	cloud_ok(c, &c->alice, engine_change_trunk, &change);
	assert_true(uuid_is_none(port_at(c, sub)->trunk_parent) && port_at(c, sub)->vlan_id == 0);
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_NOT_FOUND, KIND_TRUNK);
}

/* Neither port of a trunk is deleted, until the trunk is. */
static void check_deletion(void **state)
{
	struct cloud *c = *state;
	uuid network = make_network(c, &c->alice);
	struct ref parent = make_port(c, &c->alice, network), sub = make_port(c, &c->alice, network);
	struct ref trunk = make_trunk(c, parent);
	struct trunk_subport one = {sub, 100};
	struct trunk_change change = {.trunk = trunk, .subports = {&one, 1}};
	cloud_ok(c, &c->alice, engine_change_trunk, &change);
	struct port_target port = {.port = parent};
	cloud_fails(c, &c->alice, engine_delete_port, &port, ERR_IN_USE, KIND_TRUNK);
	port.port = sub;
	cloud_fails(c, &c->alice, engine_delete_port, &port, ERR_IN_USE, KIND_TRUNK);
	struct trunk_target target = {.trunk = trunk};
	cloud_ok(c, &c->alice, engine_delete_trunk, &target);
	cloud_fails(c, &c->alice, engine_delete_trunk, &target, ERR_NOT_FOUND, KIND_TRUNK);
	assert_true(uuid_is_none(port_at(c, sub)->trunk_parent));
	cloud_ok(c, &c->alice, engine_delete_port, &port);
	port.port = parent;
	cloud_ok(c, &c->alice, engine_delete_port, &port);
}

static void check_count(void **state)
{
	struct cloud *c = *state;
	uuid network = make_network(c, &c->alice);
	struct ref trunk = make_trunk(c, make_port(c, &c->alice, network));
	static struct trunk_subport all[TRUNK_SUBPORTS_MAX + 1];
	for (int k = 0; k <= TRUNK_SUBPORTS_MAX; k++)
		all[k] = (struct trunk_subport){make_port(c, &c->alice, network), k + 1};
	struct trunk_change change = {.trunk = trunk, .subports = {all, TRUNK_SUBPORTS_MAX + 1}};
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_QUOTA, KIND_TRUNK);
	change.subports.count--;
	cloud_ok(c, &c->alice, engine_change_trunk, &change);
	change.subports = (struct trunk_subports){&all[TRUNK_SUBPORTS_MAX], 1};
	cloud_fails(c, &c->alice, engine_change_trunk, &change, ERR_QUOTA, KIND_TRUNK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_subports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_deletion, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_count, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
