/* SPDX-License-Identifier: Apache-2.0
 * Guest networks as CloudStack's users make them: a network with its one subnet, and what leads out of it, in one wish. One
 * with a way out has a router of its own, as those of OpenStack's users have that made each part by itself; a tier is a
 * subnet of a VPC, as EC2's are. VPCs that reach out by their gateway's address are made here, too. */
#pragma once

#include "engine/network/router.h"

struct guest_network_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct ref zone;    /* where its machines may be */
	struct str name, description;
	struct cidr block;
	struct ip
		gateway_ip; /* none: the block's first address. ERR_RANGE with KIND_SUBNET: it cannot be that */
	/* A router of its own that leads out, under an address of its own. ERR_CAPACITY with KIND_GATEWAY: there is no external
	 * network, or it has no address left. */
	bool has_router;
	bool egress_open; /* then: all may go out but what firewall rules name; else nothing but that */
	/* What it is made by; kind none: none of the operator's. ERR_STATE: it is not enabled. */
	struct ref offering;
	struct ref vpc; /* instead: a tier of it. Errors as of engine_create_subnet() */
	struct ref acl; /* a tier's; kind none: the VPC's default one */
	/* made: */
	uuid network;
};
OPERATION(engine_create_guest_network, guest_network_wish)

/* Deletes a network with what was made with it; public addresses that were taken for it are released. Of a router
 * that has other subnets now, the network alone goes. ERR_IN_USE with KIND_NETWORK, KIND_SUBNET or KIND_PORT: something
 * is in it. */
struct guest_network_target {
	struct ref network;
};
OPERATION(engine_delete_guest_network, guest_network_target)

/* Makes a router with blocks, whose subnets reach out under its gateway's address. Errors as of
 * engine_create_router(), and as above. */
OPERATION(engine_create_vpc, router_wish)
/* Deletes one with its gateway and lists; public addresses that were taken for it are released. ERR_IN_USE with KIND_ROUTER: it
 * has subnets, or something that was not made with it. */
OPERATION(engine_delete_vpc, router_target)
