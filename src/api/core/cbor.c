/* SPDX-License-Identifier: Apache-2.0
 * Encodes texts and integers in CBOR (RFC 8949, major types 0, 1 and 3), with the shortest length form.
 */
#include "api/core/cbor.h"

enum { UNSIGNED = 0x00, NEGATIVE = 0x20, TEXT = 0x60, ONE_BYTE = 24 };

static void add_head(struct buf *out, int major, uint64_t value)
{
	int bytes = value < ONE_BYTE      ? 0
		    : value <= UINT8_MAX  ? 1
		    : value <= UINT16_MAX ? 2
		    : value <= UINT32_MAX ? 4
					  : 8;
	int info = bytes == 0   ? (int) value
		   : bytes == 1 ? ONE_BYTE
		   : bytes == 2 ? ONE_BYTE + 1
		   : bytes == 4 ? ONE_BYTE + 2
				: ONE_BYTE + 3;
	buf_add_char(out, (char) (major | info));
	for (int k = bytes - 1; k >= 0; k--)
		buf_add_char(out, (char) (value >> (8 * k) & 0xff));
}

void cbor_add_text(struct buf *out, struct str text)
{
	add_head(out, TEXT, text.n);
	buf_add_str(out, text);
}

void cbor_add_int(struct buf *out, int64_t value)
{
	add_head(out, value < 0 ? NEGATIVE : UNSIGNED,
		 value < 0 ? (uint64_t) (-1 - value) : (uint64_t) value);
}
