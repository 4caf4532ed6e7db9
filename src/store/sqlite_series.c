/* SPDX-License-Identifier: Apache-2.0
 * Usage samples of hosts and guests in SQLite: one row per host and interval. Each insertion deletes expired
 * rows. */
#include "store/sqlite_internal.h"

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
