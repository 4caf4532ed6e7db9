/* SPDX-License-Identifier: Apache-2.0
 * Images. Those that were deregistered are forgotten after a while, when no instance names them any more: the
 * look at everything finds them. Those whose data are to be fetched, or taken from where they were staged,
 * get them: whole or not at all, and what cannot be had is given up, with words. Their files are their
 * snapshots' (snapshot.c). */
#include "engine/storage/image.h"
#include "base/clock.h"
#include "drivers/image_file.h"
#include "reconcile/work.h"
#include "store/image.h"
#include "store/instance.h"

static RESULT forget(struct step *s)
{
	struct image_forget *forget = STEP_NEW(s, struct image_forget);
	forget->image = s->id;
	step_report(s, engine_forget_image_run, forget);
	return OK;
}

/* Nobody but its owner can mend that: it is not tried again by itself. */
static RESULT report_failed(struct step *s, const struct image *image)
{
	struct image_failing *failing = STEP_NEW(s, struct image_failing);
	*failing = (struct image_failing){
		.image = s->id, .gen = image->row.gen, .problem = s->ctx.problem.message};
	ctx_clear_problem(&s->ctx);
	step_report(s, engine_fail_image_run, failing);
	return OK;
}

/* An iso is taken as the disk that it is. */
static struct str image_data_format(const struct image *image)
{
	return str_is(image->disk_format, "iso") ? STR("raw") : image->disk_format;
}

static bool goes_on(void *arg, int64_t done, int64_t size)
{
	(void) done;
	(void) size;
	return !work_is_stopping(arg);
}

/* From elsewhere, or as they were staged. */
static RESULT take_in(struct step *s, const struct image *image, struct image_file *ret_file,
		      struct image_digests *ret_digests)
{
	AUTO(image_upload) upload = NULL;
	if (image->is_imported) {
		*ret_digests = (struct image_digests){image->data_md5, image->data_sha256, image->data_sha512,
						      image->data_size};
		return image_data_import(&s->ctx, s->r->image_directory, image->data_sha256,
					 image_data_format(image), ret_file);
	}
	TRY(image_upload_new(&s->ctx, s->r->image_directory, &upload));
	const struct image_fetch wish = {.url = str_to_z(s->ctx.arena, image->fetch_url),
					 .cap_size = IMAGE_DATA_MAX,
					 .reach = s->r->reach,
					 .goes_on = goes_on,
					 .arg = s->r};
	TRY(image_upload_fetch(upload, &s->ctx, &wish));
	return image_upload_keep(upload, &s->ctx, image_data_format(image), ret_file, ret_digests);
}

/* This machine's own trouble, which passes; a download's may be the other side's. */
static bool is_tried_again(const struct image *image, struct result result)
{
	return result.code == ERR_NO_MEMORY || result.code == ERR_AGAIN ||
	       (image->is_imported && (result.code == ERR_IO || result.code == ERR_CAPACITY));
}

static RESULT fetch(struct step *s, const struct image *image)
{
	struct image_file file = {0};
	struct image_digests digests = {0};
	struct image_filling *filling = STEP_NEW(s, struct image_filling);
	struct result result = take_in(s, image, &file, &digests);
	if (is_tried_again(image, result))
		return result;
	if (!result_is_ok(result))
		return report_failed(s, image);
	*filling = (struct image_filling){
		.image = {.kind = KIND_IMAGE, .prefix = s->id, .bits = 128, .text = image->name},
		.gen = image->row.gen,
		.data_size = digests.size,
		.md5 = digests.md5,
		.data_sha256 = digests.sha256,
		.sha512 = digests.sha512,
		.sha256 = file.sha256,
		.file_size = file.file_size,
		.virtual_size = file.virtual_size};
	step_report(s, engine_fill_image_run, filling);
	return OK;
}

static RESULT gather(struct step *s, const struct image **ret_image, bool *ret_is_used)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct image *image = image_find(view.tables, s->id);
	*ret_image = image ? STEP_COPY(s, KIND_IMAGE, struct image, image) : NULL;
	*ret_is_used = instance_first_by_image(view.tables, s->id);
	return OK;
}

static RESULT step_image(struct step *s)
{
	const struct image *image = NULL;
	bool is_used = false;
	TRY(gather(s, &image, &is_used));
	if (!image)
		return OK;
	if (!row_is_live(&image->row)) {
		bool is_known = clock_now_us() < image->row.deleted_us + IMAGE_KNOWN_US;
		return is_used || is_known ? OK : forget(s);
	}
	return image->fetch_url.n || image->is_imported ? fetch(s, image) : OK;
}

/* ---- who looks because of it ---- */

static void wake_image(struct reconciler *r, const struct row *row)
{
	const struct image *image = image_of(row);
	if (!row_is_live(row))
		work_wake(r, lane_home(r), KIND_IMAGE, row->id, WAKE_WISH);
	else if (image->fetch_url.n)
		work_wake(r, lane_fetches(image->account), KIND_IMAGE, row->id, WAKE_WISH);
	else if (image->is_imported)
		work_wake(r, lane_images(r, row->id), KIND_IMAGE, row->id, WAKE_WISH);
}

const struct resource reconcile_image = {
	.step = step_image,
	.is_swept = true,
	.wake = wake_image,
};
