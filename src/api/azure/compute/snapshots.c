/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of disks. All are incremental in storage; "incremental" is shown as the request said it. Source:
 * Azure REST API reference, "Snapshots", 2023-04-02.
 */
#include "api/azure/compute/compute.h"

#include "engine/storage/snapshot/snapshot.h"
#include "engine/tag.h"
#include "model/state.h"
#include "model/states.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define GIB (INT64_C(1) << 30)

/* ---- what is shown ---- */

static struct str get_source(struct api_call *core, const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const json_t *said = json_object_get(az_said(e, row->id), "properties.creationData.sourceResourceId");
	uuid volume = snapshot_of(row)->volume;
	if (said)
		return str_copy(core->c->arena, str_from(json_string_value(said)));
	return volume_find(az_tables(e), volume) ? az_id_of(e, AZ_DISKS, KIND_VOLUME, volume) : STR_NONE;
}

AZ_GETTER(snapshot, s, const char *, get_state,
	  model_derive_snapshot_state(s) == SNAPSHOT_PENDING ? "Creating"
	  : model_derive_snapshot_state(s) == SNAPSHOT_ERROR ? "Failed"
							     : "Succeeded")

static const struct member properties[] = {
	MEMBER_WITH("creationData", MEMBER_FIXED("createOption", "\"Copy\""),
		    MEMBER_MADE(TEXT, text, "sourceResourceId", get_source, .is_optional = true)),
	MEMBER(struct snapshot, "diskSizeGB", volume_size, .shift = 30),
	MEMBER(struct snapshot, "diskSizeBytes", volume_size),
	AZ_PLATFORM_ENCRYPTION,
	AZ_SAID("properties.", "incremental", NULL),
	AZ_SAID("properties.", "osType", NULL),
	AZ_SAID("properties.", "hyperVGeneration", NULL),
	AZ_ACCESS_POLICIES,
	MEMBER(struct row, "uniqueId", id),
	MEMBER_FIXED("diskState", "\"Unattached\""),
	MEMBER_AS(struct snapshot, REAL, "completionPercent", progress),
	MEMBER_AS(struct row, TIME, "timeCreated", created_us),
	MEMBER_MADE(WORD, word, "provisioningState", get_state),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_SAID("", "sku", NULL),
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing snapshots = {
	.kind = KIND_SNAPSHOT, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- changes ---- */

struct creation {
	struct str option, source;
};
struct snapshot_says {
	struct creation creation;
	struct str network, public_access;
	struct az_encryption encryption;
	int64_t gib;
};
struct snapshot_args {
	struct snapshot_says properties;
	struct snapshot_wish of_disk;
	struct snapshot_copying of_snapshot;
	bool is_new, is_copy;
	uuid id;
};
static const struct param creation_rows[] = {
	PARAM(struct creation, "createOption", option, .words = "Copy",
	      .doc = "Source: only Copy, of a disk or a snapshot."),
	PARAM(struct creation, "sourceResourceId", source, .doc = "Disk or snapshot to copy."),
	NOT_BUILT("sourceUri|storageAccountId|imageReference|galleryImageReference|uploadSizeBytes"),
	NOT_BUILT("logicalSectorSize|securityDataUri|securityMetadataUri|performancePlus|"
		  "elasticSanResourceId|provisionedBandwidthCopySpeed|instantAccessDurationMinutes"),
	AZ_READ_ONLY("sourceUniqueId"),
};
static const struct params creation_params = PARAMS(struct creation, creation_rows, .object = "CreationData");
static const struct param property_rows[] = {
	PARAM_OBJECT(struct snapshot_says, "creationData", creation, creation_params,
		     .doc = "Source of the snapshot."),
	NOT_BUILT("diskAccessId|securityProfile|copyCompletionError"),
	PARAM(struct snapshot_says, "networkAccessPolicy", network, .words = "AllowAll|DenyAll",
	      .doc = "DenyAll: no access by URL can be granted."),
	PARAM(struct snapshot_says, "publicNetworkAccess", public_access, .words = "Enabled|Disabled",
	      .doc = "Disabled: no access by URL can be granted."),
	PARAM_OBJECT(struct snapshot_says, "encryption", encryption, az_encryption_params,
		     .doc = "Encryption with the region's keys."),
	PARAM(struct snapshot_says, "diskSizeGB", gib, .min = 1, .max = 65536,
	      .doc = "Size of the source in GiB, if given."),
	AZ_KEPT("osType|hyperVGeneration"),
	NOT_BUILT("purchasePlan|supportedCapabilities|encryptionSettingsCollection|supportsHibernation"),
	NOT_BUILT("dataAccessAuthMode", .only = "None"),
	AZ_KEPT("incremental"),
	AZ_READ_ONLY("timeCreated|diskSizeBytes|diskState|uniqueId|provisioningState|"
		     "incrementalSnapshotFamilyId|snapshotAccessState|immutabilityPolicy|completionPercent"),
};
static const struct params property_params =
	PARAMS(struct snapshot_says, property_rows, .object = "SnapshotProperties");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct snapshot_args, "properties", properties, property_params,
		     .doc = "Source and settings of the snapshot."),
	NOT_BUILT("extendedLocation"),
	AZ_KEPT("sku"),
	AZ_READ_ONLY("managedBy"),
	AZ_RESOURCE,
};

/* Refuses a size other than the source's. */
static RESULT check_size(struct az_call *e, int64_t gib, int64_t size)
{
	return !gib || gib == size / GIB
		       ? OK
		       : az_fail(e, "properties.diskSizeGB",
				 "The value of parameter properties.diskSizeGB is invalid. It must be "
				 "%lld, as its source's.",
				 (long long) (size / GIB));
}

static RESULT prepare(struct az_call *e, void *args)
{
	static const char field[] = "properties.creationData.sourceResourceId";
	struct snapshot_args *a = args;
	const struct creation *c = &a->properties.creation;
	const struct row *row = NULL;
	a->id = e->target;
	if (!uuid_is_none(e->target))
		return OK;
	a->is_new = true;
	if (!c->source.n)
		return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
				      "Required parameter 'sourceResourceId' is missing (null).");
	a->is_copy = str_contains(str_lower(e->c->arena, c->source), STR("/microsoft.compute/snapshots/"));
	if (a->is_copy) {
		TRY(az_find_id(e, field, c->source, AZ_SNAPSHOTS, KIND_SNAPSHOT, &row));
		a->of_snapshot.source = ref_by_id(KIND_SNAPSHOT, row->id);
		return check_size(e, a->properties.gib, snapshot_of(row)->volume_size);
	}
	TRY(az_find_id(e, field, c->source, AZ_DISKS, KIND_VOLUME, &row));
	a->of_disk = (struct snapshot_wish){.volume = ref_by_id(KIND_VOLUME, row->id), .name = e->put.name};
	return check_size(e, a->properties.gib, volume_of(row)->size);
}

static RESULT put(struct op *op, void *args)
{
	struct snapshot_args *a = args;
	if (!a->is_new)
		return OK;
	TRY(a->is_copy ? engine_copy_snapshot(op, &a->of_snapshot) : engine_create_snapshot(op, &a->of_disk));
	a->id = a->is_copy ? a->of_snapshot.snapshot : a->of_disk.snapshot;
	return OK;
}

struct delete_args {
	struct snapshot_target wish;
};

#define SNAPSHOTS AZ_COMPUTE "/snapshots"
#define SNAPSHOT AZ_GROUP SNAPSHOTS "/{snapshotName}"
#define KEEPS                                                                                                \
	"sku|properties.incremental|properties.creationData.sourceResourceId|properties.osType|"             \
	"properties.hyperVGeneration|" AZ_NETWORK_ACCESS "|" AZ_PUBLIC_ACCESS
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION SNAPSHOTS, .name = "Snapshots_List", .permit = "ec2:DescribeSnapshots",
	 .type = AZ_SNAPSHOTS, .listing = &snapshots, .doc = "Lists the subscription's snapshots."},
	{HTTP_GET, AZ_GROUP SNAPSHOTS, .name = "Snapshots_ListByResourceGroup",
	 .permit = "ec2:DescribeSnapshots", .type = AZ_SNAPSHOTS, .listing = &snapshots,
	 .doc = "Lists a resource group's snapshots."},
	{HTTP_GET, SNAPSHOT, .name = "Snapshots_Get", .permit = "ec2:DescribeSnapshots", .type = AZ_SNAPSHOTS,
	 .kind = KIND_SNAPSHOT, .names = "snapshotName", .shows = &snapshots, .doc = "Gets one snapshot."},
	{HTTP_PUT, SNAPSHOT, .name = "Snapshots_CreateOrUpdate", .permit = "ec2:CreateSnapshot",
	 .flags = API_WRITES | AZ_PUT | AZ_IS_202, .type = AZ_SNAPSHOTS, .kind = KIND_SNAPSHOT,
	 .names = "snapshotName", .keeps = KEEPS,
	 .fixed = "properties.creationData.sourceResourceId:creationData.sourceResourceId|"
		  "properties.diskSizeGB:diskSizeGB|properties.incremental:incremental",
	 .args = PARAMS(struct snapshot_args, put_rows, .object = "Snapshot"), .prepare = prepare,
	 .operation = put, .returns = KIND_SNAPSHOT, AZ_SUBJECT(struct snapshot_args, id),
	 .shows = &snapshots, .outcome = ASYNC_JOB_OUTCOME_MADE,
	 .doc = "Creates a snapshot of a disk, or copies a snapshot."},
	{HTTP_PATCH, SNAPSHOT, .name = "Snapshots_Update", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, .type = AZ_SNAPSHOTS, .kind = KIND_SNAPSHOT, .names = "snapshotName",
	 .args = {0, 0, sizeof(struct tags_wish)}, .prepare = az_prepare_tags,
	 .operation = engine_replace_tags_run, .returns = KIND_SNAPSHOT, .shows = &snapshots,
	 .doc = "Changes a snapshot's tags."},
	{HTTP_DELETE, SNAPSHOT, .name = "Snapshots_Delete", .permit = "ec2:DeleteSnapshot",
	 .flags = API_WRITES, .type = AZ_SNAPSHOTS, .kind = KIND_SNAPSHOT, .names = "snapshotName",
	 .args = {0, 0, sizeof(struct delete_args)}, AZ_TARGET(struct delete_args, wish.snapshot),
	 .operation = engine_delete_snapshot_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .doc = "Deletes a snapshot."},
};
const struct api_actions az_snapshot_actions = API_ACTIONS(actions);
