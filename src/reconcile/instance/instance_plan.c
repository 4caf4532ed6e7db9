/* SPDX-License-Identifier: Apache-2.0
 * Decides the next step of an instance (reconcile/instance/instance.c) without side effects. */
#include "reconcile/instance/instance_plan.h"

#include "model/instance.h"

bool instance_went_off(const struct instance *row, const struct instance_plan_input *input)
{
	return row_is_live(&row->row) && input->power_wanted == INSTANCE_WANTED_POWER_ON &&
	       row->seen_power == INSTANCE_SEEN_POWER_ON && row->seen_gen == (int64_t) row->row.gen &&
	       input->seen.power != INSTANCE_SEEN_POWER_ON;
}

bool instance_has_ended(const struct instance *row)
{
	return !row_is_live(&row->row) && row->seen_power == INSTANCE_SEEN_POWER_ABSENT &&
	       row->seen_gen == (int64_t) row->row.gen;
}

bool instance_shows_pause(const struct instance *row, bool is_paused, bool stands_still)
{
	return is_paused && (row->wanted_pause || !stands_still);
}

static bool differs_from_row(const struct instance *row, const struct instance_plan_input *input)
{
	return row->seen_power != input->seen.power || row->seen_gen != (int64_t) row->row.gen ||
	       row->seen_paused != instance_shows_pause(row, input->seen.is_paused, input->stands_still) ||
	       row->seen_saved != input->seen.is_saved || !input->devices_reported;
}

static enum instance_step plan_deleted(const struct instance *row, const struct instance_plan_input *input)
{
	if (input->seen.power == INSTANCE_SEEN_POWER_ON)
		return INSTANCE_FORCE_OFF;
	if (input->seen.power == INSTANCE_SEEN_POWER_OFF)
		return INSTANCE_UNDEFINE;
	return differs_from_row(row, input) ? INSTANCE_REPORT : INSTANCE_SETTLED;
}

static bool is_patience_over(const struct instance_plan_input *input, int64_t since_us)
{
	return input->now_us >= since_us + input->grace_us;
}

/* Attached and detached devices are put into the definition before they are reported. */
static enum instance_step plan_off(const struct instance *row, const struct instance_plan_input *input)
{
	const struct compute_seen *seen = &input->seen;
	if (seen->power == INSTANCE_SEEN_POWER_ON) {
		if (row->wanted_save && !row->force_off)
			return INSTANCE_SAVE;
		if (row->force_off || is_patience_over(input, row->off_since_us))
			return INSTANCE_FORCE_OFF;
		if (input->stands_still)
			return seen->is_paused ? INSTANCE_SETTLED : INSTANCE_PAUSE;
		/* a paused guest does not react to ACPI */
		return seen->is_paused ? INSTANCE_UNPAUSE : INSTANCE_SHUTDOWN;
	}
	if (differs_from_row(row, input))
		return INSTANCE_REPORT;
	if (input->leaves_host)
		return seen->power == INSTANCE_SEEN_POWER_OFF ? INSTANCE_UNDEFINE : INSTANCE_LEAVE;
	if (seen->power == INSTANCE_SEEN_POWER_OFF && !seen->devices_as_wished)
		return INSTANCE_DEFINE;
	return INSTANCE_SETTLED;
}

/* Decides whether the vCPUs must be paused or resumed; other steps wait for that. */
static bool plan_pause(const struct instance *row, const struct instance_plan_input *input,
		       enum instance_step *ret_step)
{
	bool wants_pause = row->wanted_pause || input->stands_still;
	bool is_other = !input->seen.is_io_paused && input->seen.is_paused != wants_pause;
	*ret_step = is_other                       ? wants_pause ? INSTANCE_PAUSE : INSTANCE_UNPAUSE
		    : differs_from_row(row, input) ? INSTANCE_REPORT
						   : INSTANCE_SETTLED;
	return is_other || input->stands_still;
}

/* A running instance that is to run. A pending reboot comes before any report, so that no caller sees the
 * instance off in between. */
static enum instance_step plan_running(const struct instance *row, const struct instance_plan_input *input)
{
	bool wants_boot = row->wanted_boots > row->seen_boots;
	if (wants_boot && row->seen_power == INSTANCE_SEEN_POWER_ON) {
		if (!is_patience_over(input, row->reboot_since_us))
			return INSTANCE_REBOOT;
		return row->cold_boot ? INSTANCE_FORCE_OFF : INSTANCE_RESET;
	}
	if (differs_from_row(row, input) || wants_boot)
		return INSTANCE_REPORT;
	if (input->seen.is_io_paused)
		return input->now_us < input->resume_us ? INSTANCE_IO_PAUSED : INSTANCE_RESUME;
	return input->seen.devices_as_wished ? INSTANCE_SETTLED : INSTANCE_PLUG;
}

static enum instance_step plan_on(const struct instance *row, const struct instance_plan_input *input)
{
	enum instance_step step = INSTANCE_SETTLED;
	if (input->seen.power == INSTANCE_SEEN_POWER_ON)
		return plan_pause(row, input, &step) ? step : plan_running(row, input);
	if (instance_went_off(row, input))
		return INSTANCE_REPORT;
	if (!input->disks_ready || input->stands_still)
		return INSTANCE_WAIT_DISKS;
	return input->now_us < input->restart_us ? INSTANCE_BACK_OFF : INSTANCE_START;
}

enum instance_step instance_plan_step(const struct instance *row, const struct instance_plan_input *input)
{
	if (!row_is_live(&row->row))
		return plan_deleted(row, input);
	return input->power_wanted == INSTANCE_WANTED_POWER_ON ? plan_on(row, input) : plan_off(row, input);
}
