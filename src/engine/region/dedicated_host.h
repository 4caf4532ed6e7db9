/* SPDX-License-Identifier: Apache-2.0
 * Dedicated hosts: an empty machine of the region is set apart for one account. From then on nobody
 * else's instances and disks are placed there, and the account's own instances only if they ask for
 * it. placement.c observes that. */
#pragma once

#include "engine/operation.h"
#include "model/host.h"

struct dedicated_host;
struct instance_type;

enum { DEDICATED_HOSTS_AT_ONCE = 100 };

/* Sets hosts apart. ERR_CAPACITY with KIND_DEDICATED_HOST: fewer hosts of the zone are up, open and
 * empty (without instances, and without others' disks). ERR_QUOTA with that kind. */
struct dedicated_host_wish {
	struct ref zone;   /* by name */
	struct ref type;   /* by name: the only type that it takes; kind none: family is given */
	struct str family; /* it takes all types whose name begins so, up to the dot */
	bool auto_placement;
	bool recovers; /* another machine takes the place of one that is proven to be off */
	int64_t count;
	struct str client_token, digest;
	struct tags tags;
	/* made: */
	struct uuids made;
};
OPERATION(engine_allocate_dedicated_hosts, dedicated_host_wish)

/* A change of one host of several. Each succeeds or fails by itself; permissions are asked for
 * all. */
struct dedicated_host_change {
	struct ref dedicated_host;
	/* The outcome: ERR_NONE, ERR_NOT_FOUND, ERR_IN_USE, ERR_INVALID. */
	enum err err;
	struct str message;
};

/* Changes which types hosts take. ERR_IN_USE: an instance on a host has a type that it would no
 * longer take. ERR_INVALID: another family. */
struct dedicated_host_settings {
	struct dedicated_host_change *changes;
	size_t count;
	enum choice auto_placement, recovers;
	struct ref type;   /* kind none: as it is */
	struct str family; /* empty: as it is; else the host takes all types of it */
};
OPERATION(engine_modify_dedicated_hosts, dedicated_host_settings)

/* Gives hosts back to everybody. ERR_IN_USE: an instance is on one. */
struct dedicated_hosts_target {
	struct dedicated_host_change *changes;
	size_t count;
};
OPERATION(engine_release_dedicated_hosts, dedicated_hosts_target)

/* NULL: the host is not dedicated. */
const struct dedicated_host *engine_find_dedicated(const struct tables *t, uuid host);
bool engine_takes_type(const struct dedicated_host *dedicated, const struct instance_type *type);
/* How many more instances of that type fit on a host of which so much is in use. */
int64_t engine_count_host_room(const struct host *host, const struct host_usage *use,
			       const struct instance_type *type);
int64_t engine_count_host_vcpus(const struct host *host); /* with its overcommitment */
