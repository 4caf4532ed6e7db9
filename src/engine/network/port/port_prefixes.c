/* SPDX-License-Identifier: Apache-2.0
 * Prefixes delegated to ports: blocks of one fixed length a family. A prefix is a row of its own. A removed
 * one is marked deleted, and becomes available again only after the network has deployed its port without it.
 * The choice of addresses (port_ips.c) skips prefixes. */
#include "engine/internal.h"
#include "engine/network/address/ip_pool_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/port_prefixes_internal.h"
#include "engine/network/subnet_internal.h"
#include "model/port.h"
#include "model/subnet.h"
#include "store/port_prefix.h"
#include "store/subnet_reservation.h"

enum { TRIES_MAX = 65536 }; /* number of /80s in a /64 */

static uint8_t length_of(enum ip_family family)
{
	return family == IP_V4 ? PORT_PREFIX_BITS : PORT_PREFIX_IPV6_BITS;
}

static uint64_t size_of(enum ip_family family)
{
	return family == IP_V4 ? UINT64_C(1) << (32 - PORT_PREFIX_BITS)
			       : UINT64_C(1) << (128 - PORT_PREFIX_IPV6_BITS);
}

/* ---- reading ---- */

static const struct port_prefix *live_or_next(const struct tables *t, const struct port_prefix *p)
{
	while (p && !row_is_live(&p->row))
		p = port_prefix_next_by_port(t, p);
	return p;
}

const struct port_prefix *engine_first_prefix(const struct tables *t, uuid port)
{
	return live_or_next(t, port_prefix_first_by_port(t, port));
}

const struct port_prefix *engine_next_prefix(const struct tables *t, const struct port_prefix *p)
{
	return live_or_next(t, port_prefix_next_by_port(t, p));
}

/* The one possible prefix that contains the address: lengths are fixed. */
static struct cidr block_around(struct ip ip)
{
	return cidr_canonical((struct cidr){ip, length_of(ip.family)});
}

/* Finds deleted prefixes as well: the network may still route them to their port. */
static const struct port_prefix *find_held(const struct tables *t, uuid subnet, struct cidr block)
{
	const struct port_prefix probe = {.subnet = subnet, .block = block};
	return port_prefix_of(tables_first(t, KIND_PORT_PREFIX, PORT_PREFIX_INDEX_SUBNET, &probe.row, 2));
}

const struct port_prefix *port_prefix_around(const struct tables *t, uuid subnet, struct ip ip)
{
	return find_held(t, subnet, block_around(ip));
}

const struct port_prefix *port_prefix_around_in_router(const struct tables *t, uuid router, struct ip ip)
{
	return port_prefix_find_by_router(t, router, block_around(ip));
}

size_t port_count_prefixes(const struct tables *t, uuid port, enum ip_family family)
{
	size_t count = 0;
	for (const struct port_prefix *p = engine_first_prefix(t, port); p; p = engine_next_prefix(t, p))
		count += p->block.base.family == family;
	return count;
}

static bool has_prefix(const struct tables *t, uuid port, struct cidr block)
{
	const struct port_prefix *p = port_prefix_find_by_port(t, port, cidr_canonical(block));
	return p && row_is_live(&p->row);
}

size_t port_count_new_prefixes(const struct tables *t, uuid port, const struct port_prefixes_wish *wish)
{
	size_t count = (size_t) wish->more;
	for (size_t k = 0; k < wish->named.count; k++)
		count += !has_prefix(t, port, wish->named.at[k]);
	return count;
}

/* ---- choice of prefixes ---- */

/* True if the allocation pools contain the whole block. */
static bool is_in_pools(const struct subnet *subnet, struct cidr block)
{
	struct ip first, last, end = cidr_last(block);
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++)
		if (ip_compare(block.base, first) >= 0 && ip_compare(end, last) <= 0)
			return true;
	return false;
}

static bool is_free(const struct tables *t, const struct subnet *subnet, struct cidr block)
{
	return !find_held(t, subnet->row.id, block) &&
	       !port_subnet_has_ip_between(t, subnet->row.id, block.base, cidr_last(block));
}

/* Picks from a random block of the range on, wrapping around. */
static bool pick_between(const struct tables *t, const struct subnet *subnet, struct ip first, struct ip last,
			 struct cidr *ret_block)
{
	enum ip_family family = subnet->block.base.family;
	uint64_t size = size_of(family);
	struct cidr at = block_around(first);
	if (!ip_equal(at.base, first))
		at.base = ip_add(at.base, size);
	if (ip_compare(at.base, first) < 0 || ip_compare(cidr_last(at), last) > 0)
		return false;
	uint64_t count = (ip_distance(at.base, last) - (size - 1)) / size + 1, from = random_below(count);
	for (uint64_t k = 0; k < count && k < TRIES_MAX; k++) {
		struct cidr block = {ip_add(at.base, size * ((from + k) % count)), at.bits};
		if (is_in_pools(subnet, block) && is_free(t, subnet, block)) {
			*ret_block = block;
			return true;
		}
	}
	return false;
}

static bool pick_unreserved(const struct tables *t, const struct subnet *subnet, struct cidr *ret_block)
{
	struct ip_spans spans;
	struct ip first, last;
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++) {
		subnet_find_spans(t, subnet, first, last, &spans);
		for (size_t k = 0; k < spans.count; k++)
			if (pick_between(t, subnet, spans.at[k].first, spans.at[k].last, ret_block))
				return true;
	}
	return false;
}

/* Picks from the subnet's prefix reservations if it has any, otherwise from unreserved addresses. */
static bool pick_prefix(const struct tables *t, const struct subnet *subnet, struct cidr *ret_block)
{
	bool has_own = false;
	const struct subnet_reservation *r = subnet_reservation_first_by_subnet(t, subnet->row.id);
	for (; r; r = subnet_reservation_next_by_subnet(t, r)) {
		if (r->type != SUBNET_RESERVATION_TYPE_PREFIX)
			continue;
		has_own = true;
		if (pick_between(t, subnet, r->block.base, cidr_last(r->block), ret_block))
			return true;
	}
	return !has_own && pick_unreserved(t, subnet, ret_block);
}

static RESULT check_named(struct op *op, const struct subnet *subnet, struct cidr block, struct str field)
{
	char text[CIDR_TEXT_SIZE], whole[CIDR_TEXT_SIZE];
	uint8_t bits = length_of(subnet->block.base.family);
	cidr_write(block, text);
	if (block.base.family != subnet->block.base.family || block.bits != bits || !cidr_is_canonical(block))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT_PREFIX, field,
				   "Value (%s) is invalid. A prefix is a /%u block.", text, bits);
	if (!cidr_contains_cidr(subnet->block, block))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT_PREFIX, field,
				   "The prefix %s does not fall within the subnet's address range %s", text,
				   cidr_write(subnet->block, whole));
	if (!is_in_pools(subnet, block))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT_PREFIX, field,
				   "The prefix %s is in subnet's reserved address range", text);
	if (!is_free(op->head, subnet, block))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PORT_PREFIX, field,
				   "The prefix %s has an address that is in use.", text);
	return OK;
}

/* ---- rows ---- */

static RESULT add_prefix(struct op *op, const struct port *port, const struct subnet *subnet,
			 struct cidr block)
{
	struct port_prefix prefix = {.row.id = engine_new_id(op, KIND_PORT_PREFIX),
				     .row.gen = 1,
				     .account = port->account,
				     .port = port->row.id,
				     .subnet = subnet->row.id,
				     .router = subnet->router,
				     .block = block};
	return port_prefix_put(op, &prefix);
}

RESULT port_add_prefixes(struct op *op, const struct port *port, const struct subnet *subnet,
			 const struct port_prefixes_wish *wish, struct cidrs *ret_made)
{
	size_t count = 0;
	struct cidr *made =
		arena_new_array(op->ctx->arena, struct cidr, wish->named.count + (size_t) wish->more + 1);
	if (!made)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->named.count; k++) {
		made[count++] = wish->named.at[k];
		if (has_prefix(op->head, port->row.id, wish->named.at[k]))
			continue;
		TRY(check_named(op, subnet, wish->named.at[k], wish->field));
		TRY(add_prefix(op, port, subnet, wish->named.at[k]));
	}
	for (int64_t k = 0; k < wish->more; k++) {
		if (!pick_prefix(op->head, subnet, &made[count]))
			return ENGINE_FAIL(op, ERR_CAPACITY, KIND_PORT_PREFIX, wish->field,
					   "The specified subnet does not have enough free cidr blocks to "
					   "satisfy the request.");
		TRY(add_prefix(op, port, subnet, made[count++]));
	}
	*ret_made = (struct cidrs){made, count};
	return OK;
}

RESULT port_remove_prefixes(struct op *op, const struct port *port, struct cidrs blocks, struct str field)
{
	for (size_t k = 0; k < blocks.count; k++) {
		char text[CIDR_TEXT_SIZE];
		const struct port_prefix *p =
			port_prefix_find_by_port(op->head, port->row.id, cidr_canonical(blocks.at[k]));
		if (!p || !row_is_live(&p->row))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT_PREFIX, field,
					   "%s is not a prefix of interface '%" STR_FMT "'.",
					   cidr_write(blocks.at[k], text),
					   STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)));
		TRY(port_prefix_delete(op, p->row.id));
	}
	return OK;
}

RESULT port_delete_prefixes(struct op *op, uuid port)
{
	const struct port_prefix *p = engine_first_prefix(op->head, port), *next = NULL;
	for (; p; p = next) {
		next = engine_next_prefix(op->head, p);
		TRY(port_prefix_delete(op, p->row.id));
	}
	return OK;
}

RESULT port_forget_prefixes(struct op *op, uuid port)
{
	const struct port_prefix *p = port_prefix_first_by_port(op->head, port), *next = NULL;
	for (; p; p = next) {
		next = port_prefix_next_by_port(op->head, p);
		if (!row_is_live(&p->row))
			TRY(port_prefix_forget(op, p->row.id));
	}
	return OK;
}
