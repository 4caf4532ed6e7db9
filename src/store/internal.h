/* SPDX-License-Identifier: Apache-2.0
 * Private to store/: the store itself, and what its files share.
 *   op.c         what a running change may do, and its undo
 *   committer.c  the queue, and a batch's way to SQL and to the readers
 *   view.c       readers' pins, and retired versions that wait for them
 *   store.c      opening, loading, closing, comparing */
#pragma once

#include <pthread.h>

#include "store/follow.h"
#include "store/sql.h"
#include "store/tables.h"

/* Clients' changes have a queue of their own, taken first: a start with 20,000 guests queues as many changes of
 * the reconciler at once. */
enum { QUEUE_CLIENTS, QUEUE_SYSTEM, QUEUES };
enum { LISTENERS_MAX = 8, PIN_STRIPES = 16, BATCH_MAX = 4096 };

/* ---- the log of a batch (op.c) ---- */

/* A put or forget. A row changed again in the same batch has a chain of entries. */
struct entry {
	enum kind kind;
	struct row *before, *after;               /* NULL: new row; forgotten row */
	uint32_t first_of_batch, first_of_change; /* indexes of the chain's first entry, in the batch and
						   * in the change */
	bool superseded;                          /* a later entry of the chain exists */
};

/* An event, usage record or audit record on its way to SQL, in one block with its strings. */
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
	const struct change *only_of; /* the change, if it wrote nothing but audit records */
	union {
		struct event event;
		struct {
			struct usage usage;
			struct note *subject; /* name and tags of the resource, stored in the same SQL row;
					   * NULL: unchanged */
		};
		struct ledger_record ledger;
		struct audit_record audit;
		struct series series;
		int64_t before_us; /* of NOTE_PRUNE */
		struct audit_segment segment;
	};
};

struct op_log {
	struct entry *entries;
	size_t count, capacity;
	size_t mark;           /* index of the running change's first entry */
	struct published *net; /* of `capacity`; allocated with the entries so that publishing cannot fail */
	size_t net_count;
	struct note *first_note, **notes_end, **notes_mark;
};

/* All on the committer's thread. */
void op_log_init(struct op_log *log);
void op_log_done(struct op_log *log);
void op_begin_change(struct store *s);  /* starts a change */
RESULT op_follow_change(struct op *op); /* calls the configured follower */
/* checks the configured invariant on the rows left by the change */
RESULT op_check_change(struct store *s, struct ctx *c);
/* Applies `cascade` and `clear` to the rows that refer to a row that went (store/reference.h). */
RESULT reference_follow(struct op *op, enum kind kind, uuid id, bool is_forgotten);
/* ERR_IN_USE: a row that is there, even if deleted, keeps this one from being forgotten (`on_forget`). */
RESULT reference_check_forget(struct op *op, enum kind kind, const struct row *row);
/* ERR_IN_USE: the change leaves a live row that keeps this one from going. */
RESULT reference_check(struct ctx *c, const struct tables *t, enum kind kind, const struct row *before,
		       const struct row *after);
/* Puts a row as another process has committed it. */
RESULT op_take_row(struct op *op, enum kind kind, const struct row *row);
void op_undo_change(struct store *s); /* undoes everything since op_begin_change() */
void op_undo_batch(struct store *s);
/* op_new_note() allocates a note that owns copies of the texts; NULL: out of memory. op_add_note() appends
 * it. */
struct note *op_new_note(struct str *const texts[], size_t count);
void op_add_note(struct op *op, struct note *note);
struct note *op_new_audit_note(struct op *op, const struct audit_record *a);
/* The same, with the record's own time and count. */
struct note *op_copy_audit_note(const struct audit_record *a);
/* Marks the notes of a change that wrote nothing but audit records. */
void op_mark_records(struct store *s, const struct change *change);

/* ---- the stamps of usage (ledger.c) ---- */

/* Time stamps of usage records; see ledger.h. On the committer's thread, except the atomics. */
struct stamps {
	int64_t last_us;                 /* latest stamp written or on its way */
	int64_t base_us, base_steady_us; /* both clocks at their last comparison */
	_Atomic int64_t behind_us,
		ahead_us;          /* time that the clock is behind the log; or ahead of the steady clock
				    * and not trusted */
	_Atomic bool is_confirmed; /* the operator has confirmed the clock */
};
void stamps_init(struct stamps *stamps, int64_t last_us);
int64_t stamps_draw(struct stamps *stamps, int64_t now_us);

/* Repeated refusals (audit_flood.c). NULL: out of memory. */
struct audit_floods;
struct audit_floods *audit_floods_new(void);
void audit_floods_free(struct audit_floods *floods); /* ignores NULL */

/* Records that wait for room on the disk (audit_reserve.c). `size`: bytes, also of records that are lent. */
struct audit_reserve {
	struct note *first, *last; /* last: only valid while there is a first */
	size_t size;
};
/* Keeps the records of a change that SQL refused for lack of room. False: the change has others, or there is no
 * space for them. */
bool audit_reserve_keep(struct store *s, const struct change *change);
/* Moves the oldest records to the empty log of the batch; moves them back; counts them as written. The reserve
 * must not be empty for the first. */
void audit_reserve_lend(struct store *s);
void audit_reserve_take_back(struct store *s);
void audit_reserve_count_written(struct store *s);
void audit_reserve_done(struct audit_reserve *reserve); /* logs what is lost */
/* fills log.net: each changed row once, from its first to its last state */
void op_make_net(struct store *s);
/* Adds a record of the row's former state to the open transaction (store/past.h). */
RESULT past_note(struct store *s, struct ctx *c, const struct published *p);
/* after publishing: frees or retires replaced versions */
void op_end_batch(struct store *s, uint64_t commit);

/* ---- readers (view.c) ---- */

/* Pins of one stripe of the views, oldest first. Aligned to a cache line of its own. */
struct pins {
	pthread_mutex_t
		lock; /* guards the list; one for each stripe, so that readers seldom wait for each other */
	struct view *first, *last;
} __attribute__((aligned(64)));

/* True if the calling thread holds an open view that is being read; publishing, or opening another view,
 * would then deadlock. */
bool view_is_read_here(const struct store *s);
/* Makes room for row_count rows in the head's and the published tables. On the committer; readers continue
 * except while the grown table is swapped in. False: out of memory. */
bool view_grow_tables(struct store *s, enum kind kind, size_t row_count);
/* Takes over a replaced version that readers may still use. */
void view_retire(struct store *s, struct version *v, uint64_t commit);
void view_free_retired(struct store *s, bool all); /* frees versions that no view can see, or all */

/* ---- the committer (committer.c) ---- */

/* Job of the actor: commits the queued changes as one batch. */
void committer_run(struct job *job);
void committer_wake(struct store *s); /* any thread */
/* Writes the records that wait for room, as far as there is room. */
void committer_write_reserve(struct store *s);
/* Shows the batch in the log to readers, as commit. */
void committer_publish(struct store *s, uint64_t commit);
void committer_show_figures(struct store *s);
/* In a follower: applies what was committed since (follow.c). */
void follow_apply(struct store *s);
/* runs queued changes on the calling thread, after the actor was freed */
void committer_drain(struct store *s);

/* ---- the committer without a database (committer_lost.c) ---- */

/* Returns when the database can be reached, nothing waits any more, or the store closes. Refuses changes at
 * their deadline. */
void committer_wait_for_database(struct store *s);
/* Reads the commit number back as soon as the database can be reached. Changes leave the list *first when they
 * are answered. ERR_AGAIN: the store closes. */
RESULT committer_read_back(struct store *s, struct ctx *c, struct change **first, uint64_t *ret_found);
/* Keeps the committer from running a batch, until committer_let_go(). Any other thread. ERR_AGAIN: the outcome of a batch is open,
 * because the database cannot be reached. */
RESULT committer_hold(struct store *s, struct ctx *c);
void committer_let_go(struct store *s);
/* Logs once when the database cannot be reached, and once when it answers again. */
void committer_log_lost(struct store *s, struct result r, const struct ctx *c);
RESULT committer_say_unreachable(struct ctx *c);

/* ---- the store ---- */

struct store {
	/* Set at open. */
	void *block; /* allocation that contains the store, which is aligned within it */
	struct store_config config;
	struct actor *actor;
	struct {
		store_listener fn;
		void *self;
	} listeners[LISTENERS_MAX];
	size_t listener_count;
	const char *refusal; /* a follower's, for changes; NULL: this store writes */

	/* Used by the committer alone. */
	struct tables head;
	struct op_log log;
	struct audit_floods *floods;
	struct audit_reserve reserve;
	struct change *pending; /* taken from the queue, not run yet */
	struct version *first_retired, *last_retired;
	struct arena *arena;          /* for the batch's own context */
	uint64_t sql_commit;          /* number of the last commit in SQL */
	bool is_gone;                 /* the database files are not where the next start will look */
	bool is_lost;                 /* the database cannot be reached */
	_Atomic bool is_open;         /* the outcome of the batch under way is not known */
	bool (*has_room)(void *self); /* store_set_room() */
	void *room_self;
	struct service_judge *_Atomic judge; /* store_set_judge() */
	_Atomic bool is_full;                /* written by the committer */
	struct stamps stamps;
	struct store_figures figures; /* the committer's; shown_figures is the copy for others */

	/* A follower's. Readers may need what was committed before a moment: they ask for it, and it is done
	 * when a read of the feed that began later has ended. */
	_Atomic enum store_following following;
	_Atomic uint64_t feed_asked, feed_done;
	_Atomic int64_t fed_us; /* begin of the last successful read, by clock_boot_us() */

	/* Members for readers, guarded by lock: shared to read, exclusive to publish. */
	pthread_rwlock_t lock __attribute__((aligned(64)));
	struct tables published;
	uint64_t commit;
	struct pins pins[PIN_STRIPES];
	_Atomic uint64_t retired_until; /* highest retired_commit; 0: nothing is retired */

	/* Held while a batch runs, so that store_compare_with_sql() can stop the committer. */
	pthread_mutex_t still;
	/* Held while listeners run. A batch may wait for its database for minutes, store_unlisten() must not. */
	pthread_mutex_t listening;

	/* The queue. */
	pthread_mutex_t queue_lock __attribute__((aligned(64)));
	struct {
		struct change *first, **end;
	} queues[QUEUES];
	struct job job;
	bool scheduled, closing;
	int64_t slowest_us, slowest_at_us; /* slowest commit since the start, and its end; under queue_lock */
	struct store_figures shown_figures;
};
