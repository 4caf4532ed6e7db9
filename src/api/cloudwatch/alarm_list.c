/* SPDX-License-Identifier: Apache-2.0
 * Lists alarms and their history. Source: Amazon CloudWatch API Reference. */
#include <stdio.h>
#include <string.h>

#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "api/query/pages.h"
#include "base/clock.h"
#include "engine/alarm/alarm_queries.h"
#include "engine/resolve.h"

enum { RECORDS = 50, RECORDS_MAX = 100 };

#define PAGES(T, member)                                                                                     \
	PARAM(T, "MaxRecords", member.size, .min = 1, .max = RECORDS_MAX,                                    \
	      .doc = "Maximum number of results in one page."),                                              \
		PARAM(T, "NextToken", member.token, .min = 1, .max = 1024,                                   \
		      .doc = "Token of the next page, from the previous answer.")

static void close_page(struct cloudwatch_call *e, struct forms_writer *w, const struct query_page *page)
{
	if (page->is_cut)
		forms_text(w, "NextToken", str_encode_base64url(e->c->arena, page->last));
}

/* ---- an alarm ---- */

void cloudwatch_write_texts(struct forms_writer *w, const char *name, const struct strs *texts)
{
	forms_open_list(w, name);
	for (size_t k = 0; k < texts->count; k++)
		forms_text(w, NULL, texts->at[k]);
	forms_close(w);
}

void cloudwatch_write_dimensions(struct forms_writer *w, const struct strs *dimensions)
{
	forms_open_list(w, "Dimensions");
	for (size_t k = 0; k + 1 < dimensions->count; k += 2) {
		forms_open(w, NULL);
		forms_text(w, "Name", dimensions->at[k]);
		forms_text(w, "Value", dimensions->at[k + 1]);
		forms_close(w);
	}
	forms_close(w);
}

static void text_opt(struct forms_writer *w, const char *name, struct str text)
{
	if (text.n)
		forms_text(w, name, text);
}

static void write_common(struct cloudwatch_call *e, struct forms_writer *w, const struct alarm *a)
{
	forms_text(w, "AlarmName", a->name);
	forms_text(
		w, "AlarmArn",
		engine_write_alarm_arn(e->c->arena, e->config->region, e->c->who->account_number, &a->row));
	text_opt(w, "AlarmDescription", a->description);
	forms_time(w, "AlarmConfigurationUpdatedTimestamp", a->configured_us);
	forms_bool(w, "ActionsEnabled", a->acts);
	cloudwatch_write_texts(w, "OKActions", &a->ok_actions);
	cloudwatch_write_texts(w, "AlarmActions", &a->alarm_actions);
	cloudwatch_write_texts(w, "InsufficientDataActions", &a->no_data_actions);
	forms_text(w, "StateValue", str_from(alarm_state_word(a->state)));
	forms_text(w, "StateReason", a->reason);
	text_opt(w, "StateReasonData", a->reason_data);
	forms_time(w, "StateUpdatedTimestamp", a->state_us);
	forms_time(w, "StateTransitionedTimestamp", a->turned_us);
}

static void write_stat(struct forms_writer *w, const struct alarm_query *q)
{
	forms_open(w, "MetricStat");
	forms_open(w, "Metric");
	forms_text(w, "Namespace", q->name_space);
	forms_text(w, "MetricName", q->name);
	cloudwatch_write_dimensions(w, &q->dimensions);
	forms_close(w);
	forms_int(w, "Period", q->period_s);
	forms_text(w, "Stat", q->stat);
	text_opt(w, "Unit", q->unit);
	forms_close(w);
}

static RESULT write_queries(struct cloudwatch_call *e, struct forms_writer *w, const struct alarm *a)
{
	struct alarm_queries queries = {0};
	TRY(alarm_queries_read(e->c, a->queries, &queries));
	forms_open_list(w, "Metrics");
	for (size_t k = 0; k < queries.count; k++) {
		const struct alarm_query *q = &queries.at[k];
		forms_open(w, NULL);
		forms_text(w, "Id", q->id);
		if (q->expression.n)
			forms_text(w, "Expression", q->expression);
		else
			write_stat(w, q);
		text_opt(w, "Label", q->label);
		forms_bool(w, "ReturnData", q->returns);
		if (q->expression.n && q->period_s)
			forms_int(w, "Period", q->period_s);
		forms_close(w);
	}
	forms_close(w);
	return OK;
}

static void write_statistic(struct forms_writer *w, const struct alarm *a)
{
	bool is_basic = params_has_word(CLOUDWATCH_STATISTICS, a->statistic);
	forms_text(w, is_basic ? "Statistic" : "ExtendedStatistic", a->statistic);
	if (a->low_samples)
		forms_text(w, "EvaluateLowSampleCountPercentile",
			   str_from(alarm_low_samples_words[a->low_samples]));
}

static RESULT write_alarm(struct cloudwatch_call *e, struct forms_writer *w, const struct alarm *a)
{
	double threshold = 0;
	forms_open(w, NULL);
	write_common(e, w, a);
	if (a->is_composite) {
		forms_text(w, "AlarmRule", a->rule);
		forms_close(w);
		return OK;
	}
	if (a->queries.n) {
		TRY(write_queries(e, w, a));
	} else {
		forms_text(w, "MetricName", a->metric);
		forms_text(w, "Namespace", a->name_space);
		write_statistic(w, a);
		cloudwatch_write_dimensions(w, &a->dimensions);
		forms_int(w, "Period", a->period_s);
		text_opt(w, "Unit", a->unit);
	}
	forms_int(w, "EvaluationPeriods", a->evaluation_periods);
	if (a->datapoints)
		forms_int(w, "DatapointsToAlarm", a->datapoints);
	TRY(cloudwatch_read_number(e, a->threshold, "Threshold", &threshold));
	forms_number(w, "Threshold", threshold);
	forms_text(w, "ComparisonOperator", str_from(alarm_comparison_word(a->comparison)));
	if (a->has_missing)
		forms_text(w, "TreatMissingData", str_from(alarm_treatment_word(a->missing)));
	forms_close(w);
	return OK;
}

/* ---- DescribeAlarms ---- */

struct list_args {
	struct strs names, types;
	struct str prefix, state, action, children, parents;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "AlarmNames.member", names, .min = 1, .max = ALARM_NAME_MAX,
	      .doc = "Up to 100 alarms by name."),
	PARAM(struct list_args, "AlarmNamePrefix", prefix, .min = 1, .max = 255,
	      .doc = "Prefix of the alarm names."),
	PARAM(struct list_args, "AlarmTypes.member", types, .words = "CompositeAlarm|MetricAlarm|LogAlarm",
	      .doc = "Types of alarms; absent: metric alarms."),
	PARAM(struct list_args, "ChildrenOfAlarmName", children, .min = 1, .max = ALARM_NAME_MAX,
	      .doc = "Composite alarm whose children are listed."),
	PARAM(struct list_args, "ParentsOfAlarmName", parents, .min = 1, .max = ALARM_NAME_MAX,
	      .doc = "Alarm whose parents, which are composite alarms, are listed."),
	PARAM(struct list_args, "StateValue", state, .words = "OK|ALARM|INSUFFICIENT_DATA",
	      .doc = "State of the alarms."),
	PARAM(struct list_args, "ActionPrefix", action, .min = 1, .max = 1024,
	      .doc = "Prefix of an action of the alarm."),
	PAGES(struct list_args, pages),
};

static bool has_action(const struct strs *actions, struct str prefix)
{
	for (size_t k = 0; k < actions->count; k++)
		if (str_starts_with(actions->at[k], prefix))
			return true;
	return false;
}

struct rule_search {
	struct str name;
	bool is_found;
};

static bool search_name(void *arg, struct str name, enum alarm_state *ret_state)
{
	struct rule_search *search = arg;
	*ret_state = ALARM_STATE_OK;
	search->is_found |= str_equal(search->name, name);
	return true;
}

static bool rule_has(struct cloudwatch_call *e, const struct alarm *composite, struct str name)
{
	struct rule_search search = {name, false};
	bool holds = false;
	if (composite && composite->is_composite)
		(void) !result_is_ok(alarm_rule_read(
			e->c, composite->rule, &(struct alarm_rule_names){search_name, &search}, &holds));
	return search.is_found;
}

static bool has_actions(const struct alarm *alarm, struct str prefix)
{
	return !prefix.n || has_action(&alarm->ok_actions, prefix) ||
	       has_action(&alarm->alarm_actions, prefix) || has_action(&alarm->no_data_actions, prefix);
}

static bool has_type(const struct list_args *a, const struct alarm *alarm)
{
	struct str type = alarm->is_composite ? STR("CompositeAlarm") : STR("MetricAlarm");
	return a->types.count ? request_asks_for(a->types, type)
			      : !alarm->is_composite || a->names.count || a->parents.n;
}

static bool fits(struct cloudwatch_call *e, const struct list_args *a, const struct alarm *alarm)
{
	if (!alarm_suits_cloudwatch(alarm) || !has_type(a, alarm) ||
	    !request_asks_for(a->names, alarm->name) ||
	    (a->state.n && !str_is(a->state, alarm_state_word(alarm->state))))
		return false;
	if (a->prefix.n && !str_starts_with(alarm->name, a->prefix))
		return false;
	if (a->parents.n && !rule_has(e, alarm, a->parents))
		return false;
	if (a->children.n &&
	    !rule_has(e, alarm_find_by_account(cloudwatch_tables(e), alarm->account, a->children),
		      alarm->name))
		return false;
	return has_actions(alarm, a->action);
}

static RESULT prepare_list(struct cloudwatch_call *e, void *args)
{
	struct list_args *a = args;
	if (a->names.count && a->prefix.n)
		return ctx_fail_field(e->c, ERR_MALFORMED, STR("AlarmNames"),
				      "AlarmNames and AlarmNamePrefix cannot be used together.");
	if (a->names.count > CLOUDWATCH_NAMES_MAX)
		return ctx_fail_field(e->c, ERR_MALFORMED, STR("AlarmNames"),
				      "A call names up to 100 alarms.");
	return OK;
}

/* A page is chosen over both lists together, and then written as two. */
static RESULT answer_list(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct list_args *a = args;
	const struct tables *t = cloudwatch_tables(e);
	struct query_page page;
	size_t count = 0;
	const struct alarm **shown = arena_new_array(e->c->arena, const struct alarm *, RECORDS_MAX + 1);
	if (!shown)
		return ctx_no_memory(e->c);
	TRY(query_open_page(e->c, &a->pages, RECORDS, "NextToken", &page));
	for (const struct alarm *alarm = alarm_first_by_account(t, e->c->who->account); alarm && !page.is_cut;
	     alarm = alarm_next_by_account(t, alarm)) {
		if (!fits(e, a, alarm) || !query_page_takes(&page, alarm->name))
			continue;
		TRY(engine_check_found(e->c, t, KIND_ALARM, &alarm->row));
		shown[count++] = alarm;
	}
	for (size_t list = 0; list < 2; list++) {
		forms_open_list(w, list ? "MetricAlarms" : "CompositeAlarms");
		for (size_t k = 0; k < count; k++)
			if (shown[k]->is_composite == !list)
				TRY(write_alarm(e, w, shown[k]));
		forms_close(w);
	}
	close_page(e, w, &page);
	return OK;
}

/* ---- DescribeAlarmsForMetric ---- */

struct metric_args {
	struct str name_space, name, statistic, extended, unit;
	struct cloudwatch_dimensions dimensions;
	int64_t period_s;
	struct strs texts; /* made */
};
static const struct param metric_params[] = {
	CLOUDWATCH_METRIC_PARAM(struct metric_args, .flags = REQUIRED, ),
	CLOUDWATCH_NAMESPACE_PARAM(struct metric_args, .flags = REQUIRED, ),
	PARAM(struct metric_args, "Statistic", statistic, .words = CLOUDWATCH_STATISTICS,
	      .doc = "Statistic of the alarm."),
	PARAM(struct metric_args, "ExtendedStatistic", extended, .min = 2, .max = CLOUDWATCH_STATISTIC_MAX,
	      .doc = "Percentile or the like of the alarm."),
	CLOUDWATCH_DIMENSIONS_PARAM(struct metric_args, CLOUDWATCH_DIMENSIONS_MAX),
	PARAM(struct metric_args, "Period", period_s, .min = 1, .max = 86400, .doc = "Period of the alarm."),
	PARAM(struct metric_args, "Unit", unit, .words = CLOUDWATCH_UNITS, .doc = "Unit of the alarm."),
};

static RESULT prepare_metric(struct cloudwatch_call *e, void *args)
{
	struct metric_args *a = args;
	return cloudwatch_read_dimensions(e, &a->dimensions, &a->texts);
}

static bool same_texts(const struct strs *a, const struct strs *b)
{
	for (size_t k = 0; k < a->count && a->count == b->count; k++)
		if (!str_equal(a->at[k], b->at[k]))
			return false;
	return a->count == b->count;
}

static RESULT answer_metric(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct metric_args *a = args;
	const struct tables *t = cloudwatch_tables(e);
	forms_open_list(w, "MetricAlarms");
	for (const struct alarm *alarm = alarm_first_by_account(t, e->c->who->account); alarm;
	     alarm = alarm_next_by_account(t, alarm)) {
		if (alarm->is_composite || !alarm_suits_cloudwatch(alarm) ||
		    !str_equal(alarm->name_space, a->name_space) || !str_equal(alarm->metric, a->name) ||
		    !same_texts(&alarm->dimensions, &a->texts) ||
		    (a->statistic.n && !str_equal(a->statistic, alarm->statistic)) ||
		    (a->extended.n && !str_equal(a->extended, alarm->statistic)) ||
		    (a->unit.n && !str_equal(a->unit, alarm->unit)) ||
		    (a->period_s && a->period_s != alarm->period_s))
			continue;
		TRY(engine_check_found(e->c, t, KIND_ALARM, &alarm->row));
		TRY(write_alarm(e, w, alarm));
	}
	forms_close(w);
	return OK;
}

/* ---- DescribeAlarmHistory ---- */

struct history_args {
	struct str name, type, start, end, order;
	struct strs types;
	struct query_pages pages;
	int64_t from_us, before_us; /* made */
};
static const struct param history_params[] = {
	PARAM(struct history_args, "AlarmName", name, .min = 1, .max = ALARM_NAME_MAX,
	      .doc = "Name of the alarm."),
	PARAM(struct history_args, "AlarmTypes.member", types, .words = "CompositeAlarm|MetricAlarm|LogAlarm",
	      .doc = "Types of alarms; absent: metric alarms."),
	PARAM(struct history_args, "HistoryItemType", type,
	      .words = "ConfigurationUpdate|StateUpdate|Action|AlarmContributorStateUpdate|"
		       "AlarmContributorAction",
	      .doc = "Type of the history items."),
	PARAM(struct history_args, "StartDate", start, .doc = "Start of the interval."),
	PARAM(struct history_args, "EndDate", end, .doc = "End of the interval, exclusive."),
	PARAM(struct history_args, "ScanBy", order, .words = "TimestampDescending|TimestampAscending",
	      .absent = "TimestampDescending", .doc = "Order by time, newest or oldest first."),
	PAGES(struct history_args, pages),
	NOT_BUILT("AlarmContributorId", .doc = "Contributors."),
};
static const char *const item_types[] = {
	[ALARM_EVENT_TYPE_CONFIGURATION] = "ConfigurationUpdate",
	[ALARM_EVENT_TYPE_STATE] = "StateUpdate",
	[ALARM_EVENT_TYPE_ACTION] = "Action",
};

RESULT cloudwatch_read_time(struct cloudwatch_call *e, struct str text, const char *field, int64_t *ret_us)
{
	if (!text.n || result_is_ok(clock_parse(text, ret_us)))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "The parameter %s must be in ISO 8601 format.", field);
}

static RESULT prepare_history(struct cloudwatch_call *e, void *args)
{
	struct history_args *a = args;
	a->before_us = INT64_MAX;
	TRY(cloudwatch_read_time(e, a->start, "StartDate", &a->from_us));
	return cloudwatch_read_time(e, a->end, "EndDate", &a->before_us);
}

enum { ITEM_KEY_SIZE = 64 /* 20 digits, a dot, a UUID */ };
struct item {
	const struct alarm_event *event;
	const struct alarm *alarm;
	char key[ITEM_KEY_SIZE]; /* pages are ordered and cut by this text */
};
/* The first items of a page, in order of keys, and the one behind them: an account's whole history may be too large for an arena. */
struct items {
	const struct query_page *page;
	struct item *at;
	size_t count, capacity;
};

static void write_key(struct item *item, bool is_ascending)
{
	char id[UUID_TEXT_SIZE];
	int64_t at_us = item->event->row.created_us;
	(void) snprintf(item->key, sizeof item->key, "%020lld.%s",
			(long long) (is_ascending ? at_us : INT64_MAX - at_us),
			uuid_write(item->event->row.id, id));
}

static void keep_item(struct items *items, const struct item *item)
{
	size_t k = items->count < items->capacity ? items->count++ : items->capacity - 1;
	for (; k > 0 && strcmp(items->at[k - 1].key, item->key) > 0; k--)
		items->at[k] = items->at[k - 1];
	items->at[k] = *item;
}

static void offer_item(struct items *items, const struct item *item)
{
	bool is_past = items->page->has_after && str_compare(str_from(item->key), items->page->after) <= 0;
	bool is_behind =
		items->count == items->capacity && strcmp(item->key, items->at[items->capacity - 1].key) > 0;
	if (!is_past && !is_behind)
		keep_item(items, item);
}

static RESULT gather(struct cloudwatch_call *e, const struct history_args *a, const struct alarm *alarm,
		     struct items *items)
{
	const struct tables *t = cloudwatch_tables(e);
	bool is_ascending = str_is(a->order, "TimestampAscending");
	struct str type = alarm->is_composite ? STR("CompositeAlarm") : STR("MetricAlarm");
	if (a->types.count ? !request_asks_for(a->types, type) : alarm->is_composite && !a->name.n)
		return OK;
	TRY(engine_check_found(e->c, t, KIND_ALARM, &alarm->row));
	for (const struct alarm_event *event = alarm_event_first_by_alarm(t, alarm->row.id); event;
	     event = alarm_event_next_by_alarm(t, event)) {
		int64_t at_us = event->row.created_us;
		if (at_us < a->from_us || at_us >= a->before_us ||
		    (a->type.n && !str_is(a->type, item_types[event->type])))
			continue;
		struct item item = {.event = event, .alarm = alarm};
		write_key(&item, is_ascending);
		offer_item(items, &item);
	}
	return OK;
}

static void write_item(struct forms_writer *w, const struct item *item)
{
	forms_open(w, NULL);
	forms_text(w, "AlarmName", item->alarm->name);
	forms_text(w, "AlarmType", item->alarm->is_composite ? STR("CompositeAlarm") : STR("MetricAlarm"));
	forms_time(w, "Timestamp", item->event->row.created_us);
	forms_text(w, "HistoryItemType", str_from(item_types[item->event->type]));
	forms_text(w, "HistorySummary", item->event->summary);
	forms_text(w, "HistoryData", item->event->data);
	forms_close(w);
}

static RESULT answer_history(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct history_args *a = args;
	const struct tables *t = cloudwatch_tables(e);
	struct query_page page;
	struct items items = {.page = &page, .capacity = RECORDS_MAX + 1};
	TRY(query_open_page(e->c, &a->pages, RECORDS, "NextToken", &page));
	items.at = arena_new_array(e->c->arena, struct item, items.capacity);
	if (!items.at)
		return ctx_no_memory(e->c);
	for (const struct alarm *alarm = alarm_first_by_account(t, e->c->who->account); alarm;
	     alarm = alarm_next_by_account(t, alarm))
		if (alarm_suits_cloudwatch(alarm) && (!a->name.n || str_equal(a->name, alarm->name)))
			TRY(gather(e, a, alarm, &items));
	forms_open_list(w, "AlarmHistoryItems");
	for (size_t k = 0; k < items.count && !page.is_cut; k++)
		if (query_page_takes(&page, str_from(items.at[k].key)))
			write_item(w, &items.at[k]);
	forms_close(w);
	close_page(e, w, &page);
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("DescribeAlarms"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "Lists alarms."},
	{CLOUDWATCH_ACTION("DescribeAlarmsForMetric"), .args = PARAMS(struct metric_args, metric_params),
	 .prepare = prepare_metric, .answer = answer_metric, .doc = "Lists the alarms on one metric."},
	{CLOUDWATCH_ACTION("DescribeAlarmHistory"), .args = PARAMS(struct history_args, history_params),
	 .prepare = prepare_history, .answer = answer_history,
	 .doc = "Lists the last 100 events of each alarm."},
};
const struct api_actions cloudwatch_alarm_list_actions = API_ACTIONS(actions);
