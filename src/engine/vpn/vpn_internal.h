/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: VPN, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct cidrs;
struct customer_gateway;
struct vpn_connection;
struct vpn_gateway;
struct vpn_service;
struct vpn_tunnel;

/* Finds a live gateway that is attached to the router. ERR_NOT_FOUND. */
RESULT vpn_find_attached(struct op *op, const struct ref *ref, uuid router,
			 const struct vpn_gateway **ret_gateway);
/* Raises gen of the gateway's tunnels, so that the reconciler starts or ends their daemons. */
RESULT vpn_touch_tunnels(struct op *op, uuid gateway);
/* The same for the tunnels of one connection. */
RESULT vpn_touch_connection(struct op *op, uuid connection);
/* Writes a tunnel of a new connection: chooses its inside block, link and public address. */
RESULT vpn_tunnel_make(struct op *op, const struct vpn_tunnel *tunnel, uuid gateway, struct str inside_field);
/* Checks the options of a tunnel: ERR_INVALID with KIND_VPN_TUNNEL. */
RESULT vpn_tunnel_check(struct op *op, const struct vpn_tunnel *tunnel, uuid gateway,
			struct str inside_field);
/* Chooses the link of a tunnel at the gateway. ERR_QUOTA: all are in use. */
RESULT vpn_tunnel_link(struct op *op, struct vpn_tunnel *tunnel, uuid gateway);
/* Ends the tunnel, and releases its public address. */
RESULT vpn_tunnel_end(struct op *op, const struct vpn_tunnel *tunnel);
/* Writes a new connection with its tunnels. inside_field: as above. */
RESULT vpn_connection_make(struct op *op, struct vpn_connection *made, const struct vpn_tunnel *tunnels,
			   int count, struct str inside_field);
/* ERR_STATE: the connection follows its customer gateway or belongs to a VPN service, which has its settings and its routes. */
RESULT vpn_check_leads(struct op *op, const struct vpn_connection *c, struct str field);
/* ERR_STATE: the gateway goes with an IPsec site connection, so that no other connection may use or change it. */
RESULT vpn_check_customer(struct op *op, const struct customer_gateway *g, struct str field);
/* Allocates a public address for a tunnel or a gateway. ERR_CAPACITY with KIND_ADDRESS: none is left. */
RESULT vpn_address_allocate(struct op *op, uuid account, uuid *ret_address, struct ip *ret_ip);
/* The same on that external network. */
RESULT vpn_address_allocate_on(struct op *op, uuid account, uuid network, uuid *ret_address,
			       struct ip *ret_ip);
/* Chooses a link at the gateway for the daemon of a service. ERR_QUOTA: all are in use. */
RESULT vpn_choose_link(struct op *op, uuid gateway, int64_t *ret_link);
/* Leads the route tables of the router that have no VPN gateway to this one. */
RESULT vpn_propagate(struct op *op, uuid router, uuid gateway);
/* Adds routes of a connection to the blocks. */
RESULT vpn_add_routes(struct op *op, const struct vpn_connection *c, const struct cidrs *blocks);
/* Detaches and ends a gateway without connections. */
RESULT vpn_gateway_end(struct op *op, const struct vpn_gateway *gateway);

/* ---- VPN services (Neutron) ---- */

/* The first service of the router, or NULL. */
const struct vpn_service *vpn_find_service_of(const struct op *op, uuid router);
/* ERR_STATE with KIND_VPN_SERVICE: the subnet is not attached to the router. */
RESULT vpn_check_attached(struct op *op, uuid router, uuid subnet);
/* ERR_IN_USE with KIND_VPN_SERVICE: the router has services. */
RESULT vpn_check_no_service(struct op *op, uuid router);
/* ERR_IN_USE: a service of the router, or a connection of one, carries the subnet's traffic. */
RESULT vpn_check_subnet_unused(struct op *op, uuid router, uuid subnet);
/* ERR_IN_USE with KIND_VPN_ENDPOINT_GROUP: the subnet is an endpoint. */
RESULT vpn_check_no_endpoint(struct op *op, uuid subnet, uuid account);
/* Clears what a connection that ends refers to, so that these rows may be deleted while it is still listed. */
RESULT vpn_leave_service(struct op *op, const struct vpn_connection *c);
/* Ends a customer gateway that was made for the connection that named it. */
RESULT vpn_end_customer(struct op *op, uuid customer);
/* Ends the gateway of a router that is deleted, and its connections, if the gateway was made for that router (CloudStack). */
RESULT vpn_end_site_gateway(struct op *op, uuid router);
