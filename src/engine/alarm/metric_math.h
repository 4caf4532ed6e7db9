/* SPDX-License-Identifier: Apache-2.0
 * Metric math: expressions over series of datapoints, as far as alarms use them. Numbers, names of queries, + - * / ^,
 * comparisons (1 or 0), AND, OR, and the functions of metric_math.c. A missing datapoint is NaN, and so is what follows from
 * one. Pure. Source: Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics". */
#pragma once

#include "base/ctx.h"

enum { MATH_QUERIES_MAX = 10, MATH_METRICS_ID_MAX = 255, MATH_EXPRESSION_MAX = 2048 };

struct math_series {
	struct str id;
	const double *at; /* math_scope.count values, the oldest first */
	bool is_metric;   /* METRICS() has it */
};

struct math_scope {
	size_t count;
	double period_s;
	const struct math_series *series;
	size_t series_count;
};

/* Evaluates an expression whose result is a series; a number is the same at each time. ERR_INVALID with a message: it is no
 * expression, uses what is not built, or its result is no series. */
RESULT metric_math(struct ctx *c, struct str expression, const struct math_scope *scope, double *ret_at);
