/* SPDX-License-Identifier: Apache-2.0
 * The peer of "RunInstances accepted": plain SQLite inserts the rows that dari wrote for each launch into a database
 * with the same tables and settings, one transaction for each launch.
 *
 *     sqlite_peer from=DARI.DB to=NEW.DB run_ms=3000
 *
 * Prints one line: launches, seconds, rate, rows (per launch), p50_us. */
#include <stdio.h>

#include "base/clock.h"
#include "client.h"
#include "launch_rows.h"
#include "store/sql.h"

struct peer {
	struct ctx *c;
	struct launch_rows l;
	sqlite3 *to;
	sqlite3_stmt *insert[LAUNCH_TABLES];
	struct peer_times times;
};

static RESULT fail(struct peer *p, const char *doing)
{
	return ctx_fail(p->c, ERR_IO, "%s: %s", doing, sqlite3_errmsg(p->to));
}

static RESULT make_tables(struct peer *p, const char *path)
{
	struct sql_driver *driver = NULL;
	TRY(sqlite_open(p->c, path, &driver));
	struct result result = driver->open(driver, p->c);
	driver->close(driver);
	return result;
}

static RESULT execute(struct peer *p, const char *sql)
{
	return sqlite3_exec(p->to, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(p, sql);
}

static RESULT prepare_inserts(struct peer *p)
{
	for (int table = 0; table < LAUNCH_TABLES; table++) {
		if (!p->l.column_count[table])
			continue;
		struct str sql = str_print(p->c->arena, "INSERT INTO \"%s\" VALUES (?", p->l.names[table]);
		for (int k = 1; k < p->l.column_count[table]; k++)
			sql = str_print(p->c->arena, "%" STR_FMT ", ?", STR_ARG(sql));
		sql = str_print(p->c->arena, "%" STR_FMT ")", STR_ARG(sql));
		if (!sql.p ||
		    sqlite3_prepare_v2(p->to, sql.p, (int) sql.n, &p->insert[table], NULL) != SQLITE_OK)
			return fail(p, "preparing");
	}
	return OK;
}

static RESULT write_launch(struct peer *p, const struct launch_written *launch)
{
	TRY(execute(p, "BEGIN IMMEDIATE"));
	for (int k = 0; k < launch->row_count; k++) {
		const struct launch_row *row = &launch->rows[k];
		sqlite3_stmt *s = p->insert[row->table];
		for (int n = 0; n < p->l.column_count[row->table]; n++)
			sqlite3_bind_value(s, n + 1, row->values[n]);
		if (sqlite3_step(s) != SQLITE_DONE)
			return fail(p, "inserting");
		(void) sqlite3_reset(s);
	}
	return execute(p, "COMMIT");
}

static RESULT write_launches(struct peer *p, const char *path, int64_t run_us)
{
	TRY(make_tables(p, path));
	if (sqlite3_open(path, &p->to) != SQLITE_OK)
		return fail(p, path);
	TRY(execute(p, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
		       " PRAGMA temp_store = MEMORY"));
	TRY(prepare_inserts(p));
	peer_times_begin(&p->times);
	for (int k = 0; k < p->l.count && p->times.at_us < p->times.since_us + run_us; k++) {
		TRY(write_launch(p, &p->l.launches[k]));
		peer_times_note(&p->times, &p->l.launches[k]);
	}
	peer_times_print(&p->times);
	return OK;
}

static void peer_close(struct peer *p)
{
	for (int table = 0; table < LAUNCH_TABLES; table++)
		(void) sqlite3_finalize(p->insert[table]);
	(void) sqlite3_close_v2(p->to);
	launch_rows_done(&p->l);
}

static RESULT measure(struct peer *p, const char *from, const char *to, int64_t run_us)
{
	TRY(launch_rows_read(&p->l, p->c, from));
	return write_launches(p, to, run_us);
}

int main(int argc, char **argv)
{
	static struct peer peer;
	struct ctx c;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!arena)
		return 1;
	ctx_init(&c, arena);
	peer.c = &c;
	struct result result = measure(&peer, str_to_z(arena, arg_text(argc, argv, "from", STR_NONE)),
				       str_to_z(arena, arg_text(argc, argv, "to", STR_NONE)),
				       arg_int(argc, argv, "run_ms", 3000) * MILLISECOND);
	peer_close(&peer);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
