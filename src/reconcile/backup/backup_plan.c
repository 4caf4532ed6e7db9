/* SPDX-License-Identifier: Apache-2.0
 * Steps of backup plans. The row says when the next run is due. A step that finds the time past has one run
 * made, however many times have passed, and computes the next time: here and not in the engine, because time
 * zones are read from files. So does the choice of what expires. If the clock was set back, the recorded time
 * is later than the schedule's next one and is corrected, unless that run was made already. Woken by the
 * plan's row and its backups; due plans are searched at every tick. */
#include "engine/backup/backup_plan.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/backup/backup_vault.h"
#include "engine/events/events.h"
#include "model/machine_backup.h"
#include "model/retention.h"
#include "model/schedule.h"
#include "model/states.h"
#include "reconcile/work.h"
#include "store/backup_plan.h"
#include "store/machine_backup.h"

/* EXPIRED_MAX: backups that one step deletes; the deletions wake the next step. */
enum { EXPIRED_MAX = 64 };

/* A backup of the plan, as the retention sees it. */
struct plan_backup {
	uuid id, instance;
	int64_t data_us, checked_us;
	enum machine_backup_state state;
	bool is_held, is_checking;
};

struct plan_rows {
	const struct backup_plan *plan; /* NULL: the row does not exist */
	struct plan_backup *backups;    /* by machine, the newest of each first */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct plan_backup *x = a, *y = b;
	int order = memcmp(x->instance.b, y->instance.b, sizeof x->instance.b);
	if (order)
		return order;
	return x->data_us > y->data_us ? -1 : x->data_us < y->data_us;
}

static RESULT gather_plan(struct step *s, struct plan_rows *ret_rows)
{
	struct plan_rows rows = {0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct backup_plan *p = backup_plan_find(view.tables, s->id);
	*ret_rows = rows;
	if (!p)
		return OK;
	rows.plan = STEP_COPY(s, KIND_BACKUP_PLAN, struct backup_plan, p);
	size_t count = 0;
	for (const struct machine_backup *m = machine_backup_first_by_plan(view.tables, s->id); m;
	     m = machine_backup_next_by_plan(view.tables, m))
		count++;
	rows.backups = arena_new_array(s->ctx.arena, struct plan_backup, count + 1);
	if (!rows.backups)
		return ctx_no_memory(&s->ctx);
	for (const struct machine_backup *m = machine_backup_first_by_plan(view.tables, s->id); m;
	     m = machine_backup_next_by_plan(view.tables, m))
		rows.backups[rows.count++] = (struct plan_backup){
			.id = m->row.id,
			.instance = m->instance,
			.data_us = m->data_us,
			.checked_us = m->checked_us,
			.state = model_derive_machine_backup_state(m),
			.is_held = m->is_held,
			.is_checking = m->check_state == MACHINE_BACKUP_CHECK_STATE_RUNNING};
	qsort(rows.backups, rows.count, sizeof rows.backups[0], compare);
	*ret_rows = rows;
	return OK;
}

/* ---- expiry ---- */

struct expiry {
	uuid *ids;
	size_t count;
};

static void expire(struct expiry *e, const struct plan_backup *b)
{
	if (e->count < EXPIRED_MAX && !b->is_held && !b->is_checking)
		e->ids[e->count++] = b->id;
}

/* The backups of one machine, the newest first. A failed one goes once a later one is complete. */
static RESULT expire_of_machine(struct step *s, const struct backup_plan *p, const struct time_zone *zone,
				const struct plan_backup *b, size_t count, struct expiry *e)
{
	const struct retention rules = {.last = p->keep_last,
					.hourly = p->keep_hourly,
					.daily = p->keep_daily,
					.weekly = p->keep_weekly,
					.monthly = p->keep_monthly,
					.yearly = p->keep_yearly};
	int64_t *times = arena_new_array(s->ctx.arena, int64_t, count);
	bool *keeps = arena_new_array(s->ctx.arena, bool, count);
	size_t n = 0;
	if (!times || !keeps)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < count; k++)
		if (b[k].state == MACHINE_BACKUP_AVAILABLE)
			times[n++] = b[k].data_us;
	retention_choose(&rules, zone, times, n, keeps);
	n = 0;
	for (size_t k = 0; k < count; k++) {
		bool has_later = n > 0;
		if (b[k].state == MACHINE_BACKUP_AVAILABLE && !keeps[n++])
			expire(e, &b[k]);
		if (b[k].state == MACHINE_BACKUP_ERROR && has_later)
			expire(e, &b[k]);
	}
	return OK;
}

static RESULT prune(struct step *s, const struct plan_rows *rows, const struct time_zone *zone)
{
	struct expiry e = {.ids = arena_new_array(s->ctx.arena, uuid, EXPIRED_MAX)};
	if (!e.ids)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0, end = 0; k < rows->count; k = end) {
		for (end = k;
		     end < rows->count && uuid_equal(rows->backups[end].instance, rows->backups[k].instance);)
			end++;
		TRY(expire_of_machine(s, rows->plan, zone, &rows->backups[k], end - k, &e));
	}
	if (e.count == 0)
		return OK;
	struct backup_plan_pruning *wish = STEP_NEW(s, struct backup_plan_pruning);
	*wish = (struct backup_plan_pruning){.plan = s->id, .expired = {e.ids, e.count}};
	step_report(s, engine_prune_backup_plan_run, wish);
	return OK;
}

/* ---- test restores ---- */

/* Tests the newest backup of the machine that was tested longest ago; one at a time. */
static RESULT check(struct step *s, const struct plan_rows *rows, int64_t now_us)
{
	const struct backup_plan *p = rows->plan;
	const struct plan_backup *chosen = NULL;
	int64_t chosen_us = INT64_MAX, period_us = p->check_days * 24 * HOUR;
	for (size_t k = 0; k < rows->count;) {
		const struct plan_backup *newest = NULL;
		uuid instance = rows->backups[k].instance;
		int64_t checked_us = 0;
		for (; k < rows->count && uuid_equal(rows->backups[k].instance, instance); k++) {
			const struct plan_backup *b = &rows->backups[k];
			if (b->is_checking)
				return OK;
			if (!newest && b->state == MACHINE_BACKUP_AVAILABLE)
				newest = b;
			if (b->checked_us > checked_us)
				checked_us = b->checked_us;
		}
		if (newest && newest->checked_us == 0 && checked_us < chosen_us) {
			chosen = newest;
			chosen_us = checked_us;
		}
	}
	if (!chosen || p->check_days <= 0)
		return OK;
	if (chosen_us + period_us > now_us) {
		step_again_by(s, chosen_us + period_us);
		return OK;
	}
	struct backup_plan_check *wish = STEP_NEW(s, struct backup_plan_check);
	*wish = (struct backup_plan_check){.plan = s->id, .backup = chosen->id, .guard = s->r->later_guard};
	step_report(s, engine_begin_plan_check_run, wish);
	return OK;
}

/* ---- runs ---- */

static RESULT report_turn(struct step *s, const struct backup_plan *p, int64_t next_us, bool is_due,
			  bool is_retry)
{
	struct backup_plan_turn *turn = STEP_NEW(s, struct backup_plan_turn);
	*turn = (struct backup_plan_turn){.plan = s->id,
					  .gen = p->row.gen,
					  .due_us = p->next_us,
					  .retry_us = p->retry_us,
					  .next_us = next_us,
					  .is_due = is_due,
					  .is_retry = is_retry,
					  .guard = s->r->later_guard};
	step_report(s, engine_take_backup_turn_run, turn);
	return OK;
}

/* Next scheduled time after now, other than that of the last run. */
static RESULT find_next(const struct backup_plan *p, const struct time_zone *zone, int64_t now_us,
			int64_t *ret_next_us)
{
	struct schedule schedule;
	if (p->interval == BACKUP_PLAN_INTERVAL_EXPRESSION) {
		int64_t found_us = engine_find_event_time(p->schedule, now_us);
		if (found_us && found_us == p->run_us)
			found_us = engine_find_event_time(p->schedule, found_us);
		*ret_next_us = found_us ? found_us : INT64_MAX;
		return OK;
	}
	TRY(p->interval == BACKUP_PLAN_INTERVAL_CRON
		    ? schedule_read_cron(p->schedule, &schedule)
		    : schedule_read((enum snapshot_policy_interval) p->interval, p->schedule, &schedule));
	*ret_next_us = schedule_next_us(&schedule, zone, now_us);
	if (*ret_next_us == p->run_us)
		*ret_next_us = schedule_next_us(&schedule, zone, *ret_next_us);
	return OK;
}

static RESULT step_plan(struct step *s)
{
	struct plan_rows rows;
	const struct time_zone *zone = NULL;
	int64_t now_us = clock_now_us(), next_us = 0;
	TRY(gather_plan(s, &rows));
	const struct backup_plan *p = rows.plan;
	if (!p)
		return OK;
	TRY(time_zone_load(&s->ctx, p->timezone, &zone));
	TRY(prune(s, &rows, zone));
	if (!p->is_active)
		return OK;
	if (engine_is_vault_plan(p)) /* backup_rule.c makes the runs */
		return check(s, &rows, now_us);
	TRY(find_next(p, zone, now_us, &next_us));
	if (p->next_us && now_us >= p->next_us)
		return report_turn(s, p, next_us, true, false);
	if (!p->next_us || p->next_us > next_us)
		return report_turn(s, p, next_us, false, false);
	if (p->retry_us && now_us >= p->retry_us)
		return report_turn(s, p, p->next_us, false, true);
	return check(s, &rows, now_us);
}

/* ---- wake-ups ---- */

static void wake_plan(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_BACKUP_PLAN, row->id, WAKE_WISH);
}

static void wake_due(struct reconciler *r, const struct tables *t, unsigned index,
		     const struct backup_plan *probe, size_t offset, int64_t now_us)
{
	const struct row *row = tables_seek(t, KIND_BACKUP_PLAN, index, &probe->row, 1);
	for (; row; row = tables_next(t, KIND_BACKUP_PLAN, index, row, 0)) {
		if (*(const int64_t *) (const void *) ((const char *) row + offset) > now_us)
			return;
		const struct backup_plan *plan = backup_plan_of(row);
		if (plan->is_active && !engine_is_vault_plan(plan))
			wake_plan(r, row);
	}
}

void wake_due_backup_plans(struct reconciler *r)
{
	const struct backup_plan probe = {.next_us = 1, .retry_us = 1};
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	wake_due(r, view.tables, BACKUP_PLAN_INDEX_DUE, &probe, offsetof(struct backup_plan, next_us),
		 now_us);
	wake_due(r, view.tables, BACKUP_PLAN_INDEX_RETRY, &probe, offsetof(struct backup_plan, retry_us),
		 now_us);
}

const struct resource reconcile_backup_plan = {
	.step = step_plan,
	.is_swept = true,
	.wake = wake_plan,
};
