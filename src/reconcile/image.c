/* SPDX-License-Identifier: Apache-2.0
 * Images that were deleted: forgotten when nothing is made from them any more. Their file goes
 * before the row does, unless another image has the same content. Woken by the deletion and, while
 * something still stands on it, whenever everything is looked at. */
#include "engine/image.h"

#include "base/file.h"
#include "reconcile/work.h"

struct image_rows {
	const struct image *image; /* NULL: no such row */
	bool is_used, is_shared;
};

static RESULT gather_image(struct step *s, struct image_rows *ret_rows)
{
	*ret_rows = (struct image_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct image *image = image_find(view.tables, s->id);
	if (!image || row_is_live(&image->row))
		return OK;
	ret_rows->image = STEP_COPY(s, KIND_IMAGE, struct image, image);
	ret_rows->is_used = instance_first_by_image(view.tables, s->id) != NULL;
	for (const struct volume *v = volume_first(view.tables); v && !ret_rows->is_used;
	     v = volume_next(view.tables, v))
		ret_rows->is_used = uuid_equal(v->image, s->id);
	for (const struct image *other = image_first(view.tables); other;
	     other = image_next(view.tables, other))
		if (other != image && str_equal(other->sha256, image->sha256))
			ret_rows->is_shared = true;
	return OK;
}

static RESULT delete_file(struct step *s, const struct image *image)
{
	struct str path = str_print(s->ctx.arena, "%s/%" STR_FMT ".qcow2", s->r->image_directory,
				    STR_ARG(image->sha256));
	return path.p ? file_delete(&s->ctx, path.p) : ctx_no_memory(&s->ctx);
}

RESULT reconcile_step_image(struct step *s)
{
	struct image_rows rows = {0};
	TRY(gather_image(s, &rows));
	if (!rows.image || rows.is_used)
		return OK;
	if (!rows.is_shared && rows.image->sha256.n > 0)
		TRY(delete_file(s, rows.image));
	struct image_forget *forget = STEP_NEW(s, struct image_forget);
	forget->image = s->id;
	step_report(s, engine_forget_image_run, forget);
	return OK;
}
