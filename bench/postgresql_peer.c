/* SPDX-License-Identifier: Apache-2.0
 * The peer of launches on PostgreSQL: bare libpq inserts the rows that dari wrote for each launch into a database with the
 * same tables, one transaction for each launch and one round trip for each transaction.
 *
 *     postgresql_peer from=DARI.DB to=URL run_ms=3000
 *
 * Prints one line: launches, seconds, rate, rows (per launch), p50_us. */
#include <libpq-fe.h>
#include <stdio.h>

#include "base/clock.h"
#include "client.h"
#include "launch_rows.h"
#include "store/sql.h"

enum { COLUMNS_MAX = 256, NAME_SIZE = 16 };

struct peer {
	struct ctx *c;
	struct launch_rows l;
	PGconn *to;
	struct peer_times times;
};

static RESULT fail(struct peer *p, const char *doing)
{
	return ctx_fail(p->c, ERR_IO, "%s: %s", doing, PQerrorMessage(p->to));
}

static RESULT make_tables(struct peer *p, const char *url)
{
	struct sql_driver *driver = NULL;
	TRY(sql_open(p->c, url, &driver));
	struct result result = driver->open(driver, p->c);
	driver->close(driver);
	return result;
}

static void write_name(int table, char name[NAME_SIZE])
{
	(void) snprintf(name, NAME_SIZE, "t%d", table);
}

static RESULT prepare_insert(struct peer *p, int table)
{
	char name[NAME_SIZE];
	struct arena *a = p->c->arena;
	struct str columns = STR_NONE, values = STR_NONE;
	for (int k = 0; k < p->l.column_count[table]; k++) {
		const char *comma = k ? ", " : "";
		columns =
			str_print(a, "%" STR_FMT "%s\"%s\"", STR_ARG(columns), comma, p->l.columns[table][k]);
		values = str_print(a, "%" STR_FMT "%s$%d", STR_ARG(values), comma, k + 1);
	}
	struct str sql = str_print(a, "INSERT INTO \"%s\" (%" STR_FMT ") VALUES (%" STR_FMT ")",
				   p->l.names[table], STR_ARG(columns), STR_ARG(values));
	write_name(table, name);
	PGresult *result = sql.p ? PQprepare(p->to, name, sql.p, 0, NULL) : NULL;
	bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return is_done ? OK : fail(p, p->l.names[table]);
}

/* Numbers and texts as text, bytes as they are. */
static bool send_row(struct peer *p, const struct launch_row *row)
{
	char name[NAME_SIZE];
	const char *values[COLUMNS_MAX];
	int sizes[COLUMNS_MAX], forms[COLUMNS_MAX], count = p->l.column_count[row->table];
	for (int k = 0; k < count && k < COLUMNS_MAX; k++) {
		sqlite3_value *value = row->values[k];
		int type = sqlite3_value_type(value);
		forms[k] = type == SQLITE_BLOB;
		values[k] = type == SQLITE_NULL   ? NULL
			    : type == SQLITE_BLOB ? sqlite3_value_blob(value)
						  : (const char *) sqlite3_value_text(value);
		sizes[k] = sqlite3_value_bytes(value);
		if (type == SQLITE_BLOB && !values[k]) /* an empty blob */
			values[k] = "";
	}
	write_name(row->table, name);
	return count <= COLUMNS_MAX && PQsendQueryPrepared(p->to, name, count, values, sizes, forms, 0);
}

static bool send_word(struct peer *p, const char *sql)
{
	return PQsendQueryParams(p->to, sql, 0, NULL, NULL, NULL, NULL, 0);
}

/* Reads the results of so many statements, and of the synchronisation behind them. */
static RESULT await(struct peer *p, int statements)
{
	for (int k = 0; k < statements; k++) {
		PGresult *result = PQgetResult(p->to);
		bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
		PQclear(result);
		if (!is_done)
			return fail(p, "inserting");
		PQclear(PQgetResult(p->to)); /* the end of the statement's results */
	}
	PGresult *result = PQgetResult(p->to);
	bool is_done = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return is_done ? OK : fail(p, "committing");
}

static RESULT write_launch(struct peer *p, const struct launch_written *launch)
{
	bool is_sent = send_word(p, "BEGIN");
	for (int k = 0; k < launch->row_count && is_sent; k++)
		is_sent = send_row(p, &launch->rows[k]);
	if (!is_sent || !send_word(p, "COMMIT") || !PQpipelineSync(p->to))
		return fail(p, "sending");
	return await(p, launch->row_count + 2);
}

static RESULT write_launches(struct peer *p, const char *url, int64_t run_us)
{
	TRY(make_tables(p, url));
	p->to = PQconnectdb(url);
	if (PQstatus(p->to) != CONNECTION_OK)
		return fail(p, "connecting");
	for (int table = 0; table < LAUNCH_TABLES; table++)
		if (p->l.column_count[table])
			TRY(prepare_insert(p, table));
	if (!PQenterPipelineMode(p->to))
		return fail(p, "entering the pipeline");
	peer_times_begin(&p->times);
	for (int k = 0; k < p->l.count && p->times.at_us < p->times.since_us + run_us; k++) {
		TRY(write_launch(p, &p->l.launches[k]));
		peer_times_note(&p->times, &p->l.launches[k]);
	}
	peer_times_print(&p->times);
	return OK;
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
	PQfinish(peer.to);
	launch_rows_done(&peer.l);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
