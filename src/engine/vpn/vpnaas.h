/* SPDX-License-Identifier: Apache-2.0
 * Neutron's VPNaaS: VPN services of routers, policies, endpoint groups, and IPsec site connections. A connection is a VPN connection with
 * one tunnel (engine/vpn/vpn.h) of the VPN gateway that is attached to the service's router; EC2 and CloudStack show both. Connections
 * of a service share its public address and its IKE daemon. Source of the rules and their order: neutron_vpnaas.db.vpn.
 * Called by: api/openstack/network/vpn_*.c. */
#pragma once

#include "engine/operation.h"
#include "model/vpn_connection.h"
#include "model/vpn_endpoint_group.h"

struct vpn_tunnel;
struct vpn_service;

enum {
	VPN_SERVICES_MAX = 10,
	VPN_POLICIES_MAX = 100,
	VPN_ENDPOINT_GROUPS_MAX = 100,
	VPN_ENDPOINTS_MAX = 100,
	VPN_LIFETIME_S = 3600, /* lifetime of a policy that names none */
};

/* ---- policies ---- */

/* Members that are NULL, and a lifetime of 0, leave the row as it is; a new policy has Neutron's defaults. */
struct vpn_policy_settings {
	const struct str *name, *description, *auth, *encryption, *pfs, *version, *mode;
	int64_t lifetime_s;
};
struct vpn_policy_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct ref policy;  /* a change: the policy */
	struct vpn_policy_settings set;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_ike_policy, vpn_policy_wish)
OPERATION(engine_create_ipsec_policy, vpn_policy_wish)
/* ERR_IN_USE with the policy's kind: a connection names it. */
OPERATION(engine_update_ike_policy, vpn_policy_wish)
OPERATION(engine_update_ipsec_policy, vpn_policy_wish)
struct vpn_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_ike_policy, vpn_policy_target)
OPERATION(engine_delete_ipsec_policy, vpn_policy_target)

/* ---- endpoint groups ---- */

/* ERR_INVALID with KIND_VPN_ENDPOINT_GROUP and the field "endpoints", "endpoint" or "subnet": there are none, one is not valid, or a
 * subnet is not found. */
struct vpn_endpoint_group_wish {
	struct ref account;
	struct str name, description;
	enum vpn_endpoint_group_type type;
	struct strs endpoints;
	/* outputs: */
	uuid group;
};
OPERATION(engine_create_vpn_endpoint_group, vpn_endpoint_group_wish)
struct vpn_endpoint_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: unchanged */
};
OPERATION(engine_update_vpn_endpoint_group, vpn_endpoint_group_settings)
/* ERR_IN_USE: a connection names it. */
struct vpn_endpoint_group_target {
	struct ref group;
};
OPERATION(engine_delete_vpn_endpoint_group, vpn_endpoint_group_target)

/* ---- services ---- */

/* ERR_STATE with KIND_VPN_SERVICE: the field "router_id", the router has no external gateway; "subnet_id", the subnet is not attached to
 * the router. ERR_CAPACITY with KIND_ADDRESS. */
struct vpn_service_wish {
	struct ref account, router, subnet; /* subnet not given: connections name endpoint groups */
	struct str name, description;
	bool is_down;
	/* outputs: */
	uuid service;
};
OPERATION(engine_create_vpn_service, vpn_service_wish)
struct vpn_service_settings {
	struct ref service;
	const struct str *name, *description; /* NULL: unchanged */
	enum choice is_down;
};
OPERATION(engine_update_vpn_service, vpn_service_settings)
/* ERR_IN_USE: the service has connections. */
struct vpn_service_target {
	struct ref service;
};
OPERATION(engine_delete_vpn_service, vpn_service_target)

/* ---- IPsec site connections ---- */

/* Values that a request names; NULL: unchanged, or Neutron's default in a new connection. */
struct ipsec_connection_settings {
	const struct str *name, *description, *peer_address, *peer_id, *local_id, *initiator, *dpd_action;
	const struct str *key; /* sealed for key_row */
	uuid key_row;          /* id of the tunnel */
	const struct strs *peer_cidrs;
	const struct ref *local_group, *peer_group;
	const int64_t *mtu, *dpd_interval_s, *dpd_timeout_s;
	enum choice is_down;
};
/* Fails with KIND_VPN_CONNECTION and ERR_INVALID or ERR_RANGE; the field names the rule (api/openstack/core/errors.c). */
struct ipsec_connection_wish {
	struct ref account, service, ike_policy, ipsec_policy; /* a new connection */
	struct ref connection;                                 /* a change: the connection */
	struct ipsec_connection_settings set;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_ipsec_connection, ipsec_connection_wish)
OPERATION(engine_update_ipsec_connection, ipsec_connection_wish)
struct ipsec_connection_target {
	struct ref connection;
};
OPERATION(engine_delete_ipsec_connection, ipsec_connection_target)

/* ---- look-ups ---- */

/* Id of the IKE daemon that runs the tunnel: its own, or its service's. */
uuid engine_get_vpn_daemon(const struct vpn_tunnel *tunnel);
/* Id of the connection's only tunnel. */
uuid engine_get_ipsec_tunnel(const struct tables *t, uuid connection);
/* Traffic selectors of a service's connection, in the arena: this side's, and the site's. false: out of memory. */
bool engine_list_vpn_selectors(struct arena *a, const struct tables *t, const struct vpn_connection *c,
			       struct cidrs *ret_own, struct cidrs *ret_theirs);
