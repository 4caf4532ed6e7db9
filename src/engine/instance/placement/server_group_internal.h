/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: server groups. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Checks that the group has the partition; 0 (none) is always valid. group NULL: has no partitions.
 * ERR_INVALID. */
RESULT server_group_check_partition(struct op *op, const struct server_group *group, int64_t partition,
				    struct str field);
/* Checks that `more` instances may join the group. ERR_QUOTA. */
RESULT server_group_check_members(struct op *op, const struct server_group *group, int64_t more,
				  struct str field);
