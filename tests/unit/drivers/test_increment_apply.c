/* SPDX-License-Identifier: Apache-2.0
 * Merging increments with the real qemu-img: the result reads like a full copy, and the sources are
 * unchanged. Also converts disks to the formats of such files (image_convert.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "drivers/image/image_convert.h"
#include "drivers/image/image_file.h"
#include "drivers/increment_apply.h"

#define MIB (INT64_C(1) << 20)
static const struct disk_key KEY = {"00112233445566778899aabbccddeeff"};

static struct bench {
	char folder[48]; /* with a comma */
	struct arena *arena;
	struct ctx c;
} bench;

static int setup(void **state)
{
	(void) state;
	bench = (struct bench){.folder = "/tmp/dari-layer,x-XXXXXX"};
	assert_non_null(mkdtemp(bench.folder));
	bench.arena = arena_new(4 * MIB, 4 * MIB);
	ctx_init(&bench.c, bench.arena);
	return 0;
}

static const char *path_of(const char *name)
{
	return str_print(bench.arena, "%s/%s", bench.folder, name).p;
}

static int teardown(void **state)
{
	(void) state;
	static const char *const names[] = {"over", "increment", "made", "other"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		(void) unlink(path_of(names[k]));
	assert_int_equal(rmdir(bench.folder), 0);
	arena_free(bench.arena);
	return 0;
}

static struct child_end run(const char *const *argv)
{
	struct child_end end = {0};
	struct result r = child_run(&bench.c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end);
	assert_true(result_is_ok(r));
	return end;
}

static void make(const char *name, int64_t size, const struct disk_key *key)
{
	char bytes[32];
	const char *options =
		key ? "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10" : "compat=1.1";
	struct str secret = str_print(bench.arena, "secret,id=key,data=%s", KEY.text);
	(void) snprintf(bytes, sizeof bytes, "%lld", (long long) size);
	const char *argv[] = {"qemu-img", "create", "-q",    "-f",          "qcow2", "--object",
			      secret.p,   "-o",     options, path_of(name), bytes,   NULL};
	struct child_end end = run(argv);
	while (end.status &&
	       str_contains(end.err, STR("accurate CPU usage"))) /* qemu-img failed to measure, so repeat */
		end = run(argv);
	if (end.status)
		fail_msg("%" STR_FMT, STR_ARG(end.err));
}

/* A comma in a path is doubled in qemu's options. */
static bool does(const char *name, const struct disk_key *key, const char *what)
{
	struct str secret = str_print(bench.arena, "secret,id=key,data=%s", KEY.text);
	struct str after = str_print(bench.arena, "%s", strchr(path_of(name), ',') + 1);
	struct str options =
		str_print(bench.arena, "driver=qcow2,file.filename=/tmp/dari-layer,,%" STR_FMT "%s",
			  STR_ARG(after), key ? ",encrypt.format=luks,encrypt.key-secret=key" : "");
	const char *argv[] = {"qemu-io", "--object", secret.p, "--image-opts", "-c", what, options.p, NULL};
	struct child_end end = run(argv);
	return end.status == 0 && !str_contains(end.out, STR("verification failed"));
}

static void check_lay(const struct disk_key *key)
{
	struct disk_layer layer = {.over = str_from(path_of("over")),
				   .increment = str_from(path_of("increment")),
				   .made = str_from(path_of("made")),
				   .key = key};
	int64_t size = 0;
	make("over", 4 * MIB, key);
	assert_true(does("over", key, "write -P 65 0 2M"));
	make("increment", 8 * MIB, key);
	assert_true(does("increment", key, "write -P 66 1M 64k"));
	assert_true(does("increment", key, "write -z 128k 64k"));
	assert_true(does("increment", key, "write -P 67 7M 64k"));
	for (int times = 0; times < 2; times++) {
		struct result r = increment_apply(&bench.c, &layer);
		if (!result_is_ok(r))
			fail_msg("%" STR_FMT, STR_ARG(bench.c.problem.message));
		assert_true(result_is_ok(image_file_check_head(&bench.c, layer.made.p, key != NULL, &size)));
		assert_int_equal(size, 8 * MIB);
		assert_true(does("made", key, "read -P 65 0 128k"));
		assert_true(does("made", key, "read -P 0 128k 64k"));
		assert_true(does("made", key, "read -P 65 192k 832k"));
		assert_true(does("made", key, "read -P 66 1M 64k"));
		assert_true(does("made", key, "read -P 65 1088k 960k"));
		assert_true(does("made", key, "read -P 0 2M 5M"));
		assert_true(does("made", key, "read -P 67 7M 64k"));
		assert_true(does("over", key, "read -P 65 0 2M"));
	}
	assert_false(does("made", key, "read -P 66 0 128k"));
}

static void test_plain(void **state)
{
	(void) state;
	check_lay(NULL);
}

static void test_encrypted(void **state)
{
	(void) state;
	check_lay(&KEY);
}

/* A host's file cannot make qemu-img open other files. */
static void test_refused(void **state)
{
	(void) state;
	struct disk_layer layer = {.over = str_from(path_of("over")),
				   .increment = str_from(path_of("increment")),
				   .made = str_from(path_of("made"))};
	make("over", 4 * MIB, NULL);
	const char *argv[] = {"qemu-img", "create",      "-q", "-f",  "qcow2",           "-u",
			      "-b",       "/etc/passwd", "-F", "raw", layer.increment.p, "4M",
			      NULL};
	assert_int_equal(run(argv).status, 0);
	assert_int_equal(increment_apply(&bench.c, &layer).code, ERR_INVALID);
	ctx_clear_problem(&bench.c);
	make("increment", 4 * MIB, &KEY);
	assert_int_equal(increment_apply(&bench.c, &layer).code, ERR_INVALID);
	assert_int_not_equal(access(layer.made.p, F_OK), 0);
}

/* ---- other forms */

static void recast(const char *from, enum disk_form from_form, const char *to, enum disk_form to_form,
		   const struct disk_key *key, struct disk_recasting more)
{
	struct disk_recasting wish = more;
	wish.from = str_from(path_of(from));
	wish.to = str_from(path_of(to));
	wish.from_form = from_form;
	wish.to_form = to_form;
	wish.key = key;
	struct result r = image_convert(&bench.c, &wish);
	while (r.code == ERR_AGAIN) /* see above */
		r = image_convert(&bench.c, &wish);
	if (!result_is_ok(r))
		fail_msg("%" STR_FMT, STR_ARG(bench.c.problem.message));
}

/* The increment is based on the other file. */
static void make_chain(const struct disk_key *key, const struct disk_key *base_key)
{
	struct str secret = str_print(bench.arena, "secret,id=key,data=%s", KEY.text);
	struct str options =
		str_print(bench.arena, "compat=1.1,backing_fmt=qcow2,backing_file=over%s",
			  key ? ",encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10" : "");
	make("over", 4 * MIB, base_key);
	assert_true(does("over", base_key, "write -P 65 0 2M"));
	const char *argv[] = {"qemu-img",
			      "create",
			      "-q",
			      "-u",
			      "-f",
			      "qcow2",
			      "--object",
			      secret.p,
			      "-o",
			      options.p,
			      path_of("increment"),
			      "8M",
			      NULL};
	struct child_end end = run(argv);
	while (end.status && str_contains(end.err, STR("accurate CPU usage")))
		end = run(argv);
	assert_int_equal(end.status, 0);
}

static void check_chain(const char *name, const struct disk_key *key)
{
	assert_true(does(name, key, "read -P 65 0 2M"));
	assert_true(does(name, key, "read -P 0 2M 6M"));
	assert_false(does(name, key, "read -P 66 0 2M"));
}

static void check_recast(const struct disk_key *key, const struct disk_key *base_key)
{
	make_chain(key, base_key);
	struct disk_recasting chain = {.base = str_from(path_of("over")), .base_is_plain = !base_key};
	recast("increment", DISK_FORM_QCOW2, "other", DISK_FORM_CEPH, key, chain);
	if (key)
		assert_true(
			does("other", NULL, "read -P 76 0 1")); /* from "LUKS": all content is encrypted */
	if (key)
		assert_false(does("other", NULL, "read -P 65 3M 64k"));
	recast("other", DISK_FORM_CEPH, "made", DISK_FORM_QCOW2, key, (struct disk_recasting){0});
	check_chain("made", key);
}

static void test_recast(void **state)
{
	(void) state;
	check_recast(NULL, NULL);
	recast("made", DISK_FORM_QCOW2, "other", DISK_FORM_RAW, NULL, (struct disk_recasting){0});
	recast("other", DISK_FORM_RAW, "made", DISK_FORM_CEPH, NULL, (struct disk_recasting){0});
	check_chain("made", NULL);
}

static void test_recast_encrypted(void **state)
{
	(void) state;
	check_recast(&KEY, &KEY);
	check_recast(&KEY, NULL);
	recast("over", DISK_FORM_QCOW2, "other", DISK_FORM_CEPH, &KEY,
	       (struct disk_recasting){.from_is_plain = true});
	recast("other", DISK_FORM_CEPH, "made", DISK_FORM_QCOW2, &KEY, (struct disk_recasting){0});
	assert_true(does("made", &KEY, "read -P 65 0 2M"));
}

/* A file that names a backing file of its own is refused unopened, as is one whose base is not the given
 * one. */
static void test_recast_refused(void **state)
{
	(void) state;
	struct disk_recasting wish = {.from = str_from(path_of("increment")),
				      .to = str_from(path_of("made")),
				      .from_form = DISK_FORM_QCOW2,
				      .to_form = DISK_FORM_CEPH};
	const char *argv[] = {"qemu-img",    "create", "-q",  "-f",        "qcow2", "-u", "-b",
			      "/etc/passwd", "-F",     "raw", wish.from.p, "4M",    NULL};
	assert_int_equal(run(argv).status, 0);
	assert_int_equal(image_convert(&bench.c, &wish).code, ERR_INVALID);
	const char *data[] = {"qemu-img",
			      "create",
			      "-q",
			      "-f",
			      "qcow2",
			      "-o",
			      str_print(bench.arena, "data_file_raw=off,data_file=/tmp/dari-layer,,%s",
					strchr(path_of("data"), ',') + 1)
				      .p,
			      wish.from.p,
			      "4M",
			      NULL};
	assert_int_equal(run(data).status, 0);
	wish.base = str_from(path_of("over"));
	make("over", 4 * MIB, NULL);
	assert_int_equal(image_convert(&bench.c, &wish).code, ERR_INVALID);
	assert_int_equal(unlink(path_of("data")), 0);
	assert_int_not_equal(access(wish.to.p, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_encrypted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recast, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recast_encrypted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recast_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
