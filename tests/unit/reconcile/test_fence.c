/* SPDX-License-Identifier: Apache-2.0
 * Hosts that die, hang or are cut off: proofs that a host is off, evacuation, and what happens when the host
 * returns. No guest ever runs twice. */
#include "../cloud/cloud.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/region/fence.h"
#include "engine/region/fence_plan.h"
#include "engine/storage/storage_pool.h"
#include "model/states.h"
#include "store/fence.h"
#include "store/host.h"
#include "store/instance.h"

enum { SEEDS = 20 };

static struct ref ref_of(struct str host)
{
	return (struct ref){.kind = KIND_HOST, .text = host};
}

static void set_device(struct cloud *c, struct str host, int64_t after_s)
{
	static const struct tag options[] = {{STR("plug"), STR("3")}, {STR("login"), STR("dari")}};
	struct fence_device_wish wish = {.host = ref_of(host),
					 .command = STR("/usr/sbin/fence_simulated"),
					 .options = {options, 2},
					 .after_s = after_s};
	cloud_ok(c, NULL, engine_set_fence_device, &wish);
}

static RESULT vouch(struct cloud *c, struct str host)
{
	struct fence_word wish = {.host = ref_of(host), .who = STR("kim")};
	return cloud_call(c, NULL, engine_vouch_fence_run, &wish);
}

static RESULT ask(struct cloud *c, struct str host)
{
	struct fence_asking wish = {.host = ref_of(host)};
	return cloud_call(c, NULL, engine_ask_fence_run, &wish);
}

static RESULT evacuate(struct cloud *c, uuid instance, bool rebuilds)
{
	struct instance_evacuation wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance),
					   .rebuilds = rebuilds};
	return cloud_call(c, NULL, engine_evacuate_instance_run, &wish);
}

static struct fence last_fence(struct cloud *c, struct str host)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct host *h = host_find_by_name(view.tables, host);
	const struct fence *f = h ? engine_last_fence(view.tables, h->row.id) : NULL;
	return f ? *f : (struct fence){.stage = FENCE_STAGE_FAILED};
}

static bool has_stage(struct cloud *c, const void *arg)
{
	const struct fence *wanted = arg;
	struct fence f = last_fence(c, STR("h0"));
	return !uuid_is_none(f.row.id) && f.stage == wanted->stage &&
	       (f.ended_us != 0) == (wanted->ended_us != 0);
}

#define AWAIT_STAGE(c, ...)                                                                                  \
	assert_true(cloud_step_until((c), has_stage, &(struct fence){__VA_ARGS__}, 10 * MINUTE))

/* Steps on, and never sees anything run twice. */
static void step_on(struct cloud *c, int64_t us)
{
	for (int64_t until_us = clock_now_us() + us; executor_step(c->executor, until_us);)
		assert_int_equal(sim_compute_count_doubles(), 0);
}

static uuid launch_on(struct cloud *c, struct str host)
{
	for (;;) {
		uuid id = cloud_launch_running(c);
		if (str_equal(cloud_host_of(c, id), host))
			return id;
	}
}

/* ---- the whole way */

/* Turned off by its command; rebuilt elsewhere; back with its old domains. */
static void dies_and_returns(struct cloud *c)
{
	struct str h0 = STR("h0");
	uuid id = launch_on(c, h0), other = launch_on(c, h0), volume = cloud_volume_of(c, id);
	set_device(c, h0, 60);
	sim_compute_cut_off(h0, true); /* its guests go on */
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED);
	struct fence f = last_fence(c, h0);
	assert_int_equal(f.proof, FENCE_PROOF_COMMAND);
	assert_int_equal(f.asked_by, FENCE_ASKED_BY_REGION);
	assert_true(cloud_guest(c, id).exists);
	assert_false(cloud_guest(c, id).is_on);
	step_on(c, MINUTE);
	assert_true(cloud_has_condition(c, id, WAITS_FOR_HOST)); /* its disk is there alone */
	assert_true(cloud_has_condition(c, c->hosts[0], "Fenced"));
	cloud_expect_at(c, evacuate(c, id, true), __FILE__, __LINE__);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(str_equal(cloud_host_of(c, id), STR("h1")));
	assert_false(uuid_equal(cloud_volume_of(c, id), volume));
	assert_false(cloud_has_condition(c, id, WAITS_FOR_HOST));
	if (c->seed % 2) {
		cloud_kill(c);
		cloud_restart(c);
	}
	step_on(c, MINUTE);
	sim_compute_give_power(h0);
	step_on(c, 2 * MINUTE);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED, .ended_us = 1);
	cloud_settle(c);
	assert_true(str_equal(cloud_host_of(c, other), h0));
	cloud_await(c, other, INSTANCE_RUNNING);
	assert_true(cloud_guest(c, id).is_on);
	assert_false(cloud_has_condition(c, c->hosts[0], "Fenced"));
	assert_false(cloud_has_condition(c, other, WAITS_FOR_HOST));
}
TEST_STORY(dies_and_returns, 2)

/* ---- no proof, no start */

static size_t count_on(struct cloud *c, struct str host)
{
	size_t count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct host *h = host_find_by_name(view.tables, host);
	for (const struct instance *i = instance_first_by_host(view.tables, h->row.id); i;
	     i = instance_next_by_host(view.tables, i))
		count++;
	return count;
}

/* Each sign alone is none: libvirt is silent and OVN follows; or nobody answers, and no command is there. */
static void silence_proves_nothing(struct cloud *c)
{
	struct str h0 = STR("h0");
	uuid id = launch_on(c, h0);
	size_t there = count_on(c, h0);
	bool is_cut = c->seed % 2;
	if (is_cut) {
		sim_compute_cut_off(h0, true);
	} else {
		set_device(c, h0, 30);
		sim_compute_set_health(h0, c->seed % 3 ? SIM_DOWN : SIM_HANGS, SECOND);
	}
	step_on(c, 20 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_FENCE), 0);
	assert_int_equal(count_on(c, h0), there);
	assert_true(cloud_guest(c, id).is_on);
	assert_int_equal(evacuate(c, id, true).code, ERR_STATE);
	if (is_cut)
		assert_int_equal(ask(c, h0).code, ERR_UNSUPPORTED);
	sim_compute_cut_off(h0, false);
	sim_compute_set_health(h0, SIM_UP, 0);
	cloud_settle(c);
	assert_int_equal(vouch(c, h0).code, ERR_STATE); /* it answers */
	assert_int_equal(ask(c, h0).code, ERR_STATE);
	assert_int_equal(cloud_guest(c, id).boots, 1);
}
TEST_STORY(silence_proves_nothing, 2)

/* The fence command fails; an operator's confirmation serves as proof, too. */
static void command_fails(struct cloud *c)
{
	struct str h0 = STR("h0");
	uuid id = launch_on(c, h0);
	set_device(c, h0, 30);
	sim_compute_break_fence(h0, true);
	sim_compute_cut_off(h0, true);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_FAILED, .ended_us = 1);
	assert_true(cloud_has_condition(c, c->hosts[0], "FenceFailed"));
	assert_int_equal(evacuate(c, id, true).code, ERR_STATE);
	assert_true(cloud_guest(c, id).is_on);
	sim_compute_cut_power(h0);
	cloud_expect_at(c, vouch(c, h0), __FILE__, __LINE__);
	assert_int_equal(last_fence(c, h0).proof, FENCE_PROOF_WORD);
	assert_false(cloud_has_condition(c, c->hosts[0], "FenceFailed"));
	cloud_expect_at(c, evacuate(c, id, true), __FILE__, __LINE__);
	step_on(c, MINUTE);
	assert_true(cloud_guest(c, id).is_on);
	sim_compute_give_power(h0);
	step_on(c, 2 * MINUTE);
}
TEST_STORY(command_fails, 2)

/* The operator's confirmation was wrong: guests left on the host are stopped before anything else. */
static void word_was_wrong(struct cloud *c)
{
	struct str h0 = STR("h0");
	uuid id = launch_on(c, h0);
	sim_compute_cut_off(h0, true);
	assert_true(cloud_step_until(c, cloud_has_host_state, &(enum host_seen_state){HOST_SEEN_STATE_DOWN},
				     10 * MINUTE));
	cloud_expect_at(c, vouch(c, h0), __FILE__, __LINE__);
	cloud_expect_at(c, evacuate(c, id, true), __FILE__, __LINE__);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(sim_compute_count_doubles(), 1);
	sim_compute_cut_off(h0, false);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED, .ended_us = 1);
	assert_int_equal(sim_compute_count_doubles(), 0);
	assert_true(cloud_guest(c, id).is_on);
}
TEST_STORY(word_was_wrong, 2)

/* The host returns before it was fenced. In the same boot nothing changes; after a reboot its guests start
 * there. */
static void comes_back_before(struct cloud *c)
{
	struct str h0 = STR("h0");
	bool reboots = c->seed % 2;
	uuid id = launch_on(c, h0);
	set_device(c, h0, 30);
	sim_compute_break_fence(h0, true);
	sim_compute_cut_off(h0, true);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_ASKED);
	if (reboots)
		sim_compute_reboot(h0);
	sim_compute_cut_off(h0, false);
	AWAIT_STAGE(c, .stage = reboots ? FENCE_STAGE_CONFIRMED : FENCE_STAGE_FAILED, .ended_us = 1);
	assert_int_equal(last_fence(c, h0).proof, reboots ? FENCE_PROOF_BOOT : FENCE_PROOF_NONE);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).is_on);
	assert_int_equal(cloud_guest(c, id).boots, reboots ? 2 : 1);
	assert_false(cloud_has_condition(c, c->hosts[0], "Fencing"));
}
TEST_STORY(comes_back_before, 2)

/* Too many at once: it is rather us. */
static void too_many(struct cloud *c)
{
	struct str h0 = STR("h0"), h1 = STR("h1");
	set_device(c, h0, 30);
	set_device(c, h1, 30);
	sim_compute_cut_off(h0, true);
	sim_compute_cut_off(h1, true);
	step_on(c, 5 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_FENCE), 0);
	assert_true(cloud_has_condition(c, c->hosts[0], "FenceHeld"));
	assert_true(cloud_has_condition(c, c->hosts[1], "FenceHeld"));
	sim_compute_cut_off(h1, false);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED);
	assert_int_equal(cloud_count(c, KIND_FENCE), 1);
	sim_compute_give_power(h0);
	step_on(c, 2 * MINUTE);
	assert_false(cloud_has_condition(c, c->hosts[0], "FenceHeld"));
}
TEST_STORY(too_many, 3)

/* ---- automatic evacuation */

static void ends_with_its_host(struct cloud *c)
{
	struct str h0 = STR("h0");
	uuid id = launch_on(c, h0);
	sim_compute_cut_power(h0);
	assert_true(cloud_step_until(c, cloud_has_host_state, &(enum host_seen_state){HOST_SEEN_STATE_DOWN},
				     10 * MINUTE));
	cloud_terminate(c, id);
	step_on(c, MINUTE);
	assert_int_equal(cloud_state(c, id), INSTANCE_SHUTTING_DOWN);
	cloud_expect_at(c, vouch(c, h0), __FILE__, __LINE__);
	cloud_await(c, id, INSTANCE_TERMINATED);
	sim_compute_give_power(h0);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED, .ended_us = 1);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).exists);
}
TEST_STORY(ends_with_its_host, 2)

/* The instance had not been created on the host yet. */
static void was_not_there_yet(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.host = STR("h0");
	sim_compute_cut_power(STR("h0"));
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	assert_true(cloud_step_until(c, cloud_has_host_state, &(enum host_seen_state){HOST_SEEN_STATE_DOWN},
				     10 * MINUTE));
	cloud_expect_at(c, vouch(c, STR("h0")), __FILE__, __LINE__);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(str_equal(cloud_host_of(c, id), STR("h1")));
	sim_compute_give_power(STR("h0"));
	step_on(c, 2 * MINUTE);
}
TEST_STORY(was_not_there_yet, 2)

/* ---- disks that other hosts see */

static struct str pooled[] = {STR("gp3"), STR("gp2")};

static void add_pool(struct cloud *c)
{
	struct storage_pool_wish wish = {
		.name = STR("nfs"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/shared")};
	cloud_ok(c, NULL, engine_add_storage_pool, &wish);
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, wish.pool),
					      .more_types = {pooled, 2}};
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	cloud_settle(c);
}

static bool runs_elsewhere(struct cloud *c, const void *id)
{
	uuid instance = *(const uuid *) id;
	return !str_equal(cloud_host_of(c, instance), STR("h0")) && cloud_guest(c, instance).is_on;
}

/* Instances start elsewhere by themselves, with their data, except for one whose owner wants it to wait. The
 * process may be killed meanwhile. */
static void starts_elsewhere(struct cloud *c)
{
	struct str h0 = STR("h0");
	add_pool(c);
	uuid id = launch_on(c, h0), stays = launch_on(c, h0), off = launch_on(c, h0),
	     volume = cloud_volume_of(c, id);
	struct instance_settings waits = {.instance = cloud_ref(c, KIND_INSTANCE, stays),
					  .recovers = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_instance, &waits);
	cloud_stop(c, off);
	cloud_settle(c);
	sim_compute_write_disk(h0, volume, "token");
	set_device(c, h0, 30);
	sim_compute_cut_off(h0, true);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED);
	if (c->seed % 3 == 0) {
		cloud_kill(c);
		cloud_restart(c);
	}
	assert_true(cloud_step_until(c, runs_elsewhere, &id, MINUTE));
	assert_int_equal(sim_compute_count_doubles(), 0);
	assert_true(uuid_equal(cloud_volume_of(c, id), volume));
	assert_true(sim_compute_disk_has(cloud_host_of(c, id), volume, "token"));
	step_on(c, MINUTE);
	assert_false(str_equal(cloud_host_of(c, off), h0));
	assert_int_equal(cloud_state(c, off), INSTANCE_STOPPED);
	assert_true(str_equal(cloud_host_of(c, stays), h0));
	assert_true(cloud_has_condition(c, stays, WAITS_FOR_HOST));
	sim_compute_give_power(h0);
	step_on(c, 2 * MINUTE);
	AWAIT_STAGE(c, .stage = FENCE_STAGE_CONFIRMED, .ended_us = 1);
	cloud_settle(c);
	assert_true(sim_compute_disk_has(cloud_host_of(c, id), volume, "token"));
	assert_int_equal(cloud_guest(c, stays).boots, 2);
	cloud_start(c, off);
	cloud_await(c, off, INSTANCE_RUNNING);
	assert_int_equal(sim_compute_count_doubles(), 0);
}
TEST_STORY(starts_elsewhere, 3)

/* The host comes back at any moment of it. */
static void returns_in_the_midst(struct cloud *c)
{
	struct str h0 = STR("h0");
	add_pool(c);
	uuid id = launch_on(c, h0), second = launch_on(c, h0);
	sim_compute_cut_power(h0);
	while (vouch(c, h0).code == ERR_STATE)
		step_on(c, SECOND);
	for (uint64_t n = c->seed * 2; n && executor_step(c->executor, clock_now_us() + SECOND); n--)
		assert_int_equal(sim_compute_count_doubles(), 0);
	sim_compute_give_power(h0);
	step_on(c, 3 * MINUTE);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).is_on);
	assert_true(cloud_guest(c, second).is_on);
	assert_int_equal(sim_compute_count_doubles(), 0);
}
TEST_STORY(returns_in_the_midst, 3)

/* ---- in the midst of a move */

static struct ref other_ref(struct cloud *c, uuid id)
{
	return ref_of(str_equal(cloud_host_of(c, id), STR("h0")) ? STR("h1") : STR("h0"));
}

/* The source or the target host dies at some step of a migration. */
static void dies_on_the_way(struct cloud *c)
{
	uuid id = launch_on(c, STR("h0"));
	bool is_target = c->seed % 2;
	struct str dead = is_target ? STR("h1") : STR("h0");
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, id),
					  .host = other_ref(c, id)};
	if (c->seed % 3)
		sim_compute_break_migration(STR("h0"), (enum sim_break)(c->seed % SIM_BREAK_CRASH));
	cloud_ok(c, NULL, engine_migrate_instance, &wish);
	for (uint64_t n = c->seed * 3; n && executor_step(c->executor, clock_now_us() + SECOND); n--)
		;
	sim_compute_cut_power(dead);
	while (vouch(c, dead).code == ERR_STATE)
		step_on(c, SECOND);
	step_on(c, 2 * MINUTE);
	IGNORE(evacuate(c, id, true)); /* where it is on the one that is off */
	ctx_clear_problem(&c->c);
	step_on(c, 2 * MINUTE);
	assert_true(uuid_is_none(cloud_instance(c, id).target));
	assert_false(str_equal(cloud_host_of(c, id), dead));
	assert_true(cloud_guest(c, id).is_on);
	sim_compute_give_power(dead);
	step_on(c, 2 * MINUTE);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).is_on);
}
TEST_STORY(dies_on_the_way, 2)

/* ---- the pure plan */

static void test_plan(void **state)
{
	(void) state;
	const struct fence_plan_input dead = {.is_silent = true,
					      .is_chassis_stale = true,
					      .has_command = true,
					      .is_wanted = true,
					      .silent_us = 100 * SECOND,
					      .after_us = 60 * SECOND,
					      .now_us = 160 * SECOND,
					      .hosts = 5,
					      .lost = 1};
	struct fence_plan_input in[] = {dead, dead, dead, dead, dead, dead,
					dead, dead, dead, dead, dead, dead};
	static const enum fence_turn turns[] = {FENCE_TURN_ASK,  FENCE_TURN_NONE, FENCE_TURN_NONE,
						FENCE_TURN_NONE, FENCE_TURN_NONE, FENCE_TURN_NONE,
						FENCE_TURN_NONE, FENCE_TURN_NONE, FENCE_TURN_NONE,
						FENCE_TURN_HELD, FENCE_TURN_ASK,  FENCE_TURN_ASK};
	in[1].is_silent = false;
	in[2].is_chassis_stale = false;
	in[3].has_command = false;
	in[4].is_wanted = false;
	in[5].is_under_way = true;
	in[6].now_us--;
	in[7].after_us = 0;
	in[8].failed_us = 150 * SECOND;
	in[9].lost = 2;
	in[10].hosts = 10;
	in[10].lost = 2;
	in[11].failed_us = 99 * SECOND; /* from an earlier failure */
	for (size_t k = 0; k < sizeof in / sizeof *in; k++)
		assert_int_equal(fence_plan_turn(&in[k]), turns[k]);
	assert_int_equal(fence_plan_limit(1), 1);
	assert_int_equal(fence_plan_limit(9), 1);
	assert_int_equal(fence_plan_limit(11), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_dies_and_returns),
		cmocka_unit_test(test_silence_proves_nothing),
		cmocka_unit_test(test_command_fails),
		cmocka_unit_test(test_word_was_wrong),
		cmocka_unit_test(test_comes_back_before),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_ends_with_its_host),
		cmocka_unit_test(test_was_not_there_yet),
		cmocka_unit_test(test_starts_elsewhere),
		cmocka_unit_test(test_returns_in_the_midst),
		cmocka_unit_test(test_dies_on_the_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
