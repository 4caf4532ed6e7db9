/* SPDX-License-Identifier: Apache-2.0
 * Subnet pools, and the search for free blocks in them. */
#include "engine/network/subnet_pool.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address_scope_internal.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/subnet_pool_internal.h"
#include "store/subnet.h"
#include "store/subnet_pool.h"

static RESULT check_prefixes(struct op *op, struct cidrs prefixes)
{
	char text[CIDR_TEXT_SIZE];
	if (prefixes.count == 0 || prefixes.count > SUBNET_POOL_PREFIXES_MAX)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_SUBNET_POOL, STR("prefixes"),
				   "A subnet pool has 1 to %d prefixes.", SUBNET_POOL_PREFIXES_MAX);
	int family = prefixes.at[0].base.family;
	for (size_t k = 0; k < prefixes.count; k++) {
		bool is_usable = family == IP_V6 ? ipv6_is_usable_block(prefixes.at[k])
						 : router_is_usable_block(prefixes.at[k]);
		if (prefixes.at[k].base.family != family || !is_usable)
			return ENGINE_FAIL(op, ERR_RANGE, KIND_SUBNET_POOL, STR("prefixes"),
					   "The prefix '%s' is not an IPv%d block for subnets.",
					   cidr_write(prefixes.at[k], text), family == IP_V6 ? 6 : 4);
		for (size_t n = 0; n < k; n++)
			if (cidr_overlaps(prefixes.at[n], prefixes.at[k]))
				return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SUBNET_POOL, STR("prefixes"),
						   "The prefix '%s' overlaps another one.",
						   cidr_write(prefixes.at[k], text));
	}
	return OK;
}

static RESULT canonize(struct op *op, struct cidrs prefixes, struct cidrs *ret_prefixes)
{
	struct cidr *at = arena_new_array(op->ctx->arena, struct cidr, prefixes.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < prefixes.count; k++)
		at[k] = cidr_canonical(prefixes.at[k]);
	*ret_prefixes = (struct cidrs){at, prefixes.count};
	return OK;
}

bool engine_is_ipv6_pool(const struct subnet_pool *pool)
{
	return pool->prefixes.count > 0 && pool->prefixes.at[0].base.family == IP_V6;
}

bool subnet_pool_is_regions(const struct subnet_pool *pool)
{
	return pool->is_default || pool->is_shared;
}

bool subnet_pool_has_id_of_regions(const struct tables *t, uuid pool)
{
	const struct subnet_pool *row = uuid_is_none(pool) ? NULL : subnet_pool_find(t, pool);
	return row && subnet_pool_is_regions(row);
}

static RESULT check_bits(struct op *op, const struct subnet_pool *pool)
{
	int min = SUBNET_POOL_BITS_MIN;
	int max = engine_is_ipv6_pool(pool) ? SUBNET_POOL_IPV6_BITS_MAX : SUBNET_POOL_BITS_MAX;
	if (min <= pool->min_bits && pool->min_bits <= pool->default_bits &&
	    pool->default_bits <= pool->max_bits && pool->max_bits <= max)
		return OK;
	return ENGINE_FAIL(op, ERR_RANGE, KIND_SUBNET_POOL, STR("min_prefixlen"),
			   "Prefix lengths go from %d over the least, the default and the greatest to %d.",
			   min, max);
}

const struct subnet_pool *subnet_pool_find_default(const struct tables *t, bool is_ipv6)
{
	const struct subnet_pool *pool = subnet_pool_first_by_is_default(t, true);
	while (pool && engine_is_ipv6_pool(pool) != is_ipv6)
		pool = subnet_pool_next_by_is_default(t, pool);
	return pool;
}

static RESULT check_default(struct op *op, const struct subnet_pool *pool)
{
	const struct subnet_pool *present = subnet_pool_find_default(op->head, engine_is_ipv6_pool(pool));
	if (!pool->is_default || !present || uuid_equal(present->row.id, pool->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_SUBNET_POOL, STR("is_default"),
			   "A default subnet pool has been set already.");
}

RESULT engine_create_subnet_pool(struct op *op, struct subnet_pool_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	bool is_ipv6 = wish->prefixes.count > 0 && wish->prefixes.at[0].base.family == IP_V6;
	int64_t least = is_ipv6 ? SUBNET_POOL_IPV6_BITS_LEAST : SUBNET_POOL_BITS_LEAST;
	int64_t most = is_ipv6 ? SUBNET_POOL_IPV6_BITS_MAX : SUBNET_POOL_BITS_MAX;
	int64_t min = wish->min_bits ? wish->min_bits : least;
	struct subnet_pool pool = {.row.gen = 1,
				   .account = account,
				   .name = wish->name,
				   .description = wish->description,
				   .min_bits = min,
				   .default_bits = wish->default_bits ? wish->default_bits : min,
				   .max_bits = wish->max_bits ? wish->max_bits : most,
				   .quota = wish->quota,
				   .is_default = wish->is_default,
				   .is_shared = wish->is_shared};
	bool is_regions = wish->is_default || wish->is_shared;
	TRY(canonize(op, wish->prefixes, &pool.prefixes));
	TRY(check_prefixes(op, pool.prefixes));
	TRY(check_bits(op, &pool));
	TRY(check_default(op, &pool));
	TRY(limit_check(op, LIMIT_SUBNET_POOLS, account, 1, STR_NONE));
	TRY(engine_permit(op, is_regions ? "subnet_pool.share" : "subnet_pool.create", KIND_SUBNET_POOL,
			  NULL));
	pool.row.id = engine_new_id(op, KIND_SUBNET_POOL);
	TRY(address_scope_choose(op, &wish->scope, NULL, &pool));
	TRY(subnet_pool_put(op, &pool));
	wish->pool = pool.row.id;
	return engine_log_event(op, KIND_SUBNET_POOL, &pool.row, "created", "Subnet pool of %zu prefixes.",
				pool.prefixes.count);
}

static RESULT find_pool(struct op *op, const struct ref *ref, const struct subnet_pool **ret_pool)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_SUBNET_POOL, ref, &row));
	*ret_pool = subnet_pool_of(row);
	return OK;
}

/* Every old prefix must lie in a new one. */
static RESULT check_grown(struct op *op, struct cidrs before, struct cidrs after)
{
	for (size_t k = 0; k < before.count; k++) {
		bool is_kept = false;
		for (size_t n = 0; n < after.count && !is_kept; n++)
			is_kept = cidr_contains_cidr(after.at[n], before.at[k]);
		if (!is_kept)
			return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SUBNET_POOL, STR("prefixes"),
					   "Existing prefixes must be a subset of the new prefixes.");
	}
	return OK;
}

static void apply_bits(int64_t wish, int64_t *bits)
{
	if (wish)
		*bits = wish;
}

RESULT engine_update_subnet_pool(struct op *op, struct subnet_pool_settings *wish)
{
	const struct subnet_pool *pool = NULL;
	TRY(find_pool(op, &wish->pool, &pool));
	struct subnet_pool next = *pool;
	bool is_regions = wish->is_default != CHOICE_DEFAULT;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->prefixes) {
		TRY(canonize(op, *wish->prefixes, &next.prefixes));
		TRY(check_prefixes(op, next.prefixes));
		TRY(check_grown(op, pool->prefixes, next.prefixes));
	}
	apply_bits(wish->min_bits, &next.min_bits);
	apply_bits(wish->default_bits, &next.default_bits);
	apply_bits(wish->max_bits, &next.max_bits);
	if (wish->quota)
		next.quota = *wish->quota;
	choice_apply(wish->is_default, &next.is_default);
	TRY(check_bits(op, &next));
	TRY(check_default(op, &next));
	TRY(address_scope_choose(op, &wish->scope, pool, &next));
	TRY(engine_permit(op, is_regions ? "subnet_pool.share" : "subnet_pool.update", KIND_SUBNET_POOL,
			  &pool->row));
	next.row.gen++;
	TRY(subnet_pool_put(op, &next));
	return engine_log_event(op, KIND_SUBNET_POOL, &next.row, "changed", "It has %zu prefixes.",
				next.prefixes.count);
}

bool subnet_pool_is_used(const struct tables *t, uuid pool)
{
	return subnet_find_by_subnet_pool(t, pool);
}

RESULT engine_delete_subnet_pool(struct op *op, struct subnet_pool_target *wish)
{
	const struct subnet_pool *pool = NULL;
	TRY(engine_permit_subnet_pool(op, &wish->pool, "subnet_pool.delete", &pool));
	if (subnet_pool_is_used(op->head, pool->row.id))
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SUBNET_POOL, &wish->pool,
					 "The subnet pool '%" STR_FMT "' has subnets.",
					 STR_ARG(wish->pool.text));
	TRY(engine_log_event(op, KIND_SUBNET_POOL, &pool->row, "deleted", "Subnet pool."));
	return subnet_pool_forget(op, pool->row.id);
}

/* ---- allocation ---- */

/* Finds what overlaps the block; false if the block is free. IPv6 blocks of the region's pools are reachable
 * from outside, so they must be unique in the region, routers' blocks and deleted rows included. */
static bool find_overlap(const struct tables *t, const struct subnet_pool *pool, struct cidr block,
			 struct cidr *ret_held)
{
	if (engine_is_ipv6_pool(pool) && subnet_pool_is_regions(pool))
		return ipv6_find_holder(t, block, ret_held);
	const struct subnet *s = subnet_first_by_subnet_pool(t, pool->row.id);
	while (s && !(row_is_live(&s->row) && cidr_overlaps(s->block, block)))
		s = subnet_next_by_subnet_pool(t, s);
	if (s)
		*ret_held = s->block;
	return s != NULL;
}

/* First aligned block after another one; wraps at the end of the address space. */
static struct cidr next_block(struct cidr block, uint8_t bits)
{
	struct cidr at = {ip_add(cidr_last(block), 1), bits};
	return cidr_canonical(at);
}

/* First free aligned block of a prefix. Continues after each obstacle. */
static bool pick_block(const struct tables *t, const struct subnet_pool *pool, uint8_t bits,
		       struct cidr *ret_block)
{
	for (size_t k = 0; k < pool->prefixes.count; k++) {
		struct cidr prefix = pool->prefixes.at[k], block = {prefix.base, bits}, held;
		while (cidr_contains_cidr(prefix, block)) {
			if (!find_overlap(t, pool, block, &held)) {
				*ret_block = block;
				return true;
			}
			struct cidr next = next_block(cidr_contains_cidr(held, block) ? held : block, bits);
			if (ip_compare(next.base, block.base) <= 0)
				break; /* wrapped at the end of the address space */
			block = next;
		}
	}
	return false;
}

static RESULT check_chosen(struct op *op, const struct subnet_pool *pool, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	bool is_within = false;
	struct cidr held;
	for (size_t k = 0; k < pool->prefixes.count && !is_within; k++)
		is_within = cidr_contains_cidr(pool->prefixes.at[k], block);
	if (is_within && !find_overlap(op->head, pool, block, &held))
		return OK;
	return ENGINE_FAIL(
		op, ERR_CAPACITY, KIND_SUBNET_POOL, STR("cidr"),
		"Failed to allocate subnet: Cannot allocate requested subnet %s from the available "
		"set of prefixes.",
		cidr_write(block, text));
}

/* Finds the pool named, or the region's default. */
static RESULT find_for_subnet(struct op *op, const struct subnet_pool_request *request,
			      const struct subnet_pool **ret_pool)
{
	const struct row *row = NULL;
	int version = request->is_ipv6 ? 6 : 4;
	*ret_pool = request->wants_default ? subnet_pool_find_default(op->head, request->is_ipv6) : NULL;
	if (request->wants_default)
		return *ret_pool
			       ? OK
			       : ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET_POOL, STR("use_default_subnetpool"),
					     "No default subnetpool found for IPv%d.", version);
	TRY(engine_find(op->ctx, op->head, KIND_SUBNET_POOL, &request->pool, &row));
	*ret_pool = subnet_pool_of(row);
	if (engine_is_ipv6_pool(*ret_pool) == request->is_ipv6)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET_POOL, request->pool.field,
			   "Cannot allocate IPv%d subnet from IPv%d subnet pool.", version, 10 - version);
}

/* Units of a quota that a block takes: IPv4 addresses, or /64 blocks of IPv6 and fractions of them. */
static double count_units(const struct subnet_pool *pool, int64_t bits)
{
	int64_t unit = engine_is_ipv6_pool(pool) ? SUBNET_POOL_IPV6_UNIT_BITS : SUBNET_POOL_UNIT_BITS;
	double units = 1;
	for (; bits < unit; bits++)
		units *= 2;
	for (; bits > unit; bits--)
		units /= 2;
	return units;
}

/* Source: neutron.ipam.subnet_alloc, _check_subnetpool_project_quota(). */
static RESULT check_quota(struct op *op, const struct subnet_pool *pool, uuid account, int64_t bits)
{
	double used = count_units(pool, bits);
	if (!pool->quota)
		return OK;
	for (const struct subnet *s = subnet_first_by_subnet_pool(op->head, pool->row.id); s;
	     s = subnet_next_by_subnet_pool(op->head, s))
		if (row_is_live(&s->row) && uuid_equal(s->account, account))
			used += count_units(pool, s->block.bits);
	return used <= (double) pool->quota
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_SUBNET_POOL, STR("default_quota"),
				     "Per-project subnet pool prefix quota exceeded.");
}

RESULT subnet_pool_allocate(struct op *op, const struct subnet_pool_request *request, uuid *ret_pool,
			    struct cidr *block)
{
	const struct subnet_pool *pool = NULL;
	TRY(find_for_subnet(op, request, &pool));
	bool is_chosen = !cidr_is_none(*block);
	int64_t bits = is_chosen ? block->bits : request->bits ? request->bits : pool->default_bits;
	*ret_pool = pool->row.id;
	if (bits < pool->min_bits || bits > pool->max_bits)
		return ENGINE_FAIL(
			op, ERR_RANGE, KIND_SUBNET_POOL, STR("prefixlen"),
			"Unable to allocate subnet with prefix length %d: it is from %d to %d here.",
			(int) bits, (int) pool->min_bits, (int) pool->max_bits);
	TRY(engine_permit(op, "subnet_pool.use", KIND_SUBNET_POOL, &pool->row));
	TRY(check_quota(op, pool, request->account, bits));
	if (is_chosen)
		return check_chosen(op, pool, *block);
	if (pick_block(op->head, pool, (uint8_t) bits, block))
		return OK;
	return ENGINE_FAIL(
		op, ERR_CAPACITY, KIND_SUBNET_POOL, STR("prefixlen"),
		"Failed to allocate subnet: Insufficient prefix space to allocate subnet size /%d.",
		(int) bits);
}
