/* SPDX-License-Identifier: Apache-2.0
 * The master key, and access keys that are sealed under it. The master key is in a file that `dari
 * init` makes (mode 0600), never in the database. Any thread. */
#pragma once

#include "base/crypto.h"
#include "model/access_key.h"

RESULT key_make_master(struct ctx *c, const char *path); /* ERR_EXISTS: a file is never overwritten */
RESULT key_load_master(struct ctx *c, const char *path, uint8_t ret_key[static MASTER_KEY_SIZE]);

/* Draws a key id (AKIA and 16 characters of base32) and a secret (40 characters). Fills
 * row->key_id, and row->secret with the sealed secret, which is bound to row->row.id; so that must
 * be set. */
RESULT key_draw(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], struct access_key *row,
		struct str *ret_secret);
/* Any secret that is bound to a row; key_open_secret() opens an access key's. */
RESULT key_seal(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], uuid row, struct str secret,
		struct str *ret_sealed);
RESULT key_open(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], uuid row, struct str sealed,
		struct str *ret_secret);
RESULT key_open_secret(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
		       const struct access_key *row, struct str *ret_secret);
