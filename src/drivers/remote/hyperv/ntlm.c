/* SPDX-License-Identifier: Apache-2.0
 * NTLM version 2: see ntlm.h. Source: MS-NLMP 2.2.1 (messages), 2.2.2.7 and 3.3.2 (the response). */
#include "drivers/remote/hyperv/ntlm.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/random.h"

enum {
	UNICODE = 0x00000001,
	REQUEST_TARGET = 0x00000004,
	NTLM = 0x00000200,
	ALWAYS_SIGN = 0x00008000,
	EXTENDED_SECURITY = 0x00080000,
	TARGET_INFO = 0x00800000,
	KEY_128 = 0x20000000
};
enum {
	NEGOTIATE_SIZE = 32,
	CHALLENGE_SIZE = 48,
	ANSWER_SIZE = 64,
	MESSAGE_MAX = 8192,
	AV_END = 0,
	AV_TIMESTAMP = 7,
	BLOCK = 64
};
#define SIGNATURE "NTLMSSP" /* with its NUL */

/* ---- MD4, which OpenSSL no longer has by default ---- */

static uint32_t rotate(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static uint32_t mix(unsigned round, uint32_t x, uint32_t y, uint32_t z)
{
	return round == 0   ? ((x & y) | (~x & z))
	       : round == 1 ? ((x & y) | (x & z) | (y & z)) + 0x5a827999
			    : (x ^ y ^ z) + 0x6ed9eba1;
}

static uint32_t read_32(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static void md4_block(uint32_t state[static 4], const uint8_t block[static BLOCK])
{
	static const uint8_t order[3][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
					     {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
					     {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}};
	static const uint8_t turns[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
	uint32_t s[4] = {state[0], state[1], state[2], state[3]};
	for (unsigned round = 0; round < 3; round++)
		for (unsigned k = 0; k < 16; k++) {
			unsigned a = (16 - k) % 4;
			uint32_t sum = s[a] + mix(round, s[(a + 1) % 4], s[(a + 2) % 4], s[(a + 3) % 4]) +
				       read_32(block + 4 * (size_t) order[round][k]);
			s[a] = rotate(sum, turns[round][k % 4]);
		}
	for (size_t k = 0; k < 4; k++)
		state[k] += s[k];
}

static void write_32(uint8_t *p, uint32_t x)
{
	for (size_t k = 0; k < 4; k++)
		p[k] = (uint8_t) (x >> (8 * k));
}

void ntlm_md4(struct str data, uint8_t out[static NTLM_HASH_SIZE])
{
	uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	uint8_t last[2 * BLOCK] = {0};
	size_t whole = data.n / BLOCK * BLOCK, rest = data.n - whole;
	size_t size = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
	for (size_t at = 0; at < whole; at += BLOCK)
		md4_block(state, (const uint8_t *) data.p + at);
	if (rest)
		memcpy(last, data.p + whole, rest);
	last[rest] = 0x80;
	write_32(last + size - 8, (uint32_t) (data.n << 3));
	write_32(last + size - 4, (uint32_t) ((uint64_t) data.n >> 29));
	for (size_t at = 0; at < size; at += BLOCK)
		md4_block(state, last + at);
	for (size_t k = 0; k < 4; k++)
		write_32(out + 4 * k, state[k]);
	crypto_wipe(last, sizeof last);
}

/* ---- HMAC-MD5 (RFC 2104), of keys of 16 bytes ---- */

static RESULT hmac_md5(struct ctx *c, const uint8_t key[static NTLM_HASH_SIZE], struct str first,
		       struct str second, uint8_t out[static NTLM_HASH_SIZE])
{
	uint8_t inner[BLOCK], outer[BLOCK + NTLM_HASH_SIZE];
	for (size_t k = 0; k < BLOCK; k++) {
		uint8_t byte = k < NTLM_HASH_SIZE ? key[k] : 0;
		inner[k] = byte ^ 0x36;
		outer[k] = byte ^ 0x5c;
	}
	const struct str parts[] = {{(const char *) inner, sizeof inner}, first, second};
	struct str whole = str_join(c->arena, parts, 3);
	if (!whole.p)
		return ctx_no_memory(c);
	crypto_md5(whole, outer + BLOCK);
	crypto_md5((struct str){(const char *) outer, sizeof outer}, out);
	crypto_wipe(inner, sizeof inner);
	crypto_wipe(outer, sizeof outer);
	return OK;
}

/* ---- texts ---- */

/* The character at *at of well-formed UTF-8. */
static uint32_t decode(struct str text, size_t *at)
{
	static const uint8_t masks[] = {0x7f, 0x1f, 0x0f, 0x07};
	uint8_t lead = (uint8_t) text.p[(*at)++];
	unsigned more = (lead >= 0xc0) + (lead >= 0xe0) + (lead >= 0xf0);
	uint32_t code = lead & masks[more];
	for (; more && *at < text.n; more--)
		code = code << 6 | ((uint8_t) text.p[(*at)++] & 0x3fU);
	return code;
}

static void add_unit(struct buf *b, uint32_t unit)
{
	buf_add_char(b, (char) (unit & 0xff));
	buf_add_char(b, (char) (unit >> 8));
}

/* UTF-16LE of well-formed UTF-8, of which ASCII letters are raised if `is_upper`. */
static void add_utf16(struct buf *b, struct str text, bool is_upper)
{
	for (size_t k = 0; k < text.n;) {
		uint32_t code = decode(text, &k);
		if (is_upper && code >= 'a' && code <= 'z')
			code -= 'a' - 'A';
		if (code >= 0x10000)
			add_unit(b, 0xd800 + ((code - 0x10000) >> 10));
		add_unit(b, code >= 0x10000 ? 0xdc00 + ((code - 0x10000) & 0x3ff) : code);
	}
}

static struct str to_utf16(struct ctx *c, struct str text, bool is_upper)
{
	struct buf b;
	buf_init(&b, MESSAGE_MAX);
	add_utf16(&b, text, is_upper);
	struct str copy = b.failed ? STR_NONE : str_copy(c->arena, buf_str(&b));
	if (b.p)
		crypto_wipe(b.p, b.size);
	buf_done(&b);
	return copy;
}

/* ---- messages ---- */

struct str ntlm_write_negotiate(struct ctx *c)
{
	uint8_t message[NEGOTIATE_SIZE] = SIGNATURE;
	write_32(message + 8, 1);
	write_32(message + 12, UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SECURITY | KEY_128);
	return str_encode_base64(c->arena, (struct str){(const char *) message, sizeof message});
}

static uint16_t read_16(const uint8_t *p)
{
	return (uint16_t) (p[0] | p[1] << 8);
}

/* The server's time. False: the list is malformed. */
static bool read_target_info(struct ntlm_challenge *challenge)
{
	const uint8_t *p = (const uint8_t *) challenge->target_info.p;
	size_t left = challenge->target_info.n;
	while (left >= 4) {
		uint16_t id = read_16(p), size = read_16(p + 2);
		if (size > left - 4)
			return false;
		if (id == AV_END)
			return true;
		if (id == AV_TIMESTAMP && size == sizeof challenge->time) {
			memcpy(challenge->time, p + 4, sizeof challenge->time);
			challenge->has_time = true;
		}
		p += 4 + size;
		left -= 4 + (size_t) size;
	}
	return false;
}

RESULT ntlm_read_challenge(struct ctx *c, struct str base64, struct ntlm_challenge *ret_challenge)
{
	struct str message = STR_NONE;
	*ret_challenge = (struct ntlm_challenge){0};
	bool is_message =
		base64.n <= MESSAGE_MAX && result_is_ok(str_decode_base64(c->arena, base64, &message)) &&
		message.n >= CHALLENGE_SIZE && memcmp(message.p, SIGNATURE, sizeof SIGNATURE) == 0 &&
		read_32((const uint8_t *) message.p + 8) == 2;
	if (!is_message)
		return ctx_fail(c, ERR_IO, "The server's challenge of NTLM is malformed.");
	const uint8_t *p = (const uint8_t *) message.p;
	size_t size = read_16(p + 40), from = read_32(p + 44);
	if (!(read_32(p + 20) & TARGET_INFO) || !size || from > message.n || size > message.n - from)
		return ctx_fail(c, ERR_IO, "The server's challenge of NTLM is of no version 2.");
	memcpy(ret_challenge->bytes, p + 24, NTLM_CHALLENGE_SIZE);
	ret_challenge->target_info = str_slice(message, from, from + size);
	return read_target_info(ret_challenge)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The server's challenge of NTLM is malformed.");
}

void ntlm_make_nonce(const struct ntlm_challenge *challenge, struct ntlm_nonce *ret_nonce)
{
	/* 100 nanoseconds since 1601 */
	uint64_t now = ((uint64_t) clock_now_us() + UINT64_C(11644473600000000)) * 10;
	random_bytes(ret_nonce->bytes, sizeof ret_nonce->bytes);
	for (size_t k = 0; k < sizeof ret_nonce->time; k++)
		ret_nonce->time[k] = challenge->has_time ? challenge->time[k] : (uint8_t) (now >> (8 * k));
}

/* A user of a domain, as the response is made of them. */
struct account {
	struct str user, domain;
};

static struct account account_of(struct str login)
{
	size_t slash = str_find_char(login, '\\', 0);
	if (slash == login.n)
		return (struct account){.user = login};
	struct str domain = str_slice(login, 0, slash);
	return (struct account){.user = str_slice(login, slash + 1, login.n),
				.domain = str_is(domain, ".") ? STR_NONE : domain};
}

static RESULT make_key(struct ctx *c, const struct account *account, struct str password,
		       uint8_t key[static NTLM_HASH_SIZE])
{
	uint8_t hash[NTLM_HASH_SIZE];
	struct str wide = to_utf16(c, password, false);
	ntlm_md4(wide, hash);
	if (wide.p)
		crypto_wipe((void *) wide.p, wide.n);
	struct result result =
		hmac_md5(c, hash, to_utf16(c, account->user, true), to_utf16(c, account->domain, false), key);
	crypto_wipe(hash, sizeof hash);
	return result;
}

/* The response of version 2: a proof, and the blob that it covers. */
static RESULT make_response(struct ctx *c, const uint8_t key[static NTLM_HASH_SIZE],
			    const struct ntlm_challenge *challenge, const struct ntlm_nonce *nonce,
			    struct str *ret_response)
{
	uint8_t head[28] = {1, 1}, proof[NTLM_HASH_SIZE];
	static const char tail[4];
	memcpy(head + 8, nonce->time, sizeof nonce->time);
	memcpy(head + 16, nonce->bytes, sizeof nonce->bytes);
	const struct str blob_parts[] = {
		{(const char *) head, sizeof head}, challenge->target_info, {tail, sizeof tail}};
	struct str blob = str_join(c->arena, blob_parts, 3);
	if (!blob.p)
		return ctx_no_memory(c);
	TRY(hmac_md5(c, key, (struct str){(const char *) challenge->bytes, NTLM_CHALLENGE_SIZE}, blob,
		     proof));
	const struct str parts[] = {{(const char *) proof, sizeof proof}, blob};
	*ret_response = str_join(c->arena, parts, 2);
	return ret_response->p ? OK : ctx_no_memory(c);
}

static void put_field(uint8_t *place, size_t size, size_t from)
{
	place[0] = place[2] = (uint8_t) size;
	place[1] = place[3] = (uint8_t) (size >> 8);
	write_32(place + 4, (uint32_t) from);
}

RESULT ntlm_write_answer(struct ctx *c, struct str login, struct str password,
			 const struct ntlm_challenge *challenge, const struct ntlm_nonce *nonce,
			 struct str *ret_base64)
{
	const struct account account = account_of(login);
	uint8_t key[NTLM_HASH_SIZE] = {0}, head[ANSWER_SIZE] = SIGNATURE;
	static const char no_lm[24];
	struct str response = STR_NONE;
	TRY(make_key(c, &account, password, key));
	struct result result = make_response(c, key, challenge, nonce, &response);
	crypto_wipe(key, sizeof key);
	TRY(result);
	const struct str parts[] = {{(const char *) head, sizeof head},
				    {no_lm, sizeof no_lm},
				    response,
				    to_utf16(c, account.domain, false),
				    to_utf16(c, account.user, false)};
	size_t from = sizeof head;
	write_32(head + 8, 3);
	/* places of the fields in the message: LM and NT response, domain and user */
	for (size_t k = 1; k < sizeof parts / sizeof parts[0]; k++) {
		put_field(head + 4 + 8 * k, parts[k].n, from);
		from += parts[k].n;
	}
	put_field(head + 44, 0, from); /* workstation */
	put_field(head + 52, 0, from); /* session key */
	write_32(head + 60,
		 UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SECURITY | TARGET_INFO | KEY_128);
	struct str message = str_join(c->arena, parts, sizeof parts / sizeof parts[0]);
	*ret_base64 = message.p ? str_encode_base64(c->arena, message) : STR_NONE;
	return ret_base64->p ? OK : ctx_no_memory(c);
}
