/* SPDX-License-Identifier: Apache-2.0
 * Sides of peerings. Called by: api/azure. */
#include "engine/virtual/peering_side.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/peering_internal.h"
#include "engine/virtual/peering_side_internal.h"
#include "engine/virtual/virtual_network.h"
#include "store/peering.h"
#include "store/peering_side.h"
#include "store/router.h"

static RESULT check_blocks(struct op *op, const struct router *x, const struct router *y)
{
	for (size_t k = 0; k < x->blocks.count; k++)
		for (size_t j = 0; j < y->blocks.count; j++)
			if (cidr_overlaps(x->blocks.at[k], y->blocks.at[j]))
				return ENGINE_FAIL(op, ERR_CONFLICT, KIND_PEERING_SIDE,
						   STR("properties.remoteVirtualNetwork.id"),
						   "The address spaces of the two virtual networks overlap.");
	return OK;
}

/* A network must not overlap the other peers of its peer, which could not distinguish their addresses. */
static RESULT check_peers(struct op *op, const struct router *x, const struct router *y)
{
	const struct peering_side *s = peering_side_first_by_router(op->head, y->row.id);
	for (; s; s = peering_side_next_by_router(op->head, s)) {
		const struct router *third = router_find(op->head, s->peer_router);
		const struct peering *live = peering_find(op->head, s->peering);
		if (!third || third == x || !live || !row_is_live(&live->row))
			continue;
		for (size_t k = 0; k < x->blocks.count; k++)
			for (size_t j = 0; j < third->blocks.count; j++)
				if (cidr_overlaps(x->blocks.at[k], third->blocks.at[j]))
					return ENGINE_FAIL(
						op, ERR_CONFLICT, KIND_PEERING,
						STR("properties.remoteVirtualNetwork.id"),
						"The virtual networks cannot be peered because the address "
						"space of one of them overlaps with the address space of a "
						"virtual network that is already peered with the other.");
	}
	return OK;
}

static RESULT check(struct op *op, const struct peering_side_wish *wish, const struct router *router,
		    const struct router *peer)
{
	const struct peering_side *there =
		peering_side_find_by_router(op->head, router->row.id, peer->row.id);
	if (router == peer)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PEERING_SIDE,
				   STR("properties.remoteVirtualNetwork.id"),
				   "A virtual network cannot be peered with itself.");
	if (there && !uuid_equal(there->row.id, wish->side))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PEERING_SIDE,
				   STR("properties.remoteVirtualNetwork.id"),
				   "Another peering of the virtual network references that one already.");
	TRY(check_blocks(op, router, peer));
	TRY(check_peers(op, router, peer));
	return check_peers(op, peer, router);
}

static RESULT note(struct op *op, uuid side, uuid peering, bool was_connected)
{
	struct peering_side next = *peering_side_find(op->head, side);
	next.peering = peering;
	next.was_connected = was_connected;
	next.row.gen++;
	return peering_side_put(op, &next);
}

static RESULT settle_routes(struct op *op, uuid router, uuid peer)
{
	struct system_routes_wish own = {router}, others = {peer};
	TRY(engine_settle_system_routes(op, &own));
	return engine_settle_system_routes(op, &others);
}

/* Both sides exist: creates the peering. */
static RESULT connect(struct op *op, uuid side, uuid other, const struct ref *router, const struct ref *peer)
{
	struct peering_wish wish = {.router = *peer, .peer_router = *router};
	uuid own_id = peering_side_find(op->head, side)->router, peer_id;
	peer_id = peering_side_find(op->head, side)->peer_router;
	TRY(engine_create_peering(op, &wish));
	struct peering_target accept = {.peering =
						engine_ref_to(op, KIND_PEERING, wish.peering, router->field)};
	TRY(engine_accept_peering(op, &accept));
	TRY(note(op, side, wish.peering, false));
	TRY(note(op, other, wish.peering, false));
	return settle_routes(op, own_id, peer_id);
}

RESULT engine_put_peering_side(struct op *op, struct peering_side_wish *wish)
{
	const struct router *router = NULL, *peer = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	TRY(engine_find_own_router(op->ctx, op->head, &wish->peer_router, &peer));
	TRY(check(op, wish, router, peer));
	TRY(engine_permit(op, "peering.create", KIND_ROUTER, &router->row));
	const struct peering_side *before = peering_side_find(op->head, wish->side);
	if (before && !uuid_equal(before->router, router->row.id))
		return engine_fail_gone(op->ctx, KIND_PEERING_SIDE, wish->side);
	if (!before)
		TRY(limit_check(op, LIMIT_PEERING_SIDES, router->row.id, 1, STR_NONE));
	struct peering_side next = {.row = {.id = engine_new_id(op, KIND_PEERING_SIDE), .gen = 1},
				    .account = router->account,
				    .router = router->row.id,
				    .peer_router = peer->row.id,
				    .name = wish->name};
	TRY(before ? engine_permit(op, "peering.create", KIND_PEERING_SIDE, &before->row)
		   : engine_permit_new(op, "peering.create", KIND_PEERING_SIDE, &next.row));
	if (before && !uuid_equal(before->peer_router, peer->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_PEERING_SIDE,
				   STR("properties.remoteVirtualNetwork.id"),
				   "The remote virtual network of a peering cannot be another one.");
	if (!before)
		TRY(peering_side_put(op, &next));
	wish->made = before ? wish->side : next.row.id;
	const struct peering_side *own = peering_side_find(op->head, wish->made);
	const struct peering_side *other =
		peering_side_find_by_router(op->head, next.peer_router, next.router);
	const struct peering *live = peering_find(op->head, own->peering);
	bool is_connected = live && row_is_live(&live->row);
	return other && !is_connected
		       ? connect(op, own->row.id, other->row.id, &wish->router, &wish->peer_router)
		       : OK;
}

static RESULT disconnect(struct op *op, const struct peering_side *side)
{
	const struct peering *p = peering_find(op->head, side->peering);
	const struct peering_side *other =
		peering_side_find_by_router(op->head, side->peer_router, side->router);
	uuid router = side->router, peer = side->peer_router;
	if (p && row_is_live(&p->row)) {
		struct peering_target target = {
			.peering = engine_ref_to(op, KIND_PEERING, side->peering, STR("name"))};
		TRY(engine_delete_peering(op, &target));
	}
	if (other)
		TRY(note(op, other->row.id, UUID_NONE, true));
	return settle_routes(op, router, peer);
}

RESULT engine_delete_peering_side(struct op *op, struct peering_side_target *wish)
{
	const struct peering_side *side = NULL;
	TRY(engine_permit_peering_side(op, &wish->side, "peering.delete", &side));
	uuid id = side->row.id;
	TRY(disconnect(op, side));
	return peering_side_forget(op, id);
}

RESULT peering_side_leave_router(struct op *op, uuid router)
{
	const struct peering_side *side;
	while ((side = peering_side_first_by_router(op->head, router))) {
		uuid id = side->row.id;
		TRY(disconnect(op, side));
		TRY(peering_side_forget(op, id));
	}
	return OK;
}
