/* SPDX-License-Identifier: Apache-2.0
 * Finds the invoice line of a charge, and writes the row. */
#include "engine/billing/focus_rows.h"

#include <jansson.h>

#include "base/clock.h"
#include "model/domain.h"
#include "model/id.h"

/* An invoice line. */
struct line_id {
	struct str invoice, line;
};

bool focus_rows_has(const struct focus_rows *r, const struct kept_invoice *invoice)
{
	int64_t at_s = (invoice->total < 0 ? invoice->at_us : invoice->from_us) / SECOND;
	uuid issuer = uuid_is_none(r->issuer) ? DOMAIN_DEFAULT : r->issuer;
	bool is_asked = uuid_is_none(r->payer) || uuid_equal(r->payer, invoice->payer);
	return at_s >= r->month.from_s && at_s < r->month.until_s && is_asked &&
	       uuid_equal(invoice->issuer, issuer);
}

static struct str json_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return (struct str){json_string_value(value), json_string_length(value)};
}

static RESULT note_line(struct focus_rows *r, const struct kept_invoice *invoice, const json_t *line)
{
	struct arena *a = r->c->arena;
	struct str name = str_print(a, "%" STR_FMT " %" STR_FMT, STR_ARG(uuid_to_str(a, invoice->payer)),
				    STR_ARG(json_text(line, "key")));
	struct tally_line *at = name.p ? tally_find(&r->lines, name) : NULL;
	struct line_id *id = arena_new_object(a, struct line_id);
	if (!at || !id)
		return ctx_no_memory(r->c);
	id->invoice = invoice->number;
	id->line = str_print(a, "%" STR_FMT "/%lld", STR_ARG(invoice->number),
			     (long long) json_integer_value(json_object_get(line, "line")));
	at->data = id;
	return OK;
}

static RESULT note_invoice(struct focus_rows *r, const struct kept_invoice *invoice)
{
	json_t *json = json_loadb(invoice->json.p, invoice->json.n, 0, NULL), *line = NULL;
	struct result result = OK;
	size_t n;
	json_array_foreach (json_object_get(json, "lines"), n, line)
		if (result_is_ok(result))
			result = note_line(r, invoice, line);
	json_decref(json);
	return result;
}

RESULT focus_rows_begin(struct focus_rows *r, struct ctx *c, struct store *s, struct arena *row)
{
	r->c = c;
	r->lines = (struct tally){.arena = c->arena};
	ctx_init(&r->row, row);
	TRY(billing_read_accounts(c, s, &r->book));
	for (size_t k = 0; k < r->book.invoice_count; k++)
		if (r->book.invoices[k].total >= 0 && focus_rows_has(r, &r->book.invoices[k]))
			TRY(note_invoice(r, &r->book.invoices[k]));
	return OK;
}

static const struct line_id *find_line(struct focus_rows *r, const struct billed *billed,
				       const struct charge *charge)
{
	static const struct line_id none;
	struct arena *a = r->row.arena;
	if (!r->lines.count)
		return &none;
	struct str name = str_print(a, "%" STR_FMT " %" STR_FMT, STR_ARG(uuid_to_str(a, billed->bill_to)),
				    STR_ARG(invoice_line_key(&r->row, billed->number, charge)));
	const struct line_id *found = tally_look(&r->lines, name);
	return found ? found : &none;
}

RESULT focus_rows_make(struct focus_rows *r, const struct billed *billed, const struct charge *charge,
		       struct focus_row *ret_row)
{
	arena_reset(r->row.arena);
	const struct line_id *line = find_line(r, billed, charge);
	bool is_row = charge->kind != KIND_NONE;
	bool is_elsewhere = charge->subject && charge->subject->ref.n;
	*ret_row =
		(struct focus_row){.charge = charge,
				   .resource = is_elsewhere ? charge->subject->ref
					       : is_row ? id_to_text(r->row.arena, charge->kind, charge->id)
							: uuid_to_str(r->row.arena, charge->id),
				   .invoice = line->invoice,
				   .invoice_detail = line->line,
				   .charge_id = billing_charge_key(&r->row, charge),
				   .account = billed->number,
				   .account_name = billed->name,
				   .billing_id = uuid_to_str(r->row.arena, billed->bill_to),
				   .billing_name = billed->bill_name};
	return ret_row->resource.p && ret_row->charge_id.p ? OK : ctx_no_memory(r->c);
}
