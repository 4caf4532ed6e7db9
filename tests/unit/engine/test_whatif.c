/* SPDX-License-Identifier: Apache-2.0
 * What-if questions about placement: the answers must equal those of the real placement, and the region must
 * be unchanged afterwards, including all figures. */
#include "cloud.h"
#include "engine/instance/placement/server_group.h"
#include "engine/instance/placement/whatif.h"
#include "store/host.h"
#include "store/instance.h"

/* The figures of all hosts and rows, as a text. */
static struct str state_of(struct cloud *c)
{
	struct str dump = cloud_dump(c);
	for (size_t k = 0; k < CLOUD_HOSTS; k++) {
		const struct host_usage *use = host_usage(host_find(cloud_tables(c), c->hosts[k]));
		dump = str_print(c->arena, "%" STR_FMT "%lld %lld %lld %lld\n", STR_ARG(dump),
				 (long long) use->vcpus, (long long) use->memory, (long long) use->disk,
				 (long long) use->instances);
	}
	assert_non_null(dump.p);
	return dump;
}

static struct whatif ask(struct cloud *c, enum whatif_event event, const char *host,
			 const struct whatif_addition *addition)
{
	struct whatif w = {.event = event, .addition = addition};
	struct str before = state_of(c);
	if (host)
		w.host = ref_named(KIND_HOST, host);
	cloud_ok(c, &c->operator, engine_answer_whatif, &w);
	assert_true(str_equal(state_of(c), before));
	cloud_check(c);
	return w;
}

static size_t count_fitting(const struct whatif *w, const char *host)
{
	size_t count = 0;
	for (size_t k = 0; k < w->machine_count; k++) {
		assert_true((w->machines[k].host.n > 0) != (w->machines[k].why.n > 0));
		count += host ? str_is(w->machines[k].host, host) : w->machines[k].host.n > 0;
	}
	return count;
}

/* In the zone of h1 and h2. */
static struct instance_launch launch_in_first(struct cloud *c, int64_t count)
{
	struct instance_launch launch = cloud_launch(c, count);
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
	return launch;
}

static void check_down(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = launch_in_first(c, 4);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct whatif w = ask(c, WHATIF_HOST_DOWN, "h1", NULL);
	assert_int_equal(w.machine_count, 2);
	assert_int_equal(count_fitting(&w, "h2"), 2); /* h3 is in another zone */
	struct host_settings closed = {.host = ref_named(KIND_HOST, "h2"), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	w = ask(c, WHATIF_HOST_DOWN, "h1", NULL);
	assert_int_equal(w.machine_count, 2);
	assert_int_equal(count_fitting(&w, NULL), 0);
	assert_true(str_contains(w.machines[0].why, STR("1 are closed to new instances (h2)")));
	assert_true(str_contains(w.machines[0].why, STR("1 do not answer (h1)")));
	assert_int_equal(ask(c, WHATIF_HOST_DOWN, "h3", NULL).machine_count, 0);
	struct whatif absent = {.event = WHATIF_HOST_DOWN, .host = ref_named(KIND_HOST, "h9")};
	cloud_fails(c, &c->operator, engine_answer_whatif, &absent, ERR_NOT_FOUND, KIND_HOST);
	struct whatif forbidden = {.event = WHATIF_HOST_DOWN, .host = ref_named(KIND_HOST, "h1")};
	cloud_fails(c, &c->alice, engine_answer_whatif, &forbidden, ERR_DENIED, KIND_HOST);
}

/* Room is counted as the machines of one question take it, one behind the other. */
static void check_room(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = launch_in_first(c, 4);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	const struct host *h2 = host_find(cloud_tables(c), c->hosts[1]);
	const struct instance *one = cloud_instance(c, launch.made.at[0]);
	struct host_report small = {.host = h2->row.id,
				    .state = HOST_SEEN_STATE_UP,
				    .has_facts = true,
				    .cpus = h2->seen_cpus,
				    .cores = h2->seen_cores,
				    .sockets = h2->seen_sockets,
				    .memory = h2->reserved_memory + 3 * one->memory,
				    .disk = h2->seen_disk,
				    .virt = h2->seen_virt,
				    .version = h2->seen_version};
	cloud_ok(c, NULL, engine_see_host, &small);
	struct whatif w = ask(c, WHATIF_HOST_DOWN, "h1", NULL);
	assert_int_equal(w.machine_count, 2);
	assert_int_equal(count_fitting(&w, "h2"), 1);
	/* With one more host, both fit. */
	struct whatif_addition addition = {
		.cpus = 8, .memory = 16 * GIB, .zone = ref_named(KIND_ZONE, "xy-west-2a")};
	w = ask(c, WHATIF_HOST_DOWN, "h1", &addition);
	assert_int_equal(count_fitting(&w, NULL), 2);
	assert_int_equal(count_fitting(&w, "the-new-host"), 2);
	addition.zone = ref_named(KIND_ZONE, "xy-west-2b");
	w = ask(c, WHATIF_HOST_DOWN, "h1", &addition);
	assert_int_equal(count_fitting(&w, NULL), 1);
	addition.memory = 0;
	struct whatif bad = {.event = WHATIF_NOTHING, .addition = &addition};
	cloud_fails(c, &c->operator, engine_answer_whatif, &bad, ERR_INVALID, KIND_HOST);
}

/* Groups hold in the answer as they do at a launch. */
static void check_group(void **state)
{
	struct cloud *c = *state;
	struct server_group_wish group = {
		.name = STR("apart"), .policy = SERVER_GROUP_POLICY_ANTI_AFFINITY, .max_per_host = 1};
	cloud_ok(c, &c->alice, engine_create_server_group, &group);
	struct instance_launch launch = launch_in_first(c, 2);
	launch.server_group = ref_to(c, KIND_SERVER_GROUP, group.server_group);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct whatif w = ask(c, WHATIF_HOST_DOWN, "h1", NULL);
	assert_int_equal(w.machine_count, 1);
	assert_int_equal(count_fitting(&w, NULL), 0);
	assert_true(str_contains(w.machines[0].why, STR("against its server group (h2)")));
	struct whatif_addition addition = {
		.cpus = 8, .memory = 16 * GIB, .zone = ref_named(KIND_ZONE, "xy-west-2a")};
	w = ask(c, WHATIF_HOST_DOWN, "h1", &addition);
	assert_int_equal(count_fitting(&w, "the-new-host"), 1);
}

static void run_all(struct cloud *c, const struct instance_launch *launch)
{
	for (size_t k = 0; k < launch->made.count; k++)
		cloud_see(c, launch->made.at[k], INSTANCE_SEEN_POWER_ON);
}

static void check_drain(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = launch_in_first(c, 4);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct whatif w = ask(c, WHATIF_DRAIN, "h1", NULL); /* nothing runs yet */
	assert_int_equal(w.machine_count, 2);
	assert_int_equal(count_fitting(&w, NULL), 0);
	assert_true(str_contains(w.machines[0].why, STR("does not run")));
	assert_true(host_find(cloud_tables(c), c->hosts[0])->enabled);
}

/* An instance without a place waits. A new host would take it, if it is in the same zone. */
static void check_waiting(void **state)
{
	struct cloud *c = *state;
	struct whatif no_administrators = {.event = WHATIF_NOTHING};
	cloud_fails(c, &c->alice, engine_answer_whatif, &no_administrators, ERR_DENIED, KIND_HOST);
	struct whatif_addition addition = {
		.cpus = 8, .memory = 16 * GIB, .zone = ref_named(KIND_ZONE, "xy-west-2a")};
	struct instance_launch launch = launch_in_first(c, 1);
	assert_int_equal(ask(c, WHATIF_NOTHING, NULL, &addition).machine_count, 0);
	launch.accept_unplaced = true;
	for (size_t k = 0; k < CLOUD_HOSTS; k++) {
		struct host_settings closed = {.host = ref_by_id(KIND_HOST, c->hosts[k]),
					       .enabled = CHOICE_NO};
		cloud_ok(c, &c->operator, engine_update_host, &closed);
	}
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	struct whatif w = ask(c, WHATIF_NOTHING, NULL, &addition);
	assert_int_equal(w.machine_count, 1);
	assert_true(uuid_equal(w.machines[0].instance, launch.made.at[0]));
	assert_true(str_is(w.machines[0].host, "the-new-host"));
	addition.zone = ref_named(KIND_ZONE, "xy-west-2b");
	w = ask(c, WHATIF_NOTHING, NULL, &addition);
	assert_int_equal(w.machine_count, 1);
	assert_int_equal(count_fitting(&w, NULL), 0);
}

static void check_balance(void **state)
{
	struct cloud *c = *state;
	struct rebalancing wish = {.move_cap = 10};
	struct instance_launch launch = launch_in_first(c, 4);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	run_all(c, &launch);
	struct str before = state_of(c);
	cloud_ok(c, &c->operator, engine_plan_rebalancing, &wish);
	assert_int_equal(wish.move_count, 0);
	assert_true(wish.fullest_before >= wish.emptiest_before && wish.fullest_after == wish.fullest_before);
	assert_true(str_equal(state_of(c), before));
	cloud_fails(c, &c->alice, engine_plan_rebalancing, &wish, ERR_DENIED, KIND_INSTANCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_down, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_room, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_group, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_drain, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_waiting, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_balance, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
