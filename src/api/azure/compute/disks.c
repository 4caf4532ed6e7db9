/* SPDX-License-Identifier: Apache-2.0
 * Managed disks. access.c gives access to their data. Source: Azure REST API reference, "Disks", 2023-04-02.
 */
#include "api/azure/compute/compute.h"

#include "base/clock.h"
#include "engine/storage/disk_access.h"
#include "engine/storage/volume/volume.h"
#include "model/state.h"
#include "model/states.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define GIB (INT64_C(1) << 30)
enum { DISK_GIB_MAX = 65536 };

/* ---- what is shown ---- */

static const char *get_disk_state(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct volume *v = volume_of(row);
	const struct instance *i = instance_find(t, v->instance);
	const struct image *access = engine_find_disk_access(t, v->account, v->row.id);
	if (access && engine_get_disk_access_end(access) > clock_now_us())
		return "ActiveSAS";
	if (!i)
		return "Unattached";
	enum instance_state state = model_derive_instance_state(i);
	return state == INSTANCE_STOPPED ? "Reserved" : "Attached";
}

/* creationData of a disk: as the PUT said it, or derived from the row for disks of other faces. */
struct made_of {
	uuid disk; /* none: the PUT said nothing */
	struct str option, source;
	const json_t *image; /* NULL: the PUT named none */
};

static struct made_of made_of(struct az_call *e, const struct volume *v)
{
	const json_t *said = az_said(e, v->row.id);
	const char *option = json_string_value(json_object_get(said, "properties.creationData.createOption"));
	const json_t *source = json_object_get(said, "properties.creationData.sourceResourceId");
	if (option)
		return (struct made_of){v->row.id, str_from(option), str_from(json_string_value(source)),
					json_object_get(said, "properties.creationData.imageReference")};
	bool has_source = snapshot_find(az_tables(e), v->snapshot);
	return (struct made_of){.option = uuid_is_none(v->snapshot) ? STR("Empty") : STR("Copy"),
				.source = has_source ? az_id_of(e, AZ_SNAPSHOTS, KIND_SNAPSHOT, v->snapshot)
						     : STR_NONE};
}

static const void *find_made_of(struct api_call *core, const struct row *row)
{
	struct made_of *of = arena_new_object(core->c->arena, struct made_of);
	if (of)
		*of = made_of(az_call_of(core), volume_of(row));
	return of;
}

static bool has_image(struct api_call *core, const struct row *row)
{
	(void) core;
	return ((const struct made_of *) (const void *) row)->image != NULL;
}

AZ_GETTER(volume, v, struct str, get_sku, az_sku_of_type(v->type))
AZ_GETTER(volume, v, const char *, get_tier, az_tier_of_type(v->type))
AZ_GETTER(volume, v, int64_t, get_iops, engine_volume_iops(v))
AZ_GETTER(volume, v, int64_t, get_throughput, engine_volume_throughput(v))
AZ_GETTER(volume, v, const char *, get_state,
	  model_derive_volume_state(v) == VOLUME_CREATING ? "Creating"
	  : model_derive_volume_state(v) == VOLUME_ERROR  ? "Failed"
							  : "Succeeded")

static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	(void) args;
	return !volume_of(row)->is_medium && az_is_in_group(az_call_of(core), row);
}

static const struct member creation[] = {
	MEMBER(struct made_of, "createOption", option),
	MEMBER(struct made_of, "sourceResourceId", source, .is_optional = true),
	AZ_FORM_OF("imageReference", az_form_said, .arg = "properties.creationData.imageReference",
		   .offset = offsetof(struct made_of, disk), .shows = has_image),
};
static const struct member properties[] = {
	AZ_SAID("properties.", "osType", NULL),
	AZ_SAID("properties.", "hyperVGeneration", NULL),
	MEMBER_OBJECT("creationData", creation, .find = find_made_of),
	MEMBER(struct volume, "diskSizeGB", size, .shift = 30),
	MEMBER(struct volume, "diskSizeBytes", size),
	MEMBER_MADE(INT, number, "diskIOPSReadWrite", get_iops),
	MEMBER_MADE(INT, number, "diskMBpsReadWrite", get_throughput),
	AZ_PLATFORM_ENCRYPTION,
	AZ_ACCESS_POLICIES,
	MEMBER(struct row, "uniqueId", id),
	MEMBER_AS(struct row, TIME, "timeCreated", created_us),
	MEMBER_MADE(WORD, word, "provisioningState", get_state),
	MEMBER_MADE(WORD, word, "diskState", get_disk_state),
};
static const struct member members[] = {
	AZ_HEAD,
	MEMBER_WITH("sku", MEMBER_TEXT("name", get_sku), MEMBER_MADE(WORD, word, "tier", get_tier)),
	AZ_ZONES(struct volume),
	AZ_ID(struct volume, "managedBy", instance, AZ_MACHINES, KIND_INSTANCE),
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing disks = {
	.kind = KIND_VOLUME, .item = "value", .matches = matches, .members = MEMBERS(members)};

/* ---- PUT and PATCH ---- */

struct creation {
	struct str option, source;
	struct az_image_reference image;
};
struct disk_says {
	struct str network, public_access;
	struct az_encryption encryption;
	struct creation creation;
	int64_t gib, iops, throughput;
};
struct disk_args {
	struct az_sku sku;
	struct strs zones;
	struct disk_says properties;
	struct volume_wish make;
	struct volume_modifying change;
	uuid id;
	bool is_new, changes;
};

static const struct param creation_rows[] = {
	PARAM(struct creation, "createOption", option, .words = "Empty|Copy|FromImage",
	      .doc = "Source: Empty, Copy or FromImage."),
	PARAM(struct creation, "sourceResourceId", source, .doc = "Copy: the snapshot or disk to copy."),
	PARAM_OBJECT(struct creation, "imageReference", image, az_image_reference_params,
		     .doc = "FromImage: the image."),
	NOT_BUILT("sourceUri|storageAccountId|galleryImageReference|uploadSizeBytes|securityDataUri|"
		  "logicalSectorSize"),
	NOT_BUILT("securityMetadataUri|performancePlus|elasticSanResourceId|provisionedBandwidthCopySpeed|"
		  "instantAccessDurationMinutes"),
	AZ_READ_ONLY("sourceUniqueId"),
};
static const struct params creation_params = PARAMS(struct creation, creation_rows, .object = "CreationData");
static const struct param property_rows[] = {
	PARAM_OBJECT(struct disk_says, "creationData", creation, creation_params,
		     .doc = "Source of the disk."),
	PARAM(struct disk_says, "diskSizeGB", gib, .min = 1, .max = DISK_GIB_MAX,
	      .doc = "Size in GiB; absent: the size of the source."),
	PARAM(struct disk_says, "diskIOPSReadWrite", iops, .doc = "IOPS limit."),
	PARAM(struct disk_says, "diskMBpsReadWrite", throughput, .doc = "Throughput limit in MB/s."),
	NOT_BUILT("diskAccessId|securityProfile|diskIOPSReadOnly|diskMBpsReadOnly"),
	NOT_BUILT("burstingEnabled", .only = "false"),
	NOT_BUILT("maxShares", .only = "1"),
	PARAM(struct disk_says, "networkAccessPolicy", network, .words = "AllowAll|DenyAll",
	      .doc = "DenyAll: no access by URL can be granted."),
	PARAM(struct disk_says, "publicNetworkAccess", public_access, .words = "Enabled|Disabled",
	      .doc = "Disabled: no access by URL can be granted."),
	PARAM_OBJECT(struct disk_says, "encryption", encryption, az_encryption_params,
		     .doc = "Encryption with the region's keys."),
	NOT_BUILT("purchasePlan|supportedCapabilities|encryptionSettingsCollection|tier|supportsHibernation|"
		  "optimizedForFrequentAttach|availabilityPolicy"),
	NOT_BUILT("dataAccessAuthMode", .only = "None"),
	AZ_KEPT("osType|hyperVGeneration"),
	AZ_READ_ONLY(
		"timeCreated|diskSizeBytes|uniqueId|provisioningState|diskState|shareInfo|"
		"burstingEnabledTime|propertyUpdatesInProgress|LastOwnershipUpdateTime|completionPercent"),
};
static const struct params property_params =
	PARAMS(struct disk_says, property_rows, .object = "DiskProperties");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct disk_args, "sku", sku, az_sku_params,
		     .doc = "SKU, such as Standard_LRS or Premium_LRS."),
	PARAM(struct disk_args, "zones", zones, .doc = "Availability zone by number."),
	PARAM_OBJECT(struct disk_args, "properties", properties, property_params,
		     .doc = "Source, size and settings of the disk."),
	NOT_BUILT("extendedLocation|managedByExtended"),
	AZ_READ_ONLY("managedBy"),
	AZ_RESOURCE,
};

static RESULT take_source(struct az_call *e, const struct creation *c, struct disk_wish *disk)
{
	const struct row *row = NULL;
	const struct image *image = NULL;
	const char *field = "properties.creationData.sourceResourceId";
	if (!c->option.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("properties.creationData.createOption"),
				      "Required parameter 'createOption' is missing (null).");
	if (str_is(c->option, "FromImage")) {
		TRY(az_find_image(e, "properties.creationData.imageReference", &c->image, &image));
		disk->image = ref_by_id(KIND_IMAGE, image->row.id);
	}
	if (!str_is(c->option, "Copy"))
		return OK;
	if (!c->source.n)
		return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
				      "Required parameter 'sourceResourceId' is missing (null).");
	bool is_disk = str_contains(str_lower(e->c->arena, c->source), STR("/microsoft.compute/disks/"));
	if (is_disk)
		TRY(az_find_id(e, field, c->source, AZ_DISKS, KIND_VOLUME, &row));
	else
		TRY(az_find_id(e, field, c->source, AZ_SNAPSHOTS, KIND_SNAPSHOT, &row));
	*(is_disk ? &disk->copied : &disk->snapshot) =
		ref_by_id(is_disk ? KIND_VOLUME : KIND_SNAPSHOT, row->id);
	return OK;
}

static RESULT prepare_new(struct az_call *e, struct disk_args *a)
{
	const struct disk_says *p = &a->properties;
	a->is_new = true;
	a->make.disk =
		(struct disk_wish){.size = p->gib * GIB,
				   .iops = p->iops,
				   .throughput = p->throughput,
				   .type = az_type_of_sku(a->sku.name.n ? a->sku.name : STR("Standard_LRS")),
				   .field = STR("properties.diskSizeGB")};
	a->make.name = e->put.name;
	TRY(az_find_zone(e, &a->zones, &a->make.zone));
	if (str_is(p->creation.option, "Empty") && !p->gib)
		return ctx_fail_field(e->c, ERR_MISSING, STR("properties.diskSizeGB"),
				      "Required parameter 'disk.diskSizeGB' is missing (null).");
	return take_source(e, &p->creation, &a->make.disk);
}

/* Checks creationData of an existing disk: absent or as before, since it cannot change. */
static RESULT check_creation(struct az_call *e, const struct creation *c, const struct volume *v)
{
	struct made_of of = made_of(e, v);
	TRY(az_check_unchanged(e, "creationData.createOption", c->option, of.option));
	TRY(az_check_unchanged(e, "creationData.sourceResourceId", c->source, of.source));
	return az_check_unchanged(e, "creationData.imageReference.id", c->image.id,
				  str_from(json_string_value(json_object_get(of.image, "id"))));
}

/* Leaves out values that are as before: az sends whole objects back. */
static RESULT prepare_change(struct az_call *e, struct disk_args *a)
{
	const struct volume *v = volume_find(az_tables(e), e->target);
	const struct disk_says *p = &a->properties;
	struct str type = a->sku.name.n ? az_type_of_sku(a->sku.name) : v->type;
	bool is_other_type = !str_equal(az_sku_of_type(type), az_sku_of_type(v->type));
	a->id = e->target;
	a->change = (struct volume_modifying){.volume = az_target_ref(e)};
	TRY(check_creation(e, &p->creation, v));
	if (p->gib && p->gib * GIB < v->size)
		return ctx_fail_field(e->c, ERR_STATE, STR("properties.diskSizeGB"),
				      "Disk size cannot be reduced: it is %lld GB.",
				      (long long) (v->size / GIB));
	a->change.size = p->gib * GIB > v->size ? p->gib * GIB : 0;
	a->change.type = is_other_type ? str_copy(e->c->arena, type) : STR_NONE;
	a->change.iops = p->iops && p->iops != engine_volume_iops(v) ? p->iops : 0;
	a->change.throughput =
		p->throughput && p->throughput != engine_volume_throughput(v) ? p->throughput : 0;
	a->changes = a->change.size || is_other_type || a->change.iops || a->change.throughput;
	return OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	return uuid_is_none(e->target) ? prepare_new(e, args) : prepare_change(e, args);
}

static RESULT put(struct op *op, void *args)
{
	struct disk_args *a = args;
	if (!a->is_new)
		return a->changes ? engine_modify_volume(op, &a->change) : OK;
	TRY(engine_create_volume(op, &a->make));
	a->id = a->make.volume;
	return OK;
}

/* ---- DELETE ---- */

struct delete_args {
	struct volume_target wish;
};

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct delete_args *a = args;
	const struct volume *v = volume_find(az_tables(e), e->target);
	if (!uuid_is_none(v->instance))
		return ctx_fail(e->c, ERR_STATE, "Disk %" STR_FMT " is attached to VM %" STR_FMT ".",
				STR_ARG(az_name_of(e, AZ_DISKS, KIND_VOLUME, e->target)),
				STR_ARG(az_id_of(e, AZ_MACHINES, KIND_INSTANCE, v->instance)));
	a->wish.volume = az_target_ref(e);
	return OK;
}

#define DISKS AZ_COMPUTE "/disks"
#define DISK AZ_GROUP DISKS "/{diskName}"
#define KEEPS                                                                                                \
	"zones|properties.osType|properties.hyperVGeneration|properties.creationData.createOption|"          \
	"properties.creationData.sourceResourceId|properties.creationData.imageReference|" AZ_NETWORK_ACCESS \
	"|" AZ_PUBLIC_ACCESS
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION DISKS, .name = "Disks_List", .permit = "ec2:DescribeVolumes",
	 .type = AZ_DISKS, .listing = &disks, .doc = "Lists the subscription's disks."},
	{HTTP_GET, AZ_GROUP DISKS, .name = "Disks_ListByResourceGroup", .permit = "ec2:DescribeVolumes",
	 .type = AZ_DISKS, .listing = &disks, .doc = "Lists a resource group's disks."},
	{HTTP_GET, DISK, .name = "Disks_Get", .permit = "ec2:DescribeVolumes", .type = AZ_DISKS,
	 .kind = KIND_VOLUME, .names = "diskName", .shows = &disks, .doc = "Gets one disk."},
	{HTTP_PUT, DISK, .name = "Disks_CreateOrUpdate", .permit = "ec2:CreateVolume",
	 .flags = API_WRITES | AZ_PUT | AZ_IS_202, .type = AZ_DISKS, .kind = KIND_VOLUME, .names = "diskName",
	 .keeps = KEEPS, .fixed = "zones:zones", .args = PARAMS(struct disk_args, put_rows, .object = "Disk"),
	 .prepare = prepare, .operation = put, .returns = KIND_VOLUME, AZ_SUBJECT(struct disk_args, id),
	 .shows = &disks, .outcome = ASYNC_JOB_OUTCOME_MADE, .doc = "Creates or changes a disk."},
	{HTTP_PATCH, DISK, .name = "Disks_Update", .permit = "ec2:ModifyVolume",
	 .flags = API_WRITES | AZ_PATCH, .type = AZ_DISKS, .kind = KIND_VOLUME, .names = "diskName",
	 .keeps = KEEPS, .fixed = "zones:zones", .args = PARAMS(struct disk_args, put_rows, .object = "Disk"),
	 .prepare = prepare, .operation = put, .returns = KIND_VOLUME, AZ_SUBJECT(struct disk_args, id),
	 .shows = &disks, .outcome = ASYNC_JOB_OUTCOME_MADE, .doc = "Changes a disk."},
	{HTTP_DELETE, DISK, .name = "Disks_Delete", .permit = "ec2:DeleteVolume", .flags = API_WRITES,
	 .type = AZ_DISKS, .kind = KIND_VOLUME, .names = "diskName",
	 .args = {0, 0, sizeof(struct delete_args)}, .prepare = prepare_delete,
	 .operation = engine_delete_volume_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .doc = "Deletes a disk that is not attached."},
};
const struct api_actions az_disk_actions = API_ACTIONS(actions);
