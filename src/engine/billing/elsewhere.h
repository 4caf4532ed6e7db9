/* SPDX-License-Identifier: Apache-2.0
 * Usage of machines in clouds elsewhere. The region records it for FOCUS exports; no bill contains it, because their
 * clouds bill it. */
#pragma once

#include "metering/rate.h"
#include "store/store.h"

struct provider;

/* Meter of a running machine elsewhere: remote:PROVIDER:TYPE. */
#define REMOTE_USE_PREFIX "remote:"
#define CURRENCY_UNKNOWN STR("XXX") /* ISO 4217: no currency */

/* The cloud's name as FOCUS providers call themselves, or the provider's name for a cloud with an endpoint of its own. */
struct str elsewhere_cloud_name(const struct provider *p);

/* Prices that were loaded for providers, at the time of reading. */
struct elsewhere {
	const struct elsewhere_provider *at;
	size_t count;
};
/* In c's arena. */
RESULT elsewhere_read(struct ctx *c, const struct tables *t, struct elsewhere *ret_elsewhere);

/* Price of a meter that no price list has: the loaded one, or one of 0 with is_unknown. In c's arena. */
RESULT elsewhere_price(struct ctx *c, const struct elsewhere *e, uuid account, struct str meter,
		       const struct price **ret_price);
