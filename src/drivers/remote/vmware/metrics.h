/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: metrics of machines. */
#pragma once

#include "drivers/remote/vmware/soap.h"

enum { VIM_COUNTERS_COUNT = 6 };

/* The driver's read_metrics(). */
RESULT vmware_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			   struct remote_metric_point *ret_points);
/* Reads ids of counters from an answer about perfCounter. "0": the server has no such counter. */
RESULT vmware_read_counters(struct ctx *c, struct str text, int64_t ret_ids[static VIM_COUNTERS_COUNT]);
/* Reads an answer of QueryPerf. */
RESULT vmware_read_points(struct ctx *c, struct str text, const int64_t ids[static VIM_COUNTERS_COUNT],
			  const struct remote_metrics_query *query, struct remote_metric_point *points);
