/* SPDX-License-Identifier: Apache-2.0
 * Backups of machines: creation, completion, legal hold and deletion. */
#include "engine/backup/machine_backup.h"

#include <inttypes.h>

#include "engine/backup/backup_plan_internal.h"
#include "engine/backup/machine_backup_internal.h"
#include "engine/condition_internal.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/tag_internal.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/machine_backup.h"
#include "store/port.h"
#include "store/volume.h"

/* ---- creation ---- */

static RESULT check_words(struct op *op, struct str name, struct str description)
{
	if (name.n <= 255 && str_is_xml_text(name) && description.n <= 255 && str_is_xml_text(description))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_MACHINE_BACKUP, STR("name"),
			   "A backup's name and description have up to 255 characters.");
}

static struct str machine_name(const struct instance *i)
{
	const struct tag *tag = i->name.n ? NULL : tags_find(i->tags, STR("Name"));
	return tag ? tag->value : i->name;
}

static struct str default_name(struct op *op, const struct instance *i)
{
	char text[CLOCK_TEXT_SIZE];
	struct str name = machine_name(i);
	(void) clock_write_basic(op->now_us, text); /* "20161115T100000Z" */
	if (!name.n)
		name = engine_write_id(op, KIND_INSTANCE, i->row.id);
	return str_print(op->ctx->arena, "%" STR_FMT "-%s", STR_ARG(str_cut(name, 200)), text);
}

/* Interfaces in the order of their device indexes. */
static RESULT copy_ports(struct op *op, const struct instance *i, struct machine_backup *m)
{
	enum { PORTS_MAX = 64 };
	uuid *subnets = arena_new_array(op->ctx->arena, uuid, PORTS_MAX);
	size_t count = 0;
	if (!subnets)
		return ctx_no_memory(op->ctx);
	for (const struct port *p = port_first_by_instance(op->head, i->row.id); p && count < PORTS_MAX;
	     p = port_next_by_instance(op->head, p)) {
		if (!row_is_live(&p->row) || uuid_is_none(p->subnet))
			continue;
		if (count == 0)
			m->groups = p->groups;
		subnets[count++] = p->subnet;
	}
	m->subnets = (struct uuids){subnets, count};
	return OK;
}

static RESULT copy_machine(struct op *op, const struct instance *i, struct machine_backup *m)
{
	const struct instance_type *type = instance_type_find(op->head, i->type);
	m->account = i->account;
	m->instance = i->row.id;
	m->machine_name = machine_name(i);
	m->machine_tags = i->tags;
	m->type_name = type ? type->name : STR_NONE;
	m->image = i->image;
	m->zone = i->zone;
	m->key_name = i->key_name;
	m->user_data = i->user_data;
	m->root_device = i->root_device;
	m->root_is_volume = i->root_is_volume;
	m->platform = (enum machine_backup_platform) i->platform;
	m->personality = (enum machine_backup_personality) i->personality;
	m->boot_mode = (enum machine_backup_boot_mode) i->boot_mode;
	m->secure_boot = i->secure_boot;
	m->uefi_variables = i->uefi_variables;
	m->disk_bus = (enum machine_backup_disk_bus) i->disk_bus;
	m->nic_model = (enum machine_backup_nic_model) i->nic_model;
	m->licences = i->licences;
	m->data_us = op->now_us;
	return copy_ports(op, i, m);
}

static enum machine_backup_consistency find_consistency(const struct instance *i, size_t disks)
{
	if (i->seen_power != INSTANCE_SEEN_POWER_ON)
		return MACHINE_BACKUP_CONSISTENCY_OFF;
	return disks == 1 ? MACHINE_BACKUP_CONSISTENCY_CRASH : MACHINE_BACKUP_CONSISTENCY_DISKS;
}

/* Notes writes for a plan, whose next run then reads only those from the host. */
static RESULT write_disk(struct op *op, const struct machine_backup_order *order,
			 const struct machine_backup *m, const struct volume *v)
{
	struct ref ref = engine_ref_to(op, KIND_VOLUME, v->row.id, order->field);
	struct backup b = {.account = m->account,
			   .made_by = order->asker.user,
			   .made_with = order->asker.with,
			   .made_until_us = order->asker.until_us,
			   .name = m->name,
			   .volume = v->row.id,
			   .target = order->target,
			   .container = order->container,
			   .machine_backup = m->row.id,
			   .device = v->device,
			   .device_slot = v->device_slot,
			   .disk_type = v->type,
			   .deletes_on_termination = v->delete_on_termination};
	TRY(backup_check_volume(op, &ref, true, v));
	TRY(backup_check_room(op, m->account, v->size));
	if (!order->is_full)
		b.parent = backup_find_base(op, &b);
	return backup_begin(op, v, NULL, order->plan != NULL && !v->is_shared, &b);
}

RESULT machine_backup_write(struct op *op, const struct machine_backup_order *order, uuid *ret_backup)
{
	const struct instance *i = order->instance;
	struct volume_list disks;
	struct machine_backup m = {.row = {.id = engine_new_id(op, KIND_MACHINE_BACKUP), .gen = 1},
				   .made_by = order->asker.user,
				   .name = order->name.n ? order->name : default_name(op, i),
				   .description = order->description,
				   .plan = order->plan ? order->plan->row.id : UUID_NONE,
				   .rule = order->rule,
				   .due_us = order->due_us,
				   .tags = order->tags};
	if (order->keep_days)
		m.expires_us = op->now_us + order->keep_days * 24 * HOUR;
	if (order->complete_minutes)
		m.deadline_us = op->now_us + order->complete_minutes * MINUTE;
	TRY(copy_machine(op, i, &m));
	TRY(engine_list_disks(op->ctx->arena, op->head, i->row.id, false, &disks));
	for (size_t k = 0; k < disks.count; k++) {
		const struct volume *v = disks.at[k];
		if (v->is_medium)
			continue;
		TRY(engine_check_found(op->ctx, op->head, KIND_VOLUME, &v->row));
		TRY(write_disk(op, order, &m, v));
		m.disk_count++;
		m.size += v->size;
	}
	if (m.disk_count == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, order->field,
				   "The instance '%" STR_FMT "' has no disks.",
				   STR_ARG(engine_write_id(op, KIND_INSTANCE, i->row.id)));
	m.consistency = find_consistency(i, (size_t) m.disk_count);
	TRY(machine_backup_put(op, &m));
	*ret_backup = m.row.id;
	return engine_log_event(op, KIND_MACHINE_BACKUP, &m.row, "created",
				"Of the instance %" STR_FMT ", %" PRId64 " disks.",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, i->row.id)), m.disk_count);
}

RESULT engine_create_machine_backup(struct op *op, struct machine_backup_wish *wish)
{
	const struct instance *instance = NULL;
	struct tags tags;
	if (!wish->target.n)
		return ctx_fail(op->ctx, ERR_GONE, "This region keeps no backups: it has no place for them.");
	TRY(engine_permit_instance(op, &wish->instance, "machine_backup.create", &instance));
	TRY(check_words(op, wish->name, wish->description));
	TRY(tag_normalize(op, wish->tags, &tags));
	struct machine_backup_order order = {.instance = instance,
					     .target = wish->target,
					     .container = wish->container.n ? wish->container
									    : STR(BACKUP_CONTAINER),
					     .name = wish->name,
					     .description = wish->description,
					     .field = wish->instance.field,
					     .is_full = wish->is_full,
					     .tags = tags};
	TRY(asker_find(op, &order.asker));
	TRY(backup_check_container(op, order.container));
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' is terminated.",
				   STR_ARG(wish->instance.text));
	return machine_backup_write(op, &order, &wish->backup);
}

/* ---- completion ---- */

static RESULT fail(struct op *op, struct machine_backup *next, const struct backup *failed)
{
	next->problem = str_print(op->ctx->arena, "Disk %" STR_FMT ": %" STR_FMT, STR_ARG(failed->device),
				  STR_ARG(failed->problem.n ? failed->problem : STR("it is in error")));
	TRY(machine_backup_put(op, next));
	TRY(engine_log_event(op, KIND_MACHINE_BACKUP, &next->row, "failed", "%" STR_FMT,
			     STR_ARG(next->problem)));
	return backup_plan_note_failure(op, next);
}

RESULT machine_backup_follow(struct op *op, uuid machine_backup)
{
	const struct machine_backup *m = machine_backup_find(op->head, machine_backup);
	const struct backup *failed = NULL;
	bool is_creating = false, is_one_moment = true;
	uuid moment = UUID_NONE;
	if (!m || model_derive_machine_backup_state(m) == MACHINE_BACKUP_ERROR)
		return OK;
	struct machine_backup next = *m;
	next.stored_size = 0;
	for (const struct backup *b = backup_first_by_machine_backup(op->head, machine_backup); b;
	     b = backup_next_by_machine_backup(op->head, b)) {
		enum backup_state state = model_derive_backup_state(b);
		is_creating = is_creating || state == BACKUP_CREATING;
		failed = state == BACKUP_ERROR ? b : failed;
		next.stored_size += b->stored_size;
		moment = b->device_slot == 0 || uuid_is_none(moment) ? b->moment : moment;
		is_one_moment = is_one_moment && !uuid_is_none(b->moment) && uuid_equal(b->moment, moment);
	}
	if (failed)
		return fail(op, &next, failed);
	if (is_creating || m->is_written)
		return OK;
	next.is_written = true;
	next.deadline_us = 0;
	next.completed_us = op->now_us;
	if (next.consistency == MACHINE_BACKUP_CONSISTENCY_DISKS && is_one_moment)
		next.consistency = MACHINE_BACKUP_CONSISTENCY_CRASH;
	TRY(machine_backup_put(op, &next));
	TRY(engine_log_event(op, KIND_MACHINE_BACKUP, &next.row, "completed",
			     "%" PRId64 " disks, %" PRId64 " bytes stored.", next.disk_count,
			     next.stored_size));
	return backup_plan_note_success(op, &next);
}

/* ---- changes ---- */

RESULT engine_update_machine_backup(struct op *op, struct machine_backup_settings *wish)
{
	const struct machine_backup *m = NULL;
	TRY(engine_permit_machine_backup(op, &wish->backup, "machine_backup.update", &m));
	struct machine_backup next = *m;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_held, &next.is_held);
	TRY(check_words(op, next.name, next.description));
	next.row.gen++;
	TRY(machine_backup_put(op, &next));
	return engine_log_sentence(op, KIND_MACHINE_BACKUP, &next.row, "changed",
				   next.is_held == m->is_held ? "Name or description."
				   : next.is_held             ? "Legal hold set."
							      : "Legal hold lifted.");
}

bool machine_backup_is_busy(const struct tables *t, const struct machine_backup *m)
{
	if (m->is_held || m->check_state == MACHINE_BACKUP_CHECK_STATE_RUNNING)
		return true;
	for (const struct backup *b = backup_first_by_machine_backup(t, m->row.id); b;
	     b = backup_next_by_machine_backup(t, b))
		if (row_is_live(&b->row) &&
		    (engine_backup_is_restoring(t, b->row.id) || backup_is_being_added_to(t, b->row.id)))
			return true;
	return false;
}

static RESULT check_deletable(struct op *op, const struct machine_backup *m, struct str field)
{
	struct str id = engine_write_id(op, KIND_MACHINE_BACKUP, m->row.id);
	if (m->is_held)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_MACHINE_BACKUP, field,
				   "The backup '%" STR_FMT "' is under a legal hold.", STR_ARG(id));
	if (machine_backup_is_busy(op->head, m))
		return ENGINE_FAIL(op, ERR_STATE, KIND_MACHINE_BACKUP, field,
				   "The backup '%" STR_FMT
				   "' is being restored, tested or added to. Try again later.",
				   STR_ARG(id));
	return OK;
}

RESULT machine_backup_drop(struct op *op, const struct machine_backup *m, struct str field)
{
	uuid id = m->row.id;
	TRY(check_deletable(op, m, field));
	TRY(engine_log_event(op, KIND_MACHINE_BACKUP, &m->row, "deleted",
			     "With the backups of %" PRId64 " disks.", m->disk_count));
	for (const struct backup *b = backup_first_by_machine_backup(op->head, id), *after = NULL; b;
	     b = after) {
		after = backup_next_by_machine_backup(op->head, b);
		if (row_is_live(&b->row))
			TRY(backup_drop(op, b));
	}
	return machine_backup_forget(op, id);
}

RESULT engine_delete_machine_backup(struct op *op, struct machine_backup_target *wish)
{
	const struct machine_backup *m = NULL;
	TRY(engine_permit_machine_backup(op, &wish->backup, "machine_backup.delete", &m));
	TRY(engine_permit(op, "recovery_point.delete", KIND_MACHINE_BACKUP, &m->row));
	return machine_backup_drop(op, m, wish->backup.field);
}
