/* SPDX-License-Identifier: Apache-2.0
 * AWS's form of UEFI variables, version 0: "AMZNUEFI", the CRC-32C of all that follows it, the version, and
 * what zlib made of the variables. A stream may begin from the version's dictionary; that is left out here,
 * so that it is a little longer and any zlib reads it. All numbers are little-endian. */
#include "api/ec2/compute/uefi_data.h"

#include <zlib.h>

#include "base/buf.h"

enum { VARIABLES_SIZE_MAX = 1 << 20, VERSION = 0 };

static void put_number(struct buf *b, uint64_t n, size_t size)
{
	for (size_t k = 0; k < size; k++)
		buf_add_char(b, (char) (n >> 8 * k));
}

static void put_sized(struct buf *b, struct str s)
{
	put_number(b, s.n, 8);
	buf_add_str(b, s);
}

static void put_variable(struct buf *b, const struct firmware_variable *v)
{
	static const char no_digest[FIRMWARE_DIGEST_SIZE];
	put_sized(b, v->name);
	put_sized(b, v->data);
	buf_add(b, v->guid, sizeof v->guid);
	put_number(b, v->attributes, 4);
	if (!(v->attributes & FIRMWARE_AUTHENTICATED))
		return;
	buf_add(b, v->timestamp, sizeof v->timestamp);
	put_sized(b, v->digest.n ? v->digest : (struct str){no_digest, sizeof no_digest});
}

/* Castagnoli's, bit by bit: there is little of it. */
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
	buf_add(&whole, "AMZNUEFI", 8);
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
	struct buf plain;
	buf_init(&plain, VARIABLES_SIZE_MAX);
	put_number(&plain, variables->count, 8);
	for (size_t k = 0; k < variables->count; k++)
		put_variable(&plain, &variables->at[k]);
	struct result r = buf_finish(&plain);
	if (result_is_ok(r))
		r = pack(c, buf_str(&plain), ret_bytes);
	else
		r = ctx_fail(c, r.code, "UEFI's variables are more than %d bytes", VARIABLES_SIZE_MAX);
	buf_done(&plain);
	return r;
}
