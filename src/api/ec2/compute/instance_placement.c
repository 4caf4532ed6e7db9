/* SPDX-License-Identifier: Apache-2.0
 * ModifyInstancePlacement: host, group and tenancy of a stopped instance. The change itself:
 * engine/instance/placement/instance_placement.c. */
#include "api/ec2/compute/instances.h"
#include "engine/instance/instance.h"
#include "engine/instance/placement/server_group.h"

struct ec2_modify_placement {
	struct instance_placement wish;
	struct str group_name, tenancy;
	bool has_group_name;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_placement, wire, member, __VA_ARGS__)
static const struct param modify_placement_params[] = {
	P("InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "A stopped instance."),
	P("GroupName", group_name, .max = 255,
	  .given = offsetof(struct ec2_modify_placement, has_group_name) + 1,
	  .doc = "Placement group by name; empty: removes the instance from its group."),
	P("GroupId", wish.server_group, .kind = KIND_SERVER_GROUP,
	  .doc = "Placement group by id, instead of its name."),
	P("PartitionNumber", wish.partition, .min = 1, .max = SERVER_GROUP_PARTITIONS_MAX,
	  .doc = "Partition in a partition group; absent in a new group: the one with the fewest instances."),
	P("Tenancy", tenancy, .words = "dedicated|host",
	  .doc = "New tenancy. Only changes between dedicated and host are allowed."),
	P("HostId", wish.dedicated_host, .kind = KIND_DEDICATED_HOST,
	  .doc = "Dedicated host of an instance with tenancy host."),
	P("Affinity", wish.host_affinity, .yes = "host", .no = "default",
	  .doc = "host: the instance restarts on the same dedicated host. May change while the instance "
		 "runs."),
	NOT_BUILT("HostResourceGroupArn"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_placement *a = args;
	struct ref *group = &a->wish.server_group;
	if (a->has_group_name && group->kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("GroupId"),
				      "The parameters groupName and groupId may not be specified together");
	a->wish.set_group = a->has_group_name || group->kind != KIND_NONE;
	if (a->group_name.n)
		*group = (struct ref){
			.kind = KIND_SERVER_GROUP, .text = a->group_name, .field = STR("GroupName")};
	a->wish.set_tenancy = a->tenancy.n > 0;
	a->wish.tenancy = ec2_read_tenancy(a->tenancy);
	if (!a->wish.set_group && !a->wish.partition && !a->wish.set_tenancy &&
	    a->wish.host_affinity == CHOICE_DEFAULT && a->wish.dedicated_host.kind == KIND_NONE)
		return ctx_fail_field(e->c, ERR_MISSING, STR("GroupName"),
				      "The request must contain at least one of GroupName, GroupId, "
				      "PartitionNumber, Tenancy, HostId and Affinity");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("ModifyInstancePlacement"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_placement, modify_placement_params), .prepare = prepare_modify,
	 .operation = engine_change_placement_run,
	 .doc = "Changes the placement of a stopped instance, which moves to another host if necessary."},
};
const struct api_actions ec2_placement_actions = API_ACTIONS(actions);
