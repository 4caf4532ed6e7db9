/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways: subnets say which they have (subnets.c). Source: Azure REST API reference, "Nat Gateways", 2022-07-01. */
#include "api/azure/network/network.h"

#include "engine/tag.h"
#include "engine/virtual/source_nat.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/source_nat.h"
#include "store/subnet.h"

static void write_addresses(struct az_call *e, struct json_writer *w, uuid nat)
{
	const struct address *a = address_first_by_source_nat(az_tables(e), nat);
	json_write_open_list(w, "publicIpAddresses");
	for (; a; a = address_next_by_source_nat(az_tables(e), a))
		if (a->is_elastic)
			az_write_ref(e, w, NULL, AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, a->row.id);
	json_write_close_list(w);
}

static void write_properties(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	struct az_call *e = az_call_of(core);
	json_write_open(w, "sku");
	json_write_z(w, "name", "Standard");
	json_write_close(w);
	az_write_said(e, w, row->id, "zones", "zones", NULL);
	az_write_etag(e, w, row);
	az_begin_properties(e, w, name, row);
	const json_t *minutes = json_object_get(az_said(e, row->id), "properties.idleTimeoutInMinutes");
	json_write_int(w, "idleTimeoutInMinutes", json_is_integer(minutes) ? json_integer_value(minutes) : 4);
	write_addresses(e, w, row->id);
	az_write_some_refs(e, w, "publicIpPrefixes", AZ_PUBLIC_PREFIXES, KIND_ADDRESS_PREFIX,
			   ADDRESS_PREFIX_INDEX_SOURCE_NAT, row->id);
	az_write_refs(e, w, "subnets", AZ_SUBNETS, KIND_SUBNET, SUBNET_INDEX_SOURCE_NAT, row->id);
	json_write_close(w);
}

static const struct member members[] = {
	AZ_HEAD,
	MEMBER_WRITTEN("properties", write_properties, .also = "etag|sku|zones"),
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
