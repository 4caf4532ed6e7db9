/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes network interfaces. A PUT describes all of an interface: its configurations
 * with private and public addresses, security groups and pools. Source: Azure REST API reference, "Network
 * Interfaces", 2022-07-01.
 */
#include "api/azure/network/balancers.h"
#include "api/azure/network/interfaces.h"

#include "engine/network/address/address.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "engine/virtual/port_policy.h"
#include "store/address.h"
#include "store/port.h"

/* ---- what a body says ---- */

struct config_says {
	struct az_link subnet, address;
	struct str method;
	struct ip ip;
	enum choice is_primary;
	struct az_links sets, pools, inwards;
};
struct listed_configs {
	const struct listed_config {
		struct str name;
		struct config_says properties;
	} * at;
	size_t count;
};
struct dns_settings {
	struct str unused;
};
static const struct param dns_rows[] = {
	NOT_BUILT("dnsServers", .only = "[]"),
	NOT_BUILT("internalDnsNameLabel"),
	AZ_READ_ONLY("appliedDnsServers|internalFqdn|internalDomainNameSuffix"),
};
static const struct params dns_params =
	PARAMS(struct dns_settings, dns_rows, .object = "NetworkInterfaceDnsSettings");
struct interface_says {
	struct listed_configs configs;
	struct az_link policy;
	struct dns_settings dns;
	enum choice forwards;
};
static const struct param config_rows[] = {
	PARAM_OBJECT(struct config_says, "subnet", subnet, az_link_params,
		     .doc = "Subnet of the private address."),
	PARAM_OBJECT(struct config_says, "publicIPAddress", address, az_link_params,
		     .doc = "Public IP address that is associated with the configuration."),
	PARAM(struct config_says, "privateIPAllocationMethod", method, .doc = "Dynamic or Static."),
	PARAM(struct config_says, "privateIPAddress", ip, .doc = "Private address, if the method is Static."),
	PARAM(struct config_says, "primary", is_primary,
	      .doc = "Whether the configuration is the primary of several."),
	PARAM_LIST(struct config_says, "applicationSecurityGroups", sets, az_link_params,
		   .max = PORT_SETS_OF_PORT_MAX,
		   .doc = "Application security groups that include the interface."),
	NOT_BUILT("privateIPAddressVersion", .only = "IPv4"),
	PARAM_LIST(struct config_says, "loadBalancerBackendAddressPools", pools, az_link_params, .max = 32,
		   .doc = "Load balancer backend pools that include the interface."),
	PARAM_LIST(struct config_says, "loadBalancerInboundNatRules", inwards, az_link_params, .max = 32,
		   .doc = "Inbound NAT rules that lead to the interface."),
	NOT_BUILT("applicationGatewayBackendAddressPools|virtualNetworkTaps", .only = "[]"),
	NOT_BUILT("gatewayLoadBalancer|privateLinkConnectionProperties"),
	NOT_BUILT("privateIPAddressPrefixLength"),
	AZ_READ_ONLY("provisioningState"),
};
static const struct params config_params =
	PARAMS(struct config_says, config_rows, .object = "NetworkInterfaceIPConfigurationPropertiesFormat");
static const struct param listed_rows[] = {
	PARAM(struct listed_config, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct listed_config, "properties", properties, config_params,
		     .doc = "Addresses of the configuration."),
	AZ_PART,
};
static const struct params listed_params =
	PARAMS(struct listed_config, listed_rows, .object = "NetworkInterfaceIPConfiguration");
struct interface_args {
	struct interface_says properties;
	struct port_wish make;
	struct port_settings change;
	struct port_fixed_wish *fixed;
	struct az_ip_config *configs;
	struct ref *addresses; /* one per configuration; kind none: no public address */
	struct balanced_wish *balanced;
	size_t config_count;
	struct port_guard_wish guard;
	bool is_new, changes_ips;
	uuid id;
};
static const struct param interface_rows[] = {
	PARAM_LIST(struct interface_says, "ipConfigurations", configs, listed_params, .max = PORT_IPS_MAX,
		   .doc = "IP configurations."),
	PARAM_OBJECT(struct interface_says, "networkSecurityGroup", policy, az_link_params,
		     .doc = "Network security group of the interface."),
	PARAM_OBJECT(struct interface_says, "dnsSettings", dns, dns_params,
		     .doc = "DNS servers of the guest."),
	PARAM(struct interface_says, "enableIPForwarding", forwards,
	      .doc = "Allows the guest to forward packets for other addresses."),
	NOT_BUILT(
		"extendedLocation|workloadType|auxiliaryMode|auxiliarySku|privateLinkService|migrationPhase"),
	NOT_BUILT("nicType", .only = "Standard"),
	AZ_KEPT("enableAcceleratedNetworking"),
	AZ_READ_ONLY("virtualMachine|privateEndpoint|tapConfigurations|macAddress|primary|"
		     "vnetEncryptionSupported|defaultOutboundConnectivityEnabled|hostedWorkloads|"
		     "dscpConfiguration|resourceGuid|provisioningState"),
};
static const struct params interface_params =
	PARAMS(struct interface_says, interface_rows, .object = "NetworkInterfacePropertiesFormat");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct interface_args, "properties", properties, interface_params,
		     .doc = "Settings of the network interface."),
	NOT_BUILT("extendedLocation"),
	AZ_RESOURCE,
};

static RESULT missing(struct az_call *e, const char *field)
{
	return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
			      "Required parameter '%s' is missing (null).", field);
}

#define CONFIGS "properties.ipConfigurations"

/* Chooses the configuration marked as primary, else the first. */
static RESULT choose_primary(struct az_call *e, struct interface_args *a)
{
	size_t count = 0;
	for (size_t k = 0; k < a->config_count; k++)
		count += a->configs[k].is_primary;
	if (count > 1)
		return az_fail(e, CONFIGS ".primary",
			       "Only one IP configuration of an interface is primary.");
	if (!count)
		a->configs[0].is_primary = true;
	return OK;
}

static RESULT read_balanced(struct az_call *e, const struct config_says *p, struct balanced_wish *wish)
{
	struct balanced_pool *pools = arena_new_array(e->c->arena, struct balanced_pool, p->pools.count + 1);
	struct balanced_inward *inwards =
		arena_new_array(e->c->arena, struct balanced_inward, p->inwards.count + 1);
	if (!pools || !inwards)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < p->pools.count; k++)
		TRY(az_find_pool(e, CONFIGS ".loadBalancerBackendAddressPools.id", p->pools.at[k].id,
				 &pools[k]));
	for (size_t k = 0; k < p->inwards.count; k++)
		TRY(az_find_inward(e, CONFIGS ".loadBalancerInboundNatRules.id", p->inwards.at[k].id,
				   &inwards[k]));
	*wish = (struct balanced_wish){.pools = pools,
				       .pool_count = p->pools.count,
				       .inwards = inwards,
				       .inward_count = p->inwards.count};
	return OK;
}

/* Finds the subnet. A Neutron port in a network without a router is shown without a subnet and keeps its
 * own. */
static RESULT find_subnet(struct az_call *e, const struct config_says *p, struct ref *ret_subnet)
{
	const struct port *present = port_find(az_tables(e), e->target);
	if (p->subnet.id.n)
		return az_follow(e, CONFIGS ".subnet.id", &p->subnet, AZ_SUBNETS, KIND_SUBNET, ret_subnet);
	if (!present || !uuid_is_none(present->router))
		return missing(e, CONFIGS ".subnet");
	*ret_subnet = ref_by_id(KIND_SUBNET, present->subnet);
	return OK;
}

static RESULT read_config(struct az_call *e, struct interface_args *a, size_t k)
{
	const struct listed_config *listed = &a->properties.configs.at[k];
	const struct config_says *p = &listed->properties;
	struct az_ip_config *c = &a->configs[k];
	struct ref subnet = {0};
	if (!az_is_name(listed->name))
		return az_fail_name(e, CONFIGS ".name");
	for (size_t j = 0; j < k; j++)
		if (str_equal_nocase(a->configs[j].name, listed->name))
			return az_fail(e, CONFIGS ".name",
				       "The IP configuration %" STR_FMT " is listed twice.",
				       STR_ARG(listed->name));
	c->name = listed->name;
	c->is_primary = p->is_primary == CHOICE_YES;
	c->is_static = str_equal_nocase(p->method, STR("Static"));
	if (p->method.n && !c->is_static && !str_equal_nocase(p->method, STR("Dynamic")))
		return az_fail(
			e, CONFIGS ".privateIPAllocationMethod",
			"The value of parameter privateIPAllocationMethod is none of Dynamic and Static.");
	if (c->is_static && ip_is_none(p->ip))
		return missing(e, CONFIGS ".privateIPAddress");
	if (c->is_static)
		c->said = p->ip;
	TRY(find_subnet(e, p, &subnet));
	a->fixed[k] = (struct port_fixed_wish){.subnet = subnet, .ip = c->said};
	TRY(read_balanced(e, p, &a->balanced[k]));
	return az_follow(e, CONFIGS ".publicIPAddress.id", &p->address, AZ_PUBLIC_ADDRESSES, KIND_ADDRESS,
			 &a->addresses[k]);
}

/* Reads the application security groups, which must be the same in all configurations. */
static RESULT read_sets(struct az_call *e, struct interface_args *a)
{
	for (size_t k = 0; k < a->config_count; k++) {
		const struct az_links *sets = &a->properties.configs.at[k].properties.sets;
		if (sets->count)
			return az_follow_all(e, CONFIGS ".applicationSecurityGroups.id", sets,
					     AZ_APPLICATION_GROUPS, KIND_PORT_SET, &a->guard.sets);
	}
	return OK;
}

/* ---- a new one ---- */

static RESULT prepare_new(struct az_call *e, struct interface_args *a)
{
	struct ip *more = arena_new_array(e->c->arena, struct ip, a->config_count);
	size_t count = 0;
	if (!more)
		return ctx_no_memory(e->c);
	a->is_new = true;
	a->make = (struct port_wish){.by_firewall_alone = true,
				     .name = e->put.name,
				     .ips = {.field = STR(CONFIGS ".privateIPAddress")}};
	for (size_t k = 0; k < a->config_count; k++) {
		if (!uuid_equal(a->fixed[k].subnet.prefix, a->fixed[0].subnet.prefix))
			return az_fail(e, CONFIGS ".subnet.id",
				       "All IP configurations of an interface are in one subnet here.");
		if (a->configs[k].is_primary) {
			a->make.subnet = a->fixed[k].subnet;
			a->make.ips.primary = a->configs[k].said;
		} else if (ip_is_none(a->configs[k].said)) {
			a->make.ips.more++;
		} else {
			more[count++] = a->configs[k].said;
		}
	}
	a->make.ips.secondaries = (struct ips){more, count};
	return OK;
}

/* ---- a change ---- */

/* Finds the addresses to assign: a configuration keeps its address unless it names another. */
static void find_fixed(struct az_call *e, struct interface_args *a, const struct port *p)
{
	struct ip ips[PORT_IPS_MAX];
	struct az_ip_configs present = az_list_configs(e, p);
	size_t ip_count = az_list_ips(az_tables(e), p, ips), primary = 0;
	for (size_t k = 0; k < a->config_count; k++) {
		struct ip has = {0};
		for (size_t j = 0; j < present.count; j++)
			if (str_equal_nocase(present.at[j].name, a->configs[k].name))
				has = present.at[j].ip;
		if (ip_is_none(a->configs[k].said))
			a->fixed[k].ip = has;
		if (a->configs[k].is_primary)
			primary = k;
		a->changes_ips = a->changes_ips || ip_is_none(has) || !ip_equal(has, a->fixed[k].ip);
	}
	struct port_fixed_wish first = a->fixed[primary];
	for (size_t k = primary; k > 0; k--)
		a->fixed[k] = a->fixed[k - 1];
	a->fixed[0] = first;
	a->changes_ips =
		a->changes_ips || ip_count != a->config_count || !ip_count || !ip_equal(first.ip, ips[0]);
}

static RESULT prepare_change(struct az_call *e, struct interface_args *a, const struct port *p)
{
	for (size_t k = 0; k < a->config_count; k++)
		if (!uuid_equal(a->fixed[k].subnet.prefix, p->subnet))
			return az_fail(e, CONFIGS ".subnet.id",
				       "The subnet of a network interface cannot be another one: make the "
				       "interface anew.");
	find_fixed(e, a, p);
	a->id = e->target;
	a->change = (struct port_settings){.port = az_target_ref(e)};
	if (a->changes_ips)
		a->change.fixed = (struct port_fixed_wishes){true, a->fixed, a->config_count,
							     STR(CONFIGS ".privateIPAddress")};
	return OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct interface_args *a = args;
	const struct port *p = port_find(az_tables(e), e->target);
	size_t count = a->properties.configs.count;
	if (!count)
		return missing(e, CONFIGS);
	a->config_count = count;
	a->configs = arena_new_array(e->c->arena, struct az_ip_config, count);
	a->fixed = arena_new_array(e->c->arena, struct port_fixed_wish, count);
	a->addresses = arena_new_array(e->c->arena, struct ref, count);
	a->balanced = arena_new_array(e->c->arena, struct balanced_wish, count);
	if (!a->configs || !a->fixed || !a->addresses || !a->balanced)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++)
		TRY(read_config(e, a, k));
	TRY(choose_primary(e, a));
	TRY(read_sets(e, a));
	TRY(az_follow(e, "properties.networkSecurityGroup.id", &a->properties.policy, AZ_SECURITY_GROUPS,
		      KIND_PORT_POLICY, &a->guard.policy));
	return p ? prepare_change(e, a, p) : prepare_new(e, a);
}

/* ---- on the committer ---- */

static RESULT settle_address(struct op *op, const struct interface_args *a, const struct ref *wanted,
			     struct ip ip)
{
	const struct address *present = engine_find_address_for(op->head, a->id, ip);
	struct address_association association = {.address = *wanted,
						  .port = ref_by_id(KIND_PORT, a->id),
						  .private_ip = ip,
						  .allow_reassociation = CHOICE_NO};
	bool is_same = present && ref_is_given(wanted) && uuid_equal(present->row.id, wanted->prefix);
	if (present && present->is_elastic && !is_same) {
		struct address_association leave = {.address = ref_by_id(KIND_ADDRESS, present->row.id)};
		TRY(engine_disassociate_address(op, &leave));
	}
	return ref_is_given(wanted) && !is_same ? engine_associate_address(op, &association) : OK;
}

static RESULT settle_addresses(struct op *op, struct interface_args *a)
{
	struct ip ips[PORT_IPS_MAX];
	const struct port *p = port_find(op->head, a->id);
	az_give_ips(a->configs, a->config_count, ips, az_list_ips(op->head, p, ips));
	for (size_t k = 0; k < a->config_count; k++) {
		struct balanced_wish *balanced = &a->balanced[k];
		TRY(settle_address(op, a, &a->addresses[k], a->configs[k].ip));
		balanced->port = ref_by_id(KIND_PORT, a->id);
		balanced->private_ip = a->configs[k].ip;
		TRY(engine_balance_port(op, balanced));
	}
	return OK;
}

static RESULT settle_forwarding(struct op *op, struct interface_args *a)
{
	const struct port *p = port_find(op->head, a->id);
	bool forwards = a->properties.forwards == CHOICE_YES;
	bool differs = a->properties.forwards != CHOICE_DEFAULT && p->source_dest_check == forwards;
	if (!differs && !a->changes_ips)
		return OK;
	a->change.port = ref_by_id(KIND_PORT, a->id);
	a->change.source_dest_check = differs ? (forwards ? CHOICE_NO : CHOICE_YES) : CHOICE_DEFAULT;
	return engine_update_port(op, &a->change);
}

static RESULT put(struct op *op, void *args)
{
	struct interface_args *a = args;
	if (a->is_new) {
		TRY(engine_create_port(op, &a->make));
		a->id = a->make.port;
	}
	TRY(settle_forwarding(op, a));
	a->guard.port = ref_by_id(KIND_PORT, a->id);
	TRY(engine_guard_port(op, &a->guard));
	TRY(settle_addresses(op, a));
	/* route tables may use the interface's address as an appliance */
	struct system_routes_wish routes = {port_find(op->head, a->id)->router};
	return engine_settle_system_routes(op, &routes);
}

#define INTERFACE AZ_GROUP AZ_NETWORK "/networkInterfaces/{networkInterfaceName}"
#define OF_ONE .type = AZ_INTERFACES, .kind = KIND_PORT, .names = "networkInterfaceName"
static const struct az_action actions[] = {
	{HTTP_PUT, INTERFACE, .name = "NetworkInterfaces_CreateOrUpdate",
	 .permit = "ec2:CreateNetworkInterface", .flags = API_WRITES | AZ_PUT, OF_ONE, .parts = CONFIGS,
	 .keeps = CONFIGS "|properties.enableAcceleratedNetworking",
	 .args = PARAMS(struct interface_args, put_rows, .object = "NetworkInterface"), .prepare = prepare,
	 .operation = put, .returns = KIND_PORT, AZ_SUBJECT(struct interface_args, id),
	 .shows = &az_interfaces, .doc = "Creates or changes a network interface."},
	{HTTP_PATCH, INTERFACE, .name = "NetworkInterfaces_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_PORT,
	 .shows = &az_interfaces, .doc = "Changes a network interface's tags."},
	{HTTP_DELETE, INTERFACE, .name = "NetworkInterfaces_Delete", .permit = "ec2:DeleteNetworkInterface",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct port_target)},
	 AZ_TARGET(struct port_target, port), .operation = engine_delete_port_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a network interface that is not attached."},
};
const struct api_actions az_interface_put_actions = API_ACTIONS(actions);
