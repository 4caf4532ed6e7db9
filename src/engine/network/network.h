/* SPDX-License-Identifier: Apache-2.0
 * Networks: layer-2 segments that subnets are on. Those of EC2's subnets are made with the subnets
 * (engine/network/subnet.h). */
#pragma once

#include "engine/operation.h"
#include "store/network.h"

enum { NETWORK_MTU_MAX = 1442 /* 1500 less Geneve's 58 */, NETWORK_MTU_MIN = 68 };

/* Makes a network. ERR_RANGE: the MTU. */
struct network_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct str name, description;
	bool is_down;
	bool is_open;   /* new ports in it are open, unless they are told otherwise */
	bool is_shared; /* everybody may use it; engine_grant_network() says what that means */
	int64_t mtu;    /* 0: the largest */
	struct tags tags;
	/* made: */
	uuid network;
};
OPERATION(engine_create_network, network_wish)

struct network_settings {
	struct ref network;
	const struct str *name, *description; /* NULL: as they are */
	enum choice is_down, is_open, is_shared;
	/* An external network can be made the region's default one; nothing else of it changes so. Of another network it means
	 * nothing. */
	enum choice is_default;
	int64_t mtu; /* 0: as it is */
	bool set_offering;
	struct ref offering; /* kind none: none of the operator's. ERR_STATE: it is not enabled */
};
OPERATION(engine_update_network, network_settings)

/* Deletes a network with its subnets. ERR_IN_USE: a port or a router is in it. */
struct network_target {
	struct ref network;
};
OPERATION(engine_delete_network, network_target)

/* For the reconciler: the network is gone from the virtual network. ERR_STATE: it is not deleted.
 * ERR_IN_USE: subnets or ports of it are not forgotten. Absent: OK. */
struct network_forget {
	uuid network;
};
OPERATION(engine_forget_network, network_forget)
