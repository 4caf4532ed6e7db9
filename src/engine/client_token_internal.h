/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: client tokens. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct client_token;

/* Finds the token's row if it is not older than 24 hours, else NULL. ERR_CONFLICT: the token was used with
 * other parameters. */
RESULT client_token_find_fresh(struct op *op, uuid account, struct str token, struct str digest,
			       const struct client_token **ret_token);
/* Finds the row of that kind that the token's first call created; none: unknown token. ERR_NOT_FOUND: the row
 * is gone. */
RESULT client_token_find_made(struct op *op, uuid account, struct str token, struct str digest,
			      enum kind kind, uuid *ret_made);
RESULT client_token_write(struct op *op, uuid account, struct str token, struct str digest, uuid made);
