/* SPDX-License-Identifier: Apache-2.0
 * Downloads of images: finds the file with the data in the image store. */
#include <fcntl.h>
#include <sys/stat.h>

#include "api/core/dispatch.h"
#include "api/core/image_download.h"
#include "drivers/image/image_file.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/snapshot.h"

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
