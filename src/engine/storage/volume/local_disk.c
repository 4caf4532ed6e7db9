/* SPDX-License-Identifier: Apache-2.0
 * Local disks: planned for a launch, recreated by a rebuild, adapted to another instance type. The rules are
 * those of Nova's libvirt driver. reconcile/storage/volume.c creates them like any blank disk. */
#include "engine/storage/volume/local_disk.h"

#include "base/vec.h"
#include "engine/instance/instance_internal.h"
#include "engine/resolve.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/instance_type.h"
#include "store/load_balancer.h"
#include "store/volume.h"

RESULT engine_list_local_disks(struct arena *a, const struct tables *t, uuid instance,
			       struct volume_list *ret_list)
{
	VEC(const struct volume *) list = {0};
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		if (row_is_live(&v->row) && v->local != VOLUME_LOCAL_NO && !VEC_PUSH(a, &list, v))
			return FAIL(NO_MEMORY);
	*ret_list = (struct volume_list){list.at, list.count};
	return OK;
}

bool engine_is_hidden(enum kind kind, const struct row *row)
{
	bool is_private = kind == KIND_LOAD_BALANCER && !uuid_is_none(load_balancer_of(row)->front);
	return is_private || (kind == KIND_VOLUME && volume_of(row)->local != VOLUME_LOCAL_NO);
}

/* ---- launch ---- */

static struct disk_plan plan_one(bool is_swap, int64_t size, struct str device, struct str field)
{
	return (struct disk_plan){.local = is_swap ? VOLUME_LOCAL_SWAP : VOLUME_LOCAL_EPHEMERAL,
				  .size = size,
				  .device = device,
				  .delete_on_termination = true,
				  .field = field};
}

/* The check covers the totals, and the texts are Nova's. */
static RESULT check_named(struct op *op, const struct instance_type *type,
			  const struct local_disk_wish *wishes, size_t count)
{
	int64_t ephemeral = 0, swaps = 0, swap = 0;
	for (size_t n = 0; n < count; n++) {
		const struct local_disk_wish *w = &wishes[n];
		swaps += w->is_swap;
		swap += w->is_swap ? w->size : 0;
		ephemeral += w->is_swap ? 0 : w->size ? w->size : type->ephemeral_disk;
	}
	if (ephemeral > type->ephemeral_disk)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, wishes[0].field,
				   "Ephemeral disks requested are larger than the instance type allows. If "
				   "no size is given in one block device mapping, flavor ephemeral size will "
				   "be used.");
	if (swaps > 1)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, wishes[0].field,
				   "Block Device Mapping is Invalid: More than one swap drive requested.");
	return swap > type->swap_disk
		       ? ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, wishes[0].field,
				     "Swap drive requested is larger than instance type allows.")
		       : OK;
}

static bool names_any(const struct local_disk_wish *wishes, size_t count, bool is_swap)
{
	for (size_t n = 0; n < count; n++)
		if (wishes[n].is_swap == is_swap)
			return true;
	return false;
}

/* Adds the disks of one purpose. A disk without a size is left out when its type provides none. */
static void gather(const struct local_disk_wish *wishes, size_t count, bool is_swap, int64_t size_of_type,
		   struct disk_plan *plans, size_t *plan_count)
{
	for (size_t n = 0; n < count; n++) {
		int64_t size = wishes[n].size ? wishes[n].size : size_of_type;
		if (wishes[n].is_swap == is_swap && size)
			plans[(*plan_count)++] = plan_one(is_swap, size, wishes[n].device, wishes[n].field);
	}
	if (!names_any(wishes, count, is_swap) && size_of_type)
		plans[(*plan_count)++] = plan_one(is_swap, size_of_type, STR_NONE, STR_NONE);
}

static bool is_named_so(const struct disk_plans *plans, struct str device)
{
	for (size_t n = 0; n < plans->count; n++)
		if (str_equal(plans->at[n].device, device))
			return true;
	return false;
}

/* The name the guest will give it, or the next free name. There are more letters than disks. */
static struct str name_device(struct op *op, const struct disk_plans *plans, size_t slot)
{
	struct str name = STR_NONE;
	for (int letter = 'a' + (int) slot; letter <= 'z'; letter++) {
		name = str_print(op->ctx->arena, "/dev/vd%c", letter);
		if (!is_named_so(plans, name))
			break;
	}
	return name;
}

RESULT local_disks_plan(struct op *op, const struct instance_type *type, const struct local_disk_wish *wishes,
			size_t count, struct disk_plans *plans)
{
	struct disk_plan local[LOCAL_DISKS_MAX + 2];
	size_t added = 0;
	if (count > LOCAL_DISKS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, wishes[0].field,
				   "Block Device Mapping is Invalid: You specified more local devices than "
				   "the limit allows");
	TRY(check_named(op, type, wishes, count));
	gather(wishes, count, false, type->ephemeral_disk, local, &added);
	gather(wishes, count, true, type->swap_disk, local, &added);
	if (plans->count + added > INSTANCE_VOLUMES_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, local[0].field,
				   "An instance has %d volumes at most.", INSTANCE_VOLUMES_MAX);
	for (size_t n = 0; n < added; n++) {
		bool is_said = local[n].device.n > 0;
		if (is_said)
			TRY(disk_plan_check_device(op, local[n].device, local[n].field));
		if (is_said && is_named_so(plans, local[n].device))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, local[n].field,
					   "The device '%" STR_FMT
					   "' is used in more than one block-device mapping",
					   STR_ARG(local[n].device));
		if (!is_said)
			local[n].device = name_device(op, plans, 1 + n);
		memmove(&plans->at[n + 2], &plans->at[n + 1], (plans->count - n - 1) * sizeof plans->at[0]);
		plans->at[n + 1] = local[n];
		plans->count++;
	}
	return OK;
}

/* ---- later changes ---- */

static RESULT write_one(struct op *op, const struct instance *instance, struct disk_plan disk, int64_t slot)
{
	uuid volume;
	return instance_write_disk(op, instance, &disk, slot, disk.field, &volume);
}

RESULT local_disk_renew(struct op *op, const struct instance *instance, const struct volume *old,
			struct str field)
{
	struct disk_plan disk = plan_one(old->local == VOLUME_LOCAL_SWAP, old->size, old->device, field);
	int64_t slot = old->device_slot;
	TRY(instance_leave_disk(op, old));
	return write_one(op, instance, disk, slot);
}

RESULT local_disks_renew(struct op *op, const struct instance *instance, struct str field)
{
	struct volume_list disks;
	TRY(engine_list_local_disks(op->ctx->arena, op->head, instance->row.id, &disks));
	for (size_t n = 0; n < disks.count; n++)
		TRY(local_disk_renew(op, instance, disks.at[n], field));
	return OK;
}

static RESULT add_one(struct op *op, const struct instance *instance, bool is_swap, int64_t size,
		      struct str field)
{
	struct disk_plan disk = plan_one(is_swap, size, STR_NONE, field);
	struct ref ref = engine_ref_to(op, KIND_INSTANCE, instance->row.id, field);
	int64_t slot = 0;
	TRY(volume_choose_place(op, instance, &ref, &slot, &disk.device));
	return write_one(op, instance, disk, slot);
}

RESULT local_disks_fit(struct op *op, const struct instance *instance, const struct instance_type *type,
		       bool goes_back, struct str field)
{
	struct volume_list disks;
	int64_t ephemeral = 0, swap = 0;
	TRY(engine_list_local_disks(op->ctx->arena, op->head, instance->row.id, &disks));
	for (size_t n = 0; n < disks.count; n++)
		*(disks.at[n]->local == VOLUME_LOCAL_SWAP ? &swap : &ephemeral) += disks.at[n]->size;
	bool drops = goes_back && type->ephemeral_disk == 0;
	if (ephemeral > type->ephemeral_disk && !drops)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, field,
				   "Unable to resize disk down: the ephemeral disks of the instance have "
				   "more than instance type '%" STR_FMT "'.",
				   STR_ARG(type->name));
	for (size_t n = 0; n < disks.count; n++) {
		bool is_swap = disks.at[n]->local == VOLUME_LOCAL_SWAP;
		if (is_swap ? swap != type->swap_disk : drops)
			TRY(instance_leave_disk(op, disks.at[n]));
	}
	if (ephemeral == 0 && type->ephemeral_disk)
		TRY(add_one(op, instance, false, type->ephemeral_disk, field));
	return swap != type->swap_disk && type->swap_disk
		       ? add_one(op, instance, true, type->swap_disk, field)
		       : OK;
}
