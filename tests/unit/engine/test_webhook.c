/* SPDX-License-Identifier: Apache-2.0
 * Webhooks: which events are queued for which webhook, and the outcomes of deliveries. Also payments, which
 * count only once, and accounts whose network is cut, or that are quarantined. */
#include "cloud.h"

#include "engine/billing/invoices.h"
#include "engine/billing/misuse.h"
#include "engine/billing/standing.h"
#include "engine/billing/webhook.h"
#include "store/account.h"
#include "store/webhook.h"
#include "store/webhook_delivery.h"

static uuid make_hook(struct cloud *c, const char *name, const char *pattern)
{
	struct str event = str_from(pattern);
	struct webhook_wish wish = {.id = id_new(KIND_WEBHOOK),
				    .name = str_from(name),
				    .url = STR("https://example.com/"),
				    .secret = STR("sealed"),
				    .events = {&event, *pattern ? 1 : 0},
				    .has_events = true};
	cloud_ok(c, &c->operator, engine_put_webhook, &wish);
	return wish.id;
}

static const struct webhook_delivery *delivery_of(struct cloud *c, uuid hook, int64_t number)
{
	const struct tables *t = cloud_tables(c);
	const struct webhook_delivery *d = webhook_delivery_first_by_webhook(t, hook);
	while (d && d->number != number)
		d = webhook_delivery_next_by_webhook(t, d);
	return d;
}

static void restrict_alice(struct cloud *c, enum choice cut, enum choice quarantined)
{
	struct account_restriction wish = {.account = ref_by_id(KIND_ACCOUNT, c->alice.account),
					   .cut = cut,
					   .quarantined = quarantined,
					   .reason = STR("it \"spams\"")};
	cloud_ok(c, &c->operator, engine_restrict_account, &wish);
}

static void become_a_billing_account(struct cloud *c)
{
	struct billing_settings wish = {.domain = ref_by_id(KIND_DOMAIN, DOMAIN_DEFAULT),
					.is_billed = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_set_billing, &wish);
}

static void each_is_told_what_it_asked_for(void **state)
{
	struct cloud *c = *state;
	uuid all = make_hook(c, "all", ""), cuts = make_hook(c, "cuts", "account.network-*"),
	     bills = make_hook(c, "bills", "invoice.*");
	restrict_alice(c, CHOICE_YES, CHOICE_YES);
	restrict_alice(c, CHOICE_YES, CHOICE_YES); /* no change */
	const struct webhook_delivery *first = delivery_of(c, all, 1), *second = delivery_of(c, all, 2);
	assert_true(first && str_is(first->event, "account.network-cut"));
	assert_true(second && str_is(second->event, "account.quarantined"));
	assert_true(str_contains(first->data, STR("\"reason\":\"it \\\"spams\\\"\"")));
	assert_null(delivery_of(c, all, 3));
	assert_true(delivery_of(c, cuts, 1) && !delivery_of(c, cuts, 2));
	assert_null(delivery_of(c, bills, 1));
	become_a_billing_account(c);
	const struct new_invoice invoice = {
		.issuer = DOMAIN_DEFAULT, .payer = DOMAIN_DEFAULT, .total = 1, .json = STR("\"x\":1}")};
	struct invoices_wish invoices = {.at = &invoice, .count = 1};
	cloud_ok(c, &c->operator, engine_issue_invoices, &invoices);
	const struct webhook_delivery *issued = delivery_of(c, bills, 1);
	assert_true(issued && str_is(issued->event, "invoice.issued") &&
		    str_is(issued->invoice, "INV-000001"));
	assert_true(uuid_equal(issued->domain, DOMAIN_DEFAULT));
	struct webhook_target gone = {.webhook = ref_by_id(KIND_WEBHOOK, all)};
	cloud_ok(c, &c->operator, engine_delete_webhook, &gone);
	assert_null(delivery_of(c, all, 1));
}

static void see(struct cloud *c, const struct webhook_delivery *d, struct delivery_report report)
{
	report.delivery = d->row.id;
	cloud_ok(c, NULL, engine_see_delivery, &report);
}

static void what_waits_is_told_when_it_is_due(void **state)
{
	struct cloud *c = *state;
	int64_t now_us = clock_now_us(), next_us = 0;
	uuid hook = make_hook(c, "all", "");
	restrict_alice(c, CHOICE_YES, CHOICE_YES);
	const struct webhook_delivery *d = engine_next_delivery(cloud_tables(c), hook, now_us, &next_us);
	assert_int_equal(d->number, 1);
	/* A refusal holds up nothing else; nobody there holds up all. */
	see(c, d, (struct delivery_report){.problem = STR("no"), .retry_us = now_us + MINUTE});
	d = engine_next_delivery(cloud_tables(c), hook, now_us, &next_us);
	assert_int_equal(d->number, 2);
	assert_int_equal(webhook_find(cloud_tables(c), hook)->retry_us, 0);
	see(c, d,
	    (struct delivery_report){.problem = STR("away"), .is_away = true, .retry_us = now_us + HOUR});
	assert_int_equal(webhook_find(cloud_tables(c), hook)->retry_us, now_us + HOUR);
	assert_int_equal(webhook_find(cloud_tables(c), hook)->tries, 1);
	assert_null(engine_next_delivery(cloud_tables(c), hook, now_us, &next_us));
	assert_int_equal(next_us, now_us + MINUTE);
	see(c, delivery_of(c, hook, 1), (struct delivery_report){.is_taken = true});
	assert_int_equal(delivery_of(c, hook, 1)->stage, WEBHOOK_DELIVERY_STAGE_SENT);
	assert_int_equal(webhook_find(cloud_tables(c), hook)->retry_us, 0);
	see(c, delivery_of(c, hook, 2), (struct delivery_report){.is_final = true, .problem = STR("no")});
	assert_int_equal(delivery_of(c, hook, 2)->stage, WEBHOOK_DELIVERY_STAGE_DEAD);
	assert_null(engine_next_delivery(cloud_tables(c), hook, now_us, &next_us));
	assert_int_equal(next_us, 0);
	struct delivery_target again = {
		.delivery = ref_by_id(KIND_WEBHOOK_DELIVERY, delivery_of(c, hook, 1)->row.id)};
	cloud_fails(c, &c->operator, engine_retry_delivery, &again, ERR_STATE, KIND_WEBHOOK_DELIVERY);
	again.delivery = ref_by_id(KIND_WEBHOOK_DELIVERY, delivery_of(c, hook, 2)->row.id);
	cloud_ok(c, &c->operator, engine_retry_delivery, &again);
	assert_int_equal(engine_next_delivery(cloud_tables(c), hook, now_us, &next_us)->number, 2);
}

static void the_oldest_make_room(void **state)
{
	struct cloud *c = *state;
	uuid hook = make_hook(c, "all", "");
	c->skips_dumps = true;
	for (int k = 0; k < WEBHOOK_DELIVERIES_KEPT + 2; k++)
		restrict_alice(c, k % 2 ? CHOICE_NO : CHOICE_YES, CHOICE_DEFAULT);
	assert_null(delivery_of(c, hook, 2));
	assert_non_null(delivery_of(c, hook, 3));
	assert_int_equal(webhook_find(cloud_tables(c), hook)->lost, 2);
}

static void what_is_no_webhook_is_refused(void **state)
{
	struct cloud *c = *state;
	const struct webhook_wish good = {.id = id_new(KIND_WEBHOOK),
					  .name = STR("a"),
					  .url = STR("https://example.com/"),
					  .secret = STR("sealed")};
	struct webhook_wish wish = good;
	assert_int_equal(cloud_run(c, &c->alice, engine_put_webhook_run, &wish).code, ERR_DENIED);
	wish.url = STR("ftp://example.com/");
	cloud_fails(c, &c->operator, engine_put_webhook, &wish, ERR_INVALID, KIND_WEBHOOK);
	wish = good;
	wish.secret = STR_NONE;
	cloud_fails(c, &c->operator, engine_put_webhook, &wish, ERR_MISSING, KIND_WEBHOOK);
	wish = good;
	cloud_ok(c, &c->operator, engine_put_webhook, &wish);
	wish.id = id_new(KIND_WEBHOOK); /* sealed with another id than the row's */
	cloud_fails(c, &c->operator, engine_put_webhook, &wish, ERR_CONFLICT, KIND_WEBHOOK);
}

static void a_payment_counts_once(void **state)
{
	struct cloud *c = *state;
	struct accounts_book book = {0};
	bool is_known = false;
	uuid hook = make_hook(c, "all", "payment.*");
	become_a_billing_account(c);
	struct payment_wish wish = {
		.issuer = DOMAIN_DEFAULT, .payer = DOMAIN_DEFAULT, .amount = 5, .key = STR("bank 1")};
	struct payment_wish same = wish;
	cloud_ok(c, &c->operator, engine_note_payment, &wish);
	cloud_ok(c, &c->operator, engine_note_payment, &same);
	assert_true(!wish.is_known && same.is_known);
	assert_true(result_is_ok(billing_read_accounts(&c->c, c->store, &book)));
	assert_int_equal(book.payment_count, 1);
	assert_int_equal(billing_balance(&book, DOMAIN_DEFAULT), 5);
	assert_true(result_is_ok(billing_find_payment(&c->c, c->store, STR("bank 1"), &is_known)) &&
		    is_known);
	assert_true(result_is_ok(billing_find_payment(&c->c, c->store, STR("bank"), &is_known)) && !is_known);
	assert_true(delivery_of(c, hook, 1) && !delivery_of(c, hook, 2));
}

static void who_is_quarantined_reads(void **state)
{
	struct cloud *c = *state;
	struct address_wish address = {0};
	struct instance_launch launch = cloud_launch(c, 1);
	struct account_restriction own = {.account = ref_by_id(KIND_ACCOUNT, c->alice.account),
					  .quarantined = CHOICE_NO};
	restrict_alice(c, CHOICE_DEFAULT, CHOICE_YES);
	assert_true(account_find(cloud_tables(c), c->alice.account)->is_quarantined);
	assert_int_equal(cloud_run(c, &c->alice, engine_create_instances_run, &launch).code, ERR_DENIED);
	assert_int_equal(cloud_run(c, &c->alice, engine_allocate_address_run, &address).code, ERR_DENIED);
	assert_int_equal(cloud_run(c, &c->alice, engine_restrict_account_run, &own).code, ERR_DENIED);
	cloud_ok(c, &c->bob, engine_allocate_address, &address); /* another account */
	restrict_alice(c, CHOICE_DEFAULT, CHOICE_NO);
	address = (struct address_wish){0};
	assert_int_equal(cloud_run(c, &c->alice, engine_restrict_account_run, &own).code, ERR_DENIED);
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(each_is_told_what_it_asked_for), in_a_cloud(what_waits_is_told_when_it_is_due),
		in_a_cloud(the_oldest_make_room),           in_a_cloud(what_is_no_webhook_is_refused),
		in_a_cloud(a_payment_counts_once),          in_a_cloud(who_is_quarantined_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
