/* SPDX-License-Identifier: Apache-2.0
 * Requests that alarms send to servers: the change of state writes one for each URL among the actions, and
 * reconcile/alarm/alarm_delivery.c posts it. Source of the body: aodh.notifier.rest. */
#include "base/buf.h"
#include "base/json_write.h"
#include "engine/alarm/alarm_internal.h"

enum { BODY_CAP = 65536 };

static void write_body(struct json_writer *j, const struct alarm *alarm)
{
	json_write_open(j, NULL);
	json_write_text(j, "alarm_name", alarm->title.n ? alarm->title : alarm->name);
	json_write_uuid(j, "alarm_id", alarm->row.id);
	json_write_z(j, "severity", alarm_severity_words[alarm->severity]);
	json_write_z(j, "previous", aodh_state_word((enum alarm_state) alarm->state_before));
	json_write_z(j, "current", aodh_state_word(alarm->state));
	json_write_text(j, "reason", alarm->reason);
	if (alarm->reason_data.n)
		json_write_raw(j, "reason_data", alarm->reason_data);
	else
		json_write_null(j, "reason_data");
	json_write_close(j);
}

/* A server that answers nothing must not fill the store: the oldest request goes. */
static RESULT make_room(struct op *op, uuid alarm)
{
	size_t count = 0;
	const struct alarm_delivery *oldest = alarm_delivery_first_by_alarm(op->head, alarm);
	for (const struct alarm_delivery *d = oldest; d; d = alarm_delivery_next_by_alarm(op->head, d)) {
		count++;
		if (d->row.created_us < oldest->row.created_us)
			oldest = d;
	}
	return count >= ALARM_DELIVERIES_MAX ? alarm_delivery_forget(op, oldest->row.id) : OK;
}

RESULT alarm_deliver(struct op *op, const struct alarm *alarm, struct str url)
{
	struct buf out;
	struct json_writer j;
	buf_init(&out, BODY_CAP);
	json_write_begin(&j, &out);
	write_body(&j, alarm);
	struct result result = json_write_end(&j);
	struct alarm_delivery made = {.row = {.id = engine_new_id(op, KIND_ALARM_DELIVERY), .gen = 1},
				      .account = alarm->account,
				      .alarm = alarm->row.id,
				      .url = url,
				      .body = str_copy(op->ctx->arena, buf_str(&out))};
	buf_done(&out);
	TRY(result);
	if (!made.body.p)
		return ctx_no_memory(op->ctx);
	TRY(make_room(op, alarm->row.id));
	return alarm_delivery_put(op, &made);
}

RESULT engine_see_alarm_delivery(struct op *op, struct alarm_delivery_report *wish)
{
	const struct alarm_delivery *d = alarm_delivery_find(op->head, wish->delivery);
	const struct alarm *alarm = d ? alarm_find(op->head, d->alarm) : NULL;
	if (!alarm)
		return OK;
	if (wish->is_taken)
		return alarm_delivery_forget(op, d->row.id);
	if (!wish->is_final) {
		struct alarm_delivery next = *d;
		next.tries++;
		next.retry_us = wish->retry_us;
		next.problem = str_cut(wish->problem, 1024);
		return alarm_delivery_put(op, &next);
	}
	struct str summary = str_print(op->ctx->arena, "Failed to execute action %" STR_FMT ": %" STR_FMT,
				       STR_ARG(str_cut(d->url, 120)), STR_ARG(str_cut(wish->problem, 90)));
	TRY(alarm_note_event(op, alarm, ALARM_EVENT_TYPE_ACTION, summary, STR("{\"version\":\"1.0\"}")));
	return alarm_delivery_forget(op, wish->delivery);
}
