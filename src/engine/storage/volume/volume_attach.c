/* SPDX-License-Identifier: Apache-2.0
 * Volumes and instances: attach, detach, and what hosts have plugged in. A volume follows its instance to
 * that host; with a shared volume the instances go to the volume's host. reconcile/storage/volume.c moves the disk,
 * reconcile/instance/instance.c plugs it in. Who has which volume: volume_attachment.h. */
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

void volume_send_to(struct volume *volume, uuid host)
{
	bool was_moving = volume->moves ||
			  (!uuid_is_none(volume->seen_host) && !uuid_equal(volume->host, volume->seen_host));
	uuid pool = volume->moves ? volume->next_pool : volume->pool;
	if (was_moving && !uuid_equal(volume->host, host) && uuid_is_none(volume->left_host) &&
	    uuid_is_none(pool))
		volume->left_host = volume->host;
	volume->host = host;
}

/* Clears the first attachment. */
static void leave_instance(struct volume *volume)
{
	volume->instance = volume->seen_instance = UUID_NONE;
	volume->attachment = UUID_NONE;
	volume->device = volume->device_tag = STR_NONE;
	volume->device_slot = 0;
	volume->attached_us = 0;
	volume->delete_on_termination = volume->force_detach = false;
	volume->reservation = VOLUME_RESERVATION_NONE;
	volume->reserved_for = UUID_NONE;
}

RESULT volume_leave_instance(struct op *op, struct volume *volume)
{
	const struct volume_attachment *further = volume_attachment_first_by_volume(op->head, volume->row.id);
	leave_instance(volume);
	if (!further)
		return OK;
	volume->instance = further->instance;
	volume->seen_instance = further->seen_instance;
	volume->attachment = further->row.id;
	volume->device = str_copy(op->ctx->arena, further->device);
	volume->device_tag = str_copy(op->ctx->arena, further->device_tag);
	volume->device_slot = further->device_slot;
	volume->attached_us = further->attached_us;
	volume->delete_on_termination = further->delete_on_termination;
	volume->row.gen++;
	return volume_attachment_forget(op, further->row.id);
}

/* ---- attach ---- */

static RESULT fail_is_attached(struct op *op, const struct ref *ref)
{
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME, ref->field,
			   "%" STR_FMT " is already attached to an instance", STR_ARG(ref->text));
}

RESULT volume_check_takes_more(struct op *op, const struct ref *ref, const struct volume *volume)
{
	struct volume_list list;
	TRY(engine_list_attachments(op->ctx->arena, op->head, volume, &list));
	if (list.count == 0)
		return OK;
	if (!volume->is_shared)
		return fail_is_attached(op, ref);
	return list.count < VOLUME_ATTACHMENTS_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_VOLUME, STR("InstanceId"),
				     "The volume '%" STR_FMT
				     "' is attached to %d instances, as many as may have it.",
				     STR_ARG(ref->text), VOLUME_ATTACHMENTS_MAX);
}

static RESULT check_volume(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			   const struct instance *instance)
{
	const struct volume *there = NULL;
	TRY(volume_check_takes_more(op, &wish->volume, volume));
	TRY(engine_find_attachment(op->ctx->arena, op->head, volume, instance->row.id, &there));
	if (there)
		return fail_is_attached(op, &wish->volume);
	if (volume->seen_size == 0 && !wish->is_new)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT "' is not 'available'.",
				   STR_ARG(wish->volume.text));
	return OK;
}

static RESULT check_instance(struct op *op, const struct volume_attaching *wish,
			     const struct instance *instance)
{
	enum instance_state state = model_derive_instance_state(instance);
	if (state == INSTANCE_RUNNING || state == INSTANCE_PAUSED || state == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->instance.field,
			   "Instance '%" STR_FMT "' is not 'running'", STR_ARG(wish->instance.text));
}

/* The slots that an instance's disks occupy, and whether one of them has the device name. */
struct places {
	uint64_t slots; /* bit set */
	size_t count;
	bool has_device;
};

static void take_place(struct places *places, int64_t slot, struct str taken, struct str device)
{
	places->slots |= UINT64_C(1) << (slot & 63);
	places->count++;
	places->has_device |= str_equal(taken, device);
}

/* Includes disks that are not unplugged yet. */
static struct places find_places(const struct tables *t, uuid instance, struct str device)
{
	struct places places = {0};
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		take_place(&places, v->device_slot, v->device, device);
	for (const struct volume *v = volume_first_by_seen_instance(t, instance); v;
	     v = volume_next_by_seen_instance(t, v))
		if (!uuid_equal(v->instance, instance))
			take_place(&places, v->device_slot, v->device, device);
	for (const struct volume_attachment *f = volume_attachment_first_by_instance(t, instance); f;
	     f = volume_attachment_next_by_instance(t, f))
		take_place(&places, f->device_slot, f->device, device);
	for (const struct volume_attachment *f = volume_attachment_first_by_seen_instance(t, instance); f;
	     f = volume_attachment_next_by_seen_instance(t, f))
		if (!uuid_equal(f->instance, instance))
			take_place(&places, f->device_slot, f->device, device);
	return places;
}

/* Slot 0 is reserved for the root device. */
static RESULT choose_slot(struct op *op, const struct volume_attaching *wish, const struct instance *instance,
			  int64_t *ret_slot)
{
	struct places places = find_places(op->head, instance->row.id, wish->device);
	if (places.has_device)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("Device"),
				   "Invalid value '%" STR_FMT "' for unixDevice. Attachment point %" STR_FMT
				   " is already in use",
				   STR_ARG(wish->device), STR_ARG(wish->device));
	if (places.count >= INSTANCE_VOLUMES_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_VOLUME, STR("InstanceId"),
				   "The instance '%" STR_FMT "' has %d volumes, as many as it may have.",
				   STR_ARG(wish->instance.text), INSTANCE_VOLUMES_MAX);
	int64_t slot = str_equal(wish->device, instance->root_device) ? 0 : 1;
	while (places.slots >> slot & 1)
		slot++;
	*ret_slot = slot;
	return OK;
}

/* The default name: the one the guest will use, or the next free one. */
static RESULT name_device(struct op *op, const struct instance *instance, int64_t slot,
			  struct str *ret_device)
{
	for (int letter = 'a' + (int) slot; letter <= 'z'; letter++) {
		struct str name = str_print(op->ctx->arena, "/dev/vd%c", letter);
		if (find_places(op->head, instance->row.id, name).has_device)
			continue;
		*ret_device = name;
		return name.p ? OK : ctx_no_memory(op->ctx);
	}
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_VOLUME, STR("Device"), "No device name is free: say one.");
}

RESULT volume_choose_place(struct op *op, const struct instance *instance, const struct ref *ref,
			   int64_t *ret_slot, struct str *ret_device)
{
	struct volume_attaching wish = {.instance = *ref};
	TRY(choose_slot(op, &wish, instance, ret_slot));
	return name_device(op, instance, *ret_slot, ret_device);
}

/* EC2 starts no instance from a shared volume. Cinder allows it for the first instance that has the
 * volume. */
static RESULT check_no_boot_disk(struct op *op, const struct volume_attaching *wish,
				 const struct volume *volume, int64_t slot)
{
	bool is_refused =
		slot == 0 && volume->is_shared &&
		(disk_plan_is_ec2_type(volume->type) || !uuid_is_none(engine_volume_holder(volume)));
	return is_refused ? ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, STR("Device"),
					"The volume '%" STR_FMT
					"' is enabled for Multi-Attach: it cannot be a root device.",
					STR_ARG(wish->volume.text))
			  : OK;
}

static RESULT fail_other_zone(struct op *op, const struct volume_attaching *wish)
{
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, wish->volume.field,
			   "The volume '%" STR_FMT
			   "' is not in the same availability zone as instance '%" STR_FMT "'",
			   STR_ARG(wish->volume.text), STR_ARG(wish->instance.text));
}

/* The volume is on the host of its other instances: the instance must be there, or be able to go there. EC2
 * and Nova have no text for the stopped state this needs, because their volumes are reachable from
 * everywhere. */
static RESULT check_way_of_instance(struct op *op, const struct volume_attaching *wish,
				    const struct volume *volume, const struct instance *instance)
{
	uuid bound = engine_find_host_of_shared(op->head, instance->row.id);
	bool is_bound = !uuid_is_none(bound) && !uuid_equal(bound, volume->host);
	if (!uuid_equal(volume->zone, instance->zone))
		return fail_other_zone(op, wish);
	if (!is_bound && (uuid_is_none(instance->host) || uuid_equal(volume->host, instance->host)))
		return OK;
	if (!is_bound && model_derive_instance_state(instance) == INSTANCE_STOPPED && !instance->tpm)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
			   "The volume '%" STR_FMT
			   "' is in use on another host than that of instance '%" STR_FMT "'%s",
			   STR_ARG(wish->volume.text), STR_ARG(wish->instance.text),
			   is_bound || instance->tpm
				   ? ", which cannot leave its own."
				   : ". Stop the instance first: it starts on the volume's host then.");
}

static RESULT check_way(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			const struct instance *instance)
{
	if (!uuid_is_none(engine_volume_holder(volume)))
		return check_way_of_instance(op, wish, volume, instance);
	if (!uuid_equal(volume->zone, instance->zone) && !wish->crosses_zones)
		return fail_other_zone(op, wish);
	if (uuid_is_none(instance->host) || uuid_equal(volume->host, instance->host))
		return OK;
	return volume_check_room(op, volume, host_find(op->head, instance->host), volume->size,
				 STR("VolumeId"));
}

RESULT volume_write_attachment(struct op *op, const struct volume *volume, const struct instance *instance,
			       struct volume_place *place)
{
	struct volume next = *volume;
	bool is_first = uuid_is_none(engine_volume_holder(volume));
	struct volume_attachment further = {.row.gen = 1,
					    .account = volume->account,
					    .volume = volume->row.id,
					    .instance = instance->row.id,
					    .device = place->device,
					    .device_tag = place->tag,
					    .device_slot = place->slot,
					    .delete_on_termination = place->delete_on_termination,
					    .attached_us = op->now_us};
	next.row.gen++;
	next.reservation = VOLUME_RESERVATION_NONE;
	next.reserved_for = UUID_NONE;
	if (!is_first) {
		further.row.id = place->attachment = engine_new_id(op, KIND_VOLUME_ATTACHMENT);
		TRY(volume_attachment_put(op, &further));
		return volume_put(op, &next);
	}
	next.instance = instance->row.id;
	next.zone = instance->zone;
	next.device = place->device;
	next.device_tag = place->tag;
	next.device_slot = place->slot;
	next.delete_on_termination = place->delete_on_termination;
	next.attached_us = op->now_us;
	if (!uuid_is_none(instance->host))
		volume_send_to(&next, instance->host);
	return volume_put(op, &next);
}

/* The instance is stopped (check_way_of_instance()); it is placed again, on the volume's host. */
static RESULT send_instance(struct op *op, const struct instance *instance, const struct volume *volume)
{
	struct instance next = *instance;
	if (uuid_is_none(instance->host) || uuid_equal(instance->host, volume->host))
		return OK;
	next.migrating = true;
	next.row.gen++;
	return instance_put(op, &next);
}

RESULT engine_attach_volume(struct op *op, struct volume_attaching *wish)
{
	const struct volume *volume = NULL;
	const struct instance *instance = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(engine_permit(op, "volume.attach", KIND_VOLUME, &volume->row));
	TRY(engine_permit(op, "volume.attach", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	if (!str_is_empty(wish->device))
		TRY(disk_plan_check_device(op, wish->device, STR("Device")));
	TRY(check_volume(op, wish, volume, instance));
	TRY(volume_check_promise(op, wish, volume, instance));
	TRY(check_instance(op, wish, instance));
	TRY(instance_check_no_snapshots(op, instance->row.id, wish->instance.field,
					"Unable to attach volume, please specify a VM that does not have VM "
					"snapshots"));
	TRY(check_way(op, wish, volume, instance));
	struct volume_place place = {0};
	bool is_further = !uuid_is_none(engine_volume_holder(volume));
	TRY(choose_slot(op, wish, instance, &place.slot));
	TRY(check_no_boot_disk(op, wish, volume, place.slot));
	if (str_is_empty(wish->device))
		TRY(name_device(op, instance, place.slot, &wish->device));
	place.device = wish->device;
	place.tag = wish->tag;
	place.delete_on_termination = wish->delete_on_termination;
	wish->attached_volume = volume->row.id;
	wish->to = instance->row.id;
	wish->attached_us = op->now_us;
	TRY(volume_write_attachment(op, volume, instance, &place));
	wish->attachment = place.attachment;
	if (is_further)
		TRY(send_instance(op, instance, volume));
	volume = volume_find(op->head, wish->attached_volume);
	return engine_log_event(op, KIND_VOLUME, &volume->row, "attach asked",
				"To instance %" STR_FMT " as %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, wish->to)), STR_ARG(wish->device));
}

/* ---- detach ---- */

static RESULT fail_not_so_attached(struct op *op, const struct volume_detaching *wish, const char *field,
				   struct str where)
{
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VOLUME, str_from(field),
			   "The volume '%" STR_FMT "' is not attached to '%" STR_FMT "'",
			   STR_ARG(wish->volume.text), STR_ARG(where));
}

/* A suspended instance keeps its disks in its saved state, and a running one needs its root disk. */
static RESULT check_lets_go(struct op *op, const struct volume_detaching *wish, const struct volume *volume)
{
	const struct instance *instance = instance_find(op->head, engine_volume_holder(volume));
	if (!instance || !row_is_live(&instance->row))
		return OK;
	enum instance_state state = model_derive_instance_state(instance);
	struct str id = engine_write_id(op, KIND_INSTANCE, instance->row.id);
	TRY(instance_check_unlocked(op, instance, wish->volume.field));
	if (state == INSTANCE_SUSPENDING || state == INSTANCE_SUSPENDED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The instance '%" STR_FMT
				   "' is suspended: its disks stay with it until it goes on.",
				   STR_ARG(id));
	if (volume->is_medium)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT "' lies in the CD-ROM drive of '%" STR_FMT
				   "': it goes when it is taken out there.",
				   STR_ARG(wish->volume.text), STR_ARG(id));
	bool is_stood_on = (volume->device_slot == 0 && state != INSTANCE_STOPPED) ||
			   uuid_equal(volume->row.id, instance->rescue_disk);
	if (is_stood_on)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_VOLUME, wish->volume.field,
				   "Unable to detach root volume '%" STR_FMT "' from instance '%" STR_FMT "'",
				   STR_ARG(wish->volume.text), STR_ARG(id));
	return OK;
}

/* Finds the attachment to the requested instance, or the only one. NULL: none. */
static RESULT find_attached(struct op *op, const struct volume_detaching *wish, const struct volume *volume,
			    const struct volume **ret_attached)
{
	struct volume_list list;
	const struct instance *instance = NULL;
	*ret_attached = NULL;
	if (ref_is_given(&wish->instance))
		TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(engine_list_attachments(op->ctx->arena, op->head, volume, &list));
	if (list.count > 1 && !instance && uuid_is_none(wish->attachment))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_VOLUME, STR("InstanceId"),
				   "The volume '%" STR_FMT
				   "' is attached to more than one instance: the request must contain the "
				   "parameter InstanceId",
				   STR_ARG(wish->volume.text));
	for (size_t k = 0; k < list.count; k++) {
		const struct volume *v = list.at[k];
		bool is_it = instance ? uuid_equal(instance->row.id, engine_volume_holder(v))
				      : uuid_is_none(wish->attachment) ||
						uuid_equal(wish->attachment, engine_attachment_id(v));
		if (is_it)
			*ret_attached = v;
	}
	if (list.count && !*ret_attached)
		return fail_not_so_attached(op, wish, "InstanceId", wish->instance.text);
	return OK;
}

static RESULT check_attachment(struct op *op, const struct volume_detaching *wish,
			       const struct volume *attached)
{
	enum attachment attachment =
		attached ? model_derive_attachment(attached->instance, attached->seen_instance)
			 : ATTACHMENT_NONE;
	if (attachment == ATTACHMENT_NONE || (attachment == ATTACHMENT_DETACHING && !wish->force))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "Volume '%" STR_FMT "' is %s.", STR_ARG(wish->volume.text),
				   attachment == ATTACHMENT_NONE ? "in the 'available' state"
								 : "being detached");
	if (engine_is_swapping(op->head, attached))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "Volume '%" STR_FMT "' is being %s.", STR_ARG(wish->volume.text),
				   attached->moves ? "moved to another pool" : "swapped");
	if (!str_is_empty(wish->device) && !str_equal(wish->device, attached->device))
		return fail_not_so_attached(op, wish, "Device", wish->device);
	return check_lets_go(op, wish, attached);
}

static RESULT detach_first(struct op *op, bool force, const struct volume *volume)
{
	struct volume next = *volume;
	next.instance = UUID_NONE;
	next.force_detach = force;
	next.delete_on_termination = false;
	next.reservation = VOLUME_RESERVATION_NONE;
	if (uuid_is_none(next.seen_instance))
		TRY(volume_leave_instance(op, &next)); /* it was never plugged in */
	next.row.gen++;
	return volume_put(op, &next);
}

static RESULT detach_further(struct op *op, const struct volume *volume, uuid id)
{
	struct volume_attachment next = *volume_attachment_find(op->head, id);
	struct volume again = *volume;
	next.instance = UUID_NONE;
	next.delete_on_termination = false;
	next.row.gen++;
	TRY(uuid_is_none(next.seen_instance) ? volume_attachment_forget(op, id)
					     : volume_attachment_put(op, &next));
	again.reservation = VOLUME_RESERVATION_NONE;
	again.row.gen++;
	return volume_put(op, &again);
}

RESULT volume_write_detach(struct op *op, const struct volume *attached, bool force)
{
	const struct volume *volume = volume_find(op->head, attached->row.id);
	return volume_attachment_find(op->head, attached->attachment)
		       ? detach_further(op, volume, attached->attachment)
		       : detach_first(op, force, volume);
}

RESULT engine_detach_volume(struct op *op, struct volume_detaching *wish)
{
	const struct volume *volume = NULL, *attached = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "volume.detach", &volume));
	TRY(find_attached(op, wish, volume, &attached));
	wish->from = attached ? engine_volume_holder(attached) : UUID_NONE;
	const struct instance *instance = instance_find(op->head, wish->from);
	if (instance)
		TRY(engine_permit(op, "volume.detach", KIND_INSTANCE, &instance->row));
	TRY(check_attachment(op, wish, attached));
	TRY(instance_check_no_snapshots(op, wish->from, wish->volume.field,
					"Unable to detach volume, please specify a VM that does not have VM "
					"snapshots"));
	wish->detached_volume = volume->row.id;
	wish->from_device = str_copy(op->ctx->arena, attached->device);
	wish->attached_us = attached->attached_us;
	wish->delete_on_termination = attached->delete_on_termination;
	wish->now = model_derive_attachment(UUID_NONE, attached->seen_instance);
	TRY(volume_write_detach(op, attached, wish->force));
	volume = volume_find(op->head, wish->detached_volume);
	return engine_log_event(op, KIND_VOLUME, &volume->row, "detach asked",
				wish->force ? "From instance %" STR_FMT ", cut off at once."
					    : "From instance %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, wish->from)));
}

RESULT volume_set_fate(struct op *op, const struct volume *attached, bool delete_on_termination)
{
	const struct volume_attachment *row = volume_attachment_find(op->head, attached->attachment);
	const struct volume *volume = volume_find(op->head, attached->row.id);
	struct volume next = *volume;
	next.delete_on_termination = delete_on_termination;
	if (!row)
		return volume_put(op, &next);
	struct volume_attachment further = *row;
	further.delete_on_termination = delete_on_termination;
	return volume_attachment_put(op, &further);
}

static RESULT give_up_swaps(struct op *op, uuid instance)
{
	struct volume_list disks;
	TRY(engine_list_disks(op->ctx->arena, op->head, instance, false, &disks));
	for (size_t k = 0; k < disks.count; k++)
		TRY(volume_give_up_swap(op, disks.at[k]->row.id, STR("the instance is gone")));
	return OK;
}

RESULT volume_end_attachments(struct op *op, uuid instance)
{
	TRY(give_up_swaps(op, instance));
	const struct volume *volume = volume_first_by_instance(op->head, instance), *next_volume = NULL;
	for (; volume; volume = next_volume) {
		next_volume = volume_next_by_instance(op->head, volume);
		if (!row_is_live(&volume->row))
			continue;
		struct volume next = *volume;
		TRY(volume_leave_instance(op, &next));
		TRY(volume_put(op, &next));
		if (volume->delete_on_termination && uuid_is_none(engine_volume_holder(&next)))
			TRY(volume_delete_metered(op, &next));
	}
	FORGET_EACH(op, volume_attachment, instance, instance);
	return OK;
}

/* ---- observed by the host ---- */

static RESULT write_seen_in(struct op *op, const struct volume *volume, uuid instance)
{
	struct volume next = *volume;
	next.seen_instance = instance;
	if (model_derive_attachment(next.instance, instance) == ATTACHMENT_NONE)
		TRY(volume_leave_instance(op, &next));
	return volume_put(op, &next);
}

static RESULT write_further_seen_in(struct op *op, const struct volume_attachment *further, uuid instance)
{
	struct volume_attachment next = *further;
	next.seen_instance = instance;
	if (model_derive_attachment(next.instance, instance) == ATTACHMENT_NONE)
		return volume_attachment_forget(op, further->row.id);
	return volume_attachment_put(op, &next);
}

/* Volumes that the host no longer reports as plugged in. */
static RESULT see_unplugged(struct op *op, const struct instance_report *report, bool is_absent)
{
	const struct volume *volume = volume_first_by_seen_instance(op->head, report->instance), *next = NULL;
	for (; volume; volume = next) {
		next = volume_next_by_seen_instance(op->head, volume);
		if (is_absent || !uuids_have(&report->volumes, volume->row.id))
			TRY(write_seen_in(op, volume, UUID_NONE));
	}
	const struct volume_attachment *further = volume_attachment_first_by_seen_instance(op->head,
											   report->instance),
				       *next_further = NULL;
	for (; further; further = next_further) {
		next_further = volume_attachment_next_by_seen_instance(op->head, further);
		if (is_absent || !uuids_have(&report->volumes, further->volume))
			TRY(write_further_seen_in(op, further, UUID_NONE));
	}
	return OK;
}

static const struct volume_attachment *find_further(const struct tables *t, uuid volume, uuid instance)
{
	const struct volume_attachment *f = volume_attachment_first_by_volume(t, volume);
	while (f && !uuid_equal(f->instance, instance) && !uuid_equal(f->seen_instance, instance))
		f = volume_attachment_next_by_volume(t, f);
	return f;
}

/* A shared volume found in an instance that must not have it: recorded so that it is unplugged. */
static RESULT write_stray(struct op *op, const struct volume *volume, uuid instance)
{
	struct volume_attachment stray = {.row.id = engine_new_id(op, KIND_VOLUME_ATTACHMENT),
					  .row.gen = 1,
					  .account = volume->account,
					  .volume = volume->row.id,
					  .seen_instance = instance};
	return volume_attachment_put(op, &stray);
}

static RESULT see_plugged(struct op *op, const struct volume *volume, uuid instance)
{
	const struct volume_attachment *further = find_further(op->head, volume->row.id, instance);
	if (further)
		return uuid_equal(further->seen_instance, instance)
			       ? OK
			       : write_further_seen_in(op, further, instance);
	if (uuid_equal(volume->seen_instance, instance))
		return OK;
	bool is_others = volume->is_shared && !uuid_is_none(engine_volume_holder(volume)) &&
			 !uuid_equal(volume->instance, instance);
	return is_others ? write_stray(op, volume, instance) : write_seen_in(op, volume, instance);
}

RESULT volume_see_plugged(struct op *op, const struct instance_report *report)
{
	bool is_absent = report->power == INSTANCE_SEEN_POWER_ABSENT;
	if (!is_absent && !report->devices_known)
		return OK;
	TRY(see_unplugged(op, report, is_absent));
	for (size_t k = 0; k < report->volumes.count && !is_absent; k++) {
		const struct volume *volume = volume_find(op->head, report->volumes.at[k]);
		if (volume)
			TRY(see_plugged(op, volume, report->instance));
	}
	return OK;
}
