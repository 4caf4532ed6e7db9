/* SPDX-License-Identifier: Apache-2.0
 * Statistics of CloudWatch beyond the basic five: percentiles, trimmed and winsorized means, percentile ranks, trimmed counts and sums.
 * They need the samples of a period, which a published statistic set does not tell. Pure. Source: Amazon CloudWatch User Guide,
 * "CloudWatch statistics definitions". */
#pragma once

#include "reconcile/figures/metrics.h"

enum statistic_kind {
	STATISTIC_BASIC,      /* SampleCount, Average, Sum, Minimum or Maximum */
	STATISTIC_PERCENTILE, /* p99.9 */
	STATISTIC_TRIMMED,    /* tm90, TM(10%:90%), IQM */
	STATISTIC_WINSORIZED,
	STATISTIC_RANK, /* PR(:300) */
	STATISTIC_COUNT,
	STATISTIC_SUM
};
struct statistic {
	enum statistic_kind kind;
	struct str word;     /* the statistic's name in the request */
	bool is_share;       /* the bounds are percent of the samples; else values */
	double lower, upper; /* a percentile has an upper bound alone */
	bool has_lower, has_upper;
};

/* False: CloudWatch has no such statistic. */
bool statistic_read(struct str word, struct statistic *ret_statistic);
/* The value of a point that was read with its samples. False: the point cannot tell it, because it is of statistic sets, or a sample is
 * negative. */
bool statistic_value(const struct statistic *s, const struct metric_point *p, double *ret_value);
/* Samples that a percentile needs to be statistically significant; 0: any number will do. */
double statistic_needed_samples(const struct statistic *s);
