/* SPDX-License-Identifier: Apache-2.0
 * Retention by count and by calendar (grandfather-father-son). Each rule keeps backups independently of the
 * others; a backup goes if no rule keeps it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/time_zone.h"

/* Numbers of backups to keep: the `last` newest ones, and the newest one of each of so many hours, days, weeks from
 * Monday, months and years. Periods without a backup do not count. All 0: keeps every backup. */
struct retention {
	int64_t last, hourly, daily, weekly, monthly, yearly;
};

/* Sets keeps[k] for each of the times, which are ordered from the newest to the oldest. Periods are those of
 * the zone's local time; hours are elapsed hours, so that a repeated hour counts twice. The newest time is
 * always kept. */
void retention_choose(const struct retention *r, const struct time_zone *zone, const int64_t *times_us,
		      size_t count, bool *keeps);
