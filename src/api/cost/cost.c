/* SPDX-License-Identifier: Apache-2.0
 * Implements Cost Explorer's protocol for api/core: one path, a header that names the action, JSON in and out.
 * Other actions of the service are refused as unknown operations. */
#include "api/cost/cost.h"

#include "api/cost/internal.h"

#define TARGET "AWSInsightsIndexService."

bool cost_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/ce/aws4_request"));
}

static const struct target_service service = {.prefix = TARGET, .name = "Cost Explorer"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &cost_call_of(core)->body);
}

static RESULT prepare(struct api_call *core)
{
	struct cost_call *e = cost_call_of(core);
	const struct cost_action *a = cost_row_of(e->action);
	TRY(api_new_args(core, 1, sizeof(struct cost_question)));
	return a->prepare(e, e->args);
}

static void end_request(struct api_call *core)
{
	struct cost_call *e = cost_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct cost_call *e = cost_call_of(core);
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	TRY(cost_row_of(e->action)->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

static const struct api_actions *const groups[] = {&cost_actions};
const struct api_groups cost_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol cost_protocol = {
	.name = "cost",
	.content_type = "application/x-amz-json-1.1",
	.call_size = sizeof(struct cost_call),
	.groups = &cost_action_groups,
	.errors = &cost_errors,
	.find = find,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.word_problem = target_word_problem,
	.write_problem = cost_write_problem,
};

void cost_write_coverage(struct buf *out)
{
	api_write_coverage(out, &cost_action_groups);
}
