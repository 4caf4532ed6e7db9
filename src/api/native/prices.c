/* SPDX-License-Identifier: Apache-2.0
 * Usage and quotas of all accounts, and price lists. For administrators. Price lists are read from the
 * ledger's SQL, so on a lane.
 */
#include "api/native/dry.h"
#include "api/native/write.h"

#include "base/clock.h"
#include "engine/billing/billing.h"
#include "engine/quota.h"
#include "metering/price_list.h"
#include "store/account.h"

/* ---- what accounts have ---- */

static RESULT answer_usages(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = native_tables(e);
	(void) args;
	json_write_int(w, "batch", (int64_t) e->view.commit);
	json_write_open_list(w, "accounts");
	for (const struct account *a = account_first(t); a; a = account_next(t, a)) {
		if (!row_is_live(&a->row))
			continue;
		json_write_open(w, NULL);
		json_write_uuid(w, "id", a->row.id);
		native_write_quotas(w, a);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- price lists ---- */

struct prices_args {
	struct price_list_wish wish; /* for a list that is being loaded */
	struct price_book book;
	struct price_list list;
	struct strs faults;
	int64_t closed_until_s;
};
static const struct param prices_params[] = {
	PARAM(struct prices_args, "yaml", wish.yaml, .min = 1, .max = PRICE_TEXT_MAX, .flags = REQUIRED,
	      .doc = "Price list, in the format of `dari prices load`."),
};

static RESULT read_book(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct prices_args *a = e->args;
	return billing_read_book(e->c, e->config->store, &a->book, &a->closed_until_s);
}

/* Checks a price list. Faults name their line where there is one. */
static RESULT check_list(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct prices_args *a = e->args;
	struct result read = price_list_read(e->c, a->wish.yaml, &a->list);
	if (result_is_ok(read))
		read = read_book(w);
	if (result_is_ok(read))
		read = price_list_check(e->c, &a->book, &a->list, a->closed_until_s, &a->faults);
	if (result_is_ok(read) && a->faults.count)
		read = ctx_fail(e->c, ERR_INVALID, "%" STR_FMT, STR_ARG(a->faults.at[0]));
	if (read.code == ERR_INVALID)
		e->c->problem.field = STR("yaml");
	TRY(read);
	a->wish.name = a->list.name;
	a->wish.from_s = a->list.from_s;
	return OK;
}

static void write_item(struct json_writer *w, const struct price_item *item)
{
	json_write_open(w, NULL);
	json_write_text(w, "sku", item->sku);
	json_write_text(w, "meter", item->meter);
	if (item->text.n)
		json_write_text(w, "text", item->text);
	if (item->zone.n)
		json_write_text(w, "zone", item->zone);
	json_write_z(w, "unit", unit_infos[item->unit].word);
	json_write_open_list(w, "tiers");
	for (size_t k = 0; k < item->tier_count; k++) {
		json_write_open(w, NULL);
		json_write_int(w, "price_micro", item->tiers[k].price);
		if (item->tiers[k].upto != INT64_MAX)
			json_write_int(w, "upto_micro", item->tiers[k].upto);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

static void write_list(struct json_writer *w, const struct price_list *l, bool is_in_force)
{
	const struct {
		const char *name;
		struct str text;
	} texts[] = {{"name", l->name},
		     {"currency", l->currency},
		     {"parent", l->parent},
		     {"owner", l->owner},
		     {"seller", l->seller}};
	json_write_open(w, NULL);
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		if (texts[k].text.n)
			json_write_text(w, texts[k].name, texts[k].text);
	json_write_int(w, "from_us", l->from_s * SECOND);
	json_write_bool(w, "in_force", is_in_force);
	json_write_open_list(w, "items");
	for (size_t k = 0; k < l->item_count; k++)
		write_item(w, &l->items[k]);
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT answer_lists(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct prices_args *a = args;
	int64_t now_s = clock_now_us() / SECOND;
	(void) e;
	json_write_open_list(w, "items");
	for (size_t k = 0; k < a->book.count; k++) {
		const struct price_list *l = &a->book.lists[k];
		write_list(w, l, price_book_find(&a->book, l->name, now_s) == l);
	}
	json_write_close_list(w);
	if (a->closed_until_s)
		json_write_int(w, "closed_until_us", a->closed_until_s * SECOND);
	return OK;
}

static RESULT answer_loaded(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	json_write_open(w, "item");
	json_write_text(w, "name", ((const struct prices_args *) args)->wish.name);
	json_write_int(w, "from_us", ((const struct prices_args *) args)->wish.from_s * SECOND);
	json_write_close(w);
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_GET, "/usages", .name = "ListUsages", .permit = "ec2:DescribeAccountUsage",
	 .flags = NATIVE_ADMIN | NATIVE_UNSCOPED, .answer = answer_usages,
	 .doc = "Lists the usage and quotas of every account; -1: unlimited."},
	{HTTP_GET, "/price-lists", .name = "ListPrices", .permit = "billing:ListPrices",
	 .flags = NATIVE_ADMIN | NATIVE_UNSCOPED, .args = {.size = sizeof(struct prices_args)},
	 .work = read_book, .answer = answer_lists,
	 .doc = "Lists all price lists and the time from which each is in force."},
	{HTTP_POST, "/price-lists", .permit = "billing:LoadPrices",
	 .flags = API_WRITES | NATIVE_ADMIN | NATIVE_UNSCOPED, .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct prices_args, prices_params), .work = check_list,
	 .operation = engine_load_prices_run, .answer = answer_loaded,
	 .doc = "Loads a price list, which is in force from the time that it states. ?dry=1 only checks it."},
};
const struct api_actions native_prices_actions = API_ACTIONS(rows);
