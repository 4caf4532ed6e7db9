/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of routers. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/ipv6.h"
#include "model/router.h"

struct router_plan {
	uuid account;
	struct str name, description;
	struct cidr block; /* none: it has no blocks of its own, and no default group */
	struct tags tags;
	bool is_default, is_down;
	struct ipv6_block_wish ipv6;
	enum router_tenancy tenancy;
};
/* With its main route table, default network ACL and default group; the row as it was put. */
RESULT router_write(struct op *op, const struct router_plan *plan, struct router *ret_router);
/* Not "this network", loopback, link-local, multicast or beyond. */
bool router_is_usable_block(struct cidr block);
/* A VPC may have it: IPv4, of such a range, /16 to /28. ERR_RANGE. */
RESULT router_check_block(struct op *op, struct cidr block);
/* The default VPC with all that belongs to it. */
RESULT router_write_default(struct op *op, const struct account *account, uuid *ret_router);
/* The first live port that is an interface of it, or NULL. */
const struct port *router_first_interface(const struct tables *t, uuid router);
