/* SPDX-License-Identifier: Apache-2.0
 * Image files: which are accepted, and which are refused before qemu-img reads them. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "drivers/image/image_file.h"

struct fixture {
	struct arena *arena;
	struct ctx c;
	char directory[64];
};

static int setup(void **state)
{
	static struct fixture f;
	f.arena = arena_new(ARENA_FIRST_SIZE, 2 * ARENA_REQUEST_CAP);
	ctx_init(&f.c, f.arena);
	strncpy(f.directory, "/tmp/dari-image-XXXXXX", sizeof f.directory - 1);
	*state = &f;
	return mkdtemp(f.directory) ? 0 : 1;
}

static void run(struct fixture *f, const char *const *argv)
{
	struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	struct child_end end = {0};
	assert_int_equal(child_run(&f->c, &child, &end).code, ERR_NONE);
	assert_int_equal(end.status, 0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	run(f, (const char *[]){"rm", "-rf", f->directory, NULL});
	arena_free(f->arena);
	return 0;
}

static const char *path_of(struct fixture *f, const char *name)
{
	return str_print(f->arena, "%s/%s", f->directory, name).p;
}

static enum err import(struct fixture *f, const char *name, struct image_file *ret_file)
{
	ctx_clear_problem(&f->c);
	return image_file_import(&f->c, path_of(f, name), STR_NONE, NULL, NULL, path_of(f, "kept"), ret_file)
		.code;
}

static size_t kept_count(struct fixture *f)
{
	struct child child = {.argv = (const char *[]){"ls", path_of(f, "kept"), NULL},
			      .timeout_us = 10 * MINUTE};
	struct child_end end = {0};
	size_t count = 0;
	struct str line = STR_NONE;
	if (child_run(&f->c, &child, &end).code == ERR_NONE)
		while (str_split_next(&end.out, '\n', &line))
			count++;
	return count;
}

#define QEMU_IMG(f, ...) run(f, (const char *[]){"qemu-img", __VA_ARGS__, NULL})

static void check_file(struct fixture *f, const char *path, const struct image_file *file, enum err expected)
{
	ctx_clear_problem(&f->c);
	assert_int_equal(image_file_check(&f->c, path, file->sha256, file->file_size).code, expected);
}

/* The file is what its name says, and then it is not, in each way; each change is seen. */
static void test_check(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0};
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "checked"), "8M");
	assert_int_equal(import(f, "checked", &file), ERR_NONE);
	const char *path =
		str_print(f->arena, "%s/%" STR_FMT ".qcow2", path_of(f, "kept"), STR_ARG(file.sha256)).p;
	const char *aside = path_of(f, "aside");
	check_file(f, path, &file, ERR_NONE);
	check_file(f, path, &file, ERR_NONE); /* as remembered */
	run(f, (const char *[]){"cp", path, aside, NULL});
	run(f, (const char *[]){"dd", "if=/dev/urandom", str_print(f->arena, "of=%s", path).p, "bs=64",
				"count=1", "seek=100", "conv=notrunc", "status=none", NULL});
	check_file(f, path, &file, ERR_INVALID);
	assert_true(str_contains(f->c.problem.message, STR("other bytes")));
	run(f, (const char *[]){"cp", aside, path, NULL});
	check_file(f, path, &file, ERR_NONE);
	run(f, (const char *[]){"truncate", "-s", "-1", path, NULL});
	check_file(f, path, &file, ERR_INVALID);
	run(f, (const char *[]){"rm", path, NULL});
	check_file(f, path, &file, ERR_INVALID);
	run(f, (const char *[]){"mkdir", path, NULL});
	check_file(f, path, &file, ERR_INVALID);
	run(f, (const char *[]){"rmdir", path, NULL});
	run(f, (const char *[]){"mv", aside, path, NULL});
	check_file(f, path, &file, ERR_NONE);
}

static void test_taken(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0}, again = {0};
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "a.qcow2"), "10M");
	assert_int_equal(import(f, "a.qcow2", &file), ERR_NONE);
	assert_int_equal(file.virtual_size, 10 << 20);
	assert_int_equal(file.sha256.n, 64);
	const char *kept =
		str_print(f->arena, "%s/kept/%" STR_FMT ".qcow2", f->directory, STR_ARG(file.sha256)).p;
	int64_t size = 0;
	assert_int_equal(file_size(&f->c, kept, &size).code, ERR_NONE);
	assert_int_equal(size, file.file_size);
	assert_true(file_exists(path_of(f, "a.qcow2")));
	assert_int_equal(import(f, "a.qcow2", &again), ERR_NONE); /* the same once more */
	assert_true(str_equal(file.sha256, again.sha256));
	QEMU_IMG(f, "create", "-q", "-f", "raw", path_of(f, "b.img"), "1M");
	assert_int_equal(import(f, "b.img", &file), ERR_NONE);
	assert_int_equal(file.virtual_size, 1 << 20);
	assert_int_equal(kept_count(f), 2);
	assert_int_equal(
		file_write_synced(&f->c, path_of(f, "kept/12" IMAGE_PARTIAL_SUFFIX), STR("x"), 0600).code,
		ERR_NONE);
	image_file_sweep(path_of(f, "kept"));
	image_file_sweep(path_of(f, "absent"));
	assert_int_equal(kept_count(f), 2);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0};
	assert_int_equal(import(f, "absent", &file), ERR_NOT_FOUND);
	assert_int_equal(file_write_synced(&f->c, path_of(f, "short"), STR("tiny"), 0600).code, ERR_NONE);
	assert_int_equal(import(f, "short", &file), ERR_INVALID);
	struct str text = str_print(f->arena, "%01000d", 0);
	assert_int_equal(file_write_synced(&f->c, path_of(f, "text"), text, 0600).code, ERR_NONE);
	assert_int_equal(import(f, "text", &file), ERR_INVALID);
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "base.qcow2"), "1M");
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2",
		 path_of(f, "over.qcow2"));
	assert_int_equal(import(f, "over.qcow2", &file), ERR_INVALID);
	assert_true(str_contains(f->c.problem.message, STR("another file")));
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", "-o",
		 str_print(f->arena, "data_file=%s", path_of(f, "data.raw")).p, path_of(f, "outside.qcow2"),
		 "1M");
	assert_int_equal(import(f, "outside.qcow2", &file), ERR_INVALID);
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "huge.qcow2"), "3T");
	assert_int_equal(import(f, "huge.qcow2", &file), ERR_INVALID);
	QEMU_IMG(f, "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", path_of(f, "c.vmdk"),
		 "1M");
	assert_int_equal(import(f, "c.vmdk", &file), ERR_UNSUPPORTED); /* it only refers to another file */
	assert_int_equal(image_file_import(&f->c, path_of(f, "c.vmdk"), STR("vmdk"), NULL, NULL,
					   path_of(f, "kept"), &file)
				 .code,
			 ERR_INVALID);
	assert_int_equal(image_file_import(&f->c, path_of(f, "c.vmdk"), STR("vdi"), NULL, NULL,
					   path_of(f, "kept"), &file)
				 .code,
			 ERR_INVALID);
	QEMU_IMG(f, "create", "-q", "-f", "vmdk", path_of(f, "under.vmdk"), "1M");
	QEMU_IMG(f, "create", "-q", "-f", "vmdk", "-b", path_of(f, "under.vmdk"), "-F", "vmdk",
		 path_of(f, "over.vmdk"));
	assert_int_equal(import(f, "over.vmdk", &file), ERR_INVALID);
	struct str broken = str_print(f->arena, "QFI\xfb%01020d", 0);
	assert_int_equal(file_write_synced(&f->c, path_of(f, "broken.qcow2"), broken, 0600).code, ERR_NONE);
	assert_int_equal(import(f, "broken.qcow2", &file), ERR_INVALID);
	assert_int_equal(kept_count(f), 0);
}

/* Other formats: the imported content does not depend on the format. */
static void test_formats(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *name, *format, *option;
	} cases[] = {
		{"a.vmdk", "vmdk", "subformat=monolithicSparse"},
		{"b.vmdk", "vmdk", "subformat=streamOptimized"},
		{"a.vhd", "vpc", "subformat=dynamic,force_size=on"},
		{"b.vhd", "vpc", "subformat=fixed,force_size=on"},
		{"a.vhdx", "vhdx", "subformat=dynamic"},
	};
	struct image_file raw = {0};
	char *bytes = arena_alloc(f->arena, 4 << 20);
	memset(bytes + 100000, 'x', 100000);
	assert_int_equal(
		file_write_synced(&f->c, path_of(f, "a.img"), (struct str){bytes, 4 << 20}, 0600).code,
		ERR_NONE);
	assert_int_equal(import(f, "a.img", &raw), ERR_NONE);
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct image_file file = {0};
		QEMU_IMG(f, "convert", "-f", "raw", "-O", cases[k].format, "-o", cases[k].option,
			 path_of(f, "a.img"), path_of(f, cases[k].name));
		if (import(f, cases[k].name, &file) != ERR_NONE)
			fail_msg("%s: %" STR_FMT, cases[k].name, STR_ARG(f->c.problem.message));
		assert_int_equal(file.virtual_size, 4 << 20);
		assert_true(str_equal(file.sha256, raw.sha256));
	}
	assert_int_equal(kept_count(f), 1);
}

/* An export in another format has the same content when imported again, and the digests are those of the
 * exported bytes. */
static void test_exported(void **state)
{
	struct fixture *f = *state;
	static const char *const forms[] = {"raw", "vmdk", "vhd", "vhdx"};
	struct image_file file = {0}, again = {0};
	struct image_digests digests = {0};
	char *bytes = arena_alloc(f->arena, 5 << 20);
	memset(bytes, 0, 5 << 20);
	memset(bytes + 100000, 'x', 100000);
	assert_int_equal(
		file_write_synced(&f->c, path_of(f, "a.img"), (struct str){bytes, 5 << 20}, 0600).code,
		ERR_NONE);
	assert_int_equal(import(f, "a.img", &file), ERR_NONE);
	const char *from = image_file_path(f->arena, path_of(f, "kept"), file.sha256).p;
	for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
		AUTO(image_upload) upload = NULL;
		struct str form = str_from(forms[k]);
		assert_int_equal(image_upload_new(&f->c, path_of(f, "kept"), &upload).code, ERR_NONE);
		for (int times = 0; times < 2; times++) /* as after a kill */
			assert_int_equal(image_file_export(&f->c, from, form, image_upload_path(upload)).code,
					 ERR_NONE);
		assert_int_equal(image_upload_stage_written(upload, &f->c, &digests).code, ERR_NONE);
		assert_int_equal(
			image_data_import(&f->c, path_of(f, "kept"), digests.sha256, form, NULL, &again).code,
			ERR_NONE);
		assert_true(str_equal(again.sha256, file.sha256));
		assert_int_equal(again.virtual_size, 5 << 20);
	}
	struct image_digests raw = {0};
	AUTO(image_upload) upload = NULL;
	assert_int_equal(image_upload_new(&f->c, path_of(f, "kept"), &upload).code, ERR_NONE);
	assert_int_equal(image_file_export(&f->c, from, STR("raw"), image_upload_path(upload)).code,
			 ERR_NONE);
	assert_int_equal(image_upload_stage_written(upload, &f->c, &raw).code, ERR_NONE);
	assert_int_equal(raw.size, 5 << 20);
	uint8_t digest[SHA256_SIZE];
	crypto_sha256((struct str){bytes, 5 << 20}, digest);
	assert_true(str_equal(raw.sha256, str_encode_hex(f->arena, digest, sizeof digest)));
}

/* The stored file contains no plain text of the image, and can be read with the key only. */
static void test_encrypted(void **state)
{
	static const struct disk_key key = {
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
	struct fixture *f = *state;
	struct image_file file = {0}, again = {0};
	const char *raw = path_of(f, "a.img"), *secret = path_of(f, "key");
	char *bytes = arena_alloc(f->arena, 4 << 20);
	for (size_t at = 0; at + 64 < 4 << 20; at += 4096)
		memcpy(bytes + at, "what nobody else is to read", 27);
	assert_int_equal(file_write_synced(&f->c, raw, (struct str){bytes, 4 << 20}, 0600).code, ERR_NONE);
	assert_int_equal(file_write_synced(&f->c, secret, str_from(key.text), 0600).code, ERR_NONE);
	for (int tries = 0; tries < 100 && !file.sha256.n; tries++) /* until its clock has ticked */
		if (image_file_import(&f->c, raw, STR("raw"), &key, NULL, path_of(f, "kept"), &file).code !=
		    ERR_AGAIN)
			break;
	assert_int_equal(file.virtual_size, 4 << 20);
	const char *kept = image_file_path(f->arena, path_of(f, "kept"), file.sha256).p;
	run(f,
	    (const char *[]){"sh", "-c", "! grep -aq 'nobody else' \"$0\" && grep -aq 'nobody else' \"$1\"",
			     kept, raw, NULL});
	struct str object = str_print(f->arena, "secret,id=s,file=%s", secret);
	struct str sealed = str_print(
		f->arena,
		"driver=qcow2,encrypt.format=luks,encrypt.key-secret=s,file.driver=file,file.filename=%s",
		kept);
	struct str plain = str_print(f->arena, "driver=raw,file.driver=file,file.filename=%s", raw);
	QEMU_IMG(f, "compare", "-q", "--object", object.p, "--image-opts", sealed.p, plain.p);
	assert_int_equal(image_file_keep(&f->c, kept, f->directory, false, &again).code, ERR_INVALID);
	ctx_clear_problem(&f->c);
	assert_int_equal(image_file_keep(&f->c, kept, f->directory, true, &again).code, ERR_NONE);
	assert_true(str_equal(again.sha256, file.sha256));
}

/* A host's file is stored unchanged if it refers to no other file. */
static void test_keep(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0};
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "base.qcow2"), "1M");
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2",
		 path_of(f, "over.qcow2"));
	assert_int_equal(image_file_keep(&f->c, path_of(f, "over.qcow2"), f->directory, false, &file).code,
			 ERR_INVALID);
	assert_int_equal(image_file_keep(&f->c, path_of(f, "absent"), f->directory, false, &file).code,
			 ERR_IO);
	assert_int_equal(image_file_keep(&f->c, path_of(f, "base.qcow2"), f->directory, false, &file).code,
			 ERR_NONE);
	assert_int_equal(file.virtual_size, 1 << 20);
	assert_false(file_exists(path_of(f, "base.qcow2")));
	assert_int_equal(image_file_check_room(&f->c, f->directory, 1 << 20).code, ERR_NONE);
	ctx_clear_problem(&f->c);
	assert_int_equal(image_file_check_room(&f->c, f->directory, INT64_MAX).code, ERR_CAPACITY);
	assert_true(str_contains(f->c.problem.message, STR("The region has no room")));
	assert_false(str_contains(f->c.problem.message, str_from(f->directory)));
}

static bool is_needed(void *arg, struct str sha256)
{
	return str_equal(*(const struct str *) arg, sha256);
}

/* Unused files are removed, after a delay for those about to be used. */
static void test_collect(void **state)
{
	struct fixture *f = *state;
	struct image_file a = {0}, b = {0};
	struct image_file_user user = {is_needed, is_needed, &a.sha256};
	int64_t now_us = clock_now_us();
	clock_set_us(now_us);
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "a.qcow2"), "1M");
	QEMU_IMG(f, "create", "-q", "-f", "qcow2", path_of(f, "b.qcow2"), "2M");
	assert_int_equal(import(f, "a.qcow2", &a), ERR_NONE);
	assert_int_equal(import(f, "b.qcow2", &b), ERR_NONE);
	image_file_collect(path_of(f, "kept"), &user);
	assert_int_equal(kept_count(f), 2);
	clock_set_us(now_us + (IMAGE_UNNEEDED_S + 2) * SECOND);
	assert_int_equal(import(f, "b.qcow2", &b), ERR_NONE); /* kept again */
	image_file_collect(path_of(f, "kept"), &user);
	assert_int_equal(kept_count(f), 2);
	clock_set_us(now_us + 3 * IMAGE_UNNEEDED_S * SECOND);
	image_file_collect(path_of(f, "kept"), &user);
	assert_int_equal(kept_count(f), 1);
	image_file_collect(path_of(f, "absent"), &user);
	clock_set_us(0);
}

/* A raw disk whose guest wrote a qcow2 header into it is qcow2 by its first bytes, and then stands
 * for itself or is refused; one that hides a header elsewhere is raw. */
static void test_raw_is_never_guessed(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0};
	char *bytes = arena_alloc(f->arena, 1 << 20);
	memcpy(bytes + 512, "QFI\xfb", 4);
	memcpy(bytes, "# not a descriptor of /etc/passwd", 33);
	assert_int_equal(
		file_write_synced(&f->c, path_of(f, "d.img"), (struct str){bytes, 1 << 20}, 0600).code,
		ERR_NONE);
	assert_int_equal(import(f, "d.img", &file), ERR_NONE);
	assert_int_equal(file.virtual_size, 1 << 20);
}

static struct image_upload *begin_upload(struct fixture *f)
{
	struct image_upload *u = NULL;
	ctx_clear_problem(&f->c);
	assert_int_equal(image_upload_new(&f->c, path_of(f, "kept"), &u).code, ERR_NONE);
	return u;
}

static enum err fetch(struct fixture *f, const char *url, int64_t cap_size)
{
	AUTO(image_upload) u = begin_upload(f);
	const struct image_fetch wish = {.url = url, .cap_size = cap_size, .from_anywhere = true};
	return image_upload_fetch(u, &f->c, &wish).code;
}

/* Has enough, or not. */
static bool count_calls(void *arg, int64_t done, int64_t size)
{
	int *left = arg;
	assert_true(done <= size);
	return --*left > 0;
}

/* The callback gets the progress, and can end the fetch. */
static void test_fetch_watched(void **state)
{
	struct fixture *f = *state;
	int left = 1 << 20;
	QEMU_IMG(f, "create", "-q", "-f", "raw", path_of(f, "w.img"), "8M");
	struct image_fetch wish = {.url = str_print(f->arena, "file://%s/w.img", f->directory).p,
				   .cap_size = 16 << 20,
				   .from_anywhere = true,
				   .goes_on = count_calls,
				   .arg = &left};
	AUTO(image_upload) u = begin_upload(f);
	assert_int_equal(image_upload_fetch(u, &f->c, &wish).code, ERR_NONE);
	assert_int_equal(image_upload_size(u), 8 << 20);
	assert_true(left < 1 << 20);
	u = (image_upload_free(u), begin_upload(f));
	left = 1;
	assert_int_equal(image_upload_fetch(u, &f->c, &wish).code, ERR_AGAIN);
	u = (image_upload_free(u), NULL);
	assert_int_equal(kept_count(f), 0);
}

static void test_fetch(void **state)
{
	struct fixture *f = *state;
	const char *url = str_print(f->arena, "file://%s/e.img", f->directory).p;
	QEMU_IMG(f, "create", "-q", "-f", "raw", path_of(f, "e.img"), "64K");
	assert_int_equal(fetch(f, url, 1 << 20), ERR_NONE);
	assert_int_equal(fetch(f, url, 1024), ERR_TOO_LARGE);
	assert_int_equal(fetch(f, "gopher://127.0.0.1/x", 1024), ERR_IO);
	AUTO(image_upload) u = begin_upload(f);
	struct image_fetch wish = {.url = url, .cap_size = 1 << 20};
	assert_int_equal(image_upload_fetch(u, &f->c, &wish).code, ERR_IO); /* a file of this machine */
	ctx_clear_problem(&f->c);
	wish.url = "http://127.0.0.1:9/x";
	assert_int_equal(image_upload_fetch(u, &f->c, &wish).code, ERR_IO);
	assert_true(str_contains(f->c.problem.message, STR("the address of 127.0.0.1 is not allowed")));
	u = (image_upload_free(u), NULL);
	assert_int_equal(kept_count(f), 0);
}

/* The uploaded bytes are kept unchanged, with their digests, next to the file in the format for use. */
static void test_upload(void **state)
{
	struct fixture *f = *state;
	char *bytes = arena_alloc(f->arena, 1 << 20);
	struct str sent = {bytes, 1 << 20}, kept = STR_NONE;
	struct image_file file = {0};
	struct image_digests digests = {0};
	uint8_t md5[16];
	memset(bytes, 'x', 4096);
	AUTO(image_upload) u = begin_upload(f);
	for (size_t at = 0; at < sent.n; at += 65536) /* mostly holes, also at its end */
		assert_int_equal(image_upload_add(u, &f->c, str_slice(sent, at, at + 65536)).code, ERR_NONE);
	assert_int_equal(image_upload_keep(u, &f->c, STR("raw"), &file, &digests).code, ERR_NONE);
	u = (image_upload_free(u), NULL);
	assert_int_equal(file.virtual_size, 1 << 20);
	assert_int_equal(digests.size, 1 << 20);
	assert_int_equal(digests.sha512.n, 128);
	crypto_md5(sent, md5);
	assert_true(str_equal(digests.md5, str_encode_hex(f->arena, md5, sizeof md5)));
	const char *path = image_file_data_path(f->arena, path_of(f, "kept"), digests.sha256).p;
	assert_int_equal(file_read(&f->c, path, 2 << 20, &kept).code, ERR_NONE);
	assert_true(str_equal(kept, sent));
	assert_true(file_exists(image_file_path(f->arena, path_of(f, "kept"), file.sha256).p));
	assert_int_equal(kept_count(f), 2);
}

static uint64_t read_be64(int fd, off_t at)
{
	uint64_t number = 0;
	assert_int_equal(pread(fd, &number, sizeof number, at), sizeof number);
	return be64toh(number);
}

/* All of a disk's entries name one cluster: less than a MiB says half a GiB. */
static void make_bomb(struct fixture *f, const char *name)
{
	enum { CLUSTER = 64 * 1024, ENTRIES = CLUSTER / 8, L1_AT = 40 };
	static const uint64_t OFFSET_MASK = 0x00fffffffffffe00;
	static char cluster[CLUSTER];
	memset(cluster, 'x', sizeof cluster);
	AUTO_FD raw = open(path_of(f, "raw"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(raw, cluster, sizeof cluster, 0), sizeof cluster);
	assert_int_equal(ftruncate(raw, (off_t) ENTRIES * CLUSTER), 0);
	QEMU_IMG(f, "convert", "-f", "raw", "-O", "qcow2", path_of(f, "raw"), path_of(f, name));
	AUTO_FD fd = open(path_of(f, name), O_RDWR | O_CLOEXEC);
	off_t l2 = (off_t) (read_be64(fd, (off_t) read_be64(fd, L1_AT)) & OFFSET_MASK);
	uint64_t entry = htobe64(read_be64(fd, l2));
	for (off_t k = 0; k < ENTRIES; k++)
		assert_int_equal(pwrite(fd, &entry, sizeof entry, l2 + k * 8), sizeof entry);
}

static void test_bomb(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0};
	make_bomb(f, "bomb");
	assert_int_equal(import(f, "bomb", &file), ERR_INVALID);
	assert_true(str_contains(f->c.problem.message, STR("becomes more than")));
	assert_int_equal(kept_count(f), 0);
}

static void test_upload_refused(void **state)
{
	struct fixture *f = *state;
	struct image_file file = {0};
	struct image_digests digests = {0};
	AUTO(image_upload) u = begin_upload(f);
	assert_int_equal(image_upload_add(u, &f->c, STR("no disk")).code, ERR_NONE);
	assert_int_equal(image_upload_keep(u, &f->c, STR("qcow2"), &file, &digests).code, ERR_INVALID);
	u = (image_upload_free(u), begin_upload(f));
	fault_arm(FAULT_FILE, 0, true);
	assert_int_equal(image_upload_add(u, &f->c, STR("bytes")).code, ERR_CAPACITY);
	fault_disarm();
	u = (image_upload_free(u), NULL);
	assert_int_equal(kept_count(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exported, setup, teardown),
		cmocka_unit_test_setup_teardown(test_encrypted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw_is_never_guessed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fetch_watched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bomb, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upload_refused, setup, teardown),
	};
	return cmocka_run_group_tests_name("image files", tests, NULL, NULL);
}
