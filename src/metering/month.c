/* SPDX-License-Identifier: Apache-2.0
 * Billing periods. */
#include "metering/month.h"

#include "base/clock.h"

struct month month_of(int64_t at_s)
{
	struct month m = {0};
	int64_t days = at_s / DAY_S - (at_s % DAY_S < 0);
	struct clock_date date = clock_date_of(days);
	bool is_december = date.month == 12;
	m.from_s = clock_count_days(date.year, date.month, 1) * DAY_S;
	m.until_s = clock_count_days(date.year + is_december, is_december ? 1 : date.month + 1, 1) * DAY_S;
	char text[CLOCK_TEXT_SIZE];
	memcpy(m.text, clock_write_s(m.from_s * SECOND, text), sizeof m.text - 1);
	return m;
}

struct month month_before(struct month m)
{
	return month_of(m.from_s - 1);
}

RESULT month_parse(struct ctx *c, struct str text, struct month *ret_month)
{
	int64_t year = 0, number = 0;
	if (text.n != 7 || text.p[4] != '-' || text.p[0] < '0' || text.p[5] < '0' ||
	    !result_is_ok(str_parse_int(str_slice(text, 0, 4), &year)) ||
	    !result_is_ok(str_parse_int(str_slice(text, 5, 7), &number)) || year < 1970 || number < 1 ||
	    number > 12)
		return ctx_fail_field(c, ERR_INVALID, STR("month"),
				      "'%" STR_FMT "' is no month: write it as 2026-10", STR_ARG(text));
	*ret_month = month_of(clock_count_days(year, (unsigned) number, 1) * DAY_S);
	return OK;
}
