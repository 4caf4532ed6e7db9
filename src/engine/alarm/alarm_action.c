/* SPDX-License-Identifier: Apache-2.0
 * Actions of alarms: stop, terminate or reboot the instance that the metric is of; execute a scaling policy. Called by:
 * reconcile/alarm/alarm.c. Source: Amazon CloudWatch API Reference, PutMetricAlarm. */
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/instance/instance.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/people/asker.h"
#include "engine/region/region.h"
#include "engine/scaling/scaling_internal.h"
#include "store/instance.h"

enum { ARN_PARTS = 6 };

static const struct {
	const char *word, *permission;
	op_run run;
} acts[] = {
	[ALARM_ACT_STOP] = {"stop", "instance.stop", engine_stop_instances_run},
	[ALARM_ACT_TERMINATE] = {"terminate", "instance.terminate", engine_terminate_instances_run},
	[ALARM_ACT_REBOOT] = {"reboot", "instance.reboot", engine_reboot_instances_run},
	[ALARM_ACT_POLICY] = {"", "scaling_policy.execute", engine_execute_scaling_policy_run},
};

/* ---- ARNs ---- */

/* "arn:aws:automate:us-east-1:ec2:stop", "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:UUID:…",
 * "arn:aws:sns:us-east-1:111122223333:alerts" */
static bool read_instance_act(const struct str *parts, struct alarm_action *ret_action)
{
	for (enum alarm_act k = ALARM_ACT_STOP; k < ALARM_ACT_POLICY; k++)
		if (str_is(parts[2], "automate") && str_is(parts[4], "ec2") &&
		    str_is(parts[5], acts[k].word)) {
			ret_action->act = k;
			return true;
		}
	return false;
}

bool alarm_read_action(struct str arn, struct alarm_action *ret_action)
{
	struct str parts[ARN_PARTS] = {STR_NONE}, rest = arn, id = STR_NONE;
	if (str_starts_with(arn, STR("http://")) || str_starts_with(arn, STR("https://"))) {
		*ret_action = (struct alarm_action){.act = ALARM_ACT_POST};
		return true;
	}
	for (size_t k = 0; k < ARN_PARTS; k++)
		if (!str_split_next(&rest, ':', &parts[k]))
			return false;
	if (!str_is(parts[0], "arn") || !str_is(parts[1], "aws"))
		return false;
	if (str_is(parts[2], "sns") && !rest.n) {
		*ret_action = (struct alarm_action){.act = ALARM_ACT_PUBLISH, .topic = arn};
		return true;
	}
	if (str_is(parts[2], "autoscaling") && str_is(parts[5], "scalingPolicy") &&
	    str_split_next(&rest, ':', &id)) {
		ret_action->act = ALARM_ACT_POLICY;
		return result_is_ok(uuid_parse_asked(id, &ret_action->policy));
	}
	return !rest.n && read_instance_act(parts, ret_action);
}

const struct strs *alarm_actions_of(const struct alarm *alarm)
{
	return alarm->state == ALARM_STATE_ALARM ? &alarm->alarm_actions
	       : alarm->state == ALARM_STATE_OK  ? &alarm->ok_actions
						 : &alarm->no_data_actions;
}

const struct instance *alarm_find_instance(const struct tables *t, const struct alarm *alarm)
{
	struct ref ref = {0};
	if (alarm->dimensions.count != 2 || !str_is(alarm->dimensions.at[0], "InstanceId") ||
	    !result_is_ok(id_parse_ec2(alarm->dimensions.at[1], KIND_INSTANCE, &ref)))
		return NULL;
	const struct instance *i = instance_find_prefix(t, ref.prefix, ref.bits);
	return i && row_is_live(&i->row) && uuid_equal(i->account, alarm->account) ? i : NULL;
}

/* ---- check ---- */

static RESULT fail_action(struct op *op, struct str arn, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ALARM, STR("AlarmActions"),
			   "Invalid action %" STR_FMT ": %s", STR_ARG(str_cut(arn, 512)), why);
}

static RESULT check_action(struct op *op, const struct alarm *next, struct str arn)
{
	struct alarm_action action = {0};
	if (!alarm_read_action(arn, &action) || action.act == ALARM_ACT_POST)
		return fail_action(
			op, arn,
			"actions in this region stop, terminate or reboot an instance, execute a scaling "
			"policy, or publish to a topic.");
	if (action.act == ALARM_ACT_PUBLISH) {
		const struct topic *topic = engine_find_topic_by_arn(op->head, next->account, arn);
		if (topic && topic->is_fifo)
			return fail_action(
				op, arn, "messages of alarms have no message group; name a standard topic.");
		return topic ? OK : fail_action(op, arn, "the account has no such topic in this region.");
	}
	if (next->is_composite)
		return fail_action(op, arn, "a composite alarm takes none of these actions.");
	if (action.act == ALARM_ACT_POLICY) {
		const struct scaling_policy *policy = scaling_policy_find(op->head, action.policy);
		return policy && uuid_equal(policy->account, next->account)
			       ? OK
			       : fail_action(op, arn, "there is no such scaling policy.");
	}
	const struct instance *i = alarm_find_instance(op->head, next);
	if (!i)
		return fail_action(op, arn, "the alarm must be on a metric of one instance of the account.");
	return engine_permit_beside(op, acts[action.act].permission);
}

RESULT alarm_check_actions(struct op *op, const struct alarm *next)
{
	const struct strs *lists[] = {&next->ok_actions, &next->alarm_actions, &next->no_data_actions};
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
		for (size_t n = 0; n < lists[k]->count; n++)
			TRY(check_action(op, next, lists[k]->at[n]));
	return OK;
}

/* ---- act ---- */

/* What an action's operation gets: an instance, or a policy. */
union action_wish {
	struct instances_wish instances;
	struct scaling_policy_target policy;
};

/* CloudWatch publishes as a service: the topic's policy decides, and not the rights of whoever made the alarm. */
static RESULT publish(struct op *op, const struct alarm *alarm, struct str arn)
{
	const struct topic *topic = engine_find_topic_by_arn(op->head, alarm->account, arn);
	struct str number = engine_account_number(op->head, alarm->account);
	struct published_message message = {0};
	bool is_admitted = false;
	if (!topic || !number.n)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_TOPIC, STR_NONE, "The topic does not exist.");
	const struct service_sender sender = {
		.service = "cloudwatch.amazonaws.com",
		.source = engine_write_alarm_arn(op->ctx->arena, engine_get_region_name(op->head), number,
						 &alarm->row),
		.account = alarm->account,
		.is_owner_known = true};
	TRY(engine_admit_service(op, KIND_TOPIC, &topic->row, &sender, &is_admitted));
	if (!is_admitted)
		return ENGINE_FAIL(op, ERR_DENIED, KIND_TOPIC, STR_NONE,
				   "The topic's policy does not allow the alarm to publish.");
	TRY(alarm_write_message(op, alarm, &message.subject, &message.body));
	return topic_publish(op, topic->row.id, &message);
}

static bool fill_wish(struct op *op, const struct alarm *alarm, const struct alarm_action *action,
		      const struct alarm_acting *acting, struct ref *subject, union action_wish *wish)
{
	if (action->act == ALARM_ACT_POLICY) {
		wish->policy = (struct scaling_policy_target){
			.policy = engine_ref_to(op, KIND_SCALING_POLICY, action->policy, STR("PolicyName")),
			.honours_cooldown = true,
			.has_metric = acting->has_value,
			.metric = acting->value,
			.alarm = alarm};
		return scaling_policy_find(op->head, action->policy) != NULL;
	}
	const struct instance *i = alarm_find_instance(op->head, alarm);
	if (!i)
		return false;
	*subject = engine_ref_to(op, KIND_INSTANCE, i->row.id, STR("AlarmActions"));
	wish->instances = (struct instances_wish){.instances = {subject, 1}};
	return true;
}

static RESULT run_action(struct op *op, const struct alarm *alarm, struct str arn,
			 const struct alarm_action *action, const struct alarm_acting *acting)
{
	struct ref subject = {0};
	union action_wish wish = {0};
	const struct asker asker = ASKER_OF(alarm);
	if (action->act == ALARM_ACT_PUBLISH)
		return publish(op, alarm, action->topic);
	if (action->act == ALARM_ACT_POST)
		return alarm_deliver(op, alarm, arn);
	const struct asker_work work = {acting->guard, acts[action->act].permission, op->now_us};
	if (!fill_wish(op, alarm, action, acting, &subject, &wish))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ALARM, STR_NONE,
				   "The resource of the action does not exist.");
	/* The policy's owner configured the alarm by the policy, so that needs no right of a user's. */
	if (!uuid_is_none(alarm->scaling_policy))
		return scaling_as_system(op, acts[action->act].run, &wish);
	return asker_run(op, &asker, &work, acts[action->act].run, &wish);
}

/* A refusal is an event of the alarm's history. is_noted false: the state is not new, and scaling policies alone act again. */
static RESULT take_action(struct op *op, const struct alarm *alarm, struct str arn,
			  const struct alarm_acting *acting, bool is_noted)
{
	struct alarm_action action = {0};
	struct op_place place = op_place_now(op);
	bool is_known = alarm_read_action(arn, &action);
	if (!is_noted && action.act != ALARM_ACT_POLICY)
		return OK;
	struct result result =
		is_known ? run_action(op, alarm, arn, &action, acting)
			 : ENGINE_FAIL(op, ERR_INVALID, KIND_ALARM, STR_NONE, "Unknown action.");
	if (!result_is_ok(result) && !engine_is_refusal(result.code))
		return result;
	struct str problem = STR_NONE;
	if (!result_is_ok(result)) {
		op_go_back(op, place);
		problem = str_copy(op->ctx->arena, op->ctx->problem.message);
		ctx_clear_problem(op->ctx);
	}
	if (!is_noted)
		return OK;
	/* Unverified: the words of a failure, and the data. */
	struct str summary =
		str_print(op->ctx->arena, "%s %" STR_FMT "%s%" STR_FMT,
			  problem.n ? "Failed to execute action" : "Successfully executed action",
			  STR_ARG(str_cut(arn, 120)), problem.n ? ": " : "", STR_ARG(str_cut(problem, 90)));
	return alarm_note_event(op, alarm, ALARM_EVENT_TYPE_ACTION, summary, STR("{\"version\":\"1.0\"}"));
}

/* A repeating alarm takes its actions again at the end of each period, at which its step runs. */
static bool repeats_now(const struct alarm *alarm, int64_t now_us)
{
	return alarm->repeats && alarm->acts && alarm_actions_of(alarm)->count &&
	       now_us - alarm->acted_us >= alarm->period_s * SECOND / 2;
}

RESULT engine_act_on_alarm(struct op *op, struct alarm_acting *wish)
{
	const struct alarm *alarm = alarm_find(op->head, wish->alarm);
	if (!alarm)
		return OK;
	const struct alarm now = *alarm; /* stays as it is while actions run */
	const struct strs *actions = alarm_actions_of(&now);
	bool again = repeats_now(&now, op->now_us);
	for (size_t k = 0; now.acts && k < actions->count; k++)
		TRY(take_action(op, &now, actions->at[k], wish, now.is_due || again));
	alarm = alarm_find(op->head, wish->alarm);
	if (!alarm || !(alarm->is_due || again))
		return OK;
	struct alarm next = *alarm;
	next.is_due = false;
	next.acted_us = next.repeats ? op->now_us : 0;
	return alarm_put(op, &next);
}

bool engine_has_alarm_work(const struct tables *t, const struct alarm *alarm,
			   const struct alarm_acting *acting, int64_t now_us)
{
	if (alarm->is_due || repeats_now(alarm, now_us))
		return true;
	for (size_t k = 0; alarm->acts && alarm->state == ALARM_STATE_ALARM && k < alarm->alarm_actions.count;
	     k++) {
		struct alarm_action action = {0};
		struct scaling_policy_target target = {
			.has_metric = acting->has_value, .metric = acting->value, .alarm = alarm};
		if (alarm_read_action(alarm->alarm_actions.at[k], &action) &&
		    action.act == ALARM_ACT_POLICY && scaling_would_change(t, action.policy, &target, now_us))
			return true;
	}
	return false;
}
