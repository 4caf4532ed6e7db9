/* SPDX-License-Identifier: Apache-2.0
 * Finds a metric by CloudWatch's names, and reads its datapoints. Source of names and units: Amazon EC2 User Guide, "CloudWatch
 * metrics that are available for your instances". */
#include <stdlib.h>

#include "engine/alarm/alarm.h"
#include "engine/scaling/scaling.h"
#include "model/id.h"
#include "reconcile/figures/internal.h"
#include "reconcile/figures/metrics.h"
#include "store/instance.h"
#include "store/scaling_group.h"
#include "store/scaling_member.h"

const struct metric_ec2 metrics_of_ec2[METRICS_OF_EC2] = {
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

double metric_value(const struct metric_point *p, struct str statistic)
{
	return str_is(statistic, "SampleCount") ? p->samples
	       : str_is(statistic, "Sum")       ? p->sum
	       : str_is(statistic, "Minimum")   ? p->least
	       : str_is(statistic, "Maximum")   ? p->most
						: p->sum / p->samples;
}

/* ---- names ---- */

static RESULT add_guest(struct ctx *c, const struct instance *i, size_t capacity,
			struct metric_source *source)
{
	if (!source->guests)
		source->guests = arena_new_array(c->arena, struct metric_guest, capacity);
	if (!source->guests)
		return ctx_no_memory(c);
	if (!uuid_is_none(i->host) && source->guest_count < capacity)
		source->guests[source->guest_count++] = (struct metric_guest){i->row.id, i->host};
	source->is_there = true;
	return OK;
}

static RESULT find_guest(struct ctx *c, const struct tables *t, uuid account, struct str id,
			 struct metric_source *source)
{
	struct ref ref = {0};
	if (!result_is_ok(id_parse_ec2(id, KIND_INSTANCE, &ref)))
		return OK;
	const struct instance *i = instance_find_prefix(t, ref.prefix, ref.bits);
	return i && uuid_equal(i->account, account) ? add_guest(c, i, 1, source) : OK;
}

/* The members of a group that count for its capacity. */
static RESULT find_members(struct ctx *c, const struct tables *t, uuid account, struct str name,
			   struct metric_source *source)
{
	const struct scaling_group *group = scaling_group_find_by_account(t, account, name);
	source->is_there = group != NULL;
	for (const struct scaling_member *m = group ? scaling_member_first_by_scaling_group(t, group->row.id)
						    : NULL;
	     m; m = scaling_member_next_by_scaling_group(t, m)) {
		const struct instance *i = instance_find(t, m->instance);
		if (i && m->stage == SCALING_MEMBER_STAGE_IN_SERVICE)
			TRY(add_guest(c, i, 2 * SCALING_SIZE_MAX, source));
	}
	return OK;
}

static RESULT find_ec2(struct ctx *c, const struct tables *t, uuid account, struct str name,
		       const struct strs *dimensions, struct metric_source *source)
{
	for (size_t k = 0; k < METRICS_OF_EC2; k++)
		if (str_is(name, metrics_of_ec2[k].name))
			source->ec2 = &metrics_of_ec2[k];
	if (!source->ec2 || dimensions->count != 2)
		return OK;
	source->unit = str_from(source->ec2->unit);
	if (str_is(dimensions->at[0], "InstanceId"))
		return find_guest(c, t, account, dimensions->at[1], source);
	if (str_is(dimensions->at[0], "AutoScalingGroupName"))
		return find_members(c, t, account, dimensions->at[1], source);
	return OK;
}

/* Finds the metrics of that name, one of each unit, or that of the unit. */
static RESULT find_published(struct ctx *c, const struct tables *t, const struct metric *m, struct str unit,
			     struct metric_source *source)
{
	VEC(struct metric_series) series = {0};
	for (; m; m = engine_next_metric(t, m)) {
		const struct metric_series one = {m->row.id, str_copy(c->arena, m->unit)};
		if (unit.n && !str_equal(unit, m->unit))
			continue;
		if (!one.unit.p || !VEC_PUSH(c->arena, &series, one))
			return ctx_no_memory(c);
	}
	source->series = series.at;
	source->series_count = series.count;
	source->is_there = series.count > 0;
	return OK;
}

RESULT metric_find_source(struct ctx *c, const struct tables *t, uuid account, struct str name_space,
			  struct str name, const struct strs *dimensions, struct str unit,
			  struct metric_source *ret_source)
{
	struct metric_source source = {.account = account};
	bool is_gnocchi = str_is(name_space, METRICS_GNOCCHI);
	if (is_gnocchi)
		TRY(gnocchi_find_source(c, t, name, dimensions, &source));
	else if (str_is(name_space, METRICS_EC2))
		TRY(find_ec2(c, t, account, name, dimensions, &source));
	if (source.ec2 || str_is(name_space, METRICS_EC2)) {
		source.is_there &= !unit.n || str_equal(unit, source.unit);
	} else if (!is_gnocchi) {
		TRY(find_published(c, t, engine_first_metric(t, account, name_space, name, dimensions), unit,
				   &source));
	}
	*ret_source = source;
	return OK;
}

/* ---- datapoints ---- */

/* Figures of a stretch stand for one sample a minute, as CloudWatch has them. */
static struct metric_point make_point(const struct metric_source *source, const struct figure_point *p)
{
	const struct metric_ec2 *m = source->ec2;
	int64_t minutes = (p->to_us - p->from_us) / MINUTE;
	double samples = (double) (minutes > 0 ? minutes : 1);
	if (m->form == FIGURE_SUM && m->figure == FIGURE_CPU_NS) {
		double share = (double) figure_cpu_of(p) / 100;
		return (struct metric_point){.at_us = p->from_us,
					     .samples = samples,
					     .sum = share * samples,
					     .least = (double) p->least_cpu / 100,
					     .most = (double) p->most_cpu / 100};
	}
	double sum = (double) p->at[m->figure] / (double) (m->per ? m->per : 1);
	if (m->form == FIGURE_LEVEL)
		sum *= samples;
	if (m->form == FIGURE_RATE) /* a sample is the growth in a period at the minute's pace */
		sum *= (double) source->period_us / MINUTE;
	return (struct metric_point){.at_us = p->from_us,
				     .samples = samples,
				     .sum = sum,
				     .least = sum / samples,
				     .most = sum / samples};
}

static int compare_points(const void *a, const void *b)
{
	const struct metric_point *x = a, *y = b;
	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static int compare_samples(const void *a, const void *b)
{
	const struct metric_sample *x = a, *y = b;
	return (x->value > y->value) - (x->value < y->value);
}

/* Sums up the samples of the points of one period. One whose samples are not known makes all unknown. */
static RESULT merge_samples(struct ctx *c, const struct metric_point *points, size_t count,
			    struct metric_point *into)
{
	size_t total = 0, kept = 0;
	for (size_t k = 0; k < count; k++) {
		if (!points[k].value_count && !metric_is_even(&points[k]))
			return OK;
		total += points[k].value_count ? points[k].value_count : 1;
	}
	struct metric_sample *all = arena_new_array(c->arena, struct metric_sample, total + 1);
	if (!all)
		return ctx_no_memory(c);
	total = 0;
	for (size_t k = 0; k < count; k++) {
		if (!points[k].value_count)
			all[total++] = metric_even_sample(&points[k]);
		for (size_t n = 0; n < points[k].value_count; n++)
			all[total++] = points[k].values[n];
	}
	qsort(all, total, sizeof *all, compare_samples);
	for (size_t k = 0; k < total; k++) {
		if (kept && all[kept - 1].value == all[k].value)
			all[kept - 1].count += all[k].count;
		else
			all[kept++] = all[k];
	}
	into->values = all;
	into->value_count = kept;
	return OK;
}

static void merge_sums(struct metric_point *into, const struct metric_point *p)
{
	into->samples += p->samples;
	into->sum += p->sum;
	into->least = p->least < into->least ? p->least : into->least;
	into->most = p->most > into->most ? p->most : into->most;
}

/* Orders the points, and sums up those of one period. */
static RESULT merge_points(struct ctx *c, struct metric_points *points, const struct metric_range *range)
{
	size_t count = 0;
	for (size_t k = 0; k < points->count; k++)
		points->at[k].at_us = points->at[k].at_us / range->period_us * range->period_us;
	if (points->count > 1)
		qsort(points->at, points->count, sizeof *points->at, compare_points);
	for (size_t k = 0, end; k < points->count; k = end) {
		struct metric_point merged = points->at[k];
		for (end = k + 1; end < points->count && points->at[end].at_us == merged.at_us; end++)
			merge_sums(&merged, &points->at[end]);
		if (end > k + 1) {
			merged.values = NULL;
			merged.value_count = 0;
		}
		if (end > k + 1 && range->has_values)
			TRY(merge_samples(c, &points->at[k], end - k, &merged));
		points->at[count++] = merged;
	}
	points->count = count;
	return OK;
}

static int compare_guests(const void *a, const void *b)
{
	return uuid_compare(((const struct metric_guest *) a)->host, ((const struct metric_guest *) b)->host);
}

/* The stretches of a host are read once for all its guests. */
static RESULT read_stretches(struct reconciler *r, struct ctx *c, const struct metric_source *source,
			     const struct metric_range *range, struct figure_points *kept)
{
	uuid *ids = arena_new_array(c->arena, uuid, source->guest_count + 1);
	if (!ids)
		return ctx_no_memory(c);
	if (source->guest_count > 1)
		qsort(source->guests, source->guest_count, sizeof *source->guests, compare_guests);
	for (size_t first = 0, end; first < source->guest_count; first = end) {
		uuid host = source->guests[first].host;
		for (end = first; end < source->guest_count && uuid_equal(source->guests[end].host, host);
		     end++)
			ids[end - first] = source->guests[end].instance;
		const struct uuids of_host = {ids, end - first};
		TRY(figures_read_kept(r, c, &of_host, host, range->step_us, range->from_us, range->before_us,
				      kept));
	}
	return OK;
}

static RESULT read_guests(struct reconciler *r, struct ctx *c, const struct metric_source *source,
			  const struct metric_range *range, struct metric_points *points)
{
	struct figure_points kept = {0};
	if (range->step_us)
		TRY(read_stretches(r, c, source, range, &kept));
	for (size_t k = 0; !range->step_us && k < source->guest_count; k++)
		TRY(reconciler_look_at_minutes(r, c, source->guests[k].instance, range->from_us,
					       range->before_us, &kept));
	for (size_t n = 0; n < kept.count; n++)
		if (!VEC_PUSH(c->arena, points, make_point(source, &kept.at[n])))
			return ctx_no_memory(c);
	return OK;
}

RESULT reconciler_read_metric(struct reconciler *r, struct ctx *c, const struct metric_source *source,
			      const struct metric_range *range, struct metric_points *points)
{
	if (!source->is_there)
		return OK;
	if (source->ec2) {
		struct metric_source of_period = *source;
		of_period.period_us = range->period_us;
		TRY(read_guests(r, c, &of_period, range, points));
	}
	for (size_t k = 0; k < source->series_count; k++)
		TRY(metrics_read(r, c, source->account, source->series[k].metric, range, points));
	return merge_points(c, points, range);
}
