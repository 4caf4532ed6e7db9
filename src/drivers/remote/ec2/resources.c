/* SPDX-License-Identifier: Apache-2.0
 * Resources of EC2's API other than machines, and CloudFormation's stacks: a table row for each type. Sources: EC2 API
 * Reference, version 2016-11-15; AWS CloudFormation API Reference, version 2010-05-15. */
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
	bool is_of_stacks; /* a call of CloudFormation, whose answers have another form */
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
	[REMOTE_RESOURCE_TYPE_STACK] = {"DescribeStacks",
					"DescribeStacksResponse",
					"DescribeStacksResult/Stacks/member",
					0,
					NULL,
					{REF("StackName"), NAME("StackName"), PARENT("ParentId"),
					 STATE("StackStatus"), AT("StackId", "id"),
					 AT("Description", "description"), AT("CreationTime", "created")},
					.is_of_stacks = true},
	[REMOTE_RESOURCE_TYPE_STACK_RESOURCE] = {"ListStackResources",
						 "ListStackResourcesResponse",
						 "ListStackResourcesResult/StackResourceSummaries/member",
						 0,
						 NULL,
						 {REF("LogicalResourceId"), NAME("LogicalResourceId"),
						  STATE("ResourceStatus"),
						  AT("ResourceType", "resource_type"),
						  AT("PhysicalResourceId", "physical_id"),
						  AT("LastUpdatedTimestamp", "updated")},
						 .is_of_stacks = true},
};

/* Elements that EC2 and CloudFormation name differently; tags are below the item. */
static const struct words {
	const char *tag, *key, *value;
	const char *next; /* the element's name alone: its parent differs by action */
} words[] = {[false] = {"tagSet/item", "tagSet/item/key", "tagSet/item/value", "nextToken"},
	     [true] = {"Tags/member", "Tags/member/Key", "Tags/member/Value", "NextToken"}};

#define STACKS_VERSION "2010-05-15"
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

/* A stack's name in its ARN, "arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID". */
static struct str name_in_arn(struct str arn)
{
	struct str rest = arn, part = STR_NONE, name = STR_NONE;
	for (size_t k = 0; k < 2 && str_split_next(&rest, '/', &part); k++)
		name = k == 1 ? part : STR_NONE;
	return name;
}

static RESULT end_item(struct reading *r)
{
	const struct resource_place name = NAME("");
	for (size_t k = 0; r->type == REMOTE_RESOURCE_TYPE_STACK && k < RESOURCE_PLACES_MAX; k++)
		if (r->row->places[k].path && r->row->places[k].field == RESOURCE_PARENT)
			r->texts[k] = name_in_arn(r->texts[k]);
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
	const struct words *w = &words[r->row->is_of_stacks];
	if (str_is(below, w->key))
		r->key = text;
	if (str_is(below, w->value))
		r->value = text;
}

static bool is_next(const struct reading *r, struct str path)
{
	struct str next = str_from(words[r->row->is_of_stacks].next);
	if (!r->row->is_of_stacks)
		return str_equal(path, next);
	struct str result = str_slice(path, 0, str_find_char(path, '/', 0));
	return str_ends_with(result, STR("Result")) && str_equal(str_slice(path, result.n + 1, path.n), next);
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (is_next(r, path) && text.n > CURSOR_MAX)
		return remote_fail_answer(r->c, "the token of the next page is too long");
	if (is_next(r, path))
		r->next = str_copy(r->c->arena, text);
	if (!is_in_item(r, path, &below))
		return OK;
	if (!below.n)
		return end_item(r);
	if (str_is(below, words[r->row->is_of_stacks].tag)) {
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

/* Clouds with EC2's API may have no CloudFormation: their answers say that they know no such action or service. */
static RESULT list_stacks(struct ec2_form *f, struct remote *r, bool is_first,
			  struct remote_resource_page *ret_page)
{
	struct ctx *c = f->c;
	struct result result =
		ec2_call_resources(f, r, "cloudformation", REMOTE_RESOURCE_TYPE_STACK, ret_page);
	if (!r->endpoint.n || !is_first || (result.code != ERR_INVALID && result.code != ERR_UNSUPPORTED))
		return result;
	ctx_clear_problem(c);
	*ret_page = (struct remote_resource_page){0};
	return OK;
}

RESULT ec2_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type, struct str cursor,
			  struct remote_resource_page *ret_page)
{
	struct ec2_form f;
	const struct type_row *row = &rows[type];
	ec2_form_begin(&f, c, row->action, row->is_of_stacks ? STACKS_VERSION : EC2_VERSION);
	if (row->page)
		buf_print(&f.text, "&MaxResults=%d", row->page);
	if (row->own)
		ec2_form_add(&f, row->own, STR("self"));
	if (cursor.n)
		ec2_form_add(&f, "NextToken", cursor);
	return row->is_of_stacks ? list_stacks(&f, r, !cursor.n, ret_page)
				 : ec2_call_resources(&f, r, "ec2", type, ret_page);
}

/* CloudFormation's word for a stack that is gone is ValidationError. */
RESULT ec2_list_stack(struct ctx *c, struct remote *r, const struct remote_stack *stack, struct str cursor,
		      struct remote_resource_page *ret_page)
{
	struct ec2_form f;
	enum remote_resource_type type = REMOTE_RESOURCE_TYPE_STACK_RESOURCE;
	ec2_form_begin(&f, c, rows[type].action, STACKS_VERSION);
	f.only_reads = true;
	ec2_form_add(&f, "StackName", stack->ref);
	if (cursor.n)
		ec2_form_add(&f, "NextToken", cursor);
	struct result result = ec2_call_resources(&f, r, "cloudformation", type, ret_page);
	if (result.code == ERR_INVALID && !cursor.n)
		result.code = ERR_NOT_FOUND;
	TRY(result);
	return resource_put_into_stack(c, stack->ref, ret_page);
}
