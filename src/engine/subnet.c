/* SPDX-License-Identifier: Apache-2.0
 * Subnets, each on a segment of its own. What happens next: its router is brought about anew. */
#include "engine/subnet.h"

#include "engine/internal.h"

enum { SUBNET_BITS_MIN = 16, SUBNET_BITS_MAX = 28, SUBNET_MTU = 1442 /* 1500 less Geneve's 58 */ };

void subnet_bounds(const struct subnet *subnet, struct ip *ret_first, struct ip *ret_last)
{
	*ret_first = ip_add(subnet->block.base, 4);
	*ret_last = ip_add(subnet->block.base, cidr_count(subnet->block) - 2);
}

const struct subnet *subnet_first_live(const struct tables *t, uuid router)
{
	const struct subnet *subnet = subnet_first_by_router(t, router);
	while (subnet && !row_is_live(&subnet->row))
		subnet = subnet_next_by_router(t, subnet);
	return subnet;
}

/* Locally administered, in a range that ports do not have. */
static struct mac draw_gateway_mac(void)
{
	struct mac mac;
	random_bytes(mac.b, sizeof mac.b);
	mac.b[0] = 0x0a;
	return mac;
}

RESULT subnet_write(struct op *op, const struct subnet_plan *plan, uuid *ret_subnet)
{
	struct network network = {.row.id = engine_new_id(op, KIND_NETWORK),
				  .row.gen = 1,
				  .account = plan->account,
				  .mtu = SUBNET_MTU};
	TRY(network_put(op, &network));
	struct subnet subnet = {.row.id = engine_new_id(op, KIND_SUBNET),
				.row.gen = 1,
				.account = plan->account,
				.name = plan->name,
				.network = network.row.id,
				.router = plan->router,
				.zone = plan->zone,
				.block = plan->block,
				.gateway_ip = ip_add(plan->block.base, 1),
				.gateway_mac = draw_gateway_mac(),
				.is_default = plan->is_default,
				.public_on_launch = plan->public_on_launch,
				.acl = plan->acl,
				.acl_association = uuid_random(),
				.tags = plan->tags};
	TRY(subnet_put(op, &subnet));
	*ret_subnet = subnet.row.id;
	char text[CIDR_TEXT_SIZE];
	return engine_tell(op, KIND_SUBNET, &subnet.row, "created", "Subnet %s.",
			   cidr_write(subnet.block, text));
}

/* Inside one of the router's blocks, and apart from every subnet that the network still has. */
static RESULT check_block(struct op *op, const struct router *router, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	bool inside = false;
	for (size_t n = 0; n < router->blocks.count; n++)
		inside = inside || cidr_contains_cidr(router->blocks.at[n], block);
	if (block.base.family != IP_V4 || block.bits < SUBNET_BITS_MIN || block.bits > SUBNET_BITS_MAX ||
	    !inside)
		return ctx_fail_kind(
			op->ctx, ERR_RANGE, KIND_SUBNET,
			"The CIDR '%s' is invalid: it must be within the VPC's blocks, from /16 to /28.",
			cidr_write(block, text));
	const struct subnet *other = subnet_first_by_router(op->head, router->row.id);
	for (; other; other = subnet_next_by_router(op->head, other))
		if (row_is_live(&other->row) && cidr_overlaps(other->block, block))
			return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_SUBNET,
					     "The CIDR '%s' conflicts with another subnet",
					     cidr_write(block, text));
	return OK;
}

static RESULT choose_zone(struct op *op, const struct ref *ref, const struct zone **ret_zone)
{
	if (ref_is_given(ref))
		return engine_find_zone(op->ctx, op->head, ref, ret_zone);
	const struct row *row = tables_first(op->head, KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	while (row && !((const struct zone *) row)->enabled)
		row = tables_next(op->head, KIND_ZONE, ZONE_INDEX_NAME, row, 0);
	if (!row)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ZONE,
				     "The region has no zone that is open.");
	*ret_zone = (const struct zone *) row;
	return OK;
}

RESULT engine_create_subnet(struct op *op, struct subnet_wish *wish)
{
	const struct router *router = NULL;
	const struct zone *zone = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	TRY(choose_zone(op, &wish->zone, &zone));
	struct subnet_plan plan = {.account = router->account,
				   .router = router->row.id,
				   .zone = zone->row.id,
				   .acl = router->default_acl,
				   .block = cidr_canonical(wish->block),
				   .name = wish->name,
				   .public_on_launch = wish->public_on_launch};
	TRY(check_block(op, router, plan.block));
	TRY(tags_normalize(op, wish->tags, &plan.tags));
	TRY(engine_permit(op, "subnet.create", KIND_ROUTER, &router->row));
	return subnet_write(op, &plan, &wish->subnet);
}

RESULT engine_update_subnet(struct op *op, struct subnet_settings *wish)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	struct subnet next = *subnet;
	choice_apply(wish->public_on_launch, &next.public_on_launch);
	TRY(engine_permit(op, "subnet.update", KIND_SUBNET, &subnet->row));
	next.row.gen++;
	TRY(subnet_put(op, &next));
	return engine_tell(op, KIND_SUBNET, &next.row, "changed", "Launches in it %s a public address.",
			   next.public_on_launch ? "get" : "do not get");
}

RESULT engine_delete_subnet(struct op *op, struct subnet_target *wish)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	TRY(engine_permit(op, "subnet.delete", KIND_SUBNET, &subnet->row));
	const struct port *port = port_first_by_subnet(op->head, subnet->row.id);
	while (port && !row_is_live(&port->row))
		port = port_next_by_subnet(op->head, port);
	if (port)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_SUBNET, wish->subnet.field,
				   "The subnet '%" STR_FMT
				   "' has dependencies and cannot be deleted: %" STR_FMT " is in it.",
				   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)),
				   STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)));
	TRY(subnet_delete(op, subnet->row.id));
	char text[CIDR_TEXT_SIZE];
	return engine_tell(op, KIND_SUBNET, &subnet->row, "deleted", "Subnet %s.",
			   cidr_write(subnet->block, text));
}

RESULT engine_forget_subnet(struct op *op, struct subnet_forget *wish)
{
	const struct subnet *subnet = subnet_find(op->head, wish->subnet);
	if (!subnet)
		return OK;
	if (row_is_live(&subnet->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SUBNET, "The subnet is not deleted.");
	if (port_first_by_subnet(op->head, wish->subnet))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_SUBNET, "The subnet still has ports.");
	TRY(condition_clear_all(op, wish->subnet));
	TRY(subnet_forget(op, wish->subnet));
	return subnet_first_by_network(op->head, subnet->network) ? OK : network_forget(op, subnet->network);
}
