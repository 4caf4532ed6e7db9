/* SPDX-License-Identifier: Apache-2.0
 * Retention: numbers the period of each time, and keeps the newest of each. Days are counted from 1970,
 * treating local time as UTC. */
#include "model/retention.h"

#include "base/clock.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

static int64_t divide_down(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

typedef int64_t number_period(int64_t utc, int64_t offset);

/* An offset of half an hour moves the beginnings of hours; whole hours of it do not. */
static int64_t number_hour(int64_t utc, int64_t offset)
{
	return divide_down(utc + offset % HOUR_S, HOUR_S);
}

static int64_t number_day(int64_t utc, int64_t offset)
{
	return divide_down(utc + offset, DAY_S);
}

static int64_t number_week(int64_t utc, int64_t offset)
{
	return divide_down(number_day(utc, offset) + 3, 7); /* day 0 was a Thursday */
}

static int64_t number_year(int64_t utc, int64_t offset)
{
	return clock_date_of(number_day(utc, offset)).year;
}

static int64_t number_month(int64_t utc, int64_t offset)
{
	struct clock_date date = clock_date_of(number_day(utc, offset));
	return date.year * 12 + date.month;
}

void retention_choose(const struct retention *r, const struct time_zone *zone, const int64_t *times_us,
		      size_t count, bool *keeps)
{
	const struct {
		int64_t left;
		number_period *number;
	} rules[] = {{r->hourly, number_hour},
		     {r->daily, number_day},
		     {r->weekly, number_week},
		     {r->monthly, number_month},
		     {r->yearly, number_year}};
	bool keeps_all = r->last <= 0;
	for (size_t n = 0; n < sizeof rules / sizeof rules[0]; n++)
		keeps_all = keeps_all && rules[n].left <= 0;
	for (size_t k = 0; k < count; k++)
		keeps[k] = keeps_all || k == 0 || (int64_t) k < r->last;
	for (size_t n = 0; n < sizeof rules / sizeof rules[0]; n++) {
		int64_t left = rules[n].left, last = 0;
		for (size_t k = 0; k < count && left > 0; k++) {
			int64_t utc = divide_down(times_us[k], SECOND);
			int64_t period = rules[n].number(utc, time_zone_offset(zone, utc));
			bool is_new = k == 0 || period != last;
			keeps[k] = keeps[k] || is_new;
			left -= is_new;
			last = period;
		}
	}
}
