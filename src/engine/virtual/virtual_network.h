/* SPDX-License-Identifier: Apache-2.0
 * Virtual networks as Azure's users make them: a router with blocks that leads outside by itself, and whose subnets are in all
 * zones. Other faces show it as a VPC like any other. */
#pragma once

#include "engine/operation.h"

enum { VIRTUAL_BLOCK_BITS_MIN = 8, VIRTUAL_BLOCK_BITS_MAX = 29 };

/* Makes one, or says which blocks and name servers it has. With KIND_ROUTER: ERR_RANGE, a block's size or place; ERR_CONFLICT,
 * they overlap; ERR_QUOTA, too many; ERR_IN_USE, a subnet is in a block that goes. */
struct virtual_network_wish {
	struct ref router; /* kind none: a new one */
	struct str name;
	struct cidrs blocks;
	bool keeps_blocks;      /* one that is there has them as they are */
	struct ips dns_servers; /* told to guests; none: the region's */
	bool keeps_servers;     /* subnets that are there say what they say */
	/* made: */
	uuid made;
};
OPERATION(engine_put_virtual_network, virtual_network_wish)

/* Deletes one with its subnets. ERR_IN_USE with KIND_SUBNET: something is in one of them; with KIND_ROUTER: something else
 * stands on it, that another face made. */
struct virtual_network_target {
	struct ref router;
};
OPERATION(engine_delete_virtual_network, virtual_network_target)

/* Makes a subnet of one, or changes it. With KIND_SUBNET: ERR_RANGE, it is in no block, or of another size than /8 to /29;
 * ERR_CONFLICT, it overlaps another; ERR_STATE, its block is to be another one. */
struct virtual_subnet_wish {
	struct ref router;
	uuid subnet; /* none: a new one */
	struct str name;
	struct cidr block;
	struct ips dns_servers;
	bool keeps_servers;                  /* one that is there says what it says */
	struct ref policy, plan, source_nat; /* kind none: none */
	/* made: */
	uuid made;
};
OPERATION(engine_put_virtual_subnet, virtual_subnet_wish)

/* What a router has by itself in each of its tables: the way out, and to peers. Of one that is no virtual network nothing. */
struct system_routes_wish {
	uuid router;
};
OPERATION(engine_settle_system_routes, system_routes_wish)
