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

/* The values before the last modification. */
static struct volume volume_before(const struct volume *v)
{
	return (struct volume){.size = v->before_size,
			       .type = v->before_type,
			       .iops = v->before_iops,
			       .throughput = v->before_throughput};
}

static int64_t get_iops_before(struct api_call *e, const struct row *row)
{
	const struct volume before = volume_before(volume_of(row));
	(void) e;
	return engine_volume_iops(&before);
}

static int64_t get_throughput_before(struct api_call *e, const struct row *row)
{
	const struct volume before = volume_before(volume_of(row));
	(void) e;
	return engine_volume_throughput(&before);
}

ATTRIBUTE_GETTER(volume, v, int64_t, get_iops, engine_volume_iops(v))
ATTRIBUTE_GETTER(volume, v, int64_t, get_throughput, engine_volume_throughput(v))
ATTRIBUTE_GETTER(volume, v, const char *, get_modification_state,
		 v->modified_end_us ? "completed" : "modifying")
ATTRIBUTE_GETTER(volume, v, int64_t, get_progress, v->modified_end_us ? 100 : 0)

#define OMIT .flags = ATTRIBUTE_OMIT_NONE
static const struct attribute modification_rows[] = {
	ATTRIBUTE_OWN_ID(volume, "volumeId", KIND_VOLUME, .filter = "volume-id"),
	ATTRIBUTE_MADE(WORD, word, "modificationState", get_modification_state,
		       .filter = "modification-state"),
	ATTRIBUTE(volume, "targetSize", size, .shift = 30, .filter = "target-size"),
	ATTRIBUTE_MADE(INT, number, "targetIops", get_iops, OMIT, .filter = "target-iops"),
	ATTRIBUTE(volume, "targetVolumeType", type, .filter = "target-volume-type"),
	ATTRIBUTE_MADE(INT, number, "targetThroughput", get_throughput, OMIT),
	ATTRIBUTE(volume, "targetMultiAttachEnabled", is_shared, .filter = "targetMultiAttachEnabled"),
	ATTRIBUTE(volume, "originalSize", before_size, .shift = 30, .filter = "original-size"),
	ATTRIBUTE_MADE(INT, number, "originalIops", get_iops_before, OMIT, .filter = "original-iops"),
	ATTRIBUTE(volume, "originalVolumeType", before_type, .filter = "original-volume-type"),
	ATTRIBUTE_MADE(INT, number, "originalThroughput", get_throughput_before, OMIT),
	ATTRIBUTE(volume, "originalMultiAttachEnabled", before_shared,
		  .filter = "originalMultiAttachEnabled"),
	ATTRIBUTE_MADE(INT, number, "progress", get_progress),
	ATTRIBUTE_AS(TIME, volume, "startTime", modified_us, .filter = "start-time"),
	ATTRIBUTE_AS(TIME, volume, "endTime", modified_end_us, OMIT),
};
static const struct attributes modification_members = ATTRIBUTES(modification_rows);

static const struct ec2_listing modification_listing = {.kind = KIND_VOLUME,
							.set = "volumeModificationSet",
							.filters = FILTERS_OF(modification_members),
							.shows = is_modified,
							.attributes = &modification_members};

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
	  .doc = "The volume, attached or not."),
	P("Size", gib, .min = 1, .max = EC2_GIB_MAX, .doc = "New size in GiB, not below the present one."),
	P("VolumeType", wish.type, .words = EC2_VOLUME_TYPES,
	  .doc = "New volume type: limits IOPS and throughput."),
	P("Iops", wish.iops, .min = 1, .max = EC2_IOPS_MAX, .doc = "IOPS limit of the volume."),
	P("Throughput", wish.throughput, .min = 1, .max = EC2_IOPS_MAX,
	  .doc = "Throughput limit of the volume in MiB/s."),
	P("MultiAttachEnabled", wish.is_shared,
	  .doc = "Whether an io2 volume can be attached to several instances. Fails if the volume is "
		 "attached."),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_volume *a = args;
	(void) e;
	a->wish.size = a->gib << 30;
	return OK;
}

/* ---- status ---- */

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

ATTRIBUTE_GETTER(volume, v, const char *, get_status, status_of(api_tables(e), v))
ATTRIBUTE_GETTER(volume, v, const char *, get_io, io_of(status_of(api_tables(e), v)))

static struct attribute_rows list_details(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, 1, 0);
}

#define WITHIN .flags = ATTRIBUTE_FILTERS_WITHIN
static const struct attribute detail_rows[] = {
	ATTRIBUTE_CONST("name", "io-enabled", .filter = "volume-status.details-name"),
	ATTRIBUTE_MADE(WORD, word, "status", get_io, .filter = "volume-status.details-status"),
};
static const struct attributes detail_members = ATTRIBUTES(detail_rows);
static const struct attribute whole_rows[] = {
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "volume-status.status"),
	ATTRIBUTE_ROWS("details", detail_members, list_details, WITHIN),
};
static const struct attributes whole_members = ATTRIBUTES(whole_rows);
static const struct attribute status_rows[] = {
	ATTRIBUTE_OWN_ID(volume, "volumeId", KIND_VOLUME),
	ATTRIBUTE_OF(volume, zone, KIND_ZONE, zone, "availabilityZone", name, .filter = "availability-zone"),
	ATTRIBUTE_WITHIN("volumeStatus", whole_members, WITHIN),
	EC2_EMPTY_SET("eventsSet"),
	EC2_EMPTY_SET("actionsSet"),
	ATTRIBUTE_NOTHING("action.code"),
	ATTRIBUTE_NOTHING("action.description"),
	ATTRIBUTE_NOTHING("action.event-id"),
	ATTRIBUTE_NOTHING("event.description"),
	ATTRIBUTE_NOTHING("event.event-id"),
	ATTRIBUTE_NOTHING("event.event-type"),
	ATTRIBUTE_NOTHING("event.not-after"),
	ATTRIBUTE_NOTHING("event.not-before"),
	ATTRIBUTE_NOTHING("attachment-status.instance-id"),
	ATTRIBUTE_NOTHING("attachment-status.io-performance"),
};
static const struct attributes status_members = ATTRIBUTES(status_rows);

static const struct ec2_listing status_listing = {.kind = KIND_VOLUME,
						  .set = "volumeStatusSet",
						  .filters = FILTERS_OF(status_members),
						  .attributes = &status_members};

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
	      .doc = "Stored and shown. I/O is never suspended here."),
};

struct ec2_describe_attribute {
	struct ref volume;
	struct str attribute;
};
static const struct param describe_attribute_params[] = {
	PARAM(struct ec2_describe_attribute, "VolumeId", volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	      .doc = "The volume."),
	PARAM(struct ec2_describe_attribute, "Attribute", attribute, .flags = REQUIRED,
	      .words = "autoEnableIO|productCodes", UNKNOWN_ATTRIBUTE, .doc = "Name of the attribute."),
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
	 .operation = engine_update_volume_run, .doc = "Changes the AutoEnableIO attribute of a volume."},
	{EC2_ACTION("DescribeVolumeAttribute"),
	 .args = PARAMS(struct ec2_describe_attribute, describe_attribute_params),
	 .answer = ec2_describe_attribute, .doc = "Returns one attribute of a volume."},
	{EC2_ACTION("ModifyVolume"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_volume, modify_volume_params), .prepare = prepare_modify,
	 .operation = engine_modify_volume_run, .returns = KIND_VOLUME,
	 EC2_SHOWS(modification_listing, struct ec2_modify_volume, wish.modified_volume,
		   "volumeModification"),
	 .doc = "Enlarges a volume or changes its type, attached or not."},
	{EC2_ACTION("DescribeVolumesModifications"),
	 .args = PARAMS(struct ec2_describe_modifications, describe_modifications_params),
	 .answer = ec2_describe_modifications, .items = &modification_listing,
	 .doc = "Lists the last modification of each volume."},
	{EC2_ACTION("DescribeVolumeStatus"),
	 .args = PARAMS(struct ec2_describe_modifications, describe_status_params), .list = &status_listing,
	 .doc = "Lists the status of volumes: whether they exist and their hosts are reachable."},
};
const struct api_actions ec2_volume_more_actions = API_ACTIONS(actions);
