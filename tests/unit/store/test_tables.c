/* SPDX-License-Identifier: Apache-2.0
 * The trees, compared with a plain array under random puts, replacements and removals. */
#include "fixture.h"
#include "model/image.h"
#include "model/port.h"
#include "model/remote_machine.h"
#include "model/setting.h"
#include "model/volume.h"

#include <stdlib.h>

#include "../model/fill.h"
#include "base/random.h"
#include "model/states.h"
#include "model/term.h"

enum { ROW_MAX = 250, ROUNDS = 6000 };

static void make_room(struct tables *t, enum kind kind, size_t count)
{
	struct id_tables grown;
	if (tables_have_room(t, kind, count))
		return;
	assert_true(tables_grow(t, kind, count, &grown));
	id_tables_done(&t->ids[kind]);
	t->ids[kind] = grown;
}

/* Exchanges a row like the store does, with room made first. */
static void exchange(struct tables *t, enum kind kind, struct row *before, struct row *after)
{
	make_room(t, kind, tables_count(t, kind) + 1);
	tables_exchange(t, kind, before, after);
}

/* Expected content of the tables, indexed by the number in the id. */
struct model {
	struct tables t;
	struct row *rows[ROW_MAX];
	struct row *old[ROW_MAX]; /* the version before it: out of the tables, still whole */
	size_t count;
	int64_t now_us;
};

static const struct kind_info *const info = &model_kinds[KIND_VOLUME];
static unsigned sort_index; /* for qsort */

static int compare_whole(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *) a, *y = *(struct row *const *) b;
	const struct index *index = &info->indexes[sort_index];
	int order = row_compare_key(info, index, index->field_count, x, y);
	if (order || sort_index == 0)
		return order ? order : uuid_compare(x->id, y->id);
	return row_compare_places(row_place_of(x), row_place_of(y));
}

static size_t model_sort(const struct model *m, unsigned index, struct row *out[ROW_MAX])
{
	size_t count = 0;
	for (size_t n = 0; n < ROW_MAX; n++)
		if (m->rows[n])
			out[count++] = m->rows[n];
	sort_index = index;
	qsort(out, count, sizeof *out, compare_whole);
	return count;
}

static int compare_key(unsigned index, unsigned fields, const struct row *a, const struct row *b)
{
	return index ? row_compare_key(info, &info->indexes[index], fields, a, b)
		     : uuid_compare(a->id, b->id);
}

/* First of the sorted rows that is not before the probe. */
static size_t model_seek(struct row *const rows[], size_t count, unsigned index, unsigned fields,
			 const struct row *probe)
{
	size_t n = 0;
	while (n < count && compare_key(index, fields, rows[n], probe) < 0)
		n++;
	return n;
}

static void check_index(const struct model *m, unsigned index)
{
	struct row *rows[ROW_MAX];
	size_t count = model_sort(m, index, rows), n = 0;
	const struct row *row = tables_first(&m->t, KIND_VOLUME, index, NULL, 0);
	for (; row; row = tables_next(&m->t, KIND_VOLUME, index, row, 0), n++)
		assert_ptr_equal(row, rows[n]);
	assert_int_equal(n, count);
	unsigned fields_max = index ? info->indexes[index].field_count : 1;
	for (unsigned fields = 1; fields <= fields_max; fields++) {
		struct volume probe = fixture_volume(1 + (unsigned) random_below(ROW_MAX),
						     (unsigned) random_below(5), (unsigned) random_below(9));
		size_t from = model_seek(rows, count, index, fields, &probe.row);
		row = tables_seek(&m->t, KIND_VOLUME, index, &probe.row, fields);
		assert_ptr_equal(row, from < count ? rows[from] : NULL);
		row = tables_first(&m->t, KIND_VOLUME, index, &probe.row, fields);
		for (; row; row = tables_next(&m->t, KIND_VOLUME, index, row, fields), from++)
			assert_ptr_equal(row, rows[from]);
		assert_true(from == count || compare_key(index, fields, rows[from], &probe.row) != 0);
	}
}

/* Seeks with one key more than the index has: the place in the order of creation. */
static void check_seek_by_place(const struct model *m)
{
	struct row *rows[ROW_MAX];
	size_t count = model_sort(m, VOLUME_INDEX_ACCOUNT, rows);
	for (size_t n = 0; n < count; n++)
		assert_ptr_equal(tables_seek(&m->t, KIND_VOLUME, VOLUME_INDEX_ACCOUNT, rows[n], 2), rows[n]);
}

static void check_find(const struct model *m)
{
	for (unsigned n = 0; n < ROW_MAX; n++) {
		uuid id = uuid_of(n + 1);
		assert_ptr_equal(tables_find(&m->t, KIND_VOLUME, id), m->rows[n]);
		assert_ptr_equal(tables_find_prefix(&m->t, KIND_VOLUME, id, 128), m->rows[n]);
		unsigned bits = (unsigned) random_below(129), hits = 0;
		uuid prefix = id;
		for (unsigned bit = bits; bit < 128; bit++)
			prefix.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		struct row *only = NULL;
		for (unsigned k = 0; k < ROW_MAX; k++) {
			uuid other = uuid_of(k + 1);
			for (unsigned bit = bits; bit < 128; bit++)
				other.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
			if (m->rows[k] && uuid_equal(other, prefix)) {
				hits++;
				only = m->rows[k];
			}
		}
		assert_ptr_equal(tables_find_prefix(&m->t, KIND_VOLUME, prefix, bits),
				 hits == 1 ? only : NULL);
	}
}

/* From a version that was replaced, the walk goes on behind its place. */
static void check_next_of_old(const struct model *m)
{
	for (unsigned index = 0; index < info->index_count; index++) {
		struct row *rows[ROW_MAX];
		size_t count = model_sort(m, index, rows);
		for (size_t n = 0; n < ROW_MAX; n += 7) {
			if (!m->old[n])
				continue;
			size_t behind = 0;
			while (behind < count && compare_whole(&rows[behind], &m->old[n]) <= 0)
				behind++;
			assert_ptr_equal(tables_next(&m->t, KIND_VOLUME, index, m->old[n], 0),
					 behind < count ? rows[behind] : NULL);
		}
	}
}

/* Mostly later than all before it, and at times as early as any, as if the clock had been put back. */
static int64_t draw_creation(struct model *m)
{
	m->now_us += (int64_t) random_below(3);
	return random_below(8) ? m->now_us : (int64_t) random_below((uint64_t) m->now_us + 1);
}

static void model_change(struct model *m)
{
	size_t n = random_below(ROW_MAX);
	struct row *before = m->rows[n], *after = NULL;
	if (!before || random_below(3)) {
		struct volume v = fixture_volume((unsigned) n + 1, (unsigned) random_below(5),
						 (unsigned) random_below(9));
		if (before && random_below(2)) { /* no key changes */
			v = *(struct volume *) before;
			v.size++;
		}
		v.row.created_us = before ? before->created_us : draw_creation(m);
		after = version_new(info, &v.row);
		assert_non_null(after);
	}
	exchange(&m->t, KIND_VOLUME, before, after);
	m->rows[n] = after;
	if (!before)
		return;
	if (m->old[n])
		version_free(version_of(KIND_VOLUME, m->old[n]));
	m->old[n] = before;
}

static void random_changes(void **state)
{
	(void) state;
	for (enum tree tree = 0; tree < TREE_COUNT; tree++) {
		random_set_seed(7 + tree);
		static struct model m;
		m = (struct model){.t = {.tree = tree}};
		for (int round = 0; round < ROUNDS; round++) {
			model_change(&m);
			if (round % 200 && round > 50)
				continue;
			for (unsigned index = 0; index < info->index_count; index++)
				check_index(&m, index);
			check_find(&m);
			check_seek_by_place(&m);
			check_next_of_old(&m);
		}
		for (size_t n = 0; n < ROW_MAX; n++) {
			if (m.rows[n]) {
				exchange(&m.t, KIND_VOLUME, m.rows[n], NULL);
				version_free(version_of(KIND_VOLUME, m.rows[n]));
			}
			if (m.old[n])
				version_free(version_of(KIND_VOLUME, m.old[n]));
		}
		assert_int_equal(tables_count(&m.t, KIND_VOLUME), 0);
		assert_null(tables_first(&m.t, KIND_VOLUME, 0, NULL, 0));
		tables_done(&m.t);
	}
	random_set_seed(0);
}

/* ---- publishing ---- */

/* Both trees have the very same shape: the rows alone decide it. */
static void check_same_trees(const struct tables *a, const struct tables *b)
{
	assert_memory_equal(a->roots[KIND_VOLUME], b->roots[KIND_VOLUME], sizeof a->roots[KIND_VOLUME]);
	assert_int_equal(tables_count(a, KIND_VOLUME), tables_count(b, KIND_VOLUME));
	const struct row *row = tables_first(a, KIND_VOLUME, 0, NULL, 0);
	for (; row; row = tables_next(a, KIND_VOLUME, 0, row, 0)) {
		assert_ptr_equal(tables_find(a, KIND_VOLUME, row->id), row);
		assert_ptr_equal(tables_find(b, KIND_VOLUME, row->id), row);
		for (unsigned index = 0; index < info->index_count; index++) {
			const struct link *l = (const struct link *) (const void *) row - 2 * index - 2;
			assert_memory_equal(&l[0], &l[1], sizeof *l);
			if (info->indexes[index].field_count)
				assert_ptr_equal(tables_first(a, KIND_VOLUME, index, row, 1),
						 tables_first(b, KIND_VOLUME, index, row, 1));
		}
	}
}

enum { TAG_CHOICES = 3, VALUE_CHOICES = 2 };

static const struct str tag_keys[TAG_CHOICES] = {STR("Name"), STR("env"), STR("team")};
static const struct str tag_values[VALUE_CHOICES] = {STR("one"), STR("")};

/* Some of them, in the order of their keys; how many. */
static size_t draw_tags(struct tag tags[TAG_CHOICES])
{
	size_t count = 0;
	for (size_t k = 0; k < TAG_CHOICES; k++)
		if (random_below(2))
			tags[count++] = (struct tag){tag_keys[k], tag_values[random_below(VALUE_CHOICES)]};
	return count;
}

/* The row's own terms, and what a walk along them finds: neither is more than the other. */
static void check_terms(const struct tables *t)
{
	size_t expected = 0, walked = 0;
	const struct row *row = tables_first(t, KIND_VOLUME, 0, NULL, 0);
	for (; row; row = tables_next(t, KIND_VOLUME, 0, row, 0)) {
		size_t count = terms_count(info, row);
		expected += count;
		for (size_t n = 0; n < count; n++) {
			uint64_t term = terms_get(info, row, n);
			const struct term *first = tables_first_term(t, KIND_VOLUME, term,
								     (struct row_place){0}),
					  *at = first;
			const struct row *before = NULL;
			for (; at && term_row(at) != row; at = tables_next_term(t, KIND_VOLUME, at)) {
				assert_true(!before || row_compare_places(row_place_of(before),
									  row_place_of(term_row(at))) < 0);
				before = term_row(at);
			}
			assert_non_null(at);
			if (before)
				assert_ptr_equal(
					tables_first_term(t, KIND_VOLUME, term, row_place_of(before)), at);
			if (term_row(first) != row)
				continue;
			for (at = first; at; at = tables_next_term(t, KIND_VOLUME, at))
				walked++;
		}
	}
	assert_int_equal(walked, expected);
}

/* The terms of a row correspond to its fields. */
static void term_words(void **state)
{
	(void) state;
	const struct tag tags[] = {{STR("Name"), STR("one")}, {STR("env"), STR("")}};
	struct volume v = fixture_volume(1, 7, 0);
	v.tags = (struct tags){tags, 2};
	v.host.b[0] = 1;
	assert_int_equal(terms_count(info, &v.row), 7);
	assert_int_equal(terms_get(info, &v.row, 0), term_of_state(v.account, VOLUME_CREATING));
	assert_int_equal(terms_get(info, &v.row, 1), term_of_name(v.account, v.name));
	assert_int_equal(terms_get(info, &v.row, 2), term_of_tag_key(v.account, STR("Name")));
	assert_int_equal(terms_get(info, &v.row, 3), term_of_tag(v.account, STR("Name"), STR("one")));
	assert_int_equal(terms_get(info, &v.row, 4), term_of_tag_key(v.account, STR("env")));
	assert_int_equal(terms_get(info, &v.row, 5), term_of_tag(v.account, STR("env"), STR_NONE));
	assert_int_equal(terms_get(info, &v.row, 6), term_of_tagged(v.account));
	v.name = STR_NONE;
	v.tags.count = 0;
	assert_int_equal(terms_count(info, &v.row), 1);
	assert_int_not_equal(term_of_tagged(v.account), term_of_tagged(uuid_of(8)));
	assert_int_not_equal(term_of_tag(v.account, STR("ab"), STR("c")),
			     term_of_tag(v.account, STR("a"), STR("bc")));
	assert_int_not_equal(term_of_tag_key(v.account, STR("a")), term_of_tag_key(uuid_of(8), STR("a")));
	const uuid groups[] = {uuid_of(3), uuid_of(4)};
	const struct port p = {.account = uuid_of(7), .groups = {groups, 2}};
	assert_int_equal(terms_count(&model_kinds[KIND_PORT], &p.row), 3);
	assert_int_equal(terms_get(&model_kinds[KIND_PORT], &p.row, 2),
			 term_of_group(uuid_of(7), uuid_of(4)));
	const struct port lamp = {.account = uuid_of(7), .name = STR("n"), .device_id = STR("n")};
	assert_int_equal(terms_count(&model_kinds[KIND_PORT], &lamp.row), 3);
	assert_int_equal(terms_get(&model_kinds[KIND_PORT], &lamp.row, 1),
			 term_of_name(uuid_of(7), STR("n")));
	assert_int_equal(terms_get(&model_kinds[KIND_PORT], &lamp.row, 2),
			 term_of_device(uuid_of(7), STR("n")));
	assert_int_not_equal(term_of_name(uuid_of(7), STR("n")), term_of_device(uuid_of(7), STR("n")));
	const struct image shared = {.account = uuid_of(7), .launchers = {groups, 2}};
	assert_int_equal(terms_count(&model_kinds[KIND_IMAGE], &shared.row), 2);
	assert_int_equal(terms_get(&model_kinds[KIND_IMAGE], &shared.row, 1), term_of_launcher(uuid_of(4)));
	const struct remote_machine remote = {.account = uuid_of(7), .name = STR("n")};
	assert_int_equal(terms_count(&model_kinds[KIND_REMOTE_MACHINE], &remote.row), 0);
	assert_int_equal(terms_count(&model_kinds[KIND_SETTING], &(const struct row){.gen = 1}), 0);
}

/* The next version of a row in a batch: new, changed with or without its keys, or deleted. NULL: no row. */
static struct row *next_version(const struct row *before, unsigned n, unsigned keys)
{
	if (before && random_below(4) == 0)
		return NULL;
	static struct tag tags[TAG_CHOICES];
	struct volume v = fixture_volume(n, (unsigned) random_below(keys), (unsigned) random_below(keys));
	v.tags = (struct tags){tags, draw_tags(tags)};
	v.seen_size = (int64_t) random_below(2);
	if (before && random_below(2)) {
		v = *volume_of(before);
		v.size++;
	}
	struct row *made = version_new(info, &v.row);
	assert_non_null(made);
	return made;
}

static void publish_random_batch(struct tables *head, struct tables *shown, unsigned keys)
{
	static bool is_taken[ROW_MAX];
	static struct published net[ROW_MAX];
	size_t count = 0, wanted = random_below(8) ? random_below(8) : random_below(ROW_MAX);
	memset(is_taken, 0, sizeof is_taken);
	while (count < wanted) {
		unsigned n = (unsigned) random_below(ROW_MAX);
		if (is_taken[n]) {
			wanted--;
			continue;
		}
		is_taken[n] = true;
		struct row *before = (struct row *) tables_find(head, KIND_VOLUME, uuid_of(n + 1));
		struct row *after = next_version(before, n + 1, keys);
		if (!before && !after)
			continue;
		exchange(head, KIND_VOLUME, before, after);
		net[count++] = (struct published){KIND_VOLUME, before, after};
	}
	make_room(shown, KIND_VOLUME, ROW_MAX);
	tables_publish(shown, head, net, count, 1);
	for (size_t n = 0; n < count; n++)
		if (net[n].before)
			version_free(version_of(KIND_VOLUME, net[n].before));
}

static void published_as_the_head(void **state)
{
	(void) state;
	static const unsigned keys[] = {1, 3, 40};
	random_set_seed(23);
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
		static struct tables head, shown; /* large */
		head = (struct tables){.tree = TREE_HEAD};
		shown = (struct tables){.tree = TREE_PUBLISHED};
		for (int round = 0; round < ROUNDS / 4; round++) {
			publish_random_batch(&head, &shown, keys[k]);
			check_same_trees(&head, &shown);
			if (round % 100 == 0)
				check_terms(&shown);
		}
		struct row *row = NULL;
		while ((row = head.roots[KIND_VOLUME][0])) {
			exchange(&head, KIND_VOLUME, row, NULL);
			tables_publish(&shown, &head, &(struct published){KIND_VOLUME, row, NULL}, 1, 1);
			check_same_trees(&head, &shown);
			version_free(version_of(KIND_VOLUME, row));
		}
		assert_null(shown.terms[KIND_VOLUME]);
		tables_done(&head);
		tables_done(&shown);
	}
	random_set_seed(0);
}

/* Built at once, the trees are the very same. */
static void built_as_put(void **state)
{
	(void) state;
	static struct row *rows[3 * ROW_MAX];
	random_set_seed(5);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
		static struct tables built, put;
		built = (struct tables){.tree = TREE_PUBLISHED};
		put = (struct tables){.tree = TREE_HEAD};
		size_t count = 0;
		for (size_t n = 0; n < 3 * ROW_MAX; n++) {
			struct row *row = fill_row(arena, k);
			/* few values of each, so that keys meet */
			for (unsigned f = 0; f < k->field_count; f++)
				if (k->fields[f].type == FIELD_UUID)
					*(uuid *) ((char *) row + k->fields[f].offset) =
						uuid_of((unsigned) random_below(4));
			exchange(&put, kind, NULL, version_new(k, row));
			arena_reset(arena);
		}
		const struct row *row = tables_first(&put, kind, 0, NULL, 0);
		for (; row; row = tables_next(&put, kind, 0, row, 0))
			rows[count++] = (struct row *) row;
		assert_true(tables_build(&built, kind, rows, count));
		assert_memory_equal(built.roots, put.roots, sizeof put.roots);
		for (size_t n = 0; n < count; n++)
			for (unsigned index = 0; index < k->index_count; index++) {
				const struct link *l =
					(const struct link *) (const void *) rows[n] - 2 * index - 2;
				assert_memory_equal(&l[0], &l[1], sizeof *l);
			}
		for (size_t n = 0; n < count; n++)
			version_free(version_of(kind, rows[n]));
		arena_free(arena);
		tables_done(&built);
		tables_done(&put);
	}
	random_set_seed(0);
}

static void copies_are_equal(void **state)
{
	(void) state;
	static struct tables from, to; /* large */
	from = (struct tables){.tree = TREE_HEAD};
	to = (struct tables){.tree = TREE_PUBLISHED};
	for (unsigned n = 1; n <= ROW_MAX; n++) {
		struct volume v = fixture_volume(n, n % 5, n % 9);
		exchange(&from, KIND_VOLUME, NULL, version_new(info, &v.row));
	}
	assert_true(tables_copy(&to, &from));
	for (unsigned index = 0; index < info->index_count; index++) {
		const struct row *row = tables_first(&from, KIND_VOLUME, index, NULL, 0);
		const struct row *copy = tables_first(&to, KIND_VOLUME, index, NULL, 0);
		for (; row || copy; row = tables_next(&from, KIND_VOLUME, index, row, 0),
				    copy = tables_next(&to, KIND_VOLUME, index, copy, 0))
			assert_ptr_equal(row, copy);
	}
	check_terms(&to);
	struct row *row = NULL;
	while ((row = from.roots[KIND_VOLUME][0])) {
		exchange(&from, KIND_VOLUME, row, NULL);
		exchange(&to, KIND_VOLUME, row, NULL);
		version_free(version_of(KIND_VOLUME, row));
	}
	assert_int_equal(tables_count(&to, KIND_VOLUME), 0);
	tables_done(&from);
	tables_done(&to);
}

/* Equal treaps, whatever the order of the puts: deep trees would make every look-up slow. */
static size_t depth_of(const struct tables *t, const struct row *row)
{
	if (!row)
		return 0;
	const struct link *l = (const struct link *) (const void *) row - 1 - t->tree;
	size_t left = depth_of(t, l->left), right = depth_of(t, l->right);
	return 1 + (left > right ? left : right);
}

static void depth_is_logarithmic(void **state)
{
	(void) state;
	enum { COUNT = 20000 };
	static struct tables t = {.tree = TREE_HEAD}; /* too large for the stack */
	for (unsigned n = 1; n <= COUNT; n++) {       /* in order: the worst for a plain tree */
		struct setting s = {
			.row = {.id = {{0, (uint8_t) (n >> 16), (uint8_t) (n >> 8), (uint8_t) n}}}};
		exchange(&t, KIND_SETTING, NULL, version_new(&model_kinds[KIND_SETTING], &s.row));
	}
	assert_in_range(depth_of(&t, t.roots[KIND_SETTING][0]), 15, 45);
	struct row *row = NULL;
	while ((row = t.roots[KIND_SETTING][0])) {
		exchange(&t, KIND_SETTING, row, NULL);
		version_free(version_of(KIND_SETTING, row));
	}
	tables_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes),       cmocka_unit_test(published_as_the_head),
		cmocka_unit_test(built_as_put),         cmocka_unit_test(copies_are_equal),
		cmocka_unit_test(depth_is_logarithmic), cmocka_unit_test(term_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
