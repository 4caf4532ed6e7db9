/* SPDX-License-Identifier: Apache-2.0
 * Selects the charges of a query, and names their dimensions in Cost Explorer's terms. */
#include "api/cost/internal.h"
#include "engine/billing/costs.h"

/* ---- in AWS's words ---- */

/* By what stands before a meter's colon; in the names that AWS's own bills have. */
static const struct service {
	const char *meter, *name;
} services[] = {
	{"instance", "Amazon Elastic Compute Cloud - Compute"},
	{"held", "Amazon Elastic Compute Cloud - Compute"},
	{"reserved", "Amazon Elastic Compute Cloud - Compute"},
	{"spot", "Amazon Elastic Compute Cloud - Compute"},
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

struct str cost_value(struct arena *a, const struct cost_key *key, const struct billed *billed,
		      const struct charge *charge, struct str region, bool *ret_is_absent)
{
	struct str type = str_slice(charge->meter, str_find_char(charge->meter, ':', 0) + 1, charge->meter.n);
	struct str zone = charge->subject ? charge->subject->zone : STR_NONE;
	bool is_instance = str_starts_with(charge->meter, STR("instance:")) ||
			   str_starts_with(charge->meter, STR("spot:")) ||
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
		return costs_tag_of(a, charge, key->tag, ret_is_absent);
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
	struct target_call *e;
	const struct cost_question *question;
	struct arena *arena; /* reset after each charge */
	billing_each each;
	void *arg;
};

static RESULT look(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct reading *r = arg;
	const struct cost_filter *filter = r->question->filter;
	arena_reset(r->arena);
	if (filter && !cost_matches(r->arena, filter, billed, charge, r->e->config->region))
		return OK;
	return r->each(r->arg, billed, charge);
}

RESULT cost_read_charges(struct target_call *e, const struct cost_question *q, billing_each each, void *arg,
			 int64_t *ret_closed_until_s)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct reading r = {e, q, arena, each, arg};
	struct cost_scope scope = {0};
	const struct cost_period period = {.from_s = q->from_s, .until_s = q->until_s};
	if (!arena)
		return ctx_no_memory(e->c);
	if (!identity_is_admin(e->c->who))
		TRY(costs_find_scope(e->c, target_tables(e), e->c->who->account, &scope));
	view_close(&e->view);
	return costs_read(e->c, e->config->store, &scope, &period, look, &r, ret_closed_until_s);
}
