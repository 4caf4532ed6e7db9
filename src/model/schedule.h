/* SPDX-License-Identifier: Apache-2.0
 * When something happens again and again, as CloudStack's schedules say it: "MM" of each hour, "MM:HH" of each day,
 * "MM:HH:DD" of each week (DD 1, Sunday, to 7) or month (DD 1 to 28). Pure. */
#pragma once

#include "base/str.h"
#include "base/time_zone.h"
#include "model/snapshot_policy.h"

struct schedule {
	enum snapshot_policy_interval interval;
	int64_t minute, hour, day;
};

/* ERR_INVALID. */
RESULT schedule_read(enum snapshot_policy_interval interval, struct str text, struct schedule *ret_schedule);
/* The next time after that one, by the clocks of the timezone. A time of day comes once a day, whatever happens to
 * the clocks: of two the later one, and instead of one that they skip as much later as they skip. A minute comes once
 * an hour, as long as an hour lasts. */
int64_t schedule_next_us(const struct schedule *schedule, const struct time_zone *zone, int64_t after_us);
