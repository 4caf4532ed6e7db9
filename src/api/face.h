/* SPDX-License-Identifier: Apache-2.0
 * What all faces share: handing a change to the committer, or a look to a host, while the call is
 * parked and no thread waits. */
#pragma once

#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

/* Parks the call, runs the operation on the committer, and calls resume() on a pool thread with its
 * result once the change is published. wish must live as long as the call's arena; action is a
 * static string, for the events. The face's thread must return without touching the call again. */
void face_commit(struct call *call, struct store *store, const char *action, op_run run, void *wish,
		 void (*resume)(struct call *call, struct result result));

/* The same, but what would have succeeded is undone and fails with ERR_DRY_RUN. */
void face_commit_dry(struct call *call, struct store *store, const char *action, op_run run, void *wish,
		     void (*resume)(struct call *call, struct result result));

/* A look at a host: look() runs on the host's own thread, reads, and changes nothing; it finds arg in
 * the observation. */
struct face_look {
	struct reconciler *reconciler; /* NULL: ERR_GONE */
	uuid host;
	int64_t timeout_us; /* of the wait in the host's queue */
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	void *arg;
};
/* Parks the call until it is done; look itself may be gone by then. */
void face_observe(struct call *call, const struct face_look *look,
		  void (*resume)(struct call *call, struct result result));
