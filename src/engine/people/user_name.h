/* SPDX-License-Identifier: Apache-2.0
 * Users of a domain by name, ignoring the case of ASCII letters. Keystone lets "Ann" and "ann" be two users, so there may be
 * several. Reads the index of exact names by a few seeks instead of a walk over the domain; any thread. */
#pragma once

#include "base/arena.h"
#include "store/store.h"

struct user;

/* after: the user found last; NULL: the first is wanted. NULL: there is no other, or the arena is full. */
const struct user *engine_find_namesake(struct arena *a, const struct tables *t, uuid domain, struct str name,
					const struct user *after);
