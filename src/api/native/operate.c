/* SPDX-License-Identifier: Apache-2.0
 * What operators change: hosts and settings. */
#include "api/native/write.h"

#include "engine/instance/instance_event.h"
#include "engine/instance/instance_migration.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "model/host.h"

static const struct param host_params[] = {
	PARAM(struct host_settings, "enabled", enabled, .doc = "Whether new instances are placed on it."),
	PARAM(struct host_settings, "reason", reason, .max = 255, .doc = "Why not."),
	PARAM(struct host_settings, "forced_down", forced_down,
	      .doc = "It counts as down, whatever it answers."),
};
static const struct param drain_params[] = {
	PARAM(struct host_draining, "reason", reason, .max = 255, .doc = "Why."),
};
struct maintenance_args {
	struct maintenance_wish wish;
	struct str kind;
};
static const struct param maintenance_params[] = {
	PARAM(struct maintenance_args, "begins_us", wish.from_us, .min = 0, .max = INT64_MAX,
	      .doc = "UTC microseconds; 0: now."),
	PARAM(struct maintenance_args, "deadline_us", wish.deadline_us, .min = 0, .max = INT64_MAX,
	      .doc = "Until when owners may delay their stops; 0: not at all."),
	PARAM(struct maintenance_args, "ends_us", wish.end_us, .min = 0, .max = INT64_MAX,
	      .doc = "0: until it is ended."),
	PARAM(struct maintenance_args, "kind", kind, .absent = "reboot", .words = "reboot|stop|move",
	      .doc = "What happens to its instances."),
	PARAM(struct maintenance_args, "reason", wish.reason, .max = 255, .doc = "Why, as owners are told."),
};

static RESULT prepare_maintenance(struct native_call *e, void *args)
{
	struct maintenance_args *a = args;
	for (int k = 0; host_maintenance_kind_words[k]; k++)
		if (str_is(a->kind, host_maintenance_kind_words[k])) {
			a->wish.kind = (enum host_maintenance_kind) k;
			return OK;
		}
	return ctx_fail_field(e->c, ERR_INVALID, STR("kind"), "kind is none of those that there are.");
}

static const struct param setting_params[] = {
	PARAM(struct setting_wish, "name", name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Which."),
	PARAM(struct setting_wish, "value", value, .max = 4096, .flags = REQUIRED,
	      .doc = "Empty: the standard one."),
};

#define OPERATE(verb, path, permission, ...) ADMIN_CHANGE(verb, path, permission, HOST, __VA_ARGS__)
static const struct native_action actions[] = {
	OPERATE(PATCH, "/hosts/{id}", "ec2:ModifyHypervisor",
		.args = PARAMS(struct host_settings, host_params), .target = NATIVE_AT(host_settings, host),
		.operation = engine_update_host_run,
		.doc = "Opens or closes a host to new instances, or says that it is down."),
	OPERATE(POST, "/hosts/{id}/drain", "ec2:ModifyHypervisor",
		.args = PARAMS(struct host_draining, drain_params), .target = NATIVE_AT(host_draining, host),
		.operation = engine_drain_host_run,
		.doc = "Sends its running instances elsewhere, and closes it."),
	OPERATE(POST, "/hosts/{id}/maintenance", "ec2:ModifyHypervisor",
		.args = PARAMS(struct maintenance_args, maintenance_params),
		.target = NATIVE_AT(maintenance_args, wish.host), .prepare = prepare_maintenance,
		.operation = engine_plan_maintenance_run, .doc = "Plans a maintenance."),
	OPERATE(POST, "/hosts/{id}/end-maintenance", "ec2:ModifyHypervisor",
		.args = {.size = sizeof(struct maintenance_target)},
		.target = NATIVE_AT(maintenance_target, host), .operation = engine_end_maintenance_run,
		.doc = "Ends it, or calls it off."),
	OPERATE(DELETE, "/hosts/{id}", "ec2:ModifyHypervisor", .args = {.size = sizeof(struct host_target)},
		.target = NATIVE_AT(host_target, host), .operation = engine_remove_host_run,
		.doc = "Takes it out of the region."),
	{.method = HTTP_PUT,
	 .path = "/settings",
	 .permit = "ec2:ModifyHypervisor",
	 .flags = API_WRITES | NATIVE_ADMIN,
	 .returns = KIND_SETTING,
	 .args = PARAMS(struct setting_wish, setting_params),
	 .operation = engine_put_setting_run,
	 .doc = "Sets a setting of the region."},
};
const struct api_actions native_operate_actions = API_ACTIONS(actions);
