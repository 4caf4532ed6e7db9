/* SPDX-License-Identifier: Apache-2.0
 * Decides the state of Aodh's alarms. All of the newest points outside of the threshold make an alarm, none makes it ok; while some are
 * outside and some are not, the state stays, or follows the newest point if it was unknown. Pure. Source: aodh.evaluator.threshold. */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "engine/alarm/alarm_internal.h"

enum { DATA_CAP = 1024, EXTRA_PERIODS = 1 /* that Aodh looks back beyond those of the alarm */ };

const char *aodh_state_word(enum alarm_state state)
{
	return state == ALARM_STATE_OK ? "ok" : state == ALARM_STATE_ALARM ? "alarm" : "insufficient data";
}

bool alarm_suits_cloudwatch(const struct alarm *alarm)
{
	return alarm->dialect == ALARM_DIALECT_CLOUDWATCH ||
	       (uuid_is_none(alarm->part_of) && !alarm->is_composite && !alarm->is_off &&
		alarm->comparison < ALARM_COMPARISON_EQUAL);
}

/* The newest points of an alarm's window. */
struct window {
	int64_t count, outside;
	bool is_last_outside;
	double last;
};

static struct window read_window(const struct alarm *alarm, const struct alarm_point *points, size_t count)
{
	struct window w = {0};
	size_t first = count, periods = (size_t) alarm->evaluation_periods;
	size_t oldest = count > periods + EXTRA_PERIODS ? count - periods - EXTRA_PERIODS : 0;
	while (first > oldest && w.count < (int64_t) periods) {
		const struct alarm_point *p = &points[--first];
		bool is_outside = p->is_there && alarm_breaches(alarm, p->value);
		if (p->is_there && !w.count) {
			w.last = p->value;
			w.is_last_outside = is_outside;
		}
		w.count += p->is_there;
		w.outside += is_outside;
	}
	return w;
}

/* False: the state stays. */
static bool decide(const struct alarm *alarm, const struct window *w, enum alarm_state *ret_state)
{
	if (w->count < alarm->evaluation_periods)
		*ret_state = ALARM_STATE_INSUFFICIENT_DATA;
	else if (w->outside == w->count || !w->outside)
		*ret_state = w->outside ? ALARM_STATE_ALARM : ALARM_STATE_OK;
	else if (alarm->state == ALARM_STATE_INSUFFICIENT_DATA)
		*ret_state = w->is_last_outside ? ALARM_STATE_ALARM : ALARM_STATE_OK;
	else
		return false;
	return true;
}

/* A float, as Python writes it. */
static void write_number(char out[40], double value)
{
	(void) snprintf(out, 37, "%.15g", value);
	if (!strpbrk(out, ".en"))
		strcat(out, ".0");
}

static struct str write_reason(struct arena *a, const struct alarm *alarm, const struct window *w,
			       enum alarm_state state)
{
	char last[40];
	bool is_ok = state == ALARM_STATE_OK;
	write_number(last, w->last);
	if (state == ALARM_STATE_INSUFFICIENT_DATA && !w->count)
		return str_print(a, "No datapoint for granularity %" PRId64, alarm->period_s);
	if (state == ALARM_STATE_INSUFFICIENT_DATA)
		return str_print(a, "%" PRId64 " datapoints are unknown", alarm->evaluation_periods);
	return str_print(a, "Transition to %s due to %" PRId64 " samples %s threshold, most recent: %s",
			 aodh_state_word(state), is_ok ? w->count - w->outside : w->outside,
			 is_ok ? "inside" : "outside", last);
}

static struct str write_data(struct arena *a, const struct alarm *alarm, const struct window *w,
			     enum alarm_state state)
{
	struct buf out;
	struct json_writer j;
	char last[40];
	bool is_unknown = state == ALARM_STATE_INSUFFICIENT_DATA, is_ok = state == ALARM_STATE_OK;
	write_number(last, w->last);
	buf_init(&out, DATA_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	json_write_z(&j, "type", "threshold");
	json_write_z(&j, "disposition", is_unknown ? "unknown" : is_ok ? "inside" : "outside");
	json_write_int(&j, "count",
		       is_unknown ? alarm->evaluation_periods
		       : is_ok    ? w->count - w->outside
				  : w->outside);
	if (w->count)
		json_write_raw(&j, "most_recent", str_from(last));
	else
		json_write_null(&j, "most_recent");
	json_write_close(&j);
	struct str text = result_is_ok(json_write_end(&j)) ? str_copy(a, buf_str(&out)) : STR_NONE;
	buf_done(&out);
	return text;
}

RESULT aodh_weigh(struct arena *a, const struct alarm *alarm, const struct alarm_point *points, size_t count,
		  struct alarm_verdict *ret_verdict)
{
	enum alarm_state state = alarm->state;
	struct window w = read_window(alarm, points, count);
	*ret_verdict = (struct alarm_verdict){.stays = true};
	if (!decide(alarm, &w, &state) || state == alarm->state)
		return OK;
	*ret_verdict = (struct alarm_verdict){.state = state,
					      .reason = write_reason(a, alarm, &w, state),
					      .data = write_data(a, alarm, &w, state)};
	return ret_verdict->reason.p && ret_verdict->data.p ? OK : FAIL(NO_MEMORY);
}
