/* SPDX-License-Identifier: Apache-2.0
 * Timezones from the system's database (/usr/share/zoneinfo, RFC 9636). The C library supports only one
 * timezone per process, which must not change while threads run; here each is a value. All times are
 * seconds. */
#pragma once

#include "base/ctx.h"

struct time_zone;

/* Loads a timezone by its database name ("Europe/Berlin"), or "UTC", "GMT", or a fixed "GMT+05:30", which
 * need no file. In c's arena; reads a file. ERR_INVALID: unknown name. */
RESULT time_zone_load(struct ctx *c, struct str name, const struct time_zone **ret_zone);
/* Parses a file's bytes. ERR_INVALID. */
RESULT time_zone_read(struct ctx *c, struct str bytes, const struct time_zone **ret_zone);

/* The offset of local time from UTC at a UTC time. */
int64_t time_zone_offset(const struct time_zone *zone, int64_t utc);
/* Converts local time (counted as if UTC) to UTC. A time that occurs twice, when clocks are set back, gives
 * the later one; a skipped one moves later by the skipped amount. */
int64_t time_zone_to_utc(const struct time_zone *zone, int64_t local);
