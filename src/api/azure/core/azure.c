/* SPDX-License-Identifier: Apache-2.0
 * Azure Resource Manager's protocol: a bearer token identifies the caller, the path names the account
 * (subscription), path and method select the call; JSON in and out.
 */
#include "api/azure/core/azure.h"

#include "api/azure/core/action.h"
#include "api/core/path.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/uuid_asked.h"
#include "http/internal_call.h"
#include "store/account.h"

/* Body limit of Azure Resource Manager, which deployment templates may reach. */
enum { QUERY_PAIRS_MAX = 64, FORM_PAIRS_MAX = 64 };

static const struct pairs_rules query_rules = {.noun = "query", .count_max = QUERY_PAIRS_MAX};
static const struct pairs_rules form_rules = {.noun = "form", .count_max = FORM_PAIRS_MAX};

static bool has_first(struct str path, const char *word)
{
	struct str segment;
	return path_next_segment(&path, &segment) && str_equal_nocase(segment, str_from(word));
}

/* Matches "/{tenant}/oauth2/…", "/{tenant}/v2.0/.well-known/…". The tenant is a domain's id or a word
 * for any. */
static bool is_of_tenant(struct str path)
{
	struct str tenant, second;
	uuid id;
	if (!path_next_segment(&path, &tenant) || !path_next_segment(&path, &second))
		return false;
	bool is_tenant = result_is_ok(uuid_parse_asked(tenant, &id)) ||
			 str_equal_nocase(tenant, STR("common")) ||
			 str_equal_nocase(tenant, STR("organizations"));
	return is_tenant &&
	       (str_equal_nocase(second, STR("oauth2")) || str_equal_nocase(second, STR("v2.0")) ||
		str_equal_nocase(second, STR(".well-known")) || str_equal_nocase(second, STR("discovery")));
}

bool azure_has_path(struct str path)
{
	static const char *const words[] = {"subscriptions", "tenants",      "providers",
					    "adfs",          "aliases.json", "azure"};
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

/* Refuses a token of another tenant, and says where to sign in, as ARM does. Account ids are random, so
 * this reveals no account to guessers. */
static RESULT check_tenant(struct az_call *e, uuid id)
{
	const struct account *account = account_find(az_tables(e), id);
	uuid tenant = account ? account->domain : e->bearer.tenant;
	char is[UUID_TEXT_SIZE], needed[UUID_TEXT_SIZE];
	view_close(&e->view); /* the next access opens a new view */
	e->view = (struct view){0};
	if (uuid_equal(tenant, e->bearer.tenant))
		return OK;
	e->error = &az_wrong_tenant;
	return ctx_fail(e->c, ERR_UNAUTHENTICATED,
			"The access token is from the wrong issuer '%" STR_FMT
			"/%s/'. It must match the tenant '%" STR_FMT
			"/%s/' associated with this subscription. Please use the authority (URL) '%" STR_FMT
			"/%s' to get the token.",
			STR_ARG(e->base_url), uuid_write(e->bearer.tenant, is), STR_ARG(e->base_url),
			uuid_write(tenant, needed), STR_ARG(e->base_url), needed);
}

/* Enters the subscription if the caller may. Otherwise reveals nothing about it. */
static RESULT act_in_subscription(struct az_call *e, struct str text)
{
	uuid account = UUID_NONE;
	struct identity *who = NULL;
	bool is_id = result_is_ok(uuid_parse_asked(text, &account));
	if (call_internal_caller(e->call) && uuid_equal(account, e->c->who->account))
		return OK;
	if (is_id)
		TRY(check_tenant(e, account));
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

/* Authenticates a call of a deployment as the user who requested the deployment, if still permitted. */
static RESULT authenticate_inside(struct az_call *e, const struct bearer *bearer)
{
	struct identity *who = NULL;
	e->bearer = *bearer;
	struct result weighed = bearer_weigh(e->config->bearers, e->c, &e->bearer, UUID_NONE, &who);
	if (weighed.code == ERR_UNAUTHENTICATED)
		return fail_token(e);
	TRY(weighed);
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

static struct str without_slashes(struct str url)
{
	while (str_ends_with(url, STR("/")))
		url.n--;
	return url;
}

/* Accepts tokens for this cloud's ARM under any of its names, and for Azure's own, which some programs
 * always request. */
static RESULT check_audience(struct az_call *e)
{
	static const char *const names[] = {"https://management.azure.com",
					    "https://management.core.windows.net"};
	struct str audience = without_slashes(e->bearer.audience);
	bool is_known = str_equal_nocase(audience, without_slashes(e->base_url)) ||
			str_equal_nocase(audience, without_slashes(e->config->endpoint));
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		is_known = is_known || str_equal_nocase(audience, str_from(names[k]));
	if (is_known)
		return OK;
	e->error = &az_wrong_audience;
	return ctx_fail(
		e->c, ERR_UNAUTHENTICATED,
		"The access token has been obtained for wrong audience or resource '%" STR_FMT
		"'. It should exactly match with one of the allowed audiences '%" STR_FMT "/','%s/','%s/'.",
		STR_ARG(str_slice(e->bearer.audience, 0, 256)), STR_ARG(e->base_url), names[0], names[1]);
}

static RESULT authenticate(struct az_call *e)
{
	struct str header = call_header(e->call, "Authorization"), word = STR_NONE;
	struct identity *who = NULL;
	if (api_take_internal_caller(&e->core))
		return OK;
	if (call_internal_arg(e->call))
		return authenticate_inside(e, call_internal_arg(e->call));
	if (!header.n) {
		e->error = &az_no_token;
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"Authentication failed. The 'Authorization' header is missing.");
	}
	if (!str_split_next(&header, ' ', &word) || !str_equal_nocase(word, STR("Bearer"))) {
		e->error = &az_no_token;
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"Authentication failed. The 'Authorization' header is provided in an invalid "
				"format.");
	}
	struct result checked = bearer_check(e->config->bearers, e->c, str_trim(header), &e->bearer);
	if (checked.code == ERR_EXPIRED)
		return ctx_fail(e->c, ERR_EXPIRED,
				"The access token expiry UTC time has passed: a new one is needed.");
	if (result_is_ok(checked))
		TRY(check_audience(e));
	if (result_is_ok(checked))
		checked = bearer_weigh(e->config->bearers, e->c, &e->bearer, UUID_NONE, &who);
	if (checked.code == ERR_UNAUTHENTICATED)
		return fail_token(e);
	TRY(checked);
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

/* ---- reading the request ---- */

static RESULT read_body(struct az_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	if (az_action_of(e)->flags & AZ_FORM)
		return pairs_parse(e->c, &form_rules, STR_NONE, e->call->body, &e->form);
	if (!text.n || az_action_of(e)->flags & AZ_RAW)
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
	e->error = &az_no_method;
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
	if (e->part == AZ_OF_ARM && !(az_action_of(e)->flags & AZ_SIGNED))
		TRY(az_check_version(e, &az_types[az_action_of(e)->type]));
	struct str subscription = az_path_value(e, "subscriptionId");
	if (subscription.n)
		TRY(act_in_subscription(e, subscription));
	return read_body(e);
}

/* Asks the guard: Azure roles decide, and IAM policies by EC2's action names. An operator who asks for a member has no user, and so no roles. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct az_call *e = az_call_of(core);
	if (e->action->flags & AZ_TENANT)
		request->has_role = true;
	else if (!call_internal_caller(e->call) && engine_has_assignments(az_tables(e))) {
		e->c->guard = &engine_guard_of_roles; /* the guard asks for the place next */
		az_find_place(e, &request->place);
	}
	view_close(&e->view); /* the guard opens its own view */
	e->view = (struct view){0};
	return OK;
}

/* Members of a body without a table: such calls change tags only. */
static const struct param shown_property_rows[] = {
	AZ_READ_ONLY("provisioningState|resourceGuid|tenantId|principalId|clientId"),
};
static const struct params shown_properties = AZ_SHAPE(shown_property_rows, .object = "Properties");
static const struct param tags_only_rows[] = {
	AZ_SHAPE_OBJECT("properties", shown_properties),
	AZ_RESOURCE,
	AZ_READ_ONLY("managedBy"),
	NOT_BUILT("sku|zones|plan|identity|extendedLocation"),
};
static const struct params tags_only_params = AZ_SHAPE(tags_only_rows, .object = "TagsObject");

/* Lists of rows are paged (list.c). */
static const char common_query[] = "api-version", list_query[] = "$top|$skiptoken";

static bool has_query_row(const struct params *args, struct str name)
{
	for (size_t k = 0; k < args->count; k++)
		if (args->at[k].place == IN_QUERY && str_equal_nocase(name, str_from(args->at[k].wire)))
			return true;
	return false;
}

static bool has_name(const char *names, struct str name)
{
	struct str rest = str_from(names), one;
	while (str_split_next(&rest, '|', &one))
		if (str_equal_nocase(one, name))
			return true;
	return false;
}

/* True if the action's .query has the name; *ret_values are the values that it allows, or empty: all. */
static bool reads_query(const struct az_action *a, struct str name, struct str *ret_values)
{
	struct str rest = str_from(a->query), one, word;
	while (str_split_next(&rest, '|', &one))
		if (str_split_next(&one, '=', &word) && str_equal_nocase(word, name)) {
			*ret_values = one;
			return true;
		}
	return false;
}

/* A value that the call does not know would be ignored. Source: compute's answers to other values of $expand. */
static RESULT check_query_value(struct az_call *e, const struct pair *p, struct str values)
{
	struct str value;
	bool is_known = !values.n || !p->value.n;
	while (!is_known && str_split_next(&values, ',', &value))
		is_known = str_equal_nocase(value, p->value);
	const char *name = str_to_z(e->c->arena, str_slice(p->name, 0, 64));
	return is_known ? OK : az_fail(e, name, "The value of parameter %s is invalid.", name);
}

static RESULT fill(struct az_call *e, const struct az_action *a)
{
	const struct params_request request = {.dialect = &az_dialect,
					       .query = document_of_pairs(&e->query, PAIRS_FLAT),
					       .is_query_open = true,
					       .body = a->flags & AZ_FORM
							       ? document_of_pairs(&e->form, PAIRS_FLAT)
							       : document_of_json(e->body)};
	struct az_nothing nothing = {0};
	const struct params *shape = a->shape ? a->shape : &tags_only_params;
	if (a->args.count)
		return params_fill(e->c, &a->args, &request, e->args);
	bool has_body = e->body && json_object_size(e->body);
	return has_body && !a->reads_body ? params_fill(e->c, shape, &request, &nothing) : OK;
}

/* Refuses unknown query parameters: an ignored filter would return everything, an ignored switch would
 * do the wrong thing. The code is guessed. */
static RESULT check_query(struct az_call *e)
{
	const struct az_action *a = az_action_of(e);
	if (a->flags & (AZ_SIGNIN | AZ_SIGNED) || e->part != AZ_OF_ARM)
		return OK;
	for (size_t k = 0; k < e->query.count; k++) {
		struct str name = e->query.at[k].name;
		if (call_internal_arg(e->call) && str_is(name, AZ_TRIES)) {
			e->is_dry = true;
			continue;
		}
		bool is_page = a->listing && !a->answer && has_name(list_query, name);
		struct str values = STR_NONE;
		if (reads_query(a, name, &values))
			TRY(check_query_value(e, &e->query.at[k], values));
		else if (!is_page && !has_name(common_query, name) && !has_query_row(&a->args, name))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_slice(name, 0, 64),
					      "The query parameter '%" STR_FMT "' is not supported by %s.",
					      STR_ARG(str_slice(name, 0, 64)), a->name);
	}
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	const struct az_action *a = az_action_of(e);
	TRY(check_query(e));
	TRY(api_new_args(core, 1, a->args.size));
	if (a->names)
		TRY(az_prepare_target(e));
	if (e->skips_operation)
		return OK;
	struct result filled = fill(e, a);
	if (result_is_ok(filled) || filled.code == ERR_MISSING)
		TRY(az_check_place(e));
	TRY(filled);
	if (a->whole)
		TRY(az_find_whole(e));
	if (a->target)
		*(struct ref *) (void *) ((char *) e->args + a->target - 1) = az_target_ref(e);
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_answer(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	json_decref(e->said);
	e->said = NULL;
	e->said_of = UUID_NONE;
}

static void end_request(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	json_decref(e->body);
	e->body = NULL;
	end_answer(core);
}

/* ---- answers ---- */

/* every client logs these headers; az shows the second */
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
	const struct row *row = NULL;
	if (a->operation)
		TRY(az_find_returned(e, az_subject_of(e), &row));
	else
		row = tables_find(az_tables(e), a->shows->kind, az_subject_of(e));
	if (row && strcmp(az_types[a->type].space, az_types[AZ_NETWORKS].space) == 0)
		call_set_answer_header(e->call, "ETag", az_etag_of(e, row));
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
	if (e->asks_existence) { /* errors appear only while the answer is written */
		e->has_no_body = true;
		e->status = 204;
	}
	json_write_begin(&w, body);
	if (!(a->flags & AZ_IN_PLACE))
		json_write_open(&w, NULL);
	TRY(write_members(e, a, &w));
	if (!(a->flags & AZ_IN_PLACE))
		json_write_close(&w);
	return json_write_end(&w);
}

/* Digest of a list call. */
static struct str digest(struct api_call *core)
{
	struct az_call *e = az_call_of(core);
	const struct az_action *a = az_action_of(e);
	char user[UUID_TEXT_SIZE], tenant[UUID_TEXT_SIZE];
	uint8_t sum[SHA256_SIZE];
	if (!a->listing || a->answer || a->operation || a->flags & API_CHANGES_BY_TIME || !e->c->who ||
	    e->bearer.session.n || e->asks_existence)
		return STR_NONE;
	struct str asked = str_print(e->c->arena, "%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT "\n%s\n%s\n%x",
				     STR_ARG(e->call->path), STR_ARG(e->call->query), STR_ARG(e->base_url),
				     uuid_write(e->c->who->user, user), uuid_write(e->bearer.tenant, tenant),
				     e->c->who->rights);
	if (!asked.p)
		return STR_NONE;
	crypto_sha256(asked, sum);
	return str_encode_hex(e->c->arena, sum, sizeof sum);
}

/* ---- life ---- */

static bool open_face(struct api_face *core)
{
	struct az_face *face = (struct az_face *) core;
	az_sum_routes(face);
	return az_deployer.open(face);
}

static void close_face(struct api_face *core)
{
	az_deployer.close((struct az_face *) core);
}

const struct api_protocol azure_protocol = {
	.name = "azure",
	.content_type = "application/json; charset=utf-8",
	.face_size = sizeof(struct az_face),
	.call_size = sizeof(struct az_call),
	.errors = &azure_errors,
	.open = open_face,
	.close = close_face,
	.begin = begin,
	.find = find,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.end_request = end_request,
	.end_answer = end_answer,
	.begin_change = az_begin_change,
	.end_change = az_end_change,
	.set_headers = set_headers,
	.digest = digest,
	.write = write_answer,
	.word_problem = az_word_problem,
	.write_problem = az_write_problem,
};
