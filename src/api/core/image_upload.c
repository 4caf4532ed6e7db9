/* SPDX-License-Identifier: Apache-2.0
 * Streams uploaded image data into a file of the image store. Sizes and digests of the data become the
 * parameters of the engine's operation.
 */
#include "api/core/image_upload.h"

#include "drivers/image/image_file.h"
#include "engine/storage/image/image.h"

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
