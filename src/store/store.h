/* SPDX-License-Identifier: Apache-2.0
 * The store: all rows in memory with their indexes, and their durable copy in SQL.
 *
 * Writing. One thread, the committer, runs queued changes one by one on a private *head*, where each change
 * sees the results of those before it. It then commits the batch in one SQL transaction, *publishes* it, and
 * calls each change's done(). A change that fails is undone on the head. If SQL refuses the batch, all of it
 * is undone and every caller gets ERR_IO. If the outcome of COMMIT is unknown, nobody is answered until the
 * commit number was read back; if that fails, the process ends, and the next start loads what is there.
 *
 * Reading. A *view* pins the published batch. It holds a shared lock while it is read (from view_open() to
 * view_end_read()); only then may index functions be called. Rows that were found stay valid without any lock
 * until view_close(). A publish takes the lock exclusively, only to swap pointers. A replaced version of a
 * row is freed when the oldest view that could see it has closed.
 *
 * src/store/README.md lists these rules. */
#pragma once

#include "base/ctx.h"
#include "base/exec.h"
#include "base/vec.h"
#include "model/row.h"

struct store;
struct tables;     /* all rows and indexes: the head's, or the published ones */
struct sql_driver; /* store/sql.h */

/* ---- one change ---- */

struct op;
typedef RESULT (*op_run)(struct op *op, void *arg);

/* A change on its way through the committer. The caller keeps it alive until done() is called. */
struct change {
	op_run run; /* runs on the committer: memory only, no locks, no I/O, microseconds */
	void *arg;
	struct ctx *ctx; /* lent to the committer until done() */
	/* Runs on the committer's thread and may only wake somebody. If the store closes meanwhile, it runs
	 * on the closing thread. */
	void (*done)(struct change *change, struct result result);
	const char *action; /* static string, for events: "ec2:RunInstances" */
	bool by_clock;      /* not requested by anybody: samples, last uses. Counted separately */
	/* private */
	struct change *next;
	struct result result;
};

/* Context of a running change. */
struct op {
	struct ctx *ctx;
	const struct tables *head;
	struct store *store;
	const char *action;
	int64_t now_us;     /* constant within the change */
	struct op_log *log; /* private: the log for undo, SQL and publishing */
	bool is_permitted;  /* private to engine/: a permission was asked for, or none is needed */
	struct op_shown {
		enum kind kind; /* kind of the rows that the answer shows; KIND_NONE: none */
		VEC(const struct row *) named;
	} shown; /* private: op_show() */
};

/* Queues a change. Any thread. Never blocks and never fails: a closing store answers ERR_AGAIN. */
void store_submit(struct store *s, struct change *change);
/* Queues a change and waits for it. For the threads of commands, and for tests with threads; never on an HTTP
 * thread. action as in struct change. */
RESULT store_commit(struct store *s, struct ctx *c, const char *action, op_run run, void *arg);
/* The same with by_clock set. */
RESULT store_commit_by_clock(struct store *s, struct ctx *c, const char *action, op_run run, void *arg);

/* Functions for rows of any kind. Callers use the typed forms, which tools/schema.py generates for each kind K in
 * store/K.h. (model/K.h has the struct, its enums, and K_of(row), the checked cast.)
 *
 *   K_find(t, id)                   the row, live or marked deleted; NULL: none
 *   K_find_prefix(t, prefix, bits)  the only row whose id begins with these bits, else NULL
 *   K_first(t), K_next(t, row)      all rows in order of ids
 *   K_put(op, row)                  inserts or replaces the row with that id
 *   K_delete(op, id)                marks the row deleted: it stays until K_forget(op, id)
 *
 * and for each of its indexes X on the fields a, b, …:
 *
 *   K_first_by_X(t, a)              the first row, live or not, whose first key field is a; in the
 *                                   order b, …, creation, id
 *   K_next_by_X(t, row)             the next row with the same first key field, or NULL
 *   K_find_by_X(t, a, b, …)         the first live row with that whole key, or NULL; in a unique
 *                                   index the only one, in an index on one field the first live
 *                                   row of K_first_by_X()
 *
 * To walk an index:
 *
 *   for (const struct port *p = port_first_by_instance(t, id); p;
 *        p = port_next_by_instance(t, p))
 *
 * Inside a change only:
 *
 * op_put() inserts the row, or replaces the one with its id. The row is copied. The store sets created_us,
 * updated_us and commit and, in a new row that has neither made_by nor made_with, made_by (the calling user). usage is
 * taken over from the old row. The new version is on the head at once, and is undone if the change fails. ERR_EXISTS, with
 * the kind: a unique index has the key already. ERR_TOO_LARGE: a field holds more than its schema allows.
 * ERR_NO_MEMORY. */
RESULT op_put(struct op *op, enum kind kind, const struct row *row);
/* Marks the row deleted (deleted_us = now, gen + 1). It stays until op_forget(). */
RESULT op_delete(struct op *op, enum kind kind, uuid id);
/* Removes the row for good. Call it only when no driver holds anything of it any more. */
RESULT op_forget(struct op *op, enum kind kind, uuid id);
/* A savepoint: op_go_back() undoes what the change has put and noted since op_place_now(), so that the change
 * may continue after a part of it has failed. */
struct op_place {
	size_t entries;
	void *notes;
};
struct op_place op_place_now(const struct op *op);
void op_go_back(struct op *op, struct op_place place);
/* Declares that the answer will show rows of this kind: those that the change puts, and those named by
 * op_name(). */
void op_show(struct op *op, enum kind kind);
/* Declares that the change concerns this row of the head, even if it finds the row as wanted and puts
 * nothing. */
RESULT op_name(struct op *op, enum kind kind, const struct row *row);
/* Copies the rows to show into the context's arena in their present state on the head, with their usage
 * figures: first those that were put, in the order of their last puts, then those that were only named. The
 * answer stays valid when others change or forget these rows. */
RESULT op_copy_shown(struct op *op, struct rows *ret_rows);
/* The row before the change, or NULL. *ret_has_changed (may be NULL): the change touched the row. For
 * store_follower. */
const struct row *op_row_before(const struct op *op, enum kind kind, uuid id, bool *ret_has_changed);
/* Calls visit for each row that the change has created and that still exists, in its present state on the
 * head. Stops at the first failure and returns it. */
RESULT op_visit_made(struct op *op, RESULT (*visit)(void *arg, enum kind kind, const struct row *row),
		     void *arg);
/* Calls visit for each row that the change put, deleted or forgot: before the change (NULL: new), and in its
 * present state on the head (NULL: gone). */
RESULT op_visit_changed(struct op *op,
			RESULT (*visit)(void *arg, enum kind kind, const struct row *before,
					const struct row *after),
			void *arg);
/* Writes an event with the change, to SQL only. sentence and arguments (store/event.h) describe what happened. */
RESULT op_event(struct op *op, enum kind kind, uuid id, uuid account, const char *what, struct str sentence,
		struct str arguments);
/* Records a meter's level from now on, such as "instance:t3.micro" 1 or 0. Usage is its integral over time.
 * The record's time never goes back (store/ledger.h). */
RESULT op_usage(struct op *op, enum kind kind, uuid id, uuid account, struct str meter, int64_t level);

/* ---- tables: on the head inside a change, or of a view while it is read ---- */

/* The row with that id, or NULL. */
const struct row *tables_find(const struct tables *t, enum kind kind, uuid id);
/* The only row whose id begins with these bits, or NULL. */
const struct row *tables_find_prefix(const struct tables *t, enum kind kind, uuid prefix, unsigned bits);
/* The first row in the index's order whose first field_count key fields equal those of probe; with 0 the
 * first of all, and probe may be NULL. Only the key fields of probe matter; for index 0 that is the id, and
 * field_count is 1.
 *
 * Rows belong to the tables. Those of view->tables are valid until view_close(), those of the head until the
 * change ends, even if the change itself has replaced them. */
const struct row *tables_first(const struct tables *t, enum kind kind, unsigned index,
			       const struct row *probe, unsigned field_count);
/* The row after `after` in the index's order, or NULL if its first field_count key fields differ. `after`
 * came from these tables. The same change may have replaced or forgotten it since, so a loop may put the rows
 * it walks over; a loop that raises a key of this index meets rows again. */
const struct row *tables_next(const struct tables *t, enum kind kind, unsigned index, const struct row *after,
			      unsigned field_count);
/* The first row at or after probe in the index's order, by its first field_count fields: for ranges. One
 * field more than the index has compares by creation (index 0: id) as well, so that a list can continue where
 * a page ended. */
const struct row *tables_seek(const struct tables *t, enum kind kind, unsigned index, const struct row *probe,
			      unsigned field_count);
/* Positions of rows that have a term (model/term.h), in order of creation: the first one behind `after`
 * (zero: the first of all), and the next one. NULL: none. Only the tables of a view have terms. Two terms may
 * share a hash, so compare each row with the term. */
struct term;
const struct term *tables_first_term(const struct tables *t, enum kind kind, uint64_t hash,
				     struct row_place after);
const struct term *tables_next_term(const struct tables *t, enum kind kind, const struct term *term);
const struct row *term_row(const struct term *term);
size_t tables_count(const struct tables *t, enum kind kind);
/* tables_whole_commit(): the newest commit that changed the row or a part of it (the schema's parent), since
 * the process began; 0: none. tables_kind_commit(): the newest that changed any row of the kind. Only for the
 * tables of a view. */
uint64_t tables_whole_commit(const struct tables *t, enum kind kind, const struct row *row);
uint64_t tables_kind_commit(const struct tables *t, enum kind kind);

/* ---- views ---- */

struct view {
	const struct tables *tables; /* NULL after view_end_read() */
	struct store *store;
	uint64_t commit; /* the view shows everything up to this commit */
	/* private */
	struct view *next, *previous;
	bool is_reading;
};
struct reads; /* base/reads.h */
/* False: something of the record may have changed since, up to this view's commit. Only a view that is being read can tell
 * more than whether its commit is the record's. */
bool view_still_has(const struct view *v, const struct reads *reads);

/* Any thread may open a view. A view belongs to one thread and is closed where it was opened. Keep the walk
 * short: a publish waits for it, and later reads wait for that publish. For the same reason a thread must not
 * open a second view while it reads one (asserted): pass the view on. */
void view_open(struct store *s, struct view *ret_view);
void view_end_read(struct view *v); /* may be called again */
void view_close(struct view *v);    /* may be called again, and on a zeroed view */
#define AUTO_VIEW __attribute__((cleanup(view_close))) struct view

/* ---- listening ---- */

struct published {
	enum kind kind;
	const struct row *before; /* NULL: new */
	const struct row *after;  /* NULL: forgotten */
};

/* Runs on the committer right after a publish, before the calls of done(). Must not block. The tables are the
 * published ones and may be walked without a view; they and the rows are valid during the call only. Register
 * listeners before the first change; at most 8. */
typedef void (*store_listener)(void *self, const struct tables *tables, const struct published *published,
			       size_t count);
void store_listen(struct store *s, store_listener fn, void *self);
/* Removes a listener; ignores an unknown one. Waits for a running batch, so fn is not called any more
 * afterwards. Any thread but the committer's. */
void store_unlisten(struct store *s, store_listener fn, void *self);

/* Maintains derived usage figures (schema [usage]; model/row.h says who may read them). Called on the
 * committer for every change of a row on the head, with exchanged arguments to undo it, and once per row at
 * load when all are there (before NULL, usage zeroed). head is in the state after the change. Must not fail.
 * If figures are kept in another row, put that row first and forget it last. */
typedef void (*store_observer)(const struct tables *head, enum kind kind, const struct row *before,
			       const struct row *after);
/* An invariant, checked at the end of a change for each changed row: before (NULL: new) and after (NULL:
 * forgotten). NULL: valid. Otherwise the returned text is logged, and the change fails with ERR_INTERNAL. */
typedef const char *(*store_invariant)(enum kind kind, const struct row *before, const struct row *after);
/* Called after a successful change for each changed row, with the same arguments, before the invariant. It
 * records consequences (op_usage(), op_ledger()) and may put new rows of kinds that
 * it does not follow, such as events. A failure fails the change. */
typedef RESULT (*store_follower)(struct op *op, enum kind kind, const struct row *before,
				 const struct row *after);

/* ---- life ---- */

struct store_config {
	struct executor *executor;
	struct sql_driver *sql; /* owned by the store from store_open() on, even if that fails */
	store_observer observe; /* may be NULL */
	store_invariant check;  /* may be NULL */
	store_follower follow;  /* may be NULL */
	size_t batch_max;       /* changes in one commit; 0: 4096 */
};

/* Migrates the database, loads all rows and builds the indexes. Blocks. ERR_STATE, with a message: the
 * database is newer than this program. ERR_IO. */
RESULT store_open(struct ctx *c, const struct store_config *config, struct store **ret_store);
void store_close(struct store *s); /* runs what is queued, then ends the committer */
struct store_figures {
	uint64_t commit, changes, failed; /* since the start */
	uint64_t clock_commits;           /* commits that consist of by_clock changes only, since the start */
	size_t rows, row_bytes, retired;  /* retired: versions that wait for a view to close */
	int64_t last_commit_us;           /* duration of the last COMMIT */
};
void store_read_figures(struct store *s, struct store_figures *ret_figures);
/* Reads events, newest first unless the query says otherwise, through a separate SQL connection. Blocks. Any
 * thread but the committer's. Texts are valid during each(). */
struct event;
struct event_query;
RESULT store_read_events(struct store *s, struct ctx *c, const struct event_query *query,
			 RESULT (*each)(void *arg, const struct event *event), void *arg);
/* Reads usage records in the query's order (store/ledger.h). Blocking and threads as above. */
struct usage;
struct usage_query;
RESULT store_read_usage(struct store *s, struct ctx *c, const struct usage_query *query,
			RESULT (*each)(void *arg, const struct usage *usage), void *arg);
/* Reads all rows back from SQL and compares them with memory. ERR_CONFLICT names the first difference. For
 * audit and tests. Blocks, and stops writers (not readers) meanwhile. Any thread but the committer's. */
RESULT store_compare_with_sql(struct store *s, struct ctx *c);
/* ERR_GONE, with a message: the database files are not where the next start will look for them, and the store
 * accepts no changes. Any thread. */
RESULT store_find_database(struct store *s, struct ctx *c);
