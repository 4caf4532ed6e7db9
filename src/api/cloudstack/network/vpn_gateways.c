/* SPDX-License-Identifier: Apache-2.0
 * Gateways of site-to-site VPN: one of a VPC, with a public address. Source of members: Site2SiteVpnGatewayResponse. */
#include "api/cloudstack/network/network.h"
#include "engine/resolve.h"
#include "engine/vpn/vpn.h"
#include "store/address.h"
#include "store/vpn_gateway.h"

/* ---- listVpnGateways ---- */

struct list_gateways {
	struct cs_list_args list;
	struct ref vpc, project;
};
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_gateways, KIND_VPN_GATEWAY),
	CS_OWNER_PARAMS(struct list_gateways),
	CS_PROJECT_PARAM(struct list_gateways, project),
	PARAM(struct list_gateways, "vpcid", vpc, .kind = KIND_ROUTER, .doc = "VPC."),
	NOT_BUILT("fordisplay", .only = "true"),
};

/* CloudStack has no gateways that are not attached. */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_gateways *a = args;
	uuid router = vpn_gateway_of(row)->router;
	(void) e;
	return row_is_live(row) && !uuid_is_none(router) &&
	       (!ref_is_given(&a->vpc) || uuid_equal(router, a->vpc.prefix));
}

static struct str get_vpc_name(struct api_call *e, const struct row *row)
{
	const struct router *vpc = cs_find_vpc(e, vpn_gateway_of(row)->router);
	return vpc ? cs_get_vpc_name(e, (const struct row *) vpc) : STR_NONE;
}

static const struct member members[] = {
	MEMBER(struct vpn_gateway, "id", row.id),
	MEMBER(struct address, "publicip", ip, .path = {JOIN_ONE(KIND_ADDRESS, vpn_gateway, address)}),
	MEMBER(struct vpn_gateway, "vpcid", router),
	MEMBER_TEXT("vpcname", get_vpc_name),
	CS_OWNER_MEMBERS(vpn_gateway),
	MEMBER_FIXED("fordisplay", "true"),
};
static const struct api_listing gateways =
	CS_LISTING(KIND_VPN_GATEWAY, "vpngateway", members, .matches = matches);

/* ---- changes ---- */

static const struct param create_params[] = {
	PARAM(struct site_gateway_wish, "vpcid", router, .kind = KIND_ROUTER, .flags = REQUIRED,
	      .doc = "The VPC."),
	NOT_BUILT("fordisplay", .only = "true"),
};

static const struct cs_action actions[] = {
	{CS_ACTION("listVpnGateways", "ec2:DescribeVpnGateways"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_gateways, list_params), .listing = &gateways,
	 .doc = "Lists gateways of site-to-site VPN."},
	{CS_ACTION("createVpnGateway", "ec2:CreateVpnGateway"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct site_gateway_wish, create_params), .operation = engine_create_site_gateway_run,
	 CS_SUBJECT(struct site_gateway_wish, gateway), .shows = &gateways, CS_JOB(NOW),
	 .doc = "Creates the VPN gateway of a VPC."},
	{CS_ACTION("deleteVpnGateway", "ec2:DeleteVpnGateway"), .flags = API_WRITES,
	 .args = CS_ONE(struct vpn_gateway_target, "id", gateway, KIND_VPN_GATEWAY, "The gateway."),
	 .sets = {API_SETS(struct vpn_gateway_target, is_forced)}, .operation = engine_delete_vpn_gateway_run,
	 CS_JOB(NOW), .doc = "Deletes a VPN gateway without connections."},
};
const struct api_actions cs_vpn_gateway_actions = API_ACTIONS(actions);
