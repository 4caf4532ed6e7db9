/* SPDX-License-Identifier: Apache-2.0
 * What charges a caller sees, and reading them over months: for the faces that tell what things cost. Reading blocks, as in
 * billing.h, and nothing is kept: charges are rated anew for each question, those of a closed month as it was closed. */
#pragma once

#include "engine/billing/billing.h"

/* An account sees its own charges, as whoever bills it makes them; administrators may see all that the operator bills. */
struct cost_scope {
	uuid account;         /* none: all that are billed so */
	uuid bill_to, issuer; /* as billing_query has them */
};
/* Of one account. It is none: ERR_NOT_FOUND. */
RESULT costs_find_scope(struct ctx *c, const struct tables *t, uuid account, struct cost_scope *ret_scope);

struct cost_period {
	int64_t from_s, until_s; /* whole months are read */
	/* The open month as it will have been if nothing changes: what lasts is rated to its end. Else until now. */
	bool is_forecast;
};

/* All charges of the months that have begun. No view is open meanwhile. *ret_closed_until_s: what lies before is final; it is
 * left alone where no month is closed. */
RESULT costs_read(struct ctx *c, struct store *s, const struct cost_scope *scope,
		  const struct cost_period *period, billing_each each, void *arg,
		  int64_t *ret_closed_until_s);

/* The value of a tag that what is charged had; *ret_is_absent: it had none of that key. In the arena. */
struct str costs_tag_of(struct arena *a, const struct charge *charge, struct str key, bool *ret_is_absent);
