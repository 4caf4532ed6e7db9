/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: sides of peerings. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Deletes the sides of a router that is being deleted. */
RESULT peering_side_leave_router(struct op *op, uuid router);
