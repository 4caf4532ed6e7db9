/* SPDX-License-Identifier: Apache-2.0
 * One-time links into the console's pages: whoever has the server's machine lets somebody in without a password (`dari console`).
 * A link is worth a minute and one use. It is kept in memory, as a digest: a restart forgets it. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

#define ENTRY_LIFETIME_US (60 * SECOND)
enum { ENTRIES_MAX = 64 }; /* that wait; the oldest goes for another one */

struct entry {
	uuid user, account;
	int64_t lifetime_us; /* 0: ENTRY_LIFETIME_US */
};

struct entries;
struct entries *entries_new(void);    /* NULL: no memory */
void entries_free(struct entries *e); /* NULL: nothing */

/* A new link's secret, whose characters need no escape in a URL, in c's arena. ERR_NO_MEMORY. */
RESULT entry_issue(struct entries *e, struct ctx *c, const struct entry *entry, struct str *ret_secret);
/* Whom the secret lets in; it is worth nothing from now on. False: nobody. */
bool entry_take(struct entries *e, struct str secret, struct entry *ret_entry);
