/* SPDX-License-Identifier: Apache-2.0
 * Rows in PostgreSQL. Statements for each kind are generated from its field table: integers as integers,
 * everything else as row_field_to_text() writes it. Writing collects arrays; loading reads COPY's binary form. */
#include <poll.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "store/postgresql_internal.h"

enum { STATEMENT_CAP = 64 * 1024, BASE_COLUMN_COUNT = 6, COLUMNS_MAX = 192 };

/* ---- statements ---- */

static const char *column_name(const struct kind_info *k, unsigned n)
{
	static const char *const base[BASE_COLUMN_COUNT] = {"id",         "gen",        "commit_number",
							    "created_us", "updated_us", "deleted_us"};
	return n < BASE_COLUMN_COUNT ? base[n] : k->fields[n - BASE_COLUMN_COUNT].name;
}

static bool column_is_int(const struct kind_info *k, unsigned n)
{
	return n < BASE_COLUMN_COUNT ? n > 0 : k->fields[n - BASE_COLUMN_COUNT].type == FIELD_INT;
}

static unsigned column_count(const struct kind_info *k)
{
	return BASE_COLUMN_COUNT + k->field_count;
}

static void write_columns(struct buf *b, const struct kind_info *k)
{
	for (unsigned n = 0; n < column_count(k); n++)
		buf_print(b, "%s\"%s\"", n ? ", " : "", column_name(k, n));
}

static void write_put(struct buf *b, const struct kind_info *k)
{
	buf_print(b, "INSERT INTO \"%s\" (", k->name);
	write_columns(b, k);
	buf_print(b, ") SELECT * FROM unnest(");
	for (unsigned n = 0; n < column_count(k); n++)
		buf_print(b, "%s$%u::%s[]", n ? ", " : "", n + 1, column_is_int(k, n) ? "bigint" : "text");
	buf_print(b, ") ON CONFLICT (id) DO UPDATE SET ");
	for (unsigned n = 1; n < column_count(k); n++)
		buf_print(b, "%s\"%s\" = excluded.\"%s\"", n > 1 ? ", " : "", column_name(k, n),
			  column_name(k, n));
}

static struct postgresql_batch *make_batch(struct postgresql_batch **slot, struct buf *sql, const char *types)
{
	buf_add_char(sql, 0);
	struct postgresql_batch *batch =
		result_is_ok(buf_finish(sql)) ? postgresql_batch_of(slot, sql->p, types) : NULL;
	buf_done(sql);
	return batch;
}

static struct postgresql_batch *put_batch(struct postgresql *self, const struct kind_info *k)
{
	if (self->put[k->kind])
		return self->put[k->kind];
	char types[COLUMNS_MAX] = "";
	struct buf sql;
	buf_init(&sql, STATEMENT_CAP);
	write_put(&sql, k);
	for (unsigned n = 0; n < column_count(k) && n < COLUMNS_MAX - 1; n++)
		types[n] = column_is_int(k, n) ? 'i' : 't';
	return make_batch(&self->put[k->kind], &sql, types);
}

/* ---- writing ---- */

static RESULT add_field(struct postgresql *self, struct ctx *c, struct postgresql_batch *batch,
			unsigned column, const struct field *f, const struct row *row)
{
	const void *at = (const char *) row + f->offset;
	if (f->type == FIELD_INT) {
		postgresql_add_int(batch, column, *(const int64_t *) at);
	} else if (f->type == FIELD_TEXT) {
		postgresql_add_text(batch, column, *(const struct str *) at);
	} else {
		struct str text = row_field_to_text(self->scratch, f, row);
		if (!text.p)
			return ctx_fail(c, ERR_NO_MEMORY, "out of memory for writing a row's %s", f->name);
		postgresql_add_text(batch, column, text);
	}
	return OK;
}

static RESULT add_row(struct postgresql *self, struct ctx *c, struct postgresql_batch *batch,
		      const struct kind_info *k, const struct row *row)
{
	postgresql_add_uuid(batch, 0, row->id);
	postgresql_add_int(batch, 1, (int64_t) row->gen);
	postgresql_add_int(batch, 2, (int64_t) row->commit);
	postgresql_add_int(batch, 3, row->created_us);
	postgresql_add_int(batch, 4, row->updated_us);
	postgresql_add_int(batch, 5, row->deleted_us);
	for (unsigned n = 0; n < k->field_count; n++)
		TRY(add_field(self, c, batch, BASE_COLUMN_COUNT + n, &k->fields[n], row));
	return postgresql_end_values(self, c, batch);
}

static RESULT say_fault(struct ctx *c)
{
	return ctx_fail(c, ERR_IO, "writing a row: a fault of a test");
}

RESULT postgresql_put(struct sql_driver *driver, struct ctx *c, enum kind kind, const struct row *row)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = put_batch(self, &model_kinds[kind]);
	if (!batch)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for writing a row");
	struct result r =
		fault_fires(FAULT_SQL) ? say_fault(c) : add_row(self, c, batch, &model_kinds[kind], row);
	arena_reset(self->scratch);
	TRY(r);
	return postgresql_note_change(self, c, kind, row->id);
}

RESULT postgresql_forget(struct sql_driver *driver, struct ctx *c, enum kind kind, uuid id)
{
	struct postgresql *self = postgresql_of(driver);
	if (!self->forget[kind]) {
		struct buf sql;
		buf_init(&sql, STATEMENT_CAP);
		buf_print(&sql, "DELETE FROM \"%s\" WHERE id = ANY ($1::text[])", model_kinds[kind].name);
		if (!make_batch(&self->forget[kind], &sql, "t"))
			return ctx_fail(c, ERR_NO_MEMORY, "out of memory for deleting a row");
	}
	if (fault_fires(FAULT_SQL))
		return say_fault(c);
	postgresql_add_uuid(self->forget[kind], 0, id);
	TRY(postgresql_end_values(self, c, self->forget[kind]));
	return postgresql_note_change(self, c, kind, id);
}

/* ---- loading ---- */

/* A message of COPY: see "Binary Format" in PostgreSQL's manual of COPY. */
struct copy {
	struct postgresql *self;
	struct ctx *c;
	const struct kind_info *k;
	const char *p, *end;
	bool is_begun; /* the header was read */
};

static RESULT say_malformed(struct copy *copy)
{
	return ctx_fail(copy->c, ERR_IO, "reading the rows of %s: the answer is no binary COPY",
			copy->k->name);
}

static bool take_int(struct copy *copy, size_t size, int64_t *ret_value)
{
	if ((size_t) (copy->end - copy->p) < size)
		return false;
	*ret_value = postgresql_read_int(copy->p, size);
	copy->p += size;
	return true;
}

static bool take_value(struct copy *copy, struct str *ret_value)
{
	int64_t size = 0;
	if (!take_int(copy, 4, &size) || size > copy->end - copy->p)
		return false;
	*ret_value = (struct str){copy->p, (size_t) size};
	copy->p += size;
	return true;
}

static bool take_head(struct copy *copy)
{
	enum { SIGNATURE = 11, FLAGS = 4 };
	int64_t extension = 0;
	if (copy->is_begun)
		return true;
	if (copy->end - copy->p < SIGNATURE + FLAGS)
		return false;
	copy->p += SIGNATURE + FLAGS;
	copy->is_begun = take_int(copy, 4, &extension) && extension <= copy->end - copy->p;
	copy->p += copy->is_begun ? extension : 0;
	return copy->is_begun;
}

static RESULT read_field(struct copy *copy, const struct field *f, struct str value, struct row *row)
{
	void *at = (char *) row + f->offset;
	if (f->type == FIELD_INT)
		*(int64_t *) at = postgresql_read_int(value.p, value.n);
	else if (f->type == FIELD_TEXT)
		*(struct str *) at = postgresql_decode(copy->self->scratch, value);
	else
		return row_field_from_text(copy->self->scratch, f,
					   postgresql_decode(copy->self->scratch, value), row);
	return OK;
}

static RESULT read_base(struct copy *copy, const struct str *values, struct row *row)
{
	if (!result_is_ok(uuid_parse(values[0], &row->id)))
		return ctx_fail(copy->c, ERR_STATE,
				"the database %s is damaged: a row of %s has the id \"%" STR_FMT "\"",
				copy->self->name, copy->k->name, STR_ARG(values[0]));
	row->gen = (uint64_t) postgresql_read_int(values[1].p, values[1].n);
	row->commit = (uint64_t) postgresql_read_int(values[2].p, values[2].n);
	row->created_us = postgresql_read_int(values[3].p, values[3].n);
	row->updated_us = postgresql_read_int(values[4].p, values[4].n);
	row->deleted_us = postgresql_read_int(values[5].p, values[5].n);
	return OK;
}

static RESULT read_row(struct copy *copy, const struct str *values, struct row **ret_row)
{
	const struct kind_info *k = copy->k;
	struct row *row = arena_alloc(copy->self->scratch, k->row_size);
	if (!row)
		return ctx_fail(copy->c, ERR_NO_MEMORY, "out of memory for reading a row of %s", k->name);
	TRY(read_base(copy, values, row));
	for (unsigned n = 0; n < k->field_count; n++) {
		struct result r = read_field(copy, &k->fields[n], values[BASE_COLUMN_COUNT + n], row);
		if (r.code == ERR_NO_MEMORY)
			return ctx_fail(copy->c, ERR_NO_MEMORY, "out of memory for reading a row of %s",
					k->name);
		if (!result_is_ok(r))
			return ctx_fail(copy->c, ERR_STATE,
					"the database %s is damaged: %s %" STR_FMT " has no usable %s",
					copy->self->name, k->name, STR_ARG(values[0]), k->fields[n].name);
	}
	*ret_row = row;
	return OK;
}

/* Reads the rows of one message. */
static RESULT read_message(struct copy *copy, sql_each_row each, void *arg)
{
	struct str values[COLUMNS_MAX];
	int64_t count = 0;
	if (!take_head(copy))
		return say_malformed(copy);
	while (copy->p < copy->end) {
		struct row *row = NULL;
		if (!take_int(copy, 2, &count))
			return say_malformed(copy);
		if (count == UINT16_MAX) /* the trailer */
			return OK;
		if (count != column_count(copy->k) || count > COLUMNS_MAX)
			return say_malformed(copy);
		for (int64_t n = 0; n < count; n++)
			if (!take_value(copy, &values[n]))
				return say_malformed(copy);
		TRY(read_row(copy, values, &row));
		TRY(each(arg, row));
	}
	return OK;
}

/* The next message's size; less than 1: there is none. The connection is lost if it takes longer than answer_max_ms. */
static int next_message(struct copy *copy, char **ret_bytes)
{
	PGconn *db = copy->self->db;
	int size = 0;
	while ((size = PQgetCopyData(db, ret_bytes, 1)) == 0) {
		struct pollfd fd = {.fd = PQsocket(db), .events = POLLIN};
		if (poll(&fd, 1, copy->self->answer_max_ms) == 0)
			(void) shutdown(fd.fd, SHUT_RDWR);
		if (!PQconsumeInput(db))
			return -2;
	}
	return size;
}

/* Reads all messages, even after a failure, because the connection is used again. */
static RESULT read_copy(struct copy *copy, sql_each_row each, void *arg)
{
	PGconn *db = copy->self->db;
	struct result r = OK;
	char *bytes = NULL;
	int size = 0;
	while ((size = next_message(copy, &bytes)) > 0) {
		copy->p = bytes;
		copy->end = bytes + size;
		if (result_is_ok(r))
			r = read_message(copy, each, arg);
		PQfreemem(bytes);
		arena_reset(copy->self->scratch);
	}
	PGresult *result = NULL;
	while ((result = PQgetResult(db))) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK && result_is_ok(r))
			r = postgresql_fail(copy->self, copy->c, db, result, "reading the rows");
		PQclear(result);
	}
	return size == -1 || !result_is_ok(r)
		       ? r
		       : postgresql_fail(copy->self, copy->c, db, NULL, "reading the rows");
}

RESULT postgresql_load(struct sql_driver *driver, struct ctx *c, enum kind kind, sql_each_row each, void *arg)
{
	return postgresql_load_where(postgresql_of(driver), c, kind, "", each, arg);
}

RESULT postgresql_load_where(struct postgresql *self, struct ctx *c, enum kind kind, const char *where,
			     sql_each_row each, void *arg)
{
	struct copy copy = {.self = self, .c = c, .k = &model_kinds[kind]};
	struct buf sql;
	buf_init(&sql, STATEMENT_CAP);
	buf_print(&sql, "COPY (SELECT ");
	write_columns(&sql, copy.k);
	buf_print(&sql, " FROM \"%s\"", copy.k->name);
	buf_add_str(&sql, str_from(where));
	buf_print(&sql, " ORDER BY id COLLATE \"C\") TO STDOUT (FORMAT binary)");
	buf_add_char(&sql, 0);
	if (!result_is_ok(buf_finish(&sql))) {
		buf_done(&sql);
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for a statement");
	}
	AUTO_PGRESULT result = !fault_fires(FAULT_SQL) && PQsendQuery(self->db, sql.p)
				       ? postgresql_await(self->db, self->answer_max_ms)
				       : NULL;
	buf_done(&sql);
	if (PQresultStatus(result) != PGRES_COPY_OUT)
		return postgresql_fail(self, c, self->db, result, "reading the rows");
	return read_copy(&copy, each, arg);
}
