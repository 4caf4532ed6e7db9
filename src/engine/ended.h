/* SPDX-License-Identifier: Apache-2.0
 * What EC2 goes on listing for a while after its end, though nothing of it is left: rows marked deleted, which no
 * change finds any more (engine_find_listed()). For how long is not documented: as long as NAT gateways. */
#pragma once

#include "engine/operation.h"

#define ENDED_LISTED_US HOUR
enum { ENDED_LISTED_MAX = 100 }; /* of a kind, of an account */

/* In a change: the row has ended, and is only listed from now on. Index: the kind's by account. */
RESULT ended_leave(struct op *op, enum kind kind, const struct row *row, unsigned index);

/* For the reconciler: forgets it. ERR_STATE: it is live, or still listed. */
struct ended_row {
	enum kind kind;
	uuid id;
};
OPERATION(engine_forget_ended, ended_row)
