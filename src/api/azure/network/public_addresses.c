/* SPDX-License-Identifier: Apache-2.0
 * Public IP addresses. Source: Azure REST API reference, "Public IP Addresses", 2022-07-01. */
#include "api/azure/core/action.h"

#include "api/azure/network/network.h"
#include "store/address.h"
#include "store/port.h"

static void write_sku(struct json_writer *w)
{
	json_write_open(w, "sku");
	json_write_z(w, "name", "Standard");
	json_write_z(w, "tier", "Regional");
	json_write_close(w);
}

static void write_properties(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	char ip[IP_TEXT_SIZE];
	struct az_call *e = az_call_of(core);
	const struct address *a = address_of(row);
	const struct port *p = port_find(az_tables(e), a->port);
	write_sku(w);
	json_write_open(w, name);
	json_write_z(w, "provisioningState", "Succeeded");
	json_write_text(w, "resourceGuid", uuid_to_str(e->c->arena, row->id));
	json_write_z(w, "ipAddress", ip_write(a->ip, ip));
	json_write_z(w, "publicIPAddressVersion", a->ip.family == IP_V6 ? "IPv6" : "IPv4");
	json_write_z(w, "publicIPAllocationMethod", a->is_elastic ? "Static" : "Dynamic");
	json_write_int(w, "idleTimeoutInMinutes", 4);
	json_write_open_list(w, "ipTags");
	json_write_close_list(w);
	if (p) {
		json_write_open(w, "ipConfiguration");
		json_write_text(w, "id", az_ip_config_id(e, p));
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_head(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	az_write_head(az_call_of(core), w, AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, row);
}

static const struct member members[] = {
	MEMBER_WRITTEN("id", write_head, .also = "name|type|location|tags"),
	MEMBER_WRITTEN("properties", write_properties, .also = "sku"),
};
static const struct api_listing addresses = {
	.kind = KIND_ADDRESS, .item = "value", .members = MEMBERS(members)};

struct address_args {
	uuid id;
};

static RESULT prepare(struct az_call *e, void *args)
{
	const struct row *row = NULL;
	TRY(az_find_named(e, KIND_ADDRESS, "publicIpAddressName", &row));
	((struct address_args *) args)->id = row->id;
	return OK;
}

#define ADDRESSES AZ_NETWORK "/publicIPAddresses"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION ADDRESSES, .name = "PublicIPAddresses_ListAll",
	 .permit = "ec2:DescribeAddresses", .type = AZ_PUBLIC_ADDRESSES, .listing = &addresses,
	 .doc = "The subscription's public addresses."},
	{HTTP_GET, AZ_GROUP ADDRESSES, .name = "PublicIPAddresses_List", .permit = "ec2:DescribeAddresses",
	 .type = AZ_PUBLIC_ADDRESSES, .listing = &addresses, .doc = "A group's public addresses."},
	{HTTP_GET, AZ_GROUP ADDRESSES "/{publicIpAddressName}", .name = "PublicIPAddresses_Get",
	 .permit = "ec2:DescribeAddresses", .type = AZ_PUBLIC_ADDRESSES, .prepare = prepare,
	 .args = {0, 0, sizeof(struct address_args)}, AZ_SUBJECT(struct address_args, id),
	 .shows = &addresses, .doc = "One public address."},
};
const struct api_actions az_public_address_actions = API_ACTIONS(actions);
