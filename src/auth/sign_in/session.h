/* SPDX-License-Identifier: Apache-2.0
 * Temporary credentials of STS: an access key id (ASIA…), a secret and a session token. They have no row. The
 * token contains the session's owner and restrictions; it is sealed with a key derived from the master key
 * and bound to the access key id. The secret is derived from the token. The access key id contains the masked
 * account number, so that an invented id almost never names an account and is refused before any decryption.
 * Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "model/session.h"

enum {
	SESSION_PACKED_MAX = 3072, /* bytes of policies, tags and names, which travel with each request */
	SESSION_POLICIES_MAX = 10,
	SESSION_TAGS_MAX = 50,
	SESSION_TOKEN_MAX = 8192, /* characters */
	SESSION_KEY_ID_SIZE = 20,
	ACCOUNT_NUMBER_SIZE = 12,
};

/* Bytes that count against SESSION_PACKED_MAX. */
size_t session_packed_size(const struct session *s);

struct session_keys {
	uint8_t seal[SHA256_SIZE], id[SHA256_SIZE], secret[SHA256_SIZE];
};
/* Derives all three keys from the master key. */
void session_derive_keys(const uint8_t master[static MASTER_KEY_SIZE], struct session_keys *ret_keys);

struct session_credentials {
	struct str key_id, secret, token;
};
/* Creates credentials in c's arena for the account with that number. ERR_QUOTA: over SESSION_PACKED_MAX.
 * ERR_NO_MEMORY. */
RESULT session_issue(struct ctx *c, const struct session_keys *keys, const struct session *s,
		     struct str number, struct session_credentials *ret_credentials);

/* True for "ASIA" and 16 more characters. */
bool session_is_key_id(struct str key_id);
/* Reads the account number from a key id; the account may not exist. False: not a valid id. */
bool session_read_number(const struct session_keys *keys, struct str key_id,
			 char ret_number[static ACCOUNT_NUMBER_SIZE]);
/* Opens a token into c's arena. False: not ours, or for another access key. */
bool session_open(struct ctx *c, const struct session_keys *keys, struct str key_id, struct str token,
		  struct session *ret_session);
/* Secret that belongs to a token. p NULL: the arena is full. */
struct str session_derive_secret(struct arena *a, const struct session_keys *keys, struct str token);
