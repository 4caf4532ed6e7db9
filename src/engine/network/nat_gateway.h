/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways. Each has a network interface of its own in its subnet; a public one lets its elastic
 * address stand for it. It takes part in its router, which is brought about anew when it changes.
 *
 * As in EC2, one that cannot be made for the state that things are in is made as one that has failed
 * and says why. Failed and deleted ones stay visible for NAT_GATEWAY_VISIBLE_US. */
#pragma once

#include "engine/operation.h"

struct address;

#define NAT_GATEWAY_VISIBLE_US HOUR
enum { NAT_GATEWAY_ADDRESSES_MAX = 8 /* the first, and further ones */ };

struct nat_gateway_wish {
	struct ref subnet;
	struct ref address; /* by id; kind none: a private one */
	struct refs more;   /* further ones of a public one, likewise; each gets any free private address */
	struct ip ip;       /* none: any free one of the subnet */
	struct str client_token, digest;
	struct tags tags;
	/* made: */
	uuid nat_gateway;
};
/* ERR_EXISTS, ERR_RANGE with KIND_PORT: that ip. ERR_QUOTA with KIND_NAT_GATEWAY or KIND_PORT. */
OPERATION(engine_create_nat_gateway, nat_gateway_wish)

/* Further public addresses of a public one, each with a private address of its own on its interface. They
 * share its sources (drivers/network.h): connections of a source that moves to another address end. */
struct nat_gateway_addresses {
	struct ref nat_gateway;
	struct refs addresses; /* to come: by id */
	struct ips ips;        /* private ones for them, in their order; fewer: any free ones for the rest */
	struct str ip_field;   /* what the caller calls those */
	struct refs associations; /* to go */
	/* made: */
	uuid of;
	const struct address *changed; /* as they were while they were its own; in the request's arena */
	size_t count;
};
/* ERR_INVALID with KIND_NAT_GATEWAY: a private one. ERR_COMBINATION with KIND_NAT_GATEWAY: more private
 * addresses than public ones. ERR_QUOTA with KIND_SECONDARY_IP: more than NAT_GATEWAY_ADDRESSES_MAX.
 * ERR_CONFLICT with KIND_ADDRESS: in use. ERR_STATE with KIND_GATEWAY: nothing leads out to it. */
OPERATION(engine_add_nat_gateway_addresses, nat_gateway_addresses)
/* At once: their connections end. ERR_NOT_FOUND with KIND_NONE: no association of its own; ERR_INVALID with
 * KIND_NAT_GATEWAY: its first one, which it keeps. */
OPERATION(engine_remove_nat_gateway_addresses, nat_gateway_addresses)

/* Again: OK. Its interface goes and its elastic address is free once the network has let go of it. */
struct nat_gateway_target {
	struct ref nat_gateway;
	/* made: */
	uuid made;
};
OPERATION(engine_delete_nat_gateway, nat_gateway_target)

/* The reconciler's. Gens: of the rows, its own and its port's, that were brought about. Absent: OK. */
struct nat_gateway_sight {
	uuid nat_gateway;
	uint64_t gen, port_gen;
};
OPERATION(engine_see_nat_gateway, nat_gateway_sight)
/* Deleted, and gone from the network. */
OPERATION(engine_end_nat_gateway, nat_gateway_sight)
/* ERR_STATE until it has ended for NAT_GATEWAY_VISIBLE_US. */
OPERATION(engine_forget_nat_gateway, nat_gateway_sight)
