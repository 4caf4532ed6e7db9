/* SPDX-License-Identifier: Apache-2.0
 * Pictures of guests' screens: read as PNG, written as JPEG. Pure but for memory; any thread. */
#pragma once

#include "base/cleanup.h"
#include "base/ctx.h"

/* Limits: pixels, and width or height, of a picture from outside; bytes of a JPEG, so that it fits
 * into an answer in base64. */
enum { PICTURE_PIXELS_MAX = 4 << 20, PICTURE_SIDE_MAX = 16384, PICTURE_JPEG_MAX = 3 << 19 };

struct picture {
	size_t width, height; /* neither 0 */
	uint8_t rgb[];        /* three bytes a pixel, by rows from the top */
};

/* A black picture, which the caller frees with picture_free(). ERR_TOO_LARGE with words. */
RESULT picture_new(struct ctx *c, size_t width, size_t height, struct picture **ret_picture);
void picture_free(struct picture *p);
DEFINE_AUTO(picture)
/* Reads the colours of a PNG and ignores all else in it. ERR_IO: it is no PNG, or a broken one. */
RESULT picture_parse_png(struct ctx *c, struct str png, struct picture **ret_picture);
/* Writes a JPEG of at most PICTURE_JPEG_MAX bytes into c's arena, more coarsely if it would be
 * larger. */
RESULT picture_write_jpeg(struct ctx *c, const struct picture *p, struct str *ret_jpeg);
