/* SPDX-License-Identifier: Apache-2.0
 * Swap disks: Linux finds the signature at its place, and QEMU finds no errors in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "drivers/qcow2.h"
#include "drivers/swap_file.h"

enum { PAGE = 4096 };
static const int64_t MIB = INT64_C(1) << 20;
static const uuid ID = {{0xec, 0x2d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}};

static uint32_t number_at(const uint8_t *p)
{
	return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static void check_head(struct ctx *c, const char *path, int64_t size)
{
	uint8_t page[PAGE];
	struct qcow2_extent extent;
	struct qcow2_file *file = NULL;
	assert_true(result_is_ok(qcow2_open(c, path, &file)));
	assert_int_equal(qcow2_size(file), size);
	assert_true(result_is_ok(qcow2_find(file, c, 0, &extent)) && extent.file_at > 0);
	assert_true(result_is_ok(qcow2_read(file, c, extent.file_at, page, sizeof page)));
	assert_memory_equal(page + PAGE - 10, "SWAPSPACE2", 10);
	assert_int_equal(number_at(page + 1024), 1);
	assert_int_equal(number_at(page + 1028), size / PAGE - 1);
	assert_int_equal(number_at(page + 1032), 0);
	assert_memory_equal(page + 1036, ID.b, sizeof ID.b);
	if (size > QCOW2_CLUSTER_SIZE) { /* nothing else is on it */
		assert_true(result_is_ok(qcow2_find(file, c, QCOW2_CLUSTER_SIZE, &extent)));
		assert_int_equal(extent.file_at, -1);
	}
	qcow2_close(file);
}

static void check_made(void **state)
{
	const int64_t sizes[] = {MIB, 512 * MIB, 512 * MIB + 512, INT64_C(16) << 40};
	(void) state;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		struct arena *arena = arena_new(ARENA_FIRST_SIZE, 64 << 20);
		struct ctx c;
		struct child_end end = {0};
		char path[64];
		int fd = -1;
		ctx_init(&c, arena);
		assert_true(result_is_ok(swap_file_create(&c, sizes[k], ID, &fd)));
		assert_true(lseek(fd, 0, SEEK_END) <= SWAP_FILE_EMPTY_SIZE);
		(void) snprintf(path, sizeof path, "/proc/%d/fd/%d", (int) getpid(), fd);
		check_head(&c, path, sizes[k]);
		const char *argv[] = {"qemu-img", "check", "-q", "-f", "qcow2", path, NULL};
		assert_true(result_is_ok(
			child_run(&c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end)));
		assert_int_equal(end.status, 0);
		(void) close(fd);
		arena_free(arena);
	}
}

static void check_refused(void **state)
{
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, 64 << 20);
	struct ctx c;
	int fd = -1;
	(void) state;
	ctx_init(&c, arena);
	assert_int_equal(swap_file_create(&c, 9 * PAGE, ID, &fd).code, ERR_INVALID);
	assert_int_equal(swap_file_create(&c, INT64_C(17) << 40, ID, &fd).code, ERR_INVALID);
	assert_int_equal(fd, -1);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(check_made), cmocka_unit_test(check_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
