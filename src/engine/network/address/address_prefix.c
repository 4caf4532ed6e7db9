/* SPDX-License-Identifier: Apache-2.0
 * Address prefixes. Prefixes exist in the tables only. The choice of free addresses (address_pick.c) skips their
 * addresses. A deleted prefix stays until the network has removed the last of its addresses. Called by: api/azure. */
#include "engine/network/address/address_prefix.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/address_prefix_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/quota_internal.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/address_range.h"

/* ---- reading ---- */

const struct address_prefix *address_prefix_around(const struct tables *t, uuid external_network,
						   struct ip ip)
{
	const struct row *row = NULL;
	if (ip.family != IP_V4 || !tables_count(t, KIND_ADDRESS_PREFIX))
		return NULL;
	for (uint8_t bits = ADDRESS_PREFIX_BITS_MIN; bits <= ADDRESS_PREFIX_BITS_MAX && !row; bits++) {
		const struct address_prefix probe = {.external_network = external_network,
						     .block = cidr_canonical((struct cidr){ip, bits})};
		row = tables_first(t, KIND_ADDRESS_PREFIX, ADDRESS_PREFIX_INDEX_BLOCK, &probe.row, 2);
	}
	return row ? address_prefix_of(row) : NULL;
}

const struct address_prefix *address_prefix_first_in(const struct tables *t, uuid external_network,
						     struct cidr within)
{
	const struct address_prefix probe = {.external_network = external_network};
	const struct row *row =
		tables_first(t, KIND_ADDRESS_PREFIX, ADDRESS_PREFIX_INDEX_BLOCK, &probe.row, 1);
	while (row && !cidr_is_none(within) && !cidr_contains_cidr(within, address_prefix_of(row)->block))
		row = tables_next(t, KIND_ADDRESS_PREFIX, ADDRESS_PREFIX_INDEX_BLOCK, row, 1);
	return row ? address_prefix_of(row) : NULL;
}

static const struct address *live_or_next(const struct tables *t, const struct address *a)
{
	while (a && !(row_is_live(&a->row) && a->is_elastic))
		a = address_next_by_prefix(t, a);
	return a;
}

const struct address *engine_first_drawn(const struct tables *t, uuid prefix)
{
	return live_or_next(t, address_first_by_prefix(t, prefix));
}

const struct address *engine_next_drawn(const struct tables *t, const struct address *address)
{
	return live_or_next(t, address_next_by_prefix(t, address));
}

int64_t engine_count_undrawn(const struct tables *t, uuid prefix)
{
	const struct address_prefix *p = address_prefix_find(t, prefix);
	if (!p || !row_is_live(&p->row))
		return 0;
	int64_t count = (int64_t) cidr_count(p->block);
	for (const struct address *a = engine_first_drawn(t, prefix); a; a = engine_next_drawn(t, a))
		count--;
	return count;
}

/* ---- choosing ---- */

/* First address in [first, last] that is in use; false if none is. */
static bool find_used(const struct tables *t, uuid external_network, struct ip first, struct ip last,
		      struct ip *ret_ip)
{
	const struct address probe = {.external_network = external_network, .ip = first};
	const struct row *row = tables_seek(t, KIND_ADDRESS, ADDRESS_INDEX_IP, &probe.row, 2);
	if (!row || !uuid_equal(address_of(row)->external_network, external_network) ||
	    ip_compare(address_of(row)->ip, last) > 0)
		return false;
	*ret_ip = address_of(row)->ip;
	return true;
}

/* True if no address and no other prefix is in the block. Otherwise *ret_last is the last address of the
 * obstacle, after which the search goes on. */
static bool is_free(const struct tables *t, uuid external_network, struct cidr block, struct ip *ret_last)
{
	const struct address_prefix *outer = address_prefix_around(t, external_network, block.base);
	const struct address_prefix *inner = address_prefix_first_in(t, external_network, block);
	*ret_last = cidr_last(outer ? outer->block : block);
	return !outer && !inner && !find_used(t, external_network, block.base, *ret_last, ret_last);
}

/* Lowest free aligned block in [first, last]: filling from the bottom keeps large blocks free. */
static bool pick_between(const struct tables *t, uuid external_network, uint8_t bits, struct ip first,
			 struct ip last, struct cidr *ret_block)
{
	struct cidr block = cidr_canonical((struct cidr){first, bits});
	uint64_t size = cidr_count(block);
	if (!ip_equal(block.base, first))
		block.base = ip_add(block.base, size);
	while (ip_compare(block.base, first) >= 0 && ip_compare(cidr_last(block), last) <= 0) {
		struct ip until;
		if (is_free(t, external_network, block, &until)) {
			*ret_block = block;
			return true;
		}
		block = cidr_canonical((struct cidr){until, bits});
		block.base = ip_add(block.base, size);
	}
	return false;
}

static bool pick_on(const struct tables *t, uuid external_network, uint8_t bits, struct cidr *ret_block)
{
	const struct address_range *range = address_range_first_by_external_network(t, external_network);
	for (; range; range = address_range_next_by_external_network(t, range))
		if (row_is_live(&range->row) &&
		    pick_between(t, external_network, bits, range->first, range->last, ret_block))
			return true;
	return false;
}

/* Picks a block of the first public external network that has one free. */
static RESULT pick_block(struct op *op, uint8_t bits, struct address_prefix *prefix)
{
	const struct external_network *network = external_network_first(op->head);
	for (; network; network = external_network_next(op->head, network)) {
		if (!external_network_is_for_all(op->head, network) ||
		    !pick_on(op->head, network->row.id, bits, &prefix->block))
			continue;
		prefix->external_network = network->row.id;
		return OK;
	}
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_ADDRESS_PREFIX,
			     "No block of %d public addresses is left.", 1 << (32 - bits));
}

/* ---- drawing addresses ---- */

/* Lowest unused address of the prefix. */
static bool pick_undrawn(const struct tables *t, const struct address_prefix *prefix, struct ip *ret_ip)
{
	struct ip used, last = cidr_last(prefix->block), ip = prefix->block.base;
	for (; ip_compare(ip, last) <= 0; ip = ip_add(ip, 1)) {
		*ret_ip = ip;
		if (!find_used(t, prefix->external_network, ip, ip, &used))
			return true;
	}
	return false;
}

RESULT address_prefix_draw(struct op *op, const struct address_wish *wish, uuid account,
			   struct address *address)
{
	const struct address_prefix *prefix = NULL;
	struct ip used;
	char text[IP_TEXT_SIZE];
	TRY(engine_find_own_address_prefix(op->ctx, op->head, &wish->prefix, &prefix));
	if (!uuid_equal(prefix->account, account))
		return engine_fail_not_found(op->ctx, KIND_ADDRESS_PREFIX, &wish->prefix);
	address->external_network = prefix->external_network;
	address->prefix = prefix->row.id;
	address->ip = wish->ip;
	if (!ip_is_none(wish->ip) && !cidr_contains(prefix->block, wish->ip))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_ADDRESS_PREFIX, wish->ip_field,
				   "The address %s is not one of public IP prefix %" STR_FMT ".",
				   ip_write(wish->ip, text), STR_ARG(prefix->name));
	if (!ip_is_none(wish->ip) && find_used(op->head, prefix->external_network, wish->ip, wish->ip, &used))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ADDRESS_PREFIX, wish->ip_field,
				   "The address %s of public IP prefix %" STR_FMT " is in use.",
				   ip_write(wish->ip, text), STR_ARG(prefix->name));
	if (ip_is_none(wish->ip) && !pick_undrawn(op->head, prefix, &address->ip))
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_ADDRESS_PREFIX, wish->prefix.field,
				   "Public IP prefix %" STR_FMT " has no address left.",
				   STR_ARG(prefix->name));
	return OK;
}

/* ---- source NATs take whole prefixes ---- */

static RESULT take_one(struct op *op, const struct address_prefix *prefix, struct ip ip,
		       const struct ref *ref)
{
	struct ip used;
	char text[IP_TEXT_SIZE];
	if (find_used(op->head, prefix->external_network, ip, ip, &used))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS_PREFIX, ref->field,
				   "The address %s of public IP prefix %" STR_FMT " is in use.",
				   ip_write(ip, text), STR_ARG(prefix->name));
	struct address address = {.row = {.id = engine_new_id(op, KIND_ADDRESS), .gen = 1},
				  .account = prefix->account,
				  .external_network = prefix->external_network,
				  .prefix = prefix->row.id,
				  .source_nat = prefix->source_nat,
				  .ip = ip};
	return address_put(op, &address);
}

RESULT address_prefix_take(struct op *op, const struct address_prefix *prefix, uuid source_nat,
			   const struct ref *ref)
{
	struct address_prefix next = *prefix;
	next.source_nat = source_nat;
	next.row.gen++;
	TRY(address_prefix_put(op, &next));
	struct ip ip = next.block.base, last = cidr_last(next.block);
	for (; ip_compare(ip, last) <= 0; ip = ip_add(ip, 1))
		TRY(take_one(op, &next, ip, ref));
	return OK;
}

RESULT address_prefix_leave(struct op *op, const struct address_prefix *prefix)
{
	struct address_prefix changed = *prefix;
	changed.source_nat = UUID_NONE;
	changed.row.gen++;
	const struct address *a = address_first_by_prefix(op->head, prefix->row.id), *next = NULL;
	for (; a; a = next) {
		next = address_next_by_prefix(op->head, a);
		if (row_is_live(&a->row))
			TRY(address_end(op, a->row.id));
	}
	return address_prefix_put(op, &changed);
}

/* ---- changes ---- */

RESULT engine_create_address_prefix(struct op *op, struct address_prefix_wish *wish)
{
	uuid account = UUID_NONE;
	char text[CIDR_TEXT_SIZE];
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_check_name(op, KIND_ADDRESS_PREFIX, wish->name));
	if (wish->bits < ADDRESS_PREFIX_BITS_MIN || wish->bits > ADDRESS_PREFIX_BITS_MAX)
		return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_ADDRESS_PREFIX,
				     "A block of public addresses has a length of %d to %d.",
				     ADDRESS_PREFIX_BITS_MIN, ADDRESS_PREFIX_BITS_MAX);
	struct address_prefix prefix = {.row = {.id = engine_new_id(op, KIND_ADDRESS_PREFIX), .gen = 1},
					.account = account,
					.name = wish->name};
	TRY(limit_check(op, LIMIT_ADDRESS_PREFIXES, account, 1, STR_NONE));
	TRY(quota_check(op, account, QUOTA_ADDRESSES, INT64_C(1) << (32 - wish->bits)));
	TRY(pick_block(op, (uint8_t) wish->bits, &prefix));
	TRY(engine_permit_new(op, "address_prefix.create", KIND_ADDRESS_PREFIX, &prefix.row));
	TRY(address_prefix_put(op, &prefix));
	wish->prefix = prefix.row.id;
	return engine_log_event(op, KIND_ADDRESS_PREFIX, &prefix.row, "created", "%s.",
				cidr_write(prefix.block, text));
}

RESULT engine_delete_address_prefix(struct op *op, struct address_prefix_target *wish)
{
	const struct address_prefix *prefix = NULL;
	char text[IP_TEXT_SIZE];
	TRY(engine_permit_address_prefix(op, &wish->prefix, "address_prefix.delete", &prefix));
	uuid id = prefix->row.id;
	const struct address *drawn = engine_first_drawn(op->head, id);
	if (!uuid_is_none(prefix->source_nat))
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ADDRESS_PREFIX, &wish->prefix,
					 "Public IP prefix %" STR_FMT
					 " cannot be deleted: a NAT gateway has it.",
					 STR_ARG(prefix->name));
	if (drawn)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ADDRESS_PREFIX, &wish->prefix,
					 "Public IP prefix %" STR_FMT
					 " cannot be deleted: its address %s is in use.",
					 STR_ARG(prefix->name), ip_write(drawn->ip, text));
	TRY(engine_log_event(op, KIND_ADDRESS_PREFIX, &prefix->row, "deleted",
			     "Public IP prefix %" STR_FMT ".", STR_ARG(prefix->name)));
	TRY(address_prefix_delete(op, id));
	return address_prefix_forget_with(op, id);
}

RESULT address_prefix_forget_with(struct op *op, uuid prefix)
{
	const struct address_prefix *p = uuid_is_none(prefix) ? NULL : address_prefix_find(op->head, prefix);
	bool is_over = p && !row_is_live(&p->row) && !address_first_by_prefix(op->head, prefix);
	return is_over ? address_prefix_forget(op, prefix) : OK;
}
