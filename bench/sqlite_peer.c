/* SPDX-License-Identifier: Apache-2.0
 * The peer of "RunInstances accepted": plain SQLite inserts the rows that dari wrote for each launch into a database
 * with the same tables and settings, one transaction for each launch.
 *
 *     sqlite_peer from=DARI.DB to=NEW.DB run_ms=3000
 *
 * Prints one line: launches, seconds, rate, rows (per launch). */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"
#include "client.h"
#include "model/row.h"
#include "store/sql.h"

enum { LAUNCHES_MAX = 10000, ROWS_MAX = 16, TABLE_EVENT = KIND_COUNT, TABLES_MAX };

struct one_row {
	int table;
	sqlite3_value **values;
};

struct launch {
	char instance[UUID_TEXT_SIZE];
	int64_t created_us;
	struct one_row rows[ROWS_MAX];
	int row_count;
};

struct peer {
	struct ctx *c;
	sqlite3 *from, *to;
	const char *names[TABLES_MAX]; /* table names: the kinds, then event */
	sqlite3_stmt *insert[TABLES_MAX];
	int column_count[TABLES_MAX];
	struct launch *launches; /* sorted by instance while they are read, then by time */
	int launch_count;
};

static RESULT fail(struct peer *p, sqlite3 *db, const char *doing)
{
	return ctx_fail(p->c, ERR_IO, "%s: %s", doing, sqlite3_errmsg(db));
}

static RESULT prepare(struct peer *p, sqlite3 *db, struct str sql, sqlite3_stmt **ret_statement)
{
	if (!sql.p || sqlite3_prepare_v2(db, sql.p, (int) sql.n, ret_statement, NULL) != SQLITE_OK)
		return fail(p, db, sql.p);
	return OK;
}

/* ---- dari's rows ---- */

/* The oldest launches, as ids of their instances. */
#define LAUNCHES "(SELECT id, created_us FROM instance ORDER BY created_us LIMIT ?1)"

static RESULT select_from(struct peer *p, struct str sql, sqlite3_stmt **ret_statement)
{
	TRY(prepare(p, p->from, sql, ret_statement));
	sqlite3_bind_int(*ret_statement, 1, LAUNCHES_MAX);
	return OK;
}

static RESULT read_instances(struct peer *p)
{
	sqlite3_stmt *s = NULL;
	p->launches = heap_alloc_array(LAUNCHES_MAX, sizeof *p->launches);
	if (!p->launches)
		return ctx_fail(p->c, ERR_NO_MEMORY, "out of memory");
	TRY(select_from(p, STR("SELECT id, created_us FROM " LAUNCHES " ORDER BY id"), &s));
	while (sqlite3_step(s) == SQLITE_ROW) {
		struct launch *launch = &p->launches[p->launch_count++];
		(void) snprintf(launch->instance, sizeof launch->instance, "%s",
				(const char *) sqlite3_column_text(s, 0));
		launch->created_us = sqlite3_column_int64(s, 1);
	}
	(void) sqlite3_finalize(s);
	return OK;
}

/* Adds a row to the launch; the first column is only the instance by which it was found. */
static RESULT keep_row(struct peer *p, struct launch *launch, int table, sqlite3_stmt *s)
{
	int count = p->column_count[table] = sqlite3_column_count(s) - 1;
	sqlite3_value **values = heap_alloc_array((size_t) count, sizeof *values);
	if (!values || launch->row_count == ROWS_MAX)
		return ctx_fail(p->c, ERR_TOO_LARGE, "a launch of more than %d rows, or out of memory",
				ROWS_MAX);
	for (int k = 0; k < count; k++)
		values[k] = sqlite3_value_dup(sqlite3_column_value(s, k + 1));
	launch->rows[launch->row_count++] = (struct one_row){table, values};
	return OK;
}

/* Reads the rows of a table that belong to the launches; `column` refers to the instance. */
static RESULT read_table(struct peer *p, int table, const char *name, const char *column, const char *more)
{
	sqlite3_stmt *s = NULL;
	int at = 0;
	p->names[table] = name;
	TRY(select_from(p,
			str_print(p->c->arena,
				  "SELECT l.id, r.* FROM " LAUNCHES " l JOIN \"%s\" r ON r.%s = l.id AND %s"
				  " ORDER BY l.id",
				  name, column, more),
			&s));
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *instance = (const char *) sqlite3_column_text(s, 0);
		while (strcmp(p->launches[at].instance, instance) != 0)
			at++;
		TRY(keep_row(p, &p->launches[at], table, s));
	}
	(void) sqlite3_finalize(s);
	return OK;
}

static bool has_instance(const struct kind_info *kind)
{
	for (unsigned k = 0; k < kind->field_count; k++)
		if (strcmp(kind->fields[k].name, "instance") == 0)
			return true;
	return false;
}

static int compare_times(const void *a, const void *b)
{
	const struct launch *x = a, *y = b;
	return x->created_us < y->created_us ? -1 : x->created_us > y->created_us;
}

static RESULT read_launches(struct peer *p, const char *path)
{
	static const char same_time[] = "r.created_us = l.created_us";
	if (sqlite3_open_v2(path, &p->from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		return fail(p, p->from, path);
	TRY(read_instances(p));
	for (int kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *info = &model_kinds[kind];
		if (kind == KIND_INSTANCE)
			TRY(read_table(p, kind, info->name, "id", same_time));
		else if (has_instance(info))
			TRY(read_table(p, kind, info->name, "instance", same_time));
	}
	TRY(read_table(p, TABLE_EVENT, "event", "id", "r.action LIKE '%RunInstances'"));
	qsort(p->launches, (size_t) p->launch_count, sizeof *p->launches, compare_times);
	return OK;
}

/* ---- plain SQLite ---- */

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
	return sqlite3_exec(p->to, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(p, p->to, sql);
}

static RESULT prepare_inserts(struct peer *p)
{
	for (int table = 0; table < TABLES_MAX; table++) {
		if (!p->column_count[table])
			continue;
		struct str sql = str_print(p->c->arena, "INSERT INTO \"%s\" VALUES (?", p->names[table]);
		for (int k = 1; k < p->column_count[table]; k++)
			sql = str_print(p->c->arena, "%" STR_FMT ", ?", STR_ARG(sql));
		TRY(prepare(p, p->to, str_print(p->c->arena, "%" STR_FMT ")", STR_ARG(sql)),
			    &p->insert[table]));
	}
	return OK;
}

static RESULT write_launch(struct peer *p, const struct launch *launch)
{
	TRY(execute(p, "BEGIN IMMEDIATE"));
	for (int k = 0; k < launch->row_count; k++) {
		const struct one_row *row = &launch->rows[k];
		sqlite3_stmt *s = p->insert[row->table];
		for (int n = 0; n < p->column_count[row->table]; n++)
			sqlite3_bind_value(s, n + 1, row->values[n]);
		if (sqlite3_step(s) != SQLITE_DONE)
			return fail(p, p->to, "inserting");
		(void) sqlite3_reset(s);
	}
	return execute(p, "COMMIT");
}

static RESULT write_launches(struct peer *p, const char *path, int64_t run_us)
{
	int done = 0;
	TRY(make_tables(p, path));
	if (sqlite3_open(path, &p->to) != SQLITE_OK)
		return fail(p, p->to, path);
	TRY(execute(p, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
		       " PRAGMA temp_store = MEMORY"));
	TRY(prepare_inserts(p));
	int64_t since_us = clock_monotonic_us();
	while (done < p->launch_count && clock_monotonic_us() < since_us + run_us)
		TRY(write_launch(p, &p->launches[done++]));
	double seconds = (double) (clock_monotonic_us() - since_us) / (double) SECOND;
	int rows = 0;
	for (int k = 0; k < done; k++)
		rows += p->launches[k].row_count;
	(void) printf("launches=%d seconds=%.3f rate=%.1f rows=%.2f\n", done, seconds,
		      (double) done / seconds, done ? (double) rows / (double) done : 0.0);
	return OK;
}

static void peer_close(struct peer *p)
{
	for (int k = 0; k < p->launch_count; k++)
		for (int n = 0; n < p->launches[k].row_count; n++) {
			const struct one_row *row = &p->launches[k].rows[n];
			for (int c = 0; c < p->column_count[row->table]; c++)
				sqlite3_value_free(row->values[c]);
			heap_free(row->values);
		}
	heap_free(p->launches);
	for (int table = 0; table < TABLES_MAX; table++)
		(void) sqlite3_finalize(p->insert[table]);
	(void) sqlite3_close_v2(p->from);
	(void) sqlite3_close_v2(p->to);
}

static RESULT measure(struct peer *p, const char *from, const char *to, int64_t run_us)
{
	TRY(read_launches(p, from));
	return write_launches(p, to, run_us);
}

int main(int argc, char **argv)
{
	struct ctx c;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!arena)
		return 1;
	ctx_init(&c, arena);
	struct peer peer = {.c = &c};
	struct result result = measure(&peer, str_to_z(arena, arg_text(argc, argv, "from", STR_NONE)),
				       str_to_z(arena, arg_text(argc, argv, "to", STR_NONE)),
				       arg_int(argc, argv, "run_ms", 3000) * MILLISECOND);
	peer_close(&peer);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
