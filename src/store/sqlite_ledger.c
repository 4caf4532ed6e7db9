/* SPDX-License-Identifier: Apache-2.0
 * The usage log and the ledger in SQLite: tables that are only added to. Their triggers refuse every UPDATE and DELETE,
 * and what would change a billing period that is closed. They come back at each start if somebody took them away. */
#include "store/sqlite_internal.h"

/* Records that begin with LICENCE_USE_PREFIX. */
#define IS_SOFTWARE "meter >= 'software:' AND meter < 'software;'"

static const char usage_sql[] =
	"CREATE TABLE IF NOT EXISTS usage (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL, kind TEXT NOT "
	"NULL,"
	" id TEXT NOT NULL, account TEXT NOT NULL, meter TEXT NOT NULL, level BIGINT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS usage_by_account ON usage (account);"
	"CREATE INDEX IF NOT EXISTS usage_of_software ON usage (at_us) WHERE " IS_SOFTWARE ";"
	"CREATE TRIGGER IF NOT EXISTS usage_stays BEFORE UPDATE ON usage BEGIN"
	" SELECT RAISE(ABORT, 'the usage log is only added to: no record is changed'); END;"
	"CREATE TRIGGER IF NOT EXISTS usage_is_kept BEFORE DELETE ON usage BEGIN"
	" SELECT RAISE(ABORT, 'the usage log is only added to: no record is deleted'); END;"
	"CREATE TRIGGER IF NOT EXISTS usage_goes_on BEFORE INSERT ON usage"
	" WHEN NEW.at_us < (SELECT at_us FROM usage ORDER BY seq DESC LIMIT 1) BEGIN"
	" SELECT RAISE(ABORT, 'the usage log goes on: no record is earlier than those before it'); END;";

static const char ledger_sql[] =
	"CREATE TABLE IF NOT EXISTS ledger (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, at_us BIGINT NOT "
	"NULL,"
	" from_us BIGINT NOT NULL, number BIGINT NOT NULL, level BIGINT NOT NULL, id TEXT NOT NULL,"
	" account TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS ledger_by_resource ON ledger (type, id, seq);"
	"CREATE INDEX IF NOT EXISTS ledger_by_period ON ledger (type, from_us);"
	"CREATE TRIGGER IF NOT EXISTS ledger_stays BEFORE UPDATE ON ledger BEGIN"
	" SELECT RAISE(ABORT, 'the ledger is only added to: no record is changed'); END;"
	"CREATE TRIGGER IF NOT EXISTS ledger_is_kept BEFORE DELETE ON ledger BEGIN"
	" SELECT RAISE(ABORT, 'the ledger is only added to: no record is deleted'); END;"
	"CREATE TRIGGER IF NOT EXISTS ledger_period_is_closed BEFORE INSERT ON ledger"
	" WHEN NEW.type IN ('charge', 'closed') AND EXISTS"
	" (SELECT 1 FROM ledger WHERE type = 'closed' AND from_us = NEW.from_us) BEGIN"
	" SELECT RAISE(ABORT, 'the billing period is closed: it takes no further charges'); END;"
	"CREATE TRIGGER IF NOT EXISTS ledger_prices_are_closed BEFORE INSERT ON ledger"
	" WHEN NEW.type = 'prices' AND EXISTS"
	" (SELECT 1 FROM ledger WHERE type = 'closed' AND level > NEW.from_us) BEGIN"
	" SELECT RAISE(ABORT, 'a closed billing period keeps its prices'); END;"
	"CREATE TRIGGER IF NOT EXISTS ledger_commitments_are_closed BEFORE INSERT ON ledger"
	" WHEN NEW.type = 'commitment' AND EXISTS"
	" (SELECT 1 FROM ledger WHERE type = 'closed' AND level > NEW.from_us) BEGIN"
	" SELECT RAISE(ABORT, 'a closed billing period keeps its commitments'); END;"
	"CREATE INDEX IF NOT EXISTS ledger_invoices ON ledger (account, number) WHERE type = 'invoice';"
	"CREATE TRIGGER IF NOT EXISTS ledger_invoices_have_no_gaps BEFORE INSERT ON ledger"
	" WHEN NEW.type = 'invoice' AND NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM ledger"
	" WHERE type = 'invoice' AND account = NEW.account) BEGIN"
	" SELECT RAISE(ABORT, 'numbers of invoices have no gaps'); END;"
	"CREATE UNIQUE INDEX IF NOT EXISTS ledger_payments ON ledger (name) WHERE type = 'payment';";

/* What resources are called. There are two with every launch, and they are read all at once: no index, which would cost a launch more than
 * all that is metered of it. */
static const char subject_sql[] =
	"CREATE TABLE IF NOT EXISTS subject (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL, id TEXT NOT "
	"NULL,"
	" account TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL);"
	"CREATE TRIGGER IF NOT EXISTS subject_stays BEFORE UPDATE ON subject BEGIN"
	" SELECT RAISE(ABORT, 'the ledger is only added to: no record is changed'); END;"
	"CREATE TRIGGER IF NOT EXISTS subject_is_kept BEFORE DELETE ON subject BEGIN"
	" SELECT RAISE(ABORT, 'the ledger is only added to: no record is deleted'); END;";

/* Records had the numbers of their rows only. What was held then was held, whether in use or not: it was not written down. */
static const char number_usage_sql[] =
	"ALTER TABLE usage RENAME TO usage_without_numbers;"
	"DROP INDEX IF EXISTS usage_by_account;"
	"CREATE TABLE usage (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL, kind TEXT NOT NULL,"
	" id TEXT NOT NULL, account TEXT NOT NULL, meter TEXT NOT NULL, level BIGINT NOT NULL);"
	"INSERT INTO usage (at_us, kind, id, account, meter, level)"
	" SELECT max(at_us) OVER (ORDER BY rowid), kind, id, account,"
	" CASE meter WHEN 'address:elastic' THEN 'address:idle' ELSE meter END, level"
	" FROM usage_without_numbers ORDER BY rowid;"
	"DROP TABLE usage_without_numbers;";

static const char *const type_words[LEDGER_TYPES] = {
	[LEDGER_SUBJECT] = "subject", [LEDGER_FIX] = "fix",        [LEDGER_PRICES] = "prices",
	[LEDGER_CHARGE] = "charge",   [LEDGER_CLOSED] = "closed",  [LEDGER_COMMITMENT] = "commitment",
	[LEDGER_INVOICE] = "invoice", [LEDGER_PAYMENT] = "payment"};

static RESULT read_number(struct ctx *c, sqlite3 *db, const char *sql, int64_t *ret_number)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, db, &statement, sql));
	int code = sqlite_step(statement);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, db, code, sql);
	*ret_number = sqlite3_column_int64(statement, 0);
	return OK;
}

RESULT sqlite_make_ledger(struct sqlite *self, struct ctx *c)
{
	int64_t columns = 0, numbers = 0;
	TRY(read_number(c, self->db, "SELECT count(*) FROM pragma_table_info('usage')", &columns));
	TRY(read_number(c, self->db, "SELECT count(*) FROM pragma_table_info('usage') WHERE name = 'seq'",
			&numbers));
	if (columns && !numbers)
		TRY(sqlite_exec(c, self->db, number_usage_sql));
	TRY(sqlite_exec(c, self->db, usage_sql));
	TRY(sqlite_exec(c, self->db, subject_sql));
	return sqlite_exec(c, self->db, ledger_sql);
}

RESULT sqlite_read_last_stamp(struct sql_driver *driver, struct ctx *c, int64_t *ret_us)
{
	return read_number(c, ((struct sqlite *) driver)->db,
			   "SELECT max(coalesce((SELECT at_us FROM usage ORDER BY seq DESC LIMIT 1), 0),"
			   " coalesce((SELECT at_us FROM ledger ORDER BY seq DESC LIMIT 1), 0),"
			   " coalesce((SELECT at_us FROM subject ORDER BY seq DESC LIMIT 1), 0))",
			   ret_us);
}

/* ---- usage ---- */

RESULT sqlite_add_usage(struct sql_driver *driver, struct ctx *c, const struct usage *usage)
{
	struct sqlite *self = (struct sqlite *) driver;
	TRY(sqlite_prepare(c, self->db, &self->add_usage,
			   "INSERT INTO usage VALUES (NULL, ?, ?, ?, ?, ?, ?)"));
	sqlite3_bind_int64(self->add_usage, 1, usage->at_us);
	sqlite_bind_str(self->add_usage, 2, str_from(model_kinds[usage->kind].name));
	sqlite_bind_uuid(self->add_usage, 3, usage->id);
	sqlite_bind_uuid(self->add_usage, 4, usage->account);
	sqlite_bind_str(self->add_usage, 5, usage->meter);
	sqlite3_bind_int64(self->add_usage, 6, usage->level);
	return sqlite_run(c, self->add_usage, "writing a usage record");
}

enum usage_of { USAGE_OF_KIND, USAGE_OF_ACCOUNT, USAGE_OF_ALL, USAGE_OF_SOFTWARE };

/* An account's records are sorted when they are read: an index in their order costs a launch more than writing them. The words of the last
 * one are those of its index, or it would not be used. */
#define USAGE_WHERE(place, order)                                                                            \
	"SELECT seq, at_us, kind, id, account, meter, level FROM usage WHERE +at_us < ?2 " place             \
	" ORDER BY " order
static const char *const read_usage_sql[USAGE_READINGS] = {
	[USAGE_OF_KIND] = USAGE_WHERE("AND account = ?1 AND kind = ?3 AND meter LIKE ?4 || '%'", "id, seq"),
	[USAGE_OF_ACCOUNT] = USAGE_WHERE("AND account = ?1", "id, meter, seq"),
	[USAGE_OF_ALL] = USAGE_WHERE("", "account, id, meter, seq"),
	[USAGE_OF_SOFTWARE] = USAGE_WHERE("AND " IS_SOFTWARE, "at_us, seq"),
};

static RESULT begin_usage(struct sqlite *self, struct ctx *c, const struct usage_query *query,
			  sqlite3_stmt **ret_statement)
{
	enum usage_of of = query->is_software             ? USAGE_OF_SOFTWARE
			   : uuid_is_none(query->account) ? USAGE_OF_ALL
			   : query->kind == KIND_NONE     ? USAGE_OF_ACCOUNT
							  : USAGE_OF_KIND;
	sqlite3_stmt **slot = &self->read_usage[of];
	TRY(sqlite_prepare(c, self->reader, slot, read_usage_sql[of]));
	sqlite3_bind_int64(*slot, 2, query->before_us);
	if (of == USAGE_OF_KIND || of == USAGE_OF_ACCOUNT)
		sqlite_bind_uuid(*slot, 1, query->account);
	if (of == USAGE_OF_KIND) {
		sqlite_bind_str(*slot, 3, str_from(model_kinds[query->kind].name));
		sqlite_bind_str(*slot, 4, query->meter);
	}
	*ret_statement = *slot;
	return OK;
}

static RESULT read_usage(struct sqlite *self, struct ctx *c, sqlite3_stmt *statement, sql_each_usage each,
			 void *arg)
{
	int code = SQLITE_ROW;
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		struct usage usage = {.seq = sqlite3_column_int64(statement, 0),
				      .at_us = sqlite3_column_int64(statement, 1),
				      .kind = sqlite_kind_of_name(sqlite_column_str(statement, 2)),
				      .id = sqlite_column_uuid(statement, 3),
				      .account = sqlite_column_uuid(statement, 4),
				      .meter = sqlite_column_str(statement, 5),
				      .level = sqlite3_column_int64(statement, 6)};
		TRY(each(arg, &usage));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading usage records");
}

RESULT sqlite_read_usage(struct sql_driver *driver, struct ctx *c, const struct usage_query *query,
			 sql_each_usage each, void *arg)
{
	struct sqlite *self = (struct sqlite *) driver;
	sqlite3_stmt *statement = NULL;
	pthread_mutex_lock(&self->reading);
	struct result r = begin_usage(self, c, query, &statement);
	if (result_is_ok(r))
		r = read_usage(self, c, statement, each, arg);
	sqlite_let_go(statement);
	pthread_mutex_unlock(&self->reading);
	return r;
}

/* ---- the ledger ---- */

static RESULT add_subject(struct sqlite *self, struct ctx *c, const struct ledger_record *r)
{
	TRY(sqlite_prepare(c, self->db, &self->add_subject,
			   "INSERT INTO subject VALUES (NULL, ?, ?, ?, ?, ?)"));
	sqlite3_bind_int64(self->add_subject, 1, r->at_us);
	sqlite_bind_uuid(self->add_subject, 2, r->id);
	sqlite_bind_uuid(self->add_subject, 3, r->account);
	sqlite_bind_str(self->add_subject, 4, r->name);
	sqlite_bind_str(self->add_subject, 5, r->text);
	return sqlite_run(c, self->add_subject, "writing what a resource is called");
}

RESULT sqlite_add_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_record *r)
{
	struct sqlite *self = (struct sqlite *) driver;
	if (r->type == LEDGER_SUBJECT)
		return add_subject(self, c, r);
	TRY(sqlite_prepare(c, self->db, &self->add_ledger,
			   "INSERT INTO ledger VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
	sqlite_bind_str(self->add_ledger, 1, str_from(type_words[r->type]));
	sqlite3_bind_int64(self->add_ledger, 2, r->at_us);
	sqlite3_bind_int64(self->add_ledger, 3, r->from_us);
	sqlite3_bind_int64(self->add_ledger, 4, r->number);
	sqlite3_bind_int64(self->add_ledger, 5, r->level);
	sqlite_bind_uuid(self->add_ledger, 6, r->id);
	sqlite_bind_uuid(self->add_ledger, 7, r->account);
	sqlite_bind_str(self->add_ledger, 8, r->name);
	sqlite_bind_str(self->add_ledger, 9, r->text);
	return sqlite_run(c, self->add_ledger, "writing a record of the ledger");
}

/* Of what resources are called the type and the period say nothing. */
static RESULT prepare_reading(struct sqlite *self, struct ctx *c, bool is_subject,
			      sqlite3_stmt **ret_statement)
{
	sqlite3_stmt **statement = is_subject ? &self->read_subjects : &self->read_ledger;
	TRY(sqlite_prepare(
		c, self->reader, statement,
		is_subject ? "SELECT seq, at_us, 0, 0, 0, id, account, name, text FROM subject"
			     " WHERE ?3 = '' OR id = ?3 ORDER BY id, seq"
			   : "SELECT seq, at_us, from_us, number, level, id, account, name, text FROM ledger"
			     " WHERE type = ?1 AND (?2 IS NULL OR from_us = ?2) AND (?3 = '' OR id = ?3)"
			     " ORDER BY id, seq"));
	*ret_statement = *statement;
	return OK;
}

static RESULT read_ledger(struct sqlite *self, struct ctx *c, const struct ledger_query *query,
			  sqlite3_stmt *statement, sql_each_ledger each, void *arg)
{
	sqlite_bind_str(statement, 1, str_from(type_words[query->type]));
	if (query->from_us != LEDGER_ANY_TIME)
		sqlite3_bind_int64(statement, 2, query->from_us);
	sqlite_bind_uuid(statement, 3, query->id);
	int code = SQLITE_ROW;
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		struct ledger_record record = {.type = query->type,
					       .seq = sqlite3_column_int64(statement, 0),
					       .at_us = sqlite3_column_int64(statement, 1),
					       .from_us = sqlite3_column_int64(statement, 2),
					       .number = sqlite3_column_int64(statement, 3),
					       .level = sqlite3_column_int64(statement, 4),
					       .id = sqlite_column_uuid(statement, 5),
					       .account = sqlite_column_uuid(statement, 6),
					       .name = sqlite_column_str(statement, 7),
					       .text = sqlite_column_str(statement, 8)};
		TRY(each(arg, &record));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading the ledger");
}

RESULT sqlite_read_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_query *query,
			  sql_each_ledger each, void *arg)
{
	struct sqlite *self = (struct sqlite *) driver;
	pthread_mutex_lock(&self->reading);
	sqlite3_stmt *statement = NULL;
	struct result r = prepare_reading(self, c, query->type == LEDGER_SUBJECT, &statement);
	if (result_is_ok(r))
		r = read_ledger(self, c, query, statement, each, arg);
	sqlite_let_go(statement);
	pthread_mutex_unlock(&self->reading);
	return r;
}
