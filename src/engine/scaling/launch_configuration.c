/* SPDX-License-Identifier: Apache-2.0
 * Launch configurations. Called by: api/autoscaling. */
#include "store/launch_configuration.h"
#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/scaling/scaling.h"

RESULT engine_create_launch_configuration(struct op *op, struct launch_configuration_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct launch_configuration made = {
		.row = {.id = engine_new_id(op, KIND_LAUNCH_CONFIGURATION), .gen = 1},
		.account = account,
		.name = wish->name,
		.data = wish->data,
		.sent = wish->sent};
	if (wish->is_azure) {
		made.dialect = LAUNCH_CONFIGURATION_DIALECT_AZURE;
		made.name = uuid_to_str(op->ctx->arena, made.row.id);
	}
	TRY(engine_permit_new(op, "launch_configuration.create", KIND_LAUNCH_CONFIGURATION, &made.row));
	if (launch_configuration_find_by_account(op->head, account, made.name))
		return ENGINE_FAIL(
			op, ERR_EXISTS, KIND_LAUNCH_CONFIGURATION, STR("LaunchConfigurationName"),
			"Launch Configuration by this name already exists - A launch configuration "
			"already exists with the name %" STR_FMT,
			STR_ARG(wish->name));
	TRY(limit_check(op, LIMIT_LAUNCH_CONFIGURATIONS, account, 1, STR_NONE));
	TRY(launch_configuration_put(op, &made));
	wish->configuration = made.row.id;
	return engine_log_event(op, KIND_LAUNCH_CONFIGURATION, &made.row, "created",
				"Launch configuration %" STR_FMT ".", STR_ARG(made.name));
}

RESULT engine_delete_launch_configuration(struct op *op, struct launch_configuration_target *wish)
{
	const struct launch_configuration *c = NULL;
	TRY(engine_permit_launch_configuration(op, &wish->configuration, "launch_configuration.delete", &c));
	if (scaling_group_first_by_launch_configuration(op->head, c->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_LAUNCH_CONFIGURATION, wish->configuration.field,
				   "Cannot delete launch configuration %" STR_FMT
				   " because it is attached to an AutoScalingGroup",
				   STR_ARG(c->name));
	TRY(engine_log_event(op, KIND_LAUNCH_CONFIGURATION, &c->row, "deleted",
			     "Launch configuration %" STR_FMT ".", STR_ARG(c->name)));
	return launch_configuration_forget(op, c->row.id);
}
