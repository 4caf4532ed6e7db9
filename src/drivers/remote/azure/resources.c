/* SPDX-License-Identifier: Apache-2.0
 * Resources of Azure Resource Manager other than machines. Sources: REST reference of Microsoft.Compute (disks and
 * snapshots 2022-07-02, the others 2022-08-01) and of Microsoft.Network 2022-07-01. */
#include "drivers/remote/azure/resources.h"

#include "drivers/remote/azure/answer.h"
#include "drivers/remote/azure/request.h"

enum { PARTS_MAX = 5000 };

#define AT RESOURCE_ATTRIBUTE_AT
#define REF RESOURCE_AT("id", REF)
#define NAME RESOURCE_AT("name", NAME)
#define STATE RESOURCE_AT("properties/provisioningState", STATE)
#define LOCATION RESOURCE_AT("location", ZONE)
#define COMPUTE(rest) "/providers/Microsoft.Compute/" rest
#define NETWORK(type) "/providers/Microsoft.Network/" type "?" AZURE_NETWORK_VERSION

const struct azure_list azure_lists[] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = {COMPUTE("images?" AZURE_COMPUTE_VERSION),
					NULL,
					{REMOTE_RESOURCE_TYPE_IMAGE,
					 {REF, NAME, STATE, LOCATION,
					  RESOURCE_AT("properties/storageProfile/osDisk/diskSizeGB", GIB),
					  AT("properties/storageProfile/osDisk/osType", "platform"),
					  AT("properties/hyperVGeneration", "generation")},
					 .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_NETWORK] = {NETWORK("virtualNetworks"),
					  NULL,
					  {REMOTE_RESOURCE_TYPE_NETWORK,
					   {REF, NAME, STATE, LOCATION,
					    AT("properties/addressSpace/addressPrefixes/0", "cidr")},
					   .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_SUBNET] = {NETWORK("virtualNetworks"),
					 "properties/subnets",
					 {REMOTE_RESOURCE_TYPE_SUBNET,
					  {REF, NAME, STATE, AT("properties/addressPrefix", "cidr"),
					   AT("properties/addressPrefixes/0", "cidr")},
					  .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_SECURITY_GROUP] = {NETWORK("networkSecurityGroups"),
						 NULL,
						 {REMOTE_RESOURCE_TYPE_SECURITY_GROUP,
						  {REF, NAME, STATE, LOCATION},
						  .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_VOLUME] = {COMPUTE("disks?api-version=2022-07-02"),
					 NULL,
					 {REMOTE_RESOURCE_TYPE_VOLUME,
					  {REF, NAME, RESOURCE_AT("properties/diskState", STATE), STATE,
					   LOCATION, RESOURCE_AT("managedBy", PARENT),
					   RESOURCE_AT("properties/diskSizeBytes", BYTES),
					   RESOURCE_AT("properties/diskSizeGB", GIB),
					   AT("sku/name", "volume_type"), AT("properties/osType", "platform"),
					   AT("properties/timeCreated", "created")},
					  .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = {COMPUTE("snapshots?api-version=2022-07-02"),
					   NULL,
					   {REMOTE_RESOURCE_TYPE_SNAPSHOT,
					    {REF, NAME, STATE, LOCATION,
					     RESOURCE_AT("properties/creationData/sourceResourceId", PARENT),
					     RESOURCE_AT("properties/diskSizeBytes", BYTES),
					     RESOURCE_AT("properties/diskSizeGB", GIB),
					     AT("properties/timeCreated", "created")},
					    .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_INSTANCE_TYPE] = {COMPUTE("locations/%s/vmSizes?" AZURE_COMPUTE_VERSION),
						NULL,
						{REMOTE_RESOURCE_TYPE_INSTANCE_TYPE,
						 {RESOURCE_AT("name", REF), NAME,
						  RESOURCE_AT("memoryInMB", MIB),
						  AT("numberOfCores", "vcpus"),
						  AT("maxDataDiskCount", "disks_max")},
						 .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_KEY_PAIR] = {COMPUTE("sshPublicKeys?" AZURE_COMPUTE_VERSION),
					   NULL,
					   {REMOTE_RESOURCE_TYPE_KEY_PAIR,
					    {REF, NAME, LOCATION},
					    .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_ADDRESS] = {NETWORK("publicIPAddresses"),
					  NULL,
					  {REMOTE_RESOURCE_TYPE_ADDRESS,
					   {REF, NAME, STATE, LOCATION, AT("properties/ipAddress", "ip"),
					    AT("sku/name", "sku"),
					    AT("properties/publicIPAllocationMethod", "allocation")},
					   .tags = "tags"}},
};

/* ---- ids ---- */

/* The names in "/resourceGroups/GROUP/providers/NAMESPACE/TYPE/NAME[/TYPE/NAME]": every second part behind NAMESPACE. */
struct str azure_ref_of_resource(struct ctx *c, struct str id, struct str subscription)
{
	struct str head =
		str_print(c->arena, "/subscriptions/%" STR_FMT "/resourcegroups/", STR_ARG(subscription));
	struct str ref = STR_NONE, rest = str_slice(id, head.n, id.n), part;
	if (!str_equal_nocase(str_slice(id, 0, head.n), head))
		return STR_NONE;
	size_t count = 0;
	for (size_t k = 0; str_split_next(&rest, '/', &part); k++, count++) {
		bool is_name = k == 0 || (k >= 4 && k % 2 == 0);
		if (!part.n || part.n > REMOTE_ACCOUNT_MAX || k > 6)
			return STR_NONE;
		if (is_name)
			ref = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(ref), k ? ":" : "",
					STR_ARG(part));
	}
	return count == 5 || count == 7 ? azure_lower(c, ref) : STR_NONE;
}

/* An instance type's ref is its name. */
static struct str write_ref(struct ctx *c, const void *self, struct str text)
{
	const struct str *subscription = self;
	return str_starts_with(text, STR("/")) ? azure_ref_of_resource(c, text, *subscription) : text;
}

/* ---- lists ---- */

/* A subnet belongs to the network whose id its own begins with. */
static RESULT read_parts(struct ctx *c, const json_t *whole, const struct azure_list *list,
			 const struct resource_form *form, struct str subscription,
			 struct remote_resources *found)
{
	const json_t *parts = remote_json_at(whole, list->parts);
	struct str parent = azure_ref_of_resource(c, remote_json_text(c, whole, "id"), subscription);
	for (size_t k = 0; k < json_array_size(parts) && k < PARTS_MAX; k++) {
		TRY(remote_read_resource(c, json_array_get(parts, k), form, found));
		struct remote_resource *last = &found->at[found->count - 1];
		draft_put_text(&last->parent, parent, RESOURCE_TEXT_MAX);
		draft_put_text(&last->zone, remote_json_text(c, whole, "location"), DRAFT_WORD_MAX);
	}
	return OK;
}

RESULT azure_read_resources(struct ctx *c, const json_t *root, enum remote_resource_type type,
			    struct str subscription, struct str location,
			    struct remote_resource_page *ret_page)
{
	const struct azure_list *list = &azure_lists[type];
	const json_t *elements = json_object_get(root, "value");
	struct remote_resources found = {0};
	struct resource_form form = list->form;
	form.write_ref = write_ref;
	form.self = &subscription;
	if (!json_is_array(elements))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of resources.");
	for (size_t k = 0; k < json_array_size(elements); k++) {
		const json_t *each = json_array_get(elements, k);
		struct str there = remote_json_text(c, each, "location");
		if (there.n && !str_is(location, "all") && !str_equal_nocase(there, location))
			continue;
		TRY(list->parts ? read_parts(c, each, list, &form, subscription, &found)
				: remote_read_resource(c, each, &form, &found));
	}
	*ret_page = (struct remote_resource_page){
		.at = found.at, .count = found.count, .entries = json_array_size(elements)};
	return OK;
}
