/* SPDX-License-Identifier: Apache-2.0
 * Exports by the real qemu-img and tar: each format has the disk's content, and an OVA's manifest and sizes are right. */
#include "../base/test_base.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/crypto.h"
#include "base/file.h"
#include "drivers/image/image_convert.h"
#include "drivers/image/image_file.h"
#include "drivers/image/ova.h"

enum { MIB = 1 << 20, DISK_MIB = 8 };

struct place {
	struct ctx c;
	struct arena *arena;
	char directory[64];
	struct image_file file; /* in the image store */
	struct str raw, stored;
};

static void run(struct place *p, const char *const *argv)
{
	struct child child = {.argv = argv, .timeout_us = 60 * 1000 * 1000};
	struct child_end end = {0};
	assert_int_equal(child_run(&p->c, &child, &end).code, ERR_NONE);
	if (end.status)
		fail_msg("%s: %.*s", argv[0], (int) end.err.n, end.err.p);
}

/* A raw disk with words at its beginning and end, and holes between. */
static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	p->arena = arena_new(1 << 16, 16 << 20);
	ctx_init(&p->c, p->arena);
	strcpy(p->directory, "/tmp/dari-ova-XXXXXX");
	assert_non_null(mkdtemp(p->directory));
	p->raw = str_print(p->arena, "%s/disk.raw", p->directory);
	FILE *out = fopen(p->raw.p, "w");
	assert_non_null(out);
	(void) fputs("first sector", out);
	assert_int_equal(fseek(out, DISK_MIB * MIB - 12, SEEK_SET), 0);
	(void) fputs("last sector.", out);
	assert_int_equal(fclose(out), 0);
	struct str store = str_print(p->arena, "%s/store", p->directory);
	assert_int_equal(image_file_import(&p->c, p->raw.p, STR("raw"), NULL, NULL, store.p, &p->file).code,
			 ERR_NONE);
	p->stored = image_file_path(p->arena, store.p, p->file.sha256);
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

static void export_to(struct place *p, const char *format, const char *to)
{
	const struct disk_export wish = {.from = p->stored,
					 .sha256 = p->file.sha256,
					 .file_size = p->file.file_size,
					 .format = str_from(format),
					 .to = str_from(to)};
	assert_int_equal(image_convert_export(&p->c, &wish).code, ERR_NONE);
}

static void compare(struct place *p, const char *qemu_format, const char *path)
{
	const char *argv[] = {"qemu-img", "compare", "-f", "raw", "-F", qemu_format, p->raw.p, path, NULL};
	run(p, argv);
}

static void test_formats(void **state)
{
	static const char *const formats[][2] = {
		{"qcow2", "qcow2"}, {"raw", "raw"}, {"vmdk", "vmdk"}, {"vhd", "vpc"}, {"vhdx", "vhdx"}};
	struct place *p = *state;
	for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
		struct str to = str_print(p->arena, "%s/exported.%s", p->directory, formats[k][0]);
		export_to(p, formats[k][0], to.p);
		compare(p, formats[k][1], to.p);
	}
}

static struct str read_member(struct place *p, const char *name)
{
	struct str bytes = STR_NONE, path = str_print(p->arena, "%s/out/%s", p->directory, name);
	assert_int_equal(file_read(&p->c, path.p, 1 << 20, &bytes).code, ERR_NONE);
	return bytes;
}

static bool manifest_has(struct place *p, struct str manifest, const char *name)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(read_member(p, name), digest);
	struct str hex = str_encode_hex(p->arena, digest, sizeof digest);
	return str_contains(manifest, str_print(p->arena, "SHA256(%s)= %" STR_FMT "\n", name, STR_ARG(hex)));
}

static void test_ova(void **state)
{
	struct place *p = *state;
	const int64_t sizes[] = {DISK_MIB * MIB, DISK_MIB * MIB};
	struct str work = str_print(p->arena, "%s/work", p->directory),
		   out = str_print(p->arena, "%s/out", p->directory),
		   archive = str_print(p->arena, "%s/web.ova", work.p);
	const struct ova ova = {.directory = work.p,
				.name = "web",
				.is_uefi = true,
				.vcpus = 2,
				.memory = INT64_C(2) << 30,
				.disk_sizes = sizes,
				.disk_count = 2};
	assert_int_equal(mkdir(work.p, 0700) | mkdir(out.p, 0700), 0);
	export_to(p, "vmdk", ova_disk_path(p->arena, &ova, 1).p);
	export_to(p, "vmdk", ova_disk_path(p->arena, &ova, 2).p);
	assert_int_equal(ova_write(&p->c, &ova).code, ERR_NONE);
	const char *unpack[] = {"tar", "-xf", archive.p, "-C", out.p, NULL};
	run(p, unpack);
	assert_false(file_exists(ova_disk_path(p->arena, &ova, 1).p));
	compare(p, "vmdk", str_print(p->arena, "%s/web-disk1.vmdk", out.p).p);
	struct str manifest = read_member(p, "web.mf"), ovf = read_member(p, "web.ovf");
	assert_true(manifest_has(p, manifest, "web.ovf") && manifest_has(p, manifest, "web-disk1.vmdk") &&
		    manifest_has(p, manifest, "web-disk2.vmdk"));
	assert_true(str_contains(ovf, str_print(p->arena, "ovf:href=\"web-disk2.vmdk\" ovf:size=\"%zu\"",
						read_member(p, "web-disk2.vmdk").n)));
	assert_true(str_contains(ovf, STR("ovf:capacity=\"8388608\"")));
	assert_true(str_contains(ovf, STR("vmw:key=\"firmware\" vmw:value=\"efi\"")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ova, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
