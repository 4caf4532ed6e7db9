/* SPDX-License-Identifier: Apache-2.0
 * Further address blocks of a VPC: AssociateVpcCidrBlock, DisassociateVpcCidrBlock. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/cidr_associations.h"
#include "engine/network/routing/router_block.h"

struct ec2_associate_vpc_block {
	struct router_block_wish wish;
	struct str border_group;
};
#define P(wire, member, ...) PARAM(struct ec2_associate_vpc_block, wire, member, __VA_ARGS__)
static const struct param associate_params[] = {
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("CidrBlock", wish.block, .doc = "Additional IPv4 block, /16 to /28."),
	EC2_BLOCK_ORIGINS(struct ec2_associate_vpc_block, wish.ipv6, border_group),
};
#undef P
static const struct param disassociate_params[] = {
	PARAM(struct router_block_target, "AssociationId", association, .flags = REQUIRED,
	      .prefix = "vpc-cidr-assoc", .doc = "Association of the block with its VPC."),
};

/* Takes either an IPv4 or an IPv6 block. */
static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	struct ec2_associate_vpc_block *whole = args;
	struct router_block_wish *a = &whole->wish;
	TRY(ec2_prepare_ipv6_wish(e, &a->ipv6, whole->border_group));
	if (!cidr_is_none(a->block) && a->ipv6.is_wanted)
		return ctx_fail_field(e->c, ERR_COMBINATION, a->ipv6.field,
				      "Only one of CidrBlock and %" STR_FMT " may be given.",
				      STR_ARG(a->ipv6.field));
	if (!cidr_is_none(a->block) || a->ipv6.is_wanted)
		return OK;
	return ctx_fail_field(e->c, ERR_MISSING, STR("CidrBlock"),
			      "The request must contain CidrBlock or AmazonProvidedIpv6CidrBlock");
}

/* block none: EC2 does not show an IPv6 block while it is associating, only from DescribeVpcs on. */
static RESULT write_association(struct ec2_call *e, struct xml *x, bool is_ipv6,
				const struct ec2_cidr_association *association, uuid router)
{
	const char *name = is_ipv6 ? "ipv6CidrBlockAssociation" : "cidrBlockAssociation";
	xml_open(x, name);
	ec2_write_members(e, x, is_ipv6 ? &ec2_vpc_ipv6_members : &ec2_vpc_block_members, &association->row);
	xml_close(x, name);
	ec2_write_id(x, "vpcId", KIND_ROUTER, router);
	return OK;
}

static RESULT ec2_associate_vpc_cidr_block(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct router_block_wish *a = args;
	bool is_ipv6 = a->block.base.family == IP_V6;
	const struct ec2_cidr_association made = ec2_vpc_ipv6_association(
		e, a->association, is_ipv6 ? (struct cidr){0} : cidr_canonical(a->block), a->ipv6.pool.prefix,
		ec2_state_in_answer(e, NULL));
	return write_association(e, x, is_ipv6, &made, a->made_in);
}

static RESULT ec2_disassociate_vpc_cidr_block(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct router_block_target *a = args;
	const struct ec2_cidr_association removed =
		ec2_vpc_ipv6_association(e, a->removed, a->block, a->pool, ec2_state_in_answer(e, NULL));
	return write_association(e, x, a->block.base.family == IP_V6, &removed, a->router);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("AssociateVpcCidrBlock"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_associate_vpc_block, associate_params), .prepare = prepare_associate,
	 .operation = engine_add_router_block_run, .answer = ec2_associate_vpc_cidr_block,
	 .state_in_answer = "associating", .doc = "Associates an additional block with a VPC."},
	{EC2_ACTION("DisassociateVpcCidrBlock"), .flags = API_WRITES,
	 .args = PARAMS(struct router_block_target, disassociate_params),
	 .operation = engine_remove_router_block_run, .answer = ec2_disassociate_vpc_cidr_block,
	 .state_in_answer = "disassociating",
	 .doc = "Disassociates a block from a VPC. Fails while a subnet lies in it."},
};
const struct api_actions ec2_vpc_block_actions = API_ACTIONS(actions);
