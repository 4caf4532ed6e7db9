/* SPDX-License-Identifier: Apache-2.0
 * Corrections of closed billing periods. A fix of the log that is written after a period's closing does not
 * change the period. Its effect becomes charges of the period in which it was written: the old charge
 * reversed, and the new one. Both have their original time, and the price without commitments. */
#include "base/clock.h"
#include "base/vec.h"
#include "engine/billing/billing.h"
#include "metering/tally.h"
#include "store/ledger.h"

#define CORRECTIONS_CAP ((size_t) 1 << 30)

struct closed_period {
	struct month month;
	int64_t run;
};

struct correcting {
	struct ctx *c;
	struct ctx own; /* for the comparison */
	const struct billing_query *query;
	VEC(struct closed_period) periods;
	VEC(struct uuid_at) fixes; /* written in the month */
	billing_each each;
	void *arg;
	struct tally tally; /* by key: count of new charges minus old ones */
	int sign;
	bool writes;
};

struct uuid_at {
	uuid id;
	int64_t at_us; /* the corrected time */
};

static RESULT take_period(void *arg, const struct ledger_record *record)
{
	struct correcting *k = arg;
	struct closed_period p = {.month = month_of(record->from_us / SECOND)};
	TRY(str_parse_int(record->name, &p.run));
	return VEC_PUSH(k->own.arena, &k->periods, p) ? OK : ctx_no_memory(k->c);
}

static RESULT take_fix(void *arg, const struct ledger_record *record)
{
	struct correcting *k = arg;
	const struct month *m = &k->query->month;
	const struct uuid_at fix = {record->id, record->from_us};
	if (record->at_us < m->from_s * SECOND || record->at_us >= m->until_s * SECOND)
		return OK;
	return VEC_PUSH(k->own.arena, &k->fixes, fix) ? OK : ctx_no_memory(k->c);
}

static bool is_fixed(const struct correcting *k, uuid id)
{
	for (size_t n = 0; n < k->fixes.count; n++)
		if (uuid_equal(k->fixes.at[n].id, id))
			return true;
	return false;
}

/* Runs twice: the first pass sums the differences, the second writes the charges that differ. */
static RESULT compare_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct correcting *k = arg;
	if (!is_fixed(k, charge->id))
		return OK;
	struct str key = str_print(k->own.arena, "%" STR_FMT " %" STR_FMT " %" STR_FMT,
				   STR_ARG(uuid_to_str(k->own.arena, billed->account)),
				   STR_ARG(billing_charge_key(&k->own, charge)),
				   STR_ARG(billing_charge_values(&k->own, charge)));
	struct tally_line *line = key.p ? tally_find(&k->tally, key) : NULL;
	if (!line)
		return ctx_no_memory(k->c);
	if (!k->writes)
		line->quantity += k->sign;
	if (!k->writes || !line->quantity)
		return OK;
	struct charge correction = *charge;
	correction.is_correction = true;
	correction.quantity *= k->sign;
	return k->each(k->arg, billed, &correction);
}

static RESULT compare_once(struct correcting *k, struct store *s, const struct closed_period *p, bool is_new)
{
	const struct month *m = &k->query->month;
	int64_t since_us = p->run > m->from_s * SECOND ? p->run : m->from_s * SECOND;
	const struct billing_query query = {.month = p->month,
					    .account = k->query->account,
					    .issuer = k->query->issuer,
					    .bill_to = k->query->bill_to,
					    .is_bare = true,
					    .now_us = p->run,
					    .as_of_us = is_new ? m->until_s * SECOND : since_us};
	k->sign = is_new ? 1 : -1;
	return billing_rate(k->c, s, &query, compare_charge, NULL, k);
}

static RESULT correct_period(struct correcting *k, struct store *s, const struct closed_period *p)
{
	/* The closing itself includes fixes written before it. */
	if (p->run >= k->query->month.until_s * SECOND)
		return OK;
	k->tally = (struct tally){.arena = k->own.arena};
	for (int pass = 0; pass < 2; pass++) {
		k->writes = pass == 1;
		TRY(compare_once(k, s, p, false));
		TRY(compare_once(k, s, p, true));
	}
	return OK;
}

static RESULT correct(struct correcting *k, struct store *s)
{
	const struct ledger_query closed = {.type = LEDGER_CLOSED, .from_us = LEDGER_ANY_TIME};
	const struct ledger_query fixes = {.type = LEDGER_FIX, .from_us = LEDGER_ANY_TIME};
	TRY(store_read_ledger(s, k->c, &fixes, take_fix, k));
	if (!k->fixes.count)
		return OK;
	TRY(store_read_ledger(s, k->c, &closed, take_period, k));
	for (size_t n = 0; n < k->periods.count; n++)
		if (k->periods.at[n].month.from_s < k->query->month.from_s)
			TRY(correct_period(k, s, &k->periods.at[n]));
	return OK;
}

RESULT billing_rate_all(struct ctx *c, struct store *s, const struct billing_query *query, billing_each each,
			billing_unpriced unpriced, void *arg)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, CORRECTIONS_CAP);
	struct correcting k = {.c = c, .query = query, .each = each, .arg = arg};
	if (!arena)
		return ctx_no_memory(c);
	ctx_init(&k.own, arena);
	TRY(billing_rate(c, s, query, each, unpriced, arg));
	return query->is_elsewhere ? OK : correct(&k, s);
}
