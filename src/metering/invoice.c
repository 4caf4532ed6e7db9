/* SPDX-License-Identifier: Apache-2.0
 * Makes invoices from charges. */
#include "metering/invoice.h"

#include "base/json_write.h"

enum { INVOICE_TEXT_CAP = 64 << 20 };

void invoice_begin(struct invoice *i, struct ctx *c)
{
	*i = (struct invoice){.c = c, .tally.arena = c->arena};
}

static struct str covered_by(const struct charge *charge)
{
	return charge_is_committed(charge) ? charge->commitment->name : STR_NONE;
}

struct str invoice_line_key(struct ctx *c, struct str number, const struct charge *charge)
{
	return str_print(c->arena, "%" STR_FMT "\t%" STR_FMT "\t%u\t%d%d%d\t%" STR_FMT, STR_ARG(number),
			 STR_ARG(charge->price->id), charge->tier + 1, (int) charge->category,
			 (int) charge->is_correction, (int) charge->is_unused, STR_ARG(covered_by(charge)));
}

static RESULT begin_line(struct invoice *i, struct tally_line *at, struct str number, struct str name,
			 const struct charge *charge)
{
	struct arena *a = i->c->arena;
	const struct price_item *item = charge->price->item;
	struct invoice_line *line = arena_new_object(a, struct invoice_line);
	if (!line)
		return ctx_no_memory(i->c);
	*line = (struct invoice_line){
		.account = str_copy(a, number),
		.name = str_copy(a, name),
		.text = str_copy(a, item->text.n ? item->text : item->sku),
		.unit = str_from(unit_infos[item->unit].focus),
		.commitment = str_copy(a, covered_by(charge)),
		.category = charge->category,
		.is_correction = charge->is_correction,
		.price = charge_is_committed(charge) ? 0 : charge->price->own[charge->tier]};
	at->data = line;
	return OK;
}

RESULT invoice_add(struct invoice *i, struct str number, struct str name, const struct charge *charge)
{
	struct str currency = charge_currency(charge), key = invoice_line_key(i->c, number, charge);
	struct tally_line *line = key.p ? tally_find(&i->tally, key) : NULL;
	if (!line)
		return ctx_no_memory(i->c);
	if (i->currency.n && !str_equal(i->currency, currency))
		return ctx_fail(i->c, ERR_CONFLICT,
				"an invoice has one currency, and there are charges in %" STR_FMT
				" and in %" STR_FMT,
				STR_ARG(i->currency), STR_ARG(currency));
	if (!i->currency.n)
		i->currency = str_copy(i->c->arena, currency);
	if (!line->data)
		TRY(begin_line(i, line, number, name, charge));
	line->quantity += charge->quantity;
	line->cost += charge_cost(charge);
	i->exact += charge_cost(charge);
	return OK;
}

/* ---- the end ---- */

static RESULT add_tax(struct invoice *i, struct str text, struct invoice_tax *tax)
{
	unsigned decimals = money_decimals(i->currency);
	struct str rest = text, rate = STR_NONE;
	(void) str_split_next(&rest, ' ', &rate);
	(void) str_split_next(&rest, '\t', &tax->name);
	tax->words = rest;
	TRY(str_parse_int(rate, &tax->rate));
	/* The net was rounded, so it is a whole number of millionths. */
	tax->amount = money_round(money_of((int64_t) (i->net / MICRO), tax->rate), decimals);
	i->total += tax->amount;
	return OK;
}

RESULT invoice_end(struct invoice *i, struct strs taxes)
{
	unsigned decimals = money_decimals(i->currency);
	i->taxes = arena_new_array(i->c->arena, struct invoice_tax, taxes.count + 1);
	if (!i->taxes)
		return ctx_no_memory(i->c);
	tally_sort(&i->tally);
	for (size_t k = 0; k < i->tally.count; k++) {
		struct invoice_line *line = (struct invoice_line *) i->tally.lines[k].data;
		line->amount = money_round(i->tally.lines[k].cost, decimals);
		i->net += line->amount;
	}
	i->total = i->net;
	for (i->tax_count = 0; i->tax_count < taxes.count; i->tax_count++)
		TRY(add_tax(i, taxes.at[i->tax_count], &i->taxes[i->tax_count]));
	return OK;
}

bool invoice_is_due(const struct invoice *i)
{
	bool has_lines = false;
	for (size_t k = 0; !has_lines && k < i->tally.count; k++)
		has_lines = ((const struct invoice_line *) i->tally.lines[k].data)->amount != 0;
	return has_lines;
}

int64_t invoice_total(const struct invoice *i)
{
	return (int64_t) (i->total / MICRO);
}

/* ---- as JSON ---- */

static void write_amount(const struct invoice *i, struct json_writer *w, const char *key, money m)
{
	char text[MONEY_TEXT_SIZE];
	json_write_z(w, key, money_write_fixed(m, money_decimals(i->currency), text));
}

static void write_exact(struct json_writer *w, const char *key, money m)
{
	char text[MONEY_TEXT_SIZE];
	json_write_z(w, key, money_write(m, text));
}

static void write_micro(struct json_writer *w, const char *key, int64_t millionths)
{
	char text[MONEY_TEXT_SIZE];
	json_write_z(w, key, money_write_micro(millionths, text));
}

static void write_line(const struct invoice *i, struct json_writer *w, size_t number)
{
	const struct tally_line *at = &i->tally.lines[number];
	const struct invoice_line *line = at->data;
	json_write_open(w, NULL);
	json_write_int(w, "line", (int64_t) number + 1);
	json_write_text(w, "key", at->key);
	json_write_text(w, "account", line->account);
	json_write_text(w, "account_name", line->name);
	json_write_text(w, "text", line->text);
	json_write_z(w, "category",
		     line->category == CHARGE_PURCHASE ? "Purchase"
		     : line->is_correction             ? "Correction"
						       : "Usage");
	if (line->commitment.n)
		json_write_text(w, "commitment", line->commitment);
	write_micro(w, "quantity", at->quantity);
	json_write_text(w, "unit", line->unit);
	write_micro(w, "price", line->price);
	write_exact(w, "exact", at->cost);
	write_amount(i, w, "amount", line->amount);
	json_write_close(w);
}

static void write_taxes(const struct invoice *i, struct json_writer *w)
{
	json_write_open_list(w, "taxes");
	for (size_t k = 0; k < i->tax_count; k++) {
		const struct invoice_tax *tax = &i->taxes[k];
		json_write_open(w, NULL);
		json_write_text(w, "name", tax->name);
		json_write_text(w, "words", tax->words);
		write_micro(w, "percent", tax->rate * 100);
		write_amount(i, w, "amount", tax->amount);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_head(const struct invoice *i, struct json_writer *w, const struct invoice_head *head)
{
	json_write_z(w, "month", head->month.text);
	json_write_text(w, "issued", head->issued);
	json_write_text(w, "due", head->due);
	json_write_text(w, "reference", head->reference);
	json_write_text(w, "issuer_id", head->issuer_id);
	json_write_text(w, "issuer", head->issuer);
	json_write_text(w, "payer_id", head->payer_id);
	json_write_text(w, "payer", head->payer);
	json_write_text(w, "address", head->address);
	json_write_text(w, "order", head->order);
	json_write_text(w, "currency", i->currency);
}

RESULT invoice_write(const struct invoice *i, const struct invoice_head *head, struct str *ret_json)
{
	struct buf text;
	struct json_writer w;
	buf_init(&text, INVOICE_TEXT_CAP);
	json_write_begin(&w, &text);
	json_write_open(&w, NULL);
	write_head(i, &w, head);
	json_write_open_list(&w, "lines");
	for (size_t k = 0; k < i->tally.count; k++)
		write_line(i, &w, k);
	json_write_close_list(&w);
	write_amount(i, &w, "net", i->net);
	write_taxes(i, &w);
	write_amount(i, &w, "total", i->total);
	write_exact(&w, "rounding", i->net - i->exact);
	json_write_close(&w);
	struct result result = json_write_end(&w);
	struct str json = result_is_ok(result)
				  ? str_copy(i->c->arena, str_slice(buf_str(&text), 1, text.size))
				  : STR_NONE;
	buf_done(&text);
	TRY(result);
	*ret_json = json;
	return json.p ? OK : ctx_no_memory(i->c);
}
