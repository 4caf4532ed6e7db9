/* SPDX-License-Identifier: Apache-2.0
 * Public IP addresses. Standard lets nothing in without a network security group; Basic is open without one.
 * A dynamic address is allocated from the beginning, and shown while a running machine has it. Source: Azure
 * REST API reference, "Public IP Addresses", 2022-07-01.
 */
#include "api/azure/network/network.h"

#include "engine/network/address/address.h"
#include "engine/tag.h"
#include "model/state.h"
#include "model/states.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/source_nat.h"

#define METHOD "properties.publicIPAllocationMethod"

/* ---- what is shown ---- */

static bool is_said(struct az_call *e, uuid id, const char *path, const char *word)
{
	const char *said = json_string_value(json_object_get(az_said(e, id), path));
	return said && str_equal_nocase(str_from(said), str_from(word));
}

/* Basic is the default of Azure's clients. Addresses of other faces are static, but open as well. */
static bool is_basic(struct az_call *e, const struct address *a)
{
	return !az_is_made_elsewhere(e, KIND_ADDRESS, a->row.id) && !a->is_guarded;
}

/* Basic addresses are dynamic unless the PUT said otherwise. */
static bool is_dynamic(struct az_call *e, const struct address *a)
{
	return !a->is_elastic || (is_basic(e, a) && !is_said(e, a->row.id, METHOD, "Static"));
}

static bool shows_ip(struct api_call *core, const struct row *row)
{
	const struct address *a = address_of(row);
	const struct port *p = port_find(api_tables(core), a->port);
	const struct instance *i = p ? instance_find(api_tables(core), p->instance) : NULL;
	return !a->is_elastic || !is_dynamic(az_call_of(core), a) ||
	       (i && model_derive_instance_state(i) != INSTANCE_STOPPED);
}

AZ_GETTER(address, a, const char *, get_sku, is_basic(e, a) ? "Basic" : "Standard")
AZ_GETTER(address, a, const char *, get_version, a->ip.family == IP_V6 ? "IPv6" : "IPv4")
AZ_GETTER(address, a, const char *, get_method, is_dynamic(e, a) ? "Dynamic" : "Static")
AZ_GETTER(address, a, bool, has_names, a->dns_label.n || a->reverse_name.n)

static struct str get_fqdn(struct api_call *core, const struct row *row)
{
	struct str label = address_of(row)->dns_label, domain = STR_NONE;
	if (label.n)
		domain = engine_get_label_domain(api_tables(core), core->c->arena);
	return label.n ? str_print(core->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(label), STR_ARG(domain))
		       : STR_NONE;
}

static const void *find_config(struct api_call *core, const struct row *row)
{
	const struct address *a = address_of(row);
	const struct port *p = port_find(api_tables(core), a->port);
	return p ? az_new_link(core, az_ip_config_id(az_call_of(core), p, a->private_ip)) : NULL;
}

static const struct member names[] = {
	MEMBER(struct address, "domainNameLabel", dns_label, .is_optional = true),
	MEMBER_MADE(TEXT, text, "fqdn", get_fqdn, .is_optional = true),
	MEMBER(struct address, "reverseFqdn", reverse_name, .is_optional = true),
};
static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER(struct address, "ipAddress", ip, .shows = shows_ip),
	MEMBER_MADE(WORD, word, "publicIPAddressVersion", get_version),
	MEMBER_MADE(WORD, word, "publicIPAllocationMethod", get_method),
	AZ_SAID_AS(AZ_NUMBER, "properties.", "idleTimeoutInMinutes", "4"),
	MEMBER_OBJECT("dnsSettings", names, .shows = has_names),
	MEMBER_FIXED("ipTags", "[]"),
	AZ_LINK(struct address, "publicIPPrefix", prefix, AZ_PUBLIC_PREFIXES, KIND_ADDRESS_PREFIX),
	AZ_LINK(struct address, "natGateway", source_nat, AZ_NAT_GATEWAYS, KIND_SOURCE_NAT,
		.is_optional = true),
	AZ_MADE_LINK("ipConfiguration", find_config),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_REGIONAL_SKU(MEMBER_MADE(WORD, word, "name", get_sku)),
	AZ_SAID_ZONES,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};

/* Hides the address of a virtual network's gateway, which cannot be changed. */
static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	const struct address *a = address_of(row);
	return (a->is_elastic || !uuid_is_none(a->port)) && az_matches(core, args, row);
}

static const struct api_listing addresses = {
	.kind = KIND_ADDRESS, .item = "value", .matches = matches, .members = MEMBERS(members)};

/* ---- changes ---- */

struct dns_says {
	struct str label, reverse;
};
struct address_says {
	struct str method;
	struct ip ip;
	int64_t minutes;
	struct dns_says dns;
	struct az_link prefix;
};
struct address_args {
	struct az_network_sku sku;
	struct address_says properties;
	struct address_wish make;
	struct address_label_wish label;
	bool is_new;
	uuid id;
};
static const struct param dns_rows[] = {
	PARAM(struct dns_says, "domainNameLabel", label,
	      .doc = "DNS label of the address, below the region's domain."),
	PARAM(struct dns_says, "reverseFqdn", reverse, .doc = "Reverse DNS name of the address."),
	NOT_BUILT("domainNameLabelScope"),
	AZ_READ_ONLY("fqdn"),
};
static const struct params dns_params =
	PARAMS(struct dns_says, dns_rows, .object = "PublicIPAddressDnsSettings");
static const struct param address_rows[] = {
	PARAM(struct address_says, "publicIPAllocationMethod", method,
	      .doc = "Allocation method: Static, or Dynamic, whose address is shown while a running virtual "
		     "machine uses it."),
	PARAM(struct address_says, "ipAddress", ip, .doc = "Address of the prefix; requires publicIPPrefix."),
	PARAM(struct address_says, "idleTimeoutInMinutes", minutes, .min = 4, .max = 30,
	      .doc = "Stored and shown; has no effect."),
	NOT_BUILT("publicIPAddressVersion", .only = "IPv4"),
	NOT_BUILT("ipTags", .only = "[]"),
	PARAM_OBJECT(struct address_says, "dnsSettings", dns, dns_params, .doc = "DNS names."),
	PARAM_OBJECT(struct address_says, "publicIPPrefix", prefix, az_link_params,
		     .doc = "Public IP prefix that the address comes from."),
	NOT_BUILT("ddosSettings|linkedPublicIPAddress|servicePublicIPAddress|migrationPhase"),
	NOT_BUILT("deleteOption", .only = "Detach"),
	AZ_READ_ONLY("natGateway|ipConfiguration|resourceGuid|provisioningState|upgradedToV2"),
};
static const struct params address_params =
	PARAMS(struct address_says, address_rows, .object = "PublicIPAddressPropertiesFormat");
static const struct param put_rows[] = {
	PARAM_OBJECT(
		struct address_args, "sku", sku, az_network_sku_params,
		.doc = "SKU: Basic; or Standard, which is static and closed to incoming traffic by default."),
	PARAM_OBJECT(struct address_args, "properties", properties, address_params,
		     .doc = "Settings of the public address."),
	NOT_BUILT("extendedLocation"),
	AZ_KEPT("zones"),
	AZ_RESOURCE,
};

static const struct api_error must_be_static = {ERR_COMBINATION, 0, 400,
						"StandardSkuPublicIPAddressesMustBeStatic"};
/* The sentence is recorded, the code is guessed. */
static const struct api_error other_sku = {ERR_COMBINATION, 0, 400,
					   "PublicIPAddressPublicIpPrefixSkuMismatch"};

static RESULT check_method(struct az_call *e, const struct address_args *a, bool is_standard)
{
	struct str method = a->properties.method;
	bool is_dynamic_wish = str_equal_nocase(method, STR("Dynamic"));
	if (method.n && !is_dynamic_wish && !str_equal_nocase(method, STR("Static")))
		return az_fail(e, METHOD, "The value of parameter %s is none of Dynamic and Static.", METHOD);
	if (!is_standard || !is_dynamic_wish)
		return OK;
	e->error = &must_be_static;
	return ctx_fail_field(e->c, ERR_COMBINATION, STR(METHOD),
			      "Standard sku publicIp %" STR_FMT " must have AllocationMethod set to Static.",
			      STR_ARG(e->put.name));
}

#define FROM "properties.publicIPPrefix"

/* Reads prefix and address, which are fixed at creation. Without a prefix the engine chooses any free address. */
static RESULT read_place(struct az_call *e, struct address_args *a, const struct address *present)
{
	struct ref from;
	TRY(az_follow(e, FROM ".id", &a->properties.prefix, AZ_PUBLIC_PREFIXES, KIND_ADDRESS_PREFIX, &from));
	if (present && ref_is_given(&from) && !uuid_equal(from.prefix, present->prefix))
		return az_fail_change(e, FROM);
	if (present && !ip_is_none(a->properties.ip) && !ip_equal(a->properties.ip, present->ip))
		return az_fail_change(e, "properties.ipAddress");
	if (present || !ref_is_given(&from))
		return OK;
	a->make.prefix = from;
	a->make.ip = a->properties.ip;
	a->make.ip_field = STR("properties.ipAddress");
	if (a->make.is_guarded)
		return OK;
	e->error = &other_sku;
	return ctx_fail_field(e->c, ERR_COMBINATION, STR("sku.name"),
			      "PublicIPAddress SKU Name: Basic cannot be different from referenced "
			      "PublicIpPrefix SKU Name: Standard for PublicIpAddress %" STR_FMT ".",
			      STR_ARG(az_named_id(e, AZ_PUBLIC_ADDRESSES, "publicIpAddressName")));
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct address_args *a = args;
	const struct address *present = address_find(az_tables(e), e->target);
	bool was_basic = present && is_basic(e, present);
	bool is_standard = str_equal_nocase(a->sku.name, STR("Standard"));
	a->id = e->target;
	a->is_new = uuid_is_none(e->target);
	a->make = (struct address_wish){.is_guarded = is_standard};
	a->label = (struct address_label_wish){.label = a->properties.dns.label,
					       .reverse_name = a->properties.dns.reverse,
					       .label_field = STR("properties.dnsSettings.domainNameLabel"),
					       .reverse_field = STR("properties.dnsSettings.reverseFqdn")};
	TRY(check_method(e, a, is_standard));
	TRY(read_place(e, a, present));
	return a->is_new || !a->sku.name.n || is_standard != was_basic ? OK : az_fail_change(e, "sku.name");
}

static RESULT put(struct op *op, void *args)
{
	struct address_args *a = args;
	if (a->is_new)
		TRY(engine_allocate_address(op, &a->make));
	a->id = a->is_new ? a->make.address : a->id;
	a->label.address = ref_by_id(KIND_ADDRESS, a->id);
	return engine_label_address(op, &a->label);
}

/* A NAT gateway's that another face made: the engine keeps it, too. */
static RESULT prepare_delete(struct az_call *e, void *args)
{
	const struct address *a = address_find(az_tables(e), e->target);
	const struct port *p = a ? port_find(az_tables(e), a->port) : NULL;
	if (p && !uuid_is_none(p->nat_gateway))
		return ctx_fail_kind(e->c, ERR_IN_USE, KIND_ADDRESS,
				     "Public IP address %" STR_FMT
				     " can not be deleted since it is still allocated to resource %" STR_FMT
				     ".",
				     STR_ARG(az_id_of(e, AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, e->target)),
				     STR_ARG(az_ip_config_id(e, p, a->private_ip)));
	((struct address_target *) args)->address = az_target_ref(e);
	return OK;
}

#define ADDRESSES AZ_NETWORK "/publicIPAddresses"
#define ADDRESS AZ_GROUP ADDRESSES "/{publicIpAddressName}"
#define OF_ONE .type = AZ_PUBLIC_ADDRESSES, .kind = KIND_ADDRESS, .names = "publicIpAddressName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION ADDRESSES, .name = "PublicIPAddresses_ListAll",
	 .permit = "ec2:DescribeAddresses", .type = AZ_PUBLIC_ADDRESSES, .listing = &addresses,
	 .doc = "Lists the subscription's public IP addresses."},
	{HTTP_GET, AZ_GROUP ADDRESSES, .name = "PublicIPAddresses_List", .permit = "ec2:DescribeAddresses",
	 .type = AZ_PUBLIC_ADDRESSES, .listing = &addresses,
	 .doc = "Lists a resource group's public IP addresses."},
	{HTTP_GET, ADDRESS, .name = "PublicIPAddresses_Get", .permit = "ec2:DescribeAddresses", OF_ONE,
	 .shows = &addresses, .doc = "Gets one public IP address."},
	{HTTP_PUT, ADDRESS, .name = "PublicIPAddresses_CreateOrUpdate", .permit = "ec2:AllocateAddress",
	 .flags = API_WRITES | AZ_PUT, OF_ONE, .keeps = "zones|" METHOD "|properties.idleTimeoutInMinutes",
	 .args = PARAMS(struct address_args, put_rows, .object = "PublicIPAddress"), .prepare = prepare,
	 .operation = put, .returns = KIND_ADDRESS, AZ_SUBJECT(struct address_args, id), .shows = &addresses,
	 .doc = "Creates or changes a public IP address."},
	{HTTP_PATCH, ADDRESS, .name = "PublicIPAddresses_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_ADDRESS,
	 .shows = &addresses, .doc = "Changes a public IP address's tags."},
	{HTTP_DELETE, ADDRESS, .name = "PublicIPAddresses_Delete", .permit = "ec2:ReleaseAddress",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct address_target)},
	 .prepare = prepare_delete, .operation = engine_release_address_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a public IP address that is not associated."},
};
const struct api_actions az_public_address_actions = API_ACTIONS(actions);
