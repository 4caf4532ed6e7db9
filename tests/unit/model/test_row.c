/* SPDX-License-Identifier: Apache-2.0
 * Copying and comparing rows of every kind, with random contents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"
#include "fill.h"
#include "model/account.h"
#include "model/volume.h"

enum { ROUNDS = 50 };

static int setup(void **state)
{
	random_set_seed(7);
	*state = arena_new(ARENA_FIRST_SIZE, 128 * 1024 * 1024);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* The copy is in a heap block of exactly the size asked, and the original is overwritten: so that
 * the sanitizers see a write past the block, and the comparison any pointer left into the original. */
static void test_copy_is_whole_and_apart(void **state)
{
	for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		for (unsigned round = 0; round < ROUNDS; round++) {
			AUTO(arena) source = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
			struct row *r = fill_row(source, k);
			struct row *expected = row_copy(*state, k, r);
			size_t size = row_block_size(k, r);
			assert_in_range(size, k->row_size, 64 * 1024);
			void *block = heap_alloc(size);
			struct row *copy = row_copy_into(k, r, block);
			assert_ptr_equal(copy, block);
			assert_int_equal(copy->commit, r->commit);
			assert_int_equal(copy->created_us, r->created_us);
			assert_int_equal(copy->updated_us, r->updated_us);
			assert_true(row_equal(k, r, copy));
			assert_int_equal(row_block_size(k, copy), size);
			arena_free(TAKE(source));
			assert_true(row_equal(k, expected, copy));
			heap_free(block);
		}
	}
}

static void test_equal_sees_every_field(void **state)
{
	for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		for (unsigned n = 0; n < k->field_count; n++) {
			struct row *a = fill_row(*state, k), *b = row_copy(*state, k, a);
			if (!fill_other_value(*state, &k->fields[n], b))
				continue;
			assert_false(row_equal(k, a, b));
			assert_false(row_equal(k, b, a));
		}
	}
}

static void test_equal_of_the_head(void **state)
{
	const struct kind_info *k = &model_kinds[KIND_VOLUME];
	struct row *a = fill_row(*state, k), *b = row_copy(*state, k, a);
	b->commit++;
	b->created_us++;
	b->updated_us++;
	b->usage = b;
	assert_true(row_equal(k, a, b));
	b->gen++;
	assert_false(row_equal(k, a, b));
	b->gen--;
	b->deleted_us += 5;
	assert_false(row_equal(k, a, b));
	b->deleted_us -= 5;
	b->id.b[15] ^= 1;
	assert_false(row_equal(k, a, b));
}

/* A host's report must not set fields that hold users' wishes. Clearing a fulfilled wish is allowed. */
static void test_report_that_sets_a_wish(void **state)
{
	(void) state;
	const struct kind_info *k = &model_kinds[KIND_VOLUME];
	struct volume before = {.row.gen = 3, .device = STR("/dev/xvdb"), .force_detach = true},
		      after = before;
	after.seen_size = 5;
	after.seen_instance.b[0] = after.host.b[0] = 1;
	assert_false(row_report_sets_wish(k, &before.row, &after.row));
	after.device = STR_NONE;
	after.force_detach = false;
	assert_false(row_report_sets_wish(k, &before.row, &after.row));
	after.size = 6;
	assert_true(row_report_sets_wish(k, &before.row, &after.row));
	after.row.gen = 4;
	assert_false(row_report_sets_wish(k, &before.row, &after.row));
	struct volume renamed = before; /* a wish alone, which no host has to follow */
	renamed.name = STR("new");
	assert_false(row_report_sets_wish(k, &before.row, &renamed.row));
}

static void test_copy_fails_when_the_arena_is_full(void **state)
{
	struct row *r = fill_row(*state, &model_kinds[KIND_INSTANCE]);
	AUTO(arena) small = arena_new(64, 64);
	assert_null(row_copy(small, &model_kinds[KIND_INSTANCE], r));
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

/* An order: antisymmetric, transitive, by prefix first, equal where the keys' texts are. */
static void check_order(struct arena *a, const struct kind_info *k, const struct index *x,
			struct row *const rows[3])
{
	int ab = row_compare_key(k, x, x->field_count, rows[0], rows[1]);
	int bc = row_compare_key(k, x, x->field_count, rows[1], rows[2]);
	int ac = row_compare_key(k, x, x->field_count, rows[0], rows[2]);
	assert_int_equal(sign(ab), -sign(row_compare_key(k, x, x->field_count, rows[1], rows[0])));
	if (sign(ab) == sign(bc))
		assert_int_equal(sign(ac), sign(ab));
	bool same = true;
	for (unsigned n = 0; n < x->field_count; n++) {
		const struct field *f = &k->fields[x->fields[n]];
		assert_int_equal(row_compare_key(k, x, n, rows[0], rows[1]) != 0, !same);
		if (!same)
			assert_int_equal(sign(row_compare_key(k, x, n, rows[0], rows[1])), sign(ab));
		same = same && str_equal(row_field_to_text(a, f, rows[0]), row_field_to_text(a, f, rows[1]));
	}
	assert_int_equal(ab != 0, !same);
}

static void test_compare_key_is_an_order(void **state)
{
	for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		for (unsigned n = 0; n < k->index_count; n++) {
			for (unsigned round = 0; round < ROUNDS; round++) {
				struct row *rows[3];
				for (unsigned i = 0; i < 3; i++)
					rows[i] = fill_row(*state, k);
				/* Often the same first key field, so that the next ones decide. */
				const struct field *f = &k->fields[k->indexes[n].fields[0]];
				if (round % 2)
					assert_true(result_is_ok(row_field_from_text(
						*state, f, row_field_to_text(*state, f, rows[0]), rows[1])));
				check_order(*state, k, &k->indexes[n], rows);
			}
			arena_reset(*state);
		}
	}
}

static void test_keys_have_the_natural_order(void **state)
{
	(void) state;
	const struct kind_info *k = &model_kinds[KIND_VOLUME];
	const struct index *x = &k->indexes[VOLUME_INDEX_INSTANCE];
	const struct volume a = {.device_slot = -1}, b = {.device_slot = 10}, c = {.device_slot = INT64_MAX};
	assert_true(row_compare_key(k, x, 2, &a.row, &b.row) < 0);
	assert_true(row_compare_key(k, x, 2, &c.row, &b.row) > 0);
	assert_int_equal(row_compare_key(k, x, 1, &a.row, &c.row), 0);
	assert_int_equal(row_compare_key(k, &k->indexes[VOLUME_INDEX_ID], 0, &a.row, &c.row), 0);
}

static void test_tables_are_sound(void **state)
{
	(void) state;
	for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		assert_int_equal(k->kind, kind);
		assert_in_range(k->index_count, 1, INDEXES_MAX);
		assert_string_equal(k->indexes[0].name, "id");
		assert_non_null(strstr(k->create_sql, k->name));
		for (unsigned n = 0; n < k->field_count; n++) {
			assert_in_range(k->fields[n].offset, sizeof(struct row), k->row_size - 1);
			assert_int_equal(k->fields[n].type == FIELD_ENUM, k->fields[n].words != NULL);
		}
	}
	assert_int_equal(model_kinds[KIND_ACCOUNT].usage_size, sizeof(struct account_usage));
	assert_int_equal(strlen(model_schema_hash), 64);
}

/* The database keeps no order of tags: a row in memory must not depend on the order in which they came. */
static void test_a_copy_sorts_tags(void **state)
{
	const struct tag mixed[] = {{STR("b"), STR("2")}, {STR("a"), STR("1")}, {STR("c"), STR("3")}};
	struct volume volume = {.row.kind = KIND_VOLUME, .tags = {mixed, 3}};
	const struct volume *copy = volume_of(row_copy(*state, &model_kinds[KIND_VOLUME], &volume.row));
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(copy->tags.at[k].key.p[0], 'a' + (int) k);
	assert_int_equal(copy->tags.at[0].value.p[0], '1');
	assert_int_equal(mixed[0].key.p[0], 'b');
}

static void test_tags_find(void **state)
{
	(void) state;
	const struct tag list[] = {{STR("Name"), STR("web")}, {STR("a"), STR("")}, {STR("b"), STR("2")}};
	for (size_t count = 0; count <= 3; count++) {
		struct tags tags = {list, count};
		for (size_t n = 0; n < 3; n++)
			assert_ptr_equal(tags_find(tags, list[n].key), n < count ? &list[n] : NULL);
		assert_null(tags_find(tags, STR("")));
		assert_null(tags_find(tags, STR("aa")));
		assert_null(tags_find(tags, STR("c")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_is_whole_and_apart),
		cmocka_unit_test(test_equal_sees_every_field),
		cmocka_unit_test(test_equal_of_the_head),
		cmocka_unit_test(test_report_that_sets_a_wish),
		cmocka_unit_test(test_copy_fails_when_the_arena_is_full),
		cmocka_unit_test(test_compare_key_is_an_order),
		cmocka_unit_test(test_keys_have_the_natural_order),
		cmocka_unit_test(test_tables_are_sound),
		cmocka_unit_test(test_tags_find),
		cmocka_unit_test(test_a_copy_sorts_tags),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
