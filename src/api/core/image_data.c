/* SPDX-License-Identifier: Apache-2.0
 * Streams uploaded image data into a file of the image store, and finds the file of a download. Sizes and digests of
 * uploaded data become the parameters of the engine's operation.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "api/core/dispatch.h"
#include "api/core/image_data.h"
#include "drivers/image/image_file.h"
#include "engine/storage/image/image.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

static struct api_image_sink *sink_of(struct call_sink *sink)
{
	return (struct api_image_sink *) (void *) ((char *) sink - offsetof(struct api_image_sink, sink));
}

static RESULT take_piece(struct call_sink *sink, struct call *call, struct str piece)
{
	return image_upload_add(sink_of(sink)->upload, &call->ctx, piece);
}

static void end_upload(struct call_sink *sink)
{
	image_upload_free(sink_of(sink)->upload);
}

RESULT api_take_image_data(struct call *call, const char *directory, const struct disk_payer *payer,
			   struct str disk_format, struct api_image_sink *s)
{
	s->format = str_is(disk_format, "iso") ? STR("raw") : str_copy(call->ctx.arena, disk_format);
	TRY(image_upload_new(&call->ctx, directory, &s->upload));
	image_upload_charge(s->upload, payer);
	s->sink = (struct call_sink){.cap_size = IMAGE_DATA_MAX, .take = take_piece, .end = end_upload};
	call_set_sink(call, &s->sink);
	return OK;
}

RESULT api_keep_image_upload(struct ctx *c, struct image_upload *upload, struct str format,
			     struct image_filling *wish)
{
	struct image_file file = {0};
	struct image_digests digests = {0};
	TRY(image_upload_keep(upload, c, format, &file, &digests));
	wish->data_size = digests.size;
	wish->md5 = digests.md5;
	wish->data_sha256 = digests.sha256;
	wish->sha512 = digests.sha512;
	wish->sha256 = file.sha256;
	wish->file_size = file.file_size;
	wish->virtual_size = file.virtual_size;
	return OK;
}

/* ---- downloads ---- */

static struct str path_of(struct api_call *e, const struct image *image, const struct image_device *device)
{
	const char *directory = reconciler_image_directory(e->config->reconciler);
	const struct snapshot *root = device ? snapshot_find(api_tables(e), device->snapshot) : NULL;
	if (root && image->data_sha256.n) /* staged data do not belong to the image yet */
		return image_file_data_path(e->c->arena, directory, image->data_sha256);
	if (image->is_exported)
		return STR_NONE;
	return root && root->sha256.n ? image_file_path(e->c->arena, directory, root->sha256) : STR_NONE;
}

RESULT api_open_image_data(struct api_call *e, const struct image *image)
{
	const struct image_device *device = image_device_first_by_image(api_tables(e), image->row.id);
	struct stat st;
	if (device && device->is_encrypted)
		return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_IMAGE,
				     "The image is of an encrypted volume: its data are not given out.");
	struct str path = e->config->reconciler ? path_of(e, image, device) : STR_NONE;
	if (!path.n)
		return OK;
	AUTO_FD fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(e->c, ERR_GONE, "The data of the image cannot be read.");
	e->file = fd;
	e->file_size = st.st_size;
	fd = -1;
	return OK;
}
