/* SPDX-License-Identifier: Apache-2.0
 * Long-running work: an actor runs it, while the requester waits without a thread. */
#pragma once

#include "base/ctx.h"
#include "base/exec.h"

/* The caller keeps it alive until done() is called. */
struct work_item {
	struct ctx *ctx; /* used by the worker until done() */
	RESULT (*run)(struct work_item *w);
	/* Called once, on any thread. */
	void (*done)(struct work_item *w, struct result result);
	void *arg;
	/* private: */
	struct job job;
};

/* Runs it on the actor. done() gets ERR_GONE if the actor is freed first. Any thread. */
void work_item_post(struct actor *a, struct work_item *w);
/* Calls done() with ERR_GONE immediately: for a worker that accepts no more. */
void work_item_refuse(struct work_item *w);
