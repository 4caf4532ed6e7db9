/* SPDX-License-Identifier: Apache-2.0
 * Address blocks of routers. The router's row holds them; local routes, NAT and what peers may reach are
 * derived from the row. The reconciler (reconcile/network/router.c) deploys the router again after a change. */
#include "engine/network/routing/router_block.h"

#include "engine/internal.h"
#include "engine/network/ipv6.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/routing/peering_internal.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/router_internal.h"
#include "store/port.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/subnet.h"

uuid engine_get_block_association(const struct router *router, struct cidrs blocks, size_t n)
{
	char text[CIDR_TEXT_SIZE];
	return n == 0 ? router->row.id : uuid_v5(router->row.id, str_from(cidr_write(blocks.at[n], text)));
}

#define V4(a, b, c, d, bits)                                                                                 \
	{                                                                                                    \
		{{a, b, c, d}, IP_V4}, bits                                                                  \
	}

/* EC2's restrictions: a VPC whose first block is in `first` cannot add blocks in `added`. */
static const struct {
	struct cidr first, added;
} restrictions[] = {
	{V4(10, 0, 0, 0, 8), V4(172, 16, 0, 0, 12)},     {V4(10, 0, 0, 0, 8), V4(192, 168, 0, 0, 16)},
	{V4(172, 16, 0, 0, 12), V4(10, 0, 0, 0, 8)},     {V4(172, 16, 0, 0, 12), V4(192, 168, 0, 0, 16)},
	{V4(172, 16, 0, 0, 12), V4(172, 31, 0, 0, 16)},  {V4(192, 168, 0, 0, 16), V4(10, 0, 0, 0, 8)},
	{V4(192, 168, 0, 0, 16), V4(172, 16, 0, 0, 12)},
};
/* A VPC whose first block is in none of the RFC 1918 ranges cannot add one in them. No VPC can add a block in
 * the last range. */
static const struct cidr private_ranges[] = {V4(10, 0, 0, 0, 8), V4(172, 16, 0, 0, 12),
					     V4(192, 168, 0, 0, 16), V4(198, 19, 0, 0, 16)};
enum { PRIVATE_COUNT = sizeof private_ranges / sizeof private_ranges[0], RFC_1918_COUNT = PRIVATE_COUNT - 1 };
/* A VPC with a block in the first range cannot add one in the second. */
static const struct cidr lowest_two = V4(10, 0, 0, 0, 15), lowest = V4(10, 0, 0, 0, 16);

static bool is_restricted(struct cidrs blocks, struct cidr block)
{
	struct cidr first = blocks.at[0];
	bool is_private = false;
	if (cidr_overlaps(block, private_ranges[PRIVATE_COUNT - 1]))
		return true;
	for (size_t k = 0; k < sizeof restrictions / sizeof restrictions[0]; k++)
		if (cidr_overlaps(first, restrictions[k].first) &&
		    cidr_overlaps(block, restrictions[k].added))
			return true;
	for (size_t k = 0; k < blocks.count; k++)
		if (cidr_overlaps(blocks.at[k], lowest_two) && cidr_overlaps(block, lowest))
			return true;
	for (size_t k = 0; k < RFC_1918_COUNT; k++)
		is_private = is_private || cidr_overlaps(first, private_ranges[k]);
	for (size_t k = 0; k < RFC_1918_COUNT && !is_private; k++)
		if (cidr_overlaps(block, private_ranges[k]))
			return true;
	return false;
}

/* Live subnet of the router that overlaps the block, or NULL. */
static const struct subnet *find_subnet_in(const struct tables *t, const struct router *router,
					   struct cidr block)
{
	const struct subnet *subnet = subnet_first_by_router(t, router->row.id);
	for (; subnet; subnet = subnet_next_by_router(t, subnet))
		if (row_is_live(&subnet->row) && cidr_overlaps(subnet->block, block))
			return subnet;
	for (const struct port *p = router_first_interface(t, router->row.id); p;
	     p = port_next_by_interface_of(t, p)) {
		subnet = row_is_live(&p->row) ? subnet_find(t, p->subnet) : NULL;
		if (subnet && cidr_overlaps(subnet->block, block))
			return subnet;
	}
	return NULL;
}

/* Route in one of the router's tables whose destination lies in the block, or NULL. */
static const struct route *find_route_into(const struct tables *t, const struct router *router,
					   struct cidr block)
{
	const struct route_table *table = route_table_first_by_router(t, router->row.id);
	for (; table; table = route_table_next_by_router(t, table))
		for (const struct route *r = route_first_by_table(t, table->row.id); r;
		     r = route_next_by_table(t, r))
			if (row_is_live(&r->row) && cidr_contains_cidr(block, r->destination))
				return r;
	return NULL;
}

static RESULT fail_block(struct op *op, struct cidr block, const char *why)
{
	char text[CIDR_TEXT_SIZE];
	return ENGINE_FAIL(op, ERR_RANGE, KIND_ROUTER, STR("CidrBlock"), "The CIDR '%s' %s.",
			   cidr_write(block, text), why);
}

static RESULT check_fits(struct op *op, const struct router *router, struct cidr block)
{
	if (router->blocks.count == 0)
		return fail_block(op, block, "is not added to a VPC whose blocks are its subnets'");
	TRY(router_check_block(op, block));
	for (size_t k = 0; k < router->blocks.count; k++)
		if (cidr_overlaps(router->blocks.at[k], block))
			return fail_block(op, block, "overlaps with a CIDR block of the VPC");
	if (is_restricted(router->blocks, block))
		return fail_block(op, block,
				  "is restricted. Use one of the same private address range as the VPC's "
				  "first CIDR block, or a publicly routable one");
	if (find_subnet_in(op->head, router, block))
		return fail_block(op, block, "overlaps with a subnet of the VPC");
	const char *why = peering_refuses_block(op->head, router, block);
	if (why)
		return fail_block(op, block, why);
	if (find_route_into(op->head, router, block))
		return fail_block(
			op, block,
			"is the same as, or larger than, the destination of a route of the VPC's tables");
	if (router->blocks.count < ROUTER_BLOCKS_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_ROUTER, STR("CidrBlock"),
			   "This network %" STR_FMT " has met its maximum number of allowed CIDRs: %d",
			   STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)), ROUTER_BLOCKS_MAX);
}

RESULT engine_add_router_block(struct op *op, struct router_block_wish *wish)
{
	const struct router *router = NULL;
	struct cidr blocks[ROUTER_BLOCKS_MAX], block = cidr_canonical(wish->block);
	char text[CIDR_TEXT_SIZE];
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	wish->made_in = router->row.id;
	if (wish->ipv6.is_wanted)
		return ipv6_add_block(op, router, wish, &wish->block, &wish->association);
	TRY(check_fits(op, router, block));
	TRY(engine_permit(op, "router.add_block", KIND_ROUTER, &router->row));
	struct router next = *router;
	memcpy(blocks, router->blocks.at, router->blocks.count * sizeof *blocks);
	blocks[router->blocks.count] = block;
	next.blocks = (struct cidrs){blocks, router->blocks.count + 1};
	next.row.gen++;
	TRY(router_put(op, &next));
	TRY(peering_fail_overlapping(op, &next, block));
	wish->association = engine_get_block_association(&next, next.blocks, next.blocks.count - 1);
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed", "Block %s added.",
				cidr_write(block, text));
}

static RESULT fail_block_in_use(struct op *op, const struct router_block_target *wish,
				const struct subnet *subnet)
{
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ROUTER, &wish->association,
				 "The vpc CIDR block '%" STR_FMT
				 "' has dependencies and cannot be disassociated. %" STR_FMT " is in it.",
				 STR_ARG(wish->association.text),
				 STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

/* `places` has room for as many blocks as `from` has. */
static struct cidrs leave_out(struct cidrs from, struct cidr block, struct cidr *places)
{
	size_t count = 0;
	for (size_t k = 0; k < from.count; k++)
		if (!cidr_equal(from.at[k], block))
			places[count++] = from.at[k];
	return (struct cidrs){places, count};
}

/* An IPv6 block can be removed once no subnet uses it. */
static RESULT remove_ipv6(struct op *op, struct router_block_target *wish, const struct router *router,
			  size_t at)
{
	struct cidr blocks[ROUTER_IPV6_BLOCKS_MAX], pool_blocks[ROUTER_IPV6_BLOCKS_MAX];
	char text[CIDR_TEXT_SIZE];
	wish->block = router->ipv6_blocks.at[at];
	wish->router = router->row.id;
	wish->removed = engine_get_ipv6_association(router, wish->block);
	wish->pool = engine_get_ipv6_pool(op->head, router, wish->block);
	TRY(engine_permit(op, "router.remove_block", KIND_ROUTER, &router->row));
	const struct subnet *subnet = find_subnet_in(op->head, router, wish->block);
	if (subnet)
		return fail_block_in_use(op, wish, subnet);
	struct router next = *router;
	next.ipv6_blocks = leave_out(router->ipv6_blocks, wish->block, blocks);
	next.ipv6_pool_blocks = leave_out(router->ipv6_pool_blocks, wish->block, pool_blocks);
	next.row.gen++;
	TRY(router_put(op, &next));
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed", "Block %s removed.",
				cidr_write(wish->block, text));
}

static const struct router *find_ipv6_association(struct op *op, const struct ref *ref, size_t *ret_block)
{
	const struct router *router = router_first_by_account(op->head, engine_get_account(op->ctx));
	for (; router; router = router_next_by_account(op->head, router))
		for (size_t k = 0; row_is_live(&router->row) && k < router->ipv6_blocks.count; k++)
			if (id_has_prefix(engine_get_ipv6_association(router, router->ipv6_blocks.at[k]),
					  ref->prefix, ref->bits)) {
				*ret_block = k;
				return router;
			}
	return NULL;
}

/* Finds the block among the routers of the caller's account. */
static const struct router *find_association(struct op *op, const struct ref *ref, size_t *ret_block)
{
	const struct router *router = router_first_by_account(op->head, engine_get_account(op->ctx));
	for (; router; router = router_next_by_account(op->head, router)) {
		for (size_t k = 0; row_is_live(&router->row) && k < router->blocks.count; k++) {
			*ret_block = k;
			if (id_has_prefix(engine_get_block_association(router, router->blocks, k),
					  ref->prefix, ref->bits))
				return router;
		}
	}
	return NULL;
}

RESULT engine_remove_router_block(struct op *op, struct router_block_target *wish)
{
	size_t at = 0, count = 0;
	struct cidr blocks[ROUTER_BLOCKS_MAX];
	char text[CIDR_TEXT_SIZE];
	const struct router *router = find_ipv6_association(op, &wish->association, &at);
	if (router)
		return remove_ipv6(op, wish, router, at);
	router = find_association(op, &wish->association, &at);
	if (!router)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ROUTER, wish->association.field,
				   "The vpc CIDR block association ID '%" STR_FMT "' does not exist",
				   STR_ARG(wish->association.text));
	TRY(engine_permit(op, "router.remove_block", KIND_ROUTER, &router->row));
	if (at == 0)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ROUTER, wish->association.field,
				   "The vpc CIDR block with association ID %" STR_FMT
				   " may not be disassociated: it is the VPC's first one.",
				   STR_ARG(wish->association.text));
	wish->block = router->blocks.at[at];
	const struct subnet *subnet = find_subnet_in(op->head, router, wish->block);
	if (subnet)
		return fail_block_in_use(op, wish, subnet);
	wish->router = router->row.id;
	wish->removed = engine_get_block_association(router, router->blocks, at);
	struct router next = *router;
	for (size_t k = 0; k < router->blocks.count; k++)
		if (k != at)
			blocks[count++] = router->blocks.at[k];
	next.blocks = (struct cidrs){blocks, count};
	next.row.gen++;
	TRY(router_put(op, &next));
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed", "Block %s removed.",
				cidr_write(wish->block, text));
}
