/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/azure/: metrics of machines. */
#pragma once

#include "drivers/remote/azure/answer.h"

/* Reads an answer of Azure Monitor about the query's only machine. Pure. ERR_IO: the answer is no list of metrics. */
RESULT azure_read_points(struct ctx *c, const json_t *root, const struct remote_metrics_query *query,
			 struct remote_metric_point *points);
/* read_metrics() of the driver: one request for the query's only machine. */
RESULT azure_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			  struct remote_metric_point *ret_points);
