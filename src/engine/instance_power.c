/* SPDX-License-Identifier: Apache-2.0
 * What users ask of instances that are there: start, stop, reboot, terminate, change.
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
	(void) wish;
	if (!row_is_live(&instance->row) || instance->wanted_power != INSTANCE_WANTED_POWER_ON)
		return fail_state(op, ref, "rebooted");
	struct instance next = *instance;
	next.wanted_boots++;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(clear_restarted(op, instance));
	return engine_tell(op, KIND_INSTANCE, &next.row, "reboot asked", "Asked to reboot.");
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
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_INSTANCE, ref->field,
				   "The instance '%" STR_FMT "' may not be terminated. Modify its "
				   "'disableApiTermination' instance attribute and try again.",
				   STR_ARG(ref->text));
	return instance_write_terminate(op, instance, "Client.UserInitiatedShutdown",
					"Client.UserInitiatedShutdown: User initiated shutdown");
}

RESULT engine_terminate_instances(struct op *op, struct instances_wish *wish)
{
	return move_all(op, wish, &(struct power_move){"instance.terminate", terminate_one});
}

/* ---- change ---- */

/* Only while it is off: the next start defines it anew. */
static RESULT check_is_stopped(struct op *op, const struct instance *instance, const struct ref *ref)
{
	if (model_derive_instance_state(instance) == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
			   "The instance '%" STR_FMT "' is not in the 'stopped' state.", STR_ARG(ref->text));
}

static RESULT change_type(struct op *op, const struct instance_settings *wish, struct instance *next)
{
	const struct instance_type *type = NULL;
	TRY(engine_find_instance_type(op->ctx, op->head, &wish->type, &type));
	const struct host *host = host_find(op->head, next->host);
	int64_t more_vcpus = type->vcpus - next->vcpus, more_memory = type->memory - next->memory;
	if (more_vcpus > 0)
		TRY(quota_check(op, next->account, QUOTA_VCPUS, more_vcpus));
	bool has_vcpus =
		!host || more_vcpus <= 0 ||
		host_side(host)->vcpus + more_vcpus <= host->seen_cpus * host->overcommit_percent / 100;
	bool has_memory = !host || more_memory <= 0 ||
			  host_side(host)->memory + more_memory <= host->seen_memory - host->reserved_memory;
	if (!has_vcpus || !has_memory)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_INSTANCE, wish->type.field,
				   "Its host, '%" STR_FMT "', lacks %s for type %" STR_FMT ".",
				   STR_ARG(host->name), has_vcpus ? "memory" : "vCPUs", STR_ARG(type->name));
	next->type = type->row.id;
	next->vcpus = type->vcpus;
	next->memory = type->memory;
	return OK;
}

static void change_flags(const struct instance_settings *wish, struct instance *next)
{
	choice_apply(wish->protect_terminate, &next->protect_terminate);
	choice_apply(wish->shutdown_terminates, &next->shutdown_terminates);
	choice_apply(wish->monitoring, &next->monitoring);
	choice_apply(wish->ebs_optimized, &next->ebs_optimized);
	choice_apply(wish->metadata_enabled, &next->metadata_enabled);
	choice_apply(wish->metadata_tokens_required, &next->metadata_tokens_required);
	choice_apply(wish->metadata_tags, &next->metadata_tags);
	if (wish->metadata_hop_limit)
		next->metadata_hop_limit = wish->metadata_hop_limit;
}

RESULT engine_update_instance(struct op *op, struct instance_settings *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	if (!row_is_live(&instance->row))
		return fail_state(op, &wish->instance, "modified");
	if (wish->metadata_hop_limit < 0 || wish->metadata_hop_limit > 64)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_INSTANCE,
				     "The metadata hop limit is between 1 and 64.");
	if (wish->user_data.n > INSTANCE_USER_DATA_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_INSTANCE, "User data is limited to %d bytes",
				     INSTANCE_USER_DATA_MAX);
	TRY(engine_permit(op, "instance.update", KIND_INSTANCE, &instance->row));
	if (ref_is_given(&wish->type) || wish->set_user_data)
		TRY(check_is_stopped(op, instance, &wish->instance));
	struct instance next = *instance;
	change_flags(wish, &next);
	if (wish->set_user_data)
		next.user_data = wish->user_data;
	if (ref_is_given(&wish->type))
		TRY(change_type(op, wish, &next));
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_tell(op, KIND_INSTANCE, &next.row, "changed", "Its settings were changed.");
}
