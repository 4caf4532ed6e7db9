/* SPDX-License-Identifier: Apache-2.0
 * Manifests: rows of every kind with random contents are restored unchanged, except for reported fields, and
 * invalid manifests are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/random.h"
#include "fill.h"
#include "model/instance.h"
#include "model/manifest.h"
#include "model/volume.h"

enum { ROUNDS = 20 };

static int setup(void **state)
{
	static struct ctx c;
	random_set_seed(13);
	ctx_init(&c, arena_new(ARENA_FIRST_SIZE, 64 * 1024 * 1024));
	*state = &c;
	return c.arena ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(((struct ctx *) *state)->arena);
	return 0;
}

static bool is_seen(const struct field *f)
{
	return strncmp(f->name, "seen_", strlen("seen_")) == 0;
}

/* Another JSON encoder, set to ASCII in one line, gives the same text. */
static void check_json(struct str text)
{
	json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	char *dumped = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	assert_non_null(dumped);
	assert_true(str_is(text, dumped));
	free(dumped);
	json_decref(root);
}

static void test_texts(void **state)
{
	struct ctx *c = *state;
	static const struct str texts[] = {
		STR("\"\\/\b\f\n\r\t\001\037 \033[0m"), STR("\\\"\\"), STR("a\"b"),
		STR("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBF \xF4\x8F\xBF\xBF \xC2\x80")};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		struct instance i = {.row = {.id = {{1}}, .gen = UINT64_C(1) << 62}, .name = texts[k]};
		struct manifest_row row = {KIND_INSTANCE, &i.row};
		struct manifest manifest = {&row, 1}, back = {0};
		struct str text = STR_NONE;
		assert_true(result_is_ok(manifest_write(c, &manifest, &text)));
		check_json(text);
		assert_true(result_is_ok(manifest_read(c, text, &back)));
		assert_true(str_equal(instance_of(back.at[0].row)->name, texts[k]));
		assert_int_equal(back.at[0].row->gen, i.row.gen);
	}
	struct manifest none = {0};
	struct str text = STR_NONE;
	assert_true(result_is_ok(manifest_write(c, &none, &text)));
	assert_true(str_is(text, "{\"manifest\":1,\"rows\":[]}"));
}

/* The row as restored from a manifest: other fields have the values of a new row. */
static struct row *kept_of(struct ctx *c, const struct kind_info *k, const struct row *r)
{
	struct row *kept = row_copy(c->arena, k, r);
	kept->commit = 0;
	kept->created_us = kept->deleted_us = 0;
	for (unsigned n = 0; n < k->field_count; n++) {
		size_t end = n + 1 < k->field_count ? k->fields[n + 1].offset : k->row_size;
		if (is_seen(&k->fields[n]))
			memset((char *) kept + k->fields[n].offset, 0, end - k->fields[n].offset);
	}
	return kept;
}

/* All kinds in one would be more than MANIFEST_SIZE_MAX. */
static void test_every_kind_reads_back(void **state)
{
	struct ctx *c = *state;
	for (unsigned round = 0; round < 2 * ROUNDS; round++) {
		struct manifest_row rows[KIND_COUNT / 2 + 1];
		struct manifest manifest = {rows, 0}, back = {0};
		for (enum kind kind = 1 + round % 2; kind < KIND_COUNT; kind += 2) {
			struct row *r = fill_row(c->arena, &model_kinds[kind]);
			r->gen++;
			rows[manifest.count++] = (struct manifest_row){kind, r};
		}
		struct str text = STR_NONE;
		assert_true(result_is_ok(manifest_write(c, &manifest, &text)));
		assert_true(str_is_xml_text(text));
		check_json(text);
		for (size_t k = 0; k < text.n; k++)
			assert_in_range(text.p[k], 0x20, 0x7e);
		assert_true(result_is_ok(manifest_read(c, text, &back)));
		assert_int_equal(back.count, manifest.count);
		for (size_t k = 0; k < back.count; k++) {
			const struct kind_info *info = &model_kinds[rows[k].kind];
			assert_int_equal(back.at[k].kind, rows[k].kind);
			assert_true(row_equal(info, kept_of(c, info, rows[k].row), back.at[k].row));
		}
	}
}

static void test_another_versions_fields(void **state)
{
	struct manifest manifest = {0};
	assert_true(result_is_ok(manifest_read(
		*state,
		STR("{\"manifest\":1,\"rows\":[{\"kind\":\"volume\",\"id\":\"01234567-89ab-4cde-8012-"
		    "3456789abcde\","
		    "\"gen\":7,\"fields\":{\"size\":\"512\",\"colour\":\"red\"},\"more\":{}}],\"x\":1}"),
		&manifest)));
	const struct volume *v = volume_of(manifest.at[0].row);
	assert_int_equal(manifest.count, 1);
	assert_int_equal(v->row.gen, 7);
	assert_int_equal(v->size, 512);
	assert_true(str_is_empty(v->device) && uuid_is_none(v->account));
}

#define ROW(kind, id, gen, fields)                                                                           \
	"{\"manifest\":1,\"rows\":[{\"kind\":\"" kind "\",\"id\":\"" id "\",\"gen\":" gen                    \
	",\"fields\":" fields "}]}"
#define ID "01234567-89ab-4cde-8012-3456789abcde"

static void test_refused(void **state)
{
	struct ctx *c = *state;
	static const char *const bad[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"manifest\":2,\"rows\":[]}",
		"{\"manifest\":1,\"rows\":{}}",
		"{\"manifest\":1,\"rows\":[1]}",
		"{\"manifest\":1,\"manifest\":1,\"rows\":[]}",
		"{\"manifest\":1,\"rows\":[]} x",
		ROW("unicorn", ID, "1", "{}"),
		ROW("", ID, "1", "{}"),
		ROW("volume", "vol-1", "1", "{}"),
		ROW("volume", "00000000-0000-0000-0000-000000000000", "1", "{}"),
		ROW("volume", ID, "0", "{}"),
		ROW("volume", ID, "-1", "{}"),
		ROW("volume", ID, "\"1\"", "{}"),
		ROW("volume", ID, "1", "[]"),
		ROW("volume", ID, "1", "{\"size\":512}"),
		ROW("volume", ID, "1", "{\"size\":\"big\"}"),
		ROW("instance", ID, "1", "{\"wanted_power\":\"maybe\"}"),
		ROW("port", ID, "1", "{\"groups\":\"[1]\"}"),
	};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		struct manifest manifest = {0};
		ctx_clear_problem(c);
		if (manifest_read(c, str_from(bad[k]), &manifest).code != ERR_INVALID)
			fail_msg("%s was read", bad[k]);
		assert_true(c->problem.message.n > 0 && manifest.count == 0);
	}
}

static void test_bounds(void **state)
{
	struct ctx *c = *state;
	static char bytes[MANIFEST_SIZE_MAX];
	static struct manifest_row rows[MANIFEST_ROWS_MAX + 1];
	struct instance i = {.row = {.id = {{1}}, .gen = 1}, .user_data = {bytes, 16 * 1024}};
	struct manifest manifest = {rows, 1}, back = {0};
	struct str text = STR_NONE;
	for (size_t k = 0; k <= MANIFEST_ROWS_MAX; k++)
		rows[k] = (struct manifest_row){KIND_INSTANCE, &i.row};
	assert_true(result_is_ok(manifest_write(c, &manifest, &text))); /* the largest user data fits */
	assert_true(result_is_ok(manifest_read(c, text, &back)));
	assert_true(str_equal(instance_of(back.at[0].row)->user_data, i.user_data));
	i.user_data.n = sizeof bytes;
	assert_int_equal(manifest_write(c, &manifest, &text).code, ERR_TOO_LARGE);
	i.user_data.n = 0;
	manifest.count = MANIFEST_ROWS_MAX + 1;
	assert_int_equal(manifest_write(c, &manifest, &text).code, ERR_TOO_LARGE);
	manifest.count = 1;
	i.name = STR("\xff");
	assert_int_equal(manifest_write(c, &manifest, &text).code, ERR_INVALID);
}

/* Each allocation fails once: then nothing comes of it, and nothing is left behind. */
static void test_out_of_memory(void **state)
{
	struct ctx *c = *state;
	struct instance i = {.row = {.id = {{1}}, .gen = 1}, .name = STR("x"), .user_data = STR("yy")};
	struct manifest_row row = {KIND_INSTANCE, &i.row};
	struct manifest manifest = {&row, 1};
	struct str kept = STR_NONE;
	json_set_alloc_funcs(heap_alloc, heap_free);
	assert_true(result_is_ok(manifest_write(c, &manifest, &kept)));
	for (uint64_t n = 0, fired = 1; fired; n++) {
		struct str text = STR_NONE;
		struct manifest back = {0};
		fault_arm(FAULT_ALLOC, n, false);
		struct result written = manifest_write(c, &manifest, &text);
		bool write_fired = fault_has_fired();
		struct result read = manifest_read(c, kept, &back);
		fired = fault_has_fired();
		fault_disarm();
		ctx_clear_problem(c);
		assert_int_equal(written.code, write_fired ? ERR_NO_MEMORY : ERR_NONE);
		assert_true(write_fired || str_equal(text, kept));
		assert_true(result_is_ok(read) == (write_fired || !fired));
		assert_int_equal(back.count, result_is_ok(read) ? 1 : 0);
		assert_true(n < 2000);
	}
	json_set_alloc_funcs(malloc, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_kind_reads_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_versions_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
