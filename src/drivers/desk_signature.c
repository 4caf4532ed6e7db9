/* SPDX-License-Identifier: Apache-2.0
 * Signs webhook requests. */
#include "drivers/desk_signature.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/crypto.h"

struct str desk_sign(struct arena *a, struct str secret, int64_t at_s, struct str body)
{
	uint8_t sum[SHA256_SIZE];
	struct str signed_text = str_print(a, "%" PRId64 ".%" STR_FMT, at_s, STR_ARG(body));
	if (!signed_text.p)
		return STR_NONE;
	crypto_hmac_sha256(secret.p ? secret.p : "", secret.n, signed_text, sum);
	return str_print(a, "t=%" PRId64 ",v1=%" STR_FMT, at_s, STR_ARG(str_encode_hex(a, sum, sizeof sum)));
}

bool desk_is_signed(struct arena *a, struct str secret, int64_t now_s, struct str header, struct str body)
{
	struct str rest = header, time = STR_NONE;
	int64_t at_s = 0;
	if (!secret.n || !str_split_next(&rest, ',', &time) || !str_starts_with(time, STR("t=")) ||
	    !result_is_ok(str_parse_int(str_slice(time, 2, time.n), &at_s)))
		return false;
	if (at_s < now_s - DESK_SIGNATURE_WINDOW_S || at_s > now_s + DESK_SIGNATURE_WINDOW_S)
		return false;
	struct str right = desk_sign(a, secret, at_s, body);
	return right.n && right.n == header.n && crypto_equal(right.p, header.p, right.n);
}
