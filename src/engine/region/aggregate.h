/* SPDX-License-Identifier: Apache-2.0
 * Host aggregates: named groups of hosts, for the operator. An instance type with the extra spec
 * "aggregate_instance_extra_specs:KEY" is placed on hosts of aggregates whose property KEY has that value
 * (placement.c). Changes of an aggregate never move instances.
 *
 * An aggregate may name an availability zone. With the name of one of the region's zones, its hosts must be
 * in that zone. Any other name creates a zone that exists only for Nova: the region's zones of hosts, subnets
 * and volumes stay unchanged, and other faces do not see it. An instance that requests such a zone is placed
 * on its hosts. Nova sees each host in one zone: that of its aggregates, or else its zone in the region. */
#pragma once

#include "engine/operation.h"

struct host;
struct instance;

#define AGGREGATE_SPEC "aggregate_instance_extra_specs:"

enum { AGGREGATES_MAX = 1000 };

struct aggregate_wish {
	struct str name;      /* 1 to 255 characters */
	struct str zone_name; /* 1 to 255 characters; empty: no zone */
	/* result: */
	uuid aggregate;
};
/* ERR_EXISTS: the name is in use; ERR_INVALID with KIND_ZONE: invalid zone name. */
OPERATION(engine_create_aggregate, aggregate_wish)

struct aggregate_settings {
	struct ref aggregate;
	const struct str *name;      /* NULL: no change */
	const struct str *zone_name; /* NULL: no change. ERR_INVALID with KIND_ZONE: empty */
	bool of_properties;          /* the zone came with the metadata: error messages say so */
	struct tags properties;      /* to set */
	struct strs no_properties;   /* keys to remove; absent keys are fine */
	struct ref add_host, remove_host;
};
/* ERR_INVALID with KIND_ZONE: hosts of the aggregate are in another zone, or have instances whose zone would
 * change. With KIND_HOST: ERR_EXISTS, the aggregate has that host; ERR_CONFLICT, that host is in another
 * zone, or has instances whose zone would change; ERR_NOT_FOUND. */
OPERATION(engine_update_aggregate, aggregate_settings)

struct aggregate_target {
	struct ref aggregate;
};
/* ERR_IN_USE: the aggregate has hosts. */
OPERATION(engine_delete_aggregate, aggregate_target)

/* The host's zone as Nova sees it; empty: host is NULL. For any tables. */
struct str engine_get_zone_name(const struct tables *t, const struct host *host);
/* The instance's zone as Nova sees it: its host's; without a host the requested one, or else its zone in the
 * region. */
struct str engine_get_zone_name_of_instance(const struct tables *t, const struct instance *instance);
/* True if aggregates define the zone and it has a host. */
bool engine_is_zone_of_aggregates(const struct tables *t, struct str name);
