/* SPDX-License-Identifier: Apache-2.0
 * Tenants, subscriptions and locations: domains, the accounts that the caller gets into, and the region. Source: Azure REST API
 * reference, "Subscriptions", 2022-12-01. */
#include "api/azure/core/action.h"

#include "base/vec.h"
#include "engine/people/policy/arm_rights.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"

/* A key enters its own account; other accounts need a role. */
static bool gets_in(struct az_call *e, const struct account *account)
{
	const struct identity *who = e->c->who;
	struct roles roles;
	if (!engine_is_account_open(az_tables(e), account) || !uuid_equal(account->domain, e->bearer.tenant))
		return false;
	engine_find_roles(az_tables(e), who->user, IDENTITY_ACCOUNT, account->row.id, &roles);
	return roles.count || uuid_equal(who->account, account->row.id) ||
	       engine_is_assigned(az_tables(e), who->user, account->row.id);
}

static void write_subscription(struct az_call *e, struct json_writer *w, const struct account *account)
{
	struct str id = uuid_to_str(e->c->arena, account->row.id);
	json_write_text(w, "id", str_print(e->c->arena, "/subscriptions/%" STR_FMT, STR_ARG(id)));
	json_write_text(w, "subscriptionId", id);
	json_write_text(w, "tenantId", uuid_to_str(e->c->arena, account->domain));
	json_write_text(w, "displayName", account->name);
	json_write_z(w, "state", "Enabled");
	json_write_open(w, "subscriptionPolicies");
	json_write_z(w, "locationPlacementId", "Public_2014-09-01");
	json_write_z(w, "quotaId", "PayAsYouGo_2014-09-01");
	json_write_z(w, "spendingLimit", "Off");
	json_write_close(w);
	json_write_z(w, "authorizationSource", "RoleBased");
	json_write_open_list(w, "managedByTenants");
	json_write_close_list(w);
}

static RESULT list_subscriptions(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = az_tables(e);
	(void) args;
	json_write_open_list(w, "value");
	for (const struct account *a = account_first(t); a; a = account_next(t, a)) {
		if (!gets_in(e, a))
			continue;
		json_write_open(w, NULL);
		write_subscription(e, w, a);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_open(w, "count");
	json_write_z(w, "type", "Total");
	json_write_close(w);
	return OK;
}

static RESULT show_subscription(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_subscription(e, w, account_find(az_tables(e), e->c->who->account));
	return OK;
}

/* Lists the token's tenant. */
static RESULT list_tenants(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct domain *domain = domain_find(az_tables(e), e->bearer.tenant);
	(void) args;
	json_write_open_list(w, "value");
	if (domain) {
		struct str id = uuid_to_str(e->c->arena, domain->row.id);
		json_write_open(w, NULL);
		json_write_text(w, "id", str_print(e->c->arena, "/tenants/%" STR_FMT, STR_ARG(id)));
		json_write_text(w, "tenantId", id);
		json_write_text(w, "displayName", domain->name);
		json_write_text(w, "defaultDomain", domain->name);
		json_write_z(w, "tenantCategory", "Home");
		json_write_z(w, "tenantType", "AAD");
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT list_locations(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str name = az_location(e), subscription = uuid_to_str(e->c->arena, e->c->who->account);
	(void) args;
	json_write_open_list(w, "value");
	json_write_open(w, NULL);
	json_write_text(w, "id",
			str_print(e->c->arena, "/subscriptions/%" STR_FMT "/locations/%" STR_FMT,
				  STR_ARG(subscription), STR_ARG(name)));
	json_write_text(w, "name", name);
	json_write_z(w, "type", "Region");
	json_write_text(w, "displayName", e->config->region);
	json_write_text(w, "regionalDisplayName", e->config->region);
	json_write_open(w, "metadata");
	json_write_z(w, "regionType", "Physical");
	json_write_z(w, "regionCategory", "Recommended");
	json_write_open_list(w, "pairedRegion");
	json_write_close_list(w);
	json_write_close(w);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_GET, "/subscriptions", .name = "Subscriptions_List", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL | AZ_TENANT, .type = AZ_SUBSCRIPTIONS, .answer = list_subscriptions,
	 .doc = "Lists the subscriptions that the caller has access to."},
	{HTTP_GET, AZ_SUBSCRIPTION, .name = "Subscriptions_Get", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL, .type = AZ_SUBSCRIPTIONS, .answer = show_subscription,
	 .doc = "Gets one subscription."},
	{HTTP_GET, AZ_SUBSCRIPTION "/locations", .name = "Subscriptions_ListLocations",
	 .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_SUBSCRIPTIONS,
	 .answer = list_locations, .query = "includeExtendedLocations",
	 .doc = "Lists the locations; the region is the only one."},
	{HTTP_GET, "/tenants", .name = "Tenants_List", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL | AZ_TENANT, .type = AZ_TENANTS, .answer = list_tenants,
	 .doc = "Lists the tenants: the domain that the caller signed in to."},
};
const struct api_actions az_subscription_actions = API_ACTIONS(actions);
