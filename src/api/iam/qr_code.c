/* SPDX-License-Identifier: Apache-2.0
 * QR codes by libqrencode, and PNGs by libpng's simplified writer. */
#include "api/iam/qr_code.h"

#include <png.h>
#include <qrencode.h>
#include <stdlib.h>

enum { DOT = 4 /* pixels */, MARGIN = 4 /* dots: ISO/IEC 18004, the quiet zone */, BLACK = 0, WHITE = 1 };

/* Two colours make a picture of one bit a pixel, which costs an HTTP thread an eighth of one of grey levels. */
static const uint8_t colours[] = {[BLACK] = 0, [WHITE] = 255};

static void free_code(QRcode **code)
{
	if (*code)
		QRcode_free(*code);
}

/* Draws a byte for each pixel. p NULL: the arena is full. */
static struct str draw(struct arena *a, const QRcode *code)
{
	size_t side = (size_t) (code->width + 2 * MARGIN) * DOT;
	char *pixels = arena_alloc(a, side * side);
	if (!pixels)
		return STR_NONE;
	memset(pixels, WHITE, side * side);
	for (size_t y = MARGIN * DOT; y < side - MARGIN * DOT; y++)
		for (size_t x = MARGIN * DOT; x < side - MARGIN * DOT; x++) {
			size_t at = (y / DOT - MARGIN) * (size_t) code->width + x / DOT - MARGIN;
			if (code->data[at] & 1)
				pixels[y * side + x] = BLACK;
		}
	return (struct str){pixels, side * side};
}

RESULT qr_code_write(struct ctx *c, struct str text, struct str *ret_png)
{
	__attribute__((cleanup(free_code))) QRcode *code =
		QRcode_encodeData((int) text.n, (const uint8_t *) text.p, 0, QR_ECLEVEL_M);
	struct str pixels = code ? draw(c->arena, code) : STR_NONE;
	if (!pixels.p)
		return ctx_no_memory(c);
	uint32_t side = (uint32_t) (code->width + 2 * MARGIN) * DOT;
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = side,
			   .height = side,
			   .format = PNG_FORMAT_GRAY | PNG_FORMAT_FLAG_COLORMAP,
			   .colormap_entries = 2};
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	char *png = arena_alloc(c->arena, size);
	if (!png || !png_image_write_to_memory(&image, png, &size, 0, pixels.p, 0, colours))
		return ctx_no_memory(c);
	*ret_png = (struct str){png, size};
	return OK;
}
