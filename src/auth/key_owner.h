/* SPDX-License-Identifier: Apache-2.0
 * Whose an access key is. Every protocol that signs with access keys asks here. Any thread. */
#pragma once

#include "model/identity.h"
#include "store/store.h"

struct access_key;
struct account;
struct uses;
struct user;

struct key_owner {
	const struct access_key *key; /* a row of the view; NULL: there is no such key */
	struct identity *who;         /* in the arena; NULL: the key, its user or its account is closed */
	unsigned rights;              /* that the user's roles give, ADMIN too */
};

/* Looks the key up in the view, which has just been opened, and ends the view's read of indexes. The key's row
 * stays readable until the view is closed. ERR_NO_MEMORY. */
RESULT key_find_owner(struct ctx *c, struct view *v, struct str key_id, struct key_owner *ret_owner);

/* What is to be done with the secret of a key; it is wiped afterwards. */
typedef RESULT (*key_use)(void *arg, struct str secret);
/* ERR_INTERNAL: the master key does not open it; else what use() returns. */
RESULT key_use_secret(struct ctx *c, const uint8_t *master_key, const struct access_key *key, key_use use,
		      void *arg);

/* Whether what arg points at is proved by the secret. */
typedef RESULT (*key_check)(struct ctx *c, const void *arg, struct str secret, bool *ret_is_right);
/* How a request proves that its sender has the key's secret. */
struct key_proof {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes */
	struct uses *uses;         /* where a proved use is noted, NULL: nowhere; */
	struct str service;        /* as one of this service */
	key_check check;
	const void *arg;
	bool keeps_admin; /* the key gives the right ADMIN, if its user has it */
};
/* Whose the key of that id is, if it is open and the proof holds; NULL: nobody. */
RESULT key_prove_owner(struct ctx *c, const struct key_proof *proof, struct str key_id,
		       struct identity **ret_who);

/* The identity of a user who signs for an account; all of it is copied into the arena. A key never gives the
 * right ADMIN, because it reaches into no other account. NULL: the arena is full. */
struct identity *key_make_identity(struct arena *a, const struct account *account, const struct user *user,
				   unsigned rights, struct str key_id);
/* The tags, and those of `more` (borrowed), which win over tags of the same key. */
struct tags key_copy_tags(struct arena *a, struct tags tags, struct tags more);
