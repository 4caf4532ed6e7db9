/* SPDX-License-Identifier: Apache-2.0
 * Hash of uniqueString(): Azure Resource Manager's variant of MurmurHash3 with two lanes of 32 bits, written as 13 digits of base 32.
 * Templates derive names of resources from it, so that each bit has to be Azure's. Source: MurmurHash64 and Base32Encode of
 * Azure.Deployments.Expression, as public ports describe them; the test's values are those that Bicep prints. */
#include "api/azure/template/internal.h"

#define MIX_A UINT32_C(0x239b961b)
#define MIX_B UINT32_C(0xab0e9789)

static uint32_t rotate(uint32_t x, unsigned bits)
{
	return x << bits | x >> (32 - bits);
}

/* Up to four bytes from `at` on, the lowest first; those behind the text are 0. */
static uint32_t word_at(struct str text, size_t at)
{
	uint32_t word = 0;
	for (size_t k = 0; k < sizeof word && at + k < text.n; k++)
		word |= (uint32_t) (unsigned char) text.p[at + k] << 8 * k;
	return word;
}

static uint32_t mix_low(uint32_t word)
{
	return rotate(word * MIX_A, 15) * MIX_B;
}

static uint32_t mix_high(uint32_t word)
{
	return rotate(word * MIX_B, 17) * MIX_A;
}

static uint32_t finish(uint32_t h)
{
	h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
	h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
	return h ^ h >> 16;
}

static uint64_t hash(struct str text)
{
	uint32_t low = 0, high = 0;
	size_t at = 0;
	for (; at + 8 <= text.n; at += 8) {
		low = rotate(low ^ mix_low(word_at(text, at)), 19) + high;
		low = low * 5 + UINT32_C(0x561ccd1b);
		high = rotate(high ^ mix_high(word_at(text, at + 4)), 13) + low;
		high = high * 5 + UINT32_C(0x0bcaa747);
	}
	low ^= mix_low(word_at(text, at)); /* of no bytes: 0 */
	high ^= mix_high(word_at(text, at + 4));
	low ^= (uint32_t) text.n;
	high ^= (uint32_t) text.n;
	low += high;
	high += low;
	low = finish(low);
	high = finish(high);
	low += high;
	high += low;
	return (uint64_t) high << 32 | low;
}

void template_write_unique(struct str text, char ret_digits[TEMPLATE_UNIQUE_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t rest = hash(text);
	for (size_t k = 0; k < TEMPLATE_UNIQUE_SIZE; k++, rest <<= 5)
		ret_digits[k] = digits[rest >> 59];
}
