/* SPDX-License-Identifier: Apache-2.0
 * Work that takes a while: an actor does it, while whoever asked for it waits without a thread. */
#pragma once

#include "base/ctx.h"
#include "base/exec.h"

/* The caller keeps it alive until done() was called. */
struct work_item {
	struct ctx *ctx; /* lent to the worker until done() */
	RESULT (*run)(struct work_item *w);
	/* Called once, on any thread. */
	void (*done)(struct work_item *w, struct result result);
	void *arg;
	/* private: */
	struct job job;
};

/* Runs it on the actor. done() gets ERR_GONE if the actor is freed before. Any thread. */
void work_item_post(struct actor *a, struct work_item *w);
/* Calls done() with ERR_GONE at once: for whoever can take no more work. */
void work_item_refuse(struct work_item *w);
