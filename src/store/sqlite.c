/* SPDX-License-Identifier: Apache-2.0
 * The SQL driver for SQLite. Statements for each kind of row are generated from its field table: integers as
 * integers, everything else as row_field_to_text() writes it. sqlite_open.c opens the database.
 *
 * Unknown outcome of a COMMIT: SQLite writes the batch's pages to the WAL and then syncs it. If the sync
 * fails, the transaction is still open and can be rolled back, but its pages, including the commit mark, may
 * be in the file, and a crash could revive them. Therefore read_commit does not only read: it commits another
 * transaction, which overwrites them. If that fails as well, the outcome cannot be determined. */
#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "store/sqlite_internal.h"

/* ---- statements ---- */

RESULT sqlite_fail(struct ctx *c, sqlite3 *db, int code, const char *doing)
{
	const char *words = sqlite3_errstr(code);
	if (db && sqlite3_extended_errcode(db) == code)
		words = sqlite3_errmsg(db);
	int error = db && (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;
	if (sqlite_is_damage(code))
		return sqlite_say_damaged(
			c, db ? sqlite3_db_filename(db, "main") : NULL,
			str_print(c->arena, "%.60s: %s, SQLite's code %d", doing, words, code));
	bool is_full = (code & 0xff) == SQLITE_FULL || error == ENOSPC || error == EDQUOT;
	return ctx_fail(c, is_full ? ERR_CAPACITY : ERR_IO, "%s: %s (SQLite's code %d)", doing, words, code);
}

void sqlite_end_statement(sqlite3_stmt **statement)
{
	(void) sqlite3_finalize(*statement); /* finalize repeats the last step's error, which was handled */
	*statement = NULL;
}

RESULT sqlite_prepare(struct ctx *c, sqlite3 *db, sqlite3_stmt **slot, const char *sql)
{
	if (*slot)
		return OK;
	int code = fault_fires(FAULT_SQL)
			   ? SQLITE_IOERR
			   : sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
	return code == SQLITE_OK ? OK : sqlite_fail(c, db, code, sql);
}

int sqlite_step(sqlite3_stmt *statement)
{
	return fault_fires(FAULT_SQL) ? SQLITE_IOERR : sqlite3_step(statement);
}

void sqlite_let_go(sqlite3_stmt *statement)
{
	if (!statement)
		return;
	(void) sqlite3_reset(statement);
	(void) sqlite3_clear_bindings(statement);
}

RESULT sqlite_run(struct ctx *c, sqlite3_stmt *statement, const char *doing)
{
	int code = sqlite_step(statement);
	struct result r =
		code == SQLITE_DONE ? OK : sqlite_fail(c, sqlite3_db_handle(statement), code, doing);
	sqlite_let_go(statement);
	return r;
}

RESULT sqlite_exec(struct ctx *c, sqlite3 *db, const char *sql)
{
	int code = fault_fires(FAULT_SQL) ? SQLITE_IOERR : sqlite3_exec(db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? OK : sqlite_fail(c, db, code, sql);
}

void sqlite_rollback(sqlite3 *db)
{
	if (!sqlite3_get_autocommit(db))
		(void) sqlite3_exec(db, "ROLLBACK", NULL, NULL,
				    NULL); /* fails only if there is nothing to roll back */
}

static struct sqlite *sqlite_of(struct sql_driver *driver)
{
	return (struct sqlite *) driver;
}

/* ---- values ---- */

void sqlite_bind_str(sqlite3_stmt *statement, int place, struct str s)
{
	sqlite3_bind_text(statement, place, s.p ? s.p : "", (int) s.n, SQLITE_STATIC);
}

void sqlite_bind_uuid(sqlite3_stmt *statement, int place, uuid u)
{
	char text[UUID_TEXT_SIZE];
	if (uuid_is_none(u))
		sqlite3_bind_text(statement, place, "", 0, SQLITE_STATIC);
	else
		sqlite3_bind_text(statement, place, uuid_write(u, text), UUID_TEXT_SIZE - 1,
				  SQLITE_TRANSIENT);
}

struct str sqlite_column_str(sqlite3_stmt *statement, int place)
{
	const char *p = (const char *) sqlite3_column_text(statement, place);
	return (struct str){p, (size_t) sqlite3_column_bytes(statement, place)};
}

uuid sqlite_column_uuid(sqlite3_stmt *statement, int place)
{
	uuid u = UUID_NONE;
	IGNORE(uuid_parse(sqlite_column_str(statement, place), &u)); /* an empty text is none */
	return u;
}

/* SQLite's texts stay valid until the next step, and the store copies them before. */
static RESULT column_field(struct sqlite *self, sqlite3_stmt *statement, int place, const struct field *f,
			   struct row *row)
{
	void *at = (char *) row + f->offset;
	if (f->type == FIELD_INT)
		*(int64_t *) at = sqlite3_column_int64(statement, place);
	else if (f->type == FIELD_TEXT)
		*(struct str *) at = sqlite_column_str(statement, place);
	else
		return row_field_from_text(self->scratch, f, sqlite_column_str(statement, place), row);
	return OK;
}

/* ---- rows ---- */

RESULT sqlite_prepare_from(struct ctx *c, sqlite3 *db, sqlite3_stmt **slot, struct buf *sql)
{
	buf_add_char(sql, 0);
	struct result r = buf_finish(sql);
	if (result_is_ok(r))
		r = sqlite_prepare(c, db, slot, sql->p);
	else
		r = ctx_fail(c, r.code, "out of memory for a statement");
	buf_done(sql);
	return r;
}

static RESULT sqlite_forget(struct sql_driver *driver, struct ctx *c, enum kind kind, uuid id)
{
	struct sqlite *self = sqlite_of(driver);
	if (!self->forget[kind]) {
		struct buf sql;
		buf_init(&sql, SQLITE_STATEMENT_CAP);
		buf_print(&sql, "DELETE FROM \"%s\" WHERE id = ?1", model_kinds[kind].name);
		TRY(sqlite_prepare_from(c, self->db, &self->forget[kind], &sql));
	}
	sqlite_bind_uuid(self->forget[kind], 1, id);
	return sqlite_run(c, self->forget[kind], "deleting a row");
}

static RESULT sqlite_read_row(struct sqlite *self, struct ctx *c, const struct kind_info *k,
			      sqlite3_stmt *statement, struct row **ret_row)
{
	struct row *row = arena_alloc(self->scratch, k->row_size);
	if (!row)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for reading a row of %s", k->name);
	if (!result_is_ok(uuid_parse(sqlite_column_str(statement, 0), &row->id)))
		return ctx_fail(c, ERR_STATE,
				"the database %s is damaged: a row of %s has the id \"%" STR_FMT "\"",
				self->path, k->name,
				STR_ARG(sqlite_clean(c->arena, sqlite_column_str(statement, 0))));
	row->gen = (uint64_t) sqlite3_column_int64(statement, 1);
	row->commit = (uint64_t) sqlite3_column_int64(statement, 2);
	row->created_us = sqlite3_column_int64(statement, 3);
	row->updated_us = sqlite3_column_int64(statement, 4);
	row->deleted_us = sqlite3_column_int64(statement, 5);
	for (unsigned n = 0; n < k->field_count; n++) {
		struct result r =
			column_field(self, statement, (int) (SQLITE_BASE_COLUMNS + n), &k->fields[n], row);
		if (r.code == ERR_NO_MEMORY)
			return ctx_fail(c, ERR_NO_MEMORY, "out of memory for reading a row of %s", k->name);
		if (!result_is_ok(r))
			return ctx_fail(c, ERR_STATE,
					"the database %s is damaged: %s %" STR_FMT " has no usable %s",
					self->path, k->name,
					STR_ARG(sqlite_clean(c->arena, sqlite_column_str(statement, 0))),
					k->fields[n].name);
	}
	*ret_row = row;
	return OK;
}

/* Most tables of a region are empty. Preparing this costs less than a statement with all columns. */
static RESULT sqlite_has_rows(struct sqlite *self, struct ctx *c, const struct kind_info *k,
			      bool *ret_has_rows)
{
	AUTO_STATEMENT statement = NULL;
	struct buf sql;
	buf_init(&sql, SQLITE_STATEMENT_CAP);
	buf_print(&sql, "SELECT 1 FROM \"%s\"", k->name);
	TRY(sqlite_prepare_from(c, self->db, &statement, &sql));
	int code = sqlite_step(statement);
	*ret_has_rows = code == SQLITE_ROW;
	return code == SQLITE_ROW || code == SQLITE_DONE ? OK
							 : sqlite_fail(c, self->db, code, "reading the rows");
}

static RESULT sqlite_load(struct sql_driver *driver, struct ctx *c, enum kind kind, sql_each_row each,
			  void *arg)
{
	struct sqlite *self = sqlite_of(driver);
	const struct kind_info *k = &model_kinds[kind];
	bool has_rows = false;
	TRY(sqlite_has_rows(self, c, k, &has_rows));
	if (!has_rows)
		return OK;
	AUTO_STATEMENT statement = NULL;
	struct buf sql;
	buf_init(&sql, SQLITE_STATEMENT_CAP);
	buf_print(&sql, "SELECT ");
	sqlite_write_columns(&sql, k);
	buf_print(&sql, " FROM \"%s\" ORDER BY id", k->name);
	TRY(sqlite_prepare_from(c, self->db, &statement, &sql));
	int code = SQLITE_ROW;
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		struct row *row = NULL;
		struct result r = sqlite_read_row(self, c, k, statement, &row);
		if (result_is_ok(r))
			r = each(arg, row);
		arena_reset(self->scratch);
		TRY(r);
	}
	if (code != SQLITE_DONE)
		return sqlite_fail(c, self->db, code, "reading the rows");
	(void) sqlite3_reset(statement);
	/* frees the page cache: rows are in memory now and their pages will not be read again */
	(void) sqlite3_db_release_memory(self->db);
	return OK;
}

/* ---- history ---- */

RESULT sqlite_leave_out(struct sqlite *self, struct ctx *c, unsigned what, struct result result)
{
	if (result.code != ERR_STATE)
		return result;
	self->leaves_out |= what;
	log_event(LOG_ERROR, "history-damaged", "log=%s why=%s",
		  what == LEAVES_OUT_EVENTS   ? "event"
		  : what == LEAVES_OUT_SERIES ? "series"
					      : "past",
		  log_quote(c->problem.message));
	return FAIL(AGAIN);
}

static RESULT sqlite_add_event(struct sql_driver *driver, struct ctx *c, const struct event *event)
{
	struct sqlite *self = sqlite_of(driver);
	if (self->leaves_out & LEAVES_OUT_EVENTS)
		return OK;
	TRY(sqlite_prepare(c, self->db, &self->add_event,
			   "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
	sqlite3_bind_int64(self->add_event, 1, event->at_us);
	sqlite_bind_str(self->add_event, 2, str_from(model_kinds[event->kind].name));
	sqlite_bind_uuid(self->add_event, 3, event->id);
	sqlite_bind_uuid(self->add_event, 4, event->account);
	sqlite_bind_uuid(self->add_event, 5, event->user);
	sqlite_bind_str(self->add_event, 6, event->request_id);
	sqlite_bind_str(self->add_event, 7, event->action);
	sqlite_bind_str(self->add_event, 8, event->what);
	sqlite_bind_str(self->add_event, 9, event->sentence);
	sqlite_bind_str(self->add_event, 10, event->arguments);
	struct result result = sqlite_run(c, self->add_event, "writing an event");
	if (result_is_ok(result))
		result = sqlite_sweep_events(self, c, event->at_us);
	return sqlite_leave_out(self, c, LEAVES_OUT_EVENTS, result);
}

/* Each ORDER BY matches an index, so that only the returned rows are read. */
#define EVENTS_ORDERED(place, order)                                                                         \
	"SELECT seq, at_us, kind, id, account, \"user\", request_id, action, what, text, arguments FROM "    \
	"event "                                                                                             \
	"WHERE " place " AND at_us >= ?2 AND at_us <= ?3 AND (at_us < ?3 OR seq < ?6) "                      \
	"AND (?5 IS NULL OR instr(?5, ' ' || kind || ' ')) "                                                 \
	"ORDER BY " order " LIMIT ?4"
#define EVENTS_WHERE(place) EVENTS_ORDERED(place, "at_us DESC, seq DESC")
static const char *const events_sql[EVENTS_BY_COUNT] = {
	[EVENTS_OF_ALL] = EVENTS_WHERE("1"),
	[EVENTS_OF_ACCOUNT] = EVENTS_WHERE("account = ?1"),
	[EVENTS_OF_ROW] = EVENTS_WHERE("id = ?1"),
	[EVENT_OF_NUMBER] = EVENTS_WHERE("seq = ?1"),
	[EVENTS_BEHIND] = EVENTS_ORDERED("seq > ?1", "seq"),
};

static RESULT sqlite_begin_events(struct sqlite *self, struct ctx *c, const struct event_query *query,
				  enum events_by by)
{
	TRY(sqlite_prepare(c, self->reader, &self->read_events[by], events_sql[by]));
	sqlite3_stmt *statement = self->read_events[by];
	if (by == EVENT_OF_NUMBER || by == EVENTS_BEHIND)
		sqlite3_bind_int64(statement, 1, by == EVENTS_BEHIND ? query->after_seq : query->seq);
	else if (by != EVENTS_OF_ALL)
		sqlite_bind_uuid(statement, 1, by == EVENTS_OF_ROW ? query->id : query->account);
	sqlite3_bind_int64(statement, 2, query->from_us);
	sqlite3_bind_int64(statement, 3, query->before_us ? query->before_us : INT64_MAX);
	sqlite3_bind_int64(statement, 4, (int64_t) (query->max > INT64_MAX ? INT64_MAX : query->max));
	sqlite3_bind_int64(statement, 6, query->before_seq);
	if (query->kinds.n)
		sqlite_bind_str(statement, 5, query->kinds);
	else
		sqlite3_bind_null(statement, 5);
	return OK;
}

static RESULT sqlite_read_events_by(struct sqlite *self, struct ctx *c, const struct event_query *query,
				    enum events_by by, sql_each_event each, void *arg)
{
	TRY(sqlite_begin_events(self, c, query, by));
	sqlite3_stmt *statement = self->read_events[by];
	int code = SQLITE_ROW;
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		struct event event = {.seq = sqlite3_column_int64(statement, 0),
				      .at_us = sqlite3_column_int64(statement, 1),
				      .kind = sql_kind_of_name(sqlite_column_str(statement, 2)),
				      .id = sqlite_column_uuid(statement, 3),
				      .account = sqlite_column_uuid(statement, 4),
				      .user = sqlite_column_uuid(statement, 5),
				      .request_id = sqlite_column_str(statement, 6),
				      .action = sqlite_column_str(statement, 7),
				      .what = sqlite_column_str(statement, 8),
				      .sentence = sqlite_column_str(statement, 9),
				      .arguments = sqlite_column_str(statement, 10)};
		TRY(each(arg, &event));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading events");
}

static RESULT sqlite_read_events(struct sql_driver *driver, struct ctx *c, const struct event_query *query,
				 sql_each_event each, void *arg)
{
	struct sqlite *self = sqlite_of(driver);
	enum events_by by = query->seq                      ? EVENT_OF_NUMBER
			    : query->after_seq              ? EVENTS_BEHIND
			    : !uuid_is_none(query->id)      ? EVENTS_OF_ROW
			    : !uuid_is_none(query->account) ? EVENTS_OF_ACCOUNT
							    : EVENTS_OF_ALL;
	pthread_mutex_lock(&self->reading);
	struct result r = sqlite_read_events_by(self, c, query, by, each, arg);
	sqlite_let_go(self->read_events[by]);
	pthread_mutex_unlock(&self->reading);
	return r;
}

static RESULT sqlite_begin(struct sql_driver *driver, struct ctx *c)
{
	struct sqlite *self = sqlite_of(driver);
	self->usage_end_before = self->usage_end;
	TRY(sqlite_prepare(c, self->db, &self->begin, "BEGIN IMMEDIATE"));
	TRY(sqlite_run(c, self->begin, "beginning a transaction"));
	return sqlite_find_writers(self, c);
}

static RESULT sqlite_write_commit(struct sqlite *self, struct ctx *c, uint64_t commit)
{
	TRY(sqlite_prepare(c, self->db, &self->write_commit,
			   "UPDATE meta SET value = ?1 WHERE name = 'commit'"));
	sqlite3_bind_int64(self->write_commit, 1, (int64_t) commit);
	return sqlite_run(c, self->write_commit, "writing the commit number");
}

static RESULT sqlite_commit(struct sql_driver *driver, struct ctx *c, uint64_t commit)
{
	struct sqlite *self = sqlite_of(driver);
	TRY(sqlite_prepare(c, self->db, &self->commit, "COMMIT"));
	TRY(sqlite_write_commit(self, c, commit));
	TRY(sqlite_find_files(driver, c));
	if (fault_fires(FAULT_SQL))
		return sqlite_fail(c, NULL, SQLITE_IOERR, "committing");
	int code = sqlite3_step(self->commit);
	(void) sqlite3_reset(self->commit);
	if (code == SQLITE_DONE)
		return OK;
	struct result failed = sqlite_fail(c, self->db, code, "committing");
	/* with these codes the commit mark was certainly not written; with any other the outcome is
	 * unknown */
	int kind = code & 0xff;
	self->is_unknown = kind != SQLITE_BUSY && kind != SQLITE_FULL && kind != SQLITE_NOMEM;
	return self->is_unknown ? FAIL(AGAIN) : failed;
}

static void sqlite_rollback_batch(struct sql_driver *driver)
{
	struct sqlite *self = sqlite_of(driver);
	self->knows_tail = false;
	self->usage_end = self->usage_end_before;
	sqlite_rollback(self->db);
}

static RESULT sqlite_find_commit(struct sqlite *self, struct ctx *c, uint64_t *ret_commit)
{
	TRY(sqlite_prepare(c, self->db, &self->read_commit, "SELECT value FROM meta WHERE name = 'commit'"));
	int code = sqlite_step(self->read_commit);
	struct result r = OK;
	if (code == SQLITE_ROW)
		*ret_commit = (uint64_t) sqlite3_column_int64(self->read_commit, 0);
	else
		r = sqlite_fail(c, self->db, code, "reading the commit number");
	sqlite_let_go(self->read_commit);
	return r;
}

static RESULT sqlite_read_commit(struct sql_driver *driver, struct ctx *c, uint64_t *ret_commit)
{
	struct sqlite *self = sqlite_of(driver);
	self->knows_tail = false;
	if (self->is_unknown)
		sqlite_rollback(self->db);
	uint64_t commit = 0;
	TRY(sqlite_find_commit(self, c, &commit));
	if (self->is_unknown) { /* overwrites remains of the failed transaction (see the head of this file) */
		TRY(sqlite_exec(c, self->db, "BEGIN IMMEDIATE"));
		TRY(sqlite_write_commit(self, c, commit));
		TRY(sqlite_exec(c, self->db, "COMMIT"));
		self->is_unknown = false;
	}
	*ret_commit = commit;
	return OK;
}

/* ---- life ---- */

static void sqlite_free(struct sqlite *self)
{
	if (!self)
		return;
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		sqlite_end_put(&self->put[kind]);
		sqlite_end_put(&self->change[kind]);
		sqlite_end_statement(&self->forget[kind]);
	}
	sqlite3_stmt **const others[] = {
		&self->begin,        &self->commit,        &self->write_commit, &self->read_commit,
		&self->add_event,    &self->add_usage,     &self->add_ledger,   &self->read_ledger,
		&self->add_audit,    &self->read_subjects, &self->read_audit,   &self->read_audit_back,
		&self->add_series,   &self->drop_series,   &self->read_series,  &self->drop_events,
		&self->drop_surplus, &self->read_version,  &self->add_past,     &self->drop_past};
	for (size_t n = 0; n < sizeof others / sizeof *others; n++)
		sqlite_end_statement(others[n]);
	for (size_t n = 0; n < SQL_LOGS; n++)
		sqlite_end_statement(&self->add_record[n]);
	for (size_t n = 0; n < EVENTS_BY_COUNT; n++)
		sqlite_end_statement(&self->read_events[n]);
	for (size_t n = 0; n < USAGE_READINGS; n++)
		sqlite_end_statement(&self->read_usage[n]);
	(void) sqlite3_close(self->checker);
	(void) sqlite3_close(self->reader); /* cannot fail: all statements were finalized */
	(void) sqlite3_close(self->db);
	fd_autoclose(&self->shm_fd);
	fd_autoclose(&self->lock_fd); /* last, because it releases the lock */
	arena_free(self->scratch);
	level_free(self->level);
	for (size_t n = 0; n < SQLITE_FILES; n++)
		heap_free(self->files[n].path);
	heap_free(self->path);
	heap_free(self->name);
	pthread_mutex_destroy(&self->reading);
	pthread_mutex_destroy(&self->checking);
	pthread_mutex_destroy(&self->noting);
	heap_free(self);
}
DEFINE_AUTO(sqlite)

static void sqlite_close(struct sql_driver *driver)
{
	sqlite_free(sqlite_of(driver));
}

static const struct sql_driver sqlite_calls = {
	.identify = sqlite_identify,
	.mark = sqlite_mark,
	.open = sqlite_open_schema,
	.confirm_level = sqlite_confirm_level,
	.load = sqlite_load,
	.begin = sqlite_begin,
	.put = sqlite_put,
	.forget = sqlite_forget,
	.add_event = sqlite_add_event,
	.add_usage = sqlite_add_usage,
	.add_ledger = sqlite_add_ledger,
	.add_audit = sqlite_add_audit,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback_batch,
	.read_commit = sqlite_read_commit,
	.read_events = sqlite_read_events,
	.read_usage = sqlite_read_usage,
	.read_ledger = sqlite_read_ledger,
	.add_series = sqlite_add_series,
	.add_past = sqlite_add_past,
	.read_past = sqlite_read_past,
	.read_series = sqlite_read_series,
	.read_last_stamp = sqlite_read_last_stamp,
	.read_log = sqlite_read_log,
	.begin_copy = sqlite_begin_copy,
	.add_record = sqlite_add_record,
	.end_copy = sqlite_end_copy,
	.find_files = sqlite_find_files,
	.read_audit = sqlite_read_audit,
	.read_audit_back = sqlite_read_audit_back,
	.prune_events = sqlite_prune_events,
	.cut_audit = sqlite_cut_audit,
	.read_segment = sqlite_read_segment,
	.check = sqlite_check,
	.copy = sqlite_copy,
	.save_history = sqlite_save_history,
	.close = sqlite_close,
};

RESULT sqlite_open(struct ctx *c, const char *path, struct sql_driver **ret_driver)
{
	AUTO(sqlite) self = heap_new(struct sqlite);
	if (!self)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the database %s", path);
	self->driver = sqlite_calls;
	self->schema = (struct sqlite_schema){model_schema_version, model_schema_hash, model_migrations};
	self->lock_fd = self->shm_fd = -1;
	pthread_mutex_init(&self->reading, NULL);
	pthread_mutex_init(&self->checking, NULL);
	pthread_mutex_init(&self->noting, NULL);
	TRY(sqlite_open_file(self, c, path));
	*ret_driver = &TAKE(self)->driver;
	return OK;
}
