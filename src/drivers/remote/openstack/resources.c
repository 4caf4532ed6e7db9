/* SPDX-License-Identifier: Apache-2.0
 * Resources of OpenStack other than servers. Sources: Image API v2, Networking API v2.0, Block Storage API v3, Compute
 * API reference, Orchestration API v1. */
#include "drivers/remote/openstack/resources.h"

#define AT RESOURCE_ATTRIBUTE_AT
#define REF RESOURCE_AT("id", REF)
#define NAME RESOURCE_AT("name", NAME)
#define STATUS RESOURCE_AT("status", STATE)

const struct openstack_list openstack_lists[] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = {REMOTE_SERVICE_IMAGE,
					"/v2/images",
					"images",
					NULL,
					{REMOTE_RESOURCE_TYPE_IMAGE,
					 {REF, NAME, STATUS, RESOURCE_AT("size", BYTES),
					  AT("visibility", "visibility"), AT("disk_format", "format"),
					  AT("hw_architecture", "architecture"),
					  AT("architecture", "architecture"), AT("os_distro", "platform"),
					  AT("min_disk", "min_disk_gib"), AT("created_at", "created")},
					 .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_NETWORK] = {REMOTE_SERVICE_NETWORK,
					  "/v2.0/networks",
					  "networks",
					  NULL,
					  {REMOTE_RESOURCE_TYPE_NETWORK,
					   {REF, NAME, STATUS, AT("router:external", "is_external"),
					    AT("shared", "is_shared"), AT("mtu", "mtu"),
					    AT("description", "description")},
					   .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_SUBNET] = {REMOTE_SERVICE_NETWORK,
					 "/v2.0/subnets",
					 "subnets",
					 NULL,
					 {REMOTE_RESOURCE_TYPE_SUBNET,
					  {REF, NAME, RESOURCE_AT("network_id", PARENT), AT("cidr", "cidr"),
					   AT("gateway_ip", "gateway"), AT("enable_dhcp", "has_dhcp")},
					  .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_SECURITY_GROUP] = {REMOTE_SERVICE_NETWORK,
						 "/v2.0/security-groups",
						 "security_groups",
						 NULL,
						 {REMOTE_RESOURCE_TYPE_SECURITY_GROUP,
						  {REF, NAME, AT("description", "description")},
						  .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_VOLUME] = {REMOTE_SERVICE_VOLUME,
					 "/volumes/detail",
					 "volumes",
					 NULL,
					 {REMOTE_RESOURCE_TYPE_VOLUME,
					  {REF, NAME, STATUS, RESOURCE_AT("size", GIB),
					   RESOURCE_AT("attachments/0/server_id", PARENT),
					   RESOURCE_AT("availability_zone", ZONE),
					   AT("volume_type", "volume_type"), AT("encrypted", "is_encrypted"),
					   AT("snapshot_id", "snapshot"), AT("created_at", "created")},
					  .tags = "metadata"}},
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = {REMOTE_SERVICE_VOLUME,
					   "/snapshots/detail",
					   "snapshots",
					   NULL,
					   {REMOTE_RESOURCE_TYPE_SNAPSHOT,
					    {REF, NAME, STATUS, RESOURCE_AT("size", GIB),
					     RESOURCE_AT("volume_id", PARENT),
					     AT("description", "description"), AT("created_at", "created")},
					    .tags = "metadata"}},
	[REMOTE_RESOURCE_TYPE_INSTANCE_TYPE] = {-1,
						"/flavors/detail",
						"flavors",
						NULL,
						{REMOTE_RESOURCE_TYPE_INSTANCE_TYPE,
						 {REF, NAME, RESOURCE_AT("ram", MIB), AT("vcpus", "vcpus"),
						  AT("disk", "disk_gib"),
						  AT("os-flavor-access:is_public", "is_public")},
						 .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_KEY_PAIR] = {-1,
					   "/os-keypairs",
					   "keypairs",
					   "keypair",
					   {REMOTE_RESOURCE_TYPE_KEY_PAIR,
					    {RESOURCE_AT("name", REF), NAME, AT("fingerprint", "fingerprint"),
					     AT("type", "key_type")},
					    .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_ADDRESS] = {REMOTE_SERVICE_NETWORK,
					  "/v2.0/floatingips",
					  "floatingips",
					  NULL,
					  {REMOTE_RESOURCE_TYPE_ADDRESS,
					   {REF, STATUS, RESOURCE_AT("port_details/device_id", PARENT),
					    AT("floating_ip_address", "ip"),
					    AT("fixed_ip_address", "private_ip"),
					    AT("floating_network_id", "network"),
					    AT("description", "description")},
					   .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_STACK] = {REMOTE_SERVICE_ORCHESTRATION,
					"/stacks",
					"stacks",
					NULL,
					{REMOTE_RESOURCE_TYPE_STACK,
					 {REF, RESOURCE_AT("stack_name", NAME), RESOURCE_AT("parent", PARENT),
					  RESOURCE_AT("stack_status", STATE),
					  AT("description", "description"), AT("creation_time", "created"),
					  AT("updated_time", "updated")},
					 .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_STACK_RESOURCE] =
		{REMOTE_SERVICE_ORCHESTRATION,
		 "/stacks",
		 "resources",
		 NULL,
		 {REMOTE_RESOURCE_TYPE_STACK_RESOURCE,
		  {RESOURCE_AT("resource_name", REF), RESOURCE_AT("resource_name", NAME),
		   RESOURCE_AT("resource_status", STATE), AT("resource_type", "resource_type"),
		   AT("physical_resource_id", "physical_id"), AT("updated_time", "updated")},
		  .tags = NULL}},
};

/* The link's address is not used: it may name any server. */
bool openstack_has_next(struct ctx *c, const json_t *root, const char *list)
{
	const json_t *links =
		json_object_get(root, str_print(c->arena, "%s_links", list).p); /* arenas end texts with 0 */
	if (!links)
		links = json_object_get(root, "links"); /* Heat's */
	for (size_t k = 0; k < json_array_size(links); k++) {
		const char *rel = json_string_value(remote_json_at(json_array_get(links, k), "rel"));
		if (rel && str_is(str_from(rel), "next"))
			return true;
	}
	return json_is_string(json_object_get(root, "next")); /* Glance's */
}

RESULT openstack_read_resources(struct ctx *c, const json_t *root, enum remote_resource_type type,
				struct remote_resource_page *ret_page)
{
	const struct openstack_list *list = &openstack_lists[type];
	const json_t *elements = json_object_get(root, list->list);
	struct remote_resources found = {0};
	if (!json_is_array(elements))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of %s.", list->list);
	for (size_t k = 0; k < json_array_size(elements); k++) {
		const json_t *each = json_array_get(elements, k);
		TRY(remote_read_resource(c, list->has ? json_object_get(each, list->has) : each, &list->form,
					 &found));
	}
	bool has_more = found.count && openstack_has_next(c, root, list->list);
	*ret_page =
		(struct remote_resource_page){.at = found.at,
					      .count = found.count,
					      .cursor = has_more ? found.at[found.count - 1].ref : STR_NONE};
	return OK;
}
