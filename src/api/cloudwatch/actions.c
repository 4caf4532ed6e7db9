/* SPDX-License-Identifier: Apache-2.0
 * ListMetrics and GetMetricStatistics. Source: Amazon CloudWatch API Reference. */
#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "model/id.h"
#include "store/instance.h"

enum { LIST_MAX = 500, FILTERS_MAX = 10 };

/* ---- ListMetrics ---- */

/* A metric's place in the list. Instances are listed as they were made, so what comes or goes between two pages moves nothing. */
struct list_place {
	int64_t created_us;
	uuid instance;
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
	PARAM(struct list_args, "NextToken", token, .doc = "The next page, by the last one's."),
	PARAM(struct list_args, "RecentlyActive", active, .words = "PT3H",
	      .doc = "Those of the last three hours: what is listed has figures now."),
	PARAM(struct list_args, "IncludeLinkedAccounts", linked, .doc = "There are none."),
	PARAM(struct list_args, "OwningAccount", owner, .min = 1, .max = 255,
	      .doc = "Of linked accounts: of another one nothing is listed."),
};

/* Dimensions that name other things than the instance fit nothing. */
static bool fits_dimensions(const struct list_args *a, const char *id)
{
	for (size_t k = 0; k < a->dimensions.count; k++)
		if (!str_is(a->dimensions.at[k].name, "InstanceId") ||
		    (a->dimensions.at[k].value.n && !str_is(a->dimensions.at[k].value, id)))
			return false;
	return true;
}

static void write_metric(struct forms_writer *w, const struct cloudwatch_metric *m, const char *id)
{
	forms_open(w, NULL);
	forms_open_list(w, "Dimensions");
	forms_open(w, NULL);
	forms_text(w, "Name", STR("InstanceId"));
	forms_text(w, "Value", str_from(id));
	forms_close(w);
	forms_close(w);
	forms_text(w, "MetricName", str_from(m->name));
	forms_text(w, "Namespace", STR(CLOUDWATCH_EC2));
	forms_close(w);
}

static RESULT prepare_list(struct cloudwatch_call *e, void *args)
{
	struct list_args *a = args;
	struct str rest = a->token, created = STR_NONE, instance = STR_NONE;
	if (!a->token.n)
		return OK;
	a->behind.is_set = str_split_next(&rest, '.', &created) && str_split_next(&rest, '.', &instance) &&
			   result_is_ok(str_parse_int(created, &a->behind.created_us)) &&
			   result_is_ok(uuid_parse_asked(instance, &a->behind.instance)) &&
			   result_is_ok(str_parse_int(rest, &a->behind.metric)) && a->behind.metric >= 0 &&
			   a->behind.metric < CLOUDWATCH_METRICS;
	/* A bad parameter: the model has no InvalidNextToken for this action. The words are guessed. */
	return a->behind.is_set ? OK : ctx_fail(e->c, ERR_INVALID, "The parameter NextToken is not valid.");
}

/* < 0: it stands before that place; 0: it is the place's own. */
static int compare_place(const struct instance *i, const struct list_place *place)
{
	if (i->row.created_us != place->created_us)
		return i->row.created_us < place->created_us ? -1 : 1;
	return uuid_compare(i->row.id, place->instance);
}

struct list_walk {
	const struct list_args *args;
	struct forms_writer *w;
	size_t count;
	struct list_place last; /* that is written */
	bool has_more;
};

static void list_instance(struct list_walk *walk, const struct instance *i)
{
	char id[EC2_ID_TEXT_SIZE];
	const struct list_args *a = walk->args;
	int order = a->behind.is_set ? compare_place(i, &a->behind) : 1;
	(void) id_write_ec2(KIND_INSTANCE, i->row.id, id);
	if (order < 0 || !fits_dimensions(a, id))
		return;
	for (size_t k = order ? 0 : (size_t) a->behind.metric + 1; k < CLOUDWATCH_METRICS; k++) {
		const struct cloudwatch_metric *m = &cloudwatch_metrics[k];
		if (a->name.n && !str_is(a->name, m->name))
			continue;
		walk->has_more = walk->count == LIST_MAX;
		if (walk->has_more)
			return;
		write_metric(walk->w, m, id);
		walk->count++;
		walk->last = (struct list_place){i->row.created_us, i->row.id, (int64_t) k, true};
	}
}

static RESULT answer_list(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	char id[UUID_TEXT_SIZE];
	const struct list_args *a = args;
	struct list_walk walk = {.args = a, .w = w};
	bool is_ours = (!a->name_space.n || str_is(a->name_space, CLOUDWATCH_EC2)) &&
		       (!a->owner.n || str_equal(a->owner, e->c->who->account_number));
	const struct tables *t = cloudwatch_tables(e);
	forms_open_list(w, "Metrics");
	for (const struct instance *i = instance_first_by_account(t, e->c->who->account);
	     i && is_ours && !walk.has_more; i = instance_next_by_account(t, i))
		if (row_is_live(&i->row) && !uuid_is_none(i->host))
			list_instance(&walk, i);
	forms_close(w);
	if (walk.has_more)
		forms_text(w, "NextToken",
			   str_print(e->c->arena, "%lld.%s.%lld", (long long) walk.last.created_us,
				     uuid_write(walk.last.instance, id), (long long) walk.last.metric));
	return OK;
}

/* ---- GetMetricStatistics ---- */

struct statistics_args {
	struct str name_space, name, start, end, unit;
	struct cloudwatch_dimensions dimensions;
	struct strs statistics;
	int64_t period_s;
	struct cloudwatch_question question; /* made */
};
static const struct param statistics_params[] = {
	CLOUDWATCH_NAMESPACE_PARAM(struct statistics_args, .flags = REQUIRED, ),
	CLOUDWATCH_METRIC_PARAM(struct statistics_args, .flags = REQUIRED, ),
	CLOUDWATCH_DIMENSIONS_PARAM(struct statistics_args, CLOUDWATCH_DIMENSIONS_MAX),
	PARAM(struct statistics_args, "StartTime", start, .flags = REQUIRED, .doc = "Included."),
	PARAM(struct statistics_args, "EndTime", end, .flags = REQUIRED, .doc = "Not included."),
	PARAM(struct statistics_args, "Period", period_s, .flags = REQUIRED, .min = 1, .max = 86400 * 365,
	      .doc = "Seconds that a datapoint covers; figures are five minutes apart."),
	PARAM(struct statistics_args, "Statistics.member", statistics, .words = CLOUDWATCH_STATISTICS,
	      .doc = "What of each datapoint is told."),
	NOT_BUILT("ExtendedStatistics.member", .doc = "Percentiles."),
	PARAM(struct statistics_args, "Unit", unit, .words = CLOUDWATCH_UNITS,
	      .doc = "Only if it is the metric's own."),
};

static RESULT prepare_statistics(struct cloudwatch_call *e, void *args)
{
	struct statistics_args *a = args;
	struct cloudwatch_question *q = &a->question;
	const struct cloudwatch_metric *m = cloudwatch_find_metric(a->name_space, a->name);
	if (!a->statistics.count)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Statistics"),
				      "At least one of the parameters Statistics and ExtendedStatistics must "
				      "be specified.");
	TRY(cloudwatch_check_period(e, a->period_s, "Period"));
	TRY(cloudwatch_read_times(e, ERR_INVALID, a->start, a->end, q));
	q->period_us = a->period_s * SECOND;
	int64_t wanted = (q->before_us - q->from_us) / q->period_us;
	if (wanted > CLOUDWATCH_POINTS_MAX)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("Period"),
			"You have requested up to %lld datapoints, which exceeds the limit of %d. You may "
			"reduce the datapoints requested by increasing Period, or decreasing the time range.",
			(long long) wanted, CLOUDWATCH_POINTS_MAX);
	cloudwatch_ask(e, m, a->unit, &a->dimensions, q);
	return OK;
}

static RESULT answer_statistics(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct statistics_args *a = args;
	struct cloudwatch_datapoints points = {0};
	TRY(cloudwatch_read_points(e, &a->question, e->c->arena, &points));
	forms_text(w, "Label", a->name);
	forms_open_list(w, "Datapoints");
	for (size_t k = 0; k < points.count; k++) {
		forms_open(w, NULL);
		forms_time(w, "Timestamp", points.at[k].at_us);
		for (size_t n = 0; n < a->statistics.count; n++)
			forms_number(w, str_to_z(e->c->arena, a->statistics.at[n]),
				     cloudwatch_value_of(&points.at[k], a->statistics.at[n]));
		forms_text(w, "Unit", str_from(a->question.metric->unit));
		forms_close(w);
	}
	forms_close(w);
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("ListMetrics"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list,
	 .doc = "The figures that the account's instances have."},
	{CLOUDWATCH_ACTION("GetMetricStatistics"), .args = PARAMS(struct statistics_args, statistics_params),
	 .prepare = prepare_statistics, .answer = answer_statistics, .doc = "One figure over a time."},
};
const struct api_actions cloudwatch_actions = API_ACTIONS(actions);
