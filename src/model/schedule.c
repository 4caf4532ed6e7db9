/* SPDX-License-Identifier: Apache-2.0
 * Schedules in a timezone's local time. Days are counted from 1970, treating local time as UTC. */
#include "model/schedule.h"

#include "base/clock.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, DAYS_MAX = 63, CRON_DAYS_MAX = 9 * 366 /* February 29 */ };

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

/* ---- cron ---- */

/* Reads an item of a field: "*", "5" or "1-5", each of which "/STEP" may follow. */
static bool read_item(struct str item, int64_t min, int64_t max, uint64_t *bits)
{
	struct str range = STR_NONE, first = STR_NONE;
	int64_t from = min, to = max, step = 1;
	bool has_step = str_contains(item, STR("/"));
	if (!str_split_next(&item, '/', &range) || (has_step && !read_part(&item, 1, max, &step)) || item.n)
		return false;
	if (!str_is(range, "*")) {
		bool has_end = str_contains(range, STR("-"));
		struct str rest = range;
		if (!str_split_next(&rest, '-', &first) || !read_part(&first, min, max, &from))
			return false;
		to = has_step && !has_end ? max : from;
		if (has_end && (!read_part(&rest, from, max, &to) || rest.n))
			return false;
	}
	for (int64_t n = from; n <= to; n += step)
		*bits |= UINT64_C(1) << n;
	return true;
}

static bool read_field(struct str *text, int64_t min, int64_t max, uint64_t *ret_bits,
		       bool *ret_is_restricted)
{
	struct str field = STR_NONE, item = STR_NONE;
	uint64_t bits = 0;
	if (!str_split_next(text, ' ', &field) || !field.n)
		return false;
	*ret_is_restricted = field.p[0] != '*';
	while (str_split_next(&field, ',', &item))
		if (!read_item(item, min, max, &bits))
			return false;
	*ret_bits = bits;
	return bits != 0;
}

/* True if the month has the day in some year. */
static bool has_day(uint64_t months, uint64_t days)
{
	static const unsigned lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	for (unsigned m = 1; m <= 12; m++)
		if (months >> m & 1 && days & ((UINT64_C(2) << lengths[m]) - 1))
			return true;
	return false;
}

RESULT schedule_read_cron(struct str text, struct schedule *ret_schedule)
{
	struct schedule s = {.is_cron = true};
	struct cron *c = &s.cron;
	bool ignored = false;
	if (!read_field(&text, 0, 59, &c->minutes, &ignored) ||
	    !read_field(&text, 0, 23, &c->hours, &ignored) ||
	    !read_field(&text, 1, 31, &c->days, &c->has_days) ||
	    !read_field(&text, 1, 12, &c->months, &ignored) ||
	    !read_field(&text, 0, 7, &c->weekdays, &c->has_weekdays) || text.n)
		return FAIL(INVALID);
	c->weekdays |= c->weekdays >> 7 & 1;
	if (!c->has_weekdays && !has_day(c->months, c->days))
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

static bool is_on_cron(const struct cron *c, int64_t day)
{
	struct clock_date date = clock_date_of(day);
	bool on_day = c->days >> date.day & 1, on_weekday = c->weekdays >> modulo(day + 4, 7) & 1;
	bool both = c->has_days && c->has_weekdays;
	return c->months >> date.month & 1 && (both ? on_day || on_weekday : on_day && on_weekday);
}

/* Earliest time of the day after `after`; INT64_MAX: none. A skipped time may come later than its successor. */
static int64_t first_of_day(const struct cron *c, const struct time_zone *zone, int64_t day, int64_t after)
{
	int64_t first = INT64_MAX;
	for (int64_t minute = 0; minute < DAY_S / 60; minute++) {
		if (!(c->hours >> minute / 60 & 1) || !(c->minutes >> minute % 60 & 1))
			continue;
		int64_t at = time_zone_to_utc(zone, day * DAY_S + minute * 60);
		if (at > after && at < first)
			first = at;
	}
	return first;
}

static int64_t next_cron(const struct cron *c, const struct time_zone *zone, int64_t after, int64_t today)
{
	for (int64_t day = today - 1; day < today + CRON_DAYS_MAX; day++) {
		int64_t next = is_on_cron(c, day) ? first_of_day(c, zone, day, after) : INT64_MAX;
		if (next < INT64_MAX)
			return next * SECOND;
	}
	return INT64_MAX;
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
	int64_t local = after + time_zone_offset(zone, after);
	int64_t today = (local - modulo(local, DAY_S)) / DAY_S;
	if (s->is_cron)
		return next_cron(&s->cron, zone, after, today);
	if (s->interval == SNAPSHOT_POLICY_INTERVAL_HOURLY)
		return next_minute(s, zone, after) * SECOND;
	for (int64_t day = today - 1; day < today + DAYS_MAX; day++) {
		int64_t next = time_zone_to_utc(zone, day * DAY_S + s->hour * HOUR_S + s->minute * 60);
		if (is_on(s, day) && next > after)
			return next * SECOND;
	}
	return INT64_MAX; /* unreachable: no month is that long */
}
