/* SPDX-License-Identifier: Apache-2.0
 * Invoices: made from each billing account's charges when a month is closed; listed, shown, and cancelled by
 * credit notes. Issuers are the operator and every billing account with customers. */
#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/vec.h"
#include "daemon/bill/bill.h"
#include "store/domain.h"

enum { NAME_MAX_SHOWN = 40 };
#define DAY (24 * HOUR)
#define INVOICES_CAP ((size_t) 512 << 20)

/* ---- making ---- */

/* A billing account's invoice from an issuer, in preparation. */
struct draft {
	uuid payer;
	struct invoice invoice;
	struct arena *arena; /* contains its lines */
	struct ctx c;
	struct draft *next;
};

struct drafting {
	struct command_call *call;
	struct draft *first;
};

static RESULT find_draft(struct drafting *d, uuid payer, struct draft **ret_draft)
{
	struct draft *at = d->first;
	while (at && !uuid_equal(at->payer, payer))
		at = at->next;
	if (!at) {
		at = arena_new_object(d->call->ctx.arena, struct draft);
		struct arena *arena = at ? arena_new(ARENA_FIRST_SIZE, INVOICES_CAP) : NULL;
		if (!arena)
			return ctx_no_memory(&d->call->ctx);
		*at = (struct draft){.payer = payer, .arena = arena, .next = d->first};
		ctx_init(&at->c, arena);
		invoice_begin(&at->invoice, &at->c);
		d->first = at;
	}
	*ret_draft = at;
	return OK;
}

static RESULT draft_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct drafting *d = arg;
	struct draft *draft = NULL;
	TRY(find_draft(d, billed->bill_to, &draft));
	struct result result = invoice_add(&draft->invoice, billed->number, billed->name, charge);
	if (!result_is_ok(result))
		d->call->ctx.problem = draft->c.problem;
	return result;
}

static struct str date_of(struct arena *a, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];
	return str_copy(a, str_slice(str_from(clock_write_s(at_us, text)), 0, 10));
}

/* Keeps only letters and digits of the name, which is used in file names and JSON. */
static struct str series_of(struct arena *a, const struct domain *issuer)
{
	struct buf text;
	buf_init(&text, 64);
	for (size_t k = 0; k < issuer->name.n && text.size < NAME_MAX_SHOWN; k++)
		buf_add_char(&text, str_is_alphanumeric(issuer->name.p[k]) ? issuer->name.p[k] : '-');
	struct str series = str_copy(a, buf_str(&text));
	buf_done(&text);
	return series;
}

static struct str name_of(const struct domain *d)
{
	return d->bill_name.n ? d->bill_name : d->name;
}

/* Finishes an invoice; only billing accounts get one. *ret is set if it is due. */
static RESULT end_draft(struct command_call *call, struct draft *draft, const struct domain *issuer,
			struct month month, int64_t now_us, struct new_invoice *ret, bool *ret_is_due)
{
	struct ctx *c = &call->ctx;
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct domain *payer = domain_find(view.tables, draft->payer);
	*ret_is_due = false;
	if (!payer || !payer->is_billed)
		return OK;
	TRY(invoice_end(&draft->invoice, payer->bill_taxes));
	*ret_is_due = invoice_is_due(&draft->invoice);
	struct str region = call->daemon->settings.region;
	const struct invoice_head head = {
		.month = month,
		.issuer_id = uuid_to_str(c->arena, issuer ? issuer->row.id : DOMAIN_DEFAULT),
		.issuer = issuer ? name_of(issuer) : region,
		.payer_id = uuid_to_str(c->arena, draft->payer),
		.payer = name_of(payer),
		.address = payer->bill_address,
		.order = payer->bill_order,
		.issued = date_of(c->arena, now_us),
		.due = date_of(c->arena, now_us + payer->bill_days * DAY)};
	struct str json = STR_NONE;
	TRY(invoice_write(&draft->invoice, &head, &json));
	*ret = (struct new_invoice){.issuer = issuer ? issuer->row.id : DOMAIN_DEFAULT,
				    .payer = draft->payer,
				    .issuer_name = issuer ? series_of(c->arena, issuer) : STR_NONE,
				    .from_us = month.from_s * SECOND,
				    .total = invoice_total(&draft->invoice),
				    .json = str_copy(c->arena, json)};
	return ret->json.p ? OK : ctx_no_memory(c);
}

struct gathering {
	VEC(struct new_invoice) made;
};

static int compare_payers(const void *left, const void *right)
{
	return uuid_compare(((const struct new_invoice *) left)->payer,
			    ((const struct new_invoice *) right)->payer);
}

static RESULT draft_issuer(struct command_call *call, const struct domain *issuer, struct month month,
			   int64_t now_us, struct gathering *g)
{
	struct drafting d = {.call = call};
	const struct billing_query query = {.month = month,
					    .now_us = now_us,
					    .as_of_us = now_us,
					    .issuer = issuer ? issuer->row.id : UUID_NONE};
	struct result result =
		billing_rate_all(&call->ctx, call->daemon->store, &query, draft_charge, NULL, &d);
	size_t first = g->made.count;
	for (struct draft *at = d.first; at; at = at->next) {
		struct new_invoice invoice = {0};
		bool is_due = false;
		if (result_is_ok(result))
			result = end_draft(call, at, issuer, month, now_us, &invoice, &is_due);
		if (result_is_ok(result) && is_due && !VEC_PUSH(call->ctx.arena, &g->made, invoice))
			result = ctx_no_memory(&call->ctx);
		arena_free(at->arena);
	}
	if (g->made.count > first) /* a stable order, independent of memory addresses */
		qsort(g->made.at + first, g->made.count - first, sizeof *g->made.at, compare_payers);
	return result;
}

RESULT bill_list_issuers(struct command_call *call, struct domains *ret_issuers)
{
	VEC(struct domain) found = {0};
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	for (const struct domain *d = domain_first(view.tables); d; d = domain_next(view.tables, d)) {
		struct domain copy = *d;
		copy.name = str_copy(call->ctx.arena, d->name);
		copy.bill_name = str_copy(call->ctx.arena, d->bill_name);
		if (d->is_billed && domain_first_by_reseller(view.tables, d->row.id) &&
		    !VEC_PUSH(call->ctx.arena, &found, copy))
			return ctx_no_memory(&call->ctx);
	}
	*ret_issuers = (struct domains){found.at, found.count};
	return OK;
}

RESULT bill_draft_invoices(struct command_call *call, struct month month, int64_t now_us,
			   struct invoices_wish *ret_wish)
{
	struct domains issuers = {0};
	struct gathering g = {0};
	TRY(bill_list_issuers(call, &issuers));
	TRY(draft_issuer(call, NULL, month, now_us, &g));
	for (size_t k = 0; k < issuers.count; k++)
		TRY(draft_issuer(call, &issuers.at[k], month, now_us, &g));
	*ret_wish = (struct invoices_wish){.at = g.made.at, .count = g.made.count};
	return OK;
}

/* ---- showing ---- */

static RESULT find_invoice(struct command_call *call, struct str number,
			   const struct kept_invoice **ret_invoice)
{
	struct accounts_book book = {0};
	TRY(billing_read_accounts(&call->ctx, call->daemon->store, &book));
	for (size_t k = 0; k < book.invoice_count; k++)
		if (str_equal(book.invoices[k].number, number)) {
			*ret_invoice = &book.invoices[k];
			return OK;
		}
	return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("number"), "there is no invoice %" STR_FMT,
			      STR_ARG(number));
}

static RESULT read_json(struct command_call *call, const struct kept_invoice *invoice, json_t **ret_json)
{
	*ret_json = json_loadb(invoice->json.p, invoice->json.n, 0, NULL);
	return *ret_json ? OK : ctx_fail(&call->ctx, ERR_INTERNAL, "an invoice is no JSON");
}

RESULT bill_invoices(struct command_call *call)
{
	struct accounts_book book = {0};
	struct str payer = command_arg(call, "domain");
	TRY(billing_read_accounts(&call->ctx, call->daemon->store, &book));
	call->value = json_array();
	for (size_t k = 0; k < book.invoice_count; k++) {
		json_t *json = NULL;
		TRY(read_json(call, &book.invoices[k], &json));
		const char *of = json_string_value(json_object_get(json, "payer_id"));
		const char *name = json_string_value(json_object_get(json, "payer"));
		if (!payer.n || str_is(payer, of ? of : "") || str_is(payer, name ? name : "")) {
			buf_print(&call->text, "%-20s %s %s %-24.24s %14s %s  due %s\n",
				  json_string_value(json_object_get(json, "number")),
				  json_string_value(json_object_get(json, "month")),
				  json_string_value(json_object_get(json, "issued")), name,
				  json_string_value(json_object_get(json, "total")),
				  json_string_value(json_object_get(json, "currency")),
				  json_string_value(json_object_get(json, "due")));
			(void) json_object_del(json, "lines");
			(void) json_array_append(call->value, json);
		}
		json_decref(json);
	}
	return OK;
}

RESULT bill_invoice(struct command_call *call)
{
	static const char *const forms[] = {"json", "html", "csv", NULL};
	const struct kept_invoice *invoice = NULL;
	int form = 0;
	TRY(command_word_arg(call, "as", forms, 0, &form));
	TRY(find_invoice(call, command_arg(call, "number"), &invoice));
	TRY(read_json(call, invoice, &call->value));
	if (form == 1)
		return bill_write_page(&call->text, call->value);
	if (form == 2)
		return bill_write_csv(&call->text, call->value);
	char *text = json_dumps(call->value, JSON_INDENT(2));
	if (!text)
		return ctx_no_memory(&call->ctx);
	buf_add_str(&call->text, str_from(text));
	buf_add_char(&call->text, '\n');
	free(text);
	return OK;
}

/* ---- taking back ---- */

static void negate(json_t *object, const char *key)
{
	const char *amount = json_string_value(json_object_get(object, key));
	char text[MONEY_TEXT_SIZE + 1];
	bool is_zero = amount && strspn(amount, "-0.") == strlen(amount);
	if (!amount || is_zero)
		return;
	(void) snprintf(text, sizeof text, "%s%s", *amount == '-' ? "" : "-",
			*amount == '-' ? amount + 1 : amount);
	(void) json_object_set_new(object, key, json_string(text));
}

/* Negates lines and taxes, for a credit note. */
static void take_back(json_t *json, struct str number, struct str issued)
{
	static const char *const sums[] = {"net", "total", "rounding"};
	static const char *const of_lines[] = {"quantity", "exact", "amount"};
	size_t n;
	json_t *one;
	for (size_t k = 0; k < sizeof sums / sizeof *sums; k++)
		negate(json, sums[k]);
	json_array_foreach (json_object_get(json, "lines"), n, one)
		for (size_t k = 0; k < sizeof of_lines / sizeof *of_lines; k++)
			negate(one, of_lines[k]);
	json_array_foreach (json_object_get(json, "taxes"), n, one)
		negate(one, "amount");
	(void) json_object_del(json, "number");
	(void) json_object_set_new(json, "reference", json_stringn(number.p, number.n));
	(void) json_object_set_new(json, "issued", json_stringn(issued.p, issued.n));
	(void) json_object_set_new(json, "due", json_stringn(issued.p, issued.n));
}

static RESULT check_not_taken_back(struct command_call *call, const struct accounts_book *book,
				   const struct kept_invoice *invoice)
{
	struct str mark =
		str_print(call->ctx.arena, "\"reference\":\"%" STR_FMT "\"", STR_ARG(invoice->number));
	if (invoice->total < 0)
		return ctx_fail(&call->ctx, ERR_STATE, "%" STR_FMT " is a credit note",
				STR_ARG(invoice->number));
	for (size_t k = 0; k < book->invoice_count; k++)
		if (str_contains(book->invoices[k].json, mark))
			return ctx_fail(&call->ctx, ERR_STATE, "%" STR_FMT " was taken back by %" STR_FMT,
					STR_ARG(invoice->number), STR_ARG(book->invoices[k].number));
	return OK;
}

RESULT bill_void(struct command_call *call)
{
	struct ctx *c = &call->ctx;
	struct accounts_book book = {0};
	const struct kept_invoice *invoice = NULL;
	json_t *json = NULL;
	TRY(billing_read_accounts(c, call->daemon->store, &book));
	TRY(find_invoice(call, command_arg(call, "number"), &invoice));
	TRY(check_not_taken_back(call, &book, invoice));
	TRY(read_json(call, invoice, &json));
	take_back(json, invoice->number, date_of(c->arena, clock_now_us()));
	(void) json_object_set_new(
		json, "reason", json_stringn(command_arg(call, "reason").p, command_arg(call, "reason").n));
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		return ctx_no_memory(c);
	struct str body = str_copy(c->arena, str_slice(str_from(text), 1, strlen(text)));
	free(text);
	struct str series = str_slice(invoice->number, 0, invoice->number.n > 7 ? invoice->number.n - 7 : 0);
	const struct new_invoice note = {.issuer = invoice->issuer,
					 .payer = invoice->payer,
					 .issuer_name = series,
					 .from_us = invoice->from_us,
					 .total = -invoice->total,
					 .json = body};
	struct invoices_wish wish = {.at = &note, .count = 1};
	TRY(command_commit(call, "dari:billing void", engine_issue_invoices_run, &wish));
	buf_print(&call->text, "%" STR_FMT " takes %" STR_FMT " back\n", STR_ARG(wish.numbers.at[0]),
		  STR_ARG(invoice->number));
	call->value = json_pack("{s:s%}", "number", wish.numbers.at[0].p, wish.numbers.at[0].n);
	return OK;
}
