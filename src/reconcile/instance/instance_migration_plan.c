/* SPDX-License-Identifier: Apache-2.0
 * Decides the next step of a live migration (reconcile/instance/instance_migration.c) without side effects. */
#include "reconcile/instance/instance_migration_plan.h"

/* True if the source proves that the paused guest was never handed over, so it cannot run on the target. */
static bool is_unsent(const struct migration_plan_input *in)
{
	return in->source.end == COMPUTE_END_HELD && in->source.is_unsent && !in->source.is_busy;
}

/* The guest runs on the source, and the target has no trace of it. */
static enum migration_step plan_at_source(const struct migration_plan_input *in)
{
	if (in->is_over)
		return MIGRATION_STAY;
	if (in->target_is_silent)
		return MIGRATION_LOOK_AGAIN;
	if (in->stage == INSTANCE_MIGRATION_STAGE_PREPARING)
		return in->is_ready ? MIGRATION_BEGIN : MIGRATION_WAIT;
	return in->has_begun ? MIGRATION_SEND : MIGRATION_REDO;
}

/* The guest runs on the target, or ran there until it went off. */
static enum migration_step plan_at_target(const struct migration_plan_input *in)
{
	return in->source.end == COMPUTE_END_ABSENT ? MIGRATION_ARRIVE : MIGRATION_CLEAR_SOURCE;
}

static enum migration_step plan_held_at_target(const struct migration_plan_input *in)
{
	if (in->source.end == COMPUTE_END_ABSENT)
		return in->target.is_busy ? MIGRATION_LOOK_AGAIN : MIGRATION_RESUME_TARGET;
	if ((in->source.end == COMPUTE_END_HELD && !is_unsent(in)) || in->source.is_busy)
		return MIGRATION_LOOK_AGAIN;
	return MIGRATION_CLEAR_TARGET;
}

static enum migration_step plan_absent_at_target(const struct migration_plan_input *in)
{
	if (in->source.is_busy)
		return MIGRATION_LOOK_AGAIN; /* libvirt ends the migration when its client disconnects */
	switch (in->source.end) {
	case COMPUTE_END_RUNS:
		return plan_at_source(in);
	case COMPUTE_END_HELD:
		return MIGRATION_RESUME_SOURCE;
	case COMPUTE_END_OFF:
	case COMPUTE_END_ABSENT:
		break;
	}
	return MIGRATION_STAY; /* the guest went off by itself during the migration */
}

/* The target cannot be asked. A guest paused on the source may be running there, so it is resumed only if it
 * was never handed over. */
static enum migration_step plan_silent_target(const struct migration_plan_input *in)
{
	if (in->source.end == COMPUTE_END_RUNS && !in->source.is_busy)
		return plan_at_source(in);
	return is_unsent(in) ? MIGRATION_RESUME_SOURCE : MIGRATION_LOOK_AGAIN;
}

/* The source is off; a guest that ran there has ended. */
static enum migration_step plan_off_source(const struct migration_plan_input *in)
{
	if (in->target_is_off)
		return MIGRATION_STAY;
	if (in->target_is_silent)
		return MIGRATION_LOOK_AGAIN;
	switch (in->target.end) {
	case COMPUTE_END_RUNS:
		return MIGRATION_ARRIVE;
	case COMPUTE_END_ABSENT:
		return MIGRATION_STAY;
	case COMPUTE_END_HELD: /* its memory may be incomplete */
	case COMPUTE_END_OFF:
		break;
	}
	return MIGRATION_CLEAR_TARGET;
}

/* The target is off. A guest paused on the source may have run and written on the target, so it must boot
 * again, not resume. A guest absent from the source had been on the target. */
static enum migration_step plan_off_target(const struct migration_plan_input *in)
{
	if (in->source.is_busy)
		return MIGRATION_LOOK_AGAIN;
	switch (in->source.end) {
	case COMPUTE_END_ABSENT:
		return MIGRATION_ARRIVE;
	case COMPUTE_END_HELD:
		return is_unsent(in) ? MIGRATION_RESUME_SOURCE : MIGRATION_CLEAR_SOURCE;
	case COMPUTE_END_RUNS:
	case COMPUTE_END_OFF:
		break;
	}
	return MIGRATION_STAY;
}

RESULT migration_step_choose(struct ctx *c, const struct migration_plan_input *in,
			     enum migration_step *ret_step)
{
	bool source_runs = in->source.end == COMPUTE_END_RUNS;
	if (in->source_is_off || in->target_is_off) {
		*ret_step = in->source_is_off ? plan_off_source(in) : plan_off_target(in);
		return OK;
	}
	if (in->target_is_silent) {
		*ret_step = plan_silent_target(in);
		return OK;
	}
	if (source_runs && in->target.end == COMPUTE_END_RUNS)
		return ctx_fail(c, ERR_CONFLICT,
				"the guest runs on both hosts of its migration: end one of the two by hand");
	switch (in->target.end) {
	case COMPUTE_END_ABSENT:
		*ret_step = plan_absent_at_target(in);
		return OK;
	case COMPUTE_END_HELD:
		*ret_step = plan_held_at_target(in);
		return OK;
	case COMPUTE_END_OFF:
		*ret_step = source_runs || in->source.end == COMPUTE_END_OFF ? MIGRATION_CLEAR_TARGET
									     : plan_at_target(in);
		return OK;
	case COMPUTE_END_RUNS:
		*ret_step = plan_at_target(in);
		return OK;
	}
	return FAIL(INTERNAL);
}
