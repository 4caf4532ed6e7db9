/* SPDX-License-Identifier: Apache-2.0
 * Guest networks as CloudStack's users create them: a network, its one subnet and its egress in one
 * operation. A network with egress has a router of its own; a tier is a subnet of a VPC, as in EC2. A shared
 * network has neither: its gateway is a machine on the segment, or a router that its owner adds. An L2 network
 * has no subnet, so its ports have no addresses, and no port security.
 * CloudStack's VPCs, which do source NAT under the address of their gateway, are created here as well. */
#pragma once

#include "engine/network/routing/router.h"
#include "model/network_words.h"

struct guest_network_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct ref zone;    /* zone of the subnet, and so of its instances */
	struct str name, description;
	struct cidr block;
	struct ip gateway_ip; /* none: the block's first address. ERR_RANGE with KIND_SUBNET: not usable as a
			     * gateway */
	/* Creates a router with a gateway and a source NAT address. ERR_CAPACITY with KIND_GATEWAY: there is
	 * no external network, or it has no address left. */
	bool has_router;
	bool is_l2;
	enum network_guest_type guest_type; /* shared: excludes has_router */
	struct ips pools; /* first and last address for guests; none: as engine_add_subnet() */
	bool no_dhcp;
	/* Domain whose accounts may use the network; the default domain with_subdomains: all accounts, as by
	 * engine_grant_network(). Kind none: the owner alone. ERR_DENIED: only administrators say so. */
	struct ref domain;
	bool with_subdomains;
	bool egress_open; /* with has_router. true: egress is allowed, and firewall rules deny; false: the
			   * reverse */
	/* Network offering; kind none: no offering. ERR_STATE: the offering is disabled. */
	struct ref offering;
	struct ref vpc; /* instead of has_router: VPC in which to create a tier. Errors as for
			 * engine_create_subnet() */
	struct ref acl; /* network ACL of a tier; kind none: the VPC's default */
	/* outputs: */
	uuid network;
};
OPERATION(engine_create_guest_network, guest_network_wish)

/* Deletes a network with everything that was created with it, and releases public addresses allocated for it.
 * A router that has other subnets by now stays. ERR_IN_USE with KIND_NETWORK, KIND_SUBNET or KIND_PORT:
 * something uses the network. */
struct guest_network_target {
	struct ref network;
};
OPERATION(engine_delete_guest_network, guest_network_target)

/* Creates a router with address blocks whose subnets use source NAT under its gateway's address. Errors as
 * for engine_create_router() and has_router. */
OPERATION(engine_create_vpc, router_wish)
/* Deletes a VPC with its gateway and ACLs, and releases public addresses allocated for it. ERR_IN_USE with
 * KIND_ROUTER: the VPC has subnets, or something that was not created with it. */
OPERATION(engine_delete_vpc, router_target)
