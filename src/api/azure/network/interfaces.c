/* SPDX-License-Identifier: Apache-2.0
 * Network interfaces. Source: Azure REST API reference, "Network Interfaces", 2022-07-01. Clients list a machine's addresses by
 * the way back from an interface to its machine, and on to its public address. */
#include "api/azure/core/action.h"

#include "api/azure/network/network.h"
#include "engine/network/address.h"
#include "store/address.h"
#include "store/port.h"

struct str az_ip_config_id(struct az_call *e, const struct port *p)
{
	return str_print(e->c->arena, "%" STR_FMT "/ipConfigurations/ipconfig1",
			 STR_ARG(az_id_of(e, AZ_INTERFACES, KIND_PORT, p->row.id)));
}

static struct str subnet_id(struct az_call *e, const struct port *p)
{
	return str_print(e->c->arena, "%" STR_FMT "/subnets/%" STR_FMT,
			 STR_ARG(az_id_of(e, AZ_NETWORKS, KIND_ROUTER, p->router)),
			 STR_ARG(az_name_of(e, KIND_SUBNET, p->subnet)));
}

static void write_ip_config(struct az_call *e, struct json_writer *w, const struct port *p)
{
	char ip[IP_TEXT_SIZE];
	const struct address *address = engine_find_address_for(az_tables(e), p->row.id, p->ip);
	json_write_open(w, NULL);
	json_write_z(w, "name", "ipconfig1");
	json_write_text(w, "id", az_ip_config_id(e, p));
	json_write_z(w, "type", "Microsoft.Network/networkInterfaces/ipConfigurations");
	json_write_open(w, "properties");
	json_write_z(w, "provisioningState", "Succeeded");
	if (!ip_is_none(p->ip))
		json_write_z(w, "privateIPAddress", ip_write(p->ip, ip));
	json_write_z(w, "privateIPAllocationMethod", "Dynamic");
	json_write_z(w, "privateIPAddressVersion", p->ip.family == IP_V6 ? "IPv6" : "IPv4");
	json_write_bool(w, "primary", true);
	if (!uuid_is_none(p->router) && !uuid_is_none(p->subnet)) {
		json_write_open(w, "subnet");
		json_write_text(w, "id", subnet_id(e, p));
		json_write_close(w);
	}
	if (address)
		az_write_ref(e, w, "publicIPAddress", AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, address->row.id);
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

static void write_properties(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct port *p = port_of(row);
	json_write_open(w, name);
	json_write_z(w, "provisioningState", "Succeeded");
	json_write_text(w, "resourceGuid", uuid_to_str(e->c->arena, row->id));
	json_write_open_list(w, "ipConfigurations");
	write_ip_config(e, w, p);
	json_write_close_list(w);
	json_write_open(w, "dnsSettings");
	json_write_open_list(w, "dnsServers");
	json_write_close_list(w);
	json_write_open_list(w, "appliedDnsServers");
	json_write_close_list(w);
	json_write_close(w);
	write_mac(w, "macAddress", p->mac);
	json_write_bool(w, "enableAcceleratedNetworking", false);
	json_write_bool(w, "enableIPForwarding", !p->source_dest_check);
	if (!uuid_is_none(p->instance)) {
		json_write_bool(w, "primary", p->device_index == 0);
		az_write_ref(e, w, "virtualMachine", AZ_MACHINES, KIND_INSTANCE, p->instance);
	}
	json_write_z(w, "nicType", "Standard");
	json_write_close(w);
}

static void write_head(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	az_write_head(az_call_of(core), w, AZ_INTERFACES, KIND_PORT, row);
}

static const struct member members[] = {
	MEMBER_WRITTEN("id", write_head, .also = "name|type|location|tags"),
	MEMBER_WRITTEN("properties", write_properties),
};
static const struct api_listing interfaces = {
	.kind = KIND_PORT, .item = "value", .members = MEMBERS(members)};

struct interface_args {
	uuid id;
};

static RESULT prepare(struct az_call *e, void *args)
{
	const struct row *row = NULL;
	TRY(az_find_named(e, KIND_PORT, "networkInterfaceName", &row));
	((struct interface_args *) args)->id = row->id;
	return OK;
}

#define INTERFACES AZ_NETWORK "/networkInterfaces"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION INTERFACES, .name = "NetworkInterfaces_ListAll",
	 .permit = "ec2:DescribeNetworkInterfaces", .type = AZ_INTERFACES, .listing = &interfaces,
	 .doc = "The subscription's network interfaces."},
	{HTTP_GET, AZ_GROUP INTERFACES, .name = "NetworkInterfaces_List",
	 .permit = "ec2:DescribeNetworkInterfaces", .type = AZ_INTERFACES, .listing = &interfaces,
	 .doc = "A group's network interfaces."},
	{HTTP_GET, AZ_GROUP INTERFACES "/{networkInterfaceName}", .name = "NetworkInterfaces_Get",
	 .permit = "ec2:DescribeNetworkInterfaces", .type = AZ_INTERFACES, .prepare = prepare,
	 .args = {0, 0, sizeof(struct interface_args)}, AZ_SUBJECT(struct interface_args, id),
	 .shows = &interfaces, .doc = "One network interface."},
};
const struct api_actions az_interface_actions = API_ACTIONS(actions);
