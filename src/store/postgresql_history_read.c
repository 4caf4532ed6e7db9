/* SPDX-License-Identifier: Apache-2.0
 * Reads history from PostgreSQL through the reading connection, row by row. */
#include <inttypes.h>

#include "store/postgresql_internal.h"

/* A reading: where rows go, and the arena of their decoded texts. */
struct reading {
	struct postgresql *self;
	struct ctx *c;
	union {
		sql_each_event event;
		sql_each_usage usage;
		sql_each_ledger ledger;
		sql_each_series series;
		sql_each_past past;
		audit_each audit;
	} each;
	void *arg;
	struct arena *arena;
	enum ledger_type type;
	const struct series_query *series;
};

static struct str text_of(struct reading *r, const PGresult *row, int column)
{
	return postgresql_decode(r->arena, postgresql_bytes(row, column));
}

/* Texts in another form than UTF-8 are decoded into an arena, which is emptied after each row. */
static RESULT read_all(struct reading *r, const char *sql, int count, const char *const params[],
		       postgresql_each each)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!arena)
		return ctx_no_memory(r->c);
	r->arena = arena;
	return postgresql_read(r->self, r->c, sql, count, params, each, r);
}

#define NUMBER(name, value)                                                                                  \
	char name[24];                                                                                       \
	(void) snprintf(name, sizeof name, "%" PRId64, (int64_t) (value))

static const char *write_id(uuid id, char text[static UUID_TEXT_SIZE])
{
	return uuid_is_none(id) ? "" : uuid_write(id, text);
}

RESULT postgresql_read_last_stamp(struct sql_driver *driver, struct ctx *c, int64_t *ret_us)
{
	const struct postgresql_ends *ends = &postgresql_of(driver)->ends;
	(void) c;
	*ret_us = ends->ledger_us > ends->usage_us ? ends->ledger_us : ends->usage_us;
	return OK;
}

/* ---- events ---- */

/* Each ORDER BY matches an index. Every statement mentions every parameter. */
#define EVENTS_ORDERED(place, order)                                                                         \
	"SELECT seq, at_us, kind, id, account, \"user\", request_id, action, what, text, arguments FROM "    \
	"event"                                                                                              \
	" WHERE " place " AND $1::text IS NOT NULL AND at_us >= $2::bigint AND at_us <= $3::bigint"          \
	" AND (at_us < $3::bigint OR seq < $6::bigint)"                                                      \
	" AND ($5::text IS NULL OR strpos($5::text, ' ' || kind || ' ') > 0)"                                \
	" ORDER BY " order " LIMIT $4::bigint"
#define EVENTS_WHERE(place) EVENTS_ORDERED(place, "at_us DESC, seq DESC")

static RESULT take_event(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	const struct event event = {.seq = postgresql_int(row, 0),
				    .at_us = postgresql_int(row, 1),
				    .kind = sql_kind_of_name(postgresql_bytes(row, 2)),
				    .id = postgresql_uuid(row, 3),
				    .account = postgresql_uuid(row, 4),
				    .user = postgresql_uuid(row, 5),
				    .request_id = text_of(r, row, 6),
				    .action = text_of(r, row, 7),
				    .what = text_of(r, row, 8),
				    .sentence = text_of(r, row, 9),
				    .arguments = text_of(r, row, 10)};
	struct result result = r->each.event(r->arg, &event);
	arena_reset(r->arena);
	return result;
}

RESULT postgresql_read_events(struct sql_driver *driver, struct ctx *c, const struct event_query *query,
			      sql_each_event each, void *arg)
{
	struct reading r = {.self = postgresql_of(driver), .c = c, .each.event = each, .arg = arg};
	char id[UUID_TEXT_SIZE] = "";
	NUMBER(seq, query->seq ? query->seq : query->after_seq);
	NUMBER(from, query->from_us);
	NUMBER(before, query->before_us ? query->before_us : INT64_MAX);
	NUMBER(max, query->max > INT64_MAX ? INT64_MAX : query->max);
	NUMBER(before_seq, query->before_seq);
	const char *params[] = {seq, from, before, max, NULL, before_seq};
	const char *sql = EVENTS_WHERE("TRUE");
	if (query->kinds.n)
		params[4] = str_to_z(c->arena, query->kinds);
	if (query->seq) {
		sql = EVENTS_WHERE("seq = $1::text::bigint");
	} else if (query->after_seq) {
		sql = EVENTS_ORDERED("seq > $1::text::bigint", "seq");
	} else if (!uuid_is_none(query->id)) {
		params[0] = uuid_write(query->id, id);
		sql = EVENTS_WHERE("id = $1::text");
	} else if (!uuid_is_none(query->account)) {
		params[0] = uuid_write(query->account, id);
		sql = EVENTS_WHERE("account = $1::text");
	}
	return read_all(&r, sql, 6, params, take_event);
}

/* ---- former states ---- */

static RESULT take_past(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	const struct past_id id = {postgresql_int(row, 3), postgresql_int(row, 4)};
	const struct past past = {.seq = postgresql_int(row, 0),
				  .at_us = postgresql_int(row, 1),
				  .kind = sql_kind_of_name(postgresql_bytes(row, 2)),
				  .id = past_join_id(id),
				  .was = text_of(r, row, 5)};
	struct result result = r->each.past(r->arg, &past);
	arena_reset(r->arena);
	return result;
}

static RESULT take_reach(void *arg, const PGresult *row)
{
	*(int64_t *) ((struct reading *) arg)->arg = postgresql_int(row, 0);
	return OK;
}

RESULT postgresql_read_past(struct sql_driver *driver, struct ctx *c, const struct past_query *query,
			    sql_each_past each, void *arg, int64_t *ret_reach_us)
{
	struct reading r = {.self = postgresql_of(driver), .c = c, .each.past = each, .arg = arg};
	struct reading first = {.self = r.self, .c = c, .arg = ret_reach_us};
	struct past_id least = {0}, most = {0};
	bool is_any = past_find_ids(query->id, &least, &most);
	NUMBER(high_least, least.high);
	NUMBER(high_most, most.high);
	NUMBER(low_least, least.low);
	NUMBER(low_most, most.low);
	NUMBER(after, query->after_us);
	NUMBER(max, query->max);
	const char *params[] = {high_least, high_most, low_least, low_most, after, max};
	if (is_any)
		TRY(read_all(
			&r,
			"SELECT seq, at_us, kind, high, low, was FROM past WHERE high BETWEEN $1::bigint"
			" AND $2::bigint AND low BETWEEN $3::bigint AND $4::bigint AND at_us > $5::bigint"
			" AND kind <> '' ORDER BY seq DESC LIMIT $6::bigint",
			6, params, take_past));
	return read_all(&first, "SELECT at_us FROM past ORDER BY seq LIMIT 1", 0, NULL, take_reach);
}

/* ---- usage ---- */

#define USAGE_WHERE(place, order)                                                                            \
	"SELECT seq, at_us, kind, id, account, meter, level FROM usage WHERE at_us < $2::bigint"             \
	" AND meter <> '' AND $1::text IS NOT NULL AND $3::text IS NOT NULL AND $4::text IS NOT NULL" place  \
	" ORDER BY " order

static RESULT take_usage(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	const struct usage usage = {.seq = postgresql_int(row, 0),
				    .at_us = postgresql_int(row, 1),
				    .kind = sql_kind_of_name(postgresql_bytes(row, 2)),
				    .id = postgresql_uuid(row, 3),
				    .account = postgresql_uuid(row, 4),
				    .meter = text_of(r, row, 5),
				    .level = postgresql_int(row, 6)};
	struct result result = r->each.usage(r->arg, &usage);
	arena_reset(r->arena);
	return result;
}

RESULT postgresql_read_usage(struct sql_driver *driver, struct ctx *c, const struct usage_query *query,
			     sql_each_usage each, void *arg)
{
	struct reading r = {.self = postgresql_of(driver), .c = c, .each.usage = each, .arg = arg};
	char account[UUID_TEXT_SIZE] = "";
	NUMBER(before, query->before_us);
	const char *const params[] = {write_id(query->account, account), before,
				      query->kind == KIND_NONE ? "" : model_kinds[query->kind].name,
				      str_to_z(c->arena, query->meter)};
	const char *sql = USAGE_WHERE(" AND account = $1::text", "id, meter, seq");
	if (query->is_software)
		sql = USAGE_WHERE(" AND meter >= 'software:' AND meter < 'software;'", "at_us, seq");
	else if (uuid_is_none(query->account))
		sql = USAGE_WHERE("", "account, id, meter, seq");
	else if (query->kind != KIND_NONE)
		sql = USAGE_WHERE(
			" AND account = $1::text AND kind = $3::text AND starts_with(meter, $4::text)",
			"id, seq");
	return read_all(&r, sql, 4, params, take_usage);
}

/* ---- the ledger ---- */

static RESULT take_ledger(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	const struct ledger_record record = {.type = r->type,
					     .seq = postgresql_int(row, 0),
					     .at_us = postgresql_int(row, 1),
					     .from_us = postgresql_int(row, 2),
					     .number = postgresql_int(row, 3),
					     .level = postgresql_int(row, 4),
					     .id = postgresql_uuid(row, 5),
					     .account = postgresql_uuid(row, 6),
					     .name = text_of(r, row, 7),
					     .text = text_of(r, row, 8)};
	struct result result = r->each.ledger(r->arg, &record);
	arena_reset(r->arena);
	return result;
}

RESULT postgresql_read_ledger(struct sql_driver *driver, struct ctx *c, const struct ledger_query *query,
			      sql_each_ledger each, void *arg)
{
	struct reading r = {
		.self = postgresql_of(driver), .c = c, .each.ledger = each, .arg = arg, .type = query->type};
	char id[UUID_TEXT_SIZE] = "";
	NUMBER(from, query->from_us);
	const char *const of_subject[] = {write_id(query->id, id)};
	if (query->type == LEDGER_SUBJECT)
		return read_all(&r,
				"SELECT seq, at_us, 0::bigint, 0::bigint, 0::bigint, id, account, name, text"
				" FROM usage WHERE text IS NOT NULL AND ($1::text = '' OR id = $1::text)"
				" ORDER BY id, seq",
				1, of_subject, take_ledger);
	const char *const params[] = {sql_ledger_words[query->type],
				      query->from_us == LEDGER_ANY_TIME ? NULL : from, of_subject[0]};
	return read_all(&r,
			"SELECT seq, at_us, from_us, number, level, id, account, name, text FROM ledger"
			" WHERE type = $1::text AND ($2::bigint IS NULL OR from_us = $2::bigint)"
			" AND ($3::text = '' OR id = $3::text) ORDER BY id, seq",
			3, params, take_ledger);
}

/* ---- the audit log ---- */

static RESULT take_audit(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	struct audit_record audit = {.seq = postgresql_int(row, 0),
				     .at_us = postgresql_int(row, 1),
				     .count = postgresql_int(row, 2)};
	for (int n = 0; n < AUDIT_TEXT_COUNT; n++)
		audit.texts[n] = text_of(r, row, 3 + n);
	struct str hex = postgresql_bytes(row, 3 + AUDIT_TEXT_COUNT);
	if (!result_is_ok(str_decode_hex(hex, audit.digest, SHA256_SIZE)))
		return ctx_fail(r->c, ERR_STATE,
				"the database %s is damaged: an audit record's digest is \"%" STR_FMT "\"",
				r->self->name, STR_ARG(str_slice(hex, 0, 80)));
	struct result result = r->each.audit(r->arg, &audit);
	arena_reset(r->arena);
	return result;
}

/* $1 in the SQL is the record's number, $2 the maximum. */
static RESULT read_records(struct sql_driver *driver, struct ctx *c, const char *sql, int64_t place,
			   size_t max, audit_each each, void *arg)
{
	struct reading r = {.self = postgresql_of(driver), .c = c, .each.audit = each, .arg = arg};
	NUMBER(from, place);
	NUMBER(most, max > INT32_MAX ? INT32_MAX : max);
	const char *const params[] = {from, most};
	return read_all(&r, sql, 2, params, take_audit);
}

RESULT postgresql_read_audit(struct sql_driver *driver, struct ctx *c, int64_t after, size_t max,
			     audit_each each, void *arg)
{
	return read_records(driver, c,
			    "SELECT * FROM audit WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint", after,
			    max, each, arg);
}

RESULT postgresql_read_audit_back(struct sql_driver *driver, struct ctx *c, int64_t before, size_t max,
				  audit_each each, void *arg)
{
	return read_records(driver, c,
			    "SELECT * FROM audit WHERE seq < $1::bigint ORDER BY seq DESC LIMIT $2::bigint",
			    before, max, each, arg);
}

static RESULT take_segment(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	struct audit_segment *segment = r->arg;
	segment->seq = postgresql_int(row, 0);
	return str_decode_hex(postgresql_bytes(row, 1), segment->digest, SHA256_SIZE);
}

RESULT postgresql_read_segment(struct sql_driver *driver, struct ctx *c, struct audit_segment *ret_segment)
{
	struct reading r = {.self = postgresql_of(driver), .c = c, .arg = ret_segment};
	*ret_segment = (struct audit_segment){0};
	return read_all(&r, "SELECT seq, digest FROM audit_segment ORDER BY seq DESC LIMIT 1", 0, NULL,
			take_segment);
}

/* ---- series ---- */

static RESULT take_series(void *arg, const PGresult *row)
{
	struct reading *r = arg;
	const struct series series = {.host = r->series->host,
				      .step_us = r->series->step_us,
				      .from_us = postgresql_int(row, 0),
				      .bytes = postgresql_bytes(row, 1)};
	return r->each.series(r->arg, &series);
}

RESULT postgresql_read_series(struct sql_driver *driver, struct ctx *c, const struct series_query *query,
			      sql_each_series each, void *arg)
{
	struct reading r = {
		.self = postgresql_of(driver), .c = c, .each.series = each, .arg = arg, .series = query};
	char host[UUID_TEXT_SIZE] = "";
	NUMBER(step, query->step_us);
	NUMBER(from, query->from_us);
	NUMBER(before, query->before_us);
	const char *const params[] = {write_id(query->host, host), step, from, before};
	return read_all(&r,
			"SELECT from_us, bytes FROM series WHERE host = $1::text AND step_us = $2::bigint"
			" AND from_us >= $3::bigint AND from_us < $4::bigint ORDER BY from_us",
			4, params, take_series);
}
