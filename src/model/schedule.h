/* SPDX-License-Identifier: Apache-2.0
 * Recurring times in CloudStack's format: "MM" of each hour, "MM:HH" of each day, "MM:HH:DD" of each week (DD
 * 1, Sunday, to 7) or month (DD 1 to 28). Pure. */
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
/* The next time after after_us, in the timezone's local time. A time of day occurs once a day even at clock
 * changes: if it is repeated, the later one; if it is skipped, later by the skipped amount. A minute occurs
 * once in each elapsed hour. */
int64_t schedule_next_us(const struct schedule *schedule, const struct time_zone *zone, int64_t after_us);
