/* SPDX-License-Identifier: Apache-2.0
 * Compresses parts of an answer, and joins them with an id to one stream. */
#include "api/core/response_zip.h"

#include <zlib.h>

#include "base/heap.h"

enum {
	LEVEL = 3, /* the first levels save time, the later ones little more space: lists repeat their members' names */
	RAW_WINDOW = -15,
	MEMORY_LEVEL = 8,
	STORED_SIZE = 5, /* a stored block begins with so many bytes */
	TAIL_SIZE = 8
};

/* Method deflate, no name, no time, unknown system. */
static const unsigned char gzip_head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

/* Immutable. The first part ends at a byte's boundary, the second one ends the deflate stream and does not refer to the first. */
struct response_zip {
	size_t before_size, behind_size; /* sizes of the compressed parts */
	size_t id_size, plain_size, plain_behind_size;
	uLong crc_before, crc_behind; /* checksums of the plain parts */
	char bytes[];
};

static bool accepts(struct str word)
{
	struct str rest = word, name, weight;
	if (!str_split_next(&rest, ';', &name) || !str_equal_nocase(str_trim(name), STR("gzip")))
		return false;
	weight = str_trim(rest);
	if (!str_starts_with(weight, STR("q=")) && !str_starts_with(weight, STR("Q=")))
		return true;
	for (size_t k = 2; k < weight.n; k++)
		if (weight.p[k] >= '1' && weight.p[k] <= '9')
			return true;
	return false;
}

bool response_zip_is_asked(const struct call *call)
{
	struct str rest = call_header(call, "Accept-Encoding"), word;
	while (str_split_next(&rest, ',', &word))
		if (accepts(word))
			return true;
	return false;
}

/* Compresses the text to `to`; returns its size, 0 if it does not fit or memory is out. */
static size_t compress_part(struct str text, int flush, char *to, size_t room)
{
	z_stream z = {0};
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	z.next_in = (Bytef *) (uintptr_t) text.p;
	z.avail_in = (uInt) text.n;
	z.next_out = (Bytef *) to;
	z.avail_out = (uInt) room;
	int code = deflate(&z, flush);
	bool is_whole =
		z.avail_in == 0 && z.avail_out > 0 && code == (flush == Z_FINISH ? Z_STREAM_END : Z_OK);
	size_t size = is_whole ? room - z.avail_out : 0;
	(void) deflateEnd(&z);
	return size;
}

static uLong crc_of(struct str text)
{
	return crc32(0, (const Bytef *) text.p, (uInt) text.n);
}

static bool compress_parts(struct response_zip *z, struct str before, struct str behind, size_t room)
{
	if (z->id_size) {
		z->before_size = compress_part(before, Z_SYNC_FLUSH, z->bytes, room);
		if (!z->before_size)
			return false;
	}
	z->behind_size = compress_part(behind, Z_FINISH, z->bytes + z->before_size, room - z->before_size);
	return z->behind_size;
}

struct response_zip *response_zip_new(struct str before, size_t id_size, struct str behind)
{
	size_t plain_size = before.n + id_size + behind.n, room = plain_size / 2;
	struct response_zip *z = heap_resize(NULL, sizeof *z + room);
	if (!z)
		return NULL;
	*z = (struct response_zip){.id_size = id_size,
				   .plain_size = plain_size,
				   .plain_behind_size = behind.n,
				   .crc_before = crc_of(before),
				   .crc_behind = crc_of(behind)};
	if (!compress_parts(z, before, behind, room)) {
		heap_free(z);
		return NULL;
	}
	struct response_zip *fit = heap_resize(z, sizeof *z + z->before_size + z->behind_size);
	return fit ? fit : z;
}

void response_zip_free(struct response_zip *z)
{
	heap_free(z);
}

size_t response_zip_size(const struct response_zip *z)
{
	return sizeof *z + z->before_size + z->behind_size;
}

static void put_le(unsigned char *to, uLong value, size_t size)
{
	for (size_t k = 0; k < size; k++)
		to[k] = (unsigned char) (value >> 8 * k);
}

static void add_stored(struct str id, struct buf *out)
{
	unsigned char head[STORED_SIZE] = {
		0}; /* not the last block, stored; its size, and the complement of it */
	put_le(head + 1, id.n, 2);
	put_le(head + 3, ~(uLong) id.n, 2);
	buf_add(out, head, sizeof head);
	buf_add_str(out, id);
}

void response_zip_write(const struct response_zip *z, struct str id, struct buf *out)
{
	unsigned char tail[TAIL_SIZE];
	uLong crc = z->crc_behind;
	buf_add(out, gzip_head, sizeof gzip_head);
	if (z->id_size) {
		crc = crc32(z->crc_before, (const Bytef *) id.p, (uInt) id.n);
		crc = crc32_combine(crc, z->crc_behind, (z_off_t) z->plain_behind_size);
		buf_add(out, z->bytes, z->before_size);
		add_stored(id, out);
	}
	buf_add(out, z->bytes + z->before_size, z->behind_size);
	put_le(tail, crc, 4);
	put_le(tail + 4, (uLong) z->plain_size, 4);
	buf_add(out, tail, sizeof tail);
}
