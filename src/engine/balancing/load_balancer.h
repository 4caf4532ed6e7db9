/* SPDX-License-Identifier: Apache-2.0
 * Load balancers: a port of an elastic address (or of an interface) distributed to several ports behind one
 * router. Members whose instance is off get no connections; nor do members that fail the TCP health check, if
 * their subnet has a spare address to probe from. The reconciler (reconcile/network/router.c) deploys them with the
 * router. */
#pragma once

#include "engine/operation.h"
#include "model/load_balancer_words.h"

enum { LOAD_BALANCER_MEMBERS_MAX = 50 };

/* Creates a load balancer without members. ERR_CONFLICT with KIND_ADDRESS: the address is associated. With
 * KIND_LOAD_BALANCER: ERR_CONFLICT, the port is in use; ERR_INVALID, bad port number; ERR_QUOTA,
 * FORWARDED_PORTS_MAX is reached; ERR_STATE, sources need a network with a firewall; ERR_UNSUPPORTED and
 * ERR_QUOTA for sources as for firewall rules. */
struct load_balancer_wish {
	struct ref address;
	bool may_be_source_nat; /* also accepts a router's source NAT address */
	struct ref front;       /* instead of address: the frontend interface of a set, whose private address
				 * has the port */
	struct ref account;     /* must be the address's owner; kind none: not checked */
	struct ref network; /* network of the members; kind none: the one that the address was allocated for,
			  * else any */
	enum load_balancer_protocol protocol;
	enum load_balancer_algorithm algorithm;
	int64_t public_port, private_port;
	struct cidrs sources; /* permitted clients; none: any */
	/* Opens the firewall of the network for all sources. Errors as for engine_create_firewall_rule(). */
	bool opens_firewall;
	struct str name, description;
	struct tags tags;
	/* outputs: */
	uuid balancer;
};
OPERATION(engine_create_load_balancer, load_balancer_wish)

struct load_balancer_change {
	struct ref balancer;
	const struct str *name, *description; /* NULL: unchanged */
	bool sets_algorithm, sets_sources;
	enum load_balancer_algorithm algorithm;
	struct cidrs sources;
};
OPERATION(engine_change_load_balancer, load_balancer_change)

/* Adds or removes the ports of instances. With KIND_LOAD_BALANCER: ERR_EXISTS, an instance is a member;
 * ERR_STATE, an instance is in another network than the balancer's, not reachable from the address's external
 * network, or behind another router than the address's other targets; ERR_QUOTA. Removal: ERR_STATE, an
 * instance is not a member. */
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

/* True if the member's instance was last seen running. */
bool engine_member_is_on(const struct tables *t, const struct load_balancer_member *m);
/* Address in the member's subnet from which to probe it: one that no port has or can get. None if there is no
 * such address, as in a subnet whose pools cover all of it. */
struct ip engine_get_asking_ip(const struct tables *t, const struct load_balancer_member *m);
