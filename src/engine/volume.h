/* SPDX-License-Identifier: Apache-2.0
 * Volumes: made with instances; seen, and forgotten once their host has confirmed that they are
 * gone. */
#pragma once

#include "engine/operation.h"

/* Deletes a free volume. ERR_IN_USE: attached. */
struct volume_target {
	struct ref volume;
};
OPERATION(engine_delete_volume, volume_target)

/* The reconciler's. Absent: OK. */
struct volume_sight {
	uuid volume;
	uint64_t gen; /* of the row that was brought about */
	int64_t size; /* found on the host; 0: absent */
};
OPERATION(engine_see_volume, volume_sight)
/* ERR_STATE unless deleted. */
OPERATION(engine_forget_volume, volume_sight)
