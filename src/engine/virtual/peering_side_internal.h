/* SPDX-License-Identifier: Apache-2.0
 * Engine-internal: sides of peerings. All functions run inside an operation. */
#pragma once

#include "engine/internal.h"

/* Deletes the sides of a router that is being deleted. */
RESULT peering_side_leave_router(struct op *op, uuid router);
