/* SPDX-License-Identifier: Apache-2.0
 * A volume's encryption key: 256 random bits per volume. Rows contain it sealed with the master key. A host
 * has it while it has the disk. Copies of an encrypted disk (a snapshot, a volume created from it) share its
 * key, as in EC2, so a key is not bound to one row. */
#pragma once

#include "base/crypto.h"

enum { DISK_KEY_SIZE = 32, DISK_KEY_TEXT_SIZE = 2 * DISK_KEY_SIZE + 1 };

struct disk_key {
	char text[DISK_KEY_TEXT_SIZE]; /* hex digits, the LUKS passphrase */
};

/* Generates a key and seals it, in c's arena. master_key: MASTER_KEY_SIZE bytes. */
RESULT disk_key_draw(struct ctx *c, const uint8_t *master_key, struct str *ret_sealed);
/* Opens a sealed key, in c's arena. ERR_INVALID, with a message: sealed with another master key, or not a
 * key. */
RESULT disk_key_open(struct ctx *c, const uint8_t *master_key, struct str sealed,
		     const struct disk_key **ret_key);
