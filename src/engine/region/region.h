/* SPDX-License-Identifier: Apache-2.0
 * The region: id, name, zones, instance types, settings and default limits. */
#pragma once

#include "engine/operation.h"

/* Creates the region in an empty store. Repeated with the same name, it adds what is missing (zones, instance
 * types of a newer release) and changes nothing else. ERR_CONFLICT: the region has another name. */
struct region_wish {
	/* The id for an empty store, which becomes half of the mark on all external objects. None: random. */
	uuid id;
	struct str name;   /* "us-west-2" */
	struct strs zones; /* full names, "us-west-2a"; empty: the region's name and "a" */
	/* result: */
	uuid region;
};
OPERATION(engine_bootstrap_region, region_wish)
/* True if the name is valid for a region or a zone: usable in URLs, host names and credential scopes. */
bool engine_is_region_name(struct str name);

/* Sets a setting of the region; an empty value removes it. */
struct setting_wish {
	struct str name, value;
};
OPERATION(engine_put_setting, setting_wish)

/* A setting's value, borrowed from its row; empty: not set. For the head or a view. */
struct str engine_get_setting(const struct tables *t, struct str name);
/* The setting as a number; `standard` if there is none. */
int64_t engine_get_number(const struct tables *t, struct str name, int64_t standard);
/* Seconds between an instance's destruction and its end; and whether users other than administrators may (1)
 * recover destroyed instances and end them early, or see them. The names are CloudStack's. */
#define SETTING_EXPUNGE_DELAY STR("expunge.delay")
#define SETTING_USERS_RECOVER STR("allow.user.expunge.recover.vm")
#define SETTING_USERS_SEE_DESTROYED STR("allow.user.view.destroyed.vm")
/* Domain of load balancers' names; by default "internal", below which no name exists outside the region. */
#define SETTING_BALANCERS_DOMAIN STR("balancers.domain")
enum { EXPUNGE_DELAY_S = 86400 };
struct str engine_get_region_name(const struct tables *t);
uuid engine_get_region_id(const struct tables *t);
/* The domain of private names: "ec2.internal" in us-east-1, otherwise "<region>.compute.internal". In the
 * arena. */
struct str engine_get_domain_name(const struct tables *t, struct arena *a);
/* The domain of public names, "<region>.compute.internal". In the arena. */
struct str engine_get_public_domain_name(const struct tables *t, struct arena *a);
