/* SPDX-License-Identifier: Apache-2.0
 * Subnets. EC2's have a network of their own and lie in a router's blocks; of Neutron's, several may be on
 * one network. */
#pragma once

#include "engine/operation.h"
#include "model/subnet_words.h"

struct subnet;

/* Creates a subnet as EC2's CreateSubnet does. ERR_RANGE: the block is outside the router's blocks, or not a
 * /16 to /28 (IPv6: a /44 to /64 in steps of 4). ERR_CONFLICT: the block overlaps another subnet. */
struct subnet_wish {
	struct ref router;
	struct cidr block; /* an IPv6 block makes an IPv6-only subnet */
	struct ref zone;   /* by name or short id; kind none: the first enabled zone */
	struct str name;
	bool public_on_launch;
	/* IPv6 block besides the IPv4 one, or none; errors as for engine_add_ipv6_subnet(). */
	struct cidr ipv6_block;
	struct str ipv6_field; /* parameter that the IPv6 block came from */
	struct tags tags;
	/* outputs: */
	uuid subnet;
};
OPERATION(engine_create_subnet, subnet_wish)

/* Creates a zone's default subnet in the account's default VPC, with the first free block of the default
 * size. ERR_MISSING with KIND_ROUTER: there is no default VPC. ERR_EXISTS and ERR_CAPACITY with
 * KIND_SUBNET. */
struct default_subnet_wish {
	struct ref zone;
	/* outputs: */
	uuid subnet;
};
OPERATION(engine_create_default_subnet, default_subnet_wish)

enum { SUBNET_POOLS_MAX = 16, SUBNET_DNS_MAX = 5, SUBNET_ROUTES_MAX = 20 };

/* Creates a subnet on a network, without a router at first. In a SLAAC subnet, every port of the network that
 * has any address gets one at once. ERR_RANGE: block, gateway or a pool is not allowed, a list has an element
 * of another family, or a block for SLAAC is no /64. ERR_CONFLICT with KIND_SUBNET: the block overlaps
 * another subnet of the network, or the IPv6 modes contradict each other; with KIND_PORT: pools overlap each
 * other or the gateway. ERR_QUOTA with KIND_SUBNET. */
struct network_subnet_wish {
	struct ref network;
	struct ref account; /* if given, must be the network's owner */
	struct cidr block;  /* none: the pool's next free block, IPv6 if */
	bool is_ipv6;
	/* Subnet pool to allocate the block from; not given: the caller chooses the block. */
	struct ref pool;
	bool wants_default_pool; /* instead of pool: the region's default pool */
	int64_t bits;            /* prefix length if block is none; 0: the pool's default */
	struct str name, description;
	struct ip gateway_ip; /* none: the first address, unless no_gateway is set */
	bool no_gateway, no_dhcp;
	enum subnet_ipv6_ra_mode ipv6_ra_mode; /* if both modes are set they must be equal */
	enum subnet_ipv6_address_mode ipv6_address_mode;
	struct ips pools; /* pairs of first and last address; none: all addresses except the gateway's */
	struct ips dns_servers;
	struct cidrs host_route_blocks;
	struct ips host_route_hops;
	struct tags tags;
	/* outputs: */
	uuid subnet;
};
OPERATION(engine_add_subnet, network_subnet_wish)

/* Changes a subnet. Errors as for engine_add_subnet(). ERR_IN_USE with KIND_ROUTER: the gateway address is a
 * router's. ERR_CONFLICT with KIND_SUBNET: DHCP cannot be off while the subnet has an IPv6 mode. */
struct subnet_settings {
	struct ref subnet;
	enum choice public_on_launch, no_dhcp; /* public_on_launch: ERR_INVALID for an IPv6 subnet */
	/* ERR_INVALID: yes without an IPv6 subnet beside; no for an IPv6 subnet. */
	enum choice ipv6_on_create;
	/* DNS names of instances launched in the subnet (schema/subnet.toml). ERR_INVALID: AAAA records
	 * without IPv6; IP-based names or A records in an IPv6 subnet. */
	enum choice id_names, id_names_have_a, id_names_have_aaaa;
	struct str public_field, ipv6_field; /* parameters that they came from */
	/* NULL: unchanged */
	const struct str *name, *description;
	const struct ip *gateway_ip;
	const struct ips *pools, *dns_servers, *host_route_hops;
	const struct cidrs *host_route_blocks; /* given together with the hops */
};
OPERATION(engine_update_subnet, subnet_settings)

/* Live port that has an address or prefix of the subnet, or NULL. */
const struct port *engine_find_port_in(const struct tables *t, uuid subnet);
/* Deletes a subnet with its SLAAC addresses. ERR_IN_USE: the subnet has ports, or an interface of a router
 * whose blocks do not contain it. The network is deleted with the last subnet in a router's blocks. */
struct subnet_target {
	struct ref subnet;
};
OPERATION(engine_delete_subnet, subnet_target)

/* Number of available addresses; for EC2's subnets as EC2 counts (five are reserved). On any live row of a
 * view. */
int64_t engine_count_free_addresses(const struct subnet *subnet);
/* Number of addresses that the subnet can assign in all. */
int64_t engine_count_addresses(const struct subnet *subnet);
