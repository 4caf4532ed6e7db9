/* SPDX-License-Identifier: Apache-2.0
 * Route plans, which Azure calls route tables: they are no router's. In each virtual network a subnet of which has one there is a
 * route table that is made of it and of what virtual networks lead to by themselves. */
#pragma once

#include "engine/operation.h"
#include "model/route_plan_entry.h"

struct route_plan_wish {
	struct str name;
	/* made: */
	uuid plan;
};
OPERATION(engine_create_route_plan, route_plan_wish)

/* ERR_IN_USE: a subnet has it. */
struct route_plan_target {
	struct ref plan;
};
OPERATION(engine_delete_route_plan, route_plan_target)

/* Makes an entry, or says something else of one. With KIND_ROUTE_PLAN_ENTRY: ERR_EXISTS, another one has the destination;
 * ERR_INVALID, an appliance without an address, or an address without one. */
struct route_plan_entry_wish {
	struct ref plan;
	uuid entry; /* none: a new one */
	struct str name;
	struct cidr destination;
	enum route_plan_entry_hop hop;
	struct ip next_hop;
};
OPERATION(engine_put_route_plan_entry, route_plan_entry_wish)

struct route_plan_entry_target {
	struct ref entry;
};
OPERATION(engine_delete_route_plan_entry, route_plan_entry_target)
