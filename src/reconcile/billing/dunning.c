/* SPDX-License-Identifier: Apache-2.0
 * Evaluates payment of all billing accounts against the ledger at intervals. One step, with no id, handles
 * all accounts. Rating a month reads SQL for a while, so the step runs on a desk lane. */
#include "engine/billing/dunning.h"

#include "base/clock.h"
#include "engine/region/region.h"
#include "reconcile/work.h"
#include "store/domain.h"
#include "store/setting.h"

static RESULT weigh_all(struct step *s, const struct dunning_days *days)
{
	struct dunned_list list = {0};
	TRY(billing_list_dunned(&s->ctx, s->r->store, UUID_NONE, &list));
	for (size_t k = 0; k < list.count; k++) {
		struct standing_wish *wish = STEP_NEW(s, struct standing_wish);
		const struct dunned *d = &list.at[k];
		TRY(billing_weigh(&s->ctx, s->r->store, &list, days, d, wish));
		if (wish->state != d->state || wish->unpaid_us != d->unpaid_us || wish->credit != d->credit)
			step_report(s, engine_set_standing_run, wish);
	}
	return OK;
}

static RESULT step_dunning(struct step *s)
{
	struct dunning_days days;
	int64_t every_s = 0;
	bool has_any = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		days = billing_read_days(view.tables);
		every_s = engine_get_number(view.tables, SETTING_DUN_EVERY_S, DUN_EVERY_S);
		for (const struct domain *d = domain_first(view.tables); d; d = domain_next(view.tables, d))
			has_any = has_any || d->is_billed;
	}
	if (every_s <= 0 || !has_any)
		return OK;
	int64_t now_us = clock_now_us(), last_us = s->r->dunned_us;
	bool is_early = last_us && last_us <= now_us && now_us < last_us + every_s * SECOND;
	step_again_at(s, (is_early ? last_us : now_us) + every_s * SECOND);
	if (is_early)
		return OK;
	/* Set before the rows are read: a change that comes meanwhile sets 0 again, and is evaluated by the next step. */
	s->r->dunned_us = now_us;
	struct result weighed = weigh_all(s, &days);
	if (!result_is_ok(weighed))
		s->r->dunned_us = 0;
	return weighed;
}

static void wake_dunning(struct reconciler *r)
{
	work_wake(r, lane_desks(r, UUID_NONE), KIND_DOMAIN, UUID_NONE, WAKE_WISH);
}

/* Evaluates at once when a domain becomes a billing account or its payment data change. Results of the
 * evaluation itself leave gen as it was. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!domain_of(after)->is_billed || (before && before->gen == after->gen))
		return;
	r->dunned_us = 0;
	wake_dunning(r);
}

/* Starts the timer after a start of the process; later wake-ups at the resync come too early and are
 * ignored. */
static void wake_first(struct reconciler *r, const struct row *row)
{
	if (domain_of(row)->is_billed)
		wake_dunning(r);
}

const struct resource reconcile_domain = {
	.step = step_dunning, .is_swept = true, .wake = wake_first, .wake_changed = wake_changed};
