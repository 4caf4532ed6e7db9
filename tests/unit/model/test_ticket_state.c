/* SPDX-License-Identifier: Apache-2.0
 * A ticket's state, derived from the desks' reports and the customer's wish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/ticket_state.h"

#define WISH(word) SUPPORT_TICKET_WISH_##word
#define LINK(word) TICKET_LINK_STATE_##word

static const struct row_of_state {
	const char *name;
	enum support_ticket_wish wish;
	bool has_owner, has_vendor;
	enum ticket_link_state owner, vendor;
	int64_t owner_us, vendor_us, reopened_us;
	enum ticket_state state;
	bool is_reopened;
} rows[] = {
	{"nobody has it", WISH(OPEN), .state = TICKET_NEW},
	{"its desk works", WISH(OPEN), true, false, LINK(WORKING), .state = TICKET_WORKING},
	{"its desk waits", WISH(OPEN), true, false, LINK(WAITING), .state = TICKET_WAITING},
	{"its desk resolved it", WISH(OPEN), true, false, LINK(RESOLVED), .owner_us = 5,
	 .state = TICKET_RESOLVED},
	{"resolved, then its customer went on", WISH(OPEN), true, false, LINK(RESOLVED), .owner_us = 5,
	 .reopened_us = 6, .state = TICKET_WORKING, .is_reopened = true},
	{"and its desk resolved it again", WISH(OPEN), true, false, LINK(RESOLVED), .owner_us = 7,
	 .reopened_us = 6, .state = TICKET_RESOLVED},
	{"and its desk works", WISH(OPEN), true, false, LINK(WORKING), .owner_us = 7, .reopened_us = 6,
	 .state = TICKET_WORKING},
	{"its customer has enough", WISH(RESOLVED), true, false, LINK(WORKING), .state = TICKET_RESOLVED},
	{"rejected stays so", WISH(RESOLVED), true, false, LINK(REJECTED), .state = TICKET_REJECTED},
	{"closed", WISH(CLOSED), true, false, LINK(WORKING), .state = TICKET_CLOSED},
	{"cancelled", WISH(CANCELLED), true, false, LINK(RESOLVED), .state = TICKET_CANCELLED},
	{"held for the vendor", WISH(OPEN), true, true, LINK(HELD), LINK(WORKING), .state = TICKET_HELD},
	{"whose state does not count unless it is held", WISH(OPEN), true, true, LINK(WORKING),
	 LINK(RESOLVED), .state = TICKET_WORKING},
	{"the vendor resolved it", WISH(OPEN), true, true, LINK(HELD), LINK(RESOLVED),
	 .state = TICKET_RESOLVED},
	{"the vendor rejected it: the operator's again", WISH(OPEN), true, true, LINK(HELD), LINK(REJECTED),
	 .state = TICKET_WORKING},
	{"the vendor resolved it, and its customer went on", WISH(OPEN), true, true, LINK(HELD),
	 LINK(RESOLVED), .owner_us = 1, .vendor_us = 5, .reopened_us = 6, .state = TICKET_WORKING,
	 .is_reopened = true},
};

static void check_states(void **state)
{
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		const struct row_of_state *r = &rows[k];
		const struct support_ticket ticket = {
			.wish = r->wish, .reopened_us = r->reopened_us, .state_us = 1};
		const struct ticket_link owner = {.state = r->owner, .state_us = r->owner_us},
					 vendor = {.state = r->vendor, .state_us = r->vendor_us};
		const struct ticket_ball ball = {.owner = r->has_owner ? &owner : NULL,
						 .vendor = r->has_vendor ? &vendor : NULL};
		print_message("%s\n", r->name);
		assert_int_equal(ticket_derive_state(&ticket, &ball), r->state);
		assert_int_equal(ticket_is_reopened(&ticket, &ball), r->is_reopened);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(check_states)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
