/* SPDX-License-Identifier: Apache-2.0
 * Billing periods: months of UTC, in seconds since 1970. A day has 86,400 seconds; there are no others. */
#pragma once

#include "base/ctx.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

struct month {
	int64_t from_s, until_s; /* its end is the next one's beginning */
	char text[8];            /* "2026-10" */
};

/* The month that a second lies in, and the one before a month. */
struct month month_of(int64_t at_s);
struct month month_before(struct month m);
/* ERR_INVALID, in words: it is no month as "2026-10". */
RESULT month_parse(struct ctx *c, struct str text, struct month *ret_month);
