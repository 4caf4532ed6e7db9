/* SPDX-License-Identifier: Apache-2.0
 * A ticket's state, derived from its desks' reports and its customer's requests, as an instance's is from its
 * host's: an unreachable desk changes nothing. Pure; any thread. */
#pragma once

#include "model/desk.h"
#include "model/support_ticket.h"
#include "model/ticket_link.h"

/* Same values as enum ticket_link_state, asserted in ticket_state.c. */
enum ticket_state {
	TICKET_NEW,
	TICKET_WORKING,
	TICKET_WAITING, /* for the customer */
	TICKET_HELD,    /* for another desk */
	TICKET_RESOLVED,
	TICKET_CLOSED,
	TICKET_REJECTED,
	TICKET_CANCELLED,
	TICKET_STATES
};
extern const char *const ticket_state_words[TICKET_STATES];

/* The links whose state counts. */
struct ticket_ball {
	const struct ticket_link *owner; /* the operator's desk, else the first vendor's; NULL: none */
	const struct ticket_link
		*vendor;   /* the vendor's desk working on it while the owner has it on hold; NULL: none */
	bool is_operators; /* owner is the operator's desk */
};

/* RT's "stalled" has two meanings; the caller's desk decides between them (held_by_vendor in
 * ticket_sync.c). */
enum ticket_state ticket_derive_state(const struct support_ticket *ticket, const struct ticket_ball *ball);
/* True if its customer continued after it was resolved; ends with the desk's next report. */
bool ticket_is_reopened(const struct support_ticket *ticket, const struct ticket_ball *ball);
/* True if the ticket is finished: resolved, closed, rejected or cancelled. */
static inline bool ticket_is_over(enum ticket_state state)
{
	return state >= TICKET_RESOLVED;
}
