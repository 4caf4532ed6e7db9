/* SPDX-License-Identifier: Apache-2.0
 * Associations of security groups with further VPCs: AssociateSecurityGroupVpc,
 * DisassociateSecurityGroupVpc, DescribeSecurityGroupVpcAssociations. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/filter/security_group_association.h"
#include "model/security_group_association.h"

/* ---- describe ---- */

struct ec2_describe_associations {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_FILTERS(struct ec2_describe_associations),
	QUERY_PAGES(struct ec2_describe_associations, 5, 1000),
};

static const struct filter association_filters[] = {
	{"group-id", .field = "group", .index = SECURITY_GROUP_ASSOCIATION_INDEX_GROUP},
	{"group-owner-id", .get = filter_owner},
	{"state", .fixed = "associated"},
	{"vpc-id", .field = "router", .index = SECURITY_GROUP_ASSOCIATION_INDEX_ROUTER},
	{"vpc-owner-id", .get = filter_owner},
};

static void write_association(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct security_group_association *a = item;
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, a->group);
	ec2_write_id(x, "vpcId", KIND_ROUTER, a->router);
	xml_text(x, "vpcOwnerId", e->owner);
	xml_z(x, "state", "associated");
	xml_text(x, "groupOwnerId", e->owner);
}

static const struct ec2_listing association_listing = {.kind = KIND_SECURITY_GROUP_ASSOCIATION,
						       .set = "securityGroupVpcAssociationSet",
						       .filters = FILTERS(association_filters),
						       .write = write_association};

/* ---- changes ---- */

static const struct param change_params[] = {
	PARAM(struct security_group_association_wish, "GroupId", group, .flags = REQUIRED,
	      .kind = KIND_SECURITY_GROUP, .doc = "A security group, except a VPC's default group."),
	PARAM(struct security_group_association_wish, "VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "Additional VPC for the group; neither its own VPC nor the default VPC."),
};

static RESULT write_state(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) args;
	xml_z(x, "state", ec2_state_in_answer(e, NULL));
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSecurityGroupVpcAssociations"),
	 .args = PARAMS(struct ec2_describe_associations, describe_params), .list = &association_listing,
	 .doc = "Lists the additional VPCs of security groups."},
	{EC2_ACTION("AssociateSecurityGroupVpc"), .flags = API_WRITES,
	 .args = PARAMS(struct security_group_association_wish, change_params),
	 .operation = engine_associate_security_group_run, .answer = write_state,
	 .state_in_answer = "associating",
	 .doc = "Associates a security group with an additional VPC, whose interfaces may then use it."},
	{EC2_ACTION("DisassociateSecurityGroupVpc"), .flags = API_WRITES,
	 .args = PARAMS(struct security_group_association_wish, change_params),
	 .operation = engine_disassociate_security_group_run, .answer = write_state,
	 .state_in_answer = "disassociating",
	 .doc = "Disassociates a security group from an additional VPC. Fails while an interface there uses "
		"it."},
};
const struct api_actions ec2_group_association_actions = API_ACTIONS(actions);
