/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/cloudstack/: metrics of machines. Pure; any thread. */
#pragma once

#include "drivers/remote/json.h"

/* Reads an answer of listVirtualMachinesUsageHistory. ERR_IO: the answer has too many measurements. */
RESULT cloudstack_read_points(struct ctx *c, const json_t *root, const struct remote_metrics_query *query,
			      struct remote_metric_point *points);
