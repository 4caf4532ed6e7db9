/* SPDX-License-Identifier: Apache-2.0
 * Evacuation: instances leave a host that is proven off (engine/region/fence.h), for a host that can access
 * their disks, or with a root disk rebuilt from the image. Nova's term; EC2 says recovery, CloudStack high
 * availability. */
#pragma once

#include "engine/instance/placement/instance_migration.h"

struct instance;

/* Places an instance of a fenced host on another one, where it is started if it is wanted on. For
 * administrators. ERR_STATE with KIND_HOST: the host is not proven off. ERR_STATE with KIND_INSTANCE: busy.
 * ERR_UNSUPPORTED, with the reason: part of the instance exists on its host only. With KIND_HOST:
 * ERR_NOT_FOUND, unknown host; ERR_CONFLICT, the instance is there already. ERR_CAPACITY: the host, or every
 * host, refuses it. */
struct instance_evacuation {
	struct ref instance;
	struct ref host;           /* by name or id; kind none: any */
	bool forces;               /* ignores groups, hints, aggregates and tenancies */
	bool rebuilds;             /* rebuilds a root disk from its image if it exists on the host only */
	struct str admin_password; /* sealed; password for a rebuilt guest to set; empty: none */
	/* outputs: */
	uuid target;
	bool is_rebuilt;
};
OPERATION(engine_evacuate_instance, instance_evacuation)

/* Evacuates all instances of a host. Those that cannot leave wait for it. */
struct host_evacuation {
	struct ref host; /* by name or id */
	bool rebuilds;
	/* outputs: */
	const struct drained_instance *instances;
	size_t instance_count;
};
OPERATION(engine_evacuate_host, host_evacuation)

/* Handles an instance of a fenced host, for the reconciler. It is evacuated if nothing has to be rebuilt and
 * its owner allows it (instance.recovery); a deleted one ends; otherwise it gets the condition
 * WAITS_FOR_HOST. OK if it is gone, or its host is not fenced. */
struct fence_following {
	uuid instance;
};
SYSTEM_OPERATION(engine_follow_fence, fence_following)

/* Condition of an instance that waits for its fenced host. */
#define WAITS_FOR_HOST "WaitsForHost"
