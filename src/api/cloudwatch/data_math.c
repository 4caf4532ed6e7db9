/* SPDX-License-Identifier: Apache-2.0
 * Metric math of GetMetricData: series of metrics on a common grid of times, and expressions over them. Source: Amazon CloudWatch User
 * Guide, "Using math expressions with CloudWatch metrics". */
#include <math.h>

#include "api/cloudwatch/internal.h"
#include "engine/alarm/alarm_queries.h"

/* The statistic of each point at its place in the grid. */
static RESULT fill_series(struct cloudwatch_call *e, struct alarm_query *query,
			  const struct cloudwatch_question *question, const struct cloudwatch_grid *grid,
			  struct arena *scratch)
{
	struct metric_points points = {0};
	query->at = arena_new_array(e->c->arena, double, grid->count);
	if (!query->at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < grid->count; k++)
		query->at[k] = (double) NAN;
	TRY(cloudwatch_read_points(e, question, scratch, &points));
	for (size_t k = 0; k < points.count; k++) {
		int64_t place = (points.at[k].at_us - grid->from_us) / grid->period_us;
		if (points.at[k].at_us >= grid->from_us && place < (int64_t) grid->count)
			query->at[place] = metric_value(&points.at[k], query->stat);
	}
	return OK;
}

RESULT cloudwatch_evaluate(struct cloudwatch_call *e, struct alarm_queries *queries,
			   const struct cloudwatch_question *questions, const struct cloudwatch_grid *grid)
{
	AUTO(arena) scratch = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP); /* reset after each metric */
	if (!scratch)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < queries->count; k++) {
		if (!queries->at[k].expression.n)
			TRY(fill_series(e, &queries->at[k], &questions[k], grid, scratch));
		arena_reset(scratch);
	}
	return alarm_queries_evaluate(e->c, queries, grid->count, (double) grid->period_us / (double) SECOND);
}
