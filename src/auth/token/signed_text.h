/* SPDX-License-Identifier: Apache-2.0
 * Signed texts: a fixed number of bytes and their HMAC-SHA256, in base64url. Anyone who has one can read it,
 * but not make another. The callers define the content (token.c, ticket.c). Any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"

/* size includes the MAC and must be a multiple of 3, so that the text needs no padding. */
#define SIGNED_TEXT_SIZE(size) ((size) / 3 * 4)

/* The text is in c's arena. ERR_NO_MEMORY. */
RESULT signed_text_write(struct ctx *c, const uint8_t key[static SHA256_SIZE], struct str bytes,
			 struct str *ret_text);
/* Reads exactly size bytes. False: signed with another key, or another size. */
bool signed_text_read(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str text, size_t size,
		      void *ret_bytes);
