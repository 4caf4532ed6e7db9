/* SPDX-License-Identifier: Apache-2.0
 * Managed images of the subscription, made from a generalized machine or from disks and snapshots. Source:
 * Azure REST API reference, "Images", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "base/vec.h"
#include "engine/instance/instance.h"
#include "engine/storage/image/image.h"
#include "engine/tag.h"
#include "model/state.h"
#include "model/states.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/volume_type.h"

#define GIB (INT64_C(1) << 30)
enum { DATA_DISKS_MAX = 24 };

/* ---- what is shown ---- */

static bool is_root(const struct image *i, const struct image_device *d)
{
	return str_equal(d->device, i->root_device);
}

static const void *find_root(struct api_call *e, const struct row *row)
{
	const struct image_device *d = image_device_first_by_image(api_tables(e), row->id);
	while (d && !is_root(image_of(row), d))
		d = image_device_next_by_image(api_tables(e), d);
	return d;
}

struct data_disk {
	int64_t lun;
	const struct image_device *device;
};

/* Numbers the data disks by their order. */
static struct member_items list_data(struct api_call *e, const struct row *row)
{
	VEC(struct data_disk) disks = {0};
	const struct image_device *d = image_device_first_by_image(api_tables(e), row->id);
	for (; d; d = image_device_next_by_image(api_tables(e), d))
		if (!is_root(image_of(row), d))
			(void) VEC_PUSH(e->c->arena, &disks, ((struct data_disk){(int64_t) disks.count, d}));
	return (struct member_items){disks.at, disks.count, sizeof *disks.at};
}

static const void *find_device(struct api_call *e, const struct row *row)
{
	(void) e;
	return ((const struct data_disk *) (const void *) row)->device;
}

AZ_GETTER(image_device, d, struct str, get_sku, az_sku_of_type(d->type))

AZ_GETTER(image, i, const char *, get_os, i->platform == IMAGE_PLATFORM_WINDOWS ? "Windows" : "Linux")
AZ_GETTER(image, i, const char *, get_generation, i->boot_mode == IMAGE_BOOT_MODE_UEFI ? "V2" : "V1")
AZ_GETTER(image, i, const char *, get_state,
	  engine_derive_image_state(az_tables(e), i) == IMAGE_PENDING  ? "Creating"
	  : engine_derive_image_state(az_tables(e), i) == IMAGE_FAILED ? "Failed"
								       : "Succeeded")

#define DEVICE                                                                                               \
	AZ_LINK(struct image_device, "snapshot", snapshot, AZ_SNAPSHOTS, KIND_SNAPSHOT,                      \
		.is_optional = true),                                                                        \
		MEMBER(struct image_device, "diskSizeGB", size, .shift = 30),                                \
		MEMBER_FIXED("caching", "\"None\""), MEMBER_TEXT("storageAccountType", get_sku)
static const struct member root_members[] = {
	MEMBER_MADE(WORD, word, "osType", get_os, .path = {JOIN_ONE(KIND_IMAGE, image_device, image)}),
	MEMBER_FIXED("osState", "\"Generalized\""),
	DEVICE,
};
static const struct member data_members[] = {MEMBER(struct data_disk, "lun", lun),
					     MEMBER_INLINE(find_device, DEVICE)};
static const struct member storage[] = {
	MEMBER_OBJECT("osDisk", root_members, .find = find_root),
	MEMBER_LIST("dataDisks", data_members, list_data),
	MEMBER_FIXED("zoneResilient", "false"),
};
static const struct member properties[] = {
	AZ_LINK(struct image, "sourceVirtualMachine", source_instance, AZ_MACHINES, KIND_INSTANCE,
		.is_optional = true),
	MEMBER_OBJECT("storageProfile", storage),
	MEMBER_MADE(WORD, word, "hyperVGeneration", get_generation),
	MEMBER_MADE(WORD, word, "provisioningState", get_state),
};
static const struct member members[] = {
	AZ_HEAD,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing images = {
	.kind = KIND_IMAGE, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- changes ---- */

struct link {
	struct str id;
};
struct image_disk {
	struct link snapshot, disk;
	int64_t gib, lun;
	struct str os_type, os_state, sku;
};
struct image_disks {
	const struct image_disk *at;
	size_t count;
};
struct image_storage {
	struct image_disk os;
	struct image_disks data;
};
struct image_says {
	struct link machine;
	struct image_storage storage;
	struct str generation;
};
struct image_args {
	struct image_says properties;
	struct image_capture capture;
	struct image_wish wish;
	bool is_new, of_machine;
	uuid id;
};

static const struct param link_rows[] = {PARAM(struct link, "id", id, .doc = "Resource id.")};
static const struct params link_params = PARAMS(struct link, link_rows, .object = "SubResource");
static const struct param disk_rows[] = {
	PARAM_OBJECT(struct image_disk, "snapshot", snapshot, link_params,
		     .doc = "Snapshot that the disk is created from."),
	PARAM_OBJECT(struct image_disk, "managedDisk", disk, link_params,
		     .doc = "Not implemented; use a snapshot."),
	PARAM(struct image_disk, "diskSizeGB", gib, .min = 1, .max = 65536,
	      .doc = "Size in GiB; absent: the size of the snapshot."),
	PARAM(struct image_disk, "lun", lun, .max = DATA_DISKS_MAX - 1,
	      .doc = "Logical unit number of a data disk."),
	PARAM(struct image_disk, "osType", os_type, .words = "Linux|Windows",
	      .doc = "Operating system: Linux or Windows."),
	PARAM(struct image_disk, "osState", os_state, .words = "Generalized|Specialized",
	      .doc = "State of the operating system: Generalized or Specialized."),
	PARAM(struct image_disk, "storageAccountType", sku,
	      .doc = "SKU of disks created from the image, such as Standard_LRS or Premium_LRS."),
	NOT_BUILT("blobUri|diskEncryptionSet"),
	AZ_KEPT("caching"),
};
static const struct params disk_params = PARAMS(struct image_disk, disk_rows, .object = "ImageDisk");
static const struct param storage_rows[] = {
	PARAM_OBJECT(struct image_storage, "osDisk", os, disk_params, .doc = "OS disk."),
	PARAM_LIST(struct image_storage, "dataDisks", data, disk_params, .max = DATA_DISKS_MAX,
		   .doc = "Data disks."),
	NOT_BUILT("zoneResilient"),
};
static const struct params storage_params =
	PARAMS(struct image_storage, storage_rows, .object = "ImageStorageProfile");
static const struct param property_rows[] = {
	PARAM_OBJECT(struct image_says, "sourceVirtualMachine", machine, link_params,
		     .doc = "Virtual machine that the image is created from."),
	PARAM_OBJECT(struct image_says, "storageProfile", storage, storage_params,
		     .doc = "Snapshots that the image is created from, instead of a virtual machine."),
	PARAM(struct image_says, "hyperVGeneration", generation, .words = "V1|V2",
	      .doc = "Generation: V2 boots with UEFI."),
	AZ_READ_ONLY("provisioningState"),
};
static const struct params property_params =
	PARAMS(struct image_says, property_rows, .object = "ImageProperties");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct image_args, "properties", properties, property_params,
		     .doc = "Source of the image."),
	NOT_BUILT("extendedLocation"),
	AZ_RESOURCE,
};

static RESULT prepare_capture(struct az_call *e, struct image_args *a)
{
	const struct row *row = NULL;
	TRY(az_find_id(e, "properties.sourceVirtualMachine.id", a->properties.machine.id, AZ_MACHINES,
		       KIND_INSTANCE, &row));
	if (!json_is_true(json_object_get(az_said(e, row->id), AZ_GENERALIZED)))
		return ctx_fail_field(e->c, ERR_STATE, STR("properties.sourceVirtualMachine.id"),
				      "Cannot create an image from Virtual Machine '%" STR_FMT
				      "' that is not generalized. Mark it as generalized first.",
				      STR_ARG(az_name_of(e, AZ_MACHINES, KIND_INSTANCE, row->id)));
	a->of_machine = true;
	a->capture = (struct image_capture){
		.instance = ref_by_id(KIND_INSTANCE, row->id), .name = e->put.name, .may_share_name = true};
	return OK;
}

/* The volume type of a SKU; empty without a SKU. The engine would name the snapshot in its error. */
static RESULT take_sku(struct az_call *e, struct str sku, struct str *ret_type)
{
	*ret_type = sku.n ? az_type_of_sku(sku) : STR_NONE;
	if (!sku.n || volume_type_find_by_name(az_tables(e), *ret_type))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("properties.storageProfile.osDisk.storageAccountType"),
			      "The volume type '%" STR_FMT "' does not exist.", STR_ARG(*ret_type));
}

static RESULT take_disk(struct az_call *e, const struct image_disk *d, struct str device,
			struct disk_wish *disk)
{
	static const char field[] = "properties.storageProfile.osDisk.snapshot.id";
	struct str type;
	const struct row *row = NULL;
	if (d->disk.id.n)
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("properties.storageProfile.osDisk.managedDisk"),
			"An image is made of a machine or of snapshots: make a snapshot of the disk first.");
	TRY(az_find_id(e, field, d->snapshot.id, AZ_SNAPSHOTS, KIND_SNAPSHOT, &row));
	TRY(take_sku(e, d->sku, &type));
	*disk = (struct disk_wish){.device = device,
				   .type = type,
				   .snapshot = ref_by_id(KIND_SNAPSHOT, row->id),
				   .size = d->gib * GIB,
				   .field = str_from(field)};
	return OK;
}

static RESULT prepare_wish(struct az_call *e, struct image_args *a)
{
	const struct image_storage *s = &a->properties.storage;
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, s->data.count + 1);
	if (!disks)
		return ctx_no_memory(e->c);
	TRY(take_disk(e, &s->os, INSTANCE_ROOT_DEVICE, &disks[0]));
	for (size_t k = 0; k < s->data.count; k++)
		TRY(take_disk(e, &s->data.at[k], az_device_of(e, s->data.at[k].lun), &disks[k + 1]));
	a->wish = (struct image_wish){
		.name = e->put.name,
		.may_share_name = true, /* names are unique per resource group only */
		.root_device = INSTANCE_ROOT_DEVICE,
		.disks = disks,
		.disk_count = s->data.count + 1,
		.platform = str_is(s->os.os_type, "Windows") ? IMAGE_PLATFORM_WINDOWS : IMAGE_PLATFORM_LINUX,
		.boot_mode = str_is(a->properties.generation, "V2") ? IMAGE_BOOT_MODE_UEFI
								    : IMAGE_BOOT_MODE_UNSAID};
	return OK;
}

/* The SKU of an existing image's first disk cannot change: absent, or as shown. */
static RESULT check_sku(struct az_call *e, struct str sku)
{
	const struct image_device *d = find_root(&e->core, tables_find(az_tables(e), KIND_IMAGE, e->target));
	return az_check_unchanged(e, "storageProfile.osDisk.storageAccountType", sku,
				  d ? az_sku_of_type(d->type) : STR_NONE);
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct image_args *a = args;
	const struct image_says *p = &a->properties;
	a->id = e->target;
	if (!uuid_is_none(e->target))
		return check_sku(e, p->storage.os.sku);
	a->is_new = true;
	if (p->machine.id.n)
		return prepare_capture(e, a);
	if (p->storage.os.snapshot.id.n || p->storage.os.disk.id.n)
		return prepare_wish(e, a);
	return ctx_fail_field(e->c, ERR_MISSING, STR("properties.storageProfile"),
			      "Required parameter 'storageProfile' is missing (null).");
}

static RESULT put(struct op *op, void *args)
{
	struct image_args *a = args;
	if (!a->is_new)
		return OK;
	TRY(a->of_machine ? engine_capture_image(op, &a->capture) : engine_register_image(op, &a->wish));
	a->id = a->of_machine ? a->capture.image : a->wish.image;
	return OK;
}

struct delete_args {
	struct image_target wish;
};

#define IMAGES AZ_COMPUTE "/images"
#define IMAGE AZ_GROUP IMAGES "/{imageName}"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION IMAGES, .name = "Images_List", .permit = "ec2:DescribeImages",
	 .type = AZ_IMAGES, .listing = &images, .doc = "Lists the subscription's own images."},
	{HTTP_GET, AZ_GROUP IMAGES, .name = "Images_ListByResourceGroup", .permit = "ec2:DescribeImages",
	 .type = AZ_IMAGES, .listing = &images, .doc = "Lists a resource group's images."},
	{HTTP_GET, IMAGE, .name = "Images_Get", .permit = "ec2:DescribeImages", .type = AZ_IMAGES,
	 .kind = KIND_IMAGE, .names = "imageName", .shows = &images, .doc = "Gets one image."},
	{HTTP_PUT, IMAGE, .name = "Images_CreateOrUpdate", .permit = "ec2:CreateImage",
	 .flags = API_WRITES | AZ_PUT, .type = AZ_IMAGES, .kind = KIND_IMAGE, .names = "imageName",
	 .args = PARAMS(struct image_args, put_rows, .object = "Image"), .prepare = prepare, .operation = put,
	 .returns = KIND_IMAGE, AZ_SUBJECT(struct image_args, id), .shows = &images,
	 .outcome = ASYNC_JOB_OUTCOME_MADE,
	 .doc = "Creates an image from a virtual machine or from snapshots."},
	{HTTP_PATCH, IMAGE, .name = "Images_Update", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, .type = AZ_IMAGES, .kind = KIND_IMAGE, .names = "imageName",
	 .args = {0, 0, sizeof(struct tags_wish)}, .prepare = az_prepare_tags,
	 .operation = engine_replace_tags_run, .returns = KIND_IMAGE, .shows = &images,
	 .doc = "Changes an image's tags."},
	{HTTP_DELETE, IMAGE, .name = "Images_Delete", .permit = "ec2:DeregisterImage", .flags = API_WRITES,
	 .type = AZ_IMAGES, .kind = KIND_IMAGE, .names = "imageName",
	 .args = {0, 0, sizeof(struct delete_args)}, AZ_TARGET(struct delete_args, wish.image),
	 .operation = engine_delete_image_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .doc = "Deletes an image."},
};
const struct api_actions az_image_actions = API_ACTIONS(actions);
