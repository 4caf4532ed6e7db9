/* SPDX-License-Identifier: Apache-2.0
 * Computes the standing of billing accounts. */
#include "engine/billing/dunning.h"

#include "base/clock.h"
#include "base/vec.h"
#include "engine/region/region.h"
#include "store/domain.h"
#include "store/store.h"

#define DAY (24 * HOUR)

struct dunning_days billing_read_days(const struct tables *t)
{
	return (struct dunning_days){engine_get_number(t, SETTING_LIMITED_DAYS, LIMITED_DAYS),
				     engine_get_number(t, SETTING_SUSPENDED_DAYS, SUSPENDED_DAYS),
				     engine_get_number(t, SETTING_CLOSED_DAYS, CLOSED_DAYS)};
}

RESULT billing_list_dunned(struct ctx *c, struct store *s, uuid only, struct dunned_list *ret_list)
{
	VEC(struct dunned) found = {0};
	AUTO_VIEW view = {0};
	*ret_list = (struct dunned_list){0};
	view_open(s, &view);
	for (const struct domain *d = domain_first(view.tables); d; d = domain_next(view.tables, d)) {
		if (!d->is_billed || !(uuid_is_none(only) || uuid_equal(only, d->row.id)))
			continue;
		const struct dunned one = {.id = d->row.id,
					   .issuer = standing_issuer_of(view.tables, d),
					   .name = str_copy(c->arena, d->name),
					   .is_prepaid = d->bill_mode == DOMAIN_BILL_MODE_PREPAID,
					   .days = d->bill_days,
					   .limit = d->bill_limit,
					   .unpaid_us = d->unpaid_us,
					   .state = d->bill_state,
					   .credit = d->bill_credit};
		if (!one.name.p || !VEC_PUSH(c->arena, &found, one))
			return ctx_no_memory(c);
	}
	view_close(&view);
	ret_list->at = found.at;
	ret_list->count = found.count;
	return found.count ? billing_read_accounts(c, s, &ret_list->book) : OK;
}

/* The state of an account in debt since then. */
static enum domain_bill_state state_since(const struct dunning_days *d, int64_t since_us, int64_t now_us)
{
	int64_t days = (now_us - since_us) / DAY;
	return !since_us              ? DOMAIN_BILL_STATE_ACTIVE
	       : days >= d->closed    ? DOMAIN_BILL_STATE_CLOSED
	       : days >= d->suspended ? DOMAIN_BILL_STATE_SUSPENDED
	       : days >= d->limited   ? DOMAIN_BILL_STATE_LIMITED
				      : DOMAIN_BILL_STATE_OVERDUE;
}

static RESULT add_open(void *arg, const struct billed *billed, const struct charge *charge)
{
	(void) billed;
	*(money *) arg += charge_cost(charge);
	return OK;
}

/* The costs of the open month so far, in millionths of the currency. */
static RESULT read_open(struct ctx *c, struct store *s, const struct dunned *d, int64_t now_us,
			int64_t *ret_cost)
{
	const struct billing_query query = {
		.month = month_of(now_us / SECOND), .now_us = now_us, .issuer = d->issuer, .bill_to = d->id};
	money sum = 0;
	TRY(billing_rate_all(c, s, &query, add_open, NULL, &sum));
	*ret_cost = (int64_t) money_divide(sum, MICRO);
	return OK;
}

/* Classifies the remaining credit by its share of the last payment. */
static enum domain_bill_credit weigh_credit(int64_t left, int64_t paid)
{
	return left <= 0           ? DOMAIN_BILL_CREDIT_EMPTY
	       : left <= paid / 20 ? DOMAIN_BILL_CREDIT_SCARCE
	       : left <= paid / 5  ? DOMAIN_BILL_CREDIT_LOW
				   : DOMAIN_BILL_CREDIT_FINE;
}

RESULT billing_weigh(struct ctx *c, struct store *s, const struct dunned_list *list,
		     const struct dunning_days *days, const struct dunned *d, struct standing_wish *ret_wish)
{
	int64_t now_us = clock_now_us(), open = 0, balance = billing_balance(&list->book, d->id);
	int64_t since_us = billing_unpaid_since(&list->book, d->id, d->days, now_us);
	if (d->is_prepaid || d->limit) /* for others the open month does not matter yet */
		TRY(read_open(c, s, d, now_us, &open));
	int64_t left = balance - open;
	if (d->is_prepaid)
		since_us = left > 0 ? 0 : d->unpaid_us ? d->unpaid_us : now_us;
	bool is_over = !d->is_prepaid && d->limit && left < -d->limit;
	*ret_wish = (struct standing_wish){
		.domain = d->id,
		.state = state_since(days, since_us, now_us),
		.unpaid_us = since_us,
		.credit = d->is_prepaid ? weigh_credit(left, billing_last_payment(&list->book, d->id))
					: DOMAIN_BILL_CREDIT_FINE,
		.left = left};
	if (is_over && ret_wish->state < DOMAIN_BILL_STATE_LIMITED)
		ret_wish->state = DOMAIN_BILL_STATE_LIMITED;
	return OK;
}
