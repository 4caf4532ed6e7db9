/* SPDX-License-Identifier: Apache-2.0
 * Encodes text strings in CBOR (RFC 8949, major type 3), with the shortest length form.
 */
#include "api/core/cbor.h"

enum { TEXT = 0x60, ONE_BYTE = 24 };

void cbor_add_text(struct buf *out, struct str text)
{
	int bytes = text.n < ONE_BYTE ? 0 : text.n <= UINT8_MAX ? 1 : text.n <= UINT16_MAX ? 2 : 4;
	int info = bytes == 0   ? (int) text.n
		   : bytes == 1 ? ONE_BYTE
		   : bytes == 2 ? ONE_BYTE + 1
				: ONE_BYTE + 2;
	buf_add_char(out, (char) (TEXT | info));
	for (int k = bytes - 1; k >= 0; k--)
		buf_add_char(out, (char) (text.n >> (8 * k) & 0xff));
	buf_add_str(out, text);
}
