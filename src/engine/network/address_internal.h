/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of addresses. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/ip_pool_internal.h"

struct address_wish;

/* What EC2 says when addresses run out; ours follows. */
#define NOT_ENOUGH_ADDRESSES "Not enough available addresses to satisfy your minimum request. "

/* Gives the port an auto-assigned address, where it wants one, has none, and the region has an external
 * network: one of that which its router leads to. Without an internet gateway it gets one of any: nothing
 * leads there yet. ERR_CAPACITY with KIND_ADDRESS: there is none left, or the internet gateway leads nowhere
 * for want of one. */
RESULT address_give_auto(struct op *op, const struct port *port);
/* The same, but where there is none left the port goes without. */
RESULT address_try_auto(struct op *op, const struct port *port);
/* How many such addresses are left for ports behind the router; INT64_MAX: none is given there. */
int64_t address_count_auto(const struct tables *t, uuid router);
/* That there are as many. ERR_CAPACITY as above. */
RESULT address_check_auto(struct op *op, uuid router, int64_t count);
/* Gives them to all ports behind the router that are in an instance which is wanted on, while there are any. */
RESULT address_give_behind(struct op *op, uuid router);
/* Releases the port's auto-assigned address, if any. */
RESULT address_take_auto(struct op *op, uuid port);
/* A public address for a gateway, which is led out: that one, or any when it is none, in the subnet, or in any when that
 * is none. ERR_CAPACITY, ERR_RANGE, ERR_EXISTS with KIND_ADDRESS. */
RESULT address_write_for_gateway(struct op *op, const struct gateway *gateway, uuid subnet, struct ip ip,
				 uuid *ret_address);
/* Puts an address of an adopted port back as it was, unless its row is here, its IP somebody else's,
 * or its network gone. */
RESULT address_put_back(struct op *op, const struct address *address, bool *ret_is_back);
/* Keeps an address of an external network's subnet for a port of that network. ERR_EXISTS with KIND_ADDRESS: it is
 * another's. */
RESULT address_reserve(struct op *op, const struct subnet *subnet, struct ip ip, uuid port);
/* ERR_NOT_FOUND, ERR_RANGE with KIND_SUBNET: what is named is no subnet of the external network. */
RESULT address_check_subnet(struct op *op, uuid external_network, const struct ref *ref);
/* A free one of it; false: there is none. */
bool address_pick_in(const struct tables *t, const struct subnet *subnet, struct ip *ret_ip);
/* An elastic one that stands for nothing goes for good. */
RESULT address_release(struct op *op, const struct address *address);
/* It goes, with its firewall rules. */
RESULT address_end(struct op *op, uuid address);
/* Whether the router's internet gateway leads to where the address comes from. */
bool address_is_reachable(const struct tables *t, const struct address *address, uuid router);
/* Lets an elastic address stand for the port, which has no other one. */
RESULT address_write_association(struct op *op, const struct address *address, const struct port *port,
				 struct ip private_ip);
/* Frees all the port's addresses: elastic ones stay allocated. What was forwarded to the port is so no longer. */
RESULT address_leave_port(struct op *op, uuid port);
/* Only the one that stands for that private address, and what was forwarded to it. */
RESULT address_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* The one that stands for it goes with a private address from port to port, and so does what is forwarded. */
RESULT address_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);

/* ---- address_pick.c ---- */

struct address_place {
	uuid external_network;
	struct ip ip;
};
/* Addresses in use: of what is everybody's, or of a block that the probe says. */
struct ip_pool address_pool_of(struct address *probe);
/* A free one. subnet: in that one; none: in any. */
bool address_pick_on(const struct tables *t, uuid external_network, uuid subnet,
		     struct address_place *ret_place);
/* The same of IPv6: gateways and ports have such addresses. */
bool address_pick_ipv6_on(const struct tables *t, uuid external_network, uuid subnet,
			  struct address_place *ret_place);
/* That it is free. ERR_EXISTS with KIND_ADDRESS; ERR_RANGE without words: it is not there. */
RESULT address_check_place(struct op *op, uuid external_network, uuid subnet, struct ip ip,
			   struct address_place *ret_place);
/* On the network named, or on the first that has what is asked for. ERR_CAPACITY, ERR_RANGE, ERR_EXISTS with KIND_ADDRESS. */
RESULT address_find_place(struct op *op, const struct address_wish *wish, struct address_place *ret_place);
/* "The address … " why. */
RESULT address_fail_place(struct op *op, enum err err, struct ip ip, const char *why);
/* ERR_CAPACITY, in Neutron's words where a network is named, else in EC2's. */
RESULT address_fail_none_left(struct op *op, uuid external_network);

/* ---- address_leave.c ---- */

/* It stands for nothing any more. */
RESULT address_write_free(struct op *op, const struct address *address);
/* The same; one that nobody allocated ends. */
RESULT address_leave(struct op *op, const struct address *address);

/* ---- address.c ---- */

/* The caller's own one that was allocated. ERR_NOT_FOUND. */
RESULT address_find_elastic(struct op *op, const struct ref *ref, const struct address **ret_address);
