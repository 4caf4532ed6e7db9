/* SPDX-License-Identifier: Apache-2.0
 * The payer of an account's usage, and what else a month's charges are made of: commitments, corrections of
 * the log, and the records of accounts that are gone. */
#include "cloud.h"

#include "engine/billing/billing.h"
#include "engine/billing/standing.h"
#include "engine/people/account/domain.h"
#include "model/domain.h"
#include "store/account.h"

#define MONTH_US (INT64_C(1798761600) * SECOND) /* 2027-01-01 */
#define SINCE_2020 1577836800

static const char prices[] = "price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z}\n"
			     "items:\n"
			     "- {sku: idle, meter: \"address:idle\", unit: hour, price: 0.004}\n";

/* The charges of a rating: for one account, and by category. */
struct bill {
	struct str account; /* name; empty: all */
	uuid bill_to;
	__int128 measured;
	size_t owners; /* whose price lists apply: words of accounts and domains */
	size_t usage, covered, unused, purchases, unpriced;
};

static RESULT add(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct bill *bill = arg;
	if (bill->account.n && !str_equal(billed->name, bill->account))
		return OK;
	bill->bill_to = billed->bill_to;
	bill->owners = billed->payer.owners.count;
	bill->purchases += charge->category == CHARGE_PURCHASE;
	if (charge->category != CHARGE_USAGE)
		return OK;
	bill->unused += charge->is_unused;
	bill->covered += charge->commitment && !charge->is_unused;
	bill->usage += !charge->is_unused;
	bill->measured += charge->is_unused ? 0 : charge->measured;
	return OK;
}

static RESULT note_unpriced(void *arg, const struct billed *billed, enum kind kind, uuid id, struct str meter)
{
	struct bill *bill = arg;
	(void) kind;
	(void) id;
	(void) meter;
	bill->unpriced += billed && (!bill->account.n || str_equal(billed->name, bill->account));
	return OK;
}

static struct bill rate(struct cloud *c, const char *account, struct billing_query query)
{
	struct bill bill = {.account = str_from(account)};
	query.month = month_of(MONTH_US / SECOND);
	query.now_us = clock_now_us();
	cloud_expect(c, billing_rate(&c->c, c->store, &query, add, note_unpriced, &bill), ERR_NONE,
		     KIND_NONE);
	return bill;
}

static void load(struct cloud *c, const char *yaml)
{
	struct price_list_wish wish = {.yaml = str_from(yaml), .name = STR("public"), .from_s = SINCE_2020};
	cloud_ok(c, &c->operator, engine_load_prices, &wish);
}

static int begin(void **state)
{
	int made = cloud_setup(state);
	clock_set_us(MONTH_US);
	load(*state, prices);
	return made;
}

static uuid use_an_address(struct cloud *c, const struct identity *who)
{
	struct address_wish wish = {0};
	cloud_ok(c, who, engine_allocate_address, &wish);
	return wish.address;
}

/* A domain that sells to its customers, or buys from `reseller`. */
static uuid make_domain(struct cloud *c, const char *name, const char *reseller, enum choice is_billed)
{
	struct domain_wish wish = {.name = str_from(name)};
	cloud_ok(c, &c->operator, engine_create_domain, &wish);
	struct billing_settings settings = {.domain = ref_by_id(KIND_DOMAIN, wish.domain),
					    .is_billed = is_billed};
	if (*reseller)
		settings.reseller = ref_named(KIND_DOMAIN, reseller);
	cloud_ok(c, &c->operator, engine_set_billing, &settings);
	return wish.domain;
}

static struct identity make_in(struct cloud *c, uuid domain, const char *name)
{
	struct account_wish wish = {.name = str_from(name), .domain = ref_by_id(KIND_DOMAIN, domain)};
	cloud_ok(c, &c->operator, engine_create_account, &wish);
	return (struct identity){.scope = IDENTITY_ACCOUNT,
				 .rights = RIGHTS_OF_MEMBER,
				 .account = wish.account,
				 .domain = domain,
				 .user = wish.user,
				 .account_number = wish.number,
				 .user_name = STR("root")};
}

/* ---- payers ---- */

static void each_seller_bills_the_topmost_account_below_it(void **state)
{
	struct cloud *c = *state;
	uuid acme = make_domain(c, "acme", "", CHOICE_YES), shop = make_domain(c, "shop", "acme", CHOICE_YES),
	     team = make_domain(c, "team", "shop", CHOICE_DEFAULT);
	struct identity seller = make_in(c, acme, "seller"), buyer = make_in(c, shop, "buyer"),
			member = make_in(c, team, "member");
	use_an_address(c, &c->alice);
	use_an_address(c, &seller);
	use_an_address(c, &buyer);
	use_an_address(c, &member);
	clock_set_us(clock_now_us() + HOUR);
	const struct {
		const char *account;
		uuid issuer, bill_to;
		size_t owners;
	} cases[] = {{"alice", UUID_NONE, DOMAIN_DEFAULT, 5}, /* the operator bills every domain */
		     {"seller", UUID_NONE, acme, 5},
		     {"buyer", UUID_NONE, acme, 2},
		     {"member", UUID_NONE, acme, 2},
		     {"alice", acme, UUID_NONE},
		     {"seller", acme, UUID_NONE}, /* nobody bills itself */
		     {"buyer", acme, shop, 5},
		     {"member", acme, shop, 7},
		     {"buyer", shop, UUID_NONE},
		     {"member", shop, UUID_NONE}}; /* a domain below it, without a bill of its own */
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct bill bill =
			rate(c, cases[k].account, (struct billing_query){.issuer = cases[k].issuer});
		if (!uuid_equal(bill.bill_to, cases[k].bill_to) || bill.owners != cases[k].owners ||
		    bill.measured != (uuid_is_none(cases[k].bill_to) ? 0 : 3600))
			fail_msg("case %zu: %lld seconds, %zu owners", k, (long long) bill.measured,
				 bill.owners);
	}
}

static void a_bill_has_only_what_its_payer_pays(void **state)
{
	struct cloud *c = *state;
	uuid acme = make_domain(c, "acme", "", CHOICE_YES);
	struct identity seller = make_in(c, acme, "seller");
	use_an_address(c, &c->alice);
	use_an_address(c, &seller);
	clock_set_us(clock_now_us() + HOUR);
	assert_int_equal(rate(c, "", (struct billing_query){0}).measured, 2 * 3600);
	assert_int_equal(rate(c, "", (struct billing_query){.bill_to = acme}).measured, 3600);
	assert_int_equal(rate(c, "alice", (struct billing_query){.bill_to = acme}).usage, 0);
	assert_int_equal(rate(c, "", (struct billing_query){.account = c->alice.account}).measured, 3600);
}

OPERATION(forget_account, account_target)
RESULT forget_account(struct op *op, struct account_target *wish)
{
	return account_forget(op, wish->account.prefix);
}

static void an_account_that_is_gone_is_billed_by_the_ledger(void **state)
{
	struct cloud *c = *state;
	uuid acme = make_domain(c, "acme", "", CHOICE_YES);
	struct identity seller = make_in(c, acme, "seller");
	struct address_target target = {.address = ref_by_id(KIND_ADDRESS, use_an_address(c, &seller))};
	struct account_target gone = {ref_by_id(KIND_ACCOUNT, seller.account)};
	clock_set_us(clock_now_us() + HOUR);
	cloud_ok(c, &seller, engine_release_address, &target);
	c->skips_dumps = true;
	cloud_ok(c, NULL, forget_account, &gone);
	struct bill bill = rate(c, "seller", (struct billing_query){0});
	assert_int_equal(bill.measured, 3600);
	assert_true(uuid_equal(bill.bill_to, acme));
	assert_int_equal(rate(c, "seller", (struct billing_query){.issuer = acme}).usage, 0);
}

/* ---- commitments ---- */

static struct commitment_wish commit_to(struct str owner, int64_t from_s, int64_t until_s)
{
	return (struct commitment_wish){.commitment = {.name = STR("reserved"),
						       .owner = owner,
						       .currency = STR("EUR"),
						       .match = STR("idle"),
						       .kind = COMMITMENT_RESERVED,
						       .quantity = 1000000,
						       .monthly = 1000000,
						       .from_s = from_s,
						       .until_s = until_s}};
}

static void a_commitment_is_its_owners_by_each_of_its_names(void **state)
{
	struct cloud *c = *state;
	int64_t from_s = MONTH_US / SECOND;
	const struct str names[] = {uuid_to_str(c->arena, c->alice.account), c->alice.account_number,
				    STR("alice"), STR("Default"), uuid_to_str(c->arena, DOMAIN_DEFAULT)};
	use_an_address(c, &c->alice);
	clock_set_us(clock_now_us() + HOUR);
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct commitment_wish wish = commit_to(names[k], from_s, from_s + 30 * 24 * 3600);
		assert_int_equal(rate(c, "", (struct billing_query){0}).purchases, k);
		cloud_ok(c, &c->operator, engine_make_commitment, &wish);
		struct bill bill = rate(c, "", (struct billing_query){0});
		assert_int_equal(bill.purchases, k + 1);
		assert_int_equal(bill.covered, 1); /* one address: one of them covers it */
	}
	assert_int_equal(rate(c, "", (struct billing_query){.is_bare = true}).covered, 0);
	assert_int_equal(rate(c, "", (struct billing_query){.account = c->bob.account}).purchases, 0);
	assert_int_equal(rate(c, "", (struct billing_query){.account = c->alice.account}).purchases, 3);
}

static void a_commitment_holds_for_its_owner_and_its_time_alone(void **state)
{
	struct cloud *c = *state;
	uuid acme = make_domain(c, "acme", "", CHOICE_YES);
	int64_t from_s = MONTH_US / SECOND, day_s = 24 * 3600;
	struct commitment_wish before = commit_to(STR("alice"), from_s - 30 * day_s, from_s),
			       after = commit_to(STR("alice"), from_s + 31 * day_s, from_s + 61 * day_s),
			       nobodys = commit_to(STR("nothing"), from_s, from_s + 30 * day_s),
			       bobs = commit_to(STR("bob"), from_s, from_s + 30 * day_s);
	use_an_address(c, &c->alice);
	clock_set_us(clock_now_us() + HOUR);
	cloud_ok(c, &c->operator, engine_make_commitment, &before);
	cloud_ok(c, &c->operator, engine_make_commitment, &after);
	cloud_ok(c, &c->operator, engine_make_commitment, &nobodys);
	cloud_ok(c, &c->operator, engine_make_commitment, &bobs);
	struct bill bill = rate(c, "", (struct billing_query){0});
	assert_int_equal(bill.purchases, 1); /* bob's */
	assert_int_equal(bill.covered, 0);
	assert_true(bill.unused > 0);
	assert_int_equal(rate(c, "", (struct billing_query){.bill_to = acme}).purchases, 0);
	assert_int_equal(rate(c, "", (struct billing_query){.issuer = acme}).purchases, 0);
}

static void commitments_are_in_the_order_of_their_beginning(void **state)
{
	struct cloud *c = *state;
	struct commitments all;
	int64_t from_s = MONTH_US / SECOND;
	struct commitment_wish later = commit_to(STR("alice"), from_s + 3600, from_s + 7200),
			       first = commit_to(STR("bob"), from_s, from_s + 7200),
			       same = commit_to(STR("bob"), from_s, from_s + 7200);
	cloud_ok(c, &c->operator, engine_make_commitment, &later);
	cloud_ok(c, &c->operator, engine_make_commitment, &first);
	cloud_ok(c, &c->operator, engine_make_commitment, &same);
	cloud_expect(c, billing_read_commitments(&c->c, c->store, &all), ERR_NONE, KIND_NONE);
	assert_int_equal(all.count, 3);
	assert_true(str_is(all.at[2].owner, "alice"));
	assert_true(uuid_compare(all.at[0].id, all.at[1].id) < 0);
}

/* ---- corrections, price lists, closed months ---- */

static void a_correction_counts_from_when_it_was_written(void **state)
{
	struct cloud *c = *state;
	uuid address = use_an_address(c, &c->alice);
	struct fix_wish fix = {.id = address,
			       .account = c->alice.account,
			       .meter = STR("address:idle"),
			       .reason = STR("it was lost"),
			       .at_us = MONTH_US + HOUR / 2};
	clock_set_us(MONTH_US + HOUR);
	int64_t written_us = clock_now_us();
	cloud_ok(c, &c->operator, engine_fix_usage, &fix); /* level 0 from then on: a record was lost */
	assert_int_equal(rate(c, "alice", (struct billing_query){0}).measured, 1800);
	assert_int_equal(rate(c, "alice", (struct billing_query){.as_of_us = written_us}).measured, 3600);
	assert_int_equal(rate(c, "alice", (struct billing_query){.as_of_us = written_us + MINUTE}).measured,
			 1800);
}

static void a_list_is_tried_without_being_loaded(void **state)
{
	struct cloud *c = *state;
	struct price_list tried = {0};
	cloud_make_volume(c, GIB);
	clock_set_us(MONTH_US + HOUR);
	struct bill bill = rate(c, "alice", (struct billing_query){0});
	assert_true(bill.usage == 0 && bill.unpriced > 0);
	cloud_expect(
		c,
		price_list_read(&c->c,
				STR("price_list: {name: public, currency: EUR, from: 2021-01-01T00:00:00Z}\n"
				    "items:\n- {sku: vol, meter: volume, unit: gib_month, price: 0.08}\n"),
				&tried),
		ERR_NONE, KIND_NONE);
	bill = rate(c, "alice", (struct billing_query){.tried = &tried});
	assert_true(bill.usage > 0 && bill.unpriced == 0);
	assert_int_equal(rate(c, "alice", (struct billing_query){0}).usage, 0);
}

static void a_list_that_cannot_be_read_is_named(void **state)
{
	struct cloud *c = *state;
	struct bill bill = {0};
	struct billing_query query = {.month = month_of(MONTH_US / SECOND), .now_us = MONTH_US};
	load(c, "price_list: [");
	ctx_init(&c->c, c->arena);
	assert_int_equal(billing_rate(&c->c, c->store, &query, add, NULL, &bill).code, ERR_INVALID);
	assert_true(c->c.problem.message.n > 0);
}

static void a_closed_month_is_found_and_ends_the_book(void **state)
{
	struct cloud *c = *state;
	struct price_book book;
	struct closed_month closed;
	int64_t until_s = 0;
	struct month month = month_of(MONTH_US / SECOND), before = month_of(month.from_s - 1);
	struct closing_wish later = {.month = month, .run = 7, .count = 2, .digest = STR("ab")},
			    first = {.month = before, .run = 5, .digest = STR("cd")};
	cloud_expect(c, billing_find_closed(&c->c, c->store, month, &closed), ERR_NOT_FOUND, KIND_NONE);
	ctx_init(&c->c, c->arena);
	cloud_ok(c, &c->operator, engine_close_month, &first);
	cloud_ok(c, &c->operator, engine_close_month, &later);
	cloud_expect(c, billing_find_closed(&c->c, c->store, month, &closed), ERR_NONE, KIND_NONE);
	assert_true(closed.run == 7 && closed.count == 2 && str_is(closed.digest, "ab"));
	cloud_expect(c, billing_read_book(&c->c, c->store, &book, &until_s), ERR_NONE, KIND_NONE);
	assert_int_equal(until_s, month.until_s);
	assert_int_equal(book.count, 1);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, begin, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(each_seller_bills_the_topmost_account_below_it),
		in_a_cloud(a_bill_has_only_what_its_payer_pays),
		in_a_cloud(an_account_that_is_gone_is_billed_by_the_ledger),
		in_a_cloud(a_commitment_is_its_owners_by_each_of_its_names),
		in_a_cloud(a_commitment_holds_for_its_owner_and_its_time_alone),
		in_a_cloud(commitments_are_in_the_order_of_their_beginning),
		in_a_cloud(a_correction_counts_from_when_it_was_written),
		in_a_cloud(a_list_is_tried_without_being_loaded),
		in_a_cloud(a_list_that_cannot_be_read_is_named),
		in_a_cloud(a_closed_month_is_found_and_ends_the_book),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
