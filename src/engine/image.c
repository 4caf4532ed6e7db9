/* SPDX-License-Identifier: Apache-2.0
 * Images. What happens next: hosts fetch the file when the first disk is made from it. */
#include "engine/image.h"

#include "engine/internal.h"

static bool owner_has_image(const struct tables *t, uuid account, struct str name)
{
	return image_find_by_account(t, account, name) != NULL;
}

RESULT engine_register_image(struct op *op, struct image_wish *wish)
{
	uuid account = engine_get_account(op->ctx);
	if (wish->name.n < 1 || wish->name.n > 255 || !str_is_xml_text(wish->name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_IMAGE,
				     "An image's name has 1 to 255 characters.");
	if (wish->state == IMAGE_SEEN_STATE_AVAILABLE &&
	    (wish->virtual_size <= 0 || str_is_empty(wish->sha256)))
		return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_IMAGE,
				     "An available image has a size and a digest.");
	if (owner_has_image(op->head, account, wish->name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_IMAGE,
				     "The image name '%" STR_FMT "' is taken already.", STR_ARG(wish->name));
	TRY(engine_permit(op, "image.register", KIND_IMAGE, NULL));
	struct image image = {.row.id = uuid_is_none(wish->id) ? engine_new_id(op, KIND_IMAGE) : wish->id,
			      .row.gen = 1,
			      .account = account,
			      .name = wish->name,
			      .description = wish->description,
			      .is_public = wish->is_public,
			      .arch = wish->arch,
			      .personality = wish->personality,
			      .virtual_size = wish->virtual_size,
			      .file_size = wish->file_size,
			      .sha256 = wish->sha256,
			      .seen_state = wish->state};
	if (image_find(op->head, image.row.id))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_IMAGE,
				     "An image with this id exists already.");
	TRY(tags_normalize(op, wish->tags, &image.tags));
	TRY(image_put(op, &image));
	wish->image = image.row.id;
	return engine_tell(op, KIND_IMAGE, &image.row, "registered", "Image %" STR_FMT ".",
			   STR_ARG(image.name));
}

RESULT engine_delete_image(struct op *op, struct image_target *wish)
{
	const struct image *image = NULL;
	TRY(engine_find_own_image(op->ctx, op->head, &wish->image, &image));
	TRY(engine_permit(op, "image.delete", KIND_IMAGE, &image->row));
	TRY(image_delete(op, image->row.id));
	return engine_tell(op, KIND_IMAGE, &image->row, "deleted", "Image %" STR_FMT ".",
			   STR_ARG(image->name));
}

RESULT engine_see_image(struct op *op, struct image_sight *sight)
{
	const struct image *image = image_find(op->head, sight->image);
	if (!image)
		return OK;
	struct image next = *image;
	next.seen_state = sight->state;
	if (sight->virtual_size >= 0)
		next.virtual_size = sight->virtual_size;
	if (sight->file_size >= 0)
		next.file_size = sight->file_size;
	if (!str_is_empty(sight->sha256))
		next.sha256 = sight->sha256;
	if (row_equal(&model_kinds[KIND_IMAGE], &image->row, &next.row))
		return OK;
	TRY(image_put(op, &next));
	return engine_tell(op, KIND_IMAGE, &next.row, image_seen_state_words[next.seen_state],
			   "Image %" STR_FMT ".", STR_ARG(next.name));
}

RESULT engine_forget_image(struct op *op, struct image_forget *wish)
{
	const struct image *image = image_find(op->head, wish->image);
	if (!image)
		return OK;
	if (row_is_live(&image->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_IMAGE, "The image is not deleted.");
	bool in_use = instance_first_by_image(op->head, wish->image) != NULL;
	/* Volumes have no index by image: this walk is for the rare image that no instance has any more. */
	for (const struct volume *v = volume_first(op->head); v && !in_use; v = volume_next(op->head, v))
		in_use = uuid_equal(v->image, wish->image);
	if (in_use)
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_IMAGE, "Disks are made from the image.");
	TRY(condition_clear_all(op, wish->image));
	return image_forget(op, wish->image);
}
