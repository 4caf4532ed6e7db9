/* SPDX-License-Identifier: Apache-2.0
 * Queries: every plan finds the same rows as a full scan, the cheapest plan determines the cost, and the
 * pages in any order together are the whole result. */
#include "fixture.h"

#include "base/clock.h"
#include "model/term.h"
#include "store/account.h"
#include "store/iam_role.h"
#include "store/query.h"
#include "store/volume.h"

enum { VOLUMES = 60, ACCOUNTS = 3, ACCOUNT = 200, INSTANCE = 300 };

static struct fixture f;
static struct view view;
static const char *const names[] = {"b", "a", "c"};

/* Volume n is of account n % 3, in instance n % 5; the tag `one` has every volume whose number ends in 7. */
static RESULT put_rows(struct op *op, void *arg)
{
	static const struct tag tag = {STR("one"), STR("7")};
	const unsigned from = *(const unsigned *) arg;
	for (unsigned n = 0; from == VOLUMES / 2 && n < ACCOUNTS; n++) {
		struct account a = fixture_account(ACCOUNT + n);
		TRY(account_put(op, &a));
	}
	for (unsigned n = from + 1; n <= from + VOLUMES / 2; n++) {
		struct volume v = fixture_volume(n, ACCOUNT + n % ACCOUNTS, INSTANCE + n % 5);
		v.name = str_from(names[n % 3]);
		v.size = n / 2;
		v.tags = n % 10 == 7 ? (struct tags){&tag, 1} : (struct tags){0};
		TRY(volume_put(op, &v));
	}
	return OK;
}

static struct row_place place_of(unsigned n)
{
	return row_place_of(tables_find(view.tables, KIND_VOLUME, uuid_of(n)));
}

static int setup(void **state)
{
	(void) state;
	fixture_init(&f);
	fixture_open(&f, NULL);
	/* The volumes with the greater ids are older. */
	assert_ok(fixture_commit(&f, put_rows, &(unsigned){VOLUMES / 2}));
	clock_sleep_us(MILLISECOND);
	assert_ok(fixture_commit(&f, put_rows, &(unsigned){0}));
	view_open(f.store, &view);
	assert_true(row_compare_places(place_of(VOLUMES), place_of(1)) < 0);
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	view_close(&view);
	fixture_done(&f);
	return 0;
}

/* ---- queries for volumes ---- */

static struct {
	unsigned account, instance; /* 0: any */
	bool fails;
} wanted;

static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	const struct volume *v = volume_of(row);
	assert_ptr_equal(arg, &wanted);
	*ret_matches = (!wanted.account || uuid_equal(v->account, uuid_of(wanted.account))) &&
		       (!wanted.instance || uuid_equal(v->instance, uuid_of(wanted.instance)));
	return wanted.fails ? ctx_fail(&f.c, ERR_CONFLICT, "as the test asks") : OK;
}

static struct query new_query(void)
{
	return (struct query){.c = &f.c,
			      .tables = view.tables,
			      .kind = KIND_VOLUME,
			      .matches = matches,
			      .arg = &wanted,
			      .limit = SIZE_MAX};
}

static struct query_plan *new_plan(struct query *q)
{
	struct query_plan *plan = arena_new_object(f.arena, struct query_plan);
	assert_non_null(plan);
	assert_ok(query_add_plan(q, plan));
	return plan;
}

static void add_scan(struct query *q, struct query_plan *plan, struct query_scan scan,
		     const struct query_join *join)
{
	if (join)
		assert_ok(query_join_scan(q, &scan, join));
	assert_ok(query_add_scan(q, plan, &scan));
}

static void add_all(struct query *q)
{
	add_scan(q, new_plan(q),
		 (struct query_scan){
			 .by = QUERY_INDEX, .kind = KIND_VOLUME, .key = query_new_key(q, KIND_VOLUME)},
		 NULL);
}

static void add_by_instance(struct query *q, struct query_plan *plan, unsigned instance)
{
	struct row *key = query_new_key(q, KIND_VOLUME);
	((struct volume *) (void *) key)->instance = uuid_of(instance);
	add_scan(q, plan,
		 (struct query_scan){.by = QUERY_INDEX,
				     .kind = KIND_VOLUME,
				     .index = VOLUME_INDEX_INSTANCE,
				     .field_count = 1,
				     .key = key},
		 NULL);
}

static void add_by_account(struct query *q, unsigned account)
{
	struct row *key = query_new_key(q, KIND_VOLUME);
	((struct volume *) (void *) key)->account = uuid_of(account);
	add_scan(q, new_plan(q),
		 (struct query_scan){.by = QUERY_INDEX,
				     .kind = KIND_VOLUME,
				     .index = VOLUME_INDEX_ACCOUNT,
				     .field_count = 1,
				     .key = key},
		 NULL);
}

static struct query_page run(struct query *q)
{
	struct query_page page;
	assert_ok(query_run(q, &page));
	return page;
}

static unsigned number_of(const struct row *row)
{
	for (unsigned n = 1; n <= VOLUMES; n++)
		if (uuid_equal(row->id, uuid_of(n)))
			return n;
	return 0;
}

static bool is_wanted(unsigned n)
{
	return (!wanted.account || wanted.account == ACCOUNT + n % ACCOUNTS) &&
	       (!wanted.instance || wanted.instance == INSTANCE + n % 5);
}

/* The page holds the rows wanted behind `after`, by creation, and no others. */
static void check_page(const struct query *q, const struct query_page *page)
{
	size_t expected = 0;
	for (unsigned n = 1; n <= VOLUMES; n++)
		expected += is_wanted(n) && row_compare_places(place_of(n), q->after) > 0;
	assert_int_equal(page->count, expected < q->limit ? expected : q->limit);
	assert_int_equal(page->found > page->count, expected > page->count);
	for (size_t k = 0; k < page->count; k++) {
		assert_true(is_wanted(number_of(page->rows[k])));
		struct row_place before = k ? row_place_of(page->rows[k - 1]) : q->after;
		assert_true(row_compare_places(row_place_of(page->rows[k]), before) > 0);
	}
}

/* ---- plans ---- */

static void plans_agree(void **state)
{
	(void) state;
	wanted.account = ACCOUNT + 1;
	wanted.instance = INSTANCE + 2;
	for (unsigned plans = 1; plans < 8; plans++) {
		for (size_t limit = 1; limit < 8; limit += 3) {
			struct row_place after = {0};
			for (bool has_more = true; has_more;) {
				struct query q = new_query();
				q.after = after;
				q.limit = limit;
				if (plans & 1)
					add_all(&q);
				if (plans & 2)
					add_by_account(&q, wanted.account);
				if (plans & 4)
					add_by_instance(&q, new_plan(&q), wanted.instance);
				struct query_page page = run(&q);
				check_page(&q, &page);
				has_more = page.found > page.count;
				after = row_place_of(page.rows[page.count - 1]);
			}
		}
	}
}

/* With a plan that reads one row and plans that read many, the query costs no more than the former. */
static void cheapest_plan_sets_the_cost(void **state)
{
	(void) state;
	wanted.account = wanted.instance = 0;
	struct query q = new_query();
	add_all(&q);
	struct query_page page = run(&q);
	assert_int_equal(page.count, VOLUMES);
	assert_in_range(q.rows_read, VOLUMES, VOLUMES + 1);

	wanted.account = ACCOUNT;
	wanted.instance = INSTANCE + 9; /* has none */
	q = new_query();
	add_all(&q);
	add_by_account(&q, wanted.account);
	add_by_instance(&q, new_plan(&q), wanted.instance);
	page = run(&q);
	assert_int_equal(page.count, 0);
	assert_in_range(q.rows_read, 1, 6);

	q = new_query(); /* nothing can match */
	add_all(&q);
	new_plan(&q);
	page = run(&q);
	assert_int_equal(page.count, 0);
	assert_in_range(q.rows_read, 0, 2);
}

/* A page of many rows costs the page. */
static void page_costs_the_page(void **state)
{
	(void) state;
	wanted.account = ACCOUNT + 1;
	wanted.instance = 0;
	struct query q = new_query();
	q.limit = 4;
	add_by_account(&q, wanted.account);
	struct query_page page = run(&q);
	check_page(&q, &page);
	assert_in_range(q.rows_read, 5, 6);
	struct query next = new_query();
	next.limit = 4;
	next.after = row_place_of(page.rows[3]);
	add_by_account(&next, wanted.account);
	page = run(&next);
	check_page(&next, &page);
	assert_in_range(next.rows_read, 5, 6);
}

/* Scans that overlap: no row twice. */
static void unions_are_distinct(void **state)
{
	(void) state;
	wanted.account = 0;
	wanted.instance = INSTANCE + 1;
	struct query q = new_query();
	struct query_plan *plan = new_plan(&q);
	add_by_instance(&q, plan, wanted.instance);
	add_by_instance(&q, plan, wanted.instance);
	add_scan(&q, plan,
		 (struct query_scan){.by = QUERY_ROW,
				     .kind = KIND_VOLUME,
				     .key = tables_find(view.tables, KIND_VOLUME, uuid_of(1))},
		 NULL);
	struct query_page page = run(&q);
	check_page(&q, &page);
}

static void terms_are_scanned(void **state)
{
	(void) state;
	wanted.account = wanted.instance = 0;
	struct query q = new_query();
	add_all(&q);
	struct query_plan *plan = new_plan(&q);
	for (unsigned n = 0; n < ACCOUNTS; n++)
		add_scan(&q, plan,
			 (struct query_scan){.by = QUERY_TERM,
					     .kind = KIND_VOLUME,
					     .term = term_of_tag(uuid_of(ACCOUNT + n), STR("one"), STR("7"))},
			 NULL);
	q.plans.at[0] = q.plans.at[1]; /* the terms' plan alone: all volumes match here */
	struct query_page page = run(&q);
	assert_int_equal(page.count, VOLUMES / 10);
	for (size_t k = 0; k < page.count; k++)
		assert_int_equal(number_of(page.rows[k]) % 10, 7);
}

static void joins_lead_on(void **state)
{
	(void) state;
	const struct query_join volumes = JOIN_EACH(KIND_VOLUME, VOLUME_INDEX_ACCOUNT);
	wanted.account = ACCOUNT + 2;
	wanted.instance = 0;
	struct query q = new_query();
	add_scan(&q, new_plan(&q),
		 (struct query_scan){.by = QUERY_ROW,
				     .kind = KIND_ACCOUNT,
				     .key = tables_find(view.tables, KIND_ACCOUNT, uuid_of(wanted.account))},
		 &volumes);
	struct query_page page = run(&q);
	check_page(&q, &page);
}

static RESULT match_any(void *arg, const struct row *row, bool *ret_matches)
{
	(void) arg;
	(void) row;
	*ret_matches = true;
	return OK;
}

/* Every volume leads to its account: three accounts, each once. */
static void joined_rows_are_distinct(void **state)
{
	(void) state;
	const struct query_join account = JOIN_ONE(KIND_ACCOUNT, volume, account);
	struct query q = new_query();
	q.kind = KIND_ACCOUNT;
	q.matches = match_any;
	add_scan(&q, new_plan(&q),
		 (struct query_scan){
			 .by = QUERY_INDEX, .kind = KIND_VOLUME, .key = query_new_key(&q, KIND_VOLUME)},
		 &account);
	struct query_page page = run(&q);
	assert_int_equal(page.count, ACCOUNTS);
	for (size_t k = 0; k < page.count; k++)
		assert_true(page.rows[k]->kind == KIND_ACCOUNT &&
			    (!k || uuid_compare(page.rows[k - 1]->id, page.rows[k]->id) < 0));
}

static void failures_end_a_query(void **state)
{
	(void) state;
	struct query_page page;
	struct query q = new_query();
	wanted.account = wanted.instance = 0;
	wanted.fails = true;
	add_all(&q);
	assert_err(query_run(&q, &page), CONFLICT);
	wanted.fails = false;
	fixture_clear(&f);
}

/* ---- order ---- */

static struct query_value get_slot(void *arg, const void *key, const struct row *row)
{
	assert_ptr_equal(arg, &wanted);
	assert_ptr_equal(key, names);
	return (struct query_value){.number = volume_of(row)->device_slot};
}

static int compare_volumes(const struct query_sort *sorts, size_t count, const struct row *a,
			   const struct row *b)
{
	const struct volume *x = volume_of(a), *y = volume_of(b);
	int order = 0;
	for (size_t k = 0; k < count && !order; k++) {
		order = sorts[k].get_value                  ? (int) (x->device_slot - y->device_slot)
			: sorts[k].field->type == FIELD_INT ? (int) (x->size - y->size)
							    : str_compare(x->name, y->name);
		order = sorts[k].descends ? -order : order;
	}
	if (!order)
		order = sorts[0].descends ? uuid_compare(b->id, a->id) : uuid_compare(a->id, b->id);
	return order;
}

static struct query_page run_sorted(const struct query_sort *sorts, size_t count, size_t offset, size_t limit)
{
	struct query q = new_query();
	q.sorts = sorts;
	q.sort_count = count;
	q.offset = offset;
	q.limit = limit;
	add_all(&q);
	add_by_account(&q, wanted.account);
	return run(&q);
}

static void sorted_pages_make_the_whole(void **state)
{
	(void) state;
	const struct query_sort by_size = {.field = query_find_field(KIND_VOLUME, "size")},
				by_name = {.field = query_find_field(KIND_VOLUME, "name"), .descends = true},
				by_slot = {.get_value = get_slot, .key = names, .descends = true};
	const struct query_sort orders[][2] = {{by_size, by_name}, {by_name, by_size}, {by_slot, by_size}};
	wanted.account = ACCOUNT + 1;
	wanted.instance = 0;
	for (size_t o = 0; o < 3; o++) {
		size_t seen = 0, count = 0;
		const struct row *last = NULL;
		do {
			struct query_page page = run_sorted(orders[o], 2, seen, 7);
			assert_int_equal(page.found, VOLUMES / ACCOUNTS - seen);
			count = page.count;
			for (size_t k = 0; k < count; k++) {
				assert_true(is_wanted(number_of(page.rows[k])));
				assert_true(!last || compare_volumes(orders[o], 2, last, page.rows[k]) < 0);
				last = page.rows[k];
			}
			seen += count;
		} while (count);
		assert_int_equal(seen, VOLUMES / ACCOUNTS);
	}
	assert_null(query_find_field(KIND_VOLUME, "no_such"));
	assert_null(query_find_field(KIND_VOLUME, NULL));
}

static uuid marker;

static bool is_marker(void *arg, const struct row *row)
{
	(void) arg;
	return uuid_equal(row->id, marker);
}

static void pages_begin_behind_a_marker(void **state)
{
	(void) state;
	const struct query_sort newest = {.field = query_find_field(KIND_VOLUME, "size"), .descends = true};
	wanted.account = ACCOUNT + 1;
	wanted.instance = 0;
	struct query_page whole = run_sorted(&newest, 1, 0, SIZE_MAX);
	struct query q = new_query();
	q.sorts = &newest;
	q.sort_count = 1;
	q.limit = 3;
	q.is_marker = is_marker;
	add_by_account(&q, wanted.account);
	struct query other = q;
	marker = whole.rows[4]->id;
	struct query_page page = run(&q);
	assert_false(page.lacks_marker);
	assert_int_equal(page.count, 3);
	assert_int_equal(page.found, whole.count - 5);
	for (size_t k = 0; k < page.count; k++)
		assert_ptr_equal(page.rows[k], whole.rows[5 + k]);
	marker = uuid_of(INSTANCE);
	page = run(&other);
	assert_true(page.lacks_marker);
	assert_int_equal(page.count, 0);
}

/* Rows that the caller found itself are in the result, in its order, and the predicate is not asked. */
static void given_rows_are_in_the_result(void **state)
{
	(void) state;
	struct volume made[] = {fixture_volume(1000, 1, 1), fixture_volume(1001, 1, 1)};
	made[0].size = 1000;
	made[1].size = -1;
	const struct row *rows[] = {&made[0].row, &made[1].row};
	const struct query_sort by_size = {.field = query_find_field(KIND_VOLUME, "size")};
	wanted.account = ACCOUNT + 1;
	wanted.instance = 0;
	struct query q = new_query();
	q.given = (struct rows){rows, 2};
	q.sorts = &by_size;
	q.sort_count = 1;
	add_by_account(&q, wanted.account);
	struct query_page page = run(&q);
	assert_int_equal(page.count, VOLUMES / ACCOUNTS + 2);
	assert_ptr_equal(page.rows[0], rows[1]);
	assert_ptr_equal(page.rows[page.count - 1], rows[0]);

	const struct row *twice[] = {rows[1], rows[0], rows[1]};
	q = new_query();
	q.given = (struct rows){twice, 3};
	page = run(&q);
	assert_int_equal(page.count, 2);
	assert_true(uuid_compare(page.rows[0]->id, page.rows[1]->id) < 0);
}

static RESULT put_roles(struct op *op, void *arg)
{
	static const char *const paths[] = {"/", "/a/", "/a/b/", "/ab/", "/b/"};
	(void) arg;
	for (unsigned n = 0; n < 10; n++) {
		const struct iam_role role = {.row = {.id = uuid_of(2000 + n), .gen = 1},
					      .account = uuid_of(ACCOUNT + n % 2),
					      .name = str_from(paths[n % 5]),
					      .path = str_from(paths[n % 5])};
		TRY(iam_role_put(op, &role));
	}
	return OK;
}

static RESULT is_role(void *arg, const struct row *row, bool *ret_matches)
{
	(void) arg;
	*ret_matches = uuid_equal(iam_role_of(row)->account, uuid_of(ACCOUNT));
	return OK;
}

/* A prefix reads only the account's keys that begin with it. */
static void prefixes_are_ranges(void **state)
{
	(void) state;
	static const struct {
		const char *prefix;
		size_t count;
	} cases[] = {{"", 5}, {"/", 5}, {"/a", 3}, {"/a/", 2}, {"/a/b/c", 0}, {"/b/", 1}, {"z", 0}};
	view_close(&view);
	assert_ok(fixture_commit(&f, put_roles, NULL));
	view_open(f.store, &view);
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct query q = new_query();
		q.kind = KIND_IAM_ROLE;
		q.matches = is_role;
		struct row *key = query_new_key(&q, KIND_IAM_ROLE);
		((struct iam_role *) (void *) key)->account = uuid_of(ACCOUNT);
		((struct iam_role *) (void *) key)->path = str_from(cases[k].prefix);
		add_scan(&q, new_plan(&q),
			 (struct query_scan){.by = QUERY_INDEX,
					     .kind = KIND_IAM_ROLE,
					     .index = IAM_ROLE_INDEX_PATH,
					     .field_count = 2,
					     .is_prefix = true,
					     .key = key},
			 NULL);
		struct query_page page = run(&q);
		assert_int_equal(page.count, cases[k].count);
		assert_int_equal(q.rows_read, cases[k].count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_agree),
		cmocka_unit_test(cheapest_plan_sets_the_cost),
		cmocka_unit_test(page_costs_the_page),
		cmocka_unit_test(unions_are_distinct),
		cmocka_unit_test(terms_are_scanned),
		cmocka_unit_test(joins_lead_on),
		cmocka_unit_test(joined_rows_are_distinct),
		cmocka_unit_test(failures_end_a_query),
		cmocka_unit_test(sorted_pages_make_the_whole),
		cmocka_unit_test(pages_begin_behind_a_marker),
		cmocka_unit_test(given_rows_are_in_the_result),
		cmocka_unit_test(prefixes_are_ranges),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
