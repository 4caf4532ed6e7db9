/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: load balancers that follow addresses, ports and routers. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct load_balancer;
struct subnet;

/* True if ports behind the router can be members. */
bool load_balancer_reaches(const struct tables *t, const struct load_balancer *b, uuid router);
/* Ends a load balancer with its members; no permission is checked. */
RESULT load_balancer_end(struct op *op, const struct load_balancer *b);

/* load_balancer_leave_address() ends all load balancers of an address. load_balancer_permit_ends() asks first
 * for the permission, once per member. */
RESULT load_balancer_permit_ends(struct op *op, uuid address,
				 const char *permission); /* port_permit_end() of each member */
RESULT load_balancer_leave_address(struct op *op, uuid address);
/* Removes members at the port's private address (none: at all its addresses). */
RESULT load_balancer_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* Moves the members at a private address to another port along with it. */
RESULT load_balancer_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
/* True if a load balancer of the router has a member in the subnet. */
bool load_balancer_is_in(const struct tables *t, uuid router, const struct subnet *subnet);
