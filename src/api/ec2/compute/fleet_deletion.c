/* SPDX-License-Identifier: Apache-2.0
 * DeleteFleets: each fleet by itself, with its instances or without. */
#include "api/ec2/core/write.h"
#include "engine/instance/launch/fleet.h"

struct ec2_delete_fleets {
	struct fleets_target wish;
	struct strs ids;
	bool terminates;
};
static const struct param delete_params[] = {
	PARAM(struct ec2_delete_fleets, "FleetId", ids, .flags = REQUIRED, .max = 255,
	      .doc = "Fleets to delete. Each one succeeds or fails by itself."),
	PARAM(struct ec2_delete_fleets, "TerminateInstances", terminates, .flags = REQUIRED,
	      .doc = "true: terminate the instances of the fleet, too. Required to be true for an instant "
		     "fleet."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_fleets *a = args;
	struct fleet_change *changes = arena_new_array(e->c->arena, struct fleet_change, a->ids.count + 1);
	if (!changes)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ids.count; k++) {
		if (!result_is_ok(id_parse_ec2(a->ids.at[k], KIND_FLEET, &changes[k].fleet)))
			changes[k].err = ERR_MALFORMED;
		changes[k].fleet.text = a->ids.at[k];
		changes[k].fleet.field = STR("FleetId");
	}
	a->wish = (struct fleets_target){changes, a->ids.count, !a->terminates};
	return OK;
}

static const char *code_of(enum err err)
{
	return err == ERR_MALFORMED     ? "fleetIdMalformed"
	       : err == ERR_NOT_FOUND   ? "fleetIdDoesNotExist"
	       : err == ERR_UNSUPPORTED ? "NoTerminateInstancesNotSupported"
	       : err == ERR_TOO_LARGE   ? "ExceededInstantFleetNumForDeletion"
					: "unexpectedError";
}

static struct str words_of(struct ec2_call *e, const struct fleet_change *change)
{
	if (change->err == ERR_MALFORMED || change->err == ERR_NOT_FOUND)
		return str_print(e->c->arena, "The fleet ID '%" STR_FMT "' %s", STR_ARG(change->fleet.text),
				 change->err == ERR_MALFORMED ? "is malformed" : "does not exist");
	return change->message;
}

static RESULT ec2_delete_fleets(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_fleets *a = args;
	xml_open(x, "successfulFleetDeletionSet");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct fleet_change *change = &a->wish.changes[k];
		if (change->err)
			continue;
		xml_open(x, "item");
		xml_z(x, "currentFleetState",
		      a->wish.keeps_instances ? "deleted_running" : "deleted_terminating");
		xml_z(x, "previousFleetState",
		      change->was_running ? "deleted_running" : fleet_stage_words[change->before]);
		xml_text(x, "fleetId", change->fleet.text);
		xml_close(x, "item");
	}
	xml_close(x, "successfulFleetDeletionSet");
	xml_open(x, "unsuccessfulFleetDeletionSet");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct fleet_change *change = &a->wish.changes[k];
		if (!change->err)
			continue;
		xml_open(x, "item");
		xml_open(x, "error");
		xml_z(x, "code", code_of(change->err));
		xml_text(x, "message", words_of(e, change));
		xml_close(x, "error");
		xml_text(x, "fleetId", change->fleet.text);
		xml_close(x, "item");
	}
	xml_close(x, "unsuccessfulFleetDeletionSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DeleteFleets"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_fleets, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_fleets_run, .answer = ec2_delete_fleets,
	 .doc = "Deletes fleets, and on request their instances."},
};
const struct api_actions ec2_fleet_deletion_actions = API_ACTIONS(actions);
