/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways: DescribeTransitGateways, CreateTransitGateway, ModifyTransitGateway, DeleteTransitGateway. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/transit.h"
#include "engine/transit/transit.h"
#include "model/states.h"
#include "model/transit_gateway.h"

/* ---- items ---- */

const char *const ec2_enable_words[] = {"disable", "enable"};

ATTRIBUTE_GETTER(transit_gateway, g, struct str, get_arn,
		 ec2_arn(ec2_call_of(e), "transit-gateway", KIND_TRANSIT_GATEWAY, g->row.id))

#define OPTION(wire, member, ...)                                                                            \
	ATTRIBUTE(transit_gateway, wire, member, .words = ec2_enable_words, __VA_ARGS__)
static const struct attribute option_rows[] = {
	ATTRIBUTE(transit_gateway, "amazonSideAsn", asn, .filter = "options.amazon-side-asn"),
	OPTION("autoAcceptSharedAttachments", auto_accept,
	       .filter = "options.auto-accept-shared-attachments"),
	OPTION("defaultRouteTableAssociation", associates,
	       .filter = "options.default-route-table-association"),
	ATTRIBUTE_REF(transit_gateway, "associationDefaultRouteTableId", association_table,
		      KIND_TRANSIT_ROUTE_TABLE, .filter = "options.association-default-route-table-id"),
	OPTION("defaultRouteTablePropagation", propagates,
	       .filter = "options.default-route-table-propagation"),
	ATTRIBUTE_REF(transit_gateway, "propagationDefaultRouteTableId", propagation_table,
		      KIND_TRANSIT_ROUTE_TABLE, .filter = "options.propagation-default-route-table-id"),
	OPTION("vpnEcmpSupport", vpn_ecmp, .filter = "options.vpn-ecmp-support"),
	OPTION("dnsSupport", dns_support, .filter = "options.dns-support"),
	ATTRIBUTE_CONST("securityGroupReferencingSupport", "disable"),
	ATTRIBUTE_CONST("multicastSupport", "disable"),
};
static const struct attributes option_members = ATTRIBUTES(option_rows);
static const struct attribute gateway_rows[] = {
	ATTRIBUTE_OWN_ID(transit_gateway, "transitGatewayId", KIND_TRANSIT_GATEWAY,
			 .filter = "transit-gateway-id"),
	ATTRIBUTE_MADE(TEXT, text, "transitGatewayArn", get_arn),
	ATTRIBUTE_STATE_OF("state", KIND_TRANSIT_GATEWAY, .flags = ATTRIBUTE_IN_ANSWER, .filter = "state"),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE(transit_gateway, "description", description, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_AS(TIME, transit_gateway, "creationTime", row.created_us),
	ATTRIBUTE_WITHIN("options", option_members, .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(transit_gateway, "tagSet", tags),
};
static const struct attributes gateway_members = ATTRIBUTES(gateway_rows);

/* ---- describe ---- */

struct ec2_describe_transit {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_transit, "TransitGatewayIds", KIND_TRANSIT_GATEWAY, "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_transit),
	QUERY_PAGES(struct ec2_describe_transit, 5, 1000),
};

static const struct ec2_listing gateway_listing = {.kind = KIND_TRANSIT_GATEWAY,
						   .set = "transitGatewaySet",
						   .filters = FILTERS_OF(gateway_members),
						   .attributes = &gateway_members};

/* ---- create ---- */

struct ec2_create_transit {
	struct transit_gateway_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_transit, wire, member, __VA_ARGS__)
#define SWITCH .yes = "enable", .no = "disable"
static const struct param create_params[] = {
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("Options.AmazonSideAsn", wish.asn, .min = 1, .max = TRANSIT_ASN_LAST_32, .absent = "64512",
	  .doc = "Private autonomous system number; stored and shown only."),
	P("Options.AutoAcceptSharedAttachments", wish.auto_accept, SWITCH,
	  .doc = "Stored and shown only: transit gateways are not shared."),
	P("Options.DefaultRouteTableAssociation", wish.associates, SWITCH,
	  .doc = "Whether new attachments are associated with the default route table automatically."),
	P("Options.DefaultRouteTablePropagation", wish.propagates, SWITCH,
	  .doc = "Whether new attachments propagate to the default route table automatically."),
	P("Options.VpnEcmpSupport", wish.vpn_ecmp, SWITCH,
	  .doc = "Stored and shown only: VPN connections are not implemented."),
	P("Options.DnsSupport", wish.dns_support, SWITCH,
	  .doc = "Whether public DNS names resolve to private addresses in other attached VPCs."),
	NOT_BUILT(
		"Options.MulticastSupport|Options.SecurityGroupReferencingSupport|Options.EncryptionSupport",
		.only = "disable"),
	NOT_BUILT("Options.TransitGatewayCidrBlocks"),
	TAG_SPECIFICATIONS(struct ec2_create_transit, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_transit *a = args;
	(void) e;
	a->wish.asn_field = STR("Options.AmazonSideAsn");
	return OK;
}

/* ---- modify ---- */

#define P(wire, member, ...) PARAM(struct transit_gateway_settings, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("TransitGatewayId", gateway, .flags = REQUIRED, .kind = KIND_TRANSIT_GATEWAY,
	  .doc = "The transit gateway."),
	P("Description", description, .max = 255, .doc = "Description: free text."),
	P("Options.AmazonSideAsn", asn, .min = 1, .max = TRANSIT_ASN_LAST_32,
	  .doc = "Private autonomous system number. Fails if the gateway has attachments."),
	P("Options.AutoAcceptSharedAttachments", auto_accept, SWITCH, .doc = "Stored and shown only."),
	P("Options.DefaultRouteTableAssociation", associates, SWITCH,
	  .doc = "Whether new attachments are associated with the default route table automatically."),
	P("Options.AssociationDefaultRouteTableId", association_table, .kind = KIND_TRANSIT_ROUTE_TABLE,
	  .doc = "Default route table for associations."),
	P("Options.DefaultRouteTablePropagation", propagates, SWITCH,
	  .doc = "Whether new attachments propagate to the default route table automatically."),
	P("Options.PropagationDefaultRouteTableId", propagation_table, .kind = KIND_TRANSIT_ROUTE_TABLE,
	  .doc = "Default route table for propagations."),
	P("Options.VpnEcmpSupport", vpn_ecmp, SWITCH, .doc = "Stored and shown only."),
	P("Options.DnsSupport", dns_support, SWITCH,
	  .doc = "Whether public DNS names resolve to private addresses in other attached VPCs."),
	NOT_BUILT("Options.SecurityGroupReferencingSupport|Options.EncryptionSupport", .only = "disable"),
	NOT_BUILT("Options.AddTransitGatewayCidrBlocks|Options.RemoveTransitGatewayCidrBlocks"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	(void) e;
	((struct transit_gateway_settings *) args)->asn_field = STR("Options.AmazonSideAsn");
	return OK;
}

/* ---- delete ---- */

static const struct param delete_params[] = {
	PARAM(struct transit_gateway_target, "TransitGatewayId", gateway, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_GATEWAY, .doc = "The transit gateway."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTransitGateways"), .args = PARAMS(struct ec2_describe_transit, describe_params),
	 .list = &gateway_listing,
	 .doc = "Lists the account's transit gateways. Deleted ones stay listed for an hour."},
	{EC2_ACTION("CreateTransitGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_transit, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_transit, "transit-gateway"),
	 .operation = engine_create_transit_gateway_run, .returns = KIND_TRANSIT_GATEWAY,
	 EC2_SHOWS(gateway_listing, struct ec2_create_transit, wish.gateway, "transitGateway"),
	 .doc = "Creates a transit gateway, which routes between VPCs."},
	{EC2_ACTION("ModifyTransitGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_gateway_settings, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_transit_gateway_run, .returns = KIND_TRANSIT_GATEWAY,
	 EC2_SHOWS(gateway_listing, struct transit_gateway_settings, made, "transitGateway"),
	 .state_in_answer = "modifying", .doc = "Changes a transit gateway."},
	{EC2_ACTION("DeleteTransitGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_gateway_target, delete_params),
	 .operation = engine_delete_transit_gateway_run, .returns = KIND_TRANSIT_GATEWAY,
	 EC2_SHOWS(gateway_listing, struct transit_gateway_target, made, "transitGateway"),
	 .doc = "Deletes a transit gateway without attachments."},
};
const struct api_actions ec2_transit_gateway_actions = API_ACTIONS(actions);
