/* SPDX-License-Identifier: Apache-2.0
 * Server groups: rows that say where their instances go in regard to each other. An instance joins one at its
 * launch. What keeps to them: placement.c. */
#pragma once

#include "engine/operation.h"
#include "model/server_group.h"

/* Of an account; of a group. */
enum { SERVER_GROUPS_MAX = 500, SERVER_GROUP_MEMBERS_MAX = 100, SERVER_GROUP_PARTITIONS_MAX = 7 };

struct server_group_wish {
	struct str name; /* 1 to 255 characters */
	enum server_group_policy policy;
	int64_t max_per_host; /* 0: 1; more for anti-affinity only */
	int64_t partitions;   /* 0: 2; for partition only */
	bool is_name_unique;  /* ERR_EXISTS: the account has one of that name */
	struct tags tags;
	/* made: */
	uuid server_group;
};
/* ERR_QUOTA: the account has as many as it may. */
OPERATION(engine_create_server_group, server_group_wish)

/* Its instances stay where they are; must_be_empty: ERR_IN_USE while it has any. */
struct server_group_target {
	struct ref server_group;
	bool must_be_empty;
};
OPERATION(engine_delete_server_group, server_group_target)

/* The part of a partition group that has the fewest instances. */
int64_t server_group_least_partition(const struct tables *t, const struct server_group *group);
