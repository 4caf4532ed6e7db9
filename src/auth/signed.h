/* SPDX-License-Identifier: Apache-2.0
 * Signed texts: a fixed number of bytes and their HMAC-SHA256, in base64url. Whoever has one can
 * read it, and cannot make another. What the bytes mean is the caller's business (token.c,
 * ticket.c). Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"

/* size includes the signature and must be a multiple of 3, so that the text has no padding. */
#define SIGNED_TEXT_SIZE(size) ((size) / 3 * 4)

/* The text is in c's arena. ERR_NO_MEMORY. */
RESULT signed_write(struct ctx *c, const uint8_t key[static SHA256_SIZE], struct str bytes,
		    struct str *ret_text);
/* Reads size bytes. False: the text was not signed with that key, or has another size. */
bool signed_read(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str text, size_t size,
		 void *ret_bytes);
