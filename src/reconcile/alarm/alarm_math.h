/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/alarm/: datapoints of alarms on metric math. */
#pragma once

#include "engine/alarm/alarm.h"
#include "reconcile/figures/metrics.h"

/* The range to read, from minutes or from longer stretches. */
struct metric_range alarm_choose_range(int64_t from_us, int64_t before_us, int64_t period_us);
/* Fills in the points, whose times are set. Reads SQL. An expression that fails has no datapoints. */
RESULT alarm_math_read(struct reconciler *r, struct ctx *c, const struct alarm *alarm,
		       struct alarm_point *points, size_t count);
