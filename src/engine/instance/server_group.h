/* SPDX-License-Identifier: Apache-2.0
 * Server groups (EC2's placement groups): rows that say where instances are placed with regard to
 * each other. An instance joins a group at its launch. placement.c observes them. */
#pragma once

#include "engine/operation.h"
#include "model/server_group.h"

/* Limits: groups of an account; instances and partitions of a group. */
enum { SERVER_GROUP_PARTITIONS_MAX = 7 };

struct server_group_wish {
	struct str name;        /* 1 to 255 characters */
	struct str description; /* up to 255 characters */
	enum server_group_policy policy;
	int64_t max_per_host; /* 0: 1; more is for anti-affinity only */
	int64_t partitions;   /* 0: 2; for the policy "partition" only */
	bool is_name_unique;  /* ERR_EXISTS if the account has a group of that name */
	struct tags tags;
	/* made: */
	uuid server_group;
};
/* ERR_QUOTA: the account has as many groups as it may. */
OPERATION(engine_create_server_group, server_group_wish)

/* Deletes a group. Its instances stay where they are. must_be_empty: ERR_IN_USE while it has
 * any. */
struct server_group_target {
	struct ref server_group;
	bool must_be_empty;
};
OPERATION(engine_delete_server_group, server_group_target)

/* The partition of a group that has the fewest instances. */
int64_t server_group_least_partition(const struct tables *t, const struct server_group *group);
