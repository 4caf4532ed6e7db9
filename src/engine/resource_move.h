/* SPDX-License-Identifier: Apache-2.0
 * Moves resources between Azure resource groups: only their names change. A part of another resource (such as
 * a subnet) moves with the whole. */
#pragma once

#include "engine/operation.h"

enum { RESOURCES_MOVED_MAX = 800 }; /* Azure's limit per request */

struct moved_resource {
	struct str type,
		name; /* "Microsoft.Compute/disks", "disk1"; for an unnamed row, the name to give it */
	enum kind kind;
	uuid target;
};
struct resources_move {
	uuid from, to; /* groups; none: dari-default */
	const struct moved_resource *resources;
	size_t count;
	bool is_tried; /* only checks, writes nothing */
};
/* ERR_STATE: a group is being deleted. ERR_EXISTS: the target group has a resource with that type and name.
 * ERR_PROTECTED: a resource is locked, or the target group has a read-only lock. ERR_CONFLICT: a resource has
 * left the group. */
OPERATION(engine_move_resources, resources_move)
