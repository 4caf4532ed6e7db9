/* SPDX-License-Identifier: Apache-2.0
 * The charges that a question is about, and what they say in Cost Explorer's words. */
#include "api/cost/internal.h"
#include "base/clock.h"
#include "engine/billing/standing.h"
#include "store/account.h"
#include "store/domain.h"

/* ---- in AWS's words ---- */

/* By what stands before a meter's colon; in the names that AWS's own bills have. */
static const struct service {
	const char *meter, *name;
} services[] = {
	{"instance", "Amazon Elastic Compute Cloud - Compute"},
	{"held", "Amazon Elastic Compute Cloud - Compute"},
	{"dedicated-host", "Amazon Elastic Compute Cloud - Compute"},
	{"licence", "Amazon Elastic Compute Cloud - Compute"},
	{"address", "Amazon Virtual Private Cloud"},
	{"lb", "Amazon Elastic Load Balancing"},
};

static struct str service_of(const struct charge *charge)
{
	struct str meter = str_slice(charge->meter, 0, str_find_char(charge->meter, ':', 0));
	for (size_t k = 0; k < sizeof services / sizeof *services; k++)
		if (str_is(meter, services[k].meter))
			return str_from(services[k].name);
	return str_is(meter, "commitment") ? STR("Commitments") : STR("EC2 - Other");
}

static struct str record_of(const struct charge *charge)
{
	return charge->category == CHARGE_PURCHASE ? STR("Recurring")
	       : charge_is_committed(charge)       ? STR("DiscountedUsage")
						   : STR("Usage");
}

static struct str tag_of(struct arena *a, const struct subject *subject, struct str key, bool *ret_is_absent)
{
	json_t *tags = subject ? json_loadb(subject->tags.p, subject->tags.n, 0, NULL) : NULL;
	const json_t *value = json_object_getn(tags, key.p ? key.p : "", key.n);
	struct str text = str_copy(a, (struct str){json_string_value(value), json_string_length(value)});
	*ret_is_absent = !value;
	json_decref(tags);
	return text;
}

struct str cost_value(struct arena *a, const struct cost_key *key, const struct billed *billed,
		      const struct charge *charge, struct str region, bool *ret_is_absent)
{
	struct str type = str_slice(charge->meter, str_find_char(charge->meter, ':', 0) + 1, charge->meter.n);
	struct str zone = charge->subject ? charge->subject->zone : STR_NONE;
	bool is_instance = str_starts_with(charge->meter, STR("instance:")) ||
			   str_starts_with(charge->meter, STR("held:"));
	*ret_is_absent = false;
	switch (key->dimension) {
	case COST_SERVICE:
		return service_of(charge);
	case COST_ACCOUNT:
		return billed->number;
	case COST_USAGE_TYPE:
		return charge->price->item->sku;
	case COST_INSTANCE_TYPE:
		return is_instance ? type : STR("NoInstanceType");
	case COST_ZONE:
		return zone.n ? zone : STR("NoAZ");
	case COST_REGION:
		return region;
	case COST_RECORD_TYPE:
		return record_of(charge);
	case COST_TAG:
	case COST_DIMENSIONS:
	default:
		return tag_of(a, charge->subject, key->tag, ret_is_absent);
	}
}

static bool matches_one(struct arena *a, const struct cost_filter *f, const struct billed *billed,
			const struct charge *charge, struct str region)
{
	bool is_absent = false;
	struct str value = cost_value(a, &f->key, billed, charge, region, &is_absent);
	if (is_absent || f->is_absent)
		return is_absent && f->is_absent;
	for (size_t k = 0; k < f->values.count; k++)
		if (f->is_start ? str_starts_with(value, f->values.at[k]) : str_equal(value, f->values.at[k]))
			return true;
	return false;
}

bool cost_matches(struct arena *a, const struct cost_filter *f, const struct billed *billed,
		  const struct charge *charge, struct str region)
{
	if (f->operator== COST_ONE)
		return matches_one(a, f, billed, charge, region);
	if (f->operator== COST_NONE_OF)
		return !cost_matches(a, f->parts[0], billed, charge, region);
	bool is_all = f->operator== COST_ALL;
	for (size_t k = 0; k < f->part_count; k++)
		if (cost_matches(a, f->parts[k], billed, charge, region) != is_all)
			return !is_all;
	return is_all;
}

/* ---- reading ---- */

struct reading {
	struct cost_call *e;
	const struct cost_question *question;
	struct arena *arena; /* of one charge */
	uuid account;        /* none: all */
	billing_each each;
	void *arg;
};

static RESULT look(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct reading *r = arg;
	const struct cost_filter *filter = r->question->filter;
	arena_reset(r->arena);
	if (!uuid_is_none(r->account) && !uuid_equal(r->account, billed->account))
		return OK;
	if (filter && !cost_matches(r->arena, filter, billed, charge, r->e->config->region))
		return OK;
	return r->each(r->arg, billed, charge);
}

/* An account sees its own charges, as whoever bills it makes them; administrators see all that the operator bills. */
static void choose(struct cost_call *e, struct billing_query *query, uuid *ret_account)
{
	const struct tables *t = cost_tables(e);
	const struct account *account = account_find(t, e->c->who->account);
	const struct domain *own = account ? domain_find(t, account->domain) : NULL, *payer = own;
	*ret_account = UUID_NONE;
	if (!identity_is_admin(e->c->who) && own) {
		while (payer && !payer->is_billed)
			payer = uuid_is_none(payer->reseller) ? NULL : domain_find(t, payer->reseller);
		query->bill_to = payer ? payer->row.id : own->row.id;
		query->issuer = payer ? standing_issuer_of(t, payer) : UUID_NONE;
		*ret_account = account->row.id;
	}
	view_close(&e->view);
}

/* A closed month is as it was closed. */
static RESULT read_month(struct reading *r, struct billing_query query, int64_t *closed_until_s)
{
	struct cost_call *e = r->e;
	struct closed_month closed = {0};
	struct result found = billing_find_closed(e->c, e->config->store, query.month, &closed);
	if (result_is_ok(found)) {
		query.now_us = query.as_of_us = closed.run;
		*closed_until_s = query.month.until_s;
	} else if (found.code != ERR_NOT_FOUND) {
		return found;
	}
	ctx_clear_problem(e->c);
	return billing_rate_all(e->c, e->config->store, &query, look, NULL, r);
}

RESULT cost_read_charges(struct cost_call *e, const struct cost_question *q, billing_each each, void *arg,
			 int64_t *ret_closed_until_s)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct reading r = {e, q, arena, UUID_NONE, each, arg};
	struct billing_query query = {.now_us = clock_now_us()};
	if (!arena)
		return ctx_no_memory(e->c);
	choose(e, &query, &r.account);
	for (query.month = month_of(q->from_s); query.month.from_s < q->until_s;
	     query.month = month_of(query.month.until_s))
		if (query.month.from_s * SECOND < query.now_us)
			TRY(read_month(&r, query, ret_closed_until_s));
	return OK;
}
