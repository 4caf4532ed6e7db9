/* SPDX-License-Identifier: Apache-2.0
 * Shows network interfaces. interface_put.c creates and changes them. Source: Azure REST API reference, "Network
 * Interfaces", 2022-07-01. To list a machine's addresses, clients follow an interface to its machine and to its
 * public address. */
#include "api/azure/network/interfaces.h"

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

static void write_sets(struct az_call *e, struct json_writer *w, const struct port *p)
{
	if (!p->sets.count)
		return;
	json_write_open_list(w, "applicationSecurityGroups");
	for (size_t k = 0; k < p->sets.count; k++)
		if (port_set_find(az_tables(e), p->sets.at[k]))
			az_write_ref(e, w, NULL, AZ_APPLICATION_GROUPS, KIND_PORT_SET, p->sets.at[k]);
	json_write_close_list(w);
}

static void write_part_id(struct az_call *e, struct json_writer *w, uuid set, const char *type,
			  struct str name)
{
	json_write_open(w, NULL);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/%s/%" STR_FMT,
				  STR_ARG(az_id_of(e, AZ_BALANCERS, KIND_BALANCER_SET, set)), type,
				  STR_ARG(name)));
	json_write_close(w);
}

/* Writes the pools that contain the address, and the inbound NAT rules to it. */
static void write_balanced(struct az_call *e, struct json_writer *w, const struct port *p, struct ip ip)
{
	const struct tables *t = az_tables(e);
	bool has_any = false;
	const struct balancer_pool_member *m = balancer_pool_member_first_by_port(t, p->row.id);
	for (; m; m = balancer_pool_member_next_by_port(t, m)) {
		if (!ip_equal(m->private_ip, ip))
			continue;
		if (!has_any)
			json_write_open_list(w, "loadBalancerBackendAddressPools");
		has_any = true;
		write_part_id(e, w, m->set, "backendAddressPools", m->pool);
	}
	if (has_any)
		json_write_close_list(w);
	has_any = false;
	const struct port_forwarding *f = port_forwarding_first_by_port(t, p->row.id);
	for (; f; f = port_forwarding_next_by_port(t, f)) {
		if (uuid_is_none(f->set) || !ip_equal(f->private_ip, ip))
			continue;
		if (!has_any)
			json_write_open_list(w, "loadBalancerInboundNatRules");
		has_any = true;
		write_part_id(e, w, f->set, "inboundNatRules", f->name);
	}
	if (has_any)
		json_write_close_list(w);
}

static void write_config(struct az_call *e, struct json_writer *w, const struct port *p,
			 const struct az_ip_config *c)
{
	char ip[IP_TEXT_SIZE];
	const struct address *address = engine_find_address_for(az_tables(e), p->row.id, c->ip);
	json_write_open(w, NULL);
	json_write_text(w, "name", c->name);
	json_write_text(w, "id", config_id(e, p, c->name));
	az_write_etag(e, w, &p->row);
	json_write_z(w, "type", "Microsoft.Network/networkInterfaces/ipConfigurations");
	json_write_open(w, "properties");
	json_write_z(w, "provisioningState", "Succeeded");
	if (!ip_is_none(c->ip))
		json_write_z(w, "privateIPAddress", ip_write(c->ip, ip));
	json_write_z(w, "privateIPAllocationMethod", c->is_static ? "Static" : "Dynamic");
	json_write_z(w, "privateIPAddressVersion", p->ip.family == IP_V6 ? "IPv6" : "IPv4");
	json_write_bool(w, "primary", c->is_primary);
	if (!uuid_is_none(p->router))
		az_write_ref(e, w, "subnet", AZ_SUBNETS, KIND_SUBNET, p->subnet);
	if (address)
		az_write_ref(e, w, "publicIPAddress", AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, address->row.id);
	write_sets(e, w, p);
	write_balanced(e, w, p, c->ip);
	json_write_close(w);
	json_write_close(w);
}

/* "00-0D-3A-11-22-33" */
static void write_mac(struct json_writer *w, const char *name, struct mac mac)
{
	char text[MAC_TEXT_SIZE];
	(void) mac_write(mac, text);
	for (char *p = text; *p; p++)
		*p = *p == ':' ? '-' : *p >= 'a' && *p <= 'f' ? (char) (*p - 'a' + 'A') : *p;
	json_write_z(w, name, text);
}

static void write_empty(struct json_writer *w, const char *name)
{
	json_write_open_list(w, name);
	json_write_close_list(w);
}

static void write_properties(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct port *p = port_of(row);
	struct az_ip_configs configs = az_list_configs(e, p);
	const json_t *fast = json_object_get(az_said(e, row->id), "properties.enableAcceleratedNetworking");
	bool is_fast = json_is_true(fast);
	az_write_etag(e, w, row);
	az_begin_properties(e, w, name, row);
	json_write_open_list(w, "ipConfigurations");
	for (size_t k = 0; k < configs.count; k++)
		write_config(e, w, p, &configs.at[k]);
	json_write_close_list(w);
	json_write_open(w, "dnsSettings");
	write_empty(w, "dnsServers");
	write_empty(w, "appliedDnsServers");
	json_write_close(w);
	write_mac(w, "macAddress", p->mac);
	json_write_bool(w, "enableAcceleratedNetworking", is_fast);
	json_write_bool(w, "enableIPForwarding", !p->source_dest_check);
	if (port_policy_find(az_tables(e), p->policy))
		az_write_ref(e, w, "networkSecurityGroup", AZ_SECURITY_GROUPS, KIND_PORT_POLICY, p->policy);
	if (!uuid_is_none(p->instance)) {
		json_write_bool(w, "primary", p->device_index == 0);
		az_write_ref(e, w, "virtualMachine", AZ_MACHINES, KIND_INSTANCE, p->instance);
	}
	write_empty(w, "hostedWorkloads");
	write_empty(w, "tapConfigurations");
	json_write_z(w, "nicType", "Standard");
	json_write_close(w);
}

/* Hides ports of load balancers' private frontends. */
static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	return !engine_is_front(az_tables(az_call_of(core)), port_of(row)) && az_matches(core, args, row);
}

static const struct member members[] = {
	AZ_HEAD,
	MEMBER_WRITTEN("properties", write_properties, .also = "etag"),
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
