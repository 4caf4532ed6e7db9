/* SPDX-License-Identifier: Apache-2.0
 * The audit log in SQLite: an append-only table. Triggers refuse every UPDATE and DELETE, and an INSERT (or
 * REPLACE) that is not the next record; each start restores removed triggers. Changes past SQL, or without
 * the triggers, break the digest chain. */
#include "base/fault.h"
#include "store/sqlite_internal.h"

enum {
	COLUMN_SEQ,
	COLUMN_AT,
	COLUMN_COUNT_OF,
	COLUMN_TEXTS,
	COLUMN_DIGEST = COLUMN_TEXTS + AUDIT_TEXT_COUNT
};

static const char audit_sql[] =
	"CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL,"
	" count BIGINT NOT NULL"
#define AUDIT_TEXT(name, column) ", \"" column "\" TEXT NOT NULL"
#include "store/audit.def"
#undef AUDIT_TEXT
	", digest TEXT NOT NULL);"
	"CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit BEGIN"
	" SELECT RAISE(ABORT, 'the audit log is only added to: no record is changed'); END;"
	"CREATE TABLE IF NOT EXISTS audit_segment (seq INTEGER PRIMARY KEY, digest TEXT NOT NULL);"
	"CREATE TRIGGER IF NOT EXISTS audit_segment_stays BEFORE UPDATE ON audit_segment BEGIN"
	" SELECT RAISE(ABORT, 'the audit log is only added to: no segment is changed'); END;"
	"CREATE TRIGGER IF NOT EXISTS audit_segment_is_kept BEFORE DELETE ON audit_segment BEGIN"
	" SELECT RAISE(ABORT, 'the audit log is only added to: no segment is deleted'); END;"
	"CREATE TRIGGER IF NOT EXISTS audit_segment_goes_on BEFORE INSERT ON audit_segment"
	" WHEN NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq AND digest = NEW.digest) BEGIN"
	" SELECT RAISE(ABORT, 'the audit log is only added to: this segment ends with no record'); END;"
	"CREATE TRIGGER IF NOT EXISTS audit_is_kept BEFORE DELETE ON audit"
	" WHEN OLD.seq > (SELECT coalesce(max(seq), 0) FROM audit_segment) BEGIN"
	" SELECT RAISE(ABORT, 'the audit log is only added to: no record is deleted'); END;"
	"CREATE TRIGGER IF NOT EXISTS audit_goes_on BEFORE INSERT ON audit"
	" WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM audit),"
	" (SELECT max(seq) FROM audit_segment), 0) BEGIN"
	" SELECT RAISE(ABORT, 'the audit log is only added to: this is not its next record'); END;";

static const char add_sql[] = "INSERT INTO audit VALUES (?, ?, ?"
#define AUDIT_TEXT(name, column) ", ?"
#include "store/audit.def"
#undef AUDIT_TEXT
			      ", ?)";

#define AUDIT_TEXT(name, column) ", \"" column "\""
static const char columns_sql[] = "SELECT seq, at_us, count"
#include "store/audit.def"
				  ", digest FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
static const char back_sql[] = "SELECT seq, at_us, count"
#include "store/audit.def"
			       ", digest FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
#undef AUDIT_TEXT

RESULT sqlite_make_audit(struct sqlite *self, struct ctx *c)
{
	return sqlite_exec(c, self->db, audit_sql);
}

/* ---- writing ---- */

static RESULT read_hex(struct sqlite *self, struct ctx *c, sqlite3_stmt *statement, int place,
		       uint8_t ret_digest[static SHA256_SIZE])
{
	const char *text = (const char *) sqlite3_column_text(statement, place);
	struct str hex = {text, (size_t) sqlite3_column_bytes(statement, place)};
	if (result_is_ok(str_decode_hex(hex, ret_digest, SHA256_SIZE)))
		return OK;
	return ctx_fail(c, ERR_STATE,
			"the database %s is damaged: an audit record's digest is \"%" STR_FMT "\"",
			self->path, STR_ARG(str_slice(hex, 0, 80)));
}

/* Finds the last record, which the next one continues. Remembered until a transaction fails. */
static RESULT find_tail(struct sqlite *self, struct ctx *c)
{
	AUTO_STATEMENT statement = NULL;
	if (self->knows_tail)
		return OK;
	TRY(sqlite_prepare(c, self->db, &statement,
			   "SELECT seq, digest FROM audit UNION ALL SELECT seq, digest FROM audit_segment"
			   " ORDER BY seq DESC LIMIT 1"));
	int code = sqlite_step(statement);
	self->tail_seq = 0;
	memset(self->tail, 0, sizeof self->tail);
	if (code == SQLITE_ROW) {
		self->tail_seq = sqlite3_column_int64(statement, 0);
		TRY(read_hex(self, c, statement, 1, self->tail));
	} else if (code != SQLITE_DONE) {
		return sqlite_fail(c, self->db, code, "reading the last audit record");
	}
	self->knows_tail = true;
	return OK;
}

static void bind_text(sqlite3_stmt *statement, int place, struct str s)
{
	sqlite3_bind_text(statement, place, s.p ? s.p : "", (int) s.n, SQLITE_STATIC);
}

RESULT sqlite_add_audit(struct sql_driver *driver, struct ctx *c, const struct audit_record *audit)
{
	struct sqlite *self = (struct sqlite *) driver;
	struct audit_record next = *audit;
	TRY(find_tail(self, c));
	TRY(sqlite_prepare(c, self->db, &self->add_audit, add_sql));
	next.seq = self->tail_seq + 1;
	if (!audit_digest(&next, self->tail, next.digest))
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for an audit record's digest");
	struct str hex = str_encode_hex(self->scratch, next.digest, sizeof next.digest);
	if (!hex.p)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for an audit record's digest");
	sqlite3_bind_int64(self->add_audit, 1 + COLUMN_SEQ, next.seq);
	sqlite3_bind_int64(self->add_audit, 1 + COLUMN_AT, next.at_us);
	sqlite3_bind_int64(self->add_audit, 1 + COLUMN_COUNT_OF, next.count);
	for (int n = 0; n < AUDIT_TEXT_COUNT; n++)
		bind_text(self->add_audit, 1 + COLUMN_TEXTS + n, next.texts[n]);
	bind_text(self->add_audit, 1 + COLUMN_DIGEST, hex);
	struct result r = sqlite_run(c, self->add_audit, "writing an audit record");
	arena_reset(self->scratch);
	if (result_is_ok(r)) {
		self->tail_seq = next.seq;
		memcpy(self->tail, next.digest, sizeof self->tail);
	}
	return r;
}

/* ---- reading ---- */

static RESULT read_record(struct sqlite *self, struct ctx *c, sqlite3_stmt *statement,
			  struct audit_record *ret_audit)
{
	*ret_audit = (struct audit_record){.seq = sqlite3_column_int64(statement, COLUMN_SEQ),
					   .at_us = sqlite3_column_int64(statement, COLUMN_AT),
					   .count = sqlite3_column_int64(statement, COLUMN_COUNT_OF)};
	for (int n = 0; n < AUDIT_TEXT_COUNT; n++) {
		const char *text = (const char *) sqlite3_column_text(statement, COLUMN_TEXTS + n);
		ret_audit->texts[n] =
			(struct str){text, (size_t) sqlite3_column_bytes(statement, COLUMN_TEXTS + n)};
	}
	return read_hex(self, c, statement, COLUMN_DIGEST, ret_audit->digest);
}

static RESULT read_records(struct sqlite *self, struct ctx *c, sqlite3_stmt *statement, int64_t place,
			   size_t max, audit_each each, void *arg)
{
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_int64(statement, 2, (int64_t) (max > INT32_MAX ? INT32_MAX : max));
	int code = SQLITE_ROW;
	while ((code = sqlite_step(statement)) == SQLITE_ROW) {
		struct audit_record audit;
		TRY(read_record(self, c, statement, &audit));
		TRY(each(arg, &audit));
	}
	return code == SQLITE_DONE ? OK : sqlite_fail(c, self->reader, code, "reading the audit log");
}

/* Reads by the prepared statement of the slot. */
static RESULT read_by(struct sqlite *self, struct ctx *c, sqlite3_stmt **slot, const char *sql, int64_t place,
		      size_t max, audit_each each, void *arg)
{
	pthread_mutex_lock(&self->reading);
	struct result r = sqlite_prepare(c, self->reader, slot, sql);
	if (result_is_ok(r))
		r = read_records(self, c, *slot, place, max, each, arg);
	(void) sqlite3_reset(*slot); /* reset repeats the last step's error, which was handled */
	pthread_mutex_unlock(&self->reading);
	return r;
}

RESULT sqlite_read_audit(struct sql_driver *driver, struct ctx *c, int64_t after, size_t max, audit_each each,
			 void *arg)
{
	struct sqlite *self = (struct sqlite *) driver;
	return read_by(self, c, &self->read_audit, columns_sql, after, max, each, arg);
}

RESULT sqlite_read_audit_back(struct sql_driver *driver, struct ctx *c, int64_t before, size_t max,
			      audit_each each, void *arg)
{
	struct sqlite *self = (struct sqlite *) driver;
	return read_by(self, c, &self->read_audit_back, back_sql, before, max, each, arg);
}
