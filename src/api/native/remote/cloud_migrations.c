/* SPDX-License-Identifier: Apache-2.0
 * Migrations of machines from clouds elsewhere, and of instances to them: plan, changes of the plan, start, cutover, undo. The engine has the rules
 * (engine/remote/migration.c), the reconciler carries them out. */
#include "api/native/write.h"

#include "engine/remote/migration.h"

static const struct param plan_params[] = {
	PARAM(struct migration_wish, "machine", machine, .kind = KIND_REMOTE_MACHINE,
	      .doc = "To move a machine here: the remote machine, by the id of its row."),
	PARAM(struct migration_wish, "instance", instance, .kind = KIND_INSTANCE,
	      .doc = "To move an instance to another cloud: the instance."),
	PARAM(struct migration_wish, "provider", provider, .kind = KIND_PROVIDER, .flags = BY_NAME,
	      .doc = "To move an instance to another cloud: the provider."),
};

#define C(name, member, ...) PARAM(struct migration_change, name, member, __VA_ARGS__)
static const struct param change_params[] = {
	C("name", name, .min = 1, .max = 255, .doc = "Name of the instance here."),
	C("type", type, .kind = KIND_INSTANCE_TYPE, .flags = BY_NAME, .doc = "Type of the instance here."),
	C("subnet", subnet, .kind = KIND_SUBNET, .doc = "Subnet of the instance here."),
	C("groups", groups, .kind = KIND_SECURITY_GROUP, .max = 16,
	  .doc = "Security groups of the instance here."),
	C("key_pair", key_pair, .kind = KIND_KEY_PAIR, .flags = BY_NAME,
	  .doc = "Key pair of the instance here."),
	C("target_type", target_type, .min = 1, .max = 64,
	  .doc = "Way out: type of the machine in the other cloud."),
	C("target_subnet", target_subnet, .min = 1, .max = 255,
	  .doc = "Way out: id of the subnet in the other cloud."),
	C("target_groups", target_groups, .max = 16,
	  .doc = "Way out: ids of security groups in the other cloud."),
	C("target_key", target_key, .min = 1, .max = 255, .doc = "Way out: key pair in the other cloud."),
	C("keeps_ip", keeps_ip, .doc = "Whether the instance gets the private address of the machine."),
	C("lacks_virtio", lacks_virtio,
	  .doc = "Whether the instance gets SATA disks and an e1000e interface, for guests without virtio's "
		 "drivers."),
	C("drops_local", drops_local,
	  .doc = "Whether the content of disks that cannot be snapshotted may be lost."),
	C("round_s", round_s, .min = MIGRATION_ROUND_MIN_S, .max = MIGRATION_ROUND_MAX_S,
	  .doc = "Seconds between two copy rounds."),
};

static const struct param undo_params[] = {
	PARAM(struct cloud_migration_target, "accepts_loss", accepts_loss,
	      .doc = "Whether data that the copy wrote since the cutover may be lost."),
};

#define STEP(verb, action, run, ...)                                                                         \
	CHANGE(POST, "/cloud-migrations/{id}/" verb, action, CLOUD_MIGRATION,                                \
	       .target = NATIVE_AT(cloud_migration_target, migration), .operation = (run), __VA_ARGS__)
#define NO_ARGS .args = {.size = sizeof(struct cloud_migration_target)}

static const struct native_action actions[] = {
	CREATE("/cloud-migrations", "dari:PlanMigration", CLOUD_MIGRATION,
	       .args = PARAMS(struct migration_wish, plan_params), .operation = engine_plan_migration_run,
	       .doc = "Plans the migration of a remote machine to this region, or of an instance to a "
		      "provider. The "
		      "row lists refusals and warnings."),
	CHANGE(PATCH, "/cloud-migrations/{id}", "dari:PlanMigration", CLOUD_MIGRATION,
	       .args = PARAMS(struct migration_change, change_params),
	       .target = NATIVE_AT(migration_change, migration), .operation = engine_change_migration_run,
	       .doc = "Changes the plan of a migration before the cutover."),
	STEP("start", "dari:StartMigration", engine_start_migration_run, NO_ARGS,
	     .doc = "Starts copying the disks while the machine runs."),
	STEP("cutover", "dari:CutOverMigration", engine_cut_over_migration_run, NO_ARGS,
	     .doc = "Cuts over: stops the source, copies the remaining changes, and starts the copy."),
	STEP("undo", "dari:UndoMigration", engine_undo_migration_run,
	     .args = PARAMS(struct cloud_migration_target, undo_params),
	     .doc = "Undoes a migration: removes what it created, and restarts the source if the migration "
		    "has stopped it."),
	CHANGE(DELETE, "/cloud-migrations/{id}", "dari:DeleteMigration", CLOUD_MIGRATION, NO_ARGS,
	       .target = NATIVE_AT(cloud_migration_target, migration),
	       .operation = engine_delete_migration_run,
	       .doc = "Deletes a migration that has ended or was never started."),
};
const struct api_actions native_cloud_migrations_actions = API_ACTIONS(actions);
