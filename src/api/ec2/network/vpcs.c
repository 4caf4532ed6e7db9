/* SPDX-License-Identifier: Apache-2.0
 * VPCs, stored as routers: DescribeVpcs, CreateVpc, DeleteVpc, and their attributes. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
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

static struct str association_id(struct ec2_call *e, const struct router *router, struct cidrs blocks,
				 size_t block)
{
	return id_to_prefixed(e->c->arena, "vpc-cidr-assoc",
			      engine_get_block_association(router, blocks, block));
}

static bool fits_cidr(const struct filter_run *f, const struct row *row)
{
	struct cidrs blocks = engine_get_blocks(f->t, f->e->c->arena, router_of(row));
	char text[CIDR_TEXT_SIZE];
	return blocks.count && filter_z(f, cidr_write(blocks.at[0], text));
}

static bool fits_any_cidr(const struct filter_run *f, const struct row *row)
{
	struct cidrs blocks = engine_get_blocks(f->t, f->e->c->arena, router_of(row));
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < blocks.count; k++)
		if (filter_z(f, cidr_write(blocks.at[k], text)))
			return true;
	return false;
}

static bool fits_association(const struct filter_run *f, const struct row *row)
{
	const struct router *router = router_of(row);
	struct cidrs blocks = engine_get_blocks(f->t, f->e->c->arena, router);
	for (size_t k = 0; k < blocks.count; k++)
		if (filter_text(f, association_id(f->e, router, blocks, k)))
			return true;
	return false;
}

static bool fits_ipv6(const struct filter_run *f, const struct row *row)
{
	const struct router *router = router_of(row);
	struct str name = str_from(f->filter->name);
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < router->ipv6_blocks.count; k++) {
		struct cidr block = router->ipv6_blocks.at[k];
		uuid pool = engine_get_ipv6_pool(f->t, router, block);
		bool fits = str_ends_with(name, STR("ipv6-cidr-block")) ? filter_z(f, cidr_write(block, text))
			    : str_ends_with(name, STR("ipv6-pool"))
				    ? (uuid_is_none(pool) ? filter_z(f, "Amazon")
							  : filter_prefixed(f, EC2_IPV6_POOL, pool))
			    : str_ends_with(name, STR("association-id"))
				    ? filter_prefixed(f, "vpc-cidr-assoc",
						      engine_get_ipv6_association(router, block))
				    : filter_z(f, "associated");
		if (fits)
			return true;
	}
	return false;
}

static bool fits_dhcp_options(const struct filter_run *f, const struct row *row)
{
	uuid set = router_of(row)->dhcp_options;
	return uuid_is_none(set) ? filter_z(f, "default") : filter_id(f, KIND_DHCP_OPTIONS, set);
}

static const struct filter vpc_filters[] = {
	{"vpc-id", .is_id = true},
	{"cidr", .get = fits_cidr},
	{"cidr-block", .get = fits_cidr},
	{"cidrBlock", .get = fits_cidr},
	{"cidr-block-association.cidr-block", .get = fits_any_cidr},
	{"cidr-block-association.association-id", .get = fits_association},
	{"cidr-block-association.state", .fixed = "associated"},
	{"dhcp-options-id", .get = fits_dhcp_options,
	 .access_paths = {{KIND_ROUTER, ROUTER_INDEX_DHCP_OPTIONS}}},
	{"is-default", .field = "is_default"},
	{"isDefault", .field = "is_default"},
	{"owner-id", .get = filter_owner},
	{"ipv6-cidr-block-association.ipv6-cidr-block", .get = fits_ipv6},
	{"ipv6-cidr-block-association.ipv6-pool", .get = fits_ipv6},
	{"ipv6-cidr-block-association.association-id", .get = fits_ipv6},
	{"ipv6-cidr-block-association.state", .get = fits_ipv6},
	{"state", .fixed = "available"},
};

struct vpc_item {
	const struct router *router;
	struct cidrs blocks;
	uuid pools[ROUTER_IPV6_BLOCKS_MAX]; /* pools of its IPv6 blocks */
};

static const void *gather_vpc(struct ec2_call *e, const struct row *row)
{
	struct vpc_item *item = arena_new_object(e->c->arena, struct vpc_item);
	if (!item)
		return 0;
	item->router = router_of(row);
	item->blocks = engine_get_blocks(ec2_tables(e), e->c->arena, item->router);
	for (size_t k = 0; k < item->router->ipv6_blocks.count; k++)
		item->pools[k] =
			engine_get_ipv6_pool(ec2_tables(e), item->router, item->router->ipv6_blocks.at[k]);
	return item;
}

static void write_blocks(struct ec2_call *e, struct xml *x, const struct vpc_item *i)
{
	xml_open(x, "cidrBlockAssociationSet");
	for (size_t k = 0; k < i->blocks.count; k++) {
		xml_open(x, "item");
		xml_text(x, "associationId", association_id(e, i->router, i->blocks, k));
		ec2_write_cidr(x, "cidrBlock", i->blocks.at[k]);
		xml_open(x, "cidrBlockState");
		xml_z(x, "state", "associated");
		xml_close(x, "cidrBlockState");
		xml_close(x, "item");
	}
	xml_close(x, "cidrBlockAssociationSet");
}

static void write_ipv6_blocks(struct ec2_call *e, struct xml *x, const struct vpc_item *i)
{
	const struct router *router = i->router;
	if (router->ipv6_blocks.count == 0) {
		xml_empty(x, "ipv6CidrBlockAssociationSet");
		return;
	}
	xml_open(x, "ipv6CidrBlockAssociationSet");
	for (size_t k = 0; k < router->ipv6_blocks.count; k++) {
		struct cidr block = router->ipv6_blocks.at[k];
		uuid association = engine_get_ipv6_association(router, block);
		xml_open(x, "item");
		if (ec2_is_change(e))
			ec2_write_vpc_ipv6(e, x, association, (struct cidr){0}, i->pools[k], "associating");
		else
			ec2_write_vpc_ipv6(e, x, association, block, i->pools[k], "associated");
		xml_close(x, "item");
	}
	xml_close(x, "ipv6CidrBlockAssociationSet");
}

static void write_vpc(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct vpc_item *i = item;
	const struct router *router = i->router;
	ec2_write_id(x, "vpcId", KIND_ROUTER, router->row.id);
	xml_text(x, "ownerId", e->owner);
	xml_z(x, "state", ec2_state_in_answer(e, "available"));
	if (i->blocks.count)
		ec2_write_cidr(x, "cidrBlock", i->blocks.at[0]);
	write_blocks(e, x, i);
	write_ipv6_blocks(e, x, i);
	if (uuid_is_none(router->dhcp_options))
		xml_z(x, "dhcpOptionsId", "default");
	ec2_write_id(x, "dhcpOptionsId", KIND_DHCP_OPTIONS, router->dhcp_options);
	xml_z(x, "instanceTenancy", router_tenancy_words[router->tenancy]);
	xml_bool(x, "isDefault", router->is_default);
	ec2_write_tags(x, router->tags);
}

static const struct ec2_listing vpc_listing = {.kind = KIND_ROUTER,
					       .set = "vpcSet",
					       .filters = FILTERS(vpc_filters),
					       .gather = gather_vpc,
					       .write = write_vpc};

/* ---- create ---- */

struct ec2_create_vpc {
	struct router_wish wish;
	struct str tenancy, border_group;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_vpc_params[] = {
	PARAM(struct ec2_create_vpc, "CidrBlock", wish.block, .flags = REQUIRED,
	      .doc = "Its addresses, /16 to /28."),
	PARAM(struct ec2_create_vpc, "InstanceTenancy", tenancy, .words = "default|dedicated",
	      .absent = "default",
	      .doc = "Of instances that ask for none: on hosts of everybody's, or dedicated; in a dedicated "
		     "VPC none is on everybody's."),
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
	return ec2_take_tags(e, &a->tag_specs, "vpc", "vpc", &a->wish.tags);
}

static RESULT ec2_create_vpc(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_vpc *a = args;
	return ec2_write_returned(e, &vpc_listing, a->wish.router, "vpc", x);
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
	      UNKNOWN_ATTRIBUTE, .doc = "Which of its attributes."),
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
	P("EnableDnsSupport.Value", dns_support, .doc = "Whether names are answered at 169.254.169.253."),
	P("EnableDnsHostnames.Value", dns_hostnames, .doc = "Whether its instances have names."),
	P("EnableNetworkAddressUsageMetrics.Value", usage_metrics, .doc = "Kept as given."),
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
	      .doc = "EC2 takes no other: a VPC does not become dedicated afterwards."),
};

/* ---- delete ---- */

static const struct param delete_vpc_params[] = {
	PARAM(struct router_target, "VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
};

/* ---- the default one ---- */

static RESULT ec2_create_default_vpc(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct default_router_wish *a = args;
	return ec2_write_returned(e, &vpc_listing, a->router, "vpc", x);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcs"), .args = PARAMS(struct ec2_describe_vpcs, describe_vpcs_params),
	 .list = &vpc_listing, .doc = "VPCs of the account."},
	{EC2_ACTION("CreateVpc"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_vpc, create_vpc_params), .prepare = prepare_create,
	 .operation = engine_create_router_run, .returns = KIND_ROUTER, .answer = ec2_create_vpc,
	 .state_in_answer = "pending",
	 .doc = "Makes a VPC with its main route table, default network ACL and default group."},
	{EC2_ACTION("CreateDefaultVpc"), .flags = API_WRITES,
	 .args = {0, 0, sizeof(struct default_router_wish)}, .operation = engine_create_default_router_run,
	 .returns = KIND_ROUTER, .answer = ec2_create_default_vpc, .state_in_answer = "pending",
	 .doc = "Makes a default VPC where it was deleted: with a subnet in each zone and a way out."},
	{EC2_ACTION("DescribeVpcAttribute"),
	 .args = PARAMS(struct ec2_vpc_attribute, describe_attribute_params),
	 .answer = ec2_describe_vpc_attribute, .doc = "One attribute of a VPC."},
	{EC2_ACTION("ModifyVpcAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct router_settings, modify_attribute_params), .prepare = prepare_modify,
	 .operation = engine_update_router_run, .doc = "Changes one attribute of a VPC."},
	{EC2_ACTION("ModifyVpcTenancy"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_vpc_tenancy, tenancy_params), .operation = engine_share_router_run,
	 .doc = "Lets new instances of a dedicated VPC be on hosts of everybody's."},
	{EC2_ACTION("DeleteVpc"), .flags = API_WRITES,
	 .args = PARAMS(struct router_target, delete_vpc_params), .operation = engine_delete_router_run,
	 .doc = "Deletes a VPC in which nothing is left."},
};
const struct api_actions ec2_vpc_actions = API_ACTIONS(actions);
