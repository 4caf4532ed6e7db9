/* SPDX-License-Identifier: Apache-2.0
 * Customer gateways and virtual private gateways: describe, create, attach, detach, delete; and propagation of routes. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/resolve.h"
#include "engine/vpn/vpn.h"
#include "model/customer_gateway.h"
#include "model/vpn_gateway.h"
#include "model/zone.h"

/* ---- customer gateways ---- */

ATTRIBUTE_GETTER(customer_gateway, g, const char *, get_customer_state,
		 row_is_live(&g->row) ? "available" : "deleted")

static const struct attribute customer_rows[] = {
	ATTRIBUTE(customer_gateway, "bgpAsn", asn, .filter = "bgp-asn"),
	ATTRIBUTE_OWN_ID(customer_gateway, "customerGatewayId", KIND_CUSTOMER_GATEWAY,
			 .filter = "customer-gateway-id"),
	ATTRIBUTE(customer_gateway, "ipAddress", ip, .filter = "ip-address"),
	ATTRIBUTE_MADE(WORD, word, "state", get_customer_state, .filter = "state"),
	ATTRIBUTE_CONST("type", "ipsec.1", .filter = "type"),
	ATTRIBUTE(customer_gateway, "deviceName", device_name, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(customer_gateway, "tagSet", tags),
};
static const struct attributes customer_members = ATTRIBUTES(customer_rows);

struct ec2_describe_customers {
	struct ec2_query query;
};
static const struct param describe_customers_params[] = {
	QUERY_IDS(struct ec2_describe_customers, "CustomerGatewayId", KIND_CUSTOMER_GATEWAY,
		  "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_customers),
};
static const struct ec2_listing customer_listing = {.kind = KIND_CUSTOMER_GATEWAY,
						    .set = "customerGatewaySet",
						    .filters = FILTERS_OF(customer_members),
						    .attributes = &customer_members,
						    .shows_ended = true};

struct ec2_create_customer {
	struct customer_gateway_wish wish;
	struct ip public_ip; /* the address by its older name */
	int64_t asn_32;
	struct ec2_tag_specs tag_specs;
};
#define ASN_MAX INT64_C(4294967295)
#define P(wire, member, ...) PARAM(struct ec2_create_customer, wire, member, __VA_ARGS__)
static const struct param create_customer_params[] = {
	NOT_BUILT("Type", .only = "ipsec.1"),
	P("BgpAsn", wish.asn, .min = 1, .max = ASN_MAX, .absent = "65000",
	  .doc = "AS number of the customer's device; stored and shown only."),
	P("BgpAsnExtended", asn_32, .min = 1, .max = ASN_MAX,
	  .doc = "AS number of 32 bits, instead of BgpAsn."),
	P("IpAddress", wish.ip, .doc = "Public address of the customer's device."),
	P("PublicIp", public_ip, .doc = "The same by its older name."),
	P("DeviceName", wish.device_name, .max = 255, .doc = "Name of the customer's device."),
	NOT_BUILT("CertificateArn"),
	TAG_SPECIFICATIONS(struct ec2_create_customer, tag_specs),
};
#undef P

static RESULT prepare_create_customer(struct ec2_call *e, void *args)
{
	struct ec2_create_customer *a = args;
	if (a->asn_32)
		a->wish.asn = a->asn_32;
	if (!ip_is_none(a->wish.ip) && !ip_is_none(a->public_ip))
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("PublicIp"),
			"The parameters IpAddress and PublicIp name the same address: give one.");
	if (ip_is_none(a->wish.ip))
		a->wish.ip = a->public_ip;
	if (ip_is_none(a->wish.ip))
		return ctx_fail_field(e->c, ERR_MISSING, STR("IpAddress"),
				      "The request must contain the parameter ipAddress");
	return OK;
}

static const struct param delete_customer_params[] = {
	PARAM(struct customer_gateway_target, "CustomerGatewayId", gateway, .flags = REQUIRED,
	      .kind = KIND_CUSTOMER_GATEWAY, .doc = "The customer gateway."),
};

/* ---- virtual private gateways ---- */

ATTRIBUTE_GETTER(vpn_gateway, g, const char *, get_state, row_is_live(&g->row) ? "available" : "deleted")

static struct attribute_rows list_attachment(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, !uuid_is_none(vpn_gateway_of(row)->router), 0);
}

static const struct attribute attachment_rows[] = {
	ATTRIBUTE_CONST("state", "attached", .filter = "attachment.state"),
	ATTRIBUTE_REF(vpn_gateway, "vpcId", router, KIND_ROUTER, .filter = "attachment.vpc-id",
		      ATTRIBUTE_PATHS({KIND_VPN_GATEWAY, VPN_GATEWAY_INDEX_ROUTER})),
};
static const struct attributes attachment_members = ATTRIBUTES(attachment_rows);
static const struct attribute gateway_rows[] = {
	ATTRIBUTE(vpn_gateway, "availabilityZone", zone, .flags = ATTRIBUTE_OMIT_NONE,
		  .filter = "availability-zone"),
	ATTRIBUTE_MADE(WORD, word, "state", get_state, .filter = "state"),
	ATTRIBUTE_CONST("type", "ipsec.1", .filter = "type"),
	ATTRIBUTE_ROWS("attachments", attachment_members, list_attachment, .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_OWN_ID(vpn_gateway, "vpnGatewayId", KIND_VPN_GATEWAY, .filter = "vpn-gateway-id"),
	ATTRIBUTE(vpn_gateway, "amazonSideAsn", asn, .filter = "amazon-side-asn"),
	ATTRIBUTE(vpn_gateway, "tagSet", tags),
};
static const struct attributes gateway_members = ATTRIBUTES(gateway_rows);

struct ec2_describe_vgws {
	struct ec2_query query;
};
static const struct param describe_gateways_params[] = {
	QUERY_IDS(struct ec2_describe_vgws, "VpnGatewayId", KIND_VPN_GATEWAY, "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_vgws),
};
static const struct ec2_listing gateway_listing = {.kind = KIND_VPN_GATEWAY,
						   .set = "vpnGatewaySet",
						   .filters = FILTERS_OF(gateway_members),
						   .attributes = &gateway_members,
						   .shows_ended = true};

struct ec2_create_vgw {
	struct vpn_gateway_wish wish;
	struct ref zone;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_vgw, wire, member, __VA_ARGS__)
static const struct param create_gateway_params[] = {
	NOT_BUILT("Type", .only = "ipsec.1"),
	P("AmazonSideAsn", wish.asn, .min = 1, .max = ASN_MAX,
	  .doc = "Private AS number of the cloud's side; stored and shown only."),
	P("AvailabilityZone", zone, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Name of a zone; stored and shown only, as in EC2."),
	TAG_SPECIFICATIONS(struct ec2_create_vgw, tag_specs),
};
#undef P

static RESULT prepare_create_gateway(struct ec2_call *e, void *args)
{
	struct ec2_create_vgw *a = args;
	const struct zone *zone = NULL;
	a->wish.asn_field = STR("AmazonSideAsn");
	if (!ref_is_given(&a->zone))
		return OK;
	TRY(engine_find_zone(e->c, ec2_tables(e), &a->zone, &zone));
	a->wish.zone = zone->name;
	return OK;
}

#define P(wire, member, ...) PARAM(struct vpn_gateway_attachment, wire, member, __VA_ARGS__)
static const struct param attachment_params[] = {
	P("VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("VpnGatewayId", gateway, .flags = REQUIRED, .kind = KIND_VPN_GATEWAY,
	  .doc = "The virtual private gateway."),
};
#undef P

static RESULT answer_attach(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct vpn_gateway_attachment *a = args;
	(void) e;
	xml_open(x, "attachment");
	xml_z(x, "state", "attached");
	xml_text(x, "vpcId", a->router.text);
	xml_close(x, "attachment");
	return OK;
}

static const struct param delete_gateway_params[] = {
	PARAM(struct vpn_gateway_target, "VpnGatewayId", gateway, .flags = REQUIRED, .kind = KIND_VPN_GATEWAY,
	      .doc = "The virtual private gateway."),
};

#define P(wire, member, ...) PARAM(struct vpn_propagation, wire, member, __VA_ARGS__)
static const struct param propagation_params[] = {
	P("GatewayId", gateway, .flags = REQUIRED, .kind = KIND_VPN_GATEWAY,
	  .doc = "The virtual private gateway."),
	P("RouteTableId", route_table, .flags = REQUIRED, .kind = KIND_ROUTE_TABLE,
	  .doc = "The route table."),
};
#undef P

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeCustomerGateways"),
	 .args = PARAMS(struct ec2_describe_customers, describe_customers_params), .list = &customer_listing,
	 .doc = "Lists customer gateways. Deleted ones stay listed for an hour."},
	{EC2_ACTION("CreateCustomerGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_customer, create_customer_params),
	 .prepare = prepare_create_customer, EC2_TAGS(struct ec2_create_customer, "customer-gateway"),
	 .operation = engine_create_customer_gateway_run, .returns = KIND_CUSTOMER_GATEWAY,
	 EC2_SHOWS(customer_listing, struct ec2_create_customer, wish.gateway, "customerGateway"),
	 .doc = "Describes the customer's device at the other site. An identical request returns the same "
		"gateway."},
	{EC2_ACTION("DeleteCustomerGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct customer_gateway_target, delete_customer_params),
	 .operation = engine_delete_customer_gateway_run,
	 .doc = "Deletes a customer gateway without VPN connections."},
	{EC2_ACTION("DescribeVpnGateways"),
	 .args = PARAMS(struct ec2_describe_vgws, describe_gateways_params), .list = &gateway_listing,
	 .doc = "Lists virtual private gateways. Deleted ones stay listed for an hour."},
	{EC2_ACTION("CreateVpnGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_vgw, create_gateway_params), .prepare = prepare_create_gateway,
	 EC2_TAGS(struct ec2_create_vgw, "vpn-gateway"), .operation = engine_create_vpn_gateway_run,
	 .returns = KIND_VPN_GATEWAY,
	 EC2_SHOWS(gateway_listing, struct ec2_create_vgw, wish.gateway, "vpnGateway"),
	 .doc = "Creates a virtual private gateway: the VPC's side of VPN connections."},
	{EC2_ACTION("AttachVpnGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_gateway_attachment, attachment_params),
	 .operation = engine_attach_vpn_gateway_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_attach,
	 .doc = "Attaches a virtual private gateway to a VPC, and starts the tunnels of its connections."},
	{EC2_ACTION("DetachVpnGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_gateway_attachment, attachment_params),
	 .operation = engine_detach_vpn_gateway_run,
	 .doc = "Detaches a virtual private gateway, and ends the tunnels of its connections."},
	{EC2_ACTION("DeleteVpnGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_gateway_target, delete_gateway_params),
	 .operation = engine_delete_vpn_gateway_run,
	 .doc = "Deletes a detached virtual private gateway without VPN connections."},
	{EC2_ACTION("EnableVgwRoutePropagation"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_propagation, propagation_params),
	 .operation = engine_enable_vpn_propagation_run,
	 .doc = "Adds the routes of a gateway's VPN connections to a route table."},
	{EC2_ACTION("DisableVgwRoutePropagation"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_propagation, propagation_params),
	 .operation = engine_disable_vpn_propagation_run,
	 .doc = "Takes the routes of a gateway's VPN connections from a route table."},
};
const struct api_actions ec2_vpn_gateway_actions = API_ACTIONS(actions);
