/* SPDX-License-Identifier: Apache-2.0
 * Endpoint groups of VPN. Source: Networking API reference, "VPNaaS", and neutron_lib.api.definitions.vpn_endpoint_groups. */
#include "api/openstack/network/network.h"
#include "engine/vpn/vpnaas.h"

static struct strs list_endpoints(struct api_call *e, const struct row *row)
{
	const struct vpn_endpoint_group *g = vpn_endpoint_group_of(row);
	if (g->type == VPN_ENDPOINT_GROUP_TYPE_CIDR)
		return os_list_cidrs(e->c->arena, g->blocks);
	if (g->type != VPN_ENDPOINT_GROUP_TYPE_SUBNET)
		return g->others;
	struct str *at = arena_new_array(e->c->arena, struct str, g->subnets.count + 1);
	for (size_t k = 0; at && k < g->subnets.count; k++)
		at[k] = uuid_to_str(e->c->arena, g->subnets.at[k]);
	return (struct strs){at, at ? g->subnets.count : 0};
}

static const struct attribute group_rows[] = {
	OS_FIELD(vpn_endpoint_group, "id", row.id),
	ATTRIBUTE_AS(HEX, vpn_endpoint_group, "tenant_id", account, .filter = "tenant_id",
		     .sort = "tenant_id"),
	ATTRIBUTE_AS(HEX, vpn_endpoint_group, "project_id", account, .filter = "project_id",
		     .sort = "project_id"),
	OS_FIELD(vpn_endpoint_group, "name", name),
	OS_FILTERED(vpn_endpoint_group, "description", description),
	ATTRIBUTE_AS(ENUM, vpn_endpoint_group, "type", type, .words = vpn_endpoint_group_type_words,
		     .filter = "type"),
	ATTRIBUTE_MADE(TEXTS, texts, "endpoints", list_endpoints),
};
static const struct attributes group_members = ATTRIBUTES(group_rows);

static const struct os_listing groups = {
	.kind = KIND_VPN_ENDPOINT_GROUP,
	.items = "endpoint_groups",
	.links = "endpoint_groups_links",
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &group_members,
};

struct os_vpn_group_target {
	struct vpn_endpoint_group_target wish;
};
#define GROUP_PATH(T)                                                                                        \
	OS_PATH(T, "endpoint_group_id", wish.group, .kind = KIND_VPN_ENDPOINT_GROUP,                         \
		.doc = "The endpoint group.")
static const struct param target_params[] = {GROUP_PATH(struct os_vpn_group_target)};

struct os_create_vpn_group {
	struct vpn_endpoint_group_wish wish;
	struct str type;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_vpn_group, "type", type, .flags = REQUIRED,
		.words = "cidr|network|router|subnet|vlan",
		.doc = "Kind of the endpoints. Connections use cidr and subnet."),
	OS_BODY(struct os_create_vpn_group, "endpoints", wish.endpoints, .flags = ONE_OR_LIST, .max = 64,
		.doc = "Blocks, or ids of subnets."),
	OS_BODY(struct os_create_vpn_group, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_vpn_group, "description", wish.description,
		.doc = "Description: free text."),
	OS_PROJECT(struct os_create_vpn_group, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_vpn_group *a = args;
	int k = 0;
	if (a->wish.endpoints.count > VPN_ENDPOINTS_MAX)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("endpoints"),
			"Invalid input for endpoints. Reason: a group has at most %d endpoints.",
			VPN_ENDPOINTS_MAX);
	while (k < VPN_ENDPOINT_GROUP_TYPE_VLAN && !str_is(a->type, vpn_endpoint_group_type_words[k]))
		k++;
	a->wish.type = (enum vpn_endpoint_group_type) k;
	return OK;
}

struct os_update_vpn_group {
	struct vpn_endpoint_group_settings wish;
};
static const struct param update_params[] = {
	GROUP_PATH(struct os_update_vpn_group),
	OS_BODY(struct os_update_vpn_group, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_vpn_group, "description", wish.description,
		.doc = "Description: free text."),
};

#define GROUPS "/v2.0/vpn/endpoint-groups"
#define TARGET OS_PARAMS(struct os_vpn_group_target, target_params)
static const struct os_action actions[] = {
	{HTTP_GET, GROUPS, .permit = "get_endpoint_group", .list = &groups,
	 .doc = "Lists endpoint groups of VPN."},
	{HTTP_POST, GROUPS, .permit = "create_endpoint_group", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_vpn_group, create_params), .wrap = "endpoint_group",
	 .item = "endpoint_group", .prepare = prepare_create,
	 .operation = engine_create_vpn_endpoint_group_run,
	 OS_SHOWS(groups, struct os_create_vpn_group, wish.group), .returns = KIND_VPN_ENDPOINT_GROUP,
	 .doc = "Creates an endpoint group."},
	{HTTP_GET, GROUPS "/{endpoint_group_id}", .permit = "get_endpoint_group", .args = TARGET,
	 .item = "endpoint_group", OS_SHOWS(groups, struct os_vpn_group_target, wish.group),
	 .doc = "Shows one endpoint group."},
	{HTTP_PUT, GROUPS "/{endpoint_group_id}", .permit = "update_endpoint_group", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_vpn_group, update_params), .wrap = "endpoint_group",
	 .item = "endpoint_group", .operation = engine_update_vpn_endpoint_group_run,
	 OS_SHOWS(groups, struct os_update_vpn_group, wish.group), .returns = KIND_VPN_ENDPOINT_GROUP,
	 .doc = "Changes the name and description of an endpoint group."},
	{HTTP_DELETE, GROUPS "/{endpoint_group_id}", .permit = "delete_endpoint_group", .flags = API_WRITES,
	 .status = 204, .args = TARGET, .operation = engine_delete_vpn_endpoint_group_run,
	 .doc = "Deletes an endpoint group that no connection names."},
};
const struct os_actions os_vpn_endpoint_group_actions = OS_ACTIONS(OS_NETWORK, actions);
