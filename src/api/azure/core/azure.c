/* SPDX-License-Identifier: Apache-2.0
 * Azure Resource Manager's protocol, as the core asks for it: a bearer token says who asks, the path which account
 * (subscription) for, path and method which call; JSON in and out. */
#include "api/azure/core/azure.h"

#include "api/azure/core/action.h"
#include "api/core/path.h"
#include "base/clock.h"

/* As Azure Resource Manager's own limit on a request, which a template of a deployment may reach. */
enum { QUERY_PAIRS_MAX = 64, FORM_PAIRS_MAX = 64 };

static const struct pairs_rules query_rules = {.noun = "query", .count_max = QUERY_PAIRS_MAX};
static const struct pairs_rules form_rules = {.noun = "form", .count_max = FORM_PAIRS_MAX};

static bool has_first(struct str path, const char *word)
{
	struct str segment;
	return path_next_segment(&path, &segment) && str_equal_nocase(segment, str_from(word));
}

/* "/{tenant}/oauth2/…", "/{tenant}/v2.0/.well-known/…": the tenant is a domain's id, or a word for any. */
static bool is_of_tenant(struct str path)
{
	struct str tenant, second;
	uuid id;
	if (!path_next_segment(&path, &tenant) || !path_next_segment(&path, &second))
		return false;
	bool is_tenant = result_is_ok(uuid_parse(tenant, &id)) || str_equal_nocase(tenant, STR("common")) ||
			 str_equal_nocase(tenant, STR("organizations"));
	return is_tenant &&
	       (str_equal_nocase(second, STR("oauth2")) || str_equal_nocase(second, STR("v2.0")) ||
		str_equal_nocase(second, STR(".well-known")) || str_equal_nocase(second, STR("discovery")));
}

bool azure_has_path(struct str path)
{
	static const char *const words[] = {"subscriptions", "tenants", "providers", "adfs"};
	struct str rest = path, first, second;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (has_first(path, words[k]))
			return true;
	return is_of_tenant(path) ||
	       (path_next_segment(&rest, &first) && path_next_segment(&rest, &second) &&
		str_equal_nocase(first, STR("metadata")) && str_equal_nocase(second, STR("endpoints")));
}

static void begin(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	e->c->kind_words = &az_words;
	e->base_url = api_base_url(core);
	e->part = AZ_OF_ARM;
}

/* ---- who asks, and for which subscription ---- */

static RESULT fail_token(struct az_call *e)
{
	ctx_clear_problem(e->c);
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The access token is invalid.");
}

/* A subscription that the caller gets into. Of others nothing is said. */
static RESULT act_in_subscription(struct az_call *e, struct str text)
{
	uuid account = UUID_NONE;
	struct identity *who = NULL;
	bool is_id = result_is_ok(uuid_parse(text, &account));
	struct result found = is_id ? bearer_weigh(e->config->bearers, e->c, &e->bearer, account, &who)
				    : FAIL(UNAUTHENTICATED);
	if (result_is_ok(found)) {
		e->c->who = who;
		e->call->account_number = who->account_number;
		return OK;
	}
	if (found.code != ERR_UNAUTHENTICATED)
		return found;
	ctx_clear_problem(e->c);
	e->error = &az_no_subscription;
	return ctx_fail(e->c, ERR_NOT_FOUND, "The subscription '%" STR_FMT "' could not be found.",
			STR_ARG(str_slice(text, 0, 64)));
}

static RESULT authenticate(struct az_call *e)
{
	struct str header = call_header(e->call, "Authorization"), word = STR_NONE;
	struct identity *who = NULL;
	if (!header.n)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"Authentication failed. The 'Authorization' header is missing.");
	if (!str_split_next(&header, ' ', &word) || !str_equal_nocase(word, STR("Bearer")))
		return fail_token(e);
	struct result checked = bearer_check(e->config->bearers, e->c, str_trim(header), &e->bearer);
	if (checked.code == ERR_EXPIRED)
		return ctx_fail(e->c, ERR_EXPIRED,
				"The access token expiry UTC time has passed: a new one is needed.");
	if (result_is_ok(checked))
		checked = bearer_weigh(e->config->bearers, e->c, &e->bearer, UUID_NONE, &who);
	if (checked.code == ERR_UNAUTHENTICATED)
		return fail_token(e);
	TRY(checked);
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

/* ---- what is asked ---- */

static RESULT read_body(struct az_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	if (az_action_of(e)->flags & AZ_FORM)
		return pairs_parse(e->c, &form_rules, STR_NONE, e->call->body, &e->form);
	if (!text.n)
		return OK;
	e->body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(e->body))
		return OK;
	return ctx_fail(e->c, ERR_MALFORMED,
			"The request content was invalid and could not be deserialized: '%s'.",
			e->body ? "it is not an object" : error.text);
}

static RESULT check_method(struct az_call *e, bool has_path)
{
	if (!has_path)
		return az_fail_path(e);
	return ctx_fail(e->c, ERR_UNSUPPORTED,
			"The requested resource does not support http method '%" STR_FMT "'.",
			STR_ARG(str_slice(e->call->method_name, 0, 32)));
}

static RESULT find(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	bool has_path = false;
	struct result read = pairs_parse(e->c, &query_rules, e->call->query, STR_NONE, &e->query);
	const struct az_route *r = result_is_ok(read) ? az_find_route(e, &has_path) : NULL;
	const struct api_action *action = r ? r->entry.action : NULL;
	bool is_open = action && action->flags & API_OPEN;
	e->part = action && action->flags & AZ_SIGNIN ? AZ_OF_SIGNIN : AZ_OF_ARM;
	struct result proved = is_open || !result_is_ok(read) ? read : authenticate(e);
	TRY(api_check_limits(core, action, proved));
	if (!r)
		return check_method(e, has_path);
	api_choose_action(core, &r->entry);
	if (e->part == AZ_OF_ARM)
		TRY(az_check_version(e, &az_types[az_action_of(e)->type]));
	struct str subscription = az_path_value(e, "subscriptionId");
	if (subscription.n)
		TRY(act_in_subscription(e, subscription));
	return read_body(e);
}

/* Roles say it, and policies in EC2's words. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct az_call *e = az_call_of(core);
	if (e->action->flags & AZ_TENANT)
		request->has_role = true;
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	const struct az_action *a = az_action_of(e);
	const struct params_request request = {.dialect = &az_dialect,
					       .body = a->flags & AZ_FORM
							       ? document_of_pairs(&e->form, PAIRS_FLAT)
							       : document_of_json(e->body)};
	TRY(api_new_args(core, 1, a->args.size));
	if (a->args.count)
		TRY(params_fill(e->c, &a->args, &request, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

/* ---- answers ---- */

/* Every client logs them; az shows the second. */
static void set_headers(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	struct str id = e->c->request_id, said = call_header(e->call, "x-ms-client-request-id");
	bool is_asked = str_equal_nocase(call_header(e->call, "x-ms-return-client-request-id"), STR("true"));
	call_set_answer_header(e->call, "x-ms-request-id", id);
	call_set_answer_header(e->call, "x-ms-correlation-request-id", id);
	call_set_answer_header(
		e->call, "x-ms-routing-request-id",
		str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(az_location(e)), STR_ARG(id)));
	call_set_answer_header(e->call, "Cache-Control", STR("no-cache"));
	if (is_asked && said.n && said.n <= 128)
		call_set_answer_header(e->call, "x-ms-client-request-id", said);
}

static RESULT write_members(struct az_call *e, const struct az_action *a, struct json_writer *w)
{
	if (a->answer)
		return a->answer(e, e->args, w);
	if (a->listing)
		return az_write_list(e, w);
	const struct row *row = tables_find(az_tables(e), a->shows->kind, az_subject_of(e));
	members_write(&e->core, w, az_write_time, &a->shows->members, row);
	return OK;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct az_call *e = az_call_of(core);
	const struct az_action *a = az_action_of(e);
	struct json_writer w;
	if (a->outcome != ASYNC_JOB_OUTCOME_NONE && !e->skips_operation)
		az_set_operation(e);
	if (!a->answer && !a->listing && !a->shows) {
		e->has_no_body = true;
		return OK;
	}
	json_write_begin(&w, body);
	if (!(a->flags & AZ_IN_PLACE))
		json_write_open(&w, NULL);
	TRY(write_members(e, a, &w));
	if (!(a->flags & AZ_IN_PLACE))
		json_write_close(&w);
	return json_write_end(&w);
}

const struct api_protocol azure_protocol = {
	.name = "azure",
	.content_type = "application/json; charset=utf-8",
	.face_size = sizeof(struct az_face),
	.call_size = sizeof(struct az_call),
	.errors = &azure_errors,
	.open = az_sum_routes,
	.begin = begin,
	.find = find,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.end_request = end_request,
	.end_change = az_end_change,
	.set_headers = set_headers,
	.write = write_answer,
	.word_problem = az_word_problem,
	.write_problem = az_write_problem,
};
