/* SPDX-License-Identifier: Apache-2.0
 * Copying a region out of PostgreSQL, or into it: history is read and written as it is. A reader copies one state while the
 * writer goes on: REPEATABLE READ shows the state of the first statement, and reading takes no lock that the writer waits for. */
#include <inttypes.h>
#include <string.h>

#include "base/disk_room.h"
#include "store/copy.h"
#include "store/postgresql_internal.h"

static const enum postgresql_history batches[SQL_LOGS] = {
	[SQL_EVENT] = POSTGRESQL_ADD_EVENT,     [SQL_USAGE] = POSTGRESQL_ADD_USAGE,
	[SQL_LEDGER] = POSTGRESQL_ADD_LEDGER,   [SQL_AUDIT] = POSTGRESQL_ADD_AUDIT,
	[SQL_SEGMENT] = POSTGRESQL_ADD_SEGMENT, [SQL_SERIES] = POSTGRESQL_ADD_SERIES,
	[SQL_PAST] = POSTGRESQL_ADD_PAST,
};

struct log_reading {
	struct arena *arena; /* for decoded texts */
	const char *types;
	sql_each_record each;
	void *arg;
};

static RESULT take_record(void *arg, const PGresult *row)
{
	struct log_reading *r = arg;
	struct sql_value values[SQL_LOG_COLUMNS_MAX];
	for (int k = 0; r->types[k]; k++) {
		values[k] = (struct sql_value){.is_null = PQgetisnull(row, 0, k)};
		if (r->types[k] == 'i')
			values[k].number = postgresql_int(row, k);
		else if (r->types[k] == 't')
			values[k].text = postgresql_decode(r->arena, postgresql_bytes(row, k));
		else
			values[k].text = postgresql_bytes(row, k);
	}
	struct result result = r->each(r->arg, values);
	arena_reset(r->arena);
	return result;
}

RESULT postgresql_read_log(struct sql_driver *driver, struct ctx *c, enum sql_log log, sql_each_record each,
			   void *arg)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct log_reading reading = {.arena = arena, .types = sql_logs[log].types, .each = each, .arg = arg};
	const char *sql =
		str_print(c->arena, "SELECT * FROM %s ORDER BY %s", sql_logs[log].table, sql_logs[log].order)
			.p;
	if (!arena || !sql)
		return ctx_no_memory(c);
	return postgresql_of(driver)->is_reader
		       ? postgresql_read_state(postgresql_of(driver), c, sql, take_record, &reading)
		       : postgresql_read(postgresql_of(driver), c, sql, 0, NULL, take_record, &reading);
}

/* The triggers refuse an audit record or segment whose predecessors were archived. */
#define FOR_TRIGGERS(does)                                                                                   \
	"ALTER TABLE audit " does " TRIGGER audit_goes_on;"                                                  \
	"ALTER TABLE audit_segment " does " TRIGGER audit_segment_goes_on;"                                  \
	"ALTER TABLE ledger " does " TRIGGER ledger_goes_on"

RESULT postgresql_begin_copy(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	TRY(driver->begin(driver, c));
	self->answer_max_ms = POSTGRESQL_LONG_ANSWER_MS;
	TRY(postgresql_exec(self, c, self->db, "SET idle_in_transaction_session_timeout = '60s'; BEGIN"));
	self->is_begun = true;
	self->is_copying = true;
	return postgresql_exec(self, c, self->db, FOR_TRIGGERS("DISABLE") ";DELETE FROM past");
}

RESULT postgresql_add_record(struct sql_driver *driver, struct ctx *c, enum sql_log log,
			     const struct sql_value *values)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = NULL;
	const char *types = sql_logs[log].types;
	TRY(postgresql_find_batch(self, c, batches[log], &batch));
	for (unsigned k = 0; types[k]; k++) {
		if (values[k].is_null)
			postgresql_add_null(batch, k);
		else if (types[k] == 'i')
			postgresql_add_int(batch, k, values[k].number);
		else if (types[k] == 't')
			postgresql_add_text(batch, k, values[k].text);
		else
			postgresql_add_bytes(batch, k, values[k].text);
	}
	return postgresql_end_values(self, c, batch);
}

RESULT postgresql_end_copy(struct sql_driver *driver, struct ctx *c, uint64_t commit)
{
	struct postgresql *self = postgresql_of(driver);
	TRY(postgresql_send(self, c, 0));
	postgresql_clear(self);
	TRY(postgresql_exec(self, c, self->db, FOR_TRIGGERS("ENABLE")));
	return driver->commit(driver, c, commit);
}

/* ---- a copy beside the writer ---- */

/* The first statement behind BEGIN decides which state is read. A lock of another program, such as VACUUM FULL, ends the copy and
 * not the writer. */
RESULT postgresql_open_reader(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	self->is_follower = self->is_reader = true;
	TRY(postgresql_exec(self, c, self->db,
			    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
			    "SET LOCAL idle_in_transaction_session_timeout = '600s';"
			    "SET LOCAL lock_timeout = '60s'"));
	return postgresql_check_schema(self, c);
}

static RESULT take_size(void *arg, const PGresult *row)
{
	*(int64_t *) arg = postgresql_int(row, 0);
	return OK;
}

/* The server's size has indexes and free space, too. SQLite needs that room for a while: it writes a transaction to its log first, and
 * then into the file. */
static RESULT check_room(struct postgresql *reader, struct ctx *c, const char *path)
{
	int64_t size = 0;
	const char *slash = strrchr(path, '/');
	const char *directory = slash ? str_print(c->arena, "%.*s", (int) (slash - path + 1), path).p : ".";
	TRY(directory ? OK : ctx_no_memory(c));
	TRY(postgresql_read_state(reader, c, "SELECT pg_database_size(current_database())", take_size,
				  &size));
	return disk_room_check(c, directory, size);
}

/* Another server of the URL may be an older one. */
static RESULT check_state(struct postgresql *self, struct ctx *c, struct postgresql *reader, uint64_t known)
{
	uint64_t commit = 0;
	TRY(reader->driver.read_commit(&reader->driver, c, &commit));
	return (self->is_follower || reader->epoch == self->epoch) && commit >= known
		       ? OK
		       : ctx_fail(c, ERR_GONE,
				  "the database %s is at commit %" PRIu64 " of epoch %" PRId64
				  ", and this process at commit %" PRIu64 " of epoch %" PRId64
				  ": `dari doctor` says more",
				  self->name, commit, reader->epoch, known, self->epoch);
}

static RESULT copy_state(struct postgresql *self, struct ctx *c, struct postgresql *reader, uint64_t known,
			 const char *path)
{
	struct store_copied copied = {0};
	memcpy(reader->driver.key_mark, self->driver.key_mark, sizeof reader->driver.key_mark);
	TRY(postgresql_open_reader(&reader->driver, c));
	TRY(check_state(self, c, reader, known));
	TRY(check_room(reader, c, path));
	return store_copy_reader(c, &reader->driver, path, &copied);
}

static RESULT say_lost(struct ctx *c, struct result r)
{
	struct str why = c->problem.message;
	ctx_clear_problem(c);
	return ctx_fail(c, r.code,
			"the copy was given up, and nothing is left of it: %" STR_FMT ". Begin it again",
			STR_ARG(why));
}

RESULT postgresql_copy(struct sql_driver *driver, struct ctx *c, const char *path)
{
	struct postgresql *self = postgresql_of(driver);
	uint64_t known = atomic_load(&self->commit); /* before the state that is copied */
	struct sql_driver *reader = NULL;
	TRY(postgresql_open(c, self->url, &reader));
	struct result r = copy_state(self, c, postgresql_of(reader), known, path);
	reader->close(reader);
	return r.code == ERR_TIMEOUT ? say_lost(c, r) : r;
}
