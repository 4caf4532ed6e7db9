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

extern const struct api_actions cloudwatch_actions;
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

/* NULL: there is no such metric. */
const struct cloudwatch_metric *cloudwatch_find_metric(struct str name_space, struct str name);

/* Of which figures: those of one instance of the account, within a time, in stretches of a period. */
struct cloudwatch_question {
	const struct cloudwatch_metric *metric;
	uuid instance, host; /* none: of nothing that there is; the answer is empty */
	int64_t from_us, before_us, period_us;
};

struct cloudwatch_datapoint {
	int64_t at_us;
	double samples, sum, least, most;
};
struct cloudwatch_datapoints { /* a VEC, the oldest first */
	struct cloudwatch_datapoint *at;
	size_t count, capacity;
};

/* Fills in instance and host from the dimensions, on the call's tables. */
void cloudwatch_find_subject(struct cloudwatch_call *e, const struct cloudwatch_dimensions *dimensions,
			     struct cloudwatch_question *q);
/* ERR_INVALID with the field. */
RESULT cloudwatch_check_period(struct cloudwatch_call *e, int64_t period_s, const char *field);
/* Reads SQL: the call's tables are released before. */
RESULT cloudwatch_read_points(struct cloudwatch_call *e, const struct cloudwatch_question *q,
			      struct cloudwatch_datapoints *points);
