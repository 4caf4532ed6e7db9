/* SPDX-License-Identifier: Apache-2.0
 * Published price lists. Only prices on demand of Linux machines count: one price for each type. */
#include "daemon/client/price_files.h"

#include <math.h>
#include <string.h>

enum { PRICE_SIZE = 32 };

static struct str text_of(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	return json_is_string(value) ? str_from(json_string_value(value)) : STR_NONE;
}

static bool has(const json_t *object, const char *member, const char *wanted)
{
	return str_is(text_of(object, member), wanted);
}

/* Adds a price, rounded to millionths. The first price of a type counts: a file may repeat it. */
static RESULT add_price(struct ctx *c, struct price_file *f, struct str type, double price,
			struct str currency)
{
	char text[PRICE_SIZE];
	if (!f->currency.n)
		f->currency = str_copy(c->arena, currency);
	if (!str_equal(f->currency, currency))
		return ctx_fail(c, ERR_INVALID,
				"the prices are in %" STR_FMT " and in %" STR_FMT
				"; a provider has prices in one currency",
				STR_ARG(f->currency), STR_ARG(currency));
	if (!isfinite(price) || price < 0)
		return ctx_fail(c, ERR_INVALID, "the price of %" STR_FMT " is not a number of at least 0",
				STR_ARG(type));
	f->taken++;
	(void) snprintf(text, sizeof text, "%.6f", price);
	const char *name = str_to_z(c->arena, type);
	if (!json_object_get(f->prices, name) && json_object_set_new(f->prices, name, json_string(text)) != 0)
		return ctx_no_memory(c);
	return OK;
}

static RESULT add_text(struct ctx *c, struct price_file *f, struct str type, const json_t *price,
		       struct str currency)
{
	char *end = NULL;
	const char *text = json_string_value(price);
	double number = json_is_number(price) ? json_number_value(price) : text ? strtod(text, &end) : -1;
	return add_price(c, f, type, end && (*end || end == text) ? -1 : number, currency);
}

/* ---- AWS ---- */

/* A Linux machine without software, on hardware that others share, that is billed while it runs. */
static bool is_machine(const json_t *product, struct str region)
{
	const json_t *a = json_object_get(product, "attributes");
	struct str family = text_of(product, "productFamily");
	return str_starts_with(family, STR("Compute Instance")) && has(a, "operatingSystem", "Linux") &&
	       has(a, "tenancy", "Shared") && has(a, "preInstalledSw", "NA") &&
	       has(a, "capacitystatus", "Used") && str_equal(text_of(a, "regionCode"), region);
}

/* Terms of one product: {"SKU.TERM": {"priceDimensions": {"SKU.TERM.RATE": {"unit": "Hrs", "pricePerUnit": {"USD": "0.0104"}}}}}. */
static RESULT add_terms(struct ctx *c, struct price_file *f, struct str type, const json_t *terms)
{
	const char *key = NULL, *inner = NULL, *currency = NULL;
	json_t *term = NULL, *rate = NULL, *price = NULL;
	json_object_foreach ((json_t *) terms, key, term)
		json_object_foreach (json_object_get(term, "priceDimensions"), inner, rate) {
			if (!has(rate, "unit", "Hrs"))
				continue;
			json_object_foreach (json_object_get(rate, "pricePerUnit"), currency, price)
				TRY(add_text(c, f, type, price, str_from(currency)));
		}
	return OK;
}

static RESULT add_product(struct ctx *c, struct price_file *f, struct str region, const json_t *product,
			  const json_t *terms)
{
	struct str type = text_of(json_object_get(product, "attributes"), "instanceType");
	f->read++;
	return type.n && is_machine(product, region) ? add_terms(c, f, type, terms) : OK;
}

static RESULT read_offer(struct ctx *c, const json_t *file, struct str region, struct price_file *f)
{
	const json_t *terms = json_object_get(json_object_get(file, "terms"), "OnDemand");
	const char *sku = NULL;
	json_t *product = NULL;
	json_object_foreach (json_object_get(file, "products"), sku, product)
		TRY(add_product(c, f, region, product, json_object_get(terms, sku)));
	return OK;
}

/* GetProducts has a JSON text for each product; `aws pricing get-products --output json` passes it on. */
static RESULT read_products(struct ctx *c, const json_t *list, struct str region, struct price_file *f)
{
	json_t *entry = NULL;
	size_t k = 0;
	json_array_foreach (list, k, entry) {
		json_t *whole = json_is_string(entry) ? json_loads(json_string_value(entry), 0, NULL)
						      : json_incref(entry);
		struct result result =
			add_product(c, f, region, json_object_get(whole, "product"),
				    json_object_get(json_object_get(whole, "terms"), "OnDemand"));
		json_decref(whole);
		TRY(result);
	}
	return OK;
}

/* ---- Azure ---- */

/* Spot and low-priority machines, Windows and reservations have items of their own. */
static RESULT read_items(struct ctx *c, const json_t *items, struct str region, struct price_file *f)
{
	json_t *i = NULL;
	size_t k = 0;
	json_array_foreach (items, k, i) {
		struct str sku = text_of(i, "skuName"), type = text_of(i, "armSkuName");
		bool is_machine = has(i, "serviceName", "Virtual Machines") &&
				  has(i, "type", "Consumption") && has(i, "unitOfMeasure", "1 Hour") &&
				  str_equal(text_of(i, "armRegionName"), region) &&
				  !str_contains(text_of(i, "productName"), STR("Windows")) &&
				  !str_contains(sku, STR("Spot")) && !str_contains(sku, STR("Low Priority"));
		f->read++;
		if (type.n && is_machine)
			TRY(add_text(c, f, type, json_object_get(i, "retailPrice"),
				     text_of(i, "currencyCode")));
	}
	return OK;
}

/* ---- Dari's own form ---- */

static RESULT read_own(struct ctx *c, const json_t *prices, struct str currency, struct price_file *f)
{
	const char *type = NULL;
	json_t *price = NULL;
	json_object_foreach ((json_t *) prices, type, price) {
		f->read++;
		TRY(add_text(c, f, str_from(type), price, currency));
	}
	return OK;
}

RESULT price_file_read(struct ctx *c, const json_t *file, struct str region, struct price_file *f)
{
	const json_t *list = json_object_get(file, "PriceList"), *items = json_object_get(file, "Items"),
		     *prices = json_object_get(file, "prices");
	json_t *page = NULL;
	size_t k = 0;
	if (!f->prices)
		f->prices = json_object();
	if (json_is_array(file)) { /* pages of a longer answer */
		json_array_foreach (file, k, page)
			TRY(price_file_read(c, page, region, f));
		return OK;
	}
	if (json_is_array(list))
		return read_products(c, list, region, f);
	if (json_is_array(items))
		return read_items(c, items, region, f);
	if (json_is_object(json_object_get(file, "products")))
		return read_offer(c, file, region, f);
	if (json_is_object(prices))
		return read_own(c, prices, text_of(file, "currency"), f);
	return ctx_fail(c, ERR_INVALID,
			"the file is neither a price list of AWS, nor retail prices of Azure, nor "
			"{\"currency\": \"EUR\", \"prices\": {\"TYPE\": 0.05}}");
}
