/* SPDX-License-Identifier: Apache-2.0
 * Azure's virtual networks: a router with blocks that leads outside automatically, and whose subnets are in
 * all zones. Other faces show it as an ordinary VPC. */
#pragma once

#include "engine/operation.h"

enum { VIRTUAL_BLOCK_BITS_MIN = 8, VIRTUAL_BLOCK_BITS_MAX = 29 };

/* Creates a virtual network, or changes its blocks and DNS servers. With KIND_ROUTER: ERR_RANGE, a block's
 * size or range; ERR_CONFLICT, overlapping blocks; ERR_QUOTA, too many; ERR_IN_USE, a subnet is in a removed
 * block. */
struct virtual_network_wish {
	struct ref router; /* kind none: creates a virtual network */
	struct str name;
	struct cidrs blocks;
	bool keeps_blocks;      /* update only: leaves the blocks unchanged */
	struct ips dns_servers; /* for the guests; empty: the region's */
	bool keeps_servers;     /* leaves the servers of existing subnets unchanged */
	/* result: */
	uuid made;
};
OPERATION(engine_put_virtual_network, virtual_network_wish)

/* Deletes a virtual network with its subnets. ERR_IN_USE with KIND_SUBNET: a subnet is in use; with
 * KIND_ROUTER: something that another face created depends on it. */
struct virtual_network_target {
	struct ref router;
};
OPERATION(engine_delete_virtual_network, virtual_network_target)

/* Creates a subnet, or changes it. With KIND_SUBNET: ERR_RANGE, it is outside of the blocks, or its size is
 * not /8 to /29; ERR_CONFLICT, it overlaps another subnet; ERR_STATE, its block cannot change. */
struct virtual_subnet_wish {
	struct ref router;
	uuid subnet; /* none: creates a subnet */
	struct str name;
	struct cidr block;
	struct ips dns_servers;
	bool keeps_servers;                  /* leaves the servers of an existing subnet unchanged */
	struct ref policy, plan, source_nat; /* kind none: none */
	/* result: */
	uuid made;
};
OPERATION(engine_put_virtual_subnet, virtual_subnet_wish)

/* Updates the system routes in a virtual network's tables: to the outside, and to peers. Does nothing for
 * other routers. */
struct system_routes_wish {
	uuid router;
};
SYSTEM_OPERATION(engine_settle_system_routes, system_routes_wish)
