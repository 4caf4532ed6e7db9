/* SPDX-License-Identifier: Apache-2.0
 * What a volume's bytes are encrypted under at rest: 256 random bits, drawn for one volume. In rows they
 * stand sealed under the master key; a host gets them while it has the disk. What is made from an encrypted
 * disk (a snapshot, a volume of that) has the same key, as in EC2, so that a key is not bound to one row. */
#pragma once

#include "base/crypto.h"

enum { DISK_KEY_SIZE = 32, DISK_KEY_TEXT_SIZE = 2 * DISK_KEY_SIZE + 1 };

struct disk_key {
	char text[DISK_KEY_TEXT_SIZE]; /* hex: what LUKS is opened with */
};

/* A new one, sealed, in c's arena. master_key: MASTER_KEY_SIZE bytes. */
RESULT disk_key_draw(struct ctx *c, const uint8_t *master_key, struct str *ret_sealed);
/* In c's arena. ERR_INVALID, in words: it was sealed under another master key, or is none. */
RESULT disk_key_open(struct ctx *c, const uint8_t *master_key, struct str sealed,
		     const struct disk_key **ret_key);
