/* SPDX-License-Identifier: Apache-2.0
 * The decision for engine/region/fence.c, pure. */
#include "engine/region/fence_plan.h"

size_t fence_plan_limit(size_t hosts)
{
	return hosts / 5 ? hosts / 5 : 1;
}

enum fence_turn fence_plan_turn(const struct fence_plan_input *in)
{
	bool may_ask = in->is_silent && in->is_chassis_stale && in->has_command && in->is_wanted &&
		       !in->is_under_way && in->after_us > 0;
	if (!may_ask || in->now_us < in->silent_us + in->after_us)
		return FENCE_TURN_NONE;
	if (in->failed_us >= in->silent_us && in->now_us < in->failed_us + FENCE_AGAIN_US)
		return FENCE_TURN_NONE;
	return in->lost > fence_plan_limit(in->hosts) ? FENCE_TURN_HELD : FENCE_TURN_ASK;
}
