/* SPDX-License-Identifier: Apache-2.0
 * Tokens revoked before they expire. */
#pragma once

#include "engine/operation.h"

/* Revokes a token, given by its audit id and expiry (auth/token/token.h). Whoever holds a token may revoke it. No
 * change the second time. */
struct token_revocation_wish {
	uuid audit,
		/* the token's user; beyond LIMIT_REVOCATIONS all of the user's tokens are revoked instead */
		user;
	int64_t expires_us;
};
OPERATION(engine_revoke_token, token_revocation_wish)

/* Called by the system: forgets up to `max` revocations of expired tokens. */
struct token_revocation_sweep {
	size_t max;
};
SYSTEM_OPERATION(engine_sweep_token_revocations, token_revocation_sweep)
