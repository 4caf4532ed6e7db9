/* SPDX-License-Identifier: Apache-2.0
 * Route plans, called route tables in Azure, which belong to no router. In each virtual network with a subnet
 * that uses the plan, the engine creates a route table from the plan and the system routes. */
#pragma once

#include "engine/operation.h"
#include "model/route_plan_entry_words.h"

struct route_plan_wish {
	struct str name;
	/* result: */
	uuid plan;
};
OPERATION(engine_create_route_plan, route_plan_wish)

/* ERR_IN_USE: a subnet uses the plan. */
struct route_plan_target {
	struct ref plan;
};
OPERATION(engine_delete_route_plan, route_plan_target)

/* Creates an entry, or replaces it. With KIND_ROUTE_PLAN_ENTRY: ERR_EXISTS, another entry has the
 * destination; ERR_INVALID, an appliance without an address, or an address without an appliance. */
struct route_plan_entry_wish {
	struct ref plan;
	uuid entry; /* none: creates an entry */
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
