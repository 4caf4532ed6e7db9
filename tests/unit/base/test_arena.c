/* SPDX-License-Identifier: Apache-2.0
 * Arenas and the vectors in them. */
#include "test_base.h"

#include "base/vec.h"

static bool is_zero(const unsigned char *p, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (p[k])
			return false;
	return true;
}

static void test_alloc_zeroed_and_aligned(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, 1 << 20);
	for (size_t size = 1; size < 300; size++) {
		unsigned char *p = arena_alloc(a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t) p % 16, 0);
		assert_true(is_zero(p, size));
		memset(p, 0xAA, size);
	}
	assert_false(arena_is_full(a));
}

static void test_zero_size_is_unique(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(1024, 1024);
	void *p = arena_alloc(a, 0), *q = arena_alloc(a, 0);
	assert_non_null(p);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
}

static void test_cap_is_exact_and_sticky(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, 256);
	for (int k = 0; k < 16; k++)
		assert_non_null(arena_alloc(a, 16));
	assert_int_equal(arena_used_size(a), 256);
	assert_false(arena_is_full(a));
	assert_null(arena_alloc(a, 1));
	assert_true(arena_is_full(a));
	assert_true(arena_is_over_cap(a));
}

static void test_one_large_piece_up_to_the_cap(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, 64 + 4096);
	assert_non_null(arena_alloc(a, 4096));
	assert_non_null(arena_alloc(a, 64)); /* the first block was not given up for it */
	assert_null(arena_alloc(a, 1));
	AUTO(arena) b = arena_new(64, 64 + 4096);
	assert_null(arena_alloc(b, 4097));
	assert_true(arena_is_full(b));
	assert_non_null(arena_alloc(b, 16)); /* the mark stays, and allocations within it still succeed */
	assert_true(arena_is_full(b));
}

static void test_first_size_beyond_the_cap(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(4096, 32);
	assert_non_null(arena_alloc(a, 32));
	assert_null(arena_alloc(a, 1));
	AUTO(arena) none = arena_new(0, 0);
	assert_null(arena_alloc(none, 1));
}

static void test_overflow_of_sizes(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, SIZE_MAX);
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 15));
	assert_null(arena_alloc_array(a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc_array(a, (size_t) 1 << 33, (size_t) 1 << 33));
	assert_true(arena_is_full(a));
}

static void test_reset_keeps_first_block(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, 256);
	void *first = arena_alloc(a, 48);
	memset(first, 0xFF, 48);
	assert_non_null(arena_alloc(a, 128));
	assert_null(arena_alloc(a, 1024));
	arena_reset(a);
	assert_false(arena_is_full(a));
	assert_false(arena_is_over_cap(a));
	assert_int_equal(arena_used_size(a), 0);
	unsigned char *again = arena_alloc(a, 48);
	assert_ptr_equal(again, first);
	assert_true(is_zero(again, 48));
	assert_non_null(arena_alloc(a, 128)); /* the limit counts from zero again */
}

static void test_out_of_memory_marks(void **state)
{
	(void) state;
	fault_arm(FAULT_ALLOC, 0, false);
	assert_null(arena_new(64, 1024));
	fault_disarm();
	AUTO(arena) a = arena_new(64, 1024);
	fault_arm(FAULT_ALLOC, 0, false);
	assert_null(arena_alloc(a, 128));
	fault_disarm();
	assert_true(arena_is_full(a));
	assert_false(arena_is_over_cap(a));
	assert_non_null(arena_alloc(a, 128));
}

static void test_free_null(void **state)
{
	(void) state;
	arena_free(NULL);
}

static void test_vec_grows_and_keeps(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, 1 << 20);
	VEC(int) numbers = {0};
	for (int k = 0; k < 1000; k++)
		assert_true(VEC_PUSH(a, &numbers, k * 3));
	assert_int_equal(numbers.count, 1000);
	for (int k = 0; k < 1000; k++)
		assert_int_equal(numbers.at[k], k * 3);
	assert_true(numbers.capacity >= 1000 && numbers.capacity < 2100);
}

static void test_vec_unchanged_when_full(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(64, 64);
	VEC(uint64_t) numbers = {0};
	while (VEC_PUSH(a, &numbers, numbers.count))
		assert_true(numbers.count < 100);
	assert_int_equal(numbers.count, 8);
	assert_int_equal(numbers.capacity, 8);
	for (size_t k = 0; k < numbers.count; k++)
		assert_int_equal(numbers.at[k], k);
	void *none = NULL;
	size_t capacity = SIZE_MAX / 2 + 1;
	assert_false(vec_reserve_one(a, &none, &capacity, capacity, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_zeroed_and_aligned),
		cmocka_unit_test(test_zero_size_is_unique),
		cmocka_unit_test(test_cap_is_exact_and_sticky),
		cmocka_unit_test(test_one_large_piece_up_to_the_cap),
		cmocka_unit_test(test_first_size_beyond_the_cap),
		cmocka_unit_test(test_overflow_of_sizes),
		cmocka_unit_test(test_reset_keeps_first_block),
		cmocka_unit_test(test_out_of_memory_marks),
		cmocka_unit_test(test_free_null),
		cmocka_unit_test(test_vec_grows_and_keeps),
		cmocka_unit_test(test_vec_unchanged_when_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
