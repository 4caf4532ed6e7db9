/* SPDX-License-Identifier: Apache-2.0
 * Costs of a month by day and by group, with a forecast, and their export as FOCUS. An account sees its own
 * charges, administrators see all. The charges come from engine/billing/costs.h, as for Cost Explorer;
 * amounts are exact decimals in texts.
 */
#include "api/core/params.h"
#include "api/native/action.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/billing/costs.h"
#include "engine/billing/focus_rows.h"
#include "engine/billing/standing.h"
#include "metering/tally.h"
#include "store/account.h"
#include "store/domain.h"

enum {
	COSTS_CURRENCIES_MAX = 8,
	COSTS_GROUPS_MAX = 50000,
	COSTS_ROWS_MAX = 50000,
	COSTS_MONTHS_MAX = 14, /* as in Cost Explorer */
	KEY_SIZE = 640,
	KEY_HEAD = 2, /* prefix of a line's key: place of the currency, and '=' or '-' for an absent tag */
	VALUE_SIZE = 256, /* bytes of a tag value */
};
#define COSTS_ARENA_CAP ((size_t) 64 << 20)
#define TAG_PREFIX "tag:"

/* ---- reading the request ---- */

struct costs_args {
	struct str month_text, group, version;
	struct ref account;
	int64_t limit;
	bool is_plain;
	struct month month;
	struct cost_scope scope;
	bool is_current;
	struct str standing; /* billing state of the account */
	struct str issuer;   /* name of the domain that bills the account */
};
#define C(name, member, ...) PARAM(struct costs_args, name, member, .place = IN_QUERY, __VA_ARGS__)
#define SCOPE_PARAMS                                                                                         \
	C("month", month_text, .min = 7, .max = 7,                                                           \
	  .doc = "Month, as 2026-10; absent: the present month so far."),                                    \
		C("account", account, .kind = KIND_ACCOUNT,                                                  \
		  .doc = "Account; absent: the caller's. Administrators may name other accounts, or all of " \
			 "them with all=1.")
static const struct param costs_params[] = {
	SCOPE_PARAMS,
	C("group", group, .max = 160, .absent = "service",
	  .doc = "Grouping: service, meter, resource, zone, account or tag:KEY."),
	C("is_plain", is_plain, .doc = "Omits the forecast, which takes as long again to compute."),
	C("limit", limit, .min = 1, .max = 1000, .absent = "50",
	  .doc = "Number of groups, the most expensive first."),
};
static const struct param focus_params[] = {
	SCOPE_PARAMS,
	C("version", version, .words = "1.2|1.4", .absent = "1.4", .doc = "Version of FOCUS."),
};

static RESULT read_month(struct native_call *e, struct costs_args *a)
{
	struct month now = month_of(clock_now_us() / SECOND), oldest = now;
	a->month = now;
	if (a->month_text.n && !result_is_ok(month_parse(e->c, a->month_text, &a->month))) {
		ctx_clear_problem(e->c);
		return ctx_fail_field(e->c, ERR_INVALID, STR("month"), "month must be like 2026-10.");
	}
	for (int k = 0; k < COSTS_MONTHS_MAX; k++)
		oldest = month_before(oldest);
	if (a->month.from_s > now.from_s || a->month.from_s < oldest.from_s)
		return ctx_fail_field(e->c, ERR_INVALID, STR("month"),
				      "month must be this one, or one of the %d before it.",
				      COSTS_MONTHS_MAX);
	a->is_current = a->month.from_s == now.from_s;
	return OK;
}

/* Finds the accounts whose charges are read. An empty scope means all that the operator bills. */
static RESULT read_scope(struct native_call *e, struct costs_args *a)
{
	struct ref own = ref_by_id(KIND_ACCOUNT, e->c->who->account);
	const struct row *row = NULL;
	bool is_all = false;
	TRY(native_read_flag(e, "all", &is_all));
	if (is_all && !native_is_admin(e))
		return ctx_fail_field(e->c, ERR_DENIED, STR("all"),
				      "Only administrators see all accounts' costs.");
	if (is_all)
		return OK;
	TRY(engine_find(e->c, native_tables(e), KIND_ACCOUNT, ref_is_given(&a->account) ? &a->account : &own,
			&row));
	if (!uuid_equal(row->id, e->c->who->account) && !native_is_admin(e))
		return ctx_fail_field(e->c, ERR_DENIED, STR("account"),
				      "Only administrators see other accounts' costs.");
	a->standing = str_from(domain_bill_state_words[standing_of(native_tables(e), account_of(row))]);
	TRY(costs_find_scope(e->c, native_tables(e), row->id, &a->scope));
	const struct domain *issuer = domain_find(native_tables(e), a->scope.issuer);
	if (issuer)
		a->issuer = str_copy(e->c->arena, issuer->bill_name.n ? issuer->bill_name : issuer->name);
	return OK;
}

static RESULT prepare_scope(struct native_call *e, void *args)
{
	TRY(read_month(e, args));
	TRY(read_scope(e, args));
	view_close(&e->view); /* reading charges is slow and must not hold a view */
	e->view = (struct view){0};
	return OK;
}

static bool has_group(struct str group)
{
	static const char *const words[] = {"service", "meter", "resource", "zone", "account"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_is(group, words[k]))
			return true;
	return str_starts_with(group, STR(TAG_PREFIX)) && group.n > sizeof TAG_PREFIX - 1;
}

static RESULT prepare_costs(struct native_call *e, void *args)
{
	struct costs_args *a = args;
	if (!has_group(a->group))
		return ctx_fail_field(e->c, ERR_INVALID, STR("group"),
				      "group must be service, meter, resource, zone, account or tag:KEY.");
	return prepare_scope(e, args);
}

/* ---- sums ---- */

enum { DAYS_MAX = 31 };

struct currency_sum {
	struct str currency;
	money total, forecast, days[DAYS_MAX];
};

/* Attributes of a group besides its key. */
struct group {
	size_t currency; /* index in sums.currencies */
	enum kind kind;
	uuid id;
	struct str name;
	int64_t named_us; /* time of the charge that gave the name */
	bool is_absent;   /* the resource has no such tag */
};

struct sums {
	struct native_call *e;
	const struct costs_args *asked;
	struct arena *arena, *one; /* for the whole answer; for one charge */
	struct currency_sum currencies[COSTS_CURRENCIES_MAX];
	size_t currency_count;
	struct tally tally;
	bool is_forecast;
};

static RESULT find_currency(struct sums *s, const struct charge *charge, size_t *ret_place)
{
	struct str currency = charge_currency(charge);
	size_t k = 0;
	while (k < s->currency_count && !str_equal(s->currencies[k].currency, currency))
		k++;
	if (k == COSTS_CURRENCIES_MAX)
		return ctx_fail(s->e->c, ERR_TOO_LARGE, "The charges are in more than %d currencies.",
				COSTS_CURRENCIES_MAX);
	if (k == s->currency_count) {
		s->currencies[k].currency = str_copy(s->arena, currency);
		if (!s->currencies[k].currency.p)
			return ctx_no_memory(s->e->c);
		s->currency_count++;
	}
	*ret_place = k;
	return OK;
}

static struct str service_of(const struct charge *charge)
{
	return str_slice(charge->meter, 0, str_find_char(charge->meter, ':', 0));
}

static struct str value_of(struct sums *s, const struct billed *billed, const struct charge *charge,
			   bool *is_absent)
{
	struct str group = s->asked->group;
	char id[UUID_TEXT_SIZE];
	if (str_is(group, "meter"))
		return charge->meter;
	if (str_is(group, "resource"))
		return str_copy(s->one, str_from(uuid_write(charge->id, id)));
	if (str_is(group, "zone"))
		return charge->subject ? charge->subject->zone : STR_NONE;
	if (str_is(group, "account"))
		return billed->number.n ? billed->number : billed->domain_name;
	if (!str_starts_with(group, STR(TAG_PREFIX)))
		return service_of(charge);
	struct str key = str_slice(group, sizeof TAG_PREFIX - 1, group.n);
	return str_slice(costs_tag_of(s->one, charge, key, is_absent), 0, VALUE_SIZE);
}

/* Fills in the group of a line. A resource gets the newest name it had in the month. */
static RESULT describe(struct sums *s, struct tally_line *line, size_t currency, const struct billed *billed,
		       const struct charge *charge, bool is_absent)
{
	struct group *g = line->data ? (struct group *) line->data : arena_new_object(s->arena, struct group);
	bool is_account = str_is(s->asked->group, "account"),
	     is_resource = str_is(s->asked->group, "resource");
	if (!g)
		return ctx_no_memory(s->e->c);
	if (!line->data)
		*g = (struct group){.currency = currency,
				    .kind = is_resource  ? charge->kind
					    : is_account ? KIND_ACCOUNT
							 : KIND_NONE,
				    .id = is_account ? billed->account : charge->id,
				    .name = is_account ? str_copy(s->arena, billed->name) : STR_NONE,
				    .is_absent = is_absent};
	line->data = g;
	if (is_resource && charge->subject && charge->subject->name.n &&
	    (!g->name.n || charge->subject->at_us > g->named_us)) {
		g->name = str_copy(s->arena, charge->subject->name);
		g->named_us = charge->subject->at_us;
	}
	return OK;
}

static RESULT add_to_group(struct sums *s, size_t currency, const struct billed *billed,
			   const struct charge *charge)
{
	char key[KEY_SIZE];
	bool is_absent = false;
	arena_reset(s->one);
	struct str value = value_of(s, billed, charge, &is_absent);
	int n = snprintf(key, sizeof key, "%zu%s%.*s", currency, is_absent ? "-" : "=", STR_ARG(value));
	if (n < 0 || (size_t) n >= sizeof key)
		n = sizeof key - 1;
	struct tally_line *line = tally_find(&s->tally, (struct str){key, (size_t) n});
	if (!line)
		return ctx_no_memory(s->e->c);
	if (s->tally.count > COSTS_GROUPS_MAX)
		return ctx_fail(s->e->c, ERR_TOO_LARGE, "There are more than %d groups.", COSTS_GROUPS_MAX);
	line->cost += charge_cost(charge);
	return describe(s, line, currency, billed, charge, is_absent);
}

/* Adds a charge. A correction of an earlier month counts for the first day of the month that bills it. */
static RESULT add(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct sums *s = arg;
	size_t place = 0;
	TRY(find_currency(s, charge, &place));
	struct currency_sum *sum = &s->currencies[place];
	if (s->is_forecast) {
		sum->forecast += charge_cost(charge);
		return OK;
	}
	int64_t day = (charge->from_s - s->asked->month.from_s) / DAY_S;
	sum->total += charge_cost(charge);
	sum->days[day < 0 ? 0 : day >= DAYS_MAX ? DAYS_MAX - 1 : day] += charge_cost(charge);
	return add_to_group(s, place, billed, charge);
}

static RESULT read_sums(struct sums *s, bool *ret_is_closed)
{
	const struct costs_args *a = s->asked;
	struct cost_period period = {.from_s = a->month.from_s, .until_s = a->month.until_s};
	int64_t closed_until_s = 0;
	TRY(costs_read(s->e->c, s->e->config->store, &a->scope, &period, add, s, &closed_until_s));
	*ret_is_closed = closed_until_s >= a->month.until_s;
	if (!a->is_current || a->is_plain)
		return OK;
	period.is_forecast = s->is_forecast = true;
	return costs_read(s->e->c, s->e->config->store, &a->scope, &period, add, s, &closed_until_s);
}

/* ---- the answer ---- */

static void write_money(struct json_writer *w, const char *key, money m)
{
	char text[MONEY_TEXT_SIZE];
	json_write_z(w, key, money_write(m, text));
}

static void write_currencies(const struct sums *s, struct json_writer *w)
{
	const struct month *m = &s->asked->month;
	int64_t today = (clock_now_us() / SECOND - m->from_s) / DAY_S;
	json_write_open_list(w, "sums");
	for (size_t k = 0; k < s->currency_count; k++) {
		const struct currency_sum *sum = &s->currencies[k];
		json_write_open(w, NULL);
		json_write_text(w, "currency", sum->currency);
		write_money(w, "total", sum->total);
		if (s->asked->is_current) {
			write_money(w, "today", sum->days[today < DAYS_MAX ? today : DAYS_MAX - 1]);
			if (!s->asked->is_plain)
				write_money(w, "forecast", sum->forecast);
		}
		json_write_open_list(w, "days");
		for (int64_t day = 0; day < (m->until_s - m->from_s) / DAY_S; day++)
			write_money(w, NULL, sum->days[day]);
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Highest cost first, then by key. */
static int compare_lines(const void *left, const void *right)
{
	const struct tally_line *a = left, *b = right;
	if (a->cost != b->cost)
		return a->cost > b->cost ? -1 : 1;
	return str_compare(a->key, b->key);
}

static void write_group(const struct sums *s, struct json_writer *w, const struct tally_line *line)
{
	const struct group *g = line->data;
	char ec2[EC2_ID_TEXT_SIZE];
	json_write_open(w, NULL);
	json_write_text(w, "key", str_slice(line->key, KEY_HEAD, line->key.n));
	if (g->is_absent)
		json_write_bool(w, "is_absent", true);
	if (g->name.n)
		json_write_text(w, "name", g->name);
	if (g->kind != KIND_NONE) {
		json_write_z(w, "kind", model_kinds[g->kind].name);
		if (model_shown[g->kind].name)
			json_write_z(w, "path", model_shown[g->kind].name);
		json_write_uuid(w, "id", g->id);
		if (*model_kinds[g->kind].ec2_prefix)
			json_write_z(w, "ec2", id_write_ec2(g->kind, g->id, ec2));
	}
	json_write_text(w, "currency", s->currencies[g->currency].currency);
	write_money(w, "cost", line->cost);
	json_write_close(w);
}

static void write_groups(struct sums *s, struct json_writer *w)
{
	size_t shown = s->tally.count < (size_t) s->asked->limit ? s->tally.count : (size_t) s->asked->limit;
	if (s->tally.count)
		qsort(s->tally.lines, s->tally.count, sizeof *s->tally.lines, compare_lines);
	json_write_text(w, "group", s->asked->group);
	json_write_int(w, "total", (int64_t) s->tally.count);
	json_write_open_list(w, "items");
	for (size_t k = 0; k < shown; k++)
		write_group(s, w, &s->tally.lines[k]);
	json_write_close_list(w);
}

static RESULT answer_costs(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct costs_args *a = args;
	AUTO(arena) all = arena_new(ARENA_FIRST_SIZE, COSTS_ARENA_CAP);
	AUTO(arena) one = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct sums *s = arena_new_object(e->c->arena, struct sums);
	bool is_closed = false;
	if (!all || !one || !s)
		return ctx_no_memory(e->c);
	*s = (struct sums){.e = e, .asked = a, .arena = all, .one = one, .tally.arena = all};
	TRY(read_sums(s, &is_closed));
	json_write_z(w, "month", a->month.text);
	json_write_int(w, "from_us", a->month.from_s * SECOND);
	json_write_int(w, "until_us", a->month.until_s * SECOND);
	json_write_int(w, "as_of_us", clock_now_us());
	json_write_bool(w, "is_closed", is_closed);
	if (a->standing.n)
		json_write_text(w, "standing", a->standing);
	write_currencies(s, w);
	write_groups(s, w);
	return OK;
}

/* ---- as FOCUS ---- */

struct focus_writing {
	struct native_call *e;
	struct focus_rows rows;
	struct focus_context context;
	struct buf *out;
	size_t count;
};

static RESULT write_focus_row(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct focus_writing *f = arg;
	struct focus_row row;
	if (++f->count > COSTS_ROWS_MAX)
		return ctx_fail(
			f->e->c, ERR_TOO_LARGE,
			"There are more than %d charges: an operator exports them (dari bill export).",
			COSTS_ROWS_MAX);
	TRY(focus_rows_make(&f->rows, billed, charge, &row));
	focus_write_row(f->out, &f->context, &row);
	return OK;
}

static RESULT write_focus(struct native_call *e, const void *args, struct buf *out)
{
	const struct costs_args *a = args;
	AUTO(arena) all = arena_new(ARENA_FIRST_SIZE, COSTS_ARENA_CAP);
	AUTO(arena) one = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct cost_period period = {.from_s = a->month.from_s, .until_s = a->month.until_s};
	struct str region = e->config->region;
	struct focus_writing f = {
		.e = e,
		.out = out,
		.rows = {.month = a->month, .issuer = a->scope.issuer, .payer = a->scope.bill_to},
		.context = {.version = str_is(a->version, "1.2") ? FOCUS_1_2 : FOCUS_1_4,
			    .month = a->month,
			    .provider = region,
			    .issuer = a->issuer.n ? a->issuer : region,
			    .region = region}};
	int64_t closed_until_s = 0;
	struct ctx own = *e->c;
	if (!all || !one)
		return ctx_no_memory(e->c);
	own.arena = all;
	TRY(focus_rows_begin(&f.rows, &own, e->config->store, one));
	focus_write_header(out, f.context.version);
	TRY(costs_read(e->c, e->config->store, &a->scope, &period, write_focus_row, &f, &closed_until_s));
	period.is_elsewhere = true;
	TRY(costs_read(e->c, e->config->store, &a->scope, &period, write_focus_row, &f, &closed_until_s));
	struct str name = str_print(e->c->arena, "attachment; filename=\"focus-%s.csv\"", a->month.text);
	call_set_answer_header(e->call, "Content-Disposition", name);
	return buf_finish(out);
}

static const struct native_action actions[] = {
	{HTTP_GET, "/costs", .permit = "ce:GetCostAndUsage", .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct costs_args, costs_params), .query = "all", .prepare = prepare_costs,
	 .answer = answer_costs, .doc = "Returns a month's costs by day and by group, with a forecast."},
	{HTTP_GET, "/costs/focus", .name = "ExportCosts", .permit = "ce:GetCostAndUsage",
	 .flags = API_CHANGES_BY_TIME, .args = PARAMS(struct costs_args, focus_params), .query = "all",
	 .prepare = prepare_scope, .content_type = "text/csv; charset=utf-8", .write = write_focus,
	 .doc = "Exports a month's charges as CSV in the FOCUS format; at most 50,000."},
};
const struct api_actions native_costs_actions = API_ACTIONS(actions);
