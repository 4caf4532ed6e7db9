/* SPDX-License-Identifier: Apache-2.0
 * Swaps of volumes: requests and results. In between reconcile/storage/volume.c recreates the new volume's file on
 * the instance's host, and reconcile/instance/instance_swap.c has it filled. */
#include "engine/storage/volume/volume_swap.h"

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/host.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

/* ---- queries ---- */

const struct volume *engine_find_successor(const struct tables *t, uuid volume)
{
	return volume_find_by_takes_over(t, volume);
}

bool engine_is_swapping(const struct tables *t, const struct volume *volume)
{
	return volume->moves || !uuid_is_none(volume->takes_over) || engine_find_successor(t, volume->row.id);
}

bool engine_successor_is_ready(const struct volume *volume)
{
	return uuid_equal(volume->seen_takes_over, volume->takes_over) && uuid_is_none(volume->left_host) &&
	       uuid_equal(volume->seen_host, volume->host);
}

/* ---- request ---- */

static RESULT fail(struct op *op, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("volumeId"), "Invalid volume: %s", why);
}

/* Nova passes on Cinder's sentence for a volume that cannot be detached. */
static RESULT fail_not_in_use(struct op *op)
{
	return fail(op, "Invalid input received: Invalid volume: Unable to detach volume. Volume status must "
			"be 'in-use' and attach_status must be 'attached' to detach.");
}

static RESULT check_instance(struct op *op, const struct volume_swapping *wish,
			     const struct instance *instance)
{
	enum instance_state state = model_derive_instance_state(instance);
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	if ((state != INSTANCE_RUNNING && state != INSTANCE_PAUSED) || !uuid_is_none(instance->rescue_disk))
		return instance_fail_state(op, &wish->instance, "given another volume");
	return instance_check_no_snapshots(op, instance->row.id, wish->instance.field,
					   "Unable to swap volumes, please specify a VM that does not have "
					   "VM snapshots");
}

/* attached: the old volume as attached to the instance; NULL: not attached. */
static RESULT check_old(struct op *op, const struct volume_swapping *wish, const struct volume *attached)
{
	if (!attached)
		return fail(op, "Old volume is attached to a different instance.");
	if (model_derive_attachment(attached->instance, attached->seen_instance) != ATTACHMENT_ATTACHED ||
	    attached->is_medium)
		return fail_not_in_use(op);
	if (!result_is_ok(volume_check_unreserved(op, attached, &wish->volume))) {
		ctx_clear_problem(op->ctx);
		return fail_not_in_use(op);
	}
	if (!attached->is_readonly && engine_has_several_attachments(op->head, attached->row.id))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_VOLUME, STR("volumeId"),
			"Swapping multi-attach volumes with more than one read/write attachment is "
			"not supported.");
	return OK;
}

/* Nova has no text for volumes of different accounts, or if only one is shared. */
static RESULT check_new(struct op *op, const struct volume_swapping *wish, const struct volume *old,
			const struct volume *new)
{
	if (!uuid_is_none(engine_volume_holder(new)))
		return fail(op, "New volume must be detached in order to swap.");
	if (new->size < old->size)
		return fail(op, "New volume must be the same size or larger.");
	if (!result_is_ok(volume_check_unreserved(op, new, &wish->other)) || new->seen_size == 0) {
		ctx_clear_problem(op->ctx);
		return fail(op, "New volume must be available.");
	}
	if (!uuid_equal(new->account, old->account))
		return fail(op, "Both volumes must belong to one project.");
	if (new->is_shared != old->is_shared)
		return fail(op, "Either both volumes must be multi-attach, or none.");
	return OK;
}

static RESULT check_not_copied(struct op *op, const struct ref *ref, const struct volume *volume)
{
	return !engine_volume_is_being_copied(op->head, volume->row.id)
		       ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				     "A snapshot of the volume %" STR_FMT " is on its way.",
				     STR_ARG(ref->text));
}

static RESULT write_swap(struct op *op, const struct instance *instance, const struct volume *old,
			 const struct volume *new)
{
	struct volume from = *volume_find(op->head, old->row.id), to = *new;
	from.reservation = VOLUME_RESERVATION_DETACHING;
	from.row.gen++;
	to.takes_over = old->row.id;
	to.seen_takes_over = UUID_NONE;
	to.reservation = VOLUME_RESERVATION_ATTACHING;
	to.reserved_for = instance->row.id;
	to.zone = instance->zone;
	volume_send_to(&to, instance->host);
	to.row.gen++;
	TRY(volume_put(op, &from));
	TRY(volume_put(op, &to));
	struct str id = engine_write_id(op, KIND_VOLUME, old->row.id);
	TRY(engine_log_event(op, KIND_INSTANCE, &instance->row, "swap asked",
			     "Volume %" STR_FMT " takes over from %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_VOLUME, to.row.id)), STR_ARG(id)));
	return engine_log_event(op, KIND_VOLUME, &to.row, "swap asked",
				"To take over from %" STR_FMT " in instance %" STR_FMT ".", STR_ARG(id),
				STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
}

RESULT engine_swap_volume(struct op *op, struct volume_swapping *wish)
{
	const struct instance *instance = NULL;
	const struct volume *old = NULL, *new = NULL, *attached = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &old));
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->other, &new));
	TRY(engine_permit(op, "volume.swap", KIND_INSTANCE, &instance->row));
	TRY(engine_permit(op, "volume.swap", KIND_VOLUME, &old->row));
	TRY(engine_permit(op, "volume.swap", KIND_VOLUME, &new->row));
	TRY(check_instance(op, wish, instance));
	TRY(engine_find_attachment(op->ctx->arena, op->head, old, instance->row.id, &attached));
	TRY(check_old(op, wish, attached));
	TRY(check_new(op, wish, old, new));
	TRY(check_not_copied(op, &wish->volume, old));
	TRY(check_not_copied(op, &wish->other, new));
	if (!uuid_equal(new->host, instance->host))
		TRY(volume_check_room(op, new, host_find(op->head, instance->host), new->size,
				      STR("volumeId")));
	return write_swap(op, instance, old, new);
}

/* ---- end ---- */

static void end_swap(struct volume *to)
{
	to->takes_over = to->seen_takes_over = UUID_NONE;
	to->reservation = VOLUME_RESERVATION_NONE;
	to->reserved_for = UUID_NONE;
	to->row.gen++;
}

RESULT volume_give_up_swap(struct op *op, uuid volume, struct str why)
{
	const struct volume *successor = engine_find_successor(op->head, volume);
	const struct volume *old = volume_find(op->head, volume);
	if (!successor)
		return OK;
	struct volume to = *successor;
	end_swap(&to);
	TRY(volume_put(op, &to));
	if (old && row_is_live(&old->row)) {
		struct volume from = *old;
		from.reservation = VOLUME_RESERVATION_NONE;
		TRY(volume_put(op, &from));
	}
	return engine_log_event(op, KIND_VOLUME, &to.row, "swap given up",
				"Volume %" STR_FMT " stays where it is: %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_VOLUME, volume)), STR_ARG(why));
}

/* attached: the old volume as attached to the instance. The new one takes over the device's name, slot and
 * delete_on_termination. */
static RESULT write_swapped(struct op *op, const struct volume *attached, const struct volume *successor)
{
	const struct volume_attachment *further = volume_attachment_find(op->head, attached->attachment);
	struct volume to = *successor;
	end_swap(&to);
	to.instance = to.seen_instance = attached->instance;
	to.device = str_copy(op->ctx->arena, attached->device);
	to.device_tag = str_copy(op->ctx->arena, attached->device_tag);
	to.device_slot = attached->device_slot;
	to.delete_on_termination = attached->delete_on_termination;
	to.attached_us = op->now_us;
	to.image = attached->image;
	if (further)
		TRY(volume_attachment_forget(op, further->row.id));
	struct volume from = *volume_find(op->head, attached->row.id);
	from.reservation = VOLUME_RESERVATION_NONE;
	if (!further)
		TRY(volume_leave_instance(op, &from));
	from.row.gen++;
	TRY(volume_put(op, &from));
	return volume_put(op, &to);
}

RESULT engine_see_swap(struct op *op, struct volume_swap_report *report)
{
	const struct volume *successor = volume_find(op->head, report->other);
	const struct volume *old = volume_find(op->head, report->volume), *attached = NULL;
	if (!old || !successor || !row_is_live(&successor->row) ||
	    !uuid_equal(successor->takes_over, report->volume))
		return OK;
	TRY(engine_find_attachment(op->ctx->arena, op->head, old, report->instance, &attached));
	if (!attached || !report->is_done)
		return volume_give_up_swap(op, report->volume, report->why);
	TRY(write_swapped(op, attached, successor));
	successor = volume_find(op->head, report->other);
	return engine_log_event(op, KIND_VOLUME, &successor->row, "swapped",
				"It took over from %" STR_FMT " in instance %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_VOLUME, report->volume)),
				STR_ARG(engine_write_id(op, KIND_INSTANCE, report->instance)));
}
