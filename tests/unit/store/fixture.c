/* SPDX-License-Identifier: Apache-2.0
 * The store tests' fixture: a store on a database in a file or in memory, and rows to put. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "model/volume.h"
#include "store/account.h"

enum { TEST_NOW_US = 1700000000 };

void fixture_init(struct fixture *f)
{
	*f = (struct fixture){.arena = arena_new(ARENA_FIRST_SIZE, 256 * 1024 * 1024)};
	assert_non_null(f->arena);
	ctx_init(&f->c, f->arena);
	f->executor = executor_new_stepped(1);
	assert_non_null(f->executor);
	clock_set_us(TEST_NOW_US * SECOND);
	log_set_level(LOG_ERROR + 1); /* errors are made on purpose here */
}

RESULT fixture_try_open(struct fixture *f, const char *path, struct sql_driver *(*wrap)(struct sql_driver *) )
{
	struct store_config config = {.executor = f->executor,
				      .observe = fixture_observe,
				      .check = f->check,
				      .batch_max = f->batch_max};
	TRY(database_open(&f->c, path, &config.sql));
	if (wrap)
		config.sql = wrap(config.sql);
	return store_open(&f->c, &config, &f->store);
}

void fixture_open(struct fixture *f, const char *path)
{
	struct result r = fixture_try_open(f, path, NULL);
	if (!result_is_ok(r))
		print_message("%" STR_FMT "\n", STR_ARG(f->c.problem.message));
	assert_ok(r);
}

static char folder[] = "/tmp/dari-test-XXXXXX";
static bool has_folder;

void fixture_remove_database(void)
{
	database_remove();
	static const char *const names[] = {"dari.db", "dari.db-wal", "dari.db-shm", "dari.db.lock",
					    "dari.db.schema-1"};
	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		char path[sizeof folder + 24];
		snprintf(path, sizeof path, "%s/%s", folder, names[n]);
		unlink(path);
	}
}

void fixture_done(struct fixture *f)
{
	store_close(TAKE(f->store));
	executor_free(TAKE(f->executor));
	arena_free(TAKE(f->arena));
	clock_set_us(0);
	if (has_folder) {
		fixture_remove_database();
		assert_int_equal(rmdir(folder), 0);
	}
	has_folder = false;
}

void fixture_clear(struct fixture *f)
{
	ctx_clear_problem(&f->c);
	arena_reset(f->arena);
}

static void counted_done(struct change *change, struct result result)
{
	struct counted *n = (struct counted *) (void *) change;
	assert_false(n->is_done);
	n->is_done = true;
	n->result = result;
}

void fixture_submit(struct fixture *f, struct counted *n, op_run run, void *arg)
{
	fixture_submit_as(f, n, run, arg, NULL);
}

void fixture_submit_as(struct fixture *f, struct counted *n, op_run run, void *arg,
		       const struct identity *who)
{
	*n = (struct counted){.change = {.run = run, .arg = arg, .done = counted_done, .action = "test"}};
	ctx_init(&n->c, f->arena);
	n->c.who = who;
	n->change.ctx = &n->c;
	store_submit(f->store, &n->change);
}

void fixture_step(struct fixture *f)
{
	while (executor_step(f->executor, clock_now_us() + 1))
		;
}

RESULT fixture_commit(struct fixture *f, op_run run, void *arg)
{
	struct counted n;
	fixture_submit(f, &n, run, arg);
	fixture_step(f);
	assert_true(n.is_done);
	f->c.problem = n.c.problem;
	return n.result;
}

/* ---- dumps ---- */

static void dump_row(struct fixture *f, struct buf *b, const struct kind_info *k, const struct row *row)
{
	char id[UUID_TEXT_SIZE];
	buf_print(b, "%s %s gen=%llu batch=%llu created=%lld updated=%lld deleted=%lld", k->name,
		  uuid_write(row->id, id), (unsigned long long) row->gen, (unsigned long long) row->commit,
		  (long long) row->created_us, (long long) row->updated_us, (long long) row->deleted_us);
	for (unsigned n = 0; n < k->field_count; n++) {
		buf_print(b, " %s=", k->fields[n].name);
		buf_add_str(b, row_field_to_text(f->arena, &k->fields[n], row));
	}
	assert_true(!k->usage_size == !row->usage);
	const unsigned char *usage = row->usage;
	for (size_t n = 0; n < k->usage_size; n++)
		buf_print(b, "%02x", usage[n]);
	buf_add_char(b, '\n');
}

static void dump_index(struct fixture *f, struct buf *b, const struct tables *t, const struct kind_info *k,
		       unsigned index)
{
	const struct index *x = &k->indexes[index];
	size_t count = 0;
	const struct row *previous = NULL, *row = tables_first(t, k->kind, index, NULL, 0);
	for (; row; previous = row, row = tables_next(t, k->kind, index, row, 0), count++) {
		int order = previous ? row_compare_key(k, x, x->field_count, previous, row) : -1;
		assert_true(order < 0 || (order == 0 && uuid_compare(previous->id, row->id) < 0));
		assert_ptr_equal(tables_find(t, k->kind, row->id), row);
		if (index == 0)
			dump_row(f, b, k, row);
	}
	assert_int_equal(count, tables_count(t, k->kind));
}

struct str fixture_dump(struct fixture *f, const struct tables *t)
{
	struct buf b;
	buf_init(&b, BUF_ANSWER_CAP);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		for (unsigned index = 0; index < model_kinds[kind].index_count; index++)
			dump_index(f, &b, t, &model_kinds[kind], index);
	assert_ok(buf_finish(&b));
	struct str dump = str_copy(f->arena, buf_str(&b));
	buf_done(&b);
	return dump;
}

void fixture_check(struct fixture *f)
{
	struct str head = fixture_dump(f, &f->store->head);
	assert_true(str_equal(head, fixture_dump(f, &f->store->published)));
	struct result r = store_compare_with_sql(f->store, &f->c);
	if (!result_is_ok(r))
		print_message("%" STR_FMT "\n", STR_ARG(f->c.problem.message));
	assert_ok(r);
	assert_int_equal(f->store->log.count, 0);
	assert_null(f->store->log.first_note);
}

/* ---- rows ---- */

uuid uuid_of(unsigned n)
{
	uuid u = UUID_NONE;
	if (n)
		u = (uuid){{(uint8_t) (n * 151), (uint8_t) (n >> 16), (uint8_t) (n >> 8), (uint8_t) n, 0xab}};
	return u;
}

struct account fixture_account(unsigned n)
{
	static char names[4][2][24];
	static unsigned turn;
	char(*name)[24] = names[turn++ % 4];
	snprintf(name[0], sizeof name[0], "account-%u", n);
	snprintf(name[1], sizeof name[1], "%012u", n);
	return (struct account){.row = {.id = uuid_of(n), .gen = 1},
				.name = str_from(name[0]),
				.number = str_from(name[1]),
				.enabled = true};
}

struct volume fixture_volume(unsigned n, unsigned account, unsigned instance)
{
	static const struct tag tags[] = {{STR("Name"), STR("a \"disk\"")}, {STR("empty"), STR("")}};
	return (struct volume){.row = {.id = uuid_of(n), .gen = 1},
			       .account = uuid_of(account),
			       .instance = uuid_of(instance),
			       .host = uuid_of(3),
			       .name = STR("data"),
			       .size = n,
			       .device_slot = n % 3,
			       .tags = {tags, 2}};
}

static void observe_volume(const struct tables *head, const struct volume *v, int64_t sign)
{
	const struct account *owner = row_is_live(&v->row) ? account_find(head, v->account) : NULL;
	if (!owner)
		return;
	account_usage(owner)->volumes += sign;
	account_usage(owner)->volume_bytes += sign * v->size;
}

void fixture_observe(const struct tables *head, enum kind kind, const struct row *before,
		     const struct row *after)
{
	if (kind != KIND_VOLUME)
		return;
	if (before)
		observe_volume(head, volume_of(before), -1);
	if (after)
		observe_volume(head, volume_of(after), 1);
}

const char *fixture_make_folder(void)
{
	assert_false(has_folder);
	memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	has_folder = true;
	return folder;
}
