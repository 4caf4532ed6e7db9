/* SPDX-License-Identifier: Apache-2.0
 * VPCs, stored as routers: DescribeVpcs, CreateVpc, DeleteVpc, and their attributes. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/cidr_associations.h"
#include "engine/network/ipv6.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/router_block.h"
#include "engine/network/subnet.h"
#include "engine/people/account/account.h"
#include "model/router.h"

/* ---- describe ---- */

struct ec2_describe_vpcs {
	struct ec2_query query;
};
static const struct param describe_vpcs_params[] = {
	QUERY_IDS(struct ec2_describe_vpcs, "VpcId", KIND_ROUTER, "VPCs by id."),
	QUERY_FILTERS(struct ec2_describe_vpcs),
	QUERY_PAGES(struct ec2_describe_vpcs, 5, 1000),
};

/* EC2 shows blocks as being associated in the answer that gives them, IPv6 ones without their addresses. */
static struct attribute_rows list_blocks(struct api_call *e, const struct row *row)
{
	const struct router *router = router_of(row);
	struct cidrs blocks = engine_get_blocks(api_tables(e), e->c->arena, router);
	struct ec2_cidr_association *all =
		arena_new_array(e->c->arena, struct ec2_cidr_association, blocks.count);
	for (size_t k = 0; all && k < blocks.count; k++)
		all[k] = ec2_cidr_association(engine_get_block_association(router, blocks, k), blocks.at[k],
					      "associated");
	return attribute_rows_of(e, all, blocks.count, sizeof *all);
}

static struct attribute_rows list_ipv6(struct api_call *core, const struct row *row)
{
	struct ec2_call *e = ec2_call_of(core);
	const struct router *router = router_of(row);
	struct cidrs blocks = router->ipv6_blocks;
	bool is_change = ec2_is_change(e);
	struct ec2_cidr_association *all =
		arena_new_array(e->c->arena, struct ec2_cidr_association, blocks.count);
	for (size_t k = 0; all && k < blocks.count; k++)
		all[k] = ec2_vpc_ipv6_association(e, engine_get_ipv6_association(router, blocks.at[k]),
						  is_change ? (struct cidr){0} : blocks.at[k],
						  engine_get_ipv6_pool(ec2_tables(e), router, blocks.at[k]),
						  is_change ? "associating" : "associated");
	return attribute_rows_of(core, all, blocks.count, sizeof *all);
}

static const void *find_first_block(struct api_call *e, const struct row *row)
{
	struct cidrs blocks = engine_get_blocks(api_tables(e), e->c->arena, router_of(row));
	return blocks.count ? blocks.at : NULL;
}

static const struct attribute vpc_rows[] = {
	ATTRIBUTE_OWN_ID(router, "vpcId", KIND_ROUTER, .filter = "vpc-id"),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE_CONST("state", "available", .flags = ATTRIBUTE_IN_ANSWER, .filter = "state"),
	ATTRIBUTE_MADE(CIDR, at, "cidrBlock", find_first_block, .filter = "cidr-block"),
	ATTRIBUTE_ROWS("cidrBlockAssociationSet", ec2_vpc_block_members, list_blocks,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_ROWS("ipv6CidrBlockAssociationSet", ec2_vpc_ipv6_members, list_ipv6,
		       .flags = ATTRIBUTE_EMPTY_NONE | ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_REF(router, "dhcpOptionsId", dhcp_options, KIND_DHCP_OPTIONS, .none = "default",
		      .filter = "dhcp-options-id", .index = ROUTER_INDEX_DHCP_OPTIONS),
	ATTRIBUTE_AS(ENUM, router, "instanceTenancy", tenancy, .words = router_tenancy_words),
	ATTRIBUTE(router, "isDefault", is_default, .filter = "is-default"),
	ATTRIBUTE(router, "tagSet", tags),
	/* Further names of these filters. */
	ATTRIBUTE_MADE(CIDR, at, "", find_first_block, .flags = ATTRIBUTE_HIDDEN, .filter = "cidr"),
	ATTRIBUTE_MADE(CIDR, at, "", find_first_block, .flags = ATTRIBUTE_HIDDEN, .filter = "cidrBlock"),
	ATTRIBUTE(router, "", is_default, .flags = ATTRIBUTE_HIDDEN, .filter = "isDefault"),
};
static const struct attributes vpc_members = ATTRIBUTES(vpc_rows);

static const struct ec2_listing vpc_listing = {
	.kind = KIND_ROUTER, .set = "vpcSet", .filters = FILTERS_OF(vpc_members), .attributes = &vpc_members};

/* ---- create ---- */

struct ec2_create_vpc {
	struct router_wish wish;
	struct str tenancy, border_group;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_vpc_params[] = {
	PARAM(struct ec2_create_vpc, "CidrBlock", wish.block, .flags = REQUIRED,
	      .doc = "IPv4 block, /16 to /28."),
	PARAM(struct ec2_create_vpc, "InstanceTenancy", tenancy, .words = "default|dedicated",
	      .absent = "default",
	      .doc = "Default tenancy of instances. In a dedicated VPC no instance may use shared hosts."),
	EC2_BLOCK_ORIGINS(struct ec2_create_vpc, wish.ipv6, border_group),
	NOT_BUILT("VpcEncryptionControl"),
	TAG_SPECIFICATIONS(struct ec2_create_vpc, tag_specs),
};

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_vpc *a = args;
	TRY(ec2_prepare_ipv6_wish(e, &a->wish.ipv6, a->border_group));
	if (str_is(a->tenancy, "dedicated"))
		a->wish.tenancy = ROUTER_TENANCY_DEDICATED;
	return OK;
}

/* ---- attributes ---- */

struct ec2_vpc_attribute {
	struct ref vpc;
	struct str attribute;
};
static const struct param describe_attribute_params[] = {
	PARAM(struct ec2_vpc_attribute, "VpcId", vpc, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_vpc_attribute, "Attribute", attribute, .flags = REQUIRED,
	      .words = "enableDnsSupport|enableDnsHostnames|enableNetworkAddressUsageMetrics",
	      UNKNOWN_ATTRIBUTE, .doc = "Name of the attribute."),
};

static RESULT ec2_describe_vpc_attribute(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_vpc_attribute *a = args;
	const struct router *router = NULL;
	TRY(engine_find_router(e->c, ec2_tables(e), &a->vpc, &router));
	const struct {
		const char *name;
		bool value;
	} attributes[] = {{"enableDnsSupport", router->dns_support},
			  {"enableDnsHostnames", router->dns_hostnames},
			  {"enableNetworkAddressUsageMetrics", router->usage_metrics}};
	ec2_write_id(x, "vpcId", KIND_ROUTER, router->row.id);
	for (size_t k = 0; k < sizeof attributes / sizeof attributes[0]; k++) {
		if (!str_is(a->attribute, attributes[k].name))
			continue;
		xml_open(x, attributes[k].name);
		xml_bool(x, "value", attributes[k].value);
		xml_close(x, attributes[k].name);
	}
	return OK;
}

#define P(wire, member, ...) PARAM(struct router_settings, wire, member, __VA_ARGS__)
static const struct param modify_attribute_params[] = {
	P("VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("EnableDnsSupport.Value", dns_support,
	  .doc = "Whether the DNS resolver at 169.254.169.253 answers."),
	P("EnableDnsHostnames.Value", dns_hostnames, .doc = "Whether instances get DNS host names."),
	P("EnableNetworkAddressUsageMetrics.Value", usage_metrics,
	  .doc = "Stored and shown; nothing is measured."),
};
#undef P

/* EC2 accepts one attribute per call. */
static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	const struct router_settings *a = args;
	int count = (a->dns_support != CHOICE_DEFAULT) + (a->dns_hostnames != CHOICE_DEFAULT) +
		    (a->usage_metrics != CHOICE_DEFAULT);
	if (count == 1)
		return OK;
	if (count == 0)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("EnableDnsSupport.Value"),
			"The request must contain one of EnableDnsSupport, EnableDnsHostnames and "
			"EnableNetworkAddressUsageMetrics");
	return ctx_fail_field(
		e->c, ERR_COMBINATION, STR("EnableDnsHostnames.Value"),
		"Only one attribute is modified at a time: EnableDnsSupport, EnableDnsHostnames or "
		"EnableNetworkAddressUsageMetrics");
}

/* ---- tenancy ---- */

struct ec2_vpc_tenancy {
	struct router_target wish;
	struct str tenancy;
};
static const struct param tenancy_params[] = {
	PARAM(struct ec2_vpc_tenancy, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_vpc_tenancy, "InstanceTenancy", tenancy, .flags = REQUIRED, .words = "default",
	      .doc = "New tenancy; only default, as in EC2."),
};

/* ---- delete ---- */

static const struct param delete_vpc_params[] = {
	PARAM(struct router_target, "VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
};

/* ---- the default one ---- */

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcs"), .args = PARAMS(struct ec2_describe_vpcs, describe_vpcs_params),
	 .list = &vpc_listing, .doc = "Lists the account's VPCs."},
	{EC2_ACTION("CreateVpc"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_vpc, create_vpc_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_vpc, "vpc"), .operation = engine_create_router_run,
	 .returns = KIND_ROUTER, EC2_SHOWS(vpc_listing, struct ec2_create_vpc, wish.router, "vpc"),
	 .state_in_answer = "pending",
	 .doc = "Creates a VPC with its main route table, default network ACL and default security group."},
	{EC2_ACTION("CreateDefaultVpc"), .flags = API_WRITES,
	 .args = {0, 0, sizeof(struct default_router_wish)}, .operation = engine_create_default_router_run,
	 .returns = KIND_ROUTER, EC2_SHOWS(vpc_listing, struct default_router_wish, router, "vpc"),
	 .state_in_answer = "pending",
	 .doc = "Creates a default VPC if the account has none, with a subnet in each zone and an internet "
		"gateway."},
	{EC2_ACTION("DescribeVpcAttribute"),
	 .args = PARAMS(struct ec2_vpc_attribute, describe_attribute_params),
	 .answer = ec2_describe_vpc_attribute, .doc = "Returns one attribute of a VPC."},
	{EC2_ACTION("ModifyVpcAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct router_settings, modify_attribute_params), .prepare = prepare_modify,
	 .operation = engine_update_router_run, .doc = "Changes one attribute of a VPC."},
	{EC2_ACTION("ModifyVpcTenancy"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_vpc_tenancy, tenancy_params), .operation = engine_share_router_run,
	 .doc = "Allows new instances of a dedicated VPC to use shared hosts."},
	{EC2_ACTION("DeleteVpc"), .flags = API_WRITES,
	 .args = PARAMS(struct router_target, delete_vpc_params), .operation = engine_delete_router_run,
	 .doc = "Deletes a VPC that contains nothing else."},
};
const struct api_actions ec2_vpc_actions = API_ACTIONS(actions);
