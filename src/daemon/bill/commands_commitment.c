/* SPDX-License-Identifier: Apache-2.0
 * dari commitment …: fixed payments of accounts and domains, independent of use. */
#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "daemon/bill/bill.h"
#include "store/account.h"
#include "store/domain.h"

enum { MONTHS_MAX = 120, QUANTITY_MAX = 1000000 };

/* Adds months, keeping day and hour; in shorter months uses the last day. */
static int64_t add_months(int64_t at_s, int64_t months)
{
	time_t at = (time_t) at_s;
	struct tm tm;
	(void) gmtime_r(&at, &tm);
	int day = tm.tm_mday;
	tm.tm_mday = 1;
	tm.tm_mon += (int) months;
	(void) timegm(&tm); /* normalises the month */
	struct month month = month_of(timegm(&tm));
	int64_t days = (month.until_s - month.from_s) / DAY_S;
	return month.from_s + ((day <= days ? day : days) - 1) * DAY_S + at_s % DAY_S;
}

static RESULT time_arg(struct command_call *call, const char *name, int64_t *at_s)
{
	struct str text = command_arg(call, name);
	int64_t at_us = 0;
	if (!text.n)
		return OK;
	if (!result_is_ok(clock_parse(text, &at_us)) || at_us % (HOUR_S * SECOND))
		return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
				      "--%s wants a whole hour, as 2026-11-01T00:00:00Z", name);
	*at_s = at_us / SECOND;
	return OK;
}

RESULT command_micro_arg(struct command_call *call, const char *name, int64_t *ret_millionths)
{
	struct str text = command_arg(call, name);
	if (!text.n || result_is_ok(money_parse_micro(text, ret_millionths)))
		return OK;
	return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
			      "--%s wants a number that is not below 0, with six decimals at most", name);
}

static RESULT term_args(struct command_call *call, struct commitment *k)
{
	int64_t months = 0;
	TRY(time_arg(call, "from", &k->from_s));
	TRY(time_arg(call, "until", &k->until_s));
	TRY(command_int_arg(call, "months", 0, 1, MONTHS_MAX, &months));
	if (!months == !k->until_s)
		return ctx_fail(&call->ctx, ERR_COMBINATION, "a commitment has either --until or --months");
	if (months)
		k->until_s = add_months(k->from_s, months);
	return OK;
}

/* Requires an existing account or domain: a commitment for an unknown one would cover nothing. */
static bool is_owner(const struct tables *t, struct str owner)
{
	uuid id = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse(owner, &id));
	for (const struct account *a = account_first(t); a; a = account_next(t, a))
		if (str_equal(owner, a->number) || str_equal(owner, a->name) ||
		    (is_id && uuid_equal(id, a->row.id)))
			return true;
	return domain_find_by_name(t, owner) || (is_id && domain_find(t, id));
}

static RESULT check_commitment(struct command_call *call, const struct commitment *k)
{
	struct ctx *c = &call->ctx;
	struct price_book book = {0};
	struct commitments all = {0};
	int64_t closed_until_s = 0;
	TRY(commitment_check(c, k));
	for (size_t n = 0; n < k->owner.n + k->match.n + k->zone.n; n++)
		if ((unsigned char) (n < k->owner.n ? k->owner.p[n]
				     : n < k->owner.n + k->match.n
					     ? k->match.p[n - k->owner.n]
					     : k->zone.p[n - k->owner.n - k->match.n]) < ' ')
			return ctx_fail(c, ERR_INVALID, "texts of a commitment have no control characters");
	TRY(billing_read_book(c, call->daemon->store, &book, &closed_until_s));
	if (k->from_s < closed_until_s)
		return ctx_fail_field(c, ERR_STATE, STR("from"), "it begins in a month that is closed");
	TRY(billing_read_commitments(c, call->daemon->store, &all));
	for (size_t n = 0; n < all.count; n++)
		if (str_equal(all.at[n].name, k->name))
			return ctx_fail_field(c, ERR_EXISTS, STR("name"),
					      "there is a commitment %" STR_FMT " already", STR_ARG(k->name));
	if (all.count >= COMMITMENTS_MAX)
		return ctx_fail(c, ERR_QUOTA, "there may be %d commitments", COMMITMENTS_MAX);
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	return is_owner(view.tables, k->owner)
		       ? OK
		       : ctx_fail_field(c, ERR_NOT_FOUND, STR("owner"),
					"there is no account and no domain %" STR_FMT, STR_ARG(k->owner));
}

static RESULT commitment_add(struct command_call *call)
{
	static const char *const kinds[] = {"reserved", "spend", NULL};
	struct commitment_wish wish = {
		.commitment = {.name = command_arg(call, "name"),
			       .owner = command_arg(call, "owner"),
			       .match = command_arg(call, "sku"),
			       .zone = command_arg(call, "zone"),
			       .currency = command_arg(call, "currency"),
			       .from_s = (clock_now_us() / SECOND / HOUR_S + 1) * HOUR_S}};
	struct commitment *k = &wish.commitment;
	int kind = COMMITMENT_RESERVED;
	char id[UUID_TEXT_SIZE], from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	TRY(command_word_arg(call, "kind", kinds, COMMITMENT_RESERVED, &kind));
	k->kind = (enum commitment_kind) kind;
	TRY(command_micro_arg(call, "quantity", &k->quantity));
	TRY(command_micro_arg(call, "amount", &k->amount));
	TRY(command_micro_arg(call, "percent", &k->percent));
	k->percent /= 100;
	TRY(command_micro_arg(call, "upfront", &k->upfront));
	TRY(command_micro_arg(call, "monthly", &k->monthly));
	TRY(term_args(call, k));
	if (k->quantity > QUANTITY_MAX * MICRO)
		return ctx_fail_field(&call->ctx, ERR_RANGE, STR("quantity"), "--quantity is %d at most",
				      QUANTITY_MAX);
	TRY(check_commitment(call, k));
	TRY(command_commit(call, "dari:commitment add", engine_make_commitment_run, &wish));
	buf_print(&call->text, "commitment %" STR_FMT " (%s), %s until %s\n", STR_ARG(k->name),
		  uuid_write(k->id, id), clock_write_s(k->from_s * SECOND, from),
		  clock_write_s(k->until_s * SECOND, until));
	call->value = json_pack("{s:s, s:s, s:s}", "id", id, "from", from, "until", until);
	return OK;
}

static void say_commitment(struct command_call *call, const struct commitment *k, int64_t now_s)
{
	char id[UUID_TEXT_SIZE], from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE], much[MONEY_TEXT_SIZE],
		upfront[MONEY_TEXT_SIZE], monthly[MONEY_TEXT_SIZE];
	bool is_spend = k->kind == COMMITMENT_SPEND;
	const char *state = now_s < k->from_s ? "later" : now_s < k->until_s ? "in force" : "over";
	uuid_write(k->id, id);
	clock_write_s(k->from_s * SECOND, from);
	clock_write_s(k->until_s * SECOND, until);
	money_write_micro(is_spend ? k->amount : k->quantity, much);
	buf_print(&call->text, "%-20.*s %-8s %-9s %10s %-9s %-16.*s %-16.*s %s until %s\n", STR_ARG(k->name),
		  is_spend ? "spend" : "reserved", state, much, is_spend ? "an hour" : "at a time",
		  STR_ARG(k->match), STR_ARG(k->owner), from, until);
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s, s:s, s:s, s:s, s:s%, s:s%, s:s, s:s, s:s, s:s, s:s%}", "name",
			  k->name.p, k->name.n, "id", id, "kind", is_spend ? "spend" : "reserved", "state",
			  state, is_spend ? "amount" : "quantity", much, "sku", k->match.p, k->match.n,
			  "owner", k->owner.p, k->owner.n, "from", from, "until", until, "upfront",
			  money_write_micro(k->upfront, upfront), "monthly",
			  money_write_micro(k->monthly, monthly), "currency", k->currency.p, k->currency.n));
}

static RESULT commitment_list(struct command_call *call)
{
	struct commitments all = {0};
	TRY(billing_read_commitments(&call->ctx, call->daemon->store, &all));
	call->value = json_array();
	for (size_t n = 0; n < all.count; n++)
		say_commitment(call, &all.at[n], clock_now_us() / SECOND);
	return OK;
}

const struct command commitment_commands[] = {
	{"commitment add",
	 "Records a commitment, which is charged whether it is used or not. It cannot be removed.",
	 {{"name", PARAM_POSITIONAL, true, "Name on bills."},
	  {"owner", PARAM_OPTION, true, "Account, by number or name; or domain, by name."},
	  {"kind", PARAM_OPTION, false, "reserved (default) or spend."},
	  {"sku", PARAM_OPTION, true, "SKUs that the commitment covers, such as vm.t3.*."},
	  {"quantity", PARAM_OPTION, false,
	   "reserved: number of units at a time, for SKUs priced by the hour."},
	  {"amount", PARAM_OPTION, false, "spend: committed amount per hour."},
	  {"percent", PARAM_OPTION, false, "spend: discount on those SKUs."},
	  {"zone", PARAM_OPTION, false, "reserved: Availability Zone (default: any)."},
	  {"currency", PARAM_OPTION, true, "Currency, such as EUR."},
	  {"from", PARAM_OPTION, false,
	   "Start, a whole hour such as 2026-11-01T00:00:00Z (default: the next)."},
	  {"until", PARAM_OPTION, false, "End, a whole hour."},
	  {"months", PARAM_OPTION, false, "Term in months, instead of an end."},
	  {"upfront", PARAM_OPTION, false, "reserved: upfront price of all units."},
	  {"monthly", PARAM_OPTION, false, "reserved: monthly price of all units."}},
	 .run = commitment_add,
	 .is_anywhere = true},
	{"commitment list", "Lists commitments.", {{0}}, .run = commitment_list, .is_anywhere = true},
	{0},
};
