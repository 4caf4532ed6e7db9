/* SPDX-License-Identifier: Apache-2.0
 * Copies a region to another database. store_copy() keeps a digest of each row and record, then opens the copy
 * again and compares the digests with what the copy returns. */
#include "store/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/heap.h"
#include "store/sql.h"

enum { DIGEST_SIZE = 16, ITEM_CAP = 256 * 1024 * 1024, ITEM_ARENA_CAP = 256 * 1024 * 1024 };

struct copying {
	struct ctx *c;
	struct sql_driver *to; /* NULL: compares */
	const struct kind_info *k;
	enum sql_log log;
	struct arena *arena; /* texts of one row */
	struct buf item;     /* the bytes that are digested */
	uint8_t (*digests)[DIGEST_SIZE];
	size_t count, capacity; /* of digests, in the order of copying */
	size_t compared;
	struct store_copied copied;
};

/* ---- digests ---- */

static void add_text(struct buf *b, struct str text)
{
	buf_print(b, "%zu:", text.n);
	buf_add_str(b, text);
}

static RESULT say_differs(struct copying *copy, const char *what)
{
	return ctx_fail(copy->c, ERR_CONFLICT,
			"the copy differs from the original in %s, item %zu: do not use it", what,
			copy->compared + 1);
}

static bool grow(struct copying *copy)
{
	size_t capacity = copy->capacity ? 2 * copy->capacity : 1024;
	void *digests = copy->count < copy->capacity ? copy->digests
						     : heap_resize(copy->digests, capacity * DIGEST_SIZE);
	if (!digests)
		return false;
	if (copy->count == copy->capacity)
		copy->capacity = capacity;
	copy->digests = digests;
	return true;
}

/* Keeps the item's digest while copying; afterwards compares it with the one that was kept. */
static RESULT take_item(struct copying *copy, const char *what)
{
	uint8_t digest[SHA256_SIZE];
	if (copy->item.failed)
		return ctx_no_memory(copy->c);
	crypto_sha256(buf_str(&copy->item), digest);
	copy->item.size = 0;
	if (!copy->to) {
		if (copy->compared >= copy->count ||
		    memcmp(copy->digests[copy->compared], digest, DIGEST_SIZE) != 0)
			return say_differs(copy, what);
		copy->compared++;
		return OK;
	}
	if (!grow(copy))
		return ctx_no_memory(copy->c);
	memcpy(copy->digests[copy->count++], digest, DIGEST_SIZE);
	return OK;
}

static RESULT take_row(void *arg, const struct row *row)
{
	struct copying *copy = arg;
	const struct kind_info *k = copy->k;
	char id[UUID_TEXT_SIZE];
	buf_print(&copy->item, "%s %s %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " ", k->name,
		  uuid_write(row->id, id), row->gen, row->commit, row->created_us, row->updated_us,
		  row->deleted_us);
	for (unsigned n = 0; n < k->field_count; n++)
		add_text(&copy->item, row_field_to_text(copy->arena, &k->fields[n], row));
	arena_reset(copy->arena);
	TRY(take_item(copy, k->name));
	if (!copy->to)
		return OK;
	copy->copied.row_count++;
	return copy->to->put(copy->to, copy->c, k->kind, row);
}

static RESULT take_record(void *arg, const struct sql_value *values)
{
	struct copying *copy = arg;
	const struct sql_log_table *log = &sql_logs[copy->log];
	buf_print(&copy->item, "%s ", log->table);
	for (unsigned n = 0; log->types[n]; n++) {
		if (log->types[n] == 'i' || values[n].is_null)
			buf_print(&copy->item, "%d %" PRId64 " ", values[n].is_null, values[n].number);
		else
			add_text(&copy->item, values[n].text);
	}
	TRY(take_item(copy, log->table));
	if (!copy->to)
		return OK;
	copy->copied.record_count++;
	return copy->to->add_record(copy->to, copy->c, copy->log, values);
}

static RESULT take_all(struct copying *copy, struct sql_driver *from)
{
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

static RESULT say_occupied(struct ctx *c, const char *what, uint64_t commit)
{
	return ctx_fail(c, ERR_EXISTS,
			"%s has a region already, at commit %" PRIu64 ": copy into an empty one", what,
			commit);
}

static RESULT fill(struct copying *copy, struct sql_driver *from, const char *to)
{
	AUTO_DRIVER driver = NULL;
	uint64_t commit = 0;
	TRY(open_at(copy->c, to, from->key_mark, &driver, &commit));
	if (commit)
		return say_occupied(copy->c, "the database of --to", commit);
	TRY(driver->begin_copy(driver, copy->c));
	copy->to = driver;
	struct result r = take_all(copy, from);
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
	TRY(take_all(copy, driver));
	return commit == copy->copied.commit && copy->compared == copy->count
		       ? OK
		       : say_differs(copy, "the number of rows or commits");
}

static RESULT copy_between(struct copying *copy, const char *from, const char *to)
{
	AUTO_DRIVER driver = NULL;
	if (!sql_is_url(str_from(from)) && !file_exists(from))
		return ctx_fail(copy->c, ERR_NOT_FOUND, "there is no database %s", from);
	TRY(open_at(copy->c, from, "", &driver, &copy->copied.commit));
	if (!copy->copied.commit)
		return ctx_fail(copy->c, ERR_NOT_FOUND, "the database of --from has no region");
	TRY(fill(copy, driver, to));
	return compare(copy, to);
}

/* A file gets its name when the copy in it has been compared. */
static RESULT copy_into_file(struct copying *copy, const char *from, const char *to)
{
	const char *half = str_print(copy->c->arena, "%s.half", to).p;
	const char *lock = str_print(copy->c->arena, "%s.half.lock", to).p;
	if (!half || !lock)
		return ctx_no_memory(copy->c);
	if (file_exists(to))
		return ctx_fail(copy->c, ERR_EXISTS, "%s is there already", to);
	TRY(file_delete(copy->c, half));
	struct result r = copy_between(copy, from, half);
	(void) unlink(lock);
	return sqlite_settle_copy(copy->c, r, half, to);
}

RESULT store_copy(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ITEM_ARENA_CAP);
	struct copying copy = {.c = c, .arena = arena};
	if (!arena)
		return ctx_no_memory(c);
	buf_init(&copy.item, ITEM_CAP);
	struct result r =
		sql_is_url(str_from(to)) ? copy_between(&copy, from, to) : copy_into_file(&copy, from, to);
	buf_done(&copy.item);
	heap_free(copy.digests);
	*ret_copied = copy.copied;
	return r;
}
