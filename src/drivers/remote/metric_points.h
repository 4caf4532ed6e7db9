/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: places measurements into the points of a query, and reads numbers of JSON. Pure; any thread. */
#pragma once

#include <jansson.h>

#include "drivers/remote.h"

/* Point of the machine in the interval that has at_us; NULL: the machine or at_us is outside of the query. */
struct remote_metric_point *remote_metric_at(struct remote_metric_point *points,
					     const struct remote_metrics_query *query, size_t machine,
					     int64_t at_us);
/* Measurement of the point, by the offset of its member. */
double *remote_metric_member(struct remote_metric_point *p, size_t offset);
/* Place of the machine in the query; query->count: the query does not name the machine. */
size_t remote_metric_machine(const struct remote_metrics_query *query, struct str ref);
/* Reads a finite number from 0 to 1e15. False: the value is something else. */
bool remote_metric_number(const json_t *value, double *ret_number);
/* Reads such a number from text. The text may end in '%', and may have a comma for the decimal point. */
bool remote_metric_percent(struct str text, double *ret_percent);

/* Turns the member `memory` of all points from a share in per cent, or from free bytes, into bytes in use. */
void remote_metric_convert_memory(struct remote_metric_point *points,
				  const struct remote_metrics_query *query, bool is_percent);
