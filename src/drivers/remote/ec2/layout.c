/* SPDX-License-Identifier: Apache-2.0
 * Describes a machine for a migration: the instance, its volumes, its type, and the rights that are missing. Sources: EC2
 * API Reference, DescribeInstances, DescribeVolumes, DescribeInstanceTypes. */
#include "drivers/remote/draft.h"
#include "drivers/remote/ec2/blocks.h"
#include "drivers/remote/ec2/request.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
#define MACHINE "reservationSet/item/instancesSet/item"
#define SCALING_TAG "aws:autoscaling:groupName"
enum {
	TAGS_MAX = 50,
	GROUPS_MAX = 32,
	NICS_MAX = 64,
	CODES_MAX = 16,
	SIZE_MAX_GIB = 65536,
	MEMORY_MAX_MIB = 1 << 26
};

enum { IS_MACHINE, IS_DISK, IS_NIC, IS_GROUP, IS_TAG, IS_CODE, LIST_COUNT };
enum { ID, NAME, TYPE, ARCH, BOOT, ROOT, SUBNET, IP, KEY, SCALING };
enum { DISK_DEVICE, DISK_VOLUME, DISK_GOES };
enum { VOLUME_ID, VOLUME_SIZE, VOLUME_ENCRYPTED, VOLUME_SHARED };
enum { TYPE_NAME, TYPE_VCPUS, TYPE_MEMORY, TYPE_LOCAL };

static RESULT bad(struct ctx *c, const char *what)
{
	return ctx_fail(c, ERR_IO, "The answer is not usable: %s.", what);
}

/* ---- the instance ---- */

static RESULT ask_instance(struct ctx *c, struct remote *r, struct str ref, struct ec2_items *lists)
{
	struct ec2_form f;
	static const struct ec2_items wanted[LIST_COUNT] = {
		[IS_MACHINE] = {MACHINE,
				{"instanceId", "tag:Name", "instanceType", "architecture", "bootMode",
				 "rootDeviceName", "subnetId", "privateIpAddress", "keyName",
				 "tag:" SCALING_TAG},
				.most = 1},
		[IS_DISK] = {MACHINE "/blockDeviceMapping/item",
			     {"deviceName", "ebs/volumeId", "ebs/deleteOnTermination"},
			     .most = REMOTE_DISKS_MAX},
		[IS_NIC] = {MACHINE "/networkInterfaceSet/item", {"networkInterfaceId"}, .most = NICS_MAX},
		[IS_GROUP] = {MACHINE "/groupSet/item", {"groupId"}, .most = GROUPS_MAX},
		[IS_TAG] = {MACHINE "/tagSet/item", {"key", "value"}, .most = 2 * TAGS_MAX},
		[IS_CODE] = {MACHINE "/productCodes/item", {"productCode"}, .most = CODES_MAX}};
	for (size_t k = 0; k < LIST_COUNT; k++)
		lists[k] = wanted[k];
	ec2_form_begin(&f, c, "DescribeInstances", EC2_VERSION);
	ec2_form_add(&f, "InstanceId.1", ref);
	TRY(ec2_call_items(&f, r, "DescribeInstancesResponse", lists, LIST_COUNT));
	bool is_it = lists[IS_MACHINE].count == 1 && str_equal(lists[IS_MACHINE].at[0].at[ID], ref);
	return is_it ? OK : bad(c, "it lacks the machine that was asked for");
}

static RESULT take_texts(struct ctx *c, const struct ec2_items *list, struct strs *ret_texts)
{
	struct str *at = arena_new_array(c->arena, struct str, list->count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < list->count; k++)
		if (draft_is_id(list->at[k].at[0]))
			at[count++] = list->at[k].at[0];
	*ret_texts = (struct strs){at, count};
	return OK;
}

static RESULT take_tags(struct ctx *c, const struct ec2_items *list, struct tags *ret_tags)
{
	struct machine_draft *d = arena_new_object(c->arena, struct machine_draft);
	struct remote_machines none = {0};
	if (!d)
		return ctx_no_memory(c);
	*d = (struct machine_draft){.machine.ref = STR("tags")};
	for (size_t k = 0; k < list->count; k++)
		draft_add_tag(d, list->at[k].at[0], list->at[k].at[1]);
	TRY(draft_end(c, d, &none));
	*ret_tags = none.at[0].remote_tags;
	return OK;
}

static RESULT take_machine(struct ctx *c, const struct ec2_items *lists, struct cloud_migration *m)
{
	const struct str *at = lists[IS_MACHINE].at[0].at;
	m->ref = at[ID];
	draft_put_text(&m->name, at[NAME].n ? at[NAME] : at[ID], DRAFT_ID_MAX);
	draft_put_text(&m->source_type, at[TYPE], DRAFT_WORD_MAX);
	draft_put_text(&m->arch, at[ARCH], DRAFT_WORD_MAX);
	draft_put_text(&m->boot_mode, at[BOOT], DRAFT_WORD_MAX);
	draft_put_text(&m->root_device, at[ROOT], DRAFT_WORD_MAX);
	draft_put_text(&m->source_subnet, at[SUBNET], DRAFT_ID_MAX);
	draft_put_text(&m->source_ip, at[IP], DRAFT_WORD_MAX);
	draft_put_text(&m->source_key, at[KEY], DRAFT_ID_MAX);
	draft_put_text(&m->scaling_group, at[SCALING], DRAFT_ID_MAX);
	m->nics = (int64_t) lists[IS_NIC].count;
	TRY(take_texts(c, &lists[IS_GROUP], &m->source_groups));
	TRY(take_texts(c, &lists[IS_CODE], &m->product_codes));
	return take_tags(c, &lists[IS_TAG], &m->source_tags);
}

/* ---- disks ---- */

static bool read_gib(struct str text, int64_t *ret_size)
{
	int64_t gib = 0;
	if (!result_is_ok(str_parse_int(text, &gib)) || gib < 1 || gib > SIZE_MAX_GIB)
		return false;
	*ret_size = gib * GIB;
	return true;
}

static const struct ec2_item *find_volume(const struct ec2_items *volumes, struct str id)
{
	for (size_t k = 0; k < volumes->count; k++)
		if (str_equal(volumes->at[k].at[VOLUME_ID], id))
			return &volumes->at[k];
	return NULL;
}

static RESULT ask_volumes(struct ctx *c, struct remote *r, const struct ec2_items *disks,
			  struct ec2_items *volumes)
{
	struct ec2_form f;
	*volumes = (struct ec2_items){.path = "volumeSet/item",
				      .fields = {"volumeId", "size", "encrypted", "multiAttachEnabled"},
				      .most = 2 * REMOTE_DISKS_MAX};
	ec2_form_begin(&f, c, "DescribeVolumes", EC2_VERSION);
	for (size_t k = 0; k < disks->count; k++)
		ec2_form_add_nth(&f, "VolumeId", k + 1, "", disks->at[k].at[DISK_VOLUME]);
	return ec2_call_items(&f, r, "DescribeVolumesResponse", volumes, 1);
}

static RESULT take_disk(struct ctx *c, const struct ec2_item *item, const struct ec2_items *volumes,
			struct cloud_migration_disk *disk)
{
	const struct ec2_item *volume = find_volume(volumes, item->at[DISK_VOLUME]);
	*disk = (struct cloud_migration_disk){.volume = item->at[DISK_VOLUME],
					      .goes_along = str_is(item->at[DISK_GOES], "true")};
	draft_put_text(&disk->device, item->at[DISK_DEVICE], DRAFT_WORD_MAX);
	if (!volume || !read_gib(volume->at[VOLUME_SIZE], &disk->size))
		return bad(c, "it lacks a volume of the machine, or its size");
	disk->is_encrypted = str_is(volume->at[VOLUME_ENCRYPTED], "true");
	disk->is_shared = str_is(volume->at[VOLUME_SHARED], "true");
	return OK;
}

static RESULT take_disks(struct ctx *c, struct remote *r, const struct ec2_items *lists,
			 struct remote_layout *layout)
{
	const struct ec2_items *disks = &lists[IS_DISK];
	struct ec2_items volumes;
	size_t root = 0;
	for (size_t k = 0; k < disks->count; k++)
		if (!draft_is_id(disks->at[k].at[DISK_VOLUME]))
			return bad(c, "a volume has no proper id");
	if (!disks->count)
		return OK;
	TRY(ask_volumes(c, r, disks, &volumes));
	for (size_t k = 0; k < disks->count; k++) {
		TRY(take_disk(c, &disks->at[k], &volumes, &layout->disks[k]));
		if (str_equal(layout->disks[k].device, layout->machine.root_device))
			root = k;
	}
	struct cloud_migration_disk first = layout->disks[root];
	layout->disks[root] = layout->disks[0];
	layout->disks[0] = first;
	for (size_t k = 0; k < disks->count; k++)
		layout->disks[k].number = (int64_t) k;
	layout->disk_count = disks->count;
	return OK;
}

/* ---- the type ---- */

static RESULT take_type(struct ctx *c, struct remote *r, struct cloud_migration *m)
{
	struct ec2_form f;
	struct ec2_items types = {.path = "instanceTypeSet/item",
				  .fields = {"instanceType", "vCpuInfo/defaultVCpus", "memoryInfo/sizeInMiB",
					     "instanceStorageSupported"},
				  .most = 16};
	int64_t mib = 0;
	ec2_form_begin(&f, c, "DescribeInstanceTypes", EC2_VERSION);
	ec2_form_add(&f, "InstanceType.1", m->source_type);
	TRY(ec2_call_items(&f, r, "DescribeInstanceTypesResponse", &types, 1));
	bool is_fine = types.count == 1 && str_equal(types.at[0].at[TYPE_NAME], m->source_type) &&
		       result_is_ok(str_parse_int(types.at[0].at[TYPE_VCPUS], &m->vcpus)) && m->vcpus > 0 &&
		       m->vcpus < 65536 && result_is_ok(str_parse_int(types.at[0].at[TYPE_MEMORY], &mib)) &&
		       mib > 0 && mib <= MEMORY_MAX_MIB;
	if (!is_fine)
		return bad(c, "it does not describe the machine's type");
	m->memory = mib * MIB;
	m->has_local = str_is(types.at[0].at[TYPE_LOCAL], "true");
	return OK;
}

/* ---- rights ---- */

/* A dry run of a snapshot request. As in the driver's verification, only a refusal of the right counts. */
RESULT ec2_try_action(struct ctx *c, struct remote *r, const char *action, const char *member,
		      struct str value, struct remote_identity *identity)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, action, EC2_VERSION);
	ec2_form_add(&f, "DryRun", STR("true"));
	ec2_form_add(&f, member, value);
	struct result result = ec2_call(&f, r, "ec2", &answer);
	if (result.code == ERR_DENIED) {
		ctx_clear_problem(c);
		return remote_add_lack(c, identity, str_print(c->arena, "ec2:%s", action));
	}
	bool is_passing = result.code == ERR_THROTTLED || result.code == ERR_AGAIN ||
			  result.code == ERR_GONE || result.code == ERR_TIMEOUT || result.code == ERR_IO ||
			  result.code == ERR_NO_MEMORY;
	if (is_passing)
		return result;
	ctx_clear_problem(c);
	return OK;
}

RESULT ec2_describe_layout(struct ctx *c, struct remote *r, struct str ref, struct remote_layout *ret_layout)
{
	struct ec2_items lists[LIST_COUNT];
	struct remote_identity identity = {0};
	*ret_layout = (struct remote_layout){0};
	TRY(ask_instance(c, r, ref, lists));
	TRY(take_machine(c, lists, &ret_layout->machine));
	TRY(take_disks(c, r, lists, ret_layout));
	TRY(take_type(c, r, &ret_layout->machine));
	TRY(ec2_try_action(c, r, "CreateSnapshots", "InstanceSpecification.InstanceId", ref, &identity));
	TRY(ec2_try_action(c, r, "DeleteSnapshot", "SnapshotId", STR("snap-00000000000000000"), &identity));
	TRY(ec2_try_block_rights(c, r, &identity));
	ret_layout->lacks = identity.lacks;
	return OK;
}
