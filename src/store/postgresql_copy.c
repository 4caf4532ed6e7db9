/* SPDX-License-Identifier: Apache-2.0
 * Copying a region out of PostgreSQL, or into it: history is read and written as it is. */
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
	return postgresql_read(postgresql_of(driver), c, sql, 0, NULL, take_record, &reading);
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
