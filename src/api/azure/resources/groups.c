/* SPDX-License-Identifier: Apache-2.0
 * Resource groups. So far there is one, dari-default, which holds what other faces made. Source: Azure REST API reference,
 * "Resource Groups", 2021-04-01. */
#include "api/azure/core/action.h"

static void write_group(struct az_call *e, struct json_writer *w)
{
	struct str subscription = uuid_to_str(e->c->arena, e->c->who->account);
	json_write_text(w, "id",
			str_print(e->c->arena, "/subscriptions/%" STR_FMT "/resourceGroups/" AZ_DEFAULT_GROUP,
				  STR_ARG(subscription)));
	json_write_z(w, "name", AZ_DEFAULT_GROUP);
	json_write_z(w, "type", "Microsoft.Resources/resourceGroups");
	json_write_text(w, "location", az_location(e));
	json_write_open(w, "tags");
	json_write_close(w);
	json_write_open(w, "properties");
	json_write_z(w, "provisioningState", "Succeeded");
	json_write_close(w);
}

static RESULT list_groups(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "value");
	json_write_open(w, NULL);
	write_group(e, w);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

static RESULT show_group(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	TRY(az_check_group(e));
	write_group(e, w);
	return OK;
}

static RESULT check_group(struct az_call *e, void *args)
{
	(void) args;
	e->status = 204;
	return az_check_group(e);
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION "/resourceGroups", .name = "ResourceGroups_List",
	 .permit = "ec2:DescribeRegions", .flags = API_FOR_ALL, .type = AZ_GROUPS, .answer = list_groups,
	 .doc = "Resource groups."},
	{HTTP_GET, AZ_GROUP, .name = "ResourceGroups_Get", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL, .type = AZ_GROUPS, .answer = show_group, .doc = "One resource group."},
	{HTTP_HEAD, AZ_GROUP, .name = "ResourceGroups_CheckExistence", .permit = "ec2:DescribeRegions",
	 .flags = API_FOR_ALL, .type = AZ_GROUPS, .prepare = check_group,
	 .doc = "Whether there is such a resource group."},
};
const struct api_actions az_resource_group_actions = API_ACTIONS(actions);
