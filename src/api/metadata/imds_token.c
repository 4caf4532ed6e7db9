/* SPDX-License-Identifier: Apache-2.0
 * IMDSv2 tokens: version, expiry, and a MAC over both and the instance, in base64: 56 characters. */
#include "api/metadata/imds.h"
#include "base/clock.h"
#include "base/crypto.h"

enum { TOKEN_VERSION = 1, TOKEN_HEAD_SIZE = 9, TOKEN_SIZE = TOKEN_HEAD_SIZE + SHA256_SIZE };

/* head: the version and the expiry in seconds, big-endian. */
static void token_sign(const uint8_t key[static 32], uuid instance,
		       const uint8_t head[static TOKEN_HEAD_SIZE], uint8_t out[static SHA256_SIZE])
{
	char signed_bytes[sizeof instance.b + TOKEN_HEAD_SIZE];
	memcpy(signed_bytes, instance.b, sizeof instance.b);
	memcpy(signed_bytes + sizeof instance.b, head, TOKEN_HEAD_SIZE);
	crypto_hmac_sha256(key, 32, (struct str){signed_bytes, sizeof signed_bytes}, out);
}

struct str imds_make_token(struct arena *a, const uint8_t key[static 32], uuid instance, int64_t ttl_s)
{
	uint8_t token[TOKEN_SIZE] = {TOKEN_VERSION};
	uint64_t expiry_s = (uint64_t) (clock_now_us() / SECOND + ttl_s);
	for (unsigned k = 0; k < 8; k++)
		token[1 + k] = (uint8_t) (expiry_s >> (56 - 8 * k));
	token_sign(key, instance, token, token + TOKEN_HEAD_SIZE);
	return str_encode_base64(a, (struct str){(const char *) token, sizeof token});
}

int64_t imds_check_token(struct arena *a, const uint8_t key[static 32], uuid instance, struct str text)
{
	struct str bytes = STR_NONE;
	if (text.n > 2 * (size_t) TOKEN_SIZE || !result_is_ok(str_decode_base64(a, text, &bytes)) ||
	    bytes.n != TOKEN_SIZE)
		return 0;
	const uint8_t *token = (const uint8_t *) bytes.p;
	uint8_t mac[SHA256_SIZE];
	token_sign(key, instance, token, mac);
	if (token[0] != TOKEN_VERSION || !crypto_equal(mac, token + TOKEN_HEAD_SIZE, sizeof mac))
		return 0;
	uint64_t expiry_s = 0;
	for (unsigned k = 0; k < 8; k++)
		expiry_s = expiry_s << 8 | token[1 + k];
	int64_t left_s = (int64_t) expiry_s - clock_now_us() / SECOND;
	return left_s > 0 ? left_s : 0;
}
