/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of route plans. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Gives a virtual network's subnet a plan; kind none: takes it. */
RESULT route_plan_set(struct op *op, uuid subnet, const struct ref *plan);
/* A virtual network goes: tables that plans made of it, and what it said of peerings. ERR_IN_USE: a subnet has one. */
RESULT route_plan_leave_router(struct op *op, uuid router);
