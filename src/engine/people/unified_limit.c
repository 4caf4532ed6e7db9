/* SPDX-License-Identifier: Apache-2.0
 * Keystone's unified limits, and their ties to the quotas of accounts. Source: keystone.limit. */
#include "engine/people/unified_limit.h"

#include <inttypes.h>

#include "engine/limits.h"
#include "engine/people/catalog.h"
#include "engine/quota.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "store/account.h"
#include "store/catalog_entry.h"
#include "store/project_limit.h"
#include "store/registered_limit.h"

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

/* Resources of this region's services that a quota counts, by the names that Nova, Cinder, Glance and Neutron register.
 * Sources: nova.limit, neutron.quota, the resources of Cinder's quota sets. */
static const struct {
	const char *service, *name;
	enum quota quota;
	int64_t unit;
} ties[] = {
	{"compute", "servers", QUOTA_INSTANCES, 1},
	{"compute", "class:VCPU", QUOTA_VCPUS, 1},
	{"compute", "class:MEMORY_MB", QUOTA_MEMORY, MIB},
	{"compute", "server_key_pairs", QUOTA_KEY_PAIRS, 1},
	{"compute", "server_groups", QUOTA_SERVER_GROUPS, 1},
	{"compute", "server_group_members", QUOTA_SERVER_GROUP_MEMBERS, 1},
	{"compute", "server_metadata_items", QUOTA_METADATA_ITEMS, 1},
	{"compute", "server_injected_files", QUOTA_INJECTED_FILES, 1},
	{"compute", "server_injected_file_content_bytes", QUOTA_INJECTED_FILE_BYTES, 1},
	{"compute", "server_injected_file_path_bytes", QUOTA_INJECTED_PATH_BYTES, 1},
	{"image", "image_count_total", QUOTA_IMAGES, 1},
	{"network", "network", QUOTA_NETWORKS, 1},
	{"network", "subnet", QUOTA_SUBNETS, 1},
	{"network", "port", QUOTA_PORTS, 1},
	{"network", "router", QUOTA_ROUTERS, 1},
	{"network", "floatingip", QUOTA_ADDRESSES, 1},
	{"network", "security_group", QUOTA_GROUPS, 1},
	{"network", "security_group_rule", QUOTA_RULES, 1},
	{"block-storage", "volumes", QUOTA_VOLUMES, 1},
	{"block-storage", "gigabytes", QUOTA_VOLUME_BYTES, GIB},
	{"block-storage", "per_volume_gigabytes", QUOTA_VOLUME_SIZE, GIB},
	{"block-storage", "snapshots", QUOTA_SNAPSHOTS, 1},
	{"block-storage", "backups", QUOTA_BACKUPS, 1},
	{"block-storage", "backup_gigabytes", QUOTA_BACKUP_BYTES, GIB},
	{"block-storage", "groups", QUOTA_VOLUME_GROUPS, 1},
};
enum { TIES = sizeof ties / sizeof ties[0] };

/* ---- values ---- */

/* False: no quota counts the resource. */
static bool find_quota(const struct registered_limit *limit, enum quota *ret_quota)
{
	for (enum quota quota = 0; limit->quota.n && quota < QUOTA_COUNT; quota++)
		if (str_equal(limit->quota, quota_setting(quota))) {
			*ret_quota = quota;
			return true;
		}
	return false;
}

static int64_t to_units(const struct registered_limit *limit, int64_t figure)
{
	return figure < 0 ? -1 : figure / (limit->unit ? limit->unit : 1);
}

static int64_t to_figure(const struct registered_limit *limit, int64_t value)
{
	return value < 0 ? -1 : value * limit->unit;
}

int64_t engine_get_registered_limit(const struct tables *t, const struct registered_limit *limit)
{
	enum quota quota;
	struct account standard = {0};
	if (!find_quota(limit, &quota))
		return limit->default_limit;
	engine_get_default_limits(t, &standard);
	return to_units(limit, *quota_limit(&standard, quota));
}

int64_t engine_get_project_limit(const struct tables *t, const struct project_limit *limit)
{
	enum quota quota;
	const struct registered_limit *registered = registered_limit_find(t, limit->registered);
	const struct account *account = account_find(t, limit->account);
	if (!registered || !account || !find_quota(registered, &quota))
		return limit->value;
	struct account copy = *account;
	return to_units(registered, *quota_limit(&copy, quota));
}

bool engine_has_registered_limits(const struct tables *t, uuid service)
{
	return registered_limit_first_by_service(t, service) != NULL;
}

/* ---- quotas ---- */

static RESULT set_quota(struct op *op, const struct account *account, enum quota quota, int64_t figure)
{
	struct account next = *account;
	*quota_limit(&next, quota) = figure;
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &next.row, "limits changed", "Its limits were changed.");
}

/* Keystone's default holds for every project without a limit of its own, Dari's for accounts to come. Projects whose quota
 * is the former default follow the new one; a quota that was set otherwise stays. */
static RESULT set_default(struct op *op, const struct registered_limit *limit, struct str value)
{
	enum quota quota;
	struct account before = {0}, after = {0};
	if (!find_quota(limit, &quota))
		return OK;
	engine_get_default_limits(op->head, &before);
	TRY(engine_put_setting(op, &(struct setting_wish){.name = quota_setting(quota), .value = value}));
	engine_get_default_limits(op->head, &after);
	int64_t was = *quota_limit(&before, quota), is = *quota_limit(&after, quota);
	for (const struct account *a = account_first(op->head); a && was != is;
	     a = account_next(op->head, a)) {
		struct account copy = *a;
		if (row_is_live(&a->row) && *quota_limit(&copy, quota) == was &&
		    !project_limit_find_by_registered(op->head, limit->row.id, a->row.id, UUID_NONE))
			TRY(set_quota(op, a, quota, is));
	}
	return OK;
}

static RESULT put_default(struct op *op, const struct registered_limit *limit, int64_t value)
{
	return set_default(op, limit, str_print(op->ctx->arena, "%" PRId64, to_figure(limit, value)));
}

static RESULT set_project(struct op *op, const struct registered_limit *limit, uuid account, int64_t value)
{
	enum quota quota;
	const struct account *row = account_find(op->head, account);
	return row && find_quota(limit, &quota) ? set_quota(op, row, quota, to_figure(limit, value)) : OK;
}

/* ---- registered limits ---- */

static RESULT fail_reference(struct op *op, enum kind kind, const char *what)
{
	return ENGINE_FAIL(
		op, ERR_INVALID, kind, str_from(what),
		"Expecting to find %s in %s. The server could not comply with the request since it is "
		"either malformed or otherwise incorrect. The client is assumed to be in error.",
		what, kind == KIND_PROJECT_LIMIT ? "limit" : "registered_limit");
}

static RESULT check_resource(struct op *op, const struct limited_resource *r, enum kind kind)
{
	const struct catalog_entry *service = catalog_entry_find(op->head, r->service);
	if (!r->own_type.n && !(service && service->what == CATALOG_ENTRY_WHAT_SERVICE))
		return fail_reference(op, kind, "service_id");
	if (r->region.n && !str_equal(r->region, r->own_region) &&
	    !engine_find_catalog_entry(op->head, CATALOG_ENTRY_WHAT_REGION, r->region))
		return fail_reference(op, kind, "region_id");
	return OK;
}

static const struct registered_limit *find_registered(const struct tables *t,
						      const struct limited_resource *r)
{
	const struct registered_limit *limit = registered_limit_first_by_service(t, r->service);
	while (limit && !(str_equal(limit->region, r->region) && str_equal(limit->name, r->name)))
		limit = registered_limit_next_by_service(t, limit);
	return limit;
}

/* Ties the limit to the quota of its resource, unless the resource is in another region or another registered limit has the
 * quota already: one without the region's name, or of the other one of Cinder's two services. */
static void tie(const struct tables *t, const struct limited_resource *r, struct registered_limit *limit)
{
	bool is_here = !limit->region.n || str_equal(limit->region, r->own_region);
	limit->quota = STR_NONE;
	limit->unit = 0;
	for (size_t k = 0; k < TIES && is_here; k++) {
		if (!str_is(r->own_type, ties[k].service) || !str_is(limit->name, ties[k].name))
			continue;
		limit->quota = quota_setting(ties[k].quota);
		limit->unit = ties[k].unit;
	}
	const struct registered_limit *other = registered_limit_first(t);
	for (; other; other = registered_limit_next(t, other))
		if (!uuid_equal(other->row.id, limit->row.id) && limit->quota.n &&
		    str_equal(other->quota, limit->quota))
			limit->quota = STR_NONE;
}

static RESULT create_registered(struct op *op, struct registered_limit_wish *wish)
{
	TRY(check_resource(op, &wish->resource, KIND_REGISTERED_LIMIT));
	if (find_registered(op->head, &wish->resource))
		return ENGINE_FAIL(
			op, ERR_EXISTS, KIND_REGISTERED_LIMIT, STR("resource_name"),
			"Conflict occurred attempting to store registered_limit - Duplicate entry.");
	TRY(limit_check(op, LIMIT_REGISTERED_LIMITS, UUID_NONE, 1, STR_NONE));
	struct registered_limit limit = {.row = {.id = engine_new_id(op, KIND_REGISTERED_LIMIT), .gen = 1},
					 .service = wish->resource.service,
					 .region = wish->resource.region,
					 .name = wish->resource.name,
					 .default_limit = wish->value,
					 .description = wish->description};
	tie(op->head, &wish->resource, &limit);
	TRY(registered_limit_put(op, &limit));
	TRY(put_default(op, &limit, wish->value));
	wish->limit = limit.row.id;
	return engine_log_event(op, KIND_REGISTERED_LIMIT, &limit.row, "created", "Registered limit.");
}

RESULT engine_create_registered_limits(struct op *op, struct registered_limits_wish *wish)
{
	TRY(engine_permit(op, "registered_limit.create", KIND_REGISTERED_LIMIT, NULL));
	for (size_t k = 0; k < wish->count; k++)
		TRY(create_registered(op, &wish->at[k]));
	return OK;
}

static RESULT find_unreferenced(struct op *op, const struct ref *ref, const char *permission,
				const struct registered_limit **ret_limit)
{
	const struct registered_limit *limit = NULL;
	TRY(engine_permit(op, permission, KIND_REGISTERED_LIMIT, NULL));
	TRY(engine_find_registered_limit(op->ctx, op->head, ref, &limit));
	const struct project_limit probe = {.registered = limit->row.id};
	if (tables_first(op->head, KIND_PROJECT_LIMIT, PROJECT_LIMIT_INDEX_REGISTERED, &probe.row, 1))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_REGISTERED_LIMIT, ref->field,
				   "Unable to update or delete registered limit %" STR_FMT
				   " because there are project limits associated with it.",
				   STR_ARG(ref->text));
	*ret_limit = limit;
	return OK;
}

/* The resource of a change: as it is, unless the change says otherwise. */
static struct limited_resource changed_resource(const struct registered_limit *limit,
						const struct limited_resource *said)
{
	struct limited_resource r = *said;
	r.service = uuid_is_none(r.service) ? limit->service : r.service;
	r.region = r.region.n ? r.region : limit->region;
	r.name = r.name.n ? r.name : limit->name;
	return r;
}

RESULT engine_update_registered_limit(struct op *op, struct registered_limit_change *wish)
{
	const struct registered_limit *limit = NULL, *same = NULL;
	TRY(find_unreferenced(op, &wish->limit, "registered_limit.update", &limit));
	struct limited_resource r = changed_resource(limit, &wish->resource);
	TRY(check_resource(op, &r, KIND_REGISTERED_LIMIT));
	same = find_registered(op->head, &r);
	if (same && same != limit)
		return ENGINE_FAIL(
			op, ERR_EXISTS, KIND_REGISTERED_LIMIT, STR("resource_name"),
			"Conflict occurred attempting to store registered_limit - Duplicate entry.");
	struct registered_limit next = *limit;
	int64_t value = wish->value ? *wish->value : engine_get_registered_limit(op->head, limit);
	next.service = r.service;
	next.region = r.region;
	next.name = r.name;
	next.default_limit = value;
	next.description = wish->description ? *wish->description : next.description;
	tie(op->head, &r, &next);
	if (!str_equal(next.quota, limit->quota))
		TRY(set_default(op, limit, STR_NONE));
	next.row.gen++;
	TRY(registered_limit_put(op, &next));
	TRY(put_default(op, &next, value));
	return engine_log_event(op, KIND_REGISTERED_LIMIT, &next.row, "changed", "Registered limit.");
}

RESULT engine_delete_registered_limit(struct op *op, struct registered_limit_target *wish)
{
	const struct registered_limit *limit = NULL;
	TRY(find_unreferenced(op, &wish->limit, "registered_limit.delete", &limit));
	TRY(set_default(op, limit, STR_NONE));
	TRY(engine_log_event(op, KIND_REGISTERED_LIMIT, &limit->row, "deleted", "Registered limit."));
	return registered_limit_forget(op, limit->row.id);
}

/* ---- limits of projects and domains ---- */

static RESULT find_owner(struct op *op, const struct project_limit_wish *wish, struct project_limit *limit)
{
	bool is_project = ref_is_given(&wish->account);
	const struct ref *ref = is_project ? &wish->account : &wish->domain;
	enum kind kind = is_project ? KIND_ACCOUNT : KIND_DOMAIN;
	const struct row *row = NULL;
	struct result found = engine_find(op->ctx, op->head, kind, ref, &row);
	if (found.code == ERR_NOT_FOUND) {
		ctx_clear_problem(op->ctx);
		return fail_reference(op, KIND_PROJECT_LIMIT, is_project ? "project_id" : "domain_id");
	}
	TRY(found);
	*(is_project ? &limit->account : &limit->domain) = row->id;
	return OK;
}

static RESULT create_limit(struct op *op, struct project_limit_wish *wish)
{
	struct project_limit limit = {.row.gen = 1, .value = wish->value, .description = wish->description};
	TRY(check_resource(op, &wish->resource, KIND_PROJECT_LIMIT));
	TRY(find_owner(op, wish, &limit));
	const struct registered_limit *registered = find_registered(op->head, &wish->resource);
	if (!registered)
		return ENGINE_FAIL(op, ERR_STATE, KIND_PROJECT_LIMIT, STR("resource_name"),
				   "Unable to create a limit that has no corresponding registered limit.");
	if (registered->quota.n && !uuid_is_none(limit.domain))
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_PROJECT_LIMIT, STR("domain_id"),
				   "A domain_id is not supported for '%" STR_FMT
				   "': projects have such resources, domains have none.",
				   STR_ARG(registered->name));
	if (project_limit_find_by_registered(op->head, registered->row.id, limit.account, limit.domain))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PROJECT_LIMIT, STR("resource_name"),
				   "Conflict occurred attempting to store limit - Duplicate entry.");
	limit.registered = registered->row.id;
	limit.row.id = engine_new_id(op, KIND_PROJECT_LIMIT);
	TRY(project_limit_put(op, &limit));
	TRY(set_project(op, registered, limit.account, wish->value));
	wish->limit = limit.row.id;
	return engine_log_event(op, KIND_PROJECT_LIMIT, &limit.row, "created", "Limit.");
}

RESULT engine_create_project_limits(struct op *op, struct project_limits_wish *wish)
{
	TRY(engine_permit(op, "project_limit.create", KIND_PROJECT_LIMIT, NULL));
	for (size_t k = 0; k < wish->count; k++)
		TRY(create_limit(op, &wish->at[k]));
	return OK;
}

static RESULT find_limit(struct op *op, const struct ref *ref, const char *permission,
			 const struct project_limit **ret_limit,
			 const struct registered_limit **ret_registered)
{
	TRY(engine_permit(op, permission, KIND_PROJECT_LIMIT, NULL));
	TRY(engine_find_project_limit(op->ctx, op->head, ref, ret_limit));
	*ret_registered = registered_limit_find(op->head, (*ret_limit)->registered);
	return OK;
}

RESULT engine_update_project_limit(struct op *op, struct project_limit_change *wish)
{
	const struct project_limit *limit = NULL;
	const struct registered_limit *registered = NULL;
	TRY(find_limit(op, &wish->limit, "project_limit.update", &limit, &registered));
	struct project_limit next = *limit;
	next.value = wish->value ? *wish->value : next.value;
	next.description = wish->description ? *wish->description : next.description;
	next.row.gen++;
	TRY(project_limit_put(op, &next));
	if (wish->value)
		TRY(set_project(op, registered, next.account, next.value));
	return engine_log_event(op, KIND_PROJECT_LIMIT, &next.row, "changed", "Limit.");
}

RESULT engine_delete_project_limit(struct op *op, struct project_limit_target *wish)
{
	const struct project_limit *limit = NULL;
	const struct registered_limit *registered = NULL;
	TRY(find_limit(op, &wish->limit, "project_limit.delete", &limit, &registered));
	TRY(engine_log_event(op, KIND_PROJECT_LIMIT, &limit->row, "deleted", "Limit."));
	TRY(set_project(op, registered, limit->account, engine_get_registered_limit(op->head, registered)));
	return project_limit_forget(op, limit->row.id);
}
