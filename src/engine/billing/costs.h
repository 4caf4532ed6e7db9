/* SPDX-License-Identifier: Apache-2.0
 * The charges that a caller may see, over months, for faces that report costs. Reading blocks, as in
 * billing.h. Nothing is cached: charges are rated at each request, those of a closed month as of its
 * closing. */
#pragma once

#include "engine/billing/billing.h"

/* An account sees its own charges, as its issuer bills them; administrators see everything the operator
 * bills. */
struct cost_scope {
	uuid account;         /* none: all accounts with that payer and issuer */
	uuid bill_to, issuer; /* as in billing_query */
};
/* The scope of one account. ERR_NOT_FOUND. */
RESULT costs_find_scope(struct ctx *c, const struct tables *t, uuid account, struct cost_scope *ret_scope);

struct cost_period {
	int64_t from_s, until_s; /* extended to whole months */
	/* Rates ongoing usage of the open month up to its end, as if nothing changed; otherwise up to now. */
	bool is_forecast;
	bool is_elsewhere; /* as in billing_query */
};

/* Reads all charges of the months that have begun. The caller holds no view meanwhile. *ret_closed_until_s:
 * charges before it are final; unchanged if no month is closed. */
RESULT costs_read(struct ctx *c, struct store *s, const struct cost_scope *scope,
		  const struct cost_period *period, billing_each each, void *arg,
		  int64_t *ret_closed_until_s);

/* The value of a tag on the charged resource; *ret_is_absent: it has no such tag. In the arena. */
struct str costs_tag_of(struct arena *a, const struct charge *charge, struct str key, bool *ret_is_absent);
