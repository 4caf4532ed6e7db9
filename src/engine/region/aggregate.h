/* SPDX-License-Identifier: Apache-2.0
 * Aggregates: groups of hosts under a name, for the operator. An instance type whose extra specs
 * have "aggregate_instance_extra_specs:KEY" is placed on hosts of aggregates whose property KEY has
 * that value (placement.c). Instances stay where they are, whatever happens to an aggregate.
 *
 * An aggregate may name an availability zone. Named as one of the region's, all its hosts are in that. Any other
 * name makes a zone of Nova's of its hosts, which is Nova's alone: the region's zones, in which hosts, subnets and
 * volumes are, stay as they are, and the other faces know no other. Who asks for such a zone is placed on its
 * hosts. A host is in one zone of Nova's: its aggregates', else the region's that it is in. */
#pragma once

#include "engine/operation.h"

struct host;
struct instance;

#define AGGREGATE_SPEC "aggregate_instance_extra_specs:"

enum { AGGREGATES_MAX = 1000 };

struct aggregate_wish {
	struct str name;      /* 1 to 255 characters */
	struct str zone_name; /* likewise; empty: not given */
	/* made: */
	uuid aggregate;
};
/* ERR_EXISTS: the name is taken; ERR_INVALID with KIND_ZONE: that is no name of a zone. */
OPERATION(engine_create_aggregate, aggregate_wish)

struct aggregate_settings {
	struct ref aggregate;
	const struct str *name;      /* NULL: as it is */
	const struct str *zone_name; /* NULL: as it is. ERR_INVALID with KIND_ZONE: it is empty */
	bool of_properties;          /* the zone is told as one of them: a refusal says so */
	struct tags properties;      /* to set */
	struct strs no_properties;   /* keys to remove; absent ones are */
	struct ref add_host, remove_host;
};
/* ERR_INVALID with KIND_ZONE: hosts of it are in another zone, or have instances, whose zone would change. With
 * KIND_HOST: ERR_EXISTS, it has that host; ERR_CONFLICT, that host is in another zone, or has instances, whose
 * zone would change; ERR_NOT_FOUND. */
OPERATION(engine_update_aggregate, aggregate_settings)

struct aggregate_target {
	struct ref aggregate;
};
/* ERR_IN_USE: it has hosts. */
OPERATION(engine_delete_aggregate, aggregate_target)

/* Nova's zone that the host is in; empty: the host is NULL. On any tables. */
struct str engine_get_zone_name(const struct tables *t, const struct host *host);
/* The same of an instance: its host's; on none, that which it asked for, else the region's that it is in. */
struct str engine_get_zone_name_of_instance(const struct tables *t, const struct instance *instance);
/* It is one that aggregates make, and has a host. */
bool engine_is_zone_of_aggregates(const struct tables *t, struct str name);
