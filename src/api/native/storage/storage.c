/* SPDX-License-Identifier: Apache-2.0
 * Changes of volumes, snapshots, backups, images and storage pools.
 */
#include "api/native/write.h"

#include "base/crypto.h"
#include "base/time_zone.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_policy.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_move.h"
#include "engine/tag.h"
#include "model/storage_pool.h"
#include "model/volume.h"

/* ---- volumes ---- */

#define V(name, member, ...) PARAM(struct volume_wish, name, member, __VA_ARGS__)
static const struct param create_params[] = {
	V("zone", zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Availability Zone."),
	V("size", disk.size, .min = 1, .max = INT64_MAX,
	  .doc = "Size in bytes; absent: the size of the snapshot."),
	V("type", disk.type, .max = 255, .doc = "Volume type, such as gp3."),
	V("name", name, .max = 255, .doc = "Name."),
	V("description", description, .max = 255, .doc = "Description: free text."),
	V("snapshot", disk.snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot with the content; absent: a blank volume."),
	V("image", disk.image, .kind = KIND_IMAGE, .doc = "Image with the content."),
	V("iops", disk.iops, .max = 1000000, .doc = "IOPS; absent: the volume type's."),
	V("throughput", disk.throughput, .max = 1000000,
	  .doc = "Throughput in MiB/s; absent: the volume type's."),
	V("is_shared", disk.is_shared, .doc = "Whether several instances may attach the volume."),
	V("is_encrypted", disk.crypt.is_wanted,
	  .doc = "Whether the volume is encrypted with a key of its own; absent: the account's default."),
	V("tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};

struct volume_change {
	struct volume_settings wish;
};
#define SETS(T, member) .given = offsetof(T, wish.set_##member) + 1
static const struct param change_params[] = {
	PARAM(struct volume_change, "name", wish.name, .max = 255, SETS(struct volume_change, name),
	      .doc = "Name."),
	PARAM(struct volume_change, "description", wish.description, .max = 255,
	      SETS(struct volume_change, description), .doc = "Description: free text."),
	PARAM(struct volume_change, "is_bootable", wish.is_bootable,
	      .doc = "Whether instances may boot from the volume."),
	PARAM(struct volume_change, "is_readonly", wish.is_readonly,
	      .doc = "Whether guests may only read the volume."),
};

#define M(name, member, ...) PARAM(struct volume_modifying, name, member, __VA_ARGS__)
static const struct param modify_params[] = {
	M("size", size, .max = INT64_MAX, .doc = "Size in bytes. A volume cannot shrink."),
	M("type", type, .max = 255, .doc = "New volume type."),
	M("iops", iops, .max = 1000000, .doc = "Provisioned IOPS."),
	M("throughput", throughput, .max = 1000000, .doc = "Throughput in MiB/s."),
	M("is_shared", is_shared, .doc = "Whether several instances may attach the volume."),
};
static const struct param attach_params[] = {
	REF(volume_attaching, "instance", instance, INSTANCE, .flags = REQUIRED,
	    .doc = "Instance that gets the volume."),
	PARAM(struct volume_attaching, "device", device, .max = 64,
	      .doc = "Device name, such as /dev/sdf; absent: the next free one."),
	PARAM(struct volume_attaching, "delete_on_termination", delete_on_termination,
	      .doc = "Deletes the volume with the instance."),
};
static const struct param detach_params[] = {
	REF(volume_detaching, "instance", instance, INSTANCE, .doc = "Instance, if several have the volume."),
	PARAM(struct volume_detaching, "force", force,
	      .doc = "Detaches even if the guest does not release the device."),
};
static const struct param delete_params[] = {
	PARAM(struct volume_target, "force", force, .doc = "Deletes the volume even if it is reserved."),
};
static const struct param revert_params[] = {
	REF(volume_reverting, "snapshot", snapshot, SNAPSHOT, .flags = REQUIRED,
	    .doc = "Snapshot of this volume."),
};

/* ---- snapshots and backups ---- */

#define N(name, member, ...) PARAM(struct snapshot_wish, name, member, __VA_ARGS__)
static const struct param snapshot_params[] = {
	N("volume", volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "The volume."),
	N("name", name, .max = 255, .doc = "Name."),
	N("description", description, .max = 255, .doc = "Description: free text."),
	N("tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};
struct snapshot_change {
	struct snapshot_settings wish;
};
static const struct param snapshot_change_params[] = {
	PARAM(struct snapshot_change, "name", wish.name, .max = 255, SETS(struct snapshot_change, name),
	      .doc = "Name."),
	PARAM(struct snapshot_change, "description", wish.description, .max = 255,
	      SETS(struct snapshot_change, description), .doc = "Description: free text."),
	PARAM(struct snapshot_change, "is_public", wish.sharing.is_public,
	      .doc = "Whether all accounts may use the snapshot."),
	PARAM(struct snapshot_change, "share_with", wish.sharing.add, .kind = KIND_ACCOUNT,
	      .doc = "Accounts that gain access."),
	PARAM(struct snapshot_change, "unshare_with", wish.sharing.remove, .kind = KIND_ACCOUNT,
	      .doc = "Accounts that lose access."),
};

#define B(name, member, ...) PARAM(struct backup_wish, name, member, __VA_ARGS__)
static const struct param backup_params[] = {
	B("volume", volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "The volume."),
	B("snapshot", snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot to back up; absent: the volume's present content."),
	B("name", name, .max = 255, .doc = "Name."),
	B("description", description, .max = 255, .doc = "Description: free text."),
	B("is_incremental", is_incremental, .doc = "Whether only changes since the last backup are stored."),
	B("force", is_forced, .doc = "Whether the volume may be attached."),
};

static RESULT prepare_backup(struct native_call *e, void *args)
{
	struct backup_wish *wish = args;
	wish->target = e->config->backup_target;
	if (!wish->target.n)
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"This region keeps no backups: it has no place for them.");
	return OK;
}

static const struct param restore_params[] = {
	REF(backup_restoring, "volume", volume, VOLUME,
	    .doc = "Available volume to restore to; absent: a new one."),
	PARAM(struct backup_restoring, "name", made.name, .max = 255, .doc = "Name of the new volume."),
	REF(backup_restoring, "zone", made.zone, ZONE,
	    .doc = "Availability Zone of the new volume; absent: that of the backed-up one."),
};

/* ---- snapshot policies ---- */

struct policy_args {
	struct snapshot_policy_wish wish;
	struct str interval;
};
#define P(name, member, ...) PARAM(struct policy_args, name, member, __VA_ARGS__)
static const struct param policy_params[] = {
	P("volume", wish.volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "The volume."),
	P("interval", interval, .words = "hourly|daily|weekly|monthly", .flags = REQUIRED,
	  .doc = "Interval. A volume has one policy of each interval; this call creates or changes it."),
	P("schedule", wish.schedule, .max = 8, .flags = REQUIRED,
	  .doc = "Schedule. hourly: MM; daily: MM:HH; weekly: MM:HH:DD with 1 for Sunday to 7; monthly: "
		 "MM:HH:DD up to 28."),
	P("timezone", wish.timezone, .max = 64, .absent = "UTC",
	  .doc = "Time zone of the schedule, such as Asia/Seoul."),
	P("kept", wish.kept, .min = 1, .max = SNAPSHOT_POLICY_KEPT_MAX, .flags = REQUIRED,
	  .doc = "Number of snapshots to keep; older ones are deleted."),
	P("is_active", wish.is_active, .doc = "false: suspends the policy."),
	P("tags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags of the policy and of its snapshots."),
};
static const struct param policy_change_params[] = {
	PARAM(struct snapshot_policy_settings, "is_active", is_active, .flags = REQUIRED,
	      .doc = "Enables the policy."),
};

static RESULT prepare_policy(struct native_call *e, void *args)
{
	struct policy_args *a = args;
	const struct time_zone *zone = NULL;
	a->wish.interval = (enum snapshot_policy_interval) native_place_of_word(
		snapshot_policy_interval_words, a->interval);
	struct result result = time_zone_load(e->c, a->wish.timezone, &zone);
	if (result.code == ERR_INVALID)
		e->c->problem.field = STR("timezone");
	return result;
}

/* ---- images ---- */

#define C(name, member, ...) PARAM(struct image_capture, name, member, __VA_ARGS__)
static const struct param capture_params[] = {
	C("instance", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "Instance whose disks make the image."),
	C("name", name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Name."),
	C("description", description, .max = 255, .doc = "Description: free text."),
	C("no_reboot", no_reboot, .doc = "Leaves the guest running."),
	C("tags", image_tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};
struct image_change {
	struct image_settings wish;
};
static const struct param image_params[] = {
	PARAM(struct image_change, "description", wish.description, .max = 255,
	      SETS(struct image_change, description), .doc = "Description: free text."),
	PARAM(struct image_change, "is_public", wish.sharing.is_public,
	      .doc = "Whether all accounts may launch the image."),
	PARAM(struct image_change, "share_with", wish.sharing.add, .kind = KIND_ACCOUNT,
	      .doc = "Accounts that gain access."),
	PARAM(struct image_change, "unshare_with", wish.sharing.remove, .kind = KIND_ACCOUNT,
	      .doc = "Accounts that lose access."),
	PARAM(struct image_change, "tokens_required", wish.tokens_required,
	      .doc = "Requires IMDSv2 from instances of the image."),
};

static const struct param copy_params[] = {
	PARAM(struct image_copying, "name", name, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Name of the copy."),
	PARAM(struct image_copying, "description", description, .max = 255, .doc = "Description: free text."),
};
static const struct param activation_params[] = {
	PARAM(struct image_activation, "active", is_active, .flags = REQUIRED,
	      .doc = "Allows launches from the image."),
};
static const struct param fetch_params[] = {
	PARAM(struct image_fetching, "url", url, .min = 1, .max = 2048, .flags = REQUIRED,
	      .doc = "URL, http or https."),
};

/* ---- storage that several hosts see, and volumes that go there: for administrators ---- */

enum { NAMES_MAX = 1024, KEY_MAX = 4096 };

struct pool_args {
	struct storage_pool_wish wish;
	struct str kind, key;
};
#define POOLED(name, member, ...) PARAM(struct pool_args, name, member, __VA_ARGS__)
static const struct param pool_params[] = {
	POOLED("name", wish.name, .min = 1, .max = 255, .flags = REQUIRED,
	       .doc = "Name; unique in the region."),
	POOLED("kind", kind, .words = "shared-dir|rbd", .absent = "shared-dir",
	       .doc = "Kind: a directory that the hosts have mounted, or a Ceph pool."),
	POOLED("path", wish.path, .max = 1024, .doc = "shared-dir: path of an existing directory."),
	POOLED("monitors", wish.monitors, .max = 255,
	       .doc = "rbd: addresses and ports of the Ceph monitors."),
	POOLED("rbd_pool", wish.rbd_pool, .max = 255, .doc = "rbd: name of an existing Ceph pool."),
	POOLED("rbd_user", wish.rbd_user, .max = 255, .doc = "rbd: Ceph user, without the prefix client."),
	POOLED("key", key, .max = KEY_MAX,
	       .doc = "rbd: key of that user. Stored encrypted; never shown again."),
	POOLED("hosts", wish.hosts, .max = NAMES_MAX,
	       .doc = "Hosts that see the pool, by name; absent: all."),
	POOLED("zone", wish.zone, .kind = KIND_ZONE,
	       .doc = "Restricts the pool to hosts of this Availability Zone."),
	POOLED("description", wish.description, .max = 255, .doc = "Description: free text."),
};

/* Seals the key for a pool of that name. */
static RESULT seal_pool_key(struct native_call *e, struct str name, struct str key, struct str *ret_sealed)
{
	key = str_trim(key);
	return key.n ? crypto_seal(e->c, e->config->master_key, name, key, ret_sealed) : OK;
}

static RESULT prepare_pool(struct native_call *e, void *args)
{
	struct pool_args *a = args;
	a->wish.kind = (enum storage_pool_kind) native_place_of_word(storage_pool_kind_words, a->kind);
	return seal_pool_key(e, a->wish.name, a->key, &a->wish.rbd_key);
}

struct pool_change_args {
	struct storage_pool_settings wish;
	struct str key;
};
#define POOL_CHANGE(name, member, ...) PARAM(struct pool_change_args, name, member, __VA_ARGS__)
static const struct param pool_change_params[] = {
	POOL_CHANGE("enabled", wish.enabled, .doc = "Allows new volumes in the pool."),
	POOL_CHANGE("description", wish.description, .max = 255,
		    .given = offsetof(struct pool_change_args, wish.set_description) + 1,
		    .doc = "Description: free text."),
	POOL_CHANGE("more_hosts", wish.more_hosts, .max = NAMES_MAX,
		    .doc = "Additional hosts that see the pool, by name."),
	POOL_CHANGE("less_hosts", wish.less_hosts, .max = NAMES_MAX,
		    .doc = "Hosts that no longer see the pool."),
	POOL_CHANGE("more_types", wish.more_types, .max = NAMES_MAX,
		    .doc = "Volume types whose new volumes are created in the pool from now on."),
	POOL_CHANGE("less_types", wish.less_types, .max = NAMES_MAX,
		    .doc = "Volume types whose new volumes are created on hosts again."),
	POOL_CHANGE("monitors", wish.monitors, .max = 255, .doc = "rbd: new addresses of the Ceph monitors."),
	POOL_CHANGE("key", key, .max = KEY_MAX, .doc = "rbd: new key of the user."),
};

static RESULT prepare_pool_change(struct native_call *e, void *args)
{
	struct pool_change_args *a = args;
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_STORAGE_POOL, &a->wish.pool, &row));
	return seal_pool_key(e, storage_pool_of(row)->name, a->key, &a->wish.rbd_key);
}

static const struct param move_params[] = {
	REF(volume_moving, "pool", pool, STORAGE_POOL,
	    .doc = "Target pool, by name or id; absent: the directory of the volume's host."),
	REF(volume_moving, "host", host, HOST,
	    .doc = "Without a pool: target host, for a volume that is not attached."),
};

#define POOL(verb, ...)                                                                                      \
	ADMIN_CHANGE(verb, "/storage-pools/{id}", "ec2:ModifyHypervisor", STORAGE_POOL, __VA_ARGS__)
static const struct native_action actions[] = {
	CREATE("/volumes", "ec2:CreateVolume", VOLUME, .args = PARAMS(struct volume_wish, create_params),
	       .operation = engine_create_volume_run, .doc = "Creates a volume."),
	CHANGE(PATCH, "/volumes/{id}", "ec2:ModifyVolumeAttribute", VOLUME,
	       .args = PARAMS(struct volume_change, change_params),
	       .target = NATIVE_AT(volume_change, wish.volume), .operation = engine_update_volume_run,
	       .doc = "Changes the name, description and flags of a volume."),
	CHANGE(POST, "/volumes/{id}/modify", "ec2:ModifyVolume", VOLUME,
	       .args = PARAMS(struct volume_modifying, modify_params),
	       .target = NATIVE_AT(volume_modifying, volume), .operation = engine_modify_volume_run,
	       .doc = "Enlarges a volume or changes its type."),
	CHANGE(POST, "/volumes/{id}/attach", "ec2:AttachVolume", VOLUME,
	       .args = PARAMS(struct volume_attaching, attach_params),
	       .target = NATIVE_AT(volume_attaching, volume), .operation = engine_attach_volume_run,
	       .doc = "Attaches a volume to an instance."),
	CHANGE_MANY(POST, "/volumes/{id}/detach", "ec2:DetachVolume", VOLUME,
		    .args = PARAMS(struct volume_detaching, detach_params),
		    .target = NATIVE_AT(volume_detaching, volume), .operation = engine_detach_volume_run,
		    .doc = "Detaches a volume from an instance."),
	CHANGE(POST, "/volumes/{id}/revert", "ec2:RevertVolume", VOLUME,
	       .args = PARAMS(struct volume_reverting, revert_params),
	       .target = NATIVE_AT(volume_reverting, volume), .operation = engine_revert_volume_run,
	       .doc = "Reverts a volume to a snapshot."),
	CHANGE_MANY(DELETE, "/volumes/{id}", "ec2:DeleteVolume", VOLUME,
		    .args = PARAMS(struct volume_target, delete_params),
		    .target = NATIVE_AT(volume_target, volume), .operation = engine_delete_volume_run,
		    .doc = "Deletes a volume."),
	CREATE("/snapshots", "ec2:CreateSnapshot", SNAPSHOT,
	       .args = PARAMS(struct snapshot_wish, snapshot_params), .operation = engine_create_snapshot_run,
	       .doc = "Creates a snapshot of a volume."),
	CHANGE(PATCH, "/snapshots/{id}", "ec2:ModifySnapshotAttribute", SNAPSHOT,
	       .args = PARAMS(struct snapshot_change, snapshot_change_params),
	       .target = NATIVE_AT(snapshot_change, wish.snapshot), .operation = engine_update_snapshot_run,
	       .doc = "Changes the name and description of a snapshot, and who may use it."),
	DELETION("/snapshots/{id}", "ec2:DeleteSnapshot", SNAPSHOT, snapshot_target, snapshot,
		 engine_delete_snapshot_run, .doc = "Deletes a snapshot."),
	CREATE("/backups", "ec2:CreateBackup", BACKUP, .args = PARAMS(struct backup_wish, backup_params),
	       .prepare = prepare_backup, .operation = engine_create_backup_run,
	       .doc = "Creates a backup of a volume."),
	CHANGE(POST, "/backups/{id}/restore", "ec2:RestoreBackup", BACKUP,
	       .args = PARAMS(struct backup_restoring, restore_params),
	       .target = NATIVE_AT(backup_restoring, backup), .operation = engine_restore_backup_run,
	       .doc = "Restores a backup to a volume."),
	DELETION("/backups/{id}", "ec2:DeleteBackup", BACKUP, backup_deleting, backup,
		 engine_delete_backup_run, .doc = "Deletes a backup."),
	CREATE("/snapshot-policies", "ec2:CreateSnapshotPolicy", SNAPSHOT_POLICY,
	       .args = PARAMS(struct policy_args, policy_params), .prepare = prepare_policy,
	       .operation = engine_put_snapshot_policy_run,
	       .doc = "Creates a snapshot policy, or changes the one of the volume's interval."),
	CHANGE(PATCH, "/snapshot-policies/{id}", "ec2:ModifySnapshotPolicy", SNAPSHOT_POLICY,
	       .args = PARAMS(struct snapshot_policy_settings, policy_change_params),
	       .target = NATIVE_AT(snapshot_policy_settings, policy),
	       .operation = engine_update_snapshot_policy_run,
	       .doc = "Suspends or resumes a snapshot policy."),
	CHANGE_MANY(DELETE, "/snapshot-policies/{id}", "ec2:DeleteSnapshotPolicy", SNAPSHOT_POLICY,
		    .args = {.size = sizeof(struct snapshot_policies_target)},
		    .targets = NATIVE_AT(snapshot_policies_target, policies),
		    .operation = engine_delete_snapshot_policies_run,
		    .doc = "Deletes a snapshot policy. Its snapshots stay."),
	CREATE("/images", "ec2:CreateImage", IMAGE, .args = PARAMS(struct image_capture, capture_params),
	       .operation = engine_capture_image_run,
	       .doc = "Creates an image from the disks of an instance."),
	CHANGE(PATCH, "/images/{id}", "ec2:ModifyImageAttribute", IMAGE,
	       .args = PARAMS(struct image_change, image_params),
	       .target = NATIVE_AT(image_change, wish.image), .operation = engine_update_image_run,
	       .doc = "Changes the name and description of an image, and who may launch it."),
	CHANGE(POST, "/images/{id}/copy", "ec2:CopyImage", IMAGE,
	       .args = PARAMS(struct image_copying, copy_params), .target = NATIVE_AT(image_copying, source),
	       .operation = engine_copy_image_run, .doc = "Copies an image."),
	CHANGE(POST, "/images/{id}/activate", "ec2:EnableImage", IMAGE,
	       .args = PARAMS(struct image_activation, activation_params),
	       .target = NATIVE_AT(image_activation, image), .operation = engine_activate_image_run,
	       .doc = "Allows or forbids launches."),
	CHANGE(POST, "/images/{id}/fetch", "ec2:ImportImage", IMAGE,
	       .args = PARAMS(struct image_fetching, fetch_params),
	       .target = NATIVE_AT(image_fetching, image), .operation = engine_fetch_image_run,
	       .doc = "Fetches the data of an image from a URL."),
	DELETION("/images/{id}", "ec2:DeregisterImage", IMAGE, image_target, image, engine_delete_image_run,
		 .doc = "Deregisters an image."),
	ADMIN_CREATE("/storage-pools", "ec2:ModifyHypervisor", STORAGE_POOL,
		     .args = PARAMS(struct pool_args, pool_params), .prepare = prepare_pool,
		     .operation = engine_add_storage_pool_run,
		     .doc = "Adds a storage pool, which several hosts see."),
	POOL(PATCH, .args = PARAMS(struct pool_change_args, pool_change_params),
	     .target = NATIVE_AT(pool_change_args, wish.pool), .prepare = prepare_pool_change,
	     .operation = engine_update_storage_pool_run,
	     .doc = "Changes the hosts of a storage pool, or the volume types that use it."),
	POOL(DELETE, .args = {.size = sizeof(struct storage_pool_target)},
	     .target = NATIVE_AT(storage_pool_target, pool), .operation = engine_remove_storage_pool_run,
	     .doc = "Removes a storage pool without volumes. Its directory stays."),
	ADMIN_CHANGE(POST, "/volumes/{id}/move", "ec2:MoveVolume", VOLUME,
		     .args = PARAMS(struct volume_moving, move_params),
		     .target = NATIVE_AT(volume_moving, volume), .operation = engine_move_volume_run,
		     .doc = "Moves a volume, attached or not, to another storage pool or host."),
};
const struct api_actions native_storage_actions = API_ACTIONS(actions);
