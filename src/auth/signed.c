/* SPDX-License-Identifier: Apache-2.0
 * Signed texts. */
#include "auth/signed.h"

static void swap_char(char *text, size_t size, char from, char to)
{
	for (size_t k = 0; k < size; k++)
		if (text[k] == from)
			text[k] = to;
}

RESULT signed_write(struct ctx *c, const uint8_t key[static SHA256_SIZE], struct str bytes,
		    struct str *ret_text)
{
	char *whole = arena_alloc(c->arena, bytes.n + SHA256_SIZE);
	if (!whole)
		return ctx_no_memory(c);
	memcpy(whole, bytes.p, bytes.n);
	crypto_hmac_sha256(key, SHA256_SIZE, bytes, (uint8_t *) whole + bytes.n);
	struct str text = str_encode_base64(c->arena, (struct str){whole, bytes.n + SHA256_SIZE});
	if (!text.p)
		return ctx_no_memory(c);
	swap_char((char *) text.p, text.n, '+', '-'); /* ours, in the arena */
	swap_char((char *) text.p, text.n, '/', '_');
	*ret_text = text;
	return OK;
}

bool signed_read(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str text, size_t size,
		 void *ret_bytes)
{
	uint8_t mac[SHA256_SIZE];
	struct str whole = STR_NONE, plain = str_copy(a, text);
	if (text.n != SIGNED_TEXT_SIZE(size + SHA256_SIZE) || plain.n != text.n)
		return false;
	swap_char((char *) plain.p, plain.n, '-', '+'); /* ours, in the arena */
	swap_char((char *) plain.p, plain.n, '_', '/');
	if (!result_is_ok(str_decode_base64(a, plain, &whole)) || whole.n != size + SHA256_SIZE)
		return false;
	crypto_hmac_sha256(key, SHA256_SIZE, str_slice(whole, 0, size), mac);
	if (!crypto_equal(mac, whole.p + size, sizeof mac))
		return false;
	memcpy(ret_bytes, whole.p, size);
	return true;
}
