/* SPDX-License-Identifier: Apache-2.0
 * Raw images for several guests, on libvirt's own test driver (test:///default), whose pool is in memory: how they
 * are made and copied, and that a failure leaves nothing behind. This file defines the two functions that the test
 * driver lacks, and lets copies fail. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/heap.h"
#include "drivers/libvirt/host.h"

#define POOL "default-pool"
#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
enum { MIB = 1 << 20 };

static int resizes, copies_to_fail;

/* The length of a raw file is its capacity. */
int virStorageVolGetInfoFlags(virStorageVolPtr volume, virStorageVolInfoPtr info, unsigned flags)
{
	assert_int_equal(flags, VIR_STORAGE_VOL_GET_PHYSICAL);
	if (virStorageVolGetInfo(volume, info) != 0)
		return -1;
	info->allocation = info->capacity;
	return 0;
}

int virStorageVolResize(virStorageVolPtr volume, unsigned long long size, unsigned flags)
{
	assert_true(volume && size == 2 * MIB && flags == 0);
	resizes++;
	return 0;
}

typedef virStorageVolPtr create_from(virStoragePoolPtr pool, const char *xml, virStorageVolPtr from,
				     unsigned flags);

virStorageVolPtr virStorageVolCreateXMLFrom(virStoragePoolPtr pool, const char *xml, virStorageVolPtr from,
					    unsigned flags)
{
	if (copies_to_fail > 0 && copies_to_fail--) {
		virResetLastError();
		return NULL;
	}
	void *own = dlsym(RTLD_NEXT, "virStorageVolCreateXMLFrom");
	create_from *next;
	memcpy(&next, &own, sizeof next);
	return next(pool, xml, from, flags);
}

/* ---- the host */

struct scene {
	struct arena *arena;
	struct ctx c;
	struct compute_host host;
	struct disk_host disks;
	struct disk_spec wish;
};

static void be_quiet(void *arg, virErrorPtr error)
{
	(void) arg;
	(void) error;
}

static int setup(void **state)
{
	static struct scene s;
	static char name[] = "hv1", path[] = "/" POOL;
	virSetErrorFunc(NULL, be_quiet);
	s = (struct scene){.arena = arena_new(ARENA_FIRST_SIZE, 1 << 20),
			   .host = {.conn = virConnectOpen("test:///default"),
				    .region = uuid_random(),
				    .name = name,
				    .own_path = path,
				    .pool_path = path},
			   .disks = {.on = &s.host},
			   .wish = {.volume = uuid_random(), .size = 2 * MIB, .is_raw = true}};
	ctx_init(&s.c, s.arena);
	assert_non_null(s.host.conn);
	s.host.pool = virStoragePoolLookupByName(s.host.conn, POOL);
	s.host.consoles = virStoragePoolLookupByName(s.host.conn, POOL);
	resizes = copies_to_fail = 0;
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	virStoragePoolFree(s->host.pool);
	virStoragePoolFree(s->host.consoles);
	virConnectClose(s->host.conn);
	arena_free(s->arena);
	return 0;
}

static enum err ensure(struct scene *s, struct disk_seen *ret_seen)
{
	*ret_seen = (struct disk_seen){0};
	ctx_clear_problem(&s->c);
	return libvirt_ensure_raw(&s->disks, &s->c, &s->wish, ret_seen).code;
}

static struct str name_of(struct scene *s, const struct disk_name *name)
{
	return libvirt_disk_name(s->arena, s->host.region, name);
}

static struct str disk_name(struct scene *s, bool is_raw)
{
	return name_of(s, &(struct disk_name){.kind = DISK_VOLUME, .id = s->wish.volume, .is_raw = is_raw});
}

static void add_file(struct scene *s, struct str name, const char *format, int64_t size)
{
	struct str xml = str_print(s->arena,
				   "<volume type='file'><name>%" STR_FMT
				   "</name><capacity unit='bytes'>%lld</capacity>"
				   "<target><format type='%s'/></target></volume>",
				   STR_ARG(name), (long long) size, format);
	virStorageVolPtr v = virStorageVolCreateXML(s->host.pool, xml.p, 0);
	assert_non_null(v);
	virStorageVolFree(v);
}

/* Capacity of a file; -1: absent. */
static int64_t size_of(struct scene *s, struct str name)
{
	virStorageVolInfo info = {0};
	virStorageVolPtr v = virStorageVolLookupByName(s->host.pool, name.p);
	if (!v)
		return -1;
	assert_int_equal(virStorageVolGetInfo(v, &info), 0);
	virStorageVolFree(v);
	return (int64_t) info.capacity;
}

/* ---- making */

static void test_blank(void **state)
{
	struct scene *s = *state;
	struct disk_seen seen;
	assert_int_equal(ensure(s, &seen), ERR_NONE);
	assert_true(seen.size == 2 * MIB && !seen.lacks_base);
	assert_int_equal(size_of(s, disk_name(s, true)), 2 * MIB);
	assert_int_equal(ensure(s, &seen), ERR_NONE); /* made anew until somebody recorded it */
	s->wish.was_raw = true;
	s->wish.volume = uuid_random();
	assert_int_equal(ensure(s, &seen), ERR_NOT_FOUND);
}

static void test_from_a_base(void **state)
{
	struct scene *s = *state;
	struct disk_seen seen;
	struct str base = name_of(s, &(struct disk_name){.kind = DISK_BASE, .sha256 = STR(SHA)});
	s->wish.base_sha256 = STR(SHA);
	s->wish.base_file_size = MIB;
	assert_int_equal(ensure(s, &seen), ERR_NONE);
	assert_true(seen.lacks_base && seen.size == 0);
	add_file(s, base, "qcow2", MIB);
	assert_int_equal(ensure(s, &seen), ERR_NONE);
	assert_true(!seen.lacks_base && seen.size == 2 * MIB);
	assert_int_equal(size_of(s, disk_name(s, true)), MIB); /* as long as the base, and then grown */
	assert_int_equal(resizes, 1);
	s->wish.size = MIB;
	assert_int_equal(ensure(s, &seen), ERR_NONE);
	assert_true(seen.size == MIB && resizes == 1);
	copies_to_fail = 1;
	assert_int_equal(ensure(s, &seen), ERR_IO);
	assert_int_equal(size_of(s, disk_name(s, true)), -1);
}

/* A disk that a guest had becomes a raw one from its own file, without which nothing is made. */
static void test_from_the_former_disk(void **state)
{
	struct scene *s = *state;
	struct disk_seen seen;
	s->wish.was_there = true;
	assert_int_equal(ensure(s, &seen), ERR_NOT_FOUND);
	assert_int_equal(size_of(s, disk_name(s, true)), -1);
	add_file(s, disk_name(s, false), "qcow2", 2 * MIB);
	assert_int_equal(ensure(s, &seen), ERR_NONE);
	assert_true(seen.size == 2 * MIB && resizes == 0);
	assert_int_equal(size_of(s, disk_name(s, true)), 2 * MIB);
	assert_int_equal(size_of(s, disk_name(s, false)), 2 * MIB); /* until the raw one is recorded */
}

/* ---- copying */

static enum err copy(struct scene *s, const struct disk_cut *cut, struct disk_cut_seen *ret_seen)
{
	*ret_seen = (struct disk_cut_seen){0};
	ctx_clear_problem(&s->c);
	return libvirt_cut_raw(&s->disks, &s->c, cut, STR("file"), ret_seen).code;
}

static void test_copy(void **state)
{
	struct scene *s = *state;
	struct disk_seen made;
	struct disk_cut_seen seen;
	struct disk_cut cut = {.snapshot = uuid_random(), .volume = s->wish.volume, .is_raw = true};
	struct str copied =
		name_of(s, &(struct disk_name){.kind = DISK_CUT, .id = cut.snapshot, .is_raw = true});
	assert_int_equal(copy(s, &cut, &seen), ERR_NOT_FOUND);
	assert_int_equal(ensure(s, &made), ERR_NONE);
	copies_to_fail = 2; /* the file system's quick copy, and the plain one */
	assert_int_equal(copy(s, &cut, &seen), ERR_IO);
	assert_true(str_contains(s->c.problem.message, STR("copying a disk to ")));
	assert_int_equal(size_of(s, copied), -1);
	/* The test driver has no quick copies. */
	assert_int_equal(copy(s, &cut, &seen), ERR_NONE);
	assert_true(seen.is_copied && !seen.is_whole && seen.size == 2 * MIB);
	assert_int_equal(size_of(s, copied), 2 * MIB);
	assert_int_equal(copy(s, &cut, &seen), ERR_NONE); /* again: in place of the first */
	assert_int_equal(size_of(s, copied), 2 * MIB);
}

/* A file that libvirt considers another format, because guests wrote such a beginning, is not copied. */
static void test_copy_of_a_guessed_format(void **state)
{
	struct scene *s = *state;
	struct disk_cut_seen seen;
	struct disk_cut cut = {.snapshot = uuid_random(), .volume = s->wish.volume, .is_raw = true};
	add_file(s, disk_name(s, true), "qcow2", 2 * MIB);
	assert_int_equal(copy(s, &cut, &seen), ERR_INVALID);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_blank),
		CASE(test_from_a_base),
		CASE(test_from_the_former_disk),
		CASE(test_copy),
		CASE(test_copy_of_a_guessed_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
