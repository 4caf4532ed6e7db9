/* SPDX-License-Identifier: Apache-2.0
 * The usage log with corrections applied, so that the APIs' usage reports agree with the bills. */
#include <stdlib.h>

#include "base/vec.h"
#include "engine/billing/billing.h"

#define LEVELS_CAP ((size_t) 256 << 20)

struct levels {
	struct ctx *c;
	struct arena *arena;
	const struct usage_query *query;
	VEC(struct usage_fix) fixes; /* for the account and the requested meters */
	VEC(struct usage) records;
};

static RESULT take_fix(void *arg, const struct ledger_record *record)
{
	struct levels *l = arg;
	const struct usage_fix fix = {.id = record->id,
				      .account = record->account,
				      .meter = str_copy(l->arena, record->name),
				      .wrong_seq = record->number,
				      .at_us = record->from_us,
				      .level = record->level,
				      .seq = record->seq};
	if (!uuid_equal(record->account, l->query->account) ||
	    !str_starts_with(record->name, l->query->meter))
		return OK;
	return fix.meter.p && VEC_PUSH(l->arena, &l->fixes, fix) ? OK : ctx_no_memory(l->c);
}

static RESULT take_record(void *arg, const struct usage *usage)
{
	struct levels *l = arg;
	struct usage kept = *usage;
	kept.meter = str_copy(l->arena, usage->meter);
	for (size_t k = 0; k < l->fixes.count; k++) /* the last fix counts */
		if (l->fixes.at[k].wrong_seq == usage->seq) {
			kept.at_us = l->fixes.at[k].at_us;
			kept.level = l->fixes.at[k].level;
		}
	return kept.meter.p && VEC_PUSH(l->arena, &l->records, kept) ? OK : ctx_no_memory(l->c);
}

static RESULT add_missing(struct levels *l)
{
	for (size_t k = 0; k < l->fixes.count; k++) {
		const struct usage_fix *fix = &l->fixes.at[k];
		const struct usage missing = {fix->at_us, l->query->kind, fix->id, fix->account,
					      fix->meter, fix->level,     0};
		if (!fix->wrong_seq && fix->at_us < l->query->before_us &&
		    !VEC_PUSH(l->arena, &l->records, missing))
			return ctx_no_memory(l->c);
	}
	return OK;
}

/* Readers add up levels record by record, so each resource's records come in the order of time. The log's number decides
 * within a microsecond: the later record has the level that lasts. */
static int compare_records(const void *left, const void *right)
{
	const struct usage *a = left, *b = right;
	int order = uuid_compare(a->id, b->id);
	if (!order)
		order = (a->at_us > b->at_us) - (a->at_us < b->at_us);
	return order ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

RESULT billing_read_levels(struct ctx *c, struct store *s, const struct usage_query *query,
			   RESULT (*each)(void *arg, const struct usage *usage), void *arg)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, LEVELS_CAP);
	struct levels l = {.c = c, .arena = arena, .query = query};
	const struct ledger_query fixes = {.type = LEDGER_FIX, .from_us = LEDGER_ANY_TIME};
	if (!arena)
		return ctx_no_memory(c);
	TRY(store_read_ledger(s, c, &fixes, take_fix, &l));
	if (!l.fixes.count)
		return store_read_usage(s, c, query, each, arg);
	TRY(store_read_usage(s, c, query, take_record, &l));
	TRY(add_missing(&l));
	if (l.records.count)
		qsort(l.records.at, l.records.count, sizeof *l.records.at, compare_records);
	for (size_t k = 0; k < l.records.count; k++)
		TRY(each(arg, &l.records.at[k]));
	return OK;
}
