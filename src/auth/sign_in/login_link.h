/* SPDX-License-Identifier: Apache-2.0
 * One-time login links to the console: the operator on the server's machine lets somebody in without a
 * password (`dari console`). A link is valid for a minute and for one use. Digests of links are kept in
 * memory and lost on a restart. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

#define LOGIN_LINK_LIFETIME_US (60 * SECOND)
enum { LOGIN_LINKS_MAX = 64 }; /* pending links; the one that expires first is dropped for a new one */

struct entry {
	uuid user, account;
	int64_t lifetime_us; /* 0: LOGIN_LINK_LIFETIME_US */
};

struct login_links;
struct login_links *login_links_new(void);    /* NULL: out of memory */
void login_links_free(struct login_links *e); /* ignores NULL */

/* Creates a link's secret, in c's arena; its characters need no escaping in a URL. ERR_NO_MEMORY. */
RESULT login_link_issue(struct login_links *e, struct ctx *c, const struct entry *entry,
			struct str *ret_secret);
/* Redeems a secret, which is invalid afterwards. False: unknown, used or expired. */
bool login_link_take(struct login_links *e, struct str secret, struct entry *ret_entry);
