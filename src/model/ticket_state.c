/* SPDX-License-Identifier: Apache-2.0
 * Derives a ticket's state. */
#include "model/ticket_state.h"
#include "model/support_ticket.h"

#define SAME(name) (int) TICKET_##name == (int) TICKET_LINK_STATE_##name
static_assert(SAME(NEW) && SAME(WORKING) && SAME(WAITING) && SAME(HELD) && SAME(RESOLVED) && SAME(CLOSED) &&
		      SAME(REJECTED) && SAME(CANCELLED),
	      "a link's states are the ticket's");

const char *const ticket_state_words[TICKET_STATES] = {"new",      "working", "waiting",  "held",
						       "resolved", "closed",  "rejected", "cancelled"};

static const enum ticket_state by_operator[] = {
	[SUPPORT_TICKET_OPERATOR_STATE_NEW] = TICKET_NEW,
	[SUPPORT_TICKET_OPERATOR_STATE_WORKING] = TICKET_WORKING,
	[SUPPORT_TICKET_OPERATOR_STATE_WAITING] = TICKET_WAITING,
	[SUPPORT_TICKET_OPERATOR_STATE_HELD] = TICKET_HELD,
	[SUPPORT_TICKET_OPERATOR_STATE_RESOLVED] = TICKET_RESOLVED,
	[SUPPORT_TICKET_OPERATOR_STATE_REJECTED] = TICKET_REJECTED,
};

/* The state reported by the desks, and since when. */
static enum ticket_state find_said(const struct support_ticket *ticket, const struct ticket_ball *ball,
				   int64_t *ret_since_us)
{
	const struct ticket_link *owner = ball->owner, *vendor = ball->vendor;
	enum ticket_state state =
		owner ? (enum ticket_state) owner->state : by_operator[ticket->operator_state];
	*ret_since_us = owner ? owner->state_us : ticket->state_us;
	if (state != TICKET_HELD || !vendor || !ticket_is_over((enum ticket_state) vendor->state))
		return state;
	if (vendor->state_us > *ret_since_us)
		*ret_since_us = vendor->state_us;
	return vendor->state == TICKET_LINK_STATE_REJECTED ? TICKET_WORKING : TICKET_RESOLVED;
}

static bool goes_on(const struct support_ticket *ticket, int64_t since_us)
{
	return ticket->reopened_us > 0 && ticket->reopened_us >= since_us;
}

enum ticket_state ticket_derive_state(const struct support_ticket *ticket, const struct ticket_ball *ball)
{
	int64_t since_us = 0;
	if (ticket->wish == SUPPORT_TICKET_WISH_CLOSED)
		return TICKET_CLOSED;
	if (ticket->wish == SUPPORT_TICKET_WISH_CANCELLED)
		return TICKET_CANCELLED;
	enum ticket_state state = find_said(ticket, ball, &since_us);
	if (ticket->wish == SUPPORT_TICKET_WISH_RESOLVED)
		return ticket_is_over(state) ? state : TICKET_RESOLVED;
	return ticket_is_over(state) && goes_on(ticket, since_us) ? TICKET_WORKING : state;
}

bool ticket_is_reopened(const struct support_ticket *ticket, const struct ticket_ball *ball)
{
	int64_t since_us = 0;
	(void) find_said(ticket, ball, &since_us);
	return goes_on(ticket, since_us) && !ticket_is_over(ticket_derive_state(ticket, ball));
}
