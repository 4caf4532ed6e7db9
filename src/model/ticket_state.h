/* SPDX-License-Identifier: Apache-2.0
 * What state a ticket is in, from what its desks say and what its customer wants. It is derived, as an instance's
 * is from its host: a desk that does not answer changes nothing. Pure; any thread. */
#pragma once

#include "model/desk.h"
#include "model/support_ticket.h"
#include "model/ticket_link.h"

/* Numbered as enum ticket_link_state is, which ticket_state.c asserts. */
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

/* Whose word counts. */
struct ticket_ball {
	const struct ticket_link
		*owner; /* at the operator's desk, else at the first vendor's; NULL: at none */
	const struct ticket_link
		*vendor;   /* the vendor's that works on it while the owner holds it; NULL: none */
	bool is_operators; /* the owner is the operator's desk */
};

/* RT's stalled says two things: the caller's desk decides which (held_by_vendor in ticket_sync.c). */
enum ticket_state ticket_derive_state(const struct support_ticket *ticket, const struct ticket_ball *ball);
/* It was resolved, and its customer goes on: until the desk says something else of it. */
bool ticket_is_reopened(const struct support_ticket *ticket, const struct ticket_ball *ball);
/* Nobody works on it. */
static inline bool ticket_is_over(enum ticket_state state)
{
	return state >= TICKET_RESOLVED;
}
