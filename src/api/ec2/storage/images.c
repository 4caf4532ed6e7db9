/* SPDX-License-Identifier: Apache-2.0
 * DescribeImages. The operator's images are shown like Amazon's: with the alias "amazon", so that scripts
 * with --owners amazon find them. Their account number is all zeros, or their vendor's number in AWS, so
 * that scripts that ask for this find them too. The number grants nothing. */
#include "api/ec2/storage/images.h"

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/sharing.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "model/licence.h"
#include "model/states.h"
#include "store/image_device.h"

struct ec2_describe_images {
	struct ec2_query query;
	struct strs owners, executable_by;
	bool deprecated, disabled;
};
#define P(wire, member, ...) PARAM(struct ec2_describe_images, wire, member, __VA_ARGS__)
static const struct param describe_images_params[] = {
	QUERY_IDS(struct ec2_describe_images, "ImageId", KIND_IMAGE, "Images by id."),
	P("Owner", owners,
	  .doc = "Only of these owners: self, amazon (the region's operator), or account numbers."),
	P("ExecutableBy", executable_by, .doc = "Only those launchable by: self, all, or an account number."),
	P("IncludeDeprecated", deprecated, .doc = "Others' that are deprecated, too."),
	P("IncludeDisabled", disabled, .doc = "Disabled ones, too."),
	QUERY_FILTERS(struct ec2_describe_images),
	QUERY_PAGES(struct ec2_describe_images, 1, 1000),
};
#undef P

static bool is_own(const struct ec2_call *e, const struct image *image)
{
	return uuid_equal(image->account, engine_get_account(e->c));
}

static const char *image_state(const struct tables *t, const struct image *image)
{
	return model_image_states[engine_derive_image_state(t, image)].ec2;
}

/* ---- owners ---- */

bool ec2_is_owner(struct ec2_call *e, uuid account, struct str owner)
{
	if (str_is(owner, "self"))
		return uuid_equal(account, engine_get_account(e->c));
	if (str_is(owner, "amazon"))
		return uuid_is_none(account);
	return str_equal(owner, ec2_owner_number(ec2_tables(e), account));
}

/* The owner's number as shown. */
static struct str owner_of(const struct tables *t, const struct image *image)
{
	return image->vendor.n ? image->vendor : ec2_owner_number(t, image->account);
}

static bool is_of(struct ec2_call *e, const struct image *image, struct str owner)
{
	return image->vendor.n && !str_is(owner, "amazon") ? str_equal(owner, image->vendor)
							   : ec2_is_owner(e, image->account, owner);
}

static bool is_shared_with_caller(const struct ec2_call *e, const struct image *image)
{
	for (size_t k = 0; k < image->launchers.count; k++)
		if (uuid_equal(image->launchers.at[k], engine_get_account(e->c)))
			return true;
	return is_own(e, image);
}

static bool is_executable_by(struct ec2_call *e, const struct image *image, struct str who)
{
	if (str_is(who, "all"))
		return image->is_public || uuid_is_none(image->account);
	if (str_is(who, "self") || str_equal(who, e->owner))
		return is_shared_with_caller(e, image);
	for (size_t k = 0; is_own(e, image) && k < image->launchers.count; k++)
		if (str_equal(who, ec2_owner_number(ec2_tables(e), image->launchers.at[k])))
			return true;
	return false;
}

static bool is_deprecated(const struct image *image)
{
	return image->deprecated_us && clock_now_us() >= image->deprecated_us;
}

static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_images *a = e->args;
	const struct image *image = image_of(row);
	bool owned = a->owners.count == 0, executable = a->executable_by.count == 0;
	for (size_t k = 0; !owned && k < a->owners.count; k++)
		owned = is_of(e, image, a->owners.at[k]);
	for (size_t k = 0; !executable && k < a->executable_by.count; k++)
		executable = is_executable_by(e, image, a->executable_by.at[k]);
	if (is_deprecated(image) && !a->deprecated && !a->query.ids.count && !is_own(e, image))
		return false;
	bool is_disabled = engine_derive_image_state(ec2_tables(e), image) == IMAGE_DISABLED;
	return owned && executable && (a->disabled || !is_disabled);
}

/* ---- filters ---- */

static bool fits_owner(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, owner_of(f->t, image_of(row)));
}

static bool fits_alias(const struct filter_run *f, const struct row *row)
{
	return uuid_is_none(image_of(row)->account) && filter_z(f, "amazon");
}

static bool fits_public(const struct filter_run *f, const struct row *row)
{
	const struct image *image = image_of(row);
	return filter_bool(f, image->is_public || uuid_is_none(image->account));
}

static bool fits_created(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, row->created_us);
}

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, image_state((f)->t, image_of(row)));
}

/* Compares through one of its disks. */
static bool fits_device(const struct filter_run *f, const struct row *row)
{
	struct str name = str_from(f->filter->name);
	for (const struct image_device *d = image_device_first_by_image(f->t, row->id); d;
	     d = image_device_next_by_image(f->t, d)) {
		bool fits =
			str_ends_with(name, STR("device-name"))   ? filter_text(f, d->device)
			: str_ends_with(name, STR("snapshot-id")) ? filter_id(f, KIND_SNAPSHOT, d->snapshot)
			: str_ends_with(name, STR("volume-size")) ? filter_int(f, ec2_gib(d->size))
			: str_ends_with(name, STR("volume-type")) ? filter_text(f, d->type)
			: str_ends_with(name, STR("encrypted"))   ? filter_bool(f, d->is_encrypted)
								  : filter_bool(f, d->delete_on_termination);
		if (fits)
			return true;
	}
	return false;
}

/* EC2 has a name for the platform Windows only. */
static bool fits_platform(const struct filter_run *f, const struct row *row)
{
	return image_of(row)->platform == IMAGE_PLATFORM_WINDOWS && filter_z(f, "windows");
}

/* Only the owner may see the source of an image. */
static bool fits_source(const struct filter_run *f, const struct row *row)
{
	const struct image *image = image_of(row);
	return is_own(f->e, image) && filter_id(f, KIND_INSTANCE, image->source_instance);
}

static bool fits_boot_mode(const struct filter_run *f, const struct row *row)
{
	enum image_boot_mode mode = image_of(row)->boot_mode;
	return mode != IMAGE_BOOT_MODE_UNSAID && filter_z(f, image_boot_mode_words[mode]);
}

static const struct filter image_filters[] = {
	{"image-id", .is_id = true},
	{"name", .field = "name", .index = IMAGE_INDEX_ACCOUNT},
	{"description", .field = "description"},
	{"architecture", .field = "arch"},
	{"state", .get = fits_state},
	{"is-public", .get = fits_public},
	{"owner-id", .get = fits_owner, .is_owner = true},
	{"owner-alias", .get = fits_alias, .is_owner = true},
	{"creation-date", .get = fits_created},
	{"block-device-mapping.snapshot-id", .get = fits_device,
	 .access_paths = {{KIND_IMAGE_DEVICE, IMAGE_DEVICE_INDEX_SNAPSHOT,
			   .joins = {JOIN_ONE(KIND_IMAGE, image_device, image)}}}},
	{"block-device-mapping.volume-size", .get = fits_device},
	{"block-device-mapping.device-name", .get = fits_device},
	{"block-device-mapping.delete-on-termination", .get = fits_device},
	{"block-device-mapping.volume-type", .get = fits_device},
	{"block-device-mapping.encrypted", .get = fits_device},
	{"ena-support", .field = "ena_support"},
	{"hypervisor", .fixed = "xen"},
	{"image-type", .fixed = "machine"},
	{"root-device-name", .field = "root_device"},
	{"root-device-type", .fixed = "ebs"},
	{"virtualization-type", .fixed = "hvm"},
	{"platform", .get = fits_platform},
	{"kernel-id", .get = filter_nothing},
	{"ramdisk-id", .get = filter_nothing},
	{"product-code", .get = filter_nothing},
	{"product-code.type", .get = filter_nothing},
	{"manifest-location", .get = filter_nothing},
	{"source-instance-id", .get = fits_source,
	 .access_paths = {{KIND_IMAGE, IMAGE_INDEX_SOURCE_INSTANCE}}},
	{"sriov-net-support", .fixed = "simple"},
	{"state-reason-code", .get = filter_nothing},
	{"state-reason-message", .get = filter_nothing},
	{"boot-mode", .get = fits_boot_mode},
	{"free-tier-eligible", .fixed = "false"},
	{"image-allowed", .get = filter_nothing},
	{"image-watermark.source-image-creation-time", .get = filter_nothing},
	{"image-watermark.source-image-id", .get = filter_nothing},
	{"image-watermark.source-image-region", .get = filter_nothing},
	{"image-watermark.watermark-creation-time", .get = filter_nothing},
	{"image-watermark.watermark-key", .get = filter_nothing},
	{"instance-type-specification.supported-instance-type", .get = filter_nothing},
	{"instance-type-specification.unsupported-instance-type", .get = filter_nothing},
	{"public-ssm-parameter-name", .get = filter_nothing},
	{"scan-result.critical-fix-available-since", .get = filter_nothing},
	{"scan-result.finding-scan-date", .get = filter_nothing},
	{"scan-result.high-fix-available-since", .get = filter_nothing},
	{"scan-result.highest-finding-severity-label", .get = filter_nothing},
	{"scan-result.informational-fix-available-since", .get = filter_nothing},
	{"scan-result.low-fix-available-since", .get = filter_nothing},
	{"scan-result.medium-fix-available-since", .get = filter_nothing},
	{"source-image-id", .get = filter_nothing},
	{"source-image-region", .get = filter_nothing},
};

/* ---- writing ---- */

struct image_item {
	const struct image *image;
	struct str owner;
	const char *state;
	struct tags tags;                         /* empty for images of other accounts */
	VEC(const struct image_device *) devices; /* the root disk comes first */
};

static const void *gather_image(struct ec2_call *e, const struct row *row)
{
	const struct tables *t = ec2_tables(e);
	struct image_item *item = arena_new_object(e->c->arena, struct image_item);
	if (!item)
		return 0;
	item->image = image_of(row);
	item->owner = owner_of(t, item->image);
	item->state = image_state(t, item->image);
	if (engine_is_own(e->c, KIND_IMAGE, row))
		item->tags = item->image->tags;
	for (const struct image_device *d = image_device_first_by_image(t, row->id); d;
	     d = image_device_next_by_image(t, d))
		if (!VEC_PUSH(e->c->arena, &item->devices, d))
			return 0;
	return item;
}

void ec2_write_image_devices(struct xml *x, const struct image_device *const *devices, size_t count)
{
	xml_open(x, "blockDeviceMapping");
	for (size_t k = 0; k < count; k++) {
		const struct image_device *d = devices[k];
		xml_open(x, "item");
		xml_text(x, "deviceName", d->device);
		xml_open(x, "ebs");
		ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, d->snapshot);
		xml_int(x, "volumeSize", ec2_gib(d->size));
		xml_text(x, "volumeType", d->type);
		if (d->iops)
			xml_int(x, "iops", d->iops);
		if (d->throughput)
			xml_int(x, "throughput", d->throughput);
		xml_bool(x, "deleteOnTermination", d->delete_on_termination);
		xml_bool(x, "encrypted", d->is_encrypted);
		xml_close(x, "ebs");
		xml_close(x, "item");
	}
	xml_close(x, "blockDeviceMapping");
}

/* Writes the guest's environment: platform, firmware and TPM. */
static void write_machine(struct xml *x, const struct image *image)
{
	bool is_windows = image->platform == IMAGE_PLATFORM_WINDOWS;
	if (is_windows)
		xml_z(x, "platform", "windows");
	if (image->boot_mode != IMAGE_BOOT_MODE_UNSAID)
		xml_z(x, "bootMode", image_boot_mode_words[image->boot_mode]);
	if (image->tpm)
		xml_z(x, "tpmSupport", "v2.0");
	if (image->tokens_required)
		xml_z(x, "imdsSupport", "v2.0");
	char words[LICENCE_EC2_SIZE];
	xml_z(x, "platformDetails", licence_ec2_platform(image->licences, is_windows, words));
	xml_z(x, "usageOperation", licence_ec2_operation(image->licences, is_windows, words));
}

static void write_image(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct image_item *i = item;
	const struct image *image = i->image;
	PREFETCH_ROWS(KIND_IMAGE_DEVICE, i->devices);
	ec2_write_id(x, "imageId", KIND_IMAGE, image->row.id);
	const struct str location[] = {i->owner, STR("/"), image->name};
	xml_text(x, "imageLocation", str_join(e->c->arena, location, 3));
	xml_z(x, "imageState", i->state);
	xml_text(x, "imageOwnerId", i->owner);
	if (uuid_is_none(image->account))
		xml_z(x, "imageOwnerAlias", "amazon");
	xml_time_ms(x, "creationDate", image->row.created_us);
	xml_bool(x, "isPublic", image->is_public || uuid_is_none(image->account));
	xml_z(x, "architecture", image_arch_words[image->arch]);
	xml_z(x, "imageType", "machine");
	xml_text(x, "name", image->name);
	xml_text_opt(x, "description", image->description);
	xml_z(x, "rootDeviceType", "ebs");
	xml_text(x, "rootDeviceName", image->root_device);
	ec2_write_image_devices(x, i->devices.at, i->devices.count);
	xml_z(x, "virtualizationType", "hvm");
	xml_z(x, "hypervisor", "xen");
	write_machine(x, image);
	xml_bool(x, "enaSupport", image->ena_support);
	xml_z(x, "sriovNetSupport", "simple");
	if (image->deprecated_us)
		xml_time_ms(x, "deprecationTime", image->deprecated_us);
	if (is_own(e, image))
		ec2_write_id(x, "sourceInstanceId", KIND_INSTANCE, image->source_instance);
	ec2_write_tags_if_any(x, i->tags);
}

static const struct strs *owners_asked(const void *args)
{
	return &((const struct ec2_describe_images *) args)->owners;
}

static const struct ec2_listing image_listing = {.kind = KIND_IMAGE,
						 .set = "imagesSet",
						 .filters = FILTERS(image_filters),
						 .has_operators = true,
						 .public_index = IMAGE_INDEX_PUBLIC,
						 .owners = owners_asked,
						 .shows = is_asked,
						 .is_slow = true,
						 .gather = gather_image,
						 .write = write_image};

static RESULT prepare_describe(struct ec2_call *e, void *args)
{
	const struct ec2_describe_images *a = args;
	TRY(ec2_check_users(e, &a->owners, "Owner"));
	return ec2_check_users(e, &a->executable_by, "ExecutableBy");
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeImages"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_describe_images, describe_images_params), .prepare = prepare_describe,
	 .list = &image_listing, .doc = "Images that the account may launch."},
};
const struct api_actions ec2_image_actions = API_ACTIONS(actions);
