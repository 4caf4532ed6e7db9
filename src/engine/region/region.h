/* SPDX-License-Identifier: Apache-2.0
 * The region itself: its id and name, its zones, the instance types, default limits. */
#pragma once

#include "engine/operation.h"

/* Makes the region in an empty store. Repeated with the same name it adds what is missing (zones,
 * instance types of a newer release) and changes nothing else; with another name: ERR_CONFLICT. */
struct region_wish {
	uuid id;           /* for an empty store, none: drawn. Half of the mark on everything outside */
	struct str name;   /* "us-west-2" */
	struct strs zones; /* whole names, "us-west-2a"; none: name + "a" */
	/* made: */
	uuid region;
};
OPERATION(engine_bootstrap_region, region_wish)

/* A named setting of the region; an empty value removes it. */
struct setting_wish {
	struct str name, value;
};
OPERATION(engine_put_setting, setting_wish)

/* On the head or on a view that walks; empty or none before the bootstrap. The text is the row's. */
struct str engine_get_setting(const struct tables *t, struct str name);
struct str engine_get_region_name(const struct tables *t);
uuid engine_get_region_id(const struct tables *t);
/* "ec2.internal" in us-east-1, else "<region>.compute.internal"; in the arena. */
struct str engine_get_domain_name(const struct tables *t, struct arena *a);
/* Of the names of public addresses: "<region>.compute.internal"; in the arena. */
struct str engine_get_public_domain_name(const struct tables *t, struct arena *a);
