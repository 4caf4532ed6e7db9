/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what becomes of load balancers with what they stand on. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct subnet;

/* Those of an address end. */
RESULT load_balancer_leave_address(struct op *op, uuid address);
/* A port is no member any more, or one of its addresses (none: all). */
RESULT load_balancer_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* A member goes with a private address from port to port. */
RESULT load_balancer_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
/* One has a member in the subnet, behind the router. */
bool load_balancer_is_in(const struct tables *t, uuid router, const struct subnet *subnet);
