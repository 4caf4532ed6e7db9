/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: routers, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/ipv6.h"
#include "model/router.h"

struct router_plan {
	uuid account;
	struct str name, description;
	struct cidr block; /* none: no address blocks and no default group */
	struct tags tags;
	bool is_default, is_down;
	struct ipv6_block_wish ipv6;
	enum router_tenancy tenancy;
};
/* Writes a router with its main route table, default network ACL and default group. *ret_router is the row as
 * put, without IPv6 blocks. */
RESULT router_write(struct op *op, const struct router_plan *plan, struct router *ret_router);
/* False for "this network", loopback, link-local, multicast and reserved ranges. */
bool router_is_usable_block(struct cidr block);
/* Checks a block of a VPC: IPv4, usable, /16 to /28. ERR_RANGE. */
RESULT router_check_block(struct op *op, struct cidr block);
/* Creates the account's default VPC with subnets, gateway and route. */
RESULT router_write_default(struct op *op, const struct account *account, uuid *ret_router);
/* Raises the router's gen, which Neutron shows as revision_number, after a change of one of its ports. */
RESULT router_touch(struct op *op, uuid router);
/* First live port that is an interface of the router, or NULL. */
const struct port *router_first_interface(const struct tables *t, uuid router);
/* True if the router has an interface in the subnet. */
bool router_has_interface_in(const struct tables *t, uuid router, uuid subnet);
