/* SPDX-License-Identifier: Apache-2.0
 * qcow2 files written by Dari: QEMU finds no errors, and files by Dari and by QEMU are read correctly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/qcow2.h"

enum { CLUSTER = QCOW2_CLUSTER_SIZE };

struct bench {
	struct arena *arena;
	struct ctx c;
	char path[64];
};

static struct bench open_bench(void)
{
	struct bench b = {.arena = arena_new(ARENA_FIRST_SIZE, 64 << 20), .path = "/tmp/dari-qcow2-XXXXXX"};
	int fd = mkstemp(b.path);
	assert_true(fd >= 0);
	(void) close(fd);
	return b;
}

static void close_bench(struct bench *b)
{
	(void) unlink(b->path);
	arena_free(b->arena);
}

static void run(struct bench *b, const char *const *argv)
{
	struct child_end end = {0};
	ctx_init(&b->c, b->arena);
	struct result r = child_run(&b->c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end);
	if (!result_is_ok(r) || end.status)
		fail_msg("%s %s: %" STR_FMT "%" STR_FMT, argv[0], argv[1], STR_ARG(end.out),
			 STR_ARG(end.err));
}

/* A cluster of the disk has its own number in it, from end to end. */
static void fill(uint8_t *bytes, int64_t at, int64_t size)
{
	for (int64_t k = 0; k < size; k += 4) {
		uint32_t word = (uint32_t) ((at + k) / CLUSTER) + 1;
		memcpy(bytes + k, &word, 4);
	}
}

static void write_file(struct bench *b, const struct qcow2_plan *p)
{
	static uint8_t bytes[CLUSTER];
	int fd = open(b->path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	for (int64_t at = 0; at < qcow2_plan_file_size(p); at += CLUSTER) {
		struct qcow2_place place = qcow2_plan_at(p, at, bytes);
		if (place.is_data) {
			memset(bytes, 0, sizeof bytes);
			fill(bytes, place.at, place.size < CLUSTER ? place.size : CLUSTER);
		}
		assert_int_equal(pwrite(fd, bytes, CLUSTER, at), CLUSTER);
	}
	(void) close(fd);
}

static bool is_data(const struct qcow2_run *runs, size_t count, int64_t cluster)
{
	for (size_t k = 0; k < count; k++)
		if (cluster >= runs[k].from && cluster < runs[k].from + runs[k].count)
			return !runs[k].is_zero;
	return false;
}

/* Reads the file back and compares every cluster. */
static void check_file(struct bench *b, int64_t size, const struct qcow2_run *runs, size_t count)
{
	struct qcow2_file *f = NULL;
	struct qcow2_extent extent = {0};
	static uint8_t bytes[CLUSTER], expected[CLUSTER];
	ctx_init(&b->c, b->arena);
	assert_true(result_is_ok(qcow2_open(&b->c, b->path, &f)));
	assert_int_equal(qcow2_size(f), size);
	for (int64_t at = 0; at < size; at += extent.size) {
		assert_true(result_is_ok(qcow2_find(f, &b->c, at, &extent)));
		assert_true(extent.size > 0 && at + extent.size <= size);
		for (int64_t k = 0; k < extent.size; k += CLUSTER) {
			size_t part = (size_t) (extent.size - k < CLUSTER ? extent.size - k : CLUSTER);
			assert_int_equal(extent.file_at >= 0, is_data(runs, count, (at + k) / CLUSTER));
			if (extent.file_at < 0)
				continue;
			fill(expected, at + k, (int64_t) part);
			assert_true(result_is_ok(qcow2_read(f, &b->c, extent.file_at + k, bytes, part)));
			assert_memory_equal(bytes, expected, part);
		}
	}
	assert_int_equal(qcow2_find(f, &b->c, size, &extent).code, ERR_INVALID);
	qcow2_close(f);
}

static void try_runs(int64_t size, const struct qcow2_run *runs, size_t count)
{
	struct bench b = open_bench();
	struct qcow2_plan *p = NULL;
	const char *check[] = {"qemu-img", "check", "-q", "-f", "qcow2", b.path, NULL};
	ctx_init(&b.c, b.arena);
	assert_true(result_is_ok(qcow2_plan_new(&b.c, size, runs, count, &p)));
	write_file(&b, p);
	run(&b, check);
	check_file(&b, size, runs, count);
	qcow2_plan_free(p);
	close_bench(&b);
}

static void test_forms(void **state)
{
	(void) state;
	const struct qcow2_run some[] = {
		{0, 1, false}, {1, 3, true}, {4, 5, false}, {100, 1, true}, {127, 1, false}};
	const struct qcow2_run apart[] = {
		{3, 2, false}, {8190, 4, false}, {40000, 1, true}, {65535, 2, false}};
	const struct qcow2_run end[] = {{0, 2, false}};
	try_runs(512, NULL, 0);
	try_runs(128 * CLUSTER, some, 5);
	try_runs(INT64_C(70000) * CLUSTER, apart, 4);
	try_runs(CLUSTER + 512, end, 1); /* the last cluster is no whole one */
	try_runs(INT64_C(100) << 30, apart, 4);
}

/* More clusters than one cluster has counts of; too many to be written out here. */
static void test_many(void **state)
{
	(void) state;
	struct bench b = open_bench();
	struct qcow2_plan *p = NULL;
	static uint8_t own[CLUSTER];
	const struct qcow2_run all = {0, 1 << 20, false};
	ctx_init(&b.c, b.arena);
	assert_true(result_is_ok(qcow2_plan_new(&b.c, INT64_C(64) << 30, &all, 1, &p)));
	int64_t last = qcow2_plan_file_size(p) - CLUSTER;
	assert_true(qcow2_plan_at(p, last, own).is_data);
	assert_int_equal(qcow2_plan_at(p, last, own).at, (INT64_C(64) << 30) - CLUSTER);
	qcow2_plan_free(p);
	close_bench(&b);
}

static void test_disorder(void **state)
{
	(void) state;
	struct bench b = open_bench();
	struct qcow2_plan *p = NULL;
	const struct qcow2_run bad[][2] = {{{4, 2, false}, {5, 1, false}},
					   {{0, 0, false}, {1, 1, false}},
					   {{0, 1, false}, {15, 2, false}},
					   {{-1, 1, false}, {5, 1, false}}};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_init(&b.c, b.arena);
		assert_int_equal(qcow2_plan_new(&b.c, 16 * CLUSTER, bad[k], 2, &p).code, ERR_INVALID);
	}
	ctx_init(&b.c, b.arena);
	assert_int_equal(qcow2_plan_new(&b.c, 0, NULL, 0, &p).code, ERR_INVALID);
	assert_int_equal(qcow2_plan_new(&b.c, QCOW2_SIZE_MAX + 1, NULL, 0, &p).code, ERR_INVALID);
	close_bench(&b);
}

/* ---- files of others */

static void expect_refused(struct bench *b, enum err err)
{
	struct qcow2_file *f = NULL;
	struct qcow2_extent extent = {0};
	ctx_init(&b->c, b->arena);
	struct result r = qcow2_open(&b->c, b->path, &f);
	if (result_is_ok(r))
		r = qcow2_find(f, &b->c, 0, &extent);
	if (result_is_ok(r) && extent.file_at >= 0) {
		uint8_t bytes[512];
		r = qcow2_read(f, &b->c, extent.file_at, bytes, sizeof bytes);
	}
	qcow2_close(f);
	assert_int_equal(r.code, err);
}

static void test_refused_forms(void **state)
{
	(void) state;
	struct bench b = open_bench();
	struct bench plain = open_bench();
	const char *packed[] = {"qemu-img", "convert", "-c",       "-f",   "raw",
				"-O",       "qcow2",   plain.path, b.path, NULL};
	const char *over[] = {"qemu-img", "create", "-q",       "-f",   "qcow2", "-F",
			      "raw",      "-b",     plain.path, b.path, NULL};
	struct str words = str_print(b.arena, "yes dari | head -c 1048576 > %s", plain.path);
	const char *shell[] = {"sh", "-c", words.p, NULL};
	run(&b, shell);
	run(&b, packed);
	expect_refused(&b, ERR_INVALID);
	run(&b, over);
	expect_refused(&b, ERR_INVALID);
	(void) unlink(b.path);
	expect_refused(&b, ERR_IO);
	close_bench(&plain);
	close_bench(&b);
}

static void change(struct bench *b, int64_t at, const char *bytes, size_t size)
{
	int fd = open(b->path, O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, size, at), size);
	(void) close(fd);
}

/* A number is changed in a good file: it is refused, or reads beyond the file's end, and does no harm. */
static void test_damaged(void **state)
{
	(void) state;
	static const struct {
		int64_t at;
		const char *bytes;
		size_t size;
		enum err err;
	} damages[] = {
		{0, "QFI\xfa", 4, ERR_INVALID},
		{4, "\0\0\0\4", 4, ERR_INVALID},
		{20, "\0\0\0\40", 4, ERR_INVALID}, /* clusters of 4 GiB */
		{20, "\0\0\0\0", 4, ERR_INVALID},
		{24, "\177\0\0\0\0\0\0\0", 8, ERR_INVALID},           /* the disk's size */
		{35, "\2", 1, ERR_INVALID},                           /* it is encrypted, with LUKS */
		{36, "\0\0\0\0", 4, ERR_INVALID},                     /* entries of the first table */
		{40, "\177\377\377\377\377\377\0\0", 8, ERR_INVALID}, /* where it is */
		{40, "\0\0\0\177\377\377\0\0", 8, ERR_IO},
		{79, "\4", 1, ERR_INVALID},                           /* its data are in another file */
		{CLUSTER, "\200\0\0\177\377\377\0\0", 8, ERR_IO},     /* where the second table is */
		{4 * CLUSTER, "\200\0\0\177\377\377\0\0", 8, ERR_IO}, /* where the data are */
		{4 * CLUSTER, "\200\0\0\0\0\1\2\0", 8, ERR_INVALID},  /* in the midst of a cluster */
	};
	const struct qcow2_run one = {0, 4, false};
	for (size_t k = 0; k < sizeof damages / sizeof damages[0]; k++) {
		struct bench b = open_bench();
		struct qcow2_plan *p = NULL;
		ctx_init(&b.c, b.arena);
		assert_true(result_is_ok(qcow2_plan_new(&b.c, 16 * CLUSTER, &one, 1, &p)));
		write_file(&b, p);
		check_file(&b, 16 * CLUSTER, &one, 1);
		change(&b, damages[k].at, damages[k].bytes, damages[k].size);
		expect_refused(&b, damages[k].err);
		qcow2_plan_free(p);
		close_bench(&b);
	}
}

/* Files by QEMU, with other cluster sizes and in version 2, too, read like in QEMU. */
static void test_qemus(void **state)
{
	(void) state;
	static const char *const options[] = {"compat=1.1", "compat=0.10", "cluster_size=4096",
					      "cluster_size=2M"};
	for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
		struct bench b = open_bench();
		struct qcow2_file *f = NULL;
		struct qcow2_extent extent = {0};
		uint8_t bytes[512];
		const char *create[] = {"qemu-img", "create",   "-q",   "-f",  "qcow2",
					"-o",       options[k], b.path, "40M", NULL};
		const char *write[] = {"qemu-io",          "-f",   "qcow2", "-c", "write -P 7 17M 3M", "-c",
				       "write -z 18M 64k", b.path, NULL};
		run(&b, create);
		run(&b, write);
		ctx_init(&b.c, b.arena);
		assert_true(result_is_ok(qcow2_open(&b.c, b.path, &f)));
		for (int64_t at = 0; at < 40 << 20; at += 32768) {
			bool expected = at >= 17 << 20 && at < 20 << 20 &&
					!(at >= 18 << 20 && at < (18 << 20) + 65536);
			memset(bytes, 0, sizeof bytes);
			assert_true(result_is_ok(qcow2_find(f, &b.c, at, &extent)));
			if (extent.file_at >= 0)
				assert_true(result_is_ok(qcow2_read(f, &b.c, extent.file_at, bytes, 512)));
			assert_int_equal(bytes[0], expected ? 7 : 0);
			assert_int_equal(bytes[511], expected ? 7 : 0);
		}
		qcow2_close(f);
		close_bench(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),    cmocka_unit_test(test_many),
		cmocka_unit_test(test_disorder), cmocka_unit_test(test_refused_forms),
		cmocka_unit_test(test_damaged),  cmocka_unit_test(test_qemus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
