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

static RESULT read_body(struct cost_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	e->body = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &error);
	return json_is_object(e->body) ? OK : ctx_fail(e->c, ERR_MALFORMED, "The request is no JSON object.");
}

static RESULT find(struct api_call *core)
{
	struct cost_call *e = cost_call_of(core);
	struct str target = call_header(e->call, "X-Amz-Target");
	TRY(api_check_signature(core, cost_faults));
	bool is_ours = str_starts_with(target, STR(TARGET));
	struct str name = is_ours ? str_slice(target, sizeof TARGET - 1, target.n) : STR_NONE;
	const struct api_entry *entry = is_ours ? api_find_action(&e->face->entries, name) : NULL;
	TRY(api_check_limits(core, entry ? entry->action : NULL, OK));
	api_choose_action(core, entry);
	if (!entry)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("X-Amz-Target"),
				      "Cost Explorer has no operation %" STR_FMT " here.",
				      STR_ARG(str_slice(name, 0, 128)));
	return read_body(e);
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
	.word_problem = cost_word_problem,
	.write_problem = cost_write_problem,
};

void cost_write_coverage(struct buf *out)
{
	api_write_coverage(out, &cost_action_groups);
}
