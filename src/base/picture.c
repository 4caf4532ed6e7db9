/* SPDX-License-Identifier: Apache-2.0
 * Pictures, by libpng and libjpeg. libjpeg reports errors by a function that must not return, hence the only
 * longjmp here; it skips no cleanup of ours. */
#include "base/picture.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */

#include <jpeglib.h>
#include <png.h>

#include "base/buf.h"
#include "base/heap.h"

enum { PIXEL_SIZE = 3 };

RESULT picture_new(struct ctx *c, size_t width, size_t height, struct picture **ret_picture)
{
	if (width == 0 || height == 0 || width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX ||
	    width * height > PICTURE_PIXELS_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "a picture of %zu by %zu pixels", width, height);
	struct picture *p = heap_alloc(sizeof *p + width * height * PIXEL_SIZE);
	if (!p)
		return ctx_no_memory(c);
	p->width = width;
	p->height = height;
	*ret_picture = p;
	return OK;
}

void picture_free(struct picture *p)
{
	heap_free(p);
}

/* ---- PNG */

static RESULT read_png(struct ctx *c, png_image *image, struct picture **ret_picture)
{
	AUTO(picture) p = NULL;
	image->format = PNG_FORMAT_RGB;
	TRY(picture_new(c, image->width, image->height, &p));
	if (!png_image_finish_read(image, NULL, p->rgb, 0, NULL))
		return ctx_fail(c, ERR_IO, "the picture cannot be read: %s", image->message);
	*ret_picture = TAKE(p);
	return OK;
}

RESULT picture_parse_png(struct ctx *c, struct str png, struct picture **ret_picture)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	struct result r = OK;
	if (png_image_begin_read_from_memory(&image, png.p, png.n))
		r = read_png(c, &image, ret_picture);
	else
		r = ctx_fail(c, ERR_IO, "the picture is no PNG: %s", image.message);
	png_image_free(&image);
	return r;
}

/* ---- JPEG */

struct encoding {
	struct jpeg_compress_struct j;
	struct jpeg_error_mgr errors;
	struct jpeg_destination_mgr target;
	jmp_buf back;
	struct buf out;
	JOCTET piece[4096];
};

static void give_up(j_common_ptr j)
{
	longjmp(((struct encoding *) j->client_data)->back, 1);
}

static void be_quiet(j_common_ptr j)
{
	(void) j;
}

static void begin_piece(j_compress_ptr j)
{
	struct encoding *e = j->client_data;
	e->target.next_output_byte = e->piece;
	e->target.free_in_buffer = sizeof e->piece;
}

static boolean end_piece(j_compress_ptr j)
{
	struct encoding *e = j->client_data;
	buf_add(&e->out, e->piece, sizeof e->piece);
	begin_piece(j);
	return TRUE;
}

static void end_output(j_compress_ptr j)
{
	struct encoding *e = j->client_data;
	buf_add(&e->out, e->piece, sizeof e->piece - e->target.free_in_buffer);
}

/* False: libjpeg failed. */
static bool encode(struct encoding *e, const struct picture *p, int quality)
{
	e->j.err = jpeg_std_error(&e->errors);
	e->errors.error_exit = give_up;
	e->errors.output_message = be_quiet;
	e->j.client_data = e;
	if (setjmp(e->back)) {
		jpeg_destroy_compress(&e->j);
		return false;
	}
	jpeg_create_compress(&e->j);
	e->target = (struct jpeg_destination_mgr){.init_destination = begin_piece,
						  .empty_output_buffer = end_piece,
						  .term_destination = end_output};
	e->j.dest = &e->target;
	e->j.image_width = (JDIMENSION) p->width;
	e->j.image_height = (JDIMENSION) p->height;
	e->j.input_components = PIXEL_SIZE;
	e->j.in_color_space = JCS_RGB;
	jpeg_set_defaults(&e->j);
	jpeg_set_quality(&e->j, quality, TRUE);
	jpeg_start_compress(&e->j, TRUE);
	while (e->j.next_scanline < e->j.image_height) {
		JSAMPROW row = (JSAMPROW) p->rgb + e->j.next_scanline * p->width * PIXEL_SIZE;
		(void) jpeg_write_scanlines(&e->j, &row, 1);
	}
	jpeg_finish_compress(&e->j);
	jpeg_destroy_compress(&e->j);
	return true;
}

static RESULT encode_at(struct ctx *c, struct encoding *e, const struct picture *p, int quality,
			struct str *ret_jpeg)
{
	buf_init(&e->out, PICTURE_JPEG_MAX);
	bool is_done = encode(e, p, quality);
	struct result r = buf_finish(&e->out);
	if (is_done && result_is_ok(r))
		*ret_jpeg = str_copy(c->arena, buf_str(&e->out));
	buf_done(&e->out);
	if (!is_done)
		return ctx_fail(c, ERR_INTERNAL, "a picture of %zu by %zu pixels cannot be written as JPEG",
				p->width, p->height);
	if (!result_is_ok(r))
		return ctx_fail(c, r.code, "a picture that is too large as JPEG");
	return ret_jpeg->p ? OK : ctx_no_memory(c);
}

RESULT picture_write_jpeg(struct ctx *c, const struct picture *p, struct str *ret_jpeg)
{
	static const int qualities[] = {75, 40, 10};
	enum { COUNT = sizeof qualities / sizeof *qualities };
	struct encoding *e = heap_new(struct encoding);
	if (!e)
		return ctx_no_memory(c);
	struct result r = OK;
	for (size_t k = 0; k < COUNT && (k == 0 || r.code == ERR_TOO_LARGE); k++) {
		ctx_clear_problem(c);
		r = encode_at(c, e, p, qualities[k], ret_jpeg);
	}
	heap_free(e);
	return r;
}
