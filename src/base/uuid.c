/* SPDX-License-Identifier: Apache-2.0
 * Generates, parses and writes UUIDs. */
#include "base/uuid_asked.h"

#include "base/crypto_digest.h"
#include "base/random_stock.h"

bool uuid_is_none(uuid u)
{
	return uuid_equal(u, UUID_NONE);
}

bool uuids_have(const struct uuids *list, uuid u)
{
	for (size_t k = 0; k < list->count; k++)
		if (uuid_equal(list->at[k], u))
			return true;
	return false;
}

static uuid with_version(uuid u, unsigned version)
{
	u.b[6] = (uint8_t) ((u.b[6] & 0x0Fu) | version << 4);
	u.b[8] = (uint8_t) ((u.b[8] & 0x3Fu) | 0x80u);
	return u;
}

uuid uuid_random(void)
{
	uuid u;
	random_stock_bytes(u.b, sizeof u.b);
	return with_version(u, 4);
}

uuid uuid_v5(uuid name_space, struct str name)
{
	uint8_t digest[SHA1_SIZE];
	crypto_sha1_joined((struct str){(const char *) name_space.b, sizeof name_space.b}, name, digest);
	uuid u;
	memcpy(u.b, digest, sizeof u.b);
	return with_version(u, 5);
}

/* Writes the eight hex digits of four bytes, all at once: lists and commits write many ids. Each step spreads halves of the
 * digits over twice the bytes; then digits from ten on move from behind '9' to 'a'. */
static void write_four(const uint8_t *bytes, char *first, char *second)
{
	uint32_t four = 0;
	memcpy(&four, bytes, sizeof four);
	uint64_t x = be32toh(four);
	x = (x | x << 16) & UINT64_C(0x0000FFFF0000FFFF);
	x = (x | x << 8) & UINT64_C(0x00FF00FF00FF00FF);
	x = (x | x << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	uint64_t letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	x = htobe64(x + UINT64_C(0x3030303030303030) + letters * ('a' - '9' - 1));
	memcpy(first, &x, 4);
	memcpy(second, (const char *) &x + 4, 4);
}

char *uuid_write(uuid u, char out[static UUID_TEXT_SIZE])
{
	write_four(u.b, out, out + 4);
	write_four(u.b + 4, out + 9, out + 14);
	write_four(u.b + 8, out + 19, out + 24);
	write_four(u.b + 12, out + 28, out + 32);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[UUID_TEXT_SIZE - 1] = 0;
	return out;
}

struct str uuid_to_str(struct arena *a, uuid u)
{
	char text[UUID_TEXT_SIZE];
	return str_copy(a, (struct str){uuid_write(u, text), UUID_TEXT_SIZE - 1});
}

RESULT uuid_parse(struct str s, uuid *ret_uuid)
{
	char hex[32];
	if (s.n == sizeof hex) {
		memcpy(hex, s.p, sizeof hex);
	} else if (s.n == UUID_TEXT_SIZE - 1) {
		if (s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
			return FAIL(MALFORMED);
		memcpy(hex, s.p, 8);
		memcpy(hex + 8, s.p + 9, 4);
		memcpy(hex + 12, s.p + 14, 4);
		memcpy(hex + 16, s.p + 19, 4);
		memcpy(hex + 20, s.p + 24, 12);
	} else {
		return FAIL(MALFORMED);
	}
	if (!result_is_ok(str_decode_hex((struct str){hex, sizeof hex}, ret_uuid->b, sizeof ret_uuid->b)))
		return FAIL(MALFORMED);
	return OK;
}

RESULT uuid_parse_asked(struct str s, uuid *ret_uuid)
{
	uuid id = UUID_NONE;
	TRY(uuid_parse(s, &id));
	if (uuid_is_none(id))
		memset(id.b, 0xFF, sizeof id.b);
	*ret_uuid = id;
	return OK;
}
