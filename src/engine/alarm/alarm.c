/* SPDX-License-Identifier: Apache-2.0
 * Puts and deletes alarms, and enables their actions. Called by: api/cloudwatch, and target tracking policies. */
#include <stdlib.h>

#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/alarm/alarm_queries.h"
#include "engine/limits.h"
#include "engine/people/asker.h"
#include "engine/tag_internal.h"
#include "store/scaling_policy.h"

#define CREATED_REASON "Unchecked: Initial alarm creation"

struct str engine_write_alarm_arn(struct arena *a, struct str region, struct str account_number,
				  const struct row *row)
{
	const struct alarm *alarm = alarm_of(row);
	return str_print(a, "arn:aws:cloudwatch:%" STR_FMT ":%" STR_FMT ":alarm:%" STR_FMT, STR_ARG(region),
			 STR_ARG(account_number), STR_ARG(alarm ? alarm->name : STR("*")));
}

/* ---- rules ---- */

struct rule_check {
	struct op *op;
	const struct alarm *about; /* the alarm that is put */
};

static bool has_alarm(void *arg, struct str name, enum alarm_state *ret_state)
{
	const struct rule_check *check = arg;
	*ret_state = ALARM_STATE_OK;
	return str_equal(name, check->about->name) ||
	       alarm_find_by_account(check->op->head, check->about->account, name);
}

/* alarm_weigh_composite() checks the rest, among the account's other rules. */
static RESULT check_rule(struct op *op, const struct alarm *next)
{
	struct rule_check check = {op, next};
	struct alarm_rule_names names = {has_alarm, &check};
	bool holds = false;
	return alarm_rule_read(op->ctx, next->rule, &names, &holds);
}

/* ---- put ---- */

static struct str say_put(struct op *op, const struct alarm *next, bool is_new)
{
	return str_print(op->ctx->arena, "Alarm \"%" STR_FMT "\" %s", STR_ARG(str_cut(next->name, 200)),
			 is_new ? "created" : "updated");
}

/* State of the row: that of the present alarm, else the first one. */
static void keep_state(const struct alarm *present, int64_t now_us, struct alarm *next)
{
	if (!present) {
		next->reason = next->reason.n ? next->reason : STR(CREATED_REASON);
		next->reason_data = STR_NONE;
		next->state_us = next->turned_us = now_us;
		next->state_before = ALARM_STATE_BEFORE_INSUFFICIENT_DATA;
		next->is_due = false;
		next->acted_us = 0;
		return;
	}
	next->state = present->state;
	next->reason = present->reason;
	next->reason_data = present->reason_data;
	next->state_us = present->state_us;
	next->state_before = present->state_before;
	next->turned_us = present->turned_us;
	next->is_due = present->is_due;
	next->acted_us = present->acted_us;
}

/* Writes the configuration; state and history of a present alarm stay, unless it watches something else. */
RESULT alarm_write(struct op *op, const struct alarm *present, struct alarm *next)
{
	next->row = present ? present->row
			    : (struct row){.id = uuid_is_none(next->row.id) ? engine_new_id(op, KIND_ALARM)
									    : next->row.id};
	next->row.gen++;
	next->configured_us = op->now_us;
	keep_state(present, op->now_us, next);
	if (present)
		next->tags = present->tags;
	else
		TRY(tag_normalize(op, next->tags, &next->tags));
	TRY(alarm_put(op, next));
	/* CloudWatch adds the configuration itself, as "createdAlarm" or "updatedAlarm"; Aodh's history shows the rule. */
	struct str data = str_print(op->ctx->arena, "{\"version\":\"1.0\",\"type\":\"%s\"%s%" STR_FMT "}",
				    present ? "Update" : "Create", next->body.n ? ",\"rule\":" : "",
				    STR_ARG(next->body));
	TRY(alarm_note_event(op, next, ALARM_EVENT_TYPE_CONFIGURATION, say_put(op, next, !present), data));
	return next->is_composite ? alarm_weigh_composite(op, next->row.id) : OK;
}

/* The owner of an owned alarm. AutoScale policies and rules of autoscale settings own alarms, too. */
static const char *policy_words(const struct tables *t, const struct alarm *alarm)
{
	const struct scaling_policy *policy = scaling_policy_find(t, alarm->scaling_policy);
	return policy && policy->tracks ? "target tracking scaling policy" : "scaling policy";
}

RESULT engine_put_alarm(struct op *op, struct alarm_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct alarm next = wish->row;
	const struct alarm *present = alarm_find_by_account(op->head, account, next.name);
	const char *permission = next.is_composite ? "alarm.put_composite" : "alarm.put";
	next.account = account;
	if (present) {
		TRY(engine_permit(op, permission, KIND_ALARM, &present->row));
	} else {
		TRY(engine_permit_new(op, permission, KIND_ALARM, &next.row));
		TRY(limit_check(op, LIMIT_ALARMS, next.account, 1, STR_NONE));
	}
	if (present && !uuid_is_none(present->scaling_policy))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ALARM, STR("AlarmName"),
				   "The alarm %" STR_FMT " belongs to a %s.", STR_ARG(next.name),
				   policy_words(op->head, present));
	if (present && present->dialect != ALARM_DIALECT_CLOUDWATCH)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ALARM, STR("AlarmName"),
				   "The alarm %" STR_FMT
				   " was made by another API, which alone configures it.",
				   STR_ARG(next.name));
	if (present && present->is_composite != next.is_composite)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ALARM, STR("AlarmName"),
				   "An alarm of another type has the name %" STR_FMT ".", STR_ARG(next.name));
	if (next.is_composite)
		TRY(check_rule(op, &next));
	TRY(alarm_check_actions(op, &next));
	ASKER_NOTE(op, &next);
	TRY(alarm_write(op, present, &next));
	wish->alarm = next.row.id;
	return OK;
}

/* ---- delete ---- */

struct name_search {
	const struct tables *t;
	uuid account;
	const struct uuids *going;
	const struct alarm *found;
};

static bool search_name(void *arg, struct str name, enum alarm_state *ret_state)
{
	struct name_search *search = arg;
	const struct alarm *named = alarm_find_by_account(search->t, search->account, name);
	*ret_state = ALARM_STATE_OK;
	if (named && uuids_have(search->going, named->row.id))
		search->found = named;
	return true;
}

/* ERR_IN_USE: a composite alarm that stays names one of those that go. Each rule is read once. */
static RESULT check_unused(struct op *op, uuid account, const struct uuids *going)
{
	const struct alarm key = {.account = account, .is_composite = true};
	struct name_search search = {.t = op->head, .account = account, .going = going};
	const struct alarm_rule_names names = {search_name, &search};
	for (const struct row *row = tables_first(op->head, KIND_ALARM, ALARM_INDEX_COMPOSITE, &key.row, 2);
	     row; row = tables_next(op->head, KIND_ALARM, ALARM_INDEX_COMPOSITE, row, 2)) {
		bool holds = false;
		if (uuids_have(going, row->id))
			continue;
		TRY(alarm_rule_read(op->ctx, alarm_of(row)->rule, &names, &holds));
		if (search.found)
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_ALARM, STR("AlarmNames"),
					   "Cannot delete %" STR_FMT
					   " as there are composite alarm(s) depending on it.",
					   STR_ARG(search.found->name));
	}
	return OK;
}

RESULT engine_delete_alarms(struct op *op, struct alarms_target *wish)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, wish->alarms.count + 1);
	struct uuids going = {at, 0};
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->alarms.count; k++) {
		const struct alarm *alarm = NULL;
		TRY(engine_find_own_alarm(op->ctx, op->head, &wish->alarms.at[k], &alarm));
		TRY(engine_permit(op, "alarm.delete", KIND_ALARM, &alarm->row));
		if (!uuid_is_none(alarm->scaling_policy))
			return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ALARM, STR("AlarmNames"),
					   "The alarm %" STR_FMT " belongs to a %s; delete the policy.",
					   STR_ARG(alarm->name), policy_words(op->head, alarm));
		if (!uuid_is_none(alarm->part_of))
			return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ALARM, STR("AlarmNames"),
					   "The alarm %" STR_FMT " is a part of another one.",
					   STR_ARG(alarm->name));
		if (!uuids_have(&going, alarm->row.id))
			at[going.count++] = alarm->row.id;
	}
	if (going.count)
		TRY(check_unused(op, alarm_find(op->head, going.at[0])->account, &going));
	for (size_t k = 0; k < going.count; k++)
		if (alarm_find(op->head, going.at[k]))
			TRY(alarm_forget(op, going.at[k]));
	return OK;
}

RESULT engine_set_alarm_actions(struct op *op, struct alarms_target *wish)
{
	for (size_t k = 0; k < wish->alarms.count; k++) {
		const struct alarm *alarm = NULL;
		TRY(engine_find_own_alarm(op->ctx, op->head, &wish->alarms.at[k], &alarm));
		TRY(engine_permit(op, wish->acts ? "alarm.enable_actions" : "alarm.disable_actions",
				  KIND_ALARM, &alarm->row));
		struct alarm next = *alarm;
		if (next.acts == wish->acts)
			continue;
		next.acts = wish->acts;
		next.configured_us = op->now_us;
		next.row.gen++;
		TRY(alarm_put(op, &next));
	}
	return OK;
}

/* ---- target tracking ---- */

enum { HIGH_PERIODS = 3, LOW_PERIODS = 15, GROUP_SHOWN = 180, TRACKING_PERIOD_S = 60 };

static double read_number(struct str text)
{
	char number[40] = {0};
	memcpy(number, text.p, text.n < sizeof number ? text.n : sizeof number - 1);
	return strtod(number, NULL);
}

static const char *tracked_metric_of(const struct scaling_policy *policy)
{
	return str_is(policy->predefined, "ASGAverageNetworkIn")    ? "NetworkIn"
	       : str_is(policy->predefined, "ASGAverageNetworkOut") ? "NetworkOut"
								    : "CPUUtilization";
}

/* The policy's metric math; metrics without a period have the alarm's. */
static RESULT fill_queries(struct op *op, struct str text, struct alarm *alarm)
{
	struct alarm_queries queries = {0};
	TRY(alarm_queries_read(op->ctx, text, &queries));
	for (size_t k = 0; k < queries.count; k++)
		if (!queries.at[k].expression.n)
			queries.at[k].period_s = alarm->period_s;
	alarm->queries = alarm_queries_write(op->ctx->arena, &queries);
	return alarm->queries.p ? OK : ctx_no_memory(op->ctx);
}

/* The metric that the policy tracks, in the words of an alarm. */
static RESULT fill_metric(struct op *op, const struct scaling_policy *policy, struct str group,
			  struct alarm *alarm)
{
	struct str *dimensions = arena_new_array(op->ctx->arena, struct str, 2);
	if (!dimensions)
		return ctx_no_memory(op->ctx);
	dimensions[0] = STR("AutoScalingGroupName");
	dimensions[1] = group;
	alarm->period_s = policy->period_s ? policy->period_s : TRACKING_PERIOD_S;
	if (policy->queries.n)
		return fill_queries(op, policy->queries, alarm);
	if (policy->predefined.n) {
		alarm->name_space = STR("AWS/EC2");
		alarm->metric = str_from(tracked_metric_of(policy));
		alarm->dimensions = (struct strs){dimensions, 2};
		alarm->statistic = STR("Average");
		return OK;
	}
	alarm->name_space = policy->name_space;
	alarm->metric = policy->metric;
	alarm->dimensions = policy->dimensions;
	alarm->statistic = policy->statistic;
	alarm->unit = policy->unit;
	return OK;
}

/* Comparisons tell both alarms of a policy apart: users cannot change them, and a group's name may contain any word. */
static RESULT put_one(struct op *op, const struct scaling_policy *policy, struct str group, struct str action,
		      bool is_high)
{
	const struct alarm *present = alarm_first_by_scaling_policy(op->head, policy->row.id);
	struct alarm next = {.account = policy->account,
			     .scaling_policy = policy->row.id,
			     .acts = !policy->is_disabled,
			     .alarm_actions = {&action, 1},
			     .evaluation_periods = is_high ? HIGH_PERIODS : LOW_PERIODS,
			     .comparison = is_high ? ALARM_COMPARISON_GREATER : ALARM_COMPARISON_LESS};
	while (present && present->comparison != next.comparison)
		present = alarm_next_by_scaling_policy(op->head, present);
	next.name = present ? present->name
			    : str_print(op->ctx->arena, "TargetTracking-%" STR_FMT "-Alarm%s-%" STR_FMT,
					STR_ARG(str_cut(group, GROUP_SHOWN)), is_high ? "High" : "Low",
					STR_ARG(uuid_to_str(op->ctx->arena, engine_new_id(op, KIND_ALARM))));
	next.description = str_print(op->ctx->arena,
				     "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy %" STR_FMT ".",
				     STR_ARG(str_cut(action, 900)));
	next.threshold = is_high ? policy->target
				 : str_print(op->ctx->arena, "%.15g", read_number(policy->target) * 0.9);
	TRY(fill_metric(op, policy, group, &next));
	if (!present)
		TRY(limit_check(op, LIMIT_ALARMS, next.account, 1, STR_NONE));
	return alarm_write(op, present, &next);
}

RESULT alarm_put_tracking(struct op *op, const struct scaling_policy *policy, struct str group,
			  struct str action)
{
	TRY(put_one(op, policy, group, action, true));
	return put_one(op, policy, group, action, false);
}

RESULT alarm_put_owned(struct op *op, struct alarm *next)
{
	TRY(limit_check(op, LIMIT_ALARMS, next->account, 1, STR_NONE));
	return alarm_write(op, NULL, next);
}

RESULT alarm_forget_tracking(struct op *op, uuid policy)
{
	FORGET_EACH(op, alarm, scaling_policy, policy);
	return OK;
}
