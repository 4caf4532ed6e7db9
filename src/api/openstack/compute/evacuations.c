/* SPDX-License-Identifier: Apache-2.0
 * Evacuation: restarts a server elsewhere after its host was powered off. Nova trusts a host's silence or
 * force-down; this implementation requires proof (engine/region/fence.h), and otherwise reports the service
 * as still in use. Messages are Nova's. Source: Compute API reference, "Servers - run an administrative
 * action" (evacuate). */
#include "api/core/guest_password.h"
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/region/fence.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/host.h"

struct os_evacuate {
	struct instance_evacuation wish;
	struct str password;
	bool is_shared, is_password_said;
};
#define P(name, member, ...) OS_BODY(struct os_evacuate, name, member, __VA_ARGS__)
static const struct param evacuate_params[] = {
	OS_SERVER(struct os_evacuate, wish.instance),
	P("host", wish.host, .kind = KIND_HOST, .flags = BY_NAME, .min = 1, .max = 255,
	  .doc = "Target host; absent: any host with room."),
	P("onSharedStorage", is_shared, .flags = REQUIRED, .until = 13,
	  .doc = "Accepted and ignored; Dari knows where the disks are. A root disk on the lost host is "
		 "recreated."),
	P("adminPass", password, .min = 1, .max = OS_PASSWORD_MAX,
	  .given = offsetof(struct os_evacuate, is_password_said) + 1,
	  .doc = "Administrator password for a recreated root disk, passed by the config drive; absent: a "
		 "generated one."),
	P("force", wish.forces, .since = 29, .until = 67,
	  .doc = "Ignores groups, hints and aggregates on the named host. Its capacity still counts."),
};
#undef P

/* Checks what Nova refuses before it looks at the server. */
static RESULT check_words(struct os_call *e, const struct os_evacuate *a)
{
	const struct str host = a->wish.host.text;
	if (a->wish.forces && !ref_is_given(&a->wish.host))
		return ctx_fail_field(e->c, ERR_INVALID, STR("force"),
				      "Can't force to a non-provided destination");
	if (a->is_shared && a->is_password_said)
		return ctx_fail_field(e->c, ERR_INVALID, STR("adminPass"),
				      "admin password can't be changed on existing disk");
	if (ref_is_given(&a->wish.host) && !host_find_by_name(os_tables(e), host))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_HOST, "Compute host %" STR_FMT " not found.",
				     STR_ARG(host));
	return OK;
}

static RESULT check_state(struct os_call *e, const struct ref *server, const struct instance *i)
{
	struct str state = os_server_vm_state(os_tables(e), i);
	TRY(os_check_stays(e, server, i));
	if (str_is(state, "active") || str_is(state, "stopped") || str_is(state, "error"))
		return OK;
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot 'evacuate' instance %" STR_FMT " while it is in vm_state %" STR_FMT,
			     STR_ARG(server->text), STR_ARG(state));
}

static RESULT check_host(struct os_call *e, const struct instance_evacuation *wish, const struct instance *i)
{
	const struct host *host = host_find(os_tables(e), i->host);
	if (host && str_equal(host->name, wish->host.text))
		return ctx_fail_field(e->c, ERR_INVALID, STR("host"),
				      "The target host can't be the same one.");
	TRY(check_state(e, &wish->instance, i));
	if (engine_is_let_go(os_tables(e), i->host, i->row.id))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("host"),
			      "Compute service of %" STR_FMT " is still in use.",
			      STR_ARG(host ? host->name : STR_NONE));
}

static RESULT prepare_evacuate(struct os_call *e, void *args)
{
	struct os_evacuate *a = args;
	const struct instance *i = NULL;
	TRY(os_find_server(e, &a->wish.instance, &i));
	TRY(check_words(e, a));
	TRY(check_host(e, &a->wish, i));
	a->wish.rebuilds = true;
	if (a->is_shared)
		return OK;
	TRY(api_draw_guest_password(&e->core, &a->password));
	return i->config_drive
		       ? api_seal_guest_password(&e->core, i->account, a->password, &a->wish.admin_password)
		       : OK;
}

static RESULT show_password(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_evacuate *a = args;
	(void) e;
	json_write_text_or_null(w, "adminPass", a->password);
	return OK;
}

#define EVACUATE(...)                                                                                        \
	{                                                                                                    \
		.method = HTTP_POST, .path = "/v2.1/servers/{server_id}/action", .verb = "evacuate",         \
		.permit = "os_compute_api:os-evacuate", .flags = API_WRITES | OS_ADMIN, .status = 200,       \
		.args = OS_PARAMS(struct os_evacuate, evacuate_params), .prepare = prepare_evacuate,         \
		.operation = engine_evacuate_instance_run,                                                   \
		.doc = "Evacuates a server to another host. The present host must be proven to be off.",     \
		__VA_ARGS__                                                                                  \
	}
static const struct os_action actions[] = {
	EVACUATE(.until = 13, .answer = show_password, .returns = API_RETURNS_NOTHING_STORED),
	EVACUATE(.since = 14),
};
const struct os_actions os_evacuation_actions = OS_ACTIONS(OS_COMPUTE, actions);
