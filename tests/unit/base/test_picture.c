/* SPDX-License-Identifier: Apache-2.0
 * Pictures: reading PNG, and writing the same picture as JPEG. */
#include "test_base.h"

#include <jpeglib.h>
#include <png.h>
#include <string.h>

#include "base/picture.h"

/* Two pixels, in one row. */
static struct str make_png(struct arena *a, const char *rgb)
{
	char bytes[512];
	size_t size = sizeof bytes;
	png_image image = {.version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_RGB};
	assert_true(png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL));
	return str_copy(a, (struct str){bytes, size});
}

static void test_png(void **state)
{
	struct ctx *c = *state;
	AUTO(picture) p = NULL;
	assert_ok(picture_parse_png(c, make_png(c->arena, "abcdef"), &p));
	assert_int_equal(p->width, 2);
	assert_int_equal(p->height, 1);
	assert_memory_equal(p->rgb, "abcdef", 6);
}

static void expect_none(struct ctx *c, struct str png, enum err err)
{
	struct picture *p = NULL;
	check_code(picture_parse_png(c, png, &p), err, "picture_parse_png", __FILE__, __LINE__);
	assert_null(p);
	ctx_clear_problem(c);
}

/* Cut off anywhere, and with each of its bytes turned round: none of it is read beyond its end. */
static void test_no_png(void **state)
{
	struct ctx *c = *state;
	struct str whole = make_png(c->arena, "abcdef");
	expect_none(c, STR_NONE, ERR_IO);
	expect_none(c, STR("P6\n2 1\n255\nabcdef"), ERR_IO);
	for (size_t n = 0; n + 12 < whole.n; n++) /* without its last chunk, which is empty, it is whole */
		expect_none(c, str_slice(whole, 0, n), ERR_IO);
	for (size_t n = 0; n < whole.n; n++) {
		struct str bad = str_copy(c->arena, whole);
		AUTO(picture) p = NULL;
		((char *) bad.p)[n] ^= 0x55;
		struct result r = picture_parse_png(c, bad, &p);
		assert_true(result_is_ok(r) == (p != NULL));
		ctx_clear_problem(c);
	}
}

static void test_sizes(void **state)
{
	struct ctx *c = *state;
	static const size_t cases[][2] = {{0, 1},     {1, 0},       {16385, 1},
					  {1, 16385}, {2049, 2048}, {SIZE_MAX, SIZE_MAX}};
	struct picture *p = NULL;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		assert_err(picture_new(c, cases[k][0], cases[k][1], &p), TOO_LARGE);
		assert_null(p);
		ctx_clear_problem(c);
	}
}

static void read_jpeg(struct str jpeg, size_t width, size_t height, uint8_t *rgb)
{
	struct jpeg_decompress_struct j;
	struct jpeg_error_mgr errors;
	j.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&j);
	jpeg_mem_src(&j, (const unsigned char *) jpeg.p, jpeg.n);
	assert_int_equal(jpeg_read_header(&j, TRUE), JPEG_HEADER_OK);
	assert_true(jpeg_start_decompress(&j));
	assert_int_equal(j.output_width, width);
	assert_int_equal(j.output_height, height);
	assert_int_equal(j.output_components, 3);
	while (j.output_scanline < j.output_height) {
		JSAMPROW row = rgb + j.output_scanline * width * 3;
		assert_int_equal(jpeg_read_scanlines(&j, &row, 1), 1);
	}
	assert_true(jpeg_finish_decompress(&j));
	jpeg_destroy_decompress(&j);
}

static void test_jpeg(void **state)
{
	enum { WIDTH = 64, HEIGHT = 33 };
	struct ctx *c = *state;
	struct str jpeg = STR_NONE;
	static uint8_t again[WIDTH * HEIGHT * 3];
	AUTO(picture) p = NULL;
	assert_ok(picture_new(c, WIDTH, HEIGHT, &p));
	for (size_t k = 0; k < (size_t) WIDTH * HEIGHT; k++)
		p->rgb[3 * k + (k % WIDTH < WIDTH / 2 ? 0 : 2)] = 200;
	assert_ok(picture_write_jpeg(c, p, &jpeg));
	read_jpeg(jpeg, WIDTH, HEIGHT, again);
	const uint8_t *left = again + 3 * (WIDTH * 16 + 8), *right = left + 3 * (WIDTH / 2);
	assert_in_range(left[0], 190, 210);
	assert_in_range(left[2], 0, 10);
	assert_in_range(right[0], 0, 10);
	assert_in_range(right[2], 190, 210);
}

/* The worst there is: noise, and as large as may be. It is written so that it fits. */
static void test_noise(void **state)
{
	struct ctx *c = *state;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx wide = *c;
	struct str jpeg = STR_NONE;
	AUTO(picture) p = NULL;
	wide.arena = arena;
	assert_ok(picture_new(c, 2048, 2048, &p));
	uint32_t noise = 1;
	for (size_t k = 0; k < (size_t) 2048 * 2048 * 3; k++)
		p->rgb[k] = (uint8_t) ((noise = noise * 1664525 + 1013904223) >> 24);
	struct result r = picture_write_jpeg(&wide, p, &jpeg);
	assert_true(result_is_ok(r) || r.code == ERR_TOO_LARGE);
	assert_true(jpeg.n <= PICTURE_JPEG_MAX);
	arena_free(arena);
}

static void write_one(void *data)
{
	struct ctx *c = data;
	AUTO(picture) p = NULL;
	struct str jpeg = STR_NONE;
	struct result r = picture_new(c, 100, 100, &p);
	if (result_is_ok(r))
		r = picture_write_jpeg(c, p, &jpeg);
	assert_true(result_is_ok(r) == (jpeg.n > 0));
	if (fault_has_fired())
		assert_int_equal(r.code, ERR_NO_MEMORY);
}

static void test_faults(void **state)
{
	assert_true(for_each_fault(FAULT_ALLOC, false, write_one, *state) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_png),  ctx_test(test_no_png), ctx_test(test_sizes),
		ctx_test(test_jpeg), ctx_test(test_noise),  ctx_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
