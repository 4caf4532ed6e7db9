/* SPDX-License-Identifier: Apache-2.0
 * Subnets of virtual networks. Source: Azure REST API reference, "Subnets", 2022-07-01. */
#include "api/azure/network/network.h"

#include "base/vec.h"
#include "engine/network/subnet.h"
#include "engine/virtual/balancer_set.h"
#include "store/port.h"
#include "store/port_policy.h"
#include "store/route_plan.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/source_nat.h"
#include "store/subnet.h"

/* ---- what is shown ---- */

static struct member_items list_interfaces(struct api_call *core, const struct row *row)
{
	const struct tables *t = api_tables(core);
	VEC(struct str) ids = {0};
	for (const struct port *p = port_first_by_in_subnet(t, row->id); p; p = port_next_by_in_subnet(t, p))
		if (row_is_live(&p->row) && uuid_is_none(p->interface_of) && uuid_is_none(p->nat_gateway) &&
		    !engine_is_front(t, p))
			(void) VEC_PUSH(core->c->arena, &ids, az_ip_config_id(az_call_of(core), p, p->ip));
	return az_list_links((struct strs){ids.at, ids.count});
}

/* Members that are stored and shown unchanged, with their defaults. */
#define ENDPOINTS "privateEndpointNetworkPolicies"
#define SERVICES "privateLinkServiceNetworkPolicies"
static const struct policy {
	const char *path, *name, *otherwise;
} policies[] = {
	{"properties." ENDPOINTS, ENDPOINTS, "Disabled"},
	{"properties." SERVICES, SERVICES, "Enabled"},
};
enum { POLICIES = sizeof policies / sizeof policies[0] };

/* Stores nothing for a body that has only the defaults or the present values. */
RESULT az_keep_subnet(struct az_call *e, uuid subnet, const json_t *body, struct str *ret_definition)
{
	const json_t *said = az_said(e, subnet), *properties = json_object_get(body, "properties");
	bool is_new = false;
	for (size_t k = 0; k < POLICIES; k++) {
		const char *value = json_string_value(json_object_get(properties, policies[k].name));
		const char *shown = json_string_value(json_object_get(said, policies[k].path));
		is_new = is_new ||
			 (value ? strcmp(value, shown ? shown : policies[k].otherwise) != 0 : shown != NULL);
	}
	return is_new ? az_keep(e, subnet, body, AZ_SUBNET_KEEPS, ret_definition) : OK;
}

static const struct member properties[] = {
	AZ_SUCCEEDED,
	MEMBER(struct subnet, "addressPrefix", block),
	AZ_LINK(struct subnet, "networkSecurityGroup", policy, AZ_SECURITY_GROUPS, KIND_PORT_POLICY,
		.is_optional = true),
	AZ_LINK(struct route_table, "routeTable", plan, AZ_ROUTE_TABLES, KIND_ROUTE_PLAN, .is_optional = true,
		.path = {JOIN_ONE(KIND_ROUTE_TABLE, subnet, route_table)}),
	AZ_LINK(struct subnet, "natGateway", source_nat, AZ_NAT_GATEWAYS, KIND_SOURCE_NAT,
		.is_optional = true),
	MEMBER_LIST("ipConfigurations", az_link_members, list_interfaces),
	MEMBER_FIXED("delegations", "[]"),
	AZ_SAID("properties.", ENDPOINTS, "\"Disabled\""),
	AZ_SAID("properties.", SERVICES, "\"Enabled\""),
};
static const struct member subnet_members[] = {
	AZ_PART_HEAD(AZ_SUBNETS, KIND_SUBNET),
	MEMBER_OBJECT("properties", properties),
};
const struct members az_subnet_members = MEMBERS(subnet_members);

/* Matches subnets of the path's virtual network. IPv6 subnets are shown as a part of their IPv4 subnet. */
static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	const struct subnet *s = subnet_of(row);
	(void) args;
	return uuid_equal(s->router, az_call_of(core)->target) && s->block.base.family == IP_V4;
}

static const struct api_listing subnets = {
	.kind = KIND_SUBNET, .item = "value", .matches = matches, .members = MEMBERS(subnet_members)};

/* ---- request bodies ---- */

static const struct param subnet_rows[] = {
	PARAM(struct az_subnet_says, "addressPrefix", prefix, .doc = "Address block."),
	PARAM(struct az_subnet_says, "addressPrefixes", prefixes, .doc = "Address block, as a list of one."),
	PARAM_OBJECT(struct az_subnet_says, "networkSecurityGroup", policy, az_link_params,
		     .doc = "Network security group for all interfaces of the subnet."),
	PARAM_OBJECT(struct az_subnet_says, "routeTable", plan, az_link_params,
		     .doc = "Route table of the subnet."),
	PARAM_OBJECT(struct az_subnet_says, "natGateway", nat, az_link_params,
		     .doc = "NAT gateway of the subnet."),
	NOT_BUILT("serviceEndpoints|serviceEndpointPolicies|delegations|ipAllocations|"
		  "applicationGatewayIpConfigurations|applicationGatewayIPConfigurations",
		  .only = "[]"),
	NOT_BUILT("defaultOutboundAccess", .only = "true"),
	NOT_BUILT("ipamPoolPrefixAllocations|serviceGateway"),
	AZ_KEPT("privateEndpointNetworkPolicies|privateLinkServiceNetworkPolicies"),
	AZ_READ_ONLY("privateEndpoints|ipConfigurations|ipConfigurationProfiles|resourceNavigationLinks|"
		     "serviceAssociationLinks|purpose|provisioningState"),
};
const struct params az_subnet_params =
	PARAMS(struct az_subnet_says, subnet_rows, .object = "SubnetPropertiesFormat");

static RESULT read_prefix(struct az_call *e, const struct az_subnet_says *says, struct cidr *ret_block)
{
	static const char field[] = "properties.addressPrefix";
	struct cidr other = says->prefix;
	*ret_block = says->prefix;
	/* azure-cli's issue 32005; a list of the same block says nothing else */
	if (!cidr_is_none(says->prefix) && says->prefixes.count &&
	    !(says->prefixes.count == 1 && result_is_ok(cidr_parse(says->prefixes.at[0], &other)) &&
	      cidr_equal(other, says->prefix)))
		return az_fail(e, "properties.addressPrefixes",
			       "Invalid configuration on subnet; cannot populate both address prefix and "
			       "address prefixes.");
	if (!cidr_is_none(says->prefix))
		return OK;
	if (says->prefixes.count > 1)
		return az_fail(e, "properties.addressPrefixes", "A subnet has one address prefix here.");
	if (!says->prefixes.count)
		return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
				      "Required parameter 'addressPrefix' is missing (null).");
	return result_is_ok(cidr_parse(says->prefixes.at[0], ret_block))
		       ? OK
		       : az_fail(e, "properties.addressPrefixes",
				 "The address prefix %" STR_FMT " is invalid.",
				 STR_ARG(str_slice(says->prefixes.at[0], 0, 64)));
}

RESULT az_read_subnet(struct az_call *e, const struct az_subnet_says *says, struct virtual_subnet_wish *wish)
{
	TRY(read_prefix(e, says, &wish->block));
	TRY(az_follow(e, "properties.networkSecurityGroup.id", &says->policy, AZ_SECURITY_GROUPS,
		      KIND_PORT_POLICY, &wish->policy));
	TRY(az_follow(e, "properties.routeTable.id", &says->plan, AZ_ROUTE_TABLES, KIND_ROUTE_PLAN,
		      &wish->plan));
	return az_follow(e, "properties.natGateway.id", &says->nat, AZ_NAT_GATEWAYS, KIND_SOURCE_NAT,
			 &wish->source_nat);
}

struct ips az_servers_of(struct az_call *e, uuid router)
{
	const json_t *said = json_object_get(az_said(e, router), "properties.dhcpOptions.dnsServers");
	size_t count = json_array_size(said), n = 0;
	struct ip *at = arena_new_array(e->c->arena, struct ip, count + 1);
	for (size_t k = 0; at && k < count; k++)
		n += result_is_ok(ip_parse(str_from(json_string_value(json_array_get(said, k))), &at[n]));
	return (struct ips){at, n};
}

/* ---- changes ---- */

struct subnet_args {
	struct virtual_subnet_wish wish;
	struct az_subnet_says properties;
};
static const struct param put_rows[] = {
	PARAM_OBJECT(struct subnet_args, "properties", properties, az_subnet_params,
		     .doc = "Settings of the subnet."),
	AZ_NAMED_PART,
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct subnet_args *a = args;
	a->wish.subnet = e->target;
	a->wish.name = az_path_value(e, "subnetName");
	a->wish.dns_servers = az_servers_of(e, a->wish.router.prefix);
	a->wish.keeps_servers = true;
	return az_read_subnet(e, &a->properties, &a->wish);
}

RESULT az_check_subnet_unused(struct az_call *e, uuid subnet)
{
	const struct port *p = engine_find_port_in(az_tables(e), subnet);
	return p ? ctx_fail_kind(e->c, ERR_IN_USE, KIND_SUBNET,
				 "Subnet %" STR_FMT " is in use by %" STR_FMT
				 " and cannot be deleted. In order to delete the subnet, delete all the "
				 "resources within the "
				 "subnet. See aka.ms/deletesubnet.",
				 STR_ARG(az_last_word(az_name_of(e, AZ_SUBNETS, KIND_SUBNET, subnet))),
				 STR_ARG(az_ip_config_id(e, p, p->ip)))
		 : OK;
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	(void) args;
	return az_check_subnet_unused(e, e->target);
}

#define SUBNETS AZ_NETWORK "/virtualNetworks/{virtualNetworkName}/subnets"
#define SUBNET AZ_GROUP SUBNETS "/{subnetName}"
#define OF_NETWORK AZ_WHOLE("virtualNetworkName", AZ_NETWORKS, KIND_ROUTER)
#define NAMES "virtualNetworkName/subnetName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_GROUP SUBNETS, .name = "Subnets_List", .permit = "ec2:DescribeSubnets",
	 .type = AZ_SUBNETS, .kind = KIND_ROUTER, .names = "virtualNetworkName", .names_type = AZ_NETWORKS,
	 .listing = &subnets, .doc = "Lists the subnets of a virtual network."},
	{HTTP_GET, SUBNET, .name = "Subnets_Get", .permit = "ec2:DescribeSubnets", .type = AZ_SUBNETS,
	 .kind = KIND_SUBNET, .names = NAMES, .shows = &subnets, .doc = "Gets one subnet."},
	{HTTP_PUT, SUBNET, .name = "Subnets_CreateOrUpdate", .permit = "ec2:CreateSubnet",
	 .flags = API_WRITES | AZ_PUT, .type = AZ_SUBNETS, .kind = KIND_SUBNET, .names = NAMES, OF_NETWORK,
	 AZ_WHOLE_AT(struct subnet_args, wish.router), .keeps = AZ_SUBNET_KEEPS,
	 .args = PARAMS(struct subnet_args, put_rows, .object = "Subnet"), .prepare = prepare,
	 .operation = engine_put_virtual_subnet_run, .returns = KIND_SUBNET,
	 AZ_SUBJECT(struct subnet_args, wish.made), .shows = &subnets, .doc = "Creates or changes a subnet."},
	{HTTP_DELETE, SUBNET, .name = "Subnets_Delete", .permit = "ec2:DeleteSubnet", .flags = API_WRITES,
	 .type = AZ_SUBNETS, .kind = KIND_SUBNET, .names = NAMES, OF_NETWORK,
	 .args = {0, 0, sizeof(struct subnet_target)}, AZ_TARGET(struct subnet_target, subnet),
	 .prepare = prepare_delete, .operation = engine_delete_subnet_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes an empty subnet."},
};
const struct api_actions az_subnet_actions = API_ACTIONS(actions);
