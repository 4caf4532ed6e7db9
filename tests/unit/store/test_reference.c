/* SPDX-License-Identifier: Apache-2.0
 * Walks every reference of the schema: two rows, one of which refers to the other, and the rule holds when
 * the other is marked deleted and when it is forgotten. */
#include "fixture.h"

#include "database.h"
#include "store/key_pair.h"
#include "store/reference.h"

enum { OTHER = 1, ROW };

struct two_rows {
	enum kind kind; /* kind of the row that the reference leads to */
	const struct reference *r;
};

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	struct store_config config = {.executor = f.executor};
	assert_ok(database_open(&f.c, NULL, &config.sql));
	assert_ok(store_open(&f.c, &config, &f.store));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

static const struct field *field_of(const struct two_rows *p)
{
	return &model_kinds[p->r->kind].fields[p->r->field];
}

static RESULT put_both(struct op *op, void *arg)
{
	const struct two_rows *p = arg;
	struct row *other = arena_alloc(op->ctx->arena, model_kinds[p->kind].row_size);
	struct row *row = arena_alloc(op->ctx->arena, model_kinds[p->r->kind].row_size);
	uuid *id = arena_new_array(op->ctx->arena, uuid, 1);
	assert_true(other && row && id);
	other->id = *id = uuid_of(OTHER);
	row->id = uuid_of(ROW);
	void *value = (char *) row + field_of(p)->offset;
	if (field_of(p)->type == FIELD_UUIDS)
		*(struct uuids *) value = (struct uuids){id, 1};
	else
		*(uuid *) value = *id;
	TRY(op_put(op, p->kind, other));
	return op_put(op, p->r->kind, row);
}

static RESULT delete_other(struct op *op, void *arg)
{
	return op_delete(op, ((const struct two_rows *) arg)->kind, uuid_of(OTHER));
}

static RESULT forget_other(struct op *op, void *arg)
{
	return op_forget(op, ((const struct two_rows *) arg)->kind, uuid_of(OTHER));
}

static RESULT forget_if_there(struct op *op, enum kind kind, unsigned n)
{
	return tables_find(op->head, kind, uuid_of(n)) ? op_forget(op, kind, uuid_of(n)) : OK;
}

/* The order matters only for references with on_forget: others are looked at once the change is over. */
static RESULT forget_both(struct op *op, void *arg)
{
	const struct two_rows *p = arg;
	if (p->r->at_forget)
		TRY(forget_if_there(op, p->r->kind, ROW));
	TRY(forget_if_there(op, p->kind, OTHER));
	return forget_if_there(op, p->r->kind, ROW);
}

static void count_one(void *arg, const struct row *row, const struct field *field, uuid gone)
{
	(void) row, (void) field, (void) gone;
	++*(size_t *) arg;
}

static size_t count_dangling(struct fixture *f)
{
	size_t count = 0;
	reference_find_dangling(&f->store->head, count_one, &count);
	return count;
}

static bool still_refers(struct fixture *f, const struct two_rows *p)
{
	const struct row *row = tables_find(&f->store->head, p->r->kind, uuid_of(ROW));
	const void *value = (const char *) row + field_of(p)->offset;
	if (!row)
		return false;
	return field_of(p)->type == FIELD_UUIDS ? uuids_have(value, uuid_of(OTHER))
						: uuid_equal(*(const uuid *) value, uuid_of(OTHER));
}

/* has_gone: that is when the rule applies. */
static void check_rule(struct fixture *f, struct two_rows *p, op_run end, bool has_gone)
{
	bool is_kept = p->r->rule == REFERENCE_KEEP;
	bool is_refused = has_gone && p->r->rule == REFERENCE_REFUSE && p->r->index;
	bool is_by_hand = has_gone && p->r->rule == REFERENCE_REFUSE && !p->r->index;
	struct result result = fixture_commit(f, end, p);
	assert_int_equal(result.code, is_refused ? ERR_IN_USE : ERR_NONE);
	bool goes = has_gone && p->r->rule == REFERENCE_CASCADE;
	assert_true(!tables_find(&f->store->head, p->r->kind, uuid_of(ROW)) == goes);
	assert_true(still_refers(f, p) == (!has_gone || is_kept || is_refused || is_by_hand));
	assert_int_equal(count_dangling(f), is_by_hand);
}

static void check_reference(struct fixture *f, enum kind kind, const struct reference *r)
{
	struct two_rows p = {kind, r};
	assert_ok(fixture_commit(f, put_both, &p));
	assert_true(still_refers(f, &p));
	assert_int_equal(count_dangling(f), 0);
	const struct row *user = reference_find_user(&f->store->head, kind, uuid_of(OTHER), r->at_forget);
	assert_true(!user == !(r->rule == REFERENCE_REFUSE && r->index));
	check_rule(f, &p, delete_other, !r->at_forget);
	check_rule(f, &p, forget_other, true);
	assert_ok(fixture_commit(f, forget_both, &p));
	fixture_clear(f);
}

static void test_each_reference_keeps_its_rule(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;
	for (int kind = KIND_NONE; kind < KIND_COUNT; kind++)
		for (const struct reference *r = model_references[kind]; r && r->kind; r++, count++)
			check_reference(f, kind ? (enum kind) kind : KIND_KEY_PAIR, r);
	assert_true(count > 500);
	fixture_check(f);
}

/* A row of the schema with a ref that no table lists would dangle unseen. */
static void test_each_ref_has_a_rule(void **state)
{
	(void) state;
	for (int kind = 1; kind < KIND_COUNT; kind++)
		for (unsigned n = 0; n < model_kinds[kind].field_count; n++) {
			const struct field *f = &model_kinds[kind].fields[n];
			const struct reference *r = f->ref ? model_references[f->ref] : NULL;
			while (r && r->kind && !(r->kind == (enum kind) kind && r->field == n))
				r++;
			assert_true(!f->ref || (r && r->kind));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_reference_keeps_its_rule, setup, teardown),
		cmocka_unit_test(test_each_ref_has_a_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
