/* SPDX-License-Identifier: Apache-2.0
 * The password that a guest reports, encrypted with its key pair. Source: Compute API reference, "Servers
 * password"; Nova's documentation, "Metadata". */
#include "api/openstack/compute/servers.h"
#include "engine/instance/instance.h"
#include "model/instance.h"

struct os_guest_password {
	struct instance_target wish;
};
static const struct param target_params[] = {OS_SERVER(struct os_guest_password, wish.instance)};

static RESULT prepare_clear(struct os_call *e, void *args)
{
	const struct instance *instance = NULL;
	return os_find_server(e, &((struct os_guest_password *) args)->wish.instance, &instance);
}

static RESULT show_password(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &((const struct os_guest_password *) args)->wish.instance, &instance));
	json_write_text(w, "password", instance->guest_password);
	return OK;
}

#define PASSWORD "/v2.1/servers/{server_id}/os-server-password"
#define ARGS OS_PARAMS(struct os_guest_password, target_params)
static const struct os_action actions[] = {
	{HTTP_GET, PASSWORD, .permit = "os_compute_api:os-server-password:show", .args = ARGS,
	 .answer = show_password, .doc = "Shows the encrypted password that the guest reported."},
	{HTTP_DELETE, PASSWORD, .permit = "os_compute_api:os-server-password:clear", .flags = API_WRITES,
	 .status = 204, .args = ARGS, .prepare = prepare_clear, .operation = engine_clear_guest_password_run,
	 .doc = "Clears the password, so that the guest may report a new one."},
};
const struct os_actions os_server_password_actions = OS_ACTIONS(OS_COMPUTE, actions);
