/* SPDX-License-Identifier: Apache-2.0
 * An invoice as a self-contained HTML page for screen and print; and its lines as CSV. Both from the ledger's
 * JSON. */
#include "daemon/bill/bill.h"

static struct str text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return (struct str){json_string_value(value), json_string_length(value)};
}

/* ---- HTML ---- */

static void add_html(struct buf *out, struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		switch (s.p[k]) {
		case '<':
			buf_add_str(out, STR("&lt;"));
			break;
		case '>':
			buf_add_str(out, STR("&gt;"));
			break;
		case '&':
			buf_add_str(out, STR("&amp;"));
			break;
		case '"':
			buf_add_str(out, STR("&quot;"));
			break;
		case '\n':
			buf_add_str(out, STR("<br>"));
			break;
		default:
			buf_add_char(out, s.p[k]);
		}
}

static void add_cell(struct buf *out, const char *class, struct str s)
{
	buf_print(out, "<td%s>", class);
	add_html(out, s);
	buf_add_str(out, STR("</td>"));
}

static void add_fact(struct buf *out, const char *name, struct str s)
{
	if (!s.n)
		return;
	buf_print(out, "<dt>%s</dt><dd>", name);
	add_html(out, s);
	buf_add_str(out, STR("</dd>\n"));
}

static const char page_head[] = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>";
static const char page_style[] =
	"</title>\n<style>\n"
	"body{font:10pt/1.4 system-ui,sans-serif;max-width:48em;margin:2em auto;padding:0 1em;color:#111}\n"
	"h1{font-size:1.5em;margin:0 0 .5em}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:1em "
	"0}dt{color:#555}dd{margin:0}\n"
	"table{border-collapse:collapse;width:100%}td,th{padding:.25em "
	".4em;text-align:left;vertical-align:top}\n"
	"thead th{border-bottom:1px solid #111}tfoot td{border-top:1px solid #999}tfoot tr:last-child "
	"td{font-weight:bold}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	"@page{size:A4;margin:18mm}\n"
	"@media "
	"print{body{margin:0;padding:0;max-width:none}thead{display:table-header-group}tr{break-inside:avoid}"
	"}\n"
	"</style></head><body>\n";
static const char table_head[] =
	"<table><thead><tr><th>Account</th><th>What</th><th class=\"n\">Quantity</th><th>Unit</th>"
	"<th class=\"n\">Price</th><th class=\"n\">Amount</th></tr></thead>\n<tbody>\n";

static void add_lines(struct buf *out, const json_t *invoice)
{
	size_t n;
	json_t *line;
	buf_add_str(out, str_from(table_head));
	json_array_foreach (json_object_get(invoice, "lines"), n, line) {
		struct str name = text_of(line, "account_name"), covered = text_of(line, "commitment");
		struct str category = text_of(line, "category");
		buf_add_str(out, STR("<tr>"));
		add_cell(out, "", name.n ? name : text_of(line, "account"));
		buf_add_str(out, STR("<td>"));
		add_html(out, text_of(line, "text"));
		if (!str_is(category, "Usage"))
			buf_print(out, " (%" STR_FMT ")", STR_ARG(category));
		if (covered.n) {
			buf_add_str(out, STR(", paid with "));
			add_html(out, covered);
		}
		buf_add_str(out, STR("</td>"));
		add_cell(out, " class=\"n\"", text_of(line, "quantity"));
		add_cell(out, "", text_of(line, "unit"));
		add_cell(out, " class=\"n\"", text_of(line, "price"));
		add_cell(out, " class=\"n\"", text_of(line, "amount"));
		buf_add_str(out, STR("</tr>\n"));
	}
	buf_add_str(out, STR("</tbody>\n"));
}

static void add_sum(struct buf *out, struct str name, struct str more, struct str amount)
{
	buf_add_str(out, STR("<tr><td colspan=\"5\">"));
	add_html(out, name);
	if (more.n) {
		buf_add_str(out, STR(" "));
		add_html(out, more);
	}
	buf_add_str(out, STR("</td>"));
	add_cell(out, " class=\"n\"", amount);
	buf_add_str(out, STR("</tr>\n"));
}

static void add_sums(struct buf *out, const json_t *invoice)
{
	size_t n;
	json_t *tax;
	char percent[80];
	buf_add_str(out, STR("<tfoot>\n"));
	add_sum(out, STR("Net"), STR_NONE, text_of(invoice, "net"));
	json_array_foreach (json_object_get(invoice, "taxes"), n, tax) {
		struct str words = text_of(tax, "words");
		(void) snprintf(percent, sizeof percent, "%.*s %%", STR_ARG(text_of(tax, "percent")));
		add_sum(out, text_of(tax, "name"), words.n ? words : str_from(percent),
			text_of(tax, "amount"));
	}
	add_sum(out, STR("Total"), text_of(invoice, "currency"), text_of(invoice, "total"));
	buf_add_str(out, STR("</tfoot></table>\n"));
}

RESULT bill_write_page(struct buf *out, const json_t *invoice)
{
	struct str reference = text_of(invoice, "reference");
	const char *title = reference.n ? "Credit note" : "Invoice";
	buf_add_str(out, str_from(page_head));
	buf_print(out, "%s ", title);
	add_html(out, text_of(invoice, "number"));
	buf_add_str(out, str_from(page_style));
	buf_print(out, "<h1>%s ", title);
	add_html(out, text_of(invoice, "number"));
	buf_add_str(out, STR("</h1>\n<dl>\n"));
	add_fact(out, "From", text_of(invoice, "issuer"));
	add_fact(out, "To", text_of(invoice, "payer"));
	add_fact(out, "Address", text_of(invoice, "address"));
	add_fact(out, "For", text_of(invoice, "month"));
	add_fact(out, "Issued", text_of(invoice, "issued"));
	add_fact(out, "Due", reference.n ? STR_NONE : text_of(invoice, "due"));
	add_fact(out, "Purchase order", text_of(invoice, "order"));
	add_fact(out, "Takes back", reference);
	add_fact(out, "Reason", text_of(invoice, "reason"));
	buf_add_str(out, STR("</dl>\n"));
	add_lines(out, invoice);
	add_sums(out, invoice);
	buf_add_str(out, STR("</body></html>\n"));
	return buf_finish(out);
}

/* ---- CSV ---- */

static void add_csv(struct buf *out, struct str s, bool is_last)
{
	buf_add_char(out, '"');
	for (size_t k = 0; k < s.n; k++) {
		if (s.p[k] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, s.p[k]);
	}
	buf_add_str(out, is_last ? STR("\"\n") : STR("\","));
}

RESULT bill_write_csv(struct buf *out, const json_t *invoice)
{
	static const char *const columns[] = {"account",  "account_name", "text",  "category", "commitment",
					      "quantity", "unit",         "price", "exact",    "amount"};
	enum { COLUMNS = sizeof columns / sizeof *columns };
	size_t n;
	json_t *one;
	buf_add_str(out, STR("number,"));
	for (size_t k = 0; k < COLUMNS; k++)
		buf_print(out, "%s%s", columns[k], k + 1 < COLUMNS ? "," : "\n");
	json_array_foreach (json_object_get(invoice, "lines"), n, one) {
		add_csv(out, text_of(invoice, "number"), false);
		for (size_t k = 0; k < COLUMNS; k++)
			add_csv(out, text_of(one, columns[k]), k + 1 == COLUMNS);
	}
	json_array_foreach (json_object_get(invoice, "taxes"), n, one) {
		add_csv(out, text_of(invoice, "number"), false);
		for (size_t k = 0; k < COLUMNS; k++)
			add_csv(out,
				k == 2             ? text_of(one, "name")
				: k == 3           ? STR("Tax")
				: k == COLUMNS - 1 ? text_of(one, "amount")
						   : STR_NONE,
				k + 1 == COLUMNS);
	}
	return buf_finish(out);
}
