/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: rows of load balancers that follow listeners, target groups and ports. Everything here runs
 * inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/elastic_load_balancer.h"

struct balancing_target;
struct classic_listener;
struct listener;
struct port;
struct rule_action;
struct target_group;

/* True if a proxy always implements the load balancer: all but network load balancers. A network load balancer has a proxy
 * while proxy_settle() finds a need for one. */
static inline bool balancer_is_proxied(const struct elastic_load_balancer *b)
{
	return b->type != ELASTIC_LOAD_BALANCER_TYPE_NETWORK;
}

/* Bring the rows of load_balancer, and their members, in line with the listener, or with all listeners of a balancer
 * or a target group. */
RESULT listener_settle(struct op *op, uuid listener);
RESULT listener_settle_balancer(struct op *op, uuid balancer);
RESULT listener_settle_group(struct op *op, uuid group);
/* ERR_UNSUPPORTED: a load balancer that has a proxy has a listener of UDP, too. */
RESULT listener_check_proxied(struct op *op, uuid balancer);
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

/* The row of a load balancer's proxy: makes it, counts up its gen (of a network load balancer: does
 * nothing), and marks it deleted. */
RESULT proxy_make(struct op *op, const struct elastic_load_balancer *balancer);
RESULT proxy_touch(struct op *op, uuid balancer);
RESULT proxy_end(struct op *op, uuid balancer);
/* Makes or ends the proxy of a network load balancer: IPv6, security groups, a TLS listener and some target groups
 * (engine_needs_proxy()) need one, which then serves all listeners. Their rows of load_balancer follow. */
RESULT proxy_settle(struct op *op, uuid balancer);
/* Sets whether the proxy or the router serves the front. A network load balancer without security groups admits everybody to its
 * proxy, as in ELBv2. The front has its groups. */
void proxy_turn_front(const struct tables *t, const struct elastic_load_balancer *balancer,
		      struct port *front);

/* ERR_COMBINATION: the targets have IPv6 addresses, and the load balancer has none. */
RESULT target_group_check_family(struct op *op, const struct elastic_load_balancer *balancer,
				 const struct target_group *group);
/* The same for all target groups of a load balancer. */
RESULT target_group_check_families(struct op *op, const struct elastic_load_balancer *balancer);

/* Registers and deregisters a target of the group, with the permission. */
RESULT target_add(struct op *op, const struct target_group *group, const struct balancing_target *wish,
		  const char *permission);
RESULT target_remove_all(struct op *op, const struct target_group *group, const struct balancing_target *wish,
			 const char *permission);

/* Finds certificates, and adds their ids to those kept. */
RESULT listener_find_certificates(struct op *op, const struct refs *refs, const struct uuids *kept,
				  struct uuids *ret_ids);

/* Forgets certificates that Octavia copied for a listener, unless they are among those kept. */
RESULT octavia_forget_certificates(struct op *op, const struct uuids *gone, const struct uuids *kept);

/* Makes the target group and the listeners of a new Classic Load Balancer, whose row is put already. */
RESULT classic_make(struct op *op, const struct elastic_load_balancer *balancer,
		    const struct classic_listener *listeners, size_t count);
