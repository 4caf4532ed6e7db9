/* SPDX-License-Identifier: Apache-2.0
 * The table of exhaustible resources. Usage comes from usage figures and the tables' counts; the only rows
 * walked are the few external networks and their ranges. */
#include "engine/capacity.h"

#include <inttypes.h>

#include "engine/capacity_internal.h"
#include "engine/limits.h"
#include "engine/network/ipv6.h"
#include "model/network.h"
#include "model/router.h"
#include "store/address_range.h"
#include "store/external_network.h"

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t read_figure(const int64_t *figure)
{
	return __atomic_load_n(figure, __ATOMIC_RELAXED);
}

/* The number of addresses from first to last, inclusive. */
static int64_t count_ips(struct ip first, struct ip last)
{
	return ip_compare(first, last) <= 0 ? (int64_t) ip_distance(first, last) + 1 : 0;
}

/* ---- external networks ---- */

static int64_t count_gateways(const struct tables *t, const struct row *of)
{
	(void) t;
	const struct external_network_usage *usage = external_network_usage(external_network_of(of));
	return usage ? read_figure(&usage->gateways) : 0;
}

static int64_t count_public(const struct tables *t, const struct row *of)
{
	(void) t;
	const struct external_network_usage *usage = external_network_usage(external_network_of(of));
	return usage ? read_figure(&usage->addresses) : 0;
}

static int64_t count_ranges(const struct tables *t, const struct row *of)
{
	int64_t count = 0;
	const struct address_range *range = address_range_first_by_external_network(t, of->id);
	for (; range; range = address_range_next_by_external_network(t, range))
		if (row_is_live(&range->row))
			count += count_ips(range->first, range->last);
	return count;
}

/* Limited by addresses and by ports, because each gateway is also a port of the external network's switch.
 * Gateways without a range of their own use public addresses. */
static int64_t count_link(const struct tables *t, const struct row *of)
{
	const struct external_network *n = external_network_of(of);
	bool has_range = !ip_is_none(n->infra_first);
	int64_t addresses = has_range ? count_ips(n->infra_first, n->infra_last) : count_ranges(t, of),
		ports = engine_get_limit(t, LIMIT_LINK_GATEWAYS);
	return ports < 0 ? addresses : least(addresses, ports);
}

enum { SUBNETS_OF_BLOCK = 1 << (IPV6_SUBNET_BITS - IPV6_ROUTER_BITS) };

/* Subnets allocated from the region's IPv6 pools, in units of /56. */
static int64_t count_blocks_used(const struct tables *t, const struct row *of)
{
	(void) t;
	const struct external_network_usage *usage = external_network_usage(external_network_of(of));
	return usage ? (read_figure(&usage->ipv6_subnets) + SUBNETS_OF_BLOCK - 1) / SUBNETS_OF_BLOCK : 0;
}

static int64_t count_blocks(const struct tables *t, const struct row *of)
{
	(void) t;
	struct cidr pool = external_network_of(of)->ipv6_pool;
	return cidr_is_none(pool) ? 0 : INT64_C(1) << (IPV6_ROUTER_BITS - pool.bits);
}

/* ---- OVN ---- */

static int64_t count_ports(const struct tables *t, const struct row *of)
{
	(void) t;
	const struct network_usage *usage = network_usage(network_of(of));
	return usage ? read_figure(&usage->ports) : 0;
}

static int64_t count_subnets(const struct tables *t, const struct row *of)
{
	(void) t;
	const struct router_usage *usage = router_usage(router_of(of));
	return usage ? read_figure(&usage->subnets) : 0;
}

static int64_t count_keys(const struct tables *t, const struct row *of)
{
	(void) of;
	return engine_count_limited(t, LIMIT_NETWORK_KEYS, UUID_NONE);
}

/* ---- MAC addresses ---- */

static int64_t count_macs(const struct tables *t, const struct row *of)
{
	(void) of;
	return (int64_t) tables_count(t, KIND_PORT);
}

/* ---- table ---- */

const struct capacity_info engine_capacities[CAPACITY_COUNT] = {
	[CAPACITY_GATEWAY_ADDRESSES] = {"gateway_addresses", "addresses of the gateways' link",
					"Give the link more: dari network set-gateway-range. Each attached "
					"internet gateway takes one.",
					KIND_EXTERNAL_NETWORK, count_gateways, count_link},
	[CAPACITY_PUBLIC_ADDRESSES] = {"public_addresses", "public addresses",
				       "Hand out more: dari network add-range. Released ones are free again "
				       "once the network is rid of them.",
				       KIND_EXTERNAL_NETWORK, count_public, count_ranges},
	[CAPACITY_IPV6_BLOCKS] =
		{"ipv6_blocks", "IPv6 blocks",
		 "Name another pool: dari network set-ipv6. Blocks that were given out stay.",
		 KIND_EXTERNAL_NETWORK, count_blocks_used, count_blocks},
	[CAPACITY_NETWORK_PORTS] = {"network_ports", "ports of a network",
				    "Its owner has to use another network: OVN has no more keys for the "
				    "ports of one switch.",
				    KIND_NETWORK, count_ports, NULL, LIMIT_NETWORK_PORTS},
	[CAPACITY_ROUTER_PORTS] = {"router_ports", "subnets of a VPC",
				   "Its owner has to use another VPC: OVN has no more keys for the ports of "
				   "one router.",
				   KIND_ROUTER, count_subnets, NULL, LIMIT_ROUTER_SUBNETS},
	[CAPACITY_NETWORK_KEYS] = {"network_keys", "keys of switches and routers",
				   "OVN has no more of them: delete networks and VPCs that nobody uses.",
				   KIND_NONE, count_keys, NULL, LIMIT_NETWORK_KEYS},
	[CAPACITY_MACS] = {"macs", "MAC addresses", "Delete network interfaces that nobody uses.", KIND_NONE,
			   count_macs, NULL, LIMIT_MACS},
};

/* ---- queries ---- */

/* The limit is the same for all resources of the kind; not needed if the capacity counts its total itself. */
static int64_t read_limit(const struct tables *t, enum capacity c)
{
	return engine_capacities[c].count_all ? 0 : engine_get_limit(t, engine_capacities[c].limit);
}

static struct capacity_use read_use(const struct tables *t, enum capacity c, const struct row *of,
				    int64_t limit)
{
	const struct capacity_info *info = &engine_capacities[c];
	int64_t all = info->count_all ? info->count_all(t, of) : limit;
	return (struct capacity_use){info->count_used(t, of), all > 0 ? all : 0, of ? of->id : UUID_NONE};
}

void engine_read_capacity(const struct tables *t, enum capacity c, const struct row *of,
			  struct capacity_use *ret_use)
{
	*ret_use = read_use(t, c, of, read_limit(t, c));
}

bool engine_is_running_out(const struct capacity_use *use)
{
	return use->all > 0 && use->used >= use->all - use->all * (100 - CAPACITY_WARN_PERCENT) / 100;
}

struct str engine_write_capacity(struct arena *a, enum capacity c, const struct capacity_use *use)
{
	return str_print(a, "%" PRId64 " of %" PRId64 " %s in use (%" PRId64 " %%)", use->used, use->all,
			 engine_capacities[c].words, use->all ? use->used * 100 / use->all : 0);
}

/* A capacity without a limit counts as empty. */
static bool is_fuller(const struct capacity_use *a, const struct capacity_use *b)
{
	if (!a->all || !b->all)
		return a->all > b->all;
	return (double) a->used / (double) a->all > (double) b->used / (double) b->all;
}

bool engine_sweep_capacity(const struct tables *t, enum capacity c, size_t most, struct capacity_sweep *sweep)
{
	enum kind kind = engine_capacities[c].of;
	const struct row *row = NULL, probe = {.id = sweep->after};
	int64_t limit = read_limit(t, c);
	if (kind == KIND_NONE)
		sweep->so_far = read_use(t, c, NULL, limit);
	else
		row = tables_seek(t, kind, 0, &probe, 1);
	if (row && uuid_equal(row->id, sweep->after))
		row = tables_next(t, kind, 0, row, 0);
	for (; row && most > 0; row = tables_next(t, kind, 0, row, 0), most--) {
		sweep->after = row->id;
		struct capacity_use use = read_use(t, c, row, limit);
		if (row_is_live(row) && is_fuller(&use, &sweep->so_far))
			sweep->so_far = use;
	}
	if (row)
		return false;
	*sweep = (struct capacity_sweep){.before = sweep->so_far};
	return true;
}

const struct capacity_use *engine_get_fullest(const struct capacity_sweep *sweep)
{
	return is_fuller(&sweep->so_far, &sweep->before) ? &sweep->so_far : &sweep->before;
}

/* ---- checks ---- */

RESULT capacity_check_keys(struct op *op, enum kind kind)
{
	struct result checked =
		limit_check(op, LIMIT_NETWORK_KEYS, UUID_NONE, limits_keys_of(kind), STR_NONE);
	if (result_is_ok(checked))
		return OK;
	struct str words = op->ctx->problem.message; /* the message is about a network, but the kind may be
						      * another */
	ctx_clear_problem(op->ctx);
	return ctx_fail_kind(op->ctx, checked.code, (int) kind, "%" STR_FMT, STR_ARG(words));
}

int64_t capacity_count_public_left(const struct tables *t, uuid external_network)
{
	const struct external_network *n = external_network_find(t, external_network);
	struct capacity_use use = {0};
	if (n)
		engine_read_capacity(t, CAPACITY_PUBLIC_ADDRESSES, &n->row, &use);
	return use.used < use.all ? use.all - use.used : 0;
}
