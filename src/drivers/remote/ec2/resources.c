/* SPDX-License-Identifier: Apache-2.0
 * Resources of EC2's API other than machines: a table row for each type. Source: EC2 API Reference, version 2016-11-15. */
#include "drivers/remote/ec2/resources.h"

#include "drivers/remote/ec2/request.h"
#include "drivers/remote/xml_walk.h"

enum { CURSOR_MAX = 4096 };

#define AT RESOURCE_ATTRIBUTE_AT
#define REF(path) RESOURCE_AT(path, REF)
#define NAME(path) RESOURCE_AT(path, NAME)
#define PARENT(path) RESOURCE_AT(path, PARENT)
#define STATE(path) RESOURCE_AT(path, STATE)
#define ZONE(path) RESOURCE_AT(path, ZONE)

/* page: the largest MaxResults of the call; 0: its answer has no pages. own: the account's own alone, because others
 * share theirs with everybody. */
static const struct type_row {
	const char *action, *root, *item;
	int page;
	const char *own;
	struct resource_place places[RESOURCE_PLACES_MAX];
} rows[] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = {"DescribeImages",
					"DescribeImagesResponse",
					"imagesSet/item",
					1000,
					"Owner.1",
					{REF("imageId"), NAME("name"), STATE("imageState"),
					 AT("architecture", "architecture"),
					 AT("platformDetails", "platform"), AT("creationDate", "created"),
					 RESOURCE_AT("blockDeviceMapping/item/ebs/volumeSize", GIB)}},
	[REMOTE_RESOURCE_TYPE_NETWORK] = {"DescribeVpcs",
					  "DescribeVpcsResponse",
					  "vpcSet/item",
					  1000,
					  NULL,
					  {REF("vpcId"), STATE("state"), AT("cidrBlock", "cidr"),
					   AT("isDefault", "is_default")}},
	[REMOTE_RESOURCE_TYPE_SUBNET] = {"DescribeSubnets",
					 "DescribeSubnetsResponse",
					 "subnetSet/item",
					 1000,
					 NULL,
					 {REF("subnetId"), PARENT("vpcId"), STATE("state"),
					  ZONE("availabilityZone"), AT("cidrBlock", "cidr"),
					  AT("ipv6CidrBlockAssociationSet/item/ipv6CidrBlock", "cidr_v6")}},
	[REMOTE_RESOURCE_TYPE_SECURITY_GROUP] = {"DescribeSecurityGroups",
						 "DescribeSecurityGroupsResponse",
						 "securityGroupInfo/item",
						 1000,
						 NULL,
						 {REF("groupId"), NAME("groupName"), PARENT("vpcId"),
						  AT("groupDescription", "description")}},
	[REMOTE_RESOURCE_TYPE_VOLUME] = {"DescribeVolumes",
					 "DescribeVolumesResponse",
					 "volumeSet/item",
					 500,
					 NULL,
					 {REF("volumeId"), PARENT("attachmentSet/item/instanceId"),
					  STATE("status"), ZONE("availabilityZone"), RESOURCE_AT("size", GIB),
					  AT("volumeType", "volume_type"), AT("iops", "iops"),
					  AT("encrypted", "is_encrypted"), AT("snapshotId", "snapshot"),
					  AT("createTime", "created")}},
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = {"DescribeSnapshots",
					   "DescribeSnapshotsResponse",
					   "snapshotSet/item",
					   1000,
					   "Owner.1",
					   {REF("snapshotId"), PARENT("volumeId"), STATE("status"),
					    RESOURCE_AT("volumeSize", GIB), AT("description", "description"),
					    AT("encrypted", "is_encrypted"), AT("startTime", "created")}},
	[REMOTE_RESOURCE_TYPE_INSTANCE_TYPE] = {"DescribeInstanceTypes",
						"DescribeInstanceTypesResponse",
						"instanceTypeSet/item",
						100,
						NULL,
						{REF("instanceType"), NAME("instanceType"),
						 RESOURCE_AT("memoryInfo/sizeInMiB", MIB),
						 AT("vCpuInfo/defaultVCpus", "vcpus"),
						 AT("processorInfo/supportedArchitectures/item",
						    "architecture"),
						 AT("currentGeneration", "is_current")}},
	[REMOTE_RESOURCE_TYPE_KEY_PAIR] = {"DescribeKeyPairs",
					   "DescribeKeyPairsResponse",
					   "keySet/item",
					   0,
					   NULL,
					   {REF("keyName"), NAME("keyName"), AT("keyPairId", "id"),
					    AT("keyFingerprint", "fingerprint"), AT("keyType", "key_type")}},
	[REMOTE_RESOURCE_TYPE_ADDRESS] = {"DescribeAddresses",
					  "DescribeAddressesResponse",
					  "addressesSet/item",
					  0,
					  NULL,
					  {REF("allocationId"), REF("publicIp"), PARENT("instanceId"),
					   AT("publicIp", "ip"), AT("privateIpAddress", "private_ip")}},
};
/* ---- reading ---- */

struct reading {
	struct ctx *c;
	const struct type_row *row;
	enum remote_resource_type type;
	struct remote_resources list;
	struct str next;
	struct resource_draft draft;
	struct str texts[RESOURCE_PLACES_MAX]; /* by place: the table's order counts, not the document's */
	struct str key, value;                 /* the tag that is being read */
};

/* The path below the item's element. False: elsewhere. */
static bool is_in_item(const struct reading *r, struct str path, struct str *ret_below)
{
	struct str item = str_from(r->row->item);
	if (!str_starts_with(path, item) || (path.n > item.n && path.p[item.n] != '/'))
		return false;
	*ret_below = str_slice(path, item.n + 1, path.n);
	return true;
}

static RESULT enter(void *self, struct str path)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (is_in_item(r, path, &below) && !below.n) {
		r->draft = (struct resource_draft){0};
		for (size_t k = 0; k < RESOURCE_PLACES_MAX; k++)
			r->texts[k] = STR_NONE;
	}
	return OK;
}

static RESULT end_item(struct reading *r)
{
	const struct resource_place name = NAME("");
	for (size_t k = 0; k < r->draft.tag_count; k++)
		if (str_is(r->draft.tags[k].key, "Name"))
			resource_put(&r->draft, &name, r->draft.tags[k].value);
	for (size_t k = 0; k < RESOURCE_PLACES_MAX && r->row->places[k].path; k++)
		resource_put(&r->draft, &r->row->places[k], r->texts[k]);
	return resource_end(r->c, &r->draft, r->type, &r->list);
}

static void take_text(struct reading *r, struct str below, struct str text)
{
	for (size_t k = 0; k < RESOURCE_PLACES_MAX && r->row->places[k].path; k++)
		if (!r->texts[k].n && str_is(below, r->row->places[k].path))
			r->texts[k] = text;
	if (str_is(below, "tagSet/item/key"))
		r->key = text;
	if (str_is(below, "tagSet/item/value"))
		r->value = text;
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (str_is(path, "nextToken") && text.n > CURSOR_MAX)
		return remote_fail_answer(r->c, "the token of the next page is too long");
	if (str_is(path, "nextToken"))
		r->next = str_copy(r->c->arena, text);
	if (!is_in_item(r, path, &below))
		return OK;
	if (!below.n)
		return end_item(r);
	if (str_is(below, "tagSet/item")) {
		resource_add_tag(&r->draft, r->key, r->value);
		r->key = r->value = STR_NONE;
		return OK;
	}
	struct str copy = text.n ? str_copy(r->c->arena, text) : STR_NONE;
	if (text.n && !copy.p)
		return ctx_no_memory(r->c);
	take_text(r, below, copy);
	return OK;
}

RESULT ec2_read_resources(struct ctx *c, struct str text, enum remote_resource_type type,
			  struct remote_resource_page *ret_page)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	struct str found = STR_NONE;
	if (!r)
		return ctx_no_memory(c);
	*r = (struct reading){.c = c, .row = &rows[type], .type = type};
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){r, enter, leave}, &found));
	if (!str_is(found, r->row->root))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no %s.", r->row->root);
	*ret_page =
		(struct remote_resource_page){.at = r->list.at, .count = r->list.count, .cursor = r->next};
	return OK;
}

/* ---- listing ---- */

RESULT ec2_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type, struct str cursor,
			  struct remote_resource_page *ret_page)
{
	struct ec2_form f;
	const struct type_row *row = &rows[type];
	ec2_form_begin(&f, c, row->action, EC2_VERSION);
	if (row->page)
		buf_print(&f.text, "&MaxResults=%d", row->page);
	if (row->own)
		ec2_form_add(&f, row->own, STR("self"));
	if (cursor.n)
		ec2_form_add(&f, "NextToken", cursor);
	return ec2_call_resources(&f, r, type, ret_page);
}
