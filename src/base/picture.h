/* SPDX-License-Identifier: Apache-2.0
 * Screenshots of guests: read as PNG, written as JPEG. Pure except for memory; any thread. */
#pragma once

#include "base/cleanup.h"
#include "base/ctx.h"

/* Limits for external pictures: pixels, and width or height; and bytes of a JPEG, so that it fits into an
 * answer in base64. */
enum { PICTURE_PIXELS_MAX = 4 << 20, PICTURE_SIDE_MAX = 16384, PICTURE_JPEG_MAX = 3 << 19 };

struct picture {
	size_t width, height; /* neither 0 */
	uint8_t rgb[];        /* three bytes per pixel, rows from the top */
};

/* A black picture, to be freed by picture_free(). ERR_TOO_LARGE with a message. */
RESULT picture_new(struct ctx *c, size_t width, size_t height, struct picture **ret_picture);
void picture_free(struct picture *p);
DEFINE_AUTO(picture)
/* Reads a PNG's colours, ignoring everything else. ERR_IO: not a PNG, or damaged. */
RESULT picture_parse_png(struct ctx *c, struct str png, struct picture **ret_picture);
/* Writes a JPEG of at most PICTURE_JPEG_MAX bytes into c's arena, reducing the quality if needed. */
RESULT picture_write_jpeg(struct ctx *c, const struct picture *p, struct str *ret_jpeg);
