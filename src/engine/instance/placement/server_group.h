/* SPDX-License-Identifier: Apache-2.0
 * Server groups (EC2: placement groups), which constrain the placement of their instances relative to each
 * other (placement.c). An instance joins a group at launch. */
#pragma once

#include "engine/operation.h"
#include "model/server_group_words.h"

struct server_group;

/* partitions of a group */
enum { SERVER_GROUP_PARTITIONS_MAX = 7 };

struct server_group_wish {
	struct str name;        /* 1 to 255 characters */
	struct str description; /* up to 255 characters */
	enum server_group_policy policy;
	int64_t max_per_host; /* anti-affinity only; 0: 1 */
	int64_t partitions;   /* policy "partition" only; 0: 2 */
	bool is_name_unique;  /* ERR_EXISTS if the account has a group of that name */
	struct tags tags;
	/* outputs: */
	uuid server_group;
};
/* ERR_QUOTA: the account has the maximum number of groups. */
OPERATION(engine_create_server_group, server_group_wish)

/* Deletes a group; its instances stay where they are. must_be_empty: ERR_IN_USE if it has instances. */
struct server_group_target {
	struct ref server_group;
	bool must_be_empty;
};
OPERATION(engine_delete_server_group, server_group_target)

/* Partition of the group with the fewest instances. */
int64_t server_group_least_partition(const struct tables *t, const struct server_group *group);
