/* SPDX-License-Identifier: Apache-2.0
 * What Azure's users move from one of their resource groups to another: names change, and nothing else does. What is a part of
 * another (a subnet of a network) goes with that. */
#pragma once

#include "engine/operation.h"

enum { RESOURCES_MOVED_MAX = 800 }; /* Azure's, of a request */

struct moved_resource {
	struct str type,
		name; /* "Microsoft.Compute/disks", "disk1"; of what has no name so far: what it is to be called */
	enum kind kind;
	uuid target;
};
struct resources_move {
	uuid from, to; /* groups; none: dari-default */
	const struct moved_resource *resources;
	size_t count;
	bool is_tried; /* nothing is written: whether it could be */
};
/* ERR_STATE: a group is being deleted. ERR_EXISTS: the other group has one of that type and name. ERR_PROTECTED: a lock is on one of
 * them, or a lock for reading alone on the other group. ERR_CONFLICT: one is not in that group any more. */
OPERATION(engine_move_resources, resources_move)
