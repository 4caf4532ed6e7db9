/* SPDX-License-Identifier: Apache-2.0
 * Replay cache: stores the digest of each one-time text until it expires. A full table drops the entry that
 * expires first. A restart forgets everything. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { REPLAY_CACHE_SIZE = 4096 };

struct replay_cache;
struct replay_cache *replay_cache_new(void);    /* NULL: out of memory */
void replay_cache_free(struct replay_cache *s); /* ignores NULL */

/* Consumes an unguessable text that expires at until_us. False: consumed before. */
bool replay_cache_take(struct replay_cache *s, struct str text, int64_t until_us);
