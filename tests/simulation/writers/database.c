/* SPDX-License-Identifier: Apache-2.0
 * The server: sessions, transactions, row locks, and the statements of src/store. Its state is small, and copied for snapshots. */
#include "database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "fiber.h"
#include "history.h"
#include "model/row.h"
#include "model/migration.h"
#include "store/lease.h"

enum { ROWS_MAX = 64, NOTES_MAX = 256, PREPARED_MAX = 64, SESSIONS_MAX = 4096, PAST_STATES = 6, BATCHES_MAX = 4096, MACHINES_MAX = 3 };

/* ---- state ---- */

/* Values are shared between copies and never changed. */
struct stored {
	const char *table;
	struct bytes id;
	const struct bytes *cells;
	int count;
};

struct note {
	uint64_t batch;
	struct bytes kind, id;
	int64_t at_us;
};

struct heads {
	struct {
		int64_t epoch;
		uint64_t batch;
		char holder[HOLDER_MAX];
	} fence;
	struct {
		int64_t epoch, expires_us; /* by the server's clock; INT64_MIN: -infinity */
		char holder[HOLDER_MAX], address[HOLDER_MAX];
		uint64_t pruned;
	} lease;
};

struct state {
	struct heads heads;
	struct stored rows[ROWS_MAX];
	size_t row_count;
	struct note notes[NOTES_MAX];
	size_t note_count;
	int64_t past_seq;
};

struct write {
	bool removes;
	struct stored row;
	struct write *next;
};

enum lock { LOCK_FENCE, LOCK_LEASE, LOCK_SCHEMA, LOCKS };

struct session {
	struct pg_conn *client; /* NULL: it has gone */
	int process;
	struct {
		struct request *requests[16];
		size_t count;
	} queue;
	struct statement *at; /* the present statement of the first request */
	struct item *answer, **answer_end;
	bool has_begun, skips, is_ended, is_committing, listens;
	bool is_in_transaction, is_failed, is_repeatable;
	struct state *snapshot;
	struct heads own; /* of the locked rows: their new values */
	struct write *writes, **writes_end;
	struct note notes[64];
	size_t note_count;
	int64_t past_seq;
	bool holds[LOCKS];
	int64_t lock_max_us, idle_max_us;
	int64_t waits_since_us; /* for a lock; 0: it does not */
	uint64_t turn;          /* counts requests and ends, for timers */
	struct {
		char name[16];
		const char *sql;
	} prepared[PREPARED_MAX];
	size_t prepared_count;
	size_t taking; /* a reserved step */
	bool takes;
	struct request *committed; /* is being committed */
};

static struct state now_state, past_states[PAST_STATES];
static unsigned past_count;
static struct session *sessions[SESSIONS_MAX];
static size_t session_count;
static struct session *owners[LOCKS];
static int64_t clock_by_us, down_until_us, slow_until_us;
static bool fence_checks_epoch, fence_checks_batch;
static unsigned had[BATCHES_MAX];
static int64_t epochs[BATCHES_MAX];

static int64_t server_clock_us(void)
{
	return sim_now_us() + clock_by_us;
}

static void *grab(size_t size)
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

static bool is_text(struct bytes b, const char *text)
{
	return (size_t) b.n == strlen(text) && memcmp(b.p, text, (size_t) b.n) == 0;
}

static bool is_same(struct bytes a, struct bytes b)
{
	return a.n == b.n && memcmp(a.p, b.p, (size_t) a.n) == 0;
}

/* Number of the change that a row is about; -1: none. */
static int change_of(const struct stored *row)
{
	enum { NAME = 6 };
	if (strcmp(row->table, "setting") != 0 || row->cells[NAME].n < 8 || memcmp(row->cells[NAME].p, "change.", 7) != 0)
		return -1;
	return row->cells[NAME].p[7] - 'A';
}

static unsigned has_of(const struct state *s)
{
	unsigned has = 0;
	for (size_t k = 0; k < s->row_count; k++)
		if (change_of(&s->rows[k]) >= 0)
			has |= 1U << change_of(&s->rows[k]);
	return has;
}

unsigned database_has(void)
{
	return has_of(&now_state);
}

int64_t database_epoch(void)
{
	return now_state.heads.fence.epoch;
}

uint64_t database_batch(void)
{
	return now_state.heads.fence.batch;
}

bool database_had(uint64_t batch, unsigned *ret_has)
{
	*ret_has = batch < BATCHES_MAX ? had[batch] : 0;
	return batch <= now_state.heads.fence.batch;
}

void database_open(void)
{
	now_state.heads.lease.expires_us = INT64_MIN;
}

bool database_is_taken(void)
{
	return owners[LOCK_LEASE] != NULL;
}

void database_set_clock(int64_t by_us)
{
	clock_by_us += by_us;
}

void database_slow_until(int64_t until_us)
{
	slow_until_us = until_us;
}

/* ---- the network ---- */

static int64_t cut_until_us[MACHINES_MAX];

int64_t network_delay_us(struct fiber_group *group)
{
	(void) group;
	if (chance(1))
		return between(50 * MILLISECOND, 900 * MILLISECOND);
	return between(50, 2 * MILLISECOND);
}

void network_cut(int machine, int64_t until_us)
{
	cut_until_us[machine] = until_us;
}

int64_t network_is_cut_until(int machine)
{
	return cut_until_us[machine];
}

static int64_t arrival_us(struct fiber_group *group, int64_t *until_us)
{
	int64_t at_us = sim_now_us();
	if (cut_until_us[group->machine] > at_us)
		at_us = cut_until_us[group->machine];
	at_us += network_delay_us(group);
	if (at_us < *until_us)
		at_us = *until_us;
	return *until_us = at_us;
}

struct message {
	struct pg_conn *client;
	struct session *session;
	struct request *request; /* to the server; NULL: the client has gone */
	struct item *items;      /* to the client */
	enum { TO_SERVER, ITEMS, NEWS, END } type;
};

static void post(struct message message, int64_t at_us);
static void session_run(struct session *s);
static void session_end(struct session *s);

static void deliver(void *arg)
{
	struct message *m = arg;
	struct session *s = m->session;
	if (m->type == ITEMS) {
		if (!m->client->is_finished)
			connection_receive(m->client, m->items);
	} else if (m->type == NEWS) {
		if (!m->client->is_finished && !m->client->is_eof)
			connection_notify(m->client);
	} else if (m->type == END) {
		connection_end(m->client);
	} else if (s->is_ended) {
		if (m->request && m->request->is_commit)
			history_drop_commit(s->process, m->request);
	} else if (m->request && m->request->is_ghost && chance(40)) {
		post(*m, sim_now_us() + between(0, 2 * SECOND)); /* it has lost its way */
	} else {
		if (!m->request)
			s->client = NULL;
		else if (s->queue.count < 16)
			s->queue.requests[s->queue.count++] = m->request;
		session_run(s);
	}
	free(m);
}

static void post(struct message message, int64_t at_us)
{
	struct message *m = grab(sizeof *m);
	*m = message;
	event_at(at_us, deliver, m);
}

void database_send(struct pg_conn *client, struct request *request)
{
	if (client->session)
		post((struct message){.client = client, .session = client->session, .request = request, .type = TO_SERVER},
		     arrival_us(client->group, &client->sends_until_us));
}

/* What was sent before still arrives, or is lost with the connection. A lost network tells the server late. */
void database_leave(struct pg_conn *client)
{
	struct session *s = client->session;
	client->session = NULL;
	post((struct message){.client = client, .session = s, .type = TO_SERVER},
	     arrival_us(client->group, &client->sends_until_us));
}

static void answer_to(struct session *s, struct item *items)
{
	if (s->client)
		post((struct message){.client = s->client, .items = items, .type = ITEMS},
		     arrival_us(s->client->group, &s->client->receives_until_us));
}

void network_break(struct fiber_group *group)
{
	for (size_t k = 0; k < session_count; k++) {
		struct session *s = sessions[k];
		if (s->is_ended || !s->client || (group && s->client->group != group))
			continue;
		struct pg_conn *client = s->client;
		bool tells_late = chance(30);
		post((struct message){.client = client, .type = END}, sim_now_us() + between(0, 20 * MILLISECOND));
		client->session = NULL;
		s->client = NULL; /* answers are lost; requests on their way may still arrive */
		if (!tells_late)
			session_end(s);
		else
			post((struct message){.client = client, .session = s, .type = TO_SERVER},
			     sim_now_us() + between(0, 3 * SECOND));
	}
}

void network_break_softly(struct fiber_group *group)
{
	for (size_t k = 0; k < session_count; k++)
		if (!sessions[k]->is_ended && sessions[k]->client && sessions[k]->client->group == group)
			PQfinish(sessions[k]->client);
}

/* ---- answers ---- */

static void add_item(struct session *s, struct item item)
{
	struct item *i = grab(sizeof *i);
	*i = item;
	*s->answer_end = i;
	s->answer_end = &i->next;
}

static void add_result(struct session *s, PGresult *result)
{
	add_item(s, (struct item){.type = ITEM_RESULT, .result = result});
	if (s->queue.requests[0]->is_pipeline)
		add_item(s, (struct item){.type = ITEM_END});
}

static void say_done(struct session *s)
{
	add_result(s, result_new(PGRES_COMMAND_OK));
}

static void add_int(PGresult *result, int64_t value)
{
	char bytes[8];
	for (unsigned k = 0; k < 8; k++)
		bytes[k] = (char) ((uint64_t) value >> (8 * (7 - k)));
	result_add(result, bytes, 8);
}

static void add_text(PGresult *result, const char *text)
{
	result_add(result, text, (int) strlen(text));
}

/* ---- locks and transactions ---- */

static void run_waiting(void *arg)
{
	(void) arg;
	for (size_t k = 0; k < session_count; k++)
		if (sessions[k]->waits_since_us && !sessions[k]->is_ended)
			session_run(sessions[k]);
}

static void check_waiting(void *arg)
{
	struct session *s = arg;
	if (s->waits_since_us && !s->is_ended)
		session_run(s);
}

/* False: somebody else has it. */
static bool take_lock(struct session *s, enum lock lock)
{
	if (owners[lock] && owners[lock] != s)
		return false;
	if (!s->holds[lock] && lock == LOCK_FENCE)
		s->own.fence = now_state.heads.fence;
	if (!s->holds[lock] && lock == LOCK_LEASE)
		s->own.lease = now_state.heads.lease;
	owners[lock] = s;
	s->holds[lock] = true;
	return true;
}

static void end_transaction(struct session *s)
{
	for (enum lock lock = 0; lock < LOCKS; lock++) {
		if (s->holds[lock] && owners[lock] == s)
			owners[lock] = NULL;
		s->holds[lock] = false;
	}
	if (s->takes)
		steps_settle(s->taking, false);
	free(s->snapshot);
	s->snapshot = NULL;
	s->writes = NULL;
	s->writes_end = &s->writes;
	s->takes = s->is_in_transaction = s->is_failed = s->is_repeatable = s->is_committing = false;
	s->note_count = 0;
	s->past_seq = 0;
	s->lock_max_us = 0;
	s->idle_max_us = 2 * SECOND;
	s->committed = NULL;
	event_at(sim_now_us(), run_waiting, NULL);
}

static void begin(struct session *s)
{
	s->is_in_transaction = true;
	s->is_failed = s->is_repeatable = false;
}

static void session_end(struct session *s)
{
	if (s->is_ended)
		return;
	s->is_ended = true;
	for (size_t k = 0; k < s->queue.count; k++)
		if (s->queue.requests[k]->is_commit && !s->queue.requests[k]->is_carried_out)
			history_drop_commit(s->process, s->queue.requests[k]);
	end_transaction(s);
	if (s->client) {
		s->client->session = NULL;
		post((struct message){.client = s->client, .type = END}, sim_now_us() + between(0, 2 * MILLISECOND));
	}
	s->client = NULL;
}

static const struct state *visible(struct session *s)
{
	if (!s->is_repeatable)
		return &now_state;
	if (!s->snapshot) {
		s->snapshot = grab(sizeof *s->snapshot);
		*s->snapshot = now_state;
	}
	return s->snapshot;
}

/* ---- committing ---- */

static void apply_write(struct state *to, const struct write *w)
{
	size_t k = 0;
	while (k < to->row_count && (strcmp(to->rows[k].table, w->row.table) != 0 || !is_same(to->rows[k].id, w->row.id)))
		k++;
	if (w->removes) {
		if (k < to->row_count)
			to->rows[k] = to->rows[--to->row_count];
		return;
	}
	if (k == to->row_count && to->row_count++ == ROWS_MAX)
		blame("the simulated database is too small");
	to->rows[k] = w->row;
}

static void keep_past_state(void)
{
	memmove(past_states + 1, past_states, (PAST_STATES - 1) * sizeof *past_states);
	past_states[0] = now_state;
	past_count += past_count < PAST_STATES;
}

/* No change is made twice: two rows of one change would be two. */
static void check_rows(const struct session *s)
{
	for (size_t k = 0; k < now_state.row_count; k++)
		for (size_t n = 0; n < k; n++)
			if (change_of(&now_state.rows[k]) >= 0 && change_of(&now_state.rows[k]) == change_of(&now_state.rows[n]))
				blame("process %d makes change %d a second time", s->process, change_of(&now_state.rows[k]));
}

static void apply(struct session *s)
{
	if (s->writes && s->own.fence.batch != now_state.heads.fence.batch + 1)
		blame("process %d writes batch %" PRIu64 " behind batch %" PRIu64, s->process, s->own.fence.batch,
		      now_state.heads.fence.batch);
	keep_past_state();
	if (s->holds[LOCK_FENCE])
		now_state.heads.fence = s->own.fence;
	if (s->holds[LOCK_LEASE])
		now_state.heads.lease = s->own.lease;
	for (const struct write *w = s->writes; w; w = w->next)
		apply_write(&now_state, w);
	for (size_t k = 0; k < s->note_count && now_state.note_count < NOTES_MAX; k++)
		now_state.notes[now_state.note_count++] = s->notes[k];
	if (s->past_seq > now_state.past_seq)
		now_state.past_seq = s->past_seq;
	if (s->takes)
		steps_settle(s->taking, true);
	s->takes = false;
	check_rows(s);
	uint64_t batch = now_state.heads.fence.batch;
	if (s->writes && batch < BATCHES_MAX) {
		if (batch > 1 && epochs[batch - 1] > s->own.fence.epoch)
			blame("batch %" PRIu64 " is of an older writer than the one before", batch);
		epochs[batch] = s->own.fence.epoch;
	}
	if (batch < BATCHES_MAX)
		had[batch] = database_has();
}

static void tell_news(struct session *from)
{
	for (size_t k = 0; k < session_count; k++) {
		struct session *s = sessions[k];
		if (s != from && s->listens && !s->is_ended && s->client)
			post((struct message){.client = s->client, .type = NEWS},
			     arrival_us(s->client->group, &s->client->receives_until_us));
	}
}

static void commit_now(void *arg)
{
	struct session *s = arg;
	if (s->is_ended || !s->is_committing)
		return;
	apply(s);
	if (s->committed) {
		tell("database: batch %" PRIu64 " of process %d", now_state.heads.fence.batch, s->process);
		history_commit(s->process, s->committed, true);
		tell_news(s);
	}
	end_transaction(s);
	say_done(s);
	s->at = s->at->next;
	session_run(s);
}

/* False: it takes a while. */
static bool commit(struct session *s)
{
	if (s->is_failed || !s->is_in_transaction) {
		end_transaction(s);
		say_done(s);
		return true;
	}
	s->is_committing = true;
	s->committed = s->queue.requests[0]->is_commit ? s->queue.requests[0] : NULL;
	int64_t takes_us = between(0, MILLISECOND);
	if (slow_until_us > sim_now_us() && (s->holds[LOCK_FENCE] || s->holds[LOCK_LEASE]))
		takes_us = slow_until_us - sim_now_us();
	event_at(sim_now_us() + takes_us, commit_now, s);
	return false;
}

/* ---- statements ---- */

enum outcome { NEXT, WAITS, RUNS_ON };

static enum outcome fail(struct session *s, const char *state, const char *words)
{
	if (s->queue.requests[0]->is_commit && strcmp(state, "DR001") == 0)
		history_commit(s->process, s->queue.requests[0], false);
	bool was_in_transaction = s->is_in_transaction;
	end_transaction(s);
	s->is_in_transaction = s->is_failed = was_in_transaction;
	add_result(s, result_error(state, words));
	s->skips = true;
	return NEXT;
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
	} else if (!s->client && now_us >= s->waits_since_us + 2 * SECOND) { /* client_connection_check_interval */
		session_end(s);
		return WAITS;
	}
	if (!s->client)
		event_at(now_us + 2 * SECOND, check_waiting, s);
	return WAITS;
}

static void add_lease(PGresult *result, const struct heads *t, const char *sql)
{
	int64_t now_us = server_clock_us(), expires_us = t->lease.expires_us;
	bool is_finite = expires_us != INT64_MIN;
	int64_t expired_ms = is_finite ? (now_us - expires_us) / MILLISECOND : 1000000000;
	int64_t left_us = expires_us - now_us;
	int64_t over_us = (LEASE_TTL_MS + LEASE_MARGIN_MS) * MILLISECOND;
	bool counts_from_now = strstr(sql, "greatest(expires, clock_timestamp())") && left_out != WITHOUT_FULL_WAIT;
	if (counts_from_now && left_us < 0)
		left_us = 0;
	add_text(result, t->lease.holder);
	add_text(result, t->lease.address);
	if (left_out == WITHOUT_EXPIRY && is_finite)
		expired_ms = 1;
	add_int(result, expired_ms);
	add_int(result, !is_finite ? 0 : over_us + left_us > 0 ? over_us + left_us : 0);
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
	if (!take_lock(s, LOCK_FENCE))
		return wait_for_lock(s);
	bool has_epoch = s->own.fence.epoch == int_of(st->params[0]) || !fence_checks_epoch;
	bool has_batch = (int64_t) s->own.fence.batch == int_of(st->params[1]) || !fence_checks_batch;
	if (!has_epoch || !has_batch)
		return fail(s, "DR001", "this process is no longer the writer");
	s->own.fence.epoch = fence_checks_epoch ? s->own.fence.epoch : int_of(st->params[0]);
	s->own.fence.batch = (uint64_t) int_of(st->params[2]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	add_text(result, "");
	add_result(s, result);
	return NEXT;
}

static enum outcome read_fence(struct session *s, bool with_lock)
{
	if (with_lock && !take_lock(s, LOCK_FENCE))
		return wait_for_lock(s);
	const struct heads *t = s->holds[LOCK_FENCE] ? &s->own : &visible(s)->heads;
	PGresult *result = result_new(PGRES_TUPLES_OK);
	bool is_hidden = left_out == WITHOUT_LOADED && !with_lock && model[s->process].epoch;
	add_int(result, is_hidden ? model[s->process].epoch : t->fence.epoch);
	add_int(result, (int64_t) t->fence.batch);
	add_result(s, result);
	history_read_fence(s->process, with_lock, t->fence.epoch, t->fence.batch);
	return NEXT;
}

static enum outcome take_fence(struct session *s, const struct statement *st)
{
	if (!take_lock(s, LOCK_FENCE))
		return wait_for_lock(s);
	int64_t clock_ms = server_clock_us() / MILLISECOND;
	if (left_out != WITHOUT_RAISE || !s->own.fence.epoch)
		s->own.fence.epoch = s->own.fence.epoch + 1 > clock_ms ? s->own.fence.epoch + 1 : clock_ms;
	copy_text(s->own.fence.holder, st->params[0]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	add_int(result, s->own.fence.epoch);
	add_int(result, (int64_t) s->own.fence.batch);
	add_result(s, result);
	return NEXT;
}

/* A statement on the lease's row. Outside of a transaction it commits by itself. */
static enum outcome change_lease(struct session *s, const struct statement *st, bool checks_epoch, int64_t expires_us)
{
	bool is_alone = !s->is_in_transaction;
	if (!take_lock(s, LOCK_LEASE))
		return wait_for_lock(s);
	bool is_own = !checks_epoch || s->own.lease.epoch == int_of(st->params[0]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	if (is_own) {
		s->own.lease.expires_us = expires_us;
		add_int(result, 1);
	}
	if (is_alone) {
		history_renew(s->process, is_own, expires_us == INT64_MIN);
		now_state.heads.lease = s->own.lease;
		end_transaction(s);
	} else if (is_own) {
		s->takes = true;
		model[s->process].epoch = s->own.fence.epoch;
		s->taking = steps_reserve(STEP_TAKE, s->process, 0);
	}
	add_result(s, result);
	return NEXT;
}

static enum outcome name_lease(struct session *s, const struct statement *st)
{
	if (!take_lock(s, LOCK_LEASE))
		return wait_for_lock(s);
	s->own.lease.epoch = int_of(st->params[0]);
	copy_text(s->own.lease.holder, st->params[1]);
	copy_text(s->own.lease.address, st->params[2]);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	add_int(result, 1);
	add_result(s, result);
	return NEXT;
}

static enum outcome read_lease(struct session *s, const char *sql)
{
	bool with_lock = strstr(sql, "FOR UPDATE"), with_fence = strstr(sql, "writer.epoch");
	if (with_lock && !take_lock(s, LOCK_LEASE))
		return wait_for_lock(s);
	PGresult *result = result_new(PGRES_TUPLES_OK);
	const struct heads *t = with_lock ? &s->own : &visible(s)->heads;
	add_lease(result, t, sql);
	if (with_fence) {
		add_int(result, t->fence.epoch);
		add_int(result, (int64_t) t->fence.batch);
	}
	add_result(s, result);
	return NEXT;
}

static void prune(struct session *s)
{
	size_t kept = 0;
	for (size_t k = 0; k < now_state.note_count; k++) {
		if (now_state.notes[k].at_us < server_clock_us() - 10 * MINUTE) {
			if (now_state.notes[k].batch > now_state.heads.lease.pruned)
				now_state.heads.lease.pruned = now_state.notes[k].batch;
		} else {
			now_state.notes[kept++] = now_state.notes[k];
		}
	}
	now_state.note_count = kept;
	PGresult *result = result_new(PGRES_TUPLES_OK);
	add_int(result, 1);
	add_result(s, result);
}

static int compare_notes(const void *a, const void *b)
{
	const struct note *x = a, *y = b;
	int order = strcmp(x->kind.p, y->kind.p);
	return order ? order : strcmp(x->id.p, y->id.p);
}

static void read_notes(struct session *s, uint64_t since)
{
	const struct state *t = visible(s);
	struct note *found = grab(NOTES_MAX * sizeof *found);
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
	add_result(s, result);
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
	char *name = grab(n + 1);
	memcpy(name, from, n);
	return name;
}

static void copy_out(struct session *s, const char *sql)
{
	const struct state *t = visible(s);
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
	add_result(s, result_new(PGRES_COPY_OUT));
	add_item(s, (struct item){.type = ITEM_COPY, .copy = {b.p, b.n}});
	add_result(s, result_new(PGRES_COMMAND_OK));
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
		char *copy = grab((size_t) (n > 0 ? n : 0) + 1);
		memcpy(copy, array.p + at, (size_t) (n > 0 ? n : 0));
		ret_elements[k] = n < 0 ? (struct bytes){0} : (struct bytes){copy, n};
		at += n > 0 ? n : 0;
	}
	return count;
}

static void add_write(struct session *s, struct write write)
{
	struct write *w = grab(sizeof *w);
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
		cells[k] = grab((size_t) st->count * sizeof *cells[k]);
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
			(struct note){(uint64_t) long_of(batches[k]), kinds[k], ids[k], server_clock_us()};
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
	say_done(s);
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
	say_done(s);
	return NEXT;
}

/* ---- the table of statements ---- */

static enum outcome say_numbers(struct session *s, const int64_t *numbers, int count)
{
	PGresult *result = result_new(PGRES_TUPLES_OK);
	for (int k = 0; k < count; k++)
		add_int(result, numbers[k]);
	add_result(s, result);
	return NEXT;
}

static enum outcome read_meta(struct session *s, struct bytes name)
{
	char version[16];
	PGresult *result = result_new(PGRES_TUPLES_OK);
	(void) snprintf(version, sizeof version, "%u", model_schema_version);
	add_text(result, is_text(name, "schema_version") ? version : model_schema_hash);
	add_result(s, result);
	return NEXT;
}

/* Statements that change the schema or a setting, which exists here already. */
static bool is_ignored(const char *sql)
{
	static const char *const ignored[] = {"CREATE ", "ALTER ", "DO $$", "INSERT INTO past SELECT 1", "INSERT INTO writer_lease VALUES",
					      "SET client", "SET idle", "DEALLOCATE", "DROP TRIGGER", "UPDATE writer_lease SET address"};
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
				    gives_back ? INT64_MIN : server_clock_us() + LEASE_TTL_MS * MILLISECOND);
	}
	if (begins(sql, "SELECT writer_lease.holder"))
		return read_lease(s, sql);
	if (begins(sql, "SELECT batch, pruned FROM writer, writer_lease")) {
		const struct heads *t = &visible(s)->heads;
		return say_numbers(s, (const int64_t[]){(int64_t) t->fence.batch, (int64_t) t->lease.pruned}, 2);
	}
	if (begins(sql, "SELECT DISTINCT kind")) {
		read_notes(s, (uint64_t) int_of(st->params[0]));
		return NEXT;
	}
	if (begins(sql, "SELECT value FROM meta"))
		return read_meta(s, st->params[0]);
	if (begins(sql, "SELECT count(*), count(*) FILTER"))
		return say_numbers(s, (const int64_t[]){9, 1}, 2);
	if (begins(sql, "WITH RECURSIVE last"))
		return say_numbers(s, (const int64_t[]){0, 0, 0, 0, 0, now_state.past_seq}, 6);
	if (begins(sql, "WITH old AS (DELETE FROM writer_change")) {
		prune(s);
		return NEXT;
	}
	if (begins(sql, "SELECT seq, digest FROM audit") || begins(sql, "SELECT set_config(")) {
		add_result(s, result_new(PGRES_TUPLES_OK));
		return NEXT;
	}
	if (begins(sql, "SELECT pg_advisory_xact_lock")) {
		if (!take_lock(s, LOCK_SCHEMA))
			return wait_for_lock(s);
		add_result(s, result_new(PGRES_TUPLES_OK));
		return NEXT;
	}
	blame("the simulated database does not know: %s", sql);
}

static enum outcome run_simple(struct session *s, const struct statement *st)
{
	const char *sql = st->sql;
	if (begins(sql, "BEGIN")) {
		begin(s);
		s->is_repeatable = strstr(sql, "REPEATABLE READ");
	} else if (begins(sql, "ROLLBACK")) {
		end_transaction(s);
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
	say_done(s);
	return NEXT;
}

static enum outcome run_statement(struct session *s)
{
	const struct statement *st = s->at;
	if (st->type == SYNC) {
		add_item(s, (struct item){.type = ITEM_RESULT, .result = result_new(PGRES_PIPELINE_SYNC)});
		return NEXT;
	}
	if (s->skips) {
		add_result(s, result_new(PGRES_PIPELINE_ABORTED));
		return NEXT;
	}
	if (st->type == EXECUTE)
		return run_prepared(s, st);
	if (st->type == PREPARE)
		return prepare(s, st);
	if (begins(st->sql, "COMMIT"))
		return commit(s) ? NEXT : RUNS_ON;
	if (s->is_failed && !begins(st->sql, "ROLLBACK"))
		return fail(s, "25P02", "current transaction is aborted");
	return run_simple(s, st);
}

/* ---- sessions ---- */

struct idle {
	struct session *session;
	uint64_t turn;
};

static void end_idle(void *arg)
{
	struct idle *idle = arg;
	struct session *s = idle->session;
	if (!s->is_ended && s->turn == idle->turn && s->is_in_transaction && !s->queue.count) {
		tell("database: a transaction of process %d was idle for too long", s->process);
		session_end(s);
	}
	free(idle);
}

static void watch_idle(struct session *s)
{
	struct idle *idle = grab(sizeof *idle);
	*idle = (struct idle){s, s->turn};
	event_at(sim_now_us() + s->idle_max_us, end_idle, idle);
}

static void end_request(struct session *s)
{
	bool is_pipeline = s->queue.requests[0]->is_pipeline;
	if (!is_pipeline)
		add_item(s, (struct item){.type = ITEM_END});
	struct item *last = s->answer;
	while (last->next)
		last = last->next;
	last->is_last = true;
	answer_to(s, s->answer);
	memmove(s->queue.requests, s->queue.requests + 1, --s->queue.count * sizeof *s->queue.requests);
	s->at = NULL;
	s->has_begun = false;
	s->turn++;
	if (s->is_in_transaction && !s->queue.count)
		watch_idle(s);
}

static void session_run(struct session *s)
{
	while (!s->is_ended && !s->is_committing) {
		if (s->queue.count && s->queue.requests[0]->is_dropped) {
			session_end(s);
			return;
		}
		if (!s->has_begun && !s->queue.count)
			break;
		if (!s->has_begun) {
			s->has_begun = true;
			s->at = s->queue.requests[0]->first;
			s->answer = NULL;
			s->answer_end = &s->answer;
			s->skips = false;
			s->turn++;
		}
		while (s->at) {
			enum outcome outcome = run_statement(s);
			if (outcome != NEXT)
				return;
			s->waits_since_us = 0;
			bool stops = s->skips && !s->queue.requests[0]->is_pipeline;
			s->at = stops ? NULL : s->at->next;
		}
		end_request(s);
	}
	if (!s->client && !s->queue.count && !s->is_committing)
		session_end(s);
}

struct session *database_connect(struct pg_conn *client)
{
	if (sim_now_us() < down_until_us)
		return NULL;
	if (session_count == SESSIONS_MAX)
		blame("too many sessions");
	struct session *s = grab(sizeof *s);
	s->client = client;
	s->process = client->group->number;
	s->writes_end = &s->writes;
	s->idle_max_us = 2 * SECOND;
	sessions[session_count++] = s;
	return s;
}

void database_stop_until(int64_t until_us, unsigned lost_commits)
{
	for (size_t k = 0; k < session_count; k++) {
		struct session *s = sessions[k];
		if (!s->is_ended && s->is_committing && chance(50)) /* it was on the standby */
			commit_now(s);
		session_end(s);
	}
	if (lost_commits > past_count)
		lost_commits = past_count;
	if (lost_commits) {
		now_state = past_states[lost_commits - 1];
		past_count = 0;
	}
	down_until_us = until_us;
}
