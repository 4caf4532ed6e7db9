/* SPDX-License-Identifier: Apache-2.0
 * Server groups: rows that say where their instances go in regard to each other. An instance joins one at its
 * launch. What keeps to them: placement.c. */
#pragma once

#include "engine/operation.h"

enum { SERVER_GROUPS_MAX = 100, SERVER_GROUP_MEMBERS_MAX = 100 }; /* of an account; of a group */

struct server_group_wish {
	struct str name; /* 1 to 255 characters */
	enum server_group_policy policy;
	int64_t max_per_host; /* 0: 1; more for anti-affinity only */
	/* made: */
	uuid server_group;
};
/* ERR_QUOTA: the account has as many as it may. */
OPERATION(engine_create_server_group, server_group_wish)

/* Its instances stay where they are. */
struct server_group_target {
	struct ref server_group;
};
OPERATION(engine_delete_server_group, server_group_target)
