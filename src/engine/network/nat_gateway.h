/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways. Each has a port of its own in its subnet; a public one has an elastic address for
 * that port. It is part of its router, which is applied again when the gateway changes.
 *
 * As in EC2, a gateway that cannot work in the present state of things is made all the same, as
 * failed, and says why. Failed and deleted gateways stay visible for NAT_GATEWAY_VISIBLE_US. */
#pragma once

#include "engine/operation.h"

struct address;

#define NAT_GATEWAY_VISIBLE_US HOUR
enum { NAT_GATEWAY_ADDRESSES_MAX = 8 /* the first, and further ones */ };

struct nat_gateway_wish {
	struct ref subnet;
	struct ref address; /* by id; kind none: a private one */
	struct refs more;   /* further addresses of a public one; each gets any free private address */
	struct ip ip;       /* none: any free one of the subnet */
	struct str client_token, digest;
	struct tags tags;
	/* made: */
	uuid nat_gateway;
};
/* ERR_EXISTS and ERR_RANGE with KIND_PORT concern ip. ERR_QUOTA with KIND_NAT_GATEWAY or
 * KIND_PORT. */
OPERATION(engine_create_nat_gateway, nat_gateway_wish)

/* Adds or removes further public addresses of a public gateway, each with a private address of its
 * own on the port. They divide its sources among them (drivers/network.h): connections of a source
 * that gets another address end. */
struct nat_gateway_addresses {
	struct ref nat_gateway;
	struct refs addresses; /* to come: by id */
	/* Private addresses for them, in their order; if there are fewer, the rest get free
	 * ones. */
	struct ips ips;
	struct str ip_field;      /* what the caller calls those */
	struct refs associations; /* to go */
	/* made: */
	uuid of;
	const struct address *changed; /* as they were before; in the request's arena */
	size_t count;
};
/* ERR_INVALID with KIND_NAT_GATEWAY: it is a private gateway. ERR_COMBINATION with
 * KIND_NAT_GATEWAY: more private addresses than public ones. ERR_QUOTA with KIND_SECONDARY_IP: more
 * than NAT_GATEWAY_ADDRESSES_MAX. ERR_CONFLICT with KIND_ADDRESS: one is in use. ERR_STATE with
 * KIND_GATEWAY: the router has no way out to it. */
OPERATION(engine_add_nat_gateway_addresses, nat_gateway_addresses)
/* Takes effect at once: their connections end. ERR_NOT_FOUND with KIND_NONE: an association is not
 * the gateway's. ERR_INVALID with KIND_NAT_GATEWAY: it is the first one, which stays. */
OPERATION(engine_remove_nat_gateway_addresses, nat_gateway_addresses)

/* Deletes a gateway; a repeated call is OK. Its port is removed and its elastic address becomes
 * free when the network has released it. */
struct nat_gateway_target {
	struct ref nat_gateway;
	/* made: */
	uuid made;
};
OPERATION(engine_delete_nat_gateway, nat_gateway_target)

/* For the reconciler. The gens are those of the gateway's row and its port's row that were carried
 * out. Absent: OK. */
struct nat_gateway_report {
	uuid nat_gateway;
	uint64_t gen, port_gen;
};
OPERATION(engine_see_nat_gateway, nat_gateway_report)
/* The gateway is deleted, and gone from the network. */
OPERATION(engine_end_nat_gateway, nat_gateway_report)
/* Forgets it. ERR_STATE: it has not been over for NAT_GATEWAY_VISIBLE_US. */
OPERATION(engine_forget_nat_gateway, nat_gateway_report)
