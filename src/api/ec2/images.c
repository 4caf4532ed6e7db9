/* SPDX-License-Identifier: Apache-2.0
 * Images: DescribeImages. The operator's images are shown as Amazon's are: alias "amazon", so that
 * scripts that ask for --owners amazon find them; their account number is all zeros. */
#include "api/ec2/list.h"
#include "api/ec2/write.h"
#include "engine/instance.h"

#define OPERATOR_NUMBER "000000000000"

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
	P("IncludeDeprecated", deprecated, .doc = "No image is ever deprecated here."),
	P("IncludeDisabled", disabled, .doc = "No image is ever disabled here."),
	QUERY_FILTERS(struct ec2_describe_images),
	QUERY_PAGES(struct ec2_describe_images, 1, 1000),
};
#undef P

static bool is_own(const struct ec2_call *e, const struct image *image)
{
	return uuid_equal(image->account, engine_get_account(e->c));
}

/* ---- owners ---- */

/* The number of an image's account. */
static struct str owner_number(const struct tables *t, const struct image *image)
{
	const struct account *account = uuid_is_none(image->account) ? 0 : account_find(t, image->account);
	return account ? account->number : STR(OPERATOR_NUMBER);
}

static bool has_owner(struct ec2_call *e, const struct image *image, struct str owner)
{
	if (str_is(owner, "self"))
		return is_own(e, image);
	if (str_is(owner, "amazon"))
		return uuid_is_none(image->account);
	return str_equal(owner, owner_number(ec2_walk(e), image));
}

static bool is_executable_by(struct ec2_call *e, const struct image *image, struct str who)
{
	if (str_is(who, "all"))
		return image->is_public || uuid_is_none(image->account);
	return (str_is(who, "self") || str_equal(who, e->owner)) && is_own(e, image);
}

static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct ec2_describe_images *a = e->args;
	const struct image *image = (const struct image *) row;
	bool owned = a->owners.count == 0, executable = a->executable_by.count == 0;
	for (size_t k = 0; !owned && k < a->owners.count; k++)
		owned = has_owner(e, image, a->owners.at[k]);
	for (size_t k = 0; !executable && k < a->executable_by.count; k++)
		executable = is_executable_by(e, image, a->executable_by.at[k]);
	return owned && executable;
}

/* ---- filters ---- */

static bool fits_owner(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, owner_number(f->t, (const struct image *) row));
}

static bool fits_alias(const struct filter_run *f, const struct row *row)
{
	return uuid_is_none(((const struct image *) row)->account) && filter_z(f, "amazon");
}

static bool fits_public(const struct filter_run *f, const struct row *row)
{
	const struct image *image = (const struct image *) row;
	return filter_bool(f, image->is_public || uuid_is_none(image->account));
}

static bool fits_created(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, row->created_us);
}

static bool fits_root_device(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, INSTANCE_ROOT_DEVICE);
}

static bool fits_size(const struct filter_run *f, const struct row *row)
{
	return filter_int(f, ec2_gib(((const struct image *) row)->virtual_size));
}

static const struct filter image_filters[] = {
	{"image-id", .is_id = true},
	{"name", .field = "name"},
	{"description", .field = "description"},
	{"architecture", .field = "arch"},
	{"state", .field = "seen_state"},
	{"is-public", .get = fits_public},
	{"owner-id", .get = fits_owner},
	{"owner-alias", .get = fits_alias},
	{"creation-date", .get = fits_created},
	{"block-device-mapping.volume-size", .get = fits_size},
	{"block-device-mapping.device-name", .get = fits_root_device},
	{"block-device-mapping.delete-on-termination", .fixed = "true"},
	{"block-device-mapping.volume-type", .fixed = "gp3"},
	{"block-device-mapping.encrypted", .fixed = "false"},
	{"ena-support", .fixed = "true"},
	{"hypervisor", .fixed = "xen"},
	{"image-type", .fixed = "machine"},
	{"root-device-name", .get = fits_root_device},
	{"root-device-type", .fixed = "ebs"},
	{"virtualization-type", .fixed = "hvm"},
	{"platform", .get = filter_nothing},
	{"kernel-id", .get = filter_nothing},
	{"ramdisk-id", .get = filter_nothing},
	{"product-code", .get = filter_nothing},
};

/* ---- writing ---- */

struct image_item {
	const struct image *image;
	struct str owner;
};

static const void *gather_image(struct ec2_call *e, const struct row *row)
{
	struct image_item *item = arena_new_object(e->c->arena, struct image_item);
	if (!item)
		return 0;
	item->image = (const struct image *) row;
	item->owner = owner_number(ec2_walk(e), item->image);
	return item;
}

static void write_root_device(struct xml *x, const struct image *image)
{
	xml_open(x, "blockDeviceMapping");
	xml_open(x, "item");
	xml_text(x, "deviceName", INSTANCE_ROOT_DEVICE);
	xml_open(x, "ebs");
	xml_int(x, "volumeSize", ec2_gib(image->virtual_size));
	xml_z(x, "volumeType", "gp3");
	xml_bool(x, "deleteOnTermination", true);
	xml_bool(x, "encrypted", false);
	xml_close(x, "ebs");
	xml_close(x, "item");
	xml_close(x, "blockDeviceMapping");
}

static void write_image(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct image_item *i = item;
	const struct image *image = i->image;
	ec2_write_id(x, "imageId", KIND_IMAGE, image->row.id);
	xml_text(x, "imageLocation",
		 str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(i->owner), STR_ARG(image->name)));
	xml_z(x, "imageState", image_seen_state_words[image->seen_state]);
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
	xml_text(x, "rootDeviceName", INSTANCE_ROOT_DEVICE);
	write_root_device(x, image);
	xml_z(x, "virtualizationType", "hvm");
	xml_z(x, "hypervisor", "xen");
	xml_z(x, "platformDetails", "Linux/UNIX");
	xml_z(x, "usageOperation", "RunInstances");
	xml_bool(x, "enaSupport", true);
	ec2_write_tags(x, image->tags);
}

static const struct ec2_listing image_listing = {.kind = KIND_IMAGE,
						 .set = "imagesSet",
						 .filters = FILTERS(image_filters),
						 .shows = is_asked,
						 .gather = gather_image,
						 .write = write_image};

static const struct ec2_action actions[] = {
	{"DescribeImages", "ec2:DescribeImages", 0,
	 PARAMS(struct ec2_describe_images, describe_images_params), .list = &image_listing,
	 .doc = "Images that the account may launch."},
};
const struct ec2_actions ec2_image_actions = ACTIONS(actions);
