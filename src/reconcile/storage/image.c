/* SPDX-License-Identifier: Apache-2.0
 * Steps of images. An image whose data must be downloaded or imported from the staging area gets them
 * completely or fails with a message. Uploads that a client announced are awaited until a deadline. An image
 * created from a volume in another format than the store's is also exported in that format. A deregistered
 * image is forgotten IMAGE_KNOWN_US later, at a resync, when no instance names it. The image's files belong
 * to its snapshots (snapshot.c). */
#include "engine/storage/image/image.h"
#include "base/clock.h"
#include "drivers/disk.h"
#include "drivers/image/image_file.h"
#include "drivers/image/image_unpack.h"
#include "engine/quota.h"
#include "engine/storage/image/image_source.h"
#include "engine/storage/sending.h"
#include "reconcile/work.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"

struct image_rows {
	const struct image *image;   /* NULL: the row does not exist */
	const struct snapshot *root; /* snapshot to export; NULL: none */
	struct disk_payer payer;
	bool is_used;
};

static RESULT forget(struct step *s)
{
	struct image_forget *forget = STEP_NEW(s, struct image_forget);
	forget->image = s->id;
	step_report(s, engine_forget_image_run, forget);
	return OK;
}

/* Fails the image for good: only its owner can mend the cause. */
static RESULT report_failed(struct step *s, const struct image *image)
{
	struct image_failing *failing = STEP_NEW(s, struct image_failing);
	*failing = (struct image_failing){
		.image = s->id, .gen = image->row.gen, .problem = s->ctx.problem.message};
	ctx_clear_problem(&s->ctx);
	step_report(s, engine_fail_image_run, failing);
	return OK;
}

/* An ISO image is stored like a raw disk. */
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

static struct str property_of(const struct image *image, const char *key)
{
	const struct tag *said = tags_find(image->properties, str_from(key));
	return said ? said->value : STR_NONE;
}

/* Unpacks compressed data into a second upload. */
static RESULT keep_unpacked(struct step *s, const struct image_rows *rows, struct image_upload *packed,
			    struct image_file *ret_file, struct image_digests *ret_digests)
{
	const struct image *image = rows->image;
	struct str checksum = property_of(image, IMAGE_CHECKSUM_PROPERTY);
	const struct image_packed wish = {.path = image_upload_path(packed),
					  .cap_size = IMAGE_DATA_MAX,
					  .goes_on = goes_on,
					  .arg = s->r};
	AUTO(image_upload) plain = NULL;
	if (checksum.n)
		TRY(image_upload_check(packed, &s->ctx, checksum));
	TRY(image_upload_new(&s->ctx, s->r->image_directory, &plain));
	image_upload_charge(plain, &rows->payer);
	TRY(image_unpack(&s->ctx, &wish, plain));
	return image_upload_keep(plain, &s->ctx, image_data_format(image), ret_file, ret_digests);
}

static RESULT check_digests(struct ctx *c, struct str checksum, const struct image_digests *digests)
{
	if (!checksum.n || str_equal_nocase(checksum, digests->md5) ||
	    str_equal_nocase(checksum, digests->sha256) || str_equal_nocase(checksum, digests->sha512))
		return OK;
	return ctx_fail(c, ERR_INVALID, "the data do not have the checksum %" STR_FMT, STR_ARG(checksum));
}

/* Downloads the data, or imports them from the staging area. */
static RESULT take_in(struct step *s, const struct image_rows *rows, struct image_file *ret_file,
		      struct image_digests *ret_digests)
{
	const struct image *image = rows->image;
	AUTO(image_upload) upload = NULL;
	if (image->is_imported) {
		*ret_digests = (struct image_digests){image->data_md5, image->data_sha256, image->data_sha512,
						      image->data_size};
		return image_data_import(&s->ctx, s->r->image_directory, image->data_sha256,
					 image_data_format(image), &rows->payer, ret_file);
	}
	TRY(image_upload_new(&s->ctx, s->r->image_directory, &upload));
	image_upload_charge(upload, &rows->payer);
	const struct image_fetch wish = {.url = str_to_z(s->ctx.arena, image->fetch_url),
					 .cap_size = IMAGE_DATA_MAX,
					 .reach = s->r->reach,
					 .goes_on = goes_on,
					 .arg = s->r};
	TRY(image_upload_fetch(upload, &s->ctx, &wish));
	if (str_is(property_of(image, IMAGE_UNPACK_PROPERTY), "true"))
		return keep_unpacked(s, rows, upload, ret_file, ret_digests);
	TRY(image_upload_keep(upload, &s->ctx, image_data_format(image), ret_file, ret_digests));
	return check_digests(&s->ctx, property_of(image, IMAGE_CHECKSUM_PROPERTY), ret_digests);
}

/* True for errors of this machine, which pass; a download's error may be the remote side's and is final. */
static bool is_tried_again(const struct image *image, struct result result)
{
	return result.code == ERR_NO_MEMORY || result.code == ERR_AGAIN ||
	       (image->is_imported && (result.code == ERR_IO || result.code == ERR_CAPACITY));
}

static RESULT fetch(struct step *s, const struct image_rows *rows)
{
	const struct image *image = rows->image;
	struct image_file file = {0};
	struct image_digests digests = {0};
	struct image_filling *filling = STEP_NEW(s, struct image_filling);
	struct result result = take_in(s, rows, &file, &digests);
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

/* ---- export ---- */

static RESULT export(struct step *s, const struct image_rows *rows)
{
	const struct image *image = rows->image;
	struct image_digests digests = {0};
	struct image_exported *exported = STEP_NEW(s, struct image_exported);
	AUTO(image_upload) upload = NULL;
	TRY(image_upload_new(&s->ctx, s->r->image_directory, &upload));
	const struct disk_export wish = {.from = gather_store_path(s, rows->root->sha256),
					 .sha256 = rows->root->sha256,
					 .file_size = rows->root->file_size,
					 .format = image->disk_format,
					 .to = str_from(image_upload_path(upload))};
	if (!wish.from.p)
		return ctx_no_memory(&s->ctx);
	TRY(s->r->disks[0]->export_file(&s->ctx, &wish));
	TRY(image_upload_stage_written(upload, &s->ctx, &digests));
	*exported = (struct image_exported){.image = s->id,
					    .data_size = digests.size,
					    .md5 = digests.md5,
					    .sha256 = digests.sha256,
					    .sha512 = digests.sha512};
	step_report(s, engine_see_image_exported_run, exported);
	return OK;
}

/* ---- the step ---- */

static RESULT gather(struct step *s, struct image_rows *ret_rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	*ret_rows = (struct image_rows){0};
	const struct image *image = image_find(view.tables, s->id);
	if (!image)
		return OK;
	ret_rows->image = STEP_COPY(s, KIND_IMAGE, struct image, image);
	ret_rows->payer = engine_pay_disk(view.tables, image->account, KIND_IMAGE);
	ret_rows->is_used = instance_first_by_image(view.tables, s->id);
	if (!engine_image_is_to_be_exported(view.tables, image))
		return OK;
	const struct image_device *device = image_device_first_by_image(view.tables, s->id);
	const struct snapshot *root = snapshot_find(view.tables, device->snapshot);
	ret_rows->root = STEP_COPY(s, KIND_SNAPSHOT, struct snapshot, root);
	return OK;
}

RESULT step_sending(struct step *s, enum kind kind, int64_t until_us)
{
	int64_t now_us = clock_now_us();
	if (now_us < until_us) {
		step_again_by(s, until_us);
		return OK;
	}
	struct sending_end *end = STEP_NEW(s, struct sending_end);
	*end = (struct sending_end){.kind = kind, .id = s->id};
	step_report(s, engine_end_sending_run, end);
	return OK;
}

static RESULT step_image(struct step *s)
{
	struct image_rows rows;
	TRY(gather(s, &rows));
	const struct image *image = rows.image;
	if (!image)
		return OK;
	if (!row_is_live(&image->row)) {
		bool is_known = clock_now_us() < image->row.deleted_us + IMAGE_KNOWN_US;
		return rows.is_used || is_known ? OK : forget(s);
	}
	if (rows.root)
		return export(s, &rows);
	if (image->sending == IMAGE_SENDING_WAITING)
		return step_sending(s, KIND_IMAGE, image->sending_until_us);
	return image->fetch_url.n || image->is_imported ? fetch(s, &rows) : OK;
}

/* ---- wake-ups ---- */

static void wake_image(struct reconciler *r, const struct row *row)
{
	const struct image *image = image_of(row);
	if (!row_is_live(row) || image->sending == IMAGE_SENDING_WAITING)
		work_wake(r, lane_home(r), KIND_IMAGE, row->id, WAKE_WISH);
	else if (image->fetch_url.n)
		work_wake(r, lane_fetches(image->account), KIND_IMAGE, row->id, WAKE_WISH);
	else if (image->is_imported || (image->is_exported && !image->data_size))
		work_wake(r, lane_images(r, image->account, row->id), KIND_IMAGE, row->id, WAKE_WISH);
}

const struct resource reconcile_image = {
	.step = step_image,
	.is_swept = true,
	.wake = wake_image,
};
