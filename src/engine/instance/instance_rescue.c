/* SPDX-License-Identifier: Apache-2.0
 * Rescue: the instance boots from another disk, and has its root disk as second disk. The reconciler
 * (reconcile/instance/instance.c) boots it cold with the two exchanged (instance_rows.c). Called by: api/openstack. */
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/image.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/volume.h"

/* Plans the rescue disk: the image's root disk, in the image's size. */
static RESULT plan_disk(struct op *op, const struct instance *instance, const struct image *image,
			const struct ref *ref, struct disk_plans *ret_disks)
{
	const struct instance_type *type = instance_type_find(op->head, instance->type);
	TRY(disk_plans_of_image(op, image, ret_disks));
	ret_disks->count = 1;
	ret_disks->at[0].delete_on_termination = true;
	if (type)
		TRY(instance_check_needs(op, image, type, ref->field));
	TRY(disk_plans_finish(op, ret_disks));
	return disk_plan_check_source(op, &ret_disks->at[0]);
}

/* The named image, or the one that the instance was made from. */
static RESULT find_image(struct op *op, const struct instance *instance, struct instance_rescuing *wish,
			 const struct image **ret_image)
{
	if (!ref_is_given(&wish->image) && uuid_is_none(instance->image))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, wish->image.field,
				   "The instance '%" STR_FMT
				   "' was made of no image: say which one it is to start from.",
				   STR_ARG(wish->instance.text));
	if (!ref_is_given(&wish->image))
		wish->image = (struct ref){
			.kind = KIND_IMAGE,
			.prefix = instance->image,
			.bits = 128,
			.text = engine_write_id(op, KIND_IMAGE, instance->image),
			.field = wish->image.field,
		};
	return instance_find_launched_image(op, &wish->image, ret_image);
}

static RESULT check_root(struct op *op, const struct instance *instance, const struct ref *ref)
{
	if (instance_find_root(op->head, instance->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
			   "The instance '%" STR_FMT "' has no root disk.", STR_ARG(ref->text));
}

static RESULT check_volume(struct op *op, const struct instance *instance,
			   const struct instance_rescuing *wish)
{
	if (!wish->spares_volumes || !instance->root_is_volume)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, wish->instance.field,
			   "Instance %" STR_FMT " cannot be rescued: Cannot rescue a volume-backed instance",
			   STR_ARG(wish->instance.text));
}

RESULT engine_rescue_instance(struct op *op, struct instance_rescuing *wish)
{
	const struct instance *instance = NULL;
	const struct image *image = NULL;
	struct disk_plans *disks = arena_new_object(op->ctx->arena, struct disk_plans);
	int64_t slot = 0;
	if (!disks)
		return ctx_no_memory(op->ctx);
	TRY(engine_permit_instance(op, &wish->instance, "instance.rescue", &instance));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	TRY(instance_check_settled(op, instance, &wish->instance, "rescued"));
	TRY(check_root(op, instance, &wish->instance));
	TRY(instance_check_disks(op, instance, &wish->instance));
	TRY(check_volume(op, instance, wish));
	TRY(find_image(op, instance, wish, &image));
	TRY(plan_disk(op, instance, image, &wish->image, disks));
	TRY(volume_choose_place(op, instance, &wish->instance, &slot, &disks->at[0].device));
	struct instance next = *instance;
	instance_begin_task(op, INSTANCE_TASK_RESCUE, true, &next);
	TRY(instance_write_disk(op, instance, &disks->at[0], slot, wish->image.field, &next.rescue_disk));
	if (next.wanted_power != INSTANCE_WANTED_POWER_ON)
		TRY(instance_turn_on(op, &next));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "rescue asked", "From image %" STR_FMT ".",
				STR_ARG(image->name));
}

static RESULT check_rescued(struct op *op, const struct instance *instance, const struct ref *ref)
{
	enum instance_state state = model_derive_instance_state(instance);
	bool may = (state == INSTANCE_RESCUED || state == INSTANCE_STOPPED) &&
		   !uuid_is_none(instance->rescue_disk) &&
		   model_derive_instance_task(instance) == INSTANCE_TASK_NONE;
	if (may)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' is not in a state from which it can be unrescued.",
			   STR_ARG(ref->text));
}

RESULT engine_unrescue_instance(struct op *op, struct instance_target *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.unrescue", &instance));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	TRY(check_rescued(op, instance, &wish->instance));
	const struct volume *disk = volume_find(op->head, instance->rescue_disk);
	struct instance next = *instance;
	next.rescue_disk = UUID_NONE;
	instance_begin_task(op, INSTANCE_TASK_UNRESCUE, false, &next);
	if (disk && row_is_live(&disk->row))
		TRY(instance_leave_disk(op, disk));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "unrescue asked", "From its root disk again.");
}
