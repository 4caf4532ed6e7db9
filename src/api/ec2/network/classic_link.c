/* SPDX-License-Identifier: Apache-2.0
 * DescribeVpcClassicLink, DescribeVpcClassicLinkDnsSupport: links to EC2-Classic, which no region has any
 * more. EC2 still answers that no VPC is linked, and Ansible's modules ask. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "model/router.h"

struct ec2_describe_links {
	struct ec2_query query;
};
static const struct param describe_links_params[] = {
	QUERY_IDS(struct ec2_describe_links, "VpcId", KIND_ROUTER, "VPCs by id."),
	QUERY_FILTERS(struct ec2_describe_links),
};
static const struct param describe_names_params[] = {
	QUERY_IDS(struct ec2_describe_links, "VpcIds", KIND_ROUTER, "VPCs by id."),
	QUERY_PAGES(struct ec2_describe_links, 5, 255),
};

static const struct filter link_filters[] = {
	{"is-classic-link-enabled", .fixed = "false"},
};

static void write_link(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct router *router = item;
	(void) e;
	ec2_write_id(x, "vpcId", KIND_ROUTER, router->row.id);
	xml_bool(x, "classicLinkEnabled", false);
	ec2_write_tags(x, router->tags);
}

static const struct ec2_listing link_listing = {
	.kind = KIND_ROUTER, .set = "vpcSet", .filters = FILTERS(link_filters), .write = write_link};

static void write_names(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct router *router = item;
	(void) e;
	ec2_write_id(x, "vpcId", KIND_ROUTER, router->row.id);
	xml_bool(x, "classicLinkDnsSupported", false);
}

static const struct ec2_listing names_listing = {.kind = KIND_ROUTER, .set = "vpcs", .write = write_names};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcClassicLink"),
	 .args = PARAMS(struct ec2_describe_links, describe_links_params), .list = &link_listing,
	 .doc = "Tells whether VPCs are linked to EC2-Classic. None is."},
	{EC2_ACTION("DescribeVpcClassicLinkDnsSupport"),
	 .args = PARAMS(struct ec2_describe_links, describe_names_params), .list = &names_listing,
	 .doc = "Tells whether DNS works across ClassicLink. It does for no VPC."},
};
const struct api_actions ec2_classic_link_actions = API_ACTIONS(actions);
