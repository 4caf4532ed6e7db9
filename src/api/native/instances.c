/* SPDX-License-Identifier: Apache-2.0
 * Changes of instances: launch, power, size, settings and rescue; and their consoles.
 */
#include "api/native/dry.h"
#include "api/native/write.h"

#include "api/console_url.h"
#include "auth/token/ticket.h"
#include "base/crypto.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_snapshot.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/network/filter/security_group.h"
#include "engine/tag.h"
#include "model/instance.h"
#include "store/instance_migration.h"

/* ---- launch ---- */

enum { DATA_DISKS_MAX = 10 }; /* further disks: /dev/sdf to /dev/sdo */

struct launch_args {
	struct instance_launch wish; /* first member: passed to the operation */
	struct native_room room;
	bool looks_for_room;
	int64_t count, root_size;
	struct str root_type;
	enum choice root_encrypted;
	struct {
		struct disk_wish *at;
		size_t count;
	} data;
	struct ref subnet;
	struct refs groups;
	enum choice public_ip;
	struct str user_data;
	struct tags tags;
	struct launch_port port;
};
#define D(name, member, ...) PARAM(struct disk_wish, name, member, __VA_ARGS__)
static const struct param data_disk_rows[] = {
	D("size", size, .min = 1, .max = INT64_MAX,
	  .doc = "Size in bytes; absent: the size of the snapshot."),
	D("type", type, .max = 255, .doc = "Volume type, such as gp3."),
	D("iops", iops, .max = 1000000, .doc = "IOPS; absent: the volume type's."),
	D("throughput", throughput, .max = 1000000, .doc = "Throughput in MiB/s; absent: the volume type's."),
	D("snapshot", snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot with the content; absent: a blank disk."),
	D("is_encrypted", crypt.is_wanted,
	  .doc = "Whether the disk is encrypted with a key of its own; absent: the account's default."),
	D("delete_on_termination", delete_on_termination,
	  .doc = "Deletes the disk with the instance; absent: true."),
};
static const struct params data_disk_params = PARAMS(struct disk_wish, data_disk_rows);
#define L(name, member, ...) PARAM(struct launch_args, name, member, __VA_ARGS__)
static const struct param launch_params[] = {
	L("image", wish.image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "Image of the root disk."),
	L("type", wish.type, .kind = KIND_INSTANCE_TYPE, .flags = REQUIRED,
	  .doc = "Instance type, by id or name."),
	L("count", count, .min = 1, .max = INSTANCE_LAUNCH_MAX, .absent = "1",
	  .doc = "Number of instances; either all are launched or none."),
	L("name", wish.name, .max = 255, .doc = "Name; several instances get a number appended."),
	L("description", wish.description, .max = 255, .doc = "Description: free text."),
	L("key", wish.key_pair, .kind = KIND_KEY_PAIR,
	  .doc = "Key pair whose public key the guest receives."),
	L("zone", wish.zone, .kind = KIND_ZONE,
	  .doc = "Availability Zone; absent: the subnet's, or any with capacity."),
	L("subnet", subnet, .kind = KIND_SUBNET,
	  .doc = "Subnet of the first interface; absent: the account's default subnet."),
	L("groups", groups, .kind = KIND_SECURITY_GROUP, .max = PORT_GROUPS_MAX,
	  .doc = "Security groups of the first interface."),
	L("public_ip", public_ip, .doc = "Assigns a public address; absent: the subnet's default."),
	L("root_size", root_size, .min = 1, .max = INT64_MAX,
	  .doc = "Size of the root disk in bytes; absent: the image's."),
	L("root_type", root_type, .max = 255, .doc = "Volume type of the root disk; absent: the image's."),
	L("root_encrypted", root_encrypted, .doc = "Encrypts the root disk; absent: the account's default."),
	PARAM_LIST(struct launch_args, "disks", data, data_disk_params, .max = DATA_DISKS_MAX,
		   .doc = "Additional disks, created with the instance."),
	L("instance_profile", wish.instance_profile, .kind = KIND_INSTANCE_PROFILE,
	  .doc = "Instance profile with the instance's role."),
	L("server_group", wish.server_group, .kind = KIND_SERVER_GROUP,
	  .doc = "Placement group of the instance."),
	L("user_data", user_data, .max = INSTANCE_USER_DATA_MAX, .doc = "User data, as text."),
	L("tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags of the instance and its disks."),
	L("protect_terminate", wish.protect_terminate, .doc = "Termination protection."),
	L("shutdown_terminates", wish.shutdown_terminates,
	  .doc = "Whether a shutdown from within the guest terminates the instance."),
	L("metadata_tokens_required", wish.metadata_tokens_required, .doc = "IMDSv2 only."),
	L("stays_off", wish.stays_off, .doc = "Leaves the instance stopped."),
};

/* Reads the idempotency key. A digest of the body ties the key to these parameters. */
static RESULT take_token(struct native_call *e, struct instance_launch *wish)
{
	struct str key = call_header(e->call, "Idempotency-Key");
	uint8_t sum[SHA256_SIZE];
	if (key.n > 64)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("Idempotency-Key"),
				      "Idempotency-Key has more than 64 characters.");
	crypto_sha256(e->call->body, sum);
	wish->client_token = key;
	wish->digest = str_encode_hex(e->c->arena, sum, sizeof sum);
	return OK;
}

/* The root disk, if the call describes it, and the further disks. */
static RESULT take_disks(struct native_call *e, struct launch_args *a)
{
	static const char *const devices[DATA_DISKS_MAX] = {"/dev/sdf", "/dev/sdg", "/dev/sdh", "/dev/sdi",
							    "/dev/sdj", "/dev/sdk", "/dev/sdl", "/dev/sdm",
							    "/dev/sdn", "/dev/sdo"};
	bool has_root = a->root_size || a->root_type.n || a->root_encrypted != CHOICE_DEFAULT;
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, a->data.count + 1);
	if (!disks)
		return ctx_no_memory(e->c);
	disks[0] = (struct disk_wish){.size = a->root_size,
				      .type = a->root_type,
				      .crypt.is_wanted = a->root_encrypted,
				      .device = INSTANCE_ROOT_DEVICE,
				      .field = a->root_size ? STR("root_size") : STR("root_type")};
	for (size_t k = 0; k < a->data.count; k++) {
		disks[k + 1] = a->data.at[k];
		disks[k + 1].device = str_from(devices[k]);
		disks[k + 1].field = STR("disks");
	}
	a->wish.disks = has_root ? disks : disks + 1;
	a->wish.disk_count = a->data.count + (has_root ? 1 : 0);
	return OK;
}

static RESULT prepare_launch(struct native_call *e, void *args)
{
	struct launch_args *a = args;
	struct instance_launch *wish = &a->wish;
	wish->min_count = wish->max_count = a->count;
	wish->instance_tags = wish->volume_tags = a->tags;
	wish->user_data = a->user_data;
	a->port = (struct launch_port){
		.subnet = a->subnet, .groups = a->groups, .public_ip = a->public_ip, .field = STR("subnet")};
	wish->ports = &a->port;
	wish->port_count = 1;
	wish->any_network = !ref_is_given(&a->subnet);
	TRY(take_disks(e, a));
	e->room = &a->room;
	a->looks_for_room = e->dry;
	return take_token(e, wish);
}

static RESULT launch(struct op *op, void *args)
{
	struct launch_args *a = args;
	struct result launched = engine_create_instances(op, &a->wish);
	if (!a->looks_for_room && launched.code != ERR_CAPACITY)
		return launched;
	const struct problem problem = op->ctx->problem;
	ctx_clear_problem(op->ctx);
	IGNORE(dry_look_for_room(op, &a->wish.type, &a->wish.zone,
				 &a->room)); /* only informs; the launch has its own result */
	op->ctx->problem = problem;
	return launched;
}

/* ---- power, and what takes all of them ---- */

struct power_args {
	struct instances_wish wish;
};
static const struct param power_params[] = {
	PARAM(struct power_args, "force", wish.force, .doc = "Skips the shutdown of the guest."),
};
static const struct param lock_params[] = {
	PARAM(struct power_args, "reason", wish.reason, .max = 255, .doc = "Reason, shown in refused calls."),
};
#define POWER(verb, permission, run, ...)                                                                    \
	CHANGE_MANY(POST, "/instances/{id}/" verb, permission, INSTANCE,                                     \
		    .targets = NATIVE_AT(power_args, wish.instances), .operation = (run), __VA_ARGS__)
#define NO_PARAMS .args = {.size = sizeof(struct power_args)}
#define FORCE .args = PARAMS(struct power_args, power_params)

/* ---- settings and size ---- */

struct settings_args {
	struct instance_settings wish;
};
#define S(name, member, ...) PARAM(struct settings_args, name, member, __VA_ARGS__)
#define SETS(member) .given = offsetof(struct settings_args, wish.set_##member) + 1
static const struct param settings_params[] = {
	S("name", wish.name, .max = 255, SETS(name), .doc = "Name."),
	S("description", wish.description, .max = 255, SETS(description), .doc = "Description: free text."),
	S("type", wish.type, .kind = KIND_INSTANCE_TYPE,
	  .doc = "Instance type; the instance must be stopped."),
	S("key", wish.key_pair, .kind = KIND_KEY_PAIR,
	  .doc = "Key pair that the guest receives at its next start; the instance must be stopped."),
	S("groups", wish.groups, .kind = KIND_SECURITY_GROUP, .max = PORT_GROUPS_MAX,
	  .doc = "Security groups of the instance's only interface."),
	S("protect_terminate", wish.protect_terminate, .doc = "Termination protection."),
	S("protect_stop", wish.protect_stop, .doc = "Stop protection."),
	S("shutdown_terminates", wish.shutdown_terminates,
	  .doc = "Whether a shutdown from within the guest terminates the instance."),
	S("source_dest_check", wish.source_dest_check, .doc = "Source/destination check."),
	S("metadata_tokens_required", wish.metadata_tokens_required, .doc = "IMDSv2 only."),
	S("recovers", wish.recovers,
	  .doc = "Restarts the instance on another host after its host is fenced."),
};

static const struct param resize_params[] = {
	REF(instance_resizing, "type", type, INSTANCE_TYPE, .flags = REQUIRED, .doc = "New instance type."),
};
#define TARGET(verb, permission, run, text)                                                                  \
	CHANGE(POST, "/instances/{id}/" verb, permission, INSTANCE,                                          \
	       .args = {.size = sizeof(struct instance_target)},                                             \
	       .target = NATIVE_AT(instance_target, instance), .operation = (run), .doc = (text))

static const struct param rebuild_params[] = {
	REF(instance_rebuilding, "image", image, IMAGE, .flags = REQUIRED,
	    .doc = "Image of the new root disk."),
};
static const struct param rescue_params[] = {
	REF(instance_rescuing, "image", image, IMAGE,
	    .doc = "Image to boot from; absent: the image of the instance."),
};
static const struct param unshelve_params[] = {
	REF(instance_unshelving, "zone", zone, ZONE, .doc = "Availability Zone; absent: the instance's own."),
};
static const struct param migrate_params[] = {
	REF(instance_migrating, "host", host, HOST,
	    .doc = "Target host; absent: the one with the most capacity."),
	PARAM(struct instance_migrating, "force", forces,
	      .doc = "Ignores server groups and host aggregates."),
};
static void tell_migration(struct native_call *e, const void *args, struct json_writer *w)
{
	uuid migration = ((const struct instance_migrating *) args)->migration;
	const struct instance_migration *m = instance_migration_find(native_tables(e), migration);
	if (!m)
		return; /* dry run: there is no migration */
	json_write_uuid(w, "migration", migration);
	json_write_uuid(w, "target", m->target);
}
static const struct param snapshot_params[] = {
	PARAM(struct instance_snapshot_wish, "name", name, .max = 255, .doc = "Name."),
	PARAM(struct instance_snapshot_wish, "description", description, .max = 255,
	      .doc = "Description: free text."),
};

/* ---- consoles ---- */

struct console_args {
	struct str type, url;
	int64_t expires_us;
};
static const struct param console_params[] = {
	PARAM(struct console_args, "type", type, .words = "vnc|serial", .absent = "vnc",
	      .doc = "Console to open."),
};

/* Issues a console ticket. The ticket is valid only while its maker's token is. */
static RESULT prepare_console(struct native_call *e, void *args)
{
	struct console_args *a = args;
	bool is_serial = str_is(a->type, "serial");
	const struct instance *instance = NULL;
	struct str text = STR_NONE;
	if (!e->token.expires_us)
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"A console is opened with a token, not with an access key.");
	TRY(engine_find_console(e->c, native_tables(e), &e->target, is_serial, &instance));
	struct ticket ticket = {.console = is_serial ? CONSOLE_SERIAL : CONSOLE_DISPLAY,
				.instance = instance->row.id,
				.host = instance->host,
				.by = e->token};
	TRY(ticket_issue(e->config->tickets, e->c, &ticket, &text));
	a->expires_us = ticket.expires_us;
	a->url = console_url(e->c->arena, api_base_url(&e->core), ticket.console, text);
	return a->url.p ? OK : ctx_no_memory(e->c);
}

static RESULT answer_console(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct console_args *a = args;
	(void) e;
	json_write_text(w, "url", a->url);
	json_write_int(w, "expires_us", a->expires_us);
	return OK;
}

static const struct native_action actions[] = {
	CREATE("/instances", "ec2:RunInstances", INSTANCE, .args = PARAMS(struct launch_args, launch_params),
	       .prepare = prepare_launch, .operation = launch, .doc = "Launches instances."),
	CHANGE(PATCH, "/instances/{id}", "ec2:ModifyInstanceAttribute", INSTANCE,
	       .args = PARAMS(struct settings_args, settings_params),
	       .target = NATIVE_AT(settings_args, wish.instance), .operation = engine_update_instance_run,
	       .doc = "Changes the settings of an instance."),
	CHANGE_MANY(DELETE, "/instances/{id}", "ec2:TerminateInstances", INSTANCE, NO_PARAMS,
		    .targets = NATIVE_AT(power_args, wish.instances),
		    .operation = engine_terminate_instances_run, .doc = "Terminates instances."),
	POWER("start", "ec2:StartInstances", engine_start_instances_run, NO_PARAMS,
	      .doc = "Starts instances."),
	POWER("stop", "ec2:StopInstances", engine_stop_instances_run, FORCE, .doc = "Stops instances."),
	POWER("reboot", "ec2:RebootInstances", engine_reboot_instances_run, FORCE,
	      .doc = "Reboots instances."),
	POWER("pause", "ec2:PauseInstances", engine_pause_instances_run, NO_PARAMS,
	      .doc = "Pauses instances: their processors stop."),
	POWER("unpause", "ec2:UnpauseInstances", engine_unpause_instances_run, NO_PARAMS,
	      .doc = "Resumes paused instances."),
	POWER("suspend", "ec2:SuspendInstances", engine_suspend_instances_run, NO_PARAMS,
	      .doc = "Suspends instances: stops them and saves their memory."),
	POWER("lock", "ec2:LockInstances", engine_lock_instances_run,
	      .args = PARAMS(struct power_args, lock_params), .doc = "Locks instances against every change."),
	POWER("unlock", "ec2:UnlockInstances", engine_unlock_instances_run, NO_PARAMS,
	      .doc = "Unlocks instances."),
	POWER("monitor", "ec2:MonitorInstances", engine_monitor_instances_run, NO_PARAMS,
	      .doc = "Enables detailed monitoring."),
	POWER("unmonitor", "ec2:UnmonitorInstances", engine_unmonitor_instances_run, NO_PARAMS,
	      .doc = "Disables detailed monitoring."),
	POWER("recover", "ec2:RecoverInstances", engine_recover_instances_run, NO_PARAMS,
	      .doc = "Recovers destroyed instances."),
	CHANGE(POST, "/instances/{id}/resize", "ec2:ModifyInstanceAttribute", INSTANCE,
	       .args = PARAMS(struct instance_resizing, resize_params),
	       .target = NATIVE_AT(instance_resizing, instance), .operation = engine_resize_instance_run,
	       .doc = "Resizes an instance. The resize has to be confirmed or reverted."),
	TARGET("confirm-resize", "ec2:ModifyInstanceAttribute", engine_confirm_resize_run,
	       "Confirms a resize."),
	TARGET("revert-resize", "ec2:ModifyInstanceAttribute", engine_revert_resize_run, "Reverts a resize."),
	CHANGE(POST, "/instances/{id}/rebuild", "ec2:CreateReplaceRootVolumeTask", INSTANCE,
	       .args = PARAMS(struct instance_rebuilding, rebuild_params),
	       .target = NATIVE_AT(instance_rebuilding, instance), .operation = engine_rebuild_instance_run,
	       .doc = "Rebuilds an instance with a new root disk."),
	CHANGE(POST, "/instances/{id}/rescue", "ec2:RescueInstances", INSTANCE,
	       .args = PARAMS(struct instance_rescuing, rescue_params),
	       .target = NATIVE_AT(instance_rescuing, instance), .operation = engine_rescue_instance_run,
	       .doc = "Boots an instance from a rescue image."),
	TARGET("unrescue", "ec2:UnrescueInstances", engine_unrescue_instance_run,
	       "Ends the rescue of an instance, which boots from its root disk again."),
	TARGET("shelve", "ec2:ShelveInstances", engine_shelve_instance_run,
	       "Shelves an instance: stores an image of it, and removes it from its host."),
	CHANGE(POST, "/instances/{id}/unshelve", "ec2:UnshelveInstances", INSTANCE,
	       .args = PARAMS(struct instance_unshelving, unshelve_params),
	       .target = NATIVE_AT(instance_unshelving, instance), .operation = engine_unshelve_instance_run,
	       .doc = "Unshelves an instance: places it on a host and starts it."),
	ADMIN_CHANGE(POST, "/instances/{id}/migrate", "ec2:MigrateInstances", INSTANCE,
		     .args = PARAMS(struct instance_migrating, migrate_params),
		     .target = NATIVE_AT(instance_migrating, instance),
		     .operation = engine_migrate_instance_run, .tell = tell_migration,
		     .doc = "Live-migrates an instance to another host."),
	CHANGE(POST, "/instances/{id}/snapshot", "ec2:CreateSnapshots", INSTANCE,
	       .args = PARAMS(struct instance_snapshot_wish, snapshot_params),
	       .target = NATIVE_AT(instance_snapshot_wish, instance),
	       .operation = engine_create_instance_snapshot_run,
	       .doc = "Creates snapshots of all disks of an instance."),
	CHANGE_OF(POST, "/instances/{id}/console", "ec2:OpenInstanceConsole", INSTANCE,
		  API_RETURNS_NOTHING_STORED, .status = 200,
		  .args = PARAMS(struct console_args, console_params), .prepare = prepare_console,
		  .answer = answer_console,
		  .doc = "Returns a page that shows the console of an instance for a limited time."),
};
const struct api_actions native_instance_actions = API_ACTIONS(actions);
