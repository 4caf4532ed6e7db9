/* SPDX-License-Identifier: Apache-2.0
 * The peer of launches on PostgreSQL: bare libpq inserts the rows that dari wrote for each launch into a database with the
 * same tables, one transaction for each launch and one round trip for each transaction.
 *
 *     postgresql_peer from=DARI.DB to=URL run_ms=3000
 *
 * Prints one line: launches, seconds, rate, rows (per launch), p50_us. */
#include <libpq-fe.h>
#include <stdio.h>

#include "launch_rows.h"

enum { COLUMNS_MAX = 256, NAME_SIZE = 16 };

static PGconn *db;

static RESULT fail(struct launch_rows *l, const char *doing)
{
	return ctx_fail(l->c, ERR_IO, "%s: %s", doing, PQerrorMessage(db));
}

static void write_name(int table, char name[NAME_SIZE])
{
	(void) snprintf(name, NAME_SIZE, "t%d", table);
}

static RESULT prepare_insert(struct launch_rows *l, int table)
{
	char name[NAME_SIZE];
	struct arena *a = l->c->arena;
	struct str columns = STR_NONE, values = STR_NONE;
	for (int k = 0; k < l->column_count[table]; k++) {
		const char *comma = k ? ", " : "";
		columns = str_print(a, "%" STR_FMT "%s\"%s\"", STR_ARG(columns), comma, l->columns[table][k]);
		values = str_print(a, "%" STR_FMT "%s$%d", STR_ARG(values), comma, k + 1);
	}
	struct str sql = str_print(a, "INSERT INTO \"%s\" (%" STR_FMT ") VALUES (%" STR_FMT ")",
				   l->names[table], STR_ARG(columns), STR_ARG(values));
	write_name(table, name);
	PGresult *result = sql.p ? PQprepare(db, name, sql.p, 0, NULL) : NULL;
	bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return is_done ? OK : fail(l, l->names[table]);
}

/* Numbers and texts as text, bytes as they are. */
static bool send_row(struct launch_rows *l, const struct launch_row *row)
{
	char name[NAME_SIZE];
	const char *values[COLUMNS_MAX];
	int sizes[COLUMNS_MAX], forms[COLUMNS_MAX], count = l->column_count[row->table];
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
	return count <= COLUMNS_MAX && PQsendQueryPrepared(db, name, count, values, sizes, forms, 0);
}

static bool send_word(const char *sql)
{
	return PQsendQueryParams(db, sql, 0, NULL, NULL, NULL, NULL, 0);
}

/* Reads the results of so many statements, and of the synchronisation behind them. */
static RESULT await(struct launch_rows *l, int statements)
{
	for (int k = 0; k < statements; k++) {
		PGresult *result = PQgetResult(db);
		bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
		PQclear(result);
		if (!is_done)
			return fail(l, "inserting");
		PQclear(PQgetResult(db)); /* the end of the statement's results */
	}
	PGresult *result = PQgetResult(db);
	bool is_done = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return is_done ? OK : fail(l, "committing");
}

static RESULT write_launch(struct launch_rows *l, const struct launch_written *launch)
{
	bool is_sent = send_word("BEGIN");
	for (int k = 0; k < launch->row_count && is_sent; k++)
		is_sent = send_row(l, &launch->rows[k]);
	if (!is_sent || !send_word("COMMIT") || !PQpipelineSync(db))
		return fail(l, "sending");
	return await(l, launch->row_count + 2);
}

static RESULT open_db(struct launch_rows *l, const char *url)
{
	db = PQconnectdb(url);
	if (PQstatus(db) != CONNECTION_OK)
		return fail(l, "connecting");
	for (int table = 0; table < LAUNCH_TABLES; table++)
		if (l->column_count[table])
			TRY(prepare_insert(l, table));
	return PQenterPipelineMode(db) ? OK : fail(l, "entering the pipeline");
}

static void close_db(void)
{
	PQfinish(db);
}

int main(int argc, char **argv)
{
	return peer_main(&(struct peer){open_db, write_launch, close_db}, argc, argv);
}
