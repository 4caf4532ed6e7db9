/* SPDX-License-Identifier: Apache-2.0
 * Public SSH keys that EC2 Instance Connect offers to a guest's user for a minute. They are kept in memory alone: a key that a
 * restart loses is sent again, and no row has to be removed afterwards. */
#pragma once

#include "engine/operation.h"

enum {
	CONNECT_KEY_MAX = 4096,  /* bytes of a key */
	CONNECT_USER_MAX = 32,   /* characters of a user's name */
	CONNECT_KEYS_MAX = 1024, /* keys of the region */
	CONNECT_SHARE = 64,      /* keys of one account */
};
#define CONNECT_KEY_LIFE_US (60 * SECOND)

/* Checks that the caller may send the user's key to the instance, which must run in the zone, and logs the event.
 * ERR_NOT_FOUND: also if it is in another zone. ERR_STATE: it does not run. ERR_PROTECTED: its metadata is disabled, so that it
 * could not read the key. */
struct connect_key_wish {
	struct ref instance;
	struct str user;
	struct str zone; /* empty: any */
	/* outputs: */
	uuid id, account;
};
OPERATION(engine_offer_connect_key, connect_key_wish)

struct connect_key {
	struct str user, line; /* line: "ssh-ed25519 AAAA…" */
	int64_t until_us;
};
struct connect_key_list {
	const struct connect_key *at;
	size_t count;
};

/* Table of keys; any thread may use it. */
struct connect_keys;
struct connect_keys *connect_keys_new(void); /* NULL: no memory */
void connect_keys_free(struct connect_keys *keys);
/* Adds a copy of the key, in place of one that has expired. ERR_THROTTLED: the account has CONNECT_SHARE keys, or the region
 * CONNECT_KEYS_MAX. */
RESULT connect_keys_add(struct connect_keys *keys, struct ctx *c, uuid account, uuid instance,
			const struct connect_key *key);
/* Lists copies of the instance's keys that have not expired, in order of users, in the arena. keys NULL: none. */
RESULT connect_keys_list(struct connect_keys *keys, struct arena *a, uuid instance,
			 struct connect_key_list *ret_list);
