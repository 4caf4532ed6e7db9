/* SPDX-License-Identifier: Apache-2.0
 * One-time codes of authenticator apps (RFC 6238: HMAC-SHA-1, six digits, 30 seconds), and recovery codes.
 * Pure functions; any thread. */
#pragma once

#include "base/ctx.h"

enum {
	OTP_SECRET_SIZE = 20, /* as RFC 4226 recommends */
	OTP_PERIOD_S = 30,    /* validity of a code */
	OTP_DRIFT = 1,        /* periods before and after the present one that are accepted, because clocks
			       * differ */
	OTP_PAIR_DRIFT = 120, /* periods that the clock of a device may be off, whose two codes set it */
	OTP_DIGITS = 6,
	OTP_RECOVERY_COUNT = 10,
	OTP_RECOVERY_SIZE = 10, /* characters of base32: 50 bits */
};

/* Code of a period, counted from 1970. */
void otp_write_code(struct str secret, int64_t period, char ret_code[static OTP_DIGITS + 1]);
/* True if the code belongs to a period near now that is later than last_period, which prevents reuse; returns
 * that period. */
bool otp_check(struct str secret, struct str code, int64_t now_us, int64_t last_period, int64_t *ret_period);
/* Finds two codes in a row, near now by OTP_PAIR_DRIFT; returns the period of the second. */
bool otp_find_pair(struct str secret, struct str first, struct str second, int64_t now_us,
		   int64_t *ret_period);
/* Checks a code like otp_check(), for a device whose clock seemed to be ahead by `drift` periods. A code of the right time
 * passes, too: a person who types slowly looks like a clock that is late. */
bool otp_check_drifted(struct str secret, struct str code, int64_t now_us, int64_t drift, int64_t last_period,
		       int64_t *ret_period);
/* Base32 without padding (RFC 4648), in the arena; p NULL: out of memory. */
struct str otp_write_base32(struct arena *a, struct str bytes);
/* URI for the authenticator's QR code: otpauth://totp/ISSUER:NAME?secret=…&issuer=…, in c's arena. */
struct str otp_write_uri(struct ctx *c, struct str issuer, struct str name, struct str secret);

/* Draws recovery codes, and concatenates their digests. ERR_NO_MEMORY. */
RESULT otp_draw_recovery(struct ctx *c, struct str ret_codes[static OTP_RECOVERY_COUNT],
			 struct str *ret_digests);
/* Digest of a recovery code as typed: ignores case, spaces and hyphens. In the arena; p NULL: not a code. */
struct str otp_digest_recovery(struct arena *a, struct str typed);
