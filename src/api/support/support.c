/* SPDX-License-Identifier: Apache-2.0
 * Implements AWS Support's protocol for api/core: one path, a header that names the action, JSON in and out. */
#include "api/support/support.h"

#include "api/support/internal.h"

#define TARGET "AWSSupport_20130415."

bool support_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/support/aws4_request")) ||
	       (str_starts_with(call_header(call, "X-Amz-Target"), STR(TARGET)) &&
		!str_contains(call_header(call, "Authorization"), STR("aws4_request")));
}

/* ---- from request to action ---- */

static const struct target_service service = {.prefix = TARGET, .name = "AWS Support"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &support_call_of(core)->body);
}

static RESULT prepare(struct api_call *core)
{
	struct support_call *e = support_call_of(core);
	const struct support_action *a = support_row_of(e->action);
	TRY(target_read_args(core, e->body));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct support_call *e = support_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct support_call *e = support_call_of(core);
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	TRY(support_row_of(e->action)->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

static const struct api_actions *const groups[] = {&support_case_actions, &support_list_actions,
						   &support_file_actions, &support_word_actions};
const struct api_groups support_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol support_protocol = {
	.name = "support",
	.content_type = "application/x-amz-json-1.1",
	.call_size = sizeof(struct support_call),
	.groups = &support_action_groups,
	.errors = &support_errors,
	.find = find,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.word_problem = target_word_problem,
	.write_problem = target_write_problem,
};

/* ---- for the documentation ---- */

void support_dump_actions(struct buf *out)
{
	target_dump_actions(out, "support", &support_action_groups);
}

void support_write_coverage(struct buf *out)
{
	api_write_coverage(out, &support_action_groups);
}
