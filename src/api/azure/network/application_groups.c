/* SPDX-License-Identifier: Apache-2.0
 * Application security groups: sets of interfaces that rules name. Source: Azure REST API reference, "Application Security
 * Groups", 2022-07-01. */
#include "api/azure/network/network.h"

#include "engine/tag.h"
#include "engine/virtual/port_policy.h"
#include "store/port_set.h"

static const struct member properties[] = {AZ_PROPERTIES};
static const struct member members[] = {
	AZ_HEAD,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing sets = {
	.kind = KIND_PORT_SET, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

struct set_args {
	struct port_set_wish make;
	bool is_new;
	uuid id;
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct set_args *a = args;
	a->id = e->target;
	a->is_new = uuid_is_none(e->target);
	a->make.name = e->put.name;
	return OK;
}

static RESULT put(struct op *op, void *args)
{
	struct set_args *a = args;
	if (!a->is_new)
		return OK;
	TRY(engine_create_port_set(op, &a->make));
	a->id = a->make.set;
	return OK;
}

#define SETS AZ_NETWORK "/applicationSecurityGroups"
#define SET AZ_GROUP SETS "/{applicationSecurityGroupName}"
#define OF_ONE .type = AZ_APPLICATION_GROUPS, .kind = KIND_PORT_SET, .names = "applicationSecurityGroupName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION SETS, .name = "ApplicationSecurityGroups_ListAll",
	 .permit = "ec2:DescribePortSets", .type = AZ_APPLICATION_GROUPS, .listing = &sets,
	 .doc = "Lists the subscription's application security groups."},
	{HTTP_GET, AZ_GROUP SETS, .name = "ApplicationSecurityGroups_List", .permit = "ec2:DescribePortSets",
	 .type = AZ_APPLICATION_GROUPS, .listing = &sets,
	 .doc = "Lists a resource group's application security groups."},
	{HTTP_GET, SET, .name = "ApplicationSecurityGroups_Get", .permit = "ec2:DescribePortSets", OF_ONE,
	 .shows = &sets, .doc = "Gets one application security group."},
	{HTTP_PUT, SET, .name = "ApplicationSecurityGroups_CreateOrUpdate", .permit = "ec2:CreatePortSet",
	 .flags = API_WRITES | AZ_PUT, OF_ONE, .args = {0, 0, sizeof(struct set_args)}, .prepare = prepare,
	 .operation = put, .returns = KIND_PORT_SET, AZ_SUBJECT(struct set_args, id), .shows = &sets,
	 .doc = "Creates an application security group."},
	{HTTP_PATCH, SET, .name = "ApplicationSecurityGroups_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_PORT_SET,
	 .shows = &sets, .doc = "Changes an application security group's tags."},
	{HTTP_DELETE, SET, .name = "ApplicationSecurityGroups_Delete", .permit = "ec2:DeletePortSet",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct port_set_target)},
	 AZ_TARGET(struct port_set_target, set), .operation = engine_delete_port_set_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes an application security group that nothing references."},
};
const struct api_actions az_application_group_actions = API_ACTIONS(actions);
