/* SPDX-License-Identifier: Apache-2.0
 * Timezones, from the system's database (the files of /usr/share/zoneinfo, RFC 9636). The C library knows one timezone of
 * the process alone, which must not change while threads run; here each is a value. All times are seconds. */
#pragma once

#include "base/ctx.h"

struct time_zone;

/* By its name in the database ("Europe/Berlin"), or "UTC", "GMT", or a fixed "GMT+05:30", which need no file. In c's arena;
 * reads a file. ERR_INVALID: there is none of that name. */
RESULT time_zone_load(struct ctx *c, struct str name, const struct time_zone **ret_zone);
/* From a file's bytes. ERR_INVALID. */
RESULT time_zone_read(struct ctx *c, struct str bytes, const struct time_zone **ret_zone);

/* How far its clocks are ahead of UTC at a time, which is in UTC. */
int64_t time_zone_offset(const struct time_zone *zone, int64_t utc);
/* When its clocks show `local` (counted as if it were UTC). Of two such times, as clocks are set back, the later one; of
 * a time that they skip, as much later as they skip. */
int64_t time_zone_to_utc(const struct time_zone *zone, int64_t local);
