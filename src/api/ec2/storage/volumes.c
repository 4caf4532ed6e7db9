/* SPDX-License-Identifier: Apache-2.0
 * Volumes: describe, create, delete, attach and detach. Modifications and status: volume_modifications.c. */
#include "api/ec2/storage/volumes.h"

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/storage/volume.h"
#include "engine/storage/volume_attachment.h"
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

static enum attachment attachment_of(const struct volume *v)
{
	return model_derive_attachment(v->instance, v->seen_instance);
}

static const char *const attachment_words[] = {
	[ATTACHMENT_NONE] = "detached",
	[ATTACHMENT_ATTACHING] = "attaching",
	[ATTACHMENT_ATTACHED] = "attached",
	[ATTACHMENT_DETACHING] = "detaching",
};

const char *ec2_volume_attachment(const struct volume *v)
{
	return attachment_words[attachment_of(v)];
}

static const char *volume_status(const struct volume *v)
{
	return model_volume_states[model_derive_volume_state(v)].ec2;
}

static bool has_status(const struct filter_run *f, unsigned state)
{
	return filter_z(f, model_volume_states[state].ec2);
}

static bool fits_size(const struct filter_run *f, const struct row *row)
{
	return filter_int(f, ec2_gib(volume_of(row)->size));
}

static bool fits_create_time(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, row->created_us);
}

static bool fits_one_attachment(const struct filter_run *f, const struct volume *v)
{
	struct str name = str_from(f->filter->name);
	if (str_ends_with(name, STR("instance-id")))
		return filter_id(f, KIND_INSTANCE, engine_volume_holder(v));
	if (str_ends_with(name, STR("device")))
		return filter_text(f, v->device);
	if (str_ends_with(name, STR("status")))
		return filter_z(f, ec2_volume_attachment(v));
	return str_ends_with(name, STR("attach-time")) ? filter_time(f, v->attached_us)
						       : filter_bool(f, v->delete_on_termination);
}

/* True if any of its attachments fits. */
static bool fits_attachment(const struct filter_run *f, const struct row *row)
{
	struct volume_list list = {0};
	bool fits = false;
	IGNORE(engine_list_attachments(f->e->c->arena, f->t, volume_of(row), &list)); /* on failure the
	                                                                               * answer fails later */
	for (size_t k = 0; k < list.count && !fits; k++)
		fits = fits_one_attachment(f, list.at[k]);
	return fits;
}

#define FURTHER(index)                                                                                       \
	{                                                                                                    \
		KIND_VOLUME_ATTACHMENT, VOLUME_ATTACHMENT_INDEX_##index, .joins = {                          \
			JOIN_ONE(KIND_VOLUME, volume_attachment, volume)                                     \
		}                                                                                            \
	}
static const struct filter volume_filters[] = {
	{"volume-id", .is_id = true},
	{"attachment.instance-id", .get = fits_attachment,
	 .access_paths = {{KIND_VOLUME, VOLUME_INDEX_INSTANCE},
			  {KIND_VOLUME, VOLUME_INDEX_SEEN_INSTANCE},
			  FURTHER(INSTANCE),
			  FURTHER(SEEN_INSTANCE)}},
	{"attachment.device", .get = fits_attachment},
	{"attachment.status", .get = fits_attachment},
	{"attachment.attach-time", .get = fits_attachment},
	{"attachment.delete-on-termination", .get = fits_attachment},
	{"availability-zone", .field = "zone"},
	{"create-time", .get = fits_create_time},
	{"encrypted", .field = "is_encrypted"},
	{"multi-attach-enabled", .field = "is_shared"},
	{"fast-restored", .fixed = "false"},
	{"operator.managed", .fixed = "false"},
	{"operator.principal", .get = filter_nothing},
	{"size", .get = fits_size},
	{"snapshot-id", .field = "snapshot", .index = VOLUME_INDEX_SNAPSHOT},
	{"status", .in_state = has_status},
	{"volume-type", .field = "type"},
};

struct volume_item {
	const struct volume *volume;
	const struct zone *zone;
	struct volume_list attachments;
};

static const void *gather_volume(struct ec2_call *e, const struct row *row)
{
	struct volume_item *item = arena_new_object(e->c->arena, struct volume_item);
	if (!item)
		return 0;
	item->volume = volume_of(row);
	item->zone = zone_find(ec2_tables(e), item->volume->zone);
	struct result listed =
		engine_list_attachments(e->c->arena, ec2_tables(e), item->volume, &item->attachments);
	return result_is_ok(listed) ? item : 0;
}

/* Writes the members of an attachment. */
static void write_attachment(struct xml *x, const struct volume *v)
{
	ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
	ec2_write_id(x, "instanceId", KIND_INSTANCE, engine_volume_holder(v));
	xml_text(x, "device", v->device);
	xml_z(x, "status", ec2_volume_attachment(v));
	xml_time_ms(x, "attachTime", v->attached_us);
	xml_bool(x, "deleteOnTermination", v->delete_on_termination);
}

static void write_attachments(struct xml *x, const struct volume_list *attachments)
{
	xml_open(x, "attachmentSet");
	for (size_t k = 0; k < attachments->count; k++) {
		xml_open(x, "item");
		write_attachment(x, attachments->at[k]);
		xml_close(x, "item");
	}
	xml_close(x, "attachmentSet");
}

static void write_volume(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct volume_item *i = item;
	const struct volume *v = i->volume;
	ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
	xml_int(x, "size", ec2_gib(v->size));
	if (uuid_is_none(v->snapshot))
		xml_z(x, "snapshotId", "");
	ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, v->snapshot);
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	xml_z(x, "status", volume_status(v));
	xml_time_ms(x, "createTime", v->row.created_us);
	write_attachments(x, &i->attachments);
	xml_text(x, "volumeType", v->type);
	if (engine_volume_iops(v))
		xml_int(x, "iops", engine_volume_iops(v));
	if (engine_volume_throughput(v))
		xml_int(x, "throughput", engine_volume_throughput(v));
	ec2_write_encrypted(e, x, v->is_encrypted, v->account);
	xml_bool(x, "multiAttachEnabled", v->is_shared);
	ec2_write_tags_of_made(e, x, v->tags);
}

static const struct ec2_listing volume_listing = {.kind = KIND_VOLUME,
						  .set = "volumeSet",
						  .filters = FILTERS(volume_filters),
						  .gather = gather_volume,
						  .write = write_volume};

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
	  .doc = "Where: a zone by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255, .doc = "Or by id."),
	P("SnapshotId", wish.disk.snapshot, .kind = KIND_SNAPSHOT, .doc = "Made from; absent: blank."),
	P("Size", gib, .min = 1, .max = EC2_GIB_MAX, .doc = "In GiB; absent: the snapshot's."),
	P("VolumeType", wish.disk.type, .words = EC2_VOLUME_TYPES, .absent = "gp2",
	  .doc = "What guests are held to; sizes, Iops and Throughput have its limits."),
	P("Iops", wish.disk.iops, .min = 1, .max = EC2_IOPS_MAX, .doc = "Guests are held to it."),
	P("Throughput", wish.disk.throughput, .min = 1, .max = EC2_IOPS_MAX,
	  .doc = "MiB/s; guests are held to it."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_create_volume, tag_specs),
	P("Encrypted", wish.disk.crypt.is_wanted,
	  .doc = "Its bytes are, at rest; absent: as the account says. What is "
		 "made from an encrypted snapshot is in any case."),
	P("KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC),
	NOT_BUILT("OutpostArn"),
	P("MultiAttachEnabled", wish.disk.is_shared,
	  .doc = "Up to 16 instances may have it at a time: of io1 and io2, not encrypted."),
	NOT_BUILT("VolumeInitializationRate|Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
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
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "volume", "volume", &a->wish.tags);
}

static RESULT ec2_create_volume(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_volume *a = args;
	return ec2_write_returned(e, &volume_listing, a->wish.volume, 0, x);
}

static const struct param delete_volume_params[] = {
	PARAM(struct volume_target, "VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	      .doc = "The volume, which must be free."),
};

/* ---- attach and detach ---- */

#define P(wire, member, ...) PARAM(struct volume_attaching, wire, member, __VA_ARGS__)
static const struct param attach_volume_params[] = {
	P("VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "A running or stopped instance in the volume's zone; of a volume that others have, on its "
		 "host, or stopped."),
	P("Device", device, .flags = REQUIRED, .min = 1, .max = 32,
	  .doc = "A name that the instance does not have yet; the guest finds the disk by its serial."),
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
	(void) e;
	write_attachment(x, &attached);
	return OK;
}

#define P(wire, member, ...) PARAM(struct volume_detaching, wire, member, __VA_ARGS__)
static const struct param detach_volume_params[] = {
	P("VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("InstanceId", instance, .kind = KIND_INSTANCE,
	  .doc = "The instance it must be attached to; required where there are several."),
	P("Device", device, .max = 32, .doc = "The device it must be attached as."),
	P("Force", force, .doc = "Whether the guest lets go of it or not; also once it is being detached."),
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
	 .list = &volume_listing, .doc = "Disks of the account."},
	{EC2_ACTION("CreateVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_volume, create_volume_params), .prepare = prepare_create,
	 .operation = engine_create_volume_run, .returns = KIND_VOLUME, .answer = ec2_create_volume,
	 .doc = "Makes a free disk."},
	{EC2_ACTION("DeleteVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_target, delete_volume_params), .operation = engine_delete_volume_run,
	 .doc = "Deletes a free disk."},
	{EC2_ACTION("AttachVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_attaching, attach_volume_params), .operation = engine_attach_volume_run,
	 .answer = ec2_attach_volume, .doc = "Attaches a disk to an instance, which may run."},
	{EC2_ACTION("DetachVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct volume_detaching, detach_volume_params), .operation = engine_detach_volume_run,
	 .answer = ec2_detach_volume, .doc = "Detaches a disk from its instance, which may run."},
};
const struct api_actions ec2_volume_actions = API_ACTIONS(actions);
