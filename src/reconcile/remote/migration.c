/* SPDX-License-Identifier: Apache-2.0
 * Steps of migrations, on the provider's lane: describe the machine, make and find snapshots there, stop and start the
 * machine, launch the instance, and remove the snapshots in the end. Each step looks before it acts, so that a crash in
 * between repeats nothing: snapshots are found by their tags, and the machine's power is read before each request. The
 * steps of disks copy the blocks. A cloud that cannot be reached is tried again until somebody undoes the migration.
 * migration_out.c has the steps of the way out. */
#include "engine/remote/migration.h"
#include "base/clock.h"
#include "engine/remote/remote_machine.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/states.h"
#include "reconcile/remote/migration_step.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"
#include "store/instance.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/snapshot.h"

/* ---- rows ---- */

static void see_snapshots(const struct tables *t, const struct cloud_migration *m, struct parts_here *here)
{
	bool is_out = m->direction == CLOUD_MIGRATION_DIRECTION_OUT;
	here->are_complete = here->are_asked = here->are_cut = true;
	for (const struct cloud_migration_disk *d = cloud_migration_disk_first_by_migration(t, m->row.id); d;
	     d = cloud_migration_disk_next_by_migration(t, d)) {
		const struct snapshot *s = snapshot_find(t, d->snapshot);
		bool is_there = s && row_is_live(&s->row);
		here->disk_count++;
		here->are_cut &= !uuid_is_none(d->snapshot);
		if (is_out && uuid_is_none(d->snapshot)) /* not yet made in this round */
			continue;
		if (!is_there || model_derive_snapshot_state(s) == SNAPSHOT_ERROR)
			here->failure =
				is_there && s->problem.n ? s->problem : STR("A snapshot here is gone.");
		here->are_asked &= is_there && s->blocks_are_complete;
		here->are_complete &= is_there && model_derive_snapshot_state(s) == SNAPSHOT_COMPLETED;
	}
}

static void see_instance(const struct tables *t, const struct cloud_migration *m, struct parts_here *here)
{
	const struct instance *i = instance_find(t, m->instance);
	enum instance_state state = i ? model_derive_instance_state(i) : INSTANCE_TERMINATED;
	here->is_running = state == INSTANCE_RUNNING;
	here->is_off = state == INSTANCE_TERMINATED || state == INSTANCE_STOPPED;
	here->is_gone = !i || state == INSTANCE_TERMINATED;
	here->is_wanted_on = i && i->wanted_power == INSTANCE_WANTED_POWER_ON;
	here->is_stopped = state == INSTANCE_STOPPED && !here->is_wanted_on;
}

static RESULT gather(struct step *s, struct moving *mo)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct cloud_migration *m = cloud_migration_find(view.tables, s->id);
	const struct provider *p = m ? provider_find(view.tables, m->provider) : NULL;
	if (!p)
		return OK;
	mo->m = STEP_COPY(s, KIND_CLOUD_MIGRATION, struct cloud_migration, m);
	mo->provider = STEP_COPY(s, KIND_PROVIDER, struct provider, p);
	see_snapshots(view.tables, m, &mo->here);
	mo->here.failure = str_copy(s->ctx.arena, mo->here.failure);
	see_instance(view.tables, m, &mo->here);
	return OK;
}

RESULT migration_report(struct step *s, const struct moving *mo, struct cloud_migration_report news)
{
	struct cloud_migration_report *report = STEP_NEW(s, struct cloud_migration_report);
	*report = news;
	report->migration = s->id;
	report->gen = mo->m->row.gen;
	report->stage = mo->m->stage;
	report->round = mo->m->round;
	report->guard = s->r->later_guard;
	step_report(s, engine_see_cloud_migration_run, report);
	return OK;
}

RESULT migration_report_and_go_on(struct step *s, const struct moving *mo, struct cloud_migration_report news)
{
	TRY(migration_report(s, mo, news));
	step_again(s);
	return OK;
}

RESULT migration_look_again(struct step *s, int64_t after_ms)
{
	step_again_at(s, clock_now_us() + after_ms * MSECOND);
	return OK;
}

/* ---- asking the asker's policies ---- */

RESULT migration_may_still(struct step *s, const struct moving *mo, const char *permission, enum kind kind,
			   const struct row *row, const struct tables *t, bool *ret_may)
{
	const struct asker asker = ASKER_OF(mo->m);
	const struct asker_work work = {s->r->later_guard, permission, clock_now_us()};
	struct str why = STR_NONE;
	TRY(asker_ask(s->ctx.arena, t, &asker, &work, kind, row, &why));
	*ret_may = !why.n;
	return why.n ? migration_report(s, mo,
					(struct cloud_migration_report){.news = MIGRATION_NEWS_PROBLEM,
									.problem = why})
		     : OK;
}

/* True: the asker may still stop or start the machine there. Otherwise the migration's problem says why. */
static RESULT may_still(struct step *s, const struct moving *mo, enum remote_machine_act act, bool *ret_may)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine *machine = remote_machine_find(view.tables, mo->m->machine);
	return migration_may_still(s, mo, engine_remote_permission(act), KIND_REMOTE_MACHINE,
				   machine ? &machine->row : NULL, view.tables, ret_may);
}

/* ---- the plan ---- */

static RESULT look(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct migration_plan_report *plan = STEP_NEW(s, struct migration_plan_report);
	struct remote_layout *layout = STEP_NEW(s, struct remote_layout);
	TRY(mo->driver->blocks->describe(&s->ctx, remote, mo->m->ref, layout));
	*plan = (struct migration_plan_report){.migration = s->id,
					       .gen = mo->m->row.gen,
					       .seen = &layout->machine,
					       .disks = layout->disks,
					       .disk_count = layout->disk_count,
					       .lacks = layout->lacks};
	step_report(s, engine_see_migration_plan_run, plan);
	return OK;
}

static RESULT fail_plan(struct step *s, const struct moving *mo, struct str problem)
{
	struct migration_plan_report *plan = STEP_NEW(s, struct migration_plan_report);
	*plan = (struct migration_plan_report){.migration = s->id, .gen = mo->m->row.gen, .problem = problem};
	step_report(s, engine_see_migration_plan_run, plan);
	return OK;
}

/* ---- snapshots there ---- */

static bool is_off(const struct remote_machine *m)
{
	return m->power == REMOTE_MACHINE_POWER_STOPPED;
}

/* Reports the round's snapshots when all are complete. A volume may have two snapshots if the answer to the first request
 * was lost: the first one is used, and the end removes both. */
static RESULT take_points(struct step *s, const struct moving *mo, const struct remote_points *points)
{
	struct migration_point *at = arena_new_array(s->ctx.arena, struct migration_point, points->count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < points->count; k++) {
		const struct remote_point *p = &points->at[k];
		bool is_known = false;
		for (size_t n = 0; n < count; n++)
			is_known |= str_equal(at[n].volume, p->volume);
		if (is_known)
			continue;
		if (p->has_failed)
			return migration_report(
				s, mo,
				(struct cloud_migration_report){.news = MIGRATION_NEWS_FAILED,
								.problem = str_print(s->ctx.arena,
										     "The snapshot %" STR_FMT
										     " failed there.",
										     STR_ARG(p->id))});
		if (!p->is_complete)
			return migration_look_again(s, LOOK_EVERY_S * 1000);
		at[count++] = (struct migration_point){p->volume, p->id};
	}
	return migration_report(s, mo,
				(struct cloud_migration_report){
					.news = MIGRATION_NEWS_FROZEN, .points = at, .point_count = count});
}

static RESULT freeze(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct remote_points points = {0};
	const struct remote_round round = {s->id, mo->m->round};
	TRY(mo->driver->points->find(&s->ctx, remote, &round, &points));
	if (points.count)
		return take_points(s, mo, &points);
	if (mo->m->is_final) {
		struct remote_machine seen = {0};
		TRY(mo->driver->get(&s->ctx, remote, mo->m->ref, &seen));
		if (!is_off(&seen))
			return migration_report_and_go_on(
				s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_RESUMED});
	}
	TRY(mo->driver->blocks->freeze(&s->ctx, remote, mo->m->ref, &round));
	return migration_look_again(s, LOOK_HERE_MS);
}

RESULT migration_thaw_one(struct step *s, const struct moving *mo, struct remote *remote, int64_t from_round,
			  bool *ret_is_clean)
{
	struct remote_points points = {0};
	const struct remote_round all = {s->id, 0};
	*ret_is_clean = false;
	TRY(mo->driver->points->find(&s->ctx, remote, &all, &points));
	for (size_t k = 0; k < points.count; k++)
		if (points.at[k].round < from_round)
			return mo->driver->points->thaw(&s->ctx, remote, points.at[k].id);
	*ret_is_clean = true;
	return OK;
}

/* ---- rounds ---- */

/* Removes snapshots of earlier rounds while the next round is waited for. */
static RESULT wait_for_round(struct step *s, const struct moving *mo, struct remote *remote, int64_t due_us)
{
	bool is_clean = false;
	int64_t now_us = clock_now_us();
	if (now_us >= due_us)
		return migration_report_and_go_on(
			s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_ROUND});
	TRY(migration_thaw_one(s, mo, remote, mo->m->round, &is_clean));
	if (!is_clean)
		step_again(s);
	else if (due_us - now_us > FAR_S * SECOND)
		step_again_by(s, due_us);
	else
		step_again_at(s, due_us);
	return OK;
}

/* ---- cutover ---- */

/* The row says before the request that it is sent, so that after a crash an undo starts the machine again. */
static RESULT stop(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct remote_machine seen = {0};
	bool may = false;
	TRY(mo->driver->get(&s->ctx, remote, mo->m->ref, &seen));
	if (is_off(&seen) && mo->m->is_stopped)
		return migration_report_and_go_on(
			s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_STOPPED});
	if (!mo->m->is_stopped)
		return migration_report_and_go_on(
			s, mo,
			(struct cloud_migration_report){.news = MIGRATION_NEWS_STOPPING,
							.was_running = !is_off(&seen)});
	TRY(may_still(s, mo, REMOTE_MACHINE_ACT_STOP, &may));
	if (may && seen.power != REMOTE_MACHINE_POWER_STOPPING)
		TRY(mo->driver->act(&s->ctx, remote,
				    &(struct remote_act){.verb = REMOTE_MACHINE_ACT_STOP,
							 .ref = mo->m->ref,
							 .raw_state = seen.raw_state}));
	return migration_look_again(s, LOOK_EVERY_S * 1000);
}

/* The machine is looked at right before the launch: two copies with one address are worse than an outage. */
static RESULT make(struct step *s, const struct moving *mo, struct remote *remote)
{
	struct remote_machine seen = {0};
	if (mo->here.failure.n)
		return migration_report(s, mo,
					(struct cloud_migration_report){.news = MIGRATION_NEWS_FAILED,
									.problem = mo->here.failure});
	if (mo->here.are_asked && !mo->here.are_complete)
		return migration_look_again(s, LOOK_HERE_MS);
	TRY(mo->driver->get(&s->ctx, remote, mo->m->ref, &seen));
	if (!mo->here.are_asked)
		return migration_report_and_go_on(
			s, mo,
			(struct cloud_migration_report){.news = is_off(&seen) ? MIGRATION_NEWS_COMPLETE
									      : MIGRATION_NEWS_RESUMED});
	if (!is_off(&seen))
		return migration_report_and_go_on(
			s, mo,
			(struct cloud_migration_report){
				.news = MIGRATION_NEWS_FAILED,
				.problem = STR("Somebody has started the machine after its last blocks were "
					       "copied.")});
	TRY(migration_report(s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_LAUNCH}));
	return migration_look_again(s, LOOK_EVERY_S * 1000);
}

static RESULT watch(struct step *s, const struct moving *mo)
{
	if (mo->here.is_running)
		return migration_report_and_go_on(
			s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_RUNNING});
	if (mo->here.is_off)
		return migration_report_and_go_on(
			s, mo,
			(struct cloud_migration_report){
				.news = MIGRATION_NEWS_FAILED,
				.problem = STR("The instance has ended before it ran.")});
	return migration_look_again(s, LOOK_HERE_MS);
}

/* ---- ends ---- */

RESULT migration_thaw_all(struct step *s, const struct moving *mo, struct remote *remote, struct str note)
{
	bool is_clean = false;
	TRY(migration_thaw_one(s, mo, remote, INT64_MAX, &is_clean));
	return migration_report_and_go_on(
		s, mo,
		is_clean ? (struct cloud_migration_report){.news = MIGRATION_NEWS_THAWED, .problem = note}
			 : (struct cloud_migration_report){.news = MIGRATION_NEWS_PROBLEM});
}

/* Starts the machine again if the migration has stopped it. *ret_is_over: nothing more is to be done for that. */
static RESULT restart(struct step *s, const struct moving *mo, struct remote *remote, bool *ret_is_over,
		      struct str *ret_note)
{
	struct remote_machine seen = {0};
	bool may = false;
	*ret_is_over = !mo->m->is_stopped || !mo->m->was_running;
	if (*ret_is_over)
		return OK;
	struct result found = mo->driver->get(&s->ctx, remote, mo->m->ref, &seen);
	if (found.code == ERR_NOT_FOUND) {
		ctx_clear_problem(&s->ctx);
		*ret_note = STR("The machine is gone there.");
		*ret_is_over = true;
		return OK;
	}
	TRY(found);
	*ret_is_over = seen.power == REMOTE_MACHINE_POWER_RUNNING;
	if (seen.power != REMOTE_MACHINE_POWER_STOPPED)
		return OK;
	TRY(may_still(s, mo, REMOTE_MACHINE_ACT_START, &may));
	return may ? mo->driver->act(&s->ctx, remote,
				     &(struct remote_act){.verb = REMOTE_MACHINE_ACT_START,
							  .ref = mo->m->ref,
							  .raw_state = seen.raw_state})
		   : OK;
}

/* The instance must be seen off before the machine is started. */
static RESULT undo(struct step *s, const struct moving *mo, struct remote *remote)
{
	bool is_over = false;
	struct str note = mo->m->has_run ? STR("What the instance here wrote stays on it.") : STR_NONE;
	if (!mo->here.is_off)
		return migration_look_again(s, LOOK_HERE_MS);
	TRY(restart(s, mo, remote, &is_over, &note));
	return is_over ? migration_thaw_all(s, mo, remote, note)
		       : migration_look_again(s, LOOK_EVERY_S * 1000);
}

/* ---- the step ---- */

/* A refusal that a retry would repeat ends what can be ended; the rest goes on, with the reason in the row. */
static RESULT fail(struct step *s, const struct moving *mo, const struct remote *remote, struct result result)
{
	struct str why = s->ctx.problem.message;
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (result.code == ERR_THROTTLED)
		pace_slow_down(&mo->lane->pace, clock_now_us());
	ctx_clear_problem(&s->ctx);
	bool is_final = !remote_may_help_later(result.code) && result.code != ERR_UNAUTHENTICATED &&
			result.code != ERR_EXPIRED && result.code != ERR_STATE && result.code != ERR_QUOTA;
	if (mo->m->stage == CLOUD_MIGRATION_STAGE_PLANNING && is_final)
		return fail_plan(s, mo, why.n ? why : STR("The machine cannot be described."));
	bool is_ending =
		mo->m->stage == CLOUD_MIGRATION_STAGE_UNDOING || mo->m->stage == CLOUD_MIGRATION_STAGE_DONE;
	if (is_final && !is_ending && result.code != ERR_DENIED)
		return migration_report(
			s, mo,
			(struct cloud_migration_report){.news = MIGRATION_NEWS_FAILED, .problem = why});
	if (mo->m->stage != CLOUD_MIGRATION_STAGE_PLANNING)
		TRY(migration_report(
			s, mo,
			(struct cloud_migration_report){.news = MIGRATION_NEWS_PROBLEM, .problem = why}));
	step_again_at(s, remote_next_try_us(++mo->lane->failures, remote->wait_us));
	return OK;
}

static RESULT act(struct step *s, const struct moving *mo, struct remote *remote, enum migration_turn turn,
		  int64_t due_us)
{
	if (mo->m->direction == CLOUD_MIGRATION_DIRECTION_OUT && turn != MIGRATION_TURN_ROUND)
		return migration_act_out(s, mo, remote, turn);
	switch (turn) {
	case MIGRATION_TURN_LOOK:
		return look(s, mo, remote);
	case MIGRATION_TURN_FREEZE:
		return freeze(s, mo, remote);
	case MIGRATION_TURN_ROUND:
		return wait_for_round(s, mo, remote, due_us);
	case MIGRATION_TURN_STOP:
		return stop(s, mo, remote);
	case MIGRATION_TURN_MAKE:
		return make(s, mo, remote);
	case MIGRATION_TURN_WATCH:
		return watch(s, mo);
	case MIGRATION_TURN_THAW:
		return migration_thaw_all(s, mo, remote, STR_NONE);
	case MIGRATION_TURN_UNDO:
		return undo(s, mo, remote);
	case MIGRATION_TURN_NONE:
	case MIGRATION_TURN_COPY:
		return OK;
	}
	return OK;
}

static RESULT step_migration(struct step *s)
{
	struct moving mo = {0};
	struct remote remote;
	int64_t due_us = 0, turn_us = 0;
	TRY(gather(s, &mo));
	if (!mo.m)
		return OK;
	enum migration_turn turn = engine_find_migration_turn(mo.m, &due_us);
	if (turn == MIGRATION_TURN_NONE || turn == MIGRATION_TURN_COPY)
		return OK;
	mo.lane = provider_lane_of(s->r, mo.provider->row.id);
	mo.driver = remote_driver_of((int) mo.provider->cloud);
	if (!mo.lane)
		return ctx_no_memory(&s->ctx);
	bool is_out = mo.m->direction == CLOUD_MIGRATION_DIRECTION_OUT;
	if (!mo.provider->verified_us || (is_out ? !mo.driver->sink : !mo.driver->blocks))
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	if (!pace_take(&mo.lane->pace, clock_now_us(), &turn_us)) {
		step_again_at(s, turn_us);
		return OK;
	}
	struct result result = remote_open(s, mo.provider, mo.lane, &remote);
	if (result_is_ok(result))
		result = act(s, &mo, &remote, turn, due_us);
	remote_close(&remote);
	return result_is_ok(result) ? OK : fail(s, &mo, &remote, result);
}

/* ---- wake-ups ---- */

static void wake_migration_row(struct reconciler *r, const struct row *row)
{
	const struct cloud_migration *m = cloud_migration_of(row);
	int64_t due_us = 0;
	enum migration_turn turn = engine_find_migration_turn(m, &due_us);
	if (turn == MIGRATION_TURN_NONE || turn == MIGRATION_TURN_COPY)
		return;
	const struct provider_lane *lane = provider_lane_of(r, m->provider);
	if (lane)
		work_wake(r, lane->lane, KIND_CLOUD_MIGRATION, row->id, WAKE_WISH);
	else
		work_note_loss(r);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct cloud_migration *m = cloud_migration_of(after);
	bool is_new = !before || cloud_migration_of(before)->stage != m->stage || before->gen != after->gen ||
		      cloud_migration_of(before)->is_stopped != m->is_stopped;
	if (!is_new)
		return;
	wake_migration_row(r, after);
	if (m->stage != CLOUD_MIGRATION_STAGE_COPYING)
		return;
	for (const struct cloud_migration_disk *d = cloud_migration_disk_first_by_migration(t, after->id); d;
	     d = cloud_migration_disk_next_by_migration(t, d))
		work_wake(r, lane_fetches(d->account), KIND_CLOUD_MIGRATION_DISK, d->row.id, WAKE_WISH);
}

const struct resource reconcile_cloud_migration = {
	.step = step_migration, .is_swept = true, .wake = wake_migration_row, .wake_changed = wake_changed};
