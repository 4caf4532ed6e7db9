/* SPDX-License-Identifier: Apache-2.0
 * Steps of audits that rows request: a step begins the comparison (audit.c), each answer wakes the step,
 * which reports progress, and the last step reports the findings. No thread waits. An audit that was
 * interrupted by a restart begins again. */
#include "engine/region/region_audit.h"

#include "base/clock.h"
#include "model/audit_difference.h"
#include "reconcile/work.h"
#include "store/region_audit.h"

enum {
	DEADLINE_S = 60,
	LOOK_S = 1,
	TELLINGS_MAX = 20,
	AUDIT_ARENA_FIRST = 4096,
	TEXT_MAX = 4096,
	AUDIT_ARENA_CAP = 64 * 1024 * 1024
};

/* ---- one run ---- */

static RESULT begin(struct step *s)
{
	struct arena *arena = arena_new(AUDIT_ARENA_FIRST, AUDIT_ARENA_CAP);
	if (!arena)
		return ctx_no_memory(&s->ctx);
	s->r->audit.row = s->id;
	ctx_init(&s->r->audit.ctx, arena);
	struct result begun = audit_run_begin(s->r, &s->r->audit.ctx, clock_now_us() + DEADLINE_S * SECOND,
					      s->id, &s->r->audit.run);
	if (result_is_ok(begun))
		return OK;
	s->r->audit.run = NULL;
	arena_free(arena);
	return begun;
}

static void let_go(struct reconciler *r)
{
	arena_free(r->audit.ctx.arena);
	r->audit.run = NULL;
}

void region_audit_drop(struct reconciler *r)
{
	if (!r->audit.run)
		return;
	audit_run_drop(r->audit.run);
	let_go(r);
}

/* ---- reports ---- */

static RESULT tell_progress(struct step *s, const struct region_audit *row, size_t asked, size_t answered)
{
	bool is_told = row->asked == (int64_t) asked &&
		       (size_t) row->answered * TELLINGS_MAX / asked == answered * TELLINGS_MAX / asked;
	if (is_told)
		return OK;
	struct audit_progress *progress = STEP_NEW(s, struct audit_progress);
	*progress = (struct audit_progress){s->id, (int64_t) asked, (int64_t) answered};
	step_report(s, engine_see_audit_run, progress);
	return OK;
}

static RESULT copy_finding(struct ctx *c, const struct audit_finding *found, struct audit_difference *ret_row)
{
	*ret_row = (struct audit_difference){.about = (enum audit_difference_about) found->about,
					     .quarantined = found->is_quarantined,
					     .has_row = found->has_row,
					     .subject = found->subject,
					     .place = found->place,
					     .text = str_copy(c->arena, str_cut(found->words, TEXT_MAX))};
	return ret_row->text.p || !found->words.n ? OK : ctx_no_memory(c);
}

RESULT reconciler_describe_audit(struct ctx *c, const struct audit *found, struct audit_end *ret_end)
{
	size_t count = found->findings.count;
	struct audit_difference *rows = arena_new_array(c->arena, struct audit_difference, count + 1);
	if (!rows)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		TRY(copy_finding(c, &found->findings.at[k], &rows[k]));
	ret_end->asked = (int64_t) found->asked;
	ret_end->found = rows;
	ret_end->found_count = count;
	ret_end->cached = (int64_t) found->cached.count;
	for (size_t k = 0; k < found->cached.count; k++)
		ret_end->cached_bytes += found->cached.at[k].file_size;
	return OK;
}

static RESULT tell_end(struct step *s, const struct audit *found)
{
	struct audit_end *end = STEP_NEW(s, struct audit_end);
	end->audit = s->id;
	TRY(reconciler_describe_audit(&s->ctx, found, end));
	step_report(s, engine_end_audit_run, end);
	return OK;
}

/* ---- the step ---- */

static RESULT step_region_audit(struct step *s)
{
	const struct region_audit *row = NULL;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct region_audit *there = region_audit_find(view.tables, s->id);
		if (!there || there->stage == REGION_AUDIT_STAGE_ENDED)
			return OK;
		row = STEP_COPY(s, KIND_REGION_AUDIT, struct region_audit, there);
	}
	size_t asked = 0, answered = 0;
	if (!s->r->audit.run)
		TRY(begin(s));
	audit_run_count(s->r->audit.run, &asked, &answered);
	if (answered < asked) {
		step_again_at(s, clock_now_us() +
					 LOOK_S * SECOND); /* keeps the work alive, so that it is not idle
							    * for reconciler_is_settled() */
		return tell_progress(s, row, asked, answered);
	}
	struct audit found = {0};
	reconciler_end_audit(s->r->audit.run, &found);
	struct result told = tell_end(s, &found);
	let_go(s->r);
	return told;
}

static void wake_region_audit(struct reconciler *r, const struct row *row)
{
	if (region_audit_of(row)->stage == REGION_AUDIT_STAGE_RUNNING)
		work_wake(r, lane_fetches(UUID_NONE), KIND_REGION_AUDIT, row->id, WAKE_WISH);
}

const struct resource reconcile_region_audit = {
	.step = step_region_audit, .is_swept = true, .wake = wake_region_audit};
