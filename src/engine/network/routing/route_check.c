/* SPDX-License-Identifier: Apache-2.0
 * Rules for routes: which destinations a table may have relative to its router's blocks, and which targets
 * are allowed in a table associated with an internet gateway. */
#include "engine/internal.h"
#include "engine/network/ipv6.h"
#include "engine/network/routing/route_table_internal.h"
#include "model/gateway.h"
#include "model/route.h"
#include "model/route_table.h"
#include "store/gateway.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"

static bool has_block(struct cidrs blocks, struct cidr block)
{
	for (size_t n = 0; n < blocks.count; n++)
		if (cidr_equal(cidr_canonical(blocks.at[n]), block))
			return true;
	return false;
}

static bool is_subnet(const struct tables *t, uuid router, struct cidr block)
{
	const struct subnet *s = subnet_first_by_router(t, router);
	while (s && !(row_is_live(&s->row) && cidr_equal(cidr_canonical(s->block), block)))
		s = subnet_next_by_router(t, s);
	return s != NULL;
}

enum route_place route_find_place(const struct tables *t, uuid router_id, struct cidr destination)
{
	const struct router *router = router_find(t, router_id);
	if (!router)
		return ROUTE_OUTSIDE;
	bool is_within = engine_is_ipv6_of_router(router, destination);
	for (size_t n = 0; n < router->blocks.count; n++)
		is_within = is_within || cidr_contains_cidr(router->blocks.at[n], destination);
	if (!is_within)
		return ROUTE_OUTSIDE;
	if (has_block(router->blocks, destination) || has_block(router->ipv6_blocks, destination))
		return ROUTE_LOCAL;
	return is_subnet(t, router_id, destination) ? ROUTE_SUBNET : ROUTE_WITHIN;
}

bool route_table_is_gateways(const struct tables *t, uuid table)
{
	return gateway_find_by_route_table(t, table) != NULL;
}

static RESULT fail_target(struct op *op)
{
	return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROUTE,
			     "Route target is not supported. This route only supports interface and instance "
			     "targets.");
}

/* Routes to parts of the router's blocks, and routes in a gateway's table, may only lead to ports, not to
 * next hops by address, which Neutron's API makes. */
RESULT route_check(struct op *op, const struct route_table *table, const struct route *route, bool is_change)
{
	char text[CIDR_TEXT_SIZE];
	enum route_place place = route_find_place(op->head, table->router, route->destination);
	bool is_gateways = route_table_is_gateways(op->head, table->row.id);
	if (uuid_is_none(route->port) && (is_gateways || place != ROUTE_OUTSIDE))
		return fail_target(op);
	if (place == ROUTE_OUTSIDE && is_gateways) /* EC2's message is not documented */
		return ctx_fail_kind(
			op->ctx, ERR_INVALID, KIND_ROUTE,
			"The destination CIDR block %s is not within one of this VPC's CIDR blocks. "
			"The route table is associated with a gateway.",
			cidr_write(route->destination, text));
	if (place == ROUTE_OUTSIDE || place == ROUTE_SUBNET || is_change)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROUTE,
			     "The destination CIDR block %s is equal to or more specific than one of "
			     "this VPC's CIDR blocks.",
			     cidr_write(route->destination, text));
}

/* EC2 documents the rule but not the message. */
RESULT route_check_for_gateway(struct op *op, const struct route_table *table, struct str field)
{
	char text[CIDR_TEXT_SIZE];
	const struct route *route = route_first_by_table(op->head, table->row.id);
	for (; route; route = route_next_by_table(op->head, route)) {
		enum route_place place = route_find_place(op->head, table->router, route->destination);
		if (place != ROUTE_OUTSIDE && !uuid_is_none(route->port))
			continue;
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_ROUTE_TABLE, field,
			"Route table %" STR_FMT " cannot be associated with a gateway: its route to %s %s.",
			STR_ARG(engine_write_id(op, KIND_ROUTE_TABLE, table->row.id)),
			cidr_write(route->destination, text),
			place == ROUTE_OUTSIDE ? "leads out of the VPC's CIDR blocks"
					       : "has another target than an interface or an instance");
	}
	return OK;
}
