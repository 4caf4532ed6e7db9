/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of server groups. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* The group has that part; 0: none is said; group NULL: none has any. ERR_INVALID. */
RESULT server_group_check_partition(struct op *op, const struct server_group *group, int64_t partition,
				    struct str field);
/* As many more may join it. ERR_QUOTA. */
RESULT server_group_check_members(struct op *op, const struct server_group *group, int64_t more,
				  struct str field);
