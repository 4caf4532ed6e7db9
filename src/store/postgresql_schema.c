/* SPDX-License-Identifier: Apache-2.0
 * Opens the schema in PostgreSQL: creates it in an empty database, migrates an older one, refuses others with a
 * message, and takes the lease. All of it is one transaction. */
#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgresql_internal.h"

enum { OPEN_PAUSE_MS = 50 }; /* between attempts to open; their deadline is the caller's */

/* ---- what the database says of itself ---- */

/* *ret_value empty: it does not say. */
static RESULT find_meta(struct postgresql *self, struct ctx *c, const char *name, struct str *ret_value)
{
	AUTO_PGRESULT row = NULL;
	*ret_value = STR_NONE;
	TRY(postgresql_ask(self, c, self->db, "SELECT value FROM meta WHERE name = $1", 1,
			   (const char *const[]){name}, &row));
	if (!PQntuples(row))
		return OK;
	struct str value = postgresql_bytes(row, 0);
	*ret_value = str_copy(c->arena, value);
	return ret_value->p || !value.n ? OK : ctx_no_memory(c);
}

static RESULT read_meta(struct postgresql *self, struct ctx *c, const char *name, struct str *ret_value)
{
	TRY(find_meta(self, c, name, ret_value));
	return ret_value->n ? OK
			    : ctx_fail(c, ERR_STATE,
				       "the database %s does not say its %s: it is not Dari's, or damaged",
				       self->name, name);
}

static RESULT write_meta(struct postgresql *self, struct ctx *c, const char *name, const char *value)
{
	AUTO_PGRESULT row = NULL;
	return postgresql_ask(self, c, self->db,
			      "INSERT INTO meta (name, value) VALUES ($1, $2)"
			      " ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING 1",
			      2, (const char *const[]){name, value}, &row);
}

/* Finds out what the level in force lacks. A migration raises the level by itself. */
static RESULT compare_level(struct postgresql *self, struct ctx *c, int64_t version)
{
	struct level_meta found = {.version = version};
	TRY(read_meta(self, c, "schema_hash", &found.hash));
	TRY(find_meta(self, c, "schema_level", &found.text));
	TRY(find_meta(self, c, "schema_program", &found.program));
	level_free(TAKE(self->level));
	self->driver.level = NULL;
	if (migration_is_due(self->schema.migrations, version))
		return OK;
	TRY(level_compare(c, self->name, &found, self->schema.version, self->schema.hash, &self->level));
	self->driver.level = self->level;
	return OK;
}

static RESULT check_version(struct postgresql *self, struct ctx *c, unsigned *ret_version)
{
	struct str text = STR_NONE;
	int64_t version = 0;
	TRY(read_meta(self, c, "schema_version", &text));
	if (!result_is_ok(str_parse_int(text, &version)) || version < 1 || version > INT32_MAX)
		return ctx_fail(c, ERR_STATE,
				"the database %s is damaged: its schema version is \"%" STR_FMT "\"",
				self->name, STR_ARG(text));
	if (version > self->schema.version)
		return ctx_fail(
			c, ERR_STATE,
			"the database %s is of schema version %" PRId64
			", this program knows up to %u: start the newer program, or restore a backup made "
			"before the upgrade",
			self->name, version, self->schema.version);
	*ret_version = (unsigned) version;
	return compare_level(self, c, version);
}

static RESULT say_foreign(struct postgresql *self, struct ctx *c)
{
	return ctx_fail(c, ERR_STATE,
			"the database %s has tables, but none of Dari's: it is another program's",
			self->name);
}

/* 0: an empty database. */
static RESULT find_version(struct postgresql *self, struct ctx *c, unsigned *ret_version)
{
	AUTO_PGRESULT row = NULL;
	TRY(postgresql_ask(self, c, self->db,
			   "SELECT count(*), count(*) FILTER (WHERE tablename = 'meta') FROM pg_tables"
			   " WHERE schemaname = current_schema() AND tablename <> 'schema_lock'",
			   0, NULL, &row));
	*ret_version = 0;
	if (postgresql_int(row, 1))
		return check_version(self, c, ret_version);
	if (postgresql_int(row, 0))
		return say_foreign(self, c);
	return OK;
}

static RESULT read_marks(struct postgresql *self, struct ctx *c, struct str ret_marks[SQL_MARKS])
{
	for (enum sql_mark mark = 0; mark < SQL_MARKS; mark++)
		TRY(find_meta(self, c, sql_mark_names[mark], &ret_marks[mark]));
	return OK;
}

static RESULT check_marks(struct postgresql *self, struct ctx *c)
{
	struct str marks[SQL_MARKS];
	TRY(read_marks(self, c, marks));
	return sql_check_marks(&self->driver, c, self->name, marks);
}

/* ERR_STATE: it has tables, and not all that each program has made. */
RESULT postgresql_identify(struct sql_driver *driver, struct ctx *c, struct sql_identity *ret_identity)
{
	struct postgresql *self = postgresql_of(driver);
	AUTO_PGRESULT row = NULL;
	int64_t epoch = 0;
	*ret_identity = (struct sql_identity){0};
	TRY(postgresql_ask(self, c, self->db,
			   "SELECT count(*), count(*) FILTER (WHERE tablename = 'meta') FROM pg_tables"
			   " WHERE schemaname = current_schema() AND tablename <> 'schema_lock'",
			   0, NULL, &row));
	if (!postgresql_int(row, 1))
		return postgresql_int(row, 0) ? say_foreign(self, c) : OK;
	TRY(postgresql_read_fence(self, c, &epoch, &ret_identity->commit));
	return read_marks(self, c, ret_identity->marks);
}

static const char key_meta[] = "master_key";

static RESULT check_key(struct postgresql *self, struct ctx *c, struct str *ret_found)
{
	TRY(find_meta(self, c, key_meta, ret_found));
	return sql_check_key(&self->driver, c, self->name, *ret_found);
}

/* A database of an older program has no mark: the next writer stores one. */
static RESULT keep_key(struct postgresql *self, struct ctx *c)
{
	struct str found = STR_NONE;
	TRY(check_key(self, c, &found));
	return found.n || !*self->driver.key_mark ? OK : write_meta(self, c, key_meta, self->driver.key_mark);
}

RESULT postgresql_check_schema(struct postgresql *self, struct ctx *c)
{
	unsigned version = 0;
	struct str found = STR_NONE;
	TRY(find_version(self, c, &version));
	TRY(version ? check_marks(self, c) : OK);
	return version && !migration_is_due(self->schema.migrations, version)
		       ? check_key(self, c, &found)
		       : ctx_fail(
				 c, ERR_STATE,
				 "the database %s is of schema version %u, and this program of %u: start the "
				 "program of the writer's version",
				 self->name, version, self->schema.version);
}

/* ---- making and migrating ---- */

/* In a new database alone: if the fence is missing later, nobody knows which commit is the last, and followers would take a
 * new number for another one. Each commit changes its row: the free space keeps its versions on one page. */
static const char fence_sql[] =
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE writer (one INTEGER PRIMARY KEY CHECK (one = 1), epoch BIGINT NOT NULL,"
	" batch BIGINT NOT NULL, holder TEXT NOT NULL) WITH (fillfactor = 10);"
	"INSERT INTO writer VALUES (1, 0, 0, '')";

static const char base_sql[] =
	"CREATE OR REPLACE FUNCTION dari_fence(of_epoch BIGINT, before BIGINT, after BIGINT) RETURNS void"
	" LANGUAGE plpgsql AS $$ BEGIN"
	" UPDATE writer SET batch = after WHERE one = 1 AND epoch = of_epoch AND batch = before;"
	" IF NOT FOUND THEN RAISE 'this process is no longer the writer' USING ERRCODE = 'DR001'; END IF;"
	" END $$;";

/* Makes this program's level the one in force. */
static RESULT write_level(struct postgresql *self, struct ctx *c)
{
	char version[16];
	struct str text = level_write(c->arena);
	const char *level = text.p ? str_to_z(c->arena, text) : NULL;
	if (!level)
		return ctx_no_memory(c);
	(void) snprintf(version, sizeof version, "%u", self->schema.version);
	TRY(write_meta(self, c, "schema_version", version));
	TRY(write_meta(self, c, "schema_level", level));
	TRY(write_meta(self, c, "schema_program", sql_get_program()));
	return write_meta(self, c, "schema_hash", self->schema.hash);
}

static RESULT make_tables(struct postgresql *self, struct ctx *c)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		TRY(postgresql_exec(self, c, self->db, model_kinds[kind].create_sql));
	return write_level(self, c);
}

static RESULT migrate(struct postgresql *self, struct ctx *c, unsigned from)
{
	log_event(LOG_INFO, "schema-migrates", "from=%u to=%u", from, self->schema.version);
	for (const struct migration *m = self->schema.migrations; m->sql; m++)
		if (m->version > from)
			TRY(postgresql_exec(self, c, self->db, m->sql));
	return OK;
}

/* Excludes other processes that create tables. Programs without a lease hold this lock as long as they run. */
static const char lock_sql[] = "SELECT pg_advisory_xact_lock(1147236969, 1)"; /* "Dari" */
/* The same by a row, for servers that speak PostgreSQL's protocol and lack such locks. The table is made outside of a transaction,
 * so that nobody waits for another process's. */
static const char *const lock_table_sql[] = {
	"CREATE TABLE IF NOT EXISTS schema_lock (one INTEGER PRIMARY KEY)",
	"INSERT INTO schema_lock VALUES (1) ON CONFLICT (one) DO NOTHING",
	"BEGIN",
	"SET LOCAL lock_timeout = '1s'",
	NULL,
};
static const char lock_row_sql[] = "SELECT one FROM schema_lock WHERE one = 1 FOR UPDATE";

/* True if the lock was refused because the server has none of that kind. */
static bool lacks_locks(const PGresult *refused)
{
	const char *state = PQresultErrorField(refused, PG_DIAG_SQLSTATE);
	return state && (strcmp(state, "0A000") == 0 || strcmp(state, "42883") == 0);
}

static RESULT lock_row(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT row = NULL;
	PQclear(PQexec(self->db, "ROLLBACK"));
	for (size_t k = 0; lock_table_sql[k]; k++) {
		struct result r = postgresql_exec(self, c, self->db, lock_table_sql[k]);
		if (!result_is_ok(r) && k > 0)
			return r;
		ctx_clear_problem(c); /* two processes create the table at once: one of them fails */
	}
	return postgresql_ask(self, c, self->db, lock_row_sql, 0, NULL, &row);
}

static RESULT lock_schema(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT row =
		PQsendQuery(self->db, lock_sql) ? postgresql_await(self->db, self->answer_max_ms) : NULL;
	if (PQresultStatus(row) == PGRES_TUPLES_OK)
		return OK;
	return lacks_locks(row) ? lock_row(self, c) : postgresql_fail(self, c, self->db, row, lock_sql);
}

/* Begins a transaction with that lock. */
static RESULT begin_locked(struct postgresql *self, struct ctx *c)
{
	TRY(postgresql_exec(self, c, self->db, "BEGIN"));
	TRY(postgresql_exec(self, c, self->db, "SET LOCAL lock_timeout = '1s'"));
	struct result r = lock_schema(self, c);
	if (r.code != ERR_IN_USE)
		return r;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_IN_USE,
			"the database %s is in use by another dari process: end that one first, or use "
			"another database",
			self->name);
}

/* Adds a table or a column that the level in force lacks. Looks first: adding takes a lock that waits for all readers. */
static RESULT add_part(void *arg, struct ctx *c, const struct kind_info *kind, const struct field *field,
		       const char *sql)
{
	struct postgresql *self = arg;
	AUTO_PGRESULT row = NULL;
	TRY(postgresql_ask(self, c, self->db,
			   "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema()"
			   " AND table_name = $1 AND column_name = $2",
			   2, (const char *const[]){kind->name, field ? field->name : "id"}, &row));
	return PQntuples(row) ? OK : postgresql_exec(self, c, self->db, sql);
}

static RESULT add_parts(struct postgresql *self, struct ctx *c)
{
	TRY(begin_locked(self, c));
	return level_each_addition(self->level, c, add_part, self);
}

RESULT postgresql_add_level(struct postgresql *self, struct ctx *c)
{
	unsigned version = 0;
	TRY(find_version(self, c, &version));
	if (!version || !self->level)
		return OK;
	struct result r = add_parts(self, c);
	if (result_is_ok(r))
		return postgresql_exec(self, c, self->db, "COMMIT");
	PQclear(PQexec(self->db, "ROLLBACK"));
	if (r.code != ERR_IN_USE && r.code != ERR_AGAIN)
		return r;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_TIMEOUT, "the tables of the database %s are in use", self->name);
}

/* Checks a database that is not new before anything is changed there. */
static RESULT check_known(struct postgresql *self, struct ctx *c, unsigned version)
{
	int64_t epoch = 0;
	uint64_t commit = 0;
	TRY(check_marks(self, c));
	TRY(postgresql_read_fence(self, c, &epoch, &commit));
	return sql_admit(&self->driver, c, migration_is_due(self->schema.migrations, version));
}

static RESULT write_schema(struct postgresql *self, struct ctx *c, int64_t *ret_wait_us)
{
	unsigned version = 0;
	TRY(begin_locked(self, c));
	TRY(find_version(self, c, &version));
	TRY(version ? check_known(self, c, version) : postgresql_exec(self, c, self->db, fence_sql));
	TRY(postgresql_exec(self, c, self->db, base_sql));
	TRY(keep_key(self, c));
	TRY(postgresql_exec(self, c, self->db, postgresql_lease_sql));
	TRY(postgresql_exec(self, c, self->db, postgresql_change_sql));
	TRY(postgresql_exec(self, c, self->db, postgresql_start_sql));
	TRY(postgresql_take_lease(self, c, ret_wait_us));
	if (version && migration_is_due(self->schema.migrations, version))
		TRY(migrate(self, c, version));
	if (!version || migration_is_due(self->schema.migrations, version))
		TRY(make_tables(self, c));
	else if (self->level)
		TRY(level_each_addition(self->level, c, add_part, self));
	else
		TRY(write_level(self, c)); /* may be missing in a database of an older program */
	/* at each start, in case triggers were removed */
	for (size_t k = 0; postgresql_history_sql[k]; k++)
		TRY(postgresql_exec(self, c, self->db, postgresql_history_sql[k]));
	return postgresql_find_ends(self, c);
}

static RESULT open_once(struct postgresql *self, struct ctx *c)
{
	int64_t wait_us = 0, sent_us = 0;
	struct result r = write_schema(self, c, &wait_us);
	if (result_is_ok(r)) {
		sent_us = clock_boot_us();
		r = postgresql_prolong_lease(self, c);
	}
	if (result_is_ok(r)) {
		TRY(postgresql_exec(self, c, self->db, "COMMIT"));
		return postgresql_keep_lease(self, c, sent_us, wait_us);
	}
	PQclear(PQexec(self->db, "ROLLBACK"));
	return r;
}

/* Some servers that speak PostgreSQL's protocol have no notifications; followers look more often there. A connection that is lost
 * meanwhile tells nothing. */
static void find_notes(struct postgresql *self)
{
	AUTO_PGRESULT result = PQsendQuery(self->db, "NOTIFY dari_commit")
				       ? postgresql_await(self->db, self->answer_max_ms)
				       : NULL;
	self->notifies = PQstatus(self->db) != CONNECTION_OK || PQresultStatus(result) == PGRES_COMMAND_OK;
}

RESULT postgresql_open_schema(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	int64_t until_us = clock_system_us() + driver->lease.patience_ms * MILLISECOND;
	TRY(postgresql_check_rivals(self, c));
	for (int conflicts = 0;;) {
		struct result r = open_once(self, c);
		conflicts += r.code == ERR_AGAIN;
		if (result_is_ok(r))
			find_notes(self);
		if (r.code == ERR_AGAIN ? conflicts == POSTGRESQL_CONFLICTS_MAX
					: r.code != ERR_IN_USE || clock_system_us() >= until_us)
			return r;
		ctx_clear_problem(c);
		(void) poll(NULL, 0, OPEN_PAUSE_MS);
	}
}

/* ---- confirming ---- */

struct listing {
	struct sql_programs *to;
	struct str own; /* how the names of programs of this level begin */
	struct ctx *c;
};

static RESULT take_program(void *arg, const PGresult *row)
{
	const struct listing *listing = arg;
	struct str name = str_copy(listing->c->arena, postgresql_bytes(row, 0));
	if (listing->to->count < SQL_PROGRAMS_MAX)
		listing->to->at[listing->to->count++] =
			(struct sql_program){name, str_starts_with(name, listing->own)};
	return OK;
}

static const char programs_sql[] =
	"SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
	" AND (application_name = 'dari' OR application_name LIKE 'dari %') ORDER BY 1";

static struct str own_name(const struct postgresql *self, struct ctx *c)
{
	return str_print(c->arena, "dari %.*s ", POSTGRESQL_HASH_SHOWN, self->schema.hash);
}

RESULT postgresql_read_programs(struct sql_driver *driver, struct ctx *c, struct sql_programs *ret_programs)
{
	struct postgresql *self = postgresql_of(driver);
	*ret_programs = (struct sql_programs){0};
	struct listing listing = {ret_programs, own_name(self, c), c};
	return postgresql_read(self, c, programs_sql, 0, NULL, take_program, &listing);
}

static RESULT refuse_others(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT rows = NULL;
	const char *own = str_print(c->arena, "%" STR_FMT "%%", STR_ARG(own_name(self, c))).p;
	if (!own)
		return ctx_no_memory(c);
	TRY(postgresql_ask(self, c, self->db,
			   "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
			   " AND (application_name = 'dari' OR application_name LIKE 'dari %')"
			   " AND application_name NOT LIKE $1 ORDER BY 1 LIMIT 1",
			   1, (const char *const[]){own}, &rows));
	return PQntuples(rows) ? ctx_fail(c, ERR_STATE,
					  "A process of another version is connected to the database "
					  "(%" STR_FMT "): upgrade or end that one first.",
					  STR_ARG(str_copy(c->arena, postgresql_bytes(rows, 0))))
			       : OK;
}

/* ---- changes behind the fence ---- */

/* Begins a transaction in which no other process becomes the writer. */
static RESULT begin_fenced(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT row = NULL;
	char epoch[24], commit[24];
	if (!postgresql_is_alive(self->db))
		return ctx_fail(c, ERR_TIMEOUT, "the database %s cannot be reached", self->name);
	(void) snprintf(epoch, sizeof epoch, "%" PRId64, self->epoch);
	(void) snprintf(commit, sizeof commit, "%" PRIu64, self->commit);
	TRY(postgresql_exec(self, c, self->db, "BEGIN"));
	return postgresql_ask(self, c, self->db, "SELECT dari_fence($1, $2, $2)", 2,
			      (const char *const[]){epoch, commit}, &row);
}

static RESULT end_fenced(struct postgresql *self, struct ctx *c, struct result r)
{
	if (result_is_ok(r))
		return postgresql_exec(self, c, self->db, "COMMIT");
	PQclear(PQexec(self->db, "ROLLBACK"));
	return r;
}

RESULT postgresql_confirm_level(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	struct result r = begin_fenced(self, c);
	if (result_is_ok(r))
		r = refuse_others(self, c);
	if (result_is_ok(r))
		r = write_level(self, c);
	TRY(end_fenced(self, c, r));
	driver->level = NULL;
	return OK;
}

static RESULT write_mark(struct postgresql *self, struct ctx *c, enum sql_mark mark, struct str text)
{
	AUTO_PGRESULT row = NULL;
	const char *const name = sql_mark_names[mark];
	return text.n ? write_meta(self, c, name, str_to_z(c->arena, text))
		      : postgresql_ask(self, c, self->db, "DELETE FROM meta WHERE name = $1 RETURNING 1", 1,
				       (const char *const[]){name}, &row);
}

RESULT postgresql_mark(struct sql_driver *driver, struct ctx *c, enum sql_mark mark, struct str text)
{
	struct postgresql *self = postgresql_of(driver);
	struct result r = begin_fenced(self, c);
	if (result_is_ok(r))
		r = write_mark(self, c, mark, text);
	return end_fenced(self, c, r);
}
