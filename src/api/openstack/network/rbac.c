/* SPDX-License-Identifier: Apache-2.0
 * RBAC policies: grants of networks to other projects, for ports (access_as_shared) or as external networks
 * (access_as_external). Grants of other resources are refused with a message: those cannot be shared. */
#include "api/openstack/network/network.h"
#include "engine/network/network_grant.h"
#include "model/network_grant.h"

static const char *action_of(const struct network_grant *g)
{
	return g->is_external ? "access_as_external" : "access_as_shared";
}

static void write_policy(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct network_grant *g = item;
	(void) e;
	os_write_id(w, "id", g->row.id);
	json_write_z(w, "object_type", "network");
	os_write_id(w, "object_id", g->network);
	json_write_z(w, "action", action_of(g));
	if (uuid_is_none(g->target))
		json_write_z(w, "target_tenant", "*");
	else
		os_write_hex(w, "target_tenant", g->target);
	os_write_hex(w, "tenant_id", g->account);
	os_write_hex(w, "project_id", g->account);
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_is(value, "network");
}

static bool fits_action(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_is(value, action_of(network_grant_of(row)));
}

static bool fits_target(struct os_call *e, const struct row *row, struct str value)
{
	uuid target = network_grant_of(row)->target;
	struct ref ref;
	(void) e;
	if (uuid_is_none(target))
		return str_is(value, "*");
	return os_parse_id(value, KIND_ACCOUNT, &ref) && uuid_equal(ref.prefix, target);
}

static const struct os_filter filters[] = {
	{"id", .is_id = true},
	{"project_id", "account"},
	{"tenant_id", "account"},
	{"object_id", "network"},
	{"object_type", .fits = fits_type},
	{"action", .fits = fits_action},
	{"target_tenant", .fits = fits_target},
};
static const struct os_sort_key sort_keys[] = {{"object_id", "network"}, {"target_tenant", "target"}};
static const struct os_listing policies = {
	.kind = KIND_NETWORK_GRANT,
	.items = "rbac_policies",
	.links = "rbac_policies_links",
	.filters = OS_FILTERS(filters),
	.sort_keys = {sort_keys, sizeof sort_keys / sizeof sort_keys[0]},
	.flags = OS_ADMIN_SEES_ALL,
	.write = write_policy,
};

/* ---- show, delete ---- */

struct os_rbac_target {
	struct network_grant_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_rbac_target, "rbac_id", wish.grant, .kind = KIND_NETWORK_GRANT,
		.doc = "The policy."),
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
	OS_BODY(struct os_create_rbac, "object_type", type, .flags = REQUIRED, .doc = "network."),
	OS_BODY(struct os_create_rbac, "object_id", wish.network, .flags = REQUIRED, .kind = KIND_NETWORK,
		.doc = "The network."),
	OS_BODY(struct os_create_rbac, "action", action, .flags = REQUIRED,
		.doc = "access_as_shared, or access_as_external."),
	OS_BODY(struct os_create_rbac, "target_tenant", target, .flags = REQUIRED,
		.doc = "A project, or * for all."),
	OS_PROJECT(struct os_create_rbac, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_rbac *a = args;
	if (!str_is(a->type, "network"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("object_type"),
				      "Invalid input for object_type. Reason: only networks are shared.");
	a->wish.is_external = str_is(a->action, "access_as_external");
	if (!a->wish.is_external && !str_is(a->action, "access_as_shared"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("action"),
				      "Invalid action '%" STR_FMT "' for object type 'network'. Valid "
				      "actions: access_as_external, access_as_shared.",
				      STR_ARG(a->action));
	return read_target(e, a->target, &a->wish.target);
}

struct os_update_rbac {
	struct network_grant_settings wish;
	struct str target;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_rbac, "rbac_id", wish.grant, .kind = KIND_NETWORK_GRANT,
		.doc = "The policy."),
	OS_BODY(struct os_update_rbac, "target_tenant", target, .flags = REQUIRED,
		.doc = "A project, or * for all."),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_rbac *a = args;
	return read_target(e, a->target, &a->wish.target);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/rbac-policies", .permit = "get_rbac_policy", .list = &policies,
	 .doc = "Who may use which networks."},
	{HTTP_POST, "/v2.0/rbac-policies", .permit = "create_rbac_policy", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_rbac, create_params), .wrap = "rbac_policy",
	 .item = "rbac_policy", .prepare = prepare_create, .operation = engine_grant_network_run,
	 OS_SHOWS(policies, struct os_create_rbac, wish.grant), .returns = KIND_NETWORK_GRANT,
	 .doc = "Lets another project, or all, use a network."},
	{HTTP_GET, "/v2.0/rbac-policies/{rbac_id}", .permit = "get_rbac_policy",
	 .args = OS_PARAMS(struct os_rbac_target, target_params), .item = "rbac_policy",
	 OS_SHOWS(policies, struct os_rbac_target, wish.grant), .doc = "One policy."},
	{HTTP_PUT, "/v2.0/rbac-policies/{rbac_id}", .permit = "update_rbac_policy", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_rbac, update_params), .wrap = "rbac_policy",
	 .item = "rbac_policy", .prepare = prepare_update, .operation = engine_change_network_grant_run,
	 OS_SHOWS(policies, struct os_update_rbac, wish.grant), .returns = KIND_NETWORK_GRANT,
	 .doc = "Another target."},
	{HTTP_DELETE, "/v2.0/rbac-policies/{rbac_id}", .permit = "delete_rbac_policy", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_rbac_target, target_params),
	 .operation = engine_revoke_network_run,
	 .doc = "Takes it back, unless ports or routers stand on it."},
};
const struct os_actions os_network_rbac_actions = OS_ACTIONS(OS_NETWORK, actions);
