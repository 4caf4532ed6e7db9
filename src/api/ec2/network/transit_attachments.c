/* SPDX-License-Identifier: Apache-2.0
 * Attachments of VPCs to transit gateways: Create…, Describe…, Modify…, Delete…, Accept… and
 * RejectTransitGatewayVpcAttachment, DescribeTransitGatewayAttachments, GetTransitGatewayRouteTableAssociations and
 * GetTransitGatewayRouteTablePropagations. Other resources than VPCs are not attached here. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/transit.h"
#include "engine/transit/transit.h"
#include "model/states.h"
#include "model/transit_attachment.h"

/* ---- items ---- */

void ec2_write_transit_resource(struct xml *x, uuid router)
{
	ec2_write_id(x, "resourceId", KIND_ROUTER, router);
	xml_z(x, "resourceType", "vpc");
}

static const void *find_associated(struct api_call *e, const struct row *row)
{
	(void) e;
	return uuid_is_none(transit_attachment_of(row)->table) ? NULL : row;
}

static struct strs list_subnets(struct api_call *e, const struct row *row)
{
	const struct uuids *subnets = &transit_attachment_of(row)->subnets;
	struct str *ids = arena_new_array(e->c->arena, struct str, subnets->count);
	for (size_t k = 0; ids && k < subnets->count; k++)
		ids[k] = id_to_ec2(e->c->arena, KIND_SUBNET, subnets->at[k]);
	return (struct strs){ids, ids ? subnets->count : 0};
}

/* Lists show an empty set of tags, the answers of changes do not. */
static const void *find_tagged(struct api_call *e, const struct row *row)
{
	bool is_change = ec2_is_change(ec2_call_of(e));
	return is_change && !transit_attachment_of(row)->tags.count ? NULL : row;
}

#define ID                                                                                                   \
	ATTRIBUTE_OWN_ID(transit_attachment, "transitGatewayAttachmentId", KIND_TRANSIT_ATTACHMENT,          \
			 .filter = "transit-gateway-attachment-id")
#define GATEWAY                                                                                              \
	ATTRIBUTE_REF(transit_attachment, "transitGatewayId", gateway, KIND_TRANSIT_GATEWAY,                 \
		      .filter = "transit-gateway-id", .index = TRANSIT_ATTACHMENT_INDEX_GATEWAY)
#define RESOURCE                                                                                             \
	ATTRIBUTE_REF(transit_attachment, "resourceId", router, KIND_ROUTER, .filter = "resource-id",        \
		      .index = TRANSIT_ATTACHMENT_INDEX_ROUTER),                                             \
		ATTRIBUTE_CONST("resourceType", "vpc", .filter = "resource-type")
#define STATE(...) ATTRIBUTE_STATE_OF("state", KIND_TRANSIT_ATTACHMENT, .filter = "state", __VA_ARGS__)
#define CREATED ATTRIBUTE_AS(TIME, transit_attachment, "creationTime", row.created_us)
static const struct attribute option_rows[] = {
	ATTRIBUTE(transit_attachment, "dnsSupport", dns_support, .words = ec2_enable_words),
	ATTRIBUTE_CONST("securityGroupReferencingSupport", "disable"),
	ATTRIBUTE(transit_attachment, "ipv6Support", ipv6_support, .words = ec2_enable_words),
	ATTRIBUTE_CONST("applianceModeSupport", "disable"),
};
static const struct attributes option_members = ATTRIBUTES(option_rows);
static const struct attribute tag_rows[] = {ATTRIBUTE(transit_attachment, "tagSet", tags)};
static const struct attributes tag_members = ATTRIBUTES(tag_rows);
static const struct attribute vpc_attachment_rows[] = {
	ID,
	GATEWAY,
	ATTRIBUTE_REF(transit_attachment, "vpcId", router, KIND_ROUTER, .filter = "vpc-id",
		      .index = TRANSIT_ATTACHMENT_INDEX_ROUTER),
	EC2_OWNER("vpcOwnerId"),
	STATE(.flags = ATTRIBUTE_IN_ANSWER),
	ATTRIBUTE_MADE(TEXTS, texts, "subnetIds", list_subnets),
	CREATED,
	ATTRIBUTE_WITHIN("options", option_members),
	ATTRIBUTE_INLINE(tag_members, find_tagged),
};
static const struct attributes vpc_attachment_members = ATTRIBUTES(vpc_attachment_rows);
static const struct attribute association_rows[] = {
	ATTRIBUTE_REF(transit_attachment, "transitGatewayRouteTableId", table, KIND_TRANSIT_ROUTE_TABLE,
		      .filter = "association.transit-gateway-route-table-id",
		      ATTRIBUTE_PATHS({KIND_TRANSIT_ATTACHMENT, TRANSIT_ATTACHMENT_INDEX_TABLE})),
	ATTRIBUTE_CONST("state", "associated", .filter = "association.state"),
};
static const struct attributes association_members = ATTRIBUTES(association_rows);
static const struct attribute attachment_rows[] = {
	ID,
	GATEWAY,
	EC2_OWNER("transitGatewayOwnerId", .filter = "transit-gateway-owner-id"),
	EC2_OWNER("resourceOwnerId", .filter = "resource-owner-id"),
	RESOURCE,
	STATE(),
	ATTRIBUTE_WITHIN_OF("association", association_members, find_associated,
			    .flags = ATTRIBUTE_FILTERS_WITHIN),
	CREATED,
	ATTRIBUTE(transit_attachment, "tagSet", tags),
};
static const struct attributes attachment_members = ATTRIBUTES(attachment_rows);

/* ---- describe ---- */

struct ec2_describe_attachments {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_attachments, "TransitGatewayAttachmentIds", KIND_TRANSIT_ATTACHMENT,
		  "Attachments by id."),
	QUERY_FILTERS(struct ec2_describe_attachments),
	QUERY_PAGES(struct ec2_describe_attachments, 5, 1000),
};

static const struct ec2_listing vpc_attachment_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
							  .set = "transitGatewayVpcAttachments",
							  .filters = FILTERS_OF(vpc_attachment_members),
							  .attributes = &vpc_attachment_members};
static const struct ec2_listing attachment_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
						      .set = "transitGatewayAttachments",
						      .filters = FILTERS_OF(attachment_members),
						      .attributes = &attachment_members};

/* ---- associations and propagations of a route table ---- */

struct ec2_get_uses {
	struct ec2_query query;
	struct ref table;
	uuid found;
};
static const struct param get_params[] = {
	PARAM(struct ec2_get_uses, "TransitGatewayRouteTableId", table, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_ROUTE_TABLE, .doc = "The transit gateway route table."),
	QUERY_FILTERS(struct ec2_get_uses),
	QUERY_PAGES(struct ec2_get_uses, 5, 1000),
};

static RESULT prepare_get(struct ec2_call *e, void *args)
{
	struct ec2_get_uses *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, ec2_tables(e), KIND_TRANSIT_ROUTE_TABLE, &a->table, &row));
	a->found = row->id;
	return OK;
}

static bool is_associated(struct ec2_call *e, const struct row *row)
{
	const struct ec2_get_uses *a = e->args;
	return uuid_equal(transit_attachment_of(row)->table, a->found);
}

static bool is_propagating(struct ec2_call *e, const struct row *row)
{
	const struct ec2_get_uses *a = e->args;
	return uuids_have(&transit_attachment_of(row)->propagates_to, a->found);
}

static const struct attribute associated_rows[] = {ID, RESOURCE, ATTRIBUTE_CONST("state", "associated")};
static const struct attributes associated_members = ATTRIBUTES(associated_rows);
static const struct attribute enabled_rows[] = {ID, RESOURCE, ATTRIBUTE_CONST("state", "enabled")};
static const struct attributes enabled_members = ATTRIBUTES(enabled_rows);

static const struct ec2_listing association_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
						       .set = "associations",
						       .filters = FILTERS_OF(associated_members),
						       .shows = is_associated,
						       .is_hiding = true,
						       .attributes = &associated_members};
static const struct ec2_listing propagation_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
						       .set = "transitGatewayRouteTablePropagations",
						       .filters = FILTERS_OF(enabled_members),
						       .shows = is_propagating,
						       .is_hiding = true,
						       .attributes = &enabled_members};

/* ---- create ---- */

struct ec2_create_attachment {
	struct transit_attachment_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_attachment, wire, member, __VA_ARGS__)
#define SWITCH .yes = "enable", .no = "disable"
static const struct param create_params[] = {
	P("TransitGatewayId", wish.gateway, .flags = REQUIRED, .kind = KIND_TRANSIT_GATEWAY,
	  .doc = "The transit gateway."),
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("SubnetIds", wish.subnets, .flags = REQUIRED, .kind = KIND_SUBNET,
	  .doc = "Subnets of the VPC, one in each zone. The whole VPC is reachable, whichever subnets are "
		 "named."),
	P("Options.DnsSupport", wish.dns_support, SWITCH,
	  .doc = "Whether public DNS names of the VPC and of other attached VPCs resolve to private "
		 "addresses."),
	P("Options.Ipv6Support", wish.ipv6_support, SWITCH, .doc = "Whether the attachment carries IPv6."),
	NOT_BUILT("Options.ApplianceModeSupport|Options.SecurityGroupReferencingSupport", .only = "disable"),
	PARAM_LIST(struct ec2_create_attachment, "TagSpecifications", tag_specs, ec2_tag_spec_params,
		   .max = 20, .doc = "Tags of the new resource, by resource type."),
};
#undef P

/* ---- modify, delete, accept, reject ---- */

#define P(wire, member, ...) PARAM(struct transit_attachment_settings, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("TransitGatewayAttachmentId", attachment, .flags = REQUIRED, .kind = KIND_TRANSIT_ATTACHMENT,
	  .doc = "The attachment."),
	P("AddSubnetIds", added, .kind = KIND_SUBNET, .doc = "Subnets of the VPC to add."),
	P("RemoveSubnetIds", removed, .kind = KIND_SUBNET, .doc = "Subnets to remove."),
	P("Options.DnsSupport", dns_support, SWITCH,
	  .doc = "Whether public DNS names of the VPC and of other attached VPCs resolve to private "
		 "addresses."),
	P("Options.Ipv6Support", ipv6_support, SWITCH, .doc = "Whether the attachment carries IPv6."),
	NOT_BUILT("Options.ApplianceModeSupport|Options.SecurityGroupReferencingSupport", .only = "disable"),
};
#undef P

static const struct param attachment_params[] = {
	PARAM(struct transit_attachment_target, "TransitGatewayAttachmentId", attachment, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_ATTACHMENT, .doc = "The attachment."),
};

#define NONE_WAITS                                                                                           \
	"no attachment is ever pending acceptance, because the VPC and the gateway have the same owner"
static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTransitGatewayVpcAttachments"),
	 .args = PARAMS(struct ec2_describe_attachments, describe_params), .list = &vpc_attachment_listing,
	 .doc = "Lists VPC attachments of transit gateways. Deleted ones stay listed for an hour."},
	{EC2_ACTION("DescribeTransitGatewayAttachments"),
	 .args = PARAMS(struct ec2_describe_attachments, describe_params), .list = &attachment_listing,
	 .doc = "Lists all attachments of transit gateways, which are those of VPCs, with their "
		"associations."},
	{EC2_ACTION("GetTransitGatewayRouteTableAssociations"),
	 .args = PARAMS(struct ec2_get_uses, get_params), .prepare = prepare_get,
	 .list = &association_listing,
	 .doc = "Lists the attachments that a transit gateway route table is associated with."},
	{EC2_ACTION("GetTransitGatewayRouteTablePropagations"),
	 .args = PARAMS(struct ec2_get_uses, get_params), .prepare = prepare_get,
	 .list = &propagation_listing,
	 .doc = "Lists the attachments that propagate their VPC's blocks to a transit gateway route table."},
	{EC2_ACTION("CreateTransitGatewayVpcAttachment"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_attachment, create_params),
	 EC2_TAGS(struct ec2_create_attachment, "transit-gateway-attachment"),
	 .operation = engine_create_transit_attachment_run, .returns = KIND_TRANSIT_ATTACHMENT,
	 EC2_SHOWS(vpc_attachment_listing, struct ec2_create_attachment, wish.attachment,
		   "transitGatewayVpcAttachment"),
	 .doc = "Attaches a VPC to a transit gateway."},
	{EC2_ACTION("ModifyTransitGatewayVpcAttachment"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_attachment_settings, modify_params),
	 .operation = engine_update_transit_attachment_run, .returns = KIND_TRANSIT_ATTACHMENT,
	 EC2_SHOWS(vpc_attachment_listing, struct transit_attachment_settings, made,
		   "transitGatewayVpcAttachment"),
	 .state_in_answer = "modifying", .doc = "Changes a VPC attachment of a transit gateway."},
	{EC2_ACTION("DeleteTransitGatewayVpcAttachment"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_attachment_target, attachment_params),
	 .operation = engine_delete_transit_attachment_run, .returns = KIND_TRANSIT_ATTACHMENT,
	 EC2_SHOWS(vpc_attachment_listing, struct transit_attachment_target, made,
		   "transitGatewayVpcAttachment"),
	 .doc = "Detaches a VPC from a transit gateway."},
	{EC2_ACTION("AcceptTransitGatewayVpcAttachment"), .flags = API_WRITES, .never = NONE_WAITS,
	 .args = PARAMS(struct transit_attachment_target, attachment_params),
	 .operation = engine_answer_transit_attachment_run,
	 .doc = "Refused: no attachment is ever pending acceptance."},
	{EC2_ACTION("RejectTransitGatewayVpcAttachment"), .flags = API_WRITES, .never = NONE_WAITS,
	 .args = PARAMS(struct transit_attachment_target, attachment_params),
	 .operation = engine_answer_transit_attachment_run,
	 .doc = "Refused: no attachment is ever pending acceptance."},
};
const struct api_actions ec2_transit_attachment_actions = API_ACTIONS(actions);
