/* SPDX-License-Identifier: Apache-2.0
 * Actions of users on several instances at once: start, stop, reboot, terminate, pause, suspend, lock,
 * monitor. Settings of one instance: instance_settings.c. Called by: api/ec2/compute/instances.c,
 * api/openstack. The reconciler (reconcile/instance/instance.c) carries them out. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/spot_internal.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/region/processor_internal.h"
#include "engine/reservation/capacity_reservation_internal.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/cloud_migration.h"
#include "store/instance.h"
#include "store/port.h"

/* ---- all instances of a wish ---- */

static enum instance_state state_now(const struct op *op, uuid instance)
{
	return model_derive_instance_state(instance_find(op->head, instance));
}

static bool is_done(const struct instance_change *changes, size_t count, uuid id)
{
	for (size_t n = 0; n < count; n++)
		if (uuid_equal(changes[n].id, id))
			return true;
	return false;
}

RESULT instance_fail_state(struct op *op, const struct ref *ref, const char *done)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' is not in a state from which it can be %s.",
			   STR_ARG(ref->text), done);
}

RESULT instance_check_unlocked(struct op *op, const struct instance *instance, struct str field)
{
	if (instance->locked == INSTANCE_LOCKED_NO || identity_is_admin(op->ctx->who))
		return OK;
	return ENGINE_FAIL(op, ERR_PROTECTED, KIND_INSTANCE, field, "The %s '%" STR_FMT "' is locked.",
			   engine_kind_words(op->ctx, KIND_INSTANCE),
			   STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
}

static RESULT check_undestroyed(struct op *op, const struct instance *instance, struct str field)
{
	if (!instance->destroyed_us || !row_is_live(&instance->row))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, field,
			   "The instance '%" STR_FMT "' is destroyed: it can be recovered, or ended.",
			   STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
}

RESULT instance_check_changeable(struct op *op, const struct instance *instance, struct str field)
{
	TRY(instance_check_unlocked(op, instance, field));
	TRY(check_undestroyed(op, instance, field));
	if (uuid_is_none(instance->target))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, field,
			   "The instance '%" STR_FMT "' is on its way to another host.",
			   STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)));
}

static RESULT check_move(struct op *op, const struct instances_wish *wish, const struct instance_move *move,
			 const struct instance *instance, const struct ref *ref)
{
	TRY(engine_permit(op, move->permission, KIND_INSTANCE, &instance->row));
	if (!move->is_lock)
		TRY(instance_check_unlocked(op, instance, ref->field));
	enum instance_state state = model_derive_instance_state(instance);
	bool may = wish->only_from == 0 || (wish->only_from >> state & 1);
	if (may)
		return move->takes_destroyed ? OK : check_undestroyed(op, instance, ref->field);
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field, "The instance '%" STR_FMT "' is %s.",
			   STR_ARG(ref->text), model_instance_states[state].name);
}

/* True if the action changed the wanted run state, so that a live migration no longer makes sense. */
static bool asks_other(const struct op *op, const struct instance *before)
{
	const struct instance *i = instance_find(op->head, before->row.id);
	return i && (!row_is_live(&i->row) || i->wanted_power != before->wanted_power ||
		     i->wanted_boots != before->wanted_boots || i->wanted_pause != before->wanted_pause);
}

RESULT instance_move_all(struct op *op, struct instances_wish *wish, const struct instance_move *move)
{
	struct instance_change *changes =
		arena_new_array(op->ctx->arena, struct instance_change, wish->instances.count + 1);
	size_t count = 0;
	if (!changes)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < wish->instances.count; n++) {
		const struct ref *ref = &wish->instances.at[n];
		const struct instance *instance = NULL;
		TRY(engine_name_absent(op->ctx, op->head, &wish->instances,
				       engine_find_own_instance(op->ctx, op->head, ref, &instance)));
		TRY(check_move(op, wish, move, instance, ref));
		if (is_done(changes, count, instance->row.id))
			continue;
		changes[count].id = instance->row.id;
		changes[count].before = model_derive_instance_state(instance);
		TRY(move->apply(op, wish, instance, ref));
		if (!uuid_is_none(instance->target) && asks_other(op, instance))
			TRY(instance_drop_migration(op, instance->row.id));
		changes[count].after = state_now(op, instance->row.id);
		count++;
	}
	wish->changes = changes;
	wish->change_count = count;
	return OK;
}

static RESULT fail_protected(struct op *op, const struct ref *ref, const char *done, const char *attribute)
{
	return ENGINE_FAIL(op, ERR_PROTECTED, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT
			   "' may not be %s. Modify its '%s' instance attribute and "
			   "try again.",
			   STR_ARG(ref->text), done, attribute);
}

static RESULT clear_restarted(struct op *op, const struct instance *instance)
{
	return condition_clear(op, instance->row.id, STR(INSTANCE_RESTARTED));
}

/* ---- start ---- */

static RESULT give_addresses(struct op *op, uuid instance)
{
	const struct port *port = port_first_by_instance(op->head, instance);
	for (; port; port = port_next_by_instance(op->head, port))
		if (row_is_live(&port->row))
			TRY(address_give_auto(op, port));
	return OK;
}

RESULT instance_turn_on(struct op *op, struct instance *next)
{
	TRY(spot_take_room(op, next));
	next->wanted_power = INSTANCE_WANTED_POWER_ON;
	next->wanted_save = next->wanted_pause = false;
	next->force_off = next->error_override = false;
	next->off_since_us = 0;
	next->launched_us = op->now_us;
	next->reason_code = STR_NONE;
	next->reason_text = STR_NONE;
	TRY(instance_avoid_maintenance(op, next));
	if (next->seen_power != INSTANCE_SEEN_POWER_ON && !next->seen_saved)
		processor_give(op->head, next);
	TRY(clear_restarted(op, next));
	return give_addresses(op, next->row.id);
}

/* Refuses an instance whose copy in another cloud is being created, or may still run there during an undo: two copies with
 * one address are worse than an outage. */
static RESULT check_not_leaving(struct op *op, const struct instance *instance, const struct ref *ref)
{
	for (const struct cloud_migration *m = cloud_migration_first_by_instance(op->head, instance->row.id);
	     m; m = cloud_migration_next_by_instance(op->head, m))
		if (m->direction == CLOUD_MIGRATION_DIRECTION_OUT && m->was_asked &&
		    (m->stage == CLOUD_MIGRATION_STAGE_MAKING || m->stage == CLOUD_MIGRATION_STAGE_STARTING ||
		     m->stage == CLOUD_MIGRATION_STAGE_UNDOING))
			return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
					   "The instance '%" STR_FMT
					   "' is being moved to another cloud. Undo the migration, or wait "
					   "for the undo to put the machine there away.",
					   STR_ARG(ref->text));
	return OK;
}

static RESULT start_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			const struct ref *ref)
{
	(void) wish;
	enum instance_state state = model_derive_instance_state(instance);
	if (!row_is_live(&instance->row) || state == INSTANCE_STOPPING || state == INSTANCE_SUSPENDING)
		return instance_fail_state(op, ref, "started");
	if (instance->wanted_power == INSTANCE_WANTED_POWER_ON)
		return OK;
	TRY(spot_check_start(op, instance, ref));
	TRY(check_not_leaving(op, instance, ref));
	TRY(instance_check_disks(op, instance, ref));
	if (instance->wanted_shelved)
		return instance_write_unshelve(op, instance);
	struct instance next = *instance;
	next.row.gen++;
	TRY(instance_turn_on(op, &next));
	TRY(capacity_enter(op, &next));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "start asked", "Asked to start.");
}

RESULT engine_start_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.start", .apply = start_one});
}

/* ---- stop ---- */

static RESULT stop_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
		       const struct ref *ref)
{
	if (!row_is_live(&instance->row))
		return instance_fail_state(op, ref, "stopped");
	bool is_on = instance->wanted_power == INSTANCE_WANTED_POWER_ON;
	bool forces = wish->force && !instance->force_off && instance->seen_power == INSTANCE_SEEN_POWER_ON;
	if (!is_on && !forces)
		return OK;
	TRY(spot_check_stop(op, instance, ref));
	if (instance->protect_stop)
		return fail_protected(op, ref, "stopped", "disableApiStop");
	struct instance next = *instance;
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.wanted_save = next.wanted_pause = next.error_override = false;
	next.force_off = wish->force;
	if (is_on)
		next.off_since_us = op->now_us;
	next.reason_code = STR("Client.UserInitiatedShutdown");
	next.reason_text = STR("Client.UserInitiatedShutdown: User initiated shutdown");
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	/* A running instance keeps its address until it is off. */
	if (next.seen_power != INSTANCE_SEEN_POWER_ON)
		TRY(instance_release_addresses(op, next.row.id));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "stop asked",
				wish->force ? "Asked to stop without asking the guest." : "Asked to stop.");
}

RESULT engine_stop_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.stop", .apply = stop_one});
}

/* ---- reapply ---- */

static RESULT reapply_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			  const struct ref *ref)
{
	struct instance next = *instance;
	(void) wish;
	if (!row_is_live(&instance->row))
		return instance_fail_state(op, ref, "reapplied");
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "reapply asked",
				"Its state is compared with what is wanted.");
}

RESULT engine_reapply_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.reapply", .apply = reapply_one});
}

/* ---- reboot ---- */

static RESULT reboot_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			 const struct ref *ref)
{
	if (!row_is_live(&instance->row) || instance->wanted_power != INSTANCE_WANTED_POWER_ON)
		return instance_fail_state(op, ref, "rebooted");
	struct instance next = *instance;
	bool is_asked = next.wanted_boots > next.seen_boots; /* a reboot is pending, and its timeout has
							      * started */
	next.wanted_boots++;
	next.wanted_pause = next.error_override = false;
	if (!is_asked)
		next.cold_boot = false;
	if (!is_asked || wish->force)
		next.reboot_since_us = wish->force ? 0 : op->now_us;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "reboot asked",
				wish->force ? "Asked to reboot without asking the guest."
					    : "Asked to reboot.");
}

RESULT engine_reboot_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.reboot", .apply = reboot_one});
}

/* ---- terminate ---- */

RESULT instance_check_unprotected(struct op *op, const struct instance *instance, const struct ref *ref)
{
	if (instance->protect_terminate)
		return fail_protected(op, ref, "terminated", "disableApiTermination");
	if (instance->protect_stop) /* stop protection also prevents termination */
		return fail_protected(op, ref, "terminated", "disableApiStop");
	return OK;
}

static RESULT terminate_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			    const struct ref *ref)
{
	(void) wish;
	if (!row_is_live(&instance->row))
		return OK;
	TRY(instance_check_unprotected(op, instance, ref));
	return instance_write_terminate(op, instance, "Client.UserInitiatedShutdown",
					"Client.UserInitiatedShutdown: User initiated shutdown");
}

RESULT engine_terminate_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish,
				 &(struct instance_move){"instance.terminate", .takes_destroyed = true,
							 .apply = terminate_one});
}

/* ---- pause and suspend ---- */

static RESULT write_pause(struct op *op, const struct instance *instance, const struct ref *ref, bool pause)
{
	enum instance_state state = model_derive_instance_state(instance);
	if (state != INSTANCE_RUNNING && state != INSTANCE_PAUSED)
		return instance_fail_state(op, ref, pause ? "paused" : "unpaused");
	if (instance->wanted_pause == pause)
		return OK;
	struct instance next = *instance;
	next.wanted_pause = pause;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, pause ? "pause asked" : "unpause asked",
				pause ? "Asked to pause." : "Asked to go on.");
}

static RESULT pause_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			const struct ref *ref)
{
	(void) wish;
	return write_pause(op, instance, ref, true);
}

static RESULT unpause_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			  const struct ref *ref)
{
	(void) wish;
	return write_pause(op, instance, ref, false);
}

RESULT engine_pause_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.pause", .apply = pause_one});
}

RESULT engine_unpause_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.unpause", .apply = unpause_one});
}

static RESULT suspend_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			  const struct ref *ref)
{
	(void) wish;
	enum instance_state state = model_derive_instance_state(instance);
	if (state == INSTANCE_SUSPENDING || state == INSTANCE_SUSPENDED)
		return OK;
	if (state != INSTANCE_RUNNING || model_derive_instance_task(instance) != INSTANCE_TASK_NONE)
		return instance_fail_state(op, ref,
					   "suspended"); /* a resize or rebuild changes disks that the saved
							  * memory would refer to */
	if (instance->protect_stop)
		return fail_protected(op, ref, "suspended", "disableApiStop");
	struct instance next = *instance;
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.wanted_save = true;
	next.wanted_pause = next.force_off = false;
	next.off_since_us = op->now_us;
	next.reason_code = STR("Client.UserInitiatedHibernate");
	next.reason_text = STR("Client.UserInitiatedHibernate: User initiated hibernate");
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "suspend asked", "Asked to suspend.");
}

RESULT engine_suspend_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.suspend", .apply = suspend_one});
}

/* ---- lock ---- */

enum { LOCK_REASON_MAX = 255 };

static RESULT lock_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
		       const struct ref *ref)
{
	if (!row_is_live(&instance->row))
		return instance_fail_state(op, ref, "locked");
	if (wish->reason.n > LOCK_REASON_MAX || !str_is_xml_text(wish->reason))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, STR("locked_reason"),
				   "A reason has up to %d characters.", LOCK_REASON_MAX);
	if (instance->locked == INSTANCE_LOCKED_ADMIN && !identity_is_admin(op->ctx->who))
		return OK; /* the administrator's lock stays */
	struct instance next = *instance;
	next.locked = identity_is_admin(op->ctx->who) ? INSTANCE_LOCKED_ADMIN : INSTANCE_LOCKED_OWNER;
	next.locked_reason = wish->reason;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "locked", "%" STR_FMT, STR_ARG(wish->reason));
}

static RESULT unlock_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			 const struct ref *ref)
{
	(void) wish;
	if (instance->locked == INSTANCE_LOCKED_ADMIN && !identity_is_admin(op->ctx->who))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_INSTANCE, ref->field,
				   "The instance '%" STR_FMT "' was locked by an administrator.",
				   STR_ARG(ref->text));
	if (instance->locked == INSTANCE_LOCKED_NO)
		return OK;
	struct instance next = *instance;
	next.locked = INSTANCE_LOCKED_NO;
	next.locked_reason = STR_NONE;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "unlocked", "It may be changed again.");
}

RESULT engine_lock_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.lock", true, true, lock_one});
}

RESULT engine_unlock_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish,
				 &(struct instance_move){"instance.unlock", true, true, unlock_one});
}

/* ---- monitor ---- */

static RESULT write_monitoring(struct op *op, const struct instance *instance, const struct ref *ref, bool on)
{
	if (!row_is_live(&instance->row))
		return instance_fail_state(op, ref, "monitored");
	if (instance->monitoring == on)
		return OK;
	struct instance next = *instance;
	next.monitoring = on;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "changed",
				on ? "Monitoring is on." : "Monitoring is off.");
}

static RESULT monitor_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			  const struct ref *ref)
{
	(void) wish;
	return write_monitoring(op, instance, ref, true);
}

static RESULT unmonitor_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			    const struct ref *ref)
{
	(void) wish;
	return write_monitoring(op, instance, ref, false);
}

RESULT engine_monitor_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish, &(struct instance_move){"instance.update", .apply = monitor_one});
}

RESULT engine_unmonitor_instances(struct op *op, struct instances_wish *wish)
{
	return instance_move_all(op, wish,
				 &(struct instance_move){"instance.update", .apply = unmonitor_one});
}
