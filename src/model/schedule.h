/* SPDX-License-Identifier: Apache-2.0
 * Recurring times in CloudStack's format: "MM" of each hour, "MM:HH" of each day, "MM:HH:DD" of each week (DD
 * 1, Sunday, to 7) or month (DD 1 to 28); or the five fields of cron. Pure. */
#pragma once

#include "base/str.h"
#include "base/time_zone.h"
#include "model/snapshot_policy_words.h"

struct schedule {
	enum snapshot_policy_interval interval;
	int64_t minute, hour, day;
	bool is_cron; /* the members above are unused */
	struct cron {
		uint64_t minutes, hours, days, months, weekdays; /* bit sets; weekday 0 is Sunday */
		bool has_days, has_weekdays; /* restricted; with both, a day of either matches */
	} cron;
};

/* ERR_INVALID. */
RESULT schedule_read(enum snapshot_policy_interval interval, struct str text, struct schedule *ret_schedule);
/* Reads "minute hour day month weekday", each "*", numbers, ranges, and steps, separated by commas: "30 2 * * 1-5".
 * Weekdays are 0 or 7 (Sunday) to 6. ERR_INVALID: another text, or a time that never comes. */
RESULT schedule_read_cron(struct str text, struct schedule *ret_schedule);
/* The next time after after_us, in the timezone's local time. A time of day occurs once a day even at clock
 * changes: if it is repeated, the later one; if it is skipped, later by the skipped amount. A minute occurs
 * once in each elapsed hour; with cron, where a repeated hour occurs once. */
int64_t schedule_next_us(const struct schedule *schedule, const struct time_zone *zone, int64_t after_us);
