/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: route plans. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Sets the plan of a virtual network's subnet; kind none: removes it. */
RESULT route_plan_set(struct op *op, uuid subnet, const struct ref *plan);
/* Forgets the unused tables that plans created in a virtual network which is being deleted. */
RESULT route_plan_leave_router(struct op *op, uuid router);
