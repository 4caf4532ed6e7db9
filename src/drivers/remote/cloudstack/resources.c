/* SPDX-License-Identifier: Apache-2.0
 * Resources of CloudStack other than machines. Source: API reference 4.18. */
#include "drivers/remote/cloudstack/resources.h"

#include "drivers/remote/cloudstack/answer.h"

#define AT RESOURCE_ATTRIBUTE_AT
#define REF RESOURCE_AT("id", REF)
#define NAME RESOURCE_AT("name", NAME)
#define STATE RESOURCE_AT("state", STATE)
#define ZONE RESOURCE_AT("zonename", ZONE)

const struct cloudstack_list cloudstack_lists[] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = {"listTemplates",
					"template",
					"templatefilter",
					"executable",
					{REMOTE_RESOURCE_TYPE_IMAGE,
					 {REF, NAME, RESOURCE_AT("status", STATE), ZONE,
					  RESOURCE_AT("size", BYTES), AT("ostypename", "platform"),
					  AT("format", "format"), AT("hypervisor", "hypervisor"),
					  AT("created", "created")},
					 .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_NETWORK] = {"listNetworks",
					  "network",
					  "listall",
					  "true",
					  {REMOTE_RESOURCE_TYPE_NETWORK,
					   {REF, NAME, STATE, ZONE, RESOURCE_AT("vpcid", PARENT),
					    AT("cidr", "cidr"), AT("gateway", "gateway"),
					    AT("type", "network_type")},
					   .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_SECURITY_GROUP] = {"listSecurityGroups",
						 "securitygroup",
						 "listall",
						 "true",
						 {REMOTE_RESOURCE_TYPE_SECURITY_GROUP,
						  {REF, NAME, AT("description", "description")},
						  .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_VOLUME] = {"listVolumes",
					 "volume",
					 "listall",
					 "true",
					 {REMOTE_RESOURCE_TYPE_VOLUME,
					  {REF, NAME, STATE, ZONE, RESOURCE_AT("size", BYTES),
					   RESOURCE_AT("virtualmachineid", PARENT),
					   AT("diskofferingname", "volume_type"), AT("type", "kind"),
					   AT("created", "created")},
					  .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = {"listSnapshots",
					   "snapshot",
					   "listall",
					   "true",
					   {REMOTE_RESOURCE_TYPE_SNAPSHOT,
					    {REF, NAME, STATE, RESOURCE_AT("volumeid", PARENT),
					     RESOURCE_AT("virtualsize", BYTES), AT("snapshottype", "kind"),
					     AT("created", "created")},
					    .tags = "tags"}},
	[REMOTE_RESOURCE_TYPE_INSTANCE_TYPE] = {"listServiceOfferings",
						"serviceoffering",
						NULL,
						NULL,
						{REMOTE_RESOURCE_TYPE_INSTANCE_TYPE,
						 {REF, NAME, RESOURCE_AT("memory", MIB),
						  AT("cpunumber", "vcpus"),
						  AT("iscustomized", "is_customized")},
						 .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_KEY_PAIR] = {"listSSHKeyPairs",
					   "sshkeypair",
					   "listall",
					   "true",
					   {REMOTE_RESOURCE_TYPE_KEY_PAIR,
					    {RESOURCE_AT("name", REF), NAME, AT("id", "id"),
					     AT("fingerprint", "fingerprint")},
					    .tags = NULL}},
	[REMOTE_RESOURCE_TYPE_ADDRESS] = {"listPublicIpAddresses",
					  "publicipaddress",
					  "listall",
					  "true",
					  {REMOTE_RESOURCE_TYPE_ADDRESS,
					   {REF, STATE, ZONE, RESOURCE_AT("virtualmachineid", PARENT),
					    AT("ipaddress", "ip"), AT("vmipaddress", "private_ip"),
					    AT("associatednetworkid", "network"),
					    AT("issourcenat", "is_source_nat")},
					   .tags = "tags"}},
};

RESULT cloudstack_read_resources(struct ctx *c, const json_t *root, enum remote_resource_type type,
				 struct str zone, struct remote_resource_page *ret_page)
{
	const struct cloudstack_list *list = &cloudstack_lists[type];
	const json_t *elements = remote_json_at(cloudstack_inner(root), list->list);
	struct remote_resources found = {0};
	if (!json_is_object(cloudstack_inner(root)) || (elements && !json_is_array(elements)))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of type %s.", list->list);
	for (size_t k = 0; k < json_array_size(elements); k++) {
		const json_t *each = json_array_get(elements, k);
		struct str its_zone = remote_json_text(c, each, "zonename");
		if (!its_zone.n || str_is(zone, "all") || str_equal(its_zone, zone))
			TRY(remote_read_resource(c, each, &list->form, &found));
	}
	*ret_page = (struct remote_resource_page){
		.at = found.at, .count = found.count, .entries = json_array_size(elements)};
	return OK;
}
