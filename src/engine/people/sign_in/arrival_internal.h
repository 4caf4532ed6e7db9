/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: people whom an identity provider or a directory vouches for, and who sign in. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"
#include "engine/people/sign_in/arrival.h"
#include "model/user.h"

/* Fails with ERR_UNAUTHENTICATED. */
RESULT arrival_refuse(struct op *op, const char *why);
/* Writes a new user of user->domain under the first of the names that is valid and free. `by`: for the event.
 * ERR_UNAUTHENTICATED: there is no such name. ERR_QUOTA. */
enum { ARRIVAL_NAMES = 3 };
RESULT arrival_make_user(struct op *op, struct user *user, const struct str names[static ARRIVAL_NAMES],
			 struct str by);
/* Adds the user to groups of the user's domain, and removes the user from groups, as the rules say. Groups that no rule names
 * are left alone. A missing group is created. */
RESULT arrival_set_groups(struct op *op, uuid user, const struct arrival_groups *groups);
/* Checks rules before a row keeps them. ERR_INVALID names the field. */
RESULT arrival_check_rules(struct op *op, enum kind kind, struct strs rules);
