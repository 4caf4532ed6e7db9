/* SPDX-License-Identifier: Apache-2.0
 * The decision of reconcile/instance.c, pure. */
#include "reconcile/instance_plan.h"

bool instance_went_off(const struct instance *row, const struct compute_seen *seen)
{
	return row_is_live(&row->row) && row->wanted_power == INSTANCE_WANTED_POWER_ON &&
	       row->seen_power == INSTANCE_SEEN_POWER_ON && row->seen_gen == (int64_t) row->row.gen &&
	       seen->power == INSTANCE_SEEN_POWER_OFF;
}

bool instance_has_ended(const struct instance *row)
{
	return !row_is_live(&row->row) && row->seen_power == INSTANCE_SEEN_POWER_ABSENT &&
	       row->seen_gen == (int64_t) row->row.gen;
}

static bool differs_from_row(const struct instance *row, const struct compute_seen *seen)
{
	return row->seen_power != seen->power || row->seen_gen != (int64_t) row->row.gen;
}

static enum instance_step plan_deleted(const struct instance *row, const struct compute_seen *seen)
{
	if (seen->power == INSTANCE_SEEN_POWER_ON)
		return INSTANCE_FORCE_OFF;
	if (seen->power == INSTANCE_SEEN_POWER_OFF)
		return INSTANCE_UNDEFINE;
	return differs_from_row(row, seen) ? INSTANCE_REPORT : INSTANCE_SETTLED;
}

static enum instance_step plan_off(const struct instance *row, const struct instance_outlook *outlook)
{
	const struct compute_seen *seen = &outlook->seen;
	if (seen->power == INSTANCE_SEEN_POWER_ON) {
		bool patience_ends = outlook->now_us >= row->off_since_us + outlook->grace_us;
		return row->force_off || patience_ends ? INSTANCE_FORCE_OFF : INSTANCE_SHUTDOWN;
	}
	return differs_from_row(row, seen) ? INSTANCE_REPORT : INSTANCE_SETTLED;
}

static enum instance_step plan_on(const struct instance *row, const struct instance_outlook *outlook)
{
	const struct compute_seen *seen = &outlook->seen;
	if (seen->power == INSTANCE_SEEN_POWER_ON) {
		if (row->wanted_boots > row->seen_boots && row->seen_power == INSTANCE_SEEN_POWER_ON)
			return INSTANCE_RESET;
		return differs_from_row(row, seen) || row->wanted_boots != row->seen_boots ? INSTANCE_REPORT
											   : INSTANCE_SETTLED;
	}
	if (instance_went_off(row, seen))
		return INSTANCE_REPORT;
	if (!outlook->disks_ready)
		return INSTANCE_WAIT_DISKS;
	if (seen->power == INSTANCE_SEEN_POWER_ABSENT || !seen->defined_as_wished)
		return INSTANCE_DEFINE;
	return outlook->now_us < outlook->restart_us ? INSTANCE_REST : INSTANCE_START;
}

enum instance_step instance_plan_step(const struct instance *row, const struct instance_outlook *outlook)
{
	if (!row_is_live(&row->row))
		return plan_deleted(row, &outlook->seen);
	return row->wanted_power == INSTANCE_WANTED_POWER_ON ? plan_on(row, outlook) : plan_off(row, outlook);
}
