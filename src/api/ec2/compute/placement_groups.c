/* SPDX-License-Identifier: Apache-2.0
 * Placement groups, called server groups in Nova: CreatePlacementGroup, DescribePlacementGroups,
 * DeletePlacementGroup. Launching into one: run_instances.c. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/instance/placement/server_group.h"
#include "model/server_group.h"

/* ---- describe ---- */

struct ec2_describe_placement_groups {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_NAMES(struct ec2_describe_placement_groups, "GroupName", KIND_SERVER_GROUP,
		    "Placement groups by name."),
	QUERY_IDS(struct ec2_describe_placement_groups, "GroupId", KIND_SERVER_GROUP,
		  "Placement groups by id."),
	QUERY_FILTERS(struct ec2_describe_placement_groups),
};

/* Nova's hard policy and its soft one are the same strategy in EC2. */
static const char *const strategies[] = {
	[SERVER_GROUP_POLICY_AFFINITY] = "cluster",     [SERVER_GROUP_POLICY_SOFT_AFFINITY] = "cluster",
	[SERVER_GROUP_POLICY_ANTI_AFFINITY] = "spread", [SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY] = "spread",
	[SERVER_GROUP_POLICY_PARTITION] = "partition",
};
static const char *const spread_levels[] = {
	[SERVER_GROUP_POLICY_ANTI_AFFINITY] = "rack",
	[SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY] = "rack",
	[SERVER_GROUP_POLICY_PARTITION] = NULL,
};

ATTRIBUTE_GETTER(server_group, group, struct str, get_arn,
		 str_print(e->c->arena, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":placement-group/%" STR_FMT,
			   STR_ARG(ec2_call_of(e)->config->region), STR_ARG(ec2_call_of(e)->owner),
			   STR_ARG(group->name)))

static const struct attribute group_rows[] = {
	ATTRIBUTE(server_group, "groupName", name, .filter = "group-name", .index = SERVER_GROUP_INDEX_NAME),
	ATTRIBUTE_CONST("state", "available", .filter = "state"),
	ATTRIBUTE_AS(ENUM, server_group, "strategy", policy, .words = strategies, .filter = "strategy"),
	ATTRIBUTE(server_group, "partitionCount", partitions, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_OWN_ID(server_group, "groupId", KIND_SERVER_GROUP),
	ATTRIBUTE(server_group, "tagSet", tags),
	ATTRIBUTE_MADE(TEXT, text, "groupArn", get_arn, .filter = "group-arn"),
	ATTRIBUTE_AS(ENUM, server_group, "spreadLevel", policy, .words = spread_levels,
		     .filter = "spread-level"),
};
static const struct attributes group_members = ATTRIBUTES(group_rows);

static const struct ec2_listing group_listing = {.kind = KIND_SERVER_GROUP,
						 .set = "placementGroupSet",
						 .filters = FILTERS_OF(group_members),
						 .attributes = &group_members};

/* ---- create ---- */

struct ec2_create_placement_group {
	struct server_group_wish wish;
	struct str strategy;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_placement_group, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("GroupName", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
	  .doc = "Name of the placement group; unique in the account."),
	P("Strategy", strategy, .words = "cluster|spread|partition", .absent = "cluster",
	  .doc = "cluster: on one host while it has room; spread: each instance on another host; partition: "
		 "partitions share no host."),
	P("PartitionCount", wish.partitions, .min = 1, .max = SERVER_GROUP_PARTITIONS_MAX,
	  .doc = "Number of partitions of a partition group; absent: 2."),
	TAG_SPECIFICATIONS(struct ec2_create_placement_group, tag_specs),
	NOT_BUILT("SpreadLevel", .only = "rack"),
	NOT_BUILT("LinkedGroupId|ParentGroupId|Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_placement_group *a = args;
	(void) e;
	a->wish.is_name_unique = true;
	a->wish.policy = str_is(a->strategy, "cluster")  ? SERVER_GROUP_POLICY_SOFT_AFFINITY
			 : str_is(a->strategy, "spread") ? SERVER_GROUP_POLICY_ANTI_AFFINITY
							 : SERVER_GROUP_POLICY_PARTITION;
	return OK;
}

/* ---- delete ---- */

static const struct param delete_params[] = {
	PARAM(struct server_group_target, "GroupName", server_group, .flags = REQUIRED | BY_NAME,
	      .kind = KIND_SERVER_GROUP, .max = 255, .doc = "Placement group by name."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct server_group_target *wish = args;
	(void) e;
	wish->must_be_empty = true;
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribePlacementGroups"),
	 .args = PARAMS(struct ec2_describe_placement_groups, describe_params), .list = &group_listing,
	 .doc = "Lists the account's placement groups."},
	{EC2_ACTION("CreatePlacementGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_placement_group, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_placement_group, "placement-group"),
	 .operation = engine_create_server_group_run,
	 EC2_SHOWS(group_listing, struct ec2_create_placement_group, wish.server_group, "placementGroup"),
	 .returns = KIND_SERVER_GROUP,
	 .doc = "Creates a placement group, which keeps instances together or apart."},
	{EC2_ACTION("DeletePlacementGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct server_group_target, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_server_group_run, .doc = "Deletes a placement group without instances."},
};
const struct api_actions ec2_placement_group_actions = API_ACTIONS(actions);
