/* SPDX-License-Identifier: Apache-2.0
 * Writes rows to SQLite. A row has up to a hundred columns, and most of them are empty or have the value of the row
 * written before. So a statement keeps its bindings, and binds only the columns whose value differs. */
#include "base/buf.h"
#include "base/heap.h"
#include "store/sqlite_internal.h"

/* Statement that writes a whole row, with the values that it has bound. */
struct sqlite_put {
	sqlite3_stmt *statement;
	int64_t held[]; /* for each field hold_value() of its binding */
};

/* Stands for a text in a row's memory, which does not outlive the step: bound again for each row. */
#define UNHELD INT64_MIN

/* ---- statements ---- */

static const char *column_name(const struct kind_info *k, unsigned n)
{
	static const char *const base[SQLITE_BASE_COLUMNS] = {"id",         "gen",        "commit_number",
							      "created_us", "updated_us", "deleted_us"};
	return n < SQLITE_BASE_COLUMNS ? base[n] : k->fields[n - SQLITE_BASE_COLUMNS].name;
}

void sqlite_write_columns(struct buf *b, const struct kind_info *k)
{
	for (unsigned n = 0; n < SQLITE_BASE_COLUMNS + k->field_count; n++)
		buf_print(b, "%s\"%s\"", n ? ", " : "", column_name(k, n));
}

/* Writes assignments to all columns but the id. by_name: an INSERT's values are assigned, else parameters. */
static void write_assignments(struct buf *b, const struct kind_info *k, bool by_name)
{
	for (unsigned n = 1; n < SQLITE_BASE_COLUMNS + k->field_count; n++) {
		buf_print(b, "%s\"%s\" = ", n > 1 ? ", " : "", column_name(k, n));
		if (by_name)
			buf_print(b, "excluded.\"%s\"", column_name(k, n));
		else
			buf_print(b, "?%u", n + 1);
	}
}

static void write_put(struct buf *b, const struct kind_info *k)
{
	buf_print(b, "INSERT INTO \"%s\" (", k->name);
	sqlite_write_columns(b, k);
	buf_print(b, ") VALUES (?");
	for (unsigned n = 1; n < SQLITE_BASE_COLUMNS + k->field_count; n++)
		buf_print(b, ", ?");
	buf_print(b, ") ON CONFLICT (id) DO UPDATE SET ");
	write_assignments(b, k, true);
}

static void write_change(struct buf *b, const struct kind_info *k)
{
	buf_print(b, "UPDATE \"%s\" SET ", k->name);
	write_assignments(b, k, false);
	buf_print(b, " WHERE id = ?1");
}

static RESULT prepare(struct sqlite *self, struct ctx *c, const struct kind_info *k, struct sqlite_put **slot,
		      void (*write)(struct buf *b, const struct kind_info *k))
{
	struct buf sql;
	if (!*slot) {
		*slot = heap_alloc(sizeof **slot + k->field_count * sizeof(*slot)->held[0]);
		for (unsigned n = 0; *slot && n < k->field_count; n++)
			(*slot)->held[n] = UNHELD;
	}
	if (!*slot)
		return ctx_no_memory(c);
	if ((*slot)->statement)
		return OK;
	buf_init(&sql, SQLITE_STATEMENT_CAP);
	write(&sql, k);
	return sqlite_prepare_from(c, self->db, &(*slot)->statement, &sql);
}

void sqlite_end_put(struct sqlite_put **put)
{
	if (*put)
		sqlite_end_statement(&(*put)->statement);
	heap_free(*put);
	*put = NULL;
}

/* ---- bindings ---- */

/* An integer, a word's index, or 0 for what is empty. UNHELD: any other value. */
static int64_t hold_value(const struct field *f, const void *at)
{
	switch (f->type) {
	case FIELD_INT:
		return *(const int64_t *) at;
	case FIELD_BOOL:
		return *(const bool *) at;
	case FIELD_ENUM:
		return *(const unsigned *) at;
	case FIELD_UUID:
		return uuid_is_none(*(const uuid *) at) ? 0 : UNHELD;
	case FIELD_TEXT:
	case FIELD_BLOB:
		return ((const struct str *) at)->n ? UNHELD : 0;
	case FIELD_UUIDS:
		return ((const struct uuids *) at)->count ? UNHELD : 0;
	case FIELD_TEXTS:
		return ((const struct strs *) at)->count ? UNHELD : 0;
	case FIELD_IPS:
		return ((const struct ips *) at)->count ? UNHELD : 0;
	case FIELD_CIDRS:
		return ((const struct cidrs *) at)->count ? UNHELD : 0;
	case FIELD_TAGS:
		return ((const struct tags *) at)->count ? UNHELD : 0;
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
		break;
	}
	return UNHELD;
}

/* Constant text of a value but an integer's, as row_field_to_text() writes it. */
static struct str held_text(const struct field *f, int64_t held)
{
	if (f->type == FIELD_BOOL)
		return held ? STR("true") : STR("false");
	if (f->type == FIELD_ENUM)
		return str_from(f->words[held]);
	if (f->type == FIELD_TAGS)
		return STR("{}");
	bool is_list = f->type == FIELD_UUIDS || f->type == FIELD_TEXTS || f->type == FIELD_IPS ||
		       f->type == FIELD_CIDRS;
	return is_list ? STR("[]") : STR("");
}

static RESULT bind_text(struct sqlite *self, struct ctx *c, sqlite3_stmt *statement, int place,
			const struct field *f, const struct row *row)
{
	struct str text = f->type == FIELD_TEXT
				  ? *(const struct str *) (const void *) ((const char *) row + f->offset)
				  : row_field_to_text(self->scratch, f, row);
	if (!text.p)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for writing a row's %s", f->name);
	sqlite_bind_str(statement, place, text);
	return OK;
}

static RESULT bind_field(struct sqlite *self, struct ctx *c, struct sqlite_put *put,
			 const struct kind_info *k, unsigned n, const struct row *row)
{
	const struct field *f = &k->fields[n];
	int64_t held = hold_value(f, (const char *) row + f->offset);
	int place = (int) (SQLITE_BASE_COLUMNS + 1 + n);
	if (held != UNHELD && held == put->held[n])
		return OK;
	put->held[n] = held;
	if (f->type == FIELD_INT)
		sqlite3_bind_int64(put->statement, place, held);
	else if (held != UNHELD)
		sqlite_bind_str(put->statement, place, held_text(f, held));
	else
		return bind_text(self, c, put->statement, place, f, row);
	return OK;
}

static RESULT bind_row(struct sqlite *self, struct ctx *c, struct sqlite_put *put, const struct kind_info *k,
		       const struct row *row)
{
	sqlite3_stmt *statement = put->statement;
	sqlite_bind_uuid(statement, 1, row->id);
	sqlite3_bind_int64(statement, 2, (int64_t) row->gen);
	sqlite3_bind_int64(statement, 3, (int64_t) row->commit);
	sqlite3_bind_int64(statement, 4, row->created_us);
	sqlite3_bind_int64(statement, 5, row->updated_us);
	sqlite3_bind_int64(statement, 6, row->deleted_us);
	for (unsigned n = 0; n < k->field_count; n++)
		TRY(bind_field(self, c, put, k, n, row));
	return OK;
}

/* ---- rows ---- */

/* Leaves the bindings. Those of a row's memory are replaced before the next step. */
static RESULT write_row(struct sqlite *self, struct ctx *c, struct sqlite_put *put, const struct kind_info *k,
			const struct row *row)
{
	TRY(bind_row(self, c, put, k, row));
	int code = sqlite_step(put->statement);
	struct result r = code == SQLITE_DONE ? OK : sqlite_fail(c, self->db, code, "writing a row");
	(void) sqlite3_reset(put->statement);
	return r;
}

/* An UPDATE does less than an INSERT that finds a row of that id. *ret_is_done false: there was none. */
static RESULT change(struct sqlite *self, struct ctx *c, const struct kind_info *k, const struct row *row,
		     bool *ret_is_done)
{
	TRY(prepare(self, c, k, &self->change[k->kind], write_change));
	TRY(write_row(self, c, self->change[k->kind], k, row));
	*ret_is_done = sqlite3_changes(self->db) > 0;
	return OK;
}

/* A row that has changed since it was made is probably there; the INSERT is right in both cases. */
static RESULT put_row(struct sqlite *self, struct ctx *c, const struct kind_info *k, const struct row *row)
{
	bool is_done = false;
	if (row->updated_us != row->created_us)
		TRY(change(self, c, k, row, &is_done));
	if (is_done)
		return OK;
	TRY(prepare(self, c, k, &self->put[k->kind], write_put));
	return write_row(self, c, self->put[k->kind], k, row);
}

RESULT sqlite_put(struct sql_driver *driver, struct ctx *c, enum kind kind, const struct row *row)
{
	struct sqlite *self = (struct sqlite *) driver;
	struct result r = put_row(self, c, &model_kinds[kind], row);
	arena_reset(self->scratch);
	return r;
}
