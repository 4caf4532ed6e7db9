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

RESULT migration_gather_disks(struct step *s, const struct moving *mo,
			      struct cloud_migration_disk **ret_disks)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	struct cloud_migration_disk *disks =
		arena_new_array(s->ctx.arena, struct cloud_migration_disk, mo->here.disk_count + 1);
	size_t count = 0;
	if (!disks)
		return ctx_no_memory(&s->ctx);
	for (const struct cloud_migration_disk *d =
		     cloud_migration_disk_first_by_migration(view.tables, mo->m->row.id);
	     d && count < mo->here.disk_count; d = cloud_migration_disk_next_by_migration(view.tables, d)) {
		disks[count] = *d;
		disks[count].device = str_copy(s->ctx.arena, d->device);
		disks[count].volume = str_copy(s->ctx.arena, d->volume);
		disks[count].made = str_copy(s->ctx.arena, d->made);
		disks[count++].base = str_copy(s->ctx.arena, d->base);
	}
	*ret_disks = disks;
	return arena_is_full(s->ctx.arena) ? ctx_no_memory(&s->ctx) : OK;
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
	TRY(mo->driver->source->describe(&s->ctx, remote, mo->m->ref, layout));
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

/* The disk of a point, by the cloud's id of its volume or by its place; NULL: none of the plan. */
static const struct cloud_migration_disk *disk_of(const struct cloud_migration_disk *disks, size_t count,
						  const struct remote_point *p)
{
	for (size_t k = 0; k < count; k++)
		if (p->volume.n ? str_equal(disks[k].volume, p->volume) : disks[k].number == p->number)
			return &disks[k];
	return NULL;
}

static RESULT fail_point(struct step *s, const struct moving *mo, const struct remote_point *p)
{
	return migration_report(s, mo,
				(struct cloud_migration_report){.news = MIGRATION_NEWS_FAILED,
								.problem = str_print(s->ctx.arena,
										     "The snapshot %" STR_FMT
										     " failed there.",
										     STR_ARG(p->id))});
}

/* Reports the round's snapshots when all are complete. A volume may have two snapshots if the answer to the first request
 * was lost: the first one is used, and the end removes both. *ret_goes_on: some are still to be made. */
static RESULT take_points(struct step *s, const struct moving *mo, const struct remote_freezing *wish,
			  bool *ret_goes_on)
{
	struct migration_point *at = arena_new_array(s->ctx.arena, struct migration_point,
						     wish->found.count + wish->disk_count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < wish->found.count; k++) {
		const struct remote_point *p = &wish->found.at[k];
		const struct cloud_migration_disk *disk = disk_of(wish->disks, wish->disk_count, p);
		struct str volume = disk ? disk->volume : p->volume;
		bool is_known = p->is_step || (p->is_of_all && count);
		for (size_t n = 0; n < count; n++)
			is_known |= str_equal(at[n].volume, volume);
		if (is_known)
			continue;
		if (p->has_failed)
			return fail_point(s, mo, p);
		*ret_goes_on |= !p->is_complete;
		if (!p->is_of_all)
			at[count++] = (struct migration_point){volume, p->id};
		for (size_t n = 0; p->is_of_all && n < wish->disk_count; n++)
			at[n] = (struct migration_point){wish->disks[n].volume, p->id};
		if (p->is_of_all)
			count = wish->disk_count;
	}
	*ret_goes_on |= mo->driver->source->freezes_in_steps && count < wish->disk_count;
	return *ret_goes_on ? OK
			    : migration_report(s, mo,
					       (struct cloud_migration_report){.news = MIGRATION_NEWS_FROZEN,
									       .points = at,
									       .point_count = count});
}

/* The last round is of a machine that is seen off. */
static RESULT is_still_off(struct step *s, const struct moving *mo, struct remote *remote, bool *ret_is_off)
{
	struct remote_machine seen = {0};
	*ret_is_off = true;
	if (!mo->m->is_final)
		return OK;
	TRY(mo->driver->get(&s->ctx, remote, mo->m->ref, &seen));
	*ret_is_off = is_off(&seen);
	return *ret_is_off ? OK
			   : migration_report_and_go_on(
				     s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_RESUMED});
}

static RESULT freeze(struct step *s, const struct moving *mo, struct remote *remote)
{
	const struct remote_source_ops *source = mo->driver->source;
	struct remote_freezing wish = {.round = {s->id, mo->m->round, mo->m->ref},
				       .disk_count = mo->here.disk_count};
	struct cloud_migration_disk *disks = NULL;
	bool goes_on = false, may_begin = false;
	TRY(migration_gather_disks(s, mo, &disks));
	wish.disks = disks;
	TRY(mo->points->find(&s->ctx, remote, &wish.round, &wish.found));
	bool is_begun = wish.found.count > 0;
	if (is_begun) {
		TRY(take_points(s, mo, &wish, &goes_on));
		if (!goes_on)
			return OK;
	}
	if (!is_begun && mo->m->copies_whole) {
		enum thawed thawed;
		TRY(migration_thaw_one(s, mo, remote, mo->m->round, &thawed));
		if (thawed != THAWED_ALL)
			return migration_look_again(s, thawed == THAWED_ONE ? LOOK_HERE_MS
									    : LOOK_EVERY_S * 1000);
	}
	if (is_begun && !source->freezes_in_steps)
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	TRY(is_still_off(s, mo, remote, &may_begin));
	if (!may_begin)
		return OK;
	TRY(source->freeze(&s->ctx, remote, &wish));
	return migration_look_again(s, is_begun ? LOOK_EVERY_S * 1000 : LOOK_HERE_MS);
}

RESULT migration_thaw_one(struct step *s, const struct moving *mo, struct remote *remote, int64_t from_round,
			  enum thawed *ret_thawed)
{
	struct remote_points points = {0};
	const struct remote_round all = {s->id, 0, mo->m->ref};
	*ret_thawed = THAWED_ALL;
	TRY(mo->points->find(&s->ctx, remote, &all, &points));
	for (size_t k = 0; k < points.count; k++) {
		const struct remote_point *p = &points.at[k];
		if (p->round >= from_round)
			continue;
		*ret_thawed = p->waits ? THAWED_LATER : THAWED_ONE;
		if (!p->waits)
			return mo->points->thaw(&s->ctx, remote, p->id);
	}
	return OK;
}

/* ---- rounds ---- */

/* Removes snapshots of earlier rounds while the next round is waited for. */
static RESULT wait_for_round(struct step *s, const struct moving *mo, struct remote *remote, int64_t due_us)
{
	enum thawed thawed;
	int64_t now_us = clock_now_us();
	if (now_us >= due_us)
		return migration_report_and_go_on(
			s, mo, (struct cloud_migration_report){.news = MIGRATION_NEWS_ROUND});
	/* Whole copies build on no snapshot. One that stays would make the next one's disks depend on it. */
	TRY(migration_thaw_one(s, mo, remote, mo->m->round + (mo->m->copies_whole ? 1 : 0), &thawed));
	if (thawed == THAWED_ONE)
		step_again(s);
	else if (thawed == THAWED_LATER)
		step_again_at(s, now_us + LOOK_EVERY_S * SECOND);
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
	enum thawed thawed;
	TRY(migration_thaw_one(s, mo, remote, INT64_MAX, &thawed));
	if (thawed == THAWED_LATER)
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	return migration_report_and_go_on(
		s, mo,
		thawed == THAWED_ALL
			? (struct cloud_migration_report){.news = MIGRATION_NEWS_THAWED, .problem = note}
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
	if (!mo.provider->verified_us || (is_out ? !mo.driver->sink : !mo.driver->source))
		return migration_look_again(s, LOOK_EVERY_S * 1000);
	mo.points = is_out ? mo.driver->sink->points : mo.driver->source->points;
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
