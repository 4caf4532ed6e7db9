/* SPDX-License-Identifier: Apache-2.0
 * Config drives, read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "drivers/drive_file.h"

#define MIB ((size_t) 1 << 20)

static RESULT make(struct ctx *c, const struct compute_file *files, size_t count, struct str *ret_bytes)
{
	return drive_file_write(c, &(struct compute_files){.at = files, .count = count}, ret_bytes);
}

/* Content of the file at this path; fails the test if there is none. */
static struct str read_back(struct arena *a, struct str drive, const char *path)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *e = NULL;
	struct str found = STR_NONE;
	assert_int_equal(archive_read_support_format_iso9660(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(archive, drive.p, drive.n), ARCHIVE_OK);
	while (!found.p && archive_read_next_header(archive, &e) == ARCHIVE_OK) {
		if (strcmp(archive_entry_pathname(e), path) != 0)
			continue;
		size_t size = (size_t) archive_entry_size(e);
		char *p = arena_alloc(a, size + 1);
		assert_int_equal(archive_read_data(archive, p, size), size);
		found = (struct str){p, size};
	}
	archive_read_free(archive);
	assert_non_null(found.p);
	return found;
}

static void test_files(void **state)
{
	(void) state;
	struct ctx c;
	struct str drive = STR_NONE;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 16 * MIB);
	ctx_init(&c, a);
	char *large = arena_alloc(a, 70000);
	memset(large, 'x', 70000);
	const struct compute_file files[] = {
		{STR("openstack/latest/meta_data.json"), STR("{\"uuid\":\"1\"}")},
		{STR("openstack/latest/network_data.json"), STR("{}")},
		{STR("openstack/latest/user_data"), {large, 70000}},
		{STR("openstack/latest/vendor_data.json"), STR("")},
	};
	assert_true(result_is_ok(make(&c, files, 4, &drive)));
	assert_true(drive.n < MIB && drive.n % 2048 == 0);
	for (size_t k = 0; k < 4; k++)
		assert_true(str_equal(read_back(a, drive, files[k].path.p), files[k].bytes));
}

/* Guests look for it as it is written, whichever of the file system's names for itself they read. */
static void test_label(void **state)
{
	(void) state;
	static const char wide[] = {0, 'c', 0, 'o', 0, 'n', 0, 'f', 0, 'i', 0, 'g', 0, '-', 0, '2'};
	struct ctx c;
	struct str drive = STR_NONE;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 16 * MIB);
	ctx_init(&c, a);
	const struct compute_file file = {STR("a"), STR("b")};
	assert_true(result_is_ok(make(&c, &file, 1, &drive)));
	assert_memory_equal(drive.p + 16 * 2048, "\1CD001", 6);
	assert_memory_equal(drive.p + 16 * 2048 + 40, "config-2        ", 16);
	assert_memory_equal(drive.p + 17 * 2048, "\2CD001", 6);
	assert_memory_equal(drive.p + 17 * 2048 + 40, wide, sizeof wide);
}

/* Azure's discs have a name of their own. */
static void test_other_label(void **state)
{
	(void) state;
	struct ctx c;
	struct str drive = STR_NONE;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 16 * MIB);
	ctx_init(&c, a);
	const struct compute_file file = {STR("a"), STR("b")};
	const struct compute_files files = {&file, 1, STR("rd_rdfe_dari")};
	assert_true(result_is_ok(drive_file_write(&c, &files, &drive)));
	assert_memory_equal(drive.p + 16 * 2048 + 40, "rd_rdfe_dari    ", 16);
}

static void test_too_large(void **state)
{
	(void) state;
	struct ctx c;
	struct str drive = STR_NONE;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 16 * MIB);
	ctx_init(&c, a);
	char *large = arena_alloc(a, 5 * MIB);
	assert_non_null(large);
	memset(large, 'x', 5 * MIB);
	const struct compute_file file = {STR("a"), {large, 5 * MIB}};
	assert_int_equal(make(&c, &file, 1, &drive).code, ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_other_label),
		cmocka_unit_test(test_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
