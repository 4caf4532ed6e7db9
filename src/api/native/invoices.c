/* SPDX-License-Identifier: Apache-2.0
 * Invoices and credit notes from the ledger. Several accounts may share a billing account; each sees its own
 * lines and their sum. Totals with taxes are shown to administrators, and to an account to which all lines
 * belong.
 */
#include "api/core/params.h"
#include "api/native/action.h"

#include "base/clock.h"
#include "engine/billing/costs.h"
#include "engine/billing/invoices.h"
#include "store/domain.h"

enum { INVOICES_SHOWN_MAX = 1000 };
#define INVOICES_ARENA_CAP ((size_t) 256 << 20)

struct invoices_args {
	uuid payer;        /* none: all payers */
	struct str number; /* number of the caller's account; empty: shows all lines */
	struct str wanted; /* number of one invoice; empty: a list */
	bool found;
};

static RESULT prepare_invoices(struct native_call *e, void *args)
{
	struct invoices_args *a = args;
	struct cost_scope scope = {0};
	bool is_all = false;
	TRY(native_read_flag(e, "all", &is_all));
	if (is_all && !native_is_admin(e))
		return ctx_fail_field(e->c, ERR_DENIED, STR("all"),
				      "Only administrators see all accounts' invoices.");
	if (!is_all) {
		TRY(costs_find_scope(e->c, native_tables(e), e->c->who->account, &scope));
		a->number = e->c->who->account_number;
		a->payer = scope.bill_to;
	}
	a->wanted = pairs_find(&e->path, "id");
	view_close(&e->view); /* reading the ledger from SQL is slow and must not hold a view */
	e->view = (struct view){0};
	return OK;
}

static struct str text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return (struct str){json_string_value(value), json_string_length(value)};
}

static bool is_own_line(const struct invoices_args *a, const json_t *line)
{
	return !a->number.n || str_equal(text_of(line, "account"), a->number);
}

/* ---- one ---- */

struct own_part {
	money net;
	size_t own, others;
};

static RESULT sum_lines(struct native_call *e, const struct invoices_args *a, const json_t *json,
			struct own_part *part)
{
	const json_t *line;
	size_t n;
	json_array_foreach (json_object_get(json, "lines"), n, line) {
		money amount = 0;
		if (!is_own_line(a, line)) {
			part->others++;
			continue;
		}
		if (!money_read(text_of(line, "amount"), &amount))
			return ctx_fail(e->c, ERR_INTERNAL, "a line of an invoice has no amount");
		part->own++;
		part->net += amount;
	}
	return OK;
}

static void write_texts(struct json_writer *w, const json_t *from, const char *const *names)
{
	for (; *names; names++)
		if (text_of(from, *names).n)
			json_write_text(w, *names, text_of(from, *names));
}

static void write_lines(const struct invoices_args *a, struct json_writer *w, const json_t *json)
{
	static const char *const members[] = {"account",    "account_name", "text", "category",
					      "commitment", "quantity",     "unit", "price",
					      "exact",      "amount",       NULL};
	const json_t *line;
	size_t n;
	json_write_open_list(w, "lines");
	json_array_foreach (json_object_get(json, "lines"), n, line) {
		if (!is_own_line(a, line))
			continue;
		json_write_open(w, NULL);
		json_write_int(w, "line", json_integer_value(json_object_get(line, "line")));
		write_texts(w, line, members);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Writes taxes and totals of the whole invoice. */
static void write_total(struct json_writer *w, const json_t *json)
{
	static const char *const members[] = {"name", "words", "percent", "amount", NULL};
	static const char *const sums[] = {"total", "rounding", NULL};
	const json_t *tax;
	size_t n;
	json_write_open_list(w, "taxes");
	json_array_foreach (json_object_get(json, "taxes"), n, tax) {
		json_write_open(w, NULL);
		write_texts(w, tax, members);
		json_write_close(w);
	}
	json_write_close_list(w);
	write_texts(w, json, sums);
}

static RESULT write_invoice(struct native_call *e, const struct invoices_args *a, struct json_writer *w,
			    const struct kept_invoice *invoice, const json_t *json)
{
	static const char *const members[] = {"month", "issued", "due", "reference", "issuer", "payer", NULL};
	static const char *const of_payer[] = {"payer_id", "address", "order", NULL};
	struct own_part part = {0};
	struct str currency = text_of(json, "currency");
	char text[MONEY_TEXT_SIZE];
	TRY(sum_lines(e, a, json, &part));
	if (a->number.n && !part.own)
		return OK;
	bool is_whole = !part.others;
	json_write_open(w, a->wanted.n ? "item" : NULL);
	json_write_text(w, "number", invoice->number);
	json_write_int(w, "issued_us", invoice->at_us);
	write_texts(w, json, members);
	json_write_text(w, "currency", currency);
	json_write_bool(w, "is_whole", is_whole);
	json_write_int(w, "line_count", (int64_t) part.own);
	json_write_z(w, "net", money_write_fixed(part.net, money_decimals(currency), text));
	if (is_whole) {
		write_texts(w, json, of_payer);
		write_total(w, json);
	}
	if (a->wanted.n)
		write_lines(a, w, json);
	json_write_close(w);
	return OK;
}

/* ---- the answers ---- */

static RESULT write_each(struct native_call *e, struct invoices_args *a, struct json_writer *w,
			 const struct accounts_book *book)
{
	size_t shown = 0;
	for (size_t k = book->invoice_count; k-- > 0 && shown < INVOICES_SHOWN_MAX;) {
		const struct kept_invoice *invoice = &book->invoices[k];
		if ((!uuid_is_none(a->payer) && !uuid_equal(a->payer, invoice->payer)) ||
		    (a->wanted.n && !str_equal(a->wanted, invoice->number)))
			continue;
		json_t *json = json_loadb(invoice->json.p, invoice->json.n, 0, NULL);
		size_t before = w->out->size;
		struct result result = write_invoice(e, a, w, invoice, json);
		json_decref(json);
		TRY(result);
		shown += w->out->size > before;
	}
	a->found = shown > 0;
	return OK;
}

static RESULT read_book(struct native_call *e, struct arena *arena, struct accounts_book *ret_book)
{
	struct ctx own = *e->c;
	own.arena = arena;
	return billing_read_accounts(&own, e->config->store, ret_book);
}

/* Newest first. */
static RESULT answer_invoices(struct native_call *e, const void *args, struct json_writer *w)
{
	struct invoices_args *a = e->args;
	struct accounts_book book = {0};
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, INVOICES_ARENA_CAP);
	(void) args;
	if (!arena)
		return ctx_no_memory(e->c);
	TRY(read_book(e, arena, &book));
	if (!a->wanted.n)
		json_write_open_list(w, "items");
	TRY(write_each(e, a, w, &book));
	if (!a->wanted.n)
		json_write_close_list(w);
	else if (!a->found)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("id"), "There is no invoice %" STR_FMT ".",
				      STR_ARG(str_slice(a->wanted, 0, 128)));
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_GET, "/invoices", .permit = "invoicing:ListInvoiceSummaries",
	 .args = {.size = sizeof(struct invoices_args)}, .flags = API_CHANGES_BY_TIME, .query = "all",
	 .prepare = prepare_invoices, .answer = answer_invoices,
	 .doc = "Lists the invoices and credit notes of the account's billing account, newest first. With "
		"all=1 administrators get those of all billing accounts."},
	{HTTP_GET, "/invoices/{id}", .name = "GetInvoice", .permit = "invoicing:ListInvoiceSummaries",
	 .args = {.size = sizeof(struct invoices_args)}, .flags = API_CHANGES_BY_TIME, .query = "all",
	 .prepare = prepare_invoices, .answer = answer_invoices,
	 .doc = "Returns an invoice by its number, with the account's own lines."},
};
const struct api_actions native_invoices_actions = API_ACTIONS(actions);
