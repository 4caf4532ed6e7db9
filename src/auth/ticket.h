/* SPDX-License-Identifier: Apache-2.0
 * Tickets to consoles: signed texts that lead whoever holds one to one console of one instance on its host,
 * for a few minutes and as often as they like until then, as Nova's do. A browser brings them, which has no
 * token. Nothing is looked up by them; what their maker may is weighed anew at each use: one whose token was
 * revoked, or who has lost the right, is refused. Any thread. */
#pragma once

#include "auth/token.h"
#include "model/console.h"

#define TICKET_LIFETIME_US (10 * MINUTE)

struct ticket {
	enum console console;
	uuid instance, host; /* one that has moved needs another ticket */
	struct token by;     /* the token that it was asked for with */
	int64_t expires_us;
};

struct tickets;

/* tokens has to outlive it; master_key (MASTER_KEY_SIZE bytes) is not kept. ERR_NO_MEMORY. */
RESULT tickets_new(struct ctx *c, struct tokens *tokens, const uint8_t *master_key,
		   struct tickets **ret_tickets);
void tickets_free(struct tickets *t); /* NULL: nothing */
DEFINE_AUTO(tickets)

/* Sets expires_us and signs it. The text is in c's arena, of characters that need no escape in a URL. */
RESULT ticket_issue(struct tickets *t, struct ctx *c, struct ticket *ticket, struct str *ret_text);
/* ERR_UNAUTHENTICATED: not ours, expired, or of a token that is worth nothing any more. Where it leads is not
 * looked at. ret_who is in c's arena. */
RESULT ticket_check(struct tickets *t, struct ctx *c, struct str text, struct ticket *ret_ticket,
		    struct identity **ret_who);
