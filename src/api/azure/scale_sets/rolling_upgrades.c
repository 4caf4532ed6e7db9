/* SPDX-License-Identifier: Apache-2.0
 * Upgrades of scale sets: the upgrade policy, and rolling upgrades, which are instance refreshes of the scaling group. A refresh replaces
 * a machine by one of the latest model, so its number, disks and addresses are new; Azure reimages it. The pause between batches is the
 * time that a new machine needs to count as updated. Source: Azure REST API reference, "Virtual Machine Scale Set Rolling Upgrades",
 * 2022-08-01. */
#include "api/azure/scale_sets/scale_sets.h"

#include "store/scaling_activity.h"
#include "store/scaling_group.h"
#include "store/scaling_member.h"
#include "store/scaling_refresh.h"

enum { BATCH_DEFAULT = 20, BATCH_MIN = 5, WHOLE = 100, PAUSE_MAX_S = 3600 };

/* ---- upgradePolicy ---- */

static const struct param rolling_rows[] = {
	PARAM(struct set_rolling, "maxBatchInstancePercent", batch, .min = BATCH_MIN, .max = WHOLE,
	      .doc = "Percentage of the machines that are replaced at a time; absent: 20."),
	PARAM(struct set_rolling, "pauseTimeBetweenBatches", pause, .max = 32,
	      .doc = "Time after which a new machine counts as upgraded, such as PT30S; absent: none."),
	PARAM(struct set_rolling, "maxSurge", surges,
	      .doc = "Launches the new machines of a batch before the old ones are deleted."),
	NOT_BUILT("maxUnhealthyInstancePercent|maxUnhealthyUpgradedInstancePercent", .only = "20"),
	NOT_BUILT("enableCrossZoneUpgrade|rollbackFailedInstancesOnPolicyBreach", .only = "false"),
	NOT_BUILT("prioritizeUnhealthyInstances", .only = "true"),
};
static const struct params rolling_params =
	PARAMS(struct set_rolling, rolling_rows, .object = "RollingUpgradePolicy");
static const struct param automatic_rows[] = {
	NOT_BUILT("enableAutomaticOSUpgrade|disableAutomaticRollback|useRollingUpgradePolicy|"
		  "osRollingUpgradeDeferral",
		  .only = "false"),
};
static const struct params automatic_params = AZ_SHAPE(automatic_rows, .object = "AutomaticOSUpgradePolicy");
static const struct param upgrade_rows[] = {
	PARAM(struct set_upgrade, "mode", mode, .words = "Manual|Automatic|Rolling",
	      .doc = "Manual: machines keep their model until they are upgraded. Automatic: all are replaced "
		     "at once. Rolling: in batches. Absent: Manual."),
	PARAM_OBJECT(struct set_upgrade, "rollingUpgradePolicy", rolling, rolling_params,
		     .doc = "Batches of a rolling upgrade."),
	AZ_SHAPE_OBJECT("automaticOSUpgradePolicy", automatic_params),
};
const struct params set_upgrade_params = PARAMS(struct set_upgrade, upgrade_rows, .object = "UpgradePolicy");

/* Reads "PT1H2M3S". */
static bool read_duration(struct str text, int64_t *ret_s)
{
	static const struct {
		char letter;
		int64_t s;
	} units[] = {{'H', 3600}, {'M', 60}, {'S', 1}};
	int64_t value = 0;
	bool has_digit = false;
	size_t unit = 0;
	*ret_s = 0;
	if (!str_starts_with(text, STR("PT")) || text.n < 4)
		return false;
	for (size_t k = 2; k < text.n; k++) {
		if (text.p[k] >= '0' && text.p[k] <= '9') {
			value = value > PAUSE_MAX_S ? value : value * 10 + (text.p[k] - '0');
			has_digit = true;
			continue;
		}
		while (unit < 3 && units[unit].letter != text.p[k])
			unit++;
		if (unit == 3 || !has_digit)
			return false;
		*ret_s += value * units[unit++].s;
		value = 0;
		has_digit = false;
	}
	return !has_digit && *ret_s <= PAUSE_MAX_S;
}

/* Reads the policy of the set's last PUT. */
static RESULT read_kept(struct az_call *e, struct set_upgrade *ret_kept)
{
	const json_t *kept = json_object_get(az_said(e, e->target), "properties.upgradePolicy");
	const struct params_request request = {.dialect = &az_dialect, .body = document_of_json(kept)};
	return kept ? params_fill(e->c, &set_upgrade_params, &request, ret_kept) : OK;
}

RESULT scale_set_take_upgrade(struct az_call *e, const struct set_upgrade *said,
			      enum scale_set_upgrade *ret_how, struct scaling_refresh *ret_row)
{
	struct set_upgrade policy = {0};
	int64_t pause_s = 0;
	if (said)
		policy = *said;
	else
		TRY(read_kept(e, &policy));
	bool is_rolling = str_is(policy.mode, "Rolling"), surges = policy.rolling.surges == CHOICE_YES;
	int64_t batch = !is_rolling ? WHOLE : policy.rolling.batch ? policy.rolling.batch : BATCH_DEFAULT;
	if (policy.rolling.pause.n && !read_duration(policy.rolling.pause, &pause_s))
		return az_fail(
			e, "properties.upgradePolicy.rollingUpgradePolicy.pauseTimeBetweenBatches",
			"The value of parameter pauseTimeBetweenBatches is a duration of up to an hour, "
			"such as PT30S.");
	*ret_how = is_rolling || str_is(policy.mode, "Automatic") ? SCALE_SET_UPGRADE : SCALE_SET_MANUAL;
	*ret_row = (struct scaling_refresh){.min_healthy = surges ? WHOLE : WHOLE - batch,
					    .max_healthy = surges ? WHOLE + batch : 0,
					    .warmup_s = is_rolling ? pause_s : 0,
					    .bake_s = -1,
					    .skips_matching = true,
					    .protected = SCALING_REFRESH_PROTECTED_REFRESH,
					    .standby = SCALING_REFRESH_STANDBY_IGNORE};
	return OK;
}

/* ---- the latest upgrade ---- */

static const struct scaling_refresh *latest_of(struct az_call *e)
{
	const struct scaling_refresh *latest = NULL;
	for (const struct scaling_refresh *r =
		     scaling_refresh_first_by_scaling_group(az_tables(e), e->target);
	     r; r = scaling_refresh_next_by_scaling_group(az_tables(e), r))
		if (!latest || !r->ended_us ||
		    (latest->ended_us && r->row.created_us > latest->row.created_us))
			latest = r;
	return latest;
}

static const char *code_of(const struct scaling_refresh *r)
{
	bool is_cancelled = r->status == SCALING_REFRESH_STATUS_CANCELLED ||
			    r->status == SCALING_REFRESH_STATUS_CANCELLING;
	return is_cancelled                                     ? "Cancelled"
	       : r->status == SCALING_REFRESH_STATUS_SUCCESSFUL ? "Completed"
	       : r->ended_us                                    ? "Faulted"
								: "RollingForward";
}

/* Counts the launches that failed during the upgrade. A launch that is tried again counts each time. */
static int64_t count_failed_launches(struct az_call *e, const struct scaling_refresh *r)
{
	int64_t count = 0;
	const struct scaling_activity *a = scaling_activity_first_by_scaling_group(az_tables(e), e->target);
	for (; a; a = scaling_activity_next_by_scaling_group(az_tables(e), a)) {
		bool is_during = a->row.created_us >= r->row.created_us &&
				 (!r->ended_us || a->row.created_us <= r->ended_us);
		count +=
			is_during && a->status == SCALING_ACTIVITY_STATUS_FAILED && uuid_is_none(a->instance);
	}
	return count;
}

/* Counts the machines whose replacements could not be launched. deleted: machines without a replacement so far; none with maxSurge, whose
 * new machines are launched first. */
static int64_t count_failed(struct az_call *e, const struct scaling_refresh *r, int64_t deleted)
{
	bool is_launching = !r->ended_us && !scale_set_of(e)->tries;
	if (r->status == SCALING_REFRESH_STATUS_SUCCESSFUL || is_launching)
		return 0;
	int64_t launches = count_failed_launches(e, r);
	if (deleted > 0)
		return launches < deleted ? launches : deleted;
	return launches && strcmp(code_of(r), "Cancelled") != 0 ? 1 : 0;
}

static void write_progress(struct az_call *e, struct json_writer *w, const struct scaling_refresh *r)
{
	int64_t done = 0, going = 0;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(az_tables(e), e->target);
	     m; m = scaling_member_next_by_scaling_group(az_tables(e), m)) {
		bool is_new = uuid_equal(m->refresh, r->row.id);
		done += is_new && m->stage == SCALING_MEMBER_STAGE_IN_SERVICE;
		going += is_new && m->stage == SCALING_MEMBER_STAGE_PENDING;
	}
	int64_t failed = count_failed(e, r, r->total - r->left - done - going);
	json_write_open(w, "progress");
	json_write_int(w, "successfulInstanceCount", done);
	json_write_int(w, "failedInstanceCount", failed);
	json_write_int(w, "inProgressInstanceCount", going);
	json_write_int(w, "pendingInstanceCount", r->ended_us ? 0 : r->left);
	json_write_close(w);
}

static RESULT show_latest(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct scaling_refresh *r = latest_of(e);
	(void) args;
	if (!r)
		return ctx_fail(
			e->c, ERR_NOT_FOUND,
			"The entity was not found in this Azure location: the Virtual Machine Scale Set "
			"'%" STR_FMT "' has had no rolling upgrade.",
			STR_ARG(az_path_value(e, "vmScaleSetName")));
	struct str set = az_id_of(e, AZ_SCALE_SETS, KIND_SCALING_GROUP, e->target);
	json_write_text(w, "id", str_print(e->c->arena, "%" STR_FMT "/rollingUpgrades/latest", STR_ARG(set)));
	json_write_z(w, "name", "latest");
	json_write_z(w, "type", "Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades");
	json_write_text(w, "location", az_location(e));
	json_write_open(w, "properties");
	json_write_open(w, "policy");
	json_write_int(w, "maxBatchInstancePercent",
		       r->max_healthy ? r->max_healthy - WHOLE : WHOLE - r->min_healthy);
	json_write_text(w, "pauseTimeBetweenBatches",
			str_print(e->c->arena, "PT%lldS", (long long) r->warmup_s));
	json_write_bool(w, "maxSurge", r->max_healthy > WHOLE);
	json_write_close(w);
	bool is_cancelled = strcmp(code_of(r), "Cancelled") == 0;
	json_write_open(w, "runningStatus");
	json_write_z(w, "code", code_of(r));
	az_write_time(w, "startTime", r->row.created_us);
	json_write_z(w, "lastAction", is_cancelled ? "Cancel" : "Start");
	az_write_time(w, "lastActionTime", is_cancelled ? r->row.updated_us : r->row.created_us);
	json_write_close(w);
	write_progress(e, w, r);
	json_write_close(w);
	return OK;
}

/* ---- starting and cancelling ---- */

static RESULT prepare_cancel(struct az_call *e, void *args)
{
	struct scaling_refresh_target *wish = args;
	*wish = (struct scaling_refresh_target){.group = az_target_ref(e), .is_at_once = true};
	if (engine_find_scaling_refresh(az_tables(e), e->target))
		return OK;
	return ctx_fail(
		e->c, ERR_STATE,
		"There is no ongoing Rolling Upgrade to cancel on the Virtual Machine Scale Set '%" STR_FMT
		"'.",
		STR_ARG(az_path_value(e, "vmScaleSetName")));
}

/* Replaces all machines, because the newest image of a name is found at the launch. */
static RESULT prepare_os(struct az_call *e, void *args)
{
	struct scaling_refresh_wish *wish = args;
	enum scale_set_upgrade how;
	wish->group = az_target_ref(e);
	TRY(scale_set_take_upgrade(e, NULL, &how, &wish->row));
	if (how == SCALE_SET_MANUAL)
		wish->row.min_healthy = WHOLE - BATCH_DEFAULT;
	wish->row.skips_matching = false;
	if (scale_set_follows_images(e, engine_find_scale_set_model(az_tables(e), scale_set_of(e))))
		return OK;
	return ctx_fail(e->c, ERR_STATE,
			"The OS Rolling Upgrade action is only supported for scale sets whose imageReference "
			"names a platform image with the version 'latest'.");
}

static RESULT refuse_extensions(struct az_call *e, void *args)
{
	(void) args;
	return ctx_fail(
		e->c, ERR_UNSUPPORTED,
		"The extension rolling upgrade is not supported on the Virtual Machine Scale Set '%" STR_FMT
		"': models of scale sets have no extensions.",
		STR_ARG(az_path_value(e, "vmScaleSetName")));
}

#define OF_UPGRADES                                                                                          \
	.type = AZ_SCALE_SET_UPGRADES, .names_type = AZ_SCALE_SETS, .kind = KIND_SCALING_GROUP,              \
	.names = "vmScaleSetName"
static const struct az_action actions[] = {
	{HTTP_GET, SCALE_SET "/rollingUpgrades/latest",
	 .name = "VirtualMachineScaleSetRollingUpgrades_GetLatest",
	 .permit = "autoscaling:DescribeInstanceRefreshes", OF_UPGRADES, .answer = show_latest,
	 .doc = "Gets the latest rolling upgrade of a scale set."},
	{HTTP_POST, SCALE_SET "/rollingUpgrades/cancel",
	 .name = "VirtualMachineScaleSetRollingUpgrades_Cancel",
	 .permit = "autoscaling:CancelInstanceRefresh", .flags = API_WRITES, OF_UPGRADES,
	 .args = {0, 0, sizeof(struct scaling_refresh_target)}, .prepare = prepare_cancel,
	 .operation = engine_cancel_scaling_refresh_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_NOW, .doc = "Cancels the rolling upgrade of a scale set."},
	{HTTP_POST, SCALE_SET "/osRollingUpgrade",
	 .name = "VirtualMachineScaleSetRollingUpgrades_StartOSUpgrade",
	 .permit = "autoscaling:StartInstanceRefresh", .flags = API_WRITES, OF_UPGRADES,
	 .args = {0, 0, sizeof(struct scaling_refresh_wish)}, .prepare = prepare_os,
	 .operation = engine_start_scaling_refresh_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_SETTLED,
	 .doc = "Replaces the machines of a scale set by machines of the newest image."},
	{HTTP_POST, SCALE_SET "/extensionRollingUpgrade",
	 .name = "VirtualMachineScaleSetRollingUpgrades_StartExtensionUpgrade",
	 .permit = "autoscaling:StartInstanceRefresh", OF_UPGRADES, .prepare = refuse_extensions,
	 .doc = "Refused: models of scale sets have no extensions.", .never = "models have no extensions"},
};
const struct api_actions az_rolling_upgrade_actions = API_ACTIONS(actions);
