/* SPDX-License-Identifier: Apache-2.0
 * Converts times to text without libc: strftime and gmtime_r would take longer than the rest of an answer's
 * row, and strptime depends on the locale. Days are counted by Howard Hinnant's civil calendar. Only the
 * years 0000 to 9999 are supported; other times are clamped. */
#include "base/clock.h"

/* day 0 was a Thursday */
static const char weekdays[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static const int64_t DAY = 24 * HOUR;
static const int64_t FIRST_US = INT64_C(-62167219200) * SECOND;    /* 0000-01-01T00:00:00 */
static const int64_t LAST_US = INT64_C(253402300800) * SECOND - 1; /* 9999-12-31T23:59:59.999999 */

struct civil {
	int64_t days; /* since 1970 */
	unsigned year, month, day, hour, minute, second, micros;
};

int64_t clock_count_days(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (int64_t) (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_from(int64_t time_us)
{
	if (time_us < FIRST_US)
		time_us = FIRST_US;
	if (time_us > LAST_US)
		time_us = LAST_US;
	int64_t days = time_us / DAY, rest = time_us % DAY;
	if (rest < 0) {
		days--;
		rest += DAY;
	}
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned of_era = (unsigned) (z - era * 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned shifted = (5 * of_year + 2) / 153; /* months from March */
	unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
	unsigned second = (unsigned) (rest / SECOND);
	return (struct civil){.days = days,
			      .year = (unsigned) ((int64_t) year + era * 400 + (month <= 2)),
			      .month = month,
			      .day = of_year - (153 * shifted + 2) / 5 + 1,
			      .hour = second / 3600,
			      .minute = second / 60 % 60,
			      .second = second % 60,
			      .micros = (unsigned) (rest % SECOND)};
}

struct clock_date clock_date_of(int64_t days)
{
	struct civil t = civil_from(days * DAY);
	return (struct clock_date){(int64_t) t.year, t.month, t.day};
}

static char *put_digits(char *p, unsigned value, int count)
{
	for (int k = count - 1; k >= 0; k--) {
		p[k] = (char) ('0' + value % 10);
		value /= 10;
	}
	return p + count;
}

static char *put(char *p, char c)
{
	*p = c;
	return p + 1;
}

static char *put_three(char *p, const char *text)
{
	memcpy(p, text, 3);
	return p + 3;
}

static char *put_clock(char *p, const struct civil *t)
{
	p = put(put_digits(p, t->hour, 2), ':');
	p = put(put_digits(p, t->minute, 2), ':');
	return put_digits(p, t->second, 2);
}

static char *put_date_and_clock(char *p, const struct civil *t)
{
	p = put(put_digits(p, t->year, 4), '-');
	p = put(put_digits(p, t->month, 2), '-');
	p = put(put_digits(p, t->day, 2), 'T');
	return put_clock(p, t);
}

char *clock_write_ms(int64_t time_us, char out[static CLOCK_TEXT_SIZE])
{
	struct civil t = civil_from(time_us);
	char *p = put(put_date_and_clock(out, &t), '.');
	p = put(put_digits(p, t.micros / 1000, 3), 'Z');
	*p = 0;
	return out;
}

char *clock_write_s(int64_t time_us, char out[static CLOCK_TEXT_SIZE])
{
	struct civil t = civil_from(time_us);
	char *p = put(put_date_and_clock(out, &t), 'Z');
	*p = 0;
	return out;
}

char *clock_write_basic(int64_t time_us, char out[static CLOCK_TEXT_SIZE])
{
	struct civil t = civil_from(time_us);
	char *p = put_digits(put_digits(put_digits(out, t.year, 4), t.month, 2), t.day, 2);
	p = put(p, 'T');
	p = put_digits(put_digits(put_digits(p, t.hour, 2), t.minute, 2), t.second, 2);
	p = put(p, 'Z');
	*p = 0;
	return out;
}

char *clock_write_http(int64_t time_us, char out[static CLOCK_TEXT_SIZE])
{
	struct civil t = civil_from(time_us);
	char *p = put_three(out, weekdays[((t.days % 7) + 7) % 7]);
	p = put(put(p, ','), ' ');
	p = put(put_digits(p, t.day, 2), ' ');
	p = put(put_three(p, months[t.month - 1]), ' ');
	p = put(put_digits(p, t.year, 4), ' ');
	p = put_three(put(put_clock(p, &t), ' '), "GMT");
	*p = 0;
	return out;
}

/* The remaining text; ok stays false after the first mismatch. */
struct reader {
	struct str rest;
	bool ok;
};

static unsigned take_digits(struct reader *r, size_t count)
{
	unsigned value = 0;
	if (r->rest.n < count) {
		r->ok = false;
		return 0;
	}
	for (size_t k = 0; k < count; k++) {
		char c = r->rest.p[k];
		if (c < '0' || c > '9') {
			r->ok = false;
			return 0;
		}
		value = value * 10 + (unsigned) (c - '0');
	}
	r->rest = str_slice(r->rest, count, r->rest.n);
	return value;
}

static bool take_if(struct reader *r, struct str what)
{
	if (!str_starts_with(r->rest, what))
		return false;
	r->rest = str_slice(r->rest, what.n, r->rest.n);
	return true;
}

static void take(struct reader *r, struct str what)
{
	if (!take_if(r, what))
		r->ok = false;
}

static bool civil_is_valid(const struct civil *t)
{
	static const unsigned char month_days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (t->month < 1 || t->month > 12 || t->day < 1 || t->day > month_days[t->month - 1])
		return false;
	bool leap = t->year % 4 == 0 && (t->year % 100 != 0 || t->year % 400 == 0);
	if (t->month == 2 && t->day == 29 && !leap)
		return false;
	return t->hour < 24 && t->minute < 60 && t->second < 60;
}

static int64_t civil_to_us(const struct civil *t)
{
	int64_t of_day = ((int64_t) t->hour * 60 + t->minute) * 60 + t->second;
	return clock_count_days(t->year, t->month, t->day) * DAY + of_day * SECOND + t->micros;
}

static unsigned take_fraction(struct reader *r)
{
	unsigned micros = 0, scale = 100000;
	size_t k = 0;
	for (; k < r->rest.n && r->rest.p[k] >= '0' && r->rest.p[k] <= '9'; k++) {
		/* digits beyond microseconds are dropped */
		micros += scale * (unsigned) (r->rest.p[k] - '0');
		scale /= 10;
	}
	if (k == 0)
		r->ok = false;
	r->rest = str_slice(r->rest, k, r->rest.n);
	return micros;
}

/* Reads "Z", "+hh:mm", "+hhmm", "+hh", or nothing, which means UTC. */
static int64_t take_offset_us(struct reader *r)
{
	if (r->rest.n == 0 || take_if(r, STR("Z")))
		return 0;
	bool west = take_if(r, STR("-"));
	if (!west)
		take(r, STR("+"));
	unsigned hours = take_digits(r, 2), minutes = 0;
	if (take_if(r, STR(":")) || r->rest.n)
		minutes = take_digits(r, 2);
	if (hours > 23 || minutes > 59)
		r->ok = false;
	int64_t offset = hours * HOUR + minutes * MINUTE;
	return west ? -offset : offset;
}

RESULT clock_parse(struct str s, int64_t *ret_time_us)
{
	struct reader r = {s, true};
	struct civil t = {0};
	t.year = take_digits(&r, 4);
	bool extended = take_if(&r, STR("-"));
	struct str date_sep = extended ? STR("-") : STR_NONE, clock_sep = extended ? STR(":") : STR_NONE;
	t.month = take_digits(&r, 2);
	take(&r, date_sep);
	t.day = take_digits(&r, 2);
	take(&r, STR("T"));
	t.hour = take_digits(&r, 2);
	take(&r, clock_sep);
	t.minute = take_digits(&r, 2);
	take(&r, clock_sep);
	t.second = take_digits(&r, 2);
	int64_t offset = 0;
	if (!extended) {
		take(&r, STR("Z"));
	} else {
		if (take_if(&r, STR(".")))
			t.micros = take_fraction(&r);
		offset = take_offset_us(&r);
	}
	if (!r.ok || r.rest.n || !civil_is_valid(&t))
		return FAIL(INVALID);
	*ret_time_us = civil_to_us(&t) - offset;
	return OK;
}

static unsigned take_name(struct reader *r, const char (*names)[4], unsigned count)
{
	for (unsigned k = 0; k < count; k++)
		if (take_if(r, str_from(names[k])))
			return k;
	r->ok = false;
	return 0;
}

RESULT clock_parse_http(struct str s, int64_t *ret_time_us)
{
	struct reader r = {s, true};
	struct civil t = {0};
	(void) take_name(&r, weekdays, 7); /* a wrong weekday is tolerated, since the date is unambiguous
					    * without it */
	take(&r, STR(", "));
	t.day = take_digits(&r, 2);
	take(&r, STR(" "));
	t.month = take_name(&r, months, 12) + 1;
	take(&r, STR(" "));
	t.year = take_digits(&r, 4);
	take(&r, STR(" "));
	t.hour = take_digits(&r, 2);
	take(&r, STR(":"));
	t.minute = take_digits(&r, 2);
	take(&r, STR(":"));
	t.second = take_digits(&r, 2);
	take(&r, STR(" GMT"));
	if (!r.ok || r.rest.n || !civil_is_valid(&t))
		return FAIL(INVALID);
	*ret_time_us = civil_to_us(&t);
	return OK;
}
