/* SPDX-License-Identifier: Apache-2.0
 * The peer of "RunInstances accepted": plain SQLite inserts the rows that dari wrote for each launch into a database
 * with the same tables and settings, one transaction for each launch.
 *
 *     sqlite_peer from=DARI.DB to=NEW.DB run_ms=3000
 *
 * Prints one line: launches, seconds, rate, rows (per launch), p50_us. */
#include "launch_rows.h"

static sqlite3 *db;
static sqlite3_stmt *insert[LAUNCH_TABLES];

static RESULT fail(struct launch_rows *l, const char *doing)
{
	return ctx_fail(l->c, ERR_IO, "%s: %s", doing, sqlite3_errmsg(db));
}

static RESULT execute(struct launch_rows *l, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(l, sql);
}

static RESULT prepare_inserts(struct launch_rows *l)
{
	for (int table = 0; table < LAUNCH_TABLES; table++) {
		if (!l->column_count[table])
			continue;
		struct str sql = str_print(l->c->arena, "INSERT INTO \"%s\" VALUES (?", l->names[table]);
		for (int k = 1; k < l->column_count[table]; k++)
			sql = str_print(l->c->arena, "%" STR_FMT ", ?", STR_ARG(sql));
		sql = str_print(l->c->arena, "%" STR_FMT ")", STR_ARG(sql));
		if (!sql.p || sqlite3_prepare_v2(db, sql.p, (int) sql.n, &insert[table], NULL) != SQLITE_OK)
			return fail(l, "preparing");
	}
	return OK;
}

static RESULT write_launch(struct launch_rows *l, const struct launch_written *launch)
{
	TRY(execute(l, "BEGIN IMMEDIATE"));
	for (int k = 0; k < launch->row_count; k++) {
		const struct launch_row *row = &launch->rows[k];
		sqlite3_stmt *s = insert[row->table];
		for (int n = 0; n < l->column_count[row->table]; n++)
			sqlite3_bind_value(s, n + 1, row->values[n]);
		if (sqlite3_step(s) != SQLITE_DONE)
			return fail(l, "inserting");
		(void) sqlite3_reset(s);
	}
	return execute(l, "COMMIT");
}

static RESULT open_db(struct launch_rows *l, const char *path)
{
	if (sqlite3_open(path, &db) != SQLITE_OK)
		return fail(l, path);
	TRY(execute(l, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
		       " PRAGMA temp_store = MEMORY"));
	return prepare_inserts(l);
}

static void close_db(void)
{
	for (int table = 0; table < LAUNCH_TABLES; table++)
		(void) sqlite3_finalize(insert[table]);
	(void) sqlite3_close_v2(db);
}

int main(int argc, char **argv)
{
	return peer_main(&(struct peer){open_db, write_launch, close_db}, argc, argv);
}
