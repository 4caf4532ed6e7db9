/* SPDX-License-Identifier: Apache-2.0
 * Uploads of blocks: threads that write one block at once, far blocks of huge disks, writing after the import has begun or
 * the files were removed, and files that no row needs. tests/contract/ebs/blocks.py has the rest. */
#include "drivers/block_upload.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <cmocka.h>

#include "base/heap.h"

enum { WRITERS = 4, ROUNDS = 25 };
#define GIB (INT64_C(1) << 30)

struct bench {
	struct arena *arena;
	struct ctx c;
	char directory[64];
	struct block_upload upload;
};

static struct bench open_bench(int64_t size)
{
	struct bench b = {.arena = arena_new(ARENA_FIRST_SIZE, 64 << 20),
			  .directory = "/tmp/dari-blocks-XXXXXX"};
	assert_non_null(mkdtemp(b.directory));
	b.upload = (struct block_upload){.id = uuid_random(), .size = size};
	return b;
}

static void begin(struct bench *b)
{
	ctx_init(&b->c, b->arena);
	b->upload.directory = b->directory;
}

static void close_bench(struct bench *b)
{
	block_upload_remove(&b->upload);
	assert_int_equal(rmdir(b->directory), 0); /* nothing else was left */
	arena_free(b->arena);
}

static void fine(const struct bench *b, struct result result)
{
	if (!result_is_ok(result))
		fail_msg("%" STR_FMT, STR_ARG(b->c.problem.message));
}

static void digest_of(const uint8_t *bytes, uint8_t ret_digest[static SHA256_SIZE])
{
	crypto_sha256((struct str){(const char *) bytes, DISK_BLOCK_SIZE}, ret_digest);
}

static struct result put(struct bench *b, int64_t index, uint8_t letter)
{
	static uint8_t bytes[DISK_BLOCK_SIZE];
	uint8_t digest[SHA256_SIZE];
	memset(bytes, letter, sizeof bytes);
	digest_of(bytes, digest);
	return block_upload_put(&b->c, &b->upload, index, bytes, digest);
}

struct writer {
	pthread_t thread;
	const struct block_upload *upload;
	uint8_t letter;
	bool is_fine;
};

static void *write_often(void *arg)
{
	struct writer *w = arg;
	uint8_t *bytes = heap_alloc(DISK_BLOCK_SIZE), digest[SHA256_SIZE];
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, 1 << 20);
	struct ctx c;
	ctx_init(&c, arena);
	memset(bytes, w->letter, DISK_BLOCK_SIZE);
	digest_of(bytes, digest);
	w->is_fine = true;
	for (int k = 0; k < ROUNDS; k++)
		w->is_fine &= result_is_ok(block_upload_put(&c, w->upload, 3, bytes, digest));
	heap_free(bytes);
	arena_free(arena);
	return NULL;
}

static void read_file(const struct bench *b, const char *suffix, int64_t at, void *bytes, size_t size)
{
	char path[256], id[UUID_TEXT_SIZE];
	(void) snprintf(path, sizeof path, "%s/snapshot-%s%s", b->directory, uuid_write(b->upload.id, id),
			suffix);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_equal(fread(bytes, 1, size, file), size);
	(void) fclose(file);
}

/* The digest is that of the content, whoever was last. */
static void test_one_block_at_once(void **state)
{
	(void) state;
	static uint8_t bytes[DISK_BLOCK_SIZE];
	uint8_t digest[SHA256_SIZE], right[SHA256_SIZE];
	struct writer writers[WRITERS];
	struct bench b = open_bench(GIB);
	begin(&b);
	for (int k = 0; k < WRITERS; k++) {
		writers[k] = (struct writer){.upload = &b.upload, .letter = (uint8_t) ('a' + k)};
		assert_int_equal(pthread_create(&writers[k].thread, NULL, write_often, &writers[k]), 0);
	}
	for (int k = 0; k < WRITERS; k++) {
		(void) pthread_join(writers[k].thread, NULL);
		assert_true(writers[k].is_fine);
	}
	read_file(&b, BLOCK_UPLOAD_SUFFIX, 3 * DISK_BLOCK_SIZE, bytes, sizeof bytes);
	read_file(&b, BLOCK_UPLOAD_MAP_SUFFIX, 4096 + 3 * SHA256_SIZE, digest, sizeof digest);
	digest_of(bytes, right);
	assert_memory_equal(digest, right, sizeof right);
	close_bench(&b);
}

/* Holes are skipped: the digests of this disk have 512 MiB, of which two pieces were written. */
static void test_far_blocks(void **state)
{
	(void) state;
	struct block_upload_sum sum, same;
	struct bench b = open_bench(8192 * GIB);
	begin(&b);
	fine(&b, put(&b, 8192 * 2048 - 1, 'z'));
	fine(&b, put(&b, 0, 'a'));
	fine(&b, block_upload_sum(&b.c, &b.upload, &sum));
	assert_int_equal(sum.count, 2);
	block_upload_remove(&b.upload);
	fine(&b, put(&b, 5, 'a'));
	fine(&b, put(&b, 6, 'z'));
	fine(&b, block_upload_sum(&b.c, &b.upload, &same));
	assert_true(str_equal(sum.sha256, same.sha256));
	assert_int_equal(put(&b, 8192 * 2048, 'x').code, ERR_RANGE);
	close_bench(&b);
}

static void test_sealed(void **state)
{
	(void) state;
	struct image_file file = {0};
	struct disk_payer payer = {.left_size = INT64_MAX};
	struct bench b = open_bench(GIB);
	char path[256];
	begin(&b);
	fine(&b, put(&b, 1, 'a'));
	fine(&b, block_upload_import(&b.c, &b.upload, NULL, NULL, &payer, &file));
	assert_int_equal(file.virtual_size, GIB);
	assert_int_equal(put(&b, 2, 'b').code, ERR_STATE);
	ctx_clear_problem(&b.c);
	fine(&b, block_upload_import(&b.c, &b.upload, NULL, NULL, &payer, &file)); /* as after a crash */
	struct str made = image_file_path(b.arena, b.directory, file.sha256);
	(void) snprintf(path, sizeof path, "%" STR_FMT, STR_ARG(made));
	assert_int_equal(unlink(path), 0);
	close_bench(&b);
}

static bool is_the_one(void *arg, uuid id)
{
	return uuid_equal(*(uuid *) arg, id);
}

static void test_files_that_no_row_needs(void **state)
{
	(void) state;
	struct block_upload_sum sum;
	struct bench b = open_bench(GIB);
	begin(&b);
	uuid kept = b.upload.id;
	fine(&b, put(&b, 1, 'a'));
	b.upload.id = uuid_random();
	fine(&b, put(&b, 1, 'a'));
	block_upload_collect(b.directory, is_the_one, &kept);
	fine(&b, block_upload_sum(&b.c, &b.upload, &sum));
	assert_int_equal(sum.count, 0);
	b.upload.id = kept;
	fine(&b, block_upload_sum(&b.c, &b.upload, &sum));
	assert_int_equal(sum.count, 1);
	block_upload_collect("/nonexistent", is_the_one, &kept);
	close_bench(&b);
}

/* A cleared block counts as not written, and takes no room. */
static void test_cleared_block(void **state)
{
	(void) state;
	struct block_upload_sum sum;
	uint8_t bytes[16], none[16] = {0};
	struct bench b = open_bench(GIB);
	begin(&b);
	assert_true(result_is_ok(put(&b, 2, 'a')));
	assert_true(result_is_ok(put(&b, 3, 'b')));
	assert_true(result_is_ok(block_upload_clear(&b.c, &b.upload, 2)));
	assert_true(result_is_ok(block_upload_sum(&b.c, &b.upload, &sum)));
	assert_int_equal(sum.count, 1);
	read_file(&b, BLOCK_UPLOAD_SUFFIX, 2 * DISK_BLOCK_SIZE, bytes, sizeof bytes);
	assert_memory_equal(bytes, none, sizeof none);
	assert_int_equal(block_upload_clear(&b.c, &b.upload, 1 << 20).code, ERR_RANGE);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_block_at_once),
		cmocka_unit_test(test_cleared_block),
		cmocka_unit_test(test_far_blocks),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_files_that_no_row_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
