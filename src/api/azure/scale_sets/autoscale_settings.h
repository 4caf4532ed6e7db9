/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/scale_sets/: bodies of autoscale settings. */
#pragma once

#include "api/azure/core/action.h"
#include "engine/scaling/autoscale_setting.h"

struct autoscale_trigger {
	struct str metric, space, resource, grain, statistic, window, aggregation, operator, threshold;
};
struct autoscale_action {
	struct str direction, type, cooldown;
	int64_t value;
};
struct autoscale_profile_says {
	struct str name;
	struct autoscale_capacity {
		int64_t min, max, otherwise;
	} capacity;
	struct autoscale_rules_says {
		const struct autoscale_rule_says {
			struct autoscale_trigger trigger;
			struct autoscale_action action;
		} * at;
		size_t count;
	} rules;
	struct autoscale_window {
		struct str start, end, zone;
	} window;
	struct autoscale_recurrence {
		struct str frequency;
		struct autoscale_schedule {
			struct str zone, hours, minutes; /* lists in JSON */
			struct strs days;
		} schedule;
	} recurrence;
	bool has_window, has_recurrence;
};
struct autoscale_profiles_says {
	const struct autoscale_profile_says *at;
	size_t count;
};
extern const struct params autoscale_profile_params;

/* Turns the profiles of a body into those of the wish. set: id of the scale set, whose metrics alone the rules may name. Any
 * failure is ERR_INVALID, or ERR_UNSUPPORTED for a metric or a word that Azure has and Dari has not. */
RESULT autoscale_read_profiles(struct az_call *e, const struct autoscale_profiles_says *says, struct str set,
			       struct autoscale_setting_wish *wish);
