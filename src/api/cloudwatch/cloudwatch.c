/* SPDX-License-Identifier: Apache-2.0
 * CloudWatch's query protocol, as the core asks for it: signed calls, answered in XML. */
#include "api/cloudwatch/cloudwatch.h"

#include "api/cloudwatch/internal.h"
#include "api/query/query_call.h"
#include "auth/guard.h"

bool cloudwatch_has_call(const struct call *call)
{
	bool is_signed_for_it =
		str_contains(call_header(call, "Authorization"), STR("/monitoring/aws4_request")) ||
		str_contains(call->query, STR("%2Fmonitoring%2Faws4_request"));
	return is_signed_for_it && !call_header(call, "Smithy-Protocol").n &&
	       !call_header(call, "X-Amz-Target").n;
}

static RESULT authenticate(struct cloudwatch_call *e)
{
	struct sigv4_answer answer = {0};
	TRY(sigv4_check(e->config->sigv4, e->call, &answer));
	if (answer.fault == SIGV4_FINE)
		return OK;
	TRY(api_check_limits(&e->core, NULL, OK));
	e->error = &query_faults[answer.fault];
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(answer.message));
}

static RESULT find(struct api_call *core)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	TRY(authenticate(e));
	TRY(query_find_action(core, 0, 0));
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
	TRY(request_read(e->c, &request_sts_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct cloudwatch_call *e = cloudwatch_call_of(core);
	return cloudwatch_action_of(e)->answer(e, e->args, x);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	TRY(query_write_answer(core, &x, CLOUDWATCH_NAMESPACE, write_result));
	return xml_end(&x);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	query_write_problem(core, p, &x, CLOUDWATCH_NAMESPACE);
	return xml_end(&x);
}

static void word_problem(struct api_call *core, struct api_problem *p)
{
	p->message = api_say_problem(core->c, p);
}

static const struct api_actions *const groups[] = {&cloudwatch_actions};
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
	.word_problem = word_problem,
	.write_problem = write_problem,
};

void cloudwatch_write_coverage(struct buf *out)
{
	api_write_coverage(out, &cloudwatch_action_groups);
}
