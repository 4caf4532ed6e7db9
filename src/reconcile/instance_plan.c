/* SPDX-License-Identifier: Apache-2.0
 * The decision of reconcile/instance.c, pure. */
#include "reconcile/instance_plan.h"

#include "model/instance.h"

bool instance_went_off(const struct instance *row, const struct instance_outlook *outlook)
{
	return row_is_live(&row->row) && outlook->power_wanted == INSTANCE_WANTED_POWER_ON &&
	       row->seen_power == INSTANCE_SEEN_POWER_ON && row->seen_gen == (int64_t) row->row.gen &&
	       outlook->seen.power != INSTANCE_SEEN_POWER_ON;
}

bool instance_has_ended(const struct instance *row)
{
	return !row_is_live(&row->row) && row->seen_power == INSTANCE_SEEN_POWER_ABSENT &&
	       row->seen_gen == (int64_t) row->row.gen;
}

static bool differs_from_row(const struct instance *row, const struct instance_outlook *outlook)
{
	return row->seen_power != outlook->seen.power || row->seen_gen != (int64_t) row->row.gen ||
	       row->seen_paused != outlook->seen.is_paused || row->seen_saved != outlook->seen.is_saved ||
	       !outlook->devices_told;
}

static enum instance_step plan_deleted(const struct instance *row, const struct instance_outlook *outlook)
{
	if (outlook->seen.power == INSTANCE_SEEN_POWER_ON)
		return INSTANCE_FORCE_OFF;
	if (outlook->seen.power == INSTANCE_SEEN_POWER_OFF)
		return INSTANCE_UNDEFINE;
	return differs_from_row(row, outlook) ? INSTANCE_REPORT : INSTANCE_SETTLED;
}

static bool is_patience_over(const struct instance_outlook *outlook, int64_t since_us)
{
	return outlook->now_us >= since_us + outlook->grace_us;
}

/* What is attached to it, or detached, is in its definition before it is told. */
static enum instance_step plan_off(const struct instance *row, const struct instance_outlook *outlook)
{
	const struct compute_seen *seen = &outlook->seen;
	if (seen->power == INSTANCE_SEEN_POWER_ON) {
		if (row->wanted_save && !row->force_off)
			return INSTANCE_SAVE;
		if (row->force_off || is_patience_over(outlook, row->off_since_us))
			return INSTANCE_FORCE_OFF;
		return seen->is_paused ? INSTANCE_UNPAUSE : INSTANCE_SHUTDOWN; /* paused it hears nothing */
	}
	if (differs_from_row(row, outlook))
		return INSTANCE_REPORT;
	if (outlook->leaves_host)
		return seen->power == INSTANCE_SEEN_POWER_OFF ? INSTANCE_UNDEFINE : INSTANCE_LEAVE;
	if (seen->power == INSTANCE_SEEN_POWER_OFF && !seen->devices_as_wished)
		return INSTANCE_DEFINE;
	return INSTANCE_SETTLED;
}

/* It runs, as it should. A reboot goes before all that is told of it, so nobody sees it off. */
static enum instance_step plan_running(const struct instance *row, const struct instance_outlook *outlook)
{
	bool wants_boot = row->wanted_boots > row->seen_boots;
	if (!outlook->seen.is_held && outlook->seen.is_paused != row->wanted_pause)
		return row->wanted_pause ? INSTANCE_PAUSE : INSTANCE_UNPAUSE;
	if (wants_boot && row->seen_power == INSTANCE_SEEN_POWER_ON) {
		if (!is_patience_over(outlook, row->reboot_since_us))
			return INSTANCE_REBOOT;
		return row->cold_boot ? INSTANCE_FORCE_OFF : INSTANCE_RESET;
	}
	if (differs_from_row(row, outlook) || wants_boot)
		return INSTANCE_REPORT;
	if (outlook->seen.is_held)
		return outlook->now_us < outlook->resume_us ? INSTANCE_HELD : INSTANCE_RESUME;
	return outlook->seen.devices_as_wished ? INSTANCE_SETTLED : INSTANCE_PLUG;
}

static enum instance_step plan_on(const struct instance *row, const struct instance_outlook *outlook)
{
	if (outlook->seen.power == INSTANCE_SEEN_POWER_ON)
		return plan_running(row, outlook);
	if (instance_went_off(row, outlook))
		return INSTANCE_REPORT;
	if (!outlook->disks_ready)
		return INSTANCE_WAIT_DISKS;
	return outlook->now_us < outlook->restart_us ? INSTANCE_REST : INSTANCE_START;
}

enum instance_step instance_plan_step(const struct instance *row, const struct instance_outlook *outlook)
{
	if (!row_is_live(&row->row))
		return plan_deleted(row, outlook);
	return outlook->power_wanted == INSTANCE_WANTED_POWER_ON ? plan_on(row, outlook)
								 : plan_off(row, outlook);
}
