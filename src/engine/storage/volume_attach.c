/* SPDX-License-Identifier: Apache-2.0
 * Volumes and instances: attached, detached, found plugged. A volume follows its instance to the
 * instance's host. What happens next: reconcile/volume.c moves the disk, reconcile/instance.c plugs it. */
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/disk_plan_internal.h"
#include "engine/storage/volume.h"
#include "engine/storage/volume_internal.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/volume.h"

uuid volume_holder(const struct volume *volume)
{
	return uuid_is_none(volume->instance) ? volume->seen_instance : volume->instance;
}

void volume_send_to(struct volume *volume, uuid host)
{
	bool was_moving = !uuid_is_none(volume->seen_host) && !uuid_equal(volume->host, volume->seen_host);
	if (was_moving && !uuid_equal(volume->host, host) && uuid_is_none(volume->left_host))
		volume->left_host = volume->host;
	volume->host = host;
}

void volume_leave_instance(struct volume *volume)
{
	volume->instance = volume->seen_instance = UUID_NONE;
	volume->device = STR_NONE;
	volume->device_slot = 0;
	volume->attached_us = 0;
	volume->delete_on_termination = volume->force_detach = false;
	volume->reservation = VOLUME_RESERVATION_NONE;
	volume->reserved_for = UUID_NONE;
}

/* ---- attach ---- */

static RESULT check_volume(struct op *op, const struct volume_attaching *wish, const struct volume *volume)
{
	if (model_derive_attachment(volume->instance, volume->seen_instance) != ATTACHMENT_NONE)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME, wish->volume.field,
				   "%" STR_FMT " is already attached to an instance",
				   STR_ARG(wish->volume.text));
	if (volume->seen_size == 0)
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

/* What an instance's disks take: their slots and, where it is one of them, the device. */
struct places {
	uint64_t slots; /* bit set */
	size_t count;
	bool has_device;
};

static void take_place(struct places *places, const struct volume *volume, struct str device)
{
	places->slots |= UINT64_C(1) << (volume->device_slot & 63);
	places->count++;
	places->has_device |= str_equal(volume->device, device);
}

/* With those that are not unplugged yet. */
static struct places find_places(const struct tables *t, uuid instance, struct str device)
{
	struct places places = {0};
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		take_place(&places, v, device);
	for (const struct volume *v = volume_first_by_seen_instance(t, instance); v;
	     v = volume_next_by_seen_instance(t, v))
		if (!uuid_equal(v->instance, instance))
			take_place(&places, v, device);
	return places;
}

/* The root device's slot is its own. */
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

/* Where none is said, as the guest will name it, or the next that is free. */
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

static RESULT check_way(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			const struct instance *instance)
{
	if (!uuid_equal(volume->zone, instance->zone) && !wish->crosses_zones)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT
				   "' is not in the same availability zone as instance '%" STR_FMT "'",
				   STR_ARG(wish->volume.text), STR_ARG(wish->instance.text));
	if (uuid_is_none(instance->host) || uuid_equal(volume->host, instance->host))
		return OK;
	return volume_check_room(op, host_find(op->head, instance->host), volume->size, STR("VolumeId"));
}

RESULT engine_attach_volume(struct op *op, struct volume_attaching *wish)
{
	const struct volume *volume = NULL;
	const struct instance *instance = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(engine_permit(op, "volume.attach", KIND_VOLUME, &volume->row));
	TRY(engine_permit(op, "volume.attach", KIND_INSTANCE, &instance->row));
	TRY(instance_check_unlocked(op, instance, wish->instance.field));
	if (!str_is_empty(wish->device))
		TRY(disk_plan_check_device(op, wish->device, STR("Device")));
	TRY(check_volume(op, wish, volume));
	TRY(volume_check_promise(op, wish, volume, instance));
	TRY(check_instance(op, wish, instance));
	TRY(check_way(op, wish, volume, instance));
	struct volume next = *volume;
	TRY(choose_slot(op, wish, instance, &next.device_slot));
	if (str_is_empty(wish->device))
		TRY(name_device(op, instance, next.device_slot, &wish->device));
	next.reservation = VOLUME_RESERVATION_NONE;
	next.reserved_for = UUID_NONE;
	next.instance = instance->row.id;
	next.zone = instance->zone;
	next.device = wish->device;
	next.attached_us = op->now_us;
	if (!uuid_is_none(instance->host))
		volume_send_to(&next, instance->host);
	next.row.gen++;
	wish->attached_volume = volume->row.id;
	TRY(volume_put(op, &next));
	return engine_log_event(
		op, KIND_VOLUME, &next.row, "attach asked", "To instance %" STR_FMT " as %" STR_FMT ".",
		STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)), STR_ARG(wish->device));
}

/* ---- detach ---- */

static RESULT fail_not_so_attached(struct op *op, const struct volume_detaching *wish, const char *field,
				   struct str where)
{
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VOLUME, str_from(field),
			   "The volume '%" STR_FMT "' is not attached to '%" STR_FMT "'",
			   STR_ARG(wish->volume.text), STR_ARG(where));
}

/* What is suspended has it in its memory; what runs stands on its root disk. */
static RESULT check_lets_go(struct op *op, const struct volume_detaching *wish, const struct volume *volume)
{
	const struct instance *instance = instance_find(op->head, volume_holder(volume));
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
	bool is_stood_on = (volume->device_slot == 0 && state != INSTANCE_STOPPED) ||
			   uuid_equal(volume->row.id, instance->rescue_disk);
	if (is_stood_on)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_VOLUME, wish->volume.field,
				   "Unable to detach root volume '%" STR_FMT "' from instance '%" STR_FMT "'",
				   STR_ARG(wish->volume.text), STR_ARG(id));
	return OK;
}

static RESULT check_attachment(struct op *op, const struct volume_detaching *wish,
			       const struct volume *volume)
{
	const struct instance *instance = NULL;
	enum attachment attachment = model_derive_attachment(volume->instance, volume->seen_instance);
	if (ref_is_given(&wish->instance))
		TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	if (attachment == ATTACHMENT_NONE || (attachment == ATTACHMENT_DETACHING && !wish->force))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "Volume '%" STR_FMT "' is %s.", STR_ARG(wish->volume.text),
				   attachment == ATTACHMENT_NONE ? "in the 'available' state"
								 : "being detached");
	if (instance && !uuid_equal(instance->row.id, volume_holder(volume)))
		return fail_not_so_attached(op, wish, "InstanceId", wish->instance.text);
	if (!str_is_empty(wish->device) && !str_equal(wish->device, volume->device))
		return fail_not_so_attached(op, wish, "Device", wish->device);
	return check_lets_go(op, wish, volume);
}

RESULT engine_detach_volume(struct op *op, struct volume_detaching *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_permit(op, "volume.detach", KIND_VOLUME, &volume->row));
	const struct instance *instance = instance_find(op->head, volume_holder(volume));
	if (instance)
		TRY(engine_permit(op, "volume.detach", KIND_INSTANCE, &instance->row));
	TRY(check_attachment(op, wish, volume));
	wish->detached_volume = volume->row.id;
	wish->from = volume_holder(volume);
	wish->from_device = str_copy(op->ctx->arena, volume->device);
	wish->attached_us = volume->attached_us;
	wish->delete_on_termination = volume->delete_on_termination;
	struct volume next = *volume;
	next.instance = UUID_NONE;
	next.force_detach = wish->force;
	next.delete_on_termination = false;
	next.reservation = VOLUME_RESERVATION_NONE;
	if (uuid_is_none(next.seen_instance))
		volume_leave_instance(&next); /* it never was plugged */
	next.row.gen++;
	wish->now = model_derive_attachment(next.instance, next.seen_instance);
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "detach asked", "From instance %" STR_FMT "%s.",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, wish->from)),
				wish->force ? ", cut off at once" : "");
}

/* ---- what the host says ---- */

static RESULT write_seen_in(struct op *op, const struct volume *volume, uuid instance)
{
	struct volume next = *volume;
	next.seen_instance = instance;
	if (model_derive_attachment(next.instance, instance) == ATTACHMENT_NONE)
		volume_leave_instance(&next);
	return volume_put(op, &next);
}

RESULT volume_see_plugged(struct op *op, const struct instance_report *report)
{
	bool is_absent = report->power == INSTANCE_SEEN_POWER_ABSENT;
	if (!is_absent && !report->devices_known)
		return OK;
	const struct volume *volume = volume_first_by_seen_instance(op->head, report->instance), *next = NULL;
	for (; volume; volume = next) {
		next = volume_next_by_seen_instance(op->head, volume);
		if (is_absent || !uuids_have(&report->volumes, volume->row.id))
			TRY(write_seen_in(op, volume, UUID_NONE));
	}
	for (size_t k = 0; k < report->volumes.count && !is_absent; k++) {
		volume = volume_find(op->head, report->volumes.at[k]);
		if (volume && !uuid_equal(volume->seen_instance, report->instance))
			TRY(write_seen_in(op, volume, report->instance));
	}
	return OK;
}
