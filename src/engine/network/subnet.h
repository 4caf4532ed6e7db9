/* SPDX-License-Identifier: Apache-2.0
 * Subnets: either with a network (segment) of their own in a router's blocks, as EC2's are, or
 * several on one network, as Neutron's are. */
#pragma once

#include "engine/operation.h"
#include "store/subnet.h"

/* Makes a subnet as EC2's CreateSubnet does. ERR_RANGE: the block is outside of the router's
 * blocks, or not between /16 and /28; an IPv6 one is no /44 to /64 in steps of 4. ERR_CONFLICT: it overlaps
 * another. */
struct subnet_wish {
	struct ref router;
	struct cidr block; /* an IPv6 block: the subnet has no other */
	struct ref zone;   /* by name or short id; kind none: the first enabled zone */
	struct str name;
	bool public_on_launch;
	/* An IPv6 block besides the IPv4 one, or none; errors as for engine_add_ipv6_subnet(). */
	struct cidr ipv6_block;
	struct str ipv6_field; /* the parameter, for messages about IPv6 */
	struct tags tags;
	/* made: */
	uuid subnet;
};
OPERATION(engine_create_subnet, subnet_wish)

/* Makes a zone's default subnet in the account's default VPC, like those that were made with that
 * VPC: with the first free block of their size. ERR_MISSING with KIND_ROUTER: there is no default
 * VPC. ERR_EXISTS and ERR_CAPACITY with KIND_SUBNET. */
struct default_subnet_wish {
	struct ref zone;
	/* made: */
	uuid subnet;
};
OPERATION(engine_create_default_subnet, default_subnet_wish)

enum { SUBNET_POOLS_MAX = 16, SUBNET_DNS_MAX = 5, SUBNET_ROUTES_MAX = 20 };

/* Makes a subnet on a network. It is by itself until a router's interface is added to it. If guests
 * make their IPv6 addresses themselves, each port of the network that has any address gets one of
 * the subnet's at once.
 *
 * ERR_RANGE: the block, the gateway or a pool is not where it must be, or an element of a list is
 * not of the block's family; or a block whose addresses guests make is not a /64. ERR_CONFLICT with
 * KIND_SUBNET: it overlaps another subnet of the network, or the two IPv6 modes do not fit.
 * ERR_CONFLICT with KIND_PORT: pools overlap each other or the gateway. ERR_QUOTA with
 * KIND_SUBNET. */
struct network_subnet_wish {
	struct ref network;
	struct ref account; /* the network's, if one is given */
	struct cidr block;  /* none: the pool's next free one, of IPv6 if */
	bool is_ipv6;
	/* The subnet pool that the block is allocated from; not given: the caller chooses the
	 * block. */
	struct ref pool;
	bool wants_default_pool; /* instead: the region's default pool */
	int64_t bits;            /* without a block; 0: as the pool says */
	struct str name, description;
	struct ip gateway_ip; /* none: the first address, or no_gateway */
	bool no_gateway, no_dhcp;
	enum subnet_ipv6_ra_mode
		ipv6_ra_mode; /* of these two modes one may be none; else they must be the same */
	enum subnet_ipv6_address_mode ipv6_address_mode;
	struct ips pools; /* first and last of each; none: all addresses but the gateway's */
	struct ips dns_servers;
	struct cidrs host_route_blocks;
	struct ips host_route_hops;
	struct tags tags;
	/* made: */
	uuid subnet;
};
OPERATION(engine_add_subnet, network_subnet_wish)

/* Changes a subnet. Errors as above. ERR_IN_USE with KIND_ROUTER: the gateway's address is a
 * router's. ERR_CONFLICT with KIND_SUBNET: DHCP cannot be off while the subnet has an IPv6 mode. */
struct subnet_settings {
	struct ref subnet;
	enum choice public_on_launch, no_dhcp; /* public: ERR_INVALID for an IPv6 subnet */
	/* ERR_INVALID: yes, if no IPv6 subnet is beside it; no, for an IPv6 subnet. */
	enum choice ipv6_on_create;
	/* How launches in it are named (schema/subnet.toml). ERR_INVALID: no AAAA record without IPv6
	 * addresses; an IPv6 subnet has names made of ids, and no A record. */
	enum choice id_names, id_names_have_a, id_names_have_aaaa;
	struct str public_field, ipv6_field; /* for messages of these */
	/* NULL: as it is */
	const struct str *name, *description;
	const struct ip *gateway_ip;
	const struct ips *pools, *dns_servers, *host_route_hops;
	const struct cidrs *host_route_blocks; /* with the hops */
};
OPERATION(engine_update_subnet, subnet_settings)

/* A port that has an address or a prefix of the subnet's; NULL: none has. */
const struct port *engine_find_port_in(const struct tables *t, uuid subnet);
/* Deletes a subnet. ERR_IN_USE: it has ports, or an interface of a router whose blocks it is not
 * in. Addresses that guests made themselves are removed with it. With the last subnet in a router's
 * blocks its network is deleted, too. */
struct subnet_target {
	struct ref subnet;
};
OPERATION(engine_delete_subnet, subnet_target)

/* For the reconciler: forgets a subnet. Absent: OK. ERR_IN_USE: ports of it are not forgotten. */
struct subnet_forget {
	uuid subnet;
};
OPERATION(engine_forget_subnet, subnet_forget)

/* How many addresses are left; for EC2's subnets as EC2 counts (five are reserved). On any live row
 * of a view. */
int64_t engine_count_free_addresses(const struct subnet *subnet);
/* How many addresses the subnet hands out in all. */
int64_t engine_count_addresses(const struct subnet *subnet);
