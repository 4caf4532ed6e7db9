/* SPDX-License-Identifier: Apache-2.0
 * Compressed images: every format is unpacked correctly, and damaged, oversized and uncompressed files are
 * refused. */
#include "../base/test_base.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <unistd.h>

#include "drivers/image/image_file.h"
#include "drivers/image/image_unpack.h"

enum { SIZE = 300 * 1024 };

struct place {
	struct ctx c;
	struct arena *arena;
	char directory[64], packed[128], plain[SIZE];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	p->arena = arena_new(1 << 16, 16 << 20);
	ctx_init(&p->c, p->arena);
	strcpy(p->directory, "/tmp/dari-unpack-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	snprintf(p->packed, sizeof p->packed, "%s/packed", p->directory);
	for (size_t k = 0; k < SIZE; k++)
		p->plain[k] = (char) (k * k >> 7);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	(void) unlink(p->packed);
	assert_int_equal(rmdir(p->directory), 0); /* nothing else is left */
	arena_free(p->arena);
	free(p);
	return 0;
}

static void pack(struct place *p, int (*add)(struct archive *a), bool is_zip)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	assert_int_equal(is_zip ? archive_write_set_format_zip(a) : archive_write_set_format_raw(a), 0);
	assert_true(!add || add(a) == ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, p->packed), 0);
	archive_entry_set_pathname(entry, "disk.raw");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, SIZE);
	assert_int_equal(archive_write_header(a, entry), 0);
	assert_int_equal(archive_write_data(a, p->plain, SIZE), SIZE);
	archive_entry_free(entry);
	assert_int_equal(archive_write_close(a), 0);
	archive_write_free(a);
}

static struct result unpack(struct place *p, int64_t cap_size, int64_t *ret_size)
{
	AUTO(image_upload) to = NULL;
	const struct image_packed wish = {.path = p->packed, .cap_size = cap_size};
	assert_ok(image_upload_new(&p->c, p->directory, &to));
	struct result result = image_unpack(&p->c, &wish, to);
	*ret_size = image_upload_size(to);
	return result;
}

static void test_each_packing(void **state)
{
	struct place *p = *state;
	int (*const filters[])(struct archive *) = {archive_write_add_filter_gzip,
						    archive_write_add_filter_bzip2, NULL};
	for (size_t k = 0; k < sizeof filters / sizeof *filters; k++) {
		int64_t size = 0;
		pack(p, filters[k], filters[k] == NULL);
		assert_ok(unpack(p, SIZE, &size));
		assert_int_equal(size, SIZE);
		assert_int_equal(unpack(p, SIZE - 1, &size).code, ERR_TOO_LARGE);
		ctx_clear_problem(&p->c);
	}
}

static void test_refused(void **state)
{
	struct place *p = *state;
	int64_t size = 0;
	pack(p, NULL, false); /* plain bytes under a packed name */
	assert_int_equal(unpack(p, SIZE, &size).code, ERR_INVALID);
	ctx_clear_problem(&p->c);
	pack(p, archive_write_add_filter_gzip, false);
	assert_int_equal(truncate(p->packed, 200), 0);
	assert_int_equal(unpack(p, SIZE, &size).code, ERR_INVALID);
	ctx_clear_problem(&p->c);
}

static void test_names(void **state)
{
	(void) state;
	assert_true(image_is_packed(STR("http://x/disk.qcow2.BZ2?a=b")));
	assert_true(image_is_packed(STR("http://x/disk.zip")) && image_is_packed(STR("http://x/d.raw.gz#a")));
	assert_false(image_is_packed(STR("http://x/disk.qcow2")) || image_is_packed(STR("http://x/d?x=.gz")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_packing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
