/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways. Each has a network interface of its own in its subnet; a public one lets its elastic
 * address stand for it. It takes part in its router, which is brought about anew when it changes.
 *
 * As in EC2, one that cannot be made for the state that things are in is made as one that has failed
 * and says why. Failed and deleted ones stay visible for NAT_GATEWAY_VISIBLE_US. */
#pragma once

#include "engine/operation.h"

#define NAT_GATEWAY_VISIBLE_US HOUR

struct nat_gateway_wish {
	struct ref subnet;
	struct ref address; /* by id; kind none: a private one */
	struct ip ip;       /* none: any free one of the subnet */
	struct str client_token, digest;
	struct tags tags;
	/* made: */
	uuid nat_gateway;
};
/* ERR_EXISTS, ERR_RANGE with KIND_PORT: that ip. ERR_QUOTA with KIND_NAT_GATEWAY or KIND_PORT. */
OPERATION(engine_create_nat_gateway, nat_gateway_wish)

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
