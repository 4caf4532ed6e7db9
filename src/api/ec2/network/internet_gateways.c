/* SPDX-License-Identifier: Apache-2.0
 * Internet gateways: describe, create, attach, detach, delete. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/routing/gateway.h"
#include "model/gateway.h"

/* ---- describe ---- */

struct ec2_describe_gateways {
	struct ec2_query query;
};
static const struct param describe_gateways_params[] = {
	QUERY_IDS(struct ec2_describe_gateways, "InternetGatewayId", KIND_GATEWAY, "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_gateways),
	QUERY_PAGES(struct ec2_describe_gateways, 5, 1000),
};

static struct attribute_rows list_attachment(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, !uuid_is_none(gateway_of(row)->router), 0);
}

static const struct attribute attachment_rows[] = {
	ATTRIBUTE_REF(gateway, "vpcId", router, KIND_ROUTER, .filter = "attachment.vpc-id",
		      ATTRIBUTE_PATHS({KIND_GATEWAY, GATEWAY_INDEX_ROUTER})),
	ATTRIBUTE_CONST("state", "available", .filter = "attachment.state"),
};
static const struct attributes attachment_members = ATTRIBUTES(attachment_rows);
static const struct attribute gateway_rows[] = {
	ATTRIBUTE_OWN_ID(gateway, "internetGatewayId", KIND_GATEWAY, .filter = "internet-gateway-id"),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE_ROWS("attachmentSet", attachment_members, list_attachment,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(gateway, "tagSet", tags),
};
static const struct attributes gateway_members = ATTRIBUTES(gateway_rows);

static const struct ec2_listing gateway_listing = {.kind = KIND_GATEWAY,
						   .set = "internetGatewaySet",
						   .filters = FILTERS_OF(gateway_members),
						   .attributes = &gateway_members};

/* ---- create, attach, detach, delete ---- */

struct ec2_create_gateway {
	struct gateway_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_gateway_params[] = {
	TAG_SPECIFICATIONS(struct ec2_create_gateway, tag_specs),
};

#define P(wire, member, ...) PARAM(struct gateway_attachment, wire, member, __VA_ARGS__)
static const struct param attachment_params[] = {
	P("InternetGatewayId", gateway, .flags = REQUIRED, .kind = KIND_GATEWAY,
	  .doc = "The internet gateway."),
	P("VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
};
#undef P

static const struct param delete_gateway_params[] = {
	PARAM(struct gateway_target, "InternetGatewayId", gateway, .flags = REQUIRED, .kind = KIND_GATEWAY,
	      .doc = "The internet gateway."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInternetGateways"),
	 .args = PARAMS(struct ec2_describe_gateways, describe_gateways_params), .list = &gateway_listing,
	 .doc = "Lists the account's internet gateways."},
	{EC2_ACTION("CreateInternetGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_gateway, create_gateway_params),
	 EC2_TAGS(struct ec2_create_gateway, "internet-gateway"), .operation = engine_create_gateway_run,
	 .returns = KIND_GATEWAY,
	 EC2_SHOWS(gateway_listing, struct ec2_create_gateway, wish.gateway, "internetGateway"),
	 .doc = "Creates an internet gateway, not yet attached to a VPC."},
	{EC2_ACTION("AttachInternetGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct gateway_attachment, attachment_params), .operation = engine_attach_gateway_run,
	 .doc = "Attaches an internet gateway to a VPC."},
	{EC2_ACTION("DetachInternetGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct gateway_attachment, attachment_params), .operation = engine_detach_gateway_run,
	 .doc = "Detaches an internet gateway from its VPC."},
	{EC2_ACTION("DeleteInternetGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct gateway_target, delete_gateway_params), .operation = engine_delete_gateway_run,
	 .doc = "Deletes an internet gateway that is not attached."},
};
const struct api_actions ec2_gateway_actions = API_ACTIONS(actions);
