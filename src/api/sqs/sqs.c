/* SPDX-License-Identifier: Apache-2.0
 * Implements SQS's protocols for api/core: signed calls of the query protocol, answered in XML, or of AWS JSON 1.0. */
#include "api/sqs/sqs.h"

#include "api/query/query_call.h"
#include "api/sqs/internal.h"

bool sqs_has_call(const struct call *call)
{
	return query_is_for(call, "sqs");
}

static const struct typed_name names[] = {
	{"Attributes", "Attribute", "Name"},
	{"AttributeNames", "AttributeName", NULL},
	{"MessageAttributeNames", "MessageAttributeName", NULL},
	{"MessageSystemAttributeNames", "MessageSystemAttributeName", NULL},
	{"MessageAttributes", "MessageAttribute", "Name"},
	{"MessageSystemAttributes", "MessageSystemAttribute", "Name"},
	{"AWSAccountIds", "AWSAccountId", NULL},
	{"Actions", "ActionName", NULL},
	{"Entries", NULL, NULL},
	{"Tags", "Tag", "Key"},
	{"tags", "Tag", "Key"},
	{"TagKeys", "TagKey", NULL},
	{NULL, NULL, NULL},
};
static const struct typed_service service = {
	.name = "AmazonSQS", .version = SQS_VERSION, .element = "", .names = names};

static RESULT find(struct api_call *core)
{
	struct sqs_call *e = sqs_call_of(core);
	e->form = forms_find(e->call);
	e->content_type = forms_content_type(e->form);
	TRY(api_check_signature(core, query_faults));
	TRY(query_find_typed_action(core, &service, e->form));
	return query_check_action(core, true);
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct sqs_call *e = sqs_call_of(core);
	const struct sqs_action *a = sqs_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &request_sqs_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct sqs_call *e = sqs_call_of(core);
	struct forms_writer w;
	forms_begin(&w, FORM_QUERY, x->out, x);
	return sqs_action_of(e)->answer(e, e->args, &w);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct sqs_call *e = sqs_call_of(core);
	struct forms_writer w;
	if (e->form == FORM_QUERY)
		return query_write_answer_document(core, body, SQS_NAMESPACE,
						   sqs_action_of(e)->answer ? write_result : NULL);
	forms_begin(&w, e->form, body, NULL);
	if (sqs_action_of(e)->answer)
		TRY(sqs_action_of(e)->answer(e, e->args, &w));
	return forms_end(&w);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct sqs_call *e = sqs_call_of(core);
	if (e->form != FORM_QUERY)
		return forms_write_problem(core, e->form, p, "com.amazonaws.sqs#",
					   sqs_shape_of(p->error->code), body);
	return query_write_problem_document(core, p, body, SQS_NAMESPACE);
}

static const struct api_actions *const groups[] = {&sqs_queue_actions, &sqs_message_actions,
						   &sqs_batch_actions, &sqs_permission_actions};
const struct api_groups sqs_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol sqs_protocol = {
	.name = "sqs",
	.content_type = "text/xml",
	.version = SQS_VERSION,
	.call_size = sizeof(struct sqs_call),
	.groups = &sqs_action_groups,
	.errors = &sqs_errors,
	.find = find,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = query_word_problem,
	.write_problem = write_problem,
};

void sqs_write_coverage(struct buf *out)
{
	api_write_coverage(out, &sqs_action_groups);
}

void sqs_dump_actions(struct buf *out)
{
	query_dump_actions(out, "sqs", "sqs", &sqs_action_groups);
}
