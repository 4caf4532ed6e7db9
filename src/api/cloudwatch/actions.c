/* SPDX-License-Identifier: Apache-2.0
 * ListMetrics and GetMetricStatistics. Source: Amazon CloudWatch API Reference. */
#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "model/id.h"
#include "store/instance.h"
#include "store/metric.h"
#include "store/scaling_group.h"

enum { LIST_MAX = 500, FILTERS_MAX = 10 };

/* ---- ListMetrics ---- */

/* Metrics of guests come first, as they were made, then those of scaling groups by name, then the account's own. So what comes or
 * goes between two pages moves nothing. */
enum list_stage { LIST_INSTANCES, LIST_GROUPS, LIST_OWN };
struct list_place {
	enum list_stage stage;
	int64_t created_us; /* when the instance was created */
	uuid instance;
	struct str key; /* name of the group, key of the metric */
	int64_t metric;
	bool is_set;
};

struct list_args {
	struct str name_space, name, token, active, owner;
	struct cloudwatch_dimensions dimensions;
	bool linked;
	struct list_place behind; /* made */
};
static const struct param list_params[] = {
	CLOUDWATCH_NAMESPACE_PARAM(struct list_args),
	CLOUDWATCH_METRIC_PARAM(struct list_args),
	CLOUDWATCH_DIMENSIONS_PARAM(struct list_args, FILTERS_MAX),
	PARAM(struct list_args, "NextToken", token,
	      .doc = "Token of the next page, from the previous answer."),
	PARAM(struct list_args, "RecentlyActive", active, .words = "PT3H",
	      .doc = "Metrics with datapoints of the last three hours, which all listed metrics have."),
	PARAM(struct list_args, "IncludeLinkedAccounts", linked,
	      .doc = "Ignored: there are no linked accounts."),
	PARAM(struct list_args, "OwningAccount", owner, .min = 1, .max = 255,
	      .doc = "Owner of the metrics. For another account nothing is listed."),
};

/* Each dimension that was asked for must be there. */
static bool fits_dimensions(const struct list_args *a, const struct strs *dimensions)
{
	for (size_t k = 0; k < a->dimensions.count; k++) {
		const struct cloudwatch_dimension *d = &a->dimensions.at[k];
		bool is_there = false;
		for (size_t n = 0; n + 1 < dimensions->count; n += 2)
			is_there |= str_equal(d->name, dimensions->at[n]) &&
				    (!d->value.n || str_equal(d->value, dimensions->at[n + 1]));
		if (!is_there)
			return false;
	}
	return true;
}

static RESULT read_token(struct cloudwatch_call *e, struct list_args *a)
{
	struct str rest = a->token, stage = STR_NONE, number = STR_NONE, instance = STR_NONE;
	int64_t stage_number = 0;
	bool is_good = str_split_next(&rest, '.', &stage) &&
		       result_is_ok(str_parse_int(stage, &stage_number)) && stage_number >= LIST_INSTANCES &&
		       stage_number <= LIST_OWN && str_split_next(&rest, '.', &number) &&
		       result_is_ok(str_parse_int(number, &a->behind.metric)) && a->behind.metric >= 0 &&
		       a->behind.metric < METRICS_OF_EC2;
	a->behind.stage = (enum list_stage) stage_number;
	if (is_good && a->behind.stage == LIST_INSTANCES)
		is_good = str_split_next(&rest, '.', &number) &&
			  result_is_ok(str_parse_int(number, &a->behind.created_us)) &&
			  str_split_next(&rest, '.', &instance) &&
			  result_is_ok(uuid_parse_asked(instance, &a->behind.instance));
	else if (is_good)
		is_good = result_is_ok(str_decode_base64url(e->c->arena, rest, &a->behind.key));
	a->behind.is_set = is_good;
	ctx_clear_problem(e->c);
	/* A bad parameter: the model has no InvalidNextToken for this action. The words are guessed. */
	return is_good ? OK : ctx_fail(e->c, ERR_INVALID, "The parameter NextToken is not valid.");
}

static RESULT prepare_list(struct cloudwatch_call *e, void *args)
{
	struct list_args *a = args;
	return a->token.n ? read_token(e, a) : OK;
}

struct list_walk {
	struct cloudwatch_call *e;
	const struct list_args *args;
	struct forms_writer *w;
	size_t count;
	struct list_place last; /* that is written */
	bool has_more;
};

static void list_one(struct list_walk *walk, struct str name_space, struct str name,
		     const struct strs *dimensions, const struct list_place *place)
{
	const struct list_args *a = walk->args;
	if ((a->name.n && !str_equal(a->name, name)) ||
	    (a->name_space.n && !str_equal(a->name_space, name_space)) || !fits_dimensions(a, dimensions) ||
	    walk->has_more)
		return;
	walk->has_more = walk->count == LIST_MAX;
	if (walk->has_more)
		return;
	forms_open(walk->w, NULL);
	cloudwatch_write_dimensions(walk->w, dimensions);
	forms_text(walk->w, "MetricName", name);
	forms_text(walk->w, "Namespace", name_space);
	forms_close(walk->w);
	walk->count++;
	walk->last = *place;
}

/* order < 0: the subject stands before the place of the last page's end; 0: at it. */
static void list_ec2(struct list_walk *walk, const char *dimension, struct str value, struct list_place place,
		     int order)
{
	struct str texts[2] = {str_from(dimension), value};
	if (order < 0)
		return;
	for (size_t k = order ? 0 : (size_t) walk->args->behind.metric + 1; k < METRICS_OF_EC2; k++) {
		place.metric = (int64_t) k;
		list_one(walk, STR(CLOUDWATCH_EC2), str_from(metrics_of_ec2[k].name),
			 &(struct strs){texts, 2}, &place);
	}
}

static bool is_past(const struct list_walk *walk, enum list_stage stage)
{
	return walk->args->behind.is_set && walk->args->behind.stage > stage;
}

static void list_instances(struct list_walk *walk, const struct tables *t, uuid account)
{
	const struct list_place *behind = &walk->args->behind;
	for (const struct instance *i = instance_first_by_account(t, account);
	     i && !walk->has_more && !is_past(walk, LIST_INSTANCES); i = instance_next_by_account(t, i)) {
		char id[EC2_ID_TEXT_SIZE];
		struct list_place place = {LIST_INSTANCES, i->row.created_us, i->row.id, STR_NONE, 0, true};
		int order = !behind->is_set || behind->stage != LIST_INSTANCES ? 1
			    : i->row.created_us != behind->created_us
				    ? (i->row.created_us < behind->created_us ? -1 : 1)
				    : uuid_compare(i->row.id, behind->instance);
		if (!row_is_live(&i->row) || uuid_is_none(i->host))
			continue;
		(void) id_write_ec2(KIND_INSTANCE, i->row.id, id);
		list_ec2(walk, "InstanceId", str_from(id), place, order);
	}
}

static int compare_key(const struct list_walk *walk, enum list_stage stage, struct str key)
{
	const struct list_place *behind = &walk->args->behind;
	return behind->is_set && behind->stage == stage ? str_compare(key, behind->key) : 1;
}

static void list_groups(struct list_walk *walk, const struct tables *t, uuid account)
{
	for (const struct scaling_group *g = scaling_group_first_by_account(t, account);
	     g && !walk->has_more && !is_past(walk, LIST_GROUPS); g = scaling_group_next_by_account(t, g))
		list_ec2(walk, "AutoScalingGroupName", g->name,
			 (struct list_place){.stage = LIST_GROUPS, .key = g->name},
			 compare_key(walk, LIST_GROUPS, g->name));
}

/* Rows of one name, which differ in their units, stand together and are one metric. */
static void list_own(struct list_walk *walk, const struct tables *t, uuid account)
{
	struct str before = STR_NONE;
	for (const struct metric *m = metric_first_by_account(t, account); m && !walk->has_more;
	     m = metric_next_by_account(t, m)) {
		if (compare_key(walk, LIST_OWN, m->key) > 0 && !str_equal(m->key, before))
			list_one(walk, m->name_space, m->name, &m->dimensions,
				 &(struct list_place){.stage = LIST_OWN, .key = m->key});
		before = m->key;
	}
}

static struct str write_token(struct list_walk *walk)
{
	char id[UUID_TEXT_SIZE];
	const struct list_place *p = &walk->last;
	struct arena *a = walk->e->c->arena;
	if (p->stage == LIST_INSTANCES)
		return str_print(a, "%d.%lld.%lld.%s", (int) p->stage, (long long) p->metric,
				 (long long) p->created_us, uuid_write(p->instance, id));
	return str_print(a, "%d.%lld.%" STR_FMT, (int) p->stage, (long long) p->metric,
			 STR_ARG(str_encode_base64url(a, p->key)));
}

static RESULT answer_list(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct list_args *a = args;
	struct list_walk walk = {.e = e, .args = a, .w = w};
	uuid account = e->c->who->account;
	const struct tables *t = cloudwatch_tables(e);
	forms_open_list(w, "Metrics");
	if (!a->owner.n || str_equal(a->owner, e->c->who->account_number)) {
		list_instances(&walk, t, account);
		list_groups(&walk, t, account);
		list_own(&walk, t, account);
	}
	forms_close(w);
	if (walk.has_more)
		forms_text(w, "NextToken", write_token(&walk));
	return OK;
}

/* ---- GetMetricStatistics ---- */

struct statistics_args {
	struct str name_space, name, start, end, unit;
	struct cloudwatch_dimensions dimensions;
	struct strs statistics, extended;
	int64_t period_s;
	struct cloudwatch_question question; /* made */
};
static const struct param statistics_params[] = {
	CLOUDWATCH_NAMESPACE_PARAM(struct statistics_args, .flags = REQUIRED, ),
	CLOUDWATCH_METRIC_PARAM(struct statistics_args, .flags = REQUIRED, ),
	CLOUDWATCH_DIMENSIONS_PARAM(struct statistics_args, CLOUDWATCH_DIMENSIONS_MAX),
	PARAM(struct statistics_args, "StartTime", start, .flags = REQUIRED,
	      .doc = "Start of the interval, inclusive."),
	PARAM(struct statistics_args, "EndTime", end, .flags = REQUIRED,
	      .doc = "End of the interval, exclusive."),
	PARAM(struct statistics_args, "Period", period_s, .flags = REQUIRED, .min = 1, .max = 86400 * 365,
	      .doc = "Period of a datapoint in seconds. Instances are measured every five minutes."),
	PARAM(struct statistics_args, "Statistics.member", statistics, .words = CLOUDWATCH_STATISTICS,
	      .doc = "Statistics to return for each datapoint."),
	PARAM(struct statistics_args, "ExtendedStatistics.member", extended, .min = 1,
	      .max = CLOUDWATCH_STATISTIC_MAX, .doc = "Percentiles and the like: p99.9, TM(10%:90%), IQM."),
	PARAM(struct statistics_args, "Unit", unit, .words = CLOUDWATCH_UNITS,
	      .doc = "Unit. Other than the metric's own, nothing is returned."),
};

static RESULT check_extended(struct cloudwatch_call *e, const struct strs *words)
{
	struct statistic statistic;
	if (words->count > CLOUDWATCH_STATISTICS_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ExtendedStatistics"),
				      "The parameter ExtendedStatistics has up to %d members.",
				      CLOUDWATCH_STATISTICS_MAX);
	for (size_t k = 0; k < words->count; k++)
		if (!statistic_read(words->at[k], &statistic) || statistic.kind == STATISTIC_BASIC)
			return ctx_fail_field(e->c, ERR_INVALID, STR("ExtendedStatistics"),
					      "The value %" STR_FMT
					      " for parameter ExtendedStatistics is not supported.",
					      STR_ARG(words->at[k]));
	return OK;
}

static RESULT prepare_statistics(struct cloudwatch_call *e, void *args)
{
	struct statistics_args *a = args;
	struct cloudwatch_question *q = &a->question;
	if (a->statistics.count && a->extended.count)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("Statistics"),
			"The parameters Statistics and ExtendedStatistics are mutually exclusive and "
			"you have specified both.");
	TRY(check_extended(e, &a->extended));
	q->has_values = a->extended.count > 0;
	if (!a->statistics.count && !a->extended.count)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Statistics"),
				      "At least one of the parameters Statistics and ExtendedStatistics must "
				      "be specified.");
	TRY(cloudwatch_check_period(e, a->period_s, "Period"));
	TRY(cloudwatch_read_times(e, ERR_INVALID, a->start, a->end, q));
	if (q->from_us >= q->before_us)
		return ctx_fail_field(e->c, ERR_INVALID, STR("StartTime"),
				      "The parameter StartTime must be less than the parameter EndTime.");
	q->period_us = a->period_s * SECOND;
	int64_t wanted = (q->before_us - q->from_us) / q->period_us;
	if (wanted > CLOUDWATCH_POINTS_MAX)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("Period"),
			"You have requested up to %lld datapoints, which exceeds the limit of %d. You may "
			"reduce the datapoints requested by increasing Period, or decreasing the time range.",
			(long long) wanted, CLOUDWATCH_POINTS_MAX);
	return cloudwatch_ask(e, a->name_space, a->name, a->unit, &a->dimensions, q);
}

static bool find_extended(struct str word, const struct metric_point *p, double *ret_value)
{
	struct statistic statistic;
	return statistic_read(word, &statistic) && statistic_value(&statistic, p, ret_value);
}

/* A point whose samples are not known is no datapoint for these statistics. */
static bool has_extended(const struct statistics_args *a, const struct metric_point *p)
{
	double value = 0;
	for (size_t k = 0; k < a->extended.count; k++)
		if (find_extended(a->extended.at[k], p, &value))
			return true;
	return false;
}

/* A map: in XML a list of entries. */
static void write_extended(struct cloudwatch_call *e, const struct statistics_args *a,
			   const struct metric_point *p, struct forms_writer *w)
{
	double value = 0;
	forms_open(w, "ExtendedStatistics");
	for (size_t k = 0; k < a->extended.count; k++) {
		if (!find_extended(a->extended.at[k], p, &value))
			continue;
		if (w->form != FORM_QUERY) {
			forms_number(w, str_to_z(e->c->arena, a->extended.at[k]), value);
			continue;
		}
		forms_open(w, "entry");
		forms_text(w, "key", a->extended.at[k]);
		forms_number(w, "value", value);
		forms_close(w);
	}
	forms_close(w);
}

static RESULT write_points(struct cloudwatch_call *e, const struct statistics_args *a,
			   const struct cloudwatch_question *q, struct str unit, struct forms_writer *w)
{
	struct metric_points points = {0};
	TRY(cloudwatch_read_points(e, q, e->c->arena, &points));
	for (size_t k = 0; k < points.count; k++) {
		if (a->extended.count && !has_extended(a, &points.at[k]))
			continue;
		forms_open(w, NULL);
		forms_time(w, "Timestamp", points.at[k].at_us);
		for (size_t n = 0; n < a->statistics.count; n++)
			forms_number(w, str_to_z(e->c->arena, a->statistics.at[n]),
				     metric_value(&points.at[k], a->statistics.at[n]));
		if (a->extended.count)
			write_extended(e, a, &points.at[k], w);
		forms_text(w, "Unit", unit);
		forms_close(w);
	}
	return OK;
}

/* Datapoints of several units stay apart. */
static RESULT answer_statistics(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct statistics_args *a = args;
	const struct metric_source *source = &a->question.source;
	forms_text(w, "Label", a->name);
	forms_open_list(w, "Datapoints");
	if (!source->series_count)
		TRY(write_points(e, a, &a->question, source->unit, w));
	for (size_t k = 0; k < source->series_count; k++) {
		struct cloudwatch_question one = a->question;
		one.source.series = &source->series[k];
		one.source.series_count = 1;
		TRY(write_points(e, a, &one, source->series[k].unit, w));
	}
	forms_close(w);
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("ListMetrics"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists the metrics of the account's instances and groups, and custom metrics."},
	{CLOUDWATCH_ACTION("GetMetricStatistics"), .args = PARAMS(struct statistics_args, statistics_params),
	 .prepare = prepare_statistics, .answer = answer_statistics,
	 .doc = "Returns statistics of one metric over an interval."},
};
const struct api_actions cloudwatch_actions = API_ACTIONS(actions);
