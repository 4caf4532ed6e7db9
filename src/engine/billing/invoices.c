/* SPDX-License-Identifier: Apache-2.0
 * Writes and reads invoices and payments. */
#include "engine/billing/invoices.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "engine/billing/webhook.h"
#include "engine/internal.h"
#include "engine/people/account/signup.h"
#include "metering/money.h"
#include "store/client_token.h"
#include "store/domain.h"
#include "store/ledger.h"

#define DAY (24 * HOUR)

/* ---- writing ---- */

static RESULT issue_one(struct op *op, const struct new_invoice *invoice, struct str *ret_number)
{
	int64_t number = 0;
	struct arena *a = op->ctx->arena;
	struct str counter = str_print(a, "invoices.%" STR_FMT, STR_ARG(uuid_to_str(a, invoice->issuer)));
	if (!counter.p)
		return ctx_no_memory(op->ctx);
	TRY(engine_draw_number(op, counter, &number));
	*ret_number = str_print(a, "%" STR_FMT "-%06" PRId64,
				STR_ARG(invoice->issuer_name.n ? invoice->issuer_name : STR("INV")), number);
	const struct ledger_record record = {.type = LEDGER_INVOICE,
					     .from_us = invoice->from_us,
					     .number = number,
					     .level = invoice->total,
					     .id = invoice->payer,
					     .account = invoice->issuer,
					     .name = *ret_number,
					     .text = str_print(a, "{\"number\":\"%" STR_FMT "\",%" STR_FMT,
							       STR_ARG(*ret_number), STR_ARG(invoice->json))};
	if (!ret_number->p || !record.text.p)
		return ctx_no_memory(op->ctx);
	TRY(op_ledger(op, &record));
	const struct webhook_event event = {.name = invoice->total < 0 ? "invoice.voided" : "invoice.issued",
					    .domain = invoice->payer,
					    .invoice = *ret_number};
	return webhook_note(op, &event);
}

RESULT engine_issue_invoices(struct op *op, struct invoices_wish *wish)
{
	struct str *numbers = arena_new_array(op->ctx->arena, struct str, wish->count + 1);
	TRY(engine_permit(op, "bill.issue", KIND_NONE, NULL));
	if (!numbers)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->count; k++)
		TRY(issue_one(op, &wish->at[k], &numbers[k]));
	wish->numbers = (struct strs){numbers, wish->count};
	if (!wish->closing)
		return OK;
	struct closing_wish closing = *wish->closing;
	return engine_close_month(op, &closing);
}

/* ---- payments ---- */

/* Uses the key's digest, because tokens are short. The caller has searched the ledger; the token detects
 * payments recorded since. */
static RESULT remember_key(struct op *op, struct payment_wish *wish)
{
	uint8_t digest[SHA256_SIZE];
	struct client_token row = {.row.gen = 1, .action = STR("payment"), .made = wish->payer};
	crypto_sha256(wish->key, digest);
	row.token = str_encode_hex(op->ctx->arena, digest, sizeof digest);
	if (!row.token.p)
		return ctx_no_memory(op->ctx);
	wish->is_known = client_token_find_by_token(op->head, UUID_NONE, row.action, row.token) != NULL;
	row.row.id = engine_new_id(op, KIND_CLIENT_TOKEN);
	return wish->is_known ? OK : client_token_put(op, &row);
}

/* Rewriting the domain's row makes the reconciler compute its standing again. */
static RESULT tell_of_payment(struct op *op, const struct payment_wish *wish)
{
	char amount[MONEY_TEXT_SIZE];
	const struct domain *domain = domain_find(op->head, wish->payer);
	if (!domain)
		return OK;
	struct domain next = *domain;
	next.row.gen++;
	TRY(domain_put(op, &next));
	money_write_micro(wish->amount, amount);
	const struct tag more[] = {{STR("amount"), str_from(amount)},
				   {STR("credit"), wish->is_credit ? STR("yes") : STR("no")},
				   {STR("key"), wish->key}};
	const struct webhook_event event = {
		.name = "payment.noted", .domain = wish->payer, .more = {more, sizeof more / sizeof *more}};
	TRY(webhook_note(op, &event));
	TRY(engine_log_event(op, KIND_DOMAIN, &next.row, wish->is_credit ? "credited" : "paid", "%s.",
			     amount));
	return wish->is_credit ? OK : signup_end_trial(op, domain_find(op->head, wish->payer));
}

RESULT engine_note_payment(struct op *op, struct payment_wish *wish)
{
	const struct ledger_record record = {.type = LEDGER_PAYMENT,
					     .number = wish->is_credit,
					     .level = wish->amount,
					     .id = wish->payer,
					     .account = wish->issuer,
					     .name = wish->key,
					     .text = wish->text};
	/* Proved by the signature with the webhook's secret, or the operator's own word. */
	engine_need_no_permission(op);
	TRY(remember_key(op, wish));
	if (wish->is_known)
		return OK;
	TRY(op_ledger(op, &record));
	return tell_of_payment(op, wish);
}

struct key_search {
	struct str key;
	bool is_known;
};

static RESULT compare_key(void *arg, const struct ledger_record *record)
{
	struct key_search *search = arg;
	search->is_known = search->is_known || str_equal(record->name, search->key);
	return OK;
}

RESULT billing_find_payment(struct ctx *c, struct store *s, struct str key, bool *ret_is_known)
{
	struct key_search search = {.key = key};
	const struct ledger_query query = {.type = LEDGER_PAYMENT, .from_us = LEDGER_ANY_TIME};
	TRY(store_read_ledger(s, c, &query, compare_key, &search));
	*ret_is_known = search.is_known;
	return OK;
}

/* ---- reading ---- */

struct accounts_reading {
	struct ctx *c;
	VEC(struct kept_invoice) invoices;
	VEC(struct kept_payment) payments;
};

static RESULT take_invoice(void *arg, const struct ledger_record *record)
{
	struct accounts_reading *r = arg;
	const struct kept_invoice invoice = {.issuer = record->account,
					     .payer = record->id,
					     .number = str_copy(r->c->arena, record->name),
					     .json = str_copy(r->c->arena, record->text),
					     .from_us = record->from_us,
					     .total = record->level,
					     .at_us = record->at_us};
	bool is_whole = invoice.number.p && invoice.json.p;
	return is_whole && VEC_PUSH(r->c->arena, &r->invoices, invoice) ? OK : ctx_no_memory(r->c);
}

static RESULT take_payment(void *arg, const struct ledger_record *record)
{
	struct accounts_reading *r = arg;
	const struct kept_payment payment = {.issuer = record->account,
					     .payer = record->id,
					     .key = str_copy(r->c->arena, record->name),
					     .text = str_copy(r->c->arena, record->text),
					     .amount = record->level,
					     .at_us = record->at_us,
					     .is_credit = record->number == 1};
	return VEC_PUSH(r->c->arena, &r->payments, payment) ? OK : ctx_no_memory(r->c);
}

RESULT billing_read_accounts(struct ctx *c, struct store *s, struct accounts_book *ret_book)
{
	struct accounts_reading r = {.c = c};
	const struct ledger_query invoices = {.type = LEDGER_INVOICE, .from_us = LEDGER_ANY_TIME};
	const struct ledger_query payments = {.type = LEDGER_PAYMENT, .from_us = LEDGER_ANY_TIME};
	TRY(store_read_ledger(s, c, &invoices, take_invoice, &r));
	TRY(store_read_ledger(s, c, &payments, take_payment, &r));
	*ret_book = (struct accounts_book){r.invoices.at, r.payments.at, r.invoices.count, r.payments.count};
	return OK;
}

static int64_t paid_by(const struct accounts_book *b, uuid payer)
{
	int64_t sum = 0;
	for (size_t k = 0; k < b->payment_count; k++)
		if (uuid_equal(b->payments[k].payer, payer))
			sum += b->payments[k].amount;
	/* A credit note counts like a payment. */
	for (size_t k = 0; k < b->invoice_count; k++)
		if (uuid_equal(b->invoices[k].payer, payer) && b->invoices[k].total < 0)
			sum -= b->invoices[k].total;
	return sum;
}

int64_t billing_balance(const struct accounts_book *b, uuid payer)
{
	int64_t sum = paid_by(b, payer);
	for (size_t k = 0; k < b->invoice_count; k++)
		if (uuid_equal(b->invoices[k].payer, payer) && b->invoices[k].total > 0)
			sum -= b->invoices[k].total;
	return sum;
}

int64_t billing_last_payment(const struct accounts_book *b, uuid payer)
{
	for (size_t k = b->payment_count; k-- > 0;)
		if (uuid_equal(b->payments[k].payer, payer))
			return b->payments[k].amount;
	return 0;
}

int64_t billing_unpaid_since(const struct accounts_book *b, uuid payer, int64_t days, int64_t now_us)
{
	int64_t left = paid_by(b, payer);
	for (size_t k = 0; k < b->invoice_count; k++) {
		const struct kept_invoice *invoice = &b->invoices[k];
		if (!uuid_equal(invoice->payer, payer) || invoice->total <= 0)
			continue;
		left -= invoice->total;
		if (left < 0)
			return invoice->at_us + days * DAY <= now_us ? invoice->at_us + days * DAY : 0;
	}
	return 0;
}
