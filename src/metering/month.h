/* SPDX-License-Identifier: Apache-2.0
 * Billing periods: UTC months, in seconds since 1970. Every day has 86,400 seconds. */
#pragma once

#include "base/ctx.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

struct month {
	int64_t from_s, until_s; /* until_s is the next month's from_s */
	char text[8];            /* "2026-10" */
};

/* The month containing a second, and the one before a month. */
struct month month_of(int64_t at_s);
struct month month_before(struct month m);
/* ERR_INVALID, with a message: not of the form "2026-10". */
RESULT month_parse(struct ctx *c, struct str text, struct month *ret_month);
