/* SPDX-License-Identifier: Apache-2.0
 * When access keys, IAM roles and passwords were last used. A request records it in memory. From
 * time to time, and at the end, what is new goes into the rows in one change. What memory does not know
 * yet goes there a second after its first use, for somebody may wait to see it; if memory is full, it
 * waits with the rest. A process that is killed loses the last minutes, and of more than USES_MAX at a
 * time the oldest are lost. Any thread. */
#pragma once

#include "engine/people/last_use.h"
#include "store/store.h"

struct uses;

enum { USES_MAX = 4096 };

struct uses_config {
	struct store *store;
	struct executor *executor; /* writes from time to time on a thread; NULL: only uses_write() writes */
	int64_t interval_us;       /* 0: five minutes */
};

/* config is not kept. ERR_NO_MEMORY. */
RESULT uses_new(struct ctx *c, const struct uses_config *config, struct uses **ret_uses);
/* Writes what is left, if it has a thread. Call it before the store closes. NULL: nothing. */
void uses_free(struct uses *u);
DEFINE_AUTO(uses)

/* Records a use at this moment. Texts are copied. u NULL: nothing. */
void uses_note(struct uses *u, enum kind kind, uuid id, struct str service, struct str region);
/* The later of what memory knows and what the row says. Service and region are in the arena. */
struct last_use uses_find(struct uses *u, struct arena *a, const struct last_use *stored);
/* Writes what is new, and waits for it. u NULL: nothing. */
RESULT uses_write(struct uses *u, struct ctx *c);
