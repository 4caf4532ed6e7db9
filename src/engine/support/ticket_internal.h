/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/support/: what its files share. */
#pragma once

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/support/desk.h"
#include "engine/support/ticket.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/ticket_seen.h"
#include "store/ticket_sending.h"

/* One message, as it is to be written. */
struct ticket_words {
	enum ticket_message_said_by said_by;
	struct str author, body;
	bool is_private;
	uuid user;
	uuid link; /* where it came from; none: here */
	struct str origin;
	int64_t told_us;
};

/* Appends a message, and has it told at each other desk where it may be. ERR_QUOTA: a ticket has as many as may be. */
RESULT ticket_add_message(struct op *op, uuid ticket, const struct ticket_words *words, uuid *ret_message);
/* Has a file that the ticket has told at each desk but the one that it came from. */
RESULT ticket_send_file(struct op *op, const struct ticket_attachment *file);
/* Behind a change of whatever its state follows from: notes when it changed, and has the desks follow that it is over, or goes
 * on. before: as it was. */
RESULT ticket_settle(struct op *op, uuid ticket, enum ticket_state before);
/* It is over, and its customer says so again. A message may open it at a desk, as it does at RT, which is seen later: behind one its
 * end is told there. *ret_is_told: it is to be told to a desk. */
RESULT ticket_end_behind_messages(struct op *op, uuid ticket, bool *ret_is_told);
/* One thing for the outbox. */
RESULT ticket_send(struct op *op, const struct ticket_link *link, struct ticket_sending *sending);
/* The last state that waits to be told there; NULL: none does. */
const struct ticket_sending *ticket_find_waiting_state(const struct op *op, uuid link);
/* Links it with a desk, whose first sending makes it there, with all that was said so far that may be told. */
RESULT ticket_link_with(struct op *op, uuid ticket, const struct desk *desk, struct str foreign_id,
			bool is_theirs, uuid *ret_link);
/* The desks where a new ticket goes, by what it is about. */
RESULT ticket_route(struct op *op, struct support_ticket *ticket);
/* Instances of the account that the texts name by EC2's ids, as many as a ticket may name. */
RESULT ticket_find_named(struct op *op, uuid account, struct strs texts, struct strs *ret_ids);
/* What the resources say of whose product it is, and whether the trouble is the operator's own. */
RESULT ticket_find_product(struct op *op, struct support_ticket *ticket, bool *ret_is_operators);
/* Links it with the vendor whose product it is, if it may be theirs, unless it is. */
RESULT ticket_link_vendor(struct op *op, uuid ticket);
/* Resolved: it goes on. */
RESULT ticket_reopen(struct op *op, uuid ticket);
bool ticket_fits_desk(const struct desk *desk, const struct support_ticket *ticket);
/* Takes a set's files for a message. */
RESULT ticket_take_set(struct op *op, uuid ticket, uuid message, uuid set);
