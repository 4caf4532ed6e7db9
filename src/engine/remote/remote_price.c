/* SPDX-License-Identifier: Apache-2.0
 * Prices of instance types elsewhere: loading, and rates. Called by: api/native/remote/remotes.c, api/native/remote/advice.c. */
#include "engine/remote/remote_price.h"

#include "engine/internal.h"
#include "store/instance_type.h"
#include "store/provider.h"

enum { TYPE_NAME_MAX = 64, CURRENCY_SIZE = 3 };

/* ---- loading ---- */

static RESULT check_currency(struct op *op, struct str currency)
{
	bool is_code = currency.n == CURRENCY_SIZE;
	for (size_t k = 0; k < currency.n; k++)
		is_code &= currency.p[k] >= 'A' && currency.p[k] <= 'Z';
	return is_code ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("currency"),
				     "A currency is three capital letters, such as EUR.");
}

static RESULT check_price(struct op *op, const struct tag *tag)
{
	int64_t micro = 0;
	bool is_name = tag->key.n && tag->key.n <= TYPE_NAME_MAX && str_is_line(tag->key);
	if (!is_name)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("prices"),
				   "The name of a type has 1 to %d characters.", TYPE_NAME_MAX);
	return result_is_ok(money_parse_micro(tag->value, &micro)) && micro <= REMOTE_PRICE_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("prices"),
				     "The price of %" STR_FMT
				     " is no decimal with at most six digits after the point.",
				     STR_ARG(tag->key));
}

static RESULT check_prices(struct op *op, const struct tags *prices)
{
	size_t bytes = 0;
	for (size_t k = 0; k < prices->count; k++) {
		TRY(check_price(op, &prices->at[k]));
		bytes += prices->at[k].key.n + prices->at[k].value.n;
	}
	return bytes <= REMOTE_PRICES_BYTES
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("prices"),
				     "The prices have more than %d bytes.", REMOTE_PRICES_BYTES);
}

RESULT engine_load_remote_prices(struct op *op, struct remote_prices_wish *wish)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_PROVIDER, &wish->provider, &row));
	TRY(engine_permit(op, "provider.put", KIND_PROVIDER, row));
	TRY(check_currency(op, wish->currency));
	TRY(check_prices(op, &wish->prices));
	struct provider next = *provider_of(row);
	next.prices = wish->prices;
	next.price_currency = wish->prices.count ? wish->currency : STR_NONE;
	next.row.gen++;
	TRY(provider_put(op, &next));
	return engine_log_event(op, KIND_PROVIDER, &next.row, "prices",
				"Provider %" STR_FMT ": prices of %zu types in %" STR_FMT ".",
				STR_ARG(next.name), wish->prices.count, STR_ARG(wish->currency));
}

/* ---- rates ---- */

static RESULT find_listed(struct ctx *c, const struct remote_pricing *pricing, struct str meter,
			  struct remote_rate *ret_rate)
{
	const struct price *price = NULL;
	*ret_rate = (struct remote_rate){0};
	if (!meter.p)
		return ctx_no_memory(c);
	TRY(price_book_price(c, pricing->book, &pricing->payer, meter, 1, STR_NONE, pricing->at_s, &price));
	if (price && price->item->unit == UNIT_HOUR)
		*ret_rate = (struct remote_rate){true, true, price->currency, price->own[0]};
	return OK;
}

RESULT engine_find_remote_rate(struct ctx *c, const struct remote_pricing *pricing,
			       const struct provider *provider, struct str type, struct remote_rate *ret_rate)
{
	const struct tag *tag = tags_find(provider->prices, type);
	int64_t micro = 0;
	struct str meter =
		str_print(c->arena, "remote:%" STR_FMT ":%" STR_FMT, STR_ARG(provider->name), STR_ARG(type));
	TRY(find_listed(c, pricing, meter, ret_rate));
	if (!ret_rate->is_known && tag && result_is_ok(money_parse_micro(tag->value, &micro)))
		*ret_rate = (struct remote_rate){true, false, provider->price_currency, micro};
	return OK;
}

RESULT engine_find_local_rate(struct ctx *c, const struct remote_pricing *pricing,
			      const struct instance_type *type, struct remote_rate *ret_rate)
{
	return find_listed(c, pricing, str_print(c->arena, "instance:%" STR_FMT, STR_ARG(type->name)),
			   ret_rate);
}
