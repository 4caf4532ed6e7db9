/* SPDX-License-Identifier: Apache-2.0
 * Steps of snapshot policies. The row records when the next snapshot is due; a step that finds the time past
 * has exactly one snapshot taken and computes the next time. The time is computed here and not in the engine
 * because time zones are read from files. If the clock was set back, the recorded time is later than the
 * schedule's next one and is corrected, unless that snapshot was taken already. Surplus snapshots are deleted
 * once a later one is complete. Woken by the policy's row and its snapshots; due policies are searched at
 * every tick. */
#include "engine/storage/snapshot/snapshot_policy.h"

#include "base/clock.h"
#include "engine/storage/snapshot/lifecycle_policy.h"
#include "model/condition.h"
#include "model/states.h"
#include "reconcile/work.h"
#include "store/condition.h"
#include "store/snapshot.h"
#include "store/snapshot_policy.h"

struct policy_rows {
	const struct snapshot_policy *policy; /* NULL: the row does not exist */
	bool has_superfluous;                 /* more snapshots than the policy keeps */
	bool has_failed;                      /* the latest snapshot failed */
	bool was_kept_from;                   /* an earlier deletion was refused */
	struct str problem;                   /* reason of the latest failure */
};

static RESULT gather_policy(struct step *s, struct policy_rows *ret_rows)
{
	*ret_rows = (struct policy_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct snapshot_policy *p = snapshot_policy_find(view.tables, s->id);
	if (!p)
		return OK;
	ret_rows->policy = STEP_COPY(s, KIND_SNAPSHOT_POLICY, struct snapshot_policy, p);
	struct uuids superfluous = {0};
	TRY(engine_list_superfluous(&s->ctx, view.tables, p, clock_now_us(), &superfluous));
	ret_rows->has_superfluous = superfluous.count > 0;
	ret_rows->was_kept_from =
		condition_find_by_subject(view.tables, s->id, STR(SNAPSHOTS_NOT_DELETED)) != NULL;
	if (engine_is_lifecycle_policy(p))
		return OK;
	const struct snapshot *newest = engine_find_newest(view.tables, p);
	ret_rows->has_failed = newest && model_derive_snapshot_state(newest) == SNAPSHOT_ERROR;
	if (ret_rows->has_failed)
		ret_rows->problem = str_copy(s->ctx.arena, newest->problem);
	return OK;
}

static void prune(struct step *s, struct snapshot_policy_pruning *wish)
{
	wish->policy = s->id;
	wish->guard = s->r->later_guard;
	step_report(s, engine_prune_policy_run, wish);
}

static RESULT report_turn(struct step *s, const struct snapshot_policy *p, int64_t next_us, bool is_due)
{
	struct snapshot_policy_turn *turn = STEP_NEW(s, struct snapshot_policy_turn);
	*turn = (struct snapshot_policy_turn){.policy = s->id,
					      .gen = p->row.gen,
					      .due_us = p->next_us,
					      .next_us = next_us,
					      .is_due = is_due,
					      .guard = s->r->later_guard};
	step_report(s, engine_take_policy_turn_run, turn);
	return OK;
}

static RESULT report_failure(struct step *s, const struct policy_rows *rows)
{
	if (rows->policy && engine_is_lifecycle_policy(rows->policy))
		return OK; /* its runs report their own failures */
	struct condition condition = {
		.subject_kind = KIND_SNAPSHOT_POLICY,
		.subject = s->id,
		.name = STR(SNAPSHOT_NOT_TAKEN),
		.message = rows->problem,
		.advice = STR("The next one is taken when it is due."),
	};
	return step_report_condition(s, &condition, rows->has_failed);
}

/* Next scheduled time after now, other than the last one taken. */
static RESULT find_next(struct step *s, const struct snapshot_policy *p, int64_t now_us, int64_t *ret_next_us)
{
	TRY(engine_find_policy_time(&s->ctx, p, now_us, ret_next_us));
	if (*ret_next_us == p->last_us)
		TRY(engine_find_policy_time(&s->ctx, p, *ret_next_us, ret_next_us));
	return OK;
}

static RESULT step_policy(struct step *s)
{
	struct policy_rows rows;
	int64_t now_us = clock_now_us(), next_us = 0;
	TRY(gather_policy(s, &rows));
	const struct snapshot_policy *p = rows.policy;
	if (!p)
		return OK;
	/* DLM deletes nothing for a policy that is disabled. */
	bool may_prune = p->is_active || !engine_is_lifecycle_policy(p);
	if (may_prune && (rows.has_superfluous || rows.was_kept_from))
		prune(s, STEP_NEW(s, struct snapshot_policy_pruning));
	rows.has_failed = rows.has_failed && p->is_active;
	if (!p->is_active)
		return report_failure(s, &rows);
	TRY(find_next(s, p, now_us, &next_us));
	if (p->next_us && now_us >= p->next_us)
		return report_turn(s, p, next_us, true);
	TRY(report_failure(s, &rows));
	return p->next_us && p->next_us <= next_us ? OK : report_turn(s, p, next_us, false);
}

/* ---- wake-ups ---- */

static void wake_policy(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_SNAPSHOT_POLICY, row->id, WAKE_WISH);
}

void wake_due_policies(struct reconciler *r)
{
	const struct snapshot_policy probe = {.next_us = 1};
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct row *row =
		tables_seek(view.tables, KIND_SNAPSHOT_POLICY, SNAPSHOT_POLICY_INDEX_DUE, &probe.row, 1);
	for (; row && snapshot_policy_of(row)->next_us <= now_us;
	     row = tables_next(view.tables, KIND_SNAPSHOT_POLICY, SNAPSHOT_POLICY_INDEX_DUE, row, 0))
		if (snapshot_policy_of(row)->is_active)
			wake_policy(r, row);
}

void wake_policy_of(struct reconciler *r, const struct tables *t, const struct snapshot *snapshot)
{
	const struct snapshot_policy *by_tags = snapshot_policy_find(t, snapshot->policy);
	if (by_tags)
		wake_policy(r, &by_tags->row);
	if (snapshot->interval == SNAPSHOT_INTERVAL_NONE)
		return;
	for (const struct snapshot_policy *p = snapshot_policy_first_by_volume(t, snapshot->volume); p;
	     p = snapshot_policy_next_by_volume(t, p))
		wake_policy(r, &p->row);
}

const struct resource reconcile_snapshot_policy = {
	.step = step_policy,
	.is_swept = true,
	.wake = wake_policy,
};
