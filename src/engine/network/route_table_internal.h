/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of route tables. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct route;

/* Tables are forgotten at once: no driver holds one by itself. */
RESULT route_table_write(struct op *op, uuid account, uuid router, bool is_main, struct tags tags,
			 uuid *ret_table);
RESULT route_table_forget_with_routes(struct op *op, uuid table);

/* What a route's destination is to its router's blocks. The local route, which leads to all of a block, has a
 * row only while it is replaced. */
enum route_place { ROUTE_OUTSIDE, ROUTE_LOCAL, ROUTE_SUBNET, ROUTE_WITHIN };
enum route_place route_find_place(const struct tables *t, uuid router, struct cidr destination);
/* Whether a table may have such a route. is_change: of one that is there, or of the local one. ERR_INVALID. */
RESULT route_check(struct op *op, const struct route_table *table, const struct route *route, bool is_change);
/* Whether a gateway may have the table with its routes. ERR_INVALID. */
RESULT route_check_for_gateway(struct op *op, const struct route_table *table, struct str field);
/* A gateway has it. */
bool route_table_is_gateways(const struct tables *t, uuid table);
