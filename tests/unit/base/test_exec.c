/* SPDX-License-Identifier: Apache-2.0
 * Executors and actors: order, time, dropping, in threads and stepped. */
#include "test_base.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/exec.h"
#include "base/random.h"

enum { MANY = 100000 };

struct note {
	struct job job; /* first: the job is the note */
	int number;
	struct actor *again_on; /* posted there when it runs */
	int again_count;
	int64_t again_us;
};

static int ran[MANY], ran_count, dropped_count;
static int64_t ran_at_us[64];

static void note_run(struct job *job)
{
	struct note *note = (struct note *) job;
	if (ran_count < 64)
		ran_at_us[ran_count] = clock_now_us();
	ran[ran_count++] = note->number;
	if (note->again_on && note->again_count-- > 0) {
		if (note->again_us)
			actor_post_at(note->again_on, job, clock_now_us() + note->again_us);
		else
			actor_post(note->again_on, job);
	}
}

static void note_drop(struct job *job)
{
	(void) job;
	dropped_count++;
}

static struct note note_of(int number)
{
	return (struct note){.job = {.run = note_run, .drop = note_drop}, .number = number};
}

static int setup(void **state)
{
	(void) state;
	ran_count = dropped_count = 0;
	clock_set_us(1000 * SECOND);
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	fault_disarm();
	clock_set_us(0);
	return 0;
}
#define exec_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void step_all(struct executor *ex)
{
	while (executor_step(ex, INT64_MAX))
		continue;
}

static void test_stepped_keeps_order(void **state)
{
	(void) state;
	struct executor *ex = executor_new_stepped(1);
	struct actor *a = actor_new(ex, "a");
	struct note notes[10];
	for (int k = 0; k < 10; k++) {
		notes[k] = note_of(k);
		actor_post(a, &notes[k].job);
	}
	assert_int_equal(actor_queued_count(a), 10);
	step_all(ex);
	assert_int_equal(ran_count, 10);
	for (int k = 0; k < 10; k++)
		assert_int_equal(ran[k], k);
	assert_int_equal(actor_queued_count(a), 0);
	assert_true(clock_now_us() == 1000 * SECOND);
	actor_free(a);
	executor_free(ex);
}

static void test_stepped_moves_the_clock(void **state)
{
	(void) state;
	struct executor *ex = executor_new_stepped(1);
	struct actor *a = actor_new(ex, "a");
	struct note late = note_of(3), soon = note_of(2), now = note_of(1), past = note_of(0),
		    same = note_of(4);
	actor_post_at(a, &late.job, 1060 * SECOND);
	actor_post_at(a, &soon.job, 1010 * SECOND);
	actor_post_at(a, &same.job, 1060 * SECOND);
	actor_post(a, &now.job);
	actor_post_at(a, &past.job, 5);
	assert_true(executor_step(ex, 1000 * SECOND)); /* due jobs run regardless of the limit */
	assert_true(executor_step(ex, 1000 * SECOND));
	assert_false(executor_step(ex, 1010 * SECOND)); /* before it, not at it */
	assert_true(clock_now_us() == 1000 * SECOND);
	assert_true(executor_step(ex, 1010 * SECOND + 1));
	assert_true(clock_now_us() == 1010 * SECOND);
	step_all(ex);
	assert_true(clock_now_us() == 1060 * SECOND);
	static const int expected[] = {0, 1, 2, 3, 4};
	assert_int_equal(ran_count, 5);
	assert_memory_equal(ran, expected, sizeof expected);
	assert_false(executor_step(ex, INT64_MAX));
	actor_free(a);
	executor_free(ex);
}

static void test_timer_that_came_due_is_not_starved(void **state)
{
	(void) state;
	struct executor *ex = executor_new_stepped(1);
	struct actor *a = actor_new(ex, "a");
	struct note busy = note_of(7), timer = note_of(8);
	busy.again_on = a;
	busy.again_count = 50;
	actor_post(a, &busy.job);
	actor_post_at(a, &timer.job, 1000 * SECOND + 5);
	for (int k = 0; k < 20; k++) {
		assert_true(executor_step(ex, INT64_MAX));
		clock_advance_us(1);
	}
	assert_int_equal(ran[6], 8); /* in its place among the posts, by time */
	step_all(ex);
	actor_free(a);
	executor_free(ex);
}

static void test_repost_from_the_job(void **state)
{
	(void) state;
	struct executor *ex = executor_new_stepped(1);
	struct actor *a = actor_new(ex, "a");
	struct note note = note_of(1);
	note.again_on = a;
	note.again_count = 4;
	note.again_us = MINUTE;
	actor_post(a, &note.job);
	step_all(ex);
	assert_int_equal(ran_count, 5);
	for (int k = 0; k < 5; k++)
		assert_true(ran_at_us[k] == 1000 * SECOND + k * MINUTE);
	actor_free(a);
	executor_free(ex);
}

/* The order in which 4 actors' 5 jobs each run under a seed. */
static void run_four_actors(uint64_t seed, int order[20])
{
	struct executor *ex = executor_new_stepped(seed);
	struct actor *actors[4];
	struct note notes[20];
	ran_count = 0;
	for (int k = 0; k < 4; k++)
		actors[k] = actor_new(ex, "x");
	for (int k = 0; k < 20; k++) {
		notes[k] = note_of(k);
		actor_post(actors[k % 4], &notes[k].job);
	}
	step_all(ex);
	assert_int_equal(ran_count, 20);
	memcpy(order, ran, 20 * sizeof order[0]);
	for (int k = 0; k < 4; k++)
		actor_free(actors[k]);
	executor_free(ex);
}

static void test_seed_decides_and_repeats(void **state)
{
	(void) state;
	int first[20], again[20], other[20], differ = 0;
	bool each_first[4] = {false};
	run_four_actors(5, first);
	run_four_actors(5, again);
	assert_memory_equal(first, again, sizeof first);
	for (uint64_t seed = 0; seed < 50; seed++) {
		int last_of[4] = {-1, -1, -1, -1};
		run_four_actors(seed, other);
		differ += memcmp(first, other, sizeof first) != 0;
		each_first[other[0] % 4] = true;
		for (int k = 0; k < 20; k++) { /* within an actor: as posted */
			assert_true(other[k] > last_of[other[k] % 4]);
			last_of[other[k] % 4] = other[k];
		}
	}
	assert_true(differ >= 48);
	assert_true(each_first[0] && each_first[1] && each_first[2] && each_first[3]);
}

static void test_free_drops_the_rest(void **state)
{
	(void) state;
	struct executor *ex = executor_new_stepped(1);
	struct actor *a = actor_new(ex, "a");
	struct note notes[4];
	for (int k = 0; k < 4; k++) {
		notes[k] = note_of(k);
		if (k % 2)
			actor_post(a, &notes[k].job);
		else
			actor_post_at(a, &notes[k].job, 2000 * SECOND);
	}
	notes[3].job.drop = NULL;
	assert_true(executor_step(ex, INT64_MAX));
	actor_free(a);
	assert_int_equal(ran_count, 1);
	assert_int_equal(dropped_count, 2);
	actor_free(NULL);
	executor_free(ex);
	executor_free(NULL);
}

static int compare_due(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
	return (x > y) - (x < y);
}

static int64_t process_us(void)
{
	struct timespec used;
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
	return used.tv_sec * SECOND + used.tv_nsec / 1000;
}

/* shape: 0 rising, 1 falling, 2 random with ties. */
static void run_many_timers(int shape)
{
	static struct note notes[MANY];
	static int64_t due[MANY], sorted[MANY];
	struct executor *ex = executor_new_stepped(1);
	struct actor *a = actor_new(ex, "a");
	ran_count = 0;
	clock_set_us(1);
	for (int k = 0; k < MANY; k++) {
		notes[k] = note_of(k);
		due[k] = shape == 0   ? 10 + k
			 : shape == 1 ? 10 + MANY - k
				      : 10 + (int64_t) random_below(MANY / 2);
		sorted[k] = due[k];
		actor_post_at(a, &notes[k].job, due[k]);
	}
	qsort(sorted, MANY, sizeof sorted[0], compare_due);
	step_all(ex);
	assert_int_equal(ran_count, MANY);
	for (int k = 0; k < MANY; k++) {
		assert_true(due[ran[k]] == sorted[k]);
		if (k && due[ran[k]] == due[ran[k - 1]])
			assert_true(ran[k] > ran[k - 1]); /* ties: as posted */
	}
	actor_free(a);
	executor_free(ex);
}

static void test_hundred_thousand_timers(void **state)
{
	(void) state;
	random_set_seed(3);
	int64_t before_us = process_us();
	for (int shape = 0; shape < 3; shape++)
		run_many_timers(shape);
	assert_true(process_us() - before_us < 20 * SECOND); /* a quadratic queue takes minutes */
	random_set_seed(0);
}

static void test_out_of_memory(void **state)
{
	(void) state;
	fault_arm(FAULT_ALLOC, 0, true);
	assert_null(executor_new_threads());
	assert_null(executor_new_stepped(1));
	fault_disarm();
	struct executor *ex = executor_new_threads();
	fault_arm(FAULT_ALLOC, 0, true);
	assert_null(actor_new(ex, "a"));
	struct note note = note_of(1);
	fault_disarm();
	struct actor *a = actor_new(ex, "a");
	fault_arm(FAULT_ALLOC, 0, true); /* posting and running need no memory */
	actor_post(a, &note.job);
	actor_free(a);
	assert_false(fault_has_fired());
	executor_free(ex);
}

/* Counts with a latch that the test can wait on. */
struct counter {
	struct job job;
	atomic_int *sum;
	struct actor *actor;
	pthread_t expected_thread;
	int left;
};

static void counter_run(struct job *job)
{
	struct counter *c = (struct counter *) job;
	(void) atomic_fetch_add(c->sum, 1);
	if (c->left-- > 0)
		actor_post(c->actor, job);
}

/* Ten minutes of looks bound a hang; they decide nothing else. */
static bool wait_for(atomic_int *value, int expected)
{
	for (int k = 0; k < 600000 && atomic_load(value) != expected; k++) {
		struct timespec pause = {.tv_nsec = 1000000};
		(void) nanosleep(&pause, NULL);
	}
	return atomic_load(value) == expected;
}

struct poster {
	struct actor *actors[3];
	struct counter counters[300];
	atomic_int sum;
};

static void *post_all(void *data)
{
	struct poster *p = data;
	for (size_t k = 0; k < 300; k++) {
		struct counter *c = &p->counters[k];
		*c = (struct counter){.job = {.run = counter_run}, .sum = &p->sum, .actor = p->actors[k % 3]};
		c->left = 2;
		if (k % 5)
			actor_post(c->actor, &c->job);
		else
			actor_post_at(c->actor, &c->job, clock_now_us() + (int64_t) k);
	}
	return NULL;
}

static void test_threads_many_posters(void **state)
{
	(void) state;
	clock_set_us(0);
	static struct poster posters[4];
	struct executor *ex = executor_new_threads();
	struct actor *actors[3];
	pthread_t threads[4];
	for (int k = 0; k < 3; k++)
		actors[k] = actor_new(ex, "a name longer than the kernel takes");
	for (size_t k = 0; k < 4; k++) {
		memcpy(posters[k].actors, actors, sizeof actors);
		atomic_store(&posters[k].sum, 0);
		assert_int_equal(pthread_create(&threads[k], NULL, post_all, &posters[k]), 0);
	}
	for (size_t k = 0; k < 4; k++)
		assert_int_equal(pthread_join(threads[k], NULL), 0);
	for (size_t k = 0; k < 4; k++)
		assert_true(wait_for(&posters[k].sum, 900));
	for (int k = 0; k < 3; k++)
		actor_free(actors[k]);
	executor_free(ex);
}

struct serial {
	struct job job;
	atomic_int *inside, *overlaps, *done;
	int number, *last;
};

static void serial_run(struct job *job)
{
	struct serial *s = (struct serial *) job;
	if (atomic_fetch_add(s->inside, 1) != 0)
		(void) atomic_fetch_add(s->overlaps, 1);
	if (*s->last >= s->number) /* not atomic: the actor is the lock */
		(void) atomic_fetch_add(s->overlaps, 1);
	*s->last = s->number;
	(void) atomic_fetch_sub(s->inside, 1);
	(void) atomic_fetch_add(s->done, 1);
}

static void check_serial(struct actor *(*make)(struct executor *ex, const char *name))
{
	clock_set_us(0);
	static struct serial jobs[5000];
	atomic_int inside = 0, overlaps = 0, finished = 0;
	int last = -1;
	struct executor *ex = executor_new_threads();
	struct actor *a = make(ex, "a");
	for (int k = 0; k < 5000; k++) {
		jobs[k] = (struct serial){{.run = serial_run}, &inside, &overlaps, &finished, k, &last};
		actor_post(a, &jobs[k].job);
	}
	assert_true(wait_for(&finished, 5000));
	assert_int_equal(atomic_load(&overlaps), 0);
	actor_free(a);
	executor_free(ex);
}

static void test_threads_serial_and_in_order(void **state)
{
	(void) state;
	check_serial(actor_new);
	check_serial(actor_new_pooled);
}

struct timed {
	struct job job;
	atomic_int *done;
	int64_t due_us, late_us;
};

static void timed_run(struct job *job)
{
	struct timed *t = (struct timed *) job;
	t->late_us = clock_now_us() - t->due_us;
	(void) atomic_fetch_add(t->done, 1);
}

static void test_threads_real_timers(void **state)
{
	(void) state;
	clock_set_us(0);
	atomic_int finished = 0;
	struct executor *ex = executor_new_threads();
	struct actor *a = actor_new(ex, "a");
	struct timed timers[3];
	struct timespec pause = {.tv_nsec = 20000000};
	struct note far = note_of(1);
	actor_post_at(a, &far.job, clock_now_us() + HOUR);
	(void) nanosleep(&pause, NULL); /* now its thread sleeps for an hour */
	int64_t now_us = clock_now_us();
	for (int k = 0; k < 3; k++) { /* the earlier ones posted later: the sleeper must be woken */
		timers[k] = (struct timed){
			{.run = timed_run}, &finished, now_us + (60 - 20 * k) * MILLISECOND, 0};
		actor_post_at(a, &timers[k].job, timers[k].due_us);
	}
	assert_true(wait_for(&finished, 3));
	for (int k = 0; k < 3; k++)
		assert_true(timers[k].late_us >=
			    -MILLISECOND); /* the two clocks are read one after the other */
	actor_free(a);
	executor_free(ex);
}

/* A timer posted before the wall clock is set back, one after it, and one whose time has come when the
 * clock is set forward. */
static void test_threads_clock_is_set(void **state)
{
	(void) state;
	clock_set_us(0);
	atomic_int finished = 0;
	struct executor *ex = executor_new_threads();
	struct actor *a = actor_new(ex, "a");
	struct timed before = {{.run = timed_run}, &finished, clock_now_us() + 40 * MILLISECOND, 0};
	actor_post_at(a, &before.job, before.due_us);
	clock_set_wall_us(-HOUR);
	struct timed after = {{.run = timed_run}, &finished, clock_now_us() + 40 * MILLISECOND, 0};
	actor_post_at(a, &after.job, after.due_us);
	assert_true(wait_for(&finished, 2));
	assert_true(after.late_us >= -MILLISECOND && after.late_us < MINUTE * 30);
	struct timed far = {{.run = timed_run}, &finished, clock_now_us() + 2 * HOUR, 0};
	actor_post_at(a, &far.job, far.due_us);
	clock_set_wall_us(2 * HOUR);
	struct note wake = note_of(1);
	actor_post(a, &wake.job); /* else it sleeps on for half a minute */
	assert_true(wait_for(&finished, 3));
	clock_set_wall_us(0);
	actor_free(a);
	executor_free(ex);
}

static void test_threads_frozen_clock(void **state)
{
	(void) state;
	atomic_int finished = 0;
	struct executor *ex = executor_new_threads();
	struct actor *a = actor_new(ex, "a");
	struct timed timer = {{.run = timed_run}, &finished, 1060 * SECOND, 0};
	actor_post_at(a, &timer.job, timer.due_us);
	struct timespec pause = {.tv_nsec = 20000000};
	(void) nanosleep(&pause, NULL);
	assert_int_equal(atomic_load(&finished), 0);
	clock_advance_us(MINUTE);
	assert_true(wait_for(&finished, 1));
	assert_true(timer.late_us == 0);
	clock_set_us(INT64_C(4102444800) * SECOND); /* 2100: not to be waited for in real time */
	timer.due_us = clock_now_us() + MINUTE;
	actor_post_at(a, &timer.job, timer.due_us);
	(void) nanosleep(&pause, NULL);
	clock_advance_us(MINUTE);
	assert_true(wait_for(&finished, 2));
	actor_free(a);
	executor_free(ex);
}

struct gate {
	struct job job;
	atomic_int entered, open;
	struct actor *actor;
};

static void gate_run(struct job *job)
{
	struct gate *g = (struct gate *) job;
	atomic_store(&g->entered, 1);
	(void) wait_for(&g->open, 1);
	actor_post(g->actor, job); /* while stopping: dropped */
}

static void gate_drop(struct job *job)
{
	struct gate *g = (struct gate *) job;
	atomic_store(&g->entered, 2);
}

static void *open_later(void *data)
{
	struct gate *g = data;
	struct timespec pause = {.tv_nsec = 30000000};
	(void) nanosleep(&pause, NULL);
	atomic_store(&g->open, 1);
	return NULL;
}

static void test_threads_free_waits_and_drops(void **state)
{
	(void) state;
	clock_set_us(0);
	struct executor *ex = executor_new_threads();
	struct actor *a = actor_new(ex, "a");
	struct gate gate = {.job = {.run = gate_run, .drop = gate_drop}, .actor = a};
	struct note behind = note_of(1), timer = note_of(2);
	pthread_t opener;
	actor_post(a, &gate.job);
	assert_true(wait_for(&gate.entered, 1));
	actor_post(a, &behind.job);
	actor_post_at(a, &timer.job, clock_now_us() + HOUR);
	assert_int_equal(actor_queued_count(a), 2); /* the running one is not queued */
	assert_int_equal(pthread_create(&opener, NULL, open_later, &gate), 0);
	actor_free(a);
	assert_int_equal(atomic_load(&gate.open), 1);
	assert_int_equal(atomic_load(&gate.entered), 2);
	assert_int_equal(ran_count, 0);
	assert_int_equal(dropped_count, 2);
	assert_int_equal(pthread_join(opener, NULL), 0);
	executor_free(ex);
}

/* A job that hangs is left to its thread: what is behind it runs, one at a time again, and freeing waits for
 * it. */
static void check_relieved(struct actor *(*make)(struct executor *ex, const char *name))
{
	clock_set_us(0);
	atomic_int sum = 0;
	struct executor *ex = executor_new_threads();
	struct actor *a = make(ex, "a");
	struct gate gates[2] = {{.job = {.run = gate_run, .drop = gate_drop}, .actor = a},
				{.job = {.run = gate_run, .drop = gate_drop}, .actor = a}};
	struct counter behind = {.job = {.run = counter_run}, .sum = &sum, .actor = a, .left = 2};
	pthread_t openers[2];
	assert_false(actor_relieve(a)); /* it is idle */
	for (size_t k = 0; k < 2; k++) {
		actor_post(a, &gates[k].job);
		assert_true(wait_for(&gates[k].entered, 1));
		if (k == 1)
			actor_post(a, &behind.job);
		assert_true(actor_relieve(a));
	}
	assert_true(wait_for(&sum, 3));
	assert_int_equal(atomic_load(&gates[0].entered), 1);
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(pthread_create(&openers[k], NULL, open_later, &gates[k]), 0);
	actor_free(a);
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(atomic_load(&gates[k].open), 1);
		assert_int_equal(atomic_load(&gates[k].entered),
				 2); /* posted again at its end, and dropped */
		assert_int_equal(pthread_join(openers[k], NULL), 0);
	}
	executor_free(ex);
}

static void test_relieved(void **state)
{
	(void) state;
	check_relieved(actor_new);
}

static void test_relieved_pooled(void **state)
{
	(void) state;
	check_relieved(actor_new_pooled);
}

static void test_relieved_without_a_thread(void **state)
{
	(void) state;
	struct executor *ex = executor_new_stepped(1);
	struct actor *stepped = actor_new(ex, "a"), *pooled = actor_new_pooled(ex, "b");
	assert_false(actor_relieve(stepped));
	assert_false(actor_relieve(pooled));
	actor_free(stepped);
	actor_free(pooled);
	executor_free(ex);
}

/* A hanging pooled actor does not block others. Freeing it waits for its running job and drops the queued
 * ones. */
static void test_pooled(void **state)
{
	(void) state;
	clock_set_us(0);
	struct executor *ex = executor_new_threads();
	struct actor *hung = actor_new_pooled(ex, "hung"), *others[100];
	struct gate gate = {.job = {.run = gate_run, .drop = gate_drop}, .actor = hung};
	struct note behind = note_of(1);
	static struct counter counters[100];
	atomic_int sum = 0;
	pthread_t opener;
	actor_post(hung, &gate.job);
	assert_true(wait_for(&gate.entered, 1));
	actor_post(hung, &behind.job);
	for (size_t k = 0; k < 100; k++) {
		others[k] = actor_new_pooled(ex, "other");
		counters[k] = (struct counter){
			.job = {.run = counter_run}, .sum = &sum, .actor = others[k], .left = 2};
		actor_post(others[k], &counters[k].job);
	}
	assert_true(wait_for(&sum, 300));
	for (size_t k = 0; k < 100; k++)
		actor_free(others[k]);
	assert_int_equal(pthread_create(&opener, NULL, open_later, &gate), 0);
	actor_free(hung);
	assert_int_equal(atomic_load(&gate.entered), 2);
	assert_int_equal(ran_count, 0);
	assert_int_equal(dropped_count, 1);
	assert_int_equal(pthread_join(opener, NULL), 0);
	executor_free(ex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exec_test(test_stepped_keeps_order),
		exec_test(test_stepped_moves_the_clock),
		exec_test(test_timer_that_came_due_is_not_starved),
		exec_test(test_repost_from_the_job),
		exec_test(test_seed_decides_and_repeats),
		exec_test(test_free_drops_the_rest),
		exec_test(test_hundred_thousand_timers),
		exec_test(test_out_of_memory),
		exec_test(test_threads_many_posters),
		exec_test(test_threads_serial_and_in_order),
		exec_test(test_threads_real_timers),
		exec_test(test_threads_clock_is_set),
		exec_test(test_threads_frozen_clock),
		exec_test(test_threads_free_waits_and_drops),
		exec_test(test_relieved),
		exec_test(test_relieved_pooled),
		exec_test(test_relieved_without_a_thread),
		exec_test(test_pooled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
