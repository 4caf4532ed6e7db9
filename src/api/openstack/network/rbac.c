/* SPDX-License-Identifier: Apache-2.0
 * RBAC policies: grants of networks, QoS policies, address scopes, subnet pools and address groups to other projects
 * (access_as_shared), and of networks as external ones (access_as_external). Grants of other resources are refused with a
 * message: those cannot be shared. */
#include "api/openstack/network/network.h"
#include "engine/network/network_grant.h"
#include "model/network_grant.h"

/* Types of objects by Neutron's names. */
static const struct object_type {
	const char *name;
	enum kind kind;
} object_types[] = {
	{"network", KIND_NETWORK},
	{"qos_policy", KIND_QOS_POLICY},
	{"address_scope", KIND_ADDRESS_SCOPE},
	{"subnetpool", KIND_SUBNET_POOL},
	{"address_group", KIND_ADDRESS_GROUP},
};
enum { OBJECT_TYPES = sizeof object_types / sizeof object_types[0] };

static const char *name_type(const struct network_grant *grant)
{
	uuid object;
	enum kind kind = engine_get_granted(grant, &object);
	size_t k = 0;
	while (k < OBJECT_TYPES && object_types[k].kind != kind)
		k++;
	return k < OBJECT_TYPES ? object_types[k].name : NULL;
}

static uuid find_object(const struct network_grant *grant)
{
	uuid object;
	(void) engine_get_granted(grant, &object);
	return object;
}

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(network_grant, g, returned, function, expression)
GETTER(const char *, get_type, name_type(g))
GETTER(uuid, get_object, find_object(g))
GETTER(const char *, get_action, g->is_external ? "access_as_external" : "access_as_shared")
GETTER(struct str, get_target, uuid_is_none(g->target) ? STR("*") : os_hex(e->c->arena, g->target))
#undef GETTER

#define PATH(ID)                                                                                             \
	{                                                                                                    \
		KIND_NETWORK_GRANT, NETWORK_GRANT_INDEX_##ID                                                 \
	}
static const struct access_path object_paths[ACCESS_PATHS_MAX] = {
	PATH(NETWORK), PATH(QOS_POLICY), PATH(ADDRESS_SCOPE), PATH(SUBNET_POOL), PATH(ADDRESS_GROUP)};
#undef PATH

/* Source: the attribute map of Neutron's RBAC extension, which marks filters and no sort keys. */
static const struct attribute policy_rows[] = {
	ATTRIBUTE(network_grant, "id", row.id, .filter = "id"),
	ATTRIBUTE_MADE(WORD, word, "object_type", get_type, .filter = "object_type"),
	ATTRIBUTE_MADE(ID, id, "object_id", get_object, .filter = "object_id", .paths = object_paths),
	ATTRIBUTE_MADE(WORD, word, "action", get_action, .filter = "action"),
	ATTRIBUTE_MADE(TEXT, text, "target_tenant", get_target, .filter = "target_tenant"),
	ATTRIBUTE_AS(HEX, network_grant, "tenant_id", account, .filter = "tenant_id"),
	ATTRIBUTE_AS(HEX, network_grant, "project_id", account, .filter = "project_id"),
};
static const struct attributes policy_members = ATTRIBUTES(policy_rows);

static const struct os_listing policies = {
	.kind = KIND_NETWORK_GRANT,
	.items = "rbac_policies",
	.links = "rbac_policies_links",
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &policy_members,
};

/* ---- show, delete ---- */

struct os_rbac_target {
	struct network_grant_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_rbac_target, "rbac_id", wish.grant, .kind = KIND_NETWORK_GRANT,
		.doc = "The RBAC policy."),
};

/* ---- create, change ---- */

/* "*" means all projects. */
static RESULT read_target(struct os_call *e, struct str text, struct ref *ret_ref)
{
	*ret_ref = (struct ref){.text = text, .field = STR("target_tenant")};
	if (str_is(text, "*") || os_parse_id(text, KIND_ACCOUNT, ret_ref)) {
		ret_ref->field = STR("target_tenant");
		return OK;
	}
	return engine_fail_not_found(e->c, KIND_ACCOUNT, ret_ref);
}

struct os_create_rbac {
	struct network_grant_wish wish;
	struct str type, action, target;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_rbac, "object_type", type, .flags = REQUIRED,
		.doc = "Type of the object: network, qos_policy, address_scope, subnetpool or "
		       "address_group."),
	OS_BODY(struct os_create_rbac, "object_id", wish.network, .flags = REQUIRED, .kind = KIND_NETWORK,
		.doc = "The object."),
	OS_BODY(struct os_create_rbac, "action", action, .flags = REQUIRED,
		.doc = "Action: access_as_shared, or of a network access_as_external."),
	OS_BODY(struct os_create_rbac, "target_tenant", target, .flags = REQUIRED,
		.doc = "Target project, or * for all projects."),
	OS_PROJECT(struct os_create_rbac, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_rbac *a = args;
	size_t k = 0;
	while (k < OBJECT_TYPES && !str_is(a->type, object_types[k].name))
		k++;
	if (k == OBJECT_TYPES)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("object_type"),
				      "Invalid input for operation: '%" STR_FMT
				      "' is not a valid RBAC object type.",
				      STR_ARG(a->type));
	bool is_network = object_types[k].kind == KIND_NETWORK;
	a->wish.network.kind = object_types[k].kind;
	a->wish.is_external = is_network && str_is(a->action, "access_as_external");
	if (!a->wish.is_external && !str_is(a->action, "access_as_shared"))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("action"),
			"Invalid action '%" STR_FMT "' for object type '%s'. Valid actions: %s.",
			STR_ARG(a->action), object_types[k].name,
			is_network ? "access_as_external, access_as_shared" : "access_as_shared");
	return read_target(e, a->target, &a->wish.target);
}

struct os_update_rbac {
	struct network_grant_settings wish;
	struct str target;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_rbac, "rbac_id", wish.grant, .kind = KIND_NETWORK_GRANT,
		.doc = "The RBAC policy."),
	OS_BODY(struct os_update_rbac, "target_tenant", target, .flags = REQUIRED,
		.doc = "Target project, or * for all projects."),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_rbac *a = args;
	return read_target(e, a->target, &a->wish.target);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/rbac-policies", .permit = "get_rbac_policy", .list = &policies,
	 .doc = "Lists RBAC policies."},
	{HTTP_POST, "/v2.0/rbac-policies", .permit = "create_rbac_policy", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_rbac, create_params), .wrap = "rbac_policy",
	 .item = "rbac_policy", .prepare = prepare_create, .operation = engine_grant_network_run,
	 OS_SHOWS(policies, struct os_create_rbac, wish.grant), .returns = KIND_NETWORK_GRANT,
	 .doc = "Allows another project, or all projects, to use a network or another object."},
	{HTTP_GET, "/v2.0/rbac-policies/{rbac_id}", .permit = "get_rbac_policy",
	 .args = OS_PARAMS(struct os_rbac_target, target_params), .item = "rbac_policy",
	 OS_SHOWS(policies, struct os_rbac_target, wish.grant), .doc = "Shows one RBAC policy."},
	{HTTP_PUT, "/v2.0/rbac-policies/{rbac_id}", .permit = "update_rbac_policy", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_rbac, update_params), .wrap = "rbac_policy",
	 .item = "rbac_policy", .prepare = prepare_update, .operation = engine_change_network_grant_run,
	 OS_SHOWS(policies, struct os_update_rbac, wish.grant), .returns = KIND_NETWORK_GRANT,
	 .doc = "Changes the target of an RBAC policy."},
	{HTTP_DELETE, "/v2.0/rbac-policies/{rbac_id}", .permit = "delete_rbac_policy", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_rbac_target, target_params),
	 .operation = engine_revoke_network_run,
	 .doc = "Deletes an RBAC policy. Fails while resources of other projects depend on it."},
};
const struct os_actions os_network_rbac_actions = OS_ACTIONS(OS_NETWORK, actions);
