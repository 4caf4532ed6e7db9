/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of words for peerings. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* The router goes: it takes its words back. */
RESULT peering_side_leave_router(struct op *op, uuid router);
