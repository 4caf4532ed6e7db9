/* SPDX-License-Identifier: Apache-2.0
 * Times of last use of access keys, IAM roles and passwords. Requests record them in memory; periodically,
 * and at the end, new ones are written to rows in one change. The first use of an id is written after a
 * second, because somebody may be waiting to see it, unless the memory is full. A killed process loses the
 * last minutes, and of more than LAST_USED_MAX ids in a period the oldest are lost. Any thread. */
#pragma once

#include "engine/people/credential/last_use.h"
#include "store/store.h"

struct last_used;

enum { LAST_USED_MAX = 4096 };

struct last_used_config {
	struct store *store;
	struct executor *executor; /* for the periodic writes; NULL: only last_used_write() writes */
	int64_t interval_us;       /* 0: five minutes */
};

/* Keeps nothing of config. ERR_NO_MEMORY. */
RESULT last_used_new(struct ctx *c, const struct last_used_config *config, struct last_used **ret_uses);
/* Writes the rest, if there is an executor. Call it before the store closes. Ignores NULL. */
void last_used_free(struct last_used *u);
DEFINE_AUTO(last_used)

/* Records a use now; copies the strings. u NULL: nothing. */
void last_used_note(struct last_used *u, enum kind kind, uuid id, struct str service, struct str region);
/* The later of memory and row. Service and region are in the arena. */
struct last_use last_used_find(struct last_used *u, struct arena *a, const struct last_use *stored);
/* Writes new uses and waits for the commit. u NULL: nothing. */
RESULT last_used_write(struct last_used *u, struct ctx *c);
