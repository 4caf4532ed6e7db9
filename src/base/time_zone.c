/* SPDX-License-Identifier: Apache-2.0
 * TZif files contain the times of clock changes, followed by a POSIX "TZ" text with the rule for all later
 * times: "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "base/time_zone.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"

enum { DAY_S = 86400, FILE_SIZE_MAX = 256 * 1024, NAME_SIZE_MAX = 64, HEADER_SIZE = 44, TYPE_SIZE = 6 };
#define DIRECTORY "/usr/share/zoneinfo/"

/* A yearly change: a day and a local time. */
struct change {
	char form; /* 'M': week and weekday of a month; 'J': day of the year from 1, ignoring leap days; 0:
		    * day from 0 */
	int64_t month, week, day;
	int64_t time;
};

struct time_zone {
	const int64_t *at; /* offsets, each valid from its time on */
	const int64_t *offsets;
	size_t count;
	int64_t first; /* offset before the first change */
	bool has_rule, has_summer;
	int64_t standard, summer;
	struct change begin, end; /* of daylight saving time */
};

/* ---- the rule ---- */

struct reader {
	const char *p, *end;
};

static bool take(struct reader *r, char c)
{
	bool is_it = r->p < r->end && *r->p == c;
	r->p += is_it;
	return is_it;
}

static bool take_number(struct reader *r, int64_t max, int64_t *ret_number)
{
	const char *first = r->p;
	int64_t number = 0;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && number <= max; r->p++)
		number = number * 10 + (*r->p - '0');
	*ret_number = number;
	return r->p > first && number <= max;
}

/* Reads "CEST" or "<+0530>". */
static bool take_name(struct reader *r)
{
	const char *first = r->p;
	if (take(r, '<')) {
		while (r->p < r->end && *r->p != '>')
			r->p++;
		return take(r, '>');
	}
	while (r->p < r->end && ((*r->p >= 'a' && *r->p <= 'z') || (*r->p >= 'A' && *r->p <= 'Z')))
		r->p++;
	return r->p > first;
}

/* Reads [+-]hh[:mm[:ss]]. */
static bool take_time(struct reader *r, int64_t *ret_seconds)
{
	enum { HOURS_MAX = 167 };
	int64_t hours, minutes = 0, seconds = 0;
	bool is_negative = take(r, '-');
	if (!is_negative)
		(void) take(r, '+');
	if (!take_number(r, HOURS_MAX, &hours) || (take(r, ':') && !take_number(r, 59, &minutes)) ||
	    (take(r, ':') && !take_number(r, 59, &seconds)))
		return false;
	seconds += hours * 3600 + minutes * 60;
	*ret_seconds = is_negative ? -seconds : seconds;
	return true;
}

static bool take_change(struct reader *r, struct change *ret)
{
	*ret = (struct change){.time = INT64_C(2) * 3600};
	if (!take(r, ','))
		return false;
	ret->form = take(r, 'M') ? 'M' : take(r, 'J') ? 'J' : 0;
	bool is_day = ret->form == 'M' ? take_number(r, 12, &ret->month) && take(r, '.') &&
						 take_number(r, 5, &ret->week) && take(r, '.') &&
						 take_number(r, 6, &ret->day) && ret->month && ret->week
				       : take_number(r, 365, &ret->day);
	return is_day && (!take(r, '/') || take_time(r, &ret->time));
}

static bool read_rule(struct str text, struct time_zone *zone)
{
	struct reader r = {text.p, text.p + text.n};
	int64_t west;
	if (!take_name(&r) || !take_time(&r, &west))
		return false;
	zone->has_rule = true;
	zone->standard = -west;
	zone->has_summer = take_name(&r);
	if (!zone->has_summer)
		return r.p == r.end;
	zone->summer = zone->standard + 3600;
	if (r.p < r.end && *r.p != ',') {
		if (!take_time(&r, &west))
			return false;
		zone->summer = -west;
	}
	return take_change(&r, &zone->begin) && take_change(&r, &zone->end) && r.p == r.end;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* 0: Sunday. */
static int64_t weekday_of(int64_t day)
{
	return ((day + 4) % 7 + 7) % 7;
}

/* Returns local time. */
static int64_t find_change(const struct change *c, int64_t year)
{
	int64_t first = clock_count_days(year, 1, 1);
	if (c->form == 'J')
		return (first + c->day - 1 + (c->day >= 60 && is_leap(year))) * DAY_S + c->time;
	if (c->form != 'M')
		return (first + c->day) * DAY_S + c->time;
	unsigned month = (unsigned) c->month;
	int64_t day = clock_count_days(year, month, 1);
	int64_t next = month == 12 ? clock_count_days(year + 1, 1, 1) : clock_count_days(year, month + 1, 1);
	day += (c->day - weekday_of(day) + 7) % 7 + 7 * (c->week - 1);
	return (day < next ? day : day - 7) * DAY_S + c->time; /* week 5 means the last */
}

static int64_t floor_days(int64_t seconds)
{
	return seconds / DAY_S - (seconds % DAY_S < 0);
}

static int64_t offset_by_rule(const struct time_zone *zone, int64_t utc)
{
	if (!zone->has_summer)
		return zone->standard;
	int64_t year = clock_date_of(floor_days(utc + zone->standard)).year;
	int64_t begin = find_change(&zone->begin, year) - zone->standard;
	int64_t end = find_change(&zone->end, year) - zone->summer;
	bool is_summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
	return is_summer ? zone->summer : zone->standard;
}

/* ---- the file ---- */

static int64_t read_int(const char *p, size_t size)
{
	uint64_t value = (unsigned char) *p & 0x80 ? UINT64_MAX : 0;
	for (size_t k = 0; k < size; k++)
		value = value << 8 | (unsigned char) p[k];
	return (int64_t) value;
}

struct block {
	const char *times, *types, *type_rows;
	size_t count, type_count, size;
};

/* Reads a header and its data; times have time_size bytes. */
static bool read_block(struct str bytes, size_t time_size, struct block *ret)
{
	size_t counts[6];
	if (bytes.n < HEADER_SIZE || memcmp(bytes.p, "TZif", 4) != 0)
		return false;
	for (size_t k = 0; k < 6; k++) {
		int64_t count = read_int(bytes.p + 20 + 4 * k, 4);
		if (count < 0 || count > FILE_SIZE_MAX)
			return false;
		counts[k] = (size_t) count; /* counts of ut, std, leap, time, type, letters */
	}
	*ret = (struct block){.count = counts[3], .type_count = counts[4]};
	ret->times = bytes.p + HEADER_SIZE;
	ret->types = ret->times + ret->count * time_size;
	ret->type_rows = ret->types + ret->count;
	ret->size = HEADER_SIZE + ret->count * (time_size + 1) + ret->type_count * TYPE_SIZE + counts[5] +
		    counts[2] * (time_size + 4) + counts[1] + counts[0];
	return ret->size <= bytes.n && ret->type_count > 0;
}

static RESULT copy_block(struct ctx *c, const struct block *b, size_t time_size, struct time_zone *zone)
{
	int64_t *at = arena_new_array(c->arena, int64_t, b->count + 1);
	int64_t *offsets = arena_new_array(c->arena, int64_t, b->count + 1);
	if (!at || !offsets)
		return ctx_no_memory(c);
	for (size_t k = 0; k < b->count; k++) {
		size_t type = (unsigned char) b->types[k];
		if (type >= b->type_count)
			return FAIL(INVALID);
		at[k] = read_int(b->times + k * time_size, time_size);
		offsets[k] = read_int(b->type_rows + type * TYPE_SIZE, 4);
	}
	zone->at = at;
	zone->offsets = offsets;
	zone->count = b->count;
	zone->first = read_int(b->type_rows, 4);
	return OK;
}

/* Since version 2, the data are repeated with 64-bit times, followed by the rule on a line of its own. */
RESULT time_zone_read(struct ctx *c, struct str bytes, const struct time_zone **ret_zone)
{
	struct time_zone *zone = arena_new_object(c->arena, struct time_zone);
	struct block b;
	size_t time_size = 4;
	if (!zone)
		return ctx_no_memory(c);
	*zone = (struct time_zone){0};
	if (!read_block(bytes, time_size, &b))
		return FAIL(INVALID);
	if (bytes.p[4] >= '2') {
		bytes = str_slice(bytes, b.size, bytes.n);
		time_size = 8;
		if (!read_block(bytes, time_size, &b))
			return FAIL(INVALID);
		struct str rule = str_trim(str_slice(bytes, b.size, bytes.n));
		if (rule.n && !read_rule(rule, zone))
			return FAIL(INVALID);
	}
	TRY(copy_block(c, &b, time_size, zone));
	*ret_zone = zone;
	return OK;
}

/* ---- by name ---- */

/* Accepts no path that leaves the directory. */
static bool is_name(struct str name)
{
	bool is_first = true;
	for (size_t k = 0; k < name.n; k++) {
		char ch = name.p[k];
		bool is_inner = !is_first && (ch == '/' || ch == '+' || ch == '-' || ch == '_');
		if (!str_is_alphanumeric(ch) && !is_inner)
			return false;
		is_first = ch == '/';
	}
	return name.n > 0 && name.n <= NAME_SIZE_MAX;
}

/* Reads "UTC", "GMT", "GMT-3", "GMT+05:30". Positive means ahead of UTC, unlike in a "TZ" text. */
static bool read_fixed(struct str name, struct time_zone *zone)
{
	bool is_plain = str_is(name, "UTC") || str_is(name, "GMT");
	struct reader r = {name.p + 3, name.p + name.n};
	zone->has_rule = true;
	return is_plain || (str_starts_with(name, STR("GMT")) && name.n > 4 &&
			    (name.p[3] == '+' || name.p[3] == '-') && take_time(&r, &zone->standard) &&
			    r.p == r.end && zone->standard > -DAY_S && zone->standard < DAY_S);
}

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static RESULT fail_unknown(struct ctx *c, struct str name)
{
	return ctx_fail(c, ERR_INVALID, "There is no timezone '%" STR_FMT "'.", STR_ARG(name));
}

RESULT time_zone_load(struct ctx *c, struct str name, const struct time_zone **ret_zone)
{
	struct time_zone fixed = {0};
	struct str bytes;
	if (name.n >= 3 && read_fixed(name, &fixed)) {
		struct time_zone *zone = arena_new_object(c->arena, struct time_zone);
		if (!zone)
			return ctx_no_memory(c);
		*zone = fixed;
		*ret_zone = zone;
		return OK;
	}
	struct str path = str_print(c->arena, DIRECTORY "%" STR_FMT, STR_ARG(name));
	if (!path.p)
		return ctx_no_memory(c);
	if (!is_name(name) || !is_file(path.p))
		return fail_unknown(c, name);
	TRY(file_read(c, path.p, FILE_SIZE_MAX, &bytes));
	struct result result = time_zone_read(c, bytes, ret_zone);
	return result.code == ERR_INVALID ? fail_unknown(c, name) : result;
}

/* ---- asked ---- */

int64_t time_zone_offset(const struct time_zone *zone, int64_t utc)
{
	size_t from = 0, to = zone->count; /* binary search for the first later one; to if none */
	if (zone->has_rule && (zone->count == 0 || utc >= zone->at[zone->count - 1]))
		return offset_by_rule(zone, utc);
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (zone->at[middle] <= utc)
			from = middle + 1;
		else
			to = middle;
	}
	return from ? zone->offsets[from - 1] : zone->first;
}

int64_t time_zone_to_utc(const struct time_zone *zone, int64_t local)
{
	/* assumes at most one clock change within these days */
	int64_t before = time_zone_offset(zone, local - DAY_S), after = time_zone_offset(zone, local + DAY_S);
	int64_t earlier = local - before, later = local - after;
	return time_zone_offset(zone, later) == after ? later : earlier;
}
