/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/remote/: prices in advice about remote machines, and the type of this region that a machine could
 * move to. */
#pragma once

#include "api/native/action.h"
#include "engine/remote/remote_price.h"

struct remote_machine;

/* Pricing for one answer. */
struct advice_prices {
	struct native_call *e;
	const struct remote_machine *machine;
	struct remote_pricing pricing;
	struct remote_rate present; /* the rate of the machine's type today */
	bool is_shared;             /* by another account, whose prices stay unknown */
	bool lacks_price;           /* a rate of the answer is unknown */
	bool mixes_currencies;      /* two rates of the answer are in different currencies */
};

/* Looks up the payer and the present rate. book: must stay until the answer is written. */
RESULT advice_prices_begin(struct advice_prices *p, struct native_call *e, const struct remote_machine *m,
			   const struct price_book *book);
/* Writes the present rate as the member "price". Nothing if it is unknown. */
void advice_prices_write_present(const struct advice_prices *p, struct json_writer *w);
/* Writes the rate of another type of that cloud, and how much less a month costs with it. */
RESULT advice_prices_write_type(struct advice_prices *p, struct json_writer *w, struct str type);
/* Writes the member "here": the smallest type of this region that has the machine's processors and memory. Nothing if there is
 * none. */
RESULT advice_prices_write_here(struct advice_prices *p, struct json_writer *w, int64_t vcpus, int64_t memory,
				struct str architecture);
/* Writes why a price or a difference is missing. Nothing if none is. */
void advice_prices_write_note(const struct advice_prices *p, struct json_writer *w);
