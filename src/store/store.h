/* SPDX-License-Identifier: Apache-2.0
 * The store: every live row in memory with its indexes, and its truth in SQL.
 *
 * Writing. One committer (an actor) runs queued changes one by one against a private head, where
 * the second sees the first's result; commits the batch in one SQL transaction; publishes it; then
 * calls each change's done(). A change that fails leaves no trace on the head. If SQL refuses the
 * batch, all of it is undone and every caller gets ERR_IO. If COMMIT's outcome is unknown, nobody
 * is answered until the batch number is read back; failing that, the process ends and reloads.
 *
 * Reading. A view pins the published epoch. It holds a shared lock while it is "walking" (from
 * view_open to view_stop_walking), in which index functions may be called and row pointers
 * gathered; afterwards the gathered rows stay valid, without any lock, until view_close. Publish
 * takes the lock exclusively only to swap pointers. Replaced rows are freed after the oldest pin.
 *
 * Sources: DESIGN decisions 2 and 3. */
#pragma once

#include "base/ctx.h"
#include "base/exec.h"
#include "base/vec.h"
#include "model/row.h"

struct store;
struct tables;     /* all kinds' rows and indexes: the head, or the published ones */
struct sql_driver; /* store/sql.h */

/* ---- one change ---- */

struct op;
typedef RESULT (*op_run)(struct op *op, void *arg);

/* A change on its way through the committer; the caller keeps it alive until done() is called. */
struct change {
	op_run run; /* on the committer: memory only, no locks, no I/O, microseconds */
	void *arg;
	struct ctx *ctx; /* lent to the committer until done() */
	/* On the committer's thread: wake somebody, no more. While the store closes, on the closer's. */
	void (*done)(struct change *change, struct result result);
	const char *action; /* for the events: "ec2:RunInstances" */
	/* private: */
	struct change *next;
	struct result result;
};

/* What a running change works with. */
struct op {
	struct ctx *ctx;
	const struct tables *head;
	struct store *store;
	const char *action;
	int64_t now_us;     /* one instant for the whole change */
	struct op_log *log; /* private: what was put, for undo, SQL and publish */
	struct op_shown {
		enum kind kind; /* of the rows that the answer shows; KIND_NONE: none */
		VEC(const struct row *) named;
	} shown; /* private: op_show() */
};

/* Any thread. Never blocks, never fails: a store that is closing answers ERR_AGAIN. */
void store_submit(struct store *s, struct change *change);
/* Submits and waits; for the CLI's threads and tests with a threads executor, never for HTTP
 * threads. action as in struct change. */
RESULT store_commit(struct store *s, struct ctx *c, const char *action, op_run run, void *arg);

/* The functions below take any kind of row. Use their typed forms, which tools/schema.py makes for each
 * kind K in store/K.h (what model/K.h has is the struct, its enums, and K_of(row), the checked cast):
 *   K_find(t, id)                   the row, live or marked deleted; NULL: there is none
 *   K_find_prefix(t, prefix, bits)  the only row whose id begins with these bits, else NULL
 *   K_first(t), K_next(t, row)      all rows in the order of their ids
 *   K_put(op, row)                  inserts or replaces the row of that id
 *   K_delete(op, id)                marks the row deleted: it stays until K_forget(op, id)
 * and for each of its indexes X on the fields a, b, …:
 *   K_first_by_X(t, a)              the first row, live or not, whose first key field is a, in the order b, …, id
 *   K_next_by_X(t, row)             the next row with the same first key field, or NULL
 *   K_find_by_X(t, a, b, …)         the first live row with that whole key, or NULL; a unique index has no
 *                                   other. It is made for unique indexes and for those on several fields.
 * To walk an index: for (const struct port *p = port_first_by_instance(t, id); p; p = port_next_by_instance(t, p))
 *
 * Inside a change only:
 * op_put inserts the row or replaces the one with its id. The row is copied; created_us, updated_us, batch
 * and, in a new row that says none, made_by (the user who asks) are set by the store; side is kept. It shows
 * on the head at once and is undone if the change fails. ERR_EXISTS (with the kind) when a unique index has
 * the key already; ERR_TOO_LARGE when a field holds more than its schema says; ERR_NO_MEMORY. */
RESULT op_put(struct op *op, enum kind kind, const struct row *row);
/* Marks deleted (deleted_us = now, gen + 1); the row stays until op_forget. */
RESULT op_delete(struct op *op, enum kind kind, uuid id);
/* Removes the row for good: only once no driver holds anything of it. */
RESULT op_forget(struct op *op, enum kind kind, uuid id);
/* The answer will show rows of this kind: what the change puts, and what it names without a put. */
void op_show(struct op *op, enum kind kind);
/* The change is about this row of the head, whether it puts it or finds it as wanted already. */
RESULT op_name(struct op *op, enum kind kind, const struct row *row);
/* Copies, in the context's arena, of the rows to show as they are now on the head: those put, in the order
 * of their last puts, then those named alone. For an answer that is written when others may have changed or
 * forgotten them. Their figures (side) are copied, too. */
RESULT op_copy_shown(struct op *op, struct rows *ret_rows);
/* Calls visit for each row that the change made and that is still there, as it is now on the head. Ends with
 * the first failure. */
RESULT op_visit_made(struct op *op, RESULT (*visit)(void *arg, enum kind kind, const struct row *row),
		     void *arg);
/* One line of history, in SQL only: written with the change. text: what happened, in words. */
RESULT op_event(struct op *op, enum kind kind, uuid id, uuid account, const char *what, struct str text);
/* A meter's new level from now on (usage is the integral): meter "instance:t3.micro", 1 or 0. */
RESULT op_usage(struct op *op, enum kind kind, uuid id, uuid account, struct str meter, int64_t level);

/* ---- tables: on the head inside a change, or of a view while it walks ---- */

/* The row with that id, or NULL. */
const struct row *tables_find(const struct tables *t, enum kind kind, uuid id);
/* The only row whose id begins with the bits, else NULL. */
const struct row *tables_find_prefix(const struct tables *t, enum kind kind, uuid prefix, unsigned bits);
/* The rows are the tables' own: for view->tables until view_close, for the head until the change
 * ends (a version that the change itself replaced stays readable as long). In probe only the key
 * fields count, for index 0 the id (field_count 1); NULL with field_count 0.
 * First row in index order whose first field_count key fields equal those of probe (0: all). */
const struct row *tables_first(const struct tables *t, enum kind kind, unsigned index,
			       const struct row *probe, unsigned field_count);
/* The one after `after` in index order, or NULL when its first field_count key fields differ. after
 * was given by these tables; it may have been replaced or forgotten since by the same change, so a
 * loop may put what it walks over (one that raises a key of the index walked meets rows again). */
const struct row *tables_next(const struct tables *t, enum kind kind, unsigned index, const struct row *after,
			      unsigned field_count);
/* First row at or after probe in index order, by its first field_count fields: for ranges. One
 * field more than the index has means by the id too: to go on where a page ended. */
const struct row *tables_seek(const struct tables *t, enum kind kind, unsigned index, const struct row *probe,
			      unsigned field_count);
/* The places of rows with a term (model/term.h), in the order of their ids: the first behind `after` (none:
 * the first of all), the one after another; NULL: there is none. The tables of a view only: the head has no
 * terms. A hash may lie, once in a long life: compare what is found with what is sought. */
struct term;
const struct term *tables_first_term(const struct tables *t, enum kind kind, uint64_t hash, uuid after);
const struct term *tables_next_term(const struct tables *t, enum kind kind, const struct term *term);
const struct row *term_row(const struct term *term);
size_t tables_count(const struct tables *t, enum kind kind);
/* The newest commit that changed the row or a row that is part of it (the schema's part_of), since the
 * process began; 0: none did. And the newest that changed any row of the kind. The tables of a view only. */
uint64_t tables_family_batch(const struct tables *t, enum kind kind, const struct row *row);
uint64_t tables_kind_batch(const struct tables *t, enum kind kind);

/* ---- views ---- */

struct view {
	const struct tables *tables; /* NULL when not walking */
	struct store *store;
	uint64_t batch; /* what is seen is everything up to this commit */
	/* private: */
	struct view *next, *previous;
	bool walking;
};

/* Any thread, but a view belongs to one, and stays where it was opened. Keep the walk short: a
 * publish waits for it, and later walks wait for the publish. So a thread must not open a second
 * view of the store while one walks (asserted): pass the view on. */
void view_open(struct store *s, struct view *ret_view);
void view_stop_walking(struct view *v); /* idempotent */
void view_close(struct view *v);        /* idempotent; a zeroed view may be closed */
#define AUTO_VIEW __attribute__((cleanup(view_close))) struct view

/* ---- listening ---- */

struct published {
	enum kind kind;
	const struct row *before; /* NULL: new */
	const struct row *after;  /* NULL: forgotten */
};

/* fn runs on the committer right after a publish, before the done()s; it must not block. The tables are
 * as published, to be walked without a view; they and the rows are valid during the call only. Register
 * before the first change. At most 8 listeners. */
typedef void (*store_listener)(void *self, const struct tables *tables, const struct published *published,
			       size_t count);
void store_listen(struct store *s, store_listener fn, void *self);
/* Takes it back; unknown: nothing. Waits for a publish under way: fn is not called any more after
 * it. Any thread but the committer's. */
void store_unlisten(struct store *s, store_listener fn, void *self);

/* The derived side figures (schema [side]; who may read them: model/row.h): called on the committer for every change of a row on
 * the head, with the arguments exchanged to undo it, and once per row at load, when all are there
 * (before NULL, side zeroed). head is as after the change. Must not fail. Where figures stand at
 * another row, put that one first and forget it last. */
typedef void (*store_observer)(const struct tables *head, enum kind kind, const struct row *before,
			       const struct row *after);
/* An invariant checked on each row a change has changed, when it ends: as it was before the change
 * (NULL: new) and as it is left (NULL: forgotten). A failure refuses the change with ERR_INTERNAL
 * and is logged. NULL message: fine. */
typedef const char *(*store_invariant)(enum kind kind, const struct row *before, const struct row *after);

/* ---- life ---- */

struct store_config {
	struct executor *executor;
	struct sql_driver *sql; /* owned by the store from store_open on, also when it fails */
	store_observer observe; /* may be NULL */
	store_invariant check;  /* may be NULL */
	size_t batch_max;       /* changes in one commit; 0: 4096 */
};

/* Migrates, loads every row, builds the indexes. ERR_STATE with words when the database is newer
 * than this program, ERR_IO. */
RESULT store_open(struct ctx *c, const struct store_config *config, struct store **ret_store);
void store_close(struct store *s); /* ends what is queued, then the committer */
struct store_figures {
	uint64_t batch, changes, failed; /* since start */
	size_t rows, row_bytes, retired; /* retired: waiting for a pin to go */
	int64_t last_commit_us;          /* duration of the last COMMIT */
};
void store_read_figures(struct store *s, struct store_figures *ret_figures);
/* What happened to a resource, newest first, at most max: from SQL, by a connection of its own. Any thread
 * but the committer's; blocks for as long as that reads. Its strings are in c's arena. */
struct event;
RESULT store_read_events(struct store *s, struct ctx *c, uuid id, size_t max,
			 RESULT (*each)(void *arg, const struct event *event), void *arg);
/* An account's records of a meter, by resource, oldest first; likewise. */
struct usage;
struct usage_query;
RESULT store_read_usage(struct store *s, struct ctx *c, const struct usage_query *query,
			RESULT (*each)(void *arg, const struct usage *usage), void *arg);
/* Reads every row back from SQL and compares with memory; says the first difference. For audit
 * and tests: any thread but the committer's, blocks, and holds up writers (not readers) meanwhile.
 * ERR_CONFLICT on a difference. */
RESULT store_compare_with_sql(struct store *s, struct ctx *c);
/* Whether the database is where the next start looks for it. ERR_GONE, in words: it is not, and no change is
 * taken. Any thread. */
RESULT store_find_database(struct store *s, struct ctx *c);
