/* SPDX-License-Identifier: Apache-2.0
 * Scheduled events: what a host's maintenance means for its instances. At its time, an instance is moved
 * live, or stopped until the maintenance ends, or stopped for good. An instance that its user restarts before
 * is placed on another host. Called by: daemon/commands_host.c, api/ec2/compute/instance_status.c. The
 * reconciler begins and ends events (reconcile/instance/instance_event.c) and stops and starts the instances
 * (reconcile/instance/instance.c). */
#include "engine/instance/instance_event.h"

#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/internal.h"
#include "engine/region/host.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_event.h"

enum { REASON_MAX_SIZE = 255, DESCRIPTION_MAX_SIZE = 1024 };
#define SHOWN_US (7 * 24 * HOUR)
#define RESCHEDULE_US HOUR                /* a new time must be at least that far ahead */
#define BUSY_US (10 * SECOND)             /* retry interval of a live migration while the instance is busy */
#define BUSY_MAX_US (5 * MINUTE)          /* after so long, a busy instance is rebooted instead */
#define OFF_FOR_MAINTENANCE "Maintenance" /* condition of an instance that is off for a maintenance */

/* ---- events ---- */

const struct instance_event *engine_find_event(const struct tables *t, uuid instance)
{
	bool may = tables_count(t, KIND_INSTANCE_EVENT) > 0;
	const struct instance_event *e = may ? instance_event_find_by_instance(t, instance) : NULL;
	return e && (!e->ended_us || clock_now_us() < e->ended_us + SHOWN_US) ? e : NULL;
}

bool engine_is_off_for_maintenance(const struct tables *t, const struct instance *i)
{
	const struct instance_event *e = engine_find_event(t, i->row.id);
	return e && e->stage == INSTANCE_EVENT_STAGE_BEGUN && e->code == INSTANCE_EVENT_CODE_SYSTEM_REBOOT &&
	       uuid_equal(e->host, i->host);
}

/* Kind of event for the instance. *ret_why: why it is rebooted although the maintenance asks for live
 * migration. */
static RESULT choose_code(struct op *op, const struct host *host, const struct instance *instance,
			  enum instance_event_code *ret_code, struct str *ret_why)
{
	static const enum instance_event_code codes[] = {
		[HOST_MAINTENANCE_KIND_REBOOT] = INSTANCE_EVENT_CODE_SYSTEM_REBOOT,
		[HOST_MAINTENANCE_KIND_STOP] = INSTANCE_EVENT_CODE_INSTANCE_STOP,
		[HOST_MAINTENANCE_KIND_MOVE] = INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE};
	*ret_code = codes[host->maintenance_kind];
	*ret_why = STR_NONE;
	if (*ret_code != INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE)
		return OK;
	struct result result = instance_check_unbound(op->ctx, op->head, instance);
	if (result.code != ERR_UNSUPPORTED)
		return result;
	*ret_why = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	*ret_code = INSTANCE_EVENT_CODE_SYSTEM_REBOOT;
	return OK;
}

static struct str describe(struct op *op, struct str reason, struct str why)
{
	struct str both =
		why.n ? str_print(op->ctx->arena, "%" STR_FMT ". %" STR_FMT, STR_ARG(reason), STR_ARG(why))
		      : reason;
	return str_cut(both, DESCRIPTION_MAX_SIZE);
}

/* Writes the event of an instance that should run on a host with a planned maintenance. Leaves an event that
 * has begun. */
static RESULT schedule(struct op *op, const struct host *host, const struct instance *instance)
{
	const struct instance_event *there = instance_event_find_by_instance(op->head, instance->row.id);
	bool is_open = there && there->ended_us == 0 && uuid_equal(there->host, host->row.id);
	if (is_open && there->stage == INSTANCE_EVENT_STAGE_BEGUN)
		return OK;
	enum instance_event_code code = INSTANCE_EVENT_CODE_SYSTEM_REBOOT;
	struct str why = STR_NONE;
	TRY(choose_code(op, host, instance, &code, &why));
	struct instance_event event = {.row.id = is_open ? there->row.id
							 : engine_new_id(op, KIND_INSTANCE_EVENT),
				       .row.gen = 1,
				       .account = instance->account,
				       .instance = instance->row.id,
				       .host = host->row.id,
				       .code = code,
				       .description = describe(op, host->maintenance_reason, why),
				       .not_before_us = host->maintenance_us,
				       .not_after_us = host->maintenance_end_us,
				       .deadline_us = host->maintenance_deadline_us};
	if (is_open) {
		event.row = there->row;
		event.row.gen++;
	} else if (there) { /* an ended event is shown only until there is a new one */
		TRY(condition_clear(op, instance->row.id, STR(OFF_FOR_MAINTENANCE)));
		TRY(instance_event_forget(op, there->row.id));
	}
	TRY(instance_event_put(op, &event));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "event scheduled", "%s: %" STR_FMT,
				instance_event_code_words[event.code], STR_ARG(event.description));
}

RESULT instance_join_maintenance(struct op *op, const struct instance *instance)
{
	const struct host *host = uuid_is_none(instance->host) ? NULL : host_find(op->head, instance->host);
	bool is_to_run = row_is_live(&instance->row) && instance->wanted_power == INSTANCE_WANTED_POWER_ON;
	return host && host->maintenance_us && is_to_run ? schedule(op, host, instance) : OK;
}

static RESULT end_event(struct op *op, const struct instance_event *event, enum instance_event_stage stage)
{
	struct instance_event next = *event;
	next.stage = stage;
	next.ended_us = op->now_us;
	next.row.gen++;
	TRY(instance_event_put(op, &next));
	TRY(condition_clear(op, next.instance, STR(OFF_FOR_MAINTENANCE)));
	const struct instance *instance = instance_find(op->head, next.instance);
	if (!instance)
		return OK;
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "event over", "%s: %s",
				instance_event_code_words[next.code], instance_event_stage_words[stage]);
}

/* ---- maintenance of a host ---- */

static RESULT check_times(struct op *op, const struct maintenance_wish *wish)
{
	if (wish->end_us && (wish->end_us <= wish->from_us || wish->end_us <= op->now_us))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("to"),
				   "A maintenance ends after it has begun, and in times to come.");
	if (wish->deadline_us && wish->deadline_us < wish->from_us)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("deadline"),
				   "What users may put off is put off beyond the beginning.");
	if (wish->end_us && wish->deadline_us >= wish->end_us)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_HOST, STR("deadline"),
				   "What users may put off has to happen before the end.");
	if (wish->reason.n > REASON_MAX_SIZE || !str_is_xml_text(wish->reason))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("reason"),
				   "A reason has up to %d characters.", REASON_MAX_SIZE);
	return OK;
}

static RESULT schedule_all(struct op *op, const struct host *host)
{
	for (const struct instance *i = instance_first_by_host(op->head, host->row.id); i;
	     i = instance_next_by_host(op->head, i))
		TRY(instance_join_maintenance(op, i));
	return OK;
}

RESULT engine_plan_maintenance(struct op *op, struct maintenance_wish *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	if (!wish->from_us) /* 0 would mean that no maintenance is planned */
		wish->from_us = op->now_us;
	TRY(check_times(op, wish));
	struct host next = *host;
	next.maintenance_us = wish->from_us;
	next.maintenance_deadline_us = wish->deadline_us ? wish->deadline_us : wish->from_us;
	next.maintenance_end_us = wish->end_us;
	next.maintenance_kind = wish->kind;
	next.maintenance_reason = wish->reason.n ? wish->reason : STR("Maintenance of its host");
	next.row.gen++;
	TRY(host_put(op, &next));
	TRY(schedule_all(op, &next));
	return engine_log_event(op, KIND_HOST, &next.row, "maintenance planned", "%" STR_FMT,
				STR_ARG(next.maintenance_reason));
}

/* A guest that is shutting down finishes: interrupting it would make its power-off look like the guest's
 * own. */
static RESULT end_event_of_host(struct op *op, const struct instance_event *event)
{
	const struct instance *instance = instance_find(op->head, event->instance);
	bool has_begun = event->stage == INSTANCE_EVENT_STAGE_BEGUN;
	if (has_begun && instance && instance->seen_power == INSTANCE_SEEN_POWER_ON)
		return OK;
	return end_event(op, event,
			 has_begun ? INSTANCE_EVENT_STAGE_COMPLETED : INSTANCE_EVENT_STAGE_CANCELED);
}

static RESULT end_maintenance(struct op *op, const struct host *host)
{
	struct host next = *host;
	next.maintenance_us = next.maintenance_end_us = next.maintenance_deadline_us = 0;
	next.maintenance_reason = STR_NONE;
	next.row.gen++;
	TRY(host_put(op, &next));
	for (const struct instance_event *e = instance_event_first_by_host(op->head, next.row.id); e;
	     e = instance_event_next_by_host(op->head, e))
		if (e->ended_us == 0)
			TRY(end_event_of_host(op, e));
	return engine_log_event(op, KIND_HOST, &next.row, "maintenance over",
				"What was held for it is started again.");
}

RESULT engine_end_maintenance(struct op *op, struct maintenance_target *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	if (host->maintenance_us == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_HOST, wish->host.field,
				   "The host '%" STR_FMT "' has no maintenance.", STR_ARG(host->name));
	return end_maintenance(op, host);
}

RESULT engine_see_maintenance_end(struct op *op, struct maintenance_report *wish)
{
	const struct host *host = host_find(op->head, wish->host);
	bool is_due = host && host->maintenance_end_us && op->now_us >= host->maintenance_end_us;
	return is_due ? end_maintenance(op, host) : OK;
}

/* ---- restarts by users ---- */

RESULT instance_avoid_maintenance(struct op *op, struct instance *next)
{
	const struct host *host = uuid_is_none(next->host) ? NULL : host_find(op->head, next->host);
	bool may_move = next->seen_power != INSTANCE_SEEN_POWER_ON && !next->tpm && !next->seen_saved;
	if (!host || host->maintenance_us == 0)
		return OK;
	if (may_move)
		TRY(instance_find_elsewhere(op, next, &next->migrating));
	if (next->migrating)
		return OK;
	if (op->now_us < host->maintenance_us || next->seen_power == INSTANCE_SEEN_POWER_ON)
		return schedule(op, host, next);
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_HOST,
			     "The host of the instance '%" STR_FMT
			     "' is under maintenance, and no other one has room for it.",
			     STR_ARG(engine_write_id(op, KIND_INSTANCE, next->row.id)));
}

/* ---- rescheduling ---- */

RESULT engine_reschedule_event(struct op *op, struct event_wish *wish)
{
	const struct instance *instance = NULL;
	const struct instance_event *event = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(engine_find_own_instance_event(op->ctx, op->head, &wish->event, &event));
	if (!uuid_equal(event->instance, instance->row.id) || event->ended_us)
		return engine_fail_not_found(op->ctx, KIND_INSTANCE_EVENT, &wish->event);
	TRY(engine_permit(op, "instance.reschedule", KIND_INSTANCE, &instance->row));
	if (event->stage == INSTANCE_EVENT_STAGE_BEGUN)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_EVENT, wish->event.field,
				   "The event '%" STR_FMT "' has begun.", STR_ARG(wish->event.text));
	if (wish->not_before_us > event->deadline_us || wish->not_before_us < op->now_us + RESCHEDULE_US)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_EVENT, STR("NotBefore"),
				   "The new start time has to be at least 60 minutes from now and not after "
				   "the event's deadline.");
	struct instance_event next = *event;
	next.not_before_us = wish->not_before_us;
	next.row.gen++;
	TRY(instance_event_put(op, &next));
	wish->id = next.row.id;
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "event moved", "%s",
				instance_event_code_words[next.code]);
}

RESULT engine_start_event(struct op *op, struct event_start *wish)
{
	const struct instance_event *event = instance_event_find(op->head, wish->event);
	const struct instance *instance = event ? instance_find(op->head, event->instance) : NULL;
	if (!instance || event->ended_us || event->stage != INSTANCE_EVENT_STAGE_SCHEDULED ||
	    event->not_before_us <= op->now_us)
		return OK;
	struct instance_event next = *event;
	next.not_before_us = op->now_us;
	next.row.gen++;
	TRY(instance_event_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "event moved", "%s: its guest is ready.",
				instance_event_code_words[next.code]);
}

/* ---- reports of the reconciler ---- */

enum turn { TURN_NONE, TURN_BEGIN, TURN_END, TURN_FORGET };

static bool is_under_maintenance(const struct tables *t, const struct instance_event *e)
{
	const struct host *host = host_find(t, e->host);
	return host && host->maintenance_us && clock_now_us() >= host->maintenance_us;
}

/* The live migration has ended, and the instance is still on the host. */
static bool is_move_over(const struct instance_event *e)
{
	return e->stage == INSTANCE_EVENT_STAGE_BEGUN && e->code == INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE;
}

static enum turn turn_of(const struct tables *t, const struct instance_event *e)
{
	const struct instance *i = instance_find(t, e->instance);
	if (e->ended_us)
		return TURN_FORGET;
	if (!i || !row_is_live(&i->row) || !uuid_equal(i->host, e->host))
		return TURN_END;
	bool is_off = i->seen_power != INSTANCE_SEEN_POWER_ON;
	if (is_off && i->wanted_power == INSTANCE_WANTED_POWER_OFF)
		return TURN_END;
	if (!uuid_is_none(i->target))
		return TURN_NONE; /* the migration is under way */
	if (is_move_over(e))
		return is_under_maintenance(t, e) ? TURN_BEGIN : TURN_END;
	if (e->stage == INSTANCE_EVENT_STAGE_SCHEDULED)
		return i->migrating ? TURN_NONE : TURN_BEGIN; /* it is stopping for a move already */
	return is_off && !is_under_maintenance(t, e) ? TURN_END : TURN_NONE;
}

bool engine_may_follow_event(const struct instance_event *event)
{
	return event->ended_us == 0 || clock_now_us() >= event->ended_us + SHOWN_US;
}

int64_t engine_next_of_event(const struct tables *t, const struct instance_event *event)
{
	switch (turn_of(t, event)) {
	case TURN_BEGIN:
		return event->not_before_us;
	case TURN_END:
		return 0;
	case TURN_FORGET:
		return event->ended_us + SHOWN_US;
	case TURN_NONE:
		break;
	}
	return INT64_MAX;
}

/* Starts the guest's shutdown timeout. With is_kept_off the instance stays wanted on, so that it starts again
 * after the maintenance. */
static RESULT stop_instance(struct op *op, const struct instance *instance, bool is_kept_off)
{
	struct instance next = *instance;
	next.off_since_us = op->now_us;
	next.force_off = next.wanted_save = false;
	next.row.gen++;
	if (!is_kept_off) {
		next.wanted_power = INSTANCE_WANTED_POWER_OFF;
		next.wanted_pause = false;
		next.reason_code = STR("Server.ScheduledStop");
		next.reason_text = STR("Server.ScheduledStop: Stopped due to a scheduled event");
	}
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "stop asked", "For its host's maintenance.");
}

/* The user has chosen a time before the maintenance: the instance is restarted on another host at once or, if
 * none has room, when the maintenance begins. */
static RESULT begin_early(struct op *op, const struct instance_event *event, const struct instance *instance,
			  const struct host *host)
{
	bool fits = false;
	if (!instance->tpm)
		TRY(instance_find_elsewhere(op, instance, &fits));
	if (!fits) {
		struct instance_event later = *event;
		later.not_before_us = host->maintenance_us;
		later.row.gen++;
		return instance_event_put(op, &later);
	}
	struct instance next = *instance;
	next.migrating = true;
	next.off_since_us = op->now_us;
	next.force_off = next.wanted_save = false;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "stop asked", "It is started on another host.");
}

/* Falls back to a reboot for an instance that cannot be migrated, or was not. */
static RESULT become_reboot(struct op *op, const struct instance_event *event, const struct host *host,
			    const struct instance *instance, struct str why)
{
	struct instance_event next = *event;
	next.code = INSTANCE_EVENT_CODE_SYSTEM_REBOOT;
	next.stage = INSTANCE_EVENT_STAGE_SCHEDULED;
	next.description = describe(op, host ? host->maintenance_reason : event->description, why);
	next.row.gen++;
	TRY(instance_event_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "event changed", "%s: %" STR_FMT,
				instance_event_code_words[next.code], STR_ARG(next.description));
}

static RESULT write_moving(struct op *op, const struct instance_event *event)
{
	struct instance_event next = *event;
	next.stage = INSTANCE_EVENT_STAGE_BEGUN;
	next.row.gen++;
	return instance_event_put(op, &next);
}

static RESULT write_later(struct op *op, const struct instance_event *event)
{
	struct instance_event next = *event;
	next.not_before_us = op->now_us + BUSY_US;
	next.row.gen++;
	return instance_event_put(op, &next);
}

static RESULT begin_move(struct op *op, const struct instance_event *event, const struct instance *instance,
			 const struct host *host)
{
	if (is_move_over(event))
		return become_reboot(op, event, host, instance,
				     STR("It was to be moved while it ran, but stayed."));
	struct result result = instance_move_away(op, instance);
	if (result_is_ok(result))
		return write_moving(op, event);
	if (!engine_is_refusal(result.code))
		return result;
	struct str why = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	bool is_busy = result.code == ERR_STATE && host && op->now_us < host->maintenance_us + BUSY_MAX_US;
	return is_busy ? write_later(op, event) : become_reboot(op, event, host, instance, why);
}

static RESULT begin_event(struct op *op, const struct instance_event *event)
{
	const struct instance *instance = instance_find(op->head, event->instance);
	const struct host *host = host_find(op->head, event->host);
	if (event->code == INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE)
		return begin_move(op, event, instance, host);
	bool is_kept_off = event->code == INSTANCE_EVENT_CODE_SYSTEM_REBOOT;
	if (is_kept_off && host && op->now_us < host->maintenance_us)
		return begin_early(op, event, instance, host);
	struct instance_event next = *event;
	next.stage = INSTANCE_EVENT_STAGE_BEGUN;
	next.row.gen++;
	TRY(instance_event_put(op, &next));
	if (is_kept_off)
		TRY(condition_set(op, KIND_INSTANCE, instance->row.id, OFF_FOR_MAINTENANCE,
				  STR("Its host is under maintenance."),
				  "It is started again when that is over. Stop and start it to have it on "
				  "another host."));
	return instance->wanted_power == INSTANCE_WANTED_POWER_ON ? stop_instance(op, instance, is_kept_off)
								  : OK;
}

/* Ends the event, and schedules another one if the instance's present host has a planned maintenance as
 * well. */
static RESULT complete_event(struct op *op, const struct instance_event *event)
{
	const struct instance *instance = instance_find(op->head, event->instance);
	TRY(end_event(op, event, INSTANCE_EVENT_STAGE_COMPLETED));
	return instance ? instance_join_maintenance(op, instance) : OK;
}

RESULT engine_follow_event(struct op *op, struct event_report *wish)
{
	const struct instance_event *event = instance_event_find(op->head, wish->event);
	if (!event || op->now_us < engine_next_of_event(op->head, event))
		return OK;
	switch (turn_of(op->head, event)) {
	case TURN_BEGIN:
		return begin_event(op, event);
	case TURN_END:
		return complete_event(op, event);
	case TURN_FORGET:
		return instance_event_forget(op, event->row.id);
	case TURN_NONE:
		break;
	}
	return OK;
}
