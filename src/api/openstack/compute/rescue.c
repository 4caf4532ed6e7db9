/* SPDX-License-Identifier: Apache-2.0
 * Rescue, shelving, and the state set by an operator. As in actions.c, Nova documents the states from which
 * each is allowed. Source: Compute API reference, "Servers - run an action". */
#include "api/core/guest_password.h"
#include "api/openstack/compute/servers.h"
#include "engine/instance/instance.h"
#include "model/states.h"

#define PATH "/v2.1/servers/{server_id}/action"

/* ---- rescue ---- */

struct os_rescue {
	struct instance_rescuing wish;
	struct str password;
};
static const struct param rescue_params[] = {
	OS_SERVER(struct os_rescue, wish.instance),
	OS_BODY(struct os_rescue, "rescue_image_ref", wish.image, .kind = KIND_IMAGE,
		.doc = "Image to boot from; absent: the image that the server was created from."),
	OS_BODY(struct os_rescue, "adminPass", password, .min = 1, .max = OS_PASSWORD_MAX,
		.doc = "Repeated in the answer only; the rescue image does not receive it."),
};

static RESULT prepare_rescue(struct os_call *e, void *args)
{
	struct os_rescue *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	a->wish.spares_volumes = e->request.version < 87;
	if (str_is_empty(a->wish.image.field))
		a->wish.image.field = STR("rescue_image_ref");
	return api_draw_guest_password(&e->core, &a->password);
}

static RESULT show_rescue(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	json_write_text(w, "adminPass", ((const struct os_rescue *) args)->password);
	return OK;
}

/* ---- what has no parameters ---- */

struct os_care {
	struct instance_target wish;
};
static const struct param care_params[] = {OS_SERVER(struct os_care, wish.instance)};

static RESULT prepare_care(struct os_call *e, void *args)
{
	struct os_care *a = args;
	const struct instance *instance = NULL;
	return os_find_server(e, &a->wish.instance, &instance);
}

/* Reports the state from which an action is not allowed. */
static RESULT fail_state(struct os_call *e, const struct ref *server, const struct instance *instance,
			 const char *done)
{
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot '%s' instance %" STR_FMT " while it is %s", done, STR_ARG(server->text),
			     model_instance_states[model_derive_instance_state(instance)].name);
}

/* Shelved servers are offloaded automatically, so the action only checks the state. */
static RESULT prepare_offload(struct os_call *e, void *args)
{
	struct os_care *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	enum instance_state state = model_derive_instance_state(instance);
	return state == INSTANCE_SHELVED || state == INSTANCE_SHELVED_OFFLOADED
		       ? OK
		       : fail_state(e, &a->wish.instance, instance, "shelveOffload");
}

struct os_unshelve {
	struct instance_unshelving wish;
};
#define TO_HOST "os_compute_api:os-shelve:unshelve_to_host"
static const struct param unshelve_params[] = {
	OS_SERVER(struct os_unshelve, wish.instance),
	OS_BODY(struct os_unshelve, "availability_zone", wish.zone, .flags = NULLABLE | BY_NAME, .since = 77,
		.kind = KIND_ZONE, .max = 255,
		.doc = "Availability zone: the server's own, or one of the aggregates there. null: its own."),
	OS_BODY(struct os_unshelve, "host", wish.host, .since = 91, .min = 1, .max = 255,
		.doc = "Target host; for administrators."),
};

static RESULT prepare_unshelve(struct os_call *e, void *args)
{
	struct os_unshelve *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	if (!str_is_empty(a->wish.host))
		TRY(os_check_admin(e, TO_HOST));
	return os_take_server_zone(e, &a->wish.zone, &a->wish.zone_name);
}

/* ---- an operator's mark ---- */

struct os_reset_state {
	struct instance_marking wish;
	struct str state;
};
static const struct param reset_params[] = {
	OS_SERVER(struct os_reset_state, wish.instance),
	OS_BODY(struct os_reset_state, "state", state, .flags = REQUIRED, .words = "active|error",
		.doc = "error: marks the server as failed; active: clears the mark and its conditions, and "
		       "checks the host again."),
};

static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_reset_state *a = args;
	const struct instance *instance = NULL;
	a->wish.is_broken = str_is(a->state, "error");
	return os_find_server(e, &a->wish.instance, &instance);
}

#define CARE(word, policy, T, rows, run, words)                                                              \
	OS_SERVER_ACTION(word, policy, T, rows, .prepare = prepare_care, .operation = (run), .doc = (words))
static const struct os_action actions[] = {
	{.method = HTTP_POST,
	 .path = PATH,
	 .verb = "rescue",
	 .permit = "os_compute_api:os-rescue",
	 .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_rescue, rescue_params),
	 .prepare = prepare_rescue,
	 .operation = engine_rescue_instance_run,
	 .answer = show_rescue,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Boots the server from a rescue image, with its root disk as the second disk."},
	CARE("unrescue", "os-unrescue", struct os_care, care_params, engine_unrescue_instance_run,
	     "Ends the rescue of a server, which boots from its root disk again."),
	CARE("shelve", "os-shelve:shelve", struct os_care, care_params, engine_shelve_instance_run,
	     "Shelves a server: stores an image of it, and removes it from its host."),
	OS_SERVER_ACTION("shelveOffload", "os-shelve:shelve_offload", struct os_care, care_params,
			 .prepare = prepare_offload,
			 .doc = "Accepted; a shelved server leaves its host without this call."),
	OS_SERVER_ACTION("unshelve", "os-shelve:unshelve", struct os_unshelve, unshelve_params,
			 .prepare = prepare_unshelve, .operation = engine_unshelve_instance_run,
			 .doc = "Places a shelved server on a host and starts it."),
	{.method = HTTP_POST,
	 .path = PATH,
	 .verb = "os-resetState",
	 .permit = "os_compute_api:os-admin-actions:reset_state",
	 .flags = API_WRITES | OS_ADMIN,
	 .status = 202,
	 .args = OS_PARAMS(struct os_reset_state, reset_params),
	 .prepare = prepare_reset,
	 .operation = engine_mark_instance_run,
	 .doc = "Resets the state of a server."},
};
const struct os_actions os_server_rescue_actions = OS_ACTIONS(OS_COMPUTE, actions);
