/* SPDX-License-Identifier: Apache-2.0
 * Elastic addresses: DescribeAddresses, AllocateAddress, AssociateAddress, DisassociateAddress,
 * ReleaseAddress; and their reverse names: DescribeAddressesAttribute, ModifyAddressAttribute,
 * ResetAddressAttribute. Addresses that were assigned on launch are not shown here, as in EC2. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/address/address.h"
#include "model/address.h"
#include "model/secondary_ip.h"
#include "store/port.h"

/* ---- describe ---- */

struct ec2_describe_addresses {
	struct ec2_query query;
};
static const struct param describe_addresses_params[] = {
	QUERY_IDS(struct ec2_describe_addresses, "AllocationId", KIND_ADDRESS, "Elastic addresses by id."),
	QUERY_NAMES(struct ec2_describe_addresses, "PublicIp", KIND_ADDRESS,
		    "Elastic addresses by IP address."),
	QUERY_FILTERS(struct ec2_describe_addresses),
};

static bool is_elastic(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return address_of(row)->is_elastic;
}

ATTRIBUTE_GETTER(address, a, struct str, get_port_owner,
		 uuid_is_none(a->port) ? STR_NONE : ec2_call_of(e)->owner)

static const struct attribute address_rows[] = {
	ATTRIBUTE(address, "publicIp", ip, .filter = "public-ip", .index = ADDRESS_INDEX_PUBLIC),
	ATTRIBUTE_OWN_ID(address, "allocationId", KIND_ADDRESS, .filter = "allocation-id"),
	ATTRIBUTE_CONST("domain", "vpc", .filter = "domain"),
	ATTRIBUTE_OF(
		address, port, KIND_PORT, port, "instanceId", instance, .kind = KIND_INSTANCE,
		.filter = "instance-id",
		ATTRIBUTE_PATHS({KIND_INSTANCE, .joins = {JOIN_EACH(KIND_PORT, PORT_INDEX_INSTANCE),
							  JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}})),
	ATTRIBUTE_PREFIXED(address, "associationId", association, "eipassoc", .filter = "association-id",
			   ATTRIBUTE_PATHS({KIND_ADDRESS, ADDRESS_INDEX_ASSOCIATION, "eipassoc"})),
	ATTRIBUTE_REF(address, "networkInterfaceId", port, KIND_PORT, .filter = "network-interface-id",
		      .index = ADDRESS_INDEX_PORT),
	ATTRIBUTE_MADE(TEXT, text, "networkInterfaceOwnerId", get_port_owner, .flags = ATTRIBUTE_OMIT_NONE,
		       .filter = "network-interface-owner-id"),
	ATTRIBUTE(address, "privateIpAddress", private_ip, .filter = "private-ip-address",
		  ATTRIBUTE_PATHS(
			  {KIND_PORT, PORT_INDEX_IP, .joins = {JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
			  {KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP,
			   .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port),
				     JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}})),
	ATTRIBUTE_REF(address, "publicIpv4Pool", prefix, KIND_ADDRESS_PREFIX, .none = "amazon"),
	EC2_REGION("networkBorderGroup", .filter = "network-border-group"),
	ATTRIBUTE(address, "tagSet", tags, .flags = ATTRIBUTE_OMIT_NONE),
};
static const struct attributes address_members = ATTRIBUTES(address_rows);

static const struct ec2_listing address_listing = {.kind = KIND_ADDRESS,
						   .set = "addressesSet",
						   .filters = FILTERS_OF(address_members),
						   .shows = is_elastic,
						   .attributes = &address_members};

/* ---- attributes ---- */

struct ec2_describe_addresses_attribute {
	struct ec2_query query;
	struct str attribute;
};
static const struct param describe_addresses_attribute_params[] = {
	QUERY_IDS(struct ec2_describe_addresses_attribute, "AllocationId", KIND_ADDRESS, "Addresses by id."),
	PARAM(struct ec2_describe_addresses_attribute, "Attribute", attribute, .words = "domain-name",
	      UNKNOWN_ATTRIBUTE, .doc = "domain-name: the reverse DNS name of the address."),
	QUERY_PAGES(struct ec2_describe_addresses_attribute, 1, 1000),
};

/* The fully qualified name, as DNS writes it. */
static void write_name(struct ec2_call *e, struct xml *x, const char *member, struct str name)
{
	if (name.n)
		xml_text(x, member, str_print(e->c->arena, "%" STR_FMT ".", STR_ARG(name)));
}

static void write_address_attribute(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct address *a = item;
	ec2_write_ip(x, "publicIp", a->ip);
	ec2_write_id(x, "allocationId", KIND_ADDRESS, a->row.id);
	write_name(e, x, "ptrRecord", a->reverse_name);
}

static const struct ec2_listing address_attribute_listing = {
	.kind = KIND_ADDRESS, .set = "addressSet", .shows = is_elastic, .write = write_address_attribute};

struct ec2_name_address {
	struct address_name_wish wish;
	struct str attribute;
};
static const struct param modify_address_params[] = {
	PARAM(struct ec2_name_address, "AllocationId", wish.address, .flags = REQUIRED, .kind = KIND_ADDRESS,
	      .doc = "The elastic address."),
	PARAM(struct ec2_name_address, "DomainName", wish.name, .flags = REQUIRED, .min = 1,
	      .max = REVERSE_NAME_MAX + 1, .doc = "Reverse DNS name of the address."),
};
static const struct param reset_address_params[] = {
	PARAM(struct ec2_name_address, "AllocationId", wish.address, .flags = REQUIRED, .kind = KIND_ADDRESS,
	      .doc = "The elastic address."),
	PARAM(struct ec2_name_address, "Attribute", attribute, .flags = REQUIRED, .words = "domain-name",
	      UNKNOWN_ATTRIBUTE, .doc = "domain-name: the reverse DNS name of the address."),
};

static RESULT prepare_name(struct ec2_call *e, void *args)
{
	(void) e;
	((struct ec2_name_address *) args)->wish.name_field = STR("DomainName");
	return OK;
}

/* Answers as EC2 does: the old record, with the pending change. Later reads show it done. */
static RESULT ec2_name_address(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_name_address *a = args;
	const struct row *row = 0;
	TRY(ec2_find_returned(e, a->wish.made, &row));
	const struct address *address = address_of(row);
	xml_open(x, "address");
	ec2_write_ip(x, "publicIp", address->ip);
	ec2_write_id(x, "allocationId", KIND_ADDRESS, address->row.id);
	write_name(e, x, "ptrRecord", a->wish.name_before);
	if (!str_equal(a->wish.name_before, address->reverse_name)) {
		xml_open(x, "ptrRecordUpdate");
		write_name(e, x, "value", address->reverse_name);
		xml_z(x, "status", "PENDING");
		xml_close(x, "ptrRecordUpdate");
	}
	xml_close(x, "address");
	return OK;
}

/* ---- allocate ---- */

struct ec2_allocate_address {
	struct address_wish wish;
	struct ec2_tag_specs tag_specs;
	struct str border_group, pool;
};
#define P(wire, member, ...) PARAM(struct ec2_allocate_address, wire, member, __VA_ARGS__)
static const struct param allocate_address_params[] = {
	P("Address", wish.ip, .doc = "Specific address to allocate, if it is free."),
	P("NetworkBorderGroup", border_group, .max = 255, .doc = "Name of the region."),
	NOT_BUILT("Domain", .only = "vpc"),
	P("PublicIpv4Pool", pool, .words = "amazon", .says = "invalid value for parameter pool: {value}",
	  .doc = "Address pool; only Amazon's exists."),
	NOT_BUILT("CustomerOwnedIpv4Pool|IpamPoolId"),
	TAG_SPECIFICATIONS(struct ec2_allocate_address, tag_specs),
};
#undef P

static RESULT prepare_allocate(struct ec2_call *e, void *args)
{
	struct ec2_allocate_address *a = args;
	if (a->pool.n && !ip_is_none(a->wish.ip))
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("PublicIpv4Pool"),
			"The parameter PublicIpv4Pool cannot be used with the parameter Address");
	return ec2_check_border_group(e, STR("NetworkBorderGroup"), a->border_group);
}

static RESULT ec2_allocate_address(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_allocate_address *a = args;
	ec2_write_ip(x, "publicIp", a->wish.made_ip);
	ec2_write_id(x, "allocationId", KIND_ADDRESS, a->wish.address);
	xml_z(x, "publicIpv4Pool", "amazon");
	xml_z(x, "domain", "vpc");
	xml_text(x, "networkBorderGroup", e->config->region);
	return OK;
}

/* ---- associate and disassociate ---- */

struct ec2_associate_address {
	struct address_association wish;
	struct ref public_ip;
};
#define P(wire, member, ...) PARAM(struct ec2_associate_address, wire, member, __VA_ARGS__)
#define BY_PUBLIC_IP                                                                                         \
	P("PublicIp", public_ip, .flags = BY_NAME, .kind = KIND_ADDRESS,                                     \
	  .doc = "Elastic address by its IP address, instead of its id.")
static const struct param associate_address_params[] = {
	P("AllocationId", wish.address, .kind = KIND_ADDRESS, .doc = "Elastic address by id."),
	BY_PUBLIC_IP,
	P("InstanceId", wish.instance, .kind = KIND_INSTANCE,
	  .doc = "Instance whose primary interface gets the address."),
	P("NetworkInterfaceId", wish.port, .kind = KIND_PORT,
	  .doc = "Network interface that gets the address, instead of an instance."),
	P("PrivateIpAddress", wish.private_ip,
	  .doc = "Private address of the interface to associate; absent: the primary one."),
	P("AllowReassociation", wish.allow_reassociation,
	  .doc = "Whether an address that is already associated may be moved."),
};
static const struct param disassociate_address_params[] = {
	P("AssociationId", wish.association, .prefix = "eipassoc", .doc = "The association."),
	BY_PUBLIC_IP,
};
#undef P

static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	struct ec2_associate_address *a = args;
	struct ref target;
	a->wish.needs_started = true;
	TRY(request_choose(e->c, &a->wish.address, "AllocationId", &a->public_ip, "PublicIp",
			   &a->wish.address));
	return request_choose(e->c, &a->wish.instance, "InstanceId", &a->wish.port, "NetworkInterfaceId",
			      &target);
}

static RESULT prepare_disassociate(struct ec2_call *e, void *args)
{
	struct ec2_associate_address *a = args;
	struct ref chosen;
	TRY(request_choose(e->c, &a->wish.association, "AssociationId", &a->public_ip, "PublicIp", &chosen));
	if (!a->wish.association.bits)
		a->wish.address = chosen;
	return OK;
}

static RESULT ec2_associate_address(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_associate_address *a = args;
	(void) e;
	ec2_write_prefixed(x, "associationId", "eipassoc", a->wish.made);
	return OK;
}

/* ---- release ---- */

struct ec2_release_address {
	struct address_target wish;
	struct ref public_ip;
	struct str border_group;
};
#define P(wire, member, ...) PARAM(struct ec2_release_address, wire, member, __VA_ARGS__)
static const struct param release_address_params[] = {
	P("AllocationId", wish.address, .kind = KIND_ADDRESS, .doc = "Elastic address by id."),
	BY_PUBLIC_IP,
	P("NetworkBorderGroup", border_group, .max = 255, .doc = "Name of the region."),
};
#undef P

static RESULT prepare_release(struct ec2_call *e, void *args)
{
	struct ec2_release_address *a = args;
	const struct address *address = NULL;
	TRY(ec2_check_border_group(e, STR("NetworkBorderGroup"), a->border_group));
	TRY(request_choose(e->c, &a->wish.address, "AllocationId", &a->public_ip, "PublicIp",
			   &a->wish.address));
	if (!ref_is_given(&a->public_ip))
		return OK;
	TRY(engine_find_own_address(e->c, ec2_tables(e), &a->public_ip, &address));
	return ctx_fail_field(e->c, ERR_INVALID, STR("PublicIp"),
			      "You must specify an allocation id when releasing a VPC elastic IP address");
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeAddressesAttribute"),
	 .args = PARAMS(struct ec2_describe_addresses_attribute, describe_addresses_attribute_params),
	 .list = &address_attribute_listing, .doc = "Lists the reverse DNS names of elastic addresses."},
	{EC2_ACTION("ModifyAddressAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_name_address, modify_address_params), .prepare = prepare_name,
	 .operation = engine_name_address_run, .returns = KIND_ADDRESS, .answer = ec2_name_address,
	 .doc = "Sets the reverse DNS name of an elastic address."},
	{EC2_ACTION("ResetAddressAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_name_address, reset_address_params), .operation = engine_name_address_run,
	 .returns = KIND_ADDRESS, .answer = ec2_name_address,
	 .doc = "Removes the reverse DNS name of an elastic address."},
	{EC2_ACTION("DescribeAddresses"),
	 .args = PARAMS(struct ec2_describe_addresses, describe_addresses_params), .list = &address_listing,
	 .doc = "Lists the account's elastic addresses."},
	{EC2_ACTION("AllocateAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_allocate_address, allocate_address_params), .prepare = prepare_allocate,
	 EC2_TAGS(struct ec2_allocate_address, "elastic-ip"), .operation = engine_allocate_address_run,
	 .answer = ec2_allocate_address, .doc = "Allocates an elastic address."},
	{EC2_ACTION("AssociateAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_associate_address, associate_address_params), .prepare = prepare_associate,
	 .operation = engine_associate_address_run, .answer = ec2_associate_address,
	 .doc = "Associates an elastic address with a private address of an instance or interface."},
	{EC2_ACTION("DisassociateAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_associate_address, disassociate_address_params),
	 .prepare = prepare_disassociate, .operation = engine_disassociate_address_run,
	 .doc = "Disassociates an elastic address, which stays allocated."},
	{EC2_ACTION("ReleaseAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_release_address, release_address_params), .prepare = prepare_release,
	 .operation = engine_release_address_run, .doc = "Releases an elastic address."},
};
const struct api_actions ec2_address_actions = API_ACTIONS(actions);
