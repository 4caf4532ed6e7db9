/* SPDX-License-Identifier: Apache-2.0
 * One-time codes of an authenticator (RFC 6238: HMAC-SHA-1, six digits, 30 seconds), and recovery codes for whoever lost it.
 * Pure; any thread. */
#pragma once

#include "base/ctx.h"

enum {
	OTP_SECRET_SIZE = 20, /* RFC 4226 recommends as much */
	OTP_PERIOD_S = 30,    /* a code is for one */
	OTP_DRIFT = 1,        /* codes of so many periods before and after are taken: clocks differ */
	OTP_DIGITS = 6,
	OTP_RECOVERY_COUNT = 10,
	OTP_RECOVERY_SIZE = 10, /* characters of base32: 50 bits */
};

/* The code of a period, counted from 1970. */
void otp_write_code(struct str secret, int64_t period, char ret_code[static OTP_DIGITS + 1]);
/* Whether the code is that of a period about now, later than the one that was used last; and which. */
bool otp_check(struct str secret, struct str code, int64_t now_us, int64_t last_period, int64_t *ret_period);
/* Base32 without padding (RFC 4648), in the arena; p NULL: no memory. */
struct str otp_write_base32(struct arena *a, struct str bytes);
/* What an authenticator scans: otpauth://totp/ISSUER:NAME?secret=…&issuer=…, in c's arena. */
struct str otp_write_uri(struct ctx *c, struct str issuer, struct str name, struct str secret);

/* New recovery codes, and their digests one behind the other. ERR_NO_MEMORY. */
RESULT otp_draw_recovery(struct ctx *c, struct str ret_codes[static OTP_RECOVERY_COUNT],
			 struct str *ret_digests);
/* The digest of what somebody typed as one: letters of either case, blanks and hyphens left out. In the arena; p NULL: it is none. */
struct str otp_digest_recovery(struct arena *a, struct str typed);
