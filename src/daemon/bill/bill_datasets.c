/* SPDX-License-Identifier: Apache-2.0
 * FOCUS 1.4's other datasets: "Invoice Detail", a row per invoice line with an amount and per tax, and
 * "Billing Period", a row for the month, both from the ledger. Payments are in the billing currency: columns
 * for another one are absent, as the specification permits. Source: FOCUS_Spec 1.4, datasets invoice_detail
 * and billing_period. */
#include "base/clock.h"
#include "base/json_write.h"
#include "daemon/bill/bill.h"

static struct str text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return (struct str){json_string_value(value), json_string_length(value)};
}

/* Null is an empty field. */
static void add_field(struct buf *out, struct str s, bool is_last)
{
	bool is_plain = true;
	for (size_t k = 0; is_plain && k < s.n; k++)
		is_plain = s.p[k] != ',' && s.p[k] != '"' && s.p[k] != '\n' && s.p[k] != '\r';
	if (!is_plain)
		buf_add_char(out, '"');
	for (size_t k = 0; k < s.n; k++) {
		if (s.p[k] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, s.p[k]);
	}
	if (!is_plain)
		buf_add_char(out, '"');
	buf_add_char(out, is_last ? '\n' : ',');
}

static void add_fields(struct buf *out, const struct str *fields, size_t count)
{
	for (size_t k = 0; k < count; k++)
		add_field(out, fields[k], k + 1 == count);
}

static struct str time_of(struct arena *a, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];
	return str_copy(a, str_from(clock_write_s(at_us, text)));
}

/* Removes trailing zeros: invoices contain "1.50". */
static struct str plain(struct arena *a, struct str amount)
{
	char text[MONEY_TEXT_SIZE];
	money m = 0;
	return money_read(amount, &m) ? str_copy(a, str_from(money_write(m, text))) : STR_NONE;
}

/* ---- Invoice Detail ---- */

static const char detail_header[] =
	"BilledCost,BillingAccountId,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,"
	"InvoiceDetailCreated,InvoiceDetailDescription,InvoiceDetailGrain,InvoiceDetailId,"
	"InvoiceDetailLastUpdated,"
	"InvoiceId,InvoiceIssueDate,InvoiceIssueStatus,InvoiceIssuerName,PaymentDueDate,PaymentTerms,"
	"PurchaseOrderNumber,ReferenceInvoiceId,x_PricingQuantity,x_PricingUnit,x_UnitPrice\n";

struct detail {
	struct arena *a;
	struct buf *out;
	const struct kept_invoice *invoice;
	const json_t *json;
	struct month month;
};

static int64_t days_between(struct str from, struct str until)
{
	int64_t a = 0, b = 0;
	char text[2][32];
	(void) snprintf(text[0], sizeof text[0], "%.*sT00:00:00Z", STR_ARG(str_slice(from, 0, 10)));
	(void) snprintf(text[1], sizeof text[1], "%.*sT00:00:00Z", STR_ARG(str_slice(until, 0, 10)));
	bool is_known = result_is_ok(clock_parse(str_from(text[0]), &a)) &&
			result_is_ok(clock_parse(str_from(text[1]), &b));
	return is_known ? (b - a) / (24 * HOUR) : 0;
}

static void add_detail(const struct detail *d, struct str amount, const char *category, struct str text,
		       struct str grain, struct str id, const json_t *line)
{
	struct str issued = text_of(d->json, "issued"), due = text_of(d->json, "due"),
		   reference = text_of(d->json, "reference"), created = time_of(d->a, d->invoice->at_us);
	int64_t days = days_between(issued, due);
	const struct str fields[] = {plain(d->a, amount),
				     text_of(d->json, "payer_id"),
				     text_of(d->json, "currency"),
				     time_of(d->a, d->month.until_s * SECOND),
				     time_of(d->a, d->month.from_s * SECOND),
				     str_from(category),
				     created,
				     text,
				     grain,
				     id,
				     created,
				     d->invoice->number,
				     str_print(d->a, "%" STR_FMT "T00:00:00Z", STR_ARG(issued)),
				     STR("Issued"),
				     text_of(d->json, "issuer"),
				     str_print(d->a, "%" STR_FMT "T00:00:00Z", STR_ARG(due)),
				     days ? str_print(d->a, "Net %lld", (long long) days)
					  : STR("Due on receipt"),
				     text_of(d->json, "order"),
				     reference.n ? reference : d->invoice->number,
				     line ? text_of(line, "quantity") : STR_NONE,
				     line ? text_of(line, "unit") : STR_NONE,
				     line ? text_of(line, "price") : STR_NONE};
	add_fields(d->out, fields, sizeof fields / sizeof *fields);
}

/* A line's identity: account and price. */
static struct str grain_of(const struct detail *d, const json_t *line)
{
	struct str rest = text_of(line, "key"), account = STR_NONE, price = STR_NONE, tier = STR_NONE,
		   commitment = text_of(line, "commitment");
	struct buf text;
	struct json_writer w;
	(void) str_split_next(&rest, '\t', &account);
	(void) str_split_next(&rest, '\t', &price);
	(void) str_split_next(&rest, '\t', &tier);
	buf_init(&text, 65536);
	json_write_begin(&w, &text);
	json_write_open(&w, NULL);
	if (account.n)
		json_write_text(&w, "SubAccountId", account);
	json_write_text(&w, "SkuPriceId",
			str_print(d->a, "%" STR_FMT "%" STR_FMT, STR_ARG(price), STR_ARG(tier)));
	if (commitment.n)
		json_write_text(&w, "x_Commitment", commitment);
	if (str_is(text_of(line, "category"), "Correction"))
		json_write_z(&w, "x_ChargeClass", "Correction");
	json_write_close(&w);
	struct str grain = result_is_ok(json_write_end(&w)) ? str_copy(d->a, buf_str(&text)) : STR_NONE;
	buf_done(&text);
	return grain;
}

static bool is_nothing(struct str amount)
{
	money m = 0;
	return !money_read(amount, &m) || !m;
}

static void add_invoice(const struct detail *d)
{
	bool is_note = text_of(d->json, "reference").n > 0;
	struct str number = d->invoice->number;
	json_t *one = NULL;
	size_t n;
	json_array_foreach (json_object_get(d->json, "lines"), n, one) {
		bool is_bought = str_is(text_of(one, "category"), "Purchase");
		if (!is_nothing(text_of(one, "amount")))
			add_detail(d, text_of(one, "amount"),
				   is_note     ? "Credit"
				   : is_bought ? "Purchase"
					       : "Usage",
				   text_of(one, "text"), grain_of(d, one),
				   str_print(d->a, "%" STR_FMT "/%lld", STR_ARG(number),
					     (long long) json_integer_value(json_object_get(one, "line"))),
				   one);
	}
	json_array_foreach (json_object_get(d->json, "taxes"), n, one)
		if (!is_nothing(text_of(one, "amount")))
			add_detail(d, text_of(one, "amount"), "Tax", text_of(one, "name"), STR_NONE,
				   str_print(d->a, "%" STR_FMT "/tax-%zu", STR_ARG(number), n + 1), NULL);
}

RESULT bill_write_invoice_detail(struct ctx *c, struct buf *out, const struct kept_invoice *const *invoices,
				 size_t count, struct month month)
{
	buf_add_str(out, str_from(detail_header));
	for (size_t k = 0; k < count; k++) {
		json_t *json = json_loadb(invoices[k]->json.p, invoices[k]->json.n, 0, NULL);
		const struct detail d = {c->arena, out, invoices[k], json, month};
		add_invoice(&d);
		json_decref(json);
	}
	return buf_finish(out);
}

/* ---- Billing Period ---- */

RESULT bill_write_billing_period(struct ctx *c, struct buf *out, struct month month, struct str issuer,
				 int64_t closed_us, int64_t now_us)
{
	const struct str fields[] = {
		time_of(c->arena, month.from_s * SECOND),          time_of(c->arena, month.until_s * SECOND),
		time_of(c->arena, closed_us ? closed_us : now_us), time_of(c->arena, month.from_s * SECOND),
		closed_us ? STR("Closed") : STR("Open"),           issuer};
	buf_add_str(out,
		    STR("BillingPeriodCreated,BillingPeriodEnd,BillingPeriodLastUpdated,BillingPeriodStart,"
			"BillingPeriodStatus,InvoiceIssuerName\n"));
	add_fields(out, fields, sizeof fields / sizeof *fields);
	return buf_finish(out);
}
