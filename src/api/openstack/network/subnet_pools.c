/* SPDX-License-Identifier: Apache-2.0
 * Subnet pools. */
#include <inttypes.h>
#include <stdio.h>

#include "api/openstack/network/network.h"
#include "engine/network/subnet_pool.h"
#include "model/subnet_pool.h"

/* Writes a prefix length as text, as Neutron's _make_subnetpool_dict() does. */
static void write_length(struct json_writer *w, const char *key, int64_t bits)
{
	char text[24];
	(void) snprintf(text, sizeof text, "%" PRId64, bits);
	json_write_z(w, key, text);
}

static void write_pool(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct subnet_pool *p = item;
	os_write_id(w, "id", p->row.id);
	json_write_text(w, "name", p->name);
	json_write_open_list(w, "prefixes");
	for (size_t k = 0; k < p->prefixes.count; k++)
		os_write_cidr(w, NULL, p->prefixes.at[k]);
	json_write_close_list(w);
	json_write_int(w, "ip_version", engine_is_ipv6_pool(p) ? 6 : 4);
	write_length(w, "min_prefixlen", p->min_bits);
	write_length(w, "default_prefixlen", p->default_bits);
	write_length(w, "max_prefixlen", p->max_bits);
	if (p->quota)
		json_write_int(w, "default_quota", p->quota);
	else
		json_write_null(w, "default_quota");
	json_write_null(w, "address_scope_id");
	json_write_bool(w, "is_default", p->is_default);
	json_write_bool(w, "shared", p->is_shared);
	os_write_standard(e, w, &p->row, p->account, p->description, p->tags);
}

static bool fits_version(struct os_call *e, const struct row *row, struct str value)
{
	bool is_ipv6 = engine_is_ipv6_pool(subnet_pool_of(row));
	(void) e;
	return str_is(value, is_ipv6 ? "6" : "4");
}

static const struct os_filter filters[] = {
	OS_STANDARD_FILTERS,
	{"name", "name"},
	{"description", "description"},
	{"is_default", "is_default"},
	{"shared", "is_shared"},
	{"min_prefixlen", "min_bits"},
	{"default_prefixlen", "default_bits"},
	{"max_prefixlen", "max_bits"},
	{"default_quota", "quota"},
	{"ip_version", .fits = fits_version},
};
static const struct os_sort_key sort_keys[] = {OS_STANDARD_SORT};
/* Includes shared pools of other projects; a scan suffices because there are few pools. */
static const struct os_listing pools = {
	.kind = KIND_SUBNET_POOL,
	.items = "subnetpools",
	.members = OS_STANDARD_MEMBERS "|address_scope_id",
	.links = "subnetpools_links",
	.filters = OS_FILTERS(filters),
	.sort_keys = {sort_keys, sizeof sort_keys / sizeof sort_keys[0]},
	.flags = OS_ADMIN_SEES_ALL | OS_ALL_SEE_ALL,
	.write = write_pool,
};

/* ---- show, delete ---- */

struct os_subnet_pool_target {
	struct subnet_pool_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_subnet_pool_target, "subnetpool_id", wish.pool, .kind = KIND_SUBNET_POOL,
		.doc = "The pool."),
};

/* ---- create, change ---- */

#define POOL_UNBUILT OS_UNBUILT("address_scope_id")
#define QUOTA_DOC "How much each project may take: IPv4 addresses, or /64 blocks; 0: no limit."
#define BITS(T, name, member)                                                                                \
	OS_BODY(T, name, member, .min = SUBNET_POOL_BITS_MIN, .max = SUBNET_POOL_IPV6_BITS_MAX,              \
		.doc = "A prefix length.")

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
	enum choice is_default, shared;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_subnet_pool, "name", wish.name, .flags = REQUIRED,
		.doc = "Need not be unique."),
	OS_BODY(struct os_create_subnet_pool, "description", wish.description, .doc = "Free text."),
	OS_BODY(struct os_create_subnet_pool, "prefixes", prefixes, .flags = REQUIRED, .max = 64,
		.doc = "What it allocates from."),
	BITS(struct os_create_subnet_pool, "min_prefixlen", wish.min_bits),
	BITS(struct os_create_subnet_pool, "default_prefixlen", wish.default_bits),
	BITS(struct os_create_subnet_pool, "max_prefixlen", wish.max_bits),
	OS_BODY(struct os_create_subnet_pool, "default_quota", wish.quota, .min = 0, .max = INT32_MAX,
		.doc = QUOTA_DOC),
	OS_BODY(struct os_create_subnet_pool, "is_default", is_default,
		.doc = "The region's; for administrators."),
	OS_BODY(struct os_create_subnet_pool, "shared", shared,
		.doc = "For all projects; for administrators."),
	OS_PROJECT(struct os_create_subnet_pool, wish.account),
	POOL_UNBUILT,
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_subnet_pool *a = args;
	a->wish.is_default = a->is_default == CHOICE_YES;
	a->wish.is_shared = a->shared == CHOICE_YES;
	return read_prefixes(e, a->prefixes, &a->wish.prefixes);
}

struct os_update_subnet_pool {
	struct subnet_pool_settings wish;
	struct str name, description;
	struct strs texts;
	struct cidrs prefixes;
	int64_t quota;
	bool has_name, has_description, has_prefixes, has_quota;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_subnet_pool, "subnetpool_id", wish.pool, .kind = KIND_SUBNET_POOL,
		.doc = "The pool."),
	OS_BODY(struct os_update_subnet_pool, "name", name,
		.given = OS_GIVEN(struct os_update_subnet_pool, has_name), .doc = "Need not be unique."),
	OS_BODY(struct os_update_subnet_pool, "description", description,
		.given = OS_GIVEN(struct os_update_subnet_pool, has_description), .doc = "Free text."),
	OS_BODY(struct os_update_subnet_pool, "prefixes", texts, .max = 64,
		.given = OS_GIVEN(struct os_update_subnet_pool, has_prefixes),
		.doc = "All of them; the present ones stay."),
	BITS(struct os_update_subnet_pool, "min_prefixlen", wish.min_bits),
	BITS(struct os_update_subnet_pool, "default_prefixlen", wish.default_bits),
	BITS(struct os_update_subnet_pool, "max_prefixlen", wish.max_bits),
	OS_BODY(struct os_update_subnet_pool, "default_quota", quota, .min = 0, .max = INT32_MAX,
		.given = OS_GIVEN(struct os_update_subnet_pool, has_quota), .doc = QUOTA_DOC),
	OS_BODY(struct os_update_subnet_pool, "is_default", wish.is_default,
		.doc = "The region's; for administrators."),
	POOL_UNBUILT,
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_subnet_pool *a = args;
	TRY(read_prefixes(e, a->texts, &a->prefixes));
	a->wish.name = a->has_name ? &a->name : NULL;
	a->wish.description = a->has_description ? &a->description : NULL;
	a->wish.prefixes = a->has_prefixes ? &a->prefixes : NULL;
	a->wish.quota = a->has_quota ? &a->quota : NULL;
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/subnetpools", .permit = "get_subnetpool", .list = &pools, .doc = "Subnet pools."},
	{HTTP_POST, "/v2.0/subnetpools", .permit = "create_subnetpool", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_subnet_pool, create_params), .wrap = "subnetpool",
	 .item = "subnetpool", .prepare = prepare_create, .operation = engine_create_subnet_pool_run,
	 OS_SHOWS(pools, struct os_create_subnet_pool, wish.pool), .returns = KIND_SUBNET_POOL,
	 .doc = "Makes a subnet pool."},
	{HTTP_GET, "/v2.0/subnetpools/{subnetpool_id}", .permit = "get_subnetpool",
	 .args = OS_PARAMS(struct os_subnet_pool_target, target_params), .item = "subnetpool",
	 OS_SHOWS(pools, struct os_subnet_pool_target, wish.pool), .doc = "One subnet pool."},
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
