/* SPDX-License-Identifier: Apache-2.0
 * What is POSTed to webhooks is signed with a secret that both know: header
 *   Dari-Signature: t=SECONDS,v1=HEX
 * where HEX is the HMAC-SHA256 of "SECONDS.BODY". One that is older or newer than DESK_SIGNATURE_WINDOW_S is worth nothing. */
#pragma once

#include "base/ctx.h"

#define DESK_SIGNATURE_HEADER "Dari-Signature"
enum { DESK_SIGNATURE_WINDOW_S = 300 };

/* "t=1,v1=…", in a. */
struct str desk_sign(struct arena *a, struct str secret, int64_t at_s, struct str body);
/* What who receives one has to ask: whether it is that secret's, and of now. An empty secret signs nothing. */
bool desk_is_signed(struct arena *a, struct str secret, int64_t now_s, struct str header, struct str body);
