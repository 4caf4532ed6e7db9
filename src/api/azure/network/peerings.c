/* SPDX-License-Identifier: Apache-2.0
 * Virtual network peerings; each of the two virtual networks has a peering of its own. Source: Azure REST API reference, "Virtual Network Peerings",
 * 2022-07-01. Here both virtual networks belong to one subscription. Settings for forwarded traffic and gateways are stored and shown
 * without effect: a peering routes only to the other network's own address space. */
#include "api/azure/network/network.h"

#include "engine/network/routing/router.h"
#include "engine/virtual/peering_side.h"
#include "store/peering.h"
#include "store/peering_side.h"
#include "store/router.h"

static const char *get_state(struct api_call *e, const struct row *row)
{
	const struct peering *p = peering_find(api_tables(e), peering_side_of(row)->peering);
	if (p && row_is_live(&p->row))
		return "Connected";
	return peering_side_of(row)->was_connected ? "Disconnected" : "Initiated";
}

static const char *get_level(struct api_call *e, const struct row *row)
{
	const char *state = get_state(e, row);
	return *state == 'C' ? "FullyInSync" : *state == 'I' ? "RemoteNotInSync" : "LocalNotInSync";
}

static struct strs list_blocks(struct api_call *core, const struct row *row)
{
	const struct router *peer = router_find(api_tables(core), peering_side_of(row)->peer_router);
	return az_write_blocks(core, peer ? engine_get_blocks(api_tables(core), core->c->arena, peer)
					  : (struct cidrs){0});
}

#define FLAG(name, otherwise) AZ_SAID_AS(AZ_TRUTH, "properties.", name, otherwise)
#define SPACE(name) MEMBER_WITH(name, MEMBER_MADE(TEXTS, texts, "addressPrefixes", list_blocks))
static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER_MADE(WORD, word, "peeringState", get_state),
	MEMBER_MADE(WORD, word, "peeringSyncLevel", get_level),
	AZ_LINK(struct peering_side, "remoteVirtualNetwork", peer_router, AZ_NETWORKS, KIND_ROUTER,
		.is_optional = true),
	FLAG("allowVirtualNetworkAccess", "true"),
	FLAG("allowForwardedTraffic", "false"),
	FLAG("allowGatewayTransit", "false"),
	FLAG("useRemoteGateways", "false"),
	FLAG("doNotVerifyRemoteGateways", "false"),
	SPACE("remoteAddressSpace"),
	SPACE("remoteVirtualNetworkAddressSpace"),
};
static const struct member members[] = {
	AZ_PART_HEAD(AZ_PEERINGS, KIND_PEERING_SIDE),
	MEMBER_OBJECT("properties", properties),
};
const struct api_listing az_peerings = {.kind = KIND_PEERING_SIDE,
					.whole = offsetof(struct peering_side, router),
					.item = "value",
					.matches = az_is_part,
					.members = MEMBERS(members)};

struct side_says {
	struct az_link remote;
};
struct side_args {
	struct peering_side_wish wish;
	struct side_says properties;
};
static const struct param side_rows[] = {
	PARAM_OBJECT(struct side_says, "remoteVirtualNetwork", remote, az_link_params,
		     .doc = "Remote virtual network."),
	NOT_BUILT("useRemoteGateways", .only = "false"),
	NOT_BUILT("allowVirtualNetworkAccess", .only = "true"),
	NOT_BUILT("enableOnlyIPv6Peering|localSubnetNames|remoteSubnetNames"),
	NOT_BUILT("peerCompleteVnets", .only = "true"),
	AZ_KEPT("allowForwardedTraffic|allowGatewayTransit|doNotVerifyRemoteGateways"),
	AZ_READ_ONLY("localAddressSpace|localVirtualNetworkAddressSpace|remoteAddressSpace|"
		     "remoteVirtualNetworkAddressSpace|remoteBgpCommunities|peeringState|peeringSyncLevel|"
		     "remoteVirtualNetworkEncryption|provisioningState|resourceGuid"),
};
static const struct params side_params =
	PARAMS(struct side_says, side_rows, .object = "VirtualNetworkPeeringPropertiesFormat");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct side_args, "properties", properties, side_params,
		     .doc = "Remote virtual network and settings of the peering."),
	AZ_NAMED_PART,
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct side_args *a = args;
	static const char field[] = "properties.remoteVirtualNetwork.id";
	a->wish.side = e->target;
	a->wish.name = az_path_value(e, "virtualNetworkPeeringName");
	if (!a->properties.remote.id.n)
		return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
				      "Required parameter 'remoteVirtualNetwork' is missing (null).");
	return az_follow(e, field, &a->properties.remote, AZ_NETWORKS, KIND_ROUTER, &a->wish.peer_router);
}

#define SIDES AZ_GROUP AZ_NETWORK "/virtualNetworks/{virtualNetworkName}/virtualNetworkPeerings"
#define SIDE SIDES "/{virtualNetworkPeeringName}"
#define OF_NETWORK AZ_WHOLE("virtualNetworkName", AZ_NETWORKS, KIND_ROUTER)
#define OF_ONE                                                                                               \
	.type = AZ_PEERINGS, .kind = KIND_PEERING_SIDE,                                                      \
	.names = "virtualNetworkName/virtualNetworkPeeringName"
static const struct az_action actions[] = {
	{HTTP_GET, SIDES, .name = "VirtualNetworkPeerings_List",
	 .permit = "ec2:DescribeVpcPeeringConnections", .type = AZ_PEERINGS, .kind = KIND_ROUTER,
	 .names = "virtualNetworkName", .names_type = AZ_NETWORKS, .listing = &az_peerings,
	 .doc = "Lists the peerings of a virtual network."},
	{HTTP_GET, SIDE, .name = "VirtualNetworkPeerings_Get", .permit = "ec2:DescribeVpcPeeringConnections",
	 OF_ONE, .shows = &az_peerings, .doc = "Gets one peering."},
	{HTTP_PUT, SIDE, .name = "VirtualNetworkPeerings_CreateOrUpdate",
	 .permit = "ec2:CreateVpcPeeringConnection", .flags = API_WRITES | AZ_PUT, OF_ONE, OF_NETWORK,
	 AZ_WHOLE_AT(struct side_args, wish.router),
	 .keeps = "properties.allowVirtualNetworkAccess|properties.allowForwardedTraffic|"
		  "properties.allowGatewayTransit|properties.doNotVerifyRemoteGateways",
	 .args = PARAMS(struct side_args, put_rows, .object = "VirtualNetworkPeering"), .prepare = prepare,
	 .operation = engine_put_peering_side_run, .returns = KIND_PEERING_SIDE,
	 AZ_SUBJECT(struct side_args, wish.made), .shows = &az_peerings,
	 .doc = "Creates one side of a peering."},
	{HTTP_DELETE, SIDE, .name = "VirtualNetworkPeerings_Delete",
	 .permit = "ec2:DeleteVpcPeeringConnection", .flags = API_WRITES, OF_ONE, OF_NETWORK,
	 .args = {0, 0, sizeof(struct peering_side_target)}, AZ_TARGET(struct peering_side_target, side),
	 .operation = engine_delete_peering_side_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .doc = "Deletes a peering."},
};
const struct api_actions az_peering_actions = API_ACTIONS(actions);
