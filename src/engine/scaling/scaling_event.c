/* SPDX-License-Identifier: Apache-2.0
 * Events of scaling groups for the account's event bus: instances that are launched and terminated, and those that a lifecycle hook holds.
 * Called by: scaling_notification.c. Source: Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling event reference". */
#include "base/buf.h"
#include "base/json_write.h"
#include "engine/acting.h"
#include "engine/events/events_internal.h"
#include "engine/region/region.h"
#include "engine/scaling/scaling_internal.h"

enum { DETAIL_CAP = 16384 };

static RESULT publish(struct op *op, const struct scaling_group *group, const char *type, uuid instance,
		      struct buf *detail)
{
	struct str number = engine_account_number(op->head, group->account);
	const struct str arns[] = {
		engine_write_scaling_arn(op->head, op->ctx->arena, engine_get_region_name(op->head), number,
					 KIND_SCALING_GROUP, &group->row),
		uuid_is_none(instance)
			? STR_NONE
			: event_write_ec2_arn(op, group->account, "instance", KIND_INSTANCE, instance)};
	const struct event_wish wish = {.account = group->account,
					.source = "aws.autoscaling",
					.type = type,
					.resources = {arns, uuid_is_none(instance) ? 1 : 2},
					.detail = str_copy(op->ctx->arena, buf_str(detail))};
	return wish.detail.p && arns[0].p ? event_publish(op, &wish) : ctx_no_memory(op->ctx);
}

RESULT scaling_publish(struct op *op, const struct scaling_group *group, enum scaling_event event,
		       const struct scaling_activity *activity)
{
	static const char *const types[SCALING_EVENTS] = {
		[SCALING_EVENT_LAUNCH] = "EC2 Instance Launch Successful",
		[SCALING_EVENT_LAUNCH_ERROR] = "EC2 Instance Launch Unsuccessful",
		[SCALING_EVENT_TERMINATE] = "EC2 Instance Terminate Successful",
		[SCALING_EVENT_TERMINATE_ERROR] = "EC2 Instance Terminate Unsuccessful",
	};
	bool ends = event == SCALING_EVENT_TERMINATE || event == SCALING_EVENT_TERMINATE_ERROR;
	struct buf out;
	struct json_writer j;
	if (!types[event] || !activity || !event_has_rules(op->head, group->account))
		return OK;
	buf_init(&out, DETAIL_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	json_write_text(&j, "AutoScalingGroupName", group->name);
	json_write_uuid(&j, "RequestId", activity->row.id);
	scaling_write_activity(op, &j, activity,
			       event == SCALING_EVENT_LAUNCH_ERROR || event == SCALING_EVENT_TERMINATE_ERROR);
	scaling_write_way(op, &j, activity->instance, ends);
	json_write_close(&j);
	struct result result = json_write_end(&j);
	if (result_is_ok(result))
		result = publish(op, group, types[event], activity->instance, &out);
	buf_done(&out);
	return result;
}

RESULT scaling_publish_hook(struct op *op, const struct scaling_group *group, const struct scaling_hook *hook,
			    uuid instance, struct str token)
{
	bool ends = hook->transition == SCALING_HOOK_TRANSITION_TERMINATING;
	struct buf out;
	struct json_writer j;
	if (!event_has_rules(op->head, group->account))
		return OK;
	buf_init(&out, DETAIL_CAP);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	scaling_write_hook(op, &j, group, hook, instance, token);
	json_write_close(&j);
	struct result result = json_write_end(&j);
	if (result_is_ok(result))
		result = publish(op, group,
				 ends ? "EC2 Instance-terminate Lifecycle Action"
				      : "EC2 Instance-launch Lifecycle Action",
				 UUID_NONE, &out);
	buf_done(&out);
	return result;
}
