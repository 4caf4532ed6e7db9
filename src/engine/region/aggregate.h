/* SPDX-License-Identifier: Apache-2.0
 * Aggregates: groups of hosts under a name, for the operator. An instance type whose extra specs
 * have "aggregate_instance_extra_specs:KEY" is placed on hosts of aggregates whose property KEY has
 * that value (placement.c). Instances stay where they are, whatever happens to an aggregate. */
#pragma once

#include "engine/operation.h"

#define AGGREGATE_SPEC "aggregate_instance_extra_specs:"

enum { AGGREGATES_MAX = 1000 };

struct aggregate_wish {
	struct str name; /* 1 to 255 characters */
	struct ref zone; /* by name or id; kind none: not given */
	/* made: */
	uuid aggregate;
};
/* ERR_EXISTS: the name is taken; ERR_INVALID with KIND_ZONE: there is no such zone. */
OPERATION(engine_create_aggregate, aggregate_wish)

struct aggregate_settings {
	struct ref aggregate;
	const struct str *name;    /* NULL: as it is */
	const struct ref *zone;    /* NULL: as it is; kind none: removed */
	struct tags properties;    /* to set */
	struct strs no_properties; /* keys to remove; absent ones are */
	struct ref add_host, remove_host;
};
/* ERR_INVALID with KIND_ZONE: hosts of it are in another zone. With KIND_HOST: ERR_EXISTS, it has
 * that host; ERR_CONFLICT, that host is in another zone; ERR_NOT_FOUND. */
OPERATION(engine_update_aggregate, aggregate_settings)

struct aggregate_target {
	struct ref aggregate;
};
/* ERR_IN_USE: it has hosts. */
OPERATION(engine_delete_aggregate, aggregate_target)
