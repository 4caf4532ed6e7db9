/* SPDX-License-Identifier: Apache-2.0
 * Images: created from instances, snapshots or other images; shared; deregistered. */
#include "api/ec2/compute/uefi_data.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/images.h"
#include "api/ec2/storage/sharing.h"
#include "api/ec2/storage/volumes.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "model/licence.h"
#include "store/image_device.h"

/* EC2's rule for names: 3 to 128 of these characters. */
static RESULT check_name(struct ec2_call *e, struct str name)
{
	static const char others[] = "()[] ./-'@_";
	bool is_fine = name.n >= 3 && name.n <= 128;
	for (size_t k = 0; k < name.n && is_fine; k++) {
		char c = name.p[k];
		is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			  strchr(others, c);
	}
	if (is_fine)
		return OK;
	struct result failed = ctx_fail_kind(e->c, ERR_MALFORMED, KIND_IMAGE,
					     "AMI names must be between 3 and 128 characters long, and may "
					     "contain letters, numbers, '(', ')', '[', ']', ' ', '.', '/', "
					     "'-', single quotes, '@' and '_'");
	e->c->problem.field = STR("Name");
	return failed;
}

static RESULT write_image_id(struct xml *x, uuid image)
{
	ec2_write_id(x, "imageId", KIND_IMAGE, image);
	return OK;
}

/* ---- images from instances ---- */

struct ec2_create_image {
	struct image_capture wish;
	struct ec2_mappings mappings;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_image, wire, member, __VA_ARGS__)
static const struct param create_image_params[] = {
	P("InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "A running or stopped instance."),
	P("Name", wish.name, .flags = REQUIRED, .max = 255,
	  .doc = "Name of the new image; unique in the account."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("NoReboot", wish.no_reboot, .doc = "Takes the snapshots without stopping the instance."),
	PARAM_LIST(struct ec2_create_image, "BlockDeviceMapping", mappings, ec2_image_mapping_params,
		   .max = 40, .doc = "Disks that differ from the instance's or are added to them."),
	TAG_SPECIFICATIONS(struct ec2_create_image, tag_specs),
	NOT_BUILT("SnapshotLocation", .only = "regional"),
	NOT_BUILT("BootModeOverride"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_image *a = args;
	a->wish.names_source = true;
	TRY(check_name(e, a->wish.name));
	TRY(ec2_take_mappings(e, &a->mappings, &a->wish.disks, &a->wish.disk_count));
	TRY(ec2_take_tags(e, &a->tag_specs, "image", "image|snapshot", &a->wish.image_tags));
	return ec2_take_tags(e, &a->tag_specs, "snapshot", "image|snapshot", &a->wish.snapshot_tags);
}

static RESULT ec2_create_image(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	return write_image_id(x, ((const struct ec2_create_image *) args)->wish.image);
}

/* ---- of snapshots ---- */

struct ec2_register_image {
	struct image_wish wish;
	struct str architecture, boot_mode, tpm, imds, uefi_data;
	struct strs products;
	struct ec2_mappings mappings;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_register_image, wire, member, __VA_ARGS__)
static const struct param register_image_params[] = {
	P("Name", wish.name, .flags = REQUIRED, .max = 255,
	  .doc = "Name of the new image; unique in the account."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("Architecture", architecture, .words = "x86_64|arm64", .absent = "x86_64",
	  .doc = "Processor architecture. x86_64 stands for EC2's default i386."),
	P("RootDeviceName", wish.root_device, .max = 32,
	  .doc = "Device name of the root disk among the mappings; absent: the first one."),
	PARAM_LIST(struct ec2_register_image, "BlockDeviceMapping", mappings, ec2_image_mapping_params,
		   .flags = REQUIRED, .max = 40,
		   .doc = "Disks of the image. The root disk needs a snapshot."),
	P("EnaSupport", wish.ena_support, .doc = "Stored and shown; has no effect."),
	TAG_SPECIFICATIONS(struct ec2_register_image, tag_specs),
	NOT_BUILT("VirtualizationType", .only = "hvm"),
	NOT_BUILT("SriovNetSupport", .only = "simple"),
	P("BootMode", boot_mode, .words = "legacy-bios|uefi|uefi-preferred",
	  .doc = "Boot mode of the firmware; absent: BIOS."),
	P("TpmSupport", tpm, .words = "v2.0", .doc = "Adds a TPM 2.0; requires UEFI."),
	NOT_BUILT("ImageLocation", .only = ""), /* Terraform sends an empty one */
	P("UefiData", uefi_data, .flags = BASE64, .max = 48000,
	  .doc = "Initial UEFI variables, in the format of GetInstanceUefiData; requires UEFI. A platform "
		 "key among them enables secure boot."),
	P("ImdsSupport", imds, .words = "v2.0",
	  .doc = "v2.0: by default instances require a session token for metadata, with a hop limit of two. "
		 "The launch or the account may override it."),
	P("BillingProduct", products, .max = 64,
	  .doc = "Billing product codes: those of included software, which only the operator may set, or the "
		 "account's own."),
	NOT_BUILT("KernelId|RamdiskId"),
};
#undef P

/* Turns product codes into licences. */
static RESULT take_products(struct ec2_call *e, struct ec2_register_image *a)
{
	struct licence licence;
	struct str *texts = arena_new_array(e->c->arena, struct str, a->products.count + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->products.count; k++) {
		if (!licence_of_ec2_code(a->products.at[k], &licence))
			return ctx_fail_field(e->c, ERR_INVALID, STR("BillingProduct"),
					      "Invalid value '%" STR_FMT "' for BillingProduct.",
					      STR_ARG(str_slice(a->products.at[k], 0, 64)));
		texts[k] = licence_write(e->c->arena, licence);
	}
	a->wish.licences = (struct strs){texts, a->products.count};
	return OK;
}

static RESULT prepare_register(struct ec2_call *e, void *args)
{
	struct ec2_register_image *a = args;
	TRY(check_name(e, a->wish.name));
	a->wish.arch = str_is(a->architecture, "arm64") ? IMAGE_ARCH_ARM64 : IMAGE_ARCH_X86_64;
	for (enum image_boot_mode mode = IMAGE_BOOT_MODE_LEGACY_BIOS; image_boot_mode_words[mode]; mode++)
		if (str_is(a->boot_mode, image_boot_mode_words[mode]))
			a->wish.boot_mode = mode;
	a->wish.tpm = !str_is_empty(a->tpm);
	a->wish.tokens_required = !str_is_empty(a->imds);
	if (a->uefi_data.n)
		TRY(ec2_unpack_uefi_data(e->c, a->uefi_data, &a->wish.uefi_variables));
	TRY(take_products(e, a));
	return ec2_take_mappings(e, &a->mappings, &a->wish.disks, &a->wish.disk_count);
}

static RESULT ec2_register_image(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	return write_image_id(x, ((const struct ec2_register_image *) args)->wish.image);
}

/* ---- of another image ---- */

struct ec2_copy_image {
	struct image_copying wish;
	struct str region, kms_key;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_copy_image, wire, member, __VA_ARGS__)
static const struct param copy_image_params[] = {
	P("SourceImageId", wish.source, .flags = REQUIRED, .kind = KIND_IMAGE, .doc = "The image."),
	P("SourceRegion", region, .flags = REQUIRED, .doc = "Name of this region."),
	P("Name", wish.name, .flags = REQUIRED, .max = 255,
	  .doc = "Name of the new image; unique in the account."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	P("CopyImageTags", wish.with_tags, .doc = "Copies the tags of an image of the account as well."),
	TAG_SPECIFICATIONS(struct ec2_copy_image, tag_specs),
	NOT_BUILT("DestinationOutpostArn|DestinationAvailabilityZone|DestinationAvailabilityZoneId|"
		  "SnapshotCopyCompletionDurationMinutes"),
	P("Encrypted", wish.crypt.is_wanted,
	  .doc = "Whether the snapshots of the copy are encrypted; absent: the account's default. Copies of "
		 "encrypted snapshots always are."),
	P("KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC),
};
#undef P

static RESULT prepare_copy(struct ec2_call *e, void *args)
{
	struct ec2_copy_image *a = args;
	TRY(check_name(e, a->wish.name));
	TRY(ec2_check_region(e, a->region, "SourceRegion"));
	TRY(ec2_take_kms_key(e, a->kms_key, &a->wish.crypt));
	TRY(ec2_take_tags(e, &a->tag_specs, "image", "image|snapshot", &a->wish.image_tags));
	return ec2_take_tags(e, &a->tag_specs, "snapshot", "image|snapshot", &a->wish.snapshot_tags);
}

static RESULT ec2_copy_image(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	return write_image_id(x, ((const struct ec2_copy_image *) args)->wish.image);
}

/* ---- attributes ---- */

struct ec2_modify_image {
	struct image_settings wish;
	struct ec2_sharing sharing;
	struct str attribute, value, imds;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_image, wire, member, __VA_ARGS__)
static const struct param modify_image_params[] = {
	P("ImageId", wish.image, .flags = REQUIRED, .kind = KIND_IMAGE, .doc = "The image."),
	P("Description.Value", wish.description, .max = 255,
	  .given = offsetof(struct ec2_modify_image, wish.set_description) + 1, .doc = "New description."),
	EC2_SHARING_PARAMS(struct ec2_modify_image, "LaunchPermission", sharing, ec2_permission_params),
	P("Attribute", attribute, .words = "description|launchPermission|imdsSupport", UNKNOWN_ATTRIBUTE,
	  .doc = "Attribute that Value, or OperationType with UserId and UserGroup, changes."),
	P("Value", value, .max = 255, .doc = "New value of Attribute."),
	P("ImdsSupport.Value", imds, .words = "v2.0",
	  .doc = "v2.0: by default new instances require a session token for metadata. Cannot be reversed."),
	NOT_BUILT("ProductCode|OrganizationArn|OrganizationalUnitArn"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_image *a = args;
	bool is_asked = false;
	if (str_is(a->attribute, "description") && !a->wish.set_description) {
		a->wish.set_description = true;
		a->wish.description = a->value;
	}
	if (str_is(a->attribute, "imdsSupport") && !str_is(a->value, "v2.0"))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Value"),
				      "Value (%" STR_FMT
				      ") for parameter imdsSupport is invalid. It must be v2.0.",
				      STR_ARG(a->value));
	a->wish.tokens_required = a->imds.n || str_is(a->attribute, "imdsSupport");
	TRY(ec2_take_sharing(e, &a->sharing, "LaunchPermission", &a->wish.sharing, &is_asked));
	a->wish.only_activated = a->wish.sharing.is_public == CHOICE_YES || a->wish.sharing.add.count > 0;
	if (!is_asked && !a->wish.set_description && !a->wish.tokens_required)
		return ctx_fail_field(e->c, ERR_MISSING, STR("Attribute"),
				      "The request must contain the parameter description or "
				      "launchPermission");
	return OK;
}

struct ec2_reset_image {
	struct image_settings wish;
	struct str attribute;
};
static const struct param reset_image_params[] = {
	PARAM(struct ec2_reset_image, "ImageId", wish.image, .flags = REQUIRED, .kind = KIND_IMAGE,
	      .doc = "The image."),
	PARAM(struct ec2_reset_image, "Attribute", attribute, .flags = REQUIRED, .words = "launchPermission",
	      UNKNOWN_ATTRIBUTE, .doc = "launchPermission: afterwards only the owner may launch the image."),
};

struct ec2_describe_image {
	struct ref image;
	struct str attribute;
};
static const struct param describe_image_params[] = {
	PARAM(struct ec2_describe_image, "ImageId", image, .flags = REQUIRED, .kind = KIND_IMAGE,
	      .doc = "An image of the account."),
	PARAM(struct ec2_describe_image, "Attribute", attribute, .flags = REQUIRED,
	      .words = "description|launchPermission|blockDeviceMapping|sriovNetSupport|bootMode|kernel|"
		       "ramdisk|productCodes|tpmSupport|uefiData|lastLaunchedTime|imdsSupport",
	      UNKNOWN_ATTRIBUTE, .doc = "Name of the attribute."),
};

static void write_value(struct xml *x, const char *name, struct str value)
{
	xml_open(x, name);
	xml_text_opt(x, "value", value);
	xml_close(x, name);
}

static RESULT write_uefi_data(struct ec2_call *e, struct xml *x, const struct image *image)
{
	struct firmware_variables variables = {0};
	struct str packed = STR_NONE;
	TRY(firmware_read(e->c, image->uefi_variables, &variables));
	TRY(ec2_pack_uefi_data(e->c, &variables, &packed));
	struct str data = str_encode_base64(e->c->arena, packed);
	if (!data.p)
		return ctx_no_memory(e->c);
	write_value(x, "uefiData", data);
	return OK;
}

/* EC2 deprecated this attribute, and refuses it for every image. */
static RESULT refuse_devices(struct ec2_call *e, const struct ref *ref)
{
	const struct image *image = NULL;
	TRY(engine_find_image(e->c, ec2_tables(e), ref, &image));
	struct result refused = ctx_fail_kind(e->c, ERR_PROTECTED, KIND_IMAGE,
					      "Unauthorized attempt to access restricted resource");
	e->c->problem.field = STR("Attribute");
	return refused;
}

static RESULT ec2_describe_image(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_image *a = args;
	const struct tables *t = ec2_tables(e);
	const struct image *image = 0;
	if (str_is(a->attribute, "blockDeviceMapping"))
		return refuse_devices(e, &a->image);
	TRY(engine_find_own_image(e->c, t, &a->image, &image));
	ec2_write_id(x, "imageId", KIND_IMAGE, image->row.id);
	if (str_is(a->attribute, "launchPermission"))
		ec2_write_sharing(x, "launchPermission", t, image->is_public, &image->launchers);
	else if (str_is(a->attribute, "productCodes"))
		xml_empty(x, "productCodes");
	else if (str_is(a->attribute, "description"))
		write_value(x, "description", image->description);
	else if (str_is(a->attribute, "sriovNetSupport"))
		write_value(x, "sriovNetSupport", STR("simple"));
	else if (str_is(a->attribute, "bootMode") && image->boot_mode != IMAGE_BOOT_MODE_UNSAID)
		write_value(x, "bootMode", str_from(image_boot_mode_words[image->boot_mode]));
	else if (str_is(a->attribute, "tpmSupport") && image->tpm)
		write_value(x, "tpmSupport", STR("v2.0"));
	else if (str_is(a->attribute, "imdsSupport") && image->tokens_required)
		write_value(x, "imdsSupport", STR("v2.0"));
	else if (str_is(a->attribute, "uefiData") && image->uefi_variables.n)
		return write_uefi_data(e, x, image);
	else /* attributes that are unset, or that no image has here */
		write_value(x, str_to_z(e->c->arena, a->attribute), STR_NONE);
	return OK;
}

/* ---- deprecation ---- */

#define YEAR (365 * 24 * HOUR)

struct ec2_deprecate {
	struct image_settings wish;
	struct str at;
};
static const struct param deprecate_params[] = {
	PARAM(struct ec2_deprecate, "ImageId", wish.image, .flags = REQUIRED, .kind = KIND_IMAGE,
	      .doc = "An image of the account."),
	PARAM(struct ec2_deprecate, "DeprecateAt", at, .flags = REQUIRED, .max = 40,
	      .doc = "A future time: at most ten years ahead, two for a public image."),
};
static const struct param undeprecate_params[] = {
	PARAM(struct ec2_deprecate, "ImageId", wish.image, .flags = REQUIRED, .kind = KIND_IMAGE,
	      .doc = "An image of the account."),
};

/* Takes the time in whole minutes, as EC2 does. */
static RESULT prepare_deprecate(struct ec2_call *e, void *args)
{
	struct ec2_deprecate *a = args;
	const struct image *image = 0;
	int64_t at_us = 0, now_us = clock_now_us();
	TRY(engine_find_own_image(e->c, ec2_tables(e), &a->wish.image, &image));
	bool is_public = image->is_public || uuid_is_none(image->account);
	if (!result_is_ok(clock_parse(a->at, &at_us)) || at_us <= now_us ||
	    at_us > now_us + (is_public ? 2 : 10) * YEAR)
		return ctx_fail_field(e->c, ERR_INVALID, STR("DeprecateAt"),
				      "Value (%" STR_FMT
				      ") for parameter deprecateAt is invalid. It has to be a "
				      "time to come, within %d years.",
				      STR_ARG(a->at), is_public ? 2 : 10);
	a->wish.set_deprecated = true;
	a->wish.deprecated_us = (at_us + MINUTE / 2) / MINUTE * MINUTE;
	return OK;
}

/* ---- disabled, and enabled again ---- */

static const struct param activate_params[] = {
	PARAM(struct image_activation, "ImageId", image, .flags = REQUIRED, .kind = KIND_IMAGE,
	      .doc = "An image of the account."),
};

/* ---- the end ---- */

static const struct param deregister_image_params[] = {
	PARAM(struct image_target, "ImageId", image, .flags = REQUIRED, .kind = KIND_IMAGE,
	      .doc = "The image. Its instances stay."),
	PARAM(struct image_target, "DeleteAssociatedSnapshots", deletes_snapshots,
	      .doc = "Also deletes the image's snapshots, except those that other images use."),
};

static RESULT ec2_deregister_image(struct ec2_call *e, const void *args, struct xml *x)
{
	static const char *const codes[] = {[IMAGE_SNAPSHOT_DELETED] = "success",
					    [IMAGE_SNAPSHOT_SKIPPED] = "skipped",
					    [IMAGE_SNAPSHOT_DENIED] = "missing-permissions",
					    [IMAGE_SNAPSHOT_IN_USE] = "client-error"};
	const struct image_target *a = args;
	(void) e;
	xml_z(x, "return", "true");
	if (!a->snapshot_count)
		return OK;
	xml_open(x, "deleteSnapshotResultSet");
	for (size_t k = 0; k < a->snapshot_count; k++) {
		xml_open(x, "item");
		ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, a->snapshots[k].snapshot);
		xml_z(x, "returnCode", codes[a->snapshots[k].end]);
		xml_close(x, "item");
	}
	xml_close(x, "deleteSnapshotResultSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("CreateImage"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_image, create_image_params), .prepare = prepare_create,
	 .operation = engine_capture_image_run, .answer = ec2_create_image,
	 .doc = "Creates an image from an instance by taking snapshots of its disks."},
	{EC2_ACTION("RegisterImage"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_register_image, register_image_params), .prepare = prepare_register,
	 EC2_TAGS(struct ec2_register_image, "image"), .operation = engine_register_image_run,
	 .answer = ec2_register_image, .doc = "Registers an image made of snapshots."},
	{EC2_ACTION("CopyImage"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_copy_image, copy_image_params), .prepare = prepare_copy,
	 EC2_DIGEST(struct ec2_copy_image), .operation = engine_copy_image_run, .answer = ec2_copy_image,
	 .doc = "Copies an image into the account."},
	{EC2_ACTION("DeregisterImage"), .flags = API_WRITES,
	 .args = PARAMS(struct image_target, deregister_image_params), .operation = engine_delete_image_run,
	 .answer = ec2_deregister_image, .doc = "Deregisters an image, which can no longer be launched."},
	{EC2_ACTION("ModifyImageAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_image, modify_image_params), .prepare = prepare_modify,
	 .operation = engine_update_image_run,
	 .doc = "Changes the description or the launch permissions of an image."},
	{EC2_ACTION("ResetImageAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_reset_image, reset_image_params),
	 .sets = {API_SETS(struct ec2_reset_image, wish.sharing.reset)}, .operation = engine_update_image_run,
	 .doc = "Removes the launch permissions of all other accounts."},
	{EC2_ACTION("EnableImageDeprecation"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_deprecate, deprecate_params), .prepare = prepare_deprecate,
	 .operation = engine_update_image_run,
	 .doc = "Sets the time at which an image becomes deprecated. After that, other accounts find the "
		"image only by its id."},
	{EC2_ACTION("DisableImageDeprecation"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_deprecate, undeprecate_params),
	 .sets = {API_SETS(struct ec2_deprecate, wish.set_deprecated)}, .operation = engine_update_image_run,
	 .doc = "Removes the deprecation of an image."},
	{EC2_ACTION("DisableImage"), .flags = API_WRITES,
	 .args = PARAMS(struct image_activation, activate_params),
	 .sets = {API_SETS(struct image_activation, unshares)}, .operation = engine_activate_image_run,
	 .doc = "Disables an image: nobody can launch it, only its owner sees it, and its launch permissions "
		"are removed."},
	{EC2_ACTION("EnableImage"), .flags = API_WRITES,
	 .args = PARAMS(struct image_activation, activate_params),
	 .sets = {API_SETS(struct image_activation, is_active)}, .operation = engine_activate_image_run,
	 .doc = "Enables a disabled image for its owner."},
	{EC2_ACTION("DescribeImageAttribute"),
	 .args = PARAMS(struct ec2_describe_image, describe_image_params), .answer = ec2_describe_image,
	 .doc = "Returns one attribute of an image of the account."},
};
const struct api_actions ec2_image_change_actions = API_ACTIONS(actions);
