/* SPDX-License-Identifier: Apache-2.0
 * Schedule expressions of rules, in UTC: rate(5 minutes), and cron with the fields minute, hour, day of month, month, day of week and
 * year. Pure. Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules". */
#include <string.h>

#include "base/clock.h"
#include "engine/events/events_internal.h"

enum { YEAR_MIN = 1970, YEAR_MAX = 2199, YEARS = YEAR_MAX - YEAR_MIN + 1, YEARS_TRIED = 9, NAME_SIZE = 3 };
enum { MINUTES_OF_DAY = 24 * 60 };
#define DAY_US (24 * HOUR)

struct event_cron {
	uint64_t minutes, hours, days, months, weekdays; /* bit sets; weekday 1 is Sunday */
	bool years[YEARS];
	bool is_last_day;            /* "L": the month's last day */
	bool is_last_weekday;        /* "LW" */
	int64_t near_day;            /* "15W": the weekday nearest to that day; 0: none */
	int64_t last_of_weekday;     /* "6L": the last Friday; 0: none */
	int64_t nth_weekday, nth;    /* "6#3": the third Friday; 0: none */
	bool has_days, has_weekdays; /* false: "?" */
};

/* ---- rate ---- */

/* "5 minutes"; 0: no rate. */
static int64_t read_rate(struct str text)
{
	static const struct {
		const char *one, *many;
		int64_t us;
	} units[] = {{"minute", "minutes", MINUTE}, {"hour", "hours", HOUR}, {"day", "days", DAY_US}};
	struct str number = STR_NONE;
	int64_t value = 0;
	if (!str_split_next(&text, ' ', &number) || !result_is_ok(str_parse_int(number, &value)) ||
	    value < 1 || value > 10000000)
		return 0;
	for (size_t k = 0; k < sizeof units / sizeof *units; k++)
		if (str_is(text, value == 1 ? units[k].one : units[k].many))
			return value * units[k].us;
	return 0;
}

/* ---- fields of cron ---- */

struct cron_field {
	int64_t min, max;
	const char *names; /* of three letters each, for min and the following numbers; NULL: none */
};

static bool read_number(struct str text, const struct cron_field *f, int64_t *ret)
{
	for (int64_t k = f->min; f->names && text.n == NAME_SIZE && k <= f->max; k++)
		if (str_equal_nocase(text,
				     (struct str){f->names + NAME_SIZE * (size_t) (k - f->min), NAME_SIZE})) {
			*ret = k;
			return true;
		}
	return result_is_ok(str_parse_int(text, ret)) && *ret >= f->min && *ret <= f->max;
}

/* "*", "5" or "1-5", each of which "/STEP" may follow. */
static bool read_item(struct str item, const struct cron_field *f, bool *set)
{
	struct str range = STR_NONE, first = STR_NONE;
	int64_t from = f->min, to = f->max, step = 1;
	bool has_step = str_contains(item, STR("/"));
	if (!str_split_next(&item, '/', &range) ||
	    (has_step && (!result_is_ok(str_parse_int(item, &step)) || step < 1 || step > f->max)))
		return false;
	if (!str_is(range, "*")) {
		struct str rest = range;
		bool has_end = str_contains(range, STR("-"));
		if (!str_split_next(&rest, '-', &first) || !read_number(first, f, &from))
			return false;
		to = has_step ? f->max : from;
		if (has_end && (!read_number(rest, f, &to) || to < from))
			return false;
	}
	for (int64_t n = from; n <= to; n += step)
		set[n - f->min] = true;
	return true;
}

static bool read_set(struct str text, const struct cron_field *f, bool *set)
{
	struct str item = STR_NONE;
	while (str_split_next(&text, ',', &item))
		if (!read_item(item, f, set))
			return false;
	return true;
}

static bool read_bits(struct str text, const struct cron_field *f, uint64_t *ret_bits)
{
	bool set[64] = {false};
	if (!text.n || !read_set(text, f, set))
		return false;
	for (int64_t n = f->min; n <= f->max; n++)
		*ret_bits |= (uint64_t) set[n - f->min] << n;
	return true;
}

static const struct cron_field minute_field = {0, 59, NULL}, hour_field = {0, 23, NULL},
			       day_field = {1, 31, NULL},
			       month_field = {1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
			       weekday_field = {1, 7, "SUNMONTUEWEDTHUFRISAT"},
			       year_field = {YEAR_MIN, YEAR_MAX, NULL};

static bool read_days(struct str text, struct event_cron *c)
{
	c->has_days = !str_is(text, "?");
	c->is_last_day = str_is(text, "L");
	c->is_last_weekday = str_is(text, "LW");
	if (!c->has_days || c->is_last_day || c->is_last_weekday)
		return true;
	if (str_ends_with(text, STR("W")))
		return read_number(str_slice(text, 0, text.n - 1), &day_field, &c->near_day);
	return read_bits(text, &day_field, &c->days);
}

static bool read_weekdays(struct str text, struct event_cron *c)
{
	struct str day = STR_NONE, rest = text;
	c->has_weekdays = !str_is(text, "?");
	if (!c->has_weekdays)
		return true;
	if (str_is(text, "L")) {
		c->weekdays = 1 << 7;
		return true;
	}
	if (str_ends_with(text, STR("L")) && text.n > 1)
		return read_number(str_slice(text, 0, text.n - 1), &weekday_field, &c->last_of_weekday);
	if (str_contains(text, STR("#")))
		return str_split_next(&rest, '#', &day) &&
		       read_number(day, &weekday_field, &c->nth_weekday) &&
		       result_is_ok(str_parse_int(rest, &c->nth)) && c->nth >= 1 && c->nth <= 5;
	return read_bits(text, &weekday_field, &c->weekdays);
}

/* EventBridge demands that exactly one of the two fields about days is "?". */
static bool read_cron(struct str text, struct event_cron *ret)
{
	struct str fields[6] = {STR_NONE};
	struct event_cron c = {0};
	for (size_t k = 0; k < 6; k++)
		if (!str_split_next(&text, ' ', &fields[k]) || !fields[k].n)
			return false;
	if (text.n || !read_bits(fields[0], &minute_field, &c.minutes) ||
	    !read_bits(fields[1], &hour_field, &c.hours) || !read_days(fields[2], &c) ||
	    !read_bits(fields[3], &month_field, &c.months) || !read_weekdays(fields[4], &c) ||
	    !read_set(fields[5], &year_field, c.years) || c.has_days == c.has_weekdays)
		return false;
	*ret = c;
	return true;
}

/* ---- the next time ---- */

static int64_t weekday_of(int64_t day) /* 1: Sunday; day 0 was a Thursday */
{
	return (day + 4) % 7 + 1;
}

static int64_t last_day_of(struct clock_date date)
{
	unsigned month = date.month == 12 ? 1 : date.month + 1;
	return clock_date_of(clock_count_days(date.year + (month == 1), month, 1) - 1).day;
}

/* The day from Monday to Friday nearest to a day of the month, within the month. */
static int64_t nearest_weekday(struct clock_date date, int64_t wanted)
{
	int64_t last = last_day_of(date), day = wanted < last ? wanted : last;
	int64_t weekday = weekday_of(clock_count_days(date.year, date.month, (unsigned) day));
	if (weekday == 7)
		return day > 1 ? day - 1 : day + 2;
	if (weekday == 1)
		return day < last ? day + 1 : day - 2;
	return day;
}

static bool is_on(const struct event_cron *c, int64_t day)
{
	struct clock_date date = clock_date_of(day);
	int64_t weekday = weekday_of(day), last = last_day_of(date);
	if (!(c->months >> date.month & 1))
		return false;
	if (c->is_last_day)
		return date.day == last;
	if (c->is_last_weekday || c->near_day)
		return date.day == nearest_weekday(date, c->near_day ? c->near_day : last);
	if (c->last_of_weekday)
		return weekday == c->last_of_weekday && date.day + 7 > last;
	if (c->nth)
		return weekday == c->nth_weekday && (date.day + 6) / 7 == c->nth;
	return c->has_days ? c->days >> date.day & 1 : c->weekdays >> weekday & 1;
}

static int64_t next_of_day(const struct event_cron *c, int64_t day, int64_t after_us)
{
	for (int64_t minute = 0; minute < MINUTES_OF_DAY; minute++) {
		int64_t at_us = day * DAY_US + minute * MINUTE;
		if (at_us > after_us && c->hours >> minute / 60 & 1 && c->minutes >> minute % 60 & 1)
			return at_us;
	}
	return 0;
}

/* Some years are tried alone, so that a day that never comes ends the search: February 29 comes within eight years. */
static int64_t next_cron(const struct event_cron *c, int64_t after_us)
{
	int64_t year = clock_date_of(after_us / DAY_US).year;
	int tried = 0;
	for (; year <= YEAR_MAX && tried < YEARS_TRIED; year++) {
		if (year < YEAR_MIN || !c->years[year - YEAR_MIN])
			continue;
		tried++;
		int64_t end = clock_count_days(year + 1, 1, 1), day = clock_count_days(year, 1, 1);
		for (day = day > after_us / DAY_US ? day : after_us / DAY_US; day < end; day++) {
			int64_t at_us = is_on(c, day) ? next_of_day(c, day, after_us) : 0;
			if (at_us)
				return at_us;
		}
	}
	return 0;
}

/* ---- expressions ---- */

/* Returns the text between the parentheses of "word(…)"; p NULL: another expression. */
static struct str inner_of(struct str text, struct str word)
{
	bool fits = str_starts_with(text, word) && str_ends_with(text, STR(")"));
	return fits ? str_slice(text, word.n, text.n - 1) : STR_NONE;
}

RESULT engine_check_event_schedule(struct ctx *c, struct str schedule)
{
	struct event_cron cron;
	struct str rate = inner_of(schedule, STR("rate(")), fields = inner_of(schedule, STR("cron("));
	if ((rate.p && read_rate(rate)) || (fields.p && read_cron(fields, &cron)))
		return OK;
	return ctx_fail_field(c, ERR_INVALID, STR("ScheduleExpression"),
			      "Parameter ScheduleExpression is not valid.");
}

int64_t event_schedule_next(struct str schedule, int64_t before_us, int64_t after_us)
{
	struct event_cron cron;
	struct str rate = inner_of(schedule, STR("rate(")), fields = inner_of(schedule, STR("cron("));
	int64_t period_us = rate.p ? read_rate(rate) : 0;
	if (period_us)
		return before_us + ((after_us - before_us) / period_us + 1) * period_us;
	return fields.p && read_cron(fields, &cron) ? next_cron(&cron, after_us) : 0;
}

int64_t engine_find_event_time(struct str schedule, int64_t after_us)
{
	return event_schedule_next(schedule, after_us, after_us);
}
