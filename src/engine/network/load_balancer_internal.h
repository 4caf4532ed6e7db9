/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what becomes of load balancers with what they stand on. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct load_balancer;
struct subnet;

/* Whether what is behind the router can be its member. */
bool load_balancer_reaches(const struct tables *t, const struct load_balancer *b, uuid router);
/* It goes with its members, whoever asks. */
RESULT load_balancer_end(struct op *op, const struct load_balancer *b);

/* Those of an address end. */
RESULT load_balancer_permit_ends(struct op *op, uuid address,
				 const char *permission); /* port_permit_end() of each member */
RESULT load_balancer_leave_address(struct op *op, uuid address);
/* A port is no member any more, or one of its addresses (none: all). */
RESULT load_balancer_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* A member goes with a private address from port to port. */
RESULT load_balancer_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
/* One has a member in the subnet, behind the router. */
bool load_balancer_is_in(const struct tables *t, uuid router, const struct subnet *subnet);
