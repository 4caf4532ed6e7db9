/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: route tables, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct route;

/* Tables are forgotten at once: they exist outside only as parts of their router. */
RESULT route_table_write(struct op *op, uuid account, uuid router, bool is_main, struct tags tags,
			 uuid *ret_table);

/* Position of a route's destination relative to its router's blocks: outside, equal to a block (the local
 * route, which has a row only while it is replaced), equal to a subnet, or elsewhere inside. */
enum route_place { ROUTE_OUTSIDE, ROUTE_LOCAL, ROUTE_SUBNET, ROUTE_WITHIN };
enum route_place route_find_place(const struct tables *t, uuid router, struct cidr destination);
/* Checks that a table may have the route. is_change: replaces an existing or the local route. ERR_INVALID. */
RESULT route_check(struct op *op, const struct route_table *table, const struct route *route, bool is_change);
/* Checks that the table with its routes may be associated with a gateway. ERR_INVALID. */
RESULT route_check_for_gateway(struct op *op, const struct route_table *table, struct str field);
/* True if the table is associated with a gateway. */
bool route_table_is_gateways(const struct tables *t, uuid table);
