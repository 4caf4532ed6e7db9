/* SPDX-License-Identifier: Apache-2.0
 * The store: every row in memory with its indexes, and its truth in SQL.
 *
 * Writing. One thread, the committer, runs queued changes one by one on a private *head*, where
 * each change sees the results of those before it. It then commits the batch in one SQL
 * transaction, *publishes* it, and calls each change's done(). A change that fails is undone on the
 * head. If SQL refuses the batch, all of it is undone and every caller gets ERR_IO. If nobody knows
 * whether COMMIT took place, nobody is answered until the commit number was read back; if that
 * fails, the process ends, and the next start loads what is there.
 *
 * Reading. A *view* pins the published batch. It holds a shared lock while it is read (from view_open
 * to view_end_read); only then may index functions be called. Rows that were found stay valid
 * without any lock until view_close. A publish takes the lock exclusively, only to swap pointers. A
 * row that was replaced is freed when the oldest view that could see it has closed.
 *
 * src/store/README.md has these rules as a list. */
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
	op_run run; /* on the committer: memory only, no locks, no I/O, microseconds */
	void *arg;
	struct ctx *ctx; /* lent to the committer until done() */
	/* Runs on the committer's thread, and may only wake somebody. If the store closes
	 * meanwhile, it runs on the thread that closes it. */
	void (*done)(struct change *change, struct result result);
	const char *action; /* static; for the events: "ec2:RunInstances" */
	bool by_clock;      /* nobody asked for it: figures, last uses. Counted apart */
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
	int64_t now_us;     /* the same for the whole change */
	struct op_log *log; /* private: what was put, for undo, SQL and publish */
	struct op_shown {
		enum kind kind; /* kind of the rows that the answer shows; KIND_NONE: none */
		VEC(const struct row *) named;
	} shown; /* private: op_show() */
};

/* Queues a change. Any thread. It never blocks and never fails: a store that is closing answers
 * with ERR_AGAIN. */
void store_submit(struct store *s, struct change *change);
/* Queues a change and waits for it. For the threads of commands, and for tests with threads; never
 * on an HTTP thread. action as in struct change. */
RESULT store_commit(struct store *s, struct ctx *c, const char *action, op_run run, void *arg);
/* Likewise, of a change that nobody asked for. */
RESULT store_commit_by_clock(struct store *s, struct ctx *c, const char *action, op_run run, void *arg);

/* The functions below take any kind of row. Use their typed forms, which tools/schema.py makes for
 * each kind K in store/K.h. (model/K.h has the struct, its enums, and K_of(row), the checked cast.)
 *
 *   K_find(t, id)                   the row, live or marked deleted; NULL: there is none
 *   K_find_prefix(t, prefix, bits)  the only row whose id begins with these bits, else NULL
 *   K_first(t), K_next(t, row)      all rows in the order of their ids
 *   K_put(op, row)                  inserts or replaces the row of that id
 *   K_delete(op, id)                marks the row deleted: it stays until K_forget(op, id)
 *
 * and for each of its indexes X on the fields a, b, …:
 *
 *   K_first_by_X(t, a)              the first row, live or not, whose first key field is a; in the
 *                                   order b, …, id
 *   K_next_by_X(t, row)             the next row with the same first key field, or NULL
 *   K_find_by_X(t, a, b, …)         the first live row with that whole key, or NULL. A unique index
 *                                   has no other. Made for unique indexes and for those on several
 *                                   fields.
 *
 * To walk an index:
 *
 *   for (const struct port *p = port_first_by_instance(t, id); p;
 *        p = port_next_by_instance(t, p))
 *
 * Inside a change only:
 *
 * op_put inserts the row, or replaces the one with its id. The row is copied. The store sets
 * created_us, updated_us and batch, and in a new row that has none, made_by (the user who asks).
 * usage stays that of the old row. The new version is on the head at once, and is undone if the
 * change fails. ERR_EXISTS, with the kind: a unique index has the key already. ERR_TOO_LARGE: a
 * field holds more than its schema allows. ERR_NO_MEMORY. */
RESULT op_put(struct op *op, enum kind kind, const struct row *row);
/* Marks the row deleted (deleted_us = now, gen + 1). It stays until op_forget(). */
RESULT op_delete(struct op *op, enum kind kind, uuid id);
/* Removes the row for good. Call it only when no driver holds anything of it any more. */
RESULT op_forget(struct op *op, enum kind kind, uuid id);
/* Where a change stands, and back to there: what it put and wrote down since is taken back, so that it may go on
 * after a part of it has failed. */
struct op_place {
	size_t entries;
	void *notes;
};
struct op_place op_place_now(const struct op *op);
void op_go_back(struct op *op, struct op_place place);
/* Says that the answer will show rows of this kind: those that the change puts, and those that it
 * names by op_name(). */
void op_show(struct op *op, enum kind kind);
/* Says that the change is about this row of the head, whether it puts it or finds it as wanted
 * already. */
RESULT op_name(struct op *op, enum kind kind, const struct row *row);
/* Copies the rows to show into the context's arena, as they are now on the head, with their usage
 * figures: first those that were put, in the order of their last puts, then those that were only
 * named. The answer may be written when others have changed or forgotten these rows. */
RESULT op_copy_shown(struct op *op, struct rows *ret_rows);
/* The row as it was before the change, or NULL. has_changed, which may be NULL: whether the change touched it.
 * For store_follower. */
const struct row *op_row_before(const struct op *op, enum kind kind, uuid id, bool *ret_has_changed);
/* Calls visit for each row that the change has made and that still exists, as it is now on the
 * head. The first failure of visit ends it and is returned. */
RESULT op_visit_made(struct op *op, RESULT (*visit)(void *arg, enum kind kind, const struct row *row),
		     void *arg);
/* Calls visit for each row that the change put, deleted or forgot: as it was before the change (NULL: there was none), and as it
 * is now on the head (NULL: it is gone). */
RESULT op_visit_changed(struct op *op,
			RESULT (*visit)(void *arg, enum kind kind, const struct row *before,
					const struct row *after),
			void *arg);
/* Writes one line of history with the change, to SQL only. text says in words what happened. */
RESULT op_event(struct op *op, enum kind kind, uuid id, uuid account, const char *what, struct str text);
/* Records a meter's level from now on, such as "instance:t3.micro" 1 or 0. Usage is the integral of
 * it. The record's time never goes back, whatever the clock does (store/ledger.h). */
RESULT op_usage(struct op *op, enum kind kind, uuid id, uuid account, struct str meter, int64_t level);

/* ---- tables: on the head inside a change, or of a view while it is read ---- */

/* The row with that id, or NULL. */
const struct row *tables_find(const struct tables *t, enum kind kind, uuid id);
/* The only row whose id begins with these bits, or NULL. */
const struct row *tables_find_prefix(const struct tables *t, enum kind kind, uuid prefix, unsigned bits);
/* The first row in the order of the index whose first field_count key fields equal those of probe;
 * with 0 the first of all, and probe may be NULL. Only the key fields of probe count; of index 0
 * that is the id, and field_count is 1.
 *
 * Rows are the tables' own. Those of view->tables are valid until view_close(), those of the head
 * until the change ends, even if the change itself has replaced them. */
const struct row *tables_first(const struct tables *t, enum kind kind, unsigned index,
			       const struct row *probe, unsigned field_count);
/* The row after `after` in the order of the index, or NULL if its first field_count key fields
 * differ. `after` came from these tables. The same change may have replaced or forgotten it since,
 * so a loop may put the rows that it walks over; one that raises a key of this index meets rows
 * again. */
const struct row *tables_next(const struct tables *t, enum kind kind, unsigned index, const struct row *after,
			      unsigned field_count);
/* The first row at or after probe in the order of the index, by its first field_count fields: for
 * ranges. One field more than the index has means "and by the id", so that a list can go on where a
 * page ended. */
const struct row *tables_seek(const struct tables *t, enum kind kind, unsigned index, const struct row *probe,
			      unsigned field_count);
/* The places of rows that have a term (model/term.h), in the order in which the rows were created: the first one
 * behind `after` (zero: the first of all), and the one after another. NULL: there is none. Only the
 * tables of a view have terms. Two terms may have one hash, so compare each row with what is
 * sought. */
struct term;
const struct term *tables_first_term(const struct tables *t, enum kind kind, uint64_t hash,
				     struct row_place after);
const struct term *tables_next_term(const struct tables *t, enum kind kind, const struct term *term);
const struct row *term_row(const struct term *term);
size_t tables_count(const struct tables *t, enum kind kind);
/* The number of the newest commit that changed the row, or a row that is part of it (the schema's
 * parent), since the process began; 0: none did. And the newest that changed any row of the kind.
 * Only the tables of a view know it. */
uint64_t tables_whole_commit(const struct tables *t, enum kind kind, const struct row *row);
uint64_t tables_kind_commit(const struct tables *t, enum kind kind);

/* ---- views ---- */

struct view {
	const struct tables *tables; /* NULL when not read */
	struct store *store;
	uint64_t commit; /* the view shows everything up to this commit */
	/* private: */
	struct view *next, *previous;
	bool is_reading;
};

/* Any thread may open a view. A view belongs to one thread, and is closed where it was opened. Keep
 * the walk short: a publish waits for it, and later reads wait for that publish. For the same
 * reason a thread must not open a second view of the store while one is read (asserted): pass the
 * view on. */
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

/* Runs on the committer right after a publish, before the done()s. It must not block. The tables
 * are those that were published, and are walked without a view; they and the rows are valid during
 * the call only. Register listeners before the first change; there may be 8. */
typedef void (*store_listener)(void *self, const struct tables *tables, const struct published *published,
			       size_t count);
void store_listen(struct store *s, store_listener fn, void *self);
/* Removes a listener; an unknown one: nothing. Waits for a publish under way, so that fn is not
 * called any more afterwards. Any thread but the committer's. */
void store_unlisten(struct store *s, store_listener fn, void *self);

/* The derived usage figures (schema [usage]; who may read them: model/row.h): called on the committer for every change of a row on
 * the head, with the arguments exchanged to undo it, and once per row at load, when all are there
 * (before NULL, usage zeroed). head is as after the change. Must not fail. Where figures stand at
 * another row, put that one first and forget it last. */
typedef void (*store_observer)(const struct tables *head, enum kind kind, const struct row *before,
			       const struct row *after);
/* An invariant. When a change ends, it is called for each row that was changed: as the row was
 * before (NULL: new), and as it is left (NULL: forgotten). NULL: fine. Else the returned words are
 * logged, and the change fails with ERR_INTERNAL. */
typedef const char *(*store_invariant)(enum kind kind, const struct row *before, const struct row *after);
/* When a change has succeeded: called for each row that it changed, with the same arguments, before the
 * invariant. It writes down what follows from the change (op_usage, op_ledger), and puts no rows. A failure
 * fails the change. */
typedef RESULT (*store_follower)(struct op *op, enum kind kind, const struct row *before,
				 const struct row *after);

/* ---- life ---- */

struct store_config {
	struct executor *executor;
	struct sql_driver *sql; /* owned by the store from store_open on, also when it fails */
	store_observer observe; /* may be NULL */
	store_invariant check;  /* may be NULL */
	store_follower follow;  /* may be NULL */
	size_t batch_max;       /* changes in one commit; 0: 4096 */
};

/* Migrates the database, loads every row and builds the indexes. Blocks. ERR_STATE, in words: the
 * database is newer than this program. ERR_IO. */
RESULT store_open(struct ctx *c, const struct store_config *config, struct store **ret_store);
void store_close(struct store *s); /* runs what is queued, then ends the committer */
struct store_figures {
	uint64_t commit, changes, failed; /* since start */
	uint64_t clock_commits;           /* likewise, of changes by the clock alone */
	size_t rows, row_bytes, retired;  /* retired: versions that wait for a view to close */
	int64_t last_commit_us;           /* how long the last COMMIT took */
};
void store_read_figures(struct store *s, struct store_figures *ret_figures);
/* Reads what happened, newest first. It reads SQL over a connection of its own, and blocks meanwhile.
 * Any thread but the committer's. Texts are valid during the call of each(). */
struct event;
struct event_query;
RESULT store_read_events(struct store *s, struct ctx *c, const struct event_query *query,
			 RESULT (*each)(void *arg, const struct event *event), void *arg);
/* Reads an account's records of a meter, by resource, oldest first; in the same way. */
struct usage;
struct usage_query;
RESULT store_read_usage(struct store *s, struct ctx *c, const struct usage_query *query,
			RESULT (*each)(void *arg, const struct usage *usage), void *arg);
/* Reads every row back from SQL and compares it with memory. ERR_CONFLICT names the first
 * difference. For audit and tests: any thread but the committer's; it blocks, and stops writers
 * (not readers) meanwhile. */
RESULT store_compare_with_sql(struct store *s, struct ctx *c);
/* Checks that the database is where the next start looks for it. ERR_GONE, in words: it is not, and
 * the store takes no change. Any thread. */
RESULT store_find_database(struct store *s, struct ctx *c);
