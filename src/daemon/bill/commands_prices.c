/* SPDX-License-Identifier: Apache-2.0
 * dari prices …: checks, compares, tries (on a past month) and loads price lists. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "daemon/bill/bill.h"
#include "metering/tally.h"

enum { DIFFERENCES_SHOWN = 20, UNPRICED_SHOWN = 50 };
#define TRIAL_CAP ((size_t) 256 << 20)

/* A list not loaded yet, and the book it would join. */
struct candidate {
	struct str yaml;
	struct price_list list;
	struct price_book book;
	int64_t closed_until_s;
	struct strs faults;
};

static RESULT read_candidate(struct command_call *call, struct candidate *ret)
{
	struct ctx *c = &call->ctx;
	const char *path = str_to_z(c->arena, command_arg(call, "file"));
	TRY(file_read(c, path, PRICE_TEXT_MAX, &ret->yaml));
	TRY(price_list_read(c, ret->yaml, &ret->list));
	TRY(billing_read_book(c, call->daemon->store, &ret->book, &ret->closed_until_s));
	return price_list_check(c, &ret->book, &ret->list, ret->closed_until_s, &ret->faults);
}

/* ---- check and load ---- */

struct unpriced {
	struct command_call *call;
	struct tally meters;
};

static RESULT ignore_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	(void) arg;
	(void) billed;
	(void) charge;
	return OK;
}

static RESULT note_unpriced(void *arg, const struct billed *billed, enum kind kind, uuid id, struct str meter)
{
	struct unpriced *u = arg;
	(void) billed;
	(void) kind;
	(void) id;
	struct tally_line *line = tally_find(&u->meters, meter);
	if (!line)
		return ctx_no_memory(&u->call->ctx);
	line->quantity++;
	return OK;
}

/* Finds meters that were in use and would have neither a price nor an explicit 0. */
static RESULT find_unpriced(struct command_call *call, const struct price_list *tried, struct month month,
			    struct unpriced *ret)
{
	const struct billing_query query = {.month = month, .now_us = clock_now_us(), .tried = tried};
	*ret = (struct unpriced){.call = call, .meters.arena = call->ctx.arena};
	TRY(billing_rate(&call->ctx, call->daemon->store, &query, ignore_charge, note_unpriced, ret));
	tally_sort(&ret->meters);
	return OK;
}

/* Treats the list as in force since the beginning of the month. */
static struct price_list since(const struct price_list *list, struct month month)
{
	struct price_list earlier = *list;
	earlier.from_s = earlier.from_s < month.from_s ? earlier.from_s : month.from_s;
	return earlier;
}

static RESULT say_faults(struct command_call *call, const struct candidate *k)
{
	struct unpriced unpriced;
	struct month month = month_of(clock_now_us() / SECOND);
	struct price_list tried = since(&k->list, month);
	json_t *faults = json_array(), *meters = json_array();
	for (size_t n = 0; n < k->faults.count; n++) {
		buf_print(&call->text, "!!  %" STR_FMT "\n", STR_ARG(k->faults.at[n]));
		(void) json_array_append_new(faults, json_stringn(k->faults.at[n].p, k->faults.at[n].n));
	}
	call->value = json_pack("{s:o, s:o}", "faults", faults, "without_price", meters);
	TRY(find_unpriced(call, &tried, month, &unpriced));
	for (size_t n = 0; n < unpriced.meters.count && n < UNPRICED_SHOWN; n++) {
		struct str name = unpriced.meters.lines[n].key;
		buf_print(&call->text,
			  "!!  %" STR_FMT " is in use and has no price: a price of 0 says that it is free\n",
			  STR_ARG(name));
		(void) json_array_append_new(meters, json_stringn(name.p, name.n));
	}
	if (!k->faults.count && !unpriced.meters.count)
		buf_print(&call->text, "ok  %" STR_FMT ": %zu items\n", STR_ARG(k->list.name),
			  k->list.item_count);
	call->status = k->faults.count > 0 || unpriced.meters.count > 0;
	return OK;
}

static RESULT prices_check(struct command_call *call)
{
	struct candidate k = {0};
	TRY(read_candidate(call, &k));
	return say_faults(call, &k);
}

static RESULT prices_load(struct command_call *call)
{
	struct candidate k = {0};
	char at[CLOCK_TEXT_SIZE];
	TRY(read_candidate(call, &k));
	if (k.faults.count)
		return ctx_fail(&call->ctx, ERR_INVALID, "%" STR_FMT, STR_ARG(k.faults.at[0]));
	struct price_list_wish wish = {.yaml = k.yaml, .name = k.list.name, .from_s = k.list.from_s};
	TRY(command_commit(call, "dari:prices load", engine_load_prices_run, &wish));
	buf_print(&call->text, "price list %" STR_FMT " loaded; in force from %s on\n", STR_ARG(k.list.name),
		  clock_write_s(k.list.from_s * SECOND, at));
	call->value = json_pack("{s:s%, s:s}", "name", k.list.name.p, k.list.name.n, "from", at);
	return OK;
}

/* ---- list and diff ---- */

static RESULT prices_list(struct command_call *call)
{
	struct price_book book = {0};
	int64_t closed_until_s = 0, now_s = clock_now_us() / SECOND;
	char at[CLOCK_TEXT_SIZE];
	TRY(billing_read_book(&call->ctx, call->daemon->store, &book, &closed_until_s));
	call->value = json_array();
	for (size_t n = 0; n < book.count; n++) {
		const struct price_list *l = &book.lists[n];
		bool is_in_force = price_book_find(&book, l->name, now_s) == l;
		buf_print(&call->text, "%-16.*s %s %s %5zu items  %s%" STR_FMT "%s%" STR_FMT "\n",
			  STR_ARG(l->name), clock_write_s(l->from_s * SECOND, at),
			  is_in_force ? "in force" : "        ", l->item_count, l->owner.n ? "for " : "",
			  STR_ARG(l->owner), l->parent.n ? ", else as " : "", STR_ARG(l->parent));
		(void) json_array_append_new(
			call->value,
			json_pack("{s:s%, s:s, s:b, s:s%, s:s%, s:s%, s:I}", "name", l->name.p, l->name.n,
				  "from", at, "in_force", (int) is_in_force, "currency", l->currency.p,
				  l->currency.n, "parent", l->parent.n ? l->parent.p : "", l->parent.n,
				  "owner", l->owner.n ? l->owner.p : "", l->owner.n, "items",
				  (json_int_t) l->item_count));
	}
	return OK;
}

static const struct price_item *find_sku(const struct price_list *list, struct str sku)
{
	for (size_t n = 0; list && n < list->item_count; n++)
		if (str_equal(list->items[n].sku, sku))
			return &list->items[n];
	return NULL;
}

static bool items_equal(const struct price_item *a, const struct price_item *b)
{
	bool is_same = str_equal(a->meter, b->meter) && str_equal(a->zone, b->zone) && a->unit == b->unit &&
		       a->level_min == b->level_min && a->level_max == b->level_max &&
		       a->minimum_s == b->minimum_s && a->round_up_s == b->round_up_s &&
		       a->tier_count == b->tier_count;
	for (size_t n = 0; is_same && n < a->tier_count; n++)
		is_same = a->tiers[n].upto == b->tiers[n].upto && a->tiers[n].price == b->tiers[n].price;
	return is_same;
}

static void say_item(struct command_call *call, const char *sign, const struct price_item *item)
{
	char price[MONEY_TEXT_SIZE];
	buf_print(&call->text, "%s %-24.*s %-28.*s %-10s", sign, STR_ARG(item->sku), STR_ARG(item->meter),
		  unit_infos[item->unit].word);
	for (size_t n = 0; n < item->tier_count; n++)
		buf_print(&call->text, " %s", money_write_micro(item->tiers[n].price, price));
	buf_print(&call->text, "\n");
	(void) json_array_append_new(call->value, json_pack("{s:s, s:s%, s:s}", "change", sign, "sku",
							    item->sku.p, item->sku.n, "price", price));
}

/* Compares with the version in force at its start. */
static RESULT prices_diff(struct command_call *call)
{
	struct candidate k = {0};
	TRY(read_candidate(call, &k));
	const struct price_list *old = price_book_find(&k.book, k.list.name, k.list.from_s);
	call->value = json_array();
	for (size_t n = 0; old && n < old->item_count; n++) {
		const struct price_item *now = find_sku(&k.list, old->items[n].sku);
		if (!now || !items_equal(now, &old->items[n]))
			say_item(call, "-", &old->items[n]);
	}
	for (size_t n = 0; n < k.list.item_count; n++) {
		const struct price_item *was = find_sku(old, k.list.items[n].sku);
		if (!was || !items_equal(was, &k.list.items[n]))
			say_item(call, "+", &k.list.items[n]);
	}
	if (!json_array_size(call->value))
		buf_print(&call->text, "no item is different\n");
	return OK;
}

/* ---- try ---- */

/* Costs by account and SKU, with the current lists and with the new one. */
struct trial {
	struct ctx c;
	struct tally tally; /* cost: current; list: with the new one */
	bool is_new;
	struct str currency;
};

static RESULT add_trial(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct trial *t = arg;
	char key[256];
	int n = snprintf(key, sizeof key, "%.*s %.*s", (int) (billed->number.n < 40 ? billed->number.n : 40),
			 billed->number.n ? billed->number.p : "", STR_ARG(charge->price->item->sku));
	struct tally_line *line = tally_find(&t->tally, (struct str){key, (size_t) n});
	if (!line)
		return ctx_no_memory(&t->c);
	*(t->is_new ? &line->list : &line->cost) += charge_cost(charge);
	if (!t->currency.n)
		t->currency = str_copy(t->c.arena, charge->price->currency);
	return OK;
}

static money difference_of(const struct tally_line *line)
{
	money d = line->list - line->cost;
	return d < 0 ? -d : d;
}

static int compare_differences(const void *left, const void *right)
{
	money a = difference_of(left), b = difference_of(right);
	return a != b ? (a < b) - (a > b)
		      : str_compare(((const struct tally_line *) left)->key,
				    ((const struct tally_line *) right)->key);
}

static void say_trial(struct command_call *call, struct trial *t)
{
	char was[MONEY_TEXT_SIZE], now[MONEY_TEXT_SIZE];
	unsigned decimals = money_decimals(t->currency);
	money sum_was = 0, sum_now = 0;
	json_t *lines = json_array();
	if (t->tally.count)
		qsort(t->tally.lines, t->tally.count, sizeof *t->tally.lines, compare_differences);
	for (size_t n = 0; n < t->tally.count; n++) {
		const struct tally_line *line = &t->tally.lines[n];
		sum_was += line->cost;
		sum_now += line->list;
		if (n >= DIFFERENCES_SHOWN || !difference_of(line))
			continue;
		money_write_fixed(line->cost, decimals, was);
		money_write_fixed(line->list, decimals, now);
		buf_print(&call->text, "%-40.*s %14s -> %14s\n", STR_ARG(line->key), was, now);
		(void) json_array_append_new(lines, json_pack("{s:s%, s:s, s:s}", "line", line->key.p,
							      line->key.n, "now", was, "then", now));
	}
	money_write_fixed(sum_was, decimals, was);
	money_write_fixed(sum_now, decimals, now);
	buf_print(&call->text, "%-40s %14s -> %14s %" STR_FMT "\n", "all accounts", was, now,
		  STR_ARG(t->currency));
	call->value = json_pack("{s:s, s:s, s:o}", "now", was, "then", now, "largest", lines);
}

RESULT command_month_arg(struct command_call *call, struct month absent, struct month *ret_month)
{
	struct str text = command_arg(call, "month");
	*ret_month = absent;
	return text.n ? month_parse(&call->ctx, text, ret_month) : OK;
}

static RESULT prices_try(struct command_call *call)
{
	struct candidate k = {0};
	struct month month;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, TRIAL_CAP);
	int64_t now_us = clock_now_us();
	TRY(command_month_arg(call, month_before(month_of(now_us / SECOND)), &month));
	TRY(read_candidate(call, &k));
	if (!arena)
		return ctx_no_memory(&call->ctx);
	struct trial t = {.tally.arena = arena};
	ctx_init(&t.c, arena);
	struct price_list tried = since(&k.list, month);
	struct billing_query query = {.month = month, .now_us = now_us};
	TRY(billing_rate(&call->ctx, call->daemon->store, &query, add_trial, NULL, &t));
	t.is_new = true;
	query.tried = &tried;
	TRY(billing_rate(&call->ctx, call->daemon->store, &query, add_trial, NULL, &t));
	say_trial(call, &t);
	return OK;
}

#define FILE_PARAM                                                                                           \
	{                                                                                                    \
		"file", PARAM_POSITIONAL, true, "The price list, in YAML.", true                             \
	}
const struct command prices_commands[] = {
	{"prices check",
	 "Checks a price list, and that everything in use has a price; exit status 1 if not.",
	 {FILE_PARAM},
	 .run = prices_check},
	{"prices diff", "Lists the items that a price list would change.", {FILE_PARAM}, .run = prices_diff},
	{"prices try",
	 "Rates a month with a price list, and shows the difference in cost. Changes nothing.",
	 {FILE_PARAM, {"month", PARAM_OPTION, false, "The month, as 2026-10 (default: the last one)."}},
	 .run = prices_try},
	{"prices load",
	 "Loads a valid price list. It applies from the time it names.",
	 {FILE_PARAM},
	 .run = prices_load},
	{"prices list",
	 "Lists all versions of the price lists.",
	 {{0}},
	 .run = prices_list,
	 .is_anywhere = true},
	{0},
};
