/* SPDX-License-Identifier: Apache-2.0
 * IAM's protocol, as the core asks for it: signed query calls, answered in XML. */
#include "api/iam/iam.h"

#include "api/iam/internal.h"
#include "api/query/query_call.h"
#include "auth/password.h"
#include "base/heap.h"
#include "model/role.h"
#include "store/account.h"

enum { ACTIONS_MAX = 256, BODY_CAP_SIZE = 1024 * 1024 };

struct iam_face {
	struct api_face core;
	struct iam_config config;
};

bool iam_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/iam/aws4_request")) ||
	       str_contains(call->query, STR("%2Fiam%2Faws4_request"));
}

/* ---- from request to action ---- */

static void begin(struct api_call *core)
{
	iam_call_of(core)->config = &((struct iam_face *) core->face)->config;
}

/* Who asks. ERR_UNAUTHENTICATED, ERR_THROTTLED. */
static RESULT authenticate(struct iam_call *e)
{
	struct sigv4_answer answer = {0};
	TRY(sigv4_check(e->config->sigv4, e->call, &answer));
	if (answer.fault == SIGV4_FINE && answer.who->session && uuid_is_none(answer.who->iam_role)) {
		/* a user's session is for every service but this one */
		answer.fault = SIGV4_UNKNOWN_KEY;
		answer.message = STR("The security token included in the request is invalid.");
	}
	if (answer.fault == SIGV4_FINE) {
		e->c->who = answer.who;
		e->call->account_number = answer.who->account_number;
		return OK;
	}
	if (!api_is_within_limits(&e->core, NULL))
		return api_refuse_flood(&e->core);
	e->error = iam_find_fault(answer.fault);
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(answer.message));
}

static RESULT find(struct api_call *core)
{
	struct iam_call *e = iam_call_of(core);
	TRY(authenticate(e));
	TRY(query_find_action(core, 0, 0, &e->pairs));
	if (e->action)
		return OK;
	struct str name = pairs_find(&e->pairs, "Action");
	return ctx_fail(e->c, ERR_UNSUPPORTED, "Could not find operation %" STR_FMT " for version 2010-05-08",
			STR_ARG(str_slice(name, 0, 128)));
}

static void describe_audit(struct api_call *core)
{
	request_add_subject(core->audit, &iam_call_of(core)->pairs);
}

/* One's own password: whom the account lets. */
static bool is_own_and_may(struct iam_call *e)
{
	const struct account *account = e->action->flags & IAM_OWN && !uuid_is_none(e->c->who->user)
						? account_find(iam_tables(e), e->c->who->account)
						: NULL;
	bool may = account && account->password_own;
	view_close(&e->view);
	return may;
}

/* Condition keys of the request: which policy is attached, or bounds somebody. */
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

/* The account's owner and its managers may decide who may what; others as policies say. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct iam_call *e = iam_call_of(core);
	request->words = GUARD_OF_IAM;
	request->has_role =
		is_own_and_may(e) || e->c->who->is_owner || identity_has(e->c->who, ROLE_RIGHT_MANAGER);
	request->find = find_key;
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	static const char *const common[] = {"Action", "Version", 0};
	struct iam_call *e = iam_call_of(core);
	const struct iam_action *a = iam_action_of(e);
	TRY(api_new_args(core, 1, a->args.size));
	TRY(request_read(e->c, &a->args, common, &e->pairs, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

/* ---- answers ---- */

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct iam_call *e = iam_call_of(core);
	const struct iam_action *a = iam_action_of(e);
	struct xml x;
	const char *root = str_to_z(e->c->arena, str_print(e->c->arena, "%sResponse", a->name));
	const char *inner = str_to_z(e->c->arena, str_print(e->c->arena, "%sResult", a->name));
	xml_begin(&x, body);
	xml_open_ns(&x, root, IAM_NAMESPACE);
	if (a->answer) {
		xml_open(&x, inner);
		TRY(a->answer(e, e->args, &x));
		xml_close(&x, inner);
	}
	xml_open(&x, "ResponseMetadata");
	xml_text(&x, "RequestId", e->c->request_id);
	xml_close(&x, "ResponseMetadata");
	xml_close(&x, root);
	return xml_end(&x);
}

static struct str find_code(struct api_call *core, struct result result)
{
	return str_from(iam_find_problem(iam_call_of(core), result)->code);
}

static const char *say_throttled(struct api_call *core)
{
	(void) core;
	return "Rate exceeded";
}

static const struct api_protocol protocol = {
	.name = "iam",
	.content_type = "text/xml",
	.call_size = sizeof(struct iam_call),
	.begin = begin,
	.find = find,
	.describe_audit = describe_audit,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.write = write_answer,
	.answer_problem = iam_answer_problem,
	.find_code = find_code,
	.say_throttled = say_throttled,
};

const struct http_face iam_http_face = {
	.name = "iam", .handle = api_handle_call, .reject = iam_reject, .body_cap_size = BODY_CAP_SIZE};

/* ---- life ---- */

RESULT iam_new(struct ctx *c, const struct iam_config *config, struct iam_face **ret_face)
{
	const struct iam_action *actions[ACTIONS_MAX];
	struct iam_face *face = heap_new(struct iam_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->core = (struct api_face){.protocol = &protocol,
				       .http = &iam_http_face,
				       .store = config->store,
				       .guards = config->guards,
				       .limits = config->limits,
				       .lane = passwords_lane(config->passwords)};
	size_t count = iam_sum_actions(actions, ACTIONS_MAX);
	for (size_t k = 0; k < count; k++)
		api_add_action(&face->core, &actions[k]->core);
	api_sort_actions(&face->core);
	*ret_face = face;
	return OK;
}

void iam_free(struct iam_face *face)
{
	heap_free(face);
}
