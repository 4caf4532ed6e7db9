/* SPDX-License-Identifier: Apache-2.0
 * Reads queries of metrics (names, times and periods), and finds their datapoints. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/cloudwatch/internal.h"
#include "reconcile/reconcile.h"

static const struct param dimension_params[] = {
	PARAM(struct cloudwatch_dimension, "Name", name, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Name of a dimension."),
	PARAM(struct cloudwatch_dimension, "Value", value, .max = 1024, .doc = "Value of the dimension."),
};
const struct params cloudwatch_dimension_params = PARAMS(struct cloudwatch_dimension, dimension_params);

static int compare_dimensions(const void *a, const void *b)
{
	return str_compare(((const struct cloudwatch_dimension *) a)->name,
			   ((const struct cloudwatch_dimension *) b)->name);
}

RESULT cloudwatch_read_dimensions(struct cloudwatch_call *e, const struct cloudwatch_dimensions *dimensions,
				  struct strs *ret_texts)
{
	size_t count = dimensions->count;
	struct cloudwatch_dimension *sorted =
		arena_new_array(e->c->arena, struct cloudwatch_dimension, count + 1);
	struct str *texts = arena_new_array(e->c->arena, struct str, 2 * count + 1);
	if (!sorted || !texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++)
		sorted[k] = dimensions->at[k];
	if (count > 1)
		qsort(sorted, count, sizeof *sorted, compare_dimensions);
	for (size_t k = 0; k < count; k++) {
		texts[2 * k] = sorted[k].name;
		texts[2 * k + 1] = sorted[k].value;
		if (k && str_equal(sorted[k - 1].name, sorted[k].name))
			return ctx_fail_field(e->c, ERR_INVALID, STR("Dimensions"),
					      "The dimension %" STR_FMT " is there twice.",
					      STR_ARG(sorted[k].name));
	}
	*ret_texts = (struct strs){texts, 2 * count};
	return OK;
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
	q->from_us = q->from_us / SECOND * SECOND; /* CloudWatch ignores fractions of a second */
	q->before_us = q->before_us / SECOND * SECOND;
	return OK;
}

/* Chooses hours if the period is a multiple of an hour and begins before the short stretches do. */
static int64_t choose_step(const struct cloudwatch_question *q)
{
	bool is_old = q->from_us < clock_now_us() - FIGURES_SHORT_KEPT_US;
	return is_old && q->period_us % FIGURES_LONG_US == 0 ? FIGURES_LONG_US : FIGURES_SHORT_US;
}

RESULT cloudwatch_ask(struct cloudwatch_call *e, struct str name_space, struct str name, struct str unit,
		      const struct cloudwatch_dimensions *dimensions, struct cloudwatch_question *q)
{
	struct strs texts = {0};
	int64_t shortest_us = period_of_age(clock_now_us() - q->from_us);
	bool is_kept = shortest_us == MINUTE || q->period_us % shortest_us == 0;
	q->from_us = q->from_us / shortest_us * shortest_us;
	q->step_us = choose_step(q);
	TRY(cloudwatch_read_dimensions(e, dimensions, &texts));
	TRY(metric_find_source(e->c, cloudwatch_tables(e), e->c->who->account, name_space, name, &texts, unit,
			       &q->source));
	q->source.is_there &= is_kept;
	return OK;
}

RESULT cloudwatch_check_period(struct cloudwatch_call *e, int64_t period_s, const char *field)
{
	bool is_short = period_s == 1 || period_s == 5 || period_s == 10 || period_s == 20 || period_s == 30;
	if (is_short || (period_s > 0 && period_s % 60 == 0))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "The parameter %s must be 1, 5, 10, 20, 30 or a multiple of 60.", field);
}

RESULT cloudwatch_read_number(struct cloudwatch_call *e, struct str text, const char *field,
			      double *ret_value)
{
	char number[48] = {0}, *end = number;
	if (text.n && text.n < sizeof number) {
		memcpy(number, text.p, text.n);
		*ret_value = strtod(number, &end);
	}
	bool is_decimal = end != number && !*end && isfinite(*ret_value) && !strpbrk(number, "xXpP ");
	return is_decimal ? OK
			  : ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					   "The value %" STR_FMT " for parameter %s is invalid.",
					   STR_ARG(str_equal_nocase(text, STR("nan")) ? STR("NaN")
										      : str_cut(text, 64)),
					   field);
}

/* ---- datapoints ---- */

RESULT cloudwatch_read_points(struct cloudwatch_call *e, const struct cloudwatch_question *q,
			      struct arena *arena, struct metric_points *points)
{
	struct ctx c = *e->c;
	struct reconciler *r = e->config->reconciler;
	const struct metric_range range = {q->from_us, q->before_us, q->period_us, q->step_us, q->has_values};
	cloudwatch_release_tables(e);
	if (!r)
		return OK;
	c.arena = arena;
	struct result result = reconciler_read_metric(r, &c, &q->source, &range, points);
	return result_is_ok(result) ? OK
				    : ctx_fail(e->c, result.code, "%" STR_FMT, STR_ARG(c.problem.message));
}
