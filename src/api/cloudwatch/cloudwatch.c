/* SPDX-License-Identifier: Apache-2.0
 * CloudWatch's protocols, as the core asks for them: signed calls, answered in XML, JSON or CBOR. */
#include "api/cloudwatch/cloudwatch.h"

#include "api/cloudwatch/internal.h"
#include "api/query/query_call.h"
#include "auth/guard/guard.h"

bool cloudwatch_has_call(const struct call *call)
{
	return query_is_for(call, "monitoring");
}

/* Like query_find_action(), for a document, too, and for more pairs: a call brings up to 1,000 datapoints. */
static RESULT find_action(struct cloudwatch_call *e)
{
	struct str form = STR_NONE, query = e->call->query, body = STR_NONE;
	struct result read = cloudwatch_read_body(e->c, e->call, &body);
	if (e->form == CLOUDWATCH_QUERY) {
		form = e->call->method == HTTP_POST ? body : STR_NONE;
	} else if (result_is_ok(read)) {
		query = STR_NONE;
		read = cloudwatch_read_typed(e->c, e->call, body, e->form, &form);
	}
	if (result_is_ok(read))
		read = request_parse_many(e->c, query, form, &e->pairs);
	const struct api_entry *entry = query_find_entry(&e->core, 0, 0);
	read = api_check_limits(&e->core, entry ? entry->action : NULL, read);
	api_choose_action(&e->core, entry);
	return read;
}

static RESULT find(struct api_call *core)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	e->form = cloudwatch_form_of(e->call);
	e->content_type = cloudwatch_content_type(e->form);
	if (e->form == CLOUDWATCH_CBOR)
		call_set_answer_header(e->call, "smithy-protocol", STR("rpc-v2-cbor"));
	TRY(api_check_signature(core, query_faults));
	TRY(find_action(e));
	if (e->action)
		return OK;
	return ctx_fail(e->c, ERR_UNSUPPORTED, "Could not find operation %" STR_FMT " for version 2010-08-01",
			STR_ARG(str_slice(pairs_find(&e->pairs, "Action"), 0, 128)));
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
	forms_begin(&w, CLOUDWATCH_QUERY, x->out, x);
	return cloudwatch_action_of(e)->answer(e, e->args, &w);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	struct xml x;
	struct forms_writer w;
	if (e->form != CLOUDWATCH_QUERY) {
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

/* The query protocol's code is what SDKs go on telling, by the header; the type is the model's shape. */
static RESULT write_typed_problem(struct cloudwatch_call *e, struct api_problem *p, struct buf *body)
{
	struct forms_writer w;
	const char *side = p->status >= 500 ? "Receiver" : "Sender";
	p->content_type = cloudwatch_content_type(e->form);
	call_set_answer_header(e->call, "x-amzn-query-error",
			       str_print(e->c->arena, "%s;%s", p->error->code, side));
	forms_begin(&w, e->form, body, NULL);
	forms_text(
		&w, "__type",
		str_print(e->c->arena, "com.amazonaws.cloudwatch#%s", cloudwatch_shape_of(p->error->code)));
	forms_text(&w, "message", p->message);
	return forms_end(&w);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	struct xml x;
	if (e->form != CLOUDWATCH_QUERY)
		return write_typed_problem(e, p, body);
	xml_begin(&x, body);
	query_write_problem(core, p, &x, CLOUDWATCH_NAMESPACE);
	return xml_end(&x);
}

static const struct api_actions *const groups[] = {
	&cloudwatch_actions,       &cloudwatch_data_actions,       &cloudwatch_put_actions,
	&cloudwatch_alarm_actions, &cloudwatch_alarm_list_actions, &cloudwatch_tag_actions};
const struct api_groups cloudwatch_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol cloudwatch_protocol = {
	.name = "cloudwatch",
	.content_type = "text/xml",
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
