/* SPDX-License-Identifier: Apache-2.0
 * Modifications of volumes: size, type, performance, sharing. reconcile/storage/volume.c grows the disk or moves
 * it. */
#include "engine/storage/volume/volume_internal.h"

#include <inttypes.h>

#include "engine/instance/instance_internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_group_internal.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "model/storage_pool.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

static RESULT check_modifiable(struct op *op, const struct volume_modifying *wish,
			       const struct volume *volume)
{
	if (volume->seen_size == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT "' is being created.", STR_ARG(wish->volume.text));
	if (!wish->size && str_is_empty(wish->type) && !wish->iops && !wish->throughput &&
	    wish->is_shared == CHOICE_DEFAULT)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_VOLUME, STR("Size"),
				   "The request must contain the parameter size, volumeType, iops or "
				   "throughput");
	if (volume->modified_us && !volume->modified_end_us)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_VOLUME, wish->volume.field,
				   "Cannot modify volume in modification state MODIFYING");
	if (wish->size && wish->size < volume->size + wish->must_grow)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("Size"),
				   wish->must_grow ? "New size for extend must be greater than current size."
						   : "New size cannot be smaller than existing size");
	return OK;
}

/* A new type starts with its own defaults; io1 and io2, which require IOPS, with 3,000. */
static void apply_modification(const struct volume_modifying *wish, struct disk_plan *disk)
{
	if (wish->size)
		disk->size = wish->size;
	if (!str_is_empty(wish->type) && !str_equal(wish->type, disk->type)) {
		disk->type = wish->type;
		disk->iops = str_starts_with(wish->type, STR("io")) ? 3000 : 0;
		disk->throughput = 0;
	}
	if (wish->iops)
		disk->iops = wish->iops;
	if (wish->throughput)
		disk->throughput = wish->throughput;
}

static RESULT fail_sharing(struct op *op, enum err err, struct str field, const char *why)
{
	return ENGINE_FAIL(op, err, KIND_VOLUME, field, "%s", why);
}

/* EC2's documentation says what cannot be changed; the error codes are guesses. The operator's own types,
 * known to Cinder only, have none of these limits. */
static RESULT check_shared_change(struct op *op, const struct volume_modifying *wish,
				  const struct volume *volume, const struct disk_plan *disk)
{
	bool is_ec2 = disk_plan_is_ec2_type(volume->type) && !disk_plan_type_shares(op, volume->type);
	if (is_ec2 && !str_equal(disk->type, volume->type))
		return fail_sharing(
			op, ERR_UNSUPPORTED, STR("VolumeType"),
			"The type of a volume that is enabled for Multi-Attach cannot be modified.");
	if (is_ec2 && str_is(volume->type, "io1") && (wish->size || wish->iops))
		return fail_sharing(
			op, ERR_UNSUPPORTED, STR("Size"),
			"Size and iops of an io1 volume that is enabled for Multi-Attach cannot be "
			"modified.");
	return OK;
}

/* A shared volume's file has another format, and it can be converted only while no guest has it open. */
static RESULT check_sharing(struct op *op, const struct volume_modifying *wish, const struct volume *volume,
			    const struct disk_plan *disk)
{
	bool is_ec2 = disk_plan_is_ec2_type(disk->type) && !disk_plan_type_shares(op, disk->type);
	if (disk->is_shared == volume->is_shared)
		return volume->is_shared ? check_shared_change(op, wish, volume, disk) : OK;
	if (!uuid_is_none(engine_volume_holder(volume)))
		return fail_sharing(op, ERR_STATE, wish->volume.field,
				    "Multi-Attach can be enabled and disabled only while the volume is not "
				    "attached to an instance.");
	if (engine_volume_is_being_copied(op->head, volume->row.id))
		return fail_sharing(op, ERR_STATE, wish->volume.field,
				    "A snapshot of the volume is on its way.");
	if (is_ec2 && str_equal(disk->type, volume->type) && !str_is(disk->type, "io2"))
		return fail_sharing(op, ERR_COMBINATION, STR("MultiAttachEnabled"),
				    "Multi-Attach can be enabled and disabled only for volumes of the type "
				    "io2 once they are made.");
	return disk->is_shared ? disk_plan_check_sharing(op, disk->type, volume->is_encrypted) : OK;
}

bool volume_is_as_modified(const struct volume *volume)
{
	return volume->seen_size >= volume->size && (volume->is_raw || !volume->is_shared) && !volume->moves;
}

static RESULT write_modification(struct op *op, const struct volume *volume, const struct disk_plan *disk)
{
	struct volume next = *volume;
	next.before_size = volume->size;
	next.before_type = volume->type;
	next.before_iops = volume->iops;
	next.before_throughput = volume->throughput;
	next.before_shared = volume->is_shared;
	next.size = disk->size;
	next.type = disk->type;
	next.iops = disk->iops;
	next.throughput = disk->throughput;
	next.is_shared = disk->is_shared;
	next.modified_us = op->now_us;
	next.modified_end_us = volume_is_as_modified(&next) ? op->now_us : 0;
	next.row.gen++;
	TRY(volume_put(op, &next));
	if (!str_equal(volume->type, next.type))
		TRY(volume_meter(op, volume, 0));
	TRY(volume_meter(op, &next, next.size));
	return engine_log_event(op, KIND_VOLUME, &next.row, "modify asked",
				"From %" PRId64 " bytes of %" STR_FMT " to %" PRId64 " of %" STR_FMT ".",
				volume->size, STR_ARG(volume->type), next.size, STR_ARG(next.type));
}

/* Nova's users see the extension in the instance's history. */
static RESULT log_growth(struct op *op, const struct volume *volume, uuid holder, int64_t size)
{
	const struct instance *instance = uuid_is_none(holder) ? NULL : instance_find(op->head, holder);
	return instance ? engine_log_event(op, KIND_INSTANCE, &instance->row, "volume extension asked",
					   "Volume %" STR_FMT " to %" PRId64 " bytes.",
					   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)), size)
			: OK;
}

static RESULT log_growth_to_all(struct op *op, const struct volume *volume, int64_t size)
{
	TRY(log_growth(op, volume, volume->instance, size));
	for (const struct volume_attachment *f = volume_attachment_first_by_volume(op->head, volume->row.id);
	     f; f = volume_attachment_next_by_volume(op->head, f))
		TRY(log_growth(op, volume, f->instance, size));
	return OK;
}

static bool changes_pool(struct op *op, const struct volume *volume, struct str type)
{
	const struct storage_pool *pool = engine_find_pool_of_type(op->head, type);
	return !str_equal(type, volume->type) && !uuid_equal(pool ? pool->row.id : UUID_NONE, volume->pool);
}

/* A move to the new type's pool excludes other changes. */
static RESULT check_pool_change(struct op *op, const struct volume_modifying *wish,
				const struct volume *volume, const struct disk_plan *disk)
{
	if (!changes_pool(op, volume, disk->type))
		return OK;
	if (wish->stays_in_pool)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_VOLUME, STR("VolumeType"),
				   "Volumes of the type '%" STR_FMT
				   "' lie in another storage pool: to go there was not allowed.",
				   STR_ARG(disk->type));
	if (disk->size != volume->size || disk->is_shared != volume->is_shared)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, STR("VolumeType"),
				   "Volumes of the type '%" STR_FMT
				   "' lie in another storage pool: change the size, and whether several "
				   "instances may have it, before or after that.",
				   STR_ARG(disk->type));
	TRY(storage_pool_check_type(op, disk->type, STR("VolumeType")));
	return volume_check_movable(op, volume, &wish->volume);
}

static RESULT begin_pool_change(struct op *op, uuid volume, struct str type)
{
	const struct volume_destination to = {.pool = engine_find_pool_of_type(op->head, type),
					      .reservation = VOLUME_RESERVATION_RETYPING,
					      .field = STR("VolumeType")};
	return volume_begin_move(op, volume, &to);
}

static RESULT check_type_limits(struct op *op, const struct volume *volume, const struct disk_plan *disk)
{
	struct volume_type_figures more = {.bytes = disk->size - volume->size};
	if (!str_equal(disk->type, volume->type))
		more = (struct volume_type_figures){.volumes = 1, .bytes = disk->size};
	return volume_type_limit_check(op, volume->account, disk->type, &more);
}

RESULT engine_modify_volume(struct op *op, struct volume_modifying *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "volume.modify", &volume));
	TRY(check_modifiable(op, wish, volume));
	TRY(volume_check_unreserved(op, volume, &wish->volume));
	struct disk_plan disk = {.size = volume->size,
				 .type = volume->type,
				 .iops = volume->iops,
				 .throughput = volume->throughput,
				 .is_shared = choice_or(wish->is_shared, volume->is_shared),
				 .field = STR("Size")};
	apply_modification(wish, &disk);
	if (!str_equal(disk.type, volume->type))
		TRY(volume_group_check_none(op, volume, &wish->volume));
	TRY(disk_plan_check_type(op, &disk));
	if (!str_equal(disk.type, volume->type))
		TRY(volume_check_offered(op, disk.type, volume->zone, disk.field));
	TRY(check_sharing(op, wish, volume, &disk));
	if (!volume->is_encrypted && !str_equal(disk.type, volume->type) &&
	    disk_plan_type_encrypts(op, disk.type))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("VolumeType"),
				   "Retype cannot change encryption requirements.");
	TRY(check_pool_change(op, wish, volume, &disk));
	bool goes = changes_pool(op, volume, disk.type);
	int64_t more = disk.size - volume->size;
	if (more > 0) {
		TRY(instance_check_no_snapshots(
			op, engine_volume_holder(volume), wish->volume.field,
			"A volume that is attached to a VM with any VM snapshots cannot be resized."));
		TRY(quota_check_each(op, volume->account, QUOTA_VOLUME_SIZE, disk.size));
		TRY(quota_check(op, volume->account, QUOTA_VOLUME_BYTES, more));
	}
	TRY(volume_check_room(op, volume, host_find(op->head, volume->host), more, STR("Size")));
	TRY(check_type_limits(op, volume, &disk));
	wish->modified_volume = volume->row.id;
	if (more > 0)
		TRY(log_growth_to_all(op, volume, disk.size));
	TRY(write_modification(op, volume, &disk));
	return goes ? begin_pool_change(op, wish->modified_volume, disk.type) : OK;
}
