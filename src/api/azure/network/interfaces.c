/* SPDX-License-Identifier: Apache-2.0
 * Shows network interfaces. interface_put.c creates and changes them. Source: Azure REST API reference, "Network
 * Interfaces", 2022-07-01. To list a machine's addresses, clients follow an interface to its machine and to its
 * public address. */
#include "api/azure/network/interfaces.h"

#include "base/vec.h"
#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/virtual/balancer_set.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/balancer_pool_member.h"
#include "store/balancer_set.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/port_policy.h"
#include "store/port_set.h"

/* ---- which configuration has which address ---- */

void az_give_ips(struct az_ip_config *configs, size_t count, const struct ip *ips, size_t ip_count)
{
	bool taken[PORT_IPS_MAX] = {ip_count > 0};
	for (size_t k = 0; k < count; k++) {
		configs[k].ip = configs[k].is_primary && ip_count ? ips[0] : (struct ip){0};
		for (size_t n = 1; n < ip_count && !configs[k].is_primary; n++)
			if (!taken[n] && !ip_is_none(configs[k].said) && ip_equal(ips[n], configs[k].said)) {
				configs[k].ip = ips[n];
				taken[n] = true;
				break;
			}
	}
	for (size_t k = 0; k < count; k++)
		for (size_t n = 1; n < ip_count && ip_is_none(configs[k].ip); n++)
			if (!taken[n]) {
				configs[k].ip = ips[n];
				taken[n] = true;
			}
}

size_t az_list_ips(const struct tables *t, const struct port *p, struct ip ips[static PORT_IPS_MAX])
{
	size_t count = 0;
	if (p->ip.family == IP_V4)
		ips[count++] = p->ip;
	const struct secondary_ip *s = engine_first_secondary_ip(t, p->row.id);
	for (; s && count < PORT_IPS_MAX; s = engine_next_secondary_ip(t, s))
		if (s->ip.family == IP_V4)
			ips[count++] = s->ip;
	return count;
}

static void read_config(struct az_call *e, const json_t *o, struct az_ip_config *c)
{
	const json_t *properties = json_object_get(o, "properties");
	const char *method = json_string_value(json_object_get(properties, "privateIPAllocationMethod"));
	struct str ip = str_from(json_string_value(json_object_get(properties, "privateIPAddress")));
	c->name = str_copy(e->c->arena, str_from(json_string_value(json_object_get(o, "name"))));
	c->is_static = method && str_equal_nocase(str_from(method), STR("Static"));
	c->is_primary = json_is_true(json_object_get(properties, "primary"));
	if (c->is_static)
		IGNORE(ip_parse(ip, &c->said));
}

static bool is_taken(const struct az_ip_configs *configs, struct str name)
{
	for (size_t k = 0; k < configs->count; k++)
		if (str_equal_nocase(configs->at[k].name, name))
			return true;
	return false;
}

/* Reads the stored configurations, leaving out addresses that other faces removed. */
static void read_said(struct az_call *e, const json_t *said, const struct ip *ips, size_t ip_count,
		      struct az_ip_configs *configs)
{
	size_t count = json_array_size(said);
	bool has_primary = false;
	for (size_t k = 0; k < count; k++) {
		struct az_ip_config *c = &configs->at[k];
		read_config(e, json_array_get(said, k), c);
		c->is_primary = c->is_primary && !has_primary;
		has_primary = has_primary || c->is_primary;
	}
	if (count)
		configs->at[0].is_primary = configs->at[0].is_primary || !has_primary;
	az_give_ips(configs->at, count, ips, ip_count);
	for (size_t k = 0; k < count; k++)
		if (!ip_count || !ip_is_none(configs->at[k].ip))
			configs->at[configs->count++] = configs->at[k];
}

static bool has_config(const struct az_ip_configs *configs, struct ip ip)
{
	for (size_t k = 0; k < configs->count; k++)
		if (ip_equal(configs->at[k].ip, ip))
			return true;
	return false;
}

/* Adds a configuration for an address that another face assigned: otherwise a client that sends the list
 * back would remove it. */
static void add_config(struct az_call *e, struct ip ip, struct az_ip_configs *configs)
{
	struct str name = STR_NONE;
	for (size_t n = configs->count + 1; !name.n || is_taken(configs, name); n++)
		name = str_print(e->c->arena, "ipconfig%zu", n);
	configs->at[configs->count++] =
		(struct az_ip_config){.name = name, .ip = ip, .is_primary = !configs->count};
}

struct az_ip_configs az_list_configs(struct az_call *e, const struct port *p)
{
	struct ip ips[PORT_IPS_MAX];
	const json_t *said = json_object_get(az_said(e, p->row.id), "properties.ipConfigurations");
	size_t ip_count = az_list_ips(az_tables(e), p, ips);
	size_t most = json_array_size(said) + ip_count + 1;
	struct az_ip_configs configs = {arena_new_array(e->c->arena, struct az_ip_config, most), 0};
	if (!configs.at)
		return (struct az_ip_configs){0};
	read_said(e, said, ips, ip_count, &configs);
	for (size_t k = 0; k < ip_count; k++)
		if (!has_config(&configs, ips[k]))
			add_config(e, ips[k], &configs);
	if (!configs.count)
		add_config(e, (struct ip){0}, &configs);
	return configs;
}

static struct str config_id(struct az_call *e, const struct port *p, struct str name)
{
	return str_print(e->c->arena, "%" STR_FMT "/ipConfigurations/%" STR_FMT,
			 STR_ARG(az_id_of(e, AZ_INTERFACES, KIND_PORT, p->row.id)), STR_ARG(name));
}

struct str az_ip_config_id(struct az_call *e, const struct port *p, struct ip ip)
{
	struct az_ip_configs configs = az_list_configs(e, p);
	for (size_t k = 0; k < configs.count; k++)
		if (ip_equal(configs.at[k].ip, ip))
			return config_id(e, p, configs.at[k].name);
	return config_id(e, p, configs.count ? configs.at[0].name : STR("ipconfig1"));
}

/* ---- what is shown ---- */

static const struct az_ip_config *az_ip_config_of(const struct row *row)
{
	return (const void *) row;
}

AZ_GETTER(az_ip_config, c, struct str, get_config_id, config_id(e, c->port, c->name))
AZ_GETTER(az_ip_config, c, struct str, get_config_etag, az_etag_of(e, &c->port->row))
AZ_GETTER(az_ip_config, c, const char *, get_version, c->port->ip.family == IP_V6 ? "IPv6" : "IPv4")
AZ_GETTER(az_ip_config, c, const void *, find_port, c->port)
AZ_GETTER(az_ip_config, c, const void *, find_routed_port, uuid_is_none(c->port->router) ? NULL : c->port)
AZ_GETTER(az_ip_config, c, const void *, find_address,
	  engine_find_address_for(az_tables(e), c->port->row.id, c->ip))

static struct str part_id(struct api_call *core, uuid set, const char *type, struct str name)
{
	return str_print(core->c->arena, "%" STR_FMT "/%s/%" STR_FMT,
			 STR_ARG(az_id_of(az_call_of(core), AZ_BALANCERS, KIND_BALANCER_SET, set)), type,
			 STR_ARG(name));
}

/* Lists the pools that contain the address. */
static struct member_items list_pools(struct api_call *core, const struct row *row)
{
	const struct tables *t = api_tables(core);
	const struct az_ip_config *c = az_ip_config_of(row);
	VEC(struct str) ids = {0};
	const struct balancer_pool_member *m = balancer_pool_member_first_by_port(t, c->port->row.id);
	for (; m; m = balancer_pool_member_next_by_port(t, m))
		if (ip_equal(m->private_ip, c->ip))
			(void) VEC_PUSH(core->c->arena, &ids,
					part_id(core, m->set, "backendAddressPools", m->pool));
	return az_list_links((struct strs){ids.at, ids.count});
}

/* Lists the inbound NAT rules to the address. */
static struct member_items list_inward_rules(struct api_call *core, const struct row *row)
{
	const struct tables *t = api_tables(core);
	const struct az_ip_config *c = az_ip_config_of(row);
	VEC(struct str) ids = {0};
	const struct port_forwarding *f = port_forwarding_first_by_port(t, c->port->row.id);
	for (; f; f = port_forwarding_next_by_port(t, f))
		if (!uuid_is_none(f->set) && ip_equal(f->private_ip, c->ip))
			(void) VEC_PUSH(core->c->arena, &ids,
					part_id(core, f->set, "inboundNatRules", f->name));
	return az_list_links((struct strs){ids.at, ids.count});
}

static struct member_items list_configs(struct api_call *core, const struct row *row)
{
	struct az_ip_configs configs = az_list_configs(az_call_of(core), port_of(row));
	for (size_t k = 0; k < configs.count; k++)
		configs.at[k].port = port_of(row);
	return (struct member_items){configs.at, configs.count, sizeof *configs.at};
}

/* "00-0D-3A-11-22-33" */
static struct str get_mac(struct api_call *e, const struct row *row)
{
	char text[MAC_TEXT_SIZE];
	(void) mac_write(port_of(row)->mac, text);
	for (char *p = text; *p; p++)
		*p = *p == ':' ? '-' : *p >= 'a' && *p <= 'f' ? (char) (*p - 'a' + 'A') : *p;
	return str_copy(e->c->arena, str_from(text));
}

MEMBER_GETTER(port, p, bool, is_attached, !uuid_is_none(p->instance))
MEMBER_GETTER(port, p, bool, is_primary, p->device_index == 0)

static const struct member config_properties[] = {
	AZ_SUCCEEDED,
	MEMBER(struct az_ip_config, "privateIPAddress", ip),
	MEMBER(struct az_ip_config, "privateIPAllocationMethod", is_static, .yes = "Static", .no = "Dynamic"),
	MEMBER_MADE(WORD, word, "privateIPAddressVersion", get_version),
	MEMBER(struct az_ip_config, "primary", is_primary),
	MEMBER_INLINE(find_routed_port, AZ_LINK(struct port, "subnet", subnet, AZ_SUBNETS, KIND_SUBNET)),
	MEMBER_INLINE(find_address,
		      AZ_LINK(struct row, "publicIPAddress", id, AZ_PUBLIC_ADDRESSES, KIND_ADDRESS)),
	MEMBER_INLINE(find_port, AZ_LINKS(struct port, "applicationSecurityGroups", sets,
					  AZ_APPLICATION_GROUPS, KIND_PORT_SET)),
	AZ_MADE_LINKS("loadBalancerBackendAddressPools", list_pools),
	AZ_MADE_LINKS("loadBalancerInboundNatRules", list_inward_rules),
};
static const struct member config_members[] = {
	MEMBER(struct az_ip_config, "name", name),
	MEMBER_TEXT("id", get_config_id),
	MEMBER_TEXT("etag", get_config_etag),
	MEMBER_FIXED("type", "\"Microsoft.Network/networkInterfaces/ipConfigurations\""),
	MEMBER_OBJECT("properties", config_properties),
};
static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER_LIST("ipConfigurations", config_members, list_configs),
	MEMBER_WITH("dnsSettings", MEMBER_FIXED("dnsServers|appliedDnsServers", "[]")),
	MEMBER_TEXT("macAddress", get_mac),
	AZ_SAID_AS(AZ_TRUTH, "properties.", "enableAcceleratedNetworking", "false"),
	MEMBER(struct port, "enableIPForwarding", source_dest_check, .is_opposite = true),
	AZ_LINK(struct port, "networkSecurityGroup", policy, AZ_SECURITY_GROUPS, KIND_PORT_POLICY,
		.is_optional = true),
	MEMBER_MADE(BOOL, truth, "primary", is_primary, .shows = is_attached),
	AZ_LINK(struct port, "virtualMachine", instance, AZ_MACHINES, KIND_INSTANCE),
	MEMBER_FIXED("hostedWorkloads|tapConfigurations", "[]"),
	MEMBER_FIXED("nicType", "\"Standard\""),
};

/* Hides ports of load balancers' private frontends. */
static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	return !engine_is_front(az_tables(az_call_of(core)), port_of(row)) && az_matches(core, args, row);
}

static const struct member members[] = {
	AZ_HEAD,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
const struct api_listing az_interfaces = {
	.kind = KIND_PORT, .item = "value", .matches = matches, .members = MEMBERS(members)};

#define INTERFACES AZ_NETWORK "/networkInterfaces"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION INTERFACES, .name = "NetworkInterfaces_ListAll",
	 .permit = "ec2:DescribeNetworkInterfaces", .type = AZ_INTERFACES, .listing = &az_interfaces,
	 .doc = "Lists the subscription's network interfaces."},
	{HTTP_GET, AZ_GROUP INTERFACES, .name = "NetworkInterfaces_List",
	 .permit = "ec2:DescribeNetworkInterfaces", .type = AZ_INTERFACES, .listing = &az_interfaces,
	 .doc = "Lists a resource group's network interfaces."},
	{HTTP_GET, AZ_GROUP INTERFACES "/{networkInterfaceName}", .name = "NetworkInterfaces_Get",
	 .permit = "ec2:DescribeNetworkInterfaces", .type = AZ_INTERFACES, .kind = KIND_PORT,
	 .names = "networkInterfaceName", .shows = &az_interfaces, .doc = "Gets one network interface."},
};
const struct api_actions az_interface_actions = API_ACTIONS(actions);
