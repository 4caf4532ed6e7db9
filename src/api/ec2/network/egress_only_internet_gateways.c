/* SPDX-License-Identifier: Apache-2.0
 * Egress-only internet gateways: describe, create, delete. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/routing/egress_gateway.h"
#include "model/egress_gateway.h"

struct ec2_describe_egress {
	struct ec2_query query;
};
static const struct param describe_egress_params[] = {
	QUERY_IDS(struct ec2_describe_egress, "EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY,
		  "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_egress),
	QUERY_PAGES(struct ec2_describe_egress, 5, 255),
};

static void write_gateway(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct egress_gateway *gateway = item;
	ec2_write_id(x, "egressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY, gateway->row.id);
	xml_open(x, "attachmentSet");
	xml_open(x, "item");
	ec2_write_id(x, "vpcId", KIND_ROUTER, gateway->router);
	xml_z(x, "state", "attached");
	xml_close(x, "item");
	xml_close(x, "attachmentSet");
	ec2_write_tags_of_made(e, x, gateway->tags);
}

static const struct ec2_listing egress_listing = {
	.kind = KIND_EGRESS_GATEWAY, .set = "egressOnlyInternetGatewaySet", .write = write_gateway};

struct ec2_create_egress {
	struct egress_gateway_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_egress_params[] = {
	PARAM(struct ec2_create_egress, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_create_egress, "ClientToken", wish.client_token, .max = 64,
	      .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_egress, tag_specs),
};

static RESULT ec2_create_egress_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_egress *a = args;
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return ec2_write_returned(e, &egress_listing, a->wish.gateway, "egressOnlyInternetGateway", x);
}

static const struct param delete_egress_params[] = {
	PARAM(struct egress_gateway_target, "EgressOnlyInternetGatewayId", gateway, .flags = REQUIRED,
	      .kind = KIND_EGRESS_GATEWAY, .doc = "The egress-only internet gateway."),
};

static RESULT ec2_delete_egress_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	(void) args;
	xml_bool(x, "returnCode", true);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeEgressOnlyInternetGateways"),
	 .args = PARAMS(struct ec2_describe_egress, describe_egress_params), .list = &egress_listing,
	 .doc = "Lists the account's egress-only internet gateways."},
	{EC2_ACTION("CreateEgressOnlyInternetGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_egress, create_egress_params),
	 EC2_TAGS(struct ec2_create_egress, "egress-only-internet-gateway"),
	 EC2_DIGEST(struct ec2_create_egress), .operation = engine_create_egress_gateway_run,
	 .returns = KIND_EGRESS_GATEWAY, .answer = ec2_create_egress_gateway,
	 .doc = "Creates a gateway that lets a VPC open IPv6 connections to the internet, but not accept "
		"them."},
	{EC2_ACTION("DeleteEgressOnlyInternetGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct egress_gateway_target, delete_egress_params),
	 .operation = engine_delete_egress_gateway_run, .answer = ec2_delete_egress_gateway,
	 .doc = "Deletes an egress-only internet gateway. Routes to it become black holes."},
};
const struct api_actions ec2_egress_gateway_actions = API_ACTIONS(actions);
