/* SPDX-License-Identifier: Apache-2.0
 * Signed texts: bytes of a fixed size and their HMAC-SHA256, in base64url. Whoever holds one can read it and
 * make no other. What the bytes mean is the caller's (token.c, ticket.c). Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"

/* size with the signature's, a multiple of 3: the text has no padding. */
#define SIGNED_TEXT_SIZE(size) ((size) / 3 * 4)

/* The text is in c's arena. ERR_NO_MEMORY. */
RESULT signed_write(struct ctx *c, const uint8_t key[static SHA256_SIZE], struct str bytes,
		    struct str *ret_text);
/* Fills size bytes. False: not signed with that key, or of another size. */
bool signed_read(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str text, size_t size,
		 void *ret_bytes);
