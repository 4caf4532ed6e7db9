/* SPDX-License-Identifier: Apache-2.0
 * Routers, VPCs in EC2's words. */
#pragma once

#include "engine/operation.h"
#include "store/router.h"

/* As EC2's CreateVpc: with a main route table, a default network ACL and a default group. The block is made
 * canonical. ERR_RANGE unless /16 to /28 and of a usable range. */
struct router_wish {
	struct ref account; /* whose it is to be; kind none: the caller's */
	struct str name, description;
	bool has_no_block; /* Neutron's: addresses come with the subnets that are added to it; no group either
			    */
	bool is_down;
	struct cidr block;
	bool wants_ipv6;       /* errors as engine_add_router_block() */
	struct str ipv6_field; /* for messages about that */
	struct tags tags;
	/* made: */
	uuid router, route_table, group;
};
OPERATION(engine_create_router, router_wish)

/* ERR_COMBINATION: names for hosts need DNS support. */
struct router_settings {
	struct ref router;
	enum choice dns_support, dns_hostnames, usage_metrics, is_down; /* CHOICE_DEFAULT: as it is */
	const struct str *name, *description;                           /* NULL: likewise */
};
OPERATION(engine_update_router, router_settings)

/* Its own address blocks or, where it has none, those of its subnets. In the arena; none when that is full.
 */
struct cidrs engine_get_blocks(const struct tables *t, struct arena *a, const struct router *router);

/* Its hosts' names are resolved, and those with a public address have a public name. */
static inline bool engine_has_hostnames(const struct router *router)
{
	return router && router->dns_support && router->dns_hostnames;
}

/* With its main route table, default network ACL and default group. ERR_IN_USE while it has subnets, a
 * gateway, other groups or tables, or ports in its default group. */
struct router_target {
	struct ref router;
	bool with_gateway; /* which goes, too */
};
OPERATION(engine_delete_router, router_target)
/* Its instances are on shared hosts, as they are: there are no others, and nothing changes. */
OPERATION(engine_set_router_tenancy, router_target)

/* The reconciler's: gone from the network. ERR_STATE unless deleted, ERR_IN_USE while subnets or
 * ports of it are not forgotten. Absent: OK. */
struct router_forget {
	uuid router;
};
OPERATION(engine_forget_router, router_forget)
