/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/region/. */
#pragma once

#include "api/cloudstack/core/action.h"

enum { CS_CPU_SPEED = 1000 }; /* CS_CPU_SPEED_MHZ */

/* Every zone has every template and snapshot, so that zones which a call names must only exist. */
#define CS_EVERY_ZONE "Where it will be; it is in every zone."
RESULT cs_find_zones(struct cs_call *e, const struct refs *zones, struct uuids *ret_zones);

/* Lists of zones, and of their one part, tell administrators, as listCapacity does, how full each is, where the call says
 * so. The parameter, and as member.write of a zone's row. That users are not told is as with listCapacity, and a guess: the
 * reference says nothing of it. */
#define CS_SHOW_CAPACITIES "showcapacities"
#define CS_SHOW_CAPACITIES_PARAM(T, member)                                                                  \
	PARAM(T, CS_SHOW_CAPACITIES, member, .doc = "Whether how full they are is shown, to administrators.")
void cs_write_capacities(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);

/* "12.5%": used of all, with two digits at most, and the sign; "0%" of nothing. */
void cs_write_percent(struct json_writer *w, const char *name, int64_t used, int64_t all, const char *sign);
