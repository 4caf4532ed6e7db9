/* SPDX-License-Identifier: Apache-2.0
 * Public IP prefixes: blocks of public addresses that belong to the subscription. A public address names its prefix
 * (public_addresses.c). Sources: Azure REST API reference, "Public IP Prefixes", 2022-07-01; "Public IP address
 * prefix" for the lengths; answers that users have recorded for the codes. */
#include "api/azure/network/network.h"

#include <inttypes.h>

#include "engine/network/address/address_prefix.h"
#include "engine/tag.h"
#include "store/address.h"
#include "store/address_prefix.h"

/* ---- what is shown ---- */

MEMBER_GETTER(address_prefix, p, int64_t, get_bits, p->block.bits)

static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER_FIXED("publicIPAddressVersion", "\"IPv4\""),
	MEMBER_MADE(INT, number, "prefixLength", get_bits),
	MEMBER(struct address_prefix, "ipPrefix", block),
	MEMBER_FIXED("ipTags", "[]"),
	AZ_LINK(struct address_prefix, "natGateway", source_nat, AZ_NAT_GATEWAYS, KIND_SOURCE_NAT),
	AZ_EACH_LINK("publicIPAddresses", AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, ADDRESS_INDEX_PREFIX,
		     .is_optional = true),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_REGIONAL_SKU(MEMBER_FIXED("name", "\"Standard\"")),
	AZ_SAID_ZONES,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing prefixes = {
	.kind = KIND_ADDRESS_PREFIX, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- changes ---- */

struct prefix_says {
	int64_t bits;
	struct az_link nat;
};
struct prefix_args {
	struct az_network_sku sku;
	struct prefix_says properties;
	struct address_prefix_wish make;
	bool is_new;
};
static const struct param prefix_rows[] = {
	PARAM(struct prefix_says, "prefixLength", bits, .doc = "Prefix length, 28 to 31."),
	NOT_BUILT("publicIPAddressVersion", .only = "IPv4"),
	NOT_BUILT("ipTags", .only = "[]"),
	PARAM_OBJECT(struct prefix_says, "natGateway", nat, az_link_params,
		     .doc = "NAT gateway that uses the prefix."),
	NOT_BUILT("customIPPrefix"),
	AZ_READ_ONLY("ipPrefix|publicIPAddresses|loadBalancerFrontendIpConfiguration|resourceGuid|"
		     "provisioningState|upgradedToV2"),
};
static const struct params prefix_params =
	PARAMS(struct prefix_says, prefix_rows, .object = "PublicIPPrefixPropertiesFormat");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct prefix_args, "sku", sku, az_standard_sku_params, .doc = "SKU; only Standard."),
	PARAM_OBJECT(struct prefix_args, "properties", properties, prefix_params,
		     .doc = "Settings of the prefix."),
	NOT_BUILT("extendedLocation"),
	AZ_KEPT("zones"),
	AZ_RESOURCE,
};

static const struct api_error bad_length = {ERR_RANGE, 0, 400, "SpecifiedPrefixLengthNotSupported"};

/* An absent length is reported as 0; Azure's own message is not recorded. */
static RESULT check_length(struct az_call *e, int64_t bits)
{
	if (bits >= ADDRESS_PREFIX_BITS_MIN && bits <= ADDRESS_PREFIX_BITS_MAX)
		return OK;
	e->error = &bad_length;
	return ctx_fail_field(e->c, ERR_RANGE, STR("properties.prefixLength"),
			      "Specified PrefixLength %" PRId64 " for PublicIpPrefix %" STR_FMT
			      " is outside limits. Minimum PrefixLength %d Maximum PrefixLength %d.",
			      bits, STR_ARG(az_named_id(e, AZ_PUBLIC_PREFIXES, "publicIpPrefixName")),
			      ADDRESS_PREFIX_BITS_MIN, ADDRESS_PREFIX_BITS_MAX);
}

/* Only the tags of an existing prefix can change. */
static RESULT prepare(struct az_call *e, void *args)
{
	struct prefix_args *a = args;
	struct ref nat;
	const struct address_prefix *present = address_prefix_find(az_tables(e), e->target);
	a->is_new = !present;
	a->make = (struct address_prefix_wish){
		.name = e->put.name, .bits = a->properties.bits, .prefix = e->target};
	TRY(az_follow(e, "properties.natGateway.id", &a->properties.nat, AZ_NAT_GATEWAYS, KIND_SOURCE_NAT,
		      &nat));
	if (ref_is_given(&nat) && !(present && uuid_equal(present->source_nat, nat.prefix)))
		return az_fail_change(e, "properties.natGateway");
	if (!present)
		return check_length(e, a->properties.bits);
	return !a->properties.bits || a->properties.bits == present->block.bits
		       ? OK
		       : az_fail_change(e, "properties.prefixLength");
}

static RESULT put(struct op *op, void *args)
{
	struct prefix_args *a = args;
	return a->is_new ? engine_create_address_prefix(op, &a->make) : OK;
}

#define PREFIXES AZ_NETWORK "/publicIPPrefixes"
#define PREFIX AZ_GROUP PREFIXES "/{publicIpPrefixName}"
#define OF_ONE .type = AZ_PUBLIC_PREFIXES, .kind = KIND_ADDRESS_PREFIX, .names = "publicIpPrefixName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION PREFIXES, .name = "PublicIPPrefixes_ListAll",
	 .permit = "ec2:DescribePublicIpv4Pools", .type = AZ_PUBLIC_PREFIXES, .listing = &prefixes,
	 .doc = "Lists the subscription's public IP prefixes."},
	{HTTP_GET, AZ_GROUP PREFIXES, .name = "PublicIPPrefixes_List",
	 .permit = "ec2:DescribePublicIpv4Pools", .type = AZ_PUBLIC_PREFIXES, .listing = &prefixes,
	 .doc = "Lists a resource group's public IP prefixes."},
	{HTTP_GET, PREFIX, .name = "PublicIPPrefixes_Get", .permit = "ec2:DescribePublicIpv4Pools", OF_ONE,
	 .shows = &prefixes, .doc = "Gets one public IP prefix."},
	{HTTP_PUT, PREFIX, .name = "PublicIPPrefixes_CreateOrUpdate", .permit = "ec2:CreatePublicIpv4Pool",
	 .flags = API_WRITES | AZ_PUT, OF_ONE, .keeps = "zones",
	 .args = PARAMS(struct prefix_args, put_rows, .object = "PublicIPPrefix"), .prepare = prepare,
	 .operation = put, .returns = KIND_ADDRESS_PREFIX, AZ_SUBJECT(struct prefix_args, make.prefix),
	 .shows = &prefixes, .doc = "Creates a public IP prefix or changes its tags."},
	{HTTP_PATCH, PREFIX, .name = "PublicIPPrefixes_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_ADDRESS_PREFIX,
	 .shows = &prefixes, .doc = "Changes a public IP prefix's tags."},
	{HTTP_DELETE, PREFIX, .name = "PublicIPPrefixes_Delete", .permit = "ec2:DeletePublicIpv4Pool",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct address_prefix_target)},
	 AZ_TARGET(struct address_prefix_target, prefix), .operation = engine_delete_address_prefix_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a public IP prefix without addresses."},
};
const struct api_actions az_public_prefix_actions = API_ACTIONS(actions);
