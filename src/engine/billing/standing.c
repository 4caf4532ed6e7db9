/* SPDX-License-Identifier: Apache-2.0
 * Payers and their standing. reconcile/instance/instance.c stops and starts instances. Called by:
 * daemon/bill/commands_billing.c; operation.c and meters.c check. */
#include "engine/billing/standing.h"

#include "engine/billing/webhook.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "metering/money.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/instance.h"
#include "store/volume.h"

enum { DOMAINS_DEEP = 8, TAX_WORDS_MAX = 400 };

/* ---- standing ---- */

enum domain_bill_state standing_of(const struct tables *t, const struct account *account)
{
	enum domain_bill_state worst = DOMAIN_BILL_STATE_ACTIVE;
	const struct domain *d = account ? domain_find(t, account->domain) : NULL;
	for (int depth = 0; d && depth < DOMAINS_DEEP; depth++) {
		if (d->is_billed && d->bill_state > worst)
			worst = d->bill_state;
		d = uuid_is_none(d->reseller) ? NULL : domain_find(t, d->reseller);
	}
	return worst;
}

uuid standing_issuer_of(const struct tables *t, const struct domain *d)
{
	for (int depth = 0; depth < DOMAINS_DEEP && !uuid_is_none(d->reseller); depth++) {
		const struct domain *above = domain_find(t, d->reseller);
		if (!above || above->is_billed)
			return above ? above->row.id : UUID_NONE;
		d = above;
	}
	return UUID_NONE;
}

static RESULT refuse(struct op *op, enum domain_bill_state state)
{
	return ENGINE_FAIL(op, ERR_DENIED, KIND_DOMAIN, STR(STANDING_FIELD),
			   "The account is %s because its bills are not paid.",
			   domain_bill_state_words[state]);
}

static bool is_kept_from(const struct op *op)
{
	const struct identity *who = op->ctx->who;
	return who && !who->is_operator && !identity_is_admin(who);
}

RESULT standing_check(struct op *op)
{
	if (!is_kept_from(op))
		return OK;
	const struct account *account = account_find(op->head, engine_get_account(op->ctx));
	if (account && account->is_quarantined)
		return ctx_fail(op->ctx, ERR_DENIED,
				"The operator left the account no more than reading: ask him why.");
	enum domain_bill_state state = standing_of(op->head, account);
	return state >= DOMAIN_BILL_STATE_SUSPENDED ? refuse(op, state) : OK;
}

/* An account from a self-service sign-up creates nothing before an administrator has accepted it. */
static RESULT check_review(struct op *op, const struct account *account)
{
	const struct domain *d = account ? domain_find(op->head, account->domain) : NULL;
	if (!d || d->signup_stage != DOMAIN_SIGNUP_STAGE_HELD)
		return OK;
	return ENGINE_FAIL(op, ERR_DENIED, KIND_DOMAIN, STR(STANDING_FIELD),
			   "The account waits until the operator has looked at who signed up.");
}

/* True if the row costs more than before. */
static bool is_more(enum kind kind, const struct row *before, const struct row *after)
{
	if (!before)
		return true;
	if (kind == KIND_VOLUME)
		return volume_of(after)->size > volume_of(before)->size;
	if (kind != KIND_INSTANCE)
		return false;
	const struct instance *was = instance_of(before), *is = instance_of(after);
	return is->vcpus > was->vcpus || is->memory > was->memory ||
	       (is->wanted_power == INSTANCE_WANTED_POWER_ON &&
		was->wanted_power != INSTANCE_WANTED_POWER_ON);
}

RESULT standing_follow(struct op *op, enum kind kind, uuid owner, const struct row *before,
		       const struct row *after)
{
	if (!is_kept_from(op) || !after || !row_is_live(after) || !is_more(kind, before, after))
		return OK;
	const struct account *account = account_find(op->head, owner);
	enum domain_bill_state state = standing_of(op->head, account);
	TRY(check_review(op, account));
	return state >= DOMAIN_BILL_STATE_LIMITED ? refuse(op, state) : OK;
}

/* ---- settings ---- */

/* "190000 VAT", optionally followed by a tab and text for the invoice. */
static RESULT check_taxes(struct op *op, struct strs taxes)
{
	for (size_t k = 0; k < taxes.count; k++) {
		struct str rest = taxes.at[k], rate = STR_NONE;
		int64_t millionths = 0;
		(void) str_split_next(&rest, ' ', &rate);
		if (!result_is_ok(str_parse_int(rate, &millionths)) || millionths < 0 || millionths > MICRO ||
		    !rest.n || taxes.at[k].n > TAX_WORDS_MAX)
			return ctx_fail(op->ctx, ERR_INVALID,
					"'%" STR_FMT "' is no tax with a rate and a name",
					STR_ARG(taxes.at[k]));
	}
	return OK;
}

static bool is_below(const struct tables *t, const struct domain *d, uuid above)
{
	for (int depth = 0; d && depth <= DOMAINS_DEEP; depth++) {
		if (uuid_equal(d->row.id, above) || depth == DOMAINS_DEEP)
			return true;
		d = uuid_is_none(d->reseller) ? NULL : domain_find(t, d->reseller);
	}
	return false;
}

RESULT standing_find_reseller(struct op *op, const struct ref *ref, uuid *ret_reseller)
{
	const struct row *row = NULL;
	*ret_reseller = UUID_NONE;
	if (!ref->bits && str_is(ref->text, "none"))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, ref, &row));
	if (!domain_of(row)->is_billed)
		return ENGINE_FAIL(op, ERR_STATE, KIND_DOMAIN, ref->field,
				   "The reseller is no billing account.");
	*ret_reseller = row->id;
	return OK;
}

static RESULT set_reseller(struct op *op, const struct ref *ref, struct domain *next)
{
	uuid reseller = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	TRY(standing_find_reseller(op, ref, &reseller));
	if (!uuid_is_none(reseller) && is_below(op->head, domain_find(op->head, reseller), next->row.id))
		return ENGINE_FAIL(
			op, ERR_CONFLICT, KIND_DOMAIN, ref->field,
			"The reseller is the domain itself or its customer, or there are too many.");
	next->reseller = reseller;
	return OK;
}

RESULT engine_set_billing(struct op *op, struct billing_settings *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &row));
	TRY(engine_permit(op, "domain.update", KIND_DOMAIN, row));
	struct domain next = *domain_of(row);
	choice_apply(wish->is_billed, &next.is_billed);
	TRY(set_reseller(op, &wish->reseller, &next));
	if (wish->is_prepaid != CHOICE_DEFAULT)
		next.bill_mode =
			wish->is_prepaid == CHOICE_YES ? DOMAIN_BILL_MODE_PREPAID : DOMAIN_BILL_MODE_POSTPAID;
	next.bill_name = wish->name ? *wish->name : next.bill_name;
	next.bill_address = wish->address ? *wish->address : next.bill_address;
	next.bill_order = wish->order ? *wish->order : next.bill_order;
	next.bill_limit = wish->limit ? *wish->limit : next.bill_limit;
	next.bill_days = wish->days ? *wish->days : next.bill_days;
	if (wish->taxes) {
		TRY(check_taxes(op, *wish->taxes));
		next.bill_taxes = *wish->taxes;
	}
	next.row.gen++;
	TRY(domain_put(op, &next));
	return engine_log_event(op, KIND_DOMAIN, &next.row, "billing changed",
				next.is_billed ? "Domain %" STR_FMT ", a billing account."
					       : "Domain %" STR_FMT ", no billing account.",
				STR_ARG(next.name));
}

/* ---- suspension ---- */

/* Ignores stop protection, which is against mistakes. */
static RESULT stop(struct op *op, const struct instance *instance)
{
	struct instance next = *instance;
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.wanted_save = next.wanted_pause = next.error_override = false;
	next.off_since_us = op->now_us;
	next.reason_code = STR(STANDING_REASON);
	next.reason_text = STR(STANDING_REASON ": the account is suspended because its bills are not paid");
	next.row.gen++;
	TRY(instance_put(op, &next));
	if (next.seen_power != INSTANCE_SEEN_POWER_ON)
		TRY(instance_release_addresses(op, next.row.id));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "stop asked", "Its account was suspended.");
}

static RESULT start(struct op *op, const struct instance *instance)
{
	struct instance next = *instance;
	next.row.gen++;
	TRY(instance_turn_on(op, &next));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "start asked",
				"Its account is not suspended any more.");
}

static RESULT stop_or_start(struct op *op, struct standing_wish *wish, const struct instance *i)
{
	bool is_suspended =
		standing_of(op->head, account_find(op->head, i->account)) >= DOMAIN_BILL_STATE_SUSPENDED;
	bool is_on = i->wanted_power == INSTANCE_WANTED_POWER_ON;
	if (!row_is_live(&i->row))
		return OK;
	if (is_suspended && is_on) {
		wish->stopped++;
		return stop(op, i);
	}
	if (is_suspended || is_on || i->gave_room || !str_is(i->reason_code, STANDING_REASON))
		return OK;
	wish->started++;
	return start(op, i);
}

/* Stops instances of fleets first, because they are the easiest to replace. */
static RESULT follow_account(struct op *op, struct standing_wish *wish, uuid account)
{
	for (int of_fleets = 1; of_fleets >= 0; of_fleets--) {
		const struct instance *i = instance_first_by_account(op->head, account), *next = NULL;
		for (; i; i = next) {
			next = instance_next_by_account(op->head, i);
			if (!uuid_is_none(i->fleet) == of_fleets)
				TRY(stop_or_start(op, wish, i));
		}
	}
	return OK;
}

static RESULT note_standing(struct op *op, const struct standing_wish *wish)
{
	static const char *const names[] = {[DOMAIN_BILL_STATE_ACTIVE] = "account.restored",
					    [DOMAIN_BILL_STATE_OVERDUE] = "account.overdue",
					    [DOMAIN_BILL_STATE_LIMITED] = "account.limited",
					    [DOMAIN_BILL_STATE_SUSPENDED] = "account.suspended",
					    [DOMAIN_BILL_STATE_CLOSED] = "account.closed"};
	const struct tag more[] = {{STR("before"), str_from(domain_bill_state_words[wish->before])},
				   {STR("state"), str_from(domain_bill_state_words[wish->state])}};
	const struct webhook_event event = {.name = names[wish->state],
					    .domain = wish->domain,
					    .more = {more, sizeof more / sizeof *more}};
	return webhook_note(op, &event);
}

static RESULT note_credit(struct op *op, const struct standing_wish *wish)
{
	static const char *const names[] = {[DOMAIN_BILL_CREDIT_LOW] = "credit.low",
					    [DOMAIN_BILL_CREDIT_SCARCE] = "credit.scarce",
					    [DOMAIN_BILL_CREDIT_EMPTY] = "credit.empty"};
	char left[MONEY_TEXT_SIZE];
	money_write_micro(wish->left, left);
	const struct tag more[] = {{STR("left"), str_from(left)}};
	const struct webhook_event event = {
		.name = names[wish->credit], .domain = wish->domain, .more = {more, 1}};
	return webhook_note(op, &event);
}

RESULT engine_set_standing(struct op *op, struct standing_wish *wish)
{
	const struct domain *domain = domain_find(op->head, wish->domain);
	if (!domain || !domain->is_billed)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_DOMAIN,
				     "There is no such billing account.");
	TRY(engine_permit(op, "domain.update", KIND_DOMAIN, &domain->row));
	struct domain next = *domain;
	wish->before = domain->bill_state;
	next.unpaid_us = wish->unpaid_us;
	if (wish->state != domain->bill_state)
		next.bill_state_us = op->now_us;
	next.bill_state = wish->state;
	next.bill_credit = wish->credit;
	TRY(domain_put(op, &next));
	for (const struct account *a = account_first(op->head); a; a = account_next(op->head, a)) {
		const struct domain *d = domain_find(op->head, a->domain);
		if (row_is_live(&a->row) && d && is_below(op->head, d, wish->domain))
			TRY(follow_account(op, wish, a->row.id));
	}
	if (wish->credit != domain->bill_credit && wish->credit != DOMAIN_BILL_CREDIT_FINE)
		TRY(note_credit(op, wish));
	if (wish->state == wish->before)
		return OK;
	TRY(note_standing(op, wish));
	return engine_log_event(op, KIND_DOMAIN, &next.row, "standing", "%s, was %s.",
				domain_bill_state_words[wish->state], domain_bill_state_words[wish->before]);
}
