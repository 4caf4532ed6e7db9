/* SPDX-License-Identifier: Apache-2.0
 * DescribeIpv6Pools, GetAssociatedIpv6PoolCidrs: IPv6 pools, from which VPCs request blocks by name. Each
 * external network with IPv6 addresses is a pool. In EC2 an account brings its own pools; here they are the
 * operator's and open to every account. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/ipv6.h"
#include "model/external_network.h"
#include "store/router.h"

/* ---- pools ---- */

struct ec2_describe_pools {
	struct ec2_query query;
};
static const struct param describe_pools_params[] = {
	PARAM(struct ec2_describe_pools, "PoolId", query.ids, .kind = KIND_EXTERNAL_NETWORK,
	      .prefix = EC2_IPV6_POOL, .doc = "IPv6 pools by id."),
	QUERY_FILTERS(struct ec2_describe_pools),
	QUERY_PAGES(struct ec2_describe_pools, 1, 1000),
};

/* Pools have no tags. */
static const struct filter pool_filters[] = {
	{.name = "tag:", .get = filter_nothing},
	{"tag-key", .get = filter_nothing},
};

static bool is_pool(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return !cidr_is_none(external_network_of(row)->ipv6_pool);
}

static void write_pool(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct external_network *network = item;
	(void) e;
	ec2_write_prefixed(x, "poolId", EC2_IPV6_POOL, network->row.id);
	xml_text(x, "description", network->name);
	xml_open(x, "poolCidrBlockSet");
	xml_open(x, "item");
	ec2_write_cidr(x, "poolCidrBlock", network->ipv6_pool);
	xml_close(x, "item");
	xml_close(x, "poolCidrBlockSet");
	xml_empty(x, "tagSet");
}

static const struct ec2_listing pool_listing = {.kind = KIND_EXTERNAL_NETWORK,
						.set = "ipv6PoolSet",
						.filters = FILTERS(pool_filters),
						.shows = is_pool,
						.is_hiding = true,
						.write = write_pool};

/* ---- what of them is the caller's ---- */

struct ec2_get_pool_cidrs {
	struct ec2_query query;
	struct ref pool;
};
static const struct param get_cidrs_params[] = {
	PARAM(struct ec2_get_pool_cidrs, "PoolId", pool, .flags = REQUIRED, .kind = KIND_EXTERNAL_NETWORK,
	      .prefix = EC2_IPV6_POOL, .doc = "The IPv6 pool."),
	QUERY_PAGES(struct ec2_get_pool_cidrs, 1, 1000),
};

/* Association of a block with its VPC, whose id and time it has. */
struct pool_cidr {
	struct row row; /* must be first */
	struct cidr block;
	uuid router;
};
struct pool_cidrs {
	VEC(const struct row *) at;
};

static RESULT add_cidrs_of(struct ec2_call *e, const struct external_network *pool,
			   const struct router *router, struct pool_cidrs *list)
{
	for (size_t k = 0; k < router->ipv6_pool_blocks.count; k++) {
		struct cidr block = router->ipv6_pool_blocks.at[k];
		if (!cidr_contains_cidr(pool->ipv6_pool, block))
			continue;
		struct pool_cidr *cidr = arena_new_object(e->c->arena, struct pool_cidr);
		if (!cidr)
			return ctx_no_memory(e->c);
		*cidr = (struct pool_cidr){.row.id = engine_get_ipv6_association(router, block),
					   .row.created_us = router->row.created_us,
					   .block = block,
					   .router = router->row.id};
		if (!VEC_PUSH(e->c->arena, &list->at, &cidr->row))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static RESULT find_cidrs(struct ec2_call *e, const struct ref *ref, struct pool_cidrs *list)
{
	const struct tables *t = ec2_tables(e);
	const struct external_network *pool = NULL;
	TRY(engine_find_external_network(e->c, t, ref, &pool));
	if (cidr_is_none(pool->ipv6_pool))
		return engine_fail_not_found(e->c, KIND_EXTERNAL_NETWORK, ref);
	const struct router *router = router_first_by_account(t, engine_get_account(e->c));
	for (; router; router = router_next_by_account(t, router))
		if (row_is_live(&router->row))
			TRY(add_cidrs_of(e, pool, router, list));
	return OK;
}

static RESULT ec2_get_pool_cidrs(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_pool_cidrs *a = args;
	struct pool_cidrs list = {0};
	struct query_page page;
	struct query q = {.c = e->c,
			  .limit = a->query.max_results ? (size_t) a->query.max_results : SIZE_MAX};
	TRY(ec2_parse_token(e, a->query.next_token, &q.after));
	TRY(find_cidrs(e, &a->pool, &list));
	q.given = (struct rows){list.at.at, list.at.count};
	TRY(query_run(&q, &page));
	xml_open(x, "ipv6CidrAssociationSet");
	for (size_t k = 0; k < page.count; k++) {
		const struct pool_cidr *cidr = (const struct pool_cidr *) page.rows[k];
		xml_open(x, "item");
		ec2_write_cidr(x, "ipv6Cidr", cidr->block);
		ec2_write_id(x, "associatedResource", KIND_ROUTER, cidr->router);
		xml_close(x, "item");
	}
	xml_close(x, "ipv6CidrAssociationSet");
	if (page.found > page.count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page.rows[page.count - 1])));
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeIpv6Pools"), .args = PARAMS(struct ec2_describe_pools, describe_pools_params),
	 .list = &pool_listing, .doc = "Lists the IPv6 pools that VPCs can allocate blocks from."},
	{EC2_ACTION("GetAssociatedIpv6PoolCidrs"),
	 .args = PARAMS(struct ec2_get_pool_cidrs, get_cidrs_params), .answer = ec2_get_pool_cidrs,
	 .doc = "Lists the IPv6 blocks that the account's VPCs have from a pool."},
};
const struct api_actions ec2_ipv6_pool_actions = API_ACTIONS(actions);
