/* SPDX-License-Identifier: Apache-2.0
 * Owners of access keys, for every protocol that signs with access keys. Any thread. */
#pragma once

#include "model/identity.h"
#include "store/store.h"

struct access_key;
struct account;
struct last_used;
struct user;

struct key_owner {
	const struct access_key *key; /* row of the view; NULL: no such key */
	struct identity *who;         /* in the arena; NULL: the key, its user or its account is disabled */
	unsigned rights;              /* rights from the user's roles, including ADMIN */
};

/* Looks up the key in a newly opened view, and ends the view's reading of indexes. The key's row remains
 * readable until the view is closed. ERR_NO_MEMORY. */
RESULT key_find_owner(struct ctx *c, struct view *v, struct str key_id, struct key_owner *ret_owner);

/* Uses a decrypted secret, which is wiped afterwards. */
typedef RESULT (*key_use)(void *arg, struct str secret);
/* ERR_INTERNAL: the master key does not open the secret; else the result of use(). */
RESULT key_use_secret(struct ctx *c, const uint8_t *master_key, const struct access_key *key, key_use use,
		      void *arg);

/* Checks a request (arg) against the secret. */
typedef RESULT (*key_check)(struct ctx *c, const void *arg, struct str secret, bool *ret_is_right);
/* Method by which a request proves possession of the secret. */
struct key_proof {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes */
	struct last_used *uses;    /* records the use; NULL: not recorded */
	struct str service;        /* service under which the use is recorded */
	key_check check;
	const void *arg;
	bool keeps_admin; /* the identity keeps the right ADMIN, if its user has it */
};
/* Identity of the key's user, if key, user and account are enabled and the proof is right; else NULL. */
RESULT key_prove_owner(struct ctx *c, const struct key_proof *proof, struct str key_id,
		       struct identity **ret_who);

/* Identity of a user who acts for an account, copied into the arena. Removes ADMIN, because a key grants no
 * access to other accounts. NULL: the arena is full. */
struct identity *key_make_identity(struct arena *a, const struct account *account, const struct user *user,
				   unsigned rights, struct uuids above, struct str key_id);
/* Identity of a user without a credential: for the user's own account, or unscoped and without rights. NULL:
 * the user is gone or disabled. ERR_NO_MEMORY. */
RESULT key_find_user(struct ctx *c, struct store *store, uuid id, struct identity **ret_who);
/* Merges tags with `more` (borrowed), which wins for equal keys. */
struct tags key_copy_tags(struct arena *a, struct tags tags, struct tags more);
