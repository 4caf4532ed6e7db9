/* SPDX-License-Identifier: Apache-2.0
 * Schedules in a timezone's local time. Days are counted from 1970, treating local time as UTC. */
#include "model/schedule.h"

#include "base/clock.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, DAYS_MAX = 63 };

static bool read_part(struct str *text, int64_t min, int64_t max, int64_t *ret_number)
{
	struct str part;
	return str_split_next(text, ':', &part) && result_is_ok(str_parse_int(part, ret_number)) &&
	       *ret_number >= min && *ret_number <= max;
}

RESULT schedule_read(enum snapshot_policy_interval interval, struct str text, struct schedule *ret_schedule)
{
	struct schedule s = {.interval = interval};
	bool has_hour = interval != SNAPSHOT_POLICY_INTERVAL_HOURLY;
	bool is_weekly = interval == SNAPSHOT_POLICY_INTERVAL_WEEKLY;
	bool has_day = is_weekly || interval == SNAPSHOT_POLICY_INTERVAL_MONTHLY;
	if (!read_part(&text, 0, 59, &s.minute) || (has_hour && !read_part(&text, 0, 23, &s.hour)) ||
	    (has_day && !read_part(&text, 1, is_weekly ? 7 : 28, &s.day)) || text.n)
		return FAIL(INVALID);
	*ret_schedule = s;
	return OK;
}

static int64_t modulo(int64_t a, int64_t b)
{
	return (a % b + b) % b;
}

/* Finds the next minute in the current offset; after an offset change, hours may begin elsewhere. */
static int64_t next_minute(const struct schedule *s, const struct time_zone *zone, int64_t after)
{
	int64_t minute = s->minute * 60, local = after + time_zone_offset(zone, after);
	int64_t next = after + modulo(minute - local, HOUR_S);
	next += next == after ? HOUR_S : 0;
	return next + modulo(minute - (next + time_zone_offset(zone, next)), HOUR_S);
}

static bool is_on(const struct schedule *s, int64_t day)
{
	if (s->interval == SNAPSHOT_POLICY_INTERVAL_WEEKLY)
		return modulo(day + 4, 7) + 1 == s->day; /* day 0 was a Thursday */
	if (s->interval == SNAPSHOT_POLICY_INTERVAL_MONTHLY)
		return clock_date_of(day).day == s->day;
	return true;
}

int64_t schedule_next_us(const struct schedule *s, const struct time_zone *zone, int64_t after_us)
{
	int64_t after = after_us / SECOND - (after_us % SECOND < 0);
	if (s->interval == SNAPSHOT_POLICY_INTERVAL_HOURLY)
		return next_minute(s, zone, after) * SECOND;
	int64_t local = after + time_zone_offset(zone, after);
	int64_t today = (local - modulo(local, DAY_S)) / DAY_S;
	for (int64_t day = today - 1; day < today + DAYS_MAX; day++) {
		int64_t next = time_zone_to_utc(zone, day * DAY_S + s->hour * HOUR_S + s->minute * 60);
		if (is_on(s, day) && next > after)
			return next * SECOND;
	}
	return INT64_MAX; /* unreachable: no month is that long */
}
