/* SPDX-License-Identifier: Apache-2.0
 * Copies a region to another database. store_copy() keeps a digest of each table, then opens the copy again and compares the
 * digests with those of what the copy returns. Memory does not grow with the number of rows. */
#include "store/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "store/sql.h"

enum { ITEM_CAP = 256 * 1024 * 1024, ITEM_ARENA_CAP = 256 * 1024 * 1024, TABLES = KIND_COUNT + SQL_LOGS };

/* Digest of a table: of each item behind the digest of those before it. */
struct sum {
	uint8_t digest[SHA256_SIZE];
	size_t count;
};

struct copying {
	struct ctx *c;
	struct sql_driver *to; /* NULL: only reads */
	const struct kind_info *k;
	enum sql_log log;
	struct arena *arena; /* texts of one row */
	struct buf item;     /* the bytes that are digested */
	struct sum *sums;    /* by table: kinds, then logs */
	struct sum original[TABLES], copy[TABLES];
	struct store_copied copied;
};

/* ---- digests ---- */

static void add_text(struct buf *b, struct str text)
{
	buf_print(b, "%zu:", text.n);
	buf_add_str(b, text);
}

static void begin_item(struct copying *copy, size_t table)
{
	buf_add_str(&copy->item, (struct str){(const char *) copy->sums[table].digest, SHA256_SIZE});
}

static RESULT end_item(struct copying *copy, size_t table)
{
	if (copy->item.failed)
		return ctx_no_memory(copy->c);
	crypto_sha256(buf_str(&copy->item), copy->sums[table].digest);
	copy->sums[table].count++;
	copy->item.size = 0;
	return OK;
}

static RESULT compare_sums(struct copying *copy)
{
	for (size_t table = 0; table < TABLES; table++) {
		const struct sum *original = &copy->original[table], *found = &copy->copy[table];
		if (original->count == found->count &&
		    memcmp(original->digest, found->digest, SHA256_SIZE) == 0)
			continue;
		return ctx_fail(copy->c, ERR_CONFLICT,
				"the copy differs from the original in %s (%zu of %zu items): do not use it",
				table < KIND_COUNT ? model_kinds[table].name
						   : sql_logs[table - KIND_COUNT].table,
				found->count, original->count);
	}
	return OK;
}

static RESULT take_row(void *arg, const struct row *row)
{
	struct copying *copy = arg;
	const struct kind_info *k = copy->k;
	char id[UUID_TEXT_SIZE];
	begin_item(copy, k->kind);
	buf_print(&copy->item, "%s %s %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " ", k->name,
		  uuid_write(row->id, id), row->gen, row->commit, row->created_us, row->updated_us,
		  row->deleted_us);
	for (unsigned n = 0; n < k->field_count; n++)
		add_text(&copy->item, row_field_to_text(copy->arena, &k->fields[n], row));
	arena_reset(copy->arena);
	TRY(end_item(copy, k->kind));
	if (!copy->to)
		return OK;
	copy->copied.row_count++;
	return copy->to->put(copy->to, copy->c, k->kind, row);
}

static RESULT take_record(void *arg, const struct sql_value *values)
{
	struct copying *copy = arg;
	const struct sql_log_table *log = &sql_logs[copy->log];
	begin_item(copy, KIND_COUNT + copy->log);
	buf_print(&copy->item, "%s ", log->table);
	for (unsigned n = 0; log->types[n]; n++) {
		if (log->types[n] == 'i' || values[n].is_null)
			buf_print(&copy->item, "%d %" PRId64 " ", values[n].is_null, values[n].number);
		else
			add_text(&copy->item, values[n].text);
	}
	TRY(end_item(copy, KIND_COUNT + copy->log));
	if (!copy->to)
		return OK;
	copy->copied.record_count++;
	return copy->to->add_record(copy->to, copy->c, copy->log, values);
}

static RESULT take_all(struct copying *copy, struct sql_driver *from, struct sum *sums)
{
	copy->sums = sums;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		copy->k = &model_kinds[kind];
		TRY(from->load(from, copy->c, kind, take_row, copy));
	}
	for (copy->log = 0; copy->log < SQL_LOGS; copy->log++)
		TRY(from->read_log(from, copy->c, copy->log, take_record, copy));
	return OK;
}

/* ---- the two databases ---- */

static void close_driver(struct sql_driver **driver)
{
	if (*driver)
		(*driver)->close(*driver);
	*driver = NULL;
}
#define AUTO_DRIVER __attribute__((cleanup(close_driver))) struct sql_driver *

/* key_mark: what the database must have, or gets; empty: not known. */
static RESULT open_at(struct ctx *c, const char *place, const char *key_mark, struct sql_driver **ret_driver,
		      uint64_t *ret_commit)
{
	TRY(sql_open(c, place, ret_driver));
	(void) snprintf((*ret_driver)->key_mark, sizeof(*ret_driver)->key_mark, "%s", key_mark);
	TRY((*ret_driver)->open(*ret_driver, c));
	return (*ret_driver)->read_commit(*ret_driver, c, ret_commit);
}

RESULT store_check_empty(struct ctx *c, const char *where)
{
	AUTO_DRIVER driver = NULL;
	struct sql_identity found = {0};
	const char *name = NULL;
	if (!sql_is_url(str_from(where)))
		return file_exists(where) ? ctx_fail(c, ERR_EXISTS, "%s is there already", where) : OK;
	TRY(sql_name(c, where, &name));
	TRY(sql_open(c, where, &driver));
	TRY(driver->identify(driver, c, &found));
	return !found.commit ? OK
			     : ctx_fail(c, ERR_EXISTS,
					"the database %s has a region already, at commit %" PRIu64
					": name an empty one",
					name, found.commit);
}

static RESULT fill(struct copying *copy, struct sql_driver *from, const char *to)
{
	AUTO_DRIVER driver = NULL;
	uint64_t commit = 0;
	TRY(open_at(copy->c, to, from->key_mark, &driver, &commit));
	TRY(driver->begin_copy(driver, copy->c));
	copy->to = driver;
	struct result r = take_all(copy, from, copy->original);
	copy->to = NULL;
	if (result_is_ok(r))
		r = driver->end_copy(driver, copy->c, copy->copied.commit);
	if (!result_is_ok(r))
		driver->rollback(driver);
	return r;
}

static RESULT compare(struct copying *copy, const char *to)
{
	AUTO_DRIVER driver = NULL;
	uint64_t commit = 0;
	TRY(open_at(copy->c, to, "", &driver, &commit));
	TRY(take_all(copy, driver, copy->copy));
	TRY(compare_sums(copy));
	return commit == copy->copied.commit ? OK
					     : ctx_fail(copy->c, ERR_CONFLICT,
							"the copy is at commit %" PRIu64
							", and the original at %" PRIu64 ": do not use it",
							commit, copy->copied.commit);
}

static RESULT copy_from(struct copying *copy, struct sql_driver *from, const char *to)
{
	TRY(from->read_commit(from, copy->c, &copy->copied.commit));
	if (!copy->copied.commit)
		return ctx_fail(copy->c, ERR_NOT_FOUND, "the database to copy has no region");
	TRY(fill(copy, from, to));
	return compare(copy, to);
}

/* A file gets its name when the copy in it has been compared. */
static RESULT copy_into_file(struct copying *copy, struct sql_driver *from, const char *to)
{
	const char *half = str_print(copy->c->arena, "%s.half", to).p;
	const char *lock = str_print(copy->c->arena, "%s.half.lock", to).p;
	if (!half || !lock)
		return ctx_no_memory(copy->c);
	TRY(file_delete(copy->c, half));
	struct result r = copy_from(copy, from, half);
	(void) unlink(lock);
	return sqlite_settle_copy(copy->c, r, half, to);
}

static RESULT copy_to(struct ctx *c, struct sql_driver *from, const char *to, struct store_copied *ret_copied)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ITEM_ARENA_CAP);
	struct copying *copy = arena_new_object(c->arena, struct copying);
	if (!arena || !copy)
		return ctx_no_memory(c);
	TRY(store_check_empty(c, to));
	copy->c = c;
	copy->arena = arena;
	buf_init(&copy->item, ITEM_CAP);
	struct result r =
		sql_is_url(str_from(to)) ? copy_from(copy, from, to) : copy_into_file(copy, from, to);
	buf_done(&copy->item);
	*ret_copied = copy->copied;
	return r;
}

RESULT store_copy_reader(struct ctx *c, struct sql_driver *from, const char *path,
			 struct store_copied *ret_copied)
{
	return copy_to(c, from, path, ret_copied);
}

RESULT store_copy(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied)
{
	AUTO_DRIVER driver = NULL;
	uint64_t commit = 0;
	if (!sql_is_url(str_from(from)) && !file_exists(from))
		return ctx_fail(c, ERR_NOT_FOUND, "there is no database %s", from);
	TRY(open_at(c, from, "", &driver, &commit));
	return copy_to(c, driver, to, ret_copied);
}
