/* SPDX-License-Identifier: Apache-2.0
 * Replay cache: stores the digest of each one-time text until it expires. A full table drops the entry that
 * expires first. A restart forgets everything. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { SPENT_KEPT = 4096 };

struct spents;
struct spents *spents_new(void);    /* NULL: out of memory */
void spents_free(struct spents *s); /* ignores NULL */

/* Consumes an unguessable text that expires at until_us. False: consumed before. */
bool spents_take(struct spents *s, struct str text, int64_t until_us);
