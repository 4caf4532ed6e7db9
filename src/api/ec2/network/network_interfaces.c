/* SPDX-License-Identifier: Apache-2.0
 * Network interfaces, stored as ports: their elements, DescribeNetworkInterfaces, CreateNetworkInterface,
 * DeleteNetworkInterface. Their attributes and attachments: network_interface_changes.c. */
#include "api/ec2/network/network_interfaces.h"

#include "api/ec2/core/write.h"
#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/router.h"
#include "model/iam_name.h"
#include "model/port.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "model/states.h"
#include "store/address.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/zone.h"

/* ---- describe ---- */

struct ec2_describe_interfaces {
	struct ec2_query query;
};
static const struct param describe_interfaces_params[] = {
	QUERY_IDS(struct ec2_describe_interfaces, "NetworkInterfaceId", KIND_PORT,
		  "Network interfaces by id."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_interfaces),
	QUERY_PAGES(struct ec2_describe_interfaces, 5, 1000),
};

static const struct filter interface_filters[] = {
	{"group-id", .field = "groups"},
};
const struct filters ec2_interface_filters = FILTERS_AND(interface_filters, ec2_interface_members);

/* Hides interfaces of routers, which EC2 does not have, and those in networks without a router, which are
 * in no VPC. */
static bool is_in_vpc(struct ec2_call *e, const struct row *row)
{
	const struct port *port = port_of(row);
	(void) e;
	return uuid_is_none(port->interface_of) && !uuid_is_none(port->router);
}

static const struct ec2_listing interface_listing = {
	.kind = KIND_PORT,
	.set = "networkInterfaceSet",
	.filters = FILTERS_AND(interface_filters, ec2_interface_members),
	.shows = is_in_vpc,
	.is_hiding = true,
	.attributes = &ec2_interface_members};

/* ---- create ---- */

static const struct param private_ip_rows[] = {
	PARAM(struct ec2_private_ip, "PrivateIpAddress", ip, .flags = REQUIRED,
	      .doc = "The private address."),
	PARAM(struct ec2_private_ip, "Primary", is_primary,
	      .doc = "Whether the address is the primary one; one address at most."),
};
const struct params ec2_private_ip_params = PARAMS(struct ec2_private_ip, private_ip_rows);

RESULT ec2_take_private_ips(struct ec2_call *e, const struct ec2_private_ips *list, struct port_ips_wish *ips)
{
	struct ip *secondaries = arena_new_array(e->c->arena, struct ip, list->count + 1);
	size_t count = 0;
	if (!secondaries)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < list->count; k++) {
		const struct ec2_private_ip *each = &list->at[k];
		if (each->is_primary && !ip_is_none(ips->primary))
			return ctx_fail_field(e->c, ERR_COMBINATION, STR("PrivateIpAddresses"),
					      "Only one primary private IP address can be specified");
		if (each->is_primary)
			ips->primary = each->ip;
		else
			secondaries[count++] = each->ip;
	}
	if (count && ips->more)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("SecondaryPrivateIpAddressCount"),
			"SecondaryPrivateIpAddressCount and secondary private IP addresses may not "
			"be specified on the same request");
	ips->secondaries = (struct ips){secondaries, count};
	ips->field = STR("PrivateIpAddress");
	return OK;
}

static const struct param ipv6_address_rows[] = {
	PARAM(struct ec2_ipv6_address, "Ipv6Address", ip, .flags = REQUIRED | IPV6, .doc = "IPv6 address."),
	NOT_BUILT("IsPrimaryIpv6", .only = "false"),
};
const struct params ec2_ipv6_address_params = PARAMS(struct ec2_ipv6_address, ipv6_address_rows);

RESULT ec2_take_ipv6_addresses(struct ec2_call *e, const struct ec2_ipv6_addresses *list,
			       struct port_ips_wish *ips)
{
	struct ip *at = arena_new_array(e->c->arena, struct ip, list->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (list->count && ips->ipv6_more)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Ipv6AddressCount"),
				      "Ipv6AddressCount and IPv6 addresses may not be specified on the same "
				      "request");
	for (size_t k = 0; k < list->count; k++)
		at[k] = list->at[k].ip;
	ips->ipv6s = (struct ips){at, list->count};
	ips->ipv6_field = list->count ? STR("Ipv6Addresses") : STR("Ipv6AddressCount");
	return OK;
}

static const struct param ipv4_prefix_rows[] = {
	PARAM(struct ec2_prefix, "Ipv4Prefix", block, .flags = REQUIRED,
	      .doc = "A /28 prefix from the subnet."),
};
const struct params ec2_ipv4_prefix_params = PARAMS(struct ec2_prefix, ipv4_prefix_rows);
static const struct param ipv6_prefix_rows[] = {
	PARAM(struct ec2_prefix, "Ipv6Prefix", block, .flags = REQUIRED | IPV6,
	      .doc = "A /80 prefix from the subnet's IPv6 block."),
};
const struct params ec2_ipv6_prefix_params = PARAMS(struct ec2_prefix, ipv6_prefix_rows);

static RESULT take_prefix_list(struct ec2_call *e, const struct ec2_prefixes *list, const char *name,
			       const char *count_name, struct port_prefixes_wish *wish)
{
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, list->count + 1);
	if (!blocks)
		return ctx_no_memory(e->c);
	if (list->count && wish->more)
		return ctx_fail_field(e->c, ERR_COMBINATION, str_from(count_name),
				      "%s and %s may not be specified on the same request", count_name, name);
	for (size_t k = 0; k < list->count; k++)
		blocks[k] = list->at[k].block;
	wish->named = (struct cidrs){blocks, list->count};
	wish->field = str_from(list->count ? name : count_name);
	return OK;
}

RESULT ec2_take_prefixes(struct ec2_call *e, const struct ec2_prefix_lists *lists, struct port_ips_wish *ips)
{
	TRY(take_prefix_list(e, &lists->ipv4, "Ipv4Prefix", "Ipv4PrefixCount", &ips->prefixes));
	TRY(take_prefix_list(e, &lists->ipv6, "Ipv6Prefix", "Ipv6PrefixCount", &ips->ipv6_prefixes));
	bool has_prefixes = ips->prefixes.more || ips->prefixes.named.count;
	bool has_ipv6 = ips->ipv6_prefixes.more || ips->ipv6_prefixes.named.count;
	if (has_prefixes && (ips->more || ips->secondaries.count))
		return ctx_fail_field(e->c, ERR_COMBINATION, ips->prefixes.field,
				      "Prefixes and secondary private IP addresses may not be specified on "
				      "the same request");
	if (has_ipv6 && (ips->ipv6_more || ips->ipv6s.count))
		return ctx_fail_field(e->c, ERR_COMBINATION, ips->ipv6_prefixes.field,
				      "Prefixes and IPv6 addresses may not be specified on the same request");
	return OK;
}

RESULT ec2_read_prefixes(struct ec2_call *e, struct strs texts, struct str field, enum ip_family family,
			 struct cidrs *ret_blocks)
{
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, texts.count + 1);
	if (!blocks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < texts.count; k++)
		if (!result_is_ok(cidr_parse(texts.at[k], &blocks[k])) || blocks[k].base.family != family)
			return ctx_fail_field(e->c, ERR_INVALID, field,
					      "Value (%" STR_FMT ") for parameter %" STR_FMT
					      " is invalid. This is not a valid CIDR block.",
					      STR_ARG(texts.at[k]),
					      STR_ARG(params_small_name(e->c->arena, field)));
	*ret_blocks = (struct cidrs){blocks, texts.count};
	return OK;
}

struct ec2_create_interface {
	struct port_wish wish;
	struct ec2_private_ips private_ips;
	struct ec2_ipv6_addresses ipv6_addresses;
	struct ec2_prefix_lists prefixes;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_interface, wire, member, __VA_ARGS__)
static const struct param create_interface_params[] = {
	P("SubnetId", wish.subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	  .doc = "Subnet of the new interface."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("PrivateIpAddress", wish.ips.primary, .doc = "Primary private address; absent: any free one."),
	P("SecurityGroupId", wish.groups, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups of the interface; absent: the VPC's default group."),
	PARAM_LIST(struct ec2_create_interface, "PrivateIpAddresses", private_ips, ec2_private_ip_params,
		   .max = PORT_IPS_MAX, .doc = "Primary and secondary private addresses."),
	P("SecondaryPrivateIpAddressCount", wish.ips.more, .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "Number of secondary addresses to assign automatically."),
	EC2_IPV6_ADDRESSES(struct ec2_create_interface, "Ipv6Addresses", ipv6_addresses, wish.ips),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_interface, tag_specs),
	NOT_BUILT("InterfaceType", .only = "interface"),
	EC2_PREFIXES(struct ec2_create_interface, prefixes, wish.ips),
	NOT_BUILT("EnablePrimaryIpv6", .only = "false"),
	NOT_BUILT("ConnectionTrackingSpecification|Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_interface *a = args;
	TRY(ec2_take_private_ips(e, &a->private_ips, &a->wish.ips));
	TRY(ec2_take_ipv6_addresses(e, &a->ipv6_addresses, &a->wish.ips));
	TRY(ec2_take_prefixes(e, &a->prefixes, &a->wish.ips));
	a->wish.requester = iam_caller_id(e->c->arena, e->c->who);
	return OK;
}

static RESULT ec2_create_interface(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_interface *a = args;
	TRY(ec2_write_returned(e, &interface_listing, a->wish.port, "networkInterface", x));
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return OK;
}

/* ---- delete ---- */

static const struct param delete_interface_params[] = {
	PARAM(struct port_target, "NetworkInterfaceId", port, .flags = REQUIRED, .kind = KIND_PORT,
	      .doc = "A network interface that is not attached."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeNetworkInterfaces"),
	 .args = PARAMS(struct ec2_describe_interfaces, describe_interfaces_params),
	 .list = &interface_listing, .doc = "Lists the account's network interfaces."},
	{EC2_ACTION("CreateNetworkInterface"), .part = EC2_OF_INTERFACES, .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_interface, create_interface_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_interface, "network-interface"), EC2_DIGEST(struct ec2_create_interface),
	 .operation = engine_create_port_run, .returns = KIND_PORT, .answer = ec2_create_interface,
	 .state_in_answer = "pending", .doc = "Creates a network interface in a subnet."},
	{EC2_ACTION("DeleteNetworkInterface"), .flags = API_WRITES,
	 .args = PARAMS(struct port_target, delete_interface_params), .operation = engine_delete_port_run,
	 .doc = "Deletes a network interface that is not attached."},
};
const struct api_actions ec2_interface_actions = API_ACTIONS(actions);
