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
static const char *strategy_of(const struct server_group *group)
{
	static const char *const words[] = {
		[SERVER_GROUP_POLICY_AFFINITY] = "cluster",
		[SERVER_GROUP_POLICY_SOFT_AFFINITY] = "cluster",
		[SERVER_GROUP_POLICY_ANTI_AFFINITY] = "spread",
		[SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY] = "spread",
		[SERVER_GROUP_POLICY_PARTITION] = "partition",
	};
	return words[group->policy];
}

static bool is_spread(const struct server_group *group)
{
	return str_is(STR("spread"), strategy_of(group));
}

static struct str arn_of(const struct ec2_call *e, const struct server_group *group)
{
	return str_print(e->c->arena, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":placement-group/%" STR_FMT,
			 STR_ARG(e->config->region), STR_ARG(e->owner), STR_ARG(group->name));
}

static bool fits_strategy(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, strategy_of(server_group_of(row)));
}

static bool fits_spread_level(const struct filter_run *f, const struct row *row)
{
	return is_spread(server_group_of(row)) && filter_z(f, "rack");
}

static bool fits_arn(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, arn_of(f->e, server_group_of(row)));
}

static const struct filter group_filters[] = {
	{"group-name", .field = "name", .index = SERVER_GROUP_INDEX_NAME},
	{"group-arn", .get = fits_arn},
	{"spread-level", .get = fits_spread_level},
	{"state", .fixed = "available"},
	{"strategy", .get = fits_strategy},
};

static void write_group(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct server_group *group = item;
	xml_text(x, "groupName", group->name);
	xml_z(x, "state", "available");
	xml_z(x, "strategy", strategy_of(group));
	if (group->partitions)
		xml_int(x, "partitionCount", group->partitions);
	ec2_write_id(x, "groupId", KIND_SERVER_GROUP, group->row.id);
	ec2_write_tags(x, group->tags);
	xml_text(x, "groupArn", arn_of(e, group));
	if (is_spread(group))
		xml_z(x, "spreadLevel", "rack");
}

static const struct ec2_listing group_listing = {.kind = KIND_SERVER_GROUP,
						 .set = "placementGroupSet",
						 .filters = FILTERS(group_filters),
						 .write = write_group};

/* ---- create ---- */

struct ec2_create_placement_group {
	struct server_group_wish wish;
	struct str strategy;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_placement_group, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("GroupName", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Unique in the account."),
	P("Strategy", strategy, .words = "cluster|spread|partition", .absent = "cluster",
	  .doc = "On one host while it has room; each on a host of its own; no host for two partitions."),
	P("PartitionCount", wish.partitions, .min = 1, .max = SERVER_GROUP_PARTITIONS_MAX,
	  .doc = "Of the strategy partition; absent: 2."),
	TAG_SPECIFICATIONS(struct ec2_create_placement_group, tag_specs),
	NOT_BUILT("SpreadLevel", .only = "rack"),
	NOT_BUILT("LinkedGroupId|ParentGroupId|Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_placement_group *a = args;
	a->wish.is_name_unique = true;
	a->wish.policy = str_is(a->strategy, "cluster")  ? SERVER_GROUP_POLICY_SOFT_AFFINITY
			 : str_is(a->strategy, "spread") ? SERVER_GROUP_POLICY_ANTI_AFFINITY
							 : SERVER_GROUP_POLICY_PARTITION;
	return ec2_take_tags(e, &a->tag_specs, "placement-group", "placement-group", &a->wish.tags);
}

static RESULT ec2_create_placement_group(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_placement_group *a = args;
	return ec2_write_returned(e, &group_listing, a->wish.server_group, "placementGroup", x);
}

/* ---- delete ---- */

static const struct param delete_params[] = {
	PARAM(struct server_group_target, "GroupName", server_group, .flags = REQUIRED | BY_NAME,
	      .kind = KIND_SERVER_GROUP, .max = 255, .doc = "The group."),
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
	 .doc = "Placement groups of the account."},
	{EC2_ACTION("CreatePlacementGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_placement_group, create_params), .prepare = prepare_create,
	 .operation = engine_create_server_group_run, .answer = ec2_create_placement_group,
	 .returns = KIND_SERVER_GROUP, .doc = "Makes a group whose instances are placed together, or apart."},
	{EC2_ACTION("DeletePlacementGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct server_group_target, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_server_group_run,
	 .doc = "Deletes a placement group that no instance is in."},
};
const struct api_actions ec2_placement_group_actions = API_ACTIONS(actions);
