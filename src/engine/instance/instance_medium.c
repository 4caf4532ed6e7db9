/* SPDX-License-Identifier: Apache-2.0
 * CD-ROM drives. An inserted ISO is a volume made from its image, like a rescue disk: read-only, on the
 * instance's host, and deleted when it is ejected or the instance ends. Called by: api/cloudstack. The
 * reconciler (reconcile/instance/instance.c) adds it to the domain's definition, or changes the medium of a running
 * guest. */
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/volume.h"

#define MEDIUM_DEVICE STR("/dev/sr0")

const struct volume *engine_find_medium(const struct tables *t, uuid instance)
{
	const struct volume *v = volume_first_by_instance(t, instance);
	while (v && !(v->is_medium && row_is_live(&v->row)))
		v = volume_next_by_instance(t, v);
	return v;
}

uuid engine_get_medium(const struct tables *t, uuid instance)
{
	const struct volume *medium = engine_find_medium(t, instance);
	return medium ? medium->image : UUID_NONE;
}

static RESULT check_iso(struct op *op, const struct image *image, const struct ref *ref)
{
	return engine_is_iso(image) ? OK
				    : ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, ref->field,
						  "The image '%" STR_FMT "' is no ISO.", STR_ARG(ref->text));
}

static void make_medium(struct disk_plan *plan)
{
	plan->device = MEDIUM_DEVICE;
	plan->is_medium = plan->delete_on_termination = true;
	plan->is_bootable = false;
}

RESULT instance_plan_from_medium(struct op *op, const struct image *image, const struct ref *ref,
				 struct disk_plans *plans)
{
	TRY(check_iso(op, image, ref));
	plans->at[1] = plans->at[0];
	make_medium(&plans->at[1]);
	plans->at[0] =
		(struct disk_plan){.device = image->root_device.n ? image->root_device : INSTANCE_ROOT_DEVICE,
				   .type = STR("gp2"),
				   .is_bootable = true,
				   .delete_on_termination = true};
	plans->count = 2;
	return OK;
}

/* ---- insertion and ejection ---- */

static RESULT find_instance(struct op *op, const struct ref *ref, const struct instance **ret_instance)
{
	TRY(engine_permit_instance(op, ref, "instance.change_medium", ret_instance));
	TRY(instance_check_changeable(op, *ret_instance, ref->field));
	enum instance_state state = model_derive_instance_state(*ret_instance);
	if (state == INSTANCE_RUNNING || state == INSTANCE_PAUSED || state == INSTANCE_STOPPED)
		return OK;
	return instance_fail_state(op, ref, "given another medium");
}

static RESULT check_drive(struct op *op, const struct instance *instance, const struct ref *ref)
{
	if (instance->has_cdrom || model_derive_instance_state(instance) == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT
			   "' has no CD-ROM drive: it gets one while it is stopped.",
			   STR_ARG(ref->text));
}

static RESULT take_out(struct op *op, uuid instance)
{
	const struct volume *medium = engine_find_medium(op->head, instance);
	return medium ? instance_leave_disk(op, medium) : OK;
}

static RESULT put_in(struct op *op, const struct instance *instance, const struct image *image,
		     const struct ref *ref)
{
	struct disk_plans disks;
	struct str device = STR_NONE;
	int64_t slot = 0;
	uuid volume = UUID_NONE;
	TRY(disk_plans_of_image(op, image, &disks));
	disks.count = 1;
	make_medium(&disks.at[0]);
	TRY(disk_plans_finish(op, &disks));
	TRY(disk_plan_check_source(op, &disks.at[0]));
	TRY(volume_choose_place(op, instance, ref, &slot, &device));
	return instance_write_disk(op, instance, &disks.at[0], slot, ref->field, &volume);
}

static RESULT write_changed(struct op *op, const struct instance *instance, const char *event,
			    struct str image)
{
	struct instance next = *instance;
	next.has_cdrom = true;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, event, "%" STR_FMT, STR_ARG(image));
}

RESULT engine_insert_medium(struct op *op, struct instance_medium *wish)
{
	const struct instance *instance = NULL;
	const struct image *image = NULL;
	TRY(find_instance(op, &wish->instance, &instance));
	TRY(instance_find_launched_image(op, &wish->image, &image));
	TRY(check_iso(op, image, &wish->image));
	TRY(check_drive(op, instance, &wish->instance));
	uuid id = instance->row.id;
	TRY(take_out(op, id));
	TRY(put_in(op, instance_find(op->head, id), image, &wish->image));
	return write_changed(op, instance_find(op->head, id), "medium inserted", image->name);
}

RESULT engine_eject_medium(struct op *op, struct instance_medium *wish)
{
	const struct instance *instance = NULL;
	TRY(find_instance(op, &wish->instance, &instance));
	uuid id = instance->row.id;
	if (!engine_find_medium(op->head, id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->instance.field,
				   "Nothing lies in the CD-ROM drive of the instance '%" STR_FMT "'.",
				   STR_ARG(wish->instance.text));
	TRY(take_out(op, id));
	return write_changed(op, instance_find(op->head, id), "medium ejected", STR("Its drive is empty."));
}
