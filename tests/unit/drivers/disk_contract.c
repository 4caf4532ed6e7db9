/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/disk.h. Each opens the host anew and leaves nothing behind. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "compute_contract.h"
#include "drivers/image/image_file.h"
#include "model/id.h"

#define MIB (INT64_C(1) << 20)

static struct disk_name name_of(enum disk_kind kind, uuid id)
{
	return (struct disk_name){.kind = kind, .id = id};
}

/* The driver's notes about requests to guests: begin, end and guest. */
struct asked {
	int begun, ended;
	uuid whose; /* the last one's */
};

static void note_asking(void *arg, uuid guest)
{
	struct asked *asked = arg;
	assert_int_equal(asked->begun - asked->ended, uuid_is_none(guest) ? 1 : 0);
	if (uuid_is_none(guest)) {
		asked->ended++;
	} else {
		asked->begun++;
		asked->whose = guest;
	}
}

static void check_asked(const struct asked *asked, uuid whom)
{
	assert_true(asked->begun > 0);
	assert_int_equal(asked->ended, asked->begun);
	assert_true(uuid_equal(asked->whose, whom));
}

static void test_disk(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[1];
	struct disk_seen seen = {0};
	struct asked asked = {0};
	subject.disks->watch(s.pool, note_asking, &asked);
	scene_delete_disk(&s, w->volume); /* absent */
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	w->size = 24 * MIB;
	assert_int_equal(scene_make_disk(&s, w), 24 * MIB);
	w->size = 16 * MIB; /* never shrunk */
	assert_int_equal(scene_make_disk(&s, w), 24 * MIB);
	const struct disk_item *item = scene_find_disk(&s, DISK_VOLUME, w->volume);
	assert_non_null(item);
	assert_int_equal(item->size, 24 * MIB);
	assert_int_equal(item->base.n, 0);
	w->size = 1000;
	EXPECT(&s, ERR_INVALID, subject.disks->ensure(s.pool, &s.c, w, &seen));
	scene_delete_disk(&s, w->volume);
	scene_delete_disk(&s, w->volume);
	assert_null(scene_find_disk(&s, DISK_VOLUME, w->volume));
	assert_int_equal(asked.begun, 0); /* no guest has it */
	scene_close(&s);
}

/* A disk that existed once is reported as missing, and never created anew. */
static void test_was_there(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[1];
	struct disk_seen seen = {0};
	w->was_there = true;
	EXPECT(&s, ERR_NOT_FOUND, subject.disks->ensure(s.pool, &s.c, w, &seen));
	assert_null(scene_find_disk(&s, DISK_VOLUME, w->volume));
	w->was_there = false;
	scene_make_disk(&s, w);
	w->was_there = true;
	w->size = 16 * MIB;
	assert_int_equal(scene_make_disk(&s, w), 16 * MIB);
	scene_delete_disk(&s, w->volume);
	scene_close(&s);
}

static void test_in_use(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_make_blank_on(&s);
	struct disk_name name = name_of(DISK_VOLUME, s.files[0].volume);
	EXPECT(&s, ERR_IN_USE, subject.disks->remove(s.pool, &s.c, &name));
	s.files[0].size = 160 * MIB;
	struct asked asked = {0};
	subject.disks->watch(s.pool, note_asking, &asked);
	assert_int_equal(scene_make_disk(&s, &s.files[0]), 160 * MIB);
	if (!subject.ceph)
		check_asked(&asked, s.wish.id);
	assert_int_equal(scene_find_disk(&s, DISK_VOLUME, s.files[0].volume)->size, 160 * MIB);
	scene_clear(&s);
	scene_close(&s);
}

/* A cached base stays while anything stands on it. */
static void test_base(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_name base = {.kind = DISK_BASE, .sha256 = subject.image_sha256};
	scene_make_disk(&s, &s.files[0]);
	assert_true(scene_find_disk(&s, DISK_VOLUME, s.files[0].volume)->base.n > 0);
	assert_non_null(scene_find_disk(&s, DISK_BASE, UUID_NONE));
	EXPECT(&s, ERR_IN_USE, subject.disks->remove(s.pool, &s.c, &base));
	scene_delete_disk(&s, s.files[0].volume);
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &base));
	EXPECT(&s, ERR_NONE, subject.disks->remove(s.pool, &s.c, &base));
	assert_null(scene_find_disk(&s, DISK_BASE, UUID_NONE));
	scene_make_disk(&s, &s.files[0]); /* it is sent again */
	scene_delete_disk(&s, s.files[0].volume);
	scene_close(&s);
}

/* ---- cuts and copies */

static struct disk_cut_seen cut_until_whole(struct scene *s, const struct disk_cut *cut)
{
	struct disk_cut_seen seen = {0};
	for (int tries = 0; tries < 3000 && !seen.is_whole; tries++) {
		EXPECT_SOON(s, subject.disks->cut(s->pool, &s->c, cut, &seen));
		assert_in_range(seen.progress, 0, 100);
		if (!seen.is_whole)
			contract_rest_ms(100);
	}
	assert_true(seen.is_whole);
	return seen;
}

static void delete_cut(struct scene *s, uuid snapshot)
{
	struct disk_name name = name_of(DISK_CUT, snapshot);
	EXPECT_SOON(s, subject.disks->remove(s->pool, &s->c, &name));
	assert_null(scene_find_disk(s, DISK_CUT, snapshot));
}

static void pull_all(struct scene *s, const struct disk_name *name, const char *path, int64_t *ret_size)
{
	struct disk_copy copy = {.path = str_from(path), .size = 1};
	for (int tries = 0; tries < 100 && copy.done < copy.size; tries++)
		EXPECT(s, ERR_NONE, subject.disks->pull(s->pool, &s->c, name, &copy));
	assert_true(copy.size > 0);
	assert_int_equal(copy.done, copy.size);
	*ret_size = copy.size;
}

static void push_all(struct scene *s, const struct disk_name *name, const char *path, int64_t size)
{
	struct disk_copy copy = {.path = str_from(path), .size = size};
	for (int tries = 0; tries < 100 && copy.done < copy.size; tries++)
		EXPECT(s, ERR_NONE, subject.disks->push(s->pool, &s->c, name, &copy));
	assert_int_equal(copy.done, size);
}

static void make_path(char path[static 64])
{
	(void) snprintf(path, 64, "/tmp/dari-disk-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void) close(fd);
}

/* Removes the subject's temporary image, on the host and here, and restores the previous one. */
static void drop_kept(struct scene *s, struct str sha256, const char *directory,
		      const struct compute_subject *before)
{
	struct disk_name base = {.kind = DISK_BASE, .sha256 = sha256};
	EXPECT(s, ERR_NONE, subject.disks->remove(s->pool, &s->c, &base));
	(void) unlink(subject.image_path.p);
	(void) rmdir(directory);
	subject = *before;
}

static void test_cut_at_rest(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_cut cut = {.snapshot = id_new(KIND_VOLUME), .volume = s.files[0].volume};
	struct disk_cut_seen seen = {0};
	EXPECT(&s, ERR_NOT_FOUND, subject.disks->cut(s.pool, &s.c, &cut, &seen));
	scene_make_disk(&s, &s.files[0]);
	seen = cut_until_whole(&s, &cut);
	assert_int_equal(seen.size, 128 * MIB);
	assert_int_equal(seen.progress, 100);
	assert_int_equal(scene_find_disk(&s, DISK_CUT, cut.snapshot)->base.n, 0); /* it has no base */
	cut_until_whole(&s, &cut); /* as if its completion had not been recorded */
	scene_delete_disk(&s, cut.volume);
	assert_non_null(scene_find_disk(&s, DISK_CUT, cut.snapshot));
	delete_cut(&s, cut.snapshot);
	delete_cut(&s, cut.snapshot);
	scene_close(&s);
}

static void test_cut_running(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_cut one = {.snapshot = id_new(KIND_VOLUME), .volume = s.files[0].volume};
	struct disk_cut two = {.snapshot = id_new(KIND_VOLUME), .volume = s.files[0].volume};
	struct disk_cut_seen seen = {0};
	struct asked asked = {0};
	scene_make_still(&s);
	subject.disks->watch(s.pool, note_asking, &asked);
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &one, &seen));
	check_asked(&asked, s.wish.id);
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &two, &seen));
	assert_false(seen.is_whole); /* one at a time */
	cut_until_whole(&s, &one);
	cut_until_whole(&s, &two);
	assert_int_equal(scene_find_disk(&s, DISK_CUT, one.snapshot)->base.n, 0);
	delete_cut(&s, one.snapshot);
	delete_cut(&s, two.snapshot);
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &one, &seen));
	delete_cut(&s, one.snapshot); /* ended in the midst of it */
	check_asked(&asked, s.wish.id);
	scene_clear(&s);
	scene_close(&s);
}

/* A guest boots from what another one's root disk held while it ran. */
static void test_cut_boots(void **state)
{
	(void) state;
	char directory[] = "/tmp/dari-kept-XXXXXX";
	struct scene s = scene_open(), t = scene_open();
	struct disk_cut cut = {.snapshot = id_new(KIND_VOLUME), .volume = s.files[0].volume};
	struct disk_name name = name_of(DISK_CUT, cut.snapshot);
	struct image_file kept = {0};
	int64_t size = 0;
	assert_non_null(mkdtemp(directory));
	struct str part = str_print(s.arena, "%s/cut.part", directory);
	s.wish.nic_count = t.wish.nic_count =
		0;         /* nobody gives them a lease here, which they would wait for */
	scene_make_on(&s); /* runs, however far it is */
	cut_until_whole(&s, &cut);
	pull_all(&s, &name, part.p, &size);
	delete_cut(&s, cut.snapshot);
	scene_clear(&s);
	EXPECT(&s, ERR_NONE, image_file_keep(&s.c, part.p, directory, false, &kept));
	assert_int_equal(kept.virtual_size, 128 * MIB);
	assert_int_equal(kept.file_size, size);
	struct compute_subject before = subject;
	subject.image_path = str_print(s.arena, "%s/%" STR_FMT ".qcow2", directory, STR_ARG(kept.sha256));
	t.files[0].base_sha256 = kept.sha256;
	t.files[0].base_file_size = kept.file_size;
	scene_reach_init(&t);
	scene_clear(&t);
	drop_kept(&t, kept.sha256, directory, &before);
	scene_close(&t);
	scene_close(&s);
}

/* Half of one, after a connection was lost, is not taken for one. */
static void test_cut_lost(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_cut cut = {.snapshot = id_new(KIND_VOLUME), .volume = s.files[0].volume};
	struct disk_cut_seen seen = {0};
	scene_make_still(&s);
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &cut, &seen));
	scene_reopen(&s);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	assert_int_equal(cut_until_whole(&s, &cut).size, 128 * MIB);
	delete_cut(&s, cut.snapshot);
	scene_clear(&s);
	scene_close(&s);
}

/* ---- increments */

struct taken {
	uuid snapshot;
	char path[64]; /* the whole of it, as the image store would keep it */
	int64_t size;  /* size of the host's file in bytes */
	struct disk_cut_seen seen;
};

/* A snapshot of the second disk, cut by its host as an increment to *since if possible, and the result as the
 * image store would keep it. */
static struct taken take(struct scene *s, const struct taken *since)
{
	struct taken t = {.snapshot = id_new(KIND_SNAPSHOT)};
	char part[64];
	const struct disk_key *with = s->files[1].key;
	struct disk_cut cut = {.snapshot = t.snapshot,
			       .volume = s->files[1].volume,
			       .key = with,
			       .tracked_from = since ? since->snapshot : UUID_NONE,
			       .takes_increment = since != NULL};
	struct disk_name name = name_of(DISK_CUT, t.snapshot);
	make_path(t.path);
	make_path(part);
	t.seen = cut_until_whole(s, &cut);
	pull_all(s, &name, t.seen.is_increment ? part : t.path, &t.size);
	delete_cut(s, t.snapshot);
	struct disk_layer layer = {.over = str_from(since ? since->path : ""),
				   .increment = str_from(part),
				   .made = str_from(t.path),
				   .key = with};
	for (int times = 0; times < 2 && t.seen.is_increment; times++) /* it may be done again */
		EXPECT(s, ERR_NONE, subject.disks->lay(&s->c, &layer));
	(void) unlink(part);
	print_message("%s of %lld bytes\n", t.seen.is_increment ? "increment" : "cut", (long long) t.size);
	return t;
}

static void check_taken(struct scene *s, const struct taken *t, bool is_increment, const char *words,
			const char *others)
{
	int64_t size = 0;
	EXPECT(s, ERR_NONE, image_file_check_head(&s->c, t->path, s->files[1].key != NULL, &size));
	assert_int_equal(size, t->seen.size);
	assert_int_equal(t->seen.is_increment, is_increment);
	assert_true(t->seen.is_tracked);
	for (const char *w = words; *w; w++)
		assert_true(subject.has(t->path, s->files[1].key, *w - '0'));
	for (const char *w = others; *w; w++)
		assert_false(subject.has(t->path, s->files[1].key, *w - '0'));
}

/* A guest has the second disk, and nothing to boot: QEMU writes on that for it. */
static void make_two_disks(struct scene *s)
{
	scene_make_blank_on(s);
	scene_make_disk(s, &s->files[1]);
	s->wish.disk_count = 2;
	EXPECT(s, ERR_NONE, subject.driver->define(s->h, &s->c, &s->wish));
	assert_true(scene_see(s).devices_as_wished);
	s->files[1].was_there = true;
}

static void set_power(struct scene *s, enum compute_power power)
{
	EXPECT(s, ERR_NONE, subject.driver->set_power(s->h, &s->c, s->wish.id, power));
}

static void drop_taken(struct taken *at, size_t count)
{
	for (size_t k = 0; k < count; k++)
		(void) unlink(at[k].path);
}

/* Each has what was there at its moment, and only the first is a copy of all; libvirtd begins anew between.
 */
static void test_increments(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct taken t[6];
	make_two_disks(&s);
	subject.write(s.wish.id, s.files[1].volume, true, 0);
	t[0] = take(&s, NULL);
	check_taken(&s, &t[0], false, "0", "1");
	subject.write(s.wish.id, s.files[1].volume, true, 1);
	subject.write(s.wish.id, s.files[1].volume, true, 7);
	subject.lose_daemon();
	scene_reopen(&s);
	t[1] = take(&s, &t[0]);
	check_taken(&s, &t[1], true, "017", "2");
	assert_in_range(t[1].size, 1, subject.increment_most);
	check_taken(&s, &t[0], false, "0", "1");
	t[2] = take(&s, &t[1]); /* of nothing */
	drop_taken(t, 2);
	check_taken(&s, &t[2], true, "017", "2");
	subject.write(s.wish.id, s.files[1].volume, true, 2);
	t[3] = take(&s, &t[0]); /* it is noted no more what was written since */
	check_taken(&s, &t[3], false, "0127", "3");
	s.files[1].size = 16 * MIB;
	s.files[1].tracked_from = t[3].snapshot;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 16 * MIB);
	subject.write(s.wish.id, s.files[1].volume, true, 3);
	t[4] = take(&s, &t[3]);
	check_taken(&s, &t[4], true, "01237", "4");
	assert_int_equal(t[4].seen.size, 16 * MIB);
	scene_clear(&s);
	drop_taken(t, 5);
	scene_close(&s);
}

/* Snapshots that were begun: one that is no longer needed, and one whose progress nobody followed. */
static void test_increment_begun(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_cut_seen seen = {0};
	make_two_disks(&s);
	subject.write(s.wish.id, s.files[1].volume, true, 0);
	struct taken one = take(&s, NULL);
	subject.write(s.wish.id, s.files[1].volume, true, 1);
	struct disk_cut cut = {.snapshot = id_new(KIND_SNAPSHOT),
			       .volume = s.files[1].volume,
			       .tracked_from = one.snapshot,
			       .takes_increment = true};
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &cut, &seen));
	scene_reopen(&s);
	seen = cut_until_whole(&s, &cut);
	assert_true(seen.is_tracked);
	delete_cut(&s, cut.snapshot);
	struct taken two = take(&s, NULL);
	cut = (struct disk_cut){.snapshot = id_new(KIND_SNAPSHOT),
				.volume = s.files[1].volume,
				.tracked_from = two.snapshot,
				.takes_increment = true};
	EXPECT(&s, ERR_NONE, subject.disks->cut(s.pool, &s.c, &cut, &seen));
	cut.takes_increment = false;
	assert_false(cut_until_whole(&s, &cut).is_increment);
	delete_cut(&s, cut.snapshot);
	check_taken(&s, &two, false, "01", "2");
	scene_clear(&s);
	drop_taken(&one, 1);
	drop_taken(&two, 1);
	scene_close(&s);
}

/* A cut without tracking changes nothing for the next increment. */
static void test_increment_in_passing(void **state)
{
	(void) state;
	struct scene s = scene_open();
	make_two_disks(&s);
	struct taken one = take(&s, NULL);
	subject.write(s.wish.id, s.files[1].volume, true, 1);
	struct disk_cut cut = {.snapshot = id_new(KIND_SNAPSHOT),
			       .volume = s.files[1].volume,
			       .tracked_from = one.snapshot,
			       .takes_increment = true,
			       .is_passing = true};
	struct disk_cut_seen seen = cut_until_whole(&s, &cut);
	assert_true(seen.is_increment && !seen.is_tracked);
	delete_cut(&s, cut.snapshot);
	struct taken two = take(&s, &one);
	check_taken(&s, &two, true, "1", "2");
	scene_clear(&s);
	drop_taken(&one, 1);
	drop_taken(&two, 1);
	scene_close(&s);
}

/* At rest; with its guest's memory saved between; and after a crash, which spoils what was noted: all is
 * copied, and the disk grows. */
static void test_increments_at_rest(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct taken t[5];
	make_two_disks(&s);
	subject.write(s.wish.id, s.files[1].volume, true, 0);
	t[0] = take(&s, NULL);
	set_power(&s, COMPUTE_SAVE);
	set_power(&s, COMPUTE_START);
	subject.write(s.wish.id, s.files[1].volume, true, 1);
	t[1] = take(&s, &t[0]);
	check_taken(&s, &t[1], true, "01", "2");
	set_power(&s, COMPUTE_FORCE_OFF);
	subject.write(s.wish.id, s.files[1].volume, false, 2);
	t[2] = take(&s, &t[1]);
	check_taken(&s, &t[2], true, "012", "3");
	for (int k = 3; k < 5; k++) {
		set_power(&s, COMPUTE_START);
		subject.end_guest(s.h, s.wish.id, COMPUTE_OFF_CRASHED);
		scene_await_off(&s);
		s.files[1].size += k == 4 ? 8 * MIB : 0;
		s.files[1].tracked_from = t[k - 1].snapshot;
		assert_int_equal(scene_make_disk(&s, &s.files[1]), s.files[1].size);
		t[k] = take(&s, &t[k - 1]);
		check_taken(&s, &t[k], false, "012", "3");
	}
	assert_int_equal(t[4].seen.size, 16 * MIB);
	scene_clear(&s);
	drop_taken(t, 5);
	scene_close(&s);
}

/* ---- a guest that goes over from one disk to another */

struct goer {
	struct compute_disk to;
	struct disk_spec file; /* of that */
	struct compute_swapping wish;
};

/* From the second disk to a blank one of its size. key NULL: that is plain. */
static void make_goer(struct scene *s, const struct disk_key *key, struct goer *ret_goer)
{
	struct disk_spec file = {.volume = id_new(KIND_VOLUME), .size = s->files[1].size, .key = key};
	*ret_goer = (struct goer){.file = file,
				  .to = {.volume = file.volume,
					 .size = file.size,
					 .directory = subject.directory,
					 .slot = 1,
					 .key = key}};
	ret_goer->wish =
		(struct compute_swapping){.instance = s->wish.id, .from = &s->disks[1], .to = &ret_goer->to};
	scene_make_disk(s, &file);
	s->wish.is_swapping = true;
}

static enum compute_swap_stage go(struct scene *s, const struct goer *g, bool begins)
{
	enum compute_swap_stage stage = COMPUTE_SWAP_NONE;
	EXPECT(s, ERR_NONE, subject.driver->swap(s->h, &s->c, &g->wish, begins, &stage));
	return stage;
}

/* From now on the second disk is the other one. */
static void go_over(struct scene *s, const struct goer *g)
{
	enum compute_swap_stage stage = COMPUTE_SWAP_COPYING;
	for (int tries = 0; tries < 300 && stage == COMPUTE_SWAP_COPYING; tries++) {
		contract_rest_ms(100);
		stage = go(s, g, false);
	}
	assert_int_equal(stage, COMPUTE_SWAP_DONE);
	assert_int_equal(go(s, g, true), COMPUTE_SWAP_DONE);
	s->files[1] = g->file;
	s->files[1].was_there = true;
}

static void check_plugged(struct scene *s, uuid has, uuid has_not)
{
	struct compute_seen seen = scene_see(s);
	assert_true(uuids_have(&seen.volumes, has));
	assert_false(uuids_have(&seen.volumes, has_not));
	assert_int_equal(seen.volumes.count, 2);
}

/* Data written before and during the copy is on the other disk; later data only there. The definition has the
 * other disk, too, before the guest writes to a disk again. The first disk may be attached again in
 * addition. */
static void test_swap(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct goer g;
	make_two_disks(&s);
	uuid from = s.files[1].volume;
	subject.write(s.wish.id, from, true, 0);
	struct taken before = take(&s, NULL);
	make_goer(&s, NULL, &g);
	g.wish.tracked_from = before.snapshot;
	assert_int_equal(go(&s, &g, false), COMPUTE_SWAP_NONE);
	assert_int_equal(go(&s, &g, true), COMPUTE_SWAP_COPYING);
	subject.write(s.wish.id, from, true, 1);
	check_plugged(&s, from, g.to.volume);
	subject.lose_daemon();
	scene_reopen(&s);
	go_over(&s, &g);
	check_plugged(&s, g.to.volume, from);
	subject.write(s.wish.id, g.to.volume, true, 2);
	set_power(&s, COMPUTE_FORCE_OFF);
	scene_await_off(&s);
	check_plugged(&s, g.to.volume, from);
	s.disks[1].volume = g.to.volume;
	s.wish.is_swapping = false;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, &s.wish));
	set_power(&s, COMPUTE_START);
	struct taken after = take(&s, NULL);
	check_taken(&s, &after, false, "012", "3");
	scene_clear(&s);
	scene_delete_disk(&s, from);
	drop_taken(&before, 1);
	drop_taken(&after, 1);
	scene_close(&s);
}

/* Onto an encrypted one, and from that back to the first, which was made anew. */
static void test_swap_encrypted(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_key key = {"8899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677"};
	struct goer there, back;
	make_two_disks(&s);
	uuid from = s.files[1].volume;
	subject.write(s.wish.id, from, true, 0);
	make_goer(&s, &key, &there);
	assert_int_equal(go(&s, &there, true), COMPUTE_SWAP_COPYING);
	go_over(&s, &there);
	s.disks[1] = there.to;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, &s.wish));
	assert_true(scene_see(&s).devices_as_wished);
	subject.write(s.wish.id, there.to.volume, true, 1);
	make_goer(&s, NULL, &back);
	assert_int_equal(go(&s, &back, true), COMPUTE_SWAP_COPYING);
	go_over(&s, &back);
	s.disks[1] = back.to;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, &s.wish));
	struct taken after = take(&s, NULL);
	check_taken(&s, &after, false, "01", "2");
	scene_clear(&s);
	scene_delete_disk(&s, from);
	scene_delete_disk(&s, there.to.volume);
	drop_taken(&after, 1);
	scene_close(&s);
}

/* Ended, it is begun anew or not at all; and no guest that is off goes anywhere. */
static void test_swap_ended(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct goer g;
	enum compute_swap_stage stage = COMPUTE_SWAP_NONE;
	make_two_disks(&s);
	uuid from = s.files[1].volume;
	make_goer(&s, NULL, &g);
	EXPECT(&s, ERR_NONE, subject.driver->end_swap(s.h, &s.c, &g.wish));
	assert_int_equal(go(&s, &g, true), COMPUTE_SWAP_COPYING);
	EXPECT(&s, ERR_NONE, subject.driver->end_swap(s.h, &s.c, &g.wish));
	assert_int_equal(go(&s, &g, false), COMPUTE_SWAP_NONE);
	check_plugged(&s, from, g.to.volume);
	set_power(&s, COMPUTE_FORCE_OFF);
	scene_await_off(&s);
	check_plugged(&s, from, g.to.volume);
	EXPECT(&s, ERR_STATE, subject.driver->swap(s.h, &s.c, &g.wish, true, &stage));
	EXPECT(&s, ERR_NONE, subject.driver->end_swap(s.h, &s.c, &g.wish));
	scene_clear(&s);
	scene_delete_disk(&s, g.to.volume);
	scene_close(&s);
}

/* ---- plain images, which several guests can have */

static void delete_plain(struct scene *s, enum disk_kind kind, uuid id)
{
	struct disk_name name = {.kind = kind, .id = id, .is_raw = true};
	EXPECT_SOON(s, subject.disks->remove(s->pool, &s->c, &name));
}

/* Cuts in two calls; for the second the guest need not be paused. */
static void cut_plain(struct scene *s, struct disk_cut *cut, int64_t size)
{
	struct disk_cut_seen seen = {0};
	EXPECT_SOON(s, subject.disks->cut(s->pool, &s->c, cut, &seen));
	assert_true(seen.is_copied && !seen.is_whole);
	cut->is_copied = true;
	EXPECT_SOON(s, subject.disks->cut(s->pool, &s->c, cut, &seen));
	assert_true(seen.is_whole && !seen.is_increment && !seen.is_tracked);
	assert_int_equal(seen.size, size);
	delete_plain(s, DISK_CUT, cut->snapshot);
	delete_cut(s, cut->snapshot);
}

/* A disk is created again until its existence is recorded; from then on it is missing if it is gone. */
static void test_plain_at_rest(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[1];
	struct disk_seen seen = {0};
	struct disk_cut cut = {.snapshot = id_new(KIND_SNAPSHOT), .volume = w->volume, .is_raw = true};
	w->is_raw = true;
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	assert_int_equal(scene_find_disk(&s, DISK_VOLUME, w->volume)->size, 8 * MIB);
	assert_true(scene_find_disk(&s, DISK_VOLUME, w->volume)->name.is_raw);
	w->was_there = w->was_raw = true;
	w->size = 24 * MIB;
	assert_int_equal(scene_make_disk(&s, w), 24 * MIB);
	cut_plain(&s, &cut, 24 * MIB);
	delete_plain(&s, DISK_VOLUME, w->volume);
	EXPECT(&s, ERR_NOT_FOUND, subject.disks->ensure(s.pool, &s.c, w, &seen));
	scene_close(&s);
}

/* An existing disk is converted, and removed once the conversion is recorded. */
static void test_plain_of_disk(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[1];
	scene_make_disk(&s, w);
	w->was_there = w->is_raw = true;
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	w->was_raw = true;
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	assert_true(scene_find_disk(&s, DISK_VOLUME, w->volume)->name.is_raw);
	delete_plain(&s, DISK_VOLUME, w->volume);
	assert_null(scene_find_disk(&s, DISK_VOLUME, w->volume));
	scene_close(&s);
}

static void plug_plain(struct scene *s, uuid volume)
{
	s->disks[1].volume = volume;
	s->disks[1].is_raw = s->disks[1].is_shared = true;
	scene_make_blank_on(s);
	s->wish.disk_count = 2;
	EXPECT(s, ERR_NONE, subject.driver->define(s->h, &s->c, &s->wish));
	assert_true(scene_see(s).devices_as_wished);
}

/* Two guests have it: it grows for both, and is cut while both stand still. */
static void test_shared(void **state)
{
	(void) state;
	struct scene one = scene_open(), two = scene_open();
	struct disk_spec *w = &one.files[1];
	struct disk_cut cut = {.snapshot = id_new(KIND_SNAPSHOT), .volume = w->volume, .is_raw = true};
	struct disk_cut_seen seen = {0};
	struct asked asked = {0};
	w->is_raw = true;
	scene_make_disk(&one, w);
	w->was_there = w->was_raw = true;
	one.wish.disks = one.disks;
	two.wish.disks = two.disks;
	plug_plain(&one, w->volume);
	plug_plain(&two, w->volume);
	subject.disks->watch(one.pool, note_asking, &asked);
	w->size = 16 * MIB;
	w->is_growing = true;
	assert_int_equal(scene_make_disk(&one, w), 16 * MIB);
	assert_true(asked.begun > 0 && asked.begun == asked.ended);
	subject.disks->watch(one.pool, NULL, NULL);
	set_power(&one, COMPUTE_PAUSE);
	EXPECT(&one, ERR_IN_USE, subject.disks->cut(one.pool, &one.c, &cut, &seen));
	set_power(&two, COMPUTE_PAUSE);
	cut_plain(&one, &cut, 16 * MIB);
	struct disk_name name = {.kind = DISK_VOLUME, .id = w->volume, .is_raw = true};
	EXPECT(&one, ERR_IN_USE, subject.disks->remove(one.pool, &one.c, &name));
	scene_clear(&two);
	scene_clear(&one);
	delete_plain(&one, DISK_VOLUME, w->volume);
	scene_close(&two);
	scene_close(&one);
}

/* A volume's file goes out and comes back as it was, also when its coming is broken off. */
static void test_copies(void **state)
{
	(void) state;
	char path[64], again[64];
	struct scene s = scene_open();
	struct disk_name name = name_of(DISK_VOLUME, s.files[0].volume);
	struct disk_copy copy = {.path = STR("/nowhere/at/all"), .size = 1};
	int64_t size = 0, size_again = 0;
	make_path(path);
	make_path(again);
	EXPECT(&s, ERR_NOT_FOUND,
	       subject.disks->pull(s.pool, &s.c, &name, &(struct disk_copy){.path = str_from(path)}));
	scene_make_disk(&s, &s.files[0]);
	EXPECT(&s, ERR_IO, subject.disks->pull(s.pool, &s.c, &name, &copy));
	pull_all(&s, &name, path, &size);
	scene_delete_disk(&s, name.id);
	copy = (struct disk_copy){.path = str_from(path), .size = size + 1};
	EXPECT(&s, ERR_IO, subject.disks->push(s.pool, &s.c, &name, &copy));
	push_all(&s, &name, path, size);
	push_all(&s, &name, path, size);
	s.files[0].was_there = true;
	assert_int_equal(scene_make_disk(&s, &s.files[0]), 128 * MIB);
	assert_true(scene_find_disk(&s, DISK_VOLUME, name.id)->base.n > 0);
	pull_all(&s, &name, again, &size_again);
	assert_int_equal(size_again, size);
	scene_delete_disk(&s, name.id);
	(void) unlink(path);
	(void) unlink(again);
	scene_close(&s);
}

/* ---- encrypted ones */

static const struct disk_key key = {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
			     other_key = {"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};

/* Made, grown at rest and cut at rest; never taken for a plain one, nor opened with another key. */
static void test_encrypted_at_rest(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[1];
	struct disk_seen seen = {0};
	struct disk_cut cut = {.snapshot = id_new(KIND_VOLUME), .volume = w->volume, .key = &key};
	w->key = &key;
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	w->was_there = true;
	assert_int_equal(scene_make_disk(&s, w), 8 * MIB);
	w->size = 24 * MIB;
	assert_int_equal(scene_make_disk(&s, w), 24 * MIB);
	assert_int_equal(scene_find_disk(&s, DISK_VOLUME, w->volume)->size, 24 * MIB);
	w->key = NULL;
	EXPECT(&s, ERR_CONFLICT, subject.disks->ensure(s.pool, &s.c, w, &seen));
	assert_int_equal(cut_until_whole(&s, &cut).size, 24 * MIB);
	cut_until_whole(&s, &cut); /* as if its completion had not been recorded */
	delete_cut(&s, cut.snapshot);
	EXPECT_SOON(&s, subject.disks->cut(s.pool, &s.c, &cut, &(struct disk_cut_seen){0}));
	delete_cut(&s, cut.snapshot); /* in the midst of it, perhaps */
	scene_delete_disk(&s, w->volume);
	scene_close(&s);
}

static void make_encrypted_root(struct scene *s, const struct disk_key *with)
{
	s->files[0].key = s->disks[0].key = with;
	if (s->files[0].base_is_encrypted)
		s->disks[0].encrypted_base = s->files[0].base_sha256;
}

/* A guest boots from an encrypted root disk over a plain image, and another one from what was cut of that; a
 * disk is plugged while it runs. A key that is not the disk's opens nothing. */
static void test_encrypted_guest(void **state)
{
	(void) state;
	char directory[] = "/tmp/dari-kept-XXXXXX";
	struct scene s = scene_open(), t = scene_open();
	struct disk_cut cut = {.snapshot = id_new(KIND_VOLUME), .volume = s.files[0].volume, .key = &key};
	struct disk_name name = name_of(DISK_CUT, cut.snapshot);
	struct image_file kept = {0};
	int64_t size = 0;
	assert_non_null(mkdtemp(directory));
	struct str part = str_print(s.arena, "%s/cut.part", directory);
	make_encrypted_root(&s, &key);
	s.wish.nic_count = t.wish.nic_count =
		0; /* nobody gives them a lease here, which they would wait for */
	scene_reach_init(&s);
	s.files[1].key = s.disks[1].key = &other_key;
	scene_make_disk(&s, &s.files[1]);
	s.wish.disk_count = 2;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, &s.wish));
	assert_true(scene_see(&s).devices_as_wished);
	s.files[1].was_there = true;
	s.files[1].size = 16 * MIB;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 16 * MIB); /* in use */
	subject.write(s.wish.id, s.files[1].volume, true, 0);
	struct taken one = take(&s, NULL);
	subject.write(s.wish.id, s.files[1].volume, true, 1);
	struct taken two = take(&s, &one);
	check_taken(&s, &one, false, "0", "1");
	check_taken(&s, &two, true, "01", "2");
	drop_taken(&one, 1);
	drop_taken(&two, 1);
	cut_until_whole(&s, &cut);
	pull_all(&s, &name, part.p, &size);
	delete_cut(&s, cut.snapshot);
	scene_clear(&s);
	EXPECT(&s, ERR_INVALID, image_file_keep(&s.c, part.p, directory, false, &kept));
	EXPECT(&s, ERR_NONE, image_file_keep(&s.c, part.p, directory, true, &kept));
	assert_int_equal(kept.virtual_size, 128 * MIB);
	struct compute_subject before = subject;
	subject.image_path = str_print(s.arena, "%s/%" STR_FMT ".qcow2", directory, STR_ARG(kept.sha256));
	t.files[0].base_sha256 = kept.sha256;
	t.files[0].base_file_size = kept.file_size;
	t.files[0].base_is_encrypted = true;
	make_encrypted_root(&t, &key);
	scene_reach_init(&t);
	EXPECT(&t, ERR_NONE, subject.driver->set_power(t.h, &t.c, t.wish.id, COMPUTE_FORCE_OFF));
	t.disks[0].key = &other_key;
	EXPECT(&t, ERR_NONE, subject.driver->define(t.h, &t.c, &t.wish));
	EXPECT(&t, ERR_IO, subject.driver->set_power(t.h, &t.c, t.wish.id, COMPUTE_START));
	cut = (struct disk_cut){.snapshot = id_new(KIND_VOLUME),
				.volume = t.files[0].volume,
				.key = &key,
				.encrypted_base = kept.sha256};
	assert_int_equal(cut_until_whole(&t, &cut).size, 128 * MIB);
	delete_cut(&t, cut.snapshot);
	t.files[0].was_there = true;
	t.files[0].size = 160 * MIB;
	assert_int_equal(scene_make_disk(&t, &t.files[0]), 160 * MIB);
	scene_clear(&t);
	drop_kept(&t, kept.sha256, directory, &before);
	scene_close(&t);
	scene_close(&s);
}

/* A file of the image store is encrypted for a copy: a disk over that opens with its key, and is cut. */
static void test_encrypted_copy(void **state)
{
	(void) state;
	char directory[] = "/tmp/dari-kept-XXXXXX";
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[0];
	struct image_file kept = {0};
	assert_non_null(mkdtemp(directory));
	struct disk_sealing wish = {.from = subject.image_path,
				    .sha256 = subject.image_sha256,
				    .file_size = subject.image_file_size,
				    .size = 128 * MIB,
				    .key = &key,
				    .to = str_print(s.arena, "%s/copy.part", directory)};
	EXPECT_SOON(&s, subject.disks->encrypt(&s.c, &wish));
	EXPECT_SOON(&s, subject.disks->encrypt(&s.c, &wish));
	EXPECT(&s, ERR_NONE, image_file_keep(&s.c, wish.to.p, directory, true, &kept));
	struct compute_subject before = subject;
	subject.image_path = image_file_path(s.arena, directory, kept.sha256);
	*w = (struct disk_spec){.volume = w->volume,
				.size = 128 * MIB,
				.base_sha256 = kept.sha256,
				.base_file_size = kept.file_size,
				.base_is_encrypted = true,
				.key = &key};
	assert_int_equal(scene_make_disk(&s, w), 128 * MIB);
	struct disk_cut cut = {.snapshot = id_new(KIND_VOLUME),
			       .volume = w->volume,
			       .key = &key,
			       .encrypted_base = kept.sha256};
	assert_int_equal(cut_until_whole(&s, &cut).size, 128 * MIB);
	delete_cut(&s, cut.snapshot);
	scene_delete_disk(&s, w->volume);
	drop_kept(&s, kept.sha256, directory, &before);
	scene_close(&s);
}

/* Two exports of the same image are identical. */
static void test_export(void **state)
{
	(void) state;
	char directory[] = "/tmp/dari-kept-XXXXXX";
	struct scene s = scene_open();
	int64_t size = 0, again = 0;
	assert_non_null(mkdtemp(directory));
	struct disk_export wish = {.from = subject.image_path,
				   .sha256 = subject.image_sha256,
				   .file_size = subject.image_file_size,
				   .format = STR("raw"),
				   .to = str_print(s.arena, "%s/exported", directory)};
	EXPECT_SOON(&s, subject.disks->export_file(&s.c, &wish));
	EXPECT(&s, ERR_NONE, file_size(&s.c, wish.to.p, &size));
	EXPECT_SOON(&s, subject.disks->export_file(&s.c, &wish));
	EXPECT(&s, ERR_NONE, file_size(&s.c, wish.to.p, &again));
	assert_true(size > 0 && size == again);
	assert_int_equal(unlink(wish.to.p), 0);
	assert_int_equal(rmdir(directory), 0);
	scene_close(&s);
}

/* All of it once more, where the disks lie in a directory that several hosts might share. */
static int run_shared(const struct CMUnitTest *tests, size_t count)
{
	subject.directory = subject.shared;
	int failed = shared_contract_run() +
		     _cmocka_run_group_tests("disk contract in a shared directory", tests, count, NULL, NULL);
	subject.directory = STR_NONE;
	return failed;
}

/* A pool that belongs to no host has the first ones; those of guests come last of them. */
enum { OF_POOL = 5, OF_GUESTS = 6 };
static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_disk),
	cmocka_unit_test(test_was_there),
	cmocka_unit_test(test_base),
	cmocka_unit_test(test_cut_at_rest),
	cmocka_unit_test(test_disks_of_other_region),
	cmocka_unit_test(test_in_use),
	cmocka_unit_test(test_cut_boots),
	cmocka_unit_test(test_cut_lost),
	cmocka_unit_test(test_increments),
	cmocka_unit_test(test_increment_begun),
	cmocka_unit_test(test_increment_in_passing),
	cmocka_unit_test(test_cut_running),
	cmocka_unit_test(test_increments_at_rest),
	cmocka_unit_test(test_swap),
	cmocka_unit_test(test_swap_encrypted),
	cmocka_unit_test(test_swap_ended),
	cmocka_unit_test(test_plain_at_rest),
	cmocka_unit_test(test_plain_of_disk),
	cmocka_unit_test(test_shared),
	cmocka_unit_test(test_copies),
	cmocka_unit_test(test_encrypted_at_rest),
	cmocka_unit_test(test_encrypted_guest),
	cmocka_unit_test(test_encrypted_copy),
	cmocka_unit_test(test_export),
};

int disk_contract_run(void)
{
	return cmocka_run_group_tests_name("disk contract", tests, NULL, NULL) +
	       run_shared(tests, sizeof tests / sizeof *tests);
}

int disk_contract_run_pool(bool with_guests)
{
	return with_guests
		       ? _cmocka_run_group_tests("a pool's guests", tests + OF_POOL, OF_GUESTS, NULL, NULL)
		       : _cmocka_run_group_tests("a pool at rest", tests, OF_POOL, NULL, NULL);
}
