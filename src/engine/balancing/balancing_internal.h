/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: rows of load balancers that follow listeners, target groups and ports. Everything here runs
 * inside an operation. */
#pragma once

#include "engine/internal.h"

struct listener;
struct network_load_balancer;
struct target_group;

/* Bring the rows of load_balancer, and their members, in line with the listener, or with all listeners of a balancer
 * or a target group. */
RESULT listener_settle(struct op *op, uuid listener);
RESULT listener_settle_balancer(struct op *op, uuid balancer);
RESULT listener_settle_group(struct op *op, uuid group);
/* Ends a listener with its rows; no permission is checked. */
RESULT listener_end(struct op *op, const struct listener *listener);

/* Forget targets at the port's private address (none: at all its addresses), or move them to another port with
 * the address. */
RESULT target_leave_ip(struct op *op, uuid port, struct ip private_ip);
RESULT target_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
