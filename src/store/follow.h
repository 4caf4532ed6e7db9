/* SPDX-License-Identifier: Apache-2.0
 * A follower's store: it loads all rows from a database that another process writes to, applies each batch that was
 * committed there, and changes nothing itself. Readers see whole batches, as in the writer's store. */
#pragma once

#include <stdbool.h>

#include "store/store.h"

/* Loads all rows, as store_open() does, and changes nothing in the database. Changes that are submitted to this store
 * fail with ERR_AGAIN and these words, which outlive the store. ERR_STATE: the database has no schema yet, or another
 * program's. */
RESULT store_open_follower(struct ctx *c, const struct store_config *config, const char *refusal,
			   struct store **ret_store);

/* Reads what was committed since, on the committer's thread. Any thread; returns at once. */
void store_follow(struct store *s);

/* A caller may have seen what was committed until now: store_has_fed() is false until this store shows that, too. Any
 * thread. */
void store_ask_feed(struct store *s);
bool store_has_fed(struct store *s);

enum store_following {
	STORE_FOLLOWS,
	STORE_LOST,   /* the database cannot be reached */
	STORE_BEHIND, /* the changes since were deleted: the process has to load everything again */
	STORE_OTHER   /* the database is older than what this store has shown */
};
/* Outcome of the last store_follow(). Any thread. */
enum store_following store_read_following(struct store *s);
/* Number of the last batch that readers see. Any thread. */
uint64_t store_read_commit(struct store *s);
