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

struct ec2_cidr_association ec2_cidr_association(uuid association, struct cidr block, const char *state);
/* is_of_named_pool: the caller asked for the VPC's block in a pool by the pool's id. */
struct ec2_cidr_association ec2_ipv6_association(uuid association, struct cidr block, bool is_of_named_pool,
						 const char *state);
/* pool: that one; none: the region's. */
struct ec2_cidr_association ec2_vpc_ipv6_association(struct ec2_call *e, uuid association, struct cidr block,
						     uuid pool, const char *state);

/* Of IPv4 with a VPC, of IPv6 with a VPC, and of IPv6 with a subnet. */
extern const struct attributes ec2_vpc_block_members, ec2_vpc_ipv6_members, ec2_subnet_ipv6_members;
