/* SPDX-License-Identifier: Apache-2.0
 * The region itself: its id and name, its zones, instance types, settings and default limits. */
#pragma once

#include "engine/operation.h"

/* Makes the region in an empty store. Repeated with the same name, it adds what is missing (zones,
 * instance types of a newer release) and changes nothing else. ERR_CONFLICT: the region has another
 * name. */
struct region_wish {
	/* The region's id in an empty store, which becomes half of the mark on everything outside.
	 * None: a random one. */
	uuid id;
	struct str name;   /* "us-west-2" */
	struct strs zones; /* whole names, "us-west-2a"; none given: the region's name and "a" */
	/* made: */
	uuid region;
};
OPERATION(engine_bootstrap_region, region_wish)
/* Whether it can name a region or a zone: what URLs, host names and credential scopes can hold. */
bool engine_is_region_name(struct str name);

/* A named setting of the region; an empty value removes it. */
struct setting_wish {
	struct str name, value;
};
OPERATION(engine_put_setting, setting_wish)

/* A setting's value, which belongs to its row. Empty, or none, before the region was made. On the
 * head, or on a view that is read. */
struct str engine_get_setting(const struct tables *t, struct str name);
/* The same as a number; the standard one where there is none. */
int64_t engine_get_number(const struct tables *t, struct str name, int64_t standard);
/* Seconds from an instance's destruction to its end; and whether who is no administrator may recover what is
 * destroyed, and end it before its time, or see it: 1. The names are CloudStack's. */
#define SETTING_EXPUNGE_DELAY STR("expunge.delay")
#define SETTING_USERS_RECOVER STR("allow.user.expunge.recover.vm")
#define SETTING_USERS_SEE_DESTROYED STR("allow.user.view.destroyed.vm")
enum { EXPUNGE_DELAY_S = 86400 };
struct str engine_get_region_name(const struct tables *t);
uuid engine_get_region_id(const struct tables *t);
/* The domain of private names: "ec2.internal" in us-east-1, else "<region>.compute.internal". In
 * the arena. */
struct str engine_get_domain_name(const struct tables *t, struct arena *a);
/* The domain of public names, "<region>.compute.internal". In the arena. */
struct str engine_get_public_domain_name(const struct tables *t, struct arena *a);
