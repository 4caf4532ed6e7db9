/* SPDX-License-Identifier: Apache-2.0
 * Subnet pools. */
#include <inttypes.h>

#include "api/openstack/network/network.h"
#include "engine/network/subnet_pool.h"
#include "model/subnet_pool.h"

static struct str write_length(struct api_call *e, int64_t bits)
{
	return str_print(e->c->arena, "%" PRId64, bits);
}

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(subnet_pool, p, returned, function, expression)
GETTER(struct strs, list_prefixes, os_list_cidrs(e->c->arena, p->prefixes))
GETTER(bool, is_shared, p->is_shared || os_is_shared(e, &p->users))
GETTER(int64_t, get_version, engine_is_ipv6_pool(p) ? 6 : 4)
GETTER(struct str, get_min, write_length(e, p->min_bits))
GETTER(struct str, get_default, write_length(e, p->default_bits))
GETTER(struct str, get_max, write_length(e, p->max_bits))
#undef GETTER

/* Prefix lengths are texts, as in Neutron's _make_subnetpool_dict(), and ordered as numbers. */
#define LENGTH(wire, field, function)                                                                        \
	OS_MADE(TEXT, text, wire, function, .offset = offsetof(struct subnet_pool, field))
static const struct attribute pool_rows[] = {
	ATTRIBUTE(subnet_pool, "id", row.id, .filter = "id"),
	OS_FIELD(subnet_pool, "name", name),
	ATTRIBUTE_MADE(TEXTS, texts, "prefixes", list_prefixes),
	OS_MADE(INT, number, "ip_version", get_version),
	LENGTH("min_prefixlen", min_bits, get_min),
	LENGTH("default_prefixlen", default_bits, get_default),
	LENGTH("max_prefixlen", max_bits, get_max),
	OS_FIELD(subnet_pool, "default_quota", quota, .flags = ATTRIBUTE_NULL_NONE),
	OS_FIELD(subnet_pool, "address_scope_id", scope),
	OS_FIELD(subnet_pool, "is_default", is_default),
	OS_MADE(BOOL, truth, "shared", is_shared),
	OS_STANDARD_ROWS(subnet_pool),
};
#undef LENGTH
static const struct attributes pool_members = ATTRIBUTES(pool_rows);

/* Includes shared pools of other projects; a scan suffices because there are few pools. */
static const struct os_listing pools = {
	.kind = KIND_SUBNET_POOL,
	.items = "subnetpools",
	.links = "subnetpools_links",
	.filters = OS_FILTERS(os_tag_filters),
	.flags = OS_ADMIN_SEES_ALL | OS_ALL_SEE_ALL,
	.attributes = &pool_members,
};

/* ---- show, delete ---- */

struct os_subnet_pool_target {
	struct subnet_pool_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_subnet_pool_target, "subnetpool_id", wish.pool, .kind = KIND_SUBNET_POOL,
		.doc = "The subnet pool."),
};

/* ---- create, change ---- */

#define SCOPE(T, absent)                                                                                     \
	OS_BODY(T, "address_scope_id", wish.scope.scope, .flags = NULLABLE, .kind = KIND_ADDRESS_SCOPE,      \
		.given = OS_GIVEN(T, wish.scope.is_given),                                                   \
		.doc = "Address scope of the pool; null: none; absent: " absent ".")
#define QUOTA_DOC "Quota of each project: IPv4 addresses, or /64 blocks; 0: unlimited."
#define BITS(T, name, member)                                                                                \
	OS_BODY(T, name, member, .min = SUBNET_POOL_BITS_MIN, .max = SUBNET_POOL_IPV6_BITS_MAX,              \
		.doc = "Prefix length.")

static RESULT read_prefixes(struct os_call *e, struct strs texts, struct cidrs *ret_prefixes)
{
	struct cidr *at = arena_new_array(e->c->arena, struct cidr, texts.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < texts.count; k++)
		if (cidr_parse(texts.at[k], &at[k]).code)
			return ctx_fail_field(e->c, ERR_INVALID, STR("prefixes"),
					      "Invalid input for prefixes. Reason: '%" STR_FMT
					      "' is not a valid CIDR.",
					      STR_ARG(texts.at[k]));
	*ret_prefixes = (struct cidrs){at, texts.count};
	return OK;
}

struct os_create_subnet_pool {
	struct subnet_pool_wish wish;
	struct strs prefixes;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_subnet_pool, "name", wish.name, .flags = REQUIRED,
		.doc = "Name; need not be unique."),
	OS_BODY(struct os_create_subnet_pool, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_create_subnet_pool, "prefixes", prefixes, .flags = REQUIRED, .max = 64,
		.doc = "Blocks that the pool allocates from."),
	BITS(struct os_create_subnet_pool, "min_prefixlen", wish.min_bits),
	BITS(struct os_create_subnet_pool, "default_prefixlen", wish.default_bits),
	BITS(struct os_create_subnet_pool, "max_prefixlen", wish.max_bits),
	OS_BODY(struct os_create_subnet_pool, "default_quota", wish.quota, .min = 0, .max = INT32_MAX,
		.doc = QUOTA_DOC),
	OS_BODY(struct os_create_subnet_pool, "is_default", wish.is_default,
		.doc = "Whether the pool is the region's default; for administrators."),
	OS_BODY(struct os_create_subnet_pool, "shared", wish.is_shared,
		.doc = "Whether all projects share the pool; for administrators."),
	SCOPE(struct os_create_subnet_pool, "none"),
	OS_PROJECT(struct os_create_subnet_pool, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_subnet_pool *a = args;
	return read_prefixes(e, a->prefixes, &a->wish.prefixes);
}

struct os_update_subnet_pool {
	struct subnet_pool_settings wish;
	struct strs texts;
	struct cidrs prefixes;
	bool has_prefixes;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_subnet_pool, "subnetpool_id", wish.pool, .kind = KIND_SUBNET_POOL,
		.doc = "The subnet pool."),
	OS_BODY(struct os_update_subnet_pool, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_subnet_pool, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_update_subnet_pool, "prefixes", texts, .max = 64,
		.given = OS_GIVEN(struct os_update_subnet_pool, has_prefixes),
		.doc = "All blocks of the pool. Present blocks cannot be removed."),
	BITS(struct os_update_subnet_pool, "min_prefixlen", wish.min_bits),
	BITS(struct os_update_subnet_pool, "default_prefixlen", wish.default_bits),
	BITS(struct os_update_subnet_pool, "max_prefixlen", wish.max_bits),
	OS_BODY(struct os_update_subnet_pool, "default_quota", wish.quota, .min = 0, .max = INT32_MAX,
		.doc = QUOTA_DOC),
	OS_BODY(struct os_update_subnet_pool, "is_default", wish.is_default,
		.doc = "Whether the pool is the region's default; for administrators."),
	SCOPE(struct os_update_subnet_pool, "unchanged"),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_subnet_pool *a = args;
	TRY(read_prefixes(e, a->texts, &a->prefixes));
	a->wish.prefixes = a->has_prefixes ? &a->prefixes : NULL;
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/subnetpools", .permit = "get_subnetpool", .list = &pools,
	 .doc = "Lists subnet pools."},
	{HTTP_POST, "/v2.0/subnetpools", .permit = "create_subnetpool", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_subnet_pool, create_params), .wrap = "subnetpool",
	 .item = "subnetpool", .prepare = prepare_create, .operation = engine_create_subnet_pool_run,
	 OS_SHOWS(pools, struct os_create_subnet_pool, wish.pool), .returns = KIND_SUBNET_POOL,
	 .doc = "Creates a subnet pool."},
	{HTTP_GET, "/v2.0/subnetpools/{subnetpool_id}", .permit = "get_subnetpool",
	 .args = OS_PARAMS(struct os_subnet_pool_target, target_params), .item = "subnetpool",
	 OS_SHOWS(pools, struct os_subnet_pool_target, wish.pool), .doc = "Shows one subnet pool."},
	{HTTP_PUT, "/v2.0/subnetpools/{subnetpool_id}", .permit = "update_subnetpool", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_subnet_pool, update_params), .wrap = "subnetpool",
	 .item = "subnetpool", .prepare = prepare_update, .operation = engine_update_subnet_pool_run,
	 OS_SHOWS(pools, struct os_update_subnet_pool, wish.pool), .returns = KIND_SUBNET_POOL,
	 .doc = "Changes a subnet pool."},
	{HTTP_DELETE, "/v2.0/subnetpools/{subnetpool_id}", .permit = "delete_subnetpool", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_subnet_pool_target, target_params),
	 .operation = engine_delete_subnet_pool_run, .doc = "Deletes a subnet pool without subnets."},
};
const struct os_actions os_subnet_pool_actions = OS_ACTIONS(OS_NETWORK, actions);
