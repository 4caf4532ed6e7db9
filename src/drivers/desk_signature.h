/* SPDX-License-Identifier: Apache-2.0
 * Signs webhook requests with a shared secret, in the header
 *   Dari-Signature: t=SECONDS,v1=HEX
 * where HEX is the HMAC-SHA256 of "SECONDS.BODY". Receivers must reject one that differs from their time by
 * more than DESK_SIGNATURE_WINDOW_S. */
#pragma once

#include "base/ctx.h"

#define DESK_SIGNATURE_HEADER "Dari-Signature"
enum { DESK_SIGNATURE_WINDOW_S = 300 };

/* Returns "t=1,v1=…", in a. */
struct str desk_sign(struct arena *a, struct str secret, int64_t at_s, struct str body);
/* Verifies a received signature and its time. False with an empty secret. */
bool desk_is_signed(struct arena *a, struct str secret, int64_t now_s, struct str header, struct str body);
