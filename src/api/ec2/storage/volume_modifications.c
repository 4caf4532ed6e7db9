/* SPDX-License-Identifier: Apache-2.0
 * Volumes: modifications and their progress, and volume status. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"
#include "model/volume.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/zone.h"

/* ---- modifications ---- */

static bool is_modified(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return volume_of(row)->modified_us != 0;
}

static const char *modification_state(const struct volume *v)
{
	return v->modified_end_us ? "completed" : "modifying";
}

/* The values before the last modification. */
static struct volume volume_before(const struct volume *v)
{
	return (struct volume){.size = v->before_size,
			       .type = v->before_type,
			       .iops = v->before_iops,
			       .throughput = v->before_throughput,
			       .is_shared = v->before_shared};
}

static bool fits_modification(const struct filter_run *f, const struct row *row)
{
	const struct volume *v = volume_of(row);
	const struct volume before = volume_before(v);
	struct str name = str_from(f->filter->name);
	const struct volume *side = str_starts_with(name, STR("original")) ? &before : v;
	if (str_is(name, "modification-state"))
		return filter_z(f, modification_state(v));
	if (str_is(name, "start-time"))
		return filter_time(f, v->modified_us);
	if (str_ends_with(name, STR("-iops")))
		return filter_int(f, engine_volume_iops(side));
	if (str_ends_with(name, STR("MultiAttachEnabled")))
		return filter_bool(f, side->is_shared);
	return str_ends_with(name, STR("-size")) ? filter_int(f, ec2_gib(side->size))
						 : filter_text(f, side->type);
}

static const struct filter modification_filters[] = {
	{"volume-id", .is_id = true},
	{"modification-state", .get = fits_modification},
	{"start-time", .get = fits_modification},
	{"original-iops", .get = fits_modification},
	{"original-size", .get = fits_modification},
	{"original-volume-type", .get = fits_modification},
	{"target-iops", .get = fits_modification},
	{"target-size", .get = fits_modification},
	{"target-volume-type", .get = fits_modification},
	{"originalMultiAttachEnabled", .get = fits_modification},
	{"targetMultiAttachEnabled", .get = fits_modification},
};

static void write_figures(struct xml *x, const struct volume *v, const char *const names[5])
{
	xml_int(x, names[0], ec2_gib(v->size));
	if (engine_volume_iops(v))
		xml_int(x, names[1], engine_volume_iops(v));
	xml_text(x, names[2], v->type);
	if (engine_volume_throughput(v))
		xml_int(x, names[3], engine_volume_throughput(v));
	xml_bool(x, names[4], v->is_shared);
}

static void write_modification(struct ec2_call *e, struct xml *x, const void *item)
{
	static const char *const target[] = {"targetSize", "targetIops", "targetVolumeType",
					     "targetThroughput", "targetMultiAttachEnabled"};
	static const char *const original[] = {"originalSize", "originalIops", "originalVolumeType",
					       "originalThroughput", "originalMultiAttachEnabled"};
	const struct volume *v = item;
	const struct volume before = volume_before(v);
	(void) e;
	ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
	xml_z(x, "modificationState", modification_state(v));
	write_figures(x, v, target);
	write_figures(x, &before, original);
	xml_int(x, "progress", v->modified_end_us ? 100 : 0);
	xml_time_ms(x, "startTime", v->modified_us);
	if (v->modified_end_us)
		xml_time_ms(x, "endTime", v->modified_end_us);
}

static const struct ec2_listing modification_listing = {.kind = KIND_VOLUME,
							.set = "volumeModificationSet",
							.filters = FILTERS(modification_filters),
							.shows = is_modified,
							.write = write_modification};

struct ec2_describe_modifications {
	struct ec2_query query;
};
static const struct param describe_modifications_params[] = {
	QUERY_IDS(struct ec2_describe_modifications, "VolumeId", KIND_VOLUME, "Volumes by id."),
	QUERY_FILTERS(struct ec2_describe_modifications),
	QUERY_PAGES(struct ec2_describe_modifications, 1, 500),
	NOT_BUILT("IncludeManagedResources", .only = "false"),
};

/* A volume given by id must have been modified once. */
static RESULT ec2_describe_modifications(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_modifications *a = args;
	const struct tables *t = ec2_tables(e);
	for (size_t k = 0; k < a->query.ids.count && !a->query.max_results; k++) {
		const struct volume *v = 0;
		TRY(engine_find_volume(e->c, t, &a->query.ids.at[k], &v));
		if (!v->modified_us)
			return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("VolumeModification"),
					      "Modification for volume '%" STR_FMT "' does not exist",
					      STR_ARG(a->query.ids.at[k].text));
	}
	return ec2_describe(e, &modification_listing, &a->query, x);
}

struct ec2_modify_volume {
	struct volume_modifying wish;
	int64_t gib;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_volume, wire, member, __VA_ARGS__)
static const struct param modify_volume_params[] = {
	P("VolumeId", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	  .doc = "The volume, in use or not."),
	P("Size", gib, .min = 1, .max = EC2_GIB_MAX, .doc = "In GiB: as it is, or more."),
	P("VolumeType", wish.type, .words = EC2_VOLUME_TYPES, .doc = "What guests are held to."),
	P("Iops", wish.iops, .min = 1, .max = EC2_IOPS_MAX, .doc = "Guests are held to it."),
	P("Throughput", wish.throughput, .min = 1, .max = EC2_IOPS_MAX,
	  .doc = "MiB/s; guests are held to it."),
	P("MultiAttachEnabled", wish.is_shared, .doc = "Of an io2 volume that is not attached."),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_volume *a = args;
	(void) e;
	a->wish.size = a->gib << 30;
	return OK;
}

static RESULT ec2_modify_volume(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_modify_volume *a = args;
	return ec2_write_returned(e, &modification_listing, a->wish.modified_volume, "volumeModification", x);
}

/* ---- status ---- */

struct status_item {
	const struct volume *volume;
	const struct zone *zone;
	const char *status, *io; /* "ok" and "passed", while its host answers */
};

static const char *status_of(const struct tables *t, const struct volume *v)
{
	const struct host *host = host_find(t, v->seen_host);
	if (condition_find_by_subject(t, v->row.id, STR("DiskMissing")))
		return "impaired";
	return host && host->seen_state == HOST_SEEN_STATE_UP ? "ok" : "insufficient-data";
}

static const char *io_of(const char *status)
{
	return strcmp(status, "ok") == 0 ? "passed" : "failed";
}

static const void *gather_status(struct ec2_call *e, const struct row *row)
{
	struct status_item *item = arena_new_object(e->c->arena, struct status_item);
	if (!item)
		return 0;
	item->volume = volume_of(row);
	item->zone = zone_find(ec2_tables(e), item->volume->zone);
	item->status = status_of(ec2_tables(e), item->volume);
	item->io = io_of(item->status);
	return item;
}

static void write_status(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct status_item *i = item;
	(void) e;
	ec2_write_id(x, "volumeId", KIND_VOLUME, i->volume->row.id);
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	xml_open(x, "volumeStatus");
	xml_z(x, "status", i->status);
	xml_open(x, "details");
	xml_open(x, "item");
	xml_z(x, "name", "io-enabled");
	xml_z(x, "status", i->io);
	xml_close(x, "item");
	xml_close(x, "details");
	xml_close(x, "volumeStatus");
	xml_empty(x, "eventsSet");
	xml_empty(x, "actionsSet");
}

static bool fits_status(const struct filter_run *f, const struct row *row)
{
	const char *status = status_of(f->t, volume_of(row));
	bool is_detail = str_ends_with(str_from(f->filter->name), STR("details-status"));
	return filter_z(f, is_detail ? io_of(status) : status);
}

static bool fits_zone(const struct filter_run *f, const struct row *row)
{
	return filter_zone(f, volume_of(row)->zone);
}

static const struct filter status_filters[] = {
	{"availability-zone", .get = fits_zone},
	{"volume-status.status", .get = fits_status},
	{"volume-status.details-name", .fixed = "io-enabled"},
	{"volume-status.details-status", .get = fits_status},
	{"action.code", .get = filter_nothing},
	{"action.description", .get = filter_nothing},
	{"action.event-id", .get = filter_nothing},
	{"event.description", .get = filter_nothing},
	{"event.event-id", .get = filter_nothing},
	{"event.event-type", .get = filter_nothing},
	{"event.not-after", .get = filter_nothing},
	{"event.not-before", .get = filter_nothing},
	{"attachment-status.instance-id", .get = filter_nothing},
	{"attachment-status.io-performance", .get = filter_nothing},
};

static const struct ec2_listing status_listing = {.kind = KIND_VOLUME,
						  .set = "volumeStatusSet",
						  .filters = FILTERS(status_filters),
						  .gather = gather_status,
						  .write = write_status};

static const struct param describe_status_params[] = {
	QUERY_IDS(struct ec2_describe_modifications, "VolumeId", KIND_VOLUME, "Volumes by id."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_modifications),
	QUERY_PAGES(struct ec2_describe_modifications, 5, 1000),
};

/* ---- attributes ---- */

struct ec2_modify_attribute {
	struct volume_settings wish;
};
static const struct param modify_attribute_params[] = {
	PARAM(struct ec2_modify_attribute, "VolumeId", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	      .doc = "The volume."),
	PARAM(struct ec2_modify_attribute, "AutoEnableIO.Value", wish.auto_enable_io, .flags = REQUIRED,
	      .doc = "Kept and shown: I/O is never held back here."),
};

struct ec2_describe_attribute {
	struct ref volume;
	struct str attribute;
};
static const struct param describe_attribute_params[] = {
	PARAM(struct ec2_describe_attribute, "VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	      .doc = "The volume."),
	PARAM(struct ec2_describe_attribute, "Attribute", attribute, .flags = REQUIRED,
	      .words = "autoEnableIO|productCodes", UNKNOWN_ATTRIBUTE, .doc = "What is asked for."),
};

static RESULT ec2_describe_attribute(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_attribute *a = args;
	const struct volume *v = 0;
	TRY(engine_find_own_volume(e->c, ec2_tables(e), &a->volume, &v));
	ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
	if (str_is(a->attribute, "productCodes")) {
		xml_empty(x, "productCodes");
		return OK;
	}
	xml_open(x, "autoEnableIO");
	xml_bool(x, "value", v->auto_enable_io);
	xml_close(x, "autoEnableIO");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("ModifyVolumeAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_attribute, modify_attribute_params),
	 .operation = engine_update_volume_run,
	 .doc = "Says whether a volume's I/O is to go on after trouble."},
	{EC2_ACTION("DescribeVolumeAttribute"),
	 .args = PARAMS(struct ec2_describe_attribute, describe_attribute_params),
	 .answer = ec2_describe_attribute, .doc = "One attribute of a volume."},
	{EC2_ACTION("ModifyVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_volume, modify_volume_params), .prepare = prepare_modify,
	 .operation = engine_modify_volume_run, .returns = KIND_VOLUME, .answer = ec2_modify_volume,
	 .doc = "Grows a disk, in use or not, or changes its type."},
	{EC2_ACTION("DescribeVolumesModifications"),
	 .args = PARAMS(struct ec2_describe_modifications, describe_modifications_params),
	 .answer = ec2_describe_modifications, .filters = FILTERS(modification_filters),
	 .doc = "The last modification of each volume that had one."},
	{EC2_ACTION("DescribeVolumeStatus"),
	 .args = PARAMS(struct ec2_describe_modifications, describe_status_params), .list = &status_listing,
	 .doc = "Whether disks are there and their hosts answer."},
};
const struct api_actions ec2_volume_more_actions = API_ACTIONS(actions);
