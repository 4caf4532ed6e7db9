/* SPDX-License-Identifier: Apache-2.0
 * Networks in the older Compute API, with id and name. Its further members are always null. Source: Compute
 * API reference, "Networks (DEPRECATED)", "Project networks (DEPRECATED)". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/network/network.h"
#include "store/external_network.h"

enum { LAST_PROXY = 35 }; /* last microversion with these calls */

struct old_network {
	uuid id;
	struct str name;
};

static const void *gather_network(struct os_call *e, const struct row *row)
{
	struct old_network *item = arena_new_object(e->c->arena, struct old_network);
	const struct external_network *outside = external_network_find(os_tables(e), row->id);
	if (item)
		*item = (struct old_network){row->id, outside ? outside->name : os_network_label(e, row->id)};
	return item;
}

static void write_network(struct os_call *e, struct json_writer *w, const void *item)
{
	static const char *const empty[] = {"cidr", "netmask", "gateway",    "broadcast", "dns1",
					    "dns2", "cidr_v6", "gateway_v6", "netmask_v6"};
	const struct old_network *n = item;
	(void) e;
	os_write_id(w, "id", n->id);
	json_write_text(w, "label", n->name);
	for (size_t k = 0; k < sizeof empty / sizeof empty[0]; k++)
		json_write_null(w, empty[k]);
}

/* Nova has always written "None" as the cidr here. */
static void write_project_network(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct old_network *n = item;
	(void) e;
	os_write_id(w, "id", n->id);
	json_write_z(w, "cidr", "None");
	json_write_text(w, "label", n->name);
}

/* Derives a listing from the network service's, without pages and filters. */
static struct os_listing listing_of(void (*write)(struct os_call *e, struct json_writer *w, const void *item))
{
	struct os_listing listing = os_networks;
	listing.links = NULL;
	listing.filters = (struct os_filters){0};
	listing.gather = gather_network;
	listing.write = write;
	return listing;
}

static RESULT list_networks(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(write_network);
	(void) args;
	return os_list(e, &listing, w);
}

static RESULT list_project_networks(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(write_project_network);
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
	struct os_listing listing = listing_of(write_network);
	return os_write_found(e, &listing, &((const struct os_old_network *) args)->network, w);
}

static RESULT show_project_network(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_listing listing = listing_of(write_project_network);
	return os_write_found(e, &listing, &((const struct os_old_network *) args)->network, w);
}

#define ONE .until = LAST_PROXY, .args = OS_PARAMS(struct os_old_network, params), .item = "network"
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-networks", .permit = "os_compute_api:os-networks:list", .until = LAST_PROXY,
	 .answer = list_networks, .doc = "Networks, as compute had them."},
	{HTTP_GET, "/v2.1/os-networks/{id}", .permit = "os_compute_api:os-networks:show", ONE,
	 .answer = show_network, .doc = "One of them."},
	{HTTP_GET, "/v2.1/os-tenant-networks", .permit = "os_compute_api:os-tenant-networks:list",
	 .until = LAST_PROXY, .answer = list_project_networks, .doc = "Networks, with less of each."},
	{HTTP_GET, "/v2.1/os-tenant-networks/{id}", .permit = "os_compute_api:os-tenant-networks:show", ONE,
	 .answer = show_project_network, .doc = "One of them."},
};
const struct os_actions os_compute_network_actions = OS_ACTIONS(OS_COMPUTE, actions);
