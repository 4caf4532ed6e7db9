/* SPDX-License-Identifier: Apache-2.0
 * Tokens that are refused although they have not expired. */
#pragma once

#include "engine/operation.h"

/* Revokes a token, given by its audit id and end (auth/token.h). Whoever holds a token may revoke
 * it. A second time: nothing changes. */
struct token_revocation_wish {
	uuid audit,
		/* User: whose token it is; beyond LIMIT_REVOCATIONS all of the user's tokens end
		 * with it. */
		user;
	int64_t expires_us;
};
OPERATION(engine_revoke_token, token_revocation_wish)

/* For the system: forgets revocations of tokens that have expired, at most so many. */
struct token_revocation_sweep {
	size_t max;
};
OPERATION(engine_sweep_token_revocations, token_revocation_sweep)
