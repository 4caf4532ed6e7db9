/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/region/. */
#pragma once

#include "api/cloudstack/core/action.h"

enum { CS_CPU_SPEED = 1000 }; /* CS_CPU_SPEED_MHZ */

/* Templates and snapshots are in every zone, so the zones that a call names only have to exist. */
#define CS_EVERY_ZONE "Zone. The image or resource is available in every zone."
RESULT cs_find_zones(struct cs_call *e, const struct refs *zones, struct uuids *ret_zones);

/* The parameter with which lists of zones and pods also show their used capacity, and its member.write for a zone's row.
 * Only administrators see it, as in listCapacity. Guessed: the reference does not say who sees it. */
#define CS_SHOW_CAPACITIES "showcapacities"
#define CS_SHOW_CAPACITIES_PARAM(T, member)                                                                  \
	PARAM(T, CS_SHOW_CAPACITIES, member, .doc = "Includes capacities, for administrators.")
void cs_write_capacities(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);

/* Writes a percentage with at most two decimals, and the sign: "12.5%"; "0%" if `all` is 0. */
void cs_write_percent(struct json_writer *w, const char *name, int64_t used, int64_t all, const char *sign);
