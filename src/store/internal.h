/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: the store itself, and what its files know of each other.
 *   op.c         what a running change may do, and how that is taken back
 *   committer.c  the queue, a batch's way into SQL and out to the readers
 *   view.c       readers' pins, and the rows that wait for them
 *   store.c      opening, loading, closing, comparing */
#pragma once

#include <pthread.h>

#include "store/sql.h"
#include "store/tables.h"

/* Clients' changes go first: a start with 20,000 guests queues as many of the reconciler's at once. */
enum { QUEUE_CLIENTS, QUEUE_SYSTEM, QUEUES };
enum { LISTENERS_MAX = 8, PIN_STRIPES = 16, BATCH_MAX = 4096 };

/* ---- the log of a batch (op.c) ---- */

/* One put or forget. A row changed again in the same batch has a chain of entries. */
struct entry {
	enum kind kind;
	struct row *before, *after;               /* NULL: was not there; is gone */
	uint32_t first_of_batch, first_of_change; /* places of the chain's first entries */
	bool superseded;                          /* by a later entry of the chain */
};

/* An event, a usage record or an audit record on its way to SQL; its texts stand behind it in the same block.
 */
struct note {
	struct note *next;
	enum note_type {
		NOTE_EVENT,
		NOTE_USAGE,
		NOTE_LEDGER,
		NOTE_AUDIT,
		NOTE_SERIES,
		NOTE_PRUNE,
		NOTE_AUDIT_CUT
	} type;
	union {
		struct event event;
		struct {
			struct usage usage;
			struct note
				*subject; /* what its resource is called, in the same row; NULL: as before */
		};
		struct ledger_record ledger;
		struct audit_record audit;
		struct series series;
		int64_t before_us; /* NOTE_PRUNE */
		struct audit_segment segment;
	};
};

struct op_log {
	struct entry *entries;
	size_t count, capacity;
	size_t mark;           /* where the running change begins */
	struct published *net; /* room for capacity: reserved with the entries, filled for the publish */
	size_t net_count;
	struct note *first_note, **notes_end, **notes_mark;
};

/* All on the committer's thread. */
void op_log_init(struct op_log *log);
void op_log_done(struct op_log *log);
void op_begin_change(struct store *s);                  /* what follows is one change */
RESULT op_follow_change(struct op *op);                 /* what follows from the change */
RESULT op_check_change(struct store *s, struct ctx *c); /* the invariant, on what the change left */
void op_undo_change(struct store *s);                   /* everything since op_begin_change */
void op_undo_batch(struct store *s);
/* A note with these texts, which from now on are its own; NULL: out of memory. And puts it behind the others.
 */
struct note *op_new_note(struct str *const texts[], size_t count);
void op_add_note(struct op *op, struct note *note);
struct note *op_new_audit_note(struct op *op, const struct audit_record *a);

/* ---- the stamps of usage (ledger.c) ---- */

/* On the committer's thread; `step` is for any. */
struct stamps {
	int64_t last_us;                 /* the last that was written, or is on its way */
	int64_t base_us, base_steady_us; /* when wall clock and steady clock were last compared */
	_Atomic int64_t behind_us,
		ahead_us;          /* how far the clock is behind the log; or ahead, and not believed */
	_Atomic bool is_confirmed; /* the operator says that the clock is right */
};
void stamps_init(struct stamps *stamps, int64_t last_us);
int64_t stamps_draw(struct stamps *stamps, int64_t now_us);

/* Refusals that came as a flood (audit_flood.c). NULL: out of memory. */
struct audit_floods;
struct audit_floods *audit_floods_new(void);
void audit_floods_free(struct audit_floods *floods); /* NULL: nothing */
void op_make_net(struct store *s);                   /* fills log.net: each row once, first state to last */
void op_end_batch(struct store *s, uint64_t commit); /* published: frees or retires what was replaced */

/* ---- readers (view.c) ---- */

/* The pins of a share of the views, oldest first; the padding keeps them on lines of their own. */
struct pins {
	pthread_mutex_t lock;
	struct view *first, *last;
} __attribute__((aligned(64)));

/* This thread reads a view of the store: it can't publish, nor open another view, without waiting
 * for itself. */
bool view_is_read_here(const struct store *s);
/* Room for row_count rows on the head, and so for the publish. Committer only; readers go on, but
 * for the moment in which the grown table takes its place. False when out of memory. */
bool view_grow_tables(struct store *s, enum kind kind, size_t row_count);
/* Takes over a version that readers may still hold. */
void view_retire(struct store *s, struct version *v, uint64_t commit);
void view_free_retired(struct store *s, bool all); /* what no view holds, or all of it */

/* ---- the committer (committer.c) ---- */

/* The actor's job: takes what is queued and commits it as one batch. */
void committer_run(struct job *job);
void committer_wake(struct store *s);  /* any thread */
void committer_drain(struct store *s); /* runs what is queued, here: the actor is gone */

/* ---- the store ---- */

struct store {
	/* Set at open. */
	void *block; /* what to free: the store stands aligned in it */
	struct store_config config;
	struct actor *actor;
	struct {
		store_listener fn;
		void *self;
	} listeners[LISTENERS_MAX];
	size_t listener_count;

	/* The committer's alone. */
	struct tables head;
	struct op_log log;
	struct audit_floods *floods;
	struct change *pending; /* taken from the queue, not yet run */
	struct version *first_retired, *last_retired;
	struct arena *arena;          /* for the batch's own context */
	uint64_t sql_commit;          /* the last one in SQL */
	bool is_gone;                 /* the database is not where the next start looks for it */
	bool (*has_room)(void *self); /* store_set_room() */
	void *room_self;
	_Atomic bool is_full; /* written by the committer */
	struct stamps stamps;
	struct store_figures figures; /* what it counts; shown_figures is for the others */

	/* Readers, under lock: shared to read, exclusive to publish. */
	pthread_rwlock_t lock __attribute__((aligned(64)));
	struct tables published;
	uint64_t commit;
	struct pins pins[PIN_STRIPES];
	_Atomic uint64_t retired_until; /* the newest retired_commit; 0: none */

	/* Held while a batch is on its way, so that an audit can keep the committer still. */
	pthread_mutex_t still;

	/* The queue. */
	pthread_mutex_t queue_lock __attribute__((aligned(64)));
	struct {
		struct change *first, **end;
	} queues[QUEUES];
	struct job job;
	bool scheduled, closing;
	int64_t slowest_us, slowest_at_us; /* of commits, since start */
	struct store_figures shown_figures;
};
