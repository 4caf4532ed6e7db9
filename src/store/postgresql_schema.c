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

static RESULT read_meta(struct postgresql *self, struct ctx *c, const char *name, struct str *ret_value)
{
	AUTO_PGRESULT row = NULL;
	TRY(postgresql_ask(self, c, self->db, "SELECT value FROM meta WHERE name = $1", 1,
			   (const char *const[]){name}, &row));
	if (!PQntuples(row))
		return ctx_fail(c, ERR_STATE,
				"the database %s does not say its %s: it is not Dari's, or damaged",
				self->name, name);
	struct str value = postgresql_bytes(row, 0);
	*ret_value = str_copy(c->arena, value);
	return ret_value->p || !value.n ? OK : ctx_no_memory(c);
}

static RESULT write_meta(struct postgresql *self, struct ctx *c, const char *name, const char *value)
{
	AUTO_PGRESULT row = NULL;
	return postgresql_ask(self, c, self->db,
			      "INSERT INTO meta (name, value) VALUES ($1, $2)"
			      " ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING 1",
			      2, (const char *const[]){name, value}, &row);
}

static RESULT check_version(struct postgresql *self, struct ctx *c, unsigned *ret_version)
{
	struct str text = STR_NONE, hash = STR_NONE;
	int64_t version = 0;
	TRY(read_meta(self, c, "schema_version", &text));
	TRY(read_meta(self, c, "schema_hash", &hash));
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
	if (version == self->schema.version && !str_is(hash, self->schema.hash))
		return ctx_fail(c, ERR_STATE,
				"the database %s is of schema version %" PRId64
				" as this program is, but of another build of it (its hash is %" STR_FMT
				", ours %s): start the program that made it",
				self->name, version, STR_ARG(hash), self->schema.hash);
	*ret_version = (unsigned) version;
	return OK;
}

/* 0: an empty database. */
static RESULT find_version(struct postgresql *self, struct ctx *c, unsigned *ret_version)
{
	AUTO_PGRESULT row = NULL;
	TRY(postgresql_ask(self, c, self->db,
			   "SELECT count(*), count(*) FILTER (WHERE tablename = 'meta') FROM pg_tables"
			   " WHERE schemaname = current_schema()",
			   0, NULL, &row));
	*ret_version = 0;
	if (postgresql_int(row, 1))
		return check_version(self, c, ret_version);
	if (postgresql_int(row, 0))
		return ctx_fail(c, ERR_STATE,
				"the database %s has tables, but none of Dari's: it is another program's",
				self->name);
	return OK;
}

RESULT postgresql_check_schema(struct postgresql *self, struct ctx *c)
{
	unsigned version = 0;
	TRY(find_version(self, c, &version));
	return version == self->schema.version
		       ? OK
		       : ctx_fail(
				 c, ERR_STATE,
				 "the database %s is of schema version %u, and this program of %u: start the "
				 "program of the writer's version",
				 self->name, version, self->schema.version);
}

/* ---- making and migrating ---- */

/* The row of the fence is changed by each commit: the free space keeps its versions on one page. */
static const char base_sql[] =
	"CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS writer (one INTEGER PRIMARY KEY CHECK (one = 1), epoch BIGINT NOT NULL,"
	" batch BIGINT NOT NULL, holder TEXT NOT NULL) WITH (fillfactor = 10);"
	"INSERT INTO writer VALUES (1, 0, 0, '') ON CONFLICT (one) DO NOTHING;"
	"CREATE OR REPLACE FUNCTION dari_fence(of_epoch BIGINT, before BIGINT, after BIGINT) RETURNS void"
	" LANGUAGE plpgsql AS $$ BEGIN"
	" UPDATE writer SET batch = after WHERE one = 1 AND epoch = of_epoch AND batch = before;"
	" IF NOT FOUND THEN RAISE 'this process is no longer the writer' USING ERRCODE = 'DR001'; END IF;"
	" END $$;";

static RESULT make_tables(struct postgresql *self, struct ctx *c)
{
	char version[16];
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		TRY(postgresql_exec(self, c, self->db, model_kinds[kind].create_sql));
	(void) snprintf(version, sizeof version, "%u", self->schema.version);
	TRY(write_meta(self, c, "schema_version", version));
	return write_meta(self, c, "schema_hash", self->schema.hash);
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

static RESULT lock_schema(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT row = NULL;
	TRY(postgresql_exec(self, c, self->db, "SET LOCAL lock_timeout = '1s'"));
	struct result r = postgresql_ask(self, c, self->db, lock_sql, 0, NULL, &row);
	if (r.code != ERR_IN_USE)
		return r;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_IN_USE,
			"the database %s is in use by another dari process: end that one first, or use "
			"another database",
			self->name);
}

static RESULT write_schema(struct postgresql *self, struct ctx *c, int64_t *ret_wait_us)
{
	unsigned version = 0;
	TRY(lock_schema(self, c));
	TRY(find_version(self, c, &version));
	TRY(postgresql_exec(self, c, self->db, base_sql));
	TRY(postgresql_exec(self, c, self->db, postgresql_lease_sql));
	TRY(postgresql_exec(self, c, self->db, postgresql_change_sql));
	TRY(postgresql_take_lease(self, c, ret_wait_us));
	if (version && version < self->schema.version)
		TRY(migrate(self, c, version));
	if (version < self->schema.version)
		TRY(make_tables(self, c));
	/* at each start, in case triggers were removed */
	for (size_t k = 0; postgresql_history_sql[k]; k++)
		TRY(postgresql_exec(self, c, self->db, postgresql_history_sql[k]));
	return postgresql_find_ends(self, c);
}

static RESULT open_once(struct postgresql *self, struct ctx *c)
{
	int64_t wait_us = 0, sent_us = 0;
	TRY(postgresql_exec(self, c, self->db, "BEGIN"));
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

RESULT postgresql_open_schema(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	int64_t until_us = clock_system_us() + driver->lease.patience_ms * MILLISECOND;
	for (;;) {
		struct result r = open_once(self, c);
		if (r.code != ERR_IN_USE || clock_system_us() >= until_us)
			return r;
		ctx_clear_problem(c);
		(void) poll(NULL, 0, OPEN_PAUSE_MS);
	}
}
