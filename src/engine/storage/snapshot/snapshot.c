/* SPDX-License-Identifier: Apache-2.0
 * Snapshots. reconcile/storage/snapshot.c cuts them and stores their files. */
#include "engine/storage/snapshot/snapshot.h"

#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/disk_crypt.h"
#include "engine/storage/sharing.h"
#include "engine/storage/sharing_internal.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_swap.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "engine/tag_internal.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/account.h"
#include "store/backup.h"
#include "store/cloud_migration_disk.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/volume.h"

RESULT snapshot_meter(struct op *op, const struct snapshot *snapshot, int64_t level)
{
	return op_usage(op, KIND_SNAPSHOT, snapshot->row.id, snapshot->account, STR("snapshot"), level);
}

bool engine_snapshot_is_pending(const struct snapshot *snapshot)
{
	return model_derive_snapshot_state(snapshot) == SNAPSHOT_PENDING;
}

/* ---- create ---- */

static size_t count_pending(const struct tables *t, uuid volume)
{
	size_t count = 0;
	for (const struct snapshot *s = snapshot_first_by_volume(t, volume); s;
	     s = snapshot_next_by_volume(t, s))
		count += engine_snapshot_is_pending(s);
	return count;
}

RESULT snapshot_check_description(struct op *op, struct str description)
{
	if (description.n <= 255 && str_is_xml_text(description))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT, STR("Description"),
			   "A description has up to 255 characters.");
}

static RESULT check_bytes(struct op *op, uuid account, int64_t bytes)
{
	struct result result = quota_check(op, account, QUOTA_VOLUME_BYTES, bytes);
	if (result.code == ERR_QUOTA)
		op->ctx->problem.kind = KIND_SNAPSHOT; /* the quota belongs to volumes, but the message is
						        * about the snapshot */
	return result;
}

RESULT snapshot_check_quotas(struct op *op, uuid account, struct str type, int64_t count, int64_t bytes)
{
	const struct volume_type_figures more = {.snapshots = count, .bytes = bytes};
	TRY(quota_check(op, account, QUOTA_SNAPSHOTS, count));
	TRY(quota_check_disk(op, account, 1, KIND_SNAPSHOT));
	TRY(check_bytes(op, account, bytes));
	return volume_type_limit_check(op, account, type, &more);
}

RESULT snapshot_write_of(struct op *op, const struct volume *volume, struct snapshot *snapshot)
{
	if (volume->seen_size == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, STR("VolumeId"),
				   "The volume '%" STR_FMT "' is being created.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)));
	if (volume->lost_us || volume->destroyed_us)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, STR("VolumeId"),
				   "The volume '%" STR_FMT "' is %s.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)),
				   volume->lost_us ? "lost with its host" : "destroyed");
	if (volume->reverts != volume->seen_reverts)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, STR("VolumeId"),
				   "The volume '%" STR_FMT "' is being reverted.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)));
	if (engine_volume_is_restoring(op->head, volume))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, STR("VolumeId"),
				   "A backup is being restored to the volume '%" STR_FMT "'.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)));
	if (engine_is_swapping(op->head, volume))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, STR("VolumeId"),
				   "The volume '%" STR_FMT "' is being %s.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)),
				   volume->moves ? "moved to another pool" : "swapped");
	if (count_pending(op->head, volume->row.id) >= SNAPSHOTS_PENDING_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_SNAPSHOT, STR("VolumeId"),
				   "The volume '%" STR_FMT "' has %d pending snapshots, as many as it may "
				   "have.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)),
				   SNAPSHOTS_PENDING_MAX);
	TRY(snapshot_check_description(op, snapshot->description));
	/* the image, copy or backup counts against its own quota; a bound snapshot has none */
	TRY(snapshot->is_bound
		    ? quota_check_disk(op, volume->account, 1, KIND_SNAPSHOT)
		    : snapshot_check_quotas(op, volume->account, volume->type, 1, volume->seen_size));
	snapshot->row.id = engine_new_id(op, KIND_SNAPSHOT);
	snapshot->row.gen = 1;
	snapshot->account = volume->account;
	snapshot->volume = volume->row.id;
	snapshot->volume_size = volume->seen_size;
	snapshot->instance = volume->instance;
	snapshot->host = volume->seen_host;
	snapshot->pool = volume->pool;
	snapshot->is_encrypted = volume->is_encrypted;
	snapshot->data_key = volume->data_key;
	TRY(snapshot_put(op, snapshot));
	return engine_log_event(op, KIND_SNAPSHOT, &snapshot->row, "created", "Of volume %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)));
}

RESULT engine_create_snapshot(struct op *op, struct snapshot_wish *wish)
{
	const struct volume *volume = NULL;
	struct snapshot snapshot = {.name = wish->name, .description = wish->description};
	TRY(engine_permit_volume(op, &wish->volume, "snapshot.create", &volume));
	if (wish->only_free &&
	    model_derive_attachment(volume->instance, volume->seen_instance) != ATTACHMENT_NONE)
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_VOLUME,
				     "Invalid volume: Volume must be available, or force be set.");
	TRY(tag_normalize(op, wish->tags, &snapshot.tags));
	TRY(snapshot_write_of(op, volume, &snapshot));
	wish->snapshot = snapshot.row.id;
	return OK;
}

/* Joins the requested tags with the volume's. The requested tag wins for an equal key. */
static RESULT join_tags(struct op *op, struct tags wished, struct tags own, struct tags *ret_tags)
{
	struct tag *tags = arena_new_array(op->ctx->arena, struct tag, wished.count + own.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < wished.count; n++)
		tags[count++] = wished.at[n];
	for (size_t n = 0; n < own.count; n++)
		if (!tags_find(wished, own.at[n].key))
			tags[count++] = own.at[n];
	return tag_normalize(op, (struct tags){tags, count}, ret_tags);
}

static RESULT find_excluded(struct op *op, const struct refs *refs, struct uuids *ret_volumes)
{
	uuid *volumes = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	if (!volumes)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < refs->count; n++) {
		const struct volume *volume = NULL;
		TRY(engine_find_own_volume(op->ctx, op->head, &refs->at[n], &volume));
		volumes[n] = volume->row.id;
	}
	*ret_volumes = (struct uuids){volumes, refs->count};
	return OK;
}

RESULT engine_create_snapshots(struct op *op, struct instance_snapshots *wish)
{
	const struct instance *instance = NULL;
	struct volume_list disks;
	struct uuids excluded;
	struct tags tags;
	uuid *made = arena_new_array(op->ctx->arena, uuid, INSTANCE_VOLUMES_MAX);
	size_t count = 0;
	if (!made)
		return ctx_no_memory(op->ctx);
	TRY(engine_permit_instance(op, &wish->instance, "snapshot.create", &instance));
	TRY(find_excluded(op, &wish->without, &excluded));
	TRY(tag_normalize(op, wish->tags, &tags));
	TRY(engine_list_disks(op->ctx->arena, op->head, instance->row.id, false, &disks));
	for (size_t n = 0; n < disks.count && count < INSTANCE_VOLUMES_MAX; n++) {
		struct snapshot snapshot = {.description = wish->description};
		const struct volume *v = disks.at[n];
		if ((wish->without_root && v->device_slot == 0) || uuids_have(&excluded, v->row.id))
			continue;
		TRY(engine_check_found(op->ctx, op->head, KIND_VOLUME,
				       &v->row)); /* the call names the instance alone */
		bool with_own = wish->with_tags == CHOICE_YES;
		TRY(join_tags(op, tags, with_own ? v->tags : (struct tags){0}, &snapshot.tags));
		TRY(snapshot_write_of(op, v, &snapshot));
		made[count++] = snapshot.row.id;
	}
	if (count == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->instance.field,
				   "The instance '%" STR_FMT "' has no such volumes.",
				   STR_ARG(wish->instance.text));
	wish->made = (struct uuids){made, count};
	return OK;
}

/* The reconciler writes the file from the source's file, which stays as long as this copy needs it. */
static RESULT write_encrypted_copy(struct op *op, const struct snapshot *source, struct snapshot *snapshot)
{
	snapshot->plain_sha256 = source->sha256;
	snapshot->is_encrypted = true;
	TRY(snapshot_put(op, snapshot));
	return engine_log_event(op, KIND_SNAPSHOT, &snapshot->row, "created",
				"To encrypt snapshot %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_SNAPSHOT, source->row.id)));
}

RESULT snapshot_write_copy(struct op *op, const struct snapshot *source, const struct disk_crypt *crypt,
			   struct snapshot *snapshot)
{
	bool encrypts = crypt->is_wanted == CHOICE_YES || disk_plan_is_encrypted_by_default(op);
	if (model_derive_snapshot_state(source) != SNAPSHOT_COMPLETED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, STR("SourceSnapshotId"),
				   "The snapshot '%" STR_FMT "' is not completed",
				   STR_ARG(engine_write_id(op, KIND_SNAPSHOT, source->row.id)));
	TRY(snapshot_check_description(op, snapshot->description));
	TRY(disk_plan_check_key(op, crypt, encrypts || source->is_encrypted));
	TRY(quota_check(op, snapshot->account, QUOTA_SNAPSHOTS, 1));
	TRY(quota_check_disk(op, snapshot->account, source->file_size, KIND_SNAPSHOT));
	snapshot->row.id = engine_new_id(op, KIND_SNAPSHOT);
	snapshot->row.gen = 1;
	snapshot->volume_size = source->volume_size;
	snapshot->file_size = source->file_size;
	if (encrypts && !source->is_encrypted)
		return write_encrypted_copy(op, source, snapshot);
	snapshot->sha256 = source->sha256;
	snapshot->is_encrypted = source->is_encrypted;
	snapshot->data_key = source->data_key;
	snapshot->progress = 100;
	snapshot->seen_stage = SNAPSHOT_SEEN_STAGE_KEPT;
	snapshot->seen_gen = 1;
	TRY(snapshot_put(op, snapshot));
	TRY(snapshot_meter(op, snapshot, snapshot->file_size));
	return engine_log_event(op, KIND_SNAPSHOT, &snapshot->row, "copied", "From snapshot %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_SNAPSHOT, source->row.id)));
}

RESULT engine_copy_snapshot(struct op *op, struct snapshot_copying *wish)
{
	uuid account = UUID_NONE;
	const struct snapshot *source = NULL;
	struct snapshot snapshot = {.description = wish->description};
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_find_snapshot(op->ctx, op->head, &wish->source, &source));
	TRY(engine_permit(op, "snapshot.create", KIND_SNAPSHOT, &source->row));
	TRY(tag_normalize(op, wish->tags, &snapshot.tags));
	snapshot.account = account;
	TRY(snapshot_write_copy(op, source, &wish->crypt, &snapshot));
	wish->snapshot = snapshot.row.id;
	return OK;
}

/* The account may block public snapshots. One that is public already stays so. */
static RESULT check_public(struct op *op, const struct snapshot *before, const struct snapshot *next)
{
	const struct account *account = account_find(op->head, next->account);
	if (!next->is_public || before->is_public || !account ||
	    account->public_snapshots == ACCOUNT_PUBLIC_SNAPSHOTS_ALLOWED)
		return OK;
	return ENGINE_FAIL(
		op, ERR_PROTECTED, KIND_SNAPSHOT, STR_NONE,
		"The snapshot cannot become public: the account blocks public access to snapshots.");
}

RESULT engine_update_snapshot(struct op *op, struct snapshot_settings *wish)
{
	const struct snapshot *snapshot = NULL;
	TRY(engine_permit_snapshot(op, &wish->snapshot, "snapshot.update", &snapshot));
	struct snapshot next = *snapshot;
	if (wish->set_name)
		next.name = wish->name;
	if (wish->set_description)
		next.description = wish->description;
	TRY(sharing_change(op, KIND_SNAPSHOT, &wish->sharing, &next.is_public, &next.restorers));
	TRY(check_public(op, snapshot, &next));
	if (next.is_encrypted && (next.is_public || next.restorers.count))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_SNAPSHOT, wish->snapshot.field,
				   "Encrypted snapshots with EBS default key cannot be shared");
	TRY(snapshot_check_description(op, next.name));
	TRY(snapshot_check_description(op, next.description));
	TRY(snapshot_put(op, &next));
	return engine_log_event(op, KIND_SNAPSHOT, &next.row, "changed", "What is said of it.");
}

/* ---- delete ---- */

RESULT snapshot_delete_metered(struct op *op, const struct snapshot *snapshot)
{
	TRY(snapshot_delete(op, snapshot->row.id));
	TRY(snapshot_meter(op, snapshot, 0));
	return engine_log_event(op, KIND_SNAPSHOT, &snapshot->row, "deleted", "Snapshot of %lld bytes.",
				(long long) snapshot->volume_size);
}

/* The message hides the id of another account's image. */
static RESULT fail_in_use(struct op *op, const struct snapshot_target *wish, const struct image *image)
{
	bool is_known = image && engine_may_see(op->ctx, KIND_IMAGE, &image->row);
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_SNAPSHOT, wish->snapshot.field,
			   "The snapshot %" STR_FMT " is currently in use by %" STR_FMT,
			   STR_ARG(wish->snapshot.text),
			   STR_ARG(is_known ? engine_write_id(op, KIND_IMAGE, image->row.id)
					    : STR("an image of another account")));
}

/* An image of another account that uses the snapshot, or NULL. */
static const struct image *find_foreign_image(const struct op *op, const struct snapshot *snapshot)
{
	const struct image_device *d = image_device_first_by_snapshot(op->head, snapshot->row.id);
	for (; d; d = image_device_next_by_snapshot(op->head, d)) {
		const struct image *image = image_find(op->head, d->image);
		if (image && !uuid_equal(image->account, snapshot->account))
			return image;
	}
	return NULL;
}

static RESULT leave_to_images(struct op *op, const struct snapshot *snapshot)
{
	struct snapshot next = *snapshot;
	next.is_bound = true;
	TRY(snapshot_put(op, &next));
	return engine_log_event(op, KIND_SNAPSHOT, &next.row, "left", "To the images that have it.");
}

RESULT engine_delete_snapshot(struct op *op, struct snapshot_target *wish)
{
	const struct snapshot *snapshot = NULL;
	TRY(engine_permit_snapshot(op, &wish->snapshot, "snapshot.delete", &snapshot));
	if (wish->leaves_to_images && snapshot->is_bound)
		return engine_fail_not_found(op->ctx, KIND_SNAPSHOT, &wish->snapshot);
	const struct image_device *device = image_device_first_by_snapshot(op->head, snapshot->row.id);
	if (device && (!wish->leaves_to_images || find_foreign_image(op, snapshot)))
		return fail_in_use(op, wish, image_find(op->head, device->image));
	if (!uuid_is_none(snapshot->group_snapshot))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_SNAPSHOT, wish->snapshot.field,
				   "Invalid snapshot: Snapshot %" STR_FMT " must not be part of a group.",
				   STR_ARG(wish->snapshot.text));
	if (!uuid_is_none(snapshot->instance_snapshot))
		return ENGINE_FAIL(
			op, ERR_IN_USE, KIND_SNAPSHOT, wish->snapshot.field,
			"The snapshot %" STR_FMT " is currently in use by the instance snapshot %" STR_FMT
			", with which it goes",
			STR_ARG(wish->snapshot.text),
			STR_ARG(engine_write_id(op, KIND_INSTANCE_SNAPSHOT, snapshot->instance_snapshot)));
	if (snapshot->is_migrating && engine_snapshot_is_pending(snapshot))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_SNAPSHOT, wish->snapshot.field,
				   "The snapshot %" STR_FMT " is being written by a migration; undo that",
				   STR_ARG(wish->snapshot.text));
	if (backup_first_by_cut(op->head, snapshot->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_SNAPSHOT, wish->snapshot.field,
				   "The snapshot %" STR_FMT " is being backed up",
				   STR_ARG(wish->snapshot.text));
	if (!wish->force && snapshot->reservation != SNAPSHOT_RESERVATION_ERROR)
		TRY(snapshot_check_unreserved(op, snapshot, &wish->snapshot));
	return device ? leave_to_images(op, snapshot) : snapshot_delete_metered(op, snapshot);
}

/* ---- reservation ---- */

RESULT snapshot_check_unreserved(struct op *op, const struct snapshot *snapshot, const struct ref *ref)
{
	return snapshot->reservation == SNAPSHOT_RESERVATION_NONE
		       ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, ref->field,
				     "The snapshot '%" STR_FMT "' is %s.", STR_ARG(ref->text),
				     snapshot_reservation_words[snapshot->reservation]);
}

RESULT engine_reserve_snapshot(struct op *op, struct snapshot_reserving *wish)
{
	const struct snapshot *snapshot = NULL;
	TRY(engine_permit_snapshot(op, &wish->snapshot, "snapshot.update", &snapshot));
	struct snapshot next = *snapshot;
	next.reservation = wish->to;
	next.said_progress = wish->progress;
	TRY(snapshot_put(op, &next));
	return engine_log_event(op, KIND_SNAPSHOT, &next.row, "held", "Held: %s.",
				snapshot_reservation_words[next.reservation]);
}

/* ---- for the reconciler ---- */

/* At the cut the base of the increment is pinned, and the volume is marked as recording writes since this
 * snapshot. */
static RESULT apply_cut(struct op *op, const struct snapshot_report *report, struct snapshot *next)
{
	const struct volume *volume = volume_find(op->head, next->volume);
	if (report->over.n && !snapshot_first_by_sha256(op->head, report->over))
		return ctx_fail_kind(op->ctx, ERR_AGAIN, KIND_SNAPSHOT, "What it was cut since is gone.");
	next->over = report->over;
	next->moment = report->moment;
	if (!report->is_tracked || !volume || !row_is_live(&volume->row))
		return OK;
	struct volume tracked = *volume;
	tracked.tracked_from = next->row.id;
	return volume_put(op, &tracked);
}

static void apply_report(const struct snapshot_report *report, struct snapshot *next)
{
	if ((int64_t) report->gen > next->seen_gen)
		next->seen_gen = (int64_t) report->gen;
	if (report->stage > next->seen_stage)
		next->seen_stage = report->stage;
	if (report->progress > next->progress)
		next->progress = report->progress;
	next->is_held = report->is_held;
	if (report->volume_size > 0)
		next->volume_size = report->volume_size;
	if (report->stage == SNAPSHOT_SEEN_STAGE_KEPT) {
		next->progress = 100;
		next->sha256 = report->sha256;
		next->file_size = report->file_size;
		next->cut_size = report->cut_size;
		next->over = STR_NONE;
		next->plain_sha256 = STR_NONE;
		if (report->data_key.n)
			next->data_key = report->data_key;
	}
	next->problem = report->problem;
	if (report->problem.n && next->blocks_timeout_min)
		next->file_size = 0; /* was reserved for the blocks */
}

RESULT engine_see_snapshot(struct op *op, struct snapshot_report *report)
{
	const struct snapshot *snapshot = snapshot_find(op->head, report->snapshot);
	if (!snapshot || !engine_snapshot_is_pending(snapshot))
		return OK;
	struct snapshot next = *snapshot;
	if (snapshot->seen_stage == SNAPSHOT_SEEN_STAGE_NONE && report->stage == SNAPSHOT_SEEN_STAGE_CUT)
		TRY(apply_cut(op, report, &next));
	apply_report(report, &next);
	if (row_equal(&model_kinds[KIND_SNAPSHOT], &snapshot->row, &next.row))
		return OK;
	TRY(snapshot_put(op, &next));
	enum snapshot_state state = model_derive_snapshot_state(&next);
	if (state == SNAPSHOT_ERROR && !uuid_is_none(next.backup))
		return backup_fail_restore(op, &next);
	if (state == SNAPSHOT_ERROR)
		return engine_log_event(op, KIND_SNAPSHOT, &next.row, "failed", "%" STR_FMT,
					STR_ARG(next.problem));
	if (state != SNAPSHOT_COMPLETED)
		return OK;
	TRY(snapshot_meter(op, &next, next.file_size));
	if (!uuid_is_none(next.restores))
		TRY(backup_end_restore(op, &next));
	bool is_needed = image_device_first_by_snapshot(op->head, next.row.id) ||
			 backup_first_by_cut(op->head, next.row.id) ||
			 cloud_migration_disk_first_by_snapshot(op->head, next.row.id);
	if (next.is_bound && !is_needed)
		return snapshot_delete_metered(op, &next); /* the image, copy or backup it was made for has
							    * the file now */
	return engine_log_event(op, KIND_SNAPSHOT, &next.row, "completed",
				"It takes %lld bytes; %lld came from its host.", (long long) next.file_size,
				(long long) next.cut_size);
}

RESULT engine_leave_snapshot_host(struct op *op, struct snapshot_leaving *wish)
{
	const struct snapshot *snapshot = snapshot_find(op->head, wish->snapshot);
	if (!snapshot || uuid_is_none(snapshot->host))
		return OK;
	if (engine_snapshot_is_pending(snapshot))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SNAPSHOT, "The snapshot is still to be made.");
	struct snapshot next = *snapshot;
	next.host = next.pool = UUID_NONE;
	return snapshot_put(op, &next);
}

RESULT engine_forget_snapshot(struct op *op, struct snapshot_forget *wish)
{
	const struct snapshot *snapshot = snapshot_find(op->head, wish->snapshot);
	if (!snapshot)
		return OK;
	if (row_is_live(&snapshot->row) || !uuid_is_none(snapshot->host))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SNAPSHOT,
				     "The snapshot is not deleted, or its host still has something of it.");
	return snapshot_forget(op, wish->snapshot);
}
