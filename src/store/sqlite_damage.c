/* SPDX-License-Identifier: Apache-2.0
 * Damaged databases: detects damage, copies an intact database, and saves history that is still readable. All
 * of this uses the checking connection, so readers and the committer can continue. It was opened together
 * with the others: opening by name now could open a file put in the database's place, and closing that would
 * delete the right one's WAL. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/sqlite_internal.h"

static void end_connection(sqlite3 **db)
{
	(void) sqlite3_close(*db); /* all statements have been finalized */
}
#define AUTO_CONNECTION __attribute__((cleanup(end_connection))) sqlite3 *

/* ---- words ---- */

bool sqlite_is_damage(int code)
{
	int kind = code & 0xff;
	return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
}

/* Needed because SQLite's messages may quote bytes of the damaged file, which must not reach a terminal. */
struct str sqlite_clean(struct arena *a, struct str text)
{
	char *clean = arena_alloc(a, text.n + 1);
	for (size_t k = 0; clean && k < text.n; k++)
		clean[k] = text.p[k] == '\n' ? ' ' : text.p[k] < 0x20 || text.p[k] > 0x7E ? '?' : text.p[k];
	return clean ? (struct str){clean, text.n} : STR_NONE;
}

RESULT sqlite_say_damaged(struct ctx *c, const char *path, struct str why)
{
	struct str clean = sqlite_clean(c->arena, why);
	return ctx_fail(c, ERR_STATE,
			"the database %s is damaged or no database (%" STR_FMT
			"): docs/operations.md, \"A damaged database\", says how to go on",
			path && *path ? path : "in memory", STR_ARG(clean));
}

/* ---- finding damage ---- */

static RESULT check_connection(struct ctx *c, sqlite3 *db, const char *path)
{
	AUTO_STATEMENT statement = NULL;
	(void) sqlite3_db_release_memory(
		db); /* pages of an earlier check would hide what the file says now */
	TRY(sqlite_prepare(c, db, &statement, "PRAGMA quick_check(1)"));
	int code = sqlite_step(statement);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, db, code, "checking the database");
	struct str said = sqlite_column_str(statement, 0);
	return str_is(said, "ok") ? OK : sqlite_say_damaged(c, path, said);
}

RESULT sqlite_check(struct sql_driver *driver, struct ctx *c)
{
	struct sqlite *self = (struct sqlite *) driver;
	pthread_mutex_lock(&self->checking);
	struct result result = check_connection(c, self->checker, self->path);
	pthread_mutex_unlock(&self->checking);
	return result;
}

/* ---- copies ---- */

/* Opens it writable although it is only read: a connection that can't write leaves WAL files behind. */
static RESULT open_copy(struct ctx *c, const char *path, sqlite3 **ret_db)
{
	int code = fault_fires(FAULT_SQL) ? SQLITE_IOERR
					  : sqlite3_open_v2(path, ret_db, SQLITE_OPEN_READWRITE, NULL);
	return code == SQLITE_OK ? OK : sqlite_fail(c, *ret_db, code, "opening the copy");
}

static RESULT check_file(struct ctx *c, const char *path)
{
	AUTO_CONNECTION db = NULL;
	TRY(open_copy(c, path, &db));
	return check_connection(c, db, path);
}

static RESULT sync_file(struct ctx *c, const char *path)
{
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0
		       ? OK
		       : ctx_fail(c, ERR_IO, "cannot sync %s: %s", path, strerrordesc_np(errno));
}

RESULT sqlite_copy_into(struct ctx *c, sqlite3 *db, const char *path)
{
	AUTO_STATEMENT statement = NULL;
	TRY(file_delete(c, path));
	/* VACUUM INTO fills an existing empty file, which keeps the mode given here */
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1 : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "cannot make %s: %s", path, strerrordesc_np(errno));
	TRY(sqlite_prepare(c, db, &statement, "VACUUM INTO ?1"));
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	return sqlite_run(c, statement, "copying the database");
}

RESULT sqlite_settle_copy(struct ctx *c, struct result made, const char *half, const char *path)
{
	if (result_is_ok(made))
		made = check_file(c, half);
	if (result_is_ok(made))
		made = sync_file(c, half);
	if (result_is_ok(made))
		made = file_rename_synced(c, half, path);
	if (!result_is_ok(made))
		(void) unlink(half);
	return made;
}

RESULT sqlite_copy(struct sql_driver *driver, struct ctx *c, const char *path)
{
	struct sqlite *self = (struct sqlite *) driver;
	const char *half = str_print(c->arena, "%s.half", path).p;
	if (!half)
		return ctx_no_memory(c);
	/* check the original too: the copy's indexes are rebuilt, so it wouldn't show a damaged index */
	TRY(sqlite_check(driver, c));
	pthread_mutex_lock(&self->checking);
	struct result result = sqlite_copy_into(c, self->checker, half);
	pthread_mutex_unlock(&self->checking);
	return sqlite_settle_copy(c, result, half, path);
}

/* ---- saving the history ---- */

static RESULT attach(struct ctx *c, sqlite3 *db, const char *path)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, db, &statement, "ATTACH ?1 AS saved"));
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	return sqlite_run(c, statement, "opening the new database");
}

/* Reads one text from one row. */
static RESULT read_text(struct ctx *c, sqlite3 *db, const char *sql, const char *arg, struct str *ret_text)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, db, &statement, sql));
	sqlite3_bind_text(statement, 1, arg, -1, SQLITE_STATIC);
	int code = sqlite_step(statement);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, db, code, sql);
	*ret_text = str_copy(c->arena, sqlite_column_str(statement, 0));
	return OK;
}

/* Drops the logs' triggers, which refuse records whose predecessors are archived; the next start creates them
 * again. Uses a connection of its own, because the damaged database may be unable to list its tables. */
static RESULT drop_triggers(struct ctx *c, const char *path)
{
	AUTO_CONNECTION db = NULL;
	struct str sql = STR_NONE;
	TRY(open_copy(c, path, &db));
	TRY(read_text(c, db,
		      "SELECT group_concat('DROP TRIGGER \"' || name || '\";', '') || ?1 FROM "
		      "sqlite_schema WHERE type = 'trigger'",
		      "", &sql));
	TRY(sqlite_exec(c, db, str_to_z(c->arena, sql)));
	return sqlite_exec(c, db, "DELETE FROM past"); /* the first record of a new database */
}

static RESULT save_table(struct ctx *c, sqlite3 *db, const char *table)
{
	struct str columns = STR_NONE, missing = STR_NONE;
	TRY(read_text(c, db,
		      "SELECT group_concat(name) FROM pragma_table_info(?1, 'saved') WHERE name NOT IN"
		      " (SELECT name FROM pragma_table_info(?1, 'main'))",
		      table, &missing));
	if (missing.n)
		return ctx_fail(c, ERR_STATE, "the table %s is of an earlier version", table);
	TRY(read_text(c, db, "SELECT group_concat('\"' || name || '\"') FROM pragma_table_info(?1, 'saved')",
		      table, &columns));
	const char *sql =
		str_print(c->arena,
			  "INSERT INTO saved.\"%s\" (%" STR_FMT ") SELECT %" STR_FMT " FROM main.\"%s\"",
			  table, STR_ARG(columns), STR_ARG(columns), table)
			.p;
	return sql ? sqlite_exec(c, db, sql) : ctx_no_memory(c);
}

static RESULT save_tables(struct ctx *c, sqlite3 *db, const char *path, struct str *ret_lost)
{
	static const char *const tables[] = {"usage", "ledger", "audit", "audit_segment",
					     "event", "series", "past"};
	struct result attached = attach(c, db, path); /* ERR_STATE: the table list is damaged */
	for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
		struct result result = result_is_ok(attached) ? save_table(c, db, tables[k]) : attached;
		if (result.code != ERR_NONE && result.code != ERR_STATE)
			return result;
		if (!result_is_ok(result)) /* SQLite has rolled back the entire statement */
			*ret_lost = str_print(c->arena, "%" STR_FMT "%s%s", STR_ARG(*ret_lost),
					      ret_lost->n ? ", " : "", tables[k]);
		ctx_clear_problem(c);
	}
	return OK;
}

RESULT sqlite_save_history(struct sql_driver *driver, struct ctx *c, const char *path, struct str *ret_lost)
{
	struct sqlite *self = (struct sqlite *) driver;
	*ret_lost = STR_NONE;
	TRY(drop_triggers(c, path));
	pthread_mutex_lock(&self->checking);
	struct result result = save_tables(c, self->checker, path, ret_lost);
	(void) sqlite3_exec(self->checker, "DETACH saved", NULL, NULL,
			    NULL); /* fails if nothing is attached */
	pthread_mutex_unlock(&self->checking);
	return result;
}
