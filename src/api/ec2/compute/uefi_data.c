/* SPDX-License-Identifier: Apache-2.0
 * AWS's form of UEFI variables, version 0: "AMZNUEFI", the CRC-32C of all that follows, the version, and
 * the variables as model/firmware.h has them, compressed by zlib. A stream may start from the version's
 * dictionary. Ours do not: they are a little longer, and any zlib reads them. A stream that needs the
 * dictionary is refused. All numbers are little-endian. */
#include "api/ec2/compute/uefi_data.h"

#include <zlib.h>

#include "base/buf.h"

#define MAGIC "AMZNUEFI"

enum {
	VARIABLES_SIZE_MAX = 1 << 20,
	GIVEN_SIZE_MAX = 64 * 1024, /* limit of input, expanded */
	CRC_AT = 8,
	VERSION_AT = 12,
	HEAD_SIZE = 16,
	VERSION = 0
};

static void put_number(struct buf *b, uint64_t n, size_t size)
{
	for (size_t k = 0; k < size; k++)
		buf_add_char(b, (char) (n >> 8 * k));
}

static uint32_t get_number(struct str s, size_t at)
{
	uint32_t n = 0;
	for (size_t k = 0; k < 4; k++)
		n |= (uint32_t) (uint8_t) s.p[at + k] << 8 * k;
	return n;
}

/* CRC-32C (Castagnoli), bit by bit: the data are small. */
static uint32_t crc32c(struct str s)
{
	uint32_t crc = UINT32_MAX;
	for (size_t k = 0; k < s.n; k++) {
		crc ^= (uint8_t) s.p[k];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

static RESULT squeeze_all(struct ctx *c, z_stream *z, struct str s, struct buf *to)
{
	size_t room = deflateBound(z, s.n);
	if (!buf_reserve(to, room))
		return ctx_no_memory(c);
	z->next_in = (Bytef *) (uintptr_t) s.p;
	z->avail_in = (uInt) s.n;
	z->next_out = (Bytef *) to->p + to->size;
	z->avail_out = (uInt) room;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return ctx_fail(c, ERR_INTERNAL, "zlib does not come to an end");
	to->size += room - z->avail_out;
	return OK;
}

static RESULT squeeze(struct ctx *c, struct str s, struct buf *to)
{
	z_stream z = {0};
	if (deflateInit(&z, Z_BEST_COMPRESSION) != Z_OK)
		return ctx_no_memory(c);
	struct result r = squeeze_all(c, &z, s, to);
	deflateEnd(&z);
	return r;
}

static RESULT pack(struct ctx *c, struct str plain, struct str *ret_bytes)
{
	struct buf body, whole;
	buf_init(&body, 2 * (size_t) VARIABLES_SIZE_MAX);
	buf_init(&whole, 2 * (size_t) VARIABLES_SIZE_MAX + 64);
	put_number(&body, VERSION, 4);
	struct result r = squeeze(c, plain, &body);
	buf_add_str(&whole, STR(MAGIC));
	put_number(&whole, crc32c(buf_str(&body)), 4);
	buf_add_str(&whole, buf_str(&body));
	*ret_bytes = str_copy(c->arena, buf_str(&whole));
	if (result_is_ok(r) && (!result_is_ok(buf_finish(&whole)) || !ret_bytes->p))
		r = ctx_no_memory(c);
	buf_done(&body);
	buf_done(&whole);
	return r;
}

RESULT ec2_pack_uefi_data(struct ctx *c, const struct firmware_variables *variables, struct str *ret_bytes)
{
	struct str plain = STR_NONE;
	TRY(firmware_write(c, variables, &plain));
	return pack(c, plain, ret_bytes);
}

/* ---- reading ---- */

static RESULT fail_unreadable(struct ctx *c, const char *what)
{
	return ctx_fail_field(c, ERR_INVALID, STR("UefiData"),
			      "Invalid value for UefiData: it is no UEFI variable store in AWS's form (%s).",
			      what);
}

/* Expands the whole stream, to at most room bytes. */
static RESULT expand_all(struct ctx *c, z_stream *z, struct str s, char *to, size_t *ret_size)
{
	z->next_in = (Bytef *) (uintptr_t) s.p;
	z->avail_in = (uInt) s.n;
	z->next_out = (Bytef *) to;
	z->avail_out = GIVEN_SIZE_MAX;
	int end = inflate(z, Z_FINISH);
	if (end == Z_NEED_DICT)
		return ctx_fail_field(c, ERR_UNSUPPORTED, STR("UefiData"),
				      "UefiData that is compressed with AWS's dictionary is not read here; "
				      "plain zlib is.");
	if (end != Z_STREAM_END || z->avail_in != 0)
		return fail_unreadable(c, "its zlib stream is damaged, or too large");
	*ret_size = GIVEN_SIZE_MAX - z->avail_out;
	return OK;
}

static RESULT expand(struct ctx *c, struct str s, struct str *ret_plain)
{
	char *to = arena_alloc(c->arena, GIVEN_SIZE_MAX);
	z_stream z = {0};
	size_t size = 0;
	if (!to || inflateInit(&z) != Z_OK)
		return ctx_no_memory(c);
	struct result r = expand_all(c, &z, s, to, &size);
	inflateEnd(&z);
	*ret_plain = (struct str){to, size};
	return r;
}

RESULT ec2_unpack_uefi_data(struct ctx *c, struct str bytes, struct firmware_variables *ret_variables)
{
	struct str plain = STR_NONE;
	if (bytes.n < HEAD_SIZE || !str_starts_with(bytes, STR(MAGIC)))
		return fail_unreadable(c, "it does not begin as one");
	if (get_number(bytes, CRC_AT) != crc32c(str_slice(bytes, VERSION_AT, bytes.n)))
		return fail_unreadable(c, "its checksum is another");
	if (get_number(bytes, VERSION_AT) != VERSION)
		return fail_unreadable(c, "it is of another version");
	TRY(expand(c, str_slice(bytes, HEAD_SIZE, bytes.n), &plain));
	return firmware_read(c, plain, ret_variables);
}
