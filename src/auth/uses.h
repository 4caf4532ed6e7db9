/* SPDX-License-Identifier: Apache-2.0
 * When access keys, roles of IAM's and passwords were last used. A request notes it in memory; now and then,
 * and at the end, what is new goes into the rows, all in one change. Who is killed loses the last minutes. Of
 * more than USES_MAX at a time the oldest are lost. Any thread. */
#pragma once

#include "engine/people/last_use.h"
#include "store/store.h"

struct uses;

enum { USES_MAX = 4096 };

struct uses_config {
	struct store *store;
	struct executor *executor; /* writes by itself, on a thread; NULL: only when it is told to */
	int64_t interval_us;       /* 0: five minutes */
};

/* config is not kept. ERR_NO_MEMORY. */
RESULT uses_new(struct ctx *c, const struct uses_config *config, struct uses **ret_uses);
/* Writes what is left, if it writes by itself: before the store closes. NULL: nothing. */
void uses_free(struct uses *u);
DEFINE_AUTO(uses)

/* Now, by the clock; texts are copied. u NULL: nothing. */
void uses_note(struct uses *u, enum kind kind, uuid id, struct str service, struct str region);
/* The later of what memory knows of it and what its row says: service and region in the arena. */
struct last_use uses_find(struct uses *u, struct arena *a, const struct last_use *stored);
/* Writes what is new, and waits; u NULL: nothing. */
RESULT uses_write(struct uses *u, struct ctx *c);
