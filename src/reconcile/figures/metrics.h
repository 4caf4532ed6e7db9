/* SPDX-License-Identifier: Apache-2.0
 * Metrics by CloudWatch's names: those of instances and scaling groups, made of the guests' figures, and those that
 * accounts publish.
 *
 * Published datapoints are summed up by the minute. Buckets of five minutes hold all metrics of an account; those of the last
 * hour are in memory, and every minute the changed ones are written to SQL, one text each (store/series.h), for METRICS_KEPT_US.
 * A minute keeps up to METRIC_VALUES_MAX different values beside the sums, for percentiles; more of them are summed up alone.
 * The process's end loses datapoints of the last minute. */
#pragma once

#include "reconcile/figures/figures.h"

struct tables;

#define METRICS_KEPT_US FIGURES_SHORT_KEPT_US
enum { METRIC_VALUES_MAX = 150 };
#define METRICS_AHEAD_US (2 * HOUR) /* datapoints may be as far in the future */

struct metric_sample {
	double value, count;
};
/* The samples of a point are known if it has a list of them, in ascending order of values, if its least value is also its greatest, or
 * if there is one alone. A published statistic set of several samples has none of these. */
struct metric_point {
	int64_t at_us; /* beginning of its period */
	double samples, sum, least, most;
	const struct metric_sample *values; /* NULL: no list, or nobody asked for one */
	size_t value_count;
};
struct metric_points { /* a VEC, the oldest first */
	struct metric_point *at;
	size_t count, capacity;
};
/* True for a point without a list whose samples have one known value. */
static inline bool metric_is_even(const struct metric_point *p)
{
	return !p->value_count && (p->least == p->most || p->samples == 1);
}
static inline struct metric_sample metric_even_sample(const struct metric_point *p)
{
	return (struct metric_sample){p->samples == 1 ? p->sum : p->least, p->samples};
}
/* SampleCount, Average, Sum, Minimum or Maximum. */
double metric_value(const struct metric_point *p, struct str statistic);

/* Wakes alarms at the end of their periods; they are evaluated only when they change before. Wakes scaling groups that publish
 * metrics once a minute. */
void reconciler_start_alarms(struct reconciler *r);

/* ---- published metrics ---- */

struct metric_added {
	uuid metric;
	struct metric_point point; /* at_us: any time within the minute */
};
/* Adds datapoints; those of one minute are summed up. Reads SQL. ERR_THROTTLED: memory for datapoints is used up. */
RESULT reconciler_add_metric_points(struct reconciler *r, struct ctx *c, uuid account,
				    const struct metric_added *at, size_t count);

/* ---- any metric ---- */

/* Names of AWS/EC2 that instances and groups have. */
#define METRICS_EC2 "AWS/EC2"
enum { METRICS_OF_EC2 = 9 };
struct metric_ec2 {
	const char *name, *unit;
	enum figure figure;
	enum {
		FIGURE_SUM,   /* sum of each period; the processor's as its share in percent */
		FIGURE_RATE,  /* Gnocchi's rate: growth of a counter in each period */
		FIGURE_LEVEL, /* value, in units of `per` */
	} form;
	int64_t per; /* 0: one */
};
extern const struct metric_ec2 metrics_of_ec2[METRICS_OF_EC2];

/* An instance whose figures are read. */
struct metric_guest {
	uuid instance, host;
};

/* A published metric of one unit. */
struct metric_series {
	uuid metric;
	struct str unit;
};

/* Source of a metric's datapoints. */
struct metric_source {
	bool is_there; /* false: there is no such metric, and it has no datapoints */
	uuid account;
	const struct metric_series *series; /* a published metric, by its units; none: figures of guests */
	size_t series_count;
	const struct metric_ec2 *ec2;
	struct metric_guest *guests;
	size_t guest_count;
	struct str unit;   /* of guests' figures */
	int64_t period_us; /* requested period, set by reconciler_read_metric() */
};
/* Metrics of Gnocchi's, by Ceilometer's names; resources have those of their type. */
#define METRICS_GNOCCHI "Gnocchi"
struct metric_ceilometer {
	const char *type; /* type of the resources that have the metric: "instance" */
	struct metric_ec2 figure;
};
enum { METRICS_OF_CEILOMETER = 10 };
extern const struct metric_ceilometer metrics_of_ceilometer[METRICS_OF_CEILOMETER];
/* Finds a metric of an account by its names; dimensions: of each two, in order of names. unit empty: any. In the arena. */
RESULT metric_find_source(struct ctx *c, const struct tables *t, uuid account, struct str name_space,
			  struct str name, const struct strs *dimensions, struct str unit,
			  struct metric_source *ret_source);

/* Minutes of guests are kept in memory, from the first question on; longer questions are answered from stretches of five
 * minutes or an hour. */
#define METRICS_MINUTES_US HOUR
struct metric_range {
	int64_t from_us, before_us, period_us;
	int64_t step_us; /* interval of the figures that are read for guests; 0: minutes */
	bool has_values; /* points are read with their samples */
};
/* Reads the datapoints of each period in the range that has some. Reads SQL and blocks. */
RESULT reconciler_read_metric(struct reconciler *r, struct ctx *c, const struct metric_source *source,
			      const struct metric_range *range, struct metric_points *points);
