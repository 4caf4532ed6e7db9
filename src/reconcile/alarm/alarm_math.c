/* SPDX-License-Identifier: Apache-2.0
 * Reads the metrics of an alarm's queries, and evaluates its expressions. */
#include "reconcile/alarm/alarm_math.h"

#include <math.h>

#include "engine/alarm/alarm_queries.h"
#include "reconcile/figures/statistic.h"
#include "reconcile/work.h"

static RESULT read_query(struct reconciler *r, struct ctx *c, uuid account, struct alarm_query *q,
			 const struct metric_range *range, size_t count)
{
	struct metric_source source;
	struct metric_points read = {0};
	q->at = arena_new_array(c->arena, double, count + 1);
	if (!q->at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		q->at[k] = NAN;
	{
		AUTO_VIEW view = {0};
		view_open(r->store, &view);
		TRY(metric_find_source(c, view.tables, account, q->name_space, q->name, &q->dimensions,
				       q->unit, &source));
	}
	struct statistic statistic;
	struct metric_range wanted = *range;
	if (!statistic_read(q->stat, &statistic))
		return OK;
	wanted.has_values = statistic.kind != STATISTIC_BASIC;
	TRY(reconciler_read_metric(r, c, &source, &wanted, &read));
	for (size_t k = 0; k < read.count; k++) {
		size_t place = (size_t) ((read.at[k].at_us - range->from_us) / range->period_us);
		if (place < count && !statistic_value(&statistic, &read.at[k], &q->at[place]))
			q->at[place] = NAN;
	}
	return OK;
}

RESULT alarm_math_read(struct reconciler *r, struct ctx *c, const struct alarm *alarm,
		       struct alarm_point *points, size_t count)
{
	struct alarm_queries queries = {0};
	int64_t period_us = alarm->period_s * SECOND;
	struct metric_range range =
		alarm_choose_range(points[0].at_us, points[0].at_us + (int64_t) count * period_us, period_us);
	TRY(alarm_queries_read(c, alarm->queries, &queries));
	for (size_t k = 0; k < queries.count; k++)
		if (!queries.at[k].expression.n)
			TRY(read_query(r, c, alarm->account, &queries.at[k], &range, count));
	struct result result = alarm_queries_evaluate(c, &queries, count, (double) alarm->period_s);
	if (result.code == ERR_INVALID) {
		ctx_clear_problem(c);
		return OK;
	}
	TRY(result);
	const struct alarm_query *q = alarm_queries_result(&queries);
	for (size_t k = 0; q && k < count; k++) {
		points[k].is_there = !isnan(q->at[k]);
		points[k].value = q->at[k];
	}
	return OK;
}
