/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of client tokens. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct client_token;

/* The token's row if it is known and fresh, else NULL; ERR_CONFLICT when it was sent with other
 * parameters. */
RESULT client_token_find_fresh(struct op *op, uuid account, struct str token, struct str digest,
			       const struct client_token **ret_token);
/* What it made, of that kind; none when it is not known. ERR_NOT_FOUND when that is gone. */
RESULT client_token_find_made(struct op *op, uuid account, struct str token, struct str digest,
			      enum kind kind, uuid *ret_made);
RESULT client_token_write(struct op *op, uuid account, struct str token, struct str digest, uuid made);
