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
	P("Owner", owners, .doc = "Owners: self, amazon (the operator of the region), or account numbers."),
	P("ExecutableBy", executable_by,
	  .doc = "Accounts with launch permission: self, all, or an account number."),
	P("IncludeDeprecated", deprecated, .doc = "Includes deprecated images of other accounts."),
	P("IncludeDisabled", disabled, .doc = "Includes disabled images."),
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

/* ---- members ---- */

ATTRIBUTE_GETTER(image, i, const char *, get_state, image_state(api_tables(e), i))
ATTRIBUTE_GETTER(image, i, struct str, get_owner, owner_of(api_tables(e), i))
ATTRIBUTE_GETTER(image, i, const char *, get_alias, uuid_is_none(i->account) ? "amazon" : NULL)
ATTRIBUTE_GETTER(image, i, bool, get_public, i->is_public || uuid_is_none(i->account))
ATTRIBUTE_GETTER(image, i, const char *, get_boot_mode,
		 i->boot_mode == IMAGE_BOOT_MODE_UNSAID ? NULL : image_boot_mode_words[i->boot_mode])
ATTRIBUTE_GETTER(image, i, struct str, get_platform,
		 ec2_platform_details(e, i->licences, i->platform == IMAGE_PLATFORM_WINDOWS))
ATTRIBUTE_GETTER(image, i, struct str, get_operation,
		 ec2_usage_operation(e, i->licences, i->platform == IMAGE_PLATFORM_WINDOWS))
/* Only the owner may see the source of an image, and its tags. */
ATTRIBUTE_GETTER(image, i, uuid, get_source, is_own(ec2_call_of(e), i) ? i->source_instance : UUID_NONE)
ATTRIBUTE_GETTER(image, i, struct tags, get_tags,
		 engine_is_own(e->c, KIND_IMAGE, row) ? i->tags : (struct tags){0})

static struct str get_location(struct api_call *e, const struct row *row)
{
	const struct image *image = image_of(row);
	const struct str parts[] = {owner_of(api_tables(e), image), STR("/"), image->name};
	return str_join(e->c->arena, parts, 3);
}

#define DEVICE(name) .filter = "block-device-mapping." name
static const struct attribute disk_rows[] = {
	ATTRIBUTE_REF(image_device, "snapshotId", snapshot, KIND_SNAPSHOT, DEVICE("snapshot-id"),
		      ATTRIBUTE_PATHS({KIND_IMAGE_DEVICE, IMAGE_DEVICE_INDEX_SNAPSHOT,
				       .joins = {JOIN_ONE(KIND_IMAGE, image_device, image)}})),
	ATTRIBUTE(image_device, "volumeSize", size, .shift = 30, DEVICE("volume-size")),
	ATTRIBUTE(image_device, "volumeType", type, DEVICE("volume-type")),
	ATTRIBUTE(image_device, "iops", iops, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(image_device, "throughput", throughput, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(image_device, "deleteOnTermination", delete_on_termination,
		  DEVICE("delete-on-termination")),
	ATTRIBUTE(image_device, "encrypted", is_encrypted, DEVICE("encrypted")),
};
static const struct attributes disk_members = ATTRIBUTES(disk_rows);
static const struct attribute device_rows[] = {
	ATTRIBUTE(image_device, "deviceName", device, DEVICE("device-name")),
	ATTRIBUTE_WITHIN("ebs", disk_members, .flags = ATTRIBUTE_FILTERS_WITHIN),
};
static const struct attributes device_members = ATTRIBUTES(device_rows);

static const char *const version_words[] = {NULL, "v2.0"};
static const char *const protection_words[] = {"disabled", "enabled-without-cooldown"};
static const char *const platform_words[] = {
	[IMAGE_PLATFORM_LINUX] = NULL, [IMAGE_PLATFORM_WINDOWS] = "windows"};
static const struct attribute image_rows[] = {
	ATTRIBUTE_OWN_ID(image, "imageId", KIND_IMAGE, .filter = "image-id"),
	ATTRIBUTE_MADE(TEXT, text, "imageLocation", get_location),
	ATTRIBUTE_MADE(WORD, word, "imageState", get_state, .filter = "state"),
	ATTRIBUTE_MADE(TEXT, text, "imageOwnerId", get_owner, .flags = ATTRIBUTE_IS_OWNER,
		       .filter = "owner-id"),
	ATTRIBUTE_MADE(WORD, word, "imageOwnerAlias", get_alias, .flags = ATTRIBUTE_IS_OWNER,
		       .filter = "owner-alias"),
	ATTRIBUTE_AS(TIME, image, "creationDate", row.created_us, .filter = "creation-date"),
	ATTRIBUTE_MADE(BOOL, truth, "isPublic", get_public, .filter = "is-public"),
	ATTRIBUTE_AS(ENUM, image, "architecture", arch, .words = image_arch_words, .filter = "architecture"),
	ATTRIBUTE_CONST("imageType", "machine", .filter = "image-type"),
	ATTRIBUTE(image, "name", name, .filter = "name", .index = IMAGE_INDEX_ACCOUNT),
	ATTRIBUTE(image, "description", description, .flags = ATTRIBUTE_OMIT_NONE, .filter = "description"),
	ATTRIBUTE_CONST("rootDeviceType", "ebs", .filter = "root-device-type"),
	ATTRIBUTE(image, "rootDeviceName", root_device, .filter = "root-device-name"),
	/* The root disk comes first. */
	ATTRIBUTE_EACH("blockDeviceMapping", device_members, KIND_IMAGE_DEVICE, IMAGE_DEVICE_INDEX_IMAGE,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_CONST("virtualizationType", "hvm", .filter = "virtualization-type"),
	ATTRIBUTE_CONST("hypervisor", "xen", .filter = "hypervisor"),
	ATTRIBUTE_AS(ENUM, image, "platform", platform, .words = platform_words, .filter = "platform"),
	ATTRIBUTE_MADE(WORD, word, "bootMode", get_boot_mode, .filter = "boot-mode"),
	ATTRIBUTE(image, "tpmSupport", tpm, .words = version_words),
	ATTRIBUTE(image, "imdsSupport", tokens_required, .words = version_words),
	ATTRIBUTE_MADE(TEXT, text, "platformDetails", get_platform),
	ATTRIBUTE_MADE(TEXT, text, "usageOperation", get_operation),
	ATTRIBUTE(image, "enaSupport", ena_support, .filter = "ena-support"),
	ATTRIBUTE_CONST("sriovNetSupport", "simple", .filter = "sriov-net-support"),
	ATTRIBUTE_AS(TIME, image, "deprecationTime", deprecated_us, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_MADE(ID, id, "sourceInstanceId", get_source, .kind = KIND_INSTANCE,
		       .filter = "source-instance-id",
		       ATTRIBUTE_PATHS({KIND_IMAGE, IMAGE_INDEX_SOURCE_INSTANCE})),
	ATTRIBUTE(image, "deregistrationProtection", is_protected, .words = protection_words),
	ATTRIBUTE_MADE(TAGS, tags, "tagSet", get_tags, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_CONST("", "false", .flags = ATTRIBUTE_HIDDEN, .filter = "free-tier-eligible"),
	ATTRIBUTE_NOTHING("kernel-id"),
	ATTRIBUTE_NOTHING("ramdisk-id"),
	ATTRIBUTE_NOTHING("product-code"),
	ATTRIBUTE_NOTHING("product-code.type"),
	ATTRIBUTE_NOTHING("manifest-location"),
	ATTRIBUTE_NOTHING("state-reason-code"),
	ATTRIBUTE_NOTHING("state-reason-message"),
	ATTRIBUTE_NOTHING("image-allowed"),
	ATTRIBUTE_NOTHING("image-watermark.source-image-creation-time"),
	ATTRIBUTE_NOTHING("image-watermark.source-image-id"),
	ATTRIBUTE_NOTHING("image-watermark.source-image-region"),
	ATTRIBUTE_NOTHING("image-watermark.watermark-creation-time"),
	ATTRIBUTE_NOTHING("image-watermark.watermark-key"),
	ATTRIBUTE_NOTHING("instance-type-specification.supported-instance-type"),
	ATTRIBUTE_NOTHING("instance-type-specification.unsupported-instance-type"),
	ATTRIBUTE_NOTHING("public-ssm-parameter-name"),
	ATTRIBUTE_NOTHING("scan-result.critical-fix-available-since"),
	ATTRIBUTE_NOTHING("scan-result.finding-scan-date"),
	ATTRIBUTE_NOTHING("scan-result.high-fix-available-since"),
	ATTRIBUTE_NOTHING("scan-result.highest-finding-severity-label"),
	ATTRIBUTE_NOTHING("scan-result.informational-fix-available-since"),
	ATTRIBUTE_NOTHING("scan-result.low-fix-available-since"),
	ATTRIBUTE_NOTHING("scan-result.medium-fix-available-since"),
	ATTRIBUTE_NOTHING("source-image-id"),
	ATTRIBUTE_NOTHING("source-image-region"),
};
static const struct attributes image_members = ATTRIBUTES(image_rows);

static const struct strs *owners_asked(const void *args)
{
	return &((const struct ec2_describe_images *) args)->owners;
}

static const struct ec2_listing image_listing = {.kind = KIND_IMAGE,
						 .set = "imagesSet",
						 .filters = FILTERS_OF(image_members),
						 .has_operators = true,
						 .public_index = IMAGE_INDEX_PUBLIC,
						 .owners = owners_asked,
						 .shows = is_asked,
						 .is_slow = true,
						 .attributes = &image_members};

static RESULT prepare_describe(struct ec2_call *e, void *args)
{
	const struct ec2_describe_images *a = args;
	TRY(ec2_check_users(e, &a->owners, "Owner"));
	return ec2_check_users(e, &a->executable_by, "ExecutableBy");
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeImages"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_describe_images, describe_images_params), .prepare = prepare_describe,
	 .list = &image_listing, .doc = "Lists the images that the account may launch."},
};
const struct api_actions ec2_image_actions = API_ACTIONS(actions);
