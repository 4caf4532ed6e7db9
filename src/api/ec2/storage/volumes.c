/* SPDX-License-Identifier: Apache-2.0
 * Volumes: describe, create, delete, attach and detach. Modifications and status: volume_modifications.c. */
#include "api/ec2/storage/volumes.h"

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/states.h"
#include "model/volume.h"
#include "model/volume_attachment.h"
#include "store/zone.h"

struct ec2_describe_volumes {
	struct ec2_query query;
};
static const struct param describe_volumes_params[] = {
	QUERY_IDS(struct ec2_describe_volumes, "VolumeId", KIND_VOLUME, "Volumes by id."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_volumes),
	QUERY_PAGES(struct ec2_describe_volumes, 5, 1000),
};

/* ---- what is shown ---- */

static const char *const attachment_words[] = {
	[ATTACHMENT_NONE] = "detached",
	[ATTACHMENT_ATTACHING] = "attaching",
	[ATTACHMENT_ATTACHED] = "attached",
	[ATTACHMENT_DETACHING] = "detaching",
};

const char *ec2_volume_attachment(const struct volume *v)
{
	return attachment_words[model_derive_attachment(v->instance, v->seen_instance)];
}

static struct attribute_rows list_attachments(struct api_call *e, const struct row *row)
{
	struct volume_list list = {0};
	/* A full arena fails the call when its answer ends. */
	IGNORE(engine_list_attachments(e->c->arena, api_tables(e), volume_of(row), &list));
	return (struct attribute_rows){list.at, list.count};
}

ATTRIBUTE_GETTER(volume, v, const char *, attachment_status, ec2_volume_attachment(v))
ATTRIBUTE_GETTER(volume, v, uuid, find_holder, engine_volume_holder(v))
ATTRIBUTE_GETTER(volume, v, int64_t, get_iops, engine_volume_iops(v))
ATTRIBUTE_GETTER(volume, v, int64_t, get_throughput, engine_volume_throughput(v))
ATTRIBUTE_GETTER(volume, v, struct str, find_kms_key,
		 v->is_encrypted ? ec2_kms_arn(ec2_call_of(e), v->account) : STR_NONE)

#define FURTHER(index)                                                                                       \
	{                                                                                                    \
		KIND_VOLUME_ATTACHMENT, VOLUME_ATTACHMENT_INDEX_##index, .joins = {                          \
			JOIN_ONE(KIND_VOLUME, volume_attachment, volume)                                     \
		}                                                                                            \
	}
static const struct access_path attachment_paths[ACCESS_PATHS_MAX] = {
	{KIND_VOLUME, VOLUME_INDEX_INSTANCE},
	{KIND_VOLUME, VOLUME_INDEX_SEEN_INSTANCE},
	FURTHER(INSTANCE),
	FURTHER(SEEN_INSTANCE)};
static const struct attribute attachment_rows[] = {
	ATTRIBUTE_OWN_ID(volume, "volumeId", KIND_VOLUME),
	ATTRIBUTE_MADE(ID, id, "instanceId", find_holder, .kind = KIND_INSTANCE,
		       .filter = "attachment.instance-id", .paths = attachment_paths),
	ATTRIBUTE(volume, "device", device, .filter = "attachment.device"),
	ATTRIBUTE_MADE(WORD, word, "status", attachment_status, .filter = "attachment.status"),
	ATTRIBUTE_AS(TIME, volume, "attachTime", attached_us, .filter = "attachment.attach-time"),
	ATTRIBUTE(volume, "deleteOnTermination", delete_on_termination,
		  .filter = "attachment.delete-on-termination"),
};
static const struct attributes attachment_members = ATTRIBUTES(attachment_rows);

static const struct attribute volume_rows[] = {
	ATTRIBUTE_OWN_ID(volume, "volumeId", KIND_VOLUME, .filter = "volume-id"),
	ATTRIBUTE(volume, "size", size, .shift = 30, .filter = "size"),
	ATTRIBUTE_REF(volume, "snapshotId", snapshot, KIND_SNAPSHOT, .flags = ATTRIBUTE_EMPTY_NONE,
		      .filter = "snapshot-id", .index = VOLUME_INDEX_SNAPSHOT),
	ATTRIBUTE_OF(volume, zone, KIND_ZONE, zone, "availabilityZone", name, .filter = "availability-zone"),
	ATTRIBUTE_STATE_OF("status", KIND_VOLUME, .filter = "status"),
	ATTRIBUTE_AS(TIME, volume, "createTime", row.created_us, .filter = "create-time"),
	ATTRIBUTE_ROWS("attachmentSet", attachment_members, list_attachments,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(volume, "volumeType", type, .filter = "volume-type"),
	ATTRIBUTE_MADE(INT, number, "iops", get_iops, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_MADE(INT, number, "throughput", get_throughput, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(volume, "encrypted", is_encrypted, .filter = "encrypted"),
	ATTRIBUTE_MADE(TEXT, text, "kmsKeyId", find_kms_key, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(volume, "multiAttachEnabled", is_shared, .filter = "multi-attach-enabled"),
	ATTRIBUTE(volume, "tagSet", tags, .flags = ATTRIBUTE_OMIT_NONE_IN_READS),
	ATTRIBUTE_CONST("fastRestored", "false", .flags = ATTRIBUTE_HIDDEN, .filter = "fast-restored"),
	ATTRIBUTE_CONST("operator.managed", "false", .flags = ATTRIBUTE_HIDDEN, .filter = "operator.managed"),
	ATTRIBUTE_OF(volume, zone, KIND_ZONE, zone, "availabilityZoneId", short_id, .flags = ATTRIBUTE_HIDDEN,
		     .filter = "availability-zone-id"),
	ATTRIBUTE_NOTHING("operator.principal"),
};
static const struct attributes volume_members = ATTRIBUTES(volume_rows);

static const struct ec2_listing volume_listing = {.kind = KIND_VOLUME,
						  .set = "volumeSet",
						  .filters = FILTERS_OF(volume_members),
						  .attributes = &volume_members};

/* ---- create and delete ---- */

struct ec2_create_volume {
	struct volume_wish wish;
	int64_t gib;
	struct ref zone_id;
	struct str kms_key;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_volume, wire, member, __VA_ARGS__)
static const struct param create_volume_params[] = {
	P("AvailabilityZone", wish.zone, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by id, instead of its name."),
	P("SnapshotId", wish.disk.snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot that the volume is created from; absent: a blank volume."),
	P("Size", gib, .min = 1, .max = EC2_GIB_MAX, .doc = "Size in GiB; absent: the size of the snapshot."),
	P("VolumeType", wish.disk.type, .words = EC2_VOLUME_TYPES, .absent = "gp2",
	  .doc = "Volume type: limits IOPS and throughput, and the values allowed for Size, Iops and "
		 "Throughput."),
	P("Iops", wish.disk.iops, .min = 1, .max = EC2_IOPS_MAX, .doc = "IOPS limit of the volume."),
	P("Throughput", wish.disk.throughput, .min = 1, .max = EC2_IOPS_MAX,
	  .doc = "Throughput limit of the volume in MiB/s."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_volume, tag_specs),
	P("Encrypted", wish.disk.crypt.is_wanted,
	  .doc = "Whether the disk is encrypted at rest; absent: the account's default. Disks from encrypted "
		 "snapshots always are."),
	P("KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC),
	NOT_BUILT("OutpostArn"),
	P("MultiAttachEnabled", wish.disk.is_shared,
	  .doc = "Allows up to 16 attachments at a time. Only unencrypted io1 and io2 volumes."),
	NOT_BUILT("VolumeInitializationRate|Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_volume *a = args;
	if (str_is_empty(a->wish.zone.text)) /* older clients send an empty zone */
		a->wish.zone = (struct ref){0};
	if (a->wish.zone.kind != KIND_NONE && a->zone_id.kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AvailabilityZoneId"),
				      "Specify either AvailabilityZone or AvailabilityZoneId");
	if (a->zone_id.kind != KIND_NONE)
		a->wish.zone = a->zone_id;
	if (a->wish.zone.kind == KIND_NONE)
		return ctx_fail_field(e->c, ERR_MISSING, STR("AvailabilityZone"),
				      "The request must contain the parameter zone");
	TRY(ec2_take_kms_key(e, a->kms_key, &a->wish.disk.crypt));
	a->wish.disk.size = a->gib << 30;
	a->wish.disk.field = STR("Size");
	return OK;
}

static const struct param delete_volume_params[] = {
	PARAM(struct volume_target, "VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	      .doc = "The volume, which must be available."),
};

/* ---- attach and detach ---- */

#define P(wire, member, ...) PARAM(struct volume_attaching, wire, member, __VA_ARGS__)
static const struct param attach_volume_params[] = {
	P("VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "A running or stopped instance in the volume's zone. If other instances have the volume, "
		 "this one must be stopped or on the same host."),
	P("Device", device, .flags = REQUIRED, .min = 1, .max = 32,
	  .doc = "Device name, not yet used by the instance. The guest finds the disk by its serial number."),
	NOT_BUILT("EbsCardIndex", .only = "0"),
};
#undef P

/* Shows the attachment that the change made, out of possibly several. */
static RESULT ec2_attach_volume(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct volume_attaching *wish = args;
	const struct volume attached = {.row.id = wish->attached_volume,
					.instance = wish->to,
					.device = wish->device,
					.attached_us = wish->attached_us};
	ec2_write_members(e, x, &attachment_members, &attached.row);
	return OK;
}

#define P(wire, member, ...) PARAM(struct volume_detaching, wire, member, __VA_ARGS__)
static const struct param detach_volume_params[] = {
	P("VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("InstanceId", instance, .kind = KIND_INSTANCE,
	  .doc = "Instance to detach from; required if the volume has several attachments."),
	P("Device", device, .max = 32, .doc = "Device name of the attachment."),
	P("Force", force, .doc = "Detaches without the guest's consent, even if a detachment is pending."),
};
#undef P

static RESULT ec2_detach_volume(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct volume_detaching *wish = args;
	(void) e;
	ec2_write_id(x, "volumeId", KIND_VOLUME, wish->detached_volume);
	ec2_write_id(x, "instanceId", KIND_INSTANCE, wish->from);
	xml_text(x, "device", wish->from_device);
	xml_z(x, "status", attachment_words[wish->now]);
	xml_time_ms(x, "attachTime", wish->attached_us);
	xml_bool(x, "deleteOnTermination", wish->delete_on_termination);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVolumes"), .args = PARAMS(struct ec2_describe_volumes, describe_volumes_params),
	 .list = &volume_listing, .doc = "Lists the account's volumes."},
	{EC2_ACTION("CreateVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_volume, create_volume_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_volume, "volume"), EC2_DIGEST(struct ec2_create_volume),
	 .operation = engine_create_volume_run, .returns = KIND_VOLUME,
	 EC2_SHOWS(volume_listing, struct ec2_create_volume, wish.volume, NULL), .doc = "Creates a volume."},
	{EC2_ACTION("DeleteVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_target, delete_volume_params), .operation = engine_delete_volume_run,
	 .doc = "Deletes a volume that is not attached."},
	{EC2_ACTION("AttachVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_attaching, attach_volume_params), .operation = engine_attach_volume_run,
	 .answer = ec2_attach_volume, .doc = "Attaches a volume to an instance, running or stopped."},
	{EC2_ACTION("DetachVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_detaching, detach_volume_params), .operation = engine_detach_volume_run,
	 .answer = ec2_detach_volume, .doc = "Detaches a volume from its instance, running or stopped."},
};
const struct api_actions ec2_volume_actions = API_ACTIONS(actions);
