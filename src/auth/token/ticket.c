/* SPDX-License-Identifier: Apache-2.0
 * Tickets. Like tokens, they have every field at a fixed offset. */
#include "auth/token/ticket.h"

#include "auth/token/signed_text.h"
#include "base/clock.h"
#include "base/heap.h"

struct tickets {
	struct tokens *tokens;
	uint8_t key[SHA256_SIZE];
};

enum { VERSION = 1, TO_IMAGE = 2, FROM_IMAGE = 3 };

/* Signed bytes; little-endian. */
struct wire {
	uint8_t version, console, scope, methods, zero[4]; /* methods: TOKEN_BY_CONSOLE or 0 */
	uuid instance, host; /* with TO_IMAGE and FROM_IMAGE: the image, and none */
	uuid user, where, credential, trust, audit;
	uint64_t issued_us, expires_us; /* issue time of the token; expiry of the ticket */
} __attribute__((packed));
_Static_assert((sizeof(struct wire) + SHA256_SIZE) % 3 == 0, "a ticket's text needs no padding");

RESULT tickets_new(struct ctx *c, struct tokens *tokens, const uint8_t *master_key,
		   struct tickets **ret_tickets)
{
	struct tickets *t = heap_new(struct tickets);
	if (!t)
		return ctx_no_memory(c);
	t->tokens = tokens;
	crypto_hmac_sha256(master_key, MASTER_KEY_SIZE, STR("console-ticket"), t->key);
	*ret_tickets = t;
	return OK;
}

void tickets_free(struct tickets *t)
{
	if (t)
		crypto_wipe(t->key, sizeof t->key);
	heap_free(t);
}

RESULT ticket_issue(struct tickets *t, struct ctx *c, struct ticket *ticket, struct str *ret_text)
{
	ticket->expires_us = clock_now_us() + TICKET_LIFETIME_US;
	bool is_image = !uuid_is_none(ticket->image), is_session = ticket->by.methods & TOKEN_BY_CONSOLE;
	const struct wire wire = {.version = !is_image           ? VERSION
					     : ticket->downloads ? FROM_IMAGE
								 : TO_IMAGE,
				  .console = (uint8_t) ticket->console,
				  .scope = (uint8_t) ticket->by.scope,
				  .instance = is_image ? ticket->image : ticket->instance,
				  .host = ticket->host,
				  .user = ticket->by.user,
				  .where = ticket->by.where,
				  .credential = ticket->by.application_credential,
				  .trust = is_session ? ticket->by.access_key : ticket->by.trust,
				  .methods = is_session ? TOKEN_BY_CONSOLE : 0,
				  .audit = is_session ? ticket->by.parent : ticket->by.audit,
				  .issued_us = htole64((uint64_t) ticket->by.issued_us),
				  .expires_us = htole64((uint64_t) ticket->expires_us)};
	return signed_text_write(c, t->key, (struct str){(const char *) &wire, sizeof wire}, ret_text);
}

RESULT ticket_check(struct tickets *t, struct ctx *c, struct str text, struct ticket *ret_ticket,
		    struct identity **ret_who)
{
	struct wire wire;
	if (!signed_text_read(c->arena, t->key, text, sizeof wire, &wire) || !wire.version ||
	    wire.version > FROM_IMAGE)
		return ctx_fail(c, ERR_UNAUTHENTICATED, "The link to the console is not one of ours.");
	bool is_image = wire.version != VERSION, is_session = wire.methods & TOKEN_BY_CONSOLE;
	struct ticket ticket = {.console = (enum console) wire.console,
				.instance = is_image ? UUID_NONE : wire.instance,
				.image = is_image ? wire.instance : UUID_NONE,
				.downloads = wire.version == FROM_IMAGE,
				.host = wire.host,
				.by = {.scope = (enum identity_scope) wire.scope,
				       .user = wire.user,
				       .where = wire.where,
				       .application_credential = wire.credential,
				       .methods = wire.methods,
				       .trust = is_session ? UUID_NONE : wire.trust,
				       .access_key = is_session ? wire.trust : UUID_NONE,
				       .audit = wire.audit,
				       .issued_us = (int64_t) le64toh(wire.issued_us)},
				.expires_us = (int64_t) le64toh(wire.expires_us)};
	if (ticket.expires_us <= clock_now_us())
		return ctx_fail(c, ERR_UNAUTHENTICATED, "The link to the console has expired.");
	TRY(token_weigh(t->tokens, c, &ticket.by, ret_who));
	*ret_ticket = ticket;
	return OK;
}
