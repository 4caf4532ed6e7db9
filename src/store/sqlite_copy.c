/* SPDX-License-Identifier: Apache-2.0
 * Copying a region out of SQLite, or into it: history is read and written as it is. */
#include "base/buf.h"
#include "store/sqlite_internal.h"

enum { STATEMENT_CAP = 4096 };

static struct sql_value value_at(sqlite3_stmt *statement, int column, char type)
{
	struct sql_value value = {.is_null = sqlite3_column_type(statement, column) == SQLITE_NULL};
	if (type == 'i')
		value.number = sqlite3_column_int64(statement, column);
	else if (type == 't')
		value.text = sqlite_column_str(statement, column);
	else
		value.text = (struct str){sqlite3_column_blob(statement, column),
					  (size_t) sqlite3_column_bytes(statement, column)};
	return value;
}

static RESULT read_records(struct sqlite *self, struct ctx *c, enum sql_log log, sql_each_record each,
			   void *arg)
{
	const char *types = sql_logs[log].types;
	struct sql_value values[SQL_LOG_COLUMNS_MAX];
	AUTO_STATEMENT statement = NULL;
	int code = SQLITE_ROW;
	const char *sql = str_print(c->arena, "SELECT * FROM \"%s\" ORDER BY %s", sql_logs[log].table,
				    sql_logs[log].order)
				  .p;
	TRY(sql ? sqlite_prepare(c, self->reader, &statement, sql) : ctx_no_memory(c));
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		for (int k = 0; types[k]; k++)
			values[k] = value_at(statement, k, types[k]);
		TRY(each(arg, values));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading history");
}

RESULT sqlite_read_log(struct sql_driver *driver, struct ctx *c, enum sql_log log, sql_each_record each,
		       void *arg)
{
	struct sqlite *self = (struct sqlite *) driver;
	pthread_mutex_lock(&self->reading);
	struct result r = read_records(self, c, log, each, arg);
	pthread_mutex_unlock(&self->reading);
	return r;
}

/* The triggers refuse an audit record or segment whose predecessors were archived. */
static const char drop_triggers_sql[] = "DROP TRIGGER IF EXISTS audit_goes_on;"
					"DROP TRIGGER IF EXISTS audit_segment_goes_on;"
					"DROP TRIGGER IF EXISTS ledger_period_is_closed;"
					"DROP TRIGGER IF EXISTS ledger_prices_are_closed;"
					"DROP TRIGGER IF EXISTS ledger_commitments_are_closed;"
					"DROP TRIGGER IF EXISTS ledger_invoices_have_no_gaps;"
					"DELETE FROM past;"; /* the first record of a new database */

RESULT sqlite_begin_copy(struct sql_driver *driver, struct ctx *c)
{
	TRY(driver->begin(driver, c));
	return sqlite_exec(c, ((struct sqlite *) driver)->db, drop_triggers_sql);
}

static RESULT prepare_add(struct sqlite *self, struct ctx *c, enum sql_log log)
{
	struct buf sql;
	if (self->add_record[log])
		return OK;
	buf_init(&sql, STATEMENT_CAP);
	buf_print(&sql, "INSERT INTO \"%s\" VALUES (?", sql_logs[log].table);
	for (size_t k = 1; sql_logs[log].types[k]; k++)
		buf_print(&sql, ", ?");
	buf_print(&sql, ")%c", 0);
	struct result r = buf_finish(&sql);
	if (result_is_ok(r))
		r = sqlite_prepare(c, self->db, &self->add_record[log], sql.p);
	buf_done(&sql);
	return r;
}

RESULT sqlite_add_record(struct sql_driver *driver, struct ctx *c, enum sql_log log,
			 const struct sql_value *values)
{
	struct sqlite *self = (struct sqlite *) driver;
	TRY(prepare_add(self, c, log));
	sqlite3_stmt *statement = self->add_record[log];
	for (int k = 0; sql_logs[log].types[k]; k++) {
		if (values[k].is_null)
			sqlite3_bind_null(statement, k + 1);
		else if (sql_logs[log].types[k] == 'i')
			sqlite3_bind_int64(statement, k + 1, values[k].number);
		else if (sql_logs[log].types[k] == 't')
			sqlite_bind_str(statement, k + 1, values[k].text);
		else
			sqlite3_bind_blob64(statement, k + 1, values[k].text.n ? values[k].text.p : "",
					    values[k].text.n, SQLITE_STATIC);
	}
	return sqlite_run(c, statement, "writing history");
}

RESULT sqlite_end_copy(struct sql_driver *driver, struct ctx *c, uint64_t commit)
{
	struct sqlite *self = (struct sqlite *) driver;
	TRY(sqlite_make_ledger(self, c));
	TRY(sqlite_make_audit(self, c));
	return driver->commit(driver, c, commit);
}
