/* SPDX-License-Identifier: Apache-2.0
 * Tickets: signed texts that give their bearer access to one console of one instance on its host, as in Nova,
 * or let it upload or download one image's data, as in CloudStack; for a few minutes and any number of times. A browser,
 * which has no token, presents a ticket. The maker's rights are evaluated again at each use: if the token was
 * revoked, or the right lost, the ticket is refused. Any thread. */
#pragma once

#include "auth/token/token.h"
#include "model/console.h"

#define TICKET_LIFETIME_US (10 * MINUTE)

struct ticket {
	enum console console;
	uuid instance, host; /* an instance that has moved needs another ticket */
	uuid image;          /* in place of console, instance and host; none: a console ticket */
	bool downloads;      /* the image's data are downloaded; false: uploaded */
	struct token by;     /* token of the ticket's maker */
	int64_t expires_us;
};

struct tickets;

/* tokens must outlive it. master_key (MASTER_KEY_SIZE bytes) is not kept. ERR_NO_MEMORY. */
RESULT tickets_new(struct ctx *c, struct tokens *tokens, const uint8_t *master_key,
		   struct tickets **ret_tickets);
void tickets_free(struct tickets *t); /* ignores NULL */
DEFINE_AUTO(tickets)

/* Sets expires_us and signs the ticket. The text is in c's arena; its characters need no escaping in a
 * URL. */
RESULT ticket_issue(struct tickets *t, struct ctx *c, struct ticket *ticket, struct str *ret_text);
/* Checks a ticket. ERR_UNAUTHENTICATED: not ours, expired, or its token is no longer valid. The target is not
 * checked: it may be of another kind than the caller expects. *ret_who is in c's arena. */
RESULT ticket_check(struct tickets *t, struct ctx *c, struct str text, struct ticket *ret_ticket,
		    struct identity **ret_who);
