/* SPDX-License-Identifier: Apache-2.0
 * Implements IAM's protocol for api/core: signed query calls, answered in XML. */
#include "api/iam/iam.h"

#include "api/iam/internal.h"
#include "api/query/query_call.h"
#include "model/role.h"
#include "model/session.h"
#include "store/account.h"

bool iam_has_call(const struct call *call)
{
	return query_is_for(call, "iam");
}

/* ---- from request to action ---- */

/* Authenticates the caller. ERR_UNAUTHENTICATED, ERR_THROTTLED. */
static RESULT authenticate(struct iam_call *e)
{
	struct sigv4_answer answer = {0};
	TRY(sigv4_check(e->config->sigv4, e->call, &answer));
	if (answer.fault == SIGV4_FINE && answer.who->session && uuid_is_none(answer.who->iam_role) &&
	    (!answer.who->factor_us || session_is_federated(answer.who->session))) {
		/* sessions of users cannot call IAM, except those of GetSessionToken with a code of an MFA device */
		answer.fault = SIGV4_UNKNOWN_KEY;
		answer.message = STR("The security token included in the request is invalid.");
	}
	if (answer.fault == SIGV4_FINE)
		return OK;
	TRY(api_check_limits(&e->core, NULL, OK));
	e->error = &query_faults[answer.fault];
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(answer.message));
}

static RESULT find(struct api_call *core)
{
	struct iam_call *e = iam_call_of(core);
	TRY(authenticate(e));
	TRY(query_find_action(core, 0, 0));
	return query_check_action(core, false);
}

static void describe_audit(struct api_call *core)
{
	request_add_subject(core->audit, &iam_call_of(core)->pairs);
}

/* True for a change of the caller's own password, if the account's password policy allows it. */
static bool is_own_and_may(struct iam_call *e)
{
	const struct account *account = e->action->flags & IAM_OWN && !uuid_is_none(e->c->who->user)
						? account_find(iam_tables(e), e->c->who->account)
						: NULL;
	bool may = account && account->password_own;
	view_close(&e->view);
	return may;
}

/* Provides the condition keys iam:PolicyARN and iam:PermissionsBoundary from the request. */
static enum policy_known find_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct iam_call *e = arg;
	struct str *value = arena_new_object(e->c->arena, struct str);
	if (!value)
		return POLICY_ABSENT;
	if (str_is(key, "iam:policyarn"))
		*value = pairs_find(&e->pairs, "PolicyArn");
	else if (str_is(key, "iam:permissionsboundary"))
		*value = pairs_find(&e->pairs, "PermissionsBoundary");
	*ret_values = (struct strs){value, 1};
	return value->n ? POLICY_PRESENT : POLICY_ABSENT;
}

/* The account's owner and managers need no policy; others need one that allows the action. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct iam_call *e = iam_call_of(core);
	request->words = GUARD_OF_IAM;
	request->has_role =
		is_own_and_may(e) || e->c->who->is_owner || identity_has(e->c->who, RIGHT_MANAGER);
	request->find = find_key;
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct iam_call *e = iam_call_of(core);
	const struct iam_action *a = iam_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &request_iam_dialect, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

/* ---- answers ---- */

static RESULT write_result(struct api_call *core, struct xml *x)
{
	struct iam_call *e = iam_call_of(core);
	return iam_action_of(e)->answer(e, e->args, x);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	bool has_result = iam_action_of(iam_call_of(core))->answer;
	return query_write_answer_document(core, body, IAM_NAMESPACE, has_result ? write_result : NULL);
}

const struct api_protocol iam_protocol = {
	.name = "iam",
	.content_type = "text/xml",
	.version = IAM_VERSION,
	.call_size = sizeof(struct iam_call),
	.groups = &iam_action_groups,
	.errors = &iam_errors,
	.find = find,
	.describe_audit = describe_audit,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.write = write_answer,
	.word_problem = query_word_problem,
	.write_problem = iam_write_problem,
};
