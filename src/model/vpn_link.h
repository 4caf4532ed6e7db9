/* SPDX-License-Identifier: Apache-2.0
 * The link of a VPN tunnel: a switch of its own between the VPC's router, the router that has the tunnel's public address, and the
 * namespace in which the IKE daemon runs. Ids and MACs derive from the tunnel's id, addresses from its number. Pure. */
#pragma once

#include "base/ip.h"
#include "base/uuid.h"

enum {
	VPN_LINKS_MAX = 128,
	VPN_LINK_BITS = 29,
	/* Leaves room for Geneve (58 bytes) on a network of 1,500 bytes. */
	VPN_LINK_MTU = 1442,
	/* ESP in UDP in IPv4: 20 + 8, and up to 54 for header, initialisation vector, padding and integrity check. */
	VPN_TUNNEL_MTU = 1360,
};

struct vpn_link {
	uuid port;      /* switch port of the namespace */
	struct mac mac; /* of that port */
	struct cidr block;
	struct ip router, outer,
		leg; /* addresses of the VPC's router, of the public address's router, of the namespace */
};

/* Link of a tunnel: its id, and its number among the links of the gateway. */
struct vpn_link model_get_vpn_link(uuid tunnel, int64_t number);
/* Block of the link of that number: a /29 of 169.254.240.0/22, which neither peerings nor transit gateways use. */
struct cidr model_get_vpn_link_block(int64_t number);
