/* SPDX-License-Identifier: Apache-2.0
 * Private to api/autoscaling/: the metric that a target tracking policy computes from others by metric math, and dimensions of
 * metrics. */
#pragma once

#include "api/autoscaling/internal.h"

enum { TRACKED_DIMENSIONS_MAX = 30, TRACKED_QUERIES_MAX = 10 };

struct metric_dimension {
	struct str name, value;
};
struct metric_dimensions {
	struct metric_dimension *at;
	size_t count;
};
extern const struct params autoscaling_dimension_params; /* filling struct metric_dimension */
/* Names and values in order of names, as metrics have them. */
RESULT autoscaling_take_dimensions(struct autoscaling_call *e, struct metric_dimensions dimensions,
				   struct strs *ret_texts);
void autoscaling_write_dimensions(struct xml *x, const struct strs *texts);

struct tracked_query {
	struct str id, expression, label, name_space, name, stat, unit;
	struct metric_dimensions dimensions;
	int64_t period_s, stat_period_s;
	enum choice returns;
};
struct tracked_queries {
	const struct tracked_query *at;
	size_t count;
};
extern const struct params autoscaling_query_params; /* filling struct tracked_query */
/* Checks the queries, and writes them as alarm_queries_write() does. A period that is not given is 0. */
RESULT autoscaling_take_queries(struct autoscaling_call *e, const struct tracked_queries *queries,
				struct str *ret_text);
/* The list Metrics. */
RESULT autoscaling_write_queries(struct autoscaling_call *e, struct xml *x, struct str text);
