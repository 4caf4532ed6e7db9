/* SPDX-License-Identifier: Apache-2.0
 * The server: sessions, transactions, row locks, and the statements of src/store. Its state is small, and copied for snapshots. */
#include "database_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "fiber.h"
#include "history.h"
#include "model/migration.h"
#include "model/row.h"
#include "store/lease.h"

struct state database_state;
static struct state past_states[PAST_STATES];
static unsigned past_count;
static struct session *sessions[SESSIONS_MAX];
static size_t session_count;
static struct session *owners[LOCKS];
static int64_t clock_by_us, down_until_us, slow_until_us;
static int64_t epochs[BATCHES_MAX];

int64_t database_clock_us(void)
{
	return sim_now_us() + clock_by_us;
}

void *database_grab(size_t size)
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

bool bytes_are_text(struct bytes b, const char *text)
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
	if (strcmp(row->table, "setting") != 0 || row->cells[NAME].n < 8 ||
	    memcmp(row->cells[NAME].p, "change.", 7) != 0)
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
	return has_of(&database_state);
}

int64_t database_epoch(void)
{
	return database_state.heads.fence.epoch;
}

uint64_t database_batch(void)
{
	return database_state.heads.fence.batch;
}

void database_open(int64_t epoch)
{
	database_state.heads.fence.epoch = epoch;
	database_state.heads.lease.expires_us = INT64_MIN;
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
	struct message *m = database_grab(sizeof *m);
	*m = message;
	event_at(at_us, deliver, m);
}

void database_send(struct pg_conn *client, struct request *request)
{
	if (client->session)
		post((struct message){.client = client,
				      .session = client->session,
				      .request = request,
				      .type = TO_SERVER},
		     arrival_us(client->group, &client->sends_until_us));
}

/* Requests that were sent before still arrive, or are lost with the connection. The server notices a lost network late. */
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
		post((struct message){.client = client, .type = END},
		     sim_now_us() + between(0, 20 * MILLISECOND));
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

void session_add_item(struct session *s, struct item item)
{
	struct item *i = database_grab(sizeof *i);
	*i = item;
	*s->answer_end = i;
	s->answer_end = &i->next;
}

void session_answer(struct session *s, PGresult *result)
{
	session_add_item(s, (struct item){.type = ITEM_RESULT, .result = result});
	if (s->queue.requests[0]->is_pipeline)
		session_add_item(s, (struct item){.type = ITEM_END});
}

void session_say_done(struct session *s)
{
	session_answer(s, result_new(PGRES_COMMAND_OK));
}

void answer_add_int(PGresult *result, int64_t value)
{
	char bytes[8];
	for (unsigned k = 0; k < 8; k++)
		bytes[k] = (char) ((uint64_t) value >> (8 * (7 - k)));
	result_add(result, bytes, 8);
}

void answer_add_text(PGresult *result, const char *text)
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

/* False: somebody else has it. */
bool session_lock(struct session *s, enum lock lock)
{
	if (owners[lock] && owners[lock] != s)
		return false;
	if (!s->holds[lock] && lock == LOCK_FENCE)
		s->own.fence = database_state.heads.fence;
	if (!s->holds[lock] && lock == LOCK_LEASE)
		s->own.lease = database_state.heads.lease;
	owners[lock] = s;
	s->holds[lock] = true;
	return true;
}

void session_end_transaction(struct session *s)
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

void session_begin(struct session *s)
{
	s->is_in_transaction = true;
	s->is_failed = s->is_repeatable = false;
}

void session_end(struct session *s)
{
	if (s->is_ended)
		return;
	s->is_ended = true;
	for (size_t k = 0; k < s->queue.count; k++)
		if (s->queue.requests[k]->is_commit && !s->queue.requests[k]->is_carried_out)
			history_drop_commit(s->process, s->queue.requests[k]);
	session_end_transaction(s);
	if (s->client) {
		s->client->session = NULL;
		post((struct message){.client = s->client, .type = END},
		     sim_now_us() + between(0, 2 * MILLISECOND));
	}
	s->client = NULL;
}

const struct state *session_sees(struct session *s)
{
	if (!s->is_repeatable)
		return &database_state;
	if (!s->snapshot) {
		s->snapshot = database_grab(sizeof *s->snapshot);
		*s->snapshot = database_state;
	}
	return s->snapshot;
}

/* ---- committing ---- */

static void apply_write(struct state *to, const struct write *w)
{
	size_t k = 0;
	while (k < to->row_count &&
	       (strcmp(to->rows[k].table, w->row.table) != 0 || !is_same(to->rows[k].id, w->row.id)))
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

void database_keep_state(void)
{
	memmove(past_states + 1, past_states, (PAST_STATES - 1) * sizeof *past_states);
	past_states[0] = database_state;
	past_count += past_count < PAST_STATES;
}

/* No change is made twice: two rows of one change would be two. */
static void check_rows(const struct session *s)
{
	for (size_t k = 0; k < database_state.row_count; k++)
		for (size_t n = 0; n < k; n++)
			if (change_of(&database_state.rows[k]) >= 0 &&
			    change_of(&database_state.rows[k]) == change_of(&database_state.rows[n]))
				blame("process %d makes change %d a second time", s->process,
				      change_of(&database_state.rows[k]));
}

static void apply(struct session *s)
{
	if (s->writes && s->own.fence.batch != database_state.heads.fence.batch + 1)
		blame("process %d writes batch %" PRIu64 " behind batch %" PRIu64, s->process,
		      s->own.fence.batch, database_state.heads.fence.batch);
	if (s->committed || s->takes)
		database_keep_state();
	if (s->holds[LOCK_FENCE])
		database_state.heads.fence = s->own.fence;
	if (s->holds[LOCK_LEASE])
		database_state.heads.lease = s->own.lease;
	for (const struct write *w = s->writes; w; w = w->next)
		apply_write(&database_state, w);
	for (size_t k = 0; k < s->note_count && database_state.note_count < NOTES_MAX; k++)
		database_state.notes[database_state.note_count++] = s->notes[k];
	if (s->past_seq > database_state.past_seq)
		database_state.past_seq = s->past_seq;
	if (s->takes)
		steps_settle(s->taking, true);
	s->takes = false;
	check_rows(s);
	uint64_t batch = database_state.heads.fence.batch;
	if (s->writes && batch < BATCHES_MAX) {
		if (batch > 1 && epochs[batch - 1] > s->own.fence.epoch)
			blame("batch %" PRIu64 " is of an older writer than the one before", batch);
		epochs[batch] = s->own.fence.epoch;
		database_state.batch =
			lines_add(database_state.batch, batch, s->own.fence.epoch, database_has());
	}
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
	if (s->committed && s->committed->is_dropped) { /* while it waited for the standby */
		session_end(s);
		return;
	}
	apply(s);
	if (s->committed) {
		tell("database: batch %" PRIu64 " of process %d", database_state.heads.fence.batch,
		     s->process);
		history_commit(s->process, s->committed, true);
		tell_news(s);
	}
	session_end_transaction(s);
	session_say_done(s);
	s->at = s->at->next;
	session_run(s);
}

/* False: it takes a while. */
bool session_commit(struct session *s)
{
	if (s->is_failed || !s->is_in_transaction) {
		session_end_transaction(s);
		session_say_done(s);
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
	struct idle *idle = database_grab(sizeof *idle);
	*idle = (struct idle){s, s->turn};
	event_at(sim_now_us() + s->idle_max_us, end_idle, idle);
}

static void end_request(struct session *s)
{
	bool is_pipeline = s->queue.requests[0]->is_pipeline;
	if (!is_pipeline)
		session_add_item(s, (struct item){.type = ITEM_END});
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

void session_run(struct session *s)
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
			enum outcome outcome = session_run_statement(s);
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

bool database_is_in_transaction(const struct session *s)
{
	return s->is_in_transaction;
}

struct session *database_connect(struct pg_conn *client)
{
	if (sim_now_us() < down_until_us)
		return NULL;
	if (session_count == SESSIONS_MAX)
		blame("too many sessions");
	struct session *s = database_grab(sizeof *s);
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
		unsigned has = database_has();
		database_state = past_states[lost_commits - 1];
		past_count = 0;
		history_fork(lost_commits, has & ~database_has());
	}
	down_until_us = until_us;
}
