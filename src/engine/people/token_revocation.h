/* SPDX-License-Identifier: Apache-2.0
 * Tokens that are refused before they expire. */
#pragma once

#include "engine/operation.h"

/* Whoever holds a token may give it back; auth/token.h says its audit id and end. Twice: nothing changes. */
struct token_revocation_wish {
	uuid audit, user; /* whose; beyond LIMIT_REVOCATIONS all of the user's tokens end with it */
	int64_t expires_us;
};
OPERATION(engine_revoke_token, token_revocation_wish)

/* Forgets those whose tokens have expired, at most so many. For the system. */
struct token_revocation_sweep {
	size_t max;
};
OPERATION(engine_sweep_token_revocations, token_revocation_sweep)
