/* SPDX-License-Identifier: Apache-2.0
 * What users ask of several instances at once: start, stop, reboot, terminate, monitor. Settings of one:
 * instance_settings.c.
 * Called by: api/ec2/instances.c. What happens next: reconcile/instance.c. */
#include "engine/instance.h"
#include "engine/internal.h"

/* ---- one and many ---- */

/* What is done to each of the instances of a wish: the rule of the state, then the row. */
struct power_move {
	const char *permission;
	RESULT(*apply)
	(struct op *op, const struct instances_wish *wish, const struct instance *instance,
	 const struct ref *ref);
};

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

static RESULT move_all(struct op *op, struct instances_wish *wish, const struct power_move *move)
{
	struct instance_change *changes =
		arena_new_array(op->ctx->arena, struct instance_change, wish->instances.count + 1);
	size_t count = 0;
	if (!changes)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < wish->instances.count; n++) {
		const struct ref *ref = &wish->instances.at[n];
		const struct instance *instance = NULL;
		TRY(engine_find_own_instance(op->ctx, op->head, ref, &instance));
		TRY(engine_permit(op, move->permission, KIND_INSTANCE, &instance->row));
		if (is_done(changes, count, instance->row.id))
			continue;
		changes[count].id = instance->row.id;
		changes[count].before = model_derive_instance_state(instance);
		TRY(move->apply(op, wish, instance, ref));
		changes[count].after = state_now(op, instance->row.id);
		count++;
	}
	wish->changes = changes;
	wish->change_count = count;
	return OK;
}

static RESULT fail_state(struct op *op, const struct ref *ref, const char *done)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' is not in a state from which it can be %s.",
			   STR_ARG(ref->text), done);
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

static RESULT start_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			const struct ref *ref)
{
	(void) wish;
	if (!row_is_live(&instance->row) || model_derive_instance_state(instance) == INSTANCE_STOPPING)
		return fail_state(op, ref, "started");
	if (instance->wanted_power == INSTANCE_WANTED_POWER_ON)
		return OK;
	struct instance next = *instance;
	next.wanted_power = INSTANCE_WANTED_POWER_ON;
	next.force_off = false;
	next.off_since_us = 0;
	next.launched_us = op->now_us;
	next.reason_code = STR_NONE;
	next.reason_text = STR_NONE;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	TRY(give_addresses(op, instance->row.id));
	return engine_tell(op, KIND_INSTANCE, &next.row, "start asked", "Asked to start.");
}

RESULT engine_start_instances(struct op *op, struct instances_wish *wish)
{
	return move_all(op, wish, &(struct power_move){"instance.start", start_one});
}

/* ---- stop ---- */

static RESULT stop_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
		       const struct ref *ref)
{
	if (!row_is_live(&instance->row))
		return fail_state(op, ref, "stopped");
	bool is_on = instance->wanted_power == INSTANCE_WANTED_POWER_ON;
	bool forces = wish->force && !instance->force_off && instance->seen_power == INSTANCE_SEEN_POWER_ON;
	if (!is_on && !forces)
		return OK;
	if (instance->protect_stop)
		return fail_protected(op, ref, "stopped", "disableApiStop");
	struct instance next = *instance;
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.force_off = wish->force;
	if (is_on)
		next.off_since_us = op->now_us;
	next.reason_code = STR("Client.UserInitiatedShutdown");
	next.reason_text = STR("Client.UserInitiatedShutdown: User initiated shutdown");
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	/* While it is on, its address goes with the power. */
	if (next.seen_power != INSTANCE_SEEN_POWER_ON)
		TRY(instance_release_addresses(op, next.row.id));
	return engine_tell(op, KIND_INSTANCE, &next.row, "stop asked", "Asked to stop%s.",
			   wish->force ? " without asking the guest" : "");
}

RESULT engine_stop_instances(struct op *op, struct instances_wish *wish)
{
	return move_all(op, wish, &(struct power_move){"instance.stop", stop_one});
}

/* ---- reboot ---- */

static RESULT reboot_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			 const struct ref *ref)
{
	if (!row_is_live(&instance->row) || instance->wanted_power != INSTANCE_WANTED_POWER_ON)
		return fail_state(op, ref, "rebooted");
	struct instance next = *instance;
	bool is_asked = next.wanted_boots > next.seen_boots; /* its time runs already */
	next.wanted_boots++;
	if (!is_asked || wish->force)
		next.reboot_since_us = wish->force ? 0 : op->now_us;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	return engine_tell(op, KIND_INSTANCE, &next.row, "reboot asked", "Asked to reboot%s.",
			   wish->force ? " without asking the guest" : "");
}

RESULT engine_reboot_instances(struct op *op, struct instances_wish *wish)
{
	return move_all(op, wish, &(struct power_move){"instance.reboot", reboot_one});
}

/* ---- terminate ---- */

static RESULT terminate_one(struct op *op, const struct instances_wish *wish, const struct instance *instance,
			    const struct ref *ref)
{
	(void) wish;
	if (!row_is_live(&instance->row))
		return OK;
	if (instance->protect_terminate)
		return fail_protected(op, ref, "terminated", "disableApiTermination");
	if (instance->protect_stop) /* which is from ending it by mistake, too */
		return fail_protected(op, ref, "terminated", "disableApiStop");
	return instance_write_terminate(op, instance, "Client.UserInitiatedShutdown",
					"Client.UserInitiatedShutdown: User initiated shutdown");
}

RESULT engine_terminate_instances(struct op *op, struct instances_wish *wish)
{
	return move_all(op, wish, &(struct power_move){"instance.terminate", terminate_one});
}

/* ---- monitor ---- */

static RESULT write_monitoring(struct op *op, const struct instance *instance, const struct ref *ref, bool on)
{
	if (!row_is_live(&instance->row))
		return fail_state(op, ref, "monitored");
	if (instance->monitoring == on)
		return OK;
	struct instance next = *instance;
	next.monitoring = on;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_tell(op, KIND_INSTANCE, &next.row, "changed", "Monitoring is %s.", on ? "on" : "off");
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
	return move_all(op, wish, &(struct power_move){"instance.update", monitor_one});
}

RESULT engine_unmonitor_instances(struct op *op, struct instances_wish *wish)
{
	return move_all(op, wish, &(struct power_move){"instance.update", unmonitor_one});
}
