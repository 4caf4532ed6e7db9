/* SPDX-License-Identifier: Apache-2.0
 * Temporary credentials of STS: an access key id (ASIA…), a secret and a session token. There is no
 * row of them. The token is sealed under a key that is derived from the master key, and bound to
 * the access key id. It says whose session it is and what restricts it. The secret is derived from
 * the token. The access key id contains the account's number, masked: an id that somebody made up
 * hardly ever names an account, and is then refused before anything is opened. Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "model/row.h"

enum {
	SESSION_PACKED_MAX = 3072, /* bytes of policies, tags and names, which travel with each request */
	SESSION_POLICIES_MAX = 10,
	SESSION_TAGS_MAX = 50,
	SESSION_TOKEN_MAX = 8192, /* characters */
	SESSION_KEY_ID_SIZE = 20,
	ACCOUNT_NUMBER_SIZE = 12,
};

struct session {
	uuid account;
	uuid user;       /* the user that the session belongs to; none: it is a role's */
	uuid iam_role;   /* the IAM role that was taken; none: the session is a user's */
	struct str name; /* of a role's session */
	int64_t issued_us, expires_us;
	struct str policy;     /* restricts the session; empty: none was passed */
	struct uuids policies; /* managed policies that restrict it, too */
	struct tags tags;      /* passed when the session was made */
	/* The instance whose guest the session is for, and its VPC at that time. None: somebody
	 * took the role. */
	uuid instance, router;
	/* The role's name and path as they are now, for a role's session. They are not in the
	 * token. */
	struct str role_name, role_path;
};

/* How many bytes count against SESSION_PACKED_MAX. */
size_t session_packed_size(const struct session *s);

struct session_keys {
	uint8_t seal[SHA256_SIZE], id[SHA256_SIZE], secret[SHA256_SIZE];
};
/* Derives all three from the master key. */
void session_derive_keys(const uint8_t master[static MASTER_KEY_SIZE], struct session_keys *ret_keys);

struct session_credentials {
	struct str key_id, secret, token;
};
/* Makes credentials, in c's arena, for the account with that number. ERR_QUOTA: over
 * SESSION_PACKED_MAX. ERR_NO_MEMORY. */
RESULT session_issue(struct ctx *c, const struct session_keys *keys, const struct session *s,
		     struct str number, struct session_credentials *ret_credentials);

/* Whether it is ASIA and 16 more characters. */
bool session_is_key_id(struct str key_id);
/* Reads the account's number from a key id; no account may have it. False: there is none in it. */
bool session_read_number(const struct session_keys *keys, struct str key_id,
			 char ret_number[static ACCOUNT_NUMBER_SIZE]);
/* Opens a token, into c's arena. False: it is not ours, or of another access key. */
bool session_open(struct ctx *c, const struct session_keys *keys, struct str key_id, struct str token,
		  struct session *ret_session);
/* The secret of a token that was opened. p NULL: the arena is full. */
struct str session_derive_secret(struct arena *a, const struct session_keys *keys, struct str token);
