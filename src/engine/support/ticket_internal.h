/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/support/: tickets and their outbox. */
#pragma once

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/support/desk.h"
#include "engine/support/ticket.h"
#include "model/ticket_message_words.h"

struct ticket_sending;
struct ticket_link;
struct ticket_attachment;
struct support_ticket;
struct desk;

/* A message to be written. */
struct ticket_words {
	enum ticket_message_said_by said_by;
	struct str author, body;
	bool is_private;
	uuid user;
	uuid link; /* the link it came through; none: written here */
	struct str origin;
	int64_t told_us;
};

/* Appends a message, and queues it for every other desk that may see it. ERR_QUOTA: the ticket has its
 * maximum of messages. */
RESULT ticket_add_message(struct op *op, uuid ticket, const struct ticket_words *words, uuid *ret_message);
/* Queues a file for every desk except the one it came from. */
RESULT ticket_send_file(struct op *op, const struct ticket_attachment *file);
/* Called after changes that may affect the state: records the change, and queues for the desks that the
 * ticket is over, or goes on. before: the state before the change. */
RESULT ticket_settle(struct op *op, uuid ticket, enum ticket_state before);
/* The customer resolves a ticket again that is over. A message may reopen it at a desk, as in RT, which is
 * noticed only later: queues the end again behind such messages. *ret_is_told: queued at a desk. */
RESULT ticket_end_behind_messages(struct op *op, uuid ticket, bool *ret_is_told);
/* Adds an item to the outbox. */
RESULT ticket_send(struct op *op, const struct ticket_link *link, struct ticket_sending *sending);
/* Clears the conditions of a ticket whose cause is gone at all of its desks: unreachable, refused, echoes. */
RESULT ticket_clear_troubles(struct op *op, uuid ticket);
/* The last state that waits in the link's outbox, or NULL. */
const struct ticket_sending *ticket_find_waiting_state(const struct op *op, uuid link);
/* Links the ticket with a desk. The first item creates it there, followed by all messages and files so far
 * that the desk may see. */
RESULT ticket_link_with(struct op *op, uuid ticket, const struct desk *desk, struct str foreign_id,
			bool is_theirs, uuid *ret_link);
/* Chooses the desk for a new ticket, by its subject matter, and links it. */
RESULT ticket_route(struct op *op, struct support_ticket *ticket);
/* Finds instances of the account that the texts name by EC2's ids, up to a ticket's limit. */
RESULT ticket_find_named(struct op *op, uuid account, struct strs texts, struct strs *ret_ids);
/* Determines the product from the ticket's resources, and if the operator is responsible for the trouble. */
RESULT ticket_find_product(struct op *op, struct support_ticket *ticket, bool *ret_is_operators);
/* Links the ticket with the desk of the product's vendor, if the vendor may be responsible and is not linked
 * yet. */
RESULT ticket_link_vendor(struct op *op, uuid ticket);
/* Reopens a resolved ticket. */
RESULT ticket_reopen(struct op *op, uuid ticket);
bool ticket_fits_desk(const struct desk *desk, const struct support_ticket *ticket);
/* Moves a set's files to a message. */
RESULT ticket_take_set(struct op *op, uuid ticket, uuid message, uuid set);
