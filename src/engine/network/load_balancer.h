/* SPDX-License-Identifier: Apache-2.0
 * Load balancers: ports of elastic addresses that lead to one of several network interfaces behind one router. Nothing
 * looks whether a member answers. What happens next: reconcile/router.c makes them with the router. */
#pragma once

#include "engine/operation.h"
#include "model/load_balancer.h"

enum { LOAD_BALANCER_MEMBERS_MAX = 50 };

/* Makes one without members. ERR_CONFLICT with KIND_ADDRESS: the address is associated. With KIND_LOAD_BALANCER:
 * ERR_CONFLICT, the port is forwarded already; ERR_INVALID, it is no port; ERR_QUOTA, FORWARDED_PORTS_MAX. */
struct load_balancer_wish {
	struct ref address;
	struct ref account; /* the address's, or kind none */
	struct ref
		network; /* kind none: the one that the address was taken for, if any; else its members are in any */
	enum load_balancer_protocol protocol;
	enum load_balancer_algorithm algorithm;
	int64_t public_port, private_port;
	struct str name, description;
	struct tags tags;
	/* made: */
	uuid balancer;
};
OPERATION(engine_create_load_balancer, load_balancer_wish)

struct load_balancer_change {
	struct ref balancer;
	const struct str *name, *description; /* NULL: as it is */
	bool sets_algorithm;
	enum load_balancer_algorithm algorithm;
};
OPERATION(engine_change_load_balancer, load_balancer_change)

/* With KIND_LOAD_BALANCER: ERR_EXISTS, an instance is a member already; ERR_STATE, it is in another network than the
 * balancer, or not reached from where the address is, or behind another router than what else the address leads to;
 * ERR_QUOTA. To remove: ERR_STATE, an instance is no member. */
struct load_balancer_members {
	struct ref balancer;
	struct refs instances;
};
OPERATION(engine_add_load_balancer_members, load_balancer_members)
OPERATION(engine_remove_load_balancer_members, load_balancer_members)

struct load_balancer_target {
	struct ref balancer;
};
OPERATION(engine_delete_load_balancer, load_balancer_target)
