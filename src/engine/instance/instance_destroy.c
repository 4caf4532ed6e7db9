/* SPDX-License-Identifier: Apache-2.0
 * Destroyed instances, which can be recovered for a while (CloudStack's destroy, Nova's soft delete). The
 * reconciler (reconcile/instance/instance.c) terminates them when they are due. Called by: api/cloudstack,
 * api/openstack. */
#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/people/user_limit.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/volume.h"

static int64_t get_delay_us(const struct tables *t)
{
	return engine_get_number(t, SETTING_EXPUNGE_DELAY, EXPUNGE_DELAY_S) * SECOND;
}

int64_t engine_get_expunge_us(const struct tables *t, const struct instance *i)
{
	return i->destroyed_us && row_is_live(&i->row) ? i->destroyed_us + get_delay_us(t) : 0;
}

/* ---- data disks ---- */

static bool is_data_disk(const struct instance *instance, const struct volume *v)
{
	return v->device_slot != 0 && !v->is_medium && !uuid_equal(v->row.id, instance->rescue_disk);
}

/* Finds a named volume among the instance's data disks. */
static RESULT find_named(struct op *op, const struct instance *instance, const struct volume_list *disks,
			 const struct ref *ref, const struct volume **ret_disk)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, ref, "volume.delete", &volume));
	for (size_t k = 0; k < disks->count; k++) {
		*ret_disk = disks->at[k];
		if (uuid_equal((*ret_disk)->row.id, volume->row.id) && is_data_disk(instance, *ret_disk))
			return OK;
	}
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, ref->field,
			   "The volume '%" STR_FMT "' is no data disk of the instance '%" STR_FMT "'",
			   STR_ARG(ref->text), STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
}

static RESULT delete_disk(struct op *op, const struct volume *attached)
{
	uuid id = attached->row.id;
	bool goes = !engine_has_several_attachments(op->head, id);
	TRY(volume_write_detach(op, attached, false));
	return goes ? volume_delete_metered(op, volume_find(op->head, id)) : OK;
}

/* Detaches data disks that survive the instance. A suspended guest's memory refers to its disks, so those
 * stay until it is terminated. */
static RESULT leave_disks(struct op *op, const struct instances_wish *wish, const struct instance *instance)
{
	struct volume_list disks;
	const struct volume *disk = NULL;
	bool is_kept = instance->wanted_save || instance->seen_saved;
	TRY(engine_list_disks(op->ctx->arena, op->head, instance->row.id, false, &disks));
	for (size_t k = 0; k < wish->volumes.count; k++) {
		TRY(find_named(op, instance, &disks, &wish->volumes.at[k], &disk));
		TRY(delete_disk(op, disk));
	}
	TRY(engine_list_disks(op->ctx->arena, op->head, instance->row.id, false, &disks));
	for (size_t k = 0; k < disks.count && !is_kept; k++)
		if (is_data_disk(instance, disks.at[k]) && !disks.at[k]->delete_on_termination)
			TRY(volume_write_detach(op, disks.at[k], false));
	return OK;
}

/* ---- destroy ---- */

static RESULT write_destroyed(struct op *op, const struct instance *instance)
{
	struct instance next = *instance;
	if (next.wanted_power == INSTANCE_WANTED_POWER_ON) {
		next.wanted_power = INSTANCE_WANTED_POWER_OFF;
		next.off_since_us = op->now_us;
		next.wanted_save = next.wanted_pause = next.force_off = false;
	}
	next.destroyed_us = op->now_us;
	next.error_override = false;
	next.reason_code = STR("Client.UserInitiatedShutdown");
	next.reason_text = STR("Client.UserInitiatedShutdown: User initiated shutdown");
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(condition_clear(op, next.row.id, STR(INSTANCE_RESTARTED)));
	if (next.seen_power != INSTANCE_SEEN_POWER_ON)
		TRY(instance_release_addresses(op, next.row.id));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "destroyed",
				"It ends in %" PRId64 " s, unless it is recovered.",
				get_delay_us(op->head) / SECOND);
}

static RESULT destroy_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			  const struct ref *ref)
{
	bool ends = wish->force || get_delay_us(op->head) == 0;
	uuid id = instance->row.id;
	if (!row_is_live(&instance->row) || (instance->destroyed_us && !ends))
		return OK;
	TRY(instance_check_unprotected(op, instance, ref));
	TRY(instance_end_snapshots(op, id)); /* after this its disks may be detached one by one */
	TRY(leave_disks(op, wish, instance));
	instance = instance_find(op->head, id);
	return ends ? instance_write_terminate(op, instance, "Client.UserInitiatedShutdown",
					       "Client.UserInitiatedShutdown: User initiated shutdown")
		    : write_destroyed(op, instance);
}

RESULT engine_destroy_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(
		op, wish,
		&(struct instance_move){"instance.terminate", .takes_destroyed = true, .apply = destroy_one});
}

/* ---- recovery ---- */

RESULT instance_check_quotas(struct op *op, uuid account, const struct instance *i)
{
	const struct user_figures more = {1, i->vcpus, i->memory};
	TRY(quota_check(op, account, QUOTA_INSTANCES, 1));
	TRY(quota_check(op, account, QUOTA_VCPUS, i->vcpus));
	TRY(quota_check(op, account, QUOTA_MEMORY, i->memory));
	return user_limit_check(op, account, i->made_by, &more);
}

static RESULT recover_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			  const struct ref *ref)
{
	if (model_derive_instance_state(instance) != INSTANCE_DESTROYED)
		return instance_fail_state(op, ref, "recovered");
	TRY(instance_check_quotas(op, instance->account, instance));
	if (wish->starts)
		TRY(instance_check_disks(op, instance, ref));
	struct instance next = *instance;
	next.destroyed_us = 0;
	next.row.gen++;
	if (wish->starts && !next.wanted_shelved)
		TRY(instance_turn_on(op, &next));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "recovered", "It is not to end any more.");
}

RESULT engine_recover_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(
		op, wish,
		&(struct instance_move){"instance.recover", .takes_destroyed = true, .apply = recover_one});
}

/* ---- termination ---- */

RESULT engine_expunge_instance(struct op *op, struct instance_expunging *wish)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	int64_t due_us = instance ? engine_get_expunge_us(op->head, instance) : 0;
	if (!due_us || op->now_us < due_us)
		return OK;
	return instance_write_terminate(op, instance, "Client.UserInitiatedShutdown",
					"Client.UserInitiatedShutdown: User initiated shutdown");
}
