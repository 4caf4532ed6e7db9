/* SPDX-License-Identifier: Apache-2.0
 * Prices of machines elsewhere that no price list has. */
#include "engine/billing/elsewhere.h"

#include "base/vec.h"
#include "store/provider.h"

struct elsewhere_provider {
	uuid account;
	struct str name, currency;
	struct tags prices;
};

struct str elsewhere_cloud_name(const struct provider *p)
{
	if (p->endpoint.n)
		return p->name;
	return p->cloud == PROVIDER_CLOUD_AWS     ? STR("AWS")
	       : p->cloud == PROVIDER_CLOUD_AZURE ? STR("Microsoft")
						  : p->name;
}

static RESULT copy_prices(struct ctx *c, struct tags from, struct tags *ret_prices)
{
	struct tag *tags = arena_new_array(c->arena, struct tag, from.count + 1);
	if (!tags)
		return ctx_no_memory(c);
	for (size_t k = 0; k < from.count; k++) {
		tags[k].key = str_copy(c->arena, from.at[k].key);
		tags[k].value = str_copy(c->arena, from.at[k].value);
		if (!tags[k].key.p || !tags[k].value.p)
			return ctx_no_memory(c);
	}
	*ret_prices = (struct tags){.at = tags, .count = from.count};
	return OK;
}

RESULT elsewhere_read(struct ctx *c, const struct tables *t, struct elsewhere *ret_elsewhere)
{
	VEC(struct elsewhere_provider) found = {0};
	for (const struct provider *p = provider_first(t); p; p = provider_next(t, p)) {
		struct elsewhere_provider one = {.account = p->account,
						 .name = str_copy(c->arena, p->name),
						 .currency = str_copy(c->arena, p->price_currency)};
		TRY(copy_prices(c, p->prices, &one.prices));
		if (!VEC_PUSH(c->arena, &found, one))
			return ctx_no_memory(c);
	}
	*ret_elsewhere = (struct elsewhere){found.at, found.count};
	return OK;
}

/* The provider of a meter; NULL: it is gone. *ret_type: the meter's instance type. */
static const struct elsewhere_provider *find_provider(const struct elsewhere *e, uuid account,
						      struct str meter, struct str *ret_type)
{
	struct str rest = str_slice(meter, strlen(REMOTE_USE_PREFIX), meter.n), name = STR_NONE;
	*ret_type = str_split_next(&rest, ':', &name) ? rest : STR_NONE;
	for (size_t k = 0; k < e->count; k++)
		if (uuid_equal(e->at[k].account, account) && str_equal(e->at[k].name, name))
			return &e->at[k];
	return NULL;
}

RESULT elsewhere_price(struct ctx *c, const struct elsewhere *e, uuid account, struct str meter,
		       const struct price **ret_price)
{
	struct str type = STR_NONE;
	int64_t micro = 0;
	const struct elsewhere_provider *p = find_provider(e, account, meter, &type);
	const struct tag *tag = p ? tags_find(p->prices, type) : NULL;
	bool is_known = tag && result_is_ok(money_parse_micro(tag->value, &micro));
	struct price_item *item = arena_new_object(c->arena, struct price_item);
	struct price *price = arena_new_object(c->arena, struct price);
	struct str copy = str_copy(c->arena, meter);
	if (!item || !price || !copy.p)
		return ctx_no_memory(c);
	*item = (struct price_item){
		.sku = copy,
		.text = is_known ? copy : str_print(c->arena, "%" STR_FMT " (price unknown)", STR_ARG(meter)),
		.meter = copy,
		.level_max = INT64_MAX,
		.unit = UNIT_HOUR,
		.tiers = {{INT64_MAX, micro}},
		.tier_count = 1};
	*price = (struct price){.item = item,
				.currency = p && p->currency.n ? p->currency : CURRENCY_UNKNOWN,
				.id = str_print(c->arena, "%" STR_FMT "/%s/", STR_ARG(meter),
						is_known ? "loaded" : "unknown"),
				.list = {micro},
				.own = {micro},
				.is_unknown = !is_known};
	*ret_price = price;
	return price->id.p && item->text.p ? OK : ctx_no_memory(c);
}
