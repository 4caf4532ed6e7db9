/* SPDX-License-Identifier: Apache-2.0
 * Databases for tests: SQLite's file or memory, or two databases of a PostgreSQL server, which are emptied instead
 * of created because a schema of 120 tables takes a third of a second. */
#include "database.h"

#include <assert.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char place[256], words[512];
static char known_path[256]; /* the path whose rows are in the database; "": none */

static const char *server(void)
{
	return getenv("DARI_TEST_POSTGRESQL");
}

bool database_is_postgresql(void)
{
	return server() != NULL;
}

static const char *write_place(const char *name)
{
	const char *slot = getenv("DARI_TEST_SLOT");
	(void) snprintf(place, sizeof place, "postgresql:///%s%s?host=%s&user=postgres", name,
			slot ? slot : "", server());
	return place;
}

static PGconn *connect_to(const char *name)
{
	PGconn *db = PQconnectdb(write_place(name));
	if (PQstatus(db) == CONNECTION_OK)
		return db;
	PQfinish(db);
	return NULL;
}

/* The words of a failure, or NULL. */
static const char *run(PGconn *db, const char *sql)
{
	PGresult *result = PQexec(db, sql);
	ExecStatusType status = PQresultStatus(result);
	bool is_fine = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
	(void) snprintf(words, sizeof words, "%s", PQresultErrorMessage(result));
	PQclear(result);
	return is_fine ? NULL : words;
}

static PGconn *make(const char *name)
{
	char sql[128];
	const char *slot = getenv("DARI_TEST_SLOT");
	PGconn *db = PQconnectdb(
		(snprintf(place, sizeof place, "postgresql:///postgres?host=%s&user=postgres", server()),
		 place));
	(void) snprintf(sql, sizeof sql, "CREATE DATABASE \"%s%s\"", name, slot ? slot : "");
	const char *failure = run(db, sql);
	if (failure)
		(void) fprintf(stderr, "%s\n", failure);
	PQfinish(db);
	return connect_to(name);
}

/* Triggers that refuse deletions don't fire for a replica. */
static const char empty_sql[] =
	"SET session_replication_role = replica;"
	"DO $$ DECLARE t TEXT; has BOOLEAN; BEGIN"
	" FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('meta', "
	"'writer') LOOP"
	" EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', t) INTO has;"
	" IF has THEN EXECUTE format('DELETE FROM %I', t); END IF; END LOOP;"
	" DELETE FROM meta WHERE name IN ('moved_to', 'copy_of');"
	" UPDATE writer SET batch = 0; END $$";
static const char drop_sql[] = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";

static void empty(const char *name)
{
	PGconn *db = connect_to(name);
	if (!db)
		db = make(name);
	assert(db);
	PGresult *schema = PQexec(db, "SELECT value FROM meta WHERE name = 'schema_hash'");
	bool is_ours = PQntuples(schema) == 1 && strcmp(PQgetvalue(schema, 0, 0), model_schema_hash) == 0;
	PQclear(schema);
	if (!is_ours || run(db, empty_sql)) /* a test has changed the schema */
		(void) run(db, drop_sql);
	PQfinish(db);
}

const char *database_place(const char *path)
{
	if (!server())
		return path ? path : ":memory:";
	if (path && *path != '/')
		return path; /* a URL of the test's own */
	if (!path) {
		empty("memory");
		return write_place("memory");
	}
	if (strcmp(path, known_path) != 0)
		empty("file");
	(void) snprintf(known_path, sizeof known_path, "%s", path);
	return write_place("file");
}

RESULT database_open(struct ctx *c, const char *path, struct sql_driver **ret_driver)
{
	return sql_open(c, database_place(path), ret_driver);
}

void database_remove(void)
{
	known_path[0] = 0;
}

static const char *exec_sqlite(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	int code = sqlite3_open(path, &db);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	(void) snprintf(words, sizeof words, "%s", sqlite3_errmsg(db));
	(void) sqlite3_close(db);
	return code == SQLITE_OK ? NULL : words;
}

const char *database_exec(const char *path, const char *sql, bool without_triggers)
{
	if (!server())
		return exec_sqlite(path, sql);
	PGconn *db = PQconnectdb(database_place(path));
	if (without_triggers)
		(void) run(db, "SET session_replication_role = replica");
	const char *failure = run(db, sql);
	PQfinish(db);
	return failure;
}

static int64_t ask_sqlite(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t number = INT64_MIN;
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void) sqlite3_finalize(statement);
	(void) sqlite3_close(db);
	return number;
}

int64_t database_ask(const char *path, const char *sql)
{
	if (!server())
		return ask_sqlite(path, sql);
	PGconn *db = PQconnectdb(database_place(path));
	PGresult *result = PQexec(db, sql);
	int64_t number = PQntuples(result) == 1 ? atoll(PQgetvalue(result, 0, 0)) : INT64_MIN;
	PQclear(result);
	PQfinish(db);
	return number;
}
