/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudwatch/: declares actions and calls, metrics and datapoints. */
#pragma once

#include "api/cloudwatch/cloudwatch.h"
#include "api/core/dispatch.h"
#include "api/query/forms.h"
#include "api/query/request.h"
#include "base/xml.h"
#include "engine/alarm/alarm.h"
#include "reconcile/figures/metrics.h"
#include "reconcile/figures/statistic.h"

struct cloudwatch_call {
	API_CALL_BASE;
	enum query_form form;
};

struct cloudwatch_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct cloudwatch_call *e, void *args);
	RESULT (*answer)(struct cloudwatch_call *e, const void *args, struct forms_writer *w);
};
#define CLOUDWATCH_ACTION(word) .name = (word), .permit = "cloudwatch:" word

API_DEFINE_FACE(cloudwatch)

extern const struct api_actions cloudwatch_actions, cloudwatch_data_actions, cloudwatch_alarm_actions,
	cloudwatch_alarm_list_actions, cloudwatch_put_actions, cloudwatch_tag_actions,
	cloudwatch_dashboard_actions;
extern const struct api_groups cloudwatch_action_groups;

/* ---- errors.c ---- */

#define CLOUDWATCH_VERSION "2010-08-01"
#define CLOUDWATCH_NAMESPACE STR("http://monitoring.amazonaws.com/doc/" CLOUDWATCH_VERSION "/")
extern const struct api_errors cloudwatch_errors;
/* The shape of the service's model that has that code of the query protocol. */
const char *cloudwatch_shape_of(const char *code);

/* ---- metrics.c ---- */

#define CLOUDWATCH_EC2 METRICS_EC2
enum { CLOUDWATCH_DIMENSIONS_MAX = 30, CLOUDWATCH_POINTS_MAX = 1440 };

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
		   .doc = "Dimensions.")
#define CLOUDWATCH_NAMESPACE_PARAM(T, ...)                                                                   \
	PARAM(T, "Namespace", name_space, .min = 1, .max = 255, __VA_ARGS__.doc = "Namespace.")
#define CLOUDWATCH_METRIC_PARAM(T, ...)                                                                      \
	PARAM(T, "MetricName", name, .min = 1, .max = 255, __VA_ARGS__.doc = "Name of the metric.")
#define CLOUDWATCH_UNITS                                                                                     \
	"Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|"     \
	"Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second|"           \
	"Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|Megabits/Second|Gigabits/Second|"     \
	"Terabits/Second|Count/Second|None"
#define CLOUDWATCH_STATISTICS "SampleCount|Average|Sum|Minimum|Maximum"
enum { CLOUDWATCH_STATISTICS_MAX = 10, CLOUDWATCH_STATISTIC_MAX = 32 };
#define CLOUDWATCH_TIME_END_US (253402300800 * SECOND) /* the year 10000 */

/* A metric within a time, in stretches of a period. */
struct cloudwatch_question {
	struct metric_source source;
	int64_t from_us, before_us, period_us;
	int64_t step_us; /* length of the stored stretches of guests: short or long */
	bool has_values; /* for statistics that need samples */
};

/* Dimensions in order of names, of each two: name and value. ERR_INVALID: a name is there twice. */
RESULT cloudwatch_read_dimensions(struct cloudwatch_call *e, const struct cloudwatch_dimensions *dimensions,
				  struct strs *ret_texts);
/* The times, in whole seconds. err where they are none. */
RESULT cloudwatch_read_times(struct cloudwatch_call *e, enum err err, struct str start, struct str end,
			     struct cloudwatch_question *q);
/* Completes a question that has its times and its period, and rounds its beginning down as CloudWatch does: which metric, in which
 * unit, on the call's tables. */
RESULT cloudwatch_ask(struct cloudwatch_call *e, struct str name_space, struct str name, struct str unit,
		      const struct cloudwatch_dimensions *dimensions, struct cloudwatch_question *q);
/* ERR_INVALID with the field. */
RESULT cloudwatch_check_period(struct cloudwatch_call *e, int64_t period_s, const char *field);
/* The points, in that arena. Reads SQL: the call's tables are released before. */
RESULT cloudwatch_read_points(struct cloudwatch_call *e, const struct cloudwatch_question *q,
			      struct arena *arena, struct metric_points *points);

/* ---- data_math.c ---- */

struct alarm_queries;
/* Times at which series of metric math have values: count of them, a period apart. */
struct cloudwatch_grid {
	int64_t from_us, period_us;
	size_t count;
};
/* Reads the points of each query that is no expression, and evaluates the others: all have their values afterwards, NaN where there is
 * none. questions: one for each query, with the grid's period. ERR_INVALID: an expression cannot be evaluated. */
RESULT cloudwatch_evaluate(struct cloudwatch_call *e, struct alarm_queries *queries,
			   const struct cloudwatch_question *questions, const struct cloudwatch_grid *grid);

/* ---- alarms.c ---- */

enum { CLOUDWATCH_NAMES_MAX = 100, CLOUDWATCH_ARN_MAX = 1600, CLOUDWATCH_TAGS_MAX = 50 };

extern const struct params cloudwatch_tag_params; /* filling struct tag */
#define CLOUDWATCH_ALARM_NAME(T, member)                                                                     \
	PARAM(T, "AlarmName", member, .flags = REQUIRED, .min = 1, .max = ALARM_NAME_MAX,                    \
	      .doc = "Name of the alarm.")
/* An alarm of the caller's account by its name. ERR_NOT_FOUND. */
RESULT cloudwatch_find_alarm(struct cloudwatch_call *e, struct str name, const char *field,
			     struct ref *ret_ref);
/* Finds the named alarms. CloudWatch passes over names without an alarm. */
RESULT cloudwatch_find_alarms(struct cloudwatch_call *e, struct strs names, struct refs *ret_refs);
/* Members of a list of texts. */
void cloudwatch_write_texts(struct forms_writer *w, const char *name, const struct strs *texts);
void cloudwatch_write_dimensions(struct forms_writer *w, const struct strs *dimensions);
/* A finite number. ERR_INVALID with the field. */
RESULT cloudwatch_read_number(struct cloudwatch_call *e, struct str text, const char *field,
			      double *ret_value);
/* A time in the parameter's text. ERR_INVALID with the field. */
RESULT cloudwatch_read_time(struct cloudwatch_call *e, struct str text, const char *field, int64_t *ret_us);
