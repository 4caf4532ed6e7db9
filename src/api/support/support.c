/* SPDX-License-Identifier: Apache-2.0
 * Implements AWS Support's protocol for api/core: one path, a header that names the action, JSON in and out. */
#include "api/support/support.h"

#include "api/core/dump.h"
#include "api/support/internal.h"

#define TARGET "AWSSupport_20130415."

bool support_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/support/aws4_request")) ||
	       (str_starts_with(call_header(call, "X-Amz-Target"), STR(TARGET)) &&
		!str_contains(call_header(call, "Authorization"), STR("aws4_request")));
}

/* ---- from request to action ---- */

static RESULT read_body(struct support_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	e->body = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &error);
	return json_is_object(e->body) ? OK : ctx_fail(e->c, ERR_MALFORMED, "The request is no JSON object.");
}

static RESULT find(struct api_call *core)
{
	struct support_call *e = support_call_of(core);
	struct str target = call_header(e->call, "X-Amz-Target");
	TRY(api_check_signature(core, support_faults));
	bool is_ours = str_starts_with(target, STR(TARGET));
	struct str name = is_ours ? str_slice(target, sizeof TARGET - 1, target.n) : STR_NONE;
	const struct api_entry *entry = is_ours ? api_find_action(&e->face->entries, name) : NULL;
	TRY(api_check_limits(core, entry ? entry->action : NULL, OK));
	api_choose_action(core, entry);
	if (!entry)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "AWS Support has no operation %" STR_FMT " here.",
				STR_ARG(str_slice(name, 0, 128)));
	return read_body(e);
}

static RESULT prepare(struct api_call *core)
{
	struct support_call *e = support_call_of(core);
	const struct support_action *a = support_row_of(e->action);
	const struct params_request request = {.dialect = &support_dialect,
					       .body = document_of_json(e->body)};
	TRY(api_new_args(core, 1, a->args.size));
	if (a->args.count)
		TRY(params_fill(e->c, &a->args, &request, e->args));
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
	.word_problem = support_word_problem,
	.write_problem = support_write_problem,
};

/* ---- for the documentation ---- */

static const struct dump_form form = {.face = "support", .list_suffix = ""};

void support_dump_actions(struct buf *out)
{
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < support_action_groups.count; g++)
		for (size_t k = 0; k < groups[g]->count; k++) {
			const struct api_action *a = api_action_at(groups[g], k);
			dump_open_action(&w, &form, a, "support", a->name);
			dump_params(&w, &form, NULL, &a->args);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}

void support_write_coverage(struct buf *out)
{
	api_write_coverage(out, &support_action_groups);
}
