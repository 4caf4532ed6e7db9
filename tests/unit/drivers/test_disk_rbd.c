/* SPDX-License-Identifier: Apache-2.0
 * The driver for pools of Ceph on a real Ceph, without guests: what drivers/disk.h promises, what goes out and comes
 * back byte by byte, and a writer that is kept out. Not part of the unit suite: tests/real/all-53-ceph.py starts a Ceph
 * (tests/lib/ceph.py) and runs it.
 *     DARI_TEST_CEPH_MONITOR, _POOL, _USER, _KEY  as tests/lib/ceph.py sets them
 *     DARI_TEST_ONLY                              optional: a pattern of test names */
#include "compute_contract.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "drivers/ceph/pool.h"
#include "model/id.h"

#define MIB (INT64_C(1) << 20)

static struct str monitor[1];
static struct ceph_place place;
static char image[] = "/tmp/dari-rbd-image-XXXXXX";

/* ---- without hosts */

static struct result open_nothing(void *self, struct ctx *c, uuid region, const struct host *host,
				  struct compute_host **ret_host)
{
	(void) self;
	(void) c;
	(void) region;
	(void) host;
	*ret_host = NULL;
	return OK;
}

static void close_nothing(struct compute_host *h)
{
	(void) h;
}

static struct result open_pool(struct ctx *c, uuid region, struct disk_host **ret_pool)
{
	return ceph_open_pool(c, region, &place, ret_pool);
}

static const struct compute_driver no_guests = {
	.scheme = "none", .open_host = open_nothing, .close_host = close_nothing};

struct compute_subject subject = {
	.driver = &no_guests, .disks = &disk_rbd, .open_pool = open_pool, .ceph = &place};

/* ---- files */

static bool run(struct scene *s, const char *const *argv)
{
	struct child_end end = {0};
	struct result r = child_run(&s->c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end);
	if (!result_is_ok(r))
		fail_msg("%s: %" STR_FMT, argv[0], STR_ARG(s->c.problem.message));
	if (end.status)
		print_message("%s %s: %" STR_FMT "%" STR_FMT "\n", argv[0], argv[1], STR_ARG(end.out),
			      STR_ARG(end.err));
	return end.status == 0;
}

static bool are_same(struct scene *s, const char *a, const char *b)
{
	const char *argv[] = {"qemu-img", "compare", "-q", "-f", "qcow2", "-F", "qcow2", a, b, NULL};
	return run(s, argv);
}

static bool is_good(struct scene *s, const char *path)
{
	const char *argv[] = {"qemu-img", "check", "-q", "-f", "qcow2", path, NULL};
	return run(s, argv);
}

static void make_path(char path[static 64])
{
	(void) snprintf(path, 64, "/tmp/dari-rbd-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void) close(fd);
}

static int64_t pull(struct scene *s, const struct disk_name *name, const char *path)
{
	struct disk_copy copy = {.path = str_from(path), .size = 1};
	for (int tries = 0; tries < 100 && copy.done < copy.size; tries++) {
		EXPECT(s, ERR_NONE, subject.disks->pull(s->pool, &s->c, name, &copy));
		if (tries % 2)
			scene_reopen(s); /* the copy resumes after a reconnection */
	}
	assert_int_equal(copy.done, copy.size);
	return copy.size;
}

static void push(struct scene *s, const struct disk_name *name, const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	struct disk_copy copy = {.path = str_from(path), .size = st.st_size};
	for (int tries = 0; tries < 100 && copy.done < copy.size; tries++) {
		EXPECT(s, ERR_NONE, subject.disks->push(s->pool, &s->c, name, &copy));
		if (tries % 2)
			scene_reopen(s);
	}
	assert_int_equal(copy.done, copy.size);
}

/* ---- a client that writes on a volume, as a QEMU does */

static rbd_image_t open_volume(struct scene *writer, uuid volume)
{
	rbd_image_t opened = NULL;
	struct str name = ceph_volume_name(writer->arena, contract_region(), volume);
	EXPECT(writer, ERR_NONE, ceph_open_image(writer->pool, &writer->c, name, NULL, &opened));
	assert_non_null(opened);
	return opened;
}

static int write_on(rbd_image_t opened, int64_t at, int64_t size, char letter)
{
	char *bytes = malloc((size_t) size);
	memset(bytes, letter, (size_t) size);
	ssize_t n = ceph.rbd_write(opened, (uint64_t) at, (size_t) size, bytes);
	int flushed = n < 0 ? (int) n : ceph.rbd_flush(opened);
	free(bytes);
	return n < 0 ? (int) n : flushed;
}

static void write_once(struct scene *s, uuid volume, int64_t at, int64_t size, char letter)
{
	rbd_image_t opened = open_volume(s, volume);
	assert_int_equal(write_on(opened, at, size, letter), 0);
	ceph_autoclose(&opened);
}

/* Discards a range as a guest's trim would; the driver itself has no such call. */
static void discard(struct scene *s, uuid volume, int64_t at, int64_t size)
{
	void *library = dlopen("librbd.so.1", RTLD_NOW | RTLD_LOCAL);
	typeof(rbd_discard) *call = library ? (typeof(call)) dlsym(library, "rbd_discard") : NULL;
	rbd_image_t opened = open_volume(s, volume);
	assert_non_null(call);
	assert_int_equal(call(opened, (uint64_t) at, (uint64_t) size), size);
	ceph_autoclose(&opened);
	(void) dlclose(library);
}

/* ---- content */

/* From a file of the image store to a base, to a volume, to a cut, and back into a file: the same bytes, but where the
 * volume is longer. */
static void test_content(void **state)
{
	(void) state;
	char path[64], again[64];
	struct scene s = scene_open();
	struct disk_name volume = {.id = s.files[0].volume};
	struct disk_cut cut = {.snapshot = id_new(KIND_SNAPSHOT), .volume = volume.id};
	struct disk_name cut_name = {.kind = DISK_CUT, .id = cut.snapshot};
	struct disk_name base = {.kind = DISK_BASE, .sha256 = subject.image_sha256};
	struct disk_cut_seen seen = {0};
	make_path(path);
	make_path(again);
	push(&s, &base, image);
	push(&s, &base, image);
	assert_int_equal(scene_make_disk(&s, &s.files[0]), 128 * MIB);
	struct str base_name = ceph_name_of(s.pool, &s.c, &base);
	assert_true(str_equal(scene_find_disk(&s, DISK_VOLUME, volume.id)->base, base_name));
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &cut, &seen));
	assert_true(seen.is_whole && !seen.is_increment && seen.is_tracked);
	assert_int_equal(seen.size, 128 * MIB);
	pull(&s, &cut_name, path);
	assert_true(is_good(&s, path));
	assert_true(are_same(&s, path, image));
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &cut_name));
	scene_delete_disk(&s, volume.id);
	push(&s, &volume, path); /* a volume returns, without a base */
	assert_int_equal(scene_find_disk(&s, DISK_VOLUME, volume.id)->base.n, 0);
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &base));
	s.files[0].was_there = true;
	assert_int_equal(scene_make_disk(&s, &s.files[0]), 128 * MIB);
	int64_t size = pull(&s, &volume, again);
	assert_true(are_same(&s, again, image));
	assert_true(size < 128 * MIB); /* only allocated data */
	scene_delete_disk(&s, volume.id);
	(void) unlink(path);
	(void) unlink(again);
	scene_close(&s);
}

/* Half of a base, or of a volume, is not taken for one. */
static void test_half(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_seen seen = {0};
	struct disk_name base = {.kind = DISK_BASE, .sha256 = subject.image_sha256};
	struct disk_name volume = {.id = s.files[1].volume};
	for (int k = 0; k < 2; k++) {
		struct str name = ceph_name_of(s.pool, &s.c, k ? &volume : &base);
		AUTO_IMAGE half = NULL;
		EXPECT(&s, ERR_NONE, ceph_make_blank(s.pool, &s.c, name, 128 * MIB));
		EXPECT(&s, ERR_NONE, ceph_open_image(s.pool, &s.c, name, NULL, &half));
		EXPECT(&s, ERR_NONE, ceph_set_meta(s.pool, &s.c, half, META_DONE, "1048576"));
		EXPECT(&s, ERR_NONE, ceph_set_mark(s.pool, &s.c, half));
	}
	EXPECT(&s, ERR_NONE, subject.disks->ensure(s.pool, &s.c, &s.files[0], &seen));
	assert_true(seen.lacks_base && seen.size == 0);
	EXPECT(&s, ERR_CONFLICT, subject.disks->ensure(s.pool, &s.c, &s.files[1], &seen));
	scene_delete_disk(&s, volume.id);
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &base));
	/* Nor is what was being made, before it got its mark. */
	EXPECT(&s, ERR_NONE, ceph_make_blank(s.pool, &s.c, ceph_name_of(s.pool, &s.c, &volume), MIB));
	s.files[1].was_there = true;
	EXPECT(&s, ERR_NOT_FOUND, subject.disks->ensure(s.pool, &s.c, &s.files[1], &seen));
	s.files[1].was_there = false;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 8 * MIB);
	scene_delete_disk(&s, volume.id);
	scene_close(&s);
}

/* ---- increments */

struct taken {
	uuid snapshot;
	char path[64];
	struct disk_cut_seen seen;
};

static struct taken cut(struct scene *s, const struct taken *since)
{
	struct taken t = {.snapshot = id_new(KIND_SNAPSHOT)};
	struct disk_cut wish = {.snapshot = t.snapshot,
				.volume = s->files[1].volume,
				.tracked_from = since ? since->snapshot : UUID_NONE,
				.takes_increment = since != NULL};
	EXPECT(s, ERR_NONE, subject.disks->cut(s->pool, &s->c, &wish, &t.seen));
	assert_true(t.seen.is_whole);
	return t;
}

/* Brings it here, and lays it over the other one if it is an increment. */
static int64_t fetch(struct scene *s, struct taken *t, const struct taken *since)
{
	char part[64];
	struct disk_name name = {.kind = DISK_CUT, .id = t->snapshot};
	make_path(t->path);
	make_path(part);
	int64_t size = pull(s, &name, t->seen.is_increment ? part : t->path);
	EXPECT(s, ERR_NONE, subject.disks->remove(s->pool, &s->c, &name));
	struct disk_layer layer = {.over = str_from(since ? since->path : ""),
				   .increment = str_from(part),
				   .made = str_from(t->path)};
	if (t->seen.is_increment) {
		assert_true(is_good(s, part));
		EXPECT(s, ERR_NONE, subject.disks->lay(&s->c, &layer));
	}
	(void) unlink(part);
	return size;
}

static void check_content(struct scene *s, const struct taken *t, const char *const *letters)
{
	for (; *letters; letters++) {
		struct str place_of = str_print(s->arena, "read -P %s", *letters);
		const char *argv[] = {"qemu-io", "-r", "-f", "qcow2", "-c", place_of.p, t->path, NULL};
		struct child_end end = {0};
		EXPECT(s, ERR_NONE,
		       child_run(&s->c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end));
		if (end.status || str_contains(end.out, STR("verification failed")))
			fail_msg("%s: %" STR_FMT, *letters, STR_ARG(end.out));
	}
}

/* Every snapshot has its moment's content, regardless of later writes, zeroes and growth, and even if its
 * volume was deleted before it was fetched. */
static void test_increments(void **state)
{
	(void) state;
	struct scene s = scene_open();
	uuid volume = s.files[1].volume;
	s.files[1].size = 32 * MIB;
	scene_make_disk(&s, &s.files[1]);
	s.files[1].was_there = true;
	write_once(&s, volume, 0, 16 * MIB, 'a');
	struct taken one = cut(&s, NULL);
	assert_false(one.seen.is_increment);
	write_once(&s, volume, 4 * MIB, MIB, 'b');
	int64_t size = fetch(&s, &one, NULL);
	check_content(&s, &one, (const char *[]){"97 0 16M", "0 16M 16M", NULL});
	discard(&s, volume, 8 * MIB, 4 * MIB);
	s.files[1].size = 64 * MIB;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 64 * MIB);
	write_once(&s, volume, 60 * MIB, MIB, 'c');
	struct taken two = cut(&s, &one);
	assert_true(two.seen.is_increment && two.seen.is_tracked);
	assert_true(fetch(&s, &two, &one) < size);
	check_content(&s, &two,
		      (const char *[]){"97 0 4M", "98 4M 1M", "97 5M 3M", "0 8M 4M", "97 12M 4M", "0 16M 44M",
				       "99 60M 1M", NULL});
	struct taken none = cut(&s, &one); /* since a snapshot that is not known anymore */
	assert_false(none.seen.is_increment);
	fetch(&s, &none, NULL);
	assert_true(are_same(&s, none.path, two.path));
	discard(&s, volume, 0, 8 * MIB);
	struct taken last = cut(&s, &none);
	assert_true(last.seen.is_increment);
	scene_delete_disk(&s, volume);
	fetch(&s, &last, &none);
	check_content(&s, &last, (const char *[]){"0 0 12M", "97 12M 4M", "99 60M 1M", NULL});
	(void) unlink(one.path);
	(void) unlink(two.path);
	(void) unlink(none.path);
	(void) unlink(last.path);
	scene_close(&s);
}

/* At most one record is kept for a volume that is cut repeatedly. A cut without tracking keeps the older
 * record. */
static void test_records(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct strs names = {0};
	scene_make_disk(&s, &s.files[1]);
	struct taken t = cut(&s, NULL);
	struct disk_cut passing = {.snapshot = id_new(KIND_SNAPSHOT),
				   .volume = s.files[1].volume,
				   .tracked_from = t.snapshot,
				   .takes_increment = true,
				   .is_passing = true};
	struct disk_name name = {.kind = DISK_CUT, .id = t.snapshot};
	struct disk_cut_seen seen = {0};
	for (int k = 0; k < 3; k++) {
		EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &name));
		t = cut(&s, &t);
		assert_true(t.seen.is_increment);
		name.id = t.snapshot;
	}
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &name));
	passing.tracked_from = t.snapshot;
	for (int k = 0; k < 2; k++) {
		EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &passing, &seen));
		assert_true(seen.is_increment && !seen.is_tracked);
	}
	name.id = passing.snapshot;
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &name));
	rbd_image_t opened = open_volume(&s, s.files[1].volume);
	EXPECT(&s, ERR_NONE, ceph_list_snapshots(s.pool, &s.c, opened, &names));
	assert_int_equal(names.count, 1);
	ceph_autoclose(&opened);
	scene_delete_disk(&s, s.files[1].volume);
	scene_close(&s);
}

/* ---- users */

/* An open client prevents a volume's removal, and is reported. A blocked client cannot write anymore, not
 * even later; the next client can. */
static void test_block(void **state)
{
	(void) state;
	struct scene s = scene_open(), writer = scene_open(), next = scene_open();
	uuid volume = s.files[1].volume;
	struct disk_name name = {.id = volume};
	struct strs users = {0};
	bool is_blocked = true;
	scene_make_disk(&s, &s.files[1]);
	EXPECT(&s, ERR_NONE, ceph_list_users(s.pool, &s.c, volume, &users));
	assert_int_equal(users.count, 0);
	rbd_image_t opened = open_volume(&writer, volume);
	assert_int_equal(write_on(opened, 0, MIB, 'a'), 0);
	EXPECT(&s, ERR_IN_USE, subject.disks->remove(s.pool, &s.c, &name));
	s.files[1].size = 16 * MIB;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 16 * MIB); /* while it is open */
	EXPECT(&s, ERR_NONE, ceph_list_users(s.pool, &s.c, volume, &users));
	assert_int_equal(users.count, 1);
	struct str address = users.at[0];
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, address, &is_blocked));
	assert_false(is_blocked);
	for (int k = 0; k < 2; k++)
		EXPECT(&s, ERR_NONE, ceph_block(s.pool, &s.c, address, 600));
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, address, &is_blocked));
	assert_true(is_blocked);
	rbd_image_t other = open_volume(&next, volume);
	assert_int_equal(write_on(other, 0, MIB, 'b'), 0);
	assert_int_equal(write_on(opened, 0, MIB, 'c'), -ESHUTDOWN);
	for (int k = 0; k < 2; k++)
		EXPECT(&s, ERR_NONE, ceph_unblock(s.pool, &s.c, address));
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, address, &is_blocked));
	assert_false(is_blocked);
	char byte = 0;
	assert_int_equal(ceph.rbd_read(other, 0, 1, &byte), 1);
	assert_int_equal(byte, 'b');
	ceph_autoclose(&other);
	(void) ceph.rbd_close(opened);
	scene_delete_disk(&s, volume);
	scene_close(&next);
	scene_close(&writer);
	scene_close(&s);
}

/* A whole host, by its address; none of ours is there. */
static void test_block_host(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct str host = STR("192.0.2.7");
	bool is_blocked = true;
	EXPECT(&s, ERR_NONE, ceph_block(s.pool, &s.c, host, 60));
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, host, &is_blocked));
	assert_true(is_blocked);
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, STR("192.0.2.70"), &is_blocked));
	assert_false(is_blocked);
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, STR("192.0.2"), &is_blocked));
	assert_false(is_blocked);
	EXPECT(&s, ERR_NONE, ceph_unblock(s.pool, &s.c, host));
	host = STR("fd00::7");
	EXPECT(&s, ERR_NONE, ceph_block(s.pool, &s.c, host, 60));
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, host, &is_blocked));
	assert_true(is_blocked);
	EXPECT(&s, ERR_NONE, ceph_unblock(s.pool, &s.c, host));
	EXPECT(&s, ERR_NONE, ceph_see_block(s.pool, &s.c, host, &is_blocked));
	assert_false(is_blocked);
	EXPECT(&s, ERR_INVALID, ceph_block(s.pool, &s.c, STR("no address"), 60));
	EXPECT(&s, ERR_INVALID, ceph_block(s.pool, &s.c, STR("\", \"prefix\": \"x"), 60));
	EXPECT(&s, ERR_INVALID, ceph_block(s.pool, &s.c, host, 0));
	scene_close(&s);
}

/* ---- places */

static void test_places(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_host *none = NULL;
	struct ceph_place bad[] = {place, place, place, place, place};
	struct strs nobody = {0};
	bad[0].pool = STR("it's");
	bad[1].user = STR("");
	bad[2].key = STR("no key\n");
	bad[3].monitors = nobody;
	bad[4].pool = STR("nothing");
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		EXPECT(&s, k == 4 ? ERR_NOT_FOUND : ERR_INVALID,
		       ceph_open_pool(&s.c, contract_region(), &bad[k], &none));
	bad[0] = place;
	bad[0].key = STR("AQDY4gtlAAAAABAAr8bGd6EFrTXhM5/Vlkk3uA==");
	EXPECT(&s, ERR_GONE, ceph_open_pool(&s.c, contract_region(), &bad[0], &none));
	scene_close(&s);
}

/* ---- encrypted ones */

/* A container, as large as its disk and its head; what is in it is passed on as it is. */
static void test_encrypted(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_key key = {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
	struct disk_spec *w = &s.files[1], with_base = *w;
	struct disk_seen seen = {0};
	struct disk_cut_seen cut = {0};
	char head[6] = "";
	w->key = &key;
	EXPECT(&s, ERR_NONE, subject.disks->ensure(s.pool, &s.c, w, &seen));
	assert_int_equal(seen.size, w->size);
	w->was_there = true;
	w->size += MIB;
	EXPECT(&s, ERR_NONE, subject.disks->ensure(s.pool, &s.c, w, &seen));
	assert_int_equal(seen.size, w->size);
	w->base_sha256 = STR("00"); /* the disk keeps its first content */
	EXPECT(&s, ERR_NONE, subject.disks->ensure(s.pool, &s.c, w, &seen));
	assert_int_equal(seen.size, w->size);
	w->base_sha256 = STR_NONE;
	rbd_image_t opened = open_volume(&s, w->volume);
	uint64_t size = 0;
	assert_int_equal(ceph.rbd_get_size(opened, &size), 0);
	assert_true((int64_t) size > w->size && (int64_t) size <= w->size + 4 * MIB);
	assert_int_equal(ceph.rbd_read(opened, 0, sizeof head, head), sizeof head);
	assert_memory_equal(head, "LUKS\xba\xbe", sizeof head);
	(void) ceph.rbd_close(opened);
	w->key = NULL;
	EXPECT(&s, ERR_CONFLICT, subject.disks->ensure(s.pool, &s.c, w, &seen));
	w->key = &key;
	struct disk_cut wish = {
		.snapshot = s.files[0].volume, .volume = w->volume, .key = &key, .takes_increment = true};
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &wish, &cut));
	assert_true(cut.is_whole && !cut.is_increment && !cut.is_tracked);
	assert_int_equal(cut.size, w->size);
	EXPECT(&s, ERR_NONE,
	       subject.disks->remove(s.pool, &s.c,
				     &(struct disk_name){.kind = DISK_CUT, .id = wish.snapshot}));
	scene_delete_disk(&s, w->volume);
	with_base.key = &key;
	with_base.base_sha256 = STR("00");
	EXPECT(&s, ERR_INVALID, subject.disks->ensure(s.pool, &s.c, &with_base, &seen));
	scene_close(&s);
}

/* ---- start */

static int run_missing(void)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 1 << 20);
	struct ctx c;
	struct disk_host *none = NULL;
	ctx_init(&c, a);
	struct result r = ceph_open_pool(&c, contract_region(), &place, &none);
	printf("%" STR_FMT "\n", STR_ARG(c.problem.message));
	return r.code == ERR_NOT_FOUND && str_contains(c.problem.message, STR("librbd1")) ? 0 : 1;
}

/* 128 MiB, of which some are noise and some are zeros that were written. */
static void make_image(struct arena *a)
{
	struct ctx c;
	struct child_end end = {0};
	struct str bytes = STR_NONE;
	uint8_t digest[SHA256_SIZE];
	ctx_init(&c, a);
	int fd = mkstemp(image);
	assert_true(fd >= 0);
	(void) close(fd);
	struct str script =
		str_print(a,
			  "set -e; head -c 48M /dev/urandom >%s.raw; truncate -s 128M %s.raw; "
			  "qemu-img convert -f raw -O qcow2 -o compat=1.1 %s.raw %s; rm %s.raw; "
			  "qemu-io -f qcow2 -c 'write -z 8M 8M' -c 'write -P 5 100M 65k' %s >/dev/null",
			  image, image, image, image, image, image);
	const char *argv[] = {"sh", "-c", script.p, NULL};
	assert_true(
		result_is_ok(child_run(&c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end)) &&
		!end.status);
	assert_true(result_is_ok(file_read(&c, image, 256 << 20, &bytes)));
	crypto_sha256(bytes, digest);
	subject.image_path = str_from(image);
	subject.image_sha256 = str_encode_hex(a, digest, sizeof digest);
	subject.image_file_size = (int64_t) bytes.n;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),    cmocka_unit_test(test_half),
		cmocka_unit_test(test_increments), cmocka_unit_test(test_records),
		cmocka_unit_test(test_block),      cmocka_unit_test(test_block_host),
		cmocka_unit_test(test_places),     cmocka_unit_test(test_encrypted),
	};
	monitor[0] = str_from(getenv("DARI_TEST_CEPH_MONITOR"));
	place = (struct ceph_place){.monitors = {monitor, 1},
				    .pool = str_from(getenv("DARI_TEST_CEPH_POOL")),
				    .user = str_from(getenv("DARI_TEST_CEPH_USER")),
				    .key = str_from(getenv("DARI_TEST_CEPH_KEY"))};
	if (!monitor[0].n)
		return fprintf(stderr, "DARI_TEST_CEPH_MONITOR is not set\n"), 1;
	if (getenv("DARI_TEST_NO_LIBRBD"))
		return run_missing();
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 512 << 20);
	make_image(a);
	if (getenv("DARI_TEST_ONLY"))
		cmocka_set_test_filter(getenv("DARI_TEST_ONLY"));
	int failed = disk_contract_run_pool(false);
	failed += cmocka_run_group_tests_name("a pool of Ceph", tests, NULL, NULL);
	(void) unlink(image);
	return failed;
}
