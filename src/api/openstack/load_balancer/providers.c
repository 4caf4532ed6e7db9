/* SPDX-License-Identifier: Apache-2.0
 * Providers, quotas, and empty lists: flavors, availability zones and amphorae. Source: Load Balancer API reference v2. */
#include "api/openstack/load_balancer/load_balancer.h"
#include "engine/limits.h"

/* ---- providers ---- */

static RESULT list_providers(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const providers[][2] = {
		{"dari", "HAProxy on a gateway machine of the region."},
		{"amphora", "Another name of the provider dari."},
		{"octavia", "Another name of the provider dari."},
	};
	(void) args;
	json_write_open_list(w, "providers");
	for (size_t k = 0; k < sizeof providers / sizeof providers[0]; k++) {
		json_write_open(w, NULL);
		if (os_shows_member(e, "name"))
			json_write_z(w, "name", providers[k][0]);
		if (os_shows_member(e, "description"))
			json_write_z(w, "description", providers[k][1]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- empty lists ---- */

#define EMPTY_LIST(function, items)                                                                          \
	static RESULT function(struct os_call *e, const void *args, struct json_writer *w)                   \
	{                                                                                                    \
		(void) e;                                                                                    \
		(void) args;                                                                                 \
		json_write_open_list(w, items);                                                              \
		json_write_close_list(w);                                                                    \
		return OK;                                                                                   \
	}
EMPTY_LIST(list_flavors, "flavors")
EMPTY_LIST(list_zones, "availability_zones")
EMPTY_LIST(list_amphorae, "amphorae")
EMPTY_LIST(list_quotas, "quotas")
#undef EMPTY_LIST

/* ---- quotas ---- */

struct os_lb_quota {
	struct ref project;
};
static const struct param quota_params[] = {
	OS_PATH(struct os_lb_quota, "project_id", project, .kind = KIND_ACCOUNT, .doc = "The project."),
};

/* Listeners and L7 policies are limited for each load balancer, members for each pool, and L7 rules for each policy. */
static void write_quota(struct json_writer *w)
{
	static const struct {
		const char *name, *old;
		int64_t limit;
	} quotas[] = {
		{"loadbalancer", "load_balancer", APPLICATION_LOAD_BALANCERS_MAX},
		{"listener", NULL, APPLICATION_LOAD_BALANCERS_MAX * LISTENERS_MAX},
		{"pool", NULL, TARGET_GROUPS_MAX},
		{"member", NULL, TARGET_GROUPS_MAX * TARGETS_MAX},
		{"healthmonitor", "health_monitor", TARGET_GROUPS_MAX},
		{"l7policy", NULL, APPLICATION_LOAD_BALANCERS_MAX * LISTENER_RULES_MAX},
		{"l7rule", NULL, APPLICATION_LOAD_BALANCERS_MAX * LISTENER_RULES_MAX * L7_RULES_MAX},
	};
	for (size_t k = 0; k < sizeof quotas / sizeof quotas[0]; k++) {
		json_write_int(w, quotas[k].name, quotas[k].limit);
		if (quotas[k].old)
			json_write_int(w, quotas[k].old, quotas[k].limit);
	}
}

static RESULT show_quota(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_ACCOUNT, &((const struct os_lb_quota *) args)->project, &row));
	write_quota(w);
	return OK;
}

static RESULT show_defaults(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	write_quota(w);
	return OK;
}

#define API "os_load-balancer_api:"
static const struct os_action actions[] = {
	{HTTP_GET, "/v2/lbaas/providers", .permit = API "provider:get_all", .args = OS_NO_PARAMS,
	 .answer = list_providers, .doc = "Lists the providers of load balancers."},
	{HTTP_GET, "/v2/lbaas/flavors", .permit = API "flavor:get_all", .args = OS_NO_PARAMS,
	 .answer = list_flavors, .doc = "There are no flavors."},
	{HTTP_GET, "/v2/lbaas/availabilityzones", .permit = API "availability-zone:get_all",
	 .args = OS_NO_PARAMS, .answer = list_zones, .doc = "Load balancers have no availability zones."},
	{HTTP_GET, "/v2/octavia/amphorae", .permit = API "amphora:get_all", .flags = OS_ADMIN,
	 .args = OS_NO_PARAMS, .answer = list_amphorae, .doc = "There are no amphorae."},
	{HTTP_GET, "/v2/lbaas/quotas", .permit = API "quota:get_all", .args = OS_NO_PARAMS,
	 .answer = list_quotas, .doc = "Lists quotas that differ from the defaults, which none do."},
	{HTTP_GET, "/v2/lbaas/quotas/defaults", .permit = API "quota:get_defaults", .args = OS_NO_PARAMS,
	 .item = "quota", .answer = show_defaults, .doc = "Limits of every project."},
	{HTTP_GET, "/v2/lbaas/quotas/{project_id}", .permit = API "quota:get_one",
	 .args = OS_PARAMS(struct os_lb_quota, quota_params), .item = "quota", .answer = show_quota,
	 .doc = "Limits of a project."},
};
const struct os_actions os_load_balancer_provider_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
