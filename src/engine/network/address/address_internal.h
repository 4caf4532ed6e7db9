/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: public addresses, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/address/ip_pool_internal.h"

struct address_wish;

/* Words that EC2 begins with when addresses run out; a detail of ours follows. */
#define NOT_ENOUGH_ADDRESSES "Not enough available addresses to satisfy your minimum request. "

/* Gives the port an auto-assigned address if it wants one, has none, and is behind a router. The address
 * comes from the external network of the router's internet gateway. A router without a gateway gets one of
 * the first external network that has any left: a gateway attached later leads there. ERR_CAPACITY with
 * KIND_ADDRESS: no address is left, or the gateway has no external network because addresses ran out. */
RESULT address_give_auto(struct op *op, const struct port *port);
/* Like address_give_auto(), but leaves the port without an address if none is left. */
RESULT address_try_auto(struct op *op, const struct port *port);
/* Number of auto-assigned addresses left for ports behind the router; INT64_MAX if such ports get none. */
int64_t address_count_auto(const struct tables *t, uuid router);
/* Checks that `count` auto-assigned addresses are left behind the router. ERR_CAPACITY as for
 * address_give_auto(). */
RESULT address_check_auto(struct op *op, uuid router, int64_t count);
/* Gives auto-assigned addresses to all ports behind the router whose instance is wanted on, for as long as
 * addresses are left. */
RESULT address_give_behind(struct op *op, uuid router);
/* Releases the port's auto-assigned address, if it has one. */
RESULT address_take_auto(struct op *op, uuid port);
/* Allocates a gateway's own address on its external network. ip none: any address; subnet none: in any
 * subnet. ERR_CAPACITY, ERR_RANGE, ERR_EXISTS with KIND_ADDRESS. */
RESULT address_write_for_gateway(struct op *op, const struct gateway *gateway, uuid subnet, struct ip ip,
				 uuid *ret_address);
/* Restores an address of an adopted port. *ret_is_back is false if its row exists, its IP is in use, or its
 * port or external network is gone. */
RESULT address_put_back(struct op *op, const struct address *address, bool *ret_is_back);
/* Reserves an address of an external network's subnet for a port of that network. ERR_EXISTS with
 * KIND_ADDRESS: the address is in use. */
RESULT address_reserve(struct op *op, const struct subnet *subnet, struct ip ip, uuid port);
/* Checks that the ref, if given, names a live subnet of the external network. ERR_NOT_FOUND, ERR_RANGE with
 * KIND_SUBNET. */
RESULT address_check_subnet(struct op *op, uuid external_network, const struct ref *ref);
/* Picks a free address of the subnet's pools; false if none is left. */
bool address_pick_in(const struct tables *t, const struct subnet *subnet, struct ip *ret_ip);
/* Ends an address that is not associated, and logs the release. */
RESULT address_release(struct op *op, const struct address *address);
/* Deletes the address with its port forwardings, load balancers and firewall rules. */
RESULT address_end(struct op *op, uuid address);
/* True if the router's internet gateway is on the address's external network. */
bool address_is_reachable(const struct tables *t, const struct address *address, uuid router);
/* Associates an elastic address with the private address of a port, which must have no public address yet. */
RESULT address_write_association(struct op *op, const struct address *address, const struct port *port,
				 struct ip private_ip);
/* Detaches everything from the port: disassociates elastic addresses, ends auto-assigned ones, port
 * forwardings and load balancers to the port. */
RESULT address_leave_port(struct op *op, uuid port);
/* Like address_leave_port(), for one private address of the port. */
RESULT address_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* Moves the public address, the port forwardings and the load balancers of a private address to another port
 * along with it. */
RESULT address_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);

/* ---- address_pick.c ---- */

struct address_place {
	uuid external_network;
	struct ip ip;
};
/* Index of addresses in use, for ip_pool_internal.h. The probe names the external network; its prefix decides
 * whether addresses inside address prefixes count as used (none) or not. */
struct ip_pool address_pool_of(struct address *probe);
/* Picks a free IPv4 address of the external network. subnet none: in any of its subnets. */
bool address_pick_on(const struct tables *t, uuid external_network, uuid subnet,
		     struct address_place *ret_place);
/* Picks a free IPv6 address likewise. Only gateways and ports have public IPv6 addresses. */
bool address_pick_ipv6_on(const struct tables *t, uuid external_network, uuid subnet,
			  struct address_place *ret_place);
/* Checks that `ip` is free. ERR_EXISTS with KIND_ADDRESS; ERR_RANGE, without a message: no range or subnet
 * contains it. */
RESULT address_check_place(struct op *op, uuid external_network, uuid subnet, struct ip ip,
			   struct address_place *ret_place);
/* Finds an address on the external network named or, if none is, on the first public one that meets the wish.
 * ERR_CAPACITY, ERR_RANGE, ERR_EXISTS with KIND_ADDRESS. */
RESULT address_find_place(struct op *op, const struct address_wish *wish, struct address_place *ret_place);
/* Fails with "The address IP why." */
RESULT address_fail_place(struct op *op, enum err err, struct ip ip, const char *why);
/* Fails with ERR_CAPACITY: in Neutron's words if an external network is named, otherwise in EC2's. */
RESULT address_fail_none_left(struct op *op, uuid external_network);

/* ---- address_leave.c ---- */

/* Disassociates the address, which stays allocated. */
RESULT address_write_free(struct op *op, const struct address *address);
/* Disassociates an elastic address; ends an auto-assigned one. */
RESULT address_leave(struct op *op, const struct address *address);

/* ---- address.c ---- */

/* Finds an elastic address of the caller. ERR_NOT_FOUND also for auto-assigned ones. */
RESULT address_find_elastic(struct op *op, const struct ref *ref, const struct address **ret_address);
