/* SPDX-License-Identifier: Apache-2.0
 * Implements the protocol of EC2 Auto Scaling for api/core: signed query calls, answered in XML. */
#include "api/autoscaling/autoscaling.h"

#include "api/autoscaling/internal.h"
#include "api/query/query_call.h"

bool autoscaling_has_call(const struct call *call)
{
	return query_is_for(call, "autoscaling");
}

static RESULT find(struct api_call *core)
{
	TRY(api_check_signature(core, query_faults));
	TRY(query_find_action(core, 0, 0));
	return query_check_action(core, false);
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct autoscaling_call *e = autoscaling_call_of(core);
	const struct autoscaling_action *a = autoscaling_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &request_sts_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct autoscaling_call *e = autoscaling_call_of(core);
	const struct autoscaling_action *a = autoscaling_action_of(e);
	return a->answer ? a->answer(e, e->args, x) : OK;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	return query_write_answer_document(core, body, AUTOSCALING_NAMESPACE, write_result);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return query_write_problem_document(core, p, body, AUTOSCALING_NAMESPACE);
}

static const struct api_actions *const groups[] = {
	&autoscaling_group_actions,         &autoscaling_list_actions,         &autoscaling_capacity_actions,
	&autoscaling_instance_actions,      &autoscaling_activity_actions,     &autoscaling_target_actions,
	&autoscaling_hook_actions,          &autoscaling_policy_actions,       &autoscaling_schedule_actions,
	&autoscaling_configuration_actions, &autoscaling_tag_actions,          &autoscaling_type_actions,
	&autoscaling_metric_actions,        &autoscaling_notification_actions, &autoscaling_refresh_actions,
	&autoscaling_pool_actions,
};
const struct api_groups autoscaling_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol autoscaling_protocol = {
	.name = "autoscaling",
	.content_type = "text/xml",
	.version = AUTOSCALING_VERSION,
	.call_size = sizeof(struct autoscaling_call),
	.groups = &autoscaling_action_groups,
	.errors = &autoscaling_errors,
	.find = find,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = query_word_problem,
	.write_problem = write_problem,
};

void autoscaling_write_coverage(struct buf *out)
{
	api_write_coverage(out, &autoscaling_action_groups);
}

void autoscaling_dump_actions(struct buf *out)
{
	query_dump_actions(out, "autoscaling", "autoscaling", &autoscaling_action_groups);
}
