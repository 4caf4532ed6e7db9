/* SPDX-License-Identifier: Apache-2.0
 * Functions of dates. Source: "Date functions" of Azure's documentation, and ".NET: custom date and time format strings". */
#include "api/azure/template/internal.h"
#include "base/clock.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

enum { FORM_MAX = 64, SECOND_S = 1, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };
#define YEAR_MAX 9999

/* ---- writing ---- */

struct moment {
	struct clock_date date;
	int64_t of_day; /* seconds */
};

static struct moment moment_of(int64_t time_s)
{
	int64_t days = time_s / DAY_S - (time_s % DAY_S < 0);
	return (struct moment){clock_date_of(days), time_s - days * DAY_S};
}

/* Writes a format letter that stands `count` times. Empty: not a letter of .NET's date formats. */
static struct str write_letters(struct arena *a, const struct moment *m, char letter, int count)
{
	long long hour = m->of_day / HOUR_S, twelfth = hour % 12 ? hour % 12 : 12;
	int width = count > 2 ? 2 : count;
	switch (letter) {
	case 'y':
		return count < 3 ? str_print(a, "%0*lld", width, (long long) m->date.year % 100)
				 : str_print(a, "%0*lld", count, (long long) m->date.year);
	case 'M':
		return str_print(a, "%0*u", width, m->date.month);
	case 'd':
		return str_print(a, "%0*u", width, m->date.day);
	case 'H':
		return str_print(a, "%0*lld", width, hour);
	case 'h':
		return str_print(a, "%0*lld", width, twelfth);
	case 'm':
		return str_print(a, "%0*lld", width, (long long) m->of_day / MINUTE_S % 60);
	case 's':
		return str_print(a, "%0*lld", width, (long long) m->of_day % 60);
	case 't':
		return str_slice(hour < 12 ? STR("AM") : STR("PM"), 0, (size_t) width);
	case 'f':
		return str_slice(STR("0000000"), 0, (size_t) (count < 7 ? count : 7));
	default:
		return STR_NONE;
	}
}

static struct str write_custom(struct arena *a, const struct moment *m, struct str form)
{
	struct str parts[FORM_MAX];
	size_t count = 0;
	for (size_t at = 0; at < form.n;) {
		size_t end = at + 1;
		if (form.p[at] == '\'' || form.p[at] == '"') {
			end = str_find_char(form, form.p[at], at + 1);
			parts[count++] = str_slice(form, at + 1, end);
			at = end + 1;
			continue;
		}
		while (end < form.n && form.p[end] == form.p[at])
			end++;
		struct str letters = write_letters(a, m, form.p[at], (int) (end - at));
		parts[count++] = letters.p ? letters : str_slice(form, at, end);
		at = end;
	}
	return str_join(a, parts, count);
}

/* A single letter is one of .NET's standard forms. */
static RESULT write_time(struct template *t, const struct template_call *call, int64_t time_s,
			 struct str form, json_t **ret)
{
	static const struct {
		const char *letter, *form;
	} standard[] = {
		{"d", "MM/dd/yyyy"},
		{"t", "HH:mm"},
		{"T", "HH:mm:ss"},
		{"u", "yyyy-MM-dd HH:mm:ss'Z'"},
		{"s", "yyyy-MM-ddTHH:mm:ss"},
		{"g", "MM/dd/yyyy HH:mm"},
		{"G", "MM/dd/yyyy HH:mm:ss"},
		{"o", "yyyy-MM-ddTHH:mm:ss.fffffff'Z'"},
		{"O", "yyyy-MM-ddTHH:mm:ss.fffffff'Z'"},
	};
	const struct moment m = moment_of(time_s);
	for (size_t k = 0; k < sizeof standard / sizeof standard[0]; k++)
		if (str_is(form, standard[k].letter))
			form = str_from(standard[k].form);
	if (form.n < 2 || form.n > FORM_MAX)
		return function_fail(t, call, "the format '%" STR_FMT "' is not supported",
				     STR_ARG(str_slice(form, 0, 32)));
	return template_keep_text(t, write_custom(t->c->arena, &m, form), ret);
}

/* ---- reading ---- */

static bool read_digits(struct str *rest, size_t least, size_t most, int64_t *ret_value)
{
	size_t n = 0;
	*ret_value = 0;
	for (; n < rest->n && n < most && rest->p[n] >= '0' && rest->p[n] <= '9'; n++)
		*ret_value = *ret_value * 10 + (rest->p[n] - '0');
	*rest = str_slice(*rest, n, rest->n);
	return n >= least;
}

static bool skip(struct str *rest, const char *any)
{
	if (!rest->n || !strchr(any, rest->p[0]))
		return false;
	*rest = str_slice(*rest, 1, rest->n);
	return true;
}

/* "2020-04-07", "20200407" or "4/7/2020". */
static bool read_date(struct str *rest, int64_t *ret_days)
{
	int64_t year = 0, month = 0, day = 0;
	struct str us = *rest;
	if (read_digits(&us, 1, 2, &month) && skip(&us, "/")) {
		*rest = us;
		if (!read_digits(rest, 1, 2, &day) || !skip(rest, "/") || !read_digits(rest, 4, 4, &year))
			return false;
	} else if (!read_digits(rest, 4, 4, &year) || (skip(rest, "-"), !read_digits(rest, 2, 2, &month)) ||
		   (skip(rest, "-"), !read_digits(rest, 2, 2, &day))) {
		return false;
	}
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*ret_days = clock_count_days(year, (unsigned) month, (unsigned) day);
	return clock_date_of(*ret_days).day == day;
}

/* "14:53:14.5", "145314" or "2:53:14 PM". */
static bool read_clock(struct str *rest, int64_t *ret_seconds)
{
	int64_t hour = 0, minute = 0, second = 0, fraction = 0;
	if (!read_digits(rest, 1, 2, &hour) || (skip(rest, ":"), !read_digits(rest, 2, 2, &minute)))
		return false;
	if (skip(rest, ":") || (rest->n && rest->p[0] >= '0' && rest->p[0] <= '9'))
		if (!read_digits(rest, 2, 2, &second))
			return false;
	if (skip(rest, ".") && !read_digits(rest, 1, 9, &fraction))
		return false;
	*rest = str_trim(*rest);
	if (skip(rest, "Pp"))
		hour = hour % 12 + 12;
	else if (skip(rest, "Aa"))
		hour %= 12;
	(void) skip(rest, "Mm");
	*ret_seconds = hour * HOUR_S + minute * MINUTE_S + second;
	return hour < 24 && minute < 60 && second < 60;
}

/* "Z", "+02:00" or nothing, which is UTC here. */
static bool read_zone(struct str *rest, int64_t *ret_seconds)
{
	int64_t hours = 0, minutes = 0;
	*ret_seconds = 0;
	bool is_west = rest->n && rest->p[0] == '-';
	if (skip(rest, "Zz") || !rest->n)
		return rest->n == 0;
	if (!skip(rest, "+-") || !read_digits(rest, 2, 2, &hours) ||
	    (skip(rest, ":"), !read_digits(rest, 2, 2, &minutes)))
		return false;
	*ret_seconds = (hours * HOUR_S + minutes * MINUTE_S) * (is_west ? -1 : 1);
	return rest->n == 0 && hours < 24 && minutes < 60;
}

static RESULT read_time(struct template *t, const struct template_call *call, struct str text,
			int64_t *ret_time_s)
{
	struct str rest = str_trim(text);
	int64_t days = 0, of_day = 0, zone = 0;
	bool is_time = read_date(&rest, &days);
	if (is_time && skip(&rest, "Tt "))
		is_time = read_clock(&rest, &of_day);
	if (!is_time || !read_zone(&rest, &zone))
		return function_fail(t, call, "'%" STR_FMT "' is not a valid date", /* guessed */
				     STR_ARG(str_slice(text, 0, 64)));
	*ret_time_s = days * DAY_S + of_day - zone;
	return OK;
}

/* ISO 8601: "-P9DT1H30M". A month has 30 days and a year 365, as .NET's XmlConvert reads durations. */
static bool read_duration(struct str text, int64_t *ret_seconds)
{
	static const struct {
		char letter;
		bool is_time;
		int64_t seconds;
	} units[] = {{'Y', false, 365 * DAY_S}, {'M', false, 30 * DAY_S}, {'W', false, 7 * DAY_S},
		     {'D', false, DAY_S},       {'H', true, HOUR_S},      {'M', true, MINUTE_S},
		     {'S', true, SECOND_S}};
	struct str rest = text;
	bool is_time = false, is_back = skip(&rest, "-"), has_any = false;
	int64_t total = 0, count = 0, part = 0;
	if (!skip(&rest, "P"))
		return false;
	while (rest.n) {
		size_t k = 0;
		if (!is_time && skip(&rest, "T")) {
			is_time = true;
			continue;
		}
		if (!read_digits(&rest, 1, 9, &count) || !rest.n)
			return false;
		while (k < sizeof units / sizeof units[0] &&
		       !(units[k].letter == rest.p[0] && units[k].is_time == is_time))
			k++;
		if (k == sizeof units / sizeof units[0] ||
		    __builtin_mul_overflow(count, units[k].seconds, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return false;
		rest = str_slice(rest, 1, rest.n);
		has_any = true;
	}
	*ret_seconds = is_back ? -total : total;
	return has_any;
}

/* ---- functions ---- */

/* dateTimeAdd(base, duration, [format]). Without a format the one of utcNow() stays as it is; Azure's examples show any
 * other as .NET writes dates by default. */
RUN(dateTimeAdd)
{
	struct str base, duration, form = STR("M/d/yyyy h:mm:ss tt");
	int64_t time_s = 0, by_s = 0;
	TRY(function_text(t, call, 0, &base));
	TRY(function_text(t, call, 1, &duration));
	TRY(read_time(t, call, base, &time_s));
	if (!read_duration(duration, &by_s))
		return function_fail(t, call, "'%" STR_FMT "' is not a duration in ISO 8601", /* guessed */
				     STR_ARG(str_slice(duration, 0, 64)));
	if (base.n == 16 && base.p[8] == 'T')
		form = STR("yyyyMMddTHHmmssZ");
	if (call->count > 2)
		TRY(function_text(t, call, 2, &form));
	if (__builtin_add_overflow(time_s, by_s, &time_s) || time_s < clock_count_days(1, 1, 1) * DAY_S ||
	    time_s >= (clock_count_days(YEAR_MAX, 12, 31) + 1) * DAY_S)
		return function_fail(t, call, "the date is not within the years 1 to 9999"); /* guessed */
	return write_time(t, call, time_s, form, ret);
}

RUN(dateTimeFromEpoch)
{
	int64_t time_s = 0;
	TRY(function_int(t, call, 0, &time_s));
	if (time_s < 0 || time_s >= (clock_count_days(YEAR_MAX, 12, 31) + 1) * DAY_S)
		return function_fail(t, call,
				     "the number is not within the years 1970 to 9999"); /* guessed */
	return write_time(t, call, time_s, STR("yyyy-MM-ddTHH:mm:ss'Z'"), ret);
}

RUN(dateTimeToEpoch)
{
	struct str text;
	int64_t time_s = 0;
	TRY(function_text(t, call, 0, &text));
	TRY(read_time(t, call, text, &time_s));
	return template_keep(t, json_integer(time_s), ret);
}

RUN(utcNow)
{
	struct str form = STR("yyyyMMddTHHmmssZ");
	if (call->count)
		TRY(function_text(t, call, 0, &form));
	return write_time(t, call, t->place.now_us / 1000000, form, ret);
}

static const struct template_function rows[] = {
	{"dateTimeAdd", 2, 3, run_dateTimeAdd, 0},
	{"dateTimeFromEpoch", 1, 1, run_dateTimeFromEpoch, 0},
	{"dateTimeToEpoch", 1, 1, run_dateTimeToEpoch, 0},
	{"utcNow", 0, 1, run_utcNow, FUNCTION_DEFAULT},
};
const struct template_functions template_times = {rows, sizeof rows / sizeof rows[0]};
