/* SPDX-License-Identifier: Apache-2.0
 * Routers, which EC2 calls VPCs. */
#pragma once

#include "engine/network/ipv6.h"
#include "engine/operation.h"
#include "store/router.h"

/* Makes a router as EC2's CreateVpc does: with a main route table, a default network ACL and a
 * default group. The block is made canonical. ERR_RANGE: it is not between /16 and /28, or not in a
 * usable range. */
struct router_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct str name, description;
	/* Neutron's: addresses come with the subnets that are added; there is no group either. */
	bool has_no_block;
	bool is_down;
	struct cidr block;
	struct ipv6_block_wish ipv6; /* errors as for engine_add_router_block() */
	enum router_tenancy tenancy;
	struct tags tags;
	/* made: */
	uuid router, route_table, group;
};
OPERATION(engine_create_router, router_wish)

/* Changes a router's settings. ERR_COMBINATION: host names need DNS support. */
struct router_settings {
	struct ref router;
	enum choice dns_support, dns_hostnames, usage_metrics, is_down; /* CHOICE_DEFAULT: as it is */
	const struct str *name, *description;                           /* NULL: likewise */
};
OPERATION(engine_update_router, router_settings)

/* The router's own address blocks or, if it has none, those of its subnets. In the arena; empty if
 * that is full. */
struct cidrs engine_get_blocks(const struct tables *t, struct arena *a, const struct router *router);

/* Whether names of the router's hosts are resolved, and those with a public address have a public
 * name. */
static inline bool engine_has_hostnames(const struct router *router)
{
	return router && router->dns_support && router->dns_hostnames;
}

/* Deletes a router with its main route table, default network ACL and default group. ERR_IN_USE: it
 * has subnets, a gateway, other groups or tables, or ports in its default group. */
struct router_target {
	struct ref router;
	bool with_gateway; /* the gateway is deleted, too */
};
OPERATION(engine_delete_router, router_target)
/* From now on instances that are launched into the router's subnets and ask for no tenancy have the
 * default one. Those that are there keep theirs. */
OPERATION(engine_share_router, router_target)

/* For the reconciler: the router is gone from the network. ERR_STATE: it is not deleted.
 * ERR_IN_USE: subnets or ports of it are not forgotten. Absent: OK. */
struct router_forget {
	uuid router;
};
OPERATION(engine_forget_router, router_forget)
