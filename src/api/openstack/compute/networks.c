/* SPDX-License-Identifier: Apache-2.0
 * Networks in the older Compute API, with id and name. Its further members are always null. Source: Compute
 * API reference, "Networks (DEPRECATED)", "Project networks (DEPRECATED)". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/network/network.h"
#include "store/external_network.h"
#include "store/network.h"

enum { LAST_PROXY = 35 }; /* last microversion with these calls */

static struct str get_label(struct api_call *e, const struct row *row)
{
	const struct external_network *outside = external_network_find(api_tables(e), row->id);
	return outside ? outside->name : os_network_label(os_call_of(e), row->id);
}

#define NONE(wire) ATTRIBUTE_CONST(wire, "null")
static const struct attribute network_rows[] = {
	ATTRIBUTE(network, "id", row.id),
	ATTRIBUTE_MADE(TEXT, text, "label", get_label),
	NONE("cidr"),
	NONE("netmask"),
	NONE("gateway"),
	NONE("broadcast"),
	NONE("dns1"),
	NONE("dns2"),
	NONE("cidr_v6"),
	NONE("gateway_v6"),
	NONE("netmask_v6"),
};
#undef NONE
static const struct attributes network_members = ATTRIBUTES(network_rows);

/* Nova has always written "None" as the cidr here. */
static const struct attribute project_network_rows[] = {
	ATTRIBUTE(network, "id", row.id),
	ATTRIBUTE_CONST("cidr", "\"None\""),
	ATTRIBUTE_MADE(TEXT, text, "label", get_label),
};
static const struct attributes project_network_members = ATTRIBUTES(project_network_rows);

/* Derives a listing from the network service's, without pages and filters. */
static struct os_listing listing_of(const struct attributes *members)
{
	struct os_listing listing = os_networks;
	listing.links = NULL;
	listing.filters = (struct os_filters){0};
	listing.attributes = members;
	return listing;
}

static RESULT list_networks(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(&network_members);
	(void) args;
	return os_list(e, &listing, w);
}

static RESULT list_project_networks(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(&project_network_members);
	(void) args;
	return os_list(e, &listing, w);
}

struct os_old_network {
	struct ref network;
};
static const struct param params[] = {
	OS_PATH(struct os_old_network, "id", network, .kind = KIND_NETWORK, .doc = "The network."),
};

static RESULT show_network(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(&network_members);
	return os_write_found(e, &listing, &((const struct os_old_network *) args)->network, w);
}

static RESULT show_project_network(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(&project_network_members);
	return os_write_found(e, &listing, &((const struct os_old_network *) args)->network, w);
}

#define ONE .until = LAST_PROXY, .args = OS_PARAMS(struct os_old_network, params), .item = "network"
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-networks", .permit = "os_compute_api:os-networks:list", .until = LAST_PROXY,
	 .answer = list_networks, .doc = "Lists networks through the deprecated Compute proxy."},
	{HTTP_GET, "/v2.1/os-networks/{id}", .permit = "os_compute_api:os-networks:show", ONE,
	 .answer = show_network, .doc = "Shows one network."},
	{HTTP_GET, "/v2.1/os-tenant-networks", .permit = "os_compute_api:os-tenant-networks:list",
	 .until = LAST_PROXY, .answer = list_project_networks,
	 .doc = "Lists networks with fewer members through the deprecated Compute proxy."},
	{HTTP_GET, "/v2.1/os-tenant-networks/{id}", .permit = "os_compute_api:os-tenant-networks:show", ONE,
	 .answer = show_project_network, .doc = "Shows one network."},
};
const struct os_actions os_compute_network_actions = OS_ACTIONS(OS_COMPUTE, actions);
