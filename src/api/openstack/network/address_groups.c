/* SPDX-License-Identifier: Apache-2.0
 * Address groups. Source: Networking API reference, "Address groups". */
#include "api/openstack/network/network.h"
#include "engine/network/filter/address_group.h"
#include "model/address_group.h"

ATTRIBUTE_GETTER(address_group, g, struct strs, list_addresses, os_list_cidrs(e->c->arena, g->addresses))
static const struct attribute group_rows[] = {
	ATTRIBUTE(address_group, "id", row.id, .filter = "id"),
	OS_FIELD(address_group, "name", name),
	OS_FIELD(address_group, "description", description),
	ATTRIBUTE_AS(HEX, address_group, "project_id", account, .filter = "project_id", .sort = "project_id"),
	ATTRIBUTE_AS(HEX, address_group, "tenant_id", account, .filter = "tenant_id", .sort = "tenant_id"),
	ATTRIBUTE_MADE(TEXTS, texts, "addresses", list_addresses),
};
static const struct attributes group_members = ATTRIBUTES(group_rows);

static const struct os_listing groups = {
	.kind = KIND_ADDRESS_GROUP,
	.items = "address_groups",
	.links = "address_groups_links",
	.flags = OS_ADMIN_SEES_ALL | OS_ALL_SEE_ALL,
	.attributes = &group_members,
};

/* ---- show, delete ---- */

#define GROUP_PATH(T, member)                                                                                \
	OS_PATH(T, "address_group_id", member, .kind = KIND_ADDRESS_GROUP, .doc = "The address group.")

struct os_address_group_target {
	struct address_group_target wish;
};
static const struct param target_params[] = {GROUP_PATH(struct os_address_group_target, wish.group)};

/* ---- create, change ---- */

/* As in Neutron, a new group requires prefix lengths (neutron_lib.api.validators, validate_subnet()), and an
 * address without one is a single host where addresses are added and removed (takes_hosts). */
static RESULT read_addresses(struct os_call *e, struct strs texts, bool takes_hosts,
			     struct cidrs *ret_addresses)
{
	struct cidr *at = arena_new_array(e->c->arena, struct cidr, texts.count + 1);
	struct ip ip;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < texts.count; k++) {
		if (takes_hosts && result_is_ok(ip_parse(texts.at[k], &ip)))
			at[k] = (struct cidr){ip, ip.family == IP_V4 ? 32 : 128};
		else if (!result_is_ok(cidr_parse(texts.at[k], &at[k])))
			return ctx_fail_field(e->c, ERR_INVALID, STR("addresses"),
					      "Invalid input for addresses. Reason: '%" STR_FMT
					      "' is not a valid IP subnet",
					      STR_ARG(texts.at[k]));
	}
	*ret_addresses = (struct cidrs){at, texts.count};
	return OK;
}

struct os_create_address_group {
	struct address_group_wish wish;
	struct strs addresses;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_address_group, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_address_group, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_create_address_group, "addresses", addresses, .flags = NULLABLE,
		.doc = "Address blocks."),
	OS_PROJECT(struct os_create_address_group, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_address_group *a = args;
	return read_addresses(e, a->addresses, false, &a->wish.addresses);
}

struct os_update_address_group {
	struct address_group_settings wish;
};
static const struct param update_params[] = {
	GROUP_PATH(struct os_update_address_group, wish.group),
	OS_BODY(struct os_update_address_group, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_address_group, "description", wish.description,
		.doc = "Description: free text."),
};

/* ---- its addresses ---- */

struct os_change_addresses {
	struct address_group_change wish;
	struct strs addresses;
};
static const struct param change_params[] = {
	GROUP_PATH(struct os_change_addresses, wish.group),
	OS_BODY(struct os_change_addresses, "addresses", addresses, .flags = REQUIRED,
		.doc = "Address blocks."),
};

static RESULT prepare_add(struct os_call *e, void *args)
{
	struct os_change_addresses *a = args;
	return read_addresses(e, a->addresses, true, &a->wish.addresses);
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	((struct os_change_addresses *) args)->wish.removes = true;
	return prepare_add(e, args);
}

#define GROUPS "/v2.0/address-groups"
#define TARGET OS_PARAMS(struct os_address_group_target, target_params)
#define CHANGE                                                                                               \
	.permit = "update_address_group", .flags = API_WRITES,                                               \
	.args = OS_PARAMS(struct os_change_addresses, change_params), .item = "address_group",               \
	.operation = engine_change_address_group_run,                                                        \
	OS_SHOWS(groups, struct os_change_addresses, wish.group), .returns = KIND_ADDRESS_GROUP
static const struct os_action actions[] = {
	{HTTP_GET, GROUPS, .permit = "get_address_group", .list = &groups, .doc = "Lists address groups."},
	{HTTP_POST, GROUPS, .permit = "create_address_group", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_address_group, create_params), .wrap = "address_group",
	 .item = "address_group", .prepare = prepare_create, .operation = engine_create_address_group_run,
	 OS_SHOWS(groups, struct os_create_address_group, wish.group), .returns = KIND_ADDRESS_GROUP,
	 .doc = "Creates an address group."},
	{HTTP_GET, GROUPS "/{address_group_id}", .permit = "get_address_group", .args = TARGET,
	 .item = "address_group", OS_SHOWS(groups, struct os_address_group_target, wish.group),
	 .doc = "Shows one address group."},
	{HTTP_PUT, GROUPS "/{address_group_id}", .permit = "update_address_group", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_address_group, update_params), .wrap = "address_group",
	 .item = "address_group", .operation = engine_update_address_group_run,
	 OS_SHOWS(groups, struct os_update_address_group, wish.group), .returns = KIND_ADDRESS_GROUP,
	 .doc = "Changes the name and description of an address group."},
	{HTTP_PUT, GROUPS "/{address_group_id}/add_addresses", CHANGE, .prepare = prepare_add,
	 .doc = "Adds addresses to an address group."},
	{HTTP_PUT, GROUPS "/{address_group_id}/remove_addresses", CHANGE, .prepare = prepare_remove,
	 .doc = "Removes addresses from an address group."},
	{HTTP_DELETE, GROUPS "/{address_group_id}", .permit = "delete_address_group", .flags = API_WRITES,
	 .status = 204, .args = TARGET, .operation = engine_delete_address_group_run,
	 .doc = "Deletes an address group that no rule references."},
};
const struct os_actions os_address_group_actions = OS_ACTIONS(OS_NETWORK, actions);
