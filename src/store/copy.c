/* SPDX-License-Identifier: Apache-2.0
 * Copies a region to another database. store_copy() keeps a digest of each table, then opens the copy again and compares the
 * digests with those of what the copy returns. Memory does not grow with the number of rows. */
#include "store/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
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
	struct str unfinished; /* the copy's mark until all is done; empty: none */
	bool resumes;          /* the copy was made before, and is only compared */
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

static RESULT open_former(struct ctx *c, const char *place, struct sql_driver **ret_driver)
{
	if (!sql_is_url(str_from(place)) && !file_exists(place))
		return ctx_fail(c, ERR_NOT_FOUND, "there is no database %s", place);
	TRY(sql_open(c, place, ret_driver));
	return (*ret_driver)->open(*ret_driver, c);
}

/* Opens the copy, whatever its marks say. key_mark: what the database must have, or gets; empty: not known. */
static RESULT open_copy(struct ctx *c, const char *place, const char *key_mark,
			struct sql_driver **ret_driver, uint64_t *ret_commit)
{
	TRY(sql_open(c, place, ret_driver));
	(*ret_driver)->takes_marked = true;
	(void) snprintf((*ret_driver)->key_mark, sizeof(*ret_driver)->key_mark, "%s", key_mark);
	TRY((*ret_driver)->open(*ret_driver, c));
	return (*ret_driver)->read_commit(*ret_driver, c, ret_commit);
}

/* An absent file says nothing. */
static RESULT identify(struct ctx *c, const char *place, struct sql_identity *ret_identity)
{
	AUTO_DRIVER driver = NULL;
	*ret_identity = (struct sql_identity){0};
	if (!sql_is_url(str_from(place)) && !file_exists(place))
		return OK;
	TRY(sql_open(c, place, &driver));
	return driver->identify(driver, c, ret_identity);
}

static RESULT say_occupied(struct ctx *c, const char *where, uint64_t commit)
{
	const char *name = NULL;
	TRY(sql_name(c, where, &name));
	return ctx_fail(c, ERR_EXISTS,
			"the database %s has a region already, at commit %" PRIu64 ": name an empty one",
			name, commit);
}

RESULT store_check_empty(struct ctx *c, const char *where)
{
	struct sql_identity found = {0};
	if (!sql_is_url(str_from(where)))
		return file_exists(where) ? ctx_fail(c, ERR_EXISTS, "%s is there already", where) : OK;
	TRY(identify(c, where, &found));
	return found.commit ? say_occupied(c, where, found.commit) : OK;
}

static RESULT fill(struct copying *copy, struct sql_driver *from, const char *to)
{
	AUTO_DRIVER driver = NULL;
	uint64_t commit = 0;
	TRY(open_copy(copy->c, to, from->key_mark, &driver, &commit));
	if (commit)
		return say_occupied(copy->c, to, commit);
	TRY(driver->mark(driver, copy->c, SQL_UNFINISHED, copy->unfinished));
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
	TRY(open_copy(copy->c, to, "", &driver, &commit));
	if (commit != copy->copied.commit)
		return ctx_fail(copy->c, ERR_CONFLICT,
				"the copy is at commit %" PRIu64 ", and the original at %" PRIu64
				": do not use it. Empty the database, and copy again",
				commit, copy->copied.commit);
	TRY(take_all(copy, driver, copy->copy));
	return compare_sums(copy);
}

static RESULT copy_from(struct copying *copy, struct sql_driver *from, const char *to)
{
	TRY(from->read_commit(from, copy->c, &copy->copied.commit));
	if (!copy->copied.commit)
		return ctx_fail(copy->c, ERR_NOT_FOUND, "the database to copy has no region");
	TRY(copy->resumes ? take_all(copy, from, copy->original) : fill(copy, from, to));
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

struct wish {
	struct str unfinished;
	bool resumes;
};

static RESULT copy_to(struct ctx *c, struct sql_driver *from, const char *to, const struct wish *wish,
		      struct store_copied *ret_copied)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ITEM_ARENA_CAP);
	struct copying *copy = arena_new_object(c->arena, struct copying);
	if (!arena || !copy)
		return ctx_no_memory(c);
	TRY(wish->resumes ? OK : store_check_empty(c, to));
	copy->c = c;
	copy->arena = arena;
	copy->unfinished = wish->unfinished;
	copy->resumes = wish->resumes;
	buf_init(&copy->item, ITEM_CAP);
	struct result r = wish->resumes || sql_is_url(str_from(to)) ? copy_from(copy, from, to)
								    : copy_into_file(copy, from, to);
	buf_done(&copy->item);
	*ret_copied = copy->copied;
	return r;
}

RESULT store_copy_reader(struct ctx *c, struct sql_driver *from, const char *path,
			 struct store_copied *ret_copied)
{
	return copy_to(c, from, path, &(struct wish){0}, ret_copied);
}

RESULT store_copy(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied)
{
	AUTO_DRIVER driver = NULL;
	TRY(open_former(c, from, &driver));
	return copy_to(c, driver, to, &(struct wish){0}, ret_copied);
}

/* ---- moving ----
 *
 * Two processes must never start with the two databases. So the copy is made with the mark that it is unfinished; then the former
 * database gets the mark that the region was moved; then the copy loses its mark. Whenever this ends early, at most one of the two
 * can be used, and the same command goes on from there. */

/* A file with its machine: the other database may be on a server that several machines use. */
static RESULT name_place(struct ctx *c, const char *where, struct str *ret_name)
{
	char directory[PATH_MAX], host[256] = "";
	const char *slash = strrchr(where, '/'), *name = NULL;
	const char *above = slash ? str_print(c->arena, "%.*s", (int) (slash - where + 1), where).p : ".";
	if (sql_is_url(str_from(where))) {
		TRY(sql_name(c, where, &name));
		*ret_name = str_from(name);
		return OK;
	}
	if (!above || !realpath(above, directory))
		return ctx_fail(c, ERR_IO, "cannot find the directory of %s: %s", where,
				strerrordesc_np(errno));
	(void) gethostname(host, sizeof host - 1); /* stays empty if there is no name */
	*ret_name = str_print(c->arena, "%s/%s on %s", strcmp(directory, "/") == 0 ? "" : directory,
			      slash ? slash + 1 : where, host);
	return ret_name->p ? OK : ctx_no_memory(c);
}

static struct str mark_text(struct ctx *c, struct str name)
{
	char time[CLOCK_TEXT_SIZE];
	return str_print(c->arena, "%s %" STR_FMT, clock_write_s(clock_now_us(), time), STR_ARG(name));
}

static bool names(struct str mark, struct str name)
{
	struct str time = STR_NONE;
	return mark.n && str_split_next(&mark, ' ', &time) && str_equal(mark, name);
}

static RESULT finish_copy(struct ctx *c, const char *to)
{
	AUTO_DRIVER driver = NULL;
	uint64_t commit = 0;
	TRY(open_copy(c, to, "", &driver, &commit));
	return driver->mark(driver, c, SQL_UNFINISHED, STR_NONE);
}

RESULT store_move(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied)
{
	AUTO_DRIVER driver = NULL;
	struct sql_identity former = {0}, later = {0};
	struct str from_name = STR_NONE, to_name = STR_NONE;
	TRY(name_place(c, from, &from_name));
	TRY(name_place(c, to, &to_name));
	TRY(identify(c, from, &former));
	TRY(identify(c, to, &later));
	bool is_copy = later.commit && names(later.marks[SQL_UNFINISHED], from_name);
	*ret_copied = (struct store_copied){.commit = later.commit};
	if (is_copy && names(former.marks[SQL_MOVED], to_name))
		return finish_copy(c, to);
	struct wish wish = {.unfinished = mark_text(c, from_name), .resumes = is_copy};
	struct str moved = mark_text(c, to_name);
	TRY(wish.unfinished.p && moved.p ? OK : ctx_no_memory(c));
	TRY(open_former(c, from, &driver));
	TRY(copy_to(c, driver, to, &wish, ret_copied));
	TRY(driver->mark(driver, c, SQL_MOVED, moved));
	return finish_copy(c, to);
}

RESULT store_reopen(struct ctx *c, const char *where)
{
	AUTO_DRIVER driver = NULL;
	struct sql_identity found = {0};
	uint64_t commit = 0;
	TRY(identify(c, where, &found));
	if (!found.marks[SQL_MOVED].n && !found.marks[SQL_UNFINISHED].n)
		return ctx_fail(c, ERR_STATE,
				"dari starts with this database as it is: it has no mark to take back");
	TRY(open_copy(c, where, "", &driver, &commit));
	for (enum sql_mark mark = 0; mark < SQL_MARKS; mark++)
		TRY(driver->mark(driver, c, mark, STR_NONE));
	return OK;
}
