/* SPDX-License-Identifier: Apache-2.0
 * Digests used inside base in addition to crypto.h. Any thread. */
#pragma once

#include "base/crypto.h"

enum { SHA1_SIZE = 20, MD5_SIZE = 16 };

/* SHA-1 of a followed by b. */
void crypto_sha1_joined(struct str a, struct str b, uint8_t out[static SHA1_SIZE]);
/* ERR_INTERNAL with OpenSSL's message, removing it from OpenSSL's error queue. */
RESULT crypto_fail(struct ctx *c, const char *what);
