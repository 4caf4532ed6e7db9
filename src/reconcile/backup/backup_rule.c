/* SPDX-License-Identifier: Apache-2.0
 * Steps of rules of AWS Backup's plans. The row says when the next run is due. A step that finds the time past has one run made, however
 * many times have passed, and computes the next time. If the clock was set back, the recorded time is later than the schedule's next one
 * and is corrected, unless that run was made already. Woken by the rule's row; due rules are searched at every tick. */
#include "store/backup_rule.h"
#include "base/clock.h"
#include "engine/backup/backup_vault.h"
#include "engine/events/events.h"
#include "reconcile/work.h"
#include "store/backup_plan.h"

/* *ret_rule is NULL if the row does not exist, or its plan does not run. */
static RESULT gather_rule(struct step *s, const struct backup_rule **ret_rule)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct backup_rule *rule = backup_rule_find(view.tables, s->id);
	const struct backup_plan *plan = rule ? backup_plan_find(view.tables, rule->plan) : NULL;
	bool runs = plan && plan->is_active && plan->selection_count > 0;
	*ret_rule = runs ? STEP_COPY(s, KIND_BACKUP_RULE, struct backup_rule, rule) : NULL;
	return OK;
}

/* Next scheduled time after now, other than that of the last run. */
static int64_t find_next(const struct backup_rule *rule, int64_t now_us)
{
	int64_t found_us = engine_find_event_time(rule->schedule, now_us);
	if (found_us && found_us == rule->run_us)
		found_us = engine_find_event_time(rule->schedule, found_us);
	return found_us ? found_us : INT64_MAX;
}

static RESULT report(struct step *s, const struct backup_rule *rule, int64_t next_us, bool is_due,
		     bool is_retry)
{
	struct backup_rule_turn *turn = STEP_NEW(s, struct backup_rule_turn);
	*turn = (struct backup_rule_turn){.rule = s->id,
					  .gen = rule->row.gen,
					  .due_us = rule->next_us,
					  .retry_us = rule->retry_us,
					  .next_us = next_us,
					  .is_due = is_due,
					  .is_retry = is_retry,
					  .guard = s->r->later_guard};
	step_report(s, engine_take_backup_rule_turn_run, turn);
	return OK;
}

static RESULT step_rule(struct step *s)
{
	const struct backup_rule *rule = NULL;
	int64_t now_us = clock_now_us();
	TRY(gather_rule(s, &rule));
	if (!rule)
		return OK;
	int64_t next_us = find_next(rule, now_us);
	if (rule->next_us && now_us >= rule->next_us)
		return report(s, rule, next_us, true, false);
	if (!rule->next_us || rule->next_us > next_us)
		return report(s, rule, next_us, false, false);
	return rule->retry_us && now_us >= rule->retry_us ? report(s, rule, rule->next_us, false, true) : OK;
}

/* ---- wake-ups ---- */

static void wake_rule(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_BACKUP_RULE, row->id, WAKE_WISH);
}

static void wake_due(struct reconciler *r, const struct tables *t, unsigned index,
		     const struct backup_rule *probe, size_t offset, int64_t now_us)
{
	const struct row *row = tables_seek(t, KIND_BACKUP_RULE, index, &probe->row, 1);
	for (; row; row = tables_next(t, KIND_BACKUP_RULE, index, row, 0)) {
		if (*(const int64_t *) (const void *) ((const char *) row + offset) > now_us)
			return;
		wake_rule(r, row);
	}
}

void wake_due_backup_rules(struct reconciler *r)
{
	const struct backup_rule probe = {.next_us = 1, .retry_us = 1};
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	wake_due(r, view.tables, BACKUP_RULE_INDEX_DUE, &probe, offsetof(struct backup_rule, next_us),
		 now_us);
	wake_due(r, view.tables, BACKUP_RULE_INDEX_RETRY, &probe, offsetof(struct backup_rule, retry_us),
		 now_us);
}

const struct resource reconcile_backup_rule = {
	.step = step_rule,
	.is_swept = true,
	.wake = wake_rule,
};
