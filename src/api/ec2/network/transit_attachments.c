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

static const char *write_state(const struct transit_attachment *a)
{
	return model_transit_attachment_states[model_derive_transit_attachment_state(a)].ec2;
}

void ec2_write_transit_resource(struct xml *x, uuid router)
{
	ec2_write_id(x, "resourceId", KIND_ROUTER, router);
	xml_z(x, "resourceType", "vpc");
}

static void write_subnets(struct xml *x, const struct transit_attachment *a)
{
	xml_open(x, "subnetIds");
	for (size_t k = 0; k < a->subnets.count; k++)
		ec2_write_id(x, "item", KIND_SUBNET, a->subnets.at[k]);
	xml_close(x, "subnetIds");
}

static void write_vpc_attachment(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct transit_attachment *a = item;
	ec2_write_id(x, "transitGatewayAttachmentId", KIND_TRANSIT_ATTACHMENT, a->row.id);
	ec2_write_id(x, "transitGatewayId", KIND_TRANSIT_GATEWAY, a->gateway);
	ec2_write_id(x, "vpcId", KIND_ROUTER, a->router);
	xml_text(x, "vpcOwnerId", e->owner);
	xml_z(x, "state", ec2_state_in_answer(e, write_state(a)));
	write_subnets(x, a);
	xml_time_ms(x, "creationTime", a->row.created_us);
	xml_open(x, "options");
	xml_z(x, "dnsSupport", ec2_enable(a->dns_support));
	xml_z(x, "securityGroupReferencingSupport", ec2_enable(false));
	xml_z(x, "ipv6Support", ec2_enable(a->ipv6_support));
	xml_z(x, "applianceModeSupport", ec2_enable(false));
	xml_close(x, "options");
	if (ec2_is_change(e))
		ec2_write_tags_if_any(x, a->tags);
	else
		ec2_write_tags(x, a->tags);
}

static void write_attachment(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct transit_attachment *a = item;
	ec2_write_id(x, "transitGatewayAttachmentId", KIND_TRANSIT_ATTACHMENT, a->row.id);
	ec2_write_id(x, "transitGatewayId", KIND_TRANSIT_GATEWAY, a->gateway);
	xml_text(x, "transitGatewayOwnerId", e->owner);
	xml_text(x, "resourceOwnerId", e->owner);
	ec2_write_transit_resource(x, a->router);
	xml_z(x, "state", write_state(a));
	if (!uuid_is_none(a->table)) {
		xml_open(x, "association");
		ec2_write_id(x, "transitGatewayRouteTableId", KIND_TRANSIT_ROUTE_TABLE, a->table);
		xml_z(x, "state", "associated");
		xml_close(x, "association");
	}
	xml_time_ms(x, "creationTime", a->row.created_us);
	ec2_write_tags(x, a->tags);
}

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

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, write_state(transit_attachment_of(row)));
}

static bool fits_association_state(const struct filter_run *f, const struct row *row)
{
	return !uuid_is_none(transit_attachment_of(row)->table) && filter_z(f, "associated");
}

#define BY_GATEWAY                                                                                           \
	{                                                                                                    \
		"transit-gateway-id", .field = "gateway", .index = TRANSIT_ATTACHMENT_INDEX_GATEWAY          \
	}
static const struct filter vpc_attachment_filters[] = {
	{"transit-gateway-attachment-id", .is_id = true},
	BY_GATEWAY,
	{"vpc-id", .field = "router", .index = TRANSIT_ATTACHMENT_INDEX_ROUTER},
	{"state", .get = fits_state},
};
static const struct filter attachment_filters[] = {
	{"transit-gateway-attachment-id", .is_id = true},
	BY_GATEWAY,
	{"association.state", .get = fits_association_state},
	{"association.transit-gateway-route-table-id", .field = "table",
	 .index = TRANSIT_ATTACHMENT_INDEX_TABLE},
	{"resource-id", .field = "router", .index = TRANSIT_ATTACHMENT_INDEX_ROUTER},
	{"resource-owner-id", .get = filter_owner},
	{"resource-type", .fixed = "vpc"},
	{"state", .get = fits_state},
	{"transit-gateway-owner-id", .get = filter_owner},
};

static const struct ec2_listing vpc_attachment_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
							  .set = "transitGatewayVpcAttachments",
							  .filters = FILTERS(vpc_attachment_filters),
							  .write = write_vpc_attachment};
static const struct ec2_listing attachment_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
						      .set = "transitGatewayAttachments",
						      .filters = FILTERS(attachment_filters),
						      .write = write_attachment};

/* ---- associations and propagations of a route table ---- */

struct ec2_get_uses {
	struct ec2_query query;
	struct ref table;
	uuid found;
};
static const struct param get_params[] = {
	PARAM(struct ec2_get_uses, "TransitGatewayRouteTableId", table, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_ROUTE_TABLE, .doc = "The table."),
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

static void write_use(struct xml *x, const struct transit_attachment *a, const char *state)
{
	ec2_write_id(x, "transitGatewayAttachmentId", KIND_TRANSIT_ATTACHMENT, a->row.id);
	ec2_write_transit_resource(x, a->router);
	xml_z(x, "state", state);
}

static void write_association(struct ec2_call *e, struct xml *x, const void *item)
{
	(void) e;
	write_use(x, item, "associated");
}

static void write_propagation(struct ec2_call *e, struct xml *x, const void *item)
{
	(void) e;
	write_use(x, item, "enabled");
}

static const struct filter use_filters[] = {
	{"transit-gateway-attachment-id", .is_id = true},
	{"resource-id", .field = "router", .index = TRANSIT_ATTACHMENT_INDEX_ROUTER},
	{"resource-type", .fixed = "vpc"},
};
static const struct ec2_listing association_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
						       .set = "associations",
						       .filters = FILTERS(use_filters),
						       .shows = is_associated,
						       .is_hiding = true,
						       .write = write_association};
static const struct ec2_listing propagation_listing = {.kind = KIND_TRANSIT_ATTACHMENT,
						       .set = "transitGatewayRouteTablePropagations",
						       .filters = FILTERS(use_filters),
						       .shows = is_propagating,
						       .is_hiding = true,
						       .write = write_propagation};

/* ---- create ---- */

struct ec2_create_attachment {
	struct transit_attachment_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_attachment, wire, member, __VA_ARGS__)
#define SWITCH .yes = "enable", .no = "disable"
static const struct param create_params[] = {
	P("TransitGatewayId", wish.gateway, .flags = REQUIRED, .kind = KIND_TRANSIT_GATEWAY,
	  .doc = "The gateway."),
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("SubnetIds", wish.subnets, .flags = REQUIRED, .kind = KIND_SUBNET,
	  .doc = "Subnets of it, one of each zone. All of the VPC is reached, whatever they are."),
	P("Options.DnsSupport", wish.dns_support, SWITCH,
	  .doc = "Public names of the VPC and of others resolve to private addresses."),
	P("Options.Ipv6Support", wish.ipv6_support, SWITCH, .doc = "IPv6 passes, too."),
	NOT_BUILT("Options.ApplianceModeSupport|Options.SecurityGroupReferencingSupport", .only = "disable"),
	PARAM_LIST(struct ec2_create_attachment, "TagSpecifications", tag_specs, ec2_tag_spec_params,
		   .max = 20, .doc = "Tags for what is made, by its type."),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_attachment *a = args;
	return ec2_take_tags(e, &a->tag_specs, "transit-gateway-attachment", "transit-gateway-attachment",
			     &a->wish.tags);
}

static RESULT ec2_create_attachment(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_attachment *a = args;
	return ec2_write_returned(e, &vpc_attachment_listing, a->wish.attachment,
				  "transitGatewayVpcAttachment", x);
}

/* ---- modify, delete, accept, reject ---- */

#define P(wire, member, ...) PARAM(struct transit_attachment_settings, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("TransitGatewayAttachmentId", attachment, .flags = REQUIRED, .kind = KIND_TRANSIT_ATTACHMENT,
	  .doc = "The attachment."),
	P("AddSubnetIds", added, .kind = KIND_SUBNET, .doc = "Further subnets of the VPC."),
	P("RemoveSubnetIds", removed, .kind = KIND_SUBNET, .doc = "Subnets that it leaves."),
	P("Options.DnsSupport", dns_support, SWITCH, .doc = "As in CreateTransitGatewayVpcAttachment."),
	P("Options.Ipv6Support", ipv6_support, SWITCH, .doc = "Likewise."),
	NOT_BUILT("Options.ApplianceModeSupport|Options.SecurityGroupReferencingSupport", .only = "disable"),
};
#undef P

static RESULT ec2_modify_attachment(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct transit_attachment_settings *a = args;
	return ec2_write_returned(e, &vpc_attachment_listing, a->made, "transitGatewayVpcAttachment", x);
}

static const struct param attachment_params[] = {
	PARAM(struct transit_attachment_target, "TransitGatewayAttachmentId", attachment, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_ATTACHMENT, .doc = "The attachment."),
};

static RESULT ec2_delete_attachment(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct transit_attachment_target *a = args;
	return ec2_write_returned(e, &vpc_attachment_listing, a->made, "transitGatewayVpcAttachment", x);
}

#define NONE_WAITS "no attachment waits to be accepted: the VPC's owner is the gateway's"
static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTransitGatewayVpcAttachments"),
	 .args = PARAMS(struct ec2_describe_attachments, describe_params), .list = &vpc_attachment_listing,
	 .doc = "Attachments of VPCs to transit gateways; deleted ones, for an hour."},
	{EC2_ACTION("DescribeTransitGatewayAttachments"),
	 .args = PARAMS(struct ec2_describe_attachments, describe_params), .list = &attachment_listing,
	 .doc = "All attachments to transit gateways, which are VPCs', with their associations."},
	{EC2_ACTION("GetTransitGatewayRouteTableAssociations"),
	 .args = PARAMS(struct ec2_get_uses, get_params), .prepare = prepare_get,
	 .list = &association_listing, .doc = "Attachments that a table routes for."},
	{EC2_ACTION("GetTransitGatewayRouteTablePropagations"),
	 .args = PARAMS(struct ec2_get_uses, get_params), .prepare = prepare_get,
	 .list = &propagation_listing, .doc = "Attachments whose VPCs' blocks a table leads to."},
	{EC2_ACTION("CreateTransitGatewayVpcAttachment"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_attachment, create_params), .prepare = prepare_create,
	 .operation = engine_create_transit_attachment_run, .returns = KIND_TRANSIT_ATTACHMENT,
	 .answer = ec2_create_attachment, .doc = "Attaches a VPC to a transit gateway."},
	{EC2_ACTION("ModifyTransitGatewayVpcAttachment"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_attachment_settings, modify_params),
	 .operation = engine_update_transit_attachment_run, .returns = KIND_TRANSIT_ATTACHMENT,
	 .answer = ec2_modify_attachment, .state_in_answer = "modifying", .doc = "Changes an attachment."},
	{EC2_ACTION("DeleteTransitGatewayVpcAttachment"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_attachment_target, attachment_params),
	 .operation = engine_delete_transit_attachment_run, .returns = KIND_TRANSIT_ATTACHMENT,
	 .answer = ec2_delete_attachment, .doc = "Detaches a VPC."},
	{EC2_ACTION("AcceptTransitGatewayVpcAttachment"), .flags = API_WRITES, .never = NONE_WAITS,
	 .args = PARAMS(struct transit_attachment_target, attachment_params),
	 .operation = engine_answer_transit_attachment_run, .doc = "Refuses: no attachment waits."},
	{EC2_ACTION("RejectTransitGatewayVpcAttachment"), .flags = API_WRITES, .never = NONE_WAITS,
	 .args = PARAMS(struct transit_attachment_target, attachment_params),
	 .operation = engine_answer_transit_attachment_run, .doc = "Likewise."},
};
const struct api_actions ec2_transit_attachment_actions = API_ACTIONS(actions);
