/* SPDX-License-Identifier: Apache-2.0
 * Messages of scaling groups: to topics, of instances that are launched and terminated, and to the queue or topic of a lifecycle hook,
 * of instances that the hook holds. A message is written in the change that it tells of, so none is lost and none is sent twice.
 * Called by: scaling_follow.c, scaling_member.c, scaling_hook.c, api/autoscaling. Source: Amazon EC2 Auto Scaling User Guide, "Amazon
 * SNS notification options" and "Prepare to add a lifecycle hook". */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/people/policy/iam_role.h"
#include "engine/region/region.h"
#include "engine/scaling/scaling_internal.h"
#include "store/account.h"
#include "store/zone.h"

enum { MESSAGE_CAP = 16384, TOPICS_MAX = 10 };

const char *const scaling_events[SCALING_EVENTS] = {
	[SCALING_EVENT_LAUNCH] = "autoscaling:EC2_INSTANCE_LAUNCH",
	[SCALING_EVENT_LAUNCH_ERROR] = "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
	[SCALING_EVENT_TERMINATE] = "autoscaling:EC2_INSTANCE_TERMINATE",
	[SCALING_EVENT_TERMINATE_ERROR] = "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
	[SCALING_EVENT_TEST] = "autoscaling:TEST_NOTIFICATION",
};

/* ---- send ---- */

#define SERVICE "autoscaling.amazonaws.com"

/* ARN of the service-linked role by which Auto Scaling publishes in the group's account. */
static struct str own_role(struct op *op, const struct scaling_group *group)
{
	const struct account *account = account_find(op->head, group->account);
	return str_print(op->ctx->arena,
			 "arn:aws:iam::%" STR_FMT ":role/aws-service-role/" SERVICE
			 "/AWSServiceRoleForAutoScaling",
			 STR_ARG(account ? account->number : STR_NONE));
}

/* Auto Scaling sends by a role in the group's account, so the policy of the target can only deny it. */
static RESULT admit(struct op *op, const struct scaling_group *group, const struct topic *topic,
		    const struct queue *queue, struct str role, bool *ret_is_admitted)
{
	const struct account *account = account_find(op->head, group->account);
	const struct service_sender sender = {
		.service = SERVICE,
		.source = engine_write_scaling_arn(op->head, op->ctx->arena, engine_get_region_name(op->head),
						   account ? account->number : STR_NONE, KIND_SCALING_GROUP,
						   &group->row),
		.account = group->account,
		.role = role.n ? role : own_role(op, group)};
	return engine_admit_service(op, topic ? KIND_TOPIC : KIND_QUEUE, topic ? &topic->row : &queue->row,
				    &sender, ret_is_admitted);
}

/* Puts the message into a queue, or publishes it to a topic. role: ARN of a lifecycle hook's role; empty: the service's own. A
 * refusal is an event of the group: its instances go on. */
static RESULT send_to(struct op *op, const struct scaling_group *group, struct str target, struct str role,
		      struct str subject, struct str body)
{
	const struct topic *topic = engine_find_topic_by_arn(op->head, group->account, target);
	const struct queue *queue = engine_find_queue_by_arn(op->head, group->account, target);
	struct published_message published = {.subject = str_cut(subject, TOPIC_SUBJECT_MAX), .body = body};
	struct message_wish sent = {.body = body, .delay_s = -1};
	struct result result = FAIL(NOT_FOUND);
	bool is_admitted = false;
	if (topic || queue)
		TRY(admit(op, group, topic, queue, role, &is_admitted));
	if (topic && is_admitted)
		return topic_publish(op, topic->row.id, &published);
	if (queue && is_admitted)
		result = queue_add_message(op, queue->row.id, &sent, STR(SERVICE));
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	ctx_clear_problem(op->ctx);
	return engine_log_event(op, KIND_SCALING_GROUP, &group->row, "not notified", "%" STR_FMT,
				STR_ARG(str_cut(target, 400)));
}

/* ---- bodies ---- */

static void write_time(struct json_writer *j, const char *key, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];
	json_write_z(j, key, clock_write_ms(at_us, text));
}

static void write_head(struct op *op, struct json_writer *j, const struct scaling_group *group, int64_t at_us)
{
	const struct account *account = account_find(op->head, group->account);
	json_write_text(j, "AccountId", account ? account->number : STR_NONE);
	json_write_uuid(j, "RequestId", uuid_random());
	json_write_text(j, "AutoScalingGroupARN",
			engine_write_scaling_arn(op->head, op->ctx->arena, engine_get_region_name(op->head),
						 account ? account->number : STR_NONE, KIND_SCALING_GROUP,
						 &group->row));
	json_write_z(j, "Service", "AWS Auto Scaling");
	write_time(j, "Time", at_us);
}

void scaling_write_activity(struct op *op, struct json_writer *j, const struct scaling_activity *a,
			    bool is_error)
{
	const struct zone *zone = zone_find(op->head, a->zone);
	json_write_uuid(j, "ActivityId", a->row.id);
	json_write_text(j, "Description", a->description);
	json_write_text(j, "Cause", a->cause);
	write_time(j, "StartTime", a->row.created_us);
	write_time(j, "EndTime", a->ended_us ? a->ended_us : op->now_us);
	json_write_z(j, "StatusCode", is_error ? "Failed" : "InProgress");
	json_write_text(j, "StatusMessage", a->message);
	json_write_int(j, "Progress", is_error ? 100 : 50);
	json_write_text(j, "EC2InstanceId",
			uuid_is_none(a->instance) ? STR("")
						  : engine_write_id(op, KIND_INSTANCE, a->instance));
	json_write_open(j, "Details");
	if (!uuid_is_none(a->subnet))
		json_write_text(j, "Subnet ID", engine_write_id(op, KIND_SUBNET, a->subnet));
	if (zone)
		json_write_text(j, "Availability Zone", zone->name);
	json_write_close(j);
}

static RESULT end_body(struct op *op, struct json_writer *j, struct buf *out, struct str *ret_body)
{
	json_write_close(j);
	TRY(json_write_end(j));
	*ret_body = str_copy(op->ctx->arena, buf_str(out));
	return ret_body->p ? OK : ctx_no_memory(op->ctx);
}

static RESULT write_event(struct op *op, const struct scaling_group *group, enum scaling_event event,
			  const struct scaling_activity *activity, struct str *ret_body)
{
	struct buf out;
	struct json_writer j;
	buf_init(&out, MESSAGE_CAP);
	bool is_error = event == SCALING_EVENT_LAUNCH_ERROR || event == SCALING_EVENT_TERMINATE_ERROR;
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	write_head(op, &j, group, op->now_us);
	json_write_text(&j, "AutoScalingGroupName", group->name);
	json_write_z(&j, "Event", scaling_events[event]);
	if (activity)
		scaling_write_activity(op, &j, activity, is_error);
	return end_body(op, &j, &out, ret_body);
}

/* ---- topics of a group ---- */

static bool tells(struct str types, enum scaling_event event)
{
	struct str rest = types, type;
	while (str_split_next(&rest, '|', &type))
		if (str_is(type, scaling_events[event]))
			return true;
	return false;
}

RESULT scaling_notify(struct op *op, uuid group_id, enum scaling_event event, uuid activity_id)
{
	static const char *const words[] = {
		[SCALING_EVENT_LAUNCH] = "launch",
		[SCALING_EVENT_LAUNCH_ERROR] = "failed launch",
		[SCALING_EVENT_TERMINATE] = "termination",
		[SCALING_EVENT_TERMINATE_ERROR] = "failed termination",
		[SCALING_EVENT_TEST] = "test notification",
	};
	const struct scaling_group *group = scaling_group_find(op->head, group_id);
	const struct scaling_activity *activity =
		uuid_is_none(activity_id) ? NULL : scaling_activity_find(op->head, activity_id);
	struct str body = STR_NONE;
	TRY(scaling_publish(op, group, event, activity));
	for (size_t k = 0; k + NOTIFICATION_TEXTS <= group->notifications.count; k += NOTIFICATION_TEXTS) {
		const struct str *at = &group->notifications.at[k];
		if (!tells(at[NOTIFICATION_TYPES], event))
			continue;
		if (!body.n)
			TRY(write_event(op, group, event, activity, &body));
		TRY(send_to(op, group, at[NOTIFICATION_TOPIC], STR_NONE,
			    str_print(op->ctx->arena, "Auto Scaling: %s for group \"%" STR_FMT "\"",
				      words[event], STR_ARG(group->name)),
			    body));
	}
	return OK;
}

/* Sends the test message, which every new configuration gets. */
static RESULT send_test(struct op *op, const struct scaling_group *group, struct str target, struct str role)
{
	struct str body = STR_NONE;
	TRY(write_event(op, group, SCALING_EVENT_TEST, NULL, &body));
	return send_to(op, group, target, role,
		       str_print(op->ctx->arena, "Auto Scaling: test notification for group \"%" STR_FMT "\"",
				 STR_ARG(group->name)),
		       body);
}

static RESULT fail_target(struct op *op, const char *field, struct str target, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_GROUP, str_from(field),
			   "Unable to publish test message to notification target %" STR_FMT
			   ". Please check your target configuration and try again. %s",
			   STR_ARG(str_cut(target, 400)), why);
}

/* Writes the list without the topic, and with it at the end if it has types. */
static RESULT replace_topic(struct op *op, const struct scaling_group *group, struct str topic,
			    struct str types, struct strs *ret_list)
{
	struct str *texts =
		arena_new_array(op->ctx->arena, struct str, group->notifications.count + NOTIFICATION_TEXTS);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k + NOTIFICATION_TEXTS <= group->notifications.count; k += NOTIFICATION_TEXTS) {
		if (str_equal(group->notifications.at[k + NOTIFICATION_TOPIC], topic))
			continue;
		for (size_t n = 0; n < NOTIFICATION_TEXTS; n++)
			texts[count++] = group->notifications.at[k + n];
	}
	if (types.n) {
		texts[count + NOTIFICATION_TOPIC] = topic;
		texts[count + NOTIFICATION_TYPES] = types;
		count += NOTIFICATION_TEXTS;
	}
	*ret_list = (struct strs){texts, count};
	return OK;
}

RESULT engine_put_scaling_notification(struct op *op, struct scaling_notification_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_notification.put", &group));
	struct scaling_group next = *group;
	const struct topic *topic = engine_find_topic_by_arn(op->head, group->account, wish->topic);
	if (!topic || topic->is_fifo)
		return fail_target(op, "TopicARN", wish->topic,
				   "The account has no such standard topic in this region.");
	bool is_admitted = false;
	TRY(admit(op, group, topic, NULL, STR_NONE, &is_admitted));
	if (!is_admitted)
		return fail_target(op, "TopicARN", wish->topic,
				   "The topic's policy does not allow Auto Scaling to publish.");
	TRY(replace_topic(op, group, wish->topic, wish->types, &next.notifications));
	if (next.notifications.count > TOPICS_MAX * NOTIFICATION_TEXTS)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_SCALING_GROUP, STR("TopicARN"),
				   "An Auto Scaling group has up to %d topics.", TOPICS_MAX);
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	TRY(engine_log_event(op, KIND_SCALING_GROUP, &next.row, "notification put", "%" STR_FMT,
			     STR_ARG(wish->topic)));
	return send_test(op, scaling_group_find(op->head, next.row.id), wish->topic, STR_NONE);
}

/* Deleting a configuration that is absent succeeds, as in EC2. */
RESULT engine_delete_scaling_notification(struct op *op, struct scaling_notification_wish *wish)
{
	const struct scaling_group *group = NULL;
	TRY(scaling_find(op, &wish->group, "scaling_notification.delete", &group));
	struct scaling_group next = *group;
	TRY(replace_topic(op, group, wish->topic, STR_NONE, &next.notifications));
	if (next.notifications.count == group->notifications.count)
		return OK;
	next.row.gen++;
	TRY(scaling_group_put(op, &next));
	return engine_log_event(op, KIND_SCALING_GROUP, &next.row, "notification deleted", "%" STR_FMT,
				STR_ARG(wish->topic));
}

/* ---- lifecycle hooks ---- */

/* The caller must be allowed to send there, because a hook sends as the region. */
static RESULT check_target(struct op *op, const struct scaling_group *group, struct str target,
			   struct str role)
{
	const struct topic *topic = engine_find_topic_by_arn(op->head, group->account, target);
	const struct queue *queue = engine_find_queue_by_arn(op->head, group->account, target);
	bool is_admitted = true;
	if (topic || queue)
		TRY(admit(op, group, topic, queue, role, &is_admitted));
	if (!is_admitted)
		return fail_target(op, "NotificationTargetARN", target,
				   "The policy of the target does not allow the role to send.");
	if (topic && !topic->is_fifo)
		return engine_permit_beside_on(op, "topic.publish", KIND_TOPIC, &topic->row);
	if (!queue || queue->is_fifo)
		return fail_target(op, "NotificationTargetARN", target,
				   "It must be a standard topic or queue of the account in this region.");
	return engine_permit_beside_on(op, "queue.send", KIND_QUEUE, &queue->row);
}

RESULT scaling_apply_hook_target(struct op *op, const struct scaling_group *group,
				 const struct scaling_hook_wish *wish, struct scaling_hook *next)
{
	if (wish->has_role)
		next->role = wish->role;
	if (wish->has_target)
		next->target = wish->target;
	if (wish->has_role && next->role.n)
		TRY(iam_role_permit_pass(op, group->account, next->role, STR(SERVICE), KIND_SCALING_HOOK,
					 STR("RoleARN")));
	if (!next->target.n || !wish->has_target)
		return OK;
	if (!next->role.n)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SCALING_HOOK, STR("RoleARN"),
				   "RoleARN is required when NotificationTargetARN is specified.");
	TRY(check_target(op, group, next->target, next->role));
	return send_test(op, group, next->target, next->role);
}

void scaling_write_way(struct op *op, struct json_writer *j, uuid instance, bool ends)
{
	const struct scaling_member *m = engine_find_scaling_member(op->head, instance);
	enum scaling_member_pool pool = m ? m->pool : SCALING_MEMBER_POOL_NONE;
	const char *inside = pool == SCALING_MEMBER_POOL_WARM ? "WarmPool" : "AutoScalingGroup";
	const char *outside = pool == (ends ? SCALING_MEMBER_POOL_RETURNING : SCALING_MEMBER_POOL_DRAWN)
				      ? "WarmPool"
				      : "EC2";
	json_write_z(j, "Origin", ends ? inside : outside);
	json_write_z(j, "Destination", ends ? outside : inside);
}

void scaling_write_hook(struct op *op, struct json_writer *j, const struct scaling_group *group,
			const struct scaling_hook *hook, uuid instance, struct str token)
{
	bool ends = hook->transition == SCALING_HOOK_TRANSITION_TERMINATING;
	scaling_write_way(op, j, instance, ends);
	json_write_text(j, "AutoScalingGroupName", group->name);
	json_write_text(j, "LifecycleHookName", hook->name);
	json_write_z(j, "LifecycleTransition",
		     ends ? "autoscaling:EC2_INSTANCE_TERMINATING" : "autoscaling:EC2_INSTANCE_LAUNCHING");
	json_write_text(j, "EC2InstanceId", engine_write_id(op, KIND_INSTANCE, instance));
	json_write_text(j, "LifecycleActionToken", token);
	if (hook->metadata.n)
		json_write_text(j, "NotificationMetadata", hook->metadata);
}

static RESULT send_hook(struct op *op, const struct scaling_group *group, const struct scaling_hook *hook,
			uuid instance, struct str token)
{
	bool ends = hook->transition == SCALING_HOOK_TRANSITION_TERMINATING;
	struct str id = engine_write_id(op, KIND_INSTANCE, instance), body = STR_NONE;
	struct buf out;
	struct json_writer j;
	buf_init(&out, MESSAGE_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	write_head(op, &j, group, op->now_us);
	scaling_write_hook(op, &j, group, hook, instance, token);
	TRY(end_body(op, &j, &out, &body));
	return send_to(op, group, hook->target, hook->role,
		       str_print(op->ctx->arena,
				 "Auto Scaling:  Lifecycle action '%s' for instance %" STR_FMT
				 " in progress.",
				 ends ? "TERMINATING" : "LAUNCHING", STR_ARG(id)),
		       body);
}

RESULT scaling_notify_hooks(struct op *op, const struct scaling_member *m)
{
	for (size_t k = 0; k + WAIT_TEXTS <= m->hooks.count; k += WAIT_TEXTS) {
		const struct scaling_group *group = scaling_group_find(op->head, m->scaling_group);
		const struct scaling_hook *hook = scaling_hook_find_by_scaling_group(
			op->head, m->scaling_group, m->hooks.at[k + WAIT_HOOK]);
		if (hook)
			TRY(scaling_publish_hook(op, group, hook, m->instance, m->hooks.at[k + WAIT_TOKEN]));
		if (hook && hook->target.n)
			TRY(send_hook(op, group, hook, m->instance, m->hooks.at[k + WAIT_TOKEN]));
	}
	return OK;
}
