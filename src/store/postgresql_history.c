/* SPDX-License-Identifier: Apache-2.0
 * Writes history to PostgreSQL. Usage, ledger and audit log are append-only: triggers refuse every UPDATE,
 * DELETE and TRUNCATE, changes of closed billing periods, and an audit record that is not the next one. Each
 * start restores removed triggers. This process numbers the records, since it is the only writer. */
#include "base/fault.h"
#include "store/postgresql_internal.h"

enum {
	SWEEP_EVERY = 256, /* events between two sweeps */
	SWEEP_MAX = 1024,  /* events deleted by a sweep: four times those added meanwhile */
};

/* ---- tables ---- */

#define TEXT_C "TEXT COLLATE \"C\" NOT NULL"
/* An integer of past_split_id(), from the digit on where its half begins. */
#define UUID_HALF(digit)                                                                                     \
	"CASE WHEN id = '' THEN 0 ELSE ('x' || substr(replace(id, '-', ''), " digit                          \
	", 16))::bit(64)::bigint END"
/* Refuses changes of a table's records with a message. */
#define APPEND_ONLY(table, log)                                                                              \
	"CREATE OR REPLACE TRIGGER " table "_stays BEFORE UPDATE ON \"" table "\" FOR EACH ROW"              \
	" EXECUTE FUNCTION dari_refuse('the " log " is only added to: no record is changed');"               \
	"CREATE OR REPLACE TRIGGER " table "_is_whole BEFORE TRUNCATE ON \"" table "\" FOR EACH STATEMENT"   \
	" EXECUTE FUNCTION dari_refuse('the " log " is only added to: no record is deleted');"
#define KEEP_ALL(table, log)                                                                                 \
	"CREATE OR REPLACE TRIGGER " table "_is_kept BEFORE DELETE ON \"" table "\" FOR EACH ROW"            \
	" EXECUTE FUNCTION dari_refuse('the " log " is only added to: no record is deleted');"
/* A trigger before each row of an INSERT or DELETE, and the body of its function. */
#define CHECK_ROWS(trigger, when, table, function, body)                                                     \
	"CREATE OR REPLACE FUNCTION " function "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " body       \
	" END $$;"                                                                                           \
	"CREATE OR REPLACE TRIGGER " trigger " BEFORE " when " ON " table " FOR EACH ROW"                    \
	" EXECUTE FUNCTION " function "()"

const char *const postgresql_history_sql[] = {
	"CREATE TABLE IF NOT EXISTS event (seq BIGINT PRIMARY KEY, at_us BIGINT NOT NULL, kind " TEXT_C
	", id " TEXT_C ", account " TEXT_C ", \"user\" " TEXT_C ", request_id " TEXT_C ", action " TEXT_C
	", what " TEXT_C ", text " TEXT_C ", arguments " TEXT_C " DEFAULT '')",
	/* migration: events used to be whole sentences, which are sentences without arguments now */
	"ALTER TABLE event ADD COLUMN IF NOT EXISTS arguments " TEXT_C " DEFAULT ''",
	"CREATE INDEX IF NOT EXISTS event_by_id ON event (id, at_us)",
	"CREATE INDEX IF NOT EXISTS event_by_account ON event (account, at_us)",
	"CREATE INDEX IF NOT EXISTS event_by_time ON event (at_us)",
	"CREATE TABLE IF NOT EXISTS usage (account " TEXT_C ", seq BIGINT NOT NULL, at_us BIGINT NOT NULL,"
	" kind " TEXT_C ", id " TEXT_C ", meter " TEXT_C ", level BIGINT NOT NULL,"
	" name TEXT COLLATE \"C\", text TEXT COLLATE \"C\", PRIMARY KEY (account, seq))",
	"CREATE INDEX IF NOT EXISTS usage_of_software ON usage (at_us)"
	" WHERE meter >= 'software:' AND meter < 'software;'",
	"CREATE TABLE IF NOT EXISTS ledger (seq BIGINT PRIMARY KEY, type " TEXT_C ", at_us BIGINT NOT NULL,"
	" from_us BIGINT NOT NULL, number BIGINT NOT NULL, level BIGINT NOT NULL, id " TEXT_C
	", account " TEXT_C ", name " TEXT_C ", text " TEXT_C ")",
	"CREATE INDEX IF NOT EXISTS ledger_by_resource ON ledger (type, id, seq)",
	"CREATE INDEX IF NOT EXISTS ledger_by_period ON ledger (type, from_us)",
	"CREATE INDEX IF NOT EXISTS ledger_invoices ON ledger (account, number) WHERE type = 'invoice'",
	"CREATE UNIQUE INDEX IF NOT EXISTS ledger_payments ON ledger (name) WHERE type = 'payment'",
	"CREATE TABLE IF NOT EXISTS series (host " TEXT_C
	", step_us BIGINT NOT NULL, from_us BIGINT NOT NULL,"
	" bytes BYTEA NOT NULL, PRIMARY KEY (host, step_us, from_us))",
	"CREATE INDEX IF NOT EXISTS series_by_time ON series (step_us, from_us)",
	/* migration: the table used to have ids as texts */
	"DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = "
	"current_schema()"
	" AND table_name = 'past' AND column_name = 'id') THEN"
	" ALTER TABLE past RENAME TO past_by_text; ALTER INDEX past_pkey RENAME TO past_by_text_pkey;"
	" DROP INDEX past_by_id; END IF; END $$",
	"CREATE TABLE IF NOT EXISTS past (seq BIGINT PRIMARY KEY, at_us BIGINT NOT NULL, kind " TEXT_C
	", high BIGINT NOT NULL, low BIGINT NOT NULL, was " TEXT_C ")",
	"CREATE INDEX IF NOT EXISTS past_by_id ON past (high, seq)",
	"DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema()"
	" AND table_name = 'past_by_text') THEN"
	" INSERT INTO past SELECT seq, at_us, kind, " UUID_HALF("1") ", " UUID_HALF(
		"17") ", was"
		      " FROM past_by_text; DROP TABLE past_by_text; END IF; END $$",
	/* says since when changes are recorded */
	"INSERT INTO past SELECT 1, (extract(epoch FROM now()) * 1000000)::bigint, '', 0, 0, ''"
	" WHERE NOT EXISTS (SELECT 1 FROM past)",
	"CREATE TABLE IF NOT EXISTS audit (seq BIGINT PRIMARY KEY, at_us BIGINT NOT NULL, count BIGINT NOT "
	"NULL"
#define AUDIT_TEXT(name, column) ", \"" column "\" " TEXT_C
#include "store/audit.def"
#undef AUDIT_TEXT
	", digest " TEXT_C ")",
	"CREATE TABLE IF NOT EXISTS audit_segment (seq BIGINT PRIMARY KEY, digest " TEXT_C ")",

	"CREATE OR REPLACE FUNCTION dari_refuse() RETURNS trigger LANGUAGE plpgsql AS"
	" $$ BEGIN RAISE '%', TG_ARGV[0]; END $$",
	APPEND_ONLY("usage", "usage log"),
	APPEND_ONLY("ledger", "ledger"),
	APPEND_ONLY("audit", "audit log"),
	APPEND_ONLY("audit_segment", "audit log"),
	KEEP_ALL("usage", "usage log"),
	KEEP_ALL("ledger", "ledger"),
	KEEP_ALL("audit_segment", "audit log"),
	CHECK_ROWS("ledger_goes_on", "INSERT", "ledger", "dari_add_ledger",
		   "IF NEW.type IN ('charge', 'closed') AND EXISTS (SELECT 1 FROM ledger"
		   " WHERE type = 'closed' AND from_us = NEW.from_us)"
		   " THEN RAISE 'the billing period is closed: it takes no further charges'; END IF;"
		   " IF NEW.type IN ('prices', 'commitment') AND EXISTS (SELECT 1 FROM ledger"
		   " WHERE type = 'closed' AND level > NEW.from_us)"
		   " THEN RAISE 'a closed billing period keeps its %',"
		   " CASE NEW.type WHEN 'prices' THEN 'prices' ELSE 'commitments' END; END IF;"
		   " IF NEW.type = 'invoice' AND NEW.number <> 1 + (SELECT coalesce(max(number), 0)"
		   " FROM ledger WHERE type = 'invoice' AND account = NEW.account)"
		   " THEN RAISE 'numbers of invoices have no gaps'; END IF;"
		   " RETURN NEW;"),
	CHECK_ROWS("audit_goes_on", "INSERT", "audit", "dari_add_audit",
		   "IF NEW.seq IS DISTINCT FROM 1 + coalesce((SELECT max(seq) FROM audit),"
		   " (SELECT max(seq) FROM audit_segment), 0)"
		   " THEN RAISE 'the audit log is only added to: this is not its next record'; END IF;"
		   " RETURN NEW;"),
	CHECK_ROWS("audit_is_kept", "DELETE", "audit", "dari_cut_audit",
		   "IF OLD.seq > (SELECT coalesce(max(seq), 0) FROM audit_segment)"
		   " THEN RAISE 'the audit log is only added to: no record is deleted'; END IF;"
		   " RETURN OLD;"),
	CHECK_ROWS("audit_segment_goes_on", "INSERT", "audit_segment", "dari_add_segment",
		   "IF NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq AND digest = NEW.digest)"
		   " THEN RAISE 'the audit log is only added to: this segment ends with no record'; END IF;"
		   " RETURN NEW;"),
	NULL,
};

/* ---- statements ---- */

#define UNNEST_3(a, b, c) "unnest($1::" a "[], $2::" b "[], $3::" c "[]"
/* sql takes an array per letter of types: i bigint, t text, b bytea. */
static const struct {
	const char *sql, *types;
} statements[POSTGRESQL_HISTORY_COUNT] = {
	[POSTGRESQL_ADD_EVENT] =
		{"INSERT INTO event SELECT * FROM " UNNEST_3(
			 "bigint", "bigint",
			 "text") ", $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],"
				 " $10::text[], $11::text[])",
		 "iittttttttt"},
	[POSTGRESQL_ADD_USAGE] = {"INSERT INTO usage SELECT * FROM " UNNEST_3(
					  "text", "bigint", "bigint") ", $4::text[], $5::text[], $6::text[], "
								      "$7::bigint[], $8::text[], $9::text[])",
				  "tiitttitt"},
	[POSTGRESQL_ADD_LEDGER] =
		{"INSERT INTO ledger SELECT * FROM " UNNEST_3(
			 "bigint", "text",
			 "bigint") ", $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],"
				   " $9::text[], $10::text[])",
		 "itiiiitttt"},
	[POSTGRESQL_ADD_AUDIT] =
		{"INSERT INTO audit SELECT * FROM " UNNEST_3(
			 "bigint", "bigint",
			 "bigint") ", $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],"
				   " $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],"
				   " $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],"
				   " $20::text[], $21::text[])",
		 "iiitttttttttttttttttt"},
	/* the last sample of a host's interval in the batch counts */
	[POSTGRESQL_ADD_SERIES] =
		{"INSERT INTO series SELECT DISTINCT ON (host, step_us, from_us) host, step_us,"
		 " from_us, bytes FROM " UNNEST_3(
			 "text", "bigint",
			 "bigint") ", $4::bytea[]) WITH ORDINALITY AS u(host, step_us, from_us, bytes, n)"
				   " ORDER BY host, step_us, from_us, n DESC ON CONFLICT"
				   " (host, step_us, from_us) DO UPDATE SET bytes = excluded.bytes",
		 "tiib"},
	[POSTGRESQL_DROP_SERIES] =
		{"DELETE FROM series AS s USING (SELECT step_us, max(before) AS before FROM"
		 " unnest($1::bigint[], $2::bigint[]) AS u(step_us, before)"
		 " GROUP BY step_us) AS d"
		 " WHERE s.step_us = d.step_us AND s.from_us < d.before",
		 "ii"},
	/* keeps the last event, so that its number is not assigned again */
	[POSTGRESQL_DROP_EVENTS] = {"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at_us <"
				    " (SELECT max(b) FROM unnest($1::bigint[]) AS b)"
				    " AND seq < (SELECT max(seq) FROM event) ORDER BY at_us"
				    " LIMIT (SELECT max(m) FROM unnest($2::bigint[]) AS m))",
				    "ii"},
	[POSTGRESQL_DROP_SURPLUS] = {"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq <="
				     " (SELECT max(b) FROM unnest($1::bigint[]) AS b) ORDER BY seq"
				     " LIMIT (SELECT max(m) FROM unnest($2::bigint[]) AS m))",
				     "ii"},
	[POSTGRESQL_ADD_SEGMENT] =
		{"INSERT INTO audit_segment SELECT * FROM unnest($1::bigint[], $2::text[])", "it"},
	[POSTGRESQL_CUT_AUDIT] =
		{"DELETE FROM audit WHERE seq <= (SELECT max(b) FROM unnest($1::bigint[]) AS b)", "i"},
	[POSTGRESQL_ADD_PAST] = {"INSERT INTO past SELECT * FROM " UNNEST_3(
					 "bigint", "bigint",
					 "text") ", $4::bigint[], $5::bigint[], $6::text[])",
				 "iitiit"},
	/* Reads the first records only, since the log has no index by time. Keeps the last record, which says since when
	 * changes are known. */
	[POSTGRESQL_DROP_PAST] = {"DELETE FROM past WHERE seq IN (SELECT seq FROM"
				  " (SELECT seq, at_us FROM past ORDER BY seq LIMIT (SELECT max(l) FROM "
				  "unnest($3::bigint[]) AS l))"
				  " AS first WHERE seq < (SELECT max(seq) FROM past)"
				  " AND (at_us < (SELECT max(b) FROM unnest($1::bigint[]) AS b)"
				  " OR seq <= (SELECT max(m) FROM unnest($2::bigint[]) AS m)))",
				  "iii"},
	[POSTGRESQL_ADD_CHANGE] = {"INSERT INTO writer_change (batch, kind, id) SELECT * FROM "
				   "unnest($1::bigint[], $2::text[], $3::text[])",
				   "itt"},
};

RESULT postgresql_find_batch(struct postgresql *self, struct ctx *c, enum postgresql_history what,
			     struct postgresql_batch **ret_batch)
{
	*ret_batch = postgresql_batch_of(&self->history[what], statements[what].sql, statements[what].types);
	if (!*ret_batch)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for writing history");
	return fault_fires(FAULT_SQL) ? ctx_fail(c, ERR_IO, "writing history: a fault of a test") : OK;
}

static RESULT add_ints(struct postgresql *self, struct ctx *c, enum postgresql_history what, int64_t first,
		       int64_t second)
{
	struct postgresql_batch *batch = NULL;
	TRY(postgresql_find_batch(self, c, what, &batch));
	postgresql_add_int(batch, 0, first);
	postgresql_add_int(batch, 1, second);
	return postgresql_end_values(self, c, batch);
}

/* ---- events ---- */

static RESULT sweep_events(struct postgresql *self, struct ctx *c, int64_t now_us)
{
	const struct history_limits *limits = &self->driver.limits;
	if (++self->events_added % SWEEP_EVERY != 0)
		return OK;
	if (limits->events_age_us)
		TRY(add_ints(self, c, POSTGRESQL_DROP_EVENTS, now_us - limits->events_age_us, SWEEP_MAX));
	return limits->events_max ? add_ints(self, c, POSTGRESQL_DROP_SURPLUS,
					     self->ends.event_seq - limits->events_max, SWEEP_MAX)
				  : OK;
}

RESULT postgresql_add_event(struct sql_driver *driver, struct ctx *c, const struct event *event)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = NULL;
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_EVENT, &batch));
	postgresql_add_int(batch, 0, ++self->ends.event_seq);
	postgresql_add_int(batch, 1, event->at_us);
	postgresql_add_text(batch, 2, str_from(model_kinds[event->kind].name));
	postgresql_add_uuid(batch, 3, event->id);
	postgresql_add_uuid(batch, 4, event->account);
	postgresql_add_uuid(batch, 5, event->user);
	postgresql_add_text(batch, 6, event->request_id);
	postgresql_add_text(batch, 7, event->action);
	postgresql_add_text(batch, 8, event->what);
	postgresql_add_text(batch, 9, event->sentence);
	postgresql_add_text(batch, 10, event->arguments);
	TRY(postgresql_end_values(self, c, batch));
	return sweep_events(self, c, event->at_us);
}

static RESULT drop_past(struct postgresql *self, struct ctx *c, int64_t before_us, int64_t to_seq,
			int64_t max)
{
	struct postgresql_batch *batch = NULL;
	TRY(postgresql_find_batch(self, c, POSTGRESQL_DROP_PAST, &batch));
	postgresql_add_int(batch, 0, before_us);
	postgresql_add_int(batch, 1, to_seq);
	postgresql_add_int(batch, 2, max);
	return postgresql_end_values(self, c, batch);
}

RESULT postgresql_prune_events(struct sql_driver *driver, struct ctx *c, int64_t before_us)
{
	TRY(drop_past(postgresql_of(driver), c, before_us, 0, PRUNE_PIECE));
	return add_ints(postgresql_of(driver), c, POSTGRESQL_DROP_EVENTS, before_us, PRUNE_PIECE);
}

/* ---- former states ---- */

RESULT postgresql_add_past(struct sql_driver *driver, struct ctx *c, const struct past *past)
{
	struct postgresql *self = postgresql_of(driver);
	const struct history_limits *limits = &self->driver.limits;
	struct past_id id = past_split_id(past->id);
	struct postgresql_batch *batch = NULL;
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_PAST, &batch));
	postgresql_add_int(batch, 0, self->ends.past_seq += past_count(past->was));
	postgresql_add_int(batch, 1, past->at_us);
	postgresql_add_text(batch, 2, str_from(model_kinds[past->kind].name));
	postgresql_add_int(batch, 3, id.high);
	postgresql_add_int(batch, 4, id.low);
	postgresql_add_text(batch, 5, past->was);
	TRY(postgresql_end_values(self, c, batch));
	if (++self->past_added % SWEEP_EVERY != 0 || (!limits->events_age_us && !limits->events_max))
		return OK;
	return drop_past(self, c, limits->events_age_us ? past->at_us - limits->events_age_us : INT64_MIN,
			 limits->events_max ? self->ends.past_seq - limits->events_max : 0, SWEEP_MAX);
}

/* ---- usage and ledger ---- */

RESULT postgresql_add_usage(struct sql_driver *driver, struct ctx *c, const struct usage *usage,
			    const struct ledger_record *subject)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = NULL;
	if (usage->at_us < self->ends.usage_us)
		return ctx_fail(c, ERR_IO,
				"the usage log goes on: no record is earlier than those before it");
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_USAGE, &batch));
	postgresql_add_uuid(batch, 0, usage->account);
	postgresql_add_int(batch, 1, ++self->ends.usage_seq);
	postgresql_add_int(batch, 2, self->ends.usage_us = usage->at_us);
	postgresql_add_text(batch, 3,
			    usage->kind == KIND_NONE ? STR_NONE : str_from(model_kinds[usage->kind].name));
	postgresql_add_uuid(batch, 4, usage->id);
	postgresql_add_text(batch, 5, usage->meter);
	postgresql_add_int(batch, 6, usage->level);
	if (subject) {
		postgresql_add_text(batch, 7, subject->name);
		postgresql_add_text(batch, 8, subject->text);
	} else {
		postgresql_add_null(batch, 7);
		postgresql_add_null(batch, 8);
	}
	return postgresql_end_values(self, c, batch);
}

RESULT postgresql_add_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_record *r)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = NULL;
	if (r->type == LEDGER_SUBJECT) { /* a usage record without a meter */
		const struct usage none = {.at_us = r->at_us, .id = r->id, .account = r->account};
		return postgresql_add_usage(driver, c, &none, r);
	}
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_LEDGER, &batch));
	self->ends.ledger_us = r->at_us;
	postgresql_add_int(batch, 0, ++self->ends.ledger_seq);
	postgresql_add_text(batch, 1, str_from(sql_ledger_words[r->type]));
	postgresql_add_int(batch, 2, r->at_us);
	postgresql_add_int(batch, 3, r->from_us);
	postgresql_add_int(batch, 4, r->number);
	postgresql_add_int(batch, 5, r->level);
	postgresql_add_uuid(batch, 6, r->id);
	postgresql_add_uuid(batch, 7, r->account);
	postgresql_add_text(batch, 8, r->name);
	postgresql_add_text(batch, 9, r->text);
	return postgresql_end_values(self, c, batch);
}

/* ---- the audit log ---- */

static RESULT write_hex(struct postgresql *self, struct ctx *c, const uint8_t digest[static SHA256_SIZE],
			struct postgresql_batch *batch, unsigned column)
{
	struct str hex = str_encode_hex(self->scratch, digest, SHA256_SIZE);
	if (!hex.p)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for an audit record's digest");
	postgresql_add_bytes(batch, column, hex);
	arena_reset(self->scratch);
	return OK;
}

RESULT postgresql_add_audit(struct sql_driver *driver, struct ctx *c, const struct audit_record *audit)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = NULL;
	struct audit_record next = *audit;
	next.seq = self->ends.audit_seq + 1;
	if (!audit_digest(&next, self->ends.audit_digest, next.digest))
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for an audit record's digest");
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_AUDIT, &batch));
	postgresql_add_int(batch, 0, next.seq);
	postgresql_add_int(batch, 1, next.at_us);
	postgresql_add_int(batch, 2, next.count);
	for (unsigned n = 0; n < AUDIT_TEXT_COUNT; n++)
		postgresql_add_text(batch, 3 + n, next.texts[n]);
	TRY(write_hex(self, c, next.digest, batch, 3 + AUDIT_TEXT_COUNT));
	self->ends.audit_seq = next.seq;
	memcpy(self->ends.audit_digest, next.digest, SHA256_SIZE);
	return postgresql_end_values(self, c, batch);
}

RESULT postgresql_cut_audit(struct sql_driver *driver, struct ctx *c, const struct audit_segment *segment)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *seal = NULL, *cut = NULL;
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_SEGMENT, &seal));
	TRY(postgresql_find_batch(self, c, POSTGRESQL_CUT_AUDIT, &cut));
	postgresql_add_int(seal, 0, segment->seq);
	TRY(write_hex(self, c, segment->digest, seal, 1));
	postgresql_add_int(cut, 0, segment->seq);
	TRY(postgresql_end_values(self, c, seal));
	return postgresql_end_values(self, c, cut);
}

/* ---- series ---- */

RESULT postgresql_add_series(struct sql_driver *driver, struct ctx *c, const struct series *s)
{
	struct postgresql *self = postgresql_of(driver);
	struct postgresql_batch *batch = NULL;
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_SERIES, &batch));
	postgresql_add_uuid(batch, 0, s->host);
	postgresql_add_int(batch, 1, s->step_us);
	postgresql_add_int(batch, 2, s->from_us);
	postgresql_add_bytes(batch, 3, s->bytes);
	TRY(postgresql_end_values(self, c, batch));
	return add_ints(self, c, POSTGRESQL_DROP_SERIES, s->step_us, s->from_us - s->keep_us);
}

/* ---- the ends ---- */

/* The latest usage record: as many steps as accounts, independent of the log's length. */
static const char ends_sql[] =
	"WITH RECURSIVE last (account) AS (SELECT min(account) FROM usage UNION ALL"
	" SELECT (SELECT min(account) FROM usage WHERE account > last.account) FROM last"
	" WHERE account IS NOT NULL),"
	" ends (seq, at_us) AS (SELECT max(u.seq), max(u.at_us) FROM last JOIN usage AS u"
	" ON u.account = last.account AND u.seq = (SELECT max(seq) FROM usage WHERE account = last.account))"
	" SELECT coalesce((SELECT max(seq) FROM event), 0), coalesce((SELECT max(seq) FROM ledger), 0),"
	" coalesce((SELECT at_us FROM ledger ORDER BY seq DESC LIMIT 1), 0),"
	" coalesce((SELECT seq FROM ends), 0), coalesce((SELECT at_us FROM ends), 0),"
	" coalesce((SELECT max(seq) FROM past), 0)";
static const char tail_sql[] = "SELECT seq, digest FROM audit UNION ALL SELECT seq, digest FROM audit_segment"
			       " ORDER BY seq DESC LIMIT 1";

RESULT postgresql_find_ends(struct postgresql *self, struct ctx *c)
{
	AUTO_PGRESULT row = NULL;
	AUTO_PGRESULT tail = NULL;
	TRY(postgresql_ask(self, c, self->db, ends_sql, 0, NULL, &row));
	TRY(postgresql_ask(self, c, self->db, tail_sql, 0, NULL, &tail));
	self->ends = (struct postgresql_ends){.event_seq = postgresql_int(row, 0),
					      .ledger_seq = postgresql_int(row, 1),
					      .ledger_us = postgresql_int(row, 2),
					      .usage_seq = postgresql_int(row, 3),
					      .usage_us = postgresql_int(row, 4),
					      .past_seq = postgresql_int(row, 5)};
	if (!PQntuples(tail))
		return OK;
	self->ends.audit_seq = postgresql_int(tail, 0);
	if (result_is_ok(str_decode_hex(postgresql_bytes(tail, 1), self->ends.audit_digest, SHA256_SIZE)))
		return OK;
	return ctx_fail(c, ERR_STATE,
			"the database %s is damaged: an audit record's digest is \"%" STR_FMT "\"",
			self->name, STR_ARG(str_slice(postgresql_bytes(tail, 1), 0, 80)));
}
