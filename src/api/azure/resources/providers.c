/* SPDX-License-Identifier: Apache-2.0
 * Resource providers with their resource types and API versions, from the table that requests are checked against.
 * All providers are registered. Source: Azure REST API reference, "Providers", 2021-04-01. */
#include "api/azure/core/action.h"

static void write_type(struct az_call *e, struct json_writer *w, const struct az_type *type)
{
	struct str rest = str_from(type->versions), all[16], version;
	size_t count = 0;
	while (count < sizeof all / sizeof all[0] && str_split_next(&rest, '|', &version))
		all[count++] = version;
	json_write_open(w, NULL);
	json_write_z(w, "resourceType", type->name);
	json_write_open_list(w, "locations");
	if (!type->is_global)
		json_write_text(w, NULL, e->config->region);
	json_write_close_list(w);
	json_write_open_list(w, "apiVersions"); /* az uses the first version that is not a preview */
	while (count)
		json_write_text(w, NULL, all[--count]);
	json_write_close_list(w);
	json_write_z(w, "capabilities", type->is_global ? "None" : "SupportsTags, SupportsLocation");
	json_write_close(w);
}

static void write_provider(struct az_call *e, struct json_writer *w, const char *space)
{
	struct str subscription = uuid_to_str(e->c->arena, e->c->who->account);
	json_write_text(w, "id",
			str_print(e->c->arena, "/subscriptions/%" STR_FMT "/providers/%s",
				  STR_ARG(subscription), space));
	json_write_z(w, "namespace", space);
	json_write_open_list(w, "resourceTypes");
	for (size_t k = 0; k < AZ_BUILT_TYPE_COUNT; k++)
		if (strcmp(az_types[k].space, space) == 0)
			write_type(e, w, &az_types[k]);
	json_write_close_list(w);
	json_write_z(w, "registrationState", "Registered");
	json_write_z(w, "registrationPolicy", "RegistrationFree");
}

/* True for the first type of a namespace: the table is grouped by namespace. */
static bool begins_space(size_t k)
{
	return az_types[k].space[0] && strcmp(az_types[k].space, az_types[k - 1].space) != 0;
}

static RESULT list_providers(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "value");
	for (size_t k = 1; k < AZ_BUILT_TYPE_COUNT; k++) {
		if (!begins_space(k))
			continue;
		json_write_open(w, NULL);
		write_provider(e, w, az_types[k].space);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT show_provider(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str space = az_path_value(e, "resourceProviderNamespace");
	(void) args;
	for (size_t k = 1; k < AZ_BUILT_TYPE_COUNT; k++)
		if (begins_space(k) && str_equal_nocase(space, str_from(az_types[k].space))) {
			write_provider(e, w, az_types[k].space);
			return OK;
		}
	return az_fail_path(e);
}

static RESULT list_types(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str space = az_path_value(e, "resourceProviderNamespace");
	bool is_known = false;
	(void) args;
	json_write_open_list(w, "value");
	for (size_t k = 1; k < AZ_BUILT_TYPE_COUNT; k++)
		if (str_equal_nocase(space, str_from(az_types[k].space))) {
			write_type(e, w, &az_types[k]);
			is_known = true;
		}
	json_write_close_list(w);
	return is_known ? OK : az_fail_path(e);
}

#define PROVIDER AZ_SUBSCRIPTION "/providers/{resourceProviderNamespace}"
/* Members that clients ask for, and that this region's types have none of. */
#define EXPANDS "$expand=metadata,resourceTypes/aliases"

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION "/providers", .name = "Providers_List", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL, .type = AZ_PROVIDERS, .answer = list_providers, .query = EXPANDS,
	 .doc = "Lists resource providers, with their resource types and API versions."},
	{HTTP_GET, PROVIDER, .name = "Providers_Get", .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL,
	 .type = AZ_PROVIDERS, .answer = show_provider, .query = EXPANDS,
	 .doc = "Gets one resource provider."},
	{HTTP_GET, PROVIDER "/resourceTypes", .name = "ProviderResourceTypes_List",
	 .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_PROVIDERS, .answer = list_types,
	 .doc = "Lists the resource types of a provider."},
	{HTTP_POST, PROVIDER "/register", .name = "Providers_Register", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL, .type = AZ_PROVIDERS, .answer = show_provider,
	 .doc = "Accepted; each provider is always registered."},
	{HTTP_POST, PROVIDER "/unregister", .name = "Providers_Unregister", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL, .type = AZ_PROVIDERS, .answer = show_provider,
	 .doc = "Accepted; each provider stays registered."},
};
const struct api_actions az_provider_actions = API_ACTIONS(actions);
