/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways. Each has a port of its own in its subnet; a public one also has elastic addresses on that
 * port. A gateway is part of its router, which the reconciler deploys again when the gateway changes. As in
 * EC2, a gateway that cannot work at present is created as failed, with a reason. Failed and deleted gateways
 * stay visible for NAT_GATEWAY_VISIBLE_US. */
#pragma once

#include "engine/operation.h"

struct address;

#define NAT_GATEWAY_VISIBLE_US HOUR
enum { NAT_GATEWAY_ADDRESSES_MAX = 8 /* the primary address included */ };

struct nat_gateway_wish {
	struct ref subnet;
	struct ref address; /* by id; kind none: a private gateway */
	struct refs more;   /* further addresses of a public gateway; each gets any free private address */
	struct ip ip;       /* private address; none: any free one of the subnet */
	struct str client_token, digest;
	struct tags tags;
	/* outputs: */
	uuid nat_gateway;
};
/* ERR_EXISTS and ERR_RANGE with KIND_PORT concern ip. ERR_QUOTA with KIND_NAT_GATEWAY or KIND_PORT. */
OPERATION(engine_create_nat_gateway, nat_gateway_wish)

/* Adds or removes secondary addresses of a public gateway, each with a private address of its own on the
 * port. Sources are distributed over the addresses (drivers/network.h): connections of a source that moves to
 * another address break. */
struct nat_gateway_addresses {
	struct ref nat_gateway;
	struct refs addresses; /* to add, by id */
	/* private addresses for them, in order; missing ones are chosen */
	struct ips ips;
	struct str ip_field;      /* parameter that ips came from */
	struct refs associations; /* to remove */
	/* outputs: */
	uuid of;
	const struct address *changed; /* their rows before the change, in the request's arena */
	size_t count;
};
/* ERR_INVALID with KIND_NAT_GATEWAY: the gateway is private. ERR_COMBINATION with KIND_NAT_GATEWAY: more
 * private addresses than public ones. ERR_QUOTA with KIND_SECONDARY_IP: NAT_GATEWAY_ADDRESSES_MAX exceeded.
 * ERR_CONFLICT with KIND_ADDRESS: an address is in use. ERR_STATE with KIND_GATEWAY: the router has no
 * internet gateway to the address's network. */
OPERATION(engine_add_nat_gateway_addresses, nat_gateway_addresses)
/* Takes effect at once: connections through the addresses break. ERR_NOT_FOUND with KIND_NONE: an association
 * is not the gateway's. ERR_INVALID with KIND_NAT_GATEWAY: the primary address cannot be removed. */
OPERATION(engine_remove_nat_gateway_addresses, nat_gateway_addresses)

/* Deletes a gateway; repeating the call is OK. Once the network has removed the gateway, its port is deleted
 * and its elastic addresses are disassociated. */
struct nat_gateway_target {
	struct ref nat_gateway;
	/* outputs: */
	uuid made;
};
OPERATION(engine_delete_nat_gateway, nat_gateway_target)

/* Report of the reconciler. The gens are those of the gateway's and the port's rows that were deployed. OK if
 * the gateway is gone. */
struct nat_gateway_report {
	uuid nat_gateway;
	uint64_t gen, port_gen;
};
SYSTEM_OPERATION(engine_see_nat_gateway, nat_gateway_report)
/* Report of the reconciler: the network no longer has the deleted gateway. */
SYSTEM_OPERATION(engine_end_nat_gateway, nat_gateway_report)
/* Forgets the gateway. ERR_STATE: it ended less than NAT_GATEWAY_VISIBLE_US ago. */
SYSTEM_OPERATION(engine_forget_nat_gateway, nat_gateway_report)
