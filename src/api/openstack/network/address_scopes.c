/* SPDX-License-Identifier: Apache-2.0
 * Address scopes. Source: Networking API reference, "Address scopes". */
#include "api/openstack/network/network.h"
#include "engine/network/address_scope.h"
#include "model/address_scope.h"

ATTRIBUTE_GETTER(address_scope, s, bool, is_shared, os_is_shared(e, &s->users))
ATTRIBUTE_GETTER(address_scope, s, int64_t, get_version, s->is_ipv6 ? 6 : 4)
static const struct attribute scope_rows[] = {
	OS_FIELD(address_scope, "id", row.id),
	OS_FIELD(address_scope, "name", name),
	ATTRIBUTE_AS(HEX, address_scope, "tenant_id", account, .filter = "tenant_id", .sort = "tenant_id"),
	ATTRIBUTE_AS(HEX, address_scope, "project_id", account, .filter = "project_id", .sort = "project_id"),
	OS_MADE(BOOL, truth, "shared", is_shared),
	OS_MADE(INT, number, "ip_version", get_version),
};
static const struct attributes scope_members = ATTRIBUTES(scope_rows);

/* Includes shared scopes of other projects; a scan suffices because there are few scopes. */
static const struct os_listing scopes = {
	.kind = KIND_ADDRESS_SCOPE,
	.items = "address_scopes",
	.links = "address_scopes_links",
	.flags = OS_ADMIN_SEES_ALL | OS_ALL_SEE_ALL,
	.attributes = &scope_members,
};

struct os_address_scope_target {
	struct address_scope_target wish;
};
#define SCOPE(T)                                                                                             \
	OS_PATH(T, "address_scope_id", wish.scope, .kind = KIND_ADDRESS_SCOPE, .doc = "The address scope.")
#define SHARED_DOC "Whether all projects may use the scope; for administrators. Sharing is not ended."
static const struct param target_params[] = {SCOPE(struct os_address_scope_target)};

struct os_create_address_scope {
	struct address_scope_wish wish;
	int64_t version;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_address_scope, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_address_scope, "ip_version", version, .flags = REQUIRED, .min = 4, .max = 6,
		.doc = "IP version of the scope's subnet pools: 4 or 6."),
	OS_BODY(struct os_create_address_scope, "shared", wish.is_shared, .doc = SHARED_DOC),
	OS_PROJECT(struct os_create_address_scope, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_address_scope *a = args;
	if (a->version == 5)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ip_version"),
				      "Invalid input for ip_version. Reason: '5' is not in [4, 6].");
	a->wish.is_ipv6 = a->version == 6;
	return OK;
}

struct os_update_address_scope {
	struct address_scope_settings wish;
};
static const struct param update_params[] = {
	SCOPE(struct os_update_address_scope),
	OS_BODY(struct os_update_address_scope, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_address_scope, "shared", wish.is_shared, .doc = SHARED_DOC),
};

#define SCOPES "/v2.0/address-scopes"
static const struct os_action actions[] = {
	{HTTP_GET, SCOPES, .permit = "get_address_scope", .list = &scopes, .doc = "Lists address scopes."},
	{HTTP_POST, SCOPES, .permit = "create_address_scope", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_address_scope, create_params), .wrap = "address_scope",
	 .item = "address_scope", .prepare = prepare_create, .operation = engine_create_address_scope_run,
	 OS_SHOWS(scopes, struct os_create_address_scope, wish.scope), .returns = KIND_ADDRESS_SCOPE,
	 .doc = "Creates an address scope."},
	{HTTP_GET, SCOPES "/{address_scope_id}", .permit = "get_address_scope",
	 .args = OS_PARAMS(struct os_address_scope_target, target_params), .item = "address_scope",
	 OS_SHOWS(scopes, struct os_address_scope_target, wish.scope), .doc = "Shows one address scope."},
	{HTTP_PUT, SCOPES "/{address_scope_id}", .permit = "update_address_scope", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_address_scope, update_params), .wrap = "address_scope",
	 .item = "address_scope", .operation = engine_update_address_scope_run,
	 OS_SHOWS(scopes, struct os_update_address_scope, wish.scope), .returns = KIND_ADDRESS_SCOPE,
	 .doc = "Changes an address scope."},
	{HTTP_DELETE, SCOPES "/{address_scope_id}", .permit = "delete_address_scope", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_address_scope_target, target_params),
	 .operation = engine_delete_address_scope_run,
	 .doc = "Deletes an address scope without subnet pools."},
};
const struct os_actions os_address_scope_actions = OS_ACTIONS(OS_NETWORK, actions);
