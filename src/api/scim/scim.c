/* SPDX-License-Identifier: Apache-2.0
 * Implements SCIM's protocol for api/core: a bearer access key identifies the caller, path and method select the
 * call, and bodies are JSON.
 *
 * The key's user must be an administrator of the user's own domain. The identity is that of the domain scope, so the engine
 * lets it manage that domain's people alone; the key's account stays in it, so that policies and limits of the account hold. */
#include "api/scim/scim.h"

#include "api/scim/internal.h"
#include "auth/key/key_owner.h"
#include "base/crypto.h"
#include "engine/people/policy/role.h"
#include "store/user.h"

#define BASE_PATH "/scim/v2"
enum { QUERY_PAIRS_MAX = 32, KEY_ID_MAX = 128 };
static const struct pairs_rules query_rules = {.noun = "query", .count_max = QUERY_PAIRS_MAX};

bool scim_has_path(struct str path)
{
	size_t n = strlen(BASE_PATH);
	return str_starts_with(path, STR(BASE_PATH)) && (path.n == n || path.p[n] == '/');
}

struct str scim_path_value(const struct scim_call *e, const char *name)
{
	return pairs_find(&e->path, name);
}

struct str scim_query_value(const struct scim_call *e, const char *name)
{
	return pairs_find(&e->query, name);
}

/* ---- who asks ---- */

/* "Bearer ACCESS_KEY_ID:SECRET" */
static bool read_bearer(const struct call *call, struct str *ret_key_id, struct str *ret_secret)
{
	struct str header = call_header(call, "Authorization"), word = STR_NONE;
	if (!str_split_next(&header, ' ', &word) || !str_equal_nocase(word, STR("Bearer")))
		return false;
	header = str_trim(header);
	size_t colon = str_find_char(header, ':', 0);
	*ret_key_id = str_slice(header, 0, colon);
	*ret_secret = str_slice(header, colon + 1, header.n);
	return ret_key_id->n && ret_key_id->n <= KEY_ID_MAX && ret_secret->n;
}

static struct str find_claimed_key(const struct api_call *core)
{
	struct str key_id = STR_NONE, secret;
	return read_bearer(core->call, &key_id, &secret) ? key_id : STR_NONE;
}

static RESULT is_secret(struct ctx *c, const void *arg, struct str secret, bool *ret_is_right)
{
	const struct str *said = arg;
	(void) c;
	*ret_is_right = said->n == secret.n && crypto_equal(said->p, secret.p, secret.n);
	return OK;
}

/* Replaces the account's scope by that of the user's domain, with the roles that the user has there. */
static RESULT enter_domain(struct scim_call *e)
{
	struct identity *who = arena_new_object(e->c->arena, struct identity);
	const struct user *user = user_find(scim_tables(e), e->c->who->user);
	struct roles roles = {0};
	if (!who)
		return ctx_no_memory(e->c);
	if (user && !uuid_is_none(user->domain))
		engine_find_roles(scim_tables(e), user->row.id, IDENTITY_DOMAIN, user->domain, &roles);
	*who = *e->c->who;
	who->scope = IDENTITY_DOMAIN;
	who->domain = e->domain = user ? user->domain : UUID_NONE;
	who->rights = roles.rights;
	e->c->who = who;
	return OK;
}

static RESULT authenticate(struct scim_call *e)
{
	struct str key_id, secret;
	TRY(api_check_wire(&e->core, "An access key's secret is not accepted over plain HTTP. Use https."));
	if (!read_bearer(e->call, &key_id, &secret))
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"Send Authorization: Bearer ACCESS_KEY_ID:SECRET.");
	TRY(api_prove_key(&e->core, key_id, is_secret, &secret));
	struct result result = enter_domain(e);
	view_close(&e->view); /* the limits open a view of their own */
	e->view = (struct view){0};
	return result;
}

/* Roles of the domain decide; policies may only deny more. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct scim_call *e = scim_call_of(core);
	request->words = GUARD_OF_OPENSTACK;
	request->has_role = !uuid_is_none(e->domain) && identity_has(core->c->who, RIGHT_ADMIN);
	return request->has_role
		       ? OK
		       : ctx_fail(core->c, ERR_DENIED,
				  "The access key's user is not an administrator of its own domain.");
}

/* ---- which call ---- */

static const struct api_actions *const groups[] = {&scim_user_actions, &scim_group_actions,
						   &scim_discovery_actions};
const struct rest_table scim_actions = {groups, sizeof groups / sizeof groups[0]};

static bool is_json(struct str type)
{
	type = str_trim(str_slice(type, 0, str_find_char(type, ';', 0)));
	return !type.n || str_equal_nocase(type, STR("application/scim+json")) ||
	       str_equal_nocase(type, STR("application/json"));
}

static RESULT read_body(struct scim_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	enum http_method method = e->call->method;
	if (method != HTTP_POST && method != HTTP_PUT && method != HTTP_PATCH)
		return OK;
	if (!is_json(call_header(e->call, "Content-Type")))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Content-Type"),
				      "A body is application/scim+json or application/json.");
	if (text.n > SCIM_BODY_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "A body has at most %d bytes.", SCIM_BODY_MAX);
	e->body = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &error);
	return json_is_object(e->body) ? OK : ctx_fail(e->c, ERR_MALFORMED, "The body is not a JSON object.");
}

static RESULT find(struct api_call *core)
{
	struct scim_call *e = scim_call_of(core);
	bool has_path = false;
	struct str path = str_slice(core->call->path, strlen(BASE_PATH), core->call->path.n);
	const struct rest_action *row =
		rest_find_action(e->c, &scim_actions, e->call->method, path, &e->path, &has_path);
	struct result proved = authenticate(e);
	TRY(api_check_limits(core, row ? &row->core : NULL, proved));
	if (!row && has_path)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("method"),
				      "The method is not allowed here.");
	if (!row)
		return ctx_fail(e->c, ERR_NOT_FOUND, "There is no such path.");
	const struct api_entry entry = api_entry_of(&row->core);
	api_choose_action(core, &entry);
	return OK;
}

static bool has_version(const struct scim_action *a)
{
	return a->type && strchr(a->path, '{');
}

static RESULT prepare(struct api_call *core)
{
	struct scim_call *e = scim_call_of(core);
	const struct scim_action *a = scim_action_of(e);
	TRY(pairs_parse(e->c, &query_rules, e->call->query, STR_NONE, &e->query));
	if (!a->never)
		TRY(read_body(e));
	if (!has_version(a))
		TRY(scim_check_version(e, e->c, NULL));
	if (a->type)
		TRY(scim_read_shown(e));
	TRY(api_new_args(core, 1, a->args.size ? a->args.size : 1));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct scim_call *e = scim_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct scim_call *e = scim_call_of(core);
	const struct scim_action *a = scim_action_of(e);
	struct json_writer w;
	if (!a->answer) {
		e->status = 204;
		e->has_no_body = true;
		return OK;
	}
	json_write_begin(&w, body);
	TRY(a->answer(e, e->args, &w));
	if (!has_version(a))
		(void) scim_end_unchanged(e, NULL);
	return e->has_no_body ? OK : json_write_end(&w);
}

/* ---- failures: RFC 7644 3.12 ---- */

/* clang-format off */
static const struct api_error rows[] = {
	{ERR_UNSUPPORTED, 0, 405, NULL, "method"}, {ERR_UNSUPPORTED, 0, 415, NULL, "Content-Type"}, {ERR_UNSUPPORTED, 0, 501, NULL},
	{ERR_UNAUTHENTICATED, 0, 401, NULL}, {ERR_DENIED, 0, 403, NULL}, {ERR_NOT_FOUND, 0, 404, NULL},
	{ERR_INVALID, 0, 400, "invalidFilter", "filter"}, {ERR_INVALID, 0, 400, "invalidPath", "path"},
	{ERR_INVALID, 0, 400, "noTarget", "target"}, {ERR_INVALID, 0, 400, "tooMany", "work"}, {ERR_INVALID, 0, 400, "mutability", "mutability"},
	{ERR_INVALID, 0, 400, "invalidValue"}, {ERR_MISSING, 0, 400, "invalidValue"}, {ERR_UNKNOWN, 0, 400, "invalidValue"},
	{ERR_MALFORMED, 0, 400, "invalidSyntax"}, {ERR_PROTECTED, 0, 400, "mutability"},
	{ERR_EXISTS, 0, 409, "uniqueness"}, {ERR_CONFLICT, 0, 412, NULL}, {ERR_IN_USE, 0, 409, NULL}, {ERR_STATE, 0, 409, NULL},
	{ERR_QUOTA, 0, 403, NULL}, {ERR_TOO_LARGE, 0, 413, NULL}, {ERR_THROTTLED, 0, 429, NULL}, {ERR_AGAIN, 0, 503, NULL},
	{ERR_NO_MEMORY, 0, 503, NULL}, {ERR_INTERNAL, 0, 500, NULL},
};
/* clang-format on */
static const struct api_errors errors = API_ERRORS(
	rows, .internal = "An internal error has occurred.", .throttled = "Too many requests.",
	.unproved = "The access key is unknown or disabled, or the secret is wrong.", .is_by_status = true);

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	char status[8];
	snprintf(status, sizeof status, "%d", p->status);
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "schemas");
	json_write_z(&w, NULL, "urn:ietf:params:scim:api:messages:2.0:Error");
	json_write_close_list(&w);
	json_write_z(&w, "status", status);
	if (p->error->code)
		json_write_z(&w, "scimType", p->error->code);
	json_write_text(&w, "detail", p->message);
	json_write_close(&w);
	if (p->status == 401)
		call_set_answer_header(core->call, "WWW-Authenticate", STR("Bearer"));
	return json_write_end(&w);
}

const struct api_protocol scim_protocol = {
	.name = "scim",
	.content_type = "application/scim+json",
	.call_size = sizeof(struct scim_call),
	.errors = &errors,
	.find = find,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.write_problem = write_problem,
	.find_claimed_key = find_claimed_key,
};

void scim_write_coverage(struct buf *out)
{
	rest_write_coverage(&scim_actions, out);
}
