/* SPDX-License-Identifier: Apache-2.0
 * The work queue with artificial steps: how often subjects are queued, on which lane, and when failed work
 * is retried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "reconcile/work.h"

#define START_US (INT64_C(1800000000) * SECOND)

/* ---- steps of the test's making ---- */

enum { STEPS_MAX = 64 };

static struct bench {
	struct reconciler *r;
	struct actor *other;  /* another lane */
	struct rec_host host; /* on it */
	struct step_end end;  /* result of every step */
	bool reports;         /* the step leaves its end to the test */
	void (*during)(struct work *w);
	size_t count;
	int64_t at_us[STEPS_MAX];
	struct lane lanes[STEPS_MAX];
	struct work *work;
} bench;

static const uuid ID = {{1, 2, 3, 4, 5, 6, 7, 8}};

bool step_is_known(enum kind kind)
{
	return kind != KIND_ZONE;
}

void step_run(struct reconciler *r, struct work *w, struct lane lane)
{
	assert_true(bench.count < STEPS_MAX);
	bench.at_us[bench.count] = clock_now_us();
	bench.lanes[bench.count++] = lane;
	bench.work = w;
	if (bench.during)
		bench.during(w);
	if (bench.reports)
		work_wait_for_reports(r, w);
	else
		work_conclude(r, w, &bench.end);
}

static int setup(void **state)
{
	(void) state;
	clock_set_us(START_US);
	bench = (struct bench){.r = heap_new(struct reconciler)};
	assert_non_null(bench.r);
	bench.r->executor = executor_new_stepped(3);
	(void) pthread_mutex_init(&bench.r->work.lock, NULL);
	bench.r->home_actor = actor_new(bench.r->executor, "home");
	bench.r->network_actor = actor_new(bench.r->executor, "network");
	bench.other = actor_new(bench.r->executor, "other");
	bench.host = (struct rec_host){.lane = {bench.other, &bench.host}, .reconciler = bench.r};
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	fault_disarm();
	actor_free(bench.r->home_actor);
	actor_free(bench.r->network_actor);
	actor_free(bench.other);
	work_free_all(bench.r);
	executor_free(bench.r->executor);
	(void) pthread_mutex_destroy(&bench.r->work.lock);
	heap_free(bench.r);
	clock_set_us(0);
	return 0;
}

static void wake(void)
{
	work_wake(bench.r, lane_network(bench.r), KIND_PORT, ID, WAKE_WISH);
}

static void bring_news(void)
{
	work_wake(bench.r, lane_network(bench.r), KIND_PORT, ID, WAKE_NEWS);
}

static void run_for(int64_t us)
{
	int64_t until_us = clock_now_us() + us;
	while (executor_step(bench.r->executor, until_us + 1))
		;
	clock_set_us(until_us);
}

static size_t waiting(void)
{
	return bench.r->work.count;
}

/* ---- fetching ---- */

static void make_fetch_lanes(void)
{
	bench.reports = true; /* all last as long as the test likes */
	for (size_t k = 0; k < LONG_LANES; k++)
		bench.r->fetch_actors[k] = actor_new(bench.r->executor, "fetches");
}

static void free_fetch_lanes(void)
{
	for (size_t k = 0; k < LONG_LANES; k++)
		actor_free(bench.r->fetch_actors[k]);
}

static void fetch(uint8_t account, uint8_t id)
{
	work_wake(bench.r, lane_fetches((uuid){{account}}), KIND_IMPORT_SNAPSHOT_TASK, (uuid){{account, id}},
		  WAKE_WISH);
}

static size_t count_fetches(void)
{
	size_t count = 0;
	for (size_t k = 0; k < FETCH_LANES; k++)
		for (const struct work *w = bench.r->work.fetches[k]; w; w = w->next_fetch)
			count++;
	return count;
}

static void test_fetches_beside_each_other(void **state)
{
	(void) state;
	make_fetch_lanes();
	for (uint8_t k = 1; k <= 8; k++)
		for (int times = 0; times < 2; times++)
			fetch(k, k);
	run_for(SECOND);
	assert_int_equal(bench.count, 8);
	for (size_t k = 0; k < 8; k++)
		for (size_t j = 0; j < k; j++)
			assert_ptr_not_equal(bench.lanes[k].actor, bench.lanes[j].actor);
	work_conclude(bench.r, bench.work, &bench.end); /* the next one may have its lane */
	assert_int_equal(count_fetches(), 7);
	free_fetch_lanes();
}

/* Count of lanes with the account's fetches. Fails the test if an account shares a lane with another. */
static size_t count_lanes_of(uint8_t account)
{
	uuid whose = {{account}};
	size_t count = 0;
	for (size_t k = 0; k < FETCH_LANES; k++) {
		const struct work *first = bench.r->work.fetches[k];
		bool is_own = first && uuid_equal(first->fetch_account, whose);
		for (const struct work *w = first; w; w = w->next_fetch)
			assert_int_equal(uuid_equal(w->fetch_account, whose), is_own);
		count += is_own;
	}
	return count;
}

/* More than its share wait behind its own, however many lanes are free; others' do not. */
static void test_fetches_of_one_account(void **state)
{
	(void) state;
	enum { OTHERS = FETCH_LANES / FETCH_SHARE - 1 };
	make_fetch_lanes();
	for (uint8_t k = 0; k < 5 * FETCH_SHARE; k++)
		fetch(1, k);
	assert_int_equal(count_lanes_of(1), FETCH_SHARE);
	for (uint8_t k = 0; k < OTHERS; k++) /* as bent as that one, each on their own */
		for (uint8_t n = 0; n < 5 * FETCH_SHARE; n++)
			fetch((uint8_t) (2 + k), n);
	for (uint8_t k = 0; k <= OTHERS; k++)
		assert_int_equal(count_lanes_of((uint8_t) (1 + k)), FETCH_SHARE);
	assert_int_equal(count_fetches(), 5 * FETCH_LANES);
	free_fetch_lanes();
}

/* A finished fetch makes room for its account's next one. */
static void test_fetches_in_turn(void **state)
{
	(void) state;
	make_fetch_lanes();
	for (uint8_t k = 0; k < 2 * FETCH_SHARE; k++)
		fetch(1, k);
	bench.reports = false;
	run_for(SECOND);
	assert_int_equal(bench.count, 2 * FETCH_SHARE);
	assert_int_equal(count_fetches(), 0);
	assert_int_equal(waiting(), 0);
	free_fetch_lanes();
}

static size_t count_playbook_lanes(void)
{
	size_t count = 0;
	for (size_t k = FETCH_LANES; k < LONG_LANES; k++)
		count += bench.r->work.fetches[k] != NULL;
	return count;
}

/* Playbooks use lanes behind those of fetches, an account its share of them; neither waits for the other. */
static void test_playbooks_of_one_account(void **state)
{
	(void) state;
	make_fetch_lanes();
	for (uint8_t k = 0; k < 3 * PLAYBOOK_SHARE; k++)
		work_wake(bench.r, lane_playbooks((uuid){{1}}), KIND_POLICY_FINDING, (uuid){{1, k}},
			  WAKE_WISH);
	assert_int_equal(count_fetches(), 0);
	assert_int_equal(count_playbook_lanes(), PLAYBOOK_SHARE);
	work_wake(bench.r, lane_playbooks((uuid){{2}}), KIND_POLICY_FINDING, (uuid){{2, 1}}, WAKE_WISH);
	assert_int_equal(count_playbook_lanes(), PLAYBOOK_SHARE + 1);
	fetch(1, 200);
	assert_int_equal(count_lanes_of(1), 1);
	free_fetch_lanes();
}

/* ---- waking ---- */

static void test_coalesces(void **state)
{
	(void) state;
	for (int k = 0; k < 5; k++)
		wake();
	work_wake(bench.r, lane_network(bench.r), KIND_ZONE, ID, WAKE_WISH); /* belongs to no account */
	assert_int_equal(waiting(), 1);
	run_for(HOUR);
	assert_int_equal(bench.count, 1);
	assert_int_equal(waiting(), 0);
	work_wake(bench.r, lane_network(bench.r), KIND_ROUTER, ID,
		  WAKE_WISH); /* the same id, another thing */
	wake();
	run_for(HOUR);
	assert_int_equal(bench.count, 3);
}

static void wake_once(struct work *w)
{
	(void) w;
	if (bench.count == 1) {
		wake();
		wake();
	}
}

static void test_woken_while_it_runs(void **state)
{
	(void) state;
	bench.during = wake_once;
	wake();
	run_for(HOUR);
	assert_int_equal(bench.count, 2);
	assert_int_equal(waiting(), 0);
}

static void news_once(struct work *w)
{
	(void) w;
	if (bench.count == 1)
		bring_news();
}

static void test_news_while_it_runs(void **state)
{
	(void) state;
	bench.during = news_once;
	wake();
	run_for(HOUR);
	assert_int_equal(bench.count, 2);
}

/* Until what it saw is through, nothing of the resource runs. */
static void test_waits_for_its_reports(void **state)
{
	(void) state;
	bench.reports = true;
	wake();
	run_for(SECOND);
	assert_int_equal(bench.count, 1);
	wake();
	bring_news();
	run_for(HOUR);
	assert_int_equal(bench.count, 1);
	bench.reports = false;
	work_conclude(bench.r, bench.work, &bench.end);
	run_for(SECOND);
	assert_int_equal(bench.count, 2);
	assert_int_equal(waiting(), 0);
}

static void test_again_soon(void **state)
{
	(void) state;
	bench.end.again = AGAIN_SOON;
	wake();
	for (int k = 0; k < 5; k++)
		assert_true(executor_step(bench.r->executor, clock_now_us() + 1));
	assert_int_equal(bench.count, 5);
	assert_int_equal(clock_now_us(), START_US);
}

/* A subject that never settles is slowed down by pauses. */
static void test_streak(void **state)
{
	(void) state;
	bench.end.again = AGAIN_SOON;
	wake();
	run_for(MILLISECOND);
	assert_int_equal(bench.count, 33);
	run_for(SECOND - MILLISECOND - 1);
	assert_int_equal(bench.count, 33);
	bench.end.again = AGAIN_NO;
	run_for(SECOND);
	assert_int_equal(bench.count, 34);
	assert_int_equal(waiting(), 0);
}

/* ---- failing ---- */

static void test_backs_off(void **state)
{
	(void) state;
	bench.end.result = FAIL(IO);
	wake();
	run_for(MINUTE);
	int64_t delay_us = 50 * MILLISECOND;
	for (size_t k = 1; k < bench.count; k++) {
		assert_int_equal(bench.at_us[k] - bench.at_us[k - 1], delay_us);
		delay_us = delay_us * 2 < 10 * SECOND ? delay_us * 2 : 10 * SECOND;
	}
	assert_int_equal(delay_us, 10 * SECOND);
	assert_int_equal(bench.r->work.failing, 1);
	bench.end.result = OK;
	run_for(MINUTE);
	assert_int_equal(bench.r->work.failing, 0);
	assert_int_equal(waiting(), 0);
	bench.end.result = FAIL(IO); /* and from the shortest delay again */
	bench.count = 0;
	wake();
	run_for(60 * MILLISECOND);
	assert_int_equal(bench.count, 2);
}

/* A failing step's own doing may be the news; a wish is tried at once. */
static void test_news_of_a_failing_one(void **state)
{
	(void) state;
	bench.end.result = FAIL(IO);
	bench.during = news_once;
	wake();
	run_for(10 * MILLISECOND);
	assert_int_equal(bench.count, 1);
	bring_news();
	run_for(10 * MILLISECOND);
	assert_int_equal(bench.count, 1);
	wake();
	run_for(10 * MILLISECOND);
	assert_int_equal(bench.count, 2);
	run_for(40 * MILLISECOND); /* the first delay's timer counts still */
	assert_int_equal(bench.count, 3);
}

static void test_waits_for_its_host(void **state)
{
	(void) state;
	bench.end.result = FAIL(GONE);
	work_wake(bench.r, bench.host.lane, KIND_INSTANCE, ID, WAKE_WISH);
	run_for(HOUR);
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.r->work.failing, 1);
	bench.end.result = OK;
	work_wake(bench.r, bench.host.lane, KIND_INSTANCE, ID, WAKE_WISH);
	run_for(HOUR);
	assert_int_equal(bench.count, 2);
	assert_int_equal(waiting(), 0);
}

/* ---- reported times ---- */

static struct reconcile_next read_next(enum kind kind)
{
	struct reconcile_next next = {0};
	reconciler_read_next(bench.r, kind, ID, &next);
	return next;
}

static void test_says_when_it_is_next(void **state)
{
	(void) state;
	atomic_store(&bench.r->resync_due_us, START_US + HOUR);
	atomic_store(&bench.r->tick_due_us, START_US + MINUTE);
	assert_false(read_next(KIND_ZONE).has_steps);
	assert_int_equal(read_next(KIND_HOST).look_us, START_US + MINUTE);
	struct reconcile_next next = read_next(KIND_PORT); /* settled */
	assert_true(next.has_steps && !next.is_now && next.failures == 0 && next.due_us == 0);
	assert_int_equal(next.look_us, START_US + HOUR);
	bench.end.result = FAIL(IO);
	wake();
	assert_true(read_next(KIND_PORT).is_now);
	run_for(0);
	next = read_next(KIND_PORT);
	assert_false(next.is_now);
	assert_int_equal(next.failures, 1);
	assert_int_equal(next.due_us, START_US + 50 * MILLISECOND);
}

static void test_says_that_it_waits_for_its_host(void **state)
{
	(void) state;
	bench.end.result = FAIL(GONE);
	work_wake(bench.r, bench.host.lane, KIND_INSTANCE, ID, WAKE_WISH);
	run_for(0);
	struct reconcile_next next = read_next(KIND_INSTANCE);
	assert_true(!next.is_now && next.failures == 1 && next.due_us == 0);
}

/* ---- timers ---- */

static void look_later(int64_t us)
{
	bench.end = (struct step_end){.again = AGAIN_LATER, .due_us = clock_now_us() + us};
	wake();
	run_for(0);
	bench.end = (struct step_end){0};
}

static void test_looks_later(void **state)
{
	(void) state;
	look_later(MINUTE);
	assert_int_equal(waiting(), 1);
	run_for(MINUTE - 1);
	assert_int_equal(bench.count, 1);
	run_for(1);
	assert_int_equal(bench.count, 2);
	assert_int_equal(waiting(), 0);
}

/* The earliest of several times is used, and superseded timers do not accumulate. */
static void test_timers_supersede(void **state)
{
	(void) state;
	for (int k = 0; k < 10; k++)
		look_later(HOUR + k * SECOND);
	assert_int_equal(actor_queued_count(bench.r->home_actor), 1);
	look_later(MINUTE);
	assert_int_equal(actor_queued_count(bench.r->home_actor), 2);
	bench.count = 0;
	run_for(MINUTE);
	assert_int_equal(bench.count, 1);
	assert_int_equal(waiting(), 0);
	run_for(2 * HOUR); /* the one that was superseded finds nothing to do */
	assert_int_equal(bench.count, 1);
}

static void test_success_needs_no_retry(void **state)
{
	(void) state;
	bench.end.result = FAIL(IO);
	wake();
	run_for(0);
	bench.end.result = OK;
	wake();
	run_for(0);
	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.r->work.failing, 0);
	assert_int_equal(waiting(), 0);
	run_for(HOUR);
	assert_int_equal(bench.count, 2);
}

/* Finished work is not counted as waiting, even if an earlier step asked for a later look. */
static void test_done_before_its_time(void **state)
{
	(void) state;
	look_later(MINUTE);
	assert_int_equal(waiting(), 1);
	bring_news();
	run_for(0);
	assert_int_equal(bench.count, 2);
	assert_int_equal(waiting(), 0);
	run_for(HOUR);
	assert_int_equal(bench.count, 2);
}

/* ---- lanes ---- */

static void move_once(struct work *w)
{
	(void) w;
	if (bench.count == 1)
		work_wake(bench.r, bench.host.lane, KIND_INSTANCE, ID, WAKE_WISH);
}

/* Placed on a host while its step runs at home. */
static void test_moves_to_a_host(void **state)
{
	(void) state;
	bench.during = move_once;
	work_wake(bench.r, lane_home(bench.r), KIND_INSTANCE, ID, WAKE_WISH);
	run_for(SECOND);
	assert_int_equal(bench.count, 2);
	assert_ptr_equal(bench.lanes[0].actor, bench.r->home_actor);
	assert_ptr_equal(bench.lanes[1].actor, bench.other);
	assert_ptr_equal(bench.lanes[1].host, &bench.host);
}

/* Moved while it is still queued on the home lane: it runs on the host's lane only. */
static void test_moves_while_queued(void **state)
{
	(void) state;
	work_wake(bench.r, lane_home(bench.r), KIND_INSTANCE, ID, WAKE_WISH);
	work_wake(bench.r, bench.host.lane, KIND_INSTANCE, ID, WAKE_WISH);
	run_for(SECOND);
	assert_int_equal(bench.count, 1);
	assert_ptr_equal(bench.lanes[0].actor, bench.other);
}

/* ---- the end, and short memory ---- */

static void test_stop(void **state)
{
	(void) state;
	bench.reports = true;
	wake();
	run_for(0);
	work_stop(bench.r);
	wake();
	bring_news();
	work_conclude(bench.r, bench.work, &bench.end);
	work_wake(bench.r, lane_network(bench.r), KIND_ROUTER, ID, WAKE_WISH);
	run_for(HOUR);
	assert_int_equal(bench.count, 1);
	assert_int_equal(actor_queued_count(bench.r->network_actor), 0);
}

static void test_short_memory(void **state)
{
	(void) state;
	assert_false(work_take_loss(bench.r));
	fault_arm(FAULT_ALLOC, 0, false);
	wake();
	assert_int_equal(waiting(), 0);
	assert_true(work_take_loss(bench.r));
	assert_false(work_take_loss(bench.r));
	bench.end.result = FAIL(IO);
	wake();
	fault_arm(FAULT_ALLOC, 0, false); /* no timer for the retry */
	run_for(0);
	assert_true(work_take_loss(bench.r));
	wake();
	run_for(SECOND);
	assert_true(bench.count > 3);
}

/* An account's images keep to its share of the lanes, each to one of them; the next account has others. */
static void test_images_of_one_account(void **state)
{
	struct reconciler *r = bench.r;
	bool is_used[2][IMAGE_LANES] = {0};
	size_t of_one = 0, shared = 0;
	(void) state;
	for (size_t k = 0; k < IMAGE_LANES; k++)
		r->image_actors[k] = (struct actor *) (void *) &is_used[0][k]; /* never called */
	for (size_t k = 0; k < 1000; k++)
		for (uint8_t n = 0; n < 2; n++) {
			uuid image = {{[14] = (uint8_t) (k >> 8), [15] = (uint8_t) k}};
			const uuid account = {{[15] = n}};
			struct actor *actor = lane_images(r, account, image).actor;
			assert_ptr_equal(actor, lane_images(r, account, image).actor);
			is_used[n][(bool *) (void *) actor - is_used[0]] = true;
		}
	for (size_t k = 0; k < IMAGE_LANES; k++) {
		of_one += is_used[0][k];
		shared += is_used[0][k] && is_used[1][k];
		r->image_actors[k] = NULL;
	}
	assert_int_equal(of_one, IMAGE_SHARE);
	assert_int_equal(shared, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fetches_beside_each_other),
		TEST(fetches_of_one_account),
		TEST(fetches_in_turn),
		TEST(playbooks_of_one_account),
		TEST(images_of_one_account),
		TEST(coalesces),
		TEST(woken_while_it_runs),
		TEST(news_while_it_runs),
		TEST(waits_for_its_reports),
		TEST(again_soon),
		TEST(streak),
		TEST(backs_off),
		TEST(news_of_a_failing_one),
		TEST(waits_for_its_host),
		TEST(says_when_it_is_next),
		TEST(says_that_it_waits_for_its_host),
		TEST(looks_later),
		TEST(timers_supersede),
		TEST(success_needs_no_retry),
		TEST(done_before_its_time),
		TEST(moves_to_a_host),
		TEST(moves_while_queued),
		TEST(stop),
		TEST(short_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
