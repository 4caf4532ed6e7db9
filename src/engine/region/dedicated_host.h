/* SPDX-License-Identifier: Apache-2.0
 * Dedicated hosts: an empty host of the region is reserved for one account. Others' instances and disks are
 * no longer placed there, and the account's own only on request. placement.c enforces it. */
#pragma once

#include "engine/operation.h"

struct host;
struct host_usage;
struct dedicated_host;
struct instance_type;

enum { DEDICATED_HOSTS_AT_ONCE = 100 };

/* Allocates hosts. ERR_CAPACITY with KIND_DEDICATED_HOST: too few hosts of the zone are up, open and empty
 * (no instances, and no disks of others). ERR_QUOTA with that kind. */
struct dedicated_host_wish {
	struct ref zone;   /* by name */
	struct ref type;   /* by name: the only type it accepts; kind none: `family` is given */
	struct str family; /* accepts all types of this family: the part of the name before the dot */
	bool auto_placement;
	bool recovers; /* replaced by another machine if it is proven off */
	int64_t count;
	struct str client_token, digest;
	struct tags tags;
	/* result: */
	struct uuids made;
};
OPERATION(engine_allocate_dedicated_hosts, dedicated_host_wish)

/* A change of one of several hosts. Each succeeds or fails on its own; permissions are checked for all. */
struct dedicated_host_change {
	struct ref dedicated_host;
	/* The outcome: ERR_NONE, ERR_NOT_FOUND, ERR_IN_USE, ERR_INVALID. */
	enum err err;
	struct str message;
};

/* Changes the types that hosts accept. ERR_IN_USE: an instance on a host has a type it would no longer
 * accept. ERR_INVALID: another family. */
struct dedicated_host_settings {
	struct dedicated_host_change *changes;
	size_t count;
	enum choice auto_placement, recovers;
	struct ref type;   /* kind none: no change */
	struct str family; /* empty: no change; otherwise accepts all types of the family */
};
OPERATION(engine_modify_dedicated_hosts, dedicated_host_settings)

/* Releases hosts for general use. ERR_IN_USE: an instance is on one. */
struct dedicated_hosts_target {
	struct dedicated_host_change *changes;
	size_t count;
};
OPERATION(engine_release_dedicated_hosts, dedicated_hosts_target)

/* NULL: the host is not dedicated. */
const struct dedicated_host *engine_find_dedicated(const struct tables *t, uuid host);
bool engine_takes_type(const struct dedicated_host *dedicated, const struct instance_type *type);
/* The number of further instances of that type that fit on the host, given its usage. */
int64_t engine_count_host_room(const struct host *host, const struct host_usage *use,
			       const struct instance_type *type);
int64_t engine_count_host_vcpus(const struct host *host); /* including overcommitment */
