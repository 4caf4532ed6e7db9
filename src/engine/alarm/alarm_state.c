/* SPDX-License-Identifier: Apache-2.0
 * States of alarms: what an evaluation found, composite alarms that follow, and the history. Called by:
 * reconcile/alarm/alarm.c, api/cloudwatch. */
#include "base/buf.h"
#include "base/json_write.h"
#include "engine/alarm/alarm_internal.h"

enum { DATA_CAP = 16384, DATA_MAX = 4095, REASON_SHOWN = 600 };

/* ---- history ---- */

RESULT alarm_note_event(struct op *op, const struct alarm *alarm, enum alarm_event_type type,
			struct str summary, struct str data)
{
	size_t count = 0;
	const struct alarm_event *oldest = alarm_event_first_by_alarm(op->head, alarm->row.id);
	for (const struct alarm_event *e = oldest; e; e = alarm_event_next_by_alarm(op->head, e)) {
		count++;
		if (e->row.created_us < oldest->row.created_us)
			oldest = e;
	}
	if (count >= ALARM_EVENTS_MAX)
		TRY(alarm_event_forget(op, oldest->row.id));
	struct alarm_event made = {.row = {.id = engine_new_id(op, KIND_ALARM_EVENT), .gen = 1},
				   .account = alarm->account,
				   .alarm = alarm->row.id,
				   .type = type,
				   .summary = str_cut(summary, 255),
				   .data = data.n <= DATA_MAX ? data : STR("{\"version\":\"1.0\"}")};
	return alarm_event_put(op, &made);
}

static void write_state(struct json_writer *j, const char *name, enum alarm_state state, struct str reason,
			struct str data)
{
	json_write_open(j, name);
	json_write_z(j, "stateValue", alarm_state_word(state));
	json_write_text(j, "stateReason", str_cut(reason, REASON_SHOWN));
	if (data.n && data.n < REASON_SHOWN)
		json_write_raw(j, "stateReasonData", data);
	json_write_close(j);
}

static RESULT note_state(struct op *op, const struct alarm *before, const struct alarm *after)
{
	struct buf out;
	struct json_writer j;
	buf_init(&out, DATA_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	json_write_z(&j, "version", "1.0");
	write_state(&j, "oldState", before->state, before->reason, before->reason_data);
	write_state(&j, "newState", after->state, after->reason, after->reason_data);
	json_write_close(&j);
	struct result result = json_write_end(&j);
	struct str data = str_copy(op->ctx->arena, buf_str(&out));
	buf_done(&out);
	if (!result_is_ok(result) || !data.p)
		return ctx_no_memory(op->ctx);
	return alarm_note_event(op, after, ALARM_EVENT_TYPE_STATE,
				str_print(op->ctx->arena, "Alarm updated from %s to %s",
					  alarm_state_word(before->state), alarm_state_word(after->state)),
				data);
}

/* ---- changes of state ---- */

static RESULT write_verdict(struct op *op, const struct alarm *alarm, const struct alarm_verdict *verdict)
{
	struct alarm next = *alarm;
	bool turns = next.state != verdict->state;
	if (turns)
		next.state_before = (enum alarm_state_before) alarm->state;
	next.state = verdict->state;
	next.reason = str_cut(verdict->reason, 1023);
	next.reason_data = verdict->data;
	next.state_us = op->now_us;
	if (turns) {
		next.turned_us = op->now_us;
		next.is_due = next.acts && alarm_actions_of(&next)->count > 0;
	}
	next.row.gen++;
	if (turns)
		TRY(note_state(op, alarm, &next));
	return alarm_put(op, &next);
}

RESULT alarm_follow_one(struct op *op, const struct alarm *alarm, bool *ret_changed)
{
	bool holds = false;
	*ret_changed = false;
	if (alarm->dialect == ALARM_DIALECT_AODH) {
		struct alarm_verdict found;
		TRY(aodh_follow(op, alarm, &found));
		*ret_changed = found.state != alarm->state;
		return *ret_changed ? write_verdict(op, alarm, &found) : OK;
	}
	TRY(alarm_rule_weigh(op->ctx, op->head, alarm, &holds));
	struct alarm_verdict verdict = {.state = holds ? ALARM_STATE_ALARM : ALARM_STATE_OK};
	if (verdict.state == alarm->state)
		return OK;
	/* CloudWatch names the child that has turned, by its ARN and with the time; rows know no region. */
	verdict.reason = str_print(op->ctx->arena, "The rule of %" STR_FMT " evaluated to %s.",
				   STR_ARG(alarm->name), holds ? "TRUE" : "FALSE");
	*ret_changed = true;
	return write_verdict(op, alarm, &verdict);
}

RESULT alarm_set_state(struct op *op, const struct alarm *alarm, const struct alarm_verdict *verdict)
{
	uuid account = alarm->account, id = alarm->row.id;
	bool turns = alarm->state != verdict->state;
	TRY(write_verdict(op, alarm, verdict));
	return turns ? alarm_follow(op, account, id) : OK;
}

RESULT engine_see_alarm(struct op *op, struct alarm_seen *wish)
{
	const struct alarm *alarm = alarm_find(op->head, wish->alarm);
	if (!alarm || alarm->row.gen != wish->gen || wish->verdict.stays)
		return OK;
	return alarm_set_state(op, alarm, &wish->verdict);
}

RESULT engine_set_alarm_state(struct op *op, struct alarm_setting *wish)
{
	const struct alarm *alarm = NULL;
	TRY(engine_find_own_alarm(op->ctx, op->head, &wish->alarm, &alarm));
	TRY(engine_permit(op, "alarm.set_state", KIND_ALARM, &alarm->row));
	const struct alarm_verdict verdict = {
		.state = wish->state, .reason = wish->reason, .data = wish->data};
	return alarm_set_state(op, alarm, &verdict);
}
