/* SPDX-License-Identifier: Apache-2.0
 * Price lists: validation, and the list and price that apply to an account. */
#include "metering/price_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD                                                                                                 \
	"price_list: {name: public, currency: EUR, from: 2026-11-01T00:00:00Z, parent: null, owner: null}\n"
#define MICRO_ITEM                                                                                           \
	"- {sku: vm.t3.micro, meter: \"instance:t3.micro\", unit: hour, minimum_s: 60, price: 0.010400}\n"

struct world {
	struct arena *a;
	struct ctx c;
};

static int begin(void **state)
{
	static struct world w;
	w.a = arena_new(65536, 64 << 20);
	ctx_init(&w.c, w.a);
	*state = &w;
	return w.a ? 0 : -1;
}

static int end(void **state)
{
	arena_free(((struct world *) *state)->a);
	return 0;
}

static struct price_list read_list(struct world *w, const char *yaml)
{
	struct price_list list = {0};
	struct result r = price_list_read(&w->c, str_from(yaml), &list);
	if (!result_is_ok(r))
		fail_msg("%.*s", STR_ARG(w->c.problem.message));
	return list;
}

static void a_list_is_read(void **state)
{
	struct price_list list = read_list(
		*state,
		HEAD "items:\n" MICRO_ITEM
		     "- {sku: lic.rhel.small, meter: \"licence:rhel\", when: {vcpus: [1, 4]}, unit: hour, "
		     "round_up_s: 3600, price: 0.060000}\n"
		     "- {sku: vol.gp3, meter: \"volume:gp3\", unit: gib_month, free: 10, tiers: [{upto: "
		     "1024, price: "
		     "0.08}, {price: 0.07}], tier_scope: account}\n");
	assert_int_equal(list.item_count, 3);
	assert_int_equal(list.from_s, 1793491200);
	assert_int_equal(list.items[0].tiers[0].price, 10400);
	assert_int_equal(list.items[0].minimum_s, 60);
	assert_int_equal(list.items[1].level_max, 4);
	assert_int_equal(list.items[2].tier_count, 3);
	assert_int_equal(list.items[2].tiers[0].upto, 10 * MICRO);
	assert_int_equal(list.items[2].tiers[1].upto, 1034 * MICRO);
	assert_true(list.items[2].tiers[2].upto == INT64_MAX && list.items[2].tiers[2].price == 70000);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *yaml, *says;
	} rows[] = {
		{"", "line 1: the file is empty"},
		{"items: []\n", "line 1: there is no price_list"},
		{HEAD "things: []\n", "line 2: 'things' has no meaning here"},
		{HEAD "items:\n- {sku: a, meter: net.out, unit: hour, price: 1}\n",
		 "line 3: hour is no unit of net.out"},
		{HEAD "items:\n- {sku: a, meter: net.out, unit: gb, minimum_s: 60, price: 1}\n",
		 "line 3: what is counted has no minimum_s and no round_up_s"},
		{HEAD "items:\n- {sku: a, meter: volume, unit: hour, price: 1}\n",
		 "line 3: hour is no unit of volume"},
		{HEAD "items:\n- {sku: a, meter: volume, unit: gib_month}\n",
		 "line 3: an item has either a price or tiers; nothing is a price of 0"},
		{HEAD "items:\n- {sku: a, meter: volume, unit: gib_month, price: -1}\n",
		 "line 3: here stands a number that is not below 0, with six decimals at most"},
		{HEAD "items:\n- {sku: a, meter: volume, unit: gib_month, price: 0.0000001}\n",
		 "line 3: here stands a number that is not below 0, with six decimals at most"},
		{HEAD "items:\n- {sku: a, meter: volume, unit: gib_month, tiers: [{upto: 2, price: 1}, "
		      "{upto: 1, price: 1}, {price: 1}]}\n",
		 "line 3: tiers rise"},
		{HEAD "items:\n- {sku: a, meter: volume, unit: gib_month, tiers: [{upto: 2, price: 1}]}\n",
		 "line 3: the last tier, and no other, is without upto"},
		{HEAD "discounts: [{match: \"*\", percent: 5}]\n",
		 "line 1: discounts are of a list with an owner"},
		{"price_list: &a {name: x, currency: EUR, from: 2026-11-01T00:00:00Z}\nitems: *a\n",
		 "line 2: aliases have no place here"},
		{"price_list: {name: x, currency: euro, from: 2026-11-01T00:00:00Z}\n",
		 "line 1: price_list has name, currency (as EUR) and from"},
	};
	struct world *w = *state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct price_list list;
		ctx_clear_problem(&w->c);
		assert_int_equal(price_list_read(&w->c, str_from(rows[k].yaml), &list).code, ERR_INVALID);
		assert_string_equal(str_to_z(w->a, w->c.problem.message), rows[k].says);
	}
}

static void what_does_not_fit_the_book_is_found(void **state)
{
	struct world *w = *state;
	struct price_list lists[] = {read_list(w, HEAD "items:\n" MICRO_ITEM)};
	struct price_book book;
	struct strs faults;
	assert_true(result_is_ok(price_book_make(&w->c, lists, 1, &book)));
	struct price_list same = read_list(
		w, HEAD "items:\n" MICRO_ITEM "- {sku: vm.any, meter: instance, unit: hour, price: 1}\n"
			"- {sku: vm.t3.micro, meter: nat-gateway, unit: hour, price: 1}\n");
	assert_true(result_is_ok(price_list_check(&w->c, &book, &same, same.from_s + 1, &faults)));
	assert_int_equal(faults.count, 4);
	assert_string_equal(str_to_z(w->a, faults.at[0]),
			    "line 4: vm.any and vm.t3.micro (line 3) match the same");
	assert_true(str_contains(faults.at[1], STR("is that of another meter in line 3")));
	assert_true(
		str_contains(faults.at[2], STR("is that of the meter instance:t3.micro in the list public")));
	assert_true(str_contains(faults.at[3], STR("are closed")));
	struct price_list child = read_list(w, "price_list: {name: acme, currency: USD, from: "
					       "2026-11-01T00:00:00Z, parent: public, owner: acme}\n");
	assert_true(result_is_ok(price_list_check(&w->c, &book, &child, 0, &faults)));
	assert_int_equal(faults.count, 1);
	assert_string_equal(str_to_z(w->a, faults.at[0]), "its parent's currency is EUR");
}

static void an_account_pays_by_the_nearest_list(void **state)
{
	struct world *w = *state;
	struct price_list lists[] = {
		read_list(w, HEAD "items:\n" MICRO_ITEM
				  "- {sku: vm.m5, meter: \"instance:m5.large\", unit: hour, price: 0.1}\n"),
		read_list(
			w,
			"price_list: {name: acme, currency: EUR, from: 2026-11-01T00:00:00Z, parent: public, "
			"owner: acme}\nitems: []\ndiscounts: [{match: \"vm.*\", percent: 12.5}]\n"),
		read_list(w,
			  "price_list: {name: shop, currency: EUR, from: 2026-11-10T00:00:00Z, parent: acme, "
			  "owner: \"123456789012\"}\nitems:\n"
			  "- {sku: vm.m5.shop, meter: \"instance:m5.large\", unit: hour, price: 0.05}\n"),
	};
	struct price_book book;
	assert_true(result_is_ok(price_book_make(&w->c, lists, 3, &book)));
	struct str owners[] = {STR("123456789012"), STR("acme")};
	const struct payer shop = {{owners, 2}}, acme = {{owners + 1, 1}}, nobody = {{NULL, 0}};
	static const struct {
		int who;
		const char *meter;
		int64_t days, list, own;
		const char *id;
	} rows[] = {
		{2, "instance:t3.micro", 0, 10400, 10400, "vm.t3.micro/public/2026-11-01T00:00:00Z/"},
		{1, "instance:t3.micro", 0, 10400, 9100, "vm.t3.micro/acme/2026-11-01T00:00:00Z/"},
		{0, "instance:t3.micro", 0, 10400, 9100, "vm.t3.micro/acme/2026-11-01T00:00:00Z/"},
		{0, "instance:t3.micro", 10, 10400, 9100, "vm.t3.micro/shop/2026-11-10T00:00:00Z/"},
		{0, "instance:m5.large", 10, 100000, 50000, "vm.m5.shop/shop/2026-11-10T00:00:00Z/"},
		{1, "instance:m5.large", 10, 100000, 87500, "vm.m5/acme/2026-11-01T00:00:00Z/"},
	};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct price *p = NULL;
		const struct payer *who = rows[k].who == 0 ? &shop : rows[k].who == 1 ? &acme : &nobody;
		assert_true(result_is_ok(price_book_price(&w->c, &book, who, str_from(rows[k].meter), 1,
							  STR_NONE, 1793491200 + rows[k].days * 86400, &p)));
		assert_non_null(p);
		assert_int_equal(p->list[0], rows[k].list);
		assert_int_equal(p->own[0], rows[k].own);
		assert_string_equal(str_to_z(w->a, p->id), rows[k].id);
	}
	const struct price *none = NULL;
	assert_true(result_is_ok(price_book_price(&w->c, &book, &nobody, STR("instance:t3.microscopic"), 1,
						  STR_NONE, 1793491200, &none)));
	assert_null(none);
	assert_true(result_is_ok(price_book_price(&w->c, &book, &nobody, STR("instance:t3.micro"), 1,
						  STR_NONE, 1793491199, &none)));
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_list_is_read, begin, end),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said_with_its_line, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_fit_the_book_is_found, begin, end),
		cmocka_unit_test_setup_teardown(an_account_pays_by_the_nearest_list, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
