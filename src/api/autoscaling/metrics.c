/* SPDX-License-Identifier: Apache-2.0
 * EnableMetricsCollection and DisableMetricsCollection. Source: Amazon EC2 Auto Scaling API Reference. */
#include "api/autoscaling/internal.h"

struct collection_args {
	struct scaling_collection wish;
	struct str name, granularity;
};
#define NAMES                                                                                                \
	AUTOSCALING_GROUP(struct collection_args, name),                                                     \
		PARAM(struct collection_args, "Metrics.member", wish.names,                                  \
		      .words = SCALING_METRICS_EACH("|"), .doc = "Metrics; absent: all.")
static const struct param enable_params[] = {
	NAMES,
	PARAM(struct collection_args, "Granularity", granularity, .flags = REQUIRED, .words = "1Minute",
	      .doc = "Interval of the datapoints; only 1Minute."),
};
static const struct param disable_params[] = {NAMES};

static RESULT prepare_collection(struct autoscaling_call *e, void *args)
{
	struct collection_args *a = args;
	return autoscaling_find_group(e, a->name, "AutoScalingGroupName", &a->wish.group);
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("EnableMetricsCollection"), .flags = API_WRITES,
	 .args = PARAMS(struct collection_args, enable_params), .prepare = prepare_collection,
	 .operation = engine_collect_scaling_metrics_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Publishes metrics of a group every minute, in the namespace AWS/AutoScaling."},
	{AUTOSCALING_ACTION("DisableMetricsCollection"), .flags = API_WRITES,
	 .args = PARAMS(struct collection_args, disable_params), .prepare = prepare_collection,
	 .operation = engine_drop_scaling_metrics_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Stops publishing metrics of a group."},
};
const struct api_actions autoscaling_metric_actions = API_ACTIONS(actions);
