/* SPDX-License-Identifier: Apache-2.0
 * What is good once, though whoever brings it could bring it again: a digest of each is kept until its time is over. Some thousands
 * are; beyond these the one whose time ends first is forgotten. A restart forgets all of them. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { SPENT_KEPT = 4096 };

struct spents;
struct spents *spents_new(void);    /* NULL: no memory */
void spents_free(struct spents *s); /* NULL: nothing */

/* Spends a text that nobody can guess, which is worth nothing from until_us on. False: it was spent before. */
bool spents_take(struct spents *s, struct str text, int64_t until_us);
