/* SPDX-License-Identifier: Apache-2.0
 * The key that a volume is encrypted with: 256 random bits, drawn for one volume. A row has the key
 * sealed under the master key. A host has it while it has the disk. What is made from an encrypted
 * disk (a snapshot, a volume of that) has the same key, as in EC2, so a key is not bound to one
 * row. */
#pragma once

#include "base/crypto.h"

enum { DISK_KEY_SIZE = 32, DISK_KEY_TEXT_SIZE = 2 * DISK_KEY_SIZE + 1 };

struct disk_key {
	char text[DISK_KEY_TEXT_SIZE]; /* hex digits, which LUKS is opened with */
};

/* Draws a key, and seals it in c's arena. master_key: MASTER_KEY_SIZE bytes. */
RESULT disk_key_draw(struct ctx *c, const uint8_t *master_key, struct str *ret_sealed);
/* Opens a sealed key, in c's arena. ERR_INVALID, in words: it was sealed under another master key,
 * or is no key. */
RESULT disk_key_open(struct ctx *c, const uint8_t *master_key, struct str sealed,
		     const struct disk_key **ret_key);
