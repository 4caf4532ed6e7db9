/* SPDX-License-Identifier: Apache-2.0
 * Writes FOCUS rows, with one loop over the columns of focus.def. */
#include "metering/focus.h"

#include <string.h>

#include "base/clock.h"

#define V12 (1u << FOCUS_1_2)
#define V14 (1u << FOCUS_1_4)

struct writing {
	struct buf *b;
	const struct focus_context *context;
	const struct focus_row *row;
	const struct charge *charge;
	const struct price *price;
	const struct meter_info *meter;
};

/* ---- values ---- */

/* Quoted as required by RFC 4180. Names contain neither line ends nor control characters. */
static void write_text(struct writing *w, struct str s)
{
	bool is_plain = true;
	for (size_t k = 0; is_plain && k < s.n; k++)
		is_plain = s.p[k] != ',' && s.p[k] != '"' && s.p[k] != '\n' && s.p[k] != '\r';
	if (is_plain) {
		buf_add_str(w->b, s);
		return;
	}
	buf_add_char(w->b, '"');
	for (size_t k = 0; k < s.n; k++) {
		if (s.p[k] == '"')
			buf_add_char(w->b, '"');
		buf_add_char(w->b, s.p[k]);
	}
	buf_add_char(w->b, '"');
}

static void write_z(struct writing *w, const char *z)
{
	write_text(w, str_from(z));
}

static void write_second(struct writing *w, int64_t at_s)
{
	char out[CLOCK_TEXT_SIZE];
	buf_add_str(w->b, str_from(clock_write_s(at_s * SECOND, out)));
}

static void write_micro(struct writing *w, int64_t millionths)
{
	char out[MONEY_TEXT_SIZE];
	buf_add_str(w->b, str_from(money_write_micro(millionths, out)));
}

static void write_money(struct writing *w, money m)
{
	char out[MONEY_TEXT_SIZE];
	buf_add_str(w->b, str_from(money_write(m, out)));
}

static const struct unit_info *unit_of(const struct writing *w)
{
	return &unit_infos[w->price->item->unit];
}

static const char *const category_words[] = {[CHARGE_USAGE] = "Usage",
					     [CHARGE_PURCHASE] = "Purchase",
					     [CHARGE_TAX] = "Tax",
					     [CHARGE_CREDIT] = "Credit",
					     [CHARGE_ADJUSTMENT] = "Adjustment"};

static bool is_purchase(const struct writing *w)
{
	return w->charge->category == CHARGE_PURCHASE;
}

static bool is_upfront(const struct writing *w)
{
	return str_ends_with(w->charge->meter, STR(":upfront"));
}

static bool is_spend(const struct writing *w)
{
	return w->charge->commitment->kind == COMMITMENT_SPEND;
}

/* ---- columns ---- */

#define FILL(name) static void fill_##name(struct writing *w)
#define FILL_TEXT(name, value)                                                                               \
	FILL(name)                                                                                           \
	{                                                                                                    \
		write_text(w, value);                                                                        \
	}
#define FILL_Z(name, value)                                                                                  \
	FILL(name)                                                                                           \
	{                                                                                                    \
		write_z(w, value);                                                                           \
	}

FILL(null)
{
	(void) w;
}
FILL_TEXT(zone, w->charge->subject ? w->charge->subject->zone : STR_NONE)
FILL_TEXT(resource_name, w->charge->subject ? w->charge->subject->name : STR_NONE)
FILL_TEXT(billing_id, w->row->billing_id)
FILL_TEXT(billing_name, w->row->billing_name)
FILL_Z(billing_type, "Domain")
FILL_TEXT(account, w->row->account)
FILL_TEXT(account_name, w->row->account_name)
FILL_Z(account_type, w->row->account.n ? "Account" : "")
FILL_TEXT(currency, charge_currency(w->charge))
FILL_TEXT(invoice, w->row->invoice)
FILL_TEXT(invoice_detail, w->row->invoice_detail)
/* The cloud of a machine elsewhere; empty: the charge is this region's. */
static struct str cloud_of(const struct writing *w)
{
	return w->charge->subject ? w->charge->subject->cloud : STR_NONE;
}
FILL_TEXT(provider, cloud_of(w).n ? cloud_of(w) : w->context->provider)
FILL_TEXT(issuer, cloud_of(w).n ? cloud_of(w) : w->context->issuer)
FILL_TEXT(region, cloud_of(w).n ? w->charge->subject->region : w->context->region)
FILL_TEXT(resource, w->row->resource)
FILL_Z(resource_type, w->row->resource.n ? w->meter->resource : "")
FILL_Z(service, w->meter->service)
FILL_Z(service_category, w->meter->category)
FILL_Z(subcategory, w->meter->subcategory)
FILL_Z(sku_meter, w->price ? w->meter->measured : "")
FILL_Z(unit, w->price ? unit_of(w)->focus : "")
FILL_TEXT(sku, w->price ? w->price->item->sku : STR_NONE)
FILL_Z(category, category_words[w->charge->category])
FILL_Z(class, w->charge->is_correction ? "Correction" : "")
FILL_Z(frequency, is_purchase(w)                        ? (is_upfront(w) ? "One-Time" : "Recurring")
		  : w->charge->category == CHARGE_USAGE ? "Usage-Based"
							: "One-Time")
FILL_Z(pricing_category, !w->price                        ? ""
			 : w->price->is_unknown           ? "Other"
			 : charge_is_committed(w->charge) ? "Committed"
							  : "Standard")
FILL_TEXT(commitment_name, w->charge->commitment ? w->charge->commitment->name : STR_NONE)
FILL_Z(commitment_category, !w->charge->commitment ? "" : is_spend(w) ? "Spend" : "Usage")
FILL_Z(commitment_type, !w->charge->commitment ? "" : is_spend(w) ? "Spend" : "Reserved")
FILL_Z(commitment_status, !charge_is_committed(w->charge) ? "" : w->charge->is_unused ? "Unused" : "Used")
FILL_TEXT(commitment_unit, !w->charge->commitment ? STR_NONE
			   : is_spend(w)          ? w->charge->commitment->currency
						  : STR("Hours"))

FILL(commitment)
{
	char id[UUID_TEXT_SIZE];
	if (w->charge->commitment)
		write_z(w, uuid_write(w->charge->commitment->id, id));
}
FILL(period_start)
{
	write_second(w, w->context->month.from_s);
}
FILL(period_end)
{
	write_second(w, w->context->month.until_s);
}
FILL(charge_start)
{
	write_second(w, w->charge->from_s);
}
FILL(charge_end)
{
	write_second(w, w->charge->until_s);
}
FILL(quantity)
{
	if (w->price)
		write_micro(w, w->charge->quantity);
}
FILL(list_price)
{
	if (w->price)
		write_micro(w, w->price->list[w->charge->tier]);
}
FILL(own_price)
{
	if (w->price)
		write_micro(w, w->price->own[w->charge->tier]);
}
FILL(list_cost)
{
	write_money(w, charge_list_cost(w->charge));
}
FILL(cost)
{
	write_money(w, charge_cost(w->charge));
}
FILL(contracted_cost)
{
	write_money(w, charge_contracted_cost(w->charge));
}
FILL(effective_cost)
{
	write_money(w, charge_effective_cost(w->charge));
}

/* For a purchase the entire promised amount for its time; for covered or unused charges their part of it. */
FILL(commitment_quantity)
{
	const struct charge *charge = w->charge;
	int64_t lasts_s = charge->until_s - charge->from_s;
	if (!charge->commitment)
		return;
	if (is_purchase(w) && is_upfront(w))
		lasts_s = charge->commitment->until_s - charge->commitment->from_s;
	if (is_purchase(w))
		write_micro(w,
			    (int64_t) money_divide((__int128) (is_spend(w) ? charge->commitment->amount
									   : charge->commitment->quantity) *
							   lasts_s,
						   3600));
	else if (is_spend(w))
		write_money(w, charge->effective);
	else
		write_micro(w, charge->quantity);
}

/* The corrected charge contains the measured usage. A correction has none, not even a difference. */
static bool is_consumed(const struct writing *w)
{
	return w->charge->category == CHARGE_USAGE && !w->charge->is_unused && !w->charge->is_correction;
}
FILL(consumed)
{
	if (is_consumed(w))
		write_micro(w, (int64_t) money_divide(w->charge->measured * MICRO, unit_of(w)->divisor));
}
FILL(consumed_unit)
{
	if (is_consumed(w))
		write_z(w, unit_of(w)->measured);
}

FILL(description)
{
	const struct price_item *item = w->price ? w->price->item : NULL;
	struct str text = !item ? w->charge->text : item->text.n ? item->text : item->sku;
	if (!item) {
		write_text(w, text);
		return;
	}
	char line[2 * PRICE_NAME_MAX + 64];
	struct buf plain;
	buf_init(&plain, sizeof line);
	buf_print(&plain, "%" STR_FMT ", %s", STR_ARG(text), w->meter->measured);
	write_text(w, buf_str(&plain));
	buf_done(&plain);
}

FILL(price_id)
{
	if (w->price)
		buf_print(w->b, "%" STR_FMT "%u", STR_ARG(w->price->id), w->charge->tier + 1);
}

/* The text after the meter's colon is the type of the metered resource, of a machine elsewhere that after the second
 * colon. */
FILL(details)
{
	struct str meter = w->charge->meter;
	bool is_elsewhere = cloud_of(w).n > 0;
	size_t colon = str_find_char(meter, ':', 0);
	if (is_elsewhere)
		colon = str_find_char(meter, ':', colon + 1);
	struct str type = str_slice(meter, colon + 1, meter.n);
	bool is_instance = is_elsewhere || str_is(str_from(w->meter->resource), "Instance");
	if (w->price && w->charge->category == CHARGE_USAGE && type.n && !memchr(type.p, '"', type.n) &&
	    !memchr(type.p, '\\', type.n))
		buf_print(w->b, "\"{\"\"%s\"\":\"\"%" STR_FMT "\"\"}\"",
			  is_instance ? "InstanceType" : "x_Type", STR_ARG(type));
}

FILL_TEXT(tags, w->charge->subject && w->charge->subject->tags.n ? w->charge->subject->tags : STR("{}"))

/* ---- the table ---- */

const struct focus_column focus_columns[] = {
#define FOCUS(name, versions, nullable, type, fill, allowed)                                                 \
	{#name, versions, nullable, FOCUS_##type, allowed},
#include "metering/focus.def"
#undef FOCUS
	{"x_ChargeId", V12 | V14, 0, FOCUS_TEXT, ""},
};
const size_t focus_column_count = sizeof focus_columns / sizeof *focus_columns;

static void (*const fills[])(struct writing *w) = {
#define FOCUS(name, versions, nullable, type, fill, allowed) fill_##fill,
#include "metering/focus.def"
#undef FOCUS
};

void focus_write_header(struct buf *b, enum focus_version version)
{
	bool is_first = true;
	for (size_t k = 0; k < focus_column_count; k++) {
		if (!(focus_columns[k].versions & (1u << version)))
			continue;
		if (!is_first)
			buf_add_char(b, ',');
		is_first = false;
		buf_add_str(b, str_from(focus_columns[k].name));
	}
	buf_add_char(b, '\n');
}

void focus_write_row(struct buf *b, const struct focus_context *context, const struct focus_row *row)
{
	struct writing w = {
		b, context, row, row->charge, row->charge->price, meter_info_find(row->charge->meter)};
	for (size_t k = 0; k < sizeof fills / sizeof *fills; k++) {
		if (!(focus_columns[k].versions & (1u << context->version)))
			continue;
		fills[k](&w);
		buf_add_char(b, ',');
	}
	write_text(&w, row->charge_id);
	buf_add_char(b, '\n');
}
