/* SPDX-License-Identifier: Apache-2.0
 * VPN connections: describe, create, modify, delete, and their static routes. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/vpn/vpn.h"
#include "model/vpn_connection.h"
#include "store/customer_gateway.h"
#include "store/vpn_connection.h"
#include "store/vpn_route.h"
#include "store/vpn_tunnel.h"

#define NO_BGP                                                                                               \
	"Dynamic routing (BGP) is not supported. Set Options.StaticRoutesOnly to true, and name the site's " \
	"blocks with CreateVpnConnectionRoute."

/* ---- tunnels ---- */

struct shown_value {
	struct row row; /* no row of the store */
	struct str value;
};
static const struct attribute value_rows[] = {ATTRIBUTE(shown_value, "value", value)};
static const struct attributes value_members = ATTRIBUTES(value_rows);

static struct attribute_rows list_values(struct api_call *e, const struct strs *values)
{
	struct shown_value *all = arena_new_array(e->c->arena, struct shown_value, values->count + 1);
	size_t count = 0;
	for (size_t k = 0; all && k < values->count; k++)
		if (!str_is(values->at[k], VPN_NO_GROUP))
			all[count++].value = values->at[k];
	return attribute_rows_of(e, all, count, sizeof *all);
}
#define VALUES_OF(member)                                                                                    \
	static struct attribute_rows list_##member(struct api_call *e, const struct row *row)                \
	{                                                                                                    \
		return list_values(e, &vpn_tunnel_of(row)->member);                                          \
	}
VALUES_OF(ike_versions)
VALUES_OF(phase1_encryption)
VALUES_OF(phase1_integrity)
VALUES_OF(phase1_groups)
VALUES_OF(phase2_encryption)
VALUES_OF(phase2_integrity)
VALUES_OF(phase2_groups)

static struct str get_key(struct api_call *e, const struct row *row)
{
	return ec2_open_vpn_key(e, vpn_tunnel_of(row));
}
static const char *get_dpd_action(struct api_call *e, const struct row *row)
{
	static const char *const words[] = {[VPN_TUNNEL_DPD_ACTION_CLEAR] = "clear",
					    [VPN_TUNNEL_DPD_ACTION_NONE] = "none",
					    [VPN_TUNNEL_DPD_ACTION_RESTART] = "restart"};
	(void) e;
	return words[vpn_tunnel_of(row)->dpd_action];
}
static const char *get_startup(struct api_call *e, const struct row *row)
{
	static const char *const words[] = {
		[VPN_TUNNEL_STARTUP_ADD] = "add", [VPN_TUNNEL_STARTUP_START] = "start"};
	(void) e;
	return words[vpn_tunnel_of(row)->startup];
}
static struct str get_fuzz(struct api_call *e, const struct row *row)
{
	int64_t fuzz = vpn_tunnel_of(row)->rekey_fuzz;
	return fuzz ? str_print(e->c->arena, "%d", (int) fuzz - 1) : STR_NONE;
}
static int64_t count_routes(struct api_call *e, const struct row *row)
{
	const struct vpn_tunnel *n = vpn_tunnel_of(row);
	int64_t count = 0;
	for (const struct vpn_route *r = vpn_route_first_by_connection(api_tables(e), n->connection);
	     r && n->is_up; r = vpn_route_next_by_connection(api_tables(e), r))
		count++;
	return count;
}

#define OPTION(wire, member) ATTRIBUTE(vpn_tunnel, wire, member, .flags = ATTRIBUTE_OMIT_NONE)
#define LIST(wire, member) ATTRIBUTE_ROWS(wire, value_members, list_##member, .flags = ATTRIBUTE_OMIT_NONE)
static const struct attribute option_rows[] = {
	ATTRIBUTE(vpn_tunnel, "outsideIpAddress", outside_ip),
	ATTRIBUTE(vpn_tunnel, "tunnelInsideCidr", inside_cidr),
	ATTRIBUTE_MADE(TEXT, text, "preSharedKey", get_key, .flags = ATTRIBUTE_OMIT_NONE),
	OPTION("phase1LifetimeSeconds", phase1_lifetime_s),
	OPTION("phase2LifetimeSeconds", phase2_lifetime_s),
	OPTION("rekeyMarginTimeSeconds", rekey_margin_s),
	ATTRIBUTE_MADE(TEXT, text, "rekeyFuzzPercentage", get_fuzz, .flags = ATTRIBUTE_OMIT_NONE),
	OPTION("replayWindowSize", replay_window),
	OPTION("dpdTimeoutSeconds", dpd_timeout_s),
	ATTRIBUTE_MADE(WORD, word, "dpdTimeoutAction", get_dpd_action, .flags = ATTRIBUTE_OMIT_NONE),
	LIST("phase1EncryptionAlgorithmSet", phase1_encryption),
	LIST("phase2EncryptionAlgorithmSet", phase2_encryption),
	LIST("phase1IntegrityAlgorithmSet", phase1_integrity),
	LIST("phase2IntegrityAlgorithmSet", phase2_integrity),
	LIST("phase1DHGroupNumberSet", phase1_groups),
	LIST("phase2DHGroupNumberSet", phase2_groups),
	LIST("ikeVersionSet", ike_versions),
	ATTRIBUTE_MADE(WORD, word, "startupAction", get_startup, .flags = ATTRIBUTE_OMIT_NONE),
};
#undef OPTION
#undef LIST
static const struct attributes option_members = ATTRIBUTES(option_rows);

static const char *const status_words[] = {"DOWN", "UP"};
static const struct attribute telemetry_rows[] = {
	ATTRIBUTE_MADE(INT, number, "acceptedRouteCount", count_routes),
	ATTRIBUTE_AS(TIME, vpn_tunnel, "lastStatusChange", changed_us, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(vpn_tunnel, "outsideIpAddress", outside_ip),
	ATTRIBUTE(vpn_tunnel, "status", is_up, .words = status_words),
	ATTRIBUTE_CONST("statusMessage", ""),
};
static const struct attributes telemetry_members = ATTRIBUTES(telemetry_rows);

/* ---- connections ---- */

static const char *get_state(struct api_call *e, const struct row *row)
{
	bool is_pending = false;
	const struct tables *t = api_tables(e);
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, row->id);
	if (!row_is_live(row))
		return n ? "deleting" : "deleted";
	for (; n; n = vpn_tunnel_next_by_connection(t, n))
		is_pending = is_pending || n->seen_gen == 0;
	return is_pending ? "pending" : "available";
}
static struct str get_configuration(struct api_call *e, const struct row *row)
{
	return ec2_write_vpn_configuration(e, vpn_connection_of(row));
}

static const struct attribute connection_option_rows[] = {
	ATTRIBUTE_CONST("enableAcceleration", "false"),
	ATTRIBUTE_CONST("staticRoutesOnly", "true", .filter = "option.static-routes-only"),
	ATTRIBUTE(vpn_connection, "localIpv4NetworkCidr", local_cidr, .none = "0.0.0.0/0"),
	ATTRIBUTE(vpn_connection, "remoteIpv4NetworkCidr", remote_cidr, .none = "0.0.0.0/0"),
	ATTRIBUTE_CONST("outsideIpAddressType", "PublicIpv4"),
	ATTRIBUTE_CONST("tunnelInsideIpVersion", "ipv4"),
	ATTRIBUTE_EACH("tunnelOptionSet", option_members, KIND_VPN_TUNNEL, VPN_TUNNEL_INDEX_CONNECTION),
};
static const struct attributes connection_options = ATTRIBUTES(connection_option_rows);
static const struct attribute route_rows[] = {
	ATTRIBUTE(vpn_route, "destinationCidrBlock", destination, .filter = "route.destination-cidr-block"),
	ATTRIBUTE_CONST("source", "Static"),
	ATTRIBUTE_CONST("state", "available"),
};
static const struct attributes route_members = ATTRIBUTES(route_rows);
static const struct attribute connection_rows[] = {
	ATTRIBUTE_MADE(TEXT, text, "customerGatewayConfiguration", get_configuration,
		       .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_REF(vpn_connection, "customerGatewayId", customer_gateway, KIND_CUSTOMER_GATEWAY,
		      .filter = "customer-gateway-id", .index = VPN_CONNECTION_INDEX_CUSTOMER_GATEWAY),
	ATTRIBUTE_CONST("category", "VPN"),
	ATTRIBUTE_MADE(WORD, word, "state", get_state, .filter = "state"),
	ATTRIBUTE_CONST("type", "ipsec.1", .filter = "type"),
	ATTRIBUTE_OWN_ID(vpn_connection, "vpnConnectionId", KIND_VPN_CONNECTION,
			 .filter = "vpn-connection-id"),
	ATTRIBUTE_REF(vpn_connection, "vpnGatewayId", vpn_gateway, KIND_VPN_GATEWAY,
		      .filter = "vpn-gateway-id", .index = VPN_CONNECTION_INDEX_VPN_GATEWAY),
	ATTRIBUTE_OF(vpn_connection, customer_gateway, KIND_CUSTOMER_GATEWAY, customer_gateway, "bgpAsn", asn,
		     .flags = ATTRIBUTE_HIDDEN, .filter = "bgp-asn"),
	ATTRIBUTE_NOTHING("transit-gateway-id"),
	ATTRIBUTE_CONST("gatewayAssociationState", "associated"),
	ATTRIBUTE_WITHIN("options", connection_options, .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_EACH("routes", route_members, KIND_VPN_ROUTE, VPN_ROUTE_INDEX_CONNECTION,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(vpn_connection, "tagSet", tags),
	ATTRIBUTE_EACH("vgwTelemetry", telemetry_members, KIND_VPN_TUNNEL, VPN_TUNNEL_INDEX_CONNECTION),
};
static const struct attributes connection_members = ATTRIBUTES(connection_rows);

struct ec2_describe_connections {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_connections, "VpnConnectionId", KIND_VPN_CONNECTION,
		  "Connections by id."),
	QUERY_FILTERS(struct ec2_describe_connections),
};
static const struct ec2_listing connection_listing = {.kind = KIND_VPN_CONNECTION,
						      .set = "vpnConnectionSet",
						      .filters = FILTERS_OF(connection_members),
						      .attributes = &connection_members,
						      .shows_ended = true};

/* ---- create ---- */

struct ec2_create_vpn {
	struct vpn_connection_wish wish;
	struct ref transit_gateway;
	bool is_static;
	struct {
		const struct ec2_vpn_options *at;
		size_t count;
	} tunnels;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_vpn, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("CustomerGatewayId", wish.customer_gateway, .flags = REQUIRED, .kind = KIND_CUSTOMER_GATEWAY,
	  .doc = "The customer's side."),
	NOT_BUILT("Type", .only = "ipsec.1"),
	P("VpnGatewayId", wish.vpn_gateway, .kind = KIND_VPN_GATEWAY, .doc = "The VPC's side."),
	NOT_BUILT("TransitGatewayId|VpnConcentratorId|PreSharedKeyStorage"),
	P("Options.StaticRoutesOnly", is_static, .doc = "Must be true: routes are static."),
	NOT_BUILT("Options.EnableAcceleration", .only = "false"),
	NOT_BUILT("Options.TunnelInsideIpVersion", .only = "ipv4"),
	NOT_BUILT("Options.OutsideIpAddressType", .only = "PublicIpv4"),
	NOT_BUILT("Options.TunnelBandwidth", .only = "standard"),
	NOT_BUILT("Options.LocalIpv6NetworkCidr|Options.RemoteIpv6NetworkCidr|"
		  "Options.TransportTransitGatewayAttachmentId"),
	P("Options.LocalIpv4NetworkCidr", wish.local_cidr,
	  .doc = "The site's addresses in the tunnels; all by default."),
	P("Options.RemoteIpv4NetworkCidr", wish.remote_cidr,
	  .doc = "The VPC's addresses in the tunnels; all by default."),
	PARAM_LIST(struct ec2_create_vpn, "Options.TunnelOptions", tunnels, ec2_vpn_options_params,
		   .max = VPN_TUNNELS, .doc = "Options of the two tunnels."),
	TAG_SPECIFICATIONS(struct ec2_create_vpn, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const struct ec2_vpn_options none;
	struct ec2_create_vpn *a = args;
	if (!ref_is_given(&a->wish.vpn_gateway))
		return ctx_fail_field(e->c, ERR_MISSING, STR("VpnGatewayId"),
				      "The request must contain the parameter vpnGatewayId");
	if (!a->is_static)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Options.StaticRoutesOnly"), NO_BGP);
	a->wish.inside_field = STR("Options.TunnelOptions");
	for (size_t k = 0; k < VPN_TUNNELS; k++) {
		struct str field = str_print(e->c->arena, "Options.TunnelOptions.%d.", (int) k + 1);
		a->wish.tunnels[k].row.id = id_new(KIND_VPN_TUNNEL);
		TRY(ec2_take_vpn_options(e, k < a->tunnels.count ? &a->tunnels.at[k] : &none, true, field,
					 &a->wish.tunnels[k]));
	}
	return OK;
}

/* ---- modify ---- */

#define P(wire, member, ...) PARAM(struct vpn_connection_settings, wire, member, __VA_ARGS__)
#define CONNECTION                                                                                           \
	P("VpnConnectionId", connection, .flags = REQUIRED, .kind = KIND_VPN_CONNECTION,                     \
	  .doc = "The VPN connection.")
static const struct param modify_params[] = {
	CONNECTION,
	P("CustomerGatewayId", customer_gateway, .kind = KIND_CUSTOMER_GATEWAY,
	  .doc = "Another customer's side."),
	P("VpnGatewayId", vpn_gateway, .kind = KIND_VPN_GATEWAY, .doc = "Another VPC's side."),
	NOT_BUILT("TransitGatewayId"),
};
static const struct param modify_options_params[] = {
	CONNECTION,
	P("LocalIpv4NetworkCidr", local_cidr, .doc = "The site's addresses in the tunnels."),
	P("RemoteIpv4NetworkCidr", remote_cidr, .doc = "The VPC's addresses in the tunnels."),
	NOT_BUILT("LocalIpv6NetworkCidr|RemoteIpv6NetworkCidr"),
};
#undef P
#undef CONNECTION

struct ec2_modify_tunnel {
	struct vpn_tunnel_settings wish;
	struct ec2_vpn_options options;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_tunnel, wire, member, __VA_ARGS__)
static const struct param modify_tunnel_params[] = {
	P("VpnConnectionId", wish.connection, .flags = REQUIRED, .kind = KIND_VPN_CONNECTION,
	  .doc = "The VPN connection."),
	P("VpnTunnelOutsideIpAddress", wish.outside_ip, .flags = REQUIRED,
	  .doc = "Public address of the tunnel."),
	PARAM_OBJECT(struct ec2_modify_tunnel, "TunnelOptions", options, ec2_vpn_options_params,
		     .flags = REQUIRED, .doc = "The tunnel's options that change."),
	NOT_BUILT("SkipTunnelReplacement|PreSharedKeyStorage", .only = "false"),
};
#undef P

/* The key is sealed for the row that the view shows; the engine compares it. */
static RESULT prepare_modify_tunnel(struct ec2_call *e, void *args)
{
	struct ec2_modify_tunnel *a = args;
	const struct vpn_connection *c = NULL;
	a->wish.inside_field = STR("TunnelOptions.TunnelInsideCidr");
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	TRY(engine_find_own_vpn_connection(e->c, view.tables, &a->wish.connection, &c));
	const struct vpn_tunnel *n = engine_find_vpn_tunnel(view.tables, c->row.id, a->wish.outside_ip);
	a->wish.next.row.id = n ? n->row.id : UUID_NONE;
	return ec2_take_vpn_options(e, &a->options, false, STR("TunnelOptions."), &a->wish.next);
}

/* ---- delete, routes ---- */

static const struct param delete_params[] = {
	PARAM(struct vpn_connection_target, "VpnConnectionId", connection, .flags = REQUIRED,
	      .kind = KIND_VPN_CONNECTION, .doc = "The VPN connection."),
};
#define P(wire, member, ...) PARAM(struct vpn_route_wish, wire, member, __VA_ARGS__)
static const struct param route_params[] = {
	P("DestinationCidrBlock", destination, .flags = REQUIRED, .doc = "A block of the site."),
	P("VpnConnectionId", connection, .flags = REQUIRED, .kind = KIND_VPN_CONNECTION,
	  .doc = "The VPN connection."),
};
#undef P

#define SHOWS(T, member) EC2_SHOWS(connection_listing, T, member, "vpnConnection")
static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpnConnections"),
	 .args = PARAMS(struct ec2_describe_connections, describe_params), .list = &connection_listing,
	 .doc = "Lists VPN connections. Deleted ones stay listed for an hour."},
	{EC2_ACTION("CreateVpnConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_vpn, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_vpn, "vpn-connection"), .operation = engine_create_vpn_connection_run,
	 .returns = KIND_VPN_CONNECTION, SHOWS(struct ec2_create_vpn, wish.connection),
	 .doc = "Creates a VPN connection of two tunnels between a VPC and a site. Routes are static."},
	{EC2_ACTION("ModifyVpnConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_connection_settings, modify_params),
	 .operation = engine_update_vpn_connection_run, .returns = KIND_VPN_CONNECTION,
	 SHOWS(struct vpn_connection_settings, made),
	 .doc = "Moves a VPN connection to another gateway of either side."},
	{EC2_ACTION("ModifyVpnConnectionOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_connection_settings, modify_options_params),
	 .operation = engine_update_vpn_options_run, .returns = KIND_VPN_CONNECTION,
	 SHOWS(struct vpn_connection_settings, made),
	 .doc = "Changes the traffic selectors of a VPN connection."},
	{EC2_ACTION("ModifyVpnTunnelOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_tunnel, modify_tunnel_params), .prepare = prepare_modify_tunnel,
	 .operation = engine_update_vpn_tunnel_run, .returns = KIND_VPN_CONNECTION,
	 SHOWS(struct ec2_modify_tunnel, wish.made),
	 .doc = "Changes options of one tunnel, which goes down meanwhile."},
	{EC2_ACTION("DeleteVpnConnection"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_connection_target, delete_params),
	 .operation = engine_delete_vpn_connection_run,
	 .doc = "Deletes a VPN connection with its tunnels and routes."},
	{EC2_ACTION("CreateVpnConnectionRoute"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_route_wish, route_params), .operation = engine_create_vpn_route_run,
	 .doc = "Adds a static route to a block of the site."},
	{EC2_ACTION("DeleteVpnConnectionRoute"), .flags = API_WRITES,
	 .args = PARAMS(struct vpn_route_wish, route_params), .operation = engine_delete_vpn_route_run,
	 .doc = "Deletes a static route to a block of the site."},
};
const struct api_actions ec2_vpn_connection_actions = API_ACTIONS(actions);
