/* SPDX-License-Identifier: Apache-2.0
 * Billing accounts that do not pay: the region acts by itself, day by day, also after a downtime, and serves
 * those that pay. */
#include "../cloud/cloud.h"
#include "engine/billing/dunning.h"
#include "store/domain.h"

enum { SEEDS = 2, DUE_DAYS = 14, AMOUNT = 10000000 };
#define DAY (24 * HOUR)

static enum domain_bill_state standing(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return domain_find(view.tables, DOMAIN_DEFAULT)->bill_state;
}

static void owe(struct cloud *c)
{
	int64_t days = DUE_DAYS;
	struct billing_settings settings = {
		.domain = ref_by_id(KIND_DOMAIN, DOMAIN_DEFAULT), .is_billed = CHOICE_YES, .days = &days};
	const struct new_invoice invoice = {.issuer = DOMAIN_DEFAULT,
					    .payer = DOMAIN_DEFAULT,
					    .total = AMOUNT,
					    .json = STR("\"lines\":[]}")};
	struct invoices_wish invoices = {.at = &invoice, .count = 1};
	cloud_ok(c, NULL, engine_set_billing, &settings);
	cloud_ok(c, NULL, engine_issue_invoices, &invoices);
}

static void pay(struct cloud *c, int64_t amount, struct str key)
{
	struct payment_wish wish = {
		.issuer = DOMAIN_DEFAULT, .payer = DOMAIN_DEFAULT, .amount = amount, .key = key};
	cloud_ok(c, NULL, engine_note_payment, &wish);
}

/* Days go by; it looks within the hour, or as soon as it is back. */
static void pass(struct cloud *c, int64_t us, bool is_away)
{
	if (is_away)
		cloud_kill(c);
	clock_advance_us(us);
	if (is_away)
		cloud_restart(c);
	cloud_step_for(c, DUN_EVERY_S * SECOND + MINUTE);
}

/* Ends billing: its hourly checks would keep the region from settling. */
static void end(struct cloud *c)
{
	struct billing_settings settings = {.domain = ref_by_id(KIND_DOMAIN, DOMAIN_DEFAULT),
					    .is_billed = CHOICE_NO};
	cloud_ok(c, NULL, engine_set_billing, &settings);
	pass(c, 0, false);
}

static void live(struct cloud *c, bool is_away)
{
	uuid machine = cloud_launch_running(c);
	struct instance_launch more = cloud_launch_wish(c, 1);
	owe(c);
	pass(c, (DUE_DAYS - 1) * DAY, is_away);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_ACTIVE);
	pass(c, DAY, is_away);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_OVERDUE);
	pass(c, LIMITED_DAYS * DAY, is_away);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_LIMITED);
	assert_int_equal(cloud_call(c, &c->alice, engine_create_instances_run, &more).code, ERR_DENIED);
	assert_int_equal(cloud_state(c, machine), INSTANCE_RUNNING);
	pass(c, (SUSPENDED_DAYS - LIMITED_DAYS) * DAY, is_away);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_SUSPENDED);
	cloud_await(c, machine, INSTANCE_STOPPED);
	/* A part of it changes nothing; the rest brings all back at once, and not within the hour. */
	pay(c, AMOUNT - 1, STR("bank 1"));
	cloud_step_for(c, MINUTE);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_SUSPENDED);
	pay(c, 1, STR("bank 2"));
	cloud_step_for(c, MINUTE);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_ACTIVE);
	cloud_await(c, machine, INSTANCE_RUNNING);
	end(c);
}

static void who_does_not_pay(struct cloud *c)
{
	live(c, false);
}
TEST_STORY(who_does_not_pay, 1)

static void it_was_away_meanwhile(struct cloud *c)
{
	live(c, true);
}
TEST_STORY(it_was_away_meanwhile, 1)

/* After so long nothing is deleted. */
static void nobody_ever_pays(struct cloud *c)
{
	uuid machine = cloud_launch_running(c);
	owe(c);
	pass(c, (DUE_DAYS + CLOSED_DAYS) * DAY, false);
	assert_int_equal(standing(c), DOMAIN_BILL_STATE_CLOSED);
	cloud_await(c, machine, INSTANCE_STOPPED);
	pass(c, 365 * DAY, false);
	assert_int_equal(cloud_state(c, machine), INSTANCE_STOPPED);
	end(c);
}
TEST_STORY(nobody_ever_pays, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_does_not_pay),
		cmocka_unit_test(test_it_was_away_meanwhile),
		cmocka_unit_test(test_nobody_ever_pays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
