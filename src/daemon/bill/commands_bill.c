/* SPDX-License-Identifier: Apache-2.0
 * dari bill …: shows a month's costs, closes the month, and exports it (bill_export.c). Also traces a charge:
 * its price, and its records in the usage log. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "daemon/bill/bill.h"
#include "engine/billing/elsewhere.h"
#include "metering/tally.h"
#include "model/domain.h"
#include "store/account.h"
#include "store/ledger.h"

enum { LINES_SHOWN = 10000, CHARGES_AT_ONCE = 2000, GRACE_HOURS = 72, GRACE_MAX_HOURS = 24 * 365 };
#define STATEMENT_CAP ((size_t) 256 << 20)

/* ---- monthly statements ---- */

struct statement {
	struct ctx c;
	struct tally tally;
	struct str account; /* number of the requested account; empty: all */
	size_t unpriced;
};

static RESULT add_line(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct statement *s = arg;
	char key[512];
	const struct price *p = charge->price;
	if (s->account.n && !str_equal(s->account, billed->number))
		return OK;
	int n = snprintf(key, sizeof key, "%.*s\t%.*s\t%.*s%u", STR_ARG(billed->number),
			 STR_ARG(p->item->sku), STR_ARG(str_slice(p->id, 0, 300)), charge->tier + 1);
	struct tally_line *line = tally_find(&s->tally, (struct str){key, (size_t) n});
	if (!line)
		return ctx_no_memory(&s->c);
	if (!line->data) {
		struct statement_price *price = arena_new_object(s->c.arena, struct statement_price);
		if (!price)
			return ctx_no_memory(&s->c);
		*price = (struct statement_price){p->own[charge->tier], p->item->unit,
						  str_copy(s->c.arena, p->currency)};
		line->data = price;
	}
	line->quantity += charge->quantity;
	line->cost += charge_cost(charge);
	line->list += charge_list_cost(charge);
	return OK;
}

static RESULT count_unpriced(void *arg, const struct billed *billed, enum kind kind, uuid id,
			     struct str meter)
{
	(void) billed;
	(void) kind;
	(void) id;
	(void) meter;
	((struct statement *) arg)->unpriced++;
	return OK;
}

static void say_line(struct command_call *call, const struct tally_line *line, money *sum)
{
	char quantity[MONEY_TEXT_SIZE], price[MONEY_TEXT_SIZE], exact[MONEY_TEXT_SIZE],
		rounded[MONEY_TEXT_SIZE];
	const struct statement_price *p = line->data;
	struct str rest = line->key, account = STR_NONE, sku = STR_NONE;
	(void) str_split_next(&rest, '\t', &account);
	(void) str_split_next(&rest, '\t', &sku);
	money_write_micro(line->quantity, quantity);
	money_write_micro(p->price, price);
	money_write(line->cost, exact);
	money_write_fixed(line->cost, money_decimals(p->currency), rounded);
	*sum += money_round(line->cost, money_decimals(p->currency));
	buf_print(&call->text, "%-12.*s  %-24.*s %16s %-12s x %-10s %14s %.*s\n", STR_ARG(account),
		  STR_ARG(sku), quantity, unit_infos[p->unit].focus, price, rounded, STR_ARG(p->currency));
	(void) json_array_append_new(call->value,
				     json_pack("{s:s%, s:s%, s:s%, s:s, s:s, s:s, s:s, s:s, s:s%}", "account",
					       account.p, account.n, "sku", sku.p, sku.n, "price_id", rest.p,
					       rest.n, "quantity", quantity, "unit",
					       unit_infos[p->unit].focus, "price", price, "exact", exact,
					       "amount", rounded, "currency", p->currency.p, p->currency.n));
}

static RESULT bill_month(struct command_call *call)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, STATEMENT_CAP);
	int64_t now_us = clock_now_us();
	struct billing_query query = {.now_us = now_us};
	TRY(command_month_arg(call, month_of(now_us / SECOND), &query.month));
	if (!arena)
		return ctx_no_memory(&call->ctx);
	struct statement s = {.tally.arena = arena, .account = command_arg(call, "account")};
	ctx_init(&s.c, arena);
	TRY(billing_rate_all(&call->ctx, call->daemon->store, &query, add_line, count_unpriced, &s));
	tally_sort(&s.tally);
	money sum = 0;
	char total[MONEY_TEXT_SIZE];
	call->value = json_array();
	for (size_t k = 0; k < s.tally.count && k < LINES_SHOWN; k++)
		say_line(call, &s.tally.lines[k], &sum);
	buf_print(&call->text, "%s: %zu lines, %s in all; each line is rounded once\n", query.month.text,
		  s.tally.count, money_write(sum, total));
	if (s.unpriced)
		buf_print(
			&call->text,
			"Meters without a price, which are not billed: %zu. `dari prices load FILE` loads a "
			"price list, which docs/metering.md describes.\n",
			s.unpriced);
	return OK;
}

/* ---- closing ---- */

struct closing {
	struct command_call *call;
	struct crypto_digest *digest;
	struct arena *arena; /* for waiting charges */
	struct ctx c;
	VEC(struct kept_charge) waiting;
	struct month month;
	int64_t run;
	size_t count;
	struct str hex;    /* the final digest */
	bool keeps;        /* writes the charges; otherwise only calculates the digest */
	struct str issuer; /* issuer of these charges' invoices; empty: the operator */
};

static RESULT flush_charges(struct closing *k)
{
	struct charges_wish wish = {k->month, k->run, k->waiting.at, k->waiting.count};
	if (k->keeps && wish.count)
		TRY(store_commit(k->call->daemon->store, &k->call->ctx, "dari:bill close",
				 engine_keep_charges_run, &wish));
	arena_reset(k->arena);
	memset(&k->waiting, 0, sizeof k->waiting);
	return OK;
}

/* Collects charges, because the log is being read meanwhile; they are written between two accounts or
 * later. */
static RESULT keep_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct closing *k = arg;
	struct kept_charge kept = {billed->account, charge->id, billing_charge_key(&k->c, charge),
				   billing_charge_values(&k->c, charge)};
	if (k->issuer.n && kept.key.p)
		kept.key =
			str_print(k->c.arena, "%" STR_FMT "%" STR_FMT, STR_ARG(k->issuer), STR_ARG(kept.key));
	if (!kept.key.p || !kept.values.p)
		return ctx_no_memory(&k->c);
	crypto_digest_add(k->digest, uuid_to_str(k->c.arena, kept.account));
	crypto_digest_add(k->digest, STR(" "));
	crypto_digest_add(k->digest, kept.key);
	crypto_digest_add(k->digest, STR(" "));
	crypto_digest_add(k->digest, kept.values);
	crypto_digest_add(k->digest, STR("\n"));
	k->count++;
	if (!VEC_PUSH(k->c.arena, &k->waiting, kept))
		return ctx_no_memory(&k->c);
	return k->waiting.count >= CHARGES_AT_ONCE ? flush_charges(k) : OK;
}

static RESULT rate_closing(struct closing *k, int64_t now_us)
{
	struct command_call *call = k->call;
	struct billing_query query = {.month = k->month, .now_us = now_us, .as_of_us = now_us};
	struct domains issuers = {0};
	TRY(billing_rate_all(&call->ctx, call->daemon->store, &query, keep_charge, NULL, k));
	TRY(bill_list_issuers(call, &issuers));
	for (size_t n = 0; n < issuers.count; n++) {
		query.issuer = issuers.at[n].row.id;
		k->issuer = str_print(call->ctx.arena, "%" STR_FMT ">",
				      STR_ARG(uuid_to_str(call->ctx.arena, query.issuer)));
		TRY(billing_rate_all(&call->ctx, call->daemon->store, &query, keep_charge, NULL, k));
	}
	TRY(flush_charges(k));
	k->hex = crypto_digest_end(k->digest, call->ctx.arena);
	return k->hex.p ? OK : ctx_no_memory(&call->ctx);
}

static RESULT digest_month(struct command_call *call, struct month month, int64_t now_us, bool keeps,
			   struct closing *ret)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, STATEMENT_CAP);
	if (!arena)
		return ctx_no_memory(&call->ctx);
	*ret = (struct closing){.call = call, .arena = arena, .month = month, .run = now_us, .keeps = keeps};
	ctx_init(&ret->c, arena);
	if (!(ret->digest = crypto_digest_new(CRYPTO_SHA256)))
		return ctx_no_memory(&call->ctx);
	struct result result = rate_closing(ret, now_us);
	crypto_digest_free(ret->digest);
	return result;
}

static RESULT may_close(struct command_call *call, struct month month, int64_t now_us)
{
	struct ctx *c = &call->ctx;
	struct closed_month closed;
	int64_t grace = 0;
	TRY(command_int_arg(call, "grace-hours", GRACE_HOURS, 0, GRACE_MAX_HOURS, &grace));
	if (now_us / SECOND < month.until_s + grace * 3600)
		return ctx_fail(c, ERR_STATE,
				"%s is not over for %" PRId64
				" hours, in which late events may still come in: "
				"--grace-hours says how many must have passed",
				month.text, grace);
	struct result found = billing_find_closed(c, call->daemon->store, month, &closed);
	if (result_is_ok(found))
		return ctx_fail(c, ERR_STATE, "the billing period %s is closed already", month.text);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(c);
	return OK;
}

static RESULT bill_close(struct command_call *call)
{
	struct month month;
	int64_t now_us = clock_now_us();
	struct closing k;
	TRY(month_parse(&call->ctx, command_arg(call, "month"), &month));
	TRY(may_close(call, month, now_us));
	struct invoices_wish invoices = {0};
	TRY(bill_draft_invoices(call, month, now_us,
				&invoices)); /* before anything is written, because it may fail */
	TRY(digest_month(call, month, now_us, true, &k));
	struct closing_wish wish = {.month = month, .run = k.run, .count = k.count, .digest = k.hex};
	invoices.closing = &wish;
	TRY(command_commit(call, "dari:bill close", engine_issue_invoices_run, &invoices));
	buf_print(&call->text, "%s is closed: %zu charges, sha256 %" STR_FMT "\n", month.text, k.count,
		  STR_ARG(wish.digest));
	json_t *numbers = json_array();
	for (size_t n = 0; n < invoices.numbers.count; n++) {
		struct str number = invoices.numbers.at[n];
		buf_print(&call->text, "invoice %" STR_FMT "\n", STR_ARG(number));
		(void) json_array_append_new(numbers, json_stringn(number.p, number.n));
	}
	call->value = json_pack("{s:s, s:I, s:s%, s:o}", "month", month.text, "charges", (json_int_t) k.count,
				"sha256", wish.digest.p, wish.digest.n, "invoices", numbers);
	return OK;
}

/* Verifies a closed month by rating it again without later corrections: the charges must be the same. */
static RESULT bill_verify(struct command_call *call)
{
	struct month month;
	struct closed_month closed;
	struct closing k;
	TRY(month_parse(&call->ctx, command_arg(call, "month"), &month));
	TRY(billing_find_closed(&call->ctx, call->daemon->store, month, &closed));
	TRY(digest_month(call, month, closed.run, false, &k));
	bool is_same = str_equal(k.hex, closed.digest);
	buf_print(&call->text,
		  is_same ? "%s: %zu charges, the same as when it was closed\n"
			  : "%s: %zu charges now; the log was corrected since it was closed\n",
		  month.text, k.count);
	call->value = json_pack("{s:b, s:I}", "same", (int) is_same, "charges", (json_int_t) k.count);
	call->status = !is_same;
	return OK;
}

/* ---- tracing charges ---- */

struct finding {
	struct command_call *call;
	struct str charge;
	bool is_found;
	uuid account, id;
	int64_t until_us;
};

static void say_charge(struct command_call *call, const struct billed *billed, const struct charge *charge)
{
	char quantity[MONEY_TEXT_SIZE], own[MONEY_TEXT_SIZE], list[MONEY_TEXT_SIZE], cost[MONEY_TEXT_SIZE],
		from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	const struct price *p = charge->price;
	money_write_micro(charge->quantity, quantity);
	money_write_micro(p->own[charge->tier], own);
	money_write_micro(p->list[charge->tier], list);
	money_write(charge_cost(charge), cost);
	clock_write_s(charge->from_s * SECOND, from);
	clock_write_s(charge->until_s * SECOND, until);
	buf_print(&call->text,
		  "%s until %s, account %" STR_FMT " (%" STR_FMT ")\n%s %s x %s = %s %" STR_FMT
		  "; list price %s\nprice %" STR_FMT "%u, item %" STR_FMT " in line %zu of its list\n",
		  from, until, STR_ARG(billed->number), STR_ARG(billed->name), quantity,
		  unit_infos[p->item->unit].focus, own, cost, STR_ARG(p->currency), list, STR_ARG(p->id),
		  charge->tier + 1, STR_ARG(p->item->sku), p->item->line);
	if (charge->commitment)
		buf_print(&call->text, "by the commitment %" STR_FMT ", %s\n",
			  STR_ARG(charge->commitment->name),
			  charge->is_unused             ? "which had it left"
			  : charge_is_committed(charge) ? "which paid for it"
							: "which it buys");
	if (charge->subject)
		buf_print(&call->text, "called \"%" STR_FMT "\" then, tags %" STR_FMT "\n",
			  STR_ARG(charge->subject->name), STR_ARG(charge->subject->tags));
	call->value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "from", from, "until", until, "quantity",
				quantity, "price", own, "cost", cost, "record", (json_int_t) charge->seq);
}

static RESULT look_at_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct finding *f = arg;
	if (f->is_found)
		return OK;
	struct str key = billing_charge_key(&f->call->ctx, charge);
	if (!key.p)
		return ctx_no_memory(&f->call->ctx);
	if (!str_equal(key, f->charge))
		return OK;
	f->is_found = true;
	f->account = billed->account;
	f->id = charge->id;
	f->until_us = charge->until_s * SECOND;
	say_charge(f->call, billed, charge);
	return OK;
}

static RESULT say_record(void *arg, const struct usage *usage)
{
	const struct finding *f = arg;
	char at[CLOCK_TEXT_SIZE];
	if (uuid_equal(usage->id, f->id))
		buf_print(&f->call->text, "  record %lld  %s  %-32.*s %lld\n", (long long) usage->seq,
			  clock_write_ms(usage->at_us, at), STR_ARG(usage->meter), (long long) usage->level);
	return OK;
}

static RESULT say_fix(void *arg, const struct ledger_record *record)
{
	const struct finding *f = arg;
	char at[CLOCK_TEXT_SIZE];
	buf_print(&f->call->text, "  corrects record %lld: %s  %-32.*s %lld (%" STR_FMT ")\n",
		  (long long) record->number, clock_write_ms(record->from_us, at), STR_ARG(record->name),
		  (long long) record->level, STR_ARG(record->text));
	return OK;
}

/* Finds the month in the third part of "i-…/instance:t3.micro/2026-10-05T00:00:00Z/1". */
static bool read_month(struct str charge, struct month *ret_month)
{
	struct str rest = charge, part = STR_NONE;
	int64_t at_us = 0;
	for (int k = 0; k < 3; k++)
		if (!str_split_next(&rest, '/', &part))
			return false;
	if (!result_is_ok(clock_parse(part, &at_us)))
		return false;
	*ret_month = month_of(at_us / SECOND);
	return true;
}

RESULT bill_explain(struct command_call *call, struct str charge)
{
	struct finding f = {.call = call, .charge = charge};
	struct billing_query query = {.now_us = clock_now_us()};
	struct store *store = call->daemon->store;
	if (!read_month(charge, &query.month))
		return ctx_fail(&call->ctx, ERR_NOT_FOUND, "nothing here is called %" STR_FMT,
				STR_ARG(charge));
	query.is_elsewhere = query.is_bare = str_contains(charge, STR("/" REMOTE_USE_PREFIX));
	TRY(billing_rate_all(&call->ctx, store, &query, look_at_charge, NULL, &f));
	if (!f.is_found)
		return ctx_fail(&call->ctx, ERR_NOT_FOUND, "no charge of %s is called %" STR_FMT,
				query.month.text, STR_ARG(charge));
	const struct usage_query usage = {.account = f.account, .before_us = f.until_us};
	const struct ledger_query fixes = {.type = LEDGER_FIX, .from_us = LEDGER_ANY_TIME, .id = f.id};
	buf_print(&call->text, "what the usage log says of it until then:\n");
	TRY(store_read_usage(store, &call->ctx, &usage, say_record, &f));
	return store_read_ledger(store, &call->ctx, &fixes, say_fix, &f);
}

/* ---- finding records ---- */

struct record_finding {
	struct str resource; /* the id as given */
	struct fix_wish *wish;
	bool is_found;
};

static bool is_called(const struct usage *usage, struct str id)
{
	char ec2[EC2_ID_TEXT_SIZE], whole[UUID_TEXT_SIZE];
	bool has_ec2 = id_kind_of_ec2(id) == usage->kind;
	return str_is(id, has_ec2 ? id_write_ec2(usage->kind, usage->id, ec2) : uuid_write(usage->id, whole));
}

static RESULT look_at_record(void *arg, const struct usage *usage)
{
	struct record_finding *f = arg;
	if (!is_called(usage, f->resource) || !str_equal(usage->meter, f->wish->meter) ||
	    (f->wish->wrong_seq && usage->seq != f->wish->wrong_seq))
		return OK;
	f->wish->id = usage->id;
	f->is_found = true;
	return OK;
}

static RESULT find_record(struct command_call *call, struct str resource, struct str account,
			  struct fix_wish *wish)
{
	struct record_finding f = {resource, wish, false};
	{
		AUTO_VIEW view = {0};
		view_open(call->daemon->store, &view);
		for (const struct account *a = account_first(view.tables); a;
		     a = account_next(view.tables, a))
			if (str_equal(a->number, account))
				wish->account = a->row.id;
	}
	if (uuid_is_none(wish->account))
		return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("account"),
				      "there is no account %" STR_FMT, STR_ARG(account));
	const struct usage_query usage = {.account = wish->account, .before_us = INT64_MAX};
	TRY(store_read_usage(call->daemon->store, &call->ctx, &usage, look_at_record, &f));
	return f.is_found ? OK
			  : ctx_fail(&call->ctx, ERR_NOT_FOUND,
				     "the log of account %" STR_FMT
				     " has no such record of that resource and meter",
				     STR_ARG(account));
}

/* ---- corrections and the clock ---- */

static RESULT bill_fix(struct command_call *call)
{
	struct fix_wish wish = {.meter = command_arg(call, "meter"), .reason = command_arg(call, "reason")};
	struct ctx *c = &call->ctx;
	TRY(command_int_arg(call, "record", 0, 0, INT64_MAX, &wish.wrong_seq));
	TRY(command_int_arg(call, "level", 0, 0, INT64_MAX, &wish.level));
	if (!result_is_ok(clock_parse(command_arg(call, "at"), &wish.at_us)) || wish.at_us > clock_now_us())
		return ctx_fail_field(c, ERR_INVALID, STR("at"),
				      "--at wants a time that was, as 2026-11-01T00:00:00Z");
	TRY(find_record(call, command_arg(call, "id"), command_arg(call, "account"), &wish));
	TRY(command_commit(call, "dari:bill fix", engine_fix_usage_run, &wish));
	buf_print(&call->text, "noted: the charges of an open month change; of a closed one, the difference "
			       "is charged this month\n");
	return OK;
}

static RESULT bill_confirm_clock(struct command_call *call)
{
	store_confirm_clock(call->daemon->store);
	buf_print(&call->text, "the clock is believed from the next record on\n");
	return OK;
}

const struct command bill_commands[] = {
	{"bill month",
	 "Shows the costs of a month by account, SKU and price.",
	 {{"month", PARAM_POSITIONAL, false, "The month, as 2026-10 (default: this one, until now)."},
	  {"account", PARAM_OPTION, false, "Account, by number."}},
	 .run = bill_month,
	 .is_anywhere = true},
	{"bill close",
	 "Closes a month: its charges are stored and never change. Later corrections are not part of it.",
	 {{"month", PARAM_POSITIONAL, true, "The month, as 2026-10."},
	  {"grace-hours", PARAM_OPTION, false,
	   "Hours that must have passed since the month's end (default: 72)."}},
	 .run = bill_close,
	 .is_anywhere = true},
	{"bill verify",
	 "Rates a closed month again and compares; exit status 1 on any difference.",
	 {{"month", PARAM_POSITIONAL, true, "The month, as 2026-10."}},
	 .run = bill_verify,
	 .is_anywhere = true},
	{"bill export",
	 "Exports a month as FOCUS: compressed CSV parts with a schema and a manifest.",
	 {{"month", PARAM_POSITIONAL, false, "The month, as 2026-10 (default: this one, until now)."},
	  {"to", PARAM_OPTION, true,
	   "file:///DIRECTORY, s3://BUCKET/PREFIX with the settings backup.s3_…, or https://HOST/PATH, which "
	   "takes PUT.",
	   false},
	  {"focus", PARAM_OPTION, false, "The version, 1.4 or 1.2 (default: 1.4)."},
	  {"account", PARAM_OPTION, false, "Account, by number."},
	  {"domain", PARAM_OPTION, false,
	   "Shows what this billing account pays to its own biller (default: what the operator bills)."}},
	 .run = bill_export},
	{"bill fix",
	 "Corrects the usage log: the level of a meter, or its start time.",
	 {{"id", PARAM_POSITIONAL, true, "The resource, by EC2's id or its UUID."},
	  {"meter", PARAM_OPTION, true, "Meter, such as instance:t3.micro."},
	  {"account", PARAM_OPTION, true, "Number of the owning account."},
	  {"at", PARAM_OPTION, true, "Start of the level, such as 2026-11-01T00:00:00Z."},
	  {"level", PARAM_OPTION, false, "The level (default: 0)."},
	  {"record", PARAM_OPTION, false, "Number of the wrong record (default: a record is missing)."},
	  {"reason", PARAM_OPTION, true, "Reason."}},
	 .run = bill_fix,
	 .is_anywhere = true},
	{"bill confirm-clock",
	 "Confirms the clock after it jumped. dari doctor shows whether that is needed.",
	 {{0}},
	 .run = bill_confirm_clock,
	 .is_anywhere = true},
	{0},
};
