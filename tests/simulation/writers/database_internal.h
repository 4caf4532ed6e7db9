/* SPDX-License-Identifier: Apache-2.0
 * Shared by database.c and statements.c. */
#pragma once

#include "database.h"

enum {
	ROWS_MAX = 64,
	NOTES_MAX = 256,
	PREPARED_MAX = 64,
	SESSIONS_MAX = 4096,
	PAST_STATES = 6,
	BATCHES_MAX = 4096,
	MACHINES_MAX = 3,
	STARTS_MAX = 64
};

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
		struct {
			int64_t epoch;
			uint64_t batch;
		} starts[STARTS_MAX]; /* the oldest makes room */
		unsigned start_count;
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
	size_t batch; /* in lines.c */
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
	struct heads own; /* new values of the locked rows */
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

enum outcome { NEXT, WAITS, RUNS_ON };

extern struct state database_state; /* what is committed */

int64_t database_clock_us(void); /* by the server's clock */
/* A commit begins that a fail-over may lose. */
void database_keep_state(void);
void *database_grab(size_t size);
bool bytes_are_text(struct bytes b, const char *text);

/* False: another session has the lock. */
bool session_lock(struct session *s, enum lock lock);
void session_begin(struct session *s);
void session_end_transaction(struct session *s);
/* False: it takes a while, and the session goes on then. */
bool session_commit(struct session *s);
void session_run(struct session *s); /* carries out the requests that have arrived */
void session_end(struct session *s);
/* The committed state, or that of the session's snapshot. */
const struct state *session_sees(struct session *s);
void session_add_item(struct session *s, struct item item);
void session_answer(struct session *s, PGresult *result);
void session_say_done(struct session *s);
void answer_add_int(PGresult *result, int64_t value);
void answer_add_text(PGresult *result, const char *text);
/* Runs the session's present statement: statements.c. */
enum outcome session_run_statement(struct session *s);
