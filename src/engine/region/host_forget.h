/* SPDX-License-Identifier: Apache-2.0
 * Forgets a host that never comes back, with everything that only it has. The host must be proven off
 * (engine/region/fence.h), so that nothing writes to the lost data. */
#pragma once

#include "base/vec.h"
#include "engine/operation.h"

/* KIND_VOLUME: its data are lost; state `error` until it is deleted. KIND_SNAPSHOT: it fails. KIND_INSTANCE:
 * off, shown as an error by Nova, and cannot start until it is rebuilt or its lost volumes are detached. */
struct lost_thing {
	enum kind kind;
	uuid id;
};

/* Forgets the host. Instances whose disks other hosts see leave it first, even if their owners chose to wait
 * for the host; pending terminations are complete; the others lose their data there. Pending deletions of
 * disks there are complete. ERR_STATE with KIND_HOST: the host is not proven off. ERR_STATE with
 * KIND_INSTANCE: an instance there is in a transition. ERR_IN_USE: the host works on a volume of a shared
 * pool that no other host sees. */
struct host_forgetting {
	struct ref host; /* by name or id */
	/* result: */
	VEC(struct lost_thing) lost;
};
OPERATION(engine_forget_host, host_forgetting)
