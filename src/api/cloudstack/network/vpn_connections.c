/* SPDX-License-Identifier: Apache-2.0
 * Connections of site-to-site VPN. A connection has one tunnel, whose options are its customer gateway's. Sources:
 * Site2SiteVpnConnectionResponse for the members, Site2SiteVpnConnection for the states. */
#include "api/cloudstack/network/network.h"
#include "engine/resolve.h"
#include "engine/vpn/vpn.h"
#include "store/customer_gateway.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_tunnel.h"

/* ---- listVpnConnections ---- */

struct list_connections {
	struct cs_list_args list;
	struct ref vpc, project;
};
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_connections, KIND_VPN_CONNECTION),
	CS_OWNER_PARAMS(struct list_connections),
	CS_PROJECT_PARAM(struct list_connections, project),
	PARAM(struct list_connections, "vpcid", vpc, .kind = KIND_ROUTER, .doc = "VPC."),
	NOT_BUILT("fordisplay", .only = "true"),
};

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_connections *a = args;
	const struct vpn_gateway *g = vpn_gateway_find(api_tables(e), vpn_connection_of(row)->vpn_gateway);
	return row_is_live(row) && g && (!ref_is_given(&a->vpc) || uuid_equal(g->router, a->vpc.prefix));
}

static const struct vpn_tunnel *tunnel_of(struct api_call *e, const struct row *row)
{
	return vpn_tunnel_first_by_connection(api_tables(e), row->id);
}

static struct str get_public_ip(struct api_call *e, const struct row *row)
{
	const struct vpn_tunnel *n = tunnel_of(e, row);
	return n ? ip_to_str(e->c->arena, n->outside_ip) : STR_NONE;
}

static bool is_passive(const struct vpn_tunnel *n)
{
	return n && n->startup != VPN_TUNNEL_STARTUP_START;
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	const struct vpn_tunnel *n = tunnel_of(e, row);
	if (!n || n->seen_gen == 0)
		return STR("Pending");
	for (; n; n = vpn_tunnel_next_by_connection(api_tables(e), n))
		if (n->is_up)
			return STR("Connected");
	return is_passive(tunnel_of(e, row)) ? STR("Disconnected") : STR("Connecting");
}

static void write_passive(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	json_write_bool(w, name, is_passive(tunnel_of(e, row)));
}

static const struct row *customer_of(struct api_call *e, const struct row *row)
{
	const struct customer_gateway *g =
		customer_gateway_find(api_tables(e), vpn_connection_of(row)->customer_gateway);
	return g ? &g->row : NULL;
}

/* The members that are its customer gateway's. */
static void write_customer(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct row *customer = customer_of(e, row);
	(void) name;
	if (customer)
		members_write(e, w, cs_write_time, &cs_vpn_site_members, customer);
}

static const struct member members[] = {
	MEMBER(struct vpn_connection, "id", row.id),
	MEMBER(struct vpn_connection, "s2svpngatewayid", vpn_gateway),
	MEMBER_TEXT("publicip", get_public_ip),
	MEMBER(struct vpn_connection, "s2scustomergatewayid", customer_gateway),
	MEMBER_WRITTEN("gateway", write_customer, .also = CS_VPN_SITE_WORDS),
	MEMBER_TEXT("state", get_state),
	MEMBER_WRITTEN("passive", write_passive),
	CS_OWNER_MEMBERS(vpn_connection),
	MEMBER_AS(struct vpn_connection, TIME, "created", row.created_us),
	MEMBER_FIXED("fordisplay", "true"),
};
static const struct api_listing connections =
	CS_LISTING(KIND_VPN_CONNECTION, "vpnconnection", members, .matches = matches);

/* ---- changes ---- */

#define P(wire, member, ...) PARAM(struct site_connection_wish, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("s2svpngatewayid", vpn_gateway, .kind = KIND_VPN_GATEWAY, .flags = REQUIRED,
	  .doc = "The VPN gateway."),
	P("s2scustomergatewayid", customer_gateway, .kind = KIND_CUSTOMER_GATEWAY, .flags = REQUIRED,
	  .doc = "The customer gateway."),
	P("passive", is_passive, .doc = "The other side begins."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

struct reset_connection {
	struct vpn_connection_target wish;
	struct cs_owner owner;
};
#define P(wire, member, ...) PARAM(struct reset_connection, wire, member, __VA_ARGS__)
static const struct param reset_params[] = {
	P("id", wish.connection, .kind = KIND_VPN_CONNECTION, .flags = REQUIRED, .doc = "The connection."),
	P("account", owner.account, .doc = "Account of the connection; needs domainid."),
	P("domainid", owner.domain, .kind = KIND_DOMAIN, .doc = "Domain of the account."),
};
#undef P

static const struct cs_action actions[] = {
	{CS_ACTION("listVpnConnections", "ec2:DescribeVpnConnections"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_connections, list_params), .listing = &connections,
	 .doc = "Lists site-to-site VPN connections."},
	{CS_ACTION("createVpnConnection", "ec2:CreateVpnConnection"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct site_connection_wish, create_params),
	 .operation = engine_create_site_connection_run, CS_SUBJECT(struct site_connection_wish, connection),
	 .shows = &connections, CS_JOB(SETTLED), .doc = "Connects a VPN gateway with a customer gateway."},
	{CS_ACTION("resetVpnConnection", "ec2:ResetVpnConnection"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_OWNER_OF_ROW,
	 .args = PARAMS(struct reset_connection, reset_params), .operation = engine_reset_vpn_connection_run,
	 CS_SUBJECT(struct reset_connection, wish.connection.prefix), .shows = &connections, CS_JOB(SETTLED),
	 .doc = "Ends the security associations of a connection, which connects again."},
	{CS_ACTION("deleteVpnConnection", "ec2:DeleteVpnConnection"), .flags = API_WRITES,
	 .args = CS_ONE(struct vpn_connection_target, "id", connection, KIND_VPN_CONNECTION,
			"The connection."),
	 .operation = engine_delete_vpn_connection_run, CS_JOB(NOW), .doc = "Deletes a VPN connection."},
};
const struct api_actions cs_vpn_connection_actions = API_ACTIONS(actions);
