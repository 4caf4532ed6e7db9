/* SPDX-License-Identifier: Apache-2.0
 * Network quotas, which are limits of the account. */
#include <string.h>

#include "api/openstack/network/network.h"
#include "engine/people/account/account.h"
#include "engine/quota.h"
#include "model/account.h"
#include "model/ike_policy.h"
#include "model/ipsec_policy.h"
#include "model/network_grant.h"
#include "model/subnet_pool.h"
#include "model/vpn_connection.h"
#include "model/vpn_endpoint_group.h"
#include "model/vpn_service.h"

#define FIGURE(word, figure)                                                                                 \
	{                                                                                                    \
		word, offsetof(struct account, limit_##figure), offsetof(struct account_usage, figure),      \
			offsetof(struct account_limits, figure)                                              \
	}
static const struct {
	const char *name;
	size_t limit, used, wish;
} figures[] = {
	FIGURE("network", networks),
	FIGURE("subnet", subnets),
	FIGURE("port", ports),
	FIGURE("router", routers),
	FIGURE("floatingip", addresses),
	FIGURE("security_group", groups),
	FIGURE("security_group_rule", rules),
};
enum { FIGURE_COUNT = sizeof figures / sizeof figures[0] };
/* Resources without a limit of their own. */
static const struct {
	const char *name;
	enum kind kind;
	unsigned index;
} unlimited[] = {
	{"subnetpool", KIND_SUBNET_POOL, SUBNET_POOL_INDEX_ACCOUNT},
	{"rbac_policy", KIND_NETWORK_GRANT, NETWORK_GRANT_INDEX_ACCOUNT},
	{"vpnservice", KIND_VPN_SERVICE, VPN_SERVICE_INDEX_ACCOUNT},
	{"ipsec_site_connection", KIND_VPN_CONNECTION, VPN_CONNECTION_INDEX_ACCOUNT},
	{"ikepolicy", KIND_IKE_POLICY, IKE_POLICY_INDEX_ACCOUNT},
	{"ipsecpolicy", KIND_IPSEC_POLICY, IPSEC_POLICY_INDEX_ACCOUNT},
	{"endpoint_group", KIND_VPN_ENDPOINT_GROUP, VPN_ENDPOINT_GROUP_INDEX_ACCOUNT},
};
enum { UNLIMITED_COUNT = sizeof unlimited / sizeof unlimited[0] };

/* Neutron does not show connections of EC2 and CloudStack. */
static bool is_shown(const struct row *row)
{
	return row_is_live(row) &&
	       !(row->kind == KIND_VPN_CONNECTION && uuid_is_none(vpn_connection_of(row)->service));
}

static int64_t count_unlimited(struct os_call *e, size_t k, uuid account)
{
	enum kind kind = unlimited[k].kind;
	const struct kind_info *info = &model_kinds[kind];
	struct row *key = arena_alloc(e->c->arena, info->row_size);
	int64_t count = 0;
	if (!key)
		return 0;
	memcpy((char *) key + info->account_offset, &account, sizeof account);
	const struct row *row = tables_first(os_tables(e), kind, unlimited[k].index, key, 1);
	for (; row; row = tables_next(os_tables(e), kind, unlimited[k].index, row, 1))
		count += is_shown(row);
	return count;
}

static int64_t at(const void *base, size_t offset)
{
	return *(const int64_t *) (const void *) ((const char *) base + offset);
}

/* Writes the limits, with usage unless `usage` is NULL. */
static void write_quota(struct os_call *e, struct json_writer *w, const struct account *limits,
			const struct account_usage *usage)
{
	for (size_t k = 0; k < FIGURE_COUNT + UNLIMITED_COUNT; k++) {
		const char *name = k < FIGURE_COUNT ? figures[k].name : unlimited[k - FIGURE_COUNT].name;
		int64_t limit = k < FIGURE_COUNT ? at(limits, figures[k].limit) : -1;
		if (!usage) {
			json_write_int(w, name, limit);
			continue;
		}
		json_write_open(w, name);
		json_write_int(w, "limit", limit);
		json_write_int(w, "used",
			       k < FIGURE_COUNT ? at(usage, figures[k].used)
						: count_unlimited(e, k - FIGURE_COUNT, limits->row.id));
		json_write_int(w, "reserved", 0);
		json_write_close(w);
	}
}

struct os_quota_target {
	struct ref project;
};
static const struct param target_params[] = {
	OS_PATH(struct os_quota_target, "project_id", project, .kind = KIND_ACCOUNT, .doc = "The project."),
};

static RESULT find_account(struct os_call *e, const struct ref *ref, const struct account **ret_account)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_ACCOUNT, ref, &row));
	*ret_account = account_of(row);
	return OK;
}

static RESULT show_quota(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct account *account = NULL;
	TRY(find_account(e, &((const struct os_quota_target *) args)->project, &account));
	write_quota(e, w, account, NULL);
	return OK;
}

static RESULT show_details(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct account *account = NULL;
	struct account_usage usage;
	TRY(find_account(e, &((const struct os_quota_target *) args)->project, &account));
	engine_get_usage(account, &usage);
	write_quota(e, w, account, &usage);
	return OK;
}

static RESULT show_default(struct os_call *e, const void *args, struct json_writer *w)
{
	struct account limits = {0};
	(void) args;
	engine_get_default_limits(os_tables(e), &limits);
	write_quota(e, w, &limits, NULL);
	return OK;
}

/* ---- those that differ from what a new project gets ---- */

static bool differs(struct os_call *e, const struct row *row)
{
	struct account standard = {0};
	engine_get_default_limits(os_tables(e), &standard);
	for (size_t k = 0; k < FIGURE_COUNT; k++)
		if (at(row, figures[k].limit) != at(&standard, figures[k].limit))
			return row_is_live(row);
	return false;
}

static void write_projects_quota(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct account *account = item;
	os_write_hex(w, "tenant_id", account->row.id);
	os_write_hex(w, "project_id", account->row.id);
	write_quota(e, w, account, NULL);
}

static const struct os_filter filters[] = {{"project_id", .is_id = true}, {"tenant_id", .is_id = true}};
static const struct os_listing quotas = {
	.kind = KIND_ACCOUNT,
	.items = "quotas",
	.filters = OS_FILTERS(filters),
	.flags = OS_ADMIN_SEES_ALL,
	.shows = differs,
	.write = write_projects_quota,
};

/* ---- changing ---- */

struct os_set_quota {
	struct account_limits wish;
	struct ref project;
	int64_t network, subnet, port, router, floatingip, group, rule;
	bool has_network, has_subnet, has_port, has_router, has_floatingip, has_group, has_rule;
};
#define LIMIT(word, member, has)                                                                             \
	OS_BODY(struct os_set_quota, word, member, .min = -1, .max = INT32_MAX,                              \
		.given = OS_GIVEN(struct os_set_quota, has), .doc = "Quota; -1: unlimited.")
static const struct param set_params[] = {
	OS_PATH(struct os_set_quota, "project_id", project, .kind = KIND_ACCOUNT, .doc = "The project."),
	LIMIT("network", network, has_network),
	LIMIT("subnet", subnet, has_subnet),
	LIMIT("port", port, has_port),
	LIMIT("router", router, has_router),
	LIMIT("floatingip", floatingip, has_floatingip),
	LIMIT("security_group", group, has_group),
	LIMIT("security_group_rule", rule, has_rule),
	OS_UNBUILT("subnetpool", .only = "-1"),
	OS_UNBUILT("rbac_policy", .only = "-1"),
	OS_UNBUILT("vpnservice|ipsec_site_connection|ikepolicy|ipsecpolicy|endpoint_group", .only = "-1"),
	OS_UNBUILT("check_limit", .only = "false"),
	OS_UNBUILT("force", .only = "true"),
};

static RESULT prepare_set(struct os_call *e, void *args)
{
	struct os_set_quota *a = args;
	(void) e;
	a->wish = account_limits_all(a->project, ACCOUNT_LIMIT_KEEP);
	const struct {
		bool given;
		int64_t value, *limit;
	} all[] = {
		{a->has_network, a->network, &a->wish.networks},
		{a->has_subnet, a->subnet, &a->wish.subnets},
		{a->has_port, a->port, &a->wish.ports},
		{a->has_router, a->router, &a->wish.routers},
		{a->has_floatingip, a->floatingip, &a->wish.addresses},
		{a->has_group, a->group, &a->wish.groups},
		{a->has_rule, a->rule, &a->wish.rules},
	};
	for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
		if (all[k].given)
			*all[k].limit = all[k].value;
	return OK;
}

static RESULT show_set(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct account *account = NULL;
	TRY(find_account(e, &((const struct os_set_quota *) args)->project, &account));
	write_quota(e, w, account, NULL);
	return OK;
}

struct os_reset_quota {
	struct account_limits wish;
	struct ref project;
};
static const struct param reset_params[] = {
	OS_PATH(struct os_reset_quota, "project_id", project, .kind = KIND_ACCOUNT, .doc = "The project."),
};

static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_reset_quota *a = args;
	struct account limits = {0};
	engine_get_default_limits(os_tables(e), &limits);
	a->wish = account_limits_all(a->project, ACCOUNT_LIMIT_KEEP);
	for (size_t k = 0; k < FIGURE_COUNT; k++)
		*(int64_t *) (void *) ((char *) &a->wish + figures[k].wish) = at(&limits, figures[k].limit);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/quotas", .permit = "get_quota", .flags = OS_ADMIN, .list = &quotas,
	 .doc = "Lists the projects whose quotas differ from the defaults."},
	{HTTP_GET, "/v2.0/quotas/{project_id}", .permit = "get_quota",
	 .args = OS_PARAMS(struct os_quota_target, target_params), .item = "quota", .answer = show_quota,
	 .doc = "Shows the quotas of a project."},
	{HTTP_GET, "/v2.0/quotas/{project_id}/details.json", .permit = "get_quota",
	 .args = OS_PARAMS(struct os_quota_target, target_params), .item = "quota", .answer = show_details,
	 .doc = "Shows the quotas and the usage of a project."},
	{HTTP_GET, "/v2.0/quotas/{project_id}/details", .permit = "get_quota",
	 .args = OS_PARAMS(struct os_quota_target, target_params), .item = "quota", .answer = show_details,
	 .doc = "Shows the quotas and the usage of a project, by the path of openstacksdk."},
	{HTTP_GET, "/v2.0/quotas/{project_id}/default", .permit = "get_quota",
	 .args = OS_PARAMS(struct os_quota_target, target_params), .item = "quota", .answer = show_default,
	 .doc = "Shows the default quotas."},
	{HTTP_PUT, "/v2.0/quotas/{project_id}", .permit = "update_quota", .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_set_quota, set_params), .wrap = "quota", .item = "quota",
	 .prepare = prepare_set, .operation = engine_set_limits_run, .answer = show_set,
	 .returns = KIND_ACCOUNT, .doc = "Sets quotas of a project."},
	{HTTP_DELETE, "/v2.0/quotas/{project_id}", .permit = "delete_quota", .flags = API_WRITES | OS_ADMIN,
	 .status = 204, .args = OS_PARAMS(struct os_reset_quota, reset_params), .prepare = prepare_reset,
	 .operation = engine_set_limits_run, .doc = "Resets the quotas of a project to the defaults."},
};
const struct os_actions os_network_quota_actions = OS_ACTIONS(OS_NETWORK, actions);
