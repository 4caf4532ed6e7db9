/* SPDX-License-Identifier: Apache-2.0
 * Subnets. Each made here lives on a network (segment) of its own, as EC2's do. */
#pragma once

#include "engine/operation.h"

/* ERR_RANGE: outside of the router's blocks or not /16 to /28. ERR_CONFLICT: overlaps another. */
struct subnet_wish {
	struct ref router;
	struct cidr block;
	struct ref zone; /* by name or short id; kind none: the first enabled zone */
	struct str name;
	bool public_on_launch;
	struct tags tags;
	/* made: */
	uuid subnet;
};
OPERATION(engine_create_subnet, subnet_wish)

struct subnet_settings {
	struct ref subnet;
	enum choice public_on_launch;
};
OPERATION(engine_update_subnet, subnet_settings)

/* ERR_IN_USE while it has ports. */
struct subnet_target {
	struct ref subnet;
};
OPERATION(engine_delete_subnet, subnet_target)

/* With its network. Absent: OK; ERR_IN_USE while ports of it are not forgotten. */
struct subnet_forget {
	uuid subnet;
};
OPERATION(engine_forget_subnet, subnet_forget)

/* Addresses left to hand out, as EC2 counts (five reserved). Any live row of a view. */
int64_t engine_count_free_addresses(const struct subnet *subnet);
