/* SPDX-License-Identifier: Apache-2.0
 * Attributes of an image: visibility, hardware of its guests, properties; and the answers of those it is
 * shared with. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/image/image_internal.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/account.h"
#include "model/boot_mode.h"
#include "model/firmware.h"
#include "model/volume.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"

enum { NAME_MAX_SIZE = 255, KEY_MAX_SIZE = 255 };

/* ---- visibility ---- */

enum image_visibility engine_image_visibility(const struct image *image)
{
	if (image->is_public || uuid_is_none(image->account))
		return IMAGE_VISIBLE_PUBLIC;
	if (image->is_community)
		return IMAGE_VISIBLE_COMMUNITY;
	return image->is_unshared ? IMAGE_VISIBLE_PRIVATE : IMAGE_VISIBLE_SHARED;
}

/* A private image loses its launchers. */
static void set_visibility(struct image *image, enum image_visibility visibility)
{
	image->is_public = visibility == IMAGE_VISIBLE_PUBLIC;
	image->is_community = visibility == IMAGE_VISIBLE_COMMUNITY;
	image->is_unshared = visibility == IMAGE_VISIBLE_PRIVATE;
	if (image->is_unshared)
		image->launchers = image->accepted_by = image->rejected_by = (struct uuids){0};
}

/* ---- checks ---- */

static RESULT check_format(struct op *op, struct str format)
{
	static const char *const known[] = {"", "raw", "qcow2", "vmdk", "vhd", "vhdx", "iso"};
	for (size_t n = 0; n < sizeof known / sizeof *known; n++)
		if (str_is(format, known[n]))
			return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("disk_format"),
			   "The disk format '%" STR_FMT
			   "' is not taken: raw, qcow2, vmdk, vhd, vhdx and iso are.",
			   STR_ARG(str_slice(format, 0, 64)));
}

static RESULT check_words(struct op *op, const struct image_form *form)
{
	if (form->name.n > NAME_MAX_SIZE || !str_is_xml_text(form->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("name"),
				   "An image's name has up to %d characters.", NAME_MAX_SIZE);
	if (form->description.n > NAME_MAX_SIZE || !str_is_xml_text(form->description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("description"),
				   "An image's description has up to %d characters.", NAME_MAX_SIZE);
	TRY(check_format(op, form->disk_format));
	if (form->container_format.n && !str_is(form->container_format, "bare"))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("container_format"),
				   "The container format '%" STR_FMT "' is not taken: bare is.",
				   STR_ARG(str_slice(form->container_format, 0, 64)));
	if (form->min_disk < 0 || form->min_memory < 0)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("min_disk"), "A size is not below zero.");
	if ((form->secure_boot || form->tpm) && !model_image_is_uefi(form->boot_mode))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_IMAGE, STR("boot_mode"),
				   "Secure boot and a TPM need UEFI.");
	return OK;
}

static RESULT fail_too_many(struct op *op, const char *what)
{
	return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_IMAGE,
			     "An image may have up to %d %s, of %d bytes in all.", IMAGE_PROPERTIES_MAX, what,
			     IMAGE_PROPERTIES_SIZE_MAX);
}

RESULT image_take_properties(struct op *op, struct tags wish, struct tags *ret_properties)
{
	struct tag *sorted = arena_new_array(op->ctx->arena, struct tag, wish.count + 1);
	size_t size = 0;
	if (!sorted)
		return ctx_no_memory(op->ctx);
	if (wish.count > IMAGE_PROPERTIES_MAX)
		return fail_too_many(op, "properties");
	for (size_t n = 0; n < wish.count; n++) {
		const struct tag *t = &wish.at[n];
		if (t->key.n < 1 || t->key.n > KEY_MAX_SIZE || !str_is_utf8(t->key) || !str_is_utf8(t->value))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("properties"),
					   "The name of a property has 1 to %d characters.", KEY_MAX_SIZE);
		size_t at = n;
		for (; at > 0 && str_compare(sorted[at - 1].key, t->key) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = *t;
		size += t->key.n + t->value.n;
	}
	if (size > IMAGE_PROPERTIES_SIZE_MAX)
		return fail_too_many(op, "properties");
	*ret_properties = (struct tags){sorted, wish.count};
	return OK;
}

static RESULT take_labels(struct op *op, struct strs wish, struct strs *ret_labels)
{
	struct str *labels = arena_new_array(op->ctx->arena, struct str, wish.count + 1);
	size_t count = 0;
	if (!labels)
		return ctx_no_memory(op->ctx);
	if (wish.count > IMAGE_PROPERTIES_MAX)
		return fail_too_many(op, "tags");
	for (size_t n = 0; n < wish.count; n++) {
		if (wish.at[n].n < 1 || wish.at[n].n > KEY_MAX_SIZE || !str_is_xml_text(wish.at[n]))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_IMAGE, STR("tags"),
					   "A tag has 1 to %d characters.", KEY_MAX_SIZE);
		size_t k = 0;
		while (k < count && !str_equal(labels[k], wish.at[n]))
			k++;
		if (k == count)
			labels[count++] = wish.at[n];
	}
	*ret_labels = (struct strs){labels, count};
	return OK;
}

/* ---- rows and forms ---- */

struct image_form engine_image_form(const struct image *image)
{
	return (struct image_form){.name = image->name,
				   .description = image->description,
				   .visibility = engine_image_visibility(image),
				   .arch = image->arch,
				   .personality = image->personality,
				   .platform = image->platform,
				   .boot_mode = image->boot_mode,
				   .secure_boot = image->secure_boot,
				   .tpm = image->tpm,
				   .disk_bus = image->disk_bus,
				   .nic_model = image->nic_model,
				   .is_protected = image->is_protected,
				   .is_hidden = image->is_hidden,
				   .min_disk = image->min_disk,
				   .min_memory = image->min_memory,
				   .disk_format = image->disk_format,
				   .container_format = image->container_format,
				   .properties = image->properties,
				   .labels = image->labels,
				   .licences = image->licences};
}

static RESULT take_form(struct op *op, const struct image_form *form, struct image *image)
{
	TRY(check_words(op, form));
	TRY(image_take_properties(op, form->properties, &image->properties));
	TRY(take_labels(op, form->labels, &image->labels));
	TRY(licence_replace(op, form->licences, image->licences, STR("dari:licence"), &image->licences));
	if (form->visibility == IMAGE_VISIBLE_PUBLIC && engine_image_visibility(image) != form->visibility)
		TRY(engine_permit(op, "image.publish", KIND_IMAGE, NULL));
	set_visibility(image, form->visibility);
	image->name = form->name;
	image->description = form->description;
	image->arch = form->arch;
	image->personality = form->personality;
	image->platform = form->platform;
	image->boot_mode = form->boot_mode;
	image->secure_boot = form->secure_boot;
	image->tpm = form->tpm;
	image->disk_bus = form->disk_bus;
	image->nic_model = form->nic_model;
	image->is_protected = form->is_protected;
	image->is_hidden = form->is_hidden;
	image->min_disk = form->min_disk;
	image->min_memory = form->min_memory;
	image->disk_format = form->disk_format;
	image->container_format = form->container_format;
	return OK;
}

/* Takes over the form, with the source's licences if the form has none. */
static RESULT take_captured(struct op *op, const struct image_form *form, struct image *image)
{
	struct image_form *own = arena_new_object(op->ctx->arena, struct image_form);
	if (!own)
		return ctx_no_memory(op->ctx);
	*own = *form;
	if (!own->licences.count)
		own->licences = image->licences;
	return take_form(op, own, image);
}

/* ---- operations ---- */

RESULT engine_create_image(struct op *op, struct image_creation *wish)
{
	uuid owner = UUID_NONE;
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	TRY(engine_find_owner_id(op, &wish->owner, &owner));
	struct image image = {.row.gen = 1, .account = owner, .ena_support = true, .is_unshared = true};
	TRY(take_form(op, &wish->form, &image));
	TRY(quota_check(op, image.account, QUOTA_IMAGES, 1));
	image.row.id = uuid_is_none(wish->id) ? engine_new_id(op, KIND_IMAGE) : wish->id;
	if (!uuid_is_none(wish->id) && engine_id_is_taken(op, KIND_IMAGE, wish->id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_IMAGE, STR("id"), ENGINE_IMAGE_ID_IS_TAKEN);
	TRY(image_put(op, &image));
	wish->image = image.row.id;
	return engine_log_event(op, KIND_IMAGE, &image.row, "created", "Image %" STR_FMT ", still empty.",
				STR_ARG(image.name));
}

static RESULT check_capturable(struct op *op, const struct volume_capture *wish, const struct volume *volume)
{
	const struct instance *holder = instance_find(op->head, engine_volume_holder(volume));
	bool is_at_rest = holder && model_derive_instance_state(holder) == INSTANCE_STOPPED;
	if (wish->also_attached || (wish->also_at_rest && is_at_rest) ||
	    model_derive_attachment(volume->instance, volume->seen_instance) == ATTACHMENT_NONE)
		return OK;
	return wish->also_at_rest
		       ? ctx_fail_kind(op->ctx, ERR_STATE, KIND_VOLUME,
				       "Unable to create private template for volume: %" STR_FMT
				       "; volume is attached to a non-stopped VM, please stop the VM first",
				       STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)))
		       : ctx_fail_kind(op->ctx, ERR_STATE, KIND_VOLUME,
				       "Invalid volume: Volume status must be available, or force be set.");
}

/* True if the requested format differs from the store's, and the content may be handed out. */
static bool is_exported(const struct image *image, bool is_encrypted)
{
	return image->disk_format.n && !str_is(image->disk_format, "qcow2") && !is_encrypted;
}

RESULT image_write_of_volume(struct op *op, const struct volume *volume, const struct image_form *form,
			     uuid *ret_image)
{
	struct image image = {.account = volume->account, .ena_support = true, .is_unshared = true};
	struct snapshot snapshot = {.description = STR("For an image of the volume."), .is_bound = true};
	image.licences = licence_of_volume(op, volume);
	TRY(take_captured(op, form, &image));
	image.is_exported = is_exported(&image, volume->is_encrypted);
	TRY(snapshot_write_of(op, volume, &snapshot));
	struct disk_plans disks = {.at = {{.device = INSTANCE_ROOT_DEVICE,
					   .snapshot = &snapshot,
					   .size = volume->size,
					   .type = volume->type,
					   .iops = volume->iops,
					   .throughput = volume->throughput,
					   .delete_on_termination = true}},
				   .count = 1};
	TRY(image_write(op, &image, &disks));
	*ret_image = image.row.id;
	return OK;
}

RESULT engine_capture_volume(struct op *op, struct volume_capture *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "snapshot.create", &volume));
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	TRY(check_capturable(op, wish, volume));
	return image_write_of_volume(op, volume, &wish->form, &wish->image);
}

RESULT image_write_of_snapshot(struct op *op, uuid account, const struct snapshot *source,
			       const struct image_form *form, uuid *ret_image)
{
	struct image image = {.account = account, .ena_support = true, .is_unshared = true};
	struct snapshot *copy = arena_new_object(op->ctx->arena, struct snapshot);
	if (!copy)
		return ctx_no_memory(op->ctx);
	*copy = (struct snapshot){
		.account = account, .description = STR("For an image of the snapshot."), .is_bound = true};
	image.licences = licence_of_snapshot(op, source);
	TRY(take_captured(op, form, &image));
	image.is_exported = is_exported(&image, source->is_encrypted);
	TRY(snapshot_write_copy(op, source, &(struct disk_crypt){0}, copy));
	struct disk_plans disks = {.at = {{.device = INSTANCE_ROOT_DEVICE,
					   .snapshot = copy,
					   .size = copy->volume_size,
					   .type = STR("gp3"),
					   .delete_on_termination = true}},
				   .count = 1};
	TRY(image_write(op, &image, &disks));
	*ret_image = image.row.id;
	return OK;
}

RESULT engine_capture_snapshot(struct op *op, struct snapshot_capture *wish)
{
	const struct snapshot *source = NULL;
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_find_snapshot(op->ctx, op->head, &wish->snapshot, &source));
	TRY(engine_permit(op, "snapshot.create", KIND_SNAPSHOT, &source->row));
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	return image_write_of_snapshot(op, account, source, &wish->form, &wish->image);
}

/* ---- change of owner ---- */

/* Uploaded data have no meter of their own: the image is metered instead. */
static RESULT give_snapshot(struct op *op, const struct image *image, const struct snapshot *snapshot,
			    uuid owner)
{
	bool is_metered = !image->data_size || image->is_exported;
	struct snapshot next = *snapshot;
	if (!snapshot->is_bound)
		TRY(quota_check(op, owner, QUOTA_SNAPSHOTS, 1));
	TRY(quota_check_disk(op, owner, snapshot->file_size, KIND_SNAPSHOT));
	if (is_metered)
		TRY(snapshot_meter(op, snapshot, 0));
	next.account = owner;
	TRY(snapshot_put(op, &next));
	return is_metered ? snapshot_meter(op, &next, next.file_size) : OK;
}

static RESULT give_image(struct op *op, const struct ref *wanted, struct image *image)
{
	const struct account *owner = NULL;
	if (!ref_is_given(wanted))
		return OK;
	TRY(engine_find_owner_to_be(op, wanted, &owner));
	if (uuid_equal(owner->row.id, image->account))
		return OK;
	TRY(quota_check(op, owner->row.id, QUOTA_IMAGES, 1));
	for (const struct image_device *d = image_device_first_by_image(op->head, image->row.id); d;
	     d = image_device_next_by_image(op->head, d)) {
		const struct snapshot *s = snapshot_find(op->head, d->snapshot);
		if (s && !s->is_bound)
			return ENGINE_FAIL(
				op, ERR_STATE, KIND_IMAGE, STR("owner"),
				"The image stays with its owner, who has the snapshots of its disks "
				"by themselves.");
		if (s)
			TRY(give_snapshot(op, image, s, owner->row.id));
	}
	TRY(engine_log_event(op, KIND_IMAGE, &image->row, "given away", "To account %" STR_FMT ".",
			     STR_ARG(owner->name)));
	image->account = owner->row.id;
	return OK;
}

RESULT engine_rewrite_image(struct op *op, struct image_rewriting *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	if (image->row.gen != wish->gen)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_IMAGE, wish->image.field,
				   "The image was changed meanwhile.");
	struct image next = *image;
	bool is_fixed = !engine_image_is_empty(op->head, image) || image->fetch_url.n || image->data_size;
	if (is_fixed && (!str_equal(image->disk_format, wish->form.disk_format) ||
			 !str_equal(image->container_format, wish->form.container_format)))
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, STR("disk_format"),
				   "The formats of an image with data stay as they are.");
	TRY(take_form(op, &wish->form, &next));
	TRY(give_image(op, &wish->owner, &next));
	TRY(image_check_shares(op, &next));
	next.row.gen++;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "changed", "Its settings were changed.");
}

/* ---- answers of launchers ---- */

enum image_answer engine_image_answer(const struct image *image, uuid account)
{
	return uuids_have(&image->accepted_by, account)   ? IMAGE_ANSWER_ACCEPTED
	       : uuids_have(&image->rejected_by, account) ? IMAGE_ANSWER_REJECTED
							  : IMAGE_ANSWER_PENDING;
}

static RESULT set_member(struct op *op, struct uuids *list, uuid account, bool is_in)
{
	uuid *next = arena_new_array(op->ctx->arena, uuid, list->count + 1);
	size_t count = 0;
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < list->count; n++)
		if (!uuid_equal(list->at[n], account))
			next[count++] = list->at[n];
	if (is_in)
		next[count++] = account;
	*list = (struct uuids){next, count};
	return OK;
}

RESULT engine_answer_image(struct op *op, struct image_answering *wish)
{
	const struct image *image = NULL;
	uuid account = engine_get_account(op->ctx);
	TRY(engine_find_image(op->ctx, op->head, &wish->image, &image));
	if (!uuids_have(&image->launchers, account))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ACCOUNT, wish->image.field,
				   "The image '%" STR_FMT "' is not shared with this account.",
				   STR_ARG(wish->image.text));
	TRY(engine_permit(op, "image.share", KIND_IMAGE, &image->row));
	struct image next = *image;
	TRY(set_member(op, &next.accepted_by, account, wish->answer == IMAGE_ANSWER_ACCEPTED));
	TRY(set_member(op, &next.rejected_by, account, wish->answer == IMAGE_ANSWER_REJECTED));
	next.row.gen++;
	return image_put(op, &next);
}
