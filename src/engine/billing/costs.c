/* SPDX-License-Identifier: Apache-2.0
 * The scope of charges, and reading them month by month. */
#include "engine/billing/costs.h"

#include <jansson.h>

#include "base/clock.h"
#include "engine/billing/standing.h"
#include "store/account.h"
#include "store/domain.h"

RESULT costs_find_scope(struct ctx *c, const struct tables *t, uuid id, struct cost_scope *ret_scope)
{
	const struct account *account = account_find(t, id);
	const struct domain *own = account ? domain_find(t, account->domain) : NULL, *payer = own;
	if (!own)
		return ctx_fail_kind(c, ERR_NOT_FOUND, KIND_ACCOUNT, "There is no such account.");
	while (payer && !payer->is_billed)
		payer = uuid_is_none(payer->reseller) ? NULL : domain_find(t, payer->reseller);
	*ret_scope = (struct cost_scope){.account = account->row.id,
					 .bill_to = payer ? payer->row.id : own->row.id,
					 .issuer = payer ? standing_issuer_of(t, payer) : UUID_NONE};
	return OK;
}

struct reading {
	const struct cost_scope *scope;
	billing_each each;
	void *arg;
};

static RESULT take(void *arg, const struct billed *billed, const struct charge *charge)
{
	const struct reading *r = arg;
	bool is_asked = uuid_is_none(r->scope->account) || uuid_equal(r->scope->account, billed->account);
	return is_asked ? r->each(r->arg, billed, charge) : OK;
}

/* Rates the usage of all accounts of the billing account, because they share commitments. */
static RESULT read_month(struct ctx *c, struct store *s, struct reading *r, struct billing_query query,
			 bool is_forecast, int64_t *closed_until_s)
{
	struct closed_month closed = {0};
	struct result found = billing_find_closed(c, s, query.month, &closed);
	if (result_is_ok(found)) {
		query.now_us = query.as_of_us = closed.run;
		*closed_until_s = query.month.until_s;
	} else if (found.code != ERR_NOT_FOUND) {
		return found;
	} else if (is_forecast) {
		query.now_us = query.month.until_s * SECOND;
	}
	ctx_clear_problem(c);
	return billing_rate_all(c, s, &query, take, NULL, r);
}

RESULT costs_read(struct ctx *c, struct store *s, const struct cost_scope *scope,
		  const struct cost_period *period, billing_each each, void *arg, int64_t *ret_closed_until_s)
{
	struct reading r = {scope, each, arg};
	struct billing_query query = {.bill_to = scope->bill_to,
				      .issuer = scope->issuer,
				      .is_bare = period->is_elsewhere,
				      .is_elsewhere = period->is_elsewhere,
				      .now_us = clock_now_us()};
	for (query.month = month_of(period->from_s); query.month.from_s < period->until_s;
	     query.month = month_of(query.month.until_s))
		if (query.month.from_s * SECOND < query.now_us)
			TRY(read_month(c, s, &r, query, period->is_forecast, ret_closed_until_s));
	return OK;
}

struct str costs_tag_of(struct arena *a, const struct charge *charge, struct str key, bool *ret_is_absent)
{
	struct str all = charge->subject ? charge->subject->tags : STR_NONE;
	json_t *tags = all.n ? json_loadb(all.p, all.n, 0, NULL) : NULL;
	const json_t *value = json_object_getn(tags, key.p ? key.p : "", key.n);
	struct str text = str_copy(a, (struct str){json_string_value(value), json_string_length(value)});
	*ret_is_absent = !value;
	json_decref(tags);
	return text;
}
