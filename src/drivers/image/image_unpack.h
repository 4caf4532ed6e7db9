/* SPDX-License-Identifier: Apache-2.0
 * Unpacks an image uploaded as .gz, .bz2 or .zip. */
#pragma once

#include "base/ctx.h"

struct image_upload;

struct image_packed {
	const char *path;                                       /* packed file */
	int64_t cap_size;                                       /* maximum unpacked bytes */
	bool (*goes_on)(void *arg, int64_t done, int64_t size); /* as in struct image_fetch */
	void *arg;
};
/* True if the URL's path ends like a packed image's, ignoring case. */
bool image_is_packed(struct str url);
/* Adds the contained file (the first of a .zip) to the upload, which accounts for its space. ERR_INVALID: not
 * in this format, or damaged. ERR_TOO_LARGE, ERR_CAPACITY, ERR_IO. ERR_AGAIN: aborted by goes_on(). */
RESULT image_unpack(struct ctx *c, const struct image_packed *packed, struct image_upload *to);
