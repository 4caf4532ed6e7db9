/* SPDX-License-Identifier: Apache-2.0
 * Deletes history in SQLite. Each deletion is bounded, because it is part of a commit that clients wait for,
 * and returns emptied pages to the file system. */
#include "store/sqlite_internal.h"

enum {
	SWEEP_EVERY = 256, /* events between two sweeps */
	SWEEP_MAX = 1024,  /* events deleted by a sweep: four times those added meanwhile */
	VACUUM_PAGES = 512,
};

static const char before_sql[] =
	"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at_us < ?1 AND seq <"
	/* keeps the last event, so that its number is not assigned again */
	" (SELECT max(seq) FROM event) ORDER BY at_us LIMIT ?2)";
static const char surplus_sql[] =
	"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq <= ?1 ORDER BY seq LIMIT ?2)";

static RESULT delete_up_to(struct sqlite *self, struct ctx *c, sqlite3_stmt **slot, const char *sql,
			   int64_t limit, int64_t max)
{
	TRY(sqlite_prepare(c, self->db, slot, sql));
	sqlite3_bind_int64(*slot, 1, limit);
	sqlite3_bind_int64(*slot, 2, max);
	return sqlite_run(c, *slot, "deleting old events");
}

/* Runs all steps of the pragma. Has no effect on a database made by an older program, which lacks the
 * necessary free list. */
static RESULT give_back_pages(struct sqlite *self, struct ctx *c)
{
	char sql[64];
	sqlite3_snprintf(sizeof sql, sql, "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	return sqlite_exec(c, self->db, sql);
}

RESULT sqlite_prune_events(struct sql_driver *driver, struct ctx *c, int64_t before_us)
{
	struct sqlite *self = (struct sqlite *) driver;
	TRY(delete_up_to(self, c, &self->drop_events, before_sql, before_us, PRUNE_PIECE));
	TRY(sqlite_prune_past(self, c, before_us));
	return give_back_pages(self, c);
}

RESULT sqlite_sweep_events(struct sqlite *self, struct ctx *c, int64_t now_us)
{
	const struct history_limits *limits = &self->driver.limits;
	if (++self->events_added % SWEEP_EVERY != 0 || (!limits->events_age_us && !limits->events_max))
		return OK;
	if (limits->events_age_us)
		TRY(delete_up_to(self, c, &self->drop_events, before_sql, now_us - limits->events_age_us,
				 SWEEP_MAX));
	if (limits->events_max)
		TRY(delete_up_to(self, c, &self->drop_surplus, surplus_sql,
				 sqlite3_last_insert_rowid(self->db) - limits->events_max, SWEEP_MAX));
	return give_back_pages(self, c);
}

/* ---- the audit log ---- */

static RESULT find_segment(struct ctx *c, sqlite3 *db, struct audit_segment *ret_segment)
{
	AUTO_STATEMENT statement = NULL;
	*ret_segment = (struct audit_segment){0};
	TRY(sqlite_prepare(c, db, &statement,
			   "SELECT seq, digest FROM audit_segment ORDER BY seq DESC LIMIT 1"));
	int code = sqlite_step(statement);
	if (code == SQLITE_DONE)
		return OK;
	if (code != SQLITE_ROW)
		return sqlite_fail(c, db, code, "reading where the audit log begins");
	ret_segment->seq = sqlite3_column_int64(statement, 0);
	return str_decode_hex(sqlite_column_str(statement, 1), ret_segment->digest, SHA256_SIZE);
}

RESULT sqlite_read_segment(struct sql_driver *driver, struct ctx *c, struct audit_segment *ret_segment)
{
	struct sqlite *self = (struct sqlite *) driver;
	pthread_mutex_lock(&self->reading);
	struct result r = find_segment(c, self->reader, ret_segment);
	pthread_mutex_unlock(&self->reading);
	return r;
}

RESULT sqlite_cut_audit(struct sql_driver *driver, struct ctx *c, const struct audit_segment *segment)
{
	struct sqlite *self = (struct sqlite *) driver;
	AUTO_STATEMENT seal = NULL;
	AUTO_STATEMENT cut = NULL;
	struct str hex = str_encode_hex(self->scratch, segment->digest, SHA256_SIZE);
	if (!hex.p)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for a segment of the audit log");
	TRY(sqlite_prepare(c, self->db, &seal, "INSERT INTO audit_segment VALUES (?1, ?2)"));
	sqlite3_bind_int64(seal, 1, segment->seq);
	sqlite_bind_str(seal, 2, hex);
	TRY(sqlite_run(c, seal, "sealing a segment of the audit log"));
	TRY(sqlite_prepare(c, self->db, &cut, "DELETE FROM audit WHERE seq <= ?1"));
	sqlite3_bind_int64(cut, 1, segment->seq);
	TRY(sqlite_run(c, cut, "deleting archived audit records"));
	arena_reset(self->scratch);
	return give_back_pages(self, c);
}
