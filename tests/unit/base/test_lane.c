/* SPDX-License-Identifier: Apache-2.0
 * Lanes: limits, and the end. */
#include "test_base.h"

#include <semaphore.h>
#include <time.h>

#include "base/lane.h"

enum { WAITING_MAX = 20, WAITING_OF_ONE = 3 };

static struct executor *executor; /* stepped */

static struct lane *lane_of(struct ctx *c)
{
	struct lane *l = NULL;
	const struct lane_config config = {executor, "lane", 2, WAITING_MAX, WAITING_OF_ONE};
	assert_ok(lane_new(c, &config, &l));
	return l;
}

struct asked {
	struct work_item work;
	int runs, ends;
	struct result result;
};

static RESULT count_run(struct work_item *w)
{
	((struct asked *) (void *) w)->runs++;
	return OK;
}

static void count_end(struct work_item *w, struct result result)
{
	struct asked *a = (struct asked *) (void *) w;
	a->ends++;
	a->result = result;
}

static void ask_as(struct lane *l, struct ctx *c, struct lane_asker asker, struct asked *a)
{
	*a = (struct asked){.work = {.ctx = c, .run = count_run, .done = count_end}};
	lane_work(l, asker, "Too often.", &a->work);
}

static void ask(struct lane *l, struct ctx *c, uuid asker, struct asked *a)
{
	ask_as(l, c, (struct lane_asker){.id = asker}, a);
}

/* The last places are an administrator's, whose share holds as well. */
static void test_reserve(void **state)
{
	struct ctx *c = *state;
	AUTO(lane) l = NULL;
	struct asked asked[5];
	const struct lane_asker boss = {uuid_random(), true};
	const struct lane_config config = {executor, "lane", 1, 4, 2, 2};
	assert_ok(lane_new(c, &config, &l));
	for (int k = 0; k < 3; k++)
		ask(l, c, uuid_random(), &asked[k]);
	assert_int_equal(asked[1].ends, 0);
	assert_int_equal(asked[2].result.code, ERR_THROTTLED);
	ask_as(l, c, boss, &asked[3]);
	ask_as(l, c, boss, &asked[4]);
	assert_int_equal(asked[3].ends + asked[4].ends, 0);
	ask_as(l, c, boss, &asked[2]);
	assert_int_equal(asked[2].result.code, ERR_THROTTLED);
	while (executor_step(executor, INT64_MAX))
		continue;
}

/* Requests over the limits are refused at once. The others run, and afterwards their places are free
 * again. */
static void test_work(void **state)
{
	struct ctx *c = *state;
	AUTO(lane) l = lane_of(c);
	struct asked *asked = arena_new_array(c->arena, struct asked, WAITING_MAX + 2);
	for (int round = 0; round < 2; round++) {
		uuid ann = uuid_random();
		for (int k = 0; k < WAITING_MAX + 2; k++)
			ask(l, c, k <= WAITING_OF_ONE ? ann : uuid_random(), &asked[k]);
		for (int k = 0; k < WAITING_MAX + 2; k++) {
			bool is_over = k == WAITING_OF_ONE || k == WAITING_MAX + 1;
			assert_int_equal(asked[k].ends, is_over);
			assert_int_equal(asked[k].result.code, is_over ? ERR_THROTTLED : ERR_NONE);
		}
		while (executor_step(executor, INT64_MAX))
			continue;
		for (int k = 0; k < WAITING_MAX + 2; k++) {
			assert_int_equal(asked[k].runs, k != WAITING_OF_ONE && k != WAITING_MAX + 1);
			assert_int_equal(asked[k].ends, 1);
		}
	}
}

static void test_end_with_work(void **state)
{
	struct ctx *c = *state;
	struct lane *l = lane_of(c);
	struct asked asked;
	ask(l, c, uuid_random(), &asked);
	assert_int_equal(asked.ends, 0);
	lane_free(l);
	assert_int_equal(asked.ends, 1);
	assert_int_equal(asked.runs, 0);
	assert_int_equal(asked.result.code, ERR_GONE);
}

static sem_t gate, passed;

static RESULT wait_at_gate(struct work_item *w)
{
	(void) w;
	(void) sem_wait(&gate);
	return OK;
}

static void note_passed(struct work_item *w, struct result result)
{
	(void) w, (void) result;
	(void) sem_post(&passed);
}

/* Work that comes while one thread is busy for long goes to the other. */
static void test_long_work(void **state)
{
	struct ctx *c = *state;
	struct executor *threads = executor_new_threads();
	struct lane *l = NULL;
	const struct lane_config config = {threads, "lane", 2, WAITING_MAX, WAITING_MAX, 0};
	struct asked held, quick;
	const struct timespec late = {.tv_sec = time(NULL) + 30};
	int count = 0;
	assert_ok(lane_new(c, &config, &l));
	held.work = (struct work_item){.ctx = c, .run = wait_at_gate, .done = count_end};
	lane_work(l, (struct lane_asker){.id = uuid_random()}, "Too often.", &held.work);
	for (; count < 4; count++) {
		quick.work = (struct work_item){.ctx = c, .run = count_run, .done = note_passed};
		lane_work(l, (struct lane_asker){.id = uuid_random()}, "Too often.", &quick.work);
		if (sem_timedwait(&passed, &late) != 0)
			break;
	}
	(void) sem_post(&gate);
	lane_free(l);
	executor_free(threads);
	assert_int_equal(count, 4);
}

/* Work of one asker that lasts, and waits, leaves the other threads to others. */
static void test_threads_of_one(void **state)
{
	enum { THREADS = 4, OF_ONE = 2, LONG = 8 };
	struct ctx *c = *state;
	struct executor *threads = executor_new_threads();
	struct lane *l = NULL;
	const struct lane_config config = {.executor = threads,
					   .name = "lane",
					   .threads = THREADS,
					   .waiting_max = WAITING_MAX,
					   .waiting_of_one = WAITING_MAX,
					   .threads_of_one = OF_ONE};
	const struct lane_asker busy = {.id = uuid_random()};
	const struct timespec late = {.tv_sec = time(NULL) + 30};
	struct asked held[LONG], quick;
	int count = 0;
	assert_ok(lane_new(c, &config, &l));
	for (int k = 0; k < LONG; k++) {
		held[k].work = (struct work_item){.ctx = c, .run = wait_at_gate, .done = count_end};
		lane_work(l, busy, "Too often.", &held[k].work);
	}
	for (; count < 4; count++) {
		quick.work = (struct work_item){.ctx = c, .run = count_run, .done = note_passed};
		lane_work(l, (struct lane_asker){.id = uuid_random()}, "Too often.", &quick.work);
		if (sem_timedwait(&passed, &late) != 0)
			break;
	}
	for (int k = 0; k < LONG; k++)
		(void) sem_post(&gate);
	lane_free(l);
	executor_free(threads);
	assert_int_equal(count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_work), ctx_test(test_reserve),
					   ctx_test(test_end_with_work), ctx_test(test_long_work),
					   ctx_test(test_threads_of_one)};
	executor = executor_new_stepped(1);
	(void) sem_init(&gate, 0, 0);
	(void) sem_init(&passed, 0, 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	executor_free(executor);
	return failed;
}
