/* SPDX-License-Identifier: Apache-2.0
 * Load balancing moves between hosts, as tables of loads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/instance/placement/balance.h"

#define GIB (INT64_C(1) << 30)
enum { HOSTS = 3, MACHINES = 12 };

struct region {
	struct balance_host hosts[HOSTS];
	struct balance_machine machines[MACHINES];
	struct balance b;
};

/* Hosts of 100 vCPUs and 100 GiB; a machine for each figure, in GiB, with as many vCPUs. 0 ends a host's list. */
static void fill(struct region *r, int64_t sizes[HOSTS][MACHINES])
{
	*r = (struct region){.b = {.hosts = r->hosts, .host_count = HOSTS, .machines = r->machines}};
	for (size_t h = 0; h < HOSTS; h++) {
		r->hosts[h] = (struct balance_host){.vcpus = 100, .memory = 100 * GIB, .is_open = true};
		for (size_t k = 0; k < MACHINES && sizes[h][k]; k++) {
			r->machines[r->b.machine_count++] = (struct balance_machine){
				.host = h, .vcpus = sizes[h][k], .memory = sizes[h][k] * GIB};
			r->hosts[h].used_vcpus += sizes[h][k];
			r->hosts[h].used_memory += sizes[h][k] * GIB;
		}
	}
}

static size_t count_moves(struct region *r)
{
	struct balance_move move;
	size_t count = 0;
	while (balance_next(&r->b, &move)) {
		assert_true(move.from_after < move.from_before && move.to_after > move.to_before);
		assert_true((move.from_after > move.to_after ? move.from_after : move.to_after) +
				    BALANCE_GAIN <=
			    move.from_before);
		balance_make(&r->b, &move);
		assert_true(++count <= MACHINES);
	}
	return count;
}

static void test_load(void **state)
{
	(void) state;
	struct balance_host h = {.vcpus = 8, .memory = 16 * GIB, .used_vcpus = 2, .used_memory = 12 * GIB};
	assert_int_equal(balance_load(&h), 750);
	h.used_vcpus = 7;
	assert_int_equal(balance_load(&h), 875);
	h.used_vcpus = 80;
	assert_int_equal(balance_load(&h), 1000);
	assert_int_equal(balance_load(&(struct balance_host){0}), 1000);
	assert_int_equal(balance_load(&(struct balance_host){
				 .vcpus = 4, .memory = INT64_MAX, .used_memory = INT64_MAX / 2}),
			 499);
}

static void test_one_move(void **state)
{
	(void) state;
	struct region r;
	struct balance_move move;
	fill(&r, (int64_t[HOSTS][MACHINES]){{40, 20, 10}, {30}, {10}});
	assert_true(balance_next(&r.b, &move));
	/* Moved to the emptiest, 40 leaves 50 there, 20 leaves 50 here: the smaller goes. 10 would leave 60 here. */
	assert_int_equal(move.machine, 1);
	assert_int_equal(move.host, 2);
	assert_int_equal(move.from_before, 700);
	assert_int_equal(move.from_after, 500);
	assert_int_equal(move.to_before, 100);
	assert_int_equal(move.to_after, 300);
}

static void test_ends(void **state)
{
	(void) state;
	struct region r;
	fill(&r, (int64_t[HOSTS][MACHINES]){{10, 10, 10, 10, 10, 10, 10, 10, 10}, {0}, {0}});
	assert_int_equal(count_moves(&r), 6);
	for (size_t h = 0; h < HOSTS; h++)
		assert_int_equal(balance_load(&r.hosts[h]), 300);
	fill(&r, (int64_t[HOSTS][MACHINES]){{90}, {0}, {0}}); /* one machine alone: no gain anywhere */
	assert_int_equal(count_moves(&r), 0);
	fill(&r, (int64_t[HOSTS][MACHINES]){{30, 4}, {31}, {30}}); /* the gain is below the threshold */
	assert_int_equal(count_moves(&r), 0);
	fill(&r, (int64_t[HOSTS][MACHINES]){{0}, {0}, {0}});
	assert_int_equal(count_moves(&r), 0);
}

/* The fullest cannot be helped; the next can. */
static void test_the_next_fullest(void **state)
{
	(void) state;
	struct region r;
	struct balance_move move;
	fill(&r, (int64_t[HOSTS][MACHINES]){{95}, {30, 30, 20}, {10}});
	assert_true(balance_next(&r.b, &move));
	assert_int_equal(r.machines[move.machine].host, 1);
	assert_int_equal(move.host, 2);
}

static bool may_not_go_to_last(void *arg, size_t machine, size_t host)
{
	(void) machine;
	++*(size_t *) arg;
	return host != HOSTS - 1;
}

static void test_what_stands_against_it(void **state)
{
	(void) state;
	struct region r;
	struct balance_move move;
	int64_t sizes[HOSTS][MACHINES] = {{40, 20, 10}, {30}, {10}};
	fill(&r, sizes);
	r.hosts[2].is_open = false;
	assert_true(balance_next(&r.b, &move) && move.host == 1);
	fill(&r, sizes);
	r.hosts[2].zone = (uuid){.b = {1}};
	assert_true(balance_next(&r.b, &move) && move.host == 1);
	fill(&r, sizes);
	r.hosts[1].is_open = false;
	r.hosts[2].memory = 15 * GIB; /* it is 66 % full */
	assert_false(balance_next(&r.b, &move));
	fill(&r, sizes);
	for (size_t k = 0; k < r.b.machine_count; k++)
		r.machines[k].stays = true;
	assert_false(balance_next(&r.b, &move));
	size_t asked = 0;
	fill(&r, sizes);
	r.b.may = may_not_go_to_last;
	r.b.arg = &asked;
	assert_true(balance_next(&r.b, &move) && move.host == 1 && asked > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_one_move),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_the_next_fullest),
		cmocka_unit_test(test_what_stands_against_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
