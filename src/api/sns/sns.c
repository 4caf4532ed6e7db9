/* SPDX-License-Identifier: Apache-2.0
 * Implements the protocol of SNS for api/core: signed query calls, answered in XML; and two unsigned calls, by
 * which a server confirms its subscription with the token it received, and fetches the certificate of signatures. */
#include "api/sns/sns.h"

#include "api/query/query_call.h"
#include "api/sns/internal.h"

#define CERTIFICATE_PATH STR("/SimpleNotificationService.pem")

static bool is_certificate(const struct call *call)
{
	return str_equal(call->path, CERTIFICATE_PATH);
}

static bool is_unsigned(const struct call *call)
{
	return call->path.n < 2 && str_contains(call->query, STR("Action=ConfirmSubscription")) &&
	       !call_header(call, "Authorization").n && !str_contains(call->query, STR("X-Amz-Signature"));
}

bool sns_has_call(const struct call *call)
{
	return query_is_for(call, "sns") || is_certificate(call) || is_unsigned(call);
}

static RESULT find(struct api_call *core)
{
	struct sns_call *e = sns_call_of(core);
	e->is_certificate = is_certificate(e->call);
	if (e->is_certificate) {
		e->content_type = "application/x-pem-file";
		TRY(api_check_limits(core, NULL, OK));
		api_choose_action(core, api_find_action(&e->face->entries, STR("GetSigningCertificate")));
		return OK;
	}
	bool is_open = is_unsigned(e->call);
	if (!is_open)
		TRY(api_check_signature(core, query_faults));
	TRY(query_find_action(core, is_open ? API_OPEN : 0, is_open ? API_OPEN : 0));
	return query_check_action(core, is_open); /* as in AWS, the URL that confirms names no version */
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct sns_call *e = sns_call_of(core);
	const struct sns_action *a = sns_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &request_sqs_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct sns_call *e = sns_call_of(core);
	return sns_action_of(e)->answer(e, e->args, x);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct sns_call *e = sns_call_of(core);
	if (e->is_certificate) {
		buf_add_str(body, engine_get_topic_key(sns_tables(e)).cert_pem);
		return body->failed ? FAIL(NO_MEMORY) : OK;
	}
	return query_write_answer_document(core, body, SNS_NAMESPACE,
					   sns_action_of(e)->answer ? write_result : NULL);
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return query_write_problem_document(core, p, body, SNS_NAMESPACE);
}

static const struct sns_action certificate[] = {
	{.name = "GetSigningCertificate",
	 .permit = "sns:GetSigningCertificate",
	 .flags = API_OPEN,
	 .doc = "Returns the certificate that SigningCertURL names, at /SimpleNotificationService.pem. Not "
		"an action of AWS."},
};
const struct api_actions sns_certificate_actions = API_ACTIONS(certificate);

static const struct api_actions *const groups[] = {&sns_topic_actions, &sns_subscription_actions,
						   &sns_publish_actions, &sns_permission_actions,
						   &sns_certificate_actions};
const struct api_groups sns_action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol sns_protocol = {
	.name = "sns",
	.content_type = "text/xml",
	.version = SNS_VERSION,
	.call_size = sizeof(struct sns_call),
	.groups = &sns_action_groups,
	.errors = &sns_errors,
	.find = find,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = query_word_problem,
	.write_problem = write_problem,
};

void sns_write_coverage(struct buf *out)
{
	api_write_coverage(out, &sns_action_groups);
}

void sns_dump_actions(struct buf *out)
{
	query_dump_actions(out, "sns", "sns", &sns_action_groups);
}
