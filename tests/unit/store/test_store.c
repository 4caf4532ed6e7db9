/* SPDX-License-Identifier: Apache-2.0
 * Changes and their results: rows, unique keys, batches, undo and history. */
#include "fixture.h"
#include "store/account.h"
#include "store/volume.h"

#include "base/clock.h"
#include "base/random.h"
#include "model/identity.h"

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static int setup_open(void **state)
{
	setup(state);
	fixture_open(*state, NULL);
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

/* ---- changes used by several tests ---- */

static RESULT put_account(struct op *op, void *arg)
{
	struct account a = fixture_account(*(const unsigned *) arg);
	return account_put(op, &a);
}

static RESULT put_account_and_fail(struct op *op, void *arg)
{
	TRY(put_account(op, arg));
	return ctx_fail(op->ctx, ERR_QUOTA, "no more of these");
}

/* An account and volumes of it: figures to take back, too. */
static RESULT put_whole(struct op *op, void *arg)
{
	unsigned n = *(const unsigned *) arg;
	TRY(put_account(op, &n));
	for (unsigned k = 1; k <= 3; k++) {
		struct volume v = fixture_volume(100 * n + k, n, k);
		TRY(volume_put(op, &v));
	}
	return op_event(op, KIND_ACCOUNT, uuid_of(n), uuid_of(n), "created", STR("with three disks"),
			STR_NONE);
}

static const struct account *find_account(const struct fixture *f, unsigned n)
{
	return account_find(&f->store->head, uuid_of(n));
}

/* ---- tests ---- */

static void put_is_published(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	struct view early;
	view_open(f->store, &early);
	assert_null(account_find(early.tables, uuid_of(1)));
	view_end_read(&early);
	assert_ok(fixture_commit(f, put_account, &n));
	AUTO_VIEW v;
	view_open(f->store, &v);
	const struct account *a = account_find(v.tables, uuid_of(1));
	assert_non_null(a);
	assert_true(str_is(a->name, "account-1"));
	assert_int_equal(a->row.created_us, clock_now_us());
	assert_int_equal(a->row.commit, 1);
	assert_int_equal(v.commit, 1);
	assert_int_equal(early.commit, 0);
	assert_ptr_equal(account_find_by_domain(v.tables, UUID_NONE, STR("account-1")), a);
	view_close(&v);
	view_close(&v); /* again: nothing */
	view_close(&early);
	fixture_check(f);
}

static void created_and_usage_are_kept(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	assert_ok(fixture_commit(f, put_whole, &n));
	int64_t created_us = find_account(f, 1)->row.created_us;
	assert_int_equal(find_account(f, 1)->row.updated_us, created_us);
	void *usage = find_account(f, 1)->row.usage;
	assert_int_equal(account_usage(find_account(f, 1))->volume_bytes, 101 + 102 + 103);
	clock_advance_us(5 * SECOND);
	assert_ok(fixture_commit(f, put_account, &n));
	assert_int_equal(find_account(f, 1)->row.created_us, created_us);
	assert_int_equal(find_account(f, 1)->row.updated_us, created_us + 5 * SECOND);
	assert_int_equal(find_account(f, 1)->row.commit, 2);
	assert_ptr_equal(find_account(f, 1)->row.usage, usage);
	fixture_check(f);
}

/* A whole whose first volume is put twice, and what was copied of its rows and of an
 * account that is named only. */
struct copying {
	unsigned n;
	struct rows volumes, accounts;
};

static RESULT put_whole_and_copy(struct op *op, void *arg)
{
	struct copying *c = arg;
	op_show(op, KIND_VOLUME);
	TRY(put_whole(op, &c->n));
	TRY(op_name(op, KIND_VOLUME, &volume_find(op->head, uuid_of(100 * c->n + 2))->row)); /* put, too */
	TRY(op_name(op, KIND_VOLUME, &volume_find(op->head, uuid_of(100 * c->n + 3))->row)); /* to go */
	TRY(volume_delete(op, uuid_of(100 * c->n + 1)));
	TRY(volume_forget(op, uuid_of(100 * c->n + 3)));
	TRY(op_copy_shown(op, &c->volumes));
	op_show(op, KIND_ACCOUNT);
	TRY(op_name(op, KIND_ACCOUNT, &account_find(op->head, uuid_of(2))->row));
	return op_copy_shown(op, &c->accounts);
}

static RESULT forget_whole(struct op *op, void *arg)
{
	unsigned n = *(const unsigned *) arg;
	TRY(volume_forget(op, uuid_of(100 * n + 1)));
	TRY(volume_forget(op, uuid_of(100 * n + 2)));
	return account_forget(op, uuid_of(n));
}

static RESULT forget_account(struct op *op, void *arg)
{
	return account_forget(op, uuid_of(*(const unsigned *) arg));
}

/* A copy outlives its rows, also if a later change of the same batch deletes them. */
static void copies_outlive_rows(void **state)
{
	struct fixture *f = *state;
	struct copying first = {.n = 1};
	struct counted a, b, c;
	unsigned named = 2;
	assert_ok(fixture_commit(f, put_account, &named));
	fixture_submit(f, &a, put_whole_and_copy, &first);
	fixture_submit(f, &b, forget_whole, &first.n);
	fixture_submit(f, &c, forget_account, &named);
	fixture_step(f);
	assert_ok(a.result);
	assert_ok(b.result);
	assert_ok(c.result);
	assert_null(find_account(f, 1));
	assert_null(find_account(f, 2));
	assert_int_equal(first.volumes.count, 2);
	const struct volume *left = volume_of(first.volumes.at[0]), *deleted = volume_of(first.volumes.at[1]);
	assert_true(uuid_equal(left->row.id, uuid_of(102)) && row_is_live(&left->row));
	assert_true(uuid_equal(deleted->row.id, uuid_of(101)) && !row_is_live(&deleted->row));
	assert_int_equal(left->size, 102);
	assert_int_equal(left->row.created_us, clock_now_us());
	assert_int_equal(first.accounts.count, 2);
	const struct account *owner = account_of(first.accounts.at[0]);
	assert_true(str_is(owner->name, "account-1"));
	assert_int_equal(account_usage(owner)->volume_bytes, 102);
	assert_true(str_is(account_of(first.accounts.at[1])->name, "account-2"));
	fixture_check(f);
}

static RESULT delete_account(struct op *op, void *arg)
{
	return account_delete(op, uuid_of(*(const unsigned *) arg));
}

static void delete_then_forget(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	assert_err(fixture_commit(f, delete_account, &n), NOT_FOUND);
	assert_int_equal(f->c.problem.kind, KIND_ACCOUNT);
	assert_err(fixture_commit(f, forget_account, &n), NOT_FOUND);
	assert_ok(fixture_commit(f, put_account, &n));
	assert_ok(fixture_commit(f, delete_account, &n));
	const struct account *a = find_account(f, 1);
	assert_int_equal(a->row.deleted_us, clock_now_us());
	assert_int_equal(a->row.gen, 2);
	assert_ok(fixture_commit(f, delete_account, &n)); /* already: nothing changes */
	assert_ptr_equal(find_account(f, 1), a);
	fixture_check(f);
	assert_ok(fixture_commit(f, forget_account, &n));
	assert_null(find_account(f, 1));
	fixture_check(f);
}

static RESULT put_named(struct op *op, void *arg)
{
	return account_put(op, arg);
}

static void unique_keys_hold(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	assert_ok(fixture_commit(f, put_account, &n));
	struct account same = fixture_account(2);
	same.name = STR("account-1");
	assert_err(fixture_commit(f, put_named, &same), EXISTS);
	assert_int_equal(f->c.problem.kind, KIND_ACCOUNT);
	assert_ok(fixture_commit(f, delete_account, &n)); /* deleted rows hold no names */
	assert_ok(fixture_commit(f, put_named, &same));
	struct account back = fixture_account(1);
	assert_err(fixture_commit(f, put_named, &back), EXISTS); /* the name is taken */
	struct account nameless[2] = {fixture_account(3), fixture_account(4)};
	nameless[0].name = nameless[1].name = STR_NONE; /* empty names are not equal */
	assert_ok(fixture_commit(f, put_named, &nameless[0]));
	assert_ok(fixture_commit(f, put_named, &nameless[1]));
	struct account noone = fixture_account(0);
	assert_err(fixture_commit(f, put_named, &noone), INTERNAL);
	fixture_check(f);
}

static RESULT put_much(struct op *op, void *arg)
{
	(void) arg;
	struct account a = fixture_account(1), b = fixture_account(2);
	TRY(account_put(op, &a)); /* three times */
	a.enabled = false;
	TRY(account_put(op, &a));
	a.name = STR("renamed");
	TRY(account_put(op, &a));
	TRY(account_put(op, &b)); /* added and removed */
	TRY(account_forget(op, b.row.id));
	struct volume v = fixture_volume(7, 1, 1); /* removed and added */
	TRY(volume_forget(op, v.row.id));
	v.size = 70;
	TRY(volume_put(op, &v));
	struct volume w = fixture_volume(8, 1, 1); /* changed, then gone */
	w.size = 80;
	TRY(volume_put(op, &w));
	return volume_forget(op, w.row.id);
}

static RESULT put_two_disks(struct op *op, void *arg)
{
	(void) arg;
	struct account a = fixture_account(1);
	struct volume v = fixture_volume(7, 1, 1), w = fixture_volume(8, 1, 1);
	TRY(account_put(op, &a)); /* the owner first, because it holds the figures of its volumes */
	TRY(volume_put(op, &v));
	return volume_put(op, &w);
}

static RESULT put_much_and_fail(struct op *op, void *arg)
{
	TRY(put_much(op, arg));
	return FAIL(CAPACITY);
}

static void same_row_many_times(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_commit(f, put_two_disks, NULL));
	struct str before = fixture_dump(f, &f->store->head);
	assert_err(fixture_commit(f, put_much_and_fail, NULL), CAPACITY);
	assert_true(str_equal(before, fixture_dump(f, &f->store->head)));
	assert_ok(fixture_commit(f, put_much, NULL));
	assert_true(str_is(find_account(f, 1)->name, "renamed"));
	assert_null(find_account(f, 2));
	assert_int_equal(volume_find(&f->store->head, uuid_of(7))->size, 70);
	assert_null(volume_find(&f->store->head, uuid_of(8)));
	assert_int_equal(account_usage(find_account(f, 1))->volume_bytes, 70);
	fixture_check(f);
}

static RESULT rename_all(struct op *op, void *arg)
{
	(void) arg;
	for (const struct volume *v = volume_first_by_account(op->head, uuid_of(1)); v;
	     v = volume_next_by_account(op->head, v)) {
		struct volume copy = *v;
		copy.name = STR("other");
		TRY(volume_put(op, &copy));
	}
	return OK;
}

static void loops_may_put_what_they_walk(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	assert_ok(fixture_commit(f, put_whole, &n));
	assert_ok(fixture_commit(f, rename_all, NULL));
	for (unsigned k = 1; k <= 3; k++)
		assert_true(str_is(volume_find(&f->store->head, uuid_of(100 + k))->name, "other"));
	fixture_check(f);
}

static RESULT count_accounts(struct op *op, void *arg)
{
	*(size_t *) arg = tables_count(op->head, KIND_ACCOUNT);
	return OK;
}

static void second_sees_first(void **state)
{
	struct fixture *f = *state;
	struct counted n[5];
	unsigned one = 1, two = 2;
	size_t seen = 0, seen_after_failure = 0;
	fixture_submit(f, &n[0], put_whole, &one);
	fixture_submit(f, &n[1], count_accounts, &seen);
	fixture_submit(f, &n[2], put_account_and_fail, &two);
	fixture_submit(f, &n[3], count_accounts, &seen_after_failure);
	fixture_submit(f, &n[4], put_whole, &two);
	assert_false(n[0].is_done);
	fixture_step(f);
	assert_int_equal(seen, 1);
	assert_int_equal(seen_after_failure, 1);
	assert_err(n[2].result, QUOTA);
	assert_ok(n[4].result);
	struct store_figures figures;
	store_read_figures(f->store, &figures);
	assert_int_equal(figures.commit, 1); /* all in one */
	assert_int_equal(figures.changes, 5);
	assert_int_equal(figures.failed, 1);
	assert_int_equal(figures.rows, 8);
	fixture_check(f);
}

/* A batch is by the clock if nothing else in it was done. */
static void changes_by_clock_are_counted_apart(void **state)
{
	struct fixture *f = *state;
	const struct {
		op_run beside;
		uint64_t expected;
	} batches[] = {{NULL, 1}, {put_account, 1}, {put_account_and_fail, 2}};
	unsigned id = 0;
	for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) {
		struct counted n[2];
		unsigned ids[2] = {++id, ++id};
		fixture_submit(f, &n[0], put_account, &ids[0]);
		n[0].change.by_clock = true;
		if (batches[k].beside)
			fixture_submit(f, &n[1], batches[k].beside, &ids[1]);
		fixture_step(f);
		struct store_figures figures;
		store_read_figures(f->store, &figures);
		assert_int_equal(figures.commit, k + 1);
		assert_int_equal(figures.clock_commits, batches[k].expected);
		fixture_clear(f);
	}
}

static void batches_are_bounded(void **state)
{
	struct fixture *f = *state;
	static const struct identity client;
	f->batch_max = 3;
	fixture_open(f, NULL);
	struct counted n[8];
	unsigned ids[8];
	for (unsigned k = 0; k < 8; k++) {
		ids[k] = k + 1;
		fixture_submit_as(f, &n[k], put_account, &ids[k], &client);
	}
	fixture_step(f);
	for (unsigned k = 0; k < 8; k++)
		assert_int_equal(find_account(f, k + 1)->row.commit, k / 3 + 1);
	fixture_check(f);
}

static RESULT read_only(struct op *op, void *arg)
{
	(void) arg;
	return tables_find(op->head, KIND_ACCOUNT, uuid_of(1)) ? OK : FAIL(NOT_FOUND);
}

static void nothing_put_is_no_batch(void **state)
{
	struct fixture *f = *state;
	assert_err(fixture_commit(f, read_only, NULL), NOT_FOUND);
	unsigned n = 1;
	assert_err(fixture_commit(f, put_account_and_fail, &n), QUOTA);
	assert_int_equal(f->store->commit, 0);
	fixture_check(f);
}

static const char *check_names(enum kind kind, const struct row *before, const struct row *after)
{
	if (kind != KIND_ACCOUNT || !after)
		return NULL;
	if (before && account_of(before)->enabled && str_is(account_of(after)->name, "bad"))
		return "enabled accounts don't turn bad";
	return NULL;
}

static RESULT turn_bad_and_back(struct op *op, void *arg)
{
	struct account a = fixture_account(1);
	a.name = STR("bad");
	TRY(account_put(op, &a));
	a.name = STR("good");
	return *(const bool *) arg ? account_put(op, &a) : OK;
}

static void invariants_refuse(void **state)
{
	struct fixture *f = *state;
	f->check = check_names;
	fixture_open(f, NULL);
	unsigned n = 1;
	assert_ok(fixture_commit(f, put_account, &n));
	struct str before = fixture_dump(f, &f->store->head);
	bool back = false;
	assert_err(fixture_commit(f, turn_bad_and_back, &back), INTERNAL);
	assert_true(str_equal(before, fixture_dump(f, &f->store->head)));
	back = true; /* only the final state of a change counts */
	assert_ok(fixture_commit(f, turn_bad_and_back, &back));
	fixture_check(f);
}

/* ---- listeners ---- */

struct heard {
	size_t calls, count;
	struct published last[8];
};

static void listen_for(void *self, const struct tables *tables, const struct published *published,
		       size_t count)
{
	struct heard *h = self;
	h->calls++;
	h->count = count;
	for (size_t n = 0; n < count && n < 8; n++) {
		const struct published *p = &published[n];
		h->last[n] = *p;
		if (p->after)
			assert_ptr_equal(tables_find(tables, p->kind, p->after->id), p->after);
	}
}

static void listeners_hear_net_changes(void **state)
{
	struct fixture *f = *state;
	struct heard heard = {0};
	store_listen(f->store, listen_for, &heard);
	assert_ok(fixture_commit(f, put_two_disks, NULL));
	assert_int_equal(heard.count, 3);
	assert_null(heard.last[0].before);
	assert_ok(fixture_commit(f, put_much, NULL));
	assert_int_equal(heard.calls, 2);
	assert_int_equal(heard.count, 4); /* the account; a volume gone, come back; the other gone */
	size_t gone = 0, made = 0;
	for (size_t n = 0; n < heard.count; n++) {
		gone += (size_t) !heard.last[n].after;
		made += (size_t) !heard.last[n].before;
	}
	assert_int_equal(gone, 2);
	assert_int_equal(made, 1);
	assert_err(fixture_commit(f, put_much_and_fail, NULL), CAPACITY);
	assert_int_equal(heard.calls, 2);
}

/* ---- history ---- */

struct events {
	struct arena *arena;
	struct event at[8];
	size_t count;
};

static RESULT take_event(void *arg, const struct event *event)
{
	struct events *e = arg;
	struct event *kept = &e->at[e->count++];
	*kept = *event;
	struct str *const texts[] = {&kept->request_id, &kept->action, &kept->what, &kept->sentence,
				     &kept->arguments};
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		*texts[k] = str_copy(e->arena, *texts[k]);
	return OK;
}

static void read_events(struct fixture *f, struct event_query query, struct events *ret_events)
{
	struct sql_driver *sql = f->store->config.sql;
	*ret_events = (struct events){.arena = f->c.arena};
	assert_ok(sql->read_events(sql, &f->c, &query, take_event, ret_events));
}

static RESULT write_history(struct op *op, void *arg)
{
	unsigned n = *(const unsigned *) arg;
	TRY(op_event(op, KIND_VOLUME, uuid_of(5), uuid_of(1), "one", str_print(op->ctx->arena, "%u", n),
		     STR_NONE));
	TRY(op_event(op, KIND_VOLUME, uuid_of(5), uuid_of(1), "two", STR_NONE, STR_NONE));
	TRY(op_event(op, KIND_VOLUME, uuid_of(6), uuid_of(1), "else", STR("x"), STR_NONE));
	TRY(op_usage(op, KIND_VOLUME, uuid_of(5), uuid_of(1), STR("volume:gp2"), n));
	return n == 13 ? FAIL(STATE) : OK;
}

/* Going back to a place undoes the part of the change after it, with its history; the earlier part stays. */
static RESULT go_back(struct op *op, void *arg)
{
	struct account first = fixture_account(21), second = fixture_account(22);
	(void) arg;
	TRY(account_put(op, &first));
	TRY(op_event(op, KIND_VOLUME, uuid_of(9), uuid_of(1), "kept", STR_NONE, STR_NONE));
	struct op_place place = op_place_now(op);
	first.enabled = !first.enabled;
	TRY(account_put(op, &first));
	TRY(account_put(op, &second));
	TRY(op_event(op, KIND_VOLUME, uuid_of(9), uuid_of(1), "taken back", STR_NONE, STR_NONE));
	op_go_back(op, place);
	assert_null(account_find(op->head, uuid_of(22)));
	assert_true(account_find(op->head, uuid_of(21))->enabled != first.enabled);
	return op_event(op, KIND_VOLUME, uuid_of(9), uuid_of(1), "afterwards", STR_NONE, STR_NONE);
}

static void part_is_taken_back(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_commit(f, go_back, NULL));
	struct events e;
	read_events(f, (struct event_query){.id = uuid_of(9), .max = 8}, &e);
	assert_int_equal(e.count, 2);
	assert_true(str_is(e.at[0].what, "afterwards") && str_is(e.at[1].what, "kept"));
	fixture_check(f);
}

static void events_newest_first(void **state)
{
	struct fixture *f = *state;
	struct identity who = {.user = uuid_of(77)};
	unsigned ids[] = {1, 13, 2};
	for (size_t k = 0; k < 3; k++) {
		struct counted n;
		fixture_submit(f, &n, write_history, &ids[k]);
		n.c.who = k ? &who : NULL;
		n.c.request_id = STR("req-1");
		fixture_step(f);
		assert_int_equal(result_is_ok(n.result), ids[k] != 13);
		clock_advance_us(SECOND);
	}
	struct events e;
	read_events(f, (struct event_query){.id = uuid_of(5), .max = 3}, &e);
	assert_int_equal(e.count, 3);
	assert_true(str_is(e.at[0].what, "two"));
	assert_true(str_is(e.at[1].what, "one"));
	assert_true(str_is(e.at[1].sentence, "2"));
	assert_true(str_is(e.at[2].what, "two"));
	assert_int_equal(e.at[0].at_us - e.at[2].at_us, 2 * SECOND);
	assert_int_equal(e.at[0].kind, KIND_VOLUME);
	assert_true(uuid_equal(e.at[0].account, uuid_of(1)));
	assert_true(uuid_equal(e.at[0].user, uuid_of(77)));
	assert_true(uuid_is_none(e.at[2].user));
	assert_true(str_is(e.at[0].request_id, "req-1"));
	assert_true(str_is(e.at[0].action, "test"));
	fixture_check(f);
}

/* By account, by time, by number, and all. */
static void events_are_found(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	int64_t first_us = clock_now_us();
	assert_ok(fixture_commit(f, write_history, &n));
	clock_advance_us(SECOND);
	assert_ok(fixture_commit(f, write_history, &n));
	struct events all, e;
	read_events(f, (struct event_query){.max = 8}, &all);
	assert_int_equal(all.count, 6);
	for (size_t k = 0; k < all.count; k++)
		assert_int_equal(all.at[k].seq, all.count - k);
	assert_true(str_is(all.at[0].what, "else") && uuid_equal(all.at[0].id, uuid_of(6)));
	read_events(f, (struct event_query){.account = uuid_of(1), .max = 3}, &e);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.at[2].seq, 4);
	read_events(f, (struct event_query){.account = uuid_of(2), .max = 3}, &e);
	assert_int_equal(e.count, 0);
	read_events(f, (struct event_query){.account = uuid_of(1), .before_us = first_us + 1, .max = 8}, &e);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.at[0].seq, 3);
	read_events(f, (struct event_query){.before_us = all.at[1].at_us, .before_seq = 5, .max = 2}, &e);
	assert_int_equal(e.count, 2); /* the rest of that change's events, then older ones */
	assert_true(e.at[0].seq == 4 && e.at[1].seq == 3);
	read_events(f, (struct event_query){.id = uuid_of(6), .from_us = first_us + 1, .max = 8}, &e);
	assert_int_equal(e.count, 1);
	read_events(f, (struct event_query){.seq = 5, .max = 8}, &e);
	assert_int_equal(e.count, 1);
	assert_true(e.at[0].seq == 5 && str_is(e.at[0].what, "two"));
	fixture_check(f);
}

/* ---- life ---- */

static void close_ends_what_is_queued(void **state)
{
	struct fixture *f = *state;
	struct counted n[3];
	unsigned one = 1, two = 2;
	fixture_submit(f, &n[0], put_whole, &one);
	fixture_submit(f, &n[1], put_whole, &two);
	store_close(TAKE(f->store));
	assert_true(n[0].is_done && n[1].is_done);
	assert_ok(n[0].result);
	assert_ok(n[1].result);
}

static void closing_answers_again(void **state)
{
	struct fixture *f = *state;
	f->store->closing = true;
	struct counted n;
	unsigned one = 1;
	fixture_submit(f, &n, put_account, &one);
	assert_true(n.is_done);
	assert_err(n.result, AGAIN);
	f->store->closing = false;
}

static void reopened_is_the_same(void **state)
{
	struct fixture *f = *state;
	const char *folder = fixture_make_folder();
	const char *path = str_print(f->arena, "%s/dari.db", folder).p;
	fixture_open(f, path);
	for (unsigned n = 1; n <= 5; n++)
		assert_ok(fixture_commit(f, put_whole, &n));
	struct str before = fixture_dump(f, &f->store->published);
	uint64_t commit = f->store->commit;
	store_close(TAKE(f->store));
	fixture_open(f, path);
	assert_int_equal(f->store->commit, commit);
	assert_true(str_equal(before, fixture_dump(f, &f->store->published))); /* usage figures, too */
	fixture_check(f);
	unsigned n = 6;
	assert_ok(fixture_commit(f, put_whole, &n));
	assert_int_equal(f->store->commit, commit + 1);
	fixture_check(f);
}

static RESULT random_change(struct op *op, void *arg)
{
	unsigned steps = (unsigned) random_below(8);
	for (unsigned k = 0; k < steps; k++) {
		unsigned n = 1 + (unsigned) random_below(12), other = 1 + (unsigned) random_below(60);
		struct account a = fixture_account(n);
		a.enabled = random_below(2);
		struct volume v = fixture_volume(1000 + other, n, (unsigned) random_below(4));
		switch (random_below(6)) {
		case 0:
			TRY(account_put(op, &a));
			break;
		case 1:
			TRY(volume_forget(op, v.row.id));
			break;
		case 2:
			TRY(volume_delete(op, v.row.id));
			break;
		default:
			TRY(volume_put(op, &v));
		}
	}
	(void) arg;
	return random_below(3) ? OK : FAIL(STATE);
}

/* Accounts come first and never go, else an observer could not keep figures of their volumes. */
static void random_batches(void **state)
{
	struct fixture *f = *state;
	random_set_seed(11);
	for (unsigned n = 1; n <= 12; n++)
		assert_ok(fixture_commit(f, put_account, &n));
	for (int round = 0; round < 150; round++) {
		struct counted n[12];
		struct view v = {0};
		if (round % 3 == 0) {
			view_open(f->store, &v);
			view_end_read(&v);
		}
		for (size_t k = 0; k < 12; k++)
			fixture_submit(f, &n[k], random_change, NULL);
		fixture_step(f);
		view_close(&v);
		fixture_step(f);
		fixture_check(f);
		struct store_figures figures;
		store_read_figures(f->store, &figures);
		assert_int_equal(figures.retired, 0);
		fixture_clear(f);
	}
	random_set_seed(0);
}

/* Writes past the store: a row, or none of that id. */
static void write_past(struct fixture *f, const struct row *row, uuid forgotten)
{
	struct sql_driver *sql = f->store->config.sql;
	assert_ok(sql->begin(sql, &f->c));
	if (row)
		assert_ok(sql->put(sql, &f->c, KIND_VOLUME, row));
	else
		assert_ok(sql->forget(sql, &f->c, KIND_VOLUME, forgotten));
	assert_ok(sql->commit(sql, &f->c, f->store->sql_commit));
}

static void compare_tells_differences(void **state)
{
	struct fixture *f = *state;
	unsigned n = 1;
	assert_ok(fixture_commit(f, put_whole, &n));
	struct volume *v = (struct volume *) volume_find(&f->store->head, uuid_of(101));
	v->size++;
	assert_err(store_compare_with_sql(f->store, &f->c), CONFLICT);
	v->size--;
	fixture_clear(f);
	fixture_check(f);
	write_past(f, NULL, uuid_of(102));
	assert_err(store_compare_with_sql(f->store, &f->c), CONFLICT);
	assert_true(str_ends_with(f->c.problem.message, STR("is in memory, but not in the database")));
	fixture_clear(f);
	write_past(f, &volume_find(&f->store->head, uuid_of(102))->row, UUID_NONE);
	struct volume stranger = fixture_volume(900, 1, 1);
	write_past(f, &stranger.row, UUID_NONE);
	assert_err(store_compare_with_sql(f->store, &f->c), CONFLICT);
	assert_true(str_ends_with(f->c.problem.message, STR("is in the database, but not in memory")));
}

#define TEST_OPEN(name) cmocka_unit_test_setup_teardown(name, setup_open, teardown)
#define TEST_CLOSED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_OPEN(put_is_published),
		TEST_OPEN(created_and_usage_are_kept),
		TEST_OPEN(copies_outlive_rows),
		TEST_OPEN(delete_then_forget),
		TEST_OPEN(unique_keys_hold),
		TEST_OPEN(same_row_many_times),
		TEST_OPEN(loops_may_put_what_they_walk),
		TEST_OPEN(second_sees_first),
		TEST_OPEN(changes_by_clock_are_counted_apart),
		TEST_CLOSED(batches_are_bounded),
		TEST_OPEN(nothing_put_is_no_batch),
		TEST_CLOSED(invariants_refuse),
		TEST_OPEN(listeners_hear_net_changes),
		TEST_OPEN(events_newest_first),
		TEST_OPEN(events_are_found),
		TEST_OPEN(part_is_taken_back),
		TEST_OPEN(close_ends_what_is_queued),
		TEST_OPEN(closing_answers_again),
		TEST_CLOSED(reopened_is_the_same),
		TEST_OPEN(random_batches),
		TEST_OPEN(compare_tells_differences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
