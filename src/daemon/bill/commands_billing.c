/* SPDX-License-Identifier: Apache-2.0
 * dari billing …: billing accounts, payments, and dunning. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/vec.h"
#include "daemon/bill/bill.h"
#include "engine/billing/dunning.h"
#include "store/domain.h"

enum { DAYS_MAX = 3650, TAXES_MAX = 16 };

/* Parses a name or id. */
static struct ref domain_ref(struct command_call *call, const char *name)
{
	struct str text = command_arg(call, name);
	uuid id = UUID_NONE;
	struct ref ref = {.kind = KIND_DOMAIN, .text = text, .field = str_from(name)};
	if (result_is_ok(uuid_parse(text, &id)))
		ref = ref_by_id(KIND_DOMAIN, id);
	ref.field = str_from(name);
	return ref;
}

static RESULT find_domain(struct command_call *call, const struct tables *t, const struct domain **ret_domain)
{
	struct str name = command_arg(call, "domain");
	uuid id = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse(name, &id));
	const struct domain *d = is_id ? domain_find(t, id) : domain_find_by_name(t, name);
	if (!d)
		return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("domain"),
				      "there is no domain %" STR_FMT, STR_ARG(name));
	if (!d->is_billed)
		return ctx_fail_field(&call->ctx, ERR_STATE, STR("domain"),
				      "%" STR_FMT " is no billing account: dari billing set", STR_ARG(name));
	*ret_domain = d;
	return OK;
}

/* ---- settings ---- */

/* Parses "19 VAT": a percentage with at most four decimals, and a name; optionally '|' and more text. */
static RESULT read_taxes(struct command_call *call, struct strs *ret_taxes)
{
	struct str rest = command_arg(call, "tax"), line = STR_NONE;
	struct str *taxes = arena_new_array(call->ctx.arena, struct str, TAXES_MAX);
	size_t count = 0;
	if (!taxes)
		return ctx_no_memory(&call->ctx);
	while (str_split_next(&rest, '\n', &line)) {
		struct str words = line, percent = STR_NONE, name = STR_NONE;
		int64_t rate = 0;
		if (str_is(line, "none"))
			continue;
		(void) str_split_next(&words, ' ', &percent);
		(void) str_split_next(&words, '|', &name);
		if (count == TAXES_MAX || !result_is_ok(money_parse_micro(percent, &rate)) || rate % 100 ||
		    rate > 100 * MICRO || !name.n || !str_is_line(line))
			return ctx_fail_field(
				&call->ctx, ERR_INVALID, STR("tax"),
				"--tax wants a percentage and a name, as \"19 VAT\", not %" STR_FMT,
				STR_ARG(line));
		taxes[count++] = str_print(call->ctx.arena, "%" PRId64 " %" STR_FMT "%s%" STR_FMT, rate / 100,
					   STR_ARG(name), words.n ? "\t" : "", STR_ARG(words));
	}
	*ret_taxes = (struct strs){taxes, count};
	return OK;
}

static bool is_given(const struct command_call *call, const char *name)
{
	return json_object_get(call->args, name) != NULL;
}

static RESULT billing_set(struct command_call *call)
{
	static const char *const switches[] = {"", "yes", "no", NULL}, *const modes[] = {"", "prepaid",
											 "postpaid", NULL};
	int own = 0, mode = 0;
	int64_t days = 0, limit = 0;
	struct strs taxes = {0};
	struct str name = command_arg(call, "name"), address = command_arg(call, "address"),
		   order = command_arg(call, "order");
	struct billing_settings wish = {.domain = domain_ref(call, "domain")};
	if (command_arg(call, "reseller").n)
		wish.reseller = domain_ref(call, "reseller");
	TRY(command_word_arg(call, "own", switches, 0, &own));
	TRY(command_word_arg(call, "mode", modes, 0, &mode));
	TRY(command_int_arg(call, "days", 0, 0, DAYS_MAX, &days));
	TRY(command_micro_arg(call, "limit", &limit));
	TRY(read_taxes(call, &taxes));
	wish.is_billed = (enum choice) own;
	wish.is_prepaid = (enum choice) mode;
	wish.name = is_given(call, "name") ? &name : NULL;
	wish.address = is_given(call, "address") ? &address : NULL;
	wish.order = is_given(call, "order") ? &order : NULL;
	wish.days = is_given(call, "days") ? &days : NULL;
	wish.limit = is_given(call, "limit") ? &limit : NULL;
	wish.taxes = is_given(call, "tax") ? &taxes : NULL;
	TRY(command_commit(call, "dari:billing set", engine_set_billing_run, &wish));
	buf_print(&call->text, "noted\n");
	return OK;
}

static void say_account(struct command_call *call, const struct domain *d, const struct accounts_book *book)
{
	char balance[MONEY_TEXT_SIZE], id[UUID_TEXT_SIZE];
	const char *state = domain_bill_state_words[d->bill_state];
	money_write_micro(billing_balance(book, d->row.id), balance);
	buf_print(&call->text, "%-24.*s %-9s %-10s balance %s\n", STR_ARG(d->name),
		  domain_bill_mode_words[d->bill_mode], state, balance);
	(void) json_array_append_new(call->value, json_pack("{s:s%, s:s, s:s, s:s, s:s}", "name", d->name.p,
							    d->name.n, "id", uuid_write(d->row.id, id),
							    "mode", domain_bill_mode_words[d->bill_mode],
							    "state", state, "balance", balance));
}

static RESULT billing_list(struct command_call *call)
{
	struct accounts_book book = {0};
	TRY(billing_read_accounts(&call->ctx, call->daemon->store, &book));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct domain *d = domain_first(view.tables); d; d = domain_next(view.tables, d))
		if (d->is_billed)
			say_account(call, d, &book);
	return OK;
}

/* ---- standing ---- */

static RESULT dun(struct command_call *call, const struct dunned *d, const struct standing_wish *weighed)
{
	struct standing_wish wish = *weighed;
	TRY(command_commit(call, "dari:billing dun", engine_set_standing_run, &wish));
	if (wish.state == wish.before && !wish.stopped && !wish.started)
		return OK;
	buf_print(&call->text, "%-24.*s %s, was %s", STR_ARG(d->name), domain_bill_state_words[wish.state],
		  domain_bill_state_words[wish.before]);
	buf_print(&call->text, wish.stopped || wish.started ? "; %zu stopped, %zu started\n" : "\n",
		  wish.stopped, wish.started);
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s, s:s, s:I, s:I}", "name", d->name.p, d->name.n, "state",
			  domain_bill_state_words[wish.state], "before", domain_bill_state_words[wish.before],
			  "stopped", (json_int_t) wish.stopped, "started", (json_int_t) wish.started));
	return OK;
}

static RESULT dun_all(struct command_call *call, const struct dunning_days *days)
{
	struct dunned_list list = {0};
	struct standing_wish wish;
	TRY(billing_list_dunned(&call->ctx, call->daemon->store, UUID_NONE, &list));
	for (size_t k = 0; k < list.count; k++) {
		TRY(billing_weigh(&call->ctx, call->daemon->store, &list, days, &list.at[k], &wish));
		TRY(dun(call, &list.at[k], &wish));
	}
	return OK;
}

static RESULT billing_dun(struct command_call *call)
{
	struct dunning_days days = {0};
	{
		AUTO_VIEW view = {0};
		view_open(call->daemon->store, &view);
		days = billing_read_days(view.tables);
	}
	TRY(command_int_arg(call, "limited-days", days.limited, 0, DAYS_MAX, &days.limited));
	TRY(command_int_arg(call, "suspended-days", days.suspended, days.limited, DAYS_MAX, &days.suspended));
	TRY(command_int_arg(call, "closed-days", days.closed, days.suspended, DAYS_MAX, &days.closed));
	call->value = json_array();
	TRY(dun_all(call, &days));
	if (!json_array_size(call->value))
		buf_print(&call->text, "every billing account stands as it stood\n");
	return OK;
}

/* ---- payments ---- */

/* After a payment, lifts the payer's restrictions immediately. It never adds any. */
static RESULT restore(struct command_call *call, uuid payer)
{
	const struct dunning_days never = {DAYS_MAX, DAYS_MAX, DAYS_MAX};
	struct dunned_list list = {0};
	struct standing_wish wish;
	TRY(billing_list_dunned(&call->ctx, call->daemon->store, payer, &list));
	if (!list.count)
		return OK;
	TRY(billing_weigh(&call->ctx, call->daemon->store, &list, &never, &list.at[0], &wish));
	return wish.state == DOMAIN_BILL_STATE_ACTIVE ? dun(call, &list.at[0], &wish) : OK;
}

static RESULT note_payment(struct command_call *call, struct payment_wish *wish)
{
	TRY(billing_find_payment(&call->ctx, call->daemon->store, wish->key, &wish->is_known));
	return wish->is_known ? OK : command_commit(call, "dari:billing pay", engine_note_payment_run, wish);
}

static RESULT billing_pay(struct command_call *call)
{
	struct payment_wish wish = {.key = command_arg(call, "key"),
				    .text = command_arg(call, "text"),
				    .is_credit = is_given(call, "credit")};
	TRY(command_micro_arg(call, "amount", &wish.amount));
	if (wish.amount <= 0 || !str_is_line(wish.key) || wish.key.n > 200)
		return ctx_fail(&call->ctx, ERR_INVALID,
				"a payment has an amount, and a key of 200 characters at most");
	{
		AUTO_VIEW view = {0};
		const struct domain *d = NULL;
		view_open(call->daemon->store, &view);
		TRY(find_domain(call, view.tables, &d));
		wish.payer = d->row.id;
		wish.issuer = standing_issuer_of(view.tables, d);
	}
	if (uuid_is_none(wish.issuer))
		wish.issuer = DOMAIN_DEFAULT;
	TRY(note_payment(call, &wish));
	call->value = json_array();
	buf_print(&call->text, wish.is_known ? "this payment was noted before\n" : "noted\n");
	return restore(call, wish.payer);
}

#define DOMAIN_PARAM                                                                                         \
	{                                                                                                    \
		"domain", PARAM_POSITIONAL, true, "The domain, by name or id."                               \
	}
const struct command billing_commands[] = {
	{"billing set",
	 "Makes a domain a billing account, and sets its way of payment.",
	 {DOMAIN_PARAM,
	  {"own", PARAM_OPTION, false, "yes: the domain is a billing account; no: the one above it pays."},
	  {"reseller", PARAM_OPTION, false, "Domain of the reseller; none: the operator bills it."},
	  {"mode", PARAM_OPTION, false, "prepaid or postpaid."},
	  {"name", PARAM_OPTION, false, "Name of the invoice recipient."},
	  {"address", PARAM_OPTION, false, "Postal address."},
	  {"order", PARAM_OPTION, false, "Purchase order, printed on invoices."},
	  {"days", PARAM_OPTION, false, "Payment term in days."},
	  {"limit", PARAM_OPTION, false, "Credit limit of a postpaid billing account; 0: none."},
	  {"tax", PARAM_OPTION, false,
	   "Tax, such as \"19 VAT\", with an optional '|' and text for the invoice. Replaces all taxes; "
	   "none: removes them.",
	   false, true}},
	 .run = billing_set,
	 .is_anywhere = true},
	{"billing list",
	 "Lists billing accounts with their state and balance.",
	 {{0}},
	 .run = billing_list,
	 .is_anywhere = true},
	{"billing pay",
	 "Records a payment or a credit. A key is recorded once.",
	 {DOMAIN_PARAM,
	  {"amount", PARAM_OPTION, true, "Amount, as 12.50."},
	  {"key", PARAM_OPTION, true, "Idempotency key, such as the bank's reference."},
	  {"text", PARAM_OPTION, false, "Comment."},
	  {"credit", PARAM_FLAG, false, "Books a credit instead of a payment."}},
	 .run = billing_pay,
	 .is_anywhere = true},
	{"billing dun",
	 "Checks for overdue payments; limits, suspends and restores accounts. Deletes nothing. Run it "
	 "daily.",
	 {{"limited-days", PARAM_OPTION, false, "Days after which new resources are refused (default: 7)."},
	  {"suspended-days", PARAM_OPTION, false, "Days after which instances are stopped (default: 14)."},
	  {"closed-days", PARAM_OPTION, false, "Days after which the account is closed (default: 44)."}},
	 .run = billing_dun,
	 .is_anywhere = true},
	{"billing invoices",
	 "Lists invoices and credit notes.",
	 {{"domain", PARAM_POSITIONAL, false, "Billing account, by id or name."}},
	 .run = bill_invoices,
	 .is_anywhere = true},
	{"billing invoice",
	 "Shows an invoice.",
	 {{"number", PARAM_POSITIONAL, true, "Number of the invoice."},
	  {"as", PARAM_OPTION, false, "Format: json, html or csv (default: json)."}},
	 .run = bill_invoice,
	 .is_anywhere = true},
	{"billing void",
	 "Cancels an invoice with a credit note.",
	 {{"number", PARAM_POSITIONAL, true, "Number of the invoice."},
	  {"reason", PARAM_OPTION, true, "Reason."}},
	 .run = bill_void,
	 .is_anywhere = true},
	{0},
};
