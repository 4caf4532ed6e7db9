/* SPDX-License-Identifier: Apache-2.0
 * Networks: layer-2 segments that carry subnets. EC2's API has no networks: each of its subnets gets one
 * (engine/network/subnet.h). */
#pragma once

#include "engine/network/port/qos_choice.h"
#include "engine/operation.h"
#include "model/network_words.h"

enum {
	NETWORK_MTU_MAX = 1442, /* 1500 less Geneve's 58 */
	NETWORK_MTU_MIN = 1,
	NETWORK_MTU_MIN_IPV4 =
		68, /* required by IPv4 subnets (RFC 791), and the least MTU of Linux's interfaces */
	NETWORK_MTU_MIN_IPV6 = 1280,
};

/* Neutron's provider attributes. All empty: a tunnelled (Geneve) network. */
struct network_provider {
	struct str type, physical_network; /* "flat", "vlan", "geneve" */
	int64_t segment;                   /* VLAN number; 0: not given */
};
enum { EXTERNAL_MTU = 1500, VLAN_MAX = 4094 };

/* Creates a network. ERR_RANGE: the MTU. Only a network without subnets may have one below
 * NETWORK_MTU_MIN_IPV4. For an external network, which only administrators create: ERR_DENIED; ERR_INVALID with
 * KIND_NETWORK, bad provider attributes; ERR_IN_USE with KIND_EXTERNAL_NETWORK, another one has that physical
 * network and VLAN; ERR_EXISTS with KIND_EXTERNAL_NETWORK, another one is the default. */
struct network_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct str name, description;
	bool is_down;
	bool is_open;                 /* new ports have port security off, unless they ask for it */
	bool is_shared;               /* granted to all accounts; see engine_grant_network() */
	bool is_external, is_default; /* is_default: the external network becomes the region's default */
	struct network_provider provider;
	int64_t mtu;           /* 0: the largest */
	struct qos_choice qos; /* not given: the account's default policy */
	struct tags tags;
	/* outputs: */
	uuid network;
};
OPERATION(engine_create_network, network_wish)

/* ERR_STATE with KIND_NETWORK: a subnet requires a larger MTU. */
struct network_settings {
	struct ref network;
	const struct str *name, *description; /* NULL: unchanged */
	enum choice is_down, is_open, is_shared;
	/* Makes the network external or internal; for administrators. ERR_IN_USE with KIND_NETWORK: the
	 * network has ports or routers; with KIND_EXTERNAL_NETWORK: gateways or addresses use it. */
	enum choice is_external;
	enum choice is_default; /* the region's default external network; ignored for internal networks */
	int64_t mtu;            /* 0: unchanged */
	struct qos_choice qos;
	bool set_offering;
	struct ref offering; /* kind none: no offering. ERR_STATE: the offering is disabled */
};
OPERATION(engine_update_network, network_settings)

/* Deletes a network with its subnets and, if it is external, its free addresses. ERR_IN_USE: a port, router,
 * gateway or address still uses it. */
struct network_target {
	struct ref network;
};
OPERATION(engine_delete_network, network_target)

/* True if the metadata service is on the network's own link, for guests behind no router: the network has an
 * IPv4 subnet with DHCP and without a router. As with Neutron's OVN agent, no metadata comes without DHCP. */
bool engine_serves_metadata_in(const struct tables *t, uuid network);
/* The port in the network, behind no router, that has the IPv4 address; NULL: none. */
const struct port *engine_find_port_on_link(const struct tables *t, uuid network, struct ip ip);
