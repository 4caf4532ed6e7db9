/* SPDX-License-Identifier: Apache-2.0
 * Finds free addresses between those in use. A random start makes early reuse of an address rare and keeps
 * the walk over the index short: with half of the range in use, two steps on average. */
#include "engine/internal.h"
#include "engine/network/address/ip_pool_internal.h"

static struct ip ip_of(const struct ip_pool *pool, const struct row *row)
{
	return *(const struct ip *) (const void *) ((const char *) row + pool->ip_offset);
}

/* First row of the owner at or after ip. */
static const struct row *seek(const struct tables *t, const struct ip_pool *pool, struct ip ip)
{
	const struct kind_info *k = &model_kinds[pool->kind];
	*pool->probe_ip = ip;
	const struct row *row = tables_seek(t, pool->kind, pool->index, pool->probe, 2);
	if (row && row_compare_key(k, &k->indexes[pool->index], 1, row, pool->probe) != 0)
		return NULL;
	return row;
}

static bool is_kept(const struct tables *t, const struct ip_pool *pool, struct ip ip, struct ip *ret_last)
{
	return pool->is_kept && pool->is_kept(t, pool->probe, ip, ret_last);
}

bool ip_pool_has(const struct tables *t, const struct ip_pool *pool, struct ip ip)
{
	struct ip end;
	if (is_kept(t, pool, ip, &end))
		return true;
	for (; pool; pool = pool->other) {
		const struct row *row = seek(t, pool, ip);
		if (row && ip_equal(ip_of(pool, row), ip))
			return true;
	}
	return false;
}

bool ip_pool_has_between(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last)
{
	for (; pool; pool = pool->other) {
		const struct row *row = seek(t, pool, first);
		if (row && ip_compare(ip_of(pool, row), last) <= 0)
			return true;
	}
	return false;
}

/* Moves *row to the first row at or after ip; true if that row has the IP. */
static bool advance(const struct tables *t, const struct ip_pool *pool, const struct row **row, struct ip ip)
{
	while (*row && ip_compare(ip_of(pool, *row), ip) < 0)
		*row = tables_next(t, pool->kind, pool->index, *row, 1);
	return *row && ip_equal(ip_of(pool, *row), ip);
}

bool ip_pool_next(const struct tables *t, const struct ip_pool *pool, struct ip from, struct ip last,
		  struct ip *ret_ip)
{
	const struct row *row = seek(t, pool, from), *other = pool->other ? seek(t, pool->other, from) : NULL;
	for (struct ip ip = from, end;; ip = ip_add(end, 1)) {
		bool is_taken =
			advance(t, pool, &row, ip) || (pool->other && advance(t, pool->other, &other, ip));
		if (!is_taken && !is_kept(t, pool, ip, &end)) {
			*ret_ip = ip;
			return true;
		}
		if (is_taken)
			end = ip;
		if (ip_compare(end, last) >= 0)
			return false;
	}
}

bool ip_pool_pick(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last,
		  struct ip *ret_ip)
{
	if (ip_compare(first, last) > 0)
		return false;
	struct ip from = ip_add(first, random_below(ip_distance(first, last) + 1));
	return ip_pool_next(t, pool, from, last, ret_ip) ||
	       (!ip_equal(from, first) && ip_pool_next(t, pool, first, from, ret_ip));
}
