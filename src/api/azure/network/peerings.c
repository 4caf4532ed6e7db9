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

static const char *state_of(const struct tables *t, const struct peering_side *s)
{
	const struct peering *p = peering_find(t, s->peering);
	if (p && row_is_live(&p->row))
		return "Connected";
	return s->was_connected ? "Disconnected" : "Initiated";
}

static void write_space(struct az_call *e, struct json_writer *w, const char *name, const struct router *r)
{
	char text[CIDR_TEXT_SIZE];
	json_write_open(w, name);
	json_write_open_list(w, "addressPrefixes");
	for (size_t k = 0; r && k < engine_get_blocks(az_tables(e), e->c->arena, r).count; k++)
		json_write_z(w, NULL,
			     cidr_write(engine_get_blocks(az_tables(e), e->c->arena, r).at[k], text));
	json_write_close_list(w);
	json_write_close(w);
}

static void write_flag(struct az_call *e, struct json_writer *w, uuid id, const char *name, bool otherwise)
{
	struct str path = str_print(e->c->arena, "properties.%s", name);
	const json_t *said = json_object_get(az_said(e, id), str_to_z(e->c->arena, path));
	json_write_bool(w, name, json_is_boolean(said) ? json_is_true(said) : otherwise);
}

static void write_side(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct peering_side *s = peering_side_of(row);
	(void) name;
	const struct tables *t = az_tables(e);
	const struct router *peer = router_find(t, s->peer_router);
	const char *state = state_of(t, s);
	az_begin_part(e, w, AZ_PEERINGS, KIND_PEERING_SIDE, &s->row);
	json_write_text(w, "resourceGuid", uuid_to_str(e->c->arena, s->row.id));
	json_write_z(w, "peeringState", state);
	json_write_z(w, "peeringSyncLevel",
		     *state == 'C'   ? "FullyInSync"
		     : *state == 'I' ? "RemoteNotInSync"
				     : "LocalNotInSync");
	if (peer)
		az_write_ref(e, w, "remoteVirtualNetwork", AZ_NETWORKS, KIND_ROUTER, s->peer_router);
	write_flag(e, w, s->row.id, "allowVirtualNetworkAccess", true);
	write_flag(e, w, s->row.id, "allowForwardedTraffic", false);
	write_flag(e, w, s->row.id, "allowGatewayTransit", false);
	write_flag(e, w, s->row.id, "useRemoteGateways", false);
	write_flag(e, w, s->row.id, "doNotVerifyRemoteGateways", false);
	write_space(e, w, "remoteAddressSpace", peer);
	write_space(e, w, "remoteVirtualNetworkAddressSpace", peer);
	json_write_close(w);
}

static const struct member members[] = {
	MEMBER_WRITTEN("id", write_side, .also = "name|type|etag|properties"),
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
