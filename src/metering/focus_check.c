/* SPDX-License-Identifier: Apache-2.0
 * Checks a written FOCUS file in decimal numbers, by the columns of focus.def. */
#include "metering/focus.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"

enum { COLUMNS_MAX = 80 };

struct checking {
	struct ctx *c;
	enum focus_version version;
	const struct focus_column *columns[COLUMNS_MAX];
	size_t column_count, row;
	struct str fields[COLUMNS_MAX];
	bool is_quoted[COLUMNS_MAX];
	VEC(struct str) faults;
	VEC(struct span) spans;
	VEC(struct pair) skus; /* SkuPriceId, SkuId */
};

struct span {
	struct str resource, price_id, meter, commitment;
	struct str from, until; /* text; sorts like times */
	size_t row;
};

static RESULT add_fault(struct checking *k, const char *column, struct str what)
{
	if (k->faults.count >= FOCUS_FAULTS_MAX)
		return OK;
	struct str fault = str_print(k->c->arena, "row %zu: %s: %" STR_FMT, k->row, column, STR_ARG(what));
	return fault.p && VEC_PUSH(k->c->arena, &k->faults, fault) ? OK : ctx_no_memory(k->c);
}

/* ---- CSV ---- */

/* The end of a field; a quoted one ends at its closing quote. */
static size_t end_of_field(struct str rest, size_t at, bool is_quoted)
{
	if (!is_quoted)
		while (at < rest.n && rest.p[at] != ',' && rest.p[at] != '\n')
			at++;
	while (is_quoted && at < rest.n) {
		bool is_double = rest.p[at] == '"' && at + 1 < rest.n && rest.p[at + 1] == '"';
		if (rest.p[at] == '"' && !is_double)
			break;
		at += is_double ? 2 : 1;
	}
	return at;
}

/* Reads a line's fields; false: malformed, or the wrong number of fields. */
static bool read_line(struct checking *k, struct str *rest)
{
	size_t count = 0, at = 0;
	bool goes_on = true;
	while (goes_on && count < COLUMNS_MAX) {
		bool is_quoted = at < rest->n && rest->p[at] == '"';
		size_t begin = at + is_quoted;
		at = end_of_field(*rest, begin, is_quoted);
		k->is_quoted[count] = is_quoted;
		k->fields[count++] = str_slice(*rest, begin, at);
		at += is_quoted;
		goes_on = at < rest->n && rest->p[at] == ',';
		at += goes_on;
	}
	bool is_whole = at < rest->n && rest->p[at] == '\n';
	*rest = str_slice(*rest, at + 1, rest->n);
	return is_whole && count == k->column_count;
}

static struct str field(const struct checking *k, const char *name)
{
	for (size_t n = 0; n < k->column_count; n++)
		if (strcmp(k->columns[n]->name, name) == 0)
			return k->fields[n];
	return STR_NONE;
}

/* ---- types ---- */

static bool is_time(struct str s)
{
	int64_t at_us = 0;
	char back[CLOCK_TEXT_SIZE];
	return result_is_ok(clock_parse(s, &at_us)) && str_is(s, clock_write_s(at_us, back));
}

/* Accepts an object without nested lists or objects; CSV doubles JSON's quotes. */
static bool is_flat_json(struct str s)
{
	return s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}' && !memchr(s.p + 1, '{', s.n - 1);
}

static bool is_allowed(const char *allowed, struct str s)
{
	struct str rest = str_from(allowed), one = STR_NONE;
	while (str_split_next(&rest, ';', &one))
		if (str_equal(one, s))
			return true;
	return false;
}

static RESULT check_field(struct checking *k, size_t n)
{
	const struct focus_column *column = k->columns[n];
	struct str s = k->fields[n];
	money value = 0;
	if (!s.n && k->is_quoted[n])
		return add_fault(k, column->name, STR("a null is no empty text"));
	if (!s.n)
		return column->nullable & (1u << k->version)
			       ? OK
			       : add_fault(k, column->name, STR("is null, and must not be"));
	bool fits = (column->type != FOCUS_DECIMAL || money_read(s, &value)) &&
		    (column->type != FOCUS_TIME || is_time(s)) &&
		    (column->type != FOCUS_JSON || is_flat_json(s)) && str_is_utf8(s);
	if (!fits)
		return add_fault(k, column->name, STR("is not of its type"));
	return !*column->allowed || is_allowed(column->allowed, s)
		       ? OK
		       : add_fault(k, column->name, STR("has a value that is not allowed"));
}

/* ---- columns of a row ---- */

static RESULT check_product(struct checking *k, const char *cost, const char *price)
{
	money c = 0, p = 0, q = 0;
	if (!money_read(field(k, cost), &c) || !money_read(field(k, price), &p) ||
	    !money_read(field(k, "PricingQuantity"), &q))
		return OK;    /* already reported, or rightly null */
	money unit = 1000000; /* both have six decimals, so the product is exact */
	if (p % unit || q % unit || c != (p / unit) * (q / unit))
		return add_fault(k, cost, STR("is not price times quantity"));
	return p < 0 ? add_fault(k, price, STR("is negative")) : OK;
}

/* Commitment columns must be consistent: a purchase has no status, covered and unused charges have no billed
 * cost, and a commitment's purchase has no effective cost. */
static RESULT check_commitment(struct checking *k)
{
	static const char *const together[] = {"CommitmentDiscountCategory", "CommitmentDiscountType",
					       "CommitmentDiscountQuantity", "CommitmentDiscountUnit"};
	bool is_committed = field(k, "CommitmentDiscountId").n > 0;
	bool is_usage = str_is(field(k, "ChargeCategory"), "Usage");
	for (size_t n = 0; n < sizeof together / sizeof *together; n++)
		if (is_committed != (field(k, together[n]).n > 0))
			TRY(add_fault(k, together[n], STR("is not there with the commitment's id")));
	if ((is_committed && is_usage) != (field(k, "CommitmentDiscountStatus").n > 0))
		TRY(add_fault(k, "CommitmentDiscountStatus", STR("is of usage that a commitment covers")));
	if (is_committed && is_usage && !str_is(field(k, "PricingCategory"), "Committed"))
		TRY(add_fault(k, "PricingCategory", STR("is not Committed")));
	if (is_committed && is_usage && !str_is(field(k, "BilledCost"), "0"))
		TRY(add_fault(k, "BilledCost", STR("is not 0 of what a commitment pays for")));
	return is_committed && !is_usage && !str_is(field(k, "EffectiveCost"), "0")
		       ? add_fault(k, "EffectiveCost", STR("is not 0 of a commitment's purchase"))
		       : OK;
}

static RESULT check_nulls(struct checking *k)
{
	static const char *const of_usage[] = {"PricingQuantity", "PricingUnit",   "SkuId",
					       "SkuPriceId",      "ListUnitPrice", "ContractedUnitPrice",
					       "PricingCategory"};
	bool is_usage = str_is(field(k, "ChargeCategory"), "Usage");
	bool is_priced = is_usage || str_is(field(k, "ChargeCategory"), "Purchase");
	bool is_correction = field(k, "ChargeClass").n > 0;
	for (size_t n = 0; n < sizeof of_usage / sizeof *of_usage; n++) {
		bool is_null = !field(k, of_usage[n]).n;
		if (is_priced && !is_correction && is_null)
			TRY(add_fault(k, of_usage[n], STR("is null in a row of usage or of a purchase")));
		if (str_is(field(k, "ChargeCategory"), "Tax") && !is_null)
			TRY(add_fault(k, of_usage[n], STR("is there in a row of a tax")));
	}
	TRY(check_commitment(k));
	if (!field(k, "ConsumedQuantity").n != !field(k, "ConsumedUnit").n)
		TRY(add_fault(k, "ConsumedUnit", STR("is not there with its quantity")));
	bool is_consumed =
		is_usage && !is_correction && !str_is(field(k, "CommitmentDiscountStatus"), "Unused");
	if (is_consumed != (field(k, "ConsumedQuantity").n > 0))
		TRY(add_fault(k, "ConsumedQuantity",
			      is_consumed ? STR("is null in a row of usage")
					  : STR("is there in a row that uses nothing")));
	return OK;
}

static RESULT check_period(struct checking *k)
{
	struct str from = field(k, "ChargePeriodStart"), until = field(k, "ChargePeriodEnd");
	bool is_within = str_compare(field(k, "BillingPeriodStart"), from) <= 0 &&
			 str_compare(until, field(k, "BillingPeriodEnd")) <= 0;
	if (str_compare(from, until) >= 0)
		return add_fault(k, "ChargePeriodEnd", STR("is not behind its start"));
	if (!is_within && !field(k, "ChargeClass").n)
		return add_fault(k, "ChargePeriodStart", STR("lies outside of the billing period"));
	const struct span span = {field(k, "ResourceId"),
				  field(k, "SkuPriceId"),
				  field(k, "SkuMeter"),
				  field(k, "CommitmentDiscountId"),
				  from,
				  until,
				  k->row};
	bool counts = !field(k, "ChargeClass").n && span.resource.n;
	return !counts || VEC_PUSH(k->c->arena, &k->spans, span) ? OK : ctx_no_memory(k->c);
}

static RESULT check_row(struct checking *k)
{
	for (size_t n = 0; n < k->column_count; n++)
		TRY(check_field(k, n));
	TRY(check_product(k, "ListCost", "ListUnitPrice"));
	TRY(check_product(k, "ContractedCost", "ContractedUnitPrice"));
	TRY(check_nulls(k));
	TRY(check_period(k));
	const struct pair sku = {field(k, "SkuPriceId"), field(k, "SkuId")};
	return !sku.name.n || VEC_PUSH(k->c->arena, &k->skus, sku) ? OK : ctx_no_memory(k->c);
}

/* ---- consistency of rows ---- */

static int compare_spans(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	int order = str_compare(a->resource, b->resource);
	order = order ? order : str_compare(a->price_id, b->price_id);
	order = order ? order : str_compare(a->meter, b->meter);
	order = order ? order : str_compare(a->commitment, b->commitment);
	return order ? order : str_compare(a->from, b->from);
}

static int compare_skus(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int order = str_compare(a->name, b->name);
	return order ? order : str_compare(a->value, b->value);
}

/* Checks of rows against each other. Sorting makes rows of the same charge, and SKUs of the same price, neighbours, so that
 * one pass over a large file is enough. */
static RESULT check_together(struct checking *k)
{
	if (k->spans.count)
		qsort(k->spans.at, k->spans.count, sizeof *k->spans.at, compare_spans);
	for (size_t n = 0; n + 1 < k->spans.count; n++) {
		const struct span *a = &k->spans.at[n], *b = a + 1;
		k->row = b->row;
		if (str_equal(a->resource, b->resource) && str_equal(a->price_id, b->price_id) &&
		    str_equal(a->meter, b->meter) && str_equal(a->commitment, b->commitment) &&
		    str_compare(b->from, a->until) < 0)
			TRY(add_fault(k, "ChargePeriodStart",
				      STR("another row has a part of the same time")));
	}
	if (k->skus.count)
		qsort(k->skus.at, k->skus.count, sizeof *k->skus.at, compare_skus);
	k->row = 0;
	for (size_t n = 0; n + 1 < k->skus.count; n++)
		if (str_equal(k->skus.at[n].name, k->skus.at[n + 1].name) &&
		    !str_equal(k->skus.at[n].value, k->skus.at[n + 1].value))
			TRY(add_fault(k, "SkuPriceId", STR("stands for several SKUs")));
	return OK;
}

RESULT focus_check(struct ctx *c, enum focus_version version, struct str csv, struct strs *ret_faults)
{
	struct checking k = {.c = c, .version = version};
	struct buf header;
	for (size_t n = 0; n < focus_column_count; n++)
		if (focus_columns[n].versions & (1u << version))
			k.columns[k.column_count++] = &focus_columns[n];
	buf_init(&header, 65536);
	focus_write_header(&header, version);
	bool has_header = str_starts_with(csv, buf_str(&header));
	struct str rest = str_slice(csv, header.size, csv.n);
	buf_done(&header);
	if (!has_header)
		TRY(add_fault(&k, "header", STR("has not the columns of this version in their order")));
	while (has_header && rest.n && k.faults.count < FOCUS_FAULTS_MAX) {
		k.row++;
		TRY(read_line(&k, &rest) ? check_row(&k)
					 : add_fault(&k, "line", STR("has another number of fields")));
	}
	TRY(check_together(&k));
	*ret_faults = (struct strs){k.faults.at, k.faults.count};
	return OK;
}
