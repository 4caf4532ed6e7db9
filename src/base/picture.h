/* SPDX-License-Identifier: Apache-2.0
 * Pictures: read as PNG, written as JPEG. */
#pragma once

#include "base/cleanup.h"
#include "base/ctx.h"

/* Of a picture from outside, pixels; and of a JPEG, bytes: as much as an answer takes in base64. */
enum { PICTURE_PIXELS_MAX = 4 << 20, PICTURE_SIDE_MAX = 16384, PICTURE_JPEG_MAX = 3 << 19 };

struct picture {
	size_t width, height; /* neither 0 */
	uint8_t rgb[];        /* three bytes a pixel, by rows from the top */
};

/* Black; to be freed with picture_free(). ERR_TOO_LARGE with words. */
RESULT picture_new(struct ctx *c, size_t width, size_t height, struct picture **ret_picture);
void picture_free(struct picture *p);
DEFINE_AUTO(picture)
/* Its colours; what it says besides is left out. ERR_IO: it is none, or broken. */
RESULT picture_parse_png(struct ctx *c, struct str png, struct picture **ret_picture);
/* In c's arena; PICTURE_JPEG_MAX at most: what would be larger is written more coarsely. */
RESULT picture_write_jpeg(struct ctx *c, const struct picture *p, struct str *ret_jpeg);
