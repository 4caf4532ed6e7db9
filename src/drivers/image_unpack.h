/* SPDX-License-Identifier: Apache-2.0
 * Unpacks an image that was sent as .gz, .bz2 or .zip. */
#pragma once

#include "base/ctx.h"

struct image_upload;

struct image_packed {
	const char *path;                                       /* of the packed file */
	int64_t cap_size;                                       /* unpacked bytes at most */
	bool (*goes_on)(void *arg, int64_t done, int64_t size); /* as of struct image_fetch */
	void *arg;
};
/* Tells whether the URL's path ends as those of packed images do, whatever its letters' case. */
bool image_is_packed(struct str url);
/* Adds the one file in it, of a .zip the first, to the upload, which takes room for what it writes. ERR_INVALID: it is not packed
 * so, or is broken. ERR_TOO_LARGE, ERR_CAPACITY, ERR_IO. ERR_AGAIN: goes_on() ended it. */
RESULT image_unpack(struct ctx *c, const struct image_packed *packed, struct image_upload *to);
