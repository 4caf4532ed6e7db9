/* SPDX-License-Identifier: Apache-2.0
 * Volumes: DescribeVolumes. */
#include "api/ec2/volumes.h"
#include "api/ec2/list.h"
#include "api/ec2/write.h"
#include "engine/volume.h"

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

const char *ec2_volume_attachment(const struct volume *v)
{
	static const char *const words[] = {
		[ATTACHMENT_NONE] = "detached",
		[ATTACHMENT_ATTACHING] = "attaching",
		[ATTACHMENT_ATTACHED] = "attached",
		[ATTACHMENT_DETACHING] = "detaching",
	};
	return words[attachment_of(v)];
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
	return filter_int(f, ec2_gib(((const struct volume *) row)->size));
}

static bool fits_create_time(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, row->created_us);
}

/* From which it is being detached, else which it is for. */
static uuid attached_to(const struct volume *v)
{
	return uuid_is_none(v->instance) ? v->seen_instance : v->instance;
}

/* What only an attached volume has. */
static bool fits_attachment(const struct filter_run *f, const struct row *row)
{
	const struct volume *v = (const struct volume *) row;
	struct str name = str_from(f->filter->name);
	if (attachment_of(v) == ATTACHMENT_NONE)
		return false;
	if (str_ends_with(name, STR("instance-id")))
		return filter_id(f, KIND_INSTANCE, attached_to(v));
	if (str_ends_with(name, STR("device")))
		return filter_text(f, v->device);
	if (str_ends_with(name, STR("status")))
		return filter_z(f, ec2_volume_attachment(v));
	return str_ends_with(name, STR("attach-time")) ? filter_time(f, v->attached_us)
						       : filter_bool(f, v->delete_on_termination);
}

static const struct filter volume_filters[] = {
	{"volume-id", .is_id = true},
	{"attachment.instance-id", .get = fits_attachment},
	{"attachment.device", .get = fits_attachment},
	{"attachment.status", .get = fits_attachment},
	{"attachment.attach-time", .get = fits_attachment},
	{"attachment.delete-on-termination", .get = fits_attachment},
	{"availability-zone", .field = "zone"},
	{"create-time", .get = fits_create_time},
	{"encrypted", .fixed = "false"},
	{"multi-attach-enabled", .fixed = "false"},
	{"fast-restored", .fixed = "false"},
	{"size", .get = fits_size},
	{"snapshot-id", .field = "snapshot", .index = VOLUME_INDEX_SNAPSHOT},
	{"status", .in_state = has_status},
	{"volume-type", .field = "type"},
};

struct volume_item {
	const struct volume *volume;
	const struct zone *zone;
};

static const void *gather_volume(struct ec2_call *e, const struct row *row)
{
	struct volume_item *item = arena_new_object(e->c->arena, struct volume_item);
	if (!item)
		return 0;
	item->volume = (const struct volume *) row;
	item->zone = zone_find(ec2_walk(e), item->volume->zone);
	return item;
}

static void write_attachments(struct xml *x, const struct volume *v)
{
	xml_open(x, "attachmentSet");
	if (attachment_of(v) != ATTACHMENT_NONE) {
		xml_open(x, "item");
		ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
		ec2_write_id(x, "instanceId", KIND_INSTANCE, attached_to(v));
		xml_text(x, "device", v->device);
		xml_z(x, "status", ec2_volume_attachment(v));
		xml_time_ms(x, "attachTime", v->attached_us);
		xml_bool(x, "deleteOnTermination", v->delete_on_termination);
		xml_close(x, "item");
	}
	xml_close(x, "attachmentSet");
}

static void write_volume(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct volume_item *i = item;
	const struct volume *v = i->volume;
	(void) e;
	ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
	xml_int(x, "size", ec2_gib(v->size));
	if (uuid_is_none(v->snapshot))
		xml_z(x, "snapshotId", "");
	ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, v->snapshot);
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	xml_z(x, "status", volume_status(v));
	xml_time_ms(x, "createTime", v->row.created_us);
	write_attachments(x, v);
	xml_text(x, "volumeType", v->type);
	if (engine_volume_iops(v))
		xml_int(x, "iops", engine_volume_iops(v));
	if (engine_volume_throughput(v))
		xml_int(x, "throughput", engine_volume_throughput(v));
	xml_bool(x, "encrypted", false);
	xml_bool(x, "multiAttachEnabled", false);
	ec2_write_tags(x, v->tags);
}

static const struct ec2_listing volume_listing = {.kind = KIND_VOLUME,
						  .set = "volumeSet",
						  .filters = FILTERS(volume_filters),
						  .account_index = VOLUME_INDEX_ACCOUNT,
						  .gather = gather_volume,
						  .write = write_volume};

static const struct ec2_action actions[] = {
	{"DescribeVolumes", "ec2:DescribeVolumes", 0,
	 PARAMS(struct ec2_describe_volumes, describe_volumes_params), .list = &volume_listing,
	 .doc = "Disks of the account."},
};
const struct ec2_actions ec2_volume_actions = ACTIONS(actions);
