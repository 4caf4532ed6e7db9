/* SPDX-License-Identifier: Apache-2.0
 * Whose an access key is. Every protocol that signs with access keys asks here. Any thread. */
#pragma once

#include "model/identity.h"
#include "store/store.h"

struct access_key;
struct account;
struct user;

struct key_owner {
	const struct access_key *key; /* a row of the view; NULL: there is no such key */
	struct identity *who;         /* in the arena; NULL: the key, its user or its account is closed */
};

/* Looks the key up in the view, which has just been opened, and ends the view's read of indexes. The key's row
 * stays readable until the view is closed. ERR_NO_MEMORY. */
RESULT key_find_owner(struct ctx *c, struct view *v, struct str key_id, struct key_owner *ret_owner);

/* The identity of a user who signs for an account; all of it is copied into the arena. A key never gives the
 * right ADMIN, because it reaches into no other account. NULL: the arena is full. */
struct identity *key_make_identity(struct arena *a, const struct account *account, const struct user *user,
				   unsigned rights, struct str key_id);
/* The tags, and those of `more` (borrowed), which win over tags of the same key. */
struct tags key_copy_tags(struct arena *a, struct tags tags, struct tags more);
