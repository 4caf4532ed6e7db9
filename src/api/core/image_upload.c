/* SPDX-License-Identifier: Apache-2.0
 * What the store says of the data becomes the wish. */
#include "api/core/image_upload.h"

#include "drivers/image_file.h"
#include "engine/storage/image.h"

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
