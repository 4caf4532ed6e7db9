/* SPDX-License-Identifier: Apache-2.0
 * Routers (EC2: VPCs). */
#pragma once

#include "engine/network/ipv6.h"
#include "engine/operation.h"
#include "store/router.h"

/* Creates a router as EC2's CreateVpc does: with a main route table, a default network ACL and a default
 * security group. The block is made canonical. ERR_RANGE: the block is not a /16 to /28, or not in a usable
 * range. */
struct router_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct str name, description;
	/* Neutron's routers: addresses come with the subnets that are added, and there is no default
	 * group. */
	bool has_no_block;
	bool is_down;
	struct cidr block;
	struct ipv6_block_wish ipv6; /* errors as for engine_add_router_block() */
	enum router_tenancy tenancy;
	struct ref offering; /* engine_create_vpc(): its VPC offering; kind none: the one of the region */
	struct tags tags;
	/* outputs: */
	uuid router, route_table, group;
};
OPERATION(engine_create_router, router_wish)

/* Changes a router's settings. ERR_COMBINATION: host names need DNS support. */
struct router_settings {
	struct ref router;
	enum choice dns_support, dns_hostnames, usage_metrics, is_down; /* CHOICE_DEFAULT: unchanged */
	const struct str *name, *description;                           /* NULL: unchanged */
};
OPERATION(engine_update_router, router_settings)

/* The router's own address blocks or, if it has none, those of its subnets. In the arena; empty if the arena
 * is full. */
struct cidrs engine_get_blocks(const struct tables *t, struct arena *a, const struct router *router);

/* True if the router's DNS resolves host names, and instances with a public address get public names. */
static inline bool engine_has_hostnames(const struct router *router)
{
	return router && router->dns_support && router->dns_hostnames;
}

/* Deletes a router with its main route table, default network ACL and default group. ERR_IN_USE: the router
 * has subnets, a gateway, peerings, or other groups, tables or ACLs. */
struct router_target {
	struct ref router;
	bool with_gateway; /* deletes the gateway, too */
};
OPERATION(engine_delete_router, router_target)
/* Sets the router's tenancy to default. Only instances launched from now on, that ask for no tenancy, are
 * affected. */
OPERATION(engine_share_router, router_target)
