/* SPDX-License-Identifier: Apache-2.0
 * Two logs in SQLite. Usage samples of hosts and guests: one row per host and interval; each insertion deletes expired
 * rows. Former states of rows (store/past.h): the first record has no kind, and says since when changes are recorded. */
#include "base/clock.h"
#include "store/sqlite_internal.h"

/* ---- usage samples ---- */

static const char series_sql[] = "CREATE TABLE IF NOT EXISTS series (host TEXT NOT NULL, step_us BIGINT NOT "
				 "NULL, from_us BIGINT NOT NULL,"
				 " bytes BLOB NOT NULL, PRIMARY KEY (host, step_us, from_us));"
				 "CREATE INDEX IF NOT EXISTS series_by_time ON series (step_us, from_us);";

RESULT sqlite_make_series(struct sqlite *self, struct ctx *c)
{
	return sqlite_exec(c, self->db, series_sql);
}

static void bind_bytes(sqlite3_stmt *statement, int place, struct str bytes)
{
	sqlite3_bind_blob64(statement, place, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC);
}

static RESULT add_series(struct sqlite *self, struct ctx *c, const struct series *s)
{
	TRY(sqlite_prepare(c, self->db, &self->add_series,
			   "INSERT OR REPLACE INTO series VALUES (?1, ?2, ?3, ?4)"));
	sqlite_bind_uuid(self->add_series, 1, s->host);
	sqlite3_bind_int64(self->add_series, 2, s->step_us);
	sqlite3_bind_int64(self->add_series, 3, s->from_us);
	bind_bytes(self->add_series, 4, s->bytes);
	TRY(sqlite_run(c, self->add_series, "writing figures"));
	TRY(sqlite_prepare(c, self->db, &self->drop_series,
			   "DELETE FROM series WHERE step_us = ?1 AND from_us < ?2"));
	sqlite3_bind_int64(self->drop_series, 1, s->step_us);
	sqlite3_bind_int64(self->drop_series, 2, s->from_us - s->keep_us);
	return sqlite_run(c, self->drop_series, "letting old figures go");
}

RESULT sqlite_add_series(struct sql_driver *driver, struct ctx *c, const struct series *s)
{
	struct sqlite *self = (struct sqlite *) driver;
	if (self->leaves_out & LEAVES_OUT_SERIES)
		return OK;
	return sqlite_leave_out(self, c, LEAVES_OUT_SERIES, add_series(self, c, s));
}

static RESULT read_series(struct sqlite *self, struct ctx *c, const struct series_query *query,
			  sql_each_series each, void *arg)
{
	TRY(sqlite_prepare(c, self->reader, &self->read_series,
			   "SELECT from_us, bytes FROM series WHERE host = ?1 AND step_us = ?2"
			   " AND from_us >= ?3 AND from_us < ?4 ORDER BY from_us"));
	sqlite3_stmt *statement = self->read_series;
	sqlite_bind_uuid(statement, 1, query->host);
	sqlite3_bind_int64(statement, 2, query->step_us);
	sqlite3_bind_int64(statement, 3, query->from_us);
	sqlite3_bind_int64(statement, 4, query->before_us);
	int code = SQLITE_ROW;
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		struct series series = {.host = query->host,
					.step_us = query->step_us,
					.from_us = sqlite3_column_int64(statement, 0)};
		series.bytes.p = sqlite3_column_blob(statement, 1);
		series.bytes.n = (size_t) sqlite3_column_bytes(statement, 1);
		TRY(each(arg, &series));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading figures");
}

RESULT sqlite_read_series(struct sql_driver *driver, struct ctx *c, const struct series_query *query,
			  sql_each_series each, void *arg)
{
	struct sqlite *self = (struct sqlite *) driver;
	pthread_mutex_lock(&self->reading);
	struct result r = read_series(self, c, query, each, arg);
	sqlite_let_go(self->read_series);
	pthread_mutex_unlock(&self->reading);
	return r;
}

/* ---- former states ---- */

enum {
	SWEEP_EVERY = 256, /* records between two sweeps */
	SWEEP_MAX = 1024,  /* records deleted by a sweep: four times those added meanwhile */
};

/* The index has the table's key, seq, too: SQLite adds it. */
static const char past_sql[] =
	"CREATE TABLE IF NOT EXISTS past (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL, kind TEXT NOT NULL,"
	" high BIGINT NOT NULL, low BIGINT NOT NULL, was TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS past_by_id ON past (high)";
/* Migration: the table used to have ids as texts. */
static const char gather_past_sql[] = "ALTER TABLE past RENAME TO past_by_text; DROP INDEX past_by_id";
static const char take_past_sql[] =
	"INSERT INTO past SELECT seq, at_us, kind, uuid_half(id, 0), uuid_half(id, 1), was FROM past_by_text;"
	"DROP TABLE past_by_text";

static RESULT read_last(struct sqlite *self, struct ctx *c)
{
	AUTO_STATEMENT last = NULL;
	TRY(sqlite_prepare(c, self->db, &last, "SELECT max(seq) FROM past"));
	int code = sqlite_step(last);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, self->db, code, "reading the last former state");
	self->past_seq = sqlite3_column_int64(last, 0);
	return OK;
}

/* SQL's uuid_half(text, n): the half's integer; 0 for a text that is no id, such as the first record's. */
static void uuid_half(sqlite3_context *call, int count, sqlite3_value **values)
{
	uuid id = UUID_NONE;
	(void) count;
	const struct str text = {(const char *) sqlite3_value_text(values[0]),
				 (size_t) sqlite3_value_bytes(values[0])};
	IGNORE(uuid_parse(text, &id));
	struct past_id halves = past_split_id(id);
	sqlite3_result_int64(call, sqlite3_value_int(values[1]) ? halves.low : halves.high);
}

static RESULT renumber_past(struct sqlite *self, struct ctx *c)
{
	int code = sqlite3_create_function_v2(self->db, "uuid_half", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
					      uuid_half, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return sqlite_fail(c, self->db, code, "preparing a migration");
	TRY(sqlite_exec(c, self->db, "BEGIN IMMEDIATE"));
	TRY(sqlite_exec(c, self->db, gather_past_sql));
	TRY(sqlite_exec(c, self->db, past_sql));
	TRY(sqlite_exec(c, self->db, take_past_sql));
	return sqlite_exec(c, self->db, "COMMIT");
}

static RESULT migrate_past(struct sqlite *self, struct ctx *c)
{
	AUTO_STATEMENT old = NULL;
	TRY(sqlite_prepare(c, self->db, &old, "SELECT 1 FROM pragma_table_info('past') WHERE name = 'id'"));
	int code = sqlite_step(old);
	sqlite_let_go(old);
	if (code == SQLITE_DONE)
		return OK;
	if (code != SQLITE_ROW)
		return sqlite_fail(c, self->db, code, "reading the form of the former states");
	struct result r = renumber_past(self, c);
	sqlite_rollback(self->db);
	return r;
}

static RESULT make_past(struct sqlite *self, struct ctx *c)
{
	AUTO_STATEMENT begin = NULL;
	TRY(migrate_past(self, c));
	TRY(sqlite_exec(c, self->db, past_sql));
	TRY(sqlite_prepare(
		c, self->db, &begin,
		"INSERT INTO past SELECT 1, ?1, '', 0, 0, '' WHERE NOT EXISTS (SELECT 1 FROM past)"));
	sqlite3_bind_int64(begin, 1, clock_now_us());
	TRY(sqlite_run(c, begin, "beginning the log of former states"));
	return read_last(self, c);
}

/* A damaged log does not keep the region from starting. */
RESULT sqlite_make_past(struct sqlite *self, struct ctx *c)
{
	struct result r = sqlite_leave_out(self, c, LEAVES_OUT_PAST, make_past(self, c));
	if (r.code != ERR_AGAIN)
		return r;
	ctx_clear_problem(c);
	return OK;
}

/* Reads the first records only, since the log has no index by time: a commit waits for this. Keeps the last record, which
 * says since when changes are known. */
static RESULT drop_past(struct sqlite *self, struct ctx *c, int64_t before_us, int64_t to_seq, int64_t max)
{
	TRY(sqlite_prepare(
		c, self->db, &self->drop_past,
		"DELETE FROM past WHERE seq IN (SELECT seq FROM (SELECT seq, at_us FROM past ORDER BY"
		" seq LIMIT ?3) WHERE seq < (SELECT max(seq) FROM past) AND (at_us < ?1 OR seq <="
		" ?2))"));
	sqlite3_bind_int64(self->drop_past, 1, before_us);
	sqlite3_bind_int64(self->drop_past, 2, to_seq);
	sqlite3_bind_int64(self->drop_past, 3, max);
	return sqlite_run(c, self->drop_past, "deleting old former states");
}

static RESULT sweep(struct sqlite *self, struct ctx *c, int64_t now_us)
{
	const struct history_limits *limits = &self->driver.limits;
	if (++self->past_added % SWEEP_EVERY != 0 || (!limits->events_age_us && !limits->events_max))
		return OK;
	return drop_past(self, c, limits->events_age_us ? now_us - limits->events_age_us : INT64_MIN,
			 limits->events_max ? self->past_seq - limits->events_max : 0, SWEEP_MAX);
}

RESULT sqlite_prune_past(struct sqlite *self, struct ctx *c, int64_t before_us)
{
	if (self->leaves_out & LEAVES_OUT_PAST)
		return OK;
	return sqlite_leave_out(self, c, LEAVES_OUT_PAST, drop_past(self, c, before_us, 0, PRUNE_PIECE));
}

static RESULT add_past(struct sqlite *self, struct ctx *c, const struct past *past)
{
	TRY(sqlite_prepare(c, self->db, &self->add_past, "INSERT INTO past VALUES (?, ?, ?, ?, ?, ?)"));
	self->past_seq += past_count(past->was); /* a transaction that fails leaves a gap */
	struct past_id id = past_split_id(past->id);
	sqlite3_bind_int64(self->add_past, 1, self->past_seq);
	sqlite3_bind_int64(self->add_past, 2, past->at_us);
	sqlite_bind_str(self->add_past, 3, str_from(model_kinds[past->kind].name));
	sqlite3_bind_int64(self->add_past, 4, id.high);
	sqlite3_bind_int64(self->add_past, 5, id.low);
	sqlite_bind_str(self->add_past, 6, past->was);
	TRY(sqlite_run(c, self->add_past, "writing a former state"));
	return sweep(self, c, past->at_us);
}

RESULT sqlite_add_past(struct sql_driver *driver, struct ctx *c, const struct past *past)
{
	struct sqlite *self = (struct sqlite *) driver;
	if (self->leaves_out & LEAVES_OUT_PAST)
		return OK;
	return sqlite_leave_out(self, c, LEAVES_OUT_PAST, add_past(self, c, past));
}

static RESULT read_reach(struct sqlite *self, struct ctx *c, int64_t *ret_reach_us)
{
	AUTO_STATEMENT first = NULL;
	TRY(sqlite_prepare(c, self->reader, &first, "SELECT at_us FROM past ORDER BY seq LIMIT 1"));
	int code = sqlite_step(first);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, self->reader, code, "reading how far former states reach back");
	*ret_reach_us = sqlite3_column_int64(first, 0);
	return OK;
}

static RESULT read_past_records(struct sqlite *self, struct ctx *c, const struct past_query *query,
				sql_each_past each, void *arg)
{
	AUTO_STATEMENT read = NULL;
	struct past_id least, most;
	if (!past_find_ids(query->id, &least, &most))
		return OK;
	TRY(sqlite_prepare(c, self->reader, &read,
			   "SELECT seq, at_us, kind, high, low, was FROM past WHERE high BETWEEN ?1 AND ?2"
			   " AND low BETWEEN ?3 AND ?4 AND at_us > ?5 AND kind <> ''"
			   " ORDER BY seq DESC LIMIT ?6"));
	sqlite3_bind_int64(read, 1, least.high);
	sqlite3_bind_int64(read, 2, most.high);
	sqlite3_bind_int64(read, 3, least.low);
	sqlite3_bind_int64(read, 4, most.low);
	sqlite3_bind_int64(read, 5, query->after_us);
	sqlite3_bind_int64(read, 6, (int64_t) query->max);
	int code = SQLITE_ROW;
	while ((code = sqlite_step(read)) == SQLITE_ROW) {
		const struct past_id id = {sqlite3_column_int64(read, 3), sqlite3_column_int64(read, 4)};
		const struct past past = {.seq = sqlite3_column_int64(read, 0),
					  .at_us = sqlite3_column_int64(read, 1),
					  .kind = sql_kind_of_name(sqlite_column_str(read, 2)),
					  .id = past_join_id(id),
					  .was = sqlite_column_str(read, 5)};
		TRY(each(arg, &past));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading former states");
}

RESULT sqlite_read_past(struct sql_driver *driver, struct ctx *c, const struct past_query *query,
			sql_each_past each, void *arg, int64_t *ret_reach_us)
{
	struct sqlite *self = (struct sqlite *) driver;
	if (self->leaves_out & LEAVES_OUT_PAST)
		return ctx_fail(
			c, ERR_STATE,
			"the log of former states is damaged: `dari store rescue` saves what is left");
	pthread_mutex_lock(&self->reading);
	struct result r = read_past_records(self, c, query, each, arg);
	if (result_is_ok(r))
		r = read_reach(self, c, ret_reach_us);
	pthread_mutex_unlock(&self->reading);
	return r;
}
