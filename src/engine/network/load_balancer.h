/* SPDX-License-Identifier: Apache-2.0
 * Load balancers: ports of elastic addresses that lead to one of several network interfaces behind one router. A member
 * whose instance is off gets nothing, nor one that takes no TCP connections, where there is an address to ask it from. What
 * happens next: reconcile/router.c makes them with the router. */
#pragma once

#include "engine/operation.h"
#include "model/load_balancer.h"

enum { LOAD_BALANCER_MEMBERS_MAX = 50 };

/* Makes one without members. ERR_CONFLICT with KIND_ADDRESS: the address is associated. With KIND_LOAD_BALANCER:
 * ERR_CONFLICT, the port is forwarded already; ERR_INVALID, it is no port; ERR_QUOTA, FORWARDED_PORTS_MAX; of its
 * sources ERR_STATE, there is no firewall to hold them; ERR_UNSUPPORTED and ERR_QUOTA as of firewall rules. */
struct load_balancer_wish {
	struct ref address;
	bool may_be_source_nat; /* the address under which a router's subnets reach out is fine, too */
	struct ref front;       /* instead of an address: a set's interface, whose address has the port */
	struct ref account;     /* the address's, or kind none */
	struct ref
		network; /* kind none: the one that the address was taken for, if any; else its members are in any */
	enum load_balancer_protocol protocol;
	enum load_balancer_algorithm algorithm;
	int64_t public_port, private_port;
	struct cidrs sources; /* clients that it serves; none: any */
	/* Everybody may use it, where its network has a firewall. Errors as of engine_create_firewall_rule(). */
	bool opens_firewall;
	struct str name, description;
	struct tags tags;
	/* made: */
	uuid balancer;
};
OPERATION(engine_create_load_balancer, load_balancer_wish)

struct load_balancer_change {
	struct ref balancer;
	const struct str *name, *description; /* NULL: as it is */
	bool sets_algorithm, sets_sources;
	enum load_balancer_algorithm algorithm;
	struct cidrs sources;
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

/* ---- for the reconciler ---- */

struct load_balancer_member;
struct tables;

/* Its instance was seen on. */
bool engine_member_is_on(const struct tables *t, const struct load_balancer_member *m);
/* An address of its subnet that no port has, nor draws, nor its router: from there it is asked whether it answers. None: there
 * is no such address, as in a subnet whose ports draw from all of it. */
struct ip engine_get_asking_ip(const struct tables *t, const struct load_balancer_member *m);
