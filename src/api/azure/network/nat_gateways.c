/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways: subnets say which they have (subnets.c). Source: Azure REST API reference, "Nat Gateways", 2022-07-01. */
#include "api/azure/network/network.h"

#include "engine/tag.h"
#include "engine/virtual/source_nat.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/source_nat.h"
#include "store/subnet.h"

static bool is_elastic(struct api_call *e, const struct row *row)
{
	(void) e;
	return address_of(row)->is_elastic;
}

static const struct member properties[] = {
	AZ_PROPERTIES,
	AZ_SAID_AS(AZ_NUMBER, "properties.", "idleTimeoutInMinutes", "4"),
	AZ_EACH_LINK("publicIpAddresses", AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, ADDRESS_INDEX_SOURCE_NAT,
		     .fits = is_elastic),
	AZ_EACH_LINK("publicIpPrefixes", AZ_PUBLIC_PREFIXES, KIND_ADDRESS_PREFIX,
		     ADDRESS_PREFIX_INDEX_SOURCE_NAT, .is_optional = true),
	AZ_EACH_LINK("subnets", AZ_SUBNETS, KIND_SUBNET, SUBNET_INDEX_SOURCE_NAT),
};
static const struct member members[] = {
	AZ_HEAD,
	MEMBER_WITH("sku", MEMBER_FIXED("name", "\"Standard\"")),
	AZ_SAID_ZONES,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing nats = {
	.kind = KIND_SOURCE_NAT, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

struct nat_says {
	struct az_links addresses, prefixes;
	int64_t minutes;
};
struct nat_args {
	struct source_nat_wish wish;
	struct az_network_sku sku;
	struct nat_says properties;
};
static const struct param nat_rows[] = {
	PARAM_LIST(struct nat_says, "publicIpAddresses", addresses, az_link_params,
		   .max = SOURCE_NAT_ADDRESSES_MAX, .doc = "Public addresses for outgoing connections."),
	PARAM(struct nat_says, "idleTimeoutInMinutes", minutes, .min = 4, .max = 120,
	      .doc = "Stored and shown; OVN sets the timeout of connections."),
	PARAM_LIST(struct nat_says, "publicIpPrefixes", prefixes, az_link_params,
		   .max = SOURCE_NAT_ADDRESSES_MAX, .doc = "Public IP prefixes for outgoing connections."),
	NOT_BUILT("publicIpAddressesV6|publicIpPrefixesV6|sourceVirtualNetwork|serviceGateway"),
	NOT_BUILT("nat64", .only = "None|Disabled"),
	AZ_READ_ONLY("subnets|resourceGuid|provisioningState"),
};
static const struct params nat_params =
	PARAMS(struct nat_says, nat_rows, .object = "NatGatewayPropertiesFormat");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct nat_args, "sku", sku, az_standard_sku_params, .doc = "SKU; only Standard."),
	PARAM_OBJECT(struct nat_args, "properties", properties, nat_params,
		     .doc = "Public addresses and prefixes of the gateway."),
	AZ_KEPT("zones"),
	AZ_RESOURCE,
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct nat_args *a = args;
	a->wish.name = e->put.name;
	if (!uuid_is_none(e->target))
		a->wish.source_nat = az_target_ref(e);
	TRY(az_follow_all(e, "properties.publicIpPrefixes.id", &a->properties.prefixes, AZ_PUBLIC_PREFIXES,
			  KIND_ADDRESS_PREFIX, &a->wish.prefixes));
	return az_follow_all(e, "properties.publicIpAddresses.id", &a->properties.addresses,
			     AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, &a->wish.addresses);
}

#define NATS AZ_NETWORK "/natGateways"
#define NAT AZ_GROUP NATS "/{natGatewayName}"
#define OF_ONE .type = AZ_NAT_GATEWAYS, .kind = KIND_SOURCE_NAT, .names = "natGatewayName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION NATS, .name = "NatGateways_ListAll", .permit = "ec2:DescribeSourceNats",
	 .type = AZ_NAT_GATEWAYS, .listing = &nats, .doc = "Lists the subscription's NAT gateways."},
	{HTTP_GET, AZ_GROUP NATS, .name = "NatGateways_List", .permit = "ec2:DescribeSourceNats",
	 .type = AZ_NAT_GATEWAYS, .listing = &nats, .doc = "Lists a resource group's NAT gateways."},
	{HTTP_GET, NAT, .name = "NatGateways_Get", .permit = "ec2:DescribeSourceNats", OF_ONE, .shows = &nats,
	 .doc = "Gets one NAT gateway."},
	{HTTP_PUT, NAT, .name = "NatGateways_CreateOrUpdate", .permit = "ec2:CreateSourceNat",
	 .flags = API_WRITES | AZ_PUT, OF_ONE, .keeps = "zones|properties.idleTimeoutInMinutes",
	 .args = PARAMS(struct nat_args, put_rows, .object = "NatGateway"), .prepare = prepare,
	 .operation = engine_put_source_nat_run, .returns = KIND_SOURCE_NAT,
	 AZ_SUBJECT(struct nat_args, wish.made), .shows = &nats,
	 .doc = "Creates a NAT gateway or changes its addresses."},
	{HTTP_PATCH, NAT, .name = "NatGateways_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_SOURCE_NAT,
	 .shows = &nats, .doc = "Changes a NAT gateway's tags."},
	{HTTP_DELETE, NAT, .name = "NatGateways_Delete", .permit = "ec2:DeleteSourceNat", .flags = API_WRITES,
	 OF_ONE, .args = {0, 0, sizeof(struct source_nat_target)},
	 AZ_TARGET(struct source_nat_target, source_nat), .operation = engine_delete_source_nat_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a NAT gateway that no subnet uses."},
};
const struct api_actions az_nat_gateway_actions = API_ACTIONS(actions);
