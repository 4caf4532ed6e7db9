/* SPDX-License-Identifier: Apache-2.0
 * DeleteFleets and CancelSpotFleetRequests: each fleet by itself, with its instances or without. */
#include "api/ec2/compute/fleets.h"
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

static const struct param cancel_params[] = {
	PARAM(struct ec2_delete_fleets, "SpotFleetRequestId", ids, .flags = REQUIRED, .max = 255,
	      .doc = "Spot fleet requests to cancel. Each one succeeds or fails by itself."),
	PARAM(struct ec2_delete_fleets, "TerminateInstances", terminates, .flags = REQUIRED,
	      .doc = "true: terminate the instances of the request, too."),
};

/* Words of the two actions. */
static const struct deletion_words {
	const char *id, *done_set, *failed_set, *current, *previous, *running, *terminating, *malformed,
		*absent, *noun;
} of_fleets = {"fleetId",
	       "successfulFleetDeletionSet",
	       "unsuccessfulFleetDeletionSet",
	       "currentFleetState",
	       "previousFleetState",
	       "deleted_running",
	       "deleted_terminating",
	       "fleetIdMalformed",
	       "fleetIdDoesNotExist",
	       "fleet ID"},
  of_spot_fleets = {
	  "spotFleetRequestId",           "successfulFleetRequestSet",     "unsuccessfulFleetRequestSet",
	  "currentSpotFleetRequestState", "previousSpotFleetRequestState", "cancelled_running",
	  "cancelled_terminating",        "fleetRequestIdMalformed",       "fleetRequestIdDoesNotExist",
	  "spotFleetRequest ID"};

static const struct deletion_words *find_words(const struct ec2_delete_fleets *a)
{
	return a->wish.is_spot_fleet ? &of_spot_fleets : &of_fleets;
}

static RESULT prepare(struct ec2_call *e, struct ec2_delete_fleets *a, bool is_spot_fleet)
{
	struct fleet_change *changes = arena_new_array(e->c->arena, struct fleet_change, a->ids.count + 1);
	if (!changes)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ids.count; k++) {
		struct result parsed =
			is_spot_fleet ? id_parse_prefixed(a->ids.at[k], ID_SPOT_FLEET, &changes[k].fleet)
				      : id_parse_ec2(a->ids.at[k], KIND_FLEET, &changes[k].fleet);
		changes[k].err = result_is_ok(parsed) ? ERR_NONE : ERR_MALFORMED;
		changes[k].fleet.kind = KIND_FLEET;
		changes[k].fleet.text = a->ids.at[k];
		changes[k].fleet.field = is_spot_fleet ? STR("SpotFleetRequestId") : STR("FleetId");
	}
	a->wish = (struct fleets_target){changes, a->ids.count, !a->terminates, is_spot_fleet};
	return OK;
}

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	return prepare(e, args, false);
}

static RESULT prepare_cancel(struct ec2_call *e, void *args)
{
	return prepare(e, args, true);
}

static const char *code_of(const struct deletion_words *words, enum err err)
{
	return err == ERR_MALFORMED     ? words->malformed
	       : err == ERR_NOT_FOUND   ? words->absent
	       : err == ERR_UNSUPPORTED ? "NoTerminateInstancesNotSupported"
	       : err == ERR_TOO_LARGE   ? "ExceededInstantFleetNumForDeletion"
					: "unexpectedError";
}

static struct str words_of(struct ec2_call *e, const struct deletion_words *words,
			   const struct fleet_change *change)
{
	if (change->err == ERR_MALFORMED || change->err == ERR_NOT_FOUND)
		return str_print(e->c->arena, "The %s '%" STR_FMT "' %s", words->noun,
				 STR_ARG(change->fleet.text),
				 change->err == ERR_MALFORMED ? "is malformed" : "does not exist");
	return change->message;
}

static RESULT ec2_delete_fleets(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_fleets *a = args;
	const struct deletion_words *words = find_words(a);
	xml_open(x, words->done_set);
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct fleet_change *change = &a->wish.changes[k];
		if (change->err)
			continue;
		xml_open(x, "item");
		xml_z(x, words->current, a->wish.keeps_instances ? words->running : words->terminating);
		xml_z(x, words->previous,
		      change->was_running ? words->running : fleet_stage_words[change->before]);
		xml_text(x, words->id, change->fleet.text);
		xml_close(x, "item");
	}
	xml_close(x, words->done_set);
	xml_open(x, words->failed_set);
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct fleet_change *change = &a->wish.changes[k];
		if (!change->err)
			continue;
		xml_open(x, "item");
		xml_open(x, "error");
		xml_z(x, "code", code_of(words, change->err));
		xml_text(x, "message", words_of(e, words, change));
		xml_close(x, "error");
		xml_text(x, words->id, change->fleet.text);
		xml_close(x, "item");
	}
	xml_close(x, words->failed_set);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DeleteFleets"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_fleets, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_fleets_run, .answer = ec2_delete_fleets,
	 .doc = "Deletes fleets, and on request their instances."},
	{EC2_ACTION("CancelSpotFleetRequests"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_fleets, cancel_params), .prepare = prepare_cancel,
	 .operation = engine_delete_fleets_run, .answer = ec2_delete_fleets,
	 .doc = "Cancels spot fleet requests, and on request terminates their instances."},
};
const struct api_actions ec2_fleet_deletion_actions = API_ACTIONS(actions);
