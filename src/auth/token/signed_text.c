/* SPDX-License-Identifier: Apache-2.0
 * Signed texts. */
#include "auth/token/signed_text.h"

RESULT signed_text_write(struct ctx *c, const uint8_t key[static SHA256_SIZE], struct str bytes,
			 struct str *ret_text)
{
	char *whole = arena_alloc(c->arena, bytes.n + SHA256_SIZE);
	if (!whole)
		return ctx_no_memory(c);
	memcpy(whole, bytes.p, bytes.n);
	crypto_hmac_sha256(key, SHA256_SIZE, bytes, (uint8_t *) whole + bytes.n);
	*ret_text = str_encode_base64url(c->arena, (struct str){whole, bytes.n + SHA256_SIZE});
	return ret_text->p ? OK : ctx_no_memory(c);
}

bool signed_text_read(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str text, size_t size,
		      void *ret_bytes)
{
	uint8_t mac[SHA256_SIZE];
	struct str whole = STR_NONE;
	if (text.n != SIGNED_TEXT_SIZE(size + SHA256_SIZE) ||
	    !result_is_ok(str_decode_base64url(a, text, &whole)) || whole.n != size + SHA256_SIZE)
		return false;
	crypto_hmac_sha256(key, SHA256_SIZE, str_slice(whole, 0, size), mac);
	if (!crypto_equal(mac, whole.p + size, sizeof mac))
		return false;
	memcpy(ret_bytes, whole.p, size);
	return true;
}
