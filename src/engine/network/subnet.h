/* SPDX-License-Identifier: Apache-2.0
 * Subnets: with a network (segment) of their own in a router's blocks, as EC2's are, or several on a network.
 */
#pragma once

#include "engine/operation.h"
#include "store/subnet.h"

/* ERR_RANGE: outside of the router's blocks or not /16 to /28, of IPv6 /64. ERR_CONFLICT: overlaps another.
 */
struct subnet_wish {
	struct ref router;
	struct cidr block; /* of IPv6: it has no other */
	struct ref zone;   /* by name or short id; kind none: the first enabled zone */
	struct str name;
	bool public_on_launch;
	struct cidr ipv6_block; /* beside one of IPv4, or none; errors as engine_add_ipv6_subnet() */
	struct str ipv6_field;  /* for messages about any of IPv6 */
	struct tags tags;
	/* made: */
	uuid subnet;
};
OPERATION(engine_create_subnet, subnet_wish)

/* Of a zone, in the account's default VPC, like those that were made with it: the first free block of their
 * size. ERR_MISSING with KIND_ROUTER: there is no default VPC; ERR_EXISTS and ERR_CAPACITY with KIND_SUBNET.
 */
struct default_subnet_wish {
	struct ref zone;
	/* made: */
	uuid subnet;
};
OPERATION(engine_create_default_subnet, default_subnet_wish)

enum { SUBNET_POOLS_MAX = 16, SUBNET_DNS_MAX = 5, SUBNET_ROUTES_MAX = 20 };

/* On a network, for itself until a router's interface is added to it. Where guests make their IPv6 addresses
 * themselves, each port of the network has one of it at once, unless it has no address at all. ERR_RANGE: the
 * block, the gateway or a pool is not where it has to be, or one of the lists not of the block's family; or a
 * block of those addresses is no /64. ERR_CONFLICT with KIND_SUBNET: overlaps another subnet of the network,
 * or the modes of IPv6 do not go together; with KIND_PORT: pools overlap each other or the gateway. ERR_QUOTA
 * with KIND_SUBNET. */
struct network_subnet_wish {
	struct ref network;
	struct ref account; /* the network's, if any is said */
	struct cidr block;  /* none: the pool's next free one, of IPv6 if */
	bool is_ipv6;
	struct ref pool;         /* what it is allocated from; not given: its maker chooses */
	bool wants_default_pool; /* the region's, instead */
	int64_t bits;            /* without a block; 0: as the pool says */
	struct str name, description;
	struct ip gateway_ip; /* none: the first address, or no_gateway */
	bool no_gateway, no_dhcp;
	enum subnet_ipv6_ra_mode ipv6_ra_mode; /* these two: the same, or one of them none */
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

/* Errors as above; ERR_IN_USE with KIND_ROUTER: the gateway's address is a router's; ERR_CONFLICT with
 * KIND_SUBNET: DHCP is to be off where there is a mode of IPv6. */
struct subnet_settings {
	struct ref subnet;
	enum choice public_on_launch, no_dhcp; /* public: ERR_INVALID in one of IPv6 */
	enum choice
		ipv6_on_create; /* ERR_INVALID: yes, where no IPv6 subnet is beside it; no, in one of IPv6 */
	struct str public_field, ipv6_field; /* for messages of these */
	/* NULL: as it is */
	const struct str *name, *description;
	const struct ip *gateway_ip;
	const struct ips *pools, *dns_servers, *host_route_hops;
	const struct cidrs *host_route_blocks; /* with the hops */
};
OPERATION(engine_update_subnet, subnet_settings)

/* ERR_IN_USE while it has ports, or an interface of a router whose blocks it is not in. Addresses that guests
 * made themselves go with it. The network goes with the last subnet in a router's blocks. */
struct subnet_target {
	struct ref subnet;
};
OPERATION(engine_delete_subnet, subnet_target)

/* Absent: OK; ERR_IN_USE while ports of it are not forgotten. */
struct subnet_forget {
	uuid subnet;
};
OPERATION(engine_forget_subnet, subnet_forget)

/* Addresses left to hand out, in EC2's subnets as it counts (five reserved). Any live row of a view. */
int64_t engine_count_free_addresses(const struct subnet *subnet);
/* All that it hands out. */
int64_t engine_count_addresses(const struct subnet *subnet);
