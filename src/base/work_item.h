/* SPDX-License-Identifier: Apache-2.0
 * Work that takes its time: done on an actor, while whoever asked waits without a thread. */
#pragma once

#include "base/ctx.h"
#include "base/exec.h"

/* Lives until done(). */
struct work_item {
	struct ctx *ctx; /* lent until done() */
	RESULT (*run)(struct work_item *w);
	/* Any thread, exactly once. */
	void (*done)(struct work_item *w, struct result result);
	void *arg;
	/* private: */
	struct job job;
};

/* Runs it on the actor. ERR_GONE to done() when the actor is freed before. Any thread. */
void work_item_post(struct actor *a, struct work_item *w);
/* done() with ERR_GONE, at once: for who can take no work any more. */
void work_item_refuse(struct work_item *w);
