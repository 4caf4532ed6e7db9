/* SPDX-License-Identifier: Apache-2.0
 * IPsec site connections. Source: Networking API reference, "VPNaaS"; neutron_vpnaas.db.vpn for defaults and statuses. Answers show the
 * pre-shared key, as Neutron's do, so every call that shows a connection is recorded in the audit log. */
#include "api/openstack/network/network.h"
#include "auth/key/key.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpnaas.h"
#include "model/customer_gateway.h"
#include "model/id.h"
#include "store/vpn_connection.h"
#include "store/vpn_service.h"
#include "store/vpn_tunnel.h"

/* ---- members ---- */

static const char *get_status(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, row->id);
	const struct vpn_service *s = vpn_service_find(t, vpn_connection_of(row)->service);
	if (vpn_connection_of(row)->is_down || (s && s->is_down))
		return "DOWN";
	if (!n || n->seen_gen == 0)
		return "PENDING_CREATE";
	return n->is_up ? "ACTIVE" : "DOWN";
}

static struct str get_key(struct api_call *e, const struct row *row)
{
	struct ctx quiet;
	struct str key = STR_NONE;
	uuid of = UUID_NONE;
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(api_tables(e), row->id);
	ctx_init(&quiet, e->c->arena);
	if (!n)
		return key;
	struct str sealed = engine_get_vpn_key(api_tables(e), n, &of);
	return result_is_ok(key_open(&quiet, e->config->master_key, of, sealed, &key)) ? key : STR_NONE;
}

ATTRIBUTE_GETTER(vpn_connection, c, struct strs, list_peer_cidrs, os_list_cidrs(e->c->arena, c->peer_cidrs))
ATTRIBUTE_GETTER(vpn_connection, c, const char *, get_initiator,
		 c->is_passive ? "response-only" : "bi-directional")
static const struct attribute dpd_rows[] = {
	ATTRIBUTE_AS(ENUM, vpn_connection, "action", dpd_action, .words = vpn_connection_dpd_action_words),
	ATTRIBUTE(vpn_connection, "interval", dpd_interval_s),
	ATTRIBUTE(vpn_connection, "timeout", dpd_timeout_s),
};
static const struct attributes dpd_members = ATTRIBUTES(dpd_rows);
static const struct attribute connection_rows[] = {
	OS_FIELD(vpn_connection, "id", row.id),
	ATTRIBUTE_AS(HEX, vpn_connection, "tenant_id", account, .filter = "tenant_id", .sort = "tenant_id"),
	ATTRIBUTE_AS(HEX, vpn_connection, "project_id", account, .filter = "project_id",
		     .sort = "project_id"),
	OS_FIELD(vpn_connection, "name", name),
	OS_FILTERED(vpn_connection, "description", description),
	OS_FILTERED(vpn_connection, "local_id", local_id),
	ATTRIBUTE_OF(vpn_connection, customer_gateway, KIND_CUSTOMER_GATEWAY, customer_gateway,
		     "peer_address", ip, .filter = "peer_address"),
	OS_FILTERED(vpn_connection, "peer_id", peer_id),
	ATTRIBUTE_MADE(TEXTS, texts, "peer_cidrs", list_peer_cidrs),
	OS_FILTERED(vpn_connection, "local_ep_group_id", local_group,
		    .index = VPN_CONNECTION_INDEX_LOCAL_GROUP),
	OS_FILTERED(vpn_connection, "peer_ep_group_id", peer_group, .index = VPN_CONNECTION_INDEX_PEER_GROUP),
	ATTRIBUTE_CONST("route_mode", "\"static\"", .filter = "route_mode"),
	OS_FILTERED(vpn_connection, "mtu", mtu),
	ATTRIBUTE_MADE(WORD, word, "initiator", get_initiator, .filter = "initiator"),
	ATTRIBUTE_CONST("auth_mode", "\"psk\"", .filter = "auth_mode"),
	ATTRIBUTE_MADE(TEXT, text, "psk", get_key),
	ATTRIBUTE_WITHIN("dpd", dpd_members),
	OS_FILTERED(vpn_connection, "admin_state_up", is_down, .flags = ATTRIBUTE_NOT),
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "status"),
	OS_FILTERED(vpn_connection, "vpnservice_id", service, .index = VPN_CONNECTION_INDEX_SERVICE),
	OS_FILTERED(vpn_connection, "ikepolicy_id", ike_policy, .index = VPN_CONNECTION_INDEX_IKE_POLICY),
	OS_FILTERED(vpn_connection, "ipsecpolicy_id", ipsec_policy,
		    .index = VPN_CONNECTION_INDEX_IPSEC_POLICY),
};
static const struct attributes connection_members = ATTRIBUTES(connection_rows);

/* A connection of EC2 or CloudStack has no service. */
static bool has_service(struct os_call *e, const struct row *row)
{
	(void) e;
	return !uuid_is_none(vpn_connection_of(row)->service);
}

static const struct os_listing connections = {
	.kind = KIND_VPN_CONNECTION,
	.items = "ipsec_site_connections",
	.links = "ipsec_site_connections_links",
	.flags = OS_ADMIN_SEES_ALL,
	.shows = has_service,
	.attributes = &connection_members,
};

/* ---- parameters ---- */

struct os_ipsec_target {
	struct ipsec_connection_target wish;
};
#define CONNECTION(T)                                                                                        \
	OS_PATH(T, "ipsec_site_connection_id", wish.connection, .kind = KIND_VPN_CONNECTION,                 \
		.doc = "The IPsec site connection.")
static const struct param target_params[] = {CONNECTION(struct os_ipsec_target)};

struct os_dpd {
	const struct str *action;
	const int64_t *interval, *timeout;
};
static const struct param dpd_params_rows[] = {
	OS_BODY(struct os_dpd, "action", action, .words = "clear|disabled|hold|restart|restart-by-peer",
		.doc = "Treatment of a silent peer."),
	OS_BODY(struct os_dpd, "interval", interval, .min = 0, .max = INT32_MAX,
		.doc = "Seconds between questions to a silent peer; 0: none."),
	OS_BODY(struct os_dpd, "timeout", timeout, .min = 0, .max = INT32_MAX,
		.doc = "Seconds after which a silent peer is dead; more than the interval."),
};
static const struct params dpd_params = OS_PARAMS(struct os_dpd, dpd_params_rows);

struct os_ipsec {
	struct ipsec_connection_wish wish;
	struct os_dpd dpd;
	const struct str *psk;
	struct str sealed;
};
#define P(wire, member, ...) OS_BODY(struct os_ipsec, wire, member, __VA_ARGS__)
#define CONNECTION_PARAMS(flag)                                                                              \
	P("peer_address", wish.set.peer_address, .flags = (flag), .doc = "IPv4 address of the peer."),       \
		P("peer_id", wish.set.peer_id, .flags = (flag), .doc = "Identity of the peer."),             \
		P("psk", psk, .flags = (flag), .max = 128, .doc = "Pre-shared key."),                        \
		P("name", wish.set.name, .doc = "Name; need not be unique."),                                \
		P("description", wish.set.description, .doc = "Description: free text."),                    \
		P("local_id", wish.set.local_id, .doc = "Identity of this side; empty: its address."),       \
		P("peer_cidrs", wish.set.peer_cidrs, .flags = ONE_OR_LIST | NULLABLE, .max = 64,             \
		  .doc = "Blocks of the site, if the service has a subnet."),                                \
		P("local_ep_group_id", wish.set.local_group, .kind = KIND_VPN_ENDPOINT_GROUP,                \
		  .flags = NULLABLE, .doc = "Endpoint group of subnets."),                                   \
		P("peer_ep_group_id", wish.set.peer_group, .kind = KIND_VPN_ENDPOINT_GROUP,                  \
		  .flags = NULLABLE, .doc = "Endpoint group of the site's blocks."),                         \
		P("mtu", wish.set.mtu, .min = 0, .max = 65535, .doc = "MTU of packets to the site."),        \
		P("initiator", wish.set.initiator, .words = "bi-directional|response-only",                  \
		  .doc = "Whether this side begins."),                                                       \
		P("admin_state_up", wish.set.is_down, .flags = OPPOSITE,                                     \
		  .doc = "Whether the connection runs."),                                                    \
		OS_BODY_OBJECT(struct os_ipsec, "dpd", dpd, dpd_params, .flags = NULLABLE,                   \
			       .doc = "Detection of dead peers.")
static const struct param create_params[] = {
	P("vpnservice_id", wish.service, .flags = REQUIRED, .kind = KIND_VPN_SERVICE,
	  .doc = "The VPN service."),
	P("ikepolicy_id", wish.ike_policy, .flags = REQUIRED, .kind = KIND_IKE_POLICY,
	  .doc = "The IKE policy."),
	P("ipsecpolicy_id", wish.ipsec_policy, .flags = REQUIRED, .kind = KIND_IPSEC_POLICY,
	  .doc = "The IPsec policy."),
	CONNECTION_PARAMS(REQUIRED),
	OS_PROJECT(struct os_ipsec, wish.account),
};
static const struct param update_params[] = {CONNECTION(struct os_ipsec), CONNECTION_PARAMS(0)};
#undef P

/* The key is sealed for the row of the tunnel. */
static RESULT seal(struct os_call *e, struct os_ipsec *a, uuid tunnel)
{
	a->wish.set.dpd_action = a->dpd.action;
	a->wish.set.dpd_interval_s = a->dpd.interval;
	a->wish.set.dpd_timeout_s = a->dpd.timeout;
	a->wish.set.key_row = tunnel;
	if (!a->psk)
		return OK;
	a->wish.set.key = &a->sealed;
	return key_seal(e->c, e->config->master_key, tunnel, *a->psk, &a->sealed);
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	return seal(e, args, id_new(KIND_VPN_TUNNEL));
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_ipsec *a = args;
	const struct row *row = NULL;
	TRY(os_find(e, KIND_VPN_CONNECTION, &a->wish.connection, &row));
	return seal(e, a, engine_get_ipsec_tunnel(os_tables(e), row->id));
}

#define CONNECTIONS "/v2.0/vpn/ipsec-site-connections"
#define TARGET OS_PARAMS(struct os_ipsec_target, target_params)
static const struct os_action actions[] = {
	{HTTP_GET, CONNECTIONS, .permit = "get_ipsec_site_connection", .list = &connections,
	 .doc = "Lists IPsec site connections."},
	{HTTP_POST, CONNECTIONS, .permit = "create_ipsec_site_connection", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_ipsec, create_params), .wrap = "ipsec_site_connection",
	 .item = "ipsec_site_connection", .prepare = prepare_create,
	 .operation = engine_create_ipsec_connection_run, OS_SHOWS(connections, struct os_ipsec, wish.made),
	 .returns = KIND_VPN_CONNECTION, .doc = "Connects a VPN service with a site."},
	{HTTP_GET, CONNECTIONS "/{ipsec_site_connection_id}", .permit = "get_ipsec_site_connection",
	 .args = TARGET, .item = "ipsec_site_connection",
	 OS_SHOWS(connections, struct os_ipsec_target, wish.connection),
	 .doc = "Shows one IPsec site connection."},
	{HTTP_PUT, CONNECTIONS "/{ipsec_site_connection_id}", .permit = "update_ipsec_site_connection",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_ipsec, update_params),
	 .wrap = "ipsec_site_connection", .item = "ipsec_site_connection", .prepare = prepare_update,
	 .operation = engine_update_ipsec_connection_run, OS_SHOWS(connections, struct os_ipsec, wish.made),
	 .returns = KIND_VPN_CONNECTION, .doc = "Changes an IPsec site connection."},
	{HTTP_DELETE, CONNECTIONS "/{ipsec_site_connection_id}", .permit = "delete_ipsec_site_connection",
	 .flags = API_WRITES, .status = 204, .args = TARGET, .operation = engine_delete_ipsec_connection_run,
	 .doc = "Deletes an IPsec site connection."},
};
const struct os_actions os_ipsec_site_connection_actions = OS_ACTIONS(OS_NETWORK, actions);
