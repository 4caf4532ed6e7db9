/* SPDX-License-Identifier: Apache-2.0
 * Images. Hosts fetch a snapshot's file when the first disk is made from it. */
#include "engine/storage/image/image.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/image/image_internal.h"
#include "engine/storage/sharing.h"
#include "engine/storage/sharing_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/tag_internal.h"
#include "model/boot_mode.h"
#include "model/firmware.h"
#include "model/states.h"
#include "store/account.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define GIBIBYTE (INT64_C(1) << 30)

/* ---- states ---- */

bool engine_is_iso(const struct image *image)
{
	return str_is(image->disk_format, "iso");
}

enum image_state engine_derive_image_state(const struct tables *t, const struct image *image)
{
	enum image_state state = IMAGE_AVAILABLE;
	if (!row_is_live(&image->row))
		return IMAGE_DEREGISTERED;
	if (image->sending == IMAGE_SENDING_FAILED || image->sending == IMAGE_SENDING_ABANDONED)
		return IMAGE_FAILED;
	if (engine_image_is_empty(t, image))
		return IMAGE_PENDING;
	for (const struct image_device *d = image_device_first_by_image(t, image->row.id); d;
	     d = image_device_next_by_image(t, d)) {
		const struct snapshot *snapshot = snapshot_find(t, d->snapshot);
		if (uuid_is_none(d->snapshot))
			continue;
		if (!snapshot || model_derive_snapshot_state(snapshot) == SNAPSHOT_ERROR)
			return IMAGE_FAILED;
		if (engine_snapshot_is_pending(snapshot))
			state = IMAGE_PENDING;
	}
	if (state == IMAGE_AVAILABLE && image->is_exported && !image->data_size)
		return IMAGE_PENDING;
	return state == IMAGE_AVAILABLE && image->is_deactivated ? IMAGE_DISABLED : state;
}

const struct image *engine_find_image_of_volume(const struct tables *t, uuid volume)
{
	const struct volume *v = volume_find(t, volume);
	return v ? image_find(t, v->image) : NULL;
}

/* ---- creation ---- */

static RESULT check_name(struct op *op, uuid account, struct str name, bool may_share_name)
{
	if (name.n < 1 || name.n > 255 || !str_is_xml_text(name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_IMAGE,
				     "An image's name has 1 to 255 characters.");
	if (!may_share_name && image_find_by_account(op->head, account, name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_IMAGE,
				     "The image name '%" STR_FMT "' is taken already.", STR_ARG(name));
	return OK;
}

RESULT image_write(struct op *op, struct image *image, const struct disk_plans *disks)
{
	TRY(quota_check(op, image->account, QUOTA_IMAGES, 1));
	if (uuid_is_none(image->row.id))
		image->row.id = engine_new_id(op, KIND_IMAGE);
	image->row.gen = 1;
	image->root_device = disks->at[0].device;
	TRY(image_put(op, image));
	TRY(image_write_disks(op, image->row.id, disks));
	TRY(image_check_shares(op, image));
	return engine_log_event(op, KIND_IMAGE, &image->row, "registered", "Image %" STR_FMT ".",
				STR_ARG(image->name));
}

/* The account may block public images. One that is public already stays so. */
static RESULT check_public(struct op *op, const struct image *image)
{
	const struct image *before = image_find(op->head, image->row.id);
	const struct account *account = account_find(op->head, image->account);
	bool is_new = image->is_public && !(before && before->is_public);
	if (!is_new || !account || !account->blocks_public_images)
		return OK;
	return ENGINE_FAIL(op, ERR_PROTECTED, KIND_IMAGE, STR("is_public"),
			   "The image cannot become public: the account blocks public access to images.");
}

/* Encryption keys belong to an account, so encrypted content cannot be shared. */
RESULT image_check_shares(struct op *op, const struct image *image)
{
	if (!image->is_public && !image->is_community && image->launchers.count == 0)
		return OK;
	TRY(check_public(op, image));
	for (const struct image_device *d = image_device_first_by_image(op->head, image->row.id); d;
	     d = image_device_next_by_image(op->head, d)) {
		if (d->is_encrypted && !uuid_is_none(d->snapshot))
			return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_IMAGE,
					     "Images with encrypted snapshots cannot be shared");
	}
	return OK;
}

RESULT image_write_disks(struct op *op, uuid image, const struct disk_plans *disks)
{
	for (size_t n = 0; n < disks->count; n++) {
		const struct disk_plan *disk = &disks->at[n];
		struct image_device device = {.row.id = engine_new_id(op, KIND_IMAGE_DEVICE),
					      .row.gen = 1,
					      .image = image,
					      .number = (int64_t) n,
					      .device = disk->device,
					      .snapshot = disk->snapshot ? disk->snapshot->row.id : UUID_NONE,
					      .is_encrypted = disk->snapshot ? disk->snapshot->is_encrypted
									     : disk->encryption == CHOICE_YES,
					      .size = disk->size,
					      .type = disk->type,
					      .iops = disk->iops,
					      .throughput = disk->throughput,
					      .delete_on_termination = disk->delete_on_termination};
		TRY(image_device_put(op, &device));
	}
	return OK;
}

RESULT image_write_file_snapshot(struct op *op, struct snapshot *snapshot)
{
	snapshot->row.id = engine_new_id(op, KIND_SNAPSHOT);
	snapshot->row.gen = 1;
	snapshot->progress = 100;
	snapshot->seen_stage = SNAPSHOT_SEEN_STAGE_KEPT;
	snapshot->seen_gen = 1;
	if (!snapshot->is_bound)
		TRY(quota_check(op, snapshot->account, QUOTA_SNAPSHOTS, 1));
	return snapshot_put(op, snapshot);
}

RESULT engine_import_image(struct op *op, struct image_import *wish)
{
	uuid account = engine_get_account(op->ctx);
	TRY(check_name(op, account, wish->name, false));
	if (wish->virtual_size <= 0 || str_is_empty(wish->sha256))
		return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_IMAGE,
				     "An image's file has a size and a digest.");
	if (wish->secure_boot && !model_image_is_uefi(wish->boot_mode))
		return ctx_fail_kind(op->ctx, ERR_COMBINATION, KIND_IMAGE, "Secure boot needs UEFI.");
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	struct image image = {.account = account,
			      .name = wish->name,
			      .description = wish->description,
			      .is_public = wish->is_public,
			      .arch = wish->arch,
			      .personality = wish->personality,
			      .platform = wish->platform,
			      .boot_mode = wish->boot_mode,
			      .secure_boot = wish->secure_boot,
			      .tpm = wish->tpm,
			      .disk_bus = wish->disk_bus,
			      .nic_model = wish->nic_model,
			      .ena_support = true};
	TRY(tag_normalize(op, wish->tags, &image.tags));
	TRY(licence_replace(op, wish->licences, (struct strs){0}, STR("licence"), &image.licences));
	TRY(image_join_family(op, wish, &image));
	struct snapshot *snapshot = arena_new_object(op->ctx->arena, struct snapshot);
	if (!snapshot)
		return ctx_no_memory(op->ctx);
	*snapshot = (struct snapshot){
		.account = account,
		.description = str_print(op->ctx->arena, "Imported for image %" STR_FMT, STR_ARG(wish->name)),
		.volume_size = wish->virtual_size,
		.sha256 = wish->sha256,
		.file_size = wish->file_size};
	TRY(image_write_file_snapshot(op, snapshot));
	struct disk_plans disks = {.at = {{.device = INSTANCE_ROOT_DEVICE,
					   .snapshot = snapshot,
					   .size = (wish->virtual_size + GIBIBYTE - 1) / GIBIBYTE * GIBIBYTE,
					   .type = STR("gp3"),
					   .delete_on_termination = true}},
				   .count = 1};
	TRY(image_write(op, &image, &disks));
	wish->image = image.row.id;
	wish->snapshot = snapshot->row.id;
	return OK;
}

/* A disk made from something inherits its encryption. A request may only confirm that of a volume's
 * snapshot. */
static RESULT check_encryption(struct op *op, const struct disk_plans *disks)
{
	for (size_t n = 0; n < disks->count; n++) {
		const struct disk_plan *disk = &disks->at[n];
		if (disk->encryption == CHOICE_DEFAULT || disk->is_left_out)
			continue;
		if (disk->snapshot)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("BlockDeviceMapping"),
					   "The encrypted flag cannot be specified since device %" STR_FMT
					   " has a snapshot specified.",
					   STR_ARG(disk->device));
		if (disk->volume && disk->encryption == CHOICE_YES && !disk->volume->is_encrypted)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("BlockDeviceMapping"),
					   "The encrypted flag cannot be set since the volume of device "
					   "%" STR_FMT " is not encrypted.",
					   STR_ARG(disk->device));
	}
	return OK;
}

/* ---- registration of snapshots ---- */

static RESULT put_root_first(struct op *op, const struct image_wish *wish, struct disk_plans *disks)
{
	size_t root = 0;
	while (root < disks->count && !str_is_empty(wish->root_device) &&
	       !str_equal(disks->at[root].device, wish->root_device))
		root++;
	if (root >= disks->count || !disks->at[root].snapshot)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("BlockDeviceMapping"),
				   "The root device has to be mapped to a snapshot.");
	struct disk_plan plan = disks->at[root];
	for (; root > 0; root--)
		disks->at[root] = disks->at[root - 1];
	disks->at[0] = plan;
	return OK;
}

static RESULT take_uefi_variables(struct op *op, const struct image_wish *wish, struct image *image)
{
	const struct firmware_variables *variables = &wish->uefi_variables;
	if (!variables->at)
		return OK;
	if (!model_image_is_uefi(wish->boot_mode))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_IMAGE, STR("UefiData"),
				   "UEFI's variables need UEFI.");
	if (firmware_stored_size(variables) > FIRMWARE_GIVEN_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("UefiData"),
				   "Invalid value for UefiData: its variables take more than %d bytes.",
				   FIRMWARE_GIVEN_MAX);
	image->secure_boot = firmware_has_platform_key(variables);
	return firmware_write(op->ctx, variables, &image->uefi_variables);
}

RESULT engine_register_image(struct op *op, struct image_wish *wish)
{
	uuid account = UUID_NONE;
	/* too large for the stack */
	struct disk_plans *disks = arena_new_object(op->ctx->arena, struct disk_plans);
	if (!disks)
		return ctx_no_memory(op->ctx);
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	if (wish->tpm && !model_image_is_uefi(wish->boot_mode))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_IMAGE, STR("TpmSupport"), "A TPM needs UEFI.");
	TRY(disk_plans_apply_wishes(op, wish->disks, wish->disk_count, disks));
	TRY(check_encryption(op, disks));
	TRY(disk_plans_finish(op, disks));
	TRY(put_root_first(op, wish, disks));
	struct image image = {.account = account,
			      .name = wish->name,
			      .description = wish->description,
			      .arch = wish->arch,
			      .platform = wish->platform,
			      .personality = wish->personality,
			      .boot_mode = wish->boot_mode,
			      .disk_bus = wish->disk_bus,
			      .nic_model = wish->nic_model,
			      .tpm = wish->tpm,
			      .tokens_required = wish->tokens_required,
			      .ena_support = wish->ena_support};
	TRY(take_uefi_variables(op, wish, &image));
	const struct licences_wish said = {.licences = wish->licences};
	TRY(licence_apply(op, &said, licence_of_snapshot(op, disks->at[0].snapshot), STR("BillingProduct"),
			  &image.licences));
	TRY(check_name(op, image.account, image.name, wish->may_share_name));
	TRY(tag_normalize(op, wish->tags, &image.tags));
	TRY(image_write(op, &image, disks));
	wish->image = image.row.id;
	return OK;
}

/* ---- images of instances ---- */

static RESULT disks_of_instance(struct op *op, const struct instance *instance, struct disk_plans *ret_disks)
{
	struct volume_list disks;
	ret_disks->count = 0;
	TRY(engine_list_disks(op->ctx->arena, op->head, instance->row.id, false, &disks));
	for (size_t n = 0; n < disks.count && ret_disks->count < DISK_PLANS_MAX; n++) {
		const struct volume *v = disks.at[n];
		if (!uuid_equal(v->row.id, instance->rescue_disk) && !v->is_medium)
			ret_disks->at[ret_disks->count++] = (struct disk_plan){
				.device = v->device,
				.volume = v,
				.size = v->size,
				.type = v->type,
				.iops = v->iops,
				.throughput = v->throughput,
				.delete_on_termination = v->delete_on_termination,
				.field = STR("InstanceId"),
			};
	}
	if (ret_disks->count && ret_disks->at[0].volume->device_slot == 0)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, STR("InstanceId"), "The instance has no root disk.");
}

static struct str describe_snapshots(struct op *op, const struct image_capture *wish,
				     const struct image *image)
{
	if (!wish->names_source)
		return str_print(op->ctx->arena, "Created for image %" STR_FMT, STR_ARG(wish->name));
	return str_print(op->ctx->arena, "Created by CreateImage(%" STR_FMT ") for %" STR_FMT,
			 STR_ARG(engine_write_id(op, KIND_INSTANCE, image->source_instance)),
			 STR_ARG(engine_write_id(op, KIND_IMAGE, image->row.id)));
}

/* Snapshots the disks. The instance does not start again before the snapshots are made. */
static RESULT snapshot_disks(struct op *op, const struct image_capture *wish, const struct image *image,
			     bool needs_off, struct tags tags, struct disk_plans *disks)
{
	for (size_t n = 0; n < disks->count; n++) {
		struct snapshot *snapshot = arena_new_object(op->ctx->arena, struct snapshot);
		if (!snapshot)
			return ctx_no_memory(op->ctx);
		if (!disks->at[n].volume)
			continue;
		*snapshot = (struct snapshot){
			.description = describe_snapshots(op, wish, image),
			.needs_off = needs_off,
			.is_bound =
				wish->only_root ||
				wish->owns_snapshots, /* nobody asked for the snapshot, so it is deleted with
						      * the image */
			.tags = tags,
		};
		TRY(snapshot_write_of(op, disks->at[n].volume, snapshot));
		disks->at[n].snapshot = snapshot;
	}
	return OK;
}

/* Increments gen, so that reports from before do not count. */
static RESULT quiesce(struct op *op, const struct instance *instance)
{
	struct instance next = *instance;
	next.off_since_us = op->now_us;
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "held off",
				"Until its disks are cut for an image.");
}

static RESULT find_captured(struct op *op, const struct image_capture *wish,
			    const struct instance **ret_instance)
{
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, ret_instance));
	enum instance_state state = model_derive_instance_state(*ret_instance);
	bool is_off = state == INSTANCE_STOPPED || state == INSTANCE_SUSPENDED;
	if (!is_off && state != INSTANCE_RUNNING && (state != INSTANCE_PAUSED || !wish->no_reboot))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' neither runs nor is stopped.",
				   STR_ARG(wish->instance.text));
	if (wish->alone_as && engine_is_being_imaged(op->head, (*ret_instance)->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "Cannot '%s' instance %" STR_FMT
				   " while it is in task_state image_uploading",
				   wish->alone_as, STR_ARG(wish->instance.text));
	return engine_permit(op, "image.create", KIND_INSTANCE, &(*ret_instance)->row);
}

RESULT image_capture_instance(struct op *op, const struct instance *instance, bool needs_off,
			      struct image_capture *wish)
{
	struct disk_plans disks;
	struct tags snapshot_tags;
	const struct image *from = image_find(op->head, instance->image);
	struct image image = {.account = instance->account,
			      .name = wish->name,
			      .description = wish->description,
			      .arch = from ? from->arch : IMAGE_ARCH_X86_64,
			      /* both enums have the same values in the same order */
			      .personality = (enum image_personality) instance->personality,
			      .platform = (enum image_platform) instance->platform,
			      .boot_mode = (enum image_boot_mode) instance->boot_mode,
			      .secure_boot = instance->secure_boot,
			      .tpm = instance->tpm,
			      .tokens_required = from && from->tokens_required,
			      .uefi_variables = instance->uefi_variables,
			      .disk_bus = (enum image_disk_bus) instance->disk_bus,
			      .nic_model = (enum image_nic_model) instance->nic_model,
			      .licences = instance->licences,
			      .ena_support = true,
			      .source_instance = instance->row.id};
	TRY(check_name(op, image.account, image.name, wish->may_share_name));
	TRY(tag_normalize(op, wish->image_tags, &image.tags));
	TRY(image_take_properties(op, wish->properties, &image.properties));
	TRY(tag_normalize(op, wish->snapshot_tags, &snapshot_tags));
	TRY(disks_of_instance(op, instance, &disks));
	if (wish->only_root)
		disks.count = 1;
	TRY(disk_plans_apply_wishes(op, wish->disks, wish->disk_count, &disks));
	if (disks.at[0].is_left_out)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("BlockDeviceMapping"),
				   "The root device cannot be left out.");
	TRY(check_encryption(op, &disks));
	TRY(disk_plans_finish(op, &disks));
	if (wish->names_source)
		image.row.id = engine_new_id(op, KIND_IMAGE);
	TRY(snapshot_disks(op, wish, &image, needs_off, snapshot_tags, &disks));
	TRY(image_write(op, &image, &disks));
	wish->image = image.row.id;
	return OK;
}

RESULT engine_capture_image(struct op *op, struct image_capture *wish)
{
	const struct instance *instance = NULL;
	TRY(find_captured(op, wish, &instance));
	bool needs_off = !wish->no_reboot && instance->wanted_power == INSTANCE_WANTED_POWER_ON;
	TRY(image_capture_instance(op, instance, needs_off, wish));
	return needs_off ? quiesce(op, instance) : OK;
}

/* ---- copies ---- */

static RESULT copy_disks(struct op *op, const struct image_copying *wish, uuid account,
			 struct disk_plans *disks)
{
	struct tags tags;
	TRY(tag_normalize(op, wish->snapshot_tags, &tags));
	for (size_t n = 0; n < disks->count; n++) {
		struct snapshot *snapshot = arena_new_object(op->ctx->arena, struct snapshot);
		if (!snapshot)
			return ctx_no_memory(op->ctx);
		if (!disks->at[n].snapshot)
			continue;
		*snapshot = (struct snapshot){
			.account = account,
			.description =
				str_print(op->ctx->arena, "Copied for image %" STR_FMT, STR_ARG(wish->name)),
			.tags = tags,
		};
		TRY(snapshot_write_copy(op, disks->at[n].snapshot, &wish->crypt, snapshot));
		disks->at[n].snapshot = snapshot;
	}
	return OK;
}

static RESULT copy_image(struct op *op, struct image_copying *wish, uuid account)
{
	const struct image *source = NULL;
	struct disk_plans disks;
	TRY(engine_find_image(op->ctx, op->head, &wish->source, &source));
	TRY(engine_permit(op, "image.launch", KIND_IMAGE, &source->row));
	TRY(engine_permit(op, "image.create", KIND_IMAGE, NULL));
	if (engine_derive_image_state(op->head, source) != IMAGE_AVAILABLE)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->source.field,
				   "The image '%" STR_FMT "' is not available", STR_ARG(wish->source.text));
	struct image image = {.account = account,
			      .name = wish->name,
			      .description = wish->description,
			      .arch = source->arch,
			      .personality = source->personality,
			      .platform = source->platform,
			      .boot_mode = source->boot_mode,
			      .secure_boot = source->secure_boot,
			      .tpm = source->tpm,
			      .tokens_required = source->tokens_required,
			      .uefi_variables = source->uefi_variables,
			      .disk_bus = source->disk_bus,
			      .nic_model = source->nic_model,
			      .licences = source->licences,
			      .ena_support = source->ena_support};
	TRY(check_name(op, account, image.name, false));
	bool own = uuid_equal(source->account, account);
	TRY(tag_normalize(op, wish->with_tags && own ? source->tags : wish->image_tags, &image.tags));
	TRY(disk_plans_of_image(op, source, &disks));
	TRY(copy_disks(op, wish, account, &disks));
	TRY(image_write(op, &image, &disks));
	wish->image = image.row.id;
	return client_token_write(op, account, wish->client_token, wish->digest, wish->image);
}

RESULT engine_copy_image(struct op *op, struct image_copying *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_IMAGE, &wish->image));
	return uuid_is_none(wish->image) ? copy_image(op, wish, account) : OK;
}

/* ---- sharing ---- */

/* Removes answers of accounts that are no longer launchers. */
static RESULT keep_launchers(struct op *op, const struct image *image, struct uuids *accounts)
{
	uuid *kept = arena_new_array(op->ctx->arena, uuid, accounts->count + 1);
	size_t count = 0;
	if (!kept)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < accounts->count; n++)
		if (uuids_have(&image->launchers, accounts->at[n]))
			kept[count++] = accounts->at[n];
	*accounts = (struct uuids){kept, count};
	return OK;
}

/* Changes launchers, and drops the answers of former ones. */
static RESULT share_image(struct op *op, const struct sharing *wish, struct image *next)
{
	TRY(sharing_change(op, KIND_IMAGE, wish, &next->is_public, &next->launchers));
	next->is_community = next->is_community && !next->is_public && !wish->reset;
	TRY(keep_launchers(op, next, &next->accepted_by));
	TRY(keep_launchers(op, next, &next->rejected_by));
	next->is_unshared = next->is_unshared && !next->is_public && next->launchers.count == 0;
	return image_check_shares(op, next);
}

static bool is_launcher(const struct op *op, const struct image *image, const struct ref *ref)
{
	const struct account *account = account_find_by_number(op->head, ref->text);
	return uuids_have(&image->launchers, account ? account->row.id : ref->prefix);
}

static RESULT check_exact(struct op *op, const struct sharing *wish, const struct image *image)
{
	for (size_t n = 0; n < wish->add.count; n++)
		if (is_launcher(op, image, &wish->add.at[n]))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ACCOUNT,
					     "The project is a member already.");
	for (size_t n = 0; n < wish->remove.count; n++)
		if (!is_launcher(op, image, &wish->remove.at[n]))
			return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ACCOUNT,
					     "The image has no such member.");
	return OK;
}

static RESULT check_settings(struct op *op, const struct image_settings *wish, const struct image *image)
{
	TRY(engine_permit(op, wish->set_deprecated ? "image.deprecate" : "image.update", KIND_IMAGE,
			  &image->row));
	if (wish->only_shared && engine_image_visibility(image) != IMAGE_VISIBLE_SHARED)
		return ENGINE_FAIL(op, ERR_DENIED, KIND_IMAGE, wish->image.field,
				   "Only shared images have members.");
	if (wish->is_exact)
		TRY(check_exact(op, &wish->sharing, image));
	if (wish->only_activated && image->is_deactivated)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' is disabled and cannot be shared",
				   STR_ARG(wish->image.text));
	return OK;
}

RESULT engine_update_image(struct op *op, struct image_settings *wish)
{
	const struct image *image = NULL;
	TRY(engine_find_own_image(op->ctx, op->head, &wish->image, &image));
	TRY(check_settings(op, wish, image));
	struct image next = *image;
	if (wish->set_description)
		next.description = wish->description;
	if (wish->set_deprecated)
		next.deprecated_us = wish->deprecated_us;
	next.tokens_required |= wish->tokens_required;
	TRY(share_image(op, &wish->sharing, &next));
	if (next.is_public && !image->is_public)
		TRY(engine_permit(op, "image.publish", KIND_IMAGE, &image->row));
	next.row.gen++;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "changed", "Its settings were changed.");
}

RESULT engine_activate_image(struct op *op, struct image_activation *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, wish->is_active ? "image.activate" : "image.deactivate",
				&image));
	enum image_state state = engine_derive_image_state(op->head, image);
	if (state != IMAGE_AVAILABLE && state != IMAGE_DISABLED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' is %s.", STR_ARG(wish->image.text),
				   model_image_states[state].name);
	bool is_shared = image->is_public || image->is_community || image->launchers.count > 0;
	if (image->is_deactivated == !wish->is_active && !(wish->unshares && is_shared))
		return OK;
	struct image next = *image;
	next.is_deactivated = !wish->is_active;
	if (wish->unshares)
		TRY(share_image(op, &(struct sharing){.reset = true}, &next));
	next.row.gen++;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, wish->is_active ? "reactivated" : "deactivated",
				"Image %" STR_FMT ".", STR_ARG(image->name));
}

/* ---- deletion ---- */

/* Deletes a snapshot that was made for an image and is in no other one. If a disk still waits for it,
 * engine_see_snapshot() deletes it later. */
static RESULT delete_bound(struct op *op, uuid id)
{
	const struct snapshot *snapshot = snapshot_find(op->head, id);
	if (!snapshot || !snapshot->is_bound || !row_is_live(&snapshot->row) ||
	    image_device_first_by_snapshot(op->head, id) ||
	    (engine_snapshot_is_pending(snapshot) && volume_first_by_snapshot(op->head, id)))
		return OK;
	return snapshot_delete_metered(op, snapshot);
}

/* Forgets devices at once, as they exist in the tables only; then deletes their bound snapshots. */
static RESULT forget_devices(struct op *op, uuid image)
{
	const struct image_device *device = image_device_first_by_image(op->head, image), *next = NULL;
	for (; device; device = next) {
		uuid snapshot = device->snapshot;
		next = image_device_next_by_image(op->head, device);
		TRY(image_device_forget(op, device->row.id));
		TRY(delete_bound(op, snapshot));
	}
	return OK;
}

RESULT image_write_end(struct op *op, const struct image *image)
{
	TRY(forget_devices(op, image->row.id));
	TRY(image_delete(op, image->row.id));
	return engine_log_event(op, KIND_IMAGE, &image->row, "deregistered", "Image %" STR_FMT ".",
				STR_ARG(image->name));
}

/* Lists the snapshots of the image's devices, each once. */
static RESULT list_snapshots(struct op *op, uuid image, struct image_target *wish)
{
	VEC(struct image_snapshot) found = {0};
	for (const struct image_device *d = image_device_first_by_image(op->head, image); d;
	     d = image_device_next_by_image(op->head, d)) {
		bool is_known = uuid_is_none(d->snapshot);
		for (size_t k = 0; k < found.count && !is_known; k++)
			is_known = uuid_equal(found.at[k].snapshot, d->snapshot);
		if (!is_known && !VEC_PUSH(op->ctx->arena, &found, (struct image_snapshot){d->snapshot}))
			return ctx_no_memory(op->ctx);
	}
	wish->snapshots = found.at;
	wish->snapshot_count = found.count;
	return OK;
}

/* Deletes the snapshots of an image that is gone. A refusal of one is an answer, and stops no other. */
static RESULT delete_snapshots(struct op *op, struct image_target *wish)
{
	for (size_t k = 0; k < wish->snapshot_count; k++) {
		struct image_snapshot *s = &wish->snapshots[k];
		const struct snapshot *row = snapshot_find(op->head, s->snapshot);
		if (!row || !row_is_live(&row->row))
			continue;
		s->end = IMAGE_SNAPSHOT_SKIPPED;
		if (image_device_first_by_snapshot(op->head, s->snapshot))
			continue;
		struct snapshot_target target = {.snapshot = ref_by_id(KIND_SNAPSHOT, s->snapshot)};
		struct op_place place = op_place_now(op);
		struct result r = engine_delete_snapshot(op, &target);
		if (r.code == ERR_NO_MEMORY)
			return r;
		s->end = result_is_ok(r)                                   ? IMAGE_SNAPSHOT_DELETED
			 : r.code == ERR_DENIED || r.code == ERR_NOT_FOUND ? IMAGE_SNAPSHOT_DENIED
									   : IMAGE_SNAPSHOT_IN_USE;
		if (!result_is_ok(r))
			op_go_back(op, place);
		ctx_clear_problem(op->ctx);
	}
	return OK;
}

RESULT engine_delete_image(struct op *op, struct image_target *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.delete", &image));
	if (image->is_protected)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT "' is protected and cannot be deleted.",
				   STR_ARG(wish->image.text));
	const struct instance *user = instance_first_by_image(op->head, image->row.id);
	while (user && !row_is_live(&user->row))
		user = instance_next_by_image(op->head, user);
	if (wish->must_be_unused && user)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, wish->image.field,
				   "The image '%" STR_FMT
				   "' cannot be deleted while instances are made from it.",
				   STR_ARG(wish->image.text));
	if (wish->deletes_snapshots)
		TRY(list_snapshots(op, image->row.id, wish));
	TRY(image_write_end(op, image));
	return delete_snapshots(op, wish);
}

RESULT engine_forget_image(struct op *op, struct image_forget *wish)
{
	const struct image *image = image_find(op->head, wish->image);
	if (!image)
		return OK;
	if (row_is_live(&image->row) || op->now_us < image->row.deleted_us + IMAGE_KNOWN_US)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_IMAGE,
				     "The image is not deleted, or only just.");
	return image_forget(op, wish->image);
}
