/* SPDX-License-Identifier: Apache-2.0
 * Instance refreshes. Sources: Amazon EC2 Auto Scaling API Reference; User Guide, "Use an instance refresh". */
#include "api/autoscaling/source.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/launch_template.h"

enum {
	LONGEST_S = 172800,   /* limit of CheckpointDelay and BakeTime */
	KEPT_HOURS = 42 * 24, /* six weeks */
	CHECKPOINT_DEFAULT_S = 3600,
	MIN_HEALTHY_DEFAULT = 90
};
#define PREFERENCES "Preferences."
#define DESIRED "DesiredConfiguration."

/* ---- start ---- */

struct start_args {
	struct scaling_refresh_wish wish;
	struct source_args source;
	struct str group, protected, standby;
	struct strs checkpoints;
	bool has_min, has_max, has_warmup, has_delay, has_bake;
};
#define PREFERENCE(name, member, flag, ...)                                                                  \
	PARAM(struct start_args, PREFERENCES name, wish.row.member,                                          \
	      .given = offsetof(struct start_args, flag) + 1, __VA_ARGS__)
static const struct param start_params[] = {
	AUTOSCALING_GROUP(struct start_args, group),
	NOT_BUILT("Strategy", .only = "Rolling"),
	AUTOSCALING_SOURCE(struct start_args, source, DESIRED),
	PREFERENCE(
		"MinHealthyPercentage", min_healthy, has_min, .min = 0, .max = 100,
		.doc = "Percentage of the desired capacity that stays in service; absent: 90. 100: instances "
		       "are launched before others are terminated."),
	PREFERENCE("MaxHealthyPercentage", max_healthy, has_max, .min = 100, .max = 200,
		   .doc = "Percentage of the desired capacity that the group may grow to; absent: 100."),
	PREFERENCE(
		"InstanceWarmup", warmup_s, has_warmup, .min = 0, .max = 86400,
		.doc = "Seconds that a new instance needs; absent: the group's default instance warm-up, or "
		       "its health check grace period."),
	PARAM(struct start_args, PREFERENCES "CheckpointPercentages.member", checkpoints, .min = 1, .max = 3,
	      .doc = "Percentages at which the refresh pauses, ascending. The refresh ends at the last one."),
	PREFERENCE("CheckpointDelay", checkpoint_s, has_delay, .min = 0, .max = LONGEST_S,
		   .doc = "Length of such a pause in seconds; absent: 3600."),
	PARAM(struct start_args, PREFERENCES "SkipMatching", wish.row.skips_matching,
	      .doc = "true: instances that match the desired configuration stay."),
	PARAM(struct start_args, PREFERENCES "AutoRollback", wish.row.rolls_back,
	      .doc = "true: a failure starts a rollback."),
	PARAM(struct start_args, PREFERENCES "ScaleInProtectedInstances", protected,
	      .words = "Wait|Refresh|Ignore", .absent = "Wait",
	      .doc = "Treatment of instances that are protected from scale-in. Wait: for an hour."),
	PARAM(struct start_args, PREFERENCES "StandbyInstances", standby, .words = "Wait|Terminate|Ignore",
	      .absent = "Wait", .doc = "Treatment of instances on standby. Wait: for an hour."),
	PREFERENCE("BakeTime", bake_s, has_bake, .min = 0, .max = LONGEST_S,
		   .doc = "Seconds to wait after the last replacement."),
	NOT_BUILT(PREFERENCES "AlarmSpecification.Alarms"),
};

static RESULT take_checkpoints(struct autoscaling_call *e, struct start_args *a)
{
	int64_t last = 0;
	for (size_t k = 0; k < a->checkpoints.count; k++) {
		int64_t value = 0;
		if (!result_is_ok(str_parse_int(a->checkpoints.at[k], &value)) || value < 1 || value > 100 ||
		    value <= last)
			return ctx_fail_field(e->c, ERR_INVALID, STR(PREFERENCES "CheckpointPercentages"),
					      "CheckpointPercentages must be numbers from 1 to 100, each "
					      "greater than the one before.");
		last = value;
	}
	if (a->has_delay && !a->checkpoints.count)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR(PREFERENCES "CheckpointDelay"),
			"CheckpointPercentages must be specified together with CheckpointDelay.");
	a->wish.row.checkpoints = a->checkpoints;
	if (!a->has_delay && a->checkpoints.count)
		a->wish.row.checkpoint_s = CHECKPOINT_DEFAULT_S;
	return OK;
}

static RESULT take_preferences(struct autoscaling_call *e, struct start_args *a)
{
	struct scaling_refresh *row = &a->wish.row;
	if (a->has_max && (!a->has_min || row->max_healthy - row->min_healthy > 100))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR(PREFERENCES "MaxHealthyPercentage"),
				      "If you specify MaxHealthyPercentage, you must also specify "
				      "MinHealthyPercentage, and "
				      "the difference between them cannot be greater than 100.");
	if (!a->has_min)
		row->min_healthy = MIN_HEALTHY_DEFAULT;
	if (!a->has_warmup)
		row->warmup_s = -1;
	if (!a->has_bake)
		row->bake_s = -1;
	row->protected = str_is(a->protected, "Refresh")  ? SCALING_REFRESH_PROTECTED_REFRESH
			 : str_is(a->protected, "Ignore") ? SCALING_REFRESH_PROTECTED_IGNORE
							  : SCALING_REFRESH_PROTECTED_WAIT;
	row->standby = str_is(a->standby, "Terminate") ? SCALING_REFRESH_STANDBY_TERMINATE
		       : str_is(a->standby, "Ignore")  ? SCALING_REFRESH_STANDBY_IGNORE
						       : SCALING_REFRESH_STANDBY_WAIT;
	return take_checkpoints(e, a);
}

static RESULT prepare_start(struct autoscaling_call *e, void *args)
{
	struct start_args *a = args;
	TRY(autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group));
	TRY(take_preferences(e, a));
	TRY(autoscaling_take_source(e, &a->source, false, &a->wish.settings));
	return autoscaling_read_launches(e, scaling_group_find(autoscaling_tables(e), a->wish.group.prefix),
					 STR_NONE, &a->wish.settings);
}

static RESULT answer_start(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct start_args *a = args;
	xml_text(x, "InstanceRefreshId", uuid_to_str(e->c->arena, a->wish.refresh));
	return OK;
}

/* ---- cancel, roll back ---- */

struct act_args {
	struct scaling_refresh_target wish;
	struct str group;
	enum choice waits;
};
static const struct param cancel_params[] = {
	AUTOSCALING_GROUP(struct act_args, group),
	PARAM(struct act_args, "WaitForTransitioningInstances", waits,
	      .doc = "false: the refresh ends at once, without waiting for launches and terminations."),
};
static const struct param roll_back_params[] = {AUTOSCALING_GROUP(struct act_args, group)};

static RESULT prepare_act(struct autoscaling_call *e, void *args)
{
	struct act_args *a = args;
	a->wish.is_at_once = a->waits == CHOICE_NO;
	return autoscaling_find_group(e, a->group, "AutoScalingGroupName", &a->wish.group);
}

static RESULT answer_act(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct act_args *a = args;
	xml_text(x, "InstanceRefreshId", uuid_to_str(e->c->arena, a->wish.refresh));
	return OK;
}

/* ---- list ---- */

struct list_args {
	struct str group;
	struct strs ids;
	struct query_pages pages;
};
static const struct param list_params[] = {
	AUTOSCALING_GROUP(struct list_args, group),
	PARAM(struct list_args, "InstanceRefreshIds.member", ids, .min = 1, .max = 255,
	      .doc = "Instance refreshes by id."),
	AUTOSCALING_PAGES(struct list_args, pages),
};

static const char *const statuses[] = {
	[SCALING_REFRESH_STATUS_PENDING] = "Pending",
	[SCALING_REFRESH_STATUS_IN_PROGRESS] = "InProgress",
	[SCALING_REFRESH_STATUS_BAKING] = "Baking",
	[SCALING_REFRESH_STATUS_CANCELLING] = "Cancelling",
	[SCALING_REFRESH_STATUS_ROLLBACK_IN_PROGRESS] = "RollbackInProgress",
	[SCALING_REFRESH_STATUS_SUCCESSFUL] = "Successful",
	[SCALING_REFRESH_STATUS_FAILED] = "Failed",
	[SCALING_REFRESH_STATUS_CANCELLED] = "Cancelled",
	[SCALING_REFRESH_STATUS_ROLLBACK_FAILED] = "RollbackFailed",
	[SCALING_REFRESH_STATUS_ROLLBACK_SUCCESSFUL] = "RollbackSuccessful",
};

#define NO_PROGRESS "The instance refresh could not replace an instance for an hour."
#define TOO_LONG "The instance refresh was not complete after 14 days."
/* EC2 documents the first; the others are Dari's words. %s: an instance. */
static const char *const reasons[] = {
	[SCALING_REFRESH_WHY_WARMING] =
		"Waiting for instances to warm up before continuing. For example: %s is warming up.",
	[SCALING_REFRESH_WHY_PROTECTED] = "Waiting for instances to be released from scale-in protection "
					  "before continuing. For example: "
					  "%s is protected.",
	[SCALING_REFRESH_WHY_STANDBY] =
		"Waiting for instances to leave Standby before continuing. For example: %s is on standby.",
	[SCALING_REFRESH_WHY_CHECKPOINT] = "Waiting for the checkpoint delay before continuing.",
	[SCALING_REFRESH_WHY_SUSPENDED] =
		"Waiting for the processes Launch, Terminate and InstanceRefresh to be resumed.",
	[SCALING_REFRESH_WHY_BAKING] = "Waiting for the bake time to pass.",
	[SCALING_REFRESH_WHY_USER] = "Cancelled due to user request.",
	[SCALING_REFRESH_WHY_NO_PROGRESS] = NO_PROGRESS,
	[SCALING_REFRESH_WHY_TOO_LONG] = TOO_LONG,
	[SCALING_REFRESH_WHY_DELETED] = "The Auto Scaling group is being deleted.",
};
static const char *const rollback_reasons[] = {
	[SCALING_REFRESH_ROLLBACK_WHY_USER] = "Rollback due to user request.",
	[SCALING_REFRESH_ROLLBACK_WHY_NO_PROGRESS] = NO_PROGRESS,
	[SCALING_REFRESH_ROLLBACK_WHY_TOO_LONG] = TOO_LONG,
};

static void write_reason(struct autoscaling_call *e, struct xml *x, const struct scaling_refresh *r)
{
	const char *words = reasons[r->why] ? reasons[r->why] : "";
	struct str rest = str_from(words), before;
	if (!str_contains(rest, STR("%s"))) {
		xml_text_opt(x, "StatusReason", rest);
		return;
	}
	(void) str_split_next(&rest, '%', &before);
	xml_text(x, "StatusReason",
		 str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(before),
			   STR_ARG(id_to_ec2(e->c->arena, KIND_INSTANCE, r->example)),
			   STR_ARG(str_slice(rest, 1, rest.n))));
}

static void write_preferences(struct xml *x, const struct scaling_refresh *r)
{
	static const char *const protected[] = {"Wait", "Refresh", "Ignore"};
	static const char *const standby[] = {"Wait", "Terminate", "Ignore"};
	xml_open(x, "Preferences");
	xml_int(x, "MinHealthyPercentage", r->min_healthy);
	if (r->max_healthy)
		xml_int(x, "MaxHealthyPercentage", r->max_healthy);
	if (r->warmup_s >= 0)
		xml_int(x, "InstanceWarmup", r->warmup_s);
	if (r->checkpoints.count) {
		autoscaling_write_texts(x, "CheckpointPercentages", &r->checkpoints);
		xml_int(x, "CheckpointDelay", r->checkpoint_s);
	}
	xml_bool(x, "SkipMatching", r->skips_matching);
	xml_bool(x, "AutoRollback", r->rolls_back);
	xml_z(x, "ScaleInProtectedInstances", protected[r->protected]);
	xml_z(x, "StandbyInstances", standby[r->standby]);
	if (r->bake_s >= 0)
		xml_int(x, "BakeTime", r->bake_s);
	xml_close(x, "Preferences");
}

static void write_rollback(struct xml *x, const struct scaling_refresh *r)
{
	xml_open(x, "RollbackDetails");
	xml_z(x, "RollbackReason", rollback_reasons[r->rollback_why]);
	xml_time_ms(x, "RollbackStartTime", r->rollback_us);
	xml_int(x, "PercentageCompleteOnRollback", r->rollback_percent);
	xml_int(x, "InstancesToUpdateOnRollback", r->remaining);
	xml_close(x, "RollbackDetails");
}

/* The desired configuration has the form of the group's own. */
static void write_desired(struct autoscaling_call *e, struct xml *x, const struct scaling_refresh *r)
{
	const struct scaling_group launched = {.template = r->template,
					       .template_version = r->template_version,
					       .is_mixed = r->is_mixed,
					       .overrides = r->overrides,
					       .by_price = r->by_price,
					       .spot_strategy = r->spot_strategy,
					       .on_demand_base = r->on_demand_base,
					       .on_demand_percent = r->on_demand_percent};
	xml_open(x, "DesiredConfiguration");
	autoscaling_write_source(e, x, &launched);
	xml_close(x, "DesiredConfiguration");
}

static void write_refresh(struct autoscaling_call *e, struct xml *x, const struct scaling_group *group,
			  const struct scaling_refresh *r)
{
	xml_open(x, "member");
	xml_text(x, "InstanceRefreshId", uuid_to_str(e->c->arena, r->row.id));
	xml_text(x, "AutoScalingGroupName", group->name);
	xml_z(x, "Status", statuses[r->status]);
	write_reason(e, x, r);
	if (r->status != SCALING_REFRESH_STATUS_PENDING)
		xml_time_ms(x, "StartTime", r->row.created_us);
	if (r->ended_us)
		xml_time_ms(x, "EndTime", r->ended_us);
	xml_int(x, "PercentageComplete", r->percent);
	xml_int(x, "InstancesToUpdate", r->remaining);
	write_preferences(x, r);
	if (r->has_source)
		write_desired(e, x, r);
	if (r->rollback_us)
		write_rollback(x, r);
	xml_z(x, "Strategy", "Rolling");
	xml_close(x, "member");
}

/* The newest first. Ids decide between those of the same time, so that a page's token is unambiguous. */
static int compare(const void *x, const void *y)
{
	const struct scaling_refresh *a = *(const struct scaling_refresh *const *) x,
				     *b = *(const struct scaling_refresh *const *) y;
	if (a->row.created_us != b->row.created_us)
		return a->row.created_us > b->row.created_us ? -1 : 1;
	return uuid_compare(a->row.id, b->row.id);
}

static RESULT answer_list(struct autoscaling_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = autoscaling_tables(e);
	const struct scaling_group *group = NULL;
	VEC(const struct scaling_refresh *) found = {0};
	struct query_page page;
	int64_t first_us = clock_now_us() - KEPT_HOURS * HOUR;
	TRY(autoscaling_open_page(e, &a->pages, &page));
	TRY(autoscaling_find_group_row(e, a->group, &group));
	for (const struct scaling_refresh *r = scaling_refresh_first_by_scaling_group(t, group->row.id); r;
	     r = scaling_refresh_next_by_scaling_group(t, r))
		if ((!r->ended_us || r->ended_us >= first_us) &&
		    request_asks_for(a->ids, uuid_to_str(e->c->arena, r->row.id)) &&
		    !VEC_PUSH(e->c->arena, &found, r))
			return ctx_no_memory(e->c);
	if (found.count)
		qsort(found.at, found.count, sizeof *found.at, compare);
	xml_open(x, "InstanceRefreshes");
	for (size_t k = 0; k < found.count; k++) {
		struct str key = str_print(e->c->arena, "%020lld:%" STR_FMT,
					   (long long) (INT64_MAX - found.at[k]->row.created_us),
					   STR_ARG(uuid_to_str(e->c->arena, found.at[k]->row.id)));
		if (query_page_takes(&page, key))
			write_refresh(e, x, group, found.at[k]);
	}
	xml_close(x, "InstanceRefreshes");
	autoscaling_close_page(e, x, &page);
	return OK;
}

static const struct autoscaling_action actions[] = {
	{AUTOSCALING_ACTION("StartInstanceRefresh"), .flags = API_WRITES,
	 .args = PARAMS(struct start_args, start_params), .prepare = prepare_start,
	 .operation = engine_start_scaling_refresh_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_start, .doc = "Starts to replace the instances of a group."},
	{AUTOSCALING_ACTION("CancelInstanceRefresh"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, cancel_params), .prepare = prepare_act,
	 .operation = engine_cancel_scaling_refresh_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_act, .doc = "Cancels an instance refresh. Replaced instances stay."},
	{AUTOSCALING_ACTION("RollbackInstanceRefresh"), .flags = API_WRITES,
	 .args = PARAMS(struct act_args, roll_back_params), .prepare = prepare_act,
	 .operation = engine_roll_back_scaling_refresh_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_act,
	 .doc = "Cancels an instance refresh, and replaces the instances that it launched."},
	{AUTOSCALING_ACTION("DescribeInstanceRefreshes"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the instance refreshes of a group, the newest first."},
};
const struct api_actions autoscaling_refresh_actions = API_ACTIONS(actions);
