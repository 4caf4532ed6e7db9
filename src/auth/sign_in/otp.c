/* SPDX-License-Identifier: Apache-2.0
 * One-time codes (RFC 4226 truncation of an HMAC over the period number) and recovery codes. */
#include "auth/sign_in/otp.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/random.h"

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* RFC 4226, 5.3: the low four bits of the last byte say where 31 bits of the MAC begin; the top bit is left out, because
 * languages disagree about its sign. */
void otp_write_code(struct str secret, int64_t period, char ret_code[static OTP_DIGITS + 1])
{
	uint8_t mac[20];
	uint64_t counter = htobe64((uint64_t) period);
	crypto_hmac_sha1(secret.p, secret.n, (struct str){(const char *) &counter, sizeof counter}, mac);
	size_t at = mac[sizeof mac - 1] & 15;
	uint32_t bits = (uint32_t) (mac[at] & 127) << 24 | (uint32_t) mac[at + 1] << 16 |
			(uint32_t) mac[at + 2] << 8 | mac[at + 3];
	(void) snprintf(ret_code, OTP_DIGITS + 1, "%06" PRIu32, bits % 1000000);
}

static bool is_code(struct str secret, struct str code, int64_t period)
{
	char right[OTP_DIGITS + 1];
	otp_write_code(secret, period, right);
	return code.n == OTP_DIGITS && crypto_equal(right, code.p, OTP_DIGITS);
}

bool otp_check(struct str secret, struct str code, int64_t now_us, int64_t last_period, int64_t *ret_period)
{
	int64_t now = now_us / (OTP_PERIOD_S * SECOND);
	bool is_right = false;
	for (int64_t period = now - OTP_DRIFT; period <= now + OTP_DRIFT; period++) {
		if (period <= last_period || !is_code(secret, code, period))
			continue;
		*ret_period = period;
		is_right = true;
	}
	return is_right;
}

/* Looks near now first, because a code may repeat by chance. */
bool otp_find_pair(struct str secret, struct str first, struct str second, int64_t now_us,
		   int64_t *ret_period)
{
	int64_t now = now_us / (OTP_PERIOD_S * SECOND);
	for (int64_t off = 0; off <= 2 * OTP_PAIR_DRIFT; off++) {
		int64_t period = off % 2 ? now + (off + 1) / 2 : now - off / 2;
		if (!is_code(secret, first, period - 1) || !is_code(secret, second, period))
			continue;
		*ret_period = period;
		return true;
	}
	return false;
}

bool otp_check_drifted(struct str secret, struct str code, int64_t now_us, int64_t drift, int64_t last_period,
		       int64_t *ret_period)
{
	return otp_check(secret, code, now_us + drift * OTP_PERIOD_S * SECOND, last_period, ret_period) ||
	       (drift && otp_check(secret, code, now_us, last_period, ret_period));
}

struct str otp_write_base32(struct arena *a, struct str bytes)
{
	size_t size = (bytes.n * 8 + 4) / 5, bits = 0, done = 0;
	uint32_t held = 0;
	char *out = arena_alloc(a, size + 1);
	if (!out)
		return STR_NONE;
	for (size_t k = 0; k < bytes.n; k++) {
		held = held << 8 | (uint8_t) bytes.p[k];
		for (bits += 8; bits >= 5; bits -= 5)
			out[done++] = base32[held >> (bits - 5) & 31];
	}
	if (bits)
		out[done++] = base32[held << (5 - bits) & 31];
	return (struct str){out, done};
}

struct str otp_write_uri(struct ctx *c, struct str issuer, struct str name, struct str secret)
{
	struct str who = str_encode_url(c->arena, issuer, false),
		   whose = str_encode_url(c->arena, name, false);
	struct str text = otp_write_base32(c->arena, secret);
	return str_print(c->arena,
			 "otpauth://totp/%" STR_FMT ":%" STR_FMT "?secret=%" STR_FMT "&issuer=%" STR_FMT
			 "&algorithm=SHA1&digits=%d&period=%d",
			 STR_ARG(who), STR_ARG(whose), STR_ARG(text), STR_ARG(who), OTP_DIGITS, OTP_PERIOD_S);
}

/* ---- recovery codes ---- */

struct str otp_digest_recovery(struct arena *a, struct str typed)
{
	char code[OTP_RECOVERY_SIZE];
	size_t size = 0;
	for (size_t k = 0; k < typed.n; k++) {
		char letter = typed.p[k];
		if (letter == ' ' || letter == '-')
			continue;
		if (letter >= 'a' && letter <= 'z')
			letter = (char) (letter - 'a' + 'A');
		if (size == sizeof code || !letter || !strchr(base32, letter))
			return STR_NONE;
		code[size++] = letter;
	}
	char *digest = size == sizeof code ? arena_alloc(a, SHA256_SIZE) : NULL;
	if (!digest)
		return STR_NONE;
	crypto_sha256((struct str){code, size}, (uint8_t *) digest);
	return (struct str){digest, SHA256_SIZE};
}

/* for example "ABCDE-FGHIJ" */
RESULT otp_draw_recovery(struct ctx *c, struct str ret_codes[static OTP_RECOVERY_COUNT],
			 struct str *ret_digests)
{
	struct str digests[OTP_RECOVERY_COUNT];
	for (size_t n = 0; n < OTP_RECOVERY_COUNT; n++) {
		uint8_t drawn[OTP_RECOVERY_SIZE];
		char code[OTP_RECOVERY_SIZE + 1];
		random_bytes(drawn, sizeof drawn);
		for (size_t k = 0; k < sizeof drawn; k++)
			code[k + (k >= OTP_RECOVERY_SIZE / 2)] = base32[drawn[k] & 31];
		code[OTP_RECOVERY_SIZE / 2] = '-';
		ret_codes[n] = str_copy(c->arena, (struct str){code, sizeof code});
		digests[n] = otp_digest_recovery(c->arena, ret_codes[n]);
	}
	*ret_digests = str_join(c->arena, digests, OTP_RECOVERY_COUNT);
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}
