/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: metrics of machines, from CloudWatch. */
#pragma once

#include "drivers/remote.h"

/* Asks CloudWatch once for all machines of the query. */
RESULT ec2_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			struct remote_metric_point *ret_points);
