/* SPDX-License-Identifier: Apache-2.0
 * IPv6 blocks of routers, IPv6 subnets beside IPv4 ones, and other rules specific to IPv6 subnets. Changes
 * raise gen, and the reconciler deploys router and network again. */
#include "engine/network/ipv6.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/filter/network_acl_internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/routing/router_block.h"
#include "engine/network/subnet.h"
#include "engine/network/subnet_internal.h"
#include "engine/network/subnet_pool_internal.h"
#include "engine/quota_internal.h"
#include "store/external_network.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/subnet_pool.h"

/* ---- reading ---- */

static const struct subnet *find_beside(const struct tables *t, const struct subnet *subnet,
					enum ip_family family)
{
	const struct subnet *found = NULL, *s = subnet_first_by_network(t, subnet->network);
	for (; s && !uuid_is_none(subnet->router); s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row) && s->block.base.family == family &&
		    uuid_equal(s->router, subnet->router) &&
		    (!found || s->row.created_us < found->row.created_us))
			found = s;
	return found;
}

const struct subnet *engine_find_ipv6_subnet(const struct tables *t, const struct subnet *subnet)
{
	return subnet->block.base.family == IP_V6 ? subnet : find_beside(t, subnet, IP_V6);
}

const struct subnet *engine_find_ipv4_subnet(const struct tables *t, const struct subnet *subnet)
{
	return find_beside(t, subnet, IP_V4);
}

bool engine_is_ipv6_alone(const struct tables *t, const struct subnet *subnet)
{
	return subnet->block.base.family == IP_V6 && !engine_find_ipv4_subnet(t, subnet);
}

/* The subnet whose route table and ACL apply: the IPv4 subnet beside it, or itself. */
static const struct subnet *find_ruling(const struct tables *t, const struct subnet *subnet)
{
	const struct subnet *beside =
		subnet->block.base.family == IP_V6 ? engine_find_ipv4_subnet(t, subnet) : NULL;
	return beside ? beside : subnet;
}

uuid engine_get_subnet_route_table(const struct tables *t, const struct router *router,
				   const struct subnet *subnet)
{
	uuid table = find_ruling(t, subnet)->route_table;
	return uuid_is_none(table) ? router->main_route_table : table;
}

uuid engine_get_subnet_acl(const struct tables *t, const struct router *router, const struct subnet *subnet)
{
	uuid acl = find_ruling(t, subnet)->acl;
	return uuid_is_none(acl) ? router->default_acl : acl;
}

uuid engine_get_ipv6_association(const struct router *router, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	return uuid_v5(router->row.id, str_from(cidr_write(block, text)));
}

static bool is_inside(const struct cidrs *blocks, struct cidr block)
{
	for (size_t k = 0; k < blocks->count; k++)
		if (cidr_contains_cidr(blocks->at[k], block))
			return true;
	return false;
}

bool engine_is_ipv6_of_router(const struct router *router, struct cidr block)
{
	return is_inside(&router->ipv6_blocks, block);
}

bool engine_is_ipv6_of_named_pool(const struct router *router, struct cidr block)
{
	return is_inside(&router->ipv6_pool_blocks, block);
}

/* Live external network whose pool contains the block, or NULL. */
static const struct external_network *find_pool_of(const struct tables *t, struct cidr block)
{
	const struct external_network *n = external_network_first(t);
	while (n && !(row_is_live(&n->row) && cidr_contains_cidr(n->ipv6_pool, block)))
		n = external_network_next(t, n);
	return n;
}

/* Only the region chooses blocks that are reachable from outside: as router blocks, and through its subnet
 * pools. */
static bool is_of_regions_pool(const struct tables *t, const struct subnet *subnet)
{
	return subnet_pool_has_id_of_regions(t, subnet->subnet_pool);
}

bool engine_is_outer_subnet(const struct tables *t, const struct subnet *subnet)
{
	const struct router *router = uuid_is_none(subnet->router) ? NULL : router_find(t, subnet->router);
	if (!router || subnet->block.base.family != IP_V6)
		return false;
	if (engine_is_ipv6_of_router(router, subnet->block))
		return true;
	return is_of_regions_pool(t, subnet) && find_pool_of(t, subnet->block);
}

/* True if the region assigned the subnet's block, so that nobody else may use it outside. */
static bool is_of_outside(const struct tables *t, const struct subnet *subnet)
{
	return subnet->block.base.family == IP_V6 &&
	       (subnet->cut_from_router || is_of_regions_pool(t, subnet));
}

bool ipv6_find_holder(const struct tables *t, struct cidr block, struct cidr *ret_held)
{
	for (const struct router *r = router_first(t); r; r = router_next(t, r))
		for (size_t k = 0; k < r->ipv6_blocks.count; k++)
			if (cidr_overlaps(r->ipv6_blocks.at[k], block)) {
				*ret_held = r->ipv6_blocks.at[k];
				return true;
			}
	for (const struct subnet *s = subnet_first(t); s; s = subnet_next(t, s))
		if (is_of_outside(t, s) && cidr_overlaps(s->block, block)) {
			*ret_held = s->block;
			return true;
		}
	return false;
}

bool ipv6_is_usable_block(struct cidr block)
{
	static const struct cidr ranges[] = {{{{0x20}, IP_V6}, 3}, {{{0xfc}, IP_V6}, 7}};
	return cidr_contains_cidr(ranges[0], block) || cidr_contains_cidr(ranges[1], block);
}

const struct external_network *engine_find_ipv6_outside(const struct tables *t, const struct router *router)
{
	const struct external_network *found = NULL;
	for (size_t k = 0; !found && k < router->ipv6_blocks.count; k++)
		found = find_pool_of(t, router->ipv6_blocks.at[k]);
	return found;
}

uuid engine_get_ipv6_pool(const struct tables *t, const struct router *router, struct cidr block)
{
	const struct external_network *pool = find_pool_of(t, block);
	for (size_t k = 0; pool && k < router->ipv6_pool_blocks.count; k++)
		if (cidr_equal(router->ipv6_pool_blocks.at[k], block))
			return pool->row.id;
	return UUID_NONE;
}

/* ---- blocks of routers ---- */

/* Bitmap of the used router blocks of a pool. */
struct taken {
	struct cidr pool;
	uint64_t count;
	uint8_t *bits;
};

/* Index of the router block that contains the address. */
static uint64_t number_of(struct cidr pool, struct ip ip)
{
	uint64_t number = 0;
	for (size_t bit = pool.bits; bit < IPV6_ROUTER_BITS; bit++)
		number = number << 1 | (ip.b[bit / 8] >> (7 - bit % 8) & 1);
	return number;
}

static struct cidr block_of(struct cidr pool, uint64_t number)
{
	struct cidr block = {pool.base, IPV6_ROUTER_BITS};
	for (size_t bit = IPV6_ROUTER_BITS; bit-- > pool.bits; number >>= 1)
		if (number & 1)
			block.base.b[bit / 8] |= (uint8_t) (1 << (7 - bit % 8));
	return block;
}

static void take(struct taken *taken, struct cidr block)
{
	bool is_within = cidr_contains_cidr(taken->pool, block),
	     is_around = cidr_contains_cidr(block, taken->pool);
	uint64_t first = is_around ? 0 : number_of(taken->pool, block.base);
	uint64_t last = is_around ? taken->count - 1 : number_of(taken->pool, cidr_last(block));
	for (uint64_t n = first; (is_within || is_around) && n <= last; n++)
		taken->bits[n / 8] |= (uint8_t) (1 << n % 8);
}

/* Rows marked deleted count: the network still routes their blocks until the reconciler has removed them. */
static RESULT find_taken(struct op *op, struct cidr pool, struct taken *ret_taken)
{
	*ret_taken = (struct taken){.pool = pool, .count = UINT64_C(1) << (IPV6_ROUTER_BITS - pool.bits)};
	ret_taken->bits = arena_new_array(op->ctx->arena, uint8_t, ret_taken->count / 8 + 1);
	if (!ret_taken->bits)
		return ctx_no_memory(op->ctx);
	for (const struct router *r = router_first(op->head); r; r = router_next(op->head, r))
		for (size_t k = 0; k < r->ipv6_blocks.count; k++)
			take(ret_taken, r->ipv6_blocks.at[k]);
	for (const struct subnet *s = subnet_first(op->head); s; s = subnet_next(op->head, s))
		if (is_of_outside(op->head, s))
			take(ret_taken, s->block);
	return OK;
}

static bool is_taken(const struct taken *taken, uint64_t number)
{
	return taken->bits[number / 8] >> number % 8 & 1;
}

/* Starts at a random block, so that a released block is not reused soon. */
static bool pick_block(const struct taken *taken, struct cidr *ret_block)
{
	uint64_t from = random_below(taken->count);
	for (uint64_t k = 0; k < taken->count; k++) {
		uint64_t number = (from + k) % taken->count;
		if (is_taken(taken, number))
			continue;
		*ret_block = block_of(taken->pool, number);
		return true;
	}
	return false;
}

static RESULT take_named_block(struct op *op, const struct ipv6_block_wish *wish, const struct taken *taken,
			       struct cidr *ret_block)
{
	char text[CIDR_TEXT_SIZE];
	struct cidr block = cidr_canonical(wish->block);
	cidr_write(block, text);
	if (block.bits != IPV6_ROUTER_BITS || !cidr_contains_cidr(taken->pool, block))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_EXTERNAL_NETWORK, wish->block_field,
				   "The CIDR '%s' is invalid. It must be a /%d within the pool.", text,
				   IPV6_ROUTER_BITS);
	if (is_taken(taken, number_of(taken->pool, block.base)))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_EXTERNAL_NETWORK, wish->block_field,
				   "The CIDR '%s' conflicts with another one of the pool", text);
	*ret_block = block;
	return OK;
}

RESULT ipv6_pick_block(struct op *op, const struct ipv6_block_wish *wish, struct cidr *ret_block)
{
	bool has_pool = false;
	const struct external_network *named = NULL, *network = external_network_first(op->head);
	if (wish->pool.kind != KIND_NONE)
		TRY(engine_find_external_network(op->ctx, op->head, &wish->pool, &named));
	for (; network; network = external_network_next(op->head, network)) {
		struct taken taken;
		if (!row_is_live(&network->row) || cidr_is_none(network->ipv6_pool) ||
		    (named && named != network))
			continue;
		has_pool = true;
		TRY(find_taken(op, network->ipv6_pool, &taken));
		if (!cidr_is_none(wish->block))
			return take_named_block(op, wish, &taken, ret_block);
		if (pick_block(&taken, ret_block))
			return OK;
	}
	if (has_pool)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_ADDRESS, wish->field,
				   NOT_ENOUGH_ADDRESSES "The region's IPv6 pools have no block left.");
	if (named)
		return engine_fail_not_found(op->ctx, KIND_EXTERNAL_NETWORK, &wish->pool);
	return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_EXTERNAL_NETWORK, wish->field,
			   "The region has no IPv6 pool: its operator names one with 'dari network "
			   "set-ipv6'.");
}

/* `places` has room for one block more than `to` has. */
static struct cidrs add_block(struct cidrs to, struct cidr block, struct cidr *places)
{
	if (to.count)
		memcpy(places, to.at, to.count * sizeof *places);
	places[to.count] = block;
	return (struct cidrs){places, to.count + 1};
}

RESULT ipv6_add_block(struct op *op, const struct router *router, const struct router_block_wish *wish,
		      struct cidr *ret_block, uuid *ret_association)
{
	struct cidr blocks[ROUTER_IPV6_BLOCKS_MAX], pool_blocks[ROUTER_IPV6_BLOCKS_MAX];
	char text[CIDR_TEXT_SIZE];
	size_t count = router->ipv6_blocks.count;
	TRY(engine_permit(op, "router.add_block", KIND_ROUTER, &router->row));
	if (router->blocks.count == 0)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_ROUTER, wish->router.field,
				   "A VPC whose blocks are its subnets' is not given an IPv6 block.");
	if (count >= ROUTER_IPV6_BLOCKS_MAX)
		return ENGINE_FAIL(
			op, ERR_QUOTA, KIND_ROUTER, wish->ipv6.field,
			"This network '%" STR_FMT "' has met its maximum number of allowed IPv6 CIDRs: %d",
			STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)), ROUTER_IPV6_BLOCKS_MAX);
	TRY(ipv6_pick_block(op, &wish->ipv6, ret_block));
	struct router next = *router;
	next.ipv6_blocks = add_block(router->ipv6_blocks, *ret_block, blocks);
	if (wish->ipv6.pool.kind != KIND_NONE)
		next.ipv6_pool_blocks = add_block(router->ipv6_pool_blocks, *ret_block, pool_blocks);
	next.row.gen++;
	TRY(router_put(op, &next));
	TRY(ipv6_let_through(op, &next));
	*ret_association = engine_get_ipv6_association(&next, *ret_block);
	return engine_log_event(op, KIND_ROUTER, &next.row, "changed", "Block %s added.",
				cidr_write(*ret_block, text));
}

RESULT ipv6_let_through(struct op *op, const struct router *router)
{
	if (!uuid_is_none(router->default_group))
		TRY(security_group_let_ipv6_out(op, router->default_group));
	return network_acl_let_ipv6_through(op, router->default_acl);
}

/* ---- address modes ---- */

bool ipv6_subnet_has_modes(const struct subnet *subnet)
{
	return subnet->ipv6_ra_mode != SUBNET_IPV6_RA_MODE_NONE ||
	       subnet->ipv6_address_mode != SUBNET_IPV6_ADDRESS_MODE_NONE;
}

bool ipv6_subnet_is_auto(const struct subnet *subnet)
{
	return subnet->ipv6_ra_mode == SUBNET_IPV6_RA_MODE_SLAAC ||
	       subnet->ipv6_ra_mode == SUBNET_IPV6_RA_MODE_DHCPV6_STATELESS ||
	       subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_SLAAC ||
	       subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS;
}

/* Both enums have the same values in the same order. */
static const char *find_clash(const struct network_subnet_wish *wish)
{
	bool has_ra = wish->ipv6_ra_mode != SUBNET_IPV6_RA_MODE_NONE;
	bool has_address = wish->ipv6_address_mode != SUBNET_IPV6_ADDRESS_MODE_NONE;
	if (!has_ra && !has_address)
		return NULL;
	if (wish->block.base.family != IP_V6)
		return "The modes of IPv6 are not valid for an IPv4 subnet.";
	if (wish->no_dhcp)
		return "The modes of IPv6 cannot be set where DHCP is off.";
	if (has_ra && has_address && (int) wish->ipv6_ra_mode != (int) wish->ipv6_address_mode)
		return "If the router's mode of IPv6 and that of addresses are both set, they must be the "
		       "same.";
	return NULL;
}

RESULT ipv6_check_modes(struct op *op, const struct network_subnet_wish *wish)
{
	const struct subnet modes = {.ipv6_ra_mode = wish->ipv6_ra_mode,
				     .ipv6_address_mode = wish->ipv6_address_mode};
	const char *clash = find_clash(wish);
	char text[CIDR_TEXT_SIZE];
	if (clash)
		return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_SUBNET, "%s", clash);
	if (!ipv6_subnet_is_auto(&modes) || wish->block.bits == IPV6_SUBNET_BITS)
		return OK;
	return ctx_fail_kind(
		op->ctx, ERR_RANGE, KIND_SUBNET,
		"Invalid CIDR %s for IPv6 address mode: addresses that are made of MACs (EUI-64) "
		"need a prefix of /64.",
		cidr_write(wish->block, text));
}

/* ---- subnets beside IPv4 ones ---- */

static RESULT settle_list(struct op *op, const struct subnet *subnet)
{
	const struct router *router = router_find(op->head, subnet->router);
	bool is_alone = engine_is_ipv6_alone(op->head, subnet);
	if (!router || is_alone == !uuid_is_none(subnet->acl))
		return OK;
	struct subnet next = *subnet;
	next.acl = is_alone ? router->default_acl : UUID_NONE;
	next.acl_association = is_alone ? uuid_random() : UUID_NONE;
	if (!is_alone)
		next.route_table = next.route_association = UUID_NONE;
	next.row.gen++;
	return subnet_put(op, &next);
}

RESULT ipv6_settle_lists(struct op *op, uuid network)
{
	const struct subnet *s = subnet_first_by_network(op->head, network), *next = NULL;
	for (; s; s = next) {
		next = subnet_next_by_network(op->head, s);
		if (row_is_live(&s->row) && s->block.base.family == IP_V6)
			TRY(settle_list(op, s));
	}
	return OK;
}

RESULT ipv6_check_block(struct op *op, const struct router *router, struct cidr block, struct str field)
{
	char text[CIDR_TEXT_SIZE];
	cidr_write(block, text);
	if (block.bits < IPV6_SUBNET_BITS_MIN || block.bits > IPV6_SUBNET_BITS || block.bits % 4 != 0 ||
	    !cidr_is_canonical(block) || !router || !engine_is_ipv6_of_router(router, block))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_SUBNET, field,
				   "The CIDR '%s' is invalid. It must be a /%d to /%d, in steps of 4, within "
				   "the VPC's IPv6 blocks.",
				   text, IPV6_SUBNET_BITS_MIN, IPV6_SUBNET_BITS);
	const struct subnet *other = subnet_first_by_router(op->head, router->row.id);
	for (; other; other = subnet_next_by_router(op->head, other))
		if (cidr_overlaps(other->block, block)) /* including subnets that are not quite deleted yet */
			return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SUBNET, field,
					   "The CIDR '%s' conflicts with another subnet", text);
	return OK;
}

RESULT ipv6_write_subnet(struct op *op, const struct subnet *beside, struct cidr block, struct str field,
			 uuid *ret_subnet)
{
	const struct router *router = router_find(op->head, beside->router);
	char text[CIDR_TEXT_SIZE];
	TRY(ipv6_check_block(op, router, block, field));
	TRY(quota_check(op, beside->account, QUOTA_SUBNETS, 1));
	TRY(limit_check(op, LIMIT_ROUTER_SUBNETS, beside->router, 1, STR_NONE));
	struct subnet subnet = {.row.id = engine_new_id(op, KIND_SUBNET),
				.row.gen = 1,
				.account = beside->account,
				.network = beside->network,
				.router = beside->router,
				.zone = beside->zone,
				.block = block,
				.cut_from_router = true,
				.ipv6_ra_mode = SUBNET_IPV6_RA_MODE_DHCPV6_STATEFUL,
				.ipv6_address_mode = SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL,
				.gateway_ip = ip_add(block.base, 1),
				.gateway_mac = subnet_draw_gateway_mac()};
	TRY(subnet_put(op, &subnet));
	*ret_subnet = subnet.row.id;
	return engine_log_event(op, KIND_SUBNET, &subnet.row, "created", "Subnet %s.",
				cidr_write(block, text));
}

static bool is_of_named_pool(const struct tables *t, uuid router, struct cidr block)
{
	const struct router *row = router_find(t, router);
	return row && engine_is_ipv6_of_named_pool(row, block);
}

RESULT engine_add_ipv6_subnet(struct op *op, struct ipv6_subnet_wish *wish)
{
	const struct subnet *subnet = NULL;
	TRY(engine_permit_subnet(op, &wish->subnet, "subnet.add_ipv6", &subnet));
	if (subnet->block.base.family != IP_V4 || engine_find_ipv6_subnet(op->head, subnet))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SUBNET, wish->subnet.field,
				   "The subnet '%" STR_FMT "' has an IPv6 CIDR block already.",
				   STR_ARG(wish->subnet.text));
	wish->made_in = subnet->row.id;
	wish->of_named_pool = is_of_named_pool(op->head, subnet->router, wish->block);
	return ipv6_write_subnet(op, subnet, wish->block, wish->block_field, &wish->ipv6_subnet);
}

/* Finds the caller's IPv6 subnet by the association's id, which is the subnet's own. */
static const struct subnet *find_association(struct op *op, const struct ref *ref)
{
	const struct subnet *s = ref->bits >= 128 ? subnet_find(op->head, ref->prefix)
						  : subnet_find_prefix(op->head, ref->prefix, ref->bits);
	bool is_one = s && row_is_live(&s->row) && s->block.base.family == IP_V6 &&
		      uuid_equal(s->account, engine_get_account(op->ctx));
	return is_one ? s : NULL;
}

RESULT engine_remove_ipv6_subnet(struct op *op, struct ipv6_subnet_target *wish)
{
	char text[CIDR_TEXT_SIZE];
	const struct subnet *subnet = find_association(op, &wish->association);
	const struct subnet *beside = subnet ? engine_find_ipv4_subnet(op->head, subnet) : NULL;
	if (!subnet || uuid_is_none(subnet->router))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SUBNET, wish->association.field,
				   "The subnet CIDR block with association ID '%" STR_FMT "' does not exist",
				   STR_ARG(wish->association.text));
	if (!beside)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_SUBNET, wish->association.field,
				   "The subnet '%" STR_FMT
				   "' has no IPv4 CIDR block: its IPv6 CIDR block goes with it.",
				   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
	TRY(engine_permit(op, "subnet.remove_ipv6", KIND_SUBNET, &beside->row));
	TRY(subnet_check_unused(op, subnet, wish->association.field));
	wish->subnet = beside->row.id;
	wish->removed = subnet->row.id;
	wish->block = subnet->block;
	wish->of_named_pool = is_of_named_pool(op->head, beside->router, wish->block);
	if (beside->ipv6_on_create || beside->id_names_have_aaaa) {
		struct subnet next = *beside;
		next.ipv6_on_create = false;
		next.id_names_have_aaaa = false;
		next.row.gen++;
		TRY(subnet_put(op, &next));
	}
	TRY(subnet_delete(op, wish->removed));
	return engine_log_event(op, KIND_SUBNET, &subnet->row, "deleted", "Subnet %s.",
				cidr_write(wish->block, text));
}
