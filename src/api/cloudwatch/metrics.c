/* SPDX-License-Identifier: Apache-2.0
 * Which metrics there are, whose, and their datapoints. Source: Amazon EC2 User Guide, "CloudWatch metrics that are available for
 * your instances": names, units, what stands for a sample. */
#include "api/cloudwatch/internal.h"
#include "model/id.h"
#include "reconcile/reconcile.h"
#include "store/instance.h"

const struct cloudwatch_metric cloudwatch_metrics[CLOUDWATCH_METRICS] = {
	{"CPUUtilization", "Percent", FIGURE_CPU_NS},
	{"EBSReadBytes", "Bytes", FIGURE_READ_BYTES},
	{"EBSReadOps", "Count", FIGURE_READS},
	{"EBSWriteBytes", "Bytes", FIGURE_WRITE_BYTES},
	{"EBSWriteOps", "Count", FIGURE_WRITES},
	{"NetworkIn", "Bytes", FIGURE_RX_BYTES},
	{"NetworkOut", "Bytes", FIGURE_TX_BYTES},
	{"NetworkPacketsIn", "Count", FIGURE_RX_PACKETS},
	{"NetworkPacketsOut", "Count", FIGURE_TX_PACKETS},
};

const struct cloudwatch_metric *cloudwatch_find_metric(struct str name_space, struct str name)
{
	for (size_t k = 0; k < CLOUDWATCH_METRICS && str_is(name_space, CLOUDWATCH_EC2); k++)
		if (str_is(name, cloudwatch_metrics[k].name))
			return &cloudwatch_metrics[k];
	return NULL;
}

static const struct param dimension_params[] = {
	PARAM(struct cloudwatch_dimension, "Name", name, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "InstanceId."),
	PARAM(struct cloudwatch_dimension, "Value", value, .max = 1024, .doc = "The instance."),
};
const struct params cloudwatch_dimension_params = PARAMS(struct cloudwatch_dimension, dimension_params);

static void find_subject(struct cloudwatch_call *e, const struct cloudwatch_dimensions *dimensions,
			 struct cloudwatch_question *q)
{
	struct ref ref = {0};
	if (dimensions->count != 1 || !str_is(dimensions->at[0].name, "InstanceId") ||
	    !result_is_ok(id_parse_ec2(dimensions->at[0].value, KIND_INSTANCE, &ref)))
		return;
	const struct instance *i = instance_find_prefix(cloudwatch_tables(e), ref.prefix, ref.bits);
	if (!i || !uuid_equal(i->account, e->c->who->account))
		return;
	q->instance = i->row.id;
	q->host = i->host;
}

/* ---- times ---- */

/* Longer ago than these CloudWatch keeps no points of a shorter period, and rounds to them where a question begins. */
static const struct {
	int64_t age_us, period_us;
} retention[] = {
	{63 * 24 * HOUR, HOUR},
	{15 * 24 * HOUR, 5 * MINUTE},
	{0, MINUTE},
};

static int64_t period_of_age(int64_t age_us)
{
	size_t k = 0;
	while (k + 1 < sizeof retention / sizeof *retention && age_us <= retention[k].age_us)
		k++;
	return retention[k].period_us;
}

RESULT cloudwatch_read_times(struct cloudwatch_call *e, enum err err, struct str start, struct str end,
			     struct cloudwatch_question *q)
{
	if (!result_is_ok(clock_parse(start, &q->from_us)))
		return ctx_fail_field(e->c, err, STR("StartTime"),
				      "The parameter StartTime must be in ISO 8601 format.");
	if (!result_is_ok(clock_parse(end, &q->before_us)))
		return ctx_fail_field(e->c, err, STR("EndTime"),
				      "The parameter EndTime must be in ISO 8601 format.");
	if (q->from_us >= q->before_us)
		return ctx_fail_field(e->c, err, STR("StartTime"),
				      "The parameter StartTime must be less than the parameter EndTime.");
	return OK;
}

/* Where hours fit and what is older than the short stretches is asked for, hours answer. */
static int64_t choose_step(const struct cloudwatch_question *q)
{
	bool is_old = q->from_us < clock_now_us() - FIGURES_SHORT_KEPT_US;
	return is_old && q->period_us % FIGURES_LONG_US == 0 ? FIGURES_LONG_US : FIGURES_SHORT_US;
}

void cloudwatch_ask(struct cloudwatch_call *e, const struct cloudwatch_metric *metric, struct str unit,
		    const struct cloudwatch_dimensions *dimensions, struct cloudwatch_question *q)
{
	int64_t shortest_us = period_of_age(clock_now_us() - q->from_us);
	bool is_kept = shortest_us == MINUTE || q->period_us % shortest_us == 0;
	bool has_unit = metric && (!unit.n || str_is(unit, metric->unit));
	q->metric = has_unit && is_kept ? metric : NULL;
	q->from_us = q->from_us / shortest_us * shortest_us;
	q->step_us = choose_step(q);
	find_subject(e, dimensions, q);
}

RESULT cloudwatch_check_period(struct cloudwatch_call *e, int64_t period_s, const char *field)
{
	bool is_short = period_s == 1 || period_s == 5 || period_s == 10 || period_s == 20 || period_s == 30;
	if (is_short || (period_s > 0 && period_s % 60 == 0))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "The parameter %s must be 1, 5, 10, 20, 30 or a multiple of 60.", field);
}

/* ---- datapoints ---- */

/* One that was kept as samples of a minute. */
static struct cloudwatch_datapoint make_point(const struct cloudwatch_metric *m, const struct figure_point *p)
{
	int64_t minutes = (p->to_us - p->from_us) / MINUTE;
	double samples = (double) (minutes > 0 ? minutes : 1);
	if (m->figure == FIGURE_CPU_NS) {
		double share = (double) figure_cpu_of(p) / 100;
		return (struct cloudwatch_datapoint){p->from_us, samples, share * samples,
						     (double) p->least_cpu / 100, (double) p->most_cpu / 100};
	}
	double sum = (double) p->at[m->figure];
	return (struct cloudwatch_datapoint){p->from_us, samples, sum, sum / samples, sum / samples};
}

/* Those of one period are one. */
static bool add_point(struct arena *arena, struct cloudwatch_datapoints *points, int64_t period_us,
		      struct cloudwatch_datapoint p)
{
	p.at_us = p.at_us / period_us * period_us;
	struct cloudwatch_datapoint *last = points->count ? &points->at[points->count - 1] : NULL;
	if (!last || last->at_us != p.at_us)
		return VEC_PUSH(arena, points, p);
	last->samples += p.samples;
	last->sum += p.sum;
	last->least = p.least < last->least ? p.least : last->least;
	last->most = p.most > last->most ? p.most : last->most;
	return true;
}

RESULT cloudwatch_read_points(struct cloudwatch_call *e, const struct cloudwatch_question *q,
			      struct arena *arena, struct cloudwatch_datapoints *points)
{
	struct figure_points kept = {0};
	struct ctx c = *e->c;
	struct reconciler *r = e->config->reconciler;
	cloudwatch_release_tables(e);
	if (!q->metric || !r || uuid_is_none(q->host))
		return OK;
	c.arena = arena;
	struct result result = reconciler_read_figures_kept(r, &c, q->instance, q->host, q->step_us,
							    q->from_us, q->before_us, &kept);
	if (!result_is_ok(result))
		return ctx_fail(e->c, result.code, "%" STR_FMT, STR_ARG(c.problem.message));
	for (size_t k = 0; k < kept.count; k++)
		if (!add_point(arena, points, q->period_us, make_point(q->metric, &kept.at[k])))
			return ctx_no_memory(e->c);
	return OK;
}

double cloudwatch_value_of(const struct cloudwatch_datapoint *p, struct str statistic)
{
	return str_is(statistic, "SampleCount") ? p->samples
	       : str_is(statistic, "Sum")       ? p->sum
	       : str_is(statistic, "Minimum")   ? p->least
	       : str_is(statistic, "Maximum")   ? p->most
						: p->sum / p->samples;
}
