/* SPDX-License-Identifier: Apache-2.0
 * Measures against misuse. reconcile/instance/instance.c pauses guests, reconcile/network/port.c removes ports from their
 * hosts; operation.c calls standing_check(). Called by: daemon/bill/commands_webhook.c,
 * api/native/bills.c. */
#include "engine/billing/misuse.h"

#include "engine/billing/webhook.h"
#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "store/account.h"
#include "store/instance.h"

/* ---- instances ---- */

static RESULT check_administrator(struct op *op)
{
	return identity_is_admin(op->ctx->who) ? OK
					       : ctx_fail_kind(op->ctx, ERR_DENIED, KIND_INSTANCE,
							       "Only an administrator freezes instances.");
}

static RESULT note_instances(struct op *op, const struct instances_wish *wish, const char *name)
{
	const struct tag more[] = {{STR("reason"), wish->reason}};
	for (size_t k = 0; k < wish->instances.count; k++) {
		const struct row *row = NULL;
		TRY(engine_look_up(op->ctx, op->head, KIND_INSTANCE, &wish->instances.at[k], &row));
		const struct webhook_event event = {.name = name,
						    .account = instance_of(row)->account,
						    .instance = row->id,
						    .more = {more, wish->reason.n ? 1 : 0}};
		TRY(webhook_note(op, &event));
	}
	return OK;
}

RESULT engine_freeze_instances(struct op *op, struct instances_wish *wish)
{
	TRY(check_administrator(op));
	TRY(engine_pause_instances(op, wish));
	TRY(engine_lock_instances(op, wish));
	return note_instances(op, wish, "instance.frozen");
}

RESULT engine_thaw_instances(struct op *op, struct instances_wish *wish)
{
	TRY(check_administrator(op));
	TRY(engine_unlock_instances(op, wish));
	TRY(engine_unpause_instances(op, wish));
	return note_instances(op, wish, "instance.thawed");
}

/* ---- accounts ---- */

/* The names of a restriction's end and of its begin. */
struct change_name {
	const char *event, *words;
};
enum { CUT, QUARANTINED, LIMITED, RESTRICTIONS };
static const struct change_name changes[RESTRICTIONS][2] = {
	[CUT] = {{"account.network-restored", "network restored"}, {"account.network-cut", "network cut"}},
	[QUARANTINED] = {{"account.released", "released"}, {"account.quarantined", "quarantined"}},
	[LIMITED] = {{"account.egress-unlimited", "egress unlimited"},
		     {"account.egress-limited", "egress limited"}},
};

static RESULT note_account(struct op *op, const struct account *account, struct str reason,
			   const struct change_name *change)
{
	const struct tag more[] = {{STR("reason"), reason}};
	const struct webhook_event event = {.name = change->event,
					    .domain = account->domain,
					    .account = account->row.id,
					    .more = {more, reason.n ? 1 : 0}};
	TRY(webhook_note(op, &event));
	return engine_log_event(op, KIND_ACCOUNT, &account->row, change->words, "%" STR_FMT, STR_ARG(reason));
}

RESULT engine_restrict_account(struct op *op, struct account_restriction *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &row));
	TRY(engine_permit(op, "account.restrict", KIND_ACCOUNT, row));
	if (!identity_is_admin(op->ctx->who))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT,
				     "Only an administrator restricts accounts.");
	if (wish->has_egress_limit && (wish->egress_limit < 0 || wish->egress_limit > EGRESS_LIMIT_MAX))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ACCOUNT, STR("egress_limit"),
				   "A limit of what is sent is 1 to %d Mbit/s, or 0 for none.",
				   EGRESS_LIMIT_MAX);
	const struct account *was = account_of(row);
	struct account next = *was;
	choice_apply(wish->cut, &next.is_cut);
	choice_apply(wish->quarantined, &next.is_quarantined);
	if (wish->has_egress_limit)
		next.egress_limit = wish->egress_limit;
	const struct {
		bool differs, is_so;
	} now[RESTRICTIONS] = {
		[CUT] = {next.is_cut != was->is_cut, next.is_cut},
		[QUARANTINED] = {next.is_quarantined != was->is_quarantined, next.is_quarantined},
		[LIMITED] = {next.egress_limit != was->egress_limit, next.egress_limit > 0},
	};
	if (row_equal(&model_kinds[KIND_ACCOUNT], &was->row, &next.row))
		return OK;
	next.row.gen++;
	TRY(account_put(op, &next));
	for (int k = 0; k < RESTRICTIONS; k++)
		if (now[k].differs)
			TRY(note_account(op, &next, wish->reason, &changes[k][now[k].is_so]));
	return OK;
}
