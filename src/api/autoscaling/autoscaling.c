/* SPDX-License-Identifier: Apache-2.0
 * Implements the protocol of EC2 Auto Scaling for api/core: signed query calls, answered in XML. */
#include "api/autoscaling/autoscaling.h"

#include "api/autoscaling/internal.h"
#include "api/query/query_call.h"

bool autoscaling_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/autoscaling/aws4_request")) ||
	       str_contains(call->query, STR("%2Fautoscaling%2Faws4_request"));
}

static RESULT find(struct api_call *core)
{
	struct autoscaling_call *e = autoscaling_call_of(core);
	TRY(api_check_signature(core, query_faults));
	TRY(query_find_action(core, 0, 0));
	if (e->action)
		return OK;
	struct str version = pairs_find(&e->pairs, "Version");
	e->error = &autoscaling_no_action;
	return ctx_fail(e->c, ERR_UNSUPPORTED, "Could not find operation %" STR_FMT " for version %" STR_FMT,
			STR_ARG(str_slice(pairs_find(&e->pairs, "Action"), 0, 128)),
			STR_ARG(version.n ? str_slice(version, 0, 32) : STR("2011-01-01")));
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
	struct xml x;
	xml_begin(&x, body);
	TRY(query_write_answer(core, &x, AUTOSCALING_NAMESPACE, write_result));
	return xml_end(&x);
}

static void word_problem(struct api_call *core, struct api_problem *p)
{
	p->message = api_say_problem(core->c, p);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	query_write_problem(core, p, &x, AUTOSCALING_NAMESPACE);
	return xml_end(&x);
}

static const struct api_actions *const groups[] = {
	&autoscaling_group_actions,    &autoscaling_list_actions,     &autoscaling_capacity_actions,
	&autoscaling_instance_actions, &autoscaling_activity_actions, &autoscaling_target_actions,
	&autoscaling_hook_actions,     &autoscaling_policy_actions,   &autoscaling_configuration_actions,
	&autoscaling_tag_actions,      &autoscaling_type_actions,
};
const struct api_groups autoscaling_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol autoscaling_protocol = {
	.name = "autoscaling",
	.content_type = "text/xml",
	.call_size = sizeof(struct autoscaling_call),
	.groups = &autoscaling_action_groups,
	.errors = &autoscaling_errors,
	.find = find,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = word_problem,
	.write_problem = write_problem,
};

void autoscaling_write_coverage(struct buf *out)
{
	api_write_coverage(out, &autoscaling_action_groups);
}

void autoscaling_dump_actions(struct buf *out)
{
	struct dump_form form = request_dump_form;
	struct json_writer w;
	form.face = "autoscaling";
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < autoscaling_action_groups.count; g++)
		for (size_t k = 0; k < groups[g]->count; k++) {
			const struct api_action *a = api_action_at(groups[g], k);
			dump_open_action(&w, &form, a, "autoscaling", a->name);
			dump_params(&w, &form, NULL, &a->args);
			json_write_open_list(&w, "filters");
			json_write_close_list(&w);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}
