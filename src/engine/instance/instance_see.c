/* SPDX-License-Identifier: Apache-2.0
 * The reconciler's reports about instances: power, shutdowns by the guest, crashes, and the end with all that
 * belongs to the instance. Called by: reconcile/instance/instance.c. */
#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/instance/azure_guest_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_event.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/instance_type_internal.h"
#include "engine/instance/launch/fleet_internal.h"
#include "engine/instance/profile_association_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/trunk.h"
#include "engine/region/processor_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

#define MEBIBYTE (INT64_C(1) << 20)
#define GIBIBYTE (INT64_C(1) << 30)

RESULT instance_meter_allocation(struct op *op, const struct instance *instance, int64_t level)
{
	const struct instance_type *type = instance_type_find(op->head, instance->type);
	struct str meter = str_print(
		op->ctx->arena, INSTANCE_ALLOCATION_METER "%" PRId64 ":%" PRId64 ":%" PRId64 ":%" STR_FMT,
		instance->vcpus, instance->memory / MEBIBYTE,
		type ? (type->root_disk + type->ephemeral_disk) / GIBIBYTE : 0,
		STR_ARG(type ? type->name : STR("unknown")));
	if (!meter.p)
		return ctx_no_memory(op->ctx);
	return op_usage(op, KIND_INSTANCE, instance->row.id, instance->account, meter, level);
}

static bool take_number(struct str *rest, int64_t *ret_number)
{
	struct str digits;
	return str_split_next(rest, ':', &digits) && result_is_ok(str_parse_int(digits, ret_number));
}

bool engine_parse_allocation(struct str meter, struct instance_allocation *ret_allocation)
{
	struct instance_allocation allocation = {0};
	struct str rest = str_slice(meter, strlen(INSTANCE_ALLOCATION_METER), meter.n);
	if (!str_starts_with(meter, STR(INSTANCE_ALLOCATION_METER)) ||
	    !take_number(&rest, &allocation.vcpus) || !take_number(&rest, &allocation.memory_mib) ||
	    !take_number(&rest, &allocation.disk_gib))
		return false;
	allocation.type = rest;
	*ret_allocation = allocation;
	return true;
}

/* ---- termination ---- */

RESULT instance_release_ports(struct op *op, uuid instance)
{
	const struct port *port = port_first_by_instance(op->head, instance), *next_port = NULL;
	for (; port; port = next_port) {
		next_port = port_next_by_instance(op->head, port);
		if (!row_is_live(&port->row))
			continue;
		struct port next = *port;
		port_leave_instance(&next);
		TRY(address_take_auto(op, port->row.id));
		TRY(port_put(op, &next));
		if (port->delete_on_termination && !engine_get_trunk_of(op->head, port->row.id))
			TRY(port_delete_with_addresses(op, &next));
	}
	return OK;
}

RESULT instance_release_parts(struct op *op, const struct instance *instance)
{
	TRY(instance_release_ports(op, instance->row.id));
	TRY(volume_end_attachments(op, instance->row.id));
	TRY(profile_association_leave_instance(op, instance->row.id));
	TRY(azure_guest_leave_instance(op, instance->row.id));
	TRY(condition_clear_all(op, instance->row.id));
	TRY(instance_meter_allocation(op, instance, 0));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "terminated", "It is gone from its host.");
}

/* Ends an instance that never had a host: nobody has to confirm that it is gone. */
static RESULT end_unplaced(struct op *op, uuid id)
{
	struct instance next = *instance_find(op->head, id);
	next.seen_gen = (int64_t) next.row.gen;
	next.stopped_us = op->now_us;
	TRY(instance_put(op, &next));
	return instance_release_parts(op, &next);
}

RESULT instance_write_terminate(struct op *op, const struct instance *instance, const char *reason_code,
				const char *reason_text)
{
	struct instance next = *instance;
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.force_off = true;
	next.off_since_us = op->now_us;
	next.reason_code = str_from(reason_code);
	next.reason_text = str_from(reason_text);
	next.rescue_disk = next.shelved_image = UUID_NONE;
	TRY(instance_end_shelved_image(op, instance->shelved_image));
	TRY(instance_end_snapshots(op, instance->row.id));
	TRY(instance_put(op, &next));
	TRY(instance_delete(op, instance->row.id));
	TRY(engine_log_sentence(op, KIND_INSTANCE, &next.row, "terminate asked", reason_text));
	TRY(fleet_note_end(op, &next));
	return uuid_is_none(instance->host) ? end_unplaced(op, instance->row.id) : OK;
}

/* ---- power ---- */

static RESULT note_pause(struct op *op, const struct instance *before, const struct instance *after)
{
	if (before->seen_paused == after->seen_paused || after->seen_power != INSTANCE_SEEN_POWER_ON)
		return OK;
	return engine_log_event(op, KIND_INSTANCE, &after->row, after->seen_paused ? "paused" : "unpaused",
				after->seen_paused ? "Its processors stand still." : "Its processors go on.");
}

static RESULT note_power(struct op *op, const struct instance *before, const struct instance *after)
{
	bool was_on = before->seen_power == INSTANCE_SEEN_POWER_ON;
	bool is_on = after->seen_power == INSTANCE_SEEN_POWER_ON;
	if (was_on == is_on)
		return OK;
	return engine_log_event(op, KIND_INSTANCE, &after->row, is_on ? "running" : "stopped",
				is_on ? "It is running on its host." : "It is off on its host.");
}

static void apply_report(const struct op *op, const struct instance_report *report, struct instance *next)
{
	bool was_on = next->seen_power == INSTANCE_SEEN_POWER_ON;
	next->seen_power = report->power;
	next->seen_paused = report->is_paused;
	next->seen_saved = report->is_saved;
	if (report->reached && (int64_t) report->gen > next->seen_gen)
		next->seen_gen = (int64_t) report->gen;
	if (report->reached && report->boots > next->seen_boots)
		next->seen_boots = report->boots;
	if (report->power == INSTANCE_SEEN_POWER_ON && !str_is_empty(report->boot_id))
		next->seen_boot_id = report->boot_id;
	if (was_on && report->power != INSTANCE_SEEN_POWER_ON)
		next->stopped_us = op->now_us;
}

enum instance_wanted_power engine_instance_power_wanted(const struct tables *t, const struct instance *i)
{
	for (const struct snapshot *s = snapshot_first_by_instance(t, i->row.id); s;
	     s = snapshot_next_by_instance(t, s))
		if (s->needs_off && s->seen_stage == SNAPSHOT_SEEN_STAGE_NONE &&
		    model_derive_snapshot_state(s) == SNAPSHOT_PENDING)
			return INSTANCE_WANTED_POWER_OFF;
	bool is_off = i->migrating || engine_is_off_for_maintenance(t, i);
	return is_off ? INSTANCE_WANTED_POWER_OFF : i->wanted_power;
}

/* ---- changes that nobody asked for ---- */

/* True if an instance that ran as wanted is off, without anything here having asked for that. */
static bool went_off_by_itself(const struct op *op, const struct instance *before,
			       const struct instance_report *report)
{
	return row_is_live(&before->row) &&
	       engine_instance_power_wanted(op->head, before) == INSTANCE_WANTED_POWER_ON &&
	       before->seen_power == INSTANCE_SEEN_POWER_ON && report->power != INSTANCE_SEEN_POWER_ON &&
	       report->gen == before->row.gen && before->seen_gen == (int64_t) before->row.gen;
}

/* A different boot id means that the host's restart ended the guest. */
static bool host_was_restarted(const struct instance *before, const struct instance_report *report)
{
	return !str_is_empty(report->boot_id) && !str_is_empty(before->seen_boot_id) &&
	       !str_equal(report->boot_id, before->seen_boot_id);
}

static RESULT log_restarted(struct op *op, const struct instance *before,
			    const struct instance_report *report)
{
	static const char *const why[] = {
		[INSTANCE_OFF_UNKNOWN] =
			"Found stopped after a restart of the control plane. It is started again.",
		[INSTANCE_OFF_GUEST] = "",
		[INSTANCE_OFF_CRASHED] = "The guest crashed. It is started again.",
		[INSTANCE_OFF_DESTROYED] = "Powered off outside Dari. It is started again.",
	};
	/* An absent domain is more than a shutdown by the guest. */
	enum instance_off off = report->off == INSTANCE_OFF_GUEST ? INSTANCE_OFF_UNKNOWN : report->off;
	const char *words = host_was_restarted(before, report)
				    ? "The host was restarted. The instance is started again."
				    : why[off];
	return condition_set(
		op, KIND_INSTANCE, before->row.id, INSTANCE_RESTARTED, str_from(words),
		"Check the console output and the host's log. Start, stop or reboot the instance to "
		"clear this condition.");
}

/* A shutdown by the guest is taken as its user's wish, with a new gen. */
static RESULT write_guest_stop(struct op *op, uuid id)
{
	struct instance next = *instance_find(op->head, id);
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.force_off = false;
	next.off_since_us = op->now_us;
	next.reason_code = STR("Client.InstanceInitiatedShutdown");
	next.reason_text = STR("Client.InstanceInitiatedShutdown: Instance initiated shutdown");
	next.row.gen++;
	return instance_put(op, &next);
}

static RESULT answer_own_change(struct op *op, const struct instance *before,
				const struct instance_report *report)
{
	bool by_guest = report->power == INSTANCE_SEEN_POWER_OFF && report->off == INSTANCE_OFF_GUEST;
	if (!by_guest)
		return log_restarted(op, before, report);
	TRY(engine_log_event(op, KIND_INSTANCE, &before->row, "guest shutdown",
			     "The guest shut itself down."));
	if (!before->shutdown_terminates)
		return write_guest_stop(op, before->row.id);
	return instance_write_terminate(op, instance_find(op->head, before->row.id),
					"Client.InstanceInitiatedShutdown",
					"Client.InstanceInitiatedShutdown: Instance initiated shutdown");
}

RESULT instance_release_addresses(struct op *op, uuid instance)
{
	const struct port *port = port_first_by_instance(op->head, instance);
	for (; port; port = port_next_by_instance(op->head, port))
		if (row_is_live(&port->row))
			TRY(address_take_auto(op, port->row.id));
	return OK;
}

static RESULT follow_up(struct op *op, const struct instance *before, const struct instance_report *report)
{
	if (went_off_by_itself(op, before, report))
		TRY(answer_own_change(op, before, report));
	const struct instance *now = instance_find(op->head, before->row.id);
	bool is_off = now->seen_power != INSTANCE_SEEN_POWER_ON;
	if (row_is_live(&now->row) && is_off && now->wanted_power == INSTANCE_WANTED_POWER_OFF)
		return instance_release_addresses(op, now->row.id);
	bool has_ended = model_derive_instance_state(now) == INSTANCE_TERMINATED;
	if (has_ended && model_derive_instance_state(before) != INSTANCE_TERMINATED)
		return instance_release_parts(op, now);
	return OK;
}

RESULT engine_see_instance(struct op *op, struct instance_report *report)
{
	const struct instance *instance = instance_find(op->head, report->instance);
	if (!instance || model_derive_instance_state(instance) == INSTANCE_TERMINATED)
		return OK;
	struct instance next = *instance;
	apply_report(op, report, &next);
	/* A deleted instance has ended once its absence is reported for its present gen. */
	if (!row_is_live(&next.row) && report->power == INSTANCE_SEEN_POWER_ABSENT &&
	    report->gen == next.row.gen) {
		next.seen_gen = (int64_t) report->gen;
		next.stopped_us = op->now_us;
	}
	if (next.seen_power != INSTANCE_SEEN_POWER_ON && !next.seen_saved)
		processor_give(op->head, &next);
	TRY(port_see_plugged(op, report));
	TRY(volume_see_plugged(op, report));
	if (row_equal(&model_kinds[KIND_INSTANCE], &instance->row, &next.row))
		return OK;
	next.seen_us = op->now_us;
	TRY(instance_put(op, &next));
	TRY(note_power(op, instance, &next));
	TRY(note_pause(op, instance, &next));
	return follow_up(op, instance, report);
}

RESULT engine_forget_instance(struct op *op, struct instance_forget *wish)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	if (!instance)
		return OK;
	if (model_derive_instance_state(instance) != INSTANCE_TERMINATED)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_INSTANCE, "The instance has not ended.");
	uuid type = instance->type, old_type = instance->old_type;
	TRY(instance_forget(op, wish->instance));
	TRY(instance_type_forget_unused(op, type));
	return instance_type_forget_unused(op, old_type);
}
