/* SPDX-License-Identifier: Apache-2.0
 * Implements CloudWatch's protocols for api/core: signed calls, answered in XML, JSON or CBOR. */
#include "api/cloudwatch/cloudwatch.h"

#include "api/cloudwatch/internal.h"
#include "api/query/query_call.h"
#include "auth/guard/guard.h"

bool cloudwatch_has_call(const struct call *call)
{
	return query_is_for(call, "monitoring");
}

static bool is_time(struct str path)
{
	return str_is(path, "StartTime") || str_is(path, "EndTime") || str_is(path, "StartDate") ||
	       str_is(path, "EndDate") || str_ends_with(path, STR(".Timestamp"));
}

static const struct typed_service service = {.name = "GraniteServiceVersion20100801",
					     .version = CLOUDWATCH_VERSION,
					     .element = "member.",
					     .is_time = is_time};

static RESULT find(struct api_call *core)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	e->form = forms_find(e->call);
	e->content_type = forms_content_type(e->form);
	if (e->form == FORM_CBOR)
		call_set_answer_header(e->call, "smithy-protocol", STR("rpc-v2-cbor"));
	TRY(api_check_signature(core, query_faults));
	TRY(query_find_typed_action(core, &service, e->form));
	return query_check_action(core, e->form != FORM_QUERY);
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	const struct cloudwatch_action *a = cloudwatch_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &request_cloudwatch_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	struct forms_writer w;
	forms_begin(&w, FORM_QUERY, x->out, x);
	return cloudwatch_action_of(e)->answer(e, e->args, &w);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	struct xml x;
	struct forms_writer w;
	if (e->form != FORM_QUERY) {
		forms_begin(&w, e->form, body, NULL);
		if (cloudwatch_action_of(e)->answer)
			TRY(cloudwatch_action_of(e)->answer(e, e->args, &w));
		return forms_end(&w);
	}
	xml_begin(&x, body);
	TRY(query_write_answer(core, &x, CLOUDWATCH_NAMESPACE,
			       cloudwatch_action_of(e)->answer ? write_result : NULL));
	return xml_end(&x);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	struct xml x;
	if (e->form != FORM_QUERY)
		return forms_write_problem(core, e->form, p, "com.amazonaws.cloudwatch#",
					   cloudwatch_shape_of(p->error->code), body);
	xml_begin(&x, body);
	query_write_problem(core, p, &x, CLOUDWATCH_NAMESPACE);
	return xml_end(&x);
}

static const struct api_actions *const groups[] = {
	&cloudwatch_actions,          &cloudwatch_data_actions,       &cloudwatch_put_actions,
	&cloudwatch_alarm_actions,    &cloudwatch_alarm_list_actions, &cloudwatch_tag_actions,
	&cloudwatch_dashboard_actions};
const struct api_groups cloudwatch_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol cloudwatch_protocol = {
	.name = "cloudwatch",
	.content_type = "text/xml",
	.version = CLOUDWATCH_VERSION,
	.call_size = sizeof(struct cloudwatch_call),
	.groups = &cloudwatch_action_groups,
	.errors = &cloudwatch_errors,
	.find = find,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = query_word_problem,
	.write_problem = write_problem,
};

void cloudwatch_write_coverage(struct buf *out)
{
	api_write_coverage(out, &cloudwatch_action_groups);
}

void cloudwatch_dump_actions(struct buf *out)
{
	query_dump_actions(out, "cloudwatch", "monitoring", &cloudwatch_action_groups);
}
