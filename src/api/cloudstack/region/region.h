/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/region/. */
#pragma once

#include "api/cloudstack/core/action.h"

enum { CS_CPU_SPEED = 1000 }; /* CS_CPU_SPEED_MHZ */

/* ---- hosts (hosts.c) ---- */

struct host;
extern const struct api_listing cs_hosts;
/* Enabled, Disabled, PrepareForMaintenance or Maintenance. */
const char *cs_resource_state_of(const struct host *h);

/* ---- groups of settings (configuration_groups.c) ---- */

struct cs_setting_group {
	const char *group, *name, *keywords; /* name: the subgroup; keywords are separated by commas */
	int precedence;
};
const struct cs_setting_group *cs_find_setting_group(const char *setting);
/* ERR_INVALID: there is no such group or subgroup. Empty names are right. */
RESULT cs_check_setting_groups(struct cs_call *e, struct str group, struct str subgroup);
/* True if a setting is in the subgroup (configurations.c). */
bool cs_has_settings(const struct cs_setting_group *group);

/* ---- regions (region_changes.c) ---- */

enum { CS_REGION_ID = 1 }; /* CloudStack's first region, which this one is */
#define CS_REGION_SAYS "id|name|endpoint|gslbserviceenabled|portableipserviceenabled"
struct catalog_entry;
/* The number of another region that was added; 0: the entry is something else. */
int64_t cs_region_number(const struct catalog_entry *entry);
struct shown_region {
	int64_t id;
	struct str name, endpoint;
};
/* Writes the members of a struct shown_region (regions.c). */
void cs_write_region(struct cs_call *e, struct json_writer *w, const void *item);

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
