/* SPDX-License-Identifier: Apache-2.0
 * Image headers, byte by byte: those that refer to another file are refused, those without references
 * accepted. Does not use qemu-img. */
#include "../base/test_base.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/image/image_header.h"

enum { SECTOR = 512, IMAGE_SIZE = 64 * SECTOR };

struct fixture {
	struct arena *arena;
	struct ctx c;
	char path[32];
	char *bytes; /* IMAGE_SIZE, zero */
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.arena = arena_new(4096, 1 << 24), .path = "/tmp/dari-head-XXXXXX"};
	ctx_init(&f.c, f.arena);
	int fd = mkstemp(f.path);
	assert_true(fd >= 0);
	(void) close(fd);
	f.bytes = arena_alloc(f.arena, IMAGE_SIZE);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	(void) unlink(f->path);
	arena_free(f->arena);
	return 0;
}

static void expect_of(struct fixture *f, size_t size, const char *format, const char *words)
{
	ctx_clear_problem(&f->c);
	assert_ok(file_write_synced(&f->c, f->path, (struct str){f->bytes, size}, 0600));
	struct result r = image_header_check(&f->c, f->path, format);
	if (!words && !result_is_ok(r))
		fail_msg("refused: %.*s", STR_ARG(f->c.problem.message));
	if (words && (r.code != ERR_INVALID || !str_contains(f->c.problem.message, str_from(words))))
		fail_msg("'%.*s' does not say '%s'", STR_ARG(f->c.problem.message), words);
}

static void expect(struct fixture *f, const char *format, const char *words)
{
	expect_of(f, IMAGE_SIZE, format, words);
}

#define REFERS "refers to another file"

/* ---- qcow2 ---- */

static void make_qcow2(struct fixture *f, char version)
{
	memset(f->bytes, 0, IMAGE_SIZE);
	memcpy(f->bytes, "QFI\xfb", 4);
	f->bytes[7] = version;
	f->bytes[21] = 16; /* bits of a cluster */
}

static void test_qcow2(void **state)
{
	struct fixture *f = *state;
	for (char version = 2; version <= 3; version++) {
		make_qcow2(f, version);
		expect(f, "qcow2", NULL);
		for (size_t at = 8; at < 20; at++) { /* where a backing file's name is, and how long */
			make_qcow2(f, version);
			f->bytes[at] = 1;
			expect(f, "qcow2", REFERS);
		}
	}
	make_qcow2(f, 3);
	f->bytes[79] = 4; /* incompatible: the data are in a file of their own */
	expect(f, "qcow2", REFERS);
	f->bytes[79] = 0xb; /* dirty, corrupt, compression: qemu-img's to judge */
	expect(f, "qcow2", NULL);
	make_qcow2(f, 2);
	f->bytes[79] = 4; /* in version 2 there are no such bits */
	expect(f, "qcow2", NULL);
}

/* Little in the file, and much in QEMU's memory and time. */
static void test_qcow2_costly(void **state)
{
	struct fixture *f = *state;
	for (char version = 2; version <= 3; version++) {
		make_qcow2(f, version);
		f->bytes[62] = 1; /* 256 snapshots */
		expect(f, "qcow2", NULL);
		f->bytes[63] = 1;
		expect(f, "qcow2", "snapshots");
	}
	make_qcow2(f, 3);
	f->bytes[95] = 1; /* autoclear: bitmaps */
	expect(f, "qcow2", "dirty bitmaps");
	f->bytes[95] = 2; /* raw external data, without such a file: without effect */
	expect(f, "qcow2", NULL);
	make_qcow2(f, 2);
	f->bytes[95] = 1; /* in version 2 there are no such bits */
	expect(f, "qcow2", NULL);
}

static void test_not_qcow2(void **state)
{
	struct fixture *f = *state;
	make_qcow2(f, 1);
	expect(f, "qcow2", "is no qcow2");
	make_qcow2(f, 4);
	expect(f, "qcow2", "is no qcow2");
	make_qcow2(f, 3);
	expect_of(f, 79, "qcow2", "is no qcow2");
	expect_of(f, 0, "qcow2", "is no qcow2");
	f->bytes[0] = 'q';
	expect(f, "qcow2", "is no qcow2");
}

/* ---- VMDK ---- */

#define SPARSE                                                                                               \
	"# Disk "                                                                                            \
	"DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\n\n"
#define OWN "# Extent description\nRW 2048 SPARSE \"disk.vmdk\"\n"
#define REST "\n# The Disk Data Base\nddb.virtualHWVersion = \"4\"\n"
#define WHOLE SPARSE OWN REST

static void put_number(char *at, uint64_t number)
{
	for (size_t k = 0; k < 8; k++)
		at[k] = (char) (number >> (8 * k));
}

static void make_header(char *at)
{
	memcpy(at, "KDMV\1\0\0\0\3\0\0\0", 12);
	put_number(at + 12, 2048); /* capacity */
	put_number(at + 20, 128);  /* of a grain */
	put_number(at + 28, 1);    /* where the description is, and how long */
	put_number(at + 36, 20);
	put_number(at + 56, 26); /* where the grains' directory is */
	put_number(at + 64, 32);
}

static void make_vmdk(struct fixture *f, const char *description)
{
	memset(f->bytes, 0, IMAGE_SIZE);
	make_header(f->bytes);
	memcpy(f->bytes + SECTOR, description, strlen(description));
}

static void test_vmdk(void **state)
{
	static const struct {
		const char *description, *words;
	} cases[] = {
		{WHOLE, NULL},
		{"# Disk DescriptorFile\r\ncreateType=\"streamOptimized\"\r\nparentCID=ffffffff\r\n"
		 "RDONLY 2048 SPARSE \"generated-stream.vmdk\"\r\n",
		 NULL},
		{SPARSE "RW 2048 FLAT \"/etc/passwd\" 0\n", REFERS},
		{SPARSE "RW 2048 FLAT \"disk.vmdk\" 0\n", REFERS},
		{SPARSE "RW 2048 SPARSE \"/etc/passwd\"\n", REFERS},
		{SPARSE "RW 2048 SPARSE \"../disk.vmdk\"\n", REFERS},
		{SPARSE "RW 2048 SPARSE \"nbd://h/x\"\n", REFERS},
		{SPARSE "RW 2048 VMFSSPARSE \"disk.vmdk\"\n", REFERS},
		{SPARSE "RW 2048 SESPARSE \"disk.vmdk\"\n", REFERS},
		{SPARSE "RW 2048 ZERO\n", REFERS},
		{SPARSE "RW 2048 SPARSE \"disk.vmdk\" 5\n", REFERS},
		{SPARSE "RW 2048 SPARSE disk.vmdk\n", REFERS},
		{SPARSE OWN "RW 2048 FLAT \"/etc/passwd\" 0\n", REFERS},
		{SPARSE OWN OWN, REFERS},
		{SPARSE OWN "  RDONLY 1 FLAT \"x\" 0\n", REFERS},
		{SPARSE OWN "NOACCESS 1 ZERO\n", REFERS},
		{SPARSE REST, REFERS},
		{"", REFERS},
		{"createType=\"monolithicFlat\"\n" OWN, REFERS},
		{"createType=\"twoGbMaxExtentSparse\"\n" OWN, REFERS},
		{"createType=\"custom\"\n" OWN, REFERS},
		{OWN, REFERS},
		{SPARSE "parentCID=deadbeef\n" OWN, REFERS},
		{WHOLE "parentFileNameHint=\"/etc/passwd\"\n", REFERS},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		make_vmdk(f, cases[k].description);
		print_message("case %zu\n", k);
		expect(f, "vmdk", cases[k].words);
	}
}

/* A header without a disk of its own: qemu-img reads the description alone then, and opens what it names. */
static void test_vmdk_description_alone(void **state)
{
	struct fixture *f = *state;
	make_vmdk(f, WHOLE);
	put_number(f->bytes + 12, 0);
	expect(f, "vmdk", REFERS);
	memset(f->bytes, 0, IMAGE_SIZE);
	memcpy(f->bytes, SPARSE "RW 8 FLAT \"/etc/passwd\" 0\n",
	       sizeof(SPARSE "RW 8 FLAT \"/etc/passwd\" 0\n"));
	expect(f, "vmdk", "is no VMDK");
}

/* Valid and invalid offsets of a VMDK's description. */
static void test_vmdk_places(void **state)
{
	struct fixture *f = *state;
	static const struct {
		size_t at;
		uint64_t number;
	} bad[] = {{28, 0}, {28, UINT64_MAX}, {28, 1 << 20}, {28, INT64_MAX / 512},
		   {36, 0}, {36, UINT64_MAX}, {36, 129}};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		make_vmdk(f, WHOLE);
		put_number(f->bytes + bad[k].at, bad[k].number);
		expect(f, "vmdk", "is no VMDK");
	}
	make_vmdk(f, "");
	put_number(f->bytes + 28, 24);
	memcpy(f->bytes + (size_t) 24 * SECTOR, WHOLE, sizeof WHOLE);
	expect(f, "vmdk", NULL);
	memcpy(f->bytes + SECTOR + 100, "parentFileNameHint=\"/etc/passwd\"",
	       32); /* looked for here in any case */
	expect(f, "vmdk", REFERS);
	make_vmdk(f, WHOLE);
	memcpy(f->bytes + 21 * SECTOR - 40, "parentFileNameHint=\"/x\"",
	       23); /* behind the description's end */
	expect(f, "vmdk", REFERS);
	make_vmdk(f, WHOLE); /* without an end within its place */
	memset(f->bytes + SECTOR + sizeof WHOLE - 1, '\n', (size_t) 20 * SECTOR - sizeof WHOLE + 1);
	expect(f, "vmdk", "is no VMDK");
	make_vmdk(f, WHOLE);
	expect_of(f, 511, "vmdk", "is no VMDK");
	expect_of(f, SECTOR, "vmdk", "is no VMDK");
}

/* A stream's header counts less than its footer, which is its like. */
static void test_vmdk_footer(void **state)
{
	struct fixture *f = *state;
	char *foot = f->bytes + IMAGE_SIZE - (size_t) 2 * SECTOR;
	make_vmdk(f, WHOLE);
	put_number(f->bytes + 56, UINT64_MAX);
	expect(f, "vmdk", "is no whole VMDK");
	make_header(foot);
	expect(f, "vmdk", NULL);
	put_number(foot + 28, 0);
	expect(f, "vmdk", NULL);
	put_number(foot + 28, 30);
	expect(f, "vmdk", REFERS);
	put_number(foot + 28, 1);
	put_number(foot + 12, 0);
	expect(f, "vmdk", "is no whole VMDK");
}

static void test_others(void **state)
{
	struct fixture *f = *state;
	static const char *const formats[] = {"raw", "vpc", "vhdx"};
	make_vmdk(f, SPARSE "RW 8 FLAT \"/etc/passwd\" 0\n"); /* as raw it is bytes */
	for (size_t k = 0; k < 3; k++)
		expect(f, formats[k], NULL);
	assert_int_equal(image_header_check(&f->c, "/nonexistent/x", "qcow2").code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_qcow2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_qcow2_costly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_qcow2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmdk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmdk_description_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmdk_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmdk_footer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
