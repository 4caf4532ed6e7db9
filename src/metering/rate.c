/* SPDX-License-Identifier: Apache-2.0
 * Rating: runs, pieces and charges. */
#include "metering/rate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"
#include "metering/tiers.h"

enum { SCRATCH_FIRST = 256 * 1024 };
#define SCRATCH_CAP ((size_t) 1 << 30)

/* A looked-up price, cached for a long series. */
struct known_price {
	int64_t from_s, until_s, level;
	struct str zone;
	const struct price *price;
	bool is_known;
};

struct rating {
	struct rating_config config;
	struct arena *of_account, *of_series;
	/* The account. */
	uuid account;
	struct payer payer;
	VEC(struct charge) tiered; /* in of_account */
	/* The current meter of a resource. */
	VEC(struct level_change) changes; /* in of_series; seq 0: added by a fix */
	enum kind kind;
	uuid id;
	struct str meter, price_name;
	struct known_price known;
	bool has_said_unpriced;
};

/* ---- one piece after the other ---- */

/* A run: consecutive pieces with levels above 0. */
struct run {
	int64_t from_s, until_s;
	int64_t extra_s;  /* seconds contributed by zero-length runs */
	enum unit unit;   /* unit of the accumulated amount */
	__int128 billed;  /* level times seconds so far, from the beginning of the month */
	int64_t quantity; /* part of it already in charges */
	bool has_begun;
};

struct piece {
	int64_t from_s, until_s, level, seq;
	const struct subject *subject;
};

static RESULT find_price(struct rating *r, struct ctx *c, const struct piece *p,
			 const struct price **ret_price)
{
	struct known_price *k = &r->known;
	struct str zone = p->subject ? p->subject->zone : STR_NONE;
	if (!k->is_known || p->from_s < k->from_s || p->from_s >= k->until_s || k->level != p->level ||
	    !str_equal(k->zone, zone)) {
		*k = (struct known_price){p->from_s, price_book_next_change(r->config.book, p->from_s),
					  p->level,  zone,
					  NULL,      true};
		/* Prices live as long as their charges, which with tiers is until the account's end. */
		struct arena *arena = c->arena;
		c->arena = r->of_account;
		struct result result = price_book_price(c, r->config.book, &r->payer, r->price_name, p->level,
							zone, p->from_s, &k->price);
		if (result_is_ok(result) && !k->price && r->config.otherwise)
			result = r->config.otherwise(r->config.arg, c, r->account, r->price_name, &k->price);
		c->arena = arena;
		TRY(result);
	}
	*ret_price = k->price;
	return OK;
}

static RESULT say_unpriced(struct rating *r)
{
	bool is_first = !r->has_said_unpriced;
	r->has_said_unpriced = true;
	return is_first && r->config.unpriced
		       ? r->config.unpriced(r->config.arg, r->account, r->id, r->price_name)
		       : OK;
}

static __int128 counted(const struct price_item *item, int64_t level)
{
	return unit_infos[item->unit].counts_level ? level : 1;
}

/* Converts level-seconds to millionths of the unit. */
static int64_t to_quantity(const struct rating *r, enum unit unit, __int128 billed)
{
	const struct unit_info *u = &unit_infos[unit];
	int64_t month_s = r->config.month.until_s - r->config.month.from_s;
	int64_t seconds = u->is_counter ? 1 : u->is_monthly ? month_s : HOUR_S;
	return (int64_t) money_divide(billed * MICRO, (__int128) u->divisor * seconds);
}

/* Seconds added by the price's minimum and rounding. */
static int64_t added_seconds(const struct price_item *item, struct run *run, const struct piece *p)
{
	int64_t lasts = run->until_s - run->from_s, least = item->minimum_s > lasts ? item->minimum_s : lasts;
	int64_t added = 0;
	if (p->from_s == run->from_s) {
		added = least - lasts + run->extra_s;
		run->extra_s = 0;
	}
	if (item->round_up_s && p->until_s >= run->until_s && least % item->round_up_s)
		added += item->round_up_s - least % item->round_up_s;
	return added;
}

/* Passes a charge on; tiered ones wait for the account's end. */
static RESULT give(struct rating *r, struct ctx *c, const struct charge *charge)
{
	if (!charge->price->item->is_tiered)
		return r->config.each(r->config.arg, charge);
	struct charge kept = *charge;
	kept.meter = str_copy(r->of_account, charge->meter);
	return kept.meter.p && VEC_PUSH(r->of_account, &r->tiered, kept) ? OK : ctx_no_memory(c);
}

static RESULT charge_piece(struct rating *r, struct ctx *c, struct run *run, const struct piece *p)
{
	const struct price *price = NULL;
	TRY(find_price(r, c, p, &price));
	if (!price)
		return say_unpriced(r);
	const struct price_item *item = price->item;
	if (!run->has_begun || run->unit != item->unit) {
		run->has_begun = true;
		run->unit = item->unit;
		run->billed = 0;
		run->quantity = 0;
	}
	int64_t seconds = run->from_s == run->until_s ? 0 : p->until_s - p->from_s;
	run->billed += counted(item, p->level) * (seconds + added_seconds(item, run, p));
	int64_t quantity = to_quantity(r, item->unit, run->billed);
	struct charge charge = {.account = r->account,
				.id = r->id,
				.kind = r->kind,
				.meter = r->price_name,
				.from_s = p->from_s,
				.until_s = p->until_s,
				.level = p->level,
				.seq = p->seq,
				.quantity = quantity - run->quantity,
				.measured = counted(item, p->level) * seconds,
				.price = price,
				.subject = p->subject};
	run->quantity = quantity;
	return give(r, c, &charge);
}

/* ---- cutting ---- */

static const struct subject *subjects_of(const struct rating *r, uuid id, size_t *ret_count)
{
	const struct subject *all = r->config.subjects;
	size_t from = 0, until = r->config.subject_count, end = 0;
	while (from < until) {
		size_t middle = from + (until - from) / 2;
		if (uuid_compare(all[middle].id, id) < 0)
			from = middle + 1;
		else
			until = middle;
	}
	for (end = from; end < r->config.subject_count && uuid_equal(all[end].id, id); end++)
		;
	*ret_count = end - from;
	return all + from;
}

/* The resource's name at that second, and its end of validity. Before the first record, that record
 * applies. */
static const struct subject *subject_at(const struct rating *r, int64_t at_s, int64_t *until_s)
{
	size_t count = 0, k = 0;
	const struct subject *of = subjects_of(r, r->id, &count);
	while (k + 1 < count && of[k + 1].at_us / SECOND <= at_s)
		k++;
	if (k + 1 < count && of[k + 1].at_us / SECOND < *until_s)
		*until_s = of[k + 1].at_us / SECOND;
	return count ? &of[k] : NULL;
}

/* Charges part of a run with one level, within the month. */
static RESULT charge_level(struct rating *r, struct ctx *c, struct run *run, struct piece part)
{
	int64_t end_s = part.until_s;
	while (part.from_s < end_s) {
		int64_t day_end = (part.from_s / DAY_S + 1) * DAY_S;
		int64_t price_end = price_book_next_change(r->config.book, part.from_s);
		part.until_s = day_end < end_s ? day_end : end_s;
		part.until_s = price_end < part.until_s ? price_end : part.until_s;
		part.subject = subject_at(r, part.from_s, &part.until_s);
		TRY(charge_piece(r, c, run, &part));
		part.from_s = part.until_s;
	}
	return OK;
}

/* ---- runs ---- */

static int64_t second_of(const struct level_change *change)
{
	return change->at_us / SECOND;
}

/* The end of a change's level. */
static int64_t end_of(const struct rating *r, size_t k)
{
	int64_t now_s = r->config.now_us / SECOND, from_s = second_of(&r->changes.at[k]);
	if (k + 1 < r->changes.count)
		return second_of(&r->changes.at[k + 1]);
	return now_s > from_s ? now_s : from_s;
}

/* Charges a run that began and ended within a second. It has no length, but its price may have a minimum:
 * this is passed to a run starting in the same second, else charged for that second. */
static RESULT charge_moment(struct rating *r, struct ctx *c, size_t first, struct run *run, int64_t *extra_s)
{
	const struct level_change *change = &r->changes.at[first];
	const struct month *m = &r->config.month;
	int64_t far = INT64_MAX;
	struct piece p = {.from_s = run->from_s,
			  .until_s = run->from_s + 1,
			  .level = change->level,
			  .seq = change->seq};
	const struct price *price = NULL;
	if (p.from_s < m->from_s || p.from_s >= m->until_s)
		return OK;
	p.subject = subject_at(r, p.from_s, &far);
	TRY(find_price(r, c, &p, &price));
	int64_t least = price ? price->item->minimum_s : 0;
	bool is_followed = false;
	for (size_t k = first + 1; price && k < r->changes.count && second_of(&r->changes.at[k]) == p.from_s;
	     k++)
		is_followed = is_followed || (k > first + 1 && r->changes.at[k].level > 0);
	if (!least && price && price->item->round_up_s)
		least = price->item->round_up_s;
	*extra_s = is_followed ? run->extra_s + least : 0;
	return least && !is_followed ? charge_piece(r, c, run, &p) : OK;
}

static RESULT charge_run(struct rating *r, struct ctx *c, size_t first, size_t end, int64_t *extra_s)
{
	const struct month *m = &r->config.month;
	struct run run = {.from_s = second_of(&r->changes.at[first]),
			  .until_s = end_of(r, end - 1),
			  .extra_s = *extra_s};
	*extra_s = 0;
	if (run.until_s == run.from_s)
		return charge_moment(r, c, first, &run, extra_s);
	for (size_t k = first; k < end; k++) {
		const struct level_change *change = &r->changes.at[k];
		struct piece part = {.from_s = second_of(change),
				     .until_s = end_of(r, k),
				     .level = change->level,
				     .seq = change->seq};
		part.from_s = part.from_s < m->from_s ? m->from_s : part.from_s;
		part.until_s = part.until_s > m->until_s ? m->until_s : part.until_s;
		TRY(charge_level(r, c, &run, part));
	}
	return OK;
}

/* ---- a series: one meter of one resource ---- */

static int compare_changes(const void *left, const void *right)
{
	const struct level_change *a = left, *b = right;
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static RESULT apply_fix(struct rating *r, struct ctx *c, const struct usage_fix *fix)
{
	const struct level_change added = {r->kind, r->id, r->meter, fix->at_us, fix->level, 0};
	if (!fix->wrong_seq)
		return VEC_PUSH(r->of_series, &r->changes, added) ? OK : ctx_no_memory(c);
	for (size_t k = 0; k < r->changes.count; k++)
		if (r->changes.at[k].seq == fix->wrong_seq) {
			r->changes.at[k].at_us = fix->at_us;
			r->changes.at[k].level = fix->level;
		}
	return OK;
}

static RESULT apply_fixes(struct rating *r, struct ctx *c)
{
	size_t from = 0, until = r->config.fix_count;
	while (from < until) {
		size_t middle = from + (until - from) / 2;
		if (uuid_compare(r->config.fixes[middle].id, r->id) < 0)
			from = middle + 1;
		else
			until = middle;
	}
	bool has_any = false;
	for (; from < r->config.fix_count && uuid_equal(r->config.fixes[from].id, r->id); from++) {
		const struct usage_fix *fix = &r->config.fixes[from];
		if (!str_equal(fix->meter, r->meter) || !uuid_equal(fix->account, r->account))
			continue;
		has_any = true;
		TRY(apply_fix(r, c, fix));
	}
	if (has_any)
		qsort(r->changes.at, r->changes.count, sizeof *r->changes.at, compare_changes);
	return OK;
}

/* ---- counters ---- */

/* A counter's growth during one day, under one version of the price lists and one name. */
struct counted_piece {
	struct piece piece; /* level in bytes */
	int64_t ends_s;     /* end of the time in which more may be added */
};

static RESULT charge_counted(struct rating *r, struct ctx *c, struct run *run,
			     const struct counted_piece *counted)
{
	const struct piece *p = &counted->piece;
	const struct price *price = NULL;
	if (p->level <= 0)
		return OK;
	TRY(find_price(r, c, p, &price));
	if (!price)
		return say_unpriced(r);
	run->billed += p->level;
	int64_t quantity = to_quantity(r, price->item->unit, run->billed);
	const struct charge charge = {.account = r->account,
				      .id = r->id,
				      .kind = r->kind,
				      .meter = r->price_name,
				      .from_s = p->from_s,
				      .until_s = p->until_s,
				      .level = p->level,
				      .seq = p->seq,
				      .quantity = quantity - run->quantity,
				      .measured = p->level,
				      .price = price,
				      .subject = p->subject};
	run->quantity = quantity;
	return give(r, c, &charge);
}

/* Charges a counter. Each record contains the counter's value. Its growth since the previous record belongs
 * to the day in which that interval began, at most an hour earlier, because a changing counter is recorded
 * hourly. The first record is the starting value; a value below the previous one means the counter
 * restarted. */
static RESULT charge_counter(struct rating *r, struct ctx *c)
{
	const struct month *m = &r->config.month;
	struct run run = {.from_s = m->from_s};
	struct counted_piece open = {.ends_s = INT64_MIN};
	for (size_t k = 1; k < r->changes.count; k++) {
		const struct level_change *before = &r->changes.at[k - 1], *change = &r->changes.at[k];
		int64_t bytes =
			change->level >= before->level ? change->level - before->level : change->level;
		int64_t until_s = second_of(change), from_s = until_s - HOUR_S;
		from_s = second_of(before) > from_s ? second_of(before) : from_s;
		if (bytes <= 0 || from_s < m->from_s || from_s >= m->until_s)
			continue;
		if (from_s >= open.ends_s) {
			TRY(charge_counted(r, c, &run, &open));
			open.ends_s = (from_s / DAY_S + 1) * DAY_S;
			int64_t price_end_s = price_book_next_change(r->config.book, from_s);
			open.ends_s = price_end_s < open.ends_s ? price_end_s : open.ends_s;
			open.piece = (struct piece){.from_s = from_s, .seq = change->seq};
			open.piece.subject = subject_at(r, from_s, &open.ends_s);
		}
		open.piece.level += bytes;
		open.piece.until_s = until_s < open.ends_s ? until_s : open.ends_s;
		open.piece.until_s += open.piece.until_s == open.piece.from_s;
	}
	return charge_counted(r, c, &run, &open);
}

static bool is_counter(const struct rating *r)
{
	const struct meter_info *meter = meter_info_find(r->meter);
	return meter && meter->units == UNIT(GB);
}

static RESULT end_series(struct rating *r, struct ctx *c)
{
	int64_t extra_s = 0;
	if (!r->changes.count)
		return OK;
	TRY(apply_fixes(r, c));
	if (is_counter(r))
		return charge_counter(r, c);
	for (size_t k = 0, end = 0; k < r->changes.count; k = end) {
		end = k + 1;
		if (r->changes.at[k].level <= 0)
			continue;
		while (end < r->changes.count && r->changes.at[end].level > 0)
			end++;
		TRY(charge_run(r, c, k, end, &extra_s));
	}
	return OK;
}

static RESULT begin_series(struct rating *r, struct ctx *c, const struct level_change *change)
{
	arena_reset(r->of_series);
	memset(&r->changes, 0, sizeof r->changes);
	r->known.is_known = false;
	r->has_said_unpriced = false;
	r->kind = change->kind;
	r->id = change->id;
	r->meter = str_copy(r->of_series, change->meter);
	r->price_name = meter_info_price_name(r->of_series, r->meter);
	return r->meter.p && r->price_name.p ? OK : ctx_no_memory(c);
}

/* ---- accounts ---- */

RESULT rating_new(struct ctx *c, const struct rating_config *config, struct rating **ret_rating)
{
	AUTO(rating) r = heap_new(struct rating);
	if (!r)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for rating");
	r->config = *config;
	r->of_account = arena_new(SCRATCH_FIRST, SCRATCH_CAP);
	r->of_series = arena_new(SCRATCH_FIRST, SCRATCH_CAP);
	if (!r->of_account || !r->of_series)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for rating");
	*ret_rating = TAKE(r);
	return OK;
}

void rating_free(struct rating *r)
{
	if (!r)
		return;
	arena_free(r->of_account);
	arena_free(r->of_series);
	heap_free(r);
}

RESULT rating_begin(struct rating *r, struct ctx *c, uuid account, const struct payer *payer)
{
	(void) c;
	arena_reset(r->of_account);
	memset(&r->tiered, 0, sizeof r->tiered);
	memset(&r->changes, 0, sizeof r->changes);
	r->account = account;
	r->payer = *payer;
	return OK;
}

RESULT rating_take(struct rating *r, struct ctx *c, const struct level_change *change)
{
	bool is_new =
		!r->changes.count || !uuid_equal(r->id, change->id) || !str_equal(r->meter, change->meter);
	if (is_new) {
		TRY(end_series(r, c));
		TRY(begin_series(r, c, change));
	}
	struct level_change kept = *change;
	kept.meter = r->meter;
	return VEC_PUSH(r->of_series, &r->changes, kept) ? OK : ctx_no_memory(c);
}

RESULT rating_end(struct rating *r, struct ctx *c)
{
	TRY(end_series(r, c));
	memset(&r->changes, 0, sizeof r->changes);
	return tiers_apply(r->tiered.at, r->tiered.count, r->config.each, r->config.arg);
}
