/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: associations of address blocks with VPCs and subnets. */
#pragma once

#include "api/ec2/core/filter.h"

struct ec2_cidr_association {
	struct row row;    /* its id is the association's */
	struct cidr block; /* none: an IPv6 block that EC2 does not show while it is associating */
	struct str state;
	struct str use, source, pool; /* IPv6 */
};

/* The association of an IPv4 block. */
struct ec2_cidr_association ec2_cidr_association(uuid association, struct cidr block, const char *state);
/* The association of a VPC's or subnet's IPv6 block. is_of_named_pool: the caller named the pool of the VPC's block by its id. */
struct ec2_cidr_association ec2_ipv6_association(uuid association, struct cidr block, bool is_of_named_pool,
						 const char *state);
/* The association of a VPC's IPv6 block. pool: its pool; none: the region's. */
struct ec2_cidr_association ec2_vpc_ipv6_association(struct ec2_call *e, uuid association, struct cidr block,
						     uuid pool, const char *state);

/* Members of associations: an IPv4 block's and an IPv6 block's with a VPC, and an IPv6 block's with a subnet. */
extern const struct attributes ec2_vpc_block_members, ec2_vpc_ipv6_members, ec2_subnet_ipv6_members;
