/* SPDX-License-Identifier: Apache-2.0
 * Writes the message that an alarm publishes to a topic. Source: Amazon CloudWatch User Guide, "Notify users on
 * alarm changes"; the examples of Amazon SNS Developer Guide. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/alarm/alarm_queries.h"
#include "engine/region/region.h"

enum { MESSAGE_CAP = 65536, SUBJECT_MAX = 100 };

static void write_texts(struct json_writer *j, const char *name, const struct strs *texts)
{
	json_write_open_list(j, name);
	for (size_t k = 0; k < texts->count; k++)
		json_write_text(j, NULL, texts->at[k]);
	json_write_close_list(j);
}

static void write_dimensions(struct json_writer *j, const struct strs *dimensions)
{
	json_write_open_list(j, "Dimensions");
	for (size_t k = 0; k + 1 < dimensions->count; k += 2) {
		json_write_open(j, NULL);
		json_write_text(j, "value", dimensions->at[k + 1]);
		json_write_text(j, "name", dimensions->at[k]);
		json_write_close(j);
	}
	json_write_close_list(j);
}

/* A number with a fraction: "80.0". */
static void write_number(struct op *op, struct json_writer *j, const char *name, struct str number)
{
	bool is_whole =
		str_find_char(number, '.', 0) == number.n && str_find_char(number, 'e', 0) == number.n;
	json_write_raw(j, name,
		       str_print(op->ctx->arena, "%" STR_FMT "%s", STR_ARG(number), is_whole ? ".0" : ""));
}

static RESULT write_queries(struct op *op, struct json_writer *j, const struct alarm *alarm)
{
	struct alarm_queries queries = {0};
	TRY(alarm_queries_read(op->ctx, alarm->queries, &queries));
	json_write_open_list(j, "Metrics");
	for (size_t k = 0; k < queries.count; k++) {
		const struct alarm_query *q = &queries.at[k];
		json_write_open(j, NULL);
		if (q->expression.n)
			json_write_text(j, "Expression", q->expression);
		json_write_text(j, "Id", q->id);
		if (q->label.n)
			json_write_text(j, "Label", q->label);
		if (!q->expression.n) {
			json_write_open(j, "MetricStat");
			json_write_open(j, "Metric");
			write_dimensions(j, &q->dimensions);
			json_write_text(j, "MetricName", q->name);
			json_write_text(j, "Namespace", q->name_space);
			json_write_close(j);
			json_write_int(j, "Period", q->period_s);
			json_write_text(j, "Stat", q->stat);
			json_write_close(j);
		}
		json_write_bool(j, "ReturnData", q->returns);
		json_write_close(j);
	}
	json_write_close_list(j);
	return OK;
}

static bool has_extended(const struct alarm *alarm)
{
	static const char *const basic[] = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"};
	for (size_t k = 0; k < sizeof basic / sizeof *basic; k++)
		if (str_is(alarm->statistic, basic[k]))
			return false;
	return true;
}

/* "Average" is AVERAGE here. */
static struct str upper(struct op *op, struct str word)
{
	struct str copy = str_copy(op->ctx->arena, word);
	for (size_t k = 0; k < copy.n; k++)
		if (copy.p[k] >= 'a' && copy.p[k] <= 'z')
			((char *) copy.p)[k] = (char) (copy.p[k] - 'a' + 'A');
	return copy;
}

static RESULT write_trigger(struct op *op, struct json_writer *j, const struct alarm *alarm)
{
	json_write_open(j, "Trigger");
	if (!alarm->queries.n) {
		json_write_text(j, "MetricName", alarm->metric);
		json_write_text(j, "Namespace", alarm->name_space);
		bool is_extended = has_extended(alarm);
		json_write_z(j, "StatisticType", is_extended ? "ExtendedStatistic" : "Statistic");
		if (is_extended)
			json_write_text(j, "ExtendedStatistic", alarm->statistic);
		else
			json_write_text(j, "Statistic", upper(op, alarm->statistic));
		json_write_text_or_null(j, "Unit", alarm->unit);
		write_dimensions(j, &alarm->dimensions);
	}
	json_write_int(j, "Period", alarm->period_s);
	json_write_int(j, "EvaluationPeriods", alarm->evaluation_periods);
	if (alarm->datapoints)
		json_write_int(j, "DatapointsToAlarm", alarm->datapoints);
	json_write_z(j, "ComparisonOperator", alarm_comparison_word(alarm->comparison));
	write_number(op, j, "Threshold", alarm->threshold);
	json_write_z(j, "TreatMissingData", alarm->has_missing ? alarm_treatment_word(alarm->missing) : "");
	json_write_z(j, "EvaluateLowSampleCountPercentile",
		     alarm->low_samples ? alarm_low_samples_words[alarm->low_samples] : "");
	if (alarm->queries.n)
		TRY(write_queries(op, j, alarm));
	json_write_close(j);
	return OK;
}

static RESULT write_body(struct op *op, struct json_writer *j, const struct alarm *alarm)
{
	struct str region = engine_get_region_name(op->head);
	struct str number = engine_account_number(op->head, alarm->account);
	json_write_open(j, NULL);
	json_write_text(j, "AlarmName", alarm->name);
	json_write_text_or_null(j, "AlarmDescription", alarm->description);
	if (alarm->is_composite)
		json_write_text(j, "AlarmRule", alarm->rule);
	json_write_text(j, "AWSAccountId", number);
	alarm_write_date(j, "AlarmConfigurationUpdatedTimestamp", alarm->configured_us);
	json_write_z(j, "NewStateValue", alarm_state_word(alarm->state));
	json_write_text(j, "NewStateReason", alarm->reason);
	alarm_write_date(j, "StateChangeTime", alarm->turned_us);
	json_write_text(j, "Region", region);
	json_write_text(j, "AlarmArn", engine_write_alarm_arn(op->ctx->arena, region, number, &alarm->row));
	json_write_z(j, "OldStateValue", alarm_state_word((enum alarm_state) alarm->state_before));
	write_texts(j, "OKActions", &alarm->ok_actions);
	write_texts(j, "AlarmActions", &alarm->alarm_actions);
	write_texts(j, "InsufficientDataActions", &alarm->no_data_actions);
	if (!alarm->is_composite)
		TRY(write_trigger(op, j, alarm));
	json_write_close(j);
	return json_write_end(j);
}

RESULT alarm_write_message(struct op *op, const struct alarm *alarm, struct str *ret_subject,
			   struct str *ret_body)
{
	struct buf out;
	struct json_writer j;
	buf_init(&out, MESSAGE_CAP);
	json_write_begin(&j, &out);
	struct result result = write_body(op, &j, alarm);
	if (result_is_ok(result))
		*ret_body = str_copy(op->ctx->arena, buf_str(&out));
	buf_done(&out);
	struct str subject =
		str_print(op->ctx->arena, "%s: \"%" STR_FMT "\" in %" STR_FMT, alarm_state_word(alarm->state),
			  STR_ARG(alarm->name), STR_ARG(engine_get_region_name(op->head)));
	*ret_subject = str_cut(subject, SUBJECT_MAX);
	return result;
}
