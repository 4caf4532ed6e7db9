/* SPDX-License-Identifier: Apache-2.0
 * Evacuation: an instance leaves a host that is proven to be off (engine/region/fence.h), for one that sees its
 * disks, or that gets a root disk made anew from its image. Nova's word; EC2 calls it recovery, CloudStack high
 * availability. */
#pragma once

#include "engine/instance/instance_migration.h"

struct instance;

/* Places an instance of a host that is off on another one, where it is started if it is wanted on. Only
 * administrators may ask.
 * ERR_STATE with KIND_HOST: its host is not proven to be off. ERR_STATE with KIND_INSTANCE: something else is
 * under way. ERR_UNSUPPORTED: something of it is on its host alone, in words. ERR_NOT_FOUND and ERR_CONFLICT with
 * KIND_HOST: no such host; it is there. ERR_CAPACITY: that host does not take it, or none does. */
struct instance_evacuation {
	struct ref instance;
	struct ref host; /* by name or id; kind none: any */
	bool forces;     /* the host is taken whatever groups, hints, aggregates and tenancies say */
	bool rebuilds;   /* a root disk that is on its host alone is made anew from its image */
	struct str admin_password; /* sealed; what a guest whose root is made anew is to set; empty: none */
	/* made: */
	uuid target;
	bool is_rebuilt;
};
OPERATION(engine_evacuate_instance, instance_evacuation)

/* The same for all that a host has; what cannot leave waits for it. */
struct host_evacuation {
	struct ref host; /* by name or id */
	bool rebuilds;
	/* made: */
	const struct drained_instance *instances;
	size_t instance_count;
};
OPERATION(engine_evacuate_host, host_evacuation)

/* For the reconciler: of an instance whose host is off. It leaves if that needs nothing made anew and its owner
 * does not want it to wait (instance.recovery); an ended one ends. Else it has a condition. Absent, or its host is
 * not off: OK. */
struct fence_following {
	uuid instance;
};
OPERATION(engine_follow_fence, fence_following)

/* The condition of an instance whose host is off, and that waits for it. */
#define WAITS_FOR_HOST "WaitsForHost"
