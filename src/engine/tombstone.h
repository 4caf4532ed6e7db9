/* SPDX-License-Identifier: Apache-2.0
 * Ended resources that EC2 still lists for a while: rows marked deleted, which changes no longer find
 * (engine_find_listed()). EC2 does not document how long; we use the time of NAT gateways. */
#pragma once

#include "engine/operation.h"

#define ENDED_LISTED_US HOUR
enum { TOMBSTONES_LISTED_MAX = 100 }; /* per kind and account */

/* In a change: marks the row ended; it stays listed. index: the kind's index by account. */
RESULT tombstone_leave(struct op *op, enum kind kind, const struct row *row, unsigned index);

/* For the reconciler: forgets the row. ERR_STATE: it is live, or still listed. */
struct tombstone {
	enum kind kind;
	uuid id;
};
SYSTEM_OPERATION(engine_forget_tombstone, tombstone)
/* For the reconciler, once nothing is left of a row that is marked deleted. A row that is gone is fine.
 * ERR_STATE: the row is live. ERR_IN_USE: others still refer to it, by the rules of the schema. */
SYSTEM_OPERATION(engine_forget_deleted, tombstone)
