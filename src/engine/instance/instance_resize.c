/* SPDX-License-Identifier: Apache-2.0
 * Resize: requested, then confirmed or reverted. The row keeps the former type until then. The reconciler
 * (reconcile/instance/instance.c) boots the instance cold, with the definition that follows from the new row. Called
 * by: api/openstack. */
#include <inttypes.h>

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/instance_type_internal.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/internal.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/instance_migration.h"
#include "store/instance_type.h"
#include "store/volume.h"

/* ---- records, which Nova lists as migrations ---- */

static const struct instance_migration *find_record(const struct tables *t, uuid instance)
{
	const struct instance_migration *found = NULL;
	for (const struct instance_migration *r = instance_migration_first_by_instance(t, instance); r;
	     r = instance_migration_next_by_instance(t, r))
		if (r->method != INSTANCE_MIGRATION_METHOD_LIVE &&
		    (!found || r->row.created_us >= found->row.created_us))
			found = r;
	return found;
}

static RESULT record_resize(struct op *op, const struct instance *next)
{
	struct instance_migration record = {.account = next->account,
					    .instance = next->row.id,
					    .host = next->host,
					    .old_type = next->old_type,
					    .type = next->type};
	return instance_record_migration(op, &record);
}

static RESULT record_outcome(struct op *op, uuid instance, enum instance_migration_outcome outcome)
{
	const struct instance_migration *record = find_record(op->head, instance);
	if (!record)
		return OK;
	struct instance_migration next = *record;
	next.outcome = outcome;
	next.row.gen++;
	return instance_migration_put(op, &next);
}

/* ---- resizes ---- */

static RESULT find_instance(struct op *op, const struct ref *ref, const char *permission,
			    const struct instance **ret_instance)
{
	TRY(engine_permit_instance(op, ref, permission, ret_instance));
	return instance_check_changeable(op, *ret_instance, ref->field);
}

RESULT instance_check_settled(struct op *op, const struct instance *instance, const struct ref *ref,
			      const char *done)
{
	enum instance_state state = model_derive_instance_state(instance);
	bool may = (state == INSTANCE_RUNNING || state == INSTANCE_STOPPED) &&
		   uuid_is_none(instance->old_type) && uuid_is_none(instance->rescue_disk) &&
		   uuid_is_none(instance->target) &&
		   model_derive_instance_task(instance) == INSTANCE_TASK_NONE;
	if (may)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' is not in a state from which it can be %s.",
			   STR_ARG(ref->text), done);
}

void instance_begin_task(const struct op *op, enum instance_task task, bool asks_guest, struct instance *next)
{
	next->row.gen++;
	next->task = task;
	next->task_gen = (int64_t) next->row.gen;
	next->error_override = false;
	if (next->wanted_power != INSTANCE_WANTED_POWER_ON)
		return;
	next->wanted_boots++;
	next->cold_boot = true;
	next->reboot_since_us = asks_guest ? op->now_us : 0;
}

const struct volume *instance_find_root(const struct tables *t, uuid instance)
{
	const struct volume *v = volume_first_by_instance(t, instance);
	while (v && (!row_is_live(&v->row) || v->device_slot != 0))
		v = volume_next_by_instance(t, v);
	return v;
}

uuid instance_get_root_id(const struct tables *t, uuid instance)
{
	const struct volume *root = instance_find_root(t, instance);
	return root ? root->row.id : UUID_NONE;
}

static RESULT grow_root(struct op *op, const struct instance *instance, const struct instance_type *type,
			struct str field)
{
	const struct volume *root = instance_find_root(op->head, instance->row.id);
	if (!root || instance->root_is_volume || type->root_disk == 0 || type->root_disk == root->size)
		return OK;
	if (type->root_disk < root->size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, field,
				   "The root disk of instance type '%" STR_FMT
				   "' is smaller than the instance's, of %" PRId64 " bytes.",
				   STR_ARG(type->name), root->size);
	struct volume_modifying growing = {
		.volume = {.kind = KIND_VOLUME,
			   .prefix = root->row.id,
			   .bits = 128,
			   .text = engine_write_id(op, KIND_VOLUME, root->row.id),
			   .field = field},
		.size = type->root_disk,
	};
	return engine_modify_volume(op, &growing);
}

RESULT engine_resize_instance(struct op *op, struct instance_resizing *wish)
{
	const struct instance *instance = NULL;
	const struct instance_type *type = NULL;
	TRY(find_instance(op, &wish->instance, "instance.resize", &instance));
	TRY(instance_find_offered_type(op, &wish->type, &type));
	TRY(instance_check_settled(op, instance, &wish->instance, "resized"));
	if (uuid_equal(instance->type, type->row.id))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_INSTANCE_TYPE, wish->type.field,
				   "The instance '%" STR_FMT "' has the type '%" STR_FMT "' already.",
				   STR_ARG(wish->instance.text), STR_ARG(type->name));
	struct instance next = *instance;
	TRY(instance_change_type(op, type, wish->type.field, &next));
	TRY(grow_root(op, instance, type, wish->type.field));
	TRY(local_disks_fit(op, instance, type, false, wish->type.field));
	next.old_type = instance->type;
	instance_begin_task(op, INSTANCE_TASK_RESIZE, true, &next);
	choice_apply(wish->disk_auto, &next.disk_auto);
	TRY(instance_put(op, &next));
	TRY(record_resize(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "resize asked", "To type %" STR_FMT ".",
				STR_ARG(type->name));
}

static RESULT find_resized(struct op *op, const struct ref *ref, const char *permission, const char *done,
			   const struct instance **ret_instance)
{
	TRY(find_instance(op, ref, permission, ret_instance));
	if (row_is_live(&(*ret_instance)->row) && model_is_resized(*ret_instance))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' has no resize that could be %s.", STR_ARG(ref->text),
			   done);
}

RESULT engine_confirm_resize(struct op *op, struct instance_target *wish)
{
	const struct instance *instance = NULL;
	TRY(find_resized(op, &wish->instance, "instance.resize", "confirmed", &instance));
	struct instance next = *instance;
	next.old_type = next.old_host = UUID_NONE;
	uuid old_type = instance->old_type;
	bool was_moved = !uuid_is_none(instance->old_host);
	TRY(instance_put(op, &next));
	TRY(record_outcome(op, next.row.id, INSTANCE_MIGRATION_OUTCOME_CONFIRMED));
	TRY(instance_type_forget_unused(op, old_type));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "resize confirmed",
				was_moved ? "It stays on its new host." : "Its new size stays.");
}

/* The former type may have been deleted meanwhile, but its row stays while a resize refers to it. */
RESULT engine_revert_resize(struct op *op, struct instance_target *wish)
{
	const struct instance *instance = NULL;
	TRY(find_resized(op, &wish->instance, "instance.resize", "reverted", &instance));
	const struct instance_type *type = instance_type_find(op->head, instance->old_type);
	if (!type)
		return engine_fail_gone(op->ctx, KIND_INSTANCE_TYPE, instance->old_type);
	struct instance next = *instance;
	uuid new_type = instance->type;
	TRY(instance_change_type(op, type, wish->instance.field, &next));
	TRY(local_disks_fit(op, instance, type, true, wish->instance.field));
	next.old_type = UUID_NONE;
	if (uuid_is_none(instance->old_host))
		instance_begin_task(op, INSTANCE_TASK_REVERT, true, &next);
	else
		TRY(instance_send_back(op, instance, &wish->instance, &next));
	TRY(instance_put(op, &next));
	TRY(record_outcome(op, next.row.id, INSTANCE_MIGRATION_OUTCOME_REVERTED));
	TRY(instance_type_forget_unused(op, new_type));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "resize reverted", "To type %" STR_FMT ".",
				STR_ARG(type->name));
}
