/* SPDX-License-Identifier: Apache-2.0
 * Temporary credentials of STS: an access key id (ASIA…), a secret and a session token. No row is kept of
 * them. The token is sealed under a key derived from the master key and bound to the access key id, and says
 * whose session it is and what bounds it; the secret is derived from the token. The access key id has the
 * account's number in it, masked: what somebody made up hardly ever names an account, and is refused before
 * anything is opened. Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "model/row.h"

enum {
	SESSION_PACKED_MAX =
		3072, /* bytes of what bounds and describes a session: it goes with each request */
	SESSION_POLICIES_MAX = 10,
	SESSION_TAGS_MAX = 50,
	SESSION_TOKEN_MAX = 8192, /* characters */
	SESSION_KEY_ID_SIZE = 20,
	ACCOUNT_NUMBER_SIZE = 12,
};

struct session {
	uuid account;
	uuid user;       /* whose session it is; none: a role's */
	uuid iam_role;   /* that was taken; none: a user's */
	struct str name; /* of a role's session */
	int64_t issued_us, expires_us;
	struct str policy;     /* bounds it; empty: none was passed */
	struct uuids policies; /* managed ones that were passed likewise */
	struct tags tags;      /* that were passed */
	/* The instance whose guest it is for, and its VPC when it was given; none: it was taken. */
	uuid instance, router;
	/* Of a role's session, as the role is now; not in the token. */
	struct str role_name, role_path;
};

/* Bytes that count against SESSION_PACKED_MAX. */
size_t session_packed_size(const struct session *s);

struct session_keys {
	uint8_t seal[SHA256_SIZE], id[SHA256_SIZE], secret[SHA256_SIZE];
};
/* All of them follow from the master key. */
void session_derive_keys(const uint8_t master[static MASTER_KEY_SIZE], struct session_keys *ret_keys);

struct session_credentials {
	struct str key_id, secret, token;
};
/* In c's arena. number is the account's. ERR_QUOTA: over SESSION_PACKED_MAX; ERR_NO_MEMORY. */
RESULT session_issue(struct ctx *c, const struct session_keys *keys, const struct session *s,
		     struct str number, struct session_credentials *ret_credentials);

/* ASIA and 16 more. */
bool session_is_key_id(struct str key_id);
/* The account's number in it, which may be nobody's. False: it has none. */
bool session_read_number(const struct session_keys *keys, struct str key_id,
			 char ret_number[static ACCOUNT_NUMBER_SIZE]);
/* False: the token is not ours, or of another access key. In c's arena. */
bool session_open(struct ctx *c, const struct session_keys *keys, struct str key_id, struct str token,
		  struct session *ret_session);
/* Of a token that was opened; p NULL: the arena is full. */
struct str session_derive_secret(struct arena *a, const struct session_keys *keys, struct str token);
