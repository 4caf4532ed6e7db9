/* SPDX-License-Identifier: Apache-2.0
 * The usage log and the ledger in SQLite: append-only tables. Triggers refuse every UPDATE and DELETE, and
 * changes of closed billing periods; each start restores removed triggers. */
#include "store/sqlite_internal.h"

/* meters that begin with LICENCE_USE_PREFIX */
#define IS_SOFTWARE "meter >= 'software:' AND meter < 'software;'"

/* An account's records are stored together, so that reading them needs no index, which would cost a launch as
 * much as the records themselves. */
static const char usage_sql[] =
	"CREATE TABLE IF NOT EXISTS usage (account TEXT NOT NULL, seq BIGINT NOT NULL, at_us BIGINT NOT NULL,"
	" kind TEXT NOT NULL, id TEXT NOT NULL, meter TEXT NOT NULL, level BIGINT NOT NULL, name TEXT, text "
	"TEXT,"
	" PRIMARY KEY (account, seq)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS usage_of_software ON usage (at_us) WHERE " IS_SOFTWARE ";"
	"CREATE TRIGGER IF NOT EXISTS usage_stays BEFORE UPDATE ON usage BEGIN"
	" SELECT RAISE(ABORT, 'the usage log is only added to: no record is changed'); END;"
	"CREATE TRIGGER IF NOT EXISTS usage_is_kept BEFORE DELETE ON usage BEGIN"
	" SELECT RAISE(ABORT, 'the usage log is only added to: no record is deleted'); END;";

/* Finds each account's last record and the latest of these: as many steps as accounts, independent of the
 * log's length. */
static const char last_usage_sql[] =
	"WITH RECURSIVE last (account) AS (SELECT min(account) FROM usage UNION ALL"
	" SELECT (SELECT min(account) FROM usage WHERE account > last.account) FROM last WHERE account IS "
	"NOT NULL)"
	" SELECT max(u.seq), max(u.at_us) FROM last JOIN usage AS u ON u.account = last.account"
	" AND u.seq = (SELECT max(seq) FROM usage WHERE account = last.account)";

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

/* Migration: the log used to be ordered by number with an index by account, and a separate table held names
 * of resources. Those records are numbered before all others, because corrections refer to the others by
 * number. */
static const char gather_usage_sql[] = "ALTER TABLE usage RENAME TO usage_by_number;"
				       "DROP INDEX IF EXISTS usage_of_software;"
				       "CREATE TABLE IF NOT EXISTS subject (seq INTEGER PRIMARY KEY, at_us "
				       "BIGINT, id TEXT, account TEXT, name TEXT, "
				       "text TEXT);";
static const char take_usage_sql[] = "INSERT INTO usage SELECT account, seq - 1 - (SELECT max(seq) FROM "
				     "subject), at_us, '', id, '', 0, name, text"
				     " FROM subject;"
				     "INSERT INTO usage SELECT account, seq, at_us, kind, id, meter, level, "
				     "NULL, NULL FROM usage_by_number;"
				     "DROP TABLE subject;"
				     "DROP TABLE usage_by_number;";

static RESULT read_numbers(struct ctx *c, sqlite3 *db, const char *sql, int64_t *const ret[], int count)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, db, &statement, sql));
	int code = sqlite_step(statement);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, db, code, sql);
	for (int n = 0; n < count; n++)
		*ret[n] = sqlite3_column_int64(statement, n);
	return OK;
}

static RESULT read_number(struct ctx *c, sqlite3 *db, const char *sql, int64_t *ret)
{
	return read_numbers(c, db, sql, &ret, 1);
}

RESULT sqlite_make_ledger(struct sqlite *self, struct ctx *c)
{
	int64_t is_by_number = 0;
	TRY(read_number(c, self->db,
			"SELECT count(*) FROM sqlite_master WHERE name = 'usage' AND NOT EXISTS"
			" (SELECT 1 FROM pragma_table_info('usage') WHERE name = 'text')",
			&is_by_number));
	if (is_by_number)
		TRY(sqlite_exec(c, self->db, gather_usage_sql));
	TRY(sqlite_exec(c, self->db, usage_sql));
	if (is_by_number)
		TRY(sqlite_exec(c, self->db, take_usage_sql));
	TRY(sqlite_exec(c, self->db, ledger_sql));
	return read_numbers(c, self->db, last_usage_sql,
			    (int64_t *const[]){&self->usage_end.seq, &self->usage_end.at_us}, 2);
}

RESULT sqlite_read_last_stamp(struct sql_driver *driver, struct ctx *c, int64_t *ret_us)
{
	struct sqlite *self = (struct sqlite *) driver;
	TRY(read_number(c, self->db,
			"SELECT coalesce((SELECT at_us FROM ledger ORDER BY seq DESC LIMIT 1), 0)", ret_us));
	if (*ret_us < self->usage_end.at_us)
		*ret_us = self->usage_end.at_us;
	return OK;
}

/* ---- usage ---- */

RESULT sqlite_add_usage(struct sql_driver *driver, struct ctx *c, const struct usage *usage,
			const struct ledger_record *subject)
{
	struct sqlite *self = (struct sqlite *) driver;
	if (usage->at_us < self->usage_end.at_us)
		return ctx_fail(c, ERR_IO,
				"the usage log goes on: no record is earlier than those before it");
	TRY(sqlite_prepare(c, self->db, &self->add_usage,
			   "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
	sqlite_bind_uuid(self->add_usage, 1, usage->account);
	sqlite3_bind_int64(self->add_usage, 2, ++self->usage_end.seq);
	sqlite3_bind_int64(self->add_usage, 3, self->usage_end.at_us = usage->at_us);
	sqlite_bind_str(self->add_usage, 4,
			usage->kind == KIND_NONE ? STR_NONE : str_from(model_kinds[usage->kind].name));
	sqlite_bind_uuid(self->add_usage, 5, usage->id);
	sqlite_bind_str(self->add_usage, 6, usage->meter);
	sqlite3_bind_int64(self->add_usage, 7, usage->level);
	if (subject) {
		sqlite_bind_str(self->add_usage, 8, subject->name);
		sqlite_bind_str(self->add_usage, 9, subject->text);
	} else {
		sqlite3_bind_null(self->add_usage, 8);
		sqlite3_bind_null(self->add_usage, 9);
	}
	return sqlite_run(c, self->add_usage, "writing a usage record");
}

enum usage_of { USAGE_OF_KIND, USAGE_OF_ACCOUNT, USAGE_OF_ALL, USAGE_OF_SOFTWARE };

/* An account's records are sorted by resource on reading. The condition for software must repeat the partial
 * index's text, or SQLite would not use it. */
#define USAGE_WHERE(place, order)                                                                            \
	"SELECT seq, at_us, kind, id, account, meter, level FROM usage WHERE +at_us < ?2 AND meter <> "      \
	"'' " place " ORDER BY " order
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
				      .kind = sql_kind_of_name(sqlite_column_str(statement, 2)),
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

/* Stores a name as a usage record without a meter. */
static RESULT add_subject(struct sqlite *self, struct ctx *c, const struct ledger_record *r)
{
	const struct usage none = {.at_us = r->at_us, .id = r->id, .account = r->account};
	return sqlite_add_usage(&self->driver, c, &none, r);
}

RESULT sqlite_add_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_record *r)
{
	struct sqlite *self = (struct sqlite *) driver;
	if (r->type == LEDGER_SUBJECT)
		return add_subject(self, c, r);
	TRY(sqlite_prepare(c, self->db, &self->add_ledger,
			   "INSERT INTO ledger VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
	sqlite_bind_str(self->add_ledger, 1, str_from(sql_ledger_words[r->type]));
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

/* Prepares reading of the ledger or, if is_subject, of resource names, which ignores type and period. */
static RESULT prepare_reading(struct sqlite *self, struct ctx *c, bool is_subject,
			      sqlite3_stmt **ret_statement)
{
	sqlite3_stmt **statement = is_subject ? &self->read_subjects : &self->read_ledger;
	TRY(sqlite_prepare(
		c, self->reader, statement,
		is_subject ? "SELECT seq, at_us, 0, 0, 0, id, account, name, text FROM usage"
			     " WHERE text IS NOT NULL AND (?3 = '' OR id = ?3) ORDER BY id, seq"
			   : "SELECT seq, at_us, from_us, number, level, id, account, name, text FROM ledger"
			     " WHERE type = ?1 AND (?2 IS NULL OR from_us = ?2) AND (?3 = '' OR id = ?3)"
			     " ORDER BY id, seq"));
	*ret_statement = *statement;
	return OK;
}

static RESULT read_ledger(struct sqlite *self, struct ctx *c, const struct ledger_query *query,
			  sqlite3_stmt *statement, sql_each_ledger each, void *arg)
{
	if (query->type != LEDGER_SUBJECT)
		sqlite_bind_str(statement, 1, str_from(sql_ledger_words[query->type]));
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
