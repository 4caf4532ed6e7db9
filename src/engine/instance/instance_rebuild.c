/* SPDX-License-Identifier: Apache-2.0
 * Rebuild: replaces an instance's root disk by a new one. The reconciler (reconcile/instance/instance.c) turns the
 * instance off, waits for the disk, and starts it from that. Called by: api/openstack. */
#include "engine/instance/instance.h"
#include "engine/instance/instance_files_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/key_pair.h"
#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/tag_internal.h"
#include "model/image.h"
#include "model/key_pair.h"
#include "model/storage_pool.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/volume.h"

/* Plans the new root disk: the image's, with the device name of the present one. */
static RESULT plan_root(struct op *op, const struct instance *instance, const struct image *image,
			const struct volume *old, const struct ref *ref, struct disk_plans *ret_disks)
{
	const struct instance_type *type = instance_type_find(op->head, instance->type);
	TRY(disk_plans_of_image(op, image, ret_disks));
	ret_disks->count = 1; /* further disks of the image are ignored: the instance keeps its own */
	ret_disks->at[0].device = old->device;
	ret_disks->at[0].tag = &old->device_tag;
	if (type) {
		TRY(instance_check_needs(op, image, type, ref->field));
		TRY(instance_size_root(op, type, ref->field, &ret_disks->at[0]));
	}
	TRY(disk_plans_finish(op, ret_disks));
	return disk_plan_check_source(op, &ret_disks->at[0]);
}

static RESULT find_old_root(struct op *op, const struct instance *instance, const struct ref *ref,
			    const struct volume **ret_root)
{
	*ret_root = instance_find_root(op->head, instance->row.id);
	if (*ret_root && !engine_volume_is_being_copied(op->head, (*ret_root)->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
			   *ret_root ? "The root disk of the instance '%" STR_FMT "' is being copied."
				     : "The instance '%" STR_FMT "' has no root disk.",
			   STR_ARG(ref->text));
}

RESULT instance_leave_disk(struct op *op, const struct volume *disk)
{
	struct volume next = *disk;
	bool goes = disk->delete_on_termination && !engine_has_several_attachments(op->head, disk->row.id);
	next.instance = UUID_NONE;
	next.delete_on_termination = false;
	if (uuid_is_none(next.seen_instance))
		TRY(volume_leave_instance(op, &next));
	next.row.gen++;
	TRY(volume_put(op, &next));
	return goes ? volume_delete_metered(op, &next) : OK;
}

RESULT instance_write_disk(struct op *op, const struct instance *instance, const struct disk_plan *disk,
			   int64_t slot, struct str field, uuid *ret_volume)
{
	struct volume volume = {.account = instance->account,
				.zone = instance->zone,
				.host = instance->host,
				.instance = instance->row.id,
				.device = disk->device,
				.device_tag = disk->tag ? *disk->tag : STR_NONE,
				.device_slot = slot,
				.attached_us = op->now_us,
				.delete_on_termination = disk->delete_on_termination};
	if (disk->local == VOLUME_LOCAL_NO)
		TRY(volume_check_quotas(op, instance->account, disk));
	const struct storage_pool *pool = engine_find_pool_of_type(op->head, disk->type);
	volume.pool = pool ? pool->row.id : UUID_NONE;
	TRY(volume_check_room(op, &volume, host_find(op->head, instance->host), disk->size, field));
	TRY(volume_write(op, &volume, disk));
	*ret_volume = volume.row.id;
	return OK;
}

static RESULT change_words(struct op *op, const struct instance_rebuilding *wish, struct instance *next)
{
	const struct key_pair *key = NULL;
	TRY(instance_check_words(op, wish->name, wish->description));
	TRY(instance_check_sizes(op, wish->user_data, 0));
	TRY(instance_take_files(op, next->account, &wish->files, &next->file_paths, &next->file_contents));
	next->config_drive |= wish->files.count > 0;
	if (wish->set_name)
		next->name = wish->name;
	if (wish->set_description)
		next->description = wish->description;
	if (wish->set_user_data)
		next->user_data = wish->user_data;
	if (wish->set_access_ip4)
		next->access_ip4 = wish->access_ip4;
	if (wish->set_access_ip6)
		next->access_ip6 = wish->access_ip6;
	choice_apply(wish->disk_auto, &next->disk_auto);
	next->admin_password = wish->admin_password;
	next->guest_password = STR_NONE;
	if (wish->set_tags) {
		TRY(tag_normalize(op, wish->tags, &next->tags));
		TRY(quota_check_each(op, next->account, QUOTA_METADATA_ITEMS, (int64_t) next->tags.count));
	}
	if (!wish->set_key)
		return OK;
	if (ref_is_given(&wish->key_pair))
		TRY(engine_find_own_key_pair(op->ctx, op->head, &wish->key_pair, &key));
	if (key)
		TRY(engine_check_key_is_there(op, key, wish->key_pair.field));
	next->key_name = key ? key->name : STR_NONE;
	next->public_key = key ? key->public_key : STR_NONE;
	return OK;
}

RESULT instance_replace_root(struct op *op, const struct instance *instance, const struct image *image,
			     const struct volume *old, const struct ref *ref)
{
	struct disk_plans disks;
	uuid root;
	TRY(plan_root(op, instance, image, old, ref, &disks));
	TRY(instance_leave_disk(op, old));
	return instance_write_disk(op, instance, &disks.at[0], 0, ref->field, &root);
}

/* Nova's rule before microversion 2.93: the same image only, and the guest starts again from the disk that it
 * has. */
static RESULT check_same_image(struct op *op, const struct image *image, const struct volume *root,
			       const struct ref *ref)
{
	if (uuid_equal(root->image, image->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, ref->field,
			   "Image %" STR_FMT " is unacceptable: Unable to rebuild with a different image for "
			   "a volume-backed server.",
			   STR_ARG(ref->text));
}

/* Takes over the image with its licences. */
static RESULT take_image(struct op *op, const struct image *image, struct str field, struct instance *next)
{
	next->image = image->row.id;
	next->licences = image->licences;
	next->converted_us = op->now_us;
	return licence_check_place(op, next->account, next->licences, next->tenancy, field);
}

RESULT engine_rebuild_instance(struct op *op, struct instance_rebuilding *wish)
{
	const struct instance *instance = NULL;
	const struct image *image = NULL;
	const struct volume *old = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.rebuild", &instance));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	TRY(instance_check_settled(op, instance, &wish->instance, "rebuilt"));
	TRY(instance_find_launched_image(op, &wish->image, &image));
	TRY(find_old_root(op, instance, &wish->instance, &old));
	bool keeps_root = wish->keeps_volume && instance->root_is_volume;
	if (keeps_root)
		TRY(instance_check_disks(op, instance, &wish->instance));
	if (keeps_root)
		TRY(check_same_image(op, image, old, &wish->image));
	struct instance next = *instance;
	TRY(change_words(op, wish, &next));
	if (!keeps_root)
		TRY(take_image(op, image, wish->instance.field, &next));
	instance_copy_hardware(image, &next);
	instance_begin_task(op, INSTANCE_TASK_REBUILD, false, &next);
	next.error_override = false;
	if (!keeps_root)
		TRY(instance_check_no_snapshots(
			op, instance->row.id, wish->instance.field,
			"Unable to restore VM, please remove VM snapshots before restoring VM"));
	if (!keeps_root)
		TRY(instance_replace_root(op, instance, image, old, &wish->image));
	TRY(local_disks_renew(op, instance, wish->instance.field));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "rebuild asked", "From image %" STR_FMT ".",
				STR_ARG(image->name));
}
