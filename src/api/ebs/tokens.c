/* SPDX-License-Identifier: Apache-2.0
 * Block tokens and page tokens. AWS's alphabet for both is base64's, so base64url's two other letters are exchanged. */
#include <string.h>

#include "api/ebs/internal.h"
#include "auth/token/signed_text.h"
#include "base/clock.h"
#include "model/disk_key.h"

enum { BLOCK_TOKEN = 1, PAGE_TOKEN = 2 };

/* Integers are in the machine's byte order: only this region reads them. */
struct wire {
	uint8_t kind, padding[7];
	uint8_t first[16], second[16];
	int64_t block, expires_us;
	uint8_t filler[2];
} __attribute__((packed));
_Static_assert((sizeof(struct wire) + SHA256_SIZE) % 3 == 0, "a token's text needs no padding");
_Static_assert(SIGNED_TEXT_SIZE(sizeof(struct wire) + SHA256_SIZE) <= 256, "the model's limit of a token");

/* Separates these tokens from other uses of the master key. */
static void derive_key(const struct ebs_call *e, uint8_t ret_key[static SHA256_SIZE])
{
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, STR("ebs-token"), ret_key);
}

static void exchange(char *text, size_t n, const char *from, const char *to)
{
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; from[i]; i++)
			if (text[k] == from[i]) {
				text[k] = to[i];
				break;
			}
}

static RESULT write_token(struct ebs_call *e, const struct wire *wire, struct str *ret_token)
{
	uint8_t key[SHA256_SIZE];
	struct str text = STR_NONE;
	derive_key(e, key);
	TRY(signed_text_write(e->c, key, (struct str){(const char *) wire, sizeof *wire}, &text));
	char *copy = arena_alloc(e->c->arena, text.n);
	if (!copy)
		return ctx_no_memory(e->c);
	memcpy(copy, text.p, text.n);
	exchange(copy, text.n, "-_", "+/");
	*ret_token = (struct str){copy, text.n};
	return OK;
}

static bool read_token(struct ebs_call *e, struct str token, uint8_t kind, struct wire *ret_wire)
{
	uint8_t key[SHA256_SIZE];
	char copy[256];
	if (token.n > sizeof copy)
		return false;
	memcpy(copy, token.p, token.n);
	exchange(copy, token.n, "+/", "-_");
	derive_key(e, key);
	return signed_text_read(e->c->arena, key, (struct str){copy, token.n}, sizeof *ret_wire, ret_wire) &&
	       ret_wire->kind == kind && ret_wire->expires_us > clock_now_us();
}

RESULT ebs_write_block_token(struct ebs_call *e, uuid snapshot, int64_t index, int64_t expires_us,
			     struct str *ret_token)
{
	struct wire wire = {.kind = BLOCK_TOKEN, .block = index, .expires_us = expires_us};
	memcpy(wire.first, snapshot.b, sizeof wire.first);
	return write_token(e, &wire, ret_token);
}

RESULT ebs_check_block_token(struct ebs_call *e, struct str token, uuid snapshot, int64_t index)
{
	struct wire wire;
	if (read_token(e, token, BLOCK_TOKEN, &wire) && wire.block == index &&
	    memcmp(wire.first, snapshot.b, sizeof wire.first) == 0)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("blockToken"),
			      "The block token is invalid, or has expired.");
}

RESULT ebs_write_page_token(struct ebs_call *e, const struct ebs_page *page, struct str *ret_token)
{
	struct wire wire = {
		.kind = PAGE_TOKEN, .block = page->from, .expires_us = clock_now_us() + EBS_PAGE_TOKEN_US};
	memcpy(wire.first, page->first.b, sizeof wire.first);
	memcpy(wire.second, page->second.b, sizeof wire.second);
	return write_token(e, &wire, ret_token);
}

RESULT ebs_read_page_token(struct ebs_call *e, struct str token, struct ebs_page *page)
{
	struct wire wire;
	if (!read_token(e, token, PAGE_TOKEN, &wire) ||
	    memcmp(wire.first, page->first.b, sizeof wire.first) != 0 ||
	    memcmp(wire.second, page->second.b, sizeof wire.second) != 0)
		return ctx_fail_field(e->c, ERR_INVALID, STR("pageToken"),
				      "The page token is invalid, or has expired.");
	page->from = wire.block;
	return OK;
}
