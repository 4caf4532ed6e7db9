/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudwatch/: what an action is and a call carries; metrics, and their datapoints. */
#pragma once

#include "api/cloudwatch/cloudwatch.h"
#include "api/cloudwatch/forms.h"
#include "api/core/dispatch.h"
#include "api/query/request.h"
#include "base/xml.h"
#include "reconcile/figures/figures.h"

struct cloudwatch_call {
	API_CALL_BASE;
	enum cloudwatch_form form;
};

struct cloudwatch_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct cloudwatch_call *e, void *args);
	RESULT (*answer)(struct cloudwatch_call *e, const void *args, struct forms_writer *w);
};
#define CLOUDWATCH_ACTION(word) .name = (word), .permit = "cloudwatch:" word

API_DEFINE_FACE(cloudwatch)

extern const struct api_actions cloudwatch_actions, cloudwatch_data_actions;
extern const struct api_groups cloudwatch_action_groups;

/* ---- errors.c ---- */

#define CLOUDWATCH_NAMESPACE STR("http://monitoring.amazonaws.com/doc/2010-08-01/")
extern const struct api_errors cloudwatch_errors;
/* The shape of the service's model that has that code of the query protocol. */
const char *cloudwatch_shape_of(const char *code);

/* ---- metrics.c ---- */

#define CLOUDWATCH_EC2 "AWS/EC2"
enum { CLOUDWATCH_METRICS = 9, CLOUDWATCH_DIMENSIONS_MAX = 30, CLOUDWATCH_POINTS_MAX = 1440 };

struct cloudwatch_metric {
	const char *name, *unit;
	enum figure figure;
};
extern const struct cloudwatch_metric cloudwatch_metrics[CLOUDWATCH_METRICS];

struct cloudwatch_dimension {
	struct str name, value; /* an empty value: any, of ListMetrics */
};
struct cloudwatch_dimensions {
	struct cloudwatch_dimension *at;
	size_t count;
};
extern const struct params cloudwatch_dimension_params;

#define CLOUDWATCH_DIMENSIONS_PARAM(T, max_)                                                                 \
	PARAM_LIST(T, "Dimensions.member", dimensions, cloudwatch_dimension_params, .max = (max_),           \
		   .doc = "Whose: InstanceId alone has figures.")
#define CLOUDWATCH_NAMESPACE_PARAM(T, ...)                                                                   \
	PARAM(T, "Namespace", name_space, .min = 1, .max = 255,                                              \
	      __VA_ARGS__.doc = "AWS/EC2: no other has any.")
#define CLOUDWATCH_METRIC_PARAM(T, ...)                                                                      \
	PARAM(T, "MetricName", name, .min = 1, .max = 255, __VA_ARGS__.doc = "Which.")
#define CLOUDWATCH_UNITS                                                                                     \
	"Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|"     \
	"Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second|"           \
	"Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|Megabits/Second|Gigabits/Second|"     \
	"Terabits/Second|Count/Second|None"
#define CLOUDWATCH_STATISTICS "SampleCount|Average|Sum|Minimum|Maximum"
#define CLOUDWATCH_TIME_END_US (253402300800 * SECOND) /* the year 10000 */

/* NULL: there is no such metric. */
const struct cloudwatch_metric *cloudwatch_find_metric(struct str name_space, struct str name);

/* Of which figures: those of one instance of the account, within a time, in stretches of a period. */
struct cloudwatch_question {
	const struct cloudwatch_metric *metric;
	uuid instance, host; /* none: of nothing that there is; the answer is empty */
	int64_t from_us, before_us, period_us;
	int64_t step_us; /* of the stretches that are read */
};

struct cloudwatch_datapoint {
	int64_t at_us;
	double samples, sum, least, most;
};
struct cloudwatch_datapoints { /* a VEC, the oldest first */
	struct cloudwatch_datapoint *at;
	size_t count, capacity;
};

/* The times. err where they are none, or no stretch. */
RESULT cloudwatch_read_times(struct cloudwatch_call *e, enum err err, struct str start, struct str end,
			     struct cloudwatch_question *q);
/* Completes a question that has its times and its period, and rounds its beginning down as CloudWatch does: of which metric (NULL: of none that there is), in which unit, and whose,
 * on the call's tables. */
void cloudwatch_ask(struct cloudwatch_call *e, const struct cloudwatch_metric *metric, struct str unit,
		    const struct cloudwatch_dimensions *dimensions, struct cloudwatch_question *q);
/* ERR_INVALID with the field. */
RESULT cloudwatch_check_period(struct cloudwatch_call *e, int64_t period_s, const char *field);
/* The points, in that arena. Reads SQL: the call's tables are released before. */
RESULT cloudwatch_read_points(struct cloudwatch_call *e, const struct cloudwatch_question *q,
			      struct arena *arena, struct cloudwatch_datapoints *points);
/* One of CLOUDWATCH_STATISTICS. */
double cloudwatch_value_of(const struct cloudwatch_datapoint *p, struct str statistic);
