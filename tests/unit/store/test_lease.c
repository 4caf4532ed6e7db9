/* SPDX-License-Identifier: Apache-2.0
 * The lease's rules: two processes with clocks of their own and one database, whose clock decides. */
#include "fixture.h"

#include "base/clock.h"
#include "store/lease.h"

enum { TTL = LEASE_TTL_MS, MARGIN = LEASE_MARGIN_MS };

static int64_t ms(int64_t n)
{
	return n * MILLISECOND;
}

static void it_ends_with_its_time(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, ms(100), 0);
	assert_true(lease_is_held(&lease, ms(100)));
	assert_true(lease_is_held(&lease, ms(100 + TTL) - 1));
	assert_false(lease_is_held(&lease, ms(100 + TTL)));
}

/* Counted from before the request: an answer that took long prolongs by less. */
static void a_renewal_counts_from_its_request(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, 0);
	lease_note(&lease, ms(500), ms(500), LEASE_RENEWED);
	assert_false(lease_is_held(&lease, ms(500 + TTL)));
	assert_true(lease_is_held(&lease, ms(500 + TTL) - 1));
	lease_note(&lease, ms(400), ms(600), LEASE_RENEWED); /* an older one does not shorten it */
	assert_true(lease_is_held(&lease, ms(500 + TTL) - 1));
}

static void a_silent_database_prolongs_nothing(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, 0);
	lease_note(&lease, ms(500), ms(600), LEASE_SILENT);
	assert_true(lease_is_held(&lease, ms(TTL) - 1));
	assert_false(lease_is_held(&lease, ms(TTL)));
	lease_note(&lease, ms(60000), ms(60000),
		   LEASE_RENEWED); /* it is back, and nobody else has taken the lease */
	assert_true(lease_is_held(&lease, ms(60000)));
}

static void a_taken_lease_is_lost_for_good(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, 0);
	lease_note(&lease, ms(500), ms(500), LEASE_TAKEN);
	assert_false(lease_is_held(&lease, ms(500)));
	lease_note(&lease, ms(600), ms(600), LEASE_RENEWED);
	assert_false(lease_is_held(&lease, ms(600)));
	assert_false(lease_may_answer(&lease, ms(600)));
}

static void drivers_stop_before_the_deadline(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, 0);
	assert_true(lease_may_act(&lease, ms(TTL - MARGIN) - 1));
	assert_false(lease_may_act(&lease, ms(TTL - MARGIN)));
}

static void drivers_wait_for_the_former_holder(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, ms(2500));
	lease_note(&lease, ms(1900), ms(1950), LEASE_RENEWED);
	assert_true(lease_may_answer(&lease, 0));
	assert_false(lease_may_act(&lease, ms(2500) - 1));
	assert_true(lease_may_act(&lease, ms(2500)));
}

/* Another process may have taken the lease since it ended, and a fail-over may have lost that: the database renews the lease of the
 * former holder then, while the other process does not know yet. */
static void drivers_wait_after_a_late_renewal(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, 0);
	lease_note(&lease, ms(TTL - 100), ms(TTL), LEASE_RENEWED); /* the answer came after the end */
	assert_true(lease_is_held(&lease, ms(TTL)));
	assert_false(lease_may_act(&lease, ms(TTL)));
	lease_note(&lease, ms(TTL + 500), ms(TTL + 500), LEASE_RENEWED);
	lease_note(&lease, ms(TTL + 2000), ms(TTL + 2000), LEASE_RENEWED); /* these are in time */
	assert_false(lease_may_act(&lease, ms(TTL + TTL + MARGIN) - 1));
	assert_true(lease_may_act(&lease, ms(TTL + TTL + MARGIN)));
}

/* A process that was stopped answers nothing until it knows; one without its database answers from memory. */
static void reads_end_with_the_time_unless_the_database_is_away(void **state)
{
	struct lease lease;
	(void) state;
	lease_begin(&lease, 0, 0);
	assert_true(lease_may_answer(&lease, ms(TTL) - 1));
	assert_false(lease_may_answer(&lease, ms(TTL)));
	lease_note(&lease, ms(TTL + 1), ms(TTL + 1), LEASE_SILENT);
	assert_true(lease_may_answer(&lease, ms(TTL + 1)));
	lease_note(&lease, ms(TTL + 2), ms(TTL + 2), LEASE_TAKEN);
	assert_false(lease_may_answer(&lease, ms(TTL + 2)));
}

/* Two holders by turns, with stops, delays and lost answers of any length: at no time both are sure of the lease, and
 * none calls drivers before the other's time is over. */
static void never_two(void **state)
{
	struct {
		struct lease rules;
		int64_t offset_us, sent_us, due_us;
		bool has_begun, was_freed;
	} process[2] = {{.offset_us = 0}, {.offset_us = ms(777777)}};
	int64_t expires_us = 0;
	int holder = -1, turns = 0;
	uint32_t seed = 49;
	(void) state;
	for (int64_t now_us = 1; now_us < ms(2000000); now_us += ms(50)) {
		for (int k = 0; k < 2; k++) {
			int64_t own_us = now_us + process[k].offset_us;
			seed = seed * 1664525 + 1013904223;
			if (now_us < process[k].due_us) /* stopped, or waiting for an answer */
				continue;
			int64_t took_us = ms((seed >> 16) % 40 == 0 ? (seed >> 8) % 6000 : 0);
			process[k].due_us = now_us + ms(500) + took_us;
			process[k].sent_us = own_us - ms((seed >> 20) % 300);
			if (holder == k) {
				expires_us = now_us + ms(TTL);
				lease_note(&process[k].rules, process[k].sent_us, own_us,
					   (seed >> 24) % 8 ? LEASE_RENEWED : LEASE_SILENT);
			} else if (process[k].has_begun && !process[k].rules.is_lost) {
				lease_note(&process[k].rules, process[k].sent_us, own_us, LEASE_TAKEN);
			} else if (expires_us < now_us) {
				int64_t wait_us = expires_us ? expires_us + ms(TTL + MARGIN) - now_us : 0;
				lease_begin(&process[k].rules, process[k].sent_us, own_us + wait_us);
				process[k].has_begun = true;
				expires_us = now_us + ms(TTL);
				holder = k;
				turns++;
			}
		}
		bool held[2], acts[2];
		for (int k = 0; k < 2; k++) {
			held[k] = process[k].has_begun &&
				  lease_is_held(&process[k].rules, now_us + process[k].offset_us);
			acts[k] = process[k].has_begun &&
				  lease_may_act(&process[k].rules, now_us + process[k].offset_us);
		}
		assert_false(held[0] && held[1]);
		assert_false(acts[0] && acts[1]);
	}
	assert_true(turns > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_with_its_time),
		cmocka_unit_test(a_renewal_counts_from_its_request),
		cmocka_unit_test(a_silent_database_prolongs_nothing),
		cmocka_unit_test(a_taken_lease_is_lost_for_good),
		cmocka_unit_test(drivers_stop_before_the_deadline),
		cmocka_unit_test(drivers_wait_for_the_former_holder),
		cmocka_unit_test(drivers_wait_after_a_late_renewal),
		cmocka_unit_test(reads_end_with_the_time_unless_the_database_is_away),
		cmocka_unit_test(never_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
