/* SPDX-License-Identifier: Apache-2.0
 * Events of alarms that change their state. Called by: engine/events/event_source.c. Source: Amazon CloudWatch User Guide, "Alarm events
 * and EventBridge". */
#include "base/buf.h"
#include "base/json_write.h"
#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/alarm/alarm_queries.h"
#include "engine/events/events_internal.h"
#include "engine/region/region.h"
#include "store/alarm.h"

enum { DETAIL_CAP = 65536 };

static void write_state(struct json_writer *j, const char *name, const struct alarm *alarm)
{
	json_write_open(j, name);
	json_write_z(j, "value", alarm_state_word(alarm->state));
	json_write_text(j, "reason", alarm->reason);
	if (alarm->reason_data.n)
		json_write_text(j, "reasonData", alarm->reason_data);
	alarm_write_date(j, "timestamp", alarm->state_us);
	json_write_close(j);
}

static void write_metric(struct json_writer *j, const struct alarm_query *q)
{
	json_write_open(j, "metricStat");
	json_write_open(j, "metric");
	json_write_text(j, "namespace", q->name_space);
	json_write_text(j, "name", q->name);
	json_write_open(j, "dimensions");
	for (size_t k = 0; k + 1 < q->dimensions.count; k += 2) {
		json_write_key(j, q->dimensions.at[k]);
		json_write_text(j, NULL, q->dimensions.at[k + 1]);
	}
	json_write_close(j);
	json_write_close(j);
	json_write_int(j, "period", q->period_s);
	json_write_text(j, "stat", q->stat);
	if (q->unit.n)
		json_write_text(j, "unit", q->unit);
	json_write_close(j);
}

static RESULT write_metrics(struct op *op, struct json_writer *j, const struct alarm *alarm)
{
	/* EventBridge shows an alarm on one metric as a query, too. */
	struct alarm_query one = {.id = STR("m1"),
				  .name_space = alarm->name_space,
				  .name = alarm->metric,
				  .stat = alarm->statistic,
				  .unit = alarm->unit,
				  .dimensions = alarm->dimensions,
				  .period_s = alarm->period_s,
				  .returns = true};
	struct alarm_queries queries = {&one, 1};
	if (alarm->queries.n)
		TRY(alarm_queries_read(op->ctx, alarm->queries, &queries));
	json_write_open_list(j, "metrics");
	for (size_t k = 0; k < queries.count; k++) {
		const struct alarm_query *q = &queries.at[k];
		json_write_open(j, NULL);
		json_write_text(j, "id", q->id);
		if (q->label.n)
			json_write_text(j, "label", q->label);
		if (q->expression.n)
			json_write_text(j, "expression", q->expression);
		else
			write_metric(j, q);
		json_write_bool(j, "returnData", q->returns);
		json_write_close(j);
	}
	json_write_close_list(j);
	return OK;
}

static RESULT write_detail(struct op *op, struct json_writer *j, const struct alarm *before,
			   const struct alarm *after)
{
	json_write_open(j, NULL);
	json_write_text(j, "alarmName", after->name);
	write_state(j, "state", after);
	write_state(j, "previousState", before);
	json_write_open(j, "configuration");
	if (after->description.n)
		json_write_text(j, "description", after->description);
	if (after->is_composite)
		json_write_text(j, "alarmRule", after->rule);
	else
		TRY(write_metrics(op, j, after));
	json_write_close(j);
	json_write_close(j);
	return json_write_end(j);
}

RESULT alarm_publish_turn(struct op *op, const struct alarm *before, const struct alarm *after)
{
	struct buf out;
	struct json_writer j;
	if (before->state == after->state || !alarm_suits_cloudwatch(after))
		return OK;
	struct str number = engine_account_number(op->head, after->account);
	struct str arn =
		engine_write_alarm_arn(op->ctx->arena, engine_get_region_name(op->head), number, &after->row);
	buf_init(&out, DETAIL_CAP);
	json_write_begin(&j, &out);
	struct result result = write_detail(op, &j, before, after);
	const struct event_wish wish = {.account = after->account,
					.source = "aws.cloudwatch",
					.type = "CloudWatch Alarm State Change",
					.resources = {&arn, 1},
					.detail = str_copy(op->ctx->arena, buf_str(&out))};
	buf_done(&out);
	TRY(result);
	return wish.detail.p && arn.p ? event_publish(op, &wish) : ctx_no_memory(op->ctx);
}
