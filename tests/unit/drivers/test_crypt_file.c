/* SPDX-License-Identifier: Apache-2.0
 * Encrypted disks, with a fake qemu-img: its arguments, and that it is called once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/crypt_file.h"
#include "drivers/image/image_tool.h"

enum { ARENA_SIZE = 1 << 20 };
static const struct disk_key KEY = {"00112233"};

static struct bench {
	char folder[32], path_before[4096];
	struct arena *arena;
	struct ctx c;
	int fd;
} bench;

/* A program of that name which notes each call with what it reads, and fails the first times with the words.
 */
static void make_program(int failures, const char *words)
{
	char path[64];
	(void) snprintf(path, sizeof path, "%s/qemu-img", bench.folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	(void) fprintf(f,
		       "#!/bin/sh\nread key; echo \"$key\" >>%s/calls\n"
		       "[ $(wc -l <%s/calls) -gt %d ] || { echo 'qemu-img: %s' >&2; exit 1; }\n",
		       bench.folder, bench.folder, failures, words);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

static int count_calls(void)
{
	char path[64], line[64];
	int count = 0;
	(void) snprintf(path, sizeof path, "%s/calls", bench.folder);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	for (; fgets(line, sizeof line, f); count++)
		assert_string_equal(line, "00112233\n");
	assert_int_equal(fclose(f), 0);
	return count;
}

static int setup(void **state)
{
	(void) state;
	bench = (struct bench){.folder = "/tmp/dari-crypt-XXXXXX", .fd = -1};
	assert_non_null(mkdtemp(bench.folder));
	char path[4096 + 64];
	(void) snprintf(bench.path_before, sizeof bench.path_before, "%s", getenv("PATH"));
	(void) snprintf(path, sizeof path, "%s:%s", bench.folder, bench.path_before);
	assert_int_equal(setenv("PATH", path, 1), 0);
	bench.arena = arena_new(ARENA_SIZE, ARENA_SIZE);
	ctx_init(&bench.c, bench.arena);
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	static const char *const names[] = {"qemu-img", "calls"};
	char path[64];
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		(void) snprintf(path, sizeof path, "%s/%s", bench.folder, names[k]);
		(void) unlink(path);
	}
	(void) rmdir(bench.folder);
	(void) setenv("PATH", bench.path_before, 1);
	if (bench.fd >= 0)
		(void) close(bench.fd);
	arena_free(bench.arena);
	return 0;
}

static enum err create(void)
{
	return crypt_file_create(&bench.c, &KEY, 1 << 20, STR_NONE, &bench.fd).code;
}

/* The caller repeats the request: the driver itself does not retry. */
static void test_asks_to_be_asked_again(void **state)
{
	(void) state;
	make_program(1, "Unable to get accurate CPU usage");
	assert_int_equal(create(), ERR_AGAIN);
	assert_int_equal(count_calls(), 1);
	assert_int_equal(bench.fd, -1);
	assert_int_equal(create(), ERR_NONE);
	assert_int_equal(count_calls(), 2);
	assert_true(bench.fd >= 0);
}

static enum err convert(void)
{
	return crypt_file_convert(&bench.c, &KEY, "/from", "qcow2", "/to", &IMAGE_TOOL_LONG).code;
}

static void test_converts(void **state)
{
	(void) state;
	make_program(1, "Unable to get accurate CPU usage");
	assert_int_equal(convert(), ERR_AGAIN);
	ctx_clear_problem(&bench.c);
	assert_int_equal(convert(), ERR_NONE);
	assert_int_equal(count_calls(), 2);
}

static void test_converts_no_other_thing(void **state)
{
	(void) state;
	make_program(1000, "Image is corrupt");
	assert_int_equal(convert(), ERR_INVALID);
	assert_int_equal(count_calls(), 1);
	assert_true(str_contains(bench.c.problem.message, STR("is corrupt")));
}

static void test_other_failures_are_final(void **state)
{
	(void) state;
	make_program(1000, "No space left on device");
	assert_int_equal(create(), ERR_IO);
	assert_int_equal(count_calls(), 1);
	assert_true(str_contains(bench.c.problem.message, STR("No space left")));
	assert_int_equal(bench.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_asks_to_be_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_failures_are_final, setup, teardown),
		cmocka_unit_test_setup_teardown(test_converts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_converts_no_other_thing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
