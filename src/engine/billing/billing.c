/* SPDX-License-Identifier: Apache-2.0
 * Reads the inputs of rating, and rates. */
#include "engine/billing/billing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/vec.h"
#include "engine/billing/elsewhere.h"
#include "model/licence.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/ledger.h"

enum { DOMAINS_DEEP = 8, OWNERS_MAX = 3 + 2 * DOMAINS_DEEP };
#define HISTORY_CAP ((size_t) 1 << 30)

/* ---- price lists ---- */

struct lists_reading {
	struct ctx *c;
	VEC(struct price_list) lists;
	int64_t closed_until_s;
};

static RESULT take_list(void *arg, const struct ledger_record *record)
{
	struct lists_reading *r = arg;
	struct price_list list = {0};
	TRY(price_list_read(r->c, record->text, &list));
	return VEC_PUSH(r->c->arena, &r->lists, list) ? OK : ctx_no_memory(r->c);
}

static RESULT take_closed(void *arg, const struct ledger_record *record)
{
	struct lists_reading *r = arg;
	if (record->level / SECOND > r->closed_until_s)
		r->closed_until_s = record->level / SECOND;
	return OK;
}

static RESULT read_lists(struct lists_reading *r, struct store *s)
{
	const struct ledger_query prices = {.type = LEDGER_PRICES, .from_us = LEDGER_ANY_TIME};
	const struct ledger_query closed = {.type = LEDGER_CLOSED, .from_us = LEDGER_ANY_TIME};
	TRY(store_read_ledger(s, r->c, &prices, take_list, r));
	return store_read_ledger(s, r->c, &closed, take_closed, r);
}

RESULT billing_read_book(struct ctx *c, struct store *s, struct price_book *ret_book,
			 int64_t *ret_closed_until_s)
{
	struct lists_reading r = {.c = c};
	TRY(read_lists(&r, s));
	*ret_closed_until_s = r.closed_until_s;
	return price_book_make(c, r.lists.at, r.lists.count, ret_book);
}

/* ---- a month ---- */

struct billing {
	struct ctx *c;
	const struct billing_query *query;
	billing_each each;
	billing_unpriced unpriced;
	void *arg;
	struct price_book book;
	struct elsewhere elsewhere;
	VEC(struct subject) subjects;
	VEC(struct usage_fix) fixes;
	VEC(struct billed) accounts; /* sorted by id */
	VEC(struct billed) domains;
	struct commitments commitments;
	struct committing *committing;
	struct rating *rating;
	const struct billed *current;
	bool has_account;
	enum kind kind;
};

static int compare_billed(const void *left, const void *right)
{
	return uuid_compare(((const struct billed *) left)->account,
			    ((const struct billed *) right)->account);
}

/* A domain's id and name: price lists name owners and sellers by either. */
static struct str *add_domain_words(struct billing *b, const struct domain *d, struct str *at)
{
	*at++ = uuid_to_str(b->c->arena, d->row.id);
	*at++ = str_copy(b->c->arena, d->name);
	return at;
}

/* The path from a domain up to its issuer: the topmost billing account below the issuer, and the owners of
 * price lists. */
struct way {
	const struct domain *payer;
	struct str *at;
};

/* Returns where the path ends: the issuer, or NULL. */
static const struct domain *go_up(struct billing *b, const struct tables *t, const struct domain *d,
				  const struct domain *issuer, struct str *owners, struct way *way)
{
	for (int depth = 0; d && depth < DOMAINS_DEEP && d != issuer; depth++) {
		if (way->payer && way->payer->is_billed && d->is_billed)
			way->at = owners; /* what is below pays to this one */
		way->at = add_domain_words(b, d, way->at);
		way->payer = d->is_billed || !way->payer ? d : way->payer;
		d = domain_find(t, d->reseller);
	}
	return d;
}

/* Finds the payer of the domain's usage to the query's issuer, and the owners of the price lists. own: the
 * number of owners already in the list. Excludes usage that a billing account in between bills. */
static RESULT find_payer(struct billing *b, const struct tables *t, const struct domain *domain,
			 struct str *owners, size_t own, struct billed *billed)
{
	struct str *sellers = arena_new_array(b->c->arena, struct str, 2);
	const struct domain *issuer = domain_find(t, b->query->issuer);
	struct way way = {.at = owners + own};
	if (!sellers)
		return ctx_no_memory(b->c);
	const struct domain *end = go_up(b, t, domain, issuer, owners, &way);
	billed->payer.owners = (struct strs){owners, (size_t) (way.at - owners)};
	if (issuer)
		billed->payer.sellers =
			(struct strs){sellers, (size_t) (add_domain_words(b, issuer, sellers) - sellers)};
	if (!way.payer || end != issuer || (issuer && !way.payer->is_billed))
		return OK; /* the customer of another issuer */
	billed->bill_to = way.payer->row.id;
	billed->bill_name = str_copy(b->c->arena, way.payer->name);
	return OK;
}

static RESULT add_domain(struct billing *b, const struct tables *t, const struct domain *domain)
{
	struct arena *a = b->c->arena;
	struct billed billed = {.domain = domain->row.id, .domain_name = str_copy(a, domain->name)};
	struct str *owners = arena_new_array(a, struct str, OWNERS_MAX);
	if (!owners)
		return ctx_no_memory(b->c);
	TRY(find_payer(b, t, domain, owners, 0, &billed));
	return VEC_PUSH(a, &b->domains, billed) ? OK : ctx_no_memory(b->c);
}

static RESULT find_billed(struct billing *b, const struct tables *t, const struct account *account,
			  struct billed *ret_billed)
{
	struct arena *a = b->c->arena;
	const struct domain *domain = domain_find(t, account->domain);
	struct str *owners = arena_new_array(a, struct str, OWNERS_MAX);
	*ret_billed = (struct billed){.account = account->row.id,
				      .domain = account->domain,
				      .number = str_copy(a, account->number),
				      .name = str_copy(a, account->name),
				      .domain_name = domain ? str_copy(a, domain->name) : STR_NONE};
	if (!owners)
		return ctx_no_memory(b->c);
	owners[0] = ret_billed->number;
	owners[1] = uuid_to_str(a, ret_billed->account);
	owners[2] = ret_billed->name;
	return find_payer(b, t, domain, owners, 3, ret_billed);
}

static RESULT add_account(struct billing *b, const struct tables *t, const struct account *account)
{
	struct billed billed;
	TRY(find_billed(b, t, account, &billed));
	return VEC_PUSH(b->c->arena, &b->accounts, billed) ? OK : ctx_no_memory(b->c);
}

RESULT billing_find_payer(struct ctx *c, const struct tables *t, const struct account *account, uuid issuer,
			  struct payer *ret_payer)
{
	const struct billing_query query = {.issuer = issuer};
	struct billing b = {.c = c, .query = &query};
	struct billed billed;
	TRY(find_billed(&b, t, account, &billed));
	*ret_payer = billed.payer;
	return OK;
}

static RESULT read_accounts(struct billing *b, struct store *s)
{
	AUTO_VIEW view = {0};
	view_open(s, &view);
	for (const struct account *a = account_first(view.tables); a; a = account_next(view.tables, a))
		TRY(add_account(b, view.tables, a));
	for (const struct domain *d = domain_first(view.tables); d; d = domain_next(view.tables, d))
		TRY(add_domain(b, view.tables, d));
	if (b->query->is_elsewhere)
		TRY(elsewhere_read(b->c, view.tables, &b->elsewhere));
	view_close(&view);
	if (b->accounts.count)
		qsort(b->accounts.at, b->accounts.count, sizeof *b->accounts.at,
		      compare_billed); /* for begin_account() */
	return OK;
}

static RESULT take_subject(void *arg, const struct ledger_record *record)
{
	struct billing *b = arg;
	struct str text = str_copy(b->c->arena, record->text);
	struct subject subject = {
		.id = record->id, .at_us = record->at_us, .name = str_copy(b->c->arena, record->name)};
	struct str *const lines[] = {&subject.zone, &subject.tags, &subject.cloud, &subject.region,
				     &subject.ref};
	for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
		(void) str_split_next(&text, '\n', lines[k]);
	return VEC_PUSH(b->c->arena, &b->subjects, subject) ? OK : ctx_no_memory(b->c);
}

static RESULT take_fix(void *arg, const struct ledger_record *record)
{
	struct billing *b = arg;
	if (b->query->as_of_us && record->at_us >= b->query->as_of_us)
		return OK;
	struct usage_fix fix = {.id = record->id,
				.account = record->account,
				.meter = str_copy(b->c->arena, record->name),
				.wrong_seq = record->number,
				.at_us = record->from_us,
				.level = record->level,
				.seq = record->seq};
	return VEC_PUSH(b->c->arena, &b->fixes, fix) ? OK : ctx_no_memory(b->c);
}

static RESULT each_charge(void *arg, const struct charge *charge)
{
	struct billing *b = arg;
	return committing_take(b->committing, b->current, &b->current->payer, charge);
}

static RESULT each_committed(void *arg, const void *who, const struct charge *charge)
{
	struct billing *b = arg;
	return b->each(b->arg, who, charge);
}

static RESULT price_otherwise(void *arg, struct ctx *c, uuid account, struct str meter,
			      const struct price **ret_price)
{
	struct billing *b = arg;
	return elsewhere_price(c, &b->elsewhere, account, meter, ret_price);
}

static RESULT each_unpriced(void *arg, uuid account, uuid id, struct str meter)
{
	struct billing *b = arg;
	(void) account;
	return b->unpriced ? b->unpriced(b->arg, b->current, b->kind, id, meter) : OK;
}

/* Restores the identity of a deleted account from the ledger. */
static void remember(struct billing *b, uuid account, struct billed *ret)
{
	*ret = (struct billed){.account = account,
			       .bill_to = uuid_is_none(b->query->issuer) ? DOMAIN_DEFAULT : UUID_NONE};
	for (size_t k = 0; k < b->subjects.count; k++) {
		const struct subject *s = &b->subjects.at[k];
		if (!uuid_equal(s->id, account))
			continue;
		ret->name = s->name;
		ret->number = s->zone;
		if (!result_is_ok(uuid_parse(s->tags, &ret->domain)))
			ret->domain = UUID_NONE;
	}
	for (size_t k = 0; k < b->domains.count; k++) {
		const struct billed *d = &b->domains.at[k];
		if (!uuid_equal(d->domain, ret->domain))
			continue;
		ret->domain_name = d->domain_name;
		ret->payer = d->payer;
		ret->bill_to = d->bill_to;
		ret->bill_name = d->bill_name;
	}
}

static RESULT begin_account(struct billing *b, uuid account)
{
	const struct billed key = {.account = account};
	const struct billed *known =
		bsearch(&key, b->accounts.at, b->accounts.count, sizeof key, compare_billed);
	if (b->has_account)
		TRY(rating_end(b->rating, b->c));
	struct billed *nobody = known ? NULL : arena_new_object(b->c->arena, struct billed);
	if (!known && !nobody)
		return ctx_no_memory(b->c);
	if (nobody)
		remember(b, account, nobody);
	b->has_account = true;
	b->current = known ? known : nobody;
	return rating_begin(b->rating, b->c, account, &b->current->payer);
}

static bool is_asked_for(const struct billing *b)
{
	uuid to = b->current->bill_to;
	return !uuid_is_none(to) && (uuid_is_none(b->query->bill_to) || uuid_equal(to, b->query->bill_to));
}

static RESULT take_usage(void *arg, const struct usage *usage)
{
	struct billing *b = arg;
	if (str_starts_with(usage->meter, STR(LICENCE_USE_PREFIX)))
		return OK; /* a licence's use has no price */
	if (str_starts_with(usage->meter, STR(REMOTE_USE_PREFIX)) != b->query->is_elsewhere)
		return OK;
	const struct level_change change = {usage->kind,  usage->id,    usage->meter,
					    usage->at_us, usage->level, usage->seq};
	if (!b->has_account || !uuid_equal(b->current->account, usage->account))
		TRY(begin_account(b, usage->account));
	if (!is_asked_for(b))
		return OK;
	TRY(rating_take(b->rating, b->c, &change));
	b->kind = usage->kind;
	return OK;
}

/* ---- commitments ---- */

struct commitments_reading {
	struct ctx *c;
	VEC(struct commitment) found;
};

static RESULT take_commitment(void *arg, const struct ledger_record *record)
{
	struct commitments_reading *r = arg;
	struct commitment k;
	TRY(commitment_read(r->c, record->text, &k));
	k.id = record->id;
	k.name = str_copy(r->c->arena, record->name);
	return k.name.p && VEC_PUSH(r->c->arena, &r->found, k) ? OK : ctx_no_memory(r->c);
}

/* Sorted by start, then by id: the order in which equal commitments apply. */
static int compare_commitments(const void *left, const void *right)
{
	const struct commitment *a = left, *b = right;
	if (a->from_s != b->from_s)
		return a->from_s < b->from_s ? -1 : 1;
	return uuid_compare(a->id, b->id);
}

RESULT billing_read_commitments(struct ctx *c, struct store *s, struct commitments *ret_commitments)
{
	struct commitments_reading r = {.c = c};
	const struct ledger_query query = {.type = LEDGER_COMMITMENT, .from_us = LEDGER_ANY_TIME};
	TRY(store_read_ledger(s, c, &query, take_commitment, &r));
	if (r.found.count)
		qsort(r.found.at, r.found.count, sizeof *r.found.at, compare_commitments);
	*ret_commitments = (struct commitments){r.found.at, r.found.count};
	return OK;
}

/* True if the commitment is the account's or domain's own, and it pays the issuer itself. */
static bool is_owned_by(const struct billed *billed, const struct commitment *k)
{
	bool is_account = !uuid_is_none(billed->account), is_among = false;
	char id[UUID_TEXT_SIZE];
	uuid_write(is_account ? billed->account : billed->domain, id);
	for (size_t n = 0; !is_among && n < billed->payer.owners.count; n++)
		is_among = str_equal(billed->payer.owners.at[n], k->owner);
	return is_among && (str_is(k->owner, id) || (is_account && str_equal(k->owner, billed->number)) ||
			    str_equal(k->owner, is_account ? billed->name : billed->domain_name));
}

/* The owner of a commitment, or NULL if the owner does not pay the issuer. */
static const struct billed *find_owner(const struct billing *b, const struct commitment *k)
{
	for (size_t n = 0; n < b->accounts.count; n++)
		if (is_owned_by(&b->accounts.at[n], k))
			return &b->accounts.at[n];
	for (size_t n = 0; n < b->domains.count; n++)
		if (is_owned_by(&b->domains.at[n], k))
			return &b->domains.at[n];
	return NULL;
}

static bool pays(const struct billing *b, const struct billed *owner)
{
	bool is_wanted = uuid_is_none(b->query->account) || uuid_equal(owner->account, b->query->account);
	bool is_payer = uuid_is_none(b->query->bill_to) || uuid_equal(owner->bill_to, b->query->bill_to);
	return !uuid_is_none(owner->bill_to) && is_wanted && is_payer;
}

static RESULT read_commitments(struct billing *b, struct store *s)
{
	const struct month *m = &b->query->month;
	struct commitments all = {0};
	size_t kept = 0;
	TRY(billing_read_commitments(b->c, s, &all));
	for (size_t n = 0; n < all.count; n++) {
		struct commitment k = all.at[n];
		const struct billed *owner = find_owner(b, &k);
		k.who = owner;
		if (k.from_s < m->until_s && k.until_s > m->from_s && owner && pays(b, owner))
			all.at[kept++] = k;
	}
	b->commitments = (struct commitments){all.at, kept};
	return OK;
}

static RESULT read_history(struct billing *b, struct store *s)
{
	struct lists_reading lists = {.c = b->c};
	const struct ledger_query subjects = {.type = LEDGER_SUBJECT, .from_us = LEDGER_ANY_TIME};
	const struct ledger_query fixes = {.type = LEDGER_FIX, .from_us = LEDGER_ANY_TIME};
	TRY(read_lists(&lists, s));
	if (b->query->tried && !VEC_PUSH(b->c->arena, &lists.lists, *b->query->tried))
		return ctx_no_memory(b->c);
	TRY(price_book_make(b->c, lists.lists.at, lists.lists.count, &b->book));
	TRY(read_accounts(b, s));
	TRY(store_read_ledger(s, b->c, &subjects, take_subject, b));
	TRY(store_read_ledger(s, b->c, &fixes, take_fix, b));
	return b->query->is_bare ? OK : read_commitments(b, s);
}

static RESULT rate(struct billing *b, struct store *s)
{
	const struct usage_query usage = {.account = b->query->account, .before_us = INT64_MAX};
	TRY(read_history(b, s));
	const struct rating_config config = {.book = &b->book,
					     .month = b->query->month,
					     .now_us = b->query->now_us,
					     .subjects = b->subjects.at,
					     .subject_count = b->subjects.count,
					     .fixes = b->fixes.at,
					     .fix_count = b->fixes.count,
					     .each = each_charge,
					     .unpriced = each_unpriced,
					     .otherwise = b->query->is_elsewhere ? price_otherwise : NULL,
					     .arg = b};
	int64_t now_s = b->query->now_us / SECOND;
	const struct committing_config committing = {
		.at = b->commitments.at,
		.count = b->commitments.count,
		.month = b->query->month,
		.until_s = now_s < b->query->month.until_s ? now_s : b->query->month.until_s,
		.each = each_committed,
		.arg = b};
	TRY(committing_new(b->c, &committing, &b->committing));
	TRY(rating_new(b->c, &config, &b->rating));
	TRY(store_read_usage(s, b->c, &usage, take_usage, b));
	if (b->has_account)
		TRY(rating_end(b->rating, b->c));
	return committing_end(b->committing);
}

RESULT billing_rate(struct ctx *c, struct store *s, const struct billing_query *query, billing_each each,
		    billing_unpriced unpriced, void *arg)
{
	AUTO(arena) history = arena_new(ARENA_FIRST_SIZE, HISTORY_CAP);
	struct ctx own = *c;
	struct billing b = {.c = &own, .query = query, .each = each, .unpriced = unpriced, .arg = arg};
	if (!history)
		return ctx_no_memory(c);
	own.arena = history;
	struct result result = rate(&b, s);
	rating_free(b.rating);
	if (result_is_ok(result))
		return OK;
	struct str words = own.problem.message; /* in the history's arena, or in the caller's */
	if (!c->problem.message.n && words.n)
		return ctx_fail(c, result.code, "%" STR_FMT, STR_ARG(words));
	return result;
}

/* ---- closed periods ---- */

static RESULT take_closing(void *arg, const struct ledger_record *record)
{
	struct closed_month *closed = arg;
	closed->closed_us = record->at_us;
	closed->count = record->number;
	return str_parse_int(record->name, &closed->run);
}

struct digest_reading {
	struct closed_month *closed;
	struct ctx *c;
};

static RESULT take_digest(void *arg, const struct ledger_record *record)
{
	struct digest_reading *r = arg;
	r->closed->digest = str_copy(r->c->arena, record->text);
	return take_closing(r->closed, record);
}

RESULT billing_find_closed(struct ctx *c, struct store *s, struct month month,
			   struct closed_month *ret_closed)
{
	struct closed_month closed = {0};
	struct digest_reading r = {&closed, c};
	const struct ledger_query query = {.type = LEDGER_CLOSED, .from_us = month.from_s * SECOND};
	TRY(store_read_ledger(s, c, &query, take_digest, &r));
	if (!closed.closed_us)
		return ctx_fail(c, ERR_NOT_FOUND, "the billing period %s is not closed", month.text);
	*ret_closed = closed;
	return OK;
}
