/* SPDX-License-Identifier: Apache-2.0
 * Networks: layer-2 segments that subnets are on. Those of EC2's subnets are made with the subnets
 * (engine/network/subnet.h). */
#pragma once

#include "engine/operation.h"
#include "store/network.h"

enum { NETWORK_MTU_MAX = 1442 /* 1500 less Geneve's 58 */, NETWORK_MTU_MIN = 68 };

/* On what a network lies, in the words of Neutron's provider attributes. All of it empty: in tunnels between the hosts. */
struct network_provider {
	struct str type, physical_network; /* "flat", "vlan", "geneve" */
	int64_t segment;                   /* of a VLAN; 0: none is said */
};
enum { EXTERNAL_MTU = 1500, VLAN_MAX = 4094 };

/* Makes a network. ERR_RANGE: the MTU. Of an external one, which administrators make: ERR_DENIED, ERR_INVALID with
 * KIND_NETWORK for what it is to lie on, ERR_IN_USE with KIND_EXTERNAL_NETWORK: another lies there; ERR_EXISTS with
 * KIND_EXTERNAL_NETWORK: another is the default one. */
struct network_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct str name, description;
	bool is_down;
	bool is_open;                 /* new ports in it are open, unless they are told otherwise */
	bool is_shared;               /* everybody may use it; engine_grant_network() says what that means */
	bool is_external, is_default; /* of an external one: the region's default */
	struct network_provider provider;
	int64_t mtu; /* 0: the largest */
	struct tags tags;
	/* made: */
	uuid network;
};
OPERATION(engine_create_network, network_wish)

struct network_settings {
	struct ref network;
	const struct str *name, *description; /* NULL: as they are */
	enum choice is_down, is_open, is_shared;
	/* Administrators make it external, and an ordinary one again. ERR_IN_USE with KIND_NETWORK: ports or routers are
	 * in it; with KIND_EXTERNAL_NETWORK: gateways lead to it, or addresses are from it. */
	enum choice is_external;
	enum choice
		is_default; /* the region's default external network; of another network it means nothing */
	int64_t mtu;        /* 0: as it is */
	bool set_offering;
	struct ref offering; /* kind none: none of the operator's. ERR_STATE: it is not enabled */
};
OPERATION(engine_update_network, network_settings)

/* Deletes a network with its subnets, and the free addresses that are from it. ERR_IN_USE: a port or a router is in it,
 * a gateway leads to it, or an address that is from it is in use. */
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
