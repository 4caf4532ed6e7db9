/* SPDX-License-Identifier: Apache-2.0
 * Shared code of base's OpenSSL users: encoded keys and fingerprints as strings. */
#include "base/crypto_ossl.h"

#include "base/crypto_digest.h"

DEFINE_OSSL(OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free)

RESULT crypto_take_bio(struct ctx *c, BIO *bio, struct str *ret_text)
{
	char *p = NULL;
	long size = BIO_get_mem_data(bio, &p);
	struct str text = str_copy(c->arena, (struct str){p, size > 0 ? (size_t) size : 0});
	if (!text.n)
		return ctx_no_memory(c);
	*ret_text = text;
	return OK;
}

RESULT crypto_encode_key(struct ctx *c, EVP_PKEY *key, int selection, const char *type, const char *structure,
			 struct str *ret_bytes)
{
	OSSL(OSSL_ENCODER_CTX) x = OSSL_ENCODER_CTX_new_for_pkey(key, selection, type, structure, NULL);
	OSSL(BIO) bio = BIO_new(BIO_s_secmem());
	if (!x || !bio || OSSL_ENCODER_to_bio(x, bio) != 1)
		return crypto_fail(c, "cannot encode a key");
	return crypto_take_bio(c, bio, ret_bytes);
}

RESULT crypto_write_colons(struct ctx *c, const uint8_t *bytes, size_t size, struct str *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	char *p = arena_alloc(c->arena, size * 3 + 1);
	if (!p)
		return ctx_no_memory(c);
	for (size_t k = 0; k < size; k++) {
		p[3 * k] = digits[bytes[k] >> 4];
		p[3 * k + 1] = digits[bytes[k] & 15];
		p[3 * k + 2] = ':';
	}
	p[size * 3 - 1] = 0;
	*ret_text = (struct str){p, size * 3 - 1};
	return OK;
}

int crypto_no_passphrase(char *buffer, int size, int writing, void *data)
{
	(void) buffer, (void) size, (void) writing, (void) data;
	return -1;
}
