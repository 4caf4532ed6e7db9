/* SPDX-License-Identifier: Apache-2.0
 * A host that never comes back is forgotten, with all that lies on it alone. It has to be proven to be off
 * (engine/region/fence.h): what would be lost is not written any more. */
#pragma once

#include "base/vec.h"
#include "engine/operation.h"

/* Of KIND_VOLUME: its bytes are gone; it is an `error` until it is deleted. KIND_SNAPSHOT: it fails. KIND_INSTANCE:
 * it is off, shown as an error by Nova, and cannot be started until it is rebuilt or has no lost volume. */
struct lost_thing {
	enum kind kind;
	uuid id;
};

/* Forgets the host. Instances whose disks others see leave it first, whether their owners want them to wait or not;
 * those that were to end have ended; the others lose what was there. Deleted disks that waited for it are gone.
 * ERR_STATE with KIND_HOST: it is not proven to be off. ERR_STATE with KIND_INSTANCE: something is under way of an
 * instance there. ERR_IN_USE: something of a shared pool is worked on through it, and no other host sees that. */
struct host_forgetting {
	struct ref host; /* by name or id */
	/* made: */
	VEC(struct lost_thing) lost;
};
OPERATION(engine_forget_host, host_forgetting)
