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

void cloudwatch_find_subject(struct cloudwatch_call *e, const struct cloudwatch_dimensions *dimensions,
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
static RESULT add_point(struct cloudwatch_call *e, struct cloudwatch_datapoints *points, int64_t period_us,
			struct cloudwatch_datapoint p)
{
	p.at_us = p.at_us / period_us * period_us;
	struct cloudwatch_datapoint *last = points->count ? &points->at[points->count - 1] : NULL;
	if (!last || last->at_us != p.at_us)
		return VEC_PUSH(e->c->arena, points, p) ? OK : ctx_no_memory(e->c);
	last->samples += p.samples;
	last->sum += p.sum;
	last->least = p.least < last->least ? p.least : last->least;
	last->most = p.most > last->most ? p.most : last->most;
	return OK;
}

/* Where hours fit and what is older than the short stretches is asked for, hours answer. */
static int64_t choose_step(const struct cloudwatch_question *q)
{
	bool is_old = q->from_us < clock_now_us() - FIGURES_SHORT_KEPT_US;
	return is_old && q->period_us % FIGURES_LONG_US == 0 ? FIGURES_LONG_US : FIGURES_SHORT_US;
}

RESULT cloudwatch_read_points(struct cloudwatch_call *e, const struct cloudwatch_question *q,
			      struct cloudwatch_datapoints *points)
{
	struct figure_points kept = {0};
	struct reconciler *r = e->config->reconciler;
	cloudwatch_release_tables(e);
	if (!q->metric || !r || uuid_is_none(q->host))
		return OK;
	TRY(reconciler_read_figures_kept(r, e->c, q->instance, q->host, choose_step(q), q->from_us,
					 q->before_us, &kept));
	for (size_t k = 0; k < kept.count; k++)
		TRY(add_point(e, points, q->period_us, make_point(q->metric, &kept.at[k])));
	return OK;
}
