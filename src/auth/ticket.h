/* SPDX-License-Identifier: Apache-2.0
 * Tickets: signed texts that lead their principal to one console of one instance on its host, as Nova's do, or to
 * sending one image's data, as CloudStack's do; for a few minutes and any number of times. A browser, which has no token,
 * brings a ticket. Nothing is looked up by it. What the ticket's maker may do is worked out again
 * at each use: if that token was revoked, or the right was lost, the ticket is refused. Any
 * thread. */
#pragma once

#include "auth/token.h"
#include "model/console.h"

#define TICKET_LIFETIME_US (10 * MINUTE)

struct ticket {
	enum console console;
	uuid instance, host; /* an instance that has moved needs another ticket */
	uuid image;          /* instead of console, instance and host; none: it is to a console */
	struct token by;     /* the token that its maker had */
	int64_t expires_us;
};

struct tickets;

/* tokens must outlive it. master_key (MASTER_KEY_SIZE bytes) is not kept. ERR_NO_MEMORY. */
RESULT tickets_new(struct ctx *c, struct tokens *tokens, const uint8_t *master_key,
		   struct tickets **ret_tickets);
void tickets_free(struct tickets *t); /* NULL: nothing */
DEFINE_AUTO(tickets)

/* Sets expires_us, and signs the ticket. The text is in c's arena, and its characters need no
 * escape in a URL. */
RESULT ticket_issue(struct tickets *t, struct ctx *c, struct ticket *ticket, struct str *ret_text);
/* Checks a ticket. ERR_UNAUTHENTICATED: it is not ours, expired, or its token is worth nothing any
 * more. What it leads to is not checked: it may be none of the caller's kind. ret_who is in c's arena. */
RESULT ticket_check(struct tickets *t, struct ctx *c, struct str text, struct ticket *ret_ticket,
		    struct identity **ret_who);
