/* SPDX-License-Identifier: Apache-2.0
 * Hosts that die, hang or are cut off: what proves that one is off, what leaves it then, and what becomes of it
 * when it is back. Nothing ever runs twice. */
#include "../cloud/cloud.h"
#include "engine/instance/instance_evacuate.h"
#include "engine/region/fence.h"
#include "engine/region/fence_plan.h"
#include "model/states.h"
#include "store/fence.h"
#include "store/host.h"

enum { SEEDS = 20 };

static struct ref ref_of(struct str host)
{
	return (struct ref){.kind = KIND_HOST, .text = host};
}

static void set_device(struct cloud *c, struct str host, int64_t after_s)
{
	struct fence_device_wish wish = {
		.host = ref_of(host), .command = STR("/usr/sbin/fence_simulated"), .after_s = after_s};
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
	struct instance_evacuation wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance), .rebuilds = rebuilds};
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
	return !uuid_is_none(f.row.id) && f.stage == wanted->stage && (f.ended_us != 0) == (wanted->ended_us != 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dies_and_returns),
	};
	(void) vouch;
	(void) ask;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
