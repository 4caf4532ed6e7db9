/* SPDX-License-Identifier: Apache-2.0
 * Files of a guest's disk: partition tables, file systems that are refused by name, hostile paths and damaged disks. The
 * file systems are made by mkfs.ext4. */
#include "../base/test_base.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "drivers/image/guest_files.h"

enum { MIB = 1 << 20, SECTOR = 512 };

struct place {
	struct ctx c;
	struct arena *arena;
	char directory[64];
	struct str disk, root, out;
};

static void run(struct place *p, const char *const *argv)
{
	struct child child = {.argv = argv, .timeout_us = 60 * 1000 * 1000};
	struct child_end end = {0};
	assert_int_equal(child_run(&p->c, &child, &end).code, ERR_NONE);
	if (end.status)
		fail_msg("%s: %.*s", argv[0], (int) end.err.n, end.err.p);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	p->arena = arena_new(1 << 16, 64 << 20);
	ctx_init(&p->c, p->arena);
	strcpy(p->directory, "/tmp/dari-files-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	p->disk = str_print(p->arena, "%s/disk", p->directory);
	p->root = str_print(p->arena, "%s/root", p->directory);
	p->out = str_print(p->arena, "%s/out", p->directory);
	assert_int_equal(mkdir(p->root.p, 0700), 0);
	assert_int_equal(
		file_write_synced(&p->c, str_print(p->arena, "%s/motd", p->root.p).p, STR("welcome\n"), 0640)
			.code,
		ERR_NONE);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	file_remove_tree(p->directory);
	arena_free(p->arena);
	free(p);
	return 0;
}

static void make_disk(struct place *p, int64_t mib)
{
	int fd = open(p->disk.p, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, mib * MIB) == 0 && close(fd) == 0);
}

static void put(struct place *p, int64_t at, const void *bytes, size_t size)
{
	int fd = open(p->disk.p, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, bytes, size, at) == (ssize_t) size && close(fd) == 0);
}

static void make_ext4(struct place *p, int64_t at, const char *size)
{
	struct str offset = str_print(p->arena, "offset=%lld", (long long) at);
	const char *argv[] = {
		"/usr/sbin/mkfs.ext4", "-q", "-F", "-E", offset.p, "-d", p->root.p, p->disk.p, size, NULL};
	run(p, argv);
}

/* An MBR with two partitions: 1 MiB at 1 MiB, the rest at 2 MiB. */
static void put_mbr(struct place *p, int64_t mib)
{
	uint8_t mbr[SECTOR] = {0};
	const uint32_t at[2][2] = {{2048, 2048}, {4096, (uint32_t) (mib * 2048 - 4096)}};
	for (int k = 0; k < 2; k++) {
		mbr[446 + 16 * k + 4] = 0x83;
		memcpy(mbr + 446 + 16 * k + 8, &at[k][0], 4);
		memcpy(mbr + 446 + 16 * k + 12, &at[k][1], 4);
	}
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	put(p, 0, mbr, sizeof mbr);
}

static enum err list(struct place *p, const char *path, int partition, struct guest_listing *l)
{
	const struct guest_place place = {p->disk.p, partition, str_from(path)};
	ctx_clear_problem(&p->c);
	return guest_files_list(&p->c, &place, l).code;
}

static void test_whole_disk(void **state)
{
	struct place *p = *state;
	struct guest_listing l;
	make_disk(p, 16);
	make_ext4(p, 0, "16M");
	assert_int_equal(list(p, "/", -1, &l), ERR_NONE);
	assert_int_equal(l.partition, 0);
	assert_int_equal(l.count, 2);
	const struct guest_entry *motd = str_is(l.at[0].name, "motd") ? &l.at[0] : &l.at[1];
	assert_true(str_is(motd->name, "motd") && motd->kind == GUEST_FILE && motd->size == 8 &&
		    motd->mode == 0640);
	const struct guest_place place = {p->disk.p, 0, STR("/motd")};
	struct str bytes = STR_NONE;
	assert_int_equal(guest_files_read(&p->c, &place, p->out.p).code, ERR_NONE);
	assert_int_equal(file_read(&p->c, p->out.p, 100, &bytes).code, ERR_NONE);
	assert_true(str_is(bytes, "welcome\n"));
}

static void test_partitions(void **state)
{
	struct place *p = *state;
	struct guest_listing l;
	make_disk(p, 32);
	put_mbr(p, 32);
	make_ext4(p, 2 * MIB, "30M");
	put(p, MIB, "XFSB", 4);
	assert_int_equal(list(p, "/", -1, &l), ERR_NONE);
	assert_true(l.partition == 2 && l.partition_count == 2 && strcmp(l.partitions[0].type, "xfs") == 0);
	assert_int_equal(list(p, "/", 1, &l), ERR_UNSUPPORTED);
	assert_true(str_contains(p->c.problem.message, STR("this file system is xfs")));
	assert_int_equal(list(p, "/", 3, &l), ERR_NOT_FOUND);
}

/* A table that points behind the end, and one of GPT with absurd counts, add no partition. */
static void test_hostile_tables(void **state)
{
	struct place *p = *state;
	struct guest_listing l;
	uint8_t gpt[SECTOR] = "EFI PART";
	make_disk(p, 4);
	put_mbr(p, 64);
	assert_int_equal(list(p, "/", -1, &l), ERR_UNSUPPORTED);
	assert_int_equal(l.partition_count, 1); /* the first one fits */
	put(p, 446 + 4, "\xee", 1);
	memset(gpt + 72, 0xff, SECTOR - 72);
	put(p, SECTOR, gpt, sizeof gpt);
	assert_int_equal(list(p, "/", -1, &l), ERR_UNSUPPORTED);
	assert_int_equal(l.partition_count, 1);
	assert_int_equal(l.partitions[0].number, 0);
}

static void test_paths(void **state)
{
	static const char *const bad[] = {"", "etc", "/a\"b", "/a\nb", "/a\x7f"};
	struct place *p = *state;
	struct guest_listing l;
	make_disk(p, 16);
	make_ext4(p, 0, "16M");
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_int_equal(list(p, bad[k], -1, &l), ERR_INVALID);
	assert_int_equal(list(p, "/nope", -1, &l), ERR_NOT_FOUND);
	assert_int_equal(list(p, "/motd; ls", -1, &l), ERR_NOT_FOUND);
	const struct guest_place folder = {p->disk.p, 0, STR("/lost+found")};
	assert_int_equal(guest_files_read(&p->c, &folder, p->out.p).code, ERR_STATE);
}

/* Overwritten structures end in an error or in an empty listing, never in a crash. */
static void test_damaged(void **state)
{
	struct place *p = *state;
	struct guest_listing l;
	static char noise[64 << 10]; /* more than a stack frame may have */
	make_disk(p, 16);
	make_ext4(p, 0, "16M");
	for (size_t k = 0; k < sizeof noise; k++)
		noise[k] = (char) (k * k >> 3);
	put(p, 4096, noise, sizeof noise);
	enum err err = list(p, "/", -1, &l);
	assert_true(err == ERR_IO || err == ERR_NOT_FOUND || err == ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partitions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
