/* SPDX-License-Identifier: Apache-2.0
 * Site-to-site VPN: customer gateways, virtual private gateways, VPN connections with two tunnels each, and static routes.
 * Tunnels run while their gateway is attached to a VPC. Deleted gateways and connections stay listed for a while
 * (engine/tombstone.h). Called by: api/ec2/vpn/vpn_*.c, reconcile/network/vpn.c. engine/vpn/vpnaas.h has Neutron's. */
#pragma once

#include "engine/operation.h"
#include "model/customer_gateway.h"
#include "model/vpn_tunnel.h"

struct vpn_connection;
struct vpn_gateway;

enum { VPN_TUNNELS = 2 };
/* AWS's side of a virtual private gateway that names no ASN. Source: EC2's API reference. */
#define VPN_ASN_DEFAULT INT64_C(64512)
/* The other side of a site, which names none. Source: BgpAsn in EC2's API reference. */
#define VPN_CUSTOMER_ASN_DEFAULT INT64_C(65000)
/* In phase2_groups: no perfect forward secrecy. EC2 has no word for that, and always uses a group. */
#define VPN_NO_GROUP "none"
/* Values of tunnel options that are not given. Source: "Tunnel options" in AWS's Site-to-Site VPN user guide. */
enum {
	VPN_PHASE1_LIFETIME_S = 28800,
	VPN_PHASE2_LIFETIME_S = 3600,
	VPN_REKEY_MARGIN_S = 270,
	VPN_REKEY_FUZZ = 100,
	VPN_REPLAY_WINDOW = 1024,
	VPN_DPD_TIMEOUT_S = 30,
};

/* ---- customer gateways ---- */

/* Makes a customer gateway. As in EC2, a request with the address, ASN and device name of a present one returns that one. */
struct customer_gateway_wish {
	struct ip ip;
	int64_t asn;
	struct str device_name;
	struct tags tags;
	/* outputs: */
	uuid gateway;
};
OPERATION(engine_create_customer_gateway, customer_gateway_wish)

/* ERR_STATE with KIND_CUSTOMER_GATEWAY: a VPN connection names it. */
struct customer_gateway_target {
	struct ref gateway;
};
OPERATION(engine_delete_customer_gateway, customer_gateway_target)

/* ---- virtual private gateways ---- */

struct vpn_gateway_wish {
	int64_t asn;
	struct str asn_field; /* parameter that asn came from */
	struct str zone;
	struct tags tags;
	/* outputs: */
	uuid gateway;
};
OPERATION(engine_create_vpn_gateway, vpn_gateway_wish)

/* Attaches or detaches. With KIND_VPN_GATEWAY: ERR_CONFLICT, it is attached elsewhere; ERR_NOT_FOUND with the field
 * "Attachment", it is not attached to that VPC. ERR_EXISTS with KIND_ROUTER: the VPC has another gateway. Detaching ends
 * the propagation of its routes. */
struct vpn_gateway_attachment {
	struct ref gateway, router;
};
OPERATION(engine_attach_vpn_gateway, vpn_gateway_attachment)
OPERATION(engine_detach_vpn_gateway, vpn_gateway_attachment)

/* ERR_STATE with KIND_VPN_GATEWAY: it is attached, or has VPN connections. is_forced: detaches it first. */
struct vpn_gateway_target {
	struct ref gateway;
	bool is_forced;
};
OPERATION(engine_delete_vpn_gateway, vpn_gateway_target)

/* Turns propagation of the gateway's routes into a route table on or off. ERR_INVALID with KIND_ROUTE_TABLE: the gateway is not
 * attached to the table's VPC. */
struct vpn_propagation {
	struct ref gateway, route_table;
};
OPERATION(engine_enable_vpn_propagation, vpn_propagation)
OPERATION(engine_disable_vpn_propagation, vpn_propagation)

/* ---- connections ---- */

/* Makes a connection. tunnels: rows with id, sealed key and options; the engine chooses inside_cidr if there is none, and the
 * public addresses. ERR_CAPACITY with KIND_ADDRESS: there is no public address left. */
struct vpn_connection_wish {
	struct ref customer_gateway, vpn_gateway;
	struct vpn_tunnel tunnels[VPN_TUNNELS];
	struct str inside_field; /* parameter that inside_cidr came from */
	struct cidr local_cidr, remote_cidr;
	struct tags tags;
	/* outputs: */
	uuid connection;
};
OPERATION(engine_create_vpn_connection, vpn_connection_wish)

struct vpn_connection_target {
	struct ref connection;
};
OPERATION(engine_delete_vpn_connection, vpn_connection_target)

/* Moves a connection to another gateway on either side, or changes its traffic selectors. */
struct vpn_connection_settings {
	struct ref connection;
	struct ref customer_gateway, vpn_gateway; /* not given: no change */
	struct cidr local_cidr, remote_cidr;      /* none: no change */
	/* outputs: */
	uuid made;
};
OPERATION(engine_update_vpn_connection, vpn_connection_settings)
OPERATION(engine_update_vpn_options, vpn_connection_settings)

/* Changes the options of a tunnel: those of `next` that are given. ERR_NOT_FOUND with KIND_VPN_TUNNEL: the connection has no
 * tunnel with that public address. */
struct vpn_tunnel_settings {
	struct ref connection;
	struct ip outside_ip;
	struct vpn_tunnel next; /* zero members: no change; its id is the row that the key is sealed for */
	struct str inside_field;
	/* outputs: */
	uuid made; /* the connection */
};
OPERATION(engine_update_vpn_tunnel, vpn_tunnel_settings)

/* Finds the tunnel of a connection by its public address, or NULL. */
const struct vpn_tunnel *engine_find_vpn_tunnel(const struct tables *t, uuid connection, struct ip outside);

/* ---- routes ---- */

/* ERR_NOT_FOUND with KIND_VPN_ROUTE: no such route. Creating a present one changes nothing. */
struct vpn_route_wish {
	struct ref connection;
	struct cidr destination;
};
OPERATION(engine_create_vpn_route, vpn_route_wish)
OPERATION(engine_delete_vpn_route, vpn_route_wish)

/* ---- sites: connections that follow their customer gateway (CloudStack) ---- */

/* Creates a customer gateway with a key, policies and blocks, or changes it and the connections that follow it.
 * ERR_INVALID, with the field: a policy, a lifetime or a block is not valid. ERR_EXISTS with KIND_CUSTOMER_GATEWAY: the
 * name is taken. */
struct site_wish {
	struct ref gateway;           /* a change: the gateway */
	struct customer_gateway next; /* its key is sealed for its row.id */
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_site, site_wish)
OPERATION(engine_update_site, site_wish)

/* Makes a gateway with a public address, attached to the router, whose route tables all get its routes. ERR_EXISTS with
 * KIND_VPN_GATEWAY: the router has one. ERR_CAPACITY with KIND_ADDRESS. */
struct site_gateway_wish {
	struct ref router;
	/* outputs: */
	uuid gateway;
};
OPERATION(engine_create_site_gateway, site_gateway_wish)

/* Connects the gateway with a customer gateway that has a key. ERR_INVALID with the field: the gateway is not attached, or the
 * customer gateway has no key, or its blocks overlap others. ERR_EXISTS with KIND_VPN_CONNECTION: the two are connected. */
struct site_connection_wish {
	struct ref customer_gateway, vpn_gateway;
	bool is_passive; /* the other side begins */
	/* outputs: */
	uuid connection;
};
OPERATION(engine_create_site_connection, site_connection_wish)

/* Ends the security associations of the tunnels, which connect again. */
OPERATION(engine_reset_vpn_connection, vpn_connection_target)

/* The sealed key of a tunnel, its own or its customer gateway's, and the row that it is bound to. Empty: there is none. */
struct str engine_get_vpn_key(const struct tables *t, const struct vpn_tunnel *tunnel, uuid *ret_row);

/* The gateway that is attached to the router, or NULL. */
const struct vpn_gateway *engine_get_vpn_gateway(const struct tables *t, uuid router);
/* The next live connection of the gateway; last NULL: the first. */
const struct vpn_connection *engine_next_vpn_connection(const struct tables *t, uuid gateway,
							const struct vpn_connection *last);
/* A route of a route table by way of a VPN gateway. */
struct vpn_way {
	struct cidr to;
	const struct vpn_tunnel *tunnel; /* NULL: nothing leads there, and the traffic is dropped */
	bool is_propagated;
};
struct vpn_ways {
	const struct vpn_way *at;
	size_t count;
};
/* Lists the ways of a route table: propagated routes, and static routes to the gateway, which lead as far as the connections'
 * routes lead. A tunnel that is up goes before one that is down. false: out of memory. */
bool engine_list_vpn_ways(struct arena *a, const struct tables *t, uuid table, struct vpn_ways *ret_ways);
/* The most specific of them that contains the address; NULL: none. */
const struct vpn_way *engine_find_vpn_way(const struct vpn_ways *ways, struct ip ip);
/* True if a tunnel runs: its connection is not deleted, and the gateway is attached to a VPC. */
bool engine_runs_vpn_tunnel(const struct tables *t, const struct vpn_tunnel *tunnel);

/* ---- reports of the reconciler ---- */

struct vpn_tunnel_report {
	uuid tunnel;
	uint64_t gen;
	bool is_up;
};
SYSTEM_OPERATION(engine_see_vpn_tunnel, vpn_tunnel_report)
