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
	bool is_dry; /* what would have succeeded is undone and fails with ERR_DRY_RUN */
	enum kind
		returns; /* the answer is written from rows of this kind, as the change leaves them; KIND_NONE */
	struct audit_call *audit; /* is recorded with it; NULL: it is not */
	/* made, in the call's arena: */
	struct rows returned; /* the rows of that kind that it is about (op_copy_shown) */
};
/* Parks the call, runs the operation on the committer, and calls resume() on a pool thread with its
 * result once the change is published. The face's thread must return without touching the call again. */
void api_commit(struct call *call, struct store *store, struct api_change *change,
		void (*resume)(struct call *call, struct result result));

/* Of a call that is recorded and has no record yet, when what became of it is known (code: as its caller is
 * told): parks the call until its record is in SQL, and calls then() on a pool thread with what came of
 * writing it. False: there is nothing to record (a NULL: never), and then() is not called. */
bool api_record(struct audit_call *a, struct store *store, struct result result, struct str code,
		void (*then)(struct audit_call *a, struct result written));
/* The answer of a recorded call: sent when its record is in SQL. Takes the buffer's memory. Without its
 * record nothing of it is sent, and fail() answers instead. */
void api_answer_recorded(struct audit_call *a, struct store *store, int status, const char *content_type,
			 struct buf *body, void (*fail)(struct call *call, struct result result));

/* How many key pairs may wait to be made: an RSA key takes a processor a tenth of a second, so that what all
 * may ask for takes some seconds. */
enum { KEYS_WAITING_MAX = 64, KEYS_WAITING_OF_ONE = 8 };
/* The lane for that, which the faces share. */
RESULT api_new_key_lane(struct ctx *c, struct executor *executor, struct lane **ret_lane);

/* Threads of somebody's own, for work that may last: start() takes it over, and calls its done() once. */
struct api_threads {
	void (*start)(void *self, struct work_item *w);
	void *self;
};

/* Work that takes its time: on a lane, where only so much of one asker's waits; or on files of the image
 * store, on a thread of the image's. arg as in struct work_item. */
struct api_work {
	struct lane *lane;   /* NULL: for the image */
	uuid asker;          /* on the lane: for whom */
	const char *refusal; /* and the words of ERR_THROTTLED: too much of theirs waits */
	struct reconciler *reconciler;
	uuid image;
	const struct api_threads *threads; /* or on one of these; NULL */
	RESULT (*run)(struct work_item *w);
	void *arg;
};
/* Parks the call until it is done; work itself may be gone by then. */
void api_work(struct call *call, const struct api_work *work,
	      void (*resume)(struct call *call, struct result result));

/* A look at a host: look() runs on the host's own thread, reads, and changes nothing; it finds arg in
 * the observation. */
struct api_look {
	struct reconciler *reconciler; /* NULL: ERR_GONE */
	uuid host;
	int64_t timeout_us; /* of the wait in the host's queue */
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	void *arg;
};
/* Parks the call until it is done; look itself may be gone by then. */
void api_observe(struct call *call, const struct api_look *look,
		 void (*resume)(struct call *call, struct result result));
/* In an answer: the row of the kind that the change returns, as it left it; NULL: it was not about it. */
const struct row *api_find_in_change(const struct api_change *change, enum kind kind, uuid id);
