/* SPDX-License-Identifier: Apache-2.0
 * Looks for the directory's users in the directory at an interval, so that who leaves it, or a group of it, loses access without
 * another sign-in. A user who is still there gets the name, address and groups that the directory has now. A user who is not is disabled;
 * an administrator may enable the user again.
 *
 * A wrong search base or filter looks as if everybody had left. So directory_is_plausible() decides whether a look counts. An error of the
 * directory changes nothing. */
#pragma once

#include "auth/sign_in/login.h"

struct directory_sync;

struct directory_sync_config {
	struct executor *executor;
	struct store *store;
	const struct login_directory *directory; /* outlives this */
	int64_t interval_us;
};

/* Begins at once, on a thread of its own. Keeps nothing else of config. ERR_NO_MEMORY. */
RESULT directory_sync_new(struct ctx *c, const struct directory_sync_config *config,
			  struct directory_sync **ret_sync);
/* Waits for a look that runs. Call it before the store closes. Ignores NULL. */
void directory_sync_free(struct directory_sync *s);
DEFINE_AUTO(directory_sync)

/* False if more than three people and more than 30 % of all have gone since the last look, or all of several. Pure. */
bool directory_is_plausible(size_t all, size_t gone);
