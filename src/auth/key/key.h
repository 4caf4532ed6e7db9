/* SPDX-License-Identifier: Apache-2.0
 * The master key, and secrets sealed with it. The master key is in a file written by `dari init` (mode 0600),
 * never in the database. Any thread. */
#pragma once

#include "base/crypto.h"
#include "model/row.h"

struct access_key;

RESULT key_make_master(struct ctx *c, const char *path); /* ERR_EXISTS: never overwrites a file */
RESULT key_load_master(struct ctx *c, const char *path, uint8_t ret_key[static MASTER_KEY_SIZE]);

enum { KEY_ID_RANDOM = 16 };
/* Draws an id as IAM's: the prefix and characters of base32. p NULL: the arena is full. */
struct str key_draw_id(struct ctx *c, const char *prefix, size_t count);
/* Draws a key id ("AKIA" and 16 characters of base32) and a secret (40 characters). Sets row->key_id, and
 * row->secret to the sealed secret. row->row.id must be set, because the secret is bound to it. */
RESULT key_draw(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], struct access_key *row,
		struct str *ret_secret);
/* Seals and opens any secret that is bound to a row; key_open_secret() opens an access key's. */
RESULT key_seal(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], uuid row, struct str secret,
		struct str *ret_sealed);
RESULT key_open(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], uuid row, struct str sealed,
		struct str *ret_secret);
RESULT key_open_secret(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
		       const struct access_key *row, struct str *ret_secret);
