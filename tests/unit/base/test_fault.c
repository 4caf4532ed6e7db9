/* SPDX-License-Identifier: Apache-2.0
 * Fault points and the heap behind them. */
#include "test_base.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heap.h"

static int disarm(void **state)
{
	(void) state;
	fault_disarm();
	return 0;
}
#define fault_test(f) cmocka_unit_test_teardown(f, disarm)

static void test_off_never_fires(void **state)
{
	(void) state;
	fault_disarm();
	for (int k = 0; k < 100; k++)
		assert_false(fault_fires(FAULT_ALLOC));
}

static void test_fires_once_at_n(void **state)
{
	(void) state;
	for (uint64_t n = 0; n < 5; n++) {
		fault_arm(FAULT_SQL, n, false);
		for (uint64_t k = 0; k < 10; k++) {
			assert_int_equal(fault_has_fired(), k > n);
			assert_int_equal(fault_fires(FAULT_SQL), k == n);
		}
	}
}

static void test_fires_forever_from_n(void **state)
{
	(void) state;
	fault_arm(FAULT_FILE, 3, true);
	for (int k = 0; k < 10; k++)
		assert_int_equal(fault_fires(FAULT_FILE), k >= 3);
}

static void test_other_points_do_not_count(void **state)
{
	(void) state;
	fault_arm(FAULT_FILE | FAULT_SQL, 1, false);
	assert_false(fault_fires(FAULT_DRIVER));
	assert_false(fault_fires(FAULT_FILE)); /* 0 */
	assert_false(fault_fires(FAULT_ALLOC));
	assert_true(fault_fires(FAULT_SQL)); /* 1: the classes share one count */
	assert_false(fault_fires(FAULT_FILE));
}

static void test_disarm_and_arm_anew(void **state)
{
	(void) state;
	fault_arm(FAULT_ALLOC, 0, true);
	assert_true(fault_fires(FAULT_ALLOC));
	fault_disarm();
	assert_true(fault_has_fired());
	assert_false(fault_fires(FAULT_ALLOC));
	fault_arm(FAULT_ALLOC, 1, false);
	assert_false(fault_has_fired());
	assert_false(fault_fires(FAULT_ALLOC));
	assert_true(fault_fires(FAULT_ALLOC));
}

static void test_one_more_after_the_first(void **state)
{
	(void) state;
	fault_arm(FAULT_SQL, 1, false);
	fault_arm_next(FAULT_ALLOC, 2);
	assert_false(fault_fires(FAULT_ALLOC));
	assert_false(fault_fires(FAULT_SQL));
	assert_true(fault_fires(FAULT_SQL));
	assert_true(fault_has_fired());
	assert_false(fault_fires(FAULT_SQL));
	assert_false(fault_fires(FAULT_ALLOC));
	assert_false(fault_fires(FAULT_ALLOC));
	assert_true(fault_fires(FAULT_ALLOC));
	assert_false(fault_fires(FAULT_ALLOC));
	fault_arm_next(FAULT_ALLOC, 0);
	fault_disarm();
	fault_arm(FAULT_SQL, 0, false);
	assert_true(fault_fires(FAULT_SQL));
	assert_false(fault_fires(FAULT_ALLOC));
}

/* Exit status of a child that passes one point of each class, twice. */
static int end_of_child(unsigned points, uint64_t n)
{
	pid_t pid = fork();
	if (pid == 0) {
		fault_arm(points, n, false);
		for (int k = 0; k < 2; k++) {
			bool fired = fault_fires(FAULT_ALLOC) || fault_fires(FAULT_FILE) ||
				     fault_fires(FAULT_SQL) || fault_fires(FAULT_DRIVER);
			if (fired)
				_exit(1);
		}
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_kill(void **state)
{
	(void) state;
	int killed = end_of_child(FAULT_SQL | FAULT_KILL, 1);
	assert_true(WIFSIGNALED(killed));
	assert_int_equal(WTERMSIG(killed), SIGKILL);
	assert_int_equal(end_of_child(FAULT_SQL | FAULT_KILL, 2), 0); /* passed twice only */
	assert_true(WIFSIGNALED(end_of_child(FAULT_KILL, 7)));        /* alone: at any point */
	assert_int_equal(end_of_child(FAULT_KILL, 8), 0);
}

enum { THREADS = 4, POINTS_A_THREAD = 10000 };

static void *pass_points(void *data)
{
	int *fired = data;
	for (int k = 0; k < POINTS_A_THREAD; k++)
		*fired += fault_fires(FAULT_DRIVER);
	return NULL;
}

static void test_many_threads_one_fires(void **state)
{
	(void) state;
	pthread_t threads[THREADS];
	int fired[THREADS] = {0}, sum = 0;
	fault_arm(FAULT_DRIVER, THREADS * POINTS_A_THREAD / 2, false);
	for (int k = 0; k < THREADS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, pass_points, &fired[k]), 0);
	for (int k = 0; k < THREADS; k++) {
		assert_int_equal(pthread_join(threads[k], NULL), 0);
		sum += fired[k];
	}
	assert_int_equal(sum, 1);
}

static void test_heap_zeroes_and_checks(void **state)
{
	(void) state;
	unsigned char *p = heap_alloc(100);
	for (int k = 0; k < 100; k++)
		assert_int_equal(p[k], 0);
	memset(p, 7, 100);
	unsigned char *wider = heap_resize(p, 100000);
	assert_non_null(wider);
	for (int k = 0; k < 100; k++)
		assert_int_equal(wider[k], 7);
	heap_free(wider);
	assert_null(heap_alloc_array(SIZE_MAX / 2, 3));
	p = heap_alloc_array(10, 8);
	assert_non_null(p);
	heap_free(p);
	p = heap_alloc(0);
	assert_non_null(p);
	p = heap_resize(p, 0); /* must not free */
	assert_non_null(p);
	heap_free(p);
	heap_free(NULL);
	char *copy = heap_copy_z("abc");
	assert_string_equal(copy, "abc");
	heap_free(copy);
}

static void test_heap_fails_when_told(void **state)
{
	(void) state;
	void *kept = heap_alloc(10);
	fault_arm(FAULT_ALLOC, 0, true);
	assert_null(heap_alloc(1));
	assert_null(heap_alloc_array(1, 1));
	assert_null(heap_resize(kept, 20));
	assert_null(heap_copy_z("x"));
	fault_disarm();
	memset(kept, 1, 10); /* still there */
	heap_free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fault_test(test_off_never_fires),
		fault_test(test_fires_once_at_n),
		fault_test(test_fires_forever_from_n),
		fault_test(test_other_points_do_not_count),
		fault_test(test_disarm_and_arm_anew),
		fault_test(test_one_more_after_the_first),
		fault_test(test_kill),
		fault_test(test_many_threads_one_fires),
		fault_test(test_heap_zeroes_and_checks),
		fault_test(test_heap_fails_when_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
