/* SPDX-License-Identifier: Apache-2.0
 * Decides the state of an alarm on its newest datapoints. Pure. Source: Amazon CloudWatch User Guide, "Alarm evaluation" and
 * "Configuring how CloudWatch alarms treat missing data". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "engine/alarm/alarm_internal.h"

enum { REASON_POINTS_MAX = 10, REASON_CAP = 8192 };

const char *alarm_state_word(enum alarm_state state)
{
	return state == ALARM_STATE_OK ? "OK" : state == ALARM_STATE_ALARM ? "ALARM" : "INSUFFICIENT_DATA";
}

const char *alarm_comparison_word(enum alarm_comparison comparison)
{
	static const char *const words[] = {
		[ALARM_COMPARISON_GREATER_OR_EQUAL] = "GreaterThanOrEqualToThreshold",
		[ALARM_COMPARISON_GREATER] = "GreaterThanThreshold",
		[ALARM_COMPARISON_LESS] = "LessThanThreshold",
		[ALARM_COMPARISON_LESS_OR_EQUAL] = "LessThanOrEqualToThreshold",
		/* Aodh's; alarms with these are not shown by CloudWatch. */
		[ALARM_COMPARISON_EQUAL] = "EqualToThreshold",
		[ALARM_COMPARISON_NOT_EQUAL] = "NotEqualToThreshold",
	};
	return words[comparison];
}

const char *alarm_treatment_word(enum alarm_missing missing)
{
	static const char *const words[] = {
		[ALARM_MISSING_MISSING] = "missing",
		[ALARM_MISSING_NOT_BREACHING] = "notBreaching",
		[ALARM_MISSING_BREACHING] = "breaching",
		[ALARM_MISSING_IGNORE] = "ignore",
	};
	return words[missing];
}

static double threshold_of(const struct alarm *alarm)
{
	char text[40];
	size_t n = alarm->threshold.n < sizeof text ? alarm->threshold.n : sizeof text - 1;
	memcpy(text, alarm->threshold.p, n);
	text[n] = 0;
	return strtod(text, NULL);
}

bool alarm_breaches(const struct alarm *alarm, double value)
{
	double threshold = threshold_of(alarm);
	switch (alarm->comparison) {
	case ALARM_COMPARISON_GREATER_OR_EQUAL:
		return value >= threshold;
	case ALARM_COMPARISON_GREATER:
		return value > threshold;
	case ALARM_COMPARISON_LESS:
		return value < threshold;
	case ALARM_COMPARISON_LESS_OR_EQUAL:
		return value <= threshold;
	case ALARM_COMPARISON_EQUAL:
		return value == threshold;
	case ALARM_COMPARISON_NOT_EQUAL:
		return value != threshold;
	}
	return false;
}

/* ---- which points count ---- */

struct weighing {
	const struct alarm *alarm;
	const struct alarm_point **points; /* that are there, the oldest first */
	int64_t count, missing, breaching, needed;
	int64_t from_us, now_us; /* first period that counts; the evaluation itself */
};

/* Takes the newest periods; while one of them is missing, older points stand in for it. */
static void choose_points(struct weighing *w, const struct alarm_point *points, size_t count)
{
	int64_t periods = w->alarm->evaluation_periods, real = 0;
	size_t first = count;
	while (first > 0 && real < periods && (int64_t) (count - first) < periods + ALARM_EXTRA_PERIODS)
		real += points[--first].is_there;
	for (size_t k = first; k < count; k++) {
		if (!points[k].is_there)
			continue;
		w->points[w->count++] = &points[k];
		w->breaching += alarm_breaches(w->alarm, points[k].value);
	}
	w->missing = periods - w->count;
	w->from_us = first < count ? points[first].at_us : w->now_us;
}

/* False: the alarm stays as it is. */
static bool decide(const struct weighing *w, enum alarm_state *ret_state)
{
	int64_t filled = w->breaching;
	if (w->missing > 0 && w->alarm->missing == ALARM_MISSING_BREACHING)
		filled += w->missing;
	*ret_state = filled >= w->needed ? ALARM_STATE_ALARM : ALARM_STATE_OK;
	if (w->missing <= 0 || *ret_state == ALARM_STATE_ALARM ||
	    w->alarm->missing == ALARM_MISSING_NOT_BREACHING || w->alarm->missing == ALARM_MISSING_BREACHING)
		return true;
	if (w->count > w->breaching)
		return true; /* one that is within the threshold */
	if (w->alarm->missing == ALARM_MISSING_IGNORE)
		return false;
	*ret_state = w->count ? ALARM_STATE_ALARM : ALARM_STATE_INSUFFICIENT_DATA;
	return true;
}

/* ---- words ---- */

static const char *comparison_words(const struct alarm *alarm)
{
	static const char *const words[] = {
		[ALARM_COMPARISON_GREATER_OR_EQUAL] = "greater than or equal to",
		[ALARM_COMPARISON_GREATER] = "greater than",
		[ALARM_COMPARISON_LESS] = "less than",
		[ALARM_COMPARISON_LESS_OR_EQUAL] = "less than or equal to",
		[ALARM_COMPARISON_EQUAL] = "equal to",
		[ALARM_COMPARISON_NOT_EQUAL] = "not equal to",
	};
	return words[alarm->comparison];
}

/* A number with at least one digit behind the point, as AWS writes it. */
static void write_number(struct buf *out, double value)
{
	char text[40];
	(void) snprintf(text, sizeof text, "%.15g", value);
	buf_print(out, "%s%s", text, strpbrk(text, ".en") ? "" : ".0");
}

static void write_time(struct buf *out, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];
	clock_write_s(at_us, text); /* 2026-11-28T19:30:00Z */
	buf_print(out, "%.2s/%.2s/%.2s %.8s", text + 8, text + 5, text + 2, text + 11);
}

static void write_points(struct buf *out, const struct weighing *w)
{
	int64_t shown = 0;
	for (int64_t k = w->count; k-- > 0 && shown < REASON_POINTS_MAX; shown++) {
		buf_add_str(out, shown ? STR(", ") : STR("["));
		write_number(out, w->points[k]->value);
		buf_add_str(out, STR(" ("));
		write_time(out, w->points[k]->at_us);
		buf_add_char(out, ')');
	}
	buf_add_str(out, shown ? STR("] ") : STR(""));
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* "Threshold Crossed: 1 out of the last 1 datapoints [99.0 (28/11/26 19:30:00)] was greater than the threshold (80.0) …" */
static void write_reason(struct buf *out, const struct weighing *w, enum alarm_state state)
{
	const struct alarm *alarm = w->alarm;
	bool is_breach = state == ALARM_STATE_ALARM;
	if (state == ALARM_STATE_INSUFFICIENT_DATA) {
		buf_print(out, "Insufficient Data: %" PRId64 " datapoint%s unknown.",
			  alarm->evaluation_periods, alarm->evaluation_periods == 1 ? " was" : "s were");
		return;
	}
	int64_t told = is_breach ? w->breaching : w->count - w->breaching;
	if (!w->count) {
		buf_print(out,
			  "Threshold Crossed: no datapoints were received for %" PRId64
			  " period%s and %" PRId64 " missing datapoint%s treated as [%s].",
			  alarm->evaluation_periods, plural(alarm->evaluation_periods), w->missing,
			  w->missing == 1 ? " was" : "s were",
			  alarm->missing == ALARM_MISSING_BREACHING ? "Breaching" : "NonBreaching");
		return;
	}
	buf_print(out, "Threshold Crossed: %" PRId64 " out of the last %" PRId64 " datapoint%s ", told,
		  w->count, plural(w->count));
	write_points(out, w);
	buf_print(out, "%s%s %s the threshold (", told == 1 ? "was" : "were", is_breach ? "" : " not",
		  comparison_words(alarm));
	write_number(out, threshold_of(alarm));
	buf_print(out, ") (minimum %" PRId64 " datapoint%s for %s transition).",
		  is_breach ? w->needed : alarm->evaluation_periods - w->needed + 1,
		  plural(is_breach ? w->needed : alarm->evaluation_periods - w->needed + 1),
		  is_breach ? "OK -> ALARM" : "ALARM -> OK");
}

void alarm_write_date(struct json_writer *j, const char *name, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE], date[CLOCK_TEXT_SIZE + 8];
	clock_write_ms(at_us, text); /* 2026-11-28T19:30:00.000Z */
	(void) snprintf(date, sizeof date, "%.23s+0000", text);
	json_write_z(j, name, date);
}

/* Source: the example of describe-alarm-history in AWS CLI's reference. */
static RESULT write_data(struct buf *out, const struct weighing *w)
{
	struct json_writer j;
	json_write_begin(&j, out);
	json_write_open(&j, NULL);
	json_write_z(&j, "version", "1.0");
	alarm_write_date(&j, "queryDate", w->now_us);
	alarm_write_date(&j, "startDate", w->from_us);
	if (w->alarm->statistic.n)
		json_write_text(&j, "statistic", w->alarm->statistic);
	json_write_int(&j, "period", w->alarm->period_s);
	json_write_open_list(&j, "recentDatapoints");
	for (int64_t k = w->count > REASON_POINTS_MAX ? w->count - REASON_POINTS_MAX : 0; k < w->count; k++)
		json_write_real(&j, NULL, w->points[k]->value);
	json_write_close_list(&j);
	json_write_real(&j, "threshold", threshold_of(w->alarm));
	json_write_close(&j);
	return json_write_end(&j);
}

RESULT alarm_weigh(struct arena *a, const struct alarm *alarm, const struct alarm_point *points, size_t count,
		   int64_t now_us, struct alarm_verdict *ret_verdict)
{
	struct weighing w = {.alarm = alarm,
			     .now_us = now_us,
			     .needed = alarm->datapoints ? alarm->datapoints : alarm->evaluation_periods};
	enum alarm_state state = alarm->state;
	if (alarm->dialect == ALARM_DIALECT_AODH)
		return aodh_weigh(a, alarm, points, count, ret_verdict);
	w.points = arena_new_array(a, const struct alarm_point *, count + 1);
	if (!w.points)
		return FAIL(NO_MEMORY);
	choose_points(&w, points, count);
	*ret_verdict = (struct alarm_verdict){.stays = true};
	if (!decide(&w, &state) || state == alarm->state)
		return OK;
	struct buf reason, data;
	buf_init(&reason, REASON_CAP);
	buf_init(&data, REASON_CAP);
	write_reason(&reason, &w, state);
	struct result result = write_data(&data, &w);
	*ret_verdict = (struct alarm_verdict){.state = state,
					      .reason = str_copy(a, str_cut(buf_str(&reason), 1023)),
					      .data = str_copy(a, buf_str(&data))};
	buf_done(&reason);
	buf_done(&data);
	return !result_is_ok(result) || !ret_verdict->reason.p || !ret_verdict->data.p ? FAIL(NO_MEMORY) : OK;
}
