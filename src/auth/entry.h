/* SPDX-License-Identifier: Apache-2.0
 * One-time login links to the console: the operator on the server's machine lets somebody in without a
 * password (`dari console`). A link is valid for a minute and for one use. Digests of links are kept in
 * memory and lost on a restart. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

#define ENTRY_LIFETIME_US (60 * SECOND)
enum { ENTRIES_MAX = 64 }; /* pending links; the one that expires first is dropped for a new one */

struct entry {
	uuid user, account;
	int64_t lifetime_us; /* 0: ENTRY_LIFETIME_US */
};

struct entries;
struct entries *entries_new(void);    /* NULL: out of memory */
void entries_free(struct entries *e); /* ignores NULL */

/* Creates a link's secret, in c's arena; its characters need no escaping in a URL. ERR_NO_MEMORY. */
RESULT entry_issue(struct entries *e, struct ctx *c, const struct entry *entry, struct str *ret_secret);
/* Redeems a secret, which is invalid afterwards. False: unknown, used or expired. */
bool entry_take(struct entries *e, struct str secret, struct entry *ret_entry);
