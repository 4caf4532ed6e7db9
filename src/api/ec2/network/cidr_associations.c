/* SPDX-License-Identifier: Apache-2.0
 * Associations of address blocks with VPCs and subnets, as DescribeVpcs, DescribeSubnets and the calls that associate show
 * them. */
#include "api/ec2/network/cidr_associations.h"

#include "api/ec2/core/write.h"

static bool is_private(struct cidr block)
{
	return !cidr_is_none(block) && (block.base.b[0] & 0xFE) == 0xFC; /* fc00::/7 is not advertised */
}

struct ec2_cidr_association ec2_cidr_association(uuid association, struct cidr block, const char *state)
{
	return (struct ec2_cidr_association){.row.id = association, .block = block, .state = str_from(state)};
}

struct ec2_cidr_association ec2_ipv6_association(uuid association, struct cidr block, bool is_of_named_pool,
						 const char *state)
{
	struct ec2_cidr_association a = ec2_cidr_association(association, block, state);
	a.use = is_private(block) ? STR("private") : STR("public");
	a.source = is_private(block) ? STR("none") : is_of_named_pool ? STR("byoip") : STR("amazon");
	return a;
}

struct ec2_cidr_association ec2_vpc_ipv6_association(struct ec2_call *e, uuid association, struct cidr block,
						     uuid pool, const char *state)
{
	bool is_named = !uuid_is_none(pool);
	struct ec2_cidr_association a = ec2_ipv6_association(association, block, is_named, state);
	a.pool = is_named ? id_to_prefixed(e->c->arena, EC2_IPV6_POOL, pool) : STR("Amazon");
	return a;
}

static const struct attribute state_rows[] = {
	ATTRIBUTE(ec2_cidr_association, "state", state, .filter = "cidr-block-association.state"),
};
static const struct attributes state_members = ATTRIBUTES(state_rows);
static const struct attribute vpc_block_rows[] = {
	ATTRIBUTE_PREFIXED(ec2_cidr_association, "associationId", row.id, "vpc-cidr-assoc",
			   .filter = "cidr-block-association.association-id"),
	ATTRIBUTE(ec2_cidr_association, "cidrBlock", block, .filter = "cidr-block-association.cidr-block"),
	ATTRIBUTE_WITHIN("cidrBlockState", state_members, .flags = ATTRIBUTE_FILTERS_WITHIN),
};
const struct attributes ec2_vpc_block_members = ATTRIBUTES(vpc_block_rows);

static const struct attribute ipv6_state_rows[] = {
	ATTRIBUTE(ec2_cidr_association, "state", state, .filter = "ipv6-cidr-block-association.state"),
};
static const struct attributes ipv6_state_members = ATTRIBUTES(ipv6_state_rows);
#define IPV6_ROWS(id_prefix)                                                                                 \
	ATTRIBUTE_PREFIXED(ec2_cidr_association, "associationId", row.id, id_prefix,                         \
			   .filter = "ipv6-cidr-block-association.association-id"),                          \
		ATTRIBUTE(ec2_cidr_association, "ipv6CidrBlock", block, .flags = ATTRIBUTE_EMPTY_NONE,       \
			  .filter = "ipv6-cidr-block-association.ipv6-cidr-block"),                          \
		ATTRIBUTE_WITHIN("ipv6CidrBlockState", ipv6_state_members,                                   \
				 .flags = ATTRIBUTE_FILTERS_WITHIN),                                         \
		ATTRIBUTE(ec2_cidr_association, "ipv6AddressAttribute", use),                                \
		ATTRIBUTE(ec2_cidr_association, "ipSource", source)
static const struct attribute subnet_ipv6_rows[] = {IPV6_ROWS("subnet-cidr-assoc")};
const struct attributes ec2_subnet_ipv6_members = ATTRIBUTES(subnet_ipv6_rows);
static const struct attribute vpc_ipv6_rows[] = {
	IPV6_ROWS("vpc-cidr-assoc"),
	EC2_REGION("networkBorderGroup"),
	ATTRIBUTE(ec2_cidr_association, "ipv6Pool", pool, .filter = "ipv6-cidr-block-association.ipv6-pool"),
};
const struct attributes ec2_vpc_ipv6_members = ATTRIBUTES(vpc_ipv6_rows);
