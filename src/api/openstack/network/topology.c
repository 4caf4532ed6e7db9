/* SPDX-License-Identifier: Apache-2.0
 * Automatically allocated networks for projects that ask for any network. GET creates the topology, as in
 * Neutron. */
#include "api/openstack/network/network.h"
#include "engine/network/auto_topology.h"

enum { FIELDS_MAX = 16 };

struct os_topology {
	struct auto_topology wish;
	struct str project;
	struct strs fields;
};
#define PROJECT OS_PATH(struct os_topology, "project_id", project, .doc = "Project; None: the caller's.")
static const struct param get_params[] = {
	PROJECT,
	OS_QUERY(struct os_topology, "fields", fields, .max = FIELDS_MAX,
		 .doc = "dry-run: checks the requirements only."),
};
static const struct param delete_params[] = {PROJECT};
#undef PROJECT

static void take_project(struct os_topology *a)
{
	if (str_is(a->project, "None"))
		return;
	if (!os_parse_id(a->project, KIND_ACCOUNT, &a->wish.account)) /* a project that does not exist */
		a->wish.account = (struct ref){.kind = KIND_ACCOUNT, .text = a->project};
	a->wish.account.field = STR("project_id");
}

static RESULT prepare_get(struct os_call *e, void *args)
{
	struct os_topology *a = args;
	take_project(a);
	for (size_t k = 0; k < a->fields.count; k++)
		a->wish.only_checks |= str_is(a->fields.at[k], "dry-run");
	if (a->fields.count && !a->wish.only_checks)
		return ctx_fail_field(e->c, ERR_INVALID, STR("fields"),
				      "Bad auto_allocate request: Unrecognized field.");
	return OK;
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	(void) e;
	take_project(args);
	return OK;
}

static RESULT show(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct auto_topology *wish = &((const struct os_topology *) args)->wish;
	(void) e;
	if (wish->only_checks)
		json_write_z(w, "id", "dry-run=pass");
	else
		os_write_id(w, "id", wish->network);
	os_write_hex(w, "project_id", wish->account_id);
	os_write_hex(w, "tenant_id", wish->account_id);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/auto-allocated-topology/{project_id}", .permit = "get_auto_allocated_topology",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_topology, get_params),
	 .item = "auto_allocated_topology", .prepare = prepare_get, .operation = engine_get_auto_topology_run,
	 .answer = show, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Shows the project's auto-allocated network; creates it with its router on first use."},
	{HTTP_DELETE, "/v2.0/auto-allocated-topology/{project_id}",
	 .permit = "delete_auto_allocated_topology", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_topology, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_auto_topology_run,
	 .doc = "Deletes the auto-allocated network and its router."},
};
const struct os_actions os_network_topology_actions = OS_ACTIONS(OS_NETWORK, actions);
