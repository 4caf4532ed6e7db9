/* SPDX-License-Identifier: Apache-2.0
 * Backups in a directory and in an S3 bucket: full and incremental ones, the stored objects, restored
 * content, the rest after a deletion, and damaged or incomplete backups. Each test uses both kinds of
 * store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/backup_data.h"
#include "s3_server.h"

#define MIB (INT64_C(1) << 20)
enum { DISK_MIB = 21 }; /* not a whole number of chunks */

static const uuid FIRST = {.b = {1, 1}}, SECOND = {.b = {2, 2}}, THIRD = {.b = {3, 3}};

static struct bench {
	char folder[48];
	struct arena *arena;
	struct ctx c;
	struct s3_server *server; /* NULL: a directory */
	struct backup_store *store;
	int64_t bytes_left; /* of the account */
	uuid chain;         /* none: each backup has its own folder */
	int chunks_left;    /* before goes_on() says no; negative: it never does */
} bench;

static const char *path_of(const char *name)
{
	return str_print(bench.arena, "%s/%s", bench.folder, name).p;
}

static void must(struct result r)
{
	if (!result_is_ok(r))
		fail_msg("%d: %" STR_FMT, r.code, STR_ARG(bench.c.problem.message));
}

static void open_bench(void)
{
	bench = (struct bench){
		.folder = "/tmp/dari-backup-XXXXXX", .bytes_left = INT64_MAX, .chunks_left = -1};
	assert_non_null(mkdtemp(bench.folder));
	bench.arena = arena_new(4 * MIB, 64 * MIB);
	ctx_init(&bench.c, bench.arena);
}

static int setup_directory(void **state)
{
	(void) state;
	open_bench();
	struct backup_target target = {.url = str_print(bench.arena, "file://%s/store", bench.folder)};
	must(backup_store_new(&bench.c, &target, &bench.store));
	return 0;
}

static int setup_bucket(void **state)
{
	(void) state;
	open_bench();
	bench.server = s3_server_start("bucket");
	must(file_write_synced(&bench.c, path_of("secret"), STR("SECRET\n"), 0600));
	struct backup_target target = {
		.url = STR("s3://bucket/some/prefix"),
		.endpoint = str_print(bench.arena, "http://127.0.0.1:%d/", s3_server_port(bench.server)),
		.region = STR("here-1"),
		.key_id = STR("KEYID"),
		.secret_file = str_from(path_of("secret"))};
	must(backup_store_new(&bench.c, &target, &bench.store));
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	backup_store_free(bench.store);
	if (bench.server)
		s3_server_end(bench.server);
	file_remove_tree(bench.folder);
	arena_free(bench.arena);
	return 0;
}

/* ---- disks and backups ---- */

static bool goes_on(void *arg)
{
	(void) arg;
	return bench.chunks_left < 0 || bench.chunks_left-- > 0;
}
static int64_t find_left(void *arg)
{
	(void) arg;
	return bench.bytes_left;
}
static const struct backup_watch watch = {goes_on, find_left, NULL};

static struct backup_place place_of(uuid id)
{
	return (struct backup_place){
		.store = bench.store, .container = STR("volumebackups"), .id = id, .chain = bench.chain};
}

static void make_disk(const char *name)
{
	AUTO_FD fd = open(path_of(name), O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, DISK_MIB * MIB) == 0);
}

static void write_at(const char *name, int64_t at, const char *text)
{
	AUTO_FD fd = open(path_of(name), O_RDWR);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
}

static struct result back_up(uuid id, uuid parent, const char *name, struct backup_written *ret_written)
{
	static const struct tag properties[] = {{STR("a"), STR("1")}, {STR("b"), STR("\"2\"")}};
	struct backup_place place = place_of(id), before = place_of(parent);
	struct backup_facts facts = {.parent = parent,
				     .size = DISK_MIB * MIB,
				     .data_us = 1700000000000000,
				     .is_bootable = true,
				     .image_properties = {properties, 2},
				     .volume_tags = {properties, 1}};
	AUTO(backup_manifest) m = NULL;
	if (!uuid_is_none(parent))
		must(backup_manifest_load(&bench.c, &before, &m));
	return backup_data_write(&bench.c, &place, &facts, m, path_of(name), &watch, ret_written);
}

static struct result restore(uuid id, const char *name)
{
	struct backup_place place = place_of(id);
	AUTO(backup_manifest) m = NULL;
	TRY(backup_manifest_load(&bench.c, &place, &m));
	return backup_data_read(&bench.c, &place, m, path_of(name), &watch);
}

static void expect_same(const char *a, const char *b)
{
	struct str bytes[2];
	struct arena *arena = arena_new(MIB, 64 * MIB);
	struct ctx c;
	ctx_init(&c, arena);
	must(file_read(&c, path_of(a), DISK_MIB * MIB, &bytes[0]));
	must(file_read(&c, path_of(b), DISK_MIB * MIB, &bytes[1]));
	assert_int_equal(bytes[0].n, DISK_MIB * MIB);
	assert_true(str_equal(bytes[0], bytes[1]));
	arena_free(arena);
}

static size_t count_in(const char *folder)
{
	struct strs names = {0};
	must(backup_store_list(bench.store, &bench.c, str_from(folder), &names));
	return names.count;
}

#define FIRST_FOLDER "volumebackups/01010000-0000-0000-0000-000000000000"
#define SECOND_FOLDER "volumebackups/02020000-0000-0000-0000-000000000000"
#define THIRD_FOLDER "volumebackups/03030000-0000-0000-0000-000000000000"

static int64_t weigh(const char *folder)
{
	struct strs names = {0};
	int64_t size = 0;
	must(backup_store_list(bench.store, &bench.c, str_from(folder), &names));
	for (size_t k = 0; k < names.count; k++) {
		struct buf bytes;
		buf_init(&bytes, MIB);
		must(backup_store_get(bench.store, &bench.c,
				      str_print(bench.arena, "%s/%" STR_FMT, folder, STR_ARG(names.at[k])),
				      &bytes));
		size += (int64_t) bytes.size;
		buf_done(&bytes);
	}
	return size;
}

/* ---- cases ---- */

/* A backup stops in its midst when its account has no bytes left; nothing counts as a backup then, and its parts can be removed. */
static void test_account_is_full(void **state)
{
	struct backup_written written = {0};
	struct backup_place place = place_of(FIRST);
	(void) state;
	make_disk("disk");
	write_at("disk", 100, "one");
	write_at("disk", 9 * MIB, "two");
	bench.bytes_left = 1; /* the first chunk passes, whatever its size */
	assert_int_equal(back_up(FIRST, UUID_NONE, "disk", &written).code, ERR_QUOTA);
	ctx_clear_problem(&bench.c);
	assert_int_equal(count_in(FIRST_FOLDER), 1);
	assert_int_equal(restore(FIRST, "back").code, ERR_NOT_FOUND);
	ctx_clear_problem(&bench.c);
	must(backup_data_remove(&bench.c, &place));
	assert_int_equal(count_in(FIRST_FOLDER), 0);
}

static void test_full_and_incremental(void **state)
{
	struct backup_written written = {0};
	(void) state;
	make_disk("disk");
	write_at("disk", 100, "one");
	write_at("disk", 9 * MIB, "two");
	write_at("disk", DISK_MIB * MIB - 3, "end");
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	assert_int_equal(written.object_count, 4);
	assert_true(written.stored_size > 0 && written.stored_size < 64 << 10);
	assert_int_equal(count_in(FIRST_FOLDER), 4);
	assert_int_equal(
		system(str_print(bench.arena, "cp --sparse=always %s %s", path_of("disk"), path_of("old")).p),
		0);
	write_at("disk", 9 * MIB, "TWO");
	must(back_up(SECOND, FIRST, "disk", &written));
	assert_int_equal(written.object_count, 2);
	must(back_up(THIRD, SECOND, "disk", &written));
	assert_int_equal(written.object_count, 1); /* its manifest */
	must(restore(FIRST, "restored"));
	expect_same("old", "restored");
	must(restore(SECOND, "restored"));
	expect_same("disk", "restored");
	must(restore(THIRD, "restored"));
	expect_same("disk", "restored");
}

static void test_facts_come_back(void **state)
{
	struct backup_written written = {0};
	AUTO(backup_manifest) m = NULL;
	(void) state;
	make_disk("disk");
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	struct backup_place place = place_of(FIRST);
	must(backup_manifest_load(&bench.c, &place, &m));
	const struct backup_facts *f = backup_manifest_facts(m);
	assert_int_equal(f->size, DISK_MIB * MIB);
	assert_int_equal(f->data_us, 1700000000000000);
	assert_true(f->is_bootable && !f->is_encrypted && !f->is_file && uuid_is_none(f->parent));
	assert_int_equal(f->image_properties.count, 2);
	assert_true(str_is(f->image_properties.at[1].value, "\"2\""));
	assert_int_equal(f->volume_tags.count, 1);
}

/* Equal chunks are stored once, and a backup of nothing has a manifest alone. */
static void test_equal_chunks(void **state)
{
	struct backup_written written = {0};
	(void) state;
	make_disk("disk");
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	assert_int_equal(written.object_count, 1);
	for (int64_t k = 0; k < 4; k++)
		write_at("disk", k * BACKUP_CHUNK_SIZE, "same");
	must(back_up(SECOND, UUID_NONE, "disk", &written));
	assert_int_equal(written.object_count, 2);
	must(restore(SECOND, "restored"));
	expect_same("disk", "restored");
}

/* Noise, which takes more room compressed than it has. */
static void test_noise(void **state)
{
	struct backup_written written = {0};
	(void) state;
	make_disk("disk");
	assert_int_equal(
		system(str_print(bench.arena,
				 "dd if=/dev/urandom of=%s bs=1M count=5 seek=2 conv=notrunc 2>/dev/null",
				 path_of("disk"))
			       .p),
		0);
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	assert_true(written.stored_size > 5 * MIB);
	must(restore(FIRST, "restored"));
	expect_same("disk", "restored");
}

/* An interrupted backup is not valid, and is written again. */
static void test_half_of_one(void **state)
{
	struct backup_written written = {0};
	(void) state;
	make_disk("disk");
	write_at("disk", 0, "one");
	write_at("disk", 9 * MIB, "two");
	bench.chunks_left = 1;
	assert_int_equal(back_up(FIRST, UUID_NONE, "disk", &written).code, ERR_AGAIN);
	bench.chunks_left = -1;
	ctx_clear_problem(&bench.c);
	assert_int_equal(count_in(FIRST_FOLDER), 1);
	assert_int_equal(restore(FIRST, "restored").code, ERR_NOT_FOUND);
	ctx_clear_problem(&bench.c);
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	must(restore(FIRST, "restored"));
	expect_same("disk", "restored");
}

/* Three backups of a chain share its folder. Removing them in any order leaves what the others need. */
static void test_chain(void **state)
{
	struct backup_written written = {0};
	int64_t freed = 0;
	(void) state;
	bench.chain = FIRST;
	make_disk("disk");
	write_at("disk", 0, "common");
	write_at("disk", 9 * MIB, "first");
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	write_at("disk", 9 * MIB, "other");
	must(back_up(SECOND, FIRST, "disk", &written));
	assert_int_equal(written.object_count, 2);
	write_at("disk", 9 * MIB, "first"); /* the parent lacks it, the chain has it */
	must(back_up(THIRD, SECOND, "disk", &written));
	assert_int_equal(count_in(FIRST_FOLDER), 4); /* three chunks and a manifest */
	struct backup_place place = place_of(FIRST);
	const uuid after_first[] = {SECOND, THIRD};
	must(backup_data_collect(&bench.c, &place, after_first, 2, &freed));
	assert_true(freed > 100); /* its manifest, and the chunk that the third has stored, too */
	assert_int_equal(count_in(FIRST_FOLDER), 3);
	place = place_of(SECOND);
	must(backup_data_collect(&bench.c, &place, &THIRD, 1, &freed));
	assert_true(freed > 0);
	must(backup_data_collect(&bench.c, &place, &THIRD, 1, &freed)); /* repeated after a crash */
	assert_int_equal(freed, 0);
	assert_int_equal(count_in(FIRST_FOLDER), 2);
	assert_int_equal(count_in(SECOND_FOLDER), 0);
	must(restore(THIRD, "restored"));
	expect_same("disk", "restored");
	place = place_of(THIRD);
	must(backup_data_collect(&bench.c, &place, NULL, 0, &freed));
	assert_int_equal(count_in(FIRST_FOLDER), 0);
	bench.chain = UUID_NONE;
}

/* The last backup of a chain counts the bytes that are stored, whichever was removed before, and although a chunk was stored
 * by two of them. */
static void test_chain_counts_its_bytes(void **state)
{
	const uuid ids[] = {FIRST, SECOND, THIRD};
	(void) state;
	bench.chain = FIRST;
	for (size_t last = 0; last < 3; last++)
		for (size_t turn = 1; turn < 3; turn++) {
			const uuid gone[] = {ids[(last + turn) % 3], ids[(last + 3 - turn) % 3]};
			const uuid left[] = {gone[1], ids[last]};
			struct backup_written written[3];
			int64_t counted = 0, freed = 0;
			make_disk("disk");
			write_at("disk", 0, "common");
			write_at("disk", 9 * MIB, "first");
			must(back_up(FIRST, UUID_NONE, "disk", &written[0]));
			write_at("disk", 9 * MIB, "other");
			must(back_up(SECOND, FIRST, "disk", &written[1]));
			write_at("disk", 9 * MIB, "first");
			must(back_up(THIRD, SECOND, "disk", &written[2]));
			for (size_t k = 0; k < 3; k++)
				counted += written[k].stored_size;
			for (size_t k = 0; k < 2; k++) {
				struct backup_place place = place_of(gone[k]);
				must(backup_data_collect(&bench.c, &place, left + k, 2 - k, &freed));
				counted -= freed;
			}
			assert_int_equal(counted,
					 weigh(FIRST_FOLDER) + weigh(SECOND_FOLDER) + weigh(THIRD_FOLDER));
			struct backup_place place = place_of(ids[last]);
			must(backup_data_collect(&bench.c, &place, NULL, 0, &freed));
			assert_int_equal(weigh(FIRST_FOLDER), 0);
		}
	bench.chain = UUID_NONE;
}

static void test_removal(void **state)
{
	struct backup_written written = {0};
	(void) state;
	make_disk("disk");
	write_at("disk", 0, "one");
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	write_at("disk", 9 * MIB, "two");
	must(back_up(SECOND, FIRST, "disk", &written));
	struct backup_place place = place_of(SECOND);
	must(backup_data_remove(&bench.c, &place));
	must(backup_data_remove(&bench.c, &place));
	assert_int_equal(count_in(SECOND_FOLDER), 0);
	must(restore(FIRST, "restored"));
	place = place_of(FIRST);
	must(backup_data_remove(&bench.c, &place));
	assert_int_equal(count_in(FIRST_FOLDER), 0);
	if (bench.server)
		assert_int_equal(s3_server_count(bench.server), 0);
}

/* A truncated or altered manifest or chunk leads to a refusal at most, for every byte. */
static void test_damage(void **state)
{
	struct backup_written written = {0};
	struct buf text;
	struct str manifest = STR(FIRST_FOLDER "/manifest.json");
	(void) state;
	make_disk("disk");
	write_at("disk", 0, "one");
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	buf_init(&text, MIB);
	must(backup_store_get(bench.store, &bench.c, manifest, &text));
	for (size_t n = 0; n < text.size; n += 7) {
		struct str half = {text.p, n};
		must(backup_store_put(bench.store, &bench.c, manifest, half));
		assert_int_equal(restore(FIRST, "restored").code, ERR_INVALID);
		ctx_clear_problem(&bench.c);
	}
	must(backup_store_put(bench.store, &bench.c, manifest, buf_str(&text)));
	buf_done(&text);
	struct strs names = {0};
	must(backup_store_list(bench.store, &bench.c, STR(FIRST_FOLDER), &names));
	for (size_t k = 0; k < names.count; k++)
		if (!str_is(names.at[k], "manifest.json"))
			must(backup_store_put(
				bench.store, &bench.c,
				str_print(bench.arena, FIRST_FOLDER "/%" STR_FMT, STR_ARG(names.at[k])),
				STR("damaged")));
	assert_int_equal(restore(FIRST, "restored").code, ERR_INVALID);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"",       "/",  "a/",  "/a",    "a//b", "../a",
					  "a/../b", ".a", "a b", "a/b?c", "a%2Fb"};
	(void) state;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		assert_int_equal(backup_store_put(bench.store, &bench.c, str_from(bad[k]), STR("x")).code,
				 ERR_INVALID);
		ctx_clear_problem(&bench.c);
	}
}

/* A folder's list has its objects and its folders, and nothing of what those hold. */
static void test_folders(void **state)
{
	static const char *const objects[] = {"a/one", "a/b/two", "a/b/three", "a/c/d/four", "ab/five"};
	struct strs names = {0};
	(void) state;
	for (size_t k = 0; k < sizeof objects / sizeof objects[0]; k++)
		must(backup_store_put(bench.store, &bench.c, str_from(objects[k]), STR("x")));
	must(backup_store_list(bench.store, &bench.c, STR("a"), &names));
	assert_int_equal(names.count, 3);
	for (size_t k = 0; k < names.count; k++)
		assert_true(str_is(names.at[k], "one") || str_is(names.at[k], "b") ||
			    str_is(names.at[k], "c"));
	assert_int_equal(count_in("a/b"), 2);
	assert_int_equal(count_in("absent"), 0);
}

static void test_a_bucket_that_fails(void **state)
{
	struct backup_written written = {0};
	(void) state;
	make_disk("disk");
	write_at("disk", 0, "one");
	s3_server_fail(bench.server, 1);
	assert_int_equal(back_up(FIRST, UUID_NONE, "disk", &written).code, ERR_IO);
	assert_true(str_contains(bench.c.problem.message, STR("503 SlowDown")));
	ctx_clear_problem(&bench.c);
	must(back_up(FIRST, UUID_NONE, "disk", &written));
	s3_server_fail(bench.server, 1);
	assert_int_equal(restore(FIRST, "restored").code, ERR_IO);
}

static void test_targets(void **state)
{
	static const char *const bad[] = {"/srv",    "file://srv", "s3://",   "s3://b",
					  "s3:///b", "s3://../x",  "http://a"};
	(void) state;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		struct backup_target target = {.url = str_from(bad[k])};
		AUTO(backup_store) store = NULL;
		assert_int_equal(backup_store_new(&bench.c, &target, &store).code, ERR_INVALID);
		ctx_clear_problem(&bench.c);
	}
}

#define BOTH(test)                                                                                           \
	cmocka_unit_test_setup_teardown(test, setup_directory, teardown),                                    \
		cmocka_unit_test_setup_teardown(test, setup_bucket, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_full_and_incremental),
		BOTH(test_facts_come_back),
		BOTH(test_equal_chunks),
		BOTH(test_noise),
		BOTH(test_half_of_one),
		BOTH(test_chain),
		BOTH(test_chain_counts_its_bytes),
		BOTH(test_account_is_full),
		BOTH(test_removal),
		BOTH(test_damage),
		BOTH(test_names),
		BOTH(test_folders),
		cmocka_unit_test_setup_teardown(test_a_bucket_that_fails, setup_bucket, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup_directory, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
