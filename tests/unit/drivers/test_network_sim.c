/* SPDX-License-Identifier: Apache-2.0
 * The simulated network's contract: references between objects, idempotence, cascading removals and
 * notifications, all faults before and after their effect, and that state outlives connections. */
#include "../base/test_base.h"
#include "model/address.h"
#include "model/network.h"
#include "model/port.h"
#include "model/port_policy.h"
#include "model/router.h"
#include "model/security_group.h"
#include "model/subnet.h"

#include "drivers/sim/network.h"

struct lab {
	struct ctx *ctx;
	struct network_handle net;
	struct router router;
	struct network networks[2];
	struct subnet subnets[2];
	struct network_subnet wished[2];
	struct network_router router_wish;
	struct security_group group;
	struct port port;
	struct address address;
	uuid last_changed;
	int change_count;
};

static void note_change(void *arg, uuid port)
{
	struct lab *l = arg;
	l->last_changed = port;
	l->change_count++;
}

static int lab_setup(void **state)
{
	struct lab *l = calloc(1, sizeof *l);
	if (!l || ctx_setup((void **) &l->ctx))
		return -1;
	l->router.row.id = (uuid){{1}};
	for (uint8_t k = 0; k < 2; k++) {
		l->networks[k].row.id = (uuid){{6, k}};
		l->subnets[k].row.id = (uuid){{2, k}};
		l->subnets[k].network = l->networks[k].row.id;
		l->wished[k] = (struct network_subnet){.subnet = &l->subnets[k]};
	}
	l->router_wish =
		(struct network_router){.router = &l->router, .subnets = l->wished, .subnet_count = 2};
	l->group.row.id = (uuid){{3}};
	l->port.row.id = (uuid){{4}};
	l->port.router = l->router.row.id;
	l->port.network = l->networks[0].row.id;
	l->port.subnet = l->subnets[0].row.id;
	l->port.groups = (struct uuids){&l->group.row.id, 1};
	l->address.row.id = (uuid){{5}};
	network_sim_reset();
	assert_ok(network_sim_open(l->ctx, &l->net));
	l->net.driver->watch(l->net.self, note_change, l);
	*state = l;
	return 0;
}

static int lab_teardown(void **state)
{
	struct lab *l = *state;
	l->net.driver->close(l->net.self);
	network_sim_reset();
	ctx_teardown((void **) &l->ctx);
	free(l);
	return 0;
}
#define lab_test(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

static struct result apply_router(struct lab *l)
{
	return l->net.driver->apply_router(l->net.self, l->ctx, &l->router_wish);
}

static struct result apply_networks(struct lab *l)
{
	for (size_t k = 0; k < 2; k++)
		TRY(l->net.driver->apply_network(l->net.self, l->ctx,
						 &(struct network_segment){.network = &l->networks[k]}));
	return OK;
}

static struct result remove_network(struct lab *l, size_t k)
{
	ctx_clear_problem(l->ctx);
	return l->net.driver->remove_network(l->net.self, l->ctx, l->networks[k].row.id);
}

static struct result apply_group(struct lab *l)
{
	return l->net.driver->apply_group(l->net.self, l->ctx, &(struct network_group){&l->group, NULL, 0});
}

static struct result apply_port(struct lab *l, const char *chassis, bool *ret_up)
{
	struct network_port wish = {.port = &l->port, .subnet = &l->subnets[0], .chassis = str_from(chassis)};
	return l->net.driver->apply_port(l->net.self, l->ctx, &wish, ret_up);
}

static struct result apply_address(struct lab *l)
{
	struct network_address wish = {&l->address, l->router.row.id, &l->port};
	return l->net.driver->apply_address(l->net.self, l->ctx, &wish);
}

static struct result apply_all(struct lab *l)
{
	bool up;
	TRY(apply_networks(l));
	TRY(apply_router(l));
	TRY(apply_group(l));
	TRY(apply_port(l, "hv1", &up));
	return apply_address(l);
}

static void check_counts(size_t routers, size_t networks, size_t ports, size_t groups, size_t addresses)
{
	assert_int_equal(network_sim_count(NETWORK_ITEM_ROUTER), routers);
	assert_int_equal(network_sim_count(NETWORK_ITEM_NETWORK), networks);
	assert_int_equal(network_sim_count(NETWORK_ITEM_PORT), ports);
	assert_int_equal(network_sim_count(NETWORK_ITEM_GROUP), groups);
	assert_int_equal(network_sim_count(NETWORK_ITEM_ADDRESS), addresses);
}

static void test_what_is_missing_is_waited_for(void **state)
{
	struct lab *l = *state;
	bool up;
	assert_err(apply_port(l, "hv1", &up), AGAIN);
	assert_err(apply_address(l), AGAIN);
	assert_err(apply_router(l), AGAIN);
	assert_ok(apply_networks(l));
	assert_ok(apply_router(l));
	assert_err(apply_port(l, "hv1", &up), AGAIN);
	assert_ok(apply_group(l));
	assert_ok(apply_port(l, "hv1", &up));
	assert_true(up);
	assert_ok(apply_address(l));
	check_counts(1, 2, 1, 1, 1);
}

/* A policy that stands before a port is there first, behind the port's router; places that are wished no more are gone. */
static void test_policies(void **state)
{
	struct lab *l = *state;
	bool up;
	struct port_policy policy = {.row.id = {{7}}};
	struct network_policy_place places[] = {{.place = {{9}}}, {.place = l->router.row.id}};
	const struct network_driver *driver = l->net.driver;
	struct network_port wish = {.port = &l->port,
				    .subnet = &l->subnets[0],
				    .chassis = STR("hv1"),
				    .policies = {&policy.row.id, 1}};
	assert_ok(apply_networks(l));
	assert_ok(apply_router(l));
	assert_ok(apply_group(l));
	assert_err(driver->apply_port(l->net.self, l->ctx, &wish, &up), AGAIN);
	assert_ok(driver->apply_policy(l->net.self, l->ctx, &(struct network_policy){&policy, places, 1}));
	assert_err(driver->apply_port(l->net.self, l->ctx, &wish, &up), AGAIN);
	for (int n = 0; n < 2; n++)
		assert_ok(driver->apply_policy(l->net.self, l->ctx,
					       &(struct network_policy){&policy, places, 2}));
	assert_ok(driver->apply_port(l->net.self, l->ctx, &wish, &up));
	assert_true(network_sim_has(NETWORK_ITEM_POLICY, policy.row.id));
	assert_ok(driver->apply_policy(l->net.self, l->ctx, &(struct network_policy){&policy, places, 1}));
	assert_err(driver->apply_port(l->net.self, l->ctx, &wish, &up), AGAIN);
	for (int n = 0; n < 2; n++)
		assert_ok(driver->remove_policy(l->net.self, l->ctx, policy.row.id));
	assert_false(network_sim_has(NETWORK_ITEM_POLICY, policy.row.id));
}

static void test_twice_is_once(void **state)
{
	struct lab *l = *state;
	assert_ok(apply_all(l));
	assert_ok(apply_all(l));
	check_counts(1, 2, 1, 1, 1);
	struct network_inventory list;
	assert_ok(l->net.driver->list(l->net.self, l->ctx, &list));
	assert_int_equal(list.count, 6);
	const struct network_driver *d = l->net.driver;
	for (int k = 0; k < 2; k++) {
		assert_ok(d->remove_address(l->net.self, l->ctx, l->address.row.id));
		assert_ok(d->remove_port(l->net.self, l->ctx, l->port.row.id));
		assert_ok(d->remove_group(l->net.self, l->ctx, l->group.row.id));
		assert_ok(d->remove_router(l->net.self, l->ctx, l->router.row.id));
		assert_ok(remove_network(l, 0));
		assert_ok(remove_network(l, 1));
	}
	check_counts(0, 0, 0, 0, 0);
}

static void test_what_hangs_on_it_goes_too(void **state)
{
	struct lab *l = *state;
	assert_ok(apply_all(l));
	assert_err(remove_network(l, 1), AGAIN); /* the router is in it */
	l->router_wish.subnet_count = 1;
	assert_ok(apply_router(l));
	assert_ok(remove_network(l, 1));
	check_counts(1, 1, 1, 1, 1);
	assert_ok(l->net.driver->remove_router(l->net.self, l->ctx, l->router.row.id));
	check_counts(0, 1, 1, 1, 0);
	assert_err(remove_network(l, 0), AGAIN); /* the port is */
	ctx_clear_problem(l->ctx);
	assert_ok(l->net.driver->remove_port(l->net.self, l->ctx, l->port.row.id));
	assert_ok(remove_network(l, 0));
	check_counts(0, 0, 0, 1, 0);
}

static void test_binding_is_told(void **state)
{
	struct lab *l = *state;
	bool up;
	network_sim_set_late(true);
	assert_ok(apply_networks(l));
	assert_ok(apply_router(l));
	assert_ok(apply_group(l));
	assert_ok(apply_port(l, "hv1", &up));
	assert_false(up);
	assert_int_equal(l->change_count, 0);
	network_sim_bind();
	assert_int_equal(l->change_count, 1);
	assert_true(uuid_equal(l->last_changed, l->port.row.id));
	assert_true(network_sim_port_is_up(l->port.row.id));
	assert_ok(apply_port(l, "hv1", &up));
	assert_true(up);
	assert_ok(apply_port(l, "", &up)); /* not to be bound any more */
	assert_false(up);
	network_sim_bind();
	assert_false(network_sim_port_is_up(l->port.row.id));
}

static void test_cut_and_mended(void **state)
{
	struct lab *l = *state;
	struct network_health health;
	assert_ok(apply_all(l));
	int before = l->change_count;
	network_sim_cut(true);
	assert_err(apply_all(l), GONE);
	assert_ok(l->net.driver->see(l->net.self, l->ctx, &health));
	assert_false(health.connected);
	network_sim_cut(false);
	assert_int_equal(l->change_count, before + 2);
	assert_true(uuid_is_none(l->last_changed));
	assert_ok(apply_all(l));
}

static void test_state_outlives_a_connection(void **state)
{
	struct lab *l = *state;
	assert_ok(apply_all(l));
	l->net.driver->close(l->net.self);
	assert_ok(network_sim_open(l->ctx, &l->net));
	check_counts(1, 2, 1, 1, 1);
	assert_true(network_sim_lose(NETWORK_ITEM_PORT, l->port.row.id));
	assert_false(network_sim_has(NETWORK_ITEM_PORT, l->port.row.id));
	assert_ok(apply_all(l));
	check_counts(1, 2, 1, 1, 1);
}

static void try_all(void *arg)
{
	struct lab *l = arg;
	ctx_clear_problem(l->ctx);
	IGNORE(apply_all(l)); /* may fail anywhere */
	fault_disarm();
	ctx_clear_problem(l->ctx);
	assert_ok(apply_all(l)); /* and gets there from anywhere */
	check_counts(1, 2, 1, 1, 1);
	network_sim_reset();
}

static void test_every_fault(void **state)
{
	struct lab *l = *state;
	/* before and after each of the six calls */
	assert_int_equal(for_each_fault(FAULT_DRIVER, false, try_all, l), 12);
	for_each_fault(FAULT_ALLOC, false, try_all, l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(test_what_is_missing_is_waited_for),
		lab_test(test_policies),
		lab_test(test_twice_is_once),
		lab_test(test_what_hangs_on_it_goes_too),
		lab_test(test_binding_is_told),
		lab_test(test_cut_and_mended),
		lab_test(test_state_outlives_a_connection),
		lab_test(test_every_fault),
	};
	return cmocka_run_group_tests_name("network_sim", tests, NULL, NULL);
}
