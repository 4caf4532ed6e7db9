/* SPDX-License-Identifier: Apache-2.0
 * Parks a call while a change is at the committer, work on a lane, a look at a host, or a record on its way to the
 * audit log: no thread waits. Faces without actions use these functions by themselves. */
#pragma once

#include "api/core/audit.h"
#include "base/lane.h"
#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

/* A change, as a face asks for it. It lives as long as the call's arena, and so does its wish. */
struct api_change {
	const char *action; /* static, for the events */
	op_run run;
	void *wish;
	bool is_dry; /* a success is undone, and fails with ERR_DRY_RUN */
	enum kind
		returns; /* kind of the rows that the answer is written from, as the change leaves them; KIND_NONE */
	struct audit_call *audit; /* record to write with the change; NULL: it is not recorded */
	/* Set by api_commit(), in the call's arena: the rows of kind `returns` that the change is about (op_copy_shown). */
	struct rows returned;
};
/* Parks the call, runs the operation on the committer, and calls resume() on a pool thread with its
 * result once the change is published. The face's thread must return without touching the call again. */
void api_commit(struct call *call, struct store *store, struct api_change *change,
		void (*resume)(struct call *call, struct result result));

/* Writes the record of a call whose result is known (code: the one that its caller sees): parks the call until the
 * record is in SQL, and calls then() on a pool thread with the result of writing it. False: there is nothing to
 * record (a may be NULL), or the record is written already; then() is not called. */
bool api_record(struct audit_call *a, struct store *store, struct result result, struct str code,
		void (*then)(struct audit_call *a, struct result written));
/* Sends the answer of a recorded call once its record is in SQL. Takes the buffer's memory. If the record cannot be
 * written, nothing of the answer is sent, and fail() answers instead. */
void api_answer_recorded(struct audit_call *a, struct store *store, int status, const char *content_type,
			 struct buf *body, void (*fail)(struct call *call, struct result result));

/* Maximum number of key pairs that wait to be generated, in all and of one caller. An RSA key takes a processor a tenth
 * of a second, so a full queue takes some seconds. */
enum { KEYS_WAITING_MAX = 64, KEYS_WAITING_OF_ONE = 8 };
/* Makes the lane that generates key pairs for all faces. */
RESULT api_new_key_lane(struct ctx *c, struct executor *executor, struct lane **ret_lane);

/* Threads for long work: start() takes it over, and calls its done() once. */
struct api_threads {
	void (*start)(void *self, struct work_item *w);
	void *self;
};

/* Slow work: on a lane, where the waiting work of one caller is bounded; or on files of the image store, on a
 * thread of the image. arg: as in struct work_item. */
struct api_work {
	struct lane *lane;   /* NULL: a thread of the image does it */
	uuid asker;          /* on the lane: the user in whose share it counts */
	const char *refusal; /* message of ERR_THROTTLED, when that share is full */
	struct reconciler *reconciler;
	uuid image;
	const struct api_threads *threads; /* threads that do it instead; NULL: there are none */
	RESULT (*run)(struct work_item *w);
	void *arg;
};
/* Parks the call until the work is done; *work need not live that long. */
void api_work(struct call *call, const struct api_work *work,
	      void (*resume)(struct call *call, struct result result));

/* A look at a host: look() runs on the host's own thread, reads, and changes nothing; it finds arg in
 * the observation. */
struct api_look {
	struct reconciler *reconciler; /* NULL: ERR_GONE */
	uuid host;
	int64_t timeout_us; /* limit of the wait in the host's queue */
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	void *arg;
};
/* Parks the call until the look is done; *look need not live that long. */
void api_observe(struct call *call, const struct api_look *look,
		 void (*resume)(struct call *call, struct result result));
/* In an answer: a row that the change returned, as it left it; NULL: the change was not about that row. */
const struct row *api_find_in_change(const struct api_change *change, enum kind kind, uuid id);
