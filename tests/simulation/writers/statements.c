/* SPDX-License-Identifier: Apache-2.0
 * The statements of src/store. Those of the lease and of the fence are read for the product's guards: a condition that is not in
 * the text is not checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "database_internal.h"
#include "fiber.h"
#include "history.h"
#include "libpq.h"
#include "model/migration.h"
#include "model/row.h"
#include "store/lease.h"

static bool fence_checks_epoch, fence_checks_batch;
static int64_t takes;

/* ---- statements ---- */

static enum outcome fail(struct session *s, const char *state, const char *words)
{
	if (s->queue.requests[0]->is_commit && strcmp(state, "DR001") == 0)
		history_commit(s->process, s->queue.requests[0], false);
	bool was_in_transaction = s->is_in_transaction;
	session_end_transaction(s);
	s->is_in_transaction = s->is_failed = was_in_transaction;
	session_answer(s, result_error(state, words));
	s->skips = true;
	return NEXT;
}

static void check_waiting(void *arg)
{
	struct session *s = arg;
	if (s->waits_since_us && !s->is_ended)
		session_run(s);
}

static enum outcome wait_for_lock(struct session *s)
{
	int64_t now_us = sim_now_us();
	if (!s->waits_since_us) {
		s->waits_since_us = now_us;
		event_at(now_us + (s->lock_max_us ? s->lock_max_us : 2 * SECOND), check_waiting, s);
	} else if (s->lock_max_us && now_us >= s->waits_since_us + s->lock_max_us) {
		s->waits_since_us = 0;
		return fail(s, "55P03", "canceling statement due to lock timeout");
	} else if (!s->client &&
		   now_us >= s->waits_since_us + 2 * SECOND) { /* client_connection_check_interval */
		session_end(s);
		return WAITS;
	}
	if (!s->client)
		event_at(now_us + 2 * SECOND, check_waiting, s);
	return WAITS;
}

static void add_lease(PGresult *result, const struct heads *t, const char *sql)
{
	int64_t now_us = database_clock_us(), expires_us = t->lease.expires_us;
	bool is_finite = expires_us != INT64_MIN;
	int64_t expired_ms = is_finite ? (now_us - expires_us) / MILLISECOND : 1000000000;
	int64_t left_us = is_finite ? expires_us - now_us : 0;
	int64_t over_us = (LEASE_TTL_MS + LEASE_MARGIN_MS) * MILLISECOND;
	bool counts_from_now =
		strstr(sql, "greatest(expires, clock_timestamp())") && left_out != WITHOUT_FULL_WAIT;
	bool waits = is_finite || (!strstr(sql, "ELSE 0 END") && left_out != WITHOUT_HANDED);
	if (counts_from_now && left_us < 0)
		left_us = 0;
	answer_add_text(result, t->lease.holder);
	answer_add_text(result, t->lease.address);
	if (left_out == WITHOUT_EXPIRY && is_finite)
		expired_ms = 1;
	answer_add_int(result, expired_ms);
	answer_add_int(result, waits && over_us + left_us > 0 ? over_us + left_us : 0);
}

static int64_t int_of(struct bytes text)
{
	return strtoll(text.p, NULL, 10);
}

static void copy_text(char *to, struct bytes text)
{
	(void) snprintf(to, HOLDER_MAX, "%.*s", text.n, text.p);
}

static enum outcome run_fence(struct session *s, const struct statement *st)
{
	if (!session_lock(s, LOCK_FENCE))
		return wait_for_lock(s);
	bool has_epoch = s->own.fence.epoch == int_of(st->params[0]) || !fence_checks_epoch;
	bool has_batch = (int64_t) s->own.fence.batch == int_of(st->params[1]) || !fence_checks_batch;
	if (!has_epoch || !has_batch)
		return fail(s, "DR001", "this process is no longer the writer");
	s->own.fence.epoch = fence_checks_epoch ? s->own.fence.epoch : int_of(st->params[0]);
	s->own.fence.batch = (uint64_t) int_of(st->params[2]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	answer_add_text(result, "");
	session_answer(s, result);
	return NEXT;
}

static enum outcome read_fence(struct session *s, bool with_lock)
{
	if (with_lock && !session_lock(s, LOCK_FENCE))
		return wait_for_lock(s);
	const struct heads *t = s->holds[LOCK_FENCE] ? &s->own : &session_sees(s)->heads;
	PGresult *result = result_new(PGRES_TUPLES_OK);
	bool is_hidden = left_out == WITHOUT_LOADED && !with_lock && !process_is_open(s->process) &&
			 model[s->process].epoch;
	answer_add_int(result, is_hidden ? model[s->process].epoch : t->fence.epoch);
	answer_add_int(result, (int64_t) t->fence.batch);
	session_answer(s, result);
	history_read_fence(s->process, with_lock, t->fence.epoch, t->fence.batch);
	return NEXT;
}

static enum outcome take_fence(struct session *s, const struct statement *st)
{
	if (!session_lock(s, LOCK_FENCE))
		return wait_for_lock(s);
	bool is_drawn = strstr(st->sql, "random()") && left_out != WITHOUT_UNIQUE;
	int64_t clock = database_clock_us() / (strstr(st->sql, "* 1000000)") ? 1 : MILLISECOND);
	int64_t next = s->own.fence.epoch + 1 + (is_drawn ? (int64_t) random_below(1000000) : 0);
	if (left_out != WITHOUT_RAISE || !s->own.fence.epoch)
		s->own.fence.epoch = next > clock ? next : clock;
	copy_text(s->own.fence.holder, st->params[0]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	answer_add_int(result, s->own.fence.epoch);
	answer_add_int(result, (int64_t) s->own.fence.batch);
	session_answer(s, result);
	return NEXT;
}

/* A statement on the lease's row. Outside of a transaction it commits by itself. */
static enum outcome change_lease(struct session *s, const struct statement *st, bool checks_epoch,
				 int64_t expires_us)
{
	bool is_alone = !s->is_in_transaction;
	if (!session_lock(s, LOCK_LEASE))
		return wait_for_lock(s);
	bool is_own = !checks_epoch || s->own.lease.epoch == int_of(st->params[0]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	if (is_own) {
		s->own.lease.expires_us = expires_us;
		answer_add_int(result, 1);
	}
	if (is_alone) {
		history_renew(s->process, is_own, expires_us == INT64_MIN);
		if (is_own)
			database_keep_state();
		database_state.heads.lease = s->own.lease;
		session_end_transaction(s);
	} else if (is_own) {
		s->takes = true;
		model[s->process].epoch = s->own.fence.epoch;
		model[s->process].take = ++takes;
		s->taking = steps_reserve(STEP_TAKE, s->process, 0);
	}
	session_answer(s, result);
	return NEXT;
}

static enum outcome name_lease(struct session *s, const struct statement *st)
{
	if (!session_lock(s, LOCK_LEASE))
		return wait_for_lock(s);
	s->own.lease.epoch = int_of(st->params[0]);
	copy_text(s->own.lease.holder, st->params[1]);
	copy_text(s->own.lease.address, st->params[2]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	answer_add_int(result, 1);
	session_answer(s, result);
	return NEXT;
}

static enum outcome read_lease(struct session *s, const char *sql)
{
	bool with_lock = strstr(sql, "FOR UPDATE"), with_fence = strstr(sql, "writer.epoch");
	if (with_lock && !session_lock(s, LOCK_LEASE))
		return wait_for_lock(s);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	const struct heads *t = with_lock ? &s->own : &session_sees(s)->heads;
	add_lease(result, t, sql);
	if (with_fence) {
		answer_add_int(result, t->fence.epoch);
		answer_add_int(result, (int64_t) t->fence.batch);
	}
	session_answer(s, result);
	return NEXT;
}

static void prune(struct session *s)
{
	size_t kept = 0;
	for (size_t k = 0; k < database_state.note_count; k++) {
		if (database_state.notes[k].at_us < database_clock_us() - 10 * MINUTE) {
			if (database_state.notes[k].batch > database_state.heads.lease.pruned)
				database_state.heads.lease.pruned = database_state.notes[k].batch;
		} else {
			database_state.notes[kept++] = database_state.notes[k];
		}
	}
	database_state.note_count = kept;
	PGresult *result = result_new(PGRES_TUPLES_OK);
	answer_add_int(result, 1);
	session_answer(s, result);
}

static int compare_notes(const void *a, const void *b)
{
	const struct note *x = a, *y = b;
	int order = strcmp(x->kind.p, y->kind.p);
	return order ? order : strcmp(x->id.p, y->id.p);
}

static void read_notes(struct session *s, uint64_t since)
{
	const struct state *t = session_sees(s);
	struct note *found = database_grab(NOTES_MAX * sizeof *found);
	size_t count = 0;
	for (size_t k = 0; k < t->note_count; k++)
		if (t->notes[k].batch > since)
			found[count++] = t->notes[k];
	qsort(found, count, sizeof *found, compare_notes);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	for (size_t k = 0; k < count; k++)
		if (k == 0 || compare_notes(&found[k - 1], &found[k]) != 0)
			result_add_row(result, (const struct bytes[]){found[k].kind, found[k].id}, 2);
	free(found);
	session_answer(s, result);
}

/* ---- rows ---- */

struct buffer {
	char *p;
	int n, size;
};

static void put(struct buffer *b, const void *p, int n)
{
	while (b->n + n > b->size) {
		b->size = b->size ? 2 * b->size : 256;
		b->p = realloc(b->p, (size_t) b->size);
		if (!b->p)
			abort();
	}
	if (n)
		memcpy(b->p + b->n, p, (size_t) n);
	b->n += n;
}

static void put_int(struct buffer *b, uint32_t value, int size)
{
	for (int k = size - 1; k >= 0; k--) {
		char byte = (char) (value >> (8 * k));
		put(b, &byte, 1);
	}
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp((*(const struct stored *const *) a)->id.p, (*(const struct stored *const *) b)->id.p);
}

/* The name between the first pair of quotation marks behind `behind`. */
static const char *table_of(const char *sql, const char *behind)
{
	const char *from = strstr(sql, behind) + strlen(behind);
	size_t n = strcspn(from, "\" (");
	char *name = database_grab(n + 1);
	memcpy(name, from, n);
	return name;
}

static void copy_out(struct session *s, const char *sql)
{
	const struct state *t = session_sees(s);
	const char *table = table_of(sql, " FROM \""), *where = strstr(sql, " WHERE id IN (");
	const struct stored *found[ROWS_MAX];
	size_t count = 0;
	for (size_t k = 0; k < t->row_count && !(left_out == WITHOUT_LOAD && !where); k++)
		if (strcmp(t->rows[k].table, table) == 0 && (!where || strstr(where, t->rows[k].id.p)))
			found[count++] = &t->rows[k];
	qsort(found, count, sizeof *found, compare_rows);
	struct buffer b = {0};
	put(&b, "PGCOPY\n\377\r\n", 11);
	put_int(&b, 0, 4);
	put_int(&b, 0, 4);
	for (size_t k = 0; k < count; k++) {
		put_int(&b, (uint32_t) found[k]->count, 2);
		for (int n = 0; n < found[k]->count; n++) {
			put_int(&b, (uint32_t) found[k]->cells[n].n, 4);
			put(&b, found[k]->cells[n].p, found[k]->cells[n].n);
		}
	}
	put_int(&b, UINT16_MAX, 2);
	session_answer(s, result_new(PGRES_COPY_OUT));
	session_add_item(s, (struct item){.type = ITEM_COPY, .copy = {b.p, b.n}});
	session_answer(s, result_new(PGRES_COMMAND_OK));
}

enum { ARRAY_HEAD = 20, ARRAY_COUNT_AT = 12 };

static int32_t int_at(const char *p)
{
	const unsigned char *u = (const unsigned char *) p;
	return (int32_t) ((uint32_t) u[0] << 24 | (uint32_t) u[1] << 16 | (uint32_t) u[2] << 8 | u[3]);
}

/* Takes an array of PostgreSQL's binary form apart. */
static int elements(struct bytes array, struct bytes *ret_elements, int max)
{
	int count = int_at(array.p + ARRAY_COUNT_AT), at = ARRAY_HEAD;
	if (count > max)
		blame("a batch of %d rows is too large for the simulated database", count);
	for (int k = 0; k < count; k++) {
		int n = int_at(array.p + at);
		at += 4;
		char *copy = database_grab((size_t) (n > 0 ? n : 0) + 1);
		memcpy(copy, array.p + at, (size_t) (n > 0 ? n : 0));
		ret_elements[k] = n < 0 ? (struct bytes){0} : (struct bytes){copy, n};
		at += n > 0 ? n : 0;
	}
	return count;
}

static void add_write(struct session *s, struct write write)
{
	struct write *w = database_grab(sizeof *w);
	*w = write;
	*s->writes_end = w;
	s->writes_end = &w->next;
}

enum { BATCH_MAX = 64 };

static void put_rows(struct session *s, const char *table, const struct statement *st)
{
	struct bytes column[BATCH_MAX];
	struct bytes *cells[BATCH_MAX];
	int count = int_at(st->params[0].p + ARRAY_COUNT_AT);
	for (int k = 0; k < count && k < BATCH_MAX; k++)
		cells[k] = database_grab((size_t) st->count * sizeof *cells[k]);
	for (int n = 0; n < st->count; n++) {
		(void) elements(st->params[n], column, BATCH_MAX);
		for (int k = 0; k < count; k++)
			cells[k][n] = column[k];
	}
	for (int k = 0; k < count; k++)
		add_write(s, (struct write){.row = {table, cells[k][0], cells[k], st->count}});
}

static void drop_rows(struct session *s, const char *table, const struct statement *st)
{
	struct bytes ids[BATCH_MAX];
	int count = elements(st->params[0], ids, BATCH_MAX);
	for (int k = 0; k < count; k++)
		add_write(s, (struct write){.removes = true, .row = {.table = table, .id = ids[k]}});
}

static int64_t long_of(struct bytes b)
{
	uint64_t value = 0;
	for (int k = 0; k < b.n; k++)
		value = value << 8 | (unsigned char) b.p[k];
	return (int64_t) value;
}

static void put_notes(struct session *s, const struct statement *st)
{
	struct bytes batches[BATCH_MAX], kinds[BATCH_MAX], ids[BATCH_MAX];
	int count = elements(st->params[0], batches, BATCH_MAX);
	(void) elements(st->params[1], kinds, BATCH_MAX);
	(void) elements(st->params[2], ids, BATCH_MAX);
	for (int k = 0; k < count && s->note_count < 64; k++)
		s->notes[s->note_count++] =
			(struct note){(uint64_t) long_of(batches[k]), kinds[k], ids[k], database_clock_us()};
}

static void put_past(struct session *s, const struct statement *st)
{
	struct bytes numbers[BATCH_MAX];
	int count = elements(st->params[0], numbers, BATCH_MAX);
	for (int k = 0; k < count; k++)
		if (long_of(numbers[k]) > s->past_seq)
			s->past_seq = long_of(numbers[k]);
}

static bool begins(const char *sql, const char *with)
{
	return strncmp(sql, with, strlen(with)) == 0;
}

static enum outcome run_prepared(struct session *s, const struct statement *st)
{
	const char *sql = NULL;
	for (size_t k = 0; k < s->prepared_count; k++)
		if (strcmp(s->prepared[k].name, st->name) == 0)
			sql = s->prepared[k].sql;
	if (!sql)
		return fail(s, "26000", "prepared statement does not exist");
	if (begins(sql, "INSERT INTO writer_change"))
		put_notes(s, st);
	else if (begins(sql, "INSERT INTO past"))
		put_past(s, st);
	else if (begins(sql, "INSERT INTO \""))
		put_rows(s, table_of(sql, "INSERT INTO \""), st);
	else if (begins(sql, "DELETE FROM \""))
		drop_rows(s, table_of(sql, "DELETE FROM \""), st);
	else
		blame("the simulated database does not know: %s", sql);
	session_say_done(s);
	return NEXT;
}

static enum outcome prepare(struct session *s, const struct statement *st)
{
	for (size_t k = 0; k < s->prepared_count; k++)
		if (strcmp(s->prepared[k].name, st->name) == 0)
			return fail(s, "42P05", "prepared statement already exists");
	if (s->prepared_count == PREPARED_MAX)
		blame("too many prepared statements");
	(void) snprintf(s->prepared[s->prepared_count].name, sizeof s->prepared[0].name, "%s", st->name);
	s->prepared[s->prepared_count++].sql = st->sql;
	session_say_done(s);
	return NEXT;
}

/* ---- the table of statements ---- */

static enum outcome say_numbers(struct session *s, const int64_t *numbers, int count)
{
	PGresult *result = result_new(PGRES_TUPLES_OK);
	for (int k = 0; k < count; k++)
		answer_add_int(result, numbers[k]);
	session_answer(s, result);
	return NEXT;
}

/* All processes are of one version here, so the database never says anything else. It says no level and no program, as one of
 * the time before levels were recorded. */
static const char *meta_value(struct bytes name)
{
	static char version[16];
	(void) snprintf(version, sizeof version, "%u", model_schema_version);
	return bytes_are_text(name, "schema_version") ? version
	       : bytes_are_text(name, "schema_hash")  ? model_schema_hash
						      : NULL;
}

static enum outcome add_start(struct session *s, const struct statement *st)
{
	unsigned at = s->own.fence.start_count++ % STARTS_MAX;
	s->own.fence.starts[at].epoch = int_of(st->params[0]);
	s->own.fence.starts[at].batch = (uint64_t) int_of(st->params[1]);
	return say_numbers(s, (const int64_t[]){1}, 1);
}

static enum outcome read_place(struct session *s, const struct statement *st)
{
	const struct heads *t = &session_sees(s)->heads;
	int64_t followed = int_of(st->params[0]);
	uint64_t forked = t->fence.batch;
	bool is_known = followed == t->fence.epoch;
	for (unsigned k = 0; k < STARTS_MAX; k++) {
		is_known = is_known || t->fence.starts[k].epoch == followed;
		if (t->fence.starts[k].epoch > followed && t->fence.starts[k].batch < forked)
			forked = t->fence.starts[k].batch;
	}
	return say_numbers(s,
			   (const int64_t[]){(int64_t) t->fence.batch, (int64_t) t->lease.pruned,
					     t->fence.epoch,
					     left_out == WITHOUT_START ? (int64_t) t->fence.batch
					     : is_known                ? (int64_t) forked
								       : 0},
			   4);
}

static enum outcome read_meta(struct session *s, struct bytes name)
{
	PGresult *result = result_new(PGRES_TUPLES_OK);
	const char *value = meta_value(name);
	if (value)
		answer_add_text(result, value);
	session_answer(s, result);
	return NEXT;
}

static enum outcome write_meta(struct session *s, const struct statement *st)
{
	const char *value = meta_value(st->params[0]);
	if (value && !bytes_are_text(st->params[1], value))
		blame("a process writes another level of the schema: %s", value);
	return say_numbers(s, (const int64_t[]){1}, 1);
}

/* Statements that change the schema or a setting, which exists here already. */
static bool is_ignored(const char *sql)
{
	static const char *const ignored[] = {"CREATE ",
					      "ALTER ",
					      "DO $$",
					      "INSERT INTO past SELECT 1",
					      "INSERT INTO writer_lease VALUES",
					      "SET client",
					      "SET idle",
					      "DEALLOCATE",
					      "DROP TRIGGER",
					      "UPDATE writer_lease SET address"};
	for (size_t k = 0; k < sizeof ignored / sizeof *ignored; k++)
		if (begins(sql, ignored[k]))
			return true;
	return false;
}

static void read_guards(const char *sql)
{
	const char *body = strstr(sql, "dari_fence(");
	if (!body)
		return;
	fence_checks_epoch = strstr(body, "epoch = of_epoch") && left_out != WITHOUT_EPOCH;
	fence_checks_batch = strstr(body, "batch = before") && left_out != WITHOUT_BATCH;
}

static enum outcome run_query(struct session *s, const struct statement *st)
{
	const char *sql = st->sql;
	if (begins(sql, "SELECT dari_fence("))
		return run_fence(s, st);
	if (begins(sql, "SELECT epoch, batch FROM writer WHERE one = 1"))
		return read_fence(s, strstr(sql, "FOR UPDATE"));
	if (begins(sql, "UPDATE writer SET epoch"))
		return take_fence(s, st);
	if (begins(sql, "UPDATE writer_lease SET epoch"))
		return name_lease(s, st);
	if (begins(sql, "UPDATE writer_lease SET expires")) {
		bool gives_back = strstr(sql, "-infinity");
		bool checks = strstr(sql, "epoch = $1") && left_out != WITHOUT_RENEWAL_EPOCH;
		return change_lease(s, st, checks,
				    gives_back ? INT64_MIN
					       : database_clock_us() + LEASE_TTL_MS * MILLISECOND);
	}
	if (begins(sql, "SELECT writer_lease.holder"))
		return read_lease(s, sql);
	if (begins(sql, "SELECT batch, pruned, writer.epoch"))
		return read_place(s, st);
	if (begins(sql, "WITH old AS (DELETE FROM writer_start"))
		return add_start(s, st);
	if (begins(sql, "SELECT DISTINCT kind")) {
		read_notes(s, (uint64_t) int_of(st->params[0]));
		return NEXT;
	}
	if (begins(sql, "SELECT value FROM meta"))
		return read_meta(s, st->params[0]);
	if (begins(sql, "INSERT INTO meta"))
		return write_meta(s, st);
	if (begins(sql, "SELECT pg_backend_pid()"))
		return say_numbers(s, (const int64_t[]){BACKEND}, 1);
	if (begins(sql, "SELECT count(*), count(*) FILTER"))
		return say_numbers(s, (const int64_t[]){9, 1}, 2);
	if (begins(sql, "WITH RECURSIVE last"))
		return say_numbers(s, (const int64_t[]){0, 0, 0, 0, 0, database_state.past_seq}, 6);
	if (begins(sql, "WITH old AS (DELETE FROM writer_change")) {
		prune(s);
		return NEXT;
	}
	if (begins(sql, "SELECT seq, digest FROM audit") || begins(sql, "SELECT set_config(")) {
		session_answer(s, result_new(PGRES_TUPLES_OK));
		return NEXT;
	}
	if (begins(sql, "SELECT pg_advisory_xact_lock")) {
		if (!session_lock(s, LOCK_SCHEMA))
			return wait_for_lock(s);
		session_answer(s, result_new(PGRES_TUPLES_OK));
		return NEXT;
	}
	blame("the simulated database does not know: %s", sql);
}

static enum outcome run_simple(struct session *s, const struct statement *st)
{
	const char *sql = st->sql;
	if (begins(sql, "BEGIN")) {
		session_begin(s);
		s->is_repeatable = strstr(sql, "REPEATABLE READ");
	} else if (begins(sql, "ROLLBACK")) {
		session_end_transaction(s);
	} else if (begins(sql, "DEALLOCATE")) {
		s->prepared_count = 0;
	} else if (begins(sql, "SET LOCAL lock_timeout")) {
		s->lock_max_us = strstr(sql, "'1s'") ? SECOND : 2 * SECOND;
	} else if (begins(sql, "SET LOCAL idle_in")) {
		s->idle_max_us = MINUTE;
	} else if (begins(sql, "LISTEN")) {
		s->listens = true;
	} else if (begins(sql, "COPY (")) {
		copy_out(s, sql);
		return NEXT;
	} else if (!begins(sql, "NOTIFY") && !is_ignored(sql)) {
		return run_query(s, st);
	} else {
		read_guards(sql);
	}
	session_say_done(s);
	return NEXT;
}

enum outcome session_run_statement(struct session *s)
{
	const struct statement *st = s->at;
	if (st->type == SYNC) {
		session_add_item(
			s, (struct item){.type = ITEM_RESULT, .result = result_new(PGRES_PIPELINE_SYNC)});
		return NEXT;
	}
	if (s->skips) {
		session_answer(s, result_new(PGRES_PIPELINE_ABORTED));
		return NEXT;
	}
	if (st->type == EXECUTE)
		return run_prepared(s, st);
	if (st->type == PREPARE)
		return prepare(s, st);
	if (begins(st->sql, "COMMIT"))
		return session_commit(s) ? NEXT : RUNS_ON;
	if (s->is_failed && !begins(st->sql, "ROLLBACK"))
		return fail(s, "25P02", "current transaction is aborted");
	return run_simple(s, st);
}
