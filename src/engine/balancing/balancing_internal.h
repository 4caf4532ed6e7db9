/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: rows of load balancers that follow listeners, target groups and ports. Everything here runs
 * inside an operation. */
#pragma once

#include "engine/internal.h"

struct elastic_load_balancer;
struct listener;
struct rule_action;
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

/* The default rule of an application load balancer's listener gets the action. */
RESULT listener_rule_put_default(struct op *op, const struct listener *listener,
				 const struct rule_action *action);
RESULT listener_rule_check_group(struct op *op, const struct elastic_load_balancer *balancer,
				 const struct target_group *group);

/* The row of an application load balancer's proxy: makes it, counts up its gen (of another load balancer: does
 * nothing), and marks it deleted. */
RESULT proxy_make(struct op *op, const struct elastic_load_balancer *balancer);
RESULT proxy_touch(struct op *op, uuid balancer);
RESULT proxy_end(struct op *op, uuid balancer);
