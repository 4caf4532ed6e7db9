/* SPDX-License-Identifier: Apache-2.0
 * What a domain's user shows besides a password to get into the console. An account's own users have none: no password of
 * theirs leads there. Rows only: codes and signatures are the caller's to check (auth/otp.h). */
#pragma once

#include "engine/operation.h"

enum { SECOND_FACTORS_MAX = 10 }; /* of a user */

/* Of one's own each of these needs a console session; once a factor is confirmed, a session that has shown one
 * (identity.proof). ERR_DENIED: the caller's proof is weaker. */
struct second_factor_wish {
	uuid id; /* drawn by the caller, who binds the secret to it */
	struct ref user;
	int type;
	struct str name;                   /* 1 to 255 characters */
	struct str secret;                 /* of codes: sealed */
	struct str credential, public_key; /* of a passkey */
	struct str rp;                     /* the host name that it is for */
	int64_t counter;                   /* its counter of signatures */
	bool is_confirmed;                 /* it was proved when it was made */
};
OPERATION(engine_create_second_factor, second_factor_wish) /* ERR_EXISTS: the user has that passkey already */

/* Its owner has proved it: from now on it is asked for. ERR_STATE: it is confirmed already. */
struct second_factor_proof {
	struct ref factor;
	int64_t counter;
	struct str recovery; /* digests */
};
OPERATION(engine_confirm_second_factor, second_factor_proof)

/* It has let somebody in, who is not the caller yet. Nothing is permitted by this. ERR_UNAUTHENTICATED: the code was used before, or
 * the factor is gone. */
struct second_factor_use {
	uuid factor;     /* none: nothing is done */
	int64_t counter; /* above what the row has; 0: by a recovery code, or of a passkey without a counter */
	int64_t asked_us;    /* of a passkey: when it was asked; after it was used last */
	struct str recovery; /* the digest of that code; it is good for nothing afterwards */
};
OPERATION(engine_use_second_factor, second_factor_use)

struct second_factor_target {
	struct ref factor;
};
OPERATION(engine_delete_second_factor, second_factor_target)
