/* SPDX-License-Identifier: Apache-2.0
 * Prices of instance types: those that a provider's owner loads, and the rate of a type here or elsewhere by those rows and by
 * the region's price lists. Advice about machines (api/native/remote/advice.c) compares rates. */
#pragma once

#include "engine/operation.h"
#include "metering/price_list.h"

struct instance_type;
struct provider;

/* REMOTE_PRICES_MAX: types of one provider, as in schema/provider.toml. AWS has about 1,000 in a region. */
enum { REMOTE_PRICES_MAX = 2000, REMOTE_PRICES_BYTES = 131072, HOURS_OF_MONTH = 730 };
#define REMOTE_PRICE_MAX (INT64_C(1000000) * 1000000) /* millionths of the currency for an hour */

/* Replaces all prices of a provider. prices: a type's name, and its price for an hour as a decimal such as 0.0104. ERR_INVALID: a
 * name, a price or the currency. */
struct remote_prices_wish {
	struct ref provider;
	struct str currency;
	struct tags prices;
};
OPERATION(engine_load_remote_prices, remote_prices_wish)

/* The price of a machine that runs for an hour. */
struct remote_rate {
	bool is_known;
	bool is_of_list; /* by the region's price list, otherwise by a price of the provider */
	struct str currency;
	int64_t hour_micro;
};

/* The region's price lists as they concern one account. */
struct remote_pricing {
	const struct price_book *book;
	struct payer payer;
	int64_t at_s;
};

/* Rate of a provider's type. The account's price list comes first, with the meter remote:PROVIDER:TYPE, and the provider's
 * own prices next. Unknown: neither has one. */
RESULT engine_find_remote_rate(struct ctx *c, const struct remote_pricing *pricing,
			       const struct provider *provider, struct str type,
			       struct remote_rate *ret_rate);
/* Rate of a type of this region, by the price list: the meter instance:TYPE. */
RESULT engine_find_local_rate(struct ctx *c, const struct remote_pricing *pricing,
			      const struct instance_type *type, struct remote_rate *ret_rate);
